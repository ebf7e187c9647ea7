"""Loops over rows of data or of parameters, against complex steps of the plain function."""

from __future__ import annotations

import numpy as np
import pytest
from complex_steps import compare

import autoopt

RANDOM = np.random.default_rng(11)
D = RANDOM.normal(size=(20, 3))
M = RANDOM.normal(size=(20, 3, 3))
E = RANDOM.uniform(0.2, 1.2, size=(3, 3))
SEEN = RANDOM.integers(0, 3, size=30)
Y = RANDOM.normal(size=24)
TAU, STRIKES = np.array([0.25, 0.5, 0.75]), np.array([90.0, 100.0, 110.0])
POINTS = [[0.7, 0.3], [0.2, -0.4], [1.1, 0.6]]


def sum_of_an_exponential(p):
    a = p[0]
    for row in D:
        a = 0.5 * a + p[1] * np.exp(row).sum()
    return a**2


def largest_in_absolute_value(p):
    a = p[0]
    for row in D:
        a = np.tanh(0.5 * a + p[1] * np.max(np.abs(row)))
    return a


def places_from_arithmetic(p):
    a = np.array([p[0], p[1], 1.0])
    for o in SEEN:
        a = a * E[(o + np.arange(3)) % 3][:, 0]
        a = a / a.sum() + p[1]
    return a.sum() + a[0] ** 2


def hidden_markov(p):
    A = np.array([[p[0] ** 2 + 0.5, 0.5], [0.2, p[1] ** 2 + 0.3]])
    state, total = np.array([0.5, 0.5]), 0.0
    for y in Y:
        density = np.exp(-0.5 * (y - np.array([0.0, 1.0])) ** 2)
        density = density / density.sum()
        state = (state @ A) * density
        total += np.log(np.sum(state))
        state = state / np.sum(state)
    return total


def normalised_least_mean_squares(p):
    w, total = np.array([p[0], p[1], 0.0]), 0.0
    for row, y in zip(D, Y, strict=False):
        e = y - w @ row
        w = w + p[1] * e * row / (1e-3 + (row**2).sum())
        total += e**2
    return total


def masked_rows(p):
    a = p[0]
    for row in D:
        a = a * 0.3 + p[1] * np.exp(row)[row > 0].sum()
    return a * a


def first_iteration_special(p):
    a = p[0]
    for k, row in enumerate(D):
        a = a + np.exp(row).sum() if k == 0 else 0.5 * a + p[1] * np.exp(row).sum()
    return a * a


def two_loops(p):
    a, b = p
    for row in D:
        a = 0.5 * a + p[1] * np.exp(row).sum()
    for row in D[::-1]:
        b = 0.4 * b + a * 0.1 * np.mean(np.sqrt(np.abs(row)))
    return a * b


def loop_in_a_loop(p):
    a = p[0]
    for row in D:
        s = 0.0
        for matrix in M[:4]:
            s = s + np.exp(row * matrix[0]).sum()
        a = 0.5 * a + p[1] * s * 0.01
    return a * a


def reduced_for_the_sum_alone(p):
    a, total = p[0], 0.0
    for row in D:
        e = np.exp(row)
        a = 0.5 * a + p[1] * e[0]
        total = total + a * np.sum(p[0] * e) * np.sum(np.log1p(e))
    return total


def reduced_one_iteration_later(p):
    a, before = p[0], np.ones(3)
    for row in D:
        e = np.exp(row)
        a = 0.5 * a + p[1] * (e * before).sum()
        before = e
    return a * a


def data_handed_on(p):
    a, running, largest = p[0], np.zeros(3), -np.inf
    for row in D:
        running = 0.9 * running + np.exp(row)
        largest = np.maximum(largest, np.max(row**2))
        a = 0.5 * a + p[1] * running.sum() * 0.1 + 0.1 * largest * p[0]
    return a * a


def matrices_of_data(p):
    a = np.array([p[0], p[1], 0.3])
    for matrix in M:
        a = np.tanh(np.linalg.inv(np.exp(matrix) + 3 * np.eye(3)) @ a + p[0] * np.trace(np.cos(matrix)))
    return a.sum()


ROWS = [
    sum_of_an_exponential,
    largest_in_absolute_value,
    places_from_arithmetic,
    hidden_markov,
    normalised_least_mean_squares,
    masked_rows,
    first_iteration_special,
    two_loops,
    loop_in_a_loop,
    reduced_for_the_sum_alone,
    reduced_one_iteration_later,
    data_handed_on,
    matrices_of_data,
]


@pytest.mark.parametrize("f", ROWS, ids=lambda f: f.__name__)
@pytest.mark.sampled(5)
def test_a_step_of_data_between_a_row_and_a_recurrence_stays_before_the_loop(f) -> None:
    compare(f, POINTS)


def test_complex_steps_of_data_before_a_recurrence() -> None:
    def f(x):
        t = 0
        for i in range(1, 7):
            u = 0.3 * i
            forward = np.exp((u - 1j) * 1j * TAU) * np.exp(-x[0] * (u - 1j) ** 2)
            t += (forward - np.exp(u * 1j * TAU) * np.exp(-x[0] * u**2)) * np.exp(1j * u * STRIKES)
        return np.sum(np.real(t))

    value_and_grad = autoopt.value_and_grad(f)
    for x in (0.05, 0.2):
        value, gradient = value_and_grad([x])
        slope = (f([x + 1e-5]) - f([x - 1e-5])) / 2e-5
        assert value == pytest.approx(f([x]), rel=1e-12)
        assert gradient[0] == pytest.approx(slope, rel=1e-8)
    assert value_and_grad([0.05])[1][0] == pytest.approx(3.7101, abs=5e-5)


EMPTY = {
    "sums": lambda p, k: np.sum(p[k, 3:]) + p[k, 0] ** 2,
    "ragged ends": lambda p, k: np.sum(p[k, :k] ** 2) * p[k, 0],
    "ragged starts": lambda p, k: np.sum(p[k, k:] ** 3),
    "products": lambda p, k: np.prod(p[k, k:]) * p[0, 0],
    "elementwise": lambda p, k: np.sum(np.exp(p[k, 5:])) + p[k, 1] ** 2,
    "rows": lambda p, k: np.sum(p[k:k].sum(axis=0) * p[k]) + p[k, 1] ** 3,
    "columns": lambda p, k: np.sum(p[:, 3:] @ p[k, 3:]) + np.sum(p[k] ** 2),
    "inner products": lambda p, k: p[k, :0] @ p[k, :0] + p[k, :k] @ p[:k, 0][:3] if k < 3 else p[k, 0],
    "joined": lambda p, k: np.sum(np.concatenate([p[k, 3:], p[k, :2]]) ** 2),
    "outer": lambda p, k: np.sum(np.outer(p[k, :k], p[k])) + np.sum(np.outer(p[k, 3:], p[k])),
    "running sums": lambda p, k: np.sum(np.cumsum(p[k, 3:])) + p[k, 0] ** 2,
    "no positions": lambda p, k: np.sum(p[k, np.arange(k)[:3]] ** 2) + p[k, 0] ** 2,
    "behind the end": lambda p, k: np.sum(p[k, -1:0] ** 2) + p[k, 0] ** 2,
}


@pytest.mark.slow_for("inner products")
@pytest.mark.parametrize("body", EMPTY.values(), ids=EMPTY)
@pytest.mark.sampled(3)
def test_empty_slices_in_a_loop(body) -> None:
    def f(p):
        total = 0.0
        for k in range(5):
            total += body(p, k)
        return total

    x = RANDOM.normal(size=(5, 3))
    compare(f, [x, 0.5 * x + 0.1])


@pytest.mark.parametrize("width", [3, 4, 6])
def test_slices_that_are_empty_for_narrow_parameters(width) -> None:
    def f(p):
        total = 0.0
        for k in range(5):
            total += np.sum(p[k, 3:] ** 2)
        return total

    compare(f, [RANDOM.normal(size=(5, width)), RANDOM.normal(size=(5, width))])


def test_what_is_empty_at_one_point_is_not_at_another() -> None:
    objective = autoopt.objective(lambda p: np.sum(p[p > 5] ** 2) + np.sum(p[np.flatnonzero(p > 8)]) + p[0], [1.0, 2.0])
    for x in ([1.0, 2.0], [7.0, 9.0], [3.0, 6.0]):
        x = np.array(x)
        np.testing.assert_allclose(objective.grad(x), 2 * x * (x > 5) + (x > 8) + [1, 0])


def test_recurrence_with_empty_slices_of_data() -> None:
    def f(p):
        a = p[0]
        for k in range(20):
            a = 0.5 * a + np.sum(p[1] * D[k, : k % 4]) + np.sum(D[k, 3:] * p[0])
        return a**2

    compare(f, POINTS)


def one_state_from_two(p):
    a, b, total = 1.0 * p, 2.0 * p, 0.0
    for _ in range(20):
        c = np.tanh(a + 0.5 * b[::-1])
        total = total + c.sum() * b[0]
        a, b = c, c
    return total


def three_states_of_one(p):
    a, b, c, total = p[0], 2.0 * p[1], p[0] * p[1], 0.0
    for _ in range(20):
        state = 0.5 * (a + np.cos(b)) + 0.1 * p[0] * c
        total = total + state * b
        a, b, c = state, state, a
    return state**2 + total


def an_iteration_that_ends_like_another(p):
    a, total, before = p[0], 0.0, 0.3
    for k, row in enumerate(D):
        a = a * 0.9 + 0.01 * p[1]
        total = total + np.sin(a) * row[SEEN[k]]
        if k > 2:
            total = total + a * before
        before = row[SEEN[k]]
    return total


def until_it_stays(p):
    a, b = 1.0 * p, 2.0 * p
    while True:
        c = np.tanh(0.6 * a + 0.3 * b[::-1])
        if np.abs(np.real(c - a)).max() < 1e-2:
            return np.sum(c * np.array([1.0, 2.0]))
        a, b = c, c


STARTS = [one_state_from_two, three_states_of_one, an_iteration_that_ends_like_another, until_it_stays]


@pytest.mark.parametrize("f", STARTS, ids=lambda f: f.__name__)
def test_a_state_that_starts_from_several_values_is_no_single_carry(f) -> None:
    compare(f, POINTS)
