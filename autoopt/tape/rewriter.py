"""A tape under construction from an older one, of which most steps are taken over."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from autoopt.tape.tape import CONSTANT, Guard, Step, Tape


class TapeRewriter:
    """The steps of a new tape, and where those of the old one are among them.

    Attributes
    ----------
    old : Tape
    steps, values
        Those of the new tape.
    number : dict of int to int
        The new step of an old one.
    """

    def __init__(self, old: Tape) -> None:
        self.old = old
        self.steps: list[Step] = []
        self.values: dict[int, Any] = {}
        self.number: dict[int, int] = {}

    def append(self, step: Step) -> int:
        """Add a step and return its number."""
        self.steps.append(step)
        return len(self.steps) - 1

    def constant(self, value: np.ndarray) -> int:
        """Add a constant and return its number."""
        index = self.append(Step(None, (), None, value.shape, value.dtype, CONSTANT, None))
        self.values[index] = value
        return index

    def take(self, index: int) -> None:
        """Enter an old step as it is."""
        step = self.old.steps[index]
        self.number[index] = self.append(step._replace(inputs=tuple(self.at(source) for source in step.inputs)))
        if index in self.old.values:
            self.values[self.number[index]] = self.old.values[index]

    def at(self, old: int) -> int:
        """Return the new step with the value of an old one."""
        return self.number[old]

    def finished(self, guards: list[Guard] | None = None, **changes: Any) -> Tape:
        """Return the new tape, whose guards are those of the old one if no others are given."""
        if guards is None:
            guards = [guard._replace(step=self.at(guard.step)) for guard in self.old.guards]
        names = {self.number[index]: name for index, name in self.old.names.items() if index in self.number}
        output = self.at(self.old.output)
        return replace(
            self.old, steps=self.steps, values=self.values, guards=guards, output=output, names=names, **changes
        )
