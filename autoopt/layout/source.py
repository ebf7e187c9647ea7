"""The text of a statement beside its syntax tree: which parentheses stand there, how operators are written and bind."""

from __future__ import annotations

import ast
import itertools
from dataclasses import dataclass

_BINDING: tuple[tuple[type[ast.AST], ...], ...] = (
    (ast.Pow,),
    (ast.Invert,),
    (ast.Mult, ast.MatMult, ast.Div, ast.Mod, ast.FloorDiv),
    (ast.Add, ast.Sub),
    (ast.LShift, ast.RShift),
    (ast.BitAnd,),
    (ast.BitXor,),
    (ast.BitOr,),
    (ast.cmpop,),
    (ast.boolop,),
    (ast.IfExp,),
)
"""Operators, those that bind most tightly first."""

_SIGNS: dict[type[ast.AST], str] = {
    ast.Pow: "**",
    ast.Mult: "*",
    ast.MatMult: "@",
    ast.Div: "/",
    ast.Mod: "%",
    ast.FloorDiv: "//",
    ast.Add: "+",
    ast.Sub: "-",
    ast.LShift: "<<",
    ast.RShift: ">>",
    ast.BitAnd: "&",
    ast.BitXor: "^",
    ast.BitOr: "|",
    ast.And: "and",
    ast.Or: "or",
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Is: "is",
    ast.IsNot: "is not",
    ast.In: "in",
    ast.NotIn: "not in",
    ast.Invert: "~",
    ast.Not: "not ",
    ast.UAdd: "+",
    ast.USub: "-",
}


def operator_sign(operator: ast.AST) -> str:
    """Return how an operator is written."""
    return _SIGNS[type(operator)]


def binding(operator: ast.AST) -> int:
    """Return how loosely an operator binds."""
    return next(level for level, kinds in enumerate(_BINDING, 1) if isinstance(operator, kinds))


class Unknown(Exception):
    """The text has something in it that no document is written for: it stays as it is."""


@dataclass(frozen=True)
class Source:
    """A statement as text, of which the nodes of its syntax tree know their places."""

    text: bytes
    starts: tuple[int, ...]

    @classmethod
    def of(cls, text: str) -> Source:
        """Return the source of a text."""
        lines = text.encode().split(b"\n")
        return cls(text.encode(), tuple(itertools.accumulate((len(line) + 1 for line in lines), initial=0)))

    def span(self, node: ast.AST) -> tuple[int, int]:
        """Return where a node begins and ends."""
        begin = self.starts[node.lineno - 1] + node.col_offset  # type: ignore[attr-defined]
        return begin, self.starts[node.end_lineno - 1] + node.end_col_offset  # type: ignore[attr-defined]

    def segment(self, node: ast.AST) -> str:
        """Return the text of a node."""
        begin, end = self.span(node)
        return self.text[begin:end].decode()

    def is_enclosed(self, node: ast.AST) -> bool:
        """Whether a node that is not the only argument of a call stands in parentheses."""
        begin, end = self.span(node)
        return self.text[end:].lstrip().startswith(b")") and self.text[:begin].rstrip().endswith(b"(")

    def is_enclosed_argument(self, node: ast.AST, call: ast.AST) -> bool:
        """Whether the only argument of a call stands in parentheses of its own."""
        end = self.span(node)[1]
        return self.text[end : self.span(call)[1]].count(b")") > 1

    def is_bare(self, node: ast.Tuple) -> bool:
        """Whether a tuple has no parentheses."""
        begin, _ = self.span(node)
        return not node.elts or self.text[begin : begin + 1] != b"(" or self.span(node.elts[0])[0] == begin


def is_plain(node: ast.expr) -> bool:
    """Whether a bound of a slice needs no spaces around the colon."""
    if isinstance(node, ast.UnaryOp):
        return is_plain(node.operand)
    return isinstance(node, ast.Name | ast.Constant)


def is_simple(node: ast.expr) -> bool:
    """Whether a power of it is written without spaces."""
    if isinstance(node, ast.UnaryOp) and not isinstance(node.op, ast.Not):
        return is_simple(node.operand)
    if isinstance(node, ast.Attribute):
        return is_simple(node.value)
    return isinstance(node, ast.Name) or (isinstance(node, ast.Constant) and not isinstance(node.value, str | bytes))
