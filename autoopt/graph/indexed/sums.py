"""Sums, running sums, products and inverses of matrices."""

from __future__ import annotations

from collections.abc import Sequence

import pytensor.tensor as pt
from pytensor.graph.basic import Apply, Variable
from pytensor.tensor.blas import BatchedDot
from pytensor.tensor.extra_ops import CumOp
from pytensor.tensor.linalg.inverse import MatrixInverse
from pytensor.tensor.math import Dot, Sum

from autoopt.graph.indexed.contraction import Contractions
from autoopt.graph.indexed.table import length_of, pushes
from autoopt.graph.indexed.terms import Label, NotFactored, Place, Term, at, fixed
from autoopt.ops.patterns import rank


@pushes(Sum)
def total(node: Apply, terms: Sequence[list[Term]]) -> list[Term]:
    axes = node.op.axis
    gone = set(range(rank(node.inputs[0])) if axes is None else axes)
    found = []
    for term in terms[0]:
        left = [place for k, place in enumerate(term.out) if k not in gone]
        found.append(term.without([label for k in gone for label in term.out[k].labels], left))
    return found


@pushes(Dot, BatchedDot)
def product(node: Apply, terms: Sequence[list[Term]]) -> list[Term]:
    """A @ B, of stacks too: the terms of either with the other as a factor."""
    a, b = node.inputs
    shape = node.outputs[0].type.shape
    stack = max(rank(a), rank(b)) - 2 if rank(a) > 1 and rank(b) > 1 else 0
    found = []
    for term in terms[0]:
        lead = _broadcast_stack(term.out[: rank(a) - 2], a, shape, stack) if stack else ()
        inner, row = term.out[-1], term.out[-2:-1]
        columns = [Place((Label(n),)) for n in b.type.shape[rank(b) - 1 :]] if rank(b) > 1 else []
        factor = at(b, [*lead[len(lead) - max(rank(b) - 2, 0) :], inner, *columns])
        found.append(term.times([factor], ()).without(inner.labels, [*lead, *row, *columns]))
    for term in terms[1]:
        lead = _broadcast_stack(term.out[: rank(b) - 2], b, shape, stack) if stack else ()
        inner, column = (term.out[-2], term.out[-1:]) if rank(b) > 1 else (term.out[0], ())
        rows = [Place((Label(n),)) for n in a.type.shape[-2:-1]]
        factor = at(a, [*lead[len(lead) - max(rank(a) - 2, 0) :], *rows, inner])
        found.append(term.times([factor], ()).without(inner.labels, [*lead, *rows, *column]))
    return found


def _broadcast_stack(
    places: Sequence[Place], variable: Variable, shape: Sequence[int | None], stack: int
) -> tuple[Place, ...]:
    missing = stack - len(places)
    own = (1,) * missing + variable.type.shape[:-2]
    places = (*(fixed(0) for _ in range(missing)), *places)
    return tuple(
        Place((Label(long),)) if length == 1 and long != 1 else place
        for place, length, long in zip(places, own, shape[:stack], strict=True)
    )


@pushes(MatrixInverse)
def inverse(node: Apply, terms: Sequence[list[Term]]) -> list[Term]:
    """d inv(A) = -inv(A) dA inv(A), of stacks too."""
    out = node.outputs[0]
    size = length_of(out.type.shape[-1])
    found = []
    for term in terms[0]:
        *lead, row, column = term.out
        first, last = Place((Label(size),)), Place((Label(size),))
        factors = [at(out, [*lead, first, row]), at(out, [*lead, column, last])]
        places = [*lead, first, last]
        found.append(term.times(factors, (), -1.0).without((*row.labels, *column.labels), places))
    return found


@pushes(CumOp)
def running(node: Apply, terms: Sequence[list[Term]]) -> list[Term]:
    """Running sums: of what the factors along the axis are together, which becomes one factor."""
    op, ndim = node.op, rank(node.inputs[0])
    axis = op.axis if op.axis is not None else 0 if ndim == 1 else None
    if op.mode != "add" or axis is None:
        raise NotFactored(str(op))
    found = []
    for term in terms[0]:
        place = term.out[axis]
        others = {label for p in (*term.out[:axis], *term.out[axis + 1 :], *term.par) for label in p.labels}
        if not place.is_plain or others & set(place.labels):
            raise NotFactored("running sums of what has been placed")
        (label,) = place.labels
        along = [factor for factor in term.factors if label in factor[1]]
        rest = [factor for factor in term.factors if label not in factor[1]]
        if not along:
            along = [(pt.ones(label.size), (label,))]
        kept = others.union(x for _, labels in rest for x in labels)
        mine = dict.fromkeys(x for _, labels in along for x in labels)
        wanted = [x for x in mine if x in kept or x is label]
        joint = Contractions().arranged(along, wanted)
        summed = pt.cumsum(joint, axis=wanted.index(label))
        found.append(Term(term.coefficient, ((summed, tuple(wanted)), *rest), term.out, term.par))
    return found
