"""Linear programs that fits come down to, solved by SciPy's HiGHS."""

from __future__ import annotations

from typing import Any

import numpy as np


def least_absolute(X: Any, y: np.ndarray, quantile: float, weights: np.ndarray) -> tuple[np.ndarray, bool, str]:
    """Return the coefficients, shape (n,), of the least weighted sum of tilted absolute residuals.

    Parameters
    ----------
    X : ndarray or sparse matrix, shape (m, n)
    y : ndarray, shape (m,)
    quantile : float, in (0, 1)
        q: a residual r counts q r if it is positive, (q - 1) r if it is negative.
    weights : ndarray, shape (m,)

    Returns
    -------
    coef : ndarray, shape (n,)
    success : bool
    message : str
        HiGHS's.

    Notes
    -----
    The dual program, max y'a subject to X'a = (1 - q) X'w and 0 <= a <= w, has n equations; the coefficients are their
    multipliers.

    References
    ----------
    Koenker, R. (2005). Quantile Regression, section 6.2. Cambridge.
    """
    from scipy.optimize import linprog

    bounds = np.column_stack([np.zeros(len(y)), weights])
    result = linprog(-y, A_eq=X.T, b_eq=(1 - quantile) * (X.T @ weights), bounds=bounds, method="highs")
    coef = np.full(X.shape[1], np.nan) if result.eqlin is None else -np.asarray(result.eqlin.marginals)
    return coef, bool(result.success), str(result.message)
