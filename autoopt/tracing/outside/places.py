"""The places outside of the objective that one run touches: globals, outer variables, attributes, containers.

What it reads there is noted, and what it leaves there is made what the original would have left, but for values that
depend on the parameters (`side_effects.py`).
"""

from __future__ import annotations

import collections
import enum
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import replace
from types import CellType, CodeType, MethodType, ModuleType
from typing import Any

from autoopt.origin import is_unchanging
from autoopt.tape.tape import PARAMETER
from autoopt.tracing.outside import files
from autoopt.tracing.outside.notes import Notes
from autoopt.tracing.outside.side_effects import OUTSTANDING, Contents, Entry, SideEffects, Slot, differ, meaning
from autoopt.tracing.outside.watching import ABSENT, Watch, attribute

_CONTAINERS = (dict, list, set, collections.deque)
_SEARCHED = 1000
"""Containers of more items than this are not searched for what earlier runs left."""


class Outside:
    """The places outside of the objective that one run touches.

    Parameters
    ----------
    tracer : Tracer
    shadows : Shadows
        The objects that stand in for the user's.
    users : callable
        Gives the user's own function, class, module or object for what a run sees in its place.
    note_table : callable
        Remembers an object of a library of tables (`Notes`).

    Attributes
    ----------
    captured : dict
        `(id of the place, name) -> (place, value)` of every global, outer variable and default that was read.
    side_effects : SideEffects
    changes : tuple
        All that the run changed, of which each entry can be done again (`redo`).
    notes : Notes
        What was read, but for names.
    """

    def __init__(
        self, tracer: Any, shadows: Any, users: Callable, note_table: Callable[[Notes, str, Any], Collection]
    ) -> None:
        self.tracer, self.shadows, self.users = tracer, shadows, users
        self.captured: dict[tuple[int, str], tuple[Any, Any]] = {}
        self.side_effects = tracer.side_effects = SideEffects()
        self._entered: dict[int, tuple[Any, Any]] = {}
        self._changed: set[int] = set()
        self.notes = Notes(note_table)
        self.modules: dict[int, ModuleType] = {}
        self._texts: set[str] = set()
        self._leaks = False
        self.changes: tuple[Any, ...] = ()

    def enter(self, place: Any) -> None:
        """Remember what a container, or the dictionary of an object, holds before the run goes on."""
        if isinstance(place, _CONTAINERS) and id(place) not in self._entered:
            self.relieve(place)
            self._entered[id(place)] = place, place.copy()

    def relieve(self, values: Any, seen: frozenset[int] = frozenset()) -> None:
        """Have the runs that left traced values in a container, or in containers there, take them back."""
        if not OUTSTANDING or len(values) > _SEARCHED or id(values) in seen:
            return
        for value in list(values.values() if isinstance(values, dict) else values):
            if self._is_traced(value):
                value.tracer.side_effects.take_back()
            elif type(value) in (dict, list, tuple):
                self.relieve(value, seen | {id(values)})

    def read_by(self, code: CodeType) -> None:
        """Take note of the names in a function's code, and in code inside it: what the state of the process decides."""
        self._texts.update(part for part in code.co_consts if type(part) is str)
        self.read_through(code.co_names)
        for part in code.co_consts:
            if isinstance(part, CodeType):
                self.read_by(part)

    def read_through(self, names: Iterable[str]) -> None:
        """Take note of the names of functions by which something outside may be read."""
        self._texts.update(names)
        if any(map(files.reads, names)):
            files.listen()
        if any(map(files.looks, names)):
            self.notes.file(None)

    def _note_modules(self) -> None:
        """Remember what the objective may have read of modules of the standard library, whose names are not fetched."""
        for module in self.modules.values():
            for name in self._texts.intersection(vars(module)):
                value = vars(module)[name]
                if not isinstance(value, ModuleType) and not (callable(value) or name.startswith("__")):
                    self.captured[id(module), name] = module, value
                    self.notes.note(value, below=True)
        self.notes.state(self._texts)

    # Afterwards -------------------------------------------------------------------------------------------------------

    def assign(self, place: Any, name: str, value: Any) -> None:
        """Hand what the run assigned to a global or an outer variable to the original."""
        change = Entry(place, name, meaning(place, name), self.settled(value))
        change.redo()
        self.side_effects.changes.append(change)

    def leave(self, changed: Iterable[Any] = ()) -> None:
        """Make of what the run left what the original would have left, but for what depends on the parameters.

        `changed` is what the run changed of what objects of the user's own kinds hold as lists and dictionaries.
        """
        for held in changed:
            self.side_effects.changes.append(held)
            self._changed.add(id(held.original))
        for place, before in self._entered.values():
            changes = list(self._changes(place, before))
            self.side_effects.changes.extend(changes)
            if changes:
                self._changed.add(id(place))
        self.changes = (*self.side_effects.changes, *(Slot(*entry) for entry in self.shadows.filled))
        if self._leaks:
            OUTSTANDING.add(self.side_effects)
        else:
            self.side_effects.changes.clear()

    def watched(self) -> Watch:
        """Return what the run read and did not change."""
        self._note_modules()
        spaces = self._spaces()
        for member in (original for original, _ in self.shadows.objects.values() if isinstance(original, enum.Enum)):
            self.notes.note(vars(member))
        for kind in self.shadows.classes:
            for base in (*kind.__mro__, *type(kind).__mro__):
                self.notes.note(base)
        names = [(_place(place), name, value) for (_, name), (place, value) in self.captured.items()]
        for (key, name), (_, value) in self.shadows.read.items():
            if key in spaces:
                names.append((spaces[key], name, value if name in spaces[key] else ABSENT))
        readable = (entry for entry in names if type(entry[0]) in (dict, CellType))
        assigned = any(meaning(place, name) is not value for place, name, value in readable)
        names = [entry for entry in names if self._is_watched(*entry)]
        cells = tuple((place, value) for place, _, value in names if type(place) is CellType)
        held = tuple(entry for entry in names if type(entry[0]) is dict)
        self.changes += tuple(Slot(*entry) for entry in self.notes.refilled() if entry[2] is not ABSENT)
        watch = self.notes.watch(held, cells, lambda place: id(place) in self._changed)
        return replace(watch, steady=False) if assigned else watch

    def _is_watched(self, place: Any, name: str, value: Any) -> bool:
        """Whether a name is of a place that can be looked at, and stands for what it did before the run and after."""
        if type(place) not in (dict, CellType) or meaning(place, name) is not value:
            return False
        if isinstance(value, ModuleType) and is_unchanging(value.__name__):
            return False
        return id(place) not in self._entered or self._entered[id(place)][1].get(name, ABSENT) is value

    def _spaces(self) -> dict[int, dict]:
        """Return the attributes of the user's objects, by identity of their shadows; those in slots are not seen."""
        pairs = self.shadows.objects.values()
        spaces = {id(shadow): attribute(original, "__dict__") for original, shadow in pairs}
        return {key: space for key, space in spaces.items() if space is not None}

    def _changes(self, place: Any, before: Any) -> Iterator[Entry | Contents]:
        """Return how a container differs from what it was, its new items settled."""
        if isinstance(place, dict):
            self._name_plainly(place)
            for name in {**before, **place}:
                if place.get(name, ABSENT) is not before.get(name, ABSENT):
                    if name in place:
                        place[name] = self.settled(place[name])
                    yield Entry(place, name, before.get(name, ABSENT), place.get(name, ABSENT))
        elif differ(place, before):
            if not isinstance(place, set):
                for position, item in enumerate(place):
                    place[position] = self.settled(item)
            yield Contents(place, before, place.copy())

    def settled(self, value: Any) -> Any:
        """Return `value` with the user's objects for their shadows, and numbers for traced values of the data."""
        kind = type(value)
        if self._is_traced(value):
            if (users := self.users(value)) is not value:  # an array from outside
                return users
            self._leaks = self._leaks or value.level == PARAMETER
            return value if value.level == PARAMETER else value.value
        if kind is dict:
            self._name_plainly(value)
            value.update({key: self.settled(part) for key, part in value.items()})
        elif kind is list:
            value[:] = [self.settled(part) for part in value]
        elif kind is tuple and self.tracer.holds_traced(value):
            return tuple(self.settled(part) for part in value)
        elif self.shadows.is_shadow(value):
            return self._object(value)
        elif kind is MethodType:
            return MethodType(self.settled(value.__func__), self.settled(value.__self__))
        return self.users(value)

    def _name_plainly(self, table: dict) -> None:
        """Replace keys of the dictionary that are traced values, which can be such of the data only."""
        if any(map(self.tracer.holds_traced, table)):
            items = [(self.tracer.concrete(key), part) for key, part in table.items()]
            table.clear()
            table.update(items)

    def _object(self, value: Any) -> Any:
        """Return the user's object for its shadow; one that was made in the run becomes one of the user's class."""
        original = self.shadows.original(value)
        if original is value:
            self._leaks = True
            self.settled(attribute(value, "__dict__"))
        return original

    def _is_traced(self, value: Any) -> bool:
        return type(value) is self.tracer.array or type(value) is self.tracer.pair


def _place(place: Any) -> Any:
    return vars(place) if isinstance(place, ModuleType) else place
