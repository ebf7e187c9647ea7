"""Reading parts of traced arrays, and bringing an array up to date with what was written through others."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from autoopt.tape.tape import PARAMETER
from autoopt.tracing.arrays.cells import FIRST, NO_KEYWORDS, cell, flush, read_cells
from autoopt.tracing.arrays.indices import holds_arrays, mask_positions, static
from autoopt.tracing.arrays.views import attach, attach_by_memory
from autoopt.tracing.recording.recorder import Recorder

_INTEGERS = {int}


def memory_view(array: Any, value: np.ndarray) -> Any:
    """Return the traced array of `value`, which lies in the memory of the numbers of `array` or of what it views."""
    made = attach_by_memory(type(array)(array.tracer, array.current(), value, array.level), array)
    made.step = _gathered(made)
    return made


def settle(array: Any) -> None:
    """Bring `array.step` up to date with its cells and with writes through other views."""
    if array.tracer.buffers is not None:
        array.tracer.buffers.check(array)
        with array.tracer.buffers.quiet():
            _settle(array)
    else:
        _settle(array)


def _settle(array: Any) -> None:
    if array.cells:
        flush(array)
    view = array.origin
    if view is not None and view.version != view.root.version:
        if view.parent.value is not view.seen:
            view = attach_by_memory(array, view.root).origin
        parent = view.parent
        view.version = view.root.version
        if view.operation is None:
            array.step, array.level = _gathered(array), parent.level
            return
        found = cell(parent, view.args[0]) if parent.cells and view.operation is operator.getitem else None
        if found is None:
            source, array.level = parent.current(), parent.level
            found = array.tracer.derive(view.operation, source, view.args, view.kwargs, array.value, array.level)
        array.step = found


def _gathered(array: Any) -> int:
    """Return the step that picks the entries of a view by memory from its root."""
    tracer, view, value = array.tracer, array.origin, array.value
    root = view.root
    whole = flattened(tracer, root)
    return tracer.pick(whole, view.args[0], value, root.level)


def flattened(tracer: Recorder, array: Any) -> int:
    """Return the step of an array's entries in C order."""
    source = array.current()
    if array.ndim == 1:
        return source
    return tracer.derive(np.reshape, source, ((-1,),), {}, np.empty(array.size, array.dtype), array.level)


def read(array: Any, index: Any) -> Any:
    """Return `array[index]`."""
    buffers = array.tracer.buffers
    if buffers is None:
        return _read(array, index)
    with buffers.quiet():
        result = _read(array, index)
    if result.origin is None:
        buffers.check(array, result.value)
    return result


def _read(array: Any, index: Any) -> Any:
    tracer = array.tracer
    position = type(index) is int or (type(index) is tuple and set(map(type, index)) == _INTEGERS)
    if not position:
        index = static(tracer, index)
    if array.cells:
        found = read_cells(array, index)
        if found is not None:
            return found
    if not position and (tracer.holds_traced(index) or holds_arrays(index)):
        if max(array.level, tracer.level(index)) == PARAMETER:
            index = mask_positions(tracer, index)
        return tracer.call(operator.getitem, (array, index), {})
    value = array.value[index]
    template = ((FIRST, index), NO_KEYWORDS)
    result = tracer.record(operator.getitem, (array.current(),), template, value, array.level)
    return attach(result, array, operator.getitem, (index,))
