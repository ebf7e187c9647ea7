"""Multinomial regression by SciPy's logsumexp."""

import numpy as np
from scipy.special import logsumexp


def objective(W, X, y):
    scores = X @ W
    return np.sum(logsumexp(scores, axis=1) - scores[np.arange(len(y)), y])


def value_and_grad(W, X, y):
    rows = np.arange(len(y))
    scores = X @ W
    scores -= scores.max(axis=1, keepdims=True)
    P = np.exp(scores)
    total = P.sum(axis=1, keepdims=True)
    value = np.log(total).sum() - scores[rows, y].sum()
    P /= total
    P[rows, y] -= 1
    gradient = X.T @ P
    return value, gradient


def start(rng):
    X = rng.normal(size=(5000, 20))
    y = np.argmax(X @ rng.normal(size=(20, 5)) + rng.gumbel(size=(5000, 5)), axis=1)
    return 0.1 * rng.normal(size=(20, 5)), (X, y)
