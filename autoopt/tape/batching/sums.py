"""Steps of many operands as reductions: sums over an axis, matrix products, segment sums."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autoopt.tape.batching.builder import Operand, TapeBuilder
from autoopt.tape.batching.classes import StepClass
from autoopt.tape.batching.grids import Grid, factor, varying
from autoopt.tape.batching.placement import Placement
from autoopt.tape.operations import greatest, least, product, put_add, total
from autoopt.tape.tape import Slot, Template

COLUMNS = 8
"""The most terms of a member that are added one by one, if they are not one block of an array."""

_REDUCE: dict[Callable | None, Callable] = {total: np.sum, product: np.prod, greatest: np.max, least: np.min}
_JOIN: dict[Callable | None, Callable] = {total: np.add, product: np.multiply, greatest: np.maximum, least: np.minimum}


def combine(placement: Placement, group: StepClass) -> tuple[int, Grid]:
    """Add a class of sums, products, maxima or minima; return its array and leading axes."""
    parts = _parts(placement, group)
    grid = _grid(placement, group.count, parts)
    done: list[tuple[bool, int]] = []
    for minus, steps, owners, uniform in parts:
        add = _uniform if uniform else _segments
        done += [(minus, one) for one in add(placement, group, steps, owners, grid)]
    builder = placement.builder
    done.sort(key=lambda pair: pair[0])
    minus, made = done[0]
    if minus:
        made = builder.call(np.negative, (made,), builder.shape(made))
    for minus, one in done[1:]:
        made = builder.binary(np.subtract if minus else _JOIN[group.operation], made, one)
    return builder.broadcast(made, (*grid, *group.step.shape)), grid


def _parts(placement: Placement, group: StepClass) -> list[tuple[bool, np.ndarray, np.ndarray, bool]]:
    """Return the operands by sign and class: minus, steps, the member of each, whether members have equally many."""
    steps, owners, signs = placement.sources(group.members)
    kinds = 2 * placement.classes.of[steps] + signs
    parts = []
    for kind in dict.fromkeys(kinds.tolist()):
        at = kinds == kind
        minus, inner, owner = bool(kind & 1), steps[at], owners[at]
        while group.operation is total and placement.steps[inner[0]].operation is np.negative:
            minus, inner = not minus, placement.classes.operands(inner)[:, 0]
        counts = np.bincount(owner, minlength=group.count)
        parts.append((minus, inner, owner, bool(np.all(counts == counts[0]))))
    return parts


def _grid(placement: Placement, count: int, parts: list) -> Grid:
    if count == 1:
        return ()
    if not all(uniform for _, _, _, uniform in parts):
        return (count,)
    return placement.grid([steps[:: len(steps) // count] for _, steps, _, _ in parts], count)


def _uniform(placement: Placement, group: StepClass, steps: np.ndarray, owners: np.ndarray, grid: Grid) -> list[int]:
    """Return what the operands of one class come to, where every member has equally many."""
    builder, rank = placement.builder, len(group.step.shape)
    many = len(steps) // group.count
    if many == 1:
        return [builder.aligned(placement.operand(steps, grid), grid, rank)]
    values = placement.constants(steps)
    if values is not None:
        values = _REDUCE[group.operation](values.reshape(*(grid or ()), many), axis=-1)
        return [_number(placement, np.asarray(values), grid, rank)]
    base, positions = placement.resolve(steps)
    if group.count == 1:
        order = np.lexsort(positions[::-1]) if positions else slice(None)
        steps, positions = steps[order], [position[order] for position in positions]
    inner = factor([position[:many] for position in positions], many)
    full = (*grid, *inner)
    found = _product(placement, group, steps, grid, full)
    if found is not None:
        return [found]
    before = builder.gathers
    block = builder.fetch(base, positions, full)
    if builder.gathers > before and many <= COLUMNS and group.count > 1:
        return [builder.aligned(placement.operand(steps[k::many], grid), grid, rank) for k in range(many)]
    return [builder.aligned(_reduced(builder, group.operation, block, grid, full), grid, rank)]


def _number(placement: Placement, values: np.ndarray, grid: Grid, rank: int) -> int:
    """Return constants, one for each member, as an operand."""
    builder = placement.builder
    if values.ndim == 0 or np.all(values == values.flat[0]):
        return builder.constant(values.flat[0])
    return builder.aligned(Operand(builder.constant(values), tuple(range(len(grid))), 0), grid, rank)


def _reduced(builder: TapeBuilder, operation: Any, block: Operand, grid: Grid, full: Grid) -> Operand:
    """Return `block`, on the grid `full`, reduced over the axes that are not in `grid`, its first axes."""
    kept = tuple(axis for axis in block.axes if axis < len(grid))
    gone = tuple(k for k, axis in enumerate(block.axes) if axis >= len(grid))
    repeats = int(np.prod([full[axis] for axis in range(len(grid), len(full)) if axis not in block.axes]))
    step = block.step
    if gone:
        shape = builder.shape(step)
        whole = len(gone) == len(shape)
        options = {} if whole else {"axis": gone[0] if len(gone) == 1 else gone}
        rest = tuple(length for k, length in enumerate(shape) if k not in gone)
        step = builder.call(_REDUCE[operation], (step,), rest, template=((Slot(0),), options))
    if repeats > 1 and operation in (total, product):
        ufunc = np.multiply if operation is total else np.power
        step = builder.binary(ufunc, step, builder.constant(repeats))
    return Operand(step, kept, block.rank)


def _product(placement: Placement, group: StepClass, steps: np.ndarray, grid: Grid, full: Grid) -> int | None:
    """Return a sum of products as a matrix product, None if it is none: X @ w for X[i, j] * w[j] summed over j."""
    first = placement.steps[steps[0]]
    if group.operation is total and first.operation is np.multiply and len(first.shape) == 1 and grid:
        return _matrix_product(placement, group, steps, grid, full)
    if (
        group.operation is not total
        or first.operation is not np.multiply
        or first.shape
        or not grid
        or len(full) != len(grid) + 1
    ):
        return None
    pair = placement.classes.operands(steps).T
    if any(placement.constants(column) is not None for column in pair):
        return None
    sources = [placement.resolve(column) for column in pair]
    axes = [tuple(sorted({axis for p in positions for axis in varying(p, full)})) for _, positions in sources]
    last = len(grid)
    if not all(last in used for used in axes):
        return None
    if len(axes[0]) < len(axes[1]):
        sources, axes = sources[::-1], axes[::-1]
    left, right = axes
    if set(left) & set(right) != {last} or set(left) | set(right) != set(range(last + 1)) or len(right) > 2:
        return None
    if len(right) == 2 and len(left) != 2:
        return None
    builder = placement.builder
    if len(right) == 2 and left[0] > right[0]:
        sources, (left, right) = sources[::-1], (right, left)
    before = builder.gathers
    a, b = (builder.fetch(base, positions, full).step for base, positions in sources)
    if builder.gathers > before:
        return None
    dtype = group.step.dtype
    if len(right) == 1:
        return builder.call(np.matmul, (a, b), grid, dtype)
    return builder.call(np.matmul, (a, builder.transpose(b, (1, 0))), grid, dtype)


def _matrix_product(placement: Placement, group: StepClass, steps: np.ndarray, grid: Grid, full: Grid) -> int | None:
    """Return a sum of rows times numbers as a matrix product, None if it is none: X @ W for X[i, j] * W[j] over j."""
    pair = placement.classes.operands(steps).T
    if len(full) != len(grid) + 1 or any(placement.constants(column) is not None for column in pair):
        return None
    ranks = [len(placement.steps[column[0]].shape) for column in pair]
    if sorted(ranks) != [0, 1]:
        return None
    last, builder = len(grid), placement.builder
    sources = [placement.resolve(column) for column in (pair if ranks == [0, 1] else pair[::-1])]
    axes = [tuple(sorted({axis for p in positions for axis in varying(p, full)})) for _, positions in sources]
    if axes != [tuple(range(last + 1)), (last,)]:
        return None
    before = builder.gathers
    numbers, rows = (builder.fetch(base, positions, full) for base, positions in sources)
    shapes = [builder.shape(operand.step) for operand in (numbers, rows)]
    if builder.gathers > before or shapes != [full, (full[-1], *group.step.shape)]:
        return None
    return builder.call(np.matmul, (numbers.step, rows.step), (*grid, *group.step.shape), group.step.dtype)


def _segments(placement: Placement, group: StepClass, steps: np.ndarray, owners: np.ndarray, grid: Grid) -> list[int]:
    """Return the sums of differently many operands a member, added up by a list of the member that each belongs to."""
    builder, shape = placement.builder, group.step.shape
    values = placement.constants(steps)
    if values is not None:
        return [_number(placement, np.bincount(owners, values, group.count), grid, len(shape))]
    base, positions = placement.resolve(steps)
    count = len(steps)
    block = builder.fetch(base, positions, (count,))
    rest = builder.shape(block.step)[len(block.axes) :]
    terms = builder.broadcast(block.step, (count, *rest))
    zeros = builder.constant(np.zeros((group.count, *rest)))
    index = builder.constant(owners.astype(np.int64))
    template: Template = ((Slot(0), Slot(1), Slot(2)), {})
    made = builder.call(put_add, (zeros, index, terms), (group.count, *rest), np.dtype(float), template)
    return [builder.aligned(Operand(made, (0,), len(rest)), grid, len(shape))]
