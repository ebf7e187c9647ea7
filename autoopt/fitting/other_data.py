"""Other data than those of a fit, as a function takes them: by names, as the fit's were made, or as the model says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from autoopt.designs.data import dataset
from autoopt.designs.encodings import ByName
from autoopt.errors import DataError, UsageError
from autoopt.fitting.modelfile import called, positional
from autoopt.fitting.solving import Case
from autoopt.tables import completeness
from autoopt.tables.dataset import Dataset
from autoopt.users_code import users_code
from autoopt.wording import listed, near, times

_SHOWN = 5  # rows named in a message


def arguments_of(case: Case, function: Callable, data: Any, missing: str) -> tuple[tuple, tuple[str, ...]]:
    """Return the data that a function takes after the parameters, and sentences on rows that were left out.

    They are those of the fit, or others, by their names; `missing` is "raise" or "drop".
    """
    completeness.check(missing)
    if data is None and case.batches is not None:
        raise UsageError(
            f"{called(function)} needs data in memory, and those of the fit are read in batches.",
            remedy="pass some: data=...",
        )
    parameters = positional(function)[1:]
    if any(one.kind is one.VAR_POSITIONAL for one in parameters):
        return (tuple(data) if isinstance(data, tuple | list) else case.call["args"]), ()
    names = [one.name for one in parameters]
    required = [one.name for one in parameters if one.default is one.empty]
    if isinstance(data, tuple | list) or (hasattr(data, "shape") and not hasattr(data, "columns")):
        given = tuple(data) if isinstance(data, tuple | list) else (data,)
        if not len(required) <= len(given) <= len(names):
            raise UsageError(
                f"{called(function)} takes the data {listed(names) or 'none'}, and is given {len(given)}.",
                remedy="give one value for each.",
            )
        return given, ()
    note = ""
    if data is None:
        found = dict(case.bound.arguments)
        if case.bound.data is not None:
            found = _columns(case, names, required, case.bound.data, found) | found
    else:
        read = replace(new_data(case, data), is_new=True)
        found, note = _others(case, names, required, read, missing)
    if absent := [name for name in required if name not in found]:
        where = "the fit has" if data is None else "the data have"
        there = list(found) if data is None else list(read.names)
        raise (UsageError if data is None else DataError)(
            f"{called(function)} takes {listed(absent)}, which {where} not.{near(absent[0], there)}",
            remedy=f"use the names that are there: {listed(there) or 'none'}.",
        )
    return tuple(found[name] for name in names if name in found), ((note,) if note else ())


def new_data(case: Case | None, data: Any, reading: Mapping[str, str] | None = None) -> Dataset:
    """Return other data; a file is read as that of the fit was, except for what `reading` says."""
    return dataset(data, reading, None if case is None else case.bound.data)


def _others(
    case: Case, names: list[str], required: list[str], read: Dataset, missing: str
) -> tuple[dict[str, Any], str]:
    """Return other data as arguments by name, made as those of the fit were, and a sentence on rows left out."""
    if case.bound.encode is not None and (read.table or not all(map(read.has, required))):
        return _encoded(case, read, missing)
    encoding, note = case.bound.encoding, ""
    is_made = encoding is not None and not isinstance(encoding, ByName) and set(names) & set(case.bound.arguments)
    if missing == "drop":
        used = encoding.used(read, response=False) if is_made else []
        used = [*used, *(name for name in names if read.has(name))]
        rows, note = completeness.complete_rows(read, list(dict.fromkeys(used)))
        read = read if rows is None else read.kept(rows)
    found: dict[str, Any] = encoding.arguments(read, response=False) if is_made else {}
    return found | _columns(case, names, required, read, found), note


def _columns(case: Case, names: list[str], required: list[str], read: Any, but: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns that have names of arguments."""
    wanted = [name for name in names if name not in but and (read.has(name) or name in required)]
    if case.bound.data is read:  # of its own data others are arguments
        wanted = [name for name in wanted if read.has(name)]
    categories = getattr(case.bound.encoding, "categories", {})
    kept = {name: categories[name] for name in wanted if name in categories}
    return ByName(wanted, categories=kept).arguments(read, response=False) if wanted else {}


def _encoded(case: Case, read: Dataset, missing: str) -> tuple[dict[str, Any], str]:
    """Return what the model's own `encode` makes of a table; rows in which that is not finite are refused, or dropped.

    NaN is what a missing value becomes there, and a text that the model does not know.
    """
    frame = read.frame()
    try:
        with users_code("The function encode of the model", DataError):
            found = dict(case.bound.encode(frame))
    except DataError as error:
        if isinstance(error.__cause__, KeyError):
            read.refuse_absent(map(str, error.__cause__.args))
        raise
    arrays = {name: np.asarray(value, float) for name, value in found.items()}
    if wrong := [name for name, array in arrays.items() if array.ndim == 0 or len(array) != len(frame)]:
        raise DataError(
            f"The function encode of the model returns {wrong[0]} of shape {np.shape(arrays[wrong[0]])} for "
            f"{times(len(frame), 'row')}.",
            remedy="return a value for each row of the table.",
        )
    lacking = {name: ~np.isfinite(array).reshape(len(frame), -1).all(axis=1) for name, array in arrays.items()}
    out = np.any(list(lacking.values()), axis=0) if lacking else np.zeros(len(frame), bool)
    if not out.any():
        return arrays, ""
    rows = np.flatnonzero(out)
    places = listed(read.places(rows[:_SHOWN].tolist())) + (", ..." if len(rows) > _SHOWN else "")
    where = listed([name for name, mask in lacking.items() if mask.any()])
    told = f"{len(rows)} of {times(len(frame), 'row')} of {read.source} lack a value, or have one that the model does "
    told += f"not know, for {where}: {places}."
    if missing == "drop" and not out.all():
        return {name: array[~out] for name, array in arrays.items()}, f"{told} They are left out."
    raise DataError(
        told, remedy="correct these values, or leave their rows out: --missing drop (missing='drop' in Python)."
    )
