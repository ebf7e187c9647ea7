"""Runs of a solver inside of another search: from a start of their own, on the same objective, counted with it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from autoopt.solvers.bounds import within
from autoopt.solvers.problem import Problem
from autoopt.solvers.run import run
from autoopt.solvers.table import Solver


def descent(problem: Problem, x: np.ndarray, solver: Solver, settings: dict[str, Any]) -> Any:
    """Return the result of `solver` from `x`, moved into the limits; None where the objective is not defined there."""
    x = within(problem.limits, x)
    if not np.isfinite(x).all() or not np.isfinite(problem.value(x)):
        return None
    with beside(problem, x) as other:
        return run(solver, other, settings)


@contextmanager
def beside(problem: Problem, x: np.ndarray) -> Iterator[Problem]:
    """Give the same problem from the start `x`; what it has counted and found is noted in `problem`."""
    other = Problem(problem.objective, np.array(x), problem.limits, problem.constraints)
    try:
        yield other
    finally:
        for count in ("nfev", "nalone", "nhev", "nhvp"):
            setattr(problem, count, getattr(problem, count) + getattr(other, count))
        problem.undefined += other.undefined
        if other.best_value < problem.best_value:
            problem.best, problem.best_value = other.best, other.best_value
