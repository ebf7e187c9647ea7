"""Objectives that find numbers equal: the derivative is that of the objective, or there is an error with the line."""

from __future__ import annotations

import numpy as np
import pytest

import autoopt
from autoopt.errors import TracingError

Y = np.array([0.5, 1.5, 2.5])


def if_zero(x):
    return 0.0 if x[0] == 0 else 3.0 * x[0] + x[1] ** 2 * x[0]


def if_all_zero(x):
    if np.all(x == 0):
        return 0.0
    return np.sum(np.sinh(x)) + x @ x


def if_not(x):
    if x[0] != 0.0:
        return x[0] * np.cos(x[0]) + x[1] ** 2
    return x[1] ** 2


def logarithmic_mean_of_equals(x):
    if x[0] == x[1]:
        return x[0] ** 2
    return (x[0] ** 2 + x[1] ** 2) / 2 + x[0] * (x[0] - x[1])


def array_equal(x):
    return 1.0 if np.array_equal(x, np.zeros(2)) else 1.0 + np.sum(np.sin(x))


RIGHT = {
    "if zero": (if_zero, [0.0, 2.0], [7.0, 0.0]),
    "if all zero": (if_all_zero, [0.0, 0.0], [1.0, 1.0]),
    "if not": (if_not, [0.0, 2.0], [1.0, 4.0]),
    "two parameters": (logarithmic_mean_of_equals, [1.5, 1.5], [3.0, 0.0]),
    "array_equal": (array_equal, [0.0, 0.0], [1.0, 1.0]),
    "where": (lambda x: np.sum(np.where(x == 0, 1.0, np.cos(x))), [0.0, 2.0], [0.0, -np.sin(2.0)]),
    "an open set": (lambda x: np.sum(np.where(np.maximum(x, 0) == 0, x, x**2)), [-1.0, 2.0], [1.0, 4.0]),
    "sign": (lambda x: x[0] ** 2 if np.sign(x[0]) == 1 else x[1], [3.0, 1.0], [6.0, 0.0]),
    "kink": (lambda x: 0.0 if x[0] == 0 else abs(x[0]) + 2 * abs(x[1]) * 0, [0.0, 1.0], [0.0, 0.0]),
}


@pytest.mark.parametrize("name", RIGHT)
def test_gradient_where_numbers_are_equal(name):
    f, x, expected = RIGHT[name]
    np.testing.assert_allclose(autoopt.grad(f)(np.array(x)), expected, atol=1e-9)


@pytest.mark.parametrize("name", RIGHT)
def test_gradient_where_they_become_equal(name):
    """Compiled elsewhere, and then at the point, with and without the same other parameters."""
    f, x, expected = RIGHT[name]
    x = np.array(x)
    objective = autoopt.objective(f, x + [0.25, 0.5])
    objective.grad(x + [0.25, 0.5])
    for _ in range(2):
        np.testing.assert_allclose(objective.grad(x), expected, atol=1e-9)
        objective.grad(x - 0.125)


def test_the_same_tie_with_other_parameters():
    objective = autoopt.objective(if_zero, np.array([0.0, 2.0]))
    for second in (2.0, 1.0, -3.0):
        np.testing.assert_allclose(objective.grad(np.array([0.0, second])), [3.0 + second**2, 0.0], atol=1e-9)


def test_hessian_where_numbers_are_equal():
    np.testing.assert_allclose(np.diag(autoopt.hessian(if_all_zero)(np.zeros(2))), [2.0, 2.0])
    np.testing.assert_allclose(
        autoopt.hvp(logarithmic_mean_of_equals)(np.full(2, 1.5), np.array([1.0, 0.0])), [3.0, -1.0], atol=1e-9
    )


def box_cox(k, y):
    z = np.where(k == 0, np.log(y), (y**k - 1) / np.where(k == 0, 1.0, k))
    return np.sum(z**2)


def box_cox_by_if(k, y):
    z = np.log(y) if k == 0 else (y**k - 1) / k
    return np.sum(z**2)


def cosine_by_series(x, y):
    return np.sum(y * np.where(x == 0, 1.0, np.sin(x) / np.where(x == 0, 1.0, x)))


def other_number(k, y):
    return 5.0 if k == 0 else np.sum(y * k)


@pytest.mark.parametrize("function", [box_cox, box_cox_by_if, other_number])
def test_a_formula_for_one_point_without_its_derivative_is_refused(function):
    for gradient in (autoopt.grad(function), lambda k, y: autoopt.minimize(function, k, args=(y,))):
        with pytest.raises(TracingError, match="finds numbers equal") as caught:
            gradient(0.0, Y)
        assert caught.value.where[0].line == function.__code__.co_firstlineno + 1
    slope = autoopt.grad(function)(0.3, Y)
    h = 1e-5
    np.testing.assert_allclose(slope, (function(0.3 + h, Y) - function(0.3 - h, Y)) / (2 * h), rtol=1e-7)


@pytest.mark.slow
def test_a_second_derivative_that_is_not_there_is_refused():
    np.testing.assert_allclose(autoopt.grad(cosine_by_series)(np.zeros(3), Y), 0.0)
    with pytest.raises(TracingError, match="finds numbers equal"):
        autoopt.hessian(cosine_by_series)(np.zeros(3), Y)


def test_the_end_of_where_an_objective_is_defined():
    def f(x):
        if x[0] == 0:
            return x[1] ** 2
        if x[0] < 0:
            raise ValueError("outside")
        return x[1] ** 2 + x[0]

    np.testing.assert_allclose(autoopt.grad(f)(np.array([0.0, 3.0])), [1.0, 6.0], atol=1e-9)


def test_loops_that_end_when_numbers_are_equal():
    def fixed_point(x):
        a, b = x[0], x[1]
        while a != b:
            a, b = (a + b) / 2, np.sqrt(a * b)
            if abs(a - b) < 1e-15:
                break
        return a

    x = np.array([1.0, 2.0])
    h = 1e-5
    slopes = [(fixed_point(x + h * e) - fixed_point(x - h * e)) / (2 * h) for e in np.eye(2)]
    np.testing.assert_allclose(autoopt.grad(fixed_point)(x), slopes, rtol=1e-8)


def test_a_branch_of_equality_is_compared_at_every_point() -> None:
    def f(x):
        return x[0] ** 2 if x[1] == 0 else x[0] ** 2 + x[1] * max(0, x[0] - 5)

    objective = autoopt.objective(f, np.array([1.0, 0.0]))
    for first in (1.0, 2.0, 3.0, 1.5, 2.5, 2.7, 4.0):
        np.testing.assert_allclose(objective.grad(np.array([first, 0.0])), [2 * first, 0.0], atol=1e-9)
    np.testing.assert_allclose(objective.grad(np.array([7.0, 0.0])), [14.0, 2.0], rtol=1e-9)


class Kept:
    """Keeps its last argument and result."""

    def __init__(self):
        self.last = self.result = None

    def renewed(self, u):
        self.last, self.result = u, np.exp(u / 2)
        return self.result


class KeptIfNotUnequal(Kept):
    def __call__(self, u):
        return self.renewed(u) if self.last is None or u != self.last else self.result


class KeptIfEqual(Kept):
    def __call__(self, u):
        return self.result if self.last == u else self.renewed(u)


@pytest.mark.parametrize("kind", [KeptIfNotUnequal, KeptIfEqual])
@pytest.mark.parametrize("start", [[-2.0, 1.0, 1.0], [-2.0, 0.5, 1.3]], ids=["equal", "unequal"])
def test_a_result_that_is_kept_for_an_equal_argument_is_not_its_derivative(kind, start) -> None:
    def f(x):
        kept = kind()
        return 2 * kept(x[1]) + kept(x[2]) ** 2 * x[0]

    objective = autoopt.objective(f, np.array(start))
    for x in ([-2.0, 1.0, 1.0], [-2.0, 0.5, 1.3], [-2.0, 1.0, 1.0]):
        one, other = np.exp(x[1] / 2), np.exp(x[2])
        np.testing.assert_allclose(objective.grad(np.array(x)), [other, one, other * x[0]], rtol=1e-9)
        expected = [[0, 0, other], [0, one / 2, 0], [other, 0, other * x[0]]]
        np.testing.assert_allclose(objective.hess(np.array(x)), expected, rtol=1e-9, atol=1e-12)


def test_a_loop_until_two_numbers_are_equal_ends_at_every_point() -> None:
    def root(x):
        old, new = 0.0, x[0]
        while new != old:
            old, new = new, (new + x[0] / new) / 2
        return new

    objective = autoopt.objective(root, np.array([2.0]))
    for point in (2.0, 3.0, 2.5):
        np.testing.assert_allclose(objective.grad(np.array([point])), [0.5 / np.sqrt(point)], rtol=1e-9)


TRUTHS = {
    "if": lambda x: x[1] * (np.expm1(x[0]) / x[0] if x[0] else 1.0),
    "not": lambda x: 0.5 if not x[0] else (np.cosh(x[0]) - 1) / x[0] ** 2,
    "and": lambda x: (x[0] and np.sin(x[0]) / x[0]) or 1.0,
    "float": lambda x: (1 - np.cos(float(x[0]))) / float(x[0]) ** 2 if float(x[0]) else 0.5,
}


@pytest.mark.parametrize("start", [[0.3, 1.4], [0.0, 0.5]], ids=["beside", "zero"])
@pytest.mark.parametrize("name", TRUTHS)
def test_the_truth_of_a_number_asks_whether_it_is_zero(name, start) -> None:
    objective = autoopt.objective(TRUTHS[name], np.array(start))
    for derivative in (objective.grad, objective.hess):
        try:
            found = derivative(np.array([0.0, 0.5]))
        except TracingError as refusal:
            assert "finds numbers equal" in str(refusal) and "test_equalities.py" in str(refusal)
        else:  # the first derivative of an even function is that of the branch
            assert derivative == objective.grad and name != "if" and not found.any()
