"""Derivatives multiplied out: for operations that have no terms, along all parameters of a root at once.

L = cholesky(K)      dK/dp[k], an array over k, i and j        dL/dp[k]: the pushforward of each of its matrices
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any, cast

import pytensor
import pytensor.tensor as pt
from pytensor.graph.basic import Apply, Variable
from pytensor.graph.replace import clone_replace, vectorize_graph
from pytensor.tensor.variable import TensorVariable

from autoopt.graph.indexed.contraction import Contractions
from autoopt.graph.indexed.terms import Label, NotFactored, Place, Term, fixed, over

LARGEST = 2**22
"""Entries of a derivative that is multiplied out, at most."""


def multiplied_out(node: Apply, terms: Sequence[list[Term]], root: TensorVariable) -> list[list[Term]]:
    """Return the terms of a node's results, one each: the array over the root's axes and their own."""
    tangents = [_dense(v, own, root) if own else None for v, own in zip(node.inputs, terms, strict=True)]
    pushed = _pushforward(node, tangents, root.type.ndim)
    return [[] if array is None else [_single(array, root)] for array in pushed]


def _single(array: TensorVariable, root: TensorVariable) -> Term:
    """Return the term with one factor, over the labels of the root and its own."""
    labels = [Label(length) for length in array.type.shape]
    places = [Place((label,)) if label.size != 1 else fixed(0) for label in labels]
    par, out = places[: root.type.ndim], places[root.type.ndim :]
    kept = [axis for axis, label in enumerate(labels) if label.size != 1]
    array = array if len(kept) == len(labels) else array.dimshuffle(kept)
    return Term(1.0, ((array, tuple(labels[axis] for axis in kept)),), tuple(out), tuple(par))


def _dense(variable: Variable, terms: Sequence[Term], root: TensorVariable) -> TensorVariable:
    """Return the derivative as an array over the root's axes and the variable's own."""
    shape = (*root.type.shape, *cast(TensorVariable, variable).type.shape)
    if None in shape or prod(shape) > LARGEST:
        raise NotFactored(f"a derivative of shape {shape}")
    pieces = [_piece(term, shape) for term in terms]
    return pt.add(*pieces) if len(pieces) > 1 else pieces[0]


def _piece(term: Term, shape: tuple[int, ...]) -> TensorVariable:
    places = (*term.par, *term.out)
    labels = tuple(dict.fromkeys(label for place in places for label in place.labels))
    value: Any = Contractions().arranged(term.factors, labels)
    if term.coefficient != 1.0:
        value = pt.mul(term.coefficient, value)
    lengths = tuple(label.size for label in labels)
    value = value if value.type.shape == lengths else pt.alloc(value, *lengths)
    plain = [place.is_plain or (not place.labels and n == 1) for place, n in zip(places, shape, strict=True)]
    if all(plain) and len(labels) == sum(place.is_plain for place in places):
        order: list[Any] = [labels.index(place.labels[0]) if place.labels else "x" for place in places]
        return value if order == list(range(value.type.ndim)) else value.dimshuffle(order)
    index = tuple(over(place, labels) for place in places)
    return cast(TensorVariable, pt.inc_subtensor(pt.zeros(shape)[index], value))


def _pushforward(node: Apply, tangents: Sequence[TensorVariable | None], lead: int) -> list[TensorVariable | None]:
    """Return the tangents of a node's results, with `lead` axes before their own: as slopes of its pullback."""
    inputs: list[Variable] = [v.type() if t is not None else v for v, t in zip(node.inputs, tangents, strict=True)]
    outputs = node.op.make_node(*inputs).outputs
    weights = [cast(TensorVariable, out.type()) for out in outputs]
    moving = [v for v, t in zip(inputs, tangents, strict=True) if t is not None]
    try:
        known: dict[Variable, Variable] = dict(zip(outputs, weights, strict=True))
        pulled = cast(
            "list[TensorVariable]", pytensor.grad(None, moving, known_grads=known, disconnected_inputs="ignore")
        )
        single = [cast(TensorVariable, v.type()) for v in moving]
        along = pt.add(*[(slope * t).sum() for slope, t in zip(pulled, single, strict=True)], 0.0)
        columns = cast("list[Variable]", pytensor.grad(along, weights, disconnected_inputs="ignore"))
    except (NotImplementedError, TypeError, ValueError) as problem:
        raise NotFactored(str(node.op)) from problem
    zeros: dict[Variable, Variable] = {w: pt.zeros(w.type.shape) for w in weights}
    actual = {v: old for v, old, t in zip(inputs, node.inputs, tangents, strict=True) if t is not None}
    columns = clone_replace(clone_replace(columns, zeros), actual)
    moved = [t for t in tangents if t is not None]
    given: dict[Variable, Variable] = {  # constants may be of less precision
        v: t.astype(v.type.dtype) for v, t in zip(single, moved, strict=True)
    }
    if not lead:
        return cast("list[TensorVariable | None]", clone_replace(columns, given))
    found = cast("list[TensorVariable]", vectorize_graph(columns, given))
    stack = moved[0].type.shape[:lead]
    shapes = [(*stack, *cast(TensorVariable, out).type.shape) for out in outputs]
    return [
        pt.specify_shape(one, shape) if None in one.type.shape else one
        for one, shape in zip(found, shapes, strict=True)
    ]
