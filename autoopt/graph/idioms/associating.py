"""Products and sums of products associated so that what they share is computed once.

    Z = (x - mu) * s                                 Z = (x - mu) * s
    value ... Z**2 ...                               value ... Z**2 ...
    (x - mu) * (x - mu) * s * e / t       becomes    r = e / t;  q = r * Z;  q * Z
    ((x - mu) * s * e / t).sum(axis=0) * s           q.sum(axis=0) * s

PyTensor's canonical form multiplies everything out and takes factors out of sums, in an order of its own. What the
value itself computes is looked for first, as that is what the user has named; then the pair of factors that saves most
is made one, again and again. Never are two divisors multiplied, whose product may overflow where the quotient does not.
What a term costs does not depend on lengths, so that the text is the same for all of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import combinations, product
from typing import cast

import pytensor.tensor as pt
from pytensor import scalar as ps
from pytensor.graph.basic import Apply, Variable
from pytensor.graph.traversal import ancestors, io_toposort
from pytensor.tensor.variable import TensorVariable

from autoopt.graph.idioms.magnitudes import is_share, is_steep
from autoopt.graph.idioms.terms import (
    Base,
    Factor,
    Labels,
    Pair,
    Reader,
    Term,
    built,
    cost,
    is_matrix_by_vectors,
    is_product,
    is_sum,
    size,
    spread,
)
from autoopt.ops.patterns import is_elementwise, renewed

Order = dict[Base, int]

Places = dict[int, int]
"""Which labels of one term those of another one are."""

MOST = 200
"""With more terms than this they are left as they are: the pairs of all would take long to count."""

LEAST = 2
"""The least that a pair must save to be made one: with single numbers it is not worth its line in two terms."""


Written = Callable[[Variable, Variable], bool]
"""Whether the user multiplies two variables with each other."""


def associated(inputs: Sequence[Variable], roots: Sequence[Variable], count: int, written: Written) -> list[Variable]:
    """Return `roots` with products associated anew.

    Parameters
    ----------
    inputs : sequence of Variable
    roots : sequence of Variable
        The value, derivatives, and what else reads what they are computed by.
    count : int
        How many of them are the value and derivatives.
    written : callable
        Whether the user multiplies two variables with each other.
    """
    nodes = io_toposort(list(inputs), list(roots))
    order: Order = {v: k for k, v in enumerate(dict.fromkeys(v for n in nodes for v in (*n.inputs, *n.outputs)))}
    terms, own = _terms(nodes, roots, count)
    if not 1 < len(terms) <= MOST:
        return list(roots)
    changed = {out: t for out, t in terms.items() if t.is_changed or (not t.is_forward and is_matrix_by_vectors(t))}
    for out, term in terms.items():
        if not term.is_forward and _use_own(term, own, order):
            changed[out] = term
    for term in _Sharing(terms, order, written).shared():
        changed[term.out] = term
    return _rebuilt(nodes, roots, changed, order) if changed else list(roots)


def _terms(
    nodes: Sequence[Apply], roots: Sequence[Variable], count: int
) -> tuple[dict[Variable, Term], dict[Variable, Term]]:
    """Return the products and sums that something else reads, and the products that the value is computed by."""
    readers = Counter([*roots, *(v for node in nodes for v in node.inputs)])
    plain = [node for node in nodes if not is_product(node.outputs[0]) and not is_sum(node.outputs[0])]
    read = set(roots).union(v for node in plain for v in node.inputs)
    outs = [node.outputs[0] for node in nodes if len(node.outputs) == 1]
    forward = set(ancestors([roots[0], *roots[count:]]))
    reader = Reader(readers, forward)
    found = [reader.term(v) for v in reversed(outs) if (is_product(v) and v in read) or is_sum(v)]
    found = [term for term in reversed(found) if term.out not in reader.absorbed]
    terms = {term.out: term for term in found if term.is_changed or term.factors.total() > 1}
    whole = Reader(readers, set())
    own = {v: whole.term(v) for v in outs if v in forward | read and is_product(v)}  # those must be there in any case
    for v, term in own.items():
        term.is_forward = v in forward
    return terms, {v: term for v, term in own.items() if not term.summed and term.factors.total() > 1}


def _use_own(term: Term, own: dict[Variable, Term], order: Order) -> bool:
    """Put what the value itself computes in place of its factors, the largest first; return whether there was any."""
    first = term.factors.copy()
    is_own = term.out in own
    for out, group in sorted(own.items(), key=lambda item: (-item[1].factors.total(), order[item[0]])):
        if out is term.out or (abs(term.coefficient / group.coefficient) != 1.0 and abs(group.coefficient) != 1.0):
            continue
        if is_own and not group.is_forward and order[out] >= order[term.out]:
            continue
        while (labels := _place(group, term)) is not None:
            for factor, count in group.factors.items():
                _take(term, Factor(factor.base, _mapped(factor.labels, labels), factor.divides), count)
            term.factors[Factor(out, _mapped(group.labels, labels), False)] += 1
            term.coefficient /= group.coefficient
    return term.factors != first


def _mapped(labels: Labels, places: Places) -> Labels:
    return tuple(None if label is None else places[label] for label in labels)


def _take(term: Term, factor: Factor, count: int) -> None:
    term.factors[factor] -= count
    if term.factors[factor] <= 0:
        del term.factors[factor]


def _matched(labels: Labels, others: Labels, places: Places) -> Places | None:
    """Return which labels are which of the others, if that fits what is known."""
    found: Places = {}
    for one, two in zip(labels, others, strict=True):
        if one is None or two is None:
            if one is not two:
                return None
        elif places.get(one, two) != two:
            return None
        else:
            found[one] = two
    return found


def _place(group: Term, term: Term) -> Places | None:
    """Return which labels of a term those of a group are, if all its factors are among the term's."""
    if len(group.factors) > len(term.factors) or group.factors.total() > term.factors.total():
        return None
    places: Places = {}
    for factor, count in sorted(group.factors.items(), key=lambda item: -size(item[0].labels)):
        for other, times in term.factors.items():
            if other.base is not factor.base or other.divides != factor.divides or times < count:
                continue
            if (more := _matched(factor.labels, other.labels, places)) is not None:
                places |= more
                break
        else:
            return None
    return places if len(set(places.values())) == len(places) else None


class _Sharing:
    """Makes pairs of factors one that several terms have.

    Parameters
    ----------
    terms : dict of Variable to Term
    order : dict of Base to int
        In which order things are computed; pairs are added to it.
    written : callable
    """

    def __init__(self, terms: dict[Variable, Term], order: Order, written: Written) -> None:
        self.terms = terms
        self.order = order
        self.written = written
        self.steep: dict[Variable, bool] = {}
        self.found = {out: self.pairs(term) for out, term in terms.items()}

    def shared(self) -> list[Term]:
        """Make pairs one, those that save most first; return the terms that have one."""
        changed: dict[Variable, Term] = {}
        while (best := self.best()) is not None:
            self.order[best] = len(self.order)
            for out, term in self.terms.items():
                while best in self.found[out]:
                    term.factors = self.found[out][best][1]
                    changed[out] = term
                    self.found[out] = self.pairs(term)
        return list(changed.values())

    def best(self) -> Pair | None:
        """Return the pair that saves most; None if no two terms have one that saves anything."""
        saved: Counter[Pair] = Counter()
        for pairs in self.found.values():
            saved.update({pair: gain for pair, (gain, _) in pairs.items()})
        counts = Counter(pair for pairs in self.found.values() for pair in pairs)
        gains = {pair: gain - size(range(pair.axes)) for pair, gain in saved.items() if counts[pair] > 1}
        gains = {pair: gain for pair, gain in gains.items() if gain >= LEAST}
        order = self.order
        return max(gains, key=lambda p: (gains[p], -order[p.first.base], -order[p.second.base]), default=None)

    def pairs(self, term: Term) -> dict[Pair, tuple[int, Counter[Factor]]]:
        """Return the pairs that may be made one: two factors, or a factor and a divisor, with what it saves and leaves.

        What the value is computed by is only associated as the user has done it.
        """
        above = sorted((f for f in term.factors if not f.divides), key=lambda f: self.order[f.base])
        below = [f for f in term.factors if f.divides]
        both = [(f, f) for f in above if term.factors[f] > 1]
        before = cost(term)
        found: dict[Pair, tuple[int, Counter[Factor]]] = {}
        for one, two in [*both, *combinations(above, 2), *product(above, below)]:
            pair, labels = _joined(one, two)
            if pair in found or not (self.is_written(pair) or (not term.is_forward and self.is_safe(pair))):
                continue
            left = term.factors.copy()
            left.subtract([one, two])
            left[Factor(pair, labels, False)] += 1
            left = +left
            found[pair] = before - cost(replace(term, factors=left)), left
        return found

    def is_written(self, pair: Pair) -> bool:
        """Whether the user multiplies these two."""
        one, two = pair.first.base, pair.second.base
        if pair.second.divides or not isinstance(one, Variable) or not isinstance(two, Variable):
            return False
        return self.written(one, two)

    def is_safe(self, pair: Pair) -> bool:
        """Whether not both are extreme, as a third factor may make up for what the other one is too large for."""
        one, two = pair.first.base, pair.second.base
        if isinstance(one, Variable) and isinstance(two, Variable) and pair.second.divides and is_share(one, two):
            return True
        return not (self.is_steep(one) and self.is_steep(two))

    def is_steep(self, base: Base) -> bool:
        """Whether the numbers may be extreme."""
        if isinstance(base, Variable):
            return is_steep(base, self.steep)
        one, two = base.first.base, base.second.base
        share = base.second.divides and isinstance(one, Variable) and isinstance(two, Variable) and is_share(one, two)
        return not share and (self.is_steep(one) or self.is_steep(two))


def _joined(one: Factor, two: Factor) -> tuple[Pair, Labels]:
    """Return two factors as one, whose axes are those of the larger one and what the other one has besides."""
    large, small = (two, one) if len(set(two.labels) - {None}) > len(set(one.labels) - {None}) else (one, two)
    labels = tuple(dict.fromkeys(label for label in (*large.labels, *small.labels) if label is not None))
    places = {label: k for k, label in enumerate(labels)}
    return Pair(*(Factor(f.base, _mapped(f.labels, places), f.divides) for f in (one, two))), labels


def _rebuilt(
    nodes: Sequence[Apply], roots: Sequence[Variable], changed: dict[Variable, Term], order: Order
) -> list[Variable]:
    """Return `roots` computed by the terms in their new form."""
    added = {v for node in nodes if is_elementwise(node.outputs[0], (ps.Add, ps.Sub)) for v in node.inputs}
    added -= {v for node in nodes if not is_elementwise(node.outputs[0], (ps.Add, ps.Sub)) for v in node.inputs}
    added -= set(roots)
    new: dict[Base, TensorVariable] = {}
    known = set(nodes)

    def resolved(base: Base) -> TensorVariable:
        if base not in new:
            new[base] = made(base)
        return new[base]

    def made(base: Base) -> TensorVariable:
        if isinstance(base, Pair):
            a, b = (spread(resolved(f.base), f.labels, range(base.axes)) for f in base)
            return _one(a, b, base.second.divides)
        if base in changed:
            term = changed[base]
            ordered = sorted(term.factors.elements(), key=lambda f: order[f.base])
            result = built(term, [(resolved(f.base), f) for f in ordered], base in added)
            assert result.type.broadcastable == base.type.broadcastable
        elif base.owner is None or base.owner not in known or all(resolved(v) is v for v in base.owner.inputs):
            return cast(TensorVariable, base)
        else:
            pairs = renewed(base.owner, [resolved(v) for v in base.owner.inputs])
            new.update(cast("list[tuple[Base, TensorVariable]]", pairs))
            return new[base]
        result.tag.trace = getattr(base.tag, "trace", [])
        return result

    return [resolved(root) for root in roots]


def _one(a: TensorVariable, b: TensorVariable, divides: bool) -> TensorVariable:
    return cast(TensorVariable, pt.true_div(a, b) if divides else pt.sqr(a) if a is b else pt.mul(a, b))
