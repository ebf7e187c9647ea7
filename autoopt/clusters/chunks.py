"""Chunks of rows: which rows each has, and the recipe by which any worker can load it; and what is asked of them.

How data are cut depends on the data alone, never on the workers: so does the order in which results are added.
"""

from __future__ import annotations

import math
import os
import tempfile
import weakref
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from autoopt.errors import UsageError
from autoopt.execution.blocks.plan import RowPass
from autoopt.wording import listed

LARGEST = 1 << 26
"""Bytes of a chunk at most: what is loaded again for a worker that is lost, in pieces that any worker has room for."""

SMALLEST = 1 << 20
"""Bytes of a chunk at least: its evaluation takes about as long as asking for it."""

FEWEST = 32
"""Chunks that data are cut into if they are large enough: three workers then differ by a tenth in what they have."""

_ALIGNED = 64


@dataclass(frozen=True, eq=False)
class Chunk:
    """The rows `start` to `stop` of a table, and the recipe of `worker.loaded` for them."""

    start: int
    stop: int
    recipe: tuple


@dataclass(frozen=True, eq=False)
class Table:
    """Data in chunks, in the order of their rows. `source` is what they are read from, as long as it must be there."""

    chunks: tuple[Chunk, ...]
    source: object = None

    @property
    def rows(self) -> int:
        """How many rows there are in all."""
        return self.chunks[-1].stop


@dataclass(frozen=True)
class Task:
    """What is asked of each chunk: a pass of a text, and along which axis the rows of each argument lie."""

    text: str
    row_pass: RowPass
    axes: Mapping[str, int] = field(default_factory=dict)

    @property
    def plain(self) -> dict[str, Any]:
        """What a worker is told, which knows none of these classes."""
        asked = self.row_pass
        return {
            "text": self.text,
            "name": asked.name,
            "free": tuple(asked.free),
            "rows": tuple(asked.rows),
            "results": dict(asked.results),
            "axes": dict(self.axes),
            "along": dict(asked.axes),
        }


def cuts(rows: int, size: int) -> list[tuple[int, int]]:
    """Return where chunks of `rows` rows of `size` bytes in all begin and end.

    >>> cuts(10, 2_500_000)
    [(0, 4), (4, 8), (8, 10)]
    """
    number = max(math.ceil(size / LARGEST), min(FEWEST, math.ceil(size / SMALLEST)), 1)
    step = max(math.ceil(rows / number), 1)
    return [(start, min(start + step, rows)) for start in range(0, rows, step)]


def lengths(arrays: Mapping[str, Any], axes: Mapping[str, int]) -> int:
    """Return how many rows all arrays have.

    Raises
    ------
    UsageError
        If they have different numbers, or none.
    """
    rows = {name: array.shape[axes.get(name, 0)] for name, array in arrays.items()}
    if len(set(rows.values())) != 1 or not all(rows.values()):
        said = ", ".join(f"{name} has {number}" for name, number in rows.items()) or "there are no arrays"
        raise UsageError(
            f"Data on a cluster need the same number of rows in every array, and at least one: {said}.",
            remedy="give arrays of the same length.",
        )
    return next(iter(rows.values()))


def parts(
    arrays: Mapping[str, np.ndarray], axes: Mapping[str, int]
) -> Iterator[tuple[int, int, dict[str, np.ndarray]]]:
    """Return begin, end and arrays of each chunk, views of those given."""
    rows = lengths(arrays, axes)
    objects = [name for name, array in arrays.items() if array.dtype.hasobject]
    if objects:
        raise UsageError(
            f"Data on a cluster are numbers, and {listed(objects)} holds Python objects.",
            remedy="convert it to numbers first, as with .astype(float).",
        )
    for start, stop in cuts(rows, sum(array.nbytes for array in arrays.values())):
        at = {name: (slice(None),) * axes.get(name, 0) + (slice(start, stop),) for name in arrays}
        yield start, stop, {name: array[at[name]] for name, array in arrays.items()}


def carried(arrays: Mapping[str, np.ndarray], axes: Mapping[str, int]) -> Table:
    """Return a table whose chunks are sent to the workers: for those of other machines."""
    return Table(tuple(Chunk(start, stop, ("arrays", part)) for start, stop, part in parts(arrays, axes)))


def shared(arrays: Mapping[str, np.ndarray], axes: Mapping[str, int]) -> Table:
    """Return a table that the processes of this machine read from memory that they share, or from the user's files.

    Arrays that are mapped from a file are read there; the others are copied, once, into memory that is given back
    when the table is no longer used.
    """
    store, chunks = SharedMemory(), []
    for start, stop, part in parts(arrays, axes):
        files = {name: (_place(array) if array.size else None) or store.add(array) for name, array in part.items()}
        chunks.append(Chunk(start, stop, ("files", files)))
    return Table(tuple(chunks), store)


def _place(array: np.ndarray) -> tuple[str, str, tuple[int, ...], int] | None:
    """Return (path, type, shape, offset) of an array that is mapped from a file as it stands there, else None."""
    if not isinstance(array, np.memmap) or not array.flags.c_contiguous or array.mode == "c" or not array.filename:
        return None
    root = array
    while isinstance(root.base, np.memmap):
        root = root.base
    offset = root.offset + array.__array_interface__["data"][0] - root.__array_interface__["data"][0]
    return str(Path(array.filename).resolve()), array.dtype.str, array.shape, offset


class SharedMemory:
    """Arrays in memory that other processes of this user can map by a path; it is gone when nobody uses it.

    On Linux the memory has no name, and its path is that of the open file of this process: nothing is left behind,
    whatever ends it. Elsewhere it is a temporary file, removed with this object.
    """

    def __init__(self) -> None:
        if hasattr(os, "memfd_create"):
            descriptor = os.memfd_create("autoopt")
            self.path, named = f"/proc/{os.getpid()}/fd/{descriptor}", []
        else:
            descriptor, self.path = tempfile.mkstemp(prefix="autoopt-")
            named = [self.path]
        self._file = os.fdopen(descriptor, "r+b")
        self._used = 0
        self.close = weakref.finalize(self, _close, self._file, *named)

    def add(self, array: np.ndarray) -> tuple[str, str, tuple[int, ...], int]:
        """Copy an array, and return (path, type, shape, offset) of the copy."""
        offset = -(-self._used // _ALIGNED) * _ALIGNED
        if array.size:
            place = np.memmap(self._file, dtype=array.dtype, mode="r+", offset=offset, shape=array.shape)
            place[...] = array
        self._used = offset + array.nbytes
        return self.path, array.dtype.str, array.shape, offset


def _close(file: Any, *paths: str) -> None:
    file.close()
    for path in paths:
        os.unlink(path)
