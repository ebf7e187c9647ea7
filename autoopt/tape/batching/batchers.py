"""How an operation on single members is done on all members of a class at once: a function for each kind."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

from autoopt.tape.batching.builder import Operand
from autoopt.tape.batching.classes import VARIADIC, StepClass
from autoopt.tape.batching.grids import Grid
from autoopt.tape.batching.rearranging import rearranger
from autoopt.tape.batching.sums import combine
from autoopt.tape.operations import astype, pack
from autoopt.tape.tape import Slot, Step

ELEMENTWISE = frozenset((np.where, astype))
"""Functions that are not ufuncs but work entry by entry."""

REDUCTIONS = frozenset((np.sum, np.mean, np.prod, np.max, np.min, np.amax, np.amin, np.std, np.var))


def liftable(step: Step) -> bool:
    """Whether the members of a step's class can be one array step."""
    return _lifter(step) is not None


def lift(batching: Any, group: StepClass) -> tuple[int, Grid]:
    """Add a class as one array step; return it and its leading axes."""
    return _lifter(group.step)(batching, group)


def _lifter(step: Step) -> Callable | None:
    operation, template = step.operation, step.template
    if step.dtype == object:
        return None
    if operation in VARIADIC:
        return combine
    if operation is pack:
        return _pack
    if operation is operator.getitem:
        slicing = len(step.inputs) == 1 and _is_slicing(template[0][1])
        return _slices if slicing else rearranger(step)
    if operation in (np.matmul, np.dot) and (template is None or template == ((Slot(0), Slot(1)), {})):
        return _matmul
    if isinstance(operation, np.ufunc):
        return _elementwise if operation.signature is None and operation.nout == 1 and template is None else None
    if operation in ELEMENTWISE:
        return _elementwise
    if operation in REDUCTIONS and len(step.inputs) == 1:
        args, kwargs = template
        return _reduction if len(args) == 1 and args[0] == Slot(0) and set(kwargs) <= {"axis", "keepdims"} else None
    return rearranger(step)


def _is_slicing(position: Any) -> bool:
    parts = position if type(position) is tuple else (position,)
    return all(type(part) in (int, slice) for part in parts)


def _operands(batching: Any, group: StepClass) -> tuple[list[Operand], Grid]:
    columns, grid = batching.arranged(group)
    return [batching.operand(column, grid) for column in columns], grid


def _elementwise(batching: Any, group: StepClass) -> tuple[int, Grid]:
    operands, grid = _operands(batching, group)
    program, step = batching.program, group.step
    inputs = [program.aligned(operand, grid, len(step.shape)) for operand in operands]
    shape = np.broadcast_shapes(*map(program.shape, inputs))
    made = program.call(step.operation, inputs, shape, step.dtype, step.template)
    return program.broadcast(made, (*grid, *step.shape)), grid


def _reduction(batching: Any, group: StepClass) -> tuple[int, Grid]:
    (operand,), grid = _operands(batching, group)
    program, step = batching.program, group.step
    options = dict(step.template[1])
    axis = options.get("axis")
    given = range(operand.rank) if axis is None else (axis if isinstance(axis, tuple) else (axis,))
    axes = tuple(a if a < 0 else a - operand.rank for a in given)
    options["axis"] = axes[0] if len(axes) == 1 else axes
    made = program.call(step.operation, (operand.step,), (*grid, *step.shape), step.dtype, ((Slot(0),), options))
    return made, grid


def _slices(batching: Any, group: StepClass) -> tuple[int, Grid]:
    """Windows of the same shape: the offsets within one are further axes of the grid."""
    program = batching.program
    column = batching.classes.operands(group.members)[:, 0]
    base, outer = batching.resolve(column)
    lengths = program.shape(base)[len(outer) :]
    pieces = [batching.steps[member].template[0][1] for member in group.members]
    pieces = [piece if type(piece) is tuple else (piece,) for piece in pieces]
    starts, steps = [], []
    for axis in range(len(pieces[0])):
        bounds = [_bounds(piece[axis], lengths[axis]) for piece in pieces]
        starts.append(np.array([start for start, _, _ in bounds]))
        steps.append(bounds[0][1:] if type(pieces[0][axis]) is slice else None)
    from autoopt.tape.batching.grids import factor

    grid = factor([*outer, *starts], group.count)
    window = tuple(found[1] for found in steps if found is not None)
    size = prod(window)
    offsets = iter(np.indices(window).reshape(len(window), -1))
    inner = [np.zeros(size, int) if found is None else found[0] * next(offsets) for found in steps]
    positions = [np.repeat(place, size) for place in outer]
    positions += [np.add.outer(start, offset).ravel() for start, offset in zip(starts, inner, strict=True)]
    full = (*grid, *window)
    found = program.fetch(base, positions, full)
    rest = program.shape(base)[len(positions) :]
    step = program.aligned(found, full, found.rank)
    return program.broadcast(step, (*full, *rest)), grid


def _bounds(piece: Any, length: int) -> tuple[int, int, int]:
    """Return start, step and count of an integer or slice."""
    if type(piece) is int:
        return (piece + length if piece < 0 else piece), 1, 1
    start, stop, step = piece.indices(length)
    return start, step, len(range(start, stop, step))


def _matmul(batching: Any, group: StepClass) -> tuple[int, Grid]:
    (a, b), grid = _operands(batching, group)
    program, dtype = batching.program, group.step.dtype

    def times(x: int, y: int) -> int:
        shape = (np.empty(program.shape(x), bool) @ np.empty(program.shape(y), bool)).shape if 0 else None
        return program.call(np.matmul, (x, y), shape or _product_shape(program.shape(x), program.shape(y)), dtype)

    every = slice(None)
    full = (*grid, *group.step.shape)
    left, right = (program.aligned(one, grid, one.rank) for one in (a, b))
    if a.rank == 1 and b.rank == 1:
        if not a.axes:
            left, right, a, b = right, left, b, a
        if not b.axes:
            return program.broadcast(times(left, right), full), grid
        shape = np.broadcast_shapes(program.shape(left), program.shape(right))
        both = program.call(np.multiply, (left, right), shape, dtype)
        return program.broadcast(
            program.call(np.sum, (both,), shape[:-1], dtype, ((Slot(0),), {"axis": -1})), full
        ), grid
    if b.rank == 1:
        if not b.axes:
            return program.broadcast(times(left, right), full), grid
        if not a.axes:
            return program.broadcast(times(right, program.transpose(left, (1, 0))), full), grid
        column = program.index(right, [every] * len(program.shape(right)) + [None])
        found = times(left, column)
        return program.broadcast(program.index(found, [every] * (len(program.shape(found)) - 1) + [0]), full), grid
    if a.rank == 1:
        if not b.axes:
            return program.broadcast(times(left, right), full), grid
        row = program.index(left, [every] * (len(program.shape(left)) - 1) + [None])
        found = times(row, right)
        return program.broadcast(program.index(found, [every] * (len(program.shape(found)) - 2) + [0]), full), grid
    return program.broadcast(times(left, right), full), grid


def _product_shape(x: tuple[int, ...], y: tuple[int, ...]) -> tuple[int, ...]:
    """Return the shape of a matrix product."""
    if len(y) == 1:
        return x[:-1]
    if len(x) == 1:
        return (*y[:-2], y[-1])
    return (*np.broadcast_shapes(x[:-2], y[:-2]), x[-2], y[-1])


def _pack(batching: Any, group: StepClass) -> tuple[int, Grid]:
    """Scalars put into an array: the array of their class, or the arrays of their classes put together."""
    program, count = batching.program, group.count
    table = batching.classes.operands(group.members)
    size = table.shape[1]
    kinds = batching.classes.of[table[0]]
    shape = group.step.shape
    if np.all(kinds == kinds[0]):
        columns = [table[:, 0]]
        grid = batching.grid(columns, count) if count > 1 else ()
        return program.reshape(_block(batching, table, grid), (*grid, *shape)), grid
    if count > 1:
        grid = batching.grid(list(table.T), count)
        rest = batching.steps[table[0, 0]].shape
        parts = [program.broadcast(_full(batching, column, grid), (*grid, *rest)) for column in table.T]
        pieces = [program.reshape(part, (*grid, 1, *rest)) for part in parts]
        return program.reshape(_joined(program, pieces, len(grid)), (*grid, *shape)), grid
    edges = [0, *(np.flatnonzero(np.diff(kinds)) + 1).tolist(), size]
    period = next((k for k in range(2, 17) if size % k == 0 and np.array_equal(kinds[k:], kinds[:-k])), None)
    if len(edges) > 4 and period:
        rest = batching.steps[table[0, 0]].shape
        pieces = [
            program.reshape(_block(batching, table[:, k::period], ()), (size // period, 1, *rest))
            for k in range(period)
        ]
        return program.reshape(_joined(program, pieces, 1), shape), ()
    if len(edges) > 10:
        return _interleaved(batching, table, kinds, shape), ()
    pieces = [_block(batching, table[:, start:stop], ()) for start, stop in itertools.pairwise(edges)]
    return program.reshape(_joined(program, pieces, 0), shape), ()


def _full(batching: Any, column: np.ndarray, grid: Grid) -> int:
    operand = batching.operand(column, grid)
    return batching.program.aligned(operand, grid, operand.rank)


def _block(batching: Any, table: np.ndarray, grid: Grid) -> int:
    """Return old steps of one class, a table (members, entries), as an array: the grid's axes and one for entries."""
    program = batching.program
    size = table.shape[1]
    rest = batching.steps[table[0, 0]].shape
    if table.size == 1:
        return batching.slice_of(int(table[0, 0]))
    values = batching.constants(table.ravel())
    if values is not None:
        return program.constant(values.reshape(*grid, size))
    inner = batching.grid([table[0]], size) if size > 1 else (1,)
    full = (*grid, *inner)
    return program.reshape(
        program.broadcast(_full(batching, table.ravel(), full), (*full, *rest)), (*grid, size, *rest)
    )


def _interleaved(batching: Any, table: np.ndarray, kinds: np.ndarray, shape: tuple[int, ...]) -> int:
    """Return an array of scalars of a few classes in any order: joined class by class, then read in order."""
    program = batching.program
    order = np.argsort(kinds, kind="stable")
    edges = [0, *(np.flatnonzero(np.diff(kinds[order])) + 1).tolist(), table.shape[1]]
    pieces = [_block(batching, table[:, order[start:stop]], ()) for start, stop in itertools.pairwise(edges)]
    joined = _joined(program, pieces, 0)
    return program.reshape(program.fetch(joined, [np.argsort(order)], (table.shape[1],)).step, shape)


def _joined(program: Any, pieces: list[int], axis: int) -> int:
    """Add np.concatenate."""
    shapes = [program.shape(piece) for piece in pieces]
    shape = (*shapes[0][:axis], sum(one[axis] for one in shapes), *shapes[0][axis + 1 :])
    dtype = np.result_type(*(program.steps[piece].dtype for piece in pieces))
    slots = [Slot(k) for k in range(len(pieces))]
    return program.call(np.concatenate, pieces, shape, dtype, ((slots,), {"axis": axis} if axis else {}))
