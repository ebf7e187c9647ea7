"""What an idiom knows of the sweep that it is part of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from pytensor.graph.basic import Variable
from pytensor.graph.op import Op

from autoopt.ops.patterns import identity

Idiom = Callable[..., Variable | None]
"""A function from a node and the sweep to a better variable, or None."""


def applied(operation: Op, *operands: Variable) -> Variable:
    """Return the only result of an operation."""
    result = operation(*operands)
    assert isinstance(result, Variable)
    return result


@dataclass
class Sweep:
    """One way from the inputs to the results: the idioms, and what they may ask.

    Attributes
    ----------
    idioms : sequence of Idiom
        Tried in this order.
    clients : dict of Variable to int
        How many operands each variable is.
    softplus : set of Variable
        The z of all softplus(z) that the graph has.
    nodes : dict
        What has been made, by operation and operands.
    """

    idioms: Sequence[Idiom]
    clients: dict[Variable, int] = field(default_factory=dict)
    softplus: set[Variable] = field(default_factory=set)
    nodes: dict[tuple, list[Variable]] = field(default_factory=dict)

    def improve(self, variable: Variable) -> Variable:
        """Return `variable` after all idioms that apply, one after another."""
        if variable.owner is None or len(variable.owner.outputs) > 1:
            return variable
        for idiom in self.idioms:
            better = idiom(variable.owner, self)
            if better is not None:
                return better if better.owner is None else self.first(self.improve(better))
        return self.first(variable)

    def first(self, variable: Variable) -> Variable:
        """Return the first variable met that is computed like this one."""
        if variable.owner is None or len(variable.owner.outputs) > 1:
            return variable
        key = (variable.owner.op, *(identity(v) for v in variable.owner.inputs))
        return self.nodes.setdefault(key, [variable])[0]
