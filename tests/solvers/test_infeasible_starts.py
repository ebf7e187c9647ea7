"""Starts where constraints are missed and have no slope, as in the middle of what they exclude: minima by hand."""

import numpy as np
import pytest

import autoopt

PROBLEMS = {
    "strip": (lambda x: (x[0] - 2) ** 2 + x[1] ** 2, "ineq", lambda x: x[1] ** 2 - 0.01, [-2.0, 0.0], 0.01),
    "circle": (lambda x: (x[0] - 2) ** 2 + x[1] ** 2, "eq", lambda x: x[0] ** 2 + x[1] ** 2 - 1, [0.0, 0.0], 1.0),
    "outside": (lambda x: x[0] ** 2 + x[1] ** 2, "ineq", lambda x: x[0] ** 2 + x[1] ** 2 - 1, [0.0, 0.0], 1.0),
    "product": (lambda x: x[0] ** 2 + x[1] ** 2, "ineq", lambda x: x[0] * x[1] - 1, [0.0, 0.0], 2.0),
    "cosine": (lambda x: x[0] ** 2, "ineq", lambda x: -np.cos(x[0]), [0.0], (np.pi / 2) ** 2),
}


@pytest.mark.parametrize("method", ["slsqp", "trust-constr", "cobyla", "cobyqa"])
@pytest.mark.parametrize("name", PROBLEMS)
def test_a_stationary_point_of_what_is_missed_is_left(name, method):
    f, kind, c, x0, least = PROBLEMS[name]
    r = autoopt.minimize(f, x0, method=method, constraints={"type": kind, "fun": c})
    assert r.success, r.message
    assert r.fun == pytest.approx(least, abs=1e-8)


@pytest.mark.slow_for("cobyla")
@pytest.mark.parametrize("method", ["slsqp", "cobyla"])
def test_a_minimum_of_what_is_missed_is_said_to_be_one(method):
    c = {"type": "ineq", "fun": lambda x: -1 - x[0] ** 2 - x[1] ** 2}
    r = autoopt.minimize(lambda x: x[0] ** 2 + x[1], [1.0, 0.5], method=method, constraints=c)
    assert not r.success and "cannot be met" in r.message
    assert r.x == pytest.approx([0.0, 0.0], abs=1e-6)
