"""Kinks that are none: `abs(u)` and `maximum(u, 0)` are u where u cannot be negative.

At u = 0 they have slopes of their own, 0 and 1/2, with which the second derivative of `abs(x**2)` at 0 would be 0.
"""

from __future__ import annotations

import numpy as np
import pytensor.scalar as ps
import pytensor.tensor as pt
from pytensor.scalar.math import Sigmoid, Softplus
from pytensor.tensor.basic import Alloc, Join
from pytensor.tensor.elemwise import DimShuffle, Elemwise
from pytensor.tensor.math import Max, Min, Prod, Sum
from pytensor.tensor.shape import Reshape
from pytensor.tensor.subtensor import AdvancedSubtensor, AdvancedSubtensor1, Subtensor

from autoopt.rules import scalars

_POWERS = (ps.Pow, type(scalars.power.scalar_op))
_MAXIMA = (ps.ScalarMaximum, type(scalars.maximum.scalar_op))
_ALWAYS = (ps.Sqr, ps.Abs, ps.Exp, ps.Exp2, ps.Sqrt, ps.Cosh, Sigmoid, Softplus)
_IF_ALL = (
    *(ps.Add, ps.TrueDiv, ps.IntDiv, ps.Log1p, ps.Expm1, ps.Sinh, ps.ArcSinh, ps.Tanh, ps.ArcTan, ps.Cast, ps.Identity),
    *(ps.ScalarMinimum, type(scalars.minimum.scalar_op), type(scalars.cbrt.scalar_op)),
)
_PARTS = (Alloc, DimShuffle, Reshape, Subtensor, AdvancedSubtensor, AdvancedSubtensor1, Sum, Prod, Max, Min)


def never_negative(variable: pt.TensorVariable) -> bool:
    """Whether no entry of `variable` can be negative, as far as its expression shows."""
    found = getattr(variable.tag, "never_negative", None)
    if found is None:
        found = variable.tag.never_negative = _shown(variable)
    return found


def _shown(variable: pt.TensorVariable) -> bool:
    node = variable.owner
    if variable.type.dtype == "bool" or variable.type.dtype.startswith("uint"):
        return True
    if node is None:
        return at_least_zero(variable)
    if isinstance(node.op, Join):
        return all(map(never_negative, node.inputs[1:]))
    if isinstance(node.op, _PARTS):
        return never_negative(node.inputs[0])
    return isinstance(node.op, Elemwise) and _elementwise(node.op.scalar_op, node.inputs)


def _elementwise(operation: ps.ScalarOp, operands: list[pt.TensorVariable]) -> bool:
    if isinstance(operation, ps.Mul):
        factors = [factor for v in operands for factor in _factors(v)]
        return all(never_negative(v) for v in factors if factors.count(v) % 2)
    if isinstance(operation, _POWERS):
        return never_negative(operands[0]) or _is_even(operands[1])
    if isinstance(operation, _MAXIMA):
        return any(map(never_negative, operands))
    if isinstance(operation, ps.Switch):
        return all(map(never_negative, operands[1:]))
    return isinstance(operation, _ALWAYS) or (isinstance(operation, _IF_ALL) and all(map(never_negative, operands)))


def _factors(variable: pt.TensorVariable) -> list[pt.TensorVariable]:
    """Return what `variable` is the product of."""
    node = variable.owner
    if node is None or not isinstance(getattr(node.op, "scalar_op", None), ps.Mul):
        return [variable]
    return [factor for v in node.inputs for factor in _factors(v)]


def at_least_zero(variable: pt.TensorVariable) -> bool:
    """Whether `variable` is a constant without a negative entry."""
    value = _constant(variable)
    return value is not None and bool(np.all(value >= 0))


def at_most_zero(variable: pt.TensorVariable) -> bool:
    """Whether `variable` is a constant without a positive entry."""
    value = _constant(variable)
    return value is not None and bool(np.all(value <= 0))


def _is_even(variable: pt.TensorVariable) -> bool:
    value = _constant(variable)
    return value is not None and bool(np.all(value % 2 == 0))


def _constant(variable: pt.TensorVariable) -> np.ndarray | None:
    """Return the numbers of a constant, of whatever type, spread over more axes or not."""
    while variable.owner is not None and (
        isinstance(variable.owner.op, DimShuffle | Alloc)
        or isinstance(getattr(variable.owner.op, "scalar_op", None), ps.Cast)
    ):
        variable = variable.owner.inputs[0]
    return np.asarray(variable.data) if isinstance(variable, pt.TensorConstant) else None
