"""The entries of a matrix that a solver has been told of: those, in its order, and whether there are any others."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np


class Beside(Exception):
    """A matrix has entries beside those that were told: the function takes another branch there."""


class Entries:
    """Positions of a matrix with `columns` columns, sorted by rows; of its lower triangle alone if `lower`.

    Attributes
    ----------
    places : (ndarray of int, ndarray of int)
        Rows and columns.
    """

    def __init__(self, places: Iterable[tuple[np.ndarray, np.ndarray]], columns: int, lower: bool = False) -> None:
        self._columns, self._lower = columns, lower
        keys = [rows.astype(np.int64) * columns + where for rows, where in places]
        self._keys = np.unique(np.concatenate([np.zeros(0, np.int64), *keys]))
        if lower:
            self._keys = self._keys[self._keys // columns >= self._keys % columns]
        self.places = self._keys // columns, self._keys % columns

    def values(self, matrix: Any) -> np.ndarray:
        """Return the entries of an array or sparse matrix, those at one place summed.

        Raises
        ------
        Beside
            If others are not 0.
        """
        if not hasattr(matrix, "tocoo"):
            values = matrix[self.places]
            if len(values) < self._most(matrix.shape) and not np.count_nonzero(values) == np.count_nonzero(
                np.tril(matrix) if self._lower else matrix
            ):
                raise Beside
            return values
        sparse = matrix.tocoo()
        kept = sparse.row >= sparse.col if self._lower else np.ones(sparse.nnz, bool)
        keys = sparse.row[kept].astype(np.int64) * self._columns + sparse.col[kept]
        at = np.minimum(np.searchsorted(self._keys, keys), max(len(self._keys) - 1, 0))
        known = self._keys[at] == keys if len(self._keys) else np.zeros(len(keys), bool)
        if np.any(sparse.data[kept][~known]):
            raise Beside
        return np.bincount(at[known], sparse.data[kept][known], len(self._keys))

    def _most(self, shape: tuple[int, int]) -> int:
        return shape[0] * (shape[0] + 1) // 2 if self._lower else shape[0] * shape[1]


def everywhere(rows: int, columns: int) -> tuple[np.ndarray, np.ndarray]:
    """Return all positions of a matrix."""
    where = np.indices((rows, columns))
    return where[0].reshape(-1), where[1].reshape(-1)


def of_matrix(matrix: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return the positions that a sparse matrix has, or all those of an array."""
    if not hasattr(matrix, "tocoo"):
        return everywhere(*matrix.shape)
    sparse = matrix.tocoo()
    return sparse.row, sparse.col
