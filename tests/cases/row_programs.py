"""Objectives that are sums over rows, in many styles, and some that mix rows: for what divides them by rows."""

from __future__ import annotations

import numpy as np
from scipy import special, stats
from scipy.special import logsumexp

ROWS = 3000


def _data(seed: int = 0, rows: int = ROWS):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(rows, 4))
    y = (rng.random(rows) < 0.5) * 1.0
    return rng, X, y, rng.integers(0, 3, rows)


def logistic(w, X, y):
    z = X @ w
    return np.sum(np.logaddexp(0, z)) - y @ z + 0.5 * w @ w


def poisson_mean(w, X, y):
    eta = X @ w
    return np.mean(np.exp(eta) - y * eta)


def softmax(W, X, g):
    Z = X @ W
    return np.sum(logsumexp(Z, axis=1)) - np.sum(Z[np.arange(len(g)), g])


def concentrated(w, X, y):
    r = y - X @ w
    return len(y) / 2 * np.log(np.sum(r**2))


def groups(p, X, y, g):
    r = y - p[:3][g] - X @ p[3:]
    return np.sum(r**2) + np.sum(p[:3] ** 2)


def network(p, X, y):
    W, v = p[:20].reshape(4, 5), p[20:25]
    return np.mean((np.tanh(X @ W) @ v - y) ** 2)


def mixture(p, x):
    mu, s, weights = p[:3], np.exp(p[3:6]), p[6:] - logsumexp(p[6:])
    return -np.sum(logsumexp(weights - 0.5 * ((x[:, None] - mu) / s) ** 2 - np.log(s), axis=1))


def huber(w, X, y):
    r = y - X @ w
    a = np.abs(r)
    return np.sum(np.where(a < 1.0, 0.5 * r**2, a - 0.5))


def rectified(p, X, y):
    W, v = p[:20].reshape(4, 5), p[20:25]
    return np.mean((np.maximum(X @ W, 0) @ v - y) ** 2)


def rows_in_a_loop(w, X, y):
    total = 0.0
    for i in range(len(y)):
        total += np.log1p(np.exp(X[i] @ w)) - y[i] * (X[i] @ w)
    return total


def normalised_over_rows(w, X, y):
    z = X @ w
    return logsumexp(z) - np.mean(z * y)


def tobit(p, X, y):
    mu, s = X @ p[:4], np.exp(p[4])
    censored = y <= 0
    return -np.sum(np.where(censored, stats.norm.logcdf(-mu / s), stats.norm.logpdf((y - mu) / s) - np.log(s)))


def negative_binomial(p, X, y):
    mu, r = np.exp(X @ p[:4]), np.exp(p[4])
    logs = special.gammaln(y + r) - special.gammaln(r) - special.gammaln(y + 1)
    return -np.sum(logs + r * np.log(r / (r + mu)) + y * np.log(mu / (r + mu)))


def quadratic_forms(p, X):
    L = np.array([[np.exp(p[0]), 0.0], [p[1], np.exp(p[2])]])
    precision = np.linalg.inv(L @ L.T)
    D = X[:, :2] - p[3:5]
    return 0.5 * np.einsum("ij,jk,ik->", D, precision, D) + len(X) * np.sum(np.log(np.diag(L)))


def matrices_of_rows(p, X):
    A = np.eye(2) * np.exp(p[0]) + p[1] ** 2 * X[:, :2, None] * X[:, None, :2]
    return np.sum(np.log(np.linalg.det(A)))


def transposed(w, X, y):
    z = w @ X.T
    return np.sum((z - y) ** 2)


def penalised(w, X, y):
    return np.sum((y - X @ w) ** 2) + np.log(np.linalg.det(np.eye(4) + np.outer(w, w)))


BY_ROWS = {
    "logistic": (logistic, lambda r, X, y, g: (0.1 * r.normal(size=4), (X, y))),
    "poisson mean": (poisson_mean, lambda r, X, y, g: (0.1 * r.normal(size=4), (X, y))),
    "softmax": (softmax, lambda r, X, y, g: (r.normal(size=(4, 3)), (X, g))),
    "concentrated": (concentrated, lambda r, X, y, g: (r.normal(size=4), (X, y))),
    "groups": (groups, lambda r, X, y, g: (r.normal(size=7), (X, y, g))),
    "network": (network, lambda r, X, y, g: (r.normal(size=25), (X, y))),
    "mixture": (mixture, lambda r, X, y, g: (r.normal(size=9), (X[:, 0].copy(),))),
    "huber": (huber, lambda r, X, y, g: (r.normal(size=4), (X, y))),
    "rectified": (rectified, lambda r, X, y, g: (r.normal(size=25), (X, y))),
    "rows in a loop": (rows_in_a_loop, lambda r, X, y, g: (r.normal(size=4), (X, y))),
    "normalised over rows": (normalised_over_rows, lambda r, X, y, g: (r.normal(size=4), (X, y))),
    "tobit": (tobit, lambda r, X, y, g: (0.3 * r.normal(size=5), (X, y))),
    "negative binomial": (negative_binomial, lambda r, X, y, g: (0.3 * r.normal(size=5), (X, y))),
    "quadratic forms": (quadratic_forms, lambda r, X, y, g: (0.3 * r.normal(size=5), (X,))),
    "matrices of rows": (matrices_of_rows, lambda r, X, y, g: (0.3 * r.normal(size=2), (X,))),
    "transposed": (transposed, lambda r, X, y, g: (r.normal(size=4), (X, y))),
    "penalised": (penalised, lambda r, X, y, g: (r.normal(size=4), (X, y))),
}
"""By name: the objective, and what makes its start and data of a generator, X, y and groups."""


def cumulated(w, X, y):
    return np.sum(np.cumsum(X @ w) * y)


def neighbours(w, X, y):
    z = X @ w
    return np.sum((z[1:] - z[:-1]) ** 2)


def sorted_rows(w, X, y):
    return np.sum(np.sort(X @ w) * y)


def recursive(p, x):
    h, total = 1.0, 0.0
    for t in range(len(x)):
        total += np.log(h) + x[t] ** 2 / h
        h = p[0] ** 2 + p[1] ** 2 * x[t] ** 2 + 0.5 * h
    return total


def trend(w, X, y):
    t = np.arange(len(y)) / 1000
    return np.sum((y - w[0] - w[1] * X[:, 0] - w[2] * t) ** 2)


def trend_in_a_loop(w, X, y):
    total = 0.0
    for i in range(len(y)):
        total += (y[i] - w[0] * i - X[i] @ w) ** 2
    return total


def every_second(w, X, y):
    odd = np.arange(len(y)) % 2
    return np.sum((y - X @ w - w[0] * odd) ** 2)


def alternating(w, X, y):
    return np.sum((y - X @ w)[::2] ** 2)


def pattern(w, X, y):
    return np.sum((y - X @ w - w[0] * np.resize(np.array([0.0, 1.0, 3.0]), len(y))) ** 2)


def counted_up(w, X, y):
    return np.sum((y - X @ w - w[0] * np.cumsum(np.ones(len(y))) / 1000) ** 2)


def rolled(w, X, y):
    return np.sum((y - np.roll(X @ w, 1)) ** 2)


def in_pairs(w, X, y):
    return np.sum((y - X @ w).reshape(-1, 2).sum(axis=1) ** 2)


def looked_up_by_number(w, X, y):
    t = np.linspace(0.0, 1.0, len(y))
    return np.sum((y - X @ w - w[0] * t[np.arange(len(y))]) ** 2)


def where_it_is_largest(w, X, y):
    return np.sum((y - X @ w) ** 2) + w[0] * np.argmax(X[:, 0])


def by_fresh_numbers(w, X, y):
    return np.sum((y - X @ w - w[0] * np.random.default_rng(0).normal(size=len(y))) ** 2)


MIXING = {
    "cumulated": (cumulated, lambda r, X, y, g: (r.normal(size=4), (X, y))),
    "neighbours": (neighbours, lambda r, X, y, g: (r.normal(size=4), (X, y))),
    "sorted": (sorted_rows, lambda r, X, y, g: (r.normal(size=4), (X, y))),
    "recursive": (recursive, lambda r, X, y, g: (np.array([0.3, 0.3]), (X[:, 0].copy(),))),
    "alternating": (alternating, lambda r, X, y, g: (r.normal(size=4), (X, y))),
    "rolled": (rolled, lambda r, X, y, g: (r.normal(size=4), (X, y))),
}
"""Those in which a row depends on others."""

NUMBERED = {
    "trend": (trend, lambda r, X, y, g: (r.normal(size=4), (X, y))),
    "trend in a loop": (trend_in_a_loop, lambda r, X, y, g: (r.normal(size=4), (X, y))),
    "every second": (every_second, lambda r, X, y, g: (r.normal(size=4), (X, y))),
    "pattern": (pattern, lambda r, X, y, g: (r.normal(size=4), (X, y))),
    "counted up": (counted_up, lambda r, X, y, g: (r.normal(size=4), (X, y))),
    "in pairs": (in_pairs, lambda r, X, y, g: (r.normal(size=4), (X, y))),
    "looked up by number": (looked_up_by_number, lambda r, X, y, g: (r.normal(size=4), (X, y))),
    "where it is largest": (where_it_is_largest, lambda r, X, y, g: (r.normal(size=4), (X, y))),
    "by fresh numbers": (by_fresh_numbers, lambda r, X, y, g: (r.normal(size=4), (X, y))),
}
"""Those in which something goes by the number of each row: no passes of batches, and of arrays those that agree."""


def started(entry, seed: int = 0, rows: int = ROWS):
    """Return an objective of a table, its start and its data."""
    f, make = entry
    rng, X, y, g = _data(seed, rows)
    x0, args = make(rng, X, y, g)
    return f, x0, args
