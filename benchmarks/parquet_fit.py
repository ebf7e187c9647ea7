"""Logistic regression on rows of a Parquet file that is larger than the memory that the process may have.

    python -m benchmarks.parquet_fit                                   10^8 rows of 10 columns in 2 GB: half an hour
    python -m benchmarks.parquet_fit --rows 1e7 --memory 1e9           fewer rows, less memory
    python -m benchmarks.parquet_fit --file /tmp/rows.parquet          is written if it is not there, and stays

Each line has a fresh process, which is refused more memory of its own (RLIMIT_DATA) than is given; "peak" is the most
that it had at once by the system's count. "reading" is pyarrow going through the columns, "batches" `autoopt.batches`
doing so, "by hand" value, gradient and Hessian of each batch by NumPy and pyarrow, "fit" `autoopt.minimize` on the
batches, with all its passes. What must hold: a fit in the memory that is given, in at most 1.5 times the seconds of
reading for each of its passes; a mean gradient below 1e-8 by hand at its estimates; and these as far from those of a
million rows in memory as standard errors let expect.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from scipy import special

from benchmarks.memory import memory
from benchmarks.processes import cell, fresh, say, table
from benchmarks.row_models import SEED, logistic

GROUP = 1_000_000  # rows of a group of the file
COLUMNS = [f"x{k}" for k in range(10)]
SAMPLE = 1_000_000  # rows that are fitted in memory
BATCH = 200_000  # rows that are read at a time by hand
SLOWEST, GRADIENT, FAR = 1.5, 1e-8, 5.0
LIMIT = 7200.0


def write(path: Path, rows: int, dtype: str) -> None:
    """Write the file, group by group."""
    import pyarrow as pa
    from pyarrow import parquet

    rng = np.random.default_rng(SEED)
    beta = np.linspace(-1, 1, len(COLUMNS)) / 2
    schema = pa.schema([(name, pa.from_numpy_dtype(dtype)) for name in [*COLUMNS, "y"]])
    with parquet.ParquetWriter(path, schema, compression="snappy", use_dictionary=["y"]) as writer:
        for start in range(0, rows, GROUP):
            X = rng.standard_normal((len(COLUMNS), min(GROUP, rows - start)))
            y = rng.random(X.shape[1]) < special.expit(beta @ X)
            writer.write_table(pa.table([*X.astype(dtype), y.astype(dtype)], schema=schema))


def rows_of(path: str) -> Any:
    """Return the rows as autoopt reads them."""
    import autoopt

    return autoopt.batches(path, {"X": COLUMNS, "y": "y"})


def tables(path: str) -> Iterator:
    """Yield what pyarrow reads, some rows at a time."""
    from pyarrow import parquet

    with parquet.ParquetFile(path, pre_buffer=False) as file:
        yield from file.iter_batches(BATCH, columns=[*COLUMNS, "y"])


# What is measured, each in a process of its own -----------------------------------------------------------------------


def within(limit: float, call: Callable[[], Any]) -> None:
    """Tell what a call takes that is refused more memory than `limit`."""
    resource.setrlimit(resource.RLIMIT_DATA, (int(limit), int(limit)))
    began, processor = time.perf_counter(), time.process_time()
    call()
    say(seconds=time.perf_counter() - began, processor=time.process_time() - processor, peak=memory("VmHWM"))


def reading(path: str) -> None:
    """Read all columns."""
    say(rows=sum(part.num_rows for part in tables(path)))


def batches(path: str) -> None:
    """Read all rows as autoopt does."""
    say(rows=sum(len(batch["y"]) for batch in rows_of(path)))


def by_hand(path: str, x: list[float]) -> None:
    """Go through value, gradient and Hessian by NumPy."""
    point = np.array(x)
    value, count, gradient, hessian = 0.0, 0, np.zeros(point.size), np.zeros((point.size, point.size))
    for part in tables(path):
        X = np.column_stack([part.column(name).to_numpy() for name in COLUMNS]).astype(float, copy=False)
        y = part.column("y").to_numpy()
        eta = X @ point
        p = special.expit(eta)
        value += np.sum(np.logaddexp(0, eta)) - y @ eta
        gradient += X.T @ (p - y)
        hessian += (X * (p * (1 - p))[:, np.newaxis]).T @ X
        count += len(y)
    say(rows=count, gradient=float(np.abs(gradient).max()) / count, value=value)
    say(errors=np.sqrt(np.diag(np.linalg.inv(hessian))).tolist())


def fit(path: str) -> None:
    """Fit, pass by pass."""
    import autoopt

    data = rows_of(path)
    result = autoopt.minimize(logistic, np.zeros(len(COLUMNS)), args=(data,))
    say(rows=data.rows, passes=data.passes, x=result.x.tolist(), success=bool(result.success), method=result.method)


def sampled(path: str) -> None:
    """Fit some of the rows in memory."""
    import autoopt

    some = rows_of(path).sample(SAMPLE, 1)
    result = autoopt.minimize(logistic, np.zeros(len(COLUMNS)), args=(some["X"], some["y"]), method="trust-exact")
    say(rows=len(some["y"]), x=result.x.tolist())


# Tables ---------------------------------------------------------------------------------------------------------------


def far(whole: dict[str, Any], some: dict[str, Any], errors: list[float]) -> float:
    """Return how many standard errors the estimates of some rows are from those of all, at the most."""
    larger = np.sqrt(whole["rows"] / some["rows"] - 1 + 1e-12)
    return float(np.max(np.abs(np.subtract(whole["x"], some["x"])) / (np.array(errors) * larger)))


def checks(found: dict[str, dict[str, Any]], limit: float) -> list[list[str]]:
    """Return what must hold, its number and whether it does."""
    fitted, hand = found["fit"], found["by hand"]
    slow = fitted["seconds"] / fitted["passes"] / found["reading"]["seconds"]
    away = far(fitted, found["sample"], hand["errors"])
    rows = [
        ("converged", 1.0 - fitted["success"], 0.0),
        ("peak memory, MB", fitted["peak"], limit / 2**20),
        ("a pass of the fit over reading", slow, SLOWEST),
        ("mean gradient by hand", hand["gradient"], GRADIENT),
        ("standard errors from a sample's estimates", away, FAR),
    ]
    return [[what, f"{number:.3g}", f"{most:.3g}", "yes" if number <= most else "no"] for what, number, most in rows]


def measured(path: str, limit: float, threads: int, tree: str | None) -> dict[str, dict[str, Any]]:
    """Return what each process told."""

    def run(call: str) -> dict[str, Any]:
        found = fresh("benchmarks.parquet_fit", call, LIMIT, tree=tree, threads=threads)
        print(call, {key: number for key, number in found.items() if key != "errors"}, file=sys.stderr, flush=True)
        return found

    found = {name: run(f"within({limit}, lambda: {name}({path!r}))") for name in ("reading", "batches", "fit")}
    if "x" in found["fit"]:
        x = found["fit"]["x"]
        found["by hand"] = run(f"within({limit}, lambda: by_hand({path!r}, {x}))")
        found["sample"] = run(f"sampled({path!r})")
    return found


def main(arguments: list[str] | None = None) -> None:
    """Parse the command line, write the file, measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.parquet_fit", description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=float, default=1e8)
    parser.add_argument("--memory", type=float, default=2e9, help="bytes that a process may have (default 2e9)")
    parser.add_argument("--dtype", choices=["float32", "float64"], default="float64")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--file", help="where the rows are, or are written")
    parser.add_argument("--tree", help="a source tree whose autoopt is measured")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(options.file or Path(folder, "rows.parquet"))
        if not path.exists():
            write(path, int(options.rows), options.dtype)
        size = path.stat().st_size / 1e9
        found = measured(str(path), options.memory, options.threads, options.tree)
    lines = []
    for name in ("reading", "batches", "by hand", "fit"):
        one = found.get(name, {})
        passes = one.get("passes", 1)
        each = {"each": one["seconds"] / passes} if "seconds" in one else one
        numbers = [cell(one, "seconds", ".1f"), cell(each, "each", ".2f"), cell(one, "processor", ".1f")]
        lines.append([name, str(passes), *numbers, cell(one, "peak", ".0f")])
    head = ["what", "passes", "seconds", "of a pass", "processor", "peak MB"]
    title = f"{options.rows:.0e} rows of {len(COLUMNS)} columns, {size:.1f} GB, {options.threads} threads"
    table(title, head, lines)
    if "sample" in found:
        table("What must hold", ["what", "is", "most", "holds"], checks(found, options.memory))


if __name__ == "__main__":
    main()
