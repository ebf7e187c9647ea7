"""Cells of an array: entries written one at a time, which are kept aside until the whole array is asked for.

A loop that fills `np.zeros` then costs one `pack`, and reading a cell back gives the very step that was written.

    out = np.zeros(2)           step 1 = zeros(2)
    out[0] = x[0] ** 2          step 4 = power(2, 3)        cells {(0,): 4}
    out[1] = out[0] + 1.0       step 6 = add(4, 5)          cells {(0,): 4, (1,): 6}
    out.sum()                   step 7 = pack(4, 6)         no cells, out is at step 7

All keys of one array have one length: rows of a matrix, or its entries. A view has no cells, as its entries are also
another's.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from autoopt.tape.tape import CONSTANT, Slot
from autoopt.tracing.arrays.views import attach

FIRST, NO_KEYWORDS = Slot(0), {}  # shared by the many reads of a loop


def cell_key(array: Any, index: Any) -> tuple[int, ...] | None:
    """Return `index` as non-negative integers if it is a static position, else None."""
    if type(index) is int:
        index = (index,)
    elif type(index) is not tuple:
        return None
    shape = array.value.shape
    if len(index) > len(shape) or not all(type(part) is int for part in index):
        return None
    key = tuple(part + size if part < 0 else part for part, size in zip(index, shape, strict=False))
    return key if all(0 <= part < size for part, size in zip(key, shape, strict=False)) else None


def is_cell(array: Any, index: Any, value: Any) -> bool:
    """Whether the write can be kept aside: a static position of an array that nobody views, of the right shape."""
    if not array.tracer.keeps_cells or array.origin is not None or type(array.value) is not np.ndarray:
        return False
    key = cell_key(array, index)
    if key is None or np.shape(value) != array.value.shape[len(key) :]:
        return False
    if type(value) is not array.tracer.array and not isinstance(value, float | int | np.generic | np.ndarray):
        return False
    return array.cells is None or not array.cells or len(next(iter(array.cells))) == len(key)


def write_cell(array: Any, index: Any, value: Any) -> None:
    """Keep a write aside for which `is_cell` holds."""
    tracer = array.tracer
    key = cell_key(array, index)
    if type(value) is tracer.array:
        if value.dtype != array.dtype:
            value = value.cast(array.dtype)
        step, level, number = value.current(), value.level, value.value
    else:
        number = np.asarray(value).astype(array.dtype)[()]
        step, level = tracer.constant(number), CONSTANT
    array.value[key] = number
    if array.cells is None:
        array.cells = {}
    array.cells[key] = step
    if level > array.level:
        array.level = level
    array.version += 1


def cell(array: Any, index: Any) -> int | None:
    """Return the step written at exactly `index`, or None."""
    key = cell_key(array, index)
    return None if key is None else array.cells.get(key)


def read_cells(array: Any, index: Any) -> Any:
    """Return `array[index]` from the cells alone, or None if they do not tell."""
    tracer, cells = array.tracer, array.cells
    length = len(next(iter(cells)))
    key = cell_key(array, index)
    if key is not None and len(key) >= length:
        step, rest = cells.get(key[:length]), key[length:]
        if step is None:
            step, rest = array.step, key
        value, level = array.value[key], tracer.steps[step].level
        if rest:
            place = rest if len(rest) > 1 else rest[0]
            result = tracer.record(operator.getitem, (step,), ((FIRST, place), NO_KEYWORDS), value, level)
        else:
            result = tracer.array(tracer, step, value, level)
        return attach(result, array, operator.getitem, (key,))
    if type(index) is slice and length == 1:
        chosen = [cells.get((i,)) for i in range(*index.indices(len(array.value)))]
        if chosen and None not in chosen:
            value = array.value[index]
            step, level = tracer.pack(value.shape, value.dtype, chosen)
            return attach(tracer.array(tracer, step, value, level), array, operator.getitem, (index,))
    return None


def flush(array: Any) -> None:
    """Turn the cells into one step."""
    tracer, cells = array.tracer, array.cells
    array.cells = None if tracer.buffers is None else {}
    length = len(next(iter(cells)))
    lead = array.value.shape[:length]
    keys = sorted(cells)
    if len(keys) == int(np.prod(lead)):
        array.step, array.level = tracer.pack(array.value.shape, array.value.dtype, [cells[key] for key in keys])
        return
    rest = array.value.shape[length:]
    packed, level = tracer.pack((len(keys), *rest), array.value.dtype, [cells[key] for key in keys])
    base_level = tracer.steps[array.step].level
    index = tuple(np.array(part) for part in zip(*keys, strict=True))
    value = tracer.array(tracer, packed, None, level)
    array.step, array.level = tracer.put(array.step, index if length > 1 else index[0], value, max(level, base_level))
