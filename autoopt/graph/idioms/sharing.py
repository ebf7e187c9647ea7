"""Products that have factors in common, associated so that what they share is computed once.

    a = u * v * w / t                          p = u * v
    b = u * v * x / t           becomes        q = p / t;  a = q * w;  b = q * x

PyTensor's canonical form multiplies everything out, in an order of its own. Here the pair of factors that most products
have is made one, and again, until no pair stands in two products; what is left is multiplied with the smallest arrays
first. Never are two divisors multiplied, whose product may overflow where the quotient does not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from math import prod
from typing import cast

import pytensor.tensor as pt
from pytensor import scalar as ps
from pytensor.graph.basic import Apply, Variable
from pytensor.graph.traversal import io_toposort
from pytensor.tensor.variable import TensorVariable

from autoopt.ops.patterns import is_elementwise, rank, renewed


@dataclass(frozen=True, eq=False)
class Pair:
    """Two factors that are made one: their product, or a quotient."""

    first: Base
    second: Base
    divides: bool

    @property
    def shape(self) -> tuple[int, ...]:
        lengths = zip(_shape(self.first), _shape(self.second), strict=True)
        return tuple(max(one, two) for one, two in lengths)


Base = Variable | Pair

Power = tuple[Base, bool]
"""A factor, and whether it is divided by."""

MOST = 400
"""More products than this are left as they are: the pairs of all would take long to count."""

_PRODUCTS = (ps.Mul, ps.TrueDiv, ps.Sqr, ps.Neg)


def with_shared_products(inputs: Sequence[Variable], roots: Sequence[Variable]) -> list[Variable]:
    """Return `roots` with the factors that several products have multiplied once."""
    nodes = io_toposort(list(inputs), list(roots))
    outs = {node.outputs[0] for node in nodes if _is_product(node.outputs[0])}
    read = set(roots).union(v for node in nodes if node.outputs[0] not in outs for v in node.inputs)
    products = {v: found for v in outs & read if sum((found := _factors(v, outs))[1].values()) > 1}
    if not 1 < len(products) <= MOST:
        return list(roots)
    order: dict[Base, int] = {v: k for k, node in enumerate(nodes) for v in (*node.inputs, *node.outputs)}
    signs = {v: sign for v, (sign, _) in products.items()}
    shared = _shared({v: products[v][1] for v in sorted(products, key=order.__getitem__)}, order)
    return _rebuilt(nodes, roots, signs, shared)


def _rebuilt(
    nodes: Sequence[Apply], roots: Sequence[Variable], signs: dict[Variable, float], shared: dict[Variable, Factors]
) -> list[Variable]:
    """Return `roots` computed by the products in their new form, from the first on."""
    new: dict[Base, Variable] = {}

    def resolved(base: Base) -> TensorVariable:
        if isinstance(base, Pair) and base not in new:
            a, b = resolved(base.first), resolved(base.second)
            new[base] = pt.true_div(a, b) if base.divides else pt.sqr(a) if a is b else pt.mul(a, b)
        return cast(TensorVariable, new.get(base, base))

    for node in nodes:
        out = node.outputs[0]
        if out in shared:
            new[out] = _product(signs[out], [(resolved(v), d, n) for (v, d), n in shared[out].items()], out)
        elif any(v in new for v in node.inputs):
            new.update(renewed(node, [new.get(v, v) for v in node.inputs]))
    return [new.get(root, root) for root in roots]


def _is_product(variable: Variable) -> bool:
    return (
        getattr(variable.type, "dtype", "") == "float64" and is_elementwise(variable, _PRODUCTS) and rank(variable) > 0
    )


Factors = Counter[Power]


def _factors(variable: Variable, products: set[Variable]) -> tuple[float, Factors]:
    """Return the sign of a product and its factors, those of products in it multiplied out."""
    sign, found = 1.0, Factors()
    waiting: list[tuple[Variable, bool]] = [(variable, False)]
    while waiting:
        v, divided = waiting.pop()
        if v not in products:
            found[v, divided] += 1
            continue
        node = v.owner
        if is_elementwise(v, ps.Neg):
            sign = -sign
        if is_elementwise(v, ps.Sqr):
            waiting.append((node.inputs[0], divided))
        waiting.append((node.inputs[0], divided))
        flips = is_elementwise(v, ps.TrueDiv)
        waiting += [(operand, divided != flips) for operand in node.inputs[1:]]
    return sign, found


def _shared(products: dict[Variable, Factors], order: dict[Base, int]) -> dict[Variable, Factors]:
    """Return the products with pairs of factors that stand in several made one, those that save most first."""
    own = {v: _pairs(factors, order) for v, factors in products.items()}
    counts = Counter(pair for pairs in own.values() for pair in pairs)
    while True:
        saved = {pair: (count - 1) * prod(_joined(pair).shape) for pair, count in counts.items() if count > 1}
        if not saved:
            return products
        best = max(saved, key=lambda pair: (saved[pair], *(-order[v] for v, _ in pair)))
        joint = _joined(best)
        order[joint] = len(order)
        for v, factors in products.items():
            if best not in own[v]:
                continue
            counts.subtract(own[v])
            while best in own[v]:
                factors.subtract(best)
                factors[joint, False] += 1
                for power in best:
                    if factors[power] <= 0:
                        del factors[power]
                own[v] = _pairs(factors, order)
            counts.update(own[v])


def _joined(pair: tuple[Power, Power]) -> Pair:
    (first, _), (second, divides) = pair
    return Pair(first, second, divides)


def _pairs(factors: Factors, order: dict[Base, int]) -> set[tuple[Power, Power]]:
    """Return the pairs that may be made one: two factors, or a factor and a divisor."""
    above = sorted((power for power in factors if not power[1]), key=lambda power: order[power[0]])
    found = {(power, power) for power in above if factors[power] > 1}
    return found | set(combinations(above, 2)) | {(one, two) for one in above for two in factors if two[1]}


def _shape(base: Base) -> tuple[int, ...]:
    return base.shape if isinstance(base, Pair) else tuple(n or 1 for n in cast(TensorVariable, base).type.shape)


def _product(sign: float, factors: Sequence[tuple[TensorVariable, bool, int]], original: Variable) -> TensorVariable:
    """Return the product of factors, arrays of one shape with each other first, small ones before large ones.

    Of several factors and several divisors each factor is divided before the next one is multiplied.
    """
    divisors = [v for v, divided, count in factors for _ in range(count if divided else 0)]
    groups: dict[tuple, list[Variable]] = {}
    for v, divided, count in sorted(factors, key=lambda factor: prod(_shape(factor[0]))):
        if not divided:
            groups.setdefault(v.type.broadcastable, []).extend([v] * count)
    parts = [_quotient(group, divisors) for group in groups.values()]
    result = parts[0] if parts else pt.ones((1,) * rank(original))
    for part in parts[1:]:
        result = pt.mul(result, part)
    for v in divisors:
        result = pt.true_div(result, v)
    result = pt.neg(result) if sign < 0 else result
    result.tag.trace = getattr(original.tag, "trace", [])
    return cast(TensorVariable, result)


def _quotient(factors: Sequence[Variable], divisors: list[TensorVariable]) -> Variable:
    """Return the product of factors of one shape, each divided by one of the `divisors` that are no larger, if any."""
    shape = _shape(factors[0])
    fitting = [v for v in divisors if all(n in (1, m) for n, m in zip(_shape(v), shape, strict=True))]
    if len(fitting) < 2:
        return pt.mul(*factors) if len(factors) > 1 else factors[0]
    result = None
    for factor in factors:
        result = factor if result is None else pt.mul(result, factor)
        if fitting:
            divisor = fitting.pop(0)
            divisors.remove(divisor)
            result = pt.true_div(result, divisor)
    return cast(Variable, result)
