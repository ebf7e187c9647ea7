"""Containers of the standard library inside a trace: copies in which functions and objects are substituted."""

from __future__ import annotations

import collections
import copy
import types
from collections.abc import Callable
from typing import Any

import numpy as np

from autoopt.tracing.outside.watching import default_factory

_MAPPINGS = (dict, collections.OrderedDict, collections.defaultdict, collections.Counter)
_SEQUENCES = (list, collections.deque)
_WRAPPERS = (collections.ChainMap, collections.UserDict, collections.UserList)


def is_container(value: Any) -> bool:
    """Whether `value` is a container that a trace looks into."""
    kind = type(value)
    if kind is np.ndarray:
        return value.dtype == object
    kinds = (*_MAPPINGS, *_SEQUENCES, *_WRAPPERS, tuple, set, frozenset, types.MappingProxyType, types.SimpleNamespace)
    return kind in kinds or is_namedtuple(kind)


def is_namedtuple(kind: type) -> bool:
    """Whether `kind` is a class made by namedtuple or NamedTuple."""
    return issubclass(kind, tuple) and hasattr(kind, "_fields")


def substituted(value: Any, substitute: Callable[[Any, str], Any]) -> Any:
    """Return a container with `substitute(part, name)` for its parts; itself if that changes nothing."""
    named = _named(value)
    parts = {name: substitute(part, str(name)) for name, part in named.items()}
    kind = substitute(type(value), "") if is_namedtuple(type(value)) else type(value)
    default = default_factory(value)
    unchanged = kind is type(value) and substitute(default, "") is default
    if unchanged and all(parts[name] is part for name, part in named.items()):
        return value
    if kind is types.MappingProxyType:
        return kind(parts)
    if kind is types.SimpleNamespace:
        return kind(**parts)
    if kind in (set, frozenset, tuple):
        return kind(parts.values())
    if is_namedtuple(kind):
        return kind._make(parts.values())
    new = copy.copy(value)
    if isinstance(value, _WRAPPERS):
        vars(new).update(parts)
        return new
    if default is not None:
        new.default_factory = substitute(default, "")
    for key, part in parts.items():
        new[key] = part
    return new


class Copies:
    """The copies of lists, dictionaries, sets and deques that a run sees, and may change."""

    def __init__(self) -> None:
        self._made: dict[int, tuple[Any, Any, list]] = {}
        self._open: set[int] = set()

    def of(self, value: Any, substitute: Callable[[Any, str], Any]) -> Any:
        """Return the copy of a container with its parts substituted; itself if nothing changes or it holds itself."""
        if id(value) in self._made:
            return self._made[id(value)][1]
        if id(value) in self._open:
            return value
        self._open.add(id(value))
        copied = substituted(value, substitute)
        self._open.remove(id(value))
        if copied is not value and isinstance(value, dict | list | set | collections.deque):
            self._made[id(value)] = value, copied, _items(copied)
        return copied

    def give_back(self, users: Callable[[Any], Any]) -> None:
        """Repeat on the containers what the run did to their copies; `users(part)` is the user's own for a part."""
        for value, copied, before in self._made.values():
            after = _items(copied)
            if len(after) == len(before) and all(new is old for new, old in zip(after, before, strict=True)):
                continue
            if isinstance(value, dict):
                value.clear()
                value.update({key: users(part) for key, part in copied.items()})
            else:
                value.clear()
                (value.update if isinstance(value, set) else value.extend)([users(part) for part in copied])


def _items(value: Any) -> list:
    """Return keys and parts of a container."""
    return [*value, *value.values()] if isinstance(value, dict) else list(value)


def _named(value: Any) -> dict[Any, Any]:
    """Return the parts of a container by key or position."""
    if isinstance(value, dict | types.MappingProxyType):
        return dict(value)
    if isinstance(value, (types.SimpleNamespace, *_WRAPPERS)):
        return dict(vars(value))
    if isinstance(value, np.ndarray):
        return dict(np.ndenumerate(value))
    return dict(enumerate(value))
