"""Products with sparse matrices, which SciPy's objects do by NumPy's operator."""

from __future__ import annotations

from pytensor.graph.basic import Apply

from autoopt.rules.sparse import SparseProduct
from autoopt.source.code import MATMUL, Code, infix
from autoopt.source.printers import prints


@prints(SparseProduct, stem="product")
def sparse_product(writer, node: Apply, matrix: Code, x: Code) -> Code:
    return infix("@", MATMUL, Code(f"{matrix}.T") if node.op.transposed else matrix, x)
