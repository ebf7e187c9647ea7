"""Tables that an objective reads outside its arguments: exported functions take them whole, as arguments.

DF["dose"].to_numpy()                          ->   DF, a global        DF["dose"].to_numpy()
np.log1p(self.frame["dose"]).to_numpy()        ->   self.frame          np.log1p(frame["dose"]).to_numpy()

A column by itself would have to be given as what the objective makes of it, and by another name.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from autoopt.objectives.inputs import Input
from autoopt.origin import DATA_LIBRARIES


class Table(NamedTuple):
    """A table, the objective's expression for it, and a name for an argument."""

    expression: str
    name: str
    value: Any


def table_of(given: Input, names: Mapping[str, Any]) -> Table | None:
    """Return the table outside that an input is made of; None if there is none.

    Parameters
    ----------
    given : Input
    names : mapping of str to object
        What the expression's names stand for.
    """
    if not given.expression or given.kind in ("argument", "computed"):
        return None
    found = []
    for node in ast.walk(ast.parse(given.expression, mode="eval")):
        name = _last_name(node)
        if name and _root(node) == given.root:
            found.append((ast.get_source_segment(given.expression, node) or "", name))
    for text, name in sorted(set(found), key=lambda one: len(one[0])):
        value = eval(text, dict(names))
        if type(value).__module__.startswith(DATA_LIBRARIES):
            return Table(text, name, value)
    return None


def in_terms_of(expression: str, table: Table, name: str) -> str:
    """Return an expression with a name in place of its table."""
    return re.sub(rf"(?<![\w.]){re.escape(table.expression)}(?!\w)", lambda _: name, expression)


def _last_name(node: ast.AST) -> str:
    """Return the last name of a path such as `self.frames["train"]`, an empty text of what is none."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return node.attr
    key = node.slice.value if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant) else None
    return key if isinstance(key, str) and key.isidentifier() else ""


def _root(node: ast.AST) -> str:
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""
