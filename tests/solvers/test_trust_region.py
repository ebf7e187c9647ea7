"""The trust region with scales: its steps against brute force, and problems that a ball in x creeps on."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import Bounds
from scipy.optimize import minimize as scipys
from smooth_problems import SMOOTH

from autoopt import minimize
from autoopt.solvers.subproblem import step_in_ball, step_in_box

RNG = np.random.default_rng(3)


def quadratic(size, definite):
    half = RNG.normal(size=(size, size))
    hessian = half @ half.T + 0.1 * np.eye(size) if definite else half + half.T
    return RNG.normal(size=size), hessian


@pytest.mark.parametrize("definite", [True, False])
@pytest.mark.parametrize("size", [1, 2, 5, 30])
def test_no_point_of_the_ball_is_lower(size, definite):
    for radius in (1e-3, 0.5, 1e3):
        g, hessian = quadratic(size, definite)
        z = step_in_ball(g, hessian, radius)
        value = g @ z + z @ hessian @ z / 2
        assert np.linalg.norm(z) <= 1.06 * radius and value < 0
        points = RNG.normal(size=(2000, size))
        points *= radius / np.linalg.norm(points, axis=1)[:, None] * RNG.random((2000, 1))
        lowest = np.min(points @ g + np.einsum("ki,ij,kj->k", points, hessian, points) / 2)
        assert value <= lowest + 0.12 * abs(lowest)


def test_hard_case_leaves_along_the_lowest_eigenvector():
    g, hessian = np.array([0.0, 1.0]), np.diag([-1.0, 2.0])
    z = step_in_ball(g, hessian, 3.0)
    assert z[1] == pytest.approx(-1 / 3) and np.linalg.norm(z) == pytest.approx(3.0)


def test_singular_hessian_has_its_shortest_step():
    a = np.array([1.0, 2.0, 3.0])
    z = step_in_ball(5.0 * a, np.outer(a, a), 1e3)
    np.testing.assert_allclose(z, -5.0 * a / (a @ a), rtol=1e-6)


@pytest.mark.parametrize("size", [2, 8, 20])
def test_step_in_a_box_is_inside_and_as_low_as_that_of_a_solver_for_boxes(size):
    for _ in range(5):
        g, hessian = quadratic(size, True)
        low, high = -RNG.random(size), RNG.random(size) * (RNG.random(size) < 0.7)
        z = step_in_box(g, hessian, 1e6, (low, high))
        assert (z >= low).all() and (z <= high).all()

        def value(z, g=g, hessian=hessian):
            return g @ z + z @ hessian @ z / 2

        best = scipys(value, np.zeros(size), bounds=Bounds(low, high), jac=lambda z, g=g, h=hessian: g + h @ z)
        assert value(z) <= 0.5 * best.fun <= 0


def test_brown_badly_scaled_does_not_creep():
    problem = SMOOTH["brown_badly_scaled"]
    result = minimize(problem.f, problem.x0, method="trust-region")
    assert result.success and result.nit < 50
    np.testing.assert_allclose(result.x, [1e6, 2e-6], rtol=1e-8)


@pytest.mark.parametrize("unit", [1e-6, 1e6])
def test_units_of_parameters_do_not_matter(unit):
    def rosenbrock(x):
        return 100 * (x[1] / unit - x[0] ** 2) ** 2 + (1 - x[0]) ** 2

    plain = minimize(SMOOTH["rosenbrock"].f, [-1.2, 1.0], method="trust-region")
    scaled = minimize(rosenbrock, [-1.2, unit], method="trust-region")
    assert scaled.success and abs(scaled.nit - plain.nit) <= 2
    np.testing.assert_allclose(scaled.x, [1.0, unit], rtol=1e-9)


def test_ends_on_its_bounds_exactly():
    result = minimize(SMOOTH["rosenbrock"].f, [-1.2, 0.5], method="trust-region", bounds=[(-2, 0.5), (-2, 2)])
    assert result.success and result.x[0] == 0.5 and result.x[1] == pytest.approx(0.25, rel=1e-9)


def test_hessian_that_is_not_finite_ends_the_run():
    result = minimize(
        lambda x: np.sum((x - 1) ** 2), [3.0, 2.0], method="trust-region", hess=lambda x: np.full((2, 2), np.nan)
    )
    assert not result.success and "Hessian is not finite" in result.message


def test_function_that_falls_for_ever_ends_without_overflow():
    result = minimize(lambda x: x[0] ** 2 - 3 * x[1], np.ones(2), method="trust-region")
    assert not result.success and result.nit < 100


@pytest.mark.parametrize("radius", [1e-100, 1e-150, 1e-200])
def test_a_step_in_the_smallest_ball_is_one(radius):
    z = step_in_ball(np.array([1.0, -2.0]), np.array([[2.0, 1.0], [1.0, 3.0]]), radius)
    assert np.isfinite(z).all() and z @ np.array([1.0, -2.0]) <= 0


@pytest.mark.parametrize("method", [None, "trust-region"])
@pytest.mark.parametrize("size", [4, 6])
@pytest.mark.parametrize("f", [np.max, np.sum])
def test_steps_that_shorten_without_end_at_a_kink_at_0_are_given_up(f, size, method):
    r = minimize(lambda x: f(np.abs(x - np.arange(x.size))), [3.3] * size, method=method)
    assert r.message and np.isfinite(r.fun)
