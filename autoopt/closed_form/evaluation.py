"""What a formula is in numbers: the tree that is typeset, evaluated for all values of its indices at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from autoopt.closed_form.functions import FUNCTIONS
from autoopt.closed_form.making import COMPARED, is_indicator
from autoopt.closed_form.reading import NoForm
from autoopt.closed_form.tree import (
    Add,
    Array,
    Call,
    Condition,
    Entry,
    Index,
    Mul,
    Node,
    Number,
    Power,
    Reduction,
    Where,
)

Scope = tuple[Index, ...]

LARGEST = 1e8
"""Arrays of more entries are not made."""

CONDITIONS: dict[str, Callable] = {
    **COMPARED,
    "and": lambda *x: np.logical_and.reduce(np.broadcast_arrays(*x)),
    "or": lambda *x: np.logical_or.reduce(np.broadcast_arrays(*x)),
    "not": np.logical_not,
}
REDUCTIONS: dict[str, Callable] = {"sum": np.sum, "prod": np.prod, "max": np.max, "min": np.min}
OF_MATRICES: dict[str, Callable] = {
    "inverse": np.linalg.inv,
    "cholesky": np.linalg.cholesky,
    "det": np.linalg.det,
    "logdet": lambda K: np.linalg.slogdet(K)[1],
}


class Evaluation:
    """The values of arrays at a point.

    Parameters
    ----------
    given : mapping of Array to ndarray
        The parameters.
    """

    def __init__(self, given: Mapping[Array, Any]) -> None:
        self._values: dict[Array, np.ndarray] = {array: np.asarray(value) for array, value in given.items()}

    def array(self, array: Array) -> np.ndarray:
        """Return what an array is."""
        if array not in self._values:
            if array.of is not None:
                self._values[array] = np.asarray(OF_MATRICES[array.of[0]](self.array(array.of[1])))
            elif array.body is not None:
                self._values[array] = self.at_all(array.body, array.indices)
            else:
                self._values[array] = np.asarray(array.value)
        return self._values[array]

    def at_all(self, whole: Node, indices: Scope) -> np.ndarray:
        """Return a formula for all values of its indices."""
        return np.broadcast_to(self.value(whole, indices), [k.length for k in indices])

    def value(self, whole: Node, scope: Scope) -> np.ndarray:
        """Return a formula as an array with an axis for each index in scope, of one entry where it does not matter."""
        return _VALUES[type(whole)](self, whole, scope)

    def holds(self, condition: Node) -> bool:
        return bool(self.value(condition, ()))


def _axis(x: Index, scope: Scope) -> int:
    """Return the axis of an index: the last one of its name."""
    return len(scope) - 1 - scope[::-1].index(x)


def _index(of: Evaluation, x: Index, scope: Scope) -> Any:
    place = _axis(x, scope)
    return np.arange(x.length).reshape([-1 if k == place else 1 for k in range(len(scope))])


def _entry(of: Evaluation, x: Entry, scope: Scope) -> Any:
    values = of.array(x.array)
    if not x.at:
        return values.reshape((1,) * len(scope))
    own = [k for k in x.at if isinstance(k, Index)]
    if len(set(own)) == len(x.at) and values.shape == tuple(k.length for k in own):  # a whole array, perhaps transposed
        axes = [_axis(k, scope) for k in own]
        order = sorted(range(len(axes)), key=lambda k: axes[k])
        lengths = dict(zip(axes, values.shape, strict=True))
        return np.transpose(values, order).reshape([lengths.get(k, 1) for k in range(len(scope))])
    places = [np.asarray(of.value(k, scope)).astype(int) for k in x.at]
    within = [np.clip(k, 0, n - 1) for k, n in zip(places, values.shape, strict=True)]  # beyond, an indicator is 0
    return values[tuple(within)]


def _mul(of: Evaluation, x: Mul, scope: Scope) -> Any:
    """Return a product; where a condition does not hold it is 0, whatever the other factors are."""
    result: Any = 1.0
    holds: Any = True
    for factor in x.factors:
        if is_indicator(factor):
            holds = np.logical_and(holds, of.value(factor.condition, scope))
        else:
            result = result * of.value(factor, scope)
    return result if holds is True else np.where(holds, result, 0.0)


def _sum(of: Evaluation, x: Add, scope: Scope) -> Any:
    result = of.value(x.terms[0], scope)
    for term in x.terms[1:]:
        result = result + of.value(term, scope)
    return result


def _reduction(of: Evaluation, x: Reduction, scope: Scope) -> Any:
    inner = (*scope, x.index)
    if x.kind == "sum" and isinstance(x.body, Mul) and not any(isinstance(one, Where) for one in x.body.factors):
        return _contracted(of, x.body, inner)
    body = of.value(x.body, inner)
    shape = np.broadcast_shapes(body.shape, (1,) * len(scope) + (x.index.length,))
    if np.prod(shape, dtype=float) > LARGEST:
        raise NoForm("comparison: sums of so many terms are not evaluated (fewer rows give the same formulas)")
    return REDUCTIONS[x.kind](np.broadcast_to(body, shape), axis=-1)


def _contracted(of: Evaluation, product: Mul, inner: Scope) -> Any:
    """Return a product summed over the last index, by products of matrices and not by all entries of a large array."""
    parts: list[Any] = []
    for factor in product.factors:
        value = of.value(factor, inner)
        axes = [k for k, n in enumerate(value.shape) if n != 1]
        parts += [value.reshape([value.shape[k] for k in axes]), axes]
    used = sorted({k for axes in parts[1::2] for k in axes} - {len(inner) - 1})
    made = np.einsum(*parts, used, optimize=True)
    if inner[-1].length == 1 or not any(len(inner) - 1 in axes for axes in parts[1::2]):
        made = made * inner[-1].length
    lengths = iter(np.shape(made))
    return np.reshape(made, [next(lengths) if k in used else 1 for k in range(len(inner) - 1)])


def _where(of: Evaluation, x: Where, scope: Scope) -> Any:
    return np.where(of.value(x.condition, scope), of.value(x.yes, scope), of.value(x.no, scope))


_VALUES: dict[type, Callable[[Evaluation, Any, Scope], Any]] = {
    Number: lambda of, x, scope: np.full((1,) * len(scope), x.value),
    Index: _index,
    Entry: _entry,
    Add: _sum,
    Mul: _mul,
    Power: lambda of, x, scope: np.power(of.value(x.base, scope) * 1.0, of.value(x.exponent, scope)),
    Call: lambda of, x, scope: FUNCTIONS[x.function].compute(*(of.value(k, scope) for k in x.operands)),
    Reduction: _reduction,
    Where: _where,
    Condition: lambda of, x, scope: CONDITIONS[x.sign](*(of.value(k, scope) for k in x.operands)),
}
