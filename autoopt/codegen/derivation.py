"""From a vectorised tape to the module of one kind of derivative: at once where that can be, else by products."""

from __future__ import annotations

from autoopt.codegen.module import write_by_columns, write_module
from autoopt.errors import UnsupportedFunctionError
from autoopt.graph.derive import derive
from autoopt.graph.kinds import KINDS, at_once
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
    by_columns = row.columns if row.is_symmetric else None
    if by_columns is None:
        return write_module(graph, derive(graph, kind), title)
    if at_once(tape):
        try:
            return write_module(graph, derive(graph, kind), title)
        except (UnsupportedFunctionError, NotImplementedError):  # some operation has no form for all columns
            pass
    return write_by_columns(graph, derive(graph, by_columns), row, title)
