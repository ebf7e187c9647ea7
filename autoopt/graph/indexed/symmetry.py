"""Terms of a symmetric block as squares: the two factors that are one array but for scales are made the same.

    -(E[n,a] / S[n] / S[n]) E[n,b]          -P[n,a] P[n,b]   with P = E / S

The product of a matrix and its own transpose costs half, and is symmetric to the last digit.
"""

from __future__ import annotations

from collections.abc import Sequence

import pytensor.tensor as pt
from pytensor.graph.basic import Variable

from autoopt.graph.indexed.scales import Parts, Piece, divided
from autoopt.graph.indexed.terms import Factor, Label, Term, multiplied


def squared(term: Term) -> Term:
    """Return the term with factors of its rows and of its columns the same, where they are but for scales."""
    left = [label for place in term.out for label in place.labels]
    right = [label for place in term.par for label in place.labels]
    if [label.size for label in left] != [label.size for label in right]:
        return term
    new = dict(zip(left, right, strict=True))
    for i, (one, labels) in enumerate(term.factors):
        turned = tuple(new.get(label, label) for label in labels)
        if turned == labels:
            continue
        for j, (two, others) in enumerate(term.factors):
            if i != j and others == turned and one is not two:
                joint = _joint(one, labels, two, turned)
                if joint is not None:
                    number, core, rest = joint
                    kept = [factor for k, factor in enumerate(term.factors) if k not in (i, j)]
                    factors = multiplied([*kept, (core, labels), (core, turned), *rest])
                    return squared(Term(term.coefficient * number, factors, term.out, term.par))
    return term


def _joint(
    one: Variable, labels: tuple[Label, ...], two: Variable, turned: tuple[Label, ...]
) -> tuple[float, Variable, list[Factor]] | None:
    """Return a number, the array that both are, and the scales that only one of them has; None if they are not one."""
    a = Parts().take(one, labels)
    b = Parts().take(two, turned)
    mine, mine_scales = _divided(a.above, labels)
    yours, yours_scales = _divided(b.above, turned)
    below, below_scales = _divided(a.below, labels)
    under, under_scales = _divided(b.below, turned)
    if not (mine and _are_same(mine, yours) and _are_same(below, under)):
        return None
    common = set(labels) & set(turned)
    shared_above, above = _pairs([*mine_scales, *yours_scales], common)
    shared_below, beneath = _pairs([*below_scales, *under_scales], common)
    core = (
        pt.mul(*(p.over(labels) for p in [*mine, *shared_above])) if len(mine) + len(shared_above) > 1 else mine[0][0]
    )
    core = divided(core, labels, [*below, *shared_below])
    rest: list[Factor] = [*above, *((pt.true_div(1.0, v), own) for v, own in beneath)]
    return a.number * b.number, core, rest


def _divided(pieces: Sequence[Piece], labels: tuple[Label, ...]) -> tuple[list[Piece], list[Piece]]:
    """Return the pieces over all of `labels`, and the others."""
    whole = [piece for piece in pieces if piece.labels == labels]
    return whole, [piece for piece in pieces if piece.labels != labels]


def _are_same(one: Sequence[Piece], two: Sequence[Piece]) -> bool:
    left = [piece.variable for piece in two]
    for piece in one:
        twin = next((v for v in left if piece.is_same(Piece(v, piece.labels))), None)
        if twin is None:
            return False
        left.remove(twin)
    return not left


def _pairs(pieces: Sequence[Piece], common: set[Label]) -> tuple[list[Piece], list[Piece]]:
    """Return the pieces over `common` labels that stand twice, once, and the others."""
    left, shared, rest = list(pieces), [], []
    while left:
        piece = left.pop()
        twin = next((k for k, other in enumerate(left) if piece.is_same(other)), None)
        if twin is None or not set(piece.labels) <= common:
            rest.append(piece)
        else:
            del left[twin]
            shared.append(piece)
    return shared, rest
