"""What a run has come to: whether its end is a solution, and in words why or why not."""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np

from autoopt.solvers import translation
from autoopt.solvers.certificate import Certificate
from autoopt.solvers.constrained import constrained_verdict
from autoopt.solvers.convergence import (
    FAR,
    blurred,
    finish,
    is_stationary,
    lower_onwards,
    remaining_gradient,
    without_bound,
)
from autoopt.solvers.curvature import falling
from autoopt.solvers.ending import Ending, is_far, is_met
from autoopt.solvers.plateaus import lower_beyond
from autoopt.solvers.points import Point, is_near, is_steady, sizes
from autoopt.solvers.problem import Problem, Stuck
from autoopt.solvers.sides import falling_from_kink
from autoopt.solvers.table import Solver
from autoopt.users_code import NO_VALUE
from autoopt.wording import aside, times


def verdict(
    solver: Solver, problem: Problem, end: Ending, gtol: float, chosen: frozenset[str]
) -> tuple[np.ndarray, bool, str]:
    """Return the solution, whether the run converged, and the message, with what happened on the way."""
    raw = end.raw
    if problem.constraints:
        x, success, message = constrained_verdict(problem, raw)
        message = raw.message if raw.get("is_judged") and success == raw.success else message
        return x, success, f"{message}{_where_undefined(problem)}"
    if end.found.status == "unknown":
        x, success, message = _judged(solver, problem, raw, gtol, chosen)
        if success and not _is_shown(problem, x) and (lower := lower_onwards(problem, x)) is not None:
            end.is_endless = True
            success, message = False, f"Not converged: {_AT_INFINITY.format(_along(problem, x, x - problem.x0), lower)}"
    else:
        x, (success, message) = end.x, _certified(solver, problem, end, gtol, chosen)
    end.is_endless = end.is_endless or (problem.abyss is not None and not success)
    if success and (wrong := _not_a_minimum(problem, x, gtol, end.found)):
        success, message = False, f"Not converged: {wrong}{aside(str(raw.message))}"
    return x, success, f"{message}{_where_undefined(problem)}"


def _certified(solver: Solver, problem: Problem, end: Ending, gtol: float, chosen: frozenset[str]) -> tuple[bool, str]:
    """Return whether the end of a run is a minimum by its certificate, and the message."""
    raw, x, found = end.raw, end.x, end.found
    met = is_met(solver, raw, chosen)
    if (found.complete or not met) and (none := _has_none(problem, end)):
        end.is_endless = True
        return False, f"Not converged: {none}{aside(str(raw.message))}"
    if found.status == "saddle":
        words = _CURVED if found.curvature < 0 or not found.complete else _ONE_SIDED
        return False, f"Not converged: {words.format(_along(problem, x, found.direction))}{aside(str(raw.message))}"
    if found.status == "descending":
        blur = blurred(problem, x, problem.fun(x))
        if blur > 0 and found.decrement <= blur:
            return True, f"Converged: {_BLURRED}."
        if met and not is_far(problem, end):
            promised = f"a Newton step would still lower f by {found.decrement:.1e}, from {problem.fun(x):.6g}"
            return True, f"Converged to the tolerance that was set; {promised}.{aside(str(raw.message), True)}"
        if raw.status not in solver.stalls and not raw.success:
            return False, str(raw.message)
        promised = f", and a Newton step promises to lower f by {found.decrement:.1e} from {problem.fun(x):.6g}"
        return False, _stopped_early(problem, x, raw, promised)
    untouched = raw.success and not end.newton_steps and not end.saddles
    said = f"{aside(str(raw.message))}" if raw.success else ""  # why the method had stopped short is past
    message = str(raw.message) if untouched else f"Converged: {_reason(problem, end)}.{said}"
    flat = f" f does not change along {_along(problem, x, found.direction)}." if found.status == "flat" else ""
    return True, message + flat


def _has_none(problem: Problem, end: Ending) -> str | None:
    """Return in words why there is no minimum, None if there may be one."""
    found, x = end.found, end.x
    if found.status == "minimum" and is_steady(Point(problem, x).size, found.step) and problem.abyss is None:
        return None
    if problem.abyss is not None:
        return NO_MINIMUM.format(without_bound(problem, x))
    if (endless := end.endless(problem)) is not None:
        direction, last = endless
        if not found.decrement > found.tolerance and (flat := _plateau(problem, x, found)) is not None:
            return flat
        words = (
            _UNBOUNDED if last < problem.initial_value - FAR * max(1.0, abs(problem.initial_value)) else _AT_INFINITY
        )
        return words.format(_along(problem, x, direction), f"{last:.6g}")
    if found.status == "lost":
        return _ROUNDING.format(_along(problem, x, found.direction))
    lost = without_bound(problem, x)
    return lost and NO_MINIMUM.format(lost)


def _reason(problem: Problem, end: Ending) -> str:
    """Return in words why the end of a run is a minimum."""
    found, parts = end.found, []
    if end.saddles:
        ways = [_along(problem, end.x, saddle.direction) for saddle in end.saddles if saddle.direction is not None]
        points = "a saddle point or maximum" if len(ways) == 1 else f"{len(ways)} saddle points or maxima"
        parts.append(f"the run left {points} along {', then '.join(ways)}")
    if end.newton_steps:
        parts.append(f"{times(end.newton_steps, 'Newton step')} led on from where the method stopped")
    step = "the next" if end.newton_steps and found.status != "flat" else "a Newton step"
    rest = f"{step} would lower f by {max(found.decrement, 0.0):.1e}"
    if found.status == "minimum" and found.definite and found.complete:
        rest += ", and all curvatures are positive"
    return "; ".join([*parts, rest])


def _stopped_early(problem: Problem, x: np.ndarray, raw: Any, promised: str = "") -> str:
    """Return the message of a run that could get no further, and is at no minimum; `promised` is added to its slope."""
    largest = np.max(np.abs(remaining_gradient(problem, x)))
    closer = getattr(problem.objective, "closer", lambda x: None)(x)
    rough = " Solve its differential equations with smaller rtol and atol, such as 1e-8." if closer else ""
    loose = raw.get("set", {}) if raw.success else {}
    settings = ", ".join(f"{name}={value:.3g}" for name, value in loose.items())
    why = f"the run stopped by the tolerance that was set ({settings})" if loose else "no progress was possible"
    said = f"Not converged: {why}, but the gradient is {largest:.1e}"
    return f"{said}{promised}.{rough}{aside(str(raw.message))}"


def _judged(
    solver: Solver, problem: Problem, raw: Any, gtol: float, chosen: frozenset[str]
) -> tuple[np.ndarray, bool, str]:
    """Return the solution, whether the run converged, and the message: SciPy's, or ours where the judgement is ours."""
    x, message = np.asarray(raw.x, dtype=np.float64), str(raw.message)
    if not -np.inf < problem.value(x):
        return (
            problem.best,
            False,
            f"Not converged: the run ended where the objective is not defined; x is a point before.{aside(message)}",
        )
    if problem.shown is not None and np.array_equal(problem.shown, x):
        return x, True, message
    gradient = problem.jac(x)
    if not (np.isfinite(problem.fun(x)) and np.isfinite(gradient).all()):
        lost = without_bound(problem, x)
        return x, False, f"{message} {NO_MINIMUM.format(lost) if lost else _NOT_FINITE}"
    met = is_met(solver, raw, chosen)
    if not met and raw.status in solver.stalls:
        x, reason = finish(problem, x, gtol)
        if reason:
            return x, True, f"Converged: {reason}." + (aside(message, True) if raw.success else "")
    elif raw.success and (met or solver.settles or is_stationary(problem, x, gtol)):
        return x, True, message
    if lost := without_bound(problem, x):
        return x, False, f"Not converged: {NO_MINIMUM.format(lost)}{aside(message)}"
    if raw.status not in solver.stalls:
        return x, False, message
    return x, False, _stopped_early(problem, x, raw)


_BLURRED = "what a Newton step promises is less than the tolerance to which f solves its equations leaves open"
_NOT_FINITE = "The value or the gradient is not finite at the last point."
NO_MINIMUM = (
    "{}: it is not bounded below, or its minimum lies at infinity. Bound the parameters or add a penalty; if it is to "
    "be maximised, return its negative."
)


def _not_a_minimum(problem: Problem, x: np.ndarray, gtol: float, found: Certificate) -> str | None:
    """Return what is wrong with a point where the gradient vanishes and from which f falls; None if it does not."""
    if _is_shown(problem, x):
        return None
    undefined = len(problem.undefined)
    is_close = not found.complete or is_near(sizes(x, problem.x0), found.step)
    is_seen = found.status != "unknown" and found.definite and is_close
    looks = (_from_kink, _plateau) if is_seen else (_descent, _from_kink, _plateau)
    for look in looks:
        stationary = look is _plateau or is_stationary(problem, x, gtol)
        with contextlib.suppress(Stuck, *NO_VALUE):  # what raises beside x does
            if stationary and (wrong := look(problem, x, found)) is not None:
                del problem.undefined[undefined:]
                return wrong
    del problem.undefined[undefined:]
    return None


def _is_shown(problem: Problem, x: np.ndarray) -> bool:
    """Whether `x` has been shown to be a minimum by more than its slope, as by residuals or slopes on both sides."""
    return any(
        shown is not None and np.array_equal(shown, x)
        for shown in (problem.shown, getattr(problem.objective, "shown", None))
    )


def _descent(problem: Problem, x: np.ndarray, found: Certificate) -> str | None:
    descent = falling(problem, x)
    if descent is None or (descent.curved and found.complete and found.curvature > -_BEND):
        return None  # exact curvatures are known better than differences
    return (_CURVED if descent.curved else _ONE_SIDED).format(_along(problem, x, descent.direction))


def _from_kink(problem: Problem, x: np.ndarray, found: Certificate) -> str | None:
    direction = falling_from_kink(problem, x)
    return None if direction is None else _KINK.format(_along(problem, x, direction))


def _plateau(problem: Problem, x: np.ndarray, found: Certificate) -> str | None:
    lower = lower_beyond(problem, x)
    return None if lower is None else _flat(problem, x, *lower)


def _along(problem: Problem, x: np.ndarray, direction: np.ndarray | None) -> str:
    from autoopt.inference import combination

    assert direction is not None
    return combination(translation.direction(problem, x, direction), translation.names(problem))


def _flat(problem: Problem, x: np.ndarray, lower: np.ndarray, value: float) -> str:
    """Return the sentence that f is flat around `x`, in which parameters, and where it is lower."""
    x, lower = translation.parameters(problem, x), translation.parameters(problem, lower)
    names, moved = translation.names(problem), np.flatnonzero(lower != x)
    rest = f" and {len(moved) - _NAMED} more" if len(moved) > _NAMED else ""
    listed = ", ".join(names[i] for i in moved[:_NAMED]) + rest
    there = ", ".join(f"{names[i]} = {lower[i]:.4g}" for i in moved[:_NAMED]) + rest
    where = "around x" if len(moved) == x.size else f"in {listed} around x"
    return (
        f"the objective is flat {where}, its slope there is 0 (saturated, clipped or truncated), but it falls farther "
        f"off, to {value:.6g} at {there}. Start elsewhere, for instance there."
    )


_UNBOUNDED = (
    "the objective falls along {0}, to {1}, however far one goes: it is not bounded below. Bound the parameters or add "
    "a penalty; if it is to be maximised, return its negative."
)
_AT_INFINITY = (
    "the objective does not rise along {0}, however far one goes (it comes to {1}): its minimum lies at infinity. "
    "Leave out a parameter of this combination, bound it, or add a penalty (in a classification the combination "
    "separates the classes)."
)
_ROUNDING = (
    "the run went off along {0}, to where what the objective changes by is rounding: its minimum may lie at infinity. "
    "Leave out a parameter of this combination, bound it, or add a penalty."
)
_BEND = 1e-10
_NAMED = 4
_CURVED = (
    "this is a saddle point or a maximum, where the gradient vanishes: the curvature is negative along {0}. "
    "Start elsewhere, for instance a little off in this direction."
)
_ONE_SIDED = (
    "this is a saddle point or a point of inflexion, where gradient and curvature vanish: the objective falls along "
    "{0}. Start elsewhere, for instance a little off in this direction."
)
_KINK = (
    "this is a kink, where slopes on different sides cancel, and no minimum: the objective falls along {0}. Start "
    "elsewhere, for instance a little off in this direction."
)


def _where_undefined(problem: Problem) -> str:
    """Return the sentence on trial points where the objective was not defined, empty if there were none."""
    count = len(problem.undefined)
    if not count:
        return ""
    points = "1 trial point" if count == 1 else f"{count} trial points"
    return f" At {points} {problem.undefined[-1]}; the method stepped back."
