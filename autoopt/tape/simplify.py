"""Tape passes that only drop steps, make one of several equal ones, or constants of what depends on nothing."""

from __future__ import annotations

import operator
from dataclasses import replace
from typing import Any

import numpy as np

from autoopt.tape.digest import template_text
from autoopt.tape.operations import component
from autoopt.tape.tape import CONSTANT, PARAMETER, Leaf, Step, Tape

LARGE = 2**16
"""Constant arrays of more entries are not compared."""


def needed_steps(tape: Tape) -> bytearray:
    """Return for each step whether the tape's value or a guard needs it."""
    needed = bytearray(len(tape.steps))
    for root in (tape.output, *(guard.step for guard in tape.guards)):
        needed[root] = 1
    for index in range(len(tape.steps) - 1, -1, -1):
        if needed[index]:
            for source in tape.steps[index][1]:
                needed[source] = 1
    return needed


def live(tape: Tape) -> Tape:
    """Return the tape without the steps that neither its value nor a guard needs; inputs stay."""
    needed = needed_steps(tape)
    for index in tape.leaves():
        needed[index] = 1
    if all(needed):
        return tape
    number: dict[int, int] = {}
    steps: list[Step] = []
    first = needed.index(0)  # before it the numbers stay
    for index, step in enumerate(tape.steps):
        if needed[index]:
            number[index] = len(steps)
            if max(step.inputs, default=-1) >= first:
                step = step._replace(inputs=tuple([number[source] for source in step.inputs]))
            steps.append(step)
    return replace(
        tape,
        steps=steps,
        values={number[index]: value for index, value in tape.values.items() if index in number},
        guards=[guard._replace(step=number[guard.step]) for guard in tape.guards],
        output=number[tape.output],
        names={number[index]: name for index, name in tape.names.items() if index in number},
    )


SHAPED_BY_VALUE = frozenset(
    getattr(np, name)
    for name in (
        "unique", "unique_all", "unique_counts", "unique_inverse", "unique_values", "nonzero", "flatnonzero",
        "argwhere", "compress", "extract", "bincount", "repeat", "trim_zeros", "intersect1d", "setdiff1d", "union1d",
        "setxor1d", "delete", "histogram", "digitize", "where",
    )
    if hasattr(np, name)
)  # fmt: skip
"""The functions of NumPy whose results have other shapes for other values."""


def without_empty(tape: Tape) -> Tape:
    """Return the tape with constants in place of arrays of no entries, as `x[k, 3:]` of a row of three.

    They depend on nothing, and have no positions that the passes could compare. Where values decide that there are
    no entries, the step stays.
    """
    empty = [index for index, step in enumerate(tape.steps) if 0 in step[3] and step[0] is not None]
    guarded = {guard.step for guard in tape.guards} if empty else set()
    steps, values = (list(tape.steps), dict(tape.values)) if empty else (tape.steps, tape.values)
    for index in empty:
        step = steps[index]
        if step.operation in SHAPED_BY_VALUE or step.operation is component or index in guarded:
            continue
        steps[index] = Step(None, (), None, step.shape, step.dtype, CONSTANT, step.site)
        values[index] = np.empty(step.shape, step.dtype)
    return replace(tape, steps=steps, values=values) if empty else tape


def shared(tape: Tape) -> Tape:
    """Return the tape with what a loop computes again in each iteration, from the data alone, computed once, ahead.

    `F.T` within a loop is such a step, and so are `np.zeros(3)` and `np.array([1.0, 2.0])`. Each becomes the same
    operand in every iteration, instead of one for each.
    """
    first: dict[tuple, int] = {}
    same: dict[int, int] = {}
    ahead: set[int] = set()
    for index, step in enumerate(tape.steps):
        if step.level == PARAMETER or step.operation is operator.getitem or isinstance(step.template, Leaf):
            continue
        if step.operation is None:
            value = tape.values[index]  # scalars are shared from the beginning
            if not isinstance(value, np.ndarray) or value.size > LARGE:
                continue
            key: tuple[Any, ...] = (value.dtype.str, value.shape, value.tobytes())
        else:
            inputs = tuple([same.get(source, source) for source in step.inputs])
            key = (step.operation, inputs, step.template if step.template is None else template_text(step.template))
        same[index] = first.setdefault(key, index)
        if same[index] != index:
            ahead.add(same[index])
    if not ahead:
        return tape
    for index in range(len(tape.steps) - 1, -1, -1):
        if index in ahead:
            ahead.update(same.get(source, source) for source in tape.steps[index].inputs)
    order = [*sorted(ahead), *(index for index in range(len(tape.steps)) if index not in ahead)]
    return _ordered(tape, order, same)


def _ordered(tape: Tape, order: list[int], same: dict[int, int]) -> Tape:
    """Return the steps in another order, each operand that has a twin in `same` replaced by it."""
    leaves = sorted(index for index in order if tape.steps[index].operation is None)
    order = [*leaves, *(index for index in order if tape.steps[index].operation is not None)]
    number = {index: k for k, index in enumerate(order)}
    at = [number[same.get(index, index)] for index in range(len(tape.steps))]
    steps = [tape.steps[index] for index in order]
    return replace(
        tape,
        steps=[step._replace(inputs=tuple([at[source] for source in step.inputs])) for step in steps],
        values={number[index]: value for index, value in tape.values.items()},
        guards=[guard._replace(step=at[guard.step]) for guard in tape.guards],
        output=at[tape.output],
        names={number[index]: name for index, name in tape.names.items()},
    )
