"""Valleys that are curved: f may fall along their bottom, and rise along every straight line.

With d a direction of next to no curvature and s those in which f bends up, phi(t) = min_s f(x + t d + s) decides
where second derivatives do not: `x` is no minimum if phi falls on one side by a power above the second.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from autoopt.solvers.points import EPSILON, Point
from autoopt.solvers.rays import is_plateau

_LENGTHS = (1e-3, 1e-2, 0.03, 0.1, 0.3, 1.0)
"""Steps along the valley, in units of the parameters' sizes."""

_SOFT, _SLIGHT = 1e-3, 1e-5
"""A curvature below this part of the largest, or of f, may be that of a valley."""

_ACROSS, _SHARE = 100, 1e-8
"""So much larger are curvatures across a valley than along it; what part of a direction is rounding."""

_AXES, _MIXED, _INWARDS = 4, 3, 4
"""So many directions of least curvature, of parameters, mixtures, and ways away from bounds are followed."""

_NEWTON_STEPS = 3
_ROUGH = 8


def lower_in_valley(point: Point, hessian: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """Return a direction along whose valley f falls and the lowest point there, shape (n,) each; None if it rises.

    Parameters
    ----------
    hessian : ndarray, shape (m, m)
        That over the free parameters.
    """
    unseen = point.unseen[point.free]
    for factor in _DECADES if unseen.any() else (1.0,):
        lower = _lower(point, hessian, np.where(unseen, factor, 1.0) * point.size[point.free])
        if lower is not None:
            return lower
    return None


_DECADES = (1.0, 1e-3, 1e3)
"""Parameters that have shown no size may have one of these."""


def _lower(point: Point, hessian: np.ndarray, unit: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    ratios = unit / np.max(unit)  # the product of two sizes may overflow
    curvatures, vectors = np.linalg.eigh(ratios[:, None] * hessian * ratios)
    curvatures = curvatures * np.max(unit) ** 2
    rounding = EPSILON * len(unit) * max(abs(curvatures[0]), abs(curvatures[-1]))
    fell = max(point.problem.initial_value - point.value, 0.0)
    soft = max(1, np.count_nonzero(curvatures <= max(_SOFT * curvatures[-1], _SLIGHT * (abs(point.value) + fell))))
    for z in _directions(point, vectors[:, :soft]):
        z = z / np.max(np.abs(z))
        if is_plateau(point, point.whole(unit * z)):  # it is told as such
            continue
        along = np.max(np.abs(curvatures[np.abs(z @ vectors) > _SHARE]), initial=0.0)
        upwards = curvatures > max(rounding, _ACROSS * along)
        valley = _Valley(point, unit, vectors[:, upwards], curvatures[upwards])
        for ahead in (z, -z):
            lower = valley.lower(ahead)
            if lower is not None:
                return point.whole(unit * ahead), lower
    return None


def _directions(point: Point, soft: np.ndarray) -> Iterator[np.ndarray]:
    """Yield directions among the columns `soft`, shape (m,): each, of parameters, mixtures, and away from bounds."""
    rng = np.random.default_rng(8)
    count = soft.shape[1]
    yield from soft.T[:_AXES]
    if count > 1:
        shares = np.linalg.norm(soft, axis=1)
        yield from (soft @ soft[k] for k in np.argsort(-shares, kind="stable")[:_AXES])
    yield from (soft @ rng.normal(size=count) for _ in range(_MIXED if count > 1 else 0))
    limits = point.problem.limits
    if limits is None:
        return
    x, free = point.x, point.free
    inwards = np.where(x <= limits.lower, 1.0, np.where(x >= limits.upper, -1.0, 0.0))[free]
    if np.count_nonzero(inwards) > 1:
        weights = (np.ones(len(free)), *(10.0 ** -rng.uniform(0.0, 2.0, len(free)) for _ in range(_INWARDS - 1)))
        yield from (z for z in (soft @ (soft.T @ (inwards * weight)) for weight in weights) if z.any())


class _Valley:
    """The bottom of a valley around a point: what a Newton step along the directions `across`, (m, k), comes to."""

    def __init__(self, point: Point, unit: np.ndarray, across: np.ndarray, curvatures: np.ndarray) -> None:
        self.point, self.unit, self.across, self.curvatures = point, unit, across, curvatures

    def lower(self, ahead: np.ndarray) -> np.ndarray | None:
        """Return the lowest point ahead, shape (n,), if f falls without rising before; None if it does not."""
        point = self.point
        best, nothing = None, max(4 * point.noise, point.tolerance)
        lowest, highest = point.value - nothing, point.value + nothing
        for length in _LENGTHS:
            there, value = self._bottom(length, ahead)
            if not value <= (highest if best is None else lowest):
                break
            if value < lowest:
                best, lowest = there, value
        if best is None or not point.value - lowest > _ROUGH * point.roughness:
            return None
        by_slope = -float(point.gradient @ (best - point.x))  # to a minimum that is near: what is left is no more
        return None if by_slope >= (point.value - lowest) / 2 else best

    def _bottom(self, length: float, ahead: np.ndarray) -> tuple[np.ndarray, float]:
        """Return the lowest point beside the end of a step along the valley, and its value."""
        point, problem = self.point, self.point.problem
        z, best = length * ahead, (point.x, np.inf)
        for _ in range(1 + _NEWTON_STEPS):
            there = point.within(point.x + point.whole(self.unit * z))
            value = problem.value(there)
            if not value < best[1]:
                break
            best = there, value
            steps = ((self.unit * problem.jac(there)[point.free]) @ self.across) / self.curvatures
            steps = np.where(np.abs(steps) <= length, steps, 0.0)  # longer ones lead to another valley
            if not np.abs(steps) @ (self.curvatures * np.abs(steps)) > point.noise:
                break
            z = z - self.across @ steps
        return best
