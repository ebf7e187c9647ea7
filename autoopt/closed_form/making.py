"""Sums, products, powers and reductions in their shortest form: each term and each factor once."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import TypeGuard

import numpy as np

from autoopt.closed_form.tree import (
    MAKERS,
    MINUS,
    ONE,
    ZERO,
    Add,
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


def split(term: Node) -> tuple[float, Node]:
    """Return the number in front of a term, and the rest."""
    if isinstance(term, Number):
        return term.value, ONE
    if isinstance(term, Mul) and isinstance(term.factors[0], Number):
        rest = term.factors[1:]
        return term.factors[0].value, rest[0] if len(rest) == 1 else Mul(rest)
    return 1.0, term


def add(*terms: Node) -> Node:
    """Return a sum, in which each term occurs once."""
    found: dict[Node, float] = {}
    for term in terms:
        for one in term.terms if isinstance(term, Add) else (term,):
            number, rest = split(one)
            found[rest] = found.get(rest, 0.0) + number
    kept = [_times(number, rest) for rest, number in found.items() if number]
    return ZERO if not kept else kept[0] if len(kept) == 1 else Add(tuple(kept))


def _times(number: float, rest: Node) -> Node:
    if rest == ONE:
        return Number(number)
    if number == 1:
        return rest
    return Mul((Number(number), *rest.factors)) if isinstance(rest, Mul) else Mul((Number(number), rest))


def factors_of(whole: Node) -> tuple[Node, ...]:
    return whole.factors if isinstance(whole, Mul) else (whole,)


def negative(x: Node) -> Node:
    return mul(MINUS, x)


def subtract(x: Node, y: Node) -> Node:
    return add(x, negative(y))


def divide(x: Node, y: Node) -> Node:
    return mul(x, power(y, MINUS))


def mul(*factors: Node) -> Node:
    """Return a product, in which each factor occurs once with its exponent."""
    number = 1.0
    found: dict[Node, float] = {}
    for factor in factors:
        for one in factor.factors if isinstance(factor, Mul) else (factor,):
            if isinstance(one, Number):
                number *= one.value
                continue
            base: Node = one
            exponent = 1.0
            if isinstance(one, Power) and isinstance(one.exponent, Number):
                base, exponent = one.base, one.exponent.value
            found[base] = found.get(base, 0.0) + exponent
    if not number:
        return ZERO
    number *= _signs_joined(found)
    _join_logistic(found)
    _join_exponentials(found)
    kept = [power(base, Number(k)) if not is_indicator(base) else base for base, k in found.items() if k]
    if np.isinf(number) and (held := next(filter(is_indicator, kept), None)) is not None:  # infinity times 0 is none
        return where(held.condition, mul(Number(number), *(one for one in kept if one is not held)), ZERO)
    if any(isinstance(one, Mul | Number) for one in kept):
        return mul(Number(number), *kept)
    if len(kept) == 1 and isinstance(kept[0], Add) and number == -1:
        return add(*(mul(MINUS, term) for term in kept[0].terms))
    if not kept:
        return Number(number)
    kept = [Number(number), *kept] if number != 1 else kept
    return kept[0] if len(kept) == 1 else Mul(tuple(kept))


def is_indicator(x: Node) -> TypeGuard[Where]:
    """Whether a number is 1 where a condition holds, and 0 elsewhere."""
    return isinstance(x, Where) and x.yes == ONE and x.no == ZERO


def _signs_joined(found: dict[Node, float]) -> float:
    """Write -a - b as -(a + b), and a - b as -(b - a) where b - a is there; return the sign that remains."""
    sign = 1.0
    for one in [x for x in found if isinstance(x, Add)]:
        k = found[one]
        if k == int(k) and (all(split(term)[0] < 0 for term in one.terms) or _opposite(one) in found):
            del found[one]
            found[_opposite(one)] = found.get(_opposite(one), 0.0) + k
            sign *= (-1.0) ** k
    return sign


def _opposite(x: Add) -> Add:
    return Add(tuple(_times(-number, rest) for number, rest in map(split, x.terms)))


def _join_exponentials(found: dict[Node, float]) -> None:
    """Write exp(2 u) exp(-u) as exp(u): products of exponentials where that is shorter."""
    own = [one for one in found if isinstance(one, Call) and one.function == "exp"]
    if len(own) < 2:
        return
    exponent = add(*(mul(Number(found[one]), one.operands[0]) for one in own))
    if exponent.size + 1 < sum(one.size for one in own):
        for one in own:
            del found[one]
        whole = call("exp", exponent)
        if whole != ONE:
            found[whole] = found.get(whole, 0.0) + 1


def _join_logistic(found: dict[Node, float]) -> None:
    """Write exp(u) sigma(-u) as sigma(u), where sigma is the logistic function."""
    for one in [x for x in found if isinstance(x, Call) and x.function == "exp"]:
        other = Call("sigma", (negative(one.operands[0]),))
        if found[one] == found.get(other) == 1:
            del found[one], found[other]
            whole = Call("sigma", one.operands)
            found[whole] = found.get(whole, 0.0) + 1


def power(base: Node, exponent: Node) -> Node:
    """Return a power; of a product with a whole exponent, the product of powers."""
    if not isinstance(exponent, Number):
        return Power(base, exponent)
    k = exponent.value
    if k == 0:
        return ONE
    if k == 1:
        return base
    whole = k == int(k)
    if isinstance(base, Number) and (base.value or k > 0) and (whole or base.value >= 0) and (whole or base.value == 1):
        return Number(base.value**k)
    if isinstance(base, Power) and isinstance(base.exponent, Number) and whole:
        return power(base.base, Number(base.exponent.value * k))
    if isinstance(base, Mul) and whole:
        return mul(*(power(factor, exponent) for factor in base.factors))
    if isinstance(base, Call) and base.function == "exp" and whole and k != -1:
        return call("exp", mul(exponent, base.operands[0]))
    if k == -1 and (u := _exponent_beside_one(base)) is not None:
        return call("sigma", negative(u))
    return Power(base, exponent)


def _exponent_beside_one(x: Node) -> Node | None:
    """Return u of 1 + exp(u)."""
    if isinstance(x, Add) and len(x.terms) == 2 and ONE in x.terms:
        other = x.terms[0] if x.terms[1] == ONE else x.terms[1]
        if isinstance(other, Call) and other.function == "exp":
            return other.operands[0]
    return None


def call(function: str, *operands: Node) -> Node:
    """Return a function of numbers."""
    x = operands[0]
    if function == "exp" and x == ZERO:
        return ONE
    if function == "exp" and isinstance(x, Call) and x.function == "log":
        return x.operands[0]
    if function == "log" and x == ONE:
        return ZERO
    if function == "log" and isinstance(x, Call) and x.function == "exp":
        return x.operands[0]
    if function == "log" and (u := _exponent_beside_one(x)) is not None:
        return Call("softplus", (u,))
    return Call(function, operands)


def indicator(*conditions: Node) -> Node:
    """Return 1 where all conditions hold, and 0 elsewhere."""
    return where(Condition("and", conditions), ONE, ZERO)


def where(condition: Node, yes: Node, no: Node) -> Node:
    condition = decided(condition)
    if isinstance(condition, Number):
        return yes if condition.value else no
    return yes if yes == no else Where(condition, yes, no)


def decided(condition: Node) -> Node:
    """Return a condition in its shortest form; the number 1 or 0 where it always holds, or never."""
    if not isinstance(condition, Condition):
        return condition
    if condition.sign in ("and", "or", "not"):
        return _joined(condition.sign, [decided(one) for one in condition.operands])
    left, right = condition.operands
    if isinstance(left, Add) and isinstance(right, Number):  # i + 1 >= 2
        number = sum(term.value for term in left.terms if isinstance(term, Number))
        left, right = subtract(left, Number(number)), Number(right.value - number)
    if isinstance(right, Number) and isinstance(left, Number | Index):
        ends = (left.value, left.value) if isinstance(left, Number) else (0.0, left.length - 1.0)
        answers = {bool(COMPARED[condition.sign](end, right.value)) for end in ends}
        is_within = ends[0] <= right.value <= ends[1]
        if len(answers) == 1 and (condition.sign not in ("=", "!=") or isinstance(left, Number) or not is_within):
            return Number(float(answers.pop()))
    return Condition(condition.sign, (left, right))


COMPARED: dict[str, Callable[[float, float], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "=": operator.eq,
    "!=": operator.ne,
}


def _joined(sign: str, parts: list[Node]) -> Node:
    if sign == "not":
        return Number(1.0 - parts[0].value) if isinstance(parts[0], Number) else Condition(sign, tuple(parts))
    decisive = Number(float(sign == "or"))
    if decisive in parts:
        return decisive
    kept = tuple(one for one in parts if not isinstance(one, Number))
    if not kept:
        return Number(1.0 - decisive.value)
    return kept[0] if len(kept) == 1 else Condition(sign, kept)


def equal(one: Node, other: Node) -> Node:
    """Return 1 where two whole numbers are equal, and 0 elsewhere."""
    return ONE if one == other else indicator(Condition("=", (one, other)))


def reduced(kind: str, index: Index, body: Node) -> Node:
    """Return a sum, product or extreme over an index."""
    if index not in body.indices:
        return (
            mul(Number(index.length), body)
            if kind == "sum"
            else power(body, Number(index.length))
            if kind == "prod"
            else body
        )
    if kind == "sum":
        if (picked := _picked(index, body)) is not None:
            return picked
        if (count := _count(index, body)) is not None:
            return count
        if isinstance(body, Add):
            apart = [term for term in body.terms if _picked(index, term) is not None]
            if apart:
                rest = [term for term in body.terms if term not in apart]
                return add(reduced(kind, index, add(*rest)), *(reduced(kind, index, term) for term in apart))
        if isinstance(body, Mul):
            outside = [factor for factor in body.factors if index not in factor.indices]
            if outside:
                inside = [factor for factor in body.factors if index in factor.indices]
                return mul(*outside, reduced(kind, index, mul(*inside)))
        if isinstance(body, Reduction) and body.kind == "sum":
            other, inner = opened(body)
            swapped = reduced(kind, index, inner)
            if swapped.depth < body.depth:
                return reduced(kind, other, swapped)
    bound = Index(-1 - body.depth, index.length)
    return Reduction(kind, bound, substituted(body, {index: bound}) if bound != index else body)


def reduced_over(kind: str, indices: Sequence[Index], body: Node) -> Node:
    """Return a sum, product or extreme over several indices, the last one innermost."""
    for index in reversed(indices):
        body = reduced(kind, index, body)
    return body


def _count(index: Index, body: Node) -> Node | None:
    """Return for how many values of an index a condition holds, if that is a number."""
    condition = body.condition if is_indicator(body) else None
    if not isinstance(condition, Condition) or condition.operands[0] != index:
        return None
    end = condition.operands[1]
    if not isinstance(end, Number) or condition.sign not in (">=", "<"):
        return None
    return end if condition.sign == "<" else Number(index.length - end.value)


def _picked(index: Index, body: Node) -> Node | None:
    """Return the one term of a sum that is not 0, as a factor says that the index is equal to something."""
    for factor in factors_of(body):
        if is_indicator(factor) and isinstance(factor.condition, Condition) and factor.condition.sign == "=":
            one, other = factor.condition.operands
            for this, that in ((one, other), (other, one)):
                if this == index and index not in that.indices and _is_within(that, index.length):
                    rest = [part for part in body.factors if part is not factor] if isinstance(body, Mul) else []
                    return substituted(mul(*rest), {index: that})
    return None


def _is_within(x: Node, length: int) -> bool:
    """Whether something is a position in an array of this length."""
    if isinstance(x, Index):
        return x.length <= length
    if isinstance(x, Number):
        return 0 <= x.value < length
    return (
        isinstance(x, Entry)
        and x.array.value is not None
        and bool(np.all((x.array.value >= 0) & (x.array.value < length)))
    )


# Indices --------------------------------------------------------------------------------------------------------------


def opened(whole: Reduction) -> tuple[Index, Node]:
    """Return the index of a reduction under a name of its own, and what is reduced."""
    index = Index.fresh(whole.index.length)
    return index, substituted(whole.body, {whole.index: index})


def substituted(whole: Node, new: Mapping[Index, Node]) -> Node:
    """Return a formula with other things in the places of indices."""
    if not new or not (whole.indices & new.keys()):
        return whole
    if isinstance(whole, Index):
        return new[whole]
    if isinstance(whole, Reduction):
        inside = {k: v for k, v in new.items() if k != whole.index}
        index, body = whole.index, whole.body
        if any(index in v.indices for v in inside.values()):
            index, body = opened(whole)
        return reduced(whole.kind, index, substituted(body, inside))
    return whole.made_of(tuple(substituted(part, new) for part in whole.parts))


MAKERS |= {
    Entry: lambda whole, *at: Entry(whole.array, at),
    Add: lambda _, *terms: add(*terms),
    Mul: lambda _, *factors: mul(*factors),
    Power: lambda _, base, exponent: power(base, exponent),
    Call: lambda whole, *operands: call(whole.function, *operands),
    Reduction: lambda whole, index, body: reduced(whole.kind, whole.index, body),
    Where: lambda _, *parts: where(*parts),
    Condition: lambda whole, *operands: Condition(whole.sign, operands),
}
