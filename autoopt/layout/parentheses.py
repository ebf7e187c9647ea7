"""When an expression of several lines gets parentheses for them, and when its own brackets are broken instead."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from autoopt.layout.source import Source, binding

DISPLAYS = (ast.Dict, ast.List, ast.Set, ast.ListComp, ast.SetComp, ast.DictComp)


def need(source: Source, node: ast.expr) -> str:
    """Return when an expression needs parentheses to stand on several lines."""
    match node:
        case ast.Attribute(value=inner) | ast.Subscript(value=inner) | ast.Call(func=inner):
            if is_chain(source, node):
                return "broken"
            needed = "never" if source.is_enclosed(inner) else need(source, inner)
            bracketed = not isinstance(node, ast.Attribute)
            return "never" if bracketed and needed == "if it fits" else needed
        case ast.UnaryOp(operand=inner):
            return "never" if source.is_enclosed(inner) else need(source, inner)
        case ast.BinOp() | ast.BoolOp() | ast.Compare() | ast.IfExp() | ast.Lambda() | ast.NamedExpr():
            return "broken"
        case ast.Name() | ast.Constant() | ast.JoinedStr():
            return "if it fits"
    return "never"


def may_do_without(source: Source, node: ast.expr) -> bool:
    """Whether the brackets in an expression are rather broken than parentheses put around it."""
    walk = _Walk(source)
    walk.into(node)
    if not walk.any_brackets or walk.count > 1:
        return False
    if walk.loosest <= 0:
        return True
    ends = [end for end in (walk.first, walk.last) if end is not None]
    return any(not isinstance(end, ast.Subscript) and has_brackets(source, end) for end in ends)


def has_brackets(source: Source, node: ast.expr) -> bool:
    """Whether an expression is something between brackets, its own or others around it."""
    own = isinstance(node, DISPLAYS) or (isinstance(node, ast.Tuple) and not source.is_bare(node))
    filled = isinstance(node, ast.Call) and bool(node.args or node.keywords)
    return own or filled or isinstance(node, ast.GeneratorExp) or source.is_enclosed(node)


def is_chain(source: Source, node: ast.expr) -> bool:
    """Whether attributes are taken of two results of calls or more in turn, so that the dots begin lines."""
    count = 0
    while isinstance(node, ast.Attribute | ast.Call | ast.Subscript):
        inner = node.func if isinstance(node, ast.Call) else node.value
        if source.is_enclosed(inner):
            count += isinstance(node, ast.Attribute)
            break
        count += isinstance(node, ast.Attribute) and isinstance(inner, ast.Call | ast.Subscript)
        node = inner
    return count > 1


class _Walk:
    """What decides whether an expression does without parentheses: its loosest operators, first and last parts."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.loosest, self.count = -1, 0  # 0 is that of attributes of what is in brackets
        self.any_brackets = False
        self.first: ast.expr | None = None
        self.last: ast.expr | None = None
        self.begun = False

    def over(self, node: ast.expr) -> None:
        """Take in a part."""
        self.last = node
        if self.source.is_enclosed(node):
            self.any_brackets = True
        else:
            self.into(node)
        if not self.begun:
            self.begun, self.first = True, node

    def met(self, level: int, count: int = 1) -> None:
        if level > self.loosest:
            self.loosest, self.count = level, 0
        self.count += count if level == self.loosest else 0

    def into(self, node: ast.expr) -> None:
        """Take in the parts of an expression."""
        match node:
            case ast.Call(func=inner) | ast.Subscript(value=inner):
                self.any_brackets = True
                self.over(inner)
                self.last = node
            case ast.Attribute(value=inner):
                self.over(inner)
                if self.source.is_enclosed(inner) or isinstance(inner, (*DISPLAYS, ast.Call, ast.Subscript)):
                    self.met(0)
                self.last = node
            case ast.BoolOp(op=op, values=parts):
                self.met(binding(op), len(parts) - 1)
                self.each(parts)
            case ast.Compare(left=left, ops=ops, comparators=others):
                self.met(binding(ops[0]), len(ops))
                self.each([left, *others])
            case ast.BinOp(left=left, op=op, right=right):
                self.met(binding(op))
                self.each([left, right])
            case ast.IfExp(test=test, body=body, orelse=orelse):
                self.met(binding(node), 2)
                self.each([body, test, orelse])
            case ast.UnaryOp(op=op, operand=inner):
                if isinstance(op, ast.Invert):
                    self.met(binding(op))
                self.begun = True
                self.over(inner)
            case ast.Lambda(body=inner) | ast.Starred(value=inner):
                self.begun = True
                self.over(inner)
            case ast.Tuple() if self.source.is_bare(node):
                self.each(node.elts)
            case ast.NamedExpr(target=target, value=inner):
                self.each([target, inner])
            case _:
                self.any_brackets |= isinstance(node, (*DISPLAYS, ast.Tuple, ast.GeneratorExp))

    def each(self, parts: Sequence[ast.expr]) -> None:
        for part in parts:
            self.over(part)
