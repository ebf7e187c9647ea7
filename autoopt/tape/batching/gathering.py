"""Reads at positions that arrays give, on all members of a class at once.

for row in items: ... beta[row] ...        ->        beta[items]
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

from autoopt.tape.batching.builder import Operand
from autoopt.tape.batching.classes import StepClass
from autoopt.tape.batching.functions import each
from autoopt.tape.batching.grids import Grid
from autoopt.tape.batching.placement import Placement
from autoopt.tape.tape import Slot, Step

_EVERY = slice(None)


def axis_of_array(step: Step) -> int | None:
    """Return the axis that an index reads at the positions of an array, taking all others whole; None if it does not.

    `x[idx]` and `X[:, idx]` do, `X[0, idx]` and `X[rows, columns]` do not.
    """
    index = step.template[0][1]
    parts = index if type(index) is tuple else (index,)
    axes = [k for k, part in enumerate(parts) if type(part) is Slot]
    whole = all(type(part) is Slot or (type(part) is slice and part == _EVERY) for part in parts)
    return axes[0] if whole and len(axes) == 1 and len(step.inputs) == 2 else None


def gather(placement: Placement, group: StepClass) -> tuple[int, Grid]:
    """Add a class of such reads."""
    columns, grid = placement.arranged(group)
    builder, step, axis = placement.builder, group.step, axis_of_array(group.step)
    index = placement.steps[step.inputs[1]]
    if axis is None or index.dtype.kind not in "iu":
        return each(placement, group)
    base, positions = (placement.operand(column, grid) for column in columns)
    if not positions.axes:
        part = (*[_EVERY] * (len(base.axes) + axis), Slot(1))
        own = step.shape
        shape = (*builder.shape(base.step)[: len(base.axes)], *own)
        made = _read(placement, base.step, positions.step, part, shape)
        return _whole(placement, Operand(made, base.axes, len(own)), grid), grid
    first = _moved(placement, base, axis, len(base.axes))  # the axis that is read comes first
    rest = builder.shape(first)[len(base.axes) + 1 :]
    rank = positions.rank
    if not base.axes:
        lead = tuple(grid[k] for k in positions.axes)
        made = _read(placement, first, positions.step, (Slot(1),), (*builder.shape(positions.step), *rest))
        read = Operand(made, positions.axes, rank + len(rest))
    else:
        count, lead = prod(grid), grid
        whole = _whole(placement, Operand(first, base.axes, base.rank), grid)
        table = builder.reshape(whole, (count, *builder.shape(whole)[len(grid) :]))
        places = _whole(placement, positions, grid)
        places = builder.reshape(places, (count, *builder.shape(places)[len(grid) :]))
        rows = builder.constant(np.arange(count).reshape(count, *[1] * rank))
        made = builder.call(
            operator.getitem,
            (table, rows, places),
            (*builder.shape(places), *rest),
            step.dtype,
            ((Slot(0), (Slot(1), Slot(2))), {}),
        )
        made = builder.reshape(made, (*grid, *builder.shape(made)[1:]))
        read = Operand(made, tuple(range(len(grid))), rank + len(rest))
    back = range(len(lead), len(lead) + rank + len(rest))
    entries, others = list(back)[:rank], list(back)[rank:]
    order = (*range(len(lead)), *others[:axis], *entries, *others[axis:])
    read = read._replace(step=builder.transpose(read.step, order))
    return _whole(placement, read, grid), grid


def _read(placement: Placement, base: int, positions: int, part: tuple, shape: tuple[int, ...]) -> int:
    index: Any = part if len(part) > 1 else part[0]
    dtype = placement.builder.steps[base].dtype
    return placement.builder.call(operator.getitem, (base, positions), shape, dtype, ((Slot(0), index), {}))


def _moved(placement: Placement, base: Operand, axis: int, lead: int) -> int:
    """Return `base` with one axis of its members before the others."""
    rank = base.rank
    order = [lead + axis, *(lead + k for k in range(rank) if k != axis)]
    return placement.builder.transpose(base.step, (*range(lead), *order))


def _whole(placement: Placement, operand: Operand, grid: Grid) -> int:
    builder = placement.builder
    own = builder.shape(operand.step)[len(operand.axes) :]
    return builder.broadcast(builder.aligned(operand, grid, operand.rank), (*grid, *own))


def gathers(step: Step) -> Callable | None:
    """Return the batcher of a read at the positions of an array."""
    return gather if axis_of_array(step) is not None else None
