"""Points at which an objective finds numbers equal: a formula for such points alone need not have their derivative.

`x**2 * log(abs(x)) if x != 0 else 0.0`, `np.where(k == 0, np.log(y), (y**k - 1) / k)`, or a value kept from the last
call and given back if x is the same: what is derived from the branch of equality says nothing of the points around. So
there it is compared with numerical derivatives, and so is the branch that holds around, before there is an error.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autoopt import differences
from autoopt.errors import Location, TracingError
from autoopt.graph.kinds import KINDS
from autoopt.objectives.differentiable import Branching
from autoopt.objectives.paths import Path

TRUSTED = 5
"""A branch of equality that was right at this many points is compared with one difference from then on."""

_NEAR = 2.0**-18
_TOLERANCE = 1e-5
_DISTANCES = (1e-7, -1e-7, 1e-3, -1e-3)


def settled(objective: Branching, path: Path, kind: str, x: np.ndarray, found: Any, *direction: np.ndarray) -> Any:
    """Return the derivative at `x`: `found`, from the branch of equality, or that of the branch that holds around.

    Raises
    ------
    TracingError
        If neither is what numerical derivatives show.
    """
    if path.trusted >= TRUSTED and _is_about(objective, kind, x, found, *direction):
        return found
    witness = _witness(objective, kind, x, *direction)
    if _agrees(found, *witness):
        path.trusted += 1
        return found
    if KINDS[kind].valued and _agrees(found, *_witness(objective, kind, x, rough=True)):
        return found  # numbers that rounding makes equal here and there: differences say nothing
    for distance in _DISTANCES:
        beside = objective.on_path_at(x, distance * _direction(x), kind, *direction)
        if beside is not None and _agrees(beside, *witness) and _continues(kind, beside, found):
            return beside
    sites = dict.fromkeys(Location.of_instruction(*site) for site in path.trace.tape.equalities)
    raise TracingError(
        "At this point the objective finds numbers equal, and the formula that it has for this case does not have the "
        "derivative that the objective has.",
        list(sites)[:3],
        "use a formula that holds at such points too, as np.sinc, np.expm1 and xlogy do, or start beside it.",
    )


def _is_about(objective: Branching, kind: str, x: np.ndarray, found: Any, *direction: np.ndarray) -> bool:
    """Whether a derivative is, about, what one difference shows."""
    p = _direction(x)
    q = direction[0] if direction else p
    first = KINDS[kind].order == 1
    f = objective.original_array if first else lambda z: objective.grad(z) @ q
    ahead, behind = (differences.value_at(f, x + h * p) for h in (_NEAR, -_NEAR))
    slope = (ahead - behind) / (2 * _NEAR)
    own = KINDS[kind].derivative(found)
    own = own if first or direction else own @ q
    noise = 1e-15 * np.max(np.abs(ahead) + np.abs(behind)) / _NEAR
    return bool(np.all(np.abs(own @ p - slope) <= 1e-3 * np.abs(slope) + noise + 1e-9))


def _direction(x: np.ndarray) -> np.ndarray:
    """Return a direction that leaves every equality; from 0 it goes up, as many parameters may not be negative."""
    signs = np.where(x == 0, 1.0, np.random.default_rng(0).choice([-1.0, 1.0], x.size))
    return signs * differences.step_scale(x) * np.linspace(0.5, 1.0, x.size)


def _witness(
    objective: Branching, kind: str, x: np.ndarray, *direction: np.ndarray, rough: bool = False
) -> tuple[Callable, Any, Any, bool]:
    """Return what makes a slope of a derivative, what it is by differences, with its error, and whether that counts.

    If `rough`, the error includes the noise that the objective shows close by.
    """
    p = _direction(x)
    if KINDS[kind].order == 1:
        roughness = differences.noise(objective.original_array, x + 2.0**-25 * p, p) if rough else 0.0
        slope, error = differences.directional(objective.original_array, x, p, roughness=roughness)
        if KINDS[kind].valued and not np.isfinite(error):  # at an end of where the objective is defined
            ahead, behind, error = _one_sided(objective.original_array, x, p)
            slope = ahead if np.isfinite(ahead) else behind
        conclusive = KINDS[kind].of_array or not _is_kink(objective.original_array, x, p)
        return (lambda found: KINDS[kind].derivative(found) @ p), slope, error, conclusive
    q = direction[0] if direction else p
    slope, error = differences.directional(lambda z: objective.grad(z) @ q, x, p)
    return (lambda found: (found if direction else found @ q) @ p), slope, error, True


def _continues(kind: str, beside: Any, found: Any) -> bool:
    """Whether the branch that holds around has the value that the objective has at the point."""
    row = KINDS[kind]
    return not row.valued or bool(np.isclose(row.value(beside), row.value(found), rtol=1e-7, atol=1e-12))


def _is_kink(f: Callable, x: np.ndarray, p: np.ndarray) -> bool:
    """Whether the slopes ahead of `x` and behind differ, and no less so closer by; f(x) itself does not count."""

    def bend(h: float) -> tuple[float, float]:
        ahead, behind = (
            (differences.value_at(f, x + 2 * h * q) - differences.value_at(f, x + h * q)) / h for q in (p, -p)
        )
        return abs(ahead + behind), max(abs(ahead), abs(behind))

    (far, _), (near, size) = bend(2.0**-12), bend(2.0**-16)
    return near > 0.5 * far and near > 1e-4 * size


def _one_sided(f: Callable, x: np.ndarray, p: np.ndarray) -> tuple[float, float, float]:
    """Return the slopes ahead and behind, and the error of what there is of them."""
    near = [differences.one_sided(f, x, p, h) for h in (2.0**-14, 2.0**-16)]
    errors = [abs(one - other) for one, other in zip(near[0][:2], near[1][:2], strict=True)]
    return near[1][0], near[1][1], min((error for error in errors if np.isfinite(error)), default=np.inf)


def _agrees(found: Any, made: Callable, slope: Any, error: Any, conclusive: bool) -> bool:
    """Whether a derivative fits its witness, or that says nothing."""
    own = made(found)
    if not np.all(np.isfinite(own)):
        return False
    return not conclusive or not np.any(np.abs(own - slope) > 10 * error + _TOLERANCE * np.maximum(np.abs(slope), 1e-3))
