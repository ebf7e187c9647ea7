"""What NumPy's functions do with traced arrays.

Most calls are simply recorded. Those that need more are handled: here the ones that write (`out=`), and methods of the
universal functions; in `defined.py` those that NumPy defines by others.
"""

from __future__ import annotations

import functools
import inspect
import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from autoopt.errors import TracingError, UnsupportedFunctionError
from autoopt.tape.tape import PARAMETER
from autoopt.tracing.arrays import views
from autoopt.tracing.standins.types import real

HANDLERS: dict[Callable, Callable] = {}

_VIEWS = (
    np.reshape, np.ravel, np.transpose, np.swapaxes, np.moveaxis, np.rollaxis, np.squeeze, np.expand_dims,
    np.atleast_1d, np.atleast_2d, np.atleast_3d, np.flip, np.flipud, np.fliplr, np.rot90, np.matrix_transpose, np.real,
    np.diagonal, np.broadcast_to, np.diag,
)  # fmt: skip
_VIEWS = frozenset(_VIEWS)


def call_function(tracer: Any, function: Callable, args: tuple, kwargs: dict) -> Any:
    """Call `function(*args, **kwargs)`, one of its arguments being traced."""
    args, kwargs = real(args), real(kwargs)
    function = _OTHER_NAMES.get(function, function)
    args, target = without_out(function, args, kwargs)
    if target is not None:
        return store(tracer, target, call_function(tracer, function, args, kwargs))
    handler = HANDLERS.get(function)
    if handler is not None:
        return handler(tracer, *args, **kwargs)
    if function in OF_ARRAYS and args:
        args = with_lists(tracer, OF_ARRAYS[function], args)
    if function in _COUNTED:
        args, kwargs = _with_plain(tracer, function, args, kwargs)
    return record(tracer, function, args, kwargs)


def record(tracer: Any, function: Callable, args: tuple, kwargs: dict) -> Any:
    """Record `function(*args, **kwargs)` as a step of the tape, its result a view where NumPy makes one."""
    if tracer.buffers is not None and function in _VIEWS:
        with tracer.buffers.quiet():
            result = tracer.call(function, args, kwargs)
    else:
        result = tracer.call(function, args, kwargs)
    if type(result) in (tuple, list):
        for part in result:
            _follow_memory(tracer, part, (args, kwargs))
        return result
    if type(result) is not tracer.array or type(result.value) is not np.ndarray:
        return result
    if type(args[0]) is tracer.array:
        if result.value is args[0].value:
            return args[0]
        if function in _VIEWS and not tracer.holds_traced((args[1:], kwargs)):
            return views.attach(result, args[0], function, args[1:], kwargs)
    return _follow_memory(tracer, result, (args, kwargs))


def _follow_memory(tracer: Any, result: Any, given: Any) -> Any:
    """Return `result` as a view of the array in `given` whose memory it shares, with memory of its own if of none."""
    value = getattr(result, "value", None)
    if type(result) is not tracer.array or type(value) is not np.ndarray:
        return result
    parent = next((one for one in _arrays_in(tracer, given) if np.may_share_memory(one.value, value)), None)
    if parent is not None and parent.value.dtype == value.dtype:
        return views.attach_by_memory(result, parent)
    if value.base is not None:
        result.value = value.copy("K")
        result.value.flags.writeable = (
            parent is None
        )  # a part of complex data, which the tape has as an array of its own
    return result


def _arrays_in(tracer: Any, value: Any) -> Iterator[Any]:
    """Yield the traced arrays in a nest of lists, tuples and dictionaries that are no scalars."""
    if type(value) is tracer.array:
        if type(value.value) is np.ndarray:
            yield value
    elif type(value) in (list, tuple):
        for part in value:
            yield from _arrays_in(tracer, part)
    elif type(value) is dict:
        yield from _arrays_in(tracer, list(value.values()))


_OTHER_NAMES = {
    np.amax: np.max, np.amin: np.min, np.around: np.round, np.linalg.vecdot: np.vecdot,
    np.linalg.tensordot: np.tensordot,
}  # fmt: skip
"""Functions of NumPy that are other functions by another name."""

OF_ARRAYS = {
    np.concatenate: (0,), np.stack: (0,), np.vstack: (0,), np.hstack: (0,), np.dstack: (0,), np.column_stack: (0,),
    np.linalg.multi_dot: (0,), np.choose: (1,), np.select: (0, 1),
}  # fmt: skip
"""Functions that take a sequence of arrays, with its position: an array there is the sequence of its parts."""


def with_lists(tracer: Any, positions: tuple[int, ...], args: tuple) -> tuple:
    """Return the arguments with lists of arrays at `positions`."""
    found = list(args)
    for place in positions:
        if place < len(found) and (type(found[place]) is tracer.array or isinstance(found[place], np.ndarray)):
            found[place] = list(found[place])
        elif place < len(found) and type(found[place]) in (list, tuple):
            found[place] = [tracer.whole(part) for part in found[place]]
    return tuple(found)


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


def store(tracer: Any, target: Any, result: Any, casting: str = "same_kind") -> Any:
    """Write `result` into the `out=` array `target` and return that."""
    if type(target) is tuple and type(result) is tuple:
        return tuple(store(tracer, one, part, casting) for one, part in zip(target, result, strict=True))
    if type(target) is tuple:
        (target,) = target
    if target is None:
        return result
    if type(target) is tracer.pair:
        target[...] = result
        return target
    if type(target) is not tracer.array:
        tracer.wrote_outside = True
        raise TracingError(
            "The objective writes a traced value into an array made outside of it (out=).",
            tracer.location(),
            "make the array inside the objective, or leave out= away.",
        )
    if type(result) is not tracer.array:
        target[...] = result
        return target
    return views.update(target, result, casting)


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


def call_ufunc(tracer: Any, ufunc: Callable, method: str, inputs: tuple, kwargs: dict) -> Any:
    """Call a ufunc's method, or a ufunc with keywords."""
    if method == "at":
        from autoopt.tracing.arrays.in_place import write_at

        return write_at(tracer, ufunc, *inputs)
    casting = kwargs.pop("casting", "same_kind")
    target = kwargs.pop("out", None)
    if method in ("__call__", "outer"):
        if method == "outer":
            inputs = outer_operands(tracer, *inputs)
        result = _call_with_keywords(tracer, ufunc, inputs, kwargs, target)
    else:
        *inputs, target = _reduction_operands(method, inputs, kwargs, target)
        result = _reduction(tracer, ufunc, method, inputs, kwargs)
    return result if target is None else store(tracer, target, result, casting)


def outer_operands(tracer: Any, *operands: Any) -> tuple[Any, Any]:
    """Return the operands of `ufunc.outer` so that the plain ufunc of them is what it gives."""
    left, right = (part if type(part) in (tracer.array, tracer.pair) else np.asarray(part) for part in operands)
    return left.reshape(left.shape + (1,) * right.ndim), right


_AFTER_ARRAY = {
    "reduce": ("axis", "dtype", "out", "keepdims", "initial", "where"), "accumulate": ("axis", "dtype", "out"),
    "reduceat": ("axis", "dtype", "out"),
}  # fmt: skip
"""What a ufunc's methods take by position after the array (and the indices of `reduceat`)."""


def _reduction_operands(method: str, inputs: tuple, kwargs: dict, target: Any) -> tuple:
    """Return the operands of a ufunc's method and `out`, what else is given by position put into `kwargs`."""
    operands = 2 if method == "reduceat" else 1
    for name, value in zip(_AFTER_ARRAY[method], inputs[operands:], strict=False):
        if name == "out":
            target = value if target is None else target
        elif value is not None or name == "axis":
            kwargs[name] = value
    return *inputs[:operands], target


def _reduction(tracer: Any, ufunc: Callable, method: str, inputs: Any, kwargs: dict) -> Any:
    """Call `ufunc.reduce`, `.accumulate` or `.reduceat`."""
    axis = kwargs.pop("axis", 0)
    if method == "reduceat":
        return _reduce_pieces(tracer, ufunc, *inputs, axis, **kwargs)
    known = {"reduce": _REDUCTIONS, "accumulate": _ACCUMULATIONS}[method].get(ufunc)
    if known is None:
        return _one_by_one(tracer, ufunc, method, *inputs, axis, **kwargs)
    return call_function(tracer, known, tuple(inputs), {"axis": axis, **kwargs})


def _call_with_keywords(tracer: Any, ufunc: Callable, inputs: tuple, kwargs: dict, target: Any) -> Any:
    """Call `ufunc(*inputs, where=..., dtype=...)`."""
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
    targets = target if type(target) is tuple else (target,)
    if type(result) is tuple:
        pairs = zip(result, targets, strict=True)
        return tuple(call_function(tracer, np.where, (where, *pair), {}) for pair in pairs)
    return call_function(tracer, np.where, (where, result, *targets), {})


def _one_by_one(tracer: Any, ufunc: Callable, method: str, x: Any, axis: int = 0, **kwargs: Any) -> Any:
    """Evaluate `ufunc.reduce` or `.accumulate` along `axis`, one element after another."""
    if any(value for value in kwargs.values()) or type(axis) is not int or not x.shape[axis]:
        return tracer.call(getattr(ufunc, method), (x,), {"axis": axis, **kwargs})
    parts = [x[(slice(None),) * (axis % x.ndim) + (k,)] for k in range(x.shape[axis])]
    partial = parts[:1]
    for part in parts[1:]:
        partial.append(tracer.elementwise(ufunc, (partial[-1], part)))
    return partial[-1] if method == "reduce" else call_function(tracer, np.stack, (partial,), {"axis": axis})


def _reduce_pieces(tracer: Any, ufunc: Callable, x: Any, indices: Any, axis: int = 0, dtype: Any = None) -> Any:
    """Evaluate `ufunc.reduceat`: reduce from each index to the next; take the entry where the next is no later."""
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
        return tracer.guard(value, "array", np.array(value.value))
    return kind([decided(tracer, part) for part in value]) if kind in (tuple, list) else value


_NEUTRAL = (("order", "K"), ("subok", True))
