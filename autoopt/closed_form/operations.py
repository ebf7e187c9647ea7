"""Sums over axes, products of matrices and functions of matrices in index notation."""

from __future__ import annotations

import string
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import linalg, special

from autoopt.closed_form.functions import TWO, as_number
from autoopt.closed_form.making import (
    add,
    call,
    divide,
    indicator,
    mul,
    power,
    reduced,
    reduced_over,
    subtract,
)
from autoopt.closed_form.reading import LOOP, At, Call, Operand, form, lifted
from autoopt.closed_form.tree import ONE, Array, Condition, Entry, Index, Node, Number, function_of
from autoopt.tape.names import qualified
from autoopt.tape.operations import component
from autoopt.tape.recurrence import Recurrence

# Reductions -----------------------------------------------------------------------------------------------------------


def _axes(whole: Call, *more: str) -> tuple[Operand, tuple[int, ...], bool]:
    """Return what is reduced, along which axes, and whether these stay as axes of one entry.

    `more` are options that the caller sees to.
    """
    if set(whole.options) - {"axis", "keepdims", *more} or len(whole.args) > 2:
        raise whole.refused(f"options {', '.join(whole.options)} of a sum")
    x = whole.operand(0)
    axis = whole.option("axis", 1)
    axes = range(x.ndim) if axis is None else axis if isinstance(axis, tuple | list) else (axis,)
    return x, tuple(int(k) % x.ndim for k in axes), bool(whole.option("keepdims", default=False))


def _under(whole: Call, at: At, *more: str) -> tuple[Node, list[Index]]:
    """Return the entry that is reduced, and the indices to reduce it over."""
    x, axes, kept = _axes(whole, *more)
    rest = iter([k for n, k in enumerate(at) if not kept or n not in axes])
    fresh = [Index.fresh(x.shape[k]) for k in sorted(axes)]
    ahead = iter(fresh)
    body = as_number(x.entry(tuple(next(ahead) if k in axes else next(rest) for k in range(x.ndim))))
    return body, fresh


def _reduction(kind: str, *operations: Callable) -> None:
    @form(*operations)
    def made(whole: Call, at: At) -> Node:
        body, indices = _under(whole, at)
        return reduced_over(kind, indices, body)


_reduction("sum", np.sum)
_reduction("prod", np.prod)
_reduction("max", np.max, np.amax)
_reduction("min", np.min, np.amin)


def _count(indices: list[Index]) -> Node:
    return Number(float(np.prod([k.length for k in indices])))


@form(np.mean)
def _mean(whole: Call, at: At) -> Node:
    body, indices = _under(whole, at)
    return divide(reduced_over("sum", indices, body), _count(indices))


@form(np.var, np.std)
def _variance(whole: Call, at: At) -> Node:
    body, indices = _under(whole, at, "ddof")
    mean = divide(reduced_over("sum", indices, body), _count(indices))
    count = subtract(_count(indices), Number(float(whole.option("ddof", default=0))))
    variance = divide(reduced_over("sum", indices, power(subtract(body, mean), TWO)), count)
    return variance if whole.operation is np.var else power(variance, Number(0.5))


@form(special.logsumexp)
def _logsumexp(whole: Call, at: At) -> Node:
    body, indices = _under(whole, at)
    return call("log", reduced_over("sum", indices, call("exp", body)))


@form(special.softmax, special.log_softmax)
def _softmax(whole: Call, at: At) -> Node:
    x = whole.operand(0)
    axis = whole.option("axis", 1)
    if axis is None or set(whole.options) - {"axis"} or isinstance(axis, tuple):
        raise whole.refused("this use of scipy.special.softmax")
    index = Index.fresh(x.shape[axis])
    inside = tuple(index if k == axis % x.ndim else one for k, one in enumerate(at))
    total = reduced("sum", index, call("exp", x.entry(inside)))
    if whole.operation is special.softmax:
        return divide(call("exp", x.entry(at)), total)
    return subtract(x.entry(at), call("log", total))


@form(np.linalg.norm, linalg.norm)
def _norm(whole: Call, at: At) -> Node:
    x = whole.operand(0)
    order = whole.option("ord", 1)
    is_of_vectors = x.ndim == 1 or "axis" in whole.options
    if order not in (None, 2) or len(whole.args) > 1 or (order == 2 and not is_of_vectors):
        raise whole.refused("a norm of this kind")
    body, indices = _under(whole, at, "ord")
    return power(reduced_over("sum", indices, power(body, TWO)), Number(0.5))


@form(np.cumsum)
def _cumulated(whole: Call, at: At) -> Node:
    """Return the sum of all entries up to one."""
    x, axes, _ = _axes(whole)
    if len(axes) != 1:
        raise whole.refused("np.cumsum over several axes")
    index = Index.fresh(x.shape[axes[0]])
    inside = tuple(index if k == axes[0] else one for k, one in enumerate(at))
    return reduced("sum", index, mul(indicator(Condition("<=", (index, at[axes[0]]))), x.entry(inside)))


@form(np.diff)
def _differences(whole: Call, at: At) -> Node:
    x = whole.operand(0)
    if x.ndim != 1 or len(whole.args) > 1 or whole.options:
        raise whole.refused("np.diff along an axis")
    return subtract(x.entry((add(at[0], ONE),)), x.entry(at))


# Products -------------------------------------------------------------------------------------------------------------


@form(np.matmul, np.dot, np.inner, np.vdot)
def _matmul(whole: Call, at: At) -> Node:
    a, b = whole.operand(0), whole.operand(1)
    if not a.ndim or not b.ndim:
        return mul(a.stretched(whole.shape, at), b.stretched(whole.shape, at))
    if a.ndim > 2 or b.ndim > 2 or (whole.operation in (np.inner, np.vdot) and a.ndim + b.ndim > 2) or whole.options:
        raise whole.refused("a product of stacks of matrices")
    index = Index.fresh(a.shape[-1])
    left = a.entry((*at[: a.ndim - 1], index))
    right = b.entry((index, *at[a.ndim - 1 :]))
    return reduced("sum", index, mul(as_number(left), as_number(right)))


@form(np.outer)
def _outer(whole: Call, at: At) -> Node:
    return mul(whole.operand(0).entry(at[:1]), whole.operand(1).entry(at[1:]))


@form(np.einsum)
def _einsum(whole: Call, at: At) -> Node:
    """Return the sum over the labels that do not stand in the result."""
    labels, *operands = whole.args
    inputs, mark, output = str(labels).replace(" ", "").partition("->")
    if not mark:
        output = "".join(sorted(k for k in set(inputs) - {","} if inputs.count(k) == 1))
    if not set(inputs + output) <= set(string.ascii_letters + ","):
        raise whole.refused("this np.einsum")
    letters: dict[str, Node] = dict(zip(output, at, strict=True))
    fresh, factors = [], []
    for x, own in zip(operands, inputs.split(","), strict=True):
        for label, length in zip(own, lifted(whole.reader, x).shape, strict=True):
            if label not in letters:
                letters[label] = index = Index.fresh(length)
                fresh.append(index)
        factors.append(lifted(whole.reader, x).entry(tuple(letters[label] for label in own)))
    return reduced_over("sum", fresh, mul(*factors))


@form(np.trace)
def _trace(whole: Call, at: At) -> Node:
    x = whole.operand(0)
    if len(whole.args) > 1 or whole.options or x.ndim != 2 or x.shape[0] != x.shape[1]:
        raise whole.refused("np.trace of this kind")
    index = Index.fresh(x.shape[0])
    return reduced("sum", index, x.entry((index, index)))


# Functions of matrices ------------------------------------------------------------------------------------------------


def square(whole: Call, x: Any) -> Array:
    """Return a matrix that a call is given as an array with a symbol."""
    matrix = lifted(whole.reader, x)
    if matrix.ndim != 2:
        raise whole.refused("a stack of matrices")
    return matrix.array()


def square_or_transposed(whole: Call) -> tuple[Array, bool]:
    """Return a matrix that a call is given first, and whether it is its transpose that is given."""
    x = whole.operand(0)
    indices = tuple(Index.fresh(n) for n in x.shape)
    entry = x.entry(indices) if x.ndim == 2 else None
    if isinstance(entry, Entry) and entry.at == indices[::-1]:
        return entry.array, True
    return square(whole, x), False


def solution(inverse: Array, b: Operand, at: At, transposed: bool = False) -> Node:
    """Return the entry of A^{-1} b."""
    index = Index.fresh(b.shape[0])
    place = (index, at[0]) if transposed else (at[0], index)
    return reduced("sum", index, mul(Entry(inverse, place), b.entry((index, *at[1:]))))


@form(np.linalg.inv, linalg.inv)
def _inverse(whole: Call, at: At) -> Node:
    matrix, is_transposed = square_or_transposed(whole)
    return Entry(function_of("inverse", matrix, matrix.shape), at[::-1] if is_transposed else at)


@form(np.linalg.solve, linalg.solve)
def _solve(whole: Call, at: At) -> Node:
    if set(whole.options) - {"assume_a", "sym_pos"}:
        raise whole.refused(f"a solution with {', '.join(whole.options)}")
    matrix, is_transposed = square_or_transposed(whole)
    return solution(function_of("inverse", matrix, matrix.shape), whole.operand(1), at, is_transposed)


@form(np.linalg.det, linalg.det)
def _determinant(whole: Call, at: At) -> Node:
    return Entry(function_of("det", square(whole, whole.args[0]), ()), ())


@form(component)
def _component(whole: Call, at: At) -> Node:
    """Return one of several results: the logarithm of a determinant's size."""
    source = whole.operand(0)
    assert source.index is not None
    inner = Call(whole.reader, source.index)
    if isinstance(inner.operation, Recurrence):
        raise inner.refused(LOOP)
    if inner.operation is linalg.cho_factor and whole.users() <= {np.diag, np.diagonal, linalg.cho_solve}:
        return Entry(function_of("cholesky", square(inner, inner.args[0]), inner.operand(0).shape), at)
    if inner.operation is not np.linalg.slogdet:
        raise inner.refused(qualified(inner.operation))
    if int(whole.option("", 1)) != 1:
        raise whole.refused("the sign of a determinant")
    return Entry(function_of("logdet", square(inner, inner.args[0]), ()), ())
