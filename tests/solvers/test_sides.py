"""Kinks where the slopes of the sides cancel: no minimum if f falls from there, a minimum if it rises."""

import numpy as np
import pytest

from autoopt import minimize
from autoopt.objectives.of_data import objective

DATA = np.r_[np.linspace(-3, -1, 20), np.linspace(1, 3, 20) + 0.1]
POINTS = np.r_[np.random.default_rng(0).normal(size=(15, 2)), np.random.default_rng(1).normal(size=(15, 2)) + 4]


def branches(w):
    return sum(min((y - w[0]) ** 2, (y - w[1]) ** 2) for y in DATA[::8])


FALLING = {
    "two means": (lambda w: np.sum(np.minimum((DATA - w[0]) ** 2, (DATA - w[1]) ** 2)), np.zeros(2)),
    "two means, least of all": (lambda w: np.sum(np.min((DATA[:, None] - w) ** 2, axis=1)), np.zeros(2)),
    "hard EM": (
        lambda w: -np.sum(np.maximum(-0.5 * (DATA - w[0]) ** 2, -0.5 * (DATA - w[1]) ** 2)),
        np.full(2, 0.05),
    ),
    "three means in a plane": (
        lambda w: np.sum(np.min(np.sum((POINTS[:, None] - w.reshape(3, 2)) ** 2, axis=2), axis=1)),
        np.zeros(6),
    ),
    "three means and a penalty": (
        lambda w: (
            np.sum(np.min(np.sum((POINTS[:, None] - w.reshape(3, 2)) ** 2, axis=2), axis=1)) + np.sum(np.abs(w)) / 10
        ),
        np.zeros(6),
    ),
    "two means by branches": (branches, np.zeros(2)),
    "roof": (lambda w: -np.abs(w[0]) + w[0] ** 2 + w[1] ** 2, np.array([0.0, 1.0])),
    "cusp": (lambda w: -(np.abs(w[0]) ** 1.5) + w[0] ** 2 + w[1] ** 2, np.array([0.0, 1.0])),
}


@pytest.mark.parametrize("method", [None, "newton-cg"])
@pytest.mark.parametrize("name", FALLING)
def test_no_method_stays_where_centres_are_equal_or_on_a_roof(name, method):
    f, x0 = FALLING[name]
    result = minimize(f, x0, method=method)
    if result.success:  # a method may have come to where the centres differ
        assert len(set(result.x)) == len(x0) and result.fun < 0.9 * f(x0)
        return
    telling = any(word in result.message for word in ("kink", "saddle", "flat", "no progress"))
    assert telling, result.message


def test_direction_from_the_kink_is_told_and_f_falls_along_it():
    f, x0 = FALLING["two means"]
    result = minimize(f, x0, method="newton-cg")
    assert "this is a kink" in result.message and "falls along -x[0] + x[1]" in result.message
    assert f(result.x + [-1e-2, 1e-2]) < result.fun - 1


@pytest.mark.parametrize("method", ["slsqp", "trust-constr"])
def test_kink_under_constraints_is_no_success(method):
    f, x0 = FALLING["two means"]
    result = minimize(f, x0, method=method, constraints={"type": "ineq", "fun": lambda w: 25 - w @ w})
    assert not result.success


def test_kink_of_an_objective_with_differences_for_its_gradient_is_no_success():
    result = minimize(FALLING["two means"][0], np.full(2, 0.05), jac="finite-difference", verify="off", method="bfgs")
    assert not result.success


RISING = {
    "absolute values": (lambda w: np.sum(np.abs(w)), np.zeros(3)),
    "largest": (lambda w: np.max(np.abs(w)), np.zeros(3)),
    "norm": (lambda w: np.linalg.norm(w) + 1.0, np.zeros(3)),
    "square and penalty": (lambda w: np.sum(w**2) + np.sum(np.abs(w)), np.zeros(3)),
    "rectifiers": (lambda w: np.sum(np.maximum(w, 0)) + np.sum(np.maximum(-w, 0)) + w[0] ** 2, np.zeros(3)),
    "median of two": (lambda w: np.abs(w[0] - 1) + np.abs(w[0] + 1), np.zeros(1)),
    "smooth in spite of kinks": (lambda w: np.sum(np.maximum(w, 0) ** 2 + np.minimum(w, 0) ** 2), np.zeros(3)),
    "equal parameters": (lambda w: np.sum((w - 1) ** 4 + (w - 1) ** 2), np.zeros(4)),
}


@pytest.mark.parametrize("method", [None, "newton-cg", "slsqp"])
@pytest.mark.parametrize("name", RISING)
def test_minimum_at_a_kink_stays_a_success(name, method):
    f, x0 = RISING[name]
    result = minimize(f, x0, method=method)
    assert result.success, result.message


def test_objective_says_where_kinks_are_met():
    of_kinks = objective(lambda w: np.sum(np.abs(w)) + np.sum(np.abs(w - w)), np.ones(2))
    assert of_kinks.meets_kinks(np.array([0.0, 1.0])) and not of_kinks.meets_kinks(np.array([2.0, 1.0]))
    assert not objective(lambda w: np.sum(w**2), np.ones(2)).meets_kinks(np.zeros(2))
