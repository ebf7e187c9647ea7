"""A tape rewritten so that runs of blocks are one step each."""

from __future__ import annotations

import operator
from collections.abc import Sequence

import numpy as np

from autoopt.tape.loops.bodies import Body
from autoopt.tape.loops.runs import Run
from autoopt.tape.operations import component, pack
from autoopt.tape.recurrence import SHORTEST
from autoopt.tape.rewriter import TapeRewriter
from autoopt.tape.tape import Slot, Step, Tape

OBJECT = np.dtype(object)


class Reroller(TapeRewriter):
    """A new tape under construction, in which runs are loops."""

    def __init__(self, old: Tape, runs: Sequence[Run]) -> None:
        super().__init__(old)
        self.runs = runs
        self.starts: dict[int, int] = {}  # trajectory -> its initial value
        self.held: dict[int, tuple[int, int]] = {}  # old step -> (step of the array that holds it, place along axis 0)

        self.read_outside = self._read_outside()

    def _read_outside(self) -> bytearray:
        """Return for every old step whether something reads it that is not in the same loop."""
        loop = [0] * len(self.old.steps)
        for number, run in enumerate(self.runs, 1):
            for index in run.table[:, run.body].ravel().tolist():
                loop[index] = number
        read = bytearray(len(loop))
        for root in (self.old.output, *(guard.step for guard in self.old.guards)):
            read[root] = 1
        for index, step in enumerate(self.old.steps):
            for source in step.inputs:
                if loop[source] and loop[source] != loop[index]:
                    read[source] = 1
        return read

    def tape(self) -> Tape:
        position = 0
        for run in self.runs:
            first, last = int(run.table[0, 0]), int(run.table[-1, -1])
            self.copy(range(position, first))
            self.replace(run, first, last)
            position = last + 1
        self.copy(range(position, len(self.old.steps)))
        guards = [guard._replace(step=self.at(guard.step)) for guard in self.old.guards]
        return self.finished(guards)

    def copy(self, indices: Sequence[int]) -> None:
        for index in indices:
            step = self.old.steps[index]
            if step.operation is pack and len(step.inputs) >= SHORTEST and (joined := self.joined(step)) is not None:
                self.number[index] = joined
            else:
                self.take(index)

    def at(self, old: int) -> int:
        """Return the new step with the value of an old one."""
        number = self.number.get(old)
        if number is None:
            holder, place = self.held[old]
            step = self.old.steps[old]
            template = ((Slot(0), place), {})
            level = self.steps[holder].level
            number = self.append(Step(operator.getitem, (holder,), template, step.shape, step.dtype, level, step.site))
            self.number[old] = number
        return number

    def replace(self, run: Run, first: int, last: int) -> None:
        """Enter what the run becomes: the steps that it needs, the loop, the steps that need it."""
        inside = set(run.table[:, run.body].ravel().tolist())
        late: set[int] = set(inside)
        early, rest = [], []
        for index in range(first, last + 1):
            if index in inside:
                continue
            if any(source in late for source in self.old.steps[index].inputs):
                late.add(index)
                rest.append(index)
            else:
                early.append(index)
        self.copy(early)
        self.enter(run)
        self.copy(rest)

    def enter(self, run: Run) -> None:
        made = Body(self, run)
        needed = self.needed(run)
        recurrence, operands = made.finish(needed)
        level = max(self.steps[i].level for i in operands)
        site = self.old.steps[run.table[0, run.body[0]]].site
        results = recurrence.carries + len(recurrence.outputs)
        whole = self.append(Step(recurrence, tuple(operands), None, (results,), OBJECT, level, site))
        for k, place in enumerate(made.kept_places):
            step = self.old.steps[run.table[0, place]]
            trajectory = k < len(made.carried_places)
            length = run.count + 1 if trajectory else run.count
            result = made.result_of[place]
            template = ((Slot(0), result), {})
            holder = self.append(
                Step(component, (whole,), template, (length, *step.shape), step.dtype, level, step.site)
            )
            if trajectory:
                self.starts[holder] = operands[result]
            for t, index in enumerate(run.table[:, place].tolist()):
                self.held[index] = (holder, t + 1 if trajectory else t)

    def needed(self, run: Run) -> list[int]:
        """Return the places that are read from outside of the loop."""
        return [place for place in run.body if any(self.read_outside[i] for i in run.table[:, place].tolist())]

    def joined(self, step: Step) -> int | None:
        """Return a step equal to a pack of which stretches are stretches of trajectories; None if there are none."""
        if step.shape[:1] != (len(step.inputs),):
            return None
        places = [self.held.get(old) for old in step.inputs]
        pieces: list[tuple[int, int, int, int]] = []  # (start, stop, holder, place of the first)
        start = 0
        while start < len(places):
            stop = start + 1
            if places[start] is not None:
                holder, place = places[start]
                while stop < len(places) and places[stop] == (holder, place + stop - start):
                    stop += 1
                first = start and place == 1 and self.starts.get(holder) == self.number.get(step.inputs[start - 1])
                if first and pieces and pieces[-1][2] < 0:  # the initial value comes before
                    before = pieces.pop()
                    if before[1] - before[0] > 1:
                        pieces.append((before[0], before[1] - 1, -1, 0))
                    start, place = start - 1, 0
                pieces.append((start, stop, holder, place))
            elif pieces and pieces[-1][2] < 0:
                pieces[-1] = (pieces[-1][0], stop, -1, 0)
            else:
                pieces.append((start, stop, -1, 0))
            start = stop
        if len(pieces) > 5 or all(holder < 0 for _, _, holder, _ in pieces):
            return None
        parts = [self.piece(step, *piece) for piece in pieces]
        if len(parts) == 1:
            return parts[0]
        template = (([Slot(k) for k in range(len(parts))],), {})
        level = max(self.steps[part].level for part in parts)
        return self.append(Step(np.concatenate, tuple(parts), template, step.shape, step.dtype, level, step.site))

    def piece(self, step: Step, start: int, stop: int, holder: int, place: int) -> int:
        """Return a step with the entries from `start` to `stop` of a pack."""
        shape = (stop - start, *step.shape[1:])
        if holder < 0:
            inputs = tuple(self.at(old) for old in step.inputs[start:stop])
            template = ((shape, *(Slot(k) for k in range(len(inputs)))), {})
            level = max(self.steps[part].level for part in inputs)
            return self.append(Step(pack, inputs, template, shape, step.dtype, level, step.site))
        if self.steps[holder].shape[0] == stop - start:
            return holder
        template = ((Slot(0), slice(place, place + stop - start)), {})
        level = self.steps[holder].level
        return self.append(Step(operator.getitem, (holder,), template, shape, step.dtype, level, step.site))
