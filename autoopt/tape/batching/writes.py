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
products only, which are defined for all numbers, so that no entry is met that the user's code avoids.
"""

from __future__ import annotations

import operator
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
    """Writes into parts of `base` that do not overlap; `owner` has for each entry which of them wrote it, or -1."""

    base: int
    owner: np.ndarray
    parts: dict[Part, int] = field(default_factory=dict)  # the new step that was written
    numbers: dict[Part, int] = field(default_factory=dict)


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
        source, value = step.inputs if len(step.inputs) == 2 else (0, 0)
        part = part_of(step.template, step.shape) if step.template[0][2:] == (Slot(1),) else None
        values = self.old.steps[value]
        if part is None or values.shape != part.shape or values.dtype != step.dtype or step.dtype != _FLOAT:
            self.chains.pop(source, None)
            return False
        if part.shape == step.shape:
            self.settle(value)
            self.number[index] = self.at(value)
            return True
        self.settle(value)
        chain = self.chains.pop(source, None)
        if 0 in part.shape:
            self.number[index] = self.at(source)
            if chain is not None:
                self.chains[index] = chain
            return True
        if chain is None or not self.fits(chain, part):
            self.settle_with(chain, source)
            chain = Chain(self.at(source), np.full(step.shape, -1))
        number = chain.numbers.setdefault(part, len(chain.numbers))
        chain.owner[part.brackets] = number
        chain.parts[part] = self.at(value)
        self.take(index)
        self.chains[index] = chain
        return True

    def fits(self, chain: Chain, part: Part) -> bool:
        """Whether a part is one of those that are written, or overlaps with none."""
        owners = chain.owner[part.brackets]
        known = chain.numbers.get(part, -1)
        return bool(np.all(owners == known)) and (known == -1 or part in chain.parts)

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
        """Return the matrix with rows of different lengths, each computed in full; None if there is none."""
        parts = sorted(chain.parts, key=lambda part: part.entries)
        if any(len(part.axes) != 2 or type(part.axes[0]) is not int or type(part.axes[1]) is int for part in parts):
            return None
        first, last = parts[0].entries[0], parts[-1].entries[0]
        hull = min(part.axes[1][0] for part in parts), max(part.axes[1][1] for part in parts)  # type: ignore[index]
        region = Part(((first, last + 1), hull))
        written = chain.owner[region.brackets] >= 0
        if last - first + 1 != len(parts) or written.size > WASTE * written.sum() or not written.any(axis=0).all():
            return None
        length = self.steps[chain.base].shape[1]
        for part in parts:
            cut = self.cuts.get(chain.parts[part])
            if cut is None or (cut.start, cut.stop, cut.length) != (*part.axes[1], length):  # type: ignore[misc]
                return None
        whole = self.packed(region.shape, [self.widened(chain.parts[part], hull) for part in parts])
        mask = self.constant(written)
        below = chain.base
        if region.shape != self.steps[below].shape:
            below = self.call(operator.getitem, (below,), region.shape, ((Slot(0), region.brackets), {}))
        chosen = self.call(np.where, (mask, whole, below), region.shape, None)
        return self.placed(chain.base, region, chosen)

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
        elif step.operation in DEFINED and step.template is None:
            known = {self.cuts.get(source) for source in step.inputs if self.steps[source].shape != ()}
            if len(known) == 1 and None not in known:
                self.cuts[new] = known.pop()  # type: ignore[assignment]

    def widened(self, cut: int, hull: tuple[int, int]) -> int:
        """Return a cut with other ends."""
        needed: set[int] = set()
        waiting = [cut]
        while waiting:
            new = waiting.pop()
            if (hull, new) not in self.wide and new not in needed:
                needed.add(new)
                step = self.steps[new]
                waiting += [s for s in step.inputs if s in self.cuts] if step.operation in DEFINED else []
        for new in sorted(needed):  # in the order of the user's, by which classes are put in order
            self.wide[hull, new] = self.recut(new, hull)
        return self.wide[hull, cut]

    def recut(self, new: int, hull: tuple[int, int]) -> int:
        """Return a cut with other ends, where its operands have them."""
        step, shape = self.steps[new], (hull[1] - hull[0],)
        if step.operation is operator.getitem:
            part = part_of(step.template, self.steps[step.inputs[0]].shape)
            assert part is not None
            axes = tuple(axis if type(axis) is int else hull for axis in part.axes)
            name = step.inputs[0], axes
            if name not in self.lines:
                template: Template = ((Slot(0), Part(axes).brackets), {})
                self.lines[name] = self.append(step._replace(shape=shape, template=template))
            return self.lines[name]
        inputs = tuple(self.wide.get((hull, source), source) for source in step.inputs)
        return self.append(step._replace(shape=shape, inputs=inputs))

    def call(self, operation: Any, inputs: tuple[int, ...], shape: tuple, template: Any) -> int:
        """Add a call of floats."""
        level = max((self.steps[source].level for source in inputs), default=CONSTANT)
        site = next((self.steps[s].site for s in reversed(inputs) if self.steps[s].site is not None), None)
        return self.append(Step(operation, inputs, template, shape, _FLOAT, level, site))
