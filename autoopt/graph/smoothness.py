"""Kinks that have cancelled: counts of ties that say nothing of a derivative.

    eta = eta - np.max(eta, axis=1, keepdims=True)           the largest is subtracted, and added in the logarithm: no
    log_p = eta - np.log(np.sum(np.exp(eta), axis=1))        derivative of log_p holds the mask (eta == largest)

Where largest entries tie, the slope of a maximum is that mask, shared out, by convention. A derivative that is put
together from smooth operations alone holds no such mask, so that the convention does not matter to it. At the start of
a softmax regression, where all is zero, thousands tie.
"""

from __future__ import annotations

from collections.abc import Sequence

import pytensor.scalar as ps
from pytensor.graph.basic import Variable
from pytensor.graph.traversal import ancestors, toposort
from pytensor.scalar.math import Sigmoid, Softplus
from pytensor.tensor.basic import Alloc, Join, MakeVector, ScalarFromTensor, TensorFromScalar
from pytensor.tensor.elemwise import DimShuffle, Elemwise
from pytensor.tensor.math import Dot, Max, Sum
from pytensor.tensor.shape import Reshape, SpecifyShape
from pytensor.tensor.subtensor import IncSubtensor, Subtensor

from autoopt.graph.kinds import KINDS
from autoopt.ops.assembled import Assembled, Gram
from autoopt.ops.matmul import MatMul
from autoopt.ops.reductions import Largest, Smallest
from autoopt.ops.releases import GATHERS, SCATTERS
from autoopt.tape.tape import Guard

_SMOOTH_ENTRIES = (
    *(ps.Add, ps.Sub, ps.Mul, ps.TrueDiv, ps.Neg, ps.Sqr, ps.Reciprocal, ps.Exp, ps.Expm1, ps.Log, ps.Log1p, ps.Tanh),
    *(Sigmoid, Softplus, ps.Identity, ps.Second),
    *(ps.IsInf, ps.Switch),  # a sum of exponentials is asked whether its largest term is infinite
)
_SMOOTH = (
    *(Dot, MatMul, Gram, Assembled, Sum, Max, DimShuffle, Reshape, SpecifyShape, Alloc, Join, MakeVector),
    *(TensorFromScalar, ScalarFromTensor, Subtensor, IncSubtensor, *GATHERS, *SCATTERS),
)
"""Among them the largest term of a sum of exponentials, which PyTensor's `Max` is: no rule makes one of the user's."""


Check = tuple[Variable, Guard]


def without_cancelled(checks: tuple[Check, ...], kind: str, results: Sequence[Variable], vector: Variable) -> tuple:
    """Return `checks` without counts of ties of largest or smallest entries, if the derivative does without them.

    Where branches are taken, or positions are found, ties may decide between them.

    Parameters
    ----------
    results : sequence of Variable
        What is returned; the value, if it is among them, may hold what it likes.
    vector : Variable
        The parameters.
    """
    derivative = results[1:] if KINDS[kind].valued else results
    if not checks or not all(guard.kind == "ties" and _counts_extremes(check) for check, guard in checks):
        return checks
    moving = _moving(derivative, vector)
    return () if all(_is_smooth(variable.owner.op) for variable in moving if variable.owner) else checks


def _counts_extremes(check: Variable) -> bool:
    """Whether all that is compared is compared with its own largest or smallest entries."""
    equal = [v.owner for v in ancestors([check]) if v.owner and isinstance(getattr(v.owner.op, "scalar_op", 0), ps.EQ)]
    return bool(equal) and all(any(map(_is_extreme, node.inputs)) for node in equal)


def _is_extreme(variable: Variable) -> bool:
    while variable.owner and isinstance(variable.owner.op, DimShuffle):
        variable = variable.owner.inputs[0]
    return bool(variable.owner) and isinstance(variable.owner.op, Largest | Smallest)


def _moving(variables: Sequence[Variable], vector: Variable) -> list[Variable]:
    """Return what `variables` are computed by that moves with the parameters."""
    moving = {vector: None}
    for node in toposort(list(variables)):
        if any(operand in moving for operand in node.inputs):
            moving |= dict.fromkeys(node.outputs)
    return list(moving)


def _is_smooth(operation: object) -> bool:
    if isinstance(operation, Elemwise):
        return isinstance(operation.scalar_op, _SMOOTH_ENTRIES)
    return isinstance(operation, _SMOOTH)
