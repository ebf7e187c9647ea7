"""Steps that a loop of the user's repeats, folded: the first iteration is shown, the others are counted.

    s = s + a[0] * b       step 3, 4, 5
    s = s + a[1] * b       step 6, 7, 8            3, 4, 5, Fold(times=98, size=3)
    ... 97 more

Two iterations are alike where the same instructions of the user's made the same operations in the same order. A loop
in a loop is folded within the first iteration of the outer one.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

LONGEST = 5000
"""The steps of the longest iteration that is looked for."""

FEWEST = 3
"""How many iterations are folded: two are shown."""


class Fold(NamedTuple):
    """So many more times the same steps: `first` and `last` are the positions of the iteration that is shown."""

    times: int
    first: int
    last: int

    @property
    def size(self) -> int:
        """The steps of one iteration."""
        return self.last - self.first + 1


def folded(signatures: Sequence[Hashable]) -> list[int | Fold]:
    """Return the positions that are shown of a sequence, with a `Fold` after each iteration that is repeated."""
    numbers: dict[Hashable, int] = {}
    ids = np.array([numbers.setdefault(signature, len(numbers)) for signature in signatures], dtype=np.int64)
    return list(_folded(ids, 0, len(ids), _next(ids)))


def _next(ids: np.ndarray) -> np.ndarray:
    """Return for each position how far the next one with the same id is, 0 if there is none."""
    ahead, latest = np.zeros(len(ids), dtype=np.int64), {}
    for position in range(len(ids) - 1, -1, -1):
        key = int(ids[position])
        ahead[position] = latest.get(key, position) - position
        latest[key] = position
    return ahead


def _folded(ids: np.ndarray, begin: int, end: int, ahead: np.ndarray) -> Iterator[int | Fold]:
    position = begin
    while position < end:
        period = int(ahead[position])
        times = _times(ids, position, end, period) if 0 < period <= LONGEST else 1
        if times < FEWEST:
            yield position
            position += 1
            continue
        if period > 1:
            yield position
            yield from _folded(ids, position + 1, position + period, ahead)
        else:
            yield position
        yield Fold(times - 1, position, position + period - 1)
        position += times * period


def _times(ids: np.ndarray, begin: int, end: int, period: int) -> int:
    """Return how often the ids from `begin` on are repeated with a period."""
    block, times = ids[begin : begin + period], 1
    while begin + (times + 1) * period <= end:
        place = begin + times * period
        if ids[place] != block[0] or not np.array_equal(ids[place : place + period], block):
            break
        times += 1
    return times
