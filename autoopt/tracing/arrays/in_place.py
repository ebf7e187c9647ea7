"""NumPy's functions that write into an argument: np.put and its relatives, and the method `at` of the ufuncs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autoopt.errors import TracingError
from autoopt.tape.operations import put_add
from autoopt.tracing.arrays import writing
from autoopt.tracing.arrays.functions import call_function, handles, store
from autoopt.tracing.arrays.indices import decided
from autoopt.tracing.recording.recorder import Recorder


@handles(np.copyto)
def _copyto(tracer, dst, src, casting="same_kind", where=True):
    store(tracer, dst, src if where is True else call_function(tracer, np.where, (where, src, dst), {}))


@handles(np.fill_diagonal)
def _fill_diagonal(tracer, a, val, wrap=False):
    if wrap or np.ndim(val) > 1 or np.size(val) != 1:
        step = a.shape[1] + 1 if a.ndim == 2 else 1 + int(np.cumprod(a.shape[:-1]).sum())
        end = None if wrap or a.ndim > 2 else a.shape[1] * a.shape[1]
        positions = np.arange(a.size)[:end:step]
        val = call_function(tracer, np.ravel, (tracer.lift(tracer.whole(val)),), {})
        a.flat[positions] = val[np.arange(positions.size) % val.size]
        return
    writing.write(a, tuple(np.arange(min(a.shape)) for _ in a.shape), val)


@handles(np.put)
def _put(tracer, a, ind, v, mode="raise"):
    positions = np.asarray(decided(tracer, ind)).ravel()
    if mode != "raise":
        positions = positions % a.size if mode == "wrap" else np.clip(positions, 0, a.size - 1)
    v = v if type(v) is tracer.array else np.asarray(tracer.whole(v))
    values = v if np.ndim(v) == 0 else v.ravel()[np.arange(positions.size) % np.size(v)]
    a.flat[positions] = values


@handles(np.putmask)
def _putmask(tracer, a, mask, values):
    if np.ndim(values) and np.shape(values) != a.shape:
        values = values.ravel()[np.arange(a.size) % np.size(values)].reshape(a.shape)
    a[...] = call_function(tracer, np.where, (mask, values, a), {})


@handles(np.place)
def _place(tracer, arr, mask, vals):
    positions = np.flatnonzero(decided(tracer, mask))
    vals = vals if type(vals) is tracer.array or not tracer.holds_traced(vals) else tracer.nested(vals)
    vals = np.asarray(vals) if type(vals) is not tracer.array else vals
    arr.flat[positions] = vals.ravel()[np.arange(positions.size) % np.size(vals)]


@handles(np.put_along_axis)
def _put_along_axis(tracer, arr, indices, values, axis):
    _refuse_outside(tracer, "np.put_along_axis", arr)
    if axis is None:
        arr.flat[np.asarray(decided(tracer, indices))] = values
        return
    places = np.arange(arr.size).reshape(arr.shape)
    positions = np.take_along_axis(places, np.asarray(decided(tracer, indices)), axis)
    writing.write(arr, np.unravel_index(positions, arr.shape), values)


def write_at(tracer: Recorder, ufunc: Callable, array: Any, index: Any, *operands: Any) -> None:
    """Carry out `ufunc.at(array, index, *operands)`: additions at once, others by rounds without a position twice."""
    _refuse_outside(tracer, f"np.{ufunc.__name__}.at", array)
    operands = tuple(tracer.whole(part) for part in operands)
    if ufunc in (np.add, np.subtract):
        value = operands[0] if ufunc is np.add else np.negative(operands[0])
        writing.write(array, Ellipsis, tracer.call(put_add, (array, index, value), {}))
        return
    positions = np.arange(array.size).reshape(array.shape)[decided(tracer, index)]
    shape, positions = positions.shape, positions.ravel()
    values = [call_function(tracer, np.broadcast_to, (part, shape), {}).ravel() for part in map(tracer.lift, operands)]
    for turn in _turns(positions):
        place = np.unravel_index(positions[turn], array.shape)
        place = place if len(place) > 1 else place[0]
        writing.write(array, place, tracer.elementwise(ufunc, (array[place], *(part[turn] for part in values))))


def _turns(positions: np.ndarray) -> list[np.ndarray]:
    """Return the first occurrences of each position, then the second ones, and so on."""
    order = np.argsort(positions, kind="stable")
    ranked = positions[order]
    starts = np.searchsorted(ranked, ranked)
    turn = np.empty(positions.size, int)
    turn[order] = np.arange(positions.size) - starts
    return [np.flatnonzero(turn == k) for k in range(turn.max(initial=-1) + 1)]


def _refuse_outside(tracer: Recorder, name: str, array: Any) -> None:
    """Raise if a traced value is to be written into an array that no trace knows."""
    if type(array) is not tracer.array:
        tracer.wrote_outside = True
        raise TracingError(
            f"{name} writes a traced value into an array made outside of the objective.",
            tracer.location(),
            "make the array inside the objective.",
        )
