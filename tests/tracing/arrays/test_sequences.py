"""Arrays where a sequence of arrays is taken, parts of real numbers, arrays made of arrays from outside."""

from __future__ import annotations

import numpy as np
import pytest
from plainly import Cases, check

case = Cases()

W = np.arange(1.0, 10.0).reshape(3, 3)


def A3(x):
    return np.outer(np.array([1.0, 2.0, 3.0]), x) ** 2


@case
def concat(x):
    return np.sum(np.concatenate(A3(x)) ** 2 * np.arange(6.0))


@case
def concat_3d(x):
    return np.sum(np.concatenate(np.outer(x, W).reshape(2, 3, 3), axis=1) ** 2 * np.arange(18.0).reshape(3, 6))


@case
def concat_axisNone(x):
    return np.sum(np.concatenate(A3(x), axis=None) ** 2 * np.arange(6.0))


@case
def stack(x):
    return np.sum(np.stack(A3(x)) ** 2 * np.arange(6.0).reshape(3, 2))


@case
def stack1(x):
    return np.sum(np.stack(A3(x), axis=1) ** 2 * np.arange(6.0).reshape(2, 3))


@case
def vstack(x):
    return np.sum(np.vstack(A3(x)) ** 2 * np.arange(6.0).reshape(3, 2))


@case
def vstack1(x):
    return np.sum(np.vstack(x) ** 2 * np.arange(2.0).reshape(2, 1))


@case
def hstack(x):
    return np.sum(np.hstack(A3(x)) ** 2 * np.arange(6.0))


@case
def hstack_1d(x):
    return np.sum(np.hstack(x) ** 2 * np.arange(2.0))


@case
def colstack(x):
    return np.sum(np.column_stack(A3(x)) ** 2 * np.arange(6.0).reshape(2, 3))


@case
def colstack1(x):
    return np.sum(np.column_stack(x) ** 2)


@case
def dstack(x):
    return np.sum(np.dstack(A3(x)) ** 2 * np.arange(6.0).reshape(1, 2, 3))


@case
def block(x):
    return np.sum(np.block(A3(x)) ** 2)


@case
def block_list(x):
    return np.sum(np.block([[A3(x), A3(x)], [x, x]]) ** 2)


@case
def select(x):
    return np.sum(np.select(np.array([[True, False], [False, True]]), np.stack([x, x**2])) ** 3)


@case
def select_traced(x):
    return np.sum(np.select([x > 0.6, x > 0.2], np.stack([x, x**2]), 0.0) ** 3)


@case
def select_cond(x):
    return np.sum(np.select(np.stack([x > 0.6, x > 0.2]), [x, x**2], 1.0) ** 3)


@case
def choose(x):
    return np.sum(np.choose([0, 1], np.stack([x, x**2])) ** 3)


@case
def multidot(x):
    return np.sum(np.linalg.multi_dot(np.stack([np.outer(x, x), np.eye(2) * x[0]])))


@case
def meshgrid_star(x):
    g, h = np.meshgrid(*np.stack([x, x**2]))
    return np.sum(g * h**2)


@case
def broadcast_star(x):
    g, h = np.broadcast_arrays(*np.stack([x, x**2]))
    return np.sum(g * h**2)


@case
def concat_gen(x):
    return np.sum(np.concatenate(tuple(r for r in A3(x))) ** 2)


@case
def stack_data(x):
    return np.sum(np.stack(W) @ np.array([x[0], x[1], 1.0])) ** 2


@case
def vstack_data(x):
    return np.sum(np.vstack(W) * x[0] ** 2)


@case
def imag(x):
    return np.sum(np.imag(x)) + x[0] ** 2


@case
def imag_scalar(x):
    return np.imag(x[0]) + x[0] ** 2 * x.imag.sum() + x[0]


@case
def imag_attr(x):
    return np.sum(x.imag) + x[0].imag + x[0] ** 2


@case
def real(x):
    return np.sum(np.real(x) ** 2) + np.real(x[0])


@case
def angle(x):
    return np.sum(np.angle(x)) + x[0] ** 2


@case
def angle_deg(x):
    return np.sum(np.angle(x, deg=True)) * x[0] + x[0] ** 2


@case
def angle_scalar(x):
    return np.angle(x[0] * x[1]) * x[0]


@case
def ric(x):
    return np.sum(np.real_if_close(x) ** 2)


@case
def ric_scalar(x):
    return np.real_if_close(x[0]) ** 2


@case
def ric_complex(x):
    return np.sum(np.real_if_close(np.fft.ifft(np.fft.fft(x))) ** 2)


@case
def ric_complex2(x):
    return np.sum(np.abs(np.real_if_close(x * 1j)) ** 2)


@case
def isreal(x):
    return np.sum(np.where(np.isreal(x), x**2, x))


@case
def iscomplex(x):
    return np.sum(np.where(np.iscomplex(x), x**2, x**3))


@case
def iscomplexobj(x):
    return x[0] ** 2 if np.iscomplexobj(x) else x[0] ** 3


@case
def conj(x):
    return np.sum(np.conj(x) * x) + np.vdot(x, x)


@case
def append(x):
    return np.sum(np.append(x, A3(x)) ** 2)


@case
def appendrow(x):
    return np.sum(np.append(A3(x), x[None], axis=0) ** 2)


@case
def r_(x):
    return np.sum(np.r_[x, A3(x)[0]] ** 2) + np.sum(np.c_[x, x**2] ** 2)


@case
def array_of_rows(x):
    return np.sum(np.array(list(A3(x))) ** 2)


@case
def cov(x):
    return np.sum(np.cov(A3(x)))


@case
def hstack_list_of_scalars(x):
    return np.sum(np.hstack([x[0], x, x[1]]) ** 2)


@case
def vstack_lists(x):
    return np.sum(np.vstack([[x[0], x[1]], [1.0, 2.0]]) ** 2)


@case
def ndarray(x):
    B = np.ndarray(2)
    B[:] = x**2
    return np.sum(B**2)


@case
def ndarray_kw(x):
    B = np.ndarray(shape=(2, 2), dtype=float)
    B[0] = x
    B[1] = x**2
    return np.sum(B**2)


@case
def ndarray_fill(x):
    B = np.ndarray((2,))
    B.fill(0.0)
    B[0] = x[0] * x[1]
    return np.sum(B**2)


@case
def ndarray_isinstance(x):
    return x[0] ** 2 if isinstance(x, np.ndarray) else x[1]


lst = [np.zeros(2), np.ones(2)]
dct = {"a": np.ones(2), "n": {"b": np.zeros((2, 2))}}


class M:
    def __init__(self):
        self.template = np.zeros(2)
        self.t2 = np.ones((2, 2))
        self.lst = [np.zeros(2)]
        self.d = {"k": np.zeros(2)}

    def copy_(self, x):
        t = self.template.copy()
        t[0] = x[0] ** 2
        t[1] = x[1]
        return np.sum(t**2)

    def zl(self, x):
        t = np.zeros_like(self.template)
        t[:] = x
        return np.sum(t**2)

    def mul(self, x):
        t = self.t2 * 0
        t[0] = x
        return np.sum(t**2)

    def deep(self, x):
        import copy

        t = copy.deepcopy(self.template)
        t[:] = x
        return np.sum(t**2)

    def cop(self, x):
        import copy

        t = copy.copy(self.template)
        t[:] = x
        return np.sum(t**2)

    def arr(self, x):
        t = np.array(self.template)
        t[:] = x
        u = self.lst[0].copy()
        u[0] = x[1]
        v = self.d["k"].copy()
        v[1] = x[0]
        return np.sum(t**2) + np.sum(u**2) + np.sum(v**3)

    def meth(self, x):
        t = self.t2.T.astype(float)
        t[0] = x
        u = self.t2.reshape(-1).copy()
        u[:2] = x
        w = self.t2.flatten()
        w[0] = x[0]
        return np.sum(t**2) + np.sum(u**3) + np.sum(w**2)

    def slc(self, x):
        t = self.t2[0].copy()
        t[1] = x[0]
        u = -self.t2
        u[0] = x
        v = self.t2[[0, 1]]
        v[0] = x
        w = self.t2 + 1
        w += x
        z = self.t2 @ self.t2
        z[0] = x
        q = self.t2.sum(axis=0)
        q[0] = x[0]
        return np.sum(t**2) + np.sum(u**3) + np.sum(v**2) + np.sum(w**2) + np.sum(z**2) + np.sum(q**2)


m = M()


@case
def of_list(x):
    t = lst[0].copy()
    t[0] = x[0] ** 2
    return np.sum(t**2) + x[1]


@case
def of_dict(x):
    t = dct["a"] * 0
    t[:] = x**2
    u = dct["n"]["b"].copy()
    u[0] = x
    return np.sum(t**2) + np.sum(u**3)


case(m.copy_)
case(m.zl)
case(m.mul)
case(m.deep)
case(m.cop)
case(m.arr)
case(m.meth)
case(m.slc)
G = np.zeros(3)


@case
def global_copy(x):
    t = G.copy()
    t[:2] = x**2
    u = G * 0
    u[0] = x[0]
    return np.sum(t**2) + np.sum(u**3)


@pytest.mark.slow_for("r_")
@pytest.mark.parametrize("f", case, ids=lambda f: getattr(f, "__name__", ""))
@pytest.mark.sampled(3)
def test_what_is_made_of_arrays(f) -> None:
    check(f, product=f in case[::5])
