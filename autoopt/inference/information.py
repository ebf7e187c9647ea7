"""The observed information, the Hessian of a negative log-likelihood at its minimum -> the covariance of estimates."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.linalg import cho_factor, cho_solve, eigh

from autoopt.errors import InferenceError, UsageError
from autoopt.inference.directions import combination, upwards

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
        raise _not_identified(eigenvalues[flat], scale[:, np.newaxis] * eigenvectors[:, flat], names, scale)
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


def digits_of_errors(hessian: np.ndarray) -> float:
    """Return about how many digits of standard errors the rounding of a Hessian's entries leaves.

    Those of 16 that its least eigenvalue does not take, scaled to a unit diagonal: entries have errors of their last
    digit, and along the flattest direction these are all that is left of sums that cancel.
    """
    curvature = np.diag(hessian)
    scale = 1 / np.sqrt(np.where(curvature > 0, curvature, 1.0))
    least = eigh(_symmetric(hessian) * np.outer(scale, scale), eigvals_only=True)[0]
    return float(np.log10(max(least, 0.0) / np.finfo(float).eps)) if least > 0 else 0.0


def standard_errors(covariance: np.ndarray) -> np.ndarray:
    """Return the (n,) square roots of the variances, in units of the parameters."""
    return np.sqrt(np.diag(covariance))


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


def _not_identified(
    eigenvalues: np.ndarray, directions: np.ndarray, names: list[str], scale: np.ndarray
) -> InferenceError:
    """Return the error that shows each direction (a column, in units of the parameters) and says what it means."""
    shown = [f"  {combination(upwards(direction), names, scale)}" for direction in directions.T]
    falling = eigenvalues[0] < -FLAT * len(names)
    happened = "The Hessian is not positive definite at the solution: the objective does not rise along"
    if falling:
        remedy = "start from another point or use a method with exact second derivatives: this is no minimum."
    else:
        remedy = "drop or fix one of the parameters in each combination, or add a penalty: the data do not fix it."
    return InferenceError("\n".join([happened, *shown]), remedy=remedy)
