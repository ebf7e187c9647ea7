"""The constants of this machine that a model of costs reckons with: memory, BLAS, functions, files, messages.

    python -m benchmarks.machine_constants               all: about half a minute
    python -m benchmarks.machine_constants exp parquet   by parts of their names

Each is the least of some rounds in a fresh process with one thread of BLAS; that of two threads is one call in each of
two threads at once. The line below the table says how busy the machine was before: on one that is, they are too large.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
from scipy import special

from benchmarks.processes import fresh, say, table

ROUNDS = 25
ROWS, COLUMNS = 1_000_000, 50
BLOCK = 1024  # rows that fit, with all their columns, into the second cache
ENTRIES = 4096  # of an elementwise function; the first cache has them
PIECES = 32  # of 16 MB, of a file
LIMIT = 120.0


@dataclass(frozen=True)
class Constant:
    """A number of the machine: `measure()` returns it in `unit`."""

    name: str
    unit: str
    measure: Callable[[], float]


CONSTANTS: dict[str, Constant] = {}


def constant(name: str, unit: str) -> Callable:
    """Enter the decorated function in CONSTANTS."""
    return lambda measure: CONSTANTS.setdefault(name, Constant(name, unit, measure)).measure


def least(call: Callable[[], object], repeats: int = 1) -> float:
    """Return the least seconds of a call, which is made before the first round, too."""
    call()
    spent = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        for _ in range(repeats):
            call()
        spent.append((time.perf_counter() - began) / repeats)
    return min(spent)


# Memory and BLAS.


@constant("memory read, one thread", "GB/s")
def read() -> float:
    """Read an array of 400 MB by BLAS's dot."""
    array = np.ones(ROWS * COLUMNS)
    return array.nbytes / least(lambda: array @ array) / 1e9


@constant("memory read, two threads", "GB/s")
def read_twice() -> float:
    """Read the two halves of such an array at once."""
    halves = np.ones((2, ROWS * COLUMNS // 2))
    with ThreadPoolExecutor(2) as pool:
        return halves.nbytes / least(lambda: list(pool.map(lambda half: half @ half, halves))) / 1e9


def design(rows: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return a design matrix, a vector of its columns and one of its rows."""
    rng = np.random.default_rng(0)
    return rng.normal(size=(rows, COLUMNS)), rng.normal(size=COLUMNS), rng.normal(size=rows)


@constant("memory copied, one thread", "GB/s")
def copy() -> float:
    """Copy such an array into another, what is read and what is written counted."""
    array, copied = np.ones(ROWS * COLUMNS), np.ones(ROWS * COLUMNS)
    return 2 * array.nbytes / least(lambda: np.copyto(copied, array)) / 1e9


@constant("X @ w, 1000000x50", "Gflop/s")
def product() -> float:
    """Multiply a matrix that memory has."""
    X, w, _ = design(ROWS)
    return 2 * X.size / least(lambda: X @ w) / 1e9


@constant("X.T @ r, 1000000x50", "Gflop/s")
def transposed() -> float:
    """The same, transposed."""
    X, _, r = design(ROWS)
    return 2 * X.size / least(lambda: X.T @ r) / 1e9


@constant("X @ w, block of 1024x50", "Gflop/s")
def block_product() -> float:
    """Multiply a matrix that the second cache has."""
    X, w, _ = design(BLOCK)
    return 2 * X.size / least(lambda: X @ w, 200) / 1e9


@constant("X.T @ r, block of 1024x50", "Gflop/s")
def block_transposed() -> float:
    """The same, transposed."""
    X, _, r = design(BLOCK)
    return 2 * X.size / least(lambda: X.T @ r, 200) / 1e9


@constant("A.T @ B, blocks of 1024x50", "Gflop/s")
def block_products() -> float:
    """Multiply two matrices that the second cache has, all of the product counted."""
    X, _, r = design(BLOCK)
    weighted = r[:, np.newaxis] * X
    return 2 * X.size * COLUMNS / least(lambda: X.T @ weighted, 50) / 1e9


@constant("A.T @ A, block of 1024x50", "Gflop/s")
def block_square() -> float:
    """Multiply a matrix by its transpose: the arithmetic of one half of the product, as BLAS's syrk has it."""
    X, _, _ = design(BLOCK)
    return X.size * COLUMNS / least(lambda: X.T @ X, 50) / 1e9


@constant("A @ B, 1024x1024", "Gflop/s")
def large_product() -> float:
    """Multiply square matrices."""
    A = np.random.default_rng(0).normal(size=(1024, 1024))
    return 2 * 1024**3 / least(lambda: A @ A) / 1e9


# Functions of an entry.


def entrywise(function: Callable) -> Callable[[], float]:
    """Return what measures the nanoseconds of an entry."""
    z = np.random.default_rng(0).normal(size=ENTRIES)
    z = np.abs(z) if function in (np.log, np.log1p) else z
    return lambda: least(lambda: function(z), 200) / ENTRIES * 1e9


for _function in (np.exp, np.log, np.log1p, np.tanh, special.expit, special.gammaln):
    constant(f"NumPy's or SciPy's {_function.__name__}", "ns an entry")(entrywise(_function))
constant("NumPy's or SciPy's logaddexp(0, z)", "ns an entry")(entrywise(lambda z: np.logaddexp(0, z)))


# Files.


@constant("file read from the disk", "MB/s")
def disk() -> float:
    """Read 512 MB that the system was told to forget."""
    piece = bytearray(2**24)
    with tempfile.TemporaryFile(buffering=0) as file:
        for _ in range(PIECES):
            file.write(np.random.default_rng(0).bytes(len(piece)))
        os.fsync(file.fileno())

        def call() -> None:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            file.seek(0)
            while file.readinto(piece):
                pass

        return PIECES * len(piece) / least(call) / 1e6


def parquet(threads: bool) -> float:
    """Return the seconds to read 3 row groups of 1000000x10 numbers of a compressed file that the system has cached."""
    import pyarrow as pa
    from pyarrow import parquet as pq

    table = pa.table({f"x{k}": np.random.default_rng(k).normal(size=ROWS) for k in range(10)})
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "rows.parquet")
        with pq.ParquetWriter(path, table.schema, compression="snappy") as writer:
            for _ in range(3):
                writer.write_table(table)
        file = pq.ParquetFile(path)
        return least(lambda: [file.read_row_group(k, use_threads=threads) for k in range(3)])


@constant("Parquet read, one thread", "MB/s of numbers")
def parquet_read() -> float:
    """Decode by one thread, as float64."""
    return 3 * ROWS * 10 * 8 / parquet(threads=False) / 1e6


@constant("Parquet read, two threads", "MB/s of numbers")
def parquet_read_twice() -> float:
    """Decode by all threads of pyarrow."""
    return 3 * ROWS * 10 * 8 / parquet(threads=True) / 1e6


# Messages.


def _answers(end: Connection) -> None:
    while (message := end.recv_bytes()) != b"end":
        end.send_bytes(message)


def round_trip(size: int) -> float:
    """Return the milliseconds in which bytes go to another process through a pipe, and come back."""
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(target=_answers, args=(there,))
    process.start()
    message = bytes(size)

    def call() -> None:
        here.send_bytes(message)
        here.recv_bytes()

    try:
        return least(call, 200) * 1e3
    finally:
        here.send_bytes(b"end")
        process.join()


@constant("round trip to a process, 50 numbers", "ms")
def process_gradient() -> float:
    """The size of parameters and of a gradient."""
    return round_trip(50 * 8)


@constant("round trip to a process, 50x50 numbers", "ms")
def process_hessian() -> float:
    """The size of a Hessian."""
    return round_trip(50 * 50 * 8)


def cluster(measure: Callable) -> float:
    """Return what `measure` returns of a client of Dask's with two worker processes."""
    from dask.distributed import Client, LocalCluster

    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as workers,
        Client(workers) as client,
    ):
        return measure(client)


@constant("round trip of a task of Dask", "ms")
def dask_task() -> float:
    """Submit one task and wait for its result."""
    return cluster(lambda client: least(lambda: client.submit(abs, -1, pure=False).result(), 20) * 1e3)


@constant("each of 200 tasks of Dask", "ms")
def dask_tasks() -> float:
    """Submit 200 tasks at once and wait for all results."""

    def call(client: object) -> float:
        return least(lambda: client.gather(client.map(abs, range(200), pure=False))) / 200 * 1e3

    return cluster(call)


def tell(name: str) -> None:
    """Measure one constant in this process and tell it."""
    say(number=CONSTANTS[name].measure())


def main(arguments: list[str] | None = None) -> None:
    """Parse the command line, measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.machine_constants", description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="parts of the names of constants")
    options = parser.parse_args(arguments)
    before = os.getloadavg()[0]
    lines = []
    for name, row in CONSTANTS.items():
        if options.names and not any(part in name for part in options.names):
            continue
        found = fresh("benchmarks.machine_constants", f"tell({name!r})", LIMIT)
        lines.append([name, f"{found['number']:.3g}" if "number" in found else found["reason"], row.unit])
    table("Constants of this machine", ["constant", "number", "unit"], lines)
    print(f"\nLoad average before the first: {before:.2f}.")


if __name__ == "__main__":
    main()
