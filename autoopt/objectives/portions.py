"""The data with fewer rows: what differs between a trace on them and one on all is what depends on the rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from autoopt.tape.digest import LITERAL
from autoopt.tracing.trace import data_leaves

ENOUGH = 300
"""About how many rows of the shortest data tell as much as more of them."""


def portions(args: tuple) -> Iterator[list[tuple]]:
    """Yield pairs of arguments with fewer rows than `args`: of all arrays, or of those that have the usual number."""
    lengths = Counter(len(array) for array in data_leaves(args) if isinstance(array, np.ndarray) and array.ndim)
    known = sorted(length for length in lengths if length > 2 * LITERAL)
    if not known:
        return
    usual = max(known, key=lambda length: (lengths[length], length))
    for chosen in [known] if len(known) == 1 else [known, [usual]]:
        yield [
            tuple(resized(value, {length: _fewer(length, k, cut) for k, length in enumerate(chosen)}) for value in args)
            for cut in (1, 2)
        ]


def _fewer(length: int, rank: int, cut: int) -> int:
    """Return a smaller number of rows: in the same order as the others, and at no fixed distance from them."""
    return min(length, ENOUGH * (rank + 1)) - cut * (rank + 2) - cut // 2


def resized(value: Any, lengths: Mapping[int, int]) -> Any:
    """Return a data argument whose arrays of some lengths have other numbers of rows: fewer, or the same again."""
    if type(value) is np.ndarray and value.ndim and len(value) in lengths:
        return np.resize(value, (lengths[len(value)], *value.shape[1:]))
    if type(value) is dict:
        return {key: resized(part, lengths) for key, part in value.items()}
    if type(value) is tuple:
        return tuple(resized(part, lengths) for part in value)
    return value
