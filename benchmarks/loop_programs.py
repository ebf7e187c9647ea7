"""Small objectives written as loops: `tests/tape/test_batching.py` runs them all, `loops.py` measures some at size."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np


class Program(NamedTuple):
    """One objective; `most` bounds the number of steps that its vectorised tape has."""

    function: Callable
    x: Any
    args: tuple
    most: int


PROGRAMS: dict[str, Program] = {}
_RNG = np.random.default_rng(5)


def program(x: Any, *args: Any, most: int = 60) -> Callable:
    """Enter a function with its point and data."""

    def enter(function: Callable) -> Callable:
        PROGRAMS[function.__name__] = Program(function, np.asarray(x, dtype=float), args, most)
        return function

    return enter


_X = _RNG.normal(size=(16, 3))
_Y = (_RNG.normal(size=16) > 0) * 1.0
_W = _RNG.normal(size=3)


@program(_RNG.normal(size=20), most=20)
def rosenbrock(x):
    s = 0.0
    for i in range(len(x) - 1):
        s += 100 * (x[i + 1] - x[i] ** 2) ** 2 + (1 - x[i]) ** 2
    return s


@program(_W, _X, 2 * _Y - 1, most=20)
def rows(w, X, y):
    nll = 0.0
    for i in range(len(y)):
        z = 0.0
        for j in range(len(w)):
            z += X[i, j] * w[j]
        nll += np.log(1 + np.exp(-y[i] * z))
    return nll


@program(_W, _X, _Y, most=25)
def logistic_rows(w, X, y):
    nll = 0.0
    for i in range(len(y)):
        z = 0.0
        for j in range(len(w)):
            z += X[i, j] * w[j]
        if y[i] > 0:
            nll += np.log(1 + np.exp(-z))
        else:
            nll += np.log(1 + np.exp(z))
    return nll


@program(_W, _X, _Y, most=20)
def logistic_vectors(w, X, y):
    nll = 0.0
    for i in range(len(y)):
        z = X[i] @ w
        nll -= y[i] * z - np.logaddexp(0, z)
    return nll / len(y)


@program(_W, _X, _Y, most=20)
def rows_by_zip(w, X, y):
    return sum((t - np.dot(row, w)) ** 2 for row, t in zip(X, y, strict=True))


@program(_W, _X, _Y, most=20)
def transposed_columns(w, X, y):
    out = np.zeros(len(y))
    for j in range(len(w)):
        for i in range(len(y)):
            out[i] += X[i, j] * w[j] ** 2
    return np.sum((out - y) ** 2)


@program(_RNG.normal(size=30), most=12)
def filled(x):
    out = np.zeros(len(x))
    for i in range(len(x)):
        out[i] = np.sin(x[i]) * i
    return np.sum(out**2)


@program(_RNG.normal(size=30), most=25)
def filled_with_ends(x):
    out = np.zeros(len(x))
    out[0] = x[0]
    out[-1] = 2 * x[-1]
    for i in range(1, len(x) - 1):
        out[i] = x[i - 1] - 2 * x[i] + x[i + 1]
    return np.sum(out**2)


@program(_RNG.normal(size=30), most=20)
def backwards_in_twos(x):
    s = 0.0
    for i in range(len(x) - 1, 0, -2):
        s = s + x[i] * x[i - 1] ** 3
    return s


@program(_RNG.normal(size=12), _RNG.integers(0, 12, 50), most=15)
def looked_up(x, index):
    return sum([np.exp(x[k]) for k in index])


@program(_RNG.normal(size=20), most=40)
def branching(x):
    s = 0.0
    for v in x:
        if v > 0:
            s += v**2
        else:
            s -= 3 * v
    return s


_SIZES = _RNG.integers(1, 6, 20)
_STARTS = np.concatenate([[0], np.cumsum(_SIZES)])


@program(_RNG.normal(size=int(_STARTS[-1])), _SIZES, most=40)
def ragged(x, sizes):
    nll, start = 0.0, 0
    for size in sizes:
        group = 0.0
        for k in range(size):
            v = x[start + k]
            if v > 0:
                group += v**2
            else:
                group += np.exp(v)
        nll += np.log(1 + group)
        start += size
    return nll


@program(_RNG.normal(size=6), _RNG.normal(size=(15, 6, 6)), most=15)
def quadratic_forms(x, A):
    return sum(np.sum((A[i] @ x) ** 2) for i in range(len(A)))


@program(_RNG.normal(size=12), most=20)
def windows(x):
    s = 0.0
    for i in range(len(x) // 3):
        s += np.sum(x[3 * i : 3 * i + 3]) ** 2
    for i in range(len(x) - 2):
        s += np.sum(x[i : i + 3] ** 2) ** 2
    return s


@program(_RNG.normal(size=24), most=15)
def matrix_entries(x):
    Z = x.reshape(4, 6)
    s = 0.0
    for i in range(4):
        for j in range(6):
            s += Z[i, j] ** 2 * (i + 2 * j)
    return s


@program(_RNG.normal(size=12), _RNG.normal(size=(7, 4)), most=15)
def matrix_product(w, X):
    W = w.reshape(4, 3)
    s = 0.0
    for i in range(7):
        for c in range(3):
            z = 0.0
            for j in range(4):
                z += X[i, j] * W[j, c]
            s += np.tanh(z)
    return s


@program(_RNG.normal(size=10), most=20)
def all_pairs(x):
    s = 0.0
    for i in range(len(x)):
        for j in range(i):
            s += np.exp(-((x[i] - x[j]) ** 2))
    return s


@program(_RNG.normal(size=16), most=12)
def listed(x):
    values = []
    for v in x:
        values.append(np.cos(v))
    return np.sum(np.array(values) ** 2)


@program(_RNG.normal(size=16), most=40)
def interleaved(x):
    out = np.empty(16)
    for i in range(8):
        out[2 * i] = np.sin(x[i])
        out[2 * i + 1] = np.exp(x[i + 8])
    return np.sum(out * x)


@program(_RNG.normal(size=16), most=60)
def extremes(x):
    s = 0.0
    for i in range(4):
        top = -np.inf
        for j in range(4):
            top = np.maximum(top, x[4 * i + j])
        factor = 1.0
        for j in range(4):
            factor *= 1 + x[4 * i + j] ** 2
        s += top * factor
    return s


@program(_RNG.normal(size=60), most=100)
def dispatched(x):
    elements = {"square": lambda v: v**2, "root": lambda v: np.sqrt(1 + v * v), "log": lambda v: np.log(1 + v * v)}
    groups = [(("square", "root", "log")[k % 3], np.arange(k, k + 3) % 60) for k in range(60)]
    out = np.zeros(60)
    for k, (name, index) in enumerate(groups):
        value = 0.0
        for i in index:
            value += elements[name](x[i])
        out[k] = value * (1 + k % 2)
    return np.sum(out**2) + out[3]


@program(_RNG.normal(size=(5 * 3)), _RNG.normal(size=(5, 3)), most=15)
def vectors_accumulated(x, D):
    total = np.zeros(3)
    for i in range(5):
        total = total + x[3 * i : 3 * i + 3] * D[i]
    return np.sum(total**2)
