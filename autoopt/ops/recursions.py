"""A linear recurrence of numbers, h[0] = x[0] and h[t] = factor[t - 1] * h[t - 1] + x[t], as a triangular system.

| 1                |  h[0]     x[0]            Two diagonals: `dtbsv` of BLAS solves it from above, which is what
| -f[0]  1         |  h[1]  =  x[1]            a loop does, with the same roundings, infinities and NaN. SciPy's
|       -f[1]  1   |  h[2]     x[2]            `lfilter` multiplies by 0, too, takes a fixed factor alone, and its
                                               package takes a second to import.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytensor.tensor as pt
from pytensor.graph.basic import Apply, Variable
from pytensor.graph.op import Op

from autoopt.ops.releases import infers_shape


class LinearRecurrence(Op):
    """From x, shape (n,), and a factor, a number or shape (n - 1,), to h, shape (n,)."""

    __props__ = ()

    def make_node(self, *inputs: Variable) -> Apply:
        return Apply(self, list(inputs), [pt.tensor(dtype="float64", shape=inputs[0].type.shape)])

    def perform(self, node: Apply, inputs: Sequence, output_storage: list) -> None:
        (first, *terms), factor = inputs
        found = [first]
        for term, one in zip(terms, np.broadcast_to(factor, len(terms)), strict=True):
            found.append(one * found[-1] + term)
        output_storage[0][0] = np.array(found)

    @infers_shape
    def infer_shape(self, node: Apply, shapes: Sequence) -> list:
        return [shapes[0]]


class Appended(Op):
    """From a number and a vector to the vector with the number before it."""

    __props__ = ()

    def make_node(self, *inputs: Variable) -> Apply:
        length = inputs[1].type.shape[0]
        return Apply(self, list(inputs), [pt.tensor(dtype="float64", shape=(None if length is None else length + 1,))])

    def perform(self, node: Apply, inputs: Sequence, output_storage: list) -> None:
        output_storage[0][0] = np.append(*inputs)

    @infers_shape
    def infer_shape(self, node: Apply, shapes: Sequence) -> list:
        return [(shapes[1][0] + 1,)]


linear_recurrence = LinearRecurrence()
appended = Appended()
