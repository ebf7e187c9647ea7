"""How an operation on single members is done on all members of a class at once: a function for each kind."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from math import prod
from typing import Any

import numpy as np

from autoopt.tape.batching.builder import Operand, TapeBuilder
from autoopt.tape.batching.classes import VARIADIC, StepClass
from autoopt.tape.batching.functions import Along, along, each, slots
from autoopt.tape.batching.gathering import gathers
from autoopt.tape.batching.grids import Grid, factor
from autoopt.tape.batching.matrices import components, cross, diag, einsum, on_two_axes, outer, stacks, systems
from autoopt.tape.batching.placement import Placement
from autoopt.tape.batching.rearranging import REARRANGERS, spelt_out
from autoopt.tape.batching.sums import combine
from autoopt.tape.batching.windows import Stride, line, windowed
from autoopt.tape.names import qualified
from autoopt.tape.operations import astype, component, pack
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
    if step.dtype == object and step.operation not in SEVERAL and not _of_scipy(step, SEVERAL_OF_SCIPY):
        return None
    if step.template is None and step.operation in REARRANGERS and step.operation not in WITHOUT_TEMPLATE:
        return None
    find = BATCHERS.get(step.operation) or BATCHERS.get(type(step.operation)) or _of_scipy(step, BATCHERS_OF_SCIPY)
    if find is not None:
        return find(step)
    plain = isinstance(step.operation, np.ufunc) and step.operation.signature is None and step.operation.nout == 1
    return _elementwise if plain and step.template is None else None


def _of_scipy(step: Step, table: Mapping[str, Any]) -> Any:
    """Return the entry of a function of SciPy, by its name, as importing SciPy takes time; None if there is none."""
    module = getattr(step.operation, "__module__", None) or ""
    return table.get(qualified(step.operation)) if step.operation and module.startswith("scipy.") else None


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


def _slices(placement: Placement, group: StepClass) -> tuple[int, Grid]:
    """Windows of the same shape: the offsets within one are further axes of the grid."""
    builder = placement.builder
    column = placement.classes.operands(group.members)[:, 0]
    base, outer = placement.resolve(column)
    lengths = builder.shape(base)[len(outer) :]
    indices = [spelt_out(placement.steps[member].template[0][1], len(lengths)) for member in group.members]
    pieces = [[part for part in index if part is not None] for index in indices]
    bounds = [[_bounds(piece[axis], lengths[axis]) for piece in pieces] for axis in range(len(pieces[0]))]
    starts = [np.array([start for start, _, _ in along_axis]) for along_axis in bounds]
    steps = [
        along_axis[0][1:] if type(part) is slice else None for along_axis, part in zip(bounds, pieces[0], strict=True)
    ]
    grid = factor([*outer, *starts], group.count)
    window = tuple(found[1] for found in steps if found is not None)
    full = (*grid, *window)
    offsets = iter(range(len(grid), len(full)))
    own = [() if found is None else (Stride(next(offsets), *found),) for found in steps]
    lines = [line(place, grid) for place in outer]
    lines += [line(start, grid, within) for start, within in zip(starts, own, strict=True)]
    found = windowed(builder, base, lines) if group.count > 1 and 0 not in window else None
    if found is None:
        found = _entry_by_entry(builder, base, [*outer, *starts], [*[None] * len(outer), *steps], grid)
    rest = builder.shape(found.step)[len(found.axes) :]
    made = builder.broadcast(builder.aligned(found, full, found.rank), (*full, *rest))
    every = [slice(None)] * len(grid)
    return builder.index(made, every + [part and slice(None) for part in indices[0] if type(part) is not int]), grid


def _entry_by_entry(
    builder: TapeBuilder, base: int, starts: Sequence[np.ndarray], steps: Sequence[tuple[int, int] | None], grid: Grid
) -> Operand:
    """Return windows by the position of each of their entries; `steps` are step and length along each axis."""
    window = tuple(found[1] for found in steps if found is not None)
    size = prod(window)
    offsets = iter(np.indices(window).reshape(len(window), -1))
    inner = [np.zeros(size, int) if found is None else found[0] * next(offsets) for found in steps]
    positions = [np.add.outer(start, offset).ravel() for start, offset in zip(starts, inner, strict=True)]
    return builder.fetch(base, positions, (*grid, *window))


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
    known = all(type(part) in (int, slice, type(None)) or part is Ellipsis for part in parts)
    moving = any(type(part) is int or (type(part) is slice and part != slice(None)) for part in parts)
    if len(step.inputs) == 1 and known and (moving or all(type(part) is slice for part in parts)):
        return _slices
    return REARRANGERS[operator.getitem](step) or gathers(step)


def _is_matmul(step: Step) -> Batcher | None:
    return _matmul if step.template is None or step.template == ((Slot(0), Slot(1)), {}) else None


def _is_elementwise(step: Step) -> Batcher | None:
    """Whether a function goes entry by entry through all its arrays, however it is called."""
    args, options = step.template or ((), {})
    constants = [*args, *options.values()]
    return (
        _elementwise
        if all(type(part) is Slot or np.ndim(part) == 0 or any(slots(part)) for part in constants)
        else None
    )


def _is_vector_product(step: Step) -> Batcher | None:
    """Whether a product of two arrays is one of two vectors: the result is a number."""
    plain = step.template is None or step.template in (((Slot(0), Slot(1)), {}), ((Slot(0), Slot(1), 1), {}))
    return _product_of_vectors if plain and not step.shape else None


def _product_of_vectors(placement: Placement, group: StepClass) -> tuple[int, Grid]:
    ranks = [len(placement.steps[source].shape) for source in group.step.inputs]
    return _matmul(placement, group) if ranks == [1, 1] else each(placement, group)


ALL, LAST, FLAT = Along(), Along(default=-1), Along(is_flat=True)

SEVERAL: frozenset[Callable] = frozenset((np.linalg.slogdet, np.linalg.eigh))
SEVERAL_OF_SCIPY = {"scipy.linalg.cho_factor": True, "scipy.linalg.eigh": True}
"""Functions of several results that can be batched; of each there is a step `component`."""

WITHOUT_TEMPLATE = frozenset((np.append,))

BATCHERS: dict[Callable | None, Callable[[Step], Batcher | None]] = {
    **REARRANGERS,
    **dict.fromkeys(VARIADIC, lambda step: combine),
    **dict.fromkeys((np.where, astype), lambda step: _elementwise),
    **dict.fromkeys((np.clip, np.select, np.nan_to_num, np.sinc), _is_elementwise),
    **dict.fromkeys((np.matmul, np.dot), _is_matmul),
    **dict.fromkeys((np.inner, np.vdot, np.tensordot), _is_vector_product),
    **dict.fromkeys((np.sum, np.mean, np.prod, np.max, np.min, np.amax, np.amin, np.std, np.var), along(ALL)),
    **dict.fromkeys((np.any, np.all, np.median, np.ptp, np.nansum, np.count_nonzero, np.flip), along(ALL)),
    **dict.fromkeys((np.cumsum, np.cumprod, np.argmax, np.argmin, np.roll, np.repeat), along(FLAT)),
    **dict.fromkeys((np.sort, np.argsort, np.diff), along(LAST)),
    np.trapezoid: along(Along(default=-1, others=("x",))),
    np.average: along(Along(others=("weights",))),
    np.linalg.norm: along(ALL),
    **dict.fromkeys((np.linalg.inv, np.linalg.det, np.linalg.cholesky, np.linalg.pinv, np.linalg.eigvalsh), stacks),
    **dict.fromkeys((np.linalg.matrix_power, np.triu, np.tril, *SEVERAL), stacks),
    **dict.fromkeys((np.trace, np.diagonal), on_two_axes("axis1", "axis2")),
    component: components,
    np.diag: diag,
    np.linalg.solve: systems,
    np.outer: outer,
    np.cross: cross,
    np.einsum: einsum,
    pack: lambda step: _pack,
    Root: lambda step: None if getattr(step.operation, "stacked", ()) else _roots,
    operator.getitem: _is_read,
}
"""By operation, ufuncs apart: what adds a class of steps that are like a given one; None if they stay single."""

BATCHERS_OF_SCIPY: dict[str, Callable[[Step], Batcher | None]] = {
    "scipy.special.logsumexp": along(Along(others=("b",), broadcasts=True)),
    **dict.fromkeys(("scipy.special.softmax", "scipy.special.log_softmax"), along(ALL)),
    "scipy.special.multigammaln": _is_elementwise,
    "scipy.linalg.norm": along(ALL),
    **dict.fromkeys(
        [f"scipy.linalg.{name}" for name in ("inv", "det", "cholesky", "pinv", "expm", "cho_factor", "eigh")], stacks
    ),
    **dict.fromkeys([f"scipy.linalg.{name}" for name in ("solve", "solve_triangular", "cho_solve")], systems),
}
"""The same for functions of SciPy, by their names."""
