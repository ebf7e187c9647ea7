"""Stand-ins for polars objects: numeric columns are inputs of the tape, all else stays polars.

What involves data alone is done by polars itself. Arithmetic with a value of the trace is done twice, by polars on the
plain numbers and by NumPy on the traced ones, and refused where the two differ. polars is not imported here.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Collection, Iterator
from typing import Any

import numpy as np

from autoopt.errors import UnsupportedFunctionError
from autoopt.tape.tape import PARAMETER
from autoopt.tracing.arrays import functions, ufuncs
from autoopt.tracing.arrays.disguised import Disguised, add_operators
from autoopt.tracing.frames.labelled import Labelled, agree
from autoopt.tracing.frames.library import DataLibrary
from autoopt.tracing.outside.notes import Notes


class Polars(Labelled):
    """The polars objects of one trace."""

    def wrap(self, value: Any, name: Any = None) -> Any:
        """Return the stand-in for what polars gave."""
        kind = type(value)
        if kind in (tuple, list):
            return kind([self.wrap(part) for part in value])
        if kind is dict:
            return {key: self.wrap(part) for key, part in value.items()}
        if not kind.__module__.startswith("polars.") or isinstance(value, type):
            return value
        if kind.__name__ == "Series":
            return Column(self, value)
        plain = hasattr(value, "is_numeric") or kind.__name__ in ("Expr", "Schema")
        return value if plain else Object(self, value)

    def plain(self, value: Any) -> Any:
        """Return `value` for polars: stand-ins as the objects that they stand for, traced data as numbers."""
        kind = type(value)
        if kind in (Column, Object):
            return value._original
        if kind is self.tracer.array:
            return self.tracer.guard(value, "array", value.value)
        if kind in (list, tuple):
            return kind([self.plain(part) for part in value])
        return {key: self.plain(part) for key, part in value.items()} if kind is dict else value

    def call(self, function: Callable, args: tuple, kwargs: dict) -> Any:
        """Call a function or class of polars on data alone."""
        return self.apply(function, f"pl.{function.__name__}", args, kwargs)

    def apply(self, function: Callable, name: str, args: tuple, kwargs: dict) -> Any:
        """Call a function or method on data alone; `name` is what a refusal calls it."""
        if self.follows((args, kwargs)):
            raise self.refusal(name)
        return self.wrap(function(*self.plain(args), **self.plain(kwargs)))

    def refusal(self, what: str) -> UnsupportedFunctionError:
        """Return the error for an operation of polars on values that depend on the parameters."""
        return UnsupportedFunctionError(
            f"The objective calls {what} of polars with values that depend on the parameters; this is not followed.",
            self.tracer.location(),
            "use .to_numpy() and NumPy functions there, with missing values dropped before.",
        )


class Object:
    """Stands in for a polars object that is no Series: a DataFrame, groups, a namespace of methods."""

    def __init__(self, polars: Polars, original: Any) -> None:
        self._polars, self._original = polars, original
        self._dense: Any = None

    @property
    def __class__(self):
        return type(self._original)

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self._original, name)
        if callable(attribute):
            return lambda *args, **kwargs: self._polars.apply(attribute, f".{name}", args, kwargs)
        return self._polars.wrap(attribute)

    def __getitem__(self, key: Any) -> Any:
        if type(key) is not str:
            pieces, part = self._polars.pieces, self._original[self._polars.plain(key)]
            return self._polars.wrap(pieces.note(part, pieces.of(self._original), pieces.subscript(key)))
        columns, label = self._polars.columns, (id(self._original), key)
        if label not in columns:
            pieces, column = self._polars.pieces, self._original[key]
            columns[label] = (
                self._original,
                self._polars.wrap(pieces.note(column, pieces.of(self._original), pieces.subscript(key))),
            )
        return columns[label][1]

    def get_column(self, name: str) -> Any:
        """Return a column."""
        return self[name]

    def as_traced(self) -> Any:
        """Return what np.asarray gives for it."""
        if self._dense is None:
            self._dense = self._polars.leaf("data", self._original.to_numpy(), self._original)
        return self._dense

    def to_numpy(self, **kwargs: Any) -> Any:
        """Return the numbers, an input of the tape."""
        return self._original.to_numpy(**kwargs) if kwargs else self.as_traced()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.asarray(self._original, dtype=dtype)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        operands = [part.as_traced() if type(part) is Object else self._polars.traced(part) for part in inputs]
        return getattr(ufunc, method)(*operands, **kwargs)

    def __len__(self) -> int:
        return len(self._original)

    def __iter__(self) -> Iterator:
        return map(self._polars.wrap, self._original)

    def __contains__(self, item: Any) -> bool:
        return item in self._original

    def __repr__(self) -> str:
        return repr(self._original)


class Column(Disguised):
    """Stands in for a Series.

    Attributes
    ----------
    _original : Series
        Its plain numbers.
    _values : TracedArray or None
        Its numbers on the tape; for data, an input that is made when first asked for.
    """

    __slots__ = ("_original", "_polars", "_values")
    _hidden = "array of it"

    def __init__(self, polars: Polars, original: Any, values: Any = None) -> None:
        self._polars, self._original, self._values = polars, original, values

    @property
    def __class__(self):
        return type(self._original)

    @property
    def _follows(self) -> bool:
        return self._values is not None and self._values.level == PARAMETER

    def as_traced(self) -> Any:
        """Return what np.asarray gives for it."""
        if self._values is None:
            self._values = self._polars.leaf(self._original.name or "data", self._original.to_numpy(), self._original)
        return self._values

    shape = property(lambda self: self._original.shape)
    dtype = property(lambda self: self._original.dtype)
    ndim = property(lambda self: 1)
    size = property(lambda self: self.__getattr__("size"))
    T = real = Disguised.imag

    def to_numpy(self, **kwargs: Any) -> Any:
        """Return the numbers, traced."""
        return self.as_traced()

    def to_list(self) -> list:
        """Return the numbers one by one."""
        values = self.as_traced()
        return values.tolist() if type(values) is self._polars.tracer.array else self._original.to_list()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.asarray(self._values if self._follows else self._original, dtype=dtype)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if method == "__call__" and not kwargs and len(inputs) < 3:
            return _operate(self._polars, ufunc, ufunc, inputs)
        inputs, kwargs = self._polars.traced(inputs), self._polars.traced(kwargs)
        return ufuncs.call_ufunc(self._polars.tracer, ufunc, method, inputs, kwargs)

    def __array_function__(self, function: Callable, types: Any, args: tuple, kwargs: dict) -> Any:
        args, kwargs = self._polars.traced(args), self._polars.traced(kwargs)
        return functions.call_function(self._polars.tracer, function, args, kwargs)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name in Column.__slots__:
            raise AttributeError(name)
        if self._follows:
            if name not in _METHODS:
                raise self._polars.refusal(f".{name}")
            return lambda *args, **kwargs: self._method(name, args, kwargs)
        attribute = getattr(self._original, name)
        if not callable(attribute):
            return self._polars.wrap(attribute)
        return lambda *args, **kwargs: self._method(name, args, kwargs, attribute)

    def _method(self, name: str, args: tuple, kwargs: dict, original: Callable | None = None) -> Any:
        polars = self._polars
        if not polars.follows((self, args, kwargs)):
            return polars.apply(original, f".{name}", args, kwargs)
        if name not in _METHODS:
            raise polars.refusal(f".{name}")
        expected = getattr(self._original, name)(*_numbers(polars, args), **kwargs)
        return _agreed(polars, expected, _METHODS[name](self.as_traced(), *polars.traced(args), **kwargs), f".{name}")

    def __getitem__(self, key: Any) -> Any:
        settled = self._polars.plain(key)
        if not self._follows:
            return self._polars.wrap(self._original[settled])
        positions = type(self._original)(np.arange(len(self._original)))[settled]
        if isinstance(positions, int):
            return self._values[positions]
        return Column(self._polars, self._original[settled], self._values[positions.to_numpy()])

    def __setitem__(self, key: Any, value: Any) -> None:
        raise self._polars.refusal("an assignment")

    def __len__(self) -> int:
        return len(self._original)

    def __iter__(self) -> Iterator:
        values = self.as_traced()
        return iter(values) if type(values) is self._polars.tracer.array else iter(self._original)

    def __contains__(self, item: Any) -> bool:
        return item in self._original

    def __bool__(self) -> bool:
        return bool(self._original)

    def __repr__(self) -> str:
        return repr(self._original)


_METHODS: dict[str, Callable] = {
    **{name: getattr(np, name) for name in ("sum", "mean", "min", "max", "median", "abs", "exp", "sqrt", "sin", "cos")},
    "std": lambda values, ddof=1: np.std(values, ddof=ddof),
    "var": lambda values, ddof=1: np.var(values, ddof=ddof),
    "product": np.prod,
    "cum_sum": np.cumsum,
    "log1p": np.log1p,
    "log": np.log,
    "tanh": np.tanh,
    "dot": lambda values, other: values @ other,
    "len": len,
    "pow": lambda values, other: values**other,
    "clip": lambda values, lower_bound=None, upper_bound=None: np.clip(values, lower_bound, upper_bound),
}
"""What polars' methods do to traced values."""


def _numbers(polars: Polars, value: Any) -> Any:
    """Return `value` for polars with what is traced as the numbers of this run."""
    if type(value) in (list, tuple):
        return type(value)([_numbers(polars, part) for part in value])
    return value.value if type(value) is polars.tracer.array else polars.plain(value)


def _agreed(polars: Polars, expected: Any, values: Any, what: str) -> Any:
    """Return the stand-in for `found`, which polars has as `expected`; they must agree."""
    series = type(expected).__name__ == "Series"
    plain = expected.to_numpy() if series else expected
    numbers = getattr(values, "value", values)
    if not agree(plain, numbers):
        raise polars.refusal(what)
    return Column(polars, expected, values) if series and type(values) is polars.tracer.array else values


def _operate(polars: Polars, ufunc: Callable, compute: Callable, operands: tuple) -> Any:
    """Return `compute(*operands)`, one of which is a column."""
    if not polars.follows(operands):
        return polars.wrap(compute(*polars.plain(operands)))
    operands = tuple(polars.tracer.whole(part) for part in operands)
    with np.errstate(all="ignore"):
        expected = compute(*_numbers(polars, operands))
    values = polars.tracer.elementwise(ufunc, polars.traced(operands))
    return _agreed(polars, expected, values, f"np.{ufunc.__name__}")


_OPERATORS = {
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "truediv": np.true_divide, "floordiv": np.floor_divide,
    "mod": np.remainder, "pow": np.power, "matmul": np.matmul, "and": np.bitwise_and, "or": np.bitwise_or,
}  # fmt: skip
_COMPARISONS = {
    "lt": np.less, "le": np.less_equal, "gt": np.greater, "ge": np.greater_equal, "eq": np.equal, "ne": np.not_equal,
}  # fmt: skip
_UNARY = {"neg": np.negative, "abs": np.absolute, "invert": np.invert, "pos": np.positive}

add_operators(Column, _OPERATORS, _COMPARISONS, lambda column, *rest: _operate(column._polars, *rest))
for _name, _ufunc in _UNARY.items():
    _operator = getattr(operator, f"__{_name}__")

    def _alone(self, _ufunc=_ufunc, _compute=_operator):
        return _operate(self._polars, _ufunc, _compute, (self,))

    setattr(Column, f"__{_name}__", _alone)


def _note(notes: Notes, table: Any) -> Collection:
    """Remember an object by its columns, with what is in them."""
    if hasattr(type(table), "equals") and hasattr(type(table), "clone"):
        kept = table.clone()
        notes.add(lambda: bool(table.equals(kept)))
    return ()  # expressions, and pl.col, whose every attribute is a column, do not change


LIBRARY = DataLibrary(Polars, _note, reads_files=lambda name: name.startswith(("read_", "scan_")))
