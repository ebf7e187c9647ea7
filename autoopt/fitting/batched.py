"""Data that are read in batches as those of a model: its arguments made of columns, and what there is not for them."""

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
from autoopt.wording import listed, near

_OF_DATA = ("bounds", "constraints", "fixed")
"""What a model may have as functions of the data, which are not all there."""


def read_in_batches(data: Any, reading: Any) -> bool:
    """Whether data are batches, or a file, pattern or folder that is larger than memory."""
    return isinstance(data, Batches) or (isinstance(data, str | Path) and is_larger(data, reading))


def bound_batches(model: Model, data: Any, selection: Selection, reading: Any) -> Bound:
    """Return the arguments of some rows, which a model is opened with, and the batches of all.

    Raises
    ------
    UsageError
        If more is asked for than columns as they are.
    """
    _refuse(model, selection)
    names, required = model.data_names or [], model.required
    data = dict(zip(names, data, strict=True)) if isinstance(data, tuple) and len(data) == len(names) else data
    rows: Any = data if isinstance(data, Batches) else batches(data, missing=selection.missing, reading=reading)
    arguments = _arguments(names, required, rows, selection, data is rows)
    rows = rows if arguments is None else rows.arranged(arguments)
    if absent := [name for name in required if name not in rows.names]:
        raise ModelError(
            f"The objective of {model.source} takes {listed(absent)}, and {rows.name} has {listed(rows.names)}."
            f"{near(absent[0], rows.columns)}",
            remedy="say of which columns each is made: autoopt.batches(source, {'X': [columns], 'y': column}), or name "
            "the target: --target COLUMN (target= in Python), whose last argument it is.",
        )
    some = rows.sample(SAMPLE, 0)
    told = f"Of {rows.rows} rows, read in batches, {len(some[rows.names[0]])} were traced and compared with the model."
    notes = [told]
    if rows.dropped:
        notes.append(f"{rows.dropped} rows are left out, having missing or infinite values.")
    if callable(model.x0):
        notes.append("x0 was computed of these.")
    if selection.executor is not None:
        from autoopt.clusters import spread  # which few fits need

        rows = spread(rows, selection.executor)
    return Bound({name: some[name] for name in names if name in some}, notes=tuple(notes), batches=rows)


def _refuse(model: Model, selection: Selection) -> None:
    """Refuse what needs all data in memory."""
    if isinstance(model, Named):
        raise UsageError(
            f"The data are read in batches, and the model {model.source} needs them in memory.",
            remedy="write its likelihood as an objective of your own.",
        )
    asked = {"formula": selection.formula, "categories": selection.categories, "a column of weights": selection.also}
    if given := [name for name, value in asked.items() if value]:
        raise UsageError(
            f"The data are read in batches, and {listed(given)} needs them in memory.",
            remedy="give the objective's arguments as columns of numbers, or data that fit into memory.",
        )
    if given := [name for name in _OF_DATA if callable(getattr(model, name))]:
        raise ModelError(
            f"The {listed(given)} of {model.source} are functions of the data, which are read in batches.",
            remedy="write values.",
        )
    if model.data_names is None:
        raise ModelError(
            f"The objective of {model.source} takes *data, so that columns cannot be bound to it.",
            remedy="name its arguments, as in objective(params, X, y).",
        )


def _arguments(
    names: Sequence[str], required: Sequence[str], rows: Batches, selection: Selection, is_arranged: bool
) -> Given | None:
    """Return what the arguments are made of; None where the batches say so."""
    if selection.target is None:
        return None if is_arranged else [name for name in names if name in required or name in rows.columns]
    return {names[0]: ..., **{name: name for name in names[1:-1]}, names[-1]: selection.target}
