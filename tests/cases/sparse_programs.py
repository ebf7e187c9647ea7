"""Objectives with sparse second derivatives, and random ones: a chain of steps, each an idiom of NumPy on vectors.

A step takes the vector so far, the parameters, and data, and returns a vector of at least three entries.
"""

from __future__ import annotations

import random
from collections.abc import Callable

import numpy as np

POSITIONS = np.array([2, 0, 0, 3, 1, 4, 2, 5])
MIXED = np.random.default_rng(5).normal(size=(7, 64))
WEIGHTS = np.random.default_rng(6).uniform(0.5, 1.5, 64)


def padded(v):
    return np.concatenate([v, v[:1], v[-1:], v[:3]])


def put(v, x):
    out = np.zeros(len(v) + 2)
    out[1 : len(v) + 1] = v
    out[0] += x[1] * x[0]
    out[3] = v[0] ** 2
    return out


def added(v, x):
    out = np.zeros(6)
    np.add.at(out, POSITIONS % 6, np.resize(v, 8))
    return out


def recurrence(v, x):
    state, states = 0.1 * x[0], []
    for t in range(9):
        state = 0.5 * np.tanh(state) + 0.1 * v[t % 3]
        states.append(state)
    return np.array(states)


def masked(v, x):
    mask = np.arange(len(v)) % 2 == 0
    out = v.copy()
    out[mask] = np.sin(out[mask])
    return out


def systems(v, x):
    A = np.eye(3) * (2.0 + v[:3] ** 2) + 0.1 * v[1]
    return np.concatenate([np.linalg.solve(A, x[:3]), v])


def stacked_systems(v, x):
    A = np.eye(2) + 0.1 * np.resize(v, (3, 1, 1)) ** 2
    return np.concatenate([np.linalg.inv(A)[:, 0, 0], v[:3]])


def products(v, x):
    A, B = np.resize(v, (3, 4)), np.resize(x, (4, 2))
    return np.concatenate([(A @ B).ravel(), np.einsum("ij,ij->i", A, A), np.tensordot(A, B, 1)[0]])


STEPS: dict[str, Callable] = {
    "squares": lambda v, x: v**2,
    "quotients": lambda v, x: v[1:] / (2.0 + x[0] ** 2) + np.resize(x, len(v) - 1),
    "waves": lambda v, x: np.sin(v) + 1.0,
    "differences": lambda v, x: np.diff(padded(v)),
    "neighbours": lambda v, x: padded(v)[1:] * padded(v)[:-1],
    "strides": lambda v, x: padded(v)[::-2],
    "gathers": lambda v, x: np.resize(v, 6)[POSITIONS],
    "rolls": lambda v, x: np.roll(v, 2) - v,
    "choices": lambda v, x: np.where(v > 0.3, v**2, np.exp(0.3 * v)),
    "kinks": lambda v, x: np.abs(v) + np.maximum(v, 0.3) * 0.5,
    "sorted": lambda v, x: np.sort(v) * WEIGHTS[: len(v)],
    "by order": lambda v, x: v[np.argsort(v)] + x[0],
    "running": lambda v, x: np.cumsum(0.1 * padded(v)[:5]),
    "running products": lambda v, x: np.cumprod(1.0 + 0.1 * padded(v)[:5]),
    "means": lambda v, x: np.resize(v, (3, 4)).mean(axis=0),
    "products of rows": lambda v, x: np.resize(v, (4, 3)).prod(axis=1),
    "norms": lambda v, x: np.sqrt(1.0 + (np.resize(v, (4, 3)) ** 2).sum(axis=1)),
    "data": lambda v, x: MIXED[:, : len(v)] @ v[:64],
    "outer": lambda v, x: np.outer(v[:3], x[:4]).ravel(),
    "triangles": lambda v, x: np.tril(np.resize(v, (3, 3))).ravel() + np.triu(np.resize(x, (3, 3))).T.ravel(),
    "stacks": lambda v, x: np.stack([v[:3], x[:3], v[:3] * x[1:4]], axis=1).ravel(),
    "repeats": lambda v, x: np.repeat(v[:4], 2) * np.tile(x[:4], 2),
    "powers": lambda v, x: (1.5 + np.tanh(v)) ** (0.5 * np.tanh(x[1])),
    "cross": lambda v, x: np.concatenate([np.cross(v[:3], x[:3]), v]),
    "padded": lambda v, x: np.pad(v[:8], 1, mode="edge") - np.pad(v[:8], 1),
    "log of sums": lambda v, x: np.log(np.exp(0.3 * np.resize(v, (3, 4))).sum(axis=1)),
    "extremes": lambda v, x: np.array([v.max(), v.min(), x.max() - v[0], x[1]]),
    "slopes": lambda v, x: (
        np.gradient(padded(v), edge_order=2) + np.gradient(padded(v), WEIGHTS[: len(v) + 5].cumsum())
    ),
    "windows": lambda v, x: np.convolve(v, [1.0, 0.5, -0.3]) + np.convolve([1.0, 2.0, -0.3], v),
    "same windows": lambda v, x: np.convolve(v, [1.0, 0.5], "same") + np.convolve(v, [1.0, 0.5, 2.0, 1.0], "same"),
    "inner windows": lambda v, x: np.correlate(v, [1.0, 0.5, -0.3]) + np.correlate([1.0, 0.5, 2.0], v)[::-1],
    "correlations": lambda v, x: np.correlate(v, [1.0, -0.5, 2.0], "same") + np.correlate(v, [1.0, 0.5], "same"),
    "between knots": lambda v, x: np.interp(np.linspace(-1.0, 9.0, 14), np.arange(8.0), v[:8]),
    "between data": lambda v, x: np.interp(v, [-2.0, -0.5, 0.0, 0.4, 3.0], [1.0, 2.0, 0.5, 0.7, 1.1]),
    "areas": lambda v, x: np.trapezoid(np.resize(v, (4, 3)), dx=0.5, axis=1),
    "distances": lambda v, x: np.linalg.norm(np.resize(v, (5, 2)) + np.resize(x, (5, 2)) + 3.0, axis=1),
    "averages": lambda v, x: np.average(np.resize(v, (3, 4)), axis=0, weights=WEIGHTS[:3]),
    "put": put,
    "added": added,
    "recurrence": recurrence,
    "masked": masked,
    "systems": systems,
    "stacked systems": stacked_systems,
    "products": products,
}


def program(seed: int, size: int = 9) -> tuple[Callable, tuple[str, ...]]:
    """Return a random function of `size` parameters to a vector, and the names of its steps."""
    draw = random.Random(f"sparse-{seed}")
    names = tuple(draw.choice(list(STEPS)) for _ in range(draw.randint(1, 4)))
    start, stride = draw.randint(0, 2), draw.choice([1, 1, 2])

    def residuals(x):
        v = x[start::stride]
        for name in names:
            v = STEPS[name](v if len(v) >= 9 else np.resize(v, 9), x)
        return v[:60]

    return residuals, names
