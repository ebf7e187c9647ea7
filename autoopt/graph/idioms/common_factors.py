"""Sums of products: common factors taken out, and products taken into sums where something cancels.

    r / t + y / t                    (r + y) / t, above all where r + y is there already
    b * u + b * v                    b * (u + v)
    mu * (a - y / mu)                mu * a - y

Only in derivatives: the value is computed as it is written. A factor is taken out of whole arrays of one shape, so that
a multiplication or a division is saved, and not where what is left may be extreme without it (`magnitudes.py`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import cast

import pytensor.tensor as pt
from pytensor import scalar as ps
from pytensor.graph.basic import Apply, Variable
from pytensor.graph.traversal import ancestors, io_toposort
from pytensor.tensor.variable import TensorVariable

from autoopt.graph.idioms.common_matrices import joined_products, summed_product
from autoopt.graph.idioms.magnitudes import is_steep
from autoopt.graph.idioms.terms import Factor, Reader, Term, built, is_product
from autoopt.ops.patterns import is_elementwise, rank, renewed, unexpanded


def factored(inputs: Sequence[Variable], roots: Sequence[Variable], count: int) -> list[Variable]:
    """Return `roots` with the sums of derivatives factored; the arguments are those of `associating.associated`."""
    nodes = io_toposort(list(inputs), list(roots))
    forward = set(ancestors([roots[0], *roots[count:]]))
    factoring = _Factoring(Counter([*roots, *(v for node in nodes for v in node.inputs)]), nodes)
    new: dict[Variable, Variable] = {}
    for node in nodes:
        operands = [new.get(v, v) for v in node.inputs]
        if any(one is not other for one, other in zip(operands, node.inputs, strict=True)):
            for old, made in renewed(node, operands):
                new[old] = made
                factoring.readers[made] = factoring.readers[old]
        (out, *more) = node.outputs
        if not more and out not in forward:
            better = factoring.better(new.get(out, out))
            if better is not None:
                new[out] = better
                factoring.readers[better] = factoring.readers[out]
    return [new.get(root, root) for root in roots]


class _Factoring:
    """What a sum or a product is better written as.

    Parameters
    ----------
    readers : Counter of Variable
        By how many operands each variable is read.
    nodes : sequence of Apply
        Of these the sums are there already.
    """

    def __init__(self, readers: Counter[Variable], nodes: Sequence[Apply]) -> None:
        self.readers = readers
        self.sums = {self.key(n.inputs): n.outputs[0] for n in nodes if is_elementwise(n.outputs[0], ps.Add)}
        self.steep: dict[Variable, bool] = {}

    def key(self, operands: Sequence[Variable]) -> frozenset:
        return frozenset(Counter(unexpanded(v) for v in operands).items())

    def better(self, variable: Variable) -> TensorVariable | None:
        """Return a better form; None if there is none."""
        if getattr(variable.type, "dtype", "") != "float64" or rank(variable) == 0:
            return None
        for form in (joined_products, summed_product):
            if (found := form(variable, self.readers)) is not None:
                return found
        if is_elementwise(variable, (ps.Add, ps.Sub)):
            return self.with_common_factor(variable)
        return self.distributed(variable) if is_elementwise(variable, ps.Mul) else None

    def term(self, variable: Variable) -> Term:
        return Reader(self.readers, set()).term(variable)

    def with_common_factor(self, variable: Variable) -> TensorVariable | None:
        """Return a sum of two with what both are multiplied or divided by taken out."""
        operands = variable.owner.inputs
        if len(operands) != 2 or any(v.type.broadcastable != variable.type.broadcastable for v in operands):
            return None
        terms = [self.term(v) for v in operands]
        if any(not is_product(v) or term.summed for v, term in zip(operands, terms, strict=True)):
            return None
        whole = {k for k, single in enumerate(variable.type.broadcastable) if not single}
        common = [f for f in terms[0].factors if f in terms[1].factors and set(f.labels) - {None} == whole]
        for factor in common:
            rests = [self.without(term, factor) for term in terms]
            if None in rests:
                continue
            one, two = cast("list[TensorVariable]", rests)
            is_sum = is_elementwise(variable, ps.Add)
            known = self.sums.get(self.key([one, two])) if is_sum else None
            if known is None and any(self.readers[v] > 1 for v in operands):
                continue
            total = pt.add(one, two) if is_sum else pt.sub(one, two)
            if known is not None and known.type.broadcastable == total.type.broadcastable:
                total = cast(TensorVariable, known)
            base = cast(TensorVariable, factor.base)
            base = base.dimshuffle(
                *("x" if k not in factor.labels else factor.labels.index(k) for k in range(rank(variable)))
            )
            made = pt.true_div(total, base) if factor.divides else pt.mul(base, total)
            if made.type.broadcastable == variable.type.broadcastable:
                made.tag.trace = getattr(variable.tag, "trace", [])
                return cast(TensorVariable, made)
        return None

    def without(self, term: Term, factor: Factor) -> TensorVariable | None:
        """Return a product without a factor; None if the rest may be extreme, or is nothing."""
        left = term.factors - Counter([factor])
        above = [f for f in left.elements() if not f.divides]
        if not above or sum(is_steep(cast(Variable, f.base), self.steep) for f in left.elements()) > 1:
            return None
        if len(left) == 1 and term.coefficient == 1.0 and left.total() == 1 and not above[0].labels:
            return cast(TensorVariable, above[0].base).dimshuffle(*("x" for _ in term.labels))
        return self.written(replace(term, factors=left))

    def written(self, term: Term) -> TensorVariable:
        pieces = [(cast(TensorVariable, f.base), f) for f in term.factors.elements()]
        return built(term, pieces)

    def distributed(self, variable: Variable) -> TensorVariable | None:
        """Return a product with a sum as a sum of products, if the other factor is one of its divisors."""
        if len(variable.owner.inputs) != 2:
            return None
        for k, total in enumerate(variable.owner.inputs):
            factor = variable.owner.inputs[1 - k]
            if not is_elementwise(total, (ps.Add, ps.Sub)) or self.readers[total] > 1 or len(total.owner.inputs) != 2:
                continue
            products = [self.term(cast(TensorVariable, pt.mul(factor, v))) for v in total.owner.inputs]
            plain = [self.term(v) for v in (factor, *total.owner.inputs)]
            same = all(v.type.broadcastable == variable.type.broadcastable for v in (factor, *total.owner.inputs))
            if not same or not any(
                _cancels(term, plain[0], rest) for term, rest in zip(products, plain[1:], strict=True)
            ):
                continue
            one, two = (self.written(term) for term in products)
            made = pt.add(one, two) if is_elementwise(total, ps.Add) else pt.sub(one, two)
            made.tag.trace = getattr(variable.tag, "trace", [])
            return cast(TensorVariable, made)
        return None


def _cancels(product: Term, one: Term, other: Term) -> bool:
    """Whether a product has fewer factors than both of its operands have, all of the one having gone."""
    return product.factors.total() <= other.factors.total() - one.factors.total() and bool(product.factors)
