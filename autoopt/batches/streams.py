"""What rows are read of, whatever it is: the columns, and the parts one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from autoopt.batches.parts import Part
from autoopt.errors import DataError
from autoopt.tables.syntax import Syntax
from autoopt.wording import listed, near


@dataclass(frozen=True)
class Stream:
    """Rows of files or arrays.

    Parameters
    ----------
    name : str
        For messages, such as "part-*.parquet".
    widths : mapping of str to int
        The columns, in order -> bytes of one row.
    parts : tuple of Part
    kinds : mapping of str to str
        NumPy's kind of the columns of which it is known before they are read: "f", "i", "b", "O" for text and others.
    table : bool
        Whether the columns are those of a table, with one value to a row.
    step : int
        Rows that are stored together: a batch has a multiple of them.
    is_positional : bool
        Whether the arrays have an order instead of names.
    is_once : bool
        Whether it ends with the first pass.
    places : callable
        (part, numbers of rows in the file) -> what messages call them.
    syntax : Syntax or None
        How text is read as numbers; None where values have types, and text is no number.
    surveyed : callable or None
        () -> the same stream with its rows counted, of what has to be read for that.
    """

    name: str
    widths: Mapping[str, int]
    parts: tuple[Part, ...]
    kinds: Mapping[str, str] = field(default_factory=dict)
    table: bool = True
    step: int = 1
    is_positional: bool = False
    is_once: bool = False
    places: Callable[[Part, Sequence[int]], list[str]] = lambda part, rows: [f"row {row}" for row in rows]
    syntax: Syntax | None = None
    surveyed: Callable[[Sequence[str]], Any] | None = None

    @property
    def names(self) -> list[str]:
        """The columns, in order."""
        return list(self.widths)

    @property
    def rows(self) -> int | None:
        """How many rows there are; None where that is not known before they are read."""
        known = [part.rows for part in self.parts if part.rows is not None]
        return sum(known) if len(known) == len(self.parts) else None

    @property
    def is_portable(self) -> bool:
        """Whether the parts can be read elsewhere: not where the user's code makes them, or pyarrow leaves rows out."""
        kinds = (part.recipe for part in self.parts)
        return not any(recipe["kind"] == "iterated" or recipe.get("schema", "") is None for recipe in kinds)

    def rows_of_batch(self, columns: Iterable[str], size: int) -> int:
        """Return how many rows of these columns have about so many bytes."""
        rows = max(1, size // max(1, sum(self.widths[name] for name in columns)))
        return max(self.step, rows - rows % self.step)

    def refuse_absent(self, columns: Sequence[str]) -> None:
        """Raise DataError if one of the columns is not there."""
        if absent := [name for name in dict.fromkeys(columns) if name not in self.widths]:
            what = ("column" if self.table else "array") + ("" if len(absent) == 1 else "s")
            raise DataError(
                f"{self.name} has no {what} {listed(absent)}.{near(absent[0], self.names)}",
                remedy=f"use one of what it has: {listed(self.names)}.",
            )
