"""Seventeen array programs in plain NumPy, as suites of numerical kernels have them, each a scalar objective.

Linear algebra by rows and by slices, stencils, histograms, layers of networks. `array_programs_jax.py` has the same
written for JAX by hand; `array_tables.py` measures both at `size`, where value and gradient take 5 to 100 ms. Those
that `kernels.py` has, too, are taken from there. `start(n, rng)` gives the parameters, all entries of one input, and
the other data.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from benchmarks.kernels import KERNELS


class Program(NamedTuple):
    """A program: its objective, what it starts from, the size that is measured, and a small one."""

    name: str
    f: Callable
    start: Callable
    size: int
    small: int


PROGRAMS: dict[str, Program] = {}


def program(start: Callable, size: int, small: int) -> Callable:
    """Enter the decorated objective in PROGRAMS."""

    def enter(f: Callable) -> Callable:
        name = f.__name__.replace("_", "-")
        PROGRAMS[name] = Program(name, f, start, size, small)
        return f

    return enter


def _taken(name: str, size: int, small: int) -> None:
    kernel = KERNELS[name]
    PROGRAMS[name] = Program(name, kernel.f, kernel.start, size, small)


# Linear algebra -------------------------------------------------------------------------------------------------------


def _square(n, rng):
    return rng.normal(size=n * n) / np.sqrt(n), (n,)


def _tall(n, rng):
    return rng.normal(size=n * (n // 2)) / np.sqrt(n), (rng.normal(size=(n, n)), n)


@program(lambda n, rng: (rng.normal(size=n**3) / n, (rng.normal(size=(n, n)) / n, n)), size=80, small=4)
def doitgen(x, C4, n):
    A = x.reshape(n, n, n).copy()
    for r in range(n):
        for q in range(n):
            A[r, q, :] = A[r, q, :] @ C4
    return np.sum(A**2)


@program(
    lambda n, rng: (rng.normal(size=n * n) / n, tuple(rng.normal(size=(4, n)))),
    size=1400,
    small=5,
)
def mvt(x, x1, x2, y1, y2):
    n = len(x1)
    A = x.reshape(n, n)
    x1 = x1 + A @ y1
    x2 = x2 + y2 @ A
    return np.sum(x1**2) + np.sum(x2**2)


@program(
    lambda n, rng: ((np.tril(rng.normal(size=(n, n))) / n + 2 * np.eye(n)).ravel(), (rng.normal(size=n),)),
    size=1000,
    small=6,
)
def trisolv(x, b):
    n = len(b)
    L = x.reshape(n, n)
    solution = np.empty(n)
    for i in range(n):
        solution[i] = (b[i] - L[i, :i] @ solution[:i]) / L[i, i]
    return np.sum(solution**2)


@program(
    lambda n, rng: (rng.normal(size=n * n) / n, (rng.normal(size=(n, n)), rng.normal(size=(n, n)), n)),
    size=500,
    small=5,
)
def gemm(x, B, C, n):
    A = x.reshape(n, n)
    C = 1.2 * C + 1.5 * A @ B
    return np.sum(C**2)


@program(
    lambda n, rng: (rng.normal(size=n * n) / n, tuple(rng.normal(size=(6, n)) / np.sqrt(n))),
    size=1200,
    small=5,
)
def gemver(x, u1, v1, u2, v2, y, z):
    n = len(y)
    A = x.reshape(n, n).copy()
    A += np.outer(u1, v1) + np.outer(u2, v2)
    moved = 1.2 * y @ A + z
    w = 1.5 * A @ moved
    return np.sum(w**2) + np.sum(moved**2)


@program(_tall, size=200, small=6)
def syrk(x, C, n):
    A = x.reshape(n, -1)
    C = C.copy()
    for i in range(n):
        C[i, : i + 1] *= 1.2
        for k in range(A.shape[1]):
            C[i, : i + 1] += 1.5 * A[i, k] * A[: i + 1, k]
    return np.sum(C**2) / n


@program(
    lambda n, rng: (rng.normal(size=n * (n // 2)) / n, (rng.normal(size=(n, n // 2)), rng.normal(size=(n, n)), n)),
    size=200,
    small=6,
)
def syr2k(x, B, C, n):
    A = x.reshape(n, -1)
    C = C.copy()
    for i in range(n):
        C[i, : i + 1] *= 1.2
        for k in range(A.shape[1]):
            C[i, : i + 1] += A[: i + 1, k] * 1.5 * B[i, k] + B[: i + 1, k] * 1.5 * A[i, k]
    return np.sum(C**2) / n


_taken("cholesky", size=200, small=6)


# Grids ----------------------------------------------------------------------------------------------------------------


@program(lambda n, rng: (rng.uniform(size=n), ()), size=20000, small=8)
def jacobi_1d(x):
    A = x.copy()
    B = x.copy()
    for _ in range(50):
        B[1:-1] = 0.33333 * (A[:-2] + A[1:-1] + A[2:])
        A[1:-1] = 0.33333 * (B[:-2] + B[1:-1] + B[2:])
    return np.sum(A**2)


_taken("jacobi", size=250, small=6)
_taken("heat", size=120, small=6)


@program(
    lambda n, rng: (rng.uniform(size=(n + 4) ** 2 * 40), (rng.uniform(size=(n, n, 40)), n)),
    size=64,
    small=2,
)
def horizontal_diffusion(x, coefficient, n):
    field = x.reshape(n + 4, n + 4, -1)
    laplacian = 4.0 * field[1:-1, 1:-1] - (field[2:, 1:-1] + field[:-2, 1:-1] + field[1:-1, 2:] + field[1:-1, :-2])
    change = laplacian[1:, 1:-1] - laplacian[:-1, 1:-1]
    along = np.where(change * (field[2:-1, 2:-2] - field[1:-2, 2:-2]) > 0, 0.0, change)
    change = laplacian[1:-1, 1:] - laplacian[1:-1, :-1]
    across = np.where(change * (field[2:-2, 2:-1] - field[2:-2, 1:-2]) > 0, 0.0, change)
    spread = along[1:] - along[:-1] + across[:, 1:] - across[:, :-1]
    return np.sum((field[2:-2, 2:-2] - coefficient * spread) ** 2)


def _source(b, u, v, dt, dx, dy):
    along = (u[1:-1, 2:] - u[1:-1, :-2]) / (2 * dx)
    across = (v[2:, 1:-1] - v[:-2, 1:-1]) / (2 * dy)
    shear = (u[2:, 1:-1] - u[:-2, 1:-1]) / (2 * dy) * (v[1:-1, 2:] - v[1:-1, :-2]) / (2 * dx)
    b[1:-1, 1:-1] = 1 / dt * (along + across) - along**2 - 2 * shear - across**2


def _pressure(p, b, dx, dy):
    for _ in range(5):
        q = p.copy()
        p[1:-1, 1:-1] = ((q[1:-1, 2:] + q[1:-1, :-2]) * dy**2 + (q[2:, 1:-1] + q[:-2, 1:-1]) * dx**2) / (
            2 * (dx**2 + dy**2)
        ) - dx**2 * dy**2 / (2 * (dx**2 + dy**2)) * b[1:-1, 1:-1]
        p[:, -1] = p[:, -2]
        p[0, :] = p[1, :]
        p[:, 0] = p[:, 1]
        p[-1, :] = 0


def _advected(w, u, v, dt, dx, dy):
    """What convection and diffusion leave of one component of the velocity."""
    inner = w[1:-1, 1:-1]
    return (
        inner
        - u[1:-1, 1:-1] * dt / dx * (inner - w[1:-1, :-2])
        - v[1:-1, 1:-1] * dt / dy * (inner - w[:-2, 1:-1])
        + 0.1 * dt / dx**2 * (w[1:-1, 2:] - 2 * inner + w[1:-1, :-2])
        + 0.1 * dt / dy**2 * (w[2:, 1:-1] - 2 * inner + w[:-2, 1:-1])
    )


@program(lambda n, rng: (0.1 * rng.uniform(size=2 * n * n), (n,)), size=101, small=6)
def cavity_flow(x, n):
    """Navier and Stokes in a box with a moving lid."""
    u, v = x[: n * n].reshape(n, n).copy(), x[n * n :].reshape(n, n).copy()
    p, b = np.zeros((n, n)), np.zeros((n, n))
    dx = dy = 2 / (n - 1)
    dt = 0.1 * dx**2
    for _ in range(10):
        un, vn = u.copy(), v.copy()
        _source(b, un, vn, dt, dx, dy)
        _pressure(p, b, dx, dy)
        u[1:-1, 1:-1] = _advected(un, un, vn, dt, dx, dy) - dt / (2 * dx) * (p[1:-1, 2:] - p[1:-1, :-2])
        v[1:-1, 1:-1] = _advected(vn, un, vn, dt, dx, dy) - dt / (2 * dy) * (p[2:, 1:-1] - p[:-2, 1:-1])
        u[0, :] = u[:, 0] = u[:, -1] = 0
        u[-1, :] = 1
        v[0, :] = v[-1, :] = v[:, 0] = v[:, -1] = 0
    return np.sum(u**2) + np.sum(v**2) + np.sum(p**2)


# Histograms and networks ----------------------------------------------------------------------------------------------


@program(lambda n, rng: (rng.uniform(size=n), (rng.uniform(size=n), 100)), size=200000, small=500)
def azimuthal_histogram(x, radius, bins):
    """Means of an image over rings."""
    largest = radius.max()
    means = np.zeros(bins)
    for i in range(bins):
        inside = np.logical_and(largest * i / bins <= radius, radius < largest * (i + 1) / bins)
        means[i] = x[inside].mean()
    return np.sum(means**2)


@program(lambda n, rng: (rng.normal(size=8 * 8 * n * n), ((8, 8, n, n), rng.uniform(size=n))), size=100, small=3)
def softmax(x, shape, weights):
    scores = x.reshape(shape)
    shifted = np.exp(scores - np.max(scores, axis=-1, keepdims=True))
    return np.sum((shifted / np.sum(shifted, axis=-1, keepdims=True) - weights) ** 2)


def _images(n, rng):
    return 0.1 * rng.normal(size=3 * 3 * 3 * 8 + 8), (rng.uniform(size=(4, n, n, 3)),)


@program(_images, size=48, small=5)
def convolution(x, images):
    """A layer of eight filters with a bias, and what is above zero."""
    weights, bias = x[:-8].reshape(3, 3, 3, 8), x[-8:]
    rows, columns = images.shape[1] - 2, images.shape[2] - 2
    out = np.empty((len(images), rows, columns, 8))
    for i in range(rows):
        for j in range(columns):
            window = images[:, i : i + 3, j : j + 3, :, np.newaxis]
            out[:, i, j, :] = np.sum(window * weights[np.newaxis], axis=(1, 2, 3))
    return np.sum(np.maximum(out + bias, 0) ** 2)


def _layers(n, rng):
    sizes = (n // 2, n, n // 2, 10)
    count = sum(a * b + b for a, b in pairwise(sizes))
    x = rng.normal(size=count) / np.sqrt(n)
    return x, (rng.normal(size=(n, sizes[0])), rng.integers(0, 10, size=n), sizes)


@program(_layers, size=256, small=8)
def mlp(x, X, labels, sizes):
    """Two hidden layers and cross-entropy."""
    hidden, start = X, 0
    for k in range(3):
        a, b = sizes[k], sizes[k + 1]
        W, bias = x[start : start + a * b].reshape(a, b), x[start + a * b : start + a * b + b]
        start += a * b + b
        hidden = hidden @ W + bias
        if k < 2:
            hidden = np.maximum(hidden, 0)
    shifted = hidden - np.max(hidden, axis=1, keepdims=True)
    chosen = shifted[np.arange(len(labels)), labels]
    return np.sum(np.log(np.sum(np.exp(shifted), axis=1)) - chosen)
