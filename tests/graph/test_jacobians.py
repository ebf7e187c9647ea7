"""Jacobians, whether all rows have a form at once or not, against complex steps of the plain function."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg
import scipy.signal
import scipy.special
from complex_steps import compare, jacobian

import autoopt
from autoopt.execution.engines import ENGINES, ByProducts
from autoopt.graph.kinds import KINDS
from autoopt.parameters import Structure
from autoopt.tracing.trace import trace

RANDOM = np.random.default_rng(5)
PLACES = np.array([0, 2, 1, 1])
MASK = np.array([True, False, True, True])
D = RANDOM.normal(size=(30, 2))
GROUPS = RANDOM.integers(0, 4, size=30)
POINTS = [np.array([0.3, 0.8, 0.6, 1.1]), np.array([0.9, 0.25, 1.4, 0.45])]


def added_at(x):
    out = 0 * x
    np.add.at(out, PLACES, x**2)
    return out


def assigned_by_mask(x):
    out = x**2
    out[MASK] = np.sin(x[MASK])
    return out


def recurrence(x):
    a, out = x[:2], []
    for k in range(12):
        a = np.tanh(a * x[[0, 1]] + x[PLACES[k % 4]])
        out.append(a.sum())
    return np.array(out)


WITHOUT_A_STACKED_FORM = {
    "places": lambda x: x[PLACES] ** 2,
    "mask": lambda x: x[MASK] ** 3,
    "take": lambda x: np.take(x, PLACES) * x[0],
    "convolution": lambda x: np.convolve(x, x**2),
    "convolution with data": lambda x: np.convolve(x, [1.0, 2.0, 3.0], "same"),
    "added at places": added_at,
    "assigned by a mask": assigned_by_mask,
    "rows": lambda x: np.outer(x, x**2)[PLACES],
    "columns": lambda x: np.outer(x, x**2)[:, PLACES] * 2,
    "sorted order": lambda x: x[np.argsort(x.real)] * np.arange(4),
    "repeated": lambda x: np.repeat(x, [1, 2, 0, 3]) ** 2,
    "tiled": lambda x: np.tile(x, 3) ** 2,
    "filtered": lambda x: scipy.signal.lfilter([1.0, 0.5], [1.0, -0.3], x**2),
    "toeplitz": lambda x: scipy.linalg.toeplitz(x, x) @ x,
    "deleted": lambda x: np.delete(x, 1) ** 2,
    "broadcast": lambda x: np.broadcast_to(x, (3, 4))[:, PLACES] * x,
    "residuals": lambda x: np.exp(-x[0] * np.abs(D[:, 0])) * x[1] - D[:, 1] + x[GROUPS],
    "sums of groups": lambda x: np.array([np.sum(x[PLACES] ** 2), np.prod(x[PLACES])]),
    "recurrence": recurrence,
}


@pytest.mark.parametrize("f", WITHOUT_A_STACKED_FORM.values(), ids=WITHOUT_A_STACKED_FORM)
def test_jacobian(f) -> None:
    derived = autoopt.jacobian(f)
    for x in POINTS:
        np.testing.assert_allclose(derived(x), jacobian(f, x), rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("name", ["places", "convolution", "added at places", "assigned by a mask", "residuals"])
def test_hessian_of_the_same(name) -> None:
    f = WITHOUT_A_STACKED_FORM[name]
    compare(lambda x: np.sum(f(x) ** 2 * np.cos(np.arange(f(x).size))), POINTS)
    hessian = autoopt.hessian(lambda x: np.sum(f(x) ** 2))
    for x in POINTS:
        slope = jacobian(lambda z: np.array([np.sum(f(z) ** 2)]), x + 1e-5) - jacobian(
            lambda z: np.array([np.sum(f(z) ** 2)]), x - 1e-5
        )
        np.testing.assert_allclose(hessian(x).sum(axis=1), slope[0] / 2e-5, rtol=1e-6, atol=1e-7)


def test_jacobian_of_a_matrix_and_of_a_dict() -> None:
    def f(X):
        return X[[0, 1, 1]] @ X[:, [0, 0]]

    X = np.array([[0.3, 0.8], [0.6, 1.1]])
    np.testing.assert_allclose(autoopt.jacobian(f)(X), jacobian(f, X), rtol=1e-12)
    found = autoopt.jacobian(lambda d: d["a"][[0, 1, 1]] * d["b"])({"a": np.array([1.0, 2.0]), "b": 3.0})
    np.testing.assert_array_equal(found["a"], [[3, 0], [0, 3], [0, 3]])
    np.testing.assert_array_equal(found["b"], [1, 2, 2])


def test_jacobian_by_products_on_paths_of_other_shapes() -> None:
    derived = autoopt.jacobian(lambda x: x[x.real > 0.5] ** 2 * x[0])
    for x in [*POINTS, np.full(4, 0.1), POINTS[0], np.full(4, 0.9)]:
        expected = jacobian(lambda x: x[x.real > 0.5] ** 2 * x[0], x)
        np.testing.assert_allclose(derived(x), expected, rtol=1e-12)


def test_jacobian_by_products_of_other_data() -> None:
    def f(x, D):
        return x[GROUPS] * np.exp(D[:, 0] * x[0]) + D[:, 1]

    derived = autoopt.jacobian(f)
    for data in (D, 2 * D):
        for x in POINTS:
            np.testing.assert_allclose(
                derived(x, data), jacobian(lambda x, data=data: f(x, data), x), rtol=1e-12, atol=1e-14
            )


@pytest.mark.parametrize(
    ("engine", "count", "kind"), [("numpy", 40, "pushforward"), ("numpy", 3, "pullback"), ("numba", 3, "pullback")]
)
@pytest.mark.slow
def test_the_fewer_of_rows_and_columns_are_computed(engine, count, kind) -> None:
    places = np.arange(count) % 4

    def f(x):
        return np.sin(x[places]) * x[::-1][places]

    tape = trace(f, Structure.of(POINTS[0]), POINTS[0], (), scalar=False).tape
    made = ByProducts(ENGINES[engine], tape, KINDS["jacobian"], "title", checked=True)
    assert made.kind == kind
    for x in POINTS:
        np.testing.assert_allclose(made.run(x), jacobian(f, x), rtol=1e-12, atol=1e-14)


def test_what_has_no_rule_is_refused_with_the_line() -> None:
    with pytest.raises(autoopt.AutooptError, match=r"np.lexsort(.|\n)*test_jacobians.py"):
        autoopt.jacobian(lambda x: np.lexsort((x, x))[0] * x[PLACES])(POINTS[0])
