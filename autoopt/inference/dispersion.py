"""Whether counts vary as a Poisson likelihood has it: Pearson's dispersion, and what is to be said of it."""

from __future__ import annotations

import numpy as np

FAR = 1.5
"""A dispersion beyond this, or below its inverse, changes standard errors by more than a fifth."""

_SURE = 4.0
"""Standard deviations of the dispersion by which it differs from 1 by more than chance."""


def dispersion(y: np.ndarray, mean: np.ndarray, parameters: int, weights: np.ndarray | None = None) -> float:
    """Return Pearson's chi-squared over its degrees of freedom; NaN where there are none, or a mean is no number.

    Parameters
    ----------
    y, mean : ndarray, shape (m,)
        Counts, and what they are expected to be.
    parameters : int
        How many were estimated.
    weights : ndarray, shape (m,), optional
        How often each row counts.

    References
    ----------
    McCullagh, P. and Nelder, J. A. (1989). Generalized Linear Models, section 6.2.
    """
    weights = np.ones(y.shape) if weights is None else weights
    df = weights.sum() - parameters
    with np.errstate(all="ignore"):
        terms = np.where(mean > 0, (y - mean) ** 2 / mean, np.where(y == 0, 0.0, np.nan))  # a mean of 0 expects 0
        return float(weights @ terms / df) if df > 0 else np.nan


def fractional(y: np.ndarray) -> str:
    """Return a sentence on counts that are no whole numbers, "" where all are."""
    number = int((y != np.rint(y)).sum())
    if not number:
        return ""
    verb = "is no whole number" if number == 1 else "are no whole numbers"
    return (
        f"{number} of {y.size} counts {verb}: the likelihood has gamma functions for their factorials. Rates are "
        "better taken as counts with an exposure, whose logarithm is an offset."
    )


def remark(
    y: np.ndarray, mean: np.ndarray, parameters: int, weights: np.ndarray | None = None, is_robust: bool = False
) -> str:
    """Return a sentence on counts that vary more or less than Poisson's, with what to do; "" where they do not.

    The dispersion of m rows has about the variance (2 + 1 / mean) / m, by which it must be far from 1 beyond chance.
    """
    found = dispersion(y, mean, parameters, weights)
    if not np.isfinite(found) or 1 / FAR <= found <= FAR:
        return ""
    count = y.size if weights is None else float(weights.sum())
    chance = np.sqrt((2 + np.mean(1 / np.maximum(mean, 1 / count))) / count)
    if abs(found - 1) <= _SURE * chance:
        return ""
    said = (
        f"The counts vary {found:.3g} times as much as those of a Poisson likelihood (Pearson's chi-squared over its "
    )
    said += "degrees of freedom)"
    if is_robust:
        return f"{said}; the standard errors allow for that."
    wrong = "small" if found > 1 else "large"
    other = ", or a negative binomial likelihood" if found > 1 else ""
    return f'{said}: standard errors are too {wrong}. Take covariance="robust" (--robust){other}.'
