"""Rows and columns of a matrix at positions, all with all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from pytensor.graph.basic import Apply, Variable
from pytensor.graph.op import Op
from pytensor.tensor.type import TensorType

from autoopt.ops.releases import infers_shape


class Crossed(Op):
    """`x[rows[:, None], columns]`, columns first: what is read last is whole rows."""

    __props__ = ()

    def make_node(self, x: Variable, rows: Variable, columns: Variable) -> Apply:
        shape = (*rows.type.shape, *columns.type.shape)
        return Apply(self, [x, rows, columns], [TensorType(x.type.dtype, shape)()])

    def perform(self, node: Apply, inputs: Sequence[Any], output_storage: list) -> None:
        x, rows, columns = inputs
        output_storage[0][0] = np.take(x, columns, axis=1)[rows]

    @infers_shape
    def infer_shape(self, node: Apply, shapes: Sequence) -> list:
        """Return the shape of the result."""
        return [(*shapes[1], *shapes[2])]


crossed = Crossed()
