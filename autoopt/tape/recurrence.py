"""A loop as one operation of the tape."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from autoopt.tape.digest import template_text
from autoopt.tape.keyed import Keyed
from autoopt.tape.names import qualified
from autoopt.tape.tape import Step, call

SHORTEST = 8
"""A run of fewer iterations stays unrolled."""

LONG_BODY, FEW = 40, 4
"""The steps of a body that would take long to derive unrolled, and the iterations from which on it is a loop."""

MOST = 1_000_000
"""The number of iterations after which a loop that ends on a condition is given up."""


class Known(NamedTuple):
    """The template of a body's step that is a number or small array, the same in every iteration."""

    value: Any


class Until(NamedTuple):
    """What ends a loop whose number of iterations is known only when it runs.

    Attributes
    ----------
    step : int
        The body's step that decides, after each iteration.
    answer : bool
        What it is after the last one.
    checks : tuple of (int, bool)
        Steps of the body that have one answer in every iteration, and the answer.
    place : int or None
        The position of the loop among those of its tape; None if it is many of them at once.
    ties : tuple of int
        Steps of the body whose sum over all iterations, less `always` in each, is one more result.
    always : int
    """

    step: int
    answer: bool
    checks: tuple[tuple[int, bool], ...]
    place: int | None
    ties: tuple[int, ...] = ()
    always: int = 0


@dataclass(frozen=True, eq=False)
class Recurrence(Keyed):
    """A loop as one operation: from (initial carries, sequences, invariants) to (trajectories, outputs).

    Attributes
    ----------
    count : int or None
        The number of iterations; None if `until` ends them.
    carries, sequences : int
        How many of the operands are initial values, and arrays with one entry along axis 0 for each iteration; the rest
        are the same in every iteration.
    body : tuple of Step
        One iteration: first a leaf for each operand, in order, then the steps.
    updates : tuple of int
        For each carry the body's step that is its next value.
    outputs : tuple of int
        Steps whose values are collected.
    until : Until or None
    segment : int
        The number of iterations from one carry that is kept for the derivatives to the next; 0 if all are.

    A trajectory has `count + 1` entries, the initial value first; an output has `count`. With `until` the results are
    others: the number of iterations, for each check whether it holds in every iteration, the outputs of the last, and
    the number of ties if they are counted. With segments the last entries of the trajectories take their place.
    """

    count: int | None
    carries: int
    sequences: int
    body: tuple[Step, ...]
    updates: tuple[int, ...]
    outputs: tuple[int, ...]
    until: Until | None = None
    segment: int = 0

    def __call__(self, *operands: Any) -> tuple:
        """Run the loop in NumPy."""
        return self._counted(operands) if self.until is None else self._repeated(operands, self.until)

    def _repeated(self, operands: Sequence[Any], until: Until) -> tuple:
        fixed = operands[self.carries :]
        carries = [np.asarray(operand, dtype=float) for operand in operands[: self.carries]]
        held: list[bool] = [True] * len(until.checks)
        ties = 0
        for count in range(1, MOST):
            values = self.iterate([*carries, *fixed])
            held = [good and bool(values[k]) == answer for good, (k, answer) in zip(held, until.checks, strict=True)]
            ties += sum(int(values[k]) for k in until.ties) - until.always
            if bool(values[until.step]) == until.answer:
                more = (ties,) if until.ties else ()
                return (count, *held, *(values[k] for k in self.outputs), *more)
            carries = [values[update] for update in self.updates]
        raise RuntimeError(f"The loop has not ended after {MOST} iterations.")

    def _counted(self, operands: Sequence[Any]) -> tuple:
        carries = [np.asarray(operand, dtype=float) for operand in operands[: self.carries]]
        sequences = operands[self.carries : self.carries + self.sequences]
        fixed = operands[self.carries + self.sequences :]
        assert self.count is not None  # where nothing else ends it
        kept: list[list] = [[carry] for carry in carries]
        outputs: list[list] = [[] for _ in self.outputs]
        for t in range(self.count):
            values = self.iterate([*(row[-1] for row in kept), *(x[t] for x in sequences), *fixed])
            for row, update in zip(kept, self.updates, strict=True):
                row.append(values[update])
            for row, output in zip(outputs, self.outputs, strict=True):
                row.append(values[output])
        if self.segment:
            return (*(row[-1] for row in kept), *map(np.array, outputs))
        return tuple(np.array(row) for row in (*kept, *outputs))

    def iterate(self, operands: Sequence[Any]) -> list:
        """Return the values of all steps of one iteration."""
        values = list(operands)
        for step in self.body[len(values) :]:
            if step.operation is None:
                values.append(step.template.value)
            else:
                values.append(call(step, [values[source] for source in step.inputs]))
        return values

    @cached_property
    def key(self) -> str:
        """A hash of everything but the names."""
        parts = [
            f"{self.count} {self.carries} {self.sequences} {self.updates} {self.outputs} {self.until} {self.segment}"
        ]
        for step in self.body:
            name = qualified(step.operation) if step.operation is not None else ""
            template = text_of(step.template)
            parts.append(f"{name}|{step.inputs}|{template}|{step.shape}|{step.dtype}")
        return hashlib.blake2b("\n".join(parts).encode(), digest_size=8).hexdigest()


def text_of(template: Any) -> str:
    """Return the template of a body's step as text."""
    if isinstance(template, Known):
        return f"{type(template.value).__name__}{np.asarray(template.value).tolist()!r}"
    return template_text(template)


def shortest(period: int) -> int:
    """Return from how many iterations on a loop of `period` steps is kept: fewer of a body that is long to derive."""
    return FEW if period >= LONG_BODY else SHORTEST
