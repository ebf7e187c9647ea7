"""Where pandas puts entries: it is run on a table of their numbers, and traced values are taken from these places.

    S = pd.Series([.5, .2, .9], list("bca"))        # traced values v
    S.sort_index()                                  # pandas: on [1, 2, 3] gives [3, 1, 2], labels a, b, c
                                                    # so the traced values are v[[2, 0, 1]], of these labels

It is run twice, on numbers from 1 on and from 1 + n on: what differs by n is an entry, what is the same comes from the
data, and anything else has been calculated with, which is refused. Where an operation goes by size, the numbers are the
ranks of the entries, and their order is a guard; where values are missing, which ones they are is a guard.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autoopt.tape.tape import PARAMETER
from autoopt.tracing.arrays import functions, indices


def rearranged(frames: Any, function: Callable, given: Any, what: str, by_size: bool = False) -> Any:
    """Return the stand-in for `function(given)`, which puts entries of the tables in `given` somewhere."""
    tracer, pool = frames.tracer, []
    expected = function(frames.plain(given))
    if expected is None:
        raise frames.refusal(what, "it changes the data")
    numbering = _Numbering(frames, pool)
    numbering.of(given)
    if not pool:
        return _wrapped(frames, expected)
    entries = pool[0] if len(pool) == 1 else functions.call_function(tracer, np.concatenate, (pool,), {})
    missing = np.isnan(np.asarray(entries.value, dtype=float))
    if missing.any():
        tracer.guard(functions.call_function(tracer, np.isnan, (entries,), {}), "array", missing)
    numbers = np.arange(1.0, len(missing) + 1)
    if by_size:
        order = functions.call_function(tracer, np.argsort, (entries,), {"kind": "stable"})
        numbers[np.asarray(indices.decided(tracer, order))] = np.arange(1.0, len(missing) + 1)
    place = np.zeros(len(missing) + 1, int)
    place[numbers.astype(int)] = np.arange(len(missing))
    numbers[missing] = np.nan
    runs = [function(_Numbering(frames, [], numbers + shift).of(given)) for shift in (0, len(missing))]
    return _Gathering(frames, entries, place, what).of(expected, *runs)


def _wrapped(frames: Any, value: Any) -> Any:
    if type(value) in (list, tuple):
        return type(value)([_wrapped(frames, part) for part in value])
    return frames.wrap(value)


class _Numbering:
    """Puts numbers in the place of traced entries, which go to `pool`."""

    def __init__(self, frames: Any, pool: list, numbers: np.ndarray | None = None) -> None:
        self.frames, self.pool, self.numbers, self.count = frames, pool, numbers, 0

    def of(self, value: Any) -> Any:
        kind = type(value)
        if kind in (tuple, list):
            return kind([self.of(part) for part in value])
        if kind is dict:
            return {key: self.of(part) for key, part in value.items()}
        if kind is self.frames.tracer.array and value.level == PARAMETER:
            return self._next(value)
        if hasattr(kind, "_follows") and value._follows:
            return self._table(value)
        return self.frames.plain(value)

    def _table(self, table: Any) -> Any:
        plain = table._plain
        if not table._columns:
            numbers = self._next(table.values)
            labels = {"columns": plain.columns} if plain.ndim == 2 else {"name": plain.name}
            return type(plain)(numbers, index=plain.index, **labels)
        made = plain.copy()
        for label, column in table._columns.items():
            if not hasattr(type(column), "_follows"):
                made[label] = self._next(column)
            elif column._follows:
                made[label] = self._next(column.values)
        return made

    def _next(self, values: Any) -> Any:
        size, shape = values.size, np.shape(values)
        start, self.count = self.count, self.count + size
        if self.numbers is None:
            self.pool.append(values.reshape(-1))
            return np.zeros(shape)
        numbers = self.numbers[start : start + size].reshape(shape)
        return numbers if numbers.ndim else float(numbers)


class _Gathering:
    """Takes traced entries from the places that two runs on numbers have shown."""

    def __init__(self, frames: Any, entries: Any, place: np.ndarray, what: str) -> None:
        self.frames, self.entries, self.place, self.what = frames, entries, place, what
        self.shift = len(place) - 1

    def of(self, expected: Any, first: Any, second: Any) -> Any:
        kind = type(expected)
        if kind in (tuple, list):
            if not len(expected) == len(first) == len(second):
                raise self.refusal()
            return kind([self.of(*parts) for parts in zip(expected, first, second, strict=True)])
        ndim = getattr(expected, "ndim", None)
        if hasattr(expected, "iloc"):
            self._check_labels(expected, first)
            if ndim == 2 and not self._is_of_numbers(expected, first, second):
                return self._columns(expected, first, second)
            if ndim == 1 and expected.dtype.kind == "O":
                return self._row(expected, first, second)
        elif ndim is None or (ndim and not isinstance(expected, np.ndarray)):
            return self._same(expected, first, second)
        values = self._numbers(expected, first, second)
        return self.frames.wrap(expected) if values is None else self.frames.both(expected, values, self.what)

    def refusal(self) -> Exception:
        return self.frames.refusal(self.what, "what it does to them is more than to put them in another order")

    def _same(self, expected: Any, first: Any, second: Any) -> Any:
        """Return what is no table: a label, an index or a plain number, the same for all numbers."""
        if isinstance(expected, float | int):
            values = self._numbers(np.asarray(expected), np.asarray(first), np.asarray(second))
            return expected if values is None else values[()]
        equal = expected.equals(first) if hasattr(expected, "equals") else expected == first
        if type(equal) is not bool or not equal:
            raise self.refusal()
        return self.frames.wrap(expected)

    def _check_labels(self, expected: Any, *runs: Any) -> None:
        for run in runs:
            same = run.ndim == expected.ndim and expected.index.equals(run.index)
            if not same or (run.ndim == 2 and not expected.columns.equals(run.columns)):
                raise self.refusal()

    def _is_of_numbers(self, *tables: Any) -> bool:
        """Whether all columns of a frame hold entries, so that it is one array."""
        _, first, second = tables
        for one, other in zip(first.dtypes, second.dtypes, strict=True):
            if one.kind not in "fiu" or other.kind not in "fiu":
                return False
        moved = second.to_numpy() - first.to_numpy() == self.shift
        return bool(moved.size) and bool(moved.any(axis=0).all())

    def _row(self, expected: Any, first: Any, second: Any) -> Any:
        """Return a Series of objects, such as the row of a frame in which there are texts."""
        if not expected.index.is_unique:
            raise self.refusal()
        made = self.frames.wrap(expected)
        for label, entry, *runs in zip(expected.index, expected, first, second, strict=True):
            if isinstance(entry, float) and isinstance(runs[0], float):
                values = self._numbers(np.asarray(entry), *map(np.asarray, runs))
                if values is not None:
                    made._columns[label] = values[()]
            elif not (runs[0] is runs[1] is entry or runs[0] == runs[1] == entry):
                raise self.refusal()
        return made

    def _columns(self, expected: Any, first: Any, second: Any) -> Any:
        if not expected.columns.is_unique:
            raise self.refusal()
        made = self.frames.wrap(expected)
        for label in expected.columns:
            values = self._numbers(expected[label], first[label], second[label])
            if values is not None:
                made._columns[label] = self.frames.both(expected[label], values, self.what)
        return made

    def _numbers(self, expected: Any, first: Any, second: Any) -> Any:
        """Return traced values for those that two runs show to be entries, None if none is one."""
        try:
            one, other = (np.asarray(run, dtype=float) for run in (first, second))
        except (TypeError, ValueError):
            one, other = np.asarray(first), np.asarray(second)
            if not np.array_equal(one, other):
                raise self.refusal() from None
            return None
        if one.shape != other.shape or one.shape != np.shape(expected):
            raise self.refusal()
        moved = other - one == self.shift
        same = (one == other) | (np.isnan(one) & np.isnan(other))
        if not np.all(moved | same):
            raise self.refusal()
        if not moved.any():
            return None
        places = self.place[np.where(moved, one, 0).astype(int)]
        values = self.entries[places if places.ndim else int(places)]
        return values if moved.all() else np.where(moved, values, np.where(moved, 0.0, one))
