"""How many NumPy operations a text of NumPy code does, and how many elements they read and write.

The text is run with every operator, and every call of a function from outside, wrapped: what takes or gives arrays or
their numbers is counted, with the sizes of what it takes and gives. Views and single entries are free; each round of a
loop counts.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass
class Counts:
    """What a run has done so far."""

    operations: int = 0
    elements: int = 0

    def add(self, operands: tuple, result: Any) -> None:
        """Count one operation, if it is one on arrays or on their numbers."""
        sizes = [np.size(value) for value in (*operands, result) if isinstance(value, np.ndarray | np.generic)]
        self.operations += bool(sizes)
        self.elements += sum(sizes)


def _is_view(result: Any, operands: tuple) -> bool:
    arrays = [operand for operand in operands if isinstance(operand, np.ndarray)]
    return isinstance(result, np.ndarray) and any(np.may_share_memory(result, array) for array in arrays)


class _Wrapping(ast.NodeTransformer):
    """Puts `_counted(lambda a, b: a + b, a, b)` for `a + b`, and `_called(f, ...)` for the call of an `f`."""

    def __init__(self, own: set[str]) -> None:
        self.own = own

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        return _operation(ast.BinOp(_name("a"), node.op, _name("b")), [node.left, node.right])

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        self.generic_visit(node)
        return node if isinstance(node.op, ast.Not) else _operation(ast.UnaryOp(node.op, _name("a")), [node.operand])

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        self.generic_visit(node)
        if len(node.ops) > 1:
            return node
        return _operation(ast.Compare(_name("a"), node.ops, [_name("b")]), [node.left, *node.comparators])

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        self.generic_visit(node)
        if not isinstance(node.ctx, ast.Load):
            return node
        return ast.Call(_name("_read"), [node.value, _index(node.slice)], [])

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST:
        target = ast.parse(ast.unparse(node.target), mode="eval").body
        self.generic_visit(node)
        return ast.AugAssign(node.target, node.op, ast.Call(_name("_augmenting"), [target, node.value], []))

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.func, ast.Name) and node.func.id in self.own:
            return node
        return ast.Call(_name("_called"), [node.func, *node.args], node.keywords)


def _name(name: str) -> ast.Name:
    return ast.Name(name, ast.Load())


def _index(node: ast.AST) -> ast.AST:
    """Return an index as an expression of its own: slices are `slice(...)`."""
    if isinstance(node, ast.Slice):
        parts = [part or ast.Constant(None) for part in (node.lower, node.upper, node.step)]
        return ast.Call(_name("slice"), parts, [])
    return ast.Tuple([_index(part) for part in node.elts], ast.Load()) if isinstance(node, ast.Tuple) else node


def _operation(body: ast.expr, operands: list) -> ast.Call:
    names = [ast.arg("a"), ast.arg("b")][: len(operands)]
    arguments = ast.arguments(posonlyargs=[], args=names, kwonlyargs=[], kw_defaults=[], defaults=[])
    return ast.Call(_name("_counted"), [ast.Lambda(arguments, body), *operands], [])


def counted(text: str, call: Callable[[dict], Any]) -> Counts:
    """Return what `call(namespace)` counts in the namespace of the module `text`."""
    counts = Counts()

    def operation(function: Callable, *operands: Any) -> Any:
        result = function(*operands)
        counts.add(operands, result)
        return result

    def called(function: Callable, *args: Any, **kwargs: Any) -> Any:
        result = function(*args, **kwargs)
        operands = (getattr(function, "__self__", None), *args, *kwargs.values())
        if "out" in kwargs or not _is_view(result, operands):
            counts.add(operands, result)
        return result

    def read(array: Any, index: Any) -> Any:
        part = array[index]
        if isinstance(part, np.ndarray) and not _is_view(part, (array,)):
            counts.add((part, *index) if isinstance(index, tuple) else (part, index), part)
        return part

    def augmenting(target: Any, value: Any) -> Any:
        counts.add((target, value), target)
        return value

    tree = ast.parse(text)
    own = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    tree.body = [
        _Wrapping(own).visit(node) if isinstance(node, ast.FunctionDef) else node
        for node in tree.body
        if not isinstance(node, ast.If)
    ]
    namespace: dict = {"_counted": operation, "_called": called, "_read": read, "_augmenting": augmenting}
    exec(compile(ast.fix_missing_locations(tree), "<counted>", "exec"), namespace)
    call(namespace)
    return counts
