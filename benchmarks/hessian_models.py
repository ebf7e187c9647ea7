"""More objectives with Hessians by hand, for which no limit is stated: nothing has been tuned to them."""

from __future__ import annotations

import numpy as np
from scipy import special

from benchmarks import hessians, problems
from benchmarks.hessians import Case, weighted

# Poisson regression with exposure.


def poisson_hess(x, X, y, exposure):
    return weighted(X, exposure * np.exp(X @ x))


# Negative binomial regression with an offset; the last parameter is the logarithm of the size.


def negative_binomial(x, X, y, offset):
    r = np.exp(x[-1])
    mu = np.exp(X @ x[:-1] + offset)
    counts = special.gammaln(y + r) - special.gammaln(r) - special.gammaln(y + 1)
    return -np.sum(counts + r * np.log(r / (r + mu)) + y * np.log(mu / (r + mu)))


def negative_binomial_start(rng, rows, columns):
    X = np.column_stack([np.ones(rows), rng.normal(size=(rows, columns - 1))])
    offset = rng.uniform(-0.5, 0.5, size=rows)
    mu = np.exp(X @ rng.normal(size=columns) / columns + offset)
    return np.zeros(columns + 1), (X, rng.poisson(mu * rng.gamma(2.0, 0.5, size=rows)).astype(float), offset)


def negative_binomial_hess(x, X, y, offset):
    r = np.exp(x[-1])
    mu = np.exp(X @ x[:-1] + offset)
    total = r + mu
    H = np.empty((x.size, x.size))
    H[:-1, :-1] = weighted(X, (y + r) * r * mu / total**2)
    H[:-1, -1] = H[-1, :-1] = X.T @ (r * mu * (mu - y) / total**2)
    slope = special.digamma(y + r) - special.digamma(r) + np.log(r / total) + (mu - y) / total
    bend = special.polygamma(1, y + r) - special.polygamma(1, r) + 1 / r - 2 / total + (y + r) / total**2
    H[-1, -1] = -np.sum(r * slope + r**2 * bend)
    return H


# Multinomial regression against the last class, with intercepts, a ridge and a lasso that is smooth at zero.


def multinomial(x, X, labels, ridge, lasso):
    B = x.reshape(X.shape[1] + 1, -1)
    eta = np.column_stack([B[0] + X @ B[1:], np.zeros(len(X))])
    fit = special.logsumexp(eta, axis=1) - eta[np.arange(len(X)), labels]
    return np.mean(fit) + 0.5 * ridge * np.sum(B[1:] ** 2) + lasso * np.sum(np.sqrt(B[1:] ** 2 + 1e-2))


def multinomial_start(rng, rows, columns, classes):
    X = rng.normal(size=(rows, columns))
    eta = X @ rng.normal(size=(columns, classes)) / np.sqrt(columns) + rng.gumbel(size=(rows, classes))
    return np.zeros((columns + 1) * (classes - 1)), (X, np.argmax(eta, axis=1), 1e-2, 1e-3)


def multinomial_hess(x, X, labels, ridge, lasso):
    B = x.reshape(X.shape[1] + 1, -1)
    rows, k = len(X), B.shape[1]
    Z = np.column_stack([np.ones(rows), X])
    eta = np.column_stack([Z @ B, np.zeros(rows)])
    p = special.softmax(eta, axis=1)[:, :k]
    scaled = (Z[:, :, np.newaxis] * p[:, np.newaxis]).reshape(rows, x.size)
    H = -(scaled.T @ scaled)
    for a in range(k):
        H.reshape(len(B), k, len(B), k)[:, a, :, a] += weighted(Z, p[:, a])
    H /= rows
    penalty = np.zeros_like(B)
    penalty[1:] = ridge + lasso * 1e-2 / (B[1:] ** 2 + 1e-2) ** 1.5
    H[np.diag_indices(x.size)] += penalty.ravel()
    return H


# Regression with Student's t on four degrees of freedom; the last parameter is the logarithm of the scale.


def student(x, X, y):
    s, nu = np.exp(x[-1]), 4.0
    z = (y - X @ x[:-1]) / s
    return np.sum(0.5 * (nu + 1) * np.log1p(z**2 / nu)) + len(y) * x[-1]


def student_start(rng, rows, columns):
    X = rng.normal(size=(rows, columns))
    return np.zeros(columns + 1), (X, X @ rng.normal(size=columns) + 0.5 * rng.standard_t(4, size=rows))


def student_hess(x, X, y):
    s, nu = np.exp(x[-1]), 4.0
    z = (y - X @ x[:-1]) / s
    below = nu + z * z
    slope = (nu + 1) * z / below
    bend = (nu + 1) * (nu - z * z) / below**2  # negative far from the line
    H = np.empty((x.size, x.size))
    H[:-1, :-1] = X.T @ ((bend / s**2)[:, np.newaxis] * X)
    H[:-1, -1] = H[-1, :-1] = X.T @ ((bend * z + slope) / s)
    H[-1, -1] = np.sum(bend * z**2 + slope * z)
    return H


# Ordinal probit: the slopes, the first cut, and the logarithms of the distances of the others.


def ordinal(x, X, y, classes):
    beta, first, steps = x[: X.shape[1]], x[X.shape[1]], x[X.shape[1] + 1 :]
    far = np.array([30.0])
    inner = first + np.concatenate([np.zeros(1), np.cumsum(np.exp(steps))])
    cuts = np.concatenate([-far, inner, far])
    eta = X @ beta
    return -np.sum(np.log(special.ndtr(cuts[y + 1] - eta) - special.ndtr(cuts[y] - eta)))


def ordinal_start(rng, rows, columns, classes):
    X = rng.normal(size=(rows, columns))
    latent = X @ rng.normal(size=columns) / np.sqrt(columns) + rng.normal(size=rows)
    x0 = np.concatenate([np.zeros(columns), [-1.0], np.log(np.full(classes - 2, 2 / (classes - 2)))])
    return x0, (X, np.digitize(latent, np.linspace(-1, 1, classes - 1)), classes)


def ordinal_hess(x, X, y, classes):
    columns = X.shape[1]
    steps = np.exp(x[columns + 1 :])
    inner = x[columns] + np.concatenate([[0.0], np.cumsum(steps)])
    cuts = np.concatenate([[-30.0], inner, [30.0]])
    eta = X @ x[:columns]
    high, low = cuts[y + 1] - eta, cuts[y] - eta
    p = special.ndtr(high) - special.ndtr(low)
    above, below = (np.exp(-0.5 * side**2) / (np.sqrt(2 * np.pi) * p) for side in (high, low))
    both = -above * below  # of minus log(p), by both sides; then by each one twice
    twice_high, twice_low = high * above + above**2, below**2 - low * below
    m = classes - 1
    H = np.zeros((x.size, x.size))
    H[:columns, :columns] = weighted(X, np.maximum(twice_high + twice_low + 2 * both, 0))
    at = np.arange(classes)
    upper = np.where(y == at[:m, np.newaxis], -(twice_high + both), 0.0)
    lower = np.where(y == at[1:, np.newaxis], -(twice_low + both), 0.0)
    by_cuts = X.T @ (upper + lower).T
    C = np.zeros((m, m))
    C[np.diag_indices(m)] = (
        np.bincount(y, twice_high, minlength=classes)[:m] + np.bincount(y, twice_low, minlength=classes)[1:]
    )
    beside = np.bincount(y, both, minlength=classes)[1:m]
    C[np.arange(m - 1), np.arange(1, m)] = C[np.arange(1, m), np.arange(m - 1)] = beside
    T = np.tri(m) * np.concatenate([[1.0], steps])  # the slope of each cut by the parameters
    H[:columns, columns:] = by_cuts @ T
    H[columns:, :columns] = H[:columns, columns:].T
    H[columns:, columns:] = T.T @ C @ T
    slopes = np.bincount(y, below, minlength=classes)[1:] - np.bincount(y, above, minlength=classes)[:m]
    later = np.cumsum(slopes[::-1])[::-1][1:]
    H[np.arange(columns + 1, x.size), np.arange(columns + 1, x.size)] += later * steps
    return H


# Matrix factorisation of what has been observed, with a ridge.


def completion(x, Y, observed, rank):
    U, V = x[: len(Y) * rank].reshape(-1, rank), x[len(Y) * rank :].reshape(-1, rank)
    return 0.5 * np.sum(observed * (U @ V.T - Y) ** 2) + 0.05 * np.sum(x**2)


def completion_start(rng, rows, columns, rank):
    x0, (Y, _) = hessians.factorisation_start(rng, rows, columns, rank)
    return x0, (Y, (rng.uniform(size=Y.shape) < 0.3).astype(float), rank)


def completion_hess(x, Y, observed, rank):
    (m, n), end = Y.shape, len(Y) * rank
    U, V = x[:end].reshape(m, rank), x[end:].reshape(n, rank)
    H = np.zeros((x.size, x.size))
    squares = (V[:, :, np.newaxis] * V[:, np.newaxis]).reshape(n, -1), (U[:, :, np.newaxis] * U[:, np.newaxis])
    by_rows, by_columns = observed @ squares[0], observed.T @ squares[1].reshape(m, -1)
    np.einsum("iaib->iab", H[:end, :end].reshape(m, rank, m, rank))[:] = by_rows.reshape(m, rank, rank)
    np.einsum("jajb->jab", H[end:, end:].reshape(n, rank, n, rank))[:] = by_columns.reshape(n, rank, rank)
    across = H[:end, end:].reshape(m, rank, n, rank)
    seen = observed[:, np.newaxis] * V.T  # (i, a, j)
    np.multiply(seen[:, :, :, np.newaxis], U[:, np.newaxis, np.newaxis], out=across)
    np.einsum("iaja->ija", across)[:] += (observed * (U @ V.T - Y))[:, :, np.newaxis]
    H[end:, :end] = H[:end, end:].T
    H[np.diag_indices(x.size)] += 0.1
    return H


# A linear mixed model: one variance for the groups, whose covariance is that of its blocks.


def mixed(x, X, y, group):
    beta, within, between = x[:-2], np.exp(x[-2]), np.exp(x[-1])
    r = y - X @ beta
    counts = np.bincount(group)
    sums = np.bincount(group, r)
    total = within + counts * between
    squares = np.sum(r**2) / within - np.sum(between / (within * total) * sums**2)
    return 0.5 * (squares + np.sum(np.log(total)) + (len(y) - len(counts)) * np.log(within))


def mixed_jax(jnp, x, X, y, group):
    beta, within, between = x[:-2], jnp.exp(x[-2]), jnp.exp(x[-1])
    r = y - X @ beta
    counts = np.bincount(group)
    sums = jnp.zeros(len(counts)).at[group].add(r)
    total = within + counts * between
    squares = jnp.sum(r**2) / within - jnp.sum(between / (within * total) * sums**2)
    return 0.5 * (squares + jnp.sum(jnp.log(total)) + (len(y) - len(counts)) * jnp.log(within))


def mixed_start(rng, rows, columns, groups):
    X, group = rng.normal(size=(rows, columns)), np.arange(rows) % groups
    y = X @ rng.normal(size=columns) + rng.normal(size=groups)[group] + rng.normal(size=rows)
    return np.zeros(columns + 2), (X, y, group)


def mixed_hess(x, X, y, group):
    w, b = np.exp(x[-2:])
    r = y - X @ x[:-2]
    counts = np.bincount(group)
    sums = np.bincount(group, r)
    order = np.argsort(group, kind="stable")
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    S = np.add.reduceat(X[order], starts, axis=0)
    t = w + counts * b
    q = b / (w * t)
    q_w, q_b = -b * (w + t) / (w * t) ** 2, 1 / t**2
    q_ww = 2 * b * ((w + t) ** 2 - w * t) / (w * t) ** 3
    q_wb, q_bb = -2 / t**3, -2 * counts / t**3
    H = np.empty((x.size, x.size))
    H[:-2, :-2] = X.T @ X / w - (S * q[:, np.newaxis]).T @ S
    H[:-2, -2] = H[-2, :-2] = w * (X.T @ r / w**2 + S.T @ (q_w * sums))
    H[:-2, -1] = H[-1, :-2] = b * (S.T @ (q_b * sums))
    squares, free = r @ r, len(y) - len(counts)
    by_w = 0.5 * (-squares / w**2 - q_w @ sums**2 + np.sum(1 / t) + free / w)
    by_b = 0.5 * (-q_b @ sums**2 + np.sum(counts / t))
    H[-2, -2] = w * by_w + 0.5 * w**2 * (2 * squares / w**3 - q_ww @ sums**2 - np.sum(1 / t**2) - free / w**2)
    H[-1, -1] = b * by_b + 0.5 * b**2 * (-q_bb @ sums**2 - np.sum((counts / t) ** 2))
    H[-2, -1] = H[-1, -2] = 0.5 * w * b * (-q_wb @ sums**2 - np.sum(counts / t**2))
    return H


def _cases() -> list[Case]:
    return [
        Case("poisson-10000x20", problems.poisson, problems.poisson_start, (10_000, 20), (30, 3), poisson_hess),
        Case(
            "negative-binomial-10000x20",
            negative_binomial,
            negative_binomial_start,
            (10_000, 20),
            (30, 3),
            negative_binomial_hess,
        ),
        Case("multinomial-3000x20x5", multinomial, multinomial_start, (3000, 20, 5), (30, 3, 3), multinomial_hess),
        Case("student-5000x30", student, student_start, (5000, 30), (30, 3), student_hess),
        Case("ordinal-5000x10x6", ordinal, ordinal_start, (5000, 10, 6), (40, 3, 4), ordinal_hess),
        Case("completion-100x80x4", completion, completion_start, (100, 80, 4), (4, 3, 2), completion_hess),
        Case("mixed-5000x10x200", mixed, mixed_start, (5000, 10, 200), (30, 3, 5), mixed_hess, mixed_jax),
    ]


CASES = hessians.CASES | {case.name: case for case in _cases()}
"""Every case, those with a limit first."""
