"""Derivatives where exponentials are huge or vanish, and of distances at 0: finite, and right to second order."""

from __future__ import annotations

import numpy as np
import pytest
import textbook
from derivative_checks import check_gradient, check_hessp, check_value
from mpmath import mp, mpf

from autoopt.objectives.objective import Objective

FAR = np.array([800.0, -700.0, 3.0])
TAILS = {
    "log cosh": lambda x: np.sum(np.log(np.cosh(x / 2))),
    "log sinh": lambda x: np.sum(np.log(np.sinh(np.abs(x) / 2))),
    "reciprocal": lambda x: np.sum(1 / np.sinh(x / 2)) + np.sum(1 / np.cosh(x / 2)),
    "powers of one": lambda x: np.sum(x[2] / (1 + np.exp(x / 4)) ** 2),
    "share": lambda x: np.sum((np.exp(x / 2) / (2 + 3 * np.exp(x / 2))) ** 2),
    "growth": lambda x: np.sum(np.log(2 * np.exp(x / 2) + np.exp(x / 3) + 3.0)),
    "mixture": lambda x: np.sum(np.log(0.3 * np.exp(-(x**2) / 1500) + 0.7 * np.exp(-((x - 20) ** 2) / 1600))),
    "log of one less": lambda x: np.sum(np.log(-np.expm1(-np.abs(x))) + np.log1p(-np.exp(-(x**2)))),
}


@pytest.mark.parametrize("f", TAILS.values(), ids=TAILS)
def test_derivatives_in_the_tails(f) -> None:
    objective = Objective(lambda x: f(x) + np.sum(x**2) / 10, FAR)
    check_value(objective, FAR)
    check_gradient(objective, FAR, 0.0)
    check_hessp(objective, FAR, np.array([1.0, -0.5, 0.7]), 0.0)


EXPONENTIALS = {
    "sech": (lambda x: np.sum(1 / np.cosh(x)), lambda v: 1 / mp.cosh(v)),
    "square of sech": (lambda x: np.sum(1 / np.cosh(x) ** 2), lambda v: 1 / mp.cosh(v) ** 2),
    "negative power": (lambda x: np.sum(np.cosh(x) ** -3.0), lambda v: 1 / mp.cosh(v) ** 3),
    "product below": (lambda x: np.sum(x / (np.cosh(x) * np.cosh(x))), lambda v: v / mp.cosh(v) ** 2),
    "sum of two": (lambda x: np.sum(4 / (np.exp(x) + np.exp(-x)) ** 2), lambda v: 1 / mp.cosh(v) ** 2),
    "csch": (lambda x: np.sum(1 / np.sinh(x)), lambda v: 1 / mp.sinh(v)),
    "mean energy": (lambda x: np.sum(x / np.expm1(x)), lambda v: v / mp.expm1(v)),
    "Planck": (lambda x: np.sum(x**3 / (np.exp(x) - 1)), lambda v: v**3 / mp.expm1(v)),
    "square of a sigmoid": (lambda x: np.sum(1 / (1 + np.exp(-x)) ** 2), lambda v: 1 / (1 + mp.exp(-v)) ** 2),
    "column": (lambda x: np.sum(np.ones((2, 1)) / np.cosh(x) ** 2) / 2, lambda v: 1 / mp.cosh(v) ** 2),
}


@pytest.mark.parametrize("name", EXPONENTIALS)
@pytest.mark.sampled(3)
def test_reciprocals_of_what_overflows_to_second_order(name) -> None:
    f, g = EXPONENTIALS[name]
    objective = Objective(f, np.array([0.4, -0.3]))
    for x in (np.array([0.4, -0.3]), np.array([800.0, -800.0]), np.array([-799.0, 30.0]), np.array([360.0, -711.0])):
        with mp.workdps(800):
            slopes = [float(mp.diff(g, mpf(float(v)))) for v in x]
            curvatures = np.array([float(mp.diff(g, mpf(float(v)), 2)) for v in x])
        np.testing.assert_allclose(objective.grad(x), slopes, rtol=1e-9, atol=1e-300)
        np.testing.assert_allclose(objective.hess(x), np.diag(curvatures), rtol=1e-8, atol=1e-290)
        np.testing.assert_allclose(objective.hessp(x, np.ones(2)), curvatures, rtol=1e-8, atol=1e-290)


def test_log_cosh_has_the_curvature_of_its_tails() -> None:
    x = np.array([800.0, -720.0])
    objective = Objective(lambda x: np.sum(np.log(np.cosh(x / 2))), x)
    np.testing.assert_allclose(objective.grad(x), [0.5, -0.5])
    np.testing.assert_array_equal(objective.hess(x), np.zeros((2, 2)))


def test_distances_have_slope_zero_at_zero() -> None:
    x = np.zeros(2)
    objective = Objective(lambda x: np.sqrt(x[0] ** 2 + x[1] ** 2) + np.sqrt((x - 1) ** 2 + x[::-1] ** 2).sum() ** 3, x)
    assert np.all(np.isfinite(objective.grad(x)))
    cubes = Objective(lambda x: np.sqrt(x[0] ** 2 + x[1] ** 2) ** 3, x)
    np.testing.assert_array_equal(cubes.grad(x), [0.0, 0.0])
    np.testing.assert_array_equal(cubes.hessp(x, np.ones(2)), [0.0, 0.0])


def test_curvature_of_powers_of_a_size_at_zero() -> None:
    x = np.zeros(2)
    hessian = Objective(lambda x: np.abs(x[0]) ** 1.5 + np.abs(x[1]) ** 2.5, x).hess(x)
    np.testing.assert_array_equal(hessian, [[np.inf, 0.0], [0.0, 0.0]])


def test_logistic_loss_of_the_textbook_is_stable() -> None:
    textbook.main()
