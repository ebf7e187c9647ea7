"""Reductions of all groups of rows at once: by sums into one place for each group, or as rows of a padded matrix.

values  3 1 4 1 5,  codes  0 1 0 1 0          # the number of each value's group

by sums:  np.zeros(2) with the values added at their codes gives 12 2, the sums; means and variances follow
padded:   the groups as rows, [3 4 5] and [1 1 .], with inf for what is missing of a minimum, and its axis reduced
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autoopt.tape.operations import put_add
from autoopt.tracing.recording.recorder import Recorder

BY_SUMS = frozenset(("sum", "mean", "var", "std"))
"""Reductions that follow from sums."""

PADDED = {"min": np.inf, "max": -np.inf, "prod": 1.0, "median": np.inf, "quantile": np.inf}
"""Reductions that are done for all groups at once, with what fills up the shorter ones."""


def by_sums(tracer: Recorder, name: str, values: Any, codes: np.ndarray, count: int) -> Any:
    """Return sums, means, variances or standard deviations, of all groups at once."""

    def add(numbers: Any) -> Any:
        return tracer.call(put_add, (np.zeros(count), codes, numbers), {})

    sums, counts = add(values), np.bincount(codes, minlength=count)
    if name == "sum":
        return sums
    with np.errstate(all="ignore"):
        means = sums / counts
        if name == "mean":
            return means
        lacking = counts < 2
        variance = add((values - means[codes]) ** 2) / np.maximum(counts - 1, 1)
    spread = variance if name == "var" else np.sqrt(np.where(lacking, 1.0, variance))
    return np.where(lacking, np.nan, spread) if lacking.any() else spread


def padded(name: str, values: Any, codes: np.ndarray, counts: np.ndarray, q: float = 0.5) -> Any:
    """Return a reduction of all groups at once, each a row that is filled up with what changes nothing."""
    order = np.argsort(codes, kind="stable")
    column = np.arange(len(codes)) - np.repeat(np.cumsum(counts) - counts, counts)
    places, used = np.zeros((len(counts), counts.max()), int), np.zeros((len(counts), counts.max()), bool)
    places[codes[order], column], used[codes[order], column] = order, True
    rows = np.where(used, values[places], PADDED[name])
    if name in ("min", "max", "prod"):
        return getattr(np, name)(rows, axis=1)
    rows, position = np.sort(rows, axis=1), q * (counts - 1.0)
    below = np.floor(position).astype(int)
    share, groups = position - below, np.arange(len(counts))
    above = np.minimum(below + 1, counts - 1)
    return rows[groups, below] * (1 - share) + rows[groups, above] * share


def label_of(func: Any) -> str:
    """Return what a function is called among the labels of a result."""
    return func if type(func) is str else func.__name__
