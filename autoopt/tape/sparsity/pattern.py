"""Where a matrix of derivatives may have entries other than 0."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from autoopt.tape.sparsity.pool import EMPTY, LIMIT, Crowded, Pool, distinct


@dataclass(frozen=True, eq=False)
class Pattern:
    """The positions of a matrix in compressed rows, their columns in order.

    Attributes
    ----------
    shape : (int, int)
    indptr, indices : ndarray of int
        As those of `scipy.sparse.csr_array`.
    """

    shape: tuple[int, int]
    indptr: np.ndarray
    indices: np.ndarray

    @classmethod
    def of(cls, matrix: sparse.csr_array) -> Pattern:
        """Return the pattern of the entries that a sparse matrix has."""
        matrix.sum_duplicates()
        return cls(matrix.shape, matrix.indptr.astype(np.int32), matrix.indices.astype(np.int32))

    @property
    def nnz(self) -> int:
        """The number of positions."""
        return len(self.indices)

    @property
    def rows(self) -> np.ndarray:
        """The row of each position."""
        return np.repeat(np.arange(self.shape[0]), np.diff(self.indptr))

    def matrix(self, values: np.ndarray | None = None) -> sparse.csr_array:
        """Return the matrix that has `values` at the positions, or True."""
        values = np.ones(self.nnz, dtype=bool) if values is None else values
        return sparse.csr_array((values, self.indices.copy(), self.indptr.copy()), shape=self.shape)


class Interactions:
    """The pairs of parameters whose mixed derivative may differ from 0, as products of sets."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self._within: list[np.ndarray] = []
        self._between: list[tuple[np.ndarray, np.ndarray]] = []

    def within(self, numbers: np.ndarray) -> None:
        """Let all members of each set interact."""
        self._within.append(np.unique(numbers))

    def between(self, one: np.ndarray, other: np.ndarray) -> None:
        """Let the members of one set interact with those of another one, pair by pair; they are broadcast."""
        one, other = np.broadcast_arrays(one, other)
        both = (one != EMPTY) & (other != EMPTY)
        if both.any():
            self._between.append(distinct(one[both], other[both])[0])

    def pattern(self) -> Pattern:
        """Return the pattern of all of them, shape (n, n), symmetric.

        Raises
        ------
        Crowded
            If it has too many entries to be listed.
        """
        size = self.pool.size
        found = sparse.csr_array((size, size), dtype=bool)
        if self._within:
            numbers = np.unique(np.concatenate(self._within))
            numbers = numbers[numbers != EMPTY]
            found = found + _product(self.pool, numbers, numbers)
        if self._between:
            pairs = zip(*self._between, strict=True)
            one, other = distinct(*(np.concatenate(part) for part in pairs))[0]
            product = _product(self.pool, one, other)
            found = found + product + product.T.tocsr()
        return Pattern.of(found)


def _product(pool: Pool, one: np.ndarray, other: np.ndarray) -> sparse.csr_array:
    """Return where members of one set meet members of the other, of any pair."""
    if np.dot(pool.length[one].astype(float), pool.length[other]) > LIMIT:
        return _by_size(pool, one, other)
    return sparse.csr_array(pool.rows(one).T @ pool.rows(other))


def _by_size(pool: Pool, one: np.ndarray, other: np.ndarray) -> sparse.csr_array:
    """Return the product where many pairs may give the same entries: by parts, if the result is not too large."""
    size = pool.size
    if size * size > LIMIT:
        raise Crowded
    dense = np.zeros((size, size), dtype=bool)
    for a, b in zip(one, other, strict=True):
        left = pool.members[pool.first[a] : pool.first[a] + pool.length[a]]
        right = pool.members[pool.first[b] : pool.first[b] + pool.length[b]]
        dense[np.ix_(left, right)] = True
        if dense.all():
            break
    return sparse.csr_array(dense)
