"""Least squares from points where the Jacobian is 0, on a bound or beside one: minima by hand."""

import numpy as np
import pytest

import autoopt

# Residuals, the start, bounds, and the least cost.
PROBLEMS = {
    "square": (lambda p: np.array([p[0] ** 2 - 1]), [0.0], ([0.0], [2.0]), 0.0),
    "square, both sides": (lambda p: np.array([p[0] ** 2 - 1]), [0.0], ([-1.5], [2.0]), 0.0),
    "cosine": (lambda p: np.array([np.cos(p[0])]), [0.0], ([0.0], [3.0]), 0.0),
    "two": (lambda p: np.array([p[0] ** 2 - 1, p[1] ** 2 - 4]), [0.0, 0.0], ([0.0, 0.0], [3.0, 3.0]), 0.0),
    "held by a bound": (lambda p: np.array([p[0] ** 2 - 4]), [0.0], ([0.0], [1.0]), 4.5),
}


@pytest.mark.parametrize("method", [None, "trf", "dogbox"])
@pytest.mark.parametrize("name", PROBLEMS)
def test_a_start_without_slope_is_left(name, method):
    residuals, x0, bounds, least = PROBLEMS[name]
    r = autoopt.least_squares(residuals, x0, bounds=bounds, **({} if method is None else {"method": method}))
    assert r.success, r.message
    assert r.cost == pytest.approx(least, abs=1e-12)
