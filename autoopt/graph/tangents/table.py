"""The table of pushes: how the terms of a derivative change by each kind of operation, filled by other files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pytensor.graph.basic import Apply, Constant, Variable

from autoopt.graph.tangents.terms import Term, UnknownPositions

Terms = list[Term]
Push = Callable[[Apply, Sequence[Terms]], Terms]

PUSHES: dict[type, Push] = {}
"""By the operation: the terms of its result, of those of its inputs."""


def pushes(*kinds: type) -> Callable[[Push], Push]:
    """Register how the terms change by operations of these kinds."""

    def register(push: Push) -> Push:
        PUSHES.update(dict.fromkeys(kinds, push))
        return push

    return register


def known(variable: Variable) -> Any:
    """Return the value of a variable that depends on constants alone."""
    if isinstance(variable, Constant):
        return variable.data
    node = variable.owner
    if node is None:
        raise UnknownPositions("an index that is not known")
    return performed(node, [known(v) for v in node.inputs])


def performed(node: Apply, values: Sequence[Any]) -> Any:
    """Return what an operation makes of these values."""
    storage: list[list] = [[None] for _ in node.outputs]
    node.op.perform(node, list(values), storage)
    return storage[0][0]
