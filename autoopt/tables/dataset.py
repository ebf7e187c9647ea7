"""A data set: named columns or arrays of one source, read when they are asked for, checked when they are used."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from autoopt.errors import DataError
from autoopt.tables.syntax import MISSING, Syntax, advice, are_dates
from autoopt.tables.values import (
    THINGS,
    fault_of,
    faults_in,
    infinite_in,
    is_text,
    missing_in,
    numbers,
    plain,
    thing_in,
)
from autoopt.wording import listed, near, times

_SHOWN = 5  # faults listed in a message before "and ... more"
_LOOKED = 1000  # values that tell how numbers are meant
_AS_NUMBERS = "the text looks like numbers, such as {!r}: make numbers of it, as by pandas.to_numeric."


def _by_number(rows: Sequence[int]) -> list[str]:
    return [f"row {row}" for row in rows]


def _by_meaning(names: Sequence[str]) -> dict[str, str]:
    """Return the columns that are meant by names: by their own, and by a normal form that one of them alone has."""
    forms: dict[str, list[str]] = {}
    for name in names:
        forms.setdefault(unicodedata.normalize("NFKC", name), []).append(name)
    return {form: alike[0] for form, alike in forms.items() if len(alike) == 1} | dict(zip(names, names, strict=True))


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
    form : tuple of str and mapping, or None
        The kind of file, by its first suffix, and how it was asked to be read: others of the kind are read so, too.
    syntax : Syntax or None
        How text is read as numbers; None where values have types, and text is no number.
    as_text : callable or None
        (names) -> these columns as they are written, where types follow from what stands in a file.
    """

    source: str
    names: Sequence[str]
    read: Callable[[Sequence[str]], Mapping[str, Any]]
    table: bool = False
    places: Callable[[Sequence[int]], list[str]] = _by_number
    told: list[str] = field(default_factory=list)
    is_new: bool = False
    form: tuple[str, Mapping[str, str]] | None = None
    syntax: Syntax | None = None
    as_text: Callable[[Sequence[str]], Mapping[str, Any]] | None = None
    _held: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)
    _text: dict[str, bool] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, source: str, columns: Mapping[str, Any], table: bool = False, **others: Any) -> Dataset:
        """Return the data set of columns that are at hand."""
        return cls(source, list(columns), lambda names: {name: columns[name] for name in names}, table, **others)

    def fetch(self, names: Iterable[str]) -> dict[str, Any]:
        """Return columns as they were read, arrays or pandas' series; those that are not yet there in one go."""
        names = list(names)
        self.refuse_absent(names)
        columns = {name: self.column(name) for name in names}
        if missing := [name for name in dict.fromkeys(columns.values()) if name not in self._held]:
            self._held.update(self.read(missing))
        return {name: self._held[column] for name, column in columns.items()}

    def column(self, name: str) -> str:
        """Return the name of the column that is meant by an argument's, or the name itself if there is none.

        Python reads identifiers in a normal form (NFKC), so that no argument can be called as some columns are.
        """
        return self._meant.get(name, name)

    def has(self, name: str) -> bool:
        """Return whether there is a column that is meant by a name."""
        return name in self._meant

    @cached_property
    def _meant(self) -> dict[str, str]:
        return _by_meaning(self.names)

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
        return [name for name in self.fetch(names) if self.is_text(name)]

    def is_text(self, name: str) -> bool:
        """Return whether a column holds text, also where some of its rows have been left out."""
        if (column := self.column(name)) not in self._text:
            self._text[column] = is_text(self.array(column), self.syntax)
        return self._text[column]

    def written_numbers(self, name: str) -> Syntax | None:
        """Return the syntax of a column of numbers; None of text, in which no word stands for a missing value."""
        return self.syntax if self.syntax is not None and not self.is_text(name) else None

    def missing(self, name: str) -> np.ndarray:
        """Return which values of a column are missing, of its shape."""
        array = self.array(name)
        return missing_in(array, self.written_numbers(name) if array.dtype.kind == "O" else None)

    def infinite(self, name: str) -> np.ndarray:
        """Return which values of a column are infinite numbers, of its shape."""
        array = self.array(name)
        if array.dtype.kind == "O" and self.is_text(name):
            return np.zeros(array.shape, bool)
        return infinite_in(array, self.syntax)

    def faults(self, name: str) -> np.ndarray | None:
        """Return which values of a column are no finite numbers, of its shape; None for what is not looked into."""
        return faults_in(self.array(name), self.table, self.syntax, self._keep)

    @property
    def _keep(self) -> str:
        """NumPy's kinds that stay what they are."""
        return "" if self.table else "bc"

    def take(self, names: Iterable[str]) -> dict[str, Any]:
        """Return the named arrays as float64, int64, bool or complex.

        Raises
        ------
        DataError
            If one is not there, is text, or has missing, infinite or non-numeric values; all such faults in one
            message.
        """
        columns = {name: plain(column) for name, column in self.fetch(names).items()}
        masks = {name: self.faults(name) for name in columns}
        if faulty := [name for name, mask in masks.items() if mask is not None and mask.any()]:
            raise self._fault({name: columns[name] for name in faulty}, {name: masks[name] for name in faulty})
        return {name: numbers(column, self._keep, self.syntax) for name, column in columns.items()}

    def kept(self, rows: np.ndarray) -> Dataset:
        """Return the table with these rows alone, numbers (k,) in ascending order."""

        def of(columns: Mapping[str, Any]) -> dict[str, Any]:
            return {name: _rows_of(column, rows) for name, column in columns.items()}

        as_text = self.as_text
        return replace(
            self,
            read=lambda names: of(self.fetch(names)),
            as_text=None if as_text is None else lambda names: of(as_text(names)),
            places=lambda inner: self.places([int(rows[i]) for i in inner]),
            _held={},
        )

    def refuse_absent(self, names: Iterable[str]) -> None:
        """Raise DataError if one of the names is not among those of the data."""
        if absent := [name for name in names if not self.has(name)]:
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
        for name in columns:
            if (thing := thing_in(columns[name])) and columns[name].dtype.kind not in self._keep:
                alike = [other for other in columns if thing_in(columns[other]) == thing]
                return DataError(
                    f"{self.source} has {thing} in the {self.called(alike)}, where numbers are needed.",
                    remedy=THINGS[thing][2],
                )
        if text := self.text_among(columns):
            return DataError(
                f"{self.source} has text in the {self.called(text)}, where numbers are needed.",
                remedy=self.for_text(text[0]),
            )
        total = sum(int(mask.sum()) for mask in masks.values())
        first = self._first(columns, masks)
        lines = "\n".join(f"  {fault}" for fault in first)
        more = f"\n  ... and {total - _SHOWN} more" if total > _SHOWN else ""
        kind = _kind_of(columns, masks)
        written = (self.meant_as_numbers(name) for name in columns if columns[name].dtype.kind == "O")
        remedy = next(filter(None, written), "correct these values, or leave them out.")
        if self.table and all(fault.endswith(("missing", "infinite")) for fault in first):
            remedy = "correct these values, or leave their rows out: --missing drop (missing='drop' in Python)."
        return DataError(f"{self.source} has {times(total, kind)}:\n{lines}{more}", remedy=remedy)

    def _fault_of(self, value: object) -> str:
        return fault_of(value, self.table, self.syntax)

    def for_text(self, name: str) -> str:
        """Return what to do about a column of text where numbers are needed: it may be numbers in another syntax."""
        if meant := self.meant_as_numbers(name):
            return meant
        texts = self._texts(name)
        if self.syntax is None and texts and all(Syntax().number(text) is not None for text in texts):
            return _AS_NUMBERS.format(texts[0])
        if self.is_new:
            return "correct it: it was one of numbers when the model was fitted."
        return f"leave it out, or take it as categories: --category {name} (categories= in Python)."

    def meant_as_numbers(self, name: str) -> str:
        """Return how a column of text is read as numbers if it looks like numbers with other marks, else ""."""
        texts = self._texts(name)
        said = advice(texts)
        if said and self.syntax is None:
            return _AS_NUMBERS.format(next(text for text in texts if Syntax().number(text) is None))
        return said

    def has_dates(self, name: str) -> bool:
        """Return whether a column of text looks like dates."""
        return are_dates(self._texts(name))

    def _texts(self, name: str) -> list[str]:
        """Return the first texts of a column that are no words for missing values."""
        first = self.array(name).ravel()[:_LOOKED].tolist()
        return [value for value in first if isinstance(value, str) and value.strip().lower() not in MISSING]

    def _first(self, columns: Mapping[str, Any], masks: Mapping[str, Any]) -> list[str]:
        """Return the first faults in the order of rows: where they are, and what they are."""
        if not self.table:
            faults = []
            for name, mask in masks.items():
                for place in np.argwhere(mask)[:_SHOWN]:
                    index = int(place[0]) if len(place) == 1 else tuple(map(int, place))
                    faults.append(
                        f"{self.called([name])}, index {index}: {self._fault_of(columns[name][tuple(place)])}"
                    )
            return faults[:_SHOWN]
        rows = sorted({int(row) for mask in masks.values() for row in np.flatnonzero(mask)[:_SHOWN]})[:_SHOWN]
        faults = []
        for row, place in zip(rows, self.places(rows), strict=True):
            faults += [
                f"{place}, column {name}: {self._fault_of(columns[name][row])}"
                for name, mask in masks.items()
                if mask[row]
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
