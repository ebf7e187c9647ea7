"""Kinks that are none: `abs(u)` and `maximum(u, 0)` are u where u cannot be negative.

At u = 0 they have slopes of their own, 0 and 1/2, with which the second derivative of `abs(x**2)` at 0 would be 0.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytensor.scalar as ps
from pytensor.graph.basic import Constant, Variable
from pytensor.graph.fg import FunctionGraph
from pytensor.scalar.math import Sigmoid, Softplus
from pytensor.tensor.basic import Alloc, Join
from pytensor.tensor.elemwise import DimShuffle, Elemwise
from pytensor.tensor.math import Max, Min, Prod, Sum
from pytensor.tensor.shape import Reshape
from pytensor.tensor.subtensor import Subtensor

from autoopt.ops import scalars
from autoopt.ops.releases import GATHERS, operands_of

_POWERS = (ps.Pow, type(scalars.power.scalar_op))
_MAXIMA = (ps.ScalarMaximum, type(scalars.maximum.scalar_op))
_ALWAYS = (ps.Sqr, ps.Abs, ps.Exp, ps.Exp2, ps.Sqrt, ps.Cosh, Sigmoid, Softplus)
_IF_ALL = (
    *(ps.Add, ps.TrueDiv, ps.IntDiv, ps.Log1p, ps.Expm1, ps.Sinh, ps.ArcSinh, ps.Tanh, ps.ArcTan, ps.Cast, ps.Identity),
    *(ps.ScalarMinimum, type(scalars.minimum.scalar_op), type(scalars.cbrt.scalar_op)),
)
_PARTS = (Alloc, DimShuffle, Reshape, Subtensor, *GATHERS, Sum, Prod, Max, Min)


def drop_signs(graph: FunctionGraph) -> None:
    """Replace absolute values, and maxima with 0, of what is never negative."""
    known: dict[Variable, bool] = {}
    for node in graph.toposort():
        operation = getattr(node.op, "scalar_op", None)
        if not isinstance(node.op, Elemwise) or not isinstance(operation, (ps.Abs, *_MAXIMA)):
            continue
        out = node.outputs[0]
        for kept in node.inputs:
            smaller = all(_at_most_zero(v) for v in node.inputs if v is not kept)
            if smaller and kept.type.is_super(out.type) and never_negative(kept, known):
                graph.replace(out, kept)
                break


def never_negative(variable: Variable, known: dict[Variable, bool]) -> bool:
    """Whether no entry of `variable` can be negative, as far as its expression shows; `known` is of other variables."""
    if variable not in known:
        known[variable] = _shown(variable, lambda part: never_negative(part, known))
    return known[variable]


def _shown(variable: Variable, holds: Callable) -> bool:
    node = variable.owner
    if variable.type.dtype == "bool" or variable.type.dtype.startswith("uint"):
        return True
    if node is None:
        value = _constant(variable)
        return value is not None and bool(np.all(value >= 0))
    if isinstance(node.op, Join):
        return all(map(holds, operands_of(node)))
    if isinstance(node.op, _PARTS):
        return holds(node.inputs[0])
    return isinstance(node.op, Elemwise) and _elementwise(node.op.scalar_op, node.inputs, holds)


def _elementwise(operation: ps.ScalarOp, operands: list[Variable], holds: Callable) -> bool:
    if isinstance(operation, ps.Mul):
        factors = [factor for v in operands for factor in _factors(v)]
        return all(holds(v) for v in factors if factors.count(v) % 2)
    if isinstance(operation, _POWERS):
        return holds(operands[0]) or _is_even(operands[1])
    if isinstance(operation, _MAXIMA):
        return any(map(holds, operands))
    if isinstance(operation, ps.Switch):
        return all(map(holds, operands[1:]))
    return isinstance(operation, _ALWAYS) or (isinstance(operation, _IF_ALL) and all(map(holds, operands)))


def _factors(variable: Variable) -> list[Variable]:
    """Return what `variable` is the product of."""
    node = variable.owner
    if node is None or not isinstance(getattr(node.op, "scalar_op", None), ps.Mul):
        return [variable]
    return [factor for v in node.inputs for factor in _factors(v)]


def _at_most_zero(variable: Variable) -> bool:
    """Whether `variable` is a constant without a positive entry."""
    value = _constant(variable)
    return value is not None and bool(np.all(value <= 0))


def _is_even(variable: Variable) -> bool:
    value = _constant(variable)
    return value is not None and bool(np.all(value % 2 == 0))


def known_number(variable: Variable) -> float | None:
    """Return what all entries of a constant are; None if they differ, or it is no constant."""
    value = _constant(variable)
    if value is None or not value.size or value.dtype.kind not in "fiu":
        return None
    first = value.flat[0]
    return float(first) if np.all(value == first) else None


def _constant(variable: Variable) -> np.ndarray | None:
    """Return the numbers of a constant, of whatever type, spread over more axes or not."""
    while variable.owner is not None and (
        isinstance(variable.owner.op, DimShuffle | Alloc)
        or isinstance(getattr(variable.owner.op, "scalar_op", None), ps.Cast)
    ):
        variable = variable.owner.inputs[0]
    return np.asarray(variable.data) if isinstance(variable, Constant) else None
