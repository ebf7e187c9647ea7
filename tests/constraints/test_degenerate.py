"""Points where constraints bend by more than their second order, have parallel normals, or leave corners without slope.

First and second derivatives do not tell what these points are; values along the constraints do.
"""

from __future__ import annotations

import numpy as np
import pytest

from autoopt import minimize
from autoopt.solvers import SOLVERS

METHODS = [name for name, row in SOLVERS.items() if "constraints" in row.takes]


def inside(fun):
    return {"type": "ineq", "fun": fun}


def equal(fun):
    return {"type": "eq", "fun": fun}


def product(x):
    return -x[0] * x[1] * x[2]


UNIT = [(0, 1)] * 3

LOWEST = {
    "cusp": (lambda x: x[0], [1.0, 0.5], [inside(lambda x: x[1]), inside(lambda x: x[0] ** 3 - x[1])], None, 0.0),
    "cusp on a bound": (lambda x: x[0], [1.0, 0.5], inside(lambda x: x[0] ** 3 - x[1]), [(None, None), (0, None)], 0.0),
    "cusp of Kuhn and Tucker": (
        lambda x: -x[0], [0.0, 0.5],
        [inside(lambda x: (1 - x[0]) ** 3 - x[1]), inside(lambda x: x[1]), inside(lambda x: x[0])], None, -1.0,
    ),
    "square that is not positive": (lambda x: x[0], [1.0, 0.5], inside(lambda x: -(x[0] ** 2)), None, 0.0),
    "fourth power": (lambda x: x[1], [0.5, 1.0], inside(lambda x: x[1] - x[0] ** 4), None, 0.0),
    "hill of fourth power": (lambda x: x[1], [0.0, 1.0], inside(lambda x: x[1] + x[0] ** 4), [(-2, 2)] * 2, -2.0),
    "fifth power across": (
        lambda x: x[1] + x[0] ** 2, [1.0, 1.0], inside(lambda x: x[0] - x[1] ** 5), [(-3, 3)] * 2, -3.0,
    ),
    "corner, limit far off": (product, [0.0] * 3, inside(lambda x: 10 - x[0] - x[1] - x[2]), UNIT, -1.0),
    "corner, limit that holds": (product, [0.0] * 3, inside(lambda x: 1.5 - x[0] - x[1] - x[2]), UNIT, -0.125),
    "corner, on a plane": (product, [0.0] * 3, equal(lambda x: x[0] - x[1]), UNIT, -1.0),
    "edge": (product, [0.0, 0.0, 0.5], inside(lambda x: 10 - x[0] - x[1] - x[2]), UNIT, -1.0),
}  # fmt: skip


@pytest.mark.sampled(3)
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", LOWEST)
def test_success_is_at_the_minimum(name, method):
    f, x0, constraints, bounds, lowest = LOWEST[name]
    result = minimize(f, x0, method=method, constraints=constraints, bounds=bounds)
    right = abs(result.fun - lowest) <= 2e-6
    assert right or not result.success, (result.fun, result.message)
    if method == "slsqp":
        assert result.success, result.message


@pytest.mark.slow_for("5-0.0-cobyqa", "7-0.0-cobyqa", "7-1.0-cobyqa")
@pytest.mark.sampled(3)
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("start", [0.0, 1.0])
@pytest.mark.parametrize("power", [3, 5, 7])
def test_point_of_inflexion_along_a_constraint_is_no_success(power, start, method):
    result = minimize(
        lambda x: x[1] + x[2] ** 2, [start, 1.0, 1.0], method=method,
        constraints=inside(lambda x: x[1] - x[0] ** power), options={"maxiter": 200},
    )  # fmt: skip
    assert not result.success


QUALIFIED = {
    "cusp": False, "cusp on a bound": False, "cusp of Kuhn and Tucker": False, "square that is not positive": False,
    "hill of fourth power": True, "fifth power across": True, "corner, limit that holds": True,
    "corner, on a plane": True,
}  # fmt: skip


@pytest.mark.parametrize("name", QUALIFIED)
def test_multipliers_without_a_limit_are_said_to_mean_nothing(name):
    f, x0, constraints, bounds, _ = LOWEST[name]
    result = minimize(f, x0, method="slsqp", constraints=constraints, bounds=bounds)
    assert ("no constraint qualification holds" in result.message) == (not QUALIFIED[name])
    assert QUALIFIED[name] or "constraints[0]" in result.message


@pytest.mark.parametrize("least", [1e-9, 1e-3, 0.5])
def test_slopes_that_are_small_but_there_give_multipliers_that_mean_something(least):
    """exp(-x) >= c holds x at -log(c), where the slope is c: the multiplier is -1 / c."""
    result = minimize(lambda x: -x[0], [0.0], constraints=inside(lambda x: np.exp(-x[0]) - least))
    assert result.success and "qualification" not in result.message
    assert result.multipliers[0][0] == pytest.approx(1 / least, rel=1e-6)
