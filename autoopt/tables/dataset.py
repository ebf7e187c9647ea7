"""A data set: named columns or arrays of one source, read when they are asked for, checked when they are used."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from autoopt.errors import DataError
from autoopt.tables.values import fault_of, faults_in, is_text, numbers, plain
from autoopt.wording import listed, near, times

_SHOWN = 5  # faults listed in a message before "and ... more"


def _by_number(rows: Sequence[int]) -> list[str]:
    return [f"row {row}" for row in rows]


@dataclass(frozen=True)
class Dataset:
    """Named arrays as they stand in one source; `take` checks the ones that are used.

    Parameters
    ----------
    source : str
        What they came from, for messages.
    names : sequence of str
        In the order of the source.
    read : callable
        (names) -> mapping of these names to columns: arrays, or pandas' series. It is asked once for each.
    table : bool
        True if the arrays are the columns of a table, all of one length.
    places : callable
        (row numbers, ascending) -> what messages call these rows of a table, such as "line 5".
    told : list of str
        Sentences on how the source was read, for the reader of results: its encoding if it was guessed.
    is_new : bool
        Whether it is for a model that was fitted to others, whose categories are those of the fit.
    """

    source: str
    names: Sequence[str]
    read: Callable[[Sequence[str]], Mapping[str, Any]]
    table: bool = False
    places: Callable[[Sequence[int]], list[str]] = _by_number
    told: list[str] = field(default_factory=list)
    is_new: bool = False
    _held: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, source: str, columns: Mapping[str, Any], table: bool = False, **others: Any) -> Dataset:
        """Return the data set of columns that are at hand."""
        return cls(source, list(columns), lambda names: {name: columns[name] for name in names}, table, **others)

    def fetch(self, names: Iterable[str]) -> dict[str, Any]:
        """Return columns as they were read, arrays or pandas' series; those that are not yet there in one go."""
        names = list(names)
        self.refuse_absent(names)
        if missing := [name for name in names if name not in self._held]:
            self._held.update(self.read(missing))
        return {name: self._held[name] for name in names}

    def array(self, name: str) -> Any:
        """Return one column as an array: numbers and booleans as such, anything else as objects."""
        return plain(self.fetch([name])[name])

    @property
    def arrays(self) -> dict[str, Any]:
        """All columns, as `array` has them."""
        return {name: plain(column) for name, column in self.fetch(self.names).items()}

    @property
    def rows(self) -> int:
        """How many rows a table has."""
        held = next(iter(self._held), None)
        return len(self.fetch([held or self.names[0]])[held or self.names[0]])

    def frame(self, names: Iterable[str] | None = None) -> Any:
        """Return these columns of a table, or all, as a pandas frame with rows numbered from 0."""
        import pandas as pd

        columns = self.fetch(self.names if names is None else names)
        return pd.DataFrame({name: pd.Series(column).reset_index(drop=True) for name, column in columns.items()})

    @property
    def text(self) -> list[str]:
        """The columns that hold text: fewer than half of the values that are there are numbers."""
        return self.text_among(self.names)

    def text_among(self, names: Iterable[str]) -> list[str]:
        """Return those of the columns that hold text."""
        return [name for name, column in self.fetch(names).items() if is_text(plain(column))]

    def take(self, names: Iterable[str]) -> dict[str, Any]:
        """Return the named arrays as float64, int64 or bool.

        Raises
        ------
        DataError
            If one is not there, is text, or has missing, infinite or non-numeric values; all such faults in one
            message.
        """
        columns = {name: plain(column) for name, column in self.fetch(names).items()}
        masks = {name: faults_in(column, infinite=self.table) for name, column in columns.items()}
        if faulty := [name for name, mask in masks.items() if mask is not None and mask.any()]:
            raise self._fault({name: columns[name] for name in faulty}, {name: masks[name] for name in faulty})
        return {name: numbers(column, keep="" if self.table else "b") for name, column in columns.items()}

    def kept(self, rows: np.ndarray) -> Dataset:
        """Return the table with these rows alone, numbers (k,) in ascending order."""

        def read(names: Sequence[str]) -> dict[str, Any]:
            return {name: _rows_of(column, rows) for name, column in self.fetch(names).items()}

        return replace(self, read=read, places=lambda inner: self.places([int(rows[i]) for i in inner]), _held={})

    def refuse_absent(self, names: Iterable[str]) -> None:
        """Raise DataError if one of the names is not among those of the data."""
        known = set(self.names)
        if absent := [name for name in names if name not in known]:
            raise DataError(
                f"{self.source} has no {self.called(absent)}.{near(absent[0], self.names)}",
                remedy=f"use one of what it has: {listed(self.names)}.",
            )

    def called(self, names: Sequence[str]) -> str:
        """Return "column a" or "columns a, b"."""
        what = "column" if self.table else "array"
        return f"{what if len(names) == 1 else what + 's'} {listed(names)}"

    def _fault(self, columns: Mapping[str, Any], masks: Mapping[str, Any]) -> DataError:
        """Return the error that names the first faults in these columns, and how many there are."""
        if text := [name for name in columns if is_text(columns[name])]:
            return DataError(
                f"{self.source} has text in the {self.called(text)}, where numbers are needed.",
                remedy=_for_text(columns[text[0]], text, self.is_new),
            )
        total = sum(int(mask.sum()) for mask in masks.values())
        first = self._first(columns, masks)
        lines = "\n".join(f"  {fault}" for fault in first)
        more = f"\n  ... and {total - _SHOWN} more" if total > _SHOWN else ""
        kind = _kind_of(columns, masks)
        remedy = "correct these values, or leave them out."
        if self.table and all(fault.endswith(("missing", "infinite")) for fault in first):
            remedy = "correct these values, or leave their rows out: --missing drop (missing='drop' in Python)."
        return DataError(f"{self.source} has {times(total, kind)}:\n{lines}{more}", remedy=remedy)

    def _first(self, columns: Mapping[str, Any], masks: Mapping[str, Any]) -> list[str]:
        """Return the first faults in the order of rows: where they are, and what they are."""
        if not self.table:
            faults = []
            for name, mask in masks.items():
                for place in np.argwhere(mask)[:_SHOWN]:
                    index = int(place[0]) if len(place) == 1 else tuple(map(int, place))
                    faults.append(f"{self.called([name])}, index {index}: {fault_of(columns[name][tuple(place)])}")
            return faults[:_SHOWN]
        rows = sorted({int(row) for mask in masks.values() for row in np.flatnonzero(mask)[:_SHOWN]})[:_SHOWN]
        faults = []
        for row, place in zip(rows, self.places(rows), strict=True):
            faults += [
                f"{place}, column {name}: {fault_of(columns[name][row])}" for name, mask in masks.items() if mask[row]
            ]
        return faults[:_SHOWN]


def _rows_of(column: Any, rows: np.ndarray) -> Any:
    return column.iloc[rows] if hasattr(column, "iloc") else column[rows]


def _kind_of(columns: Mapping[str, Any], masks: Mapping[str, Any]) -> str:
    """Return what the faulty values are."""
    infinite = any(
        np.asarray(column).dtype.kind == "f" and np.isinf(column[masks[name]]).any() for name, column in columns.items()
    )
    return "missing, infinite or non-numeric value" if infinite else "missing or non-numeric value"


def _for_text(values: Any, names: Sequence[str], is_new: bool) -> str:
    """Return what to do about a column of text: it may be numbers with decimal commas."""
    shown = [value for value in values[:100] if isinstance(value, str)]
    if shown and all(value.strip().lstrip("+-").replace(",", "", 1).isdigit() for value in shown):
        return (
            f"they look like numbers with decimal commas, such as {shown[0]!r}: read them so, --decimal ',' "
            "(reading={'decimal': ','} in Python)."
        )
    if is_new:
        return "correct it: it was one of numbers when the model was fitted."
    return f"leave it out, or take it as categories: --category {names[0]} (categories= in Python)."
