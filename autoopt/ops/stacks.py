"""Stacks of what PyTensor has no stacked form for but one that no code is printed of: reading and writing at places.

The places are the same in each entry of the stack, or, where they differ, what is read of is the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytensor.tensor as pt
from pytensor.graph.basic import Apply, Variable
from pytensor.graph.replace import _vectorize_node
from pytensor.tensor.blockwise import vectorize_node_fallback
from pytensor.tensor.extra_ops import SearchsortedOp
from pytensor.tensor.subtensor import (
    IncSubtensor,
    Subtensor,
    indices_from_subtensor,
    vectorize_subtensor,
)

from autoopt.ops.releases import ROW_GATHERS, ROW_SCATTERS


def _axes(node: Apply, batched: Sequence[Variable]) -> list[int]:
    """Return by how many axes each input is a stack."""
    return [new.type.ndim - old.type.ndim for new, old in zip(batched, node.inputs, strict=False)]


@_vectorize_node.register(SearchsortedOp)
def _searchsorted(op: SearchsortedOp, node: Apply, *batched: Variable) -> Any:
    axes = _axes(node, batched)
    if axes[0] or any(axes[2:]):
        return vectorize_node_fallback(op, node, *batched)
    return op.make_node(*batched).outputs


def _gather(op: Any, node: Apply, x: Variable, index: Variable) -> Any:
    stack, places = _axes(node, [x, index])
    if stack and places:
        return vectorize_node_fallback(op, node, x, index)
    return [pt.as_tensor(x)[(*[slice(None)] * stack, index)]]


@_vectorize_node.register(Subtensor)
def _read(op: Subtensor, node: Apply, x: Variable, *places: Variable) -> Any:
    stack, *others = _axes(node, [x, *places])
    if others == [1] and not stack and isinstance(op.idx_list[0], int) and len(op.idx_list) == 1:
        return [pt.as_tensor(x)[places[0]]]
    return vectorize_subtensor(op, node, x, *places)


@_vectorize_node.register(IncSubtensor)
def _write(op: Any, node: Apply, x: Variable, y: Variable, *places: Variable) -> Any:
    stack, values, *others = _axes(node, [x, y, *places])
    axes = max(stack, values)
    lengths = (x if stack == axes else y).type.shape[:axes]
    if any(others) or None in lengths or 0 < min(stack, values) < axes:
        return vectorize_node_fallback(op, node, x, y, *places)
    index = indices_from_subtensor(places, op.idx_list) if isinstance(op, IncSubtensor) else places
    target, value = pt.as_tensor(x), pt.as_tensor(y)
    if stack < axes:
        target = pt.broadcast_to(target, (*lengths, *node.inputs[0].type.shape))
    place = target[(*[slice(None)] * axes, *index)]
    missing = place.type.ndim - axes - node.inputs[1].type.ndim
    if values and missing:
        value = value.dimshuffle(*range(values), *["x"] * missing, *range(values, value.type.ndim))
    return [(pt.set_subtensor if op.set_instead_of_inc else pt.inc_subtensor)(place, value)]


for _kinds, _stacked in ((ROW_GATHERS, _gather), (ROW_SCATTERS, _write)):
    for _kind in _kinds:
        _vectorize_node.register(_kind)(_stacked)
