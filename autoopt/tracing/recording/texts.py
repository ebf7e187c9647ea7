"""Where a text made of the parameters goes: to a reader, or into the objective's own decisions.

    print(f"loss {loss:.3f}")                       to a reader
    message = f"loss {loss}"; log.info(message)     to a reader: so all reads of the variable go
    if str(x[0]).startswith("-"):                   a decision
    key = "%.6f" % x[0]                             a decision, wherever the key is used

A text carries no record of what it was made of, so it is the statement around it that is looked at. What is not known
to be for a reader may decide anything.
"""

from __future__ import annotations

import ast
import linecache
from types import CodeType

SHOWING = frozenset(
    ("print", "pprint", "echo", "secho", "log", "debug", "info", "warning", "warn", "error", "critical", "exception",
     "write", "writelines", "set_description", "set_postfix", "set_postfix_str", "fail")
)  # fmt: skip
"""What functions and methods are called that show their arguments and do nothing else with them."""

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.Module)
_SHARING = (ast.Global, ast.Nonlocal, ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)
_verdicts: dict[tuple[int, int, bool], tuple[CodeType, bool]] = {}
_modules: dict[str, tuple[int, ast.Module | None, dict[ast.AST, ast.AST]]] = {}


def is_for_a_reader(code: CodeType, offset: int, escapes: bool) -> bool:
    """Whether the text that an instruction makes is only shown; that of an error is if it `escapes` all handlers."""
    key = id(code), offset, escapes
    known = _verdicts.get(key)
    if known is None or known[0] is not code:
        known = _verdicts[key] = (code, _judged(code, offset, escapes))
    return known[1]


def _judged(code: CodeType, offset: int, escapes: bool) -> bool:
    position = next((p for k, p in enumerate(code.co_positions()) if k == offset // 2), None)
    tree, parents = _module(code.co_filename)
    if tree is None or position is None or None in position:
        return False
    node = _innermost(tree, position)
    return node is not None and _Flow(parents, escapes).is_shown(node)


def _module(file: str) -> tuple[ast.Module | None, dict[ast.AST, ast.AST]]:
    """Return the syntax tree of a file, with the parent of each node; None if there is no source."""
    lines = linecache.getlines(file)
    state = hash(tuple(lines))
    known = _modules.get(file)
    if known is None or known[0] != state:
        try:
            tree = ast.parse("".join(lines)) if lines else None
        except (SyntaxError, ValueError):
            tree = None
        nodes = ast.walk(tree) if tree is not None else ()
        known = _modules[file] = state, tree, {part: node for node in nodes for part in ast.iter_child_nodes(node)}
    return known[1], known[2]


def _innermost(tree: ast.Module, position: tuple) -> ast.AST | None:
    """Return the innermost node around (line, end line, column, end column), columns in bytes."""
    line, end_line, column, end_column = position
    found: ast.AST | None = None
    for node in ast.walk(tree):  # parents before their parts
        if hasattr(node, "lineno") and node.end_lineno is not None:
            begins = (node.lineno, node.col_offset) <= (line, column)
            if begins and (node.end_lineno, node.end_col_offset) >= (end_line, end_column):
                found = node
    return found


class _Flow:
    """Where values go in a syntax tree, of which `parents` has each node's parent."""

    def __init__(self, parents: dict[ast.AST, ast.AST], escapes: bool) -> None:
        self.parents, self.escapes = parents, escapes

    def is_shown(self, node: ast.AST) -> bool:
        """Whether what a node gives ends in a call that shows it, in an error, or in variables of which that is so."""
        while not isinstance(node, ast.stmt):
            parent = self.parents.get(node)
            if isinstance(node, ast.Call) and _called(node) in SHOWING:
                return True
            if isinstance(parent, ast.Assert) and node is parent.msg:
                return self.escapes
            if parent is None or isinstance(node, _FUNCTIONS):
                return False
            node = parent
        if isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            return all(isinstance(target, ast.Name) and self._is_read_to_be_shown(target) for target in targets)
        return isinstance(node, ast.Raise) and self.escapes

    def _is_read_to_be_shown(self, name: ast.Name) -> bool:
        """Whether all reads of a variable, in the function that sets it, show it."""
        owner: ast.AST = name
        while not isinstance(owner, _FUNCTIONS):
            owner = self.parents[owner]
        parts = list(ast.walk(owner))[1:]
        if isinstance(owner, ast.Module) or any(isinstance(part, _SHARING) for part in parts):
            return False
        reads = [part for part in parts if isinstance(part, ast.Name) and part.id == name.id]
        return all(self._ends_shown(part) for part in reads if isinstance(part.ctx, ast.Load))

    def _ends_shown(self, read: ast.AST) -> bool:
        """Whether a read of a variable is within a call that shows it, or an error; not by way of another variable."""
        node = read
        while not isinstance(node, ast.stmt):
            if isinstance(node, ast.Call) and _called(node) in SHOWING:
                return True
            node = self.parents[node]
        return isinstance(node, ast.Raise) and self.escapes


def _called(call: ast.Call) -> str:
    function = call.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
