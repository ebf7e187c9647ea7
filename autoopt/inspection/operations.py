"""How many floating point operations a call does, from the shapes of what it takes and gives.

Elementwise functions do one for each entry of their result, an exponential as a sum; reductions one for each entry that
they read; what only moves numbers does none. The rows below have what is done besides: products of matrices,
factorisations, transforms. Counts are leading terms (G. H. Golub and C. F. Van Loan, Matrix Computations, 4th ed.):
those of a Cholesky factor are n**3 / 3.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

Count = Callable[[Sequence[Any], Any], float]

OPERATIONS: dict[str, Count] = {}
"""By the names of functions and methods: what a call does, from its arguments, its array before them if it is a method,
and its result."""


def counts(*names: str) -> Callable[[Count], Count]:
    """Enter a function that counts under the names of those whose calls it counts."""

    def entered(count: Count) -> Count:
        OPERATIONS.update(dict.fromkeys(names, count))
        return count

    return entered


def operations(function: Any, operands: Sequence[Any], result: Any) -> float | None:
    """Return how many operations a call has done; None if the function is not known.

    `operands` are its arguments by position, those that are no arrays or numbers among them.
    """
    owner = getattr(function, "__self__", None)
    name = getattr(function, "__name__", "").rpartition(" ")[2]  # "function dtbsv" is that of BLAS's
    if isinstance(owner, np.ufunc):
        return float(_METHODS[name](operands, result)) if name in _METHODS else None
    if name in OPERATIONS:
        return float(OPERATIONS[name](operands, result))
    if isinstance(function, np.ufunc):
        return float(size(result))
    return None


_METHODS: dict[str, Count] = {
    "reduce": lambda operands, result: size(operands[0]),
    "accumulate": lambda operands, result: size(operands[0]),
    "reduceat": lambda operands, result: size(operands[0]),
    "outer": lambda operands, result: size(result),
    "at": lambda operands, result: size(operands[2]) if len(operands) > 2 else size(operands[1]),
}
"""The methods of ufuncs."""


def size(value: Any) -> int:
    """Return how many entries an array or number has, a tuple of them all together, a sparse matrix those it holds."""
    if isinstance(value, tuple | list):
        return sum(map(size, value))
    return int(value.nnz) if hasattr(value, "nnz") else int(np.size(value))


def _order(matrix: Any) -> tuple[int, int]:
    """Return the order of square matrices, and how many there are."""
    shape = np.shape(matrix[0] if isinstance(matrix, tuple) else matrix)
    return shape[-1], math.prod(shape[:-2])


def _cubic(factor: float) -> Count:
    """Return the count of what does so many times n**3 operations on square matrices of order n."""

    def count(operands: Sequence[Any], result: Any) -> float:
        n, number = _order(operands[0])
        return factor * n**3 * number

    return count


def _times_size(factor: float) -> Count:
    """Return the count of what does so many operations for each entry that it reads."""
    return lambda operands, result: factor * size(operands[0])


def _of_result(operands: Sequence[Any], result: Any) -> float:
    return size(result)


def _none(operands: Sequence[Any], result: Any) -> float:
    return 0.0


# What reads each entry once, or a few times ---------------------------------------------------------------------------

counts("sum", "prod", "max", "min", "amax", "amin", "any", "all", "argmax", "argmin", "nansum", "nanmax", "nanmin",
       "cumsum", "cumprod", "count_nonzero", "bincount", "mean", "trace", "ptp")(_times_size(1))  # fmt: skip
counts("norm", "average")(_times_size(2))
counts("var", "std")(_times_size(4))  # the mean, differences, squares, their sum
counts("logsumexp", "softmax", "log_softmax")(_times_size(4))  # the maximum, differences, exponentials, their sum
_ENTRIES = """
    where clip diff ediff1d nan_to_num select round around polygamma comb factorial outer kron cross isclose
    abs sign square sinc interp trapezoid conj conjugate
"""

counts(*_ENTRIES.split())(_of_result)

_MOVES = """
    zeros ones full empty zeros_like ones_like full_like empty_like arange eye identity linspace array asarray
    ascontiguousarray asfortranarray concatenate stack hstack vstack column_stack reshape ravel flatten
    transpose swapaxes moveaxis expand_dims squeeze copy astype take take_along_axis put_along_axis
    broadcast_to broadcast_arrays tile repeat diag diagonal diagflat block_diag tri tril triu tril_indices
    triu_indices flip roll ix_ split array_split atleast_1d atleast_2d append insert delete pad indices
    meshgrid fill fill_diagonal nonzero flatnonzero shape size ndim len range float int bool tuple list dict
    slice zip enumerate sorted item tolist errstate broadcast_shapes isinstance tocsr tocsc csr_array
    csc_array coo_array toarray array_equal sliding_window_view windows as_strided view set rollaxis rot90 put copyto
    ndindex float64 type bool_
    getitem squareform
    put_add pack component held
"""

counts(*_MOVES.split())(_none)


@counts("total", "product", "greatest", "least")
def folded(operands: Sequence[Any], result: Any) -> float:
    """Steps of the tape of several operands: one operation between each two."""
    return size(result) * max(len(operands) - 1, 0)


# Products -------------------------------------------------------------------------------------------------------------


@counts("matmul", "dot", "vdot", "inner")
def product(operands: Sequence[Any], result: Any) -> float:
    """A multiplication and an addition for each entry of the result and each of those that are summed over."""
    first, second = operands[0], operands[1]
    if hasattr(first, "nnz") or hasattr(second, "nnz"):
        sparse, other = (first, second) if hasattr(first, "nnz") else (second, first)
        columns = size(other) / max(np.shape(other)[0], 1) if not hasattr(other, "nnz") else 1
        return 2.0 * size(sparse) * columns
    if not np.ndim(first) or not np.ndim(second):
        return size(result)
    return 2.0 * size(result) * np.shape(first)[-1]


@counts("tensordot")
def tensor_product(operands: Sequence[Any], result: Any) -> float:
    """As for matrices: what is summed over is what the result has not."""
    pairs = size(operands[0]) * size(operands[1]) / max(size(result), 1)
    return 2.0 * size(result) * math.sqrt(pairs)


@counts("einsum")
def contraction(operands: Sequence[Any], result: Any) -> float:
    """A loop over all labels: the factors multiplied, and added if any label is summed over."""
    labels, arrays = operands[0], operands[1:]
    if not isinstance(labels, str) or "." in labels:
        return math.nan
    inputs, _, output = labels.replace(" ", "").partition("->")
    lengths: dict[str, int] = {}
    for term, array in zip(inputs.split(","), arrays, strict=False):
        lengths |= dict(zip(term, np.shape(array), strict=False))
    return math.prod(lengths.values()) * (len(arrays) - 1 + (set(lengths) > set(output)))


@counts("pdist", "cdist")
def distances(operands: Sequence[Any], result: Any) -> float:
    """Differences, squares and sums for each coordinate of each pair."""
    return 3.0 * size(result) * np.shape(operands[0])[-1]


@counts("convolve", "correlate")
def convolution(operands: Sequence[Any], result: Any) -> float:
    """A multiplication and an addition for each pair of entries."""
    return 2.0 * size(operands[0]) * size(operands[1])


@counts("lfilter")
def filtered(operands: Sequence[Any], result: Any) -> float:
    """A multiplication and an addition for each coefficient, at each entry."""
    return 2.0 * (size(operands[0]) + size(operands[1]) - 1) * size(operands[2])


# Matrices -------------------------------------------------------------------------------------------------------------

counts("cholesky", "cho_factor")(_cubic(1 / 3))
counts("lu_factor", "lu", "det", "slogdet")(_cubic(2 / 3))
counts("inv")(_cubic(2))
counts("pinv", "svd", "svdvals")(_cubic(22))
counts("eigh")(_cubic(9))
counts("eigvalsh")(_cubic(4 / 3))
counts("eig")(_cubic(25))
counts("eigvals", "schur")(_cubic(10))
counts("expm")(_cubic(20))


def _columns(right: Any, n: int) -> float:
    return size(right) / max(n, 1)


@counts("solve")
def solution(operands: Sequence[Any], result: Any) -> float:
    """A factorisation, and two triangular systems for each column."""
    n, number = _order(operands[0])
    return 2 / 3 * n**3 * number + 2.0 * n**2 * _columns(result, n)


@counts("solve_triangular")
def triangular(operands: Sequence[Any], result: Any) -> float:
    """One triangular system for each column."""
    n, _ = _order(operands[0])
    return n**2 * _columns(result, n)


@counts("cho_solve", "lu_solve")
def solution_by_factor(operands: Sequence[Any], result: Any) -> float:
    """Two triangular systems for each column."""
    n, _ = _order(operands[0][0])
    return 2.0 * n**2 * _columns(result, n)


@counts("dtbsv")
def banded_triangular(operands: Sequence[Any], result: Any) -> float:
    """A multiplication and a subtraction for each entry beside the diagonal, and a division by that."""
    return (2.0 * np.shape(operands[1])[0] - 1) * size(result)


@counts("solve_banded")
def banded(operands: Sequence[Any], result: Any) -> float:
    """An elimination within the band, and two triangular systems, for each column."""
    lower, upper = operands[0]
    n = np.shape(operands[1])[-1]
    return 2.0 * n * lower * (upper + 1) + size(result) * (2.0 * (lower + upper) + 1)


@counts("qr", "lstsq")
def orthogonal(operands: Sequence[Any], result: Any) -> float:
    """Householder's reflections."""
    m, n = np.shape(operands[0])[-2:]
    return 2.0 * m * n**2


# Transforms, orders ---------------------------------------------------------------------------------------------------


@counts("fft", "ifft", "fft2", "ifft2", "fftn", "ifftn")
def transformed(operands: Sequence[Any], result: Any) -> float:
    """Five operations for each entry and each of the log2 n passes."""
    n = np.shape(result)[-1]
    return 5.0 * size(result) * math.log2(max(n, 2))


@counts("rfft", "irfft", "dct", "idct")
def transformed_real(operands: Sequence[Any], result: Any) -> float:
    """Half of those."""
    return transformed(operands, result) / 2


@counts("sort", "argsort", "lexsort", "unique", "median", "partition")
def ordered(operands: Sequence[Any], result: Any) -> float:
    """Comparisons."""
    n = size(operands[0])
    return n * math.log2(max(n, 2))


@counts("searchsorted", "digitize")
def searched(operands: Sequence[Any], result: Any) -> float:
    """Comparisons of a bisection for each."""
    return size(result) * math.log2(max(size(operands[0]), 2))
