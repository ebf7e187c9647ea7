"""Numerical derivatives with an error estimate: central differences, extrapolated (Ridders 1982).

The independent witness against which derived code is checked, and what `jac="finite-difference"` runs.
"""

from __future__ import annotations

from collections.abc import Callable
from math import comb

import numpy as np

_EPSILON = np.finfo(np.float64).eps
FIRST_STEP = 2.0**-6
_RATIO = 4.0
_LEVELS = 11


def directional(f: Callable, x: np.ndarray, p: np.ndarray, tolerance: float = 1e-9, roughness: float = 0.0) -> tuple:
    """Return the derivative of `f` at `x` along `p`, and an estimate of its error.

    Parameters
    ----------
    f : callable, f(x) -> float or ndarray
        Points where it raises or is not finite are left out.
    x, p : ndarray, shape (n,)
        Steps are at most `p` / 64, so the entries of `p` should be of the size over which `f` changes.
    tolerance : float
        Stop refining at this relative error.
    roughness : float
        The noise of `f`, from `noise`, where it is known to be more than rounding.

    Returns
    -------
    slope, error : float, or ndarray of the shape of f(x)
        NaN and inf where no step gives a finite value.

    Notes
    -----
    D(h) = (f(x + h p) - f(x - h p)) / 2h for h = 1/64, 1/256, ..., each row extrapolated in h^2. The error of an entry
    is its distance from its two neighbours, plus what rounding of f to 4 units in the last place does at that h. Once
    two rows in turn are worse than the best, or the distance is less than the rounding, smaller steps show only the
    noise of f, and the search ends.

    References
    ----------
    Ridders, C. J. F. (1982). Advances in Engineering Software 4(2), 75-76.
    """
    best: float | np.ndarray = np.nan
    best_error: float | np.ndarray = np.inf
    best_rounding: float | np.ndarray = 0.0
    rounding: float | np.ndarray = 0.0
    previous: list = []
    worsening: int | np.ndarray = 0
    for level in range(_LEVELS):
        h = FIRST_STEP / _RATIO**level
        ahead, behind = value_at(f, x + h * p), value_at(f, x - h * p)
        if not (np.all(np.isfinite(ahead)) and np.all(np.isfinite(behind))):
            continue
        before, rounding = rounding, (2 * _EPSILON * (np.abs(ahead) + np.abs(behind)) + 8 * roughness) / h
        row = [(ahead - behind) / (2 * h)]
        row_error: float | np.ndarray = np.inf
        for order, above in enumerate(previous, start=1):
            row.append(row[-1] + (row[-1] - above) / (_RATIO ** (2 * order) - 1))
            spread = np.maximum(np.abs(row[-1] - row[-2]), np.abs(row[-1] - above))
            error = spread + rounding
            row_error = np.minimum(row_error, error)
            better = error < best_error
            best, best_error = np.where(better, row[-1], best), np.where(better, error, best_error)
            # where f is 0 at x its rounding shrinks with the step, and smaller steps do show more
            best_rounding = np.where(better, np.where(rounding < before, 0.0, rounding), best_rounding)
        previous = row[:4]
        settled = best_error <= 1e-2 * np.abs(best)
        worsening = np.where(settled & (row_error > 4 * best_error), worsening + 1, 0)
        exact = (best_error <= tolerance * np.abs(best)) | (best_error <= 2 * best_rounding)
        if np.all(exact | (worsening >= 2)):
            break
    return (float(best), float(best_error)) if np.ndim(best) == 0 else (best, best_error)


def gradient(f: Callable, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the gradient of `f` at `x`, shape (n,), and the estimated error of each entry."""
    columns, errors = jacobian(f, x)
    return columns.reshape(x.size), errors.reshape(x.size)


def jacobian(f: Callable, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the Jacobian of f(x) of shape (m,) or (): shape (m, n) or (n,), and the estimated errors."""
    x = np.asarray(x, dtype=np.float64)
    slopes = [directional(f, x, p) for p in np.diag(step_scale(x))]
    scale = step_scale(x)
    return (
        np.stack([slope for slope, _ in slopes], axis=-1) / scale,
        np.stack([error for _, error in slopes], axis=-1) / scale,
    )


def hessian(grad: Callable, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the symmetrised Hessian at `x` by differences of the gradient function `grad`, and its errors, (n, n)."""
    derivative, error = jacobian(grad, x)
    return (derivative + derivative.T) / 2, np.maximum(error, error.T)


def rough_hessian(grad: Callable, x: np.ndarray) -> np.ndarray:
    """Return the symmetrised Hessian at `x`, (n, n), to some eight digits by 2 n gradients."""
    steps = 1e-5 * step_scale(x)
    rows = np.array(
        [(grad(x + step) - grad(x - step)) / (2 * h) for h, step in zip(steps, np.diag(steps), strict=True)]
    )
    return (rows + rows.T) / 2


def hessp(grad: Callable, x: np.ndarray, p: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the Hessian at `x` times `p` by differences of the gradient function `grad`, and its errors, (n,)."""
    length = np.max(np.abs(p) / step_scale(x))
    if not length:
        return np.zeros_like(x), np.zeros_like(x)
    slope, error = directional(grad, x, p / length)
    return np.broadcast_to(slope, x.shape) * length, np.broadcast_to(error, x.shape) * length


def secant(f: Callable, x: np.ndarray, p: np.ndarray, h: float) -> float:
    """Return the slope (f(x + h p) - f(x - h p)) / 2h, NaN where `f` is not defined at either end."""
    with np.errstate(all="ignore"):
        return float(value_at(f, x + h * p) - value_at(f, x - h * p)) / (2 * h)


def one_sided(f: Callable, x: np.ndarray, p: np.ndarray, h: float = 2.0**-14) -> tuple[float, float, float]:
    """Return the slopes of `f` at `x` ahead and behind along `p`, and an estimate of their errors.

    Three-point formulas (-3 f(0) + 4 f(h) - f(2h)) / 2h; the error is their change when h is quartered.
    """
    here = value_at(f, x)

    def slope(h: float) -> float | np.ndarray:
        return (-3 * here + 4 * value_at(f, x + h * p) - value_at(f, x + 2 * h * p)) / (2 * h)

    ahead, behind = slope(h / 4), slope(-h / 4)
    error = np.abs(ahead - slope(h)) + np.abs(behind - slope(-h)) + 32 * _EPSILON * np.abs(here) / h
    return float(ahead), float(behind), float(error)


def noise(f: Callable, x: np.ndarray, p: np.ndarray) -> float:
    """Return the standard deviation of the noise of scalar `f` near `x` along `p`; 0 if it shows none.

    High differences of equidistant values are noise, where f is smooth over the few steps: the k-th has variance
    (2k)! / k!^2 times that of f. The largest finding over three step lengths, as quantised noise hides from small ones.

    References
    ----------
    More, J. J. and Wild, S. M. (2011). SIAM Journal on Scientific Computing 33(3), 1292-1314.
    """
    found = 0.0
    for h in (2.0**-40, 2.0**-30, 2.0**-20):
        values = np.array([value_at(f, x + i * h * p) for i in range(-6, 7)])
        if not np.isfinite(values).all():
            continue
        deviations = [1.25 * np.mean(np.abs(np.diff(values, k))) / comb(2 * k, k) ** 0.5 for k in range(3, 7)]
        found = max(found, float(min(deviations)))
    return found


def step_scale(x: np.ndarray) -> np.ndarray:
    """Return the size of each parameter for steps: |x_i|, but at least 1 where it is smaller."""
    return np.maximum(np.abs(x), 1.0)


def value_at(f: Callable, x: np.ndarray) -> float | np.ndarray:
    """Return f(x), NaN where `f` is not defined: steps may leave the domain, and `f` raise anything."""
    with np.errstate(all="ignore"):
        try:
            return np.asarray(f(x), dtype=np.float64)
        except Exception:
            return np.array(np.nan)
