"""What the methods of arrays do on traced arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autoopt.errors import UnsupportedFunctionError
from autoopt.tracing.arrays import views
from autoopt.tracing.arrays.functions import HANDLERS, call_function
from autoopt.tracing.recording import refusals
from autoopt.tracing.standins.types import real

METHODS: dict[str, Callable] = {}

_SAME_NAME = (
    "sum", "mean", "std", "var", "prod", "max", "min", "argmax", "argmin", "argsort", "any", "all", "cumsum", "cumprod",
    "dot", "swapaxes", "squeeze", "repeat", "take", "trace", "diagonal", "round", "ptp", "nonzero",
    "searchsorted",
)  # fmt: skip


def _by_function(function: Callable) -> Callable:
    return lambda array, *args, **kwargs: call_function(array.tracer, function, (array, *args), kwargs)


METHODS.update({name: _by_function(getattr(np, name)) for name in _SAME_NAME})
METHODS["conj"] = METHODS["conjugate"] = lambda array: array if array.dtype.kind in "fiub" else np.conjugate(array)


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
def choose(array, *choices, out=None, mode="raise"):
    choices = choices[0] if len(choices) == 1 else choices
    return call_function(array.tracer, np.choose, (array, choices), {"out": out, "mode": mode})


@_method
def compress(array, condition, axis=None, out=None):
    return call_function(array.tracer, np.compress, (condition, array, axis, out), {})


@_method
def put(array, indices, values, mode="raise"):
    HANDLERS[np.put](array.tracer, array, indices, values, mode)


@_method
def view(array, dtype=None, type=None):
    if dtype is np.matrix or type is np.matrix:
        raise refusals.matrix(array.tracer)
    dtype = None if real(dtype) is np.ndarray else dtype
    if dtype is not None and np.dtype(dtype) != array.dtype:
        raise UnsupportedFunctionError(
            "The objective looks at an array's memory as another type (.view).", array.tracer.location(), "use .astype."
        )
    return array[...]


@_method
def fill(array, value):
    if isinstance(array.value, np.ndarray):  # that of a number fills a copy
        array[...] = value


@_method
def sort(array, axis=-1, kind=None, order=None, *, stable=None, **descending):
    if array.ndim > 1 and views.overlaps(array):  # one lane after the other, each as those before have left it
        others = [size for place, size in enumerate(array.shape) if place != axis % array.ndim]
        for place in np.ndindex(*others):
            index = list(place)
            index.insert(axis % array.ndim, slice(None))
            sort(array[tuple(index)], **descending)
        return
    array[...] = call_function(array.tracer, np.sort, (array,), {"axis": axis, **descending})


@_method
def partition(array, kth, axis=-1, kind="introselect", order=None):
    sort(array, axis)


@_method
def tobytes(array, order="C"):
    array._refuse_conversion("bytes")
    return array.tracer.guard(array, "array", array.value).tobytes(order)


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
