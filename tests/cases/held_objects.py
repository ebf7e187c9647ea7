"""Objectives that hold objects which are containers, texts, numbers or arrays too."""

from __future__ import annotations

import array
import datetime
import decimal
import fractions
import threading
import types
from collections import ChainMap, Counter, OrderedDict, UserDict, UserList, defaultdict, deque, namedtuple

import numpy as np
from plainly import Cases

case = Cases()
# subclasses of containers


class Named(OrderedDict):
    def total(self):
        return sum(self.values())


o = Named(a=1.0, b=2.0)


@case
def uses_od(x):
    return x[0] ** 2 * o.total() + x[1]


class Oit(OrderedDict):
    def total(self):
        t = 0.0
        for k in self:
            t = t + self[k]
        return t

    def first(self):
        return next(iter(self.items()))[1]

    def last(self):
        return self[next(reversed(self))]


oi = Oit(a=1.0, b=2.0)


@case
def uses_od_iter(x):
    return x[0] ** 2 * oi.total() + x[1] * oi.first() + x[0] * oi.last() * len(oi)


class DQ(deque):
    def total(self):
        return sum(self)

    def lastq(self):
        return self[-1] ** 2


dq = DQ([1.0, 2.0, 3.0], maxlen=5)


@case
def uses_dq(x):
    return x[0] ** 2 * dq.total() + x[1] * dq.lastq() * dq.maxlen


class DQ2(deque):
    def __init__(self, it, scale):
        super().__init__(it, 7)
        self.scale = scale

    def total(self):
        return self.scale * sum(self)

    def push(self, v):
        self.append(v)
        return self


dq2 = DQ2([1.0, 2.0], 3.0)


@case
def uses_dq_init(x):
    return x[0] ** 2 * dq2.total() + x[1]


@case
def uses_dq_mut(x):
    dq2.append(x[0])
    r = dq2.total()
    dq2.pop()
    return r * x[1]


class D(dict):
    def total(self):
        return sum(self.values())

    def __getitem__(self, k):
        return 2 * super().__getitem__(k)

    def __missing__(self, k):
        return 7.0


dd = D(a=1.0, b=2.0)


@case
def uses_dict(x):
    return x[0] ** 2 * dd.total() + x[1] * dd["a"]


class DM(dict):
    def __missing__(self, k):
        return 7.0 * len(k)


dm = DM(a=1.0)


@case
def uses_missing(x):
    return x[0] ** 2 * dm["a"] + x[1] * dm["zz"] * x[1]


class L(list):
    def total(self):
        return sum(self)

    def __getitem__(self, i):
        return super().__getitem__(i) * 2


ll = L([1.0, 2.0, 3.0])


@case
def uses_list(x):
    return x[0] ** 2 * ll.total() + x[1] ** 2 * ll[1] * len(ll)


class S(set):
    def total(self):
        return sum(self)


ss = S([1.0, 2.0, 3.0])


@case
def uses_set(x):
    return x[0] ** 2 * ss.total() + x[1]


class FS(frozenset):
    def total(self):
        return sum(self)


fs = FS([1.0, 2.0, 3.0])


@case
def uses_fset(x):
    return x[0] ** 2 * fs.total() + x[1]


class DDt(defaultdict):
    def total(self):
        return sum(self.values())


ddt = DDt(lambda: 5.0, a=1.0, b=2.0)


@case
def uses_dd(x):
    return x[0] ** 2 * ddt.total() + x[1] * ddt["a"] ** 2


ddt2 = DDt(lambda: 5.0, a=1.0, b=2.0)


@case
def uses_dd_default(x):
    r = x[0] ** 2 * ddt2["zz"] + x[1] * ddt2.total()
    del ddt2["zz"]
    return r


class C(Counter):
    def total2(self):
        return sum(self.values()) * 1.0


cc = C("hello")


@case
def uses_counter(x):
    return x[0] ** 2 * cc.total2() + x[1] * cc["l"] * cc.most_common(1)[0][1]


class UD(UserDict):
    def total(self):
        return sum(self.data.values())

    def __getitem__(self, k):
        return 3 * super().__getitem__(k)


ud = UD(a=1.0, b=2.0)


@case
def uses_ud(x):
    return x[0] ** 2 * ud.total() + x[1] * ud["b"]


class UL(UserList):
    def total(self):
        return sum(self.data)


ul = UL([1.0, 2.0])


@case
def uses_ul(x):
    return x[0] ** 2 * ul.total() + x[1] * ul[1]


class CM(ChainMap):
    def total(self):
        return sum(self.values())


cm = CM({"a": 1.0}, {"b": 2.0})


@case
def uses_cm(x):
    return x[0] ** 2 * cm.total() + x[1] * cm["b"] ** 2


class NT(namedtuple("NT", "a b")):
    def total(self):
        return self.a + self.b

    @property
    def prod(self):
        return self.a * self.b


nt = NT(1.0, 2.0)


@case
def uses_nt(x):
    return x[0] ** 2 * nt.total() + x[1] * nt.prod


@case
def uses_nt_in(x):
    return NT(x[0], x[1]).prod ** 2 + NT(x[0], 2.0).total() * x[1]


@case
def uses_nt_replace(x):
    return nt._replace(a=x[0]).prod ** 2 + x[1]


class T(tuple):
    def total(self):
        return sum(self)

    def __new__(cls, *a):
        s = super().__new__(cls, a)
        s.k = 3.0
        return s


tt = T(1.0, 2.0)


@case
def uses_tuple(x):
    return x[0] ** 2 * tt.total() * tt.k + x[1] * tt[1]


class F(float):
    def twice(self):
        return 2 * self


ff = F(1.5)


@case
def uses_float(x):
    return x[0] ** 2 * ff.twice() + x[1] * ff


class Whole(int):
    def twice(self):
        return 2 * self


ii = Whole(3)


@case
def uses_int(x):
    return x[0] ** ii * ii.twice() + x[1]


class St(str):
    def size(self):
        return len(self) * 1.0


st = St("abc")


@case
def uses_str(x):
    return x[0] ** 2 * st.size() + x[1]


class Cx(complex):
    def mag(self):
        return abs(self)


cx = Cx(3 + 4j)


@case
def uses_complex(x):
    return x[0] ** 2 * cx.mag() + x[1] * cx.imag


class By(bytes):
    def size(self):
        return float(sum(self))


by = By(b"ab")


@case
def uses_bytes(x):
    return x[0] ** 2 * by.size() + x[1]


class BA(bytearray):
    def size(self):
        return float(sum(self))


ba = BA(b"ab")


@case
def uses_bytearray(x):
    return x[0] ** 2 * ba.size() + x[1]


class AR(array.array):
    def size(self):
        return float(sum(self))


ar = AR("d", [1.0, 2.0])


@case
def uses_array(x):
    return x[0] ** 2 * ar.size() + x[1]


class Fr(fractions.Fraction):
    def dbl(self):
        return float(2 * self)


fr = Fr(1, 3)


class Dc(decimal.Decimal):
    def dbl(self):
        return float(2 * self)


dc = Dc("1.5")


@case
def uses_decimal(x):
    return x[0] ** 2 * dc.dbl() + x[1]


class Dt(datetime.date):
    def frac(self):
        return self.year / 2000


dt = Dt(2001, 1, 1)


@case
def uses_date(x):
    return x[0] ** 2 * dt.frac() + x[1]


class Td(datetime.timedelta):
    def hours(self):
        return self.total_seconds() / 3600


td = Td(hours=3)


@case
def uses_timedelta(x):
    return x[0] ** 2 * td.hours() + x[1]


class SN(types.SimpleNamespace):
    def total(self):
        return self.a + self.b


sn = SN(a=1.0, b=2.0)


class ND(np.ndarray):
    def total(self):
        return self.sum()


nd = np.array([1.0, 2.0, 3.0]).view(ND)


@case
def uses_ndarray(x):
    return x[0] ** 2 * nd.total() + x[1] * nd[1]


@case
def uses_ndarray_mul(x):
    return np.sum((x[0] * nd) ** 2) + x[1]


class Info(np.ndarray):
    def __new__(cls, a, k):
        o = np.asarray(a).view(cls)
        o.k = k
        return o

    def __array_finalize__(self, o):
        self.k = getattr(o, "k", None)

    def scaled(self):
        return np.asarray(self) * self.k


inf_ = Info([1.0, 2.0], 4.0)


@case
def uses_info(x):
    return np.sum(x * inf_.scaled()) ** 2


class Unit(np.ndarray):
    def __mul__(self, o):
        return np.asarray(self) * o * 2


un = np.array([1.0, 2.0]).view(Unit)


@case
def uses_unit(x):
    return np.sum(un * x) ** 2


class Loc(threading.local):
    def tot(self):
        return self.a * 2


lo = Loc()
lo.a = 2.0


class Hold:
    def __init__(self):
        self.o = Named(a=1.0, b=2.0)
        self.d = DQ([1.0, 2.0])
        self.c = C("hello")
        self.l = L([1.0, 2.0])
        self.ud = ud

    def val(self, x):
        return (
            x[0] ** 2 * self.o.total() * self.d.total()
            + x[1] * self.c.total2()
            + self.l.total() * x[0]
            + self.ud.total() * x[1] ** 2
        )


h = Hold()


@case
def uses_attr(x):
    return h.val(x)
