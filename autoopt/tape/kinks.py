"""Where a tape has kinks, and whether they are met: `abs` at 0, `maximum` of equal operands, a comparison of equals.

At such a point every rule has a slope of its own by convention, and several of them need not fit together:
`maximum(z, 0) + log1p(exp(-abs(z)))` is smooth at 0, but the conventions of its two kinks make its second derivative
0. So derivatives count the ties that they meet (a guard of the kind "ties"), and `objectives/one_sided.py`
looks at both sides of such a point.

    z = X @ w                      z = X @ w
    np.maximum(z, 0)       ->      np.maximum(z, 0)
                                   guard: count of (z == 0) is 0

In a recurrence the booleans of all iterations are one more of its arrays; in segments how many of them are true is, and
loops that end on a condition count them themselves. What only decides when such a loop ends is no kink of what it
finds. The pass comes last, after vectorising, when there are few steps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from math import prod
from typing import Any
from weakref import ref

import numpy as np

from autoopt.tape.operations import component
from autoopt.tape.recurrence import Known, Recurrence, Until
from autoopt.tape.tape import CONSTANT, PARAMETER, Guard, Slot, Step, Tape, fill

_BOOL, _WHOLE = np.dtype(bool), np.dtype(np.int64)


def counted(tape: Tape) -> Tape:
    """Return the tape with a guard that none of its kinks is met; `tape` itself if it has none.

    One tape serves several kinds of derivative, so what it became is kept.
    """
    kept = _counted.get(id(tape))
    if kept is None or kept[0]() is not tape:
        key = id(tape)
        kept = _counted[key] = (ref(tape, lambda _: _counted.pop(key, None)), _Counting(tape).run())
    return tape if kept[1] is None else kept[1]


_counted: dict[int, tuple[ref[Tape], Tape | None]] = {}
"""By identity: a tape that was asked for, and what it became; None if it stays as it is, for its life is its own."""


class _Equals:
    """Steps, of a tape or of a loop's body, to which comparisons are appended; none of its own is renumbered."""

    def __init__(self, steps: Sequence[Step], values: Mapping[int, Any]) -> None:
        self.steps, self.values = list(steps), dict(values)
        self.done: set[tuple[int, int]] = set()
        self.site: Any = None

    def found(self, index: int, step: Step) -> Iterator[tuple[int, int]]:
        """Yield for each kink of a step where it is met, a step of booleans, and how many of them always are."""
        find = find_kinks(step.operation)
        if find is None or step.level != PARAMETER:
            return
        self.site = step.site
        for one, other, always in find(self, index, step):
            equal = self.equal(one, other)
            if equal is not None:
                yield equal, always

    def equal(self, one: int, other: int) -> int | None:
        """Return where two steps are equal; None if that is known already, or the operands are no floats that move."""
        if self.steps[other].shape == () and self.values.get(other) == 0:
            other = self.zero
        moving = any(self.steps[k].level == PARAMETER for k in (one, other))
        floats = self.steps[one].dtype.kind == "f" and self.steps[other].dtype.kind in "fiu"
        shape = np.broadcast_shapes(self.steps[one].shape, self.steps[other].shape)
        if (one, other) in self.done or not moving or not floats or not prod(shape):
            return None
        self.done.add((one, other))
        return self.append(np.equal, (one, other), None, shape, _BOOL)

    def append(self, operation: Callable | None, inputs: tuple, template: Any, shape: tuple, dtype: np.dtype) -> int:
        """Add a step and return its number."""
        level = PARAMETER if inputs else CONSTANT
        self.steps.append(Step(operation, inputs, template, shape, dtype, level, self.site))
        return len(self.steps) - 1

    def counted(self, equal: int) -> int:
        """Return how many entries of a step are true."""
        return self.append(np.count_nonzero, (equal,), ((Slot(0),), {}), (), _WHOLE)

    def reshaped(self, index: int, shape: tuple[int, ...]) -> int:
        """Return a step in another shape."""
        step = self.steps[index]
        if step.shape == shape:
            return index
        return self.append(np.reshape, (index,), ((Slot(0), shape), {}), shape, step.dtype)

    def number(self, value: Any) -> int:
        """Return the step of a constant."""
        step = self.append(None, (), self.template(value), np.shape(value), np.asarray(value).dtype)
        self.values[step] = value
        return step

    def template(self, value: Any) -> Any:
        """Return the template of a constant."""
        return None

    @cached_property
    def zero(self) -> int:
        return self.number(0.0)

    def operands(self, step: Step) -> list[int]:
        """Return the positional arguments of a step, constants as new steps."""
        if step.template is None:
            return list(step.inputs)
        given = fill(step.template[0], step.inputs)
        pairs = zip(step.template[0], given, strict=True)
        return [value if isinstance(slot, Slot) else self.number(value) for slot, value in pairs if value is not None]


class _Body(_Equals):
    """The steps of a loop's body, whose constants are in their templates."""

    def __init__(self, steps: Sequence[Step]) -> None:
        known = {index: step.template.value for index, step in enumerate(steps) if isinstance(step.template, Known)}
        super().__init__(steps, known)

    def template(self, value: Any) -> Any:
        return Known(value)


class _Counting(_Equals):
    """The steps of a tape to which the number of ties is appended."""

    def __init__(self, tape: Tape) -> None:
        super().__init__(tape.steps, tape.values)
        self.tape = tape
        self.total: int | None = None

    def run(self) -> Tape | None:
        """Return the new tape; None if nothing is counted."""
        for index, step in enumerate(self.tape.steps):
            if isinstance(step.operation, Recurrence):
                self.within(index, step, step.operation)
            for equal, always in self.found(index, step):
                self.count(equal, always)
        if self.total is None:
            return None
        guard = Guard(self.total, "ties", 0, None)
        return replace(self.tape, steps=self.steps, values=self.values, guards=[*self.tape.guards, guard])

    def within(self, index: int, step: Step, loop: Recurrence) -> None:
        """Count the ties in all iterations of a loop, whose results then have one array more for each kink."""
        body = _Body(loop.body)
        places = _read(loop, loop.until) if loop.until else range(len(loop.body))
        equals = [pair for place in places for pair in body.found(place, loop.body[place])]
        if not equals:
            return
        if loop.until or loop.segment:
            equals = [(body.counted(equal), always) for equal, always in equals]
        first, found = step.shape[0], tuple(equal for equal, _ in equals)
        shapes: list[tuple[int, ...]]
        if loop.until:  # a number, less those that always are
            until = loop.until._replace(ties=found, always=sum(always for _, always in equals))
            longer = replace(loop, body=tuple(body.steps), until=until)
            shapes, kinds, expected = [()], [_WHOLE], [0]
        else:
            assert loop.count is not None
            longer = replace(loop, body=tuple(body.steps), outputs=(*loop.outputs, *found))
            shapes = [(loop.count, *body.steps[equal].shape) for equal in found]
            kinds = [body.steps[equal].dtype for equal in found]
            expected = [always * loop.count for _, always in equals]
        self.steps[index] = step._replace(operation=longer, shape=(first + len(shapes),))
        self.site = step.site
        for place, (shape, kind, always) in enumerate(zip(shapes, kinds, expected, strict=True)):
            array = self.append(component, (index,), ((Slot(0), first + place), {}), shape, kind)
            self.count(array, always)

    def count(self, equal: int, always: int) -> None:
        """Add the number of entries that are true, less those that always are."""
        step = self.steps[equal]
        if step.dtype == _BOOL:
            count = self.counted(equal)
        else:
            count = self.append(np.sum, (equal,), ((Slot(0),), {}), (), _WHOLE) if step.shape else equal
        if always:
            count = self.append(np.subtract, (count, self.number(always)), None, (), _WHOLE)
        self.total = count if self.total is None else self.append(np.add, (self.total, count), None, (), _WHOLE)


def _read(loop: Recurrence, until: Until) -> list[int]:
    """Return the steps of which the carries, results and branches of a loop that ends on a condition are made."""
    read: set[int] = set()
    waiting = [*loop.updates, *loop.outputs, *(step for step, _ in until.checks)]
    while waiting:
        step = waiting.pop()
        if step not in read:
            read.add(step)
            waiting.extend(loop.body[step].inputs)
    return sorted(read)


KINKS: dict[Callable | None, Callable[[_Equals, int, Step], Iterator[tuple[int, int, int]]]] = {}
"""By function: finds the pairs of steps that are equal where it has a kink, and how many entries always are."""


def find_kinks(function: Any) -> Callable | None:
    """Return what finds the kinks of a function; None if it has none."""
    return KINKS.get(function) or KINKS.get(_ALIKE.get(getattr(function, "__name__", "")))


def _kink(*functions: Callable) -> Callable:
    def enter(find: Callable) -> Callable:
        KINKS.update(dict.fromkeys(functions, find))
        return find

    return enter


@_kink(np.absolute, np.fabs, np.sign, np.signbit, np.heaviside, np.sqrt, np.cbrt)
def _at_zero(steps: _Equals, index: int, step: Step) -> Iterator[tuple]:
    yield steps.operands(step)[0], steps.zero, 0


@_kink(np.copysign)
def _each_at_zero(steps: _Equals, index: int, step: Step) -> Iterator[tuple]:
    yield from ((operand, steps.zero, 0) for operand in steps.operands(step))


@_kink(np.maximum, np.minimum, np.fmax, np.fmin, np.less, np.less_equal, np.greater, np.greater_equal)
def _where_equal(steps: _Equals, index: int, step: Step) -> Iterator[tuple]:
    one, other = steps.operands(step)[:2]
    yield (one, other, 0) if steps.steps[one].dtype.kind == "f" else (other, one, 0)


@_kink(np.clip)
def _on_bounds(steps: _Equals, index: int, step: Step) -> Iterator[tuple]:
    clipped, *bounds = steps.operands(step)
    options = fill(step.template[1], step.inputs) if step.template else {}
    slots = step.template[1] if step.template else {}
    for name in ("a_min", "a_max", "min", "max"):
        if options.get(name) is not None:
            bounds.append(options[name] if isinstance(slots[name], Slot) else steps.number(options[name]))
    yield from ((clipped, bound, 0) for bound in bounds)


@_kink(np.hypot, np.std, np.nanstd)
def _where_result_is_zero(steps: _Equals, index: int, step: Step) -> Iterator[tuple]:
    yield index, steps.zero, 0


@_kink(np.linalg.norm, np.linalg.vector_norm, np.linalg.matrix_norm)
def _norm(steps: _Equals, index: int, step: Step) -> Iterator[tuple]:
    """Sums and maxima of absolute values have kinks where an entry is 0, roots of sums of squares where all are."""
    args, options = _given(step)
    order = options.get("ord", args[1] if len(args) > 1 and step.operation not in _WITHOUT_ORDER else None)
    yield index, steps.zero, 0
    if isinstance(order, int | float) and order != 2:
        yield step.inputs[0], steps.zero, 0
    if order in (np.inf, -np.inf):
        sizes = steps.append(np.absolute, (step.inputs[0],), None, steps.steps[step.inputs[0]].shape, step.dtype)
        yield from _extremes(steps, sizes, (np.max if order > 0 else np.min,), options.get("axis"))


_ALIKE: dict[Any, Callable] = {"norm": np.linalg.norm, "cbrt": np.cbrt}
"""Functions of SciPy by name, which need not be loaded for this."""

_WITHOUT_ORDER = (np.linalg.vector_norm, np.linalg.matrix_norm)
"""Their second argument is another one."""


@_kink(np.max, np.min, np.nanmax, np.nanmin, np.maximum.reduce, np.minimum.reduce)
def _extreme(steps: _Equals, index: int, step: Step) -> Iterator[tuple]:
    """An extreme that several entries have: more entries, with the initial value, equal it than there are results."""
    source = step.inputs[0]
    args, options = _given(step)
    axis = options.get("axis", args[1] if len(args) > 1 else 0 if isinstance(step.operation, _METHOD) else None)
    slots = step.template[1] if step.template else {}
    spread = _spread(steps.steps[source].shape, axis)
    if "where" in options or len(args) > 2:
        yield source, index, 0
        return
    if "initial" in options:
        first = options["initial"]
        first = first if isinstance(slots["initial"], Slot) else steps.number(float(first))
        yield index, first, 0
    elif prod(spread) == prod(steps.steps[source].shape):
        return
    yield source, steps.reshaped(index, spread), prod(spread)


_METHOD = type(np.maximum.reduce)


@_kink(np.ptp)
def _range(steps: _Equals, index: int, step: Step) -> Iterator[tuple]:
    args, options = _given(step)
    axis = options.get("axis", args[1] if len(args) > 1 else None)
    yield from _extremes(steps, step.inputs[0], (np.max, np.min), axis)


@_kink(np.argmax, np.argmin)
def _first_extreme(steps: _Equals, index: int, step: Step) -> Iterator[tuple]:
    """The first of equal entries is taken, by functions of what is sorted the last one."""
    args, options = _given(step)
    axis = options.get("axis", args[1] if len(args) > 1 else None)
    yield from _extremes(steps, step.inputs[0], (np.max if step.operation is np.argmax else np.min,), axis)


@_kink(np.sort, np.argsort, np.median, np.quantile, np.percentile)
def _neighbours(steps: _Equals, index: int, step: Step) -> Iterator[tuple]:
    """What is sorted takes equal entries in their order."""
    args, options = _given(step)
    ordered = step.operation in (np.sort, np.argsort)
    place = 1 if ordered or step.operation is np.median else 2
    axis = options.get("axis", args[place] if len(args) > place else -1 if ordered else None)
    source = step.inputs[0]
    shape = steps.steps[source].shape
    if axis is None:
        source, shape, axis = steps.reshaped(source, (prod(shape),)), (prod(shape),), 0
    if not isinstance(axis, int | np.integer) or steps.steps[source].dtype.kind != "f" or shape[axis] < 2:
        return
    if step.operation is not np.sort or options.get("descending"):
        source = steps.append(np.sort, (source,), ((Slot(0),), {"axis": axis}), shape, steps.steps[source].dtype)
    else:
        source = index
    gaps = tuple(length - (k == axis % len(shape)) for k, length in enumerate(shape))
    yield steps.append(np.diff, (source,), ((Slot(0),), {"axis": axis}), gaps, steps.steps[source].dtype), steps.zero, 0


def _given(step: Step) -> tuple[tuple, dict]:
    """Return the arguments of a step, numbers of steps in the place of those that are."""
    if step.template is None:
        return step.inputs, {}
    return fill(step.template[0], step.inputs), fill(step.template[1], step.inputs)


def _spread(shape: tuple[int, ...], axis: Any) -> tuple[int, ...]:
    """Return a shape with 1 for the axes that are reduced."""
    axes = range(len(shape)) if axis is None else [k % len(shape) for k in np.atleast_1d(axis)]
    return tuple(1 if k in axes else length for k, length in enumerate(shape))


def _extremes(steps: _Equals, source: int, functions: tuple[Callable, ...], axis: Any) -> Iterator[tuple]:
    """Yield where the extremes of a step are, which are computed for that."""
    shape, kind = steps.steps[source].shape, steps.steps[source].dtype
    spread = _spread(shape, axis)
    if prod(spread) == prod(shape) or kind.kind != "f":
        return
    for function in functions:
        found = steps.append(function, (source,), ((Slot(0),), {"axis": axis, "keepdims": True}), spread, kind)
        yield source, found, prod(spread)
