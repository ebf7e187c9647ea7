"""Which of the tape's steps the variables of a rewritten graph stand for.

PyTensor's rewrites hand the mark of a step on to what they put in the place of a variable, but not always: of two
equal expressions that are merged, the one without a mark may stay. So what is written as a marked variable was before
it was rewritten, or when it was stabilised, of the same operands, is taken for it.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
from pytensor.graph.basic import Constant, Variable
from pytensor.graph.traversal import ancestors, io_toposort
from pytensor.scalar import Add, Mul

from autoopt.graph.build import Graph, build, origin
from autoopt.ops.patterns import expanded, rank


def origins(graph: Graph, roots: Sequence[Variable]) -> dict[Variable, int]:
    """Return the step of each variable on the way to `roots` that stands for one.

    Of several roots the first two are a value and its derivative, if the first is a number: of what the derivative
    alone reads, marks say nothing.
    """
    keys: dict[Hashable, int] = {}
    for value in (build(graph.tape).value, graph.value):
        _enter([value], {}, keys)
    found: dict[Variable, int] = {}
    _enter(roots, found, keys)
    if len(roots) > 1 and not rank(roots[0]):
        forward = set(ancestors([roots[0], *roots[2:]]))
        found = {variable: index for variable, index in found.items() if variable in forward}
    return found


def _enter(roots: Sequence[Variable], steps: dict[Variable, int], keys: dict[Hashable, int]) -> None:
    """Enter the steps of the variables on the way to `roots`, and what each of these is of its operands."""
    for node in io_toposort([], roots):
        for variable in node.outputs if len(node.outputs) == 1 else ():
            key = _key(variable, steps)
            index = origin(variable)
            index = keys.get(key) if index is None else index
            if index is not None:
                steps[variable] = index
                keys.setdefault(key, index)
        for variable in node.outputs:
            if (index := origin(variable)) is not None:
                steps[variable] = index


def _key(variable: Variable, steps: dict[Variable, int]) -> Hashable:
    node = variable.owner
    parts = [_part(operand, steps) for operand in node.inputs]
    commutes = isinstance(getattr(node.op, "scalar_op", None), Add | Mul)
    return (node.op, *(sorted(parts, key=repr) if commutes else parts))


def _part(variable: Variable, steps: dict[Variable, int]) -> Hashable:
    pair = expanded(variable)
    variable = pair[1] if pair else variable
    index = steps.get(variable, origin(variable))
    if index is not None:
        return index
    if isinstance(variable, Constant):
        number = np.asarray(variable.data)
        return float(number.item()) if number.size == 1 and number.dtype.kind in "fiu" else repr(variable.data)
    return variable
