"""What differs between the releases of PyTensor that autoopt runs on, 3.0.7 to 3.3; no other file asks which it is.

Read off what a release has, never off its number: later ones moved axes from an operation's inputs to its properties,
merged the indexing by one vector with that by several, and freeze the graphs inside of operations.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

import pytensor.scalar.math as psm
from pytensor.graph.basic import Apply, Constant, Variable
from pytensor.graph.fg import FunctionGraph
from pytensor.tensor import subtensor
from pytensor.tensor.basic import Join, Split
from pytensor.tensor.sort import ArgSortOp, SortOp

try:
    from pytensor.conditional.op import IfElse, ifelse
except ImportError:
    from pytensor.ifelse import IfElse, ifelse

__all__ = [
    "GAMMAS",
    "GATHERS",
    "ROW_GATHERS",
    "ROW_SCATTERS",
    "SCATTERS",
    "IfElse",
    "axis_of",
    "ifelse",
    "infers_shape",
    "operands_of",
    "thawed",
]


def _those_there(module: Any, *names: str) -> tuple[type, ...]:
    return tuple(getattr(module, name) for name in names if hasattr(module, name))


GATHERS = _those_there(subtensor, "AdvancedSubtensor", "AdvancedSubtensor1")
"""Operations that read at arrays of positions."""

SCATTERS = _those_there(subtensor, "AdvancedIncSubtensor", "AdvancedIncSubtensor1")
"""Operations that write, or add, at arrays of positions."""

ROW_GATHERS = _those_there(subtensor, "AdvancedSubtensor1")
ROW_SCATTERS = _those_there(subtensor, "AdvancedIncSubtensor1")
"""Those of one array of positions along the first axis; later releases have none."""

_SCALED = {"GammaU": "gammaincc", "GammaL": "gammainc"}
GAMMAS = {kind: function for name, function in _SCALED.items() for kind in _those_there(psm, name)}
"""The incomplete gamma functions that are gamma times one of scipy.special, with its name; later releases have none."""

_AXES = {Join: 0, Split: 1, SortOp: 1, ArgSortOp: 1}
"""Which input of an operation is its axis, where the axis is an input."""


def _axis_input(op: Any) -> int | None:
    return None if hasattr(op, "axis") else _AXES[type(op)]


def axis_of(node: Apply) -> int | None:
    """Return the axis, counted from the front, of a join, split or sort, or of a stack of them; None if not known."""
    batch = node.op.batch_ndim(node) if hasattr(node.op, "batch_ndim") else 0
    op = getattr(node.op, "core_op", node.op)
    place = _axis_input(op)
    if place is None:
        return batch + op.axis
    axis = node.inputs[place]
    if not isinstance(axis, Constant):
        return None
    numbers = {int(number) for number in axis.data.flat}
    ndim = node.outputs[0].type.ndim - batch
    return batch + numbers.pop() % ndim if len(numbers) == 1 else None


def operands_of(node: Apply) -> list[Variable]:
    """Return the inputs of a join, split or sort, or of a stack of them, without its axis."""
    place = _axis_input(getattr(node.op, "core_op", node.op))
    return [v for number, v in enumerate(node.inputs) if number != place]


def infers_shape(function: Callable[[Any, Apply, Sequence], list]) -> Callable:
    """Make `function(self, node, shapes)` an operation's `infer_shape`, which older releases hand a graph as well."""

    @wraps(function)
    def infer_shape(self: Any, *given: Any) -> list:
        return function(self, *given[-2:])

    del infer_shape.__wrapped__  # newer releases look at its signature
    return infer_shape


def thawed(inner: Any) -> FunctionGraph:
    """Return the graph inside of an operation as one whose nodes may be used in others."""
    return inner.unfreeze() if hasattr(inner, "unfreeze") else inner
