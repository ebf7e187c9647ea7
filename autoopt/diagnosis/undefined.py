"""Values that are not finite: in the data, at the start, at the trial points, and slopes that are infinite."""

from __future__ import annotations

from typing import Any

import numpy as np

from autoopt.diagnosis.domains import is_steep, why
from autoopt.diagnosis.evidence import Evidence
from autoopt.diagnosis.table import Diagnosis, cause, numbers
from autoopt.diagnosis.walk import Origin, Walk, depends, moving, not_finite, origin, shown
from autoopt.objectives.suspects import not_finite as not_finite_data
from autoopt.origin import users_places
from autoopt.solvers.convergence import without_bound
from autoopt.tape.tape import PARAMETER

_OFTEN = 0.05
_NEAR = 1e-3
"""A trial point this near, in terms of the parameters, is one that the last steps led to."""

_UNDERFLOW = -745.0
"""Below it np.exp is 0."""


@cause("data that are not finite", 10, of_start=True)
def in_data(evidence: Evidence) -> Diagnosis | None:
    """NaN or inf among the data, which reached the value."""
    if np.isfinite(evidence.here) and np.isfinite(evidence.slope).all():
        return None
    lines = not_finite_data(evidence.objective.function, evidence.objective.args)
    walk = evidence.walk(evidence.x)
    start = origin(walk) if walk is not None else None
    if not lines or (start is not None and start.leaf is None and start.step.level == PARAMETER):
        return None
    happened = "\n".join([f"The objective is {evidence.here}, and its data hold values that are not finite:", *lines])
    return Diagnosis(happened, (), "leave these rows out (np.isfinite finds them) or put numbers in their place.")


@cause("not finite at the start", 20, of_start=True)
def at_the_end(evidence: Evidence) -> Diagnosis | None:
    """The first operation whose result is not finite, where the run began or ended."""
    gone = evidence.problem is not None and without_bound(evidence.problem, evidence.z) is not None
    if np.isfinite(evidence.here) or gone:
        return None
    place = "at x0" if evidence.result is None else "where the run ended"
    return _undefined(evidence, evidence.x, f"The objective is {evidence.here} {place}: ")


@cause("not defined around", 22)
def nothing_around(evidence: Evidence) -> Diagnosis | None:
    """Where the run ended the objective is defined at that point alone, as far as a few points show."""
    if evidence.lost is None:
        return None
    for part in (0.5, 0.9, 1e-3, -1e-3):
        if np.isfinite(evidence.value(evidence.inside(evidence.x + part * (evidence.lost - evidence.x)))):
            return None
    return at_trial_points(evidence)


@cause("reaches minus infinity", 23)
def reaches_minus_infinity(evidence: Evidence) -> Diagnosis | None:
    """The objective was -inf at a trial point: it is not bounded below, or its logarithm is of 0."""
    if evidence.abyss is None or evidence.result.success:
        return None
    return _undefined(evidence, evidence.abyss, "The objective reaches -inf: ")


@cause("not finite at trial points", 75)
def at_trial_points(evidence: Evidence) -> Diagnosis | None:
    """The run was driven to points where the objective is not defined, and could not go on beside them."""
    if evidence.lost is None or evidence.abyss is not None or not _leads_out(evidence):
        return None
    count = len(evidence.problem.undefined)
    if count < _OFTEN * evidence.problem.nfev:
        return None
    points = "a trial point" if count == 1 else f"{count} trial points"
    begins = f"The run was led to {points} where the objective has no value: "
    return _undefined(evidence, evidence.lost, begins)


def _leads_out(evidence: Evidence) -> bool:
    """Whether f falls all the way to where it is no longer defined, so that stepping back does not help."""
    lost, x = evidence.lost, evidence.x
    steps = [evidence.value(x + part * (lost - x)) for part in (0.5, 0.9, 0.99)]
    near = np.max(np.abs(lost - x) / evidence.unit) <= _NEAR
    ahead = [evidence.here, *(value for value in steps if np.isfinite(value))]
    return bool(near or len(ahead) == 1 or (np.diff(ahead) < 0).all())


@cause("infinite slope", 25, of_start=True)
def slope_is_not_finite(evidence: Evidence) -> Diagnosis | None:
    """The value is finite, but its gradient is not."""
    if np.isfinite(evidence.slope).all() or not np.isfinite(evidence.here):
        return None
    i = int(np.argmin(np.isfinite(evidence.slope)))
    place = "at x0" if evidence.result is None else "where the run ended"
    happened = f"The gradient is {evidence.slope[i]} {place} along {evidence.names[i]}, though the value is finite"
    remedy = "start from a point where the objective has a slope, or add a small number under the root."
    walk = evidence.walk(evidence.x)
    if walk is None:
        return Diagnosis(happened + ".", (), remedy)
    for index in moving(walk.tape.steps):
        step = walk.tape.steps[index]
        given = walk.arguments(step)
        steep = is_steep(step.operation, given)
        if steep is not None and steep.any():
            name = getattr(step.operation, "__name__", str(step.operation))
            at = np.asarray(given[0]).reshape(-1)[0] if np.size(given[0]) == 1 else 0
            where = _placed(tuple(int(k) for k in np.argwhere(steep)[0])) if np.ndim(given[0]) else ""
            return Diagnosis(f"{happened}: np.{name} has an infinite slope at {at:.6g}{where}.", shown(step), remedy)
    return Diagnosis(happened + ".", (), remedy)


def first_undefined(objective: Any, x0: np.ndarray, begins: str) -> Diagnosis | None:
    """Return the sentence on the first operation of an objective whose result is not finite at `x0`, shape (n,)."""
    return _begun(Evidence(objective, x0), x0, begins)


def _undefined(evidence: Evidence, x: np.ndarray, begins: str) -> Diagnosis | None:
    """Return the sentence on the first step that is not finite at `x`, or on what the function raises there."""
    if (error := evidence.raised(x)) is not None:
        with_values = numbers(evidence.names, x)
        said = f"it raised {type(error).__name__}: {error}".rstrip(": ")
        walk = _same_error(evidence.walk(x), error)
        where = shown(walk.tape.steps[len(walk.values)]) if walk else tuple(users_places(error)[-1:])
        return Diagnosis(f"{begins}{said}, at {with_values}.", where, _SINGULAR if "ingular" in str(error) else _BOUND)
    return _begun(evidence, x, begins)


def _begun(evidence: Evidence, x: np.ndarray, begins: str) -> Diagnosis | None:
    """Return the sentence on the first step that is not finite at `x`."""
    walk, with_values = evidence.walk(x), numbers(evidence.names, x)
    start = origin(walk) if walk is not None else None
    if start is None:
        return None
    if start.mask is None:
        return Diagnosis(f"{begins}it raised {start.walk.error}, at {with_values}.", start.where, _BOUND)
    if start.leaf is not None:
        return Diagnosis(f"{begins}{start.leaf} is not finite at{_placed(start.place)}.", (), _BOUND)
    said, remedy = _of(start)
    if start.step.level != PARAMETER:
        return Diagnosis(f"{begins}{said}.", start.where, _DATA)
    return Diagnosis(f"{begins}{said}, at {with_values}.", start.where, f"{remedy or _BOUND.removesuffix('.')}.")


_BOUND = "start elsewhere, or bound the parameters so that this does not happen."
_DATA = "correct these data, or leave their rows out: no parameter has a part in this."
_SINGULAR = "look for rows or columns that are equal, or add a small number (1e-8) to the diagonal of the matrix."


def _same_error(walk: Walk | None, error: Exception) -> Walk | None:
    return walk if walk is not None and walk.error is not None and type(walk.error) is type(error) else None


def _of(start: Origin) -> tuple[str, str]:
    """Return what an operation made of which numbers, where, and what to do."""
    given = [_entry(value, start) for value in start.walk.arguments(start.step) if _is_number(value)]
    value = np.asarray(start.value)[start.place] if np.ndim(start.value) else start.value
    said, remedy = why(start.step.operation, given, value)
    count = int(start.mask.sum()) if start.mask is not None else 1
    said += _placed(start.place) + (f" and {count - 1} more" if count > 1 else "")
    if (over := _overflow(start)) is not None:
        said, remedy = f"{over[0]}, which makes {said}", over[1]
    elif (under := _underflow(start)) is not None:
        said += f", as np.exp of {under:.6g} underflows to 0"
        remedy = "add logarithms in place of multiplying, as logpdf does"
    elif (near := _rounded_away(start)) is not None:
        said += f", as {near}"
        remedy = "compute it without the difference: np.log1p, scipy.special.log_expit or np.logaddexp(0, z)"
    return said, remedy


def _is_number(value: Any) -> bool:
    return isinstance(value, np.ndarray | np.generic | float | int) and np.asarray(value).dtype.kind in "fiub"


def _entry(value: Any, start: Origin) -> float:
    """Return the number of an argument that goes into the entry where it began."""
    array = np.asarray(value, dtype=float)
    if np.ndim(start.value) and start.mask is not None:
        try:
            return float(np.broadcast_to(array, start.mask.shape)[start.place])
        except ValueError:
            pass
    if array.size == 1:
        return float(array.reshape(()))
    return float(np.min(array)) if array.size else np.nan


def _placed(place: tuple[int, ...]) -> str:
    if not place:
        return ""
    rows = f" at row {place[0]}"
    return rows + (f", column {place[1]}" if len(place) == 2 else "")


def _overflow(start: Origin) -> tuple[str, str] | None:
    """Return what overflowed, and what to do, where dividing by it left the 0 that an operation has no value for."""
    walk, steps = start.walk, start.walk.tape.steps
    if not start.step.inputs:
        return None
    for index in sorted(depends(walk.tape, start.step.inputs[-1])):
        mask = not_finite(walk.values[index])
        if mask is not None and steps[index].operation is not None:
            return _of(Origin(walk, index, mask))
    return None


def _underflow(start: Origin) -> float | None:
    """Return the argument of np.exp that underflows, where a logarithm or a division meets its 0."""
    if getattr(start.step.operation, "__name__", "") not in ("log", "log2", "log10", "true_divide", "divide"):
        return None
    steps, walk = start.walk.tape.steps, start.walk
    for index in sorted(depends(walk.tape, start.step.inputs[-1]), reverse=True):
        if getattr(steps[index].operation, "__name__", "") == "exp":
            least = float(np.min(walk.arguments(steps[index])[0], initial=0.0))
            if least < _UNDERFLOW:
                return least
    return None


def _rounded_away(start: Origin) -> str | None:
    """Return in words that a difference is 0 because its operands are equal to rounding: 1 - p where p is nearly 1."""
    if getattr(start.step.operation, "__name__", "") not in ("log", "true_divide", "divide"):
        return None
    before = start.walk.tape.steps[start.step.inputs[-1]]
    if getattr(before.operation, "__name__", "") != "subtract":
        return None
    one, other = (_entry(value, start) for value in start.walk.arguments(before)[:2])
    return f"{one:.6g} - {other:.17g} is 0 to rounding" if one == other else None
