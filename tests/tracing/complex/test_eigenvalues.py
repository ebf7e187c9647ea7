"""Eigenvalues and eigenvectors of matrices that are not symmetric: against the plain function."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg
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


@case
def roots(x):
    return np.sum(np.abs(np.roots([1.0, x[0], x[1], 2.0]) - 0.3) ** 3)


@case
def largest_root_in_front_of_zeros(x):
    return np.max(np.real(np.roots(np.array([0.0, 1.0, -x[0] - 3, x[1], 0.0])))) ** 2


@case
def roots_of_complex_coefficients(x):
    return np.sum(np.abs(np.roots(np.array([1.0, x[0] + 1j * x[1], x[1], 2j])) - 0.3) ** 3)


@case
def roots_of_polynomials(x):
    p = np.polynomial.Polynomial([x[0], x[1], 2.0, 1.0])
    return np.real(p.roots()[0]) + np.abs(np.poly1d([1.0, x[0], 3.0]).roots[0] - 0.3) ** 3


@case
def singular_values_of_a_complex_matrix(x):
    A = np.array([[x[0], 1j * x[1]], [1.0, 2.0 + x[0] * 1j], [x[1] * x[0], 1 - 2j]])
    return np.sum(np.linalg.svd(A, compute_uv=False) ** 3) + scipy.linalg.svdvals(A.T)[1]


@case
def hermitian(x):
    A = np.array([[x[0], 1j * x[1], 0.3], [-1j * x[1], 2.0, x[0]], [0.3, x[0], -1.0]])
    return np.linalg.eigvalsh(A) @ np.array([1.0, 2.0, 3.0]) + np.linalg.eigvalsh(A, "U")[0] ** 2


@case
def generalised(x):
    A = np.array([[x[0] + 3, x[1]], [2.0, x[0] * x[1]]])
    return np.max(np.abs(scipy.linalg.eigvals(A, A.T + 9 * np.eye(2)))) + np.sum(scipy.linalg.eig(A)[0].real ** 3)


@pytest.mark.parametrize("f", case, ids=lambda f: getattr(f, "__name__", ""))
@pytest.mark.sampled(7)
def test_eigenvalues(f) -> None:
    check(f)


def test_equal_eigenvalues_are_refused() -> None:
    with pytest.raises(TracingError, match="equal or nearly so") as caught:
        autoopt.grad(lambda x: np.sum(np.linalg.eigvals(np.eye(2) * x[0]).real))(np.array([1.1, 0.55]))
    assert caught.value.where[0].file == __file__


def test_equal_roots_are_refused() -> None:
    with pytest.raises(TracingError, match="roots that are equal or nearly so") as caught:
        autoopt.grad(lambda x: np.sum(np.roots([1.0, -2 * x[0], x[0] ** 2]).real))(np.array([1.1, 0.55]))
    assert caught.value.where[0].file == __file__


def test_equal_singular_values_of_a_complex_matrix_are_refused() -> None:
    with pytest.raises(TracingError, match="equal or nearly so"):
        autoopt.grad(lambda x: np.linalg.svd(1j * x[0] * np.eye(2), compute_uv=False)[0])(np.array([1.1, 0.55]))


def test_vectors_of_a_complex_singular_value_decomposition_are_refused() -> None:
    with pytest.raises(TracingError, match="svd with its vectors"):
        autoopt.grad(lambda x: np.abs(np.linalg.svd(1j * x[0] * np.eye(2))[0][0, 0]))(np.array([1.1, 0.55]))
