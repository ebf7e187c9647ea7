"""More cases of test_rules.py: shapes and linear algebra."""

from __future__ import annotations

import numpy as np
import scipy.linalg
from rule_cases import COUNTS, MASK, REFUSED, RNG, M, T, V, a, case, kink

S = RNG.normal(size=(3, 3)) + 3 * np.eye(3)
D = S @ S.T + np.eye(3)
B = np.stack([D, 2 * D + 1])
W = RNG.normal(size=3)

# Shapes --------------------------------------------------------------------------------------------------------------
case(np.reshape, M, (2, 6))
case(np.reshape, M, -1)
case(np.reshape, M, (4, -1), order="F")
case(np.reshape, np.array(2.0), (1, 1))
case(np.ravel, M)
case(np.ravel, M, order="F")
case(np.transpose, M)
case(np.transpose, T, (2, 0, -2))
case(np.transpose, V)
case(np.matrix_transpose, T)
case(np.linalg.matrix_transpose, T)
case(np.swapaxes, T, 0, -1)
case(np.moveaxis, T, 0, -1)
case(np.moveaxis, T, [0, 1], [-1, 0])
case(np.rollaxis, T, 2)
case(np.expand_dims, M, (0, 2))
case(np.squeeze, M[None, :, None])
case(np.squeeze, M[None, :, None], axis=0)
case(np.broadcast_to, V, (3, 4))
case(np.broadcast_to, np.array(1.5), 3)
case(np.broadcast_arrays, V, M[:, :1])
for function in (np.atleast_1d, np.atleast_2d, np.atleast_3d):
    case(function, np.array(1.5))
    case(function, V)
    case(function, M)
    case(function, V, np.array(1.5))
case(np.concatenate, [V, V, COUNTS])
case(np.concatenate, (M, T[0]), axis=0)
case(np.concatenate, (M, M), axis=-1)
case(np.concatenate, (M, V), axis=None)
case(np.concatenate, [V])
case(np.stack, [V, V])
case(np.stack, [V, COUNTS], axis=-1)
for function in (np.hstack, np.vstack, np.dstack, np.column_stack):
    case(function, [V, V])
    case(function, [M, M])
case(np.hstack, [np.array(1.0), V])
case(np.column_stack, [M.T, V])
case(np.block, [[M, M], [M, M]])
case(np.block, [V, V])
for function in (np.split, np.array_split):
    case(function, V, 2)
    case(function, M, [1, 3], axis=1)
    case(function, V, [3, 1])
case(np.array_split, V, 3)
case(np.vsplit, M, 3)
case(np.hsplit, M, 2)
case(np.hsplit, V, 2)
case(np.dsplit, T, 2)
case(np.unstack, M, axis=1)
case(np.tile, V, 2)
case(np.tile, M, (2, 1, 2))
case(np.repeat, V, 2)
case(np.repeat, M, 2, axis=1)
case(np.repeat, M, [1, 0, 2], axis=0)
case(np.roll, V, 1)
case(np.roll, M, -2)
case(np.roll, M, (1, 5), axis=(0, 1))
for function in (np.flip, np.fliplr, np.flipud, np.rot90):
    case(function, M)
case(np.flip, M, axis=-1)
case(np.rot90, T, 3, axes=(1, 2))
for function in (np.triu, np.tril):
    case(function, M)
    case(function, T, 1)
    case(function, COUNTS[:, None] * COUNTS, -1)
case(np.diag, V)
case(np.diag, V, 1)
case(np.diag, M)
case(np.diag, M, -1)
case(np.diagflat, M, 1)
case(np.diagonal, M, 1)
case(np.diagonal, T, 0, 1, 2)
case(np.linalg.diagonal, T)
case(np.sort, V)
case(np.sort, M, axis=0)
case(np.sort, M, axis=None)
case(np.argsort, V)
case(np.argsort, M, axis=0)
case(np.append, V, 1.5)
case(np.append, M, M, axis=1)
case(np.delete, V, 1)
case(np.delete, M, [0, -1], axis=1)
case(np.insert, V, 2, np.array(1.5))
case(np.insert, M, -1, V, axis=0)
case(np.insert, V, 1, a(1.0, 2.0))
case(np.pad, V, 2)
case(np.pad, M, ((1, 0), (0, 2)), constant_values=1.5)
for mode in ("edge", "wrap", "reflect", "symmetric"):
    case(np.pad, V, (1, 2), mode=mode)
case(np.meshgrid, V, V[:3])
case(np.meshgrid, V, V[:3], indexing="ij")
case(np.meshgrid, V, V[:3], sparse=True)
case(np.zeros_like, M)
case(np.ones_like, M, dtype=int)
case(np.full_like, M, np.array(1.5))
case(np.full_like, COUNTS, 2)
case(np.copy, M)
case(scipy.linalg.toeplitz, V)
case(scipy.linalg.toeplitz, V, V[:3])
case(scipy.linalg.toeplitz, M)
case(scipy.linalg.toeplitz, M, V[:3])
case(scipy.linalg.circulant, V)
case(scipy.linalg.block_diag, M, V, np.array(2.0))

# Products ------------------------------------------------------------------------------------------------------------
for function in (np.dot, np.matmul, np.linalg.matmul):
    case(function, M, V)
    case(function, W, M)
    case(function, S, M)
    case(function, V, V)
    case(function, COUNTS, COUNTS)
    case(function, COUNTS, V)
    case(function, T, V)
    case(function, T, M.T)
    case(function, M, T[0].T)
    case(function, np.zeros((2, 0)), np.zeros((0, 3)))
case(np.dot, V, 2.0)
case(np.dot, M, np.stack([M.T, M.T]))
case(np.matmul, M, np.stack([M.T, M.T]))
case(np.matmul, V, np.stack([M.T, M.T]))
case(np.vdot, M, M)
case(np.vecdot, M, V)
case(np.inner, V, V)
case(np.inner, M, V)
case(np.inner, T, M)
case(np.outer, M, W)
case(np.linalg.outer, V, W)
case(np.tensordot, T, M)
case(np.tensordot, T, M, axes=([1, 2], [0, 1]))
case(np.tensordot, T, V, axes=1)
case(np.tensordot, V, W, axes=0)
CONTRACTIONS = {"ij,j->i": (M, V), "i,i": (V, V), "ij,kj->ik": (M, M), "ii": (S,), "ii->i": (S,), "ij->": (M,)}
CONTRACTIONS |= {"ij->ji": (M,), "i,j->ij": (V, W), "bij,bj->bi": (T, M[:2]), "ij,jk,k->i": (S, M, V)}
for subscripts, operands in CONTRACTIONS.items():
    case(np.einsum, subscripts, *operands)
case(np.einsum, "...i,i", T, V)
case(np.einsum, "ij, j -> i", M, V, optimize=True)
case(np.kron, M, S)
case(np.kron, V, W)
case(np.kron, M, V)
case(np.cross, W, W[::-1].copy())
case(np.cross, S, W)
case(np.cross, S, S + 1, axis=0)
case(np.linalg.cross, S, S + 1)
case(np.trace, M)
case(np.trace, T, 1, 1, 2)
case(np.linalg.trace, T)
case(np.linalg.multi_dot, [S, M, V])

# Systems and decompositions ------------------------------------------------------------------------------------------
case(np.linalg.solve, S, W)
case(np.linalg.solve, S, M)
case(np.linalg.solve, B, B)
case(scipy.linalg.solve, S, W)
case(scipy.linalg.solve, S, W, transposed=True)
case(scipy.linalg.solve, D, M, assume_a="pos")
case(scipy.linalg.solve, D, W, assume_a="pos", lower=True)
for function in (np.linalg.inv, np.linalg.det, scipy.linalg.inv, scipy.linalg.det, np.linalg.pinv, scipy.linalg.pinv):
    case(function, S)
for function in (np.linalg.inv, np.linalg.det, np.linalg.slogdet, np.linalg.cholesky, np.linalg.eigvalsh):
    case(function, B)
for n in (0, 1, 2, 5):
    case(np.linalg.det, RNG.normal(size=(n, n)))
    case(np.linalg.det, RNG.normal(size=(2, n, n)))
case(np.linalg.det, np.outer(W, W))
case(np.linalg.det, np.diag([0.0, 0.0, 2.0]))
case(np.linalg.pinv, M)
case(np.linalg.slogdet, S)
case(np.linalg.slogdet, -S)
for power in (0, 1, 2, 5, -2):
    case(np.linalg.matrix_power, S, power)
case(np.linalg.cholesky, D)
case(np.linalg.cholesky, D, upper=True)
for lower in (True, False):
    case(scipy.linalg.cholesky, D, lower=lower)
    case(scipy.linalg.cho_factor, D, lower)
    case(scipy.linalg.cho_solve, (S + 2 * np.eye(3), lower), W)
    case(scipy.linalg.cho_solve, (S + 2 * np.eye(3), lower), M)
    case(scipy.linalg.solve_triangular, S, W, lower=lower)
    case(scipy.linalg.solve_triangular, S, M, trans=1, lower=lower)
    case(scipy.linalg.eigvalsh, D, lower=lower)
    case(scipy.linalg.eigh, D, lower=lower, eigvals_only=True)
case(scipy.linalg.solve_triangular, S, W, unit_diagonal=True, lower=True)
for function in (np.linalg.eigh, np.linalg.eigvalsh):
    case(function, D)
    case(function, D, UPLO="U")
case(scipy.linalg.eigh, D, options={"order": 0})  # the signs of its vectors change from point to point
case(np.linalg.svd, M, compute_uv=False)
case(np.linalg.svdvals, M)
for x in (M, M.T, S, RNG.normal(size=(2, 3, 2))):
    case(np.linalg.svd, x, full_matrices=False)
case(np.linalg.svd, S)
POSITIVE_DEFINITE = S @ S.T + np.eye(3)
for function in (scipy.linalg.sqrtm, scipy.linalg.logm):
    case(function, S)
    case(function, POSITIVE_DEFINITE)
    case(function, np.array([[4.0, 1.0], [0.0, 4.0]]))
for function in (scipy.linalg.cosm, scipy.linalg.sinm, scipy.linalg.tanm, scipy.linalg.coshm, scipy.linalg.sinhm,
                 scipy.linalg.tanhm, scipy.linalg.signm):  # fmt: skip
    case(function, S / 4)
case(scipy.linalg.fractional_matrix_power, POSITIVE_DEFINITE, 0.3)
case(scipy.linalg.polar, S)
case(scipy.linalg.polar, S, side="left")
case(scipy.linalg.svd, M, full_matrices=False)
case(scipy.linalg.svd, M, compute_uv=False)
case(scipy.linalg.qr, M.T, mode="economic")
case(scipy.linalg.qr, S, mode="r")
case(scipy.linalg.lu, S)
case(scipy.linalg.lu, S, permute_l=True)
case(scipy.linalg.pinvh, POSITIVE_DEFINITE)
case(scipy.linalg.eigh, S, POSITIVE_DEFINITE, eigvals_only=True)
case(scipy.linalg.eigvalsh, S, POSITIVE_DEFINITE)
case(scipy.linalg.eigvalsh, S, subset_by_index=[1, 2])
case(scipy.linalg.solve, S, W, assume_a="diagonal")
case(scipy.linalg.solve, np.tril(S), M, assume_a="lower triangular")
case(scipy.linalg.solve, np.triu(S), W, assume_a="upper triangular", transposed=True)
for x in (np.outer(V, V), np.zeros((4, 4)), np.diag([2.0, 3.0, 0.0, 1.0, 1.0]), RNG.normal(size=(2, 5, 5))):
    case(np.linalg.det, x)
case(scipy.linalg.svdvals, M.T)
case(np.linalg.qr, M.T)
case(np.linalg.qr, S, mode="r")
for function in (np.linalg.norm, scipy.linalg.norm):
    case(function, V)
    case(function, M)
    for order in (1, 2, np.inf, -np.inf, 3):
        case(function, V, order)
    for order in ("fro", "nuc", 1, 2, -2, np.inf, -np.inf):
        case(function, M, order)
    case(function, M, axis=0, keepdims=True)
    case(function, T, 1, axis=(0, 2), keepdims=True)
kink(np.linalg.norm, a(0.0, 0.0))
kink(np.linalg.norm, a(0.0, 0.0), 3)
case(np.linalg.vector_norm, M)
case(np.linalg.vector_norm, T, axis=(0, 2), ord=1, keepdims=True)
case(np.linalg.matrix_norm, T)
case(scipy.linalg.expm, S / 3)
case(scipy.linalg.lu_factor, S)
case(scipy.linalg.lu_solve, (S, np.array([0, 2, 2], np.int32)), W)
case(scipy.linalg.lu_solve, (S, np.array([0, 2, 2], np.int32)), M, trans=1)

REFUSED += [
    (np.linalg.qr, (M,), {}, "np.linalg.qr with mode='reduced' of shape"),
    (np.linalg.qr, (S,), {"mode": "complete"}, "np.linalg.qr with mode='complete'"),
    (np.linalg.norm, (M, 3), {}, "np.linalg.norm of a matrix with ord=3"),
    (np.linalg.matrix_rank, (S,), {}, "np.linalg.matrix_rank"),
    (np.einsum, (V, [0], V, [0]), {}, "np.einsum without a string"),
    (np.cross, (V[:2], V[:2]), {}, "np.cross of vectors"),
    (np.matmul, (MASK, MASK), {}, "product of booleans"),
    (scipy.linalg.solve, (S, W), {"assume_a": "banded"}, "assume_a='banded'"),
    (scipy.linalg.eigh, (D,), {"subset_by_index": [0, 1]}, "scipy.linalg.eigh with subset_by_index="),
    (scipy.linalg.pinv, (D,), {"rtol": 1e-3}, "scipy.linalg.pinv with rtol="),
    (np.reshape, (M, -1), {"order": "X"}, "np.reshape with order='X'"),
    (np.pad, (M, 1), {"mode": "mean"}, "np.pad with mode='mean'"),
    (np.pad, (M, 1), {"mode": "edge", "stat_length": 1}, "np.pad with stat_length="),
    (np.full_like, (COUNTS, 0.5), {}, "np.full_like of an integer array"),
    (np.repeat, (V, COUNTS), {}, "np.repeat with counts"),
    (np.split, (V, COUNTS), {}, "np.split at computed positions"),
    (np.diag, (T,), {}, "np.diag of more than two axes"),
    (np.sort, (V,), {"order": "x"}, "np.sort with order="),
]
