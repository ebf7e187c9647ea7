"""What scipy.sparse makes matrices of, with entries that are traced: by coordinates, of diagonals, of blocks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autoopt.tracing.arrays.sparse import Matrices, Sparse, coordinates, is_sparse

_PLACING = {"diags", "spdiags", "hstack", "vstack", "block_diag", "bmat", "block", "csr", "csc", "coo", "dia", "bsr"}
"""The functions and classes of scipy.sparse that put each entry that they are given somewhere, and do nothing else."""


def made(matrices: Matrices, make: Callable, args: tuple, kwargs: dict) -> Any:
    """Call a function or class of scipy.sparse that makes a matrix, of data or with entries that are traced."""
    if not matrices.depends((args, tuple(kwargs.values()))):
        matrix = matrices.wrap(make(*matrices.plainly(args), **matrices.plainly(kwargs)))
        if type(matrix) is Sparse:
            matrix._own = True
        return matrix
    if make.__name__.removesuffix("_array").removesuffix("_matrix") not in _PLACING or not args:
        raise matrices.refusal(f"scipy.sparse.{make.__name__}")
    return _placed(matrices, make, args[0], args[1:], kwargs)


def _placed(matrices: Matrices, make: Callable, given: Any, args: tuple, kwargs: dict) -> Sparse:
    """Return the matrix that `make` fills with traced entries: made of their numbers, it says where they go."""
    pool: list[Any] = []
    kwargs = {key: part for key, part in matrices.plainly(kwargs).items() if key != "format"}
    compressed = type(given) is tuple and len(given) > 1 and isinstance(make, type)
    if compressed and type(given[1]) is tuple:  # coordinates, of which two may be the same
        places = tuple(map(np.asarray, matrices.plainly(given[1])))
        entries = matrices.tracer.whole(given[0])
        matrix = make((np.ones(len(places[0])), places), *matrices.plainly(args), **kwargs)
    else:
        rest = matrices.plainly(given[1:]) if compressed else ()
        numbered = _numbered(matrices, given[0] if compressed else given, pool)
        matrix = make((numbered, *rest) if compressed else numbered, *matrices.plainly(args), **kwargs).tocoo()
        entries, places = np.concatenate(pool)[matrix.data.astype(int) - 1], (matrix.row, matrix.col)
    return Sparse(matrices, coordinates(matrix, np.asarray(entries.value), places), "matrix", entries)


def _numbered(matrices: Matrices, value: Any, pool: list) -> Any:
    """Return `value` with numbers from 1 on in place of its entries, which go to `pool`."""
    if value is None:
        return None
    if type(value) in (tuple, list):
        return type(value)([_numbered(matrices, part, pool) for part in value])
    start = 1 + sum(len(part) for part in pool)
    if type(value) is Sparse or is_sparse(value):
        matrix = value.value.tocoo() if type(value) is Sparse else value.tocoo()
        entries = getattr(value, "_entries", None)
        pool.append(matrix.data if entries is None else entries)
        return coordinates(matrix, np.arange(start, start + matrix.nnz, dtype=float), (matrix.row, matrix.col))
    pool.append(np.ravel(value))
    numbers = np.arange(start, start + len(pool[-1]), dtype=float).reshape(np.shape(value))
    return numbers if numbers.ndim else float(numbers)
