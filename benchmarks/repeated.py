"""Repeated fits: what the first call costs, and each later one, which knows what the first has found out.

    python -m benchmarks.repeated              all; about a minute
    python -m benchmarks.repeated bootstrap    by the start of their names

The columns are milliseconds of CPU time a call: the first one of the process, of which most is paid once, the median of
the later ones, and that of calls which nothing is known to, as it was before results were kept. "verify" is the part of
a later call that compares with the original function.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from scipy import optimize

import autoopt
from autoopt.objectives import retained
from benchmarks.measures import SEED

ROWS, CALLS, UNKNOWN = 10_000, 200, 5
X0 = np.zeros(2)


class Case(NamedTuple):
    """A call that is made again and again; it takes the number of the call."""

    name: str
    call: Callable
    calls: int = CALLS


def normal(p, y):
    return np.mean(0.5 * ((y - p[0]) * np.exp(-p[1])) ** 2) + p[1]


def rows(p, y):
    total = 0.0
    for value in y:
        total = total + 0.5 * ((value - p[0]) * np.exp(-p[1])) ** 2 + p[1]
    return total / len(y)


def normal_gradient(p, y):
    residual, precision = y - p[0], np.exp(-2 * p[1])
    return np.array([-precision * np.mean(residual), 1 - precision * np.mean(residual**2)])


def cases() -> Iterator[Case]:
    rng = np.random.default_rng(SEED)
    y = rng.normal(1.0, 2.0, ROWS)
    samples = [rng.choice(y, ROWS // 10) for _ in range(CALLS)]
    levels = np.linspace(0.0, 1.0, CALLS)
    yield Case("loop of 10 000 rows", lambda k: autoopt.minimize(rows, X0, args=(y,)), 10)
    yield Case("array of 10 000 rows", lambda k: autoopt.minimize(normal, X0, args=(y,)))
    yield Case("bootstrap, args", lambda k: autoopt.minimize(normal, X0, args=(samples[k],)))
    yield Case("bootstrap, lambda", lambda k: _fit_lambda(samples[k]))
    yield Case("bootstrap of a loop", lambda k: autoopt.minimize(rows, X0, args=(samples[k],)), 40)
    yield Case("profile of a number", lambda k: _profile(levels[k], samples[0]))
    yield Case("scipy, jac=grad(f)", lambda k: _by_scipy(samples[k], autoopt.grad(normal)))
    yield Case("scipy, by hand", lambda k: _by_scipy(samples[k], normal_gradient))


def _fit_lambda(y):
    return autoopt.minimize(lambda p: normal(p, y), X0)


def _profile(level, y):
    return autoopt.minimize(lambda m: normal(np.array([m[0], level]), y), X0[:1])


def _by_scipy(y, gradient):
    return optimize.minimize(normal, X0, args=(y,), jac=gradient)


def _milliseconds(call: Callable[[], object]) -> tuple[float, float]:
    """Return what a call takes, and of that the comparison with the original function."""
    start = time.process_time()
    result = call()
    return 1e3 * (time.process_time() - start), 1e3 * getattr(result, "timings", {}).get("verify", np.nan)


def measured(case: Case) -> tuple[float, float, float, float]:
    """Return the milliseconds of the first call, of a later one, of its verification, and of one without knowledge."""
    retained.forget()
    first = _milliseconds(lambda: case.call(0))[0]
    later = np.median([_milliseconds(lambda k=k: case.call(k)) for k in range(1, case.calls)], axis=0)
    unknown = []
    for k in range(UNKNOWN):
        retained.forget()
        unknown.append(_milliseconds(lambda k=k: case.call(k))[0])
    return first, float(later[0]), float(later[1]), float(np.median(unknown))


def main(names: list[str]) -> None:
    print(f"{'':24}{'first':>10}{'later':>10}{'verify':>10}{'unknown':>10}   ms of CPU time")
    for case in cases():
        if not names or case.name.startswith(tuple(names)):
            print(f"{case.name:24}" + "".join(f"{value:10.2f}" for value in measured(case)), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
