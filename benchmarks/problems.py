"""The benchmark problems: each as a user writes it in plain NumPy, and as a competent person differentiates it by hand.

A problem is one frozen row of PROBLEMS. `peers.py` runs the same text under other tools, `run.py` measures. SciPy is
imported where it is used: a fresh process under another tool must not pay for it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np


@dataclass(frozen=True)
class Problem:
    """An objective and its derivatives by hand.

    Parameters
    ----------
    name : str
        With the size in it.
    objective : callable
        (x, *data) -> float, of a flat vector; what autoopt and the peers differentiate.
    start : callable
        (rng, *size) -> (x0, data).
    size, small : tuple of int
        To measure with, and to test with.
    value_and_grad : callable
        (x, *data) -> (float, ndarray (n,)).
    linearise : callable, optional
        (x, *data) -> function p -> H(x) @ p; what does not depend on p is computed once.
    hess : callable, optional
        (x, *data) -> ndarray (n, n).
    """

    name: str
    objective: Callable
    start: Callable
    size: tuple[int, ...]
    small: tuple[int, ...]
    value_and_grad: Callable
    linearise: Callable | None = None
    hess: Callable | None = None


# Trivial: what a call costs beside the arithmetic.


def trivial(x):
    return np.sum(x * x)


def trivial_start(rng, size):
    return rng.normal(size=size), ()


def trivial_value_and_grad(x):
    return x @ x, 2 * x


# Rosenbrock, as arrays and as a loop.


def rosenbrock(x):
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def rosenbrock_loop(x):
    total = 0.0
    for i in range(len(x) - 1):
        total += 100 * (x[i + 1] - x[i] ** 2) ** 2 + (1 - x[i]) ** 2
    return total


def rosenbrock_start(rng, size):
    return rng.uniform(-1, 1, size), ()


def rosenbrock_value_and_grad(x):
    head, valley = x[:-1], x[1:] - x[:-1] ** 2
    gradient = np.zeros_like(x)
    gradient[1:] = 200 * valley
    gradient[:-1] -= 400 * head * valley + 2 * (1 - head)
    return 100 * valley @ valley + (1 - head) @ (1 - head), gradient


def rosenbrock_bands(x):
    """Return the diagonal (n,) and the first off-diagonal (n - 1,) of the Hessian."""
    diagonal = np.zeros_like(x)
    diagonal[1:] = 200
    diagonal[:-1] += 1200 * x[:-1] ** 2 - 400 * x[1:] + 2
    return diagonal, -400 * x[:-1]


def rosenbrock_linearise(x):
    diagonal, beside = rosenbrock_bands(x)

    def product(p):
        image = diagonal * p
        image[1:] += beside * p[:-1]
        image[:-1] += beside * p[1:]
        return image

    return product


def rosenbrock_hess(x):
    diagonal, beside = rosenbrock_bands(x)
    hessian = np.zeros((len(x), len(x)))
    np.fill_diagonal(hessian, diagonal)
    np.fill_diagonal(hessian[1:], beside)
    np.fill_diagonal(hessian[:, 1:], beside)
    return hessian


# Logistic regression.


def logistic(x, X, y):
    eta = X @ x
    return np.sum(np.logaddexp(0, eta) - y * eta)


def logistic_start(rng, rows, columns):
    X = rng.normal(size=(rows, columns))
    y = (rng.logistic(size=rows) < X @ rng.normal(size=columns) / np.sqrt(columns)).astype(float)
    return np.zeros(columns), (X, y)


def logistic_value_and_grad(x, X, y):
    # One exponential serves both; a third faster than np.logaddexp and scipy.special.expit.
    eta = X @ x
    e = np.exp(-np.abs(eta))
    p = np.where(eta >= 0, 1.0, e) / (1 + e)
    return np.sum(np.log1p(e)) + np.sum(np.maximum(eta, 0)) - y @ eta, X.T @ (p - y)


def logistic_linearise(x, X, y):
    from scipy.special import expit

    p = expit(X @ x)
    return _weighted(X, p * (1 - p))


def logistic_hess(x, X, y):
    from scipy.special import expit

    p = expit(X @ x)
    return X.T @ ((p * (1 - p))[:, np.newaxis] * X)


# Poisson regression with exposure.


def poisson(x, X, y, exposure):
    eta = X @ x
    return np.sum(exposure * np.exp(eta) - y * eta)


def poisson_start(rng, rows, columns):
    X = rng.normal(size=(rows, columns))
    exposure = rng.uniform(0.5, 2, rows)
    y = rng.poisson(exposure * np.exp(X @ rng.normal(size=columns) / (2 * np.sqrt(columns)))).astype(float)
    return np.zeros(columns), (X, y, exposure)


def poisson_value_and_grad(x, X, y, exposure):
    eta = X @ x
    mean = exposure * np.exp(eta)
    return np.sum(mean) - y @ eta, X.T @ (mean - y)


def poisson_linearise(x, X, y, exposure):
    return _weighted(X, exposure * np.exp(X @ x))


def poisson_hess(x, X, y, exposure):
    return X.T @ ((exposure * np.exp(X @ x))[:, np.newaxis] * X)


def _weighted(X, weights):
    """Return p -> X' (weights * (X p)), without forming X' diag(weights) X."""
    return lambda p: X.T @ (weights * (X @ p))


# Softmax regression with a ridge, which identifies it. Labels are column numbers.


def softmax(x, X, labels, classes):
    eta = X @ x.reshape(X.shape[1], classes)
    eta = eta - np.max(eta, axis=1, keepdims=True)
    log_p = eta[np.arange(len(labels)), labels] - np.log(np.sum(np.exp(eta), axis=1))
    return -np.sum(log_p) + 0.5 * np.sum(x**2)


def softmax_start(rng, rows, columns, classes):
    X = rng.normal(size=(rows, columns))
    eta = X @ rng.normal(size=(columns, classes)) / np.sqrt(columns)
    return np.zeros(columns * classes), (X, np.argmax(eta + rng.gumbel(size=eta.shape), axis=1), classes)


def softmax_value_and_grad(x, X, labels, classes):
    eta = X @ x.reshape(-1, classes)
    rows = np.arange(len(labels))
    largest = eta.max(axis=1, keepdims=True)
    p = np.exp(eta - largest)
    total = p.sum(axis=1, keepdims=True)
    value = np.sum(np.log(total)) + np.sum(largest) - np.sum(eta[rows, labels]) + 0.5 * x @ x
    p /= total
    p[rows, labels] -= 1
    return value, (X.T @ p).ravel() + x


def softmax_linearise(x, X, labels, classes):
    from scipy.special import softmax

    p = softmax(X @ x.reshape(-1, classes), axis=1)

    def product(direction):
        weighted = p * (X @ direction.reshape(-1, classes))
        return (X.T @ (weighted - p * weighted.sum(axis=1, keepdims=True))).ravel() + direction

    return product


def softmax_hess(x, X, labels, classes):
    from scipy.special import softmax

    p = softmax(X @ x.reshape(-1, classes), axis=1)
    blocks = np.empty((X.shape[1], classes, X.shape[1], classes))
    for j in range(classes):
        for k in range(j + 1):
            weights = p[:, j] * ((j == k) - p[:, k])
            blocks[:, j, :, k] = X.T @ (weights[:, np.newaxis] * X)
            blocks[:, k, :, j] = blocks[:, j, :, k].T
    return blocks.reshape(x.size, x.size) + np.eye(x.size)


# A network with two hidden layers; a ridge keeps its Hessian off zero.


def layers(x, sizes):
    """Return the weights and biases that the flat x holds."""
    arrays, first = [], 0
    for inputs, outputs in pairwise(sizes):
        last = first + inputs * outputs
        arrays += [x[first:last].reshape(inputs, outputs), x[last : last + outputs]]
        first = last + outputs
    return arrays


def network(x, X, y, sizes):
    W1, b1, W2, b2, W3, b3 = layers(x, sizes)
    hidden = np.tanh(np.tanh(X @ W1 + b1) @ W2 + b2)
    error = (hidden @ W3 + b3)[:, 0] - y
    return 0.5 * np.mean(error**2) + 0.5e-4 * np.sum(x**2)


def network_start(rng, rows, *sizes):
    X = rng.normal(size=(rows, sizes[0]))
    y = np.sin(X[:, 0]) * X[:, 1] + 0.1 * rng.normal(size=rows)
    flat = [array for i, o in pairwise(sizes) for array in (rng.normal(size=i * o) / np.sqrt(i), np.zeros(o))]
    return np.concatenate(flat), (X, y, sizes)


def network_value_and_grad(x, X, y, sizes):
    W1, b1, W2, b2, W3, b3 = layers(x, sizes)
    first = np.tanh(X @ W1 + b1)
    second = np.tanh(first @ W2 + b2)
    error = (second @ W3 + b3)[:, 0] - y
    at_output = error[:, np.newaxis] / len(y)
    at_second = (at_output @ W3.T) * (1 - second**2)
    at_first = (at_second @ W2.T) * (1 - first**2)
    backwards = [(X, at_first), (first, at_second), (second, at_output)]
    parts = [part for inputs, slopes in backwards for part in ((inputs.T @ slopes).ravel(), slopes.sum(axis=0))]
    return 0.5 * error @ error / len(y) + 0.5e-4 * x @ x, np.concatenate(parts) + 1e-4 * x


# Marginal likelihood of a Gaussian process with a squared-exponential kernel: x holds logarithms of length, amplitude
# and noise.


def gaussian_process(x, squared_distances, y):
    length, amplitude, noise = np.exp(x[0]), np.exp(x[1]), np.exp(x[2])
    K = amplitude**2 * np.exp(-0.5 * squared_distances / length**2) + noise**2 * np.eye(len(y))
    L = np.linalg.cholesky(K)
    return 0.5 * y @ np.linalg.solve(K, y) + np.sum(np.log(np.diag(L))) + 0.5 * len(y) * np.log(2 * np.pi)


def gaussian_process_start(rng, rows):
    X = rng.uniform(-3, 3, size=(rows, 2))
    squared_distances = np.sum((X[:, np.newaxis] - X) ** 2, axis=2)
    return np.array([0.1, 0.2, -1.0]), (squared_distances, np.sin(X[:, 0]) + X[:, 1] + 0.2 * rng.normal(size=rows))


def gaussian_process_value_and_grad(x, squared_distances, y):
    from scipy import linalg

    length, amplitude, noise = np.exp(x)
    smooth = amplitude**2 * np.exp(-0.5 / length**2 * squared_distances)
    K = smooth + noise**2 * np.eye(len(y))
    factor = linalg.cho_factor(K, lower=True)
    alpha = linalg.cho_solve(factor, y)
    value = 0.5 * y @ alpha + np.sum(np.log(np.diag(factor[0]))) + 0.5 * len(y) * np.log(2 * np.pi)
    slopes = 0.5 * (linalg.cho_solve(factor, np.eye(len(y))) - np.outer(alpha, alpha))  # by the entries of K
    by_smooth = slopes * smooth
    by_length = np.sum(by_smooth * squared_distances) / length**2
    return value, np.array([by_length, 2 * np.sum(by_smooth), 2 * noise**2 * np.trace(slopes)])


def _rows() -> list[Problem]:
    """Return the problems in the order of the report."""
    valley = Problem(
        "rosenbrock-10",
        rosenbrock,
        rosenbrock_start,
        (10,),
        (5,),
        rosenbrock_value_and_grad,
        rosenbrock_linearise,
        rosenbrock_hess,
    )
    logit = Problem(
        "logistic-10000x50",
        logistic,
        logistic_start,
        (10_000, 50),
        (30, 3),
        logistic_value_and_grad,
        logistic_linearise,
        logistic_hess,
    )
    return [
        Problem("trivial", trivial, trivial_start, (10,), (4,), trivial_value_and_grad),
        valley,
        replace(valley, name="rosenbrock-1000", size=(1000,)),
        replace(valley, name="rosenbrock-loop-1000", objective=rosenbrock_loop, size=(1000,)),
        logit,
        replace(logit, name="logistic-1000000x50", size=(1_000_000, 50)),
        Problem(
            "poisson-10000x20",
            poisson,
            poisson_start,
            (10_000, 20),
            (30, 3),
            poisson_value_and_grad,
            poisson_linearise,
            poisson_hess,
        ),
        Problem(
            "softmax-5000x20x10",
            softmax,
            softmax_start,
            (5000, 20, 10),
            (30, 3, 4),
            softmax_value_and_grad,
            softmax_linearise,
            softmax_hess,
        ),
        Problem(
            "network-2000x10-32-16-1",
            network,
            network_start,
            (2000, 10, 32, 16, 1),
            (20, 3, 4, 2, 1),
            network_value_and_grad,
        ),
        Problem(
            "gaussian-process-300",
            gaussian_process,
            gaussian_process_start,
            (300,),
            (12,),
            gaussian_process_value_and_grad,
        ),
    ]


PROBLEMS = {problem.name: problem for problem in _rows()}
