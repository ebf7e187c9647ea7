"""Negative binomial regression (NB2), its dispersion the last parameter."""

import numpy as np
from scipy.special import digamma, gammaln


def objective(params, X, y):
    beta, log_alpha = params[:-1], params[-1]
    r = np.exp(-log_alpha)
    mu = np.exp(X @ beta)
    log_p = r * np.log(r / (r + mu)) + y * np.log(mu / (r + mu))
    return -np.sum(gammaln(y + r) - gammaln(r) - gammaln(y + 1) + log_p)


def value_and_grad(params, X, y):
    beta, log_alpha = params[:-1], params[-1]
    n, r = len(y), np.exp(-log_alpha)
    eta = X @ beta
    mu = np.exp(eta)
    log_sum = np.log(r + mu)
    ratio = (y + r) / (r + mu)
    value = (y + r) @ log_sum - y @ eta + (gammaln(y + 1) - gammaln(y + r)).sum()
    value += n * (gammaln(r) + r * log_alpha)
    by_r = n * (digamma(r) + log_alpha - 1) - (digamma(y + r) - log_sum - ratio).sum()
    gradient = np.append(X.T @ (ratio * mu - y), -r * by_r)
    return value, gradient


def start(rng):
    X = rng.normal(size=(5000, 10))
    mu = np.exp(X @ rng.normal(scale=0.3, size=10))
    y = rng.poisson(mu * rng.gamma(2.0, 0.5, size=5000)) * 1.0
    return np.append(0.1 * rng.normal(size=10), -0.2), (X, y)
