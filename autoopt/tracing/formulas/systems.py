"""SciPy's linear systems of special structure, written out as dense ones, and equations of matrices."""

from __future__ import annotations

import numpy as np
import scipy.linalg
import scipy.sparse.linalg

from autoopt.errors import UnsupportedFunctionError
from autoopt.tape.signatures import Unsupported
from autoopt.tape.tape import PARAMETER
from autoopt.tracing.complex.array import as_complex, call
from autoopt.tracing.formulas import matrices
from autoopt.tracing.formulas.table import formula
from autoopt.tracing.standins.table import stands_in


@formula(scipy.sparse.linalg.spsolve, note="as a dense system")
def spsolve(A, b):
    return np.linalg.solve(A.toarray(), b)


_LARGEST = 3600
"""Unknowns of a matrix equation: it is solved as a dense system of that many."""


@formula(scipy.linalg.lstsq, note="of full rank")
def lstsq(a, b, cond=None, overwrite_a=False, overwrite_b=False, check_finite=True):
    solution, residuals, rank, sizes = matrices.lstsq(a, b, cond)
    return solution, residuals if np.ndim(b) == 2 or not len(residuals) else residuals[0], rank, sizes


@formula(scipy.linalg.solve_banded)
def solve_banded(l_and_u, ab, b, overwrite_ab=False, overwrite_b=False, check_finite=True):
    """The system with its diagonals, row i of `ab` being number u - i, put in their places."""
    lower, upper = map(int, l_and_u)
    n = ab.shape[-1]
    full = 0.0
    for row, k in enumerate(range(upper, -lower - 1, -1)):
        full = full + np.diag(ab[row, k:] if k >= 0 else ab[row, : n + k], k)
    return np.linalg.solve(full, b)


@formula(scipy.linalg.solveh_banded)
def solveh_banded(ab, b, overwrite_ab=False, overwrite_b=False, lower=False, check_finite=True):
    count, n = ab.shape
    full = 0.0
    for k in range(count):
        line = ab[k, : n - k] if lower else ab[count - 1 - k, k:]
        full = full + np.diag(line, -k) + (np.diag(line, k) if k else 0.0)
    return np.linalg.solve(full, b)


@formula(scipy.linalg.solve_toeplitz)
def solve_toeplitz(c_or_cr, b, check_finite=True):
    c, r = c_or_cr if type(c_or_cr) is tuple or np.ndim(c_or_cr) == 2 else (c_or_cr, c_or_cr)
    return np.linalg.solve(_toeplitz(c, r), b)


def _toeplitz(c, r):
    m, n = len(c), len(r)
    values = np.concatenate([c[:0:-1], c[:1], r[1:]])
    return np.take(values, m - 1 + np.arange(n) - np.arange(m)[:, None])


@formula(scipy.linalg.solve_circulant)
def solve_circulant(c, b):
    n = len(c)
    return np.linalg.solve(np.take(c, (np.arange(n)[:, None] - np.arange(n)) % n), b)


@formula(scipy.linalg.hankel)
def hankel(c, r=None):
    c = np.ravel(c)
    m, n = len(c), len(c) if r is None else len(np.ravel(r))
    values = np.concatenate([c, np.zeros(n - 1) if r is None else np.ravel(r)[1:]])
    return np.take(values, np.arange(m)[:, None] + np.arange(n))


@formula(scipy.linalg.companion)
def companion(a):
    n = len(a) - 1
    return np.concatenate([np.reshape(-a[1:] / a[0], (1, n)), np.eye(n - 1, n)])


@formula(scipy.linalg.leslie)
def leslie(f, s):
    return np.concatenate([np.reshape(f, (1, -1)), np.concatenate([np.diag(s), np.zeros((len(s), 1))], axis=1)])


@formula(scipy.linalg.fiedler)
def fiedler(a):
    return np.abs(np.expand_dims(a, -1) - np.expand_dims(a, -2))


@formula(scipy.linalg.convolution_matrix)
def convolution_matrix(a, n, mode="full"):
    places = n - 1 + np.arange(len(a) + n - 1)[:, None] - np.arange(n)
    cut = 0 if mode == "full" else min(n, len(a)) - 1
    first, last = (cut // 2, cut - cut // 2) if mode == "same" else (cut, cut)
    rows = places[first : len(places) - last]
    return np.take(np.concatenate([np.zeros(n - 1), a, np.zeros(n - 1)]), rows)


@formula(scipy.linalg.khatri_rao)
def khatri_rao(a, b):
    return np.reshape(a[:, None, :] * b, (-1, a.shape[1]))


@formula(scipy.linalg.matmul_toeplitz)
def matmul_toeplitz(c_or_cr, x, check_finite=False, workers=None):
    c, r = c_or_cr if type(c_or_cr) is tuple or np.ndim(c_or_cr) == 2 else (c_or_cr, c_or_cr)
    return _toeplitz(c, r) @ x


@formula(scipy.linalg.eigvalsh_tridiagonal)
def eigvalsh_tridiagonal(d, e, check_finite=True):
    return np.linalg.eigvalsh(np.diag(d) + np.diag(e, -1) + np.diag(e, 1))


@formula(scipy.linalg.orthogonal_procrustes)
def orthogonal_procrustes(A, B, check_finite=True):
    U, s, Vt = np.linalg.svd(np.transpose(A) @ B)
    return U @ Vt, np.sum(s)


def _solved(system, q):
    """Return the solution of a matrix equation, its unknowns and `q` row after row."""
    return np.reshape(np.linalg.solve(system, np.ravel(q)), q.shape)


def _limited(name, *lengths):
    if np.prod(lengths) > _LARGEST:
        raise Unsupported(f"scipy.linalg.{name} of more than {_LARGEST} unknowns", "pass jac='finite-difference'")


@formula(scipy.linalg.solve_sylvester)
def solve_sylvester(a, b, q):
    """a x + x b = q as one system: (a (x) 1 + 1 (x) b') vec x = vec q."""
    m, n = len(a), len(b)
    _limited("solve_sylvester", m, n)
    return _solved(np.kron(a, np.eye(n)) + np.kron(np.eye(m), np.transpose(b)), q)


@formula(scipy.linalg.solve_continuous_lyapunov)
def solve_continuous_lyapunov(a, q):
    """a x + x a' = q."""
    return solve_sylvester(a, np.transpose(a), q)


@formula(scipy.linalg.solve_discrete_lyapunov)
def solve_discrete_lyapunov(a, q, method=None):
    """a x a' - x + q = 0."""
    _limited("solve_discrete_lyapunov", len(a), len(a))
    return _solved(np.eye(len(a) ** 2) - np.kron(a, a), q)


# Eigenvalues, singular values -----------------------------------------------------------------------------------------


def _standard(tracer, a, b):
    """Return the matrix of a generalised problem, which has the same eigenvalues and vectors."""
    return tracer.whole(a) if b is None else np.linalg.solve(tracer.whole(b), tracer.whole(a))


@stands_in(scipy.linalg.eigvals)
def _eigvals(tracer, a, b=None, overwrite_a=False, check_finite=True):
    if tracer.level((a, b)) != PARAMETER:
        return tracer.call(scipy.linalg.eigvals, (a, b), {})
    return as_complex(tracer, np.linalg.eigvals(_standard(tracer, a, b)))


@stands_in(scipy.linalg.eig)
def _eig(tracer, a, b=None, left=False, right=True, overwrite_a=False, overwrite_b=False, check_finite=True):
    if tracer.level((a, b)) != PARAMETER:
        return tracer.call(scipy.linalg.eig, (a, b, left, right), {})
    if left or (right and b is not None):
        raise UnsupportedFunctionError(
            "The objective calls scipy.linalg.eig with left= or b=, which autoopt cannot differentiate.",
            tracer.location(),
            "take the eigenvalues by scipy.linalg.eigvals, or the vectors of np.linalg.solve(b, a).",
        )
    if not right:
        return _eigvals(tracer, a, b)
    values, vectors = np.linalg.eig(tracer.whole(a))
    return as_complex(tracer, values), vectors


@stands_in(scipy.linalg.svdvals)
def _svdvals(tracer, a, overwrite_a=False, check_finite=True):
    a = tracer.whole(a)
    if type(a) is tracer.pair:
        return call(tracer, np.linalg.svd, (a,), {"compute_uv": False})
    return tracer.call(scipy.linalg.svdvals, (a,), {})
