"""Directions along which no row of a system rises, and some fall: what separates the classes of a likelihood."""

from __future__ import annotations

import numpy as np


def recession(slopes: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> np.ndarray | None:
    """Return the direction d, shape (n,), |d| <= 1, for which slopes @ d <= 0, not all 0; None if there is none.

    Parameters
    ----------
    slopes : ndarray, shape (m, n)
        Rows, of which lengths do not matter.
    lower, upper : ndarray, shape (n,)
        Of the direction, 0 where a bound ends it, else -1 and 1.

    Notes
    -----
    Linear programs, whose constraints hold for 0: unless that is their solution there is a direction. The first asks
    for the largest margin, by which all rows fall; where there is none, the second for the largest fall of all.
    """
    lengths = np.sqrt(np.einsum("ij,ij->i", slopes, slopes))
    known = np.isfinite(lengths) & (lengths > 0)
    rows = slopes[known] / lengths[known, np.newaxis]
    if not rows.size:
        return None
    bounds = np.column_stack([lower, upper])
    margin = np.zeros(rows.shape[1] + 1)
    margin[-1] = -1.0
    with_margin = np.column_stack([rows, np.ones(len(rows))])
    for cost, left, sides in (
        (margin, with_margin, np.vstack([bounds, [0.0, 1.0]])),
        (rows.sum(axis=0), rows, bounds),
    ):
        found = _least(cost, left, sides)
        if found is not None:
            found = found[: rows.shape[1]]
            return np.where(np.abs(found) > 1e-7, found, 0.0)
    return None


def _least(cost: np.ndarray, rows: np.ndarray, bounds: np.ndarray) -> np.ndarray | None:
    """Return x with the least cost, below 0, for which rows @ x <= 0; None if that is 0."""
    from scipy.optimize import linprog

    found = linprog(cost, rows, np.zeros(len(rows)), bounds=bounds, method="highs")
    return found.x if found.status == 0 and found.fun < -1e-6 else None
