"""Multipliers: with what weights, none negative, the normals of what holds a point make up its gradient."""

from __future__ import annotations

from typing import Any

import numpy as np

_MOST = 100
"""With more normals than this they are solved for as a sparse system; `nnls` takes time by their third power."""

_RANK = 1e-10
"""What is added where normals depend on one another, beside their lengths of 1."""

_ROUNDS = 30


def multipliers(normals: Any, gradient: np.ndarray) -> np.ndarray:
    """Return weights l >= 0, shape (k,), by which l @ normals, of shape (k, n), is near to `gradient`.

    Notes
    -----
    Many are found by least squares without their sign, those below 0 left out, until none are: the weights are then
    not always the nearest ones, but what they leave is a bound on what those do.
    """
    count = normals.shape[0]
    if count <= _MOST:
        from scipy.optimize import nnls

        dense = normals.toarray() if hasattr(normals, "toarray") else normals
        return nnls(dense.T, gradient)[0] if count else np.zeros(0)
    from scipy.sparse import csr_array, diags_array

    matrix = csr_array(normals)
    lengths = np.sqrt(np.asarray((matrix * matrix).sum(axis=1)).reshape(-1))
    lengths[lengths == 0] = 1.0
    matrix = (diags_array(1 / lengths) @ matrix).tocsr()
    kept, weights = np.arange(count), np.zeros(count)
    for _ in range(_ROUNDS):
        found = _least_squares(matrix[kept], gradient)
        if (found >= 0).all():
            weights[kept] = found
            break
        kept = kept[found > 0]
    return weights / lengths


def _least_squares(matrix: Any, gradient: np.ndarray) -> np.ndarray:
    """Return the weights of the rows, shape (k,), by r + N^T l = g, N r = 0."""
    from scipy.sparse import block_array, eye_array
    from scipy.sparse.linalg import splu

    count, size = matrix.shape
    if not count:
        return np.zeros(0)
    system = block_array([[eye_array(size), matrix.T], [matrix, -_RANK * eye_array(count)]], format="csc")
    return splu(system).solve(np.concatenate([gradient, np.zeros(count)]))[size:]
