"""Parts of arrays that are written one after another, as one array that is put together.

    for i in range(n):                      3  A[0]      4  3 @ B    5  put(A, 0, 4)           3  A[0]   4  3 @ B
        A[i] = A[i] @ B                     6  5[1]      7  6 @ B    8  put(5, 1, 7)    ->     5  A[1]   6  5 @ B  ...
                                            9  8[2]     10  9 @ B   11  put(8, 2, 10) ...     30  pack(4, 6, ...)

Every write makes an array anew, so a loop that writes n rows makes n arrays, each of which waits for the one before.
But what is read of an array is most often a part that nothing has been written into, or that was written as a whole:
then it is read where it comes from. What is left is a chain of writes into parts that do not overlap, and its end is
one array.

    for i in range(n):                                        T = pack(C[0] * b, C[1] * b, ...)
        C[i, : i + 1] = C[i, : i + 1] * b              ->     C = np.where(i >= j, T, C)

Rows of different lengths are computed over their full length, and a mask picks what was written: sums, differences and
products only, which are defined for all numbers, so that no entry is met that the user's code avoids. Columns are rows
of the transpose, and what is written as both, as a matrix that is known to be symmetric, is picked by two masks.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any, NamedTuple

import numpy as np

from autoopt.tape.operations import pack, put
from autoopt.tape.recurrence import SHORTEST
from autoopt.tape.rewriter import TapeRewriter
from autoopt.tape.simplify import live
from autoopt.tape.tape import CONSTANT, Guard, Slot, Step, Tape, Template

_FLOAT = np.dtype(float)
DEFINED = frozenset((np.add, np.subtract, np.multiply, np.negative))
"""Functions that have a value and slopes for all numbers."""

PRODUCTS = frozenset((np.matmul, np.dot))

FEWER = 8
"""How many times fewer writes must be left: else what a loop hands on is better seen as it was written."""

WASTE = 4
"""How many times the entries that are written may be computed, where rows have different lengths."""


class Part(NamedTuple):
    """A part of an array: an entry, or a slice from start to stop, along each axis."""

    axes: tuple[int | tuple[int, int], ...]

    @property
    def brackets(self) -> tuple:
        """The part as it stands between brackets."""
        return tuple(slice(*axis) if isinstance(axis, tuple) else axis for axis in self.axes)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of what is read there."""
        return tuple(axis[1] - axis[0] for axis in self.axes if isinstance(axis, tuple))

    @property
    def entries(self) -> tuple[int, ...]:
        """Where it is along the axes of which it has one entry."""
        return tuple(axis for axis in self.axes if type(axis) is int)


@dataclass
class Chain:
    """Writes into parts of `base`; `owner` has for each entry which of them wrote it last, or -1."""

    base: int
    owner: np.ndarray
    parts: dict[Part, int] = field(default_factory=dict)  # the new step that was written
    numbers: dict[Part, int] = field(default_factory=dict)
    order: list[Part] = field(default_factory=list)  # by number

    def enter(self, part: Part, value: int) -> None:
        """Enter a write."""
        if part not in self.numbers:
            self.numbers[part] = len(self.order)
            self.order.append(part)
        self.owner[part.brackets] = self.numbers[part]
        self.parts[part] = value


class Cut(NamedTuple):
    """A step of one axis that is entries `start` to `stop` of a longer one, of `length` entries."""

    start: int
    stop: int
    length: int


def put_together(tape: Tape) -> Tape:
    """Return `tape` with arrays that are written part by part as few steps."""
    count = sum(step.operation is put for step in tape.steps)
    if count < SHORTEST:
        return tape
    found = live(_Writer(tape).tape())
    left = sum(step.operation is put for step in found.steps)
    return found if left * FEWER <= count else tape


def part_of(template: Any, shape: tuple[int, ...]) -> Part | None:
    """Return the part of an array of `shape` that a read or write takes; None if it is none that is known."""
    index = template[0][1] if template is not None else None
    parts = index if type(index) is tuple else (index,)
    if sum(part is Ellipsis for part in parts) > 1 or len(parts) - (Ellipsis in parts) > len(shape):
        return None
    if Ellipsis in parts:
        where = parts.index(Ellipsis)
        gap = (slice(None),) * (len(shape) - len(parts) + 1)
        parts = (*parts[:where], *gap, *parts[where + 1 :])
    parts += (slice(None),) * (len(shape) - len(parts))
    axes: list[int | tuple[int, int]] = []
    for part, extent in zip(parts, shape, strict=True):
        if type(part) is int and -extent <= part < extent:
            axes.append(part % extent)
        elif type(part) is slice and all(type(end) in (int, type(None)) for end in (part.start, part.stop)):
            if part.step not in (None, 1):
                return None
            start, stop, _ = part.indices(extent)
            axes.append((start, max(start, stop)))
        else:
            return None
    return Part(tuple(axes))


def parts_written(tape: Tape, step: Step) -> list[tuple[Part, int]] | None:
    """Return the parts that a write writes, with the steps of their values; None if these are not known.

    Several entries that are written at once, at positions that are constants, are as many parts.
    """
    index, *values = step.template[0][1:]
    if step.dtype != _FLOAT or values != [Slot(len(step.inputs) - 1)]:
        return None
    value = step.inputs[-1]
    written = tape.steps[value]
    if len(step.inputs) == 2:
        part = part_of(step.template, step.shape)
        is_plain = part is not None and written.shape == part.shape and written.dtype == step.dtype
        return [(part, value)] if part is not None and is_plain else None
    slots = index if type(index) is tuple else (index,)
    lines = [np.asarray(tape.values.get(source, np.nan)) for source in step.inputs[1:-1]]
    if written.operation is not pack or slots != tuple(Slot(1 + k) for k in range(len(lines))):
        return None
    rest = step.shape[len(lines) :]
    if any(line.shape != (len(written.inputs),) or line.dtype.kind != "i" for line in lines):
        return None
    if written.shape != (len(written.inputs), *rest) or any(tape.steps[v].dtype != _FLOAT for v in written.inputs):
        return None
    places = zip(*(line % extent for line, extent in zip(lines, step.shape, strict=False)), strict=True)
    whole = tuple((0, extent) for extent in rest)
    return [(Part((*map(int, at), *whole)), v) for at, v in zip(places, written.inputs, strict=True)]


def is_defined(steps: Sequence[Step], step: Step) -> bool:
    """Whether a step has a value and slopes for all entries that its arrays may have; numbers may be divisors."""
    divided = step.operation is np.true_divide and not steps[step.inputs[1]].shape
    return (step.operation in DEFINED or divided) and step.template is None


def of_lines(steps: Sequence[Step], step: Step) -> tuple[int, Part, int] | None:
    """Return of a vector times lines of a matrix the matrix, what is read of it, and along which axis lines are."""
    plain = step.operation in PRODUCTS and step.template in (None, ((Slot(0), Slot(1)), {}))
    ranks = [len(steps[source].shape) for source in step.inputs] if plain else []
    if sorted(ranks) != [1, 2]:
        return None
    matrix, axis = step.inputs[ranks.index(2)], ranks.index(2)
    read, part = steps[matrix], None
    if read.operation is operator.getitem and len(read.inputs) == 1:
        part = part_of(read.template, steps[read.inputs[0]].shape)
    if part is None or [type(end) is int for end in part.axes] != [False, False]:
        return matrix, Part(tuple((0, extent) for extent in read.shape)), axis
    return read.inputs[0], part, axis


class _Writer(TapeRewriter):
    """The new tape under construction."""

    def __init__(self, old: Tape) -> None:
        super().__init__(old)
        self.chains: dict[int, Chain] = {}  # by the old step of the last write
        self.cuts: dict[int, Cut] = {}  # by the new step
        self.wide: dict[tuple[tuple[int, int], int], int] = {}  # a cut from start to stop, whatever its own are
        self.lines: dict[tuple, int] = {}  # the same of rows and columns that are read

    def tape(self) -> Tape:
        """Return the new tape."""
        for index, step in enumerate(self.old.steps):
            if step.operation is put and self.written(index, step):
                continue
            if step.operation is operator.getitem and self.read(index, step):
                continue
            if step.operation is not put:
                for source in step.inputs:
                    self.settle(source)
            self.take(index)
            self.notice(self.number[index])
        for asked in (self.old.output, *(guard.step for guard in self.old.guards)):
            self.settle(asked)
        guards: list[Guard] = [guard._replace(step=self.at(guard.step)) for guard in self.old.guards]
        return self.finished(guards)

    def written(self, index: int, step: Step) -> bool:
        """Enter a write; as what is written, if that is all of the array."""
        source = step.inputs[0]
        writes = parts_written(self.old, step)
        if writes is None:
            self.chains.pop(source, None)
            return False
        for part, value in writes:
            self.settle(value)
            if part.shape == step.shape:
                self.number[index] = self.at(value)
                return True
        chain = self.chains.pop(source, None)
        writes = [(part, value) for part, value in writes if 0 not in part.shape]
        if not writes:
            self.number[index] = self.at(source)
            if chain is not None:
                self.chains[index] = chain
            return True
        if chain is None or not all(self.fits(chain, part) or self.crosses(chain, part) for part, _ in writes):
            self.settle_with(chain, source)
            chain = Chain(self.at(source), np.full(step.shape, -1))
        for part, value in writes:
            chain.enter(part, self.at(value))
        self.take(index)
        self.chains[index] = chain
        return True

    def fits(self, chain: Chain, part: Part) -> bool:
        """Whether a part is one of those that are written, or overlaps with none."""
        owners = chain.owner[part.brackets]
        known = chain.numbers.get(part, -1)
        return bool(np.all(owners == known)) and (known == -1 or part in chain.parts)

    def crosses(self, chain: Chain, part: Part) -> bool:
        """Whether a row (or column) of a matrix overlaps with columns (or rows) alone, of each in one entry."""
        owners = set(np.unique(chain.owner[part.brackets]).tolist()) - {-1}
        lines = [part, *(chain.order[number] for number in owners)]
        kinds = {tuple(type(axis) is int for axis in line.axes) for line in lines}
        return part not in chain.parts and kinds == {(True, False), (False, True)}

    def read(self, index: int, step: Step) -> bool:
        """Enter a read of a part where that comes from."""
        chain = self.chains.get(step.inputs[0])
        part = part_of(step.template, self.old.steps[step.inputs[0]].shape) if len(step.inputs) == 1 else None
        if chain is None or part is None or not self.fits(chain, part):
            return False
        if part in chain.parts:
            self.number[index] = chain.parts[part]
            return True
        template: Template = ((Slot(0), part.brackets), {})
        self.number[index] = self.append(step._replace(inputs=(chain.base,), template=template))
        self.notice(self.number[index])
        return True

    def settle(self, old: int) -> None:
        """Put together the array that a chain of writes ends in, as it is read as a whole."""
        self.settle_with(self.chains.pop(old, None), old)

    def settle_with(self, chain: Chain | None, old: int) -> None:
        """Put together what a chain has written up to an old step."""
        if chain is None or len(chain.parts) < SHORTEST:
            return
        made = self.rows(chain) if len({part.shape for part in chain.parts}) == 1 else self.triangle(chain)
        if made is not None:
            self.number[old] = made

    def rows(self, chain: Chain) -> int | None:
        """Return the array with parts of one shape, differing in entries along some axes; None if there is none."""
        some = next(iter(chain.parts))
        single = [k for k, axis in enumerate(some.axes) if type(axis) is int]
        rest = [axis for axis in some.axes if type(axis) is not int]
        alike = all([a for a in part.axes if type(a) is not int] == rest for part in chain.parts)
        places = sorted(part.entries for part in chain.parts)
        low, high = (tuple(end(at) for at in zip(*places, strict=True)) for end in (min, max)) if single else ((), ())
        extents = tuple(last - first + 1 for first, last in zip(low, high, strict=True))
        if not alike or len({tuple(type(a) is int for a in part.axes) for part in chain.parts}) > 1:
            return None
        if not single or prod(extents) != len(places):
            return None
        ordered = sorted(chain.parts, key=lambda part: part.entries)
        whole = self.packed((*extents, *some.shape), [chain.parts[part] for part in ordered])
        if single != list(range(len(single))):
            axes = [*single, *(k for k in range(len(some.axes)) if k not in single)]
            order = tuple(axes.index(k) for k in range(len(axes)))
            shape = tuple(self.steps[whole].shape[k] for k in order)
            whole = self.call(np.transpose, (whole,), shape, ((Slot(0), order), {}))
        bounds = iter([(first, last + 1) for first, last in zip(low, high, strict=True)])
        region = Part(tuple(next(bounds) if type(axis) is int else axis for axis in some.axes))
        return self.placed(chain.base, region, whole)

    def triangle(self, chain: Chain) -> int | None:
        """Return the matrix with rows or columns of different lengths, each computed in full; None if there is none."""
        if len(chain.owner.shape) != 2:
            return None
        lines = [[part for part in chain.parts if [type(axis) is int for axis in part.axes] == [k == 0, k == 1]]
                 for k in range(2)]  # fmt: skip
        if sum(map(len, lines)) < len(chain.parts):
            return None
        found = [self.region(chain, parts, axis) for axis, parts in enumerate(lines) if parts]
        if None in found:
            return None
        base = chain.base
        for made in found:
            assert made is not None
            region, mask, whole = made
            below = base
            if region.shape != self.steps[base].shape:
                below = self.call(operator.getitem, (base,), region.shape, ((Slot(0), region.brackets), {}))
            chosen = self.call(np.where, (self.constant(mask), whole, below), region.shape, None)
            base = self.placed(base, region, chosen)
        return base

    def region(self, chain: Chain, lines: list[Part], axis: int) -> tuple[Part, np.ndarray, int] | None:
        """Return where rows (columns, if `axis` is 1) lie, which entries they wrote last, and all of their entries."""
        lines = sorted(lines, key=lambda part: part.entries)
        first, last = lines[0].entries[0], lines[-1].entries[0]
        ends = [part.axes[1 - axis] for part in lines]
        hull = min(end[0] for end in ends), max(end[1] for end in ends)  # type: ignore[index]
        region = Part(((first, last + 1), hull) if axis == 0 else (hull, (first, last + 1)))
        written = np.isin(chain.owner[region.brackets], [chain.numbers[part] for part in lines])
        counted = np.zeros(hull[1] - hull[0], dtype=int)  # how many lines have each of their entries
        for start, stop in ends:  # type: ignore[misc]
            counted[start - hull[0] : stop - hull[0]] += 1
        if last - first + 1 != len(lines) or written.size > WASTE * counted.sum() or not counted.all():
            return None
        length = chain.owner.shape[1 - axis]
        for part, end in zip(lines, ends, strict=True):
            if self.cuts.get(chain.parts[part]) != (*end, length):  # type: ignore[misc]
                return None
        shape = (len(lines), hull[1] - hull[0])
        whole = self.packed(shape, [self.widened(chain.parts[part], hull) for part in lines])
        if axis == 1:
            whole = self.call(np.transpose, (whole,), region.shape, ((Slot(0),), {}))
        return region, written, whole

    def packed(self, shape: tuple[int, ...], values: list[int]) -> int:
        """Return arrays of one shape as one array."""
        slots = tuple(Slot(k) for k in range(len(values)))
        return self.call(pack, tuple(values), shape, ((shape, *slots), {}))

    def placed(self, base: int, region: Part, whole: int) -> int:
        """Return `base` with a region written; what is written, if that is all."""
        shape = self.steps[base].shape
        if region.shape == shape:
            return whole
        return self.call(put, (base, whole), shape, ((Slot(0), region.brackets, Slot(1)), {}))

    # Rows of different lengths ----------------------------------------------------------------------------------------

    def notice(self, new: int) -> None:
        """Note whether a step is a cut of a longer one."""
        step = self.steps[new]
        if len(step.shape) != 1 or step.dtype != _FLOAT:
            return
        if step.operation is operator.getitem and len(step.inputs) == 1:
            shape = self.steps[step.inputs[0]].shape
            part = part_of(step.template, shape)
            along = [k for k, axis in enumerate(part.axes) if type(axis) is not int] if part else []
            if part is not None and len(along) == 1:
                start, stop = part.axes[along[0]]  # type: ignore[misc]
                self.cuts[new] = Cut(start, stop, shape[along[0]])
        elif is_defined(self.steps, step):
            known = {self.cuts.get(source) for source in step.inputs if self.steps[source].shape != ()}
            if len(known) == 1 and None not in known:
                self.cuts[new] = known.pop()  # type: ignore[assignment]
        elif (found := of_lines(self.steps, step)) is not None:
            base, part, axis = found
            start, stop = part.axes[axis]  # type: ignore[misc]
            self.cuts[new] = Cut(start, stop, self.steps[base].shape[axis])

    def widened(self, cut: int, hull: tuple[int, int]) -> int:
        """Return a cut with other ends."""
        needed: set[int] = set()
        waiting = [cut]
        while waiting:
            new = waiting.pop()
            if (hull, new) not in self.wide and new not in needed:
                needed.add(new)
                step = self.steps[new]
                waiting += [s for s in step.inputs if s in self.cuts] if is_defined(self.steps, step) else []
        for new in sorted(needed):  # in the order of the user's, by which classes are put in order
            self.wide[hull, new] = self.recut(new, hull)
        return self.wide[hull, cut]

    def recut(self, new: int, hull: tuple[int, int]) -> int:
        """Return a cut with other ends, where its operands have them."""
        step, shape = self.steps[new], (hull[1] - hull[0],)
        if step.operation is operator.getitem:
            part = part_of(step.template, self.steps[step.inputs[0]].shape)
            assert part is not None
            return self.lines_read(
                step.inputs[0], tuple(axis if type(axis) is int else hull for axis in part.axes), step.site
            )
        if (found := of_lines(self.steps, step)) is not None:
            base, part, axis = found
            wide = self.lines_read(
                base, tuple(hull if k == axis else end for k, end in enumerate(part.axes)), step.site
            )
            inputs = tuple(s if len(self.steps[s].shape) == 1 else wide for s in step.inputs)
            return self.append(step._replace(shape=shape, inputs=inputs))
        inputs = tuple(self.wide.get((hull, source), source) for source in step.inputs)
        return self.append(step._replace(shape=shape, inputs=inputs))

    def lines_read(self, base: int, axes: tuple[int | tuple[int, int], ...], site: Any) -> int:
        """Return a read of a part of an array."""
        part, step = Part(axes), self.steps[base]
        if (base, axes) not in self.lines:
            template: Template = ((Slot(0), part.brackets), {})
            read = Step(operator.getitem, (base,), template, part.shape, _FLOAT, step.level, site)
            self.lines[base, axes] = self.append(read)
        return self.lines[base, axes]

    def call(self, operation: Any, inputs: tuple[int, ...], shape: tuple, template: Any) -> int:
        """Add a call of floats."""
        level = max((self.steps[source].level for source in inputs), default=CONSTANT)
        site = next((self.steps[s].site for s in reversed(inputs) if self.steps[s].site is not None), None)
        return self.append(Step(operation, inputs, template, shape, _FLOAT, level, site))
