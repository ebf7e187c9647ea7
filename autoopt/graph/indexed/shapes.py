"""Operations that only move entries of whole arrays: the places of terms change."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from math import prod

import numpy as np
from pytensor.compile.ops import ViewOp
from pytensor.graph.basic import Apply
from pytensor.tensor.basic import Alloc, AllocDiag, ExtractDiag, Join, MakeVector, ScalarFromTensor, TensorFromScalar
from pytensor.tensor.elemwise import DimShuffle
from pytensor.tensor.reshape import JoinDims, SplitDims
from pytensor.tensor.shape import Reshape, SpecifyShape

from autoopt.graph.indexed.table import broadcast, length_of, pushes
from autoopt.graph.indexed.terms import Label, NotFactored, Place, Term, composed, fixed
from autoopt.ops.patterns import rank
from autoopt.ops.releases import axis_of, operands_of


@pushes(SpecifyShape, ViewOp, ScalarFromTensor, TensorFromScalar)
def unchanged(node: Apply, terms: Sequence[list[Term]]) -> list[Term]:
    return terms[0]


@pushes(DimShuffle)
def transposed(node: Apply, terms: Sequence[list[Term]]) -> list[Term]:
    order = node.op.new_order
    dropped = [axis for axis in range(rank(node.inputs[0])) if axis not in order]
    found = []
    for term in terms[0]:
        out = [fixed(0) if axis == "x" else term.out[axis] for axis in order]
        found.append(term.without([label for axis in dropped for label in term.out[axis].labels], out))
    return found


@pushes(Alloc)
def filled(node: Apply, terms: Sequence[list[Term]]) -> list[Term]:
    (value, *_), shape = node.inputs, node.outputs[0].type.shape
    new = len(shape) - rank(value)
    found = []
    for term in terms[0]:
        places = [Place((Label(length),)) for length in shape[:new]]
        found.append(term.times((), (*places, *broadcast(term.out, value, shape[new:]))))
    return found


@pushes(Reshape, SplitDims, JoinDims)
def reshaped(node: Apply, terms: Sequence[list[Term]]) -> list[Term]:
    old = [length_of(n) for n in node.inputs[0].type.shape]
    new = [length_of(n) for n in node.outputs[0].type.shape]
    if 0 in old:
        return []
    return [reshaped_term(term, old, new) for term in terms[0]]


def reshaped_term(term: Term, old: Sequence[int], new: Sequence[int]) -> Term:
    """Return a term of an array of shape `old` as one of the same entries in the shape `new`."""
    places: list[Place] = []
    i = j = 0
    while i < len(old) or j < len(new):
        k, m = i + (i < len(old)), j + (j < len(new))
        while prod(old[i:k]) != prod(new[j:m]):
            if prod(old[i:k]) < prod(new[j:m]):
                k += 1
            else:
                m += 1
        while k < len(old) and old[k] == 1 and not (m < len(new) and new[m] == 1):
            k += 1
        while m < len(new) and new[m] == 1 and not (k < len(old) and old[k] == 1):
            m += 1
        term, piece = _regrouped(term, i, list(old[i:k]), list(new[j:m]))
        places += piece
        i, j = k, m
    return term.times((), places)


def _regrouped(term: Term, start: int, old: list[int], new: list[int]) -> tuple[Term, list[Place]]:
    """Return the term with, in place of some of its axes, axes of other lengths over the same entries."""
    own = [place for place, length in zip(term.out[start : start + len(old)], old, strict=True) if length != 1]
    lengths = [length for length in old if length != 1]
    wanted = [length for length in new if length != 1]
    if wanted == lengths:
        places = own
    elif len(wanted) <= 1:
        places = [_joint(own, lengths)] if wanted else []
    else:
        term, places = _split(term, _joint(own, lengths), wanted)
    rest = iter(places)
    return term, [fixed(0) if length == 1 else next(rest) for length in new]


def _joint(places: list[Place], lengths: list[int]) -> Place:
    """Return the place in an axis that several are joined to."""
    if len(places) == 1:
        return places[0]
    labels = tuple(dict.fromkeys(label for place in places for label in place.labels))
    if all(p.index is None for p in places) and len(labels) == sum(len(p.labels) for p in places):
        return Place(labels)
    steps = list(accumulate([1, *lengths[:0:-1]], lambda a, b: a * b))[::-1]
    sizes = [label.size for label in labels]
    total_index = np.zeros(sizes, dtype=np.int64)
    for place, step in zip(places, steps, strict=True):
        order = [place.labels.index(label) for label in labels if label in place.labels]
        shape = [label.size if label in place.labels else 1 for label in labels]
        total_index = total_index + step * place.known().transpose(order).reshape(shape)
    return Place(labels, total_index)


def _split(term: Term, place: Place, lengths: list[int]) -> tuple[Term, list[Place]]:
    """Return the term with one axis as several."""
    if place.index is None:
        if list(place.sizes) == lengths:
            return term, [Place((label,)) for label in place.labels]
        if len(place.labels) == 1:
            (label,) = place.labels
            parts = tuple(Label(length) for length in lengths)
            term = term.moved({label: Place(parts)}, [_again(p, label, parts) for p in term.out])
            return term, [Place((part,)) for part in parts]
    positions = np.unravel_index(place.known(), lengths)
    return term, [Place(place.labels, np.asarray(axis)) for axis in positions]


def _again(place: Place, label: Label, parts: tuple[Label, ...]) -> Place:
    return composed(place, {label: Place(parts)})


@pushes(Join)
def joined(node: Apply, terms: Sequence[list[Term]]) -> list[Term]:
    axis, parts = axis_of(node), operands_of(node)
    if axis is None:
        raise NotFactored("an axis that is computed")
    found, start = [], 0
    own = terms[len(node.inputs) - len(parts) :]
    for part, group in zip(parts, own, strict=True):
        for term in group:
            place = term.out[axis]
            moved = Place(place.labels, start + place.known()) if start or part is not parts[-1] else place
            moved = moved if len(parts) > 1 else place
            found.append(term.times((), (*term.out[:axis], moved, *term.out[axis + 1 :])))
        start += length_of(part.type.shape[axis])
    return found


@pushes(MakeVector)
def vector(node: Apply, terms: Sequence[list[Term]]) -> list[Term]:
    return [term.times((), (fixed(k),)) for k, own in enumerate(terms) for term in own]


@pushes(AllocDiag)
def diagonal_matrix(node: Apply, terms: Sequence[list[Term]]) -> list[Term]:
    if rank(node.inputs[0]) != 1 or node.op.offset:
        raise NotFactored(str(node.op))
    return [term.times((), (term.out[0], term.out[0])) for term in terms[0]]


@pushes(ExtractDiag)
def diagonal(node: Apply, terms: Sequence[list[Term]]) -> list[Term]:
    if rank(node.inputs[0]) != 2 or node.op.offset or node.inputs[0].type.shape[0] != node.inputs[0].type.shape[1]:
        raise NotFactored(str(node.op))
    found = []
    for term in terms[0]:
        row, column = term.out
        if row.is_plain and column.is_plain:
            new = {} if row.labels == column.labels else {column.labels[0]: row}
            found.append(term.moved(new, [row]))
        else:
            raise NotFactored("the diagonal of what has been placed")
    return found
