"""Batches that the user's own code makes, as a stream."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from autoopt.batches.parts import Part
from autoopt.batches.recipes import plain
from autoopt.batches.streams import Stream
from autoopt.errors import DataError, UsageError
from autoopt.users_code import users_code
from autoopt.wording import in_midst


def of_iterable(data: Any, once: bool) -> Stream:
    """Return the stream of a generator function, or of what can be iterated again and again.

    The first batch is taken to see what is in it.
    """
    name = getattr(data, "__qualname__", None) or f"The iterable of type {type(data).__name__}"
    if callable(data) and not hasattr(data, "__iter__"):
        begin: Callable[[], Generator[Any, None, None]] = lambda: _batches(data(), name)  # noqa: E731
        is_once = False
    else:
        is_once = hasattr(data, "__next__")
        if is_once and not once:
            raise UsageError(
                f"{name} can be gone through once, and a fit goes through its data many times.",
                remedy="pass what makes it, a function without arguments; or once=True, if one pass is enough.",
            )
        begin = lambda: _batches(iter(data), name)  # noqa: E731
    return _once(begin(), name) if is_once else _again(begin, name)


def _again(begin: Callable[[], Generator[Any, None, None]], name: str) -> Stream:
    with contextlib.closing(begin()) as batches:
        first = next(batches, None)
    return _stream(begin, first, name)


def _once(batches: Iterator[Any], name: str) -> Stream:
    """Return the stream of an iterator, which is begun with what was looked at."""
    first = next(batches, None)
    waiting = [first]

    def begin() -> Generator[Any, None, None]:
        if not waiting:
            raise DataError(
                f"{name} has been gone through, and can be so once.", remedy="pass what can be iterated again."
            )
        yield waiting.pop()
        yield from batches

    return replace(_stream(begin, first, name), is_once=True)


def _batches(batches: Any, name: str) -> Generator[Any, None, None]:
    """Yield what the user's code makes; what it raises is its own."""
    with users_code(name, DataError):
        iterator = iter(batches)
    while True:
        with users_code(name, DataError):
            try:
                batch = next(iterator)
            except StopIteration:
                return
        yield batch


def _stream(begin: Callable[[], Generator[Any, None, None]], first: Any, name: str) -> Stream:
    if first is None:
        raise DataError(f"{name} has no batches.", remedy="give at least one.")
    arrays = named(first, name)
    widths = {column: max(1, plain(array, 0, 1).nbytes) for column, array in arrays.items()}
    names = list(arrays)

    def checked(batch: Any) -> dict[str, Any]:
        these = named(batch, name)
        if set(these) != set(names):
            told = f"A batch of {in_midst(name)} has {', '.join(these)}; the first one has {', '.join(names)}."
            raise DataError(told, remedy="give the same columns in each.")
        return these

    part = Part(name, {"kind": "iterated", "begin": begin, "named": checked})
    is_table = not isinstance(first, Mapping | tuple | list | np.ndarray)
    return Stream(name, widths, (part,), table=is_table, is_positional=isinstance(first, tuple | list | np.ndarray))


def named(batch: Any, name: str) -> dict[str, Any]:
    """Return the arrays of a batch by name: of a mapping, a frame, a tuple, or an array; of equal lengths."""
    if isinstance(batch, tuple | list | np.ndarray):
        given = list(batch) if isinstance(batch, tuple | list) else [batch]
        arrays = {f"data[{place}]": np.asarray(array) for place, array in enumerate(given)}
    elif isinstance(batch, Mapping):
        arrays = {
            str(column): array if hasattr(array, "iloc") else np.asarray(array) for column, array in batch.items()
        }
    elif hasattr(batch, "column_names"):
        arrays = {column: batch.column(column) for column in batch.column_names}
    elif hasattr(batch, "columns"):
        arrays = {str(column): batch[column] for column in batch.columns}
    elif hasattr(batch, "schema"):
        arrays = {column: batch.column(column) for column in batch.schema.names}
    else:
        raise DataError(f"A batch of {in_midst(name)} is of type {type(batch).__name__}.",
                        remedy="give dicts of arrays, frames, or tuples of arrays.")  # fmt: skip
    lengths = {column: len(array) if np.ndim(array) else 0 for column, array in arrays.items()}
    if len(set(lengths.values())) != 1:
        raise DataError(f"A batch of {in_midst(name)} has arrays of different lengths: {lengths}.",
                        remedy="give as many rows of each.")  # fmt: skip
    return arrays
