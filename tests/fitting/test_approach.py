"""Estimates of many rows: near them by gradients alone, there by Newton's method."""

import numpy as np
import pytest

from autoopt.models import MODELS, LogisticRegression, problem
from autoopt.models.approach import MOST, approached
from autoopt.models.validation import IdentificationWarning

RANDOM = np.random.default_rng(4)
ROWS = 6000
RESPONSES = {
    "gamma": lambda eta: RANDOM.gamma(2.0, np.exp(eta)),
    "huber": lambda eta: eta + RANDOM.normal(size=ROWS),
    "linear": lambda eta: eta + RANDOM.normal(size=ROWS),
    "logistic": lambda eta: (RANDOM.random(ROWS) < 1 / (1 + np.exp(-eta))).astype(float),
    "loglinear": lambda eta: RANDOM.poisson(np.exp(eta)).astype(float),
    "negative-binomial": lambda eta: RANDOM.negative_binomial(2, 1 / (1 + np.exp(eta) / 2)).astype(float),
    "ordered": lambda eta: np.digitize(eta + RANDOM.logistic(size=ROWS), [-1.0, 0.5]).astype(float),
    "quantile": lambda eta: eta + RANDOM.normal(size=ROWS),
    "student": lambda eta: eta + RANDOM.standard_t(4, size=ROWS),
    "tweedie": lambda eta: RANDOM.poisson(np.exp(eta)) * RANDOM.gamma(2.0, 1.0, size=ROWS),
}


def data(name, order):
    """Return a design and a response, in an order that the part of the rows may or may not stand for."""
    X = RANDOM.normal(size=(ROWS, 4))
    y = RESPONSES[name](X @ [0.5, -0.3, 0.2, 0.0] - 0.4)
    if order == "sorted":
        place = np.argsort(y, kind="stable")
        return X[place], y[place]
    if order == "periodic":  # every other row has nothing in a column: a part may see nothing of it
        X[::2, 3] = 0.0
    return X, y


@pytest.mark.parametrize("order", ["random", "sorted", "periodic"])
@pytest.mark.parametrize("name", sorted(RESPONSES))
def test_estimates_and_errors_are_those_without_a_start(name, order, monkeypatch):
    X, y = data(name, order)
    weights = RANDOM.integers(1, 4, size=ROWS).astype(float)
    plain = MODELS[name].estimator().fit(X, y, sample_weight=weights)
    monkeypatch.setattr(problem, "MANY", 500)
    near = MODELS[name].estimator().fit(X, y, sample_weight=weights)
    np.testing.assert_allclose(near.params, plain.params, rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(near.bse, plain.bse, rtol=1e-7)
    assert near.converged_


def test_every_model_with_a_linear_predictor_is_here():
    assert set(MODELS) - {"cox", "contingency"} == set(RESPONSES)


def test_what_has_no_maximum_is_told_as_without_a_start(monkeypatch):
    monkeypatch.setattr(problem, "MANY", 500)
    X = RANDOM.normal(size=(ROWS, 2))
    with pytest.warns(IdentificationWarning, match="no maximum"):
        LogisticRegression().fit(X, (X[:, 0] > 0).astype(float))


H = np.diag([2.0, 5.0, 1.0])


def test_steps_become_those_of_newton():
    x, taken = approached(lambda x: H @ x + x**3, np.full(3, 0.1), 1.2 * H)
    assert np.abs(x).max() < 1e-6 and 3 <= taken < MOST


@pytest.mark.parametrize(
    ("gradient", "hessian"),
    [
        (lambda x: H @ x, -H),
        (lambda x: H @ x, np.full((3, 3), np.nan)),
        (lambda x: H @ x, 1e-3 * H),
        (lambda x: np.where(np.abs(x) < 1, H @ x, np.nan), 0.1 * H),
        (lambda x: -H @ x, H),
    ],
    ids=["indefinite", "not finite", "too long", "undefined beside", "concave"],
)
def test_what_does_not_come_nearer_stays(gradient, hessian):
    start = np.full(3, 0.5)
    x, taken = approached(gradient, start, hessian)
    assert taken <= 1 and np.isfinite(x).all()
