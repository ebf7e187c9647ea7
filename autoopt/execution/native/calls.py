"""What the functions and methods of printed source mean: NumPy's and SciPy's callables to arrays of the code."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import scipy.linalg

from autoopt.execution.native import linalg, reductions
from autoopt.execution.native.arrays import (
    Array,
    Extent,
    Layout,
    NotLowered,
    Number,
    broadcast,
    empty,
    fill,
    in_memory,
    kind_of,
    lift,
    reshaped,
    stacked,
    stored,
    transposed,
    view,
)
from autoopt.execution.native.code import Code, product
from autoopt.execution.native.elementwise import apply, as_kind, where
from autoopt.execution.native.indexing import read, write

CALLS: dict[Any, Callable] = {}
"""NumPy's and SciPy's functions: `build(code, *operands, **options)`."""

METHODS: dict[str, Callable] = {}
"""Methods of arrays: `build(code, array, *operands, **options)`."""


def builds(*functions: Any) -> Callable[[Callable], Callable]:
    """Register what builds a call of `functions`."""

    def register(build: Callable) -> Callable:
        CALLS.update(dict.fromkeys(functions, build))
        return build

    return register


def method(*names: str) -> Callable[[Callable], Callable]:
    """Register what builds a call of an array's methods."""

    def register(build: Callable) -> Callable:
        METHODS.update(dict.fromkeys(names, build))
        return build

    return register


def invoke(code: Code, function: Any, operands: Sequence[Any], options: dict[str, Any]) -> Any:
    """Return what a call gives; one of known values alone is made now, by NumPy itself."""
    if function in CALLS:
        return CALLS[function](code, *operands, **options)
    if not any(map(is_traced, [*operands, *options.values()])):
        return function(*operands, **options)
    if options:
        raise NotLowered(f"{getattr(function, '__name__', function)} with options")
    return apply(code, function, operands)


def is_traced(value: Any) -> bool:
    """Whether a value is known only when the code runs."""
    if isinstance(value, slice):
        return any(map(is_traced, (value.start, value.stop, value.step)))
    return any(map(is_traced, value)) if isinstance(value, list | tuple) else isinstance(value, Array | Number | Extent)


# Constructors ---------------------------------------------------------------------------------------------------------


def _shape(shape: Any) -> tuple[Any, ...]:
    parts = shape if isinstance(shape, tuple | list) else (shape,)
    if any(is_traced(part) and not isinstance(part, Extent) for part in parts):
        raise NotLowered("a shape that the values decide")
    return tuple(part if isinstance(part, Extent) else int(part) for part in parts)


def _filled(code: Code, shape: Any, value: Any, dtype: Any) -> Array | Number:
    number = lift(code, value)
    kind = kind_of(np.dtype(dtype)) if dtype is not None else number.kind
    if not isinstance(number, Number):
        number = Number(number.kind, number.at([0] * len(number.shape))) if number.size == 1 else number
    number = as_kind(code, number, kind)
    if _shape(shape) == () and isinstance(number, Number):
        return number
    return broadcast(code, number, _shape(shape))


@builds(np.zeros)
def _zeros(code: Code, shape: Any, dtype: Any = float) -> Array | Number:
    return _filled(code, shape, 0.0, dtype)


@builds(np.ones)
def _ones(code: Code, shape: Any, dtype: Any = float) -> Array | Number:
    return _filled(code, shape, 1.0, dtype)


@builds(np.full)
def _full(code: Code, shape: Any, value: Any, dtype: Any = None) -> Array | Number:
    return _filled(code, shape, value, dtype)


@builds(np.empty)
def _empty(code: Code, shape: Any, dtype: Any = float) -> Array:
    return empty(code, kind_of(np.dtype(dtype)), _shape(shape))


@builds(np.array, np.asarray)
def _array(code: Code, value: Any, dtype: Any = None) -> Any:
    if not is_traced(value):
        return np.array(value, dtype=dtype)
    found = lift(code, value)
    return found if dtype is None else as_kind(code, found, kind_of(np.dtype(dtype)))


@builds(np.broadcast_to)
def _broadcast_to(code: Code, value: Any, shape: Any) -> Array:
    return broadcast(code, lift(code, value), _shape(shape))


@builds(np.lib.stride_tricks.sliding_window_view)
def _sliding_window_view(code: Code, value: Any, window_shape: Sequence[int], axis: Sequence[int]) -> Array:
    array = lift(code, value)
    if isinstance(array, Number):
        raise NotLowered("windows of a number")
    array = in_memory(code, array)
    layout = array.placed
    shape, strides = list(array.shape), list(layout.strides)
    for length, k in zip(window_shape, axis, strict=True):
        shape[k] -= length - 1
        strides.append(strides[k])
    return view(code, Layout(layout.memory, layout.offset, tuple(strides)), (*shape, *window_shape))


@builds(np.concatenate)
def _concatenate(code: Code, parts: Sequence, axis: int = 0) -> Any:
    if not is_traced(parts):
        return np.concatenate(parts, axis=axis)
    arrays = [lift(code, part) for part in parts]
    axis %= len(arrays[0].shape)
    extents = [array.shape[axis] for array in arrays]
    shape = (*arrays[0].shape[:axis], sum(extents), *arrays[0].shape[axis + 1 :])
    target = empty(code, "f", shape)
    start = 0
    for array, extent in zip(arrays, extents, strict=True):
        write(code, target, (*[slice(None)] * axis, slice(start, start + extent)), array)
        start += extent
    return target


@builds(np.append)
def _append(code: Code, array: Any, values: Any) -> Any:
    if not is_traced([array, values]):
        return np.append(array, values)
    parts = [lift(code, part) for part in (array, values)]
    return _concatenate(code, [broadcast(code, part, (1,)) if isinstance(part, Number) else part for part in parts])


@builds(np.stack)
def _stack(code: Code, parts: Sequence, axis: int = 0) -> Any:
    if not is_traced(parts):
        return np.stack(parts, axis=axis)
    target = stacked(code, [lift(code, part) for part in parts])
    axis %= len(target.shape)
    order = list(range(1, len(target.shape)))
    order.insert(axis, 0)
    return transposed(code, target, order)


@builds(np.diag)
def _diag(code: Code, value: Any, k: int = 0) -> Array:
    array = lift(code, value)
    if isinstance(array, Number) or len(array.shape) != 1:
        raise NotLowered("diag of a matrix")
    n = array.shape[0] + abs(k)
    target = empty(code, array.kind, (n, n))
    fill(code, target, as_kind(code, lift(code, 0), array.kind))
    offset = k if k >= 0 else -k * n
    fill(code, view(code, Layout(target.placed.memory, offset, (n + 1,)), array.shape), array)
    return target


# Functions ------------------------------------------------------------------------------------------------------------

CALLS[np.where] = where
CALLS[np.linalg.solve] = lambda code, a, b: linalg.solve(code, lift(code, a), lift(code, b))
CALLS[np.linalg.inv] = lambda code, a: linalg.inverse(code, lift(code, a))
CALLS[np.linalg.det] = lambda code, a: linalg.determinant(code, lift(code, a))
CALLS[np.linalg.slogdet] = lambda code, a: linalg.log_determinant(code, lift(code, a))
CALLS[np.linalg.cholesky] = lambda code, a: linalg.cholesky(code, lift(code, a))
CALLS[float] = lambda code, value: as_kind(code, lift(code, value), "f") if is_traced(value) else float(value)
CALLS[np.float64] = CALLS[float]
CALLS[np.int64] = lambda code, value: as_kind(code, lift(code, value), "i") if is_traced(value) else np.int64(value)
CALLS[int] = lambda code, value: as_kind(code, lift(code, value), "i") if is_traced(value) else int(value)
CALLS[bool] = lambda code, value: as_kind(code, lift(code, value), "b") if is_traced(value) else bool(value)


@builds(scipy.linalg.solve_triangular)
def _solve_triangular(
    code: Code,
    a: Any,
    b: Any,
    trans: int = 0,
    lower: bool = False,
    unit_diagonal: bool = False,
    check_finite: bool = True,
) -> Array:
    return linalg.solve_triangular(code, lift(code, a), lift(code, b), lower, unit_diagonal, trans == 1)


@builds(scipy.linalg.cho_solve)
def _cho_solve(code: Code, factor: tuple, b: Any, check_finite: bool = True) -> Array:
    matrix, lower = lift(code, factor[0]), factor[1]
    half = linalg.solve_triangular(code, matrix, lift(code, b), lower, False, not lower)
    return linalg.solve_triangular(code, matrix, half, lower, False, lower)


@builds(scipy.linalg.blas.dtbsv)
def _dtbsv(code: Code, k: int, bands: Any, x: Any, lower: int = 0, diag: int = 0) -> Array:
    if (k, lower, diag) != (1, 1, 1):
        raise NotLowered("a triangular system other than with one diagonal below that of ones")
    return linalg.bidiagonal(code, lift(code, bands), lift(code, x))


@builds(np.array_equal)
def _array_equal(code: Code, a: Any, b: Any) -> Any:
    if not is_traced(a) and not is_traced(b):
        return np.array_equal(a, b)
    one, other = lift(code, a), lift(code, b)
    if one.shape != other.shape:
        return False
    return _all(code, apply(code, np.equal, [one, other]))


@builds(np.all)
def _all(code: Code, value: Any, axis: Any = None) -> Any:
    return reductions.reduce(code, "all", as_kind(code, lift(code, value), "b"), axis)


@builds(np.any)
def _any(code: Code, value: Any, axis: Any = None) -> Any:
    return reductions.reduce(code, "any", as_kind(code, lift(code, value), "b"), axis)


@builds(np.add.at)
def _add_at(code: Code, array: Array, index: Any, value: Any) -> None:
    write(code, array, index, lift(code, value), add=True)


@builds(np.bincount)
def _bincount(code: Code, index: Any, weights: Any = None, minlength: int = 0) -> Any:
    if is_traced(index) or weights is None:
        raise NotLowered("counts of places that the values decide")
    length = max(minlength, int(np.max(index, initial=-1)) + 1)
    target = stored(code, broadcast(code, lift(code, 0.0), (length,)))
    write(code, target, np.asarray(index), lift(code, weights), add=True)
    return target


@builds(np.prod)
def _prod(code: Code, value: Any, axis: Any = None, where: Any = None) -> Any:
    array = lift(code, value)
    if where is not None:
        array = CALLS[np.where](code, where, array, 1.0)
    return reductions.reduce(code, "prod", array, axis)


@builds(np.sum)
def _sum(code: Code, value: Any, axis: Any = None) -> Any:
    return reductions.reduce(code, "sum", lift(code, value), axis)


@builds(np.vdot)
def _vdot(code: Code, a: Any, b: Any) -> Any:
    return reductions.reduce(code, "sum", apply(code, np.multiply, [lift(code, a), lift(code, b)]))


@builds(np.einsum)
def _einsum(code: Code, subscripts: str, a: Any, b: Any) -> Any:
    """Return the sum of the product of an array and another that has some of its axes, in their order."""
    operands, _, kept = subscripts.partition("->")
    letters, _, some = operands.partition(",")
    if not set(some + kept) <= set(letters) or "." in letters:
        raise NotLowered("a product of matrices by np.einsum")
    b = lift(code, b)
    lengths = iter(b.shape)
    b = reshaped(code, b, [next(lengths) if letter in some else 1 for letter in letters])
    axes = tuple(axis for axis, letter in enumerate(letters) if letter not in kept)
    return reductions.reduce(code, "sum", apply(code, np.multiply, [lift(code, a), b]), axes)


@builds(np.count_nonzero)
def _count_nonzero(code: Code, value: Any) -> Any:
    return reductions.reduce(code, "sum", apply(code, np.not_equal, [lift(code, value), 0]))


@builds(np.split)
def _split(code: Code, value: Any, ends: Any, axis: int = 0) -> Any:
    array = lift(code, value)
    bounds = [0, *(int(end) for end in ends), array.shape[axis]]
    before = [slice(None)] * (axis % len(array.shape))
    return [read(code, array, (*before, slice(a, b))) for a, b in pairwise(bounds)]


# Methods of arrays ----------------------------------------------------------------------------------------------------

for _name in reductions.REDUCTIONS:
    METHODS[_name] = lambda code, array, axis=None, keepdims=False, _name=_name: reductions.reduce(
        code, _name, array, axis, keepdims
    )
METHODS["argmax"] = lambda code, array, axis=None: reductions.position(code, array, axis, larger=True)
METHODS["argmin"] = lambda code, array, axis=None: reductions.position(code, array, axis, larger=False)
METHODS["cumsum"] = lambda code, array, axis=None: reductions.running(code, array, axis, multiply=False)
METHODS["cumprod"] = lambda code, array, axis=None: reductions.running(code, array, axis, multiply=True)


@method("reshape")
def _reshape(code: Code, array: Array | Number, *shape: Any) -> Array | Number:
    extents = _shape(shape[0] if len(shape) == 1 and isinstance(shape[0], tuple) else shape)
    if isinstance(array, Number):
        return broadcast(code, array, [1 if extent == -1 else extent for extent in extents])
    if extents == ():
        return Number(array.kind, array.at([0] * len(array.shape)))
    return reshaped(code, array, extents)


@method("transpose")
def _transpose(code: Code, array: Array, *order: Any) -> Array:
    axes = order[0] if len(order) == 1 and isinstance(order[0], tuple) else order
    return transposed(code, array, axes or range(len(array.shape))[::-1])


@method("copy")
def _copy(code: Code, array: Array | Number) -> Array | Number:
    if isinstance(array, Number):
        return array
    return replace(array, layout=None, original=array)


@method("astype")
def _astype(code: Code, array: Array | Number, dtype: Any) -> Array | Number:
    return as_kind(code, array, kind_of(np.dtype(dtype)))


@method("diagonal")
def _diagonal(code: Code, array: Array, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Array:
    ndim = len(array.shape)
    one, other = axis1 % ndim, axis2 % ndim
    kept = [k for k in range(ndim) if k not in (one, other)]
    rows, columns = array.shape[one], array.shape[other]
    down, right = max(-offset, 0), max(offset, 0)
    length = max(0, min(rows - down, columns - right))
    whole = array if array.layout is not None else stored(code, array)
    strides = whole.placed.strides
    start = code.plus(whole.placed.offset, down * strides[one] + right * strides[other])
    layout = Layout(whole.placed.memory, start, (*(strides[k] for k in kept), strides[one] + strides[other]))
    return view(code, layout, (*(array.shape[k] for k in kept), length))


@method("trace")
def _trace(code: Code, array: Array) -> Array | Number:
    return METHODS["sum"](code, _diagonal(code, array))


def attribute(code: Code, value: Any, name: str) -> Any:
    """Return `value.name` of an array or number that is known only when the code runs."""
    if name == "shape":
        return value.shape
    if name == "size":
        return product(value.shape)
    if name == "ndim":
        return len(value.shape)
    if name == "T":
        return value if isinstance(value, Number) else transposed(code, value, range(len(value.shape))[::-1])
    raise NotLowered(f"the attribute {name}")
