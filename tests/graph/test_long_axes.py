"""Columns of data beside rows of parameters: turned, so that the long axis is the last one; shifts by a maximum."""

from __future__ import annotations

import re

import numpy as np
import pytest
from scipy.special import logsumexp

import autoopt

X = np.array([-1.5, 0.25, 0.25, 3.0, 7.5, -0.5, 2.0])
P = np.array([0.3, -1.2, 0.25])


def difference(p, x):
    return np.sum(np.exp(-((x[:, None] - p) ** 2)).sum(axis=1) ** 2)


def product(p, x):
    return np.sum(np.sin(x[:, None] * p).sum(axis=1) ** 2)


def turned_by_hand(p, x):
    return np.sum(np.cos(p - x.reshape(-1, 1)).sum(axis=1) ** 2)


def transformed(p, x):
    return np.sum(np.exp(np.log(x**2)[:, None] / (2 + p)).max(axis=1))


def of_predictors(p, x):
    return np.sum(np.tanh((x * p[0])[:, None] - p[1:]).sum(axis=1) ** 2)


def named(p, x):
    d = x[:, None] - p
    return np.sum(np.sqrt(1 + d**2).min(axis=1)) + d[0, 0] * d[1, 2] + np.sum(d.ravel()[:4] ** 3)


def slope(function, p, direction):
    """Return the slope along a direction, by a complex step."""
    return np.imag(function(p + 1e-30j * direction, X)) / 1e-30


@pytest.mark.parametrize("function", [difference, product, turned_by_hand, of_predictors])
def test_turned_arrays_give_the_same_derivatives(function) -> None:
    objective = autoopt.objective(function, P, X)
    rng = np.random.default_rng(0)
    for p in (P, 0 * P, P[::-1].copy(), 5 * P):
        value, gradient = objective.value_and_grad(p)
        np.testing.assert_allclose(value, function(p, X), rtol=1e-13)
        for direction in rng.normal(size=(3, 3)):
            along = slope(function, p, direction)
            np.testing.assert_allclose(gradient @ direction, along, rtol=1e-11, atol=1e-12)
            ahead, behind = (objective.grad(p + h * direction) for h in (1e-6, -1e-6))
            np.testing.assert_allclose(
                objective.hessp(p, direction), (ahead - behind) / 2e-6, rtol=1e-6, atol=1e-6 * np.abs(ahead).max()
            )


@pytest.mark.parametrize("function", [transformed, named])
def test_turned_arrays_with_kinks(function) -> None:
    objective = autoopt.objective(function, P, X)
    gradient = objective.grad(P)
    for k, direction in enumerate(np.eye(3)):
        h = 1e-6
        central = (function(P + h * direction, X) - function(P - h * direction, X)) / (2 * h)
        np.testing.assert_allclose(gradient[k], central, rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("function", [difference, product, named, of_predictors])
def test_the_long_axis_is_the_last_one(function) -> None:
    text = re.sub("(?m)^ *#.*$", "", autoopt.source(function, P, (X,)))
    assert re.search(r"p(\[1:\])?\[:, None\]", text)
    assert "x[:, None]" not in text


def test_rows_of_data_are_left_as_they_are() -> None:
    def distances(p, x):
        return np.sum(np.sqrt(1 + (p[:, None] - x) ** 2))

    def among_data(p, x):
        return np.sum(np.exp(p[0] * (x[:, None] - x) ** 2))

    for function in (distances, among_data):
        assert ").T" not in autoopt.source(function, P, (X,))


# Shifts by a maximum --------------------------------------------------------------------------------------------------

A = np.outer(X, [1.0, -2.0, 0.5])


def by_hand(p, a):
    s = a * p
    m = s.max(axis=1, keepdims=True)
    return np.sum(m[:, 0] + np.log(np.sum(np.exp(s - m), axis=1)))


def with_none(p, a):
    s = a * p
    s = s - np.max(s, axis=1)[:, None]
    return -np.sum((s - np.log(np.exp(s).sum(axis=1))[:, None])[:, 0])


def of_scipy(p, a):
    return np.sum(logsumexp(a * p, axis=1))


def shares(p, a):
    s = a * p
    e = np.exp(s - s.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("function", [by_hand, with_none, of_scipy])
@pytest.mark.parametrize("scale", [0.0, 1.0, 800.0, -800.0, 1e300])
def test_shifts_at_awkward_points(function, scale) -> None:
    p = scale * np.array([1.0, -0.5, 0.25])
    objective = autoopt.objective(function, P, A)
    right = (shares(p, A) * A).sum(axis=0)
    if function is with_none:
        right[0] -= A[:, 0].sum()
    np.testing.assert_allclose(objective.grad(p), right, rtol=1e-12, atol=1e-13 * np.abs(A).sum())
    np.testing.assert_allclose(objective.value(p), function(p, A), rtol=1e-12)


@pytest.mark.slow
def test_infinite_scores_are_guarded_against_where_the_user_does_so() -> None:
    assert "isinf" not in autoopt.source(by_hand, P, (A,))
    assert "isinf" not in autoopt.source(with_none, P, (A,))
    assert "isinf" in autoopt.source(of_scipy, P, (A,))
    assert "isinf" not in autoopt.source(lambda p, a: np.sum((a - logsumexp(p)) ** 2), P, (A,))
    with np.errstate(all="ignore"):
        infinite = np.where(A > 0, A, -np.inf)
        infinite[0] = -np.inf
        objective = autoopt.objective(of_scipy, np.ones(3), infinite)
        assert objective.value(np.ones(3)) == of_scipy(np.ones(3), infinite) == -np.inf
