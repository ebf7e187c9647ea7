"""Whether a run that could get no further is at a minimum as far as double precision can tell."""

from __future__ import annotations

from typing import Any

import numpy as np

from autoopt.errors import AutooptError

RELATIVE_GRADIENT = 1e-8
RELATIVE_STEP = 1e-8
_ROUNDINGS = 10 * np.finfo(np.float64).eps
_DENSE = 500


def gradient_tolerance(initial_value: float) -> float:
    """Return the default `gtol`: 1e-8, times |f(x0)| where that is below 1 (an objective may be tiny by its units)."""
    return max(1e-8 * min(1.0, abs(initial_value) or 1.0), 1e-16)


def stationary(problem: Any, x: np.ndarray, value: float, gradient: np.ndarray, gtol: float) -> str | None:
    """Return in words why `x` is stationary, None if it is not.

    Notes
    -----
    With g the gradient of the entries that no bound holds, any one of these suffices:

    1. max|g_i| <= gtol;
    2. max|g_i| max(|x_i|, 1) <= 1e-8 max(|f|, min(1, |f(x0)|)), the relative gradient;
    3. H is positive definite, and its Newton step d = H^-1 g is shorter than 1e-8 max(|x_i|, 1) in every entry, or
       promises a decrease g.d / 2 below ten roundings of f. (H is the exact Hessian; up to 500 free parameters.)

    References
    ----------
    Dennis, J. E. and Schnabel, R. B. (1983). Numerical Methods for Unconstrained Optimization, section 7.2.
    """
    free = np.ones(x.size, dtype=bool) if problem.limits is None else problem.limits.free(x, gradient)
    g, size = gradient[free], np.maximum(np.abs(x[free]), 1.0)
    if not (np.isfinite(value) and np.isfinite(g).all()):
        return None
    largest = np.max(np.abs(g), initial=0.0)
    if largest <= gtol:
        return f"the largest entry of the gradient is {largest:.1e}"
    scale = max(abs(value), min(1.0, abs(problem.initial_value)))
    relative = np.max(np.abs(g) * size) / scale if scale else np.inf
    if relative <= RELATIVE_GRADIENT:
        return f"the gradient relative to the value is {relative:.1e}"
    if (step := _newton_step(problem, x, free, g)) is None:
        return None
    if np.all(np.abs(step) <= RELATIVE_STEP * size) or g @ step / 2 <= _ROUNDINGS * abs(value):
        return f"the Newton step from here is {np.max(np.abs(step)):.1e}, which f is too rough to show"
    return None


def _newton_step(problem: Any, x: np.ndarray, free: np.ndarray, g: np.ndarray) -> np.ndarray | None:
    """Return H^-1 g over the free entries, None where H is not positive definite, too large or not to be had."""
    from scipy.linalg import LinAlgError, cho_factor, cho_solve

    if g.size > _DENSE:
        return None
    try:
        return cho_solve(cho_factor(problem.hess(x)[np.ix_(free, free)]), g)
    except (LinAlgError, ValueError, AutooptError):
        return None
