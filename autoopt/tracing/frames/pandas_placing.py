"""Methods of Series and DataFrames that put entries elsewhere, or that say where they are: sorts, joins, pivots."""

from __future__ import annotations

from typing import Any

import numpy as np

from autoopt.tracing.frames.pandas_objects import Call
from autoopt.tracing.frames.pandas_places import rearranged
from autoopt.tracing.frames.pandas_table import Table, method


def placed(table: Table, name: str, args: tuple, kwargs: dict) -> Any:
    """Call a method that puts entries elsewhere, or that says where they are."""
    frames, what = table._frames, f".{name}"
    if name in _EXTREMES and table._follows and not table._is_frame and not args and not kwargs:
        position = int(_EXTREMES[name](table.values))
        result = position if name.startswith("arg") else table._plain.index[position]
        if result != getattr(table._plain, name)():
            raise frames.refusal(what, "some values are missing")
        return result
    if not frames.follows((table, args, kwargs)):
        return Call(frames, getattr(table._original, name), name)(*args, **kwargs)
    if kwargs.get("inplace"):
        raise frames.refusal(f"{what}(inplace=True)", "it changes the data")
    if "key" in kwargs and name in BY_SIZE:
        raise frames.refusal(f"{what}(key=...)")
    if name in ("merge", "join"):
        check_keys(frames, (table, *args[:1], kwargs.get("right"), kwargs.get("other")), joined_by(name, args, kwargs))

    def place(given: Any) -> Any:
        return getattr(given[0], name)(*given[1], **given[2])

    return rearranged(frames, place, (table, args, kwargs), what, name in BY_SIZE)


@method("dropna")
def dropna(table: Table, *args: Any, **kwargs: Any) -> Any:
    """Return this without what is missing."""
    if kwargs.get("inplace") and table._follows:
        raise table._frames.refusal(".dropna(inplace=True)", "it changes the data")
    return table._part(lambda table: table.dropna(*args, **kwargs))


@method("pivot_table")
def pivot_table(table: Table, values: Any = None, index: Any = None, columns: Any = None, **options: Any) -> Any:
    """Return what groups by the labels of rows and columns have in common, by default their mean."""
    frames = table._frames
    if not table._follows or type(values) is not str or set(options) - {"aggfunc", "fill_value", "observed"}:
        if frames.follows((table, options)):
            raise frames.refusal(".pivot_table with these options")
        return frames.wrap(table._original.pivot_table(values, index, columns, **options))
    aggfunc, fill_value = options.get("aggfunc", "mean"), options.get("fill_value")
    rows, across = (part if isinstance(part, list) else [] if part is None else [part] for part in (index, columns))
    pivoted = table.groupby([*rows, *across])[values].agg(aggfunc)
    pivoted = pivoted.unstack(across) if across else pivoted.to_frame(values)
    pivoted = pivoted if fill_value is None else pivoted.fillna(fill_value)
    if type(aggfunc) is not str:
        return pivoted
    plain = table._plain.pivot_table(values, index, columns, **options)
    if not (plain.index.equals(pivoted._plain.index) and plain.columns.equals(pivoted._plain.columns)):
        raise frames.refusal(".pivot_table", "it leaves out what is missing")
    return frames.both(plain, pivoted.values, ".pivot_table")


def joined_by(name: str, args: tuple, kwargs: dict) -> list:
    """Return what `merge` or `join` is told to join by, given the arguments after the left table."""
    names = ("right", "how", "on", "left_on", "right_on") if name == "merge" else ("other", "on")
    given = {**dict(zip(names, args, strict=False)), **kwargs}
    return [given[key] for key in ("on", "left_on", "right_on") if given.get(key) is not None]


def check_keys(frames: Any, tables: tuple, by: list) -> None:
    """Raise if rows are joined by what depends on the parameters."""
    named = [label for part in by for label in (part if isinstance(part, list | tuple) else [part])]
    frames_joined = [table for table in tables if type(table) is Table and table._is_frame]
    shared = set.intersection(*(set(table._plain.columns) for table in frames_joined))
    for table in frames_joined:
        for label in named or shared:
            if label in table._plain and frames.follows(table[label]):
                raise frames.refusal("a join", "its keys depend on the parameters")


PLACING = frozenset(
    ("head", "tail", "squeeze", "item", "sort_index", "take", "xs", "get", "stack", "unstack", "reset_index",
     "set_axis", "rename", "rename_axis", "reindex", "reindex_like", "drop", "droplevel", "swaplevel", "merge", "join",
     "pivot", "melt", "set_index", "explode", "align", "truncate", "filter", "select_dtypes", "add_prefix",
     "add_suffix", "to_frame", "ffill", "bfill", "combine_first", "first_valid_index", "last_valid_index", "repeat",
     "transpose", "reorder_levels", "asfreq")
)  # fmt: skip
"""Methods that put the entries somewhere, whatever they are; which are missing is a guard."""


BY_SIZE = frozenset(
    ("sort_values", "nlargest", "nsmallest", "idxmax", "idxmin", "argmax", "argmin", "argsort", "cummax", "cummin")
)
"""Methods that put the entries by their order of size, which is a guard."""


_EXTREMES = {"idxmax": np.argmax, "idxmin": np.argmin, "argmax": np.argmax, "argmin": np.argmin}
