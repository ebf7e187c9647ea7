r"""Formulas as arrays, without indices: `X^\top (\sigma(z) - y)`.

Sums that are products of matrices, functions of entries, sums of arrays of one shape. What is none, as a vector that is
stretched over a matrix, has no such form.
"""

from __future__ import annotations

from collections.abc import Sequence

from autoopt.closed_form.fractions import exponent, fraction, inverted, ordered
from autoopt.closed_form.functions import TWO
from autoopt.closed_form.making import factors_of, mul, reduced_over, split
from autoopt.closed_form.text import (
    ATOM,
    POWER,
    Text,
    atom,
    entrywise,
    figure,
    minus,
    over,
    plus,
    power,
    times,
    transposed,
)
from autoopt.closed_form.tree import Add, Call, Entry, Index, Mul, Node, Number, Power, Reduction, is_symmetric
from autoopt.closed_form.writer import Free, Shown, Writer, as_array, unnested


@as_array(Entry)
def _whole_array(writer: Writer, x: Entry, free: Free) -> Shown | None:
    lengths = tuple(k.length for k in free)
    if x.at == free and x.array.shape == lengths:
        return Shown(writer.symbol(x.array), True)
    if x.at == free[::-1] and x.array.shape == lengths[::-1]:
        symbol = writer.symbol(x.array)
        return Shown(symbol if is_symmetric(x.array) else transposed(symbol), True)
    return None


@as_array(Add)
def _sum(writer: Writer, x: Add, free: Free) -> Shown | None:
    text, plain = None, True
    for term in ordered(x.terms):
        number, rest = split(term)
        if text is not None and number < 0:
            term = mul(Number(-number), rest)
        if term.indices & set(free):
            shown = writer.array(term, free)
            if shown is None:
                return None
            one, plain = shown.text, plain and shown.plain
        else:
            one, plain = writer.entry(term), False
        text = one if text is None else minus(text, one) if number < 0 else plus(text, one)
    assert text is not None
    if not plain:
        writer.words["entries"] = None
    return Shown(text, plain)


@as_array(Mul)
def _product(writer: Writer, x: Mul, free: Free) -> Shown | None:
    number, _ = split(x)
    scalars = [one for one in x.factors if not one.indices & set(free) and not isinstance(one, Number)]
    arrays = [one for one in x.factors if one.indices & set(free)]
    above: list[Text] = []
    below: list[Text] = []
    plain = True
    apart = [[one for one in arrays if one.indices & set(free) == {k}] for k in free] if len(free) == 2 else []
    if apart and len(apart[0]) + len(apart[1]) == len(arrays):
        parts = [writer.array(mul(*own), (k,)) for own, k in zip(apart, free, strict=True)]
        if parts[0] is None or parts[1] is None:
            return None
        above.append(times(parts[0].text, transposed(parts[1].text)))
    else:
        for one in arrays:
            shown = writer.array(inverted(one) if exponent(one) < 0 else one, free)
            if shown is None:
                return None
            (below if exponent(one) < 0 else above).append(shown.text)
            plain = plain and shown.plain
    if len(above) > 1 or len(below) > 1:
        writer.words["hadamard"] = None
    if below:
        writer.words["entries"] = None
    is_plain = plain and len(above) == 1 and not below
    text = fraction(1.0, above, below, entrywise, writer.symbols.taken)
    over_scalars = [writer.entry(inverted(one)) for one in scalars if exponent(one) < 0]
    front = [writer.entry(one) for one in scalars if exponent(one) >= 0]
    return Shown(fraction(number, [*front, text], over_scalars, times, writer.symbols.taken), is_plain)


@as_array(Power)
def _power(writer: Writer, x: Power, free: Free) -> Shown | None:
    if not isinstance(x.exponent, Number):
        return None
    shown = writer.array(x.base, free)
    if shown is None:
        return None
    writer.words["entries"] = None
    k = x.exponent.value
    if k == -1:
        return Shown(over(atom("1"), shown.text), False)
    if k == 0.5:
        return Shown(atom(rf"\sqrt{{{shown.text.text}}}"), False)
    writer.words["hadamard power"] = None
    return Shown(power(shown.text, figure(k), r"\circ "), False)


@as_array(Call)
def _function(writer: Writer, x: Call, free: Free) -> Shown | None:
    shown = writer.array(x.operands[0], free) if len(x.operands) == 1 else None
    if shown is None:
        return None
    writer.words["entries"] = None
    if x.function == "exp" and shown.text.level < ATOM:
        return Shown(Text(rf"\exp\left( {shown.text.text} \right)", POWER), shown.plain)
    return Shown(writer.applied(x.function, [shown.text]), shown.plain)


@as_array(Reduction)
def matrices(writer: Writer, x: Node, free: Free) -> Shown | None:
    """Return a sum as a product of matrices, if it is one."""
    if not isinstance(x, Reduction) or x.kind != "sum":
        return None
    indices, body = unnested(x)
    factors = factors_of(body)
    if not free:
        return _number(writer, x, indices, factors)
    first = [one for one in factors if free[0] in one.indices]
    rest = [one for one in factors if free[0] not in one.indices]
    met = set().union(*(one.indices for one in first)) & {*indices, *free} - {free[0]}
    if len(met) != 1 or not met <= set(indices) or not rest:
        return None
    (k,) = met
    left = writer.array(mul(*first), (free[0], k))
    right = writer.array(_summed([i for i in indices if i != k], rest), (k, *free[1:]))
    if left is None or right is None:
        return None
    return Shown(times(left.text, right.text), left.plain and right.plain)


def _number(writer: Writer, x: Node, indices: Free, factors: Sequence[Node]) -> Shown | None:
    """Return x^T A y, x^T (A y) and squares of lengths."""
    with writer.trial() as back:
        length = norm(writer, x)
        if length is None or not isinstance(getattr(factors[0], "base", None), Entry):
            back()
    if length is not None and isinstance(getattr(factors[0], "base", None), Entry):
        return Shown(power(length, atom("2")), True)
    if not any(isinstance(one, Reduction) or (isinstance(one, Entry) and len(one.at) > 1) for one in factors):
        return None
    if len(indices) == 1 and len(factors) > 2:
        return None
    for factor in [one for one in factors if isinstance(one, Reduction) and one.kind == "sum"]:
        inside, body = unnested(factor)
        indices, factors = (*indices, *inside), (*(one for one in factors if one is not factor), *factors_of(body))
    found: list[Text] = []
    for k in indices:
        vector = [one for one in factors if one.indices & set(indices) == {k}]
        rest = [one for one in factors if one not in vector]
        if not vector or not any(k in one.indices for one in rest):
            continue
        left = writer.array(mul(*vector), (k,))
        right = writer.array(_summed([i for i in indices if i != k], rest), (k,))
        if left is not None and right is not None and left.plain and right.plain:
            found.append(times(transposed(left.text), right.text))
    return Shown(min(found, key=lambda text: text.text.count(r"\top")), True) if found else None


def norm(writer: Writer, x: Node) -> Text | None:
    r"""Return \lVert x \rVert for the square of it, if this is one."""
    indices, body = unnested(x)
    if not isinstance(body, Power) or body.exponent != TWO or not indices:
        return None
    text = writer.plainly(body.base, indices)
    if text is None:
        return None
    return Text(
        rf"\lVert {text.text} \rVert" + (r"_{\mathrm{F}}" if len(indices) > 1 else ""),
        ATOM if len(indices) == 1 else POWER,
    )


def _summed(indices: Sequence[Index], factors: Sequence[Node]) -> Node:
    return reduced_over("sum", indices[::-1], mul(*factors))
