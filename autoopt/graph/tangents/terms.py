"""What the derivative of an array by the parameters consists of, as the graph is gone through from them to the value.

The derivative of v, of shape V, by x is a sum of terms, each of which says which entries of x an entry of v depends on,
by numbers that are known, and how much, by a variable:

    dv[i] / dx[j]  =  sum over s of  factor[i, s] * (columns[i, s] == j)           i along the axes of v, s along others

    x                     factor 1              columns arange(n)                  no identity matrix
    x[1:]                 1                     arange(1, n)
    exp(x[1:])            exp(x[1:])            arange(1, n)                       elementwise: the factor alone changes
    X * x                 X                     arange(n) along the last axis
    (X * x).sum(1)        X                     the same, that axis now one of s   a sum moves an axis: nothing is added
    b[0] * exp(b[1] * t)  exp(b[1] * t)         0                                  one term for each entry of b
                          b[0] * t * exp(...)   1

Axes of length one stand for any length, in factors and in columns. With `rows` a term is of some entries of v only,
those at these positions of v made flat: `i` is then their number. Entries may be named more than once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, cast

import numpy as np
import pytensor.tensor as pt
from pytensor.graph.basic import Constant, Variable
from pytensor.tensor.variable import TensorVariable

from autoopt.ops import operands


class Unstructured(Exception):
    """There is no rule for an operation, or no structure is left."""


class UnknownPositions(Unstructured):
    """What an operation reads, or writes, stands in an array whose numbers are no part of the code."""


def shape(variable: Variable) -> tuple[int, ...]:
    """Return the lengths of the axes.

    Raises
    ------
    Unstructured
        If one is not known, as that of what a loop keeps that ends on a condition.
    """
    lengths = operands.shape(cast(TensorVariable, variable))
    if None in lengths:
        raise Unstructured("a length that is not known")
    return tuple(lengths)


@dataclass(frozen=True)
class Names:
    """Which parameters columns are: entries of an array, as the positions that are read are no part of the code.

    Attributes
    ----------
    numbers : TensorVariable, of one axis
    count : int
        The number of parameters.
    """

    numbers: TensorVariable
    count: int


@dataclass(frozen=True)
class Term:
    """Some of the entries of a derivative: see above.

    Attributes
    ----------
    factor : TensorVariable
    columns : ndarray of int
        With as many axes as `factor`.
    extra : int
        How many of the axes, the last ones, are none of the array's.
    rows : ndarray of int or None
        The flat positions that the first axis is of; None if the first axes are the array's.
    names : Names or None
        What the columns are positions in; None if they are the parameters' numbers.
    """

    factor: TensorVariable
    columns: np.ndarray
    extra: int = 0
    rows: np.ndarray | None = None
    names: Names | None = None

    def of(
        self, factor: TensorVariable, columns: np.ndarray, extra: int | None = None, rows: np.ndarray | None = None
    ) -> Term:
        """Return a term whose columns are positions in the same."""
        return Term(factor, columns, self.extra if extra is None else extra, rows, self.names)

    @property
    def own(self) -> int:
        """The number of axes that are the array's, or that of its positions."""
        return self.columns.ndim - self.extra

    @property
    def extents(self) -> tuple[int, ...]:
        """The lengths of the other axes."""
        own = self.own
        return np.broadcast_shapes(shape(self.factor)[own:], self.columns.shape[own:])

    def size(self, count: int) -> int:
        """Return how many numbers the factor stands for in an array of `count` entries."""
        return (count if self.rows is None else self.rows.size) * prod(self.extents)


def one(ndim: int) -> TensorVariable:
    """Return the number one with `ndim` axes."""
    return pt.constant(np.ones((1,) * ndim))


def times(factor: TensorVariable, other: TensorVariable) -> TensorVariable:
    """Return the product of two arrays of as many axes, without products by one."""
    for first, second in ((factor, other), (other, factor)):
        if isinstance(first, Constant) and first.data.size == 1:
            number = first.data.item()
            return second if number == 1.0 else -second if number == -1.0 else number * second
    return factor * other


def padded(variable: TensorVariable, count: int) -> TensorVariable:
    """Return `variable` with `count` more axes of length one behind its own."""
    return variable.dimshuffle(*range(variable.ndim), *["x"] * count) if count else variable


def spread(variable: TensorVariable, target: Sequence[int]) -> TensorVariable:
    """Return `variable`, of as many axes, with these lengths."""
    return variable if shape(variable) == tuple(target) else pt.broadcast_to(variable, tuple(target))


def is_one_column(term: Term) -> bool:
    """Whether all entries of the array depend on the same parameters."""
    return all(length == 1 for length in term.columns.shape[: term.own])


def is_uniform(variable: TensorVariable, own: int) -> bool:
    """Whether the first `own` axes are all of length one."""
    return all(length == 1 for length in shape(variable)[:own])


def thinned(columns: np.ndarray) -> np.ndarray:
    """Return the same numbers with axes along which they do not change cut down to a length of one."""
    for axis in range(columns.ndim):
        first = columns.take([0], axis=axis) if columns.shape[axis] else columns
        if columns.shape[axis] > 1 and (columns == first).all():
            columns = first
    return columns


def arithmetic(numbers: np.ndarray) -> slice | None:
    """Return the slice that reads these positions; None if there is none."""
    numbers = numbers.reshape(-1)
    if not numbers.size or numbers.min() < 0:
        return None
    step = int(numbers[1] - numbers[0]) if numbers.size > 1 else 1
    if step < 1 or not (np.diff(numbers) == step).all():
        return None
    return slice(int(numbers[0]), int(numbers[-1]) + 1, step)


def taken(variable: TensorVariable, positions: np.ndarray) -> TensorVariable:
    """Return the entries along the first axis at these positions: all, a slice, or a gather."""
    where = arithmetic(positions)
    if where is None:
        return variable[positions.astype(np.int64)]
    length = shape(variable)[0]
    if where == slice(0, length, 1):
        return variable
    return variable[where.start : where.stop : where.step] if where.step > 1 else variable[where.start : where.stop]


def gathered(terms: Iterable[Term]) -> list[Term]:
    """Return the terms with those of the same entries added up."""
    known: dict[tuple, Term] = {}
    for term in map(summed, terms):
        columns = term.columns
        rows = None if term.rows is None else term.rows.tobytes()
        key = columns.shape, columns.tobytes(), term.extra, rows, term.names
        other = known.get(key)
        known[key] = term if other is None else term.of(other.factor + term.factor, columns, rows=term.rows)
    return list(known.values())


def summed(term: Term) -> Term:
    """Return the term without axes besides the array's along which the columns do not change."""
    own = term.own
    axes = [axis for axis in range(own, term.columns.ndim) if term.columns.shape[axis] == 1]
    if not axes:
        return term
    lengths = [shape(term.factor)[axis] for axis in axes]
    factor = term.factor.sum(axis=axes) if prod(lengths) > 1 else _without(term.factor, axes)
    return term.of(factor, term.columns.squeeze(tuple(axes)), term.extra - len(axes), term.rows)


def _without(variable: TensorVariable, axes: Sequence[int]) -> TensorVariable:
    return variable.dimshuffle(*[axis for axis in range(variable.ndim) if axis not in axes])


def at_rows(term: Term, within: Sequence[int], rows: np.ndarray) -> Term:
    """Return a term of an array of shape `within` as one of the entries at flat positions of a larger one."""
    if term.rows is not None:
        return term.of(term.factor, term.columns, rows=rows.reshape(-1)[term.rows])
    own, count = term.own, prod(within)
    rest = shape(term.factor)[own:]
    if is_uniform(term.factor, own):
        factor = term.factor.reshape((1, *rest))
    else:
        factor = spread(term.factor, (*within, *rest)).reshape((count, *rest))
    if all(length == 1 for length in term.columns.shape[:own]):
        columns = term.columns.reshape(1, *term.columns.shape[own:])
    else:
        columns = np.broadcast_to(term.columns, (*within, *term.columns.shape[own:]))
        columns = columns.reshape(count, *term.columns.shape[own:])
    return term.of(factor, columns, rows=rows.reshape(-1))


def selected(term: Term, positions: np.ndarray) -> Term | None:
    """Return what a term of rows is in an array whose entry k is that at position `positions[k]`; None if nothing."""
    assert term.rows is not None
    order = np.argsort(term.rows, kind="stable")
    sorted_rows = term.rows[order]
    flat = positions.reshape(-1)
    first, last = np.searchsorted(sorted_rows, flat, "left"), np.searchsorted(sorted_rows, flat, "right")
    counts = last - first
    if not counts.sum():
        return None
    new = np.repeat(np.arange(flat.size), counts)
    offsets = np.arange(new.size) - np.repeat(np.cumsum(counts) - counts, counts)
    entries = order[np.repeat(first, counts) + offsets]
    factor = term.factor if shape(term.factor)[0] == 1 else taken(term.factor, entries)
    columns = term.columns if len(term.columns) == 1 else term.columns[entries]
    return term.of(factor, columns, rows=new)


def widened(term: Term, within: Sequence[int], target: Sequence[int]) -> Term:
    """Return a term of some rows for an array that is broadcast."""
    if term.rows is None or tuple(within) == tuple(target):
        return term
    positions = np.broadcast_to(np.arange(prod(within)).reshape(within), target)
    return cast(Term, selected(term, positions))


def raised(term: Term, within: Sequence[int], target: Sequence[int]) -> Term:
    """Return a term for an array that is broadcast to one of more axes."""
    if term.rows is not None:
        return widened(term, within, target)
    more = len(target) - len(within)
    return term.of(term.factor.dimshuffle(*["x"] * more, *range(term.factor.ndim)), term.columns[(None,) * more])


def read_by(variable: TensorVariable, term: Term, target: Sequence[int]) -> TensorVariable:
    """Return the entries of an array that those of a term are multiplied by."""
    if term.rows is None:
        return padded(variable, term.extra)
    if is_uniform(variable, variable.ndim):
        return variable.reshape((1,) * (1 + term.extra))
    return padded(taken(spread(variable, target).reshape((prod(target),)), term.rows), term.extra)


def dense(terms: Sequence[Term], within: Sequence[int], first: int, last: int) -> TensorVariable:
    """Return the sum of the terms of an array of shape `within` as one array with all columns from first to last."""
    count, width = prod(within), last - first
    plain = [
        term for term in terms if term.rows is None and not term.extra and is_one_column(term) and term.names is None
    ]
    if len(plain) == len(terms) and len({int(term.columns.flat[0]) for term in terms}) == len(terms):
        return _side_by_side(terms, within, first, last)
    whole: TensorVariable | None = None
    for term in terms:
        flat = at_rows(term, within, np.arange(count))
        assert flat.rows is not None
        lengths = (flat.rows.size, *flat.extents)
        columns = np.broadcast_to(flat.columns, lengths)
        is_known = term.names is None
        is_whole = is_known and flat.extra == 1 and flat.columns.size == width
        if is_whole and np.array_equal(flat.rows, np.arange(count)) and (columns == np.arange(first, last)).all():
            block = spread(flat.factor, (count, width))
            whole = block if whole is None else whole + block
            continue
        rows = np.broadcast_to(flat.rows.reshape(-1, *[1] * flat.extra), lengths).reshape(-1)
        places = named(flat, columns.reshape(-1)) - (first if first or is_known else 0)
        values = flat.factor if is_uniform(flat.factor, flat.factor.ndim) else spread(flat.factor, lengths)
        values = values.reshape((1,)) if is_uniform(values, values.ndim) else values.reshape((prod(lengths),))
        base = pt.zeros((count, width)) if whole is None else whole
        whole = pt.inc_subtensor(base[rows, places], values)
    found = pt.zeros((count, width)) if whole is None else whole
    return found.reshape((*within, width))


def named(term: Term, columns: np.ndarray) -> Any:
    """Return the parameters' numbers that columns stand for, flat."""
    return columns.reshape(-1) if term.names is None else taken(term.names.numbers, columns.reshape(-1))


def _side_by_side(terms: Sequence[Term], within: Sequence[int], first: int, last: int) -> TensorVariable:
    """Return the terms of whole arrays by one column each as one array."""
    columns = {int(term.columns.flat[0]): term.factor for term in terms}
    if all(isinstance(factor, Constant) for factor in columns.values()):
        found = np.zeros((*within, last - first))
        for column, factor in columns.items():
            found[..., column - first] = cast(Constant, factor).data
        return pt.constant(found)
    blocks = [columns.get(column, pt.zeros(tuple(within))) for column in range(first, last)]
    return pt.stack([spread(block, within) for block in blocks], axis=len(within))


def span(terms: Iterable[Term]) -> tuple[int, int]:
    """Return the first column of the terms and the one after the last."""
    terms = [term for term in terms if term.columns.size]
    if not terms:
        return 0, 0
    counts = [term.names.count for term in terms if term.names is not None]
    if counts:
        return 0, counts[0]
    return min(int(t.columns.min()) for t in terms), max(int(t.columns.max()) for t in terms) + 1


def densified(terms: Sequence[Term], within: Sequence[int]) -> Term:
    """Return the terms as one with all columns in between."""
    first, last = span(terms)
    columns = np.arange(first, last).reshape((1,) * len(within) + (-1,))
    return Term(dense(terms, within, first, last), columns, 1)
