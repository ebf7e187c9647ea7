"""Harrell's concordance, by sorting: pairs are as many as the square of the rows, and none is looked at."""

from __future__ import annotations

import numpy as np


def concordance(time: np.ndarray, dead: np.ndarray, risk: np.ndarray, weights: np.ndarray) -> float:
    """Return how often, of two rows, the one with the event first has the larger risk; half for equal risks.

    Parameters
    ----------
    time, dead, risk, weights : ndarray, shape (m,)
        Pairs are of a row with an event and one with a longer time, or of the same time and censored; one counts the
        product of its weights.

    Returns
    -------
    float
        NaN if there are no pairs.

    Notes
    -----
    In the order of falling times, those of longer times stand before a row: so many that their number is a sum of
    powers of two, each of which is the length of a block that is sorted by risk, once for all rows.
    """
    order = np.lexsort((dead, -time))
    time, dead, risk, weights = time[order], dead[order], np.unique(risk[order], return_inverse=True)[1], weights[order]
    rows, below, levels = len(time), np.zeros(len(time)), len(time).bit_length()
    new = np.concatenate([[True], (np.diff(time) != 0) | (np.diff(dead.astype(int)) != 0)])
    before = np.flatnonzero(new)[np.cumsum(new) - 1]  # as many stand before a row
    for level in range(levels):
        blocks = np.arange(rows) >> level
        key = blocks * (rows + 1) + risk
        sorting = np.argsort(key, kind="stable")
        key, sums = key[sorting], np.concatenate([[0.0], np.cumsum(weights[sorting])])
        asking = np.flatnonzero(dead & ((before >> level) & 1 == 1))
        block = (before[asking] >> level) - 1
        start = sums[np.minimum(block << level, rows)]
        first, last = (
            sums[np.searchsorted(key, block * (rows + 1) + risk[asking], side=side)] for side in ("left", "right")
        )
        below[asking] += 0.5 * (first + last) - start
    counted = np.concatenate([[0.0], np.cumsum(weights)])[before]
    pairs = float((weights * counted)[dead].sum())
    return float((weights * below)[dead].sum() / pairs) if pairs else np.nan
