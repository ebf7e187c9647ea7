"""Sums of products of two arrays without an array of the products, as `np.einsum` takes them."""

from __future__ import annotations

import numpy as np
from pytensor.graph.basic import Apply, Variable
from pytensor.graph.op import Op
from pytensor.tensor.type import TensorType


class Einsum(Op):
    """`np.einsum` of two arrays of floats, of which the first has every letter."""

    __props__ = ("subscripts",)

    def __init__(self, subscripts: str) -> None:
        self.subscripts = subscripts

    def make_node(self, a: Variable, b: Variable) -> Apply:
        lengths = dict(zip(self.subscripts.partition(",")[0], a.type.shape, strict=True))
        shape = [lengths[letter] for letter in self.subscripts.partition("->")[2]]
        return Apply(self, [a, b], [TensorType("float64", shape)()])

    def perform(self, node: Apply, inputs: list, output_storage: list) -> None:
        output_storage[0][0] = np.asarray(np.einsum(self.subscripts, *inputs))
