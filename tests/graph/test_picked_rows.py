"""Products with constants that pick an entry are reads of it, with the same derivatives, in loops and elsewhere."""

import numpy as np
import pytest

import autoopt
from autoopt.objectives.objective import Objective

Y = np.random.default_rng(8).normal(size=12)


def matrix(p):
    return np.array([[p[0], p[1] * p[0]], [np.sin(p[1]), p[0] ** 2]])


def left(p, y):
    Z, SECOND = np.array([1.0, 0.0]), np.array([[0, 1]])
    return np.sum((Z @ matrix(p)) ** 2) + np.sum(SECOND @ matrix(p) ** 3)


def right(p, y):
    Z, SECOND = np.array([1.0, 0.0]), np.array([[0, 1]])
    return np.sum((matrix(p) @ Z) ** 2) + np.sum(matrix(p) ** 3 @ SECOND.T)


def both_sides(p, y):
    Z, SECOND = np.array([1.0, 0.0]), np.array([[0, 1]])
    return Z @ matrix(p) @ Z + (SECOND @ matrix(p) ** 2 @ Z)[0] + Z @ (p**3)


def no_pick(p, y):
    Z, NONE = np.array([1.0, 0.0]), np.array([2.0, 0.0])
    return NONE @ matrix(p) @ Z + np.ones(2) @ matrix(p) ** 2 @ NONE


def in_a_loop(p, y):
    T, Z = np.array([[1.0, 1.0], [0.0, 0.9]]), np.array([0.0, 1.0])
    a, P, total = np.zeros(2), np.eye(2), 0.0
    for t in range(len(y)):
        v, F = y[t] - Z @ a, Z @ P @ Z + p[0] ** 2
        K = T @ P @ Z / F
        total += np.log(F) + v**2 / F
        a, P = T @ a + K * v, T @ P @ T.T + np.diag(p**2) - F * np.outer(K, K)
    return total


CASES = [left, right, both_sides, no_pick, in_a_loop]


def complex_step(f, x):
    return np.array([f(x + 1e-200j * e, Y).imag / 1e-200 for e in np.eye(2)])


@pytest.mark.parametrize("f", CASES, ids=lambda f: f.__name__)
def test_derivatives_at_several_points(f):
    objective = Objective(f, np.array([0.7, 0.4]), (Y,), engine="numpy")
    for x in np.array([[0.7, 0.4], [1.3, -0.6], [0.2, 2.0]]):
        value, gradient = objective.value_and_grad(x)
        np.testing.assert_allclose(value, f(x, Y), rtol=1e-12)
        np.testing.assert_allclose(gradient, complex_step(f, x), rtol=1e-10, atol=1e-12)
        h = 1e-3
        weights = {1: 3 / 4, 2: -3 / 20, 3: 1 / 60}
        rows = [
            sum(w * (complex_step(f, x + k * h * e) - complex_step(f, x - k * h * e)) for k, w in weights.items()) / h
            for e in np.eye(2)
        ]
        np.testing.assert_allclose(objective.hess(x), rows, rtol=1e-7, atol=1e-7)


@pytest.mark.slow
def test_the_text_reads_entries():
    text = autoopt.source(in_a_loop, np.array([0.7, 0.4]), (Y,))
    assert "F = P[:, 1, 1] + " in text
    assert "np.array([[0.0, 1.0]])" not in text
    text = autoopt.source(both_sides, np.array([0.7, 0.4]), (Y,))
    body = text[text.index("def value_and_grad(") : text.index("def grad(")]
    assert not [line for line in body.splitlines() if "@" in line and "#" not in line]
