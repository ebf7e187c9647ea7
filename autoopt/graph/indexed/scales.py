"""Factors as what they are multiplied and divided by, and the divisors shared out among them.

    2 (e / S / S) E[a] E[b]              e, E of the size of S = sum of E, which may be 1e300
    2 (e / S) (E[a] / S) (E[b] / S)      each numerator gets a divisor: nothing overflows, nothing vanishes

In one array a quotient is as stable as its rewriting; over several arrays that are multiplied at last it is not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, cast

import pytensor.tensor as pt
from pytensor import scalar as ps
from pytensor.graph.basic import Variable
from pytensor.tensor.elemwise import DimShuffle
from pytensor.tensor.variable import TensorVariable

from autoopt.graph.indexed.terms import Factor, Label, Term, laid_out, multiplied
from autoopt.ops.patterns import is_elementwise, uniform

IsData = Callable[[Variable], bool]


class Piece(NamedTuple):
    """An array over some labels."""

    variable: Variable
    labels: tuple[Label, ...]

    def is_same(self, other: Piece) -> bool:
        """Whether two pieces are one array over the same labels."""
        if self.labels != other.labels:
            return False
        a, b = self.variable, other.variable
        if a is b or a.owner is None or b.owner is None:
            return a is b
        is_same_node = a.owner.op == b.owner.op and a.owner.inputs == b.owner.inputs
        return is_same_node and a.owner.outputs.index(a) == b.owner.outputs.index(b)

    def over(self, labels: Sequence[Label]) -> TensorVariable:
        """Return the array with an axis for each of `labels`."""
        return laid_out(self.variable, self.labels, labels)


@dataclass
class Parts:
    """A product: a number, arrays that are multiplied, and arrays that it is divided by."""

    number: float = 1.0
    above: list[Piece] = field(default_factory=list)
    below: list[Piece] = field(default_factory=list)

    def take(self, variable: Variable, labels: tuple[Label, ...], inverted: bool = False) -> Parts:
        """Multiply by an array, or divide by it, taken apart as far as it is a product of others."""
        variable = _unwrapped(variable)
        number = uniform(variable)
        base, own = _moved(variable, labels)
        if number is not None and number != 0.0:
            self.number = self.number / number if inverted else self.number * number
        elif is_elementwise(base, _PRODUCTS):
            if is_elementwise(base, ps.Neg):
                self.number = -self.number
            for k, operand in enumerate(base.owner.inputs * (1 + is_elementwise(base, ps.Sqr))):
                piece = _squeezed(operand, own)
                divides = is_elementwise(base, ps.Reciprocal) or (is_elementwise(base, ps.TrueDiv) and k > 0)
                self.take(piece.variable, piece.labels, inverted != divides)
        else:
            (self.below if inverted else self.above).append(Piece(variable, labels))
        return self

    def cancel(self) -> None:
        """Leave out what is both multiplied and divided by."""
        for piece in list(self.below):
            twin = next((k for k, other in enumerate(self.above) if piece.is_same(other)), None)
            if twin is not None:
                del self.above[twin]
                self.below.remove(piece)


_PRODUCTS = (ps.Neg, ps.Mul, ps.Sqr, ps.TrueDiv, ps.Reciprocal)


def _moved(variable: Variable, labels: tuple[Label, ...]) -> tuple[Variable, tuple[Label | None, ...]]:
    """Return what an array is with its axes moved, inserted and dropped, and the labels of its axes."""
    own: tuple[Label | None, ...] = labels
    while variable.owner is not None and isinstance(variable.owner.op, DimShuffle):
        order, variable = variable.owner.op.new_order, variable.owner.inputs[0]
        axes = range(cast(TensorVariable, variable).type.ndim)
        own = tuple(own[order.index(axis)] if axis in order else None for axis in axes)
    return variable, own


def _squeezed(variable: Variable, labels: tuple[Label | None, ...]) -> Piece:
    """Return an operand of an elementwise operation over `labels` without its unit axes."""
    x = cast(TensorVariable, variable)
    kept = [axis for axis, unit in enumerate(x.type.broadcastable) if not unit]
    x = x if len(kept) == x.type.ndim else x.dimshuffle(kept)
    return Piece(x, tuple(label for axis in kept if (label := labels[axis]) is not None))


def _unwrapped(variable: Variable) -> Variable:
    """Return an array without axes inserted, moved and dropped again, where nothing is left of it."""
    order: tuple[Any, ...] = tuple(range(cast(TensorVariable, variable).type.ndim))
    v = variable
    while v.owner is not None and isinstance(v.owner.op, DimShuffle):
        inner = v.owner.op.new_order
        order = tuple(axis if axis == "x" else inner[axis] for axis in order)
        v = v.owner.inputs[0]
        if order == tuple(range(cast(TensorVariable, v).type.ndim)):
            variable = v
    return variable


def divided(variable: Variable, labels: Sequence[Label], below: Sequence[Piece]) -> Variable:
    """Return an array over `labels` divided by others."""
    for piece in below:
        variable = pt.true_div(variable, piece.over(labels))
    return variable


def balanced(term: Term, is_data: IsData) -> Term:
    """Return the term with its divisors shared out among the factors that the parameters decide."""
    if sum(not is_data(variable) for variable, _ in term.factors) < 2:
        return term
    parts = Parts()
    for variable, labels in term.factors:
        parts.take(variable, labels)
    parts.cancel()
    divisors = [piece for piece in parts.below if not is_data(piece.variable)]
    cores = [Piece(*factor) for factor in multiplied(p for p in parts.above if not is_data(p.variable))]
    if not divisors:
        return term
    others: list[Factor] = [piece for piece in parts.above if is_data(piece.variable)]
    others += [(pt.true_div(1.0, v), labels) for v, labels in parts.below if is_data(v)]
    shares: list[list[Piece]] = [[] for _ in cores]
    alone: dict[frozenset[Label], list[Piece]] = {}
    for divisor in divisors:
        able = [k for k, core in enumerate(cores) if set(divisor.labels) <= set(core.labels)]
        if able:
            k = min(able, key=lambda k: sum(divisor.is_same(other) for other in shares[k]))
            shares[k].append(divisor)
        else:
            alone.setdefault(frozenset(divisor.labels), []).append(divisor)
    for (variable, labels), *more in alone.values():
        others.append((divided(pt.true_div(1.0, variable), labels, more), labels))
    factors = [(divided(v, labels, below), labels) for (v, labels), below in zip(cores, shares, strict=True)]
    left = Term(term.coefficient * parts.number, multiplied([*factors, *others]), term.out, term.par)
    return left.without([label for _, labels in term.factors for label in labels if not left.has(label)], left.out)
