"""Products with a sparse matrix of SciPy.

The matrix is data: it has no derivative, and the pullback of a product is the product with its transpose.
"""

from __future__ import annotations

from autoopt.ops.operands import real
from autoopt.ops.sparse import SparseProduct
from autoopt.rules.table import rule
from autoopt.tape import operations


@rule(operations.sparse_product)
def sparse_product(A, x):
    return SparseProduct(A.tag.shape[0], A.tag.shape[1], False)(A, real(x))


@rule(operations.sparse_transposed_product)
def sparse_transposed_product(A, x):
    return SparseProduct(A.tag.shape[1], A.tag.shape[0], True)(A, real(x))
