"""Functions that move elements about: reshape, join, split, repeat, sort, and arrays like another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytensor.tensor as pt

from autoopt.ops.operands import along, axes, axis_index, broadcast, discrete, real, shape, size, static, tensor
from autoopt.rules.table import Unsupported, rule


def alike(parts: Sequence[Any]) -> list:
    """Return `parts` as tensors of their common type."""
    parts = [tensor(part) for part in parts]
    common = str(np.result_type(*(part.dtype for part in parts)))
    return [part if part.dtype == common else part.astype(common) for part in parts]


@rule(np.reshape)
def reshape(a, shape=None, order="C"):
    if order == "F":
        a, reverse = tensor(a), np.reshape(np.empty(size(tensor(a))), shape).shape[::-1]
        return a.transpose().reshape(reverse).transpose()
    if order not in ("C", "A"):
        raise Unsupported(f"np.reshape with order={order!r}", "use order='C'")
    a = tensor(a)
    return a.reshape(np.reshape(np.empty(size(a), bool), shape).shape)


@rule(np.ravel)
def ravel(a, order="C"):
    return reshape(a, (-1,), order)


@rule(np.transpose)
def transpose(a, axes=None):
    a = tensor(a)
    return a.transpose() if axes is None else a.transpose(*(axis_index(axis, a.ndim) for axis in axes))


@rule(np.matrix_transpose, np.linalg.matrix_transpose)
def matrix_transpose(x):
    return swapaxes(x, -1, -2)


@rule(np.swapaxes)
def swapaxes(a, axis1, axis2):
    a = tensor(a)
    order = list(range(a.ndim))
    order[axis1], order[axis2] = order[axis2], order[axis1]
    return a.transpose(*order)


@rule(np.moveaxis)
def moveaxis(a, source, destination):
    return pt.moveaxis(tensor(a), source, destination)


@rule(np.rollaxis)
def rollaxis(a, axis, start=0):
    a = tensor(a)
    return a.transpose(*np.rollaxis(np.empty(range(a.ndim)), axis, start).shape)


@rule(np.expand_dims)
def expand_dims(a, axis):
    return pt.expand_dims(tensor(a), axis)


@rule(np.squeeze)
def squeeze(a, axis=None):
    a = tensor(a)
    return a.reshape(np.squeeze(np.empty(shape(a), bool), axis).shape)


@rule(np.broadcast_to)
def broadcast_to(array, shape):
    return pt.broadcast_to(tensor(array), (shape,) if isinstance(shape, int | np.integer) else tuple(shape))


@rule(np.broadcast_arrays)
def broadcast_arrays(*args):
    return tuple(broadcast(*map(tensor, args)))


def _at_least(function):
    def build(*arys):
        found = [tensor(a) for a in arys]
        found = [a.reshape(function(np.empty(shape(a), bool)).shape) for a in found]
        return found[0] if len(found) == 1 else tuple(found)

    return build


for function in (np.atleast_1d, np.atleast_2d, np.atleast_3d):
    rule(function)(_at_least(function))


def join(arrays: Any, axis: int) -> Any:
    """Return `arrays` joined along an axis that they have."""
    parts = alike(arrays)
    return parts[0] if len(parts) == 1 else pt.concatenate(parts, axis=axis_index(axis, parts[0].ndim))


@rule(np.concatenate)
def concatenate(arrays, axis=0):
    if axis is None:
        return join([tensor(part).flatten() for part in arrays], 0)
    return join(arrays, axis)


@rule(np.stack)
def stack(arrays, axis=0):
    return pt.stack(alike(arrays), axis=axis)


@rule(np.hstack)
def hstack(tup):
    parts = [_at_least(np.atleast_1d)(part) for part in tup]
    return join(parts, 0 if parts[0].ndim == 1 else 1)


@rule(np.vstack)
def vstack(tup):
    return join([_at_least(np.atleast_2d)(part) for part in tup], 0)


@rule(np.dstack)
def dstack(tup):
    return join([_at_least(np.atleast_3d)(part) for part in tup], 2)


@rule(np.column_stack)
def column_stack(tup):
    parts = [tensor(part) for part in tup]
    return join([part if part.ndim >= 2 else part.reshape((size(part), 1)) for part in parts], 1)


@rule(np.block)
def block(arrays):
    """Nested lists of blocks: the innermost lists join along the last axis, the outermost along the first of them."""
    depth, inner = 0, arrays
    while isinstance(inner, list):
        depth, inner = depth + 1, inner[0]

    def lowest(nested: Any) -> int:
        return max(map(lowest, nested)) if isinstance(nested, list) else tensor(nested).ndim

    ndim = max(depth, lowest(arrays))

    def build(nested: Any, level: int) -> Any:
        if isinstance(nested, list):
            return join([build(part, level - 1) for part in nested], -level)
        part = tensor(nested)
        return part.reshape((1,) * (ndim - part.ndim) + shape(part))

    return build(arrays, depth)


def _split(function: Any, fixed: int | None = None) -> Any:
    """Return the rule of a function that cuts an array into pieces."""

    def build(ary, indices_or_sections, axis=0):
        ary = tensor(ary)
        axis = axis_index(axis if fixed is None else fixed if ary.ndim > 1 or fixed != 1 else 0, ary.ndim)
        starts = np.arange(shape(ary)[axis])
        edges = static(indices_or_sections)
        if edges is None:
            raise Unsupported(f"np.{function.__name__} at computed positions", "give the positions as numbers")
        edges = edges if isinstance(edges, int) else [int(edge) for edge in edges]
        cut = np.array_split if function is np.array_split else np.split
        lengths = [len(piece) for piece in cut(starts, edges)]
        if not isinstance(edges, int):
            bounds = [slice(*pair).indices(len(starts))[:2] for pair in zip([0, *edges], [*edges, None], strict=True)]
        else:
            ends = np.cumsum(lengths).tolist()
            bounds = list(zip([0, *ends[:-1]], ends, strict=True))
        return [ary[along(axis, slice(start, max(start, stop)))] for start, stop in bounds]

    return build if fixed is None else lambda ary, indices_or_sections: build(ary, indices_or_sections)


for function, axis in {np.split: None, np.array_split: None, np.vsplit: 0, np.hsplit: 1, np.dsplit: 2}.items():
    rule(function)(_split(function, axis))


@rule(np.unstack)
def unstack(x, axis=0):
    x = tensor(x)
    axis = axis_index(axis, x.ndim)
    return tuple(x[along(axis, i)] for i in range(shape(x)[axis]))


@rule(np.tile)
def tile(A, reps):
    A = tensor(A)
    return gather(A, lambda positions: np.tile(positions, static(reps)))


@rule(np.repeat)
def repeat(a, repeats, axis=None):
    if static(repeats) is None:
        raise Unsupported("np.repeat with counts that are computed", "give the counts as numbers")
    a = tensor(a)
    counts = np.asarray(static(repeats))
    if counts.size == 1 and axis is not None:
        axis, times = axis_index(axis, a.ndim), int(counts.item())
        out = pt.broadcast_to(pt.expand_dims(a, axis + 1), (*shape(a)[: axis + 1], times, *shape(a)[axis + 1 :]))
        return out.reshape((*shape(a)[:axis], shape(a)[axis] * times, *shape(a)[axis + 1 :]))
    a, axis = (a.reshape((size(a),)), 0) if axis is None else (a, axis_index(axis, a.ndim))
    return a[along(axis, pt.constant(np.repeat(np.arange(shape(a)[axis]), counts)))]


def gather(x: Any, function: Any) -> Any:
    """Return `function(x)` for a function that only moves and copies elements, by applying it to their positions."""
    positions = function(np.arange(size(x)).reshape(shape(x)))
    return x.reshape((size(x),))[pt.constant(positions)]


@rule(np.roll)
def roll(a, shift, axis=None):
    a, shift = tensor(a), static(shift)
    if axis is None:
        return roll(a.reshape((size(a),)), int(np.sum(shift)), 0).reshape(shape(a))
    for amount, along_axis in zip(*np.broadcast_arrays(np.atleast_1d(shift), np.atleast_1d(axis)), strict=True):
        k = axis_index(int(along_axis), a.ndim)
        cut = int(amount) % shape(a)[k] if shape(a)[k] else 0
        if cut:
            a = pt.concatenate([a[along(k, slice(-cut, None))], a[along(k, slice(None, -cut))]], axis=k)
    return a


@rule(np.flip)
def flip(m, axis=None):
    m = tensor(m)
    picked = axes(axis, m.ndim)
    return m[tuple(slice(None, None, -1) if i in picked else slice(None) for i in range(m.ndim))] if picked else m


@rule(np.fliplr)
def fliplr(m):
    return flip(m, 1)


@rule(np.flipud)
def flipud(m):
    return flip(m, 0)


@rule(np.rot90)
def rot90(m, k=1, axes=(0, 1)):
    m = tensor(m)
    for _ in range(k % 4):
        m = flip(swapaxes(m, *axes), axes[0])
    return m


@rule(np.triu)
def triu(m, k=0):
    m = tensor(m)
    return pt.switch(pt.constant(~np.tri(*shape(m)[-2:], k=k - 1, dtype=bool)), m, 0)


@rule(np.tril)
def tril(m, k=0):
    m = tensor(m)
    return pt.switch(pt.constant(np.tri(*shape(m)[-2:], k=k, dtype=bool)), m, 0)


@rule(np.diag)
def diag(v, k=0):
    v = tensor(v)
    if v.ndim not in (1, 2):
        raise Unsupported("np.diag of more than two axes", "use np.diagonal")
    return pt.diag(v, k)


@rule(np.diagflat)
def diagflat(v, k=0):
    return pt.diag(tensor(v).flatten(), k)


@rule(np.diagonal)
def diagonal(a, offset=0, axis1=0, axis2=1):
    return pt.diagonal(tensor(a), offset, axis1, axis2)


@rule(np.linalg.diagonal)
def linalg_diagonal(x, offset=0):
    return diagonal(x, offset, -2, -1)


@rule(np.sort)
def sort(a, axis=-1, kind=None, stable=None, descending=None):
    """The sorted elements, NaN last either way; where they tie, slopes go to them in their order."""
    a = tensor(a)
    a, axis = (a.reshape((size(a),)), 0) if axis is None else (a, axis_index(axis, a.ndim))
    if not descending:
        return pt.sort(a, axis=axis)
    return flip(pt.sort(a, axis=axis), axis) if discrete(a) else -pt.sort(-a, axis=axis)


@rule(np.argsort, order=0)
def argsort(a, axis=-1, kind=None, stable=None, descending=None):
    a = real(a)  # PyTensor's ArgSort has no pullback of integers
    a, axis = (a.reshape((size(a),)), 0) if axis is None else (a, axis_index(axis, a.ndim))
    kind = "stable" if stable or kind == "stable" else "quicksort"
    return pt.argsort(-a if descending else a, axis=axis, kind=kind)


@rule(np.append)
def append(arr, values, axis=None):
    return concatenate((arr, values), axis)


@rule(np.delete)
def delete(arr, obj, axis=None):
    arr = tensor(arr)
    arr, axis = (arr.reshape((size(arr),)), 0) if axis is None else (arr, axis_index(axis, arr.ndim))
    kept = np.delete(np.arange(shape(arr)[axis]), static(obj))
    return arr[along(axis, pt.constant(kept))]


@rule(np.insert)
def insert(arr, obj, values, axis=None):
    arr = tensor(arr)
    arr, axis = (arr.reshape((size(arr),)), 0) if axis is None else (arr, axis_index(axis, arr.ndim))
    if not isinstance(obj, int | np.integer):
        return _insert_several(arr, obj, values)
    obj = int(obj) + (shape(arr)[axis] if obj < 0 else 0)
    values = tensor(values)
    if values.ndim:
        values = pt.moveaxis(values, 0, axis) if values.ndim == arr.ndim else pt.expand_dims(values, axis)
    width = shape(values)[axis] if values.ndim == arr.ndim else 1
    values = pt.broadcast_to(values, (*shape(arr)[:axis], width, *shape(arr)[axis + 1 :])).astype(arr.dtype)
    return pt.concatenate([arr[along(axis, slice(None, obj))], values, arr[along(axis, slice(obj, None))]], axis=axis)


def _insert_several(arr: Any, obj: Any, values: Any) -> Any:
    """Return a vector with `values` at several places: all elements in the order that NumPy gives their numbers."""
    if arr.ndim != 1 or static(obj) is None:
        raise Unsupported("np.insert of several slices, or at computed positions", "insert one at a time")
    n, values = size(arr), tensor(values)
    order = np.insert(np.arange(n), static(obj), np.arange(n, n + size(values)) if values.ndim else n)
    return pt.concatenate([arr, values.flatten().astype(arr.dtype)])[pt.constant(order)]


@rule(np.pad)
def pad(array, pad_width, mode="constant", constant_values=0):
    array, pad_width = tensor(array), static(pad_width)
    if mode in ("edge", "wrap", "reflect", "symmetric"):
        return gather(array, lambda positions: np.pad(positions, pad_width, mode))
    if mode != "constant":
        raise Unsupported(f"np.pad with mode={mode!r}", "use constant, edge, wrap, reflect or symmetric")
    pairs = np.broadcast_to(_pairs(pad_width, array.ndim), (array.ndim, 2))
    if isinstance(constant_values, dict):
        raise Unsupported("np.pad with constant_values= as a dictionary", "give them as pairs")
    constants = tensor(constant_values)
    if constants.ndim:
        return _padded(array, pairs, pt.broadcast_to(constants, (array.ndim, 2)).astype(array.dtype))
    widths = np.pad(np.empty(shape(array), bool), pad_width).shape
    first = [int(low) for low, _ in pairs]
    frame = pt.full(widths, constants.astype(array.dtype))
    place = tuple(slice(start, start + length) for start, length in zip(first, shape(array), strict=True))
    return pt.set_subtensor(frame[place], array)


def _padded(array: Any, pairs: np.ndarray, constants: Any) -> Any:
    """Return `array` with a constant of its own at each end of each axis."""
    for axis, widths in enumerate(pairs):
        before, after = (
            pt.broadcast_to(constants[axis, k], (*shape(array)[:axis], int(widths[k]), *shape(array)[axis + 1 :]))
            for k in (0, 1)
        )
        array = pt.concatenate([before, array, after], axis=axis)
    return array


def _pairs(pad_width: Any, ndim: int) -> np.ndarray:
    """Return `pad_width` as rows (before, after)."""
    if isinstance(pad_width, dict):
        return np.array([np.broadcast_to(pad_width.get(i, pad_width.get(i - ndim, 0)), 2) for i in range(ndim)])
    return np.asarray(pad_width)


@rule(np.meshgrid)
def meshgrid(*xi, sparse=False, indexing="xy"):
    xi = [tensor(x).flatten() for x in xi]
    count = len(xi)
    order = [1, 0, *range(2, count)] if indexing == "xy" and count > 1 else list(range(count))
    grids = [x.reshape([-1 if order[k] == i else 1 for k in range(count)]) for i, x in enumerate(xi)]
    return grids if sparse else broadcast(*grids)


def _like(value: float) -> Any:
    def build(a, dtype=None, shape=None):
        a = tensor(a)
        kind = a.dtype if dtype is None else str(np.dtype(dtype))
        return pt.full(a.type.shape if shape is None else shape, np.asarray(value, kind))

    return build


rule(np.zeros_like, order=0)(_like(0))
rule(np.ones_like, order=0)(_like(1))


@rule(np.full_like)
def full_like(a, fill_value, dtype=None):
    a = tensor(a)
    value = tensor(fill_value)
    kind = a.dtype if dtype is None else str(np.dtype(dtype))
    if value.dtype == "float64" and kind != "float64":
        raise Unsupported("np.full_like of an integer array with a float", "pass dtype=float")
    return pt.broadcast_to(value.astype(kind), shape(a))


@rule(np.copy)
def copy(a):
    return tensor(a)
