"""A tape rewritten so that runs of blocks are one step each.

A run is replaced in three parts: its steps that the loop needs, the loop, its steps that need the loop.

    run         p[1]  *  y[0]  +  tanh  square   p[1]  *  y[1]  +  tanh  square   ...      all but y[t] are the loop's
    new tape    y[0]  y[1] ... y[11]    loop    component 0    component 1

What the loop has made is on the new tape in one array for each result, the `holder`; an old step is entry so and so of
it (`held`), and becomes a step that reads this entry only when somebody asks for it by `at`. Most do not: a pack of
such steps, as np.array(states) leaves one, is the array itself, or stretches of it put together (`joined`).

    states = [p[0]]; for ...: states.append(np.tanh(states[-1]));  np.array(states)
    old tape    2  p[0]    3  tanh(2)    4  tanh(3) ... 14  tanh(13)    15  pack(2, 3, 4, ..., 14)
    new tape    2  p[0]    3  loop       4  component 0 of 3, shape (13,), which is the pack
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from autoopt.tape.loops.bodies import Body
from autoopt.tape.loops.ends import divided, extended
from autoopt.tape.loops.runs import Run
from autoopt.tape.operations import component, pack
from autoopt.tape.recurrence import SHORTEST
from autoopt.tape.rewriter import TapeRewriter
from autoopt.tape.tape import PARAMETER, Slot, Step, Tape, Template

OBJECT = np.dtype(object)

MOST_STRETCHES = 5
"""A pack of more stretches stays a pack: it is as short as their concatenation."""


class Stretch(NamedTuple):
    """Entries `start` to `stop` of a pack: those from `place` on of the array `holder`; None if no array holds them."""

    start: int
    stop: int
    holder: int | None
    place: int


class Reroller(TapeRewriter):
    """A new tape under construction, in which runs are loops."""

    def __init__(self, old: Tape, runs: Sequence[Run]) -> None:
        super().__init__(old)
        self.runs = runs
        self.starts: dict[int, int] = {}  # trajectory -> its initial value
        self.held: dict[int, tuple[int, int]] = {}  # old step -> (step of the array that holds it, place along axis 0)
        self.lower: dict[int, tuple[int, int]] = {}  # the same of steps that are on the new tape, too, below parameters
        self.read_outside = self._read_outside()
        self.runs = self._extended()
        self.read_outside = self._read_outside()

    def _extended(self) -> list[Run]:
        """Return the runs with their first and last iterations."""
        spans = [(int(run.table[0, 0]), int(run.table[-1, -1])) for run in self.runs]
        ends = [-1, *(last for _, last in spans)]
        begins = [*(first for first, _ in spans), len(self.old.steps)]
        runs: list[Run] = []
        for k, run in enumerate(self.runs):
            after = max(self._steps_of(runs[-1]), default=ends[k]) if runs else -1
            runs.append(extended(self.old, run, self.needed(run), (after + 1, begins[k + 1])))
        return runs

    def _steps_of(self, run: Run) -> set[int]:
        """Return the old steps that a loop takes the place of."""
        own = {*run.table[run.model :, run.body].ravel().tolist(), *run.rest.values()} - {-1}
        first = [i for i in run.table[: run.model, run.body].ravel().tolist() if not self.is_lower(i)]
        return own.union(first)

    def is_lower(self, index: int) -> bool:
        """Whether an old step of a first block is below parameters."""
        return self.old.steps[index].level != PARAMETER

    def _read_outside(self) -> bytearray:
        """Return for every old step whether something reads it that is not in the same loop."""
        loop = [0] * len(self.old.steps)
        for number, run in enumerate(self.runs, 1):
            for index in {*run.table[:, run.body].ravel().tolist(), *run.rest.values()} - {-1}:
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
        """Return the new tape."""
        position = 0
        for run in self.runs:
            inside = self._steps_of(run)
            first = min(int(run.table[run.model, 0]), *inside)
            last = max(int(run.table[-1].max()), *inside)
            self.copy(range(position, first))
            self.replace(run, first, last)
            position = last + 1
        self.copy(range(position, len(self.old.steps)))
        guards = [guard._replace(step=self.at(guard.step)) for guard in self.old.guards]
        return self.finished(guards)

    def copy(self, indices: Sequence[int]) -> None:
        """Enter old steps as they are, but for packs of what loops have made."""
        for index in indices:
            step = self.old.steps[index]
            if step.operation is pack and len(step.inputs) >= SHORTEST and (joined := self.joined(step)) is not None:
                self.number[index] = joined
            else:
                self.take(index)

    def take(self, index: int) -> None:
        """Enter an old step as it is; one of parameters reads what loops hold."""
        step = self.old.steps[index]
        if step.level != PARAMETER or self.lower.keys().isdisjoint(step.inputs):
            super().take(index)
            return
        inputs = [self.entry(old, self.lower[old]) if old in self.lower else self.at(old) for old in step.inputs]
        self.number[index] = self.append(step._replace(inputs=tuple(inputs)))

    def at(self, old: int) -> int:
        """Return the new step with the value of an old one."""
        number = self.number.get(old)
        if number is None:
            number = self.number[old] = self.entry(old, self.held[old])
        return number

    def entry(self, old: int, held: tuple[int, int]) -> int:
        """Return a step that reads the value of an old one where a loop holds it."""
        holder, place = held
        step = self.old.steps[old]
        template: Template = ((Slot(0), place), {})
        level = self.steps[holder].level
        return self.append(Step(operator.getitem, (holder,), template, step.shape, step.dtype, level, step.site))

    def replace(self, run: Run, first: int, last: int) -> None:
        """Enter what the run becomes: the steps that it needs, the loop, the steps that need it."""
        inside = self._steps_of(run)
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
        """Enter the loop, and one step for each of its results that is read: an array with the values of all blocks."""
        needed = self.needed(run)
        if not run.rest:
            self.enter_part(run, Body(self, run), needed)
            return
        handing_on, last = divided(self.old, run)
        self.enter_part(handing_on, Body(self, handing_on), [])
        self.enter_part(last, Mapped(self, last), [place for place in needed if place in run.rest])

    def enter_part(self, run: Run, body: Body, needed: Sequence[int]) -> None:
        """Enter one operation."""
        recurrence, operands = body.finish(needed)
        level = max(self.steps[i].level for i in operands)
        site = self.old.steps[run.sample(run.body[0])].site
        results = recurrence.carries + len(recurrence.outputs)
        whole = self.append(Step(recurrence, tuple(operands), None, (results,), OBJECT, level, site))
        for k, place in enumerate(body.kept_places):
            step = self.old.steps[run.sample(place)]
            trajectory = k < len(body.carried_places)
            shape = (run.count + 1 if trajectory else run.count, *step.shape)
            result = body.result_of[place]
            template: Template = ((Slot(0), result), {})
            holder = self.append(Step(component, (whole,), template, shape, step.dtype, level, step.site))
            if trajectory:
                self.starts[holder] = operands[result]
            for t, index in enumerate(run.table[:, place].tolist()):
                if index < 0:
                    continue
                held = self.lower if t < run.model and self.is_lower(index) else self.held
                held[index] = (holder, t + 1 if trajectory else t)

    def needed(self, run: Run) -> list[int]:
        """Return the places that are read from outside of the loop."""
        columns = {place: run.table[:, place].tolist() for place in run.body}
        return [
            place
            for place, column in columns.items()
            if any(self.read_outside[i] for i in (*column, run.rest.get(place, -1)) if i >= 0)
        ]

    def joined(self, step: Step) -> int | None:
        """Return a step equal to a pack of which stretches are stretches of trajectories; None if there are none."""
        if step.shape[:1] != (len(step.inputs),):
            return None
        stretches = self.stretches(step.inputs)
        if len(stretches) > MOST_STRETCHES or all(stretch.holder is None for stretch in stretches):
            return None
        arrays = [self.part(step, stretch) for stretch in stretches]
        if len(arrays) == 1:
            return arrays[0]
        template: Template = (([Slot(k) for k in range(len(arrays))],), {})
        level = max(self.steps[array].level for array in arrays)
        return self.append(Step(np.concatenate, tuple(arrays), template, step.shape, step.dtype, level, step.site))

    def stretches(self, entries: Sequence[int]) -> list[Stretch]:
        """Return old steps, the entries of a pack, as stretches that one array holds one after the other, and others.

        `states = [s0]; states.append(s1) ...; np.array(states)` is the whole trajectory of s: entry 0 of it is the
        initial value, which is no step of the loop and so is held by nothing, but is the one that the loop starts from.
        """
        held = [self.held.get(old, self.lower.get(old)) for old in entries]
        stretches: list[Stretch] = []
        start = 0
        while start < len(held):
            stop = start + 1
            at = held[start]
            if at is None:
                if stretches and stretches[-1].holder is None:
                    stretches[-1] = stretches[-1]._replace(stop=stop)
                else:
                    stretches.append(Stretch(start, stop, None, 0))
                start = stop
                continue
            holder, place = at
            while stop < len(held) and held[stop] == (holder, place + stop - start):
                stop += 1
            follows_initial = start and place == 1 and self.starts.get(holder) == self.number.get(entries[start - 1])
            if follows_initial and stretches and stretches[-1].holder is None:
                before = stretches.pop()
                if before.stop - before.start > 1:
                    stretches.append(before._replace(stop=before.stop - 1))
                start, place = start - 1, 0
            stretches.append(Stretch(start, stop, holder, place))
            start = stop
        return stretches

    def part(self, step: Step, stretch: Stretch) -> int:
        """Return a step with the entries of one stretch of a pack."""
        start, stop, holder, place = stretch
        shape = (stop - start, *step.shape[1:])
        template: Template
        if holder is None:
            inputs = tuple(self.at(old) for old in step.inputs[start:stop])
            template = ((shape, *(Slot(k) for k in range(len(inputs)))), {})
            level = max(self.steps[part].level for part in inputs)
            return self.append(Step(pack, inputs, template, shape, step.dtype, level, step.site))
        if self.steps[holder].shape[0] == stop - start:
            return holder
        template = ((Slot(0), slice(place, place + stop - start)), {})
        level = self.steps[holder].level
        return self.append(Step(operator.getitem, (holder,), template, shape, step.dtype, level, step.site))


class Mapped(Body):
    """The body of what is computed for all iterations of what a loop has handed on to each."""

    def stacked(self, steps: np.ndarray) -> int:
        rewriter, first = self.rewriter, self.rewriter.old.steps[int(steps[-1])]
        assert isinstance(rewriter, Reroller)
        inputs = tuple(steps.tolist())
        joined = rewriter.joined(
            Step(pack, inputs, None, (len(inputs), *first.shape), first.dtype, PARAMETER, first.site)
        )
        return super().stacked(steps) if joined is None else joined
