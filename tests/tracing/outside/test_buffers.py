"""Arrays made outside of the objective that each call fills anew, and such as carry over what an earlier call left."""

from __future__ import annotations

import dataclasses
import types

import numpy as np
import pytest
from plainly import Cases, check

import autoopt
from autoopt.errors import TracingError

case = Cases()


class R:
    def __init__(self, n=4):
        self.y = np.arange(1.0, n + 1)
        self.r = np.zeros(n)
        self.J = np.zeros((n, 2))
        self.buf = np.empty(n)
        self.s = np.zeros(())
        self.hist = [np.zeros(2), np.zeros(2)]
        self.d = {"a": np.zeros(n)}
        self.n = n
        self.state = np.ones(2)
        self.acc = np.zeros(2)

    def loop(self, x):
        for i in range(self.n):
            self.r[i] = self.y[i] * x[0] - x[1] ** 2
        return np.sum(self.r**2)

    def slice(self, x):
        self.r[:] = self.y * x[0] - x[1] ** 2
        return np.sum(self.r**2)

    def ellipsis(self, x):
        self.r[...] = self.y * x[0] - x[1] ** 2
        return self.r @ self.r

    def out(self, x):
        np.multiply(self.y, x[0], out=self.r)
        self.r -= x[1] ** 2
        return np.sum(self.r**2)

    def fill(self, x):
        self.r.fill(0.0)
        self.r += x[0]
        self.r[1:] *= x[1]
        return np.sum(self.r**2)

    def zero_slice(self, x):
        self.r[:] = 0
        for i in range(self.n):
            self.r[i] += self.y[i] * x[0] - x[1] ** 2
        return np.sum(self.r**2)

    def parts(self, x):
        self.r[0] = x[0]
        self.r[1:] = x[1] * self.y[1:]
        return np.sum(self.r**2)

    def cols(self, x):
        self.J[:, 0] = self.y * x[0]
        self.J[:, 1] = self.y**2 * x[1]
        return np.sum(self.J.sum(axis=1) ** 2)

    def rows(self, x):
        for i in range(self.n):
            self.J[i] = x * self.y[i]
        return np.sum(self.J**3)

    def rows2(self, x):
        for i in range(self.n):
            self.J[i, :] = x * self.y[i]
        return np.sum(self.J**3)

    def entries(self, x):
        for i in range(self.n):
            for j in range(2):
                self.J[i, j] = x[j] * self.y[i]
        return np.sum(self.J**3)

    def recursion(self, x):
        self.r[0] = x[1]
        for t in range(1, self.n):
            self.r[t] = x[0] * self.r[t - 1] + self.y[t]
        return np.sum(self.r**2)

    def prefix(self, x):
        self.r[:2] = x
        return np.sum(self.r[:2] ** 2)

    def view(self, x):
        v = self.r[:2]
        v[:] = x
        w = self.r[2:]
        w[:] = x**2
        return np.sum(self.r**2)

    def lst(self, x):
        self.hist[0][:] = x
        self.hist[1][:] = x**2
        return np.sum(self.hist[0] * self.hist[1])

    def dct(self, x):
        self.d["a"][:] = self.y * x[0]
        return np.sum(self.d["a"] ** 2) + x[1]

    def alias(self, x):
        r = self.r
        r[:] = x[0] * self.y
        r *= x[1]
        return np.sum(self.r**2)

    def returned(self, x):
        return np.sum(self.fillr(x) ** 2)

    def fillr(self, x):
        self.r[:] = x[0] * self.y + x[1]
        return self.r

    def twice(self, x):
        a = np.sum(self.fillr(x) ** 2)
        b = np.sum(self.fillr(x * 2) ** 3)
        return a * b

    def copyto(self, x):
        np.copyto(self.r, self.y * x[0])
        return np.sum(self.r**2) + x[1]

    def matmul(self, x):
        np.dot(self.J0, x, out=self.r)
        return np.sum(self.r**2)

    J0 = np.arange(8.0).reshape(4, 2)

    def diag(self, x):
        self.M[...] = 0.0
        np.fill_diagonal(self.M, x**2)
        return np.sum(np.linalg.inv(self.M + np.ones((2, 2))) ** 2)

    M = np.zeros((2, 2))

    def T(self, x):
        self.M.T[:] = np.outer(x, x**2)
        return np.sum(self.M**2 * np.arange(4.0).reshape(2, 2))

    def mask(self, x):
        self.r[:] = self.y * x[0]
        self.r[self.y > 2] = x[1]
        return np.sum(self.r**2)

    def iadd_bad(self, x):
        self.acc += x
        r = np.sum(self.acc**2)
        self.acc -= x
        return r

    def state_bad(self, x):
        r = np.sum(self.state * x)
        self.state[:] = x
        r2 = r * 2
        self.state[:] = 1.0
        return r2

    def readfirst_ok(self, x):
        n = len(self.r)
        s = self.r.shape[0] * self.r.size * self.r.ndim
        self.r[:] = x[0] * self.y
        return np.sum(self.r**2) * s * n + x[1]

    def partial_bad(self, x):
        self.r[0] = x[0]
        return np.sum(self.r**2)

    def swap(self, x):
        self.hist[0][:] = x
        self.hist[1][:] = self.hist[0] ** 2
        self.hist[0], self.hist[1] = self.hist[1], self.hist[0]
        return np.sum(self.hist[0] * x)

    def zerosd(self, x):
        self.s[()] = x[0] ** 2
        return self.s * x[1]


BAD = ("iadd_bad", "state_bad", "partial_bad")
for name, method in list(vars(R).items()):
    if callable(method) and not name.startswith("_") and name not in (*BAD, "fillr"):
        case(getattr(R(), name))
OUT = np.zeros(2)
GG = np.zeros((2, 3))
DD = np.arange(3.0)


@case
def whole_global(x):
    OUT[:] = x**2
    return np.sum(OUT**3)


@case
def global_out(x):
    np.exp(x, out=OUT)
    return np.sum(OUT**2)


@case
def global_loop(x):
    for i in range(2):
        OUT[i] = x[i] ** 2
    return np.sum(OUT**3)


@case
def global_outer(x):
    np.multiply.outer(x, DD, out=GG)
    return np.sum(GG**2)


def mk():
    b = np.zeros(2)

    def f(x):
        b[:] = x**2
        return np.sum(b**3)

    return f


case(mk())


class St:
    B = np.zeros(2)


ns = types.SimpleNamespace(b=np.zeros(2))


@case
def of_namespace(x):
    ns.b[:] = x**2
    return np.sum(ns.b**3)


@dataclasses.dataclass
class DC:
    b: np.ndarray
    n: int = 2

    def run(self, x):
        for i in range(self.n):
            self.b[i] = x[i] ** 2
        return self.b.sum() ** 2


dcc = DC(np.zeros(2))
case(dcc.run)


@pytest.mark.parametrize("f", case, ids=lambda f: getattr(f, "__name__", ""))
def test_buffers_are_as_if_made_in_the_call(f) -> None:
    check(f, product=f in case[::5])


def test_what_an_earlier_call_left_is_not_read() -> None:
    for name, said in zip(BAD, ("after it has read", "after it has read", "reads entries"), strict=True):
        with pytest.raises(TracingError, match=said) as caught:
            autoopt.grad(getattr(R(), name))(np.array([1.1, 0.55]))
        assert caught.value.where[0].file == __file__ and "inside the objective" in caught.value.remedy


def test_arrays_that_share_memory_are_no_buffers() -> None:
    class Shared:
        def __init__(self):
            self.whole = np.zeros(3)
            self.part = self.whole[1:]

        def loss(self, x):
            self.part[:] = x
            self.whole[0] = x[0]
            return np.sum(self.whole**2)

    with pytest.raises(TracingError, match="whose memory another array shares"):
        autoopt.grad(Shared().loss)(np.array([1.1, 0.55]))


def test_the_users_own_call_sees_its_buffer() -> None:
    model = R()
    autoopt.grad(model.slice)(np.array([1.1, 0.55]))
    assert not model.r.any()
    model.slice(np.array([1.1, 0.55]))
    np.testing.assert_allclose(model.r, model.y * 1.1 - 0.55**2)
