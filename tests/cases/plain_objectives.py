"""Objectives as they are written, made once each, and when a number is near enough to differences."""

from __future__ import annotations

import functools
import math
from collections import namedtuple
from typing import Any

import numpy as np
import scipy.special
from scipy.special import expit

from autoopt.objectives.objective import Objective

RNG = np.random.default_rng(3)
X = RNG.normal(size=(12, 3))
Y = (RNG.uniform(size=12) > 0.5).astype(float)
COUNTS = RNG.poisson(2.0, size=12).astype(float)
GROUPS = np.arange(12) % 4
SPD = X.T @ X + np.eye(3)
THREE = np.array([0.5, 1.5, 2.5])


# The objectives -------------------------------------------------------------------------------------------------------


def rosenbrock(x):
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def rosenbrock_loop(x):
    total = 0.0
    for i in range(len(x) - 1):
        total += 100.0 * (x[i + 1] - x[i] ** 2) ** 2 + (1 - x[i]) ** 2
    return total


def logistic(w, X, y):
    z = X @ w
    return np.sum(np.log(1 + np.exp(z)) - y * z)


def poisson(beta, X, counts):
    eta = X @ beta
    return np.sum(np.exp(eta) - counts * eta + scipy.special.gammaln(counts + 1))


def softmax_regression(W, X, groups):
    scores = X @ W
    return np.mean(scipy.special.logsumexp(scores, axis=1) - scores[np.arange(len(X)), groups])


def network(p, X, y):
    hidden = np.tanh(X @ p["W"] + p["b"])
    return np.mean((hidden @ p["v"] - y) ** 2) + 0.1 * sum(np.sum(part**2) for part in p.values())


def gaussian_process(theta, X, y):
    length, noise = np.exp(theta)
    distance = ((X[:, None, :] - X[None, :, :]) ** 2).sum(axis=2)
    K = np.exp(-0.5 * distance / length**2) + noise * np.eye(len(y))
    L = np.linalg.cholesky(K)
    return 0.5 * y @ np.linalg.solve(K, y) + np.log(np.diag(L)).sum()


def multivariate_normal(p, X):
    mean, log_scale, correlation = p
    A = np.array([[1.0, correlation[0], 0.0], [correlation[0], 1.0, correlation[1]], [0.0, correlation[1], 1.0]])
    S = A * np.exp(log_scale)[:, None] * np.exp(log_scale)
    centred = X - mean
    sign, logdet = np.linalg.slogdet(S)
    return 0.5 * (np.einsum("ij,jk,ik->", centred, np.linalg.inv(S), centred) + len(X) * logdet) * sign


def garch(p, returns):
    omega, alpha, beta = np.exp(p["omega"]), expit(p["alpha"]), 0.9 * expit(p["beta"])
    variance = np.empty(len(returns))
    variance[0] = omega
    for t in range(1, len(returns)):
        variance[t] = omega + alpha * returns[t - 1] ** 2 + beta * variance[t - 1]
    return 0.5 * np.sum(np.log(variance) + returns**2 / variance)


def mixture(p, y):
    (weight, means), spread = p
    logs = [math.log(float(weight)) - 0.5 * (y - m) ** 2 / spread**2 - np.log(spread) for m in means]
    return -np.logaddexp(logs[0], logs[1]).sum()


def gamma_likelihood(x, y):
    shape, rate = math.exp(x[0]), math.exp(x[1])
    return -np.sum(shape * np.log(rate) - scipy.special.gammaln(shape) + (shape - 1) * np.log(y) - rate * y)


def huber(x, X, y):
    r = X @ x - y
    return np.sum(np.where(np.abs(r) <= 0.5, 0.5 * r**2, 0.5 * (np.abs(r) - 0.25)))


def generator(x):
    return sum(v**2 * math.sin(v) for v in x) + max(x) * min(x) + math.hypot(*x)


def chained(x):
    y = np.zeros((3, 3))
    y[0] = x
    y[1:, 0] = x[:2] ** 2
    y.T[2] += np.exp(-x)
    return np.linalg.norm(y) + np.trace(y @ y)


def scalar(x):
    return math.exp(-x) * np.sin(x) ** 2


Beta = namedtuple("Beta", "a b")
POSITIVE = np.abs(Y - 0.3) + 0.1
RETURNS = RNG.normal(size=8)
OBJECTIVES: dict[str, tuple] = {
    "rosenbrock": (rosenbrock, np.array([-1.2, 1.0, 0.7, 1.1])),
    "rosenbrock in a loop": (rosenbrock_loop, np.array([-1.2, 1.0, 0.7, 1.1])),
    "logistic": (logistic, np.zeros(3), X, Y),
    "poisson": (poisson, np.array([0.1, -0.2, 0.3]), X, COUNTS),
    "softmax regression": (softmax_regression, 0.1 * RNG.normal(size=(3, 4)), X, GROUPS),
    "network": (network, {"W": RNG.normal(size=(3, 2)), "b": np.zeros(2), "v": np.array([0.3, -0.5])}, X, Y),
    "gaussian process": (gaussian_process, np.array([0.2, -0.5]), X[:5], Y[:5]),
    "multivariate normal": (multivariate_normal, [np.zeros(3), 0.1 * np.ones(3), (0.2, -0.1)], X),
    "garch": (garch, {"omega": 0.1, "alpha": np.array(-1.0), "beta": 0.5}, RETURNS),
    "mixture": (mixture, ([0.4, np.array([-1.0, 1.0])], 1.5), RETURNS),
    "gamma": (gamma_likelihood, np.array([0.3, 0.1]), POSITIVE),
    "huber": (huber, np.array([0.1, 0.2, -0.3]), X, Y),
    "generator": (generator, THREE),
    "chained writes": (chained, THREE),
    "number": (scalar, 0.7),
    "named tuple": (lambda p: np.sum(p.a**3) * p.b, Beta(np.array([1.0, 2.0]), 3.0)),
}


@functools.cache
def made(name: str) -> Objective:
    f, x0, *args = OBJECTIVES[name]
    return Objective(f, x0, tuple(args))


def points(name: str) -> list[np.ndarray]:
    objective = made(name)
    start = objective.structure.flatten(OBJECTIVES[name][1])
    return [start, start + 0.1 * np.random.default_rng(len(name)).normal(size=start.size)]


def close(found: Any, expected: Any, error: Any, tolerance: float) -> None:
    """`found` must be within 10 errors of the differences, and these must be good enough to tell."""
    size = np.max(np.abs(expected)) + 1e-10
    assert np.all(np.isfinite(found)) and np.shape(found) == np.shape(expected)
    assert np.all(error < 1e-4 * size), "differences too rough to tell"
    assert np.all(np.abs(found - expected) <= 10 * error + tolerance * size), f"{found} against {expected}"
