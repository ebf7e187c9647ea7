"""The array programs as somebody writes them by hand who knows JAX: whole arrays, LAPACK, `lax.fori_loop`, no masks of
what need not be computed. Each takes the parameters and data of its namesake in `array_programs.py`."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import lax

PORTS: dict[str, Callable] = {}


def port(f: Callable) -> Callable:
    """Enter the decorated objective in PORTS."""
    return PORTS.setdefault(f.__name__.replace("_", "-"), f)


@port
def doitgen(x, C4, n):
    return jnp.sum((x.reshape(n, n, n) @ C4) ** 2)


@port
def mvt(x, x1, x2, y1, y2):
    A = x.reshape(len(x1), -1)
    return jnp.sum((x1 + A @ y1) ** 2) + jnp.sum((x2 + y2 @ A) ** 2)


@port
def trisolv(x, b):
    L = x.reshape(len(b), -1)
    return jnp.sum(jax.scipy.linalg.solve_triangular(L, b, lower=True) ** 2)


@port
def gemm(x, B, C, n):
    return jnp.sum((1.2 * C + 1.5 * x.reshape(n, n) @ B) ** 2)


@port
def gemver(x, u1, v1, u2, v2, y, z):
    A = x.reshape(len(y), -1) + jnp.outer(u1, v1) + jnp.outer(u2, v2)
    moved = 1.2 * y @ A + z
    return jnp.sum((1.5 * A @ moved) ** 2) + jnp.sum(moved**2)


@port
def syrk(x, C, n):
    A = x.reshape(n, -1)
    return jnp.sum((jnp.tril(1.2 * C + 1.5 * A @ A.T) + jnp.triu(C, 1)) ** 2) / n


@port
def syr2k(x, B, C, n):
    product = x.reshape(n, -1) @ B.T
    return jnp.sum((jnp.tril(1.2 * C + 1.5 * (product + product.T)) + jnp.triu(C, 1)) ** 2) / n


@port
def cholesky(x, n):
    A = x.reshape(n, n)
    factor = jnp.linalg.cholesky(jnp.tril(A) + jnp.tril(A, -1).T, symmetrize_input=False)
    return jnp.sum(factor**2 * jnp.linspace(0.5, 1.5, n))


@port
def jacobi_1d(x):
    def step(A):
        return A.at[1:-1].set(0.33333 * (A[:-2] + A[1:-1] + A[2:]))

    return jnp.sum(lax.fori_loop(0, 100, lambda _, A: step(A), x) ** 2)


@port
def jacobi(x, n):
    def step(A):
        inner = 0.2 * (A[1:-1, 1:-1] + A[1:-1, :-2] + A[1:-1, 2:] + A[2:, 1:-1] + A[:-2, 1:-1])
        return A.at[1:-1, 1:-1].set(inner)

    return jnp.sum(lax.fori_loop(0, 20, lambda _, A: step(A), x.reshape(n, n)) ** 2)


@port
def heat(x, n):
    def step(A):
        inner = A[1:-1, 1:-1, 1:-1]
        new = (
            0.125 * (A[2:, 1:-1, 1:-1] - 2.0 * inner + A[:-2, 1:-1, 1:-1])
            + 0.125 * (A[1:-1, 2:, 1:-1] - 2.0 * inner + A[1:-1, :-2, 1:-1])
            + 0.125 * (A[1:-1, 1:-1, 2:] - 2.0 * inner + A[1:-1, 1:-1, :-2])
            + inner
        )
        return A.at[1:-1, 1:-1, 1:-1].set(new)

    return jnp.sum(lax.fori_loop(0, 10, lambda _, A: step(A), x.reshape(n, n, n)) ** 2)


@port
def horizontal_diffusion(x, coefficient, n):
    field = x.reshape(n + 4, n + 4, -1)
    laplacian = 4.0 * field[1:-1, 1:-1] - (field[2:, 1:-1] + field[:-2, 1:-1] + field[1:-1, 2:] + field[1:-1, :-2])
    change = laplacian[1:, 1:-1] - laplacian[:-1, 1:-1]
    along = jnp.where(change * (field[2:-1, 2:-2] - field[1:-2, 2:-2]) > 0, 0.0, change)
    change = laplacian[1:-1, 1:] - laplacian[1:-1, :-1]
    across = jnp.where(change * (field[2:-2, 2:-1] - field[2:-2, 1:-2]) > 0, 0.0, change)
    spread = along[1:] - along[:-1] + across[:, 1:] - across[:, :-1]
    return jnp.sum((field[2:-2, 2:-2] - coefficient * spread) ** 2)


def _source(u, v, dt, dx, dy):
    along = (u[1:-1, 2:] - u[1:-1, :-2]) / (2 * dx)
    across = (v[2:, 1:-1] - v[:-2, 1:-1]) / (2 * dy)
    shear = (u[2:, 1:-1] - u[:-2, 1:-1]) / (2 * dy) * (v[1:-1, 2:] - v[1:-1, :-2]) / (2 * dx)
    return 1 / dt * (along + across) - along**2 - 2 * shear - across**2


def _pressure(p, b, dx, dy):
    def step(_, q):
        new = ((q[1:-1, 2:] + q[1:-1, :-2]) * dy**2 + (q[2:, 1:-1] + q[:-2, 1:-1]) * dx**2) / (2 * (dx**2 + dy**2))
        p = q.at[1:-1, 1:-1].set(new - dx**2 * dy**2 / (2 * (dx**2 + dy**2)) * b)
        p = p.at[:, -1].set(p[:, -2])
        p = p.at[0, :].set(p[1, :])
        p = p.at[:, 0].set(p[:, 1])
        return p.at[-1, :].set(0.0)

    return lax.fori_loop(0, 5, step, p)


def _advected(w, u, v, dt, dx, dy):
    inner = w[1:-1, 1:-1]
    return (
        inner
        - u[1:-1, 1:-1] * dt / dx * (inner - w[1:-1, :-2])
        - v[1:-1, 1:-1] * dt / dy * (inner - w[:-2, 1:-1])
        + 0.1 * dt / dx**2 * (w[1:-1, 2:] - 2 * inner + w[1:-1, :-2])
        + 0.1 * dt / dy**2 * (w[2:, 1:-1] - 2 * inner + w[:-2, 1:-1])
    )


@port
def cavity_flow(x, n):
    u, v = x[: n * n].reshape(n, n), x[n * n :].reshape(n, n)
    dx = dy = 2 / (n - 1)
    dt = 0.1 * dx**2

    def step(_, state):
        u, v, p = state
        p = _pressure(p, _source(u, v, dt, dx, dy), dx, dy)
        new_u = _advected(u, u, v, dt, dx, dy) - dt / (2 * dx) * (p[1:-1, 2:] - p[1:-1, :-2])
        new_v = _advected(v, u, v, dt, dx, dy) - dt / (2 * dy) * (p[2:, 1:-1] - p[:-2, 1:-1])
        u = jnp.pad(new_u, 1).at[-1, :].set(1.0)
        return u, jnp.pad(new_v, 1), p

    u, v, p = lax.fori_loop(0, 10, step, (u, v, jnp.zeros((n, n))))
    return jnp.sum(u**2) + jnp.sum(v**2) + jnp.sum(p**2)


@port
def azimuthal_histogram(x, radius, bins):
    edges = radius.max() * jnp.arange(1, bins + 1) / bins
    ring = jnp.searchsorted(edges, radius, side="right")
    sums = jnp.bincount(ring, weights=x, length=bins + 1)
    return jnp.sum((sums / jnp.bincount(ring, length=bins + 1))[:bins] ** 2)


@port
def softmax(x, shape, weights):
    return jnp.sum((jax.nn.softmax(x.reshape(shape), axis=-1) - weights) ** 2)


@port
def convolution(x, images):
    weights, bias = x[:-8].reshape(3, 3, 3, 8), x[-8:]
    out = lax.conv_general_dilated(images, weights, (1, 1), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC"))
    return jnp.sum(jax.nn.relu(out + bias) ** 2)


@port
def mlp(x, X, labels, sizes):
    hidden, start = X, 0
    for k in range(3):
        a, b = sizes[k], sizes[k + 1]
        W, bias = x[start : start + a * b].reshape(a, b), x[start + a * b : start + a * b + b]
        start += a * b + b
        hidden = hidden @ W + bias
        if k < 2:
            hidden = jax.nn.relu(hidden)
    scores = jax.nn.log_softmax(hidden, axis=1)
    return -jnp.sum(scores[jnp.arange(len(labels)), labels])
