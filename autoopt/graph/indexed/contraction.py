"""Sums of products over named indices, multiplied out in the order that costs least.

    X[n,k] s[n] X[n,l] over n          X.T @ (X * s[:, None]), never the array over n, k and l

The order is found by dynamic programming over subsets of the factors, whose sizes are known. Two factors at a time
become a product of matrices (of stacks of them, where a label stays) or an elementwise product.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import combinations
from math import inf, prod
from typing import Any, cast

import numpy as np
import pytensor.tensor as pt
from pytensor.graph.basic import Variable
from pytensor.tensor.variable import TensorVariable

from autoopt.graph.indexed.terms import Factor, Label, laid_out, multiplied
from autoopt.ops.patterns import age

MOST = 9
"""Up to this many factors all orders are compared, beyond it the cheapest pair is multiplied first."""

ELEMENTWISE = 8.0
"""What a multiplication takes outside of a product of matrices, in units of one inside; 4 for each entry written."""


class Contractions:
    """Contractions that share what they have in common."""

    def __init__(self) -> None:
        self._known: dict[tuple, tuple[Variable, tuple[Label, ...]]] = {}

    def contracted(self, factors: Sequence[Factor], wanted: Sequence[Label]) -> Factor:
        """Return the sum of the product of factors over all labels but `wanted`, in their order if that is free."""
        kept = set(wanted)
        factors = multiplied(factors)
        while any(self._summed(factor, kept, factors) is not factor for factor in factors):
            factors = multiplied(self._summed(factor, kept, factors) for factor in factors)
        if not factors:
            return pt.constant(np.float64(1.0)), ()
        tree = _order(factors, kept)
        return self._run(tree, factors, list(wanted))

    def arranged(self, factors: Sequence[Factor], wanted: Sequence[Label]) -> TensorVariable:
        """Return the same with an axis for each of `wanted`, in this order; of length 1 where nothing depends on it."""
        variable, labels = self.contracted(factors, wanted)
        return laid_out(variable, labels, wanted)

    def _summed(self, factor: Factor, kept: set[Label], factors: Sequence[Factor]) -> Factor:
        """Return a factor without the labels that it alone has."""
        variable, labels = factor
        others = {label for other in factors if other is not factor for label in other[1]}
        gone = [k for k, label in enumerate(labels) if label not in kept and label not in others]
        if not gone:
            return factor
        return self._once(("sum", variable, tuple(gone)), lambda: cast(TensorVariable, variable).sum(axis=gone)), tuple(
            label for k, label in enumerate(labels) if k not in gone
        )

    def _once(self, key: tuple, make: Any) -> Variable:
        """Return what has been made under a key, else make it."""
        if key not in self._known:
            self._known[key] = make()
        return cast(Variable, self._known[key])

    def _run(self, tree: Any, factors: Sequence[Factor], wanted: Sequence[Label]) -> Factor:
        if isinstance(tree, int):
            return factors[tree]
        left, right, result = tree
        return self._pair(self._run(left, factors, wanted), self._run(right, factors, wanted), result, wanted)

    def _pair(self, one: Factor, two: Factor, result: frozenset[Label], wanted: Sequence[Label]) -> Factor:
        """Return the product of two factors summed over what `result` lacks, in the order of `wanted` if it can."""
        place = {label: k for k, label in enumerate(wanted)}

        def first(labels: Sequence[Label]) -> int:
            return min((place.get(label, len(place)) for label in labels), default=len(place))

        def ordered(labels: Sequence[Label]) -> list[Label]:
            return sorted(labels, key=lambda label: place.get(label, len(place)))

        own = [[label for label in f[1] if label not in other[1]] for f, other in ((one, two), (two, one))]
        if (first(own[1]), age(two[0])) < (first(own[0]), age(one[0])):
            one, two = two, one
        (a, la), (b, lb) = one, two
        batch = ordered([label for label in la if label in lb and label in result])
        summed = [label for label in la if label in lb and label not in result]
        rows = ordered([label for label in la if label not in lb])
        columns = ordered([label for label in lb if label not in la])
        if not summed:
            wide = ordered([*la, *(label for label in lb if label not in la)])
            key: tuple = ("mul", a, tuple(wide.index(x) for x in la), b, tuple(wide.index(x) for x in lb))
            return self._once(key, lambda: pt.mul(laid_out(a, la, wide), laid_out(b, lb, wide))), tuple(wide)
        order = (*batch, *rows, *columns)
        axes = [(la.index(x), lb.index(x)) for x in (*batch, *summed)]
        key = ("dot", a, b, *axes, len(batch), *map(la.index, rows), *map(lb.index, columns))
        return self._once(key, lambda: _product(one, two, batch, summed, rows, columns)), order


def _product(
    one: Factor, two: Factor, batch: list[Label], summed: list[Label], rows: list[Label], columns: list[Label]
) -> TensorVariable:
    (a, la), (b, lb) = one, two
    if not rows and not columns:
        order = [*batch, *summed]
        axes = list(range(len(batch), len(order)))
        return pt.mul(laid_out(a, la, order), laid_out(b, lb, order)).sum(axis=axes)
    left = joined(laid_out(a, la, [*batch, *rows, *summed]), len(batch), len(rows), len(summed))
    right = joined(laid_out(b, lb, [*batch, *summed, *columns]), len(batch), len(summed), len(columns))
    if not batch and not rows:
        product = pt.dot(left[0], right)
    elif not batch and not columns:
        product = pt.dot(left, right[:, 0])
    else:
        multiply: Any = pt.matmul if batch else pt.dot
        product = multiply(left, right)
    shape = [label.size for label in (*batch, *rows, *columns)]
    return shaped(product, shape)


def joined(x: TensorVariable, lead: int, first: int, second: int) -> TensorVariable:
    """Return a stack of matrices of what has `lead` axes before those of rows and columns."""
    shape = cast("tuple[int, ...]", x.type.shape)
    return shaped(x, (*shape[:lead], prod(shape[lead : lead + first]), prod(shape[lead + first :])))


def shaped(x: Any, shape: Sequence[int]) -> TensorVariable:
    """Return `x` in another shape; axes of length 1 are only inserted or dropped."""
    if tuple(shape) == x.type.shape:
        return cast(TensorVariable, x)
    if [n for n in shape if n != 1] == [n for n in x.type.shape if n != 1]:
        kept = iter([axis for axis, n in enumerate(x.type.shape) if n != 1])
        return cast(TensorVariable, x.dimshuffle([next(kept) if n != 1 else "x" for n in shape]))
    return cast(TensorVariable, x.reshape(tuple(shape), ndim=len(shape)))


# The order ------------------------------------------------------------------------------------------------------------


def _size(labels: Any) -> float:
    return float(prod(label.size for label in labels))


def pair_cost(one: frozenset[Label], two: frozenset[Label], result: frozenset[Label]) -> float:
    """Return what the product of arrays over these labels costs, in multiplications of a product of matrices."""
    summed = (one & two) - result
    is_matrix = summed and one - two and two - one
    return _size(one | two) * (1.0 if is_matrix else ELEMENTWISE) + 4.0 * _size(result)


def _order(factors: Sequence[Factor], kept: set[Label]) -> Any:
    """Return the best order as nested (left, right, labels of the result)."""
    sets = [frozenset(labels) for _, labels in factors]
    return _best(sets, frozenset(kept))[1] if len(factors) <= MOST else _greedy(sets, frozenset(kept))


def cheapest(factors: Sequence[Factor], wanted: Sequence[Label]) -> float:
    """Return what the best order costs."""
    sets = [frozenset(labels) for _, labels in multiplied(factors)]
    if not 0 < len(sets) <= MOST:
        return inf
    return _best(sets, frozenset(wanted))[0]


def _best(sets: Sequence[frozenset[Label]], kept: frozenset[Label]) -> tuple[float, Any]:
    full = (1 << len(sets)) - 1

    def labels(mask: int) -> frozenset[Label]:
        inside = frozenset().union(*(s for k, s in enumerate(sets) if mask >> k & 1))
        rest = kept.union(*(s for k, s in enumerate(sets) if not mask >> k & 1))
        return inside & rest

    found: dict[int, tuple[float, Any, frozenset[Label]]] = {1 << k: (0.0, k, sets[k]) for k in range(len(sets))}
    for mask in sorted(range(1, full + 1), key=int.bit_count):
        if mask in found:
            continue
        result = labels(mask)
        low = mask & -mask
        best: tuple[float, Any, frozenset[Label]] = (inf, None, result)
        part = (mask - 1) & mask
        while part:
            if part & low:
                a, b = found[part], found[mask ^ part]
                cost = a[0] + b[0] + pair_cost(a[2], b[2], result)
                if cost < best[0]:
                    best = (cost, (a[1], b[1], result), result)
            part = (part - 1) & mask
        found[mask] = best
    return found[full][:2]


def _greedy(sets: Sequence[frozenset[Label]], kept: frozenset[Label]) -> Any:
    left: list[tuple[Any, frozenset[Label]]] = list(enumerate(sets))
    while len(left) > 1:
        uses = Counter(label for _, own in left for label in own)
        pairs = [(i, j, _left_of(left[i][1], left[j][1], uses, kept)) for i, j in combinations(range(len(left)), 2)]
        i, j, result = min(pairs, key=lambda pair: pair_cost(left[pair[0]][1], left[pair[1]][1], pair[2]))
        joint = (left[i][0], left[j][0], result), result
        left = [one for k, one in enumerate(left) if k not in (i, j)] + [joint]
    return left[0][0]


def _left_of(one: frozenset[Label], two: frozenset[Label], uses: Counter[Label], kept: frozenset[Label]) -> frozenset:
    """Return the labels of a product of two that are kept, or that others have."""
    return frozenset(v for v in one | two if v in kept or uses[v] > (v in one) + (v in two))
