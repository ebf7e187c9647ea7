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


# Problems of the literature, written with arrays and with loops -------------------------------------------------------


def rosenbrock(x):
    """Chained Rosenbrock function: neighbours interact."""
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def rosenbrock_loop(x):
    total = 0.0
    for i in range(len(x) - 1):
        total += 100 * (x[i + 1] - x[i] ** 2) ** 2 + (1 - x[i]) ** 2
    return total


def broyden(x):
    """Broyden's banded function: each residual reads five parameters before its own and one after it."""
    inner = x * (1 + x)
    sums = np.zeros(len(x))
    for k in range(1, 6):
        sums[k:] += inner[:-k]
    sums[:-1] += inner[1:]
    return np.sum((x * (2 + 5 * x**2) + 1 - sums) ** 2)


def broyden_loop(x):
    n, total = len(x), 0.0
    for i in range(n):
        residual = x[i] * (2 + 5 * x[i] ** 2) + 1
        for j in range(max(0, i - 5), min(n, i + 2)):
            if j != i:
                residual -= x[j] * (1 + x[j])
        total += residual**2
    return total


def ising(p, spins):
    """Pseudo-likelihood of an Ising model on a grid, a coupling for each edge: its field reads four of them."""
    rows, columns = spins.shape
    right, down = p[: rows * columns].reshape(rows, columns), p[rows * columns :].reshape(rows, columns)
    field = np.zeros(spins.shape)
    field[:, :-1] += right[:, :-1] * spins[:, 1:]
    field[:, 1:] += right[:, :-1] * spins[:, :-1]
    field[:-1] += down[:-1] * spins[1:]
    field[1:] += down[:-1] * spins[:-1]
    return np.sum(np.log1p(np.exp(-2 * spins * field))) + 0.1 * p @ p


def effects(p, group, X, y):
    """A regression with an intercept for each group: an arrow, dense in the slopes, diagonal in the intercepts."""
    beta, u = p[: X.shape[1]], p[X.shape[1] :]
    return np.sum(np.log1p(np.exp(-y * (X @ beta + u[group])))) + 0.5 * np.sum(u**2)


def chain(u, edges, weights):
    """A smooth penalty on the differences along the edges of a graph, which are data."""
    return np.sum(weights * np.log(np.cosh(u[edges[:, 0]] - u[edges[:, 1]]))) + 0.5 * np.sum(u**2)


def projected(p, camera, point, seen, cameras):
    """Reprojection errors of a bundle adjustment, 15 parameters for each of two residuals, after Snavely's camera."""
    size = 11 * cameras
    c = p[:size].reshape(cameras, 11)[camera]
    points, weights = p[size : size + 3 * (point.max() + 1)].reshape(-1, 3)[point], p[-len(seen) :]
    angle = np.sqrt(np.sum(c[:, :3] ** 2, axis=1))[:, None]
    axis, beam = c[:, :3] / angle, points - c[:, 3:6]
    along = np.sum(axis * beam, axis=1)[:, None] * axis
    turned = np.cos(angle) * (beam - along) + np.sin(angle) * np.cross(axis, beam) + along
    flat = turned[:, :2] / turned[:, 2:]
    square = np.sum(flat**2, axis=1)
    image = flat * (1 + c[:, 9] * square + c[:, 10] * square**2)[:, None] * c[:, 6:7] + c[:, 7:9]
    return np.concatenate([(weights[:, None] * (image - seen)).ravel(), 1 - weights**2])
