"""Windows of arrays whose bounds are whole numbers, affine in the counters of the loops around them.

L[i, :i]    One(i)  Run(0, i)                 A[j:, i]    Run(j, 5 - j)  One(i)          of an array of five rows
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np


class Differ(Exception):
    """Iterations differ by more than the bounds of their windows."""


class Affine(NamedTuple):
    """A constant plus a slope times each counter of the loops around, the outermost first."""

    const: int
    slopes: tuple[int, ...] = ()

    def at(self, counters: Sequence[int]) -> int:
        """Return the number in one iteration."""
        return self.const + sum(a * c for a, c in zip(self.slopes, counters, strict=False))

    def over(self, counters: np.ndarray) -> np.ndarray:
        """Return the numbers in many iterations, a row each."""
        slopes = np.array(self.slopes, dtype=np.int64)
        return self.const + counters[:, : len(slopes)] @ slopes

    def plus(self, other: Affine, factor: int = 1) -> Affine:
        """Return this plus a multiple of another."""
        width = max(len(self.slopes), len(other.slopes))
        one, two = ((*a.slopes, *(0,) * (width - len(a.slopes))) for a in (self, other))
        return affine(self.const + factor * other.const, [a + factor * b for a, b in zip(one, two, strict=True)])

    @property
    def is_fixed(self) -> bool:
        """Whether the number is one and the same in every iteration."""
        return not self.slopes


Form = dict[str, int]
"""A whole number as the slopes of counters, by their names, and a constant, under the name ""."""


def summed(one: Form, other: Form, factor: int = 1) -> Form:
    """Return the form of one number plus a multiple of another."""
    found = {name: one.get(name, 0) + factor * other.get(name, 0) for name in dict.fromkeys([*one, *other])}
    return {name: slope for name, slope in found.items() if slope}


def affine(const: int, slopes: Sequence[int] = ()) -> Affine:
    """Return a number of which equal ones are equal: without slopes of 0 at the end."""
    width = max((k + 1 for k, slope in enumerate(slopes) if slope), default=0)
    return Affine(int(const), tuple(int(slope) for slope in slopes[:width]))


def fitted(counters: np.ndarray, numbers: Any) -> Affine:
    """Return what gives these numbers in iterations of these counters, a row each.

    Raises
    ------
    Differ
        If nothing affine does.
    """
    table, values = np.asarray(counters, dtype=float), np.asarray(numbers)
    if (values == values[0]).all():
        return affine(values[0])
    moving = np.ptp(table, axis=0) > 0
    columns = np.column_stack([np.ones(len(table)), table[:, moving]])
    found, *_ = np.linalg.lstsq(columns, values.astype(float), rcond=None)
    slopes = np.zeros(table.shape[1], dtype=np.int64)
    slopes[moving] = np.rint(found[1:])
    result = affine(int(np.rint(found[0])), slopes.tolist())
    if not np.array_equal(result.over(np.asarray(counters)), values):
        raise Differ("whole numbers that are not affine in the counters")
    return result


class One(NamedTuple):
    """One place along an axis."""

    place: Affine


class Run(NamedTuple):
    """Places along an axis: `length` of them, from `start` on, `step` apart."""

    start: Affine
    length: Affine
    step: int = 1


class New(NamedTuple):
    """An axis of length one that the array does not have."""


Part = One | Run | New
Window = tuple[Part, ...]


def whole(shape: Sequence[int]) -> Window:
    """Return the window that is all of an array."""
    return tuple(Run(affine(0), affine(n)) for n in shape)


def lengths(window: Window) -> tuple[Affine, ...]:
    """Return the shape of what a window shows."""
    return tuple(affine(1) if isinstance(p, New) else p.length for p in window if not isinstance(p, One))


def composed(outer: Window, inner: Window) -> Window:
    """Return the window that `inner` is of what `outer` shows."""
    if any(isinstance(part, New) for part in (*outer, *inner)):
        raise Differ("a window of an array with new axes")
    rest = iter(inner)
    found: list[Part] = []
    for part in outer:
        if isinstance(part, One):
            found.append(part)
            continue
        assert isinstance(part, Run)
        own = next(rest)
        assert not isinstance(own, New)
        start = own.place if isinstance(own, One) else own.start
        place = part.start.plus(start, part.step)
        found.append(One(place) if isinstance(own, One) else Run(place, own.length, part.step * own.step))
    return tuple(found)


def bounds(index: Any, shape: Sequence[int]) -> tuple[tuple, list[int]]:
    """Return what an index is along each axis, as a text, and the whole numbers in it: places, starts and lengths.

    Raises
    ------
    Differ
        If it is not made of whole numbers and slices.
    """
    parts = list(index) if type(index) is tuple else [index]
    if any(part is Ellipsis for part in parts):
        k = next(k for k, part in enumerate(parts) if part is Ellipsis)
        missing = len(shape) - sum(part is not None for part in parts) + 1
        parts[k : k + 1] = [slice(None)] * missing
    parts += [slice(None)] * (len(shape) - sum(part is not None for part in parts))
    kinds: list[Any] = []
    numbers: list[int] = []
    axis = 0
    for part in parts:
        if part is None:
            kinds.append("new")
            continue
        extent = shape[axis]
        axis += 1
        if isinstance(part, slice):
            try:
                chosen = range(extent)[part]
            except TypeError as problem:
                raise Differ("a slice whose ends are traced") from problem
            kinds.append(chosen.step)
            numbers += [chosen.start, len(chosen)]
        elif isinstance(part, int | np.integer) and not isinstance(part, bool):
            kinds.append("one")
            numbers.append(int(part) % extent)
        else:
            raise Differ("an index that is no window")
    return tuple(kinds), numbers


def window_of(kinds: tuple, numbers: np.ndarray, counters: np.ndarray) -> Window:
    """Return the window whose numbers are `numbers`, a row for each iteration.

    The start of what is empty may be anything: it is that of the others.
    """
    found: list[Part] = []
    column = 0
    for kind in kinds:
        if kind == "new":
            found.append(New())
        elif kind == "one":
            found.append(One(fitted(counters, numbers[:, column])))
            column += 1
        else:
            length = fitted(counters, numbers[:, column + 1])
            filled = numbers[:, column + 1] > 0
            some = filled if filled.any() else slice(None)
            found.append(Run(fitted(counters[some], numbers[some, column]), length, kind))
            column += 2
    return tuple(found)


def index_at(window: Window, counters: Sequence[int]) -> tuple:
    """Return the index of a window in one iteration."""
    found: list[Any] = []
    for part in window:
        if isinstance(part, New):
            found.append(None)
        elif isinstance(part, One):
            found.append(part.place.at(counters))
        else:
            start, length = part.start.at(counters), part.length.at(counters)
            stop = start + length * part.step
            found.append(slice(start, stop if stop >= 0 else None, part.step) if length > 0 else slice(0, 0))
    return tuple(found)
