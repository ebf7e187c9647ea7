"""NumPy's functions that answer with plain Python values, or that NumPy defines by others, on traced arrays."""

from __future__ import annotations

import itertools
import string
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from autoopt.tape.operations import put_add
from autoopt.tape.tape import CONSTANT, PARAMETER
from autoopt.tracing.arrays import reading, views, writing
from autoopt.tracing.arrays.functions import HANDLERS, call_function, handles, record
from autoopt.tracing.arrays.indices import decided
from autoopt.tracing.arrays.types import is_single
from autoopt.tracing.recording.recorder import Recorder

_PLAIN = (
    np.shape, np.ndim, np.size, np.result_type, np.can_cast, np.min_scalar_type, np.common_type, np.iscomplexobj,
    np.isrealobj, np.may_share_memory, np.shares_memory, np.diag_indices_from, np.tril_indices_from,
    np.triu_indices_from,
)  # fmt: skip
for _function in _PLAIN:
    HANDLERS[_function] = lambda tracer, *args, _function=_function, **kwargs: _function(
        *tracer.concrete(args), **tracer.concrete(kwargs)
    )


for _function in (np.array_repr, np.array_str, np.array2string, np.save, np.savetxt):
    HANDLERS[_function] = lambda tracer, *args, _function=_function, **kwargs: _function(
        *(tracer.show(part) if type(part) is tracer.array else part for part in args), **tracer.concrete(kwargs)
    )


for _function, _maker in ((np.zeros_like, np.zeros), (np.ones_like, np.ones), (np.empty_like, np.zeros)):

    def _like(tracer, a, dtype=None, order="K", subok=True, shape=None, *, device=None, _maker=_maker):
        dtype = a.dtype if dtype is None else np.dtype(dtype)
        if is_single(dtype):
            tracer.note_single()
            dtype = np.dtype(float)
        made = tracer.call(_maker, (np.shape(a) if shape is None else shape, dtype), {})
        return _laid_out(made, a, order, shape)

    HANDLERS[_function] = _like


def _laid_out(made: Any, like: Any, order: str, shape: Any) -> Any:
    """Return `made` with its numbers in memory as those of `like` are: what is a view of it later depends on that."""
    if shape is None and type(made.value) is np.ndarray and made.ndim > 1:
        value = np.empty_like(np.asarray(getattr(like, "value", like)), made.dtype, order=order)
        value[...] = made.value
        made.value = value
    return made


@handles(np.full_like)
def _full_like(tracer, a, fill_value, dtype=None, order="K", subok=True, shape=None, *, device=None):
    dtype = a.dtype if dtype is None else np.dtype(dtype)
    return _laid_out(full(tracer, np.shape(a) if shape is None else shape, fill_value, dtype), a, order, shape)


def full(tracer: Recorder, shape: Any, fill_value: Any, dtype: Any = None) -> Any:
    """Return `np.full(...)` as a traced array that can be written into."""
    fill_value = tracer.whole(fill_value)
    if type(fill_value) is tracer.array and fill_value.level > CONSTANT:
        if fill_value.size == 1 and np.prod(shape) == 1:
            made = fill_value if fill_value.ndim else tracer.nested([fill_value])
            made = made.duplicate() if made.shape in (shape, (shape,)) else made.reshape(shape)
            return made if dtype is None or made.dtype == dtype else made.cast(dtype)
        made = call_function(tracer, np.broadcast_to, (fill_value, shape), {}).duplicate()
        return made if dtype is None or made.dtype == dtype else made.cast(dtype)
    return tracer.call(np.full, (shape, tracer.concrete(fill_value), dtype), {})


@handles(np.compress)
def _compress(tracer, condition, a, axis=None):
    traced = tracer.holds_traced(condition)
    positions = _nonzero(tracer, condition)[0] if traced else np.flatnonzero(np.asarray(condition))
    if axis is None:
        return a.ravel()[positions]
    return a[(slice(None),) * (axis % a.ndim) + (positions,)]


@handles(np.extract)
def _extract(tracer, condition, arr):
    condition = condition.ravel() if type(condition) is tracer.array else np.ravel(condition)
    return _compress(tracer, condition, arr.ravel() if type(arr) is tracer.array else np.ravel(arr))


@handles(np.nan_to_num)
def _nan_to_num(tracer, x, copy=True, nan=0.0, posinf=None, neginf=None):
    result = tracer.call(np.nan_to_num, (x,), {"nan": nan, "posinf": posinf, "neginf": neginf})
    return result if copy else writing.update(x, result)


@handles(np.allclose)
def _allclose(tracer, a, b, rtol=1e-05, atol=1e-08, equal_nan=False):
    close = call_function(tracer, np.isclose, (a, b, rtol, atol, equal_nan), {})
    return _same(tracer, close)


@handles(np.array_equal)
def _array_equal(tracer, a1, a2, equal_nan=False):
    return np.shape(a1) == np.shape(a2) and _same(tracer, a1 == a2)


def _same(tracer: Recorder, equal: Any) -> bool:
    """Return whether all entries are equal, as the objective asks."""
    answer = bool(call_function(tracer, np.all, (equal,), {}))
    if answer and tracer.level(equal) == PARAMETER:
        tracer.tape.equalities.append(tracer.site())
    return answer


def _nonzero(tracer: Recorder, a: Any) -> tuple:
    if a.level != PARAMETER:
        return tracer.call(np.nonzero, (a,), {})
    mask = a if a.dtype.kind == "b" else a != 0
    return np.nonzero(tracer.guard(mask, "array", np.array(mask.value)))


HANDLERS[np.nonzero] = _nonzero
HANDLERS[np.unravel_index] = lambda tracer, indices, shape, order="C": np.unravel_index(
    decided(tracer, indices), decided(tracer, shape), order
)
HANDLERS[np.flatnonzero] = lambda tracer, a: _nonzero(tracer, call_function(tracer, np.ravel, (a,), {}))[0]
HANDLERS[np.argwhere] = lambda tracer, a: np.transpose(_nonzero(tracer, a))


@handles(np.bincount)
def _bincount(tracer, x, weights=None, minlength=0):
    if weights is None or tracer.level((x, weights)) < PARAMETER:
        return tracer.call(np.bincount, (x, weights, minlength), {})
    positions = np.asarray(decided(tracer, x))
    count = max(int(positions.max(initial=-1)) + 1, minlength)
    return tracer.call(put_add, (np.zeros(count), positions, weights), {})


@handles(np.histogram)
def _histogram(tracer, a, bins=10, range=None, density=None, weights=None):
    """Counts; of weights that depend on the parameters, their sums in bins that the data decide."""
    if weights is None or density or tracer.level((a, bins, range)) == PARAMETER:
        return tracer.call(np.histogram, (a, bins, range, density, weights), {})
    a = np.asarray(decided(tracer, a))
    edges = np.histogram_bin_edges(a, decided(tracer, bins), decided(tracer, range))
    inside = np.flatnonzero((a >= edges[0]) & (a <= edges[-1]))
    positions = np.clip(np.searchsorted(edges, a[inside], side="right") - 1, 0, len(edges) - 2)
    return tracer.call(put_add, (np.zeros(len(edges) - 1), positions, weights[inside]), {}), edges


@handles(np.where)
def _where(tracer, condition, *choices):
    if not choices:
        return _nonzero(tracer, condition)
    return tracer.call(np.where, (condition, *choices), {})


@handles(np.array_equiv)
def _array_equiv(tracer, a1, a2):
    try:
        np.broadcast_shapes(np.shape(a1), np.shape(a2))
    except ValueError:
        return False
    return bool(call_function(tracer, np.all, (a1 == a2,), {}))


@handles(np.isreal)
def _isreal(tracer, x):
    return np.ones(np.shape(x), bool)


@handles(np.iscomplex)
def _iscomplex(tracer, x):
    return np.zeros(np.shape(x), bool) if x.dtype.kind != "c" else record(tracer, np.iscomplex, (x,), {})


@handles(np.imag)
def _imag(tracer, val):
    return np.zeros(np.shape(val))[()] if val.dtype.kind != "c" else record(tracer, np.imag, (val,), {})


@handles(np.angle)
def _angle(tracer, z, deg=False):
    if z.dtype.kind == "c":
        return record(tracer, np.angle, (z, deg), {})
    return call_function(tracer, np.where, (z < 0, 180.0 if deg else np.pi, 0.0), {})[()]


HANDLERS[np.isposinf] = lambda tracer, x: x == np.inf
HANDLERS[np.isneginf] = lambda tracer, x: x == -np.inf
HANDLERS[np.astype] = lambda tracer, x, dtype, /, *, copy=True, device=None: x.astype(dtype, copy=copy)


def _of_either_sign(function: Callable) -> Callable:
    """Return what a function of np.emath does: real where its argument is nowhere negative, complex otherwise."""

    def follow(tracer, x):
        return getattr(np, function.__name__)(x if bool(call_function(tracer, np.all, (x >= 0,), {})) else x + 0j)

    return follow


for _function in (np.emath.sqrt, np.emath.log, np.emath.log2, np.emath.log10):
    HANDLERS[_function] = _of_either_sign(_function)


@handles(np.einsum)
def _einsum(tracer, *operands, **kwargs):
    """Evaluate np.einsum, with subscripts in lists, np.einsum(A, [0, 1], x, [1], [0]), too."""
    if not isinstance(operands[0], str):
        arrays, axes = operands[: len(operands) // 2 * 2 : 2], operands[1::2]
        left = ",".join(map(_subscripts, axes))
        operands = (left if len(operands) % 2 == 0 else f"{left}->{_subscripts(operands[-1])}", *arrays)
    return record(tracer, np.einsum, operands, kwargs)


def _subscripts(axes: Any) -> str:
    """Return axes in a list as np.einsum's letters, in the order of the numbers."""
    letters = string.ascii_uppercase + string.ascii_lowercase
    return "".join("..." if axis is Ellipsis else letters[axis] for axis in axes)


@handles(np.broadcast_arrays)
def _broadcast_arrays(tracer, *args, subok=False):
    shape = np.broadcast_shapes(*(np.shape(part) for part in args))
    return tuple(call_function(tracer, np.broadcast_to, (part, shape), {}) for part in args)


@handles(np.stack)
def _stack(tracer, arrays, axis=0, **options):
    """Along a first axis as np.array does it: what a loop has collected is seen to be one array."""
    parts = [tracer.whole(part) for part in arrays]
    known = all(type(part) is tracer.array or isinstance(part, float | int | np.ndarray | np.generic) for part in parts)
    if known and axis == 0 and not options and len({np.shape(part) for part in parts}) == 1:
        return tracer.nested(parts)
    return record(tracer, np.stack, (parts, axis), options)


@handles(np.linspace)
def _linspace(tracer, start, stop, num=50, endpoint=True, retstep=False, dtype=None, axis=0, *, device=None):
    num = int(num)
    count = num - 1 if endpoint else num
    step = (stop - start) / max(count, 1)
    points = start + step * np.arange(num).reshape((num, *[1] * max(np.ndim(start), np.ndim(stop))))
    points = points if dtype is None else points.cast(dtype)
    points = points if axis == 0 else call_function(tracer, np.moveaxis, (points, 0, axis), {})
    return (points, step) if retstep else points


@handles(np.split, np.array_split)
def _split(tracer, ary, indices_or_sections, axis=0):
    length = ary.shape[axis]
    if isinstance(indices_or_sections, int | np.integer):
        positions = np.array_split(np.arange(length), indices_or_sections)
        ends = np.cumsum([len(part) for part in positions])[:-1]
    else:
        ends = np.asarray(decided(tracer, indices_or_sections))
    bounds = [0, *(int(end) for end in ends), length]
    lead = (slice(None),) * (axis % ary.ndim)
    return [ary[(*lead, slice(a, b))] for a, b in itertools.pairwise(bounds)]


if hasattr(np, "unstack"):  # since NumPy 2.1

    @handles(np.unstack)
    def _unstack(tracer, x, /, *, axis=0):
        lead = (slice(None),) * (axis % x.ndim)
        return tuple(x[(*lead, k)] for k in range(x.shape[axis]))


HANDLERS[np.hsplit] = lambda tracer, ary, n: _split(tracer, ary, n, axis=1 if ary.ndim > 1 else 0)
HANDLERS[np.vsplit] = lambda tracer, ary, n: _split(tracer, ary, n, axis=0)
HANDLERS[np.dsplit] = lambda tracer, ary, n: _split(tracer, ary, n, axis=2)


@handles(sliding_window_view)
def _sliding_window_view(tracer, x, window_shape, axis=None, *, subok=False, writeable=False):
    if x.level == PARAMETER:
        return reading.memory_view(x, sliding_window_view(x.value, window_shape, axis, writeable=writeable))
    made = partial(sliding_window_view, writeable=writeable)
    result = tracer.call(sliding_window_view, (x, window_shape, axis), {}, compute=made)
    return views.attach_by_memory(result, x)
