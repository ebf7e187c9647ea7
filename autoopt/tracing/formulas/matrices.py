"""NumPy's functions of matrices that others express."""

from __future__ import annotations

import numpy as np

from autoopt.tape.signatures import Unsupported
from autoopt.tracing.formulas.table import formula


@formula(np.linalg.lstsq, note="of full rank")
def lstsq(a, b, rcond=None):
    """The least squares solution by the pseudo-inverse, whose derivative holds while the rank is full."""
    m, n = a.shape
    sizes = np.linalg.svdvals(a)
    cutoff = np.finfo(float).eps * max(m, n) if rcond is None else rcond
    if m and n and not np.min(sizes) > max(cutoff, 0.0) * np.max(sizes):
        raise Unsupported("np.linalg.lstsq of a matrix without full rank", "leave out columns that others determine")
    solution = np.linalg.pinv(a) @ b
    rest = b - a @ solution
    residuals = np.sum(rest * rest, axis=0) if m > n else np.zeros(0)
    return solution, residuals if np.ndim(b) == 2 or m <= n else np.reshape(residuals, 1), min(m, n), sizes


@formula(np.linalg.cond)
def cond(x, p=None):
    """The ratio of the norms of a matrix and its inverse; by singular values if p is None, 2 or -2."""
    if p in (None, 2, -2):
        sizes = np.linalg.svdvals(x)
        largest, smallest = np.max(sizes, axis=-1), np.min(sizes, axis=-1)
        return smallest / largest if p == -2 else largest / smallest
    return np.linalg.norm(x, ord=p, axis=(-2, -1)) * np.linalg.norm(np.linalg.inv(x), ord=p, axis=(-2, -1))


@formula(np.linalg.tensorsolve)
def tensorsolve(a, b):
    shape = a.shape[np.ndim(b) :]
    return np.reshape(np.linalg.solve(np.reshape(a, (np.size(b), -1)), np.ravel(b)), shape)


@formula(np.linalg.tensorinv)
def tensorinv(a, ind=2):
    rows = int(np.prod(a.shape[:ind]))
    return np.reshape(np.linalg.inv(np.reshape(a, (rows, -1))), a.shape[ind:] + a.shape[:ind])


if hasattr(np, "matvec"):  # NumPy 2.2

    @formula(np.matvec)
    def matvec(x1, x2):
        return np.sum(x1 * np.expand_dims(x2, -2), axis=-1)

    @formula(np.vecmat)
    def vecmat(x1, x2):
        return np.sum(np.expand_dims(x1, -1) * x2, axis=-2)
