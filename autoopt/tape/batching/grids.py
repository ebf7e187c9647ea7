"""Positions as a person would write them: which loops they run over, and whether they are a slice.

Knows arrays of integers only. A *grid* is the lengths of nested loops; positions are arrays with one entry for each
point of it, in C order.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

Grid = tuple[int, ...]


def factor(positions: Sequence[np.ndarray], count: int) -> Grid:
    """Return the nested loops that `count` points are made of, if all positions agree on them, else (count,).

    Notes
    -----
    On a grid (R, K) every position is f(r) + g(k). K is where a position first leaves its arithmetic progression.
    """
    if count < 4 or not positions:
        return (count,)
    lengths = sorted({length for position in positions if 2 <= (length := _run(position)) < count})
    for length in lengths:
        if count % length == 0 and all(_is_outer_sum(position, length) for position in positions):
            outer = factor([position[::length] for position in positions], count // length)
            return (*outer, length)
    return (count,)


def _run(position: np.ndarray) -> int:
    """Return how many entries the first arithmetic progression has."""
    change = np.diff(position)
    different = np.flatnonzero(change != change[0])
    return len(position) if len(different) == 0 else int(different[0]) + 1


def _is_outer_sum(position: np.ndarray, length: int) -> bool:
    table = position.reshape(-1, length)
    return bool(np.all(table - table[:, :1] == table[0] - table[0, 0]))


def varying(position: np.ndarray, grid: Grid) -> tuple[int, ...]:
    """Return the axes of the grid along which an array of one entry for each point changes."""
    table = position.reshape(grid)
    return tuple(axis for axis in range(len(grid)) if not np.array_equal(*_ends(table, axis)))


def _ends(table: np.ndarray, axis: int) -> tuple[np.ndarray, np.ndarray]:
    head = table.take([0], axis)
    return np.broadcast_to(head, table.shape), table


def along(position: np.ndarray, grid: Grid, axes: Sequence[int]) -> np.ndarray:
    """Return the entries along `axes`, at the start of the others."""
    return position.reshape(grid)[tuple(slice(None) if axis in axes else 0 for axis in range(len(grid)))]


def as_slice(position: np.ndarray, length: int) -> slice | None:
    """Return the slice of an axis of `length` that gives these positions, None if there is none."""
    start, count = int(position[0]), len(position)
    step = int(position[1]) - start if count > 1 else 1
    if step == 0 or (count > 2 and np.any(np.diff(position) != step)):
        return None
    stop = start + step * count
    first = None if (start == 0 and step > 0) or (start == length - 1 and step < 0) else start
    if step > 0:
        last = None if stop - step + 1 == length or (stop >= length) else stop - (step - 1)
        last = last - length if last is not None and length - last <= count and first is None else last
    else:
        last = None if stop < 0 else stop
    return slice(first, last, None if step == 1 else step)


def flat(positions: Sequence[np.ndarray], shape: Sequence[int]) -> np.ndarray:
    """Return positions on several axes as positions on the one axis that they make together."""
    return np.ravel_multi_index(tuple(positions), tuple(shape)) if len(positions) > 1 else positions[0]


def is_regular(positions: Sequence[np.ndarray], shape: Sequence[int], grid: Grid) -> bool:
    """Whether an array can be read at these positions by slices, reshaping and transposing alone."""
    used = [varying(position, grid) for position in positions]
    axes = sorted(set().union(*used))
    moving = [
        (along(position, grid, axes), at, n) for position, at, n in zip(positions, used, shape, strict=False) if at
    ]
    if all(len(at) == 1 for _, at, _ in moving) and len(moving) == len(axes):
        return all(as_slice(place.reshape(-1)[_stride(place, axes.index(at[0]))], n) for place, at, n in moving)
    return (
        not moving
        or as_slice(flat([place.ravel() for place, _, _ in moving], [n for _, _, n in moving]), prod(shape)) is not None
    )


def _stride(place: np.ndarray, axis: int) -> slice:
    """Return where the entries along one axis are in the flattened array."""
    inner = prod(place.shape[axis + 1 :])
    return slice(0, inner * place.shape[axis], inner)


def count_up(values: np.ndarray) -> tuple[int, int, int] | None:
    """Return start, stop and step of integers that are an arithmetic progression, None if they are none."""
    if values.ndim != 1 or len(values) < 3 or values.dtype != np.int64:
        return None
    steps = np.diff(values)
    if steps[0] == 0 or np.any(steps != steps[0]):
        return None
    return int(values[0]), int(values[-1] + np.sign(steps[0])), int(steps[0])
