"""Programs of loops over growing windows, each of parameters x and a size n, as somebody writes them with plain NumPy.

They run in complex numbers, too, so that their derivatives are known to the last digits by complex steps.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np


class Program(NamedTuple):
    """A program and how many parameters it has at size n."""

    f: Callable
    count: Callable[[int], int]


PROGRAMS: dict[str, Program] = {}


def square(n: int) -> int:
    return n * n


def takes(count: Callable[[int], int]) -> Callable[[Callable], Callable]:
    """Enter the decorated program in PROGRAMS."""

    def enter(f: Callable) -> Callable:
        PROGRAMS[f.__name__] = Program(f, count)
        return f

    return enter


def definite(x, n):
    """Return a symmetric positive definite matrix."""
    A = x.reshape(n, n)
    return A @ A.T + n * np.eye(n)


def dominant(x, n):
    """Return a matrix that needs no pivots."""
    return x.reshape(n, n) + 2.0 * n * np.eye(n)


@takes(square)
def forward_substitution(x, n):
    L = dominant(x, n)
    s = np.zeros(n, dtype=x.dtype)
    for i in range(n):
        s[i] = (1.0 + i - L[i, :i] @ s[:i]) / L[i, i]
    return np.sum(s**2)


@takes(square)
def back_substitution(x, n):
    U = dominant(x, n)
    s = np.zeros(n, dtype=x.dtype)
    for i in range(n - 1, -1, -1):
        s[i] = (np.cos(i) - U[i, i + 1 :] @ s[i + 1 :]) / U[i, i]
    return np.sum(np.sin(s))


@takes(square)
def cholesky_by_entries(x, n):
    A = definite(x, n)
    for i in range(n):
        for j in range(i):
            A[i, j] -= A[i, :j] @ A[j, :j]
            A[i, j] /= A[j, j]
        A[i, i] = np.sqrt(A[i, i] - A[i, :i] @ A[i, :i])
    return np.sum(np.tril(A) ** 3)


@takes(square)
def cholesky_by_columns(x, n):
    A = definite(x, n)
    L = np.zeros((n, n), dtype=x.dtype)
    for j in range(n):
        L[j, j] = np.sqrt(A[j, j] - np.sum(L[j, :j] ** 2))
        for i in range(j + 1, n):
            L[i, j] = (A[i, j] - np.dot(L[i, :j], L[j, :j])) / L[j, j]
    return np.sum(L * np.cos(np.arange(n)))


@takes(square)
def cholesky_by_updates(x, n):
    A = definite(x, n)
    for k in range(n):
        A[k, k] = np.sqrt(A[k, k])
        A[k + 1 :, k] /= A[k, k]
        A[k + 1 :, k + 1 :] -= np.outer(A[k + 1 :, k], A[k + 1 :, k])
    return np.sum(np.tril(A) ** 2)


@takes(square)
def lu_by_entries(x, n):
    A = dominant(x, n)
    for i in range(n):
        for j in range(i):
            A[i, j] -= A[i, :j] @ A[:j, j]
            A[i, j] /= A[j, j]
        for j in range(i, n):
            A[i, j] -= A[i, :i] @ A[:i, j]
    return np.sum(np.log(np.diag(A))) + 0.1 * np.sum(A**2)


@takes(square)
def lu_by_updates(x, n):
    A = dominant(x, n)
    for i in range(n - 1):
        A[i + 1 :, i] /= A[i, i]
        A[i + 1 :, i + 1 :] -= A[i + 1 :, i : i + 1] * A[i : i + 1, i + 1 :]
    return np.sum(np.diag(A)) + np.sum(np.tril(A, -1) ** 2)


@takes(square)
def ludcmp(x, n):
    A, b = dominant(x, n), np.cos(np.arange(n))
    s, y = np.zeros(n, dtype=x.dtype), np.zeros(n, dtype=x.dtype)
    for i in range(n):
        for j in range(i):
            A[i, j] -= A[i, :j] @ A[:j, j]
            A[i, j] /= A[j, j]
        for j in range(i, n):
            A[i, j] -= A[i, :i] @ A[:i, j]
    for i in range(n):
        y[i] = b[i] - A[i, :i] @ y[:i]
    for i in range(n - 1, -1, -1):
        s[i] = (y[i] - A[i, i + 1 :] @ s[i + 1 :]) / A[i, i]
    return np.sum(s**2)


@takes(square)
def gram_schmidt(x, n):
    A = dominant(x, n)
    Q, R = np.zeros((n, n), dtype=x.dtype), np.zeros((n, n), dtype=x.dtype)
    for k in range(n):
        R[k, k] = np.sqrt(np.dot(A[:, k], A[:, k]))
        Q[:, k] = A[:, k] / R[k, k]
        for j in range(k + 1, n):
            R[k, j] = np.dot(Q[:, k], A[:, j])
            A[:, j] -= Q[:, k] * R[k, j]
    return np.sum(R**2) + np.sum(Q[0] ** 3)


@takes(lambda n: n)
def durbin(x, n):
    r = 0.3 * np.tanh(x) / n
    y = np.zeros(n, dtype=x.dtype)
    alpha, beta = -r[0], 1.0
    y[0] = -r[0]
    for k in range(1, n):
        beta *= 1.0 - alpha * alpha
        alpha = -(r[k] + np.dot(np.flip(r[:k]), y[:k])) / beta
        y[:k] += alpha * np.flip(y[:k])
        y[k] = alpha
    return np.sum(y**2)


@takes(lambda n: n)
def levinson_with_reversed_slices(x, n):
    r = 0.3 * np.sin(x) / n
    a = np.zeros(n, dtype=x.dtype)
    error = 1.0
    for k in range(1, n):
        reflection = (r[k] - a[1:k] @ r[k - 1 : 0 : -1]) / error
        before = a[1:k].copy()
        a[1:k] = before - reflection * before[::-1]
        a[k] = reflection
        error = error * (1.0 - reflection**2)
    return np.sum(a**2) + error


@takes(square)
def triangular_product(x, n):
    A = np.tril(x.reshape(n, n))
    B = np.cos(np.arange(n * n)).reshape(n, n) + 0.0 * x[0]
    for i in range(n):
        for j in range(n):
            B[i, j] += A[i + 1 :, i] @ B[i + 1 :, j]
    return np.sum((1.5 * B) ** 2)


@takes(square)
def symmetric_product(x, n):
    A, B = x.reshape(n, n), np.cos(np.arange(n * n)).reshape(n, n)
    C = 0.5 * A
    for i in range(n):
        for j in range(n):
            C[:i, j] += 1.5 * B[i, j] * A[i, :i]
            C[i, j] += B[i, j] * A[i, i] + 0.7 * (B[:i, j] @ A[i, :i])
    return np.sum(C**2)


@takes(lambda n: n)
def growing_convolution(x, n):
    g = np.exp(-0.1 * np.arange(n))
    y = np.zeros(n, dtype=x.dtype)
    for t in range(n):
        y[t] = np.tanh(x[t] + 0.3 * np.dot(g[: t + 1][::-1], x[: t + 1]) - 0.1 * np.sum(y[:t]))
    return np.sum(y**2)


@takes(lambda n: n)
def paths_through_a_triangle(x, n):
    weight = np.zeros(n, dtype=x.dtype)
    weight[0] = np.exp(0.1 * x[0])
    for i in range(1, n):
        weight[i] = np.log(np.sum(np.exp(0.2 * x[i] + weight[:i] / n)))
    return weight[n - 1] + np.sum(weight)


@takes(lambda n: n)
def means_of_all_before(x, n):
    y = np.zeros(n, dtype=x.dtype)
    total = 0.0
    for i in range(1, n):
        y[i] = x[i] - 0.5 * y[:i].mean()
        total = total + y[i] * np.sin(y[i - 1])
    return total


@takes(lambda n: n)
def triangle_of_pascal(x, n):
    rows = np.zeros((n, n), dtype=x.dtype)
    rows[:, 0] = x
    for i in range(1, n):
        rows[i, 1 : i + 1] = 0.5 * (rows[i - 1, :i] + rows[i - 1, 1 : i + 1] * x[i])
    return np.sum(rows[n - 1] ** 2)


@takes(square)
def inverse_of_a_triangle(x, n):
    L = dominant(x, n)
    M = np.zeros((n, n), dtype=x.dtype)
    for j in range(n):
        M[j, j] = 1.0 / L[j, j]
        for i in range(j + 1, n):
            M[i, j] = -(L[i, j:i] @ M[j:i, j]) / L[i, i]
    return np.sum(M * np.sin(np.arange(n * n)).reshape(n, n))
