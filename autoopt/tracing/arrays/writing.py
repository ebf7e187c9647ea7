"""Writing into parts of traced arrays: a write makes a new version of the array, and of what it is a view of."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from autoopt.errors import TracingError
from autoopt.tape.tape import DATA, PARAMETER, Leaf
from autoopt.tracing.arrays.cells import cell_key, is_cell, write_cell
from autoopt.tracing.arrays.indices import decided, mask_positions, static
from autoopt.tracing.arrays.reading import flattened
from autoopt.tracing.arrays.views import positions_in
from autoopt.tracing.recording.recorder import Recorder


def write(array: Any, index: Any, value: Any) -> None:
    """Carry out `array[index] = value`."""
    tracer = array.tracer
    tracer.require_running(array)
    if tracer.buffers is None:
        _write(array, index, value)
        return
    value = tracer.nested(value) if type(value) in (list, tuple) and tracer.holds_traced(value) else value
    if type(value) is tracer.array:
        value.current()
    tracer.buffers.start(array)
    with tracer.buffers.quiet():
        _write(array, index, value)


def _write(array: Any, index: Any, value: Any) -> None:
    tracer = array.tracer
    _refuse_foreign(array)
    if array.ndim == 0 and not isinstance(array.value, np.ndarray):
        raise TypeError(f"{type(array.value).__name__!r} object does not support item assignment")
    index = static(tracer, index)
    if type(value) in (list, tuple) and tracer.holds_traced(value):
        value = tracer.nested(value)
    if array.dtype.kind == "c":
        _refuse_parameters(tracer, value)
    value = _fitting(array, index, value)
    if is_cell(array, index, value):
        write_cell(array, index, value)
        return
    if type(index) is tracer.array and index.dtype.kind == "b" and index.shape == array.shape and np.ndim(value) == 0:
        value, index = tracer.call(np.where, (index, value, array), {}), Ellipsis
    if array.origin is not None and array.origin.operation is None:
        _write_by_memory(array, mask_positions(tracer, index), value)
        return
    step = array.current()
    index = mask_positions(tracer, index)
    array.value[tracer.concrete(index)] = tracer.concrete(value)
    _advance(array, *tracer.put(step, index, value, array.level))


def _refuse_parameters(tracer: Recorder, value: Any) -> None:
    """Raise if a value depends on the parameters: a complex array of the data alone has no parts of its own."""
    if tracer.level(value) == PARAMETER:
        raise TracingError(
            "A value that depends on the parameters is written into a complex array that was computed of the data.",
            tracer.location(),
            "make an array z = np.zeros(shape, dtype=complex), and write first these numbers, then the value into it.",
        )


def _fitting(array: Any, index: Any, value: Any) -> Any:
    """Return a traced `value` in the shape of the one row or entry that it is written to, where it fits there.

    As `out[t] = H @ x` with a matrix of one entry: rows of one shape are kept aside until the whole is asked for.
    """
    key = cell_key(array, index) if type(value) is array.tracer.array else None
    if key is None:
        return value
    shape = array.value.shape[len(key) :]
    leading = value.ndim - len(shape)
    fits = shape and leading > 0 and value.shape == (1,) * leading + shape
    return value.reshape(shape) if fits else value


def _write_by_memory(array: Any, index: Any, value: Any) -> None:
    """Write through a view by memory, some of whose entries may be the same place: into its root.

    Which of several values written to one place at once stays there is asked of NumPy.
    """
    tracer, root = array.tracer, array.origin.root
    index = decided(tracer, index)
    positions = array.origin.args[0][index]
    if np.unique(positions).size < positions.size:
        before = root.value.copy()
        root.value[...] = -1
        array.value[index] = np.arange(positions.size).reshape(positions.shape)
        kept = root.value[root.value >= 0].astype(int)
        root.value[...] = before
        array.value[index] = tracer.concrete(value)
        value = np.broadcast_to(tracer.lift(value), positions.shape)
        positions, value = positions.ravel()[kept], value.reshape(-1)[kept]
    else:
        array.value[index] = tracer.concrete(value)
    flat, level = tracer.put(flattened(tracer, root), positions, value, root.level)
    if root.ndim != 1:
        flat = tracer.derive(np.reshape, flat, (root.shape,), {}, root.value, level)
    _advance(root, flat, level)
    array.level = level


def _advance(array: Any, step: int, level: int) -> None:
    """Make `step` the present version of `array`, and of the arrays that it is a view of."""
    array.step, array.level = step, level
    view = array.origin
    if view is None:
        array.version += 1
        return
    if view.parent.value is not view.seen:
        parent, positions, tracer = view.root, positions_in(array.value, view.root.value), array.tracer
        flat, level = tracer.put(flattened(tracer, parent), positions, array, max(level, parent.level))
        _advance(parent, tracer.derive(np.reshape, flat, (parent.shape,), {}, parent.value, level), level)
        return
    parent, tracer = view.parent, array.tracer
    source = parent.current()
    if view.operation is operator.getitem:
        _advance(parent, *tracer.put(source, view.args[0], array, max(level, parent.level)))
    else:
        positions = view.operation(np.arange(parent.size).reshape(parent.shape), *view.args, **view.kwargs)
        whole = tracer.derive(np.reshape, source, ((-1,),), {}, parent.value.reshape(-1), parent.level)
        flat, level = tracer.put(whole, positions, array, max(level, parent.level))
        _advance(parent, tracer.derive(np.reshape, flat, (parent.shape,), {}, parent.value, level), level)
    view.version = view.root.version


def update(array: Any, result: Any, casting: str = "same_kind") -> Any:
    """Finish `array op= ...`: in place for arrays, as NumPy does, a new value for scalars."""
    if not isinstance(array.value, np.ndarray) or result is NotImplemented:
        return result
    if not np.can_cast(result.dtype, array.dtype, casting):
        kinds = f"from {result.dtype!r} to {array.dtype!r}"
        raise TypeError(f"Cannot cast ufunc output {kinds} with casting rule {casting!r}")
    if np.broadcast_shapes(result.shape, array.shape) != array.shape:
        raise ValueError(f"output array of shape {array.shape} does not fit the result's shape {result.shape}")
    write(array, Ellipsis, result)
    return array


def _refuse_foreign(array: Any) -> None:
    """Raise if `array` belongs to the data, which an objective must not change."""
    root = array.origin.root if array.origin else array
    leaf = root.tracer.steps[root.step].template
    if isinstance(leaf, Leaf) and root.level == DATA and root.value is root.tracer.tape.values[root.step]:
        what = "its data argument" if leaf.kind == "argument" else "the outside array"
        array.tracer.wrote_outside = True
        if leaf.kind != "argument":
            raise TracingError(
                f"The objective changes {what} {leaf.name!r} in place, so every call would see other data.",
                array.tracer.location(),
                f"make the array inside the objective, or work on a copy under another name, {leaf.name}.copy().",
            )
        raise TracingError(
            f"The objective changes {what} {leaf.name!r} in place, so every call would see other data.",
            array.tracer.location(),
            f"work on a copy, as in {leaf.name} = {leaf.name}.copy().",
        )


class Flat:
    """What `array.flat` gives: the elements in C order, to iterate, read and write."""

    def __init__(self, array: Any) -> None:
        self.array = array

    def _ravelled(self) -> Any:
        return self.array.reshape(-1)

    def __len__(self) -> int:
        return self.array.size

    def __iter__(self):
        return iter(self._ravelled())

    def __next__(self):
        self._next = getattr(self, "_next", -1) + 1
        if self._next >= len(self):
            raise StopIteration
        return self[self._next]

    def copy(self) -> Any:
        return self.as_traced().duplicate()

    def as_traced(self) -> Any:
        """Return the elements as an array of their own."""
        return self._ravelled().duplicate()

    def __getitem__(self, index):
        return self._ravelled()[index].duplicate()

    def __setitem__(self, index, value):
        ravelled = self._ravelled()
        if ravelled.origin is None and ravelled is not self.array:
            positions = np.arange(self.array.size)[index]
            write(self.array, np.unravel_index(positions, self.array.shape), value)
        else:
            ravelled[index] = value
