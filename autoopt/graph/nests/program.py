"""The statements of a nest of loops with PyTensor expressions, and what can be seen of them by running through.

Like `tape.nests.nest`, whose windows and loops it has, but for statements that add.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from pytensor.graph.basic import Variable
from pytensor.graph.traversal import ancestors

from autoopt.tape.nests.nest import Read, Repeat, run, statements_of
from autoopt.tape.nests.windows import New, One, Part, Run, Window, lengths


class Assignment(NamedTuple):
    """`arrays[target][window] = value`, or `+=` with `add`; `variables` stand for the reads in the value.

    `origin` is the step of the tape that it stems from; None if it serves a derivative.
    """

    target: int
    window: Window
    reads: tuple[Read, ...]
    variables: tuple[Variable, ...]
    value: Variable
    add: bool = False
    origin: Any = None


@dataclass(frozen=True, eq=False)
class Program:
    """Arrays, the operands first, the others zeros at first; what is done with them; and which are returned."""

    shapes: tuple[tuple[int, ...], ...]
    names: tuple[str | None, ...]
    operands: int
    body: tuple[Any, ...]
    results: tuple[int, ...]

    def assignments(self) -> Iterator[Assignment]:
        """Yield the statements, in order."""
        yield from statements_of(self.body)

    def written(self) -> set[int]:
        """Return the arrays that are written into."""
        return {statement.target for statement in self.assignments()}

    def form(self) -> tuple:
        """Return all but the expressions."""
        return self.shapes, self.operands, self.results, _form(self.body)

    def run(self, visit: Callable[[Assignment, list[int]], None]) -> None:
        """Call `visit` for each statement in each iteration, in the order in which they run."""
        run(self.body, visit)

    def tables(self) -> dict[int, np.ndarray]:
        """Return the counters of all iterations of each statement, by its place among them."""
        found: list[np.ndarray] = []
        _tables(self.body, np.zeros((1, 0), dtype=np.int64), found)
        return dict(enumerate(found))

    def without_unread(self, kept: Sequence[int]) -> Program:
        """Return the program with some of its results, and with no statement that these do not need."""
        results = tuple(self.results[k] for k in kept)
        alive = set(results)
        size = -1
        while size != len(alive):
            size = len(alive)
            for statement in self.assignments():
                if statement.target in alive:
                    alive.update(read.array for read in statement.reads)
        return replace(self, body=_kept(self.body, alive), results=results)


def _form(body: Sequence[Any]) -> tuple:
    return tuple(
        (part.times, part.reverse, _form(part.body))
        if isinstance(part, Repeat)
        else (part.target, part.window, part.reads, part.add)
        for part in body
    )


def _tables(body: Sequence[Any], table: np.ndarray, found: list[np.ndarray]) -> None:
    for part in body:
        if not isinstance(part, Repeat):
            found.append(table)
            continue
        counts = np.maximum(part.times.over(table), 0)
        rows = np.repeat(table, counts, axis=0)
        last = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
        _tables(part.body, np.column_stack([rows, last]), found)


def _kept(body: Sequence[Any], alive: set[int]) -> tuple[Any, ...]:
    found: list[Any] = []
    for part in body:
        if isinstance(part, Repeat):
            inner = _kept(part.body, alive)
            found += [part._replace(body=inner)] if inner else []
        elif part.target in alive:
            found.append(part)
    return tuple(found)


def used(values: Sequence[Variable], variables: Sequence[Variable]) -> set[Variable]:
    """Return which of the variables some values are computed from."""
    return set(variables).intersection(ancestors(list(values), blockers=list(variables)))


def are_apart(one: Window, other: Window, table: np.ndarray) -> bool:
    """Whether two windows of an array have no entry in common in any iteration."""
    parts = zip([p for p in one if not isinstance(p, New)], [p for p in other if not isinstance(p, New)], strict=True)
    apart = np.zeros(len(table), dtype=bool)
    for a, b in parts:
        (first, last), (start, stop) = _ends(a, table), _ends(b, table)
        apart |= (last < start) | (stop < first)
    return bool(apart.all())


def _ends(part: Part, table: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the first and the last place of a part of a window; the last before the first if it is empty."""
    if isinstance(part, One):
        place = part.place.over(table)
        return place, place
    assert isinstance(part, Run)
    start, length = part.start.over(table), part.length.over(table)
    end = start + (length - 1) * part.step
    return np.where(length > 0, np.minimum(start, end), 1 << 40), np.where(length > 0, np.maximum(start, end), -1)


def widest(window: Window, table: np.ndarray) -> tuple[int, ...]:
    """Return the shape that holds what a window shows in any iteration."""
    return tuple(int(length.over(table).max(initial=0)) for length in lengths(window))
