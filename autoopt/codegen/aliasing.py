"""Which results are arrays of their own, and which look at the memory of others."""

from __future__ import annotations

from pytensor.assumptions.specify import SpecifyAssumptions
from pytensor.compile.ops import ViewOp
from pytensor.gradient import DisconnectedGrad, GradClip, GradScale, ZeroGrad
from pytensor.graph.basic import Apply, Variable
from pytensor.raise_op import CheckAndRaise
from pytensor.scalar import Identity, Second
from pytensor.tensor.basic import (
    Alloc,
    ExtractDiag,
    Split,
)
from pytensor.tensor.elemwise import DimShuffle, Elemwise
from pytensor.tensor.reshape import JoinDims, SplitDims
from pytensor.tensor.shape import Reshape, SpecifyShape
from pytensor.tensor.subtensor import Subtensor

from autoopt.ops.releases import IfElse

VIEWS = (
    *(DimShuffle, Reshape, SpecifyShape, JoinDims, SplitDims, Split),
    *(ExtractDiag, CheckAndRaise, DisconnectedGrad, ZeroGrad, GradClip, GradScale, ViewOp, SpecifyAssumptions),
)


def owned(variable: Variable, deep: bool = True) -> bool:
    """True if computing `variable` makes a new array that is nobody else's.

    With `deep`, a view of a new array that has no other reader counts too.
    """
    node = variable.owner
    if node is None:
        return False
    if _looks(node):
        return deep and not isinstance(node.op, (ExtractDiag, Split, Elemwise, IfElse)) and owned(node.inputs[0])
    return not (isinstance(node.op, Alloc) and not all(node.inputs[0].type.broadcastable))


def _looks(node: Apply) -> bool:
    """True if the result may share memory with the first operand."""
    elementwise = isinstance(node.op, Elemwise) and isinstance(node.op.scalar_op, Identity | Second)
    return elementwise or isinstance(node.op, (*VIEWS, Subtensor, IfElse))


def source(node: Apply) -> int:
    """Return which operand a result that shares memory shares it with."""
    return int(isinstance(node.op, IfElse) or isinstance(getattr(node.op, "scalar_op", None), Second))


def origin(variable: Variable) -> Variable:
    """Return the variable whose memory `variable` may look at."""
    while variable.owner and not owned(variable, deep=False):
        variable = variable.owner.inputs[source(variable.owner)]
    return variable
