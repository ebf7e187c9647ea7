"""The directions that products with a Jacobian take: one or many, flat or in the user's shapes."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

from autoopt.errors import UsageError
from autoopt.parameters import Structure


def pushed(run: Callable, structure: Structure, x: np.ndarray, p: Any) -> np.ndarray:
    """Return the products `run(x, direction)` with `p`, one direction, or a matrix (n, k) of k of them as columns."""
    if np.ndim(p) == 2 and np.shape(p)[0] == structure.size and np.shape(p) != structure.shape:
        return _columns(run, x, np.asarray(p, dtype=float))
    return run(x, structure.vector(p, "direction"))


def pulled(run: Callable, shape: tuple[int, ...], x: np.ndarray, w: Any) -> np.ndarray:
    """Return the products `run(x, weights)` with `w`: a weight for each entry of a result of `shape`, or k columns."""
    w, count = np.asarray(w, dtype=float), prod(shape)
    if w.shape in ((count,), shape):
        return run(x, w.reshape(-1))
    if w.ndim == 2 and w.shape[0] == count:
        return _columns(run, x, w)
    raise UsageError(
        f"The weights have shape {w.shape}, but f's result has shape {shape}.",
        remedy="pass one weight for each entry of the result, or a matrix with a row for each.",
    )


def _columns(run: Callable, x: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """Return the products with each column, as columns."""
    if not directions.shape[1]:
        return run(x, np.zeros(len(directions)))[:, None][:, :0]
    return np.stack([run(x, np.ascontiguousarray(column)) for column in directions.T], axis=1)
