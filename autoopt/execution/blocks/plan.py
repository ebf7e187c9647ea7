"""What a printed function is, seen by rows: stages that read no rows, and passes over the rows between them.

    def value_and_grad(w, X, y):            stage_0(w)                  {"product": 0.5 * w}
        z = X @ w                           pass_1(X, y, w)             {"total": ..., "total_2": ..., "total_3": ...}
        ...                                 stage_1(total, ..., w)      value, gradient
        return value, gradient

A pass is run on one block of rows after the other, its results are combined, and the next stage reads them. What runs
them needs no more than this: it knows nothing of objectives.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import FunctionType
from typing import Any

import numpy as np

ROWS = "rows"
"""How results that have an entry for each row are combined: put together in order."""


@dataclass(frozen=True)
class Stage:
    """What is computed without rows, between passes.

    Attributes
    ----------
    name : str
        Of the function in the text.
    arguments : tuple of str
    """

    name: str
    arguments: tuple[str, ...]


@dataclass(frozen=True)
class RowPass:
    """One pass over the rows.

    Attributes
    ----------
    name : str
        Of the function in the text.
    free : tuple of str
        The arguments that are the same for all rows; the function takes them first.
    rows : tuple of str
        Those that have the rows along one of their axes.
    results : mapping of str to str
        How partial results are combined, by their names: "sum", "max", "min", "all", "any" or "rows".
    axes : mapping of str to int
        The axis of the rows, of results that have one.
    """

    name: str
    free: tuple[str, ...]
    rows: tuple[str, ...]
    results: Mapping[str, str]
    axes: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class RowPlan:
    """A function as stages and passes.

    Attributes
    ----------
    text : str
        A module with their functions, of NumPy alone; the last stage returns what the function returns.
    name : str
        Of the function.
    arguments : tuple of str
        Those of the function.
    stages : tuple of Stage
        One more than there are passes.
    passes : tuple of RowPass
    axes : mapping of str to int
        The axis of the rows of the arguments that have one.
    handed : tuple of tuple of str
        The names that each stage but the last returns.
    positions : frozenset of str
        Arguments that must be the numbers of the rows, 0 to n - 1: blocks have their own.
    width : int
        Bytes for each row of the largest array that a pass makes.
    """

    text: str
    name: str
    arguments: tuple[str, ...]
    stages: tuple[Stage, ...]
    passes: tuple[RowPass, ...]
    axes: Mapping[str, int]
    handed: tuple[tuple[str, ...], ...] = ()
    positions: frozenset[str] = frozenset()
    width: int = 0

    def count(self, known: Mapping[str, Any]) -> int:
        """Return how many rows values by name have."""
        name, axis = next(iter(self.axes.items()))
        return known[name].shape[axis]

    def functions(self, outside: Mapping[str, Any] | None = None) -> dict[str, FunctionType]:
        """Return the functions by name; what `outside` has stands in place of what the text defines: exceptions."""
        from autoopt.execution.modules import executed

        namespace = executed(self.text, self.name)
        namespace.update(outside or {})  # in place: it is where the functions look names up
        return namespace


def is_plain(value: Any) -> bool:
    """Whether a value is an array of numbers, or a number."""
    return isinstance(value, int | float | np.number | np.bool_) or (
        isinstance(value, np.ndarray) and value.dtype.kind in "biuf"
    )
