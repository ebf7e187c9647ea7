"""Recurrences beside hand-written numba: GARCH, HMM, Kalman, RK4; run as `python benchmarks/recurrences.py [name ...]`.

One row for each problem: seconds to the first gradient and its parts, microseconds of value and gradient once warm,
of a product
with the Hessian at a new point, and of the gradient by hand where there is one.
"""

from __future__ import annotations

import sys
import time

import numpy as np
from scipy.special import logsumexp

import autoopt
from autoopt import hot


def garch(p, y):
    omega, alpha, beta = p
    s = np.zeros(len(y))
    s[0] = np.var(y)
    for t in range(1, len(y)):
        s[t] = omega + alpha * y[t - 1] ** 2 + beta * s[t - 1]
    return 0.5 * np.sum(np.log(s) + y**2 / s)


def forward(p, y, k):
    logits = p[: k * k].reshape(k, k)
    transition = logits - logsumexp(logits, axis=1)[:, None]
    alpha = -0.5 * (y[0] - p[k * k :]) ** 2
    for t in range(1, len(y)):
        alpha = logsumexp(alpha[:, None] + transition, axis=0) - 0.5 * (y[t] - p[k * k :]) ** 2
    return -logsumexp(alpha)


def kalman(p, y):
    F = np.eye(4) + np.diag(np.full(3, 0.1), 1)
    H = np.eye(4)[:2]
    Q, R = np.exp(p[0]) * np.eye(4), np.exp(p[1]) * np.eye(2)
    m, P, total = np.zeros(4), np.eye(4), 0.0
    for t in range(len(y)):
        m, P = F @ m, F @ P @ F.T + Q
        S = H @ P @ H.T + R
        v = y[t] - H @ m
        gain = np.linalg.solve(S, H @ P).T
        total += 0.5 * (np.linalg.slogdet(S)[1] + v @ np.linalg.solve(S, v))
        m, P = m + gain @ v, P - gain @ S @ gain.T
    return total


def rk4(p, observed):
    def slope(x, y):
        return p[0] * x - p[1] * x * y, p[3] * x * y - p[2] * y

    x, y, h, total = 1.1, 0.5, 0.01, 0.0
    for value in observed:
        a = slope(x, y)
        b = slope(x + 0.5 * h * a[0], y + 0.5 * h * a[1])
        c = slope(x + 0.5 * h * b[0], y + 0.5 * h * b[1])
        d = slope(x + h * c[0], y + h * c[1])
        x = x + h / 6 * (a[0] + 2 * b[0] + 2 * c[0] + d[0])
        y = y + h / 6 * (a[1] + 2 * b[1] + 2 * c[1] + d[1])
        total += (x - value) ** 2
    return total


def garch_by_hand(y):
    """Return a numba function for value and gradient, by derivatives carried forward."""
    from numba import njit

    start = np.var(y)

    @njit
    def value_and_grad(p):
        s, d, total, gradient = start, np.zeros(3), np.log(start) + y[0] ** 2 / start, np.zeros(3)
        for t in range(1, len(y)):
            for k in range(3):
                d[k] *= p[2]
            d[0] += 1.0
            d[1] += y[t - 1] ** 2
            d[2] += s
            s = p[0] + p[1] * y[t - 1] ** 2 + p[2] * s
            total += np.log(s) + y[t] ** 2 / s
            slope = 1.0 / s - y[t] ** 2 / s**2
            for k in range(3):
                gradient[k] += slope * d[k]
        return 0.5 * total, 0.5 * gradient

    return value_and_grad


def problems(rng):
    """Yield (name, objective, x0, data, hand-written function or None)."""
    y = rng.normal(size=2000)
    yield "garch T=2000", garch, np.array([0.1, 0.1, 0.8]), (y,), garch_by_hand(y)
    yield "hmm T=200 K=5", forward, 0.1 * rng.normal(size=30), (rng.normal(size=200), 5), None
    yield "hmm T=5000 K=3", forward, 0.1 * rng.normal(size=12), (rng.normal(size=5000), 3), None
    yield "kalman T=500", kalman, np.array([0.1, 0.3]), (rng.normal(size=(500, 2)),), None
    yield "rk4 1000 steps", rk4, np.array([1.0, 0.5, 0.4, 0.3]), (rng.normal(size=1000),), None


def microseconds(function, *args):
    """Return the best of five means."""
    function(*args)
    begin = time.perf_counter()
    function(*args)
    count = max(1, int(0.05 / (time.perf_counter() - begin)))
    means = []
    for _ in range(5):
        begin = time.perf_counter()
        for _ in range(count):
            function(*args)
        means.append((time.perf_counter() - begin) / count)
    return 1e6 * min(means)


def main(wanted):
    print(f"{'problem':16} {'trace s':>8} {'first s':>8} {'v+g us':>9} {'hvp us':>9} {'hand us':>9} {'ratio':>6}")
    for name, f, x0, data, hand in problems(np.random.default_rng(0)):
        if wanted and not any(name.startswith(word) for word in wanted):
            continue
        begin = time.perf_counter()
        objective = autoopt.objective(f, x0, *data)
        objective.value_and_grad(x0)
        first = time.perf_counter() - begin
        hot.COST = 0.0  # warm: every loop that can be compiled is
        gradient = microseconds(objective.value_and_grad, x0)
        points = [x0, x0 + 1e-9]
        ones = np.ones(len(x0))

        def product(points=points, objective=objective, ones=ones):
            points.reverse()
            return objective.hessp(points[0], ones)

        hessian = microseconds(product)
        hot.COST = 0.6
        by_hand = microseconds(hand, x0) if hand else np.nan
        times = (gradient, hessian, by_hand)
        trace = objective.timings.get("trace", np.nan)
        print(
            f"{name:16} {trace:8.2f} {first:8.2f} {' '.join(f'{t:9.1f}' for t in times)} {gradient / by_hand:6.2f}",
            flush=True,
        )


if __name__ == "__main__":
    main(sys.argv[1:])
