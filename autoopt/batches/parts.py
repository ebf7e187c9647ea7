"""Parts of a source, each of which can be read by itself, here or on another machine."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from autoopt.batches import recipes
from autoopt.errors import DataError


@dataclass(frozen=True)
class Part:
    """Rows of one file, or of arrays, that follow one another.

    Parameters
    ----------
    name : str
        Of the file, or of the data, for messages.
    recipe : mapping
        How they are read (`recipes.py`); plain data, but for data that are in memory.
    rows : int or None
        None where they have not been counted yet.
    first : int
        The number of the first of them in the file.
    layout : mapping
        What arguments are made of them, as plain data (`Layout.as_plain`).
    size : int
        Rows of a batch.
    stamp : tuple of int
        Size and time of the file when it was opened; empty of what is no file.
    """

    name: str
    recipe: Mapping[str, Any]
    rows: int | None = None
    first: int = 0
    layout: Mapping[str, Any] = field(default_factory=dict)
    size: int = 65536
    stamp: tuple[int, int] | tuple[()] = ()

    def batches(self) -> Iterator[dict[str, np.ndarray]]:
        """Yield the arguments of these rows, a batch at a time."""
        self.refuse_changed()
        yield from recipes.chunks(self.recipe, self.layout, self.size)
        self.refuse_changed()

    def load(self) -> dict[str, np.ndarray]:
        """Return the arguments of all these rows, in memory."""
        every = list(self.batches())
        return {name: np.concatenate([batch[name] for batch in every]) for name in every[0]}

    def refuse_changed(self) -> None:
        """Raise DataError if the file is not what it was when it was opened."""
        if not self.stamp:
            return
        try:
            now = stamp_of(self.recipe["path"])
        except OSError as error:
            raise DataError(
                f"{self.name} cannot be read any more: {error.strerror}.",
                remedy="leave files alone while they are used.",
            ) from error
        if now != self.stamp:
            raise DataError(
                f"{self.name} has changed since it was opened: each pass over the data must find the same.",
                remedy="begin again, and leave files alone while they are used.",
            )

    def divided(self, rows: int) -> list[Part]:
        """Return parts of about so many rows each, where the file can be entered in the middle; else this one."""
        divide = _DIVISIONS.get(self.recipe["kind"])
        return [self] if divide is None or self.rows is None or self.rows <= rows else divide(self, rows)


def stamp_of(path: str | Path) -> tuple[int, int]:
    """Return size in bytes and time of the last change, in ns, of a file, or of a folder and what is in it."""
    path = Path(path)
    files = [path, *path.rglob("*")] if path.is_dir() else [path]
    told = [file.stat() for file in files]
    return sum(each.st_size for each in told), max(each.st_mtime_ns for each in told)


def _by_groups(part: Part, rows: int) -> list[Part]:
    """Divide a file by its groups of rows."""
    parts: list[Part] = []
    groups: list[int] = []
    first, many = part.first, 0
    for group, size in zip(part.recipe["groups"], part.recipe["sizes"], strict=True):
        if groups and many + size > rows:
            parts.append(_of_groups(part, groups, first, many))
            first, groups, many = first + many, [], 0
        groups.append(group)
        many += size
    return [*parts, _of_groups(part, groups, first, many)]


def _of_groups(part: Part, groups: Sequence[int], first: int, rows: int) -> Part:
    sizes = dict(zip(part.recipe["groups"], part.recipe["sizes"], strict=True))
    recipe = {**part.recipe, "groups": list(groups), "sizes": [sizes[group] for group in groups]}
    return replace(part, recipe=recipe, first=first, rows=rows)


def _by_slices(part: Part, rows: int) -> list[Part]:
    """Divide arrays into stretches of equal lengths."""
    begin, stop = part.recipe["begin"], part.recipe["stop"]
    many = math.ceil((stop - begin) / rows)
    borders = [begin + (stop - begin) * number // many for number in range(many + 1)]
    return [
        replace(
            part, recipe={**part.recipe, "begin": one, "stop": other}, first=part.first + one - begin, rows=other - one
        )
        for one, other in itertools.pairwise(borders)
    ]


_DIVISIONS: dict[str, Callable[[Part, int], list[Part]]] = {
    "arrays": _by_slices,
    "parquet": _by_groups,
    "feather": _by_groups,
}
