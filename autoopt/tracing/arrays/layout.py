"""Orders of memory: what order="A" and order="K" mean depends on how the numbers of a run lie in memory.

The tape knows no layouts, so these orders become transpositions on it. The numbers that a traced array carries lie as
they do in the user's own run.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autoopt.tape.tape import DATA
from autoopt.tracing.arrays.functions import handles, record
from autoopt.tracing.arrays.methods import METHODS
from autoopt.tracing.recording.recorder import Recorder


@handles(np.reshape)
def _reshape(tracer, a, shape=None, order="C", *, newshape=None, copy=None):
    a, order = in_order(tracer, a, order)
    keywords = {} if order == "C" else {"order": order}
    made = record(tracer, np.reshape, (a, newshape if shape is None else shape), keywords)
    return made.duplicate() if copy else made


@handles(np.ravel)
def _ravel(tracer, a, order="C"):
    a, order = in_order(tracer, a, order)
    return record(tracer, np.ravel, (a,), {} if order == "C" else {"order": order})


@handles(np.copy)
def _copy(tracer, a, order="K", subok=False):
    return a.duplicate(order)


def in_order(tracer: Recorder, array: Any, order: str) -> tuple[Any, str]:
    """Return `array`, or a transposition of it, and "C" or "F": so read, its entries come as in `order`."""
    if type(array) is not tracer.array or order not in ("A", "K") or array.ndim < 2:
        return array, "F" if order == "F" else "C"
    tracer.tape.data_decided = tracer.tape.data_decided or array.level == DATA
    if order == "A":
        return array, "F" if array.value.flags.fnc else "C"
    axes = sorted(range(array.ndim), key=lambda axis: -abs(array.value.strides[axis]))
    return (array if axes == sorted(axes) else np.transpose(array, axes)), "C"


def reshape(array, *shape, order="C", copy=None):
    return _reshape(array.tracer, array, shape[0] if len(shape) == 1 else shape, order, copy=copy)


def ravel(array, order="C"):
    return _ravel(array.tracer, array, order)


def flatten(array, order="C"):
    return ravel(array, order).duplicate()


def copy(array, order="C"):
    return array.duplicate(order)


METHODS.update({method.__name__: method for method in (reshape, ravel, flatten, copy)})
