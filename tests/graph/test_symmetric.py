"""Matrices that are symmetric by their form: only these are found, and their derivatives have the closed form."""

from __future__ import annotations

import numpy as np
import pytensor.tensor as pt
import pytest
import scipy.linalg
import scipy.spatial.distance
import scipy.stats
from derivative_checks import check_gradient, check_hessp, check_value
from pytensor import function
from pytensor.compile.mode import Mode

import autoopt
from autoopt.graph.rewrites.symmetric import Symmetry
from autoopt.objectives.objective import Objective

N = 4
RNG = np.random.default_rng(7)
X, Z = pt.dmatrix("X", shape=(N, 3)), pt.dmatrix("Z", shape=(N, 3))
A, S = pt.dmatrix("A", shape=(N, N)), pt.dmatrix("S", shape=(N, N))
S.tag.symmetric = True
V, W = pt.dvector("V", shape=(N,)), pt.dvector("W", shape=(N,))
NUMBERS = {X: RNG.normal(size=(N, 3)), Z: RNG.normal(size=(N, 3)), A: RNG.normal(size=(N, N)), V: RNG.normal(size=N)}
NUMBERS |= {S: NUMBERS[A] + NUMBERS[A].T, W: RNG.normal(size=N)}
INDEX = np.arange(N)
PLAIN = Mode(linker="py", optimizer=None)

SYMMETRIC = {
    "squared distances": ((X[:, None] - X[None]) ** 2).sum(axis=-1),
    "absolute distances": pt.abs(V[:, None] - V[None]),
    "by a sum": pt.sqr(X).sum(axis=1)[:, None] + pt.sqr(X).sum(axis=1)[None] - 2.0 * pt.dot(X, X.T),
    "a function of a symmetric matrix": pt.exp(-S / 2.0) * S,
    "a product of three": pt.dot(pt.dot(A, S), A.T),
    "an outer product": V[:, None] * V[None],
    "the smaller of two": pt.minimum(V[:, None], V[None]),
    "a matrix and its transpose": A + A.T,
    "its product with its transpose": A * A.T,
    "an identity": 2.0 * pt.eye(N) + S,
    "written on the diagonal": pt.set_subtensor(S[INDEX, INDEX], W),
    "a diagonal matrix": pt.diag(W),
    "equal entries": pt.switch(pt.eq(V[:, None], V[None]), 1.0, S),
    "an inverse": pt.linalg.inv(S),
}
OTHERS = {
    "a difference of mirror images": V[:, None] - V[None],
    "a cube of one": (V[:, None] - V[None]) ** 3,
    "of two arrays": ((X[:, None] - Z[None]) ** 2).sum(axis=-1),
    "an outer product of two": V[:, None] * W[None],
    "scaled rows": S * V[:, None],
    "a matrix": A,
    "a product": pt.dot(A, S),
    "two products": pt.dot(A, S) + pt.dot(S, A),
    "a triangle": pt.tril(S),
    "sums along the wrong axis": pt.cumsum(S, axis=0),
    "a shifted identity": pt.eye(N, k=1),
    "an order": pt.lt(V[:, None], V[None]) * 1.0,
    "written off the diagonal": pt.set_subtensor(S[INDEX[:-1], INDEX[1:]], 7.0),
    "a quotient of mirror images": V[:, None] / V[None],
    "a minus that is not one": S - A,
}


@pytest.mark.slow_for("True-a diagonal matrix")
@pytest.mark.parametrize(("expected", "name"), [(True, k) for k in SYMMETRIC] + [(False, k) for k in OTHERS])
def test_form_tells(expected, name) -> None:
    matrix = (SYMMETRIC if expected else OTHERS)[name]
    assert Symmetry().is_matrix(matrix) == expected
    numbers = function(list(NUMBERS), matrix, mode=PLAIN, on_unused_input="ignore")(*NUMBERS.values())
    assert np.allclose(numbers, numbers.T) == expected


def gaussian_process(p, X, y, likelihood):
    ls, sf, sn = np.exp(p)
    D = ((X[:, None] - X[None]) ** 2).sum(-1)
    return likelihood(sf**2 * np.exp(-0.5 * D / ls**2) + sn**2 * np.eye(len(y)), y)


def by_solve(K, y):
    L = np.linalg.cholesky(K)
    a = np.linalg.solve(L, y)
    return 0.5 * a @ a + np.log(np.diag(L)).sum()


def by_scipys_factor(K, y):
    L = scipy.linalg.cho_factor(K, lower=True)
    return 0.5 * y @ scipy.linalg.cho_solve(L, y) + np.log(np.diag(L[0])).sum()


def by_slogdet(K, y):
    return 0.5 * y @ np.linalg.solve(K, y) + 0.5 * np.linalg.slogdet(K)[1]


def by_inverse(K, y):
    return 0.5 * y @ np.linalg.inv(K) @ y + 0.5 * np.log(np.linalg.det(K))


def by_density(K, y):
    return -scipy.stats.multivariate_normal.logpdf(y, np.zeros(len(y)), K) - 0.5 * len(y) * np.log(2 * np.pi)


LIKELIHOODS = (by_solve, by_scipys_factor, by_slogdet, by_inverse, by_density)


def closed_form(p, X, y):
    """The gradient in the textbook's form (Rasmussen and Williams, eq. 5.9)."""
    ls, sf, sn = np.exp(p)
    D = scipy.spatial.distance.cdist(X, X, "sqeuclidean")
    E = sf**2 * np.exp(-0.5 * D / ls**2)
    inverse = np.linalg.inv(E + sn**2 * np.eye(len(y)))
    G = 0.5 * (inverse - np.outer(inverse @ y, inverse @ y))
    return np.array([np.sum(G * E * D) / ls**2, 2 * np.sum(G * E), 2 * sn**2 * np.trace(G)])


@pytest.mark.slow_for("by_density-2", "by_inverse-2", "by_inverse-1")
@pytest.mark.sampled(5)
@pytest.mark.parametrize("n", [1, 2, 30])
@pytest.mark.parametrize("likelihood", LIKELIHOODS, ids=lambda f: f.__name__)
def test_gaussian_process(likelihood, n) -> None:
    X, y = RNG.normal(size=(n, 2)), RNG.normal(size=n)

    def f(p, X, y):
        return gaussian_process(p, X, y, likelihood)

    objective = Objective(f, np.zeros(3), (X, y))
    for p in (np.zeros(3), np.array([-1.0, 0.7, -1.5]), np.array([3.0, 2.0, 0.5])):
        check_value(objective, p)
        np.testing.assert_allclose(objective.grad(p), closed_form(p, X, y), rtol=1e-8, atol=1e-9)
    for direction in np.eye(3):
        check_hessp(objective, np.zeros(3), direction, 0.0)
    np.testing.assert_allclose(objective.hessp(np.zeros(3), np.eye(3)), objective.hess(np.zeros(3)), rtol=1e-8)


@pytest.mark.parametrize("likelihood", LIKELIHOODS, ids=lambda f: f.__name__)
@pytest.mark.slow
def test_closed_form_is_printed(likelihood) -> None:
    X, y = RNG.normal(size=(30, 2)), RNG.normal(size=30)
    text = autoopt.source(lambda p, X, y: gaussian_process(p, X, y, likelihood), np.zeros(3), (X, y))
    begin = text.index("def value_and_grad(")
    lines = text[begin : text.index("\ndef ", begin)].splitlines()
    body = "\n".join(line for line in lines if not line.strip().startswith("#"))
    for word in ("np.tri", "where", "triangle", "half"):
        assert word not in body, word
    assert body.count("vdot") == 2 and body.count(".T") == (likelihood is by_density) and body.count(".trace()") == 1
    assert body.count("cho_solve(") + body.count("linalg.inv(") <= 2


def test_positive_definiteness_that_fails_is_numpys_error() -> None:
    y = np.ones(3)

    def f(p, y):
        return by_solve(np.eye(3) + p[0] * 0.1, y)

    objective = Objective(f, np.ones(1), (y,))
    objective.grad(np.ones(1))
    with pytest.raises(np.linalg.LinAlgError, match="not positive definite"):
        objective.grad(np.full(1, -20.0))


def test_only_the_lower_triangle_of_the_data_counts() -> None:
    G = RNG.normal(size=(5, 5))
    G = G @ G.T + np.triu(RNG.normal(size=(5, 5)), 1)
    G[0, 4] = np.nan
    y = RNG.normal(size=5)

    def f(p, G, y):
        return by_solve(p[0] ** 2 * G + np.exp(p[1]) * np.eye(5), y)

    objective = Objective(f, np.array([1.2, 0.3]), (G, y))
    for x in (np.array([1.2, 0.3]), np.array([0.1, -1.0])):
        check_value(objective, x)
        check_gradient(objective, x, 0.0)
        check_hessp(objective, x, np.array([0.3, -1.0]), 0.0)
    text = autoopt.source(f, np.array([1.2, 0.3]), (G, y))
    assert "np.tril(G, -1).T" in text and "np.tri(" not in text


def test_a_matrix_of_parameters_keeps_its_triangle() -> None:
    y = RNG.normal(size=3)

    def f(p, y):
        return by_solve(p.reshape(3, 3), y)

    x = (4 * np.eye(3) + np.tril(RNG.normal(size=(3, 3)), -1)).ravel()
    objective = Objective(f, x, (y,))
    check_gradient(objective, x, 0.0)
    assert np.all(np.triu(objective.grad(x).reshape(3, 3), 1) == 0)
