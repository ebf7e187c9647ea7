"""Logistic regression."""

import numpy as np


def objective(w, X, y):
    z = X @ w
    return np.sum(np.logaddexp(0, z) - y * z)


def value_and_grad(w, X, y):
    z = X @ w
    e = np.exp(-np.abs(z))
    value = np.maximum(z, 0).sum() + np.log1p(e).sum() - y @ z
    gradient = X.T @ (np.where(z > 0, 1, e) / (1 + e) - y)
    return value, gradient


def start(rng):
    X = rng.normal(size=(10_000, 20))
    y = (rng.random(10_000) < 1 / (1 + np.exp(-X @ rng.normal(size=20)))) * 1.0
    return 0.1 * rng.normal(size=20), (X, y)
