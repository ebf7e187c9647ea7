"""Sums, products, extremes and running sums along axes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from autoopt.execution.native.arrays import (
    Array,
    NotLowered,
    Number,
    empty,
    in_memory,
    is_dense,
    is_moving,
    place_of,
    reshaped,
)
from autoopt.execution.native.code import Code, Index, literal, product
from autoopt.execution.native.doubles import Double, exact_sum, select
from autoopt.execution.native.elementwise import as_kind


def _add(code: Code, a: str, b: str) -> str:
    return code.put(f"fadd reassoc double {a}, {b}")


def _add_whole(code: Code, a: str, b: str) -> str:
    return code.put(f"add i64 {a}, {b}")


def _multiply(code: Code, a: str, b: str) -> str:
    return code.put(f"fmul double {a}, {b}")


def _and(code: Code, a: str, b: str) -> str:
    return code.put(f"and i1 {a}, {b}")


def _or(code: Code, a: str, b: str) -> str:
    return code.put(f"or i1 {a}, {b}")


def _larger(code: Code, a: str, b: str) -> str:
    return code.call("llvm.maximum.f64", a, b)


def _smaller(code: Code, a: str, b: str) -> str:
    return code.call("llvm.minimum.f64", a, b)


@dataclass(frozen=True)
class Reduction:
    """The kind of the result, the value for no entries, how two are combined."""

    kind: str
    start: Any
    combine: Callable[[Code, str, str], str]


COUNT = Reduction("i", 0, _add_whole)
REDUCTIONS = {
    "sum": Reduction("f", 0.0, _add), "prod": Reduction("f", 1.0, _multiply), "max": Reduction("f", None, _larger),
    "min": Reduction("f", None, _smaller), "all": Reduction("b", True, _and), "any": Reduction("b", False, _or),
}  # fmt: skip
"""By the name of the array's method."""

BLOCK = 512
"""Entries that are added as they come, in the lanes of a register; the sums of blocks are added without rounding."""

WIDE = 8
"""Entries from which on rows are combined as a whole."""


def reduce(code: Code, name: str, value: Array | Number, axis: Any = None, keepdims: bool = False) -> Array | Number:
    """Return `value.name(axis=axis)`."""
    rule = COUNT if name == "sum" and value.kind != "f" else REDUCTIONS[name]
    if isinstance(value, Number):
        return Number(rule.kind, code.convert(value.text, value.kind, rule.kind))
    if value.kind != rule.kind and (rule.kind == "f" or value.kind == "f"):
        raise NotLowered(f"{name} of whole numbers")
    value = in_memory(code, value) if value.cuts is not None else value
    axes = _axes(axis, len(value.shape))
    if rule.start is None and any(value.shape[k] == 0 for k in axes):
        raise NotLowered("an extreme of nothing")
    kept = [k for k in range(len(value.shape)) if k not in axes]
    shape = tuple(value.shape[k] for k in kept)
    converted = as_kind(code, value, rule.kind)
    assert isinstance(converted, Array)
    if not shape and not keepdims:
        flat = value.kind == rule.kind and not is_moving(value.shape) and is_dense(value)
        converted = reshaped(code, value, (-1,)) if flat else converted
        return Number(rule.kind, _total(code, rule, converted, {}))
    target = empty(code, rule.kind, shape)
    behind = [k for k in kept if k > max(axes, default=-1)]
    wide = is_moving(value.shape) or product(value.shape[k] for k in behind) >= WIDE
    if wide and axes and behind:
        _combine_rows(code, rule, converted, target, (axes, kept, behind))
    else:
        _combine_each(code, rule, converted, target, kept)
    if keepdims:
        return reshaped(code, target, [1 if k in axes else extent for k, extent in enumerate(value.shape)])
    return target


def _combine_each(code: Code, rule: Reduction, value: Array, target: Array, kept: Sequence[int]) -> None:
    """Set each entry of the target to a total."""

    def body(places: list[Index]) -> None:
        text = _total(code, rule, value, dict(zip(kept, places, strict=True)))
        code.store(target.placed.memory, place_of(code, target.placed, places), text)

    code.nest(target.shape, body)


def _combine_rows(
    code: Code, rule: Reduction, value: Array, target: Array, order: tuple[list[int], list[int], list[int]]
) -> None:
    """Combine rows, which lie side by side in memory, with the rows of the target, one after the other."""
    axes, kept, behind = order
    ahead = [k for k in kept if k not in behind]
    where: dict[int, Index] = {}

    def over(some: Sequence[int], body: Callable[[], None]) -> None:
        def inner(places: list[Index]) -> None:
            where.update(zip(some, places, strict=True))
            body()

        code.nest([value.shape[k] for k in some], inner)

    def put(text: Callable[[Index], str]) -> None:
        place = place_of(code, target.placed, [where[k] for k in kept])
        code.store(target.placed.memory, place, text(place))

    def entry() -> str:
        return value.at([where[k] for k in range(len(value.shape))])

    def start(_: Index) -> str:
        where.update(dict.fromkeys(axes, 0))
        return literal(rule.start, rule.kind) if rule.start is not None else entry()

    def more(place: Index) -> str:
        return rule.combine(code, code.load(target.placed.memory, place), entry())

    def block() -> None:
        over(behind, lambda: put(start))
        over(axes, lambda: over(behind, lambda: put(more)))

    over(ahead, block)


def _total(code: Code, rule: Reduction, value: Array, given: dict[int, Index]) -> str:
    """Return all entries combined whose places along some axes are given."""
    extents = {k: extent for k, extent in enumerate(value.shape) if k not in given}
    if rule is REDUCTIONS["sum"] and not is_moving(list(extents.values())) and product(extents.values()) > 2 * BLOCK:
        return _sum_of_blocks(code, value, given, extents)
    return _combined(code, rule, value, given, extents)


def _combined(
    code: Code, rule: Reduction, value: Array, given: dict[int, Index], extents: dict[int, int], offset: Index = 0
) -> str:
    """Return entries combined as they come; `offset` is added to the first of the places that run over extents."""
    where = dict(given)

    def at(places: Sequence[Index]) -> str:
        where.update(zip(extents, places, strict=True))
        if offset != 0:
            first = next(iter(extents))
            where[first] = code.plus(offset, where[first])
        return value.at([where[k] for k in range(len(value.shape))])

    start = literal(rule.start, rule.kind) if rule.start is not None else at([0] * len(extents))
    cell = code.cell(rule.kind, start)
    code.nest(
        list(extents.values()),
        lambda places: code.store(cell, 0, rule.combine(code, code.load(cell, 0), at(places))),
    )
    return code.load(cell, 0)


def _sum_of_blocks(code: Code, value: Array, given: dict[int, Index], extents: dict[int, int]) -> str:
    """Return a sum whose error does not grow with its length: rounding of the sum of the blocks is added up apart."""
    outer, within = list(extents), 1
    while within * extents[outer[-1]] <= BLOCK:
        within *= extents[outer.pop()]
    split = outer.pop()
    inner = {k: extent for k, extent in extents.items() if k > split}
    most = max(1, BLOCK // within)
    length = next((n for n in range(most, most // 2, -1) if extents[split] % n == 0), most)  # one loop, where one does
    total, lost = (code.cell("f", literal(0.0, "f")) for _ in range(2))

    def add(places: Sequence[Index], first: Index, count: int) -> None:
        where = given | dict(zip(outer, places, strict=True))
        block = Double(code, _combined(code, REDUCTIONS["sum"], value, where, {split: count} | inner, first))
        found, rounding = exact_sum(Double(code, code.load(total, 0)), block)
        code.store(total, 0, found.text)
        code.store(lost, 0, (Double(code, code.load(lost, 0)) + rounding).text)

    def along(places: Sequence[Index]) -> None:
        whole, left = divmod(extents[split], length)
        code.loop(0, whole, 1, lambda block: add(places, code.times(block, length), length))
        if left:
            add(places, whole * length, left)

    code.nest([extents[k] for k in outer], along)
    found = Double(code, code.load(total, 0))
    return select(abs(found) < math.inf, found + Double(code, code.load(lost, 0)), found).text


def _axes(axis: Any, ndim: int) -> list[int]:
    if axis is None:
        return list(range(ndim))
    return sorted(int(k) % ndim for k in (axis if type(axis) is tuple else (axis,)))


def position(code: Code, value: Array, axis: int | None, larger: bool) -> Array | Number:
    """Return `argmax` or `argmin`: the first of the extremes, or of the NaNs."""
    if value.kind != "f" or value.size == 0:
        raise NotLowered("the position of an extreme of whole numbers")
    value = in_memory(code, value)
    along = range(len(value.shape)) if axis is None else [axis % len(value.shape)]
    kept = [k for k in range(len(value.shape)) if k not in along]
    if axis is None and len(value.shape) > 1:
        raise NotLowered("the position of an extreme along several axes")
    shape = tuple(value.shape[k] for k in kept)

    def place(places: Sequence[Index]) -> str:
        full: list[Index] = [0] * len(value.shape)
        for k, at in zip(kept, places, strict=True):
            full[k] = at
        best, where = code.cell("f", value.at(full)), code.cell("i", "0")

        def body(index: Index) -> None:
            full[along[0]] = index
            new, old = value.at(full), code.load(best, 0)
            better = code.put(f"fcmp {'ogt' if larger else 'olt'} double {new}, {old}")
            nan = code.put(f"fcmp uno double {new}, {new}")
            known = code.put(f"fcmp ord double {old}, {old}")

            def keep() -> None:
                code.store(best, 0, new)
                code.store(where, 0, str(index))

            code.when(code.put(f"and i1 {known}, {code.put(f'or i1 {better}, {nan}')}"), keep)

        code.loop(1, value.shape[along[0]], 1, body)
        return code.load(where, 0)

    if not shape:
        return Number("i", place(()), inside=True)
    target = empty(code, "i", shape)
    code.nest(shape, lambda at: code.store(target.placed.memory, place_of(code, target.placed, at), place(at)))
    return target


def running(code: Code, value: Array, axis: int | None, multiply: bool) -> Array:
    """Return `cumsum` or `cumprod`."""
    if value.kind != "f" or (axis is None and len(value.shape) > 1):
        raise NotLowered("a running sum of this kind")
    value = in_memory(code, value) if value.cuts is not None else value
    axis = (axis or 0) % len(value.shape)
    target = empty(code, "f", value.shape)
    rest = [extent for k, extent in enumerate(value.shape) if k != axis]

    def body(places: list[Index]) -> None:
        cell = code.cell("f", literal(1.0 if multiply else 0.0, "f"))

        def along(index: Index) -> None:
            full = [*places[:axis], index, *places[axis:]]
            operation = "fmul" if multiply else "fadd"
            text = code.put(f"{operation} double {code.load(cell, 0)}, {value.at(full)}")
            code.store(cell, 0, text)
            code.store(target.placed.memory, place_of(code, target.placed, full), text)

        code.loop(0, value.shape[axis], 1, along)

    code.nest(rest, body)
    return target
