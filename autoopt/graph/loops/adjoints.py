"""What runs backwards through a loop: adjoints of its carries, slopes of one iteration, cotangents of trajectories."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from typing import cast

import pytensor
import pytensor.tensor as pt
from pytensor.gradient import DisconnectedType
from pytensor.graph.basic import Apply, Constant, Variable
from pytensor.graph.replace import clone_replace
from pytensor.graph.traversal import io_toposort
from pytensor.scalar.basic import Add
from pytensor.tensor.elemwise import Elemwise
from pytensor.tensor.subtensor import IncSubtensor

from autoopt.ops.patterns import applied, identity, is_zero


def adjoints_of(carries: Sequence[Variable]) -> list[Variable]:
    """Return variables for the derivatives by `carries`."""
    return [v.type(name=v.name and f"{v.name}_slope") for v in carries]


def parted(carry: Variable, cotangent: Variable, last: int) -> tuple[Variable, Variable | None]:
    """Return the last entry of a trajectory's cotangent, and the cotangent if other entries may differ from zero."""
    if isinstance(cotangent.type, DisconnectedType):
        return pt.zeros(carry.type.shape), None
    entries: list[Variable] = []
    waiting = [cotangent]
    while waiting:
        node = waiting.pop().owner
        if node and isinstance(node.op, Elemwise) and isinstance(node.op.scalar_op, Add):
            waiting += node.inputs
        elif node and isinstance(node.op, IncSubtensor) and _writes(node, last) and is_zero(node.inputs[0]):
            entries.append(node.inputs[1])
        else:
            return pt.as_tensor(cotangent)[last], cotangent
    return reduce(pt.add, entries), None


def _writes(node: Apply, last: int) -> bool:
    """Whether a write goes to entry `last` along axis 0, and to nothing else."""
    index = node.op.idx_list
    if len(index) != 1 or isinstance(index[0], slice):
        return False
    return isinstance(node.inputs[2], Constant) and node.inputs[2].data == last


def with_known(slopes: Sequence[Variable], known: Mapping[Variable, Variable]) -> list[Variable]:
    """Return `slopes` with what computes the same as a key of `known` replaced, as a tanh that its slope makes anew."""
    first: dict[tuple, Variable] = {}
    found: dict[Variable, Variable] = {}
    for node in io_toposort([], [*known, *slopes]):
        inputs = [found.get(v, v) for v in node.inputs]
        key = (node.op, *map(identity, inputs))
        same = first.setdefault(key, node.outputs[0]) if len(node.outputs) == 1 else node.outputs[0]
        if same is not node.outputs[0]:
            found[node.outputs[0]] = same
        elif inputs != node.inputs:
            found.update(zip(node.outputs, node.clone_with_new_inputs(inputs).outputs, strict=True))
            if len(node.outputs) == 1:
                first[key] = found[node.outputs[0]]
    return clone_replace([found.get(v, v) for v in slopes], {found.get(v, v): new for v, new in known.items()})


def pulled(outputs: Sequence[Variable], adjoints: Sequence[Variable], wrt: Sequence[Variable]) -> list[Variable]:
    """Return the derivatives of sum(outputs * adjoints) with respect to `wrt`.

    A known gradient replaces what comes from further down; a copy of each output, which nothing reads, keeps both.
    """
    known: dict[Variable, Variable] = {
        applied(pt.tensor_copy, out): adjoint for out, adjoint in zip(outputs, adjoints, strict=True)
    }
    slopes = pytensor.grad(None, list(wrt), known_grads=known, disconnected_inputs="ignore", return_disconnected="zero")
    return list(cast(Sequence[Variable], slopes))
