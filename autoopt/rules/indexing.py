"""Reading elements: x[index] and the functions that pick or choose."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
import pytensor.tensor as pt

from autoopt.ops.operands import axis_index, shape, size, static, tensor, traced
from autoopt.rules.table import Unsupported, rule


@rule(operator.getitem)
def getitem(a, b):
    a = tensor(a)
    return a if isinstance(b, tuple) and not b else a[locate(b)]


def locate(index: Any) -> Any:
    """Return `index` in the form that PyTensor takes: tensors for arrays, positions for static boolean masks."""
    parts = []
    for part in index if isinstance(index, tuple) else (index,):
        if part is None or part is Ellipsis or isinstance(part, slice):
            parts.append(part)
        elif isinstance(part, bool | np.bool_):
            raise Unsupported("indexing with True or False", "use an `if`")
        elif isinstance(part, int | np.integer):
            parts.append(int(part))
        else:
            parts.extend(_positions(part))
    return tuple(parts)


def _positions(part: Any) -> tuple:
    """Return the index arrays that stand for one index array, of which a boolean mask has one per axis."""
    values = static(part) if not isinstance(part, list) or not traced(part) else None
    if values is None:
        part = tensor(part)
        if part.dtype == "float64":
            raise Unsupported("indexing with floating-point values", "use integers")
        return (part,)
    values = np.asarray(values)
    if values.dtype == bool:
        return tuple(pt.constant(where.astype(np.int64)) for where in values.nonzero())
    if values.size == 0:
        values = values.astype(np.int64)
    return (int(values) if values.ndim == 0 else pt.constant(values.astype(np.int64)),)


@rule(np.take)
def take(a, indices, axis=None, mode="raise"):
    a = tensor(a)
    if axis is None:
        a, axis = a.reshape((size(a),)), 0
    axis = axis_index(axis, a.ndim)
    if mode != "raise":
        last = shape(a)[axis] - 1
        indices = tensor(indices) % (last + 1) if mode == "wrap" else pt.clip(tensor(indices), 0, last)
    index = _positions(indices)[0] if not isinstance(indices, int) else indices
    return a[(slice(None),) * axis + (index,)]


@rule(np.take_along_axis)
def take_along_axis(arr, indices, axis=-1):
    arr, indices = tensor(arr), tensor(indices)
    if axis is None:
        return arr.reshape((size(arr),))[indices]
    axis = axis_index(axis, arr.ndim)
    lengths = np.broadcast_shapes(
        shape(arr)[:axis] + (1,) + shape(arr)[axis + 1 :], shape(indices)[:axis] + (1,) + shape(indices)[axis + 1 :]
    )
    grid = np.ogrid[tuple(slice(length) for length in lengths)]
    fixed = [np.minimum(part, shape(arr)[i] - 1) for i, part in enumerate(grid)]
    return arr[tuple(indices if i == axis else pt.constant(part) for i, part in enumerate(fixed))]


@rule(np.compress)
def compress(condition, a, axis=None):
    if (values := static(condition)) is None:
        raise Unsupported("np.compress with a computed condition", "use np.where(condition, x, 0)")
    return take(a, np.flatnonzero(values), axis)


@rule(np.extract)
def extract(condition, arr):
    return compress(np.ravel(condition) if not traced(condition) else condition, arr)


@rule(np.select)
def select(condlist, choicelist, default=0):
    out = tensor(default)
    for condition, choice in zip(reversed(condlist), reversed(choicelist), strict=True):
        choice, out = _alike(tensor(choice), out)
        out = pt.switch(tensor(condition), choice, out)
    return out


@rule(np.choose)
def choose(a, choices, mode="raise"):
    if mode != "raise":
        raise Unsupported(f"np.choose with mode={mode!r}", "use indices within the choices")
    a = tensor(a)
    choices = [tensor(choice) for choice in choices]
    out = choices[-1]
    for i in range(len(choices) - 2, -1, -1):
        choice, out = _alike(choices[i], out)
        out = pt.switch(pt.eq(a, i), choice, out)
    return out


def _alike(x: Any, y: Any) -> list:
    """Return two operands in their common type."""
    common = str(np.result_type(x.dtype, y.dtype))
    return [part if part.dtype == common else part.astype(common) for part in (x, y)]
