"""PyTensor reductions with pullbacks of our own, where PyTensor's are wrong at ties, at zeros or to second order.

They are printed as the NumPy function that they name; only their derivatives differ from PyTensor's.
"""

from __future__ import annotations

from typing import Any

import pytensor.scalar as ps
import pytensor.tensor as pt
from pytensor.gradient import pullback
from pytensor.tensor.elemwise import CAReduce
from pytensor.tensor.extra_ops import CumOp
from pytensor.tensor.math import FixedOpCAReduce, NonZeroDimsCAReduce

from autoopt.ops.operands import along, to_end


class _Extremum(NonZeroDimsCAReduce):
    """The largest or smallest element; those that tie share the slope equally."""

    def clone(self, **kwargs: Any) -> CAReduce:
        return type(self)(kwargs.get("axis", self.axis))

    def pullback(self, inputs: Any, outputs: Any, output_gradients: Any) -> list:
        (x,), (out,), (g,) = inputs, outputs, output_gradients
        axis = tuple(range(x.ndim)) if self.axis is None else self.axis
        tied = pt.eq(x, pt.expand_dims(out, axis))
        share = pt.expand_dims(g / pt.sum(tied, axis=axis), axis)
        return [pt.switch(tied, share, 0.0)]


class Largest(_Extremum):
    """np.max."""

    nfunc_spec = ("max", 1, 1)

    def __init__(self, axis: tuple[int, ...] | None):
        super().__init__(ps.maximum, axis)


class Smallest(_Extremum):
    """np.min."""

    nfunc_spec = ("min", 1, 1)

    def __init__(self, axis: tuple[int, ...] | None):
        super().__init__(ps.minimum, axis)


class Product(FixedOpCAReduce):
    """np.prod, differentiated as a tree of pairwise products: exact to any order, with zeros too."""

    nfunc_spec = ("prod", 1, 1)

    def __init__(self, axis: tuple[int, ...] | None, dtype: Any = None, acc_dtype: Any = None):
        super().__init__(ps.mul, axis=axis, dtype=dtype, acc_dtype=acc_dtype, upcast_discrete_output=True)

    def clone(self, **kwargs: Any) -> CAReduce:
        return type(self)(kwargs.get("axis", self.axis))

    def pullback(self, inputs: Any, outputs: Any, output_gradients: Any) -> list:
        (x,), (g,) = inputs, output_gradients
        tree = to_end(x, self.axis)
        while (n := tree.type.shape[-1]) > 1:
            half = n // 2
            pairs = tree[..., :half] * tree[..., half : 2 * half]
            tree = pt.concatenate([pairs, tree[..., 2 * half :]], axis=-1) if n % 2 else pairs
        return [pullback(tree[..., 0], x, g)] if n else [pt.zeros_like(x)]


class CumulativeProduct(CumOp):
    """np.cumprod, differentiated as a prefix scan of products: exact to any order, with zeros too."""

    def __init__(self, axis: int, mode: str = "mul"):  # PyTensor names the mode when it stacks the operation
        super().__init__(axis, mode)

    def pullback(self, inputs: Any, outputs: Any, output_gradients: Any) -> list:
        (x,), (g,) = inputs, output_gradients
        scan, step = x, 1
        while step < x.type.shape[self.axis]:
            head = scan[along(self.axis, slice(None, step))]
            tail = scan[along(self.axis, slice(step, None))] * scan[along(self.axis, slice(None, -step))]
            scan = pt.concatenate([head, tail], axis=self.axis)
            step *= 2
        return [pullback(scan, x, g)] if step > 1 else [g]
