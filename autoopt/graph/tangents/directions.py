"""An operation that has no push of its own: its pushforward, in all directions at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import cast

import numpy as np
import pytensor.tensor as pt
from pytensor.graph.basic import Apply, Variable
from pytensor.graph.replace import clone_replace, vectorize_graph
from pytensor.tensor.variable import TensorVariable

from autoopt.graph.parts import slopes
from autoopt.graph.tangents.table import Terms
from autoopt.graph.tangents.terms import Term, Unstructured, dense, shape, span

MOST = 2**24
"""The most numbers that the directions of one array may be."""


def in_all_directions(node: Apply, given: Sequence[Terms]) -> list[Terms]:
    """Return the terms of an operation's results as dense arrays: its pushforward, in all directions at once."""
    places = [k for k, terms in enumerate(given) if terms]
    terms = [term for k in places for term in given[k]]
    first, last = span(terms)
    width = last - first
    if any(width * prod(shape(v)) > MOST for v in (*node.outputs, *(node.inputs[k] for k in places))):
        raise Unstructured("too many directions")
    fresh = {k: cast(TensorVariable, node.inputs[k].type()) for k in places}
    own = node.clone_with_new_inputs([fresh.get(k, v) for k, v in enumerate(node.inputs)])
    numbers = [k for k, v in enumerate(own.outputs) if v.type.dtype == "float64"]
    tangents = {k: cast(TensorVariable, v.type()) for k, v in fresh.items()}
    try:
        along = _along([own.outputs[k] for k in numbers], fresh, tangents)
    except NotImplementedError as problem:
        raise Unstructured(str(problem)) from problem
    directions: dict[Variable, Variable] = {
        tangents[k]: _in_front(dense(given[k], shape(node.inputs[k]), first, last)) for k in places
    }
    stacks = cast("list[TensorVariable]", vectorize_graph(along, directions))
    back: dict[Variable, Variable] = {variable: node.inputs[k] for k, variable in fresh.items()}
    stacks = cast("list[TensorVariable]", clone_replace(stacks, back, rebuild_strict=False))
    found: list[Terms] = [[] for _ in node.outputs]
    for k, stack in zip(numbers, stacks, strict=True):
        ndim = node.outputs[k].type.ndim
        if stack.ndim == ndim + 1:  # else it depends on none of them
            columns = np.arange(first, last).reshape((1,) * ndim + (-1,))
            found[k] = [Term(stack.dimshuffle(*range(1, ndim + 1), 0), columns, 1)]
    return found


def _in_front(array: TensorVariable) -> TensorVariable:
    """Return an array with its last axis first."""
    return array.dimshuffle(array.ndim - 1, *range(array.ndim - 1))


def _along(
    results: Sequence[Variable], operands: Mapping[int, TensorVariable], tangents: Mapping[int, TensorVariable]
) -> list[TensorVariable]:
    """Return how the results change along tangents of the operands: a pullback is linear in its cotangents."""
    cotangents = [cast(TensorVariable, v.type()) for v in results]
    whole = pt.add(*[(c * v).sum() for c, v in zip(cotangents, results, strict=True)], pt.constant(0.0))
    gradient = slopes(whole, list(operands.values()))
    along = pt.add(*[(t * g).sum() for t, g in zip(tangents.values(), gradient, strict=True)], pt.constant(0.0))
    zeros: dict[Variable, Variable] = {c: pt.zeros(shape(v)) for c, v in zip(cotangents, results, strict=True)}
    return cast("list[TensorVariable]", clone_replace(slopes(along, cotangents), zeros))
