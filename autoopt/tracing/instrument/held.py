"""What objects of the user's own kinds hold as a list, a dictionary or a number: read and written behind their methods.

    class Terms(OrderedDict):
        def __setitem__(self, key, value): ...      # the user's, which filling a shadow must not run
        def total(self): return sum(self.values())

A shadow of such an object is made by the builtin kind itself, and holds substitutes of the parts; what a run changes in
it is done to the original afterwards.
"""

from __future__ import annotations

import collections
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Form:
    """How what a builtin kind holds is read and written: `parts(value)` and `fill(value, parts)`."""

    parts: Callable[[Any], list]
    fill: Callable[[Any, list], None]


def _mapping(kind: Any) -> Form:
    def fill(value: Any, parts: list) -> None:
        kind.clear(value)
        for key, part in parts:
            kind.__setitem__(value, key, part)

    return Form(lambda value: list(kind.items(value)), fill)


def _collection(kind: Any, extend: Callable) -> Form:
    def fill(value: Any, parts: list) -> None:
        kind.clear(value)
        extend(value, parts)

    return Form(lambda value: list(kind.__iter__(value)), fill)


FORMS: dict[type, Form] = {
    collections.OrderedDict: _mapping(collections.OrderedDict),  # before `dict`, which does not know its order
    dict: _mapping(dict),
    list: _collection(list, list.extend),
    set: _collection(set, set.update),
    collections.deque: _collection(collections.deque, collections.deque.extend),
    bytearray: _collection(bytearray, bytearray.extend),
}


def form_of(kind: type) -> Form | None:
    """Return the form of what objects of a class hold, None if it is nothing that can be changed."""
    return next((form for base, form in FORMS.items() if issubclass(kind, base)), None)


def new_object(kind: type, value: Any) -> Any:
    """Return a new object of the class `kind` with what `value`, of a base of it, cannot change once it is made.

    Raises
    ------
    TypeError
        If a class written in C keeps something that only its own code knows.
    """
    maker = next(base for base in kind.__mro__ if type(_own(base).get("__new__")) is _BUILTIN)
    if maker is collections.deque:
        one = maker.__new__(kind)
        maker.__init__(one, (), maker.maxlen.__get__(value))  # type: ignore[misc]
        return one
    if maker is object or maker in FORMS:
        return maker.__new__(kind)
    if maker is frozenset:
        return frozenset.__new__(kind, frozenset.__iter__(value))
    if "__getnewargs__" in _own(maker):
        return maker.__new__(kind, *_own(maker)["__getnewargs__"](value))
    return _rebuilt(maker, kind, value)


_BUILTIN = type(object.__new__)
_own = type.__dict__["__dict__"].__get__
"""The dictionary of a class, past what its metaclass, or that of a shadow, does when it is asked for."""


def _rebuilt(maker: Any, kind: type, value: Any) -> Any:
    """Return the same as the copy that `maker` itself describes to pickle and copy: a date, a Decimal."""
    rebuild, arguments, *_ = maker.__reduce_ex__(value, 2)
    if rebuild is type(value):
        one = maker.__new__(kind, *arguments)
        maker.__init__(one, *arguments)
        return one
    if arguments and arguments[0] is type(value) and getattr(rebuild, "__module__", "") != "copyreg":
        return rebuild(kind, *arguments[1:])
    raise TypeError(f"an object of a subclass of {maker.__name__} cannot be made anew")


class Held:
    """What one object of the user's holds, with what its shadow was given for it.

    Parameters
    ----------
    original, shadow : object
        Of kinds with a form.
    substitute : callable
        Gives what the run sees in place of a part.
    """

    def __init__(self, original: Any, shadow: Any, substitute: Callable) -> None:
        self.original, self.shadow = original, shadow
        self.form = form_of(type(original))
        parts = self.form.parts(original)
        self.form.fill(shadow, parts)
        self.before = parts
        self.given = parts
        if len(parts) <= _SEARCHED and not isinstance(original, bytearray):
            if isinstance(original, dict):
                substitutes = [(key, substitute(part, str(key), attribute=True)) for key, part in parts]
            else:
                substitutes = [substitute(part, "", attribute=True) for part in parts]
            if not _same(substitutes, parts):
                self.form.fill(shadow, substitutes)
                self.given = self.form.parts(shadow)
        self.after: list | None = None

    def give_back(self, settled: Callable) -> bool:
        """Repeat on the original what the run did to the shadow; return whether that is anything."""
        parts = self.form.parts(self.shadow)
        if _same(parts, self.given):
            return False
        if isinstance(self.original, dict):
            self.after = [(key, settled(part)) for key, part in parts]
        else:
            self.after = [settled(part) for part in parts]
        self.redo()
        return True

    def undo(self) -> None:
        """Make the original what it was before the run, unless something else was put there since."""
        if _same(self.form.parts(self.original), self.after):
            self.form.fill(self.original, self.before)

    def redo(self) -> None:
        self.form.fill(self.original, self.after)


_SEARCHED = 1000
"""In objects that hold more than this, functions and objects are not substituted."""


def _flat(parts: list) -> list:
    """Return keys and values of a mapping's parts in one list."""
    return [one for part in parts for one in (part if type(part) is tuple and len(part) == 2 else (part,))]


def _same(one: list, other: list | None) -> bool:
    """Whether two lists of parts consist of the same objects."""
    if other is None:
        return False
    one, other = _flat(one), _flat(other)
    return len(one) == len(other) and all(a is b for a, b in zip(one, other, strict=True))
