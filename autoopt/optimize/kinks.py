"""A minimum at a kink of a function of one parameter: slopes of opposite signs on its two sides show it.

    |x - 0.3| from 0.29999998   slope -1                  the search's end
    steps ahead, each 4 times   0.3000001: slope 1        f falls to here, and rises from there
    halves of the interval      0.29999999999999999 | 0.30000000000000004, slopes -1 and 1

Where f is smooth the two slopes become small with the interval; at a kink they stay.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from autoopt.solvers.bounds import within
from autoopt.solvers.points import sizes

_FIRST, _GROWTH, _STEPS = 1e-9, 4.0, 14
"""Steps ahead begin at this part of the size of x and grow to a quarter of it."""

_HALVES = 100
_BENT = 1e-3
"""A slope that is below this part of the slope a millionth of the size of x beside it is rounding: f is smooth."""


def kink_at(problem: Any, x: np.ndarray) -> tuple[np.ndarray, float, float] | None:
    """Return the lowest point, shape (1,), at a kink by `x` that is a minimum, and the slopes on its sides, else None.

    Of f at x it is only asked that it has a slope.
    """
    slope, size = _slope(problem, x), sizes(x, problem.x0)
    aside = (abs(_slope(problem, within(problem.limits, x + side * size))) for side in (1e-6, -1e-6))
    if not np.isfinite(slope) or slope == 0 or abs(slope) < _BENT * min(aside):
        return None
    near, far, ahead = x, None, slope
    for ahead_of_x in _onwards(problem, x, -np.sign(slope)):
        ahead = _slope(problem, ahead_of_x)
        if not np.isfinite(ahead):
            return None
        if ahead * slope < 0:
            far = ahead_of_x
            break
        near = ahead_of_x
    if far is None:
        return None
    width, jump = np.abs(far - near)[0], abs(ahead) + abs(slope)
    sides = {float(np.sign(slope)): (near, _slope(problem, near)), float(np.sign(ahead)): (far, ahead)}
    between = _halved(problem, sides)
    low, high = sides[-1.0][0], sides[1.0][0]
    falls, rises = (_slope(problem, _beside(problem, at, end)) for at, end in ((low, -np.inf), (high, np.inf)))
    left = max(float(np.abs(high - low)[0]), np.finfo(float).tiny)
    if not rises - falls >= jump * np.sqrt(min(left / width, 1.0)):
        return None  # they become small with the interval: f is smooth
    points = [low, high, *between, *([np.zeros(1)] if low < 0 < high else [])]
    return min(points, key=problem.value), falls, rises


def _halved(problem: Any, sides: dict[float, tuple[np.ndarray, float]]) -> list[np.ndarray]:
    """Narrow the interval between the `sides` by halves, and return the point between where there is no slope, if any.

    The sides are (point, slope), by the slope's sign.
    """
    low, high = sides[-1.0][0], sides[1.0][0]
    for _ in range(_HALVES):
        middle = low + (high - low) / 2
        if np.array_equal(middle, low) or np.array_equal(middle, high):
            return []
        slope = _slope(problem, middle)
        if not np.isfinite(slope) or slope == 0:
            if not problem.is_defined(middle):
                return []
            for sign in sides:
                beside = _beside(problem, middle, sign * np.inf)
                if np.sign(there := _slope(problem, beside)) == sign:
                    sides[sign] = beside, there
            return [middle]
        sides[float(np.sign(slope))] = middle, slope
        low, high = sides[-1.0][0], sides[1.0][0]
    return []


def _onwards(problem: Any, x: np.ndarray, sign: float) -> Iterator[np.ndarray]:
    step = _FIRST * sizes(x, problem.x0)
    for _ in range(_STEPS):
        ahead = within(problem.limits, x + sign * step)
        if np.array_equal(ahead, x):
            return
        yield ahead
        step = _GROWTH * step


def _beside(problem: Any, x: np.ndarray, end: float) -> np.ndarray:
    """Return the next number towards one end: the slope at a kink itself may be neither of those beside it."""
    return within(problem.limits, np.nextafter(x, end))


def _slope(problem: Any, x: np.ndarray) -> float:
    return float(problem.jac(x)[0]) if problem.is_defined(x) else np.nan
