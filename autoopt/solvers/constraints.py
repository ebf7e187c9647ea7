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
