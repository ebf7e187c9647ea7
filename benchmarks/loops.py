"""Objectives written as Python loops over scalars, with value and gradient of the arrays that they mean by hand.

`python -m benchmarks.loop_tables` measures them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from benchmarks.loop_programs import ragged, rosenbrock, rows


class Case(NamedTuple):
    """A loop, its point and data, and value and gradient written by hand in NumPy."""

    name: str
    objective: Callable
    x: np.ndarray
    data: tuple
    by_hand: Callable


def rosenbrock_by_hand(x):
    r, u = x[1:] - x[:-1] ** 2, 1 - x[:-1]
    gradient = np.zeros_like(x)
    gradient[1:] = 200 * r
    gradient[:-1] -= 400 * x[:-1] * r + 2 * u
    return 100 * r @ r + u @ u, gradient


def rows_by_hand(w, X, y):
    m = -y * (X @ w)
    e = np.exp(m)
    return np.log(1 + e).sum(), -X.T @ (y * e / (1 + e))


def ragged_by_hand(x, sizes):
    owner = np.repeat(np.arange(len(sizes)), sizes)
    up = x > 0
    term = np.where(up, x**2, np.exp(x))
    group = np.bincount(owner, term, len(sizes))
    return np.log(1 + group).sum(), np.where(up, 2 * x, term) / (1 + group)[owner]


_ELEMENTS = {
    "square": lambda v, p: p * v**2,
    "root": lambda v, p: np.sqrt(p + v * v),
    "logarithm": lambda v, p: np.log(1 + p * v * v),
    "product": lambda v, p: v * np.exp(-p * v),
}


def dispatch(x, groups):
    out = np.zeros(len(groups))
    for k, (members, scale) in enumerate(groups):
        value = 0.0
        for name, index, p in members:
            value += _ELEMENTS[name](x[index], p)
        out[k] = value * scale
    return np.sum(np.sqrt(1 + out**2))


def cases() -> list[Case]:
    """Return what is measured."""
    rng = np.random.default_rng(1)
    sizes = (10, 100, 1000, 10000)
    found = [Case(f"rosenbrock n={n}", rosenbrock, rng.normal(size=n), (), rosenbrock_by_hand) for n in sizes]
    X, y = rng.normal(size=(10000, 3)), np.sign(rng.normal(size=10000))
    found.append(Case("rows 10000 x 3", rows, 0.3 * rng.normal(size=3), (X, y), rows_by_hand))
    sizes = rng.integers(1, 8, 2000).tolist()
    found.append(Case("ragged 2000 groups", ragged, rng.normal(size=sum(sizes)), (sizes,), ragged_by_hand))
    names = list(_ELEMENTS)
    members = []
    for m in rng.integers(1, 6, 1000):
        drawn = zip(rng.integers(0, 4, m), rng.integers(0, 500, m), rng.uniform(0.5, 2, m), strict=True)
        members.append([(names[k], int(i), float(p)) for k, i, p in drawn])
    groups = [(one, float(s)) for one, s in zip(members, rng.uniform(1, 2, 1000), strict=True)]
    x = rng.normal(size=500)
    found.append(Case("dispatch 1000 groups", dispatch, x, (groups,), _dispatch_by_hand(groups)))
    return found


def _dispatch_by_hand(groups: list) -> Callable:
    """Return value and gradient of `dispatch` with its elements sorted by kind."""
    rows_of = {name: ([], [], []) for name in _ELEMENTS}
    for k, (members, _) in enumerate(groups):
        for name, index, p in members:
            for column, entry in zip(rows_of[name], (k, index, p), strict=True):
                column.append(entry)
    kinds = {name: tuple(map(np.array, columns)) for name, columns in rows_of.items()}
    scale = np.array([s for _, s in groups])

    def by_hand(x: np.ndarray, _: Any) -> tuple[float, np.ndarray]:
        total, slopes = np.zeros(len(groups)), {}
        for name, (k, i, p) in kinds.items():
            v = x[i]
            if name == "square":
                term, slopes[name] = p * v**2, 2 * p * v
            elif name == "root":
                term = np.sqrt(p + v * v)
                slopes[name] = v / term
            elif name == "logarithm":
                term, slopes[name] = np.log(1 + p * v * v), 2 * p * v / (1 + p * v * v)
            else:
                e = np.exp(-p * v)
                term, slopes[name] = v * e, e * (1 - p * v)
            total += np.bincount(k, term, len(groups))
        out = total * scale
        root = np.sqrt(1 + out**2)
        up = out / root * scale
        gradient = np.zeros_like(x)
        for name, (k, i, _) in kinds.items():
            gradient += np.bincount(i, up[k] * slopes[name], len(x))
        return root.sum(), gradient

    return by_hand
