"""The discrete Fourier transform of a pair of real and imaginary parts, as one operation."""

from __future__ import annotations

from typing import Any

import pytensor.tensor as pt
from pytensor.graph.basic import Apply, Variable
from pytensor.graph.op import Op
from pytensor.graph.replace import _vectorize_node

from autoopt.ops.releases import infers_shape
from autoopt.tape import operations


class Fourier(Op):
    """The transform of x[..., 0, :] + x[..., 1, :] j along the last axis, in the same layout; not divided by n.

    Parameters
    ----------
    inverse : bool
        True for exp(+2 pi i j k / n).
    """

    __props__ = ("inverse",)

    def __init__(self, inverse: bool) -> None:
        self.inverse = inverse

    def make_node(self, x: Any) -> Apply:
        x = pt.as_tensor(x)
        return Apply(self, [x], [pt.tensor(dtype="float64", shape=x.type.shape)])

    def perform(self, node: Apply, inputs: list, outputs: list) -> None:
        (x,) = inputs
        outputs[0][0] = operations.dft(x[..., 0, :], x[..., 1, :], self.inverse)

    @infers_shape
    def infer_shape(self, node: Apply, shapes: list) -> list:
        return shapes

    def pullback(self, inputs: list, outputs: list, cotangents: list) -> list:
        return [Fourier(not self.inverse)(cotangents[0])]

    def pushforward(self, inputs: list, outputs: list, tangents: list) -> list:
        return [self(tangents[0])]


@_vectorize_node.register(Fourier)
def _vectorize(op: Fourier, node: Apply, x: Variable) -> list[Variable]:
    """Return the transforms of a stack, which the operation does by itself."""
    return op.make_node(x).outputs
