"""Objectives in plain NumPy, one idiom each, for `test_tracing.py`: what is recorded must be what NumPy does.

They are written as people write them, so the linter's taste does not apply.
"""

# ruff: noqa: B007, B009, B021, B905, E401, E731, I001, RET, RUF015, SIM, UP034

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from math import exp as exponential
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Program:
    """An objective, where to run it, and at how many of ten points nearby it takes the same way at least."""

    f: Callable
    x0: Any
    same: int


PROGRAMS: list[Program] = []
VECTOR = np.array([0.5, 1.5, 2.5])
MATRIX = np.arange(1.0, 7).reshape(2, 3)


def program(x0: Any = VECTOR, same: int = 3) -> Callable[[Callable], Callable]:
    """Enter the objective below into the table."""

    def enter(f: Callable) -> Callable:
        PROGRAMS.append(Program(f, x0, same))
        return f

    return enter


WEIGHTS = np.array([1.0, 2.0, 3.0])
LIST = [1.0, 2.0]
DICTIONARY = {"a": np.array([1.0, 2.0, 3.0])}


def helper(z, k=2.0):
    o = np.zeros(3)
    for i in range(3):
        o[i] = math.exp(-z[i] / k)
    return o


class Model:
    c = 2.0

    def __init__(self):
        self.k = 3.0
        self.A = np.eye(3)

    def f(self, x):
        return self.k * np.array([x[0], x[1]]).sum() * self.c + (self.A @ x).sum()


MODEL = Model()


# math, builtins, Python ----------------------------------------------------------------------------------------------


@program()
def math_functions(x):
    return (
        math.exp(x[0]) * math.sin(x[1])
        + math.log(x[2])
        + math.sqrt(x[0])
        + math.pow(x[1], 2)
        + math.hypot(x[0], x[1])
        + math.lgamma(x[2])
        + math.log(x[2], 3)
        + math.atan2(x[0], x[1])
        + exponential(x[1])
    )


@program()
def float_of_elements(x):
    return float(x[0]) ** 2 * float(np.sum(x)) + abs(float(x[1]))


@program()
def builtin_functions(x):
    return (
        sum(x)
        + max(x) * 2
        + min(x)
        + abs(x[0])
        + pow(x[1], 2)
        + round(x[0], 1) * 0
        + sum(v * v for v in x)
        + max(x[0], x[1], key=lambda t: -t)
        + divmod(x[2], 1.0)[1]
    )


@program()
def builtin_max_and_min(x):
    return max(x[0], 1.0) + min(2.0, x[1]) + max([x[0], x[2]]) + max(0, x[0]) + np.maximum(x, 1).sum()


@program()
def isinstance_and_type(x):
    s = 0
    for v in x:
        if isinstance(v, (float, np.floating)):
            s = s + v**2
    if isinstance(x, np.ndarray):
        s = s * 2
    if type(x) is np.ndarray:
        s = s * 3
    return s


@program()
def numpy_scalar_types(x):
    return np.float64(x[0]) * 2 + np.int64(3) * x[1]


@program()
def imports_inside(x):
    import numpy as n2
    from numpy import array as arr
    import math as m2
    import scipy.special as sc
    from scipy.special import gammaln

    return arr([x[0], x[1]]).sum() + m2.exp(x[2]) + sc.gammaln(x[1]) + gammaln(x[0]) + n2.linalg.norm(x)


@program()
def helpers_with_keywords(x):
    return helper(x).sum() + helper(x, k=x[0]).sum()


@program()
def nonlocal_of_a_closure(x):
    tot = 0.0

    def add(v):
        nonlocal tot
        tot = tot + np.array([v, v**2]).sum()

    for v in x:
        add(v)
    return tot


@program()
def captured_arrays_lists_and_dicts(x):
    return (WEIGHTS * x).sum() + LIST[0] * x[1] + (DICTIONARY["a"] * x).sum()


@program()
def lambdas_and_map(x):
    f = lambda v: math.sin(v)
    return sum(map(f, x)) + sum(f(v) for v in x)


@program()
def generators(x):

    def g():
        for v in x:
            yield (v * v)

    return sum(g()) + np.fromiter((1.0 for _ in range(3)), float).sum() * x[0]


@program()
def partial_of_a_helper(x):
    from functools import partial

    return partial(helper, k=3.0)(x).sum()


@program()
def decorator(x):
    import functools

    def deco(g):

        @functools.wraps(g)
        def w(*a):
            return g(*a) * 2

        return w

    @deco
    def h(v):
        return math.exp(v[0])

    return h(x)


@program()
def functools_reduce(x):
    import functools, operator

    return functools.reduce(operator.mul, x) + functools.reduce(lambda a, b: a + b * b, x, 0.0)


@program()
def lru_cache_of_integers(x):
    import functools

    @functools.lru_cache
    def fib(n):
        return n if n < 2 else fib(n - 1) + fib(n - 2)

    return fib(10) * x[0]


@program()
def unpacking(x):
    a, b, c = x
    d, *e = x
    return a * b - c + d + e[1]


@program()
def enumerate_zip_reversed(x):
    return sum((i * v for i, v in enumerate(x))) + sum((a * b for a, b in zip(x, WEIGHTS))) + sum(reversed(x)) + len(x)


@program()
def star_arguments(x):
    return max(*x) + np.array([*x, *x]).sum() + (lambda *a, **k: a[0] * k["b"])(x[0], b=x[1])


@program()
def walrus(x):
    return (y := (x[0] * 2)) + y


@program()
def match_on_shape(x):
    match x.shape:
        case [n]:
            return x.sum() * n


@program()
def errstate(x):
    with np.errstate(divide="ignore"):
        return np.log(x).sum()


@program()
def assertions(x):
    assert x[0] > 0
    assert np.all(np.isfinite(x))
    assert x.shape == (3,)
    return x.sum()


@program()
def formatting(x):
    f"{x[0]:.2f}"
    repr(x)
    str(x)
    return x.sum()


@program()
def dictionaries(x):
    d = {}
    d["a"] = x[0]
    d.setdefault("b", x[1])
    return sum(d.values())


@program()
def list_filled(x):
    L = [0] * 3
    for i in range(3):
        L[i] = x[i] ** 2
    return sum(L)


@program()
def dataclass_made_inside(x):
    from dataclasses import dataclass

    @dataclass
    class P:
        a: float
        b: float

        def v(self):
            return math.exp(self.a) + self.b**2

    return P(x[0], x[1]).v()


@program()
def getattr_of_modules(x):
    return getattr(np, "array")([x[0]]).sum() + getattr(math, "exp")(x[1])


@program()
def exec_with_its_own_names(x):
    ns = {"x": x, "np": np, "math": math}
    exec("y=math.exp(x[0])+np.array([x[1]]).sum()", ns)
    return ns["y"]


@program()
def eval_of_a_string(x):
    return eval("np.array([x[0],x[1]]).sum()+math.exp(x[2])")


@program()
def method_of_an_object_made_inside(x):
    return Model().f(x)


@program()
def method_of_an_outside_object(x):
    return MODEL.f(x)


@program()
def ndindex(x):
    s = 0
    for i in np.ndindex(3):
        s = s + x[i] ** 2
    for i, v in np.ndenumerate(x):
        s = s + v
    return s


@program()
def namedtuple_made_inside(x):
    from collections import namedtuple

    P = namedtuple("P", "a b")
    p = P(x[0], x[1])
    return np.array([p.a, p.b]).sum() + np.sum(p)
