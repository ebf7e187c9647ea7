"""Python expressions as text that know how tightly they bind, so that only necessary parentheses are written."""

from __future__ import annotations

import re
from dataclasses import dataclass

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


def infix(operator: str, level: int, left: Code, right: Code) -> Code:
    """Return `left operator right` of a left-associative operator."""
    chains = level not in (COMPARISON, MATMUL)
    inner = UNARY if level == MATMUL else level + 1
    return Code(f"{left.at(level if chains else inner)} {operator} {right.at(inner)}", level)


def negative(operand: Code) -> Code:
    """Return `-operand`."""
    return Code(f"-{operand.at(UNARY)}", UNARY, operand)


def plus(left: Code, right: Code) -> Code:
    """Return `left + right`, as a difference if `right` begins with a minus that can be taken out."""
    if not starts_negative(right):
        return infix("+", SUM, left, right)
    return infix("-", SUM, left, right.negated or Code(right.text[1:], right.level))


def starts_negative(code: Code) -> bool:
    """True if `code` is a negation, or a product whose first factor is a negative number."""
    number = re.match(r"-\d", code.text) and code.level > SUM and not re.search("%|//", code.text)
    return code.negated is not None or bool(number)


def call(function: str, *arguments: object) -> Code:
    """Return `function(arguments)`."""
    return Code(f"{function}({', '.join(str(argument) for argument in arguments)})")


def dtype_text(dtype: str) -> str:
    """Return how a dtype is written."""
    return "bool" if dtype == "bool" else f"np.{dtype}"


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
