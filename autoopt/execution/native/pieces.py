"""Arrays that are written part by part before they are read: no memory until all is written, and then one pass.

    y = x.copy()                       y: x everywhere
    y[1:-1] += a                       y: x[i] + a[i - 1] at 1 <= i < n - 1, else what it was
    y[2:] += b                         y: that + b[i - 2] at 2 <= i < n, else what it was
    z[...] = y                         for i in 0, 1: z[i] = x[i] or x[i] + a[i - 1]
                                       for i in range(2, n - 1): z[i] = x[i] + a[i - 1] + b[i - 2]
                                       for i in n - 1: z[i] = x[i] + b[i - 2]

Which part an entry is in is known when its code is written, as loops are divided where the parts begin and end: at
`cuts`. So there are no tests in the loops, and nothing is added in another order than the statements say.
"""

from __future__ import annotations

from collections.abc import Sequence

from autoopt.execution.native.arrays import Array, NotLowered, Number, broadcast
from autoopt.execution.native.code import Box, Code, Index
from autoopt.execution.native.elementwise import as_kind
from autoopt.execution.native.indexing import Take, is_basic, takes


def parts_of(code: Code, index: object, array: Array) -> list[Take] | None:
    """Return what an index takes if that is a box of places known now; else None."""
    entries = index if type(index) is tuple else (index,)
    if not is_basic(index) or any(entry is None or isinstance(entry, Number) for entry in entries):
        return None
    chosen = takes(code, index, array.shape)
    known = all(isinstance(take.start, int) and isinstance(take.length, int) for take in chosen)
    return chosen if known and all(take.kind == "one" or take.step == 1 for take in chosen) else None


def overlaid(code: Code, base: Array, chosen: Sequence[Take], value: Array | Number) -> Array:
    """Return an array that is `value` in the box that `chosen` takes, and `base` elsewhere."""
    value = broadcast(code, as_kind(code, value, base.kind), [take.length for take in chosen if take.kind == "run"])
    if any(take.length == 0 for take in chosen):
        return base
    starts = [int(take.start) for take in chosen]
    ends = [start + take.length for start, take in zip(starts, chosen, strict=True)]
    moving = [axis for axis, take in enumerate(chosen) if take.kind == "run"]

    def at(places: Sequence[Index]) -> str:
        within = True
        for place, start, end in zip(places, starts, ends, strict=True):
            bounds = code.bounds(place)
            if bounds is not None and (bounds[1] < start or bounds[0] >= end):
                return base.at(places)
            within = within and bounds is not None and start <= bounds[0] and bounds[1] < end
        if not within:
            raise NotLowered("an entry of an array written in parts")
        return value.at([code.plus(places[axis], -starts[axis]) for axis in moving])

    def cuts(axis: int, box: Box) -> list[int]:
        others = [k for k in range(len(box)) if k != axis]
        behind = list(base.cuts(axis, box)) if base.cuts is not None else []
        if any(box[k][1] < starts[k] or box[k][0] >= ends[k] for k in others) or ends[axis] == starts[axis]:
            return behind
        if all(starts[k] <= box[k][0] and box[k][1] < ends[k] for k in others):
            behind = [cut for cut in behind if not starts[axis] < cut < ends[axis]]
        if axis in moving and value.cuts is not None:
            inner = [(max(box[k][0], starts[k]) - starts[k], min(box[k][1], ends[k] - 1) - starts[k]) for k in moving]
            behind += [cut + starts[axis] for cut in value.cuts(moving.index(axis), inner)]
        return [*behind, starts[axis], ends[axis]]

    return Array(base.kind, base.shape, at, base.reads | value.reads, None, base.cost + value.cost, cuts)
