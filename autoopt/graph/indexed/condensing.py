"""Sums of terms that are one array.

d(log sum exp a)[n]/dw[k] = E[n, k] - S[n] p[k]        one factor over n and k, no larger than E itself
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import pytensor.tensor as pt

from autoopt.graph.indexed.contraction import Contractions
from autoopt.graph.indexed.terms import Label, Term, canonical


def condensed(terms: list[Term]) -> list[Term]:
    """Return the same sum with terms over the same places as one array, where that is no larger than its factors."""
    groups: dict[tuple, list[Term]] = {}
    for term in terms:
        groups.setdefault(canonical(term)[0][0], []).append(term)
    found = []
    for group in groups.values():
        largest = max((prod(label.size for label in labels) for term in group for _, labels in term.factors), default=0)
        needed = {label for term in group for _, labels in term.factors for label in labels if label in term.placed}
        is_open = all(set(labels) <= term.placed for term in group for _, labels in term.factors)
        if len(group) > 1 and is_open and needed and prod(label.size for label in group[0].placed) <= largest:
            found.append(_as_one(group))
        else:
            found += group
    return found


def _as_one(terms: Sequence[Term]) -> Term:
    """Return terms over the same places as one with a single factor."""
    first = terms[0]
    labels = _in_order(first)
    pieces = []
    for term in terms:
        value = Contractions().arranged(term.factors, _in_order(term))
        pieces.append(value if term.coefficient == 1.0 else pt.mul(term.coefficient, value))
    total = pt.add(*pieces)
    shape = tuple(label.size for label in labels)
    kept = [k for k, length in enumerate(total.type.shape) if length != 1 or shape[k] == 1]
    total = total if len(kept) == len(labels) else total.dimshuffle(kept)
    return Term(1.0, ((total, tuple(labels[k] for k in kept)),), first.out, first.par)


def _in_order(term: Term) -> list[Label]:
    return list(dict.fromkeys(label for place in (*term.out, *term.par) for label in place.labels))
