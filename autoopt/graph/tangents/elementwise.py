"""Elementwise operations: the factors of the terms are multiplied by their slopes, nothing else changes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np
import pytensor.tensor as pt
from pytensor.gradient import DisconnectedGrad, ZeroGrad
from pytensor.graph.basic import Apply, Variable
from pytensor.graph.replace import clone_replace
from pytensor.scalar import basic as ps
from pytensor.tensor.basic import ScalarFromTensor, TensorFromScalar
from pytensor.tensor.elemwise import Elemwise
from pytensor.tensor.shape import SpecifyShape
from pytensor.tensor.variable import TensorVariable

from autoopt.graph.parts import slopes
from autoopt.graph.tangents.table import Terms, pushes
from autoopt.graph.tangents.terms import Term, read_by, shape, times, widened


@pushes(Elemwise)
def elementwise(node: Apply, given: Sequence[Terms]) -> Terms:
    scalar = node.op.scalar_op
    target = shape(node.outputs[0])
    if isinstance(scalar, ps.Switch):
        condition = cast(TensorVariable, node.inputs[0])
        terms = [_chosen(condition, term, _lengths(node, k), target, k == 1) for k in (1, 2) for term in given[k]]
        return [term for term in terms if term is not None]
    places = [k for k, terms in enumerate(given) if terms]
    found = []
    for k, slope in zip(places, _partials(node, places), strict=True):
        for term in given[k]:
            term = widened(term, _lengths(node, k), target)
            factor = term.factor if slope is None else times(term.factor, read_by(slope, term, target))
            found.append(term.of(factor, term.columns, rows=term.rows))
    return found


def _lengths(node: Apply, k: int) -> tuple[int, ...]:
    return tuple(shape(node.inputs[k]))


def _chosen(condition: TensorVariable, term: Term, within: Sequence[int], target: Sequence[int], yes: bool) -> Term:
    """Return a term where its branch is taken; nothing is multiplied by zero, which would not help against NaN."""
    term = widened(term, within, target)
    mask = read_by(condition, term, target)
    factor = pt.switch(mask, term.factor, 0.0) if yes else pt.switch(mask, 0.0, term.factor)
    return term.of(factor, term.columns, rows=term.rows)


def _partials(node: Apply, places: Sequence[int]) -> list[TensorVariable | None]:
    """Return the derivatives of an elementwise operation by some of its inputs; None stands for one."""
    scalar, inputs = node.op.scalar_op, node.inputs
    if isinstance(scalar, ps.Add | ps.Identity):
        return [None] * len(places)
    if isinstance(scalar, ps.Sub):
        return [pt.constant(np.full((1,) * inputs[0].type.ndim, -1.0)) if k else None for k in places]
    if isinstance(scalar, ps.Mul):
        others = [[v for i, v in enumerate(inputs) if i != k] for k in places]
        return [cast(TensorVariable, node.op(*rest) if len(rest) > 1 else rest[0]) for rest in others]
    if isinstance(scalar, ps.Second):
        return [None if k else pt.zeros_like(inputs[0]) for k in places]
    target = shape(node.outputs[0])
    fresh = {k: pt.tensor(dtype=inputs[k].type.dtype, shape=target) for k in places}
    whole = node.op(*(fresh.get(k, v) for k, v in enumerate(inputs)))
    found = slopes(whole.sum(), list(fresh.values()))
    back: dict[Variable, Variable] = {variable: inputs[k] for k, variable in fresh.items()}
    return cast("list[TensorVariable | None]", clone_replace(found, back, rebuild_strict=False))


@pushes(SpecifyShape, TensorFromScalar, ScalarFromTensor)
def same(node: Apply, given: Sequence[Terms]) -> Terms:
    return list(given[0])


@pushes(DisconnectedGrad, ZeroGrad)
def nothing(node: Apply, given: Sequence[Terms]) -> Terms:
    return []
