"""Objectives of many kinds for second derivatives, as a scientist writes them. Knows nothing of autoopt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy.integrate
import scipy.linalg
import scipy.optimize
import scipy.sparse
import scipy.special
import scipy.stats

RNG = np.random.default_rng(2026)


@dataclass(frozen=True, eq=False)
class Case:
    """One objective.

    Attributes
    ----------
    f : callable, f(x, *args) -> scalar
    x0 : ndarray, shape (n,)
    args : tuple
    noise : float
        Of f's first derivatives, relative, where it iterates to a tolerance.
    """

    f: Callable
    x0: np.ndarray
    args: tuple = ()
    noise: float = 0.0

    def __str__(self) -> str:
        return self.f.__name__


# Statistics -----------------------------------------------------------------------------------------------------------

X = RNG.normal(size=(60, 5))
y01 = (RNG.uniform(size=60) < 0.5).astype(float)
counts = RNG.poisson(2.0, size=60).astype(float)
times = RNG.exponential(size=60)
beta = RNG.normal(size=5) * 0.3


def logistic(b, X, y):
    z = X @ b
    return np.sum(np.logaddexp(0.0, z) - y * z) + 0.5 * b @ b


def poisson(b, X, y):
    z = X @ b
    return np.sum(np.exp(z) - y * z + scipy.special.gammaln(y + 1.0))


def negative_binomial(theta, X, y):
    mu, r = np.exp(X @ theta[:-1]), np.exp(theta[-1])
    return -np.sum(
        scipy.special.gammaln(y + r) - scipy.special.gammaln(r) + r * np.log(r / (r + mu)) + y * np.log(mu / (r + mu))
    )


def softmax(w, X, labels):
    Z = X @ w.reshape(X.shape[1], -1)
    return np.sum(scipy.special.logsumexp(Z, axis=1) - Z[np.arange(len(labels)), labels]) + 0.1 * w @ w


def cox(b, X, t, event):
    order = np.argsort(-t)
    z = X[order] @ b
    return -np.sum(event[order] * (z - np.logaddexp.accumulate(z)))


def cox_by_risk_sets(b, X, t, event):
    z = X @ b
    at_risk = t[None, :] >= t[:, None]
    return -np.sum(event * (z - np.log((at_risk * np.exp(z)).sum(axis=1))))


def weibull(theta, X, t, event):
    shape, scale = np.exp(theta[-1]), np.exp(X @ theta[:-1])
    return -np.sum(event * (np.log(shape / scale) + (shape - 1) * np.log(t / scale)) - (t / scale) ** shape)


def student_t(theta, X, y):
    return -np.sum(scipy.stats.t.logpdf(y, df=4.0, loc=X @ theta[:-1], scale=np.exp(theta[-1])))


def mixture(theta, y):
    w = np.exp(theta[:3] - scipy.special.logsumexp(theta[:3]))
    mu, s = theta[3:6], np.exp(theta[6:])
    density = w * np.exp(-0.5 * ((y[:, None] - mu) / s) ** 2) / (s * np.sqrt(2 * np.pi))
    return -np.sum(np.log(density.sum(axis=1)))


def ordered_probit(theta, X, y):
    cuts = np.concatenate([[-np.inf], np.cumsum(np.concatenate([theta[5:6], np.exp(theta[6:])])), [np.inf]])
    z = X @ theta[:5]
    return -np.sum(np.log(scipy.special.ndtr(cuts[y + 1] - z) - scipy.special.ndtr(cuts[y] - z)))


def huber(b, X, y):
    r = y - X @ b
    return np.sum(np.where(np.abs(r) <= 1.345, 0.5 * r**2, 1.345 * np.abs(r) - 0.5 * 1.345**2))


def smooth_quantile(b, X, y):
    r = y - X @ b
    return np.sum(0.3 * r + 0.1 * np.logaddexp(0.0, -r / 0.1))


def beta_regression(theta, X, y):
    mu, phi = scipy.special.expit(X @ theta[:-1]), np.exp(theta[-1])
    return -np.sum(
        -scipy.special.betaln(mu * phi, (1 - mu) * phi)
        + (mu * phi - 1) * np.log(y)
        + ((1 - mu) * phi - 1) * np.log1p(-y)
    )


def ridge_of_maxima(x):
    return np.sum(np.maximum(x[1:] - x[:-1], 0.0) ** 3) + np.max(x) ** 2 + np.sum(np.sort(x) * np.arange(len(x)) * x)


# Linear algebra -------------------------------------------------------------------------------------------------------

T = np.sort(RNG.uniform(0.0, 3.0, size=18))
response = np.sin(2 * T) + 0.1 * RNG.normal(size=18)
S = np.cov(RNG.normal(size=(4, 40)))
lower = np.tril_indices(4)


def gaussian_process(theta, t, y):
    amplitude, length, noise = np.exp(theta)
    K = amplitude**2 * np.exp(-0.5 * (t[:, None] - t[None, :]) ** 2 / length**2) + noise**2 * np.eye(len(t))
    L = np.linalg.cholesky(K)
    a = np.linalg.solve(L, y)
    return 0.5 * a @ a + np.sum(np.log(np.diag(L)))


def gaussian_process_by_slogdet(theta, t, y):
    amplitude, length, noise = np.exp(theta)
    K = amplitude**2 * np.exp(-np.abs(t[:, None] - t[None, :]) / length) + noise**2 * np.eye(len(t))
    return 0.5 * y @ np.linalg.solve(K, y) + 0.5 * np.linalg.slogdet(K)[1]


def gaussian_process_by_cho_solve(theta, t, y):
    amplitude, length, noise = np.exp(theta)
    K = amplitude**2 * np.exp(-0.5 * (t[:, None] - t[None, :]) ** 2 / length**2) + noise**2 * np.eye(len(t))
    factor = scipy.linalg.cho_factor(K, lower=True)
    return 0.5 * y @ scipy.linalg.cho_solve(factor, y) + np.sum(np.log(np.diag(factor[0])))


def graphical_model(p, S):
    P = np.zeros(S.shape)
    P[lower] = p
    P = P + P.T
    return np.trace(S @ P) - np.linalg.slogdet(P)[1]


def graphical_model_by_inverse(p, S):
    C = np.zeros(S.shape)
    C[lower] = p
    C = C @ C.T + np.eye(len(S))
    return np.log(np.linalg.det(C)) + np.trace(np.linalg.inv(C) @ S)


def eigenvalues(p, S):
    A = np.zeros(S.shape)
    A[lower] = p
    w = np.linalg.eigvalsh(A + A.T + np.diag(np.arange(4.0)))
    return np.sum(w**3) + np.exp(0.1 * w[-1])


def singular_values(p):
    return np.sum(np.linalg.svd(p.reshape(4, 3), compute_uv=False) ** 3)


def least_squares_by_qr(p, y):
    Q, R = np.linalg.qr(p.reshape(6, 3))
    return np.sum(np.log(np.abs(np.diag(R)))) + np.sum((y - Q @ (Q.T @ y)) ** 2)


def matrix_exponential(p, y):
    return np.sum((scipy.linalg.expm(p.reshape(3, 3)) @ y - 1.0) ** 2)


def quadratic(x, A):
    return 0.5 * x @ A @ x - np.sum(x)


def matrix_factorisation(w, M):
    U, V = w[: M.shape[0] * 2].reshape(-1, 2), w[M.shape[0] * 2 :].reshape(-1, 2)
    return np.sum((M - U @ V.T) ** 2) + 0.1 * w @ w


def toeplitz(theta, y):
    c = np.exp(theta[0]) * np.exp(-np.exp(theta[1]) * np.arange(len(y)))
    C = scipy.linalg.toeplitz(c) + np.exp(theta[2]) * np.eye(len(y))
    return 0.5 * y @ np.linalg.solve(C, y) + 0.5 * np.linalg.slogdet(C)[1]


# Sparse matrices ------------------------------------------------------------------------------------------------------

H = scipy.sparse.diags([np.full(19, -1.0), np.full(20, 2.5), np.full(19, -1.0)], [-1, 0, 1], format="csr")
D = scipy.sparse.csr_array(scipy.sparse.diags([np.full(19, -1.0), np.full(19, 1.0)], [0, 1], shape=(19, 20)))


def sparse_quadratic(x, H):
    return 0.5 * x @ (H @ x)


def total_variation(x, D, y):
    return np.sum(np.sqrt((D @ x) ** 2 + 0.01)) + 0.5 * np.sum((x - y) ** 2)


def sparse_exponential(x, H):
    return np.sum(np.exp(0.1 * (H @ x))) - np.sum(H.T @ x) + np.sum((H @ (x * x)) ** 2)


# Learning and physics -------------------------------------------------------------------------------------------------


def network(w, X, y):
    W1, b1 = w[:20].reshape(5, 4), w[20:24]
    W2, b2 = w[24:32].reshape(4, 2), w[32:34]
    hidden = np.tanh(X @ W1 + b1)
    out = np.tanh(hidden @ W2 + b2) @ w[34:36]
    return np.mean((y - out) ** 2)


def convolution(w, signal, y):
    return np.sum((np.tanh(np.convolve(signal, w, "valid")) - y) ** 2)


def lennard_jones(q):
    r = q.reshape(-1, 3)
    i, j = np.triu_indices(len(r), 1)
    d2 = np.sum((r[i] - r[j]) ** 2, axis=1)
    return np.sum(d2**-6 - d2**-3)


def ising_pseudo_likelihood(theta, spins):
    J, h = theta[:16].reshape(4, 4), theta[16:]
    field = spins @ (J + J.T - 2 * np.diag(np.diag(J))) + h
    return np.sum(np.logaddexp(0.0, -2.0 * spins * field)) + theta @ theta


def elastic_net_of_paths(x):
    d = np.diff(x, 2)
    return np.sum(d**2) + np.sum(np.abs(x) ** 1.5) + np.sum(np.cumsum(x) ** 2) + np.prod(1 + 0.1 * x)


def spectral(x, power):
    return np.sum((np.abs(np.fft.rfft(x)) ** 2 - power) ** 2)


# Loops ----------------------------------------------------------------------------------------------------------------


def garch(theta, r):
    omega, a, b = np.exp(theta)
    h, total = np.var(r), 0.0
    for value in r:
        total += 0.5 * (np.log(h) + value**2 / h)
        h = omega + a * value**2 + b * h
    return total


def kalman(theta, y):
    q, r = np.exp(theta[:2])
    m, P, total = 0.0, 1.0, 0.0
    for value in y:
        P = theta[2] ** 2 * P + q
        m = theta[2] * m
        gap = P + r
        total += 0.5 * (np.log(gap) + (value - m) ** 2 / gap)
        m, P = m + P / gap * (value - m), P * (1 - P / gap)
    return total


def hidden_markov(theta, y):
    A = np.exp(theta[:4].reshape(2, 2))
    A = A / A.sum(axis=1, keepdims=True)
    alpha, total = np.array([0.5, 0.5]), 0.0
    for value in y:
        alpha = (alpha @ A) * np.exp(-0.5 * (value - theta[4:]) ** 2)
        total += np.log(alpha.sum())
        alpha = alpha / alpha.sum()
    return -total


def rosenbrock_by_loop(x):
    total = 0.0
    for i in range(len(x) - 1):
        total += 100.0 * (x[i + 1] - x[i] ** 2) ** 2 + (1 - x[i]) ** 2
    return total


def newton_inside(theta):
    z = theta[0]
    while abs(z * z - theta[1]) > 1e-10:
        z = z - (z * z - theta[1]) / (2 * z)
    return z * theta[2] ** 2 + z**3


# Special functions, equations, integrals ------------------------------------------------------------------------------


def special_functions(x):
    return np.sum(scipy.special.gammaln(np.exp(x)) + scipy.special.erf(x) * scipy.special.j0(x) + scipy.special.i0e(x))


def incomplete_gamma(theta, t):
    a, scale = np.exp(theta)
    return -np.sum(np.log(scipy.special.gammaincc(a, t / scale)))


def roots(theta, y):
    total = 0.0
    for value in y:
        z = scipy.optimize.brentq(lambda u, v: u + np.exp(theta[0] * u) - theta[1] - v, -10, 10, (value,), xtol=1e-13)
        total += (z - theta[2]) ** 2
    return total


def quantiles(theta, y):
    return np.sum((scipy.stats.gamma.ppf(np.array([0.1, 0.5, 0.9]), np.exp(theta[0]), scale=np.exp(theta[1])) - y) ** 2)


def differential_equation(theta, t, y):
    def slope(s, u):
        return [theta[0] * u[0] - theta[1] * u[0] * u[1], -u[1] + theta[2] * u[0] * u[1]]

    found = scipy.integrate.solve_ivp(slope, (0.0, 2.0), [1.0, 1.0], t_eval=t, rtol=1e-9, atol=1e-10)
    return np.sum((found.y[0] - y) ** 2)


def pharmacokinetics(theta, t, y):
    ka, k, v = np.exp(theta)
    return np.sum((np.log(10.0 * ka / (v * (ka - k)) * (np.exp(-k * t) - np.exp(-ka * t))) - y) ** 2)


labels = RNG.integers(0, 4, size=60)
event = (RNG.uniform(size=60) < 0.7).astype(float)
spd = S + np.eye(4)
small = RNG.normal(size=12) * 0.3
grid = np.linspace(0.2, 2.0, 9)

CASES = (
    Case(logistic, beta, (X, y01)),
    Case(poisson, beta, (X, counts)),
    Case(negative_binomial, np.r_[beta, 0.4], (X, counts)),
    Case(softmax, RNG.normal(size=20) * 0.2, (X, labels)),
    Case(cox, beta, (X, times, event)),
    Case(cox_by_risk_sets, beta, (X, times, event)),
    Case(weibull, np.r_[beta, 0.2], (X, times, event)),
    Case(student_t, np.r_[beta, 0.1], (X, counts)),
    Case(mixture, np.array([0.1, 0.2, -0.1, -1.0, 0.5, 2.0, 0.1, -0.2, 0.3]), (counts + times,)),
    Case(ordered_probit, np.r_[beta, -0.5, 0.1, -0.2], (X, labels)),
    Case(huber, beta, (X, counts)),
    Case(smooth_quantile, beta, (X, times)),
    Case(beta_regression, np.r_[beta, 1.0], (X, RNG.uniform(0.05, 0.95, size=60))),
    Case(ridge_of_maxima, RNG.normal(size=9)),
    Case(gaussian_process, np.array([0.1, -0.3, -1.0]), (T, response)),
    Case(gaussian_process_by_slogdet, np.array([0.1, -0.3, -1.0]), (T, response)),
    Case(gaussian_process_by_cho_solve, np.array([0.1, -0.3, -1.0]), (T, response)),
    Case(graphical_model, (np.eye(4) + 0.05)[lower], (S,)),
    Case(graphical_model_by_inverse, RNG.normal(size=10), (S,)),
    Case(eigenvalues, RNG.normal(size=10), (S,)),
    Case(singular_values, RNG.normal(size=12)),
    Case(least_squares_by_qr, RNG.normal(size=18), (RNG.normal(size=6),)),
    Case(matrix_exponential, RNG.normal(size=9) * 0.3, (np.array([1.0, 2.0, 0.5]),)),
    Case(quadratic, RNG.normal(size=4), (spd,)),
    Case(matrix_factorisation, RNG.normal(size=22), (RNG.normal(size=(6, 5)),)),
    Case(toeplitz, np.array([0.1, -0.5, -1.0]), (response,)),
    Case(sparse_quadratic, RNG.normal(size=20), (H,)),
    Case(total_variation, RNG.normal(size=20), (D, RNG.normal(size=20))),
    Case(sparse_exponential, RNG.normal(size=20), (H,)),
    Case(network, RNG.normal(size=36) * 0.4, (X, y01)),
    Case(convolution, RNG.normal(size=5), (RNG.normal(size=30), RNG.normal(size=26))),
    Case(lennard_jones, 1.2 * np.arange(18.0) % 2.7 + 0.2 * RNG.normal(size=18)),
    Case(ising_pseudo_likelihood, RNG.normal(size=20) * 0.2, (RNG.choice([-1.0, 1.0], size=(30, 4)),)),
    Case(elastic_net_of_paths, RNG.normal(size=14) + 0.1),
    Case(spectral, RNG.normal(size=12), (np.ones(7),)),
    Case(garch, np.array([-2.0, -2.0, -0.3]), (RNG.normal(size=40),)),
    Case(kalman, np.array([-1.0, -0.5, 0.8]), (RNG.normal(size=30),)),
    Case(hidden_markov, np.array([0.5, -0.5, -0.3, 0.4, -1.0, 1.0]), (RNG.normal(size=25),)),
    Case(rosenbrock_by_loop, RNG.normal(size=12)),
    Case(newton_inside, np.array([1.5, 2.0, 0.7])),
    Case(special_functions, RNG.normal(size=6)),
    Case(incomplete_gamma, np.array([0.3, 0.1]), (times,)),
    Case(roots, np.array([0.5, 1.0, 0.2]), (np.array([0.1, 0.6, 1.2]),), noise=1e-9),
    Case(quantiles, np.array([0.3, 0.1]), (np.array([0.2, 1.0, 2.5]),), noise=1e-9),
    Case(differential_equation, np.array([1.1, 0.6, 0.7]), (grid, np.ones(9)), noise=1e-7),
    Case(pharmacokinetics, np.array([0.5, -0.5, 0.2]), (grid, np.zeros(9))),
)
