"""Whether a gradient of 0 is that of a plateau: f does not change around the point, and lies lower farther off.

Truncated losses, clipped probabilities, saturated sigmoids, densities that underflow and dead rectifiers have slopes of
exactly 0 far from where they fit. Derivatives say nothing there, so values of the original function do, on rays.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from autoopt.solvers.bounds import within

_NEAR = 1e-3
_REACH = tuple(10 ** (k / 3 - 2) for k in range(16))
_TO_ORIGIN = tuple(k / 10 for k in range(1, 21))
_CHANGE = 1e-8
"""What counts as a change of f, relative to it: rounding is far below, a loss that begins to fit far above."""

_RANDOM = 2
_MOST = 160
"""Most evaluations that are spent: a plateau that is a minimum pays them all."""

_EPS = np.finfo(np.float64).eps


def lower_beyond(problem: Any, x: np.ndarray) -> tuple[np.ndarray, float] | None:
    """Return a point, shape (n,), and its value, below `x` at the end of a plateau; None if none is found.

    Notes
    -----
    Parameters whose slopes, at `x` and close by on both sides, do not change f by one rounding over max(|x_i|, 1) are
    followed outwards: all together towards the origin and at random, then each. What counts is the first change: a
    plateau from which f rises is a minimum.
    """
    unit = np.maximum(np.abs(x), 1.0)
    flat = _idle(problem, x, unit)
    if not flat.any():
        return None
    nearby = _NEAR * unit * flat * np.random.default_rng(6).uniform(0.5, 1.0, x.size)
    for side in (x + nearby, x - nearby):
        side = within(problem.limits, side)
        if flat.any() and problem.is_defined(side):
            flat &= _idle(problem, side, unit)
    if not flat.any():
        return None
    level = problem.original(x)
    if not np.isfinite(level):
        return None
    change = _CHANGE * max(abs(level), abs(problem.initial_value))
    left = _MOST
    for direction, distances in _rays(x, flat, unit):
        lowest, last = None, level
        for distance in distances:
            point = x + distance * direction
            if left <= 0 or not _allowed(problem, point):
                break
            left -= 1
            value = problem.original(point)
            if not value <= last + change:  # it rises, or is not defined
                break
            if value < last - change:
                lowest, last = (point, value), value
        if lowest is not None:
            return lowest
    return None


def _idle(problem: Any, x: np.ndarray, unit: np.ndarray) -> np.ndarray:
    """Return which parameters have a slope that moves f by less than a rounding over `unit`; none that bounds fix."""
    room = max(_EPS * abs(problem.fun(x)), np.finfo(np.float64).tiny)
    idle = np.abs(problem.jac(x)) * unit <= room
    return idle if problem.limits is None else idle & (problem.limits.upper > problem.limits.lower)


def _rays(x: np.ndarray, flat: np.ndarray, unit: np.ndarray) -> Iterator[tuple[np.ndarray, tuple[float, ...]]]:
    """Yield directions, shape (n,), among the parameters in which f is flat, with the distances to look at."""
    if (home := -x * flat).any():
        yield home, _TO_ORIGIN
    random = np.random.default_rng(5)
    directions = [random.uniform(-1.0, 1.0, x.size) * unit * flat for _ in range(_RANDOM if flat.sum() > 1 else 0)]
    for direction in (*directions, *(unit[k] * np.eye(1, x.size, k)[0] for k in np.flatnonzero(flat)[:_MOST])):
        yield direction, _REACH
        yield -direction, _REACH


def _allowed(problem: Any, point: np.ndarray) -> bool:
    from autoopt.solvers.constraints import active_normals

    if problem.limits is not None and ((point < problem.limits.lower) | (point > problem.limits.upper)).any():
        return False
    return not problem.constraints or active_normals(problem.constraints, None, point, 1e-8) is not None
