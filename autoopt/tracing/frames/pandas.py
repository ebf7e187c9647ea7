"""Stand-ins for pandas objects: their numeric columns are inputs of the tape, all else stays pandas.

What involves data alone is done by pandas itself, on the original object. Once a value of the trace takes part, the
calculation is done twice: by pandas on the plain numbers, which gives index, labels and shape, and by NumPy on the
traced values; where the two differ (missing values, labels that do not line up) the operation is refused. pandas is not
imported here.
"""

from __future__ import annotations

import functools
import operator
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from autoopt.errors import TracingError, UnsupportedFunctionError
from autoopt.tape.tape import PARAMETER
from autoopt.tracing.arrays import functions, ufuncs
from autoopt.tracing.arrays.array import TracedArray
from autoopt.tracing.arrays.operators import ARITHMETIC, COMPARISONS
from autoopt.tracing.frames import pandas_watching
from autoopt.tracing.frames.labelled import Labelled, add_operators, agree
from autoopt.tracing.frames.library import DataLibrary
from autoopt.tracing.frames.pandas_expressions import evaluated
from autoopt.tracing.frames.pandas_groups import Groups
from autoopt.tracing.frames.pandas_methods import BINARY, METHODS, REDUCTIONS, SKIPPING, skipping
from autoopt.tracing.frames.pandas_places import rearranged
from autoopt.tracing.frames.pandas_windows import Weighted, Windows
from autoopt.tracing.standins.types import real


class Frames(Labelled):
    """The pandas objects of one trace."""

    def call(self, function: Callable, args: tuple, kwargs: dict) -> Any:
        """Call a function or class of pandas: on data alone, or to give traced values an index."""
        if not self.follows((args, kwargs)):
            return self.wrap(function(*self.settled(args), **{key: self.settled(part) for key, part in kwargs.items()}))
        label = f"pd.{function.__name__}"
        given = args[0] if args else None
        parts = given.values() if type(given) is dict else given if type(given) in (list, tuple) else [given]
        labelled = any(type(part) in (dict, Table) for part in parts)
        if function.__name__ in _PLACING_FUNCTIONS or (function in _pandas() and (len(args) != 1 or labelled)):
            if function.__name__ == "merge":
                check_keys(self, (*args[:2], *kwargs.values()), _joined_by("merge", args[1:], kwargs))
            return rearranged(self, lambda parts: function(*parts[0], **parts[1]), (args, kwargs), label)
        if function not in _pandas() or len(args) != 1 or self.follows(kwargs):
            raise self.refusal(label)
        expected = function(self.plain(given), **self.plain(kwargs))
        if type(given) is not dict:
            return self.both(expected, self.tracer.whole(self.traced(given)), label)
        if expected.ndim == 1:
            return self.both(expected, self.tracer.nested([self.traced(given[key]) for key in expected.index]), label)
        made = Table(self, expected)
        for key, column in given.items():
            if self.follows(column):
                made[key] = self.traced(self.tracer.whole(column))
        return made

    def wrap(self, value: Any, name: Any = None) -> Any:
        """Return the stand-in for what pandas gave."""
        kind = type(value)
        if kind is tuple:
            return tuple(self.wrap(part, name) for part in value)
        if kind.__module__.partition(".")[0] != "pandas":
            return value
        if kind.__name__ in ("Series", "DataFrame"):
            return Table(self, value, name=name)
        plain = kind.__name__.endswith(("Index", "Dtype", "Timestamp", "Timedelta", "NAType", "NaTType", "Categorical"))
        return value if plain else Other(self, value)

    def plain(self, value: Any) -> Any:
        """Return `value` for pandas: stand-ins as pandas objects, traced arrays as the numbers that they hold."""
        kind = type(value)
        if kind is Table:
            return value._plain
        if kind is Other:
            return value.original
        if kind is self.tracer.array:
            return value.value
        if kind in (list, tuple):
            return kind([self.plain(part) for part in value])
        if kind is dict:
            return {key: self.plain(part) for key, part in value.items()}
        return slice(*map(self.plain, (value.start, value.stop, value.step))) if kind is slice else value

    def settled(self, value: Any) -> Any:
        """Return `value` for an index: as `plain`, with a guard on what depends on the parameters."""
        kind = type(value)
        if kind is Table and value._follows:
            self.settled(value.values)
        elif kind is self.tracer.array:
            self.tracer.guard(value, "array", np.array(value.value))
        elif kind in (list, tuple):
            for part in value:
                self.settled(part)
        return self.plain(value)

    def both(self, expected: Any, found: Any, what: str) -> Any:
        """Return the stand-in for `found`, which pandas has as `expected`; they must agree."""
        if not agree(expected, getattr(found, "value", found)):
            raise self.refusal(what, "pandas lines up labels or skips missing values there, which is not followed")
        if type(found) is not self.tracer.array or not isinstance(expected, _pandas()):
            return found
        return Table(self, expected, found)

    def refusal(self, what: str, why: str = "which is not followed") -> TracingError:
        """Return the error for an operation of pandas on values that depend on the parameters."""
        return UnsupportedFunctionError(
            f"The objective calls {what} of a pandas object that depends on the parameters; {why}.",
            self.tracer.location(),
            "use .to_numpy() and NumPy functions there, with missing values dropped before.",
        )


def _pandas() -> tuple:
    """Return pandas' Series and DataFrame; pandas is loaded, since the user's objects come from it."""
    pandas = sys.modules["pandas"]
    return pandas.Series, pandas.DataFrame


_PLACING_FUNCTIONS = ("concat", "merge", "melt", "pivot")


class Other:
    """Stands in for a pandas object that is neither Series nor DataFrame, such as an indexer or groups."""

    def __init__(self, frames: Frames, original: Any) -> None:
        self.frames, self.original = frames, original

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.original, name)
        return _Call(self.frames, found, name) if callable(found) else self.frames.wrap(found)

    def __getitem__(self, key: Any) -> Any:
        return self.frames.wrap(self.original[self.frames.settled(key)])

    def __setitem__(self, key: Any, value: Any) -> None:
        if self.frames.follows(value):
            raise self.frames.refusal("an assignment to a part", "it changes the data")
        self.original[self.frames.settled(key)] = self.frames.plain(value)

    def __iter__(self) -> Iterator:
        return map(self.frames.wrap, self.original)

    def __len__(self) -> int:
        return len(self.original)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return _Call(self.frames, self.original, type(self.original).__name__)(*args, **kwargs)


class _Call:
    """A method of a pandas object that holds data alone."""

    def __init__(self, frames: Frames, method: Callable, name: str) -> None:
        self.frames, self.method, self.name = frames, method, name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        frames = self.frames
        if frames.follows((args, kwargs)):
            raise frames.refusal(f".{self.name}")
        found = self.method(*frames.plain(args), **frames.plain(kwargs))
        lazy = not isinstance(found, np.ndarray) and hasattr(found, "__next__")
        return map(frames.wrap, found) if lazy else frames.wrap(found)


class Table(TracedArray):
    """Stands in for a Series or DataFrame.

    A subclass of the traced array for one reason: Python then asks it first in `traced * table`. Nothing is inherited
    in earnest.

    Attributes
    ----------
    _original : Series or DataFrame
        Its plain numbers and labels.
    values : TracedArray
        Its numbers on the tape; for data, an input that is made when first asked for.
    """

    __slots__ = ("_columns", "_frames", "_name", "_original", "_shown", "_traced")

    def __init__(self, frames: Frames, original: Any, traced: Any = None, name: Any = None) -> None:
        self._frames, self._original, self._traced, self._name = frames, original, traced, name
        self._columns: dict[Any, Any] = {}
        self._shown: Any = None

    @property
    def __class__(self):
        return type(self._original)

    @property
    def _follows(self) -> bool:
        """Whether this depends on more than data."""
        return bool(self._columns) or (self._traced is not None and self._traced.level == PARAMETER)

    @property
    def _plain(self) -> Any:
        """What pandas has in its place: with the columns that were assigned in the objective, in numbers."""
        if not self._columns or not self._is_frame:
            return self._original
        columns = list(self._columns.values())
        if self._shown is None or self._shown[0] != [id(self._original), *map(id, columns)]:
            made = self._original.copy()
            for label, column in self._columns.items():
                made[label] = column._original.to_numpy()
            self._shown = [id(self._original), *map(id, columns)], made
        return self._shown[1]

    @property
    def values(self) -> Any:
        if self._columns and not self._is_frame:
            raise self._frames.refusal(".values", "some of its entries are no numbers")
        if self._columns:
            frames, columns = self._frames, [self[label].values for label in self._plain.columns]
            if not all(type(column) is frames.tracer.array for column in columns):
                raise frames.refusal(".values", "some of its columns are no numbers")
            return functions.call_function(frames.tracer, np.stack, (columns,), {"axis": 1})
        if self._traced is None:
            numbers = self._original.to_numpy()
            if numbers.dtype.kind not in "fiub":
                return numbers
            label = self._name if self._is_frame or self._original.name is None else self._original.name
            self._traced = self._frames.leaf("data" if label is None else label, numbers)
        return self._traced

    @property
    def _is_frame(self) -> bool:
        return self._original.ndim == 2

    # What the traced array has must not show through

    shape = property(lambda self: self._plain.shape)
    ndim = property(lambda self: self._plain.ndim)
    size = property(lambda self: self._plain.size)
    dtype = property(lambda self: self._plain.dtype)
    T = property(lambda self: self._part(lambda table: table.T))
    real = imag = flat = nbytes = itemsize = mT = property(lambda self: self.__getattr__("array of it"))

    cast = property(lambda self: self.__getattr__("cast"))
    current = property(lambda self: self.__getattr__("current"))
    duplicate = property(lambda self: self.__getattr__("duplicate"))

    def __len__(self) -> int:
        return len(self._original)

    def __repr__(self) -> str:
        return repr(self._plain)

    __str__ = __repr__
    __format__ = object.__format__

    def __hash__(self) -> int:
        return hash(self._original)

    def __bool__(self) -> bool:
        return bool(self._original)

    def as_traced(self) -> Any:
        """Return what np.asarray gives for it."""
        return self.values

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.asarray(self.values if self._follows else self._original, dtype=dtype)

    def __float__(self) -> float:
        return float(self._only())

    def __int__(self) -> int:
        return int(self._only())

    def _only(self) -> Any:
        return self.values.reshape(-1)[0] if self._original.size == 1 else self._original

    def __iter__(self) -> Iterator:
        return iter(self._plain) if self._is_frame else iter(self.values)

    def __contains__(self, item: Any) -> bool:
        return item in self._columns or self._frames.plain(item) in self._original

    # Dispatch

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        frames = self._frames
        if method == "__call__" and not kwargs and len(inputs) < 3:
            return _operate(frames, ufunc, ufunc, inputs)
        if not frames.follows((inputs, kwargs)):
            return frames.wrap(getattr(ufunc, method)(*frames.plain(inputs), **frames.plain(kwargs)))
        return ufuncs.call_ufunc(self._frames.tracer, ufunc, method, frames.traced(inputs), frames.traced(kwargs))

    def __array_function__(self, function: Callable, types: Any, args: tuple, kwargs: dict) -> Any:
        """Call a NumPy function; those that NumPy hands to the object's own method of that name go to that method."""
        own = METHODS.get(function.__name__)
        if args and type(args[0]) is Table and own is not None and function.__name__ in _HANDED_ON:
            if function in (np.std, np.var):
                kwargs = {"ddof": 0, **kwargs}
            return getattr(args[0], function.__name__)(*args[1:], **kwargs)
        args, kwargs = self._frames.traced(args), self._frames.traced(kwargs)
        return functions.call_function(self._frames.tracer, function, args, kwargs)

    # Parts

    def _part(self, pick: Callable) -> Any:
        """Return what `pick` takes from this; the same positions are taken from the traced values."""
        if not self._follows:
            return self._frames.wrap(pick(self._original), self._name)
        return rearranged(self._frames, pick, self, "a part")

    def __getitem__(self, key: Any) -> Any:
        settled = self._frames.settled(key)
        if type(settled) is not slice and _hashable(settled):
            if settled in self._columns:
                return self._columns[settled]
            if (
                self._is_frame
                and self._traced is None
                and settled in self._original.columns
                and self._original.columns.is_unique
            ):
                return self._column(settled)
        return self._part(lambda table: table[settled])

    def _column(self, label: Any) -> Any:
        """Return a column of data, the same stand-in each time."""
        known, key = self._frames.columns, (id(self._original), label)
        if key not in known:
            known[key] = self._original, self._frames.wrap(self._original[label])
        return known[key][1]

    def __setitem__(self, key: Any, value: Any) -> None:
        follows = self._frames.follows(value)
        if not follows and not self._follows:
            self._original[self._frames.settled(key)] = self._frames.plain(value)
            self._frames.columns.clear()
            self._traced = self._shown = None
            return
        if not self._is_frame or not _hashable(key):
            raise self._frames.refusal("an assignment to a part")
        self._spread()
        if not follows:
            made = self._plain.copy()
            made[key] = self._frames.plain(value)
            self._columns[key] = self._frames.wrap(made[key])
            return
        series = type(self._original.iloc[:, 0])
        if type(value) is not Table:
            plain = np.broadcast_to(self._frames.plain(value), len(self._original))
            value = functions.call_function(self._frames.tracer, np.broadcast_to, (value, plain.shape), {})
            value = Table(self._frames, series(plain, index=self._original.index), value)
        if not value._original.index.equals(self._original.index):
            index = self._original.index
            value = rearranged(self._frames, lambda given: given.reindex(index), value, "an assignment of a column")
        self._columns[key] = value

    def _spread(self) -> None:
        """Make columns of a frame that is one traced array, so that others can be put beside them."""
        if self._traced is not None and self._traced.level == PARAMETER:
            for k, label in enumerate(self._original.columns):
                self._columns[label] = Table(self._frames, self._original.iloc[:, k], self._traced[:, k])
        self._traced = None

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name in Table.__slots__:
            raise AttributeError(name)
        if self._is_frame and (name in self._columns or name in self._original.columns):
            return self[name]
        found = getattr(self._original, name)
        if name == "groupby":
            return lambda *args, **kwargs: Groups(self, args, kwargs, "groupby")
        if name in ("rolling", "expanding", "resample", "ewm") and self._frames.follows(self):
            kind = {"ewm": Weighted, "resample": Groups}.get(name, Windows)
            return lambda *args, **kwargs: kind(self, args, kwargs, name)
        if name == "ewm":
            return self._ewm
        if (
            not self._is_frame
            and self._follows
            and not hasattr(type(self._original), name)
            and name in self._plain.index
        ):
            return self[name]
        if name in ("loc", "iloc", "at", "iat"):
            return _Indexer(self, name)
        if name in BINARY:
            return lambda *args, **kwargs: self._binary(name, *args, **kwargs)
        if name in METHODS:
            return lambda *args, **kwargs: self._method(name, args, kwargs)
        if name in _ABOUT_LABELS:
            return getattr(self._plain, name)
        if name in PLACING or name in BY_SIZE:
            return lambda *args, **kwargs: self._placed(name, args, kwargs)
        if self._follows:
            raise self._frames.refusal(f".{name}")
        return _Call(self._frames, found, name) if callable(found) else self._frames.wrap(found)

    # Methods

    def insert(self, loc: int, column: Any, value: Any, **kwargs: Any) -> None:
        """Put a column among the others."""
        if self._columns or (self._traced is not None and self._follows):
            raise self._frames.refusal(".insert")
        if not self._frames.follows(value):
            self._original.insert(loc, column, self._frames.plain(value), **kwargs)
            return
        self._original = self._original.copy()
        self._original.insert(loc, column, 0.0, **kwargs)
        self[column] = value

    def assign(self, **columns: Any) -> Any:
        """Return a copy with more columns; a function makes one of the copy."""
        made = self.copy()
        for label, value in columns.items():
            made[label] = value(made) if callable(value) else value
        return made

    def apply(self, func: Any, axis: Any = 0, **kwargs: Any) -> Any:
        """Return what a function makes of each entry of a Series, or of each column or row of a frame."""
        frames, by_rows = self._frames, _AXES.get(axis, axis) == 1
        func = functools.partial(_applied, func, kwargs.pop("args")) if kwargs.get("args") else func
        if type(func) is str or not callable(func):
            return self.agg(func)
        if {"result_type", "raw", "convert_dtype"}.intersection(kwargs):
            raise frames.refusal(".apply with these options")
        if not self._is_frame:
            return self._listed([func(entry, **kwargs) for entry in self], ".apply")
        parts = [part for _, part in (self.iterrows() if by_rows else self.items())]
        found = [func(part, **kwargs) for part in parts]
        labels = self._plain.index if by_rows else self._plain.columns
        return self._assembled(found, labels, by_rows)

    def _assembled(self, found: list, labels: Any, by_rows: bool) -> Any:
        """Return one number or Series for each label as a Series or frame."""
        frames, (series, frame) = self._frames, _pandas()
        if not any(type(part) is Table or isinstance(part, series) for part in found):
            found = [frames.traced(part) for part in found]
            return rearranged(frames, lambda given: series(given, index=labels), found, ".apply")

        def join(given: list) -> Any:
            joined = frame(dict(enumerate(given)))
            joined.columns = labels
            return joined.T if by_rows else joined

        return rearranged(frames, join, found, ".apply")

    def agg(self, func: Any, axis: Any = 0, **kwargs: Any) -> Any:
        """Return one number, or one for each function or column."""
        if type(func) is str:
            return getattr(self, func)(**({"axis": axis} if axis else {}), **kwargs)
        if type(func) is dict and self._is_frame:
            found = {label: self[label].agg(part) for label, part in func.items()}
            return self._assembled(list(found.values()), list(found), False)
        if isinstance(func, list) and not self._is_frame:
            return self._assembled([self.agg(part) for part in func], [_named(part) for part in func], False)
        if not callable(func):
            raise self._frames.refusal(".agg of these functions")
        return self.apply(func, axis, **kwargs) if self._is_frame else func(self, **kwargs)

    aggregate = agg

    def transform(self, func: Any, axis: Any = 0, **kwargs: Any) -> Any:
        """Return what a function makes of this."""
        if type(func) is str:
            return getattr(self, func)(**kwargs)
        if self._is_frame or not callable(func):
            raise self._frames.refusal(".transform")
        return func(self, **kwargs)

    def pipe(self, func: Callable, *args: Any, **kwargs: Any) -> Any:
        """Return `func(self, ...)`."""
        return func(self, *args, **kwargs)

    def items(self) -> Iterator:
        """Return the labels with the entries of a Series, or with the columns of a frame."""
        if self._is_frame:
            return ((label, self[label]) for label in self._plain.columns)
        return zip(self._plain.index, self, strict=True)

    def iterrows(self) -> Iterator:
        """Return the labels with the rows of a frame."""
        if not self._follows:
            return ((label, self._frames.wrap(row)) for label, row in self._original.iterrows())
        return ((label, self.iloc[k]) for k, label in enumerate(self._plain.index))

    def to_dict(self, *args: Any, **kwargs: Any) -> Any:
        """Return the entries of a Series by their labels."""
        if not self._follows:
            return self._original.to_dict(*args, **kwargs)
        if self._is_frame or args or kwargs:
            raise self._frames.refusal(".to_dict")
        return dict(zip(self._plain.index, self, strict=True))

    def astype(self, dtype: Any, **kwargs: Any) -> Any:
        """Return the numbers in another precision, which is double in a trace."""
        dtype = real(dtype)
        if not self._follows:
            return self._frames.wrap(self._original.astype(dtype, **kwargs))
        if type(dtype) is dict or np.dtype(dtype) != np.float64:
            raise self._frames.refusal(".astype")
        return self._frames.both(self._plain.astype(dtype), self.values.cast(float), ".astype")

    def pivot_table(self, values: Any = None, index: Any = None, columns: Any = None, **options: Any) -> Any:
        """Return what groups by the labels of rows and columns have in common, by default their mean."""
        frames = self._frames
        known = {"aggfunc", "fill_value", "observed"}
        if not self._follows or type(values) is not str or set(options) - known:
            if frames.follows((self, options)):
                raise frames.refusal(".pivot_table with these options")
            return frames.wrap(self._original.pivot_table(values, index, columns, **options))
        aggfunc, fill_value = options.get("aggfunc", "mean"), options.get("fill_value")
        rows, across = (part if isinstance(part, list) else [] if part is None else [part] for part in (index, columns))
        made = self.groupby([*rows, *across])[values].agg(aggfunc)
        made = made.unstack(across) if across else made.to_frame(values)
        made = made if fill_value is None else made.fillna(fill_value)
        if type(aggfunc) is not str:
            return made
        plain = self._plain.pivot_table(values, index, columns, **options)
        if not (plain.index.equals(made._plain.index) and plain.columns.equals(made._plain.columns)):
            raise frames.refusal(".pivot_table", "it leaves out what is missing")
        return frames.both(plain, made.values, ".pivot_table")

    def _ewm(self, *args: Any, **kwargs: Any) -> Any:
        """Return exponential weights, of data with a decay that is followed."""
        if self._frames.follows((args, kwargs)):
            return Weighted(self, args, kwargs, "ewm")
        return _Call(self._frames, self._original.ewm, "ewm")(*args, **kwargs)

    def eval(self, expr: str, **kwargs: Any) -> Any:
        """Return the value of an expression of the columns; `@name` is a name of the objective."""
        return evaluated(self, expr, sys._getframe(1), kwargs)

    def query(self, expr: str, **kwargs: Any) -> Any:
        """Return the rows for which an expression of the columns is true."""
        if kwargs:
            raise self._frames.refusal(".query with options")
        return self[evaluated(self, expr, sys._getframe(1), {})]

    def map(self, arg: Any, na_action: Any = None) -> Any:
        """Return what a function, a dictionary or a Series has for each entry."""
        frames = self._frames
        if type(arg) is Table and frames.follows(arg):
            places = arg._original.index.get_indexer(self._original)
            if np.any(places < 0):
                raise frames.refusal(".map", "some labels are missing")
            return self._listed(list(arg.values[places]), ".map")
        if type(arg) is dict and frames.follows(arg):
            return self._listed([arg.get(key, np.nan) for key in self._original], ".map")
        if callable(arg) and type(arg) is not Table and not self._is_frame:
            return self._listed([arg(entry) for entry in self], ".map")
        return _Call(frames, self._original.map, "map")(arg, na_action)

    def dropna(self, *args: Any, **kwargs: Any) -> Any:
        """Return this without what is missing."""
        if kwargs.get("inplace") and self._follows:
            raise self._frames.refusal(".dropna(inplace=True)", "it changes the data")
        return self._part(lambda table: table.dropna(*args, **kwargs))

    def _listed(self, found: list, what: str) -> Any:
        """Return a Series of this one's index with the numbers of `found`, which may be of the trace."""
        series = _pandas()[0](
            self._frames.plain(found), index=self._original.index, name=getattr(self._original, "name", None)
        )
        if not self._frames.follows(found):
            return self._frames.wrap(series)
        return self._frames.both(
            series, self._frames.tracer.nested([self._frames.traced(part) for part in found]), what
        )

    def _method(self, name: str, args: tuple, kwargs: dict) -> Any:
        frames = self._frames
        if kwargs.get("inplace") and frames.follows((self, args, kwargs)):
            raise frames.refusal(f".{name}(inplace=True)", "it changes the data")
        expected = getattr(self._plain, name)(*frames.plain(args), **frames.plain(kwargs))
        if not self._follows and not frames.follows((args, kwargs)):
            return frames.wrap(expected)
        if name == "dot":
            if not _lined_up((self, *args), True):
                left, right = _aligned(frames, (self, args[0]), True)
                return left._method(name, (right,), kwargs)
        else:
            args, kwargs = tuple(map(self._like, args)), {key: self._like(part) for key, part in kwargs.items()}
        values, options = self.values, _by_number(frames.traced(kwargs), self._is_frame, name)
        if name in SKIPPING and kwargs.get("skipna", True) and (missing := _missing(frames, values)) is not None:
            found = skipping(name, values, missing, *frames.traced(args), **options)
        else:
            found = METHODS[name](values, *frames.traced(args), **options)
        return frames.both(expected, found, f".{name}")

    def _like(self, value: Any) -> Any:
        """Return an argument with the labels of this in the same order, as pandas takes it."""
        if callable(value) and type(value) is not Table:
            return self._like(value(self))  # where and mask take functions of this
        if type(value) is not Table or _lined_up((self, value)):
            return value
        if value._is_frame != self._is_frame:
            raise self._frames.refusal("a method", "the labels of its operands are not the same")
        plain = self._plain
        return rearranged(self._frames, lambda given: given.reindex_like(plain), value, "a method of two tables")

    def _binary(self, name: str, other: Any, axis: Any = "columns", level: Any = None, fill_value: Any = None) -> Any:
        """Apply an operator by its name: labels are lined up, and one of two missing values may be another number."""
        frames, ufunc = self._frames, BINARY[name.removeprefix("r") if name.startswith("r") else name]
        options = {"axis": axis} if self._is_frame else {}
        options |= {key: part for key, part in (("level", level), ("fill_value", fill_value)) if part is not None}
        if not frames.follows((self, other)):
            return frames.wrap(getattr(self._original, name)(frames.plain(other), **frames.plain(options)))
        other = frames.tracer.whole(other)
        with np.errstate(all="ignore"):
            expected = getattr(self._plain, name)(frames.plain(other), **frames.plain(options))
        if level is not None:
            raise frames.refusal(f".{name}(level=...)")
        along, left, right = _AXES.get(axis, axis), self, other
        if type(other) is Table and not (self._is_frame and not other._is_frame and along == 0):
            left, right = (self, other) if _lined_up((self, other)) else _aligned(frames, (self, other))
        elif type(other) is Table:
            left, right = _aligned(frames, (self, other), axis=0)
        if left is not self or right is not other:
            _check_labels(frames, expected, (left, right))
        one, two = left.values, frames.traced(right)
        if self._is_frame and along == 0 and np.ndim(two) == 1:
            two = two[:, None]
        if fill_value is not None:
            one, two = _filled(frames, one, two, fill_value)
        found = _elementwise(frames, ufunc, (two, one) if name.startswith("r") else (one, two), expected)
        return frames.both(expected, found, f".{name}")

    def _placed(self, name: str, args: tuple, kwargs: dict) -> Any:
        """Call a method that puts entries elsewhere, or that says where they are."""
        frames, what = self._frames, f".{name}"
        if name in _EXTREMES and self._follows and not self._is_frame and not args and not kwargs:
            place = int(_EXTREMES[name](self.values))
            found = place if name.startswith("arg") else self._plain.index[place]
            if found != getattr(self._plain, name)():
                raise frames.refusal(what, "some values are missing")
            return found
        if not frames.follows((self, args, kwargs)):
            return _Call(frames, getattr(self._original, name), name)(*args, **kwargs)
        if kwargs.get("inplace"):
            raise frames.refusal(f"{what}(inplace=True)", "it changes the data")
        if "key" in kwargs and name in BY_SIZE:
            raise frames.refusal(f"{what}(key=...)")
        if name in ("merge", "join"):
            check_keys(
                frames, (self, *args[:1], kwargs.get("right"), kwargs.get("other")), _joined_by(name, args, kwargs)
            )

        def place(given: Any) -> Any:
            return getattr(given[0], name)(*given[1], **given[2])

        return rearranged(frames, place, (self, args, kwargs), what, name in BY_SIZE)

    def to_numpy(self, dtype: Any = None, **kwargs: Any) -> Any:
        """Return the traced values, or pandas' own array of what is not numeric."""
        values = self.values
        if kwargs or type(values) is not self._frames.tracer.array:
            return self._original.to_numpy(dtype, **kwargs) if not self._follows else values
        return values if dtype is None else values.cast(dtype)

    def tolist(self) -> list:
        return self.values.tolist()

    def copy(self, deep: bool = True) -> Any:
        made = Table(self._frames, self._original.copy(deep), self._traced, self._name)
        made._columns.update(self._columns)
        return made

    def itertuples(self, index: bool = True, name: str | None = "Pandas") -> Iterator:
        """Return the rows with the numbers of the columns on the tape."""
        rows = self._plain.itertuples(index, name)
        columns = [self[label].values for label in self._plain.columns]
        for row, numbers in zip(rows, zip(*columns, strict=True), strict=True):
            kind = type(row)
            parts = (row[0], *numbers) if index else numbers
            yield kind(*parts) if hasattr(kind, "_fields") else parts

    def __matmul__(self, other: Any) -> Any:
        return _operate(self._frames, np.matmul, operator.matmul, (self, other))

    def __rmatmul__(self, other: Any) -> Any:
        return _operate(self._frames, np.matmul, operator.matmul, (other, self))

    def __neg__(self) -> Any:
        return _operate(self._frames, np.negative, operator.neg, (self,))

    def __pos__(self) -> Any:
        return self

    def __abs__(self) -> Any:
        return _operate(self._frames, np.absolute, operator.abs, (self,))

    def __invert__(self) -> Any:
        return _operate(self._frames, np.invert, operator.invert, (self,))

    def __pow__(self, other: Any, modulus: Any = None) -> Any:
        return _operate(self._frames, np.power, operator.pow, (self, other))

    def __rpow__(self, other: Any) -> Any:
        return _operate(self._frames, np.power, operator.pow, (other, self))


class _Indexer:
    """`loc`, `iloc`, `at` and `iat` of a table."""

    def __init__(self, table: Table, name: str) -> None:
        self.table, self.name = table, name

    def __getitem__(self, key: Any) -> Any:
        settled = self.table._frames.settled(key)
        return self.table._part(lambda table: getattr(table, self.name)[settled])

    def __setitem__(self, key: Any, value: Any) -> None:
        table, frames = self.table, self.table._frames
        if not table._follows and not frames.follows(value):
            Other(frames, getattr(table._original, self.name))[key] = value
            return
        if not table._is_frame or self.name != "loc" or type(key) is not tuple or not _hashable(key[1]):
            raise frames.refusal("an assignment to a part")
        rows, label = frames.settled(key[0]), key[1]
        numbers = _pandas()[0](np.arange(len(table)), index=table._original.index)
        given = table[label].values if label in table else np.full(len(table), np.nan)
        column = frames.tracer.lift(given).duplicate()
        column[np.asarray(numbers.loc[rows])] = frames.traced(value)
        table[label] = column


def _operate(frames: Frames, ufunc: Callable, compute: Callable, operands: tuple) -> Any:
    """Return `compute(*operands)`, one of which is a table."""
    if not frames.follows(operands):
        return frames.wrap(compute(*frames.plain(operands)))
    operands = tuple(frames.tracer.whole(part) for part in operands)
    with np.errstate(all="ignore"):
        expected = compute(*frames.plain(operands))
    if not _lined_up(operands, ufunc is np.matmul):
        operands = _aligned(frames, operands, ufunc is np.matmul)
        if ufunc is not np.matmul:
            _check_labels(frames, expected, operands)
    found = _elementwise(frames, ufunc, frames.traced(operands), expected)
    return frames.both(expected, found, f"np.{ufunc.__name__}")


def _elementwise(frames: Frames, ufunc: Callable, operands: tuple, expected: Any) -> Any:
    """Return a ufunc of traced values; what is missing is 1 there meanwhile, as the slope at NaN would be NaN."""
    if ufunc in _LINEAR:
        return frames.tracer.elementwise(ufunc, operands)
    clean = []
    for part in operands:
        lacks = np.isnan(np.asarray(part.value, dtype=float)) if type(part) is frames.tracer.array else np.False_
        clean.append(np.where(_missing(frames, part), 1.0, part) if lacks.any() else part)
    found = frames.tracer.elementwise(ufunc, tuple(clean))
    if all(one is other for one, other in zip(clean, operands, strict=True)) or found.dtype.kind == "b":
        return frames.tracer.elementwise(ufunc, operands) if found.dtype.kind == "b" else found
    return np.where(np.isnan(np.asarray(expected, dtype=float)), np.nan, found)


_LINEAR = frozenset((np.add, np.subtract, np.negative, np.positive, np.matmul))


def _check_labels(frames: Frames, expected: Any, operands: tuple) -> None:
    """Raise unless operands that were lined up have the labels of pandas' result, in its order."""
    largest = max((part._plain for part in operands if type(part) is Table), key=lambda plain: plain.ndim)
    if not all(one.equals(other) for one, other in zip(_labels(largest), _labels(expected), strict=True)):
        raise frames.refusal("an operation on two tables", "their labels are lined up in another order")


def _aligned(frames: Frames, operands: tuple, product: bool = False, axis: int | None = None) -> Any:
    """Return two tables with the same labels in the same order, missing where pandas finds nothing."""
    left, right = operands

    def align(given: Any) -> Any:
        one, other = given
        if product:
            common = _labels(one)[-1].union(other.index)
            return one.reindex(common, axis=one.ndim - 1), other.reindex(common, axis=0)
        if one.ndim < other.ndim:
            return tuple(reversed(other.align(one, axis=1)))
        return one.align(other) if one.ndim == other.ndim else one.align(other, axis=1 if axis is None else axis)

    return rearranged(frames, align, (left, right), "an operation on two tables")


add_operators(Table, ARITHMETIC, COMPARISONS, lambda table, *rest: _operate(table._frames, *rest))
Table.__ipow__, Table.__imatmul__ = Table.__pow__, Table.__matmul__


def _lined_up(operands: tuple, product: bool = False) -> bool:
    """Whether pandas, which goes by labels, takes the same pairs of entries as NumPy, which goes by position."""
    if not all(type(part) is Table for part in operands) or len(operands) < 2:
        return True
    left, right = (part._original for part in operands)
    if product:
        return _labels(left)[-1].equals(right.index)
    if left.ndim == right.ndim:
        return all(one.equals(other) for one, other in zip(_labels(left), _labels(right), strict=True))
    return _labels(left)[-1].equals(_labels(right)[-1])


def _filled(frames: Frames, left: Any, right: Any, fill_value: Any) -> tuple[Any, Any]:
    """Return two operands with a number where one of them is missing, but not both."""
    lacks = [np.isnan(np.asarray(getattr(part, "value", part), dtype=float)) for part in (left, right)]
    for part, lack in zip((left, right), lacks, strict=True):
        if lack.any() and frames.follows(part):
            _missing(frames, part)
    only = [lack & ~other for lack, other in zip(lacks, reversed(lacks), strict=True)]
    return tuple(
        np.where(lack, fill_value, part) if lack.any() else part for part, lack in zip((left, right), only, strict=True)
    )


def _missing(frames: Frames, values: Any) -> np.ndarray | None:
    """Return which values are missing, a guard; None if none is."""
    missing = np.isnan(np.asarray(values.value, dtype=float))
    if not missing.any():
        return None
    return frames.tracer.guard(np.isnan(values), "array", missing)


def _joined_by(name: str, args: tuple, kwargs: dict) -> list:
    """Return what `merge` or `join` is told to join by, given the arguments after the left table."""
    names = ("right", "how", "on", "left_on", "right_on") if name == "merge" else ("other", "on")
    given = {**dict(zip(names, args, strict=False)), **kwargs}
    return [given[key] for key in ("on", "left_on", "right_on") if given.get(key) is not None]


def check_keys(frames: Frames, tables: tuple, by: list) -> None:
    """Raise if rows are joined by what depends on the parameters."""
    named = [label for part in by for label in (part if isinstance(part, list | tuple) else [part])]
    tables = [table for table in tables if type(table) is Table and table._is_frame]
    shared = set.intersection(*(set(table._plain.columns) for table in tables))
    for table in tables:
        for label in named or shared:
            if label in table._plain and frames.follows(table[label]):
                raise frames.refusal("a join", "its keys depend on the parameters")


def _labels(table: Any) -> tuple:
    return (table.index, table.columns) if table.ndim == 2 else (table.index,)


def _applied(func: Callable, args: tuple, part: Any, **kwargs: Any) -> Any:
    """Call a function with the further arguments of `apply(func, args=...)`."""
    return func(part, *args, **kwargs)


def _named(func: Any) -> str:
    """Return what a function is called among the labels of a result."""
    return func if type(func) is str else func.__name__


def _hashable(key: Any) -> bool:
    return not isinstance(key, (list, np.ndarray, *_pandas())) and getattr(key, "__hash__", None) is not None


_AXES = {"index": 0, "rows": 0, "columns": 1}


def _by_number(kwargs: dict, is_frame: bool, name: str) -> dict:
    """Return keywords for NumPy: the axis as a number, along the rows of a DataFrame if it is not given."""
    if name not in REDUCTIONS:
        return kwargs
    kwargs = {key: value for key, value in kwargs.items() if key not in ("skipna", "numeric_only", "dtype", "out")}
    axis = kwargs.get("axis", 0)
    return {**kwargs, "axis": _AXES.get(axis, 0 if axis is None else axis)}


_HANDED_ON = {*REDUCTIONS, "round", "clip"}
PLACING = frozenset(
    ("head", "tail", "squeeze", "item", "sort_index", "take", "xs", "get", "stack", "unstack", "reset_index",
     "set_axis", "rename", "rename_axis", "reindex", "reindex_like", "drop", "droplevel", "swaplevel", "merge", "join",
     "pivot", "melt", "set_index", "explode", "align", "truncate", "filter", "select_dtypes", "add_prefix",
     "add_suffix", "to_frame", "ffill", "bfill", "combine_first", "first_valid_index", "last_valid_index", "repeat",
     "transpose", "reorder_levels", "asfreq")
)  # fmt: skip
"""Methods that put the entries somewhere, whatever they are; which are missing is a guard."""

BY_SIZE = frozenset(
    ("sort_values", "nlargest", "nsmallest", "idxmax", "idxmin", "argmax", "argmin", "argsort", "cummax", "cummin")
)
"""Methods that put the entries by their order of size, which is a guard."""

_EXTREMES = {"idxmax": np.argmax, "idxmin": np.argmin, "argmax": np.argmax, "argmin": np.argmin}

_ABOUT_LABELS = {"index", "columns", "dtypes", "empty", "axes", "name", "keys", "hasnans"}

LIBRARY = DataLibrary(Frames, pandas_watching.note, pandas_watching.STATES)
