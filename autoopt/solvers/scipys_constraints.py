"""The problem's constraints in the forms that SciPy's methods take, in sizes that these can compare."""

from __future__ import annotations

from typing import Any

import numpy as np

from autoopt.constraints.constraint import Constraint
from autoopt.errors import AutooptError, UsageError
from autoopt.users_code import UNDEFINED


def weights(problem: Any, constraint: Constraint) -> np.ndarray:
    """Return what the values of a constraint are to be multiplied by, shape (k,): mostly 1.

    Methods compare violations with tolerances of their own, and with f. Where the parameters' own sizes change a value
    by less than 1e-3 or more than 1e3 at the start, it is divided by that change; by how far it is from its limit where
    it has no slope.
    """
    x = problem.x0
    sizes = np.asarray(abs(constraint.jacobian(x)) @ np.maximum(np.abs(x), 1.0))
    value = constraint.value(x)
    sizes = np.where(sizes > 0, sizes, np.minimum(np.abs(value - constraint.lower), np.abs(value - constraint.upper)))
    ordinary = ~np.isfinite(sizes) | (sizes == 0) | ((sizes >= _ORDINARY[0]) & (sizes <= _ORDINARY[1]))
    return np.where(ordinary, 1.0, 1.0 / np.where(ordinary, 1.0, sizes))


_ORDINARY = 1e-3, 1e3


def weighed(matrix: Any, weight: np.ndarray) -> Any:
    """Return a matrix, shape (k, n), sparse or not, with its rows multiplied by `weight`, shape (k,)."""
    if (weight == 1.0).all():
        return matrix
    return matrix.multiply(weight[:, None]).tocsr() if hasattr(matrix, "toarray") else matrix * weight[:, None]


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
    limit, factors = limit[which], sign * weights(problem, constraint)[which]

    def value(x: np.ndarray) -> np.ndarray:
        return factors * (problem.held_value(constraint, x)[which] - limit)

    def jacobian(x: np.ndarray) -> np.ndarray:
        slopes = problem.held_slopes(constraint, x)
        return factors[:, None] * (slopes.toarray() if hasattr(slopes, "toarray") else slopes)[which]

    return {"type": kind, "fun": value, "jac": jacobian}


def as_objects(problem: Any, dense: bool) -> list[Any]:
    """Return SciPy's constraints with second derivatives, matrices if `dense` or sparse, else operators."""
    from scipy.optimize import BFGS, LinearConstraint, NonlinearConstraint

    def one(constraint: Constraint) -> Any:
        weight = weights(problem, constraint)
        if constraint.function.linear:
            matrix, (lower, upper) = weighed(constraint.jacobian(problem.x0), weight), _shifted(constraint)
            return LinearConstraint(matrix, weight * lower, weight * upper, constraint.keep_feasible)
        if constraint.strategy is not None:
            hess = constraint.strategy
        elif constraint.function.has_second(dense):
            hess = _hessian(problem, constraint, dense, weight)
        else:
            hess = BFGS()
        return NonlinearConstraint(
            lambda x: weight * problem.held_value(constraint, x),
            weight * constraint.lower,
            weight * constraint.upper,
            lambda x: weighed(problem.held_slopes(constraint, x), weight),
            hess,
            constraint.keep_feasible,
        )

    return [one(constraint) for constraint in problem.constraints]


def as_values(problem: Any) -> list[Any]:
    """Return SciPy's constraints without derivatives, for the methods that use values alone."""
    from scipy.optimize import LinearConstraint, NonlinearConstraint

    def one(constraint: Constraint) -> Any:
        weight = weights(problem, constraint)
        if constraint.function.linear:
            matrix, (lower, upper) = weighed(constraint.slopes(problem.x0), weight), _shifted(constraint)
            return LinearConstraint(matrix, weight * lower, weight * upper)
        limits = weight * constraint.lower, weight * constraint.upper
        return NonlinearConstraint(lambda x: weight * _value_alone(problem, constraint, x), *limits)

    return [one(constraint) for constraint in problem.constraints]


def _value_alone(problem: Any, constraint: Constraint, x: np.ndarray) -> np.ndarray:
    """Return the values of a constraint, at the last iterate where it has none, without asking for f and its slope."""
    try:
        value = constraint.value(x)
        if np.isfinite(value).all():
            return value
    except UNDEFINED as error:
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


def _hessian(problem: Any, constraint: Constraint, dense: bool, weight: np.ndarray) -> Any:
    """Return hess(x, v) of one constraint."""
    from scipy.sparse.linalg import LinearOperator

    def matrix(x: np.ndarray, v: np.ndarray) -> Any:
        return problem.held_curvature(constraint, x, weight * v)

    def operator(x: np.ndarray, v: np.ndarray) -> Any:
        at, multipliers = problem.defined(x).copy(), weight * v
        product = lambda p: constraint.function.hessp(at, multipliers, np.ravel(p))  # noqa: E731
        return LinearOperator((x.size, x.size), matvec=product, dtype=np.float64)

    return matrix if dense or constraint.function.curvature is not None else operator
