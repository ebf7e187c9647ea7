"""The problem's constraints in the forms that SciPy's methods take."""

from __future__ import annotations

from typing import Any

import numpy as np

from autoopt.constraints.constraint import Constraint
from autoopt.errors import AutooptError, UsageError


def as_dicts(problem: Any) -> list[dict]:
    """Return equalities = 0 and inequalities >= 0, as SLSQP takes them."""
    dicts = []
    for constraint in problem.constraints:
        equal = constraint.lower == constraint.upper
        sides = [
            ("eq", 1.0, equal, constraint.lower),
            ("ineq", 1.0, ~equal & np.isfinite(constraint.lower), constraint.lower),
            ("ineq", -1.0, ~equal & np.isfinite(constraint.upper), constraint.upper),
        ]
        dicts += [_side(problem, constraint, *side) for side in sides if side[2].any()]
    return dicts


def _side(problem: Any, constraint: Constraint, kind: str, sign: float, which: np.ndarray, limit: np.ndarray) -> dict:
    limit = limit[which]

    def value(x: np.ndarray) -> np.ndarray:
        return sign * (problem.held_value(constraint, x)[which] - limit)

    def jacobian(x: np.ndarray) -> np.ndarray:
        slopes = problem.held_slopes(constraint, x)
        return sign * (slopes.toarray() if hasattr(slopes, "toarray") else slopes)[which]

    return {"type": kind, "fun": value, "jac": jacobian}


def as_objects(problem: Any, dense: bool) -> list[Any]:
    """Return SciPy's constraints with second derivatives, matrices if `dense` or sparse, else operators."""
    from scipy.optimize import BFGS, LinearConstraint, NonlinearConstraint

    def one(constraint: Constraint) -> Any:
        limits = constraint.lower, constraint.upper
        if constraint.function.linear:
            return LinearConstraint(constraint.jacobian(problem.x0), *_shifted(constraint), constraint.keep_feasible)
        if constraint.strategy is not None:
            hess = constraint.strategy
        elif constraint.function.has_second(dense):
            hess = _hessian(problem, constraint, dense)
        else:
            hess = BFGS()
        return NonlinearConstraint(
            lambda x: problem.held_value(constraint, x),
            *limits,
            lambda x: problem.held_slopes(constraint, x),
            hess,
            constraint.keep_feasible,
        )

    return [one(constraint) for constraint in problem.constraints]


def as_values(problem: Any) -> list[Any]:
    """Return SciPy's constraints without derivatives, for the methods that use values alone."""
    from scipy.optimize import LinearConstraint, NonlinearConstraint

    def one(constraint: Constraint) -> Any:
        limits = constraint.lower, constraint.upper
        if constraint.function.linear:
            matrix = constraint.jacobian(problem.x0)
            return LinearConstraint(matrix.toarray() if hasattr(matrix, "toarray") else matrix, *_shifted(constraint))
        return NonlinearConstraint(lambda x: _value_alone(problem, constraint, x), *limits)

    return [one(constraint) for constraint in problem.constraints]


def _value_alone(problem: Any, constraint: Constraint, x: np.ndarray) -> np.ndarray:
    """Return the values of a constraint, at the last iterate where it has none, without asking for f and its slope."""
    try:
        value = constraint.value(x)
        if np.isfinite(value).all():
            return value
    except (ArithmeticError, ValueError, RuntimeError, AssertionError) as error:
        if isinstance(error, AutooptError | RecursionError | NotImplementedError):
            raise
    return constraint.value(problem.latest)


def _shifted(constraint: Constraint) -> tuple[np.ndarray, np.ndarray]:
    """Return the limits of a linear constraint without what parameters that are held add to it, see `variables`."""
    beside = getattr(constraint.function, "constant", 0.0)
    return constraint.lower - beside, constraint.upper - beside


def refuse_keep_feasible(problem: Any, method: str) -> None:
    """Raise UsageError if a constraint is to be kept on the way, which `method` does not know."""
    if kept := [one.name for one in problem.constraints if np.any(one.keep_feasible)]:
        raise UsageError(
            f"The method {method} does not keep {', '.join(kept)} feasible on the way, as keep_feasible asks.",
            remedy='use method="trust-constr", or leave keep_feasible out: points where the objective raises are '
            "stepped back from.",
        )


def _hessian(problem: Any, constraint: Constraint, dense: bool) -> Any:
    """Return hess(x, v) of one constraint."""
    from scipy.sparse.linalg import LinearOperator

    def matrix(x: np.ndarray, v: np.ndarray) -> Any:
        return problem.held_curvature(constraint, x, v)

    def operator(x: np.ndarray, v: np.ndarray) -> Any:
        at, weights = problem.defined(x).copy(), np.array(v)
        product = lambda p: constraint.function.hessp(at, weights, np.ravel(p))  # noqa: E731
        return LinearOperator((x.size, x.size), matvec=product, dtype=np.float64)

    return matrix if dense or constraint.function.curvature is not None else operator
