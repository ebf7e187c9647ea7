"""Expressions of pandas, `frame.eval("a*b + @c")` and `frame.query(...)`, as Python's own on stand-ins for columns."""

from __future__ import annotations

import ast
import io
import tokenize
from types import FrameType
from typing import Any

import numpy as np

_LOCAL = "__local_"
_FUNCTIONS = (
    "sin", "cos", "exp", "log", "expm1", "log1p", "sqrt", "sinh", "cosh", "tanh", "arcsin", "arccos", "arctan",
    "arccosh", "arcsinh", "arctanh", "abs", "log10", "floor", "ceil", "arctan2",
)  # fmt: skip


def evaluated(table: Any, text: str, frame: FrameType, options: dict) -> Any:
    """Return the value of an expression of a table's columns; `@name` is looked up in `frame`.

    What involves data alone, and no `@`, is left to pandas.
    """
    if "@" not in text and not table._follows:
        return table._frames.wrap(table._original.eval(text, **table._frames.plain(options)))
    if options or "`" in text or "\n" in text.strip():
        raise table._frames.refusal(".eval of these lines, or with options")
    tree = ast.parse(_pythons(text), mode="exec")
    statement = tree.body[0]
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        return table.assign(**{statement.targets[0].id: _value(table, statement.value, frame)})
    if not isinstance(statement, ast.Expr):
        raise table._frames.refusal(".eval of this line")
    return _value(table, statement.value, frame)


def _pythons(text: str) -> str:
    """Return the text with `@name` as a name, and `&` and `|`, which bind as `and` and `or` there, as these."""
    words = []
    for token in tokenize.generate_tokens(io.StringIO(text.strip()).readline):
        words.append({"@": _LOCAL, "&": " and ", "|": " or ", "~": " not "}.get(token.string, token.string + " "))
    return "".join(words).strip()


def _value(table: Any, node: ast.expr, frame: FrameType) -> Any:
    names: dict[str, Any] = {}
    for part in ast.walk(node):
        if isinstance(part, ast.Name):
            names[part.id] = _named(table, part.id, frame)
    made = ast.fix_missing_locations(ast.Expression(_Elementwise().visit(node)))
    return eval(compile(made, "<eval>", "eval"), {"__builtins__": {}, "_in": _is_in}, names)


def _named(table: Any, name: str, frame: FrameType) -> Any:
    """Return what a name in an expression stands for."""
    if name.startswith(_LOCAL):
        own = name.removeprefix(_LOCAL)
        return frame.f_locals[own] if own in frame.f_locals else frame.f_globals[own]
    if name in table:
        return table[name]
    if name == "index":
        return table.index
    if name in _FUNCTIONS:
        return getattr(np, name)
    return frame.f_locals[name] if name in frame.f_locals else frame.f_globals[name]


def _is_in(column: Any, values: Any) -> Any:
    return column.isin(values)


class _Elementwise(ast.NodeTransformer):
    """Turns `and`, `or`, `not` and chained comparisons into operators that go by the entry."""

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.expr:
        self.generic_visit(node)
        join = ast.BitAnd() if isinstance(node.op, ast.And) else ast.BitOr()
        made = node.values[0]
        for value in node.values[1:]:
            made = ast.BinOp(made, join, value)
        return made

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.expr:
        self.generic_visit(node)
        return ast.UnaryOp(ast.Invert(), node.operand) if isinstance(node.op, ast.Not) else node

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        self.generic_visit(node)
        left, made = node.left, None
        for compare, right in zip(node.ops, node.comparators, strict=True):
            if isinstance(compare, ast.In | ast.NotIn):
                one: ast.expr = ast.Call(ast.Name("_in", ast.Load()), [left, right], [])
                one = ast.UnaryOp(ast.Invert(), one) if isinstance(compare, ast.NotIn) else one
            else:
                one = ast.Compare(left, [compare], [right])
            made, left = one if made is None else ast.BinOp(made, ast.BitAnd(), one), right
        return made
