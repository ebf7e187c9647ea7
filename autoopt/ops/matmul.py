"""NumPy's `@` as one operation, for vectors as for matrices."""

from __future__ import annotations

import numpy as np
from pytensor.graph.basic import Apply, Variable
from pytensor.graph.op import Op
from pytensor.tensor.type import TensorType


class MatMul(Op):
    """NumPy's `@` of two arrays of rank 1 or 2."""

    __props__ = ()

    def make_node(self, a: Variable, b: Variable) -> Apply:
        shape = (*a.type.shape[:-1], *(b.type.shape[1:] if b.type.ndim == 2 else ()))
        return Apply(self, [a, b], [TensorType(np.result_type(a.type.dtype, b.type.dtype), shape)()])

    def perform(self, node: Apply, inputs: list, output_storage: list) -> None:
        output_storage[0][0] = np.asarray(inputs[0] @ inputs[1])


matmul = MatMul()
