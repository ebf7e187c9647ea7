"""Products with sparse matrices, which SciPy's objects do by NumPy's operator."""

from __future__ import annotations

import numpy as np
from pytensor.graph.basic import Apply, Constant, Variable
from pytensor.tensor.basic import Eye

from autoopt.codegen.code import MATMUL, PRODUCT, Code, infix, literal
from autoopt.codegen.printers.table import prints
from autoopt.codegen.printers.writer import Writer
from autoopt.ops.sparse import SparseProduct


@prints(SparseProduct, stem="product")
def sparse_product(writer: Writer, node: Apply, matrix: Code, x: Code) -> Code:
    matrix = Code(f"{matrix:.}.T") if node.op.transposed else matrix
    number = _of_identity(node.inputs[1])
    if number is None:
        return infix("@", MATMUL, matrix, x)
    dense = Code(f"{matrix:.}.toarray().astype(float)")  # whole numbers, and single precision, become floats
    return dense if number == 1 else infix("*", PRODUCT, literal(number), dense)


def _of_identity(variable: Variable) -> float | None:
    """Return the number that a multiple of an identity matrix has on its diagonal; None if it is none."""
    if isinstance(variable, Constant):
        value = np.asarray(variable.data)
        square = value.ndim == 2 and value.shape[0] == value.shape[1] and value.size > 0
        is_one = square and np.array_equal(value, value[0, 0] * np.eye(len(value)))
        return float(value[0, 0]) if is_one else None
    if variable.owner is None or not isinstance(variable.owner.op, Eye):
        return None
    rows, columns, offset = (getattr(size, "data", None) for size in variable.owner.inputs)
    return 1.0 if rows is not None and rows == columns and offset == 0 else None
