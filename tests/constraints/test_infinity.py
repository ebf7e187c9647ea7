"""Minima at infinity along constraints are no success, whatever digits the tests of a minimum show on the way."""

from __future__ import annotations

import numpy as np
import pytest

from autoopt import minimize
from autoopt.solvers import SOLVERS

METHODS = [name for name, row in SOLVERS.items() if "constraints" in row.takes]
POSITIVE = [(0, None)] * 2


def equal(fun):
    return {"type": "eq", "fun": fun}


def inside(fun):
    return {"type": "ineq", "fun": fun}


INFINITE = {
    "hyperbola": (lambda x: x[1], [1.0, 2.0], inside(lambda x: x[0] * x[1] - 1), POSITIVE),
    "square on a hyperbola": (lambda x: x[1] ** 2, [1.0, 2.0], inside(lambda x: x[0] * x[1] - 1), POSITIVE),
    "along a hyperbola": (lambda x: x[1], [1.0, 2.0], equal(lambda x: x[0] * x[1] - 1), POSITIVE),
    "exponential": (lambda x: x[1], [1.0, 5.0], inside(lambda x: x[1] - np.exp(-x[0])), None),
    "exponential above 1": (lambda x: np.exp(-x[0]) + x[1] ** 2, [1.0, 5.0], equal(lambda x: x[1] - 1), None),
    "inverse in a parabola": (lambda x: 1 / x[0] + x[1] ** 2, [1.0, 2.0], inside(lambda x: x[0] - x[1] ** 2), None),
    "rational on a line": (lambda x: 1 / (1 + x[0] ** 2), [1.0, 1.0], equal(lambda x: x[1] - x[0]), None),
}


@pytest.mark.slow_for("along a hyperbola-cobyqa", "square on a hyperbola-cobyqa")
@pytest.mark.sampled(3)
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", INFINITE)
def test_minimum_at_infinity_is_no_success(name, method):
    f, x0, constraints, bounds = INFINITE[name]
    # Three hundred steps tell as much as three thousand.
    result = minimize(f, x0, method=method, constraints=constraints, bounds=bounds, options={"maxiter": 300})
    assert not result.success


@pytest.mark.parametrize("name", ["hyperbola", "exponential", "exponential above 1", "rational on a line"])
def test_minimum_at_infinity_is_called_so(name):
    f, x0, constraints, bounds = INFINITE[name]
    result = minimize(f, x0, method="slsqp", constraints=constraints, bounds=bounds)
    assert "its minimum lies at infinity" in result.message


FAR_BUT_THERE = {
    "wide hollow": (
        lambda x: (x[0] - 1e6) ** 2 + x[1] ** 2, [1.0, 1.0], inside(lambda x: x[0] - x[1]), None, [1e6, 0.0],
    ),
    "at a far limit": (
        lambda x: 1 / x[0] + x[1], [1.0, 2.0], inside(lambda x: 1e4 - x[0] - x[1]), POSITIVE, [1e4, 0.0],
    ),
    "level beyond a hinge": (
        lambda x: np.maximum(1 - x[0], 0.0) ** 2 + x[1] ** 2, [-3.0, 1.0], inside(lambda x: x[0] - x[1] + 5), None,
        None,
    ),
    "rounding in place of 0": (
        lambda x: x[0], [1.0, 0.0], {"type": "eq", "fun": lambda x: x @ x - 1}, None, [-1.0, 0.0],
    ),
    "parameter of no effect": (lambda x: x[0] ** 2 + 0 * x[1], [1.0, 0.5], inside(lambda x: x[1] - 5), None, None),
}  # fmt: skip


@pytest.mark.parametrize("method", ["slsqp", "trust-constr", "cobyla"])
@pytest.mark.parametrize("name", FAR_BUT_THERE)
def test_minimum_that_is_far_or_level_is_a_success(name, method):
    f, x0, constraints, bounds, solution = FAR_BUT_THERE[name]
    result = minimize(f, x0, method=method, constraints=constraints, bounds=bounds)
    assert result.success, result.message
    if solution is not None:
        np.testing.assert_allclose(result.x, solution, rtol=1e-6, atol=1e-6)
