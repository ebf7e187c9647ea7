"""Products of matrices that have a factor in common, or of which only sums are read.

    X @ A + X @ B                    X @ (A + B)
    (X @ A).sum(axis=0)              X.sum(axis=0) @ A

Only in derivatives, as in `common_factors.py`, and only of products that nothing else reads.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import cast

import pytensor.tensor as pt
from pytensor import scalar as ps
from pytensor.graph.basic import Variable
from pytensor.tensor.math import Dot, Sum
from pytensor.tensor.variable import TensorVariable

from autoopt.ops.matmul import MatMul
from autoopt.ops.patterns import is_elementwise, rank


def joined_products(variable: Variable, readers: Counter[Variable]) -> TensorVariable | None:
    """Return a sum of products of matrices with as few products as common factors allow; None if that is no fewer."""
    if not is_elementwise(variable, ps.Add):
        return None
    operands = cast("list[TensorVariable]", list(variable.owner.inputs))
    for side in range(2):
        groups: dict[Variable, list[TensorVariable]] = {}
        for operand in operands:
            if is_matrix_product(operand, readers):
                groups.setdefault(operand.owner.inputs[side], []).append(operand)
        for common, products in groups.items():
            others = [cast(TensorVariable, product.owner.inputs[1 - side]) for product in products]
            if len(products) > 1 and len({other.type.broadcastable for other in others}) == 1:
                total = cast(TensorVariable, pt.add(*others))
                made = pt.dot(common, total) if side == 0 else pt.dot(total, common)
                rest = [operand for operand in operands if operand not in products]
                return _like(variable, [cast(TensorVariable, made), *rest])
    return None


def _like(variable: Variable, terms: Sequence[TensorVariable]) -> TensorVariable | None:
    """Return a sum in the place of another one; None if it is of another type."""
    total = cast(TensorVariable, pt.add(*terms)) if len(terms) > 1 else terms[0]
    total.tag.trace = getattr(variable.tag, "trace", [])
    return total if total.type.broadcastable == variable.type.broadcastable else None


def summed_product(variable: Variable, readers: Counter[Variable]) -> TensorVariable | None:
    """Return the sums of the columns or rows of a product as those of one of its factors times the other."""
    if variable.owner is None or not isinstance(variable.owner.op, Sum) or rank(variable) != 1:
        return None
    (product,) = variable.owner.inputs
    if not is_matrix_product(product, readers):
        return None
    a, b = (cast(TensorVariable, v) for v in product.owner.inputs)
    made = pt.dot(a.sum(axis=0), b) if variable.owner.op.axis == (0,) else pt.dot(a, b.sum(axis=1))
    return _like(variable, [cast(TensorVariable, made)])


def is_matrix_product(variable: Variable, readers: Counter[Variable]) -> bool:
    """Whether a variable is a product of two matrices that one operand reads."""
    return (
        variable.owner is not None
        and isinstance(variable.owner.op, Dot | MatMul)
        and variable.type.dtype == "float64"
        and [rank(v) for v in variable.owner.inputs] == [2, 2]
        and readers[variable] <= 1
    )
