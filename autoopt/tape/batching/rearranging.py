"""Steps that only move entries, on all members of a class at once: reshaping, broadcasting, joining, writing.

    for t in ts: ... h[:, None] ...        ->        H[:, :, None], H of shape (len(ts), len(h))

The members' own axes come after those of the grid, which all of these leave alone.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

from autoopt.tape.batching.classes import StepClass
from autoopt.tape.batching.grids import Grid
from autoopt.tape.batching.placement import Placement
from autoopt.tape.operations import put, put_add
from autoopt.tape.tape import Slot, Step, Template, call

_EVERY = slice(None)


def _whole(placement: Placement, group: StepClass, place: int, grid: Grid, operand: Any) -> int:
    """Return an operand in full: of the grid's shape and its members' own."""
    builder, shape = placement.builder, placement.steps[group.step.inputs[place]].shape
    return builder.broadcast(builder.aligned(operand, grid, len(shape)), (*grid, *shape))


def _operands(placement: Placement, group: StepClass) -> tuple[list[int], Grid]:
    columns, grid = placement.arranged(group)
    operands = [placement.operand(column, grid) for column in columns]
    return [_whole(placement, group, k, grid, operand) for k, operand in enumerate(operands)], grid


def _reshape(placement: Placement, group: StepClass) -> tuple[int, Grid]:
    (whole,), grid = _operands(placement, group)
    return placement.builder.reshape(whole, (*grid, *group.step.shape)), grid


def _broadcast(placement: Placement, group: StepClass) -> tuple[int, Grid]:
    columns, grid = placement.arranged(group)
    builder, shape = placement.builder, group.step.shape
    aligned = builder.aligned(placement.operand(columns[0], grid), grid, len(shape))
    return builder.broadcast(aligned, (*grid, *shape)), grid


def _transpose(placement: Placement, group: StepClass) -> tuple[int, Grid]:
    (whole,), grid = _operands(placement, group)
    (_, *given), options = group.step.template
    order = given[0] if given else options.get("axes")
    rank = len(group.step.shape)
    order = range(rank)[::-1] if order is None else [axis % rank for axis in order]
    outer = range(len(grid))
    return placement.builder.transpose(whole, (*outer, *(len(grid) + axis for axis in order))), grid


def _join(placement: Placement, group: StepClass) -> tuple[int, Grid]:
    wholes, grid = _operands(placement, group)
    builder, step = placement.builder, group.step
    parts = [wholes[slot.position] for slot in step.template[0][0]]
    axis = step.template[1].get("axis", step.template[0][1] if len(step.template[0]) > 1 else 0)
    axis = len(grid) + axis % len(step.shape)
    slots = [Slot(k) for k in range(len(parts))]
    template: Template = ((slots,), {"axis": axis})
    return builder.call(np.concatenate, parts, (*grid, *step.shape), step.dtype, template), grid


def _join_rows(placement: Placement, group: StepClass) -> tuple[int, Grid]:
    """Functions that join arrays after they have made those of few axes rows, columns or flat."""
    wholes, grid = _operands(placement, group)
    builder, step = placement.builder, group.step
    assert step.operation is not None
    prepare, axis = _ROWS[step.operation]
    parts = []
    for slot in _listed(step):
        shape = placement.steps[step.inputs[slot.position]].shape
        parts.append(builder.reshape(wholes[slot.position], (*grid, *prepare(shape))))
    template: Template = (([Slot(k) for k in range(len(parts))],), {"axis": len(grid) + axis(len(step.shape))})
    return builder.call(np.concatenate, parts, (*grid, *step.shape), step.dtype, template), grid


def _flat(shape: tuple[int, ...]) -> tuple[int, ...]:
    return (prod(shape),)


def _at_least_one(shape: tuple[int, ...]) -> tuple[int, ...]:
    return shape or (1,)


def _as_row(shape: tuple[int, ...]) -> tuple[int, ...]:
    return shape if len(shape) > 1 else (1, *_at_least_one(shape))


def _as_column(shape: tuple[int, ...]) -> tuple[int, ...]:
    return shape if len(shape) > 1 else (*_at_least_one(shape), 1)


_ROWS: dict[Callable, tuple[Callable, Callable]] = {
    np.hstack: (_at_least_one, lambda rank: int(rank > 1)),
    np.vstack: (_as_row, lambda rank: 0),
    np.column_stack: (_as_column, lambda rank: 1),
    np.append: (_flat, lambda rank: 0),
}
"""By function: the shape that an array of some shape is given first, and the axis to join along."""


def _permute(placement: Placement, group: StepClass) -> tuple[int, Grid]:
    """Functions that name the axes to be moved: where they go is seen on an array whose axes all differ in length."""
    (whole,), grid = _operands(placement, group)
    step, lead = group.step, range(len(grid))
    rank = len(step.shape)
    told = np.empty(tuple(range(2, 2 + rank)), dtype=bool)
    order = [length - 2 for length in np.shape(call(step, [told]))]
    return placement.builder.transpose(whole, (*lead, *(len(grid) + axis for axis in order))), grid


def _write(placement: Placement, group: StepClass) -> tuple[int, Grid]:
    columns, grid = placement.arranged(group)
    operands = [placement.operand(column, grid) for column in columns]
    builder, step = placement.builder, group.step
    (_, index, value), _ = step.template
    whole = _whole(placement, group, 0, grid, operands[0])
    parts = spelt_out(index, len(step.shape))
    target = np.broadcast_to(np.False_, step.shape)[parts].shape
    inputs = [whole]
    if type(value) is Slot:
        shape = placement.steps[step.inputs[value.position]].shape
        extra = len(shape) - len(target)
        if extra > 0:  # axes of length one before those that are written to
            written = _whole(placement, group, value.position, grid, operands[value.position])
            inputs.append(builder.reshape(written, (*grid, *shape[extra:])))
        else:
            inputs.append(builder.aligned(operands[value.position], grid, len(target)))
        value = Slot(1)
    template: Template = ((Slot(0), (*[_EVERY] * len(grid), *parts), value), {})
    return builder.call(step.operation, inputs, (*grid, *step.shape), step.dtype, template), grid


def spelt_out(index: Any, rank: int) -> tuple:
    """Return an index of an array as a tuple without an ellipsis."""
    parts = index if type(index) is tuple else (index,)
    if Ellipsis not in parts:
        return parts
    place = parts.index(Ellipsis)
    return (*parts[:place], *[_EVERY] * (rank - len(parts) + parts.count(None) + 1), *parts[place + 1 :])


# Which steps are of these kinds ---------------------------------------------------------------------------------------


def _is_reshape(step: Step) -> Callable | None:
    args, options = step.template
    return _reshape if args[0] == Slot(0) and len(args) <= 2 and set(options) <= {"shape", "newshape", "axis"} else None


def _is_ravel(step: Step) -> Callable | None:
    return _reshape if step.template == ((Slot(0),), {}) else None


def _is_view(step: Step) -> Callable | None:
    """Whether an index only adds axes."""
    index = step.template[0][1]
    parts = index if type(index) is tuple else (index,)
    plain = all(part is None or (type(part) is slice and part == _EVERY) for part in parts)
    return _reshape if len(step.inputs) == 1 and plain else None


def _is_broadcast(step: Step) -> Callable | None:
    args, options = step.template
    return _broadcast if len(step.inputs) == 1 and args[0] == Slot(0) and set(options) <= {"shape"} else None


def _is_transpose(step: Step) -> Callable | None:
    args, options = step.template
    return _transpose if args[0] == Slot(0) and len(args) <= 2 and set(options) <= {"axes"} else None


def _is_join(step: Step) -> Callable | None:
    args, options = step.template
    axis = options.get("axis", args[1] if len(args) > 1 else 0)
    slots = type(args[0]) in (list, tuple) and all(type(slot) is Slot for slot in args[0])
    return _join if slots and set(options) <= {"axis"} and len(args) <= 2 and type(axis) is int else None


def _listed(step: Step) -> list[Any]:
    """Return what a function joins: the entries of its list, or both of its operands."""
    args = step.template[0] if step.template else (Slot(0), Slot(1))
    return list(args) if step.operation is np.append else list(args[0])


def _is_join_of_rows(step: Step) -> Callable | None:
    plain = not step.template or (not step.template[1] and len(step.template[0]) == 1 + (step.operation is np.append))
    return _join_rows if plain and all(type(slot) is Slot for slot in _listed(step)) else None


def _is_permutation(step: Step) -> Callable | None:
    args = step.template[0] if step.template else (Slot(0),)
    return _permute if len(step.inputs) == 1 and args[0] == Slot(0) and len(step.shape) <= 4 else None


def _is_write(step: Step) -> Callable | None:
    (target, index, value), _ = step.template
    parts = index if type(index) is tuple else (index,)
    static = all(type(part) in (int, slice) or part is Ellipsis for part in parts) and parts.count(Ellipsis) < 2
    plain = type(value) is Slot or np.ndim(value) == 0
    return _write if target == Slot(0) and static and plain else None


REARRANGERS: dict[Callable | None, Callable[[Step], Callable | None]] = {
    np.reshape: _is_reshape,
    np.expand_dims: _is_reshape,
    np.squeeze: _is_reshape,
    np.ravel: _is_ravel,
    operator.getitem: _is_view,
    np.broadcast_to: _is_broadcast,
    np.transpose: _is_transpose,
    np.swapaxes: _is_permutation,
    np.moveaxis: _is_permutation,
    np.concatenate: _is_join,
    **dict.fromkeys(_ROWS, _is_join_of_rows),
    put: _is_write,
    put_add: _is_write,
}
"""By operation: what adds a class of steps that are like a given one; None if they stay single."""
