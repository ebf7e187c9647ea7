"""SciPy's constraints, on parameters of x0's structure, as constraints on the flat vector with accurate Jacobians."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autoopt import differences
from autoopt.errors import UsageError
from autoopt.parameters import Structure

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
    parts = [_parts(constraint, x) for constraint in constraints]
    if limits is not None:
        parts.append((x, np.eye(x.size), limits.lower, limits.upper))
    normals = [np.zeros((0, x.size))]
    for value, jacobian, lower, upper in parts:
        for limit, sign in ((lower, 1.0), (upper, -1.0)):
            room = np.where(np.isfinite(limit), sign * (value - limit), np.inf)
            allowed = tolerance * np.maximum(1.0, np.where(np.isfinite(limit), np.abs(limit), 1.0))
            if (room < -allowed).any():
                return None
            normals.append(sign * jacobian[room <= allowed])
    return np.concatenate(normals)


def _parts(constraint: Any, x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return value (k,), Jacobian (k, n) and lower and upper limits (k,) of one constraint on the flat vector."""
    if isinstance(constraint, dict):
        value, jacobian = constraint["fun"](x), constraint["jac"](x)
        lower, upper = 0.0, 0.0 if constraint["type"] == "eq" else np.inf
    else:
        linear = hasattr(constraint, "A")
        value, jacobian = (constraint.A @ x, constraint.A) if linear else (constraint.fun(x), constraint.jac(x))
        lower, upper = constraint.lb, constraint.ub
    jacobian = jacobian.toarray() if hasattr(jacobian, "toarray") else jacobian
    value = np.atleast_1d(value)
    lower, upper = np.broadcast_to(lower, value.shape), np.broadcast_to(upper, value.shape)
    return value, np.reshape(jacobian, (value.size, x.size)), lower, upper
