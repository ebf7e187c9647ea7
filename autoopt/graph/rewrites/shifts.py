"""Rewrites for softmax-like code: a shift by the maximum is taken out before anything is differentiated.

Users write `u = v - v.max(axis=1, keepdims=True)` and then `u[rows, labels] - np.log(np.exp(u).sum(axis=1))`, in which
the shift cancels. Differentiated as it stands it would cost more than all the rest. So `log(sum(exp(v - c)))` becomes
`logsumexp(v) - c` where c is constant along the axis, indexing moves inside differences, and the algebra of sums does
the rest.
"""

from __future__ import annotations

import pytensor.tensor as pt
from pytensor.gradient import DisconnectedGrad, disconnected_grad
from pytensor.graph.basic import Variable
from pytensor.graph.fg import FunctionGraph
from pytensor.graph.rewriting.basic import EquilibriumGraphRewriter, node_rewriter
from pytensor.scalar.basic import Exp, Log, Sub
from pytensor.tensor.elemwise import DimShuffle, Elemwise
from pytensor.tensor.math import Sum
from pytensor.tensor.reshape import JoinDims, SplitDims
from pytensor.tensor.shape import Reshape, SpecifyShape
from pytensor.tensor.subtensor import AdvancedSubtensor, Subtensor

from autoopt.ops.patterns import is_elementwise
from autoopt.ops.reductions import Largest

MOVES = (DimShuffle, Reshape, SpecifyShape, JoinDims, SplitDims)


def _elementwise(variable: Variable, kind: type) -> list[Variable] | None:
    """Return the operands if `variable` is an elementwise operation of this kind."""
    return list(variable.owner.inputs) if is_elementwise(variable, kind) else None


@node_rewriter([Elemwise])
def log_of_sum_of_exp(fgraph: FunctionGraph, node):
    """log(sum(exp(u))) -> m + log(sum(exp(u - m))), m = max(u) taken as a constant; a shift within u moves outside."""
    operands = _elementwise(node.outputs[0], Log)
    expanded = operands and _through_dims(operands[0])
    if not expanded or not isinstance(expanded[0].owner and expanded[0].owner.op, Sum):
        return None
    total, rebuild = expanded
    summed = _elementwise(total.owner.inputs[0], Exp)
    if not summed:
        return None
    axes = total.owner.op.axis
    axes = tuple(range(summed[0].type.ndim)) if axes is None else tuple(axes)
    if getattr(summed[0].tag, "shifted", False):
        return None
    return [rebuild(_log_sum_exp(summed[0], axes))]


def _log_sum_exp(u: Variable, axes: tuple[int, ...], guarded: bool = True) -> Variable:
    """Return log(sum(exp(u))); `guarded` says whether the largest may be infinite, and the result not NaN for all that.

    A user who subtracts the largest gets NaN there, and parameters are finite.
    """
    operands = _elementwise(u, Sub)
    if operands and all(operands[1].type.shape[axis] == 1 != operands[0].type.shape[axis] for axis in axes):
        rest = [axis for axis in range(u.type.ndim) if axis not in axes]
        shift = pt.as_tensor(operands[1]).dimshuffle(rest)
        inner = _log_sum_exp(operands[0], axes, guarded and not _is_maximum(operands[1], operands[0], axes))
        return inner - (shift if shift.type.shape == inner.type.shape else pt.broadcast_to(shift, inner.type.shape))
    largest = disconnected_grad(pt.max(u, axis=axes, keepdims=True))
    if guarded and not _is_of_parameters(u):
        largest = pt.switch(pt.isinf(largest), 0.0, largest)
    shifted = u - largest
    shifted.tag.shifted = True
    rest = [axis for axis in range(u.type.ndim) if axis not in axes]
    return largest.dimshuffle(rest) + pt.log(pt.sum(pt.exp(shifted), axis=axes))


def _is_maximum(shift: Variable, v: Variable, axes: tuple[int, ...]) -> bool:
    """Whether `shift` is the maximum of `v` along these axes, as a row or a column of it."""
    while shift.owner is not None and isinstance(shift.owner.op, (*MOVES, DisconnectedGrad)):
        shift = shift.owner.inputs[0]
    node = shift.owner
    if node is None or not isinstance(node.op, Largest) or node.inputs[0] is not v:
        return False
    return tuple(range(v.type.ndim) if node.op.axis is None else node.op.axis) == axes


def _is_of_parameters(variable: Variable) -> bool:
    """Whether a variable has entries of the parameters alone, only moved."""
    while variable.owner is not None and isinstance(variable.owner.op, (*MOVES, Subtensor)):
        variable = variable.owner.inputs[0]
    return getattr(variable.tag, "parameters", False)


def _through_dims(variable: Variable):
    """Return what is below an ExpandDims, and how to put it back."""
    node = variable.owner
    if node is not None and isinstance(node.op, DimShuffle):
        order = node.op.new_order
        if [axis for axis in order if axis != "x"] == list(range(node.inputs[0].type.ndim)):
            return node.inputs[0], lambda new: new.dimshuffle(order)
        return None
    return variable, lambda new: new


@node_rewriter([AdvancedSubtensor])
def index_of_difference(fgraph: FunctionGraph, node):
    """(v - c)[rows, j] -> v[rows, j] - c[:, 0], where c is one column and rows counts all rows in order."""
    operands = _elementwise(node.inputs[0], Sub)
    if not operands or len(node.inputs) != 3 or node.inputs[0].type.ndim != 2 or node.inputs[1].type.ndim != 1:
        return None
    v, c = operands
    rows = node.inputs[1]
    counts = getattr(rows.tag, "counts", None)
    if c.type.shape[1] != 1 or v.type.shape[1] == 1 or counts != v.type.shape[0] or c.type.shape[0] != counts:
        return None
    if not all(isinstance(index, int) for index in node.op.idx_list):
        return None
    return [node.op(v, *node.inputs[1:]) - pt.as_tensor(c)[:, 0]]


_REWRITES = [log_of_sum_of_exp, index_of_difference]


def unshift(fgraph: FunctionGraph) -> None:
    """Apply the rewrites of this file to `fgraph`."""
    EquilibriumGraphRewriter(_REWRITES, max_use_ratio=20).rewrite(fgraph)
