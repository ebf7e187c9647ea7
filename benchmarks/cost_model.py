"""What a fit over rows costs by the formulas of docs/scaling.rst: memory, arithmetic, messages, files.

    python -m benchmarks.cost_model                                      10^10 rows, 50 columns, 100 machines
    python -m benchmarks.cost_model --rows 1e8 --columns 10 --machines 4

Constants say whether they were measured (`machine_constants.py`, on a quiet machine) or are assumed. Arithmetic is that
of a linear predictor: one product with X, one with its transpose, and what an entry of the predictor takes.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import ceil, log2

from benchmarks.processes import table

NUMBER = 8  # bytes
GROUP = 1_000_000  # rows of a piece of a file
DAY = "measured 2026-11-30"


@dataclass(frozen=True)
class Machine:
    """What one of the machines can do, in seconds, bytes and operations of arithmetic; SOURCES says what is what."""

    cores: int = 16
    memory: float = 128e9
    read: float = 100e9
    product: float = 16.8e9
    square: float = 25.8e9
    functions: float = 4e-9
    decode: float = 2.59e9
    load: float = 1.25e9
    network: float = 1.25e9
    latency: float = 1e-4
    task: float = 1.74e-3


SOURCES = (
    ("cores", "cores of a machine", 1, "", "assumed"),
    ("memory", "memory of a machine", 1e9, "GB", "assumed"),
    ("read", "memory read by all cores, B", 1e9, "GB/s", "assumed (29.7 by the two cores here, measured)"),
    ("product", "X @ w, X.T @ r of a block, of a core, F", 1e9, "Gflop/s", DAY),
    ("square", "X.T @ X of a block, one half, of a core, S", 1e9, "Gflop/s", DAY),
    ("functions", "an entry of the predictor, e", 1e-9, "ns", "assumed (exp and log1p of NumPy here, measured)"),
    ("decode", "Parquet to numbers, of a core", 1e9, "GB/s", DAY),
    ("load", "files of a machine, D", 1e9, "GB/s", "assumed (2.5 from the disk here, measured)"),
    ("network", "network of a machine, W", 1e9, "GB/s", "assumed"),
    ("latency", "a message, L", 1e-3, "ms", "assumed (0.05 there and back between processes here, measured)"),
    ("task", "a task of Dask's scheduler, T", 1e-3, "ms", DAY),
)


@dataclass(frozen=True)
class Fit:
    """Rows, columns and machines of a fit, and what it costs in seconds."""

    rows: float
    columns: int
    machines: int
    machine: Machine = Machine()

    @property
    def bytes(self) -> float:
        """Bytes of X and y on one machine."""
        return NUMBER * self.rows * (self.columns + 1) / self.machines

    def _work(self, row: float) -> float:
        """Return the seconds in which the cores do what takes `row` seconds a row."""
        return self.rows * row / (self.machines * self.machine.cores)

    def reading(self) -> float:
        """Return the seconds in which memory gives X and y once."""
        return self.bytes / self.machine.read

    def gradient_work(self) -> float:
        """Return the seconds of the arithmetic of a value and gradient."""
        return self._work(4 * self.columns / self.machine.product + self.machine.functions)

    def hessian_work(self) -> float:
        """Return the seconds of the arithmetic of a Hessian: X w, the weighted copy, one half of the product."""
        d, machine = self.columns, self.machine
        return self._work(2 * d / machine.product + machine.functions + d * (d + 1) / machine.square)

    def tree(self, numbers: float) -> float:
        """Return the seconds in which parameters go down a binary tree of machines and sums come up."""
        one = self.machine.latency + NUMBER * numbers / self.machine.network
        down = self.machine.latency + NUMBER * self.columns / self.machine.network
        return ceil(log2(self.machines)) * (one + down) if self.machines > 1 else 0.0

    def tasks(self, count: float) -> float:
        """Return the seconds of a scheduler that hands out one task after another."""
        return count * self.machine.task if self.machines > 1 else 0.0

    def gradient(self) -> float:
        """Return the seconds of a value and gradient: memory and arithmetic at once, then messages."""
        messages = self.tree(self.columns) + self.tasks(self.machines)
        return max(self.reading(), self.gradient_work()) + messages

    def hessian(self) -> float:
        """Return the seconds of value, gradient and Hessian in one pass."""
        d = self.columns
        messages = self.tree(d * (d + 1) / 2 + d) + self.tasks(self.machines)
        work = self.gradient_work() + self.hessian_work() - self._work(2 * d / self.machine.product)
        return max(self.reading(), work) + messages

    def solving(self) -> float:
        """Return the seconds in which one machine factorises the Hessian, d^3 / 3 on one core."""
        return self.columns**3 / 3 / self.machine.square

    def loading(self) -> float:
        """Return the seconds in which files come from where they are, or are decoded, whatever is slower."""
        return max(self.bytes / self.machine.load, self.bytes / (self.machine.decode * self.machine.cores))


NEWTON, LIMITED = 13, 35  # passes of logistic regression, as benchmarks.passes counts them


def quantities(fit: Fit) -> Iterable[list[str]]:
    """Yield what it is, its formula and its number."""
    newton = NEWTON * (fit.hessian() + fit.solving())
    yield ["X and y of a machine", "8 n (d + 1) / m", f"{fit.bytes / 1e9:.3g} GB"]
    yield ["loading", "8 n (d + 1) / (m D)", f"{fit.loading():.3g} s"]
    yield ["reading memory once", "8 n (d + 1) / (m B)", f"{fit.reading():.3g} s"]
    yield ["arithmetic of value, gradient", "n (4 d / F + e) / (m p)", f"{fit.gradient_work():.3g} s"]
    yield ["arithmetic of a Hessian", "n (2 d / F + e + d (d + 1) / S) / (m p)", f"{fit.hessian_work():.3g} s"]
    yield ["tree of gradients", "log2(m) (2 L + 16 d / W)", f"{fit.tree(fit.columns) * 1e3:.3g} ms"]
    half = fit.columns * (fit.columns + 1) / 2
    yield ["tree of Hessians", "log2(m) (2 L + 4 d (d + 3) / W)", f"{fit.tree(half) * 1e3:.3g} ms"]
    yield ["a task for each machine", "m T", f"{fit.tasks(fit.machines):.3g} s"]
    yield ["a task for each 10^6 rows", "n T / 10^6", f"{fit.tasks(fit.rows / GROUP):.3g} s"]
    yield ["value and gradient", "", f"{fit.gradient():.3g} s"]
    yield ["value, gradient and Hessian", "", f"{fit.hessian():.3g} s"]
    yield ["fit by Newton", f"{NEWTON} passes", f"{newton:.3g} s"]
    yield ["fit by L-BFGS", f"{LIMITED} passes", f"{LIMITED * fit.gradient():.3g} s"]
    yield ["fit by Newton, from files", f"{NEWTON} passes and loads", f"{newton + NEWTON * fit.loading():.3g} s"]
    from_files = LIMITED * (fit.gradient() + fit.loading())
    yield ["fit by L-BFGS, from files", f"{LIMITED} passes and loads", f"{from_files:.3g} s"]


def by_machines(fit: Fit) -> Iterable[list[str]]:
    """Yield how it goes on with more machines."""
    for machines in (1, 10, 100, 1000, 10_000):
        one = replace(fit, machines=machines)
        messages = one.tree(one.columns) + one.tasks(machines)
        fits = "yes" if one.bytes < 0.8 * one.machine.memory else "no"
        part = f"{messages / one.gradient():.0%}"
        yield [
            str(machines),
            f"{one.bytes / 1e9:.3g}",
            fits,
            *(f"{t:.3g}" for t in (one.gradient(), one.hessian())),
            part,
        ]


def by_columns(fit: Fit) -> Iterable[list[str]]:
    """Yield how it goes on with more columns and as many numbers."""
    for columns in (10, 50, 500, 5000, 50_000):
        one = replace(fit, columns=columns, rows=fit.rows * fit.columns / columns)
        half = columns * (columns + 1) / 2
        seconds = (one.gradient(), one.hessian(), one.tree(half), one.solving())
        yield [str(columns), f"{one.rows:.1e}", *(f"{t:.3g}" for t in seconds), f"{NUMBER * columns**2 / 1e9:.3g}"]


def main(arguments: list[str] | None = None) -> None:
    """Parse the command line, reckon and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cost_model", description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=float, default=1e10)
    parser.add_argument("--columns", type=int, default=50)
    parser.add_argument("--machines", type=int, default=100)
    options = parser.parse_args(arguments)
    fit = Fit(options.rows, options.columns, options.machines)
    constants = [
        [what, f"{getattr(fit.machine, name) / scale:.3g} {unit}".strip(), source]
        for name, what, scale, unit, source in SOURCES
    ]
    table("Constants", ["constant", "number", "source"], constants)
    title = f"{fit.rows:.0e} rows of {fit.columns} columns on {fit.machines} machines"
    table(title, ["what", "formula", "number"], quantities(fit))
    head = ["machines", "GB each", "in memory", "gradient s", "with Hessian s", "messages"]
    table("The same rows on more machines", head, by_machines(fit))
    head = ["columns", "rows", "gradient s", "with Hessian s", "its tree s", "solving s", "its GB"]
    table("As many numbers in more columns", head, by_columns(fit))


if __name__ == "__main__":
    main()
