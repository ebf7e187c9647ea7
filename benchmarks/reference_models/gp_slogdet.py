"""The marginal likelihood of a Gaussian process in two dimensions, by slogdet and solve."""

import numpy as np
from scipy.linalg import cho_factor, cho_solve


def objective(theta, X, y):
    log_lengths, log_amplitude, log_noise = theta[:2], theta[2], theta[3]
    Z = X / np.exp(log_lengths)
    D = np.sum((Z[:, None, :] - Z[None, :, :]) ** 2, axis=2)
    K = np.exp(2 * log_amplitude - 0.5 * D) + np.exp(2 * log_noise) * np.eye(len(y))
    return 0.5 * y @ np.linalg.solve(K, y) + 0.5 * np.linalg.slogdet(K)[1]


def value_and_grad(theta, X, y):
    log_lengths, log_amplitude, log_noise = theta[:2], theta[2], theta[3]
    Z = (X / np.exp(log_lengths)).T
    D = (Z[:, :, None] - Z[:, None, :]) ** 2
    K = np.exp(2 * log_amplitude - 0.5 * D.sum(axis=0))
    noise, identity = np.exp(2 * log_noise), np.eye(len(y))
    L = cho_factor(K + noise * identity, lower=True)
    a = cho_solve(L, y)
    value = 0.5 * y @ a + np.log(np.diag(L[0])).sum()
    slope = 0.5 * (cho_solve(L, identity) - np.outer(a, a))
    by_noise = 2 * noise * np.trace(slope)
    slope *= K
    by_lengths = [np.vdot(slope, D[0]), np.vdot(slope, D[1])]
    gradient = np.array([*by_lengths, 2 * slope.sum(), by_noise])
    return value, gradient


def start(rng):
    X = rng.uniform(0, 5, size=(300, 2))
    y = np.sin(X[:, 0]) * np.cos(X[:, 1]) + 0.3 * rng.normal(size=300)
    return np.array([0.1, 0.3, 0.1, -1.0]), (X, y)
