"""The instrumented copy of the user's function: the same code object, other names to look things up in.

    import numpy as np                  # what a copy of `f` sees:
    SCALE = 2.0                         #   SCALE     2.0, noted as read: another number there is another objective
    data = np.ones(3)                   #   data      an input of the tape, named "data"
    def half(x): return x / 2           #   half      a copy of it in turn, with the same globals of ours
    class Model: ...                    #   Model     a shadow of the class (objects.py)
                                        #   np        a stand-in, whose attributes are substituted as they are read
    def f(x):                           #   np.array  knows traced arrays (standins/); np.exp is NumPy's own, dispatched
        return SCALE * np.sum(half(x) * data)

What stands in for a thing is made when it is read, once: `substitutes` has it by the identity of the thing, so that the
run sees the same identities as the original would. Nothing of the user's is changed; other threads see nothing. What
libraries need is in the table of `libraries.py`.
"""

from __future__ import annotations

import builtins
import functools
import sys
from collections.abc import Callable, Iterable
from types import BuiltinFunctionType, FunctionType, MethodType, MethodWrapperType, ModuleType
from typing import Any

import numpy as np

from autoopt.errors import TracingError
from autoopt.origin import may_be_copied
from autoopt.tracing import formulas
from autoopt.tracing.arrays import matrix
from autoopt.tracing.arrays.types import type_stand_in
from autoopt.tracing.frames.library import note_table
from autoopt.tracing.instrument import (
    containers,
    evaluation,  # noqa: F401  (fill STAND_INS)
    extension,
    libraries,
)
from autoopt.tracing.instrument.functions import Functions
from autoopt.tracing.instrument.held import form_of
from autoopt.tracing.instrument.inputs import Inputs, has_other_algebra, is_data
from autoopt.tracing.instrument.namespaces import ModuleStandIn, namespace_of
from autoopt.tracing.instrument.objects import Shadows, is_users_class
from autoopt.tracing.instrument.remembered import Remembered, is_remembering
from autoopt.tracing.instrument.statements import class_building, importing
from autoopt.tracing.outside.places import Outside
from autoopt.tracing.outside.watching import attribute
from autoopt.tracing.recording.recorder import Recorder
from autoopt.tracing.standins import (
    calls,
    followed,
    objects,
    randomness,
    texts,  # noqa: F401  (fill STAND_INS)
)
from autoopt.tracing.standins.table import STAND_INS, TYPES, has_stand_in, may_hash


class Instrument:
    """Substitutes what one run of the user's function sees, and hands back what the run leaves outside.

    Attributes
    ----------
    outside : Outside
        What was read from outside, and is left there.
    substitutes : dict
        By identity, the things that have a substitute, with it.
    """

    def __init__(self, tracer: Recorder) -> None:
        self.tracer = tracer
        self.substitutes: dict[int, tuple[Any, Any]] = {}
        self._originals: dict[int, Any] = {}
        self._libraries: dict[str, Any] = {}
        self._containers = containers.Copies()
        self.shadows = Shadows(lambda function: self.copy(function), self.substitute)
        self.outside = Outside(tracer, self.shadows, self._users, note_table)
        self.captured, self.note = self.outside.captured, self.outside.notes.note
        self._inputs = Inputs(tracer, self.substitutes, self.outside.notes)
        self._functions = Functions(tracer, self.substitutes, self.substitute, self.outside)
        self.copy = self._functions.copy
        tracer.free_name, tracer.substitute = self._inputs.free_name, self.substitute
        self._functions.builtins = self._builtins()

    def _builtins(self) -> dict[str, Any]:
        substituted = {name: self.substitute(value) for name, value in vars(builtins).items() if has_stand_in(value)}
        substituted |= self.tracer.decisions.builtins(self.tracer) if self.tracer.decisions is not None else {}
        statements = {
            "__import__": importing(self.substitute),
            "__build_class__": class_building(self.shadows, self._replaced),
        }
        return {**vars(builtins), **substituted, **statements}

    def reserve(self, names: Iterable[str]) -> None:
        """Keep `names` for the tape's arguments."""
        self._inputs.reserve(names)

    def kept(self, library: str, make: Callable[[Any, Callable[[str], str]], Any]) -> Any:
        """Return what keeps the stand-ins of a library in this run: what they compute is decided by today's data."""
        self.tracer.tape.data_decided = True
        if library not in self._libraries:
            self._libraries[library] = make(self.tracer, self._inputs.free_name)
        return self._libraries[library]

    # Values -----------------------------------------------------------------------------------------------------------

    def substitute(self, value: Any, name: str = "", attribute: bool = False) -> Any:
        """Return what the copy gets to see in place of `value`, itself if nothing needs to change.

        An array becomes an input of the tape if it is found under a global or outer name; one that is an `attribute`,
        or in a container, stays as it is and becomes a constant where it is used.
        """
        if value is None or type(value) in _NUMBERS:
            return value
        if (entry := self.substitutes.get(id(value))) is not None:
            return entry[1]
        if has_other_algebra(value):
            return self._inputs.of_other_algebra(value)
        if attribute and isinstance(value, np.ndarray):
            return self._inputs.part(value, name)
        replaced = self._replacement(value, name)
        if not containers.is_container(value) or isinstance(value, tuple | frozenset):
            self.substitutes[id(value)] = (value, replaced)
        return replaced

    def _replacement(self, value: Any, name: str) -> Any:
        """Return what takes the place of a value; the more is known of it, the earlier it is asked for."""
        kind = type(value)
        if kind is self.tracer.array or kind is self.tracer.pair:
            return value
        if containers.is_container(value):
            return self._container(value, name)
        if isinstance(value, np.ndarray):
            return self._inputs.array(value, name)
        if (follow := followed.own(value)) is not None:
            return follow(self.tracer, self.substitute)
        if isinstance(value, ModuleType):
            return self._module(value)
        if (replaced := self._formula(value)) is not NotImplemented:
            return replaced
        if (replaced := libraries.maker(self, value)) is not NotImplemented:
            return replaced
        if isinstance(value, type):
            return self._class(value)
        if (replaced := libraries.object_of(self, value, name)) is not NotImplemented:
            return replaced
        if not isinstance(value, FunctionType | MethodType | functools.partial) and is_users_class(kind):
            return self._users_object(value)
        if callable(value) and not hasattr(kind, "bit_generator"):
            return self._callable(value)
        self.outside.enter(value)
        self.note(value, below=True)
        return objects.object_stand_in(self.tracer, value) or value

    def _module(self, module: ModuleType) -> Any:
        if not _is_standard(module):
            return ModuleStandIn(self, module)
        self.outside.modules[id(module)] = module
        return module

    def _formula(self, value: Any) -> Any:
        """Return what takes the place of a function that has a formula, or that the user has marked as constant."""
        if not may_hash(value):
            return NotImplemented
        if value in extension.USER_FORMULAS:
            return self.copy(extension.USER_FORMULAS[value])
        if value in extension.CONSTANTS:
            return calls.constant_call(self.tracer, value)
        formula = None if isinstance(value, calls.DISPATCHED) else formulas.find(value)
        return NotImplemented if formula is None else functools.partial(formula.follow, self.tracer)

    def _users_object(self, value: Any) -> Any:
        """Return the shadow of an object of a class of the user's."""
        if not self.shadows.is_shadow(value):
            self.outside.enter(attribute(value, "__dict__"))
            self._relieve_held(value)
            for part in self.outside.notes.followed(value):
                self.note(part, below=True)
        return self._shadow(value)

    def _relieve_held(self, value: Any) -> None:
        """Have earlier runs take back what they left in an object that is a list, dictionary or the like too."""
        if (form := form_of(type(value))) is not None:
            parts = form.parts(value)
            self.outside.relieve([part for _, part in parts] if isinstance(value, dict) else parts)

    def _shadow(self, value: Any) -> Any:
        """Return the shadow of an object of the user's, which cannot be made of every class written in C."""
        try:
            return self.shadows.shadow_object(value)
        except TypeError as error:
            kind = type(value)
            raise TracingError(
                f"The objective uses an object of the class {kind.__name__}, whose methods are not followed: {error}.",
                self.tracer.location(),
                f"keep what it holds in an attribute of a plain class, or make {kind.__name__}'s methods functions.",
            ) from error

    def _class(self, kind: Any) -> Any:
        if kind in TYPES:
            stand_in = self.tracer.types[kind] = type_stand_in(self.tracer, kind, TYPES[kind])
            return stand_in
        if kind in STAND_INS:
            return functools.partial(STAND_INS[kind], self.tracer)
        if randomness.makes_generator(kind):
            return randomness.maker(self.tracer, kind)
        if kind is np.matrix:
            return type_stand_in(self.tracer, kind, matrix.made)
        if not is_users_class(kind) or issubclass(kind, BaseException):
            self.note(kind, below=True)
            return kind
        return self.shadows.shadow_class(kind)

    def _container(self, value: Any, name: str) -> Any:
        """Return a container with what is in it substituted; itself if nothing is, so that writes into it are seen."""
        self.outside.enter(value)
        if self.tracer.as_data and is_data(value):
            return self._inputs.numbers(value, name)
        searched = not (hasattr(value, "__len__") and len(value) > _SCANNED)
        self.note(value, below=not searched)
        if not searched:
            return value
        return self._containers.of(value, lambda part, name: self.substitute(part, name, attribute=True))

    def _callable(self, value: Any) -> Callable:
        if self._functions.builtins and isinstance(value, FunctionType | BuiltinFunctionType):
            self.outside.read_through((value.__name__,))  # that there is `open` among the builtins says nothing
        if may_hash(value) and value in STAND_INS:
            return functools.partial(STAND_INS[value], self.tracer)
        if (of_library := libraries.called(self, value)) is not NotImplemented:
            return of_library
        if isinstance(value, np.ufunc | calls.DISPATCHED):
            return calls.Dispatched(self.tracer, value)
        if isinstance(value, FunctionType):
            return self._function(value)
        if getattr(value, "__name__", "") == "default_rng":
            return functools.partial(randomness.made, self.tracer, value)
        if randomness.is_of_module(value):
            return randomness.of_module(self.tracer, value)
        if isinstance(value, MethodType):
            return self._method(value)
        if isinstance(value, functools.partial):
            self.note(value)
            keywords = {name: self.substitute(part, name) for name, part in value.keywords.items()}
            return functools.partial(self.substitute(value.func), *map(self.substitute, value.args), **keywords)
        if is_remembering(value):
            return Remembered(self.tracer, self.substitute(value.__wrapped__), value.cache_parameters())
        if _is_compiled(value):
            return functools.partial(calls.compiled, self.tracer, value)
        standard = _is_standard(value) and type(value).__module__ in _FUNCTION_LIKE
        if isinstance(value, _BOUND) or not (standard or isinstance(value, np.ufunc)):
            self.note(value, below=True)
        return value

    def _method(self, value: MethodType) -> Callable:
        of_library = libraries.stand_in("methods", type(value.__self__).__module__, self, value)
        if of_library is not NotImplemented:
            return of_library
        return MethodType(self.substitute(value.__func__), self.substitute(value.__self__))

    def _function(self, function: FunctionType) -> Callable:
        if namespace_of(function.__globals__) is not None:
            return function
        of_library = libraries.stand_in("functions", function.__module__ or "", self, function)
        if of_library is not NotImplemented:
            return of_library
        if hasattr(function, "registry") and hasattr(function, "dispatch"):
            return self._dispatching(function)
        wrapped = vars(function).get("__wrapped__")  # as under @np.errstate(...), or a context manager as a decorator
        users = isinstance(wrapped, FunctionType) and may_be_copied(wrapped.__code__)
        return self.copy(function) if users or may_be_copied(function.__code__) else function

    def _dispatching(self, function: Any) -> Callable:
        """Return the stand-in for a function dispatching by functools.singledispatch."""
        registry = dict(function.registry)
        self.note(function.registry)
        dispatching = functools.singledispatch(self.substitute(registry.pop(object)))
        self.substitutes[id(function)] = (function, dispatching)
        for kind, form in registry.items():
            dispatching.register(kind, self.substitute(form))
        return dispatching

    # Afterwards -------------------------------------------------------------------------------------------------------

    def leave(self) -> None:
        """Hand what the run assigned to globals and outer variables, and put into objects, to the originals."""
        for owner, name, value in self._functions.assigned():
            self.outside.assign(owner, name, value)
        self._containers.give_back(self.outside.settled)
        self.outside.leave(self.shadows.give_back(self.outside.settled))

    def _users(self, value: Any) -> Any:
        """Return the user's own function, class, module or object for what the run sees in its place."""
        if (outside := getattr(type(value), followed.OUTSIDE, None)) is not None:
            original = self._replaced().get(id(value), value)
            return outside(value, self.outside.settled) if original is value else original
        if isinstance(value, type):
            return self.shadows.users.get(value, self._replaced().get(id(value), value))
        if id(value) in self._functions.originals:  # of one function there may be several
            return self._functions.originals[id(value)][1]
        original = self._replaced().get(id(value), value)
        return self._functions.users(original) if type(original) is FunctionType else original

    def _replaced(self) -> dict[int, Any]:
        """Return what was substituted, by the identity of what took its place."""
        if len(self._originals) != len(self.substitutes):
            self._originals = {id(replaced): original for original, replaced in self.substitutes.values()}
        return self._originals


_NUMBERS = frozenset((bool, int, float, str, bytes, complex, type(Ellipsis), type(NotImplemented)))
_SCANNED = 1000
"""Containers of more items than this are not searched for functions and objects."""


def _is_standard(value: Any) -> bool:
    """Whether `value` is a module of the standard library without stand-ins, or something defined in one."""
    name = value.__name__ if isinstance(value, ModuleType) else getattr(type(value), "__module__", "")
    return name not in _FOLLOWED_MODULES and name.split(".")[0] in sys.stdlib_module_names


_FOLLOWED_MODULES = ("math", "cmath", "json", "time", "random", "warnings", "statistics", "decimal", "fractions")


def _is_compiled(value: Any) -> bool:
    """Whether `value` is a function in machine code that is not Python's or NumPy's own."""
    kind, owner = type(value).__name__, getattr(value, "__self__", None)
    if kind == "fortran":
        return True
    if kind not in _COMPILED or not (owner is None or isinstance(owner, ModuleType)):
        return False
    module = str(getattr(value, "__module__", None) or getattr(owner, "__name__", ""))
    return module.partition(".")[0] not in {"", "numpy", "autoopt", *sys.stdlib_module_names}


_BOUND = BuiltinFunctionType | MethodWrapperType
_FUNCTION_LIKE = frozenset(("builtins", "functools", "operator", "types", "typing", "abc", "contextlib"))
"""Rooms of the standard library whose callable objects hold nothing that changes."""

_COMPILED = ("builtin_function_or_method", "cython_function_or_method", "fused_cython_function")
