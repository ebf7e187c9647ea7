"""Eigenvalues and eigenvectors of matrices that are not symmetric: against the plain function."""

from __future__ import annotations

import numpy as np
import pytest
from plainly import Cases, check

import autoopt
from autoopt.errors import TracingError

case = Cases()


@case
def imag(x):
    A = np.array([[x[0], 1.0], [-2.0, x[1]]])
    return np.sum(np.linalg.eigvals(A).imag ** 2)


@case
def max_real(x):
    A = np.array([[x[0] + 3, 1.0], [2.0, x[1] - 3]])
    return np.max(np.linalg.eigvals(A).real) ** 2


@case
def radius(x):
    A = np.array([[x[0], 1.0, 0.2], [-2.0, x[1], 0.1], [0.3, 0.2, 0.5]])
    return np.max(np.abs(np.linalg.eigvals(A)))


@case
def cubes(x):
    A = np.array([[x[0] + 3, 1.0], [2.0, x[1] - 3]])
    w, _ = np.linalg.eig(A)
    return np.sum(np.real(w) ** 3)


@case
def vectors(x):
    A = np.array([[x[0] + 3, 1.0], [2.0, x[1] - 3]])
    _, v = np.linalg.eig(A)
    return np.real(v[0, 0] * v[1, 1])


@case
def complex_vectors(x):
    A = np.array([[x[0], 1.0], [-2.0, x[1]]])
    _, v = np.linalg.eig(A)
    return np.sum(np.abs(v) ** 3) + np.sum(v.real)


@case
def complex_matrix(x):
    A = np.array([[x[0] + 1j, 1.0], [-2.0, x[1] * 1j]])
    return np.sum(np.abs(np.linalg.eigvals(A)) ** 3)


@case
def discount(x):
    A = np.array([[0.5 * x[0], 0.1], [0.2, 0.3 * x[1]]])
    r = np.linalg.eig(A)
    return np.real(r.eigenvalues[0] / r.eigenvectors[0, 0])


@pytest.mark.parametrize("f", case, ids=lambda f: getattr(f, "__name__", ""))
def test_eigenvalues(f) -> None:
    check(f)


def test_equal_eigenvalues_are_refused() -> None:
    with pytest.raises(TracingError, match="equal or nearly so") as caught:
        autoopt.grad(lambda x: np.sum(np.linalg.eigvals(np.eye(2) * x[0]).real))(np.array([1.1, 0.55]))
    assert caught.value.where[0].file == __file__
