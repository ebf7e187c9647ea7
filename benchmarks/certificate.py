"""What the certificate takes: the share of "periodic" in runs of different sizes, and the calls of the original.

``python -m benchmarks.certificate [NAME ...]`` prints for each problem how often the original was called at the start
and at the solution with ``verify="start"`` (at most 6 and 2), and with ``verify="periodic"`` the seconds of the run,
how many iterates were compared, and which part of the run's time that took (at most 2 %).
"""

from __future__ import annotations

import statistics
import sys
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

import autoopt
from autoopt.objectives.objective import Objective
from autoopt.objectives.retained import forget
from autoopt.verification import periodic
from autoopt.verification.points import compare
from benchmarks.problems import PROBLEMS, Problem

RUNS = {
    "rosenbrock-10": "bfgs",
    "rosenbrock-1000": "l-bfgs-b",
    "logistic-10000x50": "newton-cg",
    "poisson-10000x20": "trust-exact",
    "softmax-5000x20x10": "l-bfgs-b",
    "network-2000x10-32-16-1": "l-bfgs-b",
    "rosenbrock-loop-1000": "l-bfgs-b",
}
"""The problems, each with the method of its run."""

REPEATS, ITERATIONS = 5, {"maxiter": 300}


@dataclass
class Looks:
    """The seconds that were spent on iterates."""

    seconds: float = 0.0

    def timed(self, look: Any) -> Any:
        """Return `Periodic.look` with its seconds added up."""

        def timed(watch: Any, x: np.ndarray) -> None:
            begin = time.perf_counter()
            try:
                look(watch, x)
            finally:
                self.seconds += time.perf_counter() - begin

        return timed


def calls(problem: Problem, method: str) -> tuple[int, int]:
    """Return the calls of the original for the comparison at the start, and for that at the solution."""
    forget()
    x0, data = problem.start(np.random.default_rng(0), *problem.size)
    first = compare(Objective(problem.objective, x0, data), x0).evaluations
    whole = autoopt.minimize(problem.objective, x0, data, method=method, options=ITERATIONS).verification.evaluations
    return first, whole - first


def share(problem: Problem, method: str) -> tuple[float, int, float]:
    """Return the seconds of a run with `verify="periodic"`, the iterates compared, and the part that these took."""
    x0, data = problem.start(np.random.default_rng(0), *problem.size)
    look, looks = periodic.Periodic.look, Looks()
    periodic.Periodic.look = looks.timed(look)  # type: ignore[method-assign]
    try:
        forget()
        result = autoopt.minimize(problem.objective, x0, data, method=method, options=ITERATIONS, verify="periodic")
    finally:
        periodic.Periodic.look = look  # type: ignore[method-assign]
    seconds = result.timings["solve"]
    return seconds, result.verification.iterates, looks.seconds / seconds


def main(parts: list[str]) -> None:
    """Print the table for the problems whose names have one of `parts`."""
    print(f"{'problem':26}{'method':14}{'start':>6}{'end':>5}{'seconds':>10}{'iterates':>10}{'share':>9}")
    for name, method in RUNS.items():
        if parts and not any(part in name for part in parts):
            continue
        problem = PROBLEMS[name]
        first, last = calls(problem, method)
        rows = [share(problem, method) for _ in range(REPEATS)]
        seconds, iterates, part = (statistics.median(column) for column in zip(*rows, strict=True))
        print(f"{problem.name:26}{method:14}{first:6}{last:5}{seconds:10.3f}{iterates:10.0f}{part:9.2%}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
