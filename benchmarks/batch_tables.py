"""Going through a Parquet file in batches of rows: time beside pyarrow's own reading, and memory.

    python -m benchmarks.batch_tables                        2 GB, 5 rounds: about a minute, and 2 GB in /tmp
    python -m benchmarks.batch_tables --rows 100000000       8 GB

Each turn is a fresh process that has imported everything when the clock starts; the ways take turns, and the first
round, in which the file comes into memory, does not count. "above" is the peak of the process less what it had before.
To hold: 1.2 times pyarrow's iter_batches, 500 MB above.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.memory import memory
from benchmarks.processes import cell, fresh, say, table

COLUMNS = [*(f"x{number}" for number in range(9)), "y"]
GROUP = 1_000_000
"""Rows of a group, as most writers make them."""

BATCH = 200_000
"""Rows of a batch, those of autoopt's 16 MB."""


def write(path: str, rows: int) -> None:
    """Write a Parquet file of ten columns of float64, in pieces."""
    import pyarrow
    from pyarrow import parquet

    random = np.random.default_rng(0)
    schema = pyarrow.schema([(name, pyarrow.float64()) for name in COLUMNS])
    with parquet.ParquetWriter(path, schema) as file:
        for begin in range(0, rows, GROUP):
            many = min(GROUP, rows - begin)
            file.write_table(pyarrow.table({name: random.normal(size=many) for name in COLUMNS}, schema=schema))


def of_pyarrow(path: str, **options: Any) -> Iterator[int]:
    """Yield the rows of each batch as pyarrow reads them."""
    from pyarrow import parquet

    with parquet.ParquetFile(path, **options) as file:
        yield from map(len, file.iter_batches(BATCH))


def buffered(path: str) -> Iterator[int]:
    """Yield the rows of each batch as pyarrow reads them if it is told to hold little."""
    return of_pyarrow(path, pre_buffer=False, buffer_size=1 << 20)


def in_batches(path: str, arguments: Any = None, **options: Any) -> Iterator[int]:
    """Yield the rows of each batch of autoopt's."""
    import autoopt

    return (len(batch["y"]) for batch in autoopt.batches(path, arguments, **options))


WAYS: dict[str, Callable[[str], Iterator[int]]] = {
    "pyarrow, iter_batches": of_pyarrow,
    "pyarrow, small buffers": buffered,
    "batches, columns": in_batches,
    "batches, X and y": lambda path: in_batches(path, {"X": ..., "y": "y"}),
    "batches, X and y, no thread": lambda path: in_batches(path, {"X": ..., "y": "y"}, read_ahead=0),
}


def once(way: str, path: str) -> None:
    """Go through the file in this process and tell what it took."""
    import pyarrow.parquet

    import autoopt.batches.opening  # noqa: F401

    assert pyarrow.parquet
    Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")
    before, began, worked = memory("VmRSS"), time.perf_counter(), time.process_time()
    rows = sum(WAYS[way](path))
    wall, processor = time.perf_counter() - began, time.process_time() - worked
    say(rows=rows, seconds=wall, processor=processor, above=memory("VmHWM") - before)


def main(arguments: list[str] | None = None) -> None:
    """Parse the command line, measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.batch_tables", description=__doc__)
    parser.add_argument("--rows", type=int, default=25_000_000, help="of the file (default 25 million, 2 GB)")
    parser.add_argument("--rounds", type=int, default=5, help="turns of each way (default 5)")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/data.parquet"
        write(path, options.rows)
        size = Path(path).stat().st_size / 1e6
        turns = [
            {way: fresh("benchmarks.batch_tables", f"once({way!r}, {path!r})", 600.0) for way in WAYS}
            for _ in range(options.rounds + 1)
        ][1:]
    lines = []
    first = next(iter(WAYS))
    for way in WAYS:
        ratio = statistics.median(turn[way]["seconds"] / turn[first]["seconds"] for turn in turns)
        middle = {key: statistics.median(turn[way][key] for turn in turns) for key in ("seconds", "processor", "above")}
        lines.append([way, *(cell(middle, key, ".2f") for key in ("seconds", "processor")), f"{ratio:.2f} x",
                      f"{middle['above']:.0f} MB"])  # fmt: skip
    title = f"A Parquet file of {options.rows} rows, {len(COLUMNS)} columns, {size:.0f} MB"
    table(title, ["way", "seconds", "processor", "beside pyarrow", "above"], lines)


if __name__ == "__main__":
    main()
