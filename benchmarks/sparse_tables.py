"""Sparse Hessians and Jacobians of the problems of `sparse_problems`, each in a fresh process with empty caches.

    python -m benchmarks.sparse_tables                  # all: about two minutes
    python -m benchmarks.sparse_tables ising bundle     # by parts of their names
    python -m benchmarks.sparse_tables --small          # that everything runs

What must hold: pattern, colouring and first Hessian within 3 s of the processor, the derivation of the product and the
import of PyTensor in it; later ones within 3 times (colours x product), that many `hessp` at a new point; a Jacobian of
bundle adjustment within 10 times the residuals, which stand in the place of products there. Tracing is a
column of its own: loops of a million steps take seconds. Memory is what a later matrix takes at its peak, over that of
its entries.
"""

from __future__ import annotations

import argparse
import time
import tracemalloc
from collections.abc import Callable

import numpy as np

from benchmarks.processes import fresh, say
from benchmarks.sparse_problems import PROBLEMS

LIMIT = 120.0
FIRST, LATER, RESIDUALS = 3.0, 3.0, 10.0


def least(calls: dict[str, Callable], points: list[np.ndarray], budget: float) -> dict[str, float]:
    """Return the least seconds that a call of each takes at points that are new to it, in turns."""
    best = dict.fromkeys(calls, np.inf)
    begin = time.perf_counter()
    while time.perf_counter() - begin < budget:
        for x in points:
            for name, call in calls.items():
                clock = time.perf_counter()
                call(x)
                best[name] = min(best[name], time.perf_counter() - clock)
    return best


def measure(name: str, small: bool) -> None:
    """Tell what one problem takes: of the processor until the first matrix, of the clock from then on."""
    from autoopt.objectives.objective import Objective

    row = PROBLEMS[name]
    x, data = row.start(np.random.default_rng(0), row.small if small else row.size)
    clock = time.process_time()
    f = Objective(row.function, x, data, scalar=not row.jacobian)
    say(trace=time.process_time() - clock, n=x.size)
    kind = "jacobian" if row.jacobian else "hessian"

    def matrix(x: np.ndarray):
        return f.jacobian(x, sparse=True)[0] if row.jacobian else f.hess(x, sparse=True)

    clock = time.process_time()
    matrix(x)
    say(first=time.process_time() - clock)
    shown = f.sparsity(kind)
    say(colors=shown.colors, nnz=shown.nnz)
    direction = np.random.default_rng(1).normal(size=x.size)

    def products(x: np.ndarray) -> None:  # as many as there are colours, so that the machine's other work falls on both
        for _ in range(shown.colors):
            f.hessp(x, direction)

    calls = {"later": matrix, "products": (lambda x: row.function(x, *data)) if row.jacobian else products}
    points = [x + 1e-6 * k for k in range(1, 6)]
    least(calls, points, 0.2 if small else 3.0)  # until what runs is what runs for good
    say(**least(calls, points, 0.2 if small else 5.0))
    tracemalloc.start()
    matrix(x)
    say(memory=tracemalloc.get_traced_memory()[1] / (8 * max(shown.nnz, 1)))


def described(name: str, found: dict) -> str:
    """Return the line of one problem."""
    if "later" not in found:
        return f"{name:16} {found.get('reason', '?')}"
    ratio = found["later"] / found["products"]
    limit = RESIDUALS if PROBLEMS[name].jacobian else LATER
    holds = ratio <= limit and found["first"] <= FIRST
    sizes = f"{found['n']:8}{found['nnz']:9}{found['colors']:8}"
    times = f"{found['trace']:8.2f}{found['first']:8.2f}{found['later'] * 1e3:10.2f}{found['products'] * 1e3:10.2f}"
    return f"{name:16}{sizes}{times}{ratio:7.2f}{found['memory']:8.1f}  {'' if holds else 'no'}"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--small", action="store_true")
    options = parser.parse_args()
    sizes = f"{'':16}{'n':>8}{'entries':>9}{'colours':>8}"
    print(f"{sizes}{'trace s':>8}{'first s':>8}{'later ms':>10}{'products':>10}{'ratio':>7}{'memory':>8}")
    for name in PROBLEMS:
        if not options.names or any(part in name for part in options.names):
            found = fresh("benchmarks.sparse_tables", f"measure({name!r}, {options.small})", LIMIT)
            print(described(name, found), flush=True)


if __name__ == "__main__":
    main()
