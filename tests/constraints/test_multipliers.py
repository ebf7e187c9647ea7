"""Multipliers of every method against closed forms: signs, values, order, with bounds, sizes and held parameters."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import LinearConstraint, NonlinearConstraint

from autoopt import minimize
from autoopt.solvers import SOLVERS

METHODS = [name for name, row in SOLVERS.items() if "constraints" in row.takes]


def inside(fun):
    return {"type": "ineq", "fun": fun}


def towards(x):
    return (x[0] - 2) ** 2 + (x[1] - 1) ** 2


def in_units(x):
    return (x[0] * 1e-3 - 2) ** 2 + (x[1] * 1e3 - 1) ** 2


def of_three(x):
    return (x[0] - 2) ** 2 + (x[1] - 1) ** 2 + (x[2] - 1) ** 2


SUM = inside(lambda x: 2 - x[0] - x[1])
SUM_IN_UNITS = inside(lambda x: 2 - x[0] * 1e-3 - x[1] * 1e3)
SUM_OF_THREE = inside(lambda x: 2.25 - x[0] - x[1] - x[2])
SIZES = {"scale": [1e3, 1e-3]}

# The gradient of the first at (1.5, 0.5) is (-1, -1): that of 2 - x0 - x1, once.
CLOSED = {
    "lower limit": (towards, [0.0, 0.0], SUM, None, {}, [1.5, 0.5], [[1.0]]),
    "upper limit": (
        towards, [0.0, 0.0], NonlinearConstraint(lambda x: x[0] + x[1], -np.inf, 2), None, {}, [1.5, 0.5], [[-1.0]],
    ),
    "matrix": (towards, [0.0, 0.0], LinearConstraint([[1, 1]], -np.inf, 2), None, {}, [1.5, 0.5], [[-1.0]]),
    "equality": (
        towards, [0.0, 0.0], {"type": "eq", "fun": lambda x: x[0] + x[1] - 2}, None, {}, [1.5, 0.5], [[-1.0]],
    ),
    "upper bounds": (towards, [0.0, 0.0], SUM, [(0, 1), (0, 0.8)], {}, [1.0, 0.8], [[0.0], [-2.0, -0.4]]),
    "bound and limit": (
        lambda x: (x[0] - 2) ** 2 + (x[1] + 1) ** 2, [1.0, 0.5], inside(lambda x: 1 - x[0] - x[1]),
        [(None, None), (0, None)], {}, [1.0, 0.0], [[2.0], [0.0, 4.0]],
    ),
    "circle": (lambda x: x[0] + x[1], [0.5, 0.0], inside(lambda x: 2 - x @ x), None, {}, [-1.0, -1.0], [[0.5]]),
    "sizes": (in_units, [100.0, 1e-4], SUM_IN_UNITS, None, SIZES, [1500.0, 5e-4], [[1.0]]),
    "sizes and bounds": (
        in_units, [100.0, 1e-4], SUM_IN_UNITS, [(0, 1e3), (0, 8e-4)], SIZES, [1e3, 8e-4], [[0.0], [-2e-3, -400.0]],
    ),
    "held": (of_three, [0.0, 0.0, 0.25], SUM_OF_THREE, None, {"fixed": [2]}, [1.5, 0.5, 0.25], [[1.0]]),
    "held and bounds": (
        of_three, [0.0, 0.0, 0.25], SUM_OF_THREE, [(0, 1), (0, None), (0, 1)], {"fixed": [2]}, [1.0, 1.0, 0.25],
        [[0.0], [-2.0, 0.0, 0.0]],
    ),
}  # fmt: skip


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", CLOSED)
def test_multipliers_are_those_of_the_closed_form(name, method):
    f, x0, constraints, bounds, more, x, multipliers = CLOSED[name]
    result = minimize(f, np.array(x0), method=method, constraints=constraints, bounds=bounds, **more)
    assert result.success, result.message
    np.testing.assert_allclose(result.x, x, rtol=1e-6)
    assert [len(one) for one in result.multipliers] == [len(one) for one in multipliers]
    for given, expected in zip(result.multipliers, multipliers, strict=True):
        np.testing.assert_allclose(given, expected, rtol=1e-5, atol=1e-6)
