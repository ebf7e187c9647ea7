"""Data that an executor holds, as an objective reads them: a sample here, and passes over all rows where they are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from autoopt.batches import recipes
from autoopt.batches.batches import Batches, batches
from autoopt.clusters.addresses import parse
from autoopt.clusters.chunks import Chunk, Table, cuts
from autoopt.clusters.executor import Executor, evaluate
from autoopt.clusters.partitions import is_collection
from autoopt.errors import UsageError
from autoopt.execution.blocks.plan import RowPass

_SAMPLING = '''
import numpy as np


def some(share, seed, {names}):
    """Return a share of the rows, drawn by a generator that the rows themselves seed, so that blocks differ."""
    first = np.asarray({first}).ravel()[:8].astype(float).view(np.uint64)
    drawn = np.random.default_rng([seed, len({first}), *first]).random(len({first})) < share
    return {{{entries}}}
'''


class Asked(Protocol):
    """A pass of a plan, and the values of the names that it reads besides the rows."""

    @property
    def stream(self) -> Any: ...
    @property
    def row_pass(self) -> RowPass: ...
    @property
    def known(self) -> Mapping[str, Any]: ...


class Spread:
    """Rows that the workers of an executor hold, of one or more arguments of an objective.

    Attributes
    ----------
    executor : Executor
    table : Table
    names : tuple of str
        The arguments.
    passes : int
        How often all rows were gone through.
    """

    __batches__ = True  # an objective has them in place of its arguments, as it has `autoopt.batches`
    dropped = 0

    def __init__(self, executor: Executor, table: Table, names: Sequence[str], local: Batches | None = None) -> None:
        self.executor, self.table, self.names = executor, table, tuple(names)
        self.passes = 0
        self._local, self._closes = local, False

    def __enter__(self) -> Spread:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<autoopt.clusters.Spread: {self.rows} rows, {', '.join(self.names)}>"

    @property
    def name(self) -> str:
        """What the rows are read of, for messages."""
        return "the cluster" if self._local is None else self._local.name

    @property
    def layout(self) -> Any:
        """How the arguments are made of columns; None of what Dask holds."""
        return None if self._local is None else self._local.layout

    @property
    def rows(self) -> int:
        """How many rows there are in all."""
        return self.table.rows

    def sample(self, rows: int, seed: int) -> dict[str, np.ndarray]:
        """Return about so many rows of each argument, from all over the data; all of them if there are no more."""
        if self._local is not None:
            return self._local.sample(rows, seed)
        entries = ", ".join(f"{name!r}: {name}[drawn]" for name in self.names)
        text = _SAMPLING.format(names=", ".join(self.names), first=self.names[0], entries=entries)
        row_pass = RowPass("some", ("share", "seed"), self.names, dict.fromkeys(self.names, "rows"))
        share = min(1.0, rows / self.rows)
        return evaluate(self.executor, self.table, text, row_pass, {"share": share, "seed": seed})

    def passed(self, asked: Iterable[Asked]) -> list[dict[str, Any]]:
        """Return the combined results of passes over all rows."""
        results = []
        for one in asked:
            plan, row_pass = one.stream.plan, one.row_pass
            axes = {name: plan.axes[name] for name in row_pass.rows}
            results.append(evaluate(self.executor, self.table, plan.text, row_pass, one.known, axes))
            self.passes += 1
        return results

    def close(self) -> None:
        """Close the executor, unless the user gave it."""
        if self._closes:
            self.executor.close()


def spread(data: Any, cluster: Any, arguments: Mapping[str, Any] | None = None) -> Spread:
    """Return data as rows that the workers of a cluster hold.

    Parameters
    ----------
    data : object
        Arrays by the names of the objective's arguments, of NumPy or Dask; a frame of Dask; or what `autoopt.batches`
        takes, files that the workers see as well: they read them, each its own part.
    cluster : str, Client of Dask or Executor
        As `parse` takes it.
    arguments : mapping, optional
        The columns of each argument, for frames and files: ``{"X": ["a", "b"], "y": "y"}``.

    Returns
    -------
    Spread
        To be closed, or used in a ``with`` statement.
    """
    executor = parse(cluster)
    try:
        held = _held(data, executor, arguments)
    except BaseException:
        if executor is not cluster:
            executor.close()
        raise
    held._closes = executor is not cluster
    return held


def _held(data: Any, executor: Executor, arguments: Mapping[str, Any] | None) -> Spread:
    if is_collection(data):
        data = _of_frame(data, arguments)
    elif arguments is not None or not _is_of_arrays(data):
        return _of_batches(data if isinstance(data, Batches) else batches(data, arguments), executor)
    if any(is_collection(value) for value in data.values()):
        return Spread(executor, executor.hold(data, {}), tuple(data))
    arrays = {name: value if isinstance(value, np.memmap) else np.asarray(value) for name, value in data.items()}
    return Spread(executor, executor.hold(arrays, {}), tuple(data), batches(arrays))


def _is_of_arrays(data: Any) -> bool:
    return isinstance(data, Mapping) and all(is_collection(one) or isinstance(one, np.ndarray) for one in data.values())


def _of_frame(frame: Any, arguments: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the columns of each argument of a frame of Dask."""
    if not hasattr(frame, "columns"):
        raise UsageError("An array alone has no name.", remedy="give it as {'X': array}.")
    return {
        name: frame[of if isinstance(of, str) else list(of)]
        for name, of in (arguments or {column: column for column in frame.columns}).items()
    }


_LOADING = '''


def loaded_part(recipe, layout, size):
    """Return the arguments of all rows of a part."""
    every = list(chunks(recipe, layout, size))
    return {name: np.concatenate([batch[name] for batch in every]) for name in every[0]}
'''


def _of_batches(data: Batches, executor: Executor) -> Spread:
    """Return the parts of batches as chunks: each worker reads its own."""
    row = sum(array.nbytes for array in data.head(1).values())
    parts = data.parts(len(cuts(data.rows, data.rows * row)))
    text = Path(recipes.__file__).read_text(encoding="utf-8") + _LOADING
    chunks, start = [], 0
    for part in parts:
        assert part.rows is not None
        recipe = ("call", text, "loaded_part", (part.recipe, part.layout, part.size))
        chunks.append(Chunk(start, start + part.rows, recipe))
        start += part.rows
    return Spread(executor, Table(tuple(chunks), data), tuple(data.names), data)
