"""Data that an executor holds, as an objective reads them: a sample here, and passes over all rows where they are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from autoopt.batches import recipes
from autoopt.batches.batches import Batches, batches
from autoopt.batches.layout import Given, Layout
from autoopt.clusters.addresses import parse
from autoopt.clusters.chunks import Chunk, Table, cuts
from autoopt.clusters.executor import Executor, evaluate
from autoopt.clusters.frames import laid_out
from autoopt.clusters.on_dask import Dask
from autoopt.errors import DataError, UsageError
from autoopt.execution.blocks.plan import RowPass
from autoopt.tables.elsewhere import collections_in, is_collection
from autoopt.wording import listed

_SAMPLING = '''
import numpy as np


def some(share, seed, {names}):
    """Return a share of the rows, drawn by a generator that the rows themselves seed, so that blocks differ."""
    first = np.asarray({first}).ravel()[:8].astype(float).view(np.uint64)
    drawn = np.random.default_rng([seed, len({first}), *first]).random(len({first})) < share
    return {{{entries}}}
'''


_LOOKING = """
import numpy as np


def faults({names}):
    return {{{entries}}}
"""


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
    layout : Layout
        Of which columns each is made; of arrays that have none, of what has its own name.
    passes : int
        How often all rows were gone through.
    """

    __batches__ = True  # an objective has them in place of its arguments, as it has `autoopt.batches`
    dropped = 0

    def __init__(self, executor: Executor, table: Table, layout: Layout, local: Batches | None = None) -> None:
        self.executor, self.table, self.layout = executor, table, layout
        self.names = tuple(layout.arguments)
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
    def here(self) -> Batches | None:
        """The same rows as this process can read them; None of what Dask holds."""
        return self._local

    @property
    def columns(self) -> list[str]:
        """What the arguments are made of."""
        return list(self.layout.columns)

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

    def refuse_missing(self) -> None:
        """Raise DataError if a value is missing or infinite: of frames of Dask, which nobody has looked at."""
        entries = ", ".join(f"{name!r}: np.count_nonzero(~np.isfinite({name}), axis=0)" for name in self.names)
        text = _LOOKING.format(names=", ".join(self.names), entries=entries)
        row_pass = RowPass("faults", (), self.names, dict.fromkeys(self.names, "sum"))
        counts = evaluate(self.executor, self.table, text, row_pass, {})
        faults = {
            column: int(count)
            for name, of in self.layout.arguments.items()
            for column, count in zip([of] if isinstance(of, str) else of, np.atleast_1d(counts[name]), strict=True)
            if count
        }
        if faults:
            told = listed([f"{column} in {count} rows" for column, count in faults.items()])
            raise DataError(
                f"Values of {self.name} are missing or infinite: {told}.",
                remedy="leave these rows out (missing='drop' does so with those that lack a value), or fill them.",
            )

    def close(self) -> None:
        """Close the executor, unless the user gave it."""
        if self._closes:
            self.executor.close()


def spread(data: Any, cluster: Any, arguments: Given | None = None) -> Spread:
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


def _held(data: Any, executor: Executor, arguments: Given | None) -> Spread:
    if isinstance(data, Spread):
        raise UsageError(
            "The data are on a cluster already.", remedy="leave cluster out: they are summed where they are."
        )
    if collections_in(data) and not isinstance(executor, Dask):
        raise UsageError(
            "Collections of Dask are computed where Dask has its workers.",
            remedy='pass the client as cluster, the address of its scheduler, or "dask:4" for one of this machine.',
        )
    if is_collection(data):
        layout, values = laid_out(data, arguments)
        return Spread(executor, executor.hold(values, {}), layout)
    if arguments is not None or not _is_of_arrays(data):
        return _of_batches(data if isinstance(data, Batches) else batches(data, arguments), executor)
    if any(is_collection(value) for value in data.values()):
        return Spread(executor, executor.hold(data, {}), _each(data))
    arrays = {name: value if isinstance(value, np.memmap) else np.asarray(value) for name, value in data.items()}
    return Spread(executor, executor.hold(arrays, {}), _each(data), batches(arrays))


def _each(names: Iterable[str]) -> Layout:
    """Return the layout of arrays that are arguments as they are."""
    return Layout({name: name for name in names}, table=False)


def _is_of_arrays(data: Any) -> bool:
    return isinstance(data, Mapping) and all(is_collection(one) or isinstance(one, np.ndarray) for one in data.values())


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
    return Spread(executor, Table(tuple(chunks), data), data.layout, data)
