"""Results of blocks put together in pairs, in an order that neither threads nor their speed decide.

    blocks  0 1 2 3 4 5        0+1, 2+3, 4+5;  (0+1)+(2+3);  ((0+1)+(2+3))+(4+5)

So the error of a sum grows with the logarithm of how many blocks there are.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

COMBINED: dict[str, np.ufunc] = {
    "sum": np.add,
    "max": np.maximum,
    "min": np.minimum,
    "all": np.logical_and,
    "any": np.logical_or,
}
"""By the names of `RowPass.results`: how two results become one."""


def joined(one: Mapping[str, Any], other: Mapping[str, Any], results: Mapping[str, str]) -> dict[str, Any]:
    """Return the results of two blocks together, those that are combined at all."""
    return {name: COMBINED[results[name]](value, other[name]) for name, value in one.items()}


class Pairs:
    """The results of blocks, or batches, each two neighbours combined once both are there.

    Parameters
    ----------
    results : mapping of str to str
        How each is combined.
    """

    def __init__(self, results: Mapping[str, str]) -> None:
        self.results = results
        self.waiting: dict[tuple[int, int], Mapping[str, Any]] = {}  # by how often it was combined, and its number then

    def add(self, number: int, value: Mapping[str, Any]) -> None:
        """Take the results of a block, by its number from 0 on."""
        level = 0
        while (other := self.waiting.pop((level, number ^ 1), None)) is not None:
            one, two = (other, value) if number & 1 else (value, other)
            value, level, number = joined(one, two, self.results), level + 1, number >> 1
        self.waiting[level, number] = value

    def whole(self) -> dict[str, Any]:
        """Return what all of them make together: those at the end, that have no neighbour, are combined first."""
        last, *before = [self.waiting[key] for key in sorted(self.waiting, key=lambda key: -(key[1] << key[0]))]
        for one in before:
            last = joined(one, last, self.results)
        return dict(last)
