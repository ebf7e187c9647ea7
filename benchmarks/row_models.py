"""Objectives that are sums over the rows of their data, with value and gradient as an expert writes them.

By hand is NumPy and SciPy on whole arrays, as the formulas stand; the best is the fastest that we know how to write,
with one exponential for several functions, arrays laid out for NumPy's reductions, or blocks. `row_tables.py` measures,
`tests/test_row_benchmarks.py` compares every derivative with slopes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from scipy import special

from benchmarks import hessian_models, hessians, problems, products

SEED = 20240601


@dataclass(frozen=True)
class RowModel:
    """An objective and its derivatives by hand.

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
    value_and_grad : callable
        (x, *data) -> (float, ndarray (n,)).
    hess : callable, optional
        (x, *data) -> ndarray (n, n).
    best : dict of str to callable
        What is faster than value_and_grad ("gradient") or hess ("hessian").
    most : dict of (str, int) to float
        Times by hand that are allowed, by what is measured and with how many threads.
    has_hessian : bool
        Whether there are so few parameters that anybody would have their dense Hessian.
    """

    name: str
    f: Callable
    start: Callable
    size: tuple[int, ...]
    small: tuple[int, ...]
    value_and_grad: Callable
    hess: Callable | None = None
    best: Mapping[str, Callable] = field(default_factory=dict)
    most: Mapping[tuple[str, int], float] = field(default_factory=dict)
    has_hessian: bool = True

    def point(self, small: bool = False) -> tuple[np.ndarray, tuple[Any, ...]]:
        """Return a point near the start at which nothing is special, and the data."""
        x0, data = self.start(np.random.default_rng(SEED), *(self.small if small else self.size))
        return x0 + 0.1 * np.random.default_rng(SEED + 1).normal(size=x0.size), data


# Logistic and Poisson regression.


def logistic(x, X, y):
    eta = X @ x
    return np.sum(np.logaddexp(0, eta)) - y @ eta


def logistic_by_row(x, X, y):
    total = 0.0
    for row, response in zip(X, y, strict=True):
        eta = row @ x
        total += np.log1p(np.exp(eta)) - response * eta
    return total


def logistic_value_and_grad(x, X, y):
    eta = X @ x
    return np.sum(np.logaddexp(0, eta)) - y @ eta, X.T @ (special.expit(eta) - y)


def logistic_hess(x, X, y):
    p = special.expit(X @ x)
    return (X * (p * (1 - p))[:, np.newaxis]).T @ X


def poisson_hess(x, X, y, exposure):
    return (X * (exposure * np.exp(X @ x))[:, np.newaxis]).T @ X


# Softmax regression, the classes along the first axis.


def softmax_best(x, X, labels, classes):
    eta = x.reshape(-1, classes).T @ X.T
    rows = np.arange(len(labels))
    largest = eta.max(axis=0)
    value = np.sum(largest) - np.sum(eta[labels, rows]) + 0.5 * x @ x
    eta -= largest
    p = np.exp(eta, out=eta)
    total = p.sum(axis=0)
    value += np.sum(np.log(total))
    p /= total
    p[labels, rows] -= 1
    return value, (p @ X).T.ravel() + x


# A network of one hidden layer, flat.


def network(x, X, y, hidden):
    end = X.shape[1] * hidden
    W, b, v = x[:end].reshape(-1, hidden), x[end : end + hidden], x[end + hidden : -1]
    error = np.tanh(X @ W + b) @ v + x[-1] - y
    return 0.5 * np.mean(error**2)


def network_start(rng, rows, columns, hidden):
    X = rng.normal(size=(rows, columns))
    y = np.sin(X[:, 0]) * X[:, 1] + 0.1 * rng.normal(size=rows)
    return rng.normal(size=(columns + 2) * hidden + 1) / np.sqrt(columns), (X, y, hidden)


def network_value_and_grad(x, X, y, hidden):
    end = X.shape[1] * hidden
    W, b, v = x[:end].reshape(-1, hidden), x[end : end + hidden], x[end + hidden : -1]
    layer = X @ W
    layer += b
    np.tanh(layer, out=layer)
    error = layer @ v + x[-1] - y
    slopes = error / len(y)
    by_v = layer.T @ slopes
    layer *= layer
    np.subtract(1.0, layer, out=layer)
    layer *= slopes[:, np.newaxis]
    layer *= v
    return 0.5 * error @ error / len(y), np.concatenate([(X.T @ layer).ravel(), layer.sum(0), by_v, [slopes.sum()]])


# A mixture of Gaussians.


def mixture_value_and_grad(x, y):
    logits, means, logs = x[:5], x[5:10], x[10:]
    shares = special.softmax(logits)
    inverse = np.exp(-logs)
    z = (y[:, np.newaxis] - means) * inverse
    p = np.log(shares) - logs - 0.5 * z**2
    top = p.max(axis=1, keepdims=True)
    np.exp(p - top, out=p)
    total = p.sum(axis=1, keepdims=True)
    value = -(np.sum(top) + np.sum(np.log(total)))
    p /= total
    counts = p.sum(axis=0)
    first = np.einsum("ij,ij->j", p, z)
    second = np.einsum("ij,ij,ij->j", p, z, z)
    return value, np.concatenate([len(y) * shares - counts, -first * inverse, counts - second])


def mixture_best(x, y):
    logits, means, logs = x[:5], x[5:10], x[10:]
    shares = special.softmax(logits)
    inverse = np.exp(-logs)
    z = (y - means[:, np.newaxis]) * inverse[:, np.newaxis]
    p = z * z
    p *= -0.5
    p += (np.log(shares) - logs)[:, np.newaxis]
    top = p.max(axis=0)
    p -= top
    np.exp(p, out=p)
    total = p.sum(axis=0)
    p /= total
    counts = p.sum(axis=1)
    p *= z
    first, second = p.sum(axis=1), np.einsum("ij,ij->i", p, z)
    value = -(np.sum(top) + np.sum(np.log(total)))
    return value, np.concatenate([len(y) * shares - counts, -first * inverse, counts - second])


# Ordinal probit.


def ordinal_value_and_grad(x, X, y, classes):
    columns = X.shape[1]
    steps = np.exp(x[columns + 1 :])
    cuts = np.concatenate([[-30.0], x[columns] + np.concatenate([[0.0], np.cumsum(steps)]), [30.0]])
    eta = X @ x[:columns]
    high, low = cuts[y + 1] - eta, cuts[y] - eta
    p = special.ndtr(high) - special.ndtr(low)
    above, below = (np.exp(-0.5 * side**2) / (np.sqrt(2 * np.pi) * p) for side in (high, low))
    by_cuts = np.bincount(y, below, minlength=classes)[1:] - np.bincount(y, above, minlength=classes)[:-1]
    later = np.cumsum(by_cuts[::-1])[::-1]
    return -np.sum(np.log(p)), np.concatenate([X.T @ (above - below), [later[0]], later[1:] * steps])


# Negative binomial regression.


def negative_binomial_value_and_grad(x, X, y, offset):
    r = np.exp(x[-1])
    eta = X @ x[:-1] + offset
    mu = np.exp(eta)
    total = r + mu
    logs = np.log(total)
    value = np.sum(special.gammaln(y + r) - special.gammaln(y + 1)) - len(y) * special.gammaln(r)
    value += len(y) * r * np.log(r) + y @ eta - (r + y) @ logs
    slope = special.digamma(y + r) - special.digamma(r) + np.log(r) + 1 - logs - (r + y) / total
    return -value, np.append(X.T @ (r * (mu - y) / total), -r * np.sum(slope))


# Least squares: with an intercept for each group, with weights, Huber's, and with the variance at its best.


def groups(x, X, y, group):
    intercepts, beta = x[: -X.shape[1]], x[-X.shape[1] :]
    return np.sum((y - intercepts[group] - X @ beta) ** 2) + np.sum(intercepts**2)


def groups_start(rng, rows, columns, count):
    X, group = rng.normal(size=(rows, columns)), rng.integers(0, count, rows)
    y = X @ rng.normal(size=columns) + rng.normal(size=count)[group] + rng.normal(size=rows)
    return np.zeros(count + columns), (X, y, group)


def groups_value_and_grad(x, X, y, group):
    intercepts, beta = x[: -X.shape[1]], x[-X.shape[1] :]
    r = y - intercepts[group] - X @ beta
    sums = np.bincount(group, r, minlength=len(intercepts))
    return r @ r + intercepts @ intercepts, np.concatenate([2 * intercepts - 2 * sums, -2 * (X.T @ r)])


def line_start(rng, rows, columns):
    X = rng.normal(size=(rows, columns))
    return np.zeros(columns), (X, X @ rng.normal(size=columns) + rng.standard_t(4, size=rows))


def weighted_start(rng, rows, columns):
    x0, data = line_start(rng, rows, columns)
    return x0, (*data, rng.uniform(0.5, 2, rows))


def weighted(x, X, y, weights):
    return 0.5 * np.sum(weights * (y - X @ x) ** 2)


def weighted_value_and_grad(x, X, y, weights):
    r = y - X @ x
    slopes = weights * r
    return 0.5 * slopes @ r, -(X.T @ slopes)


def weighted_hess(x, X, y, weights):
    return (X * weights[:, np.newaxis]).T @ X


def huber(x, X, y):
    r = y - X @ x
    size = np.abs(r)
    return np.sum(np.where(size < 1.345, 0.5 * r**2, 1.345 * size - 0.5 * 1.345**2))


def huber_value_and_grad(x, X, y):
    r = y - X @ x
    slopes = np.clip(r, -1.345, 1.345)
    return slopes @ r - 0.5 * slopes @ slopes, -(X.T @ slopes)


def concentrated(x, X, y):
    return 0.5 * len(y) * np.log(np.mean((y - X @ x) ** 2))


def concentrated_value_and_grad(x, X, y):
    r = y - X @ x
    total = r @ r
    return 0.5 * len(y) * np.log(total / len(y)), -(len(y) / total) * (X.T @ r)


# Probit and tobit.


def probit(x, X, y):
    return -np.sum(special.log_ndtr((2 * y - 1) * (X @ x)))


def probit_value_and_grad(x, X, y):
    signs = 2 * y - 1
    z = signs * (X @ x)
    logs = special.log_ndtr(z)
    return -np.sum(logs), -(X.T @ (signs * np.exp(-0.5 * z**2 - logs) / np.sqrt(2 * np.pi)))


def tobit(x, X, y):
    beta, log_scale = x[:-1], x[-1]
    z = (y - X @ beta) / np.exp(log_scale)
    seen = -0.5 * z**2 - log_scale - 0.5 * np.log(2 * np.pi)
    return -np.sum(np.where(y > 0, seen, special.log_ndtr(z)))


def tobit_start(rng, rows, columns):
    x0, (X, latent) = line_start(rng, rows, columns)
    return np.append(x0, 0.0), (X, np.maximum(latent, 0.0))


def tobit_value_and_grad(x, X, y):
    scale = np.exp(x[-1])
    z = (y - X @ x[:-1]) / scale
    seen = y > 0
    slopes = np.empty_like(z)  # of minus the logarithm of the density, by z
    z_seen, z_below = z[seen], z[~seen]
    logs = special.log_ndtr(z_below)
    slopes[seen] = z_seen
    slopes[~seen] = -np.exp(-0.5 * z_below**2 - logs) / np.sqrt(2 * np.pi)
    value = 0.5 * z_seen @ z_seen + len(z_seen) * (x[-1] + 0.5 * np.log(2 * np.pi)) - np.sum(logs)
    return value, np.append(X.T @ slopes / -scale, len(z_seen) - slopes @ z)


def _limited() -> list[RowModel]:
    """Return the models for which limits are stated."""
    return [
        RowModel(
            "logistic-1000000x50",
            logistic,
            problems.logistic_start,
            (1_000_000, 50),
            (40, 3),
            logistic_value_and_grad,
            logistic_hess,
            {"gradient": problems.logistic_value_and_grad, "hessian": hessians.logistic_hess},
            {("gradient", 1): 0.6, ("gradient", 2): 0.4, ("hessian", 1): 0.5},
        ),
        RowModel(
            "poisson-100000x30",
            problems.poisson,
            problems.poisson_start,
            (100_000, 30),
            (40, 3),
            problems.poisson_value_and_grad,
            poisson_hess,
            {"hessian": hessian_models.poisson_hess},
            {("gradient", 1): 0.7},
        ),
        RowModel(
            "softmax-5000x50x10",
            problems.softmax,
            problems.softmax_start,
            (5000, 50, 10),
            (40, 3, 4),
            problems.softmax_value_and_grad,
            best={"gradient": softmax_best},
            most={("gradient", 1): 0.7},
        ),
        RowModel(
            "network-20000x20x16",
            network,
            network_start,
            (20_000, 20, 16),
            (40, 3, 4),
            network_value_and_grad,
            most={("gradient", 1): 0.8},
        ),
        RowModel(
            "mixture-100000-5",
            products.mixture,
            products.mixture_start,
            (100_000,),
            (60,),
            mixture_value_and_grad,
            best={"gradient": mixture_best},
            most={("gradient", 1): 0.8},
        ),
    ]


def _others(logit: RowModel) -> list[RowModel]:
    """Return the models that must not be slower than they would be as whole arrays."""
    logit, line = replace(logit, most={}), ((200_000, 20), (40, 3))
    return [
        replace(logit, name="logistic-50x10", size=(50, 10)),
        replace(logit, name="logistic-500x10", size=(500, 10)),
        replace(logit, name="logistic-5000x10", size=(5000, 10)),
        replace(logit, name="logistic-loop-20000x5", f=logistic_by_row, size=(20_000, 5)),
        RowModel(
            "ordinal-100000x10",
            hessian_models.ordinal,
            hessian_models.ordinal_start,
            (100_000, 10, 5),
            (60, 3, 4),
            ordinal_value_and_grad,
            hessian_models.ordinal_hess,
        ),
        RowModel(
            "negative-binomial-100000x10",
            hessian_models.negative_binomial,
            hessian_models.negative_binomial_start,
            (100_000, 10),
            (60, 3),
            negative_binomial_value_and_grad,
            hessian_models.negative_binomial_hess,
        ),
        RowModel(
            "groups-200000x5-1000",
            groups,
            groups_start,
            (200_000, 5, 1000),
            (60, 3, 7),
            groups_value_and_grad,
            has_hessian=False,
        ),
        RowModel("weighted-200000x20", weighted, weighted_start, *line, weighted_value_and_grad, weighted_hess),
        RowModel("huber-200000x20", huber, line_start, *line, huber_value_and_grad),
        RowModel("concentrated-200000x20", concentrated, line_start, *line, concentrated_value_and_grad),
        RowModel("probit-100000x20", probit, problems.logistic_start, (100_000, 20), (60, 3), probit_value_and_grad),
        RowModel("tobit-100000x10", tobit, tobit_start, (100_000, 10), (60, 3), tobit_value_and_grad),
    ]


LIMITED = _limited()
MODELS = {model.name: model for model in [*LIMITED, *_others(LIMITED[0])]}
