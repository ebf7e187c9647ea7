"""Newton's method on a sparse factorisation of the Hessian: what conjugate gradients need many products for, it solves.

SciPy's methods take products with the Hessian, as many as its condition asks for, and no preconditioner. With a sparse
Hessian the exact step costs one factorisation, however badly the problem is scaled.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autoopt.errors import UsageError
from autoopt.solvers.convergence import gradient_tolerance, iteration_limit
from autoopt.solvers.problem import Problem
from autoopt.solvers.table import solver

_FULL = 2000
"""Full Hessians of up to so many parameters are taken, too."""

_FIRST, _GROWTH, _DECAY = 1e-4, 8.0, 3.0
"""The first shift, relative to the Hessian's diagonal, and what it grows and decays by."""

_HALVINGS = 60


@solver(
    "newton-sparse",
    uses={"gradient", "hess"},
    options={"gtol": gradient_tolerance, "maxiter": iteration_limit},
    tol=("gtol",),
    stalls={2},
)
def newton_sparse(problem: Problem, options: dict):
    """Newton with a sparse factorisation of the Hessian; for many parameters that are coupled to few others each."""
    from scipy.optimize import OptimizeResult

    x, shift, status = problem.start.copy(), 0.0, 1
    while problem.nit < options["maxiter"]:
        gradient = problem.jac(x)
        if np.max(np.abs(gradient)) <= options["gtol"]:
            status = 0
            break
        step, shift = _newton_step(_hessian(problem, x), gradient, shift)
        moved = None if step is None else _along(problem, x, step, gradient)
        if moved is None:
            status = 2
            break
        x = moved
        problem.iterated(x)
    message = _MESSAGES[status]
    return OptimizeResult(x=x, fun=problem.fun(x), success=status == 0, status=status, message=message, nit=problem.nit)


_MESSAGES = {
    0: "The gradient is below gtol.",
    1: "Maximum number of iterations has been exceeded.",
    2: "No step that makes the value smaller was found.",
}


def _hessian(problem: Problem, x: np.ndarray) -> Any:
    """Return the Hessian in compressed columns."""
    from scipy.sparse import csc_array

    if problem.curvature is None and x.size > _FULL:
        raise UsageError(
            f"The Hessian of {x.size} parameters is not sparse, as newton-sparse needs it to be.",
            remedy='use method="newton-cg" or "l-bfgs-b", which need no matrix.',
        )
    return csc_array(problem.hess(x) if problem.curvature is None else problem.sparse_hess(x))


def _newton_step(hessian: Any, gradient: np.ndarray, shift: float) -> tuple[np.ndarray | None, float]:
    """Return the step by (H + shift D) p = -g, and the shift that makes it positive definite; None if none does.

    D are the sizes of H's diagonal, 1e-8 of its largest entry at least. The shift of the last point is where the search
    for one begins, as in Ipopt.

    References
    ----------
    Waechter, A. and Biegler, L. T. (2006). Mathematical Programming 106(1), 25-57, section 3.1.
    """
    from scipy.sparse import diags_array

    largest = float(np.max(np.abs(hessian.data), initial=0.0)) or 1.0
    scale = diags_array(np.maximum(np.abs(hessian.diagonal()), 1e-8 * largest))
    ahead = max(shift / _DECAY, 1e-12)
    for trial in (0.0, *(max(ahead, _FIRST if not shift else 0.0) * _GROWTH**k for k in range(30))):
        step = _solved((hessian + trial * scale).tocsc() if trial else hessian, -gradient)
        if step is not None and step @ gradient < 0:
            return step, trial
    return None, shift


def _solved(matrix: Any, right: np.ndarray) -> np.ndarray | None:
    """Return the solution of a symmetric system, None if its matrix is not positive definite.

    With pivots from the diagonal alone, those of U have the signs of the eigenvalues (Sylvester).
    """
    from scipy.sparse.linalg import splu

    if not np.isfinite(matrix.data).all():
        return None
    try:
        factors = splu(matrix, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True})
    except RuntimeError:  # singular
        return None
    symmetric = np.array_equal(factors.perm_r, factors.perm_c)
    if not (symmetric and (factors.U.diagonal() > 0).all()):
        return None
    step = factors.solve(right)
    return step if np.isfinite(step).all() else None


def _along(problem: Problem, x: np.ndarray, step: np.ndarray, gradient: np.ndarray) -> np.ndarray | None:
    """Return the first point x + step / 2^k at which f falls as it should (Armijo), None if there is none.

    Where f is rounding, the gradient decides: it must fall to a half.
    """
    value, slope = problem.fun(x), float(step @ gradient)
    noise, largest = 1e-15 * abs(value), np.max(np.abs(gradient))
    length = 1.0
    for _ in range(_HALVINGS):
        moved = x + length * step
        if np.array_equal(moved, x):
            return None
        fall = problem.fun(moved) - value
        if fall <= 1e-4 * length * slope and fall < 0:
            return moved
        if abs(fall) <= noise and problem.is_defined(moved) and np.max(np.abs(problem.jac(moved))) <= largest / 2:
            return moved
        length /= 2
    return None
