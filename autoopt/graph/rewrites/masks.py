"""A branch that is not taken must not poison a derivative: masks are carried through what they are multiplied by.

The slope of `where(x > 0, sqrt(x), 0)` is `where(x > 0, g, 0) / (2 sqrt(x))`, NaN at -1. As `where(x > 0, g / (2
sqrt(x)), 0)` it is 0. PyTensor has this rewrite among others, which may move a sum or an index between mask and factor
first; here it comes before them, on the graph as differentiation leaves it.
"""

from __future__ import annotations

import pytensor.tensor as pt
from pytensor import scalar as ps
from pytensor.graph.basic import Apply, Variable
from pytensor.graph.fg import FunctionGraph
from pytensor.tensor.elemwise import DimShuffle, Elemwise
from pytensor.tensor.math import Sum

from autoopt.ops.patterns import is_elementwise_node, is_zero


def carry_masks(graph: FunctionGraph) -> None:
    """Carry masks in `graph` through products, quotients, negations, and sums of terms, or axes, with the same mask."""
    if not any(is_elementwise_node(node, ps.Switch) for node in graph.apply_nodes):
        return
    for node in graph.toposort():
        if isinstance(node.op, Elemwise):
            made = _carried(node)
        else:
            made = _turned(node) if isinstance(node.op, DimShuffle | Sum) else None
        if made is not None and made.type.dtype == node.outputs[0].type.dtype:
            graph.replace(node.outputs[0], node.outputs[0].type.filter_variable(made))


def _carried(node: Apply) -> Variable | None:
    """Return the result of a node with the mask of its operands around it; None if they have none."""
    masks = [_mask(v) for v in node.inputs]
    first, mask = next(((k, mask) for k, mask in enumerate(masks) if mask), (0, None))
    if mask is None:
        return None
    condition, kept, positive = mask
    if is_elementwise_node(node, ps.Add):
        alike = [mask for mask in masks if mask and (mask[0], mask[2]) == (condition, positive)]
        if len(alike) < len(masks):
            return None
        inside = pt.add(*(mask[1] for mask in alike))
    elif is_elementwise_node(node, (ps.Neg, ps.Mul)) or (is_elementwise_node(node, ps.TrueDiv) and first == 0):
        inside = node.op(*(kept if k == first else v for k, v in enumerate(node.inputs)))
    else:
        return None
    return _masked(condition, inside, positive)


def _turned(node: Apply) -> Variable | None:
    """Return a sum, or a view with other axes, with the mask of its operand around it, if it is the same throughout."""
    (source,) = node.inputs
    mask = _mask(source)
    if mask is None or mask[1].type.shape != source.type.shape:
        return None
    condition, kept, positive = pt.as_tensor(mask[0]), mask[1], mask[2]
    if isinstance(node.op, Sum):
        axes = range(source.type.ndim) if node.op.axis is None else node.op.axis
        if not all(condition.type.broadcastable[axis] for axis in axes):
            return None
        condition = condition.dimshuffle([k for k in range(condition.type.ndim) if k not in axes])
    else:
        condition = condition.dimshuffle(node.op.new_order)
    return _masked(condition, node.op(kept), positive)


def _masked(condition: Variable, inside: Variable, positive: bool) -> Variable:
    """Return what `_mask` reads."""
    return pt.switch(condition, inside, 0.0) if positive else pt.switch(condition, 0.0, inside)


def _mask(variable: Variable) -> tuple[Variable, Variable, bool] | None:
    """Return (c, a, True) of where(c, a, 0), (c, a, False) of where(c, 0, a)."""
    node = variable.owner
    if node is None or not is_elementwise_node(node, ps.Switch):
        return None
    condition, yes, no = node.inputs
    if is_zero(no):
        return condition, yes, True
    return (condition, no, False) if is_zero(yes) else None
