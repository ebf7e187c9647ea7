"""Loops that end on a condition, of one form and independent of each other, as one loop over a stack of them.

    for m in range(20):                             a loop for each market, of its own number of iterations
        d = start[m]
        while True:
            new = d + log_shares[m] - np.log(shares(d, p))
            if np.max(np.abs(new - d)) < 1e-9: break
            d = new

    20 x  Recurrence from d, until its step 9 is True       1 x  Recurrence from 20 d, until all of 20 answers are True

An iteration of the new loop is one of each of the old ones, done at once as any 20 equal steps are (`batching.py`). One
that has ended keeps the carries that its last iteration began with: `where(done, d, new)`. So in all iterations that
follow it does that last one again, with the same answer and results, until the others have ended too; how many
iterations it took itself is one more carry.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from autoopt.tape.batching.batching import unrolled
from autoopt.tape.loops.invariants import hoisted
from autoopt.tape.loops.until import MOST_LOOPS, conditional
from autoopt.tape.operations import astype, component, pack
from autoopt.tape.recurrence import Known, Recurrence, Until
from autoopt.tape.rewriter import TapeRewriter
from autoopt.tape.simplify import live, shared
from autoopt.tape.tape import CONSTANT, PARAMETER, Guard, Leaf, Slot, Step, Tape, Template

_FLOAT, _BOOL, _INT = np.dtype(float), np.dtype(bool), np.dtype(np.int64)

GROWTH = 4
"""A stack of loops whose body has this many times as many steps as the body of one does not do the same in each."""


def repeating(tape: Tape) -> Tape:
    """Return `tape` with its loops that end on a condition as one step each, those of one form as one.

    It stays as it is if there are none, or more than MOST_LOOPS: to derive them takes longer than what is gained.
    """
    made = first = conditional(tape)
    if made is tape or len(made.counts) == 1:
        return made
    made = hoisted(made)
    groups: dict[str, list[int]] = {}
    for index, step in enumerate(made.steps):
        if isinstance(step.operation, Recurrence) and step.operation.until:
            until = step.operation.until._replace(place=0)
            groups.setdefault(replace(step.operation, until=until).key, []).append(index)
    for members in sorted(groups.values(), reverse=True):  # what comes later keeps its numbers until then
        if len(members) > 1 and (stacked := _stacked(made, members)) is not None:
            made = stacked
    loops = sum(isinstance(step.operation, Recurrence) and step.operation.until is not None for step in made.steps)
    if loops > MOST_LOOPS:
        return tape
    return live(shared(made)) if loops < len(made.counts) else first


def _stacked(tape: Tape, members: Sequence[int]) -> Tape | None:
    """Return the tape with loops of one form as one step; None if one of them needs another."""
    behind = set(members)
    for index, step in enumerate(tape.steps):
        if not behind.isdisjoint(step.inputs):
            if index in behind:
                return None
            behind.add(index)
    stack = _Stack(tape, members, behind)
    return stack.tape() if stack.body is not None else None


class _Stack(TapeRewriter):
    """The new tape: what the loops need, the loop, what needs the loops."""

    def __init__(self, old: Tape, members: Sequence[int], behind: set[int]) -> None:
        super().__init__(old)
        self.members, self.behind = list(members), behind
        operation = old.steps[members[0]].operation
        assert isinstance(operation, Recurrence) and operation.until is not None
        self.loop, self.until, self.count = operation, operation.until, len(members)
        table = np.array([old.steps[member].inputs for member in members])
        self.operands = table.T
        self.many = [k < self.loop.carries or len(set(column)) > 1 for k, column in enumerate(table.T.tolist())]
        self.body = self.stacked_body()

    def tape(self) -> Tape:
        """Return the new tape."""
        for index in range(len(self.old.steps)):
            if index not in self.behind:
                self.take(index)
        results = self.enter()
        row = {member: m for m, member in enumerate(self.members)}
        for index in sorted(self.behind - set(self.members)):
            step = self.old.steps[index]
            if step.operation is component and step.inputs[0] in row:
                self.number[index] = self.entry(results[step.template[0][1]], row[step.inputs[0]], step)
            else:
                self.take(index)
        guards = [guard._replace(step=self.at(guard.step)) for guard in self.old.guards]
        return self.finished(guards)

    def entry(self, result: int, row: int, step: Step) -> int:
        """Return one loop's share of a result; a check is one of all loops."""
        if self.steps[result].dtype == _BOOL:
            return result
        template: Template = ((Slot(0), row), {})
        return self.append(Step(operator.getitem, (result,), template, step.shape, step.dtype, PARAMETER, step.site))

    # One iteration of all ---------------------------------------------------------------------------------------------

    def stacked_body(self) -> tuple[Recurrence, list[tuple[int, ...]]] | None:
        """Return the loop over the stack, and the shapes of its outputs; None if it cannot be had at once."""
        loop, until, count = self.loop, self.until, self.count
        wanted = [*loop.updates, *loop.outputs, until.step, *(step for step, _ in until.checks)]
        made = self.at_once(wanted)
        if made is None:
            return None
        body, found = made
        carries = loop.carries
        leaves = len(self.operands)
        shift = [k if k < carries else k + 1 for k in range(leaves)]  # the count of each is the last of the carries
        place = {k: shift[k] if k < leaves else k + 1 for k in range(len(body))}
        whole = [step._replace(inputs=tuple(place[source] for source in step.inputs)) for step in body]
        whole.insert(carries, Step(None, (), None, (count,), _FLOAT, PARAMETER, None))
        steps = _Body(whole)
        at = [place[step] for step in found]
        updates, outputs = at[:carries], at[carries : carries + len(loop.outputs)]
        condition, *checks = at[carries + len(loop.outputs) :]
        done = condition if until.answer else steps.add(np.logical_not, (condition,), (count,), _BOOL)
        one = steps.add(None, (), (), _FLOAT, Known(1.0))
        more = steps.add(np.add, (carries, one), (count,), _FLOAT)
        numbers = steps.choose(done, carries, more, (count,))
        going = steps.add(np.greater, (numbers, carries), (count,), _BOOL)  # as exact in the derivative as in the loop
        frozen = []
        for k, update in enumerate(updates):
            shape = whole[k].shape
            lead = (count, *[1] * (len(shape) - 1))
            mask = going if len(shape) == 1 else steps.add(np.reshape, (going,), lead, _BOOL, ((Slot(0), lead), {}))
            frozen.append(steps.choose(mask, update, k, shape))
        frozen.append(numbers)
        held = []
        for check, (_, answer) in zip(checks, until.checks, strict=True):
            held.append((steps.add(np.all if answer else np.any, (check,), (), _BOOL, ((Slot(0),), {})), answer))
        every = steps.add(np.all, (done,), (), _BOOL, ((Slot(0),), {}))
        operation = replace(
            loop,
            carries=carries + 1,
            body=tuple(steps.steps),
            updates=tuple(frozen),
            outputs=(*outputs, numbers),  # of a loop that is cut off before its end one more than there have been
            until=Until(every, True, tuple(held), None),
        )
        return operation, [whole[step].shape for step in outputs]

    def at_once(self, wanted: Sequence[int]) -> tuple[list[Step], list[int]] | None:
        """Return the steps of one iteration of all loops, leaves first, and where among them the wanted steps are."""
        tape, body = Tape(), self.loop.body
        leaves = len(self.operands)
        for k, many in enumerate(self.many):
            shape = (self.count, *body[k].shape) if many else body[k].shape
            leaf = Leaf(f"operand_{k}", "argument" if k else "parameter")
            tape.steps.append(Step(None, (), leaf, shape, body[k].dtype, PARAMETER, body[k].site))
            tape.values |= {k: None} if k else {}
        rows: list[list[int]] = []
        constants: dict[int, int] = {}
        for row in range(self.count):
            number: list[int] = []
            for k, step in enumerate(body):
                if k < leaves and not self.many[k]:
                    number.append(k)
                    continue
                if isinstance(step.template, Known):
                    if k not in constants:
                        constants[k] = len(tape.steps)
                        tape.values[constants[k]] = step.template.value
                        tape.steps.append(step._replace(template=None, level=CONSTANT))
                    number.append(constants[k])
                    continue
                if k < leaves:
                    step = Step(
                        operator.getitem, (k,), ((Slot(0), row), {}), step.shape, step.dtype, PARAMETER, step.site
                    )
                else:
                    step = step._replace(inputs=tuple(number[source] for source in step.inputs), level=PARAMETER)
                number.append(len(tape.steps))
                tape.steps.append(step)
            rows.append([number[k] for k in wanted])
        for k, column in enumerate(zip(*rows, strict=True)):
            step = tape.steps[column[0]]
            template: Template = (((self.count, *step.shape), *map(Slot, range(self.count))), {})
            shape = (self.count, *step.shape)
            tape.steps.append(Step(pack, tuple(column), template, shape, step.dtype, PARAMETER, None))
            tape.guards.append(Guard(len(tape.steps) - 1, f"result {k}", None, None))
        tape.output = len(tape.steps) - 1
        return self.sorted_out(unrolled(tape), leaves, len(wanted))

    def sorted_out(self, tape: Tape, leaves: int, wanted: int) -> tuple[list[Step], list[int]] | None:
        """Return the steps of a tape as those of a body, leaves first."""
        named = {leaf.name: index for index, leaf in tape.leaves().items()}
        if len(tape.steps) > GROWTH * len(self.loop.body) or len(named) < leaves:
            return None
        order = [named[f"operand_{k}"] for k in range(leaves)]
        order += [index for index in range(len(tape.steps)) if index not in set(order)]
        place = {index: k for k, index in enumerate(order)}
        body = []
        for index in order:
            step = tape.steps[index]
            template = step.template
            if step.operation is None:
                template = None if isinstance(template, Leaf) else Known(tape.values[index])
            body.append(step._replace(inputs=tuple(place[source] for source in step.inputs), template=template))
        kept = {guard.kind: place[guard.step] for guard in tape.guards}
        return body, [kept[f"result {k}"] for k in range(wanted)]

    # The loop ---------------------------------------------------------------------------------------------------------

    def enter(self) -> list[int]:
        """Enter the loop, and return the steps of its results: counts, checks, outputs."""
        assert self.body is not None
        operation, shapes = self.body
        site = self.old.steps[self.members[0]].site
        inputs = [self.stacked(column, many) for column, many in zip(self.operands.tolist(), self.many, strict=True)]
        inputs.insert(self.loop.carries, self.constant(np.ones(self.count)))
        checks = len(self.until.checks)
        size = 1 + checks + len(operation.outputs)
        whole = self.append(Step(operation, tuple(inputs), None, (size,), np.dtype(object), PARAMETER, site))
        numbers = self.part(whole, size - 1, (self.count,), _FLOAT)
        cast: Template = ((Slot(0), np.int64), {})
        counts = self.append(Step(astype, (numbers,), cast, (self.count,), _INT, PARAMETER, None))
        results = [counts, *(self.part(whole, 1 + k, (), _BOOL) for k in range(checks))]
        results += [self.part(whole, 1 + checks + k, shape, _FLOAT) for k, shape in enumerate(shapes)]
        return results

    def part(self, whole: int, place: int, shape: tuple[int, ...], dtype: np.dtype) -> int:
        return self.append(Step(component, (whole,), ((Slot(0), place), {}), shape, dtype, PARAMETER, None))

    def stacked(self, column: Sequence[int], many: bool) -> int:
        """Return an operand of all loops."""
        steps = [self.at(old) for old in column]
        if not many:
            return steps[0]
        first = self.steps[steps[0]]
        shape = (self.count, *first.shape)
        template: Template = ((shape, *map(Slot, range(self.count))), {})
        level = max(self.steps[step].level for step in steps)
        return self.append(Step(pack, tuple(steps), template, shape, first.dtype, level, first.site))


class _Body:
    """The steps of a body, to which others are added."""

    def __init__(self, steps: list[Step]) -> None:
        self.steps = steps

    def add(self, operation: Any, inputs: tuple[int, ...], shape: tuple, dtype: np.dtype, template: Any = None) -> int:
        """Add a step and return its number."""
        level = CONSTANT if operation is None else PARAMETER
        self.steps.append(Step(operation, inputs, template, shape, dtype, level, None))
        return len(self.steps) - 1

    def choose(self, mask: int, one: int, other: int, shape: tuple[int, ...]) -> int:
        """Add `np.where(mask, one, other)`."""
        template: Template = ((Slot(0), Slot(1), Slot(2)), {})
        return self.add(np.where, (mask, one, other), shape, _FLOAT, template)
