"""NumPy's `@` as one operation, for vectors as for matrices."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytensor.tensor as pt
from pytensor.graph.basic import Apply, Variable
from pytensor.graph.op import Op
from pytensor.graph.replace import _vectorize_node
from pytensor.tensor.type import TensorType

from autoopt.ops.patterns import without


class MatMul(Op):
    """NumPy's `@` of two arrays of rank 1 or 2."""

    __props__ = ()

    def make_node(self, a: Variable, b: Variable) -> Apply:
        shape = (*a.type.shape[:-1], *(b.type.shape[1:] if b.type.ndim == 2 else ()))
        return Apply(self, [a, b], [TensorType(np.result_type(a.type.dtype, b.type.dtype), shape)()])

    def perform(self, node: Apply, inputs: list, output_storage: list) -> None:
        output_storage[0][0] = np.asarray(inputs[0] @ inputs[1])


matmul = MatMul()


def as_dots(variables: Sequence[Variable]) -> list[Variable]:
    """Return `variables` with PyTensor's own products, which its linkers know, in place of this one."""
    return without(MatMul, pt.dot, variables)


@_vectorize_node.register(MatMul)
def _vectorize_matmul(op: MatMul, node: Apply, a: Variable, b: Variable) -> list[Variable]:
    """Return the products of stacks: of vectors with one matrix, a product of two matrices."""
    (left, right), batches = (
        node.inputs,
        [a.type.ndim - node.inputs[0].type.ndim, b.type.ndim - node.inputs[1].type.ndim],
    )
    if batches == [0, 1] and (left.type.ndim, right.type.ndim) == (2, 1):
        return [pt.dot(b, a.T)]
    if batches == [1, 0] and left.type.ndim == 1:
        return [pt.dot(a, b)]
    wide_a = a[..., None, :] if left.type.ndim == 1 else a
    wide_b = b[..., :, None] if right.type.ndim == 1 else b
    product = pt.matmul(wide_a, wide_b)
    product = product[..., 0] if right.type.ndim == 1 else product
    return [
        product[..., 0]
        if left.type.ndim == right.type.ndim == 1
        else product[..., 0, :]
        if left.type.ndim == 1
        else product
    ]
