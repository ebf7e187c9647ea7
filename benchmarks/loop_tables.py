"""Tables of the loops and recurrences: autoopt, the derivative by hand, JAX, autograd and CasADi in one run.

    python -m benchmarks.loop_tables                          all: about a quarter of an hour
    python -m benchmarks.loop_tables garch rosenbrock         by the start of their names
    python -m benchmarks.loop_tables --limit 120              seconds after which a tool is given up

Every tool has a fresh process for every case. All times but the limit are of the processor, so that a busy machine
matters little. The first gradient is counted from the function, imports done and caches empty; calls of value and
gradient are timed when all is compiled that can be, autoopt's in turns with those by hand.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

os.environ["AUTOOPT_CACHE"] = "off"
os.environ |= {name: "1" for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "NUMBA_NUM_THREADS")}
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"

import numpy as np

from benchmarks import loops, numba_by_hand, recurrences
from benchmarks.loop_peers import LOOP_TOOLS, CannotTake, all_cases
from benchmarks.measures import alternate

ROUNDS = 5
LENGTHS = {"garch": (100, 1000, 10_000), "kalman": (100, 1000), "rosenbrock": (100, 1000, 10_000)}


# In a process of its own ----------------------------------------------------------------------------------------------


def by_hand(case: Any) -> Callable:
    """Return value and gradient by hand: in NumPy for a loop that is an array, in numba for a recurrence."""
    function = case.by_hand if isinstance(case, loops.Case) else getattr(numba_by_hand, case.objective.__name__)
    return lambda x: function(x, *case.data)


def error(found: tuple, expected: tuple) -> float:
    """Return how far value and gradient are off, relative to the largest entry."""
    gradient = np.max(np.abs(found[1] - expected[1])) / np.max(np.abs(expected[1]))
    return float(max(abs(found[0] / expected[0] - 1), gradient))


def peer(case: Any, name: str) -> dict[str, Any]:
    """Return what a tool other than autoopt needs."""
    small = all_cases()["garch T=2000"]
    small = small._replace(data=(small.data[0][:3],))
    LOOP_TOOLS[name](small)(small.x)  # the imports
    try:
        began = time.process_time()
        value_and_grad = LOOP_TOOLS[name](case)
        found = value_and_grad(case.x)
        first = time.process_time() - began
    except CannotTake as reason:
        return {"reason": str(reason)}
    calls = alternate({"call": partial(value_and_grad, case.x)}, 3, time.process_time)["call"]
    return {"first": first, "call": calls, "error": error(found, by_hand(case)(case.x))}


def autoopt(case: Any, name: str = "autoopt") -> dict[str, Any]:
    """Return what autoopt needs, and the derivative by hand beside it."""
    from autoopt.execution import tiering
    from autoopt.objectives.objective import Objective
    from autoopt.tape.batching.batching import vectorise

    Objective(lambda x: np.sum(x**2), np.ones(2)).grad(np.ones(2))  # the imports
    hand = by_hand(case)
    began = time.process_time()
    expected = hand(case.x)
    hand_first, began = time.process_time() - began, time.process_time()
    objective = Objective(case.objective, case.x, case.data)
    trace = time.process_time() - began
    found = objective.value_and_grad(case.x)
    first = time.process_time() - began
    tape = objective.dispatch.paths[0].trace.tape
    lines = objective.source().count("\n")
    points, direction = [case.x, case.x + 1e-9], np.ones(case.x.size)

    def product() -> np.ndarray:
        points.reverse()
        return objective.hessp(points[0], direction)

    calls = {"call": partial(objective.value_and_grad, case.x), "hand": partial(hand, case.x), "product": product}
    tiering.COST = tiering.LINE = 0.0  # from now on all that can be compiled is
    for call in (*calls.values(), *calls.values()):
        call()
    return {
        "first": first, "trace": trace, "compile": first - trace, "hand first": hand_first,
        "steps": len(tape.steps), "after": len(vectorise(tape).steps), "lines": lines,
        "error": error(found, expected), **alternate(calls, ROUNDS, time.process_time),
    }  # fmt: skip


def length(name: str, count: int) -> dict[str, Any]:
    """Return what autoopt needs for a case of another length."""
    case = next(case for known, case in all_cases().items() if known.startswith(name))
    data = np.random.default_rng(0)
    if name == "rosenbrock":
        return autoopt(case._replace(x=data.normal(size=count)))
    shape = (count, *case.data[0].shape[1:])
    return autoopt(case._replace(data=(data.normal(size=shape), *case.data[1:])))


def memory(iterations: int) -> dict[str, Any]:
    """Return peak memory, within 4 GB of address space, of the gradient of a loop, or how it is refused."""
    from autoopt.errors import AutooptError
    from autoopt.objectives.objective import Objective

    def objective(x: np.ndarray) -> float:
        total = 0.0
        for i in range(iterations):
            total += x[i % 1000] ** 2
        return total

    resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
    x = np.random.default_rng(0).normal(size=1000)
    Objective(lambda x: np.sum(x**2), x).grad(x)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.process_time()
    try:
        made = Objective(objective, x)
        made.grad(x)
    except AutooptError as refusal:
        return {"refused": str(refusal), "seconds": time.process_time() - began}
    seconds = time.process_time() - began
    peak = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    count = len(made.dispatch.paths[0].trace.tape.steps)
    return {"steps": count, "peak": peak, "each": (peak - 1024 * before) / count, "seconds": seconds}


# The parent -----------------------------------------------------------------------------------------------------------


def child(expression: str, limit: float) -> dict[str, Any]:
    """Return what an expression of this module gives in a fresh process, or the reason why there is nothing."""
    code = f"import json; from benchmarks.loop_tables import *; print(json.dumps({expression}))"
    try:
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=limit, check=False)
    except subprocess.TimeoutExpired:
        return {"reason": f"> {limit:.0f} s"}
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["killed"])[-1]
        print(f"{expression}: {last}", file=sys.stderr, flush=True)
        return {"reason": last.split(":")[0].split(".")[-1]}
    return json.loads(done.stdout.splitlines()[-1])


def show(found: dict[str, Any], key: str, factor: float = 1.0, digits: str = ".3g") -> str:
    """Return one number of a child, or why it is not there."""
    return f"{found[key] * factor:{digits}}" if found.get(key) is not None else found.get("reason", "-")


def table(title: str, head: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
    """Print a table in reStructuredText; rows as they come are printed when all are there."""
    lines = [list(head), *map(list, rows)]
    widths = [max(len(line[k]) for line in lines) for k in range(len(lines[0]))]
    bar = "  ".join("=" * width for width in widths)
    text = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    print(f"\n{title}\n{'-' * len(title)}\n\n" + "\n".join([bar, text[0], bar, *text[1:], bar]), flush=True)


def compared(names: list[str], limit: float, hand: str) -> None:
    """Print the tables of some cases: times to the first gradient, and calls afterwards."""
    if not names:
        return
    others = [tool for tool in LOOP_TOOLS if hand == "numba" or tool != "jax scan"]
    found = {}
    for name in names:
        found[name] = {"autoopt": child(f"autoopt(all_cases()[{name!r}])", 600)}
        found[name] |= {tool: child(f"peer(all_cases()[{name!r}], {tool!r})", limit) for tool in others}
        print(name, found[name], file=sys.stderr, flush=True)
    first = ["case", "steps", "after", "trace", "autoopt", *([hand] if hand == "numba" else []), *others]
    rows = [
        [name, *(show(row["autoopt"], key, digits=",.0f") for key in ("steps", "after"))]
        + [show(row["autoopt"], key) for key in ("trace", "first", *(["hand first"] if hand == "numba" else []))]
        + [show(row[tool], "first") for tool in others]
        for name, row in found.items()
    ]
    kind = "Recurrences" if hand == "numba" else "Loops over scalars"
    table(f"{kind}: seconds from the function to the first gradient", first, rows)
    rows = [
        [name, *_calls(row["autoopt"]), *(show(row[tool], "call", 1e6) for tool in others)]
        for name, row in found.items()
    ]
    head = ["case", "autoopt", f"by hand ({hand})", "ratio", "hvp", "hvp / gradient", "error", *others]
    table(f"{kind}: microseconds of value and gradient once warm", head, rows)


def _calls(own: dict[str, Any]) -> list[str]:
    """Return autoopt's cells of the table of calls."""
    if "call" not in own:
        return [own["reason"], *"-----"]
    times = [show(own, key, 1e6) for key in ("call", "hand")]
    ratios = [f"{own['call'] / own['hand']:.2f}", show(own, "product", 1e6), f"{own['product'] / own['call']:.2f}"]
    return [*times, *ratios, f"{own['error']:.0e}"]


def by_length() -> None:
    """Print how compiling and the size of the code depend on the number of iterations."""
    rows = []
    for name, counts in LENGTHS.items():
        for count in counts:
            own = child(f"length({name!r}, {count})", 600)
            cells = [show(own, key, digits=",.0f") for key in ("steps", "after", "lines")]
            rows.append([f"{name} {count}", *cells, *(show(own, key, digits=".2f") for key in ("trace", "compile"))])
    table(
        "Compile time and size of the code against the number of iterations",
        ["case", "steps traced", "steps after", "lines of source", "trace s", "vectorise and compile s"],
        rows,
    )


def by_memory() -> None:
    """Print the peak memory of long loops."""
    rows = []
    for iterations in (100_000, 1_000_000, 10_000_000):
        own = child(f"memory({iterations})", 600)
        cells = [show(own, "steps", digits=",.0f"), show(own, "peak", 1e-9), show(own, "each", digits=".0f")]
        happened = own.get("refused", "").split("\n")[0] or own.get("reason", "")
        rows.append([f"{iterations:,}", *cells, show(own, "seconds"), happened])
    head = ["iterations", "steps", "peak GB", "bytes a step", "seconds", "refused"]
    table("Long loops within 4 GB: from the function to the first gradient", head, rows)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.loop_tables", description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="starts of names; all tables without")
    parser.add_argument("--limit", type=float, default=60.0, help="seconds after which a tool is given up (default 60)")
    options = parser.parse_args()

    def wanted(cases: list) -> list[str]:
        names = [case.name for case in cases]
        return [name for name in names if not options.names or name.startswith(tuple(options.names))]

    if not options.names:
        by_length()
        by_memory()
    compared(wanted(recurrences.cases()), options.limit, "numba")
    compared(wanted(loops.cases()), options.limit, "numpy")


if __name__ == "__main__":
    main()
