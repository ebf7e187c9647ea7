"""What is straight in what reads rows: sums, products with what reads none, contractions, positions that are fixed."""

from __future__ import annotations

from collections.abc import Callable
from operator import getitem

import numpy as np

from autoopt.tape import operations
from autoopt.tape.rows.dependence import is_hashable
from autoopt.tape.rows.labels import contraction
from autoopt.tape.rows.splitting import NotByRow, Part, Splitting, splits
from autoopt.tape.sparsity.rules import Given, Operand
from autoopt.tape.tape import Slot, Template


@splits(np.sum, np.add.reduce)
def summed(split: Splitting, index: int, given: Given) -> Part | None:
    """A sum: over the rows themselves, or of what is made of terms already."""
    return _summed(split, index, given, mean=False)


def _summed(split: Splitting, index: int, given: Given, mean: bool) -> Part | None:
    """A sum or a mean: over the rows themselves, or of what is made of terms already."""
    if set(given.options) - {"axis", "keepdims"} or len(given.args) > 2 or not isinstance(given.args[0], Operand):
        return None
    source, step = given.args[0].step, split.steps[index]
    shape = split.steps[source].shape
    default = 0 if given.step.operation is np.add.reduce else None
    axis = given.argument(1, "axis", default)
    axes = tuple(range(len(shape))) if axis is None else tuple(int(k) % len(shape) for k in np.atleast_1d(axis))
    factor = 1.0 / np.prod([shape[k] for k in axes]) if mean else 1.0
    if len(axes) == len(shape):
        source = _whole(split, source)
        axes = tuple(range(len(split.steps[source].shape)))
    part = _aligned(split, source, axes) or _parts(split, source, axes)
    if given.options.get("keepdims"):
        part = split.each(part, lambda one, is_terms: split.reshaped(one, _led(split, step.shape, is_terms)))
    return part if factor == 1.0 else _scaled(split, part, split.constant(factor))


def _whole(split: Splitting, source: int) -> int:
    """Return the step whose entries add up to the same: what sums over other axes, or by groups, are made of."""
    while True:
        step = split.steps[source]
        if is_hashable(step.operation) and step.operation in (np.sum, np.add.reduce) and len(step.inputs) == 1:
            if set(Given(step).options) - {"axis", "keepdims"}:
                return source
            source = step.inputs[0]
        elif step.operation is operations.put_add and _is_by_groups(split, source):
            source = step.inputs[2]
        else:
            return source


def _is_by_groups(split: Splitting, index: int) -> bool:
    """Whether a step adds the entries of a vector to zeros, as np.bincount with weights does."""
    zeros, where, entries = split.steps[index].inputs
    base = split.values.get(zeros)
    is_empty = base is not None and not np.any(base)
    return is_empty and split.steps[entries].shape == split.steps[where].shape


def _led(split: Splitting, shape: tuple[int, ...], is_terms: bool) -> tuple[int, ...]:
    return (split.rows, *shape) if is_terms else shape


def _shifted(axes: tuple[int, ...], is_terms: bool) -> tuple[int, ...]:
    return tuple(axis + 1 for axis in axes) if is_terms else axes


def _aligned(split: Splitting, source: int, axes: tuple[int, ...]) -> Part | None:
    """Return the terms of a sum over axes of which one is in the order of the rows."""
    for axis in split.reading.axes(source):
        if axis in axes:
            rest = tuple(1 + k - (k > axis) for k in axes if k != axis)
            return Part(split.summed(split.first(source, axis), rest), None)
    return None


def _parts(split: Splitting, source: int, axes: tuple[int, ...]) -> Part:
    """Return the sum over axes of what the source is made of; else each entry is its row's, if it reads one alone.

    In this order: an entry may be a row's and a statistic's sum, of which the statistic is made of all rows.
    """
    try:
        return split.each(split.full(source), lambda one, is_terms: split.summed(one, _shifted(axes, is_terms)))
    except NotByRow:
        shape, row = split.steps[source].shape, split.reading.single(source)
        if row is None or not shape or len(axes) != len(shape):
            raise
        return Part(split.placed(source, np.ravel(row)), None)


@splits(np.mean)
def mean(split: Splitting, index: int, given: Given) -> Part | None:
    """A mean, likewise."""
    return _summed(split, index, given, mean=True)


def _operands(given: Given, *options: str) -> list[int] | None:
    """Return the positional arguments, all of which must be steps."""
    if set(given.options) - set(options) or not all(isinstance(arg, Operand) for arg in given.args):
        return None
    return [arg.step for arg in given.args]


@splits(np.add, np.subtract, operations.total)
def added(split: Splitting, index: int, given: Given) -> Part | None:
    sources, minus = _operands(given, "minus"), given.options.get("minus", ())
    if sources is None or not all(isinstance(one, Operand) for one in minus):
        return None
    subtracts = split.steps[index].operation is np.subtract
    parts = [(split.part(one), subtracts and k == 1) for k, one in enumerate(sources)]
    parts += [(split.part(one.step), True) for one in minus]
    return split.joined(parts, split.steps[index].shape)


@splits(np.negative, np.positive)
def signed(split: Splitting, index: int, given: Given) -> Part | None:
    return split.joined(
        [(split.part(given.args[0].step), split.steps[index].operation is np.negative)], given.step.shape
    )


def _scaled(split: Splitting, part: Part, factor: int, operation: Callable = np.multiply) -> Part:
    """Return a part times, or divided by, a step that reads no row."""

    def change(one: int, is_terms: bool) -> int:
        shape, own = split.steps[one].shape, split.steps[factor].shape
        if is_terms:
            one = split.spread(one, own) if len(own) >= len(shape) else one
            shape = split.steps[one].shape
        return split.call(operation, one, factor, shape=np.broadcast_shapes(shape, own))

    return split.each(part, change)


@splits(np.multiply, operations.product)
def multiplied(split: Splitting, index: int, given: Given) -> Part | None:
    """A product in which one factor reads rows."""
    sources = _operands(given)
    if sources is None:
        return None
    moving = [one for one in sources if not split.reading.is_free(one)]
    if len(moving) != 1:
        return None
    part = split.part(moving[0])
    for factor in (one for one in sources if one != moving[0]):
        part = _scaled(split, part, factor)
    return part


@splits(np.divide)
def divided(split: Splitting, index: int, given: Given) -> Part | None:
    """A quotient whose denominator reads no rows, or is a statistic, as the sum of the weights is."""
    sources = _operands(given)
    if sources is None or not split.reading.is_constant(sources[1]):
        return None
    return _scaled(split, split.part(sources[0]), sources[1], np.divide)


@splits(np.power, np.square, np.float_power)
def power(split: Splitting, index: int, given: Given) -> Part | None:
    """The square of a norm, which is a sum of squares; the first power."""
    sources = _operands(given)
    if sources is None:
        return None
    exponent = split.values.get(sources[1]) if len(sources) == 2 else 2
    if exponent == 1:
        return split.part(sources[0])
    is_norm = split.steps[sources[0]].operation is np.linalg.norm
    return _squared_norm(split, sources[0]) if is_norm and exponent == 2 else None


def _squared_norm(split: Splitting, norm: int) -> Part | None:
    """The square of the Euclidean norm of an array with the rows along one of its axes."""
    given = Given(split.steps[norm])
    if given.options or len(given.args) != 1 or not isinstance(given.args[0], Operand):
        return None
    source = given.args[0].step
    axes = split.reading.axes(source)
    if not axes:
        return None
    squares = split.call(np.multiply, source, source, shape=split.steps[source].shape)
    shape = split.steps[source].shape
    rest = tuple(1 + k - (k > axes[0]) for k in range(len(shape)) if k != axes[0])
    return Part(split.summed(split.first(squares, axes[0]), rest), None)


@splits(np.matmul, np.dot, np.inner, np.vdot, np.einsum, np.tensordot)
def contracted(split: Splitting, index: int, given: Given) -> Part | None:
    """A product of arrays, summed over the rows, or over other axes where one factor alone reads rows."""
    product = contraction(split.steps, given)
    if product is None:
        return None
    for label in product.summed:
        aligned = [
            all(axis in split.reading.axes(source) for axis, name in enumerate(names) if name == label)
            for source, names in product.operands
        ]
        if all(aligned) and product.lengths[label] == split.rows:
            return Part(_einsum(split, product.operands, label + product.output, product.lengths), None)
    moving = [k for k, (source, _) in enumerate(product.operands) if not split.reading.is_free(source)]
    if len(moving) != 1:
        return None

    def change(one: int, is_terms: bool) -> int:
        lead = product.unused if is_terms else ""
        operands = [
            (one, lead + names) if k == moving[0] else (source, names)
            for k, (source, names) in enumerate(product.operands)
        ]
        return _einsum(split, operands, lead + product.output, product.lengths | {lead: split.rows})

    return split.each(split.full(product.operands[moving[0]][0]), change)


def _einsum(split: Splitting, operands: list[tuple[int, str]], output: str, lengths: dict[str, int]) -> int:
    sources, names = zip(*operands, strict=True)
    shape = tuple(lengths[name] for name in output)
    if all(own == output for own in names) and len(sources) == 2:
        return split.call(np.multiply, *sources, shape=shape)
    template: Template = ((f"{','.join(names)}->{output}", *(Slot(k) for k in range(len(sources)))), {})
    return split.call(np.einsum, *sources, shape=shape, template=template)


@splits(getitem, np.reshape, np.ravel, np.squeeze, np.transpose, np.expand_dims)
def moved(split: Splitting, index: int, given: Given) -> Part | None:
    """Entries at positions that are no matter of the data, and other shapes."""
    array, *rest = given.args
    if (
        not isinstance(array, Operand)
        or any(isinstance(one, Operand) for one in rest)
        or given.options
        or len(rest) > 1
    ):
        return None
    part, step = split.full(array.step), split.steps[index]
    if step.operation is getitem:
        where = rest[0] if isinstance(rest[0], tuple) else (rest[0],)
        if not all(isinstance(one, int | np.integer | slice) or one is None for one in where):
            return None

        def change(one: int, is_terms: bool) -> int:
            place = (slice(None), *where) if is_terms else where
            shape = _led(split, step.shape, is_terms)
            return split.call(getitem, one, shape=shape, template=((Slot(0), place), {}))

        return split.each(part, change)
    if step.operation is np.transpose and len(step.shape) > 1:
        return None
    return split.each(part, lambda one, is_terms: split.reshaped(one, _led(split, step.shape, is_terms)))


@splits(operations.pack)
def packed(split: Splitting, index: int, given: Given) -> Part | None:
    """One number as an array."""
    step = split.steps[index]
    if len(given.args) != 2 or not isinstance(given.args[1], Operand):
        return None
    part = split.full(given.args[1].step)
    return split.each(part, lambda one, is_terms: split.reshaped(one, _led(split, step.shape, is_terms)))


@splits(np.trace)
def diagonal(split: Splitting, index: int, given: Given) -> Part | None:
    """The sum of the diagonal of a matrix."""
    if len(given.args) != 1 or given.options or not isinstance(given.args[0], Operand):
        return None
    source = given.args[0].step
    if len(split.steps[source].shape) != 2:
        return None

    def change(one: int, is_terms: bool) -> int:
        lead = (split.rows,) if is_terms else ()
        text = "zii->z" if is_terms else "ii->"
        return split.call(np.einsum, one, shape=lead, template=((text, Slot(0)), {}))

    return split.each(split.full(source), change)


@splits(operations.astype)
def converted(split: Splitting, index: int, given: Given) -> Part | None:
    return split.part(given.args[0].step) if isinstance(given.args[0], Operand) else None
