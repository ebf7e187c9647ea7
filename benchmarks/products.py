"""Objectives whose products with the Hessian are measured: plain NumPy, and the products as a person writes them.

Each by hand is linearised once for a point: what does not depend on the direction is computed before, as far as that
helps, and a few parameters have their Hessian there. A product takes (n,) or (n, k) alike.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Products:
    """An objective and its products with the Hessian by hand.

    Parameters
    ----------
    name : str
    objective : callable
        (x, *data) -> float, of a flat vector.
    start : callable
        (rng, *size) -> (x, data), at which products are taken.
    size, small : tuple of int
        To measure with, and to test with.
    linearise : callable
        (x, *data) -> function p -> H(x) @ p.
    """

    name: str
    objective: Callable
    start: Callable
    size: tuple[int, ...]
    small: tuple[int, ...]
    linearise: Callable


# Logistic regression.


def logistic(x, X, y):
    eta = X @ x
    return np.sum(np.logaddexp(0, eta) - y * eta)


def logistic_start(rng, rows, columns):
    X = rng.normal(size=(rows, columns))
    y = (rng.random(rows) < 0.5).astype(float)
    return rng.normal(size=columns) / columns, (X, y)


def logistic_linearise(x, X, y):
    from scipy.special import expit

    p = expit(X @ x)
    weights = p * (1 - p)
    return lambda d: X.T @ (weights * (X @ d)) if d.ndim == 1 else X.T @ (weights[:, None] * (X @ d))


# A Gaussian process: logarithms of amplitude, length and noise.


def gaussian_process(x, distances, y):
    amplitude, length, noise = np.exp(x)
    K = amplitude**2 * np.exp(-0.5 * distances / length**2) + noise**2 * np.eye(len(y))
    L = np.linalg.cholesky(K)
    z = np.linalg.solve(L, y)
    return 0.5 * z @ z + np.sum(np.log(np.diag(L)))


def gaussian_process_start(rng, rows):
    t = np.sort(rng.uniform(0, 10, rows))
    y = np.sin(t) + 0.3 * rng.normal(size=rows)
    return np.log(np.array([1.0, 1.2, 0.3])), ((t[:, None] - t) ** 2, y)


def gaussian_process_linearise(x, distances, y):
    from scipy.linalg import cho_factor, cho_solve

    amplitude, length, noise = np.exp(x)
    scaled = distances / length**2
    smooth = amplitude**2 * np.exp(-0.5 * scaled)
    K = smooth.copy()
    K[np.diag_indices(len(y))] += noise**2
    inverse = cho_solve(cho_factor(K, lower=True), np.eye(len(y)))
    alpha = inverse @ y
    first = [2 * smooth, smooth * scaled, 2 * noise**2 * np.eye(len(y))]
    zeros = np.zeros_like(K)
    second = [
        [4 * smooth, 2 * smooth * scaled, zeros],
        [2 * smooth * scaled, smooth * scaled * (scaled - 2), zeros],
        [zeros, zeros, 4 * noise**2 * np.eye(len(y))],
    ]
    moved = [inverse @ d for d in first]
    weights = inverse - np.outer(alpha, alpha)
    hessian = np.empty((3, 3))
    for i in range(3):
        for j in range(3):
            hessian[i, j] = (
                0.5 * np.sum(weights * second[i][j])
                - 0.5 * np.sum(moved[i] * moved[j].T)
                + (first[i] @ alpha) @ inverse @ (first[j] @ alpha)
            )
    return lambda d: hessian @ d


# A Gaussian graphical model: the triangle of a precision matrix.


def graphical_model(x, S):
    d = len(S)
    rows, columns = np.tril_indices(d)
    Theta = np.zeros((d, d))
    Theta[rows, columns] = x
    Theta[columns, rows] = x
    return np.sum(S * Theta) - np.linalg.slogdet(Theta)[1]


def graphical_model_start(rng, d):
    samples = rng.normal(size=(10 * d, d))
    S = samples.T @ samples / len(samples)
    Theta = np.linalg.inv(S + 0.5 * np.eye(d))
    return Theta[np.tril_indices(d)], (S,)


def graphical_model_linearise(x, S):
    d = len(S)
    rows, columns = np.tril_indices(d)
    Theta = np.zeros((d, d))
    Theta[rows, columns] = Theta[columns, rows] = x
    inverse = np.linalg.inv(Theta)
    double = np.where(rows == columns, 1.0, 2.0)

    def product(p):
        D = np.zeros((d, d, *p.shape[1:]))
        D[rows, columns] = D[columns, rows] = p
        if p.ndim == 1:
            return double * (inverse @ D @ inverse)[rows, columns]
        D = D.transpose(2, 0, 1)
        return double[:, None] * (inverse @ D @ inverse)[:, rows, columns].T

    return product


# A mixture of normals in one dimension: logits, means and logarithms of standard deviations.


def mixture(x, y):
    logits, means, logs = x[:5], x[5:10], x[10:]
    weights = logits - np.log(np.sum(np.exp(logits)))
    z = (y[:, None] - means) * np.exp(-logs)
    terms = weights - logs - 0.5 * z**2
    top = terms.max(axis=1, keepdims=True)
    return -np.sum(top[:, 0] + np.log(np.sum(np.exp(terms - top), axis=1)))


def mixture_start(rng, rows):
    means = np.array([-4.0, -2.0, 0.0, 2.0, 4.0])
    y = means[rng.integers(0, 5, rows)] + 0.7 * rng.normal(size=rows)
    return np.concatenate([0.1 * rng.normal(size=5), means + 0.1 * rng.normal(size=5), np.full(5, -0.3)]), (y,)


def mixture_linearise(x, y):
    logits, means, logs = x[:5], x[5:10], x[10:]
    shares = np.exp(logits - logits.max())
    shares /= shares.sum()
    inverse = np.exp(-logs)
    z = (y[:, None] - means) * inverse
    terms = np.log(shares) - logs - 0.5 * z**2
    p = np.exp(terms - terms.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    slopes = np.concatenate([p, p * z * inverse, p * (z**2 - 1)], axis=1)
    eye = np.eye(5)
    cross = np.zeros((15, 15))
    moments = [np.sum(p * z**k, axis=0) for k in range(5)]
    u, m, s = slice(0, 5), slice(5, 10), slice(10, 15)
    # sums over rows of p_a * (outer product of the slopes of term a + its own second derivatives)
    cross[u, u] = eye * moments[0]
    cross[u, m] = cross[m, u] = eye * moments[1] * inverse
    cross[u, s] = cross[s, u] = eye * (moments[2] - moments[0])
    cross[m, m] = eye * (moments[2] - moments[0]) * inverse**2
    cross[m, s] = cross[s, m] = eye * (moments[3] - 3 * moments[1]) * inverse
    cross[s, s] = eye * (moments[4] - 4 * moments[2] + moments[0])
    hessian = slopes.T @ slopes - cross
    hessian[u, u] += len(y) * (np.diag(shares) - np.outer(shares, shares))
    return lambda d: hessian @ d


PRODUCTS = {
    row.name: row
    for row in (
        Products("logistic", logistic, logistic_start, (1000000, 50), (200, 5), logistic_linearise),
        Products("gp", gaussian_process, gaussian_process_start, (500,), (12,), gaussian_process_linearise),
        Products("graphical", graphical_model, graphical_model_start, (50,), (4,), graphical_model_linearise),
        Products("mixture", mixture, mixture_start, (10000,), (60,), mixture_linearise),
    )
}
