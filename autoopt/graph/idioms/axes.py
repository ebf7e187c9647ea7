"""Axes that nobody needs: inserted and taken again, shapes that are known, checks that NumPy makes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np
from pytensor import scalar as ps
from pytensor.graph.basic import Apply, Constant, Variable
from pytensor.raise_op import CheckAndRaise
from pytensor.tensor.basic import (
    Join,
    MakeVector,
    ScalarFromTensor,
    TensorFromScalar,
    constant,
    join,
)
from pytensor.tensor.blockwise import Blockwise
from pytensor.tensor.elemwise import DimShuffle, Elemwise
from pytensor.tensor.extra_ops import broadcast_to
from pytensor.tensor.linalg.inverse import MatrixInverse
from pytensor.tensor.linalg.solvers.psd import CholeskySolve
from pytensor.tensor.math import Sum
from pytensor.tensor.shape import Shape, Shape_i
from pytensor.tensor.subtensor import Subtensor
from pytensor.tensor.variable import TensorVariable

from autoopt.graph.idioms.table import Sweep, applied
from autoopt.graph.rewrites.symmetric import Symmetry
from autoopt.ops.patterns import core_of, expanded, insert_axes, is_elementwise, is_zeros, rank, unexpanded
from autoopt.ops.releases import axis_of, operands_of


def same_scalar(node: Apply, sweep: Sweep) -> Variable | None:
    """TensorFromScalar(ScalarFromTensor(x)) -> x."""
    if isinstance(node.op, TensorFromScalar) and (inner := node.inputs[0].owner):
        return inner.inputs[0] if isinstance(inner.op, ScalarFromTensor) else None
    if isinstance(node.op, ScalarFromTensor) and (inner := node.inputs[0].owner):
        return inner.inputs[0] if isinstance(inner.op, TensorFromScalar) else None
    return None


def numpy_checks(node: Apply, sweep: Sweep) -> Variable | None:
    """PyTensor's own check that shapes broadcast -> nothing; NumPy checks again."""
    check = isinstance(node.op, CheckAndRaise) and node.op.msg.startswith("Could not broadcast dimensions")
    return node.inputs[0] if check else None


def vector_element(node: Apply, sweep: Sweep) -> Variable | None:
    """An element of a vector made of scalars, of a constant vector or of a shape -> the scalar itself."""
    if not isinstance(node.op, Subtensor) or node.op.idx_list != (0,) or not isinstance(node.inputs[1], Constant):
        return None
    source, position = node.inputs[0], int(node.inputs[1].data)
    if isinstance(source, Constant) and rank(source) == 1:
        return constant(source.data[position])
    if (pair := expanded(source)) and rank(pair[1]) == 0:
        return pair[1]
    if source.owner and isinstance(source.owner.op, Shape):
        return applied(Shape_i(position % rank(source.owner.inputs[0])), source.owner.inputs[0])
    return source.owner.inputs[position] if source.owner and isinstance(source.owner.op, MakeVector) else None


def add_nothing(node: Apply, sweep: Sweep) -> Variable | None:
    """n + 0 -> n for whole numbers, as in computed indices."""
    if not is_elementwise(node.outputs[0], ps.Add) or not node.outputs[0].type.dtype.startswith("int"):
        return None
    left = [v for v in node.inputs if not (isinstance(unexpanded(v), Constant) and is_zeros(unexpanded(v)))]
    same = len(left) == 1 and left[0].type.dtype == node.outputs[0].type.dtype
    return left[0] if same and left[0].type.broadcastable == node.outputs[0].type.broadcastable else None


def known_length(node: Apply, sweep: Sweep) -> Variable | None:
    """Shape_i of an array of known shape -> the number."""
    if not isinstance(node.op, Shape_i):
        return None
    length = node.inputs[0].type.shape[node.op.i]
    return None if length is None else constant(np.int64(length))


def unbatched(node: Apply, sweep: Sweep) -> Variable | None:
    """Blockwise without leading axes -> the operation itself."""
    if not isinstance(node.op, Blockwise) or node.op.batch_ndim(node):
        return None
    result = node.op.core_op.make_node(*node.inputs).outputs[0]
    return result if result.type.ndim == node.outputs[0].type.ndim else None


def batched_join(node: Apply, sweep: Sweep) -> Variable | None:
    """Blockwise{Join} -> Join along the shifted axis, of arrays with equal batch axes."""
    if not isinstance(node.op, Blockwise) or not isinstance(node.op.core_op, Join):
        return None
    axis, parts = axis_of(node), operands_of(node)
    if axis is None:
        return None
    batch = node.op.batch_ndim(node)
    if any(None in part.type.shape[:batch] for part in parts):
        return join(axis, *_as_long(cast("list[TensorVariable]", parts), batch))
    lead = np.broadcast_shapes(*(part.type.shape[:batch] for part in parts))
    wide = [broadcast_to(part, (*lead, *part.type.shape[batch:])) for part in parts]
    return join(axis, *wide)


def _as_long(parts: Sequence[TensorVariable], batch: int) -> list[TensorVariable]:
    """Return arrays with equal batch axes, of which some lengths are known only when they are run."""
    lead = [next((p.shape[k] for p in parts if p.type.shape[k] != 1), 1) for k in range(batch)]
    same = {tuple(p.type.shape[k] == 1 for k in range(batch)) for p in parts}
    if len(same) == 1:
        return list(parts)
    return [broadcast_to(part, (*lead, *(part.shape[k] for k in range(batch, part.type.ndim)))) for part in parts]


def unit_axis(node: Apply, sweep: Sweep) -> Variable | None:
    """x[:, 0], where the axis has one entry, -> x without that axis."""
    if not isinstance(node.op, Subtensor):
        return None
    (x, *index), entries = node.inputs, node.op.idx_list
    taken = [k for k, entry in enumerate(entries) if not isinstance(entry, slice)]
    whole = all(entry == slice(None) for entry in entries if isinstance(entry, slice))
    zeros = all(isinstance(v, Constant) and int(v.data) in (0, -1) for v in index)
    if not taken or not whole or not zeros or not all(x.type.broadcastable[k] for k in taken):
        return None
    return cast(TensorVariable, x).dimshuffle(*(k for k in range(rank(x)) if k not in taken))


def one_dimshuffle(node: Apply, sweep: Sweep) -> Variable | None:
    """DimShuffle of DimShuffle -> one; none if nothing is moved."""
    if not isinstance(node.op, DimShuffle):
        return None
    (x,) = node.inputs
    order = node.op.new_order
    if x.owner and isinstance(x.owner.op, DimShuffle):
        inner = x.owner.op.new_order
        order = tuple("x" if axis == "x" else inner[axis] for axis in order)
        x = x.owner.inputs[0]
    if order == tuple(range(rank(x))):
        return x
    return cast(TensorVariable, x).dimshuffle(*order) if x is not node.inputs[0] else None


def symmetric_transpose(node: Apply, sweep: Sweep) -> Variable | None:
    """The transpose of an inverse that is symmetric -> the inverse."""
    if not isinstance(node.op, DimShuffle) or node.op.new_order != (1, 0) or node.inputs[0].owner is None:
        return None
    is_inverse = isinstance(core_of(node.inputs[0].owner), MatrixInverse | CholeskySolve)
    return node.inputs[0] if is_inverse and Symmetry().is_matrix(node.inputs[0]) else None


def lift_axes(node: Apply, sweep: Sweep) -> Variable | None:
    """An elementwise operation on operands that all have the same inserted axes -> insert them afterwards."""
    if not isinstance(node.op, Elemwise) or rank(node.outputs[0]) == 0 or len(node.outputs) > 1:
        return None
    pairs = [expanded(v) for v in node.inputs]
    if not any(pairs):
        return None
    axes = {i for pair in pairs if pair for i in pair[0]}
    for v, pair in zip(node.inputs, pairs, strict=True):
        axes &= set(pair[0]) if pair else set(range(rank(v))) if isinstance(v, Constant) and v.data.size == 1 else set()
    if not axes:
        return None
    lifted = []
    for v, pair in zip(node.inputs, pairs, strict=True):
        if pair:
            left = set(pair[0]) - axes
            lifted.append(insert_axes(pair[1], [i - sum(a < i for a in axes) for i in sorted(left)]))
        else:
            assert isinstance(v, Constant)  # others have left no axes
            lifted.append(constant(v.data.reshape((1,) * (rank(v) - len(axes)))))
    return insert_axes(sweep.improve(applied(node.op, *lifted)), sorted(axes))


def lift_sums(node: Apply, sweep: Sweep) -> Variable | None:
    """x[None].sum(axis=1) -> x.sum()[None]: axes are inserted after a sum along others."""
    if not isinstance(node.op, Sum) or (pair := expanded(node.inputs[0])) is None:
        return None
    inserted, x = pair
    wide = rank(node.inputs[0])
    summed = set(range(wide) if node.op.axis is None else node.op.axis)
    own = {axis: k for k, axis in enumerate(axis for axis in range(wide) if axis not in inserted)}
    along = [own[axis] for axis in sorted(summed) if axis in own]
    total = sweep.improve(applied(Sum(axis=along), x)) if along else x
    kept = [axis for axis in range(wide) if axis not in summed]
    return insert_axes(total, [k for k, axis in enumerate(kept) if axis in inserted])
