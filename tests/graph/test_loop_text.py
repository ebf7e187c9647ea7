"""Loops as they are printed: the user's names, no arrays that only put others together, no iteration for nothing."""

from __future__ import annotations

import numpy as np
import pytest
from derivative_checks import check_gradient, check_hessp, check_value

import autoopt
from autoopt.objectives.objective import Objective

RNG = np.random.default_rng(5)


def garch(p, y):
    omega, alpha, beta = p
    sigma2 = np.var(y)
    total = 0.0
    for t in range(len(y)):
        total += 0.5 * (np.log(sigma2) + y[t] ** 2 / sigma2)
        sigma2 = omega + alpha * y[t] ** 2 + beta * sigma2
    return total


def garch_in_an_array(p, y):
    sigma2 = np.zeros(len(y))
    sigma2[0] = y.var()
    for t in range(1, len(y)):
        sigma2[t] = p[0] + p[1] * y[t - 1] ** 2 + p[2] * sigma2[t - 1]
    return 0.5 * np.sum(np.log(sigma2) + y**2 / sigma2)


def starts_from_the_parameters(p, y):
    level = p[2] * p[0]
    total = 0.0
    for t in range(len(y)):
        total += (y[t] - level) ** 2
        level = level + p[1] * (y[t] - level)
    return total


def last_state_only(p, y):
    level = 1.0
    for t in range(len(y)):
        level = np.tanh(p[0] * level + p[1] * y[t]) + p[2]
    return level**2


def epidemic(p, y):
    S, I = 0.9, 0.1
    total = 0.0
    for t in range(len(y)):
        new = p[0] * S * I
        S = S - new
        I = I + new - p[1] * I
        total += (I - p[2] * y[t]) ** 2
    return total


def filtered(p, y):
    m, P = 0.0, 1.0
    total = 0.0
    for t in range(len(y)):
        m_pred = p[0] * m
        P_pred = p[0] ** 2 * P + p[1]
        S = P_pred + p[2]
        v = y[t] - m_pred
        K = P_pred / S
        total += np.log(S) + v**2 / S
        m = m_pred + K * v
        P = (1 - K) * P_pred
    return total


def network(p, y):
    W = p[:1] * np.eye(2) + p[1] * np.ones((2, 2))
    h = np.zeros(2)
    total = 0.0
    for t in range(len(y)):
        h = np.tanh(W @ h + y[t])
        total += np.sum((h - p[2]) ** 2)
    return total


MODELS = (
    garch, garch_in_an_array, starts_from_the_parameters, last_state_only, epidemic, filtered, network,
)  # fmt: skip
X0 = np.array([0.4, 0.2, 0.3])


@pytest.mark.slow_for("network-2")
@pytest.mark.sampled(3)
@pytest.mark.parametrize("rows", [1, 2, 5, 6, 7, 30])
@pytest.mark.parametrize("f", MODELS, ids=lambda f: f.__name__)
def test_derivatives(f, rows) -> None:
    y = RNG.normal(size=rows) + (rows == 1)
    if rows == 1 and "garch" in f.__name__:
        pytest.skip("one number has no variance")
    objective = Objective(f, X0, (y,))
    for x in (X0, np.array([0.9, 0.35, 0.5])):
        check_value(objective, x)
        check_gradient(objective, x, 0.0)
        for direction in np.eye(3):
            check_hessp(objective, x, direction, 0.0)
    np.testing.assert_allclose(objective.hessp(X0, np.eye(3)), objective.hess(X0), rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("f", [garch, garch_in_an_array, filtered, network], ids=lambda f: f.__name__)
def test_cotangents_are_handed_on_as_they_are(f) -> None:
    text = autoopt.source(f, X0, (RNG.normal(size=30),))
    body = text[text.index("def value_and_grad(") :]
    for word in ("np.zeros(n", "np.zeros(30", "np.zeros((30", ".copy()", "[1:] +=", "[:-1] +="):
        assert word not in body, word
    assert "_slope" in body


@pytest.mark.slow
def test_the_adjoint_of_what_is_given_is_not_computed() -> None:
    text = autoopt.source(filtered, X0, (RNG.normal(size=30),))
    assert "\n    m_path = np.empty(n)" in text and "\n    m_slope_path = np.empty(n - 1)" in text
    text = autoopt.source(garch, X0, (RNG.normal(size=30),))
    assert ")[:0:-1], beta)" in text


@pytest.mark.slow
def test_the_users_names_and_lines_stand_in_the_loop() -> None:
    text = autoopt.source(filtered, X0, (RNG.normal(size=30),))
    body = text[text.index("    for t in range(") : text.index("    S = ")]
    for line in ("# m_pred = p[0] * m", "m_pred = ", "P_pred = ", "v = y[t] - m_pred", "m, P = next_m, "):
        assert line in body, line
    text = autoopt.source(garch_in_an_array, X0, (RNG.normal(size=30),))
    assert "sigma2_path = linear_recurrence(np.append(sigma2_0," in text


@pytest.mark.slow
def test_a_slope_reads_what_the_loop_has_computed() -> None:
    text = autoopt.source(network, X0, (RNG.normal(size=30),))
    assert text.count("np.tanh(") == 1 + text.count("# h = np.tanh(")


def test_what_is_written_beside_is_not_read_through_copies() -> None:
    choice = np.array([0, 2, 1, 2])
    X = RNG.normal(size=(4, 3))

    def f(p, X, choice):
        logp = np.zeros((4, 3))
        for j in range(3):
            logp[:, j] = np.sin(X[:, j] * p[0]) * p[1] ** j
        return np.sum(logp[np.arange(4), choice] ** 2) + np.sum(logp[:2, 1:])

    text = autoopt.source(f, np.ones(2), (X, choice))
    assert ".copy()" not in text
    objective = Objective(f, np.ones(2), (X, choice))
    for x in (np.ones(2), np.array([0.3, -1.2])):
        check_value(objective, x)
        check_gradient(objective, x, 0.0)
        check_hessp(objective, x, np.array([0.6, -0.8]), 0.0)
