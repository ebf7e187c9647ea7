"""Gradients of exactly 0 on a plateau: no success where f falls at its end, a minimum where it rises or stays."""

import numpy as np
import pytest

from autoopt import minimize

Y = np.linspace(-2, 2, 30)
X = np.random.default_rng(0).normal(size=(30, 2))
LABELS = X @ [1.0, 2.0] > 0


def truncated(w):
    return np.sum(np.minimum((Y - w[0]) ** 2, 1.0))


def biweight(w):
    return np.sum(np.where(np.abs(Y - w[0]) < 1, 1 - (1 - (Y - w[0]) ** 2) ** 3, 1.0))


def sigmoid(z):
    return np.where(z > 0, 1 / (1 + np.exp(-np.abs(z))), np.exp(-np.abs(z)) / (1 + np.exp(-np.abs(z))))


PLATEAUS = {
    "truncated squares": (truncated, [9.0]),
    "biweight": (biweight, [50.0]),
    "clipped probability": (lambda w: -np.sum(np.log(np.clip(w, 1e-6, 1))), [-1.0]),
    "saturated sigmoid": (lambda w: np.mean((sigmoid(w[0] * Y * 1e4) - (Y > 0)) ** 2), [-1.0]),
    "saturated tanh": (lambda w: np.mean((np.tanh(w[0] * Y * 500) - np.sign(Y)) ** 2), [-3.0]),
    "two saturated weights": (lambda w: np.mean((sigmoid(X @ w * 3e3) - LABELS) ** 2), [-3.0, -3.0]),
    "underflow": (lambda w: -np.exp(-np.sum((w - 3) ** 2)), [-30.0]),
    "dead rectifier": (lambda w: np.sum((np.maximum(w[0] * np.abs(Y) + w[1], 0) - 1) ** 2), [-1.0, -1.0]),
    "clipped prediction": (lambda w: np.sum((np.clip(w[0] * Y, -1, 1) - np.clip(Y, -1, 1)) ** 2), [-90.0]),
    "in one parameter": (lambda w: truncated(w) + (w[1] - 3) ** 2, [9.0, 0.0]),
    "branch": (lambda w: (w[0] - 1) ** 2 if w[0] < 3 else 4.0 + 0 * w[0], [7.0]),
}


@pytest.mark.parametrize("name", PLATEAUS)
def test_default_goes_on_from_a_plateau_and_ends_lower_if_it_says_success(name):
    f, x0 = PLATEAUS[name]
    result = minimize(f, x0)
    assert result.fun < f(np.array(x0)) - 0.2 if result.success else "Not converged" in result.message


@pytest.mark.parametrize("method", ["bfgs", "newton-cg", "trust-constr"])
@pytest.mark.parametrize("name", PLATEAUS)
def test_plateau_from_which_f_falls_is_no_success(name, method):
    f, x0 = PLATEAUS[name]
    result = minimize(f, x0, method=method)
    assert not result.success
    assert "is flat" in result.message and "falls farther off" in result.message


def test_point_that_the_message_names_is_a_start_from_which_the_run_arrives():
    result = minimize(truncated, [9.0], method="bfgs")
    assert "falls farther off, to" in result.message and "at x[0] = " in result.message
    start = float(result.message.rsplit("x[0] = ", 1)[1].split(". ")[0])
    again = minimize(truncated, [start])
    assert again.success and again.fun < truncated([9.0]) - 5


def test_only_what_is_flat_is_named_by_the_users_names():
    result = minimize(lambda p: truncated([p["mu"]]) + (p["b"] - 3) ** 2, {"mu": 9.0, "b": 0.0}, method="bfgs")
    assert "flat in mu around x" in result.message and "b =" not in result.message


def test_bounds_and_constraints_end_the_search():
    above = minimize(truncated, [9.0], bounds=[(5.0, 20.0)], method="l-bfgs-b")
    assert above.success
    within = minimize(truncated, [9.0], bounds=[(-20.0, 20.0)], method="l-bfgs-b")
    assert not within.success and "is flat" in within.message
    held = minimize(truncated, [9.0], constraints={"type": "ineq", "fun": lambda w: w[0] - 5})
    assert held.success


FLAT_MINIMA = {
    "rectifiers at their bound": (lambda x: np.sum(np.maximum(x, 0)), [-1.0, -2.0]),
    "hinge loss of an exact fit": (lambda w: np.sum(np.maximum(0, 1 - Y[:10] * w[0])), [-9.0]),
    "dead zone": (lambda w: 2 + np.sum(np.maximum(np.abs(w - 1) - 0.5, 0) ** 2), [0.9, 0.9, 0.9]),
    "constant": (lambda x: 0 * x[0] + 5.0, [1.0]),
    "constant in one": (lambda x: 0 * x[0] + (x[1] - 1) ** 2, [1.0, 0.0]),
    "small beside the value": (lambda x: 1e9 + np.sum((x - 1) ** 2), [0.0, 0.0]),
    "sixth power": (lambda x: 5 + np.sum(x**6), [0.0, 0.0]),
    "rises before it falls": (lambda x: np.maximum(np.abs(x[0]) - 1, 0) ** 2 / (1 + x[0] ** 4), [0.5]),
    "defined on an interval": (lambda x: np.where(np.abs(x[0]) < 1, 1.0, np.sqrt(2 - x[0] ** 2)) + 0 * x[0], [0.5]),
}


@pytest.mark.parametrize("method", [None, "newton-cg"])
@pytest.mark.parametrize("name", FLAT_MINIMA)
def test_flat_minimum_stays_a_success(name, method):
    f, x0 = FLAT_MINIMA[name]
    result = minimize(f, x0, method=method)
    assert result.success, result.message


def test_plateau_costs_a_bounded_number_of_evaluations():
    result = minimize(lambda w: np.sum(np.maximum(w, 0)), -np.ones(300))
    assert result.success and result.nfev < 300
