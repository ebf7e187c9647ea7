"""Data that are read in batches, or that workers hold, as those of a model: its arguments made of columns.

And what there is not for them.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from autoopt.batches.batches import Batches, batches
from autoopt.batches.layout import Given
from autoopt.batches.memory import is_larger
from autoopt.designs.data import Bound, Selection
from autoopt.errors import ModelError, UsageError
from autoopt.fitting.modelfile import Model
from autoopt.fitting.named import Named
from autoopt.objectives.sampled import SAMPLE
from autoopt.stages import say
from autoopt.tables.elsewhere import collections_in, is_batched, is_collection
from autoopt.wording import in_midst, listed, near, times

HELD = "The rows are held by workers"
"""Where they are on a cluster."""

_OF_DATA = ("bounds", "constraints", "fixed")
"""What a model may have as functions of the data, which are not all there."""


def read_in_batches(data: Any, reading: Any) -> bool:
    """Whether data are batches, or spread, or a file, pattern or folder that is larger than memory."""
    return is_batched(data) or (isinstance(data, str | Path) and is_larger(data, reading))


def bound_batches(model: Model, data: Any, selection: Selection, reading: Any) -> Bound:
    """Return the arguments of some rows, which a model is opened with, and the batches of all.

    Raises
    ------
    UsageError
        If more is asked for than columns as they are.
    """
    names, required = model.data_names or [], model.required
    _refuse(model, selection, data)
    if isinstance(data, tuple) and len(required) <= len(data) <= len(names):
        data = dict(zip(names, data, strict=False))
    rows = _rows(names, required, data, selection, reading)
    if absent := [name for name in required if name not in rows.names]:
        raise ModelError(
            f"The objective of {model.source} takes {listed(absent)}, and {in_midst(rows.name)} has "
            f"{listed(rows.names)}.{near(absent[0], rows.columns)}",
            remedy="say of which columns each is made: autoopt.batches(source, {'X': [columns], 'y': column}), or name "
            "the target: --target COLUMN (target= in Python), whose last argument it is.",
        )
    some = rows.sample(SAMPLE, 0)
    where = "read in batches" if selection.executor is None and _is_read_here(rows) else "held by workers"
    told = f"Of {rows.rows} rows, {where}, {len(some[rows.names[0]])} were traced and compared with the model."
    notes = [told]
    say(lambda: _described(rows, where))
    if rows.dropped:
        notes.append(f"{rows.dropped} rows are left out, having missing or infinite values.")
    if callable(model.x0):
        notes.append("x0 was computed of these.")
    if selection.executor is not None and _is_read_here(rows):
        from autoopt.clusters import spread  # which few fits need

        rows = spread(rows, selection.executor)
    return Bound({name: some[name] for name in names if name in some}, notes=tuple(notes), batches=rows)


def _described(rows: Any, where: str) -> str:
    """Return a line on the columns that are used."""
    used = rows.layout.columns
    what = "column" if rows.layout.table else "array"
    told = f"{len(used)} of {times(len(rows.columns), what)} used: {listed(used)}"
    return f"{rows.name}: {times(rows.rows, 'row')}, {where}, {told}"


def _is_read_here(data: Any) -> bool:
    return isinstance(data, Batches)


def _rows(names: list[str], required: list[str], data: Any, selection: Selection, reading: Any) -> Any:
    """Return the rows of the arguments, as batches or spread over workers."""
    if collections_in(data):
        return _of_dask(names, required, data, selection)
    if is_batched(data) and not _is_read_here(data):
        _refuse_to_arrange(selection, "autoopt.clusters.spread(data, cluster, {'X': [columns], 'y': column})")
        if selection.executor is not None:
            raise UsageError(
                "The data are on a cluster already, and there is cluster= besides.", remedy="leave cluster out."
            )
        return data
    rows: Any = data if _is_read_here(data) else batches(data, missing=selection.missing, reading=reading)
    arguments = _arguments(names, required, rows.columns, selection, data is rows)
    return rows if arguments is None else rows.arranged(arguments)


def _of_dask(names: list[str], required: list[str], data: Any, selection: Selection) -> Any:
    """Return collections of Dask as rows that its workers hold: the columns of a frame, or arrays by their names."""
    from autoopt.clusters import spread

    if not is_collection(data):
        _refuse_to_arrange(selection, "a frame of Dask with all columns")
        return spread({name: data[name] for name in names if name in data}, selection.executor)
    if not hasattr(data, "columns"):
        if len(required) > 1:
            raise UsageError(
                f"The data are one collection of Dask, and the objective takes {listed(required)}.",
                remedy="give a dict or a tuple with one for each.",
            )
        return spread({names[0]: data}, selection.executor)
    columns = [str(name) for name in data.columns]
    arguments = _arguments(names, required, columns, selection, False)
    if selection.missing == "drop":
        from autoopt.clusters.frames import laid_out

        layout, _ = laid_out(data, arguments)
        data = data.dropna(subset=list(layout.columns))
    rows = spread(data, selection.executor, arguments)
    rows.refuse_missing()
    return rows


def _refuse_to_arrange(selection: Selection, remedy: str) -> None:
    """Refuse what chooses among columns where each argument is given as it is."""
    asked = {"target": selection.target, "missing='drop'": selection.missing == "drop"}
    if given := [name for name, value in asked.items() if value]:
        raise UsageError(f"{listed(given)} needs a table, and the data are arrays by name.", remedy=f"give {remedy}.")


def whereabouts(data: Any) -> tuple[str, str]:
    """Return where rows are that are not in memory, as a sentence begins, and how they come to be in it, if that goes.

    `data` are batches, or rows that are spread; or what will be that on a cluster.
    """
    if _is_read_here(data):
        return "The data are read in batches", ""
    if collections_in(data) or (is_batched(data) and data.here is None):
        return HELD, "give the data in memory, as .compute() returns them of Dask"
    return HELD, "leave out --workers (cluster= in Python), if the data fit into memory"


def _refuse(model: Model, selection: Selection, data: Any) -> None:
    """Refuse what needs all data in memory."""
    is_read = selection.executor is None and isinstance(data, str | Path)
    where, instead = ("The data are read in batches", "") if is_read else whereabouts(data)
    if isinstance(model, Named):
        raise UsageError(
            f"{where}, and the model {model.source} needs them in memory.",
            remedy=f"{instead or 'write its likelihood as an objective of your own'}.",
        )
    asked = {
        "formula": selection.formula,
        "categories": selection.categories,
        f"a column of weights or groups ({listed(selection.also)})": selection.also,
    }
    if given := [name for name, value in asked.items() if value]:
        otherwise = "give the objective's arguments as columns of numbers, or data that fit into memory"
        raise UsageError(f"{where}, and {listed(given)} needs them in memory.", remedy=f"{instead or otherwise}.")
    if given := [name for name in _OF_DATA if callable(getattr(model, name))]:
        raise ModelError(
            f"{where}, and the {listed(given)} of {model.source} are functions of the data.",
            remedy="write values.",
        )
    if model.data_names is None:
        raise ModelError(
            f"The objective of {model.source} takes *data, so that columns cannot be bound to it.",
            remedy="name its arguments, as in objective(params, X, y).",
        )


def _arguments(
    names: Sequence[str], required: Sequence[str], columns: Sequence[str], selection: Selection, is_arranged: bool
) -> Given | None:
    """Return what the arguments are made of; None where the batches say so."""
    if selection.target is None:
        return None if is_arranged else [name for name in names if name in required or name in columns]
    return {names[0]: ..., **{name: name for name in names[1:-1]}, names[-1]: selection.target}
