"""Sums of squares of rows, as Hessians print them: weights of either sign, of both, and that are no numbers."""

from __future__ import annotations

import numpy as np
import pytest

from autoopt.objectives.objective import Objective

RNG = np.random.default_rng(1)
X, P = RNG.normal(size=(50, 3)), 0.1 * np.arange(3.0)
MIXED = RNG.normal(size=50)


def weighted(x, X, w):
    return np.sum(w * np.exp(X @ x))


@pytest.mark.parametrize(
    "w",
    [np.abs(MIXED), -np.abs(MIXED), MIXED, 0 * MIXED, np.minimum(MIXED, 0)],
    ids=["positive", "negative", "mixed", "zero", "negative or zero"],
)
def test_weights_of_any_sign(w):
    objective = Objective(weighted, P, (X, MIXED))
    assert "gram" in objective.source("hessian")
    assert objective.rebind((X, w))
    expected = X.T @ ((w * np.exp(X @ P))[:, np.newaxis] * X)
    np.testing.assert_allclose(objective.hess(P), expected, rtol=1e-12, atol=1e-12)


def test_many_rows_are_those_of_several_blocks():
    rows, w = RNG.normal(size=(100_000, 3)), RNG.normal(size=100_000)
    w[:50_000] = np.abs(w[:50_000])
    w[90_000:] = -np.abs(w[90_000:])
    expected = rows.T @ ((w * np.exp(rows @ P))[:, np.newaxis] * rows)
    np.testing.assert_allclose(Objective(weighted, P, (rows, w)).hess(P), expected, rtol=1e-10)


def test_a_weight_that_is_no_number_is_not_lost():
    w = np.ones(50)
    objective = Objective(weighted, P, (X, w))
    assert np.isfinite(objective.hess(P)).all()
    w = w.copy()
    w[7] = np.nan
    assert objective.rebind((X, w))
    assert np.isnan(objective.hess(P)).all()


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_kronecker_products(sign):
    def softmax(x, X):
        eta = X @ x.reshape(3, 4)
        return sign * np.sum(np.log(np.sum(np.exp(eta), axis=1)))

    x = RNG.normal(size=12)
    p = np.exp(X @ x.reshape(3, 4))
    p /= p.sum(axis=1, keepdims=True)
    expected = np.einsum("nj,nk,na,ab->jakb", X, X, p, np.eye(4)) - np.einsum("nj,nk,na,nb->jakb", X, X, p, p)
    found = Objective(softmax, x, (X,)).hess(x)
    np.testing.assert_allclose(found, sign * expected.reshape(12, 12), rtol=1e-10, atol=1e-12)


def average(x, X, w):
    return np.average((1.0 - X @ x) ** 2, weights=w)


def of_gram(x, X, gram):
    return np.sum(np.exp(X @ x) * gram**2)


@pytest.mark.parametrize("f", [average, of_gram])
def test_the_function_and_what_it_gives_have_names_of_their_own(f) -> None:
    w = RNG.random(50)
    hessian = Objective(f, P, (X, w)).hess(P)
    weights = 2 * w / w.sum() if f is average else np.exp(X @ P) * w**2
    np.testing.assert_allclose(hessian, X.T @ (weights[:, None] * X), rtol=1e-10)
