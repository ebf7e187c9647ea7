"""Newton's method with exact Hessians, for a sum over rows and a few parameters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy.linalg import cho_solve, eigh
from scipy.linalg.lapack import dpotrf

MOST = 100
"""Iterations, if nothing else is said: of a likelihood without a maximum each moves a predictor by about 1."""
LENGTH = 1e-9
"""The length of a step, in standard errors, that is not worth taking."""
SAME = 1e-6
"""The length of a step over which the Hessian of many rows changes by about 1e-9 of itself."""
_ARMIJO = 1e-4
_HALVINGS = 30
_SLACK = 1e-13
"""Relative differences of values that are rounding of their sum."""
_FLOOR = 1e-10
"""The least curvature, relative to that of a unit diagonal, that a step divides by where the Hessian is indefinite."""


@dataclass(frozen=True)
class Solution:
    """Where Newton's method ended.

    Attributes
    ----------
    x : ndarray, shape (n,)
    value : float
    gradient : ndarray, shape (n,)
    hessian : ndarray, shape (n, n)
    iterations : int
    converged : bool
        Whether the next step is shorter than asked for, or shorter than rounding lets be told.
    message : str
    is_settled : bool
        Whether steps became shorter as they do near a regular minimum: much faster than by a constant factor.
    """

    x: np.ndarray
    value: float
    gradient: np.ndarray
    hessian: np.ndarray
    iterations: int
    converged: bool
    message: str
    is_settled: bool

    def without(self, held: list[int]) -> Solution:
        """Return the solution without parameters that were held, by their places."""
        x, gradient = np.delete(self.x, held), np.delete(self.gradient, held)
        return replace(self, x=x, gradient=gradient, hessian=np.delete(np.delete(self.hessian, held, 0), held, 1))


def newton(
    second_order: Callable,
    x: np.ndarray,
    length: float | None = None,
    most: int | None = None,
    first_order: Callable | None = None,
) -> Solution:
    """Return the minimum of a function.

    Parameters
    ----------
    second_order : callable
        x -> value, gradient (n,), Hessian (n, n); the value may be infinite or NaN where the function is not defined.
    x : ndarray, shape (n,)
        The start, where the function is finite.
    length : float, optional
        The length of a step, sqrt(g' H^-1 g), below which it is not taken: of a likelihood, in standard errors; LENGTH
        if not given.
    most : int, optional
        Most iterations; MOST if not given.
    first_order : callable, optional
        x -> value, gradient: where a step is so short that the Hessian at its end is the one before it.
    """
    length, most = LENGTH if length is None else length, MOST if most is None else most
    before = np.inf
    here, gradient, hessian = second_order(x)
    for iteration in range(most + 1):
        step, decrement = _step(gradient, hessian)
        is_settled = decrement <= 0.05 * before
        if not np.isfinite(decrement):
            return Solution(x, here, gradient, hessian, iteration, False, "the derivatives are not finite", False)
        if decrement <= length:
            return Solution(x, here, gradient, hessian, iteration, True, "the step is short enough", is_settled)
        if decrement > 0.5 * before and decrement**2 <= 1e-15 * max(1.0, abs(here)):
            said = "steps are as long as rounding makes them"
            return Solution(x, here, gradient, hessian, iteration, True, said, False)
        if iteration == most:
            break
        ahead = _ahead(_with(hessian, first_order, decrement) or second_order, x, here, step, decrement)
        if ahead is None:  # no value is told from this one
            converged = decrement**2 <= 1e-9 * max(1.0, abs(here))
            said = "no step lowers the value" + (" by more than rounding" if converged else "")
            return Solution(x, here, gradient, hessian, iteration, converged, said, is_settled)
        x, here, gradient, hessian = ahead
        before = decrement
    said = f"{most} iteration{'s' if most != 1 else ''} were not enough"
    return Solution(x, here, gradient, hessian, most, False, said, False)


def _with(hessian: np.ndarray, first_order: Callable | None, decrement: float) -> Callable | None:
    """Return first derivatives with a Hessian that is known, for a step over which it does not change."""
    if first_order is None or decrement > SAME:
        return None
    return lambda x: (*first_order(x), hessian)


def _step(gradient: np.ndarray, hessian: np.ndarray) -> tuple[np.ndarray, float]:
    """Return Newton's step, (n,), and its length; of an indefinite Hessian with the moduli of its eigenvalues.

    Nothing moves along what the function does not depend on.
    """
    diagonal = np.diag(hessian)
    scale = 1 / np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
    scaled, slope = hessian * np.outer(scale, scale), gradient * scale
    if not (np.isfinite(scaled).all() and np.isfinite(slope).all()):
        return slope, np.nan
    factor, failed = dpotrf(scaled, lower=True)
    if not failed and np.diag(factor).min(initial=1.0) ** 2 > _FLOOR:
        step = -cho_solve((factor, True), slope)
    else:
        eigenvalues, vectors = eigh(scaled)
        parts = vectors.T @ slope
        parts[(np.abs(eigenvalues) <= _FLOOR) & (np.abs(parts) <= 1e-6 * np.abs(parts).max())] = 0.0  # rounding
        step = -vectors @ (parts / np.maximum(np.abs(eigenvalues), _FLOOR))
    return step * scale, float(np.sqrt(max(-(step @ slope), 0.0)))


def _ahead(second_order: Callable, x: np.ndarray, here: float, step: np.ndarray, decrement: float) -> tuple | None:
    """Return the first point of the whole step, its half, ... that lowers the value enough, with the derivatives."""
    part = 1.0
    for _ in range(_HALVINGS):
        with np.errstate(all="ignore"):
            point = x + part * step
            value, gradient, hessian = second_order(point)
        if value <= here - _ARMIJO * part * decrement**2 + _SLACK * abs(here):
            return point, value, gradient, hessian
        part /= 2
    return None
