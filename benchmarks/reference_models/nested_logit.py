"""A nested logit model: coefficients, then the dissimilarity of each nest."""

import numpy as np
from scipy.special import logsumexp


def objective(params, X, choice, nest):
    k, rows = X.shape[2], np.arange(len(choice))
    beta, tau = params[:k], params[k:]
    V = X @ beta
    inclusive = [logsumexp(V[:, nest == m] / tau[m], axis=1) for m in range(len(tau))]
    inclusive = np.stack(inclusive, axis=1)
    m = nest[choice]
    log_within = V[rows, choice] / tau[m] - inclusive[rows, m]
    log_nest = tau[m] * inclusive[rows, m] - logsumexp(tau * inclusive, axis=1)
    return -np.sum(log_within + log_nest)


def value_and_grad(params, X, choice, nest):
    k, rows, m = X.shape[2], np.arange(len(choice)), nest[choice]
    beta, tau = params[:k], params[k:]
    X = X.reshape(-1, k)
    V = (X @ beta).reshape(len(choice), -1) / tau[nest]
    inclusive = np.empty((len(choice), len(tau)))
    for i in range(len(tau)):
        within = V[:, nest == i]
        top = within.max(axis=1)
        inclusive[:, i] = top + np.log(np.exp(within - top[:, None]).sum(axis=1))
    weighted = tau * inclusive
    top = weighted.max(axis=1)
    P = np.exp(weighted - top[:, None])
    total = P.sum(axis=1)
    P /= total[:, None]
    chosen = inclusive[rows, m]
    value = np.sum(np.log(total) + top - V[rows, choice] - (tau[m] - 1) * chosen)
    by_inclusive = tau * P
    by_inclusive[rows, m] -= tau[m] - 1
    by_V = np.exp(V - inclusive[:, nest]) * by_inclusive[:, nest]
    by_V[rows, choice] -= 1
    by_tau = np.einsum("ij,ij->j", P, inclusive) - np.bincount(m, chosen, len(tau))
    by_tau -= np.bincount(nest, np.einsum("ij,ij->j", by_V, V)) / tau
    gradient = np.concatenate([(by_V / tau[nest]).ravel() @ X, by_tau])
    return value, gradient


def start(rng):
    n, nest = 2000, np.array([0, 0, 1, 1, 1, 2])
    X = rng.normal(size=(n, 6, 4))
    choice = np.argmax(X @ np.array([1.0, -0.5, 0.3, 0.0]) + rng.gumbel(size=(n, 6)), axis=1)
    return np.array([0.5, -0.2, 0.1, 0.2, 0.8, 0.7, 0.9]), (X, choice, nest)
