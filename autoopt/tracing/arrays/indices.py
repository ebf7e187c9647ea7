"""Indices of traced arrays: positions as plain integers, masks as the positions that are true."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from autoopt.tape.tape import CONSTANT, PARAMETER
from autoopt.tracing.recording.recorder import Recorder


def static(tracer: Recorder, index: Any) -> Any:
    """Return `index` with traced integers that depend on no parameter, and slices' bounds, as Python integers."""
    kind = type(index)
    if kind is int or index is None or index is Ellipsis:
        return index
    if kind is tuple:
        return tuple(static(tracer, part) for part in index)
    if kind is slice:
        bounds = (index.start, index.stop, index.step)
        return slice(*(bound if bound is None else operator.index(bound) for bound in bounds))
    if kind is tracer.array:
        if index.level == CONSTANT and index.ndim == 0:
            index = index.value
        elif index.ndim == 0 and index.dtype.kind in "iu":
            return operator.index(index)
        else:
            return index
    if kind is not bool and isinstance(index, int | np.integer) and not isinstance(index, np.bool_ | bool):
        return int(index)
    if kind is list and not tracer.holds_traced(index):
        return np.asarray(index)
    if hasattr(kind, "__index__") and not issubclass(kind, np.ndarray | np.generic | bool | tracer.array | tracer.pair):
        return operator.index(index)  # an object of the user's that stands for a whole number
    return index


def holds_arrays(index: Any) -> bool:
    if type(index) is tuple:
        return any(isinstance(part, np.ndarray) for part in index)
    return isinstance(index, np.ndarray)


def mask_positions(tracer: Recorder, index: Any) -> Any:
    """Return `index` with boolean masks as the positions that are true: guarded if they depend on the parameters."""
    if type(index) is tuple:
        positions = []
        for part in index:
            found = mask_positions(tracer, part)
            positions.extend(found if type(found) is tuple else (found,))
        return tuple(positions)
    if type(index) is tracer.array and index.dtype.kind == "b":
        if index.level == PARAMETER:
            found = np.nonzero(tracer.guard(index, "array", np.array(index.value)))
        else:
            found = tracer.call(np.nonzero, (index,), {})
        return found if len(found) > 1 else found[0]
    return index


def decided(tracer: Recorder, value: Any) -> Any:
    """Return positions as plain numbers, with a guard on what depends on the parameters."""
    kind = type(value)
    if kind is tracer.array:
        return tracer.guard(value, "array", np.array(value.value))
    return kind([decided(tracer, part) for part in value]) if kind in (tuple, list) else value
