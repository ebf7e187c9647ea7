"""A mixture of five normal distributions, the largest logarithm subtracted by hand."""

import numpy as np


def objective(theta, x):
    logits, mu, log_sd = theta[:5], theta[5:10], theta[10:]
    log_w = logits - np.log(np.sum(np.exp(logits)))
    Z = (x[:, None] - mu) / np.exp(log_sd)
    lp = log_w - log_sd - 0.5 * Z**2
    m = lp.max(axis=1, keepdims=True)
    return -np.sum(m[:, 0] + np.log(np.sum(np.exp(lp - m), axis=1)))


def value_and_grad(theta, x):
    logits, mu, log_sd = theta[:5], theta[5:10], theta[10:]
    w, scale = np.exp(logits), np.exp(-log_sd)
    w /= w.sum()
    Z = (x - mu[:, None]) * scale[:, None]
    lp = (np.log(w) - log_sd)[:, None] - 0.5 * Z**2
    m = lp.max(axis=0)
    P = np.exp(lp - m)
    total = P.sum(axis=0)
    value = -m.sum() - np.log(total).sum()
    P /= total
    counts = P.sum(axis=1)
    P *= Z
    by_mu = -scale * P.sum(axis=1)
    by_log_sd = counts - np.einsum("ij,ij->i", P, Z)
    gradient = np.concatenate([len(x) * w - counts, by_mu, by_log_sd])
    return value, gradient


def start(rng):
    means = np.array([-4.0, -1.0, 0.0, 2.0, 5.0])
    x = rng.choice(means, size=10_000) + rng.normal(size=10_000)
    return np.concatenate([np.zeros(5), means + 0.3, np.full(5, 0.1)]), (x,)
