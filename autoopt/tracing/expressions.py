"""Where the inputs of a tape are found by the objective's names: as Python text that gives their arrays.

    def loss(w, data):                          # `data` a dict                     data["X"]
        return np.sum(LIMIT - data["X"] @ w)    # LIMIT a global of its module      LIMIT

While the objective runs it is noted from which objects an input is, and how (`Origin`): a column of a frame is `("",
frame, '["dose"].to_numpy()')`. After the run the objects are looked for below all that the objective has names for.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import CellType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

from autoopt.origin import DATA_LIBRARIES, DATA_MODULES
from autoopt.tape.tape import Leaf, Named
from autoopt.tracing.naming import argument_texts, signature_names
from autoopt.tracing.outside.origins import COMPUTED, Origin, index_text
from autoopt.tracing.outside.watching import attribute, contents

MODULES = {"np": "numpy", "pd": "pandas", "pl": "polars"}
"""What modules are called in expressions where the objective has no name of its own for them."""

_DEEPEST = 4
_MOST_PARTS = 100


def spell(steps: list[Any], values: Mapping[int, Any], origins: Mapping[int, Origin], known: Known) -> None:
    """Give the inputs among `steps` the expressions that are known."""
    for index in values:
        step = steps[index]
        leaf = step.template
        if type(leaf) is Leaf:
            origin = origins.get(index)
            text = known.outside(values[index]) if origin is None else known.text(origin)
            if text and not leaf.expression:
                steps[index] = step._replace(template=Leaf(leaf.name, leaf.kind, text))


class Known:
    """What the objective has names for, by identity.

    Parameters
    ----------
    function : callable
        The objective.
    data : iterable of (name, value)
        Its arguments after the parameters.
    captured : mapping of (identity, name) to (place, value)
        What the run read outside.

    Attributes
    ----------
    names : dict of int to str
        What things are called: a path such as "data_X".
    expressions : dict of int to str
    """

    def __init__(self, function: Callable, data: Iterable[tuple[str, Any]], captured: Mapping) -> None:
        self.names: dict[int, str] = {}
        self.expressions: dict[int, str] = {}
        self._outside: dict[int, str] = {}
        data = list(data)
        plain, given = _bare(function)
        taken = set(signature_names(function)[0])
        for (name, value), text in zip(data, argument_texts(function, 1 + len(data))[1:], strict=True):
            self._enter(value, name, text)
        for name, value in given:
            self._enter(value, name, name)
            self._outside.setdefault(id(value), name)
            taken.add(name)
        spelled = _places(plain, captured)
        for (_, name), (place, value) in captured.items():
            text = spelled(place, name)
            text = "" if text in taken else text
            if text:
                self._outside.setdefault(id(value), text)
            if text and isinstance(place, CellType):
                self.expressions.setdefault(id(place), text)
            self._enter(value, name, text)
        if (owner := _owner(function)) is not None:
            self._enter(owner, "", "" if "self" in taken else "self")
        for name, module in MODULES.items():  # which may be imported inside the objective
            if module in sys.modules:
                self.expressions.setdefault(id(sys.modules[module]), name)

    def text(self, origin: Origin) -> str:
        """Return the text of an origin, an empty one if one of its objects has no name.

        A table without one is no data of the user's, but made of them, as the table of one group is.
        """
        parts = [part if type(part) is str else self.expressions.get(id(part), "") for part in origin]
        nameless = [part for part, text in zip(origin[1::2], parts[1::2], strict=True) if not text]
        if nameless:
            return COMPUTED if all(type(part).__module__.startswith(DATA_LIBRARIES) for part in nameless) else ""
        return "".join(parts)

    def outside(self, value: Any) -> str:
        """Return the text of what was read outside under a name, which may be an argument's value as well."""
        return self._outside.get(id(value)) or self.expressions.get(id(value), "")

    def named(self, array: np.ndarray, accept: Callable[[str], str]) -> Named | None:
        """Return the name of an array as `accept` has it, with its expression; None if there is none."""
        name = self.names.get(id(array))
        return None if name is None else Named.of(accept(name), self.expressions.get(id(array), ""))

    def _enter(self, value: Any, name: str, text: str, depth: int = _DEEPEST) -> None:
        if name:
            self.names.setdefault(id(value), name)
        if text:
            self.expressions.setdefault(id(value), text)
        if depth and not isinstance(value, np.ndarray):
            for key, spelled, part in _parts(value):
                below = f"{text}{spelled}" if text and spelled else ""
                self._enter(part, f"{name}_{key}".lstrip("_"), below, depth - 1)


def part_text(value: Any, key: Any) -> str:
    """Return what stands behind a container or object for a part of it, empty if that cannot be written."""
    if hasattr(type(value), "_fields") and type(key) is str:
        return f".{key}"
    if isinstance(value, dict | list | tuple):
        text = index_text(key)
        return "" if text is None else f"[{text}]"
    return f".{key}" if type(key) is str and key.isidentifier() and not key.startswith("__") else ""


def _parts(value: Any) -> Iterator[tuple[Any, str, Any]]:
    """Yield the key, its text and the part of all that a container or a plain object holds."""
    items: Iterable[tuple[Any, Any]]
    if isinstance(value, dict):
        items = list(value.items())[:_MOST_PARTS]
    elif isinstance(value, list | tuple):
        items = list(zip(getattr(type(value), "_fields", range(len(value))), value, strict=True))[:_MOST_PARTS]
    elif isinstance(value, type | ModuleType | FunctionType) or type(value).__module__.startswith(DATA_MODULES):
        return
    else:
        items = [*attribute(value, "__dict__", {}).items()][:_MOST_PARTS] + _slots(value)
    for key, part in items:
        yield key, part_text(value, key), part


def _slots(value: Any) -> list[tuple[str, Any]]:
    """Return what is in the slots of an object."""
    names = [name for kind in type(value).__mro__ for name in _names(vars(kind).get("__slots__", ()))]
    return [(name, attribute(value, name)) for name in names if not name.startswith("__")]


def _names(slots: Any) -> tuple[str, ...]:
    return (slots,) if isinstance(slots, str) else tuple(slots)


def _bare(function: Any) -> tuple[FunctionType | None, list[tuple[str, Any]]]:
    """Return the objective as a plain function, and what it is given by itself, by the names of its arguments."""
    given: list[tuple[str, Any]] = []
    while isinstance(function, functools.partial):
        names = signature_names(function.func)[0]
        given += [*function.keywords.items(), *zip(names, function.args, strict=False)]
        function = function.func
    if isinstance(function, MethodType):
        function = function.__func__
    elif not isinstance(function, FunctionType):
        function = attribute(type(function), "__call__")
    if not isinstance(function, FunctionType):
        return None, given
    defaults, names = function.__defaults__ or (), signature_names(function)[0]
    given += zip(names[len(names) - len(defaults) :], defaults, strict=False)
    return function, given + [*(function.__kwdefaults__ or {}).items()]


def _owner(function: Any) -> Any:
    """Return the object whose method the objective is, None for a plain function."""
    if isinstance(function, MethodType):
        return function.__self__
    return None if isinstance(function, FunctionType | type | functools.partial) else function


def _places(function: FunctionType | None, captured: Mapping) -> Callable[[Any, str], str]:
    """Return what gives the text of a name that was read in a place: bare, of a module's, or empty."""
    if function is None:
        return lambda place, name: ""
    cells = dict(zip(map(id, function.__closure__ or ()), function.__code__.co_freevars, strict=False))
    space = function.__globals__
    modules = {id(vars(part)): name for name, part in list(space.items()) if isinstance(part, ModuleType)}

    def text(place: Any, name: str) -> str:
        if place is space or id(place) in cells:
            return name
        return f"{modules[id(place)]}.{name}" if type(place) is dict and id(place) in modules else ""

    return text


def namespace(function: Callable, args: tuple) -> tuple[dict[str, str], dict[str, Any]]:
    """Return what the names are that expressions may have, and what they stand for.

    They are "argument", "outer" or "global", or "self" for the object whose method the objective is.
    """
    plain, given = _bare(function)
    values: dict[str, Any] = dict(plain.__globals__) if plain is not None else {}
    kinds = dict.fromkeys(values, "global")
    for name, cell in zip(*(plain.__code__.co_freevars, plain.__closure__ or ()), strict=False) if plain else ():
        values[name], kinds[name] = contents(cell), "outer"
    if (owner := _owner(function)) is not None:
        values["self"], kinds["self"] = owner, "self"
    own, rest = signature_names(function)
    arguments = dict(given) | dict(zip(own[1:], args, strict=False))
    if rest:
        arguments[rest] = ((None,) * (not own) + args)[max(0, len(own) - 1) :]
    modules = {name: sys.modules[module] for name, module in MODULES.items() if module in sys.modules}
    return kinds | dict.fromkeys(arguments, "argument"), modules | values | arguments
