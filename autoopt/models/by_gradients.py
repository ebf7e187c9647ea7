"""L-BFGS-B on a likelihood of rows: for parameters so many that no Hessian is wanted, and sparse data."""

from __future__ import annotations

from typing import Any

import numpy as np

from autoopt.models.newton import Solution
from autoopt.models.rows import Rows

TOLERANCE = 1e-8
"""Of the gradient, of columns divided by their root mean square, relative to the number of rows."""


def by_gradients(rows: Rows, x: np.ndarray, tol: float | None, most: int | None, with_hessian: bool) -> Solution:
    """Return the minimum from `x`, (q n,), without ancillary parameters; its Hessian empty if it is not wanted."""
    from scipy.optimize import minimize

    scale = _scales(rows)

    def scaled(u: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient = rows.first_order(u / scale)
        return value / count, gradient / scale / count

    count = float(len(rows.y) if rows.weights is None else rows.weights.sum())
    small = TOLERANCE if tol is None else tol
    options = {"maxiter": 15000 if most is None else most, "maxfun": 10**7, "maxcor": 20, "ftol": 1e-15, "gtol": small}
    found = minimize(scaled, x * scale, jac=True, method="L-BFGS-B", options=options)
    x = found.x / scale
    if with_hessian:
        value, gradient, hessian = rows.second_order(x)
    else:
        (value, gradient), hessian = rows.first_order(x), np.empty((0, 0))
    arrived = bool(np.abs(gradient / scale).max() <= 100 * small * count)
    return Solution(x, value, gradient, hessian, int(found.nit), bool(found.success) and arrived, found.message, False)


def _scales(rows: Rows) -> np.ndarray:
    """Return the root mean squares of the columns, 1 for the intercept, of each predictor, (q n,)."""
    return np.tile(np.concatenate([np.ones(int(rows.intercept)), root_mean_squares(rows.X)]), rows.predictors)


def root_mean_squares(X: Any) -> np.ndarray:
    """Return the root mean squares of the columns of X, dense or sparse, shape (n,); 1 where they are 0."""
    squares = np.asarray(X.multiply(X).sum(axis=0)).ravel() if hasattr(X, "tocsr") else np.einsum("ij,ij->j", X, X)
    scale = np.sqrt(squares / X.shape[0])
    scale[scale == 0] = 1.0
    return scale
