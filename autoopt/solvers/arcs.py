"""Whether f falls from a point under constraints, by values: along arcs that are brought back to what holds the point.

A step along the plane that touches the constraints leaves them by its square. It is brought back by shortest steps to
the values that the constraints have at the point itself, so that nothing of first order comes in.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from autoopt.solvers.conditions import FEASIBLE, row_values
from autoopt.solvers.curvature import descends
from autoopt.solvers.kkt import Certificate

_CORRECTIONS = 8
_CLOSE = 1e-12
_GROWTH, _VISIBLE = 20.0, 1e-8
_DIRECTIONS = 6
_LENGTHS = (1.0, 0.1, 1e-2, 1e-3)
_WEAK = 1e-6
_ROUNDS, _STARTS = 60, 4


class Arc:
    """f at the end of steps from a certified point; what `descends` asks of a place to move in.

    Attributes
    ----------
    value, noise : float
        f at the point, and what rounding may do to it and to the constraints that hold it.
    gradient : ndarray, shape (n,)
        That of the Lagrangian.
    unit : ndarray, shape (n,)
    """

    def __init__(self, problem: Any, found: Certificate) -> None:
        self.problem, self.x, self.value = problem, found.x, found.value
        self._found, self._conditions = found, found.conditions
        self.gradient, self.unit = found.force.residual, found.conditions.unit
        self.noise = found.noise + float(np.abs(found.force.multipliers) @ found.conditions.rounding)
        self._allowed = np.maximum(FEASIBLE, found.conditions.violation)

    def at(self, step: np.ndarray) -> float:
        """Return f at the end of a step, shape (n,), along the constraints; NaN where it is not defined or allowed."""
        conditions, working, tangent = self._conditions, self._found.force.working, self._found.tangent
        moved, last = self.x + step, np.inf
        for _ in range(_CORRECTIONS):
            values = row_values(self.problem, conditions, moved)
            off = (values - conditions.values)[working]
            if not np.isfinite(off).all() or not working.size or tangent is None:
                break
            left = float(np.max(np.abs(off) / conditions.sizes[working]))
            if left <= _CLOSE or not left <= last / 2:  # too far to be brought back
                break
            last = left
            moved = moved - tangent.onto(off)
        values = row_values(self.problem, conditions, moved)
        rest = values - conditions.values
        missed = np.abs(conditions.missing(values))
        if not (missed <= self._allowed * conditions.sizes + conditions.rounding).all():
            return np.nan
        if working.size and not np.max(np.abs(rest[working]) / conditions.sizes[working]) <= 1e-9:
            return np.nan
        return self.problem.value(moved) - float(self._found.force.multipliers[working] @ rest[working])


@dataclass(frozen=True)
class Fall:
    """A direction, shape (n,), along which f falls; `curved` if by its curvature, else on one side alone."""

    direction: np.ndarray
    curved: bool


def falling_along(problem: Any, found: Certificate) -> Fall | None:
    """Return how f falls from a stationary point under constraints, None if values show no such direction."""
    arc = Arc(problem, found)
    if found.down is not None and _falls(arc, _of_size_one(found.down, arc.unit)):
        return Fall(_of_size_one(found.down, arc.unit), True)
    if found.curvature is None or not found.tangent.size:
        return None
    for z in _downwards(found):
        direction = _of_size_one(found.tangent.along(z), arc.unit)
        if _falls(arc, direction):
            return Fall(direction, True)
    for z in _level(found):
        direction = _of_size_one(found.tangent.along(z), arc.unit)
        for ahead in (direction, -direction):
            if descends(arc.at, arc, ahead, _GROWTH, _VISIBLE * found.largest, _LENGTHS):
                return Fall(ahead, False)
    return None


def falls_to_first_order(problem: Any, found: Certificate, least: float = 0.0) -> bool:
    """Whether f is seen to fall, by `least` or more, along the steepest descent that the constraints allow."""
    arc = Arc(problem, found)
    slopes = found.force.residual * arc.unit
    size = float(np.max(np.abs(slopes), initial=0.0))
    if not size > 0:
        return False
    direction = -arc.unit * slopes / size
    steepest = -float(found.force.residual @ direction)
    for k in range(1, 10):
        h = 10.0**-k
        if found.value - arc.at(h * direction) > max(arc.noise, least, 1e-3 * h * steepest):
            return True
    return False


def falls_about(problem: Any, found: Certificate) -> bool:
    """Whether f is lower at points close by, at random, that meet the constraints: at a kink no derivative says so."""
    conditions, rng = found.conditions, np.random.default_rng(9)
    slope = float(np.max(np.abs(found.force.terms) * conditions.unit, initial=0.0))
    for h in (1e-2, 1e-4):
        for _ in range(_AT_RANDOM):
            moved = found.x + h * conditions.unit * rng.uniform(-1.0, 1.0, found.x.size)
            values = row_values(problem, conditions, moved)
            missed = np.abs(conditions.missing(values))
            met = (missed <= FEASIBLE * conditions.sizes + conditions.rounding).all()
            if met and problem.value(moved) < found.value - max(found.noise, 1e-3 * h * slope):
                return True
    return False


_AT_RANDOM = 48


def _of_size_one(direction: np.ndarray, unit: np.ndarray) -> np.ndarray:
    return direction / np.max(np.abs(direction) / unit)


def _falls(arc: Arc, direction: np.ndarray) -> bool:
    """Whether f falls along `direction` on some side, by more than its slope says, at two lengths of step."""

    def bend(h: float) -> float:
        bends = []
        for sign in (1.0, -1.0):
            value = arc.at(sign * h * direction)
            if not np.isnan(value):
                bends.append(value - arc.value - sign * h * float(arc.gradient @ direction))
        return min(bends, default=0.0) if len(bends) < 2 else sum(bends) / 2

    return any(bend(h) < -arc.noise and bend(h / 10) < -arc.noise for h in (1e-3, 1e-2))


def _downwards(found: Certificate) -> Iterator[np.ndarray]:
    """Yield directions in the plane along which the curvature is negative, and which no row at its limit forbids."""
    if (curvature := found.curvature) is None:
        return
    bends, directions = np.linalg.eigh(curvature)
    below = directions[:, bends <= 1e-6 * found.largest].T[:_DIRECTIONS]
    if not len(below):
        return
    yield from below[:1]
    if len(cone := _cone(found)):
        yield from _in_cone(curvature, cone, below)
    yield from below[1:]


def _cone(found: Certificate) -> np.ndarray:
    """Return the inward normals, in the plane, of rows at a limit that no multiplier presses on, shape (k, q)."""
    conditions, tangent = found.conditions, found.tangent
    low, high = conditions.near(_WEAK)
    free = np.ones(conditions.values.size, bool)
    free[found.force.working] = False
    rows = np.concatenate([np.flatnonzero(low & free), np.flatnonzero(high & free)])
    signs = np.concatenate([np.ones(int((low & free).sum())), -np.ones(int((high & free).sum()))])
    normals = signs[:, None] * (conditions.slopes[rows] * conditions.unit) @ tangent.plane
    return normals[np.linalg.norm(normals, axis=1) > 0]


def _in_cone(curvature: np.ndarray, cone: np.ndarray, starts: np.ndarray) -> Iterator[np.ndarray]:
    """Yield directions z with cone @ z >= 0 and negative curvature: by projected gradients, from several starts."""
    from scipy.optimize import nnls

    def projected(z: np.ndarray) -> np.ndarray:
        z = z + cone.T @ nnls(cone.T, -z)[0]
        length = np.linalg.norm(z)
        return z / length if length > 1e-8 else np.zeros_like(z)

    rng = np.random.default_rng(7)
    length = 1.0 / max(float(np.max(np.abs(np.linalg.eigvalsh(curvature)))), 1e-300)
    for start in (*starts, *-starts, *rng.normal(size=(_STARTS, cone.shape[1]))):
        z = projected(start)
        for _ in range(_ROUNDS):
            z = projected(z - length * (curvature @ z))
        if z @ curvature @ z < 0:
            yield z


def _inward(normals: np.ndarray, room: np.ndarray) -> np.ndarray | None:
    """Return the shortest z with normals @ z >= room, shape (k,); None if there is none.

    References
    ----------
    Lawson, C. L. and Hanson, R. J. (1974). Solving Least Squares Problems, chapter 23: least distance programming.
    """
    from scipy.optimize import nnls

    normals = normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-300)
    system = np.vstack([normals.T, room])
    weights, left = nnls(system, np.eye(len(system))[-1])
    rest = system @ weights - np.eye(len(system))[-1]
    return -rest[:-1] / rest[-1] if left > 1e-8 else None


def _level(found: Certificate) -> Iterator[np.ndarray]:
    """Yield directions in the plane without curvature: two at random, which see any third power, and the first ones.

    Where rows at a limit forbid half of the directions and more, those two lead inside from all of these.
    """
    level = found.level
    if level is None or not level.shape[1]:
        return
    random = np.random.default_rng(2)
    if len(cone := _cone(found)):
        rooms = (np.ones(len(cone)), random.uniform(0.1, 1.0, len(cone)))
        inside = (_inward(cone @ level, room) for room in rooms)
        yield from (level @ z for z in inside if z is not None)
    elif level.shape[1] > 1:
        yield from (level @ random.normal(size=level.shape[1]) for _ in range(2))
    yield from level.T[:_DIRECTIONS]
