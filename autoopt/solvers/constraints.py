"""SciPy's constraints, on parameters of x0's structure, as constraints on the flat vector with accurate Jacobians."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from autoopt import differences
from autoopt.errors import UsageError
from autoopt.parameters import Structure
from autoopt.solvers.bounds import Limits

_REMEDY = 'give dicts with "type" ("eq" or "ineq") and "fun", or a NonlinearConstraint or LinearConstraint, or a list.'


def flat_constraints(constraints: Any, structure: Structure) -> list:
    """Return `constraints` as a list of SciPy's constraints on the flat vector; missing Jacobians by differences."""
    from scipy.optimize import LinearConstraint, NonlinearConstraint

    listed = list(constraints or ()) if isinstance(constraints, list | tuple) else [constraints] if constraints else []
    flat = []
    for number, constraint in enumerate(listed):
        if isinstance(constraint, LinearConstraint):
            flat.append(constraint)
        elif isinstance(constraint, NonlinearConstraint):
            fun, jac = _flat_functions(constraint.fun, constraint.jac, (), structure)
            flat.append(
                NonlinearConstraint(
                    fun, constraint.lb, constraint.ub, jac, constraint.hess, constraint.keep_feasible
                )
            )  # fmt: skip
        elif isinstance(constraint, dict) and _is_sound(constraint):
            fun, jac = _flat_functions(constraint["fun"], constraint.get("jac"), constraint.get("args", ()), structure)
            flat.append({"type": constraint["type"].lower(), "fun": fun, "jac": jac})
        else:
            raise UsageError(f"constraints[{number}] is not understood: {constraint!r}.", remedy=_REMEDY)
    return flat


def _is_sound(constraint: dict) -> bool:
    kind = str(constraint.get("type")).lower()
    return (
        kind in ("eq", "ineq")
        and callable(constraint.get("fun"))
        and not set(constraint) - {"type", "fun", "jac", "args"}
    )


def _flat_functions(fun: Callable, jac: Any, args: tuple, structure: Structure) -> tuple[Callable, Callable]:
    """Return value and Jacobian of one constraint as functions of the flat vector."""

    def value(x: np.ndarray) -> np.ndarray:
        return np.atleast_1d(np.asarray(fun(structure.unflatten(x), *args), dtype=np.float64))

    def jacobian(x: np.ndarray) -> np.ndarray:
        return jac(structure.unflatten(x), *args) if callable(jac) else differences.jacobian(value, x)[0]

    return value, jacobian


def active_normals(constraints: list, limits: Any, x: np.ndarray, tolerance: float) -> np.ndarray | None:
    """Return the inward normals of the constraints and bounds that hold `x`, shape (k, n); both ways for equalities.

    None if `x` violates one by more than `tolerance` relative to max(|limit|, 1).
    """
    everything = [*constraints, *([limits] if limits is not None else [])]
    normals = [np.zeros((0, x.size))]
    for constraint in everything:
        value, lower, upper = _values(constraint, x)
        jacobian = _jacobian(constraint, x, value.size)
        for sign in (1.0, -1.0):
            room, allowed = _room(value, lower, upper, sign, tolerance)
            if (room < -allowed).any():
                return None
            normals.append(sign * jacobian[room <= allowed])
    return np.concatenate(normals)


@dataclass(frozen=True)
class Held:
    """What holds a point: `normals`, shape (k, n), inward, `equal`, shape (k,), which are equalities, and functions.

    `values(y)`, shape (k,), are those of the constraints that hold it, with the sign that makes the normals their
    Jacobian `slopes(y)`; `allowed(y)` is whether no constraint and no bound is violated.
    """

    values: Callable[[np.ndarray], np.ndarray]
    slopes: Callable[[np.ndarray], np.ndarray]
    allowed: Callable[[np.ndarray], bool]
    normals: np.ndarray
    equal: np.ndarray


def held(constraints: list, limits: Any, x: np.ndarray, tolerance: float) -> Held | None:
    """Return what holds `x` of constraints and bounds, to `tolerance` relative to max(|limit|, 1); None if violated."""
    everything = [*constraints, *([limits] if limits is not None else [])]
    rows = []
    for constraint in everything:
        value, lower, upper = _values(constraint, x)
        rooms = [_room(value, lower, upper, sign, tolerance) for sign in (1.0, -1.0)]
        if any((room < -allowed).any() for room, allowed in rooms):
            return None
        low, high = (room <= allowed for room, allowed in rooms)
        equal = low & high
        rows += [(constraint, equal | low, 1.0, equal[equal | low]), (constraint, high & ~equal, -1.0, None)]
    rows = [row for row in rows if row[1].any()]
    none, flat = np.zeros(0), np.zeros((0, x.size))

    def values(y: np.ndarray) -> np.ndarray:
        values = [sign * _values(constraint, y)[0][which] for constraint, which, sign, _ in rows]
        return np.concatenate([none, *values])

    def slopes(y: np.ndarray) -> np.ndarray:
        return np.concatenate(
            [flat, *(sign * _jacobian(constraint, y, which.size)[which] for constraint, which, sign, _ in rows)]
        )

    def allowed(y: np.ndarray) -> bool:
        for constraint in everything:
            value, lower, upper = _values(constraint, y)
            for sign in (1.0, -1.0):
                room, most = _room(value, lower, upper, sign, tolerance)
                if not (room >= -most).all():
                    return False
        return True

    equalities = [np.zeros(which.sum(), bool) if equal is None else equal for _, which, _, equal in rows]
    return Held(values, slopes, allowed, slopes(x), np.concatenate([np.zeros(0, bool), *equalities]))


def _room(value: Any, lower: Any, upper: Any, sign: float, tolerance: float) -> tuple[np.ndarray, np.ndarray]:
    """Return how far inside its lower (sign 1) or upper (sign -1) limit each value is, and how far counts as on it."""
    limit = lower if sign > 0 else upper
    finite = np.isfinite(limit)
    room = np.where(finite, sign * (value - np.where(finite, limit, 0.0)), np.inf)
    return room, tolerance * np.maximum(1.0, np.where(finite, np.abs(limit), 1.0))


def _values(constraint: Any, x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return value (k,) and lower and upper limits (k,) of one constraint, or of the bounds."""
    value: Any
    lower: Any
    upper: Any
    if isinstance(constraint, Limits):
        value, lower, upper = x, constraint.lower, constraint.upper
    elif isinstance(constraint, dict):
        value, lower, upper = constraint["fun"](x), 0.0, 0.0 if constraint["type"] == "eq" else np.inf
    else:
        value = constraint.A @ x if hasattr(constraint, "A") else constraint.fun(x)
        lower, upper = constraint.lb, constraint.ub
    value = np.atleast_1d(value)
    return value, np.broadcast_to(lower, value.shape), np.broadcast_to(upper, value.shape)


def _jacobian(constraint: Any, x: np.ndarray, count: int) -> np.ndarray:
    """Return the Jacobian (k, n) of one constraint of `count` = k values, or of the bounds."""
    if isinstance(constraint, Limits):
        return np.eye(x.size)
    if isinstance(constraint, dict):
        jacobian = constraint["jac"](x)
    else:
        jacobian = constraint.A if hasattr(constraint, "A") else constraint.jac(x)
    jacobian = jacobian.toarray() if hasattr(jacobian, "toarray") else jacobian
    return np.reshape(jacobian, (count, x.size))
