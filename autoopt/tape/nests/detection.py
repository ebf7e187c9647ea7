"""Loops over growing windows become one step each, where a tape has kept every write into an array.

Of the loops that `folding` finds those are taken in which windows, or the loops within, are of another length in each
iteration: as they stand they would be as many steps as iterations, as no array operation can replace them.
"""

from __future__ import annotations

import operator
from collections import defaultdict
from typing import Any

import numpy as np

from autoopt.tape.nests.folding import Folding, Loop, tokens_of
from autoopt.tape.nests.places import Places
from autoopt.tape.nests.statements import Statements
from autoopt.tape.nests.windows import Differ
from autoopt.tape.operations import component, pack
from autoopt.tape.resting import collector_resting
from autoopt.tape.rewriter import TapeRewriter
from autoopt.tape.simplify import live, without_empty
from autoopt.tape.tape import PARAMETER, Slot, Step, Tape, Template

FEWEST = 60
"""Loops of fewer steps in all stay as they are: their steps are soon derived one by one."""

LENGTHS = 8
"""The number of lengths of windows that one place of the objective reads from which on the loops are looked for."""

MOST = 12
"""Of more nests one is likely within a loop that was not seen."""

OBJECT = np.dtype(object)


def has_growing_windows(tape: Tape) -> bool:
    """Whether one place of the objective reads windows of many lengths, each time of another array."""
    if len(tape.steps) < FEWEST:
        return False
    reads = [
        k
        for k, step in enumerate(tape.steps)
        if step.level == PARAMETER and step.shape and step.operation in (operator.getitem, pack)
    ]
    found: dict[int, tuple[set, set]] = defaultdict(lambda: (set(), set()))
    for k, token in zip(reads, tokens_of(tape.steps, reads, forms=False).tolist(), strict=True):
        step = tape.steps[k]
        shapes, sources = found[token]
        shapes.add(step.shape)
        sources.add(step.inputs[:1] if step.operation is operator.getitem else step.inputs)
    return any(len(shapes) >= LENGTHS and len(sources) > 1 for shapes, sources in found.values())


def nested(tape: Tape) -> Tape | None:
    """Return the tape with every loop over growing windows as one step; None if there is none, or not every one is."""
    nodes = [k for k, step in enumerate(tape.steps) if step.operation is not None]
    with collector_resting():
        writer = _Nesting(tape)
        try:
            for loop in Folding(tape.steps, nodes).loops():
                if _grows(tape, loop):
                    writer.enter(loop)
        except Differ:
            return None
        return live(without_empty(writer.tape())) if 0 < writer.nests <= MOST else None


def _grows(tape: Tape, loop: Loop) -> bool:
    """Whether windows in a loop, or the loops in it, are of several lengths."""
    places = loop.places()
    if sum(len(place.steps) for place in places) < FEWEST:
        return False
    if not any(tape.steps[place.steps[-1]].level == PARAMETER for place in places):
        return False
    return any(len({tape.steps[i].shape for i in place.steps}) > 1 for place in places) or _any_grow(loop)


def _any_grow(loop: Loop) -> bool:
    inner = [part for part in loop.body if isinstance(part, Loop)]
    return any(len(set(part.counts)) > 1 or _any_grow(part) for part in inner)


class _Nesting(TapeRewriter):
    """The new tape under construction."""

    def __init__(self, old: Tape) -> None:
        super().__init__(old)
        self.done = 0
        self.nests = 0
        self.held: dict[int, tuple[int, tuple[int, ...]]] = {}
        self.readers: dict[int, list[int]] = defaultdict(list)
        for index, step in enumerate(old.steps):
            for source in step.inputs:
                self.readers[source].append(index)

    def enter(self, loop: Loop) -> None:
        """Enter what is before a loop, and the loop as one step."""
        places = Places(self.old, loop)
        inside = {i for place in places.places for i in place.steps}
        roots = {self.old.output, *(guard.step for guard in self.old.guards)}
        if inside.intersection(guard.step for guard in self.old.guards):
            raise Differ("branches within the loops")
        outside = {i for i in inside if i in roots or any(r not in inside for r in self.readers[i])}
        statements = Statements(places, outside)
        nest = statements.nest
        self._copy(min(inside))
        operands = [self.constant(o) if isinstance(o, np.ndarray) else self.at(o) for o in self._ready(statements)]
        level = max(self.steps[k].level for k in operands)
        site = self.old.steps[max(inside)].site
        whole = self.append(Step(nest, tuple(operands), None, (len(nest.results),), OBJECT, level, site))
        parts = []
        for k, array in enumerate(nest.results):
            template: Template = ((Slot(0), k), {})
            parts.append(
                self.append(Step(component, (whole,), template, nest.shapes[array], np.dtype(float), level, site))
            )
        for index, (k, place) in statements.held.items():
            self.held[index] = (parts[k], place)
        for index in range(self.done, max(inside) + 1):
            if index not in inside and index not in self.number:
                self.take(index)
        self.done = max(inside) + 1
        self.nests += 1

    def _ready(self, statements: Statements) -> list[Any]:
        """Return the operands, constants among the loop's steps being entered first."""
        for operand in statements.operands:
            if isinstance(operand, int) and operand not in self.number and self.old.steps[operand].operation is None:
                self.take(operand)
        return statements.operands

    def _copy(self, stop: int) -> None:
        for index in range(self.done, stop):
            if index not in self.number:
                self.take(index)
        self.done = stop

    def at(self, old: int) -> int:
        """Return the new step with the value of an old one, read from the array that holds it."""
        if old not in self.number and old in self.held:
            holder, place = self.held[old]
            if not place:
                self.number[old] = holder
            else:
                step, above = self.old.steps[old], self.steps[holder]
                template: Template = ((Slot(0), place if len(place) > 1 else place[0]), {})
                self.number[old] = self.append(
                    Step(operator.getitem, (holder,), template, step.shape, step.dtype, above.level, step.site)
                )
        return self.number[old]

    def tape(self) -> Tape:
        """Return the new tape."""
        self._copy(len(self.old.steps))
        return self.finished()
