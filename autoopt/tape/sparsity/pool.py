"""Sets of parameters by number, so that what an array depends on is an array of whole numbers.

    x (5,)                       0: {}   1: {0}  2: {1}  3: {2}  4: {3}  5: {4}            [1 2 3 4 5]
    x[1:] - x[:-1] ** 2          6: {0, 1}   7: {1, 2}   8: {2, 3}   9: {3, 4}             [6 7 8 9]

Number 0 is the empty set. So operations that move entries about move the numbers, in NumPy's own way, and what is
filled in depends on nothing; X @ w with data X has one set for all rows. A set is never changed and may have several
numbers.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

EMPTY = 0
"""The number of the empty set."""

LIMIT = 30_000_000
"""How many members are handled at once: a pattern of more entries than this is not sparse."""


class Crowded(Exception):
    """There are too many dependences to be listed."""


class Pool:
    """The sets that have numbers; at first the empty one, then that of each parameter alone.

    Parameters
    ----------
    size : int
        The number of parameters.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self.first = np.r_[0, np.arange(size)]
        self.length = np.r_[0, np.ones(size, dtype=np.int64)]
        self.members = np.arange(size, dtype=np.int32)

    @property
    def parameters(self) -> np.ndarray:
        """The numbers of the sets of each parameter alone."""
        return np.arange(1, self.size + 1)

    def rows(self, numbers: np.ndarray) -> sparse.csr_array:
        """Return a boolean matrix with one row for each of some sets, shape (k, n)."""
        lengths = self.length[numbers]
        ends = np.concatenate(([0], np.cumsum(lengths)))
        if ends[-1] > LIMIT:
            raise Crowded
        places = np.repeat(self.first[numbers] - ends[:-1], lengths) + np.arange(ends[-1])
        members = self.members[places]
        return sparse.csr_array((np.ones(len(members), bool), members, ends), shape=(len(numbers), self.size))

    def add(self, rows: sparse.csr_array) -> np.ndarray:
        """Number new sets, the rows of a matrix without repeated entries."""
        rows.sort_indices()
        numbers = np.arange(len(self.first), len(self.first) + rows.shape[0])
        self.first = np.concatenate((self.first, len(self.members) + rows.indptr[:-1].astype(np.int64)))
        self.length = np.concatenate((self.length, np.diff(rows.indptr)))
        self.members = np.concatenate((self.members, rows.indices.astype(np.int32)))
        if len(self.members) > LIMIT:
            raise Crowded
        return numbers

    def union(self, one: np.ndarray, other: np.ndarray) -> np.ndarray:
        """Return the numbers of the unions of sets, which are broadcast."""
        one, other = np.broadcast_arrays(one, other)
        result = np.where(one == EMPTY, other, one)
        joined = (one != other) & (one != EMPTY) & (other != EMPTY)
        if joined.any():
            pairs, places = distinct(one[joined], other[joined])
            result[joined] = self.add(self.rows(pairs[0]) + self.rows(pairs[1]))[places]
        return result

    def unions(self, groups: np.ndarray) -> np.ndarray:
        """Return the numbers of the unions of the sets of each row, shape (m, k) to (m,)."""
        count, width = groups.shape
        if width == 0:
            return np.zeros(count, dtype=np.int64)
        first = groups[:, 0]
        if width == 1 or (groups == first[:, None]).all():
            return first
        rows, numbers = np.nonzero(groups)[0], groups[groups != EMPTY]
        return self.gathered(rows, numbers, count)

    def gathered(self, rows: np.ndarray, numbers: np.ndarray, count: int) -> np.ndarray:
        """Return for each of `count` rows the union of the sets that go to it."""
        (rows, numbers), _ = distinct(rows, numbers)
        members = self.rows(numbers)
        ends = np.zeros(count + 1, dtype=np.int64)
        np.add.at(ends, rows + 1, np.diff(members.indptr))
        joined = sparse.csr_array((members.data, members.indices, np.cumsum(ends)), shape=(count, self.size))
        joined.sum_duplicates()
        result = np.zeros(count, dtype=np.int64)
        filled = np.diff(joined.indptr) > 0
        result[filled] = self.add(joined[filled])
        return result

    def all(self, numbers: np.ndarray) -> int:
        """Return the number of the union of all of some sets."""
        numbers = np.unique(numbers)
        numbers = numbers[numbers != EMPTY]
        return int(self.unions(numbers[None])[0]) if len(numbers) else EMPTY


def distinct(one: np.ndarray, other: np.ndarray) -> tuple[tuple[np.ndarray, np.ndarray], np.ndarray]:
    """Return the pairs of numbers that there are, ordered, and which of them each pair is."""
    if len(one) == 0:
        return (one, other), np.zeros(0, dtype=np.int64)
    factor = int(other.max()) + 1
    keys = one.astype(np.int64) * factor + other
    if (np.diff(keys) > 0).all():
        return (one, other), np.arange(len(keys))
    keys, places = np.unique(keys, return_inverse=True)
    return (keys // factor, keys % factor), places
