"""Some rows of a stream, without a pass over all of it."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Sequence

import numpy as np

from autoopt.batches.parts import Part
from autoopt.batches.reading import Reading, joined, rows_in

_STRETCHES = 16
"""Places at which rows are taken, unless there are too few rows around them: of files what is read is little."""

_ROWS = 8192
"""Rows that are read around a place, or four times those that are taken there if that is more."""


def first(reading: Reading, rows: int) -> dict[str, np.ndarray]:
    """Return the arguments of the first rows, as many as there are."""
    found: list[dict[str, np.ndarray]] = []
    many = 0
    with contextlib.closing(reading.batches(reading.stream.parts, rows)) as batches:
        for batch, _ in batches:
            found.append({name: array[: rows - many] for name, array in batch.items()})
            many += rows_in(found[-1])
            if many >= rows:
                break
    return joined(found)


def spread(reading: Reading, rows: int, total: int, random: np.random.Generator) -> dict[str, np.ndarray]:
    """Return the arguments of random rows in their order, of batches at random places, one in each equal stretch.

    `total` is how many rows there are, those that are left out included.
    """
    parts = [part for whole in reading.stream.parts for part in whole.divided(reading.size)]
    most = min(reading.size, max(_ROWS, 4 * rows // _STRETCHES))
    around = sum(min(most, total if part.rows is None else part.rows) for part in parts) / len(parts)
    borders = np.linspace(0, total, min(rows, max(_STRETCHES, math.ceil(2 * rows / around))) + 1).astype(int)
    found = list(_around(reading, parts, random.integers(borders[:-1], borders[1:]), total, most))
    ends = np.cumsum([rows_in(batch) for batch in found])
    taken = np.sort(random.choice(ends[-1], min(rows, ends[-1]), replace=False))
    sizes = np.diff(ends, prepend=0)
    inside = [
        taken[(taken >= end - size) & (taken < end)] - (end - size) for size, end in zip(sizes, ends, strict=True)
    ]
    return joined([
        {name: array[some] for name, array in batch.items()} for batch, some in zip(found, inside, strict=True)
    ])  # fmt: skip


def _around(
    reading: Reading, parts: Sequence[Part], places: np.ndarray, total: int, most: int
) -> Iterator[dict[str, np.ndarray]]:
    """Yield the batches in which the rows of these numbers are, each once, of at most so many rows."""
    begin = 0
    for part in parts:
        end = total if part.rows is None else begin + part.rows
        wanted = places[(places >= begin) & (places < end)]
        if len(wanted):
            done = begin
            with contextlib.closing(reading.batches([part], most)) as batches:
                for batch, out in batches:
                    done += rows_in(batch) + out
                    if (wanted < done).any() and rows_in(batch):
                        yield batch
                    wanted = wanted[wanted >= done]
                    if not len(wanted):
                        break
        begin = end
