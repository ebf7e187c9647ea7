"""What a trace must know of a library of tables: the row that each of `origin.DATA_LIBRARIES` has here.

To add one, name it there and write `frames/<name>.py` with its stand-ins and a `LIBRARY`.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from autoopt.tracing.frames.labelled import Labelled
from autoopt.tracing.outside.notes import Notes


@dataclass(frozen=True)
class DataLibrary:
    """A library of tables.

    Attributes
    ----------
    tables : callable
        `tables(tracer, free_name)` makes what keeps the stand-ins of one trace: `wrap(value, name)` stands in for an
        object of the library, `call(function, args, kwargs)` for a call of one of its functions and classes.
    note : callable
        `note(notes, value)` remembers an object as it is when a run reads it.
    states : mapping
        What its functions read in the state of the process, by their names.
    reads_files : callable
        Whether the function of a name opens files by itself, unseen by Python.
    """

    tables: Callable[[Any, Callable[[str], str]], Labelled]
    note: Callable[[Notes, Any], Collection]
    states: Mapping[tuple[str, ...], Callable[[], Any]] = field(default_factory=dict)
    reads_files: Callable[[str], bool] = lambda name: False


@functools.cache
def data_library(name: str) -> DataLibrary:
    """Return the row of a library of tables, which is loaded when an objective first uses it."""
    return importlib.import_module(f"autoopt.tracing.frames.{name}").LIBRARY


def note_table(notes: Notes, library: str, value: Any) -> Collection:
    """Remember an object of a library of tables."""
    return data_library(library).note(notes, value)
