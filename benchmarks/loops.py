"""Objectives written as Python loops, beside the arrays that they mean: steps before and after, times, ratios.

    python -m benchmarks.loops            all; about a minute
    python -m benchmarks.loops rosenbrock

"first" is from the function to the first gradient, with an empty cache; "evaluation" is the median of value and
gradient afterwards, "ratio" that over value and gradient of hand-written NumPy in the same run.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from typing import Any, NamedTuple

os.environ["AUTOOPT_CACHE"] = "off"
for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

import numpy as np  # noqa: E402


class Case(NamedTuple):
    """A loop, its point and data, and value and gradient written by hand."""

    name: str
    loop: Callable
    x: np.ndarray
    args: tuple
    by_hand: Callable


def rosenbrock(x):
    s = 0.0
    for i in range(len(x) - 1):
        s += 100 * (x[i + 1] - x[i] ** 2) ** 2 + (1 - x[i]) ** 2
    return s


def rosenbrock_by_hand(x):
    r, u = x[1:] - x[:-1] ** 2, 1 - x[:-1]
    gradient = np.zeros_like(x)
    gradient[1:] = 200 * r
    gradient[:-1] -= 400 * x[:-1] * r + 2 * u
    return 100 * r @ r + u @ u, gradient


def rows(w, X, y):
    nll = 0.0
    for i in range(len(y)):
        z = 0.0
        for j in range(len(w)):
            z += X[i, j] * w[j]
        nll += np.log(1 + np.exp(-y[i] * z))
    return nll


def rows_by_hand(w, X, y):
    m = -y * (X @ w)
    e = np.exp(m)
    return np.log(1 + e).sum(), -X.T @ (y * e / (1 + e))


def ragged(x, sizes):
    nll, start = 0.0, 0
    for size in sizes:
        group = 0.0
        for k in range(size):
            v = x[start + k]
            if v > 0:
                group += v**2
            else:
                group += np.exp(v)
        nll += np.log(1 + group)
        start += size
    return nll


def ragged_by_hand(x, sizes):
    owner = np.repeat(np.arange(len(sizes)), sizes)
    up = x > 0
    term = np.where(up, x**2, np.exp(x))
    group = np.bincount(owner, term, len(sizes))
    return np.log(1 + group).sum(), np.where(up, 2 * x, term) / (1 + group)[owner]


_ELEMENTS = {
    "square": lambda v, p: p * v**2,
    "root": lambda v, p: np.sqrt(p + v * v),
    "logarithm": lambda v, p: np.log(1 + p * v * v),
    "product": lambda v, p: v * np.exp(-p * v),
}


def dispatch(x, groups):
    out = np.zeros(len(groups))
    for k, (members, scale) in enumerate(groups):
        value = 0.0
        for name, index, p in members:
            value += _ELEMENTS[name](x[index], p)
        out[k] = value * scale
    return np.sum(np.sqrt(1 + out**2))


def cases() -> list[Case]:
    """Return what is measured."""
    rng = np.random.default_rng(1)
    sizes = (10, 100, 1000, 10000)
    found = [Case(f"rosenbrock n={n}", rosenbrock, rng.normal(size=n), (), rosenbrock_by_hand) for n in sizes]
    X, y = rng.normal(size=(10000, 3)), np.sign(rng.normal(size=10000))
    found.append(Case("rows 10000 x 3", rows, 0.3 * rng.normal(size=3), (X, y), rows_by_hand))
    sizes = rng.integers(1, 8, 2000).tolist()
    found.append(Case("ragged 2000 groups", ragged, rng.normal(size=sum(sizes)), (sizes,), ragged_by_hand))
    names = list(_ELEMENTS)
    members = []
    for m in rng.integers(1, 6, 1000):
        drawn = zip(rng.integers(0, 4, m), rng.integers(0, 500, m), rng.uniform(0.5, 2, m), strict=True)
        members.append([(names[k], int(i), float(p)) for k, i, p in drawn])
    groups = [(one, float(s)) for one, s in zip(members, rng.uniform(1, 2, 1000), strict=True)]
    x = rng.normal(size=500)
    found.append(Case("dispatch 1000 groups", dispatch, x, (groups,), _dispatch_by_hand(groups)))
    return found


def _dispatch_by_hand(groups: list) -> Callable:
    """Return value and gradient of `dispatch` with its elements sorted by kind."""
    rows_of = {name: ([], [], []) for name in _ELEMENTS}
    for k, (members, _) in enumerate(groups):
        for name, index, p in members:
            for column, entry in zip(rows_of[name], (k, index, p), strict=True):
                column.append(entry)
    kinds = {name: tuple(map(np.array, columns)) for name, columns in rows_of.items()}
    scale = np.array([s for _, s in groups])

    def by_hand(x: np.ndarray, _: Any) -> tuple[float, np.ndarray]:
        total, slopes = np.zeros(len(groups)), {}
        for name, (k, i, p) in kinds.items():
            v = x[i]
            if name == "square":
                term, slopes[name] = p * v**2, 2 * p * v
            elif name == "root":
                term = np.sqrt(p + v * v)
                slopes[name] = v / term
            elif name == "logarithm":
                term, slopes[name] = np.log(1 + p * v * v), 2 * p * v / (1 + p * v * v)
            else:
                e = np.exp(-p * v)
                term, slopes[name] = v * e, e * (1 - p * v)
            total += np.bincount(k, term, len(groups))
        out = total * scale
        root = np.sqrt(1 + out**2)
        up = out / root * scale
        gradient = np.zeros_like(x)
        for name, (k, i, _) in kinds.items():
            gradient += np.bincount(i, up[k] * slopes[name], len(x))
        return root.sum(), gradient

    return by_hand


def median(function: Callable[[], Any], seconds: float = 0.5) -> float:
    """Return the median seconds of a call."""
    times: list[float] = []
    start = time.perf_counter()
    while time.perf_counter() - start < seconds or len(times) < 7:
        clock = time.perf_counter()
        function()
        times.append(time.perf_counter() - clock)
    return float(np.median(times))


def measure(case: Case) -> str:
    """Return one line of the table."""
    from autoopt.objective import Objective
    from autoopt.tape.batching import vectorise

    clock = time.perf_counter()
    objective = Objective(case.loop, case.x, case.args)
    value, gradient = objective.value_and_grad(case.x)
    first = time.perf_counter() - clock
    tape = objective._paths[0].trace.tape
    expected = case.by_hand(case.x, *case.args)
    error = np.max(np.abs(gradient - expected[1])) / np.max(np.abs(expected[1])) + abs(value / expected[0] - 1)
    ours = median(lambda: objective.value_and_grad(case.x))
    theirs = median(lambda: case.by_hand(case.x, *case.args))
    steps = f"{len(tape.steps):>8} {len(vectorise(tape).steps):>5}"
    times = f"{objective.timings['trace']:8.2f} {first:8.2f} {ours * 1e6:10.0f} {theirs * 1e6:10.0f}"
    return f"{case.name:24}{steps} {times} {ours / theirs:6.2f} {error:9.0e}"


def main() -> None:
    """Print the table."""
    from autoopt.objective import Objective

    Objective(lambda x: np.sum(x**2), np.ones(2)).grad(np.ones(2))  # the imports
    times = f"{'trace s':>8} {'first s':>8} {'eval us':>10} {'hand us':>10}"
    print(f"{'':24}{'steps':>8} {'after':>5} {times} {'ratio':>6} {'error':>9}")
    for case in cases():
        if not sys.argv[1:] or any(part in case.name for part in sys.argv[1:]):
            print(measure(case), flush=True)


if __name__ == "__main__":
    main()
