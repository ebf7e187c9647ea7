"""Slopes that are infinite at a bound: those of sqrt(x), x log x or x^0.3 at 0.

The parameter is where it belongs as far as f falls towards the bound, and the value is as good as any. Solvers and the
verdict compute with slopes and see a large finite one in place of it, which holds the parameter; results show it as it
is. Curvatures of such a parameter are left out.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autoopt.objectives.one_sided import is_finite
from autoopt.solvers.points import sizes


def held_slopes(problem: Any, x: np.ndarray, value: float, gradient: np.ndarray) -> np.ndarray:
    """Return the gradient, shape (n,), with finite slopes for infinite ones that hold parameters at their bounds."""
    limits = problem.limits
    if limits is None or not gradient.size or is_finite(gradient):
        return gradient
    low = (x <= limits.lower) & (gradient == np.inf)
    high = (x >= limits.upper) & (gradient == -np.inf)
    steep = low | high
    if not steep.any() or not np.isfinite(value):
        return gradient
    problem.steep[x.tobytes()] = steep
    finite = np.abs(gradient[np.isfinite(gradient)])
    sides = value, getattr(problem, "initial_value", value), np.max(finite, initial=0.0)
    slope = (max(map(abs, sides)) or 1.0) / sizes(x, problem.x0)
    return np.where(low, slope, np.where(high, -slope, gradient))


def without_steep(problem: Any, x: np.ndarray, hessian: np.ndarray) -> np.ndarray:
    """Return a Hessian, shape (n, n), in which parameters that infinite slopes hold are by themselves."""
    steep = problem.steep.get(x.tobytes()) if problem.steep else None
    if steep is None:
        return hessian
    apart = np.where(steep[:, None] | steep, 0.0, hessian)
    return apart + np.diag(np.where(steep, 1.0, 0.0))


def as_they_are(problem: Any, x: np.ndarray, slopes: np.ndarray) -> np.ndarray:
    """Return slopes, shape (n,), with the infinite ones in their places."""
    steep = problem.steep.get(x.tobytes()) if problem.steep else None
    return slopes if steep is None else np.where(steep, np.copysign(np.inf, slopes), slopes)
