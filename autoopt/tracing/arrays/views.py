"""Reading and writing parts of traced arrays, with NumPy's rules for views.

The numbers need no care: a NumPy view shares memory with its array, so a write through one is seen by the other. The
tape is functional, so a write makes a new version of the array; a view remembers the call that made it, and how to put
its contents back. Where no call says that (windows that overlap, einsum's diagonals, strides of the user's own) it
remembers which entries of the whole array it consists of, which for any view can be seen from where they lie in memory.
Scalars written one at a time are kept aside as *cells* until the whole array is asked for: a loop that fills `np.zeros`
then costs one `pack`, and reading a cell back gives the very step that was written.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from autoopt.errors import TracingError
from autoopt.tape.tape import CONSTANT, DATA, PARAMETER, Leaf, Slot

_FIRST, _NO_KEYWORDS = Slot(0), {}  # shared by the many reads of a loop
_INTEGERS = {int}


@dataclass(slots=True)
class View:
    """How an array is a view: `operation(parent, *args)`, made when the root was at `version`.

    Of a view by memory `operation` is None, the parent is the root, and `args` has its entries' positions there.
    """

    parent: Any
    root: Any
    operation: Callable | None
    args: tuple
    kwargs: dict
    version: int
    seen: Any
    """The numbers of the parent, which become others where its shape is assigned to."""


def attach(result: Any, parent: Any, operation: Callable, args: tuple, kwargs: dict | None = None) -> Any:
    """Mark `result` as a view of `parent` if NumPy made it one."""
    value = result.value
    if type(value) is np.ndarray and value.base is not None and np.may_share_memory(value, parent.value):
        if parent.origin is not None and parent.origin.operation is None:
            return attach_by_memory(result, parent)
        root = parent.origin.root if parent.origin else parent
        result.origin = View(parent, root, operation, args, kwargs or {}, root.version, parent.value)
    return result


def attach_by_memory(result: Any, parent: Any) -> Any:
    """Mark `result` as a view of the array that `parent` is a view of, or is, by where its entries lie in memory."""
    root = parent.origin.root if parent.origin else parent
    result.origin = View(root, root, None, (_positions(result.value, root.value),), {}, root.version, root.value)
    return result


def memory_view(array: Any, value: np.ndarray) -> Any:
    """Return the traced array of `value`, which lies in the memory of the numbers of `array` or of what it views."""
    made = attach_by_memory(type(array)(array.tracer, array.current(), value, array.level), array)
    made.step = _gathered(made)
    return made


def overlaps(array: Any) -> bool:
    """Whether some entries of an array are the same place in memory."""
    if array.origin is None or array.origin.operation is not None:
        return False
    positions = array.origin.args[0]
    return np.unique(positions).size < positions.size


def _positions(value: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Return where the entries of a view are in an array, counted in C order.

    Raises
    ------
    ValueError
        If some of them are not in it.
    """
    places, entries = _addresses(whole).ravel(), _addresses(value)
    order = np.argsort(places, kind="stable")
    found = np.searchsorted(places, entries, sorter=order)
    if value.size and (found.max() >= places.size or np.any(places[order[found]] != entries)):
        raise ValueError("the view reaches beyond its array")
    return order[found] if value.size else np.zeros(value.shape, int)


def _addresses(value: np.ndarray) -> np.ndarray:
    """Return where in memory each entry of an array lies."""
    addresses = np.full(value.shape, value.__array_interface__["data"][0])
    for axis, (size, stride) in enumerate(zip(value.shape, value.strides, strict=True)):
        addresses += (np.arange(size) * stride).reshape((-1,) + (1,) * (value.ndim - axis - 1))
    return addresses


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
        _flush(array)
    view = array.origin
    if view is not None and view.version != view.root.version:
        if view.parent.value is not view.seen:
            view = attach_by_memory(array, view.root).origin
        parent = view.parent
        view.version = view.root.version
        if view.operation is None:
            array.step, array.level = _gathered(array), parent.level
            return
        found = _cell(parent, view.args[0]) if parent.cells and view.operation is operator.getitem else None
        if found is None:
            source, array.level = parent.current(), parent.level
            found = array.tracer.derive(view.operation, source, view.args, view.kwargs, array.value, array.level)
        array.step = found


def _gathered(array: Any) -> int:
    """Return the step that picks the entries of a view by memory from its root."""
    tracer, view, value = array.tracer, array.origin, array.value
    root = view.root
    whole = _flat(tracer, root)
    return tracer.pick(whole, view.args[0], value, root.level)


def _flat(tracer: Any, array: Any) -> int:
    """Return the step of an array's entries in C order."""
    source = array.current()
    if array.ndim == 1:
        return source
    return tracer.derive(np.reshape, source, ((-1,),), {}, np.empty(array.size, array.dtype), array.level)


# Reading --------------------------------------------------------------------------------------------------------------


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
        index = _static(tracer, index)
    if array.cells:
        found = _read_cells(array, index)
        if found is not None:
            return found
    if not position and (tracer.holds_traced(index) or _holds_arrays(index)):
        if max(array.level, tracer.level(index)) == PARAMETER:
            index = _mask_positions(tracer, index)
        return tracer.call(operator.getitem, (array, index), {})
    value = array.value[index]
    template = ((_FIRST, index), _NO_KEYWORDS)
    result = tracer.record(operator.getitem, (array.current(),), template, value, array.level)
    return attach(result, array, operator.getitem, (index,))


def _static(tracer: Any, index: Any) -> Any:
    """Return `index` with traced integers that depend on no parameter, and slices' bounds, as Python integers."""
    kind = type(index)
    if kind is int or index is None or index is Ellipsis:
        return index
    if kind is tuple:
        return tuple(_static(tracer, part) for part in index)
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


def _holds_arrays(index: Any) -> bool:
    if type(index) is tuple:
        return any(isinstance(part, np.ndarray) for part in index)
    return isinstance(index, np.ndarray)


def _mask_positions(tracer: Any, index: Any) -> Any:
    """Return `index` with boolean masks as the positions that are true: guarded if they depend on the parameters."""
    if type(index) is tuple:
        positions = []
        for part in index:
            found = _mask_positions(tracer, part)
            positions.extend(found if type(found) is tuple else (found,))
        return tuple(positions)
    if type(index) is tracer.array and index.dtype.kind == "b":
        if index.level == PARAMETER:
            found = np.nonzero(tracer.guard(index, "array", np.array(index.value)))
        else:
            found = tracer.call(np.nonzero, (index,), {})
        return found if len(found) > 1 else found[0]
    return index


# Writing --------------------------------------------------------------------------------------------------------------


def write(array: Any, index: Any, value: Any) -> None:
    """Write `array[index] = value`."""
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
    index = _static(tracer, index)
    if type(value) in (list, tuple) and tracer.holds_traced(value):
        value = tracer.nested(value)
    if array.dtype.kind == "c":
        _refuse_parameters(tracer, value)
    value = _fitting(array, index, value)
    if _is_cell(array, index, value):
        _write_cell(array, index, value)
        return
    if type(index) is tracer.array and index.dtype.kind == "b" and index.shape == array.shape and np.ndim(value) == 0:
        value, index = tracer.call(np.where, (index, value, array), {}), Ellipsis
    if array.origin is not None and array.origin.operation is None:
        _write_by_memory(array, _mask_positions(tracer, index), value)
        return
    step = array.current()
    index = _mask_positions(tracer, index)
    array.value[tracer.concrete(index)] = tracer.concrete(value)
    _advance(array, *tracer.put(step, index, value, array.level))


def _refuse_parameters(tracer: Any, value: Any) -> None:
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
    key = _cell_key(array, index) if type(value) is array.tracer.array else None
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
    from autoopt.tracing.arrays.functions import call_function, decided

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
        value = call_function(tracer, np.broadcast_to, (tracer.lift(value), positions.shape), {})
        positions, value = positions.ravel()[kept], value.reshape(-1)[kept]
    else:
        array.value[index] = tracer.concrete(value)
    flat, level = tracer.put(_flat(tracer, root), positions, value, root.level)
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
        parent, positions, tracer = view.root, _positions(array.value, view.root.value), array.tracer
        flat, level = tracer.put(_flat(tracer, parent), positions, array, max(level, parent.level))
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


# Cells: elements written one at a time --------------------------------------------------------------------------------


def _cell_key(array: Any, index: Any) -> tuple[int, ...] | None:
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


def _is_cell(array: Any, index: Any, value: Any) -> bool:
    """Whether the write can be kept aside: a static position of an array that nobody views, of the right shape."""
    if array.origin is not None or type(array.value) is not np.ndarray:
        return False
    key = _cell_key(array, index)
    if key is None or np.shape(value) != array.value.shape[len(key) :]:
        return False
    if type(value) is not array.tracer.array and not isinstance(value, float | int | np.generic | np.ndarray):
        return False
    return array.cells is None or not array.cells or len(next(iter(array.cells))) == len(key)


def _write_cell(array: Any, index: Any, value: Any) -> None:
    tracer = array.tracer
    key = _cell_key(array, index)
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


def _cell(array: Any, index: Any) -> int | None:
    """Return the step written at exactly `index`, or None."""
    key = _cell_key(array, index)
    return None if key is None else array.cells.get(key)


def _read_cells(array: Any, index: Any) -> Any:
    """Return `array[index]` from the cells alone, or None if they do not tell."""
    tracer, cells = array.tracer, array.cells
    length = len(next(iter(cells)))
    key = _cell_key(array, index)
    if key is not None and len(key) >= length:
        step, rest = cells.get(key[:length]), key[length:]
        if step is None:
            step, rest = array.step, key
        value, level = array.value[key], tracer.steps[step].level
        if rest:
            place = rest if len(rest) > 1 else rest[0]
            result = tracer.record(operator.getitem, (step,), ((_FIRST, place), _NO_KEYWORDS), value, level)
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


def _flush(array: Any) -> None:
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
