"""The instrumented copy of the user's function: the same code object, other names to look things up in.

A function made from the user's code gets a globals dictionary of ours. What it reads there is the user's own, except that NumPy's
constructors, `math`, `float` and the like are stand-ins that know traced arrays, that helper functions are copies
too, and that arrays are inputs of the tape. Nothing of the user's is changed; other threads see nothing.
"""

from __future__ import annotations

import builtins
import functools
from collections.abc import Callable
from types import BuiltinFunctionType, CellType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

from autoopt.tape.tape import Leaf
from autoopt.tracing import standins
from autoopt.tracing.origin import is_library

_OPAQUE = ("scipy.special", "scipy.linalg", "scipy.stats", "scipy.fft", "scipy.signal", "scipy.spatial", "scipy.interpolate")


class Instrument:
    """Makes the copies of one trace and remembers what they read from outside.

    Attributes
    ----------
    captured : dict
        `(id of the namespace, name) -> (namespace, value)` of every global or cell that was read.
    opaque_state : bool
        True if something was read whose later change could not be noticed by looking at names alone.
    """

    def __init__(self, tracer: Any) -> None:
        self.tracer = tracer
        self.captured: dict[tuple[int, str], tuple[Any, Any]] = {}
        self.opaque_state = False
        self._known: dict[int, tuple[Any, Any]] = {}
        self._namespaces: dict[int, Namespace] = {}
        self._cells: dict[int, tuple[CellType, CellType, Any]] = {}
        self._names: set[str] = set()
        self.builtins = self._builtins()

    def _builtins(self) -> dict[str, Any]:
        replaced = (*standins.STAND_INS, *standins.TYPES)
        substituted = {name: self.substitute(value) for name, value in vars(builtins).items() if value in replaced}
        return {**vars(builtins), **substituted, "__import__": self._import}

    def _import(self, name, globals=None, locals=None, fromlist=(), level=0):
        if isinstance(globals, Namespace):
            globals = globals.original
        return self.substitute(builtins.__import__(name, globals, locals, fromlist, level))

    # Values -----------------------------------------------------------------------------------------------------------

    def substitute(self, value: Any, name: str = "") -> Any:
        """Return what the copy gets to see in place of `value`, itself if nothing needs to change."""
        known = self._known.get(id(value))
        if known is not None:
            return known[1]
        replaced = self._replacement(value, name)
        self._known[id(value)] = (value, replaced)
        return replaced

    def _replacement(self, value: Any, name: str) -> Any:
        if value is None or isinstance(value, bool | int | float | str):
            return value
        if isinstance(value, np.ndarray):
            return self._captured_array(value, name)
        if isinstance(value, ModuleType):
            return value if _is_standard(value) else ModuleStandIn(self, value)
        if _may_hash(value) and value in standins.TYPES:
            return standins.type_stand_in(self.tracer, value, standins.TYPES[value])
        if callable(value):
            return self._callable(value)
        self.opaque_state = self.opaque_state or not isinstance(value, tuple | np.generic | complex | range)
        return standins.object_stand_in(self.tracer, value) or value

    def _captured_array(self, value: np.ndarray, name: str) -> Any:
        if value.dtype.kind not in "fiub":
            return value
        return self.tracer.leaf(Leaf(self._free_name(name or "constant"), "captured"), value)

    def _free_name(self, name: str) -> str:
        """Return `name`, numbered if an earlier leaf has it."""
        free, count = name, 1
        while free in self._names:
            count += 1
            free = f"{name}_{count}"
        self._names.add(free)
        return free

    def reserve(self, names: list[str]) -> None:
        """Keep `names` for the tape's arguments."""
        self._names.update(names)

    def _callable(self, value: Callable) -> Callable:
        stand_in = standins.STAND_INS.get(value) if _may_hash(value) else None
        if stand_in is not None:
            return functools.partial(stand_in, self.tracer)
        if isinstance(value, FunctionType):
            return self._function(value)
        if isinstance(value, MethodType):
            self.opaque_state = True
            return MethodType(self.substitute(value.__func__), value.__self__)
        if isinstance(value, functools.partial):
            self.opaque_state = True
            keywords = {name: self.substitute(part, name) for name, part in value.keywords.items()}
            return functools.partial(self.substitute(value.func), *map(self.substitute, value.args), **keywords)
        if not isinstance(value, BuiltinFunctionType | type | np.ufunc) and not _is_standard(value):
            self.opaque_state = True
        return value

    # Functions --------------------------------------------------------------------------------------------------------

    def _function(self, function: FunctionType) -> Callable:
        module = function.__module__ or ""
        if module.startswith(_OPAQUE):
            return standins.opaque(self.tracer, function)
        if is_library(function.__code__) and not module.startswith("scipy."):
            return function
        return self.copy(function)

    def copy(self, function: FunctionType) -> FunctionType:
        """Return the instrumented copy of a Python function."""
        namespace = self._namespace(function.__globals__)
        copied = FunctionType(function.__code__, namespace, function.__name__, closure=None or self._closure(function))
        self._known[id(function)] = (function, copied)
        if function.__defaults__:
            copied.__defaults__ = tuple(self.substitute(value) for value in function.__defaults__)
        if function.__kwdefaults__:
            copied.__kwdefaults__ = {key: self.substitute(value, key) for key, value in function.__kwdefaults__.items()}
        copied.__dict__.update(function.__dict__)
        return copied

    def _namespace(self, original: dict) -> Namespace:
        namespace = self._namespaces.get(id(original))
        if namespace is None:
            namespace = self._namespaces[id(original)] = Namespace(self, original)
        return namespace

    def _closure(self, function: FunctionType) -> tuple[CellType, ...] | None:
        if function.__closure__ is None:
            return None
        return tuple(
            self._cell(cell, name) for cell, name in zip(function.__closure__, function.__code__.co_freevars, strict=True)
        )

    def _cell(self, cell: CellType, name: str) -> CellType:
        known = self._cells.get(id(cell))
        if known is not None:
            return known[1]
        made = CellType()
        self._cells[id(cell)] = (cell, made, None)
        try:
            value = cell.cell_contents
        except ValueError:  # a name that is not bound yet
            return made
        self.captured[id(cell), name] = (cell, value)
        made.cell_contents = self.substitute(value, name)
        self._cells[id(cell)] = (cell, made, made.cell_contents)
        return made

    # Afterwards -------------------------------------------------------------------------------------------------------

    def write_back(self) -> None:
        """Hand what the run assigned to globals and outer variables to the originals."""
        for namespace in self._namespaces.values():
            for name, value in namespace.items():
                if name not in namespace.fetched or namespace.fetched[name] is not value:
                    namespace.original[name] = value
        for cell, made, given in self._cells.values():
            try:
                if made.cell_contents is not given:
                    cell.cell_contents = made.cell_contents
            except ValueError:
                continue


class Namespace(dict):
    """The globals of an instrumented copy: fetched from the original on first use, then a plain dictionary entry."""

    def __init__(self, instrument: Instrument, original: dict) -> None:
        super().__init__(__builtins__=instrument.builtins)
        self.instrument = instrument
        self.original = original
        self.fetched: dict[str, Any] = {"__builtins__": instrument.builtins}

    def __missing__(self, name: str) -> Any:
        if name in self.original:
            value = self.original[name]
            self.instrument.captured[id(self.original), name] = (self.original, value)
            value = self.instrument.substitute(value, name)
        else:
            value = self.instrument.builtins[name]
        self[name] = self.fetched[name] = value
        return value


class ModuleStandIn:
    """A module whose attributes are substituted as they are read."""

    def __init__(self, instrument: Instrument, module: ModuleType) -> None:
        self.__dict__.update(_instrument=instrument, _module=module, __name__=module.__name__)

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._module, name)
        if not isinstance(value, ModuleType) and not self._module.__name__.startswith(("numpy", "scipy", "math")):
            self._instrument.captured[id(self._module), name] = (self._module, value)
        value = self._instrument.substitute(value, name)
        self.__dict__[name] = value
        return value

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._module, name, value)
        self.__dict__[name] = value


def _is_standard(value: Any) -> bool:
    """Whether `value` is a module of the standard library other than math, or something defined in one."""
    import sys

    name = value.__name__ if isinstance(value, ModuleType) else getattr(type(value), "__module__", "")
    return name != "math" and name.split(".")[0] in sys.stdlib_module_names


def _may_hash(value: Any) -> bool:
    return getattr(type(value), "__hash__", None) is not None and not isinstance(value, tuple)
