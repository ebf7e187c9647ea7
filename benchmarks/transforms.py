"""Functions of functions beside an objective: what a call of `value_and_grad(f)` or `hvp(f)` costs above it.

    python -m benchmarks.transforms                 all; about half a minute
    python -m benchmarks.transforms garch global    by the start of their names

The columns are microseconds a call, at one point and with the same data, once warm: `objective(...)`'s own method, the
functional transform, and how much more that is. It asks at each call whether the data, and what the objective reads
outside, are what they were, whatever the length of the tape.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from autoopt import hvp, value_and_grad
from autoopt.objectives.of_data import objective
from benchmarks.measures import SEED, alternate
from benchmarks.recurrences import garch_of_scalars

ROUNDS = 9
SETTINGS = {"scale": 0.5, "shifts": [1.0, 2.0, 3.0]}


class Case(NamedTuple):
    """An objective, its point and its data."""

    name: str
    objective: Callable
    x: np.ndarray
    data: tuple


def rosenbrock(x):
    total = 0.0
    for i in range(len(x) - 1):
        total += 100 * (x[i + 1] - x[i] ** 2) ** 2 + (1 - x[i]) ** 2
    return total


def row_loop(p, table):
    total = 0.0
    for row in table:
        total += (p[0] * row[0] + p[1] * row[1] - row[2]) ** 2
    return total


def logistic(w, X, y):
    z = X @ w
    return np.sum(np.logaddexp(0, z) - y * z)


def global_dictionary(x):
    return SETTINGS["scale"] * np.sum(x**2) + SETTINGS["shifts"][1] * x[0]


class Ridge:
    """An objective with data and settings of its own."""

    def __init__(self, design):
        self.design, self.penalty = design, 0.3

    def __call__(self, w):
        return np.sum((self.design @ w) ** 2) + self.penalty * np.sum(w**2)


def list_of_numbers(x, numbers):
    return np.sum((np.array(numbers) - x[0]) ** 2) + x[1] ** 2


def frame(x, table):
    return np.sum((table["y"] - x[0] - x[1] * table["a"]) ** 2)


def cases(small: bool = False) -> list[Case]:
    """Return all cases, at small sizes for the tests."""
    rng = np.random.default_rng(SEED)
    few = 10 if small else 1000
    X = rng.normal(size=(100 * few, 20))
    found = [
        Case(f"rosenbrock loop n={few}", rosenbrock, np.full(few, 1.1), ()),
        Case(f"row loop {10 * few} rows", row_loop, np.array([0.1, 0.2]), (rng.normal(size=(10 * few, 3)),)),
        Case(f"garch T={few}", garch_of_scalars, np.array([0.1, 0.1, 0.8]), (rng.normal(size=few),)),
        Case(f"logistic {100 * few}x20", logistic, np.full(20, 0.01), (X, (X[:, 0] > 0) * 1.0)),
        Case("global dictionary", global_dictionary, np.ones(3), ()),
        Case("object", Ridge(rng.normal(size=(50, 3))), np.ones(3), ()),
        Case("list of numbers", list_of_numbers, np.ones(2), (rng.normal(size=few // 2).tolist(),)),
    ]
    return found + list(_frames(rng))


def _frames(rng: np.random.Generator) -> Iterator[Case]:
    try:
        import pandas
    except ImportError:
        return
    yield Case("DataFrame", frame, np.ones(2), (pandas.DataFrame(rng.normal(size=(200, 2)), columns=["a", "y"]),))


def calls(case: Case) -> dict[str, Callable[[], Any]]:
    """Return the calls that are compared, by name."""
    made = objective(case.objective, case.x, *case.data)
    both, product = value_and_grad(case.objective), hvp(case.objective)
    direction = np.ones_like(case.x)
    return {
        "v+g objective": lambda: made.value_and_grad(case.x),
        "v+g function": lambda: both(case.x, *case.data),
        "hvp objective": lambda: made.hessp(case.x, direction),
        "hvp function": lambda: product(case.x, direction, *case.data),
    }


def main(starts: list[str]) -> None:
    print(f"{'':24}{'v+g objective':>15}{'function':>10}{'above':>8}{'hvp objective':>15}{'function':>10}{'above':>8}")
    for case in cases():
        if starts and not case.name.startswith(tuple(starts)):
            continue
        warm = calls(case)
        for call in warm.values():
            for _ in range(100):
                call()
        micro = [1e6 * (seconds or np.nan) for seconds in alternate(warm, ROUNDS).values()]
        cells = "".join(f"{own:15.1f}{function:10.1f}{function - own:8.1f}" for own, function in (micro[:2], micro[2:]))
        print(f"{case.name:24}{cells}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
