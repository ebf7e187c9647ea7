"""The product with a sparse matrix of SciPy, as one operation."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytensor.tensor as pt
from pytensor.gradient import DisconnectedType
from pytensor.graph.basic import Apply, Variable
from pytensor.graph.op import Op
from pytensor.graph.replace import _vectorize_node

from autoopt.ops.releases import infers_shape


class SparseProduct(Op):
    """A @ x or A.T @ x, for x of shape (n,) or (n, k); A is an input of generic type.

    Parameters
    ----------
    rows : int
        The number of rows of the result.
    transposed : bool
        True for A.T @ x.
    columns : int
        The number of rows of x.
    """

    __props__ = ("columns", "rows", "transposed")

    def __init__(self, rows: int, columns: int, transposed: bool) -> None:
        self.rows, self.columns, self.transposed = rows, columns, transposed

    def make_node(self, matrix: Variable, x: Any) -> Apply:
        x = pt.as_tensor(x)
        return Apply(self, [matrix, x], [pt.tensor(dtype="float64", shape=(self.rows, *x.type.shape[1:]))])

    def perform(self, node: Apply, inputs: list, outputs: list) -> None:
        matrix, x = inputs
        outputs[0][0] = np.asarray((matrix.T if self.transposed else matrix) @ x, dtype=float)

    @infers_shape
    def infer_shape(self, node: Apply, shapes: list) -> list:
        return [(self.rows, *shapes[1][1:])]

    def connection_pattern(self, node: Apply) -> list:
        return [[False], [True]]

    def pullback(self, inputs: list, outputs: list, cotangents: list) -> list:
        matrix, _ = inputs
        turned = SparseProduct(self.columns, self.rows, not self.transposed)
        return [DisconnectedType()(), turned(matrix, cotangents[0])]

    def pushforward(self, inputs: list, outputs: list, tangents: list) -> list:
        return [self(inputs[0], tangents[1])]


@_vectorize_node.register(SparseProduct)
def _vectorize(op: SparseProduct, node: Apply, matrix: Variable, x: Variable) -> list[Variable]:
    """Return the products of a stack of vectors or matrices: all of them as the columns of one matrix."""
    extra = x.type.ndim - node.inputs[1].type.ndim
    if extra == 0:
        return op.make_node(matrix, x).outputs
    first = pt.moveaxis(x, extra, 0)
    columns = first.type.shape[1:]
    if x.type.ndim == 2:
        return [op(matrix, first).T]
    found = op(matrix, first.reshape((op.columns, -1))).reshape((op.rows, *columns))
    return [pt.moveaxis(found, 0, extra)]
