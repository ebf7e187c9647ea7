"""Many terms of the same few parameters as one, whose columns are all parameters that a row depends on.

rotated = P + cross(k, P) + ...      twenty terms, of the three entries of k, each of some rows or of all
                                     one term: for each row, its derivatives by these three side by side
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np
import pytensor.tensor as pt
from pytensor.tensor.variable import TensorVariable

from autoopt.graph.tangents.table import Terms
from autoopt.graph.tangents.terms import Term, arithmetic, at_rows, is_uniform, shape, spread, thinned

CROWDED = 4
"""From this many terms on it is looked whether they are of the same parameters."""

WORTH = 1.5
"""How many times as many numbers the terms must be as what they are merged to."""

LARGEST = 2**20
"""The most numbers that this is found out of."""


def merged(terms: Sequence[Term], within: Sequence[int]) -> Terms:
    """Return the terms of an array of shape `within`, those of the same parameters as one where that is less."""
    if len(terms) < CROWDED:
        return list(terms)
    groups: dict[object, Terms] = {}
    for term in terms:
        groups.setdefault(term.names, []).append(term)
    return [term for group in groups.values() for term in _merged(group, within)]


def _merged(terms: Terms, within: Sequence[int]) -> Terms:
    count = prod(within)
    total = sum(term.size(count) for term in terms)
    if len(terms) < 2 or not 0 < total <= LARGEST:
        return terms
    flat = [at_rows(term, within, np.arange(count)) for term in terms]
    places = [_places(term) for term in flat]
    width = 1 + max(int(columns.max()) for _, columns in places)
    keys = np.unique(np.concatenate([(rows * width + columns).reshape(-1) for rows, columns in places]))
    if total < WORTH * keys.size:
        return terms
    table = _table(keys, width)
    if table is None or total < WORTH * table.size:
        return terms
    factor: TensorVariable = pt.zeros(table.shape)
    rows = table[:, 0] // width
    sorted_keys = table.reshape(-1)
    for term, (own, columns) in zip(flat, places, strict=True):
        slots = np.searchsorted(sorted_keys, own * width + columns)
        factor = _added(factor, term, slots // table.shape[1], slots % table.shape[1])
    columns = thinned(table % width)
    columns = (
        columns if columns.shape[1] == table.shape[1] else np.broadcast_to(columns, (len(columns), table.shape[1]))
    )
    if rows.size < count:
        return [terms[0].of(factor, columns, 1, rows)]
    shaped = columns.reshape(*within, -1) if len(columns) == count else columns.reshape((1,) * len(within) + (-1,))
    return [terms[0].of(factor.reshape((*within, table.shape[1])), shaped, 1)]


def _places(term: Term) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows and the columns of a term's entries, of the lengths of its axes."""
    assert term.rows is not None
    lengths = (term.rows.size, *term.extents)
    rows = np.broadcast_to(term.rows.reshape(-1, *[1] * term.extra), lengths)
    return rows, np.broadcast_to(term.columns, lengths)


def _table(keys: np.ndarray, width: int) -> np.ndarray | None:
    """Return the keys of the entries in a row for each row; None if rows have not as many."""
    rows, counts = np.unique(keys // width, return_counts=True)
    return keys.reshape(rows.size, -1) if (counts == counts[0]).all() else None


def _added(factor: TensorVariable, term: Term, rows: np.ndarray, slots: np.ndarray) -> TensorVariable:
    """Return the merged factor with that of a term added at these rows and slots, of the lengths of its axes."""
    lengths, height = rows.shape, shape(factor)[0]
    where, own = arithmetic(rows.reshape(lengths[0], -1)[:, 0]) if rows.size else None, slots[0]
    plain = where is not None and (slots == own).all()
    beside = arithmetic(own) if plain and own.size else None
    if plain and beside is not None and where is not None:
        values = term.factor
        if not is_uniform(values, values.ndim):
            values = spread(values, lengths).reshape((lengths[0], prod(lengths[1:])))
        else:
            values = values.reshape((1, 1))
        whole = where == slice(0, height, 1) and beside == slice(0, shape(factor)[1], 1)
        if whole:
            return factor + values
        return pt.inc_subtensor(factor[where, beside], values)
    values = term.factor.reshape((1,)) if is_uniform(term.factor, term.factor.ndim) else spread(term.factor, lengths)
    values = values if values.ndim == 1 else values.reshape((prod(lengths),))
    return pt.inc_subtensor(factor[rows.reshape(-1), slots.reshape(-1)], values)
