"""The instrumented copy of the user's function: the same code object, other names to look things up in.

A function made from the user's code gets a globals dictionary of ours. What it reads there is the user's own, except
that NumPy's constructors, `math`, `float` and the like are stand-ins that know traced arrays, that helper functions are
copies too, and that arrays are inputs of the tape. Nothing of the user's is changed; other threads see nothing.
"""

from __future__ import annotations

import builtins
import functools
from collections.abc import Callable
from types import BuiltinFunctionType, CellType, FunctionType, MethodType, MethodWrapperType, ModuleType
from typing import Any

import numpy as np

from autoopt.errors import TracingError
from autoopt.origin import is_library, may_be_copied
from autoopt.tape.names import fresh
from autoopt.tape.tape import CONSTANT, Leaf
from autoopt.tracing import extension, formulas
from autoopt.tracing.arrays import masked, matrix, sparse_makers
from autoopt.tracing.arrays.sparse import Matrices, is_sparse
from autoopt.tracing.instrument import (
    containers,
    evaluation,  # noqa: F401  (fill STAND_INS)
    literals,
)
from autoopt.tracing.instrument.held import form_of
from autoopt.tracing.instrument.namespaces import ModuleStandIn, Namespace, namespace_of
from autoopt.tracing.instrument.objects import Shadows, is_users_class
from autoopt.tracing.instrument.remembered import Remembered, is_remembering
from autoopt.tracing.outside.side_effects import Surroundings
from autoopt.tracing.outside.watching import ABSENT, attribute, contents
from autoopt.tracing.standins import (
    calls,
    elements,
    followed,
    modes,
    objects,
    randomness,
    table,
    texts,  # noqa: F401  (fill STAND_INS)
)
from autoopt.tracing.standins import python as scalars
from autoopt.tracing.standins.types import type_stand_in

_INTEGRALS = ("trapezoid", "cumulative_trapezoid")
_OPAQUE = tuple(f"scipy.{part}" for part in ("special", "linalg", "stats", "fft", "signal", "spatial", "interpolate"))


class Instrument:
    """Makes the copies of one trace and remembers what they read from outside.

    Attributes
    ----------
    surroundings : Surroundings
        What was read from outside, and is left there.
    """

    def __init__(self, tracer: Any) -> None:
        self.tracer = tracer
        self._known: dict[int, tuple[Any, Any]] = {}
        self._namespaces: dict[int, Namespace] = {}
        self._cells: dict[int, tuple[CellType, CellType, Any]] = {}
        self._names: set[str] = set()
        self.shadows = Shadows(self.copy, self.substitute)
        self._copies = containers.Copies()
        self.surroundings = Surroundings(tracer, self.shadows, self._users)
        self._originals: dict[int, Any] = {}
        self._copied: dict[int, tuple[Any, Any]] = {}  # by identity of a copy: it, and the function that it is of
        self.captured, self.note = self.surroundings.captured, self.surroundings.notes.note
        self.frames: dict[str, Any] = {}
        self.matrices: Any = None
        self.builtins: dict[str, Any] = {}
        self.builtins = self._builtins()
        tracer.free_name, tracer.substitute = self._free_name, self.substitute

    def _builtins(self) -> dict[str, Any]:
        substituted = {name: self.substitute(value) for name, value in vars(builtins).items() if _has_stand_in(value)}
        return {**vars(builtins), **substituted, "__import__": self._import, "__build_class__": self._build_class}

    def _import(self, name, globals=None, locals=None, fromlist=(), level=0):
        namespace = namespace_of(globals)
        if namespace is not None:
            globals = namespace.original
        return self.substitute(builtins.__import__(name, globals, locals, fromlist, level))

    def _build_class(self, body: Callable, name: str, *bases: Any, **options: Any) -> type:
        """Make a class of the run: stand-ins for builtin types are no bases."""
        originals = self._replaced()
        bases = tuple(base if self.shadows.is_made(base) else originals.get(id(base), base) for base in bases)
        if (metaclass := options.get("metaclass")) is not None and not self.shadows.is_made(metaclass):
            options["metaclass"] = originals.get(id(metaclass), metaclass)
        return builtins.__build_class__(body, name, *bases, **options)

    # Values -----------------------------------------------------------------------------------------------------------

    def substitute(self, value: Any, name: str = "", attribute: bool = False) -> Any:
        """Return what the copy gets to see in place of `value`, itself if nothing needs to change.

        An array becomes an input of the tape if it is found under a global or outer name; one that is an `attribute`,
        or in a container, stays as it is and becomes a constant where it is used.
        """
        if value is None or type(value) in _NUMBERS:
            return value
        known = self._known.get(id(value))
        if known is not None:
            return known[1]
        if isinstance(value, _SUBCLASSES):
            return self._of_subclass(value)
        if attribute and isinstance(value, np.ndarray):
            if self.tracer.buffers is not None:
                return self._buffer(value, name)
            if type(value) is not self.tracer.array:
                self.note(value)
            return value
        replaced = self._replacement(value, name)
        if not containers.is_container(value) or isinstance(value, tuple | frozenset):
            self._known[id(value)] = (value, replaced)
        return replaced

    def _replacement(self, value: Any, name: str) -> Any:
        kind = type(value)
        if kind is self.tracer.array or kind is self.tracer.pair:
            return value
        if containers.is_container(value):
            return self._container(value)
        if isinstance(value, np.ndarray):
            return self._captured_array(value, name)
        if (follow := followed.own(value)) is not None:
            return follow(self.tracer, self.substitute)
        if isinstance(value, ModuleType):
            if not _is_standard(value):
                return ModuleStandIn(self, value)
            self.surroundings.modules[id(value)] = value
            return value
        if _may_hash(value) and value in extension.USER_FORMULAS:
            return self.copy(extension.USER_FORMULAS[value])
        if _may_hash(value) and value in extension.CONSTANTS:
            return calls.constant_call(self.tracer, value)
        if _may_hash(value) and not isinstance(value, calls.DISPATCHED):
            formula = formulas.find(value)
            if formula is not None:
                return functools.partial(formula.follow, self.tracer)
        library = str(getattr(value, "__module__", "") or "").partition(".")[0]
        if library in ("pandas", "polars") and callable(value) and (isinstance(value, type) or _is_function(value)):
            return self._maker(value, library)
        if _makes_sparse(value):
            return self._sparse_maker(value)
        if isinstance(value, type):
            return self._class(value)
        if kind.__module__.startswith("polars."):
            self.note(value)
            return self._tables("polars").wrap(value)
        if kind.__module__.startswith("scipy.interpolate."):
            return self._curve(value)
        if kind.__module__.startswith("scipy.stats."):
            return self._distribution(value)
        if kind.__module__.partition(".")[0] == "pandas":
            return self._frame(value, name)
        if kind.__module__.startswith("scipy.sparse.") and is_sparse(value):
            self.note(value, below=True)
            return self._matrices().wrap(value, name)
        if isinstance(value, np.errstate):
            return modes.entered(self.tracer, value)
        if isinstance(value, np.vectorize):
            self.note(vars(value))
            return elements.Vectorized(self.tracer, self.substitute(value.pyfunc), value.otypes or "", value.excluded)
        if kind.__module__.startswith("numba."):
            return self._compiled(value)
        if not isinstance(value, FunctionType | MethodType | functools.partial) and is_users_class(kind):
            if not self.shadows.is_shadow(value):
                self.surroundings.enter(attribute(value, "__dict__"))
                self._relieve_held(value)
                for part in self.surroundings.notes.followed(value):
                    self.note(part, below=True)
            return self._shadow(value)
        if callable(value) and not hasattr(type(value), "bit_generator"):
            return self._callable(value)
        self.surroundings.enter(value)
        self.note(value, below=True)
        return objects.object_stand_in(self.tracer, value) or value

    def _relieve_held(self, value: Any) -> None:
        """Have earlier runs take back what they left in an object that is a list, dictionary or the like too."""
        if (form := form_of(type(value))) is not None:
            parts = form.parts(value)
            self.surroundings.relieve([part for _, part in parts] if isinstance(value, dict) else parts)

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

    def _class(self, kind: type) -> type:
        if kind in table.TYPES:
            made = self.tracer.types[kind] = type_stand_in(self.tracer, kind, table.TYPES[kind])
            return made
        if kind in table.STAND_INS:
            return functools.partial(table.STAND_INS[kind], self.tracer)
        if randomness.makes_generator(kind):
            return randomness.maker(self.tracer, kind)
        if kind is np.matrix:
            return type_stand_in(self.tracer, kind, matrix.made)
        if kind is np.ma.MaskedArray:
            return type_stand_in(self.tracer, kind, functools.partial(masked.call, kind))
        if kind.__module__ in ("decimal", "fractions") and kind.__name__ in ("Decimal", "Fraction"):
            made = self.tracer.types[kind] = type_stand_in(self.tracer, kind, scalars.exact(kind))
            made.from_float = made
            return made
        if not is_users_class(kind) or issubclass(kind, BaseException):
            self.note(kind, below=True)
            return kind
        return self.shadows.shadow_class(kind)

    def _container(self, value: Any) -> Any:
        """Return a container with what is in it substituted; itself if nothing is, so that writes into it are seen."""
        self.surroundings.enter(value)
        searched = not (hasattr(value, "__len__") and len(value) > _SCANNED)
        self.note(value, below=not searched)
        if not searched:
            return value
        return self._copies.of(value, lambda part, name: self.substitute(part, name, attribute=True))

    def _of_subclass(self, value: Any) -> Any:
        """Return the stand-in for a masked array or np.matrix, whose operators mean something else."""
        if type(value) in (self.tracer.array, masked.Masked, matrix.MatrixArray) or value is np.ma.masked:
            return value
        self.note(value)
        self.tracer.tape.data_decided = True
        if isinstance(value, np.matrix):
            made = matrix.matrix(self.tracer, value)
        else:
            self.note(vars(value))
            self.note(np.ma.getmaskarray(value) if value._mask is np.ma.nomask else value._mask)
            made = masked.masked(self.tracer, value)
        self._known[id(value)] = value, made
        return made

    def _captured_array(self, value: np.ndarray, name: str) -> Any:
        self.surroundings.notes.beside_array(value)
        if value.dtype.kind not in "fiub":
            self.note(value)
            return value
        leaf = self.tracer.leaf(Leaf(self._free_name(name or "constant"), "captured"), value)
        if self.tracer.buffers is not None and value.dtype == float:
            self.tracer.buffers.enter(leaf, value, name)
        return leaf

    def _buffer(self, value: np.ndarray, name: str) -> Any:
        """Return the traced array of one found in an object or a container, which may be a buffer."""
        if type(value) is not np.ndarray or value.dtype != float:
            return value
        made = self.tracer.array(self.tracer, self.tracer.constant(value), value, CONSTANT)
        self._known[id(value)] = value, self.tracer.buffers.enter(made, value, name)
        return made

    def _free_name(self, name: str) -> str:
        """Return `name`, numbered if an earlier leaf has it."""
        return fresh(name, self._names)

    def reserve(self, names: list[str]) -> None:
        """Keep `names` for the tape's arguments."""
        self._names.update(names)

    def _distribution(self, value: Any) -> Any:
        """Return the stand-in for a distribution of scipy.stats; a frozen one may be changed unnoticed."""
        from autoopt.tracing.stats import distributions  # imports scipy.special

        if not callable(value):
            self.note(value, below=True)
        return distributions.stand_in(self.tracer, value)

    def _frame(self, value: Any, name: str) -> Any:
        """Return the stand-in for a pandas object."""
        self.note(value)
        return self._tables("pandas").wrap(value, name or None)

    def _tables(self, library: str) -> Any:
        """Return what keeps the stand-ins of pandas or polars: what is computed by them is decided by today's data."""
        from autoopt.tracing.frames.pandas import Frames
        from autoopt.tracing.frames.polars import Polars

        self.tracer.tape.data_decided = True
        if library not in self.frames:
            self.frames[library] = (Frames if library == "pandas" else Polars)(self.tracer, self._free_name)
        return self.frames[library]

    def _matrices(self) -> Matrices:
        """Return what keeps the stand-ins of sparse matrices."""
        self.tracer.tape.data_decided = True
        self.matrices = self.matrices or Matrices(self.tracer, self._free_name)
        return self.matrices

    def _sparse_maker(self, value: Callable) -> Any:
        """Return the stand-in for a function or class of scipy.sparse."""

        def call(tracer, *args, **kwargs):
            return sparse_makers.made(self._matrices(), value, args, kwargs)

        return type_stand_in(self.tracer, value, call) if isinstance(value, type) else functools.partial(call, None)

    def _maker(self, value: Callable, library: str) -> Any:
        """Return the stand-in for a function or class of pandas or polars, which gives a stand-in."""

        def call(tracer, *args, **kwargs):
            tables = self._tables(library)
            if library == "polars" and value.__name__.startswith(("read_", "scan_")):
                self.surroundings.notes.file(None)  # which it opens by itself
            if library == "pandas":
                return tables.call(value, args, kwargs)
            return tables.call(value, f"pl.{value.__name__}", args, kwargs)

        if isinstance(value, type):
            return type_stand_in(self.tracer, value, call)
        return functools.partial(call, self.tracer)

    def _compiled(self, value: Any) -> Any:
        """Return the stand-in for a function that numba has compiled: the Python function that it was made from."""
        made = getattr(value, "py_func", None)
        if isinstance(made, FunctionType):
            copied = self.substitute(made)
            copied.py_func = copied
            return copied
        made = getattr(getattr(value, "_dispatcher", None), "py_func", None)
        return value if made is None else elements.Vectorized(self.tracer, self.substitute(made), None)

    def _curve(self, value: Any) -> Any:
        """Return the stand-in for an interpolant made outside, which may change unnoticed; itself if there is none."""
        from autoopt.tracing.formulas.lookups import of_object  # imports scipy.interpolate

        self.note(value, below=True)
        return of_object(value) or value

    def _callable(self, value: Callable) -> Callable:
        if isinstance(value, FunctionType | BuiltinFunctionType) and self.builtins:  # that there is `open` says nothing
            self.surroundings.read_through((value.__name__,))
        stand_in = table.STAND_INS.get(value) if _may_hash(value) else None
        if stand_in is not None:
            return functools.partial(stand_in, self.tracer)
        if str(getattr(value, "__module__", "") or type(value).__module__).startswith("numpy.ma"):
            return functools.partial(masked.call, value, self.tracer)
        if isinstance(value, np.ufunc | calls.DISPATCHED):
            return calls.Dispatched(self.tracer, value)
        if isinstance(value, FunctionType):
            return self._function(value)
        if type(value).__module__.endswith("uarray") and (value.__module__ or "").startswith("scipy.fft"):
            return calls.opaque(self.tracer, value)
        if getattr(value, "__name__", "") == "default_rng":
            return functools.partial(randomness.made, self.tracer, value)
        if randomness.is_of_module(value):
            return randomness.of_module(self.tracer, value)
        if isinstance(value, MethodType):
            if type(value.__self__).__module__.startswith("scipy.stats."):
                return getattr(self.substitute(value.__self__), value.__name__)
            return MethodType(self.substitute(value.__func__), self.substitute(value.__self__))
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

    # Functions --------------------------------------------------------------------------------------------------------

    def _function(self, function: FunctionType) -> Callable:
        if namespace_of(function.__globals__) is not None:
            return function
        module = function.__module__ or ""
        if module.startswith(_OPAQUE) or (module.startswith("scipy.integrate") and function.__name__ in _INTEGRALS):
            return calls.opaque(self.tracer, function)
        if module.startswith("numpy.testing"):
            return calls.assertion(self.tracer, function)
        if hasattr(function, "registry") and hasattr(function, "dispatch"):
            return self._dispatching(function)
        if module.startswith("scipy."):
            return functools.partial(calls.library, self.tracer, function, self.copy(function))
        wrapped = vars(function).get("__wrapped__")  # as under @np.errstate(...), or a context manager as a decorator
        users = isinstance(wrapped, FunctionType) and may_be_copied(wrapped.__code__)
        return self.copy(function) if users or may_be_copied(function.__code__) else function

    def _dispatching(self, function: Any) -> Callable:
        """Return the stand-in for a function made by functools.singledispatch."""
        registry = dict(function.registry)
        self.note(function.registry)
        made = functools.singledispatch(self.substitute(registry.pop(object)))
        self._known[id(function)] = (function, made)
        for kind, form in registry.items():
            made.register(kind, self.substitute(form))
        return made

    def copy(self, function: FunctionType) -> FunctionType:
        """Return the instrumented copy of a Python function."""
        namespace = self._namespace(function.__globals__)
        variables, closure = namespace.variables, self._closure(function)
        code = literals.traced(self.tracer, function.__code__) if self.tracer.literals else function.__code__
        copied = FunctionType(code, variables, function.__name__, closure=closure)
        self._known[id(function)] = (function, copied)
        self._copied[id(copied)] = (copied, function)
        self._describe(copied, function)
        if self.tracer.catching.intersection(function.__code__.co_names) and may_be_copied(function.__code__):
            modes.heed(self.tracer)
        namespace.complete(function.__code__)
        if function.__defaults__:
            copied.__defaults__ = tuple(self.substitute(value) for value in function.__defaults__)
        if function.__kwdefaults__:
            copied.__kwdefaults__ = {key: self.substitute(value, key) for key, value in function.__kwdefaults__.items()}
        copied.__dict__.update({name: self.substitute(part, name, True) for name, part in vars(function).items()})
        if not is_library(function.__code__):
            self.note(function)
            self.surroundings.read_by(function.__code__)
        self.captured[id(function), "__defaults__"] = (function, function.__defaults__)
        return copied

    def _describe(self, copied: FunctionType, function: FunctionType) -> None:
        """Have a copy say of itself what the function says."""
        for name in ("__qualname__", "__module__", "__doc__", "__type_params__"):
            if hasattr(function, name):  # type parameters came with Python 3.12
                setattr(copied, name, getattr(function, name))
        if hasattr(function, "__annotate__"):  # since Python 3.14 annotations are evaluated when they are read
            copied.__annotate__ = function.__annotate__ and self.copy(function.__annotate__)
        elif function.__annotations__:
            types = {name: part for name, part in function.__annotations__.items() if _may_hash(part)}
            known = {name: self.substitute(part) for name, part in types.items() if part in table.TYPES}
            copied.__annotations__ = {**function.__annotations__, **known}

    def _namespace(self, original: dict) -> Namespace:
        namespace = self._namespaces.get(id(original))
        if namespace is None:
            namespace = self._namespaces[id(original)] = Namespace(
                self._fetch, self.surroundings.notes.keys, self.builtins, original
            )
            self.surroundings.relieve(original)
        return namespace

    def _fetch(self, original: dict, name: str) -> Any:
        """Return what the copies see of a global, and remember that it was read."""
        value = original.get(name, ABSENT)
        self.captured[id(original), name] = (original, value)
        if value is ABSENT:
            return self._fetch_builtin(name)
        try:
            return self.substitute(value, name)
        except KeyError as error:  # which Python would take for a name that is not there
            raise TracingError(
                f"The objective uses {name}, which cannot be looked into: KeyError: {error}.",
                self.tracer.location(),
                f"have the methods of {type(value).__name__} that look names up raise AttributeError.",
            ) from error

    def _fetch_builtin(self, name: str) -> Any:
        """Return a builtin name; one that Python does not have by itself may become another."""
        own = vars(builtins).get(name, ABSENT)
        if getattr(own, "__module__", None) == "builtins" or name in _OWN_BUILTINS:
            return self.builtins[name]
        self.captured[id(vars(builtins)), name] = (vars(builtins), own)
        return self.builtins[name] if own is ABSENT else self.substitute(own, name)

    def _closure(self, function: FunctionType) -> tuple[CellType, ...] | None:
        if function.__closure__ is None:
            return None
        names = function.__code__.co_freevars
        return tuple(self._cell(cell, name) for cell, name in zip(function.__closure__, names, strict=True))

    def _cell(self, cell: CellType, name: str) -> CellType:
        known = self._cells.get(id(cell))
        if known is not None:
            return known[1]
        made = CellType()
        self._cells[id(cell)] = (cell, made, None)
        try:
            self.surroundings.relieve((cell.cell_contents,))
            value = cell.cell_contents
        except ValueError:  # a name that is not bound yet
            return made
        self.captured[id(cell), name] = (cell, value)
        made.cell_contents = self.substitute(value, name)
        self._cells[id(cell)] = (cell, made, made.cell_contents)
        return made

    # Afterwards -------------------------------------------------------------------------------------------------------

    def leave(self) -> None:
        """Hand what the run assigned to globals and outer variables, and put into objects, to the originals."""
        for namespace in self._namespaces.values():
            for name, value in namespace.assigned():
                self.surroundings.assign(namespace.original, name, value)
        for cell, made, given in self._cells.values():
            try:
                if made.cell_contents is not given:
                    self.surroundings.assign(cell, "cell_contents", made.cell_contents)
            except ValueError:
                continue
        self._copies.give_back(self.surroundings.settled)
        self.surroundings.leave(self.shadows.give_back(self.surroundings.settled))

    def _users(self, value: Any) -> Any:
        """Return the user's own function, class, module or object for what the run sees in its place."""
        if (outside := getattr(type(value), followed.OUTSIDE, None)) is not None:
            known = self._replaced().get(id(value), value)
            return outside(value, self.surroundings.settled) if known is value else known
        if isinstance(value, type):
            return self.shadows.users.get(value, self._replaced().get(id(value), value))
        if id(value) in self._copied:  # of one function there may be several
            return self._copied[id(value)][1]
        found = self._replaced().get(id(value), value)
        return self._users_function(found) if type(found) is FunctionType else found

    def _replaced(self) -> dict[int, Any]:
        """Return what was substituted, by the identity of what took its place."""
        if len(self._originals) != len(self._known):
            self._originals = {id(made): original for original, made in self._known.values()}
        return self._originals

    def _users_function(self, function: FunctionType) -> FunctionType:
        """Return a function that the run made as one of the user's names, its variables settled."""
        namespace = namespace_of(function.__globals__)
        if namespace is None:
            return function
        outer = {id(made): cell for cell, made, _ in self._cells.values()}
        cells = tuple(outer.get(id(cell), cell) for cell in function.__closure__ or ())
        defaults = self.surroundings.settled(function.__defaults__)
        made = FunctionType(function.__code__, namespace.original, function.__name__, defaults, cells or None)
        made.__kwdefaults__ = self.surroundings.settled(function.__kwdefaults__)
        made.__dict__.update(function.__dict__)
        self._known[id(made)] = made, function
        for cell in cells:
            if not any(cell is known for known in outer.values()) and contents(cell) is not ABSENT:
                cell.cell_contents = self.surroundings.settled(cell.cell_contents)
        return made


_SUBCLASSES = (np.ma.MaskedArray, np.matrix)
_OWN_BUILTINS = frozenset(("__debug__", "Ellipsis", "NotImplemented", "__build_class__", "__import__"))
_NUMBERS = frozenset((bool, int, float, str, bytes, complex, type(Ellipsis), type(NotImplemented)))
_SCANNED = 1000
"""Containers of more items than this are not searched for functions and objects."""


def _is_standard(value: Any) -> bool:
    """Whether `value` is a module of the standard library without stand-ins, or something defined in one."""
    import sys

    name = value.__name__ if isinstance(value, ModuleType) else getattr(type(value), "__module__", "")
    return name not in _FOLLOWED_MODULES and name.split(".")[0] in sys.stdlib_module_names


_FOLLOWED_MODULES = ("math", "cmath", "json", "time", "random", "warnings", "statistics", "decimal", "fractions")


def _is_compiled(value: Any) -> bool:
    """Whether `value` is a function in machine code that is not Python's or NumPy's own."""
    import sys

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


def _is_function(value: Any) -> bool:
    """Whether `value` is a function that is called as it is, without an object."""
    return isinstance(value, FunctionType | BuiltinFunctionType)


def _makes_sparse(value: Any) -> bool:
    """Whether `value` is a function or class of scipy.sparse itself, not of its rooms for graphs and equations."""
    module = str(getattr(value, "__module__", "") or "")
    others = ("scipy.sparse.linalg", "scipy.sparse.csgraph")
    known = isinstance(value, type) or _is_function(value)
    return known and module.startswith("scipy.sparse.") and not module.startswith(others)


def _has_stand_in(value: Any) -> bool:
    return _may_hash(value) and (value in table.STAND_INS or value in table.TYPES)


def _may_hash(value: Any) -> bool:
    """Whether `value` is a function or class that can be looked up in a table."""
    if not callable(value):
        return False
    try:
        hash(value)
    except TypeError:  # a callable object with an array among its fields
        return False
    return True
