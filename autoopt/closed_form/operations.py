"""Operations on arrays in index notation: sums over axes, products of matrices, what is read and rearranged."""

from __future__ import annotations

import operator
import string
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import linalg, special

from autoopt.closed_form.functions import TWO, as_number
from autoopt.closed_form.making import add, call, divide, equal, indicator, mul, power, reduced, subtract
from autoopt.closed_form.reading import FORMS, LOOP, At, Call, Operand, form, lifted
from autoopt.closed_form.tree import ONE, ZERO, Array, Condition, Entry, Index, Node, Number, function_of
from autoopt.tape.names import qualified
from autoopt.tape.operations import component, pack
from autoopt.tape.recurrence import Recurrence

# Reductions -----------------------------------------------------------------------------------------------------------


def _axes(whole: Call) -> tuple[Operand, tuple[int, ...], bool]:
    """Return what is reduced, along which axes, and whether these stay as axes of one entry."""
    if set(whole.options) - {"axis", "keepdims"} or len(whole.args) > 2:
        raise whole.refused(f"options {', '.join(whole.options)} of a sum")
    x = whole.operand(0)
    axis = whole.option("axis", 1)
    axes = range(x.ndim) if axis is None else axis if isinstance(axis, tuple | list) else (axis,)
    return x, tuple(int(k) % x.ndim for k in axes), bool(whole.option("keepdims", default=False))


def _under(whole: Call, at: At) -> tuple[Node, list[Index]]:
    """Return the entry that is reduced, and the indices to reduce it over."""
    x, axes, kept = _axes(whole)
    rest = iter([k for n, k in enumerate(at) if not kept or n not in axes])
    fresh = [Index.fresh(x.shape[k]) for k in sorted(axes)]
    ahead = iter(fresh)
    body = as_number(x.entry(tuple(next(ahead) if k in axes else next(rest) for k in range(x.ndim))))
    return body, fresh


def over(kind: str, body: Node, indices: list[Index]) -> Node:
    for index in reversed(indices):
        body = reduced(kind, index, body)
    return body


def _reduction(kind: str, *operations: Callable) -> None:
    @form(*operations)
    def made(whole: Call, at: At) -> Node:
        return over(kind, *_under(whole, at))


_reduction("sum", np.sum)
_reduction("prod", np.prod)
_reduction("max", np.max, np.amax)
_reduction("min", np.min, np.amin)


def _count(indices: list[Index]) -> Node:
    return Number(float(np.prod([k.length for k in indices])))


@form(np.mean)
def _mean(whole: Call, at: At) -> Node:
    body, indices = _under(whole, at)
    return divide(over("sum", body, indices), _count(indices))


@form(np.var, np.std)
def _variance(whole: Call, at: At) -> Node:
    if whole.operation is np.std:
        raise whole.refused("np.std")
    body, indices = _under(whole, at)
    return divide(
        over("sum", power(subtract(body, divide(over("sum", body, indices), _count(indices))), TWO), indices),
        _count(indices),
    )


@form(special.logsumexp)
def _logsumexp(whole: Call, at: At) -> Node:
    body, indices = _under(whole, at)
    return call("log", over("sum", call("exp", body), indices))


@form(np.linalg.norm, linalg.norm)
def _norm(whole: Call, at: At) -> Node:
    x = whole.operand(0)
    order = whole.option("ord", 1)
    if order not in (None, 2) or at or (order == 2 and x.ndim == 2) or set(whole.options) - {"ord"}:
        raise whole.refused("a norm of this kind")
    indices = [Index.fresh(n) for n in x.shape]
    return power(over("sum", power(x.entry(tuple(indices)), TWO), indices), Number(0.5))


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
                letters[label] = Index.fresh(length)
                fresh.append(letters[label])
        factors.append(lifted(whole.reader, x).entry(tuple(letters[label] for label in own)))
    return over("sum", mul(*factors), fresh)  # type: ignore[arg-type]


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


# Reading and rearranging ----------------------------------------------------------------------------------------------


@form(operator.getitem)
def _getitem(whole: Call, at: At) -> Node:
    """Return the entry that is read: numbers, slices, new axes and arrays of positions stand for one each."""
    x = whole.operand(0)
    parts = _positions(whole, x)
    arrays = [part for part in parts if isinstance(part, Operand)]
    shape = np.broadcast_shapes(*(part.shape for part in arrays)) if arrays else ()
    places = [k for k, part in enumerate(parts) if isinstance(part, Operand)]
    if places and places[-1] - places[0] >= len(places):
        raise whole.refused("arrays of positions on both sides of a slice")
    ahead, inside, found = list(at), None, []
    axis = 0
    for part in parts:
        if part is None:
            ahead.pop(0)
            continue
        if isinstance(part, Operand):
            if inside is None:
                inside, ahead = tuple(ahead[: len(shape)]), ahead[len(shape) :]
            found.append(part.stretched(shape, inside))
        elif isinstance(part, slice):
            found.append(_moved(ahead.pop(0), *part.indices(x.shape[axis])))
        else:
            found.append(Number(float(part % x.shape[axis])))
        axis += 1
    return x.entry(tuple(found))


def _positions(whole: Call, x: Operand) -> list[Any]:
    """Return an index with a part for each axis."""
    index = whole.args[1]
    parts = [_plain(whole, part) for part in (index if isinstance(index, tuple) else (index,))]
    used = sum(part is not None and part is not Ellipsis for part in parts)
    rest: list[Any] = [slice(None)] * (x.ndim - used)
    for k, part in enumerate(parts):
        if part is Ellipsis:
            return [*parts[:k], *rest, *parts[k + 1 :]]
    return parts + rest


def _plain(whole: Call, part: Any) -> Any:
    if isinstance(part, slice):
        return slice(*(end.value if isinstance(end, Operand) else end for end in (part.start, part.stop, part.step)))
    if part is None or part is Ellipsis or isinstance(part, int | np.integer):
        return part
    operand = lifted(whole.reader, part)
    value = np.asarray(operand.value)
    if value.dtype == bool:
        raise whole.refused("entries that are picked by a mask")
    if not value.ndim:
        return int(value)
    if value.min(initial=0) < 0:
        raise whole.refused("positions from the end in an array")
    return operand


def _moved(at: Node, start: int, stop: int, step: int) -> Node:
    return add(mul(Number(float(step)), at), Number(float(start)))


@form(np.transpose)
def _transpose(whole: Call, at: At) -> Node:
    axes = whole.option("axes", 1)
    if axes is None:
        return whole.operand(0).entry(at[::-1])
    back = dict(zip((int(k) % len(at) for k in axes), at, strict=True))
    return whole.operand(0).entry(tuple(back[k] for k in range(len(at))))


@form(np.reshape, np.ravel, np.expand_dims, np.squeeze, np.atleast_1d, np.atleast_2d)
def _reshape(whole: Call, at: At) -> Node:
    """Return an entry of the same entries in another shape."""
    x = whole.operand(0)
    if "order" in whole.options:
        raise whole.refused("another order of the entries")
    if tuple(n for n in whole.shape if n != 1) == tuple(n for n in x.shape if n != 1):
        own = iter([k for k, n in zip(at, whole.shape, strict=True) if n != 1])
        return x.entry(tuple(ZERO if n == 1 else next(own) for n in x.shape))
    if x.ndim == 1:
        place: Node = ZERO
        for k, n in zip(at, whole.shape, strict=True):
            place = add(mul(Number(float(n)), place), k)
        return x.entry((place,))
    raise whole.refused("a matrix as a vector")


@form(np.broadcast_to)
def _stretched(whole: Call, at: At) -> Node:
    return whole.operand(0).stretched(whole.shape, at)


@form(np.diag, np.diagonal)
def _diagonal(whole: Call, at: At) -> Node:
    x = whole.operand(0)
    if len(whole.args) > 1 or whole.options:
        raise whole.refused("a diagonal beside the middle")
    if x.ndim == 2:
        return x.entry((at[0], at[0]))
    return mul(equal(at[0], at[1]), x.entry(at[:1]))


@form(np.eye, np.identity)
def _identity(whole: Call, at: At) -> Node:
    if whole.shape[0] != whole.shape[1] or set(whole.options) - {"dtype"}:
        raise whole.refused("np.eye of this kind")
    return equal(*at)


@form(np.tril, np.triu)
def _triangle(whole: Call, at: At) -> Node:
    if len(whole.args) > 1 or whole.options:
        raise whole.refused("a triangle beside the diagonal")
    sign = ">=" if whole.operation is np.tril else "<="
    return mul(indicator(Condition(sign, at)), whole.operand(0).entry(at))


@form(np.arange)
def _range(whole: Call, at: At) -> Node:
    values = np.arange(*(lifted(whole.reader, k).value for k in whole.args))
    if len(values) < 2:
        return Number(float(values[0]))
    return add(Number(float(values[0])), mul(Number(float(values[1] - values[0])), at[0]))


def _filled(value: Any) -> Any:
    def made(whole: Call, at: At) -> Node:
        if value is not None:
            return Number(value)
        given = whole.args[1] if len(whole.args) > 1 else whole.options["fill_value"]
        return lifted(whole.reader, given).stretched(whole.shape, at)

    return made


FORMS |= {np.zeros: _filled(0.0), np.zeros_like: _filled(0.0), np.ones: _filled(1.0), np.ones_like: _filled(1.0)}
FORMS |= {np.full: _filled(None), np.full_like: _filled(None)}
FORMS |= dict.fromkeys((np.asarray, np.ascontiguousarray), lambda whole, at: whole.operand(0).entry(at))


@form(np.concatenate, np.hstack, np.array, np.stack, np.vstack, pack)
def _blocks(whole: Call, at: At) -> Node:
    """Return the entry of blocks that stand one after the other: of each, where the position falls into it."""
    blocks: Any = whole.args[1:] if whole.operation is pack else whole.args[0]
    if isinstance(blocks, Operand):
        return blocks.entry(at)
    if whole.operation in (np.vstack,) or whole.option("axis", default=0) not in (0, None) or len(blocks) > 24:
        raise whole.refused("blocks of a matrix")
    parts = [lifted(whole.reader, block) for block in blocks]
    is_new = whole.operation in (np.array, np.stack, pack)
    if whole.operation is pack and len(at) > 1 + parts[0].ndim:
        raise whole.refused("a matrix that is put together of numbers")
    terms, start = [], 0
    for part in parts:
        length = 1 if is_new or not part.ndim else part.shape[0]
        inside = subtract(at[0], Number(float(start)))
        entry = part.entry(at[1:]) if is_new or not part.ndim else part.entry((inside, *at[1:]))
        terms.append(mul(_within(at[0], start, length, whole.shape[0]), entry))
        start += length
    return add(*terms)


def _within(at: Node, start: int, length: int, whole: int) -> Node:
    """Return 1 where a position falls into a block."""
    if length == 1:
        return equal(at, Number(float(start)))
    conditions = [Condition(">=", (at, Number(float(start))))] if start else []
    if start + length < whole:
        conditions.append(Condition("<", (at, Number(float(start + length)))))
    return indicator(*conditions)
