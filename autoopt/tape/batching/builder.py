"""A tape under construction: array steps, and reading arrays by positions as slices where they are slices."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from math import prod
from typing import Any, NamedTuple

import numpy as np

from autoopt.tape.batching.grids import Grid, along, as_slice, count_up, flat, varying
from autoopt.tape.operations import pack
from autoopt.tape.tape import CONSTANT, Slot, Step, Tape, Template


class Operand(NamedTuple):
    """An array whose leading axes are some axes of a grid, ascending, and the last `rank` those of one member."""

    step: int
    axes: tuple[int, ...]
    rank: int


class TapeBuilder:
    """Appends steps to a new tape.

    Attributes
    ----------
    tape : Tape
        What has been made so far.
    site : tuple or None
        The user's place that the steps to come stem from.
    gathers : int
        How many reads could not be made as slices.
    """

    def __init__(self) -> None:
        self.tape = Tape()
        self.steps = self.tape.steps
        self.site: Any = None
        self.gathers = 0
        self._known: dict[Any, int] = {}

    # Steps ------------------------------------------------------------------------------------------------------------

    def append(self, step: Step) -> int:
        """Add a step and return its number."""
        self.steps.append(step)
        return len(self.steps) - 1

    def shape(self, step: int) -> tuple[int, ...]:
        """Return the shape of a step."""
        return self.steps[step].shape

    def call(
        self, operation: Callable | None, inputs: Sequence[int], shape: tuple, dtype: Any = None, template: Any = None
    ) -> int:
        """Add `operation(*inputs)`, or the call that `template` describes, once for the same call."""
        key = (operation, tuple(inputs), repr(template))
        if key not in self._known:
            level = max((self.steps[source].level for source in inputs), default=CONSTANT)
            dtype = self.steps[inputs[0]].dtype if dtype is None else dtype
            self._known[key] = self.append(
                Step(operation, tuple(inputs), template, tuple(shape), dtype, level, self.site)
            )
        return self._known[key]

    def constant(self, value: Any) -> int:
        """Add a constant, an array or a scalar, once for the same bytes."""
        if not isinstance(value, np.ndarray):
            array = np.asarray(value)
            key: Any = (type(value), array.tobytes())
        else:
            array = value
            key = (value.dtype, value.shape, value.tobytes())
        if key not in self._known:
            self._known[key] = self.append(Step(None, (), None, array.shape, array.dtype, CONSTANT, None))
            self.tape.values[self._known[key]] = value
        return self._known[key]

    def numbers(self, values: np.ndarray) -> int:
        """Add constants that vary from member to member, as np.arange where they count."""
        found = count_up(values)
        if found is None:
            return self.constant(np.ascontiguousarray(values))
        start, stop, step = found
        args = (start, stop, step) if step != 1 else (start, stop) if start else (stop,)
        return self.call(np.arange, (), values.shape, values.dtype, (args, {}))

    def binary(self, ufunc: Callable, one: int, other: int) -> int:
        """Add `ufunc(one, other)`."""
        dtype = np.result_type(self.steps[one].dtype, self.steps[other].dtype)
        return self.call(ufunc, (one, other), np.broadcast_shapes(self.shape(one), self.shape(other)), dtype)

    # Views ------------------------------------------------------------------------------------------------------------

    def index(self, base: int, parts: Sequence[Any]) -> int:
        """Add `base[parts]` for integers, slices and None; nothing if that is `base` itself."""
        parts = list(parts)
        while parts and parts[-1] == slice(None):
            parts.pop()
        if not parts:
            return base
        position = tuple(parts) if len(parts) > 1 else parts[0]
        shape = np.broadcast_to(np.False_, self.shape(base))[position].shape
        return self.call(operator.getitem, (base,), shape, template=((Slot(0), position), {}))

    def gather(self, base: int, positions: np.ndarray, axis: int = 0) -> int:
        """Add `base[..., positions]` along one axis."""
        self.gathers += 1
        index = self.constant(positions.astype(np.int64))
        part = (*[slice(None)] * axis, Slot(1)) if axis else Slot(1)
        shape = self.shape(base)
        shape = (*shape[:axis], *positions.shape, *shape[axis + 1 :])
        return self.call(operator.getitem, (base, index), shape, self.steps[base].dtype, ((Slot(0), part), {}))

    def reshape(self, base: int, shape: Sequence[int]) -> int:
        """Add `np.reshape(base, shape)` unless it has that shape."""
        shape = tuple(int(length) for length in shape)
        if self.shape(base) == shape:
            return base
        return self.call(np.reshape, (base,), shape, template=((Slot(0), shape), {}))

    def transpose(self, base: int, order: Sequence[int]) -> int:
        """Add `np.transpose(base, order)` unless the order stays."""
        order = tuple(order)
        if order == tuple(range(len(order))):
            return base
        shape = tuple(self.shape(base)[axis] for axis in order)
        template: Template = ((Slot(0),), {}) if order == (1, 0) else ((Slot(0), order), {})
        return self.call(np.transpose, (base,), shape, template=template)

    def broadcast(self, base: int, shape: Sequence[int]) -> int:
        """Add `np.broadcast_to(base, shape)` unless it has that shape."""
        shape = tuple(shape)
        if self.shape(base) == shape:
            return base
        return self.call(np.broadcast_to, (base,), shape, template=((Slot(0), shape), {}))

    def stack(self, elements: Sequence[int]) -> int:
        """Add the array of single steps along a new first axis."""
        shape = (len(elements), *self.shape(elements[0]))
        dtype = np.result_type(*(self.steps[element].dtype for element in elements))
        template: Template = ((shape, *(Slot(k) for k in range(len(elements)))), {})
        return self.call(pack, elements, shape, dtype, template)

    # Reading by positions ---------------------------------------------------------------------------------------------

    def fetch(self, base: int, positions: Sequence[np.ndarray], grid: Grid) -> Operand:
        """Return the elements of `base` at `positions`, one array for each of its leading axes, over the grid."""
        rank = len(self.shape(base)) - len(positions)
        used = [varying(position, grid) for position in positions]
        axes = tuple(sorted(set().union(*used))) if used else ()
        fixed = [int(position[0]) if not at else slice(None) for position, at in zip(positions, used, strict=True)]
        places = [along(position, grid, axes) for position, at in zip(positions, used, strict=True) if at]
        used = [tuple(axes.index(axis) for axis in at) for at in used if at]
        if all(len(at) == 1 for at in used) and len(used) == len(axes):
            return Operand(self._by_axis(base, fixed, places, used), axes, rank)
        base = self.index(base, fixed)
        return Operand(self._as_one_axis(base, places, [grid[axis] for axis in axes]), axes, rank)

    def _by_axis(self, base: int, fixed: list, places: list[np.ndarray], used: list[tuple[int, ...]]) -> int:
        """Return `base` read along each of its axes by itself."""
        lines = [_line(place, at[0]) for place, at in zip(places, used, strict=True)]
        parts, gathered, kept = [], [], 0
        lengths = self.shape(base)
        for axis, part in enumerate(fixed):
            if part != slice(None):
                parts.append(part)
                continue
            cut = as_slice(lines[kept], lengths[axis])
            if cut is None:
                gathered.append((kept, lines[kept]))
            parts.append(slice(None) if cut is None else cut)
            kept += 1
        found = self.index(base, parts)
        for axis, line in gathered:
            found = self.gather(found, line, axis)
        order = np.argsort([at[0] for at in used]).tolist()
        rest = range(len(order), len(self.shape(found)))
        return self.transpose(found, (*order, *rest))

    def _as_one_axis(self, base: int, places: list[np.ndarray], lengths: list[int]) -> int:
        """Return `base`, its leading axes taken as one, read at the flattened places."""
        shape = self.shape(base)
        count = len(places)
        rest = shape[count:]
        line = flat(places, shape[:count]).reshape(-1)
        base = self.reshape(base, (prod(shape[:count]), *rest))
        cut = as_slice(line, prod(shape[:count]))
        base = self.gather(base, line) if cut is None else self.index(base, [cut])
        return self.reshape(base, (*lengths, *rest))

    def aligned(self, operand: Operand, grid: Grid, rank: int) -> int:
        """Return an operand so that it broadcasts against arrays of shape `grid` and `rank` more axes."""
        if not operand.axes:
            return operand.step
        parts: list[Any] = [slice(None) if axis in operand.axes else None for axis in range(operand.axes[0], len(grid))]
        return self.index(operand.step, parts + [None] * (rank - operand.rank))


def _line(place: np.ndarray, axis: int) -> np.ndarray:
    """Return the entries along one axis."""
    return place[tuple(slice(None) if k == axis else 0 for k in range(place.ndim))]
