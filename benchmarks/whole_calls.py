"""Whole calls of `minimize`, verification included, over SciPy's L-BFGS-B with the gradient by hand.

    python -m benchmarks.whole_calls                 all; about two minutes
    python -m benchmarks.whole_calls logistic tiny   by parts of their names

The first table has problems whose arrays count, the second such in which hardly anything is computed. Both sides have
one stopping rule: `gtol` 1e-8 of the gradient at the start, `ftol` 1e-14. They take turns in one process, in which
autoopt's first call, which traces, derives and compiles, is over. Ratios are of medians; "limit" is what must hold,
"evaluations" what each side needed, and "verify" the part of autoopt's call that compares with the original function.
Times are of the processor. An evaluation of the second table is one call of `value_and_grad` at a new point.
"""

from __future__ import annotations

import os
import sys

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import statistics
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from scipy import optimize

import autoopt
from autoopt.objectives.objective import Objective
from benchmarks import problems
from benchmarks.measures import SEED

BUDGET, FEWEST, MOST = 8.0, 7, 400
MILLISECOND = 1e-3


class Call(NamedTuple):
    """An objective with its gradient by hand, both of (x, *data), its start, and the most its ratio may be."""

    name: str
    objective: Callable
    value_and_grad: Callable
    x0: np.ndarray
    data: tuple
    limit: float


def stopping_rule(call: Call) -> dict[str, float]:
    """Return the options of both sides."""
    size = np.abs(call.value_and_grad(call.x0, *call.data)[1]).max()
    return {"gtol": GRADIENT_TOLERANCE * float(size), "ftol": VALUE_TOLERANCE, "maxcor": 10}


GRADIENT_TOLERANCE, VALUE_TOLERANCE = 1e-8, 1e-14
"""Relative to the gradient at the start, and to f: what both sides reach before rounding decides."""


# Small likelihoods, as they are written in a line or two --------------------------------------------------------------


def rosenbrock(x):
    return 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2


def rosenbrock_by_hand(x):
    a, b = x
    c = b - a * a
    return 100 * c * c + (1 - a) ** 2, np.array([-400 * a * c - 2 * (1 - a), 200 * c])


def normal(p, y):
    return np.sum(0.5 * ((y - p[0]) * np.exp(-p[1])) ** 2) + len(y) * p[1]


def normal_by_hand(p, y):
    r, w = y - p[0], np.exp(-2 * p[1])
    square = w * (r @ r)
    return 0.5 * square + len(y) * p[1], np.array([-w * r.sum(), len(y) - square])


def gamma(p, y):
    a, b = np.exp(p[0]), np.exp(p[1])
    return np.sum(b * y - (a - 1) * np.log(y)) - len(y) * (a * np.log(b) - _gammaln(a))


def gamma_by_hand(p, y):
    from scipy.special import digamma, gammaln

    a, b, n = np.exp(p[0]), np.exp(p[1]), len(y)
    total, logs = y.sum(), np.log(y).sum()
    value = b * total - (a - 1) * logs - n * (a * p[1] - gammaln(a))
    return value, np.array([a * (n * (digamma(a) - p[1]) - logs), b * total - n * a])


def _gammaln(a):
    from scipy.special import gammaln

    return gammaln(a)


def calls() -> Iterator[tuple[str, Callable[[], Call]]]:
    """Yield the rows by name; what makes their data."""

    def large(name: str, size: tuple[int, ...], limit: float) -> Call:
        kind = name.split("-")[0]
        x0, data = getattr(problems, f"{kind}_start")(np.random.default_rng(SEED), *size)
        hand = getattr(problems, f"{kind}_value_and_grad")
        return Call(name, getattr(problems, kind), hand, x0, data, limit)

    for kind, size, limit in (
        ("logistic", (10_000, 50), 1.2),
        ("poisson", (100_000, 30), 1.2),
        ("softmax", (5_000, 50, 10), 1.2),
        ("logistic", (1_000_000, 50), 1.1),
    ):
        name = f"{kind}-{'x'.join(map(str, size))}"
        yield name, partial(large, name, size, limit)


def tiny_calls() -> list[Call]:
    """Return the rows in which hardly anything is computed."""
    y = np.random.default_rng(SEED).normal(1.0, 2.0, 100)
    return [
        Call("tiny-rosenbrock", rosenbrock, rosenbrock_by_hand, np.array([-1.2, 1.0]), (), 1.3),
        Call("tiny-normal", normal, normal_by_hand, np.zeros(2), (y,), 1.3),
        Call("tiny-gamma", gamma, gamma_by_hand, np.zeros(2), (np.exp(y / 4),), 1.3),
    ]


# Measured -------------------------------------------------------------------------------------------------------------


def by_autoopt(call: Call, options: dict) -> Any:
    return autoopt.minimize(call.objective, call.x0, args=call.data, method="l-bfgs-b", options=options)


def by_hand(call: Call, options: dict) -> Any:
    return optimize.minimize(call.value_and_grad, call.x0, args=call.data, method="L-BFGS-B", jac=True, options=options)


def in_turns(sides: dict[str, Callable[[], Any]], budget: float = BUDGET) -> dict[str, tuple[float, Any]]:
    """Return the median seconds of a call of each side, and what it returned last, one call of each turn by turn."""
    last = {name: side() for name, side in sides.items()}  # traces, derives, compiles
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    begin, turn = time.perf_counter(), 0
    while turn < FEWEST or (time.perf_counter() - begin < budget and turn < MOST):
        for name in list(sides)[:: -1 if turn % 2 else 1]:
            clock = time.process_time()
            last[name] = sides[name]()
            seconds[name].append(time.process_time() - clock)
        turn += 1
    return {name: (statistics.median(seconds[name]), last[name]) for name in sides}


def row(call: Call) -> tuple[float, float, Any, Any]:
    """Return the seconds of a call of autoopt's and of SciPy's by hand, and their results."""
    options = stopping_rule(call)
    found = in_turns({"autoopt": lambda: by_autoopt(call, options), "by hand": lambda: by_hand(call, options)})
    (ours, result), (theirs, reference) = found["autoopt"], found["by hand"]
    if not (result.success and abs(result.fun - reference.fun) <= 1e-8 * abs(reference.fun) + 1e-10):
        print(f"{call.name}: {result.message}, {result.fun} for {reference.fun}", file=sys.stderr)
    return ours, theirs, result, reference


def evaluations(call: Call) -> tuple[float, float]:
    """Return the seconds of value and gradient of autoopt's and by hand, at a new point each time."""
    f = Objective(call.objective, call.x0, call.data)
    points = call.x0 + 1e-3 * np.random.default_rng(SEED).normal(size=(1000, call.x0.size))

    def many(function: Callable) -> Callable[[], None]:
        def run() -> None:
            for x in points:
                function(x)

        return run

    sides = {"autoopt": many(f.value_and_grad), "by hand": many(lambda x: call.value_and_grad(x, *call.data))}
    found = in_turns(sides, 2.0)
    return found["autoopt"][0] / len(points), found["by hand"][0] / len(points)


def main(names: list[str]) -> None:
    """Print the tables."""

    def is_asked(name: str) -> bool:
        return not names or any(part in name for part in names)

    print(
        f"{'':24}{'autoopt':>10}{'by hand':>10}{'ratio':>7}{'limit':>7}{'evaluations':>14}{'verify':>9}   milliseconds"
    )
    for name, made in calls():
        if is_asked(name):
            call = made()
            ours, theirs, result, reference = row(call)
            print(
                f"{name:24}{1e3 * ours:10.2f}{1e3 * theirs:10.2f}{ours / theirs:7.2f}{call.limit:7.2f}"
                f"{result.nfev:8} /{reference.nfev:4}{1e3 * result.timings['verify']:9.2f}",
                flush=True,
            )
    print(f"\n{'':24}{'autoopt':>10}{'by hand':>10}{'above':>7}{'limit':>7}{'evaluations':>14}{'verify':>9}", end="")
    print(f"{'us each':>9}{'by hand':>9}{'ratio':>7}{'limit':>7}")
    for call in tiny_calls():
        if is_asked(call.name):
            ours, theirs, result, reference = row(call)
            each, each_by_hand = evaluations(call)
            print(
                f"{call.name:24}{1e3 * ours:10.2f}{1e3 * theirs:10.2f}{1e3 * (ours - theirs):7.2f}"
                f"{1e3 * MILLISECOND:7.2f}{result.nfev:8} /{reference.nfev:4}{1e3 * result.timings['verify']:9.2f}"
                f"{1e6 * each:9.2f}{1e6 * each_by_hand:9.2f}{each / each_by_hand:7.2f}{call.limit:7.2f}",
                flush=True,
            )


if __name__ == "__main__":
    main(sys.argv[1:])
