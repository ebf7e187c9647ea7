"""The user's classes and objects inside a trace: shadow classes whose methods are instrumented copies.

A shadow of class C is a subclass of C and of the shadows of C's bases, so `isinstance`, `super()` and properties work.
A shadow of an object shares the object's `__dict__`.
"""

from __future__ import annotations

import abc
import functools
import types
from collections.abc import Callable
from typing import Any

from autoopt.tracing.origin import may_be_copied


def is_users_class(kind: type) -> bool:
    """Whether `kind` is a plain Python class whose methods are the user's code."""
    if type(kind).__call__ is not type.__call__ or not kind.__flags__ & (1 << 9):  # a heap type
        return False
    functions = [part for part in map(_function_of, vars(kind).values()) if part is not None]
    if any(may_be_copied(part.__code__) for part in functions):
        return True
    return any(is_users_class(base) for base in kind.__bases__ if base is not object)


def _function_of(part: Any) -> types.FunctionType | None:
    """Return the function behind a class attribute."""
    part = getattr(part, "__func__", None) or getattr(part, "fget", None) or getattr(part, "func", None) or part
    return part if isinstance(part, types.FunctionType) else None


_KEPT = frozenset(("__dict__", "__weakref__", "__module__", "__qualname__", "__doc__", "__slots__", "__getattribute__"))


class Shadows:
    """The shadow classes and objects of one trace."""

    def __init__(self, copy: Callable, substitute: Callable) -> None:
        self.copy = copy
        self.substitute = substitute
        self.classes: dict[type, type] = {}
        self.users: dict[type, type] = {}
        self.objects: dict[int, tuple[Any, Any]] = {}

    def shadow_class(self, kind: type) -> type:
        """Return the class like `kind` with instrumented methods."""
        if kind in self.classes:
            return self.classes[kind]
        if kind in self.users:
            return kind
        shadow = self.classes[kind] = self._empty(kind)
        self.users[shadow] = kind
        inherited = [base for base in shadow.__mro__[1:] if base in self.users]
        for name, part in vars(kind).items():
            instrumented = self._attribute(part)
            if instrumented is not None:
                setattr(shadow, name, instrumented)
            elif name not in _KEPT and any(name in vars(base) for base in inherited):
                setattr(shadow, name, part)  # or the shadow of the base would hide it
        return abc.update_abstractmethods(shadow)

    def _empty(self, kind: type) -> type:
        """Return a subclass of `kind` and of its bases' shadows, still without methods of its own."""
        bases = tuple(self.shadow_class(base) for base in kind.__bases__ if base is not object and is_users_class(base))
        body = {"__module__": kind.__module__, "__qualname__": kind.__qualname__, "__doc__": kind.__doc__}
        if kind.__dictoffset__ == 0:
            body["__slots__"] = ()
        options = {"metaclass": type(kind)}
        made = types.new_class(kind.__name__, (*bases, kind), options, lambda space: space.update(body))
        made.__getattribute__ = _reading(self.substitute)
        return made

    def _attribute(self, part: Any) -> Any:
        """Return the instrumented form of a class attribute, None if it needs none."""
        if isinstance(part, types.FunctionType):
            return self.copy(part) if may_be_copied(part.__code__) else None
        if isinstance(part, staticmethod | classmethod):
            inner = self._attribute(part.__func__)
            return inner and type(part)(inner)
        if isinstance(part, property):
            accessors = (part.fget, part.fset, part.fdel)
            return property(*((function and self._attribute(function)) or function for function in accessors))
        if isinstance(part, functools.cached_property):
            inner = self._attribute(part.func)
            return inner and property(inner)
        return None

    def shadow_object(self, value: Any) -> Any:
        """Return the shadow of `value`, or `value` itself if its state cannot be shared."""
        known = self.objects.get(id(value))
        if known is not None:
            return known[1]
        kind = type(value)
        if not hasattr(value, "__dict__") or isinstance(value, tuple | list | dict | BaseException):
            return value
        if kind in self.users:
            return value
        shadow = object.__new__(self.shadow_class(kind))
        object.__setattr__(shadow, "__dict__", value.__dict__)
        self.objects[id(value)] = (value, shadow)
        return shadow

    def is_shadow(self, value: Any) -> bool:
        """Whether `value` is an object of a shadow class."""
        return type(value) in self.users

    def original(self, value: Any) -> Any:
        """Return the object that a shadow stands in for; one made in the run becomes an object of the user's class."""
        for original, shadow in self.objects.values():
            if shadow is value:
                return original
        object.__setattr__(value, "__class__", self.users[type(value)])
        return value


_PLAIN = frozenset((float, int, bool, str, type(None), types.MethodType, types.BuiltinMethodType))


def _reading(substitute: Callable) -> Callable:
    """Return a `__getattribute__` that substitutes the objects, functions and containers of them that it finds."""

    def read(self, name):
        value = object.__getattribute__(self, name)
        if type(value) in _PLAIN or name.startswith("__"):
            return value
        return substitute(value, name, attribute=True)

    return read
