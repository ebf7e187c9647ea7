"""Views of views, in loops, of shapes that are set, and of data."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.lib.stride_tricks import sliding_window_view as swv
from views import X5, W, base, case, sq


@case
def diagonal_sum(x):
    A = sq(x)
    return np.diagonal(A).sum() ** 2 + np.diagonal(A, 1) @ np.diagonal(A, -1)


@case
def shape_root_views(x):
    A = base(x)[:4] * 1
    v = A[1:3]
    A.shape = (2, 2)
    A[0, 1] = x[0] ** 3
    return np.sum(v**2) + np.sum(A**3)


@case
def shape_root_write(x):
    A = base(x)[:4] * 1
    v = A[1:3]
    A.shape = (2, 2)
    v[0] = x[0] ** 3
    return np.sum(v**2) + np.sum(A**3 * W[:2, :2])


@case
def shape_cells(x):
    A = np.zeros(4)
    A[1] = x[0]
    A.shape = (2, 2)
    A[0, 0] = x[1]
    A[1, 1] = x[0] ** 2
    return np.sum(A**3 * W[:2, :2])


@case
def shape_twice(x):
    A = base(x)[:4] * 1
    v = A.reshape(2, 2)
    v.shape = (4,)
    v[2] = x[0] ** 3
    v.shape = (1, 4)
    A[0] = x[1] ** 3
    return np.sum(v**2 * X5[:4]) + np.sum(A)


@case
def conj_view(x):
    A = base(x)
    c = A.conj()
    c[0] = x[0] ** 3
    return np.sum(A**2)


@case
def cells_einsum(x):
    B = np.zeros((3, 3))
    B[0, 0] = x[0]
    d = np.einsum("ii->i", B)
    B[1, 1] = x[1]
    B[2, 2] = x[0] ** 2
    d[0] *= 2
    return np.sum(B**3)


@case
def cells_view_then_cells(x):
    B = np.zeros(4)
    v = B[1:3]
    B[1] = x[0]
    B[2] = x[1]
    v[0] = v[0] * v[1]
    B[3] = v[0] + B[1]
    return np.sum(B**3)


@case
def out_T_einsum(x):
    B = np.zeros((2, 2))
    np.multiply.outer(x, x**2, out=B.T)
    return np.sum(B**2 * W[:2, :2])


@case
def out_flat(x):
    B = np.zeros((2, 2))
    np.concatenate([x, x**2], out=B.ravel())
    return np.sum(B**2 * W[:2, :2])


@case
def inner_fn(x):
    def setdiag(M, v):
        np.einsum("ii->i", M)[:] = v

    B = np.zeros((2, 2))
    setdiag(B, x)
    setdiag(B[::-1], x**2)
    return np.sum(B**3 * W[:2, :2])


@case
def select_view(x):
    A = base(x)
    a, b = A[0], A[1]
    A[0] = 9.0
    return a**2 + b


@case
def tuple_unpack_rows(x):
    A = sq(x)
    r0, r1, r2 = A
    A[0] = x[0] ** 3
    return np.sum(r0**2) + np.sum(r1 * r2)


@case
def zip_rows_write(x):
    A = sq(x)
    B = np.zeros_like(A)
    for a, b in zip(A, B, strict=True):
        b[:] = a[::-1] * x[1]
    return np.sum(B**2 * W)


@case
def enum_rows_write(x):
    A = sq(x)
    for i, r in enumerate(A):
        r -= r.mean() * x[0]
        r[i] = x[1]
    return np.sum(A**2 * W)


@case
def matmul_out_view(x):
    B = np.zeros((3, 3))
    np.matmul(sq(x), W, out=B.T)
    np.add(B[0], x[0], out=B[1])
    return np.sum(B**2 * W) * 1e-4


@case
def split_write_loop(x):
    A = base(x)
    for k, p in enumerate(np.array_split(A, 2)):
        p *= x[0]
        p += k
    return np.sum(A**2 * X5)


@case
def nditer_flat_write(x):
    A = sq(x)
    for i in range(A.size):
        A.flat[i] = A.flat[i] * x[0] + i
    return np.sum(A**2 * W)


@case
def ufunc_reduce_view(x):
    A = sq(x)
    s = np.add.reduce(A.T, axis=0)
    A[0] = x[0]
    return np.sum(s**2)


@case
def real_view_write(x):
    A = base(x)
    np.real(A)[1:3] = x**3
    A.real[0] *= x[1]
    return np.sum(A**2 * X5)


@case
def broadcast_row_then_write(x):
    A = np.zeros((2, 3))
    A[:] = np.broadcast_to(base(x)[:3], (2, 3))
    A[0] *= x[0]
    return np.sum(A**2)


@case
def int_views(x):
    I = np.zeros(4, int)
    v = swv(I, 2, writeable=True)
    v[1] = [1, 2]
    return x[I[1] - 1] ** 2 + x[0] * I[2]


@case
def param_swv(x):
    return np.sum(swv(x, 2) ** 2) + np.sum(np.diagonal(np.outer(x, x)))


@case
def data_behind(x):
    D = X5.copy()
    v = swv(D, 2)
    D[2] = 9.0
    return np.sum(v) * x[0] ** 2 + np.sum(v * x)


@case
def data_einsum(x):
    D = W.copy()
    np.einsum("ii->i", D)[:] = 5.0
    return np.sum(D * x[0] ** 2) + x[1]


@case
def data_strided(x):
    D = X5.copy()
    as_strided(D, (2,), (16,))[:] = 7.0
    return np.sum(D * x[0] ** 2) + x[1]


@case
def gather_gather(x):
    A = base(x)
    v = swv(A, 3, writeable=True)
    w = np.einsum("ii->i", v)
    w[1] = x[0] ** 3
    A[0] = x[1] ** 3
    return np.sum(v**2 * W) + np.sum(w**2)


@case
def diag_of_diag(x):
    A = np.zeros((2, 3, 3))
    d = np.einsum("kii->ki", A)
    d[0] = base(x)[:3]
    d[1, ::2] = x
    return np.sum(A**3)


@case
def linalg_diag_behind(x):
    A = sq(x)
    d = np.linalg.diagonal(A)
    A *= x[0]
    return np.sum(d**3)


@case
def unstack_mod(x):
    A = sq(x)
    for r in list(np.split(A, 3)):
        r *= x[0]
    return np.sum(A**2)


@case
def number_filled(x):
    A = base(x)
    v = A[0]
    v.fill(x[1])
    A[1:2].fill(x[1])
    return np.sum(A**2 * np.arange(A.size)) + v


@case
def windows_sorted_in_place(x):
    """Each window is sorted as those before have left it."""
    A = base(x)
    swv(A, 3, writeable=True).sort()
    B = np.concatenate([x, x**2])
    swv(B, 2, writeable=True).sort(axis=0)
    return np.sum(A * np.arange(A.size) ** 2) + np.sum(B * np.arange(B.size) ** 2)
