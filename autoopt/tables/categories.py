"""Columns whose values are names of categories: which there are, and codes or indicators for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autoopt.errors import DataError
from autoopt.tables.dataset import Dataset
from autoopt.tables.values import distinct, is_missing, plain
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
        values = [value for value in distinct(plain(series))[1] if not is_missing(value)]
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
        values = plain(data.fetch([self.column])[self.column])
        numbers = {level: number for number, level in enumerate(self.levels)}
        places, there = distinct(values)
        codes = np.array([*(numbers.get(value, -1) for value in there), -1], np.int64)[places]
        if (unknown := np.flatnonzero(codes < 0)).size:
            refuse_unknown(data, self.column, unknown, values, self.levels)
        return codes

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
    lines = [f"  {place}: {values[row]!r}" for row, place in zip(shown, data.places(shown), strict=True)]
    more = [f"  ... and {len(rows) - 5} more"] if len(rows) > 5 else []
    raise DataError(
        f"{data.source} has {times(len(rows), 'row')} with other categories in the column {column} than those that are "
        f"known:\n" + "\n".join([*lines, *more]),
        remedy=f"use those that are known, {listed([str(level) for level in levels])}, or leave these rows out.",
    )
