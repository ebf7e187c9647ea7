"""Where a matrix of derivatives may have entries other than 0, as users see it: `Objective.sparsity()`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from scipy import sparse

SHARE = 0.25
"""The largest share of positions that may differ from 0 in what is kept sparse; fuller matrices take no less memory."""

_WIDEST = 64
"""Columns of a picture in text: with the lines around it, it fits into a terminal of 80."""

_SHADES = ".:+#"
"""How full a part of the matrix is: up to an eighth, up to a quarter, up to a half, more."""


@dataclass(frozen=True, eq=False)
class Sparsity:
    """The positions of a Hessian or Jacobian that may hold anything but 0, on one path through the branches.

    Attributes
    ----------
    kind : "hessian" or "jacobian"
    shape : (int, int)
    indptr, indices : ndarray of int
        Compressed rows, as in `scipy.sparse.csr_array`; columns are in order.
    colors : int
        How many products with a vector give all entries.

    Notes
    -----
    A position that is left out is 0 at every point of the path. One that is there may be 0 everywhere, too.
    """

    kind: str
    shape: tuple[int, int]
    indptr: np.ndarray
    indices: np.ndarray
    colors: int

    @property
    def nnz(self) -> int:
        """The number of positions."""
        return len(self.indices)

    @property
    def density(self) -> float:
        """The share of the matrix that they are, from 0 to 1."""
        return self.nnz / max(self.shape[0] * self.shape[1], 1)

    @property
    def rows(self) -> np.ndarray:
        """The row of each position, shape (nnz,); their columns are `indices`."""
        return np.repeat(np.arange(self.shape[0]), np.diff(self.indptr))

    def matrix(self) -> sparse.csr_array:
        """Return a boolean matrix that is True at the positions."""
        from scipy import sparse

        ones = np.ones(self.nnz, dtype=bool)
        return sparse.csr_array((ones, self.indices.copy(), self.indptr.copy()), shape=self.shape)

    def __str__(self) -> str:
        rows, columns = self.shape
        products = f"{self.colors} product{'s' if self.colors != 1 else ''}"
        return f"{self.kind} {rows} x {columns}: {self.nnz} entries ({100 * self.density:.3g} %), {products}"

    def spy(self, axes: Any = None, **options: Any) -> Any:
        """Return a picture of the positions: text, or with `axes` what matplotlib draws.

        Parameters
        ----------
        axes : matplotlib.axes.Axes, optional
            Where `Axes.spy` is to draw it, with these options. Without, the picture is text.

        Returns
        -------
        str, or what `Axes.spy` returns
            In text each character is a part of the matrix: blank if it is empty, then `.`, `:`, `+`, `#`, the more of
            its entries are there.
        """
        if axes is not None:
            return axes.spy(self.matrix(), **({"markersize": 1} | options))
        return "\n".join([str(self), *_picture(self)])


def _picture(sparsity: Sparsity) -> list[str]:
    """Return the lines of a picture in text, framed."""
    rows, columns = sparsity.shape
    if not rows or not columns:
        return []
    high, wide = _cells(rows, columns)
    row, column = sparsity.rows * high // rows, sparsity.indices.astype(np.int64) * wide // columns
    counts = np.bincount(row * wide + column, minlength=high * wide).reshape(high, wide)
    heights, widths = (np.bincount(np.arange(n) * k // n, minlength=k) for n, k in ((rows, high), (columns, wide)))
    share = counts / np.outer(heights, widths)
    shades = np.array([" ", *_SHADES])[np.where(counts > 0, 1 + np.searchsorted([0.125, 0.25, 0.5], share), 0)]
    edge = "+" + "-" * wide + "+"
    return [edge, *("|" + "".join(line) + "|" for line in shades), edge]


def _cells(rows: int, columns: int) -> tuple[int, int]:
    """Return of how many lines and characters the picture is; characters are twice as high as wide."""
    wide = min(columns, _WIDEST)
    high = rows if rows <= _WIDEST // 2 else max(1, min(rows, _WIDEST, round(wide * rows / columns / 2)))
    return high, wide
