"""From a vectorised tape to the module of one kind of derivative: at once where that can be, else by products."""

from __future__ import annotations

from math import prod

from autoopt.codegen.module import write_by_products, write_module
from autoopt.errors import UnsupportedFunctionError
from autoopt.graph import derive as derivatives
from autoopt.graph.build import Graph
from autoopt.graph.kinds import KINDS, Kind, at_once
from autoopt.graph.stabilisation import stabilised
from autoopt.tape.tape import Tape


def derived_source(tape: Tape, kind: str, title: str) -> str:
    """Return the text of the functions of one kind of derivative.

    Raises
    ------
    UnsupportedFunctionError
        If some function has no derivative, or no text, with the user's lines.
    """
    graph, row = stabilised(tape), KINDS[kind]
    if row.columns is None:
        return write_module(graph, derivatives.derive(graph, kind), title)
    if at_once(tape) or not row.is_symmetric:
        try:
            return write_module(graph, derivatives.derive(graph, kind), title)
        except Exception:  # some operation has no form for all columns; its products are the same matrix
            pass
    first, *others = _products(graph, row)
    try:
        return write_by_products(graph, derivatives.derive(graph, first), row, title)
    except (UnsupportedFunctionError, NotImplementedError):
        if not others:
            raise
    return write_by_products(graph, derivatives.derive(graph, others[0]), row, title)


def _products(graph: Graph, row: Kind) -> list[str]:
    """Return the kinds of the products that make a matrix, those of which fewer are needed first."""
    assert row.columns is not None
    if row.rows is None:
        return [row.columns]
    rows = prod(graph.tape.steps[graph.tape.output].shape)
    return [row.columns, row.rows] if graph.size <= rows else [row.rows, row.columns]
