"""What NumPy's functions and array methods do with traced arrays.

Most calls are simply recorded. Here are those that need more: the ones that write (`out=`, `np.copyto`), that answer
with a plain Python value, or that NumPy defines by another function (`np.add.reduce`, `x.sum()`).
"""

from __future__ import annotations

import functools
import inspect
import itertools
import string
from collections.abc import Callable
from typing import Any

import numpy as np

from autoopt.errors import TracingError, UnsupportedFunctionError
from autoopt.tape.operations import put_add
from autoopt.tape.tape import PARAMETER
from autoopt.tracing import writing
from autoopt.tracing.kinds import real

HANDLERS: dict[Callable, Callable] = {}
METHODS: dict[str, Callable] = {}

_VIEWS = (
    np.reshape, np.ravel, np.transpose, np.swapaxes, np.moveaxis, np.rollaxis, np.squeeze, np.expand_dims,
    np.atleast_1d, np.atleast_2d, np.atleast_3d, np.flip, np.flipud, np.fliplr, np.rot90, np.matrix_transpose, np.real,
    np.diagonal, np.broadcast_to, np.diag,
)  # fmt: skip
_VIEWS = frozenset(_VIEWS)


def call_function(tracer: Any, function: Callable, args: tuple, kwargs: dict) -> Any:
    """Do `function(*args, **kwargs)`, one of its arguments being traced."""
    args, kwargs = real(args), real(kwargs)
    function = _OTHER_NAMES.get(function, function)
    handler = HANDLERS.get(function)
    if handler is not None:
        return handler(tracer, *args, **kwargs)
    if function in _COUNTED:
        args, kwargs = _with_plain(tracer, function, args, kwargs)
    return record(tracer, function, args, kwargs)


def record(tracer: Any, function: Callable, args: tuple, kwargs: dict) -> Any:
    """Do `function(*args, **kwargs)` as a step of the tape, its result a view where NumPy makes one."""
    args, target = without_out(function, args, kwargs)
    if target is not None:
        return store(tracer, target, call_function(tracer, function, args, kwargs))
    result = tracer.call(function, args, kwargs)
    if type(result) is not tracer.array or type(result.value) is not np.ndarray:
        return result
    if function in _VIEWS and type(args[0]) is tracer.array:
        if result.value is args[0].value:
            return args[0]
        if not tracer.holds_traced((args[1:], kwargs)):
            return writing.attach(result, args[0], function, args[1:], kwargs)
    if result.value.base is not None:
        result.value = result.value.copy("K")
    return result


_OTHER_NAMES = {
    np.amax: np.max, np.amin: np.min, np.around: np.round, np.linalg.vecdot: np.vecdot,
    np.linalg.tensordot: np.tensordot,
}  # fmt: skip
"""Functions of NumPy that are other functions by another name."""

_COUNTED = {
    np.repeat: (1, "repeats"), np.quantile: (1, "q"), np.percentile: (1, "q"), np.delete: (1, "obj"),
    np.insert: (1, "obj"), np.roll: (1, "shift"), np.tile: (1, "reps"), np.pad: (1, "pad_width"),
}  # fmt: skip
"""Functions with an argument, by position and name, that says how many or where, and is no operand."""


def _with_plain(tracer: Any, function: Callable, args: tuple, kwargs: dict) -> tuple[tuple, dict]:
    """Return the arguments with plain numbers for the one of `_COUNTED`, unless it has a derivative."""
    position, name = _COUNTED[function]
    value = args[position] if len(args) > position else kwargs.get(name)
    if type(value) is not tracer.array or (value.level == PARAMETER and value.dtype.kind == "f"):
        return args, kwargs
    value = decided(tracer, value)
    value = value.item() if value.ndim == 0 else value
    if len(args) > position:
        return (*args[:position], value, *args[position + 1 :]), kwargs
    return args, {**kwargs, name: value}


@functools.cache
def _out_position(function: Callable) -> int | None:
    """Return the position of `out` among the parameters of a NumPy function."""
    if function in (np.dot, np.concatenate):
        return 2
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return None
    names = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return names.index("out") if "out" in names else None


def without_out(function: Callable, args: tuple, kwargs: dict) -> tuple[tuple, Any]:
    """Return the positional arguments without `out`, and `out`, which is removed from `kwargs` too."""
    target = kwargs.pop("out", None)
    position = _out_position(function) if target is None and len(args) > 2 else None
    if position is not None and position < len(args) and args[position] is not None:
        target = args[position]
        args = (*args[:position], None, *args[position + 1 :]) if position + 1 < len(args) else args[:position]
    return args, target


def handles(*functions: Callable) -> Callable:
    """Return a decorator that registers `handler(tracer, *args, **kwargs)` for NumPy functions."""

    def register(handler: Callable) -> Callable:
        HANDLERS.update(dict.fromkeys(functions, handler))
        return handler

    return register


def store(tracer: Any, target: Any, result: Any) -> Any:
    """Write `result` into the `out=` array `target` and return that."""
    if type(target) is tuple and type(result) is tuple:
        return tuple(store(tracer, one, part) for one, part in zip(target, result, strict=True))
    if type(target) is tuple:
        (target,) = target
    if type(target) is not tracer.array:
        raise TracingError(
            "The objective writes a traced value into an array made outside of it (out=).",
            tracer.location(),
            "make the array inside the objective, or leave out= away.",
        )
    if type(result) is not tracer.array:
        target[...] = result
        return target
    return writing.update(target, result)


# Universal functions --------------------------------------------------------------------------------------------------

_REDUCTIONS = {
    np.add: np.sum,
    np.multiply: np.prod,
    np.maximum: np.max,
    np.minimum: np.min,
    np.logical_and: np.all,
    np.logical_or: np.any,
}
_ACCUMULATIONS = {np.add: np.cumsum, np.multiply: np.cumprod}
_BY_RULE = {(ufunc, "reduce") for ufunc in _REDUCTIONS} | {(ufunc, "accumulate") for ufunc in _ACCUMULATIONS}


def call_ufunc(tracer: Any, ufunc: Callable, method: str, inputs: tuple, kwargs: dict) -> Any:
    """Do a ufunc's method, or a plain call with keywords."""
    target = kwargs.pop("out", None)
    if method == "__call__":
        result = _call_with_keywords(tracer, ufunc, inputs, kwargs, target)
        return result if target is None else store(tracer, target, result)
    if method == "at":
        from autoopt.tracing.in_place import write_at

        return write_at(tracer, ufunc, *inputs)
    if method == "reduceat" and target is None:
        return _reduce_pieces(tracer, ufunc, *inputs, **kwargs)
    if method == "outer":
        left, right = (np.asarray(part) if type(part) is not tracer.array else part for part in inputs)
        return tracer.elementwise(ufunc, (left.reshape(left.shape + (1,) * right.ndim), right))
    if method in ("reduce", "accumulate") and (ufunc, method) not in _BY_RULE and target is None:
        return _one_by_one(tracer, ufunc, method, *inputs, **kwargs)
    known = {"reduce": _REDUCTIONS, "accumulate": _ACCUMULATIONS}.get(method, {}).get(ufunc)
    if known is not None:
        axis = kwargs.pop("axis", inputs[1] if len(inputs) > 1 else 0)
        result = call_function(tracer, known, (inputs[0],), {"axis": axis, **kwargs})
    else:
        result = tracer.call(getattr(ufunc, method), inputs, kwargs)
    return result if target is None else store(tracer, target, result)


def _call_with_keywords(tracer: Any, ufunc: Callable, inputs: tuple, kwargs: dict, target: Any) -> Any:
    """Do `ufunc(*inputs, where=..., dtype=...)`."""
    where, dtype = kwargs.pop("where", True), kwargs.pop("dtype", None)
    kwargs = {name: value for name, value in kwargs.items() if (name, value) not in _NEUTRAL}
    if kwargs:
        return tracer.call(ufunc, inputs, kwargs)
    result = tracer.elementwise(ufunc, inputs)
    if dtype is not None and np.dtype(dtype) != result.dtype:
        result = result.cast(dtype)
    if where is True:
        return result
    if target is None:
        raise UnsupportedFunctionError(
            f"np.{ufunc.__name__} is called with where= but without out=, so some entries are whatever memory held.",
            tracer.location(),
            "give out= an array, or use np.where.",
        )
    return call_function(tracer, np.where, (where, result, target[0] if type(target) is tuple else target), {})


def _one_by_one(tracer: Any, ufunc: Callable, method: str, x: Any, axis: int = 0, **kwargs: Any) -> Any:
    """Do `ufunc.reduce` or `.accumulate` along `axis`, one element after another."""
    if any(value for value in kwargs.values()) or type(axis) is not int or not x.shape[axis]:
        return tracer.call(getattr(ufunc, method), (x,), {"axis": axis, **kwargs})
    parts = [x[(slice(None),) * (axis % x.ndim) + (k,)] for k in range(x.shape[axis])]
    partial = parts[:1]
    for part in parts[1:]:
        partial.append(tracer.elementwise(ufunc, (partial[-1], part)))
    return partial[-1] if method == "reduce" else call_function(tracer, np.stack, (partial,), {"axis": axis})


def _reduce_pieces(tracer: Any, ufunc: Callable, x: Any, indices: Any, axis: int = 0, dtype: Any = None) -> Any:
    """Do `ufunc.reduceat`: a reduction from each index to the next, or the entry itself where the next is no later."""
    starts = [int(start) for start in np.asarray(decided(tracer, indices))]
    lead = (slice(None),) * (axis % x.ndim)
    pieces = []
    for start, stop in itertools.zip_longest(starts, starts[1:], fillvalue=None):
        if stop is not None and stop <= start:
            pieces.append(x[(*lead, start)])
        else:
            pieces.append(call_ufunc(tracer, ufunc, "reduce", (x[(*lead, slice(start, stop))],), {"axis": axis}))
    made = call_function(tracer, np.stack, (pieces,), {"axis": axis})
    return made if dtype is None else made.cast(dtype)


def decided(tracer: Any, value: Any) -> Any:
    """Return positions as plain numbers, with a guard on what depends on the parameters."""
    kind = type(value)
    if kind is tracer.array:
        return tracer.decide(value, "array", np.array(value.value))
    return kind([decided(tracer, part) for part in value]) if kind in (tuple, list) else value


_NEUTRAL = (("casting", "same_kind"), ("order", "K"), ("subok", True))


# Functions that NumPy defines by others, or that answer with plain Python values --------------------------------------


_PLAIN = (
    np.shape, np.ndim, np.size, np.result_type, np.can_cast, np.min_scalar_type, np.common_type, np.iscomplexobj,
    np.isrealobj, np.may_share_memory, np.shares_memory, np.diag_indices_from, np.tril_indices_from,
    np.triu_indices_from, np.array_repr, np.array_str, np.array2string, np.save, np.savetxt,
)  # fmt: skip
for _function in _PLAIN:
    HANDLERS[_function] = lambda tracer, *args, _function=_function, **kwargs: _function(
        *tracer.concrete(args), **tracer.concrete(kwargs)
    )


for _function, _maker in ((np.zeros_like, np.zeros), (np.ones_like, np.ones), (np.empty_like, np.zeros)):

    def _like(tracer, a, dtype=None, order="K", subok=True, shape=None, *, device=None, _maker=_maker):
        dtype = a.dtype if dtype is None else np.dtype(dtype)
        made = tracer.call(_maker, (np.shape(a) if shape is None else shape, dtype), {})
        return _laid_out(made, a, order, shape)

    HANDLERS[_function] = _like


def _laid_out(made: Any, like: Any, order: str, shape: Any) -> Any:
    """Return `made` with its numbers in memory as those of `like` are: what is a view of it later hangs on that."""
    if shape is None and type(made.value) is np.ndarray and made.ndim > 1:
        value = np.empty_like(np.asarray(getattr(like, "value", like)), made.dtype, order=order)
        value[...] = made.value
        made.value = value
    return made


@handles(np.full_like)
def _full_like(tracer, a, fill_value, dtype=None, order="K", subok=True, shape=None, *, device=None):
    dtype = a.dtype if dtype is None else np.dtype(dtype)
    return _laid_out(full(tracer, np.shape(a) if shape is None else shape, fill_value, dtype), a, order, shape)


def full(tracer: Any, shape: Any, fill_value: Any, dtype: Any = None) -> Any:
    """Return `np.full(...)` as a traced array that can be written into."""
    if type(fill_value) is tracer.array and fill_value.level == PARAMETER:
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


def _same(tracer: Any, equal: Any) -> bool:
    """Return whether all entries are equal, as the objective asks."""
    answer = bool(call_function(tracer, np.all, (equal,), {}))
    if answer and tracer.level(equal) == PARAMETER:
        tracer.tape.ties.append(tracer.site())
    return answer


def _nonzero(tracer: Any, a: Any) -> tuple:
    if a.level != PARAMETER:
        return tracer.call(np.nonzero, (a,), {})
    mask = a if a.dtype.kind == "b" else a != 0
    return np.nonzero(tracer.decide(mask, "array", np.array(mask.value)))


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


HANDLERS[np.isposinf] = lambda tracer, x: x == np.inf
HANDLERS[np.isneginf] = lambda tracer, x: x == -np.inf
HANDLERS[np.unravel_index] = lambda tracer, indices, shape, order="C": np.unravel_index(
    decided(tracer, indices), shape, order
)
HANDLERS[np.astype] = lambda tracer, x, dtype, copy=True, device=None: x.cast(dtype)


def _of_either_sign(function: Callable) -> Callable:
    """Return what a function of np.emath does: real where its argument is nowhere negative, complex otherwise."""

    def follow(tracer, x):
        return getattr(np, function.__name__)(x if bool(call_function(tracer, np.all, (x >= 0,), {})) else x + 0j)

    return follow


for _function in (np.emath.sqrt, np.emath.log, np.emath.log2, np.emath.log10):
    HANDLERS[_function] = _of_either_sign(_function)


@handles(np.einsum)
def _einsum(tracer, *operands, **kwargs):
    """Of subscripts in lists, np.einsum(A, [0, 1], x, [1], [0]), too."""
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


HANDLERS[np.hsplit] = lambda tracer, ary, n: _split(tracer, ary, n, axis=1 if ary.ndim > 1 else 0)
HANDLERS[np.vsplit] = lambda tracer, ary, n: _split(tracer, ary, n, axis=0)


# Methods --------------------------------------------------------------------------------------------------------------


_SAME_NAME = (
    "sum", "mean", "std", "var", "prod", "max", "min", "argmax", "argmin", "argsort", "any", "all", "cumsum", "cumprod",
    "dot", "swapaxes", "squeeze", "repeat", "take", "trace", "diagonal", "round", "ptp", "nonzero",
    "searchsorted", "compress", "choose",
)  # fmt: skip


def _by_function(function: Callable) -> Callable:
    return lambda array, *args, **kwargs: call_function(array.tracer, function, (array, *args), kwargs)


METHODS.update({name: _by_function(getattr(np, name)) for name in _SAME_NAME})
METHODS["conj"] = METHODS["conjugate"] = _by_function(np.conjugate)


def _method(function: Callable) -> Callable:
    METHODS[function.__name__.strip("_")] = function
    return function


@_method
def transpose(array, *axes):
    axes = axes[0] if len(axes) == 1 else axes
    return call_function(array.tracer, np.transpose, (array, axes) if axes else (array,), {})


@_method
def astype(array, dtype, order="K", casting="unsafe", subok=True, copy=True):
    dtype = real(dtype)
    if not copy and np.dtype(dtype) == array.dtype:
        return array
    made = array.cast(dtype)
    return made if order == "K" else made.duplicate(order)


@_method
def item(array, *index):
    if not index and array.size != 1:
        raise ValueError("can only convert an array of size 1 to a Python scalar")
    if not index:
        picked = array[(0,) * array.ndim] if array.ndim else array
    else:
        picked = array.flat[index[0]] if len(index) == 1 else array[index]
    return scalar(picked)


def scalar(traced: Any) -> Any:
    """Return a traced 0-d value as one whose number is a plain Python scalar."""
    return type(traced)(traced.tracer, traced.current(), np.asarray(traced.value).item(), traced.level)


@_method
def tolist(array):
    return [part.tolist() for part in array] if array.ndim else scalar(array)


@_method
def clip(array, min=None, max=None, out=None, **kwargs):
    return call_function(array.tracer, np.clip, (array, min, max, out), kwargs)


@_method
def put(array, indices, values, mode="raise"):
    HANDLERS[np.put](array.tracer, array, indices, values, mode)


@_method
def view(array, dtype=None, type=None):
    if dtype is np.matrix or type is np.matrix:
        array.tracer.refuse_matrix()
    if dtype is not None and np.dtype(dtype) != array.dtype:
        raise UnsupportedFunctionError(
            "The objective looks at an array's memory as another type (.view).", array.tracer.location(), "use .astype."
        )
    return array[...]


@_method
def fill(array, value):
    array[...] = value


@_method
def sort(array, axis=-1, kind=None, order=None, *, stable=None):
    array[...] = call_function(array.tracer, np.sort, (array,), {"axis": axis})


@_method
def partition(array, kth, axis=-1, kind="introselect", order=None):
    sort(array, axis)


@_method
def tobytes(array, order="C"):
    array._refuse_conversion("bytes")
    return array.tracer.decide(array, "array", array.value).tobytes(order)


@_method
def is_integer(array):
    return bool(array == call_function(array.tracer, np.floor, (array,), {}))


class Method:
    """A method of a traced array, bound to it."""

    __slots__ = ("array", "function")

    def __init__(self, array: Any, function: Callable) -> None:
        self.array = array
        self.function = function

    def __call__(self, *args, **kwargs):
        return self.function(self.array, *args, **kwargs)
