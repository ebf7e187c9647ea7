"""What is in a table: type, missing values, range or categories of each column, before anything is fitted to it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from autoopt.tables.categories import Categories
from autoopt.tables.dataset import Dataset
from autoopt.tables.values import is_whole, numbers, plain, thing_in
from autoopt.wording import times

_LEVELS = 5  # categories that are named
_COLUMNS = 6  # columns that are named in a line


@dataclass(frozen=True)
class Column:
    """What is in a column.

    Attributes
    ----------
    name : str
    kind : str
        "number", "whole number", "true or false", "text", "categories", "date", or "mixed": numbers and others.
    missing : int
        Rows without a value, infinite ones among them.
    range : tuple of 2 numbers, or None
        Of the values of a column of numbers.
    levels : list or None
        The categories, or different texts, in order.
    """

    name: str
    kind: str
    missing: int
    range: tuple[float, float] | None = None
    levels: list[Any] | None = None

    @property
    def values(self) -> str:
        """The range or the categories, in words."""
        if self.range is not None:
            return f"{self.range[0]:.6g} to {self.range[1]:.6g}"
        if self.levels is None:
            return ""
        more = ", ..." if len(self.levels) > _LEVELS else ""
        return f"{len(self.levels)}: {', '.join(map(str, self.levels[:_LEVELS]))}{more}"


@dataclass(frozen=True)
class Description:
    """What is in a table: `str` is a table of it.

    Attributes
    ----------
    source : str
    rows : int
    columns : list of Column
    told : list of str
        How it was read.
    """

    source: str
    rows: int
    columns: list[Column]
    told: list[str]

    def __str__(self) -> str:
        head = ["column", "type", "rows", "missing", "range or categories"]
        rows = [[c.name, c.kind, str(self.rows - c.missing), str(c.missing), c.values] for c in self.columns]
        widths = [max(map(len, cells)) for cells in zip(head, *rows, strict=True)]
        lines = [f"{self.source}: {times(self.rows, 'row')}, {times(len(self.columns), 'column')}", ""]
        for cells in (head, *rows):
            put = [
                cell.rjust(width) if place in (2, 3) else cell.ljust(width)
                for place, (cell, width) in enumerate(zip(cells, widths, strict=True))
            ]
            lines.append(("  " + "  ".join(put)).rstrip())
        return "\n".join([*lines, *(["", *self.told] if self.told else [])])

    def to_dict(self) -> dict[str, Any]:
        """Return all of it as plain Python values."""
        return asdict(self)


def describe(data: Dataset, names: Iterable[str] | None = None) -> Description:
    """Return what is in the columns of a table, or in some of them.

    Parameters
    ----------
    data : Dataset
        A table, as `load` and `dataset` return it.
    names : iterable of str, optional
        The columns; all of them by default, which reads all of the file.

    Examples
    --------
    >>> from autoopt.tables.readers import dataset
    >>> print(describe(dataset(__import__("pandas").DataFrame({"age": [31.5, None], "town": ["Ulm", "Bonn"]}))))
    The data frame: 2 rows, 2 columns
    <BLANKLINE>
      column  type    rows  missing  range or categories
      age     number     1        1  31.5 to 31.5
      town    text       2        0  2: Bonn, Ulm
    """
    names = list(data.names if names is None else names)
    return Description(data.source, data.rows, [_column(data, name) for name in data.fetch(names)], list(data.told))


def line(data: Dataset, used: Sequence[str], total: int | None = None) -> str:
    """Return a line on the columns that are used: how many rows and columns, and the first ranges and categories."""
    described = [_column(data, name) for name in used[:_COLUMNS]]
    parts = [f"{c.name} {c.values}" for c in described if c.values]
    more = [f"{len(used) - _COLUMNS} more"] if len(used) > _COLUMNS else []
    rows = times(data.rows, "row") if total is None else f"{data.rows} of {total} rows"
    columns = f"{len(used)} of {times(len(data.names), 'column')} used"
    return f"{data.source}: {rows}, {columns}: {'; '.join([*parts, *more])}"


def _column(data: Dataset, name: str) -> Column:
    series = data.fetch([name])[name]
    array = plain(series)
    if is_whole(array) or array.ndim != 1:
        return Column(name, f"array of shape {np.shape(array)}", 0)
    kind = array.dtype.kind
    if kind in "biuf":
        lacking = ~np.isfinite(array) if kind == "f" else np.zeros(len(array), bool)
        there = array[~lacking]
        ends = (float(there.min()), float(there.max())) if len(there) else None
        called = {"b": "true or false", "f": "number"}.get(kind, "whole number")
        return Column(name, called, int(lacking.sum()), ends)
    lacking = data.missing(name)
    many = int(lacking.sum())
    if thing := thing_in(array):
        levels = sorted({str(value) for value in array[~lacking].tolist()}) if thing == "dates" else None
        return Column(name, "date" if thing == "dates" else thing, many, None, levels)
    if (is_category := str(getattr(series, "dtype", "")) == "category") or data.is_text(name):
        first = next(iter(array[~lacking]), None)
        is_category = is_category or not isinstance(first, str)
        return Column(name, "categories" if is_category else "text", many, None, list(Categories.of(data, name).levels))
    bad = data.faults(name)
    assert bad is not None  # of objects
    there = np.atleast_1d(numbers(array[~bad], syntax=data.syntax)).astype(float)
    ends = (float(there.min()), float(there.max())) if len(there) else None
    is_clean = not (bad & ~lacking).any()
    return Column(name, "number" if is_clean else "mixed", many, ends)
