"""Operations that read or move entries: of what, and to where, is found by doing the same to their positions."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any, cast

import numpy as np
import pytensor.tensor as pt
from pytensor.graph.basic import Apply
from pytensor.tensor.basic import Alloc, ExtractDiag
from pytensor.tensor.elemwise import DimShuffle
from pytensor.tensor.extra_ops import CumOp
from pytensor.tensor.shape import Reshape
from pytensor.tensor.subtensor import Subtensor
from pytensor.tensor.variable import TensorVariable

from autoopt.graph.tangents.table import Terms, known, performed, pushes
from autoopt.graph.tangents.terms import (
    Names,
    Term,
    UnknownPositions,
    Unstructured,
    densified,
    is_one_column,
    is_uniform,
    named,
    raised,
    selected,
    shape,
    spread,
    taken,
    thinned,
)
from autoopt.ops.releases import GATHERS

FEW = 4
"""The most parameters that an entry may depend on by one term for each to be followed where it is read."""


@pushes(DimShuffle)
def transposed(node: Apply, given: Sequence[Terms]) -> Terms:
    order = node.op.new_order
    return [_transposed(term, order) if term.rows is None else _at_places(node, term) for term in given[0]]


def _transposed(term: Term, order: Sequence[int | str]) -> Term:
    own, new = term.own, len(order)
    extra = range(own, term.columns.ndim)
    kept = [axis for axis in order if axis != "x"]
    dropped = tuple(axis for axis in range(own) if axis not in kept)
    columns = term.columns.squeeze(dropped).transpose(
        *np.argsort(np.argsort(kept)), *range(len(kept), len(kept) + term.extra)
    )
    columns = np.expand_dims(columns, [axis for axis, source in enumerate(order) if source == "x"])
    assert columns.ndim == new + term.extra
    return term.of(term.factor.dimshuffle(*order, *extra), columns)


@pushes(Subtensor, Reshape, ExtractDiag, *GATHERS)
def moved(node: Apply, given: Sequence[Terms]) -> Terms:
    if any(given[1:]):
        raise Unstructured("an index that depends on the parameters")
    return [term for term in (_read_somewhere(node, term) for term in given[0]) if term is not None]


def _read_somewhere(node: Apply, term: Term) -> Term | None:
    """Return a term of what is read, from anywhere if all entries depend on the same parameters."""
    try:
        return _at_places(node, term)
    except UnknownPositions:
        if term.rows is not None or not is_one_column(term):
            raise
    columns = term.columns.reshape((1,) * node.outputs[0].type.ndim + term.columns.shape[term.own :])
    return term.of(_read_whole(node, term), columns)


def _read_whole(node: Apply, term: Term) -> TensorVariable:
    """Return what is read of a term's factor."""
    rest, ndim = shape(term.factor)[term.own :], node.outputs[0].type.ndim
    if is_uniform(term.factor, term.own):
        return term.factor.reshape((*(1,) * ndim, *rest))
    return cast(TensorVariable, node.op(spread(term.factor, (*shape(node.inputs[0]), *rest)), *node.inputs[1:]))


def read_anywhere(node: Apply, terms: Sequence[Term], count: int) -> Terms:
    """Return the terms of what is read at positions that are no part of the code, of `count` parameters.

    Each entry that is read is a column of its own: which parameter it is stands in an array, one for each term.
    """
    x, *index = node.inputs
    within, target = shape(x), shape(node.outputs[0])
    found = []
    for term in terms:
        if term.rows is not None or prod(term.extents) > FEW:
            own = densified([term], within)
            factor = cast(TensorVariable, node.op(own.factor, *index))
            found.append(Term(factor, own.columns.reshape((1,) * len(target) + (-1,)), 1))
            continue
        lengths = (*target, *term.extents)
        before = np.broadcast_to(term.columns, (*within, *term.extents))
        columns = pt.as_tensor(named(term, before)).reshape(before.shape)
        numbers = cast(TensorVariable, node.op(columns, *index)).reshape((prod(lengths),))
        names = Names(numbers, count)
        found.append(Term(_read_whole(node, term), np.arange(prod(lengths)).reshape(lengths), term.extra, None, names))
    return found


@pushes(CumOp)
def running(node: Apply, given: Sequence[Terms]) -> Terms:
    within = shape(node.inputs[0])
    axis = 0 if node.op.axis is None else node.op.axis
    if node.op.mode != "add" or (node.op.axis is None and len(within) != 1):
        raise Unstructured("a running product")
    found = []
    for term in given[0]:
        if term.rows is not None or term.columns.shape[axis] != 1:
            term = densified([term], within)
        lengths = list(shape(term.factor))
        lengths[axis] = within[axis]
        found.append(term.of(pt.cumsum(spread(term.factor, lengths), axis=axis), term.columns))
    return found


def _places(node: Apply) -> np.ndarray:
    """Return the position in the flat input that each entry of the result is read at."""
    within = shape(node.inputs[0])
    positions = np.arange(prod(within), dtype=float).reshape(within)
    found = performed(node, [positions, *(known(v) for v in node.inputs[1:])])
    return np.asarray(found).astype(np.int64)


def _at_places(node: Apply, term: Term) -> Any:
    places = _places(node)
    if term.rows is not None:
        return selected(term, places)
    within, target, own = shape(node.inputs[0]), places.shape, term.own
    columns = np.broadcast_to(term.columns, (*within, *term.columns.shape[own:]))
    columns = thinned(columns.reshape(-1, *term.columns.shape[own:])[places]) if places.size else columns
    if not places.size:
        return None
    rest = shape(term.factor)[own:]
    if isinstance(node.op, Reshape) and not is_uniform(term.factor, own):
        factor = spread(term.factor, (*within, *rest)).reshape((*target, *rest))
    elif isinstance(node.op, ExtractDiag) and not is_uniform(term.factor, own):
        flat = spread(term.factor, (*within, *rest)).reshape((prod(within), *rest))
        factor = taken(flat, places.reshape(-1)).reshape((*target, *rest))
    else:
        factor = _read_whole(node, term)
    return term.of(factor, columns)


@pushes(Alloc)
def spread_out(node: Apply, given: Sequence[Terms]) -> Terms:
    within, target = shape(node.inputs[0]), shape(node.outputs[0])
    return [raised(term, within, target) for term in given[0]]
