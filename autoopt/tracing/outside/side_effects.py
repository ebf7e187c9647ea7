"""What one run changed outside of the objective, which can be taken back and done again.

A number that depends on the parameters is left as the traced value that it is, and says so when it is used
(`finished.py`). Before the objective is run again everything is made what it was before, so that a value kept for
the next call never stands for one that was computed.
"""

from __future__ import annotations

import operator
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import CellType
from typing import Any

from autoopt.tracing.outside.watching import ABSENT, contents

OUTSTANDING: weakref.WeakSet[SideEffects] = weakref.WeakSet()
"""Those of earlier runs that left traced values, and have not been taken back."""


@dataclass(frozen=True)
class Entry:
    """A name of a dictionary or cell, what it stood for before a run, and after."""

    place: Any
    name: Any
    before: Any
    after: Any

    def swap(self, old: Any, new: Any) -> None:
        """Put `new` where `old` still is."""
        if meaning(self.place, self.name) is old:
            _give(self.place, self.name, new)

    def undo(self) -> None:
        self.swap(self.after, self.before)

    def redo(self) -> None:
        _give(self.place, self.name, self.after)


@dataclass(frozen=True)
class Contents:
    """A list, set or deque with copies of it before a run, and after."""

    place: Any
    before: Any
    after: Any

    def undo(self) -> None:
        if not differ(self.place, self.after):
            self._fill(self.before)

    def redo(self) -> None:
        self._fill(self.after)

    def _fill(self, items: Any) -> None:
        self.place.clear()
        (self.place.update if isinstance(self.place, set) else self.place.extend)(items)


@dataclass(frozen=True)
class Slot:
    """A slot of an object, and what a run has put there."""

    place: Any
    name: str
    after: Any

    def redo(self) -> None:
        object.__setattr__(self.place, self.name, self.after)


class SideEffects:
    """What one run changed outside, if traced values are among it."""

    def __init__(self) -> None:
        self.changes: list[Entry | Contents] = []

    def take_back(self) -> None:
        """Make the places what they were before the run, unless something else has been put there since."""
        OUTSTANDING.discard(self)
        for change in reversed(self.changes):
            change.undo()
        self.changes = []

    @contextmanager
    def set_aside(self) -> Iterator[None]:
        """Take back what the run left, for the time of a call of the user's own function."""
        changes = self.changes
        for change in reversed(changes):
            change.undo()
        try:
            yield
        finally:
            for change in changes:
                change.redo()


def meaning(place: Any, name: Any) -> Any:
    """Return what a name of a dictionary or cell stands for, ABSENT if it is not there."""
    return contents(place) if type(place) is CellType else place.get(name, ABSENT)


def _give(place: Any, name: Any, value: Any) -> None:
    if type(place) is CellType:
        if value is ABSENT:
            del place.cell_contents
        else:
            place.cell_contents = value
    elif value is ABSENT:
        place.pop(name, None)
    else:
        place[name] = value


def differ(one: Any, other: Any) -> bool:
    """Whether two collections of one kind do not consist of the same objects."""
    if isinstance(one, set):
        return one != other
    if isinstance(one, dict):
        return differ(list(one), list(other)) or differ(list(one.values()), list(other.values()))
    return len(one) != len(other) or any(map(operator.is_not, one, other))
