"""NumPy's universal functions on traced arrays: calls with keywords, reductions and the other methods."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from autoopt.errors import UnsupportedFunctionError
from autoopt.tracing.arrays.functions import call_function, store
from autoopt.tracing.arrays.in_place import write_at
from autoopt.tracing.arrays.indices import decided
from autoopt.tracing.recording.recorder import Recorder

_REDUCTIONS = {
    np.add: np.sum,
    np.multiply: np.prod,
    np.maximum: np.max,
    np.minimum: np.min,
    np.logical_and: np.all,
    np.logical_or: np.any,
}
_ACCUMULATIONS = {np.add: np.cumsum, np.multiply: np.cumprod}


def call_ufunc(tracer: Recorder, ufunc: Callable, method: str, inputs: tuple, kwargs: dict) -> Any:
    """Evaluate a ufunc's method, or a plain call with keywords."""
    if method == "at":
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


def outer_operands(tracer: Recorder, *operands: Any) -> tuple[Any, Any]:
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


def _reduction(tracer: Recorder, ufunc: Callable, method: str, inputs: Any, kwargs: dict) -> Any:
    """Evaluate `ufunc.reduce`, `.accumulate` or `.reduceat`."""
    axis = kwargs.pop("axis", 0)
    if method == "reduceat":
        return _reduce_pieces(tracer, ufunc, *inputs, axis, **kwargs)
    known = {"reduce": _REDUCTIONS, "accumulate": _ACCUMULATIONS}[method].get(ufunc)
    if known is None:
        return _one_by_one(tracer, ufunc, method, *inputs, axis, **kwargs)
    return call_function(tracer, known, tuple(inputs), {"axis": axis, **kwargs})


def _call_with_keywords(tracer: Recorder, ufunc: Callable, inputs: tuple, kwargs: dict, target: Any) -> Any:
    """Evaluate `ufunc(*inputs, where=..., dtype=...)`."""
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


def _one_by_one(tracer: Recorder, ufunc: Callable, method: str, x: Any, axis: int = 0, **kwargs: Any) -> Any:
    """Evaluate `ufunc.reduce` or `.accumulate` along `axis`, one element after another."""
    if any(value for value in kwargs.values()) or type(axis) is not int or not x.shape[axis]:
        return tracer.call(getattr(ufunc, method), (x,), {"axis": axis, **kwargs})
    parts = [x[(slice(None),) * (axis % x.ndim) + (k,)] for k in range(x.shape[axis])]
    partial = parts[:1]
    for part in parts[1:]:
        partial.append(tracer.elementwise(ufunc, (partial[-1], part)))
    return partial[-1] if method == "reduce" else call_function(tracer, np.stack, (partial,), {"axis": axis})


def _reduce_pieces(tracer: Recorder, ufunc: Callable, x: Any, indices: Any, axis: int = 0, dtype: Any = None) -> Any:
    """Evaluate `ufunc.reduceat`: a reduction from each index to the next, or the entry where the next is no later."""
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


_NEUTRAL = (("order", "K"), ("subok", True))
