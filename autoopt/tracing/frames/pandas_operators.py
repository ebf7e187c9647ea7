"""Operators of Series and DataFrames: labels are lined up as pandas does, then NumPy calculates with traced values.

    a = pd.Series(x, index=list("xyz"));  b = pd.Series([1.0, 2.0, 3.0], list("zyx"))
    a + b                           # pandas, on plain numbers: labels x, y, z and what is expected there
                                    # `aligned`: b's entries in the order x, y, z; then np.add on the traced values

Where the two results differ the operation is refused.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from autoopt.tracing.arrays import functions, ufuncs
from autoopt.tracing.arrays.disguised import add_operators
from autoopt.tracing.arrays.operators import ARITHMETIC, COMPARISONS
from autoopt.tracing.frames.pandas_methods import BINARY, METHODS, REDUCTIONS
from autoopt.tracing.frames.pandas_places import rearranged
from autoopt.tracing.frames.pandas_table import Table, method


@method("__array_ufunc__")
def array_ufunc(table: Table, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
    frames = table._frames
    if method == "__call__" and not kwargs and len(inputs) < 3:
        return operate(frames, ufunc, ufunc, inputs)
    if not frames.follows((inputs, kwargs)):
        return frames.wrap(getattr(ufunc, method)(*frames.plain(inputs), **frames.plain(kwargs)))
    return ufuncs.call_ufunc(table._frames.tracer, ufunc, method, frames.traced(inputs), frames.traced(kwargs))


@method("__array_function__")
def array_function(table: Table, function: Callable, types: Any, args: tuple, kwargs: dict) -> Any:
    """Call a NumPy function; those that NumPy hands to the object's own method of that name go to that method."""
    own = METHODS.get(function.__name__)
    if args and type(args[0]) is Table and own is not None and function.__name__ in _HANDED_ON:
        if function in (np.std, np.var):
            kwargs = {"ddof": 0, **kwargs}
        return getattr(args[0], function.__name__)(*args[1:], **kwargs)
    args, kwargs = table._frames.traced(args), table._frames.traced(kwargs)
    return functions.call_function(table._frames.tracer, function, args, kwargs)


def binary(
    table: Table, name: str, other: Any, axis: Any = "columns", level: Any = None, fill_value: Any = None
) -> Any:
    """Apply an operator by its name: labels are lined up, and one of two missing values may be another number."""
    frames, ufunc = table._frames, BINARY[name.removeprefix("r") if name.startswith("r") else name]
    options = {"axis": axis} if table._is_frame else {}
    options |= {key: part for key, part in (("level", level), ("fill_value", fill_value)) if part is not None}
    if not frames.follows((table, other)):
        return frames.wrap(getattr(table._original, name)(frames.plain(other), **frames.plain(options)))
    other = frames.tracer.whole(other)
    with np.errstate(all="ignore"):
        expected = getattr(table._plain, name)(frames.plain(other), **frames.plain(options))
    if level is not None:
        raise frames.refusal(f".{name}(level=...)")
    along, left, right = AXES.get(axis, axis), table, other
    if type(other) is Table and not (table._is_frame and not other._is_frame and along == 0):
        left, right = (table, other) if lined_up((table, other)) else aligned(frames, (table, other))
    elif type(other) is Table:
        left, right = aligned(frames, (table, other), axis=0)
    if left is not table or right is not other:
        _check_labels(frames, expected, (left, right))
    one, two = left.values, frames.traced(right)
    if table._is_frame and along == 0 and np.ndim(two) == 1:
        two = two[:, None]
    if fill_value is not None:
        one, two = _filled(frames, one, two, fill_value)
    result = elementwise(frames, ufunc, (two, one) if name.startswith("r") else (one, two), expected)
    return frames.both(expected, result, f".{name}")


def like(table: Table, value: Any) -> Any:
    """Return an argument with the labels of this in the same order, as pandas takes it."""
    if callable(value) and type(value) is not Table:
        return like(table, value(table))  # where and mask take functions of this
    if type(value) is not Table or lined_up((table, value)):
        return value
    if value._is_frame != table._is_frame:
        raise table._frames.refusal("a method", "the labels of its operands are not the same")
    plain = table._plain
    return rearranged(table._frames, lambda given: given.reindex_like(plain), value, "a method of two tables")


@method("__matmul__")
def matmul(table: Table, other: Any) -> Any:
    return operate(table._frames, np.matmul, operator.matmul, (table, other))


@method("__rmatmul__")
def matmul_of(table: Table, other: Any) -> Any:
    return operate(table._frames, np.matmul, operator.matmul, (other, table))


@method("__neg__")
def negative(table: Table) -> Any:
    return operate(table._frames, np.negative, operator.neg, (table,))


@method("__abs__")
def absolute(table: Table) -> Any:
    return operate(table._frames, np.absolute, operator.abs, (table,))


@method("__invert__")
def invert(table: Table) -> Any:
    return operate(table._frames, np.invert, operator.invert, (table,))


@method("__pow__")
def power(table: Table, other: Any, modulus: Any = None) -> Any:
    return operate(table._frames, np.power, operator.pow, (table, other))


@method("__rpow__")
def power_of(table: Table, other: Any) -> Any:
    return operate(table._frames, np.power, operator.pow, (other, table))


def operate(frames: Any, ufunc: Callable, compute: Callable, operands: tuple) -> Any:
    """Return `compute(*operands)`, one of which is a table."""
    if not frames.follows(operands):
        pieces = frames.pieces
        return frames.wrap(pieces.note(compute(*frames.plain(operands)), pieces.operation(ufunc, operands)))
    operands = tuple(frames.tracer.whole(part) for part in operands)
    with np.errstate(all="ignore"):
        expected = compute(*frames.plain(operands))
    if not lined_up(operands, ufunc is np.matmul):
        operands = aligned(frames, operands, ufunc is np.matmul)
        if ufunc is not np.matmul:
            _check_labels(frames, expected, operands)
    result = elementwise(frames, ufunc, frames.traced(operands), expected)
    return frames.both(expected, result, f"np.{ufunc.__name__}")


def elementwise(frames: Any, ufunc: Callable, operands: tuple, expected: Any) -> Any:
    """Return a ufunc of traced values; what is missing is 1 there meanwhile, as the slope at NaN would be NaN."""
    if ufunc in _LINEAR:
        return frames.tracer.elementwise(ufunc, operands)
    clean = []
    for part in operands:
        lacks = np.isnan(np.asarray(part.value, dtype=float)) if type(part) is frames.tracer.array else np.False_
        clean.append(np.where(missing_in(frames, part), 1.0, part) if lacks.any() else part)
    result = frames.tracer.elementwise(ufunc, tuple(clean))
    if all(one is other for one, other in zip(clean, operands, strict=True)) or result.dtype.kind == "b":
        return frames.tracer.elementwise(ufunc, operands) if result.dtype.kind == "b" else result
    return np.where(np.isnan(np.asarray(expected, dtype=float)), np.nan, result)


_LINEAR = frozenset((np.add, np.subtract, np.negative, np.positive, np.matmul))


def _check_labels(frames: Any, expected: Any, operands: tuple) -> None:
    """Raise unless operands that were lined up have the labels of pandas' result, in its order."""
    largest = max((part._plain for part in operands if type(part) is Table), key=lambda plain: plain.ndim)
    if not all(one.equals(other) for one, other in zip(labels_of(largest), labels_of(expected), strict=True)):
        raise frames.refusal("an operation on two tables", "their labels are lined up in another order")


def aligned(frames: Any, operands: tuple, product: bool = False, axis: int | None = None) -> Any:
    """Return two tables with the same labels in the same order, missing where pandas finds nothing."""
    left, right = operands

    def align(given: Any) -> Any:
        one, other = given
        if product:
            common = labels_of(one)[-1].union(other.index)
            return one.reindex(common, axis=one.ndim - 1), other.reindex(common, axis=0)
        if one.ndim < other.ndim:
            return tuple(reversed(other.align(one, axis=1)))
        return one.align(other) if one.ndim == other.ndim else one.align(other, axis=1 if axis is None else axis)

    return rearranged(frames, align, (left, right), "an operation on two tables")


add_operators(Table, ARITHMETIC, COMPARISONS, lambda table, *rest: operate(table._frames, *rest))


def lined_up(operands: tuple, product: bool = False) -> bool:
    """Whether pandas, which goes by labels, takes the same pairs of entries as NumPy, which goes by position."""
    if not all(type(part) is Table for part in operands) or len(operands) < 2:
        return True
    left, right = (part._original for part in operands)
    if product:
        return labels_of(left)[-1].equals(right.index)
    if left.ndim == right.ndim:
        return all(one.equals(other) for one, other in zip(labels_of(left), labels_of(right), strict=True))
    return labels_of(left)[-1].equals(labels_of(right)[-1])


def _filled(frames: Any, left: Any, right: Any, fill_value: Any) -> tuple[Any, Any]:
    """Return two operands with a number where one of them is missing, but not both."""
    lacks = [np.isnan(np.asarray(getattr(part, "value", part), dtype=float)) for part in (left, right)]
    for part, lack in zip((left, right), lacks, strict=True):
        if lack.any() and frames.follows(part):
            missing_in(frames, part)
    only = [lack & ~other for lack, other in zip(lacks, reversed(lacks), strict=True)]
    return tuple(
        np.where(lack, fill_value, part) if lack.any() else part for part, lack in zip((left, right), only, strict=True)
    )


def missing_in(frames: Any, values: Any) -> np.ndarray | None:
    """Return which values are missing, a guard; None if none is."""
    missing = np.isnan(np.asarray(values.value, dtype=float))
    if not missing.any():
        return None
    return frames.tracer.guard(np.isnan(values), "array", missing)


def labels_of(table: Any) -> tuple:
    return (table.index, table.columns) if table.ndim == 2 else (table.index,)


AXES = {"index": 0, "rows": 0, "columns": 1}


_HANDED_ON = {*REDUCTIONS, "round", "clip"}
"""Functions that NumPy hands to the method of that name."""
