"""Stand-ins for Series and DataFrames: what they hold, and how their parts are read and written.

    frame = pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 4.0]})   # Table: _original the frame, nothing on the tape yet
    frame["a"]                                                 # a Table of the column, the same one each time
    frame["c"] = x[0] * frame["a"]                             # _columns["c"]: a traced Table; _original as it was
    frame[frame["b"] > 3]                                      # rows of _original; of "c" the traced values there

`_plain` is what pandas has in its place: `_original` with the numbers of `_columns`. Operators, methods and attributes
are in files of their own, which give them to the class by `method`. Names with an underscore are the stand-in's, in
those files too: the others are pandas'.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from autoopt.tape.tape import PARAMETER
from autoopt.tracing.arrays import functions
from autoopt.tracing.arrays.disguised import Disguised
from autoopt.tracing.arrays.types import real
from autoopt.tracing.frames.pandas_places import rearranged


class Table(Disguised):
    """Stands in for a Series or DataFrame.

    Attributes
    ----------
    _original : Series or DataFrame
        Its plain numbers and labels.
    values : TracedArray
        Its numbers on the tape; for data, an input that is made when first asked for.
    """

    __slots__ = ("_columns", "_frames", "_name", "_original", "_shown", "_traced")
    _hidden = "array of it"

    def __init__(self, frames: Any, original: Any, traced: Any = None, name: Any = None) -> None:
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
            shown = self._original.copy()
            for label, column in self._columns.items():
                shown[label] = column._original.to_numpy()
            self._shown = [id(self._original), *map(id, columns)], shown
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
            self._traced = self._frames.leaf("data" if label is None else label, numbers, self._original)
        return self._traced

    @property
    def _is_frame(self) -> bool:
        return self._original.ndim == 2

    # What the traced array has must not show through

    shape = property(lambda self: self._plain.shape)
    ndim = property(lambda self: self._plain.ndim)
    size = property(lambda self: self._plain.size)
    dtype = property(lambda self: self._plain.dtype)
    T = property(lambda self: self._part(lambda table: table.T, ".T"))
    real = Disguised.imag

    def __len__(self) -> int:
        return len(self._original)

    def __repr__(self) -> str:
        return repr(self._plain)

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

    # Parts

    def _part(self, pick: Callable, *text: Any) -> Any:
        """Return what `pick`, with its text, takes from this; the same positions are taken from the traced values."""
        if not self._follows:
            pieces = self._frames.pieces
            return self._frames.wrap(pieces.note(pick(self._original), pieces.of(self._original), *text), self._name)
        return rearranged(self._frames, pick, self, "a part")

    def __getitem__(self, key: Any) -> Any:
        settled = self._frames.settled(key)
        if type(settled) is not slice and is_hashable(settled):
            if settled in self._columns:
                return self._columns[settled]
            if (
                self._is_frame
                and self._traced is None
                and settled in self._original.columns
                and self._original.columns.is_unique
            ):
                return self._column(settled)
        return self._part(lambda table: table[settled], self._frames.pieces.subscript(key))

    def _column(self, label: Any) -> Any:
        """Return a column of data, the same stand-in each time."""
        columns, key = self._frames.columns, (id(self._original), label)
        if key not in columns:
            pieces, column = self._frames.pieces, self._original[label]
            pieces.note(column, pieces.of(self._original), pieces.subscript(label))
            columns[key] = self._original, self._frames.wrap(column)
        return columns[key][1]

    def __setitem__(self, key: Any, value: Any) -> None:
        follows = self._frames.follows(value)
        if not follows and not self._follows:
            self._original[self._frames.settled(key)] = self._frames.plain(value)
            self._frames.changed(self._original)
            self._traced = self._shown = None
            return
        if not self._is_frame or not is_hashable(key):
            raise self._frames.refusal("an assignment to a part")
        self._spread()
        if not follows:
            plain_frame = self._plain.copy()
            plain_frame[key] = self._frames.plain(value)
            self._columns[key] = self._frames.wrap(plain_frame[key])
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

    # Columns, and the numbers in other forms

    def insert(self, loc: int, column: Any, value: Any, **kwargs: Any) -> None:
        """Put a column among the others."""
        if self._columns or (self._traced is not None and self._follows):
            raise self._frames.refusal(".insert")
        if not self._frames.follows(value):
            self._original.insert(loc, column, self._frames.plain(value), **kwargs)
            self._frames.changed(self._original)
            return
        self._original = self._original.copy()
        self._original.insert(loc, column, 0.0, **kwargs)
        self[column] = value

    def assign(self, **columns: Any) -> Any:
        """Return a copy with more columns; a function makes one of the copy."""
        assigned = self.copy()
        for label, value in columns.items():
            assigned[label] = value(assigned) if callable(value) else value
        return assigned

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

    def to_numpy(self, dtype: Any = None, **kwargs: Any) -> Any:
        """Return the traced values, or pandas' own array of what is not numeric."""
        values = self.values
        if kwargs or type(values) is not self._frames.tracer.array:
            return self._original.to_numpy(dtype, **kwargs) if not self._follows else values
        return values if dtype is None else values.cast(dtype)

    def tolist(self) -> list:
        return self.values.tolist()

    def copy(self, deep: bool = True) -> Any:
        copied = Table(self._frames, self._original.copy(deep), self._traced, self._name)
        copied._columns.update(self._columns)
        return copied

    def itertuples(self, index: bool = True, name: str | None = "Pandas") -> Iterator:
        """Return the rows with the numbers of the columns on the tape."""
        rows = self._plain.itertuples(index, name)
        columns = [self[label].values for label in self._plain.columns]
        for row, numbers in zip(rows, zip(*columns, strict=True), strict=True):
            kind = type(row)
            parts = (row[0], *numbers) if index else numbers
            yield kind(*parts) if hasattr(kind, "_fields") else parts


def method(name: str) -> Callable[[Callable], Callable]:
    """Return a decorator that gives `Table` a method which is written in the file of its idea."""

    def give(function: Callable) -> Callable:
        setattr(Table, name, function)
        return function

    return give


def pandas_classes() -> tuple:
    """Return pandas' Series and DataFrame; pandas is loaded, since the user's objects come from it."""
    pandas = sys.modules["pandas"]
    return pandas.Series, pandas.DataFrame


def is_hashable(key: Any) -> bool:
    return not isinstance(key, (list, np.ndarray, *pandas_classes())) and getattr(key, "__hash__", None) is not None
