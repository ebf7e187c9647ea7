"""Objectives that are sums over the rows of their data: their terms, which sum to them, and what is refused."""

import numpy as np
import pytest
from scipy.special import gammaln, logsumexp, xlogy

import autoopt
from autoopt.errors import TracingError
from autoopt.objectives.by_row import terms_by_row

RNG = np.random.default_rng(5)
ROWS = 9
X = RNG.normal(size=(ROWS, 3))
Y = RNG.integers(0, 2, size=ROWS)
G = RNG.integers(0, 3, size=ROWS)
ORDER = RNG.permutation(ROWS)
STARTS = (np.array([0.3, 0.2, 0.7]), np.array([0.1, -0.4, 1.2]))


def in_a_loop(b, X, y, g):
    total = 0.0
    for i in range(len(y)):
        eta = X[i] @ b
        total += np.log1p(np.exp(eta)) - y[i] * eta
    return total


def with_branches(b, X, y, g):
    total = 0.0
    for row, label in zip(X, y, strict=True):
        p = 1 / (1 + np.exp(-(b[0] * row[0] + b[1] * row[1])))
        if label == 1:
            total -= np.log(p)
        else:
            total -= np.log(1 - p)
    return total


def negative_binomial(b, X, y, g):
    mu, r = np.exp(X[:, :2] @ b[:2]), np.exp(b[2])
    terms = gammaln(y + r) - gammaln(r) - gammaln(y + 1) + r * np.log(r / (r + mu)) + xlogy(y, mu / (r + mu))
    return -terms.sum()


def of_a_matrix(b, X, y, g):
    scores = np.column_stack([X @ b, X[:, 0] * b[1], np.zeros(len(y))])
    return np.sum(logsumexp(scores, axis=1)) - np.sum(scores[np.arange(len(y)), y])


def covariance(b, X, y, g):
    """Normal rows with a covariance that depends on the parameters."""
    root = np.array([[np.exp(b[0]), 0.0, 0.0], [b[1], 1.0, 0.0], [0.3, b[2], 2.0]])
    white = np.linalg.solve(root, X.T)
    return 0.5 * np.sum(white**2) + len(y) * np.log(np.diag(root)).sum()


OBJECTIVES = {
    "sum": lambda b, X, y, g: np.sum(np.logaddexp(0, X @ b) - y * (X @ b)),
    "product": lambda b, X, y, g: np.logaddexp(0, X @ b).sum() - y @ (X @ b),
    "statistics": lambda b, X, y, g: np.exp(X @ b).sum() - (X.T @ y) @ b,
    "statistics from the left": lambda b, X, y, g: np.exp(X @ b).sum() - np.dot(b, y @ X),
    "squares of them": lambda b, X, y, g: b @ (X.T @ X) @ b - 2 * b @ (X.T @ y) + y @ y,
    "shared": lambda b, X, y, g: 0.5 * np.sum((y - X @ b) ** 2) / b[2] ** 2 + len(y) * np.log(b[2] ** 2) + b @ b,
    "mean": lambda b, X, y, g: np.mean((y - X @ b) ** 2) + 0.1 * np.sum(np.abs(b)),
    "norm": lambda b, X, y, g: np.linalg.norm(y - X @ b) ** 2 / 2,
    "residuals": lambda b, X, y, g: (y - X @ b).T @ (y - X @ b),
    "einsum": lambda b, X, y, g: np.einsum("i,ij,j->", np.exp(X[:, 1] * b[0]), X, b),
    "mask": lambda b, X, y, g: -np.sum(np.log(1 + (X @ b)[y == 1] ** 2)) - np.sum(np.cos(X @ b)[y == 0]),
    "mask of data alone": lambda b, X, y, g: np.sum(X[:, 0][y == 1]) * b[0] - np.sum(np.cos(X @ b)),
    "mask that takes all": lambda b, X, y, g: np.sum((X @ b)[y >= 0] ** 2),
    "in another order": lambda b, X, y, g: np.sum((y - X @ b)[::-1] ** 2),
    "in a drawn order": lambda b, X, y, g: np.sum((y - X @ b)[ORDER] ** 2) + np.sum(np.cos(X[ORDER] @ b) * y[ORDER]),
    "by groups": lambda b, X, y, g: sum(np.sum(((y - X @ b) ** 2)[g == k]) for k in range(3)),
    "counted by groups": lambda b, X, y, g: np.sum(np.bincount(g, weights=(y - X @ b) ** 2)) - np.mean(b),
    "where": lambda b, X, y, g: -np.sum(np.where(y == 1, np.log(b[0]), np.log(1 - b[0]) + X[:, 0] * b[2])),
    "condition alone": lambda b, X, y, g: -np.sum(np.where(y == 1, b[0] ** 2, b[1])),
    "categories": lambda b, X, y, g: np.sum((y - b[g]) ** 2),
    "whole numbers": lambda b, X, y, g: np.sum(np.sign(y - 0.5) * b[0] * np.round(X[:, 0]) * b[1]),
    "variables in rows": lambda b, X, y, g: np.sum((y - b @ X.T) ** 2),
    "second axis": lambda b, X, y, g: np.sum((X - b) ** 2) + np.sum(np.sum(X * b, axis=1) * y),
    "kept axes": lambda b, X, y, g: np.sum((X * b).sum(axis=0, keepdims=True)) + np.sum((X.T @ y) * b + b),
    "broadcast statistic": lambda b, X, y, g: np.sum(y.sum() * b[0] + b) / 3 - float(y.sum()) * b[1],
    "parts": lambda b, X, y, g: (X.T @ y)[0] * b[0] + (X.T @ np.exp(X @ b))[1:].sum(),
    "two halves": lambda b, X, y, g: np.sum((y - X @ b)[:4] ** 2) + np.sum((y - X @ b)[4:] ** 4),
    "weighted mean": lambda b, X, y, g: np.sum((y + 1) * (X @ b) ** 2) / (y + 1).sum(),
    "trace": lambda b, X, y, g: np.trace((X - b).T @ (X - b)),
    "tensordot": lambda b, X, y, g: np.tensordot(y - X @ b, y - X @ b, 1),
    "one entry": lambda b, X, y, g: np.array([np.sum((y - X @ b) ** 2)])[0],
    "covariance": covariance,
    "standardised": lambda b, X, y, g: np.sum(((y - y.mean()) - ((X - X.mean(0)) / X.std(0)) @ b) ** 2),
    "loop": in_a_loop,
    "branches": with_branches,
    "negative binomial": negative_binomial,
    "matrix": of_a_matrix,
}
STATISTICS = {"standardised", "weighted mean"}


@pytest.mark.slow_for("counted by groups")
@pytest.mark.sampled(2)
@pytest.mark.parametrize("name", OBJECTIVES)
def test_terms_sum_to_the_objective_and_scores_to_its_gradient(name):
    objective = OBJECTIVES[name]
    terms = terms_by_row(objective, STARTS[0], (X, Y, G))
    for x in STARTS:
        value = objective(x, X, Y, G)
        np.testing.assert_allclose(terms.value(x).sum(), value, rtol=1e-12, atol=1e-12)
        scores, shape = terms.jacobian(x)
        assert shape == (ROWS,)
        np.testing.assert_allclose(scores.sum(0), autoopt.grad(objective)(x, X, Y, G), rtol=1e-10, atol=1e-10)


@pytest.mark.sampled(3)
@pytest.mark.parametrize("name", sorted(set(OBJECTIVES) - STATISTICS))
def test_each_term_is_that_of_its_row(name):
    """A row's data move its own term, by as much as they move the objective, and no other term."""
    objective, x = OBJECTIVES[name], STARTS[0]
    terms = terms_by_row(objective, x, (X, Y, G)).value(x)
    for row in (0, 4, ROWS - 1):
        moved, label, group = X.copy(), Y.copy(), G.copy()
        moved[row] += [0.3, -0.7, 1.1]
        label[row], group[row] = 1 - Y[row], (G[row] + 1) % 3
        others = terms_by_row(objective, x, (moved, label, group)).value(x)
        change = objective(x, moved, label, group) - objective(x, X, Y, G)
        expected = np.where(np.arange(ROWS) == row, change, 0.0)
        np.testing.assert_allclose(others - terms, expected, atol=1e-11)


def test_what_has_no_rows_is_shared_beside_a_single_row():
    one = np.arange(ROWS) == 4
    terms = terms_by_row(lambda b, X, one: np.sum(X[:, 1][one]) + np.sum(b), STARTS[0], (X, one)).value(STARTS[0])
    np.testing.assert_allclose(terms, one * X[4, 1] + STARTS[0].sum() / ROWS, rtol=1e-12)


def test_statistics_beside_a_single_row_are_those_of_all_rows():
    one, b = np.arange(ROWS) == 4, STARTS[0]
    terms = terms_by_row(lambda b, X, one: np.sum((X.T @ X[:, 0]) * b + np.sum(X[:, 1][one])), b, (X, one)).value(b)
    np.testing.assert_allclose(terms, X[:, 0] * (X @ b) + 3 * one * X[4, 1], rtol=1e-12)


@pytest.mark.parametrize(
    ("objective", "said"),
    [
        (lambda b, X, y, g: len(y) / 2 * np.log(np.sum((y - X @ b) ** 2)), "goes through log"),
        (lambda b, X, y, g: np.sum(X @ b) * np.sum(X @ b), "goes through multiply"),
        (lambda b, X, y, g: np.sum((X @ b)[::-1] * y), "goes through multiply"),
        (lambda b, X, y, g: np.sum(np.sort(X[:, 0]) * y * b[0]), "goes through multiply"),
        (lambda b, X, y, g: np.sum(np.cumsum(X @ b) * y), "goes through multiply"),
        (lambda b, X, y, g: np.sum(np.diff(X @ b) ** 2), "goes through power"),
        (lambda b, X, y, g: np.sum(X[::-1, 0][y == 1]) * b[0] + np.sum(X @ b), "goes through getitem"),
        (lambda b, X, y, g: np.sum((X @ b)[::-1][y == 1]), "goes through getitem"),
        (lambda b, X, y, g: np.sum((X @ b)[ORDER] * y), "goes through multiply"),
        (lambda b, X, y, g: np.sum(np.bincount(g, weights=X @ b) ** 2), "goes through power"),
        (lambda b, X, y, g: np.sum(b[g[::-1]] * y), "goes through multiply"),
        (lambda b, X, y, g: np.sum(np.exp(b)), "reads no data that have 9 rows"),
        (lambda b, X, y, g: np.sum((X @ b - np.mean(X @ b)) ** 2), "goes through power"),
        (lambda b, X, y, g: logsumexp(X @ b) - y @ (X @ b), "goes through logsumexp"),
        (lambda b, X, y, g: np.log(y.sum()) * b[0] + np.sum(X @ b), "goes through log"),
        (lambda b, X, y, g: np.linalg.slogdet(X.T @ (X * np.exp(X @ b)[:, None]))[1], "goes through"),
    ],
)
def test_what_is_no_sum_over_rows_is_refused_at_its_line(objective, said):
    with pytest.raises(TracingError, match=said) as error:
        terms_by_row(objective, STARTS[0], (X, Y, G), rows=ROWS)
    assert error.value.where is not None and "return its terms" in str(error.value)


def test_recurrences_over_the_rows_are_refused():
    def garch(b, y):
        total, h = 0.0, 1.0
        for value in y:
            total += 0.5 * (np.log(h) + value**2 / h)
            h = b[0] ** 2 + b[1] ** 2 * value**2 + 0.5 * h
        return total

    with pytest.raises(TracingError, match="not recognised as a sum over the rows"):
        terms_by_row(garch, STARTS[0], (RNG.normal(size=40),))


def test_data_from_outside_have_rows_too():
    y = Y + 0.5

    def objective(b):
        return np.sum((y - X @ b) ** 2)

    terms = terms_by_row(objective, STARTS[0], ())
    np.testing.assert_allclose(terms.value(STARTS[1]), (y - X @ STARTS[1]) ** 2, rtol=1e-12)


def test_large_arrays_without_rows_are_shared_by_nobody():
    other = np.arange(20.0)
    with pytest.raises(TracingError, match="not recognised"):
        terms_by_row(
            lambda b, y, z: np.sum((y - b[0]) ** 2) + np.sum(np.exp(z * b[1])), STARTS[0], (Y, other), rows=ROWS
        )
