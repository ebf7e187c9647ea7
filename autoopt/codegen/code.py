"""Python expressions as text that know how tightly they bind, so that only necessary parentheses are written."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from autoopt.tape.digest import has_negative_zeros
from autoopt.tape.skeleton import NUMBER, read_number

TERNARY, COMPARISON, OR, XOR, AND, SUM, MATMUL, PRODUCT, UNARY, POWER, ATOM = range(11)


@dataclass(frozen=True)
class Code:
    """An expression; `f"{code}"` is its text, `f"{code:.}"` the same fit to stand before a dot, a bracket or a `**`."""

    text: str
    level: int = ATOM
    negated: Code | None = None

    def __str__(self) -> str:
        return self.text

    def __format__(self, spec: str) -> str:
        return self.at(ATOM) if spec == "." else self.text

    def at(self, level: int) -> str:
        """The text, in parentheses unless it binds at least as tightly as `level`."""
        return self.text if self.level >= level else f"({self.text})"

    @property
    def is_name(self) -> bool:
        """True for a bare name."""
        return self.text.isidentifier()

    @property
    def is_simple(self) -> bool:
        """True for a name or a number, which cost nothing to repeat."""
        return self.is_name or re.fullmatch(r"-?\d[\d.e+-]*", self.text) is not None


@functools.lru_cache(4096)
def columns(text: str) -> int:
    """Return how wide an expression is, by which it is laid out: one width for all but the smallest numbers.

    So the layout is the same for 1000 rows and for 1013, though 0.001 is shorter than 0.0009871668311944718.
    """
    return len(NUMBER.sub(_widened, text))


def _widened(found: re.Match) -> str:
    number = read_number(found[0])
    return found[0] if number <= 4 and number * 4 == int(number * 4) else "0" * (4 if isinstance(number, int) else 10)


def infix(operator: str, level: int, left: Code, right: Code) -> Code:
    """Return `left operator right` of a left-associative operator."""
    chains = level not in (COMPARISON, MATMUL)
    inner = UNARY if level == MATMUL else level + 1
    return Code(f"{left.at(level if chains else inner)} {operator} {right.at(inner)}", level)


def negative(operand: Code) -> Code:
    """Return `-operand`; what begins with a minus that can be taken out, without it."""
    if starts_negative(operand):
        return operand.negated or Code(operand.text[1:], operand.level)
    return Code(f"-{operand.at(UNARY)}", UNARY, operand)


def product(factors: Sequence[Code]) -> Code:
    """Return the product of factors, their signs as one in front of it: `-0.5 * n` of 0.5 and -(1.0 * n)."""
    signed = [factor.negated is not None or re.fullmatch(f"-{_NUMBER.pattern}", factor.text) for factor in factors]
    plain = [negative(factor) if minus else factor for factor, minus in zip(factors, signed, strict=True)]
    minus = sum(map(bool, signed)) % 2
    if len(plain) == 2 and _NUMBER.fullmatch(plain[0].text) and plain[1].text.startswith("1.0 * "):
        plain[1] = expression(plain[1].text.removeprefix("1.0 * "))
    if minus and _NUMBER.fullmatch(plain[0].text):
        plain[0] = negative(plain[0])
        minus = 0
    whole = plain[0]
    for factor in plain[1:]:
        whole = infix("*", PRODUCT, whole, factor)
    return negative(whole) if minus else whole


_NUMBER = re.compile(r"\d+\.[\d.e+-]*")


def power(base: Code, exponent: Code) -> Code:
    """Return `base ** exponent`, without spaces where both are names or numbers."""
    simple = all(_SIMPLE.fullmatch(code.at(ATOM)) for code in (base, exponent))
    return Code(f"{base:.}{'**' if simple else ' ** '}{exponent:.}", POWER)


_SIMPLE = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*|[\d.]+(e[+-]?\d+)?")


def plus(left: Code, right: Code) -> Code:
    """Return `left + right`, as a difference if `right` begins with a minus that can be taken out."""
    if not starts_negative(right):
        return infix("+", SUM, left, right)
    return infix("-", SUM, left, right.negated or Code(right.text[1:], right.level))


def increment(target: str, amount: Code) -> str:
    """Return `target += amount`, with `-=` if the amount begins with a minus that can be taken out."""
    return f"{target} -= {negative(amount)}" if starts_negative(amount) else f"{target} += {amount}"


def starts_negative(code: Code) -> bool:
    """True if `code` is a negation, or a product whose first factor is one, so that the rest is its negative."""
    begins = code.text.startswith("-") and code.level > SUM and not re.search("%|//", code.text)
    return code.negated is not None or begins


def call(function: str, *arguments: object) -> Code:
    """Return `function(arguments)`."""
    return Code(f"{function}({', '.join(str(argument) for argument in arguments)})")


_TRANSPOSED = re.compile(r"(.*)\.transpose\(([\d, ]+)\)", re.DOTALL)


def transposed(code: Code, order: Sequence[int]) -> Code:
    """Return an array with its axes in another order; one that already is a transpose is transposed once."""
    found = _TRANSPOSED.fullmatch(code.text)
    if found and code.level == ATOM and balanced(found[1]):
        inner = [int(axis) for axis in found[2].split(",")]
        if len(inner) == len(order):
            code, order = Code(found[1]), [inner[axis] for axis in order]
    if list(order) == sorted(order):
        return code
    if list(order) == sorted(order, reverse=True):
        return Code(f"{code:.}.T")
    return Code(f"{code:.}.transpose({', '.join(map(str, order))})")


def balanced(text: str) -> bool:
    """Whether a text has as many closing brackets as opening ones, each after its own."""
    depth = 0
    for letter in text:
        depth += (letter in "([{") - (letter in ")]}")
        if depth < 0:
            return False
    return not depth


def dtype_text(dtype: str) -> str:
    """Return how a dtype is written."""
    return "bool" if dtype == "bool" else f"np.{dtype}"


_LEVELS: dict[type, int] = {
    ast.Add: SUM,
    ast.Sub: SUM,
    ast.MatMult: MATMUL,
    ast.Mult: PRODUCT,
    ast.Div: PRODUCT,
    ast.Pow: POWER,
}


def expression(text: str) -> Code:
    """Return the text of a call, of arithmetic, or of both as an expression that knows how tightly it binds."""
    node = ast.parse(text, mode="eval").body
    if isinstance(node, ast.BinOp):
        return Code(text, _LEVELS[type(node.op)])
    return Code(text, UNARY if isinstance(node, ast.UnaryOp) else ATOM)


def sequence(items: list[str]) -> str:
    """Return the text of a tuple of `items`."""
    return f"({items[0]},)" if len(items) == 1 else f"({', '.join(items)})"


def literal(value: object) -> Code:
    """Return the Python number (or NumPy constant) equal to the scalar `value`."""
    number = value.item() if hasattr(value, "item") else value
    if isinstance(number, float) and (number != number or number in (float("inf"), float("-inf"))):
        return Code("np.nan") if number != number else Code("np.inf") if number > 0 else Code("-np.inf", UNARY)
    text = repr(number)
    return Code(text, UNARY if text.startswith("-") else ATOM)


SHORT = 16


LISTED = 3
"""Up to this many whole numbers that count up are written one by one."""


def array_text(value: np.ndarray) -> str | None:
    """Return the expression that makes a constant array: a display, np.full or np.arange; None if none is short."""
    flat, dtype = value.ravel(), _dtype_argument(value.dtype)
    if value.size == 0:
        return f"np.zeros({value.shape!r}{dtype})"
    if value.size > 1 and (flat == flat[0]).all() and (flat[0] != 0 or not has_negative_zeros(flat)):
        shape = sequence([str(length) for length in value.shape])
        return f"np.full({shape}, {literal(flat[0])}{dtype})" if flat[0] != 0 else f"np.zeros({shape}{dtype})"
    side = round(value.size**0.5)
    floats = value.ndim > 1 and value.dtype == np.float64 and side > 2
    if floats and side**2 == value.size and np.array_equal(flat, (flat[0] * np.eye(side)).ravel()):
        factor = "" if flat[0] == 1 else f"{literal(flat[0])} * "
        shape = "" if value.shape == (side, side) else f".reshape{sequence([str(length) for length in value.shape])}"
        return f"{factor}np.eye({side}){shape}"
    if value.ndim == 1 and value.dtype == np.int64 and value.size > LISTED:
        start, step = int(flat[0]), int(flat[1] - flat[0])
        stop = start + step * value.size
        if step and np.array_equal(flat, np.arange(start, stop, step)):
            bounds = [stop] if (start, step) == (0, 1) else [start, stop] if step == 1 else [start, stop, step]
            return f"np.arange({', '.join(map(str, bounds))})"
    if value.size <= SHORT:
        items = re.sub(r"\binf\b", "np.inf", re.sub(r"\bnan\b", "np.nan", repr(value.tolist())))
        return f"np.array({items}{'' if value.dtype == np.int64 else dtype})"
    return None


def _dtype_argument(dtype: np.dtype) -> str:
    """Return the dtype argument of a constructor, empty for float64."""
    return "" if dtype == np.float64 else ", dtype=bool" if dtype.kind == "b" else f", dtype=np.{dtype.name}"


def in_docstring(text: str) -> str:
    """Return a text for a docstring: keys of dicts and names of files may hold quotes and backslashes."""
    safe = (c if c == "\n" or (c.isprintable() and c != "\\") else c.encode("unicode_escape").decode() for c in text)
    return re.sub('"(?="|$)', r'\\"', "".join(safe))
