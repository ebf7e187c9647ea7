"""Costs that fall towards infinity alone are no minima, though they underflow to 0 or to what does not change."""

import numpy as np
import pytest

import autoopt

TIMES = np.array([0.0, 1.0, 2.0, 900.0])
FALLING = {
    "an exponential": (lambda p: np.array([np.exp(-p[0]), 0.5 * np.exp(-p[0])]), [1.0]),
    "beside what is attained": (lambda p: np.array([np.exp(-p[0]), p[1] - 2, 3 * (p[1] - 2)]), [1.0, 0.0]),
    "beside residuals that stay": (lambda p: np.array([np.exp(-p[0]), p[1] - 2, p[1] - 3]), [1.0, 0.0]),
    "two of them": (lambda p: np.array([np.exp(-p[0]), np.exp(-p[1]), p[2] - 2]), [1.0, 0.0, 0.0]),
    "a product": (lambda p: np.array([np.exp(-p[0] * p[1]), p[1] - 2]), [1.0, 1.0]),
    "a sum": (lambda p: np.array([np.exp(-p[0] - p[1]), np.exp(-p[0])]), [1.0, 1.0]),
    "a combination": (lambda p: np.array([np.exp(-p[0] - p[1]), p[0] - p[1] - 1, p[0] - p[1] - 2]), [1.0, 1.0]),
    "a sigmoid": (lambda p: np.array([1 / (1 + np.exp(p[0])), 1 / (1 + np.exp(2 * p[0]))]), [1.0]),
    "a bell": (lambda p: np.array([np.exp(-(p[0] ** 2)), 0.5 * np.exp(-(p[0] ** 2))]), [1.0]),
}
ATTAINED = {
    "a line": (lambda p: np.array([p[0] - 744.0, 1e-3 * (p[0] - 744)]), [0.0], [744.0]),
    "a double root": (lambda p: np.array([p[0] ** 2, 3 * p[0] ** 2]), [1.0], [0.0]),
    "a rectifier": (lambda p: np.array([np.maximum(0, 3 - p[0]), 2 * np.maximum(0, 3 - p[0])]), [1.0], [3.0]),
    "rows that underflow": (
        lambda p: p[0] * np.exp(-p[1] * TIMES) - 2 * np.exp(-TIMES),
        [1.0, 0.8],
        [2.0, 1.0],
    ),
}  # fmt: skip


@pytest.mark.parametrize("method", [None, "lm", "trf", "dogbox"])
@pytest.mark.parametrize("name", FALLING)
def test_cost_that_falls_towards_infinity_is_no_success(name, method):
    residuals, start = FALLING[name]
    result = autoopt.least_squares(residuals, start, method=method)
    assert not result.success, result.message


@pytest.mark.parametrize("name", FALLING)
def test_message_names_infinity(name):
    residuals, start = FALLING[name]
    assert "infinity" in autoopt.least_squares(residuals, start).message


@pytest.mark.parametrize("method", [None, "lm", "trf", "dogbox"])
@pytest.mark.parametrize("name", ATTAINED)
def test_residuals_that_vanish_at_a_point_are_a_success(name, method):
    residuals, start, solution = ATTAINED[name]
    result = autoopt.least_squares(residuals, start, method=method)
    assert result.success, result.message
    assert np.allclose(result.x, solution, atol=1e-4)


@pytest.mark.parametrize("method", ["powell", "nelder-mead", "slsqp", None])
@pytest.mark.parametrize(("seed", "rows", "columns"), [(0, 60, 3), (0, 40, 2), (1, 40, 2), (3, 30, 1), (10, 40, 2)])
def test_separated_classes_have_no_estimate(seed, rows, columns, method):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(rows, columns)) * 10.0 ** rng.integers(-2, 3, size=columns)
    y = (X @ (rng.normal(size=columns) / np.abs(X).mean(0)) > 0) * 1.0

    def objective(w):
        return np.sum(np.logaddexp(0, X @ w) - y * (X @ w))

    result = autoopt.minimize(objective, np.zeros(columns), method=method)
    assert not result.success, result.message
    assert "infinity" in result.message or method == "slsqp"  # which may stop short of where rays say so


@pytest.mark.parametrize("method", ["trf", "dogbox", None])
def test_in_a_box_there_is_no_infinity(method):
    residuals, start = FALLING["an exponential"]
    near = autoopt.least_squares(residuals, start, bounds=(0, 50), method=method)
    assert near.success and near.x[0] == 50
    far = autoopt.least_squares(residuals, start, bounds=(0, 900), method=method)
    assert not far.success and "bound" in far.message and "infinity" not in far.message, far.message


def test_dogbox_comes_back_from_steps_to_no_number():
    """Of one parameter Gauss-Newton's step is the steepest one: SciPy divides 0 by 0 where it is just too long."""
    result = autoopt.least_squares(lambda p: np.array([np.exp(-p[0]), 2.0, p[0] / 50]), [1.0], method="dogbox")
    slope = -np.exp(-2 * result.x[0]) + result.x[0] / 2500
    assert result.success and abs(slope) < 1e-12
