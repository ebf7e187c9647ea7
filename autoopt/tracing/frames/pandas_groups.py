"""Rows of pandas objects taken together: `groupby(...)` and `resample(...)` of what depends on the parameters."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from autoopt.tracing.frames.pandas_places import rearranged
from autoopt.tracing.frames.pandas_reductions import BY_SUMS, PADDED, by_sums, label_of, padded


def _applied(groups: Any, function: Callable) -> Any:
    """Return what pandas makes of a function of each group; what it says of columns to come is not for the user."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return groups.apply(function)


class Groups:
    """The groups of a Series or frame; which rows belong to which is data, or a guard.

    Parameters
    ----------
    table : Table
        What is grouped.
    args, kwargs
        What `groupby` or `resample` was given.
    kind : str
        Which of the two it is.
    labels : str or list
        The columns that were selected, None for all.
    """

    def __init__(self, table: Any, args: tuple, kwargs: dict, kind: str, labels: Any = None) -> None:
        self.table, self.frames, self.kind, self.labels = table, table._frames, kind, labels
        self.given = kwargs
        self.args, self.kwargs = self._settled(args), {key: self._settled(part) for key, part in kwargs.items()}
        self.flat = self.kwargs.pop("as_index", True) is False
        if kind == "groupby":
            self.kwargs = {"observed": True, **self.kwargs}
        if self.kwargs.get("axis", 0) not in (0, "index"):
            raise self._refusal(" along columns")

    def _data(self) -> Any:
        """Return the stand-in for pandas' groups of data."""
        groups = getattr(self.table._original, self.kind)(*self.args, **self.frames.plain(self.given))
        return self.frames.wrap(groups if self.labels is None else groups[self.labels])

    def _settled(self, by: Any) -> Any:
        """Return what rows are grouped by, with a guard on what depends on the parameters."""
        for label in by if isinstance(by, list | tuple) else [by]:
            if self.table._is_frame and type(label) is str and label in self.table._columns:
                self.frames.settled(self.table[label])
        return self.frames.settled(by)

    def _of(self, plain: Any) -> Any:
        """Return pandas' own groups of a plain table."""
        groups = getattr(plain, self.kind)(*self.args, **self.kwargs)
        return groups if self.labels is None else groups[self.labels]

    def _refusal(self, name: str, why: str = "which is not followed") -> Exception:
        return self.frames.refusal(f".{self.kind}(...){name}", why)

    def __getitem__(self, label: Any) -> Groups:
        table, by = self.table, self.args
        return Groups(table, by, self.given, self.kind, label)

    @property
    def _column(self) -> Any:
        """The Series that is grouped, if it is one."""
        return self.table[self.labels] if type(self.labels) is str else None if self.table._is_frame else self.table

    def _index(self) -> Any:
        """Return the labels of the groups."""
        return self._of(self.table._plain).size().index

    def __iter__(self) -> Iterator:
        return iter(rearranged(self.frames, lambda plain: list(self._of(plain)), self.table, f".{self.kind}(...)"))

    def __len__(self) -> int:
        return len(self._index())

    def __getattr__(self, name: str) -> Any:
        if not self.table._follows:
            return getattr(self._data(), name)
        if name in _OF_ROWS:
            attribute = getattr(self._of(self.table._plain), name)
            if not callable(attribute):
                return self.frames.wrap(attribute)
            return lambda *args, **kwargs: self.frames.wrap(attribute(*args, **kwargs))
        if name in _PLACING:
            return lambda *args, **kwargs: rearranged(
                self.frames, lambda plain: getattr(self._of(plain), name)(*args, **kwargs), self.table, f".{name}"
            )
        if name in _REDUCING or name in _ROW_BY_ROW:
            return lambda *args, **kwargs: self._do(name, args, kwargs)
        if self.table._is_frame and self.labels is None and name in self.table._plain.columns:
            return self[name]
        raise self._refusal(f".{name}")

    def _do(self, name: str, args: tuple, kwargs: dict) -> Any:
        """Call a method of groups, column by column."""
        if self._column is not None:
            result = self._reduced(name, args, kwargs) if name in _REDUCING else self._row_by_row(name, args, kwargs)
            return result.reset_index() if self.flat and name in _REDUCING else result
        expected = getattr(self._of(self.table._plain), name)(*args, **kwargs)
        result = self.frames.wrap(expected)
        for label in expected.columns:
            column = self[label]
            column.flat = False
            reduced = column._do(name, args, {key: part for key, part in kwargs.items() if key != "numeric_only"})
            if reduced._follows:
                result._columns[label] = reduced
        return result.reset_index() if self.flat and name in _REDUCING else result

    def _reduced(self, name: str, args: tuple, kwargs: dict) -> Any:
        column = self._column
        grouped = self._of(self.table._plain)
        expected = getattr(grouped, name)(*args, **kwargs)
        if not column._follows:
            return self.frames.wrap(expected)
        codes, values = _codes(self), column.values
        what = f".{self.kind}(...).{name}"
        present = ~np.isnan(np.asarray(values.value, dtype=float))
        if not present.all():
            self.frames.tracer.guard(np.isnan(values), "array", ~present)
            values, codes = values[np.flatnonzero(present)], codes[present]
        count = np.asarray(grouped.size()).size
        if name in BY_SUMS and not args and not kwargs:
            return self.frames.both(expected, by_sums(self.frames.tracer, name, values, codes, count), what)
        counts = np.bincount(codes, minlength=count)
        if name in PADDED and not kwargs and counts.min(initial=1) and count * counts.max() <= 8 * len(codes) + 1000:
            return self.frames.both(expected, padded(name, values, codes, counts, *args), what)
        kind, series = type(column), type(column._plain)
        reduced = []
        for rows in (np.flatnonzero(codes == k) for k in range(count)):
            part = values[rows]
            plain = series(np.asarray(part.value))
            number = getattr(kind(self.frames, plain, part), name)(*args, **kwargs) if len(rows) else np.nan
            reduced.append(self.frames.traced(number))
        return self.frames.both(expected, self.frames.tracer.nested(reduced), what)

    def _row_by_row(self, name: str, args: tuple, kwargs: dict) -> Any:
        grouped = self._of(self.table._plain)
        expected = getattr(grouped, name)(*args, **kwargs)
        if not self._column._follows:
            return self.frames.wrap(expected)
        pieces, back = [], []
        for part, rows in zip(self._parts(), self._row_numbers(), strict=True):
            pieces.append(getattr(part, name)(*args, **kwargs).values)
            back.append(rows)
        result = np.concatenate(pieces)[np.argsort(np.concatenate(back), kind="stable")]
        return self.frames.both(expected, result, f".{self.kind}(...).{name}")

    def _row_numbers(self) -> list[np.ndarray]:
        codes = _codes(self)
        return [np.flatnonzero(codes == k) for k in range(codes.max(initial=-1) + 1)]

    def _parts(self) -> list[Any]:
        """Return what pandas hands to a function that is applied to each group."""

        def handed(plain: Any) -> list:
            parts: list[Any] = []

            def keep(part: Any) -> int:
                parts.append(part)
                return 0

            _applied(self._of(plain), keep)
            return parts

        if self._column is not None:
            column = self._column
            return [column.iloc[rows] for rows in self._row_numbers()]
        return rearranged(self.frames, handed, self.table, f".{self.kind}(...).apply")

    # Functions of groups

    def apply(self, func: Any, *args: Any, **kwargs: Any) -> Any:
        """Return what a function makes of each group, put together as pandas does."""
        if type(func) is str:
            return getattr(self, func)(*args, **kwargs)
        kwargs.pop("include_groups", None)
        results = [func(part, *args, **kwargs) for part in self._parts()]
        results = [part if hasattr(type(part), "_plain") else self.frames.traced(part) for part in results]

        def put_together(given: list) -> Any:
            waiting = iter(given)
            return _applied(self._of(self.table._plain), lambda part: next(waiting))

        joined = rearranged(self.frames, put_together, results, f".{self.kind}(...).apply")
        return joined.reset_index() if self.flat else joined

    def agg(self, func: Any = None, *args: Any, **named: Any) -> Any:
        """Return what functions, by name or not, make of the groups."""
        if not self.table._follows and not _calls((func, named)):
            return self._data().agg(func, *args, **named)
        if type(func) is str:
            return getattr(self, func)(*args, **named)
        if self._column is None or func is None or type(func) is dict or isinstance(func, list):
            return self._side_by_side(_requests(self, func, named))
        results = [self.frames.traced(func(part, *args, **named)) for part in self._parts()]
        index, series = self._index(), type(self._column._plain)
        name = self._column._plain.name
        joined = rearranged(self.frames, lambda given: series(given, index=index, name=name), results, ".agg")
        return joined.reset_index() if self.flat else joined

    aggregate = agg

    def _side_by_side(self, pairs: list) -> Any:
        """Return a frame of what functions make of columns: of (label, column, function)."""
        columns = []
        for _, column, func in pairs:
            groups = self if column is None else self[column]
            flat, groups.flat = groups.flat, False
            columns.append(groups.agg(func))
            groups.flat = flat
        labels = [label for label, _, _ in pairs]

        def join(given: list) -> Any:
            frame = type(given[0].to_frame())(dict(enumerate(given)))
            frame.columns = labels if type(labels[0]) is not tuple else type(index).from_tuples(labels)
            return frame

        index = _tuples_index(self.frames)
        joined = rearranged(self.frames, join, columns, f".{self.kind}(...).agg")
        return joined.reset_index() if self.flat else joined

    def transform(self, func: Any, *args: Any, **kwargs: Any) -> Any:
        """Return each row's group's number, or what a function makes of each row in its group."""
        if not self.table._follows and type(func) is str:
            return self._data().transform(func, *args, **kwargs)
        if self._column is None:
            raise self._refusal(".transform of all columns")
        if type(func) is str and func in _ROW_BY_ROW:
            return self._do(func, args, kwargs)
        plain = self._column._plain
        if type(func) is str:
            expected = self._of(self.table._plain).transform(func, *args, **kwargs)
            flat, self.flat = self.flat, False
            reduced = getattr(self, func)(*args, **kwargs)
            self.flat = flat
            if not reduced._follows:
                return self.frames.wrap(expected)
            return self.frames.both(expected, reduced.values[_codes(self)], ".transform")
        pieces, rows = [], self._row_numbers()
        for part, places in zip(self._parts(), rows, strict=True):
            piece = self.frames.traced(func(part, *args, **kwargs))
            pieces.append(piece if np.ndim(piece) else piece + np.zeros(len(places)))
        back = np.argsort(np.concatenate(rows), kind="stable")
        values = self.frames.tracer.lift(np.concatenate(pieces)[back])
        series = type(plain)(np.asarray(values.value), index=plain.index, name=plain.name)
        return self.frames.both(series, values, ".transform")

    def filter(self, func: Callable, dropna: bool = True, *args: Any, **kwargs: Any) -> Any:
        """Return the rows of the groups for which a function is true."""
        answers = [bool(func(part, *args, **kwargs)) for part in self._parts()]

        def keep(plain: Any) -> Any:
            waiting = iter(answers)
            return self._of(plain).filter(lambda part: next(waiting), dropna)

        return rearranged(self.frames, keep, self.table, f".{self.kind}(...).filter")

    def pipe(self, func: Callable, *args: Any, **kwargs: Any) -> Any:
        """Return `func(self, ...)`."""
        return func(self, *args, **kwargs)


def _requests(groups: Groups, func: Any, named: dict) -> list[tuple[Any, Any, Any]]:
    """Return what `agg` is asked for as (label, column, function); no column is the Series that is grouped."""
    if func is None:
        single = groups._column is not None
        return [(label, None, part) if single else (label, *part) for label, part in named.items()]
    if type(func) is dict:
        if not any(isinstance(part, list) for part in func.values()):
            return [(column, column, part) for column, part in func.items()]
        lists = {column: part if isinstance(part, list) else [part] for column, part in func.items()}
        return [((column, label_of(one)), column, one) for column, parts in lists.items() for one in parts]
    columns = [] if groups._column is not None else list(groups._of(groups.table._plain).first().columns)
    if not isinstance(func, list):
        return [(label, label, func) for label in columns]
    if groups._column is not None:
        return [(label_of(one), None, one) for one in func]
    return [((label, label_of(one)), label, one) for label in columns for one in func]


def _codes(groups: Groups) -> np.ndarray:
    """Return the number of each row's group in the order of the results."""
    plain = groups.table._plain
    if groups.kind == "groupby":
        codes = groups._of(plain).ngroup().to_numpy()
    else:
        rows = type(plain.iloc[:, 0] if plain.ndim == 2 else plain)(np.arange(len(plain)), index=plain.index)
        codes = np.full(len(plain), -1)
        for k, (_, part) in enumerate(getattr(rows, groups.kind)(*groups.args, **groups.kwargs)):
            codes[part.to_numpy()] = k
    if np.any(codes < 0):
        raise groups._refusal("", "some rows belong to no group")
    return codes


def _calls(value: Any) -> bool:
    """Whether functions, not only their names, are among what is asked for."""
    if isinstance(value, tuple | list):
        return any(map(_calls, value))
    return any(map(_calls, value.values())) if type(value) is dict else callable(value)


def _tuples_index(frames: Any) -> Any:
    """Return pandas' index of several levels."""
    import sys

    return sys.modules["pandas"].MultiIndex([[], []], [[], []])


_OF_ROWS = frozenset(("size", "count", "ngroups", "groups", "indices", "ngroup", "cumcount"))
_PLACING = frozenset(("first", "last", "head", "tail", "nth", "shift", "get_group", "ffill", "bfill"))
_REDUCING = BY_SUMS | {"min", "max", "median", "prod", "quantile", "sem", "skew", "any", "all"}
_ROW_BY_ROW = frozenset(("cumsum", "cumprod", "cummax", "cummin", "diff", "pct_change", "rank"))
