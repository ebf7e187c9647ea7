"""Sums, products, extremes and running sums along axes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from autoopt.execution.native.arrays import (
    Array,
    NotLowered,
    Number,
    empty,
    place_of,
    reshaped,
)
from autoopt.execution.native.code import Code, Index, literal
from autoopt.execution.native.elementwise import maximum, minimum


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


REDUCTIONS: dict[str, tuple[str, Any, Callable]] = {
    "sum": ("f", 0.0, _add), "prod": ("f", 1.0, _multiply), "max": ("f", None, maximum), "min": ("f", None, minimum),
    "all": ("b", True, _and), "any": ("b", False, _or),
}  # fmt: skip
"""By the name of the array's method: the kind of the result, the value for no entries, how two are combined."""


def reduce(code: Code, name: str, value: Array | Number, axis: Any = None, keepdims: bool = False) -> Array | Number:
    """Return `value.name(axis=axis)`."""
    kind, start, combine = REDUCTIONS[name]
    if name == "sum" and value.kind != "f":
        kind, combine = "i", _add_whole
    if isinstance(value, Number):
        return Number(kind, code.convert(value.text, value.kind, kind))
    if value.kind != kind and (kind == "f" or value.kind == "f"):
        raise NotLowered(f"{name} of whole numbers")
    axes = _axes(axis, len(value.shape))
    if start is None and any(value.shape[k] == 0 for k in axes):
        raise NotLowered("an extreme of nothing")
    kept = [k for k in range(len(value.shape)) if k not in axes]
    shape = tuple(value.shape[k] for k in kept)

    def total(places: Sequence[Index]) -> str:
        full: list[Index] = [0] * len(value.shape)
        for k, place in zip(kept, places, strict=True):
            full[k] = place
        first = literal(start, kind) if start is not None else value.at(full)
        cell = code.cell(kind, first)

        def body(inner: list[Index]) -> None:
            for k, place in zip(axes, inner, strict=True):
                full[k] = place
            code.store(cell, 0, combine(code, code.load(cell, 0), code.convert(value.at(full), value.kind, kind)))

        code.nest([value.shape[k] for k in axes], body)
        return code.load(cell, 0)

    if not shape and not keepdims:
        return Number(kind, total(()))
    target = empty(code, kind, shape)
    layout = target.placed
    code.nest(shape, lambda places: code.store(layout.memory, place_of(code, layout, places), total(places)))
    if keepdims:
        return reshaped(code, target, [1 if k in axes else extent for k, extent in enumerate(value.shape)])
    return target


def _axes(axis: Any, ndim: int) -> list[int]:
    if axis is None:
        return list(range(ndim))
    return sorted(int(k) % ndim for k in (axis if type(axis) is tuple else (axis,)))


def position(code: Code, value: Array, axis: int | None, larger: bool) -> Array | Number:
    """Return `argmax` or `argmin`: the first of the extremes, or of the NaNs."""
    if value.kind != "f" or value.size == 0:
        raise NotLowered("the position of an extreme of whole numbers")
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
