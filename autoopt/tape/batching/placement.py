"""Where steps of a tape are in one that is built of arrays: single steps, or entries of the array of their class."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np

from autoopt.tape.batching.builder import Operand, TapeBuilder
from autoopt.tape.batching.classes import CONSTANT, READ, Partition, StepClass
from autoopt.tape.batching.grids import Grid, along, factor, flat, is_regular, varying
from autoopt.tape.tape import fitting


class Placement:
    """The new tape, and where on it the classes of the old one are.

    Attributes
    ----------
    classes : Partition
    steps, values
        Those of the old tape.
    builder : TapeBuilder
        The new tape.
    arrays : dict of int to (int, Grid)
        The classes that are arrays: their step in the new tape and their leading axes.
    singles : dict of int to int
        The new steps of old ones that stand by themselves.
    """

    def __init__(self, classes: Partition) -> None:
        self.classes = classes
        self.steps = classes.tape.steps
        self.values = classes.tape.values
        self.builder = TapeBuilder()
        self.arrays: dict[int, tuple[int, Grid]] = {}
        self.singles: dict[int, int] = {}
        self._reads: dict[int, np.ndarray] = {}

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

    def single(self, step: int) -> int:
        """Return the new step of one old step."""
        step = int(self.classes.same[step])
        if step in self.singles:
            return self.singles[step]
        number = int(self.classes.of[step])
        group = self.classes.classes[number]
        if group.kind == CONSTANT:
            new = self.builder.constant(self.values[step])
        elif group.kind == READ:
            site, self.builder.site = self.builder.site, self.steps[step].site
            place = self.steps[step].template[0][1]
            base = self.single(self.steps[step].inputs[0])
            new = self.builder.index(base, place if type(place) is tuple else (place,))
            self.builder.site = site
        else:
            array, grid = self.arrays[number]
            new = self.builder.index(array, [int(k) for k in np.unravel_index(self.classes.place[step], grid)])
        self.singles[step] = new
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
            return self.builder.reshape(self.single(step), (1, *group.step.shape))
        return self.builder.index(base, [*place[:-1], slice(place[-1], place[-1] + 1 or None)])

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
            lengths = self.builder.shape(base)[len(positions) :]
            columns = [
                np.where(column < 0, column + length, column) for column, length in zip(table.T, lengths, strict=False)
            ]
            return base, positions + columns
        if number in self.arrays:
            array, grid = self.arrays[number]
            return array, list(np.unravel_index(self.classes.place[steps], grid))
        distinct, inverse = np.unique(steps, return_inverse=True)
        if group.kind == CONSTANT:
            return self.builder.constant(np.stack([self.values[step] for step in distinct.tolist()])), [inverse]
        return self.builder.stack([self.single(step) for step in distinct]), [inverse]

    def _read_places(self, number: int, group: StepClass) -> np.ndarray:
        if number not in self._reads:
            places = [self.steps[member].template[0][1] for member in group.members]
            tuples = [place if isinstance(place, tuple) else (place,) for place in places]  # x[i] and x[i,] alike
            self._reads[number] = np.array(tuples, dtype=np.int64).reshape(group.count, -1)
        return self._reads[number]

    def operand(self, steps: np.ndarray, grid: Grid) -> Operand:
        """Return old steps of one class, one for each point of the grid, as an operand."""
        values = self.constants(steps)
        if values is None:
            base, positions = self.resolve(steps)
            return self.builder.fetch(base, positions, grid)
        if not np.any(values != values[0]):
            return Operand(self.single(steps[0]), (), 0)
        axes = varying(values, grid)
        return Operand(self.builder.numbers(along(values, grid, axes)), axes, 0)

    def arranged(self, group: StepClass) -> tuple[list[np.ndarray], Grid]:
        """Return the operands of a class, columns of old steps, and its grid, with the members put in order.

        That is program order unless fewer of the operands are irregular in another: members that stem from elsewhere,
        such as the first of a loop, are met out of turn.
        """
        table = self.classes.operands(group.members)
        if group.count == 1:
            return list(table.T), ()
        where = [self.resolve(column) for column in table.T if self.constants(column) is None]
        where = [(base, positions) for base, positions in where if positions]

        def tried(order: Any) -> tuple[int, Grid]:
            moved = [
                (self.builder.shape(base), [position[order] for position in positions]) for base, positions in where
            ]
            grid = factor([position for _, positions in moved for position in positions], group.count)
            return sum(not is_regular(positions, shape[: len(positions)], grid) for shape, positions in moved), grid

        worst, grid = tried(slice(None))
        best = None
        for base, positions in where if worst else ():
            line = flat(positions, self.builder.shape(base)[: len(positions)])
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
