"""A hidden Markov model of three states with normal emissions, forward in logarithms."""

import numpy as np
from scipy.special import logsumexp


def objective(theta, y):
    logits, mu, log_sd = theta[:9].reshape(3, 3), theta[9:12], theta[12:]
    log_A = logits - logsumexp(logits, axis=1, keepdims=True)
    log_b = -0.5 * ((y[:, None] - mu) / np.exp(log_sd)) ** 2 - log_sd
    a = log_b[0] - np.log(3)
    for t in range(1, len(y)):
        a = logsumexp(a[:, None] + log_A, axis=0) + log_b[t]
    return -logsumexp(a)


def value_and_grad(theta, y):
    logits, mu, log_sd = theta[:9].reshape(3, 3), theta[9:12], theta[12:]
    A = np.exp(logits - logits.max(axis=1, keepdims=True))
    A /= A.sum(axis=1, keepdims=True)
    z = (y[:, None] - mu) / np.exp(log_sd)
    log_b = -0.5 * z**2 - log_sd
    shift = log_b.max(axis=1)
    b = np.exp(log_b - shift[:, None])
    filtered, later, c = np.empty_like(b), np.empty_like(b), np.empty(len(y))
    a = np.full(3, 1 / 3)
    for t in range(len(y)):
        a = b[t] * (a @ A if t else a)
        c[t] = a.sum()
        a /= c[t]
        filtered[t] = a
    b /= c[:, None]
    a = np.ones(3)
    for t in range(len(y) - 1, -1, -1):
        later[t] = a
        a = A @ (b[t] * a)
    moves = A * (filtered[:-1].T @ (b[1:] * later[1:]))
    states = filtered * later
    by_logits = A * moves.sum(axis=1, keepdims=True) - moves
    by_mu = -(states * z).sum(axis=0) / np.exp(log_sd)
    by_log_sd = (states * (1 - z**2)).sum(axis=0)
    value = -np.log(c).sum() - shift.sum()
    gradient = np.concatenate([by_logits.ravel(), by_mu, by_log_sd])
    return value, gradient


def start(rng):
    A = np.full((3, 3), 0.05) + 0.85 * np.eye(3)
    state, y = 0, np.empty(500)
    for t in range(500):
        state = rng.choice(3, p=A[state])
        y[t] = [-2.0, 0.0, 3.0][state] + [0.5, 1.0, 0.7][state] * rng.normal()
    return np.concatenate([2 * np.eye(3).ravel(), [-1.0, 0.2, 2.0], [0.1, 0.0, -0.1]]), (y,)
