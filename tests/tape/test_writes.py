"""Arrays that are written part by part: read where parts come from, put together where they do not overlap."""

from __future__ import annotations

import numpy as np
import pytest

from autoopt import differences
from autoopt.objectives.objective import Objective
from autoopt.tape.batching.batching import vectorise
from autoopt.tape.batching.writes import put_together
from autoopt.tape.operations import put

RANDOM = np.random.default_rng(17)
N, M = 12, 9
B, C = RANDOM.normal(size=(N, M)), RANDOM.normal(size=(N, N))
W = RANDOM.uniform(0.5, 1.5, size=(N, N))


def rank_k(x):
    A, T = x.reshape(N, M), C.copy()
    for i in range(N):
        T[i, : i + 1] *= 1.2
        for k in range(M):
            T[i, : i + 1] += 1.5 * A[i, k] * A[: i + 1, k]
    return np.sum(W * T**2)


def rank_2k(x):
    A, T = x.reshape(N, M), C.copy()
    for i in range(N):
        for k in range(M):
            T[i, : i + 1] += A[: i + 1, k] * B[i, k] + B[: i + 1, k] * A[i, k]
    return np.sum(W * T**2)


def upper(x):
    A, T = x.reshape(N, M), np.zeros((N, N))
    for i in range(N):
        T[i, i:] = A[i:, 0] * A[i, 1] - A[i:, 2]
    return np.sum(W * T**3)


def strictly_lower(x):
    A, T = x.reshape(N, M), C.copy()
    for i in range(N):
        T[i, :i] = A[:i, 0] * A[i, 1]
    return np.sum(W * T**3)


def rows(x):
    T = x.reshape(N, M).copy()
    for i in range(N):
        T[i] = T[i] @ B[:M, :M]
    return np.sum(T**3)


def columns(x):
    T = x.reshape(N, M).copy()
    for j in range(M):
        T[:, j] = np.exp(0.1 * T[:, j]) * B[:, j]
    return np.sum(T**2)


def inner_rows(x):
    T = x.reshape(N, M).copy()
    for i in range(1, N - 1):
        T[i, 1:-1] = np.sin(T[i, 1:-1]) * B[i, 1:-1]
    return np.sum(T**3)


def cube(x):
    T = x[:96].reshape(4, 3, 8).copy()
    for r in range(4):
        for q in range(3):
            T[r, q, :] = T[r, q, :] @ C[:8, :8]
    return np.sum(T**2)


def covariance(x):
    data, T = x.reshape(N, M) - np.mean(x.reshape(N, M), axis=0), np.zeros((M, M))
    for i in range(M):
        T[i:M, i] = T[i, i:M] = data[:, i] @ data[:, i:M] / (N - 1.0)
    return np.sum(W[:M, :M] * T**2)


def correlation(x):
    data, T = x.reshape(N, M), np.eye(M)
    for i in range(M - 1):
        T[i + 1 : M, i] = T[i, i + 1 : M] = data[:, i] @ data[:, i + 1 : M]
    return np.sum(W[:M, :M] * T**2)


def rows_and_then_columns(x):
    A, T = x.reshape(N, M), C.copy()
    for i in range(M):
        T[i, : i + 1] = A[: i + 1] @ B[i]
    for i in range(M):
        T[: i + 1, i] = A[: i + 1, 0] * A[i, 1]
    return np.sum(W * T**2)


def lower_by_columns(x):
    A, T = x.reshape(N, M), C.copy()
    for j in range(N):
        T[j:, j] = 2.0 * A[j:, 1] - A[j, 0] * A[j:, 2]
    return np.sum(W * T**3)


def added_up(x):
    A, T = x.reshape(3, 4, 3, 3), np.zeros((3, 4, 3, 3))
    for k in range(3):
        for e in range(4):
            for q in range(e + 1):
                T[k, e] += A[k, e - q] @ B[:3, q : q + 3] @ A[k, e - q]
    return np.sum(T**2)


def twice(x):
    T = np.zeros((N, M))
    for i in range(N):
        T[i] = x[i * M : (i + 1) * M] ** 2
    for i in range(N):
        T[i] = T[i] * B[i] + T[i, 0]
    return np.sum(T**2)


WHOLE = {f.__name__: f for f in (rank_k, rank_2k, upper, strictly_lower, rows, columns, inner_rows, cube, twice)}
WHOLE |= {f.__name__: f for f in (covariance, correlation, rows_and_then_columns, lower_by_columns, added_up)}


def running(x):
    T = x.reshape(N, M).copy()
    for i in range(1, N):
        T[i] = T[i] + 0.5 * T[i - 1]
    return np.sum(T**3)


def overlapping(x):
    T = x.copy()
    for i in range(N):
        T[i : i + 3] = T[i : i + 3] * 1.1
    return np.sum(T**3)


def sweep(x):
    T = x.reshape(N, M).copy()
    for i in range(1, N - 1):
        T[i, 1:-1] += 0.3 * T[i - 1, :-2] + 0.2 * T[i + 1, 2:]
    return np.sum(T**3)


def branched(x):
    """Two arrays that begin as one, one of them written into while the other is read."""
    T = x.reshape(N, M).copy()
    for i in range(N):
        T[i] = T[i] * B[i]
    S = T.copy()
    for i in range(N):
        S[i] = S[i] + T[N - 1 - i]
        T[i] = T[i] * 2.0
    return np.sum(S**2 * T)


def unsafe(x):
    """Quotients are not computed where the user's code does not compute them."""
    A, T = x.reshape(N, M) + 3.0, np.zeros((N, N))
    for i in range(N):
        T[i, : i + 1] = A[i, 0] / A[: i + 1, 1]
    return np.sum(T**2)


OTHERS = {f.__name__: f for f in (running, overlapping, sweep, branched, unsafe)}
PROGRAMS = WHOLE | OTHERS
X = RANDOM.normal(size=N * M)


@pytest.mark.parametrize("name", PROGRAMS)
def test_values_and_derivatives_are_those_of_the_program(name: str) -> None:
    f = PROGRAMS[name]
    objective = Objective(f, X)
    objective.source("gradient")
    for x in (X, 0.7 * X, np.zeros(N * M)):
        assert objective.value(x) == pytest.approx(f(x), rel=1e-12, abs=1e-12)
        p = RANDOM.normal(size=x.size)
        slope, doubt = differences.directional(f, x, 0.1 * p)
        assert 0.1 * objective.grad(x) @ p == pytest.approx(slope, rel=1e-6, abs=10 * doubt + 1e-9)
        change = (objective.grad(x + 1e-4 * p) - objective.grad(x - 1e-4 * p)) / 2e-4
        product = objective.hessp(x, p)
        np.testing.assert_allclose(product, change, rtol=1e-5, atol=1e-5 * np.abs(product).max() + 2e-5)


@pytest.mark.parametrize("name", WHOLE)
def test_writes_are_put_together(name: str) -> None:
    tape = Objective(WHOLE[name], X).dispatch.paths[0].tape
    steps = vectorise(tape).steps
    assert sum(step.operation is put for step in steps) <= 2
    assert len(steps) < 60


@pytest.mark.parametrize("name", ["running", "overlapping", "sweep"])
def test_what_overlaps_or_hands_on_stays_as_it_is(name: str) -> None:
    tape = Objective(OTHERS[name], X).dispatch.paths[0].tape
    assert put_together(tape) is tape


def test_rank_k_updates_are_products_of_matrices() -> None:
    assert "@ A.T" in Objective(rank_k, X).source("gradient")
    assert Objective(rank_k, X).source("gradient").count("\n") < 60


def test_entries_that_the_program_does_not_read_may_be_anything() -> None:
    x = X.copy().reshape(N, M)
    data = B.copy()
    data[0], data[-1] = np.nan, np.inf

    def f(x, data):
        A, T = x.reshape(N, M), np.zeros((N, N))
        for i in range(N):
            T[i, :i] = A[i, 0] * A[:i, 1]
            T[i, :i] += data[i, 0] * A[:i, 2] if i < N - 1 else 0.0
        return np.sum(T**2)

    objective = Objective(f, x.ravel(), (data,))
    assert np.isfinite(objective.grad(x.ravel())).all()
    assert objective.value(x.ravel()) == pytest.approx(f(x.ravel(), data), rel=1e-12)


@pytest.mark.parametrize("n", [0, 1, 2, 8, 9])
def test_every_size(n: int) -> None:
    def f(x, C):
        A, T = x.reshape(n, -1) if n else x.reshape(0, 1), C.copy()
        for i in range(n):
            for k in range(A.shape[1]):
                T[i, : i + 1] += A[i, k] * A[: i + 1, k]
        return np.sum(T**2) + np.sum(x)

    x, start = RANDOM.normal(size=9 * n), RANDOM.normal(size=(n, n))
    if n:
        objective = Objective(f, x, (start,))
        p = RANDOM.normal(size=x.size)
        slope, doubt = differences.directional(lambda z: f(z, start), x, 0.1 * p)
        assert 0.1 * objective.grad(x) @ p == pytest.approx(slope, rel=1e-7, abs=10 * doubt)
    else:
        assert f(x, start) == 0.0


def products_of(source: str) -> int:
    """Return how many products of matrices a source has in its statements."""
    lines = [line for line in source.splitlines() if "#" not in line and ".sum(axis=0) @" not in line]
    return sum(line.count(" @ ") for line in lines)


def test_products_with_a_factor_in_common_are_one() -> None:
    assert products_of(Objective(covariance, X).source("gradient")) == 2


def test_products_that_are_each_others_transposes_are_one() -> None:
    def f(x, B, C):
        A, T = x.reshape(len(B), -1), C.copy()
        for i in range(len(B)):
            for k in range(A.shape[1]):
                T[i, : i + 1] += A[: i + 1, k] * 1.5 * B[i, k] + B[: i + 1, k] * 0.5 * A[i, k]
        return np.sum(T**2)

    objective = Objective(f, X, (B, C))
    assert products_of(objective.source("gradient")) == 2
    assert objective.value(X) == pytest.approx(f(X, B, C), rel=1e-12)
    p = RANDOM.normal(size=X.size)
    slope, doubt = differences.directional(lambda x: f(x, B, C), X, 0.1 * p)
    assert 0.1 * objective.grad(X) @ p == pytest.approx(slope, rel=1e-6, abs=10 * doubt)


def test_the_last_of_several_writes_of_an_entry_stands() -> None:
    def f(x):
        A, T = x.reshape(N, M), np.zeros((M, M))
        for i in range(M):
            T[i:, i] = A[0, i] * A[1, i:M]
            T[i, i:] = A[2, i] * A[3, i:M]
        for i in range(M):
            T[i, i] = A[4, i]
        return np.sum(W[:M, :M] * T**3)

    objective = Objective(f, X)
    assert objective.value(X) == pytest.approx(f(X), rel=1e-12)
    p = RANDOM.normal(size=X.size)
    slope, doubt = differences.directional(f, X, 0.1 * p)
    assert 0.1 * objective.grad(X) @ p == pytest.approx(slope, rel=1e-6, abs=10 * doubt)
