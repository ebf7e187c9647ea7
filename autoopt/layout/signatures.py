"""The parameters of functions as documents."""

from __future__ import annotations

import ast

from autoopt.layout.documents import Document, Group
from autoopt.layout.expressions import Expressions
from autoopt.layout.operations import INSIDE, elements
from autoopt.layout.source import Unknown


def _parameters(of: Expressions, node: ast.arguments) -> list[Document]:
    """Return the parameters of a function."""
    plain = [*node.posonlyargs, *node.args]
    if any(p.annotation for p in [*plain, *node.kwonlyargs, *filter(None, (node.vararg, node.kwarg))]):
        raise Unknown("annotations")
    defaults: list[ast.expr | None] = [*[None] * (len(plain) - len(node.defaults)), *node.defaults]
    texts = [_parameter(of, p, default) for p, default in zip(plain, defaults, strict=True)]
    if node.posonlyargs:
        texts.insert(len(node.posonlyargs), "/")
    if node.vararg or node.kwonlyargs:
        texts.append(f"*{node.vararg.arg if node.vararg else ''}")
    texts += [_parameter(of, p, d) for p, d in zip(node.kwonlyargs, node.kw_defaults, strict=True)]
    return [*texts, f"**{node.kwarg.arg}"] if node.kwarg else texts


def _parameter(of: Expressions, node: ast.arg, default: ast.expr | None) -> Document:
    """Return one parameter."""
    return node.arg if default is None else [f"{node.arg}=", of.of(default, INSIDE)]


def signature(of: Expressions, node: ast.FunctionDef) -> Document:
    """Return the parameters of a definition in their parentheses."""
    texts = _parameters(of, node.args)
    return of.bracketed("(", Group(elements(texts)) if texts else "", ")", None)
