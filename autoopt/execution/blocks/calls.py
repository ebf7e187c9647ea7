"""Calls in a printed function: what they make of rows, and what of them is summed over these."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from types import FunctionType
from typing import Any

import numpy as np

from autoopt.execution.blocks.alignment import Operation, axes_of, outcome
from autoopt.execution.blocks.expressions import Expressions, Term
from autoopt.execution.blocks.values import NotInBlocks, Value, flat, level_of, without_positions

METHODS: dict[str, Callable] = {
    "sum": np.sum, "max": np.max, "min": np.min, "mean": np.mean, "prod": np.prod, "all": np.all, "any": np.any,
    "reshape": np.reshape, "transpose": np.transpose, "ravel": np.ravel, "squeeze": np.squeeze, "copy": np.copy,
    "swapaxes": np.swapaxes, "dot": np.dot, "clip": np.clip, "cumsum": np.cumsum, "argmax": np.argmax,
    "argmin": np.argmin, "round": np.round, "astype": np.asarray, "repeat": np.repeat, "std": np.std, "var": np.var,
}  # fmt: skip
"""The functions that do what methods of arrays do, as far as rows are concerned."""

CREATIONS = (np.zeros, np.ones, np.empty, np.full)
"""What makes an array of a shape."""

SHAPES = (np.reshape, np.broadcast_to)
"""What takes a shape, in which the number of rows is that of the block."""

GRAM = "gram"
"""The function of printed modules that sums weighted outer products of rows."""


class Calls(Expressions):
    """Expressions with calls."""

    def of_Call(self, node: ast.Call) -> Term:
        if any(key.arg is None for key in node.keywords):
            raise NotInBlocks("options that the values decide")
        if isinstance(node.func, ast.Attribute):
            owner, made = self.term(node.func.value)
            if not owner.is_free or (isinstance(owner.sample, np.ndarray | np.generic | float | int)):
                return self._method(node, owner, made)
        function, called = self.term(node.func)
        if len(node.args) == 1 and isinstance(node.args[0], ast.ListComp) and function.sample is np.array:
            return self._several(node)
        terms = self._operands(node.args)
        options = {str(key.arg): self.term(key.value) for key in node.keywords}
        if function.sample is len and terms[0][0].axis is not None:
            value = terms[0][0]
            name = ast.Name("rows", ast.Load()) if value.axis == 0 else ast.Constant(len(value.sample))
            return Value(len(value.sample), is_count=value.axis == 0), name
        return self.called(function.sample, called, terms, options)

    def _operands(self, nodes: Sequence[ast.expr]) -> list[Term]:
        """Return the operands of a call, those of a starred one, which must be free, one by one."""
        terms: list[Term] = []
        for node in nodes:
            if not isinstance(node, ast.Starred):
                terms.append(self.term(node))
                continue
            value, made = self.term(node.value)
            if not value.is_free or value.parts is not None:
                raise NotInBlocks("operands that the values decide")
            for k, part in enumerate(value.sample):
                terms.append((Value(part, level=value.level), ast.Subscript(made, ast.Constant(k), ast.Load())))
        return terms

    def _method(self, node: ast.Call, owner: Value, made: ast.expr) -> Term:
        assert isinstance(node.func, ast.Attribute)
        name = node.func.attr
        terms = self._operands(node.args)
        options = {str(key.arg): self.term(key.value) for key in node.keywords}
        values = [value for value, _ in [*terms, *options.values()]]
        if owner.is_free and all(value.is_free and not _counts(value) for value in values):
            method = getattr(owner.sample, name)
            result = method(*(v.sample for v, _ in terms), **{key: v.sample for key, (v, _) in options.items()})
            return self.computed(result, [owner, *values], _call(ast.Attribute(made, name, ast.Load()), terms, options))
        if name not in METHODS:
            raise NotInBlocks(f"the method {name} of rows")
        function = METHODS[name]
        if name in ("reshape", "transpose") and len(terms) > 1:
            whole = Value(tuple(v.sample for v, _ in terms), parts=tuple(v for v, _ in terms))
            terms = [(whole, ast.Tuple([part for _, part in terms], ast.Load()))]
        written = [(owner, made), *terms]
        return self.called(function, None, written, options, name)

    def called(
        self, function: Any, node: ast.expr | None, terms: list[Term], options: dict[str, Term], method: str = ""
    ) -> Term:
        """Return the result of a call; of a method where there is no node for the function."""
        values = [value for value, _ in [*terms, *options.values()]]
        without_positions(values)
        result_of = function if not method else getattr(terms[0][0].sample, method)
        given = [value.sample for value, _ in (terms[1:] if method else terms)]
        if all(value.is_free for value in values):
            if function is np.arange and len(terms) == 1 and terms[0][0].is_count:
                assert node is not None
                return Value(np.arange(self.rows), 0, 1, is_positions=True), _call(node, terms, options)
            shape = _shape_with_count(function, terms)
            if shape is not None and node is not None:
                made = function(*given, **{key: value.sample for key, (value, _) in options.items()})
                place = int(function is np.broadcast_to)  # of the shape, in which the number of rows stays
                terms = [(v, part if k == place else self.settled(v, part)) for k, (v, part) in enumerate(terms)]
                return Value(made, shape, level_of(values)), _call(node, terms, options)
            result = result_of(*given, **{key: value.sample for key, (value, _) in options.items()})
            return self.computed(result, values, _call_of(node, terms, options, method))
        takes_shape = function in SHAPES
        settled = [
            (value, part if takes_shape and k else self.settled(value, part)) for k, (value, part) in enumerate(terms)
        ]
        options = {key: (value, self.settled(value, part)) for key, (value, part) in options.items()}
        result = result_of(*given, **{key: value.sample for key, (value, _) in options.items()})
        if isinstance(result, tuple):
            raise NotInBlocks(f"{getattr(function, '__name__', function)} of rows")
        if method == "astype":
            return Value(result, terms[0][0].axis, level_of(values)), _call_of(node, settled, options, method)
        operation = Operation(
            function, tuple(v for v, _ in terms), {key: v for key, (v, _) in options.items()}, result, self.rows
        )
        how = self._outcome(operation)
        written = _call_of(node, settled, options, method)
        if how == "mean":
            return self._mean(operation, settled, options)
        return self.settle_outcome(how, result, values, written)

    def _outcome(self, operation: Operation) -> int | str:
        function = operation.function
        if isinstance(function, FunctionType) and function.__globals__ is self.outside:
            if function.__name__ == GRAM and all(value.axis == 0 for value in operation.args):
                return "sum"
            raise NotInBlocks(f"the function {function.__name__} of rows")
        return outcome(operation)

    def _mean(self, operation: Operation, terms: list[Term], options: dict[str, Term]) -> Term:
        """The sum over rows by their number."""
        value = operation.args[0]
        others = [value.array.shape[k] for k in axes_of(operation) if k != value.axis]
        total = _call(_numpy("sum"), terms, options)
        summed, name = self.reduced("sum", operation.result, level_of([value]), total)
        size = int(np.prod(others))
        count: ast.expr = ast.Name("rows", ast.Load())
        if size > 1:
            count = ast.BinOp(count, ast.Mult(), ast.Constant(size))
        return self.computed(operation.result, [summed], ast.BinOp(name, ast.Div(), count))

    def _several(self, node: ast.Call) -> Term:
        """np.array([gram(w, A) for w in B]): sums over rows, one for each of the lines of B."""
        comprehension = node.args[0]
        assert isinstance(comprehension, ast.ListComp)
        (loop,) = comprehension.generators
        call = comprehension.elt
        if loop.ifs or not isinstance(loop.target, ast.Name) or not isinstance(call, ast.Call) or node.keywords:
            raise NotInBlocks("a list of what is made of rows")
        lines, made = self.term(loop.iter)
        if lines.axis is None or lines.axis == 0:
            raise NotInBlocks("a list over the rows")
        before = self.names.get(loop.target.id)
        self.names[loop.target.id] = loop.target.id
        self.values[loop.target.id] = Value(lines.sample[0], lines.axis - 1, lines.level)
        function, called = self.term(call.func)
        terms = [self.term(part) for part in call.args]
        if call.keywords or not all(isinstance(part, ast.Name) for _, part in terms):
            raise NotInBlocks("a list of what is made of rows")
        samples = [
            [entry if v is self.values[loop.target.id] else v.sample for v, _ in terms] for entry in lines.sample
        ]
        result = [function.sample(*given) for given in samples]
        values = tuple(value for value, _ in terms)
        how = self._outcome(Operation(function.sample, values, {}, result[0], self.rows))
        del self.values[loop.target.id], self.names[loop.target.id]
        if before is not None:
            self.names[loop.target.id] = before
        if how != "sum":
            raise NotInBlocks("a list of rows")
        listed = ast.ListComp(_call(called, terms, {}), [ast.comprehension(loop.target, made, [], 0)])
        return self.reduced("sum", np.array(result), level_of([lines, *values]), ast.Call(node.func, [listed], []))


def _counts(value: Value) -> bool:
    return any(part.is_count for part in flat([value]))


def _shape_with_count(function: Any, terms: Sequence[Term]) -> int | None:
    """Return the axis of the rows of an array that is made with a place for each."""
    if function is np.broadcast_to and len(terms) == 2:
        shape = terms[1][0]
    elif function in CREATIONS and terms:
        shape = terms[0][0]
    else:
        return None
    found = [axis for axis, part in enumerate(flat([shape])) if part.is_count]
    return found[0] if len(found) == 1 else None


def _numpy(name: str) -> ast.Attribute:
    return ast.Attribute(ast.Name("np", ast.Load()), name, ast.Load())


def _call(function: ast.expr, terms: Sequence[Term], options: dict[str, Term]) -> ast.Call:
    keywords = [ast.keyword(key, node) for key, (_, node) in options.items()]
    return ast.Call(function, [node for _, node in terms], keywords)


def _call_of(node: ast.expr | None, terms: Sequence[Term], options: dict[str, Term], method: str) -> ast.Call:
    """Return a call of a function, or of a method of the first operand."""
    if not method:
        assert node is not None
        return _call(node, terms, options)
    return _call(ast.Attribute(terms[0][1], method, ast.Load()), terms[1:], options)
