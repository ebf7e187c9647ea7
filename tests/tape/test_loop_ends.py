"""First and last iterations that differ from the others: they are part of the loop, and its derivatives stay right."""

import numpy as np
import pytest
from recurrence_tapes import tape_of

from autoopt.objectives.objective import Objective
from autoopt.tape.batching import flatten
from autoopt.tape.batching.batching import vectorise
from autoopt.tape.recurrence import Recurrence

Y = np.random.default_rng(5).normal(size=20)


def data_to_start_from(p, y):
    """The first iteration but for its end is made of data; the last hands nothing on."""
    h, total = np.var(y), 0.0
    for t in range(len(y)):
        total += np.log(h) + y[t] ** 2 / h
        h = p[0] ** 2 + 0.1 * y[t] ** 2 + np.sin(p[1]) * h
    return total


def matrices(p, y):
    """What is made of a constant start alone is a constant, some of it made once for two places."""
    T, Z, a, P, total = np.array([[1.0, 1.0], [0.0, p[1]]]), np.array([1.0, 0.0]), np.array([y[0], 0.0]), np.eye(2), 0.0
    for t in range(len(y)):
        v, F = y[t] - Z @ a, Z @ P @ Z + np.exp(p[0])
        K = T @ P @ Z / F
        total += 0.5 * (np.log(F) + v**2 / F)
        a, P = T @ a + K * v, T @ P @ T.T + 0.1 * np.eye(2) - F * np.outer(K, K)
    return total


def one_of_two_lives_on(p, y):
    """The last a is read, the last b is not."""
    a, b, total = 1.0, 1.0, 0.0
    for t in range(len(y)):
        total += np.cos(a * y[t]) + b**2
        a, b = np.sin(p[0] * a + b), p[1] * b * np.cos(y[t])
    return total + a


def read_from_the_third_on(p, y):
    """The first iterations have no term of the sum; at 0 it would not be finite."""
    h, total = 0.0, 0.0
    for t in range(len(y)):
        if t > 1:
            total += np.log(h) * y[t]
        h = 0.5 * h + p[0] ** 2 * np.exp(0.1 * p[1] * y[t])
    return total


def last_state_without_slope(p, y):
    """What the last iteration hands on is 0, and has no slope: nobody reads it."""
    h, total = 1.0 + 0.0 * p[0], 0.0
    for t in range(len(y)):
        total += p[1] * h**2 + p[0] * y[t] * h
        h = np.sqrt(h * (1.0 - (t == len(y) - 1)))
    return total


def first_kept_for_all(p, y):
    """All later iterations read what the first has made."""
    h, total, first = y[0], 0.0, None
    for t in range(len(y)):
        slope = np.tanh(p[0] * h)
        first = slope if first is None else first
        total += (slope - y[t]) ** 2 * first
        h = p[1] * h + np.cos(y[t])
    return total


def two_back(p, y):
    """What is handed on over two iterations."""
    before, earlier, total = y[0], y[1], 0.0
    for t in range(2, len(y)):
        total += (y[t] - before * p[0]) ** 2 + np.sin(earlier)
        before, earlier = np.tanh(p[0] * before + p[1] * earlier) + y[t], before
    return total


def loop_after_loop(p, y):
    """The second starts from what the last iteration but one of the first hands on."""
    total, h = 0.0, y[0]
    for t in range(len(y)):
        total += h**2
        last, h = h, np.sin(p[0] * h) + y[t]
    for t in range(len(y)):
        total += last * y[t]
        last = np.cos(p[1] * last + y[t])
    return total


def epidemic(p, y):
    """Several states by scalars, none of which lives on."""
    s, i, total = 0.9, 0.1, 0.0
    for t in range(len(y)):
        total += (i - 0.1 * y[t]) ** 2
        new = p[0] * s * i
        s, i = s - new, i + new - p[1] ** 2 * i
    return total


CASES = [
    (data_to_start_from, [0.6, 0.7]),
    (matrices, [0.2, 0.9]),
    (one_of_two_lives_on, [0.4, 0.8]),
    (read_from_the_third_on, [0.9, 0.3]),
    (last_state_without_slope, [0.3, 0.7]),
    (first_kept_for_all, [0.5, 0.6]),
    (two_back, [0.4, -0.3]),
    (loop_after_loop, [0.4, 0.9]),
    (epidemic, [0.6, 0.4]),
]
IDS = [f.__name__ for f, _ in CASES]


def complex_step(f, x):
    return np.array([f(x + 1e-200j * e, Y).imag / 1e-200 for e in np.eye(len(x))])


def second(f, x, direction):
    """The product with the Hessian, by differences of sixth order of complex steps."""
    weights = {1: 45, 2: -9, 3: 1}
    h = 2e-3
    ahead = [
        w * (complex_step(f, x + k * h * direction) - complex_step(f, x - k * h * direction))
        for k, w in weights.items()
    ]
    return sum(ahead) / (60 * h)


@pytest.mark.parametrize(("f", "start"), CASES, ids=IDS)
def test_derivatives_at_several_points(f, start):
    objective = Objective(f, np.array(start), (Y,), engine="numpy")
    for x in (np.array(start), np.array(start) * 1.1, np.array(start) - 0.05):
        direction = np.array([0.3, -0.7])
        value, gradient = objective.value_and_grad(x)
        np.testing.assert_allclose(value, f(x, Y), rtol=1e-13)
        np.testing.assert_allclose(gradient, complex_step(f, x), rtol=1e-11, atol=1e-13)
        np.testing.assert_allclose(objective.hessp(x, direction), second(f, x, direction), rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize(
    ("f", "start", "iterations"), [(*CASES[0], 19), (*CASES[1], 19), (*CASES[8], 19)], ids=[IDS[0], IDS[1], IDS[8]]
)
def test_an_iteration_less_hands_on_than_is_read(f, start, iterations):
    tape = vectorise(tape_of(f, start, Y))
    loops = [step.operation for step in tape.steps if isinstance(step.operation, Recurrence)]
    assert sorted((loop.carries > 0, loop.count) for loop in loops) == [(False, 20), (True, iterations)]


@pytest.mark.slow_for("matrices-np.log(")
@pytest.mark.parametrize(("f", "once"), [(matrices, "np.log("), (matrices, "** 2"), (epidemic, "**2")])
def test_no_iteration_is_written_twice(f, once):
    start = dict(CASES)[f]
    text = Objective(f, np.array(start), (Y,), engine="numpy").source("value")
    assert sum(once in line for line in text.splitlines() if "#" not in line) <= 1


def test_what_is_prepared_has_a_name_of_its_own(monkeypatch):
    monkeypatch.setattr(flatten, "LONG", 2)  # so that the data's part of the sum, called total, is prepared
    x = np.array([0.6, 0.7])
    value, gradient = Objective(data_to_start_from, x, (Y,), engine="numpy").value_and_grad(x)
    np.testing.assert_allclose(value, data_to_start_from(x, Y), rtol=1e-13)
    np.testing.assert_allclose(gradient, complex_step(data_to_start_from, x), rtol=1e-11)
