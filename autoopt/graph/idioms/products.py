"""Sums of products as products of matrices, and what one function is of another."""

from __future__ import annotations

from typing import cast

from pytensor import scalar as ps
from pytensor.graph.basic import Apply, Constant, Variable
from pytensor.tensor.elemwise import Elemwise
from pytensor.tensor.math import Dot, Sum, add, exp, mul, sub, true_div
from pytensor.tensor.variable import TensorVariable

from autoopt.graph.idioms.table import Sweep, applied
from autoopt.ops.contractions import Einsum
from autoopt.ops.matmul import matmul
from autoopt.ops.patterns import expanded, insert_axes, is_elementwise, rank, unexpanded
from autoopt.ops.releases import thawed

SOFTPLUS = Elemwise(ps.Softplus(ps.upgrade_to_float, name="scalar_softplus"))


def matrix_vector(node: Apply, sweep: Sweep) -> Variable | None:
    """Dot of a matrix and a vector that was made a column (or row) -> `@` of the vector itself."""
    if not isinstance(node.op, Dot):
        return None
    a, b = node.inputs
    column, row = expanded(b), expanded(a)
    if row and column and row[0] == (1,) and column[0] == (0,):
        return mul(a, b)
    if row and row[0] == (0,) and rank(row[1]) == 1:
        if column and column[0] == (1,):
            return insert_axes(applied(matmul, row[1], column[1]), (0, 1))
        return insert_axes(applied(matmul, row[1], b), (0,))
    if column and column[0] == (1,) and rank(column[1]) == 1:
        return insert_axes(applied(matmul, a, column[1]), (1,))
    return None


def composite(node: Apply, sweep: Sweep) -> Variable | None:
    """A fused elementwise operation -> its parts."""
    if not isinstance(node.op, Elemwise) or not isinstance(node.op.scalar_op, ps.Composite):
        return None
    inner = thawed(node.op.scalar_op.fgraph)
    value = dict(zip(inner.inputs, node.inputs, strict=True))
    for part in inner.toposort():
        operands = [value.get(v, v) if not isinstance(v, Constant) else v.data for v in part.inputs]
        value[part.outputs[0]] = applied(Elemwise(part.op), *operands)
    return value[inner.outputs[0]]


def inner_product(node: Apply, sweep: Sweep) -> Variable | None:
    """(a * b).sum() of vectors -> a @ b; (A * v).sum(axis=1) -> A @ v; (A * u[:, None]).sum(axis=0) -> u @ A."""
    if not isinstance(node.op, Sum) or node.outputs[0].type.dtype != "float64":
        return None
    (product,) = node.inputs
    axes = tuple(range(rank(product))) if node.op.axis is None else tuple(node.op.axis)
    factors = _factors(product)
    if len(axes) != 1 or not factors or sweep.clients.get(product, 1) > 1:
        return None
    if rank(product) == 1:
        return _product_of_vectors(product, factors)
    if rank(product) == 2 and len(factors) == 2:
        first = _matrix_times_vector(factors, axes[0])
        return first if first is not None else _matrix_times_vector(factors[::-1], axes[0])
    return None


def _factors(product: Variable) -> list[Variable]:
    """Return the factors of a product or a square, if all are of float64; an empty list if it is neither."""
    if is_elementwise(product, ps.Mul):
        factors = list(product.owner.inputs)
    elif is_elementwise(product, ps.Sqr):
        factors = [*product.owner.inputs, *product.owner.inputs]
    else:
        return []
    return factors if all(v.type.dtype == "float64" for v in factors) else []


def _product_of_vectors(product: Variable, factors: list[Variable]) -> Variable | None:
    """Return the sum of a product as that of all its factors but one, `@` the last that is no single number."""
    whole = [v for v in factors if v.type.broadcastable == product.type.broadcastable]
    if len(whole) < 2 or product.type.broadcastable[0]:
        return None
    last = max(i for i, v in enumerate(factors) if v is whole[-1])
    rest = [v for i, v in enumerate(factors) if i != last]
    return applied(matmul, mul(*rest) if len(rest) > 1 else rest[0], whole[-1])


def _matrix_times_vector(factors: list[Variable], axis: int) -> Variable | None:
    """Return the sum along `axis` of a matrix times a row (or column) that is a vector with an axis inserted."""
    matrix, other = factors
    pair = expanded(other)
    if pair is None or pair[0] != (1 - axis,) or any(matrix.type.broadcastable):
        return None
    return applied(matmul, matrix, pair[1]) if axis == 1 else applied(matmul, pair[1], matrix)


def scalars_out(node: Apply, sweep: Sweep) -> Variable | None:
    """(s * a) @ (b / t) of vectors -> s * (a @ b) / t: no array of products with a single number.

    Each number stays on its side, so that squares of small ones do not underflow.
    """
    if node.op != matmul or any(rank(v) != 1 or v.type.broadcastable[0] for v in node.inputs):
        return None
    twice = node.inputs[0] is node.inputs[1]
    (a, before), (b, after) = (_without_numbers(v) for v in node.inputs)
    read = [v for v, one in zip(node.inputs, (a, b), strict=True) if one is not v]
    if not read or any(sweep.clients.get(v, 1) > 1 + twice for v in read):
        return None
    value = sweep.first(applied(matmul, a, b))
    for is_divisor, number in (*before, *after):
        value = applied(true_div if is_divisor else mul, value, number)
    return value


def _without_numbers(vector: Variable) -> tuple[Variable, list[tuple[bool, Variable]]]:
    """Return a vector without the single numbers that it is multiplied or divided by, and these; divisors are True."""
    numbers: list[tuple[bool, Variable]] = []
    while is_elementwise(vector, (ps.Mul, ps.TrueDiv)):
        operands, is_quotient = list(vector.owner.inputs), is_elementwise(vector, ps.TrueDiv)
        single = [expanded(v) is not None and rank(unexpanded(v)) == 0 for v in operands]
        if is_quotient and single != [False, True]:
            break
        others = [v for v, is_single in zip(operands, single, strict=True) if not is_single]
        if len(others) != 1 or others[0].type.dtype != "float64" or others[0].type.broadcastable[0]:
            break
        numbers += [(is_quotient, unexpanded(v)) for v, is_single in zip(operands, single, strict=True) if is_single]
        vector = others[0]
    return vector, numbers


def aligned_sum(node: Apply, sweep: Sweep) -> Variable | None:
    """(A * B).sum(axis=0) -> np.einsum("ij,ij->j", A, B): no array of products, and no slow sum along short rows."""
    if not isinstance(node.op, Sum) or rank(node.inputs[0]) < 2 or node.outputs[0].type.dtype != "float64":
        return None
    (product,) = node.inputs
    factors = _factors(product)
    if len(factors) < 2 or sweep.clients.get(product, 1) > 1 or any(product.type.broadcastable):
        return None
    axes = range(rank(product)) if node.op.axis is None else [axis % rank(product) for axis in node.op.axis]
    whole = [k for k, v in enumerate(factors) if not any(v.type.broadcastable)]
    if not whole:
        return None
    others = [v for k, v in enumerate(factors) if k != whole[-1]]
    other, last = mul(*others) if len(others) > 1 else others[0], factors[whole[-1]]
    long = [axis for axis in range(rank(product)) if not other.type.broadcastable[axis]]
    if not set(axes) < set(long) and len(long) < rank(product):
        return None  # a product of matrices, or a sum that the factor stands before
    letters = "ijklmnop"[: rank(product)]
    kept = "".join(letter for axis, letter in enumerate(letters) if axis not in axes)
    if len(long) < rank(product):
        short = "".join(letters[axis] for axis in long)
        small = sweep.improve(cast(TensorVariable, other).dimshuffle(*long))
        return applied(Einsum(f"{letters},{short}->{kept}"), last, small)
    return applied(Einsum(f"{letters},{letters}->{kept}"), other, last)


def sum_with_product(node: Apply, sweep: Sweep) -> Variable | None:
    """(a - b * c).sum() of vectors -> a.sum() - b @ c: the product needs no array of its own."""
    (x, *_) = node.inputs
    if not isinstance(node.op, Sum) or rank(x) != 1 or node.outputs[0].type.dtype != "float64":
        return None
    if sweep.clients.get(x, 1) > 1 or not is_elementwise(x, (ps.Add, ps.Sub)):
        return None
    terms = x.owner.inputs
    if any(v.type.broadcastable[0] or v.type.dtype != "float64" for v in terms):
        return None
    plain = [v for v in terms if not _is_pair(v, sweep)]
    if len(plain) != len(terms) - 1 or (len(plain) > 1 and is_elementwise(x, ps.Sub)):
        return None
    (pair,) = [v for v in terms if v not in plain]
    dot = applied(matmul, *pair.owner.inputs)
    rest = applied(Sum(axis=(0,)), add(*plain) if len(plain) > 1 else plain[0])
    if is_elementwise(x, ps.Add):
        return add(rest, dot)
    return sub(rest, dot) if pair is terms[1] else sub(dot, rest)


def _is_pair(variable: Variable, sweep: Sweep) -> bool:
    """True for the product of two whole vectors that nothing else reads."""
    if not is_elementwise(variable, ps.Mul) or sweep.clients.get(variable, 1) > 1 or len(variable.owner.inputs) != 2:
        return False
    return all(not v.type.broadcastable[0] and v.type.dtype == "float64" for v in variable.owner.inputs)


def share_softplus(node: Apply, sweep: Sweep) -> Variable | None:
    """sigmoid(z) -> exp(z - softplus(z)) where softplus(z) is at hand: a third of the time of expit, stable too."""
    if not (isinstance(node.op, Elemwise) and isinstance(node.op.scalar_op, ps.Sigmoid)):
        return None
    (z,) = node.inputs
    if z not in sweep.softplus:
        return None
    return exp(sub(z, sweep.first(applied(SOFTPLUS, z))))
