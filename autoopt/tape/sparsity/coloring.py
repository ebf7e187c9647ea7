"""Columns that no row has two entries of are found by one product with a vector: they have one colour.

A row that is nearly full gives every column a colour of its own. So full rows are left out, of a Jacobian to be found
one by one, by products from the left; of a symmetric matrix they are its full columns, too, which have colours of their
own, and what others have in those rows is known from there:

    * * * * *        column 0 alone, colour 0; what is left of the others is a diagonal: one colour for all of them
    * *
    *   *            rows         0 0 0 0 0 ...     entry (0, 3) is (3, 0) of the product with colour 0,
    *     *          columns      0 1 1 1 1 ...     entry (3, 3) is row 3 of the product with colour 1
    *       *

Which rows are full is decided by what is saved: with those left out that have more than d entries, there are at least d
colours, for there is a row of so many; the least number of full rows and d together is taken.

References
----------
Curtis, A. R., Powell, M. J. D. and Reid, J. K. (1974). J. Inst. Maths Applics 13, 117-119.
Gebremedhin, A. H., Manne, F. and Pothen, A. (2005). SIAM Review 47(4), 629-705.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from autoopt.tape.sparsity.pattern import Pattern


@dataclass(frozen=True, eq=False)
class Coloring:
    """The products that give all entries of a matrix, and where each entry is found in them.

    Attributes
    ----------
    directions : sparse.csr_array, shape (k, n)
        What the matrix is multiplied by: units of the columns of each colour, summed.
    adjoints : sparse.csr_array, shape (l, m)
        What it is multiplied by from the left: units of full rows; or the other way round. None of a symmetric matrix.
    places : ndarray of int, shape (nnz,)
        Of each position of the pattern the place in the products, one after the other: k of length m, l of length n.
    """

    directions: sparse.csr_array
    adjoints: sparse.csr_array
    places: np.ndarray

    @property
    def colors(self) -> int:
        """The number of products."""
        return self.directions.shape[0] + self.adjoints.shape[0]

    def values(self, products: list[np.ndarray]) -> np.ndarray:
        """Return the entries at the positions of the pattern."""
        if not products:
            return np.zeros(len(self.places))
        return np.concatenate(products).take(self.places)


def symmetric(pattern: Pattern) -> Coloring:
    """Return a colouring of a symmetric pattern."""
    size = pattern.shape[0]
    counts = np.diff(pattern.indptr)
    full = _full(counts)
    others = np.flatnonzero(~full)
    rest = pattern.matrix()[others][:, others]
    color = np.full(size, -1)
    color[full] = np.arange(full.sum())
    color[others] = full.sum() + _groups(rest)
    used = counts > 0
    color = _renumbered(color, used)
    row, column = pattern.rows, pattern.indices
    first, second = np.maximum(row, column), np.minimum(row, column)  # both halves are read at one place
    swapped = full[first] & ~full[second]
    first, second = np.where(swapped, second, first), np.where(swapped, first, second)
    return Coloring(_units(color, used), _none(size), color[second].astype(np.int64) * size + first)


def of_matrix(pattern: Pattern) -> Coloring:
    """Return a colouring of the columns but for full rows, or of the rows but for full columns: that of fewer."""
    by_columns = _by_columns(pattern)
    transposed = Pattern.of(pattern.matrix().T.tocsr())
    if by_columns.colors <= 1 + transposed.shape[1] // max(transposed.shape[0], 1):
        return by_columns
    return min(by_columns, _by_rows(pattern, transposed), key=lambda coloring: coloring.colors)


def _by_columns(pattern: Pattern) -> Coloring:
    rows, columns = pattern.shape
    counts = np.diff(pattern.indptr)
    full = _full(counts)
    rest = pattern.matrix()[np.flatnonzero(~full)]
    used = np.zeros(columns, dtype=bool)
    used[rest.indices] = True
    color = _renumbered(_groups(rest), used)
    directions = _units(color, used)
    order = np.cumsum(full) - 1
    row, column = pattern.rows, pattern.indices
    found_left = directions.shape[0] * rows + order[row] * columns + column
    places = np.where(full[row], found_left, color[column].astype(np.int64) * rows + row)
    return Coloring(directions, _units(order, full), places)


def _by_rows(pattern: Pattern, transposed: Pattern) -> Coloring:
    """Return the colouring of the transposed pattern, as one of the pattern."""
    other = _by_columns(transposed)
    rows, columns = pattern.shape
    count, more = other.directions.shape[0], other.adjoints.shape[0]
    places = other.places
    of_first = places < count * columns  # products from the left, which now come last
    places = np.where(of_first, places + more * rows, places - count * columns)
    positions = sparse.csr_array(
        (np.arange(1, len(places) + 1), transposed.indices, transposed.indptr), shape=transposed.shape
    )
    back = positions.T.tocsr()
    back.sort_indices()
    return Coloring(other.adjoints, other.directions, places[back.data - 1])


def fewest(pattern: Pattern) -> int:
    """Return how many products are needed at least by a symmetric pattern, or with full rows left out."""
    counts = np.diff(pattern.indptr)
    full = _full(counts)
    return int(full.sum() + counts[~full].max(initial=0))


def _full(counts: np.ndarray) -> np.ndarray:
    """Return which rows are to be left out, for the number of products to be least."""
    lengths = np.unique(counts)
    longer = len(counts) - np.searchsorted(np.sort(counts), lengths, side="right")
    return counts > lengths[np.argmin(longer + lengths)] if len(lengths) else np.zeros(0, dtype=bool)


def _groups(matrix: sparse.csr_array) -> np.ndarray:
    """Return the group of each column, so that columns of a group have no row in common: of several orders the best."""
    from scipy.optimize._numdiff import group_columns  # compiled; nothing public does this

    count = matrix.shape[1]
    if matrix.nnz == 0:
        return np.zeros(count, dtype=np.int64)
    columns = matrix.tocsc()
    most = int(np.diff(matrix.indptr).max())
    best: np.ndarray | None = None
    for order in (np.arange(count), np.argsort(-np.diff(columns.indptr), kind="stable"), 0):
        groups = group_columns(matrix, order)
        if best is None or groups.max() < best.max():
            best = groups
        if best.max() + 1 == most:  # there are no fewer
            break
    assert best is not None
    return np.asarray(best, dtype=np.int64)


def _renumbered(color: np.ndarray, used: np.ndarray) -> np.ndarray:
    """Return colours that are numbered without gaps where columns without entries are left out."""
    kept = np.unique(color[used])
    return np.searchsorted(kept, color)


def _units(color: np.ndarray, used: np.ndarray) -> sparse.csr_array:
    """Return a matrix of one row for each colour, with 1 at its columns."""
    columns = np.flatnonzero(used)
    count = int(color[columns].max()) + 1 if len(columns) else 0
    return sparse.csr_array((np.ones(len(columns)), (color[columns], columns)), shape=(count, len(color)))


def _none(size: int) -> sparse.csr_array:
    return sparse.csr_array((0, size))
