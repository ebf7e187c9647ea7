"""Writes by functions into views and parameters, copies that look like views, and windows that overlap."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.lib.stride_tricks import sliding_window_view as swv
from views import X5, W, base, case, sq


@case
def choose_view(x):
    A = base(x)
    c = np.where([True] * 5, A, 0.0)
    A[0] = x[0] ** 3
    c[1] = 9
    return np.sum(A**2 * X5) + np.sum(c**2)


@case
def nan_to_num_view(x):
    A = base(x)
    v = A[1:3]
    np.nan_to_num(v, copy=False)
    v[0] = x[0] ** 2
    return np.sum(A**2 * X5)


@case
def sort_view(x):
    A = sq(x)
    A[1].sort()
    A[:, 0].sort()
    return np.sum(A**2 * W)


@case
def fill_view(x):
    A = sq(x)
    A[1:, 1:].fill(x[0] ** 2)
    return np.sum(A**2 * W)


@case
def put_view(x):
    A = sq(x)
    A[1].put([0, 2], x**2)
    np.put(A[:, 1], [0, 2], x)
    return np.sum(A**2 * W)


@case
def at_view(x):
    A = sq(x)
    np.add.at(A[1], [0, 0, 2], x[0] ** 2)
    np.multiply.at(A.T, (0, [1, 1]), x[1])
    return np.sum(A**2 * W)


@case
def filldiag_view(x):
    A = sq(x)
    np.fill_diagonal(A[1:, 1:], x**2)
    return np.sum(A**2 * W)


@case
def copyto_T(x):
    A = sq(x)
    np.copyto(A.T[0], x[0] ** 2 * np.arange(3.0))
    return np.sum(A**2 * W)


@case
def place_view(x):
    A = sq(x)
    np.place(A[1], [True, False, True], x**2)
    np.putmask(A[:, 0], [True, False, True], x[0] ** 3)
    return np.sum(A**2 * W)


@case
def out_reshape(x):
    B = np.zeros((2, 2))
    np.concatenate([x**2, x], out=B.reshape(-1))
    return np.sum(B**2 * W[:2, :2])


@case
def out_swv(x):
    B = np.zeros(4)
    np.exp(x, out=swv(B, 2, writeable=True)[1])
    return np.sum(B**2 * X5[:4])


@case
def out_einsum(x):
    B = np.zeros((2, 2))
    np.exp(x, out=np.einsum("ii->i", B))
    return np.sum(B**2 * W[:2, :2])


@case
def param_write(x):
    y = x
    y = y.copy()
    v = y[1:]
    v[0] = y[0] ** 2
    return np.sum(y**2)


@case
def param_T(x):
    A = np.zeros((2, 2))
    A.T[:] = x
    A[::-1][0] *= x[0]
    return np.sum(A**2 * W[:2, :2])


@case
def real_if_close(x):
    A = base(x)
    r = np.real_if_close(A)
    r[0] = x[1] ** 3
    return np.sum(A**2 * X5)


@case
def nanview(x):
    A = base(x)
    v = A[np.newaxis, ...]
    v[0, ..., 1] = x[0] ** 3
    return np.sum(A**2 * X5)


@case
def ellipsis0d(x):
    A = base(x)
    s = A[1, ...]
    s[...] = x[0] ** 3
    return np.sum(A**2 * X5)


@case
def item0d(x):
    A = base(x)
    s = A[1]
    A[1] = x[0] ** 3
    return np.sum(A**2 * X5) + s**2


@case
def squeeze0d(x):
    A = (x[:1] ** 2).copy()
    s = A.squeeze()
    A[0] = x[1] ** 2
    return s**2 + x[0]


@case
def reshape0d(x):
    A = (x[:1] ** 2).copy()
    s = A.reshape(())
    s[()] = x[1] ** 2
    return A[0] ** 2 + x[0]


@case
def matrixT_chain(x):
    A = np.zeros((2, 3, 2))
    v = A.transpose(2, 0, 1)[0]
    v[1] = np.arange(3.0) * x[0] ** 2
    A[0, :, 1] = x[1]
    return np.sum(A**2 * np.arange(12.0).reshape(2, 3, 2))


@case
def trapz_view(x):
    A = base(x)
    d = np.diff(A)
    A[0] = x[0] ** 3
    d[0] = 9.0
    return np.sum(d**2) + np.sum(A**2)


@case
def cumsum_view(x):
    A = base(x)
    d = np.cumsum(A)
    A[0] = x[0] ** 3
    d[0] = 9.0
    return np.sum(d**2) + np.sum(A**2)


@case
def ix_(x):
    A = sq(x)
    A[np.ix_([0, 2], [1, 2])] = x[0] ** 2
    v = A[np.ix_([0, 1], [0, 1])]
    v[0, 0] = 3.0
    return np.sum(A**2 * W)


@case
def meshgrid(x):
    a = base(x)
    g, h = np.meshgrid(a, a[:2])
    a[0] = x[0] ** 3
    g[0, 1] = 9
    return np.sum(g**2) + np.sum(h**2) + np.sum(a**2)


@case
def tile_repeat(x):
    a = base(x)
    t = np.tile(a, 2)
    r = np.repeat(a, 2)
    a[0] = x[0] ** 3
    t[0] = 3
    r[1] = 4
    return np.sum(t**2) + np.sum(r**2) + np.sum(a**2)


@case
def roll(x):
    a = base(x)
    t = np.roll(a, 1)
    a[0] = x[0] ** 3
    t[0] = 3
    return np.sum(t**2) + np.sum(a**2)


@case
def delete_append(x):
    a = base(x)
    t = np.delete(a, 0)
    u = np.append(a, 1.0)
    w = np.insert(a, 1, x[0])
    a[1] = x[0] ** 3
    t[0] = 1
    u[0] = 2
    w[0] = 3
    return np.sum(t**2) + np.sum(u**2) + np.sum(a**2) + np.sum(w**2)


@case
def trim(x):
    a = np.concatenate([[0.0], x**2, [0.0]])
    t = np.trim_zeros(a)
    t[0] = x[1] ** 3
    return np.sum(a**2) + np.sum(t**3)


@case
def block_copy(x):
    a = sq(x)
    t = np.block([[a, a]])
    a[0] = x[0] ** 3
    t[0, 0] = 2
    return np.sum(t**2) + np.sum(a**2)


@case
def concat_single(x):
    a = base(x)
    t = np.concatenate([a])
    a[0] = x[0] ** 3
    t[1] = 2
    return np.sum(t**2) + np.sum(a**2)


@case
def pos_copy(x):
    a = base(x)
    t = +a
    a[0] = x[0] ** 3
    t[1] = 2
    return np.sum(t**2) + np.sum(a**2)


@case
def conj_copy(x):
    a = base(x)
    t = np.conj(a)
    a[0] = x[0] ** 3
    t[1] = 2
    return np.sum(t**2) + np.sum(a**2)


@case
def conj_meth(x):
    a = base(x)
    t = a.conj()
    a[0] = x[0] ** 3
    t[1] = 2
    return np.sum(t**2) + np.sum(a**2)


@case
def maximum_copy(x):
    a = base(x)
    t = np.maximum(a, -9)
    a[0] = x[0] ** 3
    t[1] = 2
    return np.sum(t**2) + np.sum(a**2)


@case
def lib_swv_sum(x):
    A = np.zeros(6)
    A[1:] = base(x)
    v = swv(A, 2)
    A[0] = x[0] ** 2
    s = v.sum(axis=1)
    A[1] = 5 * x[0]
    return np.sum(s**2) + np.sum(v.prod(axis=-1))


@case
def swv_row(x):
    A = base(x)
    v = swv(A, 3)[1]
    A[2] = x[0] ** 3
    return np.sum(v**2 * W[0])


@case
def swv_T(x):
    A = base(x)
    v = swv(A, 3).T
    A[2] = x[0] ** 3
    return np.sum(v**2 * W)


@case
def swv_of_slice(x):
    A = base(x)
    v = swv(A[::2], 2)
    A[2] = x[0] ** 3
    return np.sum(v**2)


@case
def swv_all_write(x):
    A = base(x)
    v = swv(A, 2, writeable=True)
    v[...] = x[0] ** 2 * np.arange(8.0).reshape(4, 2)
    return np.sum(A**2 * X5)


@case
def swv_data(x):
    v = swv(X5, 3)
    return np.sum((v @ np.array([x[0], x[1], 1.0])) ** 2)


@case
def swv_zero(x):
    A = np.zeros(5)
    v = swv(A, 3, writeable=True)
    for i in range(3):
        v[i, i] = x[0] * i + x[1]
    return np.sum(A**2 * X5)


@case
def loop_views(x):
    A = np.zeros(6)
    A[:2] = x
    for t in range(2, 6):
        w = swv(A, 2)[t - 2]
        A[t] = np.sum(w * x)
    return np.sum(A**2)


@case
def loop_diag(x):
    B = np.zeros((4, 4))
    d = np.einsum("ii->i", B)
    for i in range(4):
        d[i] = x[0] * i + x[1]
        B[i, 0] += x[0]
    return np.sum(np.linalg.inv(B + np.eye(4) * 3) ** 2)


@case
def chol_diag(x):
    A = np.eye(3) + 0.1 * sq(x) @ sq(x).T
    A.flat[::4] += x[0] ** 2
    return np.log(np.linalg.det(A))


@case
def chol_diag2(x):
    A = np.eye(3) + 0.1 * sq(x) @ sq(x).T
    np.einsum("ii->i", A)[...] += x[0] ** 2
    return np.linalg.slogdet(A)[1]


@case
def chol_diag3(x):
    A = np.eye(3) + 0.1 * sq(x) @ sq(x).T
    A.ravel()[::4] += x[0] ** 2
    return np.linalg.slogdet(A)[1]


@case
def chol_diag4(x):
    A = np.eye(3) + 0.1 * sq(x) @ sq(x).T
    A[np.diag_indices(3)] += x[0] ** 2
    return np.linalg.slogdet(A)[1]


@case
def chol_diag5(x):
    A = np.eye(3) + 0.1 * sq(x) @ sq(x).T
    A.reshape(-1)[::4] *= x[0] ** 2
    return np.linalg.slogdet(A)[1]


@case
def strided_toeplitz(x):
    c = np.concatenate([x, x**2, [x[0] * x[1]]])
    v = np.concatenate([c[::-1][:-1], c])
    n = 5
    T = as_strided(v[n - 1 :], (n, n), (-8, 8))
    return np.sum((T @ X5) ** 2)


@case
def strided_embed(x):
    y = base(x)
    lags = as_strided(y[1:], (2, 4 - 1), (-8, 8))
    return np.sum(lags**2 * np.array([[1.0], [2.0]]))


@case
def tril_views(x):
    A = np.zeros((3, 3))
    A[np.tril_indices(3)] = np.concatenate([base(x), [1.0]])
    L = np.tril(A)
    return np.sum((L @ L.T) ** 2)


@case
def T_inplace(x):
    A = sq(x)
    A += A.T
    return np.sum(A**2 * W)


@case
def T_imul(x):
    A = sq(x)
    A.T[...] *= np.arange(3.0)
    return np.sum(A**2 * W)


@case
def iadd_overlap2(x):
    A = base(x)
    A[:-1] -= A[1:]
    A[::2] *= x[0]
    return np.sum(A**2 * X5)


@case
def swv_overlap_iadd(x):
    A = base(x)
    v = swv(A, 2, writeable=True)
    v += 1.5 * x[0]
    return np.sum(A**2 * X5)


@case
def swv_assign_scalar(x):
    A = base(x)
    v = swv(A, 2, writeable=True)
    v[1:3] = x[0] ** 2
    return np.sum(A**2 * X5)


@case
def swv_fancy(x):
    A = base(x)
    v = swv(A, 2, writeable=True)
    v[[0, 2], [1, 0]] = x
    return np.sum(A**2 * X5)


@case
def swv_mask(x):
    A = base(x)
    v = swv(A, 2, writeable=True)
    v[v > 0.6] = x[0] ** 2
    return np.sum(A**2 * X5)


@case
def swv_nested(x):
    A = base(x)
    v = swv(swv(A, 3), 2, axis=1)
    A[2] = x[0] ** 3
    return np.sum(v**2)


@case
def swv_reshape_copy(x):
    A = base(x)
    v = swv(A, 3).reshape(-1)
    A[2] = x[0] ** 3
    return np.sum(v**2) + np.sum(A)


@case
def swv_ravel(x):
    A = base(x)
    v = np.ravel(swv(A, 3))
    v[0] = 2.0
    return np.sum(v**2) + np.sum(A)


@case
def swv_rows(x):
    A = base(x)
    s = 0.0
    for i, w in enumerate(swv(A, 2)):
        s = s + w[0] * w[1] * (i + 1)
    return s
