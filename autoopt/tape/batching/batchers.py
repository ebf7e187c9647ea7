"""How an operation on single members is done on all members of a class at once: a function for each kind."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Callable
from dataclasses import replace
from math import prod
from typing import Any

import numpy as np

from autoopt.tape.batching.builder import Operand, TapeBuilder
from autoopt.tape.batching.classes import VARIADIC, StepClass
from autoopt.tape.batching.grids import Grid, factor
from autoopt.tape.batching.placement import Placement
from autoopt.tape.batching.rearranging import REARRANGERS
from autoopt.tape.batching.sums import combine
from autoopt.tape.operations import astype, pack
from autoopt.tape.root import Root
from autoopt.tape.tape import Slot, Step

Batcher = Callable[[Placement, StepClass], tuple[int, Grid]]
"""Adds a class as one array step, of which the leading axes are the grid that it returns."""


def batchable(step: Step) -> bool:
    """Whether the members of a step's class can be one array step."""
    return _batcher(step) is not None


def add_batch(placement: Placement, group: StepClass) -> tuple[int, Grid]:
    """Add a class as one array step; return it and its leading axes."""
    add = _batcher(group.step)
    assert add is not None  # as `batchable` has said
    return add(placement, group)


def _batcher(step: Step) -> Batcher | None:
    """Return the function that adds a class of steps like this one; None if there is none."""
    if step.dtype == object or (step.template is None and step.operation in REARRANGERS):
        return None
    find = BATCHERS.get(step.operation) or BATCHERS.get(type(step.operation))
    if find is not None:
        return find(step)
    plain = isinstance(step.operation, np.ufunc) and step.operation.signature is None and step.operation.nout == 1
    return _elementwise if plain and step.template is None else None


def _operands(placement: Placement, group: StepClass) -> tuple[list[Operand], Grid]:
    columns, grid = placement.arranged(group)
    return [placement.operand(column, grid) for column in columns], grid


def _elementwise(placement: Placement, group: StepClass) -> tuple[int, Grid]:
    operands, grid = _operands(placement, group)
    builder, step = placement.builder, group.step
    inputs = [builder.aligned(operand, grid, len(step.shape)) for operand in operands]
    shape = np.broadcast_shapes(*map(builder.shape, inputs))
    made = builder.call(step.operation, inputs, shape, step.dtype, step.template)
    return builder.broadcast(made, (*grid, *step.shape)), grid


def _reduction(placement: Placement, group: StepClass) -> tuple[int, Grid]:
    (operand,), grid = _operands(placement, group)
    builder, step = placement.builder, group.step
    args, named = step.template
    options = {**dict(zip(("axis",), args[1:], strict=False)), **named}
    axis = options.get("axis")
    given = range(operand.rank) if axis is None else (axis if isinstance(axis, tuple) else (axis,))
    axes = tuple(a if a < 0 else a - operand.rank for a in given)
    options["axis"] = axes[0] if len(axes) == 1 else axes
    made = builder.call(step.operation, (operand.step,), (*grid, *step.shape), step.dtype, ((Slot(0),), options))
    return made, grid


def _slices(placement: Placement, group: StepClass) -> tuple[int, Grid]:
    """Windows of the same shape: the offsets within one are further axes of the grid."""
    builder = placement.builder
    column = placement.classes.operands(group.members)[:, 0]
    base, outer = placement.resolve(column)
    lengths = builder.shape(base)[len(outer) :]
    pieces = [placement.steps[member].template[0][1] for member in group.members]
    pieces = [piece if type(piece) is tuple else (piece,) for piece in pieces]
    starts, steps = [], []
    for axis in range(len(pieces[0])):
        bounds = [_bounds(piece[axis], lengths[axis]) for piece in pieces]
        starts.append(np.array([start for start, _, _ in bounds]))
        steps.append(bounds[0][1:] if type(pieces[0][axis]) is slice else None)
    grid = factor([*outer, *starts], group.count)
    window = tuple(found[1] for found in steps if found is not None)
    size = prod(window)
    offsets = iter(np.indices(window).reshape(len(window), -1))
    inner = [np.zeros(size, int) if found is None else found[0] * next(offsets) for found in steps]
    positions = [np.repeat(place, size) for place in outer]
    positions += [np.add.outer(start, offset).ravel() for start, offset in zip(starts, inner, strict=True)]
    full = (*grid, *window)
    found = builder.fetch(base, positions, full)
    rest = builder.shape(base)[len(positions) :]
    step = builder.aligned(found, full, found.rank)
    return builder.broadcast(step, (*full, *rest)), grid


def _bounds(piece: Any, length: int) -> tuple[int, int, int]:
    """Return start, step and count of an integer or slice."""
    if type(piece) is int:
        return (piece + length if piece < 0 else piece), 1, 1
    start, stop, step = piece.indices(length)
    return start, step, len(range(start, stop, step))


def _matmul(placement: Placement, group: StepClass) -> tuple[int, Grid]:
    (a, b), grid = _operands(placement, group)
    builder, dtype = placement.builder, group.step.dtype

    def times(x: int, y: int) -> int:
        return builder.call(np.matmul, (x, y), _product_shape(builder.shape(x), builder.shape(y)), dtype)

    every = slice(None)
    full = (*grid, *group.step.shape)
    left, right = (builder.aligned(one, grid, one.rank) for one in (a, b))
    if a.rank == 1 and b.rank == 1:
        if not a.axes:
            left, right, a, b = right, left, b, a
        if not b.axes:
            return builder.broadcast(times(left, right), full), grid
        shape = np.broadcast_shapes(builder.shape(left), builder.shape(right))
        both = builder.call(np.multiply, (left, right), shape, dtype)
        return builder.broadcast(
            builder.call(np.sum, (both,), shape[:-1], dtype, ((Slot(0),), {"axis": -1})), full
        ), grid
    if b.rank == 1:
        if not b.axes:
            return builder.broadcast(times(left, right), full), grid
        if not a.axes:
            return builder.broadcast(times(right, builder.transpose(left, (1, 0))), full), grid
        column = builder.index(right, [every] * len(builder.shape(right)) + [None])
        found = times(left, column)
        return builder.broadcast(builder.index(found, [every] * (len(builder.shape(found)) - 1) + [0]), full), grid
    if a.rank == 1:
        if not b.axes:
            return builder.broadcast(times(left, right), full), grid
        row = builder.index(left, [every] * (len(builder.shape(left)) - 1) + [None])
        found = times(row, right)
        return builder.broadcast(builder.index(found, [every] * (len(builder.shape(found)) - 2) + [0]), full), grid
    return builder.broadcast(times(left, right), full), grid


def _product_shape(x: tuple[int, ...], y: tuple[int, ...]) -> tuple[int, ...]:
    """Return the shape of a matrix product."""
    if len(y) == 1:
        return x[:-1]
    if len(x) == 1:
        return (*y[:-2], y[-1])
    return (*np.broadcast_shapes(x[:-2], y[:-2]), x[-2], y[-1])


def _pack(placement: Placement, group: StepClass) -> tuple[int, Grid]:
    """Scalars put into an array: the array of their class, or the arrays of their classes put together."""
    builder, count = placement.builder, group.count
    table = placement.classes.operands(group.members)
    size = table.shape[1]
    kinds = placement.classes.of[table[0]]
    shape = group.step.shape
    if np.all(kinds == kinds[0]):
        columns = [table[:, 0]]
        grid = placement.grid(columns, count) if count > 1 else ()
        return builder.reshape(_block(placement, table, grid), (*grid, *shape)), grid
    if count > 1:
        grid = placement.grid(list(table.T), count)
        rest = placement.steps[table[0, 0]].shape
        parts = [builder.broadcast(_full(placement, column, grid), (*grid, *rest)) for column in table.T]
        pieces = [builder.reshape(part, (*grid, 1, *rest)) for part in parts]
        return builder.reshape(_joined(builder, pieces, len(grid)), (*grid, *shape)), grid
    edges = [0, *(np.flatnonzero(np.diff(kinds)) + 1).tolist(), size]
    period = next((k for k in range(2, 17) if size % k == 0 and np.array_equal(kinds[k:], kinds[:-k])), None)
    if len(edges) > 4 and period:
        rest = placement.steps[table[0, 0]].shape
        pieces = [
            builder.reshape(_block(placement, table[:, k::period], ()), (size // period, 1, *rest))
            for k in range(period)
        ]
        return builder.reshape(_joined(builder, pieces, 1), shape), ()
    if len(edges) > 10:
        return _interleaved(placement, table, kinds, shape), ()
    pieces = [_block(placement, table[:, start:stop], ()) for start, stop in itertools.pairwise(edges)]
    return builder.reshape(_joined(builder, pieces, 0), shape), ()


def _roots(placement: Placement, group: StepClass) -> tuple[int, Grid]:
    """Roots of one equation: searched for one after the other, differentiated at once."""
    operands, grid = _operands(placement, group)
    builder, root = placement.builder, group.step.operation
    assert isinstance(root, Root)
    stacked = tuple(bool(operand.axes) for operand in operands)
    inputs = []
    for operand in operands:
        step = builder.aligned(operand, grid, operand.rank)
        if operand.axes:
            rest = builder.shape(step)[len(builder.shape(step)) - operand.rank :]
            step = builder.reshape(builder.broadcast(step, (*grid, *rest)), (prod(grid), *rest))
        inputs.append(step)
    shape = group.step.shape
    made = builder.call(replace(root, stacked=stacked), inputs, (prod(grid), *shape), group.step.dtype)
    return builder.reshape(made, (*grid, *shape)), grid


def _full(placement: Placement, column: np.ndarray, grid: Grid) -> int:
    operand = placement.operand(column, grid)
    return placement.builder.aligned(operand, grid, operand.rank)


def _block(placement: Placement, table: np.ndarray, grid: Grid) -> int:
    """Return old steps of one class, a table (members, entries), as an array: the grid's axes and one for entries."""
    builder = placement.builder
    size = table.shape[1]
    rest = placement.steps[table[0, 0]].shape
    if table.size == 1:
        return placement.slice_of(int(table[0, 0]))
    values = placement.constants(table.ravel())
    if values is not None:
        return builder.constant(values.reshape(*grid, size))
    inner = placement.grid([table[0]], size) if size > 1 else (1,)
    full = (*grid, *inner)
    return builder.reshape(
        builder.broadcast(_full(placement, table.ravel(), full), (*full, *rest)), (*grid, size, *rest)
    )


def _interleaved(placement: Placement, table: np.ndarray, kinds: np.ndarray, shape: tuple[int, ...]) -> int:
    """Return an array of scalars of a few classes in any order: joined class by class, then read in order."""
    builder = placement.builder
    order = np.argsort(kinds, kind="stable")
    edges = [0, *(np.flatnonzero(np.diff(kinds[order])) + 1).tolist(), table.shape[1]]
    pieces = [_block(placement, table[:, order[start:stop]], ()) for start, stop in itertools.pairwise(edges)]
    joined = _joined(builder, pieces, 0)
    return builder.reshape(builder.fetch(joined, [np.argsort(order)], (table.shape[1],)).step, shape)


def _joined(builder: TapeBuilder, pieces: list[int], axis: int) -> int:
    """Add np.concatenate."""
    shapes = [builder.shape(piece) for piece in pieces]
    shape = (*shapes[0][:axis], sum(one[axis] for one in shapes), *shapes[0][axis + 1 :])
    dtype = np.result_type(*(builder.steps[piece].dtype for piece in pieces))
    slots = [Slot(k) for k in range(len(pieces))]
    return builder.call(np.concatenate, pieces, shape, dtype, ((slots,), {"axis": axis} if axis else {}))


# Which steps are of these kinds ---------------------------------------------------------------------------------------


def _is_read(step: Step) -> Batcher | None:
    position = step.template[0][1]
    parts = position if type(position) is tuple else (position,)
    if len(step.inputs) == 1 and all(type(part) in (int, slice) for part in parts):
        return _slices
    return REARRANGERS[operator.getitem](step)


def _is_matmul(step: Step) -> Batcher | None:
    return _matmul if step.template is None or step.template == ((Slot(0), Slot(1)), {}) else None


def _is_reduction(step: Step) -> Batcher | None:
    args, options = step.template
    axis = len(args) == 1 or (len(args) == 2 and type(args[1]) in (int, tuple) and "axis" not in options)
    plain = len(step.inputs) == 1 and axis and args[0] == Slot(0)
    return _reduction if plain and set(options) <= {"axis", "keepdims"} else None


BATCHERS: dict[Callable | None, Callable[[Step], Batcher | None]] = {
    **REARRANGERS,
    **dict.fromkeys(VARIADIC, lambda step: combine),
    **dict.fromkeys((np.where, astype), lambda step: _elementwise),
    **dict.fromkeys((np.matmul, np.dot), _is_matmul),
    **dict.fromkeys((np.sum, np.mean, np.prod, np.max, np.min, np.amax, np.amin, np.std, np.var), _is_reduction),
    pack: lambda step: _pack,
    Root: lambda step: None if getattr(step.operation, "stacked", ()) else _roots,
    operator.getitem: _is_read,
}
"""By operation or its class, ufuncs apart: what adds a class of steps like a given one; None if they stay single."""
