"""Symmetric functions of eigenvalues and singular values that are equal, or nearly so: against closed forms."""

from __future__ import annotations

import numpy as np
import pytest

import autoopt

_RANDOM = np.random.default_rng(0)
Q = np.linalg.qr(_RANDOM.normal(size=(4, 4)))[0]
Z = np.linalg.qr(_RANDOM.normal(size=(4, 4)))[0]
FIRST, SECOND = np.array([1.0, 1.0, 0.0, 0.0]), np.array([0.0, 0.0, 1.0, 2.0])


def symmetric(w):
    """Eigenvalues w0, w0, w1, 2 w1: two are equal everywhere, three where w0 = w1 or w0 = 2 w1."""
    return (Q * FIRST @ Q.T) * w[0] + (Q * SECOND @ Q.T) * w[1]


def general(w):
    """The same for singular values."""
    return (Q * FIRST @ Z.T) * w[0] + (Q * SECOND @ Z.T) * w[1]


def turned(w):
    return np.array([[w[0], w[1]], [-w[1], w[0]]])  # both singular values are |w|


def of_vectors(w):
    e, V = np.linalg.eigh(symmetric(w))
    return np.sum(((V * e**2) @ V.T) ** 2)


def of_singular_vectors(w):
    U, s, Vt = np.linalg.svd(general(w))
    return np.sum(((U * s**2) @ Vt) ** 2)


def fourth(w):
    return [8 * w[0] ** 3, 68 * w[1] ** 3], np.diag([24 * w[0] ** 2, 204 * w[1] ** 2])


def cubes(w):
    return [6 * w[0] ** 2, 27 * w[1] ** 2], np.diag([12 * w[0], 54 * w[1]])


CASES = {
    "squared eigenvalues": (
        lambda w: np.sum(np.linalg.eigvalsh(symmetric(w)) ** 2),
        lambda w: ([4 * w[0], 10 * w[1]], np.diag([4.0, 10.0])),
    ),
    "cubed eigenvalues": (lambda w: np.sum(np.linalg.eigvalsh(symmetric(w)) ** 3), cubes),
    "function of a matrix": (of_vectors, fourth),
    "squared singular values": (
        lambda w: np.sum(np.linalg.svd(general(w), compute_uv=False) ** 2),
        lambda w: ([4 * w[0], 10 * w[1]], np.diag([4.0, 10.0])),
    ),
    "cubed singular values": (lambda w: np.sum(np.linalg.svd(general(w), compute_uv=False) ** 3), cubes),
    "function of singular values": (of_singular_vectors, fourth),
    "squared, equal everywhere": (
        lambda w: np.sum(np.linalg.svd(turned(w), compute_uv=False) ** 2),
        lambda w: ([4 * w[0], 4 * w[1]], 4 * np.eye(2)),
    ),
    "nuclear norm squared": (
        lambda w: np.linalg.norm(turned(w), "nuc") ** 2,
        lambda w: ([8 * w[0], 8 * w[1]], 8 * np.eye(2)),
    ),
    "squared, of a diagonal": (
        lambda w: np.sum(np.linalg.svd(np.diag(w), compute_uv=False) ** 2),
        lambda w: (2 * w, 2 * np.eye(2)),
    ),
}
POINTS = [[0.7, 0.3], [1.0, 1.0], [0.5, 0.25], [2.0, 1.0], [1.0, 1.0 + 1e-9]]


@pytest.mark.parametrize("name", CASES)
@pytest.mark.sampled(6)
def test_derivatives_where_values_are_equal(name):
    function, derivatives = CASES[name]
    objective = autoopt.objective(function, np.array([0.9, 0.4]))
    for point in POINTS:
        w, p = np.array(point), np.array([1.0, -2.0])
        gradient, hessian = derivatives(w)
        np.testing.assert_allclose(objective.grad(w), gradient, rtol=1e-8)
        np.testing.assert_allclose(objective.hess(w), hessian, rtol=1e-6, atol=1e-6, err_msg=str(point))
        if name in ("function of a matrix", "squared, equal everywhere"):
            np.testing.assert_allclose(objective.hessp(w, p), hessian @ p, rtol=1e-6, atol=1e-6, err_msg=str(point))


@pytest.mark.parametrize("name", ["squared, equal everywhere", "nuclear norm squared", "squared, of a diagonal"])
@pytest.mark.slow
def test_second_derivatives_at_the_matrix_of_zeros(name):
    function, derivatives = CASES[name]
    objective = autoopt.objective(function, np.array([0.9, 0.4]))
    np.testing.assert_allclose(objective.hess(np.zeros(2)), derivatives(np.zeros(2))[1], atol=1e-6)


@pytest.mark.slow_for("1e-12", "0.01")
@pytest.mark.parametrize("apart", [1e-2, 1e-4, 3e-6, 1e-6, 1e-7, 1e-9, 1e-12, 0.0])
@pytest.mark.sampled(7)
def test_square_root_by_eigenvectors(apart):
    """tr sqrt(A) + A00 with eigenvalues 2 + w1 and 2 - w1, near a tie: rounding over the gap squared was the result."""

    def function(w):
        e, V = np.linalg.eigh(np.array([[w[0], w[1]], [w[1], w[0]]]))
        root = (V * np.sqrt(e)) @ V.T
        return np.trace(root) + (root @ root)[0, 0]

    objective = autoopt.objective(function, np.array([2.0, 0.5]))
    w, low, high = np.array([2.0, apart]), 2.0 - apart, 2.0 + apart
    gradient = [0.5 * (high**-0.5 + low**-0.5) + 1.0, 0.5 * (high**-0.5 - low**-0.5)]
    own, mixed = -0.25 * (high**-1.5 + low**-1.5), -0.25 * (high**-1.5 - low**-1.5)
    np.testing.assert_allclose(objective.grad(w), gradient, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(objective.hess(w), [[own, mixed], [mixed, own]], rtol=1e-7, atol=1e-8)


def test_an_entry_of_a_function_of_a_matrix_has_its_slope_at_a_tie():
    """sqrt(A)[0, 1] of [[w0, w1], [w1, w0]] has the slope 1 / (2 sqrt w0) in w1 at 0."""

    def function(w):
        e, V = np.linalg.eigh(np.array([[w[0], w[1]], [w[1], w[0]]]))
        return ((V * np.sqrt(e)) @ V.T)[0, 1]

    gradient = autoopt.grad(function)(np.array([2.0, 0.0]))
    np.testing.assert_allclose(gradient, [0.0, 0.5 / np.sqrt(2.0)], atol=1e-8)


def test_singular_values_of_zero_beside_the_first_do_not_matter():
    def function(w):
        U, s, Vt = np.linalg.svd(np.outer(w, w[::-1]))  # of rank 1
        return s[0] + (U[:, :1] @ Vt[:1])[0, 1]

    w = np.array([1.0, 0.5, 0.2, 0.3])
    square = w @ w
    expected = 2 * w - 2 * w * w[0] * w[2] / square**2
    expected[0] += w[2] / square
    expected[2] += w[0] / square
    np.testing.assert_allclose(autoopt.grad(function)(w), expected, rtol=1e-6)


@pytest.mark.slow
def test_a_single_eigenvalue_has_no_second_derivative_at_a_tie():
    def largest(w):
        return np.linalg.eigvalsh(np.array([[w[0], w[1]], [w[1], -w[0]]]))[-1]

    assert np.isnan(autoopt.objective(largest, np.array([0.5, 0.2])).hess(np.zeros(2))).any()
