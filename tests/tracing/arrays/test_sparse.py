"""Sparse matrices as data: value, slope and curvature against the objective itself, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

import autoopt
from autoopt import differences
from autoopt.errors import TracingError, UsageError
from autoopt.objectives.objective import Objective, printed

RNG = np.random.default_rng(2)
DENSE = RNG.normal(size=(6, 3)) * (RNG.uniform(size=(6, 3)) < 0.6)
Y = RNG.normal(size=6)
START = np.array([0.3, 0.7, -0.2])
CAPTURED = sp.csr_matrix(DENSE)


def _logistic(w, X, y):
    z = X @ w
    return np.sum(np.logaddexp(0, z) - y * z)


def _transposed(w, X, y):
    r = y - X.dot(w)
    return np.sum((X.T @ r) ** 2) + np.sum((r @ X) ** 3) + np.sum(X.transpose().dot(r))


def _matrices(w, X, y):
    W = np.stack([w, w**2], axis=1)
    return np.sum(np.exp(X @ W)) + np.sum((X.T @ X @ w) ** 2) + X.nnz * w[0] + np.sum((np.outer(w, y) @ X) ** 2)


def _scaled(w, X, y):
    scaled = X.multiply(w)
    return (
        scaled.sum()
        + np.sum(np.asarray(scaled.sum(axis=1)).ravel() ** 2)
        + np.sum(np.asarray(scaled.sum(axis=0)) ** 2)
        + X.multiply(np.exp(y * w[0])[:, None]).sum()
        + np.sum((scaled @ w) ** 2)
        + np.sum(np.sin(scaled.T @ y))
    )


def _dense(w, X, y):
    return (
        np.sum((X.toarray() @ w - y) ** 2) + np.sum(X.multiply(w).toarray() ** 3) + X.shape[0] * w[1] + X.mean() * w[2]
    )


def _data_alone(w, X, y):
    kept = X[:4].tocsr()
    scale = np.asarray(X.sum(axis=0)).ravel() + np.asarray(abs(X).max(axis=0).todense()).ravel()
    return np.sum((kept @ (w * scale) - y[:4]) ** 2) + np.sum((2.0 * X @ w) ** 2) + ((X + X) @ w).sum()


def _captured(w, X, y):
    return np.sum((CAPTURED @ w - CAPTURED @ np.ones(3)) ** 2)


def _loop(w, X, y):
    total, state = 0.0, w
    for _ in range(4):
        state = np.tanh(X.T @ (X @ state))
        total = total + state.sum()
    return total


def _placed(w, X, y):
    """Matrices made of traced entries, from all the forms that SciPy takes, and their products."""
    bands = sp.diags([w, w[:2] ** 2, 1.0], [0, 1, -1], shape=(3, 3), format="csc")
    tall = sp.vstack([X.multiply(w), w[None, :]])
    rows = sp.csr_matrix((w, [0, 2, 1], [0, 1, 1, 3]), shape=(3, 3))
    normal = X.T @ sp.diags(y) @ X + sp.csr_matrix(np.eye(3))
    weighted = X.T @ sp.diags(np.exp(y * w[0])) @ X
    return (
        np.sum((bands @ w) ** 2)
        + np.sum((sp.spdiags(np.stack([w, w]), [0, 1], 3, 3) @ w) ** 2)
        + np.sum((tall @ w) ** 2)
        + np.sum((rows @ np.outer(w, w)) ** 2)
        + np.sum(weighted.toarray() ** 2)
        + np.sum((normal @ w) ** 2)
        + np.sum(sp.linalg.spsolve(bands, w) ** 2)
        + np.sum((sp.csr_matrix(np.outer(w, w)) @ w) ** 2)
        + np.sum((X.T @ y) * w)
        + np.sum(np.outer(w, w) @ sp.csr_matrix(np.eye(3)).T @ y[:3])
    )


def _made(w, X, y):
    L = sp.lil_matrix((3, 3))
    for i, j in ((0, 1), (1, 2)):
        L[i, i] += 1
        L[i, j] -= 1
    before = L.tocsr() @ w
    L[0, 0] = 7.0
    spread = sp.csr_matrix((w**2, ([0, 0, 2], [1, 1, 0])), shape=(3, 3))
    return (
        np.sum((L @ before) ** 2)
        + np.sum((sp.diags(w) @ w) ** 2)
        + np.sum((spread @ w) ** 2)
        + np.sum(spread.toarray() ** 3)
        + np.sum((sp.kron(sp.eye(3), np.ones((1, 1))) @ w) ** 2)
        + np.sum(sp.linalg.spsolve(sp.csc_matrix(np.eye(3) * 2.0), w) ** 2)
    )


USES = [_made, _placed, _logistic, _transposed, _matrices, _scaled, _dense, _data_alone, _captured, _loop]


@pytest.mark.parametrize("kind", [sp.csr_matrix, sp.csc_array, sp.coo_array])
@pytest.mark.parametrize("f", USES)
@pytest.mark.sampled(7)
def test_uses(f, kind):
    if f is _data_alone and kind is sp.coo_array:
        pytest.skip("has no rows to take")
    args = kind(DENSE), Y
    objective = Objective(f, START, args)
    value, gradient = objective.value_and_grad(START)
    np.testing.assert_allclose(value, f(START, *args), rtol=1e-12)
    expected, error = differences.gradient(lambda w: f(w, *args), START)
    np.testing.assert_allclose(gradient, expected, rtol=1e-9, atol=np.max(20 * error) + 1e-9)
    hessian, error = differences.hessian(objective.grad, START)
    np.testing.assert_allclose(objective.hess(START), hessian, rtol=1e-8, atol=np.max(20 * error) + 1e-8)
    np.testing.assert_allclose(objective.hessp(START, Y[:3]), objective.hess(START) @ Y[:3], rtol=1e-9, atol=1e-9)


def test_the_source_has_the_matrix_as_an_argument():
    text = printed(_logistic, START, (sp.csr_array(DENSE), Y))
    assert "z = X @ w" in text
    assert "X.T @" in text


def test_other_matrices_are_not_stale():
    gradient = autoopt.grad(_logistic)
    for factor in (1.0, 2.0):
        X = sp.csr_array(DENSE * factor)
        expected, _ = differences.gradient(lambda w: _logistic(w, X, Y), START)  # noqa: B023
        np.testing.assert_allclose(gradient(START, X, Y), expected, rtol=1e-9)


def test_minimize():
    X = sp.csr_matrix(DENSE)
    found = autoopt.minimize(lambda w, X, y: _logistic(w, X, y) + np.sum(w**2), START, args=(X, (Y > 0) * 1.0))
    assert found.success
    assert np.all(np.abs(found.jac) < 1e-4)


REFUSED = {
    "np.exp": lambda w, X: np.exp(X.multiply(w)).sum(),
    "an index": lambda w, X: X.multiply(w)[0, 0],
    "np.matrix": lambda w, X: (X.multiply(w).sum(axis=1) * w[0]).sum(),
    "np.matrix of data": lambda w, X: np.sum(X.sum(axis=0) @ w),
    "addition": lambda w, X: (X + w).sum(),
    "an assignment": lambda w, X: _assigned(X, 1.0) @ w @ w,
    "an assignment of a traced value": lambda w, X: _assigned(sp.lil_matrix((3, 3)), w[0]) @ w @ w,
    "a product of Kronecker": lambda w, X: np.sum(sp.kron(X, np.outer(w, w)) @ np.ones(9)),
}


def _assigned(X, value):
    X[0, 0] = value
    return X


@pytest.mark.parametrize("f", REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_followed_is_refused(f):
    with pytest.raises(TracingError) as refusal:
        Objective(f, START, (sp.csr_matrix(DENSE),))
    assert "test_sparse.py" in str(refusal.value)


def test_the_numba_engine_says_what_it_lacks():
    with pytest.raises(UsageError, match="sparse"):
        Objective(_logistic, START, (sp.csr_matrix(DENSE), Y), engine="numba").grad(START)
