"""A local linear trend by the Kalman filter.

By hand the score is that of the disturbance smoother (Koopman and Shephard 1992, Biometrika 79).
"""

import numpy as np


def objective(theta, y):
    q_level, q_slope, r = np.exp(theta)
    T, Z = np.array([[1.0, 1.0], [0.0, 1.0]]), np.array([1.0, 0.0])
    a, P, Q = np.array([y[0], 0.0]), 10.0 * np.eye(2), np.diag([q_level, q_slope])
    value = 0.0
    for t in range(len(y)):
        v = y[t] - Z @ a
        F = Z @ P @ Z + r
        K = T @ P @ Z / F
        value += 0.5 * (np.log(F) + v**2 / F)
        a = T @ a + K * v
        P = T @ P @ T.T + Q - F * np.outer(K, K)
    return value


def value_and_grad(theta, y):
    Q, r = np.diag(np.exp(theta[:2])), np.exp(theta[2])
    T, Z = np.array([[1.0, 1.0], [0.0, 1.0]]), np.array([1.0, 0.0])
    a, P = np.array([y[0], 0.0]), 10.0 * np.eye(2)
    steps, n = [], len(y)
    v, F = np.empty(n), np.empty(n)
    for t in range(n):
        PZ = P[:, 0]
        v[t], F[t] = y[t] - a[0], PZ[0] + r
        K = T @ PZ / F[t]
        L = T - np.outer(K, Z)
        steps.append((K, L))
        a = T @ a + K * v[t]
        P = T @ P @ L.T + Q
    value = 0.5 * np.sum(np.log(F) + v**2 / F)
    by_Q, by_r, s, N = np.zeros((2, 2)), 0.0, np.zeros(2), np.zeros((2, 2))
    for t in range(n - 1, -1, -1):
        K, L = steps[t]
        by_Q += N - np.outer(s, s)
        by_r += 1 / F[t] + K @ N @ K - (v[t] / F[t] - K @ s) ** 2
        s, N = L.T @ s, L.T @ N @ L
        s[0] += v[t] / F[t]
        N[0, 0] += 1 / F[t]
    gradient = 0.5 * np.append(np.diag(by_Q * Q), by_r * r)
    return value, gradient


def start(rng):
    slope = np.cumsum(0.05 * rng.normal(size=300))
    level = np.cumsum(slope + 0.3 * rng.normal(size=300))
    return np.array([-1.0, -3.0, 0.2]), (level + rng.normal(size=300),)
