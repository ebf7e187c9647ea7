"""How a function uses its names: what need not be in memory where one is set, as it is computed where that is read."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Uses:
    """The names of a function that are set once.

    Attributes
    ----------
    reads : dict of str to int
        How often they are met otherwise.
    passing : frozenset of str
        Those read once, by a statement beside the one that sets them.
    entrywise : frozenset of str
        Those read by nothing but what computes entries from entries.
    composed : frozenset of str
        Those of new arrays that are written into, part by part, before another name stands for a part of them.
    """

    reads: Mapping[str, int]
    passing: frozenset[str]
    entrywise: frozenset[str]
    composed: frozenset[str]


def uses_of(definition: ast.FunctionDef) -> Uses:
    """Return how the names of a function are used."""
    counts = Counter((node.id, type(node.ctx)) for node in ast.walk(definition) if isinstance(node, ast.Name))
    bodies = [node.body for node in ast.walk(definition) if isinstance(node, ast.FunctionDef | ast.For)]
    beside: set[str] = set()
    composed: set[str] = set()
    for body in bodies:
        statements = [statement for statement in body if not isinstance(statement, ast.For)]
        beside |= _names(statements, ast.Store) & _names(statements, ast.Load)
        composed |= _composed(statements)
    once = {name for name in beside if counts[name, ast.Store] == 1}
    parents = {child: node for node in ast.walk(definition) for child in ast.iter_child_nodes(node)}
    reads = [node for node in parents if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)]
    shared = _shared(definition)
    return Uses(
        {name: counts[name, ast.Load] for name in once},
        frozenset(name for name in once if counts[name, ast.Load] == 1),
        frozenset(once - shared - {node.id for node in reads if not _is_entrywise(node, parents)}),
        frozenset(composed & once - shared),
    )


def _names(statements: Sequence[ast.stmt], context: type) -> set[str]:
    nodes = [node for statement in statements for node in ast.walk(statement)]
    return {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, context)}


def written(statement: ast.stmt) -> str | None:
    """Return the name of the array that a statement writes into; None if there is none."""
    target: ast.expr | None = statement.target if isinstance(statement, ast.AugAssign) else None
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        target = statement.targets[0]
    if isinstance(target, ast.Subscript):
        target = target.value
    elif isinstance(statement, ast.Assign):
        return None
    return target.id if isinstance(target, ast.Name) else None


def _composed(body: Sequence[ast.stmt]) -> set[str]:
    """Return names of new arrays that are written into before anything else may look at their memory."""
    waiting: dict[str, bool] = {}
    for statement in body:
        target = written(statement)
        if target is not None:
            waiting |= {target: True} if target in waiting else {}
        elif _is_new(statement):
            waiting[next(iter(_names([statement], ast.Store)))] = False
        else:
            for name in _names([statement], ast.Load) & waiting.keys():
                if not waiting[name] or any(written(later) == name for later in body[body.index(statement) :]):
                    del waiting[name]
    return {name for name, is_written in waiting.items() if is_written}


def _is_new(statement: ast.stmt) -> bool:
    """Whether a statement gives a name to a new array."""
    if not isinstance(statement, ast.Assign) or not isinstance(statement.targets[0], ast.Name):
        return False
    value = statement.value
    copied = isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute) and value.func.attr in NEW
    return copied or isinstance(value, ast.BinOp | ast.UnaryOp)


NEW = ("copy", "zeros", "ones", "full")
"""Functions and methods that make new arrays whose entries are computed one by one."""


def _shared(definition: ast.FunctionDef) -> set[str]:
    """Return the names of arrays that are written into by way of other names of their parts."""
    statements = [node for node in ast.walk(definition) if isinstance(node, ast.stmt)]
    into = {name for statement in statements if (name := written(statement))}
    views = [node for node in statements if isinstance(node, ast.Assign) and not _is_new(node) and not written(node)]
    shared: set[str] = set()
    while (
        more := {
            name for view in views if _names([view], ast.Store) & (into | shared) for name in _names([view], ast.Load)
        }
        - shared
    ):
        shared |= more
    return shared


def _is_entrywise(node: ast.AST, parents: Mapping[ast.AST, ast.AST]) -> bool:
    """Whether what is read here is for a statement that computes entries from entries, one by one."""
    parent = parents[node]
    while isinstance(parent, ast.Subscript) and parent.value is node:
        node, parent = parent, parents[parent]
    if isinstance(parent, ast.Attribute):
        return parent.attr == "copy"
    if isinstance(parent, ast.Call):
        name = parent.func.attr if isinstance(parent.func, ast.Attribute) else ""
        return name == "where" or isinstance(getattr(np, name, None), np.ufunc)
    if isinstance(parent, ast.BinOp):
        return not isinstance(parent.op, ast.MatMult)
    if isinstance(parent, ast.Tuple):
        return isinstance(parents[parent], ast.Assign)
    return isinstance(parent, ast.UnaryOp | ast.Compare | ast.Assign | ast.AugAssign)
