"""Which data a function has to convert to float64 before it reads them.

The graph has them in float64, and what is given may be of any type: NumPy converts it where it meets what the
parameters decide, as in y * z, but calculates with the data alone in their own type, where -y, y * y and y + y of
unsigned integers wrap round.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
import pytensor.scalar as ps
from pytensor.graph.basic import Apply, Constant, Variable
from pytensor.graph.traversal import io_toposort
from pytensor.tensor.basic import Alloc, Join, MakeVector
from pytensor.tensor.blockwise import Blockwise
from pytensor.tensor.elemwise import DimShuffle, Elemwise
from pytensor.tensor.linalg.solvers.general import Solve
from pytensor.tensor.linalg.solvers.psd import CholeskySolve
from pytensor.tensor.linalg.solvers.triangular import SolveTriangular
from pytensor.tensor.math import Dot, Sum
from pytensor.tensor.reshape import JoinDims, SplitDims
from pytensor.tensor.shape import Reshape, Shape, Shape_i, SpecifyShape
from pytensor.tensor.subtensor import Subtensor

from autoopt.graph.loops.loop import Loop
from autoopt.ops.assembled import Gram
from autoopt.ops.contractions import Einsum
from autoopt.ops.matmul import MatMul
from autoopt.ops.recursions import Appended
from autoopt.ops.releases import GATHERS

_SHOWN = (DimShuffle, Reshape, SpecifyShape, Subtensor, JoinDims, SplitDims, Alloc, *GATHERS)
"""Operations whose first operand's entries, in its own type, are their result."""

_PAIRS = (Elemwise, Dot, MatMul)
"""Operations that are written of two operands at a time, of which one may be of another type."""

_TOGETHER = (Join, MakeVector, Appended, Einsum, Solve, CholeskySolve, SolveTriangular)
"""Operations that cast all their operands to one type before they calculate."""

_FACTORS = (ps.Add, ps.Sub, ps.Mul, ps.TrueDiv)
_SHORT = (ps.Neg, ps.Add, ps.Sub, ps.Mul)

Uses = dict[Variable, list[Apply | None]]


def uses_of_data(data: Collection[Variable], results: Sequence[Variable]) -> Uses:
    """Return what reads `data`, arguments in float64, otherwise than where NumPy converts them.

    None stands for what reads a view of them, or returns them.
    """
    shown: dict[Variable, frozenset[Variable]] = {v: frozenset([v]) for v in data}
    found: Uses = {}
    for node in io_toposort([], results):
        met = [v for v in node.inputs if v in shown]
        if not met or isinstance(node.op, Shape | Shape_i):
            continue
        if isinstance(node.op, _SHOWN) and node.inputs[0] in shown:
            shown[node.outputs[0]] = shown[node.inputs[0]]
            met = [v for v in met[1:] if v is not node.inputs[0]]
        elif isinstance(node.op, Loop):
            met = _met_in_loop(node, shown)
        elif _promotes(node, met, shown):
            continue
        for v in dict.fromkeys(met):
            for source in shown[v]:
                found.setdefault(source, []).append(node if v is source and node.inputs.count(v) == 1 else None)
    for v in results:
        for source in shown.get(v, ()):
            found.setdefault(source, []).append(None)
    return found


def _promotes(node: Apply, met: Sequence[Variable], shown: Mapping) -> bool:
    """Whether NumPy makes float64 of the operands of an operation that may be of another type."""
    op = getattr(node.op, "core_op", node.op) if isinstance(node.op, Blockwise) else node.op
    if isinstance(op, Gram):  # whose rows are multiplied with weights first
        return node.inputs[0] not in shown
    others = [v for v in node.inputs if v not in shown and getattr(v.type, "dtype", "") == "float64"]
    constants = [v for v in others if isinstance(v, Constant)]
    if len(constants) < len(others):
        return isinstance(op, _TOGETHER) or (isinstance(op, _PAIRS) and len(met) == 1)
    if not isinstance(getattr(op, "scalar_op", None), _FACTORS) or len(met) > 1:
        return False
    return any(np.any(np.abs(v.data) != 1.0) for v in constants)  # 0.5 * y is written so, -1.0 * y is -y


def _met_in_loop(node: Apply, shown: Mapping) -> list[Variable]:
    """Return the operands of a loop that are read so within it; what is carried is put into arrays of float64."""
    pairs = list(zip(node.op.inputs, node.inputs, strict=False))[node.op.carries :]
    outer = {inner: v for inner, v in pairs if v in shown}
    return [outer[inner] for inner in uses_of_data(outer, node.op.results)]


def is_short(node: Apply | None) -> bool:
    """Whether an operation reads well of an operand that is converted within its expression."""
    return node is not None and (
        isinstance(node.op, Sum) or (isinstance(node.op, Elemwise) and isinstance(node.op.scalar_op, _SHORT))
    )
