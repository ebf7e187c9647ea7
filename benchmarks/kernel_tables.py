"""Table of the kernels: the first gradient from empty caches, and once warm its time over that of the plain program.

    python -m benchmarks.kernel_tables                     15 kernels at n = 10, 40 and 120
    python -m benchmarks.kernel_tables lu adi --sizes 10   by parts of their names

Every kernel has a fresh process at every size; times are seconds of the processor. What must hold: the first gradient
within 2, 4 and 10 s at n = 10, 40 and 120; once warm at most 10 plain calls, 5 where the plain program is array code.
"error" is that of the slope along one direction, against extrapolated differences of the plain program.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial

import numpy as np

from benchmarks.kernels import KERNELS
from benchmarks.processes import cell, fresh, say, seconds, table

FIRST = {10: 2.0, 40: 4.0, 120: 10.0}
WARM, WARM_ARRAYS = 10.0, 5.0
HEAT = 3.0  # seconds of calls before the warm ones are timed, in which what pays may compile
ROUNDS, ROUND = 5, 0.1


def measure(name: str, n: int) -> None:
    """Tell the numbers of one kernel at one size; in a process of its own."""
    import autoopt
    from autoopt import differences
    from autoopt.errors import AutooptError

    kernel = KERNELS[name]
    x, data = kernel.start(n, np.random.default_rng(n))
    plain = partial(kernel.f, x, *data)
    plain()
    say(plain=seconds(plain)[1])
    try:
        objective, trace = seconds(lambda: autoopt.objective(kernel.f, x, *data))
        (_, gradient), derive = seconds(lambda: objective.value_and_grad(x))
        say(first=trace + derive, trace=trace)
        p = 0.1 * np.random.default_rng(7).normal(size=x.size)
        slope, doubt = differences.directional(lambda z: kernel.f(z, *data), x, p)
        say(error=float(abs(gradient @ p - slope) / abs(slope)), doubt=float(doubt / abs(slope)))
        say(**_warm(plain, objective.value_and_grad, x))
    except AutooptError as refusal:
        say(reason="refused", refusal=str(refusal))


def _warm(plain: Callable, value_and_grad: Callable, x: np.ndarray) -> dict[str, float]:
    """Return the median seconds of both in turns, and their ratio."""
    points = [x, x * (1 + 1e-9)]  # what is known of a point is not computed again

    def gradient() -> None:
        points.reverse()
        value_and_grad(points[0])

    began = time.process_time()
    while time.process_time() - began < HEAT:
        gradient()
    spent: dict[str, list[float]] = {"call": [], "warm": []}
    for _ in range(ROUNDS):
        for what, call in (("call", plain), ("warm", gradient)):
            began, count = time.process_time(), 0
            while count == 0 or time.process_time() - began < ROUND:
                call()
                count += 1
            spent[what].append((time.process_time() - began) / count)
    found = {what: statistics.median(each) for what, each in spent.items()}
    return found | {"ratio": found["warm"] / found["call"]}


def main(arguments: list[str] | None = None) -> None:
    """Parse the command line, measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.kernel_tables", description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="parts of the names of kernels")
    parser.add_argument("--sizes", type=int, nargs="+", default=list(FIRST), help="default 10 40 120")
    parser.add_argument("--limit", type=float, default=60.0, help="seconds after which one is given up (default 60)")
    options = parser.parse_args(arguments)
    rows, held, count = [], [0, 0], 0
    for name, kernel in KERNELS.items():
        if options.names and not any(part in name for part in options.names):
            continue
        for n in options.sizes:
            found = fresh("benchmarks.kernel_tables", f"measure({name!r}, {n})", options.limit)
            most = WARM_ARRAYS if kernel.arrays else WARM
            holds = [found.get("first", np.inf) <= FIRST.get(n, np.inf), found.get("ratio", np.inf) <= most]
            held, count = [a + b for a, b in zip(held, holds, strict=True)], count + 1
            cells = [cell(found, key) for key in ("plain", "first")] + [
                cell(found, "error", ".0e"),
                cell(found, "ratio"),
            ]
            rows.append([name, str(n), *cells, f"{most:.0f}", *("yes" if one else "no" for one in holds)])
            print("  ".join(rows[-1]), found.get("refusal", ""), file=sys.stderr, flush=True)
    head = [
        "kernel",
        "n",
        "plain call s",
        "first gradient s",
        "error",
        "warm / plain",
        "most",
        "first holds",
        "warm holds",
    ]
    table("Kernels: from empty caches to the first gradient, and once warm", head, rows)
    print(f"\nfirst gradient: {held[0]} of {count} hold; warm: {held[1]} of {count}")


if __name__ == "__main__":
    main()
