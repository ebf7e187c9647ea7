"""Elementwise operations: the terms of each operand get its partial derivative as one more factor."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import cast

import pytensor
import pytensor.tensor as pt
from pytensor import scalar as ps
from pytensor.graph.basic import Apply, Constant, Variable
from pytensor.graph.replace import clone_replace, vectorize_graph
from pytensor.tensor.elemwise import Elemwise
from pytensor.tensor.variable import TensorVariable

from autoopt.graph.indexed.table import broadcast, pushes
from autoopt.graph.indexed.terms import NotFactored, Term, at
from autoopt.ops.patterns import rank, uniform


@pushes(Elemwise)
def elementwise(node: Apply, terms: Sequence[list[Term]]) -> list[Term]:
    if len(node.outputs) > 1:
        raise NotFactored(str(node.op))
    out = node.outputs[0]
    found: list[Term] = []
    if out.type.dtype != "float64":
        return found
    for position, own in enumerate(terms):
        if not own:
            continue
        slope = _partial(node, position)
        number = uniform(slope)
        if number == 0.0:
            continue
        for term in own:
            places = broadcast(term.out, node.inputs[position], out.type.shape)
            if number is not None:
                found.append(term.times((), places, number))
            else:
                found.append(term.times([at(slope, places)], places))
    return found


def _partial(node: Apply, position: int) -> Variable:
    """Return the slope of an elementwise result in one operand, over the axes of what it depends on."""
    op, operands = node.op, node.inputs
    scalar = op.scalar_op
    if isinstance(scalar, ps.Add | ps.Identity):
        return pt.constant(1.0)
    if isinstance(scalar, ps.Mul):
        others = [v for k, v in enumerate(operands) if k != position]
        return pt.mul(*others) if len(others) > 1 else others[0]
    dummies, slope = _scalar_slope(op, position, tuple(v.type.dtype for v in operands))
    if isinstance(slope, Constant):
        return slope
    given: dict[Variable, Variable] = dict(zip(dummies, operands, strict=True))
    if rank(node.outputs[0]) == 0:
        return clone_replace(slope, given)
    return vectorize_graph(slope, given)


@cache
def _scalar_slope(op: Elemwise, position: int, dtypes: tuple[str, ...]) -> tuple[list[TensorVariable], TensorVariable]:
    """Return numbers and the slope of the operation on them in one."""
    dummies = [pt.scalar(dtype=dtype) for dtype in dtypes]
    value = cast(TensorVariable, op(*dummies))
    return dummies, cast(TensorVariable, pytensor.grad(value, dummies[position], disconnected_inputs="ignore"))
