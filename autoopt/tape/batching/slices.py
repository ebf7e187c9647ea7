"""Sums over slices that grow or shrink from one iteration to the next, as entries of one cumulative sum.

    for i in range(n): s += np.log(np.sum(np.exp(eta[i:])))        risk sets, from i on to the end

    2  eta[0:]    3  exp(2)    4  sum(3)              2  eta[0:]    3  exp(2)
    6  eta[1:]    7  exp(6)    8  sum(7)        ->    4  3[::-1]    5  cumsum(4)    6  5[::-1]
   10  eta[2:]   11  exp(10)  12  sum(11) ...         7  6[0]       8  6[1]         9  6[2] ...

An elementwise function of a slice is a slice of the function of the whole, here of the longest slice that occurs: every
entry of it is computed by the tape as it stands, too, so none is met that the user's code avoids. The slices must all
begin where the array does, or all end there. That these sums are then reads of one array is what `classes.py` finds.

    np.sum(np.exp(eta[time >= time[i]]))    ->    np.sum(np.where(time >= time[i], np.exp(eta), 0.0))

Sums over what a mask of the data picks are sums of the whole in the same way, where every entry is picked at some time.
"""

from __future__ import annotations

import operator
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from autoopt.tape.operations import component
from autoopt.tape.recurrence import SHORTEST
from autoopt.tape.rewriter import TapeRewriter
from autoopt.tape.simplify import live
from autoopt.tape.tape import CONSTANT, PARAMETER, Slot, Step, Tape, Template, call

CUMULATIVE: dict[Callable | None, Callable] = {np.sum: np.cumsum, np.mean: np.cumsum, np.prod: np.cumprod}

PRODUCTS = frozenset((np.dot, np.matmul))
PAIR: tuple[Any, ...] = (None, ((Slot(0), Slot(1)), {}))

_BACKWARDS = slice(None, None, -1)
_FLOAT = np.dtype(float)


MOST = 4_000_000
"""The most entries of all masks together that are computed at once; the user's code needs the memory of one mask."""

MASK = -1
"""The `stop` of what a mask picks; its `start` is the mask's step."""


class Cut(NamedTuple):
    """A slice `start` to `stop` of what `key` describes, of `length` entries, or what a mask picks of it."""

    key: Any
    start: int
    stop: int
    length: int


@dataclass
class _Family:
    """Reductions of slices of one array, all of which begin where it does or end there: steps with their slices."""

    members: dict[int, Cut] = field(default_factory=dict)

    @property
    def hull(self) -> tuple[int, int]:
        """The longest slice."""
        first = next(iter(self.members.values()))
        if first.stop == MASK:
            return 0, first.length
        return min(cut.start for cut in self.members.values()), max(cut.stop for cut in self.members.values())


def cumulative(tape: Tape) -> Tape:
    """Return `tape` with sums over slices of many lengths as entries of cumulative sums."""
    cuts: dict[int, Cut] = {}
    families: dict[Any, _Family] = defaultdict(_Family)
    for index, step in enumerate(tape.steps):
        cut = _cut(tape, index, step, cuts)
        if cut is not None:
            cuts[index] = cut
        elif step.shape == () and (found := _reduced(tape, step, cuts)) is not None:
            operation, whole = found
            side = "mask" if whole.stop == MASK else "end" if whole.stop == whole.length and whole.start else "start"
            families[operation, whole.key, side].members[index] = whole
    for operation, key, side in list(families):  # the whole array itself is of either side
        if side == "start" and (other := families.get((operation, key, "end"))) is not None:
            own = families[operation, key, side].members
            if all(cut.start == 0 and cut.stop == cut.length for cut in own.values()):
                other.members |= families.pop((operation, key, side)).members
    chosen = {
        name: family
        for name, family in families.items()
        if len({(cut.start, cut.stop) for cut in family.members.values()}) >= SHORTEST
        and (name[2] != "mask" or _is_possible(tape, name[0], family))
    }
    return live(_Writer(tape, chosen).tape()) if chosen else tape


def _is_possible(tape: Tape, operation: Callable, family: _Family) -> bool:
    """Whether sums over masks can be taken from the whole: some mask picks each entry, and they are not many."""
    cuts = list(family.members.values())
    if operation is not np.sum or len(cuts) * cuts[0].length > MOST:
        return False
    known: dict[int, Any] = dict(tape.values)
    picked = np.zeros(cuts[0].length, dtype=bool)
    for cut in cuts:
        picked |= _value(tape, cut.start, known)
    return bool(picked.all())


def _value(tape: Tape, index: int, known: dict[int, Any]) -> Any:
    """Return the value of a step that depends on the data alone."""
    waiting = [index]
    while waiting:
        step = tape.steps[waiting[-1]]
        missing = [source for source in step.inputs if source not in known]
        if missing and waiting[-1] not in known:
            waiting += missing
            continue
        last = waiting.pop()
        if last not in known:
            known[last] = call(step, [known[source] for source in step.inputs])
    return known[index]


def _cut(tape: Tape, index: int, step: Step, cuts: dict[int, Cut]) -> Cut | None:
    """Return a step as a slice of an array, or of an elementwise function of arrays; None if it is none."""
    if step.operation is operator.getitem:
        base, position = tape.steps[step.inputs[0]], step.template[0][1]
        if len(base.shape) not in (1, 2) or base.dtype != _FLOAT or base.level == CONSTANT:
            return None
        if len(step.inputs) == 2 and position == Slot(1):
            number = _mask(tape, step.inputs[1])
            mask = tape.steps[number]
            is_mask = mask.dtype == np.bool_ and mask.shape == base.shape[:1] and mask.level < PARAMETER
            return Cut(("array", step.inputs[0]), number, MASK, base.shape[0]) if is_mask else None
        if type(position) is not slice:
            return None
        start, stop, along = position.indices(base.shape[0])
        if along != 1 or stop <= start or (start and stop != base.shape[0]):
            return None
        return Cut(("array", step.inputs[0]), start, stop, base.shape[0])
    if step.operation in PRODUCTS and step.template in PAIR and step.inputs[0] in cuts:
        matrix, vector = (tape.steps[source].shape for source in step.inputs)
        if len(matrix) == 2 and len(vector) == 1 and step.inputs[1] not in cuts and step.dtype == _FLOAT:
            return cuts[step.inputs[0]]._replace(key=("product", cuts[step.inputs[0]].key, step.inputs[1]))
        return None
    plain = isinstance(step.operation, np.ufunc) and step.operation.nout == 1 and not step.operation.signature
    if not plain or step.template is not None or step.dtype != _FLOAT:
        return None
    return _common(tape, step.operation, step.inputs, cuts)


def _mask(tape: Tape, index: int) -> int:
    """Return the mask whose positions an index is, or the index itself."""
    step = tape.steps[index]
    if step.operation is component and step.template[0][1] == 0:
        below = tape.steps[step.inputs[0]]
        return below.inputs[0] if below.operation is np.nonzero and len(below.inputs) == 1 else index
    return step.inputs[0] if step.operation is np.flatnonzero and len(step.inputs) == 1 else index


def _common(tape: Tape, operation: Any, inputs: tuple[int, ...], cuts: dict[int, Cut]) -> Cut | None:
    """Return an elementwise function of slices that are all the same, and of numbers, as one slice."""
    places = {cuts[source][1:] for source in inputs if source in cuts}
    ranks = [len(tape.steps[source].shape) for source in inputs]
    if len(places) != 1 or any(rank != (source in cuts) for source, rank in zip(inputs, ranks, strict=True)):
        return None
    parts = tuple(cuts[source].key if source in cuts else ("number", source) for source in inputs)
    return Cut(("function", operation, parts), *places.pop())


def _reduced(tape: Tape, step: Step, cuts: dict[int, Cut]) -> tuple[Callable, Cut] | None:
    """Return a reduction of a slice as its operation and what it reduces; None if it is none."""
    if step.operation in PRODUCTS and step.template in PAIR and all(source in cuts for source in step.inputs):
        product = _common(tape, np.multiply, step.inputs, cuts)
        return None if product is None else (np.sum, product)
    if (
        step.operation is None
        or step.operation not in CUMULATIVE
        or step.inputs[0] not in cuts
        or step.template is None
    ):
        return None
    if len(tape.steps[step.inputs[0]].shape) != 1:
        return None
    args, options = step.template
    plain = args == (Slot(0),) and (not options or (set(options) == {"axis"} and options["axis"] in (None, 0, -1)))
    return (step.operation, cuts[step.inputs[0]]) if plain else None


class _Writer(TapeRewriter):
    """The new tape under construction."""

    def __init__(self, old: Tape, families: dict[Any, _Family]) -> None:
        super().__init__(old)
        self.family_of = {index: name for name, family in families.items() for index in family.members}
        self.families = families
        self.arrays: dict[Any, int] = {}

    def tape(self) -> Tape:
        """Return the new tape."""
        for index, step in enumerate(self.old.steps):
            name = self.family_of.get(index)
            if name is None:
                self.take(index)
            else:
                self.number[index] = self.entry(name, self.families[name], index, step)
        return self.finished()

    def entry(self, name: Any, family: _Family, index: int, step: Step) -> int:
        """Return the entry of a cumulative sum that is the sum over one slice."""
        operation, key, side = name
        start, stop = family.hull
        cut = family.members[index]
        if side == "mask":
            whole = self.whole(key, (start, stop), step.site)
            zero = self.constant(np.array(0.0))
            picked = self.call(np.where, (self.at(cut.start), whole, zero), (stop - start,), step, None)
            return self.call(np.sum, (picked,), (), step, ((Slot(0),), {}))
        array = self.sums(operation, key, side, (start, stop), step.site)
        place = cut.start - start if side == "end" else cut.stop - 1
        found = self.call(operator.getitem, (array,), (), step, ((Slot(0), place), {}))
        if operation is np.mean:
            many = self.constant(np.array(float(cut.stop - cut.start)))
            found = self.call(np.true_divide, (found, many), (), step, None)
        return found

    def sums(self, operation: Any, key: Any, side: str, hull: tuple[int, int], site: Any) -> int:
        """Return the cumulative sums of an array, from its end if that is what the slices share."""
        name = (operation is np.prod, key, side, hull)
        if name not in self.arrays:
            whole = self.whole(key, hull, site)
            step = self.steps[whole]._replace(site=site)
            backwards: Template = ((Slot(0), _BACKWARDS), {})
            plain: Template = ((Slot(0),), {})
            if side == "end":
                whole = self.call(operator.getitem, (whole,), step.shape, step, backwards)
            whole = self.call(CUMULATIVE[operation], (whole,), step.shape, step, plain)
            if side == "end":
                whole = self.call(operator.getitem, (whole,), step.shape, step, backwards)
            self.arrays[name] = whole
        return self.arrays[name]

    def whole(self, key: Any, hull: tuple[int, int], site: Any) -> int:
        """Return the step of the longest slice of what a key describes."""
        name = key, hull
        if name not in self.arrays:
            shape: tuple[int, ...] = (hull[1] - hull[0],)
            if key[0] == "product":
                inputs = self.whole(key[1], hull, site), self.at(key[2])
                made = self.call(np.matmul, inputs, shape, self.steps[inputs[0]]._replace(site=site), None)
            elif key[0] == "array":
                base = self.at(key[1])
                step = self.steps[base]._replace(site=site)
                shape = (*shape, *step.shape[1:])
                template: Template = ((Slot(0), slice(*hull)), {})
                same = step.shape == shape
                made = base if same else self.call(operator.getitem, (base,), shape, step, template)
            else:
                _, operation, parts = key
                sources = tuple(
                    self.at(part[1]) if part[0] == "number" else self.whole(part, hull, site) for part in parts
                )
                step = Step(operation, sources, None, shape, _FLOAT, CONSTANT, site)
                made = self.call(operation, sources, shape, step, None)
            self.arrays[name] = made
        return self.arrays[name]

    def call(self, operation: Any, inputs: tuple[int, ...], shape: tuple, like: Step, template: Any) -> int:
        """Add a call of floats."""
        level = max(self.steps[source].level for source in inputs)
        return self.append(Step(operation, inputs, template, shape, _FLOAT, level, like.site))
