"""Value and gradient of the recurrences as a competent person writes them in numba: scalar loops, derivatives by hand.

Each takes the parameters and the data of its namesake in `recurrences.py`. A loop runs forward and keeps what its
reverse needs, then one runs backward; `*_bar` is the derivative of the value with respect to what it is named for. No
fast-math: the arithmetic is that of the objective.
"""

from __future__ import annotations

import numpy as np
from numba import njit

by_numba = njit(error_model="numpy")


@by_numba
def garch(p, y):
    """Variances s[t] = omega + alpha y[t - 1]^2 + beta s[t - 1]; three derivatives go along, faster than a way back."""
    omega, alpha, beta = p
    s, total = np.var(y), 0.0
    ds0 = ds1 = ds2 = g0 = g1 = g2 = 0.0
    for t in range(len(y)):
        square = y[t] ** 2
        slope = (1.0 - square / s) / s
        total += np.log(s) + square / s
        g0 += slope * ds0
        g1 += slope * ds1
        g2 += slope * ds2
        ds0, ds1, ds2 = 1.0 + beta * ds0, square + beta * ds1, s + beta * ds2
        s = omega + alpha * square + beta * s
    return 0.5 * total, 0.5 * np.array([g0, g1, g2])


@by_numba
def forward(p, y, k=3):
    """Forward algorithm in logarithms; keeps how much of alpha[t, j] comes from state i, (T, k, k)."""
    T = len(y)
    transition = np.empty((k, k))
    for i in range(k):
        top, norm = np.max(p[k * i : k * i + k]), 0.0
        for j in range(k):
            norm += np.exp(p[k * i + j] - top)
        for j in range(k):
            transition[i, j] = p[k * i + j] - top - np.log(norm)
    means = p[k * k :]
    alpha, new = np.empty(k), np.empty(k)
    share = np.empty((T, k, k))
    for j in range(k):
        alpha[j] = -0.5 * (y[0] - means[j]) ** 2
    for t in range(1, T):
        for j in range(k):
            top = -np.inf
            for i in range(k):
                top = max(top, alpha[i] + transition[i, j])
            norm = 0.0
            for i in range(k):
                share[t, i, j] = np.exp(alpha[i] + transition[i, j] - top)
                norm += share[t, i, j]
            for i in range(k):
                share[t, i, j] /= norm
            new[j] = top + np.log(norm) - 0.5 * (y[t] - means[j]) ** 2
        alpha, new = new, alpha
    top, norm = np.max(alpha), 0.0
    for j in range(k):
        norm += np.exp(alpha[j] - top)
    value = -(top + np.log(norm))

    gradient = np.zeros(len(p))
    alpha_bar, before = np.empty(k), np.empty(k)
    for j in range(k):
        alpha_bar[j] = -np.exp(alpha[j] + value)
    for t in range(T - 1, 0, -1):
        for j in range(k):
            gradient[k * k + j] += alpha_bar[j] * (y[t] - means[j])
        for i in range(k):
            before[i] = 0.0
            for j in range(k):
                flow = alpha_bar[j] * share[t, i, j]
                before[i] += flow
                gradient[k * i + j] += flow
        alpha_bar, before = before, alpha_bar
    for i in range(k):
        gradient[k * k + i] += alpha_bar[i] * (y[0] - means[i])
        row = 0.0
        for j in range(k):
            row += gradient[k * i + j]
        for j in range(k):
            gradient[k * i + j] -= np.exp(transition[i, j]) * row
    return value, gradient


@by_numba
def kalman(p, y):
    """Four states, the first two observed; keeps the predicted covariance, the inverse of S and the innovation."""
    T = len(y)
    F = np.eye(4) + np.diag(np.full(3, 0.1), 1)
    q, r = np.exp(p[0]), np.exp(p[1])
    m, P = np.zeros(4), np.eye(4)
    before, FP = np.empty(4), np.empty((4, 4))
    predicted, inverse = np.empty((T, 4, 4)), np.empty((T, 2, 2))
    weighted, gains = np.empty((T, 2)), np.empty((T, 4, 2))
    total = 0.0
    for t in range(T):
        Pp, Si, u, K = predicted[t], inverse[t], weighted[t], gains[t]
        for i in range(4):
            before[i] = 0.0
            for j in range(4):
                before[i] += F[i, j] * m[j]
                FP[i, j] = 0.0
                for k in range(4):
                    FP[i, j] += F[i, k] * P[k, j]
        for i in range(4):
            for j in range(4):
                Pp[i, j] = q if i == j else 0.0
                for k in range(4):
                    Pp[i, j] += FP[i, k] * F[j, k]
        a, b, c = Pp[0, 0] + r, Pp[0, 1], Pp[1, 1] + r
        det = a * c - b * b
        Si[0, 0], Si[0, 1], Si[1, 0], Si[1, 1] = c / det, -b / det, -b / det, a / det
        v0, v1 = y[t, 0] - before[0], y[t, 1] - before[1]
        u[0], u[1] = Si[0, 0] * v0 + Si[0, 1] * v1, Si[1, 0] * v0 + Si[1, 1] * v1
        total += 0.5 * (np.log(det) + v0 * u[0] + v1 * u[1])
        for i in range(4):
            for j in range(2):
                K[i, j] = Pp[i, 0] * Si[0, j] + Pp[i, 1] * Si[1, j]
            m[i] = before[i] + K[i, 0] * v0 + K[i, 1] * v1
            for j in range(4):
                P[i, j] = Pp[i, j] - K[i, 0] * Pp[0, j] - K[i, 1] * Pp[1, j]

    q_bar = r_bar = 0.0
    m_bar, P_bar, Pp_bar = np.zeros(4), np.zeros((4, 4)), np.empty((4, 4))
    PK, Km, half = np.empty((4, 2)), np.empty(2), np.empty((4, 4))
    for t in range(T - 1, -1, -1):
        u, K, Si = weighted[t], gains[t], inverse[t]
        for j in range(2):
            Km[j] = 0.0
            for i in range(4):
                Km[j] += K[i, j] * m_bar[i]
                PK[i, j] = 0.0
                for k in range(4):
                    PK[i, j] += P_bar[i, k] * K[k, j]
        for i in range(4):
            for j in range(4):
                Pp_bar[i, j] = P_bar[i, j]
        for i in range(4):
            for j in range(2):
                edge = 0.5 * m_bar[i] * u[j] - PK[i, j]
                Pp_bar[i, j] += edge
                Pp_bar[j, i] += edge
        for i in range(2):
            for j in range(2):
                S_bar = 0.5 * (Si[i, j] - u[i] * u[j] - Km[i] * u[j] - u[i] * Km[j])
                for k in range(4):
                    S_bar += K[k, i] * PK[k, j]
                Pp_bar[i, j] += S_bar
                if i == j:
                    r_bar += S_bar
            m_bar[i] -= Km[i] + u[i]
        for i in range(4):
            q_bar += Pp_bar[i, i]
            before[i] = 0.0
            for j in range(4):
                before[i] += F[j, i] * m_bar[j]
                half[i, j] = 0.0
                for k in range(4):
                    half[i, j] += F[k, i] * Pp_bar[k, j]
        for i in range(4):
            m_bar[i] = before[i]
            for j in range(i + 1):  # exactly symmetric: what is not grows
                entry = 0.0
                for k in range(4):
                    entry += half[i, k] * F[k, j]
                P_bar[i, j] = P_bar[j, i] = entry
    return total, np.array([q * q_bar, r * r_bar])


@by_numba
def _slope(p, x, y):
    return p[0] * x - p[1] * x * y, p[3] * x * y - p[2] * y


@by_numba
def _slope_bar(p, x, y, u, v, gradient):
    """Return what the derivatives (u, v) with respect to a slope are with respect to x and y; add those of p."""
    gradient[0] += u * x
    gradient[1] -= u * x * y
    gradient[2] -= v * y
    gradient[3] += v * x * y
    return u * (p[0] - p[1] * y) + v * p[3] * y, v * (p[3] * x - p[2]) - u * p[1] * x


@by_numba
def rk4(p, observed):
    """Predator and prey by Runge and Kutta; keeps the states and takes each step again on the way back."""
    T, h = len(observed), 0.01
    xs, ys = np.empty(T + 1), np.empty(T + 1)
    xs[0], ys[0] = 1.1, 0.5
    total = 0.0
    for t in range(T):
        x, y = xs[t], ys[t]
        a0, a1 = _slope(p, x, y)
        b0, b1 = _slope(p, x + 0.5 * h * a0, y + 0.5 * h * a1)
        c0, c1 = _slope(p, x + 0.5 * h * b0, y + 0.5 * h * b1)
        d0, d1 = _slope(p, x + h * c0, y + h * c1)
        xs[t + 1] = x + h / 6 * (a0 + 2 * b0 + 2 * c0 + d0)
        ys[t + 1] = y + h / 6 * (a1 + 2 * b1 + 2 * c1 + d1)
        total += (xs[t + 1] - observed[t]) ** 2
    gradient = np.zeros(4)
    x_bar = y_bar = 0.0
    for t in range(T - 1, -1, -1):
        x, y = xs[t], ys[t]
        a0, a1 = _slope(p, x, y)
        bx, by = x + 0.5 * h * a0, y + 0.5 * h * a1
        b0, b1 = _slope(p, bx, by)
        cx, cy = x + 0.5 * h * b0, y + 0.5 * h * b1
        c0, c1 = _slope(p, cx, cy)
        x_bar += 2 * (xs[t + 1] - observed[t])
        u, v = h / 6 * x_bar, h / 6 * y_bar
        dx, dy = _slope_bar(p, x + h * c0, y + h * c1, u, v, gradient)
        cx_bar, cy_bar = _slope_bar(p, cx, cy, 2 * u + h * dx, 2 * v + h * dy, gradient)
        bx_bar, by_bar = _slope_bar(p, bx, by, 2 * u + 0.5 * h * cx_bar, 2 * v + 0.5 * h * cy_bar, gradient)
        ax_bar, ay_bar = _slope_bar(p, x, y, u + 0.5 * h * bx_bar, v + 0.5 * h * by_bar, gradient)
        x_bar += dx + cx_bar + bx_bar + ax_bar
        y_bar += dy + cy_bar + by_bar + ay_bar
    return total, gradient
