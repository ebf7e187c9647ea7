"""Arrays of known shape whose entries are instructions: views of memory, and what is computed where it is read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autoopt.execution.native.code import Box, Code, Cuts, Index, Memory, affine, literal, product
from autoopt.tape.nests.windows import Form


class NotLowered(Exception):
    """Something that has no machine code here; the text says what."""


@dataclass(frozen=True)
class Number:
    """A number that is known when the code runs; `inside` if it is a place that a loop counts, sure to be in range."""

    kind: str
    text: str
    inside: bool = False

    shape = ()


@dataclass(frozen=True)
class Extent:
    """The length of a window that loops move, a register; `most` is the largest that it may be."""

    text: str
    most: int = field(compare=False)

    def __str__(self) -> str:
        return self.text

    def _refuse(self, other: object) -> Any:
        raise NotLowered("an array of a length that loops move")

    __mul__ = __rmul__ = __add__ = __radd__ = __sub__ = __rsub__ = __mod__ = __floordiv__ = __rfloordiv__ = _refuse
    __lt__ = __le__ = __gt__ = __ge__ = _refuse


def most(extent: int | Extent) -> int:
    """Return the largest that an extent may be."""
    return extent.most if isinstance(extent, Extent) else extent


def is_moving(shape: Sequence[int | Extent]) -> bool:
    """Whether some extent is one that loops move."""
    return any(isinstance(extent, Extent) for extent in shape)


def form_of(code: Code, place: Any) -> Form | None:
    """Return a whole number as affine in the counters of loops; None if it is not known as such."""
    if isinstance(place, Number):
        place = place.text if place.kind == "i" else None
    if isinstance(place, Extent):
        place = place.text
    if isinstance(place, int | np.integer) and not isinstance(place, bool):
        return {"": int(place)} if place else {}
    if isinstance(place, str) and place.lstrip("-").isdecimal():
        return {"": int(place)} if int(place) else {}
    return code.forms.get(place) if isinstance(place, str) else None


def emitted(code: Code, form: Form) -> Index:
    """Return a number of this form, once for each."""
    if set(form) <= {""}:
        return form.get("", 0)
    key = frozenset(form.items())
    if key not in code.extents:
        total: Index = form.get("", 0)
        for name, slope in form.items():
            if name:
                total = code.plus(code.times(name, slope), total)
        assert isinstance(total, str)
        code.extents[key] = total
        code.forms[total] = form
    return code.extents[key]


@dataclass(frozen=True)
class Layout:
    """Where an array's entries are in memory: at `offset` plus `strides` times the places."""

    memory: Memory
    offset: Index
    strides: tuple[int, ...]


@dataclass(frozen=True)
class Stretch:
    """The places of a memory from `first` to `last`, behind a multiple of what a register holds."""

    pointer: str
    register: str
    factor: int
    first: int
    last: int

    def meets(self, other: Stretch) -> bool:
        """Whether both may have places in common."""
        if self.pointer != other.pointer:
            return False
        apart = self.last < other.first or other.last < self.first
        return not ((self.register, self.factor) == (other.register, other.factor) and apart)


@dataclass(frozen=True)
class Array:
    """An array of known shape; `at(places)` emits what its entry there is.

    `layout` is None for what is computed where it is read; `reads` are the stretches of memory that takes, `cost` the
    number of operations, and `cuts` tell where entries begin to be computed in another way; `original` is the array of
    which this is a copy.
    """

    kind: str
    shape: tuple[int, ...]
    at: Callable[[Sequence[Index]], str]
    reads: frozenset[Stretch]
    layout: Layout | None = None
    cost: int = 1
    cuts: Cuts | None = None
    original: Array | None = None

    @property
    def placed(self) -> Layout:
        """The layout of an array that lies in memory."""
        assert self.layout is not None
        return self.layout

    @property
    def size(self) -> int:
        """The number of entries."""
        return product(self.shape)


def view(code: Code, layout: Layout, shape: Sequence[int]) -> Array:
    """Return an array that lies in memory."""
    memory = layout.memory

    def at(places: Sequence[Index]) -> str:
        return code.load(memory, place_of(code, layout, places))

    return Array(memory.kind, tuple(shape), at, frozenset([_stretch(code, layout, shape)]), layout)


def _stretch(code: Code, layout: Layout, shape: Sequence[int]) -> Stretch:
    """Return where in memory the entries of an array are."""
    register, factor, offset = affine(code, layout.offset)
    ends = [(most(extent) - 1) * stride for extent, stride in zip(shape, layout.strides, strict=True)]
    first = offset + sum(end for end in ends if end < 0)
    return Stretch(layout.memory.pointer, register, factor, first, offset + sum(end for end in ends if end > 0))


def is_read_by(array: Array, value: Array | Number) -> bool:
    """Whether a value is computed from memory that holds an array."""
    mine = next(iter(array.reads))
    return isinstance(value, Array) and any(mine.meets(stretch) for stretch in value.reads)


def place_of(code: Code, layout: Layout, places: Sequence[Index]) -> Index:
    """Return where in memory an entry is."""
    found = layout.offset
    for place, stride in zip(places, layout.strides, strict=True):
        found = code.plus(found, code.times(place, stride))
    return found


def row_major(shape: Sequence[int]) -> tuple[int, ...]:
    """Return the strides of an array without gaps."""
    return tuple(product(shape[k + 1 :]) for k in range(len(shape)))


def empty(code: Code, kind: str, shape: Sequence[int]) -> Array:
    """Return a new array, its entries not set."""
    room = [most(extent) for extent in shape]
    return view(code, Layout(code.memory(kind, product(room)), 0, row_major(room)), shape)


def fill(code: Code, target: Array, source: Array | Number) -> None:
    """Set all entries of an array in memory to those of one of its shape, or to a number."""
    layout = target.layout
    assert layout is not None

    def body(places: list[Index]) -> None:
        text = source.text if isinstance(source, Number) else source.at(places)
        code.store(layout.memory, place_of(code, layout, places), code.convert(text, source.kind, target.kind))

    code.nest(target.shape, body, None if isinstance(source, Number) else source.cuts)


def stored(code: Code, array: Array) -> Array:
    """Return the same array in memory without gaps."""
    target = empty(code, array.kind, array.shape)
    fill(code, target, array)
    return target


def in_memory(code: Code, array: Array) -> Array:
    """Return the same array as one that lies in memory."""
    return array if array.layout is not None else stored(code, array)


def is_dense(array: Array) -> bool:
    """Whether the entries lie in memory in order and without gaps."""
    if array.layout is None or is_moving(array.shape[1:]):
        return False
    pairs = zip(array.layout.strides, row_major(array.shape), array.shape, strict=True)
    return all(have == want or extent == 1 for have, want, extent in pairs)


def lift(code: Code, value: Any) -> Array | Number:
    """Return a value of Python or NumPy as an array or number of the code."""
    if isinstance(value, Array | Number):
        return value
    if isinstance(value, Extent):
        return Number("i", value.text, inside=True)
    if isinstance(value, np.ndarray) and value.ndim:
        kind = kind_of(value.dtype)
        return view(code, Layout(code.constant(value, kind), 0, row_major(value.shape)), value.shape)
    if isinstance(value, bool | int | float | np.generic | np.ndarray):
        kind = kind_of(np.asarray(value).dtype)
        return Number(kind, literal(np.asarray(value).item(), kind), inside=True)
    if isinstance(value, list | tuple):
        return stacked(code, [lift(code, entry) for entry in value])
    raise NotLowered(f"a value of {type(value).__name__}")


def kind_of(dtype: np.dtype) -> str:
    """Return the kind of an array's entries."""
    kind = {"f": "f", "i": "i", "u": "i", "b": "b"}.get(dtype.kind)
    if kind is None or (kind == "f" and dtype != np.float64) or dtype == np.uint64:
        raise NotLowered(f"{dtype} entries")
    return kind


def joined_kind(kinds: Sequence[str]) -> str:
    """Return the kind that numbers of these kinds have together."""
    return max(kinds, key="bif".index)


def stacked(code: Code, parts: Sequence[Array | Number]) -> Array:
    """Return the parts along a new first axis."""
    shape = parts[0].shape if parts else ()
    if any(part.shape != shape for part in parts):
        raise NotLowered("a list of arrays of different shapes")
    target = empty(code, joined_kind([part.kind for part in parts] or ["f"]), (len(parts), *shape))
    for k, part in enumerate(parts):
        fill(code, entry(code, target, k), part)
    return target


def entry(code: Code, array: Array, place: Index) -> Array:
    """Return the view of an array in memory at one place along its first axis."""
    layout = array.layout
    assert layout is not None
    offset = code.plus(layout.offset, code.times(place, layout.strides[0]))
    return view(code, Layout(layout.memory, offset, layout.strides[1:]), array.shape[1:])


def rearranged(code: Code, array: Array, shape: Sequence[int], axes: Sequence[tuple[int | None, Index, int]]) -> Array:
    """Return what is computed from an array's entries at other places.

    `axes` has, for each axis of `array`, the axis of the result that moves along it, from where, by which step; None
    for an axis that stays at one place.
    """

    def at(places: Sequence[Index]) -> str:
        return array.at(
            [start if k is None else code.plus(code.times(places[k], step), start) for k, start, step in axes]
        )

    def cuts(axis: int, box: Box) -> list[int]:
        mine = next((k for k, (moving, _, _) in enumerate(axes) if moving == axis), None)
        if mine is None or array.cuts is None:
            return []
        inner = [(0, 0) if k is None else box[k] for k, _, _ in axes]
        ends = [
            sorted(int(start) + step * end for end in pair) for pair, (_, start, step) in zip(inner, axes, strict=True)
        ]
        _, start, step = axes[mine]
        found = [cut - int(start) for cut in array.cuts(mine, [(low, high) for low, high in ends])]
        return [-(-cut // step) if step > 0 else -cut // -step + 1 for cut in found]

    return Array(array.kind, tuple(shape), at, array.reads, None, array.cost, cuts if array.cuts else None)


def joined_cuts(arrays: Sequence[Array]) -> Cuts | None:
    """Return where any of some arrays of one shape begins to be computed in another way."""
    several = [array.cuts for array in arrays if array.cuts is not None]
    return (lambda axis, box: {cut for cuts in several for cut in cuts(axis, box)}) if several else None


# Shapes ---------------------------------------------------------------------------------------------------------------


def broadcast_shape(*shapes: Sequence[int]) -> tuple[int, ...]:
    """Return the shape of arrays together."""
    if any(is_moving(shape) for shape in shapes):
        return _broadcast_moving(shapes)
    try:
        return np.broadcast_shapes(*map(tuple, shapes))
    except ValueError as problem:
        raise NotLowered(str(problem)) from problem


def _broadcast_moving(shapes: Sequence[Sequence[int]]) -> tuple[int, ...]:
    """Return the shape together of arrays with extents that loops move: equal ones, or 1."""
    found: list[Any] = []
    for k in range(1, max(map(len, shapes)) + 1):
        extents = list(dict.fromkeys(shape[-k] for shape in shapes if len(shape) >= k and shape[-k] != 1))
        if len(extents) > 1:
            raise NotLowered("arrays of different lengths that loops move")
        found.insert(0, extents[0] if extents else 1)
    return tuple(found)


def broadcast(code: Code, value: Array | Number, shape: Sequence[int]) -> Array:
    """Return a value stretched to `shape`; what would be computed again and again is computed before."""
    if isinstance(value, Number):
        text = value.text
        return Array(value.kind, tuple(shape), lambda places: text, frozenset(), cost=0)
    if value.shape == tuple(shape):
        return value
    if value.layout is None and (is_moving((*shape, *value.shape)) or product(shape) > value.size):
        value = stored(code, value)
    skip = len(shape) - len(value.shape)
    extents = value.shape
    if value.layout is not None:
        strides = [0 if extent == 1 else stride for extent, stride in zip(extents, value.layout.strides, strict=True)]
        return view(code, Layout(value.layout.memory, value.layout.offset, (0,) * skip + tuple(strides)), shape)
    return rearranged(
        code, value, shape, [(None if extent == 1 else skip + k, 0, 1) for k, extent in enumerate(extents)]
    )


def transposed(code: Code, array: Array, order: Sequence[int]) -> Array:
    """Return a view with the axes in another order."""
    shape = tuple(array.shape[axis] for axis in order)
    if array.layout is not None:
        strides = tuple(array.layout.strides[axis] for axis in order)
        return view(code, Layout(array.layout.memory, array.layout.offset, strides), shape)
    return rearranged(code, array, shape, [(k, 0, 1) for k in np.argsort(order).tolist()])


def reshaped(code: Code, array: Array, shape: Sequence[int]) -> Array:
    """Return the entries, in order, in another shape; one extent may be -1."""
    if is_moving(array.shape) or is_moving(shape):
        return _with_unit_axes(code, array, shape)
    known = product(extent for extent in shape if extent != -1)
    shape = tuple(array.size // known if extent == -1 and known else extent for extent in shape)
    if product(shape) != array.size:
        raise NotLowered(f"shape {array.shape} as {shape}")
    dense = array if is_dense(array) else stored(code, array)
    assert dense.layout is not None
    return view(code, Layout(dense.layout.memory, dense.layout.offset, row_major(shape)), shape)


def _with_unit_axes(code: Code, array: Array, shape: Sequence[int]) -> Array:
    """Return an array with extents that loops move with other axes of length 1."""
    kept = [k for k, extent in enumerate(array.shape) if extent != 1]
    if [extent for extent in shape if extent != 1] != [array.shape[k] for k in kept]:
        raise NotLowered("an array of a length that loops move in another shape")
    layout = in_memory(code, array).placed
    strides = iter([layout.strides[k] for k in kept])
    return view(code, Layout(layout.memory, layout.offset, tuple(0 if n == 1 else next(strides) for n in shape)), shape)
