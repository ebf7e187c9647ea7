"""Table of the array programs: value and gradient once warm, beside `jit` of `value_and_grad` of ports to JAX by hand.

    python -m benchmarks.array_tables                      17 programs at sizes of 5 to 100 ms: about four minutes
    python -m benchmarks.array_tables syrk cavity          by parts of their names
    python -m benchmarks.array_tables --small              tiny sizes, to see that values and gradients agree

Both in float64 and on one core, in turns, in a process for each program. "differ" is the largest difference of the
gradients over the largest entry; a program whose value or gradient differs by more than 1e-9 fails. What must hold: at
most 1.2 times the time of JAX.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.array_programs import PROGRAMS
from benchmarks.processes import cell, fresh, say, table

MOST = 1.2
AGREE = 1e-9
HEAT = 4.0  # seconds of calls before the warm ones are timed, in which what pays may compile
ROUNDS, ROUND = 9, 0.15
FLAGS = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"


def measure(name: str, small: bool) -> None:
    """Tell the numbers of one program; in a process of its own."""
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    os.environ["XLA_FLAGS"] = FLAGS
    program = PROGRAMS[name]
    x, data = program.start(program.small if small else program.size, np.random.default_rng(1))
    began = time.perf_counter()
    ours = autoopts(program.f, x, data)
    ours(x)
    say(first=time.perf_counter() - began)
    theirs = jaxs(name, data)
    say(value=_difference(ours(x)[0], theirs(x)[0]), gradient=_difference(ours(x)[1], theirs(x)[1]))
    say(plain=_seconds(lambda _: program.f(x, *data), [x]))
    say(**_warm({"ours": ours, "theirs": theirs}, x, HEAT if not small else 0.1))


def autoopts(f: Callable, x: np.ndarray, data: tuple) -> Callable:
    """Return autoopt's value and gradient."""
    import autoopt

    return autoopt.objective(f, x, *data).value_and_grad


def jaxs(name: str, data: tuple) -> Callable:
    """Return value and gradient of the port, with the data on JAX's side from the start."""
    import jax

    jax.config.update("jax_enable_x64", True)
    from benchmarks.array_programs_jax import PORTS

    arrays = {k: jax.numpy.asarray(part) for k, part in enumerate(data) if isinstance(part, np.ndarray)}

    def objective(x: Any, arrays: dict) -> Any:
        return PORTS[name](x, *(arrays.get(k, part) for k, part in enumerate(data)))

    run = jax.jit(jax.value_and_grad(objective))

    def value_and_grad(x: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient = run(x, arrays)
        return float(value), np.asarray(gradient)

    return value_and_grad


def _difference(one: Any, other: Any) -> float:
    return float(np.max(np.abs(np.asarray(one) - other)) / np.max(np.abs(other)))


def _warm(calls: dict[str, Callable], x: np.ndarray, heat: float) -> dict[str, float]:
    """Return the median seconds of both in turns, and their ratio."""
    points = [x, x * (1 + 1e-9)]  # what is known of a point is not computed again
    for call in calls.values():
        began = time.perf_counter()
        while time.perf_counter() - began < heat:
            _seconds(call, points)
    spent: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(ROUNDS):
        for name, call in calls.items():
            began = time.perf_counter()
            while not spent[name] or time.perf_counter() - began < ROUND:
                spent[name].append(_seconds(call, points))
    found = {name: statistics.median(each) for name, each in spent.items()}
    return found | {"ratio": found["ours"] / found["theirs"]}


def _seconds(call: Callable, points: list[np.ndarray]) -> float:
    points.reverse()
    began = time.perf_counter()
    call(points[0])
    return time.perf_counter() - began


def main(arguments: list[str] | None = None) -> None:
    """Parse the command line, measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.array_tables", description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="parts of the names of programs")
    parser.add_argument("--small", action="store_true", help="tiny sizes")
    parser.add_argument("--limit", type=float, default=120.0, help="seconds after which one is given up (default 120)")
    options = parser.parse_args(arguments)
    rows, wrong = [], []
    for name, program in PROGRAMS.items():
        if options.names and not any(part in name for part in options.names):
            continue
        found = fresh("benchmarks.array_tables", f"measure({name!r}, {options.small})", options.limit)
        if not max(found.get("value", np.inf), found.get("gradient", np.inf)) < AGREE:
            wrong.append(name)
        milliseconds = {key: 1e3 * found[key] for key in ("plain", "ours", "theirs") if key in found}
        cells = [cell(found | milliseconds, key) for key in ("first", "plain", "ours", "theirs")]
        holds = found.get("ratio", np.inf) <= MOST
        size = str(program.small if options.small else program.size)
        rows.append([name, size, *cells, cell(found, "gradient", ".0e"), cell(found, "ratio", ".2f"), "ny"[holds]])
        print("  ".join(rows[-1]), file=sys.stderr, flush=True)
    head = ["program", "n", "first s", "plain ms", "autoopt ms", "jax ms", "differ", "ratio", "holds"]
    table("Value and gradient of array programs, once warm", head, rows)
    if wrong:
        sys.exit(f"values or gradients differ: {', '.join(wrong)}")


if __name__ == "__main__":
    main()
