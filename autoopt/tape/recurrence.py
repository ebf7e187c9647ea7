"""A loop as one operation of the tape."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from autoopt.tape.digest import template_text
from autoopt.tape.names import qualified
from autoopt.tape.tape import Step, call

SHORTEST = 8
"""A run of fewer iterations stays unrolled."""


class Known(NamedTuple):
    """The template of a body's step that is a number or small array, the same in every iteration."""

    value: Any


@dataclass(frozen=True, eq=False)
class Recurrence:
    """A loop as one operation: from (initial carries, sequences, invariants) to (trajectories, outputs).

    Attributes
    ----------
    count : int
        The number of iterations.
    carries, sequences : int
        How many of the operands are initial values, and arrays with one entry along axis 0 for each iteration; the rest
        are the same in every iteration.
    body : tuple of Step
        One iteration: first a leaf for each operand, in order, then the steps.
    updates : tuple of int
        For each carry the body's step that is its next value.
    outputs : tuple of int
        Steps whose values are collected.

    A trajectory has `count + 1` entries, the initial value first; an output has `count`.
    """

    count: int
    carries: int
    sequences: int
    body: tuple[Step, ...]
    updates: tuple[int, ...]
    outputs: tuple[int, ...]

    def __call__(self, *operands: Any) -> tuple:
        """Run the loop in NumPy."""
        carries = [np.asarray(operand, dtype=float) for operand in operands[: self.carries]]
        sequences = operands[self.carries : self.carries + self.sequences]
        fixed = operands[self.carries + self.sequences :]
        kept: list[list] = [[carry] for carry in carries]
        outputs: list[list] = [[] for _ in self.outputs]
        for t in range(self.count):
            values = self.iterate([*(row[-1] for row in kept), *(x[t] for x in sequences), *fixed])
            for row, update in zip(kept, self.updates, strict=True):
                row.append(values[update])
            for row, output in zip(outputs, self.outputs, strict=True):
                row.append(values[output])
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
        parts = [f"{self.count} {self.carries} {self.sequences} {self.updates} {self.outputs}"]
        for step in self.body:
            name = qualified(step.operation) if step.operation is not None else ""
            template = text_of(step.template)
            parts.append(f"{name}|{step.inputs}|{template}|{step.shape}|{step.dtype}")
        return hashlib.blake2b("\n".join(parts).encode(), digest_size=8).hexdigest()

    @property
    def __name__(self) -> str:
        return f"recurrence_{self.key}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Recurrence) and other.key == self.key

    def __hash__(self) -> int:
        return hash(self.key)


def text_of(template: Any) -> str:
    if isinstance(template, Known):
        return f"{type(template.value).__name__}{np.asarray(template.value).tolist()!r}"
    return template_text(template)
