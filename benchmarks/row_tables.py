"""Sums over rows: value and gradient, Hessian and products, over NumPy by hand and over whole arrays.

    python -m benchmarks.row_tables                             all, with one thread: about fifteen minutes
    python -m benchmarks.row_tables logistic --kind hessian     by parts of names; --kind may be repeated
    python -m benchmarks.row_tables --threads 2                 by the clock on the wall
    python -m benchmarks.row_tables --small                     of a few rows, to see that everything runs

Every line has a fresh process with empty caches. Ratios are of medians over rounds in which all take turns, every call
at another point, once everything is compiled that pays; with one thread they are of seconds of the processor. "by hand"
is NumPy on whole arrays as the formulas stand, "best" the fastest that we know how to write (`row_models.py`), "whole"
what autoopt does without a plan of the rows. "error" is the largest difference from what is by hand, or from "whole"
where nothing is, over the largest entry. "extra" is memory above the data in another
fresh process, as the system counts it: "first" from the function to its first calls, compilation included, "a call"
from then on; the modules that are needed have been imported for a few rows before. What must hold: at most "most" times
by hand, equal to 1e-10, extra memory of a call at most 40 MB, of a Hessian 60 MB, no model slower than as a whole.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import autoopt
from autoopt.execution.blocks import row_functions
from benchmarks.memory import memory
from benchmarks.processes import cell, fresh, say, table
from benchmarks.row_models import MODELS, RowModel

KINDS = ("gradient", "hessian", "product")
ROUNDS, ROUND = 9, 0.1
WARM = 1.5  # seconds of calls before the timed ones, in which what pays is compiled
EQUAL = 1e-10
MOST_MEMORY = {"gradient": 40.0, "hessian": 60.0, "product": 40.0}
NOISE = 1.05  # what is as fast may be so much slower in one table
FEW = 3000  # rows of the call that imports what is needed


def by_hand(model: RowModel, kind: str) -> Callable | None:
    """Return what somebody has written of this kind, None if nobody has."""
    return {"gradient": model.value_and_grad, "hessian": model.hess}.get(kind)


def derived(model: RowModel, kind: str, x: np.ndarray, data: tuple) -> Callable:
    """Return autoopt's function of a point."""
    objective = autoopt.objective(model.f, x, *data)
    direction = np.random.default_rng(0).normal(size=x.size)
    return {
        "gradient": objective.value_and_grad,
        "hessian": objective.hess,
        "product": lambda x: objective.hessp(x, direction),
    }[kind]


def on_whole_arrays(call: Callable, x: np.ndarray) -> Callable:
    """Return the call after it has been made once with data that are called too few for a plan, which it remembers."""
    least, row_functions.LEAST = row_functions.LEAST, sys.maxsize
    try:
        call(x)
    finally:
        row_functions.LEAST = least
    return call


# Time -----------------------------------------------------------------------------------------------------------------


def measure(name: str, kind: str, threads: int = 1, small: bool = False) -> None:
    """Tell the seconds of a call of each, and the error; in a process of its own."""
    model = MODELS[name]
    x, data = model.point(small)
    written = {"hand": by_hand(model, kind), "best": model.best.get(kind)}
    calls: dict[str, Callable] = {key: lambda x, f=f: f(x, *data) for key, f in written.items() if f}
    began = time.process_time()
    calls["autoopt"] = derived(model, kind, x, data)
    calls["autoopt"](x)
    say(first=time.process_time() - began)
    calls["whole"] = on_whole_arrays(derived(model, kind, x, data), x)
    spent = _alternating(calls, x, time.process_time if threads == 1 else time.perf_counter)
    near = x * (1 + 1e-9)
    expected = calls["hand" if "hand" in calls else "whole"]
    say(error=_difference(calls["autoopt"](near), expected(near)), **spent)
    say(**{f"over_{peer}": spent["autoopt"] / spent[peer] for peer in spent if peer != "autoopt"})


def _difference(found: Any, expected: Any) -> float:
    """Return the largest difference over the largest entry, of arrays or of the members of tuples."""
    if isinstance(expected, tuple):
        return max(map(_difference, found, expected))
    return float(np.max(np.abs(found - expected)) / np.max(np.abs(expected)))


def _alternating(calls: dict[str, Callable], x: np.ndarray, clock: Callable[[], float]) -> dict[str, float]:
    """Return the median seconds of a call of each, every call at another point."""
    points = [x * (1 + k * 1e-10) for k in range(64)]
    spent: dict[str, list[float]] = {name: [] for name in calls}
    for turn in range(-1, ROUNDS):
        for name in list(calls)[:: -1 if turn % 2 else 1]:
            least = ROUND if turn >= 0 else WARM * (name in ("autoopt", "whole"))
            began, count = clock(), 0
            while count == 0 or clock() - began < least:
                count += 1
                calls[name](points[count % len(points)])
            if turn >= 0:
                spent[name].append((clock() - began) / count)
    return {name: statistics.median(each) for name, each in spent.items()}


# Memory ---------------------------------------------------------------------------------------------------------------


def measure_memory(name: str, kind: str, small: bool = False) -> None:
    """Tell the MB above the data that each takes; in a process of its own."""
    model = MODELS[name]
    rows = min(model.size[0], FEW)
    x, data = model.start(np.random.default_rng(0), rows, *model.size[1:])
    _warm(derived(model, kind, x, data), x)
    x, data = model.point(small)
    function = by_hand(model, kind)
    if function:
        say(extra_hand=_above(lambda: function(x, *data)))
    before = memory("VmRSS")

    def first() -> Callable:
        call = derived(model, kind, x, data)
        call(x)
        return call

    call, peak = _peak(first)
    say(extra_first=peak - before)
    _warm(call, x)
    say(extra=_above(partial(call, x * (1 + 1e-9))))


def _warm(call: Callable, x: np.ndarray) -> None:
    """Call until what pays has been compiled."""
    began, count = time.process_time(), 0
    while time.process_time() - began < WARM:
        count += 1
        call(x * (1 + count * 1e-10))


def _peak(call: Callable[[], Any]) -> tuple[Any, float]:
    """Return what a call returns, and the most MB that the process had meanwhile (Linux)."""
    Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")
    return call(), memory("VmHWM")


def _above(call: Callable[[], Any]) -> float:
    """Return the MB that a call takes at its peak, above those that the process has."""
    before = memory("VmRSS")
    return max(0.0, _peak(call)[1] - before)


# Tables ---------------------------------------------------------------------------------------------------------------

HEAD = ["model", "what", "by hand ms", "best ms", "whole ms", "autoopt ms"]
HEAD += ["over hand", "most", "over best", "over whole", "error"]
HEAD += ["extra MB first", "a call", "by hand", "first s"]
_TIMED = ("hand", "best", "whole", "autoopt")


def row(model: RowModel, kind: str, threads: int, found: dict[str, Any]) -> list[str]:
    """Return the cells of one line."""
    scaled = {name: found[name] * 1e3 for name in _TIMED if name in found}
    most = model.most.get((kind, threads))
    return [
        model.name,
        kind,
        *(cell(scaled, name) for name in _TIMED),
        cell(found, "over_hand", ".2f"),
        f"{most:.1f}" if most else "",
        cell(found, "over_best", ".2f"),
        cell(found, "over_whole", ".2f"),
        cell(found, "error", ".0e"),
        *(cell(found, name, ".0f") for name in ("extra_first", "extra", "extra_hand")),
        cell(found, "first", ".2f"),
    ]


def misses(model: RowModel, kind: str, threads: int, found: dict[str, Any]) -> list[str]:
    """Return what must hold of one line and does not."""
    most = model.most.get((kind, threads))
    asked = {
        f"{most} x by hand": most is None or found.get("over_hand", np.inf) <= most,
        f"{most} x the best by hand": most is None or found.get("over_best", 0.0) <= most,
        "no slower than as a whole": found.get("over_whole", np.inf) <= NOISE,
        "equal to 1e-10": found.get("error", np.inf) <= EQUAL,
        f"{MOST_MEMORY[kind]:.0f} MB": found.get("extra", 0.0) <= MOST_MEMORY[kind],
    }
    return [what for what, holds in asked.items() if not holds]


def _lines(names: list[str], kinds: list[str]) -> list[tuple[RowModel, str]]:
    """Return the models and kinds that are asked for and that there are."""
    chosen = [model for model in MODELS.values() if not names or any(part in model.name for part in names)]
    return [(model, kind) for model in chosen for kind in kinds if kind != "hessian" or model.has_hessian]


def main(arguments: list[str] | None = None) -> None:
    """Parse the command line, measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.row_tables", description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="parts of the names of models")
    parser.add_argument("--kind", action="append", choices=KINDS, help="what is measured (default: all)")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--small", action="store_true", help="the small sizes, as the tests have them")
    parser.add_argument("--limit", type=float, default=300.0, help="processor's seconds for a line (default 300)")
    options = parser.parse_args(arguments)
    rows, missed = [], []
    for model, kind in _lines(options.names, options.kind or list(KINDS)):
        call = f"measure({model.name!r}, {kind!r}, {options.threads}, {options.small})"
        found = fresh("benchmarks.row_tables", call, options.limit, threads=options.threads)
        call = f"measure_memory({model.name!r}, {kind!r}, {options.small})"
        found = fresh("benchmarks.row_tables", call, options.limit, threads=options.threads) | found
        rows.append(row(model, kind, options.threads, found))
        missed.append([model.name, kind, ", ".join(misses(model, kind, options.threads, found)) or "all hold"])
        print("  ".join(rows[-1]), file=sys.stderr, flush=True)
    threads = f"{options.threads} thread{'s' if options.threads > 1 else ''}"
    table(f"Sums over rows, {threads}", HEAD, rows)
    table("What does not hold", ["model", "what", "is missed"], missed)


if __name__ == "__main__":
    main()
