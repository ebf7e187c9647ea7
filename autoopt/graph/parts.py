"""The parameter vector in the parts that the objective reads it in.

An objective of named parameters reads disjoint slices and entries of the flat vector. Differentiating with respect to
each part by itself, and joining the results, gives code without scatters: `np.concatenate([X.T @ r, [r.sum()]])`.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import cast

import numpy as np
import pytensor
import pytensor.tensor as pt
from pytensor.graph.basic import Variable
from pytensor.tensor.variable import TensorVariable

from autoopt.tape.tape import Tape


@dataclass(frozen=True)
class Part:
    """A slice or, with `scalar`, an entry of the parameter vector that is a variable of its own."""

    variable: TensorVariable
    start: int
    stop: int
    scalar: bool

    def of(self, vector: TensorVariable) -> TensorVariable:
        """Return this part of `vector`, any vector of that length."""
        return vector[self.start] if self.scalar else vector[self.start : self.stop]

    def of_parameters(self, vector: TensorVariable) -> TensorVariable:
        """Return this part of the parameter vector, marked with the step that reads it."""
        piece = self.of(vector)
        piece.tag.trace = self.variable.tag.trace
        return piece


def find_parts(tape: Tape) -> dict[int, Part]:
    """Return the parts by the steps that read them; empty if the vector is also read whole, or in overlapping parts."""
    if tape.output == 0:  # the function returns its parameters
        return {}
    size = tape.steps[0].shape[0]
    bounds: dict[int, tuple[int, int, bool]] = {}
    for index, step in enumerate(tape.steps):
        if 0 not in step.inputs:
            continue
        place = step.template[0][1] if step.operation is operator.getitem else None
        if type(place) is int:
            bounds[index] = (place % size, place % size + 1, True)
        elif type(place) is slice and place.step in (None, 1):
            bounds[index] = (*place.indices(size)[:2], False)
        else:
            return {}
    distinct = sorted(set(bounds.values()))
    if any(start >= stop for start, stop, _ in distinct):
        return {}
    if any(before[1] > after[0] for before, after in pairwise(distinct)):
        return {}
    parts = {key: Part(_variable(*key), *key) for key in distinct}
    return {index: parts[key] for index, key in bounds.items()}


def _variable(start: int, stop: int, scalar: bool) -> TensorVariable:
    return pt.tensor(dtype="float64", shape=() if scalar else (stop - start,))


def slopes(value: Variable, wrt: Sequence[Variable]) -> list[TensorVariable]:
    """Return the derivatives of a number, zeros where it does not depend on one of `wrt`."""
    return cast("list[TensorVariable]", pytensor.grad(value, list(wrt), disconnected_inputs="ignore"))


def parameter_columns(parts: Sequence[Part], vector: TensorVariable) -> dict[Variable, np.ndarray]:
    """Return the positions of the parameters in the vector, by the variables that they are read from."""
    if not parts:
        return {vector: np.arange(vector.type.shape[0])}
    return {part.variable: np.array(part.start) if part.scalar else np.arange(part.start, part.stop) for part in parts}


def join(pieces: Sequence[TensorVariable], parts: Sequence[Part], size: int, axis: int = 0) -> TensorVariable:
    """Return the pieces, one for each part, as one array of length `size` along `axis`; what no part reads is zero."""
    rest = tuple(length for k, length in enumerate(pieces[0].type.shape) if k != axis or parts[0].scalar)
    blocks: list[TensorVariable] = []
    position = 0
    for piece, part in zip(pieces, parts, strict=True):
        if part.start > position:
            blocks.append(_zeros(part.start - position, rest, axis))
        blocks.append(pt.expand_dims(piece, axis) if part.scalar else piece)
        position = part.stop
    if position < size:
        blocks.append(_zeros(size - position, rest, axis))
    if rest == () and all(part.scalar for part in parts) and len(parts) == size:
        return pt.stack(list(pieces))
    return blocks[0] if len(blocks) == 1 else pt.concatenate(blocks, axis=axis)


def _zeros(count: int, rest: tuple[int, ...], axis: int) -> TensorVariable:
    return pt.zeros((*rest[:axis], count, *rest[axis:]))
