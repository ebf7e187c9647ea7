"""What is measured of a tool on a problem, in seconds or bytes. `run.py` sets the threads before it imports this.

Each measure is one decorated function that returns tool -> number; tools take turns within every round, so that
whatever else the machine does falls on all of them alike.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import cycle
from pathlib import Path

import numpy as np

from benchmarks.peers import TOOLS, Derivatives
from benchmarks.problems import PROBLEMS, Problem

ROUND = 0.03  # seconds that one tool's turn lasts at least
GRADIENT_TOLERANCE = 1e-6  # of the whole solve, relative to the gradient at the start
LARGEST_HESSIAN = 500
SEED = 20240601


@dataclass(frozen=True)
class Measure:
    """A question to all tools: `run(problem, tools, rounds)` returns a dict of tool to number, None if it has none.

    One that is `absolute` shows every tool's own number on the trivial problem; the others show ratios on the rest.
    """

    name: str
    title: str
    run: Callable[[Problem, list[str], int], dict[str, float | None]]
    absolute: bool = False

    def covers(self, problem: Problem) -> bool:
        """Return whether the question is put to this problem."""
        return self.absolute == (problem.name == "trivial")


MEASURES: dict[str, Measure] = {}


def measure(name: str, title: str, absolute: bool = False) -> Callable:
    """Enter the decorated function in MEASURES."""
    return lambda run: MEASURES.setdefault(name, Measure(name, title, run, absolute)).run


def attempt(doing: str, call: Callable[[], object]) -> object:
    """Return what the call returns, None after a line on stderr if a tool cannot do it: the others go on."""
    try:
        return call()
    except Exception as error:
        print(f"{doing}: {type(error).__name__}: {error}", file=sys.stderr)
        return None


def started(problem: Problem) -> tuple[np.ndarray, tuple]:
    """Return x0 and the data of a problem, the same in every process."""
    return problem.start(np.random.default_rng(SEED), *problem.size)


def point(x0: np.ndarray) -> np.ndarray:
    """Return a point near the start at which nothing is special."""
    return x0 + 0.1 * np.random.default_rng(SEED + 1).normal(size=x0.size)


# In one process, alternating.


def alternate(
    calls: dict[str, Callable | None], rounds: int, clock: Callable[[], float] = time.perf_counter
) -> dict[str, float | None]:
    """Return the median over the rounds of each call's mean seconds; None where a call is None or fails."""
    repeats = {name: attempt(name, partial(_repeats, call, clock)) for name, call in calls.items() if call}
    repeats = {name: count for name, count in repeats.items() if count}
    seconds: dict[str, list[float]] = {name: [] for name in repeats}
    for turn in range(rounds):
        for name in list(repeats)[:: -1 if turn % 2 else 1]:
            seconds[name].append(_seconds(calls[name], repeats[name], clock) / repeats[name])
    return {name: statistics.median(seconds[name]) if name in seconds else None for name in calls}


def _repeats(call: Callable, clock: Callable[[], float]) -> int:
    """Return how many calls fill a round, after one call that compiles and one that does not."""
    call()
    return max(1, round(ROUND / max(_seconds(call, 1, clock), 1e-7)))


def _seconds(call: Callable, repeats: int, clock: Callable[[], float]) -> float:
    start = clock()
    for _ in range(repeats):
        call()
    return clock() - start


def _calls(problem: Problem, tools: list[str], call: Callable[[Derivatives, np.ndarray], Callable | None]) -> dict:
    """Return tool -> call(derivatives, x) at one common point; None for a tool that cannot do the problem."""
    x0, data = started(problem)
    x = point(x0)
    built = {name: attempt(name, partial(TOOLS[name], problem, x0, data)) for name in tools}
    return {name: call(derivatives, x) if derivatives else None for name, derivatives in built.items()}


@measure("value-and-grad", "Value and gradient, per call")
def value_and_grad(problem, tools, rounds):
    """Seconds of one evaluation at a fixed point."""
    return alternate(_calls(problem, tools, lambda d, x: d.value_and_grad and partial(d.value_and_grad, x)), rounds)


@measure("overhead", "Value and gradient of a trivial objective, per call", absolute=True)
def overhead(problem, tools, rounds):
    """Seconds of one evaluation that hardly computes anything."""
    return value_and_grad(problem, tools, rounds)


@measure("hvp", "Hessian-vector product, per call at one x")
def hvp(problem, tools, rounds):
    """Seconds of one product with another direction each time, at the same x."""

    def call(derivatives, x):
        directions = cycle(np.random.default_rng(SEED).normal(size=(64, x.size)))
        return derivatives.hessp and (lambda: derivatives.hessp(x, next(directions)))

    return alternate(_calls(problem, tools, call), rounds)


@measure("hessian", "Hessian, per call")
def hessian(problem, tools, rounds):
    """Seconds of one dense Hessian, of up to LARGEST_HESSIAN parameters."""
    if started(problem)[0].size > LARGEST_HESSIAN:
        return dict.fromkeys(tools)
    return alternate(_calls(problem, tools, lambda d, x: d.hess and partial(d.hess, x)), rounds)


@measure("solve", "Whole solve by L-BFGS-B, compilation included")
def solve(problem, tools, rounds):
    """Seconds from the function to the solution in a process whose imports are done."""
    from scipy.optimize import minimize

    x0, data = started(problem)
    size = np.abs(problem.value_and_grad(x0, *data)[1]).max()
    options = {"gtol": GRADIENT_TOLERANCE * size, "ftol": 0.0, "maxiter": 20_000, "maxfun": 30_000}

    def call(name):
        derivatives = TOOLS[name](problem, x0, data)
        return minimize(derivatives.value_and_grad, x0, jac=True, method="L-BFGS-B", options=options)

    offered = _calls(problem, tools, lambda derivatives, x: derivatives.value_and_grad)
    return alternate({name: offered[name] and partial(call, name) for name in tools}, rounds)


# In fresh processes.


@measure("first-gradient", "Time to first gradient in a fresh process, the first time ever")
def first_gradient(problem, tools, rounds):
    """Seconds from starting Python to the gradient, without making the data; every cache is empty."""
    return _fresh(problem, tools, rounds, keep=False)


@measure("next-gradient", "Time to first gradient in a fresh process, from then on")
def next_gradient(problem, tools, rounds):
    """The same with the caches that the process before has left; JAX's compilation cache, off by default, is on."""
    return _fresh(problem, tools, rounds, keep=True)


@measure("memory", "Peak memory of a fresh process, data and imports included")
def memory(problem, tools, rounds):
    """Bytes of the peak from when the data are there through three evaluations."""
    found = {name: attempt(name, partial(_child, problem, name, None)) for name in tools}
    return {name: child["bytes"] if child else None for name, child in found.items()}


def _fresh(problem: Problem, tools: list[str], rounds: int, keep: bool) -> dict[str, float | None]:
    """Return the median seconds to the first gradient; `keep` uses caches that a process before has filled."""
    seconds: dict[str, list[float]] = {name: [] for name in tools}
    with tempfile.TemporaryDirectory() as kept:
        for turn in range(rounds + keep):
            for name in tools:
                with tempfile.TemporaryDirectory() as fresh:
                    caches = Path(kept, name) if keep else Path(fresh)
                    child = attempt(name, partial(_child, problem, name, caches, jax_cache=keep))
                if child and (turn or not keep):
                    seconds[name].append(child["seconds"])
    return {name: statistics.median(found) if found else None for name, found in seconds.items()}


def _child(problem: Problem, name: str, caches: Path | None, jax_cache: bool = False) -> dict | None:
    """Run one tool in a fresh process and return its "seconds" and "bytes", None if it has no gradient."""
    environment = dict(os.environ)
    if caches:
        environment |= {"AUTOOPT_CACHE": str(caches / "autoopt"), "NUMBA_CACHE_DIR": str(caches / "numba")}
        environment |= {"PYTENSOR_FLAGS": f"base_compiledir={caches}/pytensor"}
    if jax_cache:
        environment |= {"JAX_COMPILATION_CACHE_DIR": str(caches / "jax")}
        environment |= {"JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0"}
    command = [sys.executable, "-c", f"from benchmarks.measures import child; child({problem.name!r}, {name!r})"]
    began = time.time()
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{problem.name}: {done.stderr.strip().splitlines()[-1]}")
    found = json.loads(done.stdout)
    return found and {"seconds": found["ended"] - began - found["data"], "bytes": found["bytes"]}


def child(problem_name: str, name: str) -> None:
    """Print when the first gradient was there (time.time()), seconds spent on data, and bytes of peak memory."""
    began = time.time()
    problem = PROBLEMS[problem_name]
    x0, data = started(problem)
    made = time.time()
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts here, after the data are made (Linux)
    derivatives = TOOLS[name](problem, x0, data)
    if derivatives.value_and_grad is None:
        print("null")
        return
    derivatives.value_and_grad(x0)
    ended = time.time()
    for _ in range(2):
        derivatives.value_and_grad(point(x0))
    print(json.dumps({"ended": ended, "data": made - began, "bytes": _peak()}))


def _peak() -> int:
    """Return the most bytes of memory in use since the peak was reset (Linux)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))
