"""What `table.name` is of a Series or DataFrame: a column, an entry, an indexer, groups, or a method."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from autoopt.tracing.frames.pandas_groups import Groups
from autoopt.tracing.frames.pandas_methods import BINARY, METHODS, REDUCTIONS, SKIPPING, skipping
from autoopt.tracing.frames.pandas_objects import Call, Other
from autoopt.tracing.frames.pandas_operators import AXES, aligned, binary, like, lined_up, missing_in
from autoopt.tracing.frames.pandas_placing import BY_SIZE, PLACING, placed
from autoopt.tracing.frames.pandas_table import Table, is_hashable, method, pandas_classes
from autoopt.tracing.frames.pandas_windows import Weighted, Windows


@method("__getattr__")
def attribute(table: Table, name: str) -> Any:
    if name.startswith("__") or name in Table.__slots__:
        raise AttributeError(name)
    if table._is_frame and (name in table._columns or name in table._original.columns):
        return table[name]
    result = getattr(table._original, name)
    if name == "groupby":
        return lambda *args, **kwargs: Groups(table, args, kwargs, "groupby")
    if name in ("rolling", "expanding", "resample", "ewm") and table._frames.follows(table):
        kind = {"ewm": Weighted, "resample": Groups}.get(name, Windows)
        return lambda *args, **kwargs: kind(table, args, kwargs, name)
    if name == "ewm":
        return functools.partial(_weights, table)
    if (
        not table._is_frame
        and table._follows
        and not hasattr(type(table._original), name)
        and name in table._plain.index
    ):
        return table[name]
    if name in ("loc", "iloc", "at", "iat"):
        return _Indexer(table, name)
    if name in BINARY:
        return lambda *args, **kwargs: binary(table, name, *args, **kwargs)
    if name in METHODS:
        return lambda *args, **kwargs: _called(table, name, args, kwargs)
    if name in _ABOUT_LABELS:
        return getattr(table._plain, name)
    if name in PLACING or name in BY_SIZE:
        return lambda *args, **kwargs: placed(table, name, args, kwargs)
    if table._follows:
        raise table._frames.refusal(f".{name}")
    return Call(table._frames, result, name) if callable(result) else table._frames.wrap(result)


def _weights(table: Table, *args: Any, **kwargs: Any) -> Any:
    """Return exponential weights, of data with a decay that is followed."""
    if table._frames.follows((args, kwargs)):
        return Weighted(table, args, kwargs, "ewm")
    return Call(table._frames, table._original.ewm, "ewm")(*args, **kwargs)


def _called(table: Table, name: str, args: tuple, kwargs: dict) -> Any:
    frames = table._frames
    if kwargs.get("inplace") and frames.follows((table, args, kwargs)):
        raise frames.refusal(f".{name}(inplace=True)", "it changes the data")
    expected = getattr(table._plain, name)(*frames.plain(args), **frames.plain(kwargs))
    if not table._follows and not frames.follows((args, kwargs)):
        if expected is None:
            frames.changed(table._original)
        pieces = frames.pieces
        return frames.wrap(
            pieces.note(expected, pieces.of(table._original), f".{name}", pieces.arguments(args, kwargs))
        )
    if name == "dot":
        if not lined_up((table, *args), True):
            left, right = aligned(frames, (table, args[0]), True)
            return _called(left, name, (right,), kwargs)
    else:
        args = tuple(like(table, part) for part in args)
        kwargs = {key: like(table, part) for key, part in kwargs.items()}
    values, options = table.values, _by_number(frames.traced(kwargs), table._is_frame, name)
    if name in SKIPPING and kwargs.get("skipna", True) and (missing := missing_in(frames, values)) is not None:
        result = skipping(name, values, missing, *frames.traced(args), **options)
    else:
        result = METHODS[name](values, *frames.traced(args), **options)
    return frames.both(expected, result, f".{name}")


class _Indexer:
    """`loc`, `iloc`, `at` and `iat` of a table."""

    def __init__(self, table: Table, name: str) -> None:
        self.table, self.name = table, name

    def __getitem__(self, key: Any) -> Any:
        frames = self.table._frames
        settled = frames.settled(key)
        return self.table._part(
            lambda table: getattr(table, self.name)[settled], f".{self.name}", frames.pieces.subscript(key)
        )

    def __setitem__(self, key: Any, value: Any) -> None:
        table, frames = self.table, self.table._frames
        if not table._follows and not frames.follows(value):
            Other(frames, getattr(table._original, self.name))[key] = value
            return
        if not table._is_frame or self.name != "loc" or type(key) is not tuple or not is_hashable(key[1]):
            raise frames.refusal("an assignment to a part")
        rows, label = frames.settled(key[0]), key[1]
        numbers = pandas_classes()[0](np.arange(len(table)), index=table._original.index)
        given = table[label].values if label in table else np.full(len(table), np.nan)
        column = frames.tracer.lift(given).duplicate()
        column[np.asarray(numbers.loc[rows])] = frames.traced(value)
        table[label] = column


def _by_number(kwargs: dict, is_frame: bool, name: str) -> dict:
    """Return keywords for NumPy: the axis as a number, along the rows of a DataFrame if it is not given."""
    if name not in REDUCTIONS:
        return kwargs
    kwargs = {key: value for key, value in kwargs.items() if key not in ("skipna", "numeric_only", "dtype", "out")}
    axis = kwargs.get("axis", 0)
    return {**kwargs, "axis": AXES.get(axis, 0 if axis is None else axis)}


_ABOUT_LABELS = {"index", "columns", "dtypes", "empty", "axes", "name", "keys", "hasnans"}
