"""Products, decompositions and solutions of linear systems."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytensor.tensor as pt
from pytensor.tensor.blockwise import Blockwise

from autoopt.ops.matrices import Determinant, Factor, LogDeterminant, Svd, eigen
from autoopt.ops.operands import axes, axis_index, broadcast, inline, keep, real, shape, size, tensor, to_end
from autoopt.rules.reductions import largest, root, smallest
from autoopt.rules.shapes import moveaxis, swapaxes
from autoopt.rules.table import Unsupported, refuse, rule


def alike(*operands: Any) -> list:
    """Return `operands` as tensors of one type, floats unless all are integers."""
    operands = [tensor(operand) for operand in operands]
    common = str(np.result_type(*(operand.dtype for operand in operands)))
    if common == "bool":
        raise Unsupported("a matrix product of booleans", "use .astype(float)")
    return [operand if operand.dtype == common else operand.astype(common) for operand in operands]


@rule(np.dot)
def dot(a, b):
    a, b = alike(a, b)
    if a.ndim == 0 or b.ndim == 0:
        return a * b
    if b.ndim > 2:
        return pt.tensordot(a, b, axes=((a.ndim - 1,), (b.ndim - 2,)))
    return pt.tensordot(a, b, axes=((a.ndim - 1,), (0,))) if a.ndim > 2 else pt.dot(a, b)


@rule(np.matmul, np.linalg.matmul)
def matmul(x1, x2):
    a, b = alike(x1, x2)
    return pt.dot(a, b) if a.ndim <= 2 and b.ndim <= 2 else pt.matmul(a, b)


@rule(np.vdot)
def vdot(a, b):
    a, b = alike(a, b)
    return pt.dot(a.reshape((size(a),)), b.reshape((size(b),)))


@rule(np.vecdot)
def vecdot(x1, x2):
    return pt.sum(x1 * x2, axis=-1)


@rule(np.inner)
def inner(a, b):
    a, b = alike(a, b)
    if a.ndim == 0 or b.ndim == 0:
        return a * b
    return pt.dot(a, b) if a.ndim == b.ndim == 1 else pt.tensordot(a, b, axes=((a.ndim - 1,), (b.ndim - 1,)))


@rule(np.outer)
def outer(a, b):
    a, b = tensor(a), tensor(b)
    if a.ndim == b.ndim == 1:  # of any length
        return a[:, None] * b[None, :]
    return a.reshape((size(a), 1)) * b.reshape((1, size(b)))


@rule(np.linalg.outer)
def linalg_outer(x1, x2):
    return outer(x1, x2)


@rule(np.tensordot)
def tensordot(a, b, axes=2):
    a, b = alike(a, b)
    if isinstance(axes, int | np.integer):
        first, second = range(a.ndim - axes, a.ndim), range(axes)
    else:
        first, second = (np.atleast_1d(part).tolist() for part in axes)
    first = [axis_index(axis, a.ndim) for axis in first]
    second = [axis_index(axis, b.ndim) for axis in second]
    if not first:
        return a.reshape((*shape(a), *[1] * b.ndim)) * b
    return pt.tensordot(a, b, axes=(first, second))


@rule(np.einsum)
def einsum(*operands, optimize=False):
    """Einstein's sum; PyTensor contracts in the best order whatever `optimize` says, which changes no value."""
    subscripts, *operands = operands
    if not isinstance(subscripts, str):
        raise Unsupported("np.einsum without a string of subscripts", "write it as np.einsum('ij,j->i', A, x)")
    return inline(pt.einsum(subscripts.replace(" ", ""), *alike(*operands)))


@rule(np.kron)
def kron(a, b):
    a, b = alike(a, b)
    ndim = max(a.ndim, b.ndim)
    a, b = (x.reshape((1,) * (ndim - x.ndim) + shape(x)) for x in (a, b))
    spread = [[n for length in shape(x) for n in pair(length)] for x, pair in ((a, _before), (b, _after))]
    return (a.reshape(spread[0]) * b.reshape(spread[1])).reshape(
        [m * n for m, n in zip(shape(a), shape(b), strict=True)]
    )


def _before(length: int) -> tuple[int, int]:
    return length, 1


def _after(length: int) -> tuple[int, int]:
    return 1, length


@rule(np.cross)
def cross(a, b, axisa=-1, axisb=-1, axisc=-1, axis=None):
    if axis is not None:
        axisa = axisb = axisc = axis
    a, b = moveaxis(a, axisa, -1), moveaxis(b, axisb, -1)
    if shape(a)[-1] != 3 or shape(b)[-1] != 3:
        raise Unsupported("np.cross of vectors that have not 3 components", "write out a[0] * b[1] - a[1] * b[0]")
    (a0, a1, a2), (b0, b1, b2) = ([x[..., i] for i in range(3)] for x in (a, b))
    parts = broadcast(a1 * b2 - a2 * b1, a2 * b0 - a0 * b2, a0 * b1 - a1 * b0)
    return pt.stack(parts, axis=axis_index(axisc, parts[0].ndim + 1))


@rule(np.linalg.cross)
def linalg_cross(x1, x2, axis=-1):
    return cross(x1, x2, axis=axis)


@rule(np.trace)
def trace(a, offset=0, axis1=0, axis2=1):
    return pt.sum(pt.diagonal(tensor(a), offset, axis1, axis2), axis=-1)


@rule(np.linalg.trace)
def linalg_trace(x, offset=0):
    return trace(x, offset, -2, -1)


@rule(np.linalg.multi_dot)
def multi_dot(arrays):
    """The product of all; NumPy picks the order of multiplication, which changes no value."""
    out, *rest = alike(*arrays)
    for array in rest:
        out = pt.dot(out, array)
    return out


@rule(np.linalg.solve)
def solve(a, b):
    a, b = real(a), real(b)
    return pt.linalg.solve(a, b, b_ndim=1 if b.ndim == 1 else 2)


@rule(np.linalg.inv)
def inv(a):
    return pt.linalg.inv(real(a))


_WRITTEN_OUT, _BY_COFACTORS = 3, 16
"""Rows up to which a determinant is written out, and has its cofactors, and so derivatives where it is 0."""


@rule(np.linalg.det)
def det(a):
    """The determinant; of more than 16 rows by its logarithm, without derivatives where it is 0."""
    a = real(a)
    n = shape(a)[-1]
    if n > _BY_COFACTORS:
        sign, logarithm = slogdet(a)
        return sign * pt.exp(logarithm)
    if n > _WRITTEN_OUT:
        return Blockwise(Determinant())(a)
    if n < 2:
        return a[..., 0, 0] if n else pt.ones(shape(a)[:-2])
    if n == 2:
        return a[..., 0, 0] * a[..., 1, 1] - a[..., 0, 1] * a[..., 1, 0]
    (a0, a1, a2), (b0, b1, b2), (c0, c1, c2) = ([a[..., i, j] for j in range(3)] for i in range(3))
    return a0 * (b1 * c2 - b2 * c1) + a1 * (b2 * c0 - b0 * c2) + a2 * (b0 * c1 - b1 * c0)


@rule(np.linalg.slogdet)
def slogdet(a):
    return tuple(Blockwise(LogDeterminant())(real(a)))


@rule(np.linalg.pinv)
def pinv(a):
    """The pseudo-inverse, whose derivative holds while the rank is constant."""
    return pt.linalg.pinv(real(a))


@rule(np.linalg.matrix_power)
def matrix_power(a, n):
    a = tensor(a)
    if n < 0:
        a, n = inv(a), -n
    out = None
    while n:
        out = (a if out is None else pt.matmul(out, a)) if n % 2 else out
        a, n = pt.matmul(a, a) if n > 1 else a, n // 2
    return pt.broadcast_to(pt.eye(shape(a)[-1], dtype=a.dtype), shape(a)) if out is None else out


@rule(np.linalg.cholesky)
def cholesky(a, upper=False):
    """The Cholesky factor; only the triangle that NumPy reads has a slope."""
    a = real(a)
    if upper:
        return swapaxes(cholesky(swapaxes(a, -1, -2)), -1, -2)
    return pt.linalg.cholesky(a) if a.ndim == 2 else Blockwise(Factor())(a)


@rule(np.linalg.eigh)
def eigh(a, UPLO="L"):
    lower = UPLO.upper() == "L"
    return tuple(eigen(symmetric(real(a), lower), lower, "evd"))


@rule(np.linalg.eigvalsh)
def eigvalsh(a, UPLO="L"):
    return eigh(a, UPLO)[0]


def symmetric(a: Any, lower: bool) -> Any:
    """Return the symmetric matrix whose lower or upper triangle is that of `a`."""
    n = shape(a)[-1]
    own = np.tri(n, dtype=bool) if lower else ~np.tri(n, k=-1, dtype=bool)
    return pt.switch(pt.constant(own), a, swapaxes(a, -1, -2))


@rule(np.linalg.svd)
def svd(a, full_matrices=True, compute_uv=True, hermitian=False):
    """The decomposition; of vectors that only fill up a basis, of which there are many, there is no slope."""
    a = real(a)
    m, n = shape(a)[-2:]
    if not compute_uv:
        return svdvals(a)
    kinds = ((m, min(m, n)), (min(m, n),), (min(m, n), n))
    parts = Blockwise(Svd(True))(a)
    thin = [pt.specify_shape(part, (*shape(a)[:-2], *kind)) for part, kind in zip(parts, kinds, strict=True)]
    if m == n or not full_matrices:
        return tuple(thin)
    whole = pt.linalg.svd(a, full_matrices=True)
    filled = [pt.specify_shape(whole[k], (*shape(a)[:-2], size, size)) for k, size in ((0, m), (2, n))]
    return thin[0] if m < n else filled[0], thin[1], filled[1] if m < n else thin[2]


@rule(np.linalg.svdvals)
def svdvals(*args, **kwargs):
    (x,) = [*args, *kwargs.values()]
    x = real(x)
    return pt.specify_shape(Blockwise(Svd(False))(x), (*shape(x)[:-2], min(shape(x)[-2:])))


@rule(np.linalg.qr)
def qr(a, mode="reduced"):
    a = real(a)
    if mode not in ("reduced", "r") or a.ndim != 2 or shape(a)[0] < shape(a)[1]:
        raise Unsupported(f"np.linalg.qr with mode={mode!r} of shape {shape(a)}", "use mode='reduced' of a tall matrix")
    q, r = pt.linalg.qr(a, mode="economic")
    return (q, r) if mode == "reduced" else r


@rule(np.linalg.norm)
def norm(x, ord=None, axis=None, keepdims=False):
    """Vector and matrix norms, with slope 0 where a norm is 0."""
    x = real(x)
    picked = axes(axis, x.ndim)
    if ord is None or (ord == "fro" and len(picked) == 2) or (ord == 2 and len(picked) == 1):
        return root(pt.sum(pt.sqr(x), axis=picked, keepdims=keepdims))
    if len(picked) == 1:
        return _vector_norm(x, ord, picked, keepdims)
    kept = [i for i in range(x.ndim) if i not in picked]
    return keep(_matrix_norm(x.transpose(*kept, *picked), ord), picked, keepdims)


def _vector_norm(x: Any, ord: Any, picked: tuple[int, ...], keepdims: bool) -> Any:
    if ord == np.inf:
        return largest(pt.abs(x), picked, keepdims)
    if ord == -np.inf:
        return smallest(pt.abs(x), picked, keepdims)
    if ord == 1:
        return pt.sum(pt.abs(x), axis=picked, keepdims=keepdims)
    if ord == 0:
        return pt.sum(pt.neq(x, 0).astype("float64"), axis=picked, keepdims=keepdims)
    if isinstance(ord, str):
        raise Unsupported(f"np.linalg.norm with ord={ord!r}", "use ord=1 or ord=2")
    powers = pt.sum(pt.pow(pt.abs(x), tensor(float(ord))), axis=picked, keepdims=keepdims)
    flat = pt.eq(powers, 0.0)
    return pt.switch(flat, 0.0, pt.pow(pt.switch(flat, 1.0, powers), tensor(1.0 / ord)))


def _matrix_norm(x: Any, ord: Any) -> Any:
    if ord in (1, -1, np.inf, -np.inf):
        lines = pt.sum(pt.abs(x), axis=-2 if abs(ord) == 1 else -1)
        return largest(lines, -1) if ord > 0 else smallest(lines, -1)
    if ord in (2, -2, "nuc"):
        values = svdvals(x)
        return pt.sum(values, axis=-1) if ord == "nuc" else (largest if ord > 0 else smallest)(values, -1)
    raise Unsupported(f"np.linalg.norm of a matrix with ord={ord!r}", "use 'fro', 'nuc', 1, 2 or np.inf")


@rule(np.linalg.vector_norm)
def vector_norm(x, axis=None, keepdims=False, ord=2):
    x = real(x)
    return keep(norm(to_end(x, axis), ord, -1), axes(axis, x.ndim), keepdims)


@rule(np.linalg.matrix_norm)
def matrix_norm(x, keepdims=False, ord="fro"):
    return norm(x, ord, (-2, -1), keepdims)


refuse(np.linalg.matrix_rank, remedy="compute it outside the objective")
