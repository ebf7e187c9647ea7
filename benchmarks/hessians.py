"""Objectives whose dense Hessian somebody has written by hand who knows its structure.

Each as a user writes it in plain NumPy, with its data and its Hessian; `hessian_models.py` has those that no limit is
stated for. `hessian_tables.py` measures, `tests/test_hessian_benchmarks.py` compares every Hessian with differences.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import linalg, sparse, special

from benchmarks import problems

SEED = 20240601
ROWS = 1024
"""Rows of a block of weighted data: one of 50 columns stays in the second cache."""


@dataclass(frozen=True)
class Case:
    """An objective and its Hessian by hand.

    Parameters
    ----------
    name : str
        With the size in it.
    f : callable
        (x, *data) -> float, of a flat vector.
    start : callable
        (rng, *size) -> (x0, data).
    size, small : tuple of int
        To measure with, and to test with.
    hess : callable
        (x, *data) -> ndarray (n, n), or csr_array.
    peer : callable, optional
        (jnp, x, *data) -> scalar, the objective as it is written for JAX; `f` itself with its modules replaced if not
        given.
    most : float, optional
        Times the Hessian by hand that are allowed; None where no limit is stated.
    jax : bool
        Whether JAX is asked, which has dense Hessians only.
    """

    name: str
    f: Callable
    start: Callable
    size: tuple[int, ...]
    small: tuple[int, ...]
    hess: Callable
    peer: Callable | None = None
    most: float | None = None
    jax: bool = True

    def point(self, small: bool = False) -> tuple[np.ndarray, tuple[Any, ...]]:
        """Return a point near the start at which nothing is special, and the data."""
        x0, data = self.start(np.random.default_rng(SEED), *(self.small if small else self.size))
        return x0 + 0.1 * np.random.default_rng(SEED + 1).normal(size=x0.size), data


def weighted(X: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return X' diag(weights) X for weights >= 0: rows in blocks, one half of each product by BLAS."""
    roots = np.sqrt(weights)
    product = np.zeros((X.shape[1], X.shape[1]))
    for first in range(0, len(X), ROWS):
        block = roots[first : first + ROWS, np.newaxis] * X[first : first + ROWS]
        product += block.T @ block
    return product


def mirror(H: np.ndarray) -> np.ndarray:
    """Copy the lower half into the upper one, in place."""
    upper = np.triu_indices(len(H), 1)
    H[upper] = H.T[upper]
    return H


# Logistic regression.


def logistic_hess(x, X, y):
    p = special.expit(X @ x)
    return weighted(X, p * (1 - p))


# Softmax regression: minus the products of all pairs of classes, and one block more for each class.


def softmax_hess(x, X, labels, classes):
    p = special.softmax(X @ x.reshape(-1, classes), axis=1)
    columns = X.shape[1]
    H = np.zeros((x.size, x.size))
    for first in range(0, len(X), ROWS // 2):
        rows = slice(first, first + ROWS // 2)
        scaled = (X[rows, :, np.newaxis] * p[rows, np.newaxis, :]).reshape(-1, x.size)
        H -= scaled.T @ scaled
    for k in range(classes):
        H.reshape(columns, classes, columns, classes)[:, k, :, k] += weighted(X, p[:, k])
    H[np.diag_indices(x.size)] += 1
    return H


# A network of two hidden layers of tanh: the Jacobian of its output times itself, and the curvature of the output.


def network_hess(x, X, y, sizes):
    W1, b1, W2, b2, W3, b3 = problems.layers(x, sizes)
    n = len(y)
    first = np.tanh(X @ W1 + b1)
    second = np.tanh(first @ W2 + b2)
    error = (second @ W3 + b3)[:, 0] - y
    slope1, slope2 = 1 - first**2, 1 - second**2
    inputs = np.column_stack([X, np.ones(n)])
    hidden = np.column_stack([first, np.ones(n)])
    by2 = W3[:, 0] * slope2  # of the output, by what enters the second layer
    by1 = (by2 @ W2.T) * slope1
    J3 = np.column_stack([second, np.ones(n)])
    J2 = (hidden[:, :, np.newaxis] * by2[:, np.newaxis]).reshape(n, -1)
    J1 = (inputs[:, :, np.newaxis] * by1[:, np.newaxis]).reshape(n, -1)
    J = np.concatenate([J1, J2, J3], axis=1)
    H = J.T @ J
    end1, end2 = J1.shape[1], J1.shape[1] + J2.shape[1]
    (i, a), (h, b) = (inputs.shape[1], first.shape[1]), (hidden.shape[1], second.shape[1])
    bend2 = error[:, np.newaxis] * W3[:, 0] * (-2 * second * slope2)
    # Layers 1 and 1.
    pairs = ((bend2 @ (W2[:, np.newaxis] * W2).reshape(a * a, b).T).reshape(n, a, a)) * (
        slope1[:, :, np.newaxis] * slope1[:, np.newaxis]
    )
    pairs[:, np.arange(a), np.arange(a)] += error[:, np.newaxis] * (by2 @ W2.T) * (-2 * first * slope1)
    squares = (inputs[:, :, np.newaxis] * inputs[:, np.newaxis]).reshape(n, i * i)
    H[:end1, :end1].reshape(i, a, i, a)[:] += (squares.T @ pairs.reshape(n, a * a)).reshape(i, i, a, a).swapaxes(1, 2)
    # Layers 2 and 1.
    bent = (hidden[:, :, np.newaxis] * bend2[:, np.newaxis]).reshape(n, h * b)
    entered = (inputs[:, :, np.newaxis] * slope1[:, np.newaxis]).reshape(n, i * a)
    block = H[end1:end2, :end1].reshape(h, b, i, a)
    block += (bent.T @ entered).reshape(h, b, i, a) * W2.T[:, np.newaxis]
    direct = ((error[:, np.newaxis] * by2).T @ entered).reshape(b, i, a)
    for k in range(a):
        block[k, :, :, k] += direct[:, :, k]
    # Layers 2 and 2, where a unit of the second layer meets itself.
    for k in range(b):
        H[end1:end2, end1:end2].reshape(h, b, h, b)[:, k, :, k] += hidden.T @ (bend2[:, k, np.newaxis] * hidden)
    # Layers 3 and 2, 3 and 1.
    turned = error[:, np.newaxis] * slope2
    block = H[end2:-1, end1:end2].reshape(b, h, b)
    block[np.arange(b), :, np.arange(b)] += turned.T @ hidden
    H[end2:-1, :end1].reshape(b, i, a)[:] += (turned.T @ entered).reshape(b, i, a) * W2.T[:, np.newaxis]
    H /= n
    H[np.diag_indices(x.size)] += 1e-4
    return mirror(H)


# Gaussian graphical model: the precision matrix by its upper triangle.


def graphical(x, S):
    d = len(S)
    Theta = np.zeros((d, d))
    Theta[np.triu_indices(d)] = x
    Theta = Theta + np.triu(Theta, 1).T
    return np.sum(S * Theta) - np.linalg.slogdet(Theta)[1]


def graphical_jax(jnp, x, S):
    d = len(S)
    Theta = jnp.zeros((d, d)).at[np.triu_indices(d)].set(x)
    Theta = Theta + jnp.triu(Theta, 1).T
    return jnp.sum(S * Theta) - jnp.linalg.slogdet(Theta)[1]


def graphical_start(rng, d):
    Z = rng.normal(size=(20 * d, d))
    return (4 * np.eye(d))[np.triu_indices(d)], (Z.T @ Z / len(Z),)


def graphical_hess(x, S):
    d = len(S)
    rows, columns = np.triu_indices(d)
    Theta = np.zeros((d, d))
    Theta[rows, columns] = Theta[columns, rows] = x
    W = linalg.inv(Theta)
    twice = np.where(rows == columns, 1.0, 2.0)
    first, second = W[:, rows], 0.5 * twice * W[:, columns]
    H = np.empty((x.size, x.size))
    start = 0
    for i in range(d):  # the entries (i, i), ..., (i, d - 1) of Theta
        block = H[start : start + d - i]
        np.multiply(second[i:], first[i], out=block)
        block += first[i:] * second[i]
        block[1:] *= 2
        start += d - i
    return H


# Matrix factorisation, all entries observed.


def factorisation(x, Y, rank):
    U, V = x[: len(Y) * rank].reshape(-1, rank), x[len(Y) * rank :].reshape(-1, rank)
    return 0.5 * np.sum((U @ V.T - Y) ** 2)


def factorisation_start(rng, rows, columns, rank):
    Y = rng.normal(size=(rows, rank)) @ rng.normal(size=(rank, columns)) + 0.1 * rng.normal(size=(rows, columns))
    return rng.normal(size=(rows + columns) * rank), (Y, rank)


def factorisation_hess(x, Y, rank):
    (m, n), end = Y.shape, len(Y) * rank
    U, V = x[:end].reshape(m, rank), x[end:].reshape(n, rank)
    error = U @ V.T - Y
    H = np.zeros((x.size, x.size))
    np.einsum("iaib->iab", H[:end, :end].reshape(m, rank, m, rank))[:] = V.T @ V
    np.einsum("jajb->jab", H[end:, end:].reshape(n, rank, n, rank))[:] = U.T @ U
    across = H[:end, end:].reshape(m, rank, n, rank)
    np.multiply(U[:, np.newaxis, np.newaxis], V.T[:, :, np.newaxis], out=across)
    np.einsum("iaja->ija", across)[:] += error[:, :, np.newaxis]
    H[end:, :end] = H[:end, end:].T
    return H


# Mixture of Gaussians in one dimension: logits, means, logarithms of the scales.


def mixture(x, y):
    logits, means, scales = np.split(x, 3)
    log_weights = logits - special.logsumexp(logits)
    z = (y[:, np.newaxis] - means) / np.exp(scales)
    joint = log_weights - scales - 0.5 * z**2 - 0.5 * np.log(2 * np.pi)
    return -np.sum(special.logsumexp(joint, axis=1))


def mixture_start(rng, rows, components):
    means = 3.0 * np.arange(components)
    y = rng.normal(means[rng.integers(components, size=rows)], 1.0)
    return np.concatenate([np.zeros(components), means, np.zeros(components)]), (y,)


def mixture_hess(x, y):
    logits, means, scales = x.reshape(3, -1, 1)
    k = len(means)
    s = np.exp(scales)
    z = (y - means) / s
    square = z * z
    r = special.softmax(logits - scales - 0.5 * square, axis=0)
    B = np.concatenate([r, r * z, r * square])
    m0, m1, m2 = B.sum(axis=1).reshape(3, k)
    m3, m4 = (np.einsum("kn,kn->k", B[j * k : (j + 1) * k], square) for j in (1, 2))
    s = s[:, 0]
    T = np.zeros((3 * k, 3 * k))  # from r, r z, r z^2 to r times the slopes of each component
    each, second, third = np.arange(k), np.arange(k, 2 * k), np.arange(2 * k, 3 * k)
    T[each, each] = T[third, third] = 1
    T[second, second] = 1 / s
    T[each, third] = -1
    H = T.T @ (B @ B.T) @ T
    w = special.softmax(x[:k])
    H[:k, :k] -= len(y) * np.outer(w, w)
    H[each, each] += len(y) * w - m0
    for rows, columns, sums in (
        (each, second, m1 / s),
        (each, third, m2 - m0),
        (second, third, (m3 - 3 * m1) / s),
    ):
        H[rows, columns] -= sums
        H[columns, rows] -= sums
    H[second, second] -= (m2 - m0) / s**2
    H[third, third] -= m4 - 4 * m2 + m0
    return H


# Cox's partial likelihood, rows from the latest time to the earliest, no ties.


def cox(x, X, event):
    eta = X @ x
    return -np.sum(event * (eta - np.log(np.cumsum(np.exp(eta)))))


def cox_start(rng, rows, columns):
    X = rng.normal(size=(rows, columns))
    time = rng.exponential(np.exp(-X @ rng.normal(size=columns) / columns))
    return np.zeros(columns), (X[np.argsort(-time)], (rng.uniform(size=rows) < 0.7).astype(float))


def cox_hess(x, X, event):
    risk = np.exp(X @ x)
    total = np.cumsum(risk)
    scaled = risk[:, np.newaxis] * X
    later = np.cumsum((event / total)[::-1])[::-1]
    mean = np.cumsum(scaled, axis=0) * (np.sqrt(event) / total)[:, np.newaxis]
    return (later[:, np.newaxis] * scaled).T @ X - mean.T @ mean


# Gaussian process: logarithms of length, amplitude and noise.


def gaussian_process(x, squared_distances, y):
    length, amplitude, noise = np.exp(x[0]), np.exp(x[1]), np.exp(x[2])
    K = amplitude**2 * np.exp(-0.5 * squared_distances / length**2) + noise**2 * np.eye(len(y))
    L = np.linalg.cholesky(K)
    z = linalg.solve_triangular(L, y, lower=True)
    return 0.5 * z @ z + np.sum(np.log(np.diag(L))) + 0.5 * len(y) * np.log(2 * np.pi)


def gaussian_process_hess(x, squared_distances, y):
    length, amplitude, noise = np.exp(x)
    n = len(y)
    D = squared_distances / length**2
    smooth = amplitude**2 * np.exp(-0.5 * D)
    bent = smooth * D  # by the logarithm of the length
    K = smooth.copy()
    K[np.diag_indices(n)] += noise**2
    factor = linalg.cho_factor(K, lower=True, overwrite_a=True, check_finite=False)
    inverse = linalg.cho_solve(factor, np.eye(n), overwrite_b=True, check_finite=False)
    alpha = inverse @ y
    A = inverse @ bent
    v = np.column_stack([bent @ alpha, 2 * smooth @ alpha, 2 * noise**2 * alpha])
    trace = np.trace(inverse)
    at_length, square = np.trace(A), np.sum(inverse * inverse)
    mixed = np.sum(inverse * A.T)
    # the derivatives of K by amplitude and noise are 2 (K - noise^2) and 2 noise^2, so that those products are known
    pairs = np.empty((3, 3))
    pairs[0, 0] = np.sum(A * A.T)
    pairs[0, 1] = pairs[1, 0] = 2 * (at_length - noise**2 * mixed)
    pairs[0, 2] = pairs[2, 0] = 2 * noise**2 * mixed
    pairs[1, 1] = 4 * (n - 2 * noise**2 * trace + noise**4 * square)
    pairs[1, 2] = pairs[2, 1] = 4 * noise**2 * (trace - noise**2 * square)
    pairs[2, 2] = 4 * noise**4 * square
    twice = smooth * D * (D - 2)
    H = v.T @ inverse @ v - 0.5 * pairs
    H[0, 0] += 0.5 * (np.sum(inverse * twice) - alpha @ (twice @ alpha))
    H[0, 1] += at_length - alpha @ v[:, 0]
    H[1, 0] = H[0, 1]
    H[1, 1] += 2 * (n - noise**2 * trace) - alpha @ v[:, 1]
    H[2, 2] += 2 * noise**2 * (trace - alpha @ alpha)
    return H


# A quadratic form.


def quadratic(x, A):
    return x @ (A @ x)


def quadratic_start(rng, n):
    return rng.normal(size=n), (rng.normal(size=(n, n)) / np.sqrt(n),)


def quadratic_hess(x, A):
    return A + A.T


# Broyden's banded function: its Hessian has 13 bands.


def broyden(x):
    n = len(x)
    squares = np.concatenate([np.zeros(5), x * (1 + x), np.zeros(1)])
    beside = sum(squares[k : k + n] for k in (0, 1, 2, 3, 4, 6))
    return np.sum((x * (2 + 5 * x**2) + 1 - beside) ** 2)


def broyden_start(rng, n):
    return -np.ones(n), ()


def broyden_hess(x):
    n = len(x)
    padded = np.concatenate([np.zeros(5), x * (1 + x), np.zeros(1)])
    F = x * (2 + 5 * x**2) + 1 - (np.convolve(padded, np.ones(7), "valid") - padded[5 : 5 + n])
    slope = -(1 + 2 * x)
    J = np.zeros((7, n + 12))  # J[o + 5, i + 6] is the derivative of F[i] by x[i + o]
    for o in range(-5, 2):
        first, last = max(0, -o), min(n, n - o)
        J[o + 5, 6 + first : 6 + last] = slope[first + o : last + o] if o else 2 + 15 * x**2
    bands = np.zeros((13, n))
    for q in range(7):
        band = np.zeros(n)
        for o in range(-5, 2 - q):  # column i + o and column i + o + q of row i
            band += J[o + 5, 6 - o : 6 - o + n] * J[o + q + 5, 6 - o : 6 - o + n]
        bands[6 + q, q:] = 2 * band[: n - q]
        bands[6 - q, : n - q] = 2 * band[: n - q]
    rows = np.concatenate([np.zeros(1), F, np.zeros(5)])
    bands[6] += 60 * x * F - 4 * (np.convolve(rows, np.ones(7), "valid") - F)
    return sparse.dia_array((bands, np.arange(-6, 7)), shape=(n, n)).tocsr()


def _cases() -> list[Case]:
    """Return the cases in the order of the report."""
    logit = problems.logistic, problems.logistic_start
    soft = problems.softmax, problems.softmax_start
    net = problems.network, problems.network_start
    return [
        Case("logistic-10000x50", *logit, (10_000, 50), (30, 3), logistic_hess, most=1.3),
        Case("logistic-1000000x50", *logit, (1_000_000, 50), (40, 4), logistic_hess, most=1.3),
        Case("logistic-2000x1000", *logit, (2000, 1000), (20, 5), logistic_hess),
        Case("softmax-5000x50x10", *soft, (5000, 50, 10), (30, 3, 4), softmax_hess, most=1.3),
        Case("network-10-20-20-1", *net, (1000, 10, 20, 20, 1), (20, 3, 4, 2, 1), network_hess, most=1.3),
        Case("network-20-36-28-1", *net, (1000, 20, 36, 28, 1), (20, 2, 3, 4, 1), network_hess, most=1.3),
        Case("graphical-50", graphical, graphical_start, (50,), (4,), graphical_hess, graphical_jax, most=1.3),
        Case(
            "factorisation-100x100x5",
            factorisation,
            factorisation_start,
            (100, 100, 5),
            (4, 3, 2),
            factorisation_hess,
            most=1.3,
        ),
        Case("mixture-10000x5", mixture, mixture_start, (10_000, 5), (40, 3), mixture_hess, most=1.3),
        Case("cox-2000x20", cox, cox_start, (2000, 20), (20, 3), cox_hess, most=1.3),
        Case(
            "gaussian-process-500",
            gaussian_process,
            problems.gaussian_process_start,
            (500,),
            (12,),
            gaussian_process_hess,
        ),
        Case("quadratic-1000", quadratic, quadratic_start, (1000,), (5,), quadratic_hess),
        Case(
            "rosenbrock-1000",
            problems.rosenbrock,
            problems.rosenbrock_start,
            (1000,),
            (6,),
            problems.rosenbrock_hess,
        ),
        Case(
            "rosenbrock-loop-1000",
            problems.rosenbrock_loop,
            problems.rosenbrock_start,
            (1000,),
            (6,),
            problems.rosenbrock_hess,
            jax=False,
        ),
        Case("broyden-10000", broyden, broyden_start, (10_000,), (16,), broyden_hess, jax=False),
    ]


CASES = {case.name: case for case in _cases()}
