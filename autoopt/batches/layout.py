"""How the objective's arguments are made of columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import EllipsisType
from typing import Any

import numpy as np

from autoopt.batches import recipes
from autoopt.batches.streams import Stream
from autoopt.errors import UsageError
from autoopt.wording import listed, near

Given = Mapping[str, "str | Sequence[str] | EllipsisType"] | Sequence[str]
"""Argument -> its column, a list of columns, which become a matrix, or `...` for all others that are no text.

Names alone are those of columns, or of arrays that have none, in their order.
"""

_REMEDY = "say of which columns each is made: {'X': ['a', 'b'], 'y': 'y'}, or {'X': ..., 'y': 'y'}."


@dataclass(frozen=True)
class Layout:
    """The objective's arguments, as they are made of the columns of a batch.

    Parameters
    ----------
    arguments : mapping of str to str or tuple of str
        The column of each, or those that stand side by side in a matrix, float64, C-contiguous, shape (rows, columns).
    floats : tuple of str
        Arguments of one column that are float64 even if it has whole numbers, which are int64 otherwise.
    table : bool
        Whether the columns are those of a table: truth values are numbers there, and nothing is infinite or complex.
    """

    arguments: Mapping[str, str | tuple[str, ...]]
    floats: tuple[str, ...] = ()
    table: bool = True

    @classmethod
    def of(cls, given: Given | None, floats: Sequence[str], stream: Stream) -> Layout:
        """Return the layout that is asked for; without one each column is an argument of its own.

        Raises
        ------
        DataError
            If a column is not among those of the stream.
        UsageError
            If more than one argument is to have the rest, or one is to have nothing.
        """
        wanted = _as_mapping(given, stream)
        if unknown := [name for name in floats if not isinstance(wanted.get(name), str)]:
            raise UsageError(
                f"floats has {unknown[0]!r}, which is no argument of one column.{near(unknown[0], wanted)}",
                remedy=f"the arguments are {listed(list(wanted))}.",
            )
        named = {name: [of] if isinstance(of, str) else list(of) for name, of in wanted.items() if not is_rest(of)}
        used = [column for columns in named.values() for column in columns]
        stream.refuse_absent(used)
        rest = tuple(name for name in stream.names if name not in set(used) and stream.kinds.get(name) != "O")
        of_rest = [name for name, of in wanted.items() if is_rest(of)]
        if len(of_rest) > 1:
            raise UsageError(f"{listed(of_rest)} are all to have the rest of the columns.", remedy=_REMEDY)
        if empty := [*(of_rest if not rest else []), *(name for name, columns in named.items() if not columns)]:
            raise UsageError(f"No column of {stream.name} is left for {listed(empty)}.", remedy=_REMEDY)
        arguments = {
            name: rest if is_rest(of) else of if isinstance(of, str) else tuple(of) for name, of in wanted.items()
        }
        return cls(arguments, tuple(floats), stream.table)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that are used, each once."""
        every = ([of] if isinstance(of, str) else of for of in self.arguments.values())
        return tuple(dict.fromkeys(column for columns in every for column in columns))

    def arrays(self, columns: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return the arguments of a batch of columns."""
        return recipes.arguments(columns, self.as_plain)

    @property
    def as_plain(self) -> dict[str, Any]:
        """The layout as plain data, for workers without autoopt."""
        arguments = {name: of if isinstance(of, str) else list(of) for name, of in self.arguments.items()}
        return {
            "arguments": arguments, "columns": list(self.columns), "floats": list(self.floats), "table": self.table,
        }  # fmt: skip


def is_rest(of: object) -> bool:
    """Return whether an argument is to have the columns that no other takes."""
    return of is ...


def _as_mapping(given: Given | None, stream: Stream) -> Mapping[str, Any]:
    """Return the columns of each argument; names alone are columns, or those of arrays in their order."""
    if given is None:
        return {name: name for name in stream.names}
    if not given or isinstance(given, str):
        raise UsageError(f"arguments is {given!r}.", remedy=_REMEDY)
    if isinstance(given, Mapping):
        return given
    if not stream.is_positional:
        return {name: name for name in given}
    if len(given) != len(stream.names):
        raise UsageError(
            f"{stream.name} are {len(stream.names)} arrays, and arguments has {len(given)} names.",
            remedy="name each, in their order.",
        )
    return dict(zip(given, stream.names, strict=True))
