"""Parameters that the data do not fix are named, with the direction, where a run ends well; others are not."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from scipy.special import logsumexp

import autoopt

RANDOM = np.random.default_rng(0)
t, X = RANDOM.normal(size=60), RANDOM.normal(size=(60, 3))
y = 2 * t + 0.1 * RANDOM.normal(size=60)
label = RANDOM.integers(0, 3, 60)
same = np.column_stack([X, X[:, 0] + X[:, 1]])


def product(p):
    return np.sum((y - p["a"] * p["b"] * t) ** 2)


def quotient(p):
    return np.sum((y - p["a"] / p["b"] * t) ** 2)


def sum_of_two(p):
    return np.sum((y - p["a"] - p["b"] - p["c"] * t) ** 2)


def product_with_exponential(p):
    return np.sum((y - np.exp(p["a"]) * p["b"] * t) ** 2)


def product_in_a_rate(p):
    return np.sum((np.exp(-(t**2)) + 0.01 * t - p["c"] * np.exp(-p["a"] * p["b"] * t**2)) ** 2)


def weights_that_do_not_sum_to_one(p):
    share = p["a"] / (p["a"] + p["b"])
    densities = np.exp(-0.5 * (y[:, None] - np.array([-1.0, 1.0])) ** 2)
    return -np.sum(np.log(share * densities[:, 0] + (1 - share) * densities[:, 1]))


def collinear_columns(p):
    return np.sum((y - same @ np.array([p["a"], p["b"], p["d"], p["c"]])) ** 2)


TWO, THREE = {"a": 1.0, "b": 1.5}, {"a": 1.0, "b": 1.5, "c": 0.5}
TABLE: dict[Any, tuple[dict, Any]] = {  # the start, and the slopes of what the data fix
    product: (TWO, lambda p: {"a": p["b"], "b": p["a"]}),
    quotient: (TWO, lambda p: {"a": 1 / p["b"], "b": -p["a"] / p["b"] ** 2}),
    sum_of_two: (THREE, lambda p: {"a": 1.0, "b": 1.0}),
    product_with_exponential: (TWO, lambda p: {"a": p["b"], "b": 1.0}),
    product_in_a_rate: (THREE, lambda p: {"a": p["b"], "b": p["a"]}),
    weights_that_do_not_sum_to_one: (TWO, lambda p: {"a": p["b"], "b": -p["a"]}),
    collinear_columns: ({**THREE, "d": 0.0}, lambda p: {"a": 1.0, "c": 1.0}),
}


def told(result) -> tuple[str, dict[str, float]]:
    """Return the first diagnosis, and the direction in it, by names of parameters."""
    assert result.success and result.diagnosis, result.message
    text = result.diagnosis[0]
    along = text.split("flat along ")[1].split(", at ")[0]
    terms = along.replace(" - ", " + -").split(" + ")
    pairs = [term.split(" * ") if " * " in term else [term.replace(term.strip("-"), "1"), term] for term in terms]
    return text, {name.strip("-"): float(weight) for weight, name in pairs}


@pytest.mark.parametrize("method", [None, "bfgs", "l-bfgs-b", "trust-exact", "trust-krylov"])
@pytest.mark.parametrize("fun", TABLE, ids=lambda fun: fun.__name__)
def test_direction_that_the_data_do_not_fix_is_named(fun, method) -> None:
    start, slopes = TABLE[fun]
    result = autoopt.minimize(fun, start, method=method)
    text, direction = told(result)
    assert text.startswith("The parameters are not identified")
    fixed = slopes(result.x)
    along = sum(fixed.get(name, 0.0) * weight for name, weight in direction.items())
    size = sum(abs(fixed.get(name, 0.0) * weight) for name, weight in direction.items())
    assert abs(along) <= 1e-3 * size and set(fixed) <= set(direction)


def test_scaled_and_held_parameters_are_the_users() -> None:
    start = {"a": 1.0, "b": 1.5, "c": 0.5}
    result = autoopt.minimize(
        lambda p: product(p) + (p["c"] - 1) ** 2, start, fixed=["c"], scale={"a": 1e3, "b": 1e-3, "c": 1}
    )
    _, direction = told(result)
    assert set(direction) == {"a", "b"}
    assert direction["a"] * result.x["b"] == pytest.approx(-direction["b"] * result.x["a"], rel=1e-3)


def test_softmax_without_a_class_of_reference_is_named_by_rows() -> None:
    def softmax(W):
        Z = np.column_stack([np.ones(60), X]) @ W
        return -np.sum(Z[np.arange(60), label] - logsumexp(Z, axis=1))

    result = autoopt.minimize(softmax, np.zeros((4, 3)))
    assert result.success and "not identified" in result.diagnosis[0]
    assert "x[1, 0] + x[1, 1] + x[1, 2]" in result.diagnosis[0] and "and along 1 more" in result.diagnosis[0]


def test_factors_that_may_be_rotated_are_named() -> None:
    S = np.cov(RANDOM.normal(size=(80, 2)) @ RANDOM.normal(size=(2, 4)) + RANDOM.normal(size=(80, 4)), rowvar=False)

    def factors(L):
        C = L @ L.T + np.eye(4)
        return np.linalg.slogdet(C)[1] + np.trace(np.linalg.solve(C, S))

    result = autoopt.minimize(factors, RANDOM.normal(size=(4, 2)))
    assert result.success and "not identified" in result.diagnosis[0]


def powell_singular(x):
    return (x[0] + 10 * x[1]) ** 2 + 5 * (x[2] - x[3]) ** 2 + (x[1] - 2 * x[2]) ** 4 + 10 * (x[0] - x[3]) ** 4


def fourth_powers(x):
    return np.sum((x - np.arange(3.0)) ** 4)


def quartic_beside_a_square(x):
    return (x[0] - x[1]) ** 2 + (x[0] + x[1] - 2) ** 4 + 3.0


def nearly_collinear(b):
    Z = np.column_stack([X, X[:, 0] + 1e-4 * np.sin(9 * t)])
    return np.sum((y - Z @ b) ** 2)


@pytest.mark.parametrize("method", [None, "bfgs", "l-bfgs-b", "trust-exact"])
@pytest.mark.parametrize(
    "fun, size", [(powell_singular, 4), (fourth_powers, 3), (quartic_beside_a_square, 2), (nearly_collinear, 4)]
)
def test_minimum_without_curvature_is_identified(fun, size, method) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = autoopt.minimize(fun, np.full(size, 0.3) + 0.1 * np.arange(size), method=method)
    assert not any("not identified" in text for text in result.diagnosis), result.diagnosis
