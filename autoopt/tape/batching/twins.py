"""Products of matrices of which one is the other's transpose, but for a number: one is computed.

    3  1.5 * A.T    4  B @ 3              3  1.5 * A.T    4  B @ 3
    5  1.5 * B.T    6  A @ 5      ->                      6  4.T

So have updates of rank 2k them, `1.5 * (A @ B.T + B @ A.T)`, however they are written.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from autoopt.tape.rewriter import TapeRewriter
from autoopt.tape.simplify import live
from autoopt.tape.tape import CONSTANT, PARAMETER, Slot, Step, Tape

_FLOAT = np.dtype(float)
_TURNED: tuple[Any, ...] = (((Slot(0),), {}), ((Slot(0), (1, 0)), {}))


class Factor(NamedTuple):
    """A matrix as a number times a step of the tape or its transpose."""

    number: float
    step: int
    is_turned: bool


def twins_shared(tape: Tape) -> Tape:
    """Return `tape` with one of two products that are each other's transposes; `tape` itself if there are none."""
    known: dict[tuple, tuple[int, float]] = {}
    twins: dict[int, tuple[int, float]] = {}
    for index, step in enumerate(tape.steps):
        if step.operation is not np.matmul or step.template is not None or step.level != PARAMETER:
            continue
        if any(len(tape.steps[source].shape) != 2 for source in step.inputs):
            continue
        a, b = (_factor(tape, source) for source in step.inputs)
        number = a.number * b.number
        first, ratio = known.get((b.step, not b.is_turned, a.step, not a.is_turned), (index, 0.0))
        if first != index and ratio and number:
            twins[index] = first, number / ratio
        else:
            known.setdefault((a.step, a.is_turned, b.step, b.is_turned), (index, number))
    return live(_Writer(tape, twins).tape()) if twins else tape


def _factor(tape: Tape, index: int) -> Factor:
    """Return a matrix without the numbers that it is multiplied by, and without transposition."""
    number, is_turned = 1.0, False
    while True:
        step = tape.steps[index]
        if step.operation is np.transpose and step.template in _TURNED and len(step.shape) == 2:
            index, is_turned = step.inputs[0], not is_turned
            continue
        scales = [k for k, source in enumerate(step.inputs) if _is_number(tape, source)]
        if step.operation is not np.multiply or step.template is not None or len(scales) != 1:
            return Factor(number, index, is_turned)
        number *= float(tape.values[step.inputs[scales[0]]])
        index = step.inputs[1 - scales[0]]


def _is_number(tape: Tape, index: int) -> bool:
    return index in tape.values and tape.steps[index].shape == ()


class _Writer(TapeRewriter):
    """The new tape under construction."""

    def __init__(self, old: Tape, twins: dict[int, tuple[int, float]]) -> None:
        super().__init__(old)
        self.twins = twins

    def tape(self) -> Tape:
        """Return the new tape."""
        for index, step in enumerate(self.old.steps):
            if index in self.twins:
                self.number[index] = self.turned(step, *self.twins[index])
            else:
                self.take(index)
        return self.finished()

    def turned(self, step: Step, twin: int, ratio: float) -> int:
        """Return the transpose of a product times a number."""
        found = self.append(step._replace(operation=np.transpose, inputs=(self.at(twin),), template=((Slot(0),), {})))
        if ratio == 1.0:
            return found
        number = self.append(Step(None, (), None, (), _FLOAT, CONSTANT, None))
        self.values[number] = ratio
        return self.append(step._replace(operation=np.multiply, inputs=(number, found)))
