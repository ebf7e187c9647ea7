"""Cox's partial likelihood, risk sets as sums over the rows in order of decreasing time."""

import numpy as np


def objective(beta, X, time, event):
    order = np.argsort(-time)
    eta = X[order] @ beta
    log_risk = np.log(np.cumsum(np.exp(eta)))
    return -np.sum(event[order] * (eta - log_risk))


def value_and_grad(beta, X, time, event):
    order = np.argsort(-time)
    X, event = X[order], event[order]
    eta = X @ beta
    e = np.exp(eta)
    risk = np.cumsum(e)
    later = np.cumsum((event / risk)[::-1])[::-1]
    value = event @ (np.log(risk) - eta)
    gradient = X.T @ (e * later - event)
    return value, gradient


def start(rng):
    X = rng.normal(size=(5000, 10))
    time = rng.exponential(np.exp(-X @ rng.normal(scale=0.3, size=10)))
    return 0.1 * rng.normal(size=10), (X, time, (rng.random(5000) < 0.7) * 1.0)
