"""Reads of windows that move along axes of an array, as one view of it.

    for i in range(4):                       3  windows(x, 3 entries)      shape (4, 3)
        s += x[i : i + 3] @ w        ->      4  3 @ w

Where each entry lies is told axis by axis, by a start and a step for each loop that moves along the axis. One loop is a
slice. Two are windows; where these lie side by side, a slice in another shape. In all other cases nothing is returned.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import NamedTuple

import numpy as np

from autoopt.tape.batching.builder import Operand, TapeBuilder
from autoopt.tape.batching.grids import Grid, along, as_slice, varying
from autoopt.tape.tape import Slot
from autoopt.tape.windows import Move, shape_of, windows

REST = -1
"""In place of a loop for axes that are read as a whole."""

PIECES = 64
"""The most statements that the derivative of windows may take: one for each place within a window, or each window."""


class Stride(NamedTuple):
    """How far one loop moves along an axis in each of its iterations."""

    loop: int
    step: int
    length: int


class Line(NamedTuple):
    """Where the entries that are read lie along one axis of an array."""

    start: int
    steps: tuple[Stride, ...]

    @property
    def is_tiled(self) -> bool:
        """Whether it has two loops, the second of which fills what one iteration of the first moves over."""
        return len(self.steps) == 2 and self.steps[0].step == self.steps[1].step * self.steps[1].length

    @property
    def slice(self) -> np.ndarray:
        """The positions from the first entry to the last."""
        least = self.steps[-1].step if len(self.steps) == 1 or self.is_tiled else 1
        last = self.start + sum(one.step * (one.length - 1) for one in self.steps)
        return np.arange(self.start, last + (1 if least > 0 else -1), least)


def line(position: np.ndarray, grid: Grid, own: Sequence[Stride] = ()) -> Line | None:
    """Return where positions, one for each point of the grid, lie, if they go in equal steps; `own` are more loops."""
    axes = varying(position, grid)
    table = along(position, grid, axes)
    start = int(table.reshape(-1)[0])
    steps = []
    for k, axis in enumerate(axes):
        ahead = np.diff(table, axis=k)
        step = int(ahead.reshape(-1)[0])
        if np.any(ahead != step):
            return None
        steps.append(Stride(axis, step, grid[axis]))
    return Line(start, (*steps, *own))


def windowed(builder: TapeBuilder, base: int, lines: Sequence[Line | None]) -> Operand | None:
    """Return the entries of `base` that lines for its leading axes tell, over all their loops in order."""
    known = [one for one in lines if one is not None]
    if len(known) < len(lines) or not _is_view(known):
        return None
    cuts = [
        as_slice(one.slice, n) if one.steps else one.start for one, n in zip(known, builder.shape(base), strict=False)
    ]
    if None in cuts:
        return None
    found = builder.index(base, cuts)
    moving = [one for one in known if one.steps]
    rest = builder.shape(found)[len(moving) :]
    shape, order = [], []
    for one, extent in zip(moving, builder.shape(found), strict=False):
        own = one.steps if one.is_tiled else one.steps[:1]
        order += [step.loop for step in own]
        shape += [step.length for step in own] if one.is_tiled else [extent]
    found = builder.reshape(found, (*shape, *rest))
    order += [REST] * len(rest)
    two = [one.steps for one in moving if len(one.steps) == 2 and not one.is_tiled]
    if two:
        moves = tuple((order.index(outer.loop), inner.length, outer.step, inner.step) for outer, inner in two)
        lengths = shape_of([Move(*move) for move in moves], builder.shape(found))
        found = builder.call(windows, (found,), lengths, template=((Slot(0), moves), {}))
        order += [inner.loop for _, inner in two]
    loops = sorted(loop for loop in order if loop != REST)
    axes = [order.index(loop) for loop in loops] + [k for k, loop in enumerate(order) if loop == REST]
    return Operand(builder.transpose(found, axes), tuple(loops), len(rest))


def _is_view(lines: Sequence[Line]) -> bool:
    """Whether each loop moves along one axis, and at most two along each, and the derivative is not long."""
    loops = [step.loop for one in lines for step in one.steps]
    two = [one.steps for one in lines if len(one.steps) == 2]
    once = len(set(loops)) == len(loops) and all(len(one.steps) <= 2 for one in lines)
    forward = all(step.step > 0 for steps in two for step in steps)
    moving = all(step.step for one in lines for step in one.steps)
    pieces = prod(min(step.length for step in one.steps) for one in lines if len(one.steps) == 2 and not one.is_tiled)
    return once and forward and moving and pieces <= PIECES
