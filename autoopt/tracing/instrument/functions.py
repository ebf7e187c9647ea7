"""Instrumented copies of functions: the same code object, other globals and cells to look names up in.

    RATE = 0.1                                    # globals of the user's module
    def objective(x):                             # a copy of it: FunctionType(objective.__code__, <globals of ours>)
        return RATE * helper(x)                   #   asks for `RATE`: 0.1, noted as read
                                                  #   asks for `helper`: a function, so a copy again

Nothing of the user's is changed, and other threads see nothing: what a copy assigns to a global or outer variable is in
globals and cells of ours until `assigned` hands it over.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterator
from types import CellType, FunctionType
from typing import Any

from autoopt.errors import TracingError
from autoopt.origin import is_library, may_be_copied
from autoopt.tape.tape import Leaf
from autoopt.tracing.instrument import literals
from autoopt.tracing.instrument.namespaces import Namespace, namespace_of
from autoopt.tracing.outside.places import Outside
from autoopt.tracing.outside.watching import ABSENT, contents
from autoopt.tracing.recording.recorder import Recorder
from autoopt.tracing.standins import modes, table


class Functions:
    """The copies of functions of one trace.

    Parameters
    ----------
    tracer : Tracer
    substitutes : dict
        By identity, the things that have a substitute, with it.
    substitute : callable
        Gives what a run sees in place of a value.
    outside : Outside

    Attributes
    ----------
    builtins : dict
        The builtin names that copies see.
    originals : dict
        By identity of a copy, it and the function that it is of.
    """

    def __init__(
        self, tracer: Recorder, substitutes: dict[int, tuple[Any, Any]], substitute: Callable, outside: Outside
    ) -> None:
        self.tracer, self.substitutes, self.substitute, self.outside = tracer, substitutes, substitute, outside
        self.builtins: dict[str, Any] = {}
        self.originals: dict[int, tuple[Any, Any]] = {}
        self._namespaces: dict[int, Namespace] = {}
        self._cells: dict[int, tuple[CellType, CellType, Any]] = {}

    def copy(self, function: FunctionType) -> FunctionType:
        """Return the instrumented copy of a Python function."""
        namespace = self._namespace(function.__globals__)
        variables, closure = namespace.variables, self._closure(function)
        code = literals.traced(self.tracer, function.__code__) if self.tracer.literals else function.__code__
        copied = FunctionType(code, variables, function.__name__, closure=closure)
        self.substitutes[id(function)] = (function, copied)
        self.originals[id(copied)] = (copied, function)
        self._describe(copied, function)
        if self.tracer.catching.intersection(function.__code__.co_names) and may_be_copied(function.__code__):
            modes.heed(self.tracer)
        namespace.complete(function.__code__)
        if function.__defaults__:
            names = function.__code__.co_varnames[: function.__code__.co_argcount][-len(function.__defaults__) :]
            copied.__defaults__ = tuple(map(self.substitute, function.__defaults__, names))
        if function.__kwdefaults__:
            copied.__kwdefaults__ = {key: self.substitute(value, key) for key, value in function.__kwdefaults__.items()}
        copied.__dict__.update({name: self.substitute(part, name, True) for name, part in vars(function).items()})
        if not is_library(function.__code__):
            self.outside.notes.note(function)
            self.outside.read_by(function.__code__)
        self.outside.captured[id(function), "__defaults__"] = (function, function.__defaults__)
        return copied

    def _describe(self, copied: FunctionType, function: FunctionType) -> None:
        """Give a copy the name, documentation and annotations of the function."""
        for name in ("__qualname__", "__module__", "__doc__", "__type_params__"):
            if hasattr(function, name):  # type parameters came with Python 3.12
                setattr(copied, name, getattr(function, name))
        if hasattr(function, "__annotate__"):  # since Python 3.14 annotations are evaluated when they are read
            copied.__annotate__ = function.__annotate__ and self.copy(function.__annotate__)
        elif function.__annotations__:
            kinds = {name: part for name, part in function.__annotations__.items() if table.may_hash(part)}
            replaced = {name: self.substitute(part) for name, part in kinds.items() if part in table.TYPES}
            copied.__annotations__ = {**function.__annotations__, **replaced}

    # Names ------------------------------------------------------------------------------------------------------------

    def _namespace(self, original: dict) -> Namespace:
        namespace = self._namespaces.get(id(original))
        if namespace is None:
            list_names = self.outside.notes.keys
            namespace = self._namespaces[id(original)] = Namespace(self._fetch, list_names, self.builtins, original)
            self.outside.relieve(original)
        return namespace

    def _fetch(self, original: dict, name: str) -> Any:
        """Return what the copies see of a global, and remember that it was read."""
        value = original.get(name, ABSENT)
        self.outside.captured[id(original), name] = (original, value)
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
        self.outside.captured[id(vars(builtins)), name] = (vars(builtins), own)
        return self.builtins[name] if own is ABSENT else self.substitute(own, name)

    def _closure(self, function: FunctionType) -> tuple[CellType, ...] | None:
        if function.__closure__ is None:
            return None
        names = function.__code__.co_freevars
        return tuple(self._cell(cell, name) for cell, name in zip(function.__closure__, names, strict=True))

    def _cell(self, cell: CellType, name: str) -> CellType:
        """Return the cell of ours for an outer variable of the user's."""
        if id(cell) in self._cells:
            return self._cells[id(cell)][1]
        copied = CellType()
        self._cells[id(cell)] = (cell, copied, None)
        try:
            self.outside.relieve((cell.cell_contents,))
            value = cell.cell_contents
        except ValueError:  # a name that is not bound yet
            return copied
        self.outside.captured[id(cell), name] = (cell, value)
        is_varying = id(cell) in self.tracer.varying and isinstance(value, float)
        copied.cell_contents = self._varying(cell, value, name) if is_varying else self.substitute(value, name)
        self._cells[id(cell)] = (cell, copied, copied.cell_contents)
        return copied

    def _varying(self, cell: CellType, value: float, name: str) -> Any:
        """Return the input for the number of an outer variable that holds others in other runs."""
        leaf = Leaf(self.tracer.free_name(name), "captured")
        self.tracer.varying[id(cell)] = cell, leaf.name
        return self.tracer.leaf(leaf, value, ("", cell, ""))

    # Afterwards -------------------------------------------------------------------------------------------------------

    def assigned(self) -> Iterator[tuple[Any, str, Any]]:
        """Yield the user's globals and cells that the run has given values, each with its name and the value."""
        for namespace in self._namespaces.values():
            for name, value in namespace.assigned():
                yield namespace.original, name, value
        for cell, copied, given in self._cells.values():
            value = contents(copied)
            if value is not given and value is not ABSENT:
                yield cell, "cell_contents", value

    def users(self, function: FunctionType) -> FunctionType:
        """Return a function that the run made as one of the user's names, its variables settled."""
        namespace = namespace_of(function.__globals__)
        if namespace is None:
            return function
        outer = {id(copied): cell for cell, copied, _ in self._cells.values()}
        cells = tuple(outer.get(id(cell), cell) for cell in function.__closure__ or ())
        defaults = self.outside.settled(function.__defaults__)
        own = FunctionType(function.__code__, namespace.original, function.__name__, defaults, cells or None)
        own.__kwdefaults__ = self.outside.settled(function.__kwdefaults__)
        own.__dict__.update(function.__dict__)
        self.substitutes[id(own)] = own, function
        for cell in cells:
            if not any(cell is users for users in outer.values()) and contents(cell) is not ABSENT:
                cell.cell_contents = self.outside.settled(cell.cell_contents)
        return own


_OWN_BUILTINS = frozenset(("__debug__", "Ellipsis", "NotImplemented", "__build_class__", "__import__"))
