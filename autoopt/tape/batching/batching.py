"""Isomorphism batching: the thousands of small steps of a Python loop as the few array steps that they mean.

Every class of `classes.classify` becomes one array step over new leading axes, its members in program order; each
operand is read from its own class by positions, which are slices where they are regular. Returns an equivalent tape of
ordinary operations:

    for i in range(12):
        e = y[i] - p[0] * X[i, 0] - p[1] * X[i, 1]
        s += e * e

      3  y[0]    4  p[0]   5  X[0, 0]    6  4 * 5    7  3 - 6               3  p * X         shape (12, 2)
                 8  p[1]   9  X[0, 1]   10  8 * 9   11  7 - 10              4  3[:, 0]       5  y - 4
     12  11 * 11                                                            6  3[:, 1]       7  5 - 6
     14  y[1]   ... and so on, 12 times                                     8  7 * 7
    124  total(12, 23, 33, ..., 123)                                        9  np.sum(8)

New step 3 is the class of 6, 10, 17, 21, ...: 24 products. They lie on a *grid* of 12 by 2, because that is how X[i, k]
is read; along it p[k] varies over the second axis alone, and is broadcast. The class of 7, 18, ... has 12 members, and
reads the entries (0, 0), (1, 0), ... of step 3: `3[:, 0]`.

Classes are taken in an order in which every one comes after those of its operands. So whenever one is added, each old
step before it is one of three things, which `Placement.resolve` tells apart: a step of the new tape by itself, an entry
of the array of its class, or (constants and reads at fixed positions) not there yet, and made when somebody asks.

Why: PyTensor derives and compiles a graph step by step, so thousands of them take minutes; and NumPy takes little more
time for an array of a few hundred numbers than for one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from math import prod
from weakref import ref

import numpy as np

from autoopt.tape.batching.batchers import add_batch, batchable
from autoopt.tape.batching.classes import INPUT, OTHER, READ, VARIADIC, Partition, StepClass, classify
from autoopt.tape.batching.contractions import contracted
from autoopt.tape.batching.flatten import flatten
from autoopt.tape.batching.grids import factor
from autoopt.tape.batching.placement import Placement
from autoopt.tape.batching.slices import cumulative
from autoopt.tape.batching.twins import twins_shared
from autoopt.tape.batching.writes import put_together
from autoopt.tape.loops.checkpoints import checkpointed
from autoopt.tape.loops.detection import recurrences
from autoopt.tape.loops.uniform import uniform
from autoopt.tape.nests.nest import Nest
from autoopt.tape.operations import component, pack
from autoopt.tape.recurrence import SHORTEST, Recurrence
from autoopt.tape.resting import collector_resting
from autoopt.tape.simplify import live, shared
from autoopt.tape.tape import PARAMETER, Guard, Slot, Tape

SMALL = 30
"""Tapes of fewer steps stay as they are."""

GAIN = 0.7
"""Tapes of which more than this share of the steps would be left stay as they are, too."""

MANY, FEWER = 200, 0.5
"""More steps than MANY may come of loops whose iterations are of a few kinds, which become alike if FEWER are left."""

FEW = 4
"""A class of fewer members is an array only if another array is made of it."""

LARGE, SEVERAL = 4096, 16
"""Members of more than LARGE entries are put together only if there are at least SEVERAL of them."""


def vectorise(tape: Tape) -> Tape:
    """Return an equivalent tape in which the steps of loops are array steps; `tape` itself where that gains nothing.

    Notes
    -----
    Sums are added up in another order than the user's: values agree to rounding.
    """
    kept = _vectorised.get(id(tape))
    if kept is None or kept[0]() is not tape:
        batched = tape
        if len(tape.steps) >= SMALL:
            with collector_resting():
                batched = _batched(cumulative(put_together(tape)))
            batched = batched if len(batched.steps) < GAIN * len(tape.steps) else replace(tape)
        batched = twins_shared(contracted(batched))
        if batched is tape:
            return tape
        key = id(tape)
        kept = _vectorised[key] = (ref(tape, lambda _: _vectorised.pop(key, None)), batched)
    return kept[1]


def _batched(tape: Tape) -> Tape:
    """Return a tape in few steps; where many are left, with the iterations of its loops made alike first."""
    batched = _in_classes(flatten(tape))
    if sum(step.level == PARAMETER for step in batched.steps) <= MANY:
        return batched
    alike = uniform(live(shared(tape)))
    other = batched if alike is None else _in_classes(flatten(alike))
    return other if len(other.steps) < FEWER * len(batched.steps) else batched


def _in_classes(tape: Tape) -> Tape:
    """Return a flattened tape with recurrences as one step each, and every class of what is left as one step."""
    classes = classify(tape)
    if len(classes.classes) > 2 * SHORTEST:  # each iteration of a recurrence is a class of its own
        computed_once = shared(tape)
        with_loops = recurrences(computed_once)
        classes = classes if with_loops is computed_once else classify(live(with_loops))
    return live(checkpointed(Batching(classes).run()))


_vectorised: dict[int, tuple[ref, Tape]] = {}  # one tape serves several kinds of derivative


def has_loops(tape: Tape) -> bool:
    """Whether a vectorised tape has recurrences, or nests of loops."""
    return any(isinstance(step.operation, Recurrence | Nest) for step in tape.steps)


def unrolled(tape: Tape) -> Tape:
    """Return the vectorised tape with each iteration of a recurrence by itself."""
    return batch(flatten(tape))


def batch(tape: Tape) -> Tape:
    """Return the tape with every class of several steps as one step."""
    return live(Batching(classify(tape)).run())


class Batching:
    """One tape on its way from steps to arrays."""

    def __init__(self, classes: Partition) -> None:
        self.classes = classes
        self.steps = classes.tape.steps
        self.placement = Placement(classes)
        self.builder = self.placement.builder

    def run(self) -> Tape:
        """Return the new tape."""
        for group in self.classes.classes:
            if group.kind == INPUT:
                self._input(group.members[0])
        batched = self._chosen()
        for number, group in enumerate(self.classes.classes):
            if group.kind != OTHER:
                continue
            self.builder.site = self.steps[group.members[group.count // 2]].site  # the first may stem from elsewhere
            if batched[number]:
                self.placement.arrays[number] = add_batch(self.placement, group)
            else:
                for step in group.members:
                    self.placement.singles[step] = self._emit(step)
        self._finish()
        return self.builder.tape

    def _chosen(self) -> list[bool]:
        """Decide which classes become arrays."""
        classes = self.classes.classes
        wanted = [False] * len(classes)
        batched = [False] * len(classes)
        for number in range(len(classes) - 1, -1, -1):
            group = classes[number]
            if group.kind == OTHER:
                size = prod(group.step.shape)
                enough = group.count >= FEW or (group.count > 1 and wanted[number])
                enough = enough and (size <= LARGE or group.count >= SEVERAL)
                batched[number] = enough and batchable(group.step) and self._is_whole(group)
                several = batched[number] or group.operation in VARIADIC or group.operation is pack
            else:
                several = group.kind == READ and wanted[number]
            if several:
                for source in self._varied(group):
                    wanted[source] = True
        return batched

    def _is_whole(self, group: StepClass) -> bool:
        """Whether a class is not of one of several results whose functions stay single."""
        step = group.step
        return step.operation is not component or batchable(self.steps[step.inputs[0]])

    def _varied(self, group: StepClass) -> list[int]:
        """Return the classes of which the members of one class read different members."""
        of = self.classes.of
        if group.operation in VARIADIC or group.operation is pack:
            sources, _ = np.unique(self.placement.sources(group.members)[0], return_counts=True)  # else loads numpy.ma
            kinds, counts = np.unique(of[sources], return_counts=True)
            return kinds[counts > 1].tolist()
        table = self.classes.operands(group.members)
        return [int(of[column[0]]) for column in table.T if np.any(column != column[0])]

    def _input(self, step: int) -> None:
        new = self.placement.singles[step] = self.builder.append(self.steps[step])
        if step in self.placement.values:
            self.builder.tape.values[new] = self.placement.values[step]

    def _emit(self, index: int) -> int:
        """Add one old step by itself."""
        step = self.steps[index]
        self.builder.site = step.site
        if step.operation in VARIADIC or (step.operation is pack and len(step.inputs) >= FEW):
            return add_batch(self.placement, StepClass(OTHER, step, [index]))[0]
        inputs = tuple([self.placement.single(source) for source in step.inputs])
        return self.builder.append(step._replace(inputs=inputs))

    def _finish(self) -> None:
        """Carry over the output, the guards and the names."""
        old, new = self.classes.tape, self.builder.tape
        self.builder.site = self.steps[old.output].site
        new.output = self.placement.single(old.output)
        new.data_decided = old.data_decided
        new.guards = self._guards(old.guards)
        for step, name in old.names.items():
            if int(self.classes.same[step]) in self.placement.singles:
                new.names[self.placement.singles[int(self.classes.same[step])]] = name

    def _guards(self, guards: Sequence[Guard]) -> list[Guard]:
        """Return the guards, those on booleans of one class as one, and one for a question that is asked again."""
        kept: list[Guard] = []
        asked: set[tuple[int, str]] = set()
        alike: dict[tuple[int, str], list[Guard]] = {}
        counts = Counter(int(self.classes.of[guard.step]) for guard in guards)
        classes = self.classes.classes  # what a loop has asked in each iteration is read from an array of its answers
        read_often = {number for number, count in counts.items() if count >= FEW and classes[number].kind == READ}
        for guard in guards:
            number = int(self.classes.of[guard.step])
            boolean = (
                guard.kind in ("bool", "finite")
                and self.steps[guard.step].dtype == np.bool_
                and not self.steps[guard.step].shape
            )
            if boolean and (number in self.placement.arrays or number in read_often):
                alike.setdefault((number, guard.kind), []).append(guard)
                continue
            step = self.placement.single(guard.step)
            if (step, guard.kind) not in asked:
                asked.add((step, guard.kind))
                kept.append(guard._replace(step=step))
        for group in alike.values():
            kept.extend(self._joint_guard(group))
        return kept

    def _joint_guard(self, group: list[Guard]) -> list[Guard]:
        """Return one guard for many answers to one question."""
        answers = {int(self.classes.same[guard.step]): guard.answer for guard in group}
        steps, given = np.array(list(answers)), np.array(list(answers.values()))
        self.builder.site = group[0].site
        base, positions = self.placement.resolve(steps)
        if not positions:
            return [group[0]._replace(step=base)]
        found = self.builder.fetch(base, positions, factor(positions, len(steps))).step
        if given.all() or not given.any():
            kind, answer = (np.all, True) if given[0] else (np.any, False)
        else:
            kind, answer = np.all, True
            found = self.builder.binary(
                np.equal, found, self.builder.constant(given.reshape(self.builder.shape(found)))
            )
        one = self.builder.call(kind, (found,), (), np.dtype(bool), ((Slot(0),), {}))
        return [Guard(one, group[0].kind, answer, group[0].site)]
