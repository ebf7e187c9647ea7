"""Functions of matrices and vectors, on all members of a class at once: stacks of them, or products.

NumPy's and SciPy's functions of matrices take stacks: axes before the last two count the matrices. One that many
systems have in common is not repeated, as its systems are the columns of one right-hand side.

    for row in X: ... solve(A, row) ...        ->        solve(A, X.T).T
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from string import ascii_letters
from typing import Any

import numpy as np

from autoopt.tape.batching.builder import Operand
from autoopt.tape.batching.classes import StepClass
from autoopt.tape.batching.functions import arguments, each, slots
from autoopt.tape.batching.grids import Grid
from autoopt.tape.batching.placement import Placement
from autoopt.tape.operations import component
from autoopt.tape.tape import Slot, Step, Template


def _whole(placement: Placement, operand: Operand, grid: Grid) -> int:
    """Return an operand with all axes of the grid before its members' own."""
    builder = placement.builder
    own = builder.shape(operand.step)[len(operand.axes) :]
    return builder.broadcast(builder.aligned(operand, grid, operand.rank), (*grid, *own))


def _operands(placement: Placement, group: StepClass) -> tuple[list[Operand], Grid]:
    columns, grid = placement.arranged(group)
    return [placement.operand(column, grid) for column in columns], grid


def stacks(step: Step) -> Callable | None:
    """Return the batcher of a function that takes stacks of the matrix that it is given first."""
    given = arguments(step)
    return _stacked if given and _is_first_alone(given) else None


def _is_first_alone(given: dict[str, Any]) -> bool:
    first, *others = given.values()
    return type(first) is Slot and not any(any(slots(value)) for value in others)


def _stacked(placement: Placement, group: StepClass) -> tuple[int, Grid]:
    (operand,), grid = _operands(placement, group)
    builder, step = placement.builder, group.step
    if operand.rank != 2:
        return each(placement, group)
    inputs = (_whole(placement, operand, grid),)
    shape = step.shape if step.dtype == object else (*grid, *step.shape)  # of several results, how many they are
    return builder.call(step.operation, inputs, shape, step.dtype, step.template), grid


def components(step: Step) -> Callable | None:
    """Return the batcher of one of several results."""
    return _component


def _component(placement: Placement, group: StepClass) -> tuple[int, Grid]:
    builder, step = placement.builder, group.step
    column = placement.classes.operands(group.members)[:, 0]
    number = int(placement.classes.of[column[0]])
    if number not in placement.arrays:
        return each(placement, group)
    whole, grid = placement.arrays[number]
    made = builder.call(component, (whole,), (*grid, *step.shape), step.dtype, step.template)
    places = placement.classes.place[column]
    if np.array_equal(places, np.arange(prod(grid))):
        return made, grid
    some = (group.count,)
    operand = builder.fetch(made, list(np.unravel_index(places, grid)), some)
    return _whole(placement, operand, some), some


def on_two_axes(*names: str) -> Callable[[Step], Callable | None]:
    """Return what finds the batcher of a function that names the two axes of its matrices by these options."""

    def find(step: Step) -> Callable | None:
        given = arguments(step)
        if not given or not _is_first_alone(given) or any(name in given for name in names):
            return None

        def add(placement: Placement, group: StepClass) -> tuple[int, Grid]:
            (operand,), grid = _operands(placement, group)
            if operand.rank != 2:
                return each(placement, group)
            options = {name: value for name, value in list(given.items())[1:]} | dict(zip(names, (-2, -1), strict=True))
            inputs = (_whole(placement, operand, grid),)
            shape = (*grid, *step.shape)
            return placement.builder.call(step.operation, inputs, shape, step.dtype, ((Slot(0),), options)), grid

        return add

    return find


def diag(step: Step) -> Callable | None:
    """Return the batcher of the diagonal of a matrix, or the matrix of a diagonal."""
    return _diag if step.template == ((Slot(0),), {}) or step.template is None else None


def _diag(placement: Placement, group: StepClass) -> tuple[int, Grid]:
    (operand,), grid = _operands(placement, group)
    builder, step = placement.builder, group.step
    whole, shape = _whole(placement, operand, grid), (*grid, *step.shape)
    if operand.rank == 2:
        template: Template = ((Slot(0),), {"axis1": -2, "axis2": -1})
        return builder.call(np.diagonal, (whole,), shape, step.dtype, template), grid
    own = builder.constant(np.eye(step.shape[0], dtype=bool))
    rows = builder.reshape(whole, (*grid, 1, step.shape[0]))
    zero = builder.constant(np.zeros((), step.dtype)[()])
    return builder.call(np.where, (own, rows, zero), shape, step.dtype, None), grid


# Systems of equations -------------------------------------------------------------------------------------------------


def systems(step: Step) -> Callable | None:
    """Return the batcher of the solution of a system, whose matrix and right-hand side come first."""
    given = arguments(step)
    if not given:
        return None
    matrix, right, *others = given.values()
    if type(matrix) is tuple and len(matrix) == 2 and not any(slots(matrix[1])):
        matrix = matrix[0]  # a factor, and which triangle it is
    plain = matrix == Slot(0) and right == Slot(1) and not any(any(slots(value)) for value in others)
    return _systems if plain else None


def _systems(placement: Placement, group: StepClass) -> tuple[int, Grid]:
    (a, b), grid = _operands(placement, group)
    builder, step = placement.builder, group.step
    if a.rank != 2 or b.rank not in (1, 2):
        return each(placement, group)

    def solution(matrix: int, right: int) -> int:
        return builder.call(step.operation, (matrix, right), builder.shape(right), step.dtype, step.template)

    own = builder.shape(b.step)[len(b.axes) :]
    right = builder.reshape(_whole(placement, b, grid), (*grid, *own, *[1] * (2 - b.rank)))
    if a.axes:
        found = solution(_whole(placement, a, grid), right)
    else:
        count, (rows, columns) = prod(grid), builder.shape(right)[-2:]
        beside = builder.transpose(builder.reshape(right, (count, rows, columns)), (1, 0, 2))
        found = solution(a.step, builder.reshape(beside, (rows, count * columns)))
        found = builder.transpose(builder.reshape(found, (rows, count, columns)), (1, 0, 2))
    return builder.reshape(found, (*grid, *step.shape)), grid


# Products -------------------------------------------------------------------------------------------------------------


def _is_pair(step: Step) -> bool:
    return step.template is None or step.template == ((Slot(0), Slot(1)), {})


def outer(step: Step) -> Callable | None:
    """Return the batcher of the products of all pairs."""
    return _outer if _is_pair(step) else None


def _outer(placement: Placement, group: StepClass) -> tuple[int, Grid]:
    operands, grid = _operands(placement, group)
    builder, step = placement.builder, group.step
    m, n = step.shape
    a, b = (_whole(placement, operand, grid) for operand in operands)
    rows, columns = builder.reshape(a, (*grid, m, 1)), builder.reshape(b, (*grid, 1, n))
    return builder.call(np.multiply, (rows, columns), (*grid, m, n), step.dtype), grid


def cross(step: Step) -> Callable | None:
    """Return the batcher of products of vectors along the last axis."""
    return _cross if _is_pair(step) and step.shape else None


def _cross(placement: Placement, group: StepClass) -> tuple[int, Grid]:
    operands, grid = _operands(placement, group)
    builder, step = placement.builder, group.step
    inputs = [_whole(placement, operand, grid) for operand in operands]
    return builder.call(step.operation, inputs, (*grid, *step.shape), step.dtype, step.template), grid


def einsum(step: Step) -> Callable | None:
    """Return the batcher of Einstein's sums with their letters written out."""
    (text, *operands), _ = step.template
    plain = type(text) is str and "." not in text and all(type(operand) is Slot for operand in operands)
    return _einsum if plain and [slot.position for slot in operands] == list(range(len(step.inputs))) else None


def _einsum(placement: Placement, group: StepClass) -> tuple[int, Grid]:
    operands, grid = _operands(placement, group)
    builder, step = placement.builder, group.step
    (text, *places), options = step.template
    text = text.replace(" ", "")
    left, arrow, result = text.partition("->")
    if not arrow:
        result = "".join(sorted(letter for letter in set(left) - {","} if left.count(letter) == 1))
    free = [letter for letter in ascii_letters if letter not in text]
    parts = [
        "".join(free[axis] for axis in operand.axes) + part
        for operand, part in zip(operands, left.split(","), strict=True)
    ]
    used = sorted({axis for operand in operands for axis in operand.axes})
    spelt = ",".join(parts) + "->" + "".join(free[axis] for axis in used) + result
    template: Template = ((spelt, *places), options)
    shape = (*(grid[axis] for axis in used), *step.shape)
    made = builder.call(step.operation, [operand.step for operand in operands], shape, step.dtype, template)
    return _whole(placement, Operand(made, tuple(used), len(step.shape)), grid), grid
