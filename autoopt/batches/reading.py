"""The rows of parts read in batches and made arguments: nothing that is missing or of another type gets by."""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Iterator, Mapping, Sequence

import numpy as np

from autoopt.batches.layout import Given, Layout
from autoopt.batches.missing import Faults
from autoopt.batches.parts import Part
from autoopt.batches.recipes import faulty, pieces
from autoopt.batches.streams import Stream
from autoopt.errors import AutooptError, DataError
from autoopt.tables.values import numbers

_EXACT = 2.0**53
"""Whole numbers up to this are float64 without being rounded."""


class Reading:
    """How a stream is read.

    Parameters
    ----------
    stream : Stream
    layout : Layout
    size : int
        Bytes of a batch.
    drops : bool
        Whether rows that lack a value are left out, instead of refused.
    """

    def __init__(self, stream: Stream, layout: Layout, size: int, drops: bool) -> None:
        self.stream, self.layout, self.drops = stream, layout, drops
        self.size = stream.rows_of_batch(layout.columns, size)
        self._bytes = size
        self.types: dict[str, tuple[np.dtype, tuple[int, ...]]] = {}

    def arranged(self, arguments: Given | None, floats: Sequence[str]) -> Reading:
        """Return how the same stream is read as other arguments."""
        return Reading(self.stream, Layout.of(arguments, floats, self.stream), self._bytes, self.drops)

    def survey(self) -> bool:
        """Count the rows of what has to be read for that, unless it was done; return whether it was."""
        if self.stream.surveyed is None:
            return False
        self.stream = self.stream.surveyed(self.layout.columns)
        return True

    def batches(
        self, parts: Sequence[Part], most: int | None = None
    ) -> Generator[tuple[dict[str, np.ndarray], int], None, None]:
        """Yield the arguments of each batch, of at most so many rows, and how many rows were left out of it."""
        faults = Faults(self.stream, self.drops)
        for part in parts:
            place = part.first
            part.refuse_changed()
            for columns in self._pieces(part, min(self.size, most or self.size)):
                many = rows_in(columns)
                batch, out = self._batch(part, place, columns, faults)
                place += many
                if not faults.number:
                    yield batch, out
            part.refuse_changed()
        if faults.number:
            raise faults.error()

    def _pieces(self, part: Part, rows: int) -> Iterator[dict[str, np.ndarray]]:
        try:
            with contextlib.closing(pieces(part.recipe, self.layout.columns, rows)) as found:
                yield from found
        except AutooptError:
            raise
        except (OSError, ValueError, NotImplementedError, KeyError) as error:
            if part.recipe["kind"] == "iterated":  # it is the user's own
                raise
            said = str(error).splitlines()[0].rstrip(".") if str(error) else type(error).__name__
            raise DataError(f"{part.name} cannot be read: {said}.", remedy="check that it is whole.") from error

    def _batch(
        self, part: Part, place: int, columns: dict[str, np.ndarray], faults: Faults
    ) -> tuple[dict[str, np.ndarray], int]:
        """Return the arguments of a batch without rows that have faults, and how many those are."""
        out = 0
        if names := faulty(columns, self.layout.table):
            bad = faults.rows(part, place, {name: columns[name] for name in names})
            out = int(bad.sum())
            columns = {name: self._whole(part, name, array[~bad]) for name, array in columns.items()}
        batch = self.layout.arrays(columns)
        if len(columns[self.layout.columns[0]]):
            self._compare(part, place, batch)
        return batch, out

    def _whole(self, part: Part, name: str, array: np.ndarray) -> np.ndarray:
        """Return rows without faults as numbers: a column of whole numbers is float64 where one was missing."""
        if array.dtype.kind == "O":
            array = numbers(array, syntax=self.stream.syntax)
        if self.stream.kinds.get(name) != "i" or array.dtype.kind != "f":
            return array
        if (np.abs(array) > _EXACT).any():
            raise DataError(
                f"{part.name} has missing values in {name}, beside whole numbers that float64 does not have.",
                remedy="leave their rows out of the file.",
            )
        return array.astype(np.int64)

    def _compare(self, part: Part, place: int, batch: Mapping[str, np.ndarray]) -> None:
        """Refuse a batch whose arrays are of other types or shapes than those before."""
        types = {name: (array.dtype, array.shape[1:]) for name, array in batch.items()}
        if not self.types:
            self.types = types
        for name, (kind, shape) in types.items():
            before, shape_before = self.types[name]
            if (kind, shape) != (before, shape_before):
                one, other = _told(kind, shape), _told(before, shape_before)
                raise DataError(
                    f"{part.name} has {name} as {one} from row {place} on, and it is {other} in what comes before.",
                    remedy=f"give all rows one type, or say floats=[{name!r}]."
                    if shape == shape_before else "give all rows one shape.",
                )  # fmt: skip


def _told(kind: np.dtype, shape: tuple[int, ...]) -> str:
    return f"{kind} of {' x '.join(map(str, shape))} a row" if shape else str(kind)


def rows_in(arrays: Mapping[str, np.ndarray]) -> int:
    """Return the number of rows of arrays that have as many."""
    return len(next(iter(arrays.values())))


def joined(batches: Sequence[Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Return batches one after the other as one."""
    return {name: np.concatenate([batch[name] for batch in batches]) for name in batches[0]}
