"""Intervals of parameters."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtri

from autoopt.errors import UsageError


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
