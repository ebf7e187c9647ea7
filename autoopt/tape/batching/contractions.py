"""Sums of products of arrays that vary along different axes, as products of matrices.

    3  windows[..., None] * weights    (60, 60, 27, 8)         3  windows.reshape(3600, 27)    4  3 @ weights
    4  np.sum(3, axis=2)               (60, 60, 8)      ->     5  4.reshape(60, 60, 8)

The axes of a product are of four kinds: those that are summed over, along which both factors vary; those that only the
first has; those that only the second has; and those of both that are left, which are stacks. Why here and not in the
graph: the derivatives of a product are products again, and what the data are reshaped to is computed once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from autoopt.tape.rewriter import TapeRewriter
from autoopt.tape.simplify import live
from autoopt.tape.tape import DATA, PARAMETER, Slot, Step, Tape

MANY = 1000
"""Products of fewer entries are summed as they are written."""

WIDE = 4
"""The shortest side of the matrices of stacks: of smaller ones NumPy multiplies the entries as fast."""

_FLOAT = np.dtype(float)


@dataclass(frozen=True)
class Kinds:
    """The axes of a product by their kind, in order."""

    stack: tuple[int, ...]
    first: tuple[int, ...]
    second: tuple[int, ...]
    summed: tuple[int, ...]


def contracted(tape: Tape) -> Tape:
    """Return `tape` with sums of products as products of matrices; `tape` itself if it has none."""
    uses: Counter[int] = Counter()
    for step in tape.steps:
        uses.update(step.inputs)
    uses.update([tape.output, *(guard.step for guard in tape.guards)])
    sums: dict[int, Kinds] = {}
    for index, step in enumerate(tape.steps):
        if step.operation is np.sum and step.level == PARAMETER and uses[step.inputs[0]] == 1:
            kinds = _kinds(tape, step)
            if kinds is not None:
                sums[index] = kinds
    return live(_Writer(tape, sums).tape()) if sums else tape


def _kinds(tape: Tape, step: Step) -> Kinds | None:
    """Return the axes of the product that a step sums over; None if it is no product of matrices."""
    product = tape.steps[step.inputs[0]]
    plain = product.operation is np.multiply and product.template is None and len(product.inputs) == 2
    if not plain or product.dtype != _FLOAT or prod(product.shape) < MANY:
        return None
    axes = _axes(step, len(product.shape))
    factors = [_varying(tape, source, len(product.shape)) for source in product.inputs]
    if axes is None or any(tape.steps[source].dtype != _FLOAT for source in product.inputs):
        return None
    long = [axis for axis, extent in enumerate(product.shape) if extent > 1]
    both = [axis for axis in long if all(axis in own for own in factors)]
    first, second = (tuple(axis for axis in long if axis not in both and axis in own) for own in factors)
    if axes & {*first, *second}:
        return None
    kinds = Kinds(
        stack=tuple(axis for axis in both if axis not in axes),
        first=first,
        second=second,
        summed=tuple(axis for axis in both if axis in axes),
    )
    sides = [prod(product.shape[axis] for axis in group) for group in (kinds.first, kinds.second, kinds.summed)]
    return kinds if min(sides) >= (WIDE if kinds.stack else 2) else None


def _axes(step: Step, rank: int) -> frozenset[int] | None:
    """Return the axes that a step sums over; None if it is told more than these."""
    template: Any = step.template or ((Slot(0),), {})
    args, options = template
    axis = args[1] if len(args) == 2 else options.get("axis")
    if args[0] != Slot(0) or len(args) > 2 or not set(options) <= {"axis", "keepdims"} or len(step.inputs) > 1:
        return None
    listed = range(rank) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    return frozenset(one % rank for one in listed) if all(isinstance(one, int) for one in listed) else None


def _unstretched(tape: Tape, index: int) -> int:
    """Return what a step that only stretches an array stretches, or the step itself."""
    while tape.steps[index].operation is np.broadcast_to:
        index = tape.steps[index].inputs[0]
    return index


def _varying(tape: Tape, index: int, rank: int) -> frozenset[int]:
    """Return the axes of a product of `rank` axes along which a factor varies."""
    shape = tape.steps[_unstretched(tape, index)].shape
    return frozenset(rank - len(shape) + k for k, extent in enumerate(shape) if extent > 1)


class _Writer(TapeRewriter):
    """The new tape under construction."""

    def __init__(self, old: Tape, sums: dict[int, Kinds]) -> None:
        super().__init__(old)
        self.sums = sums

    def tape(self) -> Tape:
        """Return the new tape."""
        for index, step in enumerate(self.old.steps):
            if index in self.sums:
                self.number[index] = self.product(step, self.sums[index])
            else:
                self.take(index)
        return self.finished()

    def product(self, step: Step, kinds: Kinds) -> int:
        """Return the product of matrices that a sum is."""
        whole = self.old.steps[step.inputs[0]]
        first, second = (_unstretched(self.old, source) for source in whole.inputs)
        a = self.matrix(first, (kinds.stack, kinds.first, kinds.summed), whole, step)
        b = self.matrix(second, (kinds.stack, kinds.summed, kinds.second), whole, step)
        shape = (*self.steps[a].shape[:-1], self.steps[b].shape[-1])
        found = self.call(np.matmul, (a, b), shape, None, step)
        kept = [*kinds.stack, *kinds.first, *kinds.second]
        free = {0} if self.has_rows(first, whole) or self.has_rows(second, whole) else set()
        found = self.reshaped(found, kept, [whole.shape[axis] for axis in kept], step, free)
        found = self.transposed(found, sorted(range(len(kept)), key=kept.__getitem__), step)
        return self.reshaped(found, sorted(kept), step.shape, step, free)

    def has_rows(self, source: int, whole: Step) -> bool:
        """Whether the first axis of a product is that of data, which may have any number of rows."""
        own = self.old.steps[source]
        return own.level == DATA and len(own.shape) == len(whole.shape) and own.shape[0] > 1

    def matrix(self, source: int, groups: tuple[tuple[int, ...], ...], whole: Step, step: Step) -> int:
        """Return a factor as a stack of matrices whose axes are these groups."""
        own = self.old.steps[source]
        skip = len(whole.shape) - len(own.shape)
        varying = [axis for axis in range(skip, len(whole.shape)) if own.shape[axis - skip] > 1]
        order = [axis for group in groups for axis in group]
        free = {0} if self.has_rows(source, whole) else set()
        found = self.at(source)
        if order != varying:
            found = self.reshaped(found, varying, [whole.shape[axis] for axis in varying], step, free)
            found = self.transposed(found, [varying.index(axis) for axis in order], step)
        ends = [*((axis,) for axis in groups[0]), *groups[1:]]
        lengths = [prod(whole.shape[axis] for axis in group) for group in ends]
        return self.reshaped(found, [min(group) for group in ends], lengths, step, free)

    def reshaped(self, source: int, axes: list[int], lengths: Sequence[int], step: Step, free: set[int]) -> int:
        """Return an array in another shape, in which the length of one of the `free` axes is not told."""
        shape = tuple(lengths)
        if self.steps[source].shape == shape:
            return source
        told = tuple(-1 if axis in free else extent for axis, extent in zip(axes, shape, strict=False))
        told += shape[len(told) :]
        return self.call(np.reshape, (source,), shape, ((Slot(0), told), {}), step)

    def transposed(self, source: int, order: list[int], step: Step) -> int:
        """Return an array with its axes in another order."""
        if order == sorted(order):
            return source
        shape = tuple(self.steps[source].shape[axis] for axis in order)
        return self.call(np.transpose, (source,), shape, ((Slot(0), tuple(order)), {}), step)

    def call(self, operation: Any, inputs: tuple[int, ...], shape: tuple, template: Any, step: Step) -> int:
        """Add a call of floats at the place of a step."""
        level = max(self.steps[source].level for source in inputs)
        return self.append(Step(operation, inputs, template, tuple(shape), _FLOAT, level, step.site))
