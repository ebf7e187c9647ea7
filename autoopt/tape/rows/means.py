"""Whether a value is a mean over the rows of the data where a sum is expected, as its tape shows it.

    np.mean(nll(p, X, y)) + 0.1 * (p @ p)        a mean over the n rows, and what reads none
    np.sum(nll(p, X, y)) / len(y)                the same
    np.mean(nll(p, X, y)) * len(y)               a sum
    np.mean(np.log(np.mean(f(p, Z, y), axis=0))) Z (draws, n): the outer mean is one over rows, the inner one is not

From the value back through what is straight; on the way, factors of the data that are a number of rows, or one over it,
are counted. Of means over other axes than those along which other rows are read nothing is said.
"""

from __future__ import annotations

from functools import cached_property
from math import prod
from operator import getitem
from typing import Any

import numpy as np

from autoopt.errors import Location
from autoopt.tape import operations
from autoopt.tape.batching.batching import vectorise
from autoopt.tape.rows.dependence import Reading, is_hashable
from autoopt.tape.rows.terms import rows_of
from autoopt.tape.sparsity.rules import Given, Operand, Several
from autoopt.tape.tape import PARAMETER, Tape, call


def mean_over_rows(tape: Tape, rows: int | None = None) -> tuple[int, Location | None] | None:
    """Return over how many entries the value of a tape is a mean that read different rows, and the line; else None.

    Parameters
    ----------
    tape : Tape
    rows : int, optional
        How many rows the data have; by default that of `rows_of`.
    """
    if len(tape.steps) > LONG and not _may_divide(tape):
        return None
    vectorised = vectorise(tape)
    rows = rows_of(vectorised) if rows is None else rows
    try:
        return None if rows is None or rows < 2 else _Means(vectorised, rows).found()
    except _UNKNOWN:
        return None


_UNKNOWN = (ValueError, TypeError, IndexError, KeyError, AttributeError, RecursionError)
"""What is raised of arguments that a step is not expected to have."""

LONG = 300
"""Steps of a tape that is vectorised for this only if it has a mean, or a factor that is a number of entries."""


def _may_divide(tape: Tape) -> bool:
    """Whether a tape has a mean, or a factor that is computed from the data, the length of one of them, or over it."""
    shapes = [tape.steps[index].shape for index in tape.leaves() if index]
    lengths = {float(length) for shape in shapes for length in (*shape, prod(shape))}
    for step in tape.steps:
        if step.level < PARAMETER or not is_hashable(step.operation):
            continue
        if step.operation in _MEANS:
            return True
        for source in step.inputs if step.operation in _PRODUCTS else ():
            factor = tape.steps[source]
            if factor.level == PARAMETER or factor.shape != ():
                continue
            if factor.operation in _SUMS or factor.operation is np.divide:
                return True
            value = tape.values.get(source)
            if isinstance(value, int | float) and value and {float(value), round(1 / value, 6)} & lengths:
                return True
    return False


_MEANS = (np.mean, np.nanmean, np.average)
_PRODUCTS = (np.multiply, np.divide, operations.product)
_SUMS = (np.sum, np.nansum, np.add.reduce)
_CONTRACTIONS = (np.matmul, np.dot, np.inner, np.vdot, np.einsum)
_STRAIGHT = (np.add, np.subtract, np.negative, np.positive, operations.total, operations.astype, operations.pack,
             getitem, np.reshape, np.ravel, np.squeeze)  # fmt: skip


class _Means:
    """The way back over one tape; which rows its steps read is found out where there seems to be a mean."""

    def __init__(self, tape: Tape, rows: int) -> None:
        self.tape, self.rows = tape, rows
        self._values: dict[int, Any] = {}

    @cached_property
    def reading(self) -> Reading:
        return Reading(self.tape, self.rows)

    def _value(self, index: int) -> Any:
        """Return the value of a step of the data."""
        if index not in self._values:
            step = self.tape.steps[index]
            inputs = [self._value(source) for source in step.inputs]
            self._values[index] = call(step, inputs) if step.operation else self.tape.values[index]
        return self._values[index]

    def found(self) -> tuple[int, Location | None] | None:
        pending: list[tuple[int, tuple[float, ...], Location | None]] = [(self.tape.output, (), None)]
        seen: set[tuple] = set()
        while pending:
            index, divisors, line = pending.pop()
            step = self.tape.steps[index]
            if (index, divisors) in seen:
                continue
            seen.add((index, divisors))
            if step.level < PARAMETER or not is_hashable(step.operation):
                continue
            if step.operation in (*_MEANS, *_SUMS, *_CONTRACTIONS):
                count = self._ended(index, divisors)
                if count is not None:
                    return count, step.location if step.operation in _MEANS else line
                pending += [(source, divisors, line) for source in step.inputs if self._is_single(index)]
            elif step.operation in _PRODUCTS:
                pending += self._multiplied(index, divisors, line)
            elif step.operation in _STRAIGHT:
                pending += [(source, divisors, line) for source in step.inputs]
        return None

    def _multiplied(self, index: int, divisors: tuple[float, ...], line: Location | None) -> list:
        """Return what a product with numbers of the data leads to, with what it is divided by."""
        step = self.tape.steps[index]
        if step.operation not in _PRODUCTS:
            return []
        moving = [source for source in step.inputs if self.tape.steps[source].level == PARAMETER]
        if len(moving) != 1 or (step.operation is np.divide and step.inputs[0] != moving[0]):
            return []
        for source in step.inputs:
            if source != moving[0] and self.tape.steps[source].shape == ():
                factor = float(self._value(source))
                divisors = (*divisors, factor if step.operation is np.divide else 1 / factor if factor else np.inf)
        return [(moving[0], divisors, line or step.location)]

    def _ended(self, index: int, divisors: tuple[float, ...]) -> int | None:
        """Return how many entries that read different rows a step is a mean of, with what it is divided by."""
        step = self.tape.steps[index]
        for source in step.inputs:
            inside = self._multiplied(source, (), None) if is_hashable(self.tape.steps[source].operation) else []
            divisors = (*divisors, *(one for _, found, _ in inside for one in found))
        source = next(one for one in step.inputs if self.tape.steps[one].level == PARAMETER)
        shape, axes = self.tape.steps[source].shape, self._axes(index, source)
        data = [*self._weights(index), *self._weights(source)]
        totals = {float(np.prod([shape[k] for k in axes])), float(self.rows), *(float(np.sum(one)) for one in data)}
        power = int(step.operation in _MEANS)
        power += sum(any(np.isclose(one, total, rtol=1e-9) for total in totals) for one in divisors)
        power -= sum(any(np.isclose(one * total, 1.0, rtol=1e-9) for total in totals) for one in divisors)
        numbers = self.reading.numbers[source] if power > 0 else None
        if numbers is None or isinstance(numbers, Several):
            return None
        differ = [k for k in axes if numbers.shape[k] > 1 and (numbers != np.take(numbers, [0], k)).any()]
        return int(np.prod([shape[k] for k in differ])) if differ else None

    def _axes(self, index: int, source: int) -> tuple[int, ...]:
        """Return over which axes of one of its inputs a step is a sum."""
        step, given = self.tape.steps[index], Given(self.tape.steps[index])
        axes = len(self.tape.steps[source].shape)
        if step.operation in _CONTRACTIONS:
            return tuple(range(axes)) if step.shape in ((), (1,), (1, 1)) else ()
        axis = given.argument(1, "axis", 0 if step.operation is np.add.reduce else None)
        return tuple(range(axes)) if axis is None else tuple(int(k) % axes for k in np.atleast_1d(axis))

    def _weights(self, index: int) -> list[Any]:
        """Return the arrays of the data that are factors of a step."""
        step = self.tape.steps[index]
        if not is_hashable(step.operation) or step.operation not in (*_PRODUCTS, *_CONTRACTIONS):
            return []
        data = (one for one in step.inputs if self.tape.steps[one].level < PARAMETER and self.tape.steps[one].shape)
        return [self._value(one) for one in data]

    def _is_single(self, index: int) -> bool:
        """Whether entries of a sum may be sums themselves: those of one axis, of the others a mean may be taken."""
        step = self.tape.steps[index]
        return step.operation in (*_SUMS, *_MEANS) and isinstance(Given(step).args[0], Operand)
