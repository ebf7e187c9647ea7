"""The tape's own operations: assignment as a function, arrays of scalars, conversion."""

from __future__ import annotations

import numpy as np
import pytensor.tensor as pt

from autoopt.rules.indexing import locate
from autoopt.rules.operands import shape, tensor
from autoopt.rules.table import Unsupported, rule
from autoopt.tape import operations


@rule(operations.put)
def put(x, index, value):
    x, value = tensor(x), tensor(value)
    if x.dtype == "bool" or (x.dtype != "float64" and value.dtype == "float64"):
        raise Unsupported(f"writing {value.dtype} into an array of {x.dtype}", "make the array with dtype=float")
    place = x[locate(x, index)]
    return pt.set_subtensor(place, _fit(place, value).astype(x.dtype))


@rule(operations.put_add)
def put_add(x, index, value):
    x, value = tensor(x), tensor(value)
    if x.dtype != "float64":
        raise Unsupported(f"adding into an array of {x.dtype}", "make the array with dtype=float")
    place = x[locate(x, index)]
    return pt.inc_subtensor(place, _fit(place, value).astype(x.dtype))


def _fit(place, value):
    """Return `value` without the leading axes of length one that NumPy lets an assignment drop."""
    extra = value.ndim - place.ndim
    return value.reshape(shape(value)[extra:]) if extra > 0 else value


@rule(operations.pack)
def pack(shape, *elements):
    return pt.stack(list(map(tensor, _promote(elements)))).reshape(shape)


def _promote(elements):
    """Return the elements as tensors of their common type."""
    elements = [tensor(element) for element in elements]
    common = str(np.result_type(*(element.dtype for element in elements)))
    return [element if element.dtype == common else element.astype(common) for element in elements]


@rule(operations.astype)
def astype(x, dtype):
    kind = np.dtype(dtype)
    if kind not in (np.dtype(float), np.dtype(np.int64), np.dtype(bool)):
        raise Unsupported(f"conversion to {kind}", "keep the computation in float64")
    return pt.neq(x, 0) if kind.kind == "b" else tensor(x).astype(str(kind))
