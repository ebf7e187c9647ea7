"""Parts of arrays that are split, stacked, cast, iterated over, turned round or resized, and overlapping writes."""

from __future__ import annotations

import numpy as np
from views import X5, W, base, case, sq


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
def ndenumerate(x):
    A = sq(x)
    s = 0.0
    for (i, j), v in np.ndenumerate(A):
        s = s + v**2 * W[i, j]
        A[2, 2] = x[0]
    return s + np.sum(A)


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
