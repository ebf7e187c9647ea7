"""The tape of an objective's terms by row, of the tape of its value."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from operator import getitem

import numpy as np

from autoopt.tape import operations
from autoopt.tape.batching.batching import vectorise
from autoopt.tape.rows import straight  # noqa: F401  (fills the table of rules)
from autoopt.tape.rows.dependence import Reading
from autoopt.tape.rows.splitting import NotByRow, Splitting, Terms
from autoopt.tape.sparsity.pool import Crowded
from autoopt.tape.tape import CONSTANT, Step, Tape

__all__ = ["NotByRow", "by_row", "rows_of", "rows_read", "terms_of", "weighted"]


def rows_of(tape: Tape) -> int | None:
    """Return how many rows the data of a tape have: the length that most of them begin with, the largest of several."""
    shapes = [tape.steps[index].shape for index in tape.leaves() if index]
    lengths = Counter(shape[0] for shape in shapes if shape and shape[0] > 1)
    return max(lengths, key=lambda length: (lengths[length], length), default=None)


def by_row(tape: Tape, rows: int | None = None) -> Tape:
    """Return the tape whose value is an array of terms, shape (n,), that sum to the value of `tape`; see `terms_of`."""
    return terms_of(tape, rows).tape


def terms_of(tape: Tape, rows: int | None = None) -> Terms:
    """Return the terms by row that sum to the value of a tape.

    Parameters
    ----------
    tape : Tape
        Of a number.
    rows : int, optional
        n; by default that of `rows_of`.

    Raises
    ------
    NotByRow
        If the value is not recognised as a sum over rows.
    """
    vectorised = vectorise(tape)
    rows = rows_of(vectorised) if rows is None else rows
    if rows is None:
        raise NotByRow("the objective reads no data that have rows")
    return Splitting(vectorised, rows).result()


def weighted(tape: Tape, weights: np.ndarray, is_summed: bool) -> Tape:
    """Return the tape of the terms of `tape`, shape (n,), times weights (n,), or of the sum of these."""
    steps, values = list(tape.steps), dict(tape.values)
    steps.append(Step(None, (), None, weights.shape, weights.dtype, CONSTANT, None))
    values[len(steps) - 1] = weights
    inputs, level = (tape.output, len(steps) - 1), steps[tape.output].level
    operation, shape = (np.dot, ()) if is_summed else (np.multiply, weights.shape)
    steps.append(Step(operation, inputs, None, shape, np.dtype(float), level, None))
    return replace(tape, steps=steps, values=values, output=len(steps) - 1)


def rows_read(tape: Tape, rows: int) -> int:
    """Return how many of the rows of its data the value of a tape reads: not those that a mask leaves out.

    All, where there is no mask, or where statistics are read, which are those of all rows.
    """
    vectorised = vectorise(tape)
    steps = vectorised.steps
    positions = [steps[source] for step in steps if step.operation is getitem for source in step.inputs[1:]]
    if not any(one.dtype.kind == "b" or one.operation is operations.component for one in positions if one.shape):
        return rows
    try:
        reading = Reading(vectorised, rows)
        number = int(reading.joined(vectorised.output))
    except Crowded:
        return rows
    first = reading.pool.first[number]
    members = reading.pool.members[first : first + reading.pool.length[number]]
    return rows if not members.size or members.max() >= rows else int(members.size)
