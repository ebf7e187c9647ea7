"""A printed function as stages and passes: which statement belongs where, and what is handed from one to the next.

    def value_and_grad(w, X, y):                 free: level 0      row: level 1      free: level 1
        z = X @ w                                                   z = X @ w
        product = 0.5 * w                        product = 0.5 * w
        value = z.sum() + product @ w                               total = z.sum()   value = total + product @ w
        gradient = X.T @ (z - y)                                    total_2 = X.T @ (z - y)

Statements keep their order within a stage or a pass.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from autoopt.execution.blocks.expressions import Term
from autoopt.execution.blocks.plan import ROWS, RowPlan
from autoopt.execution.blocks.values import NotInBlocks, Value, without_positions
from autoopt.execution.blocks.writes import Writes, stored
from autoopt.execution.blocks.writing import Result, Split, Statement, written

SAMPLED = 509
"""Rows on which expressions are evaluated: a prime, which no other length is likely to be."""


@dataclass
class Splitting(Writes):
    """The statements of one function, one after the other; the parameters are those of `Writes`."""

    def __post_init__(self) -> None:
        for name, value in self.operands.items():
            axis = self.axes.get(name)
            is_positions = name in self.positions
            self.values[name] = Value(value, axis, int(axis is not None), is_positions)
            if is_positions:
                made = ast.parse(f"{name} = np.arange(rows)").body[0]
                self.statements.append(Statement(made, 1, True, frozenset(["rows"]), frozenset([name])))

    def plan(self) -> RowPlan:
        """Return the function as stages and passes.

        Raises
        ------
        NotInBlocks
            If it mixes rows, or does what is not known.
        """
        known = {name: name for name in self.operands}
        if "rows" in self._own_names:
            raise NotInBlocks("something is called rows, which is their number here")
        *ahead, last = self.definitions
        for definition, text in zip(ahead, self.texts, strict=False):
            self.names = {argument.arg: known[argument.arg] for argument in definition.args.args}
            known |= self._run(definition, text, self._handed)
        self.names = {argument.arg: known[argument.arg] for argument in last.args.args}
        self._run(last, self.texts[-1], self._return)
        if not self.results:
            raise NotInBlocks("it does nothing with rows")
        sized = next(name for name in self.axes if not self.values[name].is_positions)
        arguments = tuple(self.operands)
        made = (value for name, value in self.values.items() if value.axis is not None and name not in self.operands)
        width = max((value.array.nbytes // self.rows for value in made), default=0)
        return written(
            Split(
                last.name,
                arguments,
                self.outside,
                self.axes,
                sized,
                self.positions,
                self.statements,
                self.results,
                width,
            )
        )

    def _run(self, definition: ast.FunctionDef, text: str, returned: Callable[[ast.Return], Any]) -> Any:
        """Take the statements of one function in turn, and return what becomes of the last one."""
        lines = text.splitlines()
        for statement in definition.body:
            self.comment = _quoted(lines[: statement.lineno]) or ast.unparse(statement)
            try:
                if isinstance(statement, ast.Return):
                    return returned(statement)
                handler = getattr(self, f"do_{type(statement).__name__}", None)
                if handler is None:
                    raise NotInBlocks(f"the statement {ast.unparse(statement)}")
                handler(statement)
            except NotInBlocks as problem:
                problem.line = problem.line or self.comment
                raise
            except Exception as problem:  # whatever NumPy raises of arrays as long as the sample beside others
                told = "it handles other parts of the data than one row at a time"
                raise NotInBlocks(told, self.comment) from problem
        raise NotInBlocks("a function that returns nothing")

    def _handed(self, statement: ast.Return) -> dict[str, str]:
        """Return the names of what a function hands on to the next one."""
        if not isinstance(statement.value, ast.Dict):
            raise NotInBlocks("a function that returns no names")
        handed = {}
        for key, node in zip(statement.value.keys, statement.value.values, strict=True):
            assert isinstance(key, ast.Constant) and isinstance(key.value, str)
            value, made = self.term(node)
            name = made if isinstance(made, ast.Name) else self.bind(key.value, value, made)
            handed[key.value] = name.id
        return handed

    # Statements -------------------------------------------------------------------------------------------------------

    def do_Expr(self, statement: ast.Expr) -> None:
        call = statement.value
        if isinstance(call, ast.Constant):
            return
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "np.add.at":
            self.add_at(call)
            return
        raise NotInBlocks(f"the statement {ast.unparse(statement)}")

    def do_Assign(self, statement: ast.Assign) -> None:
        (target,) = statement.targets
        if isinstance(target, ast.Tuple):
            if not isinstance(statement.value, ast.Tuple):
                self._opaque(statement, statement.value, [part for part in target.elts])
                return
            terms = [self.term(part) for part in statement.value.elts]
            for name, term in zip(target.elts, terms, strict=True):
                self._assigned(name, term)
        else:
            self._assigned(target, self.term(statement.value))

    def _assigned(self, target: ast.expr, term: Term) -> None:
        value, node = term
        if isinstance(target, ast.Name):
            if value.parts is not None and not value.is_free:
                raise NotInBlocks("a name for several rows")
            self.bind(target.id, value, node)
        elif isinstance(target, ast.Subscript):
            self.set_entries(target, None, term)
        else:
            raise NotInBlocks(f"an assignment to {ast.unparse(target)}")

    def do_AugAssign(self, statement: ast.AugAssign) -> None:
        term = self.term(statement.value)
        if isinstance(statement.target, ast.Subscript):
            self.set_entries(statement.target, statement.op, term)
            return
        assert isinstance(statement.target, ast.Name)
        old, name = self.term(ast.Name(statement.target.id, ast.Load()))
        value, node = term
        without_positions([old, value])
        if not isinstance(old.sample, np.ndarray):  # a number
            self._assigned(statement.target, self.operated(statement.op, [(old, name), term], _binary(statement.op)))
            return
        if old.axis is None and not value.is_free:
            raise NotInBlocks("rows written into an array that has none")
        if old.axis is not None and value.axis is not None and old.from_right != value.from_right:
            raise NotInBlocks("rows along different axes")
        self.mutate(name, old, [value], ast.AugAssign(stored(name), statement.op, self.beside(old, value, node)))

    def do_If(self, statement: ast.If) -> None:
        """A test of which branch is taken, or whether kinks are met."""
        if statement.orelse or len(statement.body) != 1 or not isinstance(statement.body[0], ast.Raise):
            raise NotInBlocks("an if statement")
        value, test = self.term(statement.test)
        if not value.is_free:
            raise NotInBlocks("a branch of each row")
        if not value.sample and not any(isinstance(part, ast.Name) for part in ast.walk(test)):
            return  # of lengths that are the same in all blocks
        body = [self._raised(statement.body[0])]
        self.write(ast.If(test, body, []), value.level, False, [])

    def _raised(self, statement: ast.Raise) -> ast.stmt:
        """Return what is raised, its message as text where it tells of rows, which are not all there."""
        names = {n.id for n in ast.walk(statement) if isinstance(n, ast.Name)} & self.names.keys()
        if all(self.values[self.names[name]].is_free for name in names):
            return _renamed(statement, self.names)
        made = copy.deepcopy(statement)
        assert isinstance(made.exc, ast.Call)
        made.exc.args = [ast.Constant(ast.unparse(part).strip("f'")) for part in made.exc.args]
        return made

    def do_For(self, statement: ast.For) -> None:
        stores = [n.id for n in ast.walk(statement) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]
        self._opaque(statement, statement, [ast.Name(name, ast.Store()) for name in dict.fromkeys(stores)])

    def _opaque(self, statement: ast.stmt, read: ast.AST, targets: list[ast.expr]) -> None:
        """A statement that is not looked into: of what is free."""
        loads = {n.id for n in ast.walk(read) if isinstance(n, ast.Name)} & self.names.keys()
        values = [self.values[self.names[name]] for name in loads]
        if not all(value.is_free for value in values) or self._mentions_count(statement):
            raise NotInBlocks("several statements of rows at once")
        if any(isinstance(n, ast.Subscript) and isinstance(n.ctx, ast.Store) for n in ast.walk(statement)):
            raise NotInBlocks("entries set in a loop")
        if any(not isinstance(target, ast.Name) for target in targets):
            raise NotInBlocks(f"the statement {ast.unparse(statement)}")
        new = {target.id: self.fresh(target.id) for target in targets if isinstance(target, ast.Name)}
        if isinstance(statement, ast.For) and any(name in self.names for name in new):
            raise NotInBlocks("a name that a loop sets")
        renamed = _renamed(statement, self.names, new)
        scope = {name: value.sample for name, value in self.values.items()}
        module = ast.fix_missing_locations(ast.Module([renamed], []))
        exec(compile(module, "<rows>", "exec"), dict(self.outside), scope)
        level = max((value.level for value in values), default=0)
        for name, own in new.items():
            self.names[name], self.values[own] = own, Value(scope[own], None, level)
        self.write(renamed, level, False, list(new.values()))

    def _mentions_count(self, statement: ast.AST) -> bool:
        return any(
            (isinstance(n, ast.Constant) and n.value == self.count)
            or (isinstance(n, ast.Name) and self.names.get(n.id) == "rows")
            for n in ast.walk(statement)
        )

    def _return(self, statement: ast.Return) -> None:
        assert statement.value is not None
        node = statement.value
        if isinstance(node, ast.Dict):
            parts = [self._returned(part) for part in node.values]
            made: ast.expr = ast.Dict(node.keys, [part for _, part in parts])
        elif isinstance(node, ast.Tuple):
            parts = [self._returned(part) for part in node.elts]
            made = ast.Tuple([part for _, part in parts], ast.Load())
        else:
            parts = [self._returned(node)]
            made = parts[0][1]
        level = max([value.level for value, _ in parts] + [statement.level for statement in self.statements] or [0])
        self.write(ast.Return(made), level, False, [])

    def _returned(self, node: ast.expr) -> Term:
        value, made = self.term(node)
        without_positions([value])
        if value.is_free:
            return value, made
        if value.parts is not None:
            raise NotInBlocks("several rows at once")
        new = self.fresh("whole")
        self.values[new] = Value(value.sample, None, value.level)
        self.results.append(Result(new, ROWS, value.level, value.axis))
        self.write(ast.Assign([ast.Name(new, ast.Store())], made), value.level, True, [new])
        return self.values[new], ast.Name(new, ast.Load())


def _quoted(lines: list[str]) -> str:
    """Return the user's line that printed lines quote last, in a comment; "" if they quote none."""
    return next((line.strip()[2:] for line in reversed(lines) if line.strip().startswith("# ")), "")


def _binary(op: ast.operator) -> Any:
    return lambda one, other: ast.BinOp(one, op, other)


def _renamed(statement: ast.stmt, names: Mapping[str, str], new: Mapping[str, str] | None = None) -> ast.stmt:
    """Return a statement by the names of the plan; `new` has those that it sets."""
    made = copy.deepcopy(statement)
    for node in ast.walk(made):
        if isinstance(node, ast.Name):
            is_set = new and (isinstance(node.ctx, ast.Store) or isinstance(made, ast.For)) and node.id in new
            node.id = new[node.id] if new and is_set else names.get(node.id, node.id)
    return made
