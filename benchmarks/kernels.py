"""Fifteen numerical kernels in plain NumPy as scientists write them, each a scalar objective of what goes into it.

Loops over slices, updates in place, sweeps over grids. `kernel_tables.py` measures them; they know nothing of autoopt.
`start(n, rng)` gives the parameters, all entries of one input, and the other data for a size.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np


class Kernel(NamedTuple):
    """A kernel: its objective, what it starts from, and whether the plain program is array code."""

    name: str
    f: Callable
    start: Callable
    arrays: bool


KERNELS: dict[str, Kernel] = {}


def kernel(start: Callable, arrays: bool = False) -> Callable:
    """Enter the decorated objective in KERNELS."""

    def enter(f: Callable) -> Callable:
        name = f.__name__.replace("_", "-")
        KERNELS[name] = Kernel(name, f, start, arrays)
        return f

    return enter


# Factorisations and products ------------------------------------------------------------------------------------------


def _definite(n, rng):
    B = rng.normal(size=(n, n)) / np.sqrt(n)
    return (B @ B.T + np.eye(n)).ravel(), (n,)


def _matrix(n, rng):
    return (rng.normal(size=(n, n)) / np.sqrt(n) + 2 * np.eye(n)).ravel(), (n,)


def _matrices(n, rng):
    return rng.normal(size=n * n) / np.sqrt(n), (rng.normal(size=(n, n)), rng.normal(size=(n, n)))


@kernel(_definite)
def cholesky(x, n):
    A = x.reshape(n, n).copy()
    for i in range(n):
        for j in range(i):
            A[i, j] -= A[i, :j] @ A[j, :j]
            A[i, j] /= A[j, j]
        A[i, i] = np.sqrt(A[i, i] - A[i, :i] @ A[i, :i])
    return np.sum(np.tril(A) ** 2 * np.linspace(0.5, 1.5, n))


@kernel(_matrix)
def lu(x, n):
    A = x.reshape(n, n).copy()
    for i in range(n):
        for j in range(i):
            A[i, j] -= A[i, :j] @ A[:j, j]
            A[i, j] /= A[j, j]
        for j in range(i, n):
            A[i, j] -= A[i, :i] @ A[:i, j]
    return np.sum(A**2)


@kernel(_matrix)
def gram_schmidt(x, n):
    A = x.reshape(n, n).copy()
    Q, R = np.zeros((n, n)), np.zeros((n, n))
    for k in range(n):
        R[k, k] = np.sqrt(A[:, k] @ A[:, k])
        Q[:, k] = A[:, k] / R[k, k]
        for j in range(k + 1, n):
            R[k, j] = Q[:, k] @ A[:, j]
            A[:, j] -= Q[:, k] * R[k, j]
    return np.sum(R**2 * np.linspace(0.5, 1.5, n)) + np.sum(Q * np.linspace(-1, 1, n))


@kernel(lambda n, rng: (0.3 * rng.uniform(size=n) / np.arange(1, n + 1), ()))
def durbin(r):
    """The system of Yule and Walker."""
    n = len(r)
    y = np.empty(n)
    y[0] = -r[0]
    alpha, beta = -r[0], 1.0
    for k in range(1, n):
        beta *= 1.0 - alpha * alpha
        alpha = -(r[k] + r[:k][::-1] @ y[:k]) / beta
        y[:k] += alpha * y[:k][::-1]
        y[k] = alpha
    return np.sum(y**2)


@kernel(_matrices)
def trmm(x, A, B):
    B = B + x.reshape(B.shape)
    n = len(B)
    for i in range(n):
        for j in range(n):
            B[i, j] += A[i + 1 :, i] @ B[i + 1 :, j]
    return np.sum((1.5 * B) ** 2) / n


@kernel(_matrices)
def symm(x, A, B):
    n = len(A)
    C = x.reshape(n, n).copy()
    B = B + C
    for i in range(n):
        carried = np.empty(n)
        for j in range(n):
            C[:i, j] += 1.5 * B[i, j] * A[i, :i]
            carried[j] = B[:i, j] @ A[i, :i]
        C[i, :] = 1.2 * C[i, :] + 1.5 * B[i, :] * A[i, i] + 1.5 * carried
    return np.sum(C**2) / n


# Sweeps over grids ----------------------------------------------------------------------------------------------------


def _grid(n, rng):
    return rng.uniform(size=n * n), (n,)


def _cube(n, rng):
    side = n // 3 + 3
    return rng.uniform(size=side**3), (side,)


@kernel(_grid)
def seidel(x, n):
    A = x.reshape(n, n).copy()
    for _ in range(2):
        for i in range(1, n - 1):
            A[i, 1:-1] += A[i - 1, :-2] + A[i - 1, 1:-1] + A[i - 1, 2:] + A[i, 2:]
            A[i, 1:-1] += A[i + 1, :-2] + A[i + 1, 1:-1] + A[i + 1, 2:]
            for j in range(1, n - 1):
                A[i, j] += A[i, j - 1]
                A[i, j] /= 9.0
    return np.sum(A**2)


@kernel(_grid, arrays=True)
def jacobi(x, n):
    A = x.reshape(n, n).copy()
    B = A.copy()
    for _ in range(10):
        B[1:-1, 1:-1] = 0.2 * (A[1:-1, 1:-1] + A[1:-1, :-2] + A[1:-1, 2:] + A[2:, 1:-1] + A[:-2, 1:-1])
        A[1:-1, 1:-1] = 0.2 * (B[1:-1, 1:-1] + B[1:-1, :-2] + B[1:-1, 2:] + B[2:, 1:-1] + B[:-2, 1:-1])
    return np.sum(A**2)


@kernel(_cube, arrays=True)
def heat(x, n):
    A = x.reshape(n, n, n).copy()
    B = A.copy()
    for _ in range(5):
        for old, new in ((A, B), (B, A)):
            inner = old[1:-1, 1:-1, 1:-1]
            new[1:-1, 1:-1, 1:-1] = (
                0.125 * (old[2:, 1:-1, 1:-1] - 2.0 * inner + old[:-2, 1:-1, 1:-1])
                + 0.125 * (old[1:-1, 2:, 1:-1] - 2.0 * inner + old[1:-1, :-2, 1:-1])
                + 0.125 * (old[1:-1, 1:-1, 2:] - 2.0 * inner + old[1:-1, 1:-1, :-2])
                + inner
            )
    return np.sum(A**2)


@kernel(_grid)
def adi(x, n):
    """Alternating directions: a sweep along columns and one along rows, each forward and back."""
    u = x.reshape(n, n).copy()
    v, p, q = np.zeros((n, n)), np.zeros((n, n)), np.zeros((n, n))
    a, b, d, e = -0.4, 1.8, -0.3, 1.6
    for _ in range(2):
        v[0, 1:-1] = 1.0
        p[1:-1, 0] = 0.0
        q[1:-1, 0] = v[0, 1:-1]
        for j in range(1, n - 1):
            p[1:-1, j] = -a / (a * p[1:-1, j - 1] + b)
            q[1:-1, j] = (-d * u[j, :-2] + (1 + 2 * d) * u[j, 1:-1] - d * u[j, 2:] - a * q[1:-1, j - 1]) / (
                a * p[1:-1, j - 1] + b
            )
        v[-1, 1:-1] = 1.0
        for j in range(n - 2, 0, -1):
            v[j, 1:-1] = p[1:-1, j] * v[j + 1, 1:-1] + q[1:-1, j]
        u[1:-1, 0] = 1.0
        p[1:-1, 0] = 0.0
        q[1:-1, 0] = u[1:-1, 0]
        for j in range(1, n - 1):
            p[1:-1, j] = -d / (d * p[1:-1, j - 1] + e)
            q[1:-1, j] = (-a * v[:-2, j] + (1 + 2 * a) * v[1:-1, j] - a * v[2:, j] - d * q[1:-1, j - 1]) / (
                d * p[1:-1, j - 1] + e
            )
        u[1:-1, -1] = 1.0
        for j in range(n - 2, 0, -1):
            u[1:-1, j] = p[1:-1, j] * u[1:-1, j + 1] + q[1:-1, j]
    return np.sum(u**2)


@kernel(_grid, arrays=True)
def fdtd(x, n):
    """Maxwell's equations in the plane."""
    hz = x.reshape(n, n).copy()
    ex, ey = np.zeros((n, n)), np.zeros((n, n))
    for t in range(10):
        ey[0, :] = t
        ey[1:, :] -= 0.5 * (hz[1:, :] - hz[:-1, :])
        ex[:, 1:] -= 0.5 * (hz[:, 1:] - hz[:, :-1])
        hz[:-1, :-1] -= 0.7 * (ex[:-1, 1:] - ex[:-1, :-1] + ey[1:, :-1] - ey[:-1, :-1])
    return np.sum(hz**2) + np.sum(ex**2)


@kernel(lambda n, rng: (np.append(rng.uniform(size=n * n), 0.25), (n,)))
def deriche(x, n):
    """The recursive filter of an image, along rows and then along columns; its width is a parameter too."""
    image, alpha = x[:-1].reshape(n, n), x[-1]
    k = (1 - np.exp(-alpha)) ** 2 / (1 + 2 * alpha * np.exp(-alpha) - np.exp(-2 * alpha))
    a1, a2 = k, k * np.exp(-alpha) * (alpha - 1)
    a3, a4 = k * np.exp(-alpha) * (alpha + 1), -k * np.exp(-2 * alpha)
    b1, b2 = 2 ** (-alpha) * 2 * 0.5 ** (1 - alpha), -np.exp(-2 * alpha)
    y1, y2 = np.empty_like(image), np.empty_like(image)
    y1[:, 0] = a1 * image[:, 0]
    y1[:, 1] = a1 * image[:, 1] + a2 * image[:, 0] + b1 * y1[:, 0]
    for j in range(2, n):
        y1[:, j] = a1 * image[:, j] + a2 * image[:, j - 1] + b1 * y1[:, j - 1] + b2 * y1[:, j - 2]
    y2[:, -1] = 0.0
    y2[:, -2] = a3 * image[:, -1]
    for j in range(n - 3, -1, -1):
        y2[:, j] = a3 * image[:, j + 1] + a4 * image[:, j + 2] + b1 * y2[:, j + 1] + b2 * y2[:, j + 2]
    out = y1 + y2
    y1[0, :] = a1 * out[0, :]
    y1[1, :] = a1 * out[1, :] + a2 * out[0, :] + b1 * y1[0, :]
    for i in range(2, n):
        y1[i, :] = a1 * out[i, :] + a2 * out[i - 1, :] + b1 * y1[i - 1, :] + b2 * y1[i - 2, :]
    return np.sum(y1**2) / n**2


# Physics and networks -------------------------------------------------------------------------------------------------


@kernel(lambda n, rng: (rng.normal(size=6 * n), (rng.uniform(0.5, 1.5, size=(n, 1)) / n,)), arrays=True)
def n_body(x, mass):
    n = len(mass)
    position, velocity = x[: 3 * n].reshape(n, 3), x[3 * n :].reshape(n, 3)

    def acceleration(r):
        dx, dy, dz = r[:, 0:1].T - r[:, 0:1], r[:, 1:2].T - r[:, 1:2], r[:, 2:3].T - r[:, 2:3]
        inverse = (dx**2 + dy**2 + dz**2 + 0.1**2) ** -1.5
        return np.hstack(((dx * inverse) @ mass, (dy * inverse) @ mass, (dz * inverse) @ mass))

    a = acceleration(position)
    for _ in range(10):
        velocity = velocity + a * 0.005
        position = position + velocity * 0.01
        a = acceleration(position)
        velocity = velocity + a * 0.005
    return 0.5 * np.sum(mass * velocity**2) + np.sum(position**2)


@kernel(lambda n, rng: (rng.uniform(size=64 * n), (rng.uniform(size=(8, 8, n)),)), arrays=True)
def vertical_advection(x, wind):
    """Implicit advection of a column at each of 8 x 8 places: the algorithm of Thomas along the last axis."""
    u = x.reshape(wind.shape)
    K = wind.shape[2]
    c, d = np.zeros(wind.shape), np.zeros(wind.shape)
    for k in range(K):
        up = 0.25 * wind[:, :, k + 1] if k < K - 1 else 0.0
        down = -0.25 * wind[:, :, k] if k > 0 else 0.0
        right = 3.0 * u[:, :, k]
        if k < K - 1:
            right = right - up * (u[:, :, k + 1] - u[:, :, k])
        if k > 0:
            right = right - down * (u[:, :, k - 1] - u[:, :, k])
            pivot = 1 / (3.0 - up - down - c[:, :, k - 1] * down)
            d[:, :, k] = (right - d[:, :, k - 1] * down) * pivot
        else:
            pivot = 1 / (3.0 - up)
            d[:, :, k] = right * pivot
        c[:, :, k] = up * pivot
    out = np.zeros(wind.shape)
    out[:, :, K - 1] = d[:, :, K - 1]
    for k in range(K - 2, -1, -1):
        out[:, :, k] = d[:, :, k] - c[:, :, k] * out[:, :, k + 1]
    return np.sum((out - u) ** 2) + np.sum(out**3) / 10


def _convolution(image, weights):
    size = weights.shape[0]
    rows, columns = image.shape[1] - size + 1, image.shape[2] - size + 1
    out = np.empty((image.shape[0], rows, columns, weights.shape[3]))
    for i in range(rows):
        for j in range(columns):
            window = image[:, i : i + size, j : j + size, :, np.newaxis]
            out[:, i, j, :] = np.sum(window * weights[np.newaxis], axis=(1, 2, 3))
    return np.maximum(out, 0)


def _pool(image):
    out = np.empty((image.shape[0], image.shape[1] // 2, image.shape[2] // 2, image.shape[3]))
    for i in range(out.shape[1]):
        for j in range(out.shape[2]):
            out[:, i, j, :] = np.max(image[:, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2, :], axis=(1, 2))
    return out


def _images(n, rng):
    last = (((n - 2) // 2) - 2) // 2
    return 0.3 * rng.normal(size=36 + 216 + 60 * last**2 + 10), (
        rng.uniform(size=(4, n, n, 1)),
        np.array([1, 3, 5, 7]),
        last,
    )


@kernel(_images)
def lenet(x, images, labels, last):
    """Two convolutions, each with a pool, and a linear layer; 4 images of n x n."""
    first, second = x[:36].reshape(3, 3, 1, 4), x[36:252].reshape(3, 3, 4, 6)
    linear, bias = x[252:-10].reshape(6 * last**2, 10), x[-10:]
    hidden = _pool(_convolution(_pool(_convolution(images, first)), second))
    scores = hidden.reshape(len(images), -1) @ linear + bias
    scores = scores - np.max(scores, axis=1, keepdims=True)
    return -np.sum(scores[np.arange(len(labels)), labels] - np.log(np.sum(np.exp(scores), axis=1)))
