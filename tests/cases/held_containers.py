"""Objectives that hold such containers, write into them, copy them or make them inside."""

from __future__ import annotations

import collections
import datetime
import enum
import heapq
import queue
import random
import weakref
from collections import OrderedDict, UserList, deque

import numpy as np
from held_objects import DM, DQ, Named, case, dq, o


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
