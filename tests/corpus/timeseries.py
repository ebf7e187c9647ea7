"""Series in time: volatility, ARMA, state space, hidden states, smoothing, point processes."""

from math import log, pi

import numpy as np
from numpy.linalg import inv, slogdet
from scipy.signal import lfilter
from scipy.stats import norm

from corpus.table import Case

rng = np.random.default_rng(404)
r = rng.normal(size=25) * np.linspace(0.5, 1.5, 25)
y = np.cumsum(0.3 * rng.normal(size=20)) + 0.4 * rng.normal(size=20)
Y = rng.normal(size=(15, 2))


def garch(params, r):
    omega, alpha, beta = np.exp(params)
    T = len(r)
    sigma2 = np.zeros(T)
    sigma2[0] = np.var(r)
    for t in range(1, T):
        sigma2[t] = omega + alpha * r[t - 1] ** 2 + beta * sigma2[t - 1]
    return 0.5 * np.sum(np.log(2 * np.pi * sigma2) + r**2 / sigma2)


def gjr_garch(p, r):
    w, a, g, b = p[0] ** 2, p[1] ** 2, p[2] ** 2, p[3] ** 2
    h = r.var()
    nll = 0.0
    for e in r:
        nll += 0.5 * (np.log(h) + e * e / h)
        h = w + (a + g * (e < 0)) * e**2 + b * h
    return nll


def egarch(p, r):
    h = np.empty_like(r)
    h[0] = np.log(np.mean(r**2))
    for i in range(r.size - 1):
        z = r[i] / np.exp(h[i] / 2)
        h[i + 1] = p[0] + p[1] * (abs(z) - np.sqrt(2 / np.pi)) + p[2] * z + p[3] * h[i]
    return -norm.logpdf(r, 0, np.exp(h / 2)).sum()


def arma11(p, y):
    c, phi, theta = p
    e = [0.0]
    for t in range(1, len(y)):
        e.append(y[t] - c - phi * y[t - 1] - theta * e[-1])
    return sum(ei**2 for ei in e)


def arma_lfilter(p, y):
    e = lfilter([1.0, -p[0]], [1.0, p[1]], y)
    return np.sum(e**2)


def ar_exact(p, y):
    phi = np.tanh(p[0])
    s2 = np.exp(p[1])
    T = len(y)
    lags = np.abs(np.subtract.outer(np.arange(T), np.arange(T)))
    V = s2 * phi**lags / (1 - phi**2)
    sign, logdet = np.linalg.slogdet(V)
    return 0.5 * (logdet + y @ np.linalg.solve(V, y))


def var1(p, Y):
    A = p[:4].reshape(2, 2)
    L = np.zeros((2, 2))
    L[np.tril_indices(2)] = p[4:7]
    S = L @ L.T + 1e-3 * np.eye(2)
    E = Y[1:] - Y[:-1] @ A.T
    return 0.5 * len(E) * slogdet(S)[1] + 0.5 * np.trace(inv(S) @ E.T @ E)


def local_level(p, y):
    """Kalman filter with scalars, diffuse start."""
    q, h = float(np.exp(p[0])), float(np.exp(p[1]))
    a, P = y[0], 10.0
    nll = 0.0
    for obs in y[1:]:
        P = P + q
        F = P + h
        v = obs - a
        nll += 0.5 * (log(2 * pi) + np.log(F) + v * v / F)
        K = P / F
        a += K * v
        P *= 1 - K
    return nll


def kalman_matrices(p, y):
    F = np.array([[1.0, 1.0], [0.0, 1.0]])
    H = np.array([[1.0, 0.0]])
    Q = np.diag(np.exp(p[:2]))
    R = np.array([[np.exp(p[2])]])
    x = np.zeros((2, 1))
    P = 5 * np.eye(2)
    loglik = 0.0
    for z in y:
        x = F @ x
        P = F @ P @ F.T + Q
        innov = z - (H @ x)[0, 0]
        S = (H @ P @ H.T + R)[0, 0]
        K = P @ H.T / S
        x = x + K * innov
        P = (np.eye(2) - K @ H) @ P
        loglik += -0.5 * (np.log(2 * np.pi * S) + innov**2 / S)
    return -loglik


def hmm_forward(p, y):
    """Two Gaussian states; scaled forward recursion."""
    p11, p22 = 1 / (1 + np.exp(-p[0])), 1 / (1 + np.exp(-p[1]))
    A = np.array([[p11, 1 - p11], [1 - p22, p22]])
    mu = p[2:4]
    sd = np.exp(p[4:6])
    B = norm.pdf(y[:, None], mu[None, :], sd[None, :])
    alpha = np.array([0.5, 0.5]) * B[0]
    ll = np.log(alpha.sum())
    alpha /= alpha.sum()
    for t in range(1, len(y)):
        alpha = (alpha @ A) * B[t]
        c = alpha.sum()
        ll += np.log(c)
        alpha /= c
    return -ll


def hmm_log_space(p, y):
    logA = np.array([[0.0, p[0]], [p[1], 0.0]])
    logA = logA - np.logaddexp(logA[:, 0], logA[:, 1])[:, None]
    em = -0.5 * (y[:, None] - p[2:4]) ** 2
    la = np.log(0.5) + em[0]
    for t in range(1, y.shape[0]):
        new = np.zeros(2)
        for j in range(2):
            new[j] = np.logaddexp(la[0] + logA[0, j], la[1] + logA[1, j]) + em[t, j]
        la = new
    return -np.logaddexp(*la)


def holt_winters(p, y, season=4):
    a, b, g = 1 / (1 + np.exp(-p[:3]))
    level, trend = y[:season].mean(), 0.0
    s = list(y[:season] - level)
    sse = 0
    for t in range(season, len(y)):
        f = level + trend + s[t - season]
        sse += (y[t] - f) ** 2
        last = level
        level = a * (y[t] - s[t - season]) + (1 - a) * (level + trend)
        trend = b * (level - last) + (1 - b) * trend
        s.append(g * (y[t] - level) + (1 - g) * s[t - season])
    return sse / (len(y) - season)


def threshold_ar(p, y):
    """The regime depends on the data, not on the parameters."""
    res = np.where(y[:-1] > 0, y[1:] - p[0] - p[1] * y[:-1], y[1:] - p[2] - p[3] * y[:-1])
    return res @ res


def smooth_transition(p, y):
    G = 1 / (1 + np.exp(-np.exp(p[2]) * (y[:-1] - p[3])))
    return np.mean((y[1:] - (p[0] * (1 - G) + p[1] * G) * y[:-1]) ** 2)


def hawkes(p, times, T):
    mu, alpha, beta = np.exp(p)
    A = 0.0
    ll = np.log(mu)
    for prev, now in zip(times[:-1], times[1:]):
        A = np.exp(-beta * (now - prev)) * (1 + A)
        ll += np.log(mu + alpha * A)
    compensator = mu * T + alpha / beta * np.sum(1 - np.exp(-beta * (T - times)))
    return compensator - ll


def hawkes_matrix(p, times, T):
    mu, alpha, beta = np.exp(p)
    gap = times[:, None] - times[None, :]
    kernel = np.where(gap > 0, alpha * np.exp(-beta * gap), 0.0)
    return mu * T + alpha / beta * (1 - np.exp(-beta * (T - times))).sum() - np.log(mu + kernel.sum(axis=1)).sum()


def whittle(p, y):
    """Spectral likelihood of an AR(1)."""
    n = len(y)
    I = np.abs(np.fft.rfft(y)) ** 2 / n
    w = 2 * np.pi * np.fft.rfftfreq(n)
    f = np.exp(p[1]) / np.abs(1 - p[0] * np.exp(-1j * w)) ** 2
    return np.sum(np.log(f[1:]) + I[1:] / f[1:])


def dcc_correlation(p, Y):
    a, b = 0.3 / (1 + np.exp(-p))
    S = Y.T @ Y / len(Y)
    Q = S.copy()
    nll = 0
    for e in Y:
        d = np.sqrt(np.diag(Q))
        R = Q / np.outer(d, d)
        nll += np.log(np.linalg.det(R)) + e @ np.linalg.inv(R) @ e
        Q = (1 - a - b) * S + a * np.outer(e, e) + b * Q
    return nll


times = np.cumsum(rng.exponential(0.7, 14))
g0 = np.log([0.1, 0.1, 0.7])
CASES = [
    Case("garch", garch, g0, (r,), (np.log([0.5, 1e-4, 1e-4]),), tags="zeros recurrence"),
    Case("gjr_garch", gjr_garch, np.array([0.3, 0.3, 0.2, 0.8]), (r,), (np.array([0.3, 0.0, 0.0, 0.8]),), tags="iterate recurrence"),
    Case("egarch", egarch, np.array([0.0, 0.2, -0.1, 0.8]), (r,), tags="empty_like abs stats"),
    Case("arma11", arma11, np.array([0.1, 0.4, 0.3]), (y,), (np.zeros(3),), tags="list-append generator"),
    Case("arma_lfilter", arma_lfilter, np.array([0.4, 0.3]), (y,), tags="signal"),
    Case("ar_exact", ar_exact, np.array([0.5, -0.5]), (y,), tags="slogdet solve int-power"),
    Case("var1", var1, np.array([0.3, 0.1, -0.1, 0.2, 0.9, 0.1, 0.8]), (Y,), tags="tril_indices inv trace"),
    Case("local_level", local_level, np.array([-1.0, -1.0]), (y,), tags="float augmented math"),
    Case("kalman_matrices", kalman_matrices, np.array([-1.0, -2.0, -1.0]), (y[:10],), tags="nested-array matmul loops"),
    Case("hmm_forward", hmm_forward, np.array([1.0, 0.8, -0.5, 0.7, 0.0, -0.2]), (y[:10],), tags="nested-array inplace"),
    Case("hmm_log_space", hmm_log_space, np.array([-1.0, -0.8, -0.5, 0.7]), (y[:8],), (np.zeros(4),), tags="star-args loops"),
    Case("holt_winters", holt_winters, np.array([0.2, -1.0, -0.5]), (y,), tags="list unpack default"),
    Case("threshold_ar", threshold_ar, np.array([0.1, 0.4, -0.2, 0.6]), (y,), tags="where slices"),
    Case("smooth_transition", smooth_transition, np.array([0.1, 0.4, 0.5, 0.2]), (y,)),
    Case("hawkes", hawkes, np.log([0.5, 0.4, 1.0]), (times, 12.0), tags="zip recurrence"),
    Case("hawkes_matrix", hawkes_matrix, np.log([0.5, 0.4, 1.0]), (times, 12.0), tags="broadcast where"),
    Case("whittle", whittle, np.array([0.4, -0.5]), (y,), (np.array([0.0, 0.0]),), tags="fft complex"),
    Case("dcc_correlation", dcc_correlation, np.array([-1.0, 0.5]), (Y[:8],), tags="det diag outer"),
]
