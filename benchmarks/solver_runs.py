"""One run of a method on a published problem, judged by the values that are published and by SciPy on its own."""

from __future__ import annotations

import sys
import time
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from autoopt import minimize
from autoopt.errors import AutooptError
from autoopt.objectives.objective import Objective
from autoopt.solvers import SOLVERS
from benchmarks.processes import ROOT

sys.path.append(str(ROOT / "tests" / "cases"))  # the problems are those of the tests
from constrained_problems import PROBLEMS
from smooth_problems import SMOOTH, Smooth

AUTO = "auto"
"""What method=None is called here."""

NEAR, NOTHING, FEASIBLE = 1e-8, 1e-10, 1e-7
"""How near to a published value the value is, relative to it, and for 0 relative to that at the start, at most 1."""


@dataclass(frozen=True)
class Run:
    """How one run ended; `false` is "success" or "failure" where what it says of itself is not so, else ""."""

    problem: str
    method: str
    value: float
    solved: bool
    success: bool
    false: str
    evaluations: int
    products: int
    seconds: float
    message: str


def methods_for(problem: Smooth) -> list[str]:
    """Return the methods that take a problem, and "auto"."""
    fit = (name for name, row in SOLVERS.items() if row.is_installed and (not problem.bounds or "bounds" in row.takes))
    return [*fit, AUTO]


def run(name: str, method: str) -> Run:
    """Return how `method` ends on a smooth problem."""
    problem = SMOOTH[name]
    result, seconds = _minimised(problem.f, problem.x0, method, bounds=problem.bounds)
    if isinstance(result, Exception):
        return Run(name, method, np.nan, False, False, "error", 0, 0, seconds, f"{type(result).__name__}: {result}")
    solved = is_published(problem, result.fun)
    false = "failure" if solved and not result.success else ""
    if result.success and not solved and (problem.kind == "infinity" or lower_near(problem, result.x, result.fun)):
        false = "success"
    return _told(name, method, result, solved, false, seconds)


def run_constrained(number: int, method: str) -> Run:
    """Return how `method` ends on a problem of Hock and Schittkowski with constraints."""
    problem, name = PROBLEMS[number], f"hs{number}"
    kinds = (("eq", problem.equal), ("ineq", problem.inside))
    constraints = [{"type": kind, "fun": fun} for kind, fun in kinds if fun]
    options = {"bounds": problem.bounds, "constraints": constraints}
    result, seconds = _minimised(problem.f, np.array(problem.x0), method, **options)
    if isinstance(result, Exception):
        return Run(name, method, np.nan, False, False, "error", 0, 0, seconds, f"{type(result).__name__}: {result}")
    gaps = [np.max(np.abs(problem.equal(result.x)))] if problem.equal else []
    gaps += [np.max(-np.asarray(problem.inside(result.x)), initial=0.0)] if problem.inside else []
    near = (abs(result.fun - v) <= FEASIBLE * max(1.0, abs(v)) for v in (problem.lowest, *problem.other))
    solved = max(gaps) <= FEASIBLE and any(near)
    false = "" if solved == result.success else "success" if result.success else "failure"
    return _told(name, method, result, solved, false, seconds)


def is_published(problem: Smooth, value: float) -> bool:
    """Whether a value is that of one of the problem's minima."""
    nothing = (NEAR if problem.kind == "singular" else NOTHING) * min(1.0, abs(float(problem.f(problem.x0))))
    return any(abs(value - one) <= (NEAR * abs(one) if one else nothing) for one in problem.values)


def lower_near(problem: Smooth, x: np.ndarray, value: float) -> bool:
    """Whether f falls from `x`, or from points beside it: SciPy's own methods say so, or f is flat along a parameter.

    It need not be a minimum that is published. From beside it they reach the same value again if it is one.
    """
    from scipy.optimize import Bounds
    from scipy.optimize import minimize as scipys

    low, high = _limits(problem)
    room = 0.03 * np.maximum(np.abs(x), 0.1)  # there may be other minima a little farther off
    low, high = np.maximum(low, x - room), np.minimum(high, x + room)
    objective, rng = Objective(problem.f, problem.x0), np.random.default_rng(0)
    starts = [x, *(x + 1e-3 * rng.normal(size=x.size) * np.maximum(np.abs(x), 1e-2) for _ in range(3))]
    lowest = value
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        for start in starts:
            ends = {"ftol": 0.0, "gtol": 0.0, "maxiter": 2000, "maxfun": 4000}
            start = np.clip(start, low, high)
            found = scipys(
                objective.value_and_grad, start, jac=True, method="L-BFGS-B", bounds=Bounds(low, high), options=ends
            )
            lowest = min(lowest, found.fun)
    scale = abs(float(problem.f(problem.x0)))
    fallen = value - lowest
    if fallen > max(1e-7 * abs(value), NOTHING * min(1.0, scale)):
        return True
    return problem.kind != "singular" and _is_flat(problem, x, value)


def _is_flat(problem: Smooth, x: np.ndarray, value: float) -> bool:
    """Whether f does not change where one parameter does, by a tenth: no published minimum of ours is like that."""
    low, high = _limits(problem)
    for k in np.flatnonzero(low < high):
        beside = []
        for factor in (0.9, 1.1):
            moved = x.copy()
            moved[k] = np.clip(x[k] * factor if x[k] else factor - 1, low[k], high[k])
            beside.append(abs(float(problem.f(moved)) - value) <= 1e-14 * abs(value))
        if all(beside):
            return True
    return False


def _limits(problem: Smooth) -> tuple[np.ndarray, np.ndarray]:
    """Return the lower and the upper limits, infinite where there are none."""
    pairs = problem.bounds or [(None, None)] * problem.x0.size
    low = np.array([-np.inf if pair[0] is None else pair[0] for pair in pairs])
    return low, np.array([np.inf if pair[1] is None else pair[1] for pair in pairs])


def _minimised(f: Any, x0: np.ndarray, method: str, **options: Any) -> tuple[Any, float]:
    """Return the result, or the error, and the seconds of the processor."""
    began = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            result: Any = minimize(f, x0, method=None if method == AUTO else method, **options)
        except (AutooptError, ValueError, ArithmeticError) as error:
            result = error
    return result, time.process_time() - began


def _told(name: str, method: str, result: Any, solved: bool, false: str, seconds: float) -> Run:
    counts = int(result.nfev), int(result.nhev)
    ends = float(result.fun), bool(solved), bool(result.success)
    return Run(name, method, *ends, false, *counts, seconds, str(result.message))
