"""Poisson regression with an offset."""

import numpy as np


def objective(beta, X, y, offset):
    eta = X @ beta + offset
    return np.sum(np.exp(eta) - y * eta)


def value_and_grad(beta, X, y, offset):
    eta = X @ beta + offset
    mu = np.exp(eta)
    value = mu.sum() - y @ eta
    gradient = X.T @ (mu - y)
    return value, gradient


def start(rng):
    X = rng.normal(size=(10_000, 20))
    offset = np.log(rng.uniform(0.5, 2.0, size=10_000))
    y = rng.poisson(np.exp(X @ rng.normal(scale=0.2, size=20) + offset)) * 1.0
    return 0.1 * rng.normal(size=20), (X, y, offset)
