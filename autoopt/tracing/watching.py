"""Whether what a run read outside of the objective still is what it was: names, code, containers, arrays.

A run notes the things that it came across (`Notes.note`). What it could follow, such as a list whose items are
substituted, is noted one thing at a time; what it could not look into, such as an object without methods, is noted with
all that is below. A note that the run itself made untrue (a counter, a memo) is dropped: it decides nothing.
"""

from __future__ import annotations

import array
import collections
import contextvars
import functools
import operator
import sys
import types
import weakref
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from types import CellType
from typing import Any

import numpy as np

ABSENT = object()
"""Stands for what a name means that is not there."""

BUDGET = 2**16
"""So many bytes of arrays are compared with what they were at each evaluation of an `Objective`: that takes 2 us."""

_MOST = 1000
"""So many things are looked at below one that cannot be followed."""

Same = Callable[[], bool]


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
    others : tuple of callables
        That say whether something else is as it was.
    arrays : tuple of (ndarray, bytes or None)
        Those that were met below attributes and in containers, and have become part of the code; what is in small ones.
    complete : bool
        False if something was read whose change cannot be noticed.
    """

    names: tuple[tuple[dict, Any, Any], ...] = ()
    cells: tuple[tuple[CellType, Any], ...] = ()
    functions: tuple[tuple[Any, Any, Any, Any], ...] = ()
    holders: tuple[tuple[Any, dict, type], ...] = ()
    tables: tuple[tuple[Any, list | None, list], ...] = ()
    items: tuple[tuple[Any, list], ...] = ()
    others: tuple[Same, ...] = ()
    arrays: tuple[tuple[np.ndarray, bytearray | None], ...] = ()
    complete: bool = True

    def holds(self) -> bool:
        """Whether everything is as it was, but for what is in arrays."""
        for place, name, value in self.names:
            if place.get(name, ABSENT) is not value:
                return False
        for cell, value in self.cells:
            if contents(cell) is not value:
                return False
        for function, code, defaults, options in self.functions:
            if function.__code__ is not code or function.__defaults__ is not defaults:
                return False
            if function.__kwdefaults__ is not options:
                return False
        for owner, attributes, kind in self.holders:
            if owner.__dict__ is not attributes or type(owner) is not kind:
                return False
        for place, keys, values in self.tables:
            if len(place) != len(values) or any(map(operator.is_not, place.values(), values)):
                return False
            if keys is not None and list(place) != keys:
                return False
        for place, before in self.items:
            if len(place) != len(before) or any(map(operator.is_not, place, before)):
                return False
        return not self.others or all(same() for same in self.others)

    def __bool__(self) -> bool:
        parts = self.names, self.cells, self.functions, self.holders, self.tables, self.items, self.others
        return any(parts)


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
        self._tables.append((value, keys, values))
        return [*values, getattr(value, "default_factory", None)]

    def _array(self, value: np.ndarray) -> Collection:
        if value.dtype.hasobject:
            parts = list(value.flat)
            self._others.append(lambda: not any(map(operator.is_not, value.flat, parts)))
            return parts
        if not is_fixed(value):
            self._arrays.append((value, kept_bytes(value) if value.nbytes <= BUDGET else None))
        return ()

    def _buffer(self, value: Any) -> Collection:
        self._others.append(functools.partial(bytearray.__eq__, bytearray(value), value))
        return ()

    def _function(self, value: types.FunctionType) -> Collection:
        self._functions.append((value, value.__code__, value.__defaults__, value.__kwdefaults__))
        if value.__kwdefaults__:
            self._one(value.__kwdefaults__)
        if vars(value):
            self._one(vars(value))
        return (*(value.__defaults__ or ()), *(value.__kwdefaults__ or {}).values(), *vars(value).values())

    def _class(self, value: type) -> Collection:
        if not value.__flags__ & _HEAP or is_librarys(value.__module__):
            return ()
        self._tables.append((vars(value), None, list(vars(value).values())))
        parts = (part for name, part in vars(value).items() if not name.startswith("__"))
        return (*parts, *value.__bases__, type(value))

    def _partial(self, value: functools.partial) -> Collection:
        self._one(value.keywords)
        return (value.func, *value.args, *value.keywords.values())

    def _variable(self, value: contextvars.ContextVar) -> Collection:
        now = value.get(ABSENT)
        self._others.append(lambda: value.get(ABSENT) is now)
        return (now,)

    def _reference(self, value: weakref.ReferenceType) -> Collection:
        now = value()
        place = id(now)
        self._others.append(lambda: id(value()) == place)
        return (now,)

    def _nothing(self, value: Any) -> Collection:
        return ()

    def _object(self, value: Any) -> Collection:
        """Remember an object by its attributes, and a table by its columns."""
        kind = type(value)
        library = kind.__module__.partition(".")[0]
        if library in _TABLES:
            self._others.append(_TABLES[library](value))
            return ()
        if library == "autoopt":
            return ()
        held = [*self.followed(value), *(_slot(slot, value) for slot in _slots(kind))]
        attributes = getattr(value, "__dict__", None)
        if type(attributes) is dict:
            held += self._one(attributes)
        elif not held:
            self.complete = self.complete and library in _FIXED
        return [*held, kind]

    def followed(self, value: Any) -> list:
        """Remember of an object what looks at its attributes do not show; return what it holds as a container."""
        self._seen[id(value)] = value
        for slot in _slots(type(value)):
            self._others.append(functools.partial(_is_in_slot, slot, value, _slot(slot, value)))
        attributes = getattr(value, "__dict__", None)
        if type(attributes) is dict:
            self._holders.append((value, attributes, type(value)))
        if isinstance(value, dict | list | set | collections.deque):
            return list(self._container(value))
        return []

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
            tuple(self._others),
            tuple((array, kept) for array, kept in self._arrays if kept is None or is_kept(array, kept)),
            self.complete,
        )
        parts = {part: tuple(e for e in getattr(watch, part) if Watch(**{part: (e,)}).holds()) for part in _NOTED}
        return replace(watch, **parts)


def is_librarys(module: Any) -> bool:
    """Whether a module is of a library whose classes nobody changes."""
    top = str(module).partition(".")[0]
    return top in _LIBRARIES or top in sys.stdlib_module_names


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


def _slots(kind: type) -> list:
    return [part for base in kind.__mro__ for part in vars(base).values() if type(part) is _SLOT]


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
    return kept_bytes(values) if isinstance(values, np.ndarray) else values.copy()


def _is_copy(values: Any, copied: Any) -> bool:
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
_PLAIN = frozenset((float, int, bool, str, bytes, complex, type(None), type(Ellipsis), type(NotImplemented), range))
_SLOT = types.MemberDescriptorType
_HEAP = 1 << 9
_LIBRARIES = frozenset(("numpy", "scipy", "pandas", "polars", "numba", "pytensor", "autoopt", "builtins"))
_FIXED = frozenset(("builtins", "datetime", "decimal", "fractions", "re", "uuid", "numpy", "zoneinfo", "pathlib"))
"""Modules whose objects without attributes do not change."""

_TABLES: dict[str, Callable[[Any], Same]] = {"pandas": _of_pandas, "polars": _of_polars}
_ROWS: tuple[tuple[Any, Callable[[Notes, Any], Collection]], ...] = (
    (np.ndarray, Notes._array),
    (type, Notes._class),
    (types.FunctionType, Notes._function),
    (types.MethodType, lambda notes, value: (value.__func__, value.__self__)),
    (functools.partial, Notes._partial),
    (types.MappingProxyType, Notes._table),
    ((types.ModuleType, np.generic, np.ufunc, types.BuiltinFunctionType, BaseException), Notes._nothing),
    ((property, functools.cached_property), lambda notes, value: (getattr(value, "fget", None),)),
    ((staticmethod, classmethod), lambda notes, value: (value.__func__,)),
    ((bytearray, array.array), Notes._buffer),
    (contextvars.ContextVar, Notes._variable),
    (weakref.ReferenceType, Notes._reference),
)
POINTING = (contextvars.ContextVar, weakref.ReferenceType)
"""Objects of the standard library that stand for others."""
