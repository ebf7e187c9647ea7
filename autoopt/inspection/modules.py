"""The statements of a printed module: the user's line that each stands for, and the text with a mark before each.

    def value_and_grad(w, X, y):
        # z = X @ w                                 at(0)     z = X @ w                      model.py:6
        z = X @ w                                   at(1)     value = z.sum() - y @ z        model.py:7
        # return z.sum() - y @ z                    at(2)     gradient = X.T @ (1.0 - y)     of the derivatives
        value = z.sum() - y @ z                     at(3)     return value, gradient
        gradient = X.T @ (1.0 - y)
        return value, gradient

Comments of printed code quote the user's statements; what the value is computed from stands for them, and so does in
any function the statement right below a comment. All else is there for the derivatives, and for no line alone. What a
function without such comments does, as a loop's adjoint or `gram`, belongs to the statement that calls it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from autoopt.errors import Location
from autoopt.graph.kinds import KINDS
from autoopt.tape.assignments import assigned_name
from autoopt.tape.recurrence import Recurrence
from autoopt.tape.statements import place_of
from autoopt.tape.tape import Step, Tape


@dataclass(frozen=True)
class Statement:
    """A statement of a printed module.

    Attributes
    ----------
    function : str
        The printed function that it stands in.
    text : str
        Its first line.
    line : Location or None
        The user's line that it computes; None for what the derivatives need besides.
    quoted : str
        The user's statement.
    of_value : bool
        Whether the value is computed from it.
    """

    function: str
    text: str
    line: Location | None
    quoted: str
    of_value: bool


def of_step(step: Step) -> Statement:
    """Return the user's statement that made a step, for tapes that no code is printed of."""
    place, location = place_of(step), step.location
    quoted = place.quoted if place else getattr(location, "text", "")
    line = location and Location(location.file, location.line)
    return Statement("", quoted, line, quoted, True)


@dataclass(frozen=True)
class Quotes:
    """What printed code may say of the user's statements.

    Attributes
    ----------
    places : dict of str to Location
        Of the statements, as comments quote them.
    names : dict of str to set of str
        The statements that assign a name.
    value : str
        The one that computes the value; empty if that is not known.
    """

    places: dict[str, Location] = field(default_factory=dict)
    names: dict[str, set[str]] = field(default_factory=dict)
    value: str = ""

    @classmethod
    def of(cls, *tapes: Tape) -> Quotes:
        """Return the statements that made the steps of tapes."""
        steps = {step.site: step for tape in tapes for step in _steps(tape.steps) if step.site is not None}
        last = place_of(tapes[0].steps[tapes[0].output])
        found = cls(value=last.quoted if last else "")
        for step in steps.values():
            place, location = place_of(step), step.location
            if place is None or location is None:
                continue
            found.places.setdefault(place.quoted, Location(location.file, location.line))
            name = assigned_name(step)
            if name is not None:
                found.names.setdefault(name, set()).add(place.quoted)
        return found

    def of_target(self, statement: ast.stmt, quoted: str) -> str:
        """Return which of the user's statements one stands for that is below a comment, but not right below it.

        What it assigns is another one's if the user gives the name there, and not in the statement that is quoted. What
        is returned is the value.
        """
        if isinstance(statement, ast.Return):
            return self.value or quoted
        target = statement.targets[0] if isinstance(statement, ast.Assign) else None
        if not isinstance(target, ast.Name):
            return quoted
        own = self.names.get(target.id) or self.names.get(re.sub(r"_?\d+$", "", target.id))
        if not own or quoted in own:
            return quoted
        return next(iter(own)) if len(own) == 1 else ""


def _steps(steps) -> Iterator[Step]:
    for step in steps:
        yield step
        if isinstance(step.operation, Recurrence):
            yield from _steps(step.operation.body)


class Module:
    """A printed module, read.

    Parameters
    ----------
    text : str
    kind : str
        The name of the function of the derivative.
    quotes : Quotes

    Attributes
    ----------
    statements : list of Statement
        In the order of their marks.
    functions : set of str
        The names of the functions that the module defines.
    """

    def __init__(self, text: str, kind: str, quotes: Quotes) -> None:
        self.text, self._quotes, self._rows = text, quotes, text.split("\n")
        self.tree = ast.parse(text)
        self.statements: list[Statement] = []
        self._marks: dict[ast.stmt, int] = {}
        own = {node.name: node for node in self.tree.body if isinstance(node, ast.FunctionDef)}
        self.functions = set(own)
        self._forward = _forward(own, kind)
        for name, function in own.items():
            rows = self._rows[function.lineno : function.end_lineno]
            if name in KINDS[kind].functions or any(row.strip()[2:] in quotes.places for row in rows if "#" in row):
                self._read(function, function.body, None)

    def _read(self, function: ast.FunctionDef, body: list[ast.stmt], quoted: str | None) -> None:
        """Enter the statements of a block, below a comment."""
        for statement in body:
            above = self._comment(statement)
            quoted = above or quoted
            if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
                continue  # a docstring
            of_value = statement in self._forward or function in self._forward
            own = above or (self._quotes.of_target(statement, quoted or "") if of_value else "")
            line = self._quotes.places.get(own)
            row = self._rows[statement.lineno - 1].strip()
            self._marks[statement] = len(self.statements)
            self.statements.append(Statement(function.name, row, line, own if line else "", of_value))
            for name in ("body", "orelse"):
                self._read(function, getattr(statement, name, []), quoted)

    def _comment(self, statement: ast.stmt) -> str | None:
        """Return the last of the user's statements that is quoted right above one."""
        number = statement.lineno - 2
        while number >= 0 and (row := self._rows[number].strip()).startswith("#"):
            if row[2:] in self._quotes.places:
                return row[2:]
            number -= 1
        return None

    def marked(self) -> ast.Module:
        """Return the module with a call `_at(k)` before the k-th statement, and after calls of functions of its own.

        This can be done once: what the marks stand for is told by the nodes.
        """
        for node in ast.walk(self.tree):
            for name in ("body", "orelse"):
                block = getattr(node, name, None)
                if isinstance(block, list):
                    setattr(node, name, [part for one in block for part in self._with_mark(one)])
        return ast.fix_missing_locations(_Returning(self.functions).visit(self.tree))

    def _with_mark(self, statement: ast.stmt) -> Iterator[ast.stmt]:
        if statement in self._marks:
            yield ast.Expr(called("_at", ast.Constant(self._marks[statement])))
        yield statement


class _Returning(ast.NodeTransformer):
    """Puts `_returned(_here(), f(x))` for the call of a function of the module's own: its statement goes on then."""

    def __init__(self, own: set[str]) -> None:
        self.own = own

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        return called("_returned", called("_here"), node) if getattr(node.func, "id", "") in self.own else node


def called(name: str, *arguments: ast.expr) -> ast.Call:
    """Return the call of a function by its name."""
    return ast.Call(ast.Name(name, ast.Load()), list(arguments), [])


def _forward(own: Mapping[str, ast.FunctionDef], kind: str) -> set[ast.stmt]:
    """Return what the value is computed from: statements of the function of a kind, and functions called in them."""
    function = own.get(kind)
    returned = function.body[-1] if function is not None else None
    if not isinstance(returned, ast.Return) or returned.value is None or kind not in ("value", "value_and_grad"):
        return set()
    first = returned.value.elts[0] if isinstance(returned.value, ast.Tuple) else returned.value
    assert function is not None
    wanted, found = _names(first), set()
    if kind == "value":
        found.add(returned)
    for statement in reversed(function.body[:-1]):
        if wanted & _stored(statement) or isinstance(statement, ast.If):
            found.add(statement)
            wanted |= _names(statement)
    called = {name for statement in found for name in _names(statement) if name in own}
    called |= {name for name in _names(first) if name in own}
    return found | {own[name] for name in called}


def _names(node: ast.AST) -> set[str]:
    """Return the names that a node reads."""
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load)}


def _stored(node: ast.AST) -> set[str]:
    """Return the names that a statement stores in, those of arrays of which it stores parts among them."""
    names = {part.id for part in ast.walk(node) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)}
    parts = [part for part in ast.walk(node) if isinstance(part, ast.Subscript) and isinstance(part.ctx, ast.Store)]
    return names | {part.value.id for part in parts if isinstance(part.value, ast.Name)}
