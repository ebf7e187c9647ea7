"""Reading and writing parts of arrays, with NumPy's rules for what stands between the brackets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autoopt.execution.native.arrays import (
    Array,
    Extent,
    Layout,
    NotLowered,
    Number,
    broadcast,
    broadcast_shape,
    emitted,
    form_of,
    in_memory,
    is_read_by,
    lift,
    most,
    place_of,
    rearranged,
    stored,
    view,
)
from autoopt.execution.native.code import Code, Index
from autoopt.tape.nests.windows import summed


@dataclass(frozen=True)
class Take:
    """Places along one axis of a result: a run of them, one, a new axis, or those that an array of numbers names."""

    kind: str  # "run", "one", "new" or "list"
    start: Index = 0
    step: int = 1
    length: Any = 1
    places: Array | None = None


def is_basic(index: Any) -> bool:
    """Whether an index makes a view."""
    parts = index if type(index) is tuple else (index,)
    return all(
        part is None or part is Ellipsis or isinstance(part, slice | int | np.integer | Number) for part in parts
    ) and not any(
        isinstance(part, bool | np.bool_) or (isinstance(part, Number) and part.kind == "b") for part in parts
    )


def takes(code: Code, index: Any, shape: Sequence[int]) -> list[Take]:
    """Return what an index takes along each axis of an array of `shape`, new axes among them."""
    parts = list(index) if type(index) is tuple else [index]
    used = sum(part is not None and part is not Ellipsis for part in parts)
    if sum(part is Ellipsis for part in parts) > 1 or used > len(shape):
        raise NotLowered("an index with more entries than axes")
    gap = [slice(None)] * (len(shape) - used)
    where = next((k for k, part in enumerate(parts) if part is Ellipsis), len(parts))
    parts = [*parts[:where], *gap, *parts[where + 1 :]]
    found, axis = [], 0
    for part in parts:
        if part is None:
            found.append(Take("new"))
            continue
        found.append(_take(code, part, shape[axis]))
        axis += 1
    return found


def _take(code: Code, part: Any, extent: int) -> Take:
    if isinstance(part, slice):
        if not all(
            bound is None or isinstance(bound, int | np.integer) for bound in (part.start, part.stop, part.step)
        ) or isinstance(extent, Extent):
            return _moving_run(code, part, extent)
        run = range(extent)[part]
        return Take("run", run.start, run.step, len(run))
    if isinstance(part, int | np.integer) and not isinstance(part, bool) and not isinstance(extent, Extent):
        if not -extent <= part < extent:
            raise NotLowered("an index out of bounds")
        return Take("one", int(part) % extent)
    if isinstance(part, Number) and part.kind == "i":
        return Take("one", within(code, part, extent))
    places = lift(code, part)
    if isinstance(places, Array) and places.kind == "i":
        if isinstance(part, Array):
            places = _checked(code, places, extent)
        else:
            numbers = np.asarray(part)
            if numbers.size and not (-extent <= numbers.min() and numbers.max() < extent):
                raise NotLowered("an index out of bounds")
            places = lift(code, numbers % extent if extent else numbers)
            assert isinstance(places, Array)
        return Take("list", places=places)
    raise NotLowered("an index of this kind")


def _moving_run(code: Code, part: slice, extent: int | Extent) -> Take:
    """Return the places of a slice whose ends loops move; they are compared with the array's."""
    if part.start is None and part.stop is None and part.step == -1:
        last = form_of(code, extent)
        assert last is not None
        return Take("run", emitted(code, summed(last, {"": 1}, -1)), -1, extent)
    start, stop = form_of(code, part.start or 0), form_of(code, extent if part.stop is None else part.stop)
    behind = form_of(code, extent)
    if start is None or stop is None or behind is None or part.step not in (None, 1):
        raise NotLowered("a slice whose ends the values decide")
    for low, high in (({}, start), (start, stop), (stop, behind)):
        room = summed(high, low, -1)
        known = emitted(code, room)
        if isinstance(known, str):
            code.fail_unless(code.put(f"icmp sge i64 {known}, 0"))
        elif known < 0:
            raise NotLowered("a slice that reaches beyond its array")
    length = emitted(code, summed(stop, start, -1))
    return Take("run", emitted(code, start), 1, Extent(length, most(extent)) if isinstance(length, str) else length)


def within(code: Code, place: Number, extent: int) -> Index:
    """Return a place counted from the front, after a test that it is one."""
    if place.inside:
        return place.text
    negative = code.put(f"icmp slt i64 {place.text}, 0")
    behind = code.put(f"add nsw i64 {place.text}, {extent}")
    text = code.put(f"select i1 {negative}, i64 {behind}, i64 {place.text}")
    code.fail_unless(code.put(f"icmp ult i64 {text}, {extent}"))
    return text


def _checked(code: Code, places: Array, extent: int) -> Array:
    target = stored(code, places)

    def body(at: list[Index]) -> None:
        text = str(within(code, Number("i", target.at(at)), extent))
        code.store(target.placed.memory, place_of(code, target.placed, at), text)

    code.nest(target.shape, body)
    return target


def read(code: Code, array: Array | Number, index: Any) -> Array | Number:
    """Return `array[index]`."""
    array = broadcast(code, array, ()) if isinstance(array, Number) else array
    index = _without_masks(index)
    chosen = takes(code, index, array.shape)
    if array.cuts is not None and any(isinstance(take.start, str) for take in chosen):
        array = stored(code, array)
    found = part(code, array, chosen)
    return Number(found.kind, found.at(())) if found.shape == () else found


def _without_masks(index: Any) -> Any:
    """Return the index with masks that are known as the places that they choose."""
    parts = index if type(index) is tuple else (index,)
    if not any(isinstance(p, np.ndarray) and p.dtype == bool for p in parts):
        return index
    return tuple(q for p in parts for q in (p.nonzero() if isinstance(p, np.ndarray) and p.dtype == bool else (p,)))


def part(code: Code, array: Array, chosen: Sequence[Take]) -> Array:
    """Return the part of an array that `chosen` takes; a view of memory where the array is one."""
    if any(take.kind == "list" for take in chosen):
        return _gathered(code, array, chosen)
    shape = tuple(take.length for take in chosen if take.kind != "one")
    if array.layout is not None:
        offset, strides, axis = array.layout.offset, [], 0
        for take in chosen:
            if take.kind == "new":
                strides.append(0)
                continue
            stride = array.layout.strides[axis]
            offset = code.plus(offset, code.times(take.start, stride))
            if take.kind == "run":
                strides.append(stride * take.step)
            axis += 1
        return view(code, Layout(array.layout.memory, offset, tuple(strides)), shape)
    axes: list[tuple[int | None, Index, int]] = []
    axis = 0
    for take in chosen:
        if take.kind != "new":
            axes.append((axis if take.kind == "run" else None, take.start, take.step))
        axis += take.kind != "one"
    return rearranged(code, array, shape, axes)


def _gathered(code: Code, array: Array, chosen: Sequence[Take]) -> Array:
    """Return entries at the places that arrays of numbers name; what is named twice is computed once."""
    array = in_memory(code, array)
    shape, inner = _gather_plan(code, chosen)

    def at(places: Sequence[Index]) -> str:
        return array.at(inner(places))

    reads = array.reads.union(*(take.places.reads for take in chosen if take.places is not None))
    return Array(array.kind, shape, at, reads)


def _gather_plan(code: Code, chosen: Sequence[Take]) -> tuple[tuple[int, ...], Callable[[Sequence[Index]], list]]:
    """Return the shape of a gathered part, and where in the array its entries come from."""
    fancy = [k for k, take in enumerate(chosen) if take.kind in ("list", "one")]
    lists = [take.places for take in chosen if take.places is not None]
    common = broadcast_shape(*(places.shape for places in lists))
    spread = iter([broadcast(code, places, common) for places in lists])
    spread_of = {k: next(spread) for k in fancy if chosen[k].kind == "list"}
    together = fancy == list(range(fancy[0], fancy[-1] + 1))
    first = sum(chosen[k].kind in ("run", "new") for k in range(fancy[0])) if together else 0
    runs = [take.length for take in chosen if take.kind in ("run", "new")]
    shape = (*runs[:first], *common, *runs[first:])

    def inner(places: Sequence[Index]) -> list[Index]:
        named = places[first : first + len(common)]
        rest = iter([*places[:first], *places[first + len(common) :]])
        found: list[Index] = []
        for k, take in enumerate(chosen):
            if take.kind == "new":
                next(rest)
            elif take.kind == "run":
                found.append(code.plus(code.times(next(rest), take.step), take.start))
            else:
                found.append(spread_of[k].at(named) if take.kind == "list" else take.start)
        return found

    return shape, inner


def write(code: Code, array: Array, index: Any, value: Array | Number, add: bool = False) -> None:
    """Write `array[index] = value`; with `add` add it, place after place, as `np.add.at` does."""
    if array.layout is None:
        raise NotLowered("a write into what is no array of its own")
    chosen = takes(code, _without_masks(index), array.shape)
    if any(take.kind == "list" for take in chosen):
        shape, inner = _gather_plan(code, chosen)
        layout = array.layout
    else:
        target = part(code, array, chosen)
        shape, inner, layout = target.shape, list, target.placed
    value = broadcast(code, _settled(code, _fitted(code, value, shape), array), shape)

    def body(places: list[Index]) -> None:
        where = place_of(code, layout, inner(places))
        text = code.convert(value.at(places), value.kind, array.kind)
        if add:
            old = code.load(layout.memory, where)
            text = code.put(f"{'fadd double' if array.kind == 'f' else 'add i64'} {old}, {text}")
        code.store(layout.memory, where, text)

    code.nest(shape, body, value.cuts)


def _fitted(code: Code, value: Array | Number, shape: Sequence[int]) -> Array | Number:
    """Return a value without the leading unit axes that an assignment drops."""
    extra = len(value.shape) - len(shape)
    if extra <= 0:
        return value
    if any(extent != 1 for extent in value.shape[:extra]):
        raise NotLowered("an assignment of an array with more axes")
    assert isinstance(value, Array)  # as it has axes
    axes = [(None if k < extra else k - extra, 0, 1) for k in range(len(value.shape))]
    return rearranged(code, value, value.shape[extra:], axes)


def _settled(code: Code, value: Array | Number, array: Array) -> Array | Number:
    """Return a value that writing into `array` does not change."""
    return stored(code, value) if isinstance(value, Array) and is_read_by(array, value) else value


def add_into(code: Code, array: Array, index: Any, value: Array | Number) -> None:
    """Evaluate `array[index] += value`, reading all before writing any."""
    if is_basic(index):
        write(code, array, index, value, add=True)
        return
    from autoopt.execution.native.elementwise import apply

    old = read(code, array, index)
    write(code, array, index, apply(code, np.add, [old, value]))
