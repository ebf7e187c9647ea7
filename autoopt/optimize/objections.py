"""What residuals say against a minimum that values and slopes of their cost would pass for one.

A cost that falls towards infinity has slopes and second derivatives of rounding. Residuals show more: which parameters
have lost their effect on them, and how much of them is left along the tangent plane.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np

from autoopt.optimize.refinement import held, inside
from autoopt.optimize.residuals import dense
from autoopt.optimize.whitened import Whitened
from autoopt.solvers.bounds import Limits
from autoopt.solvers.convergence import without_bound
from autoopt.solvers.points import is_small, is_steady
from autoopt.solvers.problem import Problem
from autoopt.solvers.verdict import NO_MINIMUM

_BENT, _FAR = 1e-3, 1e-5
"""A negative curvature of M, and a part of the residuals along the tangent plane, that are no rounding."""

_DEAD = 1e-10
"""A parameter on which residuals depend, beside their size, by less than this part of what they did at x0 has lost its
effect on them."""

_IDLE, _LOOKS, _MANY = 1e-6, 8, 500
_LENGTHS = (0.01, 0.3, 1.0, 10.0, 100.0)
_GONE = 1e4
"""Parameters that are by so much larger than at x0 may be on their way to infinity, together."""

_NOTHING = 1e-11
"""A rise by this part of what the cost fell from x0 is none."""


@dataclass(frozen=True)
class Objection:
    """Why a point is no minimum (`is_fatal`), or what is not determined there.

    Attributes
    ----------
    text : str
        Full sentences, in which {0} stands for the combination of parameters.
    direction : ndarray, shape (n,), or None
    """

    text: str
    direction: np.ndarray | None = None
    is_fatal: bool = True


def objection(problem: Problem, x: np.ndarray) -> Objection | None:
    """Return what residuals say against `x` as a minimum; None if nothing.

    Notes
    -----
    Where J has full rank, `x` is none if M (`whitened.py`) has a negative curvature along which the cost falls, or if
    more than 1e-5 of the residuals are left along the tangent plane. Directions along which residuals do not change to
    first order, all parameters in units of their sizes, are followed by values, on both sides and to a hundred times
    these sizes: where the cost does not rise on one, its minimum lies at infinity, or it is a plateau where a parameter
    has lost its effect. Where it rises on both, by no second power, parameters are not told apart.
    """
    free = held(problem, x)[1]
    if not (free.any() and Whitened.fits(problem.objective)):
        return None
    if not problem.fun(x) > 0:  # the least cost there is, unless it is one that has underflown
        dead = _dead(problem, x, np.flatnonzero(free), _sizes(problem, x))
        is_boxed = problem.limits is not None and not _is_open(problem.limits)
        text = _IN_A_BOX if is_boxed else _UNDERFLOWN
        return Objection(text, dead[0]) if dead and _creeps(problem, x) else None
    model, onwards, size = Whitened(problem, x, free), None, _sizes(problem, x)
    if model.full_rank and (curvature := model.curvature()) is not None:
        onwards = model.step(curvature)
        least, bent = _least(model, curvature, free)
        if least < -_BENT and any(_falls(problem, x, sign * bent) for sign in (1.0, -1.0)):
            return Objection(_SADDLE, bent)
        if least > _FAR and model.left(curvature) > _FAR * model.length and not is_small(size, onwards):
            return Objection(_DESCENDING.format(model.left(curvature) / model.length))
    if lost := without_bound(problem, x):
        return Objection(f"{NO_MINIMUM.format(lost)}")
    may_go_off = onwards is not None and not is_steady(size, onwards)
    if may_go_off and _stays(problem, x, onwards / float(np.max(np.abs(onwards) / size))):
        return Objection(_INFINITE, onwards)
    off = np.where(np.abs(x) > _GONE * np.abs(problem.x0), x, 0.0) * free
    if (off[problem.x0 != 0] != 0).any() and _stays(problem, x, off):
        return Objection(_INFINITE, off)
    remark: Objection | None = None
    for direction, is_dead in islice(_idle(problem, x, np.flatnonzero(free), size), _LOOKS):
        ahead, behind = (_stays(problem, x, sign * direction) for sign in (1.0, -1.0))
        if (ahead or behind) and not (ahead and behind and not is_dead):
            return Objection(_PLATEAU if is_dead else _INFINITE, direction if ahead else -direction)
        if remark is None and (ahead or not _bends(problem, x, direction)):
            largest = direction[np.argmax(np.abs(direction))]
            remark = Objection(_FLAT, direction * np.sign(largest), False)
    return remark


def is_refused(problem: Problem, x: np.ndarray) -> bool:
    """Whether residuals say that `x` is no minimum."""
    said = objection(problem, x)
    return said is not None and said.is_fatal


_SADDLE = "this is a saddle point or a maximum: the curvature is negative, and the cost falls, along {0}."
_DESCENDING = "{:.1e} of the residuals are left along the tangent plane: the cost still falls."
_FLAT = "To first order the residuals do not change along {0}: the data do not tell these parameters apart."
_PLATEAU = (
    "{0} has lost its effect on the residuals: this is a plateau, or the minimum lies at infinity. Start elsewhere, "
    "bound it, or leave it out."
)
_UNDERFLOWN = (
    "the cost falls along {0} by less and less, until it is too small a number: its minimum lies at infinity. Bound "
    "these parameters, leave one out, or add a penalty."
)
_IN_A_BOX = (
    "the cost falls along {0} by less and less, until it is too small a number: its minimum lies on a bound. Draw it "
    "closer, leave these parameters out, or add a penalty."
)
_INFINITE = (
    "the cost does not rise along {0}, however far one goes: its minimum lies at infinity. Bound these parameters, "
    "leave one out, or add a penalty."
)


def _sizes(problem: Problem, x: np.ndarray) -> np.ndarray:
    """Return the typical sizes of parameters, shape (n,): where they are, or how far they came."""
    size = np.maximum(np.abs(x), np.abs(x - problem.x0))
    return np.where(size > 0, size, 1e-3 * np.max(size, initial=0.0) or 1.0)


def _idle(problem: Problem, x: np.ndarray, free: np.ndarray, size: np.ndarray) -> Iterator[tuple[np.ndarray, bool]]:
    """Yield directions, shape (n,), along which residuals do not change, to first order, and whether they once did.

    First parameters that they depended on at x0, then combinations that change them by less than 1e-6 of their length.
    """
    for direction in _dead(problem, x, free, size):
        yield direction, True
    residuals = problem.objective.residuals
    jacobian = residuals.dense_jacobian(x)
    singular, rows = np.linalg.svd(jacobian[:, free] * size[free], full_matrices=len(free) <= _MANY)[1:]
    effects = np.zeros(len(rows))
    effects[: len(singular)] = singular
    for row in rows[effects <= _IDLE * np.linalg.norm(residuals.value(x))]:
        direction = np.zeros(x.size)
        direction[free] = row / np.max(np.abs(row)) * size[free]
        yield direction, False


def _dead(problem: Problem, x: np.ndarray, free: np.ndarray, size: np.ndarray) -> list[np.ndarray]:
    """Return the directions, shape (n,), of parameters on which residuals depended at x0.

    Data in small units leave residuals that are small beside those of x0, and slopes as small.
    """
    residuals = problem.objective.residuals  # type: ignore[attr-defined]
    left, first = (float(np.linalg.norm(residuals.value(y))) for y in (x, problem.x0))
    now, before = residuals.dense_jacobian(x), dense(residuals.jacobian_beside(problem.x0))
    beside = min(1.0, left / first) if left > 0 and first > 0 else 1.0
    dead = np.linalg.norm(now, axis=0) < _DEAD * beside * np.linalg.norm(before, axis=0)
    return [size[i] * np.eye(1, x.size, i)[0] for i in free[dead[free]]]


def _is_open(limits: Limits) -> bool:
    """Whether there is a parameter that may go to infinity."""
    return not (np.isfinite(limits.lower) & np.isfinite(limits.upper)).all()


def _creeps(problem: Problem, x: np.ndarray) -> bool:
    """Whether residuals that were something at x0 were nothing already halfway to `x`, where powers of them are not."""
    residuals = problem.objective.residuals  # type: ignore[attr-defined]
    halfway = (problem.x0 + x) / 2
    if not problem.is_defined(halfway):
        return False
    first, middle, last = (np.abs(residuals.value(y)) for y in (problem.x0, halfway, x))
    return bool(((first > 0) & (middle <= _VANISHED * first) & (last <= middle)).any())


_VANISHED = 1e-12


def has_lost(problem: Problem, x: np.ndarray) -> bool:
    """Whether a parameter has lost most of its effect on the residuals since x0: it may have gone to infinity."""
    residuals = problem.objective.residuals  # type: ignore[attr-defined]
    now, before = residuals.dense_jacobian(x), dense(residuals.jacobian_beside(problem.x0))
    first = np.where(problem.x0 == 0, 1.0, np.abs(problem.x0))
    unit = np.maximum(np.abs(x), first)
    return bool((np.linalg.norm(now, axis=0) * unit <= _IDLE * np.linalg.norm(before, axis=0) * first).any())


def _least(model: Whitened, curvature: tuple[np.ndarray, np.ndarray], free: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the least curvature of M, and its direction in the parameters, shape (n,)."""
    curvatures, vectors = np.linalg.eigh(curvature[0])
    direction = np.zeros(free.size)
    direction[free] = model.parameters(curvature[1] @ vectors[:, 0])
    return float(curvatures[0]), direction


def _falls(problem: Problem, x: np.ndarray, direction: np.ndarray) -> bool:
    """Whether the cost falls along `direction`, by more than rounding, at some part of the size of the parameters.

    Parameters that are still beside an x0 of 0 show none: they are moved by parts of 1, too.
    """
    cost, own = problem.fun(x), _sizes(problem, x)
    sizes = [own, np.where(problem.x0 == 0, np.maximum(own, 1.0), own)]
    reaches = [float(np.max(np.abs(direction) / size, initial=0.0)) for size in sizes]
    if not (np.isfinite(reaches).all() and min(reaches) > 0):
        return False
    aheads = (x + length / reach * direction for reach in reaches for length in (1.0, 0.1, 1e-2, 1e-3))
    return any(inside(problem, y) and problem.value(y) < cost * (1 - 1e-12) for y in aheads)


def _bends(problem: Problem, x: np.ndarray, direction: np.ndarray) -> bool:
    """Whether the cost rises along `direction` by a second power, and not by the fourth of a valley that is curved."""
    cost = problem.fun(x)
    far, near = (max(problem.value(x + sign * h * direction) for sign in (1, -1)) - cost for h in (1e-2, 1e-3))
    return bool(near > 1e-3 * far and near > 100 * np.finfo(np.float64).eps * cost)


def _stays(problem: Problem, x: np.ndarray, direction: np.ndarray) -> bool:
    """Whether the cost does not rise along `direction`, however far one goes."""
    value = last = problem.fun(x)
    slack = max(16 * np.finfo(np.float64).eps * value, _NOTHING * (problem.initial_value - value))
    for length in _LENGTHS:
        ahead = x + length * direction
        if not inside(problem, ahead):
            return False
        value = problem.value(ahead)
        if not value <= last + slack:
            return False
        last = min(value, last)
    return True
