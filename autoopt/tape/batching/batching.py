"""Isomorphism batching: the thousands of small steps of a Python loop as the few array steps that they mean.

Every class of `classes.classify` becomes one array step over new leading axes, its members in program order; each
operand is read from its own class by positions, which are slices where they are regular. Returns an equivalent tape of
ordinary operations.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import chain
from math import prod
from typing import Any
from weakref import ref

import numpy as np

from autoopt.tape.batching.batchers import lift, liftable
from autoopt.tape.batching.builder import Operand, TapeBuilder
from autoopt.tape.batching.classes import CONSTANT, INPUT, OTHER, READ, VARIADIC, Partition, StepClass, classify
from autoopt.tape.batching.flatten import flatten
from autoopt.tape.batching.grids import Grid, along, factor, flat, is_regular, varying
from autoopt.tape.loops.checkpoints import checkpointed
from autoopt.tape.loops.detection import recurrences
from autoopt.tape.operations import pack
from autoopt.tape.recurrence import SHORTEST, Recurrence
from autoopt.tape.simplify import live, shared
from autoopt.tape.tape import Guard, Slot, Tape, fitting

SMALL = 30
"""Tapes of fewer steps stay as they are."""

GAIN = 0.7
"""So are those of which more than this share of the steps would be left."""

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
    if len(tape.steps) < SMALL:
        return tape
    known = _vectorised.get(id(tape))
    if known is None or known[0]() is not tape:
        with _collector_resting():
            batched = _batched(flatten(tape))
        batched = batched if len(batched.steps) < GAIN * len(tape.steps) else replace(tape)
        key = id(tape)
        known = _vectorised[key] = (ref(tape, lambda _: _vectorised.pop(key, None)), batched)
    return known[1]


def _batched(tape: Tape) -> Tape:
    """Return a flattened tape with recurrences as one step each, and every class of what is left as one step."""
    classes = classify(tape)
    if len(classes.classes) > 2 * SHORTEST:  # each iteration of a recurrence is a class of its own
        once = shared(tape)
        found = recurrences(once)
        classes = classes if found is once else classify(live(found))
    return live(checkpointed(Batching(classes).run()))


@contextmanager
def _collector_resting() -> Iterator[None]:
    """Keep the garbage collector from walking the whole tape every few thousand steps: it doubles the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


_vectorised: dict[int, tuple[ref, Tape]] = {}  # one tape serves several kinds of derivative


def has_loops(tape: Tape) -> bool:
    """Whether a vectorised tape has recurrences."""
    return any(isinstance(step.operation, Recurrence) for step in tape.steps)


def unrolled(tape: Tape) -> Tape:
    """Return the vectorised tape with each iteration of a recurrence by itself."""
    return batch(flatten(tape))


def batch(tape: Tape) -> Tape:
    """Return the tape with every class of several steps as one step."""
    return live(Batching(classify(tape)).run())


class Batching:
    """One tape on its way from steps to arrays.

    Attributes
    ----------
    classes : Partition
    program : TapeBuilder
        The new tape.
    arrays : dict of int to (int, Grid)
        The classes that are arrays: their step in the new tape and their leading axes.
    """

    def __init__(self, classes: Partition) -> None:
        self.classes = classes
        self.steps = classes.tape.steps
        self.values = classes.tape.values
        self.program = TapeBuilder()
        self.arrays: dict[int, tuple[int, Grid]] = {}
        self._singles: dict[int, int] = {}
        self._reads: dict[int, np.ndarray] = {}

    def run(self) -> Tape:
        """Return the new tape."""
        for group in self.classes.classes:
            if group.kind == INPUT:
                self._input(group.members[0])
        lifted = self._chosen()
        for number, group in enumerate(self.classes.classes):
            if group.kind != OTHER:
                continue
            self.program.site = self.steps[group.members[group.count // 2]].site  # the first may stem from elsewhere
            if lifted[number]:
                self.arrays[number] = lift(self, group)
            else:
                for step in group.members:
                    self._singles[step] = self._emit(step)
        self._finish()
        return self.program.tape

    def _chosen(self) -> list[bool]:
        """Decide which classes become arrays."""
        classes = self.classes.classes
        wanted = [False] * len(classes)
        lifted = [False] * len(classes)
        for number in range(len(classes) - 1, -1, -1):
            group = classes[number]
            if group.kind == OTHER:
                size = prod(group.step.shape)
                enough = group.count >= FEW or (group.count > 1 and wanted[number])
                enough = enough and (size <= LARGE or group.count >= SEVERAL)
                lifted[number] = enough and liftable(group.step)
                several = lifted[number] or group.operation in VARIADIC or group.operation is pack
            else:
                several = group.kind == READ and wanted[number]
            if several:
                for source in self._varied(group):
                    wanted[source] = True
        return lifted

    def _varied(self, group: StepClass) -> list[int]:
        """Return the classes of which the members of one class read different members."""
        of = self.classes.of
        if group.operation in VARIADIC or group.operation is pack:
            sources = np.unique(self.sources(group.members)[0])
            kinds, counts = np.unique(of[sources], return_counts=True)
            return kinds[counts > 1].tolist()
        table = self.classes.operands(group.members)
        return [int(of[column[0]]) for column in table.T if np.any(column != column[0])]

    # Steps of the old tape --------------------------------------------------------------------------------------------

    def sources(self, members: Sequence[int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the operands of steps, however many each, one after the other, with their member and their sign."""
        steps = self.steps
        counts = [len(steps[member].inputs) for member in members]
        every = np.fromiter(chain.from_iterable(steps[member].inputs for member in members), np.int64, sum(counts))
        plus = [
            count if not (t := steps[m].template) or "minus" not in t[1] else len(t[0])
            for m, count in zip(members, counts, strict=True)
        ]
        signs = np.concatenate([np.arange(count) >= first for count, first in zip(counts, plus, strict=True)])
        return self.classes.same[every], np.repeat(np.arange(len(members)), counts), signs

    def _input(self, step: int) -> None:
        new = self._singles[step] = self.program.append(self.steps[step])
        if step in self.values:
            self.program.tape.values[new] = self.values[step]

    def single(self, step: int) -> int:
        """Return the new step of one old step."""
        step = int(self.classes.same[step])
        if step in self._singles:
            return self._singles[step]
        number = int(self.classes.of[step])
        group = self.classes.classes[number]
        if group.kind == CONSTANT:
            new = self.program.constant(self.values[step])
        elif group.kind == READ:
            site, self.program.site = self.program.site, self.steps[step].site
            place = self.steps[step].template[0][1]
            base = self.single(self.steps[step].inputs[0])
            new = self.program.index(base, place if type(place) is tuple else (place,))
            self.program.site = site
        else:
            array, grid = self.arrays[number]
            new = self.program.index(array, [int(k) for k in np.unravel_index(self.classes.place[step], grid)])
        self._singles[step] = new
        return new

    def slice_of(self, step: int) -> int:
        """Return the new step of one old step with an axis of length one before its own."""
        number = int(self.classes.of[step])
        group = self.classes.classes[number]
        if group.kind == READ:
            place = self.steps[step].template[0][1]
            place = place if type(place) is tuple else (place,)
            base = self.single(self.steps[step].inputs[0])
        elif number in self.arrays:
            base, grid = self.arrays[number]
            place = tuple(int(k) for k in np.unravel_index(self.classes.place[step], grid))
        else:
            place = ()
        if not place:
            return self.program.reshape(self.single(step), (1, *group.step.shape))
        return self.program.index(base, [*place[:-1], slice(place[-1], place[-1] + 1 or None)])

    def _emit(self, index: int) -> int:
        """Add one old step by itself."""
        step = self.steps[index]
        self.program.site = step.site
        if step.operation in VARIADIC or (step.operation is pack and len(step.inputs) >= FEW):
            return lift(self, StepClass(OTHER, step, [index]))[0]
        return self.program.append(step._replace(inputs=tuple([self.single(source) for source in step.inputs])))

    # Operands ---------------------------------------------------------------------------------------------------------

    def constants(self, steps: np.ndarray) -> np.ndarray | None:
        """Return the values of scalar constants, None if the steps are anything else."""
        group = self.classes.classes[self.classes.of[steps[0]]]
        if group.kind != CONSTANT or group.step.shape:
            return None
        return fitting([self.values[step] for step in steps.tolist()])

    def resolve(self, steps: np.ndarray) -> tuple[int, list[np.ndarray]]:
        """Return the array that holds steps of one class, and where on each of its leading axes they are."""
        if not np.any(steps != steps[0]):
            return self.single(steps[0]), []
        number = int(self.classes.of[steps[0]])
        group = self.classes.classes[number]
        if group.kind == READ:
            base, positions = self.resolve(self.classes.operands(steps)[:, 0])
            table = self._read_places(number, group)[self.classes.place[steps]]
            lengths = self.program.shape(base)[len(positions) :]
            columns = [
                np.where(column < 0, column + length, column) for column, length in zip(table.T, lengths, strict=False)
            ]
            return base, positions + columns
        if number in self.arrays:
            array, grid = self.arrays[number]
            return array, list(np.unravel_index(self.classes.place[steps], grid))
        distinct, inverse = np.unique(steps, return_inverse=True)
        if group.kind == CONSTANT:
            return self.program.constant(np.stack([self.values[step] for step in distinct.tolist()])), [inverse]
        return self.program.stack([self.single(step) for step in distinct]), [inverse]

    def _read_places(self, number: int, group: StepClass) -> np.ndarray:
        if number not in self._reads:
            places = [self.steps[member].template[0][1] for member in group.members]
            self._reads[number] = np.array(places, dtype=np.int64).reshape(group.count, -1)
        return self._reads[number]

    def operand(self, steps: np.ndarray, grid: Grid) -> Operand:
        """Return old steps of one class, one for each point of the grid, as an operand."""
        values = self.constants(steps)
        if values is None:
            base, positions = self.resolve(steps)
            return self.program.fetch(base, positions, grid)
        if not np.any(values != values[0]):
            return Operand(self.single(steps[0]), (), 0)
        axes = varying(values, grid)
        return Operand(self.program.numbers(along(values, grid, axes)), axes, 0)

    def arranged(self, group: StepClass) -> tuple[list[np.ndarray], Grid]:
        """Return the operands of a class, columns of old steps, and its grid, with the members put in order.

        That is program order unless fewer of the operands are irregular in another: members that stem from elsewhere,
        such as the first of a loop, are met out of turn.
        """
        table = self.classes.operands(group.members)
        if group.count == 1:
            return list(table.T), ()
        where = [None if self.constants(column) is not None else self.resolve(column) for column in table.T]
        where = [found for found in where if found is not None and found[1]]

        def tried(order: Any) -> tuple[int, Grid]:
            moved = [
                (self.program.shape(base), [position[order] for position in positions]) for base, positions in where
            ]
            grid = factor([position for _, positions in moved for position in positions], group.count)
            return sum(not is_regular(positions, shape[: len(positions)], grid) for shape, positions in moved), grid

        worst, grid = tried(slice(None))
        best = None
        for base, positions in where if worst else ():
            line = flat(positions, self.program.shape(base)[: len(positions)])
            order = np.argsort(line)
            if np.all(np.diff(line[order])):
                irregular, other = tried(order)
                if irregular < worst:
                    worst, grid, best = irregular, other, order
        if best is not None:
            self.classes.reorder(group, best)
            table = table[best]
        return list(table.T), grid

    def grid(self, columns: Sequence[np.ndarray], count: int) -> Grid:
        """Return the loops that `count` members run over, judged by where their operands, columns of steps, lie."""
        positions: list[np.ndarray] = []
        for column in columns:
            if self.constants(column) is None:
                positions.extend(self.resolve(column)[1])
        return factor(positions, count)

    # The end ----------------------------------------------------------------------------------------------------------

    def _finish(self) -> None:
        """Carry over the output, the guards and the names."""
        old, new = self.classes.tape, self.program.tape
        self.program.site = self.steps[old.output].site
        new.output = self.single(old.output)
        new.data_decided = old.data_decided
        new.guards = self._guards(old.guards)
        for step, name in old.names.items():
            if int(self.classes.same[step]) in self._singles:
                new.names[self._singles[int(self.classes.same[step])]] = name

    def _guards(self, guards: Sequence[Guard]) -> list[Guard]:
        """Return the guards, those on booleans of one class as one, and one for a question that is asked again."""
        kept: list[Guard] = []
        asked: set[tuple[int, str]] = set()
        alike: dict[tuple[int, str], list[Guard]] = {}
        for guard in guards:
            number = int(self.classes.of[guard.step])
            boolean = (
                guard.kind in ("bool", "finite")
                and self.steps[guard.step].dtype == np.bool_
                and not self.steps[guard.step].shape
            )
            if boolean and number in self.arrays:
                alike.setdefault((number, guard.kind), []).append(guard)
                continue
            step = self.single(guard.step)
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
        self.program.site = group[0].site
        base, positions = self.resolve(steps)
        if not positions:
            return [group[0]._replace(step=base)]
        found = self.program.fetch(base, positions, factor(positions, len(steps))).step
        if given.all() or not given.any():
            kind, answer = (np.all, True) if given[0] else (np.any, False)
        else:
            kind, answer = np.all, True
            found = self.program.binary(
                np.equal, found, self.program.constant(given.reshape(self.program.shape(found)))
            )
        one = self.program.call(kind, (found,), (), np.dtype(bool), ((Slot(0),), {}))
        return [Guard(one, group[0].kind, answer, group[0].site)]
