"""Which results are arrays of their own, and which look at the memory of others, as the table of printers tells."""

from __future__ import annotations

from pytensor.graph.basic import Variable

from autoopt.codegen.printers.table import view_of


def owned(variable: Variable, deep: bool = True) -> bool:
    """True if computing `variable` makes a new array that is nobody else's.

    With `deep`, a view of a new array that has no other reader counts too.
    """
    node = variable.owner
    if node is None:
        return False
    view = view_of(node)
    return view is None or (deep and view.writable and owned(node.inputs[view.operand]))


def seen(variable: Variable) -> Variable | None:
    """Return the variable whose memory `variable` looks at; None if it is an array of its own, or an input."""
    view = view_of(variable.owner) if variable.owner else None
    return None if view is None else variable.owner.inputs[view.operand]


def origin(variable: Variable) -> Variable:
    """Return the variable whose memory `variable` may look at in the end."""
    while (base := seen(variable)) is not None:
        variable = base
    return variable
