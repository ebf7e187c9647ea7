"""Parameters without effect where the run ended: behind a rectifier that lets nothing through, or far off.

h = np.maximum(X @ W.T + b, 0)    column 0 of h is 0 in all rows: W[0], b[0] and factors of h[:, 0] have no slope
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autoopt.diagnosis.evidence import Evidence
from autoopt.diagnosis.table import Diagnosis, cause, numbers
from autoopt.diagnosis.walk import Walk, moving, shown
from autoopt.solvers.points import Point
from autoopt.solvers.rays import lost_in_rounding
from autoopt.tape.names import qualified
from autoopt.tape.tape import PARAMETER, Slot
from autoopt.wording import listed

_EXTREMES = ("maximum", "fmax", "minimum", "fmin")
_BACK = 0.2
_LEVEL = 1e-5
"""A parabola rises, a fifth of the way back to where the parameter began, by 0.04 of the rise there; this is less."""

_LOOKED, _FAR = 6, 3


@cause("dead units", 49, of_success=True)
def dead(evidence: Evidence) -> Diagnosis | None:
    """A maximum, minimum, clip or choice that lets nothing of some columns through: parameters have no slope."""
    idle = np.flatnonzero(evidence.slope == 0)
    if not 0 < len(idle) < evidence.x.size or (walk := evidence.walk(evidence.x)) is None:
        return None
    for index in moving(walk.tape.steps):
        shut = _shut(walk, index) if index < len(walk.values) else None
        if shut is None or shut.ndim < 2:
            continue
        columns = np.flatnonzero(shut.all(axis=tuple(range(shut.ndim - 1))))
        if not len(columns):
            continue
        step = walk.tape.steps[index]
        name = qualified(step.operation)
        which = f"column {columns[0]}" if len(columns) == 1 else f"columns {listed([str(k) for k in columns[:6]])}"
        happened = (
            f"{name} gives its constant in all rows of {which}: what goes into it there has no effect. Without a slope "
            f"are {listed([evidence.names[k] for k in idle[:8]])}{', ...' if len(idle) > 8 else ''}"
        )
        remedy = "start these parameters elsewhere, use a smooth form (np.logaddexp(0, z)), or leave the unit out."
        return Diagnosis(happened + ".", shown(step), remedy)
    return None


def _shut(walk: Walk, index: int) -> np.ndarray | None:
    """Return which entries of a step are constants of its arguments; None if it is no choice among them."""
    step, given = walk.tape.steps[index], walk.arguments(walk.tape.steps[index])
    name, value = getattr(step.operation, "__name__", ""), np.asarray(walk.values[index])
    sides = [_moves(walk, step, k) for k in range(len(given))]
    if name in _EXTREMES and sides[:2].count(True) == 1:
        own = given[sides.index(True)]
        return np.broadcast_to(value != np.asarray(own), value.shape)
    if name == "clip" and sides[0] and not any(sides[1:]):
        return np.asarray(value != np.asarray(given[0]))
    if name == "where" and len(given) == 3 and sides[1:].count(True) == 1:
        chosen = np.broadcast_to(np.asarray(given[0], dtype=bool), value.shape)
        return ~chosen if sides[1] else chosen
    return None


def _moves(walk: Walk, step: Any, k: int) -> bool:
    part = Slot(k) if step.template is None else step.template[0][k]
    return isinstance(part, Slot) and walk.tape.steps[step.inputs[part.position]].level == PARAMETER


@cause("a parameter that ran off", 21)
def ran_off(evidence: Evidence) -> Diagnosis | None:
    """A parameter that lost its effect on the way, so that noise is all that is left of its slope."""
    fell = evidence.problem.initial_value - evidence.here
    way = evidence.x - evidence.x0
    if not (np.isfinite(way).all() and fell > 0):
        return None
    evidence.left += 2 * _LOOKED
    for k in np.argsort(-np.abs(way) / np.maximum(np.abs(evidence.x0), 1.0), kind="stable")[:_LOOKED]:
        near, whole = (evidence.x - part * way * (np.arange(way.size) == k) for part in (_BACK, 1.0))
        if abs(way[k]) < _FAR * abs(evidence.x0[k]):
            continue
        rise = evidence.value(whole) - evidence.here
        if np.isfinite(rise) and rise > 1e-3 * fell and abs(evidence.value(near) - evidence.here) <= _LEVEL * rise:
            name = [evidence.names[k]]
            happened = (
                f"The run went off along {name[0]}, from {evidence.x0[k]:.6g} to {evidence.x[k]:.6g}, where it has "
                f"lost its effect: f is {evidence.here:.6g} there and the same at {numbers(name, near[[k]])}. Its "
                "minimum may lie at infinity"
            )
            remedy = f"bound {name[0]}, hold it with fixed=, or leave it out: the data do not hold it."
            return Diagnosis(happened + ".", (), remedy)
    return None


@cause("lost in rounding", 14)
def lost(evidence: Evidence) -> Diagnosis | None:
    """A parameter that went off to where terms grow and cancel, so that f and its slopes are rounding."""
    if evidence.result.success or evidence.hessian is None:
        return None
    point = Point(evidence.problem, evidence.x)
    direction = lost_in_rounding(point, np.diagonal(evidence.hessian)[point.free])
    if direction is None:
        return None
    k = int(np.flatnonzero(direction)[0])
    happened = (
        f"{evidence.names[k]} went off, from {evidence.x0[k]:.6g} to {evidence.x[k]:.6g}, where terms of the objective "
        f"grow and cancel: its value there, {evidence.here:.6g}, is off by as much as {point.roughness:.1e}, and its "
        "slopes are rounding. Its minimum may lie at infinity"
    )
    remedy = (
        f"bound {evidence.names[k]}, hold it with fixed=, or leave it out; or write the terms so that they do not "
        "cancel, such as scipy.special.betaln for a difference of log-gammas."
    )
    return Diagnosis(happened + ".", (), remedy, replaces=True)
