"""Least squares."""

import numpy as np


def objective(beta, X, y):
    residual = y - X @ beta
    return 0.5 * np.sum(residual**2)


def value_and_grad(beta, X, y):
    residual = y - X @ beta
    value = 0.5 * residual @ residual
    gradient = -(X.T @ residual)
    return value, gradient


def start(rng):
    X = rng.normal(size=(10_000, 20))
    return 0.1 * rng.normal(size=20), (X, X @ rng.normal(size=20) + rng.normal(size=10_000))
