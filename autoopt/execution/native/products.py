"""Matrix products: BLAS for large ones; else loops, ordered so that the innermost runs along what lies side by side.

    X @ b      X (m, k) by rows    for i: y[i] = the sum of X[i] * b
    X.T @ r    X (k, m) by rows    for k: y += X[k] * r[k], four at a time
    A @ B      B (k, n) by rows    for i: for k: C[i] += A[i, k] * B[k]

The first two are as fast as BLAS at any size, and what uses their results may be in the same code.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autoopt.execution.native.arrays import (
    Array,
    Extent,
    Layout,
    NotLowered,
    Number,
    broadcast_shape,
    empty,
    fill,
    in_memory,
    is_dense,
    is_moving,
    lift,
    most,
    place_of,
    reshaped,
    stored,
    transposed,
    view,
)
from autoopt.execution.native.blas import as_matrix, gemm, syrk
from autoopt.execution.native.code import Code, Index, literal
from autoopt.execution.native.elementwise import apply, as_kind
from autoopt.execution.native.reductions import reduce

LARGEST_PRODUCT = 2000
"""Multiplications of one product of matrices, which BLAS does in the time of its call; it is faster above."""

WIDE = 8
"""Entries from which on rows are added as a whole; shorter ones are sums taken one by one."""

TOGETHER = 4
"""Columns that are added to another at once, so that it is read and written less often."""


def matmul(code: Code, a: Any, b: Any) -> Array | Number:
    """Return `a @ b`."""
    a, b = (lift(code, value) for value in (a, b))
    if isinstance(a, Number) or isinstance(b, Number) or a.kind == "b" or b.kind == "b":
        raise NotLowered("a matrix product of numbers")
    if len(a.shape) == len(b.shape) == 1:
        if a.shape != b.shape:
            raise NotLowered("a product of vectors of different lengths")
        return reduce(code, "sum", apply(code, np.multiply, [a, b]))
    row, column = len(a.shape) == 1, len(b.shape) == 1
    a, b = (_floats(code, value) for value in (a, b))
    a, b = (_widened(code, a, 0) if row else a), (_widened(code, b, 1) if column else b)
    if a.shape[-1] != b.shape[-2]:
        raise NotLowered("a product of matrices that do not fit")
    target = _products(code, a, b)
    kept = [*target.shape[:-2], *([] if row else [target.shape[-2]]), *([] if column else [target.shape[-1]])]
    return reshaped(code, target, kept)


def _floats(code: Code, array: Array) -> Array:
    """Return an array in memory whose entries are floats."""
    if array.kind == "f":
        return in_memory(code, array)
    converted = as_kind(code, array, "f")
    assert isinstance(converted, Array)
    return stored(code, converted)


def _widened(code: Code, vector: Array, axis: int) -> Array:
    """Return a vector in memory as a matrix of one row, or else of one column."""
    layout = vector.placed
    shape, strides = [vector.shape[0]], [layout.strides[0]]
    shape.insert(axis, 1)
    strides.insert(axis, 0)
    return view(code, Layout(layout.memory, layout.offset, tuple(strides)), shape)


def _products(code: Code, a: Array, b: Array) -> Array:
    """Return the products of two stacks of matrices in memory, without gaps."""
    rows, inner, columns = *a.shape[-2:], b.shape[-1]
    stack = broadcast_shape(a.shape[:-2], b.shape[:-2])
    if stack and not is_moving(a.shape) and len(b.shape) == 2 and is_dense(a) and a.size:
        return reshaped(code, _products(code, reshaped(code, a, (-1, inner)), b), (*stack, rows, columns))
    target = empty(code, "f", (*stack, rows, columns))
    moving = is_moving((rows, inner, columns))
    large = not moving and rows * inner * columns > LARGEST_PRODUCT and min(rows, inner, columns) > 1
    if large:  # what BLAS does not take as it lies in memory is copied once, not for each member of the stack
        a, b = (value if _fits(code, value) else stored(code, value) for value in (a, b))
    one = _by_blas if large else _by_vector if rows == 1 or columns == 1 else _by_loops
    code.nest(stack, lambda at: one(code, _member(code, a, at), _member(code, b, at), _member(code, target, at)))
    return target


def _fits(code: Code, stack: Array) -> bool:
    return as_matrix(code, _member(code, stack, [0] * (len(stack.shape) - 2))) is not None


def _member(code: Code, stack: Array, places: Sequence[Index]) -> Array:
    """Return the matrix at some places of the broadcast stacks."""
    extents, layout = stack.shape[:-2], stack.placed
    mine = places[len(places) - len(extents) :]
    at = [0 if extent == 1 else place for place, extent in zip(mine, extents, strict=True)]
    offset = place_of(code, Layout(layout.memory, layout.offset, layout.strides[:-2]), at)
    return view(code, Layout(layout.memory, offset, layout.strides[-2:]), stack.shape[-2:])


def _by_blas(code: Code, a: Array, b: Array, target: Array) -> None:
    left, right = as_matrix(code, a), as_matrix(code, b)
    assert left is not None
    assert right is not None
    if _is_transposed(a, b):
        syrk(code, left, a.shape[1], target)
    else:
        gemm(code, left, right, a.shape[1], target)


def _is_transposed(a: Array, b: Array) -> bool:
    """Whether two matrices are each other's transposes, being the same memory."""
    one, other = a.placed, b.placed
    same = one.memory == other.memory and one.offset == other.offset
    return same and a.shape == b.shape[::-1] and one.strides == other.strides[::-1]


def _by_vector(code: Code, a: Array, b: Array, target: Array) -> None:
    """Set a product with a matrix of one row or column, as one of a matrix and a column."""
    if b.shape[1] != 1:
        a, b, target = (transposed(code, matrix, (1, 0)) for matrix in (b, a, target))
    length, inner = a.shape
    if a.placed.strides[0] != 1 or most(length) < WIDE:
        _sums(code, a, b, target)
        return
    fill(code, target, Number("f", literal(0.0, "f")))
    whole = 0 if isinstance(inner, Extent) else inner - inner % TOGETHER
    code.loop(
        0, whole, TOGETHER, lambda k: _add_columns(code, target, a, b, [code.plus(k, e) for e in range(TOGETHER)])
    )
    code.loop(whole, inner, 1, lambda k: _add_columns(code, target, a, b, [k]))


def _add_columns(code: Code, target: Array, a: Array, b: Array, columns: Sequence[Index]) -> None:
    """Add some columns of `a`, each times its entry of `b`."""
    factors = [b.at([k, 0]) for k in columns]
    layout = target.placed

    def add(i: Index) -> None:
        where = place_of(code, layout, [i, 0])
        total = code.load(layout.memory, where)
        for k, factor in zip(columns, factors, strict=True):
            total = _with_term(code, total, a.at([i, k]), factor)
        code.store(layout.memory, where, total)

    code.loop(0, a.shape[0], 1, add)


def _by_loops(code: Code, a: Array, b: Array, target: Array) -> None:
    """Set a product of small matrices."""
    if b.placed.strides[1] != 1 or most(b.shape[1]) < WIDE or a.shape[1] == 1:
        _sums(code, a, b, target)
        return
    fill(code, target, Number("f", literal(0.0, "f")))

    layout = target.placed

    def add(i: Index, k: Index) -> None:
        factor = a.at([i, k])

        def entry(j: Index) -> None:
            where = place_of(code, layout, [i, j])
            total = _with_term(code, code.load(layout.memory, where), factor, b.at([k, j]))
            code.store(layout.memory, where, total)

        code.loop(0, b.shape[1], 1, entry)

    code.nest(a.shape, lambda at: add(*at))


def _sums(code: Code, a: Array, b: Array, target: Array) -> None:
    """Set each entry of a product by itself."""

    def one(at: Sequence[Index]) -> None:
        i, j = at
        cell = code.cell("f", literal(0.0, "f"))

        def term(k: Index) -> None:
            code.store(cell, 0, _with_term(code, code.load(cell, 0), a.at([i, k]), b.at([k, j])))

        code.loop(0, a.shape[1], 1, term)
        code.store(target.placed.memory, place_of(code, target.placed, at), code.load(cell, 0))

    code.nest(target.shape, one)


def _with_term(code: Code, total: str, left: str, right: str) -> str:
    """Return total + left * right, rounded once or twice as the machine likes."""
    term = code.put(f"fmul contract double {left}, {right}")
    return code.put(f"fadd reassoc contract double {total}, {term}")
