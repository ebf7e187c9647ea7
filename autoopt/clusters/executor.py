"""What evaluates passes on the chunks of a table, wherever they are: three methods, and the driver on top of them.

    handle = executor.broadcast(free)                                   the parameters, once to every worker
    asked = [executor.submit(run, task, handle) for run in ...]         consecutive chunks, where they are held
    executor.tree_sum(asked, results)                                   partial results, added along one tree

An executor also holds tables, says which worker has which chunks, and closes what it opened.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Protocol

from autoopt.clusters.chunks import Chunk, Table, Task
from autoopt.execution.blocks.plan import RowPass
from autoopt.stages import stage
from autoopt.wording import times


@dataclass(frozen=True)
class Run:
    """The chunks `first` to `last` of a table, the latter not among them, and the worker that has them."""

    table: Table
    first: int
    last: int
    worker: Any

    @property
    def chunks(self) -> tuple[Chunk, ...]:
        """The chunks themselves."""
        return self.table.chunks[self.first : self.last]

    def __str__(self) -> str:
        return f"rows {self.chunks[0].start} to {self.chunks[-1].stop - 1}"


@dataclass(frozen=True, eq=False)
class Evaluation:
    """A task that a worker was asked to do for a run; one that `loads` chunks first, or what a new text imports.

    `future` has its nodes (`worker.run`), or is done when they are there; `remote` is what stands for them then.
    """

    run: Run
    task: Task
    handle: Any
    future: Future
    loads: bool = False
    remote: Any = None
    started: float = field(default_factory=time.monotonic)

    @property
    def rows(self) -> int:
        """How many rows it goes through."""
        return self.run.chunks[-1].stop - self.run.chunks[0].start


class Executor(Protocol):
    """Workers that hold chunks of rows and evaluate passes on them."""

    def hold(self, data: Mapping[str, Any], axes: Mapping[str, int]) -> Table:
        """Return data of the user as a table that the workers can load."""

    def runs(self, table: Table) -> list[Run]:
        """Return who has which chunks now, in their order."""

    def broadcast(self, values: Mapping[str, Any]) -> Any:
        """Return a handle for values that all chunks need."""

    def submit(self, run: Run, task: Task, handle: Any) -> Evaluation:
        """Ask the worker of a run for its results, and return at once."""

    def tree_sum(self, asked: Sequence[Evaluation], results: Mapping[str, str]) -> dict[str, Any]:
        """Return the results over all chunks when they are there."""

    def close(self) -> None:
        """Close what was opened here."""


def evaluate(
    executor: Executor,
    table: Table,
    text: str,
    row_pass: RowPass,
    free: Mapping[str, Any],
    axes: Mapping[str, int] | None = None,
) -> dict[str, Any]:
    """Return the combined results of a pass over all rows of a table.

    Parameters
    ----------
    executor : Executor
        Who holds the rows.
    table : Table
        What `executor.hold` returned.
    text : str
        Python source with the function `row_pass.name`, which takes the values of the names `row_pass.free`, then
        arrays of the names `row_pass.rows`, and returns a dict of partial results. It needs NumPy and SciPy only.
    row_pass : RowPass
        Names of the function, of its arguments, and how partial results are combined: "sum", "max", "min", "all",
        "any", or "rows" (joined in the order of the rows).
    free : mapping of str to values
        What every block of rows is given, parameters among them.
    axes : mapping of str to int, optional
        Along which axis the rows of an array lie, 0 for those that are not named.
    Returns
    -------
    dict of str to values
        By the names of `row_pass.results`; the same digits however many workers there are.
    Raises
    ------
    ClusterError
        If the workers that are asked die again and again. What the text raises is raised as it is.
    """
    task = Task(text, row_pass, axes or {})
    handle = executor.broadcast({name: free[name] for name in row_pass.free})
    runs = executor.runs(table)
    asked: list[Evaluation] = []

    def far() -> str:
        return f"{sum(one.rows for one in asked if one.future.done())} of {table.rows} rows"

    with stage(f"summing on {times(len(runs), 'worker')}", far):
        for run in runs:
            asked.append(executor.submit(run, task, handle))
        return executor.tree_sum(asked, row_pass.results)
