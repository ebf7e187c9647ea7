"""Loops whose iterations are of a few kinds: few steps, and the values and derivatives of the loop as it stands."""

from __future__ import annotations

import numpy as np
import pytest
from derivative_checks import check_gradient, check_hessp, check_value
from long_loops import check_text, compare_tapes
from loop_texts import write

from autoopt.objectives.objective import Objective
from autoopt.parameters import Structure
from autoopt.tape.batching import batching
from autoopt.tape.batching.batching import vectorise
from autoopt.tape.recurrence import Recurrence
from autoopt.tracing.trace import trace

RANDOM = np.random.default_rng(11)
N = 120
Y = RANDOM.normal(size=N)
SEEN = RANDOM.uniform(size=N) < 0.7
THIRD = RANDOM.integers(0, 3, size=N)
MISSING = np.where(SEEN, Y, np.nan)
X = np.array([0.4, -0.3, 0.6])


def kalman(p):
    phi, q, r = np.tanh(p[0]), np.exp(p[1]), np.exp(p[2])
    a, P, total = 0.0, 1.0, 0.0
    for t in range(N):
        a, P = phi * a, phi * phi * P + q
        if np.isnan(MISSING[t]):
            continue
        v, F = MISSING[t] - a, P + r
        total += np.log(F) + v * v / F
        a, P = a + P / F * v, P * (1 - P / F)
    return total


def kalman_with_matrices(p):
    T, r = np.array([[1.0, 1.0], [0.0, np.tanh(p[0])]]), np.exp(p[2])
    Q, Z = np.diag(np.exp(p[:2])), np.array([1.0, 0.5])
    a, P, total = np.zeros(2), np.eye(2), 0.0
    for y in MISSING:
        a, P = T @ a, T @ P @ T.T + Q
        if not np.isnan(y):
            v, F = y - Z @ a, Z @ P @ Z + r
            total += np.log(F) + v * v / F
            a, P = a + P @ Z / F * v, P - np.outer(P @ Z, P @ Z) / F
    return total


def kalman_of_vectors(p):
    T, R = np.array([[0.9, 0.3], [0.0, np.tanh(p[0])]]), np.diag(np.exp(p[:2]))
    a, P, total = np.zeros(2), np.eye(2), 0.0
    for t in range(N):
        a, P = T @ a, T @ P @ T.T + np.exp(p[2]) * np.eye(2)
        if SEEN[t]:
            v, F = np.array([Y[t], Y[t - 1]]) - a, P + R
            total += np.linalg.slogdet(F)[1] + v @ np.linalg.solve(F, v)
            K = P @ np.linalg.inv(F)
            a, P = a + K @ v, P - K @ P
    return total


def three_ways(p):
    h, s = p[0], 0.0
    for t in range(N):
        if THIRD[t] == 0:
            h = np.tanh(p[1] * h + Y[t])
        elif THIRD[t] == 1:
            h = h * p[2] + np.sin(h)
        else:
            s = s + h * h
        s = s + np.exp(-h)
    return s


def on_values(p):
    h, s = p[0], 0.0
    for t in range(N):
        e = Y[t] - h
        s += e * e
        if e > 0:
            h = h - p[1] * e
        else:
            e = p[2] * np.tanh(e)
            h = h + e
    return s


def where_the_other_branch_is_undefined(p):
    h, s = p[0], 0.0
    for t in range(N):
        h = 0.3 * np.sin(h) + p[1] * Y[t]
        if h > 0:
            s += np.log(h) * p[2]
            h = h + 0.02 * np.sqrt(h)
        else:
            s += 1.0 / (h - 1.0)
            h = h - 0.1 / np.arccos(h / 9.0)
    return s


def of_data_that_the_other_branch_lacks(p):
    h, s = p[0], 0.0
    for t in range(N):
        z = Y[t] * p[1]
        h = np.cos(h) + z
        if Y[t] > 0:
            h = h * np.log(Y[t]) + np.sqrt(Y[t] * np.exp(p[2]))
        s += h * h
    return s


def within_sums(p):
    h, s, weights = p[0], 0.0, np.array([0.3, 0.2, 0.1])
    for t in range(N):
        h = 0.3 * np.sin(h) + p[1] * Y[t]
        if h > 0:
            s += weights @ np.log(h * weights) + np.sum(np.sqrt(h * weights))
            h = h + np.dot(weights, np.sqrt(h * weights)) * p[2]
        s += h * h
    return s


def singular_where_not_taken(p):
    h, s, M = p[0] * np.eye(2), 0.0, np.array([[1.0, 2.0], [2.0, 4.0]])
    for t in range(N):
        h = 0.5 * np.sin(h) + p[1] * Y[t] * np.eye(2) * SEEN[t] - SEEN[t - 1] * h / 2
        if SEEN[t]:
            s += np.linalg.slogdet(h @ h + p[2] ** 2 * SEEN[t] * np.eye(2))[1]
        h = h * SEEN[t] + 1e-3 * M * p[2]
        s += np.sum(h * h)
    return s


def last_seen(p):
    h, last, s = p[0], p[1], 0.0
    for t in range(N):
        if SEEN[t]:
            last = h * p[2] + Y[t]
        h = np.tanh(h + 0.5 * last)
        s += h * h
    return s


def two_questions(p):
    h, w, s = p[0], p[1], 0.0
    for t in range(N):
        if SEEN[t]:
            h = np.tanh(h + Y[t])
        if THIRD[t]:
            w = w * h + p[2]
        s += h * w
    return s


def only_exponentials(p):
    h, s = p[0], 0.0
    for t in range(N):
        h = 0.5 * h + p[1] * Y[t]
        if SEEN[t]:
            h = h - np.exp(-h * h) * p[2]
        else:
            s = s + np.maximum(h, p[2]) + np.abs(h - p[0])
        s = s + h
    return s


def written(p):
    out = np.zeros(N)
    out[0] = p[0]
    for t in range(1, N):
        if SEEN[t]:
            out[t] = np.tanh(p[1] * out[t - 1] + Y[t])
        else:
            out[t] = out[t - 1] * p[2]
    return np.sum(out**2)


CASES = [
    kalman, kalman_with_matrices, kalman_of_vectors, three_ways, on_values, where_the_other_branch_is_undefined,
    of_data_that_the_other_branch_lacks, within_sums,
    singular_where_not_taken, last_seen, two_questions, only_exponentials, written,
]  # fmt: skip


@pytest.mark.parametrize("f", CASES, ids=lambda f: f.__name__)
def test_a_branch_in_a_recurrence_leaves_a_loop_of_the_same_values(f) -> None:
    tape = trace(f, Structure.of(X), X).tape
    short = vectorise(tape)
    assert any(isinstance(step.operation, Recurrence) for step in short.steps)
    assert len(short.steps) < 200
    compare_tapes(tape, [X, X * (1 + 1e-9)])


@pytest.mark.sampled(3)
@pytest.mark.parametrize("f", CASES, ids=lambda f: f.__name__)
def test_a_branch_in_a_recurrence_has_the_derivatives_of_differences(f) -> None:
    objective = Objective(f, X)
    check_value(objective, X)
    check_gradient(objective, X, 0.0)
    check_hessp(objective, X, np.array([0.6, -0.7, 0.3]), 0.0)


@pytest.mark.slow_for("5010", "5030")
@pytest.mark.parametrize("seed", range(5000, 5060, 10))
@pytest.mark.sampled(9)
def test_random_loops_made_alike_have_the_value_of_the_unrolled_tape(seed, monkeypatch) -> None:
    monkeypatch.setattr(batching, "MANY", 0)
    for k in range(10):
        check_text(write(seed + k), second_order=False)
