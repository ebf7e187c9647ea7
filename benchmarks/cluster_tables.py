"""Table of clusters of this machine: seconds of one evaluation with one worker and with two, in turns, in one run.

    python -m benchmarks.cluster_tables                        value and gradient, Hessian; local processes and Dask
    python -m benchmarks.cluster_tables --rows 200000          with fewer rows

A logistic regression with 50 columns, one BLAS thread in each worker. What must hold: two workers are at least 1.7
times as fast as one, and all numbers are the same to the last digit. "plain" is NumPy on the whole arrays in this
process, which has one thread too.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before NumPy is loaded

import numpy as np

from autoopt.clusters.executor import Executor, evaluate
from autoopt.clusters.on_dask import Dask
from autoopt.clusters.processes import Processes
from autoopt.execution.blocks.plan import RowPass

COLUMNS = 50
FASTER = 1.7
ROUNDS = 9
EXECUTORS: dict[str, Callable[[int], Executor]] = {"local": Processes, "dask": Dask.of_this_machine}

TEXT = """
import numpy as np


def value_and_grad(w, X, y):
    z = X @ w
    e = np.exp(-np.abs(z))
    p = np.where(z > 0.0, 1.0, e) / (1.0 + e)
    return {"value": np.sum(np.maximum(z, 0.0) + np.log1p(e)) - y @ z, "derivative": X.T @ (p - y)}


def hessian(w, X, y):
    z = X @ w
    e = np.exp(-np.abs(z))
    return {"derivative": X.T @ ((e / (1.0 + e) ** 2)[:, None] * X)}
"""


PASSES = (
    RowPass("value_and_grad", ("w",), ("X", "y"), {"value": "sum", "derivative": "sum"}),
    RowPass("hessian", ("w",), ("X", "y"), {"derivative": "sum"}),
)


def seconds(call: Callable[[], dict]) -> tuple[float, dict]:
    """Return how long a call took, and what it returned."""
    begun = time.perf_counter()
    given = call()
    return time.perf_counter() - begun, given


def measure(kind: str, data: dict[str, np.ndarray], rounds: int) -> None:
    """Print a line for each pass: plain, one worker, two workers, and the ratio of the last two."""
    w = np.linspace(-0.5, 0.5, COLUMNS)
    plain: dict[str, object] = {}
    exec(TEXT, plain)
    executors = [EXECUTORS[kind](number) for number in (1, 2)]
    tables = [executor.hold(data, {}) for executor in executors]
    try:
        for asked in PASSES:
            calls = [lambda asked=asked: plain[asked.name](w, data["X"], data["y"])]
            for executor, table in zip(executors, tables, strict=True):
                calls.append(lambda one=executor, table=table, asked=asked: evaluate(one, table, TEXT, asked, {"w": w}))
            numbers = [call()["derivative"] for call in calls]
            times = [[seconds(call)[0] for call in calls] for _ in range(rounds)]
            alone, one, two = (statistics.median(column) for column in zip(*times, strict=True))
            said = "same digits" if np.array_equal(*numbers[1:]) else "OTHER DIGITS"
            np.testing.assert_allclose(numbers[1], numbers[0], rtol=1e-10)
            verdict = "" if one / two >= FASTER else f"   below {FASTER}"
            print(
                f"{kind:7}{asked.name:17}{alone:9.3f}{one:9.3f}{two:9.3f}{one / two:8.2f}   {said}{verdict}", flush=True
            )
    finally:
        for executor in executors:
            executor.close()


def main() -> None:
    """Read the arguments, make the data, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("executors", nargs="*", choices=[*EXECUTORS, []], help="which executors (all)")
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    given = parser.parse_args()
    rng = np.random.default_rng(17)
    X = rng.normal(size=(given.rows, COLUMNS))
    data = {"X": X, "y": (rng.random(given.rows) < 0.5).astype(float)}
    print(f"{given.rows} rows, {COLUMNS} columns; seconds of an evaluation, medians of {given.rounds}")
    print(f"{'':24}{'plain':>9}{'one':>9}{'two':>9}{'ratio':>8}")
    for kind in given.executors or EXECUTORS:
        measure(kind, data, given.rounds)


if __name__ == "__main__":
    main()
