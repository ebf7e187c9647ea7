"""Views by einsum, windows, strides, diagonals, transposes, flat iterators and real parts, and writes there."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.lib.stride_tricks import sliding_window_view as swv
from plainly import Cases

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
def reshape_F2(x):
    A = np.asfortranarray(sq(x))
    t = A.reshape(9, order="F")
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
