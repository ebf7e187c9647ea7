"""Intervals and probabilities of parameters: normal, or of Student's t where a variance was estimated beside them."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr, ndtri, stdtr, stdtrit

from autoopt.errors import UsageError


def wald_intervals(
    estimates: np.ndarray, standard_errors: np.ndarray, level: float = 0.95, df: float = np.inf
) -> np.ndarray:
    """Return symmetric intervals of each parameter.

    Parameters
    ----------
    estimates, standard_errors : ndarray, shape (n,)
        In the same units.
    level : float, in (0, 1)
        Probability that an interval covers its parameter.
    df : float, > 0
        Degrees of freedom of Student's t; infinite for the normal distribution, NaN where they are not known.

    Returns
    -------
    ndarray, shape (n, 2)
        Lower and upper ends, estimate -+ t * standard error.

    Examples
    --------
    >>> wald_intervals(np.array([1.0]), np.array([0.5])).round(3)
    array([[0.02, 1.98]])
    """
    require_level(level)
    estimates, standard_errors = np.asarray(estimates, float), np.asarray(standard_errors, float)
    tail = (1 + level) / 2
    half = (ndtri(tail) if np.isinf(df) else stdtrit(df, tail)) * standard_errors
    return np.column_stack([estimates - half, estimates + half])


def two_sided(ratios: np.ndarray, df: float = np.inf) -> np.ndarray:
    """Return the probabilities of larger estimates in standard errors, shape (n,), were the parameters 0.

    `df` as for `wald_intervals`.
    """
    size = -np.abs(np.asarray(ratios, float))
    return 2 * (ndtr(size) if np.isinf(df) else stdtr(df, size))


def require_level(level: float) -> float:
    """Return the level if it is a probability between 0 and 1; UsageError if not."""
    if not 0 < level < 1:
        raise UsageError(f"level is {level!r}.", remedy="pass a probability between 0 and 1, such as level=0.95.")
    return float(level)
