"""Sizes of parameters that are 0 at the start, or nearly, under constraints: these and slopes show them.

A parameter that is 0 has no size of its own, and is given that of 1: one that is to be 1e-8 is then within 1e-8 of
every limit, and what misses a constraint altogether seems to meet it.
"""

from __future__ import annotations

import contextlib

import numpy as np

from autoopt.solvers.conditions import DENSE
from autoopt.solvers.problem import Problem
from autoopt.users_code import NO_VALUE, UNDEFINED

_STEPS = (1e-3, 1e-6, 1e-9, 1e-12)
_SMALL = 1e-3
"""Sizes from here to 1 are near enough to 1."""

_ROUNDING = 1e-13
"""Less than this, in units of 1, is what rounding leaves of slopes and of values that are 0."""


def first_sizes(problem: Problem) -> np.ndarray | None:
    """Return sizes, powers of 2, shape (n,), below 1 where a parameter near 0 at x0 is small; None if none is.

    Notes
    -----
    Of f: the s_i by which the axes have one curvature, (2 F / |H_ii|)^1/2, F being the fall that Newton's steps along
    the axes promise. No more than the bounds are apart, nor than leads from x0 to the limit of a constraint. Curvatures
    are differences of slopes, first over one step of all parameters; one that is longer than the sizes that it shows is
    followed by shorter ones, along each axis.
    """
    zero = np.abs(problem.x0) < _SMALL
    if not problem.constraints or not zero.any() or problem.x0.size > DENSE:
        return None
    sizes = np.ones(zero.size)
    with contextlib.suppress(*NO_VALUE), np.errstate(all="ignore"):
        look = _Look(problem)
        if (look.together(_STEPS[0])[zero] >= _SMALL).all():
            return None
        for h in _STEPS:
            sizes = look.along_axes(h)
            if (sizes[zero] >= h).all():
                break
    sizes = np.maximum(sizes, np.abs(problem.x0))
    small = zero & (sizes > _ROUNDING) & (sizes < _SMALL)
    return 2.0 ** np.round(np.log2(np.where(small, sizes, 1.0))) if small.any() else None


class _Look:
    """Slopes of f and of the constraints at x0, and beside it."""

    def __init__(self, problem: Problem) -> None:
        x, limits = problem.x0, problem.limits
        low, high = (-np.inf, np.inf) if limits is None else (limits.lower, limits.upper)
        self._problem, self._x, self._unit = problem, x, np.where(np.abs(x) < _SMALL, 1.0, np.abs(x))
        self._width = np.broadcast_to(high - low, x.shape)
        self._inward = np.where(high - x >= x - low, 1.0, -1.0)
        self._slopes, rows = self._at(x)
        values = np.concatenate([one.value(x) for one in problem.constraints])
        lower, upper = (np.concatenate([getattr(one, side) for one in problem.constraints]) for side in _SIDES)
        rooms = np.abs(np.array([values - lower, upper - values]))
        self._room = np.min(rooms, axis=0, initial=np.inf, where=rooms > _ROUNDING)
        self._rows = rows

    def _at(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        gradient = self._problem.objective.value_and_grad(x)[1]
        rows = np.concatenate([one.slopes(x) for one in self._problem.constraints])
        return gradient * self._unit, rows * self._unit

    def _changes(self, step: np.ndarray, h: float) -> tuple[np.ndarray, np.ndarray]:
        """Return by how much slopes change over `h` times a step, relative to `h`; NaN where there are none."""
        try:
            gradient, rows = self._at(self._x + np.minimum(h, self._width / 2) * self._unit * step)
        except UNDEFINED:
            return self._slopes * np.nan, self._rows * np.nan
        return np.abs(gradient - self._slopes) / h, np.abs(rows - self._rows) / h

    def together(self, h: float) -> np.ndarray:
        """Return the sizes that one step of all parameters shows, shape (n,)."""
        return self._sizes(*self._changes(self._inward, h))

    def along_axes(self, h: float) -> np.ndarray:
        """Return the sizes that a step of each parameter shows, shape (n,)."""
        found = [self._changes(step, h) for step in np.diag(self._inward)]
        curvatures = np.array([gradient[i] for i, (gradient, _) in enumerate(found)])
        return self._sizes(curvatures, np.array([rows[:, i] for i, (_, rows) in enumerate(found)]).T)

    def _sizes(self, curvatures: np.ndarray, bends: np.ndarray) -> np.ndarray:
        """Return sizes, shape (n,): 1 where nothing shows any, 0 where slopes are not finite."""
        slopes, rows = np.abs(self._slopes), np.abs(self._rows)
        fall = np.sum(np.where(curvatures > 0, slopes**2 / curvatures, 0.0))
        own = np.sqrt(fall / curvatures) if fall > 0 else np.full(slopes.shape, np.inf)
        ways = 2 * self._room[:, None] / (rows + np.sqrt(rows**2 + 2 * self._room[:, None] * bends))
        ways = np.where(np.isfinite(self._room)[:, None], ways, np.inf)
        shown = np.minimum(np.where(own > _ROUNDING, own, np.inf), np.min(ways, axis=0, initial=np.inf))
        known = np.isfinite(curvatures) & np.isfinite(bends).all(axis=0)
        sizes = np.minimum(shown, np.where(self._width > 0, self._width / self._unit, np.inf))
        return np.where(known, np.where(np.isfinite(sizes), sizes, 1.0), 0.0)


_SIDES = ("lower", "upper")
