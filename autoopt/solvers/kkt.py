"""The Karush-Kuhn-Tucker certificate of second order: whether a point is a minimum under constraints and bounds.

    feasible        no row is missed by more than rounding, relative to its size
    stationary      what multipliers of the right sign leave of the gradient promises no visible decrease
    complementary   what has a multiplier is at its limit
    curved upwards  along the plane that touches what holds the point, the Lagrangian curves upwards

What cannot be told by derivatives is told by values: along a direction that curves down, or not at all, f must be seen
to fall, at two lengths of step, on an arc that is brought back to what holds the point.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autoopt.solvers.conditions import Conditions
from autoopt.solvers.lagrangian import Differences, Forces, Point, Tangent, curvatures, exact_hessian

NEAR = 1e-6
"""How near to a limit a row may hold a point, relative to its size."""

_HELD = 1e-8
_SMALL_STEP = 1e-8
_NEWTON_STEP = 1e-3
_SLOPE = 1e-9
"""An entry of the residual of this size beside the terms that it is the sum of is rounding."""

_ROUGH_SLOPE = 1e-6
LEVEL = 1e-6
"""A curvature below this part of the largest may be none."""

_CURVATURE_NOISE = 1e-9
_ROUNDINGS = 16 * np.finfo(np.float64).eps
_DESCENT = 1e-12


@dataclass(frozen=True)
class Certificate:
    """What a point is under constraints.

    Attributes
    ----------
    status : str
        "minimum", "infeasible", "descending" (f falls, to first order), "held off" (a row with a multiplier is not at
        its limit), "saddle" (what curves down is still to be proved by values).
    decrement : float
        The decrease that a Newton step promises, in units of f.
    length : float
        The largest entry of the step, in units of the parameters.
    step : ndarray, shape (n,), or None
        Newton's step onto the rows that hold the point, and along them.
    level : ndarray, shape (q, j)
        Directions in the plane, as columns, along which the curvature is about 0 or below.
    largest : float
        The largest curvature, in units of the parameters.
    down : ndarray, shape (n,), or None
        With many parameters, the direction of least curvature, if that is negative.
    """

    x: np.ndarray
    value: float
    status: str
    conditions: Conditions
    force: Forces
    tangent: Any = None
    curvature: np.ndarray | None = field(default=None, repr=False)
    decrement: float = np.nan
    noise: float = np.nan
    length: float = np.inf
    step: np.ndarray | None = None
    level: np.ndarray | None = field(default=None, repr=False)
    largest: float = 0.0
    down: np.ndarray | None = field(default=None, repr=False)

    @property
    def is_minimum(self) -> bool:
        return self.status == "minimum"


def certificate(problem: Any, point: Point, last: Certificate | None = None) -> Certificate:
    """Return what a point is, with Newton's step from it; for up to some hundred parameters.

    `last` is that of a point close by, whose curvature is taken where the same rows hold both.
    """
    tangent = Tangent(point.conditions, point.force.working)
    if last is None or last.curvature is None or not np.array_equal(last.force.working, point.force.working):
        curvature = curvatures(problem, point, tangent)
    else:
        turn = tangent.plane.T @ last.tangent.plane
        curvature = turn @ last.curvature @ turn.T
    if curvature is None:  # the problem is not defined beside the point: values have the last word
        curvature = np.zeros((tangent.size, tangent.size))
    return _judged(problem, point, tangent, curvature)


def _judged(problem: Any, point: Point, tangent: Tangent, curvature: np.ndarray) -> Certificate:
    """Return the certificate of a point with the curvature in its plane, shape (q, q)."""
    conditions, force, value, x = point.conditions, point.force, point.value, point.conditions.x
    bends, directions = np.linalg.eigh(curvature)
    priced = is_priced(problem, point)
    in_cusp = priced and conditions.is_feasible and tangent.is_cusp
    restoring = tangent.closely_onto(force.missed) if in_cusp else tangent.onto(force.missed)
    gap = float(np.max(np.abs(restoring) / conditions.unit, initial=0.0))
    slopes = directions.T @ tangent.slopes(force.residual)
    sizes = np.abs(tangent.plane @ directions).T @ (conditions.unit * force.terms)
    largest = float(np.max(np.abs(bends), initial=0.0))
    floor = max(LEVEL * largest, _CURVATURE_NOISE * float(np.max(conditions.unit * force.terms, initial=0.0)))
    curved = bends > floor
    along = np.where(curved, -slopes / np.where(curved, bends, 1.0), 0.0)
    turns = _TURNS[0] < gap < _TURNS[1] and not in_cusp  # the plane holds the way out of a cusp
    turned = directions.T @ _turned(problem, point, tangent, restoring) if turns else 0.0
    ahead = np.where(curved, -(slopes + turned) / np.where(curved, bends, 1.0), 0.0)
    step = restoring + tangent.along(directions @ ahead)
    length = float(np.max(np.abs(step) / conditions.unit, initial=0.0))
    decrement = float(np.sum(-along * slopes) / 2)
    noise = noise_of(problem, value)
    status = status_of(problem, point, (slopes, sizes, curved), (decrement, noise, length), gap)
    if status == "minimum" and priced:
        status = "held off"
    if status == "minimum" and (bends < -floor).any():
        status = "saddle"
    level = directions[:, bends <= max(floor, 1e-3 * largest)]
    return Certificate(
        x, value, status, conditions, force, tangent, curvature, decrement, noise, length, step, level, largest
    )


_TURNS = 1e-9, 1e-2
"""Steps onto what holds a point, in units of the parameters, on which it matters how slopes turn, and is known."""


def _turned(problem: Any, point: Point, tangent: Tangent, restoring: np.ndarray) -> np.ndarray:
    """Return by how much slopes along the plane change on the way to what holds the point, shape (q,)."""
    hessian = exact_hessian(problem, point.conditions.x, point.force.multipliers)
    product = Differences(problem, point)(restoring) if hessian is None else hessian @ restoring
    return np.zeros(tangent.size) if product is None else np.nan_to_num(tangent.slopes(product), posinf=0.0, neginf=0.0)


def is_priced(problem: Any, point: Point) -> bool:
    """Whether it would still change f visibly to bring the rows that hold the point to their limits.

    In a cusp, where normals become parallel and multipliers grow without end, what rounding leaves of rows does.
    """
    force, value = point.force, point.value
    price = float(np.abs(force.multipliers[force.working]) @ np.abs(force.missed))
    steepest = float(np.max(np.abs(point.gradient) * point.conditions.unit, initial=0.0))
    size = max(abs(value), abs(problem.initial_value - value), steepest)
    return price > max(noise_of(problem, value), _PRICE * size)


_PRICE = 1e-7
"""Of f, of what it fell, and of what its slope makes of it: what rows that are met may still move f by."""


def status_of(problem: Any, point: Point, along: tuple, promised: tuple[float, float, float], gap: float) -> str:
    """Return the status of a point, but for its curvature.

    Parameters
    ----------
    along : (slopes, sizes, curved), ndarrays
        Of directions in the plane: slopes, the sizes of the terms that these are sums of, and whether f curves upwards.
    promised : (decrement, noise, length)
    gap : float
        How far, in units of the parameters, what has multipliers is from its limits.
    """
    slopes, sizes, curved = along
    exact = getattr(problem.objective, "exact", True)
    idle = np.abs(slopes) <= (_SLOPE if exact else _ROUGH_SLOPE) * sizes
    if not point.conditions.is_feasible:
        return "infeasible"
    if not (idle | (curved & _is_settled(problem, point.value, *promised, slopes))).all():
        return "descending"
    return "minimum" if gap <= _HELD else "held off"


def _is_settled(problem: Any, value: float, decrement: float, noise: float, length: float, slopes: np.ndarray) -> bool:
    """Whether what a Newton step promises cannot be seen, or is within the digits that x can have."""
    fallen = abs(problem.initial_value - value)
    size = max(abs(value), min(1.0, abs(problem.initial_value)))
    if np.max(np.abs(slopes), initial=0.0) <= _SLOPE * size and decrement <= _DESCENT * max(abs(value), fallen):
        return True
    if decrement <= noise:
        return length <= _NEWTON_STEP or decrement <= _DESCENT * fallen
    return length <= _SMALL_STEP and decrement <= _SMALL_STEP * max(abs(value), fallen)


def noise_of(problem: Any, value: float) -> float:
    """Return what rounding, and the tolerance of equations that f solves, leave undecided of f."""
    closer = getattr(problem.objective, "closer", lambda x: None)
    if solved := closer(problem.best):
        return max(_ROUNDINGS * abs(value), abs(solved(problem.best) - problem.fun(problem.best)))
    initial = min(abs(problem.initial_value), 1e300)
    return _ROUNDINGS * max(abs(value), float(np.sqrt(abs(value)) * np.sqrt(initial)))
