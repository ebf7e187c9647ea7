"""Recurrences beside value and gradient by hand in numba: GARCH, HMM, Kalman, RK4.

    python -m benchmarks.recurrences                all; about a minute
    python -m benchmarks.recurrences garch kalman   by the start of their names

"first s" is from the function to the first gradient, "ours s" and "numba s" what compiling takes until calls are at
full speed (numba's import is not counted), "v+g us" and "hvp us" a call once warm, the latter at a new point each time.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import logsumexp


class Case(NamedTuple):
    """A recurrence, its point and its data; `numba_by_hand` has its gradient under the same name."""

    name: str
    objective: Callable
    x: np.ndarray
    data: tuple


def garch(p, y):
    omega, alpha, beta = p
    s = np.zeros(len(y))
    s[0] = np.var(y)
    for t in range(1, len(y)):
        s[t] = omega + alpha * y[t - 1] ** 2 + beta * s[t - 1]
    return 0.5 * np.sum(np.log(s) + y**2 / s)


def garch_of_scalars(p, y):
    omega, alpha, beta = p
    s = np.var(y)
    total = np.log(s) + y[0] ** 2 / s
    for t in range(1, len(y)):
        s = omega + alpha * y[t - 1] ** 2 + beta * s
        total += np.log(s) + y[t] ** 2 / s
    return 0.5 * total


def forward(p, y, k=3):
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


def cases() -> list[Case]:
    """Return what is measured."""
    rng = np.random.default_rng(0)
    return [
        Case("garch T=2000", garch, np.array([0.1, 0.1, 0.8]), (rng.normal(size=2000),)),
        Case("hmm T=200 K=5", forward, 0.1 * rng.normal(size=30), (rng.normal(size=200), 5)),
        Case("hmm T=5000 K=3", forward, 0.1 * rng.normal(size=12), (rng.normal(size=5000),)),
        Case("kalman T=500", kalman, np.array([0.1, 0.3]), (rng.normal(size=(500, 2)),)),
        Case("rk4 1000 steps", rk4, np.array([1.0, 0.5, 0.4, 0.3]), (rng.normal(size=1000),)),
    ]


def microseconds(function: Callable, *args) -> float:
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


def seconds(function: Callable, *args) -> float:
    """Return what one call takes."""
    begin = time.perf_counter()
    function(*args)
    return time.perf_counter() - begin


def measure(case: Case) -> str:
    """Return one line of the table."""
    import autoopt
    from autoopt.execution import tiering
    from benchmarks import numba_by_hand

    x, ones = case.x, np.ones(len(case.x))
    by_hand = getattr(numba_by_hand, case.objective.__name__)
    numba_compiles = seconds(by_hand, x, *case.data)
    begin = time.perf_counter()
    objective = autoopt.objective(case.objective, x, *case.data)
    gradient = objective.value_and_grad(x)[1]
    first = time.perf_counter() - begin
    patience = tiering.COST, tiering.LINE
    tiering.COST, tiering.LINE = 0.0, 0.0  # from now on all that can be compiled is
    compiles = objective.timings["compile"] + seconds(objective.value_and_grad, x)
    ours, hand = microseconds(objective.value_and_grad, x), microseconds(by_hand, x, *case.data)
    points = [x, x + 1e-9]

    def product() -> np.ndarray:
        points.reverse()
        return objective.hessp(points[0], ones)

    second = microseconds(product)
    tiering.COST, tiering.LINE = patience
    expected = by_hand(x, *case.data)[1]
    error = np.max(np.abs(gradient - expected)) / np.max(np.abs(expected))
    waits = f"{objective.timings['trace']:8.2f} {first:8.2f} {compiles:7.2f} {numba_compiles:8.2f}"
    calls = f"{ours:9.1f} {hand:9.1f} {ours / hand:7.2f} {second:9.1f} {second / ours:9.2f}"
    return f"{case.name:16} {waits} {calls} {error:9.0e}"


def main(wanted: Sequence[str]) -> None:
    """Print the table; nothing comes from a cache."""
    os.environ["AUTOOPT_CACHE"] = "off"
    waits = f"{'trace s':>8} {'first s':>8} {'ours s':>7} {'numba s':>8}"
    calls = f"{'v+g us':>9} {'hand us':>9} {'ratio':>7} {'hvp us':>9} {'hvp/grad':>9}"
    print(f"{'':16} {waits} {calls} {'error':>9}")
    for case in cases():
        if not wanted or any(case.name.startswith(word) for word in wanted):
            print(measure(case), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
