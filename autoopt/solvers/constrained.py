"""What a run under constraints has come to, in words: SciPy's success is never enough, and its failure not final."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import numpy as np

from autoopt.solvers import translation
from autoopt.solvers.active_set import polished, unnoted
from autoopt.solvers.arcs import falling_along, falls_about, falls_to_first_order
from autoopt.solvers.bounds import within
from autoopt.solvers.conditions import REMAINS, Conditions, row_values
from autoopt.solvers.infeasibility import contradiction, nearest, row_name, what_is_missed
from autoopt.solvers.infinity import way_to_infinity
from autoopt.solvers.kkt import Certificate
from autoopt.solvers.problem import Problem, Stuck
from autoopt.solvers.sides import falling_from_kink
from autoopt.users_code import NO_VALUE
from autoopt.wording import aside, listed

INFEASIBLE, UNBOUNDED, NOT_A_MINIMUM = 201, 202, 203
"""Statuses of results where the solver's own says nothing of it."""

_FAR, _LENGTHS = 1e8, tuple(10.0**k for k in range(9))


def constrained_verdict(problem: Problem, raw: Any) -> tuple[np.ndarray, bool, str]:
    """Return the solution, whether it is a minimum under the constraints, and the message; sets `raw.status` if not.

    `raw.tolerances` are those that the user set: a point that falls short of being a minimum by less is one.
    """
    x, message = np.asarray(raw.x, dtype=np.float64), str(raw.message)
    if not (np.isfinite(x).all() and problem.is_defined(x)):
        before = problem.latest if problem.is_defined(problem.latest) else problem.best
        return before, False, _UNDEFINED.format(aside(message))
    with unnoted(problem), np.errstate(all="ignore"):
        found = raw.get("certified") or _tried(lambda: polished(problem, x))
        if found is None:
            raw.status = int(raw.status) or NOT_A_MINIMUM
            return x, False, f"{message} {_NOT_FINITE}"
        status, wrong = _judged(problem, found, raw, raw.get("tolerances", {}))
        if status == INFEASIBLE:
            x, wrong = _infeasible(problem, found)
        else:
            x = found.x
    if status:
        raw.status = status
        return x, False, f"Not converged: {wrong}{aside(message)}"
    moved = float(np.max(np.abs(x - raw.x), initial=0.0))
    step = f", after Newton's steps of {moved:.1e} onto the constraints and bounds that hold x" if moved else ""
    return x, True, f"Converged: {_MINIMUM}{step}.{_degenerate(problem, found)} ({message})"


_UNDEFINED = "Not converged: the run ended where the objective is not defined; x is a point before.{}"
_NOT_FINITE = "The value or a derivative is not finite at the last point."


def _degenerate(problem: Problem, found: Certificate) -> str:
    """Return the sentence on constraints whose normals are almost parallel or vanish at the solution; empty if not so.

    Multipliers are then what rounding makes them, and without a limit: no constraint qualification holds there.
    """
    conditions, force = found.conditions, found.force
    weights = np.abs(force.multipliers[force.working])
    size = float(np.max(np.abs(problem.jac(found.x)) * conditions.unit, initial=0.0))
    own = _lengths(conditions, force.working)
    begun = conditions.floors[force.working] / REMAINS  # what vanishes was of this size at x0
    large = weights * own > _WITHOUT_LIMIT * size
    if size > 0 and not large.any() and (may := weights * begun > _WITHOUT_LIMIT * size).any():
        beside = _tried(lambda: Conditions.at(problem, within(problem.limits, found.x + _BESIDE * conditions.unit)))
        large = may & (_lengths(beside, force.working) > _GROWN * own) if beside is not None else large
    if not (size > 0 and large.any()):
        return ""
    names = [row_name(problem, conditions, int(k)) for k in force.working[large]]
    named = listed(list(dict.fromkeys(name[0].lower() + name[1:] for name in names))[:_NAMED])
    return _DEGENERATE.format(named, float(np.max(weights[large])))


def _lengths(conditions: Conditions, rows: np.ndarray) -> np.ndarray:
    return np.asarray(abs(conditions.slopes[rows]) @ conditions.unit)


_WITHOUT_LIMIT, _NAMED = 1e7, 4
_BESIDE, _GROWN = 1e-3, 1e3
"""A slope that is so many times larger so far beside x, in units of the parameters, vanishes at x."""
_DEGENERATE = (
    " But no constraint qualification holds there: the slopes of {0} are parallel or vanish at x, so that the "
    "multipliers, up to {1:.1e}, mean nothing, and x is known to fewer digits than elsewhere."
)
_MINIMUM = "multipliers of the right sign make up the gradient, and the curvature along the constraints is not negative"


def _judged(problem: Problem, found: Certificate, raw: Any, tolerances: dict[str, float]) -> tuple[int, str]:
    """Return the status, 0 for a minimum, and in words what is wrong."""
    if found.status == "infeasible":
        return INFEASIBLE, ""
    if found.status in ("minimum", "saddle"):
        is_known = raw.get("certified") is found and "fall" in raw
        fall = raw.fall if is_known else _tried(lambda: falling_along(problem, found))
        if fall is not None:
            words = _CURVED if fall.curved else _ONE_SIDED
            return NOT_A_MINIMUM, words.format(_along(problem, found.x, fall.direction))
        kink = _tried(lambda: falling_from_kink(problem, found.x))
        if kink is not None:
            return NOT_A_MINIMUM, _KINK.format(_along(problem, found.x, kink))
        if lost := _tried(lambda: _escaped(problem, found)):
            return UNBOUNDED, lost
        return 0, ""
    if _is_close_enough(found, tolerances):
        return 0, ""
    if lost := _tried(lambda: _ray(problem, found) or _escaped(problem, found)):
        return UNBOUNDED, lost
    if found.status == "descending" and _is_still(problem, found, bool(raw.success or raw.get("resting"))):
        return 0, ""
    status = int(raw.status) or NOT_A_MINIMUM
    largest = np.max(np.abs(found.force.residual), initial=0.0)
    return status, _DESCENDING.format(largest)


def _is_still(problem: Problem, found: Certificate, arrived: bool) -> bool:
    """Whether no fall shows, to first order, where slopes are rounding beside what f was, or a kink hides them.

    Where little is left of sums of squares or of fourth powers, curvature vanishes with the slope. At a kink slopes are
    none, and the method must have `arrived`.
    """
    size = max(abs(found.value), min(1.0, abs(problem.initial_value)))
    slope = float(np.max(np.abs(found.force.residual) * found.conditions.unit, initial=0.0))
    fallen = abs(problem.initial_value - found.value)
    small = slope <= _SMALL_SLOPE * size
    least = _ROUNDING * fallen if small else 0.0
    undefined = len(problem.undefined)
    if not (small or arrived) or _tried(lambda: falls_to_first_order(problem, found, least)) is not False:
        return False
    if _tried(lambda: falling_from_kink(problem, found.x) is None and not falls_about(problem, found)) is not True:
        return False
    return len(problem.undefined) == undefined  # at the edge of where it is defined, nothing holds f


_SMALL_SLOPE, _ROUNDING = 1e-9, 1e-15


def _is_close_enough(found: Certificate, tolerances: dict[str, float]) -> bool:
    """Whether the tolerances that the user set allow what is missing."""
    allowed = max(tolerances.values(), default=0.0)
    if not allowed:
        return False
    residual = float(np.max(np.abs(found.force.residual), initial=0.0))
    return residual <= allowed or (found.decrement <= allowed and found.length <= max(allowed, 1e-3))


_CURVED = (
    "this is a saddle point or a maximum along the constraints: the curvature of the Lagrangian is negative along {0}. "
    "Start elsewhere, for instance a little off in this direction."
)
_ONE_SIDED = (
    "this is a saddle point or a point of inflexion along the constraints, where slope and curvature vanish: the "
    "objective falls along {0}. Start elsewhere, for instance a little off in this direction."
)
_KINK = (
    "this is a kink, where slopes on different sides cancel, and no minimum: the objective falls along {0}. Start "
    "elsewhere, for instance a little off in this direction."
)
_DESCENDING = (
    "the objective still falls along the constraints: multipliers of the right sign leave {:.1e} of its gradient."
)
_UNBOUNDED = (
    "the objective is not bounded below on the constraints, or its minimum lies at infinity: it falls on at parameters "
    "as large as {:.1e}, along {}; bound the parameters or add a penalty."
)


def _ray(problem: Problem, found: Certificate) -> str | None:
    """Return in words that f falls without end along its steepest descent on the constraints; None if it does not."""
    unit, conditions = found.conditions.unit, found.conditions
    slopes = found.force.residual * unit
    size = float(np.max(np.abs(slopes), initial=0.0))
    if not size > 0:
        return None
    far = _FAR * float(np.max(np.maximum(np.abs(problem.x0), 1.0)))
    gone = np.max(np.abs(found.x - problem.x0), initial=0.0) > far
    direction, value = -unit * slopes / size, found.value
    for length in _LENGTHS:
        moved = found.x + length * direction
        values = row_values(problem, conditions, moved)
        missed = np.abs(conditions.missing(values))
        allowed = 1e-8 * conditions.sizes * max(length, 1.0) + conditions.rounding * length
        ahead = problem.value(moved) if (missed <= allowed).all() else np.nan
        if not ahead < value:
            break
        value = ahead
    else:
        gone, moved = True, found.x + _LENGTHS[-1] * direction
    return _UNBOUNDED.format(np.max(np.abs(moved)), _along(problem, found.x, direction)) if gone else None


def _escaped(problem: Problem, found: Certificate) -> str | None:
    """Return in words that f never rises on the way that the run has come, however far it goes; None if it does."""
    if (escaped := way_to_infinity(problem, found)) is None:
        return None
    direction, far = escaped
    return _UNBOUNDED.format(np.max(np.abs(far)), _along(problem, found.x, direction))


def _infeasible(problem: Problem, found: Certificate) -> tuple[np.ndarray, str]:
    """Return the point where the constraints are missed least, and in words which, by how much, and why."""
    linear = _tried(lambda: contradiction(problem, found.conditions))
    least = _tried(lambda: nearest(problem, found.x))
    x, conditions = found.x, found.conditions
    if least is not None:
        x, conditions = least.x, least.conditions
    missed = what_is_missed(problem, conditions)
    if linear:
        return x, f"{linear} {missed}"
    if least is None:
        return x, f"the constraints are not met. {missed} {_SEE_WHETHER}"
    if least.met:
        return x, _MET_NEARBY.format(what_is_missed(problem, found.conditions))
    if least.stationary:
        return x, f"{_MISSED_LEAST} {missed} {_SEE_WHETHER}"
    return x, f"the constraints are not met. {missed} {_SEE_WHETHER}"


_MISSED_LEAST = (
    "the constraints cannot be met near x, where they are missed least: along no step from there does the sum of the "
    "squares fall of what each is missed by, relative to its size at x0."
)
_SEE_WHETHER = "See whether they contradict each other or the bounds, or start from a point that meets them."

_MET_NEARBY = "the run ended where constraints are not met, though x, another point, meets them all. {} Start from x."


def multipliers_at(problem: Problem, x: np.ndarray) -> list[np.ndarray] | None:
    """Return the multipliers of constraints and bounds at `x`; None where there are no derivatives."""
    from autoopt.solvers.lagrangian import forces

    if not problem.constraints and problem.limits is None:
        return None
    conditions = Conditions.at(problem, x)
    gradient, slopes = problem.jac(x), conditions.slopes
    with np.errstate(over="ignore"):
        sizes = gradient * conditions.unit
    if not (np.isfinite(sizes).all() and np.isfinite(slopes.data if hasattr(slopes, "tocsr") else slopes).all()):
        return None
    with np.errstate(all="ignore"):  # of runs that went to infinity
        found = forces(conditions, gradient, _HELD).multipliers
    return conditions.split(found, x.size)


_HELD = 1e-6


def _along(problem: Problem, x: np.ndarray, direction: np.ndarray) -> str:
    from autoopt.inference import combination

    return combination(translation.direction(problem, x, direction), translation.names(problem))


def _tried(look: Callable) -> Any:
    """Return what `look` gives, None where what it looks at raises."""
    with contextlib.suppress(Stuck, *NO_VALUE):
        return look()
    return None


def multiplier_names(problem: Problem, count: int) -> list[list[str]]:
    """Return what each of `count` arrays of multipliers belongs to: values of constraints, then parameters' bounds."""
    parts = [part for one in problem.constraints for part in one.named]
    found = [[name] if size == 1 else [f"{name}[{k}]" for k in range(size)] for name, size in parts]
    return [*found, translation.names(problem)][:count]
