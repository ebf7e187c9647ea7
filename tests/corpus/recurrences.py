"""Recurrences: several carries of mixed kinds, lags, loops in loops, first and last iterations that differ, sweeps forth and back."""

import numpy as np

from corpus.table import Case

rng = np.random.default_rng(5)
y = rng.normal(size=20)
Y = rng.normal(size=(14, 3))
B = rng.normal(size=(3, 3)) * 0.3


def mixed_carries(p, Y):
    s, v, M, total = p[0], p[1] * np.ones(3), np.eye(3) * p[2], 0.0
    for row in Y:
        e = row - v
        s = 0.9 * s + 0.1 * e @ e
        v = v + M @ e * 0.3 / (1 + s)
        M = 0.95 * M - 0.01 * np.outer(e, e) * p[2]
        total += np.log(1 + s**2) + np.sum(v**2)
    return total + np.sum(M)


def collected_rows(p, Y):
    out = np.zeros((len(Y) + 1, 3))
    out[0] = p[:3]
    for t in range(len(Y)):
        out[t + 1] = np.tanh(B @ out[t] + p[3] * Y[t])
    return np.sum((out[1:] - Y) ** 2 * np.arange(1, 4)) + np.prod(out[-1]) + out[3, 1]


def ends_differ(p, y):
    n, total, x = len(y), 0.0, 0.0
    for t in range(n):
        if t == 0:
            x = p[0] * y[0]
        elif t == n - 1:
            x = p[2] * x + y[t] ** 2
        else:
            x = p[1] * np.sin(x) + y[t]
        total += x * x
    return total


def triangular(p, y):
    total, s = 0.0, p[0]
    for i in range(12):
        a = s
        for j in range(i):
            a = 0.5 * a + p[1] * np.cos(a) * y[j]
        s = 0.8 * s + 0.1 * a
        total += s**2
    return total


def three_deep(p, y):
    s = p[0]
    for i in range(9):
        for j in range(9):
            w = s
            for k in range(9):
                w = w - 0.1 * np.sin(p[1] * w)
            s = 0.7 * s + 0.2 * w + 0.01 * y[j]
    return s**2


def three_lags(p, y):
    x = [p[0], p[1], p[2]]
    for t in range(3, len(y)):
        x.append(0.5 * x[t - 1] - 0.3 * x[t - 2] * np.tanh(x[t - 3]) + p[3] * y[t])
    return np.sum((np.array(x) - y) ** 2)


def lagged_matrices(p, Y):
    A = np.array([[p[0], 0.1], [0.2, p[1]]])
    S0, S1, total = np.eye(2), np.eye(2) * p[2], 0.0
    for t in range(len(Y)):
        S2 = 0.5 * A @ S1 @ A.T + 0.2 * S0 + np.outer(Y[t, :2], Y[t, :2])
        total += np.trace(S2) + S2[0, 1] ** 2
        S0, S1 = S1, S2
    return total


def kalman_smoother(p, y):
    n = len(y)
    m, P, mp, Pp = np.zeros(n), np.zeros(n), np.zeros(n), np.zeros(n)
    q, r, a, V = np.exp(p[0]), np.exp(p[1]), 0.0, 1.0
    for t in range(n):
        mp[t], Pp[t] = a, V + q
        K = Pp[t] / (Pp[t] + r)
        a, V = mp[t] + K * (y[t] - mp[t]), (1 - K) * Pp[t]
        m[t], P[t] = a, V
    s = np.zeros(n)
    s[-1] = m[-1]
    for t in range(n - 2, -1, -1):
        s[t] = m[t] + P[t] / Pp[t + 1] * (s[t + 1] - mp[t + 1])
    return np.sum((s - y) ** 2) + np.sum(np.log(Pp))


def thomas(p, y):
    n = len(y)
    b, d, c = 2 + p[1] + np.zeros(n), y * p[2], -np.ones(n)
    for i in range(1, n):
        w = -p[0] / b[i - 1]
        b[i] -= w * c[i - 1]
        d[i] -= w * d[i - 1]
    d[-1] /= b[-1]
    for i in range(n - 2, -1, -1):
        d[i] = (d[i] - c[i] * d[i + 1]) / b[i]
    return np.sum(d**2)


def gated_unit(p, Y):
    W, U, h = p[:9].reshape(3, 3), p[9:].reshape(3, 3), np.zeros(3)
    for row in Y:
        z = 1 / (1 + np.exp(-(W @ row + U @ h)))
        g = np.tanh(U @ row + W @ (z * h))
        h = (1 - z) * h + z * g
    return np.sum(h**2) + h[0]


def every_other(p, y):
    a, b, total = p[0], p[1], 0.0
    for t in range(20):
        a = 0.9 * np.sin(a) + 0.1 * b
        if t % 2 == 0:
            b = 0.5 * b + y[t] * p[2] * a
        total += a * b
    return total


CASES = [
    Case("mixed_carries", mixed_carries, np.array([0.5, 0.3, 0.4]), (Y,), tags="recurrence"),
    Case("collected_rows", collected_rows, np.array([0.1, 0.2, 0.3, 0.5]), (Y,), tags="recurrence"),
    Case("ends_differ", ends_differ, np.array([0.5, 0.6, 0.7]), (y,), tags="recurrence"),
    Case("triangular", triangular, np.array([0.5, 0.4]), (y,), tags="nested"),
    Case("three_deep", three_deep, np.array([0.5, 0.9]), (y,), tags="nested"),
    Case("three_lags", three_lags, np.array([0.1, 0.2, 0.3, 0.5]), (y,), tags="recurrence append"),
    Case("lagged_matrices", lagged_matrices, np.array([0.3, 0.4, 1.2]), (Y,), tags="recurrence"),
    Case("kalman_smoother", kalman_smoother, np.array([0.1, 0.3]), (y,), tags="recurrence backward"),
    Case("thomas", thomas, np.array([0.8, 0.3, 0.5]), (y,), tags="in-place backward"),
    Case("gated_unit", gated_unit, rng.normal(size=18) * 0.5, (Y,), tags="recurrence"),
    Case("every_other", every_other, np.array([0.4, 0.5, 0.6]), (y,), tags="recurrence"),
]
