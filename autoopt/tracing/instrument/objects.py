"""The user's classes and objects inside a trace: shadow classes whose methods are instrumented copies.

    class Base: ...
    class Rate(Base):                       # its shadow Rate' has the bases (Base', Rate)
        def at(self, t):                    # in Rate' a copy of it
            return super().at(t) * SCALE    #   `super` is `Above`: it finds Base'.at, and never Base.at

    Rate.__mro__                            # Rate, Base, object
    Rate'.__mro__                           # Rate', Base', object, Rate, Base
                                            #   up to `object` Python looks names up; what follows is for `isinstance`
    rate'.__dict__ is rate.__dict__         # the shadow of an object: what a method writes is the object's at once

In a trace the copies of methods run alone, and `isinstance(rate', Rate)` is true as the user expects. Slots, and what a
list or dictionary of the user's own kind holds, cannot be shared: they are copied there and, after the run, back.
"""

from __future__ import annotations

import abc
import builtins
import collections
import enum
import functools
import sys
import types
from collections.abc import Callable
from typing import Any

from autoopt.origin import may_be_copied
from autoopt.tracing.instrument import held
from autoopt.tracing.instrument.remembered import is_remembering
from autoopt.tracing.outside.watching import attribute
from autoopt.tracing.standins.table import stands_in


def is_users_class(kind: type) -> bool:
    """Whether `kind` is a plain Python class whose methods are the user's code."""
    call = type(kind).__call__
    if isinstance(kind, enum.EnumMeta):
        return bool(kind.__members__) and any(map(_is_users, vars(kind).values()))
    if not kind.__flags__ & (1 << 9):  # no heap type
        return False
    if call is not type.__call__ and not (isinstance(call, types.FunctionType) and may_be_copied(call.__code__)):
        return False
    if any(_is_users(part) or is_descriptor(part) for part in vars(kind).values()):
        return True
    if "__getattr__" in vars(kind) and held.form_of(kind) is not None:  # an attribute dictionary: dict.__getitem__
        return True
    return any(is_users_class(base) for base in kind.__bases__ if base is not object)


def is_descriptor(part: Any) -> bool:
    """Whether a class attribute is an object of the user's that gives its value when it is read."""
    return hasattr(type(part), "__get__") and not isinstance(part, type) and is_users_class(type(part))


def _is_users(part: Any) -> bool:
    function = _function_of(part)
    return function is not None and may_be_copied(function.__code__)


def _function_of(part: Any) -> types.FunctionType | None:
    """Return the function behind a class attribute."""
    part = getattr(part, "__func__", None) or getattr(part, "fget", None) or getattr(part, "func", None) or part
    return part if isinstance(part, types.FunctionType) else None


_KEPT = frozenset(
    ("__dict__", "__weakref__", "__module__", "__qualname__", "__doc__", "__slots__", "__getattribute__", "_abc_impl")
)


class Shadows:
    """The shadow classes and objects of one trace.

    Attributes
    ----------
    classes, users : dict of type to type
        The shadow of each class of the user's, and the other way round.
    objects : dict of int to (object, object)
        The objects that have shadows, by identity, with them.
    held : list of Held
        What those of them hold that are lists, dictionaries, sets or deques too.
    filled : list of (object, str, object)
        The slots of the user's objects that the run gave other values, with these.
    read : dict
        `(id of the shadow, name) -> (shadow, value)` of every attribute that was read.
    """

    def __init__(self, copy: Callable, substitute: Callable) -> None:
        self.copy = copy
        self.substitute = substitute
        self.read: dict[tuple[int, str], tuple[Any, Any]] = {}
        self.classes: dict[type, type] = {}
        self.users: dict[type, type] = {}
        self._metaclasses: dict[type, type] = {}
        self._ordered = type("_Ordered", (type,), {"mro": lambda made: self._order_of_metaclass(made)})
        self._unfinished: type | None = None
        self.objects: dict[int, tuple[Any, Any]] = {}
        self.held: list[held.Held] = []
        self.filled: list[tuple[Any, str, Any]] = []

    def shadow_class(self, kind: type) -> type:
        """Return the class like `kind` with instrumented methods."""
        if kind in self.classes:
            return self.classes[kind]
        if kind in self.users:
            return kind
        if issubclass(kind, type):
            return self._metaclass(kind)
        if issubclass(kind, enum.Enum):
            return self._enumeration(kind)
        shadow = self._empty(kind)
        for name, part in vars(kind).items():
            if name not in _KEPT:
                instrumented = self._attribute(part)
                type.__setattr__(shadow, name, part if instrumented is None else instrumented)
        return abc.update_abstractmethods(shadow)

    def _empty(self, kind: type) -> type:
        """Return the shadow of `kind` before it has any methods."""
        bases = tuple(self.shadow_class(base) for base in kind.__bases__ if base is not object and is_users_class(base))
        body = {"__module__": kind.__module__, "__qualname__": kind.__qualname__, "__doc__": kind.__doc__}
        if kind.__dictoffset__ == 0:
            body["__slots__"] = ()
        metaclass = self._metaclass(type(kind))
        maker = next(
            base for base in metaclass.__mro__ if "__new__" in vars(base) and not _is_users(vars(base)["__new__"])
        )
        self._unfinished = kind
        shadow = maker.__new__(metaclass, kind.__name__, (*bases, kind), body)
        self._unfinished = None
        self.classes[kind], self.users[shadow] = shadow, kind
        type.__setattr__(shadow, "__bases__", shadow.__bases__)  # has the order of classes made again
        own = kind.__getattribute__
        read = self.copy(own) if _is_users(own) else object.__getattribute__
        type.__setattr__(shadow, "__getattribute__", _reading(self.substitute, read, self.read))
        return shadow

    def _enumeration(self, kind: type) -> type:
        """Return the class like an enumeration with instrumented methods, whose members equal those of `kind`."""
        shadow = type.__new__(type(kind), kind.__name__, (kind,), {"__module__": kind.__module__})
        self.classes[kind], self.users[shadow] = shadow, kind
        members = {}
        for name, member in kind.__members__.items():
            shadowed = members[name] = held.new_object(shadow, member)
            object.__setattr__(shadowed, "__dict__", member.__dict__)
            self.objects[id(member)] = member, shadowed
        parts = {name: self._attribute(part) for name, part in vars(kind).items() if name not in members}
        parts |= members | {"_member_map_": members, "__hash__": enum.Enum.__hash__, "__eq__": _same_member}
        parts["_value2member_map_"] = {value: members[one.name] for value, one in kind._value2member_map_.items()}
        for name, part in parts.items():
            if part is not None:
                type.__setattr__(shadow, name, part)
        return shadow

    def order(self, kind: type) -> list[type]:
        """Return the order of classes of a shadow, or of a class made in the run: the user's own come last.

        While a shadow is made nothing comes between it and `object`: its making is nothing that the user's
        `__init_subclass__` should hear of.
        """
        if self._unfinished is not None:
            return [kind, object, *(base for base in self._unfinished.__mro__ if base is not object)]
        if kind in self.users:
            users = self.users[kind].__mro__
            return [self.classes.get(base, base) for base in users] + [base for base in users if base in self.classes]
        return _inherited(kind, self.classes.__contains__)

    def _order_of_metaclass(self, metaclass: type) -> list[type]:
        """Return the same for the shadow of a metaclass, or for a metaclass made in the run."""
        kind = vars(metaclass).get(_SHADOWED)
        if kind is None:
            return _inherited(metaclass, lambda base: base in self._metaclasses and _is_users_metaclass(base))
        order: list[type] = []
        for base in kind.__mro__:
            shadow = metaclass if base is kind else self._metaclasses.get(base)
            order += [] if shadow is None else [shadow]
            order += [] if _is_users_metaclass(base) else [base]
        return order + [base for base in kind.__mro__ if _is_users_metaclass(base)]

    def _metaclass(self, kind: type) -> type:
        """Return a subclass of a metaclass, whose classes substitute the objects and classes that they hold."""
        if kind not in self._metaclasses:
            bases = tuple(self._metaclass(base) for base in kind.__bases__ if issubclass(base, type))
            shadow = self._metaclasses[kind] = self._ordered(kind.__name__, (*bases, kind), {_SHADOWED: kind})
            if kind is type:
                shadow.__getattribute__ = _reading(self.substitute, type.__getattribute__)
                shadow.mro = lambda one: self.order(one)
            for name, part in vars(kind).items():
                instrumented = self._attribute(part)
                if instrumented is not None:
                    setattr(shadow, name, instrumented)
        return self._metaclasses[kind]

    def _attribute(self, part: Any) -> Any:
        """Return the instrumented form of a class attribute, None if it needs none."""
        if isinstance(part, types.FunctionType):
            return self.copy(part) if may_be_copied(part.__code__) else None
        if isinstance(part, staticmethod | classmethod):
            inner = self._attribute(part.__func__)
            return inner and type(part)(inner)
        if isinstance(part, property):
            accessors = (part.fget, part.fset, part.fdel)
            fget, fset, fdel = ((function and self._attribute(function)) or function for function in accessors)
            return property(fget, fset, fdel)
        if isinstance(part, functools.cached_property):
            inner = self._attribute(part.func)
            made = inner and functools.cached_property(inner)
            if made:
                made.attrname = part.attrname
            return made
        if isinstance(part, functools.singledispatchmethod):
            made = functools.singledispatchmethod(self.copy(part.func))
            made.dispatcher = self.substitute(part.dispatcher)
            return made
        if is_descriptor(part):
            return self.shadow_object(part)
        return self.substitute(part) if is_remembering(part) else None

    def shadow_object(self, value: Any) -> Any:
        """Return the shadow of `value`, or `value` itself if its state cannot be shared."""
        known = self.objects.get(id(value))
        if known is not None:
            return known[1]
        kind = type(value)
        if isinstance(value, BaseException) or kind in self.users:
            return value
        if isinstance(value, enum.Enum):
            self.shadow_class(kind)
            return self.objects.get(id(value), (value, value))[1]
        shadow = held.new_object(self.shadow_class(kind), value)
        if isinstance(value, types.SimpleNamespace):
            raise TypeError("the attributes of a SimpleNamespace cannot be shared")
        attributes = attribute(value, "__dict__")
        if attributes is not None:
            object.__setattr__(shadow, "__dict__", shadow if attributes is value else attributes)
        for name in _slots(kind):
            if (filled := _slot(value, name)) is not None:
                object.__setattr__(shadow, name, filled)
        self.objects[id(value)] = (value, shadow)
        if held.form_of(kind) is not None:
            self.held.append(held.Held(value, shadow, self.substitute))
        return shadow

    def is_shadow(self, value: Any) -> bool:
        """Whether `value` is an object of a shadow class."""
        return type(value) in self.users

    def is_made(self, kind: Any) -> bool:
        """Whether `kind` is a shadow of a class or metaclass."""
        return isinstance(kind, type) and (kind in self.users or _SHADOWED in vars(kind))

    def original(self, value: Any) -> Any:
        """Return the object that a shadow stands in for; one made in the run becomes an object of the user's class."""
        for original, shadow in self.objects.values():
            if shadow is value:
                return original
        object.__setattr__(value, "__class__", self.users[type(value)])
        return value

    def give_back(self, settled: Callable) -> list[held.Held]:
        """Hand what the run put into slots, lists and dictionaries that were copied to the originals; return these."""
        for original, shadow in list(self.objects.values()):
            for name in _slots(type(original)):
                value = _slot(shadow, name)
                if value is not _slot(original, name):
                    self.filled.append((original, name, value := settled(value)))
                    object.__setattr__(original, name, value)
        return [one for one in self.held if one.give_back(settled)]


_SHADOWED = "__autoopt_shadowed__"
"""The name under which the shadow of a metaclass holds the metaclass."""


def _is_users_metaclass(kind: type) -> bool:
    return issubclass(kind, type) and any(map(_is_users, vars(kind).values()))


def _slots(kind: type) -> list[str]:
    """Return the names of the slots that `kind` and its bases have, and of what else an object may be given anew."""
    bases = [base for base in kind.__mro__ if "__slots__" in vars(base) or base is collections.defaultdict]
    members = [name for base in bases for name, part in vars(base).items() if type(part) is _SLOT]
    return [name for name in members if not name.startswith("__")]


def _slot(value: Any, name: str) -> Any:
    """Return what is in a slot, None if it is empty."""
    try:
        return object.__getattribute__(value, name)
    except AttributeError:
        return None


_SLOT = types.MemberDescriptorType
_PLAIN = frozenset((float, int, bool, str, type(None), types.MethodType, types.BuiltinMethodType))


def _same_member(one: Any, other: Any) -> bool:
    """Whether two are the same member of an enumeration, one of them or both as a shadow."""
    related = isinstance(other, enum.Enum) and (isinstance(one, type(other)) or isinstance(other, type(one)))
    return related and one.name == other.name


class Above(super):
    """`super` that sees nothing beyond `object`."""

    def __getattribute__(self, name):
        read = super().__getattribute__
        order = read("__self_class__").__mro__ if read("__self_class__") else ()
        above = order[order.index(read("__thisclass__")) + 1 : order.index(object) + 1] if order else ()
        if order and not name.startswith("__self") and not any(name in vars(base) for base in above):
            raise AttributeError(f"'super' object has no attribute {name!r}")
        return read(name)


@stands_in(builtins.super)
def _super(tracer, *args):
    if not args:
        frame = sys._getframe(1)
        args = frame.f_locals["__class__"], frame.f_locals[frame.f_code.co_varnames[0]]
    return Above(*args)


def _inherited(kind: type, is_users: Callable[[type], bool]) -> list[type]:
    """Return the order of classes that `kind` has by its bases, those that are the user's own last."""
    orders = [[base for base in above.__mro__ if not is_users(base)] for above in kind.__bases__]
    last = dict.fromkeys(base for above in kind.__bases__ for base in above.__mro__ if is_users(base))
    return [kind, *_merged([*orders, list(kind.__bases__)]), *last]


def _merged(orders: list[list[type]]) -> list[type]:
    """Return one order of classes that agrees with all of `orders` (C3, as Python's own)."""
    merged = []
    while orders := [order for order in orders if order]:
        heads = [order[0] for order in orders]
        first = next((head for head in heads if not any(head in order[1:] for order in orders)), None)
        if first is None:
            raise TypeError("Cannot create a consistent method resolution order (MRO)")
        merged.append(first)
        orders = [order[1:] if order[0] is first else order for order in orders]
    return merged


def _reading(substitute: Callable, original: Callable, seen: dict | None = None) -> Callable:
    """Return a `__getattribute__` that substitutes the objects, functions and containers of them that it finds.

    What it finds first under each name of each object is put into `seen`.
    """

    def read(self, name):
        try:
            value = original(self, name)
        except AttributeError:
            if seen is not None:
                seen.setdefault((id(self), name), (self, None))
            raise
        if name.startswith("__") and name != "__wrapped__":
            if name == "__dict__":
                substitute(value, name)  # what is in it is read unseen
            return value
        if seen is not None and (key := (id(self), name)) not in seen:
            seen[key] = self, value
        if type(value) in _PLAIN:
            return value
        return substitute(value, name, attribute=True)

    return read
