"""The marginal likelihood of a Gaussian process with a squared exponential kernel, by Cholesky."""

import numpy as np
from scipy.linalg import cho_factor, cho_solve


def objective(theta, x, y):
    log_length, log_amplitude, log_noise = theta
    D = (x[:, None] - x) ** 2
    K = np.exp(2 * log_amplitude - 0.5 * D * np.exp(-2 * log_length))
    L = np.linalg.cholesky(K + np.exp(2 * log_noise) * np.eye(len(x)))
    a = np.linalg.solve(L, y)
    return 0.5 * a @ a + np.sum(np.log(np.diag(L))) + 0.5 * len(x) * np.log(2 * np.pi)


def value_and_grad(theta, x, y):
    log_length, log_amplitude, log_noise = theta
    D = np.exp(-2 * log_length) * (x[:, None] - x) ** 2
    K = np.exp(2 * log_amplitude - 0.5 * D)
    noise, identity = np.exp(2 * log_noise), np.eye(len(x))
    L = cho_factor(K + noise * identity, lower=True)
    a = cho_solve(L, y)
    value = 0.5 * y @ a + np.log(np.diag(L[0])).sum() + 0.5 * len(x) * np.log(2 * np.pi)
    slope = 0.5 * (cho_solve(L, identity) - np.outer(a, a))
    by_noise = 2 * noise * np.trace(slope)
    slope *= K
    gradient = np.array([np.vdot(slope, D), 2 * slope.sum(), by_noise])
    return value, gradient


def start(rng):
    x = np.sort(rng.uniform(0, 10, size=300))
    return np.array([0.2, 0.1, -1.0]), (x, np.sin(x) + 0.3 * rng.normal(size=300))
