"""Where the operands of the steps of a tree of loops come from, and which steps are versions of one array.

i = 0:   11  put(3, 0, 10)                   3 is made before the loops
i = 1:   14  getitem(11, :1)   19  put(11, 1, 18)          3, 11, 19, ... are versions of one array: whatever reads
i = 2:   22  getitem(19, :2)   27  put(19, 2, 26)          one of them reads the last before it, so that a single
                                                           array that is written in place holds them all
"""

from __future__ import annotations

import operator
from typing import Any, NamedTuple

import numpy as np

from autoopt.tape.loops.runs import same
from autoopt.tape.nests.folding import Loop, Place
from autoopt.tape.nests.windows import Differ
from autoopt.tape.operations import put
from autoopt.tape.tape import CONSTANT, Tape

KNOWN, FIXED, LISTED, LOCAL, CARRIED = "known", "fixed", "listed", "local", "carried"


class Source(NamedTuple):
    """Where one operand of a place comes from.

    `what` is a number (known), a step before the loops (fixed), one for each iteration (listed), a place of the same
    iteration (local), or a place or step among the versions of an array (carried).
    """

    kind: str
    what: Any
    steps: np.ndarray


class Places:
    """The places of one loop with those in it, and the sources of their operands."""

    def __init__(self, tape: Tape, loop: Loop) -> None:
        self.tape, self.loop = tape, loop
        self.places = loop.places()
        self.paths: list[tuple[int, ...]] = []
        self._number_paths(loop, ())
        self.tables = [place.table() for place in self.places]
        self.place_of = np.full(len(tape.steps), -1, dtype=np.int64)
        self.row_of = np.zeros(len(tape.steps), dtype=np.int64)
        for k, place in enumerate(self.places):
            self.place_of[place.steps] = k
            self.row_of[place.steps] = np.arange(len(place.steps))
        self.alias = np.arange(len(tape.steps))
        self.dropped: set[int] = set()
        self._drop_whole_writes()
        self.parent: dict[Any, Any] = {}
        self.sources = [self._sources(k) for k in range(len(self.places))]
        self.initial: dict[Any, int] = {}
        self.writers: dict[Any, np.ndarray] = {}
        self._join()

    def _number_paths(self, loop: Loop, above: tuple[int, ...]) -> None:
        for k, part in enumerate(loop.body):
            if isinstance(part, Place):
                self.paths.append((*above, k))
            else:
                self._number_paths(part, (*above, k))

    def step(self, k: int) -> Any:
        """Return the last step of a place, which stands for all."""
        return self.tape.steps[self.places[k].steps[-1]]

    def steps(self, k: int) -> list[Any]:
        """Return all steps of a place."""
        return [self.tape.steps[i] for i in self.places[k].steps]

    def _drop_whole_writes(self) -> None:
        """See through writes of whole arrays by others of their shape, and writes of what has been written there."""
        for k in range(len(self.places)):
            steps = self.steps(k)
            if self.step(k).operation is not put or any(len(s.inputs) != 2 for s in steps):
                continue
            values = [self.tape.steps[s.inputs[1]] for s in steps]
            indices = [s.template[0][1] for s in steps]
            if all(i is Ellipsis and v.shape == s.shape for i, s, v in zip(indices, steps, values, strict=True)):
                self._see_through(k, [s.inputs[1] for s in steps])
                continue
            before = [self.tape.steps[self.alias[s.inputs[0]]] for s in steps]
            if all(
                b.operation is put
                and same(b.template, s.template)
                and len(b.inputs) == 2
                and self.alias[b.inputs[1]] == self.alias[s.inputs[1]]
                for b, s in zip(before, steps, strict=True)
            ):
                self._see_through(k, [s.inputs[0] for s in steps])

    def _see_through(self, k: int, sources: list[int]) -> None:
        self.alias[self.places[k].steps] = self.alias[sources]
        self.dropped.add(k)

    def _sources(self, k: int) -> list[Source]:
        rows = [step.inputs for step in self.steps(k)]
        if len({len(row) for row in rows}) > 1:
            raise Differ("calls of several forms")
        table = np.array(rows, dtype=np.int64).reshape(len(rows), -1)
        return [self._source(k, self.alias[table[:, j]]) for j in range(table.shape[1])]

    def _source(self, k: int, steps: np.ndarray) -> Source:
        owners = self.place_of[steps]
        if (owners < 0).all():
            return self._outside(steps)
        owner = int(owners[0])
        if (owners == owner).all() and self._is_local(k, owner, steps):
            return Source(LOCAL, owner, steps)
        return Source(CARRIED, None, steps)

    def _outside(self, steps: np.ndarray) -> Source:
        first = int(steps[0])
        if (steps == first).all():
            step = self.tape.steps[first]
            number = step.operation is None and step.level == CONSTANT and not step.shape
            return Source(KNOWN, self.tape.values[first], steps) if number else Source(FIXED, first, steps)
        found = [self.tape.steps[i] for i in steps.tolist()]
        if not all(s.operation is None and s.level == CONSTANT and not s.shape for s in found):
            raise Differ("operands that are made before the loops, another for each iteration")
        values = [self.tape.values[i] for i in steps.tolist()]
        if all(type(v) is type(values[0]) and v == values[0] for v in values):
            return Source(KNOWN, values[0], steps)
        return Source(LISTED, np.array(values, dtype=float), steps)

    def _is_local(self, k: int, owner: int, steps: np.ndarray) -> bool:
        """Whether operands are what `owner` has made in the same iteration of the loops that both are in."""
        block = self.paths[owner][:-1]
        if self.paths[k][: len(block)] != block or self.paths[owner] >= self.paths[k]:
            return False
        made = self.tables[owner][self.row_of[steps]]
        return bool((made == self.tables[k][:, : made.shape[1]]).all())

    # Versions of arrays -----------------------------------------------------------------------------------------------

    def _root(self, node: Any) -> Any:
        while self.parent.get(node, node) != node:
            node = self.parent[node]
        return node

    def _unite(self, one: Any, other: Any) -> None:
        one, other = self._root(one), self._root(other)
        self.parent.setdefault(one, one)
        self.parent[other] = one

    def _join(self) -> None:
        """Find the arrays, and check that whatever reads one of them reads its latest version."""
        for k, sources in enumerate(self.sources):
            if k in self.dropped:
                continue
            for j, source in enumerate(sources):
                writes = self.step(k).operation is put and j == 0
                if source.kind != CARRIED and not writes:
                    continue
                nodes = [("place", k)] if writes else []
                owners = self.place_of[source.steps]
                nodes += [("place", int(q)) for q in np.unique(owners[owners >= 0])]
                nodes += [("step", int(i)) for i in np.unique(source.steps[owners < 0])]
                for node in nodes:
                    self._unite(nodes[0], node)
        for node in list(self.parent):
            root = self._root(node)
            kind, number = node
            if kind == "step":
                if self.initial.setdefault(root, number) != number:
                    raise Differ("an array that begins as several")
            else:
                own = np.array(self.places[number].steps)
                self.writers[root] = np.sort(np.concatenate([self.writers.get(root, own[:0]), own]))

    def array_of(self, k: int) -> Any:
        """Return the array that a place is a version of; None if it is a value by itself."""
        node = ("place", k)
        return self._root(node) if node in self.parent else None

    def array_read(self, k: int, j: int) -> Any:
        """Return the array of which an operand is a version; None if it is none."""
        source = self.sources[k][j]
        if source.kind == LOCAL:
            return self.array_of(source.what)
        if source.kind != CARRIED:
            return None
        owners = self.place_of[source.steps]
        return self._root(("place", int(owners[owners >= 0][0])))

    def make_array(self, k: int) -> None:
        """Have a place be an array of its own."""
        self._unite(("place", k), ("place", k))
        self.writers[self._root(("place", k))] = np.array(self.places[k].steps)

    def check_versions(self) -> None:
        """Raise unless every operand that is a version of an array is the latest."""
        for k in range(len(self.places)):
            if k in self.dropped:
                continue
            for j, source in enumerate(self.sources[k]):
                array = self.array_read(k, j)
                if array is None and self.step(k).operation is put and j == 0:
                    array = self.array_of(k)
                if array is None:
                    continue
                written = self.writers[array]
                latest = np.searchsorted(written, self.places[k].steps)
                expected = np.where(latest > 0, written[latest - 1], self.initial.get(array, -1))
                if not np.array_equal(expected, source.steps):
                    raise Differ("an array of which an older version is read")

    def is_read(self, k: int) -> bool:
        """Whether a place reads a part of an array."""
        return self.step(k).operation is operator.getitem
