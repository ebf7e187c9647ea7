"""Functions that go along axes or entry by entry, on all members of a class at once: their axes counted from the end.

    for row in X: s += logsumexp(p * row)        ->        np.sum(logsumexp(p * X, axis=-1))

What makes this right is that a member's own axes come last, and that such a function treats what lies before the axes
that it is told as so many arrays of their own. So a row of a table says how a function names its axes.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from autoopt.tape.batching.builder import Operand
from autoopt.tape.batching.classes import StepClass
from autoopt.tape.batching.grids import Grid
from autoopt.tape.batching.placement import Placement
from autoopt.tape.tape import Slot, Step, Template


class Along(NamedTuple):
    """How a function names the axes that it goes along.

    Attributes
    ----------
    default : int or None
        The axis if it is not told; None for all.
    is_flat : bool
        Whether without an axis the array is taken as flat, so that only one of one axis has an axis to be told.
    others : tuple of str
        The arguments besides the first that may be traced arrays.
    broadcasts : bool
        Whether the arrays are broadcast against each other; otherwise they must have one shape.
    """

    default: int | None = None
    is_flat: bool = False
    others: tuple[str, ...] = ()
    broadcasts: bool = False


def along(row: Along) -> Callable[[Step], Callable | None]:
    """Return what tells whether a step can be batched by a row: its batcher, or None."""

    def find(step: Step) -> Callable | None:
        given = arguments(step)
        if given is None or _is_refused(step, row, given):
            return None
        return lambda placement, group: _along(placement, group, row, given)

    return find


def arguments(step: Step) -> dict[str, Any] | None:
    """Return the arguments of a step by name, those left out left out; None if the function does not tell its names."""
    assert step.operation is not None
    args, options = step.template or (tuple(Slot(k) for k in range(len(step.inputs))), {})
    try:
        return dict(inspect.signature(step.operation).bind(*args, **options).arguments)
    except (TypeError, ValueError):
        return None


def _is_refused(step: Step, row: Along, given: dict[str, Any]) -> bool:
    """Whether an argument is an array of a kind that the row does not know."""
    (_, array), *others = given.items()
    if not _is_array(array):
        return True
    for name, value in others:
        if name in row.others:
            if not (_is_array(value) or (row.broadcasts and np.ndim(value) <= 1 and not any(slots(value)))):
                return True
        elif any(slots(value)) or name == "args":
            return True
    axis = given.get("axis", row.default)
    return not (axis is None or type(axis) is int or (type(axis) is tuple and all(type(one) is int for one in axis)))


def _is_array(argument: Any) -> bool:
    """Whether an argument is a step, or a list of steps and numbers."""
    if type(argument) is Slot:
        return True
    listed = type(argument) in (list, tuple) and any(slots(argument))
    return listed and all(type(part) is Slot or type(part) in (int, float) for part in argument)


def slots(argument: Any) -> Iterator[Slot]:
    """Yield the places of steps in an argument."""
    if type(argument) is Slot:
        yield argument
    elif type(argument) in (list, tuple):
        for part in argument:
            yield from slots(part)


def _along(placement: Placement, group: StepClass, row: Along, given: dict[str, Any]) -> tuple[int, Grid]:
    """Add a class of calls along axes."""
    columns, grid = placement.arranged(group)
    builder, step = placement.builder, group.step
    operands = [placement.operand(column, grid) for column in columns]
    first = next(iter(given))
    arrays = {name: value for name, value in given.items() if any(slots(value))}
    if any(
        operands[slot.position].rank for value in arrays.values() if type(value) is not Slot for slot in slots(value)
    ):
        return each(placement, group)
    packed = {name: _packed(placement, value, operands, grid) for name, value in arrays.items()}
    ranks = [operand.rank for operand in packed.values()]
    ranks += [np.ndim(value) for name, value in given.items() if name in row.others and name not in arrays]
    axis, rank = given.get("axis", row.default), max(ranks)
    alike = min(ranks) == rank or row.broadcasts
    if not alike or not rank or packed[first].rank < min(rank, 1) or (row.is_flat and axis is None and rank > 1):
        return each(placement, group)
    inputs = [builder.aligned(operand, grid, rank) for operand in packed.values()]
    if not row.broadcasts:
        shapes = [builder.shape(one) for one in inputs]
        inputs = [
            builder.broadcast(one, (*grid, *shape[len(shape) - rank :]))
            for one, shape in zip(inputs, shapes, strict=True)
        ]
    slot = {name: Slot(k) for k, name in enumerate(packed)}
    options: dict[str, Any] = {name: slot.get(name, value) for name, value in given.items() if name != first}
    options["axis"] = from_end(axis, rank)
    lead = np.broadcast_shapes(*(builder.shape(one)[: max(0, len(builder.shape(one)) - rank)] for one in inputs))
    template: Template = ((Slot(0),), options)
    made = builder.call(step.operation, inputs, (*lead, *step.shape), step.dtype, template)
    return builder.broadcast(made, (*grid, *step.shape)), grid


def each(placement: Placement, group: StepClass) -> tuple[int, Grid]:
    """Add the members one by one and put their results together: what reads them still is one step."""
    steps = []
    for member in group.members:
        step = placement.steps[member]
        inputs = tuple(placement.single(source) for source in step.inputs)
        steps.append(placement.builder.append(step._replace(inputs=inputs)))
    return placement.builder.stack(steps), (group.count,)


def from_end(axis: Any, rank: int) -> int | tuple[int, ...]:
    """Return the axes of a member of `rank` axes (None: all of them) counted from the end."""
    listed = range(rank) if axis is None else axis if type(axis) is tuple else (axis,)
    found = tuple(one if one < 0 else one - rank for one in listed)
    return found[0] if len(found) == 1 else found


def _packed(placement: Placement, argument: Any, operands: list[Operand], grid: Grid) -> Operand:
    """Return an argument as one operand: a list of numbers becomes an array of them, along a new last axis."""
    if type(argument) is Slot:
        return operands[argument.position]
    builder = placement.builder
    parts = []
    for part in argument:
        value = operands[part.position] if type(part) is Slot else Operand(builder.constant(float(part)), (), 0)
        whole = builder.broadcast(builder.aligned(value, grid, 0), grid)
        parts.append(builder.reshape(whole, (*grid, 1)))
    template: Template = (([Slot(k) for k in range(len(parts))],), {"axis": len(grid)})
    dtype = np.result_type(*(builder.steps[part].dtype for part in parts))
    made = builder.call(np.concatenate, parts, (*grid, len(parts)), dtype, template)
    return Operand(made, tuple(range(len(grid))), 1)
