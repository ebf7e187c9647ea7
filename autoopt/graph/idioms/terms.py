"""Products, and sums of products along axes, as the factors that they are made of.

    -s * (v[:, None] * A / t[:, None]).sum(axis=0)        coefficient -1, summed {0}; s(), v(0), A(0, 1), 1 / t(0)

The numbers in brackets are labels: which of the term's axes those of a factor are. Products are read down to what is
none, whatever shape and order they were written in, and a sum together with what it is multiplied by.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, cast

import pytensor.tensor as pt
from pytensor import scalar as ps
from pytensor.graph.basic import Constant, Variable
from pytensor.tensor.elemwise import DimShuffle
from pytensor.tensor.math import Sum
from pytensor.tensor.variable import TensorVariable

from autoopt.graph.idioms.magnitudes import is_steep
from autoopt.ops.matmul import MatMul, matmul
from autoopt.ops.patterns import applied, is_elementwise, rank, unexpanded

PRODUCTS = (ps.Mul, ps.TrueDiv, ps.Sqr, ps.Neg)


class Pair(NamedTuple):
    """Two factors made one: their product, or a quotient. The labels are axes of the pair."""

    first: Factor
    second: Factor

    @property
    def axes(self) -> int:
        return len({*self.first.labels, *self.second.labels} - {None})


class Factor(NamedTuple):
    """Something that is multiplied, or divided by; `labels` has None for axes of length one."""

    base: Base
    labels: Labels
    divides: bool


Base = Variable | Pair

Labels = tuple[int | None, ...]
"""Which axes of a term those of an array are."""


@dataclass
class Term:
    """What `out` is: coefficient times factors, summed along some axes.

    Attributes
    ----------
    out : Variable
    labels : tuple of int or None
        Of the axes of `out`.
    factors : Counter of Factor
    summed : set of int
    coefficient : float
    is_changed : bool
        Whether it is to be written anew in any case: numbers, or what is the same along the axes, were multiplied
        before they were summed, or something was cancelled.
    is_forward : bool
        Whether the value is computed by it: its factors are as the user has put them together.
    """

    out: Variable
    labels: Labels
    factors: Counter[Factor] = field(default_factory=Counter)
    summed: set[int] = field(default_factory=set)
    coefficient: float = 1.0
    is_changed: bool = False
    is_forward: bool = False


def is_product(variable: Variable) -> bool:
    """Whether a variable is a product, a quotient, a square or a negation of doubles."""
    return is_elementwise(variable, PRODUCTS) and all(
        getattr(v.type, "dtype", "") == "float64" for v in (variable, *variable.owner.inputs)
    )


def is_sum(variable: Variable) -> bool:
    """Whether a variable is a sum along axes, or of products of a vector with a vector or a matrix."""
    node = variable.owner
    if node is None or getattr(variable.type, "dtype", "") != "float64":
        return False
    if isinstance(node.op, MatMul):
        return min(map(rank, node.inputs)) == 1 and all(v.type.dtype == "float64" for v in node.inputs)
    return isinstance(node.op, Sum) and node.inputs[0].type.dtype == "float64"


class _Part(NamedTuple):
    """Something still to be read: whether it is divided by, and stands within the sum."""

    variable: Variable
    labels: Labels
    divides: bool
    is_inside: bool


class Reader:
    """Reads terms.

    Parameters
    ----------
    readers : Counter of Variable
        By how many operands each variable is read.
    forward : set of Variable
        What the value is computed by.

    Attributes
    ----------
    absorbed : set of Variable
        Sums that have become part of a term.
    """

    def __init__(self, readers: Counter[Variable], forward: set[Variable]) -> None:
        self.readers = readers
        self.forward = forward
        self.absorbed: set[Variable] = set()

    def term(self, variable: Variable) -> Term:
        """Return the term that a product or a sum is."""
        term = Term(variable, _own_labels(variable), is_forward=variable in self.forward)
        is_total = variable.owner is not None and isinstance(variable.owner.op, Sum)
        top = {variable, *(variable.owner.inputs if is_total else ())}
        waiting = [_Part(variable, term.labels, False, False)]
        while waiting:
            part = waiting.pop()
            v = part.variable
            number = _number(v)
            if number is not None:
                term.coefficient = term.coefficient / number if part.divides else term.coefficient * number
                term.is_changed |= part.is_inside
            elif is_product(v) and (v in top or not term.is_forward):
                waiting += _operands(term, part)
            elif v.owner is not None and isinstance(v.owner.op, DimShuffle):
                order = v.owner.op.new_order
                inner = tuple(part.labels[order.index(k)] if k in order else None for k in range(v.owner.op.input_ndim))
                waiting.append(part._replace(variable=v.owner.inputs[0], labels=inner))
            elif is_sum(v) and (v is variable or (not part.divides and not term.summed and self.readers[v] == 1)):
                waiting += _summands(term, part)
                self.absorbed |= {v} - {variable}
            else:
                term.factors[Factor(v, part.labels, part.divides)] += 1
                term.is_changed |= part.is_inside and not term.summed.intersection(part.labels)
        if not term.is_forward:
            _cancel(term)
        return term


def _cancel(term: Term) -> None:
    """Leave out what a term is both multiplied and divided by, as long as another factor has each of its axes."""
    for factor in list(term.factors):
        other = factor._replace(divides=True)
        if factor.divides or other not in term.factors:
            continue
        left = term.factors.copy()
        count = min(left[factor], left[other])
        left.subtract({factor: count, other: count})
        left = +left
        labels = {label for f in left for label in f.labels} - {None}
        if left and labels >= (set(term.labels) | term.summed) - {None}:
            term.factors, term.is_changed = left, True


def _number(variable: Variable) -> float | None:
    """Return a single number, however many axes it has; none that may overflow where it is multiplied later on."""
    base = unexpanded(variable)
    if isinstance(base, Constant) and getattr(base.data, "size", 0) == 1 and base.type.dtype == "float64":
        number = float(base.data.item())
        return number if 1e-9 < abs(number) < 1e9 else None
    return None


def _own_labels(variable: Variable) -> Labels:
    return tuple(None if single else k for k, single in enumerate(variable.type.broadcastable))


def _operands(term: Term, part: _Part) -> list[_Part]:
    """Return the operands of a product, and note its sign."""
    v = part.variable
    if is_elementwise(v, ps.Neg):
        term.coefficient = -term.coefficient
        term.is_changed |= part.is_inside
    found = []
    for k, operand in enumerate(v.owner.inputs):
        divides = part.divides != (k == 1 and is_elementwise(v, ps.TrueDiv))
        pairs = zip(operand.type.broadcastable, part.labels, strict=True)
        labels = tuple(None if single else label for single, label in pairs)
        one = _Part(operand, labels, divides, part.is_inside)
        found += [one] * (2 if is_elementwise(v, ps.Sqr) else 1)
    return found


def _summands(term: Term, part: _Part) -> list[_Part]:
    """Return what a sum is of, and note along which axes."""
    node, fresh = part.variable.owner, iter(range(len(term.labels), 99))
    if isinstance(node.op, MatMul):
        a, b = node.inputs
        label = None if a.type.broadcastable[-1] or b.type.broadcastable[0] else next(fresh)
        if label is not None:
            term.summed.add(label)
        left = (*part.labels[: rank(a) - 1], label)
        right = (label, *part.labels[rank(a) - 1 :])
        return [_Part(a, left, False, True), _Part(b, right, False, True)]
    (source,) = node.inputs
    axes = range(rank(source)) if node.op.axis is None else node.op.axis
    kept = iter(part.labels)
    labels = [
        (None if single else next(fresh)) if axis in axes else next(kept)
        for axis, single in enumerate(source.type.broadcastable)
    ]
    term.summed |= {label for axis, label in enumerate(labels) if axis in axes and label is not None}
    return [_Part(source, tuple(labels), False, True)]


def size(labels: Iterable[int | None]) -> int:
    """Return what a step over arrays with these labels costs: every axis is long, as texts are for all lengths."""
    return 1000 ** len(set(labels) - {None})


def cost(term: Term) -> int:
    """Return what it takes to multiply and to add, the smallest factors first."""
    outer = [f for f in term.factors.elements() if not term.summed.intersection(f.labels)]
    inner = [f for f in term.factors.elements() if term.summed.intersection(f.labels)]
    total = _chain(outer) + (_contraction(inner) if inner else 0)
    return total + (size(term.labels) if inner and outer else 0)


def _chain(factors: Sequence[Factor]) -> int:
    """Return the cost of a product."""
    ordered = sorted(factors, key=lambda f: size(f.labels))
    labels: set[int | None] = set(ordered[0].labels) if ordered else set()
    total = 0
    for factor in ordered[1:]:
        labels |= set(factor.labels)
        total += size(labels)
    return total


def _contraction(factors: Sequence[Factor]) -> int:
    """Return the cost of a product that is summed: the last multiplication needs no array of its own."""
    whole = {label for f in factors for label in f.labels} - {None}
    full = [f for f in factors if set(f.labels) - {None} == whole]
    rest = [f for f in factors if set(f.labels) - {None} != whole]
    if not full:
        return _chain(factors) + size(whole)
    return _chain(rest) + max(len(full) - (1 if rest else 2), 0) * size(whole) + size(whole)


def is_matrix_by_vectors(term: Term) -> bool:
    """Whether a matrix is multiplied by several vectors along the axis that is summed: by their product, then."""
    inner = [f for f in term.factors.elements() if term.summed.intersection(f.labels)]
    vectors = [f for f in inner if set(f.labels) - {None} == term.summed]
    matrices = [f for f in inner if f not in vectors]
    plain = len(term.summed) == 1 and len(vectors) > 1 and not any(f.divides for f in matrices)
    return plain and len({f.labels for f in matrices}) == 1 and len(set(matrices[0].labels) - {None}) == 2


Piece = tuple[TensorVariable, Factor]
"""What the base of a factor is, and the factor."""


def spread(base: Variable, labels: Sequence[int | None], axes: Sequence[int | None]) -> TensorVariable:
    """Return an array with its axes where their labels stand among `axes`, and axes of length one elsewhere."""
    order = ["x" if axis is None or axis not in labels else labels.index(axis) for axis in axes]
    array = cast(TensorVariable, base)
    return array if order == list(range(rank(base))) else array.dimshuffle(*order)


def built(term: Term, pieces: Sequence[Piece], is_added: bool = False) -> TensorVariable:
    """Return a term written anew; of one that is only added to others the sign comes last, where it costs nothing."""
    outer = [piece for piece in pieces if not term.summed.intersection(piece[1].labels)]
    inner = [piece for piece in pieces if term.summed.intersection(piece[1].labels)]
    coefficient, sign = (abs(term.coefficient), term.coefficient < 0) if is_added else (term.coefficient, False)
    again: list[Piece] = []
    if inner:
        total, labels = _summed(term, inner)
        again = [piece for piece in outer if is_steep(piece[0])][1:]  # their product might overflow, or vanish
        outer = [piece for piece in outer if not any(piece is other for other in again)]
        outer.append((total, Factor(total, labels, False)))
    result = _product(outer, term.labels, coefficient)
    if again:
        everything = (result, Factor(result, term.labels, False))
        result = _product([everything, *again], term.labels, 1.0)
    return pt.neg(result) if sign else result


def _product(pieces: Sequence[Piece], axes: Sequence[int | None], coefficient: float) -> TensorVariable:
    """Return a product, small arrays first; each factor is divided before the next one of its shape is multiplied."""
    above: dict[frozenset, list[TensorVariable]] = {}
    below: dict[frozenset, list[TensorVariable]] = {}
    for base, factor in sorted(pieces, key=lambda piece: size(piece[1].labels)):
        group = below if factor.divides else above
        group.setdefault(frozenset(factor.labels) - {None}, []).append(spread(base, factor.labels, axes))
    result: TensorVariable | None = None
    for labels, factors in above.items():
        part = _quotient(factors, below.get(labels, []))
        result = part if result is None else pt.mul(result, part)
        if coefficient == -1.0 or (coefficient != 1.0 and result is part):
            result = pt.neg(result) if coefficient == -1.0 else pt.mul(coefficient, result)
            coefficient = 1.0
    for divisor in (divisor for divisors in below.values() for divisor in divisors):
        result = pt.true_div(coefficient if result is None else result, divisor)
        coefficient = 1.0 if result is None else coefficient
    assert result is not None  # a term has factors
    return result


def _quotient(factors: Sequence[TensorVariable], divisors: list[TensorVariable]) -> TensorVariable:
    """Return the product of factors of one shape, all but the last divided by one of the `divisors`, which it takes."""
    if not divisors and len(factors) > 1 and factors[0] is factors[1]:
        factors = [pt.sqr(factors[0]), *factors[2:]]
    result = factors[0]
    for k, factor in enumerate(factors):
        if k:
            result = pt.mul(result, factor)
        if divisors and k < len(factors) - 1:
            result = pt.true_div(result, divisors.pop(0))
    return result


def _summed(term: Term, pieces: Sequence[Piece]) -> tuple[TensorVariable, Labels]:
    """Return the sum of a product with the labels of its axes."""
    axes = max((f.labels for _, f in pieces), key=lambda labels: len(set(labels) - {None}))
    axes = tuple(
        dict.fromkeys(label for label in (*axes, *(k for _, f in pieces for k in f.labels)) if label is not None)
    )
    kept = tuple(label for label in axes if label not in term.summed)
    whole = [piece for piece in pieces if set(piece[1].labels) - {None} == set(axes) and not piece[1].divides]
    rest = [piece for piece in pieces if not any(piece is other for other in whole)]
    along = {label for _, f in rest for label in f.labels} - {None}
    if len(axes) == 1 and len(whole) > 1:
        last = whole[-1]
        other = _product([piece for piece in pieces if piece is not last], axes, 1.0)
        return applied(matmul, other, spread(last[0], last[1].labels, axes)), kept
    if len(axes) == 2 and len(term.summed) == 1 and rest and along == term.summed and whole:
        vector = _product(rest, tuple(term.summed), 1.0)
        matrix = _product(whole, axes, 1.0)
        if axes[0] not in term.summed:
            return applied(matmul, matrix, vector), kept
        return applied(matmul, *((matrix.T, vector) if matrix.owner is None else (vector, matrix))), kept
    where = [k for k, label in enumerate(axes) if label in term.summed]
    return applied(Sum(axis=where), _product(pieces, axes, 1.0)), kept
