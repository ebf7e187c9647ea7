"""The value of a tape as terms of the rows of its data, which sum to it exactly.

    np.sum(np.logaddexp(0, X @ b)) - y @ (X @ b) + n * np.log(s) + np.sum(b ** 2)

    1  logaddexp(0, X @ b)          rows, in their order
    2  sum(1)                       terms 1
    3  y @ (X @ b)                  terms y * (X @ b)
    4  n * log(s)                   reads no row: shared
    5  sum(b ** 2)                  likewise
    6  2 - 3 + 4 + 5                terms 1 - y * (X @ b), shared 4 + 5

    result                          1 - y * (X @ b) + (4 + 5) / n           shape (n,)

From the value back, through sums, differences, products with what reads no row, and contractions in which only one
factor does, each step becomes a part: terms of shape (n, ...) and what is shared, which together are its value. A sum
over an axis that is in the order of the rows ends the way, and so does a number that reads one row alone. Elsewhere,
where a sum over the rows goes through something curved, there are no terms, and `NotByRow` says where.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from autoopt.errors import Location
from autoopt.tape import operations
from autoopt.tape.rows.dependence import Reading, is_hashable
from autoopt.tape.simplify import live
from autoopt.tape.sparsity.rules import Given
from autoopt.tape.tape import CONSTANT, PARAMETER, Slot, Step, Tape, Template


class NotByRow(Exception):
    """The value is no sum over rows, or is not known to be one; `location` is the user's line, if it is known."""

    def __init__(self, why: str, location: Location | None = None) -> None:
        super().__init__(why)
        self.why, self.location = why, location


class Part(NamedTuple):
    """What a step of shape s is made of: its value is the sum of `terms` over the first axis, and `shared`.

    Attributes
    ----------
    terms : int or None
        A step of shape (n, *s).
    shared : int or None
        A step that can be broadcast to s.
    """

    terms: int | None
    shared: int | None


class Terms(NamedTuple):
    """What a value is made of.

    Attributes
    ----------
    tape : Tape
        Whose value is the terms, shape (n,).
    is_shared : bool
        Whether something that depends on the parameters is read by no row, and is shared evenly.
    location : Location or None
        The user's line of that, if it is known.
    """

    tape: Tape
    is_shared: bool
    location: Location | None


class Splitting:
    """The way back over one tape, and the steps that are added to it."""

    def __init__(self, tape: Tape, rows: int) -> None:
        self.tape, self.rows = tape, rows
        self.steps, self.values = list(tape.steps), dict(tape.values)
        self.reading = Reading(tape, rows)
        self.parts: dict[int, Part] = {}

    def result(self) -> Terms:
        """Return the tape of the terms, and what of it no row has."""
        output = self.tape.output
        if self.reading.is_free(output):
            raise NotByRow(f"the objective reads no data that have {self.rows} rows")
        if self.steps[output].shape not in ((), (1,)):
            raise NotByRow("the objective returns an array")
        part = self.part(output)
        assert part.terms is not None
        terms, moving = self.reshaped(part.terms, (self.rows,)), None
        if part.shared is not None:
            moving = part.shared if self.steps[part.shared].level == PARAMETER else None
            share = self.call(np.divide, self.reshaped(part.shared, ()), self.constant(float(self.rows)), shape=())
            terms = self.call(np.add, terms, share, shape=(self.rows,))
        tape = live(replace(self.tape, steps=self.steps, values=self.values, output=terms))
        return Terms(tape, moving is not None, self._line(moving))

    def _line(self, index: int | None) -> Location | None:
        """Return the user's line of a step, or of the last one that it is made of that has one."""
        waiting = [] if index is None else [index]
        while waiting:
            step = self.steps[waiting.pop(0)]
            if step.site is not None:
                return step.location
            waiting += [source for source in step.inputs if self.steps[source].level == PARAMETER]
        return None

    # The way back -----------------------------------------------------------------------------------------------------

    def part(self, index: int) -> Part:
        """Return what an old step is made of."""
        if index not in self.parts:
            self.parts[index] = self._made(index)
        return self.parts[index]

    def _made(self, index: int) -> Part:
        step = self.steps[index]
        if self.reading.is_free(index):
            return Part(None, index)
        rule = RULES.get(step.operation) if is_hashable(step.operation) else None
        row = None if step.shape else self.reading.single(index)
        try:
            found = rule(self, index, Given(step)) if rule is not None else None
        except NotByRow:
            if row is None:
                raise
            found = None
        if found is None and row is not None:  # only then: what no row has is shared, also beside a single one
            return Part(self.placed(index, np.reshape(row, 1)), None)
        if found is None:
            raise self.refusal(step)
        return found

    def refusal(self, step: Step) -> NotByRow:
        """Return the error of a step that is not straight in what reads rows."""
        if step.operation is None:
            return NotByRow("rows are read that are not summed apart from one another")
        name = getattr(step.operation, "__name__", str(step.operation))
        return NotByRow(f"a sum over the rows, or what many of them decide, goes through {name}", step.location)

    def full(self, index: int) -> Part:
        """Return what an old step is made of, nothing of it being left to be broadcast."""
        shape = self.steps[index].shape

        def change(one: int, is_terms: bool) -> int:
            whole = (self.rows, *shape) if is_terms else shape
            if self.steps[one].shape == whole:
                return one
            one = self.spread(one, shape) if is_terms else one
            return self.call(np.broadcast_to, one, shape=whole, template=((Slot(0), whole), {}))

        return self.each(self.part(index), change)

    def each(self, part: Part, change: Callable[[int, bool], int]) -> Part:
        """Return a part of which `change(step, is_terms)` has changed both."""
        terms = None if part.terms is None else change(part.terms, True)
        return Part(terms, None if part.shared is None else change(part.shared, False))

    def joined(self, parts: list[tuple[Part, bool]], shape: tuple[int, ...]) -> Part:
        """Return the sum of parts, of results of one shape, those with True being subtracted."""
        results: list[int | None] = [None, None]
        for which in (0, 1):
            for part, minus in parts:
                step = part[which]
                if step is None:
                    continue
                if which == 0:
                    step = self.spread(step, shape)
                before = results[which]
                if before is None:
                    results[which] = self.call(np.negative, step, shape=self.steps[step].shape) if minus else step
                else:
                    both = np.broadcast_shapes(self.steps[before].shape, self.steps[step].shape)
                    results[which] = self.call(np.subtract if minus else np.add, before, step, shape=both)
        return Part(*results)

    # Steps ------------------------------------------------------------------------------------------------------------

    def call(self, operation: Callable, *inputs: int, shape: tuple[int, ...], template: Any = None) -> int:
        """Add a step and return its number."""
        levels = max(self.steps[source].level for source in inputs)
        self.steps.append(Step(operation, inputs, template, shape, np.dtype(float), levels, None))
        return len(self.steps) - 1

    def constant(self, value: Any) -> int:
        """Add a constant and return its number."""
        array = np.asarray(value)
        self.steps.append(Step(None, (), None, array.shape, array.dtype, CONSTANT, None))
        self.values[len(self.steps) - 1] = array if array.ndim else array[()]
        return len(self.steps) - 1

    def reshaped(self, index: int, shape: tuple[int, ...]) -> int:
        if self.steps[index].shape == shape:
            return index
        return self.call(np.reshape, index, shape=shape, template=((Slot(0), shape), {}))

    def spread(self, index: int, shape: tuple[int, ...]) -> int:
        """Return terms with as many axes as results of `shape` have, after the first."""
        own = self.steps[index].shape
        return self.reshaped(index, (own[0], *(1,) * (len(shape) - len(own) + 1), *own[1:]))

    def summed(self, index: int, axes: tuple[int, ...]) -> int:
        shape = tuple(length for k, length in enumerate(self.steps[index].shape) if k not in axes)
        if not axes:
            return index
        return self.call(np.sum, index, shape=shape, template=((Slot(0),), {"axis": axes}))

    def placed(self, index: int, row: np.ndarray) -> int:
        """Return terms that have entry k of a step, or the step itself, in row[k]; those of one row are added."""
        entries = self.reshaped(index, (len(row),))
        inputs = self.constant(np.zeros(self.rows)), self.constant(np.array(row)), entries
        template: Template = ((Slot(0), Slot(1), Slot(2)), {})
        return self.call(operations.put_add, *inputs, shape=(self.rows,), template=template)

    def first(self, index: int, axis: int) -> int:
        """Return a step with one of its axes first."""
        shape = self.steps[index].shape
        if axis == 0:
            return index
        order = (axis, *(k for k in range(len(shape)) if k != axis))
        return self.call(np.transpose, index, shape=tuple(shape[k] for k in order), template=((Slot(0), order), {}))


Rule = Callable[[Splitting, int, Given], Part | None]

RULES: dict[Any, Rule] = {}
"""What the parts of a step are made of, by its operation; a rule returns None where it is not made for a call."""


def splits(*operations: Callable) -> Callable[[Rule], Rule]:
    """Return a decorator that enters its function in RULES."""

    def enter(rule: Rule) -> Rule:
        RULES.update(dict.fromkeys(operations, rule))
        return rule

    return enter
