"""Objects of the users own kinds of container and number, with methods: against the plain function."""

from __future__ import annotations

import array
import collections
import datetime
import decimal
import enum
import fractions
import heapq
import queue
import random
import threading
import types
import weakref
from collections import ChainMap, Counter, OrderedDict, UserDict, UserList, defaultdict, deque, namedtuple

import numpy as np
import pytest
from plainly import Cases, check

import autoopt
from autoopt.errors import TracingError

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


class OM(OrderedDict):
    def put(self, k, v):
        self[k] = v
        self.move_to_end(k, last=False)
        return self

    def total(self):
        t = 0.0
        for i, (_, v) in enumerate(self.items()):
            t = t + (i + 1) * v
        return t


om = OM(a=1.0, b=2.0)


@case
def uses_od_mutate(x):
    om.put("p", x[0])
    r = om.total()
    om.popitem(last=False)
    return r * x[1]


def mk():
    o = Named(a=1.0, b=3.0)
    d = DQ([1.0, 2.0])
    m = DM(a=2.0)

    def f(x):
        return x[0] ** 2 * o.total() * d.total() + x[1] * m["abc"]

    return f


f_closure = mk()


class OS(OrderedDict):
    def __setitem__(self, k, v):
        super().__setitem__(k, v * 2)

    def __iter__(self):
        return iter(sorted(super().__iter__(), reverse=True))

    def total(self):
        return sum((i + 1) * self[k] for i, k in enumerate(self))


os_ = OS()
os_["a"] = 1.0
os_["b"] = 2.0


@case
def uses_od_setitem(x):
    return x[0] ** 2 * os_.total() + x[1]


class OA(OrderedDict):
    def __init__(self, *a, **k):
        super().__init__(*a, **k)
        self.scale = 4.0

    def total(self):
        return self.scale * sum(self.values())


oa = OA(a=1.0, b=2.0)


@case
def uses_od_attr(x):
    return x[0] ** 2 * oa.total() + x[1]


@case
def uses_od_inside(x):
    o = Named()
    o["a"] = x[0]
    o["b"] = x[1]
    return o.total() ** 2


@case
def uses_dq_inside(x):
    o = DQ([x[0]])
    o.append(x[1])
    return o.total() ** 2 + o.lastq()


class Nested(OrderedDict):
    def total(self):
        return sum(v.total() if hasattr(v, "total") else v for v in self.values())


ne = Nested(a=1.0, b=Named(u=2.0, v=3.0), c=DQ([1.0, 1.0]))


@case
def uses_nested(x):
    return x[0] ** 2 * ne.total() + x[1]


@case
def uses_od_len(x):
    return x[0] ** 2 * len(o) + x[1] * bool(o) * ("a" in o) * list(o.values())[1]


@case
def uses_od_star(x):
    def g(a, b):
        return a * b

    return x[0] ** 2 * g(**o) + x[1] * max(*dq)


@case
def uses_od_sorted(x):
    return x[0] ** 2 * sorted(o.items())[1][1] + sum(dict(o).values()) * x[1] + sum({**o}.values()) * x[1] ** 2


class PQ(list):
    def push(self, v):
        heapq.heappush(self, v)

    def pop_(self):
        return heapq.heappop(self)


pq = PQ([1.0, 3.0, 2.0])


@case
def uses_heap(x):
    pq.push(0.5)
    v = pq.pop_()
    return x[0] ** 2 * v + x[1]


class Mix(Named):
    def total(self):
        return super().total() + 1


mi = Mix(a=1.0, b=2.0)


@case
def uses_od_sub2(x):
    return x[0] ** 2 * mi.total() + x[1]


class Mat(UserList):
    def __add__(self, o):
        return Mat([a + b for a, b in zip(self.data, o.data, strict=True)])


mm = Mat([1.0, 2.0])


@case
def uses_ul_add(x):
    return sum((mm + Mat([x[0], x[1]])).data) ** 2


class IE(enum.IntEnum):
    A = 1
    B = 2

    def dbl(self):
        return self.value * 2.0


class QQ(queue.Queue):
    def tot(self):
        return sum(self.queue)


qq = QQ()
qq.put(1.0)
qq.put(2.0)


class Rg(random.Random):
    def k(self):
        return 3.0


class A1:
    pass


a1 = A1()


class WD(weakref.WeakKeyDictionary):
    def tot(self):
        return sum(self.values())


wd = WD()
wd[a1] = 2.0


class Th(collections.abc.Mapping):
    def __init__(s, d):
        s._d = d

    def __getitem__(s, k):
        return s._d[k]

    def __iter__(s):
        return iter(s._d)

    def __len__(s):
        return len(s._d)

    def tot(s):
        return sum(s.values())


th = Th({"a": 1.0, "b": 2.0})


@case
def uses_mapping(x):
    return x[0] ** 2 * th.tot() + x[1]


class Dt2(datetime.datetime):
    def frac(self):
        return self.hour / 10 + self.minute


dt2 = Dt2(2001, 1, 1, 5, 6)


@case
def uses_datetime(x):
    return x[0] ** 2 * dt2.frac() + x[1]


class Rn:
    pass


class MV(dict):
    __slots__ = ("scale",)

    def total(self):
        return self.scale * sum(self.values())


mv = MV(a=1.0, b=2.0)
mv.scale = 3.0


@case
def uses_slots_dict(x):
    return x[0] ** 2 * mv.total() + x[1]


class DQS(deque):
    __slots__ = ("scale",)

    def total(self):
        return self.scale * sum(self)


dqs = DQS([1.0, 2.0])
dqs.scale = 3.0


@case
def uses_slots_deque(x):
    return x[0] ** 2 * dqs.total() + x[1]


class NPF(np.float64):
    def twice(self):
        return 2 * self


npf = NPF(1.5)


@pytest.mark.parametrize("f", case, ids=lambda f: f.__name__)
def test_objects_that_are_containers_or_numbers_too(f) -> None:
    check(f)


class Log(deque):
    def keep(self, value):
        self.append(value)
        return self


def test_what_changes_in_such_an_object_is_seen_and_what_a_run_leaves_is_handed_back() -> None:
    named, queue = Named(a=1.0, b=2.0), DQ([1.0, 2.0], maxlen=2)

    def f(x):
        return x[0] * named.total() + x[1] * queue.total()

    objective = autoopt.objective(f, [1.0, 0.5])
    assert objective.value([1.0, 0.5]) == 4.5
    named["a"] = 5.0
    queue.append(9.0)
    assert objective.value([1.0, 0.5]) == 12.5
    np.testing.assert_array_equal(objective.grad([1.0, 0.5]), [7.0, 11.0])


def test_such_an_object_keeps_its_order_and_what_was_put_into_it() -> None:
    named = Named(a=1.0, b=2.0)

    def f(x):
        named.pop("a")
        named["a"] = 3.0
        return x[0] * named.total()

    autoopt.grad(f)(np.array([1.0]))
    assert list(named.items()) == [("b", 2.0), ("a", 3.0)] and list(reversed(named)) == ["a", "b"]


def test_a_value_of_the_parameters_that_it_keeps_says_so() -> None:
    log = Log()

    def f(x):
        return log.keep(x[0] ** 2)[-1] + x[1]

    objective = autoopt.objective(f, [1.0, 0.5])
    np.testing.assert_array_equal(objective.grad([1.0, 0.5]), [2.0, 1.0])
    np.testing.assert_array_equal(objective.grad([2.0, 0.5]), [4.0, 1.0])
    assert len(log) == 1
    with pytest.raises(TracingError, match="kept while autoopt traced it"):
        float(log[0])


class Notes(types.SimpleNamespace):
    def total(self):
        return self.a + 1.0


def test_an_object_that_cannot_be_made_anew_is_refused() -> None:
    notes = Notes(a=1.0)
    with pytest.raises(TracingError, match="the class Notes, whose methods are not followed") as caught:
        autoopt.grad(lambda x: x[0] * notes.total())(np.array([1.0]))
    assert caught.value.where and "attribute of a plain class" in caught.value.remedy
