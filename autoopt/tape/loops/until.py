"""Loops that end on a condition, whose number of iterations may differ from point to point.

A loop such as a Newton iteration asks one question after each iteration and gets one answer until it ends. Here such a
stretch of a tape becomes one `Recurrence` that asks by itself:

    u = p[0]
    while True:
        step = (u * u - p[1]) / (2 * u)
        u = u - step
        if abs(step) < 1e-9: break

     1  p[0]                                                     1  p[0]
     2  1 * 1    3  p[1]    4  2 - 3    6  2 * 1    7  4 / 6     2  Recurrence from 1, with 0, until its step 11 is True
     8  1 - 7    9  abs(7)             11  9 < 1e-9   False           0  u    1  p                  (one iteration)
    12  8 * 8   13  p[1]   14  12 - 13                                2  0 * 0    3  1[1]    4  2 - 3    6  2 * 0
    17  8 - 16  18  abs(16)            19  18 < 1e-9  False           7  4 / 6    8  0 - 7   9  abs(7)  11  9 < 1e-9
    ... three times more, the last answer True                   3  component 0 of 2: the number of iterations
    output 41, guards 11, 19, 27, 35, 43                         4  component 1 of 2: u;   output 4, a guard on 3

The questions are guards: each holds the answer that the run was recorded with. A tape with the five guards holds where
the loop takes five iterations; the new one is the same for any number of them, and its `counts` say which it was
recorded for. That number is guarded still (kind "counts"): the tape does not show what the objective would do after
another one (give up, or use the number itself), so only numbers that have been traced may be run.

A block ends with the question; a step of the last block that nothing needs may be missing, as its table's -1 says. The
body keeps the user's arithmetic to the last bit, since when it ends is a matter of rounding.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np

from autoopt.tape.loops.bodies import Body
from autoopt.tape.loops.rolling import OBJECT
from autoopt.tape.loops.runs import FLOAT, Operand, Order, Run, same, starts_several
from autoopt.tape.operations import component, pack
from autoopt.tape.recurrence import Until
from autoopt.tape.rewriter import TapeRewriter
from autoopt.tape.simplify import live, shared
from autoopt.tape.tape import PARAMETER, Guard, Slot, Step, Tape, Template

MOST_LOOPS = 4
"""A tape with more loops that end on a condition, those of one form together, stays as it is."""

MOST_OF_ONE_PLACE = 1000
"""A place that more such loops stem from is no loop of that kind, but a branch within another."""

_BOOL, _INT = np.dtype(bool), np.dtype(np.int64)


def conditional(tape: Tape) -> Tape:
    """Return `tape` with its loops that end on a condition as one step each; `tape` itself if there are none."""
    if not any(_groups(tape)):
        return tape
    original, tape = tape, live(shared(tape))
    groups = list(_groups(tape))
    order = Order(tape)
    loops: list[_Loop] = []
    for group in groups:
        start = int(order.position[loops[-1].run.table[-1, -1]]) + 1 if loops else 0
        loop = _recognised(order, group, start)
        if loop is not None:
            loops.append(loop)
    if not loops:
        return original
    return live(_Conditional(tape, loops).tape())


def _groups(tape: Tape) -> Iterator[list[int]]:
    """Yield the guards of each loop that may end on a condition, as positions in `tape.guards`, in program order."""
    sites: dict[Any, list[int]] = {}
    for number, guard in enumerate(tape.guards):
        step = tape.steps[guard.step]
        if guard.kind == "bool" and step.dtype == _BOOL and step.shape == () and guard.site:
            sites.setdefault(guard.site, []).append(number)
    found = []
    for numbers in sites.values():
        last = tape.guards[numbers[-1]].answer
        ends = [-1, *(k for k, number in enumerate(numbers) if tape.guards[number].answer == last)]
        groups = [numbers[before + 1 : end + 1] for before, end in pairwise(ends) if end - before > 1]
        if len(groups) <= MOST_OF_ONE_PLACE:
            found += groups
    return iter(sorted(found, key=lambda group: tape.guards[group[0]].step))


class _Loop:
    """A run whose blocks end with a question, and the answers within it.

    Attributes
    ----------
    run : Run
        In its last block steps that nothing needs are missing: -1 in its table.
    guards : dict of int to int
        The positions in `tape.guards` of what the loop asks, with their places.
    answer : bool
        To the question that ends it.
    needed : dict of int to (int, int)
        The steps that are read after the loop: their place, and how many blocks before the last.
    """

    def __init__(self, run: Run, tape: Tape, guards: dict[int, int]) -> None:
        self.run, self.guards = run, guards
        self.last = max(guards)
        self.answer = bool(tape.guards[self.last].answer)
        self.checks = {place: tape.guards[number].answer for number, place in guards.items() if place < run.period - 1}
        self.needed: dict[int, tuple[int, int]] = {}


def _recognised(order: Order, group: list[int], start: int) -> _Loop | None:
    """Return the loop that asks the questions of `group` and begins at or after `start`; None if it is none."""
    cuts = [int(order.position[order.tape.guards[number].step]) + 1 for number in group]
    period = cuts[1] - cuts[0]
    rows: list[np.ndarray] = [np.arange(cut - period, cut) for cut in cuts[:-1]]
    last = _last(order, rows[-1], cuts[-2], cuts[-1])
    if period < 1 or np.any(np.diff(cuts[:-1]) != period) or last is None:
        return None
    rows.append(last)
    for first in (0, 1):  # the iteration before the first answer may differ from the others, or be none
        if rows[first][0] >= start and len(rows) - first > 1:
            loop = _loop(order, np.array(rows[first:]))
            if loop is not None:
                return loop
    return None


def _last(order: Order, model: np.ndarray, start: int, stop: int) -> np.ndarray | None:
    """Return the positions of the last block's steps, -1 where it lacks a step that `model`, the block before, has."""
    row, here = np.full(len(model), -1), start
    for place, position in enumerate(model):
        if here < stop and order.labels[here] == order.labels[position]:
            row[place], here = here, here + 1
    return row if here == stop else None


def _loop(order: Order, positions: np.ndarray) -> _Loop | None:
    """Return the loop whose blocks are the rows of `positions`; None if they are not alike."""
    tape, steps = order.tape, order.tape.steps
    table = np.where(positions >= 0, order.nodes[positions], -1)
    count, period = table.shape
    where = {int(index): divmod(k, period) for k, index in enumerate(table.ravel()) if index >= 0}
    if len(where) < (table >= 0).sum() or not _alike(order, positions, table):
        return None
    run = Run(int(positions[0, 0]), period, count, table, [], list(range(period)))
    for place in range(period):
        column = [steps[index].inputs for index in table[:, place] if index >= 0]
        operands = [_operand(where, refs) for refs in zip(*column, strict=True)]
        patterned = [operand for operand in operands if operand is not None]
        if len(patterned) < len(operands):
            return None
        run.operands.append(patterned)
    guards = {number: where[guard.step][1] for number, guard in enumerate(tape.guards) if guard.step in where}
    loop = _Loop(run, tape, guards)
    return loop if _answers_alike(tape, loop) and _reads_last(tape, loop, where) else None


def _alike(order: Order, positions: np.ndarray, table: np.ndarray) -> bool:
    """Whether the blocks have the same calls in the same places."""
    labels = np.where(positions >= 0, order.labels[positions], order.labels[positions[0]])
    if (labels != labels[0]).any():
        return False
    steps = order.steps
    return all(
        steps[column[0]].template is None
        or all(same(steps[index].template, steps[column[0]].template) for index in column[1:] if index >= 0)
        for column in table.T
    )


def _operand(where: dict[int, tuple[int, int]], refs: Sequence[int]) -> Operand | None:
    """Return where one operand of a place comes from in every block; None if that follows no pattern."""
    row, place = where.get(refs[-1], (-1, -1))
    lag = len(refs) - 1 - row
    if row < 0:
        return Operand("fixed", np.array(refs)) if len(set(refs)) == 1 else None
    if any(ref in where for ref in refs[:lag]):
        return None
    if any(where.get(ref) != (k, place) for k, ref in enumerate(refs[lag:])):
        return None
    return Operand("inner", np.array(refs[:lag], dtype=np.int64), place, lag)


def _answers_alike(tape: Tape, loop: _Loop) -> bool:
    """Whether every question but the last of each block has one answer in all blocks."""
    answers: dict[int, list] = {}
    for number, place in loop.guards.items():
        guard = tape.guards[number]
        if guard.kind != "bool" or tape.steps[guard.step].dtype != _BOOL or tape.steps[guard.step].shape != ():
            return False
        answers.setdefault(place, []).append(guard.answer)
    ending = answers.pop(loop.run.period - 1)
    return ending == [not loop.answer] * (loop.run.count - 1) + [loop.answer] and all(
        len(set(found)) == 1 and len(found) == loop.run.count for found in answers.values()
    )


def _reads_last(tape: Tape, loop: _Loop, where: dict[int, tuple[int, int]]) -> bool:
    """Note what is read after the loop; False if that is more than what the last block made or was handed."""
    if starts_several(loop.run):
        return False
    carried = {(op.place, lag) for ops in loop.run.operands for op in ops for lag in range(1, op.lag + 1)}
    for place, lag in carried:
        step = tape.steps[loop.run.table[0, place]]
        starts = [op.steps for ops in loop.run.operands for op in ops if (op.place, op.lag) == (place, lag)]
        if step.dtype != FLOAT or any(tape.steps[i].shape != step.shape for row in starts for i in row):
            return False
    guards = [guard.step for number, guard in enumerate(tape.guards) if number not in loop.guards]
    outside = [source for index, step in enumerate(tape.steps) if index not in where for source in step.inputs]
    for index in (tape.output, *guards, *outside):
        if index in where:
            row, place = where[index]
            back = loop.run.count - 1 - row
            if back and (place, back) not in carried:
                return False
            loop.needed[index] = place, back
    return bool(carried)


class _Conditional(TapeRewriter):
    """A new tape under construction, in which loops ask by themselves whether they have ended."""

    def __init__(self, old: Tape, loops: Sequence[_Loop]) -> None:
        super().__init__(old)
        self.loops = loops
        self.counts: list[int] = []  # the steps of the numbers of iterations
        self.guards: dict[int, list[Guard]] = {}  # the old guard that ends a loop -> what takes its place

    def tape(self) -> Tape:
        """Return the new tape."""
        begins = {int(loop.run.table[0, 0]): loop for loop in self.loops}
        inside = {index for loop in self.loops for index in loop.run.table.ravel().tolist()}
        for index in range(len(self.old.steps)):
            if index in begins:
                self.enter(begins[index])
            if index not in inside:
                self.copy(index)
        asked = set().union(*(loop.guards for loop in self.loops))
        guards: list[Guard] = []
        for number, guard in enumerate(self.old.guards):
            kept = [] if number in asked else [guard._replace(step=self.at(guard.step))]
            guards += self.guards.get(number, kept)
        return self.finished(guards, counts=tuple(loop.run.count for loop in self.loops))

    def copy(self, index: int) -> None:
        """Enter an old step as it is, if it is not there yet."""
        if index not in self.number:
            self.take(index)

    def at(self, old: int) -> int:
        """Return the new step with the value of an old one."""
        if old not in self.number:  # a constant that was first met within a loop
            self.copy(old)
        return self.number[old]

    def enter(self, loop: _Loop) -> None:
        """Enter the loop in place of its blocks, and the guards in place of its last."""
        made = Body(self, loop.run)
        recurrence, operands = made.finish([])
        outputs = {where: made.slot[where] if where[1] else made.inner[where[0]] for where in loop.needed.values()}
        checks = tuple((made.inner[place], answer) for place, answer in loop.checks.items())
        until = Until(made.inner[loop.run.period - 1], loop.answer, checks, len(self.counts))
        recurrence = replace(recurrence, count=None, until=until, outputs=tuple(outputs.values()))
        site = self.old.guards[loop.last].site
        size = 1 + len(checks) + len(outputs)
        whole = self.append(Step(recurrence, tuple(operands), None, (size,), OBJECT, PARAMETER, site))
        self.counts.append(self.result(whole, 0, (), _INT, None))
        held = [self.result(whole, 1 + k, (), _BOOL, None) for k in range(len(checks))]
        last = {where: 1 + len(checks) + k for k, where in enumerate(outputs)}
        for index, where in loop.needed.items():
            step = self.old.steps[index]
            self.number[index] = self.result(whole, last[where], step.shape, step.dtype, step.site)
        self.guards[loop.last] = [Guard(step, "bool", True, site) for step in held]
        if len(self.counts) == len(self.loops):
            self.guards[loop.last].append(Guard(self.every(), "counts", len(self.counts), site))

    def result(self, whole: int, place: int, shape: tuple[int, ...], dtype: np.dtype, site: Any) -> int:
        """Return a step with one result of a loop."""
        return self.append(Step(component, (whole,), ((Slot(0), place), {}), shape, dtype, PARAMETER, site))

    def every(self) -> int:
        """Return a step with the number of iterations of each loop, a scalar if there is one."""
        if len(self.counts) == 1:
            return self.counts[0]
        shape = (len(self.counts),)
        template: Template = ((shape, *map(Slot, range(len(self.counts)))), {})
        return self.append(Step(pack, tuple(self.counts), template, shape, _INT, PARAMETER, None))
