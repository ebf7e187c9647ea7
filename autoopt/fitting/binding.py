"""A model and its data -> what the objective takes, whether the data have names or not."""

from __future__ import annotations

from typing import Any

from autoopt.designs.data import Bound, Selection, bound, dataset
from autoopt.errors import ModelError, UsageError
from autoopt.fitting.batched import bound_batches, read_in_batches
from autoopt.fitting.modelfile import Model
from autoopt.tables import completeness
from autoopt.tables.elsewhere import refuse_collections


def arguments(model: Model, data: Any, selection: Selection, reading: Any = None) -> Bound:
    """Return the data for the objective of a model.

    Parameters
    ----------
    model : Model
    data : path, mapping of names to arrays, frame, Dataset, array or tuple; None for the model's own
    selection : Selection
        What is made of data that have names.
    reading : mapping, optional
        How a text file is read.
    """
    completeness.check(selection.missing)
    data = model.own_data() if data is None else data
    names, required = model.data_names, model.required
    if data is None:
        return _nothing(model, required, selection)
    if selection.executor is None:
        refuse_collections(data)
    if selection.executor is not None or read_in_batches(data, reading):
        return bound_batches(model, data, selection, reading)
    if isinstance(data, tuple | list) or (hasattr(data, "shape") and not hasattr(data, "columns")):
        if reading:
            raise UsageError("reading= says how a file is read, and the data are no file.", remedy="leave it out.")
        return _positioned(model, data if isinstance(data, tuple | list) else (data,), selection)
    if names is None and selection.formula is None:
        raise ModelError(
            f"The objective of {model.source} takes *data, so that named data cannot be bound to it.",
            remedy="name its arguments, as in objective(params, X, y).",
        )
    if names is not None and not names:
        raise ModelError(
            f"There are data, and the objective of {model.source} takes none.",
            remedy="give it arguments for them, as in objective(params, X, y), or leave the data out.",
        )
    names = ["X", "y"] if names is None else names
    return bound(dataset(data, reading), names, selection, set(names) - set(required), data)


def _nothing(model: Model, required: list[str], selection: Selection) -> Bound:
    asked = {"target": selection.target, "formula": selection.formula}
    if given := [(name, value) for name, value in asked.items() if value is not None]:
        name, value = given[0]
        raise UsageError(f"There is a {name} {value!r} and no data.", remedy="name the data file (--data FILE).")
    if required:
        raise ModelError(
            f"The objective of {model.source} takes the data {', '.join(required)}, and there are none.",
            remedy="name a data file (--data FILE), or define data in the model.",
        )
    return Bound({})


def _positioned(model: Model, data: Any, selection: Selection) -> Bound:
    """Return data that are given in the order of the objective's arguments."""
    names, required = model.data_names, model.required
    asked = {"target": selection.target, "formula": selection.formula}
    for name, value in asked.items():
        if value is not None:
            raise UsageError(f"The {name} {value!r} needs data with names.", remedy=f"leave the {name} out.")
    if selection.categories or selection.missing == "drop":
        what = "categories" if selection.categories else "missing='drop'"
        raise UsageError(f"{what} needs data with names.", remedy="give a dict of names to arrays, or a frame.")
    if names is None:
        return Bound({f"data[{i}]": value for i, value in enumerate(data)})
    if not len(required) <= len(data) <= len(names):
        raise ModelError(
            f"The objective of {model.source} takes the data {', '.join(names) or 'none'}; it is given {len(data)} "
            f"value{'' if len(data) == 1 else 's'}.",
            remedy="give data as a tuple with one value for each argument of the objective after the first.",
        )
    return Bound(dict(zip(names, data, strict=False)))
