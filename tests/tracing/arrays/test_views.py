"""Views of every origin: writes through them, writes behind them; against the plain function."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.lib.stride_tricks import as_strided
from numpy.lib.stride_tricks import sliding_window_view as swv
from plainly import Cases, check

case = Cases()

X5 = np.arange(5.0) + 1
R = np.arange(12.0).reshape(3, 4) + 1
W = np.arange(1.0, 10.0).reshape(3, 3)


def base(x):
    return np.concatenate([x**2, x, [x[0] * x[1]]])


def sq(x):
    return np.outer(base(x)[:3], base(x)[1:4]) + W


@case
def einsum_diag(x):
    B = np.zeros((2, 2))
    np.einsum("ii->i", B)[:] = x
    return np.sum(B**2)


@case
def einsum_T(x):
    B = sq(x)
    np.einsum("ij->ji", B)[0] = x[0] ** 2
    return np.sum(B**2 * W)


@case
def einsum_behind(x):
    B = sq(x)
    d = np.einsum("ii->i", B)
    B[1, 1] = x[0] * 7
    return np.sum(d**2 * W[0])


@case
def einsum_iaug(x):
    B = sq(x)
    d = np.einsum("ii->i", B)
    d *= x[1]
    return np.sum(B**2 * W)


@case
def einsum_lists(x):
    B = sq(x)
    np.einsum(B, [0, 0], [0])[1] = x[0] ** 3
    return np.sum(B**2 * W)


@case
def einsum_ellipsis(x):
    B = sq(x)
    np.einsum("...->...", B)[1] = x[0] ** 3
    return np.sum(B**2 * W)


@case
def einsum_kw(x):
    B = sq(x)
    np.einsum("ij->ji", B, optimize=True)[0] = x[0] ** 2
    return np.sum(B**2 * W)


@case
def einsum_sum_notview(x):
    B = sq(x)
    s = np.einsum("ij->i", B)
    s[0] = 5.0
    return np.sum(B**2 * W) + np.sum(s**2)


@case
def einsum_path(x):
    B = sq(x)
    d = np.einsum("ii->i", B)
    B *= x[0]
    return np.sum(d**2)


@case
def swv_write(x):
    A = base(x)
    swv(A, 3, writeable=True)[1] = x[0] ** 3
    return np.sum(A**2 * X5)


@case
def swv_write_one(x):
    A = base(x)
    v = swv(A, 3, writeable=True)
    v[1, 2] = x[0] ** 3
    return np.sum(A**2 * X5) + np.sum(v**2)


@case
def swv_behind(x):
    A = base(x)
    v = swv(A, 3)
    A[2] = x[0] * 7
    return np.sum(v**2 * W)


@case
def swv_behind_zero(x):
    A = np.zeros(5)
    v = swv(A, 3)
    A[:] = base(x)
    return np.sum(v**2 * W)


@case
def swv_2d(x):
    A = sq(x)
    v = swv(A, (2, 2))
    A[1] = x[0] * 7
    return np.sum(v**2 * np.arange(16.0).reshape(2, 2, 2, 2))


@case
def swv_axis(x):
    A = sq(x)
    v = swv(A, 2, axis=1)
    A[:, 1] = x[0] * 7
    return np.sum(v**2)


@case
def swv_readonly(x):
    A = base(x)
    v = swv(A, 3)
    try:
        v[0] = 1.0
    except ValueError:
        return np.sum(A**2)
    return np.sum(A**3)


@case
def swv_iadd(x):
    A = base(x)
    v = swv(A, 2, writeable=True)
    v[0] += x[0]
    return np.sum(A**2 * X5)


@case
def swv_mean(x):
    return np.sum(swv(base(x), 3).mean(axis=1) ** 2)


@case
def strided(x):
    A = base(x)
    v = as_strided(A, (3, 3), (8, 8))
    return np.sum(v**2 * W)


@case
def strided_behind(x):
    A = base(x)
    v = as_strided(A, (3, 3), (8, 8))
    A[2] = x[0] * 7
    return np.sum(v**2 * W)


@case
def strided_write(x):
    A = base(x)
    v = as_strided(A, (2, 2), (16, 8))
    v[1, 0] = x[0] * 7
    return np.sum(A**2 * X5)


@case
def strided_neg(x):
    A = base(x)
    v = as_strided(A[::-1], (2, 2), (-16, -8))
    v[1, 0] = x[0] * 7
    return np.sum(A**2 * X5)


@case
def strided_zero(x):
    A = base(x)
    v = as_strided(A, (4, 5), (0, 8))
    return np.sum(v**2 * X5)


@case
def strided_kw(x):
    A = sq(x)
    v = as_strided(A, shape=(3,), strides=(32,))
    v[:] = x[0] ** 2
    return np.sum(A**2 * W)


@case
def strided_slice(x):
    A = base(x)
    v = as_strided(A[1:], (2, 2), (8, 8))
    A[2] = x[0] ** 3
    return np.sum(v**2 * W[:2, :2])


@case
def diagonal(x):
    A = sq(x)
    d = np.diagonal(A)
    A[1, 1] = x[0] * 7
    return np.sum(d**2 * W[0])


@case
def diagonal_off(x):
    A = sq(x)
    d = np.diagonal(A, 1)
    A[0, 1] = x[0] * 7
    return np.sum(d**2 * W[0, :2])


@case
def diagonal_meth(x):
    A = sq(x)
    d = A.diagonal(-1)
    A[1, 0] = x[0] * 7
    return np.sum(d**2 * W[0, :2])


@case
def diag_view(x):
    A = sq(x)
    d = np.diag(A)
    A[1, 1] = x[0] * 7
    return np.sum(d**2 * W[0])


@case
def linalg_diagonal(x):
    A = sq(x)
    d = np.linalg.diagonal(A)
    A[1, 1] = x[0] * 7
    return np.sum(d**2 * W[0])


@case
def diagonal_ro(x):
    A = sq(x)
    d = A.diagonal()
    try:
        d[0] = 1
    except ValueError:
        return np.sum(A**2)
    return np.sum(A**3)


@case
def broadcast(x):
    A = base(x)
    v = np.broadcast_to(A, (3, 5))
    A[1] = x[0] ** 3
    return np.sum(v**2 * X5)


@case
def broadcast_ro(x):
    A = base(x)
    v = np.broadcast_to(A, (3, 5))
    try:
        v[0] = 1
    except ValueError:
        return np.sum(A**2)
    return np.sum(A**3)


@case
def broadcast_arrays(x):
    A = base(x)
    v, _ = np.broadcast_arrays(A, np.ones((3, 1)))
    A[1] = x[0] ** 3
    return np.sum(v**2 * X5)


@case
def T(x):
    A = sq(x)
    t = A.T
    t[0] = x[0] ** 2
    A[2] = x[1]
    return np.sum(A**2 * W) + np.sum(t[0] ** 3)


@case
def mT(x):
    A = sq(x)
    t = A.mT if hasattr(A, "mT") else A.T
    t[0] = x[0] ** 2
    A[2] = x[1]
    return np.sum(A**2 * W) + np.sum(t[0] ** 3)


@case
def swapaxes(x):
    A = sq(x)
    t = A.swapaxes(0, 1)
    t[0] = x[0] ** 2
    A[2] = x[1]
    return np.sum(A**2 * W) + np.sum(t[0] ** 3)


@case
def moveaxis(x):
    A = sq(x)
    t = np.moveaxis(A, 0, 1)
    t[0] = x[0] ** 2
    A[2] = x[1]
    return np.sum(A**2 * W) + np.sum(t[0] ** 3)


@case
def permute_dims(x):
    A = sq(x)
    t = np.transpose(A, (1, 0))
    t[0] = x[0] ** 2
    A[2] = x[1]
    return np.sum(A**2 * W) + np.sum(t[0] ** 3)


@case
def reshape(x):
    A = sq(x)
    t = A.reshape(9)
    t[2:5] = x[0] ** 2
    A[2] = x[1]
    return np.sum(A**2 * W) + np.sum(t**3)


@case
def reshape_fn(x):
    A = sq(x)
    t = np.reshape(A, -1)
    t[2:5] = x[0] ** 2
    A[2] = x[1]
    return np.sum(A**2 * W) + np.sum(t**3)


@case
def reshape_F(x):
    A = sq(x)
    t = A.reshape(9, order="F")
    t[2:5] = x[0] ** 2
    A[2] = x[1]
    return np.sum(A**2 * W) + np.sum(t**3)


@case
def reshape_F2(x):
    A = np.asfortranarray(sq(x))
    t = A.reshape(9, order="F")
    t[2:5] = x[0] ** 2
    A[2] = x[1]
    return np.sum(A**2 * W) + np.sum(t**3)


@case
def ravel(x):
    A = sq(x)
    t = A.ravel()
    t[2:5] = x[0] ** 2
    A[2] = x[1]
    return np.sum(A**2 * W) + np.sum(t**3)


@case
def ravel_T(x):
    A = sq(x)
    t = A.T.ravel()
    t[2:5] = x[0] ** 2
    A[2] = x[1]
    return np.sum(A**2 * W) + np.sum(t**3)


@case
def ravel_K(x):
    A = sq(x)
    t = A.T.ravel("K")
    t[2:5] = x[0] ** 2
    A[2] = x[1]
    return np.sum(A**2 * W) + np.sum(t**3)


@case
def flatten(x):
    A = sq(x)
    t = A.flatten()
    t[2:5] = x[0] ** 2
    A[2] = x[1]
    return np.sum(A**2 * W) + np.sum(t**3)


@case
def flat_set(x):
    A = sq(x)
    A.flat[2:5] = x[0] ** 2
    A.flat[7] = x[1]
    return np.sum(A**2 * W)


@case
def flat_setT(x):
    A = sq(x)
    A.T.flat[2:5] = x[0] ** 2
    A.T.flat[7] = x[1]
    return np.sum(A**2 * W)


@case
def flat_assign(x):
    A = np.zeros((2, 2))
    A.flat = np.concatenate([x, x**2])
    return np.sum(A**2 * W[:2, :2])


@case
def flat_obj(x):
    A = sq(x)
    f = A.flat
    A[0, 1] = x[0] ** 3
    return f[1] ** 2 + f[3]


@case
def flat_next(x):
    A = sq(x)
    f = A.flat
    a = next(f)
    b = next(f)
    return a * b


@case
def flat_iter(x):
    A = sq(x)
    return sum((i + 1) * v**2 for i, v in enumerate(A.flat))


@case
def flat_arr(x):
    A = sq(x)
    return np.sum(np.array(A.flat) ** 2 * W.ravel()) + np.sum(A.flat.copy() ** 3)


@case
def real(x):
    A = sq(x)
    A.real[0] = x[0] ** 2
    r = A.real
    A[1] = x[1]
    return np.sum(r**2 * W)


@case
def real_fn(x):
    A = sq(x)
    np.real(A)[0] = x[0] ** 2
    r = np.real(A)
    A[1] = x[1]
    return np.sum(r**2 * W)


@case
def real_assign(x):
    A = sq(x)
    A.real = x[0] ** 2
    return np.sum(A**2 * W)


@case
def imag_assign(x):
    A = np.zeros(2, complex)
    A.imag = x**2
    A.real = x
    return np.sum(A.imag**2 + A.real**3)


@case
def c_real_view(x):
    A = np.zeros(2, complex)
    r = A.real
    r[:] = x
    i = A.imag
    A[1] = 1j * x[0]
    return np.sum(r**2 + i**3)


@case
def c_real_fn_view(x):
    A = np.zeros(2, complex)
    np.real(A)[:] = x
    np.imag(A)[:] = x**2
    return np.sum(A.real**2 + A.imag**3)


@case
def split(x):
    A = base(x)
    a, b = np.split(A, [2])
    a[0] = x[1] ** 3
    A[4] = x[0] ** 3
    return np.sum(A**2 * X5) + np.sum(b**3)


@case
def array_split(x):
    A = base(x)
    a, _, c = np.array_split(A, 3)
    a[0] = x[1] ** 3
    A[4] = x[0] ** 3
    return np.sum(A**2 * X5) + np.sum(c**3)


@case
def hsplit(x):
    A = sq(x)
    a, b = np.hsplit(A, [1])
    a[0] = x[1] ** 3
    A[:, 2] = x[0] ** 3
    return np.sum(A**2 * W) + np.sum(b**3)


@case
def vsplit(x):
    A = sq(x)
    a, b = np.vsplit(A, [1])
    a[0] = x[1] ** 3
    A[:, 2] = x[0] ** 3
    return np.sum(A**2 * W) + np.sum(b**3)


@case
def dsplit(x):
    A = sq(x).reshape(1, 3, 3)
    a, b = np.dsplit(A, [1])
    a[0] = x[1] ** 3
    A[:, :, 2] = x[0] ** 3
    return np.sum(A**2 * W) + np.sum(b**3)


@case
def unstack(x):
    A = sq(x)
    u = np.unstack(A) if hasattr(np, "unstack") else tuple(A)
    u[0][1] = x[0] ** 3
    A[2] = x[1] ** 3
    return np.sum(A**2 * W) + np.sum(u[2] ** 3)


@case
def atleast(x):
    A = base(x)
    a = np.atleast_2d(A)
    a[0, 1] = x[0] ** 3
    A[2] = x[1] ** 3
    return np.sum(A**2 * X5) + np.sum(a**3)


@case
def atleast3(x):
    A = base(x)
    a = np.atleast_3d(A)
    a[0, 1, 0] = x[0] ** 3
    A[2] = x[1] ** 3
    return np.sum(A**2 * X5) + np.sum(a**3)


@case
def atleast_multi(x):
    A = base(x)
    a, b = np.atleast_2d(A, A[1:])
    a[0, 1] = x[0] ** 3
    b[0, 3] = x[1] ** 3
    return np.sum(A**2 * X5) + np.sum(a**3)


@case
def expand(x):
    A = base(x)
    a = np.expand_dims(A, 0)
    a[0, 1] = x[0] ** 3
    A[2] = x[1] ** 3
    return np.sum(A**2 * X5) + np.sum(a**3)


@case
def newaxis(x):
    A = base(x)
    a = A[:, None]
    a[1, 0] = x[0] ** 3
    A[2] = x[1] ** 3
    return np.sum(A**2 * X5) + np.sum(a**3)


@case
def squeeze(x):
    A = base(x)[None]
    a = np.squeeze(A)
    a[1] = x[0] ** 3
    A[0, 2] = x[1] ** 3
    return np.sum(A**2 * X5) + np.sum(a**3)


@case
def asarray(x):
    A = base(x)
    a = np.asarray(A)
    a[1] = x[0] ** 3
    A[2] = x[1] ** 3
    return np.sum(A**2 * X5) + np.sum(a**3)


@case
def array_copyNone(x):
    A = base(x)
    a = np.array(A, copy=None)
    a[1] = x[0] ** 3
    A[2] = x[1] ** 3
    return np.sum(A**2 * X5) + np.sum(a**3)


@case
def array_copy(x):
    A = base(x)
    a = np.array(A)
    a[1] = x[0] ** 3
    A[2] = x[1] ** 3
    return np.sum(A**2 * X5) + np.sum(a**3)


@case
def asarray_dtype(x):
    A = base(x)
    a = np.asarray(A, dtype=float)
    a[1] = x[0] ** 3
    A[2] = x[1] ** 3
    return np.sum(A**2 * X5) + np.sum(a**3)


@case
def ascontig(x):
    A = sq(x)
    a = np.ascontiguousarray(A.T)
    a[1] = x[0] ** 3
    A[2] = x[1] ** 3
    return np.sum(A**2 * W) + np.sum(a**3)


@case
def ascontig2(x):
    A = sq(x)
    a = np.ascontiguousarray(A)
    a[1] = x[0] ** 3
    A[2] = x[1] ** 3
    return np.sum(A**2 * W) + np.sum(a**3)


@case
def asfortran(x):
    A = sq(x)
    a = np.asfortranarray(A)
    a[1] = x[0] ** 3
    A[2] = x[1] ** 3
    return np.sum(A**2 * W) + np.sum(a**3)


@case
def asanyarray(x):
    A = base(x)
    a = np.asanyarray(A)
    a[1] = x[0] ** 3
    A[2] = x[1] ** 3
    return np.sum(A**2 * X5) + np.sum(a**3)


@case
def astype_nocopy(x):
    A = base(x)
    a = A.astype(float, copy=False)
    a[1] = x[0] ** 3
    A[2] = x[1] ** 3
    return np.sum(A**2 * X5) + np.sum(a**3)


@case
def astype_copy(x):
    A = base(x)
    a = A.astype(float)
    a[1] = x[0] ** 3
    A[2] = x[1] ** 3
    return np.sum(A**2 * X5) + np.sum(a**3)


@case
def nditer(x):
    A = sq(x)
    s = 0.0
    for v in np.nditer(A):
        s = s + v**2
    return s


@case
def nditer_multi_data(x):
    it = np.nditer(W, flags=["multi_index"])
    A = sq(x)
    s = 0.0
    while not it.finished:
        s = s + it[0] * A[it.multi_index] ** 2
        it.iternext()
    return s


@case
def nditer_write_plain(x):
    A = sq(x)
    for i, v in enumerate(np.nditer(A)):
        A[i // 3, i % 3] = v * x[0]
    return np.sum(A**2)


@case
def view(x):
    A = base(x)
    v = A.view()
    v[1] = x[0] ** 3
    A[2] = x[1] ** 3
    return np.sum(A**2 * X5) + np.sum(v**3)


@case
def view_cls(x):
    A = base(x)
    v = A.view(np.ndarray)
    v[1] = x[0] ** 3
    A[2] = x[1] ** 3
    return np.sum(A**2 * X5) + np.sum(v**3)


@case
def ndenumerate(x):
    A = sq(x)
    s = 0.0
    for (i, j), v in np.ndenumerate(A):
        s = s + v**2 * W[i, j]
        A[2, 2] = x[0]
    return s + np.sum(A)


@case
def rollaxis(x):
    A = sq(x)
    t = np.rollaxis(A, 1)
    t[0] = x[0] ** 2
    A[2] = x[1]
    return np.sum(A**2 * W) + np.sum(t[0] ** 3)


@case
def flip(x):
    A = sq(x)
    t = np.flip(A)
    t[0] = x[0] ** 2
    A[1] = x[1]
    return np.sum(A**2 * W) + np.sum(t[1] ** 3)


@case
def fliplr(x):
    A = sq(x)
    t = np.fliplr(A)
    t[:, 0] = x[0] ** 2
    A[1] = x[1]
    return np.sum(A**2 * W) + np.sum(t[1] ** 3)


@case
def rot90(x):
    A = sq(x)
    t = np.rot90(A)
    t[0] = x[0] ** 2
    A[1] = x[1]
    return np.sum(A**2 * W) + np.sum(t[1] ** 3)


@case
def rot90k2(x):
    A = sq(x)
    t = np.rot90(A, 2)
    t[0] = x[0] ** 2
    A[1] = x[1]
    return np.sum(A**2 * W) + np.sum(t[1] ** 3)


@case
def neg_step(x):
    A = base(x)
    t = A[::-2]
    t[0] = x[0] ** 3
    A[2] = x[1] ** 3
    return np.sum(A**2 * X5) + np.sum(t**3)


@case
def diag_indices(x):
    A = sq(x)
    A[np.diag_indices(3)] = x[0] ** 2
    A[np.diag_indices_from(A)] += x[1]
    return np.sum(A**2 * W)


@case
def tril_idx(x):
    A = sq(x)
    A[np.tril_indices(3, -1)] = x[0] ** 2
    A[np.triu_indices(3, 1)] *= x[1]
    return np.sum(A**2 * W)


@case
def tril_copy(x):
    A = sq(x)
    t = np.tril(A)
    A[1, 0] = x[0] ** 3
    t[2, 0] = x[1] ** 3
    return np.sum(A**2 * W) + np.sum(t**3)


@case
def fancy_copy(x):
    A = base(x)
    t = A[[0, 1]]
    t[0] = x[1] ** 3
    A[1] = x[0] ** 3
    return np.sum(A**2 * X5) + np.sum(t**3)


@case
def mask_copy(x):
    A = base(x)
    t = A[A > -9]
    t[0] = x[1] ** 3
    A[1] = x[0] ** 3
    return np.sum(A**2 * X5) + np.sum(t**3)


@case
def fancy_aug(x):
    A = base(x)
    A[[0, 0, 1]] += x[0]
    return np.sum(A**2 * X5)


@case
def take_copy(x):
    A = base(x)
    t = np.take(A, [0, 1])
    t[0] = x[1] ** 3
    A[1] = x[0] ** 3
    return np.sum(A**2 * X5) + np.sum(t**3)


@case
def view_of_view(x):
    A = sq(x)
    v = A.T[1:].reshape(-1)[::2]
    w = A[1:].T[0]
    w[0] = x[0] ** 3
    A[2, 1] = x[1] ** 3
    return np.sum(A**2 * W) + np.sum(w**3) + np.sum(v**2)


@case
def reshape_copy(x):
    A = sq(x)
    t = A.T.reshape(-1)
    t[0] = 99 * x[0]
    A[1] = x[0] ** 3
    return np.sum(A**2 * W) + np.sum(t**3)


@case
def setshape(x):
    A = sq(x)
    A.shape = (9,)
    A[1] = x[0] ** 3
    return np.sum(A**2 * W.ravel())


@case
def setshape_view(x):
    A = sq(x)
    v = A.view()
    v.shape = (9,)
    v[1] = x[0] ** 3
    return np.sum(A**2 * W)


@case
def setshape_behind(x):
    A = sq(x)
    v = A[:]
    v.shape = (9,)
    A[0] = x[0] ** 3
    return np.sum(v**2 * W.ravel())


@case
def resize(x):
    A = base(x)
    t = np.resize(A, (2, 2))
    A[0] = x[0] ** 3
    t[1] = x[0]
    return np.sum(A**2 * X5) + np.sum(t**3)


@case
def swap(x):
    A = base(x)
    A[0], A[1] = A[1], A[0]
    return np.sum(A**2 * X5)


@case
def swap_rows(x):
    A = sq(x)
    A[0], A[1] = A[1], A[0]
    return np.sum(A**2 * W)


@case
def swap_fancy(x):
    A = sq(x)
    A[[0, 1]] = A[[1, 0]]
    return np.sum(A**2 * W)


@case
def overlap(x):
    A = base(x)
    A[1:] = A[:-1]
    return np.sum(A**2 * X5)


@case
def overlap_iadd(x):
    A = base(x)
    A[1:] += A[:-1]
    return np.sum(A**2 * X5)


@case
def overlap_rev(x):
    A = base(x)
    A[:] = A[::-1]
    return np.sum(A**2 * X5)


@case
def T_assign(x):
    A = sq(x)
    A[:] = A.T
    return np.sum(A**2 * W)


@case
def iter_rows(x):
    A = sq(x)
    for row in A:
        row[0] = x[0] ** 2
        row *= 2
    return np.sum(A**2 * W)


@case
def iter_rowsT(x):
    A = sq(x)
    for k, row in enumerate(A.T):
        row[:] = row * x[0] + k
    return np.sum(A**2 * W)


@case
def zip_views(x):
    A = sq(x)
    for a, b in zip(A, A[::-1], strict=True):
        a += b
    return np.sum(A**2 * W)


@case
def list_views(x):
    A = sq(x)
    rows = list(A)
    A[1] = x[0] ** 3
    rows[0][2] = x[1] ** 3
    return np.sum(A**2 * W) + np.sum(rows[1] ** 3)


@case
def star_views(x):
    A = sq(x)
    _, *b = A
    A[2] = x[0] ** 3
    b[0][0] = x[1] ** 3
    return np.sum(A**2 * W) + np.sum(b[1] ** 3)


@case
def apply_along(x):
    A = sq(x)
    return np.sum(np.apply_along_axis(lambda r: r[::-1] * r, 1, A) * W)


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


@pytest.mark.filterwarnings("ignore:Setting the shape")
@pytest.mark.parametrize("f", case, ids=lambda f: f.__name__)
@pytest.mark.sampled(5)
def test_views_share_what_is_written(f) -> None:
    check(f, product=f in case[::10])
