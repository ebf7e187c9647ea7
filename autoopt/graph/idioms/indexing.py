"""Indexing without the detours that stacking and differentiating it leave."""

from __future__ import annotations

from copy import copy
from typing import Any

from pytensor import scalar as ps
from pytensor.graph.basic import Apply, Constant, Variable
from pytensor.tensor.basic import (
    Eye,
    alloc,
    constant,
)
from pytensor.tensor.blockwise import Blockwise
from pytensor.tensor.elemwise import DimShuffle, Elemwise
from pytensor.tensor.math import Argmax, add
from pytensor.tensor.shape import Shape_i
from pytensor.tensor.subtensor import AdvancedIncSubtensor, AdvancedSubtensor, IncSubtensor

from autoopt.graph.idioms.table import Sweep, applied
from autoopt.graph.rewrites.written import are_apart, reads_for
from autoopt.ops.patterns import expanded, is_zeros, rank
from autoopt.ops.releases import GATHERS, SCATTERS


def indexed_stack(node: Apply, sweep: Sweep) -> Variable | None:
    """Advanced indexing of each array of a stack at the same places -> indexing behind leading slices."""
    if not isinstance(node.op, Blockwise) or not isinstance(node.op.core_op, AdvancedSubtensor | AdvancedIncSubtensor):
        return None
    core, result = node.op.core_op, node.outputs[0]
    arrays = 1 if isinstance(core, AdvancedSubtensor) else 2
    batch = node.op.batch_ndim(node)
    indices = node.inputs[arrays:]
    places = [place for v in indices if (place := _unstacked(v, batch)) is not None]
    if len(places) < len(indices) or any(isinstance(entry, slice) for entry in core.idx_list):
        return None
    operands = list(node.inputs[:arrays])
    wide = [next((v for v in operands if not v.type.broadcastable[i]), operands[0]) for i in range(batch)]
    if operands[0].type.broadcastable[:batch] != result.type.broadcastable[:batch]:
        sizes = [applied(Shape_i(i), v) for i, v in enumerate(wide)]
        operands[0] = applied(
            alloc, operands[0], *sizes, *(applied(Shape_i(i), operands[0]) for i in range(batch, rank(operands[0])))
        )
    op = copy(core)
    op.idx_list = (*[slice(None)] * batch, *core.idx_list)
    return applied(op, *operands, *places)


def _unstacked(variable: Variable, batch: int) -> Variable | None:
    """Return x of `variable` = x with `batch` leading unit axes."""
    if isinstance(variable, Constant) and variable.data.shape[:batch] == (1,) * batch:
        return constant(variable.data.reshape(variable.data.shape[batch:]))
    pair = expanded(variable)
    return pair[1] if pair and pair[0] == tuple(range(batch)) else None


def move_before_writing(node: Apply, sweep: Sweep) -> Variable | None:
    """y = set(x, a, at i), add(y, x[i], at j) -> y = add(x, x[i], at j), set(y, a, at i), where i and j are apart."""
    if not isinstance(node.op, IncSubtensor) or node.op.set_instead_of_inc:
        return None
    before = node.inputs[0].owner
    if before is None or not isinstance(before.op, IncSubtensor) or not before.op.set_instead_of_inc:
        return None
    if sweep.clients.get(before.outputs[0], 0) > 1 or not are_apart(node, before):
        return None
    if not reads_for(node.inputs[1], before.inputs[0], lambda v: True):
        return None
    moved = applied(node.op, before.inputs[0], *node.inputs[1:])
    return applied(before.op, moved, *before.inputs[1:])


def all_rows(node: Apply, sweep: Sweep) -> Variable | None:
    """x[:, eye(n).argmax(axis=0)], along any axis, -> x where n is its length along that axis."""
    if not isinstance(node.op, GATHERS) or len(node.inputs) != 2 or not node.inputs[1].owner:
        return None
    gather: Any = node.op
    axis = gather.idx_list.index(0)
    if any(entry != slice(None) for number, entry in enumerate(gather.idx_list) if number != axis):
        return None
    index = node.inputs[1].owner
    if not isinstance(index.op, Argmax) or len(index.op.axis or ()) != 1 or not index.inputs[0].owner:
        return None
    matrix = index.inputs[0].owner
    if not isinstance(matrix.op, Eye) or matrix.inputs[0] is not matrix.inputs[1] or not is_zeros(matrix.inputs[2]):
        return None
    return node.inputs[0] if _is_length(matrix.inputs[0], node.inputs[0], axis) else None


def _is_length(count: Variable, x: Variable, axis: int) -> bool:
    """True if the scalar `count` is x.shape[axis]."""
    if isinstance(count, Constant):
        return x.type.shape[axis] == int(count.data)
    if x.owner and isinstance(x.owner.op, DimShuffle) and (below := x.owner.op.new_order[axis]) != "x":
        axis, x = below, x.owner.inputs[0]
    return isinstance(count.owner.op, Shape_i) and count.owner.op.i == axis and count.owner.inputs[0] is x


def accumulate(node: Apply, sweep: Sweep) -> Variable | None:
    """a + (zeros, incremented) -> a, incremented: one array instead of two and a sum."""
    if not (isinstance(node.op, Elemwise) and isinstance(node.op.scalar_op, ps.Add)):
        return None
    increments = [v for v in node.inputs if _is_scatter(v, node.outputs[0], sweep)]
    others = [v for v in node.inputs if not any(v is i for i in increments)]
    if not increments or len(set(node.inputs)) < len(node.inputs):
        return None
    if not others:
        others, increments = increments[:1], increments[1:]
    total = add(*others) if len(others) > 1 else others[0]
    if total.type.broadcastable != node.outputs[0].type.broadcastable or not increments:
        return None
    for v in increments:
        total = applied(v.owner.op, total, *v.owner.inputs[1:]) if total.type.dtype == v.type.dtype else add(total, v)
    return total


def _is_scatter(variable: Variable, total: Variable, sweep: Sweep) -> bool:
    """True if `variable` is zeros of the shape of `total` with increments that nobody else reads."""
    if variable.type.broadcastable != total.type.broadcastable or sweep.clients.get(variable, 1) > 1:
        return False
    node = variable.owner
    if node is None or not isinstance(node.op, (IncSubtensor, *SCATTERS)):
        return False
    op: Any = node.op
    return not op.set_instead_of_inc and is_zeros(node.inputs[0]) and node.inputs[0].type.dtype == total.type.dtype
