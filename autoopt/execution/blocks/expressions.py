"""Expressions of a printed function on samples: what they are, where their rows are, and how they read in a plan.

Each expression is evaluated for some of the rows, so that shapes and types need no rules; where the rows are in its
result says `alignment.py`. What is summed over rows becomes a name, which stands for the result of a pass.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

from autoopt.execution.blocks.alignment import Operation, contracted, indexed, outcome
from autoopt.execution.blocks.values import NotInBlocks, Value, free_level, level_of, without_positions
from autoopt.execution.native.lowering import OPERATORS

Term = tuple[Value, ast.expr]
"""A value, and how it reads."""


class Expressions:
    """The expressions of one function.

    Attributes
    ----------
    names : dict of str to str
        What names of the function are called in the plan.
    values : dict of str to Value
        By name in the plan.
    outside : dict
        The namespace of the function.
    rows : int
        How many rows are sampled.
    count : int
        How many there are.
    """

    names: dict[str, str]
    values: dict[str, Value]
    outside: dict[str, Any]
    rows: int
    count: int

    def hoisted(self, value: Value, node: ast.expr, stem: str) -> ast.Name:
        """Return the name of a statement of its own; `splitting.py` writes it."""
        raise NotImplementedError

    def term(self, node: ast.expr | None) -> Term:
        """Return what an expression is."""
        handler = getattr(self, f"of_{type(node).__name__}", None)
        if handler is None:
            raise NotInBlocks(f"the expression {ast.unparse(node) if node else ''}")
        return handler(node)

    def of_Constant(self, node: ast.Constant) -> Term:
        if type(node.value) is int and node.value == self.count:
            return Value(self.rows, is_count=True), ast.Name("rows", ast.Load())
        return Value(node.value), node

    def of_Name(self, node: ast.Name) -> Term:
        if node.id in self.names:
            name = self.names[node.id]
            return self.values[name], ast.Name(name, ast.Load())
        if node.id in self.outside:
            return Value(self.outside[node.id]), node
        builtin = {"range": range, "slice": slice, "float": float, "int": int, "bool": bool, "len": len, "abs": abs}
        if node.id not in builtin:
            raise NotInBlocks(f"the name {node.id}")
        return Value(builtin[node.id]), node

    def of_NamedExpr(self, node: ast.NamedExpr) -> Term:
        value, made = self.term(node.value)
        if not value.is_free:
            raise NotInBlocks("a name within an expression")
        return value, ast.NamedExpr(node.target, made)

    def of_Tuple(self, node: ast.Tuple | ast.List) -> Term:
        terms = [self.term(part) for part in node.elts]
        if any(isinstance(part, ast.Starred) for part in node.elts):
            raise NotInBlocks("operands that the values decide")
        parts = tuple(value for value, _ in terms)
        kind = tuple if isinstance(node, ast.Tuple) else list
        made = type(node)([part for _, part in terms], ast.Load())
        return Value(kind(part.sample for part in parts), level=free_level(parts), parts=parts), made

    of_List = of_Tuple

    def of_Slice(self, node: ast.Slice) -> Term:
        terms = [None if part is None else self.term(part) for part in (node.lower, node.upper, node.step)]
        if any(term is not None and term[0].is_count for term in terms):
            raise NotInBlocks("a part of the rows")
        parts = [Value(None) if term is None else term[0] for term in terms]
        if not all(part.is_free for part in parts):
            raise NotInBlocks("a slice that depends on the rows")
        made = ast.Slice(*(None if term is None else term[1] for term in terms))
        return Value(slice(*(part.sample for part in parts)), level=free_level(parts)), made

    def of_Attribute(self, node: ast.Attribute) -> Term:
        value, made = self.term(node.value)
        if isinstance(value.sample, ModuleType | type) or callable(value.sample):
            return Value(getattr(value.sample, node.attr)), ast.Attribute(made, node.attr, ast.Load())
        if value.is_free and not value.is_count:
            found = getattr(value.sample, node.attr)
            return Value(found, level=value.level), ast.Attribute(made, node.attr, ast.Load())
        if node.attr == "T":
            result = Value(value.sample.T, value.array.ndim - 1 - (value.axis or 0), value.level)
            return result, ast.Attribute(made, "T", ast.Load())
        if node.attr == "real":
            return value, made
        if node.attr == "shape":
            parts = tuple(Value(k, is_count=axis == value.axis) for axis, k in enumerate(value.array.shape))
            named = [ast.Name("rows", ast.Load()) if part.is_count else ast.Constant(part.sample) for part in parts]
            return Value(value.array.shape, parts=parts), ast.Tuple(list(named), ast.Load())
        raise NotInBlocks(f"the attribute {node.attr} of rows")

    def of_Subscript(self, node: ast.Subscript) -> Term:
        value, made = self.term(node.value)
        index, place = self.term(node.slice)
        without_positions([value] if value.axis is not None else [value, index])
        if value.parts is not None and isinstance(made, ast.Tuple | ast.List) and isinstance(index.sample, int):
            return value.parts[index.sample], made.elts[index.sample]
        if value.is_free and index.is_free:
            return self.computed(value.sample[index.sample], [value, index], ast.Subscript(made, place, ast.Load()))
        if value.parts is not None:
            return value.parts[index.sample], ast.Subscript(made, place, ast.Load())
        made, place = self.settled(value, made), self.settled(index, place)
        result = value.sample[index.sample]
        axis = indexed(value, index, result, self.rows)
        return Value(result, axis, level_of([value, index])), ast.Subscript(made, place, ast.Load())

    def of_BinOp(self, node: ast.BinOp) -> Term:
        left, right = self.term(node.left), self.term(node.right)
        return self.operated(node.op, [left, right], lambda one, other: ast.BinOp(one, node.op, other))

    def of_UnaryOp(self, node: ast.UnaryOp) -> Term:
        term = self.term(node.operand)
        if isinstance(node.op, ast.Not):
            if not term[0].is_free:
                raise NotInBlocks("not of rows")
            return self.computed(not term[0].sample, [term[0]], ast.UnaryOp(node.op, term[1]))
        return self.operated(node.op, [term], lambda one: ast.UnaryOp(node.op, one))

    def of_Compare(self, node: ast.Compare) -> Term:
        if len(node.ops) > 1:
            raise NotInBlocks("a chain of comparisons")
        if isinstance(node.ops[0], ast.Is | ast.IsNot | ast.In | ast.NotIn):
            raise NotInBlocks("a question of identity")
        terms = [self.term(node.left), self.term(node.comparators[0])]
        return self.operated(node.ops[0], terms, lambda one, other: ast.Compare(one, node.ops, [other]))

    def settle_outcome(self, how: int | str, result: Any, values: Sequence[Value], node: ast.expr) -> Term:
        """Return rows, or the name of the result of a pass."""
        level = level_of(values)
        if isinstance(how, int):
            return Value(result, how, level), node
        return self.reduced(how, result, level, node)

    def reduced(self, how: str, result: Any, level: int, node: ast.expr) -> Term:
        """Return the name of the result of a pass; `splitting.py` writes it."""
        raise NotImplementedError

    def operated(self, op: ast.AST, terms: list[Term], write: Callable[..., ast.expr]) -> Term:
        """Return what an operator makes of its operands."""
        values = [value for value, _ in terms]
        without_positions(values)
        function, python = OPERATORS[type(op)]
        result = python(*(value.sample for value in values))
        if all(value.is_free for value in values):
            return self.computed(result, values, write(*(node for _, node in terms)))
        operation = Operation(function, tuple(values), {}, result, self.rows)
        how = contracted(operation) if isinstance(op, ast.MatMult) else outcome(operation)
        return self.settle_outcome(how, result, values, write(*(self.settled(*term) for term in terms)))

    def computed(self, result: Any, values: Sequence[Value], node: ast.expr) -> Term:
        """Return what is computed of free values."""
        return Value(result, None, free_level(values)), node

    def settled(self, value: Value, node: ast.expr) -> ast.expr:
        """Return an operand as it reads beside rows: what is free is a name, computed once."""
        if value.parts is not None and isinstance(node, ast.Tuple | ast.List):
            parts = [self.settled(part, own) for part, own in zip(value.parts, node.elts, strict=True)]
            return type(node)(parts, ast.Load())
        if value.is_count:
            return self.hoisted(Value(self.count), node, "count")
        if not value.is_free or isinstance(value.sample, slice) or callable(value.sample):
            return node
        if isinstance(node, ast.Name) or not any(
            isinstance(part, ast.Name) and (part.id in self.values or part.id == "rows") for part in ast.walk(node)
        ):
            return node
        return self.hoisted(value, node, "outside")
