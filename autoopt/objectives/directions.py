"""The weights that an array's derivatives are added up with: one vector or many, in the user's shapes."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from autoopt.errors import UsageError


def weights(w: Any, shape: tuple[int, ...]) -> np.ndarray:
    """Return the weights of a result of `shape` and m entries as a vector, shape (m,), or k of them, shape (m, k).

    Raises
    ------
    UsageError
        If there is not one for each entry.
    """
    w, count = np.asarray(w, dtype=float), prod(shape)
    if w.shape in ((count,), shape):
        return w.reshape(-1)
    if w.ndim == 2 and w.shape[0] == count:
        return w
    raise UsageError(
        f"The weights have shape {w.shape}, but f's result has shape {shape}.",
        remedy="pass one weight for each entry of the result, or a matrix with a row for each.",
    )
