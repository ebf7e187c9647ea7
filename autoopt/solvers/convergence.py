"""Whether a run that could get no further is at a minimum as far as double precision can tell."""

from __future__ import annotations

from typing import Any

import numpy as np

from autoopt.errors import AutooptError
from autoopt.solvers.constraints import active_normals

RELATIVE_GRADIENT = 1e-8
RELATIVE_STEP = 1e-8
FEASIBILITY = 1e-8
_ROUNDINGS = 10 * np.finfo(np.float64).eps
_DENSE = 500


def gradient_tolerance(problem: Any) -> float:
    """Return the default `gtol`: 1e-8, times |f(x0)| where that is below 1 (an objective may be tiny by its units)."""
    return max(1e-8 * min(1.0, abs(problem.initial_value) or 1.0), 1e-16)


def interior_tolerance(problem: Any) -> float:
    """Return the default `gtol` of interior-point methods: they meet 1e-8 while still 1e-6 inside an active bound."""
    return gradient_tolerance(problem) * (1e-5 if problem.limits or problem.constraints else 1.0)


def iteration_limit(problem: Any) -> int:
    """Return the default `maxiter`: 200 for each parameter, but at least 1000."""
    return max(1000, 200 * problem.x0.size)


def stationary(problem: Any, x: np.ndarray, value: float, gradient: np.ndarray, gtol: float) -> str | None:
    """Return in words why `x` is stationary, None if it is not.

    Notes
    -----
    With g the gradient, cut to the distance from the bound that it points to, any one of these suffices:

    1. max|g_i| <= gtol;
    2. max|g_i| max(|x_i|, 1) <= 1e-8 max(|f|, min(1, |f(x0)|)), the relative gradient;
    3. H is positive definite, and its Newton step d = H^-1 g is shorter than 1e-8 max(|x_i|, 1) in every entry, or
       promises a decrease g.d / 2 below ten roundings of f. (H is the exact Hessian, of the entries that no bound
       holds; up to 500 of them.)

    References
    ----------
    Dennis, J. E. and Schnabel, R. B. (1983). Numerical Methods for Unconstrained Optimization, section 7.2.
    """
    if not (np.isfinite(value) and np.isfinite(gradient).all()):
        return None
    g = gradient if problem.limits is None else problem.limits.projected(x, gradient)
    size = np.maximum(np.abs(x), 1.0)
    largest = np.max(np.abs(g))
    if largest <= gtol:
        return f"the largest entry of the gradient is {largest:.1e}"
    scale = max(abs(value), min(1.0, abs(problem.initial_value)))
    relative = np.max(np.abs(g) * size) / scale if scale else np.inf
    if relative <= RELATIVE_GRADIENT:
        return f"the gradient relative to the value is {relative:.1e}"
    free = g == gradient
    if (step := _newton_step(problem, x, free, g[free])) is None:
        return None
    if np.all(np.abs(step) <= RELATIVE_STEP * size[free]) or g[free] @ step / 2 <= _ROUNDINGS * abs(value):
        return f"the Newton step from here is {np.max(np.abs(step)):.1e}, too short for f to show"
    return None


def stationary_under_constraints(problem: Any, x: np.ndarray, value: float, gradient: np.ndarray) -> str | None:
    """Return in words why `x` is a Karush-Kuhn-Tucker point of the constraints and bounds, None if it is not.

    Notes
    -----
    Feasible to 1e-8, and with N the inward normals of what is active, some multipliers l >= 0 leave of g - N.l no more
    than 1e-7 max(|f|, min(1, |f(x0)|)) / max(|x_i|, 1): a quasi-Newton method under constraints gets no closer.
    """
    from scipy.optimize import nnls

    normals = active_normals(problem.constraints, problem.limits, x, FEASIBILITY)
    if normals is None or not (np.isfinite(value) and np.isfinite(gradient).all()):
        return None
    size = np.maximum(np.abs(x), 1.0)
    multipliers = nnls((normals * size).T, gradient * size)[0] if normals.size else np.zeros(0)
    scale = max(abs(value), min(1.0, abs(problem.initial_value)))
    relative = np.max(np.abs(gradient - multipliers @ normals) * size) / scale if scale else np.inf
    return f"the gradient of the Lagrangian relative to the value is {relative:.1e}" if relative <= 1e-7 else None


def _newton_step(problem: Any, x: np.ndarray, free: np.ndarray, g: np.ndarray) -> np.ndarray | None:
    """Return H^-1 g over the free entries, None where H is not positive definite, too large or not to be had."""
    from scipy.linalg import LinAlgError, cho_factor, cho_solve

    if not 0 < g.size <= _DENSE:
        return None
    try:
        return cho_solve(cho_factor(problem.hess(x)[np.ix_(free, free)]), g)
    except (LinAlgError, ValueError, AutooptError):
        return None
