"""Whether a gradient of 0 is that of a plateau: f does not change around the point, and lies lower farther off.

Truncated losses, clipped probabilities, saturated sigmoids, densities that underflow and dead rectifiers have slopes of
exactly 0 far from where they fit. Derivatives say nothing there, so values of the original function do, on rays.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

_NEAR = 1e-3
_REACH = tuple(_NEAR * 10 ** (k / 4) for k in range(25))
_TO_ORIGIN = tuple(k / 10 for k in range(1, 21))
_CHANGE = 1e-8
"""What counts as a change of f, relative to it: rounding is far below, a loss that begins to fit far above."""

_AXES, _RANDOM = 8, 4
_MOST = 400
_EPS = np.finfo(np.float64).eps


def lower_beyond(problem: Any, x: np.ndarray) -> tuple[np.ndarray, float] | None:
    """Return a point, shape (n,), and its value, below `x` at the end of a plateau; None if none is found.

    Notes
    -----
    Parameters of whose slopes none changes f by one rounding, over max(|x_i|, 1), are followed outwards, each and all
    together, towards the origin and at random, if f is the same close by. What counts is the first change: a plateau
    from which f rises is a minimum.
    """
    gradient, unit = problem.jac(x), np.maximum(np.abs(x), 1.0)
    idle = np.abs(gradient) * unit <= max(_EPS * abs(problem.fun(x)), np.finfo(np.float64).tiny)
    if problem.limits is not None:
        idle &= problem.limits.upper > problem.limits.lower
    if not idle.any():
        return None
    level = problem.original(x)
    if not np.isfinite(level):
        return None
    change = _CHANGE * max(abs(level), abs(problem.initial_value))
    left = _MOST
    for start, steps in _rays(problem, x, level, idle, unit):
        for distance in steps:
            point = x + distance * start
            if left <= 0 or not _allowed(problem, point):
                break
            left -= 1
            found = problem.original(point)
            if not np.isfinite(found):
                break
            if abs(found - level) > change:
                if found < level:
                    return point, found
                break
    return None


def _rays(
    problem: Any, x: np.ndarray, level: float, idle: np.ndarray, unit: np.ndarray
) -> Iterator[tuple[np.ndarray, tuple[float, ...]]]:
    """Yield directions, shape (n,), with the distances to look at, among parameters around which f is the same."""
    first = np.flatnonzero(idle)[: 4 * _AXES]
    axes = [k for k in first if _is_flat(problem, x, level, unit[k] * np.eye(1, x.size, k)[0])]
    flat = np.zeros(x.size, bool)
    flat[axes] = True
    if idle.sum() > 4 * _AXES and len(axes) == 4 * _AXES:
        flat = idle
    if not flat.any():
        return
    if (home := -x * flat).any():
        yield home, _TO_ORIGIN
    random = np.random.default_rng(5)
    for _ in range(_RANDOM if flat.sum() > 1 else 0):
        direction = random.uniform(-1.0, 1.0, x.size) * unit * flat
        yield direction, _REACH
        yield -direction, _REACH
    for k in np.flatnonzero(flat)[:_AXES]:
        for sign in (1.0, -1.0):
            yield sign * unit[k] * np.eye(1, x.size, k)[0], _REACH


def _is_flat(problem: Any, x: np.ndarray, level: float, direction: np.ndarray) -> bool:
    """Whether f is the same close by on both sides, but for rounding; a side that is not allowed does not count."""
    sides = [x + h * direction for h in (_NEAR, -_NEAR)]
    values = [problem.original(side) for side in sides if _allowed(problem, side)]
    return bool(values) and all(abs(value - level) <= 16 * _EPS * abs(level) for value in values)


def _allowed(problem: Any, point: np.ndarray) -> bool:
    from autoopt.solvers.constraints import active_normals

    if problem.limits is not None and ((point < problem.limits.lower) | (point > problem.limits.upper)).any():
        return False
    return not problem.constraints or active_normals(problem.constraints, None, point, 1e-8) is not None
