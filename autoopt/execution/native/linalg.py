"""Small linear systems: elimination with exchanges of rows, as LAPACK does, for each matrix of a stack."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from autoopt.execution.native.arrays import (
    Array,
    Layout,
    NotLowered,
    Number,
    broadcast,
    empty,
    fill,
    in_memory,
    place_of,
    row_major,
    stored,
    transposed,
    view,
)
from autoopt.execution.native.code import Code, Index, literal
from autoopt.execution.native.elementwise import intrinsic

LARGEST = 24
"""Rows; LAPACK is faster for larger matrices."""


class Matrix:
    """One matrix of a stack in memory, read and written by row and column."""

    def __init__(self, code: Code, stack: Array, places: Sequence[Index]) -> None:
        self.code = code
        layout = stack.layout
        assert layout is not None
        outer = Layout(layout.memory, layout.offset, layout.strides[: len(places)])
        self.offset = place_of(code, outer, places)
        self.strides = layout.strides[len(places) :]
        self.memory = layout.memory

    def place(self, *at: Index) -> Index:
        """Return where an entry is."""
        return place_of(self.code, Layout(self.memory, self.offset, self.strides), at)

    def get(self, *at: Index) -> str:
        """Return an entry."""
        return self.code.load(self.memory, self.place(*at))

    def set(self, text: str, *at: Index) -> None:
        """Set an entry."""
        self.code.store(self.memory, self.place(*at), text)


def _square(a: Array | Number) -> tuple[Array, int]:
    """Return square matrices, and their size."""
    if isinstance(a, Number) or len(a.shape) < 2 or a.shape[-1] != a.shape[-2] or a.kind != "f":
        raise NotLowered("a matrix that is not square")
    if not 0 < a.shape[-1] <= LARGEST:
        raise NotLowered("a matrix for LAPACK")
    return a, a.shape[-1]


def _less(code: Code, update: str, a: str, b: str) -> str:
    """Return update - a * b."""
    return code.put(f"fsub double {update}, {code.put(f'fmul double {a}, {b}')}")


def _eliminate(code: Code, a: Matrix, n: int, b: Matrix | None, columns: int, singular: bool) -> str:
    """Make `a` upper triangular, do the same to the columns of `b`, and return the sign of the exchanges.

    A pivot of zero ends the function unless `singular` matrices are welcome.
    """
    sign = code.cell("f", literal(1.0, "f"))
    best, row = code.cell("f"), code.cell("i")

    def each_row(start: Index, body: Callable[[Index], None]) -> None:
        code.loop(code.plus(start, 1), n, 1, body)

    def search(i: Index, k: Index) -> None:
        size = intrinsic("fabs", code, a.get(i, k))
        larger = code.put(f"fcmp ogt double {size}, {code.load(best, 0)}")

        def keep() -> None:
            code.store(best, 0, size)
            code.store(row, 0, str(i))

        code.when(larger, keep)

    def exchange(k: Index, chosen: str) -> None:
        code.store(sign, 0, code.put(f"fneg double {code.load(sign, 0)}"))
        code.loop(0, n, 1, lambda j: _swap(a, k, chosen, j))
        if b is not None:
            code.loop(0, columns, 1, lambda j: _swap(b, k, chosen, j))

    def clear(i: Index, k: Index, pivot: str) -> None:
        factor = code.put(f"fdiv double {a.get(i, k)}, {pivot}")
        each_row(k, lambda j: a.set(_less(code, a.get(i, j), factor, a.get(k, j)), i, j))
        if b is not None:
            code.loop(0, columns, 1, lambda j: b.set(_less(code, b.get(i, j), factor, b.get(k, j)), i, j))

    def column(k: Index) -> None:
        code.store(best, 0, intrinsic("fabs", code, a.get(k, k)))
        code.store(row, 0, str(k))
        each_row(k, lambda i: search(i, k))
        chosen = code.load(row, 0)
        code.when(code.put(f"icmp ne i64 {chosen}, {k}"), lambda: exchange(k, chosen))
        pivot = a.get(k, k)
        nonzero = code.put(f"fcmp une double {pivot}, {literal(0.0, 'f')}")
        if singular:
            code.when(nonzero, lambda: each_row(k, lambda i: clear(i, k, pivot)))
        else:
            code.fail_unless(nonzero)
            each_row(k, lambda i: clear(i, k, pivot))

    code.loop(0, n, 1, column)
    return code.load(sign, 0)


def _swap(matrix: Matrix, one: Index, other: Index, column: Index) -> None:
    first, second = matrix.get(one, column), matrix.get(other, column)
    matrix.set(second, one, column)
    matrix.set(first, other, column)


def _substitute(code: Code, a: Matrix, b: Matrix, columns: int, rows: range, unit: bool = False) -> None:
    """Solve with one triangle of `a`, in place of `b`: row after row, each with those before it."""
    first, step = rows.start, rows.step
    cell = code.cell("f")

    def one(i: Index, j: Index) -> None:
        code.store(cell, 0, b.get(i, j))
        start, stop = (first, i) if step > 0 else (code.plus(i, 1), first + 1)
        code.loop(
            start, stop, 1, lambda k: code.store(cell, 0, _less(code, code.load(cell, 0), a.get(i, k), b.get(k, j)))
        )
        found = code.load(cell, 0)
        b.set(found if unit else code.put(f"fdiv double {found}, {a.get(i, i)}"), i, j)

    code.loop(first, rows.stop, step, lambda i: code.loop(0, columns, 1, lambda j: one(i, j)))


def solve(code: Code, a: Array | Number, b: Array | Number) -> Array:
    """Return `np.linalg.solve(a, b)`."""
    a, n = _square(a)
    if isinstance(b, Number):
        raise NotLowered("a system with a number on the right")
    vector = len(b.shape) == 1
    columns = 1 if vector else b.shape[-1]
    stack = a.shape[:-2] if vector else np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    if (b.shape[0] if vector else b.shape[-2]) != n:
        raise NotLowered("a system whose sides do not fit")
    matrix = stored(code, broadcast(code, a, (*stack, n, n)))
    right = stored(code, broadcast(code, _column(code, b) if vector else b, (*stack, n, columns)))

    def one(places: list[Index]) -> None:
        left, target = Matrix(code, matrix, places), Matrix(code, right, places)
        _eliminate(code, left, n, target, columns, singular=False)
        _substitute(code, left, target, columns, range(n - 1, -1, -1))

    code.nest(stack, one)
    if vector:
        layout = right.placed
        return view(code, Layout(layout.memory, layout.offset, layout.strides[:-1]), right.shape[:-1])
    return right


def _column(code: Code, b: Array) -> Array:
    kept = b if b.layout is not None else stored(code, b)
    layout = kept.placed
    return view(code, Layout(layout.memory, layout.offset, (*layout.strides, 0)), (*kept.shape, 1))


def inverse(code: Code, a: Array | Number) -> Array:
    """Return `np.linalg.inv(a)`."""
    a, n = _square(a)
    identity = empty(code, "f", (n, n))
    fill(code, identity, Number("f", literal(0.0, "f")))
    diagonal = view(code, Layout(identity.placed.memory, 0, (n + 1,)), (n,))
    fill(code, diagonal, Number("f", literal(1.0, "f")))
    return solve(code, a, identity)


def determinant(code: Code, a: Array | Number) -> Array | Number:
    """Return `np.linalg.det(a)`."""

    def result(matrix: Matrix, sign: str, n: int) -> list[str]:
        found = sign
        for k in range(n):
            found = code.put(f"fmul double {found}, {matrix.get(k, k)}")
        return [found]

    return _determinants(code, a, 1, result)[0]


def log_determinant(code: Code, a: Array | Number) -> tuple[Array | Number, ...]:
    """Return `np.linalg.slogdet(a)`."""

    def result(matrix: Matrix, sign: str, n: int) -> list[str]:
        zero = total = literal(0.0, "f")
        for k in range(n):
            pivot = matrix.get(k, k)
            turned = code.put(f"fneg double {sign}")
            negative = code.put(f"fcmp olt double {pivot}, {zero}")
            sign = code.put(f"select i1 {negative}, double {turned}, double {sign}")
            nothing = code.put(f"fcmp oeq double {pivot}, {zero}")
            sign = code.put(f"select i1 {nothing}, double {zero}, double {sign}")
            total = code.put(f"fadd double {total}, {code.call('log', intrinsic('fabs', code, pivot))}")
        return [sign, total]

    return _determinants(code, a, 2, result)


def _determinants(code: Code, a: Array | Number, count: int, result: Callable) -> tuple[Array | Number, ...]:
    a, n = _square(a)
    stack = a.shape[:-2]
    matrix = stored(code, a)
    if not stack:
        one = Matrix(code, matrix, ())
        texts = result(one, _eliminate(code, one, n, None, 0, singular=True), n)
        return tuple(Number("f", text) for text in texts)
    targets = [empty(code, "f", stack) for _ in range(count)]

    def each(places: list[Index]) -> None:
        one = Matrix(code, matrix, places)
        texts = result(one, _eliminate(code, one, n, None, 0, singular=True), n)
        for target, text in zip(targets, texts, strict=True):
            code.store(target.placed.memory, place_of(code, target.placed, places), text)

    code.nest(stack, each)
    return tuple(targets)


def cholesky(code: Code, a: Array | Number) -> Array:
    """Return `np.linalg.cholesky(a)`, of the lower triangle."""
    a, n = _square(a)
    matrix = a if a.layout is not None else stored(code, a)
    factor = empty(code, "f", a.shape)
    fill(code, factor, Number("f", literal(0.0, "f")))

    cell = code.cell("f")

    def rest(source: Matrix, target: Matrix, i: Index, j: Index) -> str:
        code.store(cell, 0, source.get(i, j))
        code.loop(
            0, j, 1, lambda k: code.store(cell, 0, _less(code, code.load(cell, 0), target.get(i, k), target.get(j, k)))
        )
        return code.load(cell, 0)

    def column(source: Matrix, target: Matrix, j: Index) -> None:
        square = rest(source, target, j, j)
        code.fail_unless(code.put(f"fcmp ogt double {square}, {literal(0.0, 'f')}"))
        root = intrinsic("sqrt", code, square)
        target.set(root, j, j)
        code.loop(
            code.plus(j, 1), n, 1,
            lambda i: target.set(code.put(f"fdiv double {rest(source, target, i, j)}, {root}"), i, j),
        )  # fmt: skip

    def one(places: list[Index]) -> None:
        source, target = Matrix(code, matrix, places), Matrix(code, factor, places)
        code.loop(0, n, 1, lambda j: column(source, target, j))

    code.nest(a.shape[:-2], one)
    return factor


def solve_triangular(code: Code, a: Array | Number, b: Array | Number, lower: bool, unit: bool, turned: bool) -> Array:
    """Return the solution with one triangle of `a`, transposed if `turned`."""
    a, n = _square(a)
    if len(a.shape) != 2 or isinstance(b, Number) or len(b.shape) > 2 or b.shape[0] != n:
        raise NotLowered("a triangular system of this shape")
    if turned:
        a, lower = transposed(code, a, (1, 0)), not lower
    matrix = Matrix(code, in_memory(code, a), ())
    right = stored(code, b)
    columns = 1 if len(b.shape) == 1 else b.shape[1]
    grid = view(code, Layout(right.placed.memory, 0, row_major((n, columns))), (n, columns))
    if not unit:
        zero = literal(0.0, "f")
        code.loop(0, n, 1, lambda i: code.fail_unless(code.put(f"fcmp une double {matrix.get(i, i)}, {zero}")))
    rows = range(n) if lower else range(n - 1, -1, -1)
    _substitute(code, matrix, Matrix(code, grid, ()), columns, rows, unit)
    return right


def bidiagonal(code: Code, bands: Array | Number, x: Array | Number) -> Array:
    """Return the solution of a system with ones on its diagonal, and `bands[1, :-1]` below it."""
    if not isinstance(bands, Array) or not isinstance(x, Array) or len(x.shape) != 1:
        raise NotLowered("a triangular system of other shapes")
    solution, bands = stored(code, x), in_memory(code, bands)

    def row(t: Index) -> None:
        before = code.plus(t, -1)
        less = _less(code, solution.at([t]), bands.at([1, before]), solution.at([before]))
        code.store(solution.placed.memory, place_of(code, solution.placed, [t]), less)

    code.loop(1, x.shape[0], 1, row)
    return solution
