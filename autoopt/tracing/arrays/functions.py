"""What NumPy's functions do with traced arrays.

Most calls are simply recorded. Those that need more are handled: here the ones that write (`out=`), in `defined.py`
those that NumPy defines by others, in `in_place.py` those that write into an argument, in `ufuncs.py` the methods of
the universal functions.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from autoopt.errors import TracingError
from autoopt.tape.tape import PARAMETER
from autoopt.tracing.arrays import views, writing
from autoopt.tracing.arrays.indices import decided
from autoopt.tracing.recording.recorder import Recorder
from autoopt.tracing.standins.types import real

HANDLERS: dict[Callable, Callable] = {}

_VIEWS = (
    np.reshape, np.ravel, np.transpose, np.swapaxes, np.moveaxis, np.rollaxis, np.squeeze, np.expand_dims,
    np.atleast_1d, np.atleast_2d, np.atleast_3d, np.flip, np.flipud, np.fliplr, np.rot90, np.matrix_transpose, np.real,
    np.diagonal, np.broadcast_to, np.diag,
)  # fmt: skip
_VIEWS = frozenset(_VIEWS)


def call_function(tracer: Recorder, function: Callable, args: tuple, kwargs: dict) -> Any:
    """Evaluate `function(*args, **kwargs)`, one of its arguments being traced."""
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


def record(tracer: Recorder, function: Callable, args: tuple, kwargs: dict) -> Any:
    """Evaluate `function(*args, **kwargs)` as a step of the tape, its result a view where NumPy makes one."""
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


def _follow_memory(tracer: Recorder, result: Any, given: Any) -> Any:
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


def _arrays_in(tracer: Recorder, value: Any) -> Iterator[Any]:
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


def with_lists(tracer: Recorder, positions: tuple[int, ...], args: tuple) -> tuple:
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


def _with_plain(tracer: Recorder, function: Callable, args: tuple, kwargs: dict) -> tuple[tuple, dict]:
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


def store(tracer: Recorder, target: Any, result: Any, casting: str = "same_kind") -> Any:
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
    return writing.update(target, result, casting)
