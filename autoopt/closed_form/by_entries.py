r"""Formulas entry by entry: `\sum_i x_{ij} r_i`."""

from __future__ import annotations

from functools import reduce

from autoopt.closed_form.as_arrays import norm
from autoopt.closed_form.fractions import exponent, fraction, inverted, ordered
from autoopt.closed_form.making import factors_of, is_indicator, mul, split
from autoopt.closed_form.symbols import subscripted
from autoopt.closed_form.text import (
    CONDITION,
    SUM,
    Text,
    atom,
    bracketed,
    figure,
    minus,
    negative,
    over,
    plus,
    power,
    summed,
    times,
)
from autoopt.closed_form.tree import (
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
from autoopt.closed_form.writer import Free, Writer, by_entries, unnested

SIGNS = {">": ">", ">=": r"\ge", "<": "<", "<=": r"\le", "=": "=", "!=": r"\ne", "and": r"\wedge", "or": r"\vee"}
REDUCTIONS = {"sum": r"\sum", "prod": r"\prod", "max": r"\max", "min": r"\min"}


@by_entries(Number)
def _number(writer: Writer, x: Number) -> Text:
    return figure(x.value, writer.symbols.taken)


@by_entries(Entry)
def _entry(writer: Writer, x: Entry) -> Text:
    if not x.at:
        return writer.symbol(x.array)
    for place, length in zip(x.at, x.array.shape, strict=True):
        if isinstance(place, Index):
            writer.lengths[place].add(length)
        else:
            writer.words["from zero"] = None
    return writer.with_indices(x.array, [_position(writer, place) for place in x.at])


def _position(writer: Writer, place: Node) -> str:
    if isinstance(place, Index):
        return writer.indices[place]
    if isinstance(place, Add):  # i+1, not i + 1
        ordered = sorted(place.terms, key=lambda term: isinstance(term, Number))
        text = writer.entry(Add(tuple(ordered))).text
        return text.replace(" + ", "+").replace(" - ", "-")
    return writer.entry(place).text


@by_entries(Index)
def _index(writer: Writer, x: Index) -> Text:
    return atom(writer.indices[x])


@by_entries(Add)
def _sum(writer: Writer, x: Add) -> Text:
    first, *rest = ordered(x.terms)
    text = writer.entry(first)
    for term in rest:
        number, positive = split(term)
        text = (
            minus(text, writer.entry(mul(Number(-number), positive))) if number < 0 else plus(text, writer.entry(term))
        )
    return text


@by_entries(Mul)
def _product(writer: Writer, x: Mul) -> Text:
    number, _ = split(x)
    factors = [factor for factor in x.factors if not isinstance(factor, Number)]
    factors.sort(key=_rank)
    holding = sorted(filter(is_indicator, factors), key=lambda one: bool(one.arrays))  # those of places first
    conditions = [writer.entry(one) for one in holding]
    factors = [one for one in factors if not is_indicator(one)]
    above = [writer.entry(one) for one in factors if exponent(one) >= 0]
    below = [writer.entry(inverted(one)) for one in factors if exponent(one) < 0]
    if conditions and below:  # where they do not hold, the fraction may have no value
        whole = fraction(abs(number), above, below, times, writer.symbols.taken)
        made = reduce(times, [*conditions, whole])
        return negative(made) if number < 0 else made
    return fraction(number, [*conditions, *above], below, times, writer.symbols.taken)


@by_entries(Power)
def _power(writer: Writer, x: Power) -> Text:
    if not isinstance(x.exponent, Number):
        return power(writer.entry(x.base), writer.entry(x.exponent))
    k = x.exponent.value
    if k < 0:
        return over(atom("1"), writer.entry(inverted(x)))
    if k == 0.5:
        return norm(writer, x.base) or atom(rf"\sqrt{{{writer.entry(x.base).text}}}")
    return power(writer.entry(x.base), figure(k))


@by_entries(Call)
def _function(writer: Writer, x: Call) -> Text:
    return writer.applied(x.function, [writer.entry(one) for one in x.operands])


@by_entries(Reduction)
def _reduction(writer: Writer, x: Reduction) -> Text:
    free = tuple(sorted(x.indices & writer.indices.keys(), key=lambda k: list(writer.indices).index(k)))
    if x.kind == "sum" and len(free) < 3:
        text = writer.plainly(x, free)
        if text is not None and r"\top" in text.text and len(free) == 2:
            other = writer.plainly(x, free[::-1])
            if other is not None and other.text.count(r"\top") < text.text.count(r"\top"):
                text, free = other, free[::-1]
        if text is not None and not free:
            return text
        if text is not None:
            for k in free:
                writer.lengths[k].add(k.length)
            return atom(subscripted(bracketed(text.text), tuple(writer.indices[k] for k in free)))
    indices, body = unnested(x)
    conditions = [one for one in factors_of(body) if is_indicator(one) and one.indices & set(indices)]
    if x.kind == "sum" and conditions:
        body = mul(*(one for one in factors_of(body) if one not in conditions))
    else:
        conditions = []
    with writer.letters(indices) as letters:
        text = writer.entry(body)
        below = [writer.entry(turned(one.condition, indices)).text for one in conditions]
        limits = [one if writer.runs(k) else f"{one} < {k.length}" for one, k in zip(letters, indices, strict=True)]
    if any("<" in limit for limit in limits):
        writer.words["from zero"] = None
    shown = ", ".join(limits) + (f" : {', '.join(below)}" if below else "")
    if len(below) == 1 and below[0].startswith(f"{limits[0]} ") and "," not in shown:
        shown = below[0]  # j \le i
    return summed(REDUCTIONS[x.kind], shown, text)


@by_entries(Where)
def _cases(writer: Writer, x: Where) -> Text:
    condition = writer.entry(x.condition).text
    if is_indicator(x):
        writer.words["indicator"] = None
        return atom(rf"\mathbf{{1}}[{condition}]")
    yes, no = writer.entry(x.yes).text, writer.entry(x.no).text
    return atom(rf"\begin{{cases}} {yes} & \text{{if }} {condition} \\ {no} & \text{{otherwise}} \end{{cases}}")


@by_entries(Condition)
def _condition(writer: Writer, x: Condition) -> Text:
    if x.sign == "not":
        return Text(rf"\neg {bracketed(writer.entry(x.operands[0]).text)}", CONDITION)
    parts = [writer.entry(one) for one in x.operands]
    if x.sign in ("and", "or"):
        shown = [
            part.text if x.sign == "and" and not _is_or(one) else bracketed(part.text)
            for part, one in zip(parts, x.operands, strict=True)
        ]
        return Text(f" {SIGNS[x.sign]} ".join(shown), CONDITION)
    return Text(f" {SIGNS[x.sign]} ".join(part.at(SUM) for part in parts), CONDITION)


def turned(condition: Node, indices: Free) -> Node:
    """Return a comparison such that an index stands first."""
    turns = {">": "<", "<": ">", ">=": "<=", "<=": ">=", "=": "="}
    if isinstance(condition, Condition) and condition.sign in turns and condition.operands[1] in indices:
        return Condition(turns[condition.sign], condition.operands[::-1])
    return condition


def _is_or(x: Node) -> bool:
    return isinstance(x, Condition) and x.sign in ("or", "not")


def _rank(factor: Node) -> tuple[bool, int]:
    """Return where a factor stands: what has no indices first, sums and functions last."""
    base = factor.base if isinstance(factor, Power) else factor
    last = (Add, Call, Reduction)
    kind = last.index(type(base)) + 1 if type(base) in last else 0
    return bool(factor.indices), kind
