"""A quasi-Newton method on gradients alone, from where a part of the rows has its minimum to near that of all.

The Hessian of the part, which is about that of all rows, becomes theirs by the BFGS formula; each step takes one
gradient, a fraction of the time of a Hessian. It only finds a start: Newton's method, which follows, judges it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve

NEAR = 1e-6
"""The length of a step, in standard errors, below which one of Newton's method arrives."""
MOST = 10
"""Steps; where so many are not enough, the Hessian of the part is not that of all."""


def approached(gradient: Callable, x: np.ndarray, hessian: np.ndarray) -> tuple[np.ndarray, int]:
    """Return where steps are shorter than NEAR, or did not become shorter by half, and how many were taken.

    Parameters
    ----------
    gradient : callable
        x -> (n,).
    x : ndarray, shape (n,)
        The start.
    hessian : ndarray, shape (n, n)
        About that at the start.

    References
    ----------
    Nocedal, J. and Wright, S. (2006). Numerical Optimization, 2nd ed., section 6.1.
    """
    slope, before = gradient(x), np.inf
    for taken in range(MOST):
        try:
            step = -cho_solve(cho_factor(hessian, lower=True), slope)
        except (LinAlgError, ValueError):  # not positive definite, or not finite
            return x, taken
        length = np.sqrt(max(-(step @ slope), 0.0))
        if not NEAR < length <= before / 2:
            return x, taken
        ahead = gradient(x + step)
        change = ahead - slope
        if not (np.isfinite(ahead).all() and change @ step > 0):
            return x, taken
        moved = hessian @ step
        hessian = hessian - np.outer(moved, moved) / (step @ moved) + np.outer(change, change) / (change @ step)
        x, slope, before = x + step, ahead, length
    return x, MOST
