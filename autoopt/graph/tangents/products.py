"""Sums over axes, and matrix products: an axis along which columns change is one of the term's own from there on."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import cast

import numpy as np
import pytensor.tensor as pt
from pytensor.graph.basic import Apply
from pytensor.tensor.blockwise import Blockwise
from pytensor.tensor.elemwise import CAReduce
from pytensor.tensor.math import Dot, Sum
from pytensor.tensor.variable import TensorVariable

from autoopt.graph.parts import slopes
from autoopt.graph.tangents.table import Terms, pushes
from autoopt.graph.tangents.terms import Term, Unstructured, densified, padded, read_by, shape, times


@pushes(CAReduce)
def reduced(node: Apply, given: Sequence[Terms]) -> Terms:
    (x,), op = node.inputs, node.op
    within = shape(x)
    axes = tuple(range(len(within))) if op.axis is None else tuple(axis % len(within) for axis in op.axis)
    slope = None if isinstance(op, Sum) else slopes(cast(TensorVariable, node.outputs[0]).sum(), [x])[0]
    found = []
    for term in given[0]:
        if slope is not None:
            term = term.of(times(term.factor, read_by(slope, term, within)), term.columns, rows=term.rows)
        found.append(_summed_rows(term, within, axes) if term.rows is not None else summed_over(term, within, axes))
    return found


def _summed_rows(term: Term, within: Sequence[int], axes: Sequence[int]) -> Term:
    kept = tuple(length for axis, length in enumerate(within) if axis not in axes)
    expanded = tuple(1 if axis in axes else length for axis, length in enumerate(within))
    positions = np.broadcast_to(np.arange(prod(kept)).reshape(expanded), within).reshape(-1)
    return term.of(term.factor, term.columns, rows=positions[term.rows])


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
    return term.of(factor.dimshuffle(*order), columns, term.extra + len(passed))


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
            return term.of(times(term.factor, padded(total, extra)), term.columns)
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
        return term.of(factor, term.columns)
    own = range(2, 2 + extra)
    if left:  # factor[i, :, l] * other[:, k, l]
        order = (0, "x", 1, *own)
        beside = other.dimshuffle("x", 1, 0, *["x"] * extra)
        columns = np.expand_dims(term.columns, 1)
    else:  # other[i, :, l] * factor[:, k, l]
        order = ("x", 1, 0, *own)
        beside = other.dimshuffle(0, "x", 1, *["x"] * extra)
        columns = np.expand_dims(np.swapaxes(term.columns, 0, 1), 0)
    return term.of(times(term.factor.dimshuffle(*order), beside), columns, 1 + extra)
