"""How the terms of a derivative change by an operation: a function for each kind, in the table PUSHES."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import prod
from typing import Any, cast

import numpy as np
import pytensor.tensor as pt
from pytensor.gradient import DisconnectedGrad, ZeroGrad
from pytensor.graph.basic import Apply, Constant, Variable
from pytensor.graph.replace import clone_replace, vectorize_graph
from pytensor.scalar import basic as ps
from pytensor.tensor.basic import Alloc, ExtractDiag, Join, MakeVector, ScalarFromTensor, TensorFromScalar
from pytensor.tensor.blockwise import Blockwise
from pytensor.tensor.elemwise import CAReduce, DimShuffle, Elemwise
from pytensor.tensor.extra_ops import CumOp
from pytensor.tensor.math import Dot, Sum
from pytensor.tensor.shape import Reshape, SpecifyShape
from pytensor.tensor.subtensor import IncSubtensor, Subtensor
from pytensor.tensor.variable import TensorVariable

from autoopt.graph.parts import slopes
from autoopt.graph.tangents.terms import (
    VIRTUAL,
    Term,
    UnknownPositions,
    Unstructured,
    at_rows,
    block,
    dense,
    densified,
    gathered,
    is_one_column,
    is_uniform,
    padded,
    selected,
    span,
    spread,
    taken,
    thinned,
    times,
)
from autoopt.ops.operands import shape
from autoopt.ops.releases import GATHERS, SCATTERS, axis_of, operands_of

Terms = list[Term]
Push = Callable[[Apply, Sequence[Terms]], Terms]

PUSHES: dict[type, Push] = {}
"""By the operation: the terms of its result, of those of its inputs."""


def pushes(*kinds: type) -> Callable[[Push], Push]:
    """Register how the terms change by operations of these kinds."""

    def register(push: Push) -> Push:
        PUSHES.update(dict.fromkeys(kinds, push))
        return push

    return register


def pushed(node: Apply, given: Sequence[Terms]) -> list[Terms]:
    """Return the terms of each of a node's results, of those of its inputs; where there is no rule, as dense arrays.

    Raises
    ------
    Unstructured
        If no structure is left.
    """
    kind = next((kind for kind in type(node.op).__mro__ if kind in PUSHES), None)
    if kind is not None and len(node.outputs) == 1:
        try:
            return [gathered(PUSHES[kind](node, given))]
        except UnknownPositions:
            raise
        except Unstructured:
            pass
    return in_all_directions(node, given)


def known(variable: Variable) -> Any:
    """Return the value of a variable that depends on constants alone."""
    if isinstance(variable, Constant):
        return variable.data
    node = variable.owner
    if node is None:
        raise UnknownPositions("an index that is not known")
    return performed(node, [known(v) for v in node.inputs])


def performed(node: Apply, values: Sequence[Any]) -> Any:
    """Return what an operation makes of these values."""
    storage: list[list] = [[None] for _ in node.outputs]
    node.op.perform(node, list(values), storage)
    return storage[0][0]


# Elementwise ----------------------------------------------------------------------------------------------------------


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
            term = _widened(term, _lengths(node, k), target)
            factor = term.factor if slope is None else times(term.factor, _read(slope, term, target))
            found.append(Term(factor, term.columns, term.extra, term.rows))
    return found


def _lengths(node: Apply, k: int) -> tuple[int, ...]:
    return tuple(shape(node.inputs[k]))


def _widened(term: Term, within: Sequence[int], target: Sequence[int]) -> Term:
    """Return a term of some rows for an array that is broadcast."""
    if term.rows is None or tuple(within) == tuple(target):
        return term
    positions = np.broadcast_to(np.arange(prod(within)).reshape(within), target)
    return cast(Term, selected(term, positions))


def _read(variable: TensorVariable, term: Term, target: Sequence[int]) -> TensorVariable:
    """Return the entries of an array that those of a term are multiplied by."""
    if term.rows is None:
        return padded(variable, term.extra)
    if is_uniform(variable, variable.ndim):
        return variable.reshape((1,) * (1 + term.extra))
    return padded(taken(spread(variable, target).reshape((prod(target),)), term.rows), term.extra)


def _chosen(condition: TensorVariable, term: Term, within: Sequence[int], target: Sequence[int], yes: bool) -> Term:
    """Return a term where its branch is taken; nothing is multiplied by zero, which would not help against NaN."""
    term = _widened(term, within, target)
    mask = _read(condition, term, target)
    factor = pt.switch(mask, term.factor, 0.0) if yes else pt.switch(mask, 0.0, term.factor)
    return Term(factor, term.columns, term.extra, term.rows)


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


# What only moves entries ----------------------------------------------------------------------------------------------


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
    return Term(term.factor.dimshuffle(*order, *extra), columns, term.extra)


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
    target, rest = shape(node.outputs[0]), shape(term.factor)[term.own :]
    columns = term.columns.reshape((1,) * len(target) + term.columns.shape[term.own :])
    if is_uniform(term.factor, term.own):
        return Term(term.factor.reshape((*(1,) * len(target), *rest)), columns, term.extra)
    factor = node.op(spread(term.factor, (*shape(node.inputs[0]), *rest)), *node.inputs[1:])
    return Term(cast(TensorVariable, factor), columns, term.extra)


def unknown(node: Apply, terms: Sequence[Term], base: int) -> tuple[Terms, list[tuple[int, TensorVariable]]]:
    """Return the terms of what is read at positions that are not known, and what their columns are.

    Where what is read is parameters as they are, each entry that is read is a column of its own, from `base` on: which
    parameter it is stands in an array, one for each such term.
    """
    x, *index = node.inputs
    within, target = shape(x), shape(node.outputs[0])
    found, columns = [], []
    for term in terms:
        is_plain = term.rows is None and not term.extra and is_uniform(term.factor, term.own) and not block(term.columns)
        if is_plain:
            numbers = pt.constant(np.broadcast_to(term.columns, within).copy())
            start = base + VIRTUAL * len(columns)
            columns.append((start, cast(TensorVariable, node.op(numbers, *index)).reshape((prod(target),))))
            factor = term.factor.reshape((1,) * len(target))
            found.append(Term(factor, start + np.arange(prod(target)).reshape(target)))
        else:
            own = densified([term], within)
            factor = cast(TensorVariable, node.op(own.factor, *index))
            found.append(Term(factor, own.columns.reshape((1,) * len(target) + (-1,)), 1))
    return found, columns


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
        found.append(Term(pt.cumsum(spread(term.factor, lengths), axis=axis), term.columns, term.extra))
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
    if is_uniform(term.factor, own):
        factor = term.factor.reshape((*(1,) * len(target), *rest))
    elif isinstance(node.op, Reshape):
        factor = spread(term.factor, (*within, *rest)).reshape((*target, *rest))
    elif isinstance(node.op, ExtractDiag):
        flat = spread(term.factor, (*within, *rest)).reshape((prod(within), *rest))
        factor = taken(flat, places.reshape(-1)).reshape((*target, *rest))
    else:
        factor = node.op(spread(term.factor, (*within, *rest)), *node.inputs[1:])
    return Term(cast(TensorVariable, factor), columns, term.extra)


@pushes(Alloc)
def spread_out(node: Apply, given: Sequence[Terms]) -> Terms:
    within, target = shape(node.inputs[0]), shape(node.outputs[0])
    more = len(target) - len(within)
    found = []
    for term in given[0]:
        if term.rows is not None:
            positions = np.broadcast_to(np.arange(prod(within)).reshape(within), target)
            found.append(cast(Term, selected(term, positions)))
        else:
            factor = term.factor.dimshuffle(*["x"] * more, *range(term.factor.ndim))
            found.append(Term(factor, term.columns[(None,) * more], term.extra))
    return found


# What puts arrays together --------------------------------------------------------------------------------------------


@pushes(Join)
def joined(node: Apply, given: Sequence[Terms]) -> Terms:
    parts, axis = operands_of(node), axis_of(node)
    if axis is None:
        raise Unstructured("an axis that is not known")
    target = shape(node.outputs[0])
    positions = np.arange(prod(target)).reshape(target)
    ends = np.cumsum([shape(part)[axis] for part in parts])
    slabs = np.split(positions, ends[:-1], axis=axis)
    own = given[len(node.inputs) - len(parts) :]
    return _collected(
        at_rows(term, shape(part), slab)
        for part, slab, terms in zip(parts, slabs, own, strict=True)
        for term in terms
    )


@pushes(MakeVector)
def vector(node: Apply, given: Sequence[Terms]) -> Terms:
    return _collected(at_rows(term, (), np.array([k])) for k, terms in enumerate(given) for term in terms)


def _collected(terms: Any) -> Terms:
    """Return the terms, those of single entries as one."""
    terms = list(terms)
    alone = [term for term in terms if term.rows.size == 1 and not term.extra and not block(term.columns)]
    if len(alone) < 2:
        return terms
    others = [term for term in terms if not any(term is one for one in alone)]
    factor = pt.stack([term.factor[0] for term in alone])
    columns, rows = (np.concatenate([getattr(term, name) for term in alone]) for name in ("columns", "rows"))
    return [*others, Term(factor, columns, 0, rows)]


@pushes(IncSubtensor, *SCATTERS)
def written(node: Apply, given: Sequence[Terms]) -> Terms:
    x, value, *index = node.inputs
    if any(given[2:]):
        raise Unstructured("an index that depends on the parameters")
    within = shape(x)
    try:
        places = _written_places(node, within)
    except UnknownPositions:
        return _written_somewhere(node, given)
    is_set = node.op.set_instead_of_inc
    if is_set and np.unique(places).size != places.size:
        raise Unstructured("positions that are written twice")
    found = [term for term in (_kept(term, within, places) for term in given[0]) if term is not None] if is_set else []
    own = shape(value)
    more = places.ndim - len(own)
    for term in given[1]:
        if term.rows is None:
            factor = term.factor.dimshuffle(*["x"] * more, *range(term.factor.ndim))
            placed = at_rows(Term(factor, term.columns[(None,) * more], term.extra), places.shape, places)
        else:
            positions = np.broadcast_to(np.arange(prod(own)).reshape(own), places.shape)
            part = cast(Term, selected(term, positions))
            placed = Term(part.factor, part.columns, part.extra, places.reshape(-1)[part.rows])
        found.append(placed)
    return _collected(found) if is_set and not given[0] else [*(given[0] if not is_set else []), *found]


def _written_places(node: Apply, within: Sequence[int]) -> np.ndarray:
    """Return the flat positions that are written, in the shape of what is written there."""
    index = node.inputs[2:]
    positions = np.arange(prod(within)).reshape(within)
    if isinstance(node.op, IncSubtensor):
        place = Subtensor(node.op.idx_list)(pt.constant(positions), *index).owner
        return np.asarray(performed(place, [positions, *map(known, index)]))
    numbers = [known(v) for v in index]
    entries = getattr(node.op, "idx_list", None) or tuple(range(len(numbers)))
    if any(isinstance(entry, slice) and entry != slice(None) for entry in entries):
        raise UnknownPositions("slices beside arrays of positions")
    return np.asarray(positions[tuple(entry if isinstance(entry, slice) else numbers[entry] for entry in entries)])


def _written_somewhere(node: Apply, given: Sequence[Terms]) -> Terms:
    """Return the terms where it is not known which entries are written: arrays that are written in the same way."""
    x, value, *index = node.inputs
    found = []
    for number, terms, within in ((0, given[0], shape(x)), (1, given[1], shape(value))):
        for term in terms:
            term = term if term.rows is None and is_one_column(term) else densified([term], within)
            rest = term.extents
            zeros = pt.zeros((*shape(x), *rest))
            factor = spread(term.factor, (*within, *rest))
            if number:
                factor = node.op(zeros, factor, *index)
            elif node.op.set_instead_of_inc:
                factor = node.op(factor, pt.constant(0.0), *index)
            own = (1,) * len(shape(x))
            found.append(Term(cast(TensorVariable, factor), term.columns.reshape(*own, *rest), term.extra))
    return found


def _kept(term: Term, within: Sequence[int], places: np.ndarray) -> Term | None:
    """Return what is left of a term where other entries have been written over its own."""
    flat = at_rows(term, within, np.arange(prod(within)))
    assert flat.rows is not None
    stays = np.flatnonzero(~np.isin(flat.rows, places))
    if not stays.size:
        return None
    factor = flat.factor if shape(flat.factor)[0] == 1 else taken(flat.factor, stays)
    columns = flat.columns if len(flat.columns) == 1 else flat.columns[stays]
    return Term(factor, columns, flat.extra, flat.rows[stays])


# Sums and products over axes ------------------------------------------------------------------------------------------


@pushes(CAReduce)
def reduced(node: Apply, given: Sequence[Terms]) -> Terms:
    (x,), op = node.inputs, node.op
    within = shape(x)
    axes = tuple(range(len(within))) if op.axis is None else tuple(axis % len(within) for axis in op.axis)
    slope = None if isinstance(op, Sum) else slopes(node.outputs[0].sum(), [x])[0]
    found = []
    for term in given[0]:
        if slope is not None:
            term = Term(times(term.factor, _read(slope, term, within)), term.columns, term.extra, term.rows)
        found.append(_summed_rows(term, within, axes) if term.rows is not None else summed_over(term, within, axes))
    return found


def _summed_rows(term: Term, within: Sequence[int], axes: Sequence[int]) -> Term:
    kept = tuple(length for axis, length in enumerate(within) if axis not in axes)
    expanded = tuple(1 if axis in axes else length for axis, length in enumerate(within))
    positions = np.broadcast_to(np.arange(prod(kept)).reshape(expanded), within).reshape(-1)
    return Term(term.factor, term.columns, term.extra, positions[term.rows])


def summed_over(term: Term, within: Sequence[int], axes: Sequence[int]) -> Term:
    """Return a term of the sum of an array over some of its axes."""
    added = [axis for axis in axes if term.columns.shape[axis] == 1]
    factor, columns = term.factor, term.columns
    lengths = prod(within[axis] for axis in added if shape(factor)[axis] == 1)
    real = [axis for axis in added if shape(factor)[axis] > 1]
    factor = factor.sum(axis=real, keepdims=True) if real else factor
    factor = factor * float(lengths) if lengths != 1 else factor
    passed = [axis for axis in axes if axis not in added]
    kept = [axis for axis in range(term.own) if axis not in axes]
    order = [*kept, *passed, *range(term.own, columns.ndim)]
    columns = columns.squeeze(tuple(added)) if added else columns
    remaining = [axis for axis in range(term.columns.ndim) if axis not in added]
    columns = columns.transpose([remaining.index(axis) for axis in order])
    return Term(factor.dimshuffle(*order), columns, term.extra + len(passed))


@pushes(Dot)
def product(node: Apply, given: Sequence[Terms]) -> Terms:
    a, b = cast("list[TensorVariable]", node.inputs)
    found = []
    for terms, left, other in ((given[0], True, b), (given[1], False, a)):
        within = shape(a if left else b)
        for term in terms:
            term = densified([term], within) if term.rows is not None else term
            found.append(_multiplied(term, other, left))
    return found


@pushes(Blockwise)
def stacked(node: Apply, given: Sequence[Terms]) -> Terms:
    a, b = node.inputs if len(node.inputs) == 2 else (None, None)
    if not isinstance(node.op.core_op, Dot) or a is None or b is None or a.type.ndim != 2 or b.type.ndim != 2:
        raise Unstructured(str(node.op))
    return product(node, given)


def _multiplied(term: Term, other: TensorVariable, left: bool) -> Term:
    """Return a term of a matrix product, of one of its operands that stands on the left, or on the right."""
    contracted = 1 if left else 0
    extra = term.extra
    if term.columns.shape[contracted] == 1:  # all that is added up is of the same columns
        if shape(term.factor)[contracted] == 1:
            total = other.sum(axis=1 - contracted, keepdims=True)
            return Term(times(term.factor, padded(total, extra)), term.columns, extra)
        rest = shape(term.factor)[2:]
        if left:
            rows = term.factor.dimshuffle(0, *range(2, 2 + extra), 1)
            rows = rows.reshape((shape(term.factor)[0] * prod(rest), shape(term.factor)[1])) if extra else rows
            found = pt.dot(rows, other).reshape((shape(term.factor)[0], *rest, shape(other)[1]))
            factor = found.dimshuffle(0, 1 + extra, *range(1, 1 + extra))
        else:
            columns = term.factor.reshape((shape(term.factor)[0], shape(term.factor)[1] * prod(rest)))
            factor = pt.dot(other, columns if extra else term.factor)
            factor = factor.reshape((shape(other)[0], shape(term.factor)[1], *rest))
        return Term(factor, term.columns, extra)
    own = range(2, 2 + extra)
    if left:  # factor[i, :, l] * other[:, k, l]
        order = (0, "x", 1, *own)
        beside = other.dimshuffle("x", 1, 0, *["x"] * extra)
        columns = np.expand_dims(term.columns, 1)
    else:  # other[i, :, l] * factor[:, k, l]
        order = ("x", 1, 0, *own)
        beside = other.dimshuffle(0, "x", 1, *["x"] * extra)
        columns = np.expand_dims(np.swapaxes(term.columns, 0, 1), 0)
    return Term(times(term.factor.dimshuffle(*order), beside), columns, 1 + extra)


# All else ---------------------------------------------------------------------------------------------------------


MOST = 2**24
"""The most numbers that the directions of one array may be."""


def in_all_directions(node: Apply, given: Sequence[Terms]) -> list[Terms]:
    """Return the terms of an operation's results as dense arrays: its pushforward, in all directions at once."""
    places = [k for k, terms in enumerate(given) if terms]
    terms = [term for k in places for term in given[k]]
    first, last = span(terms)
    if any(block(term.columns) for term in terms) or last - first > max(MOST, 1):
        raise Unstructured("columns that are no parameters")
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
