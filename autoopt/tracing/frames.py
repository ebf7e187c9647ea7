"""Stand-ins for pandas objects: their numeric columns are inputs of the tape, all else stays pandas.

What involves data alone is done by pandas itself, on the original object. Once a value of the trace takes part, the
calculation is done twice: by pandas on the plain numbers, which gives index, labels and shape, and by NumPy on the
traced values; where the two differ (missing values, labels that do not line up) the operation is refused. pandas is not
imported here.
"""

from __future__ import annotations

import operator
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from autoopt.errors import TracingError, UnsupportedFunctionError
from autoopt.tape.tape import PARAMETER
from autoopt.tracing import functions
from autoopt.tracing.array import _ARITHMETIC, _COMPARISONS, TracedArray
from autoopt.tracing.columns import METHODS, REDUCTIONS
from autoopt.tracing.groups import Groups, Rolling
from autoopt.tracing.labelled import Labelled, add_operators, agree


class Frames(Labelled):
    """The pandas objects of one trace."""

    def call(self, function: Callable, args: tuple, kwargs: dict) -> Any:
        """Call a function or class of pandas: on data alone, or to give traced values an index."""
        if not self.follows((args, kwargs)):
            return self.wrap(function(*self.settled(args), **{key: self.settled(part) for key, part in kwargs.items()}))
        label = f"pd.{function.__name__}"
        given = args[0] if args else None
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
            return value._original
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
            self.tracer.decide(value, "array", np.array(value.value))
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

    __slots__ = ("_columns", "_frames", "_name", "_original", "_traced")

    def __init__(self, frames: Frames, original: Any, traced: Any = None, name: Any = None) -> None:
        self._frames, self._original, self._traced, self._name = frames, original, traced, name
        self._columns: dict[Any, Any] = {}

    @property
    def __class__(self):
        return type(self._original)

    @property
    def _follows(self) -> bool:
        """Whether this depends on more than data."""
        return bool(self._columns) or (self._traced is not None and self._traced.level == PARAMETER)

    @property
    def values(self) -> Any:
        if self._columns:
            raise self._frames.refusal(".values", "it has columns that were assigned in the objective")
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

    shape = property(lambda self: self._original.shape)
    ndim = property(lambda self: self._original.ndim)
    size = property(lambda self: self._original.size)
    dtype = property(lambda self: self._original.dtype)
    T = property(lambda self: self._part(lambda table: table.T))
    real = imag = flat = nbytes = itemsize = mT = property(lambda self: self.__getattr__("array of it"))

    cast = property(lambda self: self.__getattr__("cast"))
    current = property(lambda self: self.__getattr__("current"))
    duplicate = property(lambda self: self.__getattr__("duplicate"))

    def __len__(self) -> int:
        return len(self._original)

    def __repr__(self) -> str:
        return repr(self._original)

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
        return iter(self._original) if self._is_frame else iter(self.values)

    def __contains__(self, item: Any) -> bool:
        return item in self._columns or self._frames.plain(item) in self._original

    # Dispatch

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        frames = self._frames
        if method == "__call__" and not kwargs and len(inputs) < 3:
            return _operate(frames, ufunc, ufunc, inputs)
        if not frames.follows((inputs, kwargs)):
            return frames.wrap(getattr(ufunc, method)(*frames.plain(inputs), **frames.plain(kwargs)))
        return functions.call_ufunc(self._frames.tracer, ufunc, method, frames.traced(inputs), frames.traced(kwargs))

    def __array_function__(self, function: Callable, types: Any, args: tuple, kwargs: dict) -> Any:
        """Do a NumPy function; those that NumPy hands to the object's own method of that name are done by that."""
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
        expected = pick(self._original)
        if not self._follows:
            return self._frames.wrap(expected, self._name)
        shape = self._original.shape
        positions = pick(
            self._original.__class__(np.arange(self._original.size).reshape(shape), *_labels(self._original))
        )
        flat = self.values.reshape(-1)
        found = (
            flat[int(positions)]
            if np.ndim(positions) == 0
            else flat[np.asarray(positions).ravel()].reshape(positions.shape)
        )
        return self._frames.both(expected, found, "a part")

    def __getitem__(self, key: Any) -> Any:
        settled = self._frames.settled(key)
        if self._is_frame and type(settled) is not slice and _hashable(settled):
            if settled in self._columns:
                return self._columns[settled]
            if self._traced is None and settled in self._original.columns:
                return self._column(settled)
        if self._columns:
            raise self._frames.refusal("a part", "it has columns that were assigned in the objective")
        return self._part(lambda table: table[settled])

    def _column(self, label: Any) -> Any:
        """Return a column of data, the same stand-in each time."""
        known, key = self._frames.columns, (id(self._original), label)
        if key not in known:
            known[key] = self._original, self._frames.wrap(self._original[label])
        return known[key][1]

    def __setitem__(self, key: Any, value: Any) -> None:
        if not self._frames.follows(value):
            self._original[self._frames.settled(key)] = self._frames.plain(value)
            self._frames.columns.clear()
            self._traced = None
            return
        if not self._is_frame or not _hashable(key):
            raise self._frames.refusal("an assignment to a part")
        series = type(self._original.iloc[:, 0])
        if type(value) is not Table:
            plain = np.broadcast_to(self._frames.plain(value), len(self._original))
            value = functions.call_function(self._frames.tracer, np.broadcast_to, (value, plain.shape), {})
            value = Table(self._frames, series(plain, index=self._original.index), value)
        if not value._original.index.equals(self._original.index):
            raise self._frames.refusal("an assignment of a column", "the labels do not line up")
        self._columns[key] = value

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name in Table.__slots__:
            raise AttributeError(name)
        if self._is_frame and (name in self._columns or name in self._original.columns):
            return self[name]
        found = getattr(self._original, name)
        if name == "groupby" and self._follows:
            return lambda by, **kwargs: Groups(self, by, kwargs)
        if name == "rolling" and self._follows and not self._is_frame:
            return lambda window: Rolling(self, window)
        if name in ("loc", "iloc", "at", "iat"):
            return _Indexer(self, name)
        if name in METHODS:
            return lambda *args, **kwargs: self._method(name, args, kwargs)
        if name in _PICKS and self._follows:
            return lambda *args, **kwargs: self._part(lambda table: getattr(table, name)(*args, **kwargs))
        if name in _ABOUT_LABELS:
            return found
        if self._follows:
            raise self._frames.refusal(f".{name}")
        return _Call(self._frames, found, name) if callable(found) else self._frames.wrap(found)

    # Methods

    def assign(self, **columns: Any) -> Any:
        """Return a copy with more columns; a function makes one of the copy."""
        made = self.copy()
        for label, value in columns.items():
            made[label] = value(made) if callable(value) else value
        return made

    def apply(self, func: Callable, axis: Any = 0, **kwargs: Any) -> Any:
        """Return what a function makes of each entry, or of each row of a frame of data, as a Series."""
        if type(func) is str or (self._is_frame and (_AXES.get(axis, axis) != 1 or self._columns)):
            if self._follows:
                raise self._frames.refusal(".apply")
            return _Call(self._frames, self._original.apply, "apply")(func, axis, **kwargs)
        rows = (self._frames.wrap(row) for _, row in self._original.iterrows()) if self._is_frame else self
        return self._listed([func(row, **kwargs) for row in rows], ".apply")

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

    def dropna(self) -> Any:
        """Return this without the rows of missing values."""
        if self._is_frame and self._follows:
            raise self._frames.refusal(".dropna")
        return self[self._original.notna()] if self._follows else self._frames.wrap(self._original.dropna())

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
        expected = getattr(self._original, name)(*frames.plain(args), **frames.plain(kwargs))
        if not self._follows and not frames.follows((args, kwargs)):
            return frames.wrap(expected)
        if args and not _lined_up((self, args[0]), name == "dot"):
            raise frames.refusal(f".{name}", "the labels of its operands are not the same")
        found = METHODS[name](
            self.values, *frames.traced(args), **_by_number(frames.traced(kwargs), self._is_frame, name)
        )
        return frames.both(expected, found, f".{name}")

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
        rows = self._original.itertuples(index, name)
        columns = [self[label].values for label in self._original.columns]
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
    if not _lined_up(operands, ufunc is np.matmul):
        raise frames.refusal(f"np.{ufunc.__name__}", "the labels of its operands are not the same")
    with np.errstate(all="ignore"):
        expected = compute(*frames.plain(operands))
    found = frames.tracer.elementwise(ufunc, frames.traced(operands))
    return frames.both(expected, found, f"np.{ufunc.__name__}")


add_operators(Table, _ARITHMETIC, _COMPARISONS, lambda table, *rest: _operate(table._frames, *rest))
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


def _labels(table: Any) -> tuple:
    return (table.index, table.columns) if table.ndim == 2 else (table.index,)


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
_PICKS = {
    "head",
    "tail",
    "squeeze",
    "item",
    "sort_index",
    "take",
    "xs",
    "get",
    "stack",
    "reset_index",
    "set_axis",
    "rename",
}
_ABOUT_LABELS = {"index", "columns", "dtypes", "empty", "axes", "name", "keys", "hasnans"}
