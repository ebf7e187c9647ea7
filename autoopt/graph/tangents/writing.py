"""Operations that put arrays together, or write into one: the terms are of some of the rows from there on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import prod
from typing import cast

import numpy as np
import pytensor.tensor as pt
from pytensor.graph.basic import Apply
from pytensor.tensor.basic import Join, MakeVector
from pytensor.tensor.subtensor import IncSubtensor, Subtensor
from pytensor.tensor.variable import TensorVariable

from autoopt.graph.tangents.table import Terms, known, performed, pushes
from autoopt.graph.tangents.terms import (
    Term,
    UnknownPositions,
    Unstructured,
    at_rows,
    densified,
    is_one_column,
    raised,
    shape,
    spread,
    taken,
)
from autoopt.ops.releases import SCATTERS, axis_of, operands_of


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
        at_rows(term, shape(part), slab) for part, slab, terms in zip(parts, slabs, own, strict=True) for term in terms
    )


@pushes(MakeVector)
def vector(node: Apply, given: Sequence[Terms]) -> Terms:
    return _collected(at_rows(term, (), np.array([k])) for k, terms in enumerate(given) for term in terms)


def _collected(given: Iterable[Term]) -> Terms:
    """Return the terms, those of single entries as one."""
    terms = list(given)
    alone = [
        term
        for term in terms
        if term.rows is not None and term.rows.size == 1 and not term.extra and term.names is None
    ]
    if len(alone) < 2:
        return terms
    others = [term for term in terms if not any(term is one for one in alone)]
    factor = pt.stack([term.factor[0] for term in alone])
    columns, rows = (np.concatenate([getattr(term, name) for term in alone]) for name in ("columns", "rows"))
    return [*others, Term(factor, columns, 0, rows)]


@pushes(IncSubtensor, *SCATTERS)
def written(node: Apply, given: Sequence[Terms]) -> Terms:
    x, value = node.inputs[:2]
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
    for term in given[1]:
        found.append(at_rows(raised(term, own, places.shape), places.shape, places))
    return _collected(found) if is_set and not given[0] else [*(given[0] if not is_set else []), *found]


def _written_places(node: Apply, within: Sequence[int]) -> np.ndarray:
    """Return the flat positions that are written, in the shape of what is written there."""
    index = node.inputs[2:]
    positions = np.arange(prod(within)).reshape(within)
    if isinstance(node.op, IncSubtensor):
        place = Subtensor(node.op.idx_list).make_node(pt.constant(positions), *index)
        return np.asarray(performed(place, [positions, *map(known, index)]))
    numbers = [known(v) for v in index]
    entries = getattr(node.op, "idx_list", None) or tuple(range(len(numbers)))
    if any(isinstance(entry, slice) and entry != slice(None) for entry in entries):
        raise UnknownPositions("slices beside arrays of positions")
    return np.asarray(positions[tuple(entry if isinstance(entry, slice) else numbers[entry] for entry in entries)])


def _written_somewhere(node: Apply, given: Sequence[Terms]) -> Terms:
    """Return the terms where it is not known which entries are written: arrays that are written in the same way."""
    x, value, *index = cast("list[TensorVariable]", node.inputs)
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
            found.append(term.of(factor, term.columns.reshape(*own, *rest)))
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
    return flat.of(factor, columns, rows=flat.rows[stays])
