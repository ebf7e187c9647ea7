"""The text of a printed function to code: an interpreter of Python whose arrays emit instructions.

    def f(x, b):                       x: 3 doubles at %h0, b: a number
        y = np.exp(x) * b              loop4:  %v9 = getelementptr double, ptr %h0, i64 %v8        x[i], i in %v8
        return y.sum()                         %v11 = call double @exp(double %v10)
                                               %v12 = fmul double %v11, %v2                        times b
                                               %v13 = getelementptr double, ptr %a3, i64 %v8
                                               store double %v12, ptr %v13                         y[i]
                                               br i1 %v16, label %loop4, label %done4
                                       loop19: %v28 = fadd double %v25, %v27                       the sum

The interpreter runs the function once, with values of two sorts. What depends on shapes and constants alone is Python's
own and computed there and then: lengths, indices, `len(X) - 1`. The others are `Number`s, registers, and `Array`s, of
known shape, whose `at(places)` emits what an entry is. An array that is an expression, as np.exp(x) above, has no
memory: it is computed where it is read, so one statement becomes one loop. It gets memory when it gets a name, or would
be read again and again; not if the name is read once, by a statement beside that (`uses`), or takes less time to
compute than to read, and what it is computed from is not written into before (`Names.settle`). So a chain of statements
becomes one loop, too, and so do the statements that write into a new array (`pieces`). `for` statements over ranges
stay loops, in which numbers that are set lie in memory.

Two things hold throughout. An array is never read after something has been written to the memory that its expression
reads: what is written into is settled first (`indexing.write`). And what is not known here raises `NotLowered` before
anything has run, so that the text runs as it is. Why text, and not the graph: it is what can be read, what is kept in
the cache, and what the results are compared with before machine code is used.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Sequence
from types import FunctionType
from typing import Any

import numpy as np

from autoopt.execution.native.arrays import (
    Array,
    Layout,
    NotLowered,
    Number,
    fill,
    is_dense,
    is_moving,
    is_read_by,
    lift,
    row_major,
    stored,
    view,
)
from autoopt.execution.native.calls import METHODS, attribute, invoke, is_traced
from autoopt.execution.native.code import Code, Memory, product, text_of
from autoopt.execution.native.counters import Range, moved, moving_range, written_into
from autoopt.execution.native.elementwise import apply
from autoopt.execution.native.indexing import add_into, read, write
from autoopt.execution.native.interface import Lowered, Operand
from autoopt.execution.native.names import Names
from autoopt.execution.native.products import matmul
from autoopt.execution.native.uses import uses_of

OPERATORS: dict[type, tuple[Any, Callable]] = {
    ast.Add: (np.add, operator.add), ast.Sub: (np.subtract, operator.sub), ast.Mult: (np.multiply, operator.mul),
    ast.Div: (np.true_divide, operator.truediv), ast.Pow: (np.power, operator.pow),
    ast.MatMult: (np.matmul, operator.matmul), ast.BitAnd: (np.bitwise_and, operator.and_),
    ast.BitOr: (np.bitwise_or, operator.or_), ast.BitXor: (np.bitwise_xor, operator.xor),
    ast.FloorDiv: (np.floor_divide, operator.floordiv), ast.Mod: (np.remainder, operator.mod),
    ast.Lt: (np.less, operator.lt), ast.LtE: (np.less_equal, operator.le), ast.Gt: (np.greater, operator.gt),
    ast.GtE: (np.greater_equal, operator.ge), ast.Eq: (np.equal, operator.eq), ast.NotEq: (np.not_equal, operator.ne),
    ast.USub: (np.negative, operator.neg), ast.UAdd: (np.positive, operator.pos), ast.Invert: (np.invert, operator.inv),
}  # fmt: skip


def lower(
    function: FunctionType, source: Callable[[FunctionType], ast.FunctionDef], operands: Sequence[Operand]
) -> Lowered:
    """Return a printed function as code for operands of these kinds and shapes.

    Raises
    ------
    NotLowered
        If it does what has no code here.
    """
    code = Code()
    values: list[Any] = []
    for operand in operands:
        size = product(operand.shape)
        memory = code.handed_in(operand.kind, size)
        if operand.value is not None:
            values.append(operand.value)
        elif operand.shape == ():
            values.append(Number(operand.kind, code.load(memory, 0)))
        else:
            values.append(view(code, Layout(memory, 0, row_major(operand.shape)), operand.shape))
    interpreter = Interpreter(code, source)
    returned = interpreter.call(function, values)
    form: Any = "one"
    if isinstance(returned, dict):
        form, returned = tuple(returned), list(returned.values())
    elif isinstance(returned, tuple):
        form = "tuple"
    else:
        returned = [returned]
    results: list[tuple[Operand, Memory]] = []
    for value in (lift(code, value) for value in returned):
        taken = [*code.handed[: len(operands)], *(memory for _, memory in results)]
        found = _whole_memory(code, value, taken)
        memory = found or code.handed_in(value.kind, product(value.shape))
        if found is None:
            fill(code, view(code, Layout(memory, 0, row_major(value.shape)), value.shape), value)
        results.append((Operand(value.kind, value.shape), memory))
    order = [*code.handed[: len(operands)], *(memory for _, memory in results)]
    order += [memory for memory in code.handed if memory not in order]
    handed = tuple(order)
    text = _reordered(code, handed)
    return Lowered(text, tuple(operands), handed, tuple(operand for operand, _ in results), form)


def _whole_memory(code: Code, value: Array | Number, taken: Sequence[Memory]) -> Memory | None:
    """Return the memory that holds an array and nothing else, which can be the caller's; None if there is none."""
    if not isinstance(value, Array) or value.layout is None or not is_dense(value) or value.layout.offset != 0:
        return None
    memory = value.layout.memory
    free = memory in code.handed and memory not in taken and memory.size == value.size
    return memory if free else None


def _reordered(code: Code, handed: Sequence[Memory]) -> str:
    code.handed = list(handed)
    return text_of(code)


def binary(code: Code, op: ast.operator | ast.cmpop, left: Any, right: Any) -> Any:
    """Return what an operator makes of two values; Python's own result if both are."""
    if type(op) not in OPERATORS:
        raise NotLowered(f"the operator {type(op).__name__}")
    function, python = OPERATORS[type(op)]
    if not is_traced(left) and not is_traced(right):
        return python(left, right)
    place = moved(code, op, left, right)
    if place is not None:
        return place
    return matmul(code, left, right) if function is np.matmul else apply(code, function, [left, right])


def negation(code: Code, value: Any) -> Number:
    """Return `not value`."""
    number = lift(code, value)
    if not isinstance(number, Number):
        raise NotLowered("not of an array")
    return Number("b", code.put(f"xor i1 {code.convert(number.text, number.kind, 'b')}, true"))


def own(code: Code, value: Any) -> Any:
    """Return a value that assignments beside it do not change."""
    return stored(code, value) if isinstance(value, Array) and value.layout is None else value


class Interpreter:
    """Runs printed functions on arrays of the code."""

    def __init__(self, code: Code, source: Callable[[FunctionType], ast.FunctionDef]) -> None:
        self.code = code
        self.source = source

    def call(self, function: FunctionType, values: Sequence[Any]) -> Any:
        """Return what a function returns for `values`."""
        definition = self.source(function)
        names = [argument.arg for argument in definition.args.args]
        scope = Scope(
            self, function.__globals__, Names(self.code, dict(zip(names, values, strict=True)), uses_of(definition))
        )
        return scope.run(definition.body)


class Scope:
    """One call: its statements and expressions."""

    def __init__(self, interpreter: Interpreter, outside: dict[str, Any], names: Names) -> None:
        self.interpreter, self.outside, self.names = interpreter, outside, names
        self.code = interpreter.code

    # Statements -------------------------------------------------------------------------------------------------------

    def run(self, body: Sequence[ast.stmt]) -> Any:
        """Run statements, the last of which may return."""
        for statement in body:
            if isinstance(statement, ast.Return):
                return self.value(statement.value)
            getattr(self, f"do_{type(statement).__name__}", self.refuse)(statement)
        return None

    def refuse(self, statement: ast.stmt) -> None:
        raise NotLowered(f"the statement {ast.unparse(statement)}")

    def do_Expr(self, statement: ast.Expr) -> None:
        if not isinstance(statement.value, ast.Constant):
            self.names.settle()
            self.value(statement.value)

    def do_Assign(self, statement: ast.Assign) -> None:
        (target,) = statement.targets
        if isinstance(target, ast.Tuple):
            value = self.value(statement.value)
            self.assign_each(target.elts, list(value))
        else:
            self.assign_each([target], [self.value(statement.value)])

    def assign_each(self, targets: Sequence[ast.expr], values: list) -> None:
        """Assign to several targets; a value that is computed from what is written into before is computed first."""
        several = targets if len(targets) > 1 else []
        arrays = [self.array_to_write(node.value) for node in several if isinstance(node, ast.Subscript)]
        for k, value in enumerate(values):
            if isinstance(value, Array) and any(is_read_by(array, value) for array in arrays):
                values[k] = own(self.code, value)
        pairs = list(zip(targets, values, strict=True))
        left = self.names.turn({target.id: value for target, value in pairs if isinstance(target, ast.Name)})
        for target, value in pairs:
            if not isinstance(target, ast.Name) or target.id in left:
                self.assign(target, value)

    def assign(self, target: ast.expr, value: Any) -> None:
        if isinstance(target, ast.Name):
            self.names.bind(target.id, value)
        elif isinstance(target, ast.Subscript):
            if self.compose(target, lambda old: value):
                return
            array = self.array_to_write(target.value)
            self.names.settle(array)
            write(self.code, array, self.value(target.slice), lift(self.code, value))
        else:
            raise NotLowered(f"an assignment to {ast.unparse(target)}")

    def compose(self, target: ast.Subscript, value: Callable[[Array], Any]) -> bool:
        """Write into an array that has no memory yet; False if it has, or must."""
        name = target.value
        return isinstance(name, ast.Name) and self.names.compose(name.id, self.value(target.slice), value)

    def array_to_write(self, node: ast.expr) -> Array:
        """Return an array in memory; one that was made of constants is put there."""
        if isinstance(node, ast.Name) and node.id in self.names:
            self.names.place(node.id)
        array = self.value(node)
        if not isinstance(array, Array):
            raise NotLowered(f"a write into {ast.unparse(node)}")
        return array

    def do_AugAssign(self, statement: ast.AugAssign) -> None:
        target, value = statement.target, self.value(statement.value)
        if isinstance(target, ast.Subscript) and self.compose(
            target, lambda old: binary(self.code, statement.op, old, value)
        ):
            return
        if isinstance(target, ast.Subscript) and isinstance(statement.op, ast.Add | ast.Sub):
            array = self.array_to_write(target.value)
            self.names.settle(array)
            value = apply(self.code, np.negative, [value]) if isinstance(statement.op, ast.Sub) else value
            add_into(self.code, array, self.value(target.slice), lift(self.code, value))
            return
        old = self.value(target)
        new = binary(self.code, statement.op, old, value)
        if not isinstance(target, ast.Subscript) and (
            isinstance(old, Array) or (isinstance(old, np.ndarray) and is_traced(new))
        ):
            array = self.array_to_write(target)
            self.names.settle(array)
            write(self.code, array, Ellipsis, lift(self.code, new))
        else:
            self.assign(target, new)

    def do_If(self, statement: ast.If) -> None:
        """A test of which branch the objective takes: the only `if` statements that are printed."""
        if statement.orelse or not isinstance(statement.body[0], ast.Raise):
            raise NotLowered("an if statement")
        test = self.value(statement.test)
        if not is_traced(test):
            if test:
                raise NotLowered("a branch that is never taken")
            return
        number = lift(self.code, test)
        if not isinstance(number, Number):
            raise NotLowered("a branch that an array decides")
        text = self.code.convert(number.text, number.kind, "b")
        self.code.fail_unless(self.code.put(f"xor i1 {text}, true"))

    def do_For(self, statement: ast.For) -> None:
        places = self.value(statement.iter)
        if not isinstance(places, range | Range) or statement.orelse or not isinstance(statement.target, ast.Name):
            raise NotLowered("a loop over something else than a range")
        counter = statement.target.id
        self.names.settle()
        for node in written_into(statement):
            if isinstance(known := self.names.values.get(node.id), np.ndarray) and known.ndim:
                self.names.place(node.id)
        stores = [n.id for n in ast.walk(statement) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]
        rotations = self.names.prepare([name for name in stores if name != counter])
        around = self.names.rotations

        def body(index: Any) -> None:
            self.names.rotations = rotations
            self.names.values[counter] = Number("i", str(index), inside=True)
            for rotation in rotations:
                self.names.values |= rotation.enter()
            if self.run(statement.body) is not None:
                raise NotLowered("a return from within a loop")

        self.code.loop(places.start, places.stop, places.step, body)
        self.names.values.pop(counter, None)
        self.names.rotations = around
        for rotation in rotations:
            self.names.values |= rotation.enter()
        for name in stores:  # lengths are no longer known behind the loop
            if isinstance(known := self.names.values.get(name), Array) and is_moving(known.shape):
                del self.names.values[name]

    # Expressions ------------------------------------------------------------------------------------------------------

    def value(self, node: ast.expr | None) -> Any:
        """Return what an expression stands for."""
        handler = getattr(self, f"of_{type(node).__name__}", None)
        if handler is None:
            raise NotLowered(f"the expression {type(node).__name__}")
        return handler(node)

    def of_Constant(self, node: ast.Constant) -> Any:
        return node.value

    def of_Name(self, node: ast.Name) -> Any:
        if node.id in self.names:
            return self.names.read(node.id)
        if node.id in self.outside:
            return self.outside[node.id]
        builtin = {"range": range, "slice": slice, "float": float, "int": int, "bool": bool, "len": len}.get(node.id)
        if builtin is None:
            raise NotLowered(f"the name {node.id}")
        return builtin

    def of_NamedExpr(self, node: ast.NamedExpr) -> Any:
        """The number of ties, named for the error that reports it."""
        return self.value(node.value)

    def of_Tuple(self, node: ast.Tuple) -> tuple:
        return tuple(self.items(node.elts))

    def of_List(self, node: ast.List) -> list:
        return self.items(node.elts)

    def of_Dict(self, node: ast.Dict) -> dict:
        return {self.value(key): self.value(value) for key, value in zip(node.keys, node.values, strict=True)}

    def items(self, nodes: Sequence[ast.expr]) -> list:
        found: list = []
        for node in nodes:
            if isinstance(node, ast.Starred):
                value = self.value(node.value)
                if is_traced(value):
                    raise NotLowered("operands that the values decide")
                found += list(value)
            else:
                found.append(self.value(node))
        return found

    def of_Slice(self, node: ast.Slice) -> slice:
        return slice(*(None if part is None else self.value(part) for part in (node.lower, node.upper, node.step)))

    def of_Attribute(self, node: ast.Attribute) -> Any:
        value = self.value(node.value)
        if is_traced(value):
            return attribute(self.code, value, node.attr)
        return getattr(value, node.attr)

    def of_Subscript(self, node: ast.Subscript) -> Any:
        value, index = self.value(node.value), self.value(node.slice)
        if not is_traced(value) and not is_traced(index):
            return value[index]
        if isinstance(value, list | tuple):
            return value[index]
        return read(self.code, lift(self.code, value), index)

    def of_Call(self, node: ast.Call) -> Any:
        operands = self.items(node.args)
        options = {str(keyword.arg): self.value(keyword.value) for keyword in node.keywords}
        if isinstance(node.func, ast.Attribute):
            owner = self.value(node.func.value)
            if is_traced(owner):
                if node.func.attr not in METHODS:
                    raise NotLowered(f"the method {node.func.attr}")
                return METHODS[node.func.attr](self.code, owner, *operands, **options)
            function = getattr(owner, node.func.attr)
        else:
            function = self.value(node.func)
        plain = getattr(function, "function", function)  # a loop that is being watched
        if isinstance(plain, FunctionType) and plain.__globals__ is self.outside:
            self.names.settle()
            return self.interpreter.call(plain, [own(self.code, operand) for operand in operands])
        if function is range and any(is_traced(operand) for operand in operands):
            return moving_range(self.code, operands)
        if function is len:
            return operands[0].shape[0] if is_traced(operands[0]) else len(operands[0])
        return invoke(self.code, function, operands, options)

    def of_BinOp(self, node: ast.BinOp) -> Any:
        return binary(self.code, node.op, self.value(node.left), self.value(node.right))

    def of_UnaryOp(self, node: ast.UnaryOp) -> Any:
        value = self.value(node.operand)
        if isinstance(node.op, ast.Not):
            return negation(self.code, value) if is_traced(value) else not value
        function, python = OPERATORS[type(node.op)]
        return apply(self.code, function, [value]) if is_traced(value) else python(value)

    def of_Compare(self, node: ast.Compare) -> Any:
        if len(node.ops) > 1:
            raise NotLowered("a chain of comparisons")
        return binary(self.code, node.ops[0], self.value(node.left), self.value(node.comparators[0]))

    def of_IfExp(self, node: ast.IfExp) -> Any:
        test = self.value(node.test)
        if is_traced(test):
            raise NotLowered("a choice that the values decide")
        return self.value(node.body if test else node.orelse)
