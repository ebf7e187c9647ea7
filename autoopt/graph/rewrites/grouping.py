"""Sums and products regrouped by what they depend on, so that what is known early is combined, and computed, first.

    late d; early a, b, A, B                         becomes
    d * a * b                                        d * (a * b)
    d * a / b, a * (d / b)                           d * (a / b)
    (d[None, :] * A).sum(axis=0)                     d * A.sum(axis=0)
    (d[None, :] * A).sum(axis=1)                     A @ d
    ((d * A + u[:, None]) * B).sum(axis=1)           (A * B) @ d + u * B.sum(axis=1)

PyTensor's algebra orders the operands of its long sums and products for itself, and asks nobody when they are known.
The last two lines are what makes a product with a Hessian a few products of matrices with vectors: whatever is linear
in the direction and varies along one axis only is taken out of sums over arrays.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

import pytensor.scalar as ps
from pytensor.graph.basic import Apply, Constant, Variable
from pytensor.graph.traversal import io_toposort
from pytensor.tensor.elemwise import DimShuffle
from pytensor.tensor.math import Sum, add, mul, neg, true_div
from pytensor.tensor.variable import TensorVariable

from autoopt.graph.rewrites.linear import LARGE, Dependents, Linear
from autoopt.ops.matmul import matmul
from autoopt.ops.patterns import applied, identity, is_elementwise, rank, size_in_bytes

TERMS = 12
"""The most terms that a sum is taken apart into."""


def identical(variable: Variable) -> Variable:
    return variable


def group_by_dependence(
    roots: Sequence[Variable],
    late: set[Variable],
    known: set[Variable],
    kept: Callable[[Variable], Variable] = identical,
    linear: bool = False,
) -> list[Variable]:
    """Return `roots` with sums and products regrouped, so that terms free of `late` are combined first.

    What is combined so goes through `kept`. With `linear` what is linear in `late` is taken out of sums and products of
    matrices: for directions alone, as a sum of residuals taken apart by the parameters would lose its digits.
    """
    depends = Dependents(late)
    replaced: dict[Variable, Variable] = {}
    combined: dict[tuple, Variable] = {}  # what is combined early is computed once
    taken = Linear(depends, kept)
    for node in io_toposort([*late, *known], roots):
        inputs = [replaced.get(variable, variable) for variable in node.inputs]
        results = node.outputs
        if any(v in depends for v in node.inputs):
            grouping = _Grouping(node, inputs, taken, combined)
            better = grouping.result(linear)
            if better is None and linear:
                better = taken.product(_on(node, inputs))
            if better is not None:
                results = [better]
        if results is node.outputs and inputs != node.inputs:
            results = node.op(*inputs, return_list=True)
        if results is not node.outputs:
            for old, new in zip(node.outputs, results, strict=True):
                new.tag.trace = getattr(new.tag, "trace", None) or getattr(old.tag, "trace", [])
                replaced[old] = new
    return [replaced.get(root, root) for root in roots]


def _on(node: Apply, inputs: list[Variable]) -> Apply:
    """Return the node on other inputs."""
    return node if inputs == node.inputs else node.op.make_node(*inputs)


class _Grouping:
    """One node whose operands are partly late."""

    def __init__(self, node: Apply, inputs: list[Variable], linear: Linear, combined: dict[tuple, Variable]) -> None:
        self.node, self.inputs, self.linear, self.combined = node, inputs, linear, combined
        self.depends, self.kept = linear.depends, linear.kept

    def result(self, sums: bool) -> Variable | None:
        """Return the result, its operands regrouped, those of `sums` too; None if it is best as it is."""
        out, inputs = self.node.outputs[0], self.inputs
        if is_elementwise(out, ps.Add):
            return self._grouped(inputs, [])
        if is_elementwise(out, ps.Mul):
            return self._grouped(*self._divided(inputs))
        if is_elementwise(out, ps.TrueDiv):
            return self._quotient(*inputs)
        if sums and isinstance(self.node.op, Sum) and rank(inputs[0]):
            along = range(rank(inputs[0])) if self.node.op.axis is None else self.node.op.axis
            axes = {axis % rank(inputs[0]) for axis in along}
            return _Sum(self.node, axes, self.linear).of(inputs[0])
        return None

    def _grouped(self, inputs: Sequence[Variable], below: Sequence[Variable]) -> Variable | None:
        """Return the operands, those that are early as one, divided by what stands `below`."""
        early = [v for v in inputs if v not in self.depends]
        rest = [v for v in inputs if v in self.depends]
        if len(early) + len(below) < 2 or not early or not rest or _vanishes(early, below):
            return None
        key = self.node.op, *map(identity, early)
        if len(early) > 1 and key not in self.combined:
            self.combined[key] = applied(self.node.op, *early)
        factor = self.combined[key] if len(early) > 1 else early[0]
        for divisor in below:
            factor = true_div(factor, divisor)
        return applied(self.node.op, *rest, self.kept(factor))

    def _divided(self, factors: Sequence[Variable]) -> tuple[list[Variable], list[Variable]]:
        """Return the factors of a product, and what late ones of them are divided by that is early."""
        found: list[Variable] = []
        below: list[Variable] = []
        for factor in factors:
            if factor in self.depends and is_elementwise(factor, ps.TrueDiv):
                above, divisor = factor.owner.inputs
                if divisor not in self.depends and factor.type.broadcastable == above.type.broadcastable:
                    found.append(above)
                    below.append(divisor)
                    continue
            found.append(factor)
        return found, below

    def _quotient(self, above: Variable, below: Variable) -> Variable | None:
        """Return late * early / early as late * (early / early)."""
        if below in self.depends or not is_elementwise(above, ps.Mul):
            return None
        early = [v for v in above.owner.inputs if v not in self.depends]
        if not early or _vanishes(early, [below]):
            return None
        factor = true_div(applied(above.owner.op, *early) if len(early) > 1 else early[0], below)
        return mul(*(v for v in above.owner.inputs if v in self.depends), self.kept(factor))


def _vanishes(above: Sequence[Variable], below: Sequence[Variable]) -> bool:
    """Whether a quotient has two divisors more than factors: it may be 0 where what it is multiplied by is large."""
    return sum(map(_divisors, above)) - sum(map(_divisors, below)) > 1


def _divisors(variable: Variable) -> int:
    """Return how many more divisors than factors there are in a product; a plain array is one factor."""
    node = variable.owner
    if isinstance(variable, Constant):
        return 0
    if is_elementwise(variable, (ps.Mul, ps.Neg)) or (node is not None and isinstance(node.op, DimShuffle)):
        return sum(map(_divisors, node.inputs))
    if is_elementwise(variable, (ps.TrueDiv, ps.Reciprocal)):
        above = _divisors(node.inputs[0]) if len(node.inputs) == 2 else 0
        return above - _divisors(node.inputs[-1])
    return 2 * _divisors(node.inputs[0]) if is_elementwise(variable, ps.Sqr) else -1


class _Sum:
    """A sum along axes, taken apart into terms that need no array of what is summed."""

    def __init__(self, node: Apply, axes: set[int], linear: Linear) -> None:
        self.op, self.axes, self.linear = node.op, axes, linear
        self.depends, self.kept = linear.depends, linear.kept
        self.type = node.inputs[0].type
        self.weights: dict[tuple, list[Variable]] = {}  # what is early in each term, by its late factors

    def of(self, summed: Variable) -> Variable | None:
        """Return the sum in terms, None if there are none or too many."""
        rest = self._without_terms(summed, [], False)
        is_whole = rest is None or rest.type.broadcastable == self.type.broadcastable
        if not self.weights or len(self.weights) > TERMS or not is_whole:
            return self._before(summed)
        terms = [self._total(before, along, weights) for (before, along), weights in self.weights.items()]
        if rest is not None:
            total = self._before(rest)
            terms.append(applied(self.op, rest) if total is None else total)
        return add(*terms) if len(terms) > 1 else terms[0]

    def _total(self, before: tuple, along: tuple, weights: list[Variable]) -> Variable:
        """Return the sum of the terms that have their late factors in common."""
        if along:
            (axis,) = self.axes
            matrix = self.kept(add(*weights)) if len(weights) > 1 else weights[0]
            vector = cast(TensorVariable, mul(*along) if len(along) > 1 else along[0]).dimshuffle(axis)
            total = applied(matmul, matrix, vector) if axis else applied(matmul, vector, matrix)
        else:
            totals = [applied(self.op, weight) for weight in weights]
            total = cast(TensorVariable, self.kept(add(*totals) if len(totals) > 1 else totals[0]))
        return mul(*map(self._squeezed, before), total) if before else total

    def _without_terms(self, part: Variable, factors: list[Variable], negative: bool) -> Variable | None:
        """Return `part`, which is multiplied by `factors`, without what becomes terms; None if nothing is left."""
        if part in self.depends and part.type.broadcastable == self.type.broadcastable:
            if is_elementwise(part, (ps.Add, ps.Sub)):
                signs = [False, is_elementwise(part, ps.Sub)]
                left = [
                    self._without_terms(v, factors, negative ^ signs[k > 0]) for k, v in enumerate(part.owner.inputs)
                ]
                if all(new is old for new, old in zip(left, part.owner.inputs, strict=True)):
                    return part
                kept = [neg(v) if k and signs[1] else v for k, v in enumerate(left) if v is not None]
                return None if not kept else add(*kept) if len(kept) > 1 else kept[0]
            if is_elementwise(part, ps.Neg):
                (inside,) = part.owner.inputs
                rest = self._without_terms(inside, factors, not negative)
                return part if rest is inside else None if rest is None else neg(rest)
            parts = None if any(v in self.depends for v in factors) else self.linear.parts(part)
            if parts is not None:
                before = {key: list(weights) for key, weights in self.weights.items()}
                found = [
                    self._is_term([*self.linear.spread(key, rank(part)), early, *factors], negative)
                    for key, early in parts.items()
                ]
                if all(found):
                    return None
                self.weights = before  # all of it becomes terms, or nothing
                return part
            if is_elementwise(part, ps.Mul):
                return self._of_product(part, factors, negative)
        return None if self._is_term([part, *factors], negative) else part

    def _of_product(self, product: Variable, factors: list[Variable], negative: bool) -> Variable | None:
        """Return a product without what becomes terms: of a late sum among its factors, or it is one itself."""
        own = product.owner.inputs
        late = [v for v in own if v in self.depends and v.type.broadcastable == self.type.broadcastable]
        if len(late) == 1:
            others = [v for v in own if v is not late[0]]
            left = self._without_terms(late[0], [*factors, *others], negative)
            return product if left is late[0] else None if left is None else mul(left, *others)
        return None if not late and self._is_term([*own, *factors], negative) else product

    def _is_term(self, factors: Sequence[Variable], negative: bool) -> bool:
        """Note a sum of products, if the late factors vary along the axes, or along the others, alone."""
        early = [v for v in factors if v not in self.depends]
        late = [v for v in factors if v in self.depends]
        for k, factor in enumerate(late):
            if is_elementwise(factor, ps.Neg):
                late[k], negative = factor.owner.inputs[0], not negative
        before = tuple(v for v in late if self._is_same(v))
        along = tuple(v for v in late if not self._is_same(v))
        if not early or not late or any(not self._varies_along(v) for v in along) or _vanishes(early, []):
            return False
        weight = self.kept(mul(*early)) if len(early) > 1 else early[0]
        if not (self._is_matrix(weight, len(early) > 1) if along else self._is_whole(weight)):
            return False
        self.weights.setdefault((before, along), []).append(neg(weight) if negative else weight)
        return True

    def _is_matrix(self, weight: Variable, is_new: bool) -> bool:
        """Whether it pays to keep a weight for products with vectors along the axis of the sum."""
        if rank(weight) != 2 or len(self.axes) != 1 or any(weight.type.broadcastable):
            return False
        return not is_new or size_in_bytes(weight) <= LARGE

    def _before(self, product: Variable) -> Variable | None:
        """Return the sum of a product with the factors before it that are the same along the axes."""
        if not is_elementwise(product, ps.Mul):
            return None
        same = [v for v in product.owner.inputs if self._is_same(v)]
        rest = [v for v in product.owner.inputs if not self._is_same(v)]
        if not same or not rest:
            return None
        inner = mul(*rest) if len(rest) > 1 else rest[0]
        if not self._is_whole(inner):
            return None
        total = applied(self.op, inner)
        return mul(*map(self._squeezed, same), total)

    def _is_same(self, variable: Variable) -> bool:
        return all(variable.type.broadcastable[axis] for axis in self.axes)

    def _varies_along(self, variable: Variable) -> bool:
        """Whether a variable varies along the axes of the sum, and no others."""
        return all(wide for axis, wide in enumerate(variable.type.broadcastable) if axis not in self.axes)

    def _is_whole(self, variable: Variable) -> bool:
        """Whether a variable has its own entries all along the axes."""
        return not any(variable.type.broadcastable[axis] and not self.type.broadcastable[axis] for axis in self.axes)

    def _squeezed(self, variable: Variable) -> Variable:
        kept = [axis for axis in range(rank(variable)) if axis not in self.axes]
        return cast(TensorVariable, variable).dimshuffle(*kept)
