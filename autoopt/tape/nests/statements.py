"""The statements of a nest of loops: what each writes where, as an expression of the windows that it reads.

What only the same iteration reads is written where it is read; it becomes an array of its own, holding one iteration's
value, if another loop reads it, or if what it is computed from is written into before it is read.
"""

from __future__ import annotations

import operator
import re
from collections import Counter
from keyword import iskeyword
from typing import Any

import numpy as np

from autoopt.tape.assignments import assigned_name
from autoopt.tape.loops.runs import same
from autoopt.tape.nests.folding import Loop, Place
from autoopt.tape.nests.nest import SMOOTH, Nest, Read, Repeat, Statement
from autoopt.tape.nests.places import CARRIED, FIXED, KNOWN, LISTED, LOCAL, Places, Source
from autoopt.tape.nests.windows import (
    Affine,
    Differ,
    One,
    Run,
    Window,
    affine,
    bounds,
    composed,
    fitted,
    lengths,
    whole,
    window_of,
)
from autoopt.tape.operations import put
from autoopt.tape.recurrence import Known
from autoopt.tape.statements import place_of
from autoopt.tape.tape import CONSTANT, PARAMETER, Slot, Step

FLOAT = np.dtype(float)


_WRITTEN = re.compile(r"([^\W\d]\w*)\[")


def _written(step: Step) -> str | None:
    """Return what the user calls the array that a step writes into."""
    place = place_of(step)
    name = _WRITTEN.match(place.quoted) if place else None
    return name[1] if name and not iskeyword(name[1]) else None


class _Again(Exception):
    """A place must be an array of its own."""

    def __init__(self, place: int) -> None:
        self.place = place


class Statements:
    """The arrays and statements of one nest.

    Attributes
    ----------
    operands : list of int or ndarray
        The steps before the loops that the nest reads, and constants.
    held : dict of int to (int, tuple of int)
        For each step that is read after the loops: which of the results holds it, and where in that.
    """

    def __init__(self, places: Places, read_outside: set[int]) -> None:
        self.places, self.read_outside = places, read_outside
        for k in range(len(places.places)):
            if k not in places.dropped:
                self._check(k)
        self._keep_shared()
        places.check_versions()
        while True:
            try:
                self._begin()
                self.nest = self._nest()
                return
            except _Again as again:
                places.make_array(again.place)
                places.check_versions()

    def _keep_shared(self) -> None:
        """Have what several steps read computed once."""
        places = self.places
        readers: Counter[int] = Counter()
        for k, sources in enumerate(places.sources):
            if k not in places.dropped:
                readers.update(source.what for source in sources if source.kind == LOCAL)
        for k, count in readers.items():
            if count > 1 and not places.is_read(k) and places.array_of(k) is None:
                places.make_array(k)

    def _check(self, k: int) -> None:
        """Raise if a place is no step of a kind that a nest may have."""
        step = self.places.step(k)
        if step.operation not in SMOOTH and step.operation not in (operator.getitem, put):
            raise Differ(f"a call of {step.operation}")
        if any(s.dtype != FLOAT for s in self.places.steps(k)):
            raise Differ("values that are no floats")
        if step.operation is np.power and self.places.sources[k][1].kind != KNOWN:
            raise Differ("a power of which the exponent varies")
        if step.operation in (operator.getitem, put) or step.template is None:
            return
        if not all(same(s.template, step.template) for s in self.places.steps(k)):
            raise Differ("calls with other options in each iteration")

    # Arrays -----------------------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        self.numbers: dict[Any, int] = {}
        self.shapes: list[tuple[int, ...]] = []
        self.names: list[str | None] = []
        self.operands: list[Any] = []
        self.held: dict[int, tuple[int, tuple[int, ...]]] = {}
        self.results: list[int] = []
        self.windows: dict[int, Window] = {}
        self.collecting: dict[int, int] = {}
        places = self.places
        for root, initial in places.initial.items():
            self._operand(root, initial)
        for sources in places.sources:
            for source in sources:
                if source.kind == FIXED:
                    self._operand(("fixed", source.what), source.what)
        for k, sources in enumerate(places.sources):
            for j, source in enumerate(sources):
                if source.kind == LISTED:
                    self._listed(k, j, source)
        self.given = len(self.shapes)
        for k in range(len(places.places)):
            root = places.array_of(k)
            if root is not None and root not in self.numbers:
                shape = tuple(np.max([s.shape for s in places.steps(k)], axis=0, initial=0).tolist())
                self._array(root, shape if shape else (), k)
        for k in range(len(places.places)):
            self._name(k)
        self._collect()

    def _operand(self, key: Any, index: int) -> None:
        step = self.places.tape.steps[index]
        if key in self.numbers:
            return
        if step.dtype.kind not in "fiu":
            raise Differ("an array that holds no numbers")
        if key[0] != "fixed" and step.dtype != FLOAT:
            raise Differ("an array of whole numbers that is written into")
        self._array(key, step.shape, None)
        self.names[-1] = assigned_name(step)
        self.operands.append(index)

    def _listed(self, k: int, j: int, source: Source) -> None:
        table = self.places.tables[k]
        values = np.zeros(tuple(table.max(axis=0) + 1))
        values[tuple(table.T)] = source.what
        self._array(("listed", k, j), values.shape, None)
        self.operands.append(values)

    def _array(self, key: Any, shape: tuple[int, ...], k: int | None) -> None:
        self.numbers[key] = len(self.shapes)
        self.shapes.append(shape)
        self.names.append(None if k is None else assigned_name(self.places.step(k)))

    def _name(self, k: int) -> None:
        """Call an array as the user does who writes into it."""
        step = self.places.step(k)
        if step.operation is put and k not in self.places.dropped:
            number = self.numbers[self.places.array_of(k)]
            self.names[number] = _written(step) or self.names[number]

    def _collect(self) -> None:
        """Have what is read after the loops held by an array that is returned."""
        places = self.places
        for index in sorted(self.read_outside):
            step = int(places.alias[index])
            k = int(places.place_of[step])
            if k < 0:
                raise Differ("a version of an array from before the loops")
            root = places.array_of(k)
            if root is not None and step == places.writers[root][-1] and self._is_whole(k):
                self.held[index] = (self._result(self.numbers[root]), ())
                continue
            if places.step(k).operation is put:
                raise Differ("an array of which an older version is read after the loops")
            if k not in self.collecting:
                shapes = {s.shape for s in places.steps(k)}
                if len(shapes) > 1:
                    raise Differ("values of several shapes that are read after the loops")
                counts = tuple((places.tables[k].max(axis=0) + 1).tolist())
                self._array(("collected", k), (*counts, *shapes.pop()), k)
                self.collecting[k] = self.numbers["collected", k]
            place = tuple(places.tables[k][places.row_of[step]].tolist())
            self.held[index] = (self._result(self.collecting[k]), place)

    def _is_whole(self, k: int) -> bool:
        """Whether an array is all that its last version is."""
        return self.places.step(k).shape == self.shapes[self.numbers[self.places.array_of(k)]]

    def _result(self, array: int) -> int:
        if array not in self.results:
            self.results.append(array)
        return self.results.index(array)

    # Statements -------------------------------------------------------------------------------------------------------

    def _nest(self) -> Nest:
        whole_body = self._body(self.places.loop, (), iter(range(len(self.places.places))))
        body = (Repeat(self.places.loop.count(), whole_body),)
        return Nest(tuple(self.shapes), tuple(self.names), self.given, body, tuple(self.results))

    def _body(self, loop: Loop, above: tuple[int, ...], numbers: Any) -> tuple[Any, ...]:
        found: list[Any] = []
        for part in loop.body:
            if not isinstance(part, Place):
                inner = self._body(part, above, numbers)
                found += [Repeat(part.count(), inner)] if inner else []
                continue
            k = next(numbers)
            if k in self.places.dropped:
                continue
            if self.places.array_of(k) is not None:
                found.append(_Expression(self, k).statement())
            if k in self.collecting:
                found.append(_Expression(self, k).collected())
        return tuple(found)

    def window(self, k: int) -> Window:
        """Return what a place that reads or writes a part of an array reads or writes."""
        if k not in self.windows:
            places = self.places
            found = []
            for step in places.steps(k):
                base = places.tape.steps[places.alias[step.inputs[0]]]
                found.append(bounds(step.template[0][1], base.shape))
            if len({kinds for kinds, _ in found}) > 1:
                raise Differ("indices of several kinds")
            numbers = np.array([row for _, row in found], dtype=np.int64).reshape(len(found), -1)
            self.windows[k] = window_of(found[0][0], numbers, places.tables[k])
        return self.windows[k]

    def extent(self, k: int) -> tuple[Affine, ...]:
        """Return the shape of a place's values."""
        shapes = np.array([s.shape for s in self.places.steps(k)], dtype=np.int64).reshape(
            len(self.places.tables[k]), -1
        )
        return tuple(fitted(self.places.tables[k], shapes[:, j]) for j in range(shapes.shape[1]))

    def whole_of(self, k: int) -> Window:
        """Return the window of its array that a place's value is."""
        if self.places.step(k).operation is put:
            return whole(self.shapes[self.numbers[self.places.array_of(k)]])
        return tuple(Run(affine(0), length) for length in self.extent(k))


class _Expression:
    """What one statement writes, under construction."""

    def __init__(self, statements: Statements, k: int) -> None:
        self.of, self.places, self.k = statements, statements.places, k
        self.reads: dict[Read, None] = {}
        self.body: list[tuple[Any, Step]] = []  # operands, which are reads or steps, and the step
        self.made: dict[int, int] = {}

    def statement(self) -> Statement:
        """Return the statement that a place is."""
        step = self.places.step(self.k)
        array = self.of.numbers[self.places.array_of(self.k)]
        if step.operation is not put:
            value = self._made(self.k)
            return self._finished(array, self.of.whole_of(self.k), value)
        window = self.of.window(self.k)
        written = step.template[0][2]
        if type(written) is Slot:
            value, extent = self._value(self.k, written.position)
            if extent and extent != lengths(window):
                raise Differ("a write of what is stretched")
        elif isinstance(written, int | float | np.number):
            value = self._number(float(written))
        else:
            raise Differ("a write of a constant array")
        return self._finished(array, window, value)

    def collected(self) -> Statement:
        """Return the statement that keeps a place's value of each iteration."""
        k = self.k
        array = self.of.collecting[k]
        depth = self.places.tables[k].shape[1]
        counters = tuple(One(affine(0, [int(j == d) for j in range(depth)])) for d in range(depth))
        if self.places.array_of(k) is None:
            value = self._made(k)
        else:
            value = self._read(self.of.numbers[self.places.array_of(k)], self.of.whole_of(k), k)
        return self._finished(array, (*counters, *whole(self.places.step(k).shape)), value)

    def _finished(self, array: int, window: Window, value: Any) -> Statement:
        reads = list(self.reads)
        at = {read: k for k, read in enumerate(reads)}

        def number(operand: Any) -> int:
            return at[operand] if isinstance(operand, Read) else len(reads) + operand

        leaves = [
            Step(
                None, (), None, tuple(n.const if n.is_fixed else -1 for n in lengths(r.window)), FLOAT, PARAMETER, None
            )
            for r in reads
        ]
        steps = [step._replace(inputs=tuple(number(o) for o in operands)) for operands, step in self.body]
        stands = self.places.step(self.k)
        return Statement(array, window, tuple(reads), (*leaves, *steps), number(value), stands)

    def _number(self, value: Any) -> int:
        self.body.append(((), Step(None, (), Known(value), (), FLOAT, CONSTANT, None)))
        return len(self.body) - 1

    def _read(self, array: int, window: Window, k: int) -> Read:
        """Return a read of an array at a place, which must still hold where the statement is."""
        paths, places = self.places.paths, self.places
        for root, number in self.of.numbers.items():
            if number == array and root in places.writers:
                for writer in {int(places.place_of[i]) for i in places.writers[root]}:
                    if paths[k] < paths[writer] < paths[self.k]:
                        raise _Again(k)
        read = Read(array, window)
        self.reads[read] = None
        return read

    def _value(self, k: int, j: int) -> tuple[Any, tuple[Affine, ...]]:
        """Return one operand of a place, and its shape."""
        source = self.places.sources[k][j]
        if source.kind == KNOWN:
            return self._number(source.what), ()
        if source.kind == LISTED:
            depth = self.places.tables[k].shape[1]
            window: Window = tuple(One(affine(0, [int(i == d) for i in range(depth)])) for d in range(depth))
            return self._read(self.of.numbers["listed", k, j], window, k), ()
        found = self._array_read(k, j)
        if found is not None:
            return self._read(*found, k), lengths(found[1])
        assert source.kind == LOCAL
        other = source.what
        if self.places.paths[other][:-1] != self.places.paths[k][:-1] and not self._is_constant_read(other):
            raise _Again(other)
        return self._made(other), self.of.extent(other)

    def _is_constant_read(self, k: int) -> bool:
        """Whether a place reads a part of what is never written."""
        return self.places.is_read(k) and self.places.sources[k][0].kind == FIXED

    def _array_read(self, k: int, j: int) -> tuple[int, Window] | None:
        """Return the array, and the window of it, that an operand is; None if it is a value."""
        source = self.places.sources[k][j]
        if source.kind == FIXED:
            number = self.of.numbers["fixed", source.what]
            return number, whole(self.of.shapes[number])
        root = self.places.array_read(k, j)
        if root is None:
            return None
        number = self.of.numbers[root]
        if source.kind == CARRIED:
            return number, whole(self.of.shapes[number])
        return number, self.of.whole_of(source.what)

    def _made(self, k: int) -> Any:
        """Return the value of a place that is no array, or of one that begins as this."""
        if k not in self.made:
            self.made[k] = self._part(k) if self.places.is_read(k) else self._called(k)
        return self.made[k]

    def _part(self, k: int) -> Any:
        """Return a read of a part."""
        window, base = self.of.window(k), k
        while True:
            found = self._array_read(base, 0)
            if found is not None:
                return self._read(found[0], composed(found[1], window), k)
            below = self.places.sources[base][0].what
            if not self.places.is_read(below):
                break
            window, base = composed(self.of.window(below), window), below
        if base == k and all(same(s.template, self.places.step(k).template) for s in self.places.steps(k)):
            return self._called(k)
        raise _Again(below)

    def _called(self, k: int) -> Any:
        operands = tuple(self._value(k, j)[0] for j in range(len(self.places.sources[k])))
        self.body.append((operands, self.places.step(k)))
        return len(self.body) - 1
