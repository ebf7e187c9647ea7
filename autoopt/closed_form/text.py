"""Pieces of LaTeX that know how tightly they bind."""

from __future__ import annotations

import re
from collections.abc import Collection
from fractions import Fraction
from typing import NamedTuple

import numpy as np

CONDITION, SUM, ENTRYWISE, PRODUCT, APPLIED, POWER, ATOM = range(7)
r"""How tightly a piece binds: a > b, a + b, a \odot b, a b, \log a, a^b and fractions, a."""


class Text(NamedTuple):
    r"""A piece of LaTeX.

    `is_open` says that it ends with a function that has no brackets, as "2 \log x": nothing may be multiplied from
    the right.
    """

    text: str
    level: int
    is_open: bool = False
    positive: Text | None = None  # what it is the negative of

    def at(self, level: int) -> str:
        """Return the text, in brackets if it binds less tightly than `level`."""
        return self.text if self.level >= level else bracketed(self.text)


def bracketed(text: str) -> str:
    is_tall = any(word in text for word in (r"\frac", r"\sum", r"\begin", r"\prod", "^{"))
    return rf"\left( {text} \right)" if is_tall else f"({text})"


def atom(text: str) -> Text:
    return Text(text, ATOM)


def plus(a: Text, b: Text) -> Text:
    if b.positive is not None:
        return minus(a, b.positive)
    right = bracketed(b.text) if b.text.startswith("-") else b.text
    return Text(f"{a.text} + {right}", SUM)


def minus(a: Text, b: Text) -> Text:
    return Text(f"{a.text} - {b.at(ENTRYWISE)}", SUM)


def negative(a: Text) -> Text:
    return Text(f"-{a.at(ENTRYWISE)}", SUM, a.is_open, a)


_NUMBER = re.compile(r"\d+(\.\d+)?|\\frac\{\d+\}\{\d+\}")


def entrywise(a: Text, b: Text) -> Text:
    left = bracketed(a.text) if a.is_open else a.at(ENTRYWISE)
    return Text(rf"{left} \odot {b.at(PRODUCT)}", ENTRYWISE)


def times(a: Text, b: Text) -> Text:
    if a.positive is not None and _NUMBER.fullmatch(a.positive.text):
        return negative(b if a.positive.text == "1" else times(a.positive, b))
    left = bracketed(a.text) if a.is_open or a.level < PRODUCT else a.text
    right = b.at(PRODUCT)
    sign = " "
    if left.endswith("}") and right.startswith(r"\mathrm") and r"\mathrm" in left[left.rfind("\\") :]:
        sign = r" \, "  # two words
    elif right[:1].isdigit() or (left[-1:].isdigit() and right.startswith(r"\frac{1}")):
        sign = r" \cdot "
    return Text(f"{left}{sign}{right}", PRODUCT, b.is_open and b.level >= PRODUCT)


def over(a: Text, b: Text) -> Text:
    return Text(rf"\frac{{{a.text}}}{{{b.text}}}", POWER)


def power(a: Text, exponent: Text, sign: str = "") -> Text:
    return Text(f"{a.at(ATOM)}^{{{sign}{exponent.text}}}", POWER)


def exponential(a: Text) -> Text:
    if r"\begin" in a.text or r"\sum" in a.text or a.text.count(r"\frac") > 1 or len(a.text) > 60:
        return Text(rf"\exp\left( {a.text} \right)", POWER)
    return Text(f"e^{{{a.text}}}", POWER)


def transposed(a: Text) -> Text:
    if a.text.endswith(r"^{\top}") and a.level == POWER:
        return atom(a.text.removesuffix(r"^{\top}"))
    return power(a, Text(r"\top", ATOM))


CLOSE = (r"\log\Gamma", r"\Gamma", r"\psi", r"\Phi", r"\log\Phi")
"""Functions whose symbol is a letter, which would look like a factor."""


def applied_to(function: str, a: Text) -> Text:
    """Return a function of something: without brackets where that is one symbol."""
    if a.level == ATOM and function not in CLOSE and not a.text.startswith(r"\lvert"):
        return Text(f"{function} {a.text}", APPLIED, is_open=True)
    return Text(rf"{function}\left( {a.text} \right)", POWER)


def summed(sign: str, indices: str, body: Text) -> Text:
    """Return a sum, product or maximum over an index."""
    return Text(rf"{sign}_{{{indices}}} {body.at(ENTRYWISE)}", APPLIED, is_open=True)


NAMED = {
    np.pi: r"\pi",
    1 / np.sqrt(2 * np.pi): r"\frac{1}{\sqrt{2 \pi}}",
    2 / np.sqrt(np.pi): r"\frac{2}{\sqrt{\pi}}",
    1 / np.log(2): r"\frac{1}{\log 2}",
    1 / np.log(10): r"\frac{1}{\log 10}",
    np.log(2 * np.pi): r"\log(2 \pi)",
    np.log(np.pi): r"\log \pi",
    np.log(2): r"\log 2",
    np.sqrt(2): r"\sqrt{2}",
    np.sqrt(np.pi): r"\sqrt{\pi}",
    np.sqrt(2 * np.pi): r"\sqrt{2 \pi}",
    np.e: "e",
}
"""Numbers that have names; fractions of them are fractions of the names."""


def figure(value: float, taken: Collection[str] = ()) -> Text:
    """Return a number: whole, a small fraction of whole ones or of one that has a name, or with all its digits.

    `taken` are names of the user's, which are no numbers.
    """
    value = float(value)
    if value < 0:
        return negative(figure(-value, taken))
    if value == np.inf:
        return atom(r"\infty")
    if value == int(value) and value < 1e15:
        return atom(str(int(value)))
    for name, symbol in ((1.0, ""), *NAMED.items()):
        if ("pi" in taken and "pi" in symbol) or ("e" in taken and symbol == "e"):
            continue
        part = Fraction(value / name).limit_denominator(64 if symbol else 100)
        if part and abs(float(part) * name - value) <= 4e-16 * value and part.numerator < 1000:
            if symbol and part == 1:
                return Text(symbol, APPLIED if symbol.startswith(r"\log") else ATOM, symbol.startswith(r"\log "))
            above = str(part.numerator) if not symbol or part.numerator != 1 else ""
            shown = f"{above} {symbol}".strip()
            return over(atom(shown), atom(str(part.denominator))) if part.denominator > 1 else Text(shown, PRODUCT)
    digits, mark, exponent = repr(value).partition("e")
    return Text(rf"{digits} \cdot 10^{{{int(exponent)}}}", PRODUCT) if mark else atom(digits)
