"""Values that cannot be used, counted over all that is read and told with their files, rows and columns."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from autoopt.batches.parts import Part
from autoopt.batches.streams import Stream
from autoopt.errors import DataError
from autoopt.tables.dataset import Dataset
from autoopt.tables.syntax import Syntax
from autoopt.tables.values import fault_of, faults_in, infinite_in, is_text, missing_in, thing_in
from autoopt.wording import times

_SHOWN = 5  # faults listed in a message before "and ... more"


class Faults:
    """What is wrong in the columns of a stream that are used; `drops`: rows that lack a value are left out."""

    def __init__(self, stream: Stream, drops: bool) -> None:
        self.drops = drops
        self._stream = stream
        self._first: list[str] = []
        self.number = 0

    def rows(self, part: Part, place: int, columns: Mapping[str, np.ndarray]) -> np.ndarray:
        """Return which rows of a batch have faults, shape (rows,); DataError at once if a column is no numbers at all.

        `place` is the number of its first row in the file. Faults that are not left out are counted.
        """
        table, syntax = self._stream.table, self._stream.syntax
        if other := {name: array for name, array in columns.items() if _is_other(array, syntax)}:
            Dataset.of(part.name, other, table, syntax=syntax).take(other)
        bad = np.zeros(len(next(iter(columns.values()))), bool)
        by_row: dict[str, np.ndarray] = {}
        for name, array in columns.items():
            mask = faults_in(array, table, syntax, "" if table else "bc")
            if mask is None:
                continue
            bad |= _any_by_row(mask)
            if self.drops:
                mask &= ~(missing_in(array, syntax) | infinite_in(array, syntax))
            self.number += int(mask.sum())
            by_row[name] = _any_by_row(mask)
        if len(self._first) < _SHOWN:
            self._note(part, place, columns, by_row)
        return bad

    def _note(
        self, part: Part, place: int, columns: Mapping[str, np.ndarray], by_row: Mapping[str, np.ndarray]
    ) -> None:
        """Keep in words what is wrong in the first rows of a batch that have faults."""
        rows = sorted({int(row) for mask in by_row.values() for row in np.flatnonzero(mask)[:_SHOWN]})[:_SHOWN]
        for row, where in zip(rows, self._stream.places(part, [place + row for row in rows]), strict=True):
            self._first += [
                f"{part.name}, {where}, column {name}: {self._fault(columns[name][row])}"
                for name, mask in by_row.items() if mask[row]
            ]  # fmt: skip

    def _fault(self, entry: object) -> str:
        every = np.asarray(entry, object).ravel().tolist()
        return next(filter(None, (fault_of(value, self._stream.table, self._stream.syntax) for value in every)))

    def error(self) -> DataError:
        """Return the error that tells how many there are, and the first of them."""
        lines = "".join(f"\n  {fault}" for fault in self._first[:_SHOWN])
        more = f"\n  ... and {self.number - _SHOWN} more" if self.number > _SHOWN else ""
        kind = "non-numeric value" if self.drops else "missing, infinite or non-numeric value"
        remedy = "correct these values" + ("." if self.drops else ", or leave their rows out: missing='drop'.")
        return DataError(f"{self._stream.name} has {times(self.number, kind)}:{lines}{more}", remedy=remedy)


def _is_other(array: np.ndarray, syntax: Syntax | None) -> bool:
    return array.dtype.kind not in "biuf" and bool(thing_in(array) or is_text(array, syntax))


def _any_by_row(mask: np.ndarray) -> np.ndarray:
    return np.asarray(mask.reshape(len(mask), -1).any(axis=1))
