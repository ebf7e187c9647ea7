"""Sums of products of arrays that vary along different axes: products of matrices."""

from __future__ import annotations

import numpy as np
import pytest

from autoopt import differences
from autoopt.objectives.objective import Objective

RANDOM = np.random.default_rng(31)
A = RANDOM.normal(size=(20, 9))
T = RANDOM.normal(size=(6, 5, 7))


def matrices(x):
    return np.sum(np.sum(A[:, :, np.newaxis] * x.reshape(9, 12)[np.newaxis], axis=1) ** 2)


def turned(x):
    return np.sum(np.tanh((x.reshape(12, 9)[np.newaxis] * A[:, np.newaxis, :]).sum(axis=-1)))


def two_axes_at_once(x):
    found = np.sum(T[:, :, :, np.newaxis] * x.reshape(5, 7, 8), axis=(1, 2))
    return np.sum(found**3)


def axes_apart(x):
    found = np.sum(T[:, np.newaxis] * x.reshape(6, 8, 1, 7), axis=(0, 3), keepdims=True)
    return np.sum(np.sin(found[0, :, :, 0]))


def stacks(x):
    scores = np.sum(x.reshape(5, 8, 1, 6) * np.cos(x).reshape(5, 1, 8, 6), axis=3)
    return np.sum(np.exp(0.1 * scores))


def of_the_same_array(x):
    points = x.reshape(24, 6)
    return np.sum(np.sum(points[:, None] * points[None], axis=2) ** 2)


def one_factor_alone_is_summed(x):
    return np.sum(np.sum(x.reshape(12, 9, 1) * np.ones((1, 1, 12)) * np.cos(x).reshape(12, 1, 9)[..., :1], axis=1) ** 2)


def squares_are_no_matrices(x):
    return np.sum(np.sum(x.reshape(40, 30) ** 2, axis=1) ** 2)


PRODUCTS = {matrices: 108, turned: 108, two_axes_at_once: 280, axes_apart: 336, stacks: 240, of_the_same_array: 144}
OTHERS = {one_factor_alone_is_summed: 108, squares_are_no_matrices: 1200}


@pytest.mark.parametrize("f", PRODUCTS | OTHERS, ids=lambda f: f.__name__)
def test_values_and_derivatives_are_those_of_the_program(f) -> None:
    start = 0.5 * RANDOM.normal(size=(PRODUCTS | OTHERS)[f])
    objective = Objective(f, start)
    for x in (start, np.zeros(start.size)):
        assert objective.value(x) == pytest.approx(f(x), rel=1e-12, abs=1e-12)
        p = RANDOM.normal(size=x.size)
        slope, doubt = differences.directional(f, x, 0.1 * p)
        assert 0.1 * objective.grad(x) @ p == pytest.approx(slope, rel=1e-6, abs=10 * doubt + 1e-9)
        change = (objective.grad(x + 1e-4 * p) - objective.grad(x - 1e-4 * p)) / 2e-4
        product = objective.hessp(x, p)
        np.testing.assert_allclose(product, change, rtol=1e-4, atol=1e-5 * np.abs(product).max() + 2e-5)


@pytest.mark.parametrize("f", PRODUCTS, ids=lambda f: f.__name__)
def test_they_are_products_of_matrices(f) -> None:
    source = Objective(f, RANDOM.normal(size=PRODUCTS[f])).source("gradient")
    assert " @ " in source or "np.matmul" in source


def test_data_may_have_any_number_of_rows() -> None:
    def f(w, X):
        return np.sum(np.tanh(np.sum(X[:, :, np.newaxis] * w.reshape(9, 12), axis=1)))

    w = RANDOM.normal(size=108)
    objective = Objective(f, w, (A,))
    assert "A.shape" not in objective.source("gradient")
    assert "20" not in objective.source("gradient")


def test_what_is_read_elsewhere_is_summed_as_it_stands() -> None:
    def f(w):
        products = A[:, :, np.newaxis] * w.reshape(9, 12)
        return np.sum(products.sum(axis=1) ** 2) + np.max(products)

    w = RANDOM.normal(size=108)
    p = RANDOM.normal(size=108)
    slope, doubt = differences.directional(f, w, 1e-3 * p)
    assert 1e-3 * Objective(f, w).grad(w) @ p == pytest.approx(slope, rel=1e-6, abs=10 * doubt)
