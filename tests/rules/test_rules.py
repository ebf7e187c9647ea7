"""Every rule against NumPy's value and against differences, to second order.

The slope is compared with differences of NumPy's own function, the curvature with differences of the slope, both by
Ridders' extrapolation, which estimates its own error.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from pytensor.compile.mode import Mode, optdb
from pytensor.graph.fg import FunctionGraph
from pytensor.graph.rewriting.db import RewriteDatabaseQuery
from rule_calls import FIRST, MASKED, array, leaves, outputs, refill
from rule_cases import CASES, REFUSED, Case, Data

import autoopt
from autoopt.rules import Unsupported, find, load_all
from autoopt.tape import operations

# Tested in test_sparse.py and test_complex.py.
ELSEWHERE = {operations.sparse_product, operations.sparse_transposed_product, operations.dft}
ELSEWHERE |= {operations.held, operations.refined}  # tests/tracing/formulas/test_equations.py

MODE = Mode(linker="py", optimizer=RewriteDatabaseQuery(include=["canonicalize", "stabilize"], exclude=["inplace"]))
STABLE = optdb.query(RewriteDatabaseQuery(include=["canonicalize", "stabilize"], exclude=["inplace", "local_view_op"]))


class Function:
    """A rule compiled for the shapes of one case: value and derivatives of weighted outputs, of order 2 at most.

    Those of second order are the Hessian-vector product.
    """

    def __init__(self, case: Case, order: int):
        self.case, self.order = case, min(order, case.order)
        arrays = [array(leaf) for leaf in leaves((case.args, case.kwargs))]
        inputs = [pt.tensor(dtype=str(a.dtype), shape=a.shape) for a in arrays]
        args, kwargs = refill((case.args, case.kwargs), list(inputs))
        results = [
            pt.as_tensor(np.asarray(result) if isinstance(result, bool) else result)
            for result in outputs(find(case.function).build(*args, **kwargs))
        ]
        self.known = [result.type.shape for result in results]
        self.free = [is_differentiated(leaf) for leaf in leaves((case.args, case.kwargs))]
        rng = np.random.default_rng(1)
        self.weights = [rng.uniform(0.5, 1.5, np.shape(r)) for r in outputs(case.expected)]
        self.count = sum(self.free) if self.order else 0
        cost = sum(pt.sum(r * w) for r, w in zip(results, self.weights, strict=True) if r.dtype == "float64")
        graph = FunctionGraph(inputs, [*results, pt.as_tensor(cost)], clone=True)
        STABLE.rewrite(graph)
        *results, cost = graph.outputs
        self.run = pytensor.function(*self.derive(graph.inputs, results, cost), mode=MODE, on_unused_input="ignore")

    def derive(self, inputs: list, results: list, cost: object) -> tuple[list, list]:
        """Return the inputs and outputs of the function that gives values and derivatives."""
        if not self.count:
            return inputs, results
        wrt = [x for x, free in zip(inputs, self.free, strict=True) if free]
        directions = [x.type() for x in wrt]
        derived = list(pytensor.grad(cost, wrt, disconnected_inputs="ignore"))
        if self.order == 2:
            along = sum(pt.sum(g * d) for g, d in zip(derived, directions, strict=True))
            derived += pytensor.grad(along, wrt, disconnected_inputs="ignore")
        return [*inputs, *directions], results + derived

    def cost(self, arrays: list) -> float:
        """Return the weighted outputs of NumPy's own function."""
        args, kwargs = refill((self.case.args, self.case.kwargs), list(arrays))
        results = outputs(self.case.function(*args, **kwargs))
        return sum(np.sum(r * w) for r, w in zip(results, self.weights, strict=True) if np.asarray(r).dtype == float)

    def __call__(self, arrays: list, directions: list) -> tuple[list, list, list]:
        """Return the values, the gradient and the Hessian times `directions`."""
        found = self.run(*arrays, *(directions if self.count else ()))
        values = len(self.known)
        return found[:values], found[values : values + self.count], found[values + self.count :]


@cache
def compiled(key: str, order: int) -> Function:
    """Return the compiled rule of the cases with this key, which differ in their numbers alone."""
    return Function(FIRST[key], order)


def ridders(f: object, step: float) -> tuple[np.ndarray, np.ndarray]:
    """Return f'(0) and an estimate of its error, by extrapolated central differences (Ridders 1982)."""
    ratio, rows = 1.6, []
    best, error = None, np.inf
    for i in range(9):
        h = step / ratio**i
        row = [(f(h) - f(-h)) / (2 * h)]
        for j, previous in enumerate(rows[-1] if rows else []):
            row.append(row[j] + (row[j] - previous) / (ratio ** (2 * (j + 1)) - 1))
        if rows:
            candidate = np.max(np.abs([row[-1] - row[-2], row[-1] - rows[-1][-1]]), initial=0)
            if candidate < error:
                best, error = row[-1], candidate
        rows.append(row)
    return best, error


def check_same(case: Case, got: list, known: list) -> None:
    """Assert that shapes, types and values are NumPy's, and that the shapes are known before the run, but for masks."""
    expected = outputs(case.expected)
    assert len(got) == len(expected)
    for one, other, lengths in zip(got, expected, known, strict=True):
        assert lengths == np.shape(other) or (None in lengths and case.function in MASKED), "static shape"
        assert np.shape(one) == np.shape(other), "shape"
        assert np.asarray(one).dtype == np.asarray(other).dtype, "dtype"
        np.testing.assert_allclose(one, other, rtol=case.tolerance, atol=case.tolerance)


class Comparison:
    """A case run by its compiled rule at its own numbers, and along a line through them."""

    def __init__(self, case: Case, order: int) -> None:
        self.case, self.function = case, compiled(case.key, order)
        self.arrays = [array(leaf) for leaf in leaves((case.args, case.kwargs))]
        rng = np.random.default_rng(2)
        self.directions = [
            rng.choice([-1, 1], a.shape) * rng.uniform(0.5, 1, a.shape)
            for a, free in zip(self.arrays, self.function.free, strict=True)
            if free
        ]
        self.values, self.gradient, self.curvature = self.function(self.arrays, self.directions)

    def moved(self, t: float) -> list:
        steps = iter(self.directions)
        pairs = zip(self.arrays, self.function.free, strict=True)
        return [a + t * next(steps) if free else a for a, free in pairs]

    def check_slope(self) -> None:
        slope = sum(np.sum(g * d) for g, d in zip(self.gradient, self.directions, strict=True))
        expected, error = ridders(lambda t: self.function.cost(self.moved(t)), self.case.step)
        agree(slope, expected, error, "slope")

    def check_curvature(self) -> None:
        def gradients(t):
            return np.concatenate([np.ravel(g) for g in self.function(self.moved(t), self.directions)[1]])

        expected, error = ridders(gradients, self.case.step)
        agree(np.concatenate([np.ravel(h) for h in self.curvature]), expected, error, "curvature")


@pytest.fixture
def quickly():
    """Have PyTensor run graphs, and those within operations, by Python: numba would compile each for half a second."""
    with pytensor.config.change_flags(cxx="", linker="py", traceback__limit=0), np.errstate(all="ignore"):
        yield


@pytest.mark.parametrize("case", CASES, ids=str)
@pytest.mark.sampled(3, each="function")
def test_rule(case, quickly):
    """Value and slope of the rule are those of NumPy's function."""
    compared = Comparison(case, 1)
    check_same(case, compared.values, compared.function.known)
    if compared.function.count:
        compared.check_slope()


def is_differentiated(leaf: object) -> bool:
    return not isinstance(leaf, Data) and leaf.dtype == float


CURVED = [case for case in CASES if case.order == 2 and any(map(is_differentiated, leaves((case.args, case.kwargs))))]


@pytest.mark.parametrize("case", CURVED, ids=str)
@pytest.mark.sampled(40)
def test_curvature_of_rule(case, quickly):
    """It is that of NumPy's function, which has none at a kink."""
    compared = Comparison(case, 2)
    if not case.kink:
        compared.check_curvature()
    assert all(np.all(np.isfinite(part)) for part in compared.gradient + compared.curvature)


def agree(got, expected, error, what):
    scale = max(1.0, np.max(np.abs(expected), initial=0))
    assert np.all(np.isfinite(got)), f"{what} is not finite: {got}, differences give {expected}"
    assert error < 1e-5 * scale, f"differences are no judge of the {what}: {expected} +- {error}, the rule has {got}"
    np.testing.assert_allclose(got, expected, rtol=0, atol=20 * error + 1e-9 * scale, err_msg=what)


def test_every_rule_has_a_case():
    covered = {case.function for case in CASES} | {function for function, *_ in REFUSED} | ELSEWHERE
    assert sorted(rule.name for rule in load_all().values() if rule.function not in covered) == []


@pytest.mark.parametrize("function, args, kwargs, words", REFUSED, ids=[row[-1] for row in REFUSED])
def test_refusal_names_the_function_and_the_option(function, args, kwargs, words):
    variables = [pt.tensor(dtype=str(array(leaf).dtype), shape=array(leaf).shape) for leaf in leaves((args, kwargs))]
    args, kwargs = refill((args, kwargs), variables)
    with pytest.raises(Unsupported, match=words) as refusal:
        find(function).build(*args, **kwargs)
    assert refusal.value.remedy


def test_rule_of_something_unhashable_or_unknown_is_none():
    assert find([]) is None
    assert find(np.lexsort) is None


def test_hessian_through_a_cumulative_product() -> None:
    def f(x):
        return np.sum(np.exp(-np.cumprod(1 + 0.1 * x)))

    x, p = np.array([0.4, -0.3, 0.8, 0.1]), np.array([1.0, -2.0, 0.5, 0.3])
    np.testing.assert_allclose(autoopt.hessian(f)(x) @ p, autoopt.hvp(f)(x, p), rtol=1e-12)
