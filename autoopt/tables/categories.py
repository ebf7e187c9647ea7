"""Columns whose values are names of categories: which there are, and codes or indicators for them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autoopt.errors import DataError
from autoopt.tables.dataset import Dataset
from autoopt.tables.values import NESTED, THINGS, distinct, lacks, plain, thing_in
from autoopt.wording import listed, times


@dataclass(frozen=True)
class Categories:
    """The categories of a column.

    Parameters
    ----------
    column : str
    levels : sequence of k values
        In ascending order, or that of pandas' own categories; the first is the reference.
    """

    column: str
    levels: Sequence[Any]

    @classmethod
    def of(cls, data: Dataset, column: str) -> Categories:
        """Return the categories that occur in a column."""
        series = data.fetch([column])[column]
        array = plain(series)
        if (thing := thing_in(array)) == NESTED:
            raise DataError(f"{data.source} has {thing} in the {data.called([column])}.", remedy=THINGS[thing][2])
        is_missing = lacks(data.written_numbers(column))
        values = [value for value in distinct(array)[1] if not is_missing(value)]
        if twice := sorted(text for text, many in Counter(map(str, values)).items() if many > 1):
            raise DataError(
                f"{data.source} has {twice[0]} as text and as something else in the {data.called([column])}.",
                remedy="write it in one way.",
            )
        ordered = getattr(getattr(series, "dtype", None), "categories", None)
        present = {value.item() if isinstance(value, np.generic) else value for value in values}
        if ordered is not None:
            return cls(column, [level for level in ordered.tolist() if level in present])
        try:
            return cls(column, sorted(present))
        except TypeError:  # numbers and text
            return cls(column, sorted(present, key=str))

    def codes(self, data: Dataset) -> np.ndarray:
        """Return the number of each row's category, shape (rows,), int64.

        Raises
        ------
        DataError
            If a category is not among those that are known, or is missing.
        """
        values = self._labels(data)
        numbers = {level: number for number, level in enumerate(self.levels)}
        places, there = distinct(values)
        codes = np.array([*(numbers.get(value, -1) for value in there), -1], np.int64)[places]
        if (unknown := np.flatnonzero(codes < 0)).size:
            refuse_unknown(data, self.column, unknown, values, self.levels)
        return codes

    def _labels(self, data: Dataset) -> Any:
        """Return the values of a column, of the type of the levels: in a file it follows from all that stands there."""
        values = data.array(self.column)
        if values.dtype.kind in "iuf" and data.as_text is not None and all(isinstance(one, str) for one in self.levels):
            return plain(data.as_text([self.column])[self.column])
        if values.dtype.kind == "O" and data.syntax is not None and not any(isinstance(o, str) for o in self.levels):
            written = [data.syntax.number(value) if isinstance(value, str) else value for value in values]
            return np.array([v if n is None else n for v, n in zip(values, written, strict=True)], object)
        return values

    def indicators(self, data: Dataset) -> np.ndarray:
        """Return a column of zeros and ones for each category but the first, shape (rows, k - 1)."""
        return (self.codes(data)[:, np.newaxis] == np.arange(1, len(self.levels))).astype(float)

    @property
    def indicator_names(self) -> list[str]:
        """What the columns of `indicators` are called."""
        return [f"{self.column}[T.{level}]" for level in self.levels[1:]]

    def as_reference(self) -> str:
        """Return the sentence that says which there are, and which is the reference."""
        return sentence(self.column, self.levels, self.levels[:1])

    def as_codes(self) -> str:
        """Return the sentence that says which number stands for which category."""
        return f"{self.column} is taken as numbers: {listed([f'{i} {level}' for i, level in enumerate(self.levels)])}."


def sentence(name: str, levels: Sequence[Any], reference: Sequence[Any]) -> str:
    """Return the sentence on the categories of a column; `reference` has the one that has no parameter, or none."""
    if len(levels) == 1 and len(reference) == 1:
        return f"{name} has 1 category, {levels[0]}, and no column of its own."
    said = f"{name} has {len(levels)} categories: {listed([str(level) for level in levels])}"
    return f"{said}; the reference is {reference[0]}." if len(reference) == 1 else f"{said}."


def refuse_unknown(data: Dataset, column: str, rows: np.ndarray, values: Any, levels: Sequence[Any]) -> None:
    """Raise DataError for the rows whose category is not among the levels."""
    shown = rows[:5].tolist()
    lines = [f"  {place}: {_shown(values[row])}" for row, place in zip(shown, data.places(shown), strict=True)]
    more = [f"  ... and {len(rows) - 5} more"] if len(rows) > 5 else []
    raise DataError(
        f"{data.source} has {times(len(rows), 'row')} with other categories in the column {column} than those that are "
        f"known:\n" + "\n".join([*lines, *more]),
        remedy=f"use those that are known, {listed([str(level) for level in levels])}, or leave these rows out.",
    )


def _shown(value: Any) -> str:
    return repr(value.item() if isinstance(value, np.generic) else value)
