"""Statements of a plan as they are written: names, results of passes, and arrays that are written into.

An array that is written into is written where everything that read it before is done, and read afterwards by what came
after: `mutate` raises levels until that is so.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from autoopt.execution.blocks.alignment import indexed
from autoopt.execution.blocks.calls import Calls
from autoopt.execution.blocks.expressions import Term
from autoopt.execution.blocks.values import NotInBlocks, Value, level_of, without_positions
from autoopt.execution.blocks.writing import Result, Statement
from autoopt.execution.modules import owner_of


@dataclass
class Writes(Calls):
    """The statements of one function.

    Parameters
    ----------
    outside : dict
        The namespace of the function.
    texts : sequence of str
        Of the function, and ahead of it of those that return, in dictionaries, what it takes besides operands.
    operands : mapping of str to value
        Samples of those that have rows.
    axes : mapping of str to int
        The axis of the rows of these.
    count, rows : int
        How many rows there are, and how many are sampled.
    positions : set of str
        Operands that are the numbers of the rows, 0 to n - 1.
    """

    outside: dict[str, Any]
    texts: Sequence[str]
    operands: Mapping[str, Any]
    axes: Mapping[str, int]
    count: int
    rows: int
    positions: Set[str] = frozenset()
    names: dict[str, str] = field(default_factory=dict)
    values: dict[str, Value] = field(default_factory=dict)
    statements: list[Statement] = field(default_factory=list)
    results: list[Result] = field(default_factory=list)
    comment: str = ""

    def bind(self, name: str, value: Value, node: ast.expr) -> ast.Name:
        """Write a statement that gives a value a name, and return it: another one, if there is one of that name."""
        if value.is_count:  # wherever it is read, it is the number of rows
            self.names[name], self.values["rows"] = "rows", value
            return ast.Name("rows", ast.Load())
        new = self.fresh(name)
        self.names[name], self.values[new] = new, value
        assignment = ast.Assign([ast.Name(new, ast.Store())], node)
        self.write(assignment, value.level, value.axis is not None, [new])
        return ast.Name(new, ast.Load())

    def fresh(self, stem: str) -> str:
        """Return a name that is not used yet."""
        taken = self.values.keys() | {result.name for result in self.results} | {"rows", "np"} | self.outside.keys()
        name, k = stem, 1
        while name in taken or (name != stem and name in self._own_names):
            k += 1
            name = f"{stem}_{k}"
        return name

    @cached_property
    def definitions(self) -> list[ast.FunctionDef]:
        """The syntax trees of the functions."""
        return [node for text in self.texts for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)]

    @cached_property
    def _own_names(self) -> set[str]:
        return {node.id for one in self.definitions for node in ast.walk(one) if isinstance(node, ast.Name)}

    def hoisted(self, value: Value, node: ast.expr, stem: str) -> ast.Name:
        new = self.fresh(stem if stem not in self._own_names else f"{stem}_")
        self.values[new] = value
        self.write(ast.Assign([ast.Name(new, ast.Store())], node), value.level, False, [new])
        return ast.Name(new, ast.Load())

    def reduced(self, how: str, result: Any, level: int, node: ast.expr) -> Term:
        new = self.fresh("total" if "total" not in self._own_names else "total_")
        self.values[new] = Value(result, None, level)
        self.results.append(Result(new, how, level, None))
        self.write(ast.Assign([ast.Name(new, ast.Store())], node), level, True, [new])
        return self.values[new], ast.Name(new, ast.Load())

    def beside(self, old: Value, value: Value, node: ast.expr) -> ast.expr:
        return node if old.axis is None else self.settled(value, node)

    def set_entries(self, target: ast.Subscript, op: ast.operator | None, term: Term) -> None:
        """Entries of an array set, or added to."""
        if not isinstance(target.value, ast.Name):
            raise NotInBlocks(f"an assignment to {ast.unparse(target)}")
        old, name = self.term(ast.Name(target.value.id, ast.Load()))
        index, place = self.term(target.slice)
        value, node = term
        without_positions([old, value])
        if old.axis is None:
            if not (index.is_free and value.is_free):
                raise NotInBlocks("rows written into an array that has none")
        else:
            shown = old.sample[index.sample]
            axis = indexed(old, index, shown, self.rows)
            if value.axis is not None and value.from_right != axis - np.ndim(shown):
                raise NotInBlocks("rows along different axes")
            if value.axis is None and np.ndim(value.sample) >= np.ndim(shown) - axis:
                raise NotInBlocks("rows set to an array that has none")
            node, place = self.settled(value, node), self.settled(index, place)
        subscript = ast.Subscript(name, place, ast.Store())
        made = ast.Assign([subscript], node) if op is None else ast.AugAssign(subscript, op, node)
        self.mutate(name, old, [index, value], made)

    def add_at(self, call: ast.Call) -> None:
        """np.add.at(target, index, values): sums by groups, if the groups are those of rows."""
        if call.keywords or len(call.args) != 3 or not isinstance(call.args[0], ast.Name):
            raise NotInBlocks(ast.unparse(call))
        (old, name), (index, place), (value, node) = (self.term(part) for part in call.args)
        without_positions([old, value] if old.axis is not None else [old, index, value])
        if old.axis is not None or (index.is_free and value.is_free):
            if old.axis is not None:
                indexed(old, index, old.sample[index.sample], self.rows)
                if index.is_free or (value.axis is not None and np.ndim(value.sample) != 1):
                    raise NotInBlocks("rows added to rows")
                place, node = self.settled(index, place), self.settled(value, node)
            self.mutate(name, old, [index, value], ast.Expr(ast.Call(call.func, [name, place, node], [])))
            return
        if index.is_free:
            raise NotInBlocks("rows added to an array that has none")
        shown = old.sample[index.sample]
        axis = indexed(old, index, shown, self.rows)
        if value.axis is not None and value.from_right != axis - np.ndim(shown):
            raise NotInBlocks("rows along different axes")
        level = level_of([index, value])
        place, node = self.settled(index, place), self.settled(value, node)
        new = self.fresh("total" if "total" not in self._own_names else "total_")
        empty = ast.parse(f"np.zeros({old.array.shape!r})", mode="eval").body
        self.values[new] = Value(np.zeros_like(old.array), None, level)
        self.write(ast.Assign([ast.Name(new, ast.Store())], empty), level, True, [new])
        added = ast.Expr(ast.Call(call.func, [ast.Name(new, ast.Load()), place, node], []))
        self.write(added, level, True, [new])
        self.results.append(Result(new, "sum", level, None))
        total = ast.Name(new, ast.Load())
        self.mutate(name, old, [self.values[new]], ast.AugAssign(stored(name), ast.Add(), total))

    def mutate(self, name: ast.expr, old: Value, values: list[Value], statement: ast.stmt) -> None:
        """Write a statement that writes into an array, under all its names."""
        assert isinstance(name, ast.Name)
        owner = owner_of(old.sample)
        group = {other for other, value in self.values.items() if owner_of(value.sample) is owner}
        is_row = old.axis is not None
        if is_row:
            if self.operands.keys() & group:
                raise NotInBlocks("data written into")
            level = level_of([old, *values])
        else:
            level = max(old.level, *(value.level for value in values))
            level = max([level, *(self.values[other].level for other in group)])
            for before in self.statements:
                if before.reads & group:
                    level = max(level, before.level)
        for other in group:
            self.values[other] = self.values[other].at(level)
        self.write(statement, level, is_row, sorted(group), mutates=True)

    def write(self, statement: ast.stmt, level: int, is_row: bool, writes: list[str], mutates: bool = False) -> None:
        loads = {n.id for n in ast.walk(statement) if isinstance(n, ast.Name)} & (self.values.keys() | {"rows"})
        reads = loads if mutates else loads - set(writes)
        made = Statement(statement, level, is_row, frozenset(reads), frozenset(writes), mutates)
        self.statements.append(made)


def stored(name: ast.expr) -> ast.Name:
    assert isinstance(name, ast.Name)
    return ast.Name(name.id, ast.Store())
