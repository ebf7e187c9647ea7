"""Whether what a run read outside of the objective still is what it was: names, code, containers, arrays.

A run notes the things that it came across (`Notes.note`). What it could follow, such as a list whose items are
substituted, is noted one thing at a time; what it could not look into, such as an object without methods, is noted with
all that is below. A note that the run itself made untrue (a counter, a memo) is dropped: it decides nothing.
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
from dataclasses import dataclass, replace
from types import CellType
from typing import Any

import numpy as np

from autoopt.origin import is_unchanging
from autoopt.tracing.outside.files import FileState

ABSENT = object()
"""Stands for what a name means that is not there."""

BUDGET = 2**16
"""So many bytes of arrays are compared with what they were at each evaluation of an `Objective`: that takes 2 us."""

_MOST = 1000
"""So many things are looked at below one that cannot be followed."""

Same = Callable[[], bool]


def attribute(value: Any, name: str, default: Any = None) -> Any:
    """Return an attribute of an object past its own `__getattr__`, which may raise anything: a KeyError, say."""
    try:
        return object.__getattribute__(value, name)
    except AttributeError:
        return default if hasattr(type(value), "__getattr__") else getattr(value, name, default)


def contents(cell: CellType) -> Any:
    """Return what an outer variable stands for, ABSENT if it is not bound yet."""
    try:
        return cell.cell_contents
    except ValueError:
        return ABSENT


@dataclass(frozen=True)
class Watch:
    """What a run read outside, with what it was: other values there mean another objective.

    Attributes
    ----------
    names : tuple of (dict, name, value)
    cells : tuple of (cell, value)
    functions : tuple of (function, code, defaults, keyword defaults)
    holders : tuple of (object, attributes, class)
        Objects, with the dictionary of their attributes.
    tables : tuple of (dictionary, keys, values)
        Without keys for classes.
    items : tuple of (container, items)
    others : tuple of (callable,)
        That say whether something else is as it was.
    arrays : tuple of (ndarray, bytes or None)
        Those that were met below attributes and in containers, and have become part of the code; what is in small ones.
    complete : bool
        False if something was read whose change cannot be noticed.
    steady : bool
        False if the run changed something of what it read.
    """

    names: tuple[tuple[dict, Any, Any], ...] = ()
    cells: tuple[tuple[CellType, Any], ...] = ()
    functions: tuple[tuple[Any, Any, Any, Any], ...] = ()
    holders: tuple[tuple[Any, dict, type], ...] = ()
    tables: tuple[tuple[Any, list | None, list], ...] = ()
    items: tuple[tuple[Any, list], ...] = ()
    others: tuple[tuple[Same], ...] = ()
    arrays: tuple[tuple[np.ndarray, bytearray | None], ...] = ()
    complete: bool = True
    steady: bool = True

    @functools.cached_property
    def holds(self) -> Callable[[], bool]:
        """Says whether everything is as it was, but for what is in arrays; one expression, as it is asked often."""
        parts = [(_UNCHANGED[part], entry) for part in _UNCHANGED for entry in getattr(self, part)]
        if len(parts) > _LONGEST:
            return lambda: all(_test(text)(*entry) for text, entry in parts)
        values = [value for _, entry in parts for value in entry]
        names = iter(range(len(values)))
        terms = [text.format(*(f"v{next(names)}" for _ in entry)) for text, entry in parts]
        arguments = ", ".join(f"v{k}" for k in range(len(values)))
        return eval(f"lambda {arguments}: lambda: {' and '.join(terms) or True}", _MEANINGS)(*values)

    def __bool__(self) -> bool:
        return not self.complete or any(getattr(self, part) for part in _UNCHANGED)


def _same_items(place: Collection, before: list) -> bool:
    return len(place) == len(before) and not any(map(operator.is_not, place, before))


_UNCHANGED = {
    "names": "{0}.get({1}, ABSENT) is {2}",
    "cells": "contents({0}) is {1}",
    "functions": "{0}.__code__ is {1} and {0}.__defaults__ is {2} and {0}.__kwdefaults__ is {3}",
    "holders": "{0}.__dict__ is {1} and type({0}) is {2}",
    "tables": "_same_items({0}.values(), {2}) and ({1} is None or list({0}) == {1})",
    "items": "_same_items({0}, {1})",
    "others": "{0}()",
}
"""Python's text of what holds as long as an entry of a `Watch` is as it was."""

_MEANINGS = {"ABSENT": ABSENT, "contents": contents, "_same_items": _same_items}
_LONGEST = 100
"""So many entries are looked at in one expression: compiling it takes 10 us an entry."""


@functools.cache
def _test(text: str) -> Callable[..., bool]:
    """Return the function of an entry that says whether it is as it was."""
    return eval(f"lambda *v: {text.format(*(f'v[{k}]' for k in range(4)))}", _MEANINGS)


def kept_bytes(value: np.ndarray) -> bytearray:
    """Return what is in an array, to be compared with what will be in it (`is_kept`)."""
    return bytearray(_bytes(value))


def is_fixed(value: np.ndarray) -> bool:
    """Whether nobody can write into an array: it is read-only, and so is what it is a view of."""
    while isinstance(value, np.ndarray):
        if value.flags.writeable:
            return False
        value = value.base
    return value is None


def is_kept(value: np.ndarray, kept: bytearray) -> bool:
    """Whether an array holds the bytes that it held: a look at its memory, 10 to 30 GB a second."""
    plain = value.flags.c_contiguous and value.dtype.kind in "fiub"
    return bytearray.__eq__(kept, value if plain else _bytes(value))


def _bytes(value: np.ndarray) -> Any:
    """Return the memory of an array in one piece; some types, such as dates, do not give theirs away."""
    return np.ascontiguousarray(value).reshape(-1).view(np.uint8)


class Notes:
    """The things that one run came across outside."""

    def __init__(self) -> None:
        self.complete = True
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
        place = id(now)  # which is not kept alive
        self._others.append(lambda: id(weakref.ref.__call__(value)) == place)
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
        """Remember an object by its attributes, and a table by its columns."""
        kind = type(value)
        library = kind.__module__.partition(".")[0]
        if kind.__name__ == "DictWrapper" and library == "pandas":  # pd.options
            self._others.append(functools.partial(_is_read, _pandas_options, _pandas_options()))
            return ()
        if library in _TABLES:
            self._others.append(_TABLES[library](value))
            return self._beside(value) if library == "pandas" else ()
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

    def _beside(self, table: Any) -> Collection:
        """Remember what a pandas object holds besides its columns: its name, and what the user has put there."""
        attributes = attribute(table, "__dict__", {})
        before = {name: part for name, part in attributes.items() if name not in _OF_TABLES}
        self._others.append(lambda: all(attributes.get(name, ABSENT) is part for name, part in before.items()))
        for part in before.values():
            self.note(part, below=True)
        return ()

    def state(self, names: set[str]) -> None:
        """Remember what decides in the state of the process, by the `names` that an objective's code reads it by."""
        if not names.isdisjoint(_ENVIRONMENT):
            self.note(os.environ, below=True)
        for row, read in _STATES.items():
            if not names.isdisjoint(row):
                self._others.append(functools.partial(_is_read, read, read()))
        described = [part for part in self._seen.values() if isinstance(part, types.FunctionType | type)]
        for name in names.intersection(_DESCRIPTIONS):
            for part in described:
                read = functools.partial(_description, part, name)
                self._others.append(functools.partial(_is_read, read, read()))

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
        slots = (same.args for same in self._others if getattr(same, "func", None) is _is_in_slot)
        now = ((owner, slot.__name__, before, _slot(slot, owner)) for slot, owner, before in slots)
        return [(owner, name, value) for owner, name, before, value in now if value is not before]

    def keys(self, place: dict) -> None:
        """Remember which names there are in a dictionary."""
        self._items.append((place, list(place)))

    def watch(self, names: tuple, cells: tuple, changed: Callable[[Any], bool]) -> Watch:
        """Return the notes that are still true, and are not of containers that the run `changed`."""
        watch = Watch(
            names,
            cells,
            tuple(self._functions),
            tuple(self._holders),
            tuple(entry for entry in self._tables if not changed(entry[0])),
            tuple(entry for entry in self._items if not changed(entry[0])),
            tuple((same,) for same in self._others),
            tuple((array, kept) for array, kept in self._arrays if kept is None or is_kept(array, kept)),
            self.complete,
        )
        tests = {part: _test(_UNCHANGED[part]) for part in _NOTED}
        kept = {part: tuple(e for e in getattr(watch, part) if test(*e)) for part, test in tests.items()}
        noted = (self._functions, self._holders, self._tables, self._items, self._others)
        steady = all(len(kept[part]) == len(entries) for part, entries in zip(_NOTED, noted, strict=True))
        return replace(watch, **kept, steady=steady)


def _is_in_memory(value: Any, before: bytes) -> bool:
    try:
        return memoryview(value).tobytes() == before
    except ValueError:
        return False


def is_unique(item: Any) -> bool:
    """Whether what equals this is the same: 2.0 equals 2 and True equals 1.0, which count differently."""
    kind = type(item)
    return kind is str or (kind is float and not item.is_integer() and item == item)


def equals(value: list, own: list) -> bool:
    """Whether a list equals one of which each item is unique (`is_unique`)."""
    try:
        return value == own
    except ValueError:  # an array has been put into it
        return False


def default_factory(value: Any) -> Any:
    """Return what makes the items that a dictionary does not have, None if nothing does."""
    return value.default_factory if isinstance(value, collections.defaultdict) else None


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


def _of_pandas(table: Any) -> Same:
    """Return whether a pandas object has the columns that it had, with what was in them."""
    manager = getattr(table, "_mgr", None)
    if manager is None or not hasattr(manager, "blocks"):
        kept = table.copy() if hasattr(table, "copy") else table
        return lambda: table is kept or bool(table.equals(kept))
    blocks = [(block.values, _copy(block.values)) for block in manager.blocks]
    axes = tuple(manager.axes)

    def same() -> bool:
        now = table._mgr
        if len(now.blocks) != len(blocks) or any(map(operator.is_not, now.axes, axes)):
            return False
        return all(
            block.values is values and _is_copy(values, copied)
            for block, (values, copied) in zip(now.blocks, blocks, strict=True)
        )

    return same


def _copy(values: Any) -> Any:
    if not isinstance(values, np.ndarray):
        return values.copy()
    return list(values.flat) if values.dtype.hasobject else kept_bytes(values)


def _is_copy(values: Any, copied: Any) -> bool:
    if isinstance(copied, list):
        return not any(map(operator.is_not, values.flat, copied))
    return is_kept(values, copied) if isinstance(copied, bytearray) else bool(values.equals(copied))


def _of_polars(table: Any) -> Same:
    """Return whether a polars object has the columns that it had, with what was in them."""
    if not hasattr(type(table), "equals") or not hasattr(type(table), "clone"):
        return lambda: True  # expressions, and pl.col, whose every attribute is a column
    kept = table.clone()
    return lambda: bool(table.equals(kept))


_NOTED = ("functions", "holders", "tables", "items", "others")
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

_OF_TABLES = frozenset(("_mgr", "_item_cache", "_cacher", "_is_copy"))
_VIEWS = tuple(type(part) for part in ({}.keys(), {}.values(), {}.items()))
_simple, _pointer = ctypes.c_double.__mro__[1], ctypes.POINTER(ctypes.c_double).__mro__[1]
_STATES: dict[tuple[str, ...], Callable[[], Any]] = {
    ("getcwd", "cwd", "abspath", "resolve", "absolute"): os.getcwd,
    ("get_printoptions", "printoptions", "array2string", "array_str", "array_repr"): lambda: {
        name: part for name, part in np.get_printoptions().items() if not callable(part)
    },
    ("getrecursionlimit",): sys.getrecursionlimit,
    ("Decimal", "getcontext", "localcontext"): lambda: _decimal_context(),
    ("get_option", "option_context"): lambda: _pandas_options(),
    ("getlocale", "localeconv", "locale"): lambda: sys.modules["locale"].localeconv() if "locale" in sys.modules else 0,
}
"""What is read by functions, by their names: the folder, how numbers are shown and rounded, Python's limits."""

_ENVIRONMENT = frozenset(("environ", "environb", "getenv", "getenvb", "expandvars", "expanduser"))
_DESCRIPTIONS = ("__name__", "__qualname__", "__doc__", "__annotations__")


def _description(value: Any, name: str) -> Any:
    part = getattr(value, name, None)
    return dict(part) if isinstance(part, dict) else part


def _is_read(read: Callable[[], Any], before: Any) -> bool:
    return read() == before


def _decimal_context() -> tuple:
    """Return how decimal numbers are rounded; what was rounded so far, which the context tells too, decides nothing."""
    context = sys.modules["decimal"].getcontext() if "decimal" in sys.modules else None
    return () if context is None else (context.prec, context.rounding, context.Emin, context.Emax, context.clamp)


def _pandas_options() -> Any:
    """Return the options of pandas as texts, if it is loaded."""
    pandas = sys.modules.get("pandas")
    if pandas is None:
        return None
    options = sys.modules["pandas._config.config"]
    return repr(getattr(options, "_global_config", None))


_INERT = (type(threading.Lock()), type(threading.RLock()), threading.Thread, logging.Logger, logging.Handler)
"""What decides nothing in an objective."""

_TABLES: dict[str, Callable[[Any], Same]] = {"pandas": _of_pandas, "polars": _of_polars}
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
