"""`autoopt.jacobian` of every argument, structure and shape, and at ties."""

from __future__ import annotations

from collections import namedtuple

import numpy as np
import pytest
from complex_steps import jacobian

import autoopt
from autoopt.objectives.objective import Objective

X = np.array([[1.0, 0.3, -0.4], [0.2, -0.8, 1.1]])
b = np.array([0.3, -0.2, 0.7])
Pair = namedtuple("Pair", "slope level")


def model(b, X, power, shift=0.0):
    return np.abs(X @ b + 2.0 + shift) ** power


def derivative(by, *args):
    """Return the Jacobian of the model by one of its arguments, by hand."""
    b, X, power = args
    z = X @ b + 2.0
    if by == 0:
        return (power * z ** (power - 1))[:, None] * X
    if by == 1:
        return np.einsum("i,ik,j->ikj", power * z ** (power - 1), np.eye(len(z)), b)
    return z**power * np.log(z)


@pytest.mark.parametrize("argnums", [0, 1, 2])
def test_every_argument(argnums) -> None:
    derived = autoopt.jacobian(model, argnums)
    for args in ((b, X, 2.5), (2 * b, X[::-1], 1.5)):
        found = derived(*args)
        expected = derivative(argnums, *args)
        assert np.shape(found) == expected.shape
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-14)


def test_keywords_are_data() -> None:
    found = autoopt.jacobian(model)(b, X, 2.0, shift=0.5)
    np.testing.assert_allclose(found, 2 * (X @ b + 2.5)[:, None] * X, rtol=1e-12)


def test_results_of_every_shape() -> None:
    for f, shape in (
        (lambda x: np.sum(x**2), ()),
        (lambda x: x[:1] ** 2, (1,)),
        (lambda x: np.outer(x, x), (3, 3)),
        (lambda x: np.multiply.outer(np.outer(x, x), x[:2]), (3, 3, 2)),
        (lambda x: x[:0] * 2, (0,)),
        (lambda x: np.ones((2, 0)) * x[0], (2, 0)),
        (lambda x: np.array([3.0, 4.0]), (2,)),
        (lambda x: [x[0] * x[1], [x[2] ** 2, 1.0][0]], (2,)),
    ):
        found = autoopt.jacobian(f)(b)
        assert found.shape == (*shape, 3)
        np.testing.assert_allclose(found, jacobian(lambda x, f=f: np.asarray(f(x)), b), rtol=1e-12, atol=1e-14)


def test_arguments_of_every_shape() -> None:
    A = np.arange(1.0, 7.0).reshape(2, 3)
    for x in (A, A[:1], A.reshape(1, 2, 3), A[:, :1], np.array([2.0])):
        f = lambda x: (x**2).sum(axis=-1) * x.ravel()[0]  # noqa: E731
        found = autoopt.jacobian(f)(x)
        assert found.shape == f(x).shape + x.shape
        np.testing.assert_allclose(found, jacobian(f, x), rtol=1e-12)
    np.testing.assert_allclose(autoopt.jacobian(lambda s: s ** np.arange(4))(2.0), [0.0, 1.0, 4.0, 12.0])


def test_nests_of_arguments() -> None:
    def f(p):
        return p["line"].slope * X[0] + p["line"].level + p["rest"][1] @ X * p["rest"][0]

    p = {"line": Pair(2.0, 1.0), "rest": [3.0, np.array([1.0, -1.0])]}
    found = autoopt.jacobian(f)(p)
    assert type(found["line"]) is Pair and type(found["rest"]) is list
    np.testing.assert_allclose(found["line"].slope, X[0])
    np.testing.assert_allclose(found["line"].level, np.ones(3))
    np.testing.assert_allclose(found["rest"][0], X[0] - X[1])
    np.testing.assert_allclose(found["rest"][1], 3 * X.T)


def test_at_ties_and_on_both_sides_of_them() -> None:
    f = lambda x: np.maximum(x, x[::-1]) * np.array([1.0, 2.0, 3.0])  # noqa: E731
    derived = autoopt.jacobian(f)
    for x, expected in (
        ([1.0, 5.0, 2.0], [[0, 0, 1], [0, 2, 0], [0, 0, 3]]),
        ([2.0, 5.0, 2.0], [[0.5, 0, 0.5], [0, 2, 0], [1.5, 0, 1.5]]),
        ([3.0, 5.0, 2.0], [[1, 0, 0], [0, 2, 0], [3, 0, 0]]),
        ([0.0, 0.0, 0.0], [[0.5, 0, 0.5], [0, 2, 0], [1.5, 0, 1.5]]),
    ):
        np.testing.assert_allclose(derived(np.array(x)), expected)


def test_kinks_that_cancel_have_a_derivative_at_the_tie() -> None:
    f = lambda x: np.array([np.maximum(x[0], x[1]) + np.minimum(x[0], x[1]), np.abs(x[0]) * x[0]])  # noqa: E731
    np.testing.assert_allclose(autoopt.jacobian(f)(np.array([0.0, 0.0])), [[1.0, 1.0], [0.0, 0.0]], atol=1e-12)


def test_far_and_zero_points() -> None:
    f = lambda x: np.array([np.tanh(x[0]), np.log1p(np.exp(x[1])), np.sqrt(x[2] ** 2 + 1e-300)])  # noqa: E731
    for x in ([800.0, -800.0, 0.0], [-800.0, 800.0, 3.0], [0.0, 0.0, -2.0]):
        found = autoopt.jacobian(f)(np.array(x))
        s = 1 / (1 + np.exp(-min(max(x[1], -700), 700)))
        expected = np.diag([1 - np.tanh(x[0]) ** 2, s, np.sign(x[2])])
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-250)


def test_the_value_of_an_array_valued_objective_is_an_array() -> None:
    objective = Objective(lambda x: np.outer(x, x), np.ones(2), scalar=False)
    np.testing.assert_array_equal(objective.value(np.array([1.0, 2.0])), [[1.0, 2.0], [2.0, 4.0]])
