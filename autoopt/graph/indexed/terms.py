"""The derivative of an array with respect to a part of the parameters, as a sum of terms in index notation.

    z = X @ b               dz[n]/db[k] = X[n, k]                   a factor X over the labels n and k
    s = exp(z)              ds[n]/db[k] = s[n] X[n, k]              one more factor, nothing multiplied out
    b[1:]                   d/db[k] = 1 where i + 1 == k            no factor at all: a label i, in places i and i + 1

A term is a coefficient times factors, summed over all labels that stand in none of its places. Its places say which
entry of the array, and which parameter, a choice of labels belongs to: mostly the label itself, else the position that
an index array has for it. A Kronecker delta is a label that stands in two places, never an array.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import cast

import numpy as np
import pytensor.tensor as pt
from pytensor.graph.basic import Variable
from pytensor.tensor.variable import TensorVariable

from autoopt.ops.patterns import age


class NotFactored(Exception):
    """Something has no derivative in index notation; its products have."""


class Label:
    """An index, which runs from 0 to `size`."""

    __slots__ = ("size",)

    def __init__(self, size: int | None) -> None:
        if size is None:
            raise NotFactored("a length that is not known")
        self.size = size


Index = np.ndarray | Variable
"""Positions in an axis for every choice of some labels: whole numbers, known or computed."""

Factor = tuple[Variable, tuple[Label, ...]]
"""An array with a label for each of its axes, no label twice."""


@dataclass(frozen=True, eq=False)
class Place:
    """Where in an axis the entries for a choice of labels stand: at `index[labels]`, or numbered row by row."""

    labels: tuple[Label, ...] = ()
    index: Index | None = None

    @property
    def sizes(self) -> tuple[int, ...]:
        return tuple(label.size for label in self.labels)

    @property
    def is_plain(self) -> bool:
        """Whether the place is one label itself."""
        return self.index is None and len(self.labels) == 1

    def known(self) -> np.ndarray:
        """Return the positions, shape `sizes`; NotFactored if they are computed."""
        if isinstance(self.index, Variable):
            raise NotFactored("positions that are computed")
        return np.arange(prod(self.sizes)).reshape(self.sizes) if self.index is None else self.index


def fixed(position: int) -> Place:
    """Return the place of a single entry."""
    return Place((), np.array(position))


@dataclass(frozen=True, eq=False)
class Term:
    """One product: `out` has a place for each axis of the array, `par` one for each axis of the parameters' part."""

    coefficient: float
    factors: tuple[Factor, ...]
    out: tuple[Place, ...]
    par: tuple[Place, ...]

    def times(self, factors: Iterable[Factor], out: Iterable[Place], coefficient: float = 1.0) -> Term:
        """Return the term with further factors and other places."""
        return Term(self.coefficient * coefficient, (*self.factors, *factors), tuple(out), self.par)

    @property
    def placed(self) -> set[Label]:
        return {label for place in (*self.out, *self.par) for label in place.labels}

    def without(self, gone: Iterable[Label], out: Iterable[Place]) -> Term:
        """Return the sum over what stands in `gone` and no longer in a place."""
        left = Term(self.coefficient, self.factors, tuple(out), self.par)
        for label in set(gone) - left.placed:
            left = left.summed(label)
        kept = left.placed.union(label for _, labels in self.factors for label in labels)
        count = prod(label.size for label in dict.fromkeys(gone) if label not in kept)
        return left.times((), out, float(count))

    def has(self, label: Label) -> bool:
        """Whether a factor goes over `label`."""
        return any(label in labels for _, labels in self.factors)

    def summed(self, label: Label) -> Term:
        """Return the term with the only factor over a label summed over it, where it is the only one."""
        having = [k for k, (_, labels) in enumerate(self.factors) if label in labels]
        if len(having) != 1:
            return self
        factors = list(self.factors)
        variable, labels = factors[having[0]]
        rest = tuple(other for other in labels if other is not label)
        factors[having[0]] = cast(TensorVariable, variable).sum(axis=labels.index(label)), rest
        return Term(self.coefficient, tuple(factors), self.out, self.par)

    def moved(self, new: Mapping[Label, Place], out: Iterable[Place]) -> Term:
        """Return the term at those values of some labels that other places have, `out` being given anew."""
        factors = tuple(at(v, [new.get(label, Place((label,))) for label in labels]) for v, labels in self.factors)
        return Term(self.coefficient, factors, tuple(out), tuple(composed(place, new) for place in self.par))


def composed(place: Place, new: Mapping[Label, Place]) -> Place:
    """Return the place in which labels stand for what they are by `new`."""
    if not any(label in new for label in place.labels):
        return place
    if place.is_plain:
        return new[place.labels[0]]
    parts = [new.get(label, Place((label,))) for label in place.labels]
    labels = tuple(dict.fromkeys(label for part in parts for label in part.labels))
    plain = place.index is None and all(part.index is None for part in parts)
    if plain and len(labels) == sum(len(part.labels) for part in parts):
        return Place(labels)
    if not any(isinstance(p.index, Variable) for p in (place, *parts)):
        spread = [_spread(part.known(), part.labels, labels) for part in parts]
        return Place(labels, np.asarray(place.known()[tuple(spread)]))
    return Place(labels, _computed(place, [over(part, labels) for part in parts]))


def _computed(place: Place, positions: Sequence[TensorVariable]) -> TensorVariable:
    """Return the positions of a place for positions of its labels that are computed."""
    if isinstance(place.index, Variable):
        return cast(TensorVariable, place.index)[tuple(positions)]
    known = place.known()
    first = int(known.flat[0]) if known.size else 0
    if np.array_equal(known.ravel(), first + np.arange(known.size)):
        steps = [prod(known.shape[axis + 1 :]) for axis in range(known.ndim)]
        terms = [p if step == 1 else step * p for p, step in zip(positions, steps, strict=True)]
        return pt.add(*terms, *[first] * (first != 0)) if len(terms) + (first != 0) > 1 else terms[0]
    return cast(TensorVariable, pt.constant(known)[tuple(positions)])


def over(place: Place, labels: Sequence[Label]) -> TensorVariable:
    """Return the positions of a place as an array that spreads over all of `labels`."""
    index = place.index if isinstance(place.index, Variable) else pt.constant(place.known())
    return laid_out(index, place.labels, labels)


def laid_out(variable: Variable, own: Sequence[Label], wanted: Sequence[Label]) -> TensorVariable:
    """Return an array over some labels with an axis for each of `wanted`, of length 1 where it lacks it."""
    order = [own.index(label) if label in own else "x" for label in wanted]
    x = cast(TensorVariable, variable)
    return x if order == list(range(x.type.ndim)) else x.dimshuffle(order)


def _spread(index: np.ndarray, own: Sequence[Label], labels: Sequence[Label]) -> np.ndarray:
    """Return positions over some labels as those over all of `labels`."""
    order = [own.index(label) for label in labels if label in own]
    shape = [label.size if label in own else 1 for label in labels]
    return np.broadcast_to(index.transpose(order).reshape(shape), [label.size for label in labels])


def at(variable: Variable, places: Sequence[Place]) -> Factor:
    """Return the entries of an array at places of its axes; axes of length 1 hold for all positions."""
    x = cast(TensorVariable, variable)
    axes = [(axis, place) for axis, place in enumerate(places) if x.type.shape[axis] != 1]
    if len(axes) < x.type.ndim:
        x = x.dimshuffle([axis for axis, _ in axes])
    left = [place for _, place in axes]
    seen: dict[Label, int] = {}
    for k, place in enumerate(left):
        for label in place.labels:
            if seen.setdefault(label, k) != k:
                return _jointly(x, left, seen[label], k)
    labels: list[Label] = []
    shape: list[int] = []
    for place in left:
        axis = len(shape) if place.index is not None else None
        if axis is not None:
            x = _taken(x, cast(Index, place.index), len(labels))
        labels += place.labels
        shape += place.sizes
        if axis is None and len(place.labels) != 1:
            before, after = (
                x.type.shape[: len(shape) - len(place.labels)],
                x.type.shape[len(shape) - len(place.labels) + 1 :],
            )
            x = x.reshape((*before, *place.sizes, *after))
    units = [k for k, label in enumerate(labels) if x.type.shape[k] == 1]
    if units:
        x = x.dimshuffle([k for k in range(len(labels)) if k not in units])
    return x, tuple(label for k, label in enumerate(labels) if k not in units)


def _jointly(x: TensorVariable, places: Sequence[Place], i: int, j: int) -> Factor:
    """Return the entries where two axes stand at places that share labels."""
    labels = tuple(dict.fromkeys((*places[i].labels, *places[j].labels)))
    both = [_index_over(places[k], labels) for k in (i, j)]
    rest = [k for k in range(len(places)) if k not in (i, j)]
    x = x.dimshuffle(i, j, *rest)
    length = x.type.shape[0]
    if length == x.type.shape[1] and all(place.is_plain for place in (places[i], places[j])):
        x = pt.diagonal(x, axis1=0, axis2=1)
        x = x.dimshuffle(x.type.ndim - 1, *range(x.type.ndim - 1))
    else:
        x = cast(TensorVariable, x[both[0], both[1]])
    shape = (*(label.size for label in labels), *(x.type.shape[len(labels) :]))
    x = pt.specify_shape(x, shape) if x.type.shape != shape else x
    return at(x, [*(Place((label,)) for label in labels), *(places[k] for k in rest)])


def _index_over(place: Place, labels: tuple[Label, ...]) -> Index:
    if isinstance(place.index, Variable):
        if place.labels != labels:
            raise NotFactored("computed positions that share labels")
        return place.index
    return np.ascontiguousarray(_spread(place.known(), place.labels, labels))


def _taken(x: TensorVariable, index: Index, axis: int) -> TensorVariable:
    """Return the entries at positions of an axis: a slice where the positions are one."""
    before = (slice(None),) * axis
    if isinstance(index, Variable):
        taken = x[(*before, index)]
    elif index.ndim == 0:
        return cast(TensorVariable, x[(*before, int(index))])
    elif (piece := as_slice(index)) is not None:
        taken = x if piece == slice(0, x.type.shape[axis], 1) else x[(*before, piece)]
    else:
        taken = x[(*before, index)]
    shape = (
        (*x.type.shape[:axis], *cast(TensorVariable, index).type.shape, *x.type.shape[axis + 1 :])
        if isinstance(index, Variable)
        else (*x.type.shape[:axis], *index.shape, *x.type.shape[axis + 1 :])
    )
    taken = cast(TensorVariable, taken)
    return taken if taken.type.shape == shape else pt.specify_shape(taken, shape)


def as_slice(index: np.ndarray) -> slice | None:
    """Return the slice that ascending positions are; None if they are none."""
    if index.ndim != 1 or index.size == 0:
        return None
    step = int(index[1] - index[0]) if index.size > 1 else 1
    if step < 1 or not np.array_equal(index, index[0] + step * np.arange(index.size)):
        return None
    return slice(int(index[0]), int(index[-1]) + 1, step)


# Sums of terms -------------------------------------------------------------------------------------------------------


def multiplied(factors: Iterable[Factor]) -> tuple[Factor, ...]:
    """Return the factors with those over the same labels as one."""
    groups: dict[frozenset[Label], tuple[list[Variable], tuple[Label, ...]]] = {}
    for variable, labels in factors:
        members, order = groups.setdefault(frozenset(labels), ([], labels))
        members.append(laid_out(variable, labels, order))
    return tuple((pt.mul(*members) if len(members) > 1 else members[0], order) for members, order in groups.values())


def merged(terms: Iterable[Term]) -> list[Term]:
    """Return the same sum of fewer terms: those that differ in one factor, or in the coefficient, are one."""
    found: dict[tuple, list[tuple[list, Term]]] = {}
    for term in terms:
        if term.coefficient == 0.0:
            continue
        term = Term(term.coefficient, multiplied(term.factors), term.out, term.par)
        key, factors, labels = canonical(term)
        bucket = found.setdefault(key, [])
        while True:
            for k, (others, other) in enumerate(bucket):
                joint = _joined(term, factors, labels, other, others)
                if joint is not None:
                    del bucket[k]
                    term = joint
                    _, factors, labels = canonical(term)
                    break
            else:
                break
        if term.coefficient != 0.0:
            bucket.append((factors, term))
    return [term for bucket in found.values() for _, term in bucket]


def canonical(term: Term) -> tuple[tuple, list[tuple[Variable, tuple[int, ...]]], list[Label]]:
    """Return what terms of one form have in common, the factors with their labels as numbers, and the labels."""
    numbers: dict[Label, int] = {}
    for place in (*term.out, *term.par):
        for label in place.labels:
            numbers.setdefault(label, len(numbers))
    places = tuple(
        (tuple(numbers[label] for label in place.labels), _index_key(place.index)) for place in (*term.out, *term.par)
    )
    waiting = list(term.factors)
    ordered: list[tuple[Variable, tuple[int, ...]]] = []
    while waiting:
        waiting.sort(
            key=lambda f: (
                -sum(label in numbers for label in f[1]),
                [numbers.get(label, 1 << 30) for label in f[1]],
                len(f[1]),
            )
        )
        variable, labels = waiting.pop(0)
        for label in labels:
            numbers.setdefault(label, len(numbers))
        ordered.append((variable, tuple(numbers[label] for label in labels)))
    ordered = [(_arranged_numbers(v, ns)) for v, ns in ordered]
    ordered.sort(key=lambda f: (f[1], age(f[0])))
    sizes = tuple(label.size for label in numbers)
    return (places, tuple(ns for _, ns in ordered), sizes), ordered, list(numbers)


def _arranged_numbers(variable: Variable, numbers: tuple[int, ...]) -> tuple[Variable, tuple[int, ...]]:
    order = sorted(numbers)
    if list(numbers) == order:
        return variable, numbers
    return _transposed(variable, tuple(numbers.index(n) for n in order)), tuple(order)


def _transposed(variable: Variable, order: tuple[int, ...]) -> Variable:
    """Return the array with its axes in another order, the same variable each time that it is asked for."""
    return once(variable, ("arranged", order), lambda: cast(TensorVariable, variable).dimshuffle(order))


def once(variable: Variable, key: tuple, make: Callable[[], Variable]) -> Variable:
    """Return what has been made of a variable under a key, else make it."""
    known = getattr(variable.tag, "made", None)
    if known is None or known[0] is not variable:  # a clone has the tag of what it is a clone of
        none: dict[tuple, Variable] = {}
        known = variable.tag.made = (variable, none)
    if key not in known[1]:
        known[1][key] = make()
    return known[1][key]


def _index_key(index: Index | None) -> object:
    if index is None or isinstance(index, Variable):
        return index
    return index.shape, index.tobytes()


def _joined(term: Term, factors: list, labels: list[Label], other: Term, others: list) -> Term | None:
    """Return the sum of two terms of one form as one, None if they differ in more than one factor."""
    apart = [k for k, (one, two) in enumerate(zip(factors, others, strict=True)) if one[0] is not two[0]]
    named = [(v, tuple(labels[n] for n in ns)) for v, ns in factors]
    if not apart:
        return Term(term.coefficient + other.coefficient, tuple(named), term.out, term.par)
    if len(apart) > 1:
        return None
    (k,) = apart
    one, two, ratio = factors[k][0], others[k][0], other.coefficient / term.coefficient
    named[k] = (pt.add(one, two if ratio == 1.0 else pt.mul(ratio, two)), named[k][1])
    return Term(term.coefficient, tuple(named), term.out, term.par)
