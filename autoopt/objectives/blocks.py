"""Derivatives by flat vectors as nests of blocks: by the parts of a structure, as JAX gives them.

Only indexes, slices and reshapes, so that it works on traced arrays too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autoopt.parameters import Structure

LARGEST_DENSE = 2000
"""Matrices of up to the square of this number of entries (32 MB) are returned as arrays, unless they are asked to be
sparse."""


def blocks(structure: Structure, matrix: Any) -> Any:
    """Return a Hessian of the flat vector as the nest of the second derivatives by the parts of `structure`."""
    entries = _entries(structure)
    return each(entries, lambda rows: each(entries, lambda columns: _block(matrix, rows, columns)))


def columns(structure: Structure, matrix: Any, shape: tuple[int, ...]) -> Any:
    """Return a Jacobian by the flat vector, of a function whose value has `shape`, as the nest of its parts."""
    return each(_entries(structure), lambda part: _columns(matrix, part).reshape(shape + np.shape(part)))


def _block(matrix: Any, rows: np.ndarray, columns: np.ndarray) -> Any:
    """Return the second derivatives by the flat entries `rows` and `columns`, in their shapes."""
    return _columns(_columns(matrix, columns).T, rows).T.reshape(np.shape(rows) + np.shape(columns))


def _columns(matrix: Any, part: np.ndarray) -> Any:
    """Return some columns that lie side by side."""
    first, count = np.ravel(part)[0] if np.size(part) else 0, np.size(part)
    return matrix if count == matrix.shape[1] else matrix[:, first : first + count]


def _entries(structure: Structure) -> Any:
    """Return a value of `structure` that holds the position of each entry in the flat vector."""
    return structure.unflatten(np.arange(structure.size))


def each(tree: Any, function: Callable) -> Any:
    """Return `tree` with `function` applied to each of its arrays."""
    if isinstance(tree, dict):
        return type(tree)((key, each(part, function)) for key, part in tree.items())
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        return type(tree)(*(each(part, function) for part in tree))
    if isinstance(tree, list | tuple):
        return type(tree)(each(part, function) for part in tree)
    return function(tree)
