"""Views, and copies that look like views: something is written into each and into what it is made from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from views import X5, W, base, case, sq

ENTRIES: dict[str, Callable] = {
    "asarray": lambda A: np.asarray(A),
    "array_copyNone": lambda A: np.array(A, copy=None),
    "array_copy": lambda A: np.array(A),
    "asarray_dtype": lambda A: np.asarray(A, dtype=float),
    "asanyarray": lambda A: np.asanyarray(A),
    "astype_nocopy": lambda A: A.astype(float, copy=False),
    "astype_copy": lambda A: A.astype(float),
    "view": lambda A: A.view(),
    "view_cls": lambda A: A.view(np.ndarray),
}
"""Of a vector; one entry is written."""

RUNS: dict[str, Callable] = {
    "reshape": lambda A: A.reshape(9),
    "reshape_fn": lambda A: np.reshape(A, -1),
    "reshape_F": lambda A: A.reshape(9, order="F"),
    "ravel": lambda A: A.ravel(),
    "ravel_T": lambda A: A.T.ravel(),
    "ravel_K": lambda A: A.T.ravel("K"),
    "flatten": lambda A: A.flatten(),
}
"""Of a matrix, as a vector; some entries in turn are written."""

ROWS: dict[str, Callable] = {
    "T": lambda A: A.T,
    "mT": lambda A: A.mT if hasattr(A, "mT") else A.T,
    "swapaxes": lambda A: A.swapaxes(0, 1),
    "moveaxis": lambda A: np.moveaxis(A, 0, 1),
    "permute_dims": lambda A: np.transpose(A, (1, 0)),
    "rollaxis": lambda A: np.rollaxis(A, 1),
    "ascontig": lambda A: np.ascontiguousarray(A.T),
    "ascontig2": lambda A: np.ascontiguousarray(A),
    "asfortran": lambda A: np.asfortranarray(A),
}
"""Of a matrix, as a matrix; a row is written."""


def written(name: str, start: Callable, view: Callable, place: Any, weights: np.ndarray) -> Callable:
    """Return an objective that writes into a view and into the array behind it, and reads both."""

    def f(x):
        A = start(x)
        v = view(A)
        v[place] = x[0] ** 2
        A[2] = x[1] ** 3
        return np.sum(A**2 * weights) + np.sum(v**3)

    f.__name__ = name
    return f


for table, start, place, weights in ((ENTRIES, base, 1, X5), (RUNS, sq, slice(2, 5), W), (ROWS, sq, 0, W)):
    for name, view in table.items():
        case(written(name, start, view, place, weights))
