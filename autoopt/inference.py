"""What the curvature at a minimum says of the parameters: covariance, standard errors, intervals.

Takes the Hessian of a negative log-likelihood as an array; knows neither tapes nor models.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from scipy.linalg import cho_factor, cho_solve, eigh
from scipy.special import ndtri

from autoopt.errors import InferenceError, UsageError

# Eigenvalues of the Hessian scaled to a unit diagonal that are below this, times its size, are rounding.
FLAT = 64 * np.finfo(float).eps


def covariance(hessian: np.ndarray, names: Sequence[str] | None = None) -> np.ndarray:
    """Return the covariance of the estimates.

    Parameters
    ----------
    hessian : ndarray, shape (n, n)
        Of the negative log-likelihood at its minimum.
    names : sequence of n str, optional
        Of the parameters, for the error message; "x[0]", "x[1]", ... if not given.

    Returns
    -------
    ndarray, shape (n, n)
        In squared units of the parameters; exactly symmetric.

    Raises
    ------
    InferenceError
        If the Hessian is not finite or not positive definite; names the directions along which it is flat or falls.

    Notes
    -----
    Inverse of the observed information, H(x)^-1, as S (S H S)^-1 S with S = diag(H)^-1/2: parameters in units that
    differ by many powers of ten lose no digits.

    References
    ----------
    Efron, B. and Hinkley, D. V. (1978). Biometrika 65(3), 457-487.

    Examples
    --------
    >>> covariance(np.array([[4.0, 0.0], [0.0, 1e-16]]))
    array([[2.5e-01, 0.0e+00],
           [0.0e+00, 1.0e+16]])
    """
    hessian = _symmetric(hessian)
    names = _names(names, len(hessian))
    _refuse_not_finite(hessian, names)
    curvature = np.diag(hessian)
    scale = 1 / np.sqrt(np.where(curvature > 0, curvature, 1.0))
    scaled = hessian * np.outer(scale, scale)
    eigenvalues, eigenvectors = eigh(scaled)
    flat = eigenvalues <= FLAT * len(scaled)
    if flat.any():
        raise _not_identified(eigenvalues[flat], scale[:, np.newaxis] * eigenvectors[:, flat], names)
    inverse = cho_solve(cho_factor(scaled, lower=True), np.eye(len(scaled)))
    return np.outer(scale, scale) * (inverse + inverse.T) / 2


def covariance_of_free(hessian: np.ndarray, free: np.ndarray, names: Sequence[str]) -> np.ndarray:
    """Return the covariance of the entries that are `free`, (n,) of bool, the others held where they are.

    Returns
    -------
    ndarray, shape (n, n)
        NaN in the rows and columns of the entries that are held: a bound decides them, and no curvature.
    """
    inside = np.flatnonzero(free)
    everywhere = np.full((len(free), len(free)), np.nan)
    everywhere[np.ix_(inside, inside)] = covariance(
        np.asarray(hessian, float)[np.ix_(inside, inside)], [names[int(i)] for i in inside]
    )
    return everywhere


def flattest(hessian: np.ndarray) -> np.ndarray:
    """Return the direction, shape (n,), along which a Hessian scaled to a unit diagonal is least curved."""
    curvature = np.diag(hessian)
    scale = 1 / np.sqrt(np.where(curvature > 0, curvature, 1.0))
    return scale * eigh(_symmetric(hessian) * np.outer(scale, scale))[1][:, 0]


def standard_errors(covariance: np.ndarray) -> np.ndarray:
    """Return the (n,) square roots of the variances, in units of the parameters."""
    return np.sqrt(np.diag(covariance))


def wald_intervals(estimates: np.ndarray, standard_errors: np.ndarray, level: float = 0.95) -> np.ndarray:
    """Return symmetric normal intervals of each parameter.

    Parameters
    ----------
    estimates, standard_errors : ndarray, shape (n,)
        In the same units.
    level : float, in (0, 1)
        Probability that an interval covers its parameter.

    Returns
    -------
    ndarray, shape (n, 2)
        Lower and upper ends, estimate -+ z * standard error.

    Examples
    --------
    >>> wald_intervals(np.array([1.0]), np.array([0.5])).round(3)
    array([[0.02, 1.98]])
    """
    if not 0 < level < 1:
        raise UsageError(f"level is {level!r}.", remedy="pass a probability between 0 and 1, such as level=0.95.")
    estimates, standard_errors = np.asarray(estimates, float), np.asarray(standard_errors, float)
    half = ndtri((1 + level) / 2) * standard_errors
    return np.column_stack([estimates - half, estimates + half])


def combination(direction: np.ndarray, names: Sequence[str]) -> str:
    """Return a direction as text, scaled so that its largest entry is 1 or -1, without the entries below 1e-4.

    Parameters
    ----------
    direction : ndarray, shape (n,)
        In units of the parameters.
    names : sequence of n str
        Of the parameters.

    Examples
    --------
    >>> combination(np.array([2.0, -1.0, 0.0]), ["a", "b", "c"])
    'a - 0.5 * b'
    """
    direction = direction / np.abs(direction).max()
    terms = ""
    inside = np.flatnonzero(np.abs(direction) >= 1e-4)
    for weight, name in ((direction[k], names[k]) for k in inside[:_MOST]):
        sign = ("-" if weight < 0 else "") if not terms else (" - " if weight < 0 else " + ")
        factor = f"{abs(weight):.4g}"
        terms += sign + (name if factor == "1" else f"{factor} * {name}")
    return terms if len(inside) <= _MOST else f"{terms} + ... ({len(inside)} parameters)"


_MOST = 8
"""So many parameters of a combination are shown."""


def _symmetric(hessian: np.ndarray) -> np.ndarray:
    """Return (H + H') / 2, refusing what is not a square matrix."""
    hessian = np.asarray(hessian, float)
    if hessian.ndim != 2 or hessian.shape[0] != hessian.shape[1]:
        raise UsageError(f"The Hessian has shape {hessian.shape}.", remedy="pass a square matrix.")
    return (hessian + hessian.T) / 2


def _names(names: Sequence[str] | None, size: int) -> list[str]:
    """Return one name for each parameter."""
    names = [f"x[{i}]" for i in range(size)] if names is None else list(names)
    if len(names) != size:
        raise UsageError(f"There are {len(names)} names for {size} parameters.", remedy="pass one name for each.")
    return names


def _refuse_not_finite(hessian: np.ndarray, names: list[str]) -> None:
    """Raise an error that names the parameters whose second derivatives are NaN or infinite."""
    rows, columns = np.nonzero(~np.isfinite(hessian))
    if rows.size:
        pairs = [f"({names[i]}, {names[j]})" for i, j in zip(rows, columns, strict=True) if i <= j]
        raise InferenceError(
            f"The Hessian is not finite at the solution, first at {', '.join(pairs[:3])}.",
            remedy="keep the parameters away from values where the objective overflows or is not defined.",
        )


def _not_identified(eigenvalues: np.ndarray, directions: np.ndarray, names: list[str]) -> InferenceError:
    """Return the error that shows each direction (a column, in units of the parameters) and says what it means."""
    shown = [f"  {combination(upwards(direction), names)}" for direction in directions.T]
    falling = eigenvalues[0] < -FLAT * len(names)
    happened = "The Hessian is not positive definite at the solution: the objective does not rise along"
    if falling:
        remedy = "start from another point or use a method with exact second derivatives: this is no minimum."
    else:
        remedy = "drop or fix one of the parameters in each combination, or add a penalty: the data do not fix it."
    return InferenceError("\n".join([happened, *shown]), remedy=remedy)


def endless(
    value: Callable[[np.ndarray], float],
    x: np.ndarray,
    directions: Sequence[np.ndarray],
    hessian: np.ndarray | None = None,
) -> np.ndarray | None:
    """Return the direction, shape (n,), along which a negative log-likelihood still falls far beyond `x`; None if none.

    Notes
    -----
    As where two classes are separated by a plane, or a variance goes to 0 with a perfect fit: f(x) > f(x + d) >=
    f(x + 3 d), but for rounding, for a step d as large as the parameters, along which the curvature at x promises
    nothing (d'H d < 1e-3, where the Hessian is given).
    """
    here = value(x)
    size = max(1.0, float(np.max(np.abs(x))))
    for direction in directions:
        largest = np.max(np.abs(direction), initial=0.0)
        if not (np.isfinite(largest) and largest > 0):
            continue
        unit = direction / largest
        for step in (size * unit, -size * unit):
            with np.errstate(all="ignore"):
                if hessian is not None and not abs(step @ hessian @ step) < 1e-3:
                    break
                near = value(x + step)
                far = value(x + 3 * step)
                if here - near > _VISIBLE * abs(here) and far - near <= _VISIBLE * abs(here):
                    return step
    return None


_VISIBLE = 1e-13
"""A relative decrease of the likelihood that is no rounding of its sum."""


def no_maximum(direction: np.ndarray, names: Sequence[str]) -> InferenceError:
    """Return the error of a likelihood that rises for ever along `direction`."""
    return InferenceError(
        "The likelihood has no maximum: far beyond the estimates, which are where the solver stopped, it still rises "
        f"along\n  {combination(direction, names)}",
        remedy="leave out a parameter of this combination, bound it, or add a penalty. If the response has two "
        "classes, the combination separates them: it predicts some responses perfectly.",
    )


def upwards(direction: np.ndarray) -> np.ndarray:
    """Return the direction, (n,), or its opposite: the one whose first sizeable entry is positive."""
    first = np.argmax(np.abs(direction) > 0.1 * np.abs(direction).max())
    return direction * np.sign(direction[first])
