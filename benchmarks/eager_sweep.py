"""Table of the sweep along a long tape of small steps, none of which repeats: microseconds and bytes a step.

    python -m benchmarks.eager_sweep                        100 000 steps
    python -m benchmarks.eager_sweep --steps 10000 scalars  fewer, and by parts of their names

Every program has a fresh process; all times are of the processor. "first gradient" is by `autoopt.objective`, from the
function on and with empty caches; the sweeps are by the engine itself, at another point each time. What must hold for
small steps: at most 8 us a step for value and gradient, 25 us with the product, and 600 bytes a step at the peak of a
sweep for value and gradient, the tape itself not counted. Large arrays are compared with the plain program.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.processes import cell, fresh, say, seconds, table

MOST = {"gradient": 8.0, "product": 25.0, "bytes": 600.0}
ROUNDS = 5

# Programs: a sequence of operations drawn at random, so that nothing is a loop and nothing a batch -------------------


def scalars(x, choices):
    s, total = x[0], 0.0
    for k, choice in choices:
        v = x[k]
        if choice == 0:
            s = np.tanh(s + v)
        elif choice == 1:
            s = s * v
        elif choice == 2:
            s = np.sin(s) - v
        elif choice == 3:
            s = np.sqrt(s * s + 1.0)
        elif choice == 4:
            s = s / (1.0 + v * v)
        else:
            s = np.maximum(s, v)
        total = total + s
    return total


def vectors(x, choices):
    """Vectors of three."""
    s, total = x[:3], 0.0
    for k, choice in choices:
        v = x[k : k + 3]
        if choice == 0:
            s = np.tanh(s + v)
        elif choice == 1:
            s = s * v
        elif choice == 2:
            s = np.cross(s, v)
        elif choice == 3:
            s = s / np.sqrt(s @ s + 1.0)
        elif choice == 4:
            s = s[::-1] + 0.5 * v
        else:
            total = total + np.sum(s)
            s = np.maximum(s, v)
    return total + np.sum(s)


def matrices(x, choices):
    """Matrices of 3 x 3."""
    A, total = x[:9].reshape(3, 3), 0.0
    for k, choice in choices:
        v = x[k : k + 3]
        if choice == 0:
            A = np.tanh(A + v)
        elif choice == 1:
            A = A * 0.5 + np.outer(v, v)
        elif choice == 2:
            A = 0.5 * (A @ A.T)
        elif choice == 3:
            total = total + v @ A @ v
            A = A / (1.0 + np.trace(A) ** 2)
        else:
            A = np.eye(3) + 0.1 * A.T
    return total + np.sum(A)


def large_arrays(x, choices):
    """Arrays of as many entries as there are parameters."""
    s, total = x, 0.0
    for k, choice in choices:
        if choice == 0:
            s = np.tanh(s + x)
        elif choice == 1:
            s = s * x
        elif choice == 2:
            s = np.sin(s) - 0.1 * k
        elif choice == 3:
            s = np.sqrt(s * s + 1.0)
        else:
            total = total + np.sum(s)
            s = s / (1.0 + x * x)
    return total + np.sum(s)


PROGRAMS: dict[str, tuple[Callable, float, int]] = {
    "scalars": (scalars, 3.4, 20),
    "vectors of 3": (vectors, 3.2, 20),
    "matrices of 3 x 3": (matrices, 3.8, 20),
    "large arrays": (large_arrays, 200.0, 100_000),
}
"""Each with how many steps a choice makes, about (large arrays take fewer choices), and how many parameters it has."""


def program(name: str, steps: int) -> tuple[Callable, np.ndarray, list]:
    """Return a program of about so many steps with its point and choices."""
    f, each, count = PROGRAMS[name]
    rng = np.random.default_rng(3)
    choices = [(int(k), int(c)) for k, c in rng.integers(0, (16, 6), size=(max(10, int(steps / each)), 2))]
    return f, 0.5 * rng.normal(size=count), choices


# In a process of its own ----------------------------------------------------------------------------------------------


def engine(tape: Any, kind: str) -> Callable:
    """Return `run(x)` or `run(x, direction)` of the engine that goes step by step."""
    try:
        from autoopt.execution.eager.functions import EagerFunctions

        return EagerFunctions(tape, kind, "A sweep.").run
    except ImportError:  # single runs of the tape
        from autoopt.execution import eager
    cache = eager.EagerCache()

    def run(x: np.ndarray, *direction: np.ndarray) -> Any:
        found = eager.EagerRun(tape, x.copy(), cache)
        return found.product(*direction) if direction else (found.value, found.gradient())

    return run


def measure(name: str, steps: int) -> None:
    """Tell the numbers of one program."""
    from autoopt.errors import AutooptError
    from autoopt.objectives.objective import Objective
    from autoopt.tape.batching.batching import vectorise
    from autoopt.tape.tape import PARAMETER

    f, x, choices = program(name, steps)
    say(plain=_median(lambda z: f(z, choices), x))
    tape = Objective(f, x, (choices,)).dispatch.paths[0].trace.tape
    short, spent = seconds(lambda: vectorise(tape))
    count = sum(step.level == PARAMETER for step in short.steps)
    say(steps=count, vectorise=spent)
    value_and_grad = engine(tape, "value_and_grad")
    say(gradient=_median(value_and_grad, x))
    tracemalloc.start()  # of NumPy's arrays too; after the first sweep, which makes the code
    _, gradient = value_and_grad(x)
    say(bytes=tracemalloc.get_traced_memory()[1] / count)
    tracemalloc.stop()
    _check(lambda z: f(z, choices), x, gradient)
    product = engine(tape, "hessp")
    say(product=_median(lambda z: product(z, np.ones(x.size)), x))
    try:
        objective, spent = seconds(lambda: Objective(f, x, (choices,)))
        say(first=spent + seconds(lambda: objective.value_and_grad(x))[1])
    except AutooptError:
        say(refused=True)


def _median(call: Callable, x: np.ndarray) -> float:
    """Return the median seconds of a call, each at another point."""
    call(x)
    spent = []
    for turn in range(ROUNDS):
        began = time.process_time()
        call(x + 1e-9 * turn)
        spent.append(time.process_time() - began)
    return statistics.median(spent)


def _check(plain: Callable, x: np.ndarray, gradient: np.ndarray) -> None:
    """Tell how far the slope along a direction is off, relative to that of the plain program."""
    from autoopt import differences

    p = 0.1 * np.random.default_rng(7).normal(size=x.size)
    slope, _ = differences.directional(plain, x, p)
    say(error=float(abs(gradient @ p - slope) / abs(slope)))


# The parent -----------------------------------------------------------------------------------------------------------


def row(name: str, found: dict[str, Any]) -> list[str]:
    """Return the cells of one line."""
    count, large = found.get("steps", 1), name == "large arrays"
    each = {what: found[what] / count for what in ("plain", "gradient", "product") if what in found}
    amounts = {what: 1e6 * spent for what, spent in each.items()} | {"bytes": found.get("bytes")}
    if "refused" in found:
        found["first"] = None
    shown = [
        cell({"reason": found.get("reason", "-")} | amounts, what) for what in ("plain", "gradient", "product", "bytes")
    ]
    ratio = f"{found['gradient'] / found['plain']:.3g}" if "gradient" in found else "-"
    holds = all((amounts.get(what) or np.inf) <= most for what, most in MOST.items())
    first = "refused" if "refused" in found else cell(found, "first")
    return [
        name,
        f"{count:,}",
        *shown,
        ratio,
        "" if large else "yes" if holds else "no",
        cell(found, "error", ".0e"),
        first,
    ]


def main(arguments: list[str] | None = None) -> None:
    """Parse the command line, measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.eager_sweep", description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="parts of the names of programs")
    parser.add_argument("--steps", type=int, default=100_000, help="of the tape, about (default 100000)")
    parser.add_argument("--limit", type=float, default=300.0, help="seconds after which one is given up (default 300)")
    options = parser.parse_args(arguments)
    rows = []
    for name in PROGRAMS:
        if not options.names or any(part in name for part in options.names):
            rows.append(
                row(name, fresh("benchmarks.eager_sweep", f"measure({name!r}, {options.steps})", options.limit))
            )
            print("  ".join(rows[-1]), file=sys.stderr, flush=True)
    head = ["program", "steps", "plain us a step", "value and gradient", "product", "bytes a step", "gradient / plain"]
    table("Sweep along a tape of small steps", [*head, "holds", "error", "first gradient s"], rows)


if __name__ == "__main__":
    main()
