"""What one run comes across outside of the objective, noted as it is: `Notes`, of which a `Watch` is made in the end.

What a run can follow, such as a list whose items are substituted, is noted one thing at a time; what it cannot look
into, such as an object without methods, is noted with all that is below. A note that the run itself made untrue (a
counter, a memo) is dropped: it decides nothing.
"""

from __future__ import annotations

import array
import collections
import contextvars
import ctypes
import functools
import io
import logging
import mmap
import operator
import os
import sys
import threading
import types
import weakref
from collections.abc import Callable, Collection
from typing import Any

import numpy as np

from autoopt.origin import DATA_LIBRARIES, is_unchanging
from autoopt.tracing.outside.files import FileState
from autoopt.tracing.outside.process import DESCRIPTIONS, ENVIRONMENT, STATES, description, is_read
from autoopt.tracing.outside.watching import (
    ABSENT,
    BUDGET,
    Same,
    Watch,
    attribute,
    default_factory,
    equals,
    is_fixed,
    is_kept,
    is_unique,
    kept_bytes,
    still_true,
)

_MOST = 1000
"""How many things are looked at below one that cannot be followed."""


class Notes:
    """The things that one run came across outside.

    Parameters
    ----------
    note_table : callable
        `note_table(notes, library, value)` remembers an object of a library of tables.

    Attributes
    ----------
    complete : bool
        False if something was read whose change cannot be noticed.
    states : dict
        What decides in the state of the process, by the names that code reads it by.
    """

    def __init__(self, note_table: Callable[[Notes, str, Any], Collection]) -> None:
        self.complete = True
        self.states: dict[tuple[str, ...], Callable[[], Any]] = dict(STATES)
        self._note_table = note_table
        self._seen: dict[int, Any] = {}
        self._functions: list[tuple[Any, Any, Any, Any]] = []
        self._holders: list[tuple[Any, dict, type]] = []
        self._tables: list[tuple[Any, list | None, list]] = []
        self._items: list[tuple[Any, list]] = []
        self._others: list[Same] = []
        self._arrays: list[tuple[np.ndarray, bytearray | None]] = []

    def note(self, value: Any, below: bool = False) -> None:
        """Remember what `value` consists of now, with all that is `below` it if nobody else looks there."""
        waiting, count = [value], 0
        while waiting:
            parts = self._one(waiting.pop())
            if below:
                waiting.extend(part for part in parts if type(part) not in _PLAIN)
            count += 1
            if count > _MOST:
                self.complete = False
                return

    def _one(self, value: Any) -> Collection:
        """Remember one thing, and return what is in it."""
        kind = type(value)
        if kind in _PLAIN or id(value) in self._seen:
            return ()
        self._seen[id(value)] = value
        if kind in _CONTAINERS or (issubclass(kind, tuple) and hasattr(kind, "_fields")):
            return self._container(value)
        return next((row for kinds, row in _ROWS if issubclass(kind, kinds)), Notes._object)(self, value)

    def _container(self, value: Any) -> Collection:
        if isinstance(value, dict):
            return self._table(value)
        items = list(value)
        if isinstance(value, tuple | frozenset):
            return items
        if items and type(value) is list and all(map(is_unique, items)):
            self._others.append(functools.partial(equals, value, items))
        else:
            self._items.append((value, items))
        return items

    def _table(self, value: Any) -> Collection:
        keys, values = list(value), list(value.values())
        if isinstance(value, collections.defaultdict):
            factory = value.default_factory
            self._others.append(lambda: value.default_factory is factory)
        self._tables.append((value, keys, values))
        return [*values, default_factory(value)]

    def _array(self, value: np.ndarray) -> Collection:
        if value.dtype.hasobject:
            parts = list(value.flat)
            self._others.append(lambda: not any(map(operator.is_not, value.flat, parts)))
            return parts
        self.beside_array(value)
        if not is_fixed(value):
            self._arrays.append((value, kept_bytes(value) if value.nbytes <= BUDGET else None))
        return ()

    def beside_array(self, value: np.ndarray) -> None:
        """Remember the attributes of an array of the user's own kind."""
        if type(value) is not np.ndarray and not is_unchanging(type(value).__module__):
            self.note(attribute(value, "__dict__"), below=True)

    def _buffer(self, value: Any) -> Collection:
        self._others.append(functools.partial(bytearray.__eq__, bytearray(value), value))
        return ()

    def _memory(self, value: Any) -> Collection:
        """Remember what is in memory that is read through a view, a number of C's, a record of NumPy's."""
        try:
            kept = memoryview(value).tobytes()
        except ValueError:  # a view that has been released
            return ()
        if len(kept) > BUDGET:
            self.complete = False
        self._others.append(functools.partial(_is_in_memory, value, kept))
        return ()

    def _pointer(self, value: Any) -> Collection:
        self._memory(value)
        return (value.contents,) if value and not isinstance(value.contents, type(value)) else ()

    def _variable(self, value: contextvars.ContextVar) -> Collection:
        before = value.get(ABSENT)
        self._others.append(lambda: value.get(ABSENT) is before)
        try:
            return (value.get(),)
        except LookupError:
            return ()

    def _reference(self, value: weakref.ref) -> Collection:
        now = weakref.ref.__call__(value)
        number = id(now)  # it is not kept alive
        self._others.append(lambda: id(weakref.ref.__call__(value)) == number)
        return (now,)

    def _builtin(self, value: Any) -> Collection:
        """What a method of a list, an array or the like is a method of."""
        owner = value.__self__
        return () if isinstance(owner, types.ModuleType | type) else (owner,)

    def _text(self, value: Any) -> Collection:
        """What is in a text or bytes that are read as a file."""
        if not value.closed:
            before = value.getvalue()
            self._others.append(lambda: not value.closed and value.getvalue() == before)
        return ()

    def _stream(self, value: Any) -> Collection:
        """Remember the file that is open for reading; what is written to is nothing that is read."""
        try:
            number = value.fileno() if value.readable() else None
        except (OSError, ValueError):  # it is closed, or none of the system's
            number = None
        if number is not None and number > 2:
            self.file(f"/dev/fd/{number}" if not isinstance(value.name, str) else os.path.abspath(value.name))
        return ()

    def file(self, path: str | None) -> None:
        """Remember what a file is; None stands for something outside that has no path."""
        state = None if path is None else FileState(path)
        if state is None or not state.is_known:
            self.complete = False
        else:
            self._others.append(state)

    def _function(self, value: types.FunctionType) -> Collection:
        self._functions.append((value, value.__code__, value.__defaults__, value.__kwdefaults__))
        if value.__kwdefaults__:
            self._one(value.__kwdefaults__)
        if vars(value):
            self._one(vars(value))
        return (*(value.__defaults__ or ()), *(value.__kwdefaults__ or {}).values(), *vars(value).values())

    def _class(self, value: type) -> Collection:
        if not value.__flags__ & _HEAP or is_unchanging(value.__module__):
            return ()
        self._tables.append((vars(value), None, list(vars(value).values())))
        parts = (part for name, part in vars(value).items() if not name.startswith("__"))
        return (*parts, *value.__bases__, type(value))

    def _partial(self, value: functools.partial) -> Collection:
        self._one(value.keywords)
        return (value.func, *value.args, *value.keywords.values())

    def _nothing(self, value: Any) -> Collection:
        return ()

    def _object(self, value: Any) -> Collection:
        """Remember an object by its attributes."""
        kind = type(value)
        library = kind.__module__.partition(".")[0]
        if library in DATA_LIBRARIES:
            return self._note_table(self, library, value)
        if library == "autoopt":
            return ()
        if hasattr(kind, "__next__") and library in sys.stdlib_module_names:
            self.complete = False
            return ()
        held = [*self.followed(value), *(_slot(slot, value) for slot in _slots(kind))]
        attributes = attribute(value, "__dict__")
        if type(attributes) is dict:
            held += self._one(attributes)
        elif not (isinstance(value, _HOLDING) or any("__slots__" in vars(base) for base in kind.__mro__)):
            self.complete = self.complete and library in _FIXED
        return [*held, kind]

    def add(self, same: Same) -> None:
        """Remember something else, by what says whether it is as it was."""
        self._others.append(same)

    def state(self, names: set[str]) -> None:
        """Remember what decides in the state of the process, by the `names` that an objective's code reads it by."""
        if not names.isdisjoint(ENVIRONMENT):
            self.note(os.environ, below=True)
        for readers, read in self.states.items():
            if not names.isdisjoint(readers):
                self.add(is_read(read))
        described = [part for part in self._seen.values() if isinstance(part, types.FunctionType | type)]
        for name in names.intersection(DESCRIPTIONS):
            for part in described:
                self.add(is_read(functools.partial(description, part, name)))

    def followed(self, value: Any) -> list:
        """Remember of an object what looks at its attributes do not show; return what it holds as a container."""
        self._seen[id(value)] = value
        for slot in _slots(type(value)):
            self._others.append(functools.partial(_is_in_slot, slot, value, _slot(slot, value)))
        attributes = attribute(value, "__dict__")
        if type(attributes) is dict:
            self._holders.append((value, attributes, type(value)))
        if isinstance(value, _HOLDING):
            return list(self._container(value))
        return []

    def refilled(self) -> list[tuple[Any, str, Any]]:
        """Return the objects whose slots hold something else than when they were noted, with that."""
        slots = (same.args for same in self._others if isinstance(same, functools.partial) and same.func is _is_in_slot)
        now = ((owner, slot.__name__, before, _slot(slot, owner)) for slot, owner, before in slots)
        return [(owner, name, value) for owner, name, before, value in now if value is not before]

    def keys(self, names: dict) -> None:
        """Remember which names there are in a dictionary."""
        self._items.append((names, list(names)))

    def watch(self, names: tuple, cells: tuple, changed: Callable[[Any], bool]) -> Watch:
        """Return the notes that are still true, and are not of containers that the run `changed`."""
        noted: dict[str, list[tuple]] = {
            "functions": self._functions,
            "holders": self._holders,
            "tables": self._tables,
            "items": self._items,
            "others": [(same,) for same in self._others],
        }
        unchanged = {
            part: [entry for entry in entries if not changed(entry[0])] if part in ("tables", "items") else entries
            for part, entries in noted.items()
        }
        kept: dict[str, Any] = {part: still_true(part, entries) for part, entries in unchanged.items()}
        arrays = tuple((array, held) for array, held in self._arrays if held is None or is_kept(array, held))
        steady = all(len(kept[part]) == len(entries) for part, entries in noted.items())
        return Watch(names, cells, **kept, arrays=arrays, complete=self.complete, steady=steady)


def _is_in_memory(value: Any, before: bytes) -> bool:
    try:
        return memoryview(value).tobytes() == before
    except ValueError:
        return False


def _slots(kind: type) -> list:
    """Return the slots that classes of Python's have declared; those of C's are what the object itself is."""
    bases = (base for base in kind.__mro__ if "__slots__" in vars(base))
    return [part for base in bases for part in vars(base).values() if type(part) is _SLOT]


def _slot(slot: Any, value: Any) -> Any:
    try:
        return slot.__get__(value)
    except AttributeError:
        return ABSENT


def _is_in_slot(slot: Any, owner: Any, before: Any) -> bool:
    return _slot(slot, owner) is before


_CONTAINERS = frozenset(
    (dict, collections.OrderedDict, collections.defaultdict, collections.Counter, list, collections.deque)
    + (tuple, set, frozenset)
)
_HOLDING = (dict, list, set, collections.deque)
_PLAIN = frozenset((float, int, bool, str, bytes, complex, type(None), type(Ellipsis), type(NotImplemented), range))
_SLOT = types.MemberDescriptorType
_HEAP = 1 << 9
_FIXED = frozenset(
    ("builtins", "datetime", "decimal", "fractions", "re", "uuid", "numpy", "zoneinfo", "pathlib")
    + ("operator", "sys", "_struct", "inspect")
)
"""Modules whose objects without attributes do not change."""

_VIEWS = tuple(type(part) for part in ({}.keys(), {}.values(), {}.items()))
_simple, _pointer = ctypes.c_double.__mro__[1], ctypes.POINTER(ctypes.c_double).__mro__[1]
_INERT = (type(threading.Lock()), type(threading.RLock()), threading.Thread, logging.Logger, logging.Handler)
"""What decides nothing in an objective."""

_ROWS: tuple[tuple[Any, Callable[[Notes, Any], Collection]], ...] = (
    (np.ndarray, Notes._array),
    (type, Notes._class),
    (types.FunctionType, Notes._function),
    (types.MethodType, lambda notes, value: (value.__func__, value.__self__)),
    (functools.partial, Notes._partial),
    (types.MappingProxyType, Notes._table),
    (np.void, Notes._memory),
    ((types.BuiltinFunctionType, types.MethodWrapperType), Notes._builtin),
    ((types.ModuleType, np.generic, np.ufunc, BaseException, *_INERT), Notes._nothing),
    (_VIEWS, lambda notes, value: notes._table(value.mapping)),
    ((_simple, ctypes.Array, ctypes.Structure, ctypes.Union), Notes._memory),
    (_pointer, Notes._pointer),
    ((memoryview, mmap.mmap), Notes._memory),
    (contextvars.ContextVar, Notes._variable),
    (weakref.ReferenceType, Notes._reference),
    ((io.StringIO, io.BytesIO), Notes._text),
    (io.IOBase, Notes._stream),
    ((property, functools.cached_property), lambda notes, value: (getattr(value, "fget", None),)),
    ((staticmethod, classmethod), lambda notes, value: (value.__func__,)),
    ((bytearray, array.array), Notes._buffer),
)
