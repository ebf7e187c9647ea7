"""Results of blocks put together in pairs, in an order that neither threads nor their speed decide.

    blocks  0 1 2 3 4 5        0+1, 2+3, 4+5;  (0+1)+(2+3);  ((0+1)+(2+3))+(4+5)

So the error of a sum grows with the logarithm of how many blocks there are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

COMBINED: dict[str, Callable[[Any, Any], Any]] = {
    "sum": lambda one, other: one + other,
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
    """The results of so many blocks or groups of blocks, each pair combined once both are there.

    Parameters
    ----------
    count : int
        How many there are, numbered from 0.
    results : mapping of str to str
        How each is combined.
    """

    def __init__(self, count: int, results: Mapping[str, str]) -> None:
        self.count, self.results = count, results
        self.waiting: dict[tuple[int, int], Mapping[str, Any]] = {}

    def add(self, number: int, value: Mapping[str, Any]) -> None:
        """Take the results of a block."""
        level, count = 0, self.count
        while count > 1:
            sibling = number ^ 1
            if sibling < count:
                other = self.waiting.pop((level, sibling), None)
                if other is None:
                    break
                value = joined(value, other, self.results) if number < sibling else joined(other, value, self.results)
            level, number, count = level + 1, number >> 1, (count + 1) >> 1
        self.waiting[level, number] = value

    def whole(self) -> Mapping[str, Any]:
        """Return what all of them make together."""
        (value,) = self.waiting.values()
        return value
