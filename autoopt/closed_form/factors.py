r"""Cholesky's factor, K = L L^\top: where it is read, and formulas in K alone for its derivatives.

sum_i log L_ii                            (log det K) / 2
sum_i (L^{-1} y)_i (L^{-1} z)_i           y^\top K^{-1} z
L^{-\top} (L^{-1} y)                      K^{-1} y
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import linalg

from autoopt.closed_form.making import factors_of, mul, opened, reduced, substituted
from autoopt.closed_form.operations import solution, square, square_or_transposed
from autoopt.closed_form.reading import At, Call, NoForm, Operand, form, lifted
from autoopt.closed_form.tree import Array, Entry, Index, Node, Number, Power, Reduction, function_of
from autoopt.closed_form.tree import Call as Applied
from autoopt.tape.operations import component

CHOLESKY = "cholesky"


@form(np.linalg.cholesky, linalg.cholesky)
def _factor(whole: Call, at: At) -> Node:
    lower = bool(whole.option("lower", 1, whole.operation is np.linalg.cholesky))
    return Entry(factor_of(whole), at if lower else at[::-1])


def factor_of(whole: Call) -> Array:
    """Return the lower factor of the matrix that a call is given."""
    matrix = square(whole, whole.args[0])
    factor = function_of(CHOLESKY, matrix, matrix.shape)
    factor.where = whole.where
    return factor


def whole_of(operand: Operand) -> Call | None:
    """Return the call that made a factor, None if it is none."""
    reader, index = operand.reader, operand.index
    while index is not None:
        step = reader.tape.steps[index]
        if step.operation in (np.linalg.cholesky, linalg.cholesky, linalg.cho_factor):
            return Call(reader, index)
        index = step.inputs[0] if step.operation in (np.copy, component, np.asarray) else None
    return None


@form(linalg.cho_solve)
def _cho_solve(whole: Call, at: At) -> Node:
    """Return K^{-1} b."""
    factor = whole_of(lifted(whole.reader, whole.args[0][0]))
    if factor is None:
        raise whole.refused("scipy.linalg.cho_solve with what is not made by a Cholesky factorisation")
    lower = bool(factor.option("lower", 1, factor.operation is np.linalg.cholesky))
    if bool(lifted(whole.reader, whole.args[0][1]).value) != lower:
        raise whole.refused("scipy.linalg.cho_solve with the other triangle than was made")
    return solution(
        function_of("inverse", square(factor, factor.args[0]), factor.operand(0).shape), whole.operand(1), at
    )


@form(linalg.solve_triangular)
def _triangular(whole: Call, at: At) -> Node:
    r"""Return L^{-1} b or L^{-\top} b, for a factor that is 0 in the triangle that is not read."""
    if set(whole.options) - {"lower", "trans", "check_finite"} or len(whole.args) > 2:
        raise whole.refused("this use of scipy.linalg.solve_triangular")
    matrix, is_transposed = square_or_transposed(whole)
    if matrix.of is None or matrix.of[0] != CHOLESKY or bool(whole.option("lower", default=False)) == is_transposed:
        raise whole.refused("scipy.linalg.solve_triangular with what is not made by a Cholesky factorisation")
    back = whole.option("trans", default=0) in (1, "T")
    inverse = function_of("inverse", matrix, matrix.shape)
    return solution(inverse, whole.operand(1), at, is_transposed != back)


# Formulas without factors ---------------------------------------------------------------------------------------------


def without_factors(value: Node, arrays: list[Array]) -> Node:
    """Return a formula of the same value in which no factor is read, so that it can be differentiated."""
    reading = {array for array in arrays if array.of is not None and array.of[0] == CHOLESKY and array.moves}
    if not reading:
        return value
    for array in arrays:  # each behind those that it is computed of
        if (array.of is not None and array.of[1] in reading) or (
            array.body is not None and array.body.arrays & reading
        ):
            reading.add(array)
    made = _without(value, reading)
    if made.arrays & reading:
        raise NoForm(
            "the derivative of what is computed of a Cholesky factor here", next(iter(made.arrays & reading)).where
        )
    return made


def _without(whole: Node, reading: set[Array]) -> Node:
    if isinstance(whole, Entry) and whole.array in reading and whole.array.body is not None:
        new = dict(zip(whole.array.indices, whole.at, strict=True))
        return _without(substituted(whole.array.body, new), reading)
    if isinstance(whole, Reduction):
        index, body = opened(whole)
        whole = reduced(whole.kind, index, _without(body, reading))
    else:
        whole = whole.made_of(tuple(_without(part, reading) for part in whole.parts))
    while isinstance(whole, Reduction) and (made := _logarithm(whole) or _contracted(whole)) is not None:
        whole = made
    return whole


def _logarithm(whole: Reduction) -> Node | None:
    """Return half the logarithm of a determinant for a sum of the logarithms along a diagonal."""
    index, body = opened(whole)
    entry = body.operands[0] if isinstance(body, Applied) and body.function == "log" else None
    if not isinstance(entry, Entry) or entry.at != (index, index) or _kind(entry.array) != CHOLESKY:
        return None
    return mul(Number(0.5), Entry(function_of("logdet", entry.array.of[1], ()), ()))  # type: ignore[index]


def _kind(array: Array) -> str:
    return array.of[0] if array.of is not None else ""


def _contracted(whole: Reduction) -> Node | None:
    r"""Return a sum over the rows of L^{-1}, which stands there twice, by K^{-1}."""
    index, body = opened(whole)
    factors = [
        one
        for factor in factors_of(body)
        for one in ([factor.base] * 2 if isinstance(factor, Power) and factor.exponent == Number(2.0) else [factor])
    ]
    if len(factors) != 2:
        return None
    one, other = (_row(factor, index) for factor in factors)
    if one is None or other is None or one[0] is not other[0]:
        return None
    matrix = one[0].of[1].of[1]  # type: ignore[index]
    inverse = Entry(function_of("inverse", matrix, matrix.shape), (one[1], other[1]))
    return one[2](other[2](inverse))


def _row(factor: Node, index: Index) -> tuple[Array, Node, Callable[[Node], Node]] | None:
    """Return L^{-1} where a factor is a sum over its row, the index of the column, and what sums over that."""
    if isinstance(factor, Entry):
        is_row = _kind(factor.array) == "inverse" and _kind(factor.array.of[1]) == CHOLESKY  # type: ignore[index]
        return (factor.array, factor.at[1], lambda x: x) if is_row and factor.at[0] == index else None
    if not isinstance(factor, Reduction) or factor.kind != "sum":
        return None
    column, body = opened(factor)
    parts = factors_of(body)
    own = [part for part in parts if index in part.indices]
    found = _row(own[0], index) if len(own) == 1 and isinstance(own[0], Entry) else None
    if found is None or found[1] != column:
        return None
    rest = [part for part in parts if part is not own[0]]
    return found[0], column, lambda x: reduced("sum", column, mul(*rest, x))
