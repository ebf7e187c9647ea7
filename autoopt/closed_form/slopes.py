r"""The gradient of a formula, by the chain rule from variable to variable.

    l = sum_i (log(1 + exp(z_i)) - y_i z_i)      dl/dz_i = sigma(z_i) - y_i
    z_i = sum_j X_ij w_j                          dl/dw_k = sum_i X_ik (sigma(z_i) - y_i)

Where an entry x_e is read under sums, the slope by x_a is what stands before it, for the indices at which e is a: the
index is replaced by the one that makes it so, or else stands under a condition.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod

from autoopt.closed_form.functions import FUNCTIONS
from autoopt.closed_form.making import (
    add,
    call,
    divide,
    equal,
    factors_of,
    indicator,
    is_indicator,
    mul,
    negative,
    opened,
    power,
    reduced,
    reduced_over,
    split,
    substituted,
    subtract,
)
from autoopt.closed_form.reading import LONGEST, NoForm
from autoopt.closed_form.tree import (
    MINUS,
    ONE,
    ZERO,
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
    function_of,
    is_symmetric,
    rewritten,
    walk,
)

SHORT = 8
"""Slopes by a variable of at most so many nodes are written out where they are used."""

MANY = 32
"""Products of sums that would have more terms than this are not multiplied out."""

Read = tuple[Entry, Node, tuple[Index, ...]]
"""An entry that is read, what its slope is multiplied by, and the indices that both stand under."""


class Slopes:
    """The slopes of a value by the arrays that it is computed of.

    Parameters
    ----------
    value : Node
    arrays : sequence of Array
        Those that move with the parameters and are read for it, each behind those that it is computed of.
    held : bool
        Whether maxima and minima over an axis are taken as numbers without a slope, as those are that shift
        exponentials. Only right where this makes no difference.
    """

    def __init__(self, value: Node, arrays: Sequence[Array], held: bool) -> None:
        self.held = held
        self.reads: dict[Array, list[Read]] = {array: [] for array in arrays}
        self.formulas: dict[Array, Node] = {}
        self.indices: dict[Array, tuple[Index, ...]] = {}
        self.named: dict[Array, Array] = {}
        self._follow(value, ONE, ())
        for array in reversed(arrays):
            self._settle(array)

    def _settle(self, array: Array) -> None:
        """Add up the slope by an array, and hand it on to what the array is computed of."""
        indices = self.indices[array] = tuple(Index.fresh(n) for n in array.shape)
        reads = [symmetrised(placed(entry.at, by, under, indices)) for entry, by, under in self.reads[array]]
        if sum(read.size for read in reads) > LONGEST:
            raise NoForm(f"a derivative that is too long to be read, by {array.name or 'a matrix'}", array.where)
        slope = add(*map(shortest, reads))
        self.formulas[array] = slope = turned(grouped(shortest(slope)))
        if array.body is None and array.of is None:
            return
        if slope.size > SHORT and self._is_read_often(array):
            own = Array("", array.shape, indices, slope, slope=array, moves=True)
            self.named[array] = own
            slope = Entry(own, indices)
        if array.of is not None:
            self._through_matrix(array, slope, indices)
            return
        assert array.body is not None
        seed = substituted(slope, dict(zip(indices, array.indices, strict=True)))
        own_entry = Entry(array, array.indices)
        for entry, by, under in list(self._reads(array.body, ONE, ())):
            by = mul(seed, folded(by, array.body, own_entry))
            self.reads[entry.array].append((entry, by, (*array.indices, *under)))

    def _is_read_often(self, array: Array) -> bool:
        """Whether the slope by an array would be written several times."""
        if array.of is not None:
            return False
        assert array.body is not None
        return len({entry.array for entry, _, _ in self._reads(array.body, ONE, ())}) > 1

    def _follow(self, whole: Node, seed: Node, under: tuple[Index, ...]) -> None:
        for entry, by, inner in self._reads(whole, seed, under):
            self.reads[entry.array].append((entry, by, inner))

    def _through_matrix(self, array: Array, slope: Node, indices: tuple[Index, ...]) -> None:
        """Hand a slope on from a function of a matrix to the matrix."""
        assert array.of is not None
        function, matrix = array.of
        if not matrix.moves:
            return
        i, j = Index.fresh(matrix.shape[0]), Index.fresh(matrix.shape[1])
        entry = Entry(matrix, (i, j))
        if function == "inverse":
            k, m = indices
            by = negative(mul(Entry(array, (k, i)), slope, Entry(array, (j, m))))
            self.reads[matrix].append((entry, by, (i, j, k, m)))
            return
        inverse = function_of("inverse", matrix, matrix.shape)
        by = mul(slope, Entry(inverse, (j, i)))
        self.reads[matrix].append((entry, by if function == "logdet" else mul(by, Entry(array, ())), (i, j)))

    # The chain rule ---------------------------------------------------------------------------------------------------

    def _reads(self, whole: Node, seed: Node, under: tuple[Index, ...]) -> Iterator[Read]:
        """Yield the entries of arrays that move which a formula reads, with their slopes."""
        if seed == ZERO or not any(array.moves for array in whole.arrays):
            return
        if isinstance(whole, Entry):
            if any(array.moves for place in whole.at for array in place.arrays):
                raise NoForm("positions that depend on the parameters")
            yield whole, seed, under
        elif isinstance(whole, Add):
            for term in whole.terms:
                yield from self._reads(term, seed, under)
        elif isinstance(whole, Mul):
            for k, factor in enumerate(whole.factors):
                others = whole.factors[:k] + whole.factors[k + 1 :]
                yield from self._reads(factor, mul(seed, *others), under)
        elif isinstance(whole, Power):
            yield from self._of_power(whole, seed, under)
        elif isinstance(whole, Call):
            row = FUNCTIONS[whole.function]
            if row.slopes is None:
                raise NoForm(f"the derivative of {whole.function}")
            for operand, slope in zip(whole.operands, row.slopes(*whole.operands), strict=True):
                yield from self._reads(operand, mul(seed, slope), under)
        elif isinstance(whole, Where):
            yield from self._reads(whole.yes, mul(seed, indicator(whole.condition)), under)
            yield from self._reads(whole.no, mul(seed, indicator(opposite(whole.condition))), under)
        elif isinstance(whole, Reduction):
            yield from self._of_reduction(whole, seed, under)

    def _of_power(self, whole: Power, seed: Node, under: tuple[Index, ...]) -> Iterator[Read]:
        base, exponent = whole.base, whole.exponent
        yield from self._reads(base, mul(seed, exponent, power(base, subtract(exponent, ONE))), under)
        yield from self._reads(exponent, mul(seed, whole, call("log", base)), under)

    def _of_reduction(self, whole: Reduction, seed: Node, under: tuple[Index, ...]) -> Iterator[Read]:
        index, body = opened(whole)
        if whole.kind == "prod":
            seed = mul(seed, divide(whole, body))
        elif whole.kind != "sum":
            if self.held:
                return
            seed = mul(seed, indicator(Condition("=", (body, whole))))
        yield from self._reads(body, seed, (*under, index))


_OPPOSITE = {">": "<=", ">=": "<", "<": ">=", "<=": ">", "=": "!=", "!=": "="}


def opposite(condition: Node) -> Node:
    """Return the condition that another one does not hold."""
    assert isinstance(condition, Condition)
    if condition.sign in _OPPOSITE:
        return Condition(_OPPOSITE[condition.sign], condition.operands)
    return condition.operands[0] if condition.sign == "not" else Condition("not", (condition,))


def placed(at: Sequence[Node], by: Node, under: Sequence[Index], indices: Sequence[Index]) -> Node:
    """Return the slope by the entry at `indices`, from what the entry `at` is multiplied by under indices."""
    left, places = list(under), list(at)
    conditions: list[Node] = []
    for k, index in enumerate(indices):
        solved = _solved(places[k], left, index)
        if solved is None:
            conditions.append(equal(index, places[k]))
            continue
        own, other = solved
        left.remove(own)
        new = {own: other}
        by = substituted(by, new)
        places = [substituted(place, new) for place in places]
        conditions = [substituted(condition, new) for condition in conditions]
        conditions.append(_in_range(other, own.length, index))
    return reduced_over("sum", left, mul(*conditions, by))


def _solved(place: Node, left: Sequence[Index], index: Index) -> tuple[Index, Node] | None:
    """Return an index and what it must be for `place` to be `index`, if there is one: of i + c and c - i."""
    if isinstance(place, Index) and place in left:
        return place, index
    if isinstance(place, Add):
        own = [k for k in left if k in place.indices]
        for term in place.terms if len(own) == 1 else ():
            factor, rest = split(term)
            others = [one for one in place.terms if one is not term]
            if rest == own[0] and factor in (1, -1) and all(isinstance(one, Number) for one in others):
                return own[0], mul(Number(factor), subtract(index, add(*others)))
    return None


def _in_range(place: Node, length: int, index: Index) -> Node:
    """Return 1 where `place`, which is `index` moved, is within a length, and 0 elsewhere."""
    if place == index:
        return ONE if index.length <= length else indicator(Condition("<", (index, Number(float(length)))))
    number = next((term.value for term in getattr(place, "terms", ()) if isinstance(term, Number)), 0.0)
    conditions: list[Node] = []
    if any(term == index for term in getattr(place, "terms", ())):  # index + number
        low, high = -number, length - number
    else:  # number - index
        low, high = number - length + 1, number + 1
    if low > 0:
        conditions.append(Condition(">=", (index, Number(low))))
    if high < index.length:
        conditions.append(Condition("<", (index, Number(high))))
    return indicator(*conditions)


def symmetrised(whole: Node) -> Node:
    """Return a formula in which the indices of symmetric matrices stand in one order."""

    def change(one: Node) -> Node | None:
        if isinstance(one, Entry) and is_symmetric(one.array) and all(isinstance(k, Index) for k in one.at):
            return Entry(one.array, tuple(sorted(one.at, key=lambda k: k.name)))  # type: ignore[attr-defined]
        return None

    return rewritten(whole, change)


# Shorter forms --------------------------------------------------------------------------------------------------------


def folded(whole: Node, body: Node, name: Node) -> Node:
    """Return a formula in which a variable stands for what it is defined as."""
    if isinstance(body, Entry | Number | Index):
        return whole
    if whole == body:
        return name
    whole = whole.made_of(tuple(folded(part, body, name) for part in whole.parts))
    if isinstance(whole, Mul | Power):
        quotient = mul(whole, power(body, MINUS))
        if quotient.size + name.size < whole.size:
            return mul(name, quotient)
    return whole


def shortest(whole: Node) -> Node:
    """Return a formula with its products multiplied out where that makes it shorter."""
    if not any(isinstance(one, Add) for one in walk(whole)):
        return whole
    whole = whole.made_of(tuple(shortest(part) for part in whole.parts))
    below = mul(*(power(one, MINUS) for one in factors_of(whole) if isinstance(one, Power) and one.exponent == MINUS))
    apart = multiplied_out(below)
    if apart.size < below.size:
        whole = divide(mul(whole, below), apart)
    apart = factored(multiplied_out(whole))
    return apart if apart.size < whole.size else whole


def turned(whole: Node) -> Node:
    """Return -sum_i X_ij (y_i - p_i) with the difference turned, as it is a product of matrices."""
    factors = factors_of(whole)
    if len(factors) != 2 or factors[0] != MINUS or not isinstance(factors[1], Reduction) or factors[1].kind != "sum":
        return whole
    index, body = opened(factors[1])
    inner = factors_of(body)
    sums = [one for one in inner if isinstance(one, Add)]
    if len(sums) != 1 or len(inner) != 2 or all(split(term)[0] > 0 for term in sums[0].terms):
        return whole
    return reduced("sum", index, mul(*(negative(one) if one is sums[0] else one for one in inner)))


def _has_quotients(whole: Add) -> bool:
    return any(isinstance(one, Power) and one.exponent == MINUS for term in whole.terms for one in factors_of(term))


def factored(whole: Node) -> Node:
    """Return a sum with what all terms are multiplied by in front."""
    if not isinstance(whole, Add):
        return whole
    first, *rest = [factors_of(term) for term in whole.terms]
    common = [one for one in first if not isinstance(one, Number) and all(one in factors for factors in rest)]
    if not common:
        return whole
    terms = [mul(*(one for one in factors_of(term) if one not in common)) for term in whole.terms]
    return mul(*common, add(*terms))


def grouped(whole: Node) -> Node:
    """Return a sum in which terms under the same conditions stand together."""
    if not isinstance(whole, Add):
        return whole
    groups: dict[Node, list[Node]] = {}
    for term in whole.terms:
        conditions = [one for one in factors_of(term) if is_indicator(one)]
        rest = mul(*(one for one in factors_of(term) if one not in conditions))
        groups.setdefault(mul(*conditions), []).append(rest)  # equal in any order, written in that of the first term
    return add(*(mul(condition, add(*terms)) for condition, terms in groups.items()))


def multiplied_out(whole: Node) -> Node:
    """Return the sum that a product of sums is, or a sum of such products; what would have many terms as it is."""
    if prod(len(factor.terms) for factor in factors_of(whole) if isinstance(factor, Add)) > MANY:
        return whole
    if isinstance(whole, Add):
        return add(*(multiplied_out(term) for term in whole.terms))
    if isinstance(whole, Mul):
        sums = [factor for factor in whole.factors if isinstance(factor, Add)]
        for factor in sorted(sums, key=lambda one: not _has_quotients(one)):
            others = [one for one in whole.factors if one is not factor]
            return add(*(multiplied_out(mul(term, *others)) for term in factor.terms))
    return whole
