"""Saddles that a short run with many parameters comes to, and points beside an inflexion: seen, and left."""

from __future__ import annotations

import numpy as np
import pytest

from autoopt import minimize

METHODS = (None, "l-bfgs-b", "cg", "newton-cg", "trust-ncg", "tnc")


def double_well(x):
    return np.sum(x[1:] ** 2) + 0.25 * x[0] ** 4 - 10 * x[0] ** 2


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("n", [40, 230, 500, 2000])
def test_one_direction_of_many_bends_down(n, method):
    result = minimize(double_well, np.r_[0.0, np.ones(n - 1)], method=method)
    assert result.success, result.message
    assert result.fun == pytest.approx(-100.0, rel=1e-9)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("n", [7, 50])
def test_all_directions_bend_down(n, method):
    result = minimize(lambda x: np.sum((x**2 - 1) ** 2), np.zeros(n), method=method)
    assert result.success, result.message
    assert result.fun < 1e-12


@pytest.mark.parametrize("method", METHODS)
def test_factors_that_begin_at_zeros(method):
    random = np.random.default_rng(0)
    table = random.normal(size=(25, 2)) @ random.normal(size=(2, 20))

    def squares(p):
        return np.sum((table - p[:125].reshape(25, 5) @ p[125:].reshape(5, 20)) ** 2)

    result = minimize(squares, np.zeros(225), method=method)
    singular = np.linalg.svd(table, compute_uv=False)
    values = [np.sum(singular[k:] ** 2) for k in range(3)]  # of the saddles, by Eckart and Young, and the minimum
    assert result.success, result.message
    assert result.fun == pytest.approx(values[2], abs=1e-6 * values[0])


@pytest.mark.parametrize("method", [None, "l-bfgs-b", "tnc", "trust-region", "trust-constr", "slsqp"])
@pytest.mark.parametrize(
    "f",
    [
        lambda x: x[0] ** 3 + x[1] ** 2,
        lambda x: 5 + (x[0] - 0.3) ** 5 + x[1] ** 2,
        lambda x: 1e6 * x[0] ** 3 + np.cosh(x[1]),
    ],
)
def test_box_around_an_inflexion(f, method):
    result = minimize(f, [1.0, 1.0], bounds=[(-1, 2), (None, None)], method=method)
    assert not result.success or result.x == pytest.approx([-1.0, 0.0], abs=1e-6), result.message


@pytest.mark.parametrize("method", ["cg", "bfgs", "l-bfgs-b", "tnc"])
def test_decrement_of_few_parameters_is_that_of_all(method):
    for seed in (0, 5):
        random = np.random.default_rng(seed)
        design = np.c_[np.ones(30_000), random.normal(size=(30_000, 4)) * 0.3]
        y = random.gamma(2.0, 1e4, size=30_000)
        result = minimize(lambda p, X=design, y=y: np.sum(X @ p + y * np.exp(-X @ p)), np.zeros(5), method=method)
        weights = y * np.exp(-design @ result.x)
        step = np.linalg.solve(design.T @ (weights[:, None] * design), design.T @ (1 - weights))
        assert result.success, result.message
        assert step @ (design.T @ (1 - weights)) / 2 < 1e-12 * abs(result.fun)
