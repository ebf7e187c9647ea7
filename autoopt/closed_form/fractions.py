"""Products with a number in front and fractions."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from autoopt.closed_form.making import split
from autoopt.closed_form.text import ATOM, PRODUCT, Text, atom, figure, negative, over, times
from autoopt.closed_form.tree import Node, Number, Power


def fraction(
    number: float,
    above: list[Text],
    below: list[Text],
    join: Callable[[Text, Text], Text],
    taken: Collection[str],
) -> Text:
    """Return a number times a product over another one; `taken` are letters that are no numbers."""
    size = abs(number)
    value = figure(size, taken)
    if size != 1 and below and (parts := _whole(size)) is not None:
        above = [atom(str(parts[0])), *above] if parts[0] != 1 else above
        below = [atom(str(parts[1])), *below] if parts[1] != 1 else below
    elif size != 1 or (not above and not below):
        above = [value, *above]
    text = _joined(above, join) if above else atom("1")
    if below:
        text = over(text, _joined(below, join))
    return negative(text) if number < 0 else text


def _whole(size: float) -> tuple[int, int] | None:
    """Return a number as a fraction of small whole ones, if it is one."""
    for denominator in range(1, 65):
        numerator = size * denominator
        if numerator == int(numerator) and numerator < 1e6:
            return int(numerator), denominator
    return None


def _joined(texts: list[Text], join: Callable[[Text, Text], Text]) -> Text:
    whole = texts[0]
    for position, text in enumerate(texts[1:]):
        is_number = position == 0 and whole.text[-1:].isdigit() and whole.level in (ATOM, PRODUCT)
        whole = times(whole, text) if is_number else join(whole, text)
    return whole


def exponent(x: Node) -> float:
    return x.exponent.value if isinstance(x, Power) and isinstance(x.exponent, Number) else 1.0


def inverted(x: Node) -> Node:
    assert isinstance(x, Power) and isinstance(x.exponent, Number)
    return Power(x.base, Number(-x.exponent.value)) if x.exponent.value != -1 else x.base


def ordered(terms: Sequence[Node]) -> Sequence[Node]:
    """Return the terms of a sum, such that none begins with a minus sign if that can be."""
    first = next((k for k, term in enumerate(terms) if split(term)[0] > 0), 0)
    return [terms[first], *terms[:first], *terms[first + 1 :]]
