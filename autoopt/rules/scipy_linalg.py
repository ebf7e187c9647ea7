"""SciPy's own functions of matrices, with SciPy's signatures. check_finite and overwrite_* change no value."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytensor.tensor as pt
import scipy.linalg
from pytensor.tensor.blockwise import Blockwise

from autoopt.ops.matrices import MatrixFunction, Triangular, eigen
from autoopt.ops.operands import real, shape, static, tensor
from autoopt.rules.linalg import cholesky, det, inv, norm, pinv, qr, svd, svdvals, swapaxes, symmetric
from autoopt.rules.table import Unsupported, rule

rule(scipy.linalg.svdvals)(svdvals)


@rule(scipy.linalg.norm)
def scipy_norm(a, ord=None, axis=None, keepdims=False, check_finite=True):
    return norm(a, ord, axis, keepdims)


@rule(scipy.linalg.cholesky)
def scipy_cholesky(a, lower=False, overwrite_a=False, check_finite=True):
    return cholesky(a, upper=not lower)


@rule(scipy.linalg.cho_factor)
def cho_factor(a, lower=False, overwrite_a=False, check_finite=True):
    """The factor, with what SciPy leaves in the other triangle: the matrix's own elements before 1.18, then zeros."""
    a = real(a)
    factor = cholesky(a, upper=not lower)
    if not _other_triangle_is_kept():
        return factor, lower
    own = np.tri(shape(a)[-1], dtype=bool)
    return pt.switch(pt.constant(own if lower else own.T), factor, a), lower


@cache
def _other_triangle_is_kept() -> bool:
    """Whether the installed SciPy's `cho_factor` leaves elements of the matrix beside the factor."""
    return bool(scipy.linalg.cho_factor(np.array([[2.0, 1.0], [1.0, 2.0]]))[0][1, 0])


@rule(scipy.linalg.cho_solve)
def cho_solve(c_and_lower, b, overwrite_b=False, check_finite=True):
    c, lower = c_and_lower
    c, b = real(c), real(b)
    first = scipy_solve_triangular(c, b, trans=0 if lower else 1, lower=lower)
    return scipy_solve_triangular(c, first, trans=1 if lower else 0, lower=lower)


@rule(scipy.linalg.solve_triangular)
def scipy_solve_triangular(a, b, trans=0, lower=False, unit_diagonal=False, overwrite_b=False, check_finite=True):
    a, b = real(a), real(b)
    if trans in (1, 2, "T", "C"):
        a, lower = swapaxes(a, -1, -2), not lower
    own = np.tri(shape(a)[-1], dtype=bool)
    a = pt.switch(pt.constant(own if lower else own.T), a, 0.0)
    options = {"lower": lower, "unit_diagonal": unit_diagonal, "b_ndim": min(b.ndim, 2)}
    return pt.linalg.solve_triangular(a, b, **options) if a.ndim == 2 else Blockwise(Triangular(**options))(a, b)


@rule(scipy.linalg.solve)
def scipy_solve(
    a, b, lower=False, overwrite_a=False, overwrite_b=False, check_finite=True, assume_a=None, transposed=False
):
    """The solution; of a matrix said to be symmetric only the triangle that SciPy reads has a slope."""
    a, b = real(a), real(b)
    a = swapaxes(a, -1, -2) if transposed and assume_a in _TRIANGULAR else a
    if assume_a in _TRIANGULAR:
        lower = (assume_a == "lower triangular") != bool(transposed)
        return scipy_solve_triangular(a, b, lower=lower)
    if assume_a == "diagonal":
        entries = pt.diagonal(a, axis1=-2, axis2=-1)
        return b / (entries if b.ndim == 1 else entries[..., None])
    if assume_a in ("sym", "symmetric", "pos", "positive definite", "her", "hermitian"):
        a = symmetric(a, lower)
    elif assume_a not in (None, "gen", "general"):
        raise Unsupported(f"scipy.linalg.solve with assume_a={assume_a!r}", "leave out assume_a")
    a = swapaxes(a, -1, -2) if transposed else a
    return pt.linalg.solve(a, b, b_ndim=min(b.ndim, 2))


_TRIANGULAR = ("lower triangular", "upper triangular")


@rule(scipy.linalg.inv)
def scipy_inv(a, overwrite_a=False, check_finite=True):
    return inv(a)


@rule(scipy.linalg.det)
def scipy_det(a, overwrite_a=False, check_finite=True):
    return det(a)


@rule(scipy.linalg.pinv)
def scipy_pinv(a, check_finite=True):
    return pinv(a)


@rule(scipy.linalg.expm)
def expm(A):
    return pt.linalg.expm(real(A))


@rule(scipy.linalg.lu_factor)
def lu_factor(a, overwrite_a=False, check_finite=True):
    return tuple(pt.linalg.lu_factor(real(a)))


@rule(scipy.linalg.lu_solve)
def lu_solve(lu_and_piv, b, trans=0, overwrite_b=False, check_finite=True):
    lu, pivots = lu_and_piv
    b = real(b)
    return pt.linalg.lu_solve((real(lu), tensor(pivots)), b, trans=bool(trans), b_ndim=b.ndim)


@rule(scipy.linalg.pinvh)
def pinvh(a, lower=True, check_finite=True):
    return pinv(symmetric(real(a), lower))


@rule(scipy.linalg.eigh)
def scipy_eigh(
    a, b=None, lower=True, eigvals_only=False, overwrite_a=False, overwrite_b=False, check_finite=True,
    subset_by_index=None,
):  # fmt: skip
    """The eigenvalues and vectors; of two matrices those of inv(L) a inv(L)', L being the Cholesky factor of b."""
    a = symmetric(real(a), lower)
    if b is not None:
        factor = pt.linalg.cholesky(symmetric(real(b), lower))
        half = pt.linalg.solve_triangular(factor, a, lower=True, b_ndim=2)
        a = pt.linalg.solve_triangular(factor, half.T, lower=True, b_ndim=2)
    values, vectors = eigen(a, lower)
    if subset_by_index is not None:
        if not eigvals_only:
            raise Unsupported("scipy.linalg.eigh with subset_by_index=", "take all vectors and index them")
        first, last = map(int, subset_by_index)
        values = values[..., first : last + 1]
    if eigvals_only:
        return values
    return values, vectors if b is None else pt.linalg.solve_triangular(factor.T, vectors, lower=False, b_ndim=2)


@rule(scipy.linalg.eigvalsh)
def scipy_eigvalsh(
    a, b=None, lower=True, overwrite_a=False, overwrite_b=False, check_finite=True, subset_by_index=None
):
    return scipy_eigh(a, b, lower, eigvals_only=True, subset_by_index=subset_by_index)


@rule(scipy.linalg.svd)
def scipy_svd(a, full_matrices=True, compute_uv=True, overwrite_a=False, check_finite=True):
    return svd(a, full_matrices, compute_uv)


@rule(scipy.linalg.qr)
def scipy_qr(a, overwrite_a=False, lwork=None, mode="full", pivoting=False, check_finite=True):
    m, n = shape(real(a))[-2:]
    if pivoting or mode == "raw" or (mode in ("full", "r") and m != n):
        raise Unsupported(f"scipy.linalg.qr with mode={mode!r} or pivoting", "use mode='economic' of a tall matrix")
    return (qr(a, "r"),) if mode == "r" else qr(a)


@rule(scipy.linalg.lu)
def lu(a, permute_l=False, overwrite_a=False, check_finite=True):
    P, L, U = pt.linalg.lu(real(a))
    return (pt.dot(P, L), U) if permute_l else (P, L, U)


for function in (
    scipy.linalg.sqrtm, scipy.linalg.logm, scipy.linalg.cosm, scipy.linalg.sinm, scipy.linalg.tanm, scipy.linalg.coshm,
    scipy.linalg.sinhm, scipy.linalg.tanhm, scipy.linalg.signm,
):  # fmt: skip
    rule(function, note="where the result is real")(
        lambda A, function=function: Blockwise(MatrixFunction(function))(real(A))
    )


@rule(scipy.linalg.fractional_matrix_power, note="where the result is real")
def fractional_matrix_power(A, t):
    if (t := static(t)) is None:
        raise Unsupported("scipy.linalg.fractional_matrix_power with a computed power", "use expm(t * logm(A))")
    return Blockwise(MatrixFunction(scipy.linalg.fractional_matrix_power, (float(t),)))(real(A))


@rule(scipy.linalg.polar)
def polar(a, side="right"):
    """The factors u p or p u: p is the root of a' a or a a'."""
    a = real(a)
    p = Blockwise(MatrixFunction(scipy.linalg.sqrtm))(pt.dot(a.T, a) if side == "right" else pt.dot(a, a.T))
    u = pt.linalg.solve(p, a.T, b_ndim=2).T if side == "right" else pt.linalg.solve(p, a, b_ndim=2)
    return u, p


@rule(scipy.linalg.toeplitz)
def toeplitz(c, r=None):
    c = tensor(c)
    r = c if r is None else tensor(r)
    m, n = shape(c)[-1], shape(r)[-1]
    lead = np.broadcast_shapes(shape(c)[:-1], shape(r)[:-1])
    c, r = pt.broadcast_to(c, (*lead, m)), pt.broadcast_to(r, (*lead, n))
    values = pt.concatenate([c[..., :0:-1], c[..., :1], r[..., 1:]], axis=-1)
    return values[..., pt.constant(m - 1 + np.arange(n) - np.arange(m)[:, None])]


@rule(scipy.linalg.circulant)
def circulant(c):
    c = tensor(c)
    n = shape(c)[-1]
    return c[..., pt.constant((np.arange(n)[:, None] - np.arange(n)) % n)]


@rule(scipy.linalg.block_diag)
def block_diag(*arrs):
    parts = [part.reshape((1, -1)) if (part := tensor(a)).ndim < 2 else part for a in arrs]
    rows = np.cumsum([0, *(shape(part)[0] for part in parts)])
    columns = np.cumsum([0, *(shape(part)[1] for part in parts)])
    out = pt.zeros((int(rows[-1]), int(columns[-1])), dtype="float64")
    for i, part in enumerate(parts):
        place = slice(int(rows[i]), int(rows[i + 1])), slice(int(columns[i]), int(columns[i + 1]))
        out = pt.set_subtensor(out[place], part.astype("float64"))
    return out
