"""Whether what a run read outside of the objective still is what it was: names, code, containers, arrays.

    SCALE, data = 2.0, [1.0, 4.0]

    def f(x):                              # what a run of it read, as a `Watch`:
        return SCALE * helper(x, data)     #   names      (globals, "SCALE", 2.0), (globals, "helper", <function>), ...
                                           #   functions  (helper, its code, its defaults, ...)
                                           #   items      (data, [1.0, 4.0])

    watch.holds()                          # globals.get("SCALE", ABSENT) is 2.0 and ... and _same_items(data, [...])
    data[0] = 3.0
    watch.holds()                          # False: this is another objective, which is traced anew

A tape is used only while `holds()` is true of all that it was recorded from. Things are compared by identity, what is
in arrays by its bytes. It is asked at each evaluation, so that it is one generated expression and no walk over entries.
What a run comes across is noted in `notes.py`.
"""

from __future__ import annotations

import collections
import functools
import operator
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from types import CellType
from typing import Any

import numpy as np

ABSENT = object()
"""Stands for what a name means that is not there."""

BUDGET = 2**16
"""How many bytes of arrays are compared with what they were at each evaluation of an `Objective`: that takes 2 us."""

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
        return _expression(f"lambda {arguments}: lambda: {' and '.join(terms) or True}")(*values)

    def __bool__(self) -> bool:
        return not self.complete or any(getattr(self, part) for part in _UNCHANGED)


def _same_items(items: Collection, before: list) -> bool:
    return len(items) == len(before) and not any(map(operator.is_not, items, before))


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
"""How many entries are looked at in one expression at most: compiling it takes 10 us an entry."""


@functools.lru_cache(256)
def _expression(text: str) -> Callable[..., Same]:
    """Return what makes the expression of a watch; many watches are of one form."""
    return eval(text, _MEANINGS)


@functools.cache
def _test(text: str) -> Callable[..., bool]:
    """Return the function of an entry that says whether it is as it was."""
    return eval(f"lambda *v: {text.format(*(f'v[{k}]' for k in range(4)))}", _MEANINGS)


def still_true(part: str, entries: Iterable[tuple]) -> tuple[tuple, ...]:
    """Return those of the entries of one part of a `Watch`, by its name, that are as they were."""
    test = _test(_UNCHANGED[part])
    return tuple(entry for entry in entries if test(*entry))


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


def are_kept(arrays: Iterable[tuple[np.ndarray, bytearray]]) -> bool:
    """Whether all arrays hold the bytes that they held; a loop of its own, as it is asked at each evaluation."""
    for array, kept in arrays:  # noqa: SIM110
        if not is_kept(array, kept):
            return False
    return True


def _bytes(value: np.ndarray) -> Any:
    """Return the memory of an array in one piece; some types, such as dates, do not give theirs away."""
    return np.ascontiguousarray(value).reshape(-1).view(np.uint8)


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
