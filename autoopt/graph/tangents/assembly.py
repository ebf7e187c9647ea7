"""The Jacobian, a matrix, of the terms of the value's derivative."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np
import pytensor.tensor as pt
from pytensor.tensor.basic import MakeVector
from pytensor.tensor.variable import TensorVariable

from autoopt.graph.tangents.terms import Term, arithmetic, at_rows, dense, is_uniform, named, shape, spread

LARGEST = 2**24
"""Of matrices with more entries than this it is not found out whether terms overlap: they are added."""

WRITTEN = 64
"""Up to this many entries a matrix of numbers that are computed one by one is written as such."""


def matrix(terms: Sequence[Term], within: Sequence[int], columns: int) -> TensorVariable:
    """Return the derivatives of an array of shape `within` by `columns` parameters, shape (m, n)."""
    rows = prod(within)
    flat = [at_rows(term, within, np.arange(rows)) for term in terms]
    flat = [term for term in flat if term.rows is not None and term.rows.size]
    result = _known([term for term in flat if term.names is None], rows, columns)
    for term in flat:
        if term.names is not None:
            result = _added(result, term)
    return result


def _added(result: TensorVariable, term: Term) -> TensorVariable:
    """Return the matrix with a term added whose columns stand in an array."""
    assert term.rows is not None
    lengths = _lengths(term)
    rows = np.broadcast_to(term.rows.reshape(-1, *[1] * term.extra), lengths).reshape(-1)
    if is_uniform(term.factor, term.factor.ndim):
        value = term.factor.dimshuffle()
    else:
        value = spread(term.factor, lengths).reshape((prod(lengths),))
    return pt.inc_subtensor(result[rows, named(term, np.broadcast_to(term.columns, lengths))], value)


def _known(flat: Sequence[Term], rows: int, columns: int) -> TensorVariable:
    """Return the matrix of terms whose columns are parameters."""
    repeated = [term for term in flat if _repeats(term, columns)]
    if repeated:
        return dense(flat, (rows,), 0, columns)
    written = _by_entries(flat, rows, columns)
    if written is not None:
        return written
    if len(flat) == 1 and (block := _whole(flat[0], rows, columns)) is not None:
        return block
    overlaps = _overlap(flat, rows, columns)
    result = pt.zeros((rows, columns))
    for term in flat:
        result = _placed(result, term, overlaps)
    return result


def _lengths(term: Term) -> tuple[int, ...]:
    assert term.rows is not None
    return (term.rows.size, *term.extents)


def _positions(term: Term, columns: int) -> np.ndarray:
    """Return the flat positions of a term's entries in the matrix, of the lengths of its axes."""
    assert term.rows is not None
    return term.rows.reshape(-1, *[1] * term.extra) * columns + np.broadcast_to(term.columns, _lengths(term))


def _repeats(term: Term, columns: int) -> bool:
    """Whether a term names an entry of the matrix twice."""
    assert term.rows is not None
    one_row = np.broadcast_to(term.columns[:1], (1, *_lengths(term)[1:]))
    if len(term.columns) == 1 and np.unique(one_row).size == one_row.size:
        return not _are_distinct(term.rows)
    if not term.extra and _are_distinct(term.rows):
        return False
    positions = _positions(term, columns)
    return np.unique(positions).size != positions.size


def _are_distinct(numbers: np.ndarray) -> bool:
    return arithmetic(numbers) is not None or np.unique(numbers).size == numbers.size


def _overlap(terms: Sequence[Term], rows: int, columns: int) -> bool:
    if len(terms) < 2:
        return False
    named_columns = [np.unique(term.columns) for term in terms]
    if np.unique(np.concatenate(named_columns)).size == sum(map(len, named_columns)):
        return False  # each has columns of its own
    if rows * columns > LARGEST:
        return True
    met = np.zeros(rows * columns, dtype=bool)
    for term in terms:
        positions = _positions(term, columns)
        if met[positions].any():
            return True
        met[positions] = True
    return False


def _by_entries(terms: Sequence[Term], rows: int, columns: int) -> TensorVariable | None:
    """Return a small matrix of numbers, if its entries are computed one by one."""
    if rows * columns > WRITTEN or not terms:
        return None
    entries: dict[int, TensorVariable] = {}
    for term in terms:
        numbers = _numbers(term)
        if numbers is None:
            return None
        for position, number in zip(_positions(term, columns).reshape(-1).tolist(), numbers, strict=True):
            entries[position] = entries[position] + number if position in entries else number
    whole = [entries.get(k, pt.constant(0.0)) for k in range(rows * columns)]
    return pt.stack(whole).reshape((rows, columns))


def _numbers(term: Term) -> list[TensorVariable] | None:
    """Return the entries of a term's factor that are computed one by one."""
    assert term.rows is not None
    if term.extra:
        return None
    if is_uniform(term.factor, 1):
        return [term.factor[0]] * term.rows.size
    node = term.factor.owner
    if node is not None and isinstance(node.op, MakeVector):
        return list(node.inputs)
    return None


def _whole(term: Term, rows: int, columns: int) -> TensorVariable | None:
    """Return the matrix of a term that has all its columns, in order."""
    assert term.rows is not None
    lengths = _lengths(term)
    if len(term.columns) > 1 or not np.array_equal(term.rows, np.arange(rows)) or prod(lengths[1:]) != columns:
        return None
    ordered = _in_order(term)
    if ordered is None or ordered[1] != slice(0, columns, 1):
        return None
    return spread(ordered[0], (rows, columns)) if rows else None


def _in_order(term: Term) -> tuple[TensorVariable, slice] | None:
    """Return the factor, shape (m, k), of a term with the same columns in all rows, and the slice that these are."""
    lengths = _lengths(term)
    columns = np.broadcast_to(term.columns, (1, *lengths[1:]))[0]
    strides = [int(np.take(columns, 1, axis=a).flat[0] - columns.flat[0]) for a in range(columns.ndim)]
    axes = sorted(range(columns.ndim), key=lambda axis: -strides[axis])
    where = arithmetic(columns.transpose(axes))
    if where is None:
        return None
    count = shape(term.factor)[0]
    factor = term.factor if is_uniform(term.factor, term.factor.ndim) else spread(term.factor, (count, *lengths[1:]))
    if is_uniform(factor, factor.ndim):
        return factor.reshape((1, 1)), where
    return factor.dimshuffle(0, *[axis + 1 for axis in axes]).reshape((count, prod(lengths[1:]))), where


def _placed(result: TensorVariable, term: Term, overlaps: bool) -> TensorVariable:
    """Return the matrix with a term written into it, or added to it."""
    assert term.rows is not None
    write = pt.inc_subtensor if overlaps else pt.set_subtensor
    rows = arithmetic(term.rows)
    lengths = _lengths(term)
    if rows is not None and len(term.columns) == 1:
        if not term.extra:
            column = int(term.columns[0])
            value = term.factor[0] if is_uniform(term.factor, 1) else term.factor
            return write(result[_read(rows, shape(result)[0]), column], value)
        ordered = _in_order(term)
        if ordered is not None:
            factor, where = ordered
            value = factor[0, 0] if is_uniform(factor, 2) else factor
            return write(result[_read(rows, shape(result)[0]), _read(where, shape(result)[1])], value)
    names = term.rows.reshape(-1, *[1] * term.extra)
    places = np.broadcast_to(names, lengths).reshape(-1), np.broadcast_to(term.columns, lengths).reshape(-1)
    if is_uniform(term.factor, term.factor.ndim):
        value = term.factor.dimshuffle()
    else:
        value = spread(term.factor, lengths).reshape((prod(lengths),))
    return write(result[places], value)


def _read(where: slice, length: int) -> slice:
    """Return a slice as a person writes it."""
    start, stop = where.start or None, None if where.stop >= length else where.stop
    return slice(start, stop, None if where.step == 1 else where.step)
