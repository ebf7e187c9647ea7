"""Jacobians pushed forward in terms: each kind of operation, against complex steps of the plain function."""

from __future__ import annotations

import ast

import numpy as np
import pytest
from complex_steps import jacobian

import autoopt
from autoopt.errors import UnsupportedFunctionError
from autoopt.execution.engines import ENGINES, compiled
from autoopt.graph.parts import parameter_columns
from autoopt.graph.stabilisation import stabilised
from autoopt.graph.tangents.forward import forward
from autoopt.graph.tangents.terms import Unstructured
from autoopt.objectives.objective import printed
from autoopt.parameters import Structure
from autoopt.tape.batching.batching import vectorise
from autoopt.tracing.trace import trace

RANDOM = np.random.default_rng(3)
A = RANDOM.normal(size=(5, 6))
S = RANDOM.normal(size=(6, 6))
C = RANDOM.normal(size=(2, 3))
T = np.linspace(0.2, 1.7, 20)
FEW, MANY = np.array([4, 0, 0, 2]), RANDOM.integers(0, 6, size=20)
BUCKETS = RANDOM.integers(0, 5, size=20)
LATE = T > 0.9
POINTS = [np.array([0.3, 0.8, 0.6, 1.1, 0.4, 0.9]), np.array([0.9, 0.25, 1.4, 0.45, 1.2, 0.7])]


def written(x):
    r = np.zeros(8, dtype=x.dtype)
    r[1:7] = x**2
    r[2] = x[0] * x[1]
    r[4:] += np.sin(x[:4])
    return r * x[3]


def written_at_positions(x):
    r = x[0] * np.ones(6)
    r[np.array([1, 4])] = x[2:4] ** 2
    r[np.array([0, 5])] += x[1] * x[2]
    return r


def written_by_a_mask(x):
    r = x[0] * T
    r[LATE] = x[1] ** 2 * T[LATE] - x[2]
    return r * x[3]


def added_in_groups(x):
    r = np.zeros(6, dtype=x.dtype)
    np.add.at(r, MANY, np.exp(x[0] * T) * x[MANY])
    return r


def network(x):
    hidden = np.tanh(C.T @ x[:4].reshape(2, 2))
    return (np.tanh(hidden @ x[4:].reshape(2, 1)) * x[0]).ravel()


def chained(x):
    r = [x[k] ** 2 - x[k + 1] for k in range(5)] + [np.exp(x[0]) * x[5]]
    return np.array(r)


FUNCTIONS = {
    "elementwise": lambda x: np.exp(x) / (1 + x**2) - np.sqrt(x) * np.arctan(x),
    "one variable twice": lambda x: x**x,
    "broadcast": lambda x: x[:3, None] * np.cos(x[None, 3:]),
    "broadcast with data": lambda x: np.exp(-x[:, None] * T).sum(axis=0) * x[0],
    "numbers": lambda x: x[0] * np.exp(-x[1] * T) + x[2] / (x[3] + T) ** 2,
    "alone and whole": lambda x: x[0] * x - x[5],
    "slices": lambda x: (x[1:] - x[:-1]) ** 2 * x[::-1][:5],
    "steps of slices": lambda x: x[::2] * x[5:0:-2],
    "reshaped": lambda x: (x.reshape(2, 3).T @ C).ravel(order="F") * 2,
    "matrix": lambda x: x.reshape(2, 3) * x.reshape(3, 2).T,
    "inner axes": lambda x: x.reshape(2, 3)[:, [0, 2]] ** 2,
    "product with data": lambda x: A @ x**2,
    "product from the left": lambda x: np.exp(x) @ S,
    "products in turn": lambda x: A @ np.tanh(S @ x),
    "product of both": lambda x: x.reshape(2, 3) @ np.sin(x).reshape(3, 2),
    "quadratic form": lambda x: np.array([x @ S @ x, x @ x, x[0], x[1], x @ S[0], 1.0]),
    "outer": lambda x: np.outer(x[:2], x[1:4]),
    "sum": lambda x: np.array([x.sum(), (x**2).sum()]) * x[1],
    "sums over one axis": lambda x: (x.reshape(2, 3) ** 2).sum(axis=1) * C.sum(axis=0)[:2],
    "sums of what is broadcast": lambda x: np.array(
        [np.exp(x[0] + T).sum(), ((x[1] + T) * 2).sum(), (x[:3, None] + T).sum()]
    ),
    "sums of rows that are alike": lambda x: (x[:, None] + T).sum(axis=1) * x + (x + np.zeros((4, 6))).sum(axis=0),
    "mean removed": lambda x: x - x.mean(),
    "product": lambda x: np.prod(x.reshape(2, 3), axis=0),
    "softmax": lambda x: np.exp(x) / np.exp(x).sum(),
    "running sum": lambda x: np.cumsum(x**2),
    "running sum of one parameter": lambda x: np.cumsum(np.exp(-x[0] * T)) * x[1],
    "joined": lambda x: np.concatenate([x[:2] * x[0], A @ x, [x[5] ** 3]]),
    "stacked": lambda x: np.stack([x[:3] ** 2, x[3:] * x[0]], axis=1) * 2,
    "joined and used": lambda x: np.concatenate([x[:3], x[3:] ** 2])[1:5] * x[2:],
    "padded": lambda x: np.pad(x, 2)[1:-1] ** 2,
    "read at positions": lambda x: x[FEW] * np.exp(x[FEW[::-1]]),
    "read at many positions": lambda x: x[MANY] ** 2 * T,
    "read from what is computed at many positions": lambda x: np.exp(x)[MANY] * x[0] + (S @ x)[MANY],
    "written": written,
    "written at positions": written_at_positions,
    "written by a mask": written_by_a_mask,
    "added in groups": added_in_groups,
    "chosen": lambda x: np.where(T > 0.7, x[0] * T, x[1] ** 2) * x[2],
    "chosen by the parameters": lambda x: np.where(x.real > 0.7, x**2, np.sin(x)) * x[0],
    "diagonal": lambda x: np.diag(np.outer(x, x)) + np.diagonal(np.outer(x, np.arange(6.0))),
    "solved": lambda x: np.linalg.solve(S @ S.T + 9 * np.eye(6) * x[0], x),
    "network": network,
    "chained": chained,
    "rows of none": lambda x: x[:0] ** 2,
    "independent": lambda x: 0 * x[:2] + 3,
    "one": lambda x: np.atleast_1d(np.sin(x[3])),
}


def traced(f, x=POINTS[0]):
    return trace(f, Structure.of(x), x, (), scalar=False).tape


@pytest.mark.parametrize("f", FUNCTIONS.values(), ids=FUNCTIONS)
def test_jacobian(f) -> None:
    code = compiled(ENGINES["numpy"], traced(f), "jacobian", "title")
    for x in POINTS:
        expected = jacobian(f, x).reshape(-1, 6)
        found = code.run(x)
        assert found.shape == expected.shape
        np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_it_is_pushed_forward(name) -> None:
    """No function of these is left to the other ways of making a Jacobian."""
    graph = stabilised(vectorise(traced(FUNCTIONS[name])))
    forward(graph.value, parameter_columns(graph.parts, graph.parameters), graph.size)


@pytest.mark.parametrize(
    "name", ["numbers", "slices", "product with data", "elementwise", "chained", "read at many positions"]
)
def test_no_identity_is_made(name) -> None:
    text = compiled(ENGINES["numpy"], traced(FUNCTIONS[name]), "jacobian", "title").text
    assert "np.eye" not in text and "base64" not in text and "@" not in text


def test_rows_of_data_times_what_is_elementwise_in_them() -> None:
    X = RANDOM.normal(size=(40, 3))
    text = printed(lambda b, X: np.exp(X @ b), np.ones(3), (X,), derivatives="jacobian")
    assert "return X * np.exp(X @ b)[:, None]" in text


def test_small_matrices_are_written_as_such() -> None:
    text = printed(lambda x: np.array([10 * (x[1] - x[0] ** 2), 1 - x[0]]), np.ones(2), derivatives="jacobian")
    assert "return np.array([[-20.0 * x[0], 10.0], [-1.0, 0.0]])" in text


def test_back_where_that_is_less_work() -> None:
    W = RANDOM.normal(size=(60, 60)) / 8

    def narrow(x):
        for _ in range(4):
            x = np.tanh(W @ x)
        return x[:2]

    x = np.linspace(-1, 1, 60)
    graph = stabilised(vectorise(traced(narrow, x)))
    with pytest.raises(Unstructured, match="less work"):
        forward(graph.value, parameter_columns(graph.parts, graph.parameters), graph.size)
    np.testing.assert_allclose(autoopt.jacobian(narrow)(x), jacobian(narrow, x), rtol=1e-10, atol=1e-14)


def test_a_branch_that_is_not_taken_spoils_nothing() -> None:
    f = lambda x: np.where(x > 0, np.sqrt(x), 0.0) * np.array([1.0, 2.0, 3.0])  # noqa: E731
    np.testing.assert_array_equal(autoopt.jacobian(f)(np.array([-1.0, 4.0, -2.0])), np.diag([0.0, 0.5, 0.0]))


def test_ties_and_zeros() -> None:
    f = lambda x: np.array([np.abs(x[0]), np.maximum(x[0], x[1]), np.hypot(x[0], x[1])])  # noqa: E731
    found = autoopt.jacobian(f)(np.zeros(2))
    np.testing.assert_array_equal(found, [[0.0, 0.0], [0.5, 0.5], [0.0, 0.0]])


@pytest.mark.parametrize("far", [800.0, -800.0])
def test_far_out(far) -> None:
    f = lambda x: np.log1p(np.exp(x)) + 1 / (1 + np.exp(-x))  # noqa: E731
    found = autoopt.jacobian(f)(np.array([far, 1.0]))
    s = 1 / (1 + np.exp(-1.0))
    np.testing.assert_allclose(found, [[float(far > 0), 0.0], [0.0, s + s * (1 - s)]], rtol=1e-13)


def test_what_has_no_stacked_form_is_printed_by_products(monkeypatch) -> None:
    from autoopt.codegen import derivation

    def refusing(graph, kind, divide=True, derive=derivation.derivatives.derive):
        if kind == "jacobian":
            raise UnsupportedFunctionError("no form for all at once", None, "none")
        return derive(graph, kind, divide)

    monkeypatch.setattr(derivation.derivatives, "derive", refusing)
    for f, name in ((FUNCTIONS["numbers"], "pushforward"), (lambda x: np.array([np.prod(x)]) * x[0], "pullback")):
        text = derivation.derived_source(vectorise(traced(f)), "jacobian", "title")
        names = [part.name for part in ast.parse(text).body if isinstance(part, ast.FunctionDef)]
        assert names[-2:] == [name, "jacobian"] and "at a time" in text
        monkeypatch.setattr("autoopt.execution.engines.module_source", lambda *_, text=text: text)
        code = ENGINES["numpy"](traced(f), "jacobian", "title")
        for x in POINTS:
            np.testing.assert_allclose(code.run(x), jacobian(f, x), rtol=1e-11, atol=1e-13)


def test_loops_that_end_on_a_condition() -> None:
    def f(x):
        y = np.array([1.0, 2.0]) * x[0]
        while np.max(np.abs(y - x[1])) > 1e-3:
            y = y - 0.4 * (y - x[1]) * x[2]
        return y

    def by_hand(x):
        steps, y = 0, np.array([1.0, 2.0]) * x[0]
        while np.max(np.abs(y - x[1])) > 1e-3:
            y, steps = y - 0.4 * (y - x[1]) * x[2], steps + 1
        rate = 1 - 0.4 * x[2]
        away = np.array([1.0, 2.0]) * x[0] - x[1]
        return np.stack([np.array([1.0, 2.0]) * rate**steps, 1 - rate**steps * np.ones(2),
                         away * steps * rate ** (steps - 1) * -0.4], axis=1)  # fmt: skip

    derived = autoopt.jacobian(f)
    for x in (np.array([0.5, 0.3, 0.8]), np.array([1.5, 0.2, 1.1])):
        np.testing.assert_allclose(derived(x), by_hand(x), rtol=1e-11, atol=1e-14)
