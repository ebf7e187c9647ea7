"""What every rule asks of its operands: tensors of NumPy's types, static shapes, axes counted from the front."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np
import pytensor.tensor as pt
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple
from pytensor.compile.builders import OpFromGraph
from pytensor.graph.basic import Variable
from pytensor.graph.replace import clone_replace
from pytensor.graph.traversal import ancestors

from autoopt.ops.releases import thawed
from autoopt.tape.tape import fitting


def traced(x: Any) -> bool:
    """Return True if `x` is a PyTensor variable, or a nested sequence with one in it."""
    return isinstance(x, Variable) or (isinstance(x, list | tuple) and any(map(traced, x)))


def tensor(x: Any) -> pt.TensorVariable:
    """Return `x` as a tensor of float64, int64 or bool: Python's and NumPy's own types, not PyTensor's small ones."""
    if isinstance(x, Variable):
        return x
    if traced(x):
        parts = [tensor(part) for part in x]
        common = str(np.result_type(*(part.dtype for part in parts)))
        return pt.stack([part if part.dtype == common else part.astype(common) for part in parts])
    x = fitting(x)
    wide = {"f": np.float64, "i": np.int64, "u": np.int64}.get(x.dtype.kind, x.dtype)
    return pt.constant(x.astype(wide))


def converted(x: pt.TensorVariable, dtype: str) -> pt.TensorVariable:
    """Return `x` in another type; a constant stays one, so that rules can look at its value."""
    if x.dtype == dtype:
        return x
    return pt.constant(x.data.astype(dtype)) if isinstance(x, pt.TensorConstant) else x.astype(dtype)


def squares_to(x: pt.TensorVariable, square: pt.TensorVariable) -> pt.TensorVariable:
    """Return `x`, noting what its square is: |x|^2 has a second derivative at 0 that the product rule does not find."""
    x.tag.square = square
    return x


def squared(x: pt.TensorVariable) -> pt.TensorVariable:
    """Return x^2."""
    known = getattr(x.tag, "square", None)
    return pt.sqr(x) if known is None else known


def real(x: Any) -> pt.TensorVariable:
    """Return `x` as a float64 tensor."""
    x = tensor(x)
    return x if x.dtype == "float64" else x.astype("float64")


def moves(x: pt.TensorVariable) -> bool:
    """Whether `x` may depend on the parameters: unless all that it is made of is given."""
    roots = (v for v in ancestors([x]) if v.owner is None)
    return any(not isinstance(v, pt.TensorConstant) and not getattr(v.tag, "given", False) for v in roots)


def static(x: Any) -> Any:
    """Return the value of a constant, or None if `x` is a variable that may change."""
    if isinstance(x, pt.TensorConstant):
        return x.data
    return None if traced(x) else x


def discrete(x: pt.TensorVariable) -> bool:
    """Return True if `x` holds integers or booleans."""
    return np.dtype(x.dtype).kind in "biu"


def shape(x: pt.TensorVariable) -> tuple[int, ...]:
    """Return the shape of `x`, which is known while it is built."""
    return x.type.shape


def size(x: pt.TensorVariable) -> int:
    """Return the number of elements of `x`."""
    return prod(shape(x))


def axes(axis: Any, ndim: int) -> tuple[int, ...]:
    """Return `axis` (None, an integer or several) as a tuple counted from the front."""
    return tuple(range(ndim)) if axis is None else normalize_axis_tuple(axis, ndim)


def axis_index(axis: int, ndim: int) -> int:
    """Return `axis` counted from the front."""
    return normalize_axis_index(axis, ndim)


def along(axis: int, index: Any) -> tuple:
    """Return the index that picks `index` along `axis`, counted from the front."""
    return (slice(None),) * axis + (index,)


def broadcast(*operands: pt.TensorVariable) -> list[pt.TensorVariable]:
    """Return `operands` broadcast against each other."""
    common = np.broadcast_shapes(*map(shape, operands))
    return [operand if shape(operand) == common else pt.broadcast_to(operand, common) for operand in operands]


def to_end(x: pt.TensorVariable, axis: Any) -> pt.TensorVariable:
    """Return `x` with the axes in `axis` flattened into one last axis."""
    picked = axes(axis, x.ndim)
    kept = [i for i in range(x.ndim) if i not in picked]
    lengths = shape(x)
    x = x.transpose(*kept, *picked) if (*kept, *picked) != tuple(range(x.ndim)) else x
    return x.reshape(([lengths[i] for i in kept]) + [prod(lengths[i] for i in picked)])


def keep(x: pt.TensorVariable, axis: Sequence[int], keepdims: bool) -> pt.TensorVariable:
    """Return a reduced `x` with the reduced axes put back as length one if `keepdims`."""
    return pt.expand_dims(x, tuple(axis)) if keepdims and axis else x


def inline(x: pt.TensorVariable) -> pt.TensorVariable:
    """Return `x` with the graph inside its operation laid open, so that it can be rewritten and printed."""
    if x.owner is None or not isinstance(x.owner.op, OpFromGraph):
        return x
    inner, given = thawed(x.owner.op.fgraph), x.owner.inputs
    return clone_replace(inner.outputs[x.owner.outputs.index(x)], dict(zip(inner.inputs, given, strict=True)))
