"""Products with sparse matrices, which SciPy's objects do by NumPy's operator."""

from __future__ import annotations

from pytensor.graph.basic import Apply

from autoopt.codegen.code import MATMUL, Code, infix
from autoopt.codegen.printers.table import prints
from autoopt.codegen.printers.writer import Writer
from autoopt.ops.sparse import SparseProduct


@prints(SparseProduct, stem="product")
def sparse_product(writer: Writer, node: Apply, matrix: Code, x: Code) -> Code:
    return infix("@", MATMUL, Code(f"{matrix}.T") if node.op.transposed else matrix, x)
