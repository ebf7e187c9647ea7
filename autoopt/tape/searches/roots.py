"""The tape with Newton's method behind its searches, read in place of what their loops have left."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from autoopt.tape.names import fresh
from autoopt.tape.rewriter import TapeRewriter
from autoopt.tape.searches.equations import equations
from autoopt.tape.searches.newton import STEPS, WIDTH
from autoopt.tape.searches.searches import Search, Values, is_left, searches
from autoopt.tape.simplify import live
from autoopt.tape.tape import DATA, Leaf, Step, Tape

_FLOAT = np.dtype(float)


def followed(tape: Tape, point: np.ndarray, places: Sequence[Sequence[int]], bare: bool = True) -> Tape:
    """Return the tape with what its searches find as roots; `tape` itself if it has none.

    Parameters
    ----------
    tape : Tape
        As it was recorded.
    point : ndarray, shape (n,)
        Where.
    places : sequence of sequences of int
        From `repeated`.
    bare : bool
        Whether numbers without a history, as literals have that are not traced, are taken for what is searched for.
    """
    values = Values(tape, point)
    found: list[Search] = []
    for steps in places:
        for sides in zip(*(equations(tape, step) for step in steps), strict=False):
            more = [search for search in searches(tape, values, steps, sides) if bare or not search.bare]
            found += more
            if more:
                break
    return _Roots(tape, values, found).run() if found else tape


class _Roots(TapeRewriter):
    """The new tape: after the last comparison of each search its root, read in place of what the loop left."""

    def __init__(self, old: Tape, values: Values, searches: list[Search]) -> None:
        super().__init__(old)
        self.old_values = values
        self.searches = {search.last: search for search in searches}
        self.taken = {leaf.name for leaf in old.leaves().values()}
        self.moves: list[tuple[Search, int]] = []
        self.moved: dict[int, int] = {}
        self.site: Any = None

    def run(self) -> Tape:
        """Return the tape."""
        for index in range(len(self.old.steps)):
            self.take(index)
            search = self.searches.get(index)
            if search is not None:
                self.site = self.old.steps[index].site
                self.moves.append((search, self.move(search)))
                self.repeat(search)
        tape = self.finished([], caught=True, data_decided=True)
        return live(replace(tape, output=self.read(self.old.output, len(self.old.steps))))

    def take(self, index: int) -> None:
        """Enter an old step, which reads the root in place of what a search that is over has left."""
        step = self.old.steps[index]
        inputs = tuple(self.read(source, index) for source in step.inputs)
        level = max((self.steps[source].level for source in inputs), default=step.level)
        self.number[index] = self.append(step._replace(inputs=inputs, level=max(level, step.level)))
        if index in self.old.values:
            self.values[self.number[index]] = self.old.values[index]

    def read(self, source: int, reader: int) -> int:
        """Return the new step of an old one as a step that comes later reads it."""
        if source in self.moved:
            return self.moved[source]
        for search, move in self.moves:
            if reader > search.last and is_left(self.old, self.old_values, source, search):
                value = np.array(self.old_values[source], dtype=float)[()]
                leaf = self.given("found", value)
                self.moved[source] = self.binary(np.add, leaf, move)
                return self.moved[source]
        return self.number[source]

    def repeat(self, search: Search) -> None:
        """Enter again what the last iteration has computed of what it found, for those who read it later."""
        for source in range(search.before + 1, search.last):
            step = self.old.steps[source]
            if self.read(source, search.last + 1) != self.number[source]:
                continue  # it is what was found
            inputs = tuple(self.read(one, search.last + 1) for one in step.inputs)
            if step.dtype == _FLOAT and not self.moved.keys().isdisjoint(step.inputs):
                level = max(self.steps[one].level for one in inputs)
                self.moved[source] = self.append(step._replace(inputs=inputs, level=level))

    def given(self, name: str, value: Any) -> int:
        """Return a number of this point as an input: another one is the same code."""
        name = fresh(name, self.taken)
        leaf = self.append(Step(None, (), Leaf(name, "captured"), np.shape(value), _FLOAT, DATA, self.site))
        self.values[leaf] = value
        return leaf

    def binary(self, operation: Callable, one: int, other: int) -> int:
        """Add an operation on two steps and return it."""
        shape = np.broadcast_shapes(self.steps[one].shape, self.steps[other].shape)
        level = max(self.steps[one].level, self.steps[other].level)
        return self.append(Step(operation, (one, other), None, shape, _FLOAT, level, self.site))

    def move(self, search: Search) -> int:
        """Add Newton's method and return the step of r(x) - r."""
        start = self.given("start", np.array(self.old_values[search.variable], dtype=float)[()])
        width = self.given("width", WIDTH * (1.0 + np.abs(self.old_values[search.variable])))
        twice = self.binary(np.add, width, width)
        root = start
        for _ in range(STEPS):
            ahead = self.equation(search, self.binary(np.add, root, width))
            behind = self.equation(search, self.binary(np.subtract, root, width))
            slope = self.binary(np.divide, self.binary(np.subtract, ahead, behind), twice)
            step = self.binary(np.divide, self.equation(search, root), slope)
            root = self.binary(np.subtract, root, step)
        return self.binary(np.subtract, root, self.given("root", np.array(search.root, dtype=float)[()]))

    def equation(self, search: Search, at: int) -> int:
        """Add the comparison's equation with another variable and return by how much its two sides differ."""
        replaced = {search.variable: at}
        for index in search.cone:
            step = self.old.steps[index]
            inputs = tuple(replaced[source] if source in replaced else self.at(source) for source in step.inputs)
            level = max(self.steps[source].level for source in inputs)
            replaced[index] = self.append(step._replace(inputs=inputs, level=level))
        one, *other = (replaced[side] if side in replaced else self.at(side) for side in search.sides)
        return self.binary(np.subtract, one, other[0]) if other else one
