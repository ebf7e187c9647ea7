"""A nest of loops backwards: the adjoints of its arrays, and what has to be saved of what it overwrites.

    for i in range(n):                                            for i in range(n - 1, -1, -1):
        for j in range(i):                                            A[i, i] = saved[i]
            A[i, j] -= A[i, :j] @ A[j, :j]                            A_slope[i, :i] -= A_slope[i, i] / ... * A[i, :i]
        A[i, i] = np.sqrt(A[i, i] - A[i, :i] @ A[i, :i])              A_slope[i, i] *= 0.5 / np.sqrt(...)
                                                                      for j in range(i - 1, -1, -1):
                                                                          A_slope[i, :j] -= A_slope[i, j] * A[j, :j]
                                                                          A_slope[j, :j] -= A_slope[i, j] * A[i, :j]

The arrays themselves run backwards, too: before a statement's slopes are computed, its target holds again what it held
before. That is saved only where somebody reads it: which statements overwrite what a slope reads is found by running
through all iterations once, without the numbers. What is added to the slopes of a window reads those of the target, so
these are set aside first if the two may have an entry in common.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pytensor.tensor as pt
from pytensor.graph.basic import Variable

from autoopt.graph.loops.adjoints import pulled
from autoopt.graph.loops.bodies import rewritten
from autoopt.graph.nests.program import Assignment, Program, are_apart, used, widest
from autoopt.ops.patterns import is_zero
from autoopt.tape.nests.nest import Read, Repeat
from autoopt.tape.nests.windows import One, Part, Run, Window, affine, index_at, lengths

VISITS = 300_000
"""Iterations of statements that are run through; of more, whatever is overwritten is saved."""

LARGEST = 2**25
"""Entries that may be saved in all, 256 MB."""


class Slopes(NamedTuple):
    """The slopes of one statement by its reads, None where there is none, in terms of the target's and the reads."""

    of_target: Variable
    by_read: tuple[Variable | None, ...]
    reads: frozenset[int]


class Backward(NamedTuple):
    """A program that saves, the same backwards, and what the second is given.

    Attributes
    ----------
    forward : Program
        Its results are those of the first, then what is kept for the second.
    backward : Program
        Its results are the slopes of the operands.
    given : lists of int
        The operands of the second, in order: which results of the first, which of its operands, which results again.
    seeds : list of int
        Then, the slopes of which of the arrays of the first.
    """

    forward: Program
    backward: Program
    given: tuple[list[int], list[int], list[int]]
    seeds: list[int]


def variable_of(window: Window, name: str | None = None) -> Variable:
    """Return a variable for what a window shows."""
    shape = tuple(length.const if length.is_fixed else None for length in lengths(window))
    return pt.tensor(name, dtype="float64", shape=shape)


def slopes_of(statement: Assignment) -> Slopes:
    """Return the slopes of a statement."""
    seed = variable_of(statement.window)
    value = statement.value
    reaching = seed if value.type.ndim else pt.sum(seed)
    wanted = list(statement.variables)
    found = rewritten([*wanted, seed], pulled([value], [reaching], wanted), "between") if wanted else []
    by_read = tuple(None if is_zero(slope) else slope for slope in found)
    read = used([slope for slope in by_read if slope is not None], wanted)
    return Slopes(seed, by_read, frozenset(k for k, v in enumerate(wanted) if v in read))


def backwards(program: Program) -> Backward:
    """Return a program with what it saves, and its pullback."""
    statements = list(program.assignments())
    slopes = [slopes_of(statement) for statement in statements]
    tables = program.tables()
    saving = _saving(program, statements, slopes, sum(map(len, tables.values())))
    return _Backwards(program, statements, slopes, tables, saving).both()


def _saving(program: Program, statements: Sequence[Assignment], slopes: Sequence[Slopes], visits: int) -> set[int]:
    """Return the statements that overwrite what some slope reads."""
    written = program.written()
    needed = [
        [s.reads[k] for k in sorted(slope.reads) if s.reads[k].array in written]
        for s, slope in zip(statements, slopes, strict=True)
    ]
    arrays = {read.array for reads in needed for read in reads}
    if visits > VISITS:
        return {k for k, statement in enumerate(statements) if statement.target in arrays}
    marks = {array: np.zeros(program.shapes[array], dtype=bool) for array in arrays}
    numbers = {id(statement): k for k, statement in enumerate(statements)}
    saving: set[int] = set()

    def visit(statement: Assignment, counters: list[int]) -> None:
        number = numbers[id(statement)]
        for read in needed[number]:
            marks[read.array][index_at(read.window, counters)] = True
        if statement.target in arrays:
            index = index_at(statement.window, counters)
            part = marks[statement.target][index]
            if number not in saving and part.any():
                saving.add(number)
            marks[statement.target][index] = False

    program.run(visit)
    return saving


class _Backwards:
    """Both programs under construction."""

    def __init__(
        self,
        program: Program,
        statements: Sequence[Assignment],
        slopes: Sequence[Slopes],
        tables: dict[int, np.ndarray],
        saving: set[int],
    ) -> None:
        self.program, self.slopes, self.tables, self.saving = program, slopes, tables, saving
        self.number = {id(statement): k for k, statement in enumerate(statements)}
        written = program.written()
        read = {s.reads[k].array for s, slope in zip(statements, slopes, strict=True) for k in slope.reads}
        self.restored = sorted(read & written)
        self.outer = sorted(array for array in read - written if array < program.operands)
        self.unset = sorted(array for array in read - written if array >= program.operands)
        self.shapes = list(program.shapes)
        self.names = list(program.names)
        self.saved = {k: self._save(statements[k], k) for k in sorted(saving)}
        if sum(int(np.prod(self.shapes[array])) for array in self.saved.values()) > LARGEST:
            raise NotImplementedError("a nest of loops of which more than 256 MB would be saved")

    def _save(self, statement: Assignment, k: int) -> int:
        """Return a new array for what a statement overwrites in each iteration."""
        counts = tuple((self.tables[k].max(axis=0, initial=-1) + 1).tolist())
        self.shapes.append((*counts, *widest(statement.window, self.tables[k])))
        self.names.append("saved")
        return len(self.shapes) - 1

    def _place(self, statement: Assignment) -> Window:
        """Return where one iteration saves."""
        depth = self.tables[self.number[id(statement)]].shape[1]
        counters: list[Part] = [One(affine(0, [int(j == d) for j in range(depth)])) for d in range(depth)]
        return (*counters, *(Run(affine(0), length) for length in lengths(statement.window)))

    def both(self) -> Backward:
        """Return the programs."""
        body = self._forwards(self.program.body)
        results = list(dict.fromkeys([*self.program.results, *self.restored, *self.saved.values()]))
        forward = replace(
            self.program, shapes=tuple(self.shapes), names=tuple(self.names), body=body, results=tuple(results)
        )
        return self._backward(forward)

    def _forwards(self, body: Sequence[Any]) -> tuple[Any, ...]:
        found: list[Any] = []
        for part in body:
            if isinstance(part, Repeat):
                found.append(part._replace(body=self._forwards(part.body)))
                continue
            k = self.number[id(part)]
            if k in self.saving:
                held = variable_of(part.window)
                read = (Read(part.target, part.window),)
                found.append(Assignment(self.saved[k], self._place(part), read, (held,), held))
            found.append(part)
        return tuple(found)

    def _backward(self, forward: Program) -> Backward:
        program = self.program
        own = [*self.restored, *self.outer, *self.saved.values()]  # arrays of the first that the second is given
        seeds = sorted(set(program.results))
        arrays: dict[Any, int] = {array: k for k, array in enumerate(own)}
        arrays |= {("slope", array): len(own) + k for k, array in enumerate(seeds)}
        operands = len(arrays)
        for array in self.unset:
            arrays[array] = len(arrays)
        for array in range(len(program.shapes)):
            arrays.setdefault(("slope", array), len(arrays))
        self.arrays = arrays
        self.more: list[tuple[tuple[int, ...], str]] = []
        body = self._reversed(program.body)
        keys = list(arrays)
        shapes = [self.shapes[key[1] if isinstance(key, tuple) else key] for key in keys]
        names = [
            f"{self.names[key[1]] or 'array'}_slope" if isinstance(key, tuple) else self.names[key] for key in keys
        ]
        shapes += [shape for shape, _ in self.more]
        names += [name for _, name in self.more]
        results = tuple(arrays["slope", array] for array in range(program.operands))
        backward = Program(tuple(shapes), tuple(names), operands, body, results)
        at = forward.results.index
        restored, saved = [at(array) for array in self.restored], [at(array) for array in self.saved.values()]
        return Backward(forward, backward, (restored, self.outer, saved), seeds)

    def _reversed(self, body: Sequence[Any]) -> tuple[Any, ...]:
        found: list[Any] = []
        for part in reversed(body):
            if isinstance(part, Repeat):
                found.append(part._replace(body=self._reversed(part.body), reverse=not part.reverse))
            else:
                found += self._of(part)
        return tuple(found)

    def _of(self, statement: Assignment) -> list[Assignment]:
        """Return the statements that take one back."""
        k = self.number[id(statement)]
        slopes, target, window = self.slopes[k], ("slope", statement.target), statement.window
        found: list[Assignment] = []
        if k in self.saving:
            held = variable_of(window)
            saved = Read(self.arrays[self.saved[k]], self._place(statement))
            found.append(Assignment(self.arrays[statement.target], window, (saved,), (held,), held))
        own = Read(statement.target, window)
        reads = [read for read, slope in zip(statement.reads, slopes.by_read, strict=True) if slope is not None]
        table = self.tables[k]
        aside = any(
            read.array == statement.target and read != own and not are_apart(read.window, window, table)
            for read in reads
        )
        source = Read(self.arrays[target], window)
        if aside:
            source = self._aside(found, source, k)
        last: Variable | None = slopes.of_target if statement.add else None
        for read, slope in zip(statement.reads, slopes.by_read, strict=True):
            if slope is None:
                continue
            if read == own and not aside:
                last = slope if last is None else pt.add(last, slope)
            else:
                found.append(self._assigned(statement, k, (("slope", read.array), read.window), source, slope, True))
        if aside and not statement.add:
            at = next(i for i, one in enumerate(found) if one.add) if any(one.add for one in found) else len(found)
            found.insert(at, self._zeros(target, window))
        elif not aside and last is None:
            found.append(self._zeros(target, window))
        elif not aside and last is not slopes.of_target:
            assert last is not None
            found.append(self._assigned(statement, k, (target, window), source, last, False))
        return found

    def _aside(self, found: list[Assignment], source: Read, k: int) -> Read:
        """Add a statement that sets slopes aside, and return where they are read then."""
        self.more.append((widest(source.window, self.tables[k]), "slope"))
        number = len(self.arrays) + len(self.more) - 1
        place = tuple(Run(affine(0), length) for length in lengths(source.window))
        held = variable_of(source.window)
        found.append(Assignment(number, place, (source,), (held,), held))
        return Read(number, place)

    def _zeros(self, target: Any, window: Window) -> Assignment:
        return Assignment(self.arrays[target], window, (), (), pt.zeros(()))

    def _assigned(
        self,
        statement: Assignment,
        k: int,
        target: tuple[Any, Window],
        source: Read,
        slope: Variable,
        add: bool,
    ) -> Assignment:
        """Return a statement with a slope, which reads what it is computed from."""
        variables = [self.slopes[k].of_target, *statement.variables]
        reads = [source, *(Read(self.arrays.get(r.array, -1), r.window) for r in statement.reads)]
        needed = used([slope], variables)
        pairs = [(read, v) for read, v in zip(reads, variables, strict=True) if v in needed]
        array, window = target
        return Assignment(
            self.arrays[array], window, tuple(r for r, _ in pairs), tuple(v for _, v in pairs), slope, add
        )
