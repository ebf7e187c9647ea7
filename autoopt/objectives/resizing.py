"""An objective with other data: its arguments, and what it reads outside, with other numbers of rows.

    def make(X, y):                                   a copy of f whose cells hold X[:9], y[:9]
        def f(w): return np.sum((y - X @ w) ** 2)
        return f
    Model(df).loss                                    the same method of a copy of the object, whose frame has 9 rows

Nothing of the user's is changed: functions, objects and containers that hold none of these data stay as they are, the
others are copied. What is resized are arrays, tables and lists by the length of their first axis.
"""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable, Iterator, Mapping
from types import CellType, CodeType, FunctionType, MethodType, SimpleNamespace
from typing import Any

import numpy as np

from autoopt.objectives.original import Original
from autoopt.origin import DATA_MODULES, is_library
from autoopt.tracing.outside.watching import ABSENT, attribute, contents

_MOST_PARTS = 2000
"""Containers of more parts are looked into no further, unless they are resized themselves."""


def resized(
    original: Original,
    lengths: Mapping[int, int],
    chosen: Callable[[int, int], np.ndarray],
    counts: bool = False,
    alone: np.ndarray | None = None,
    values: Callable[[np.ndarray], np.ndarray] | None = None,
) -> Original:
    """Return the same objective of data with other numbers of rows, or other values.

    Parameters
    ----------
    original : Original
    lengths : mapping of int to int
        The number of rows that those have which now have another one.
    chosen : callable
        `chosen(length, rows)` gives the positions of the rows of data of that length that are taken.
    counts : bool
        Whether whole numbers that are such a length are the new one in what the objective reads beside its arguments,
        too: those in arguments are, as `n` of a dictionary of data is, where the source says that they must be.
    alone : ndarray, optional
        The only array that is resized.
    values : callable, optional
        What is made of arrays, and of columns of tables, once they are resized.
    """
    copies = _Copies({length: chosen(length, rows) for length, rows in lengths.items()})
    copies.alone, copies.values = alone, values
    copies.counts = lengths if original.as_data or counts else {}
    args = copies.of(original.args)
    copies.counts = lengths if counts else {}
    function = copies.of(original.function)
    other = Original(function, args, original.structure, original.start, original.scalar)
    other.as_data = original.as_data
    return other


def repeated(length: int, rows: int) -> np.ndarray:
    """Return the positions of so many of the first rows, all of them again and again if there are fewer."""
    return np.resize(np.arange(length), rows)


class _Copies:
    """The copies that were made of what holds data, by identity."""

    def __init__(self, rows: Mapping[int, np.ndarray]) -> None:
        self.rows = rows
        self.counts: Mapping[int, int] = {}
        self.alone: np.ndarray | None = None
        self.values: Callable[[np.ndarray], np.ndarray] | None = None
        self._known: dict[int, tuple[Any, Any]] = {}
        self._spaces: dict[int, dict[str, Any]] = {}

    def of(self, value: Any) -> Any:
        """Return a value with the data that it holds resized, itself if it holds none."""
        if type(value) in _PLAIN:
            return type(value)(self.counts.get(value, value)) if type(value) in (int, np.int64) else value
        if (known := self._known.get(id(value))) is not None:
            return known[1]
        self._known[id(value)] = value, value  # which it is to what it holds itself
        made = self._made(value)
        self._known[id(value)] = value, made
        return made

    def _made(self, value: Any) -> Any:
        kind = type(value)
        if isinstance(value, np.ndarray):
            return self._array(value)
        if kind.__module__.startswith(DATA_MODULES):
            return self._table(value)
        if kind in (list, tuple) and len(value) in self.rows and self.alone is None and not any(map(_is_long, value)):
            return kind(value[k] for k in self.rows[len(value)])
        if isinstance(value, dict | list | tuple):
            return self._container(value)
        if isinstance(value, FunctionType):
            return value if is_library(value.__code__) else self._function(value)
        if isinstance(value, MethodType):
            function, owner = self.of(value.__func__), self.of(value.__self__)
            same = function is value.__func__ and owner is value.__self__
            return value if same else MethodType(function, owner)
        if isinstance(value, functools.partial):
            parts = self.of(value.func), self.of(value.args), self.of(dict(value.keywords))
            return functools.partial(parts[0], *parts[1], **parts[2])
        if isinstance(value, type) or kind.__module__ in ("builtins", "numpy"):
            return value
        return self._object(value)

    def _array(self, value: np.ndarray) -> np.ndarray:
        if self.alone is not None and value is not self.alone:
            return value
        if not value.ndim or len(value) not in self.rows:
            return value
        taken = value[self.rows[len(value)]]
        return self.values(taken) if self.values else taken

    def _table(self, value: Any) -> Any:
        """Return a table of a data library, or a sparse matrix, with other rows."""
        shape = getattr(value, "shape", ())
        if self.alone is not None or not shape or shape[0] not in self.rows:
            return value
        rows = self.rows[shape[0]]
        if hasattr(value, "iloc"):
            taken = value.iloc[rows]
            plain = type(value.index).__name__ == "RangeIndex"
            taken = taken.reset_index(drop=True) if plain else taken
            if self.values and hasattr(taken, "columns") and taken.columns.is_unique:
                numbers = [name for name in taken.columns if getattr(taken[name].dtype, "kind", "O") in "biuf"]
                made = {name: self.values(taken[name].to_numpy()) for name in numbers}
                return taken.assign(**{name: new for name, new in made.items() if isinstance(name, str)})
            return taken
        if hasattr(value, "tocsr"):
            return value.tocsr()[rows].asformat(value.format)
        return value[rows] if hasattr(value, "__getitem__") else value

    def _container(self, value: Any) -> Any:
        """Return a container of which parts are resized."""
        if len(value) > _MOST_PARTS:
            return value
        if isinstance(value, dict):
            parts = {key: self.of(part) for key, part in value.items()}
            if all(parts[key] is part for key, part in value.items()):
                return value
            made = copy.copy(value)
            made.update(parts)
            return made
        parts_ = [self.of(part) for part in value]
        if all(new is old for new, old in zip(parts_, value, strict=True)):
            return value
        if hasattr(type(value), "_make"):
            return type(value)._make(parts_)
        return type(value)(parts_)

    def _object(self, value: Any) -> Any:
        """Return an object some attributes of which are resized."""
        held = attribute(value, "__dict__")
        if not isinstance(held, dict) or isinstance(value, BaseException):
            return value
        try:
            made = SimpleNamespace() if type(value) is SimpleNamespace else object.__new__(type(value))
        except TypeError:  # its class is written in C
            return value
        self._known[id(value)] = value, made
        parts = {name: self.of(part) for name, part in held.items()}
        if all(parts[name] is part for name, part in held.items()):
            return value
        attribute(made, "__dict__").update(parts)
        return made

    def _function(self, function: FunctionType) -> FunctionType:
        """Return a copy of a function whose outer variables, globals or defaults hold resized data."""
        cells = function.__closure__ or ()
        given, space = tuple(CellType() for _ in cells), function.__globals__
        names = [name for name in _names(function.__code__) if name in space]
        copied = self._spaces.get(id(space), space)
        changed = {name: new for name in names if (new := self.of(space[name])) is not space[name]}
        if changed:
            copied = self._spaces.setdefault(id(space), dict(space))
            copied.update(changed)
        defaults = self.of(function.__defaults__)
        made = FunctionType(function.__code__, copied, function.__name__, defaults, given)
        made.__kwdefaults__ = self.of(function.__kwdefaults__)
        made.__dict__.update(function.__dict__)
        made.__qualname__, made.__module__ = function.__qualname__, function.__module__
        self._known[id(function)] = function, made
        same = not changed and defaults is function.__defaults__ and made.__kwdefaults__ is function.__kwdefaults__
        for new, cell in zip(given, cells, strict=True):
            held = contents(cell)
            if held is not ABSENT:
                new.cell_contents = part = self.of(held)
                same = same and (part is held or part is made)
        return function if same else made


_PLAIN = frozenset((float, int, bool, str, bytes, complex, type(None), np.float64, np.int64, np.bool_))


def _is_long(part: Any) -> bool:
    """Whether an entry of a list is itself a set of data, not a row of it."""
    if type(part).__module__.startswith(DATA_MODULES):
        return True
    return isinstance(part, np.ndarray) and part.ndim > 0 and len(part) > _ROW


_ROW = 64
"""Rows of a list of arrays are not longer."""


def _names(code: CodeType) -> Iterator[str]:
    """Yield the names that a function may look up among its globals, those of functions in it included."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)
