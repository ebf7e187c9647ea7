"""Functions that Series and DataFrames are given: by `apply`, `agg`, `transform`, `map` and `pipe`, or as text."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from autoopt.tracing.frames.pandas_expressions import evaluated
from autoopt.tracing.frames.pandas_objects import Call
from autoopt.tracing.frames.pandas_operators import AXES
from autoopt.tracing.frames.pandas_places import rearranged
from autoopt.tracing.frames.pandas_reductions import label_of
from autoopt.tracing.frames.pandas_table import Table, method, pandas_classes


@method("apply")
def apply(table: Table, func: Any, axis: Any = 0, **kwargs: Any) -> Any:
    """Return what a function makes of each entry of a Series, or of each column or row of a frame."""
    frames, by_rows = table._frames, AXES.get(axis, axis) == 1
    func = functools.partial(_applied, func, kwargs.pop("args")) if kwargs.get("args") else func
    if type(func) is str or not callable(func):
        return table.agg(func)
    if {"result_type", "raw", "convert_dtype"}.intersection(kwargs):
        raise frames.refusal(".apply with these options")
    if not table._is_frame:
        return listed(table, [func(entry, **kwargs) for entry in table], ".apply")
    parts = [part for _, part in (table.iterrows() if by_rows else table.items())]
    result = [func(part, **kwargs) for part in parts]
    labels = table._plain.index if by_rows else table._plain.columns
    return assembled(table, result, labels, by_rows)


def assembled(table: Table, result: list, labels: Any, by_rows: bool) -> Any:
    """Return one number or Series for each label as a Series or frame."""
    frames, (series, frame) = table._frames, pandas_classes()
    if not any(type(part) is Table or isinstance(part, series) for part in result):
        result = [frames.traced(part) for part in result]
        return rearranged(frames, lambda given: series(given, index=labels), result, ".apply")

    def join(given: list) -> Any:
        joined = frame(dict(enumerate(given)))
        joined.columns = labels
        return joined.T if by_rows else joined

    return rearranged(frames, join, result, ".apply")


@method("agg")
def agg(table: Table, func: Any, axis: Any = 0, **kwargs: Any) -> Any:
    """Return one number, or one for each function or column."""
    if type(func) is str:
        return getattr(table, func)(**({"axis": axis} if axis else {}), **kwargs)
    if type(func) is dict and table._is_frame:
        result = {label: table[label].agg(part) for label, part in func.items()}
        return assembled(table, list(result.values()), list(result), False)
    if isinstance(func, list) and not table._is_frame:
        return assembled(table, [table.agg(part) for part in func], [label_of(part) for part in func], False)
    if not callable(func):
        raise table._frames.refusal(".agg of these functions")
    return table.apply(func, axis, **kwargs) if table._is_frame else func(table, **kwargs)


method("aggregate")(agg)


@method("transform")
def transform(table: Table, func: Any, axis: Any = 0, **kwargs: Any) -> Any:
    """Return what a function makes of this."""
    if type(func) is str:
        return getattr(table, func)(**kwargs)
    if table._is_frame or not callable(func):
        raise table._frames.refusal(".transform")
    return func(table, **kwargs)


@method("pipe")
def pipe(table: Table, func: Callable, *args: Any, **kwargs: Any) -> Any:
    """Return `func(table, ...)`."""
    return func(table, *args, **kwargs)


@method("map")
def mapped(table: Table, arg: Any, na_action: Any = None) -> Any:
    """Return what a function, a dictionary or a Series has for each entry."""
    frames = table._frames
    if type(arg) is Table and frames.follows(arg):
        places = arg._original.index.get_indexer(table._original)
        if np.any(places < 0):
            raise frames.refusal(".map", "some labels are missing")
        return listed(table, list(arg.values[places]), ".map")
    if type(arg) is dict and frames.follows(arg):
        return listed(table, [arg.get(key, np.nan) for key in table._original], ".map")
    if callable(arg) and type(arg) is not Table and not table._is_frame:
        return listed(table, [arg(entry) for entry in table], ".map")
    return Call(frames, table._original.map, "map")(arg, na_action)


def listed(table: Table, result: list, what: str) -> Any:
    """Return a Series of this one's index with the numbers of `result`, which may be of the trace."""
    frames, (kind, _) = table._frames, pandas_classes()
    series = kind(frames.plain(result), index=table._original.index, name=getattr(table._original, "name", None))
    if not frames.follows(result):
        return frames.wrap(series)
    return frames.both(series, frames.tracer.nested([frames.traced(part) for part in result]), what)


@method("eval")
def evaluate(table: Table, expr: str, **kwargs: Any) -> Any:
    """Return the value of an expression of the columns; `@name` is a name of the objective."""
    return evaluated(table, expr, sys._getframe(1), kwargs)


@method("query")
def query(table: Table, expr: str, **kwargs: Any) -> Any:
    """Return the rows for which an expression of the columns is true."""
    if kwargs:
        raise table._frames.refusal(".query with options")
    return table[evaluated(table, expr, sys._getframe(1), {})]


def _applied(func: Callable, args: tuple, part: Any, **kwargs: Any) -> Any:
    """Call a function with the further arguments of `apply(func, args=...)`."""
    return func(part, *args, **kwargs)
