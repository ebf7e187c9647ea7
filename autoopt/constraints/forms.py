"""SciPy's forms of constraints, on parameters of x0's structure, as constraints on the flat vector."""

from __future__ import annotations

from itertools import groupby
from typing import Any

import numpy as np

from autoopt.constraints.constraint import Constraint
from autoopt.constraints.function import ConstraintFunction
from autoopt.constraints.joined import MANY, Plain, one_constraint
from autoopt.constraints.linear import LinearFunction
from autoopt.errors import UsageError
from autoopt.objectives.user_derivatives import FINITE_DIFFERENCE, SCIPYS
from autoopt.origin import definition
from autoopt.parameters import Structure
from autoopt.wording import listed, near

_REMEDY = 'give dicts with "type" ("eq" or "ineq") and "fun", or a NonlinearConstraint or LinearConstraint, or a list.'
_DEFAULT = "2-point"
"""SciPy's `jac` of a NonlinearConstraint that was given none: here that is the exact one."""


def read(constraints: Any, x0: Any, engine: str = "auto") -> list[Constraint]:
    """Return the user's constraints, each with its derivatives.

    Parameters
    ----------
    constraints : dict, NonlinearConstraint, LinearConstraint, or list or tuple of them
    x0 : value of the parameters' structure
        Where their functions are first run.

    Raises
    ------
    UsageError
        For what is no constraint, and for limits or matrices that do not fit.
    ObjectiveError
        For a function that has no finite vector, or no slope, at x0.
    """
    if constraints is None:
        return []
    listed = list(constraints) if isinstance(constraints, list | tuple) else [constraints]
    listed = [] if listed == [{}] else listed
    found: list[Constraint] = []
    for is_plain, group in groupby(enumerate(listed), lambda one: _is_plain(one[1])):
        some = [(f"constraints[{number}]", one) for number, one in group]
        together = _together(some, x0, engine) if is_plain and len(some) >= MANY else None
        found += [together] if together else [_constraint(name, one, x0, engine) for name, one in some]
    return [constraint for constraint in found if constraint.count]


def _is_plain(given: Any) -> bool:
    """Whether a constraint leaves all derivatives to be derived, and asks for nothing else."""
    from scipy.optimize import BFGS, NonlinearConstraint

    if isinstance(given, dict):
        return given.get("jac") is None
    if not isinstance(given, NonlinearConstraint):
        return False
    derives = isinstance(given.jac, str) and given.jac == _DEFAULT and (given.hess is None or type(given.hess) is BFGS)
    return derives and not np.any(given.keep_feasible)


def _together(some: list[tuple[str, Any]], x0: Any, engine: str) -> Constraint | None:
    """Return plain constraints as one; None where each is to be looked at by itself."""
    return one_constraint([_plain(name, given) for name, given in some], x0, engine)


def _plain(name: str, given: Any) -> Plain:
    if not isinstance(given, dict):
        _require_function(name, given)
        return Plain(name, given.fun, (), lambda count: _limits(name, given, count))
    kind, args = _read_dict(name, given)
    return Plain(name, given["fun"], args, lambda count: _sides(kind, count))


def _constraint(name: str, given: Any, x0: Any, engine: str) -> Constraint:
    from scipy.optimize import LinearConstraint, NonlinearConstraint

    if isinstance(given, LinearConstraint):
        return _linear(name, given, Structure.of(x0).size)
    if isinstance(given, NonlinearConstraint):
        return _nonlinear(name, given, x0, engine)
    if isinstance(given, dict):
        return _from_dict(name, given, x0, engine)
    where = definition(given) if callable(given) else None
    remedy = _WRAPPED if callable(given) else _REMEDY
    raise UsageError(f"{name} is not understood: {given!r}.", where, remedy)


_WRAPPED = (
    'give its function a type, as {"type": "ineq", "fun": f} for values that are to be 0 or more, or "eq" for 0; '
    "NonlinearConstraint(f, lb, ub) for other limits."
)


def _linear(name: str, given: Any, size: int) -> Constraint:
    matrix = given.A.tocsr() if hasattr(given.A, "tocsr") else given.A  # other formats have no rows
    if len(matrix.shape) != 2 or matrix.shape[1] != size:
        raise UsageError(
            f"{name}: A has shape {matrix.shape}, but there are {size} parameters.",
            remedy=f"give A one row for each value and {size} columns, in the order of the flat vector.",
        )
    entries = matrix.data if hasattr(matrix, "toarray") else matrix
    if not np.isfinite(entries).all():
        raise UsageError(f"{name}: A holds values that are not finite.", remedy="put numbers in their place.")
    return Constraint(LinearFunction(name, matrix), *_limits(name, given, matrix.shape[0]), given.keep_feasible)


def _nonlinear(name: str, given: Any, x0: Any, engine: str) -> Constraint:
    from scipy.optimize import BFGS, HessianUpdateStrategy

    _require_function(name, given)
    jac = None if isinstance(given.jac, str) and given.jac == _DEFAULT else _jac(name, given.jac)
    is_known = given.hess is None or callable(given.hess) or isinstance(given.hess, HessianUpdateStrategy)
    if not (is_known or given.hess in (*SCIPYS, FINITE_DIFFERENCE)):
        raise UsageError(
            f"{name}: hess={given.hess!r} is not understood.",
            remedy="leave hess out for exact second derivatives, or pass a function hess(x, v).",
        )
    # BFGS() is what SciPy takes if hess is left out, and the strings mean differences: exact ones serve both.
    hess, strategy = (given.hess, None) if callable(given.hess) else (None, None)
    if isinstance(given.hess, HessianUpdateStrategy) and not isinstance(given.hess, BFGS):
        strategy = given.hess
    function = ConstraintFunction(name, given.fun, x0, (), jac, hess, engine)
    assert function.count is not None
    return Constraint(function, *_limits(name, given, function.count), given.keep_feasible, strategy)


def _require_function(name: str, given: Any) -> None:
    if not callable(given.fun):
        raise UsageError(f"{name} is not understood: its fun is {given.fun!r}.", remedy=_REMEDY)


def _from_dict(name: str, given: dict, x0: Any, engine: str) -> Constraint:
    kind, args = _read_dict(name, given)
    function = ConstraintFunction(name, given["fun"], x0, args, _jac(name, given.get("jac")), None, engine)
    return Constraint(function, *_sides(kind, function.count or 0))


def _sides(kind: str, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the limits of values of a dict's kind, shape (count,) each."""
    lower = np.zeros(count)
    return lower, lower if kind == "eq" else np.full(count, np.inf)


def _read_dict(name: str, given: dict) -> tuple[str, tuple]:
    """Return the kind of a constraint given as a dict, and the arguments of its function."""
    fun, kind, keys = given.get("fun"), str(given.get("type")).lower(), [str(key) for key in given]
    where = definition(fun) if callable(fun) else None
    if unknown := [key for key in keys if key not in _KEYS]:
        missing = [key for key in _KEYS if key not in keys]
        raise UsageError(
            f"{name} is a dict with {listed([repr(key) for key in unknown])}, which no constraint has."
            f"{near(unknown[0], missing)}",
            where,
            f"leave {'it' if len(unknown) == 1 else 'them'} out, or correct it: a constraint has {_HAS}.",
        )
    if not callable(fun):
        has = f"has no {'fun'!r}" if "fun" not in given else f"has {fun!r} for its fun, which is no function"
        raise UsageError(f"{name} {has}.", where, _REMEDY)
    if kind not in _KINDS:
        has = f"is of the type {given['type']!r}, which there is not." if "type" in given else "has no 'type'."
        raise UsageError(
            f"{name} {has}{near(kind, _KINDS) if 'type' in given else ''}",
            where,
            'give it the type "eq" for values that are to be 0, or "ineq" for values that are to be 0 or more.',
        )
    args = given.get("args", ())
    return kind, args if isinstance(args, tuple) else tuple(args) if isinstance(args, list) else (args,)


_KEYS, _KINDS = ("type", "fun", "jac", "args"), ("eq", "ineq")
_HAS = '"type" ("eq" or "ineq") and "fun", and perhaps "jac" and "args"'


def _jac(name: str, jac: Any) -> Any:
    if jac is None or callable(jac):
        return jac
    if isinstance(jac, str) and jac in (FINITE_DIFFERENCE, *SCIPYS):
        return FINITE_DIFFERENCE
    raise UsageError(
        f"{name}: jac={jac!r} is not understood.",
        remedy=f'leave jac out for the exact Jacobian, or pass a function or "{FINITE_DIFFERENCE}".',
    )


def _limits(name: str, given: Any, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return lower and upper limits, shape (k,) each; UsageError if they do not fit or exclude each other."""
    limits, fun = [], getattr(given, "fun", None)
    where = definition(fun) if callable(fun) else None
    for side in ("lb", "ub"):
        try:
            limit = np.asarray(getattr(given, side), dtype=np.float64)
        except (TypeError, ValueError):
            raise UsageError(f"{name}: {side} holds a limit that is not a number.", where, "give numbers.") from None
        if limit.shape not in ((), (1,), (count,)):
            raise UsageError(
                f"{name}: {side} has shape {limit.shape}, but there are {count} values.",
                where,
                f"give {side} one number, or one for each value; np.inf and -np.inf for no limit.",
            )
        limits.append(np.broadcast_to(limit, (count,)).copy())
    lower, upper = limits
    out_of_reach = (lower > upper) | (lower == np.inf) | (upper == -np.inf)
    for wrong, complaint in [(np.isnan(lower) | np.isnan(upper), "is nan"), (out_of_reach, "cannot be met")]:
        if wrong.any():
            i = int(np.argmax(wrong))
            raise UsageError(
                f"{name}: the limit of value [{i}] {complaint}: {lower[i]:g} <= c <= {upper[i]:g}.",
                where,
                "correct lb and ub.",
            )
    return lower, upper
