"""What a variable of a graph is: a constant, zeros, another with axes inserted, the result of an operation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any, cast

import numpy as np
from pytensor.graph.basic import Apply, Constant, Variable
from pytensor.graph.op import Op
from pytensor.graph.traversal import io_toposort
from pytensor.scalar.basic import Second
from pytensor.tensor.basic import Alloc
from pytensor.tensor.elemwise import DimShuffle, Elemwise
from pytensor.tensor.variable import TensorVariable


def rank(variable: Variable) -> int:
    """Return the number of axes; 0 for PyTensor's scalar types."""
    return getattr(variable.type, "ndim", 0)


def size_in_bytes(variable: Variable) -> int:
    """Return the size of an array of doubles, whose axes of unknown length count as of length 1."""
    return 8 * prod(length or 1 for length in variable.type.shape)


def age(variable: Variable) -> int:
    """Return how many variables were made before this one: an order that is the same in every process."""
    return int(variable.auto_name.removeprefix("auto_"))


def core_of(node: Apply) -> Any:
    """Return the operation of a node that is not over a stack."""
    return getattr(node.op, "core_op", node.op) if rank(node.outputs[0]) <= 2 else node.op


def applied(op: Op, *inputs: Variable | int) -> TensorVariable:
    """Return the result of an operation that has one, an array: PyTensor types it as a variable or several."""
    return cast(TensorVariable, op(*inputs))


def applied_to(op: Op, inputs: Sequence[Variable]) -> list[TensorVariable]:
    """Return the results of an operation that has several, arrays."""
    return cast(list[TensorVariable], op(*inputs, return_list=True))


def renewed(node: Apply, operands: Sequence[Variable]) -> list[tuple[Variable, Variable]]:
    """Return the results of a node, each with what it becomes on other operands, of the same origin."""
    pairs = list(zip(node.outputs, node.op.make_node(*operands).outputs, strict=True))
    for old, new in pairs:
        new.tag.trace = getattr(old.tag, "trace", [])
    return pairs


def without(kind: type[Op], other: Callable[..., Variable], variables: Sequence[Variable]) -> list[Variable]:
    """Return `variables` with what `other` makes of its inputs in place of every operation of a kind."""
    found: dict[Variable, Variable] = {}
    for node in io_toposort([], variables):
        inputs = [found.get(v, v) for v in node.inputs]
        if isinstance(node.op, kind):
            found[node.outputs[0]] = other(*inputs)
        elif any(new is not old for new, old in zip(inputs, node.inputs, strict=True)):
            found.update(zip(node.outputs, node.clone_with_new_inputs(inputs, strict=False).outputs, strict=True))
    return [found.get(v, v) for v in variables]


def identity(variable: Variable) -> object:
    return variable.signature() if isinstance(variable, Constant) and hasattr(variable, "signature") else variable


def is_elementwise(variable: Variable, kind: type | tuple[type, ...]) -> bool:
    """True if `variable` is an elementwise `kind`."""
    return is_elementwise_node(variable.owner, kind)


def is_elementwise_node(node: Apply | None, kind: type | tuple[type, ...]) -> bool:
    """True if `node` is an elementwise `kind`."""
    return node is not None and isinstance(node.op, Elemwise) and isinstance(node.op.scalar_op, kind)


def expanded(variable: Variable) -> tuple[tuple[int, ...], Variable] | None:
    """Return (new axes, x) if `variable` is x with unit axes inserted and nothing else."""
    node = variable.owner
    if node is None or not isinstance(node.op, DimShuffle):
        return None
    kept = [axis for axis in node.op.new_order if axis != "x"]
    if kept != list(range(rank(node.inputs[0]))):
        return None
    return tuple(i for i, axis in enumerate(node.op.new_order) if axis == "x"), node.inputs[0]


def insert_axes(variable: Variable, axes: Sequence[int]) -> Variable:
    """Return `variable` with unit axes at `axes` of the result."""
    if not axes:
        return variable
    numbers = iter(range(rank(variable)))
    order = ["x" if i in axes else next(numbers) for i in range(rank(variable) + len(axes))]
    return variable.dimshuffle(*order)


def unexpanded(variable: Variable) -> Variable:
    pair = expanded(variable)
    return pair[1] if pair else variable


def is_zeros(variable: Variable) -> bool:
    """True if `variable` is an array of zeros."""
    if isinstance(variable, Constant):
        return not np.any(variable.data)
    node = variable.owner
    return bool(node) and isinstance(node.op, Alloc) and is_zeros(node.inputs[0])


def is_zero(variable: Variable) -> bool:
    """True if all entries are known to be zero, spread over more axes or filled in or not, as gradients begin with."""
    while variable.owner is not None:
        filled = is_elementwise(variable, Second)
        if not filled and not isinstance(variable.owner.op, DimShuffle | Alloc):
            return False
        variable = variable.owner.inputs[1 if filled else 0]
    return isinstance(variable, Constant) and not np.any(variable.data)


def uniform(variable: Variable) -> float | None:
    """Return the number that all entries are, None if they are not."""
    while variable.owner is not None and isinstance(variable.owner.op, DimShuffle | Alloc):
        variable = variable.owner.inputs[0]
    if isinstance(variable, Constant):
        values = np.unique(variable.data)
        return float(values[0]) if values.size == 1 and np.isfinite(values[0]) else None
    return None
