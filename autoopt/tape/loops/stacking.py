"""Steps of the old tape as one array of the new: numbers, entries of one array that make a slice, or a pack."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from autoopt.tape.loops.runs import same
from autoopt.tape.operations import pack
from autoopt.tape.rewriter import TapeRewriter
from autoopt.tape.tape import CONSTANT, Slot, Step, Template, fitting


def stacked(rewriter: TapeRewriter, old: np.ndarray) -> int:
    """Return a new step whose entries along axis 0 are the old steps `old`."""
    steps = [rewriter.old.steps[i] for i in old]
    first = steps[0]
    if all(step.operation is None and step.level == CONSTANT for step in steps):
        return rewriter.constant(fitting([rewriter.old.values[i] for i in old]))
    if all(step.operation is operator.getitem and step.inputs == first.inputs for step in steps):
        read = _read(rewriter, [step.template[0][1] for step in steps], first)
        if read is not None:
            return read
    inputs = tuple(rewriter.at(int(i)) for i in old)
    shape = (len(old), *first.shape)
    template: Template = ((shape, *(Slot(k) for k in range(len(old)))), {})
    level = max(rewriter.steps[i].level for i in inputs)
    return rewriter.append(Step(pack, inputs, template, shape, first.dtype, level, first.site))


def _read(rewriter: TapeRewriter, places: list, step: Step) -> int | None:
    """Return a step that reads `places` of what `step` reads, at once; None if they are no simple sequence.

    `y[0], y[1], y[2]` are `y[0:3]`; `Y[3, 0], Y[2, 0], Y[1, 0]` are `Y[3:0:-1, 0]`; 4, 1, 9 are an array of positions.
    """
    base = rewriter.at(step.inputs[0])
    parts = [place if type(place) is tuple else (place,) for place in places]
    if len(step.inputs) > 1 or len({len(part) for part in parts}) > 1:
        return None
    axis = _varying_axis(parts)
    if axis is None:
        return None
    numbers = np.array([part[axis] for part in parts])
    if numbers.min() < 0:
        return None
    if len(numbers) == rewriter.steps[base].shape[axis] and (numbers == np.arange(len(numbers))).all() and not axis:
        return base if len(parts[0]) == 1 else None
    inputs: tuple[int, ...] = (base,)
    entry: Any = _as_slice(numbers)
    if entry is None:
        inputs, entry = (base, rewriter.constant(numbers)), Slot(1)
    index = (*parts[0][:axis], entry, *parts[0][axis + 1 :])
    count = (len(places),)
    shape = (*step.shape[:axis], *count, *step.shape[axis:])
    template: Template = ((Slot(0), index if len(index) > 1 else entry), {})
    level = rewriter.steps[base].level
    result = rewriter.append(Step(operator.getitem, inputs, template, shape, step.dtype, level, step.site))
    if axis:
        shape, template = (*count, *step.shape), ((Slot(0), axis, 0), {})
        result = rewriter.append(Step(np.moveaxis, (result,), template, shape, step.dtype, level, step.site))
    return result


def _varying_axis(parts: list[tuple]) -> int | None:
    """Return the one axis along which indices of integers and whole slices differ; None if there is no such."""
    varying = [k for k in range(len(parts[0])) if any(not same(part[k], parts[0][k]) for part in parts)]
    whole = slice(None)
    if len(varying) != 1 or any(not (isinstance(p, int | np.integer) or same(p, whole)) for p in parts[0]):
        return None
    axis = varying[0]
    return None if any(isinstance(part, int | np.integer) for part in parts[0][:axis]) else axis


def _as_slice(numbers: np.ndarray) -> slice | None:
    """Return positions as a slice; None if their distances differ."""
    differences = np.diff(numbers)
    if (differences != differences[0]).any() or differences[0] == 0:
        return None
    stop = int(numbers[-1] + differences[0])
    along = int(differences[0])
    return slice(int(numbers[0]), stop if stop >= 0 else None, None if along == 1 else along)
