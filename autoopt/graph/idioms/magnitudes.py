"""Which arrays may hold numbers near the ends of the range of doubles: exponentials, powers, and what is made of them.

    exp(400 - m) * exp(-v) * tiny        finite in this order; exp(400 - m) * tiny need not be

The product of two of them may overflow, or vanish, where the product with a third factor in between does not. So they
are only multiplied with each other where the user's own function does so.
"""

from __future__ import annotations

from pytensor import scalar as ps
from pytensor.graph.basic import Variable
from pytensor.tensor.elemwise import DimShuffle, Elemwise
from pytensor.tensor.math import Max, Min, Sum
from pytensor.tensor.reshape import JoinDims, SplitDims
from pytensor.tensor.shape import Reshape, SpecifyShape
from pytensor.tensor.subtensor import Subtensor

from autoopt.ops.matmul import MatMul
from autoopt.ops.patterns import is_elementwise
from autoopt.ops.releases import GATHERS

STEEP = (ps.Exp, ps.Exp2, ps.Expm1, ps.Pow, ps.Sinh, ps.Cosh, ps.Gamma, ps.Reciprocal)

FLAT = (
    ps.Log, ps.Log1p, ps.Log2, ps.Log10, ps.Tanh, ps.Sigmoid, ps.Sin, ps.Cos, ps.ArcTan, ps.ArcSinh, ps.Erf, ps.Erfc,
    ps.Sign, ps.GammaLn, ps.Psi,
)  # fmt: skip
"""Functions whose values lie far within the range, whatever their operands."""

THROUGH = (
    *(Sum, Max, Min, MatMul, DimShuffle, Reshape, SpecifyShape, JoinDims, SplitDims, Subtensor),
    *GATHERS,
)


def is_steep(variable: Variable, known: dict[Variable, bool] | None = None) -> bool:
    """Whether the numbers may be extreme where those that the function is given are not."""
    known = {} if known is None else known
    waiting = [variable]
    while waiting:
        v = waiting[-1]
        if v in known:
            waiting.pop()
            continue
        operands = _handed_on(v)
        unknown = [w for w in operands if w not in known]
        if unknown:
            waiting += unknown
            continue
        known[v] = _makes_steep(v) or any(known[w] for w in operands)
        waiting.pop()
    return known[variable]


def _makes_steep(variable: Variable) -> bool:
    return is_elementwise(variable, STEEP)


def _handed_on(variable: Variable) -> list[Variable]:
    """Return the operands whose magnitude a variable has."""
    node = variable.owner
    if node is None or _makes_steep(variable):
        return []
    if isinstance(node.op, Elemwise):
        return [] if isinstance(node.op.scalar_op, FLAT) else list(node.inputs)
    return list(node.inputs) if isinstance(node.op, THROUGH) else []


def is_share(part: Variable, total: Variable) -> bool:
    """Whether `total` is a sum of exponentials of which `part` is one: their quotient lies between 0 and 1."""
    while total.owner is not None and isinstance(total.owner.op, DimShuffle):
        total = total.owner.inputs[0]
    node = total.owner
    if node is None or not (isinstance(node.op, Sum) or is_elementwise(total, ps.Add)):
        return False
    return part in node.inputs and all(is_elementwise(v, ps.Exp) for v in node.inputs)
