"""A printed module run with each operation counted, under the statement that does it.

Every operator is put into a call that knows its operands, and every call of a function from outside; views cost
nothing, and each round of a loop counts.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autoopt.inspection.modules import Module
from autoopt.inspection.operations import operations, size


@dataclass
class Tally:
    """What a run has done: operations and bytes by statement, and the functions whose operations are not known."""

    operations: Counter[int] = field(default_factory=Counter)
    bytes: Counter[int] = field(default_factory=Counter)
    unknown: set[str] = field(default_factory=set)
    statement: int = -1

    def begin(self) -> None:
        """Forget what has been counted."""
        self.operations, self.bytes, self.statement = Counter(), Counter(), -1

    def at(self, statement: int) -> None:
        """Begin a statement."""
        self.statement = statement

    def here(self) -> int:
        """Return which one has begun."""
        return self.statement

    def returned(self, statement: int, result: Any) -> Any:
        """Go on with a statement after a call, of which this is the result."""
        self.statement = statement
        return result

    def add(self, function: Any, operands: tuple, result: Any) -> None:
        """Count one call, if it is one on numbers."""
        values = [*operands, *(result if isinstance(result, tuple) else (result,))]
        if not any(map(_is_number, values)):
            return
        done = operations(function, operands, result)
        if done is None:
            self.unknown.add(getattr(function, "__name__", str(function)))
            done = size(result)
        self.operations[self.statement] += round(done)
        self.bytes[self.statement] += sum(map(_bytes, values))


def _is_number(value: Any) -> bool:
    return isinstance(value, np.ndarray | np.floating | float) or hasattr(value, "nnz")


def _bytes(value: Any) -> int:
    """Return the size of an array or a number in memory."""
    if isinstance(value, tuple | list):
        return sum(map(_bytes, value))
    if hasattr(value, "nnz"):
        return int(value.data.nbytes)
    return int(value.nbytes) if isinstance(value, np.ndarray | np.generic) else 8 * isinstance(value, float)


_BINARY: dict[type, Any] = {
    ast.Add: np.add, ast.Sub: np.subtract, ast.Mult: np.multiply, ast.Div: np.divide, ast.Pow: np.power,
    ast.MatMult: np.matmul, ast.Mod: np.remainder, ast.FloorDiv: np.floor_divide, ast.BitAnd: np.bitwise_and,
    ast.BitOr: np.bitwise_or, ast.BitXor: np.bitwise_xor, ast.Lt: np.less, ast.LtE: np.less_equal, ast.Gt: np.greater,
    ast.GtE: np.greater_equal, ast.Eq: np.equal, ast.NotEq: np.not_equal, ast.USub: np.negative,
    ast.Invert: np.invert,
}  # fmt: skip


class Wrapping(ast.NodeTransformer):
    """Puts `_counted(f, lambda a, b: a + b, a, b)` for `a + b`, and `_called(g, ...)` for the call of a `g`.

    Functions of the module's `own` are called as they are.
    """

    def __init__(self, own: set[str]) -> None:
        self.own = own

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        return _operation(node.op, ast.BinOp(_name("_a"), node.op, _name("_b")), [node.left, node.right])

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        self.generic_visit(node)
        if type(node.op) not in _BINARY or isinstance(node.operand, ast.Constant):
            return node
        return _operation(node.op, ast.UnaryOp(node.op, _name("_a")), [node.operand])

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        self.generic_visit(node)
        if len(node.ops) > 1 or type(node.ops[0]) not in _BINARY:
            return node
        return _operation(
            node.ops[0], ast.Compare(_name("_a"), node.ops, [_name("_b")]), [node.left, *node.comparators]
        )

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        self.generic_visit(node)
        if not isinstance(node.ctx, ast.Load):
            return node
        return ast.Call(_name("_read"), [node.value, _index(node.slice)], [])

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST:
        target = ast.parse(ast.unparse(node.target), mode="eval").body
        self.generic_visit(node)
        given = ast.Call(_name("_augmented"), [_name(_ufunc(node.op)), target, node.value], [])
        return ast.AugAssign(node.target, node.op, given)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        name = getattr(node.func, "id", "")
        if name in self.own or name.startswith("_"):
            return node
        return ast.Call(_name("_called"), [node.func, *node.args], node.keywords)


def _name(name: str) -> ast.Name:
    return ast.Name(name, ast.Load())


def _ufunc(operator: ast.AST) -> str:
    return f"_{type(operator).__name__}"


def _index(node: ast.AST) -> Any:
    """Return an index as an expression of its own: slices are `slice(...)`."""
    if isinstance(node, ast.Slice):
        parts: list[Any] = [part or ast.Constant(None) for part in (node.lower, node.upper, node.step)]
        return ast.Call(_name("_slice"), parts, [])
    return ast.Tuple([_index(part) for part in node.elts], ast.Load()) if isinstance(node, ast.Tuple) else node


def _operation(operator: ast.AST, body: ast.expr, operands: list[Any]) -> ast.Call:
    names = [ast.arg("_a"), ast.arg("_b")][: len(operands)]
    arguments = ast.arguments(posonlyargs=[], args=names, kwonlyargs=[], kw_defaults=[], defaults=[])
    return ast.Call(_name("_counted"), [_name(_ufunc(operator)), ast.Lambda(arguments, body), *operands], [])


Told = Callable[[Any, tuple, Mapping[str, Any], Any], None]
"""(function, operands, options, result) of one call -> None."""


def executed(tree: ast.Module, told: Told, names: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the namespace of a wrapped module, with `names`, whose operators and calls tell what they do."""

    def counted(ufunc: Any, function: Callable, *operands: Any) -> Any:
        result = function(*operands)
        told(ufunc, operands, {}, result)
        return result

    def called(function: Callable, *args: Any, **options: Any) -> Any:
        result = function(*args, **options)
        owner = getattr(function, "__self__", None)
        operands = (owner, *args) if isinstance(owner, np.ndarray | np.generic) or hasattr(owner, "nnz") else args
        if "out" in options or not _is_view(result, operands):
            told(function, operands, options, result)
        return result

    def read(array: Any, index: Any) -> Any:
        part = array[index]
        if isinstance(part, np.ndarray) and not _is_view(part, (array,)):
            told(np.take, (part, *index) if isinstance(index, tuple) else (part, index), {}, part)
        return part

    def augmented(ufunc: Any, target: Any, value: Any) -> Any:
        told(ufunc, (target, value), {}, target)
        return value

    namespace: dict[str, Any] = {_ufunc(kind()): ufunc for kind, ufunc in _BINARY.items()}
    namespace |= {"_counted": counted, "_called": called, "_read": read, "_augmented": augmented, "_slice": slice}
    namespace |= {"__name__": "autoopt_derivatives", **(names or {})}
    exec(compile(ast.fix_missing_locations(tree), "<counted>", "exec"), namespace)
    return namespace


def counting(module: Module) -> tuple[dict[str, Any], Tally]:
    """Return the namespace of a module whose functions count what they do, and where they count it."""
    tally = Tally()

    def told(function: Any, operands: tuple, options: Mapping[str, Any], result: Any) -> None:
        tally.add(function, operands, result)

    marks = {"_at": tally.at, "_here": tally.here, "_returned": tally.returned}
    return executed(Wrapping(module.functions).visit(module.marked()), told, marks), tally


def _is_view(result: Any, operands: tuple) -> bool:
    arrays = [operand for operand in operands if isinstance(operand, np.ndarray)]
    return isinstance(result, np.ndarray) and any(np.may_share_memory(result, array) for array in arrays)
