"""Eigenvalues and eigenvectors of matrices that need not be symmetric: NumPy finds them, Newton steps carry the slopes.

An eigenpair solves (A - w I) v = 0, v0^H v = 1, with v0 as NumPy finds it in this run. Two Newton steps, whose
matrices are regular where w is a simple eigenvalue, move neither w nor v, but have their first and second derivatives.
The record holds at its point only; others are traced anew. LAPACK's vectors have length 1 and a real largest entry.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autoopt.errors import UnsupportedFunctionError
from autoopt.tape.tape import PARAMETER, Leaf
from autoopt.tracing.complex import FUNCTIONS, as_complex, pair
from autoopt.tracing.functions import handles, record

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


FUNCTIONS[np.linalg.eigvals] = _eigvals
FUNCTIONS[np.linalg.eig] = _eig


def _pair(tracer: Any, a: Any, value: Any, vector: np.ndarray) -> tuple[Any, Any]:
    """Return an eigenvalue and its vector of length 1."""
    real = a.dtype.kind == "f" and np.imag(value) == 0
    start = np.append(vector, value)
    start = _given(tracer, start.real) if real else pair(tracer, _given(tracer, start.real), _given(tracer, start.imag))
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


def _given(tracer: Any, start: np.ndarray) -> Any:
    """Return where the steps start as an input of the tape: other numbers there are the same code."""
    return tracer.leaf(Leaf(tracer.free_name("start"), "captured"), start)
