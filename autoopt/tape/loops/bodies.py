"""The body of a loop: one block of a run, with what it is handed by the block before and from outside.

    for t in range(2, n): x[t] = p[0] * x[t - 1] + p[1] * x[t - 2] + y[t]

A place whose value is read one block later is a carry, (place, 1); one that is read two blocks later is two of them,
as a loop hands on over one iteration only:

    leaves    0  x, 1 block before    1  x, 2 blocks before    2  y[t]    3  p
    steps     4  3[0]    5  4 * 0    6  3[1]    7  6 * 1    8  5 + 7    9  8 + 2
    updates   0 becomes 9, 1 becomes 0

So there is one leaf for each operand of the `Recurrence`: carries, then sequences, of which an iteration has one entry,
then what stays the same. Numbers are no operands: they stand in the body (`Known`), where derivatives see them.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from autoopt.tape.loops.runs import FLOAT, Operand, Run
from autoopt.tape.loops.stacking import stacked
from autoopt.tape.recurrence import Known, Recurrence
from autoopt.tape.rewriter import TapeRewriter
from autoopt.tape.tape import CONSTANT, Step

SMALL = 16
"""Constant arrays of more entries are operands of the loop."""


class Body:
    """The body of one loop under construction."""

    def __init__(self, rewriter: TapeRewriter, run: Run) -> None:
        self.rewriter, self.run = rewriter, run
        self.carried: dict[tuple[int, int], int] = {}  # (place, lag) -> the step that it starts from
        self.slot: dict[tuple[int, int], int] = {}  # (place, lag) -> its leaf of the body
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
                    steps = run.steps_of(op)
                    self.listed[tuple(steps.tolist())] = steps
                elif not self.is_number(int(op.steps[0])):
                    self.fixed[int(op.steps[0])] = None

    def carry(self, op: Operand) -> None:
        """Note that a value is handed on over `lag` blocks; `op.steps[j]` is its value `lag - j` blocks before."""
        for lag in range(1, op.lag + 1):
            self.carried.setdefault((op.place, lag), int(op.steps[op.lag - lag]))

    def stacked(self, steps: np.ndarray) -> int:
        """Return what the loop is handed of one step for each block, as one step of the new tape."""
        return stacked(self.rewriter, steps)

    def is_number(self, index: int) -> bool:
        step = self.rewriter.old.steps[index]
        return step.operation is None and step.level == CONSTANT and prod(step.shape) <= SMALL

    def finish(self, needed: Sequence[int]) -> tuple[Recurrence, list[int]]:
        """Return the operation and its operands on the new tape; `needed` are the places read outside of the loop.

        The carries come first, those over one block before those over two, so that the next value of one over two
        blocks is the present one over one.
        """
        run = self.run
        carried = sorted(self.carried, key=lambda key: (key[1], key[0]))
        self.slot = {key: k for k, key in enumerate(carried)}
        operands = self._operands(carried)
        body = self._leaves(carried, operands)
        self._enter_places(body)
        updates = tuple(self.inner[place] if lag == 1 else self.slot[place, lag - 1] for place, lag in carried)
        self.carried_places = [place for place, lag in carried if lag == 1]
        outputs = [place for place in needed if place not in self.carried_places]
        self.kept_places = [*self.carried_places, *outputs]
        self.result_of = {place: k for k, place in enumerate(self.carried_places)}
        self.result_of |= {place: len(carried) + k for k, place in enumerate(outputs)}
        results = tuple(self.inner[place] for place in outputs)
        return Recurrence(run.count, len(carried), len(self.listed), tuple(body), updates, results), operands

    def _operands(self, carried: Sequence[tuple[int, int]]) -> list[int]:
        """Return what the loop is handed, as steps of the new tape: initial values, sequences, what stays the same."""
        rewriter = self.rewriter
        operands = [rewriter.at(source) for source in [self.carried[key] for key in carried]]
        operands += [self.stacked(steps) for steps in self.listed.values()]
        operands += [rewriter.at(index) for index in self.fixed]
        return operands

    def _leaves(self, carried: Sequence[tuple[int, int]], operands: Sequence[int]) -> list[Step]:
        """Return the steps that a body begins with: one iteration's share of each operand."""
        carries, sequences = len(carried), len(self.listed)
        leaves = []
        for k, operand in enumerate(operands):
            step = self.rewriter.steps[operand]
            if k < carries:
                place, _ = carried[k]
                site = self.rewriter.old.steps[self.run.sample(place)].site
                leaves.append(Step(None, (), None, step.shape, FLOAT, step.level, site))
            else:
                shape = step.shape[1:] if k < carries + sequences else step.shape
                leaves.append(Step(None, (), None, shape, step.dtype, step.level, step.site))
        return leaves

    def _enter_places(self, body: list[Step]) -> None:
        """Add the steps of one block to a body that has its leaves, numbers where they are first read."""
        old, run, carries = self.rewriter.old, self.run, len(self.carried)
        listed = {key: carries + k for k, key in enumerate(self.listed)}
        fixed = {index: carries + len(listed) + k for k, index in enumerate(self.fixed)}
        numbers: dict[int, int] = {}
        chosen = set(run.body)
        for place in run.body:
            inputs = []
            for op in run.operands[place]:
                if op.kind == "inner" and op.place in chosen:
                    inputs.append(self.slot[op.place, op.lag] if op.lag else self.inner[op.place])
                elif op.kind != "fixed":
                    inputs.append(listed[tuple(run.steps_of(op).tolist())])
                elif (index := int(op.steps[0])) in fixed:
                    inputs.append(fixed[index])
                else:
                    if index not in numbers:
                        numbers[index] = len(body)
                        body.append(old.steps[index]._replace(template=Known(old.values[index])))
                    inputs.append(numbers[index])
            self.inner[place] = len(body)
            body.append(old.steps[run.sample(place)]._replace(inputs=tuple(inputs)))
