"""The tape's own operations: assignment as a function, arrays of scalars, conversion."""

from __future__ import annotations

from math import prod

import numpy as np
import pytensor.tensor as pt
from pytensor.gradient import disconnected_grad

from autoopt.ops.operands import shape, static, tensor, traced
from autoopt.ops.patterns import applied
from autoopt.ops.refined import Refined
from autoopt.ops.windows import Windows
from autoopt.rules.indexing import locate
from autoopt.rules.table import Unsupported, rule
from autoopt.tape import operations
from autoopt.tape.windows import Move, windows


@rule(operations.put)
def put(x, index, value):
    """x with x[index] = value; where a position is written twice the last value stands, and only it has a slope."""
    x, value = tensor(x), tensor(value)
    if x.dtype != "float64" and value.dtype != x.dtype:
        if x.dtype not in ("int64", "bool"):
            raise Unsupported(f"writing {value.dtype} into an array of {x.dtype}", "make the array with dtype=float")
        value = astype(value, x.dtype)
    place, value = _place(x, index, value)
    if 0 in shape(place):
        return x
    if _is_number(x, index):
        return value
    if _distinct(x, index):
        return pt.set_subtensor(place, value)
    count = prod(shape(place))
    written = pt.constant(np.full(shape(x), -1))
    written = pt.set_subtensor(_place(written, index, value)[0], pt.arange(count).reshape(shape(place)))
    value = pt.broadcast_to(value, shape(place)).reshape((count,))
    return pt.switch(pt.ge(written, 0), value[pt.maximum(written, 0)], x)


@rule(operations.put_add)
def put_add(x, index, value):
    x, value = tensor(x), tensor(value)
    if x.dtype != "float64":
        raise Unsupported(f"adding into an array of {x.dtype}", "make the array with dtype=float")
    place, value = _place(x, index, value)
    return x + value if _is_number(x, index) else pt.inc_subtensor(place, value)


@rule(operations.held, order=0)
def held(x):
    return disconnected_grad(tensor(x))


@rule(operations.refined)
def refined(first, second):
    return applied(Refined(), tensor(first), tensor(second))


def _place(x, index, value):
    """Return x[index] and `value` fitted to it: no axes of length one that NumPy adds or lets an assignment drop."""
    parts = index if isinstance(index, tuple) else (index,)
    new = [part is None for part in parts]
    if any(new):
        if any(_gathers(part) for part in parts):
            raise Unsupported("writing at an index with both None and arrays", "leave None out of the index")
        place = x[locate(parts)]
        value = pt.broadcast_to(value, shape(place))
        parts = tuple(part for part in parts if part is not None)
        value = value.reshape(shape(x[locate(parts)]) if parts else shape(x))
    place = x[locate(parts)] if parts else x[...]
    extra = value.ndim - place.ndim
    value = value.reshape(shape(value)[extra:]) if extra > 0 else value
    return place, value if value.dtype == x.dtype else value.astype(x.dtype)


def _is_number(x, index):
    """Return True if `x` is 0-d and all of it is written: as text it is a number, which takes no assignment."""
    return not x.ndim and all(part is Ellipsis for part in (index if isinstance(index, tuple) else (index,)))


def _gathers(part):
    """Return True if `part` of an index is an array."""
    return not (part is None or part is Ellipsis or isinstance(part, int | np.integer | slice))


def _distinct(x, index):
    """Return True if it is known that `index` writes no position of `x` twice."""
    parts = index if isinstance(index, tuple) else (index,)
    if not any(map(_gathers, parts)):
        return True
    unknown = [part for part in parts if traced(part) and _constant(part) is None]
    if unknown:
        return len(unknown) == sum(map(_gathers, parts)) == 1 and tensor(unknown[0]).dtype == "bool"
    return operations.are_distinct(shape(x), tuple(_constant(part) if traced(part) else part for part in parts))


def _constant(part):
    """Return the value of a position that no data change, or None."""
    part = tensor(part)
    return getattr(part.tag, "constant", static(part))


@rule(operations.pack)
def pack(shape, *elements):
    return pt.stack(list(map(tensor, _promote(elements)))).reshape(shape)


def _promote(elements):
    """Return the elements as tensors of their common type."""
    elements = [tensor(element) for element in elements]
    common = str(np.result_type(*(element.dtype for element in elements)))
    return [element if element.dtype == common else element.astype(common) for element in elements]


@rule(windows)
def moving_windows(x, moves):
    return applied(Windows(tuple(Move(*move) for move in moves)), tensor(x))


@rule(operations.astype)
def astype(x, dtype):
    kind = np.dtype(dtype)
    if kind not in (np.dtype(float), np.dtype(np.int64), np.dtype(bool)):
        remedy = "use a list" if kind.kind == "O" else "keep the computation in float64"
        raise Unsupported(f"conversion to {kind}", remedy)
    return pt.neq(x, 0) if kind.kind == "b" else tensor(x).astype(str(kind))
