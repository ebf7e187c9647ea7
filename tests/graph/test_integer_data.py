"""Data of any type give what they give as float64: algebra calculates with integers nowhere that the user does not."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

import autoopt
from autoopt.execution.eager.functions import EagerFunctions

TYPES = ("bool", "uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64", "float32", "float64")
W = np.array([0.1, -0.2, 0.05])
RNG = np.random.default_rng(0)
X = np.round(RNG.normal(size=(12, 3)) * 8) / 8  # exact in single precision
FLAGS = RNG.random(12) > 0.4
SMALL = RNG.integers(0, 100, 12)


def logistic(w, X, y):
    z = X @ w
    return np.sum(np.log(1 + np.exp(z)) - y * z)


def poisson(w, X, y):
    eta = X @ w
    return np.sum(np.exp(eta) - y * eta)


def weibull(w, X, y):
    z = (X[:, 0] - w[0] - w[1] * X[:, 1]) / np.exp(w[2])
    return -np.sum(y * (z - w[2]) - np.exp(z))


def polynomial(w, X, y):
    residuals = X[:, 0] - w[0] - w[1] * y - w[2] * (y * w[0]) * y
    return np.sum(residuals**2) / 1e6


def decaying(w, X, y):
    return np.sum(np.exp(-(y * w[0])))


def squares(w, X, y):
    return np.sum((w[0] * y - w[1]) ** 2 + y * w[1] * y * w[2]) / 1e4


def interactions(w, X, y):
    u = y[:, None] * w
    return np.sum(np.where(X > 0.5, -u * y[:, None], y[:, None] * w**2)) + np.sum(-(y * w[0]) * (y @ X @ w))


def negatives(w, X, y):
    return np.sum(-(w[0] - y) * y) + np.sum((y - w[1]) * (w[2] - y)) + np.sum((1.0 - y) * np.exp(w[0]))


def products(w, X, y):
    matrix = np.stack([y, y[::-1], y], axis=1)
    return np.sum((np.dot(matrix * w[0], w) - y * w[1]) ** 2) / 1e4


def powers(w, X, y):
    return np.sum((w[0] + 2) ** (y / 64)) + np.sum(np.maximum(w[1] * y, y * w[0])) + np.sum((w[0] + 1) ** y) / 1e4


def likelihoods(w, X, y):
    return logistic(w, X, y) + poisson(w, X, y) + weibull(w, X, y)


def sums(w, X, y):
    return polynomial(w, X, y) + decaying(w, X, y) + squares(w, X, y)


MODELS = (logistic, decaying, squares, likelihoods, sums, interactions, negatives, products, powers)
ALONE = (likelihoods, sums, interactions, negatives, powers)
DIRECTION = np.array([0.5, 1.5, -0.5])


def of_type(dtype):
    """Return whole numbers that fit the type, and whose squares fit no narrow one."""
    return FLAGS.astype(dtype) if dtype == "bool" else SMALL.astype(dtype)


@cache
def expected(function, numbers):
    """Return the derivatives for doubles, the gradient of which agrees with differences of the user's function."""
    data = X, np.array(numbers, dtype=float)
    objective = autoopt.objective(function, W, *data)
    known = {"value_and_grad": objective.value_and_grad(W), "hess": objective.hess(W)}
    value, gradient = known["value_and_grad"]
    steps = 1e-5 * np.eye(3)
    slopes = np.array([(function(W + h, *data) - function(W - h, *data)) / 2e-5 for h in steps])
    np.testing.assert_allclose(value, function(W, *data), rtol=1e-10)
    np.testing.assert_allclose(gradient, slopes, rtol=1e-5, atol=1e-5 * np.abs(slopes).max())
    return known


def assert_alike(found, known):
    for one, other in zip(found if isinstance(found, tuple) else (found,), known, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-8 * np.max(np.abs(other)))


def refuses(function, dtype):
    """Whether NumPy refuses what the user writes: `-y` and `y - y` of booleans."""
    return dtype == "bool" and function in (interactions, negatives)


@pytest.mark.slow_for("uint64-squares")
@pytest.mark.sampled(4)
@pytest.mark.parametrize("function", MODELS, ids=lambda function: function.__name__)
@pytest.mark.parametrize("dtype", ["bool", "uint8", "uint64", "int8", "int16", "float32"])
def test_objectives_give_what_they_give_for_doubles(function, dtype):
    y = of_type(dtype)
    if refuses(function, dtype):
        return
    known = expected(function, tuple(y.tolist()))
    objective = autoopt.objective(function, W, X, y)
    assert_alike(objective.value(W), known["value_and_grad"][:1])
    assert_alike(objective.value_and_grad(W), known["value_and_grad"])
    assert_alike(objective.hess(W), (known["hess"],))
    assert_alike(objective.hessp(W, DIRECTION), (known["hess"] @ DIRECTION,))
    tape = objective.dispatch.original.steps_at(W)
    assert_alike(EagerFunctions(tape, "value_and_grad", "", checked=False).run(W), known["value_and_grad"])
    assert_alike(EagerFunctions(tape, "hess", "", checked=False).run(W), (known["hess"],))


@cache
def module(function, dtype):
    text = autoopt.source(function, W, (X, of_type(dtype)), derivatives=("gradient", "hessian", "hvp"))
    made = {"__name__": "made"}
    exec(text, made)
    return made


@pytest.mark.slow
@pytest.mark.sampled(3)
@pytest.mark.parametrize("function", ALONE, ids=lambda function: function.__name__)
@pytest.mark.parametrize("own", ["float64", "uint8"])
def test_modules_are_right_for_data_of_any_type(function, own):
    made = module(function, own)
    for dtype in TYPES:
        y = of_type(dtype)
        if refuses(function, dtype):
            continue
        known = expected(function, tuple(y.tolist()))
        assert_alike(made["value_and_grad"](W, X, y), known["value_and_grad"])
        assert_alike(made["hess"](W, X, y), (known["hess"],))
        assert_alike(made["hvp"](W, DIRECTION, X, y), (known["hess"] @ DIRECTION,))
