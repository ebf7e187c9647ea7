"""Eigenvalues and eigenvectors of matrices that need not be symmetric, and roots of polynomials: NumPy finds them,
Newton steps carry the slopes.

An eigenpair solves (A - w I) v = 0, v0^H v = 1, with v0 as NumPy finds it in this run. Two Newton steps, whose
matrices are regular where w is a simple eigenvalue, move neither w nor v, but have their first and second derivatives.
The record holds at its point only; others are traced anew. LAPACK's vectors have length 1 and a real largest entry.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autoopt.errors import UnsupportedFunctionError
from autoopt.tape.tape import PARAMETER, Leaf
from autoopt.tracing.arrays.functions import handles, record
from autoopt.tracing.complex.array import FUNCTIONS, as_complex, pair, refusal
from autoopt.tracing.recording.recorder import Recorder

_STEPS = 2
_APART = 1e-7
"""Eigenvalues nearer to each other than this, relative to the largest, have slopes that are mostly rounding."""


@handles(np.linalg.eigvals)
def _eigvals(tracer, a):
    if tracer.level(a) != PARAMETER:
        return record(tracer, np.linalg.eigvals, (a,), {})
    return _eig(tracer, a)[0]


@handles(np.linalg.eig)
def _eig(tracer, a):
    if tracer.level(a) != PARAMETER:
        return record(tracer, np.linalg.eig, (a,), {})
    found = np.linalg.eig(np.array(a.value))
    values, vectors = found
    size = max(np.max(np.abs(values), initial=0.0), np.max(np.abs(a.value), initial=0.0))
    gaps = np.abs(values[..., :, None] - values[..., None, :]) + size * np.eye(values.shape[-1])
    if a.ndim != 2 or not np.all(gaps > _APART * size):
        what = "of stacked matrices" if a.ndim != 2 else "of a matrix with eigenvalues that are equal or nearly so"
        raise UnsupportedFunctionError(
            f"The objective calls np.linalg.eigvals or eig {what}, which autoopt cannot differentiate.",
            tracer.location(),
            "use np.linalg.eigh if the matrix is symmetric, or pass jac='finite-difference'.",
        )
    tracer.tape.caught = True
    pairs = [_pair(tracer, a, w, v) for w, v in zip(values, vectors.T, strict=True)]
    made = [np.stack(parts) for parts in zip(*pairs, strict=True)]
    made = [as_complex(tracer, part) if np.iscomplexobj(values) else part for part in made]
    return type(found)(made[0], made[1].T)


@handles(np.roots)
def _roots(tracer, p):
    p = np.atleast_1d(tracer.whole(p))
    if tracer.level(p) != PARAMETER:
        return record(tracer, np.roots, (p,), {})
    places = np.flatnonzero(p != 0)
    first, last = (int(places[0]), int(places[-1])) if len(places) else (0, 0)
    p, none = p[first : last + 1], len(p) - 1 - last
    found = _roots_of(tracer, p, np.roots(np.array(p.value)))
    return np.concatenate([found, np.zeros(none)]) if none else found


def polyroots(tracer, c):
    """Return what `np.polynomial.polynomial.polyroots` gives, lowest power first."""
    c = tracer.whole(c)
    if tracer.level(c) != PARAMETER:
        return tracer.call(np.polynomial.polynomial.polyroots, (c,), {})
    return _roots_of(tracer, c[::-1], np.polynomial.polynomial.polyroots(np.array(c.value)))


def _roots_of(tracer: Recorder, p: Any, found: np.ndarray) -> Any:
    """Return the roots that NumPy has found of the polynomial with coefficients `p`, highest power first."""
    size = np.max(np.abs(found), initial=0.0)
    gaps = np.abs(found[:, None] - found) + size * np.eye(len(found))
    if not np.all(gaps > _APART * size) or (size == 0.0 and len(found)):
        raise UnsupportedFunctionError(
            "The objective calls np.roots of a polynomial with roots that are equal or nearly so, which autoopt cannot "
            "differentiate.",
            tracer.location(),
            "start where they are apart, or pass jac='finite-difference'.",
        )
    tracer.tape.caught = True
    roots = start_input(tracer, np.ascontiguousarray(found.real))
    if np.iscomplexobj(found) or p.dtype.kind == "c":
        roots = pair(tracer, roots, start_input(tracer, np.ascontiguousarray(found.imag)))
    for _ in range(_STEPS):
        value, slope = p[0], 0.0
        for coefficient in p[1:]:
            value, slope = value * roots + coefficient, slope * roots + value
        roots = roots - value / slope
    return roots


# Complex matrices -----------------------------------------------------------------------------------------------------


def _eigvalsh(tracer, a, UPLO="L"):
    """The eigenvalues of a Hermitian matrix, of which one triangle is read."""
    a = as_complex(tracer, a).filled()
    _refuse_stacks(tracer, a, "np.linalg.eigvalsh")
    part = np.tril if UPLO.upper() == "L" else np.triu
    strict = part(a, -1 if UPLO.upper() == "L" else 1)
    diagonal = np.diag(np.diagonal(a).re)
    return _hermitian(tracer, strict + np.conj(strict).T + diagonal, slice(None))


def _singular_values(tracer, a, full_matrices=True, compute_uv=True, hermitian=False):
    """The singular values of a complex matrix: those eigenvalues of [[0, A], [A^H, 0]] that are not negative."""
    if compute_uv or hermitian:
        raise refusal(tracer, "np.linalg.svd with its vectors")
    a = as_complex(tracer, a)
    _refuse_stacks(tracer, a, "np.linalg.svd")
    m, n = a.shape
    upper = np.concatenate([np.zeros((m, m)), a], axis=1)
    lower = np.concatenate([np.conj(a).T, np.zeros((n, n))], axis=1)
    return _hermitian(tracer, np.concatenate([upper, lower]), slice(-1, -1 - min(m, n), -1))


def _hermitian(tracer: Recorder, a: Any, chosen: slice) -> Any:
    """Return some eigenvalues of a Hermitian matrix, each apart from all others."""
    values, vectors = np.linalg.eigh(np.array(a.value))
    size = np.max(np.abs(values), initial=0.0)
    gaps = np.abs(values[:, None] - values) + size * np.eye(len(values))
    if not np.all(gaps[chosen] > _APART * size):
        raise UnsupportedFunctionError(
            "The objective calls np.linalg.eigvalsh or svd of a complex matrix with values that are equal or nearly "
            "so, which autoopt cannot differentiate.",
            tracer.location(),
            "start where they are apart, or pass jac='finite-difference'.",
        )
    tracer.tape.caught = True
    return np.stack([_pair(tracer, a, w, v)[0].re for w, v in zip(values[chosen], vectors.T[chosen], strict=True)])


def _refuse_stacks(tracer: Recorder, a: Any, name: str) -> None:
    if a.ndim != 2:
        raise refusal(tracer, f"{name} of stacked matrices")


FUNCTIONS[np.linalg.eigvalsh] = _eigvalsh
FUNCTIONS[np.linalg.svd] = _singular_values
FUNCTIONS[np.linalg.svdvals] = lambda tracer, x: _singular_values(tracer, x, compute_uv=False)
FUNCTIONS[np.roots] = _roots
FUNCTIONS[np.linalg.eigvals] = _eigvals
FUNCTIONS[np.linalg.eig] = _eig


def _pair(tracer: Recorder, a: Any, value: Any, vector: np.ndarray) -> tuple[Any, Any]:
    """Return an eigenvalue and its vector of length 1."""
    real = a.dtype.kind == "f" and np.imag(value) == 0
    start = np.append(vector, value)
    start = (
        start_input(tracer, start.real)
        if real
        else pair(tracer, start_input(tracer, start.real), start_input(tracer, start.imag))
    )
    if not real:
        a = as_complex(tracer, a)
    v, w = start[:-1], start[-1]
    normal = np.conj(v)
    for _ in range(_STEPS):
        shifted = a - w * np.eye(len(v))
        matrix = np.concatenate(
            [
                np.concatenate([shifted, -v.reshape(-1, 1)], axis=1),
                np.concatenate([normal, 0.0 * w.reshape(1) if real else [0.0]]).reshape(1, -1),
            ]
        )
        step = np.linalg.solve(matrix, np.concatenate([shifted @ v, (normal @ v - 1.0).reshape(1)]))
        v, w = v - step[:-1], w - step[-1]
    v = v / np.linalg.norm(v)
    if real:
        return w, v
    largest = int(np.argmax(np.abs(vector)))
    turned = np.conj(v[largest]) / abs(v[largest])
    return w, v * turned * np.sign(vector[largest].real)


def start_input(tracer: Recorder, start: np.ndarray) -> Any:
    """Return where the steps start as an input of the tape: other numbers there are the same code."""
    return tracer.leaf(Leaf(tracer.free_name("start"), "captured"), start)
