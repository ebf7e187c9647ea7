"""Whether a run under constraints is on its way to a minimum at infinity: f falls towards a limit and never rises.

At (1e8, 1e-8) on x0 x1 >= 1 every test of a minimum of x1 is met to all digits that there are. What tells is the way
that the run came: further along it, brought back onto the constraints, f goes on falling at a hundred times the
distance and at a million times, and behind the point it is higher.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autoopt.solvers.bounds import within
from autoopt.solvers.conditions import DENSE, FEASIBLE, Conditions
from autoopt.solvers.kkt import NEAR, Certificate
from autoopt.solvers.rays import NOTHING

_GONE = 3.0
"""Parameters that are larger than at x0 by this factor may be on their way to infinity."""

_FAR = 100.0
"""From so much larger ones on, what forbids the way to first order may bend out of it: as a hyperbola does."""

_AHEAD = (0.01, 0.1, 1.0, 10.0, 100.0, 1e4, 1e6)
_BEHIND = (1e-2, 3e-2, 0.1, 0.3, 0.5)
_RESTORED = 8
_FORBIDDEN = 1e-3
_ROUNDINGS = 64 * np.finfo(np.float64).eps


def way_to_infinity(problem: Any, found: Certificate) -> tuple[np.ndarray, np.ndarray] | None:
    """Return a direction, shape (n,), along which f never rises, and a point far along it; None if there is none."""
    x, x0 = found.x, problem.x0
    way = x - x0
    gone = np.abs(x) > _GONE * np.abs(x0)
    if x.size > DENSE or not gone.any():
        return None
    is_far = (np.abs(x) > _FAR * np.where(x0 == 0, 1.0, np.abs(x0))).any()
    for direction in (way, *([] if gone[way != 0].all() else [np.where(gone, way, 0.0)])):
        reach = _AHEAD[-1] * float(np.max(np.abs(direction) / found.conditions.unit, initial=0.0))
        if reach < _GONE or (not is_far and _is_held_off(found.conditions, direction)):
            continue
        ahead = within(problem.limits, x + direction)
        if not problem.value(ahead) <= found.value + _rounding(problem, ahead):  # mostly one evaluation is all it takes
            continue
        far = _followed(problem, found, direction, gone)
        if far is not None:
            return direction, far
    return None


def _is_held_off(conditions: Conditions, direction: np.ndarray) -> bool:
    """Whether a constraint that holds the point forbids the direction, to first order."""
    moved, terms = conditions.slopes @ direction, abs(conditions.slopes) @ np.abs(direction)
    low, high = conditions.near(NEAR)
    forbidden = (low & (moved < -_FORBIDDEN * terms)) | (high & (moved > _FORBIDDEN * terms))
    return bool((forbidden & ~conditions.equal).any())


def _followed(problem: Any, found: Certificate, direction: np.ndarray, gone: np.ndarray) -> np.ndarray | None:
    """Return the farthest point, if f falls all the way there, or is level there and has crept to what it is."""
    last, falls = found.value, True
    moved: np.ndarray | None = found.x
    for length in _AHEAD:
        moved = _on_constraints(problem, found.x + length * direction)
        if moved is None or not _has_left(found.x, moved, length * direction, gone):
            return None
        value, rounding = problem.value(moved), _rounding(problem, moved)
        if not value <= last + rounding:
            return None
        falls = falls and value < last - rounding
        last = min(last, value)
    return moved if falls or _creeps(problem, found, direction) else None


def _creeps(problem: Any, found: Certificate, direction: np.ndarray) -> bool:
    """Whether f behind the point is higher by less than anything that one could have stopped for: it has a limit."""
    fallen = problem.initial_value - found.value
    for length in _BEHIND:
        moved = _on_constraints(problem, found.x - length * direction)
        if moved is not None and 0 < problem.value(moved) - found.value <= NOTHING * fallen:
            return True
    return False


def _has_left(x: np.ndarray, moved: np.ndarray, step: np.ndarray, gone: np.ndarray) -> bool:
    """Whether bringing a point back to the constraints has left at least half of the way to it."""
    return bool((np.abs(moved - x)[gone] >= 0.5 * np.abs(step)[gone]).all())


def _rounding(problem: Any, x: np.ndarray) -> float:
    """Return what rounding may do to f: the sizes of the parts that its parameters give to it."""
    if not problem.is_defined(x):
        return 0.0
    return _ROUNDINGS * float(np.abs(problem.jac(x)) @ np.abs(x))


def _on_constraints(problem: Any, x: np.ndarray) -> np.ndarray | None:
    """Return the point by `x` that meets bounds and constraints, by shortest steps; None if these do not lead there."""
    moved = within(problem.limits, x)
    for _ in range(_RESTORED):
        conditions = Conditions.at(problem, moved)
        missed = conditions.missed
        rows = np.flatnonzero(np.abs(missed) > conditions.rounding)
        if not np.isfinite(missed).all():
            return None
        if not rows.size:
            break
        normals = conditions.slopes[rows] * conditions.unit
        if not np.isfinite(normals).all():
            return None
        lengths = np.linalg.norm(normals, axis=1)
        lengths = np.where(lengths > 0, lengths, 1.0)
        step = np.linalg.lstsq(normals / lengths[:, None], missed[rows] / lengths, rcond=None)[0]
        moved = within(problem.limits, moved + conditions.unit * step)
    conditions = Conditions.at(problem, moved)
    sizes = np.where(conditions.sizes > 0, np.asarray(abs(conditions.slopes) @ np.abs(moved)), 1.0)
    return moved if (np.abs(conditions.missed) <= FEASIBLE * sizes + conditions.rounding).all() else None
