"""Entries that are read, written and rearranged, and arrays that are filled, in index notation."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from autoopt.closed_form.making import (
    add,
    call,
    equal,
    factors_of,
    indicator,
    mul,
    subtract,
    where,
)
from autoopt.closed_form.reading import FORMS, At, Call, Operand, form, lifted
from autoopt.closed_form.tree import ONE, ZERO, Condition, Node, Number
from autoopt.tape.operations import pack, put
from autoopt.tape.tape import CONSTANT


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
    arrays = [k for k, part in enumerate(parts) if isinstance(part, Operand)]
    if len(arrays) == 1 and (run := _run(parts[arrays[0]])) is not None:
        parts[arrays[0]] = run
    used = sum(part is not None and part is not Ellipsis for part in parts)
    rest: list[Any] = [slice(None)] * (x.ndim - used)
    for k, part in enumerate(parts):
        if part is Ellipsis:
            return [*parts[:k], *rest, *parts[k + 1 :]]
    return parts + rest


def _run(positions: Operand) -> slice | None:
    """Return positions that stand in the code, one after the other, as a slice."""
    value = np.asarray(positions.value)
    is_constant = positions.level == CONSTANT and value.ndim == 1 and value.size
    return slice(int(value[0]), int(value[-1]) + 1) if is_constant and (np.diff(value) == 1).all() else None


def _plain(whole: Call, part: Any) -> Any:
    if isinstance(part, slice):
        return slice(*(end.value if isinstance(end, Operand) else end for end in (part.start, part.stop, part.step)))
    if part is None or part is Ellipsis or isinstance(part, int | np.integer):
        return part
    if isinstance(part, list | tuple) and any(isinstance(one, Operand) for one in part):
        raise whole.refused("a list of positions")
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


@form(put)
def _written(whole: Call, at: At) -> Node:
    """Return the entry of an array into a part of which something was written."""
    x, value = whole.operand(0), whole.operand(2)
    parts = _positions(whole, x)
    if any(part is None or isinstance(part, Operand) for part in parts):
        raise whole.refused("entries that are written at positions in an array")
    conditions: list[Node] = []
    inside: list[Node] = []
    shape = []
    for part, one, length in zip(parts, at, x.shape, strict=True):
        start, stop, step = part.indices(length) if isinstance(part, slice) else (part % length, part % length + 1, 1)
        if step != 1:
            raise whole.refused("entries that are written with a step")
        conditions.append(_within(one, start, stop - start, length))
        if isinstance(part, slice):
            inside.append(subtract(one, Number(float(start))))
            shape.append(stop - start)
    written = value.stretched(shape, tuple(inside))
    is_written = mul(*conditions)
    if is_written == ONE:
        return written
    before = x.entry(at)
    if is_written == ZERO:
        return before
    if before == ZERO:
        return mul(is_written, written)
    holds = Condition("and", tuple(one.condition for one in factors_of(is_written)))  # type: ignore[attr-defined]
    return where(holds, written, before)


@form(np.concatenate, np.hstack, np.array, np.stack, np.vstack, pack)
def _blocks(whole: Call, at: At) -> Node:
    """Return the entry of blocks that stand one after the other: of each, where the position falls into it."""
    blocks: Any = whole.args[1:] if whole.operation is pack else whole.args[0]
    if isinstance(blocks, Operand):
        return blocks.entry(at)
    if not at:
        return lifted(whole.reader, blocks[0]).entry(())
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


@form(np.clip)
def _clipped(whole: Call, at: At) -> Node:
    """Return min(max(x, low), high)."""
    x = whole.operand(0)
    low = whole.args[1] if len(whole.args) > 1 else whole.options.get("a_min")
    high = whole.args[2] if len(whole.args) > 2 else whole.options.get("a_max")
    made = x.stretched(whole.shape, at)
    for bound, name in ((low, "max"), (high, "min")):
        if bound is not None:
            made = call(name, made, lifted(whole.reader, bound).stretched(whole.shape, at))
    return made
