"""Long loops over large arrays: which of them keep only some of their carries, and compute the rest again.

The pullback of a loop needs what every iteration started from. Where that would take more than `LIMIT` bytes, and
nobody else reads it, the loop is divided into segments of about the square root of its iterations: the carries are kept
at the beginning of each segment, and the pullback runs one segment at a time a second time.

     9  Recurrence, 10000 times, carry of shape (1000, 100)        9  the same with segment=100
    10  component 0 of 9, shape (10001, 1000, 100)                10  read by nobody any more
    11  10[10000]                                                 11  component 0 of 9, shape (1000, 100)

As a trajectory has no entries but the last one then, all who read it must read only that (`_ends_only`); they come to
read the result itself. What is collected (outputs) is an array of all iterations as before. Nothing else changes.
"""

from __future__ import annotations

import operator
from collections.abc import Collection
from dataclasses import replace
from math import isqrt, prod

from autoopt.tape.operations import component
from autoopt.tape.recurrence import Recurrence
from autoopt.tape.tape import PARAMETER, Slot, Tape, Template

LIMIT = 2**28
"""Bytes that the arrays of all iterations of a loop may take."""


def checkpointed(tape: Tape) -> Tape:
    """Return `tape` with the loops that need too much memory in segments; `tape` itself if there are none."""
    large = {
        index: step.operation
        for index, step in enumerate(tape.steps)
        if isinstance(step.operation, Recurrence) and _bytes(step.operation) > LIMIT
    }
    readers = _readers(tape, large)
    segmented = {index: loop for index, loop in large.items() if _ends_only(tape, index, loop, readers)}
    if not segmented:
        return tape
    steps = list(tape.steps)
    for index, loop in segmented.items():
        steps[index] = steps[index]._replace(operation=replace(loop, segment=isqrt(loop.count or 0)))
        for part in readers[index]:
            if steps[part].template[0][1] < loop.carries:
                for reader in readers[part]:
                    template: Template = ((Slot(0), steps[part].template[0][1]), {})
                    steps[reader] = steps[reader]._replace(operation=component, inputs=(index,), template=template)
    return replace(tape, steps=steps)


def _bytes(recurrence: Recurrence) -> int:
    """Return the memory of everything that the iterations compute, all kept; 0 if their number is not known ahead."""
    sizes = [prod(step.shape) for step in recurrence.body if step.level == PARAMETER]
    return 8 * (recurrence.count or 0) * sum(sizes)


def _readers(tape: Tape, wanted: Collection[int]) -> dict[int, list[int]]:
    """Return the steps that read each wanted step, and those that read these."""
    readers: dict[int, list[int]] = {index: [] for index in wanted}
    for index, step in enumerate(tape.steps):
        for source in set(step.inputs):
            if source in readers:
                readers[source].append(index)
                if source in wanted:
                    readers[index] = []
    return readers


def _ends_only(tape: Tape, index: int, loop: Recurrence, readers: dict[int, list[int]]) -> bool:
    """Whether of the trajectories of a loop nothing but the last entry is read."""
    asked = {tape.output, *(guard.step for guard in tape.guards)}
    for part in readers[index]:
        if tape.steps[part].template[0][1] >= loop.carries:
            continue
        if part in asked:
            return False
        for reader in readers[part]:
            step = tape.steps[reader]
            if step.operation is not operator.getitem or step.template[0][1] not in (loop.count, -1):
                return False
    return True
