"""The body of a loop: one block of a run, with what it is handed by the block before and from outside."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from autoopt.tape.loops.recurrence import Known, Recurrence
from autoopt.tape.loops.runs import FLOAT, Operand, Run
from autoopt.tape.tape import CONSTANT, Step

if TYPE_CHECKING:
    from autoopt.tape.loops.rolling import Reroller


class Body:
    """The body of one loop under construction."""

    def __init__(self, rewriter: Reroller, run: Run) -> None:
        self.rewriter, self.run = rewriter, run
        self.carried: dict[tuple[int, int], list[int]] = {}  # (place, lag) -> starting steps
        self.listed: dict[tuple, np.ndarray] = {}
        self.fixed: dict[int, None] = {}
        self.inner: dict[int, int] = {}  # place -> step of the body
        chosen = set(run.body)
        for place in run.body:
            for op in run.operands[place]:
                if op.kind == "inner" and op.place in chosen:
                    if op.lag:
                        self.carry(op)
                elif op.kind != "fixed":
                    steps = self.steps_of(op)
                    self.listed[tuple(steps.tolist())] = steps
                elif not self.is_number(int(op.steps[0])):
                    self.fixed[int(op.steps[0])] = None

    def carry(self, op: Operand) -> None:
        """Note that a value is handed on over `lag` blocks; `op.steps[j]` is its value `lag - j` blocks before."""
        for lag in range(1, op.lag + 1):
            self.carried.setdefault((op.place, lag), int(op.steps[op.lag - lag]))

    def steps_of(self, op: Operand) -> np.ndarray:
        """Return the step that an operand from outside is in each block."""
        if op.kind == "listed":
            return op.steps
        count, lag = self.run.count, op.lag
        return np.concatenate([op.steps, self.run.table[: count - lag, op.place]])

    def is_number(self, index: int) -> bool:
        step = self.rewriter.old.steps[index]
        return step.operation is None and step.level == CONSTANT and step.shape == ()

    def finish(self, needed: Sequence[int]) -> tuple[Recurrence, list[int]]:
        """Return the operation and its operands on the new tape."""
        rewriter, run = self.rewriter, self.run
        old = rewriter.old.steps
        carried = sorted(self.carried, key=lambda key: (key[1], key[0]))
        first = [key for key in carried if key[1] == 1]
        sources = [self.carried[key] for key in carried]
        operands = [rewriter.at(source) for source in sources]
        operands += [rewriter.stacked(steps) for steps in self.listed.values()]
        operands += [rewriter.at(index) for index in self.fixed]
        body: list[Step] = []
        for k, operand in enumerate(operands):
            step = rewriter.steps[operand]
            shape = step.shape[1:] if len(carried) <= k < len(carried) + len(self.listed) else step.shape
            site = old[run.table[0, carried[k][0]]].site if k < len(carried) else step.site
            body.append(Step(None, (), None, shape, FLOAT if k < len(carried) else step.dtype, step.level, site))
        slot = self.slot = {key: k for k, key in enumerate(carried)}
        listed = {key: len(carried) + k for k, key in enumerate(self.listed)}
        fixed = {index: len(carried) + len(listed) + k for k, index in enumerate(self.fixed)}
        inner = self.inner
        numbers: dict[int, int] = {}
        chosen = set(run.body)
        for place in run.body:
            step = old[run.table[0, place]]
            inputs = []
            for op in run.operands[place]:
                if op.kind == "inner" and op.place in chosen:
                    inputs.append(slot[op.place, op.lag] if op.lag else inner[op.place])
                elif op.kind != "fixed":
                    inputs.append(listed[tuple(self.steps_of(op).tolist())])
                elif (index := int(op.steps[0])) in fixed:
                    inputs.append(fixed[index])
                else:
                    if index not in numbers:
                        numbers[index] = len(body)
                        body.append(old[index]._replace(template=Known(rewriter.old.values[index])))
                    inputs.append(numbers[index])
            inner[place] = len(body)
            body.append(step._replace(inputs=tuple(inputs)))
        updates = tuple(inner[place] if lag == 1 else slot[place, lag - 1] for place, lag in carried)
        self.carried_places = [place for place, _ in first]
        outputs = [place for place in needed if place not in self.carried_places]
        self.kept_places = [*self.carried_places, *outputs]
        self.result_of = {place: k for k, (place, _) in enumerate(first)}
        self.result_of |= {place: len(carried) + k for k, place in enumerate(outputs)}
        recurrence = Recurrence(
            run.count, len(carried), len(self.listed), tuple(body), updates, tuple(inner[place] for place in outputs)
        )
        return recurrence, operands
