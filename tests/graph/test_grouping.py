"""What is known early is computed early: the text of products with the Hessian, and their numbers."""

from __future__ import annotations

import numpy as np
import pytest
from derivative_checks import check_hessp

from autoopt.objectives.objective import Objective, printed

RNG = np.random.default_rng(5)
Y = RNG.normal(size=(40, 1))
W = np.abs(RNG.normal(size=(40, 3))) + 0.5
X0 = np.array([0.3, -0.4, 0.8, 0.1, 0.2, -0.3])


def mixture(x, y):
    means, logs = x[:3], x[3:]
    z = (y - means) * np.exp(-logs)
    terms = -logs - 0.5 * z**2
    top = terms.max(axis=1, keepdims=True)
    return -np.sum(top[:, 0] + np.log(np.sum(np.exp(terms - top), axis=1)))


def weighted(x, w):
    return np.sum(w * np.exp(x[:3]) * np.cos(x[3:]) / (1 + w)) + np.sum(np.sin(w * x[:3]) * x[3:])


@pytest.mark.parametrize(("f", "data"), [(mixture, Y), (weighted, W)], ids=["mixture", "weighted"])
@pytest.mark.slow
def test_products_are_right(f, data) -> None:
    objective = Objective(f, X0, (data,))
    for x in (X0, -2 * X0, np.zeros(6)):
        for p in np.eye(6):
            check_hessp(objective, x, p, 0.0)


@pytest.mark.slow
def test_quotients_and_sums_that_are_free_of_the_direction_are_computed_once() -> None:
    text = printed(mixture, X0, (Y,), derivatives="hvp")
    product = text[text.index("def hessp(") :]
    assert "[:, None] / " not in product and " / total_2[:, None]" not in product


def test_what_is_the_same_for_all_rows_stands_before_the_sum() -> None:
    text = printed(lambda x, w: np.sum(np.sin(w * x[:3]) * x[3:]), X0, (W,), derivatives="hvp")
    product = text[text.index("def hessp(") :]
    assert "sum" not in product and "einsum" not in product


def test_sum_of_a_product_of_matrices_needs_no_array_of_its_own() -> None:
    def f(x, w):
        return np.sum(np.sum(np.sin(w * x[:3]) * np.cos(w * x[3:]), axis=1) ** 2)

    text = printed(f, X0, (W,), derivatives="value")
    assert 'np.einsum("ij,ij->i", ' in text
    np.testing.assert_allclose(Objective(f, X0, (W,)).value(X0), f(X0, W), rtol=1e-13)


def test_sums_that_are_no_such_products_stay(rows=4) -> None:
    column, empty = np.ones((rows, 1)), np.ones((0, 3))
    for f, data in (
        (lambda x, w: np.sum(np.sum(w * x[:3], axis=0) ** 2), column),
        (lambda x, w: np.sum(np.sum(np.exp(w * x[:3]) * w * x[3:], axis=0) ** 2), empty),
        (lambda x, w: np.sum(np.exp(w * x[:3]) * np.sin(w * x[3:])), W),
    ):
        np.testing.assert_allclose(Objective(f, X0, (data,)).value(X0), f(X0, data), rtol=1e-13)
        check_hessp(Objective(f, X0, (data,)), X0, np.ones(6), 0.0)


@pytest.mark.slow
def test_terms_that_are_the_same_along_a_sum_are_counted_as_often() -> None:
    def f(x, w):
        return np.sum(np.sum(x[:3] ** 2 + w * x[3:] ** 3 * x[:3], axis=0) ** 2) + np.sum(
            np.sum(np.exp(x[:3]) + w**2 * x[3:4] ** 3, axis=1) ** 2
        )

    for data in (W, W[:1], W[:, :1]):
        objective = Objective(f, X0, (data,))
        np.testing.assert_allclose(objective.value(X0), f(X0, data), rtol=1e-13)
        for p in np.eye(6):
            check_hessp(objective, X0, p, 0.0)
        np.testing.assert_allclose(objective.hessp(X0, np.eye(6)), objective.hess(X0), rtol=1e-9, atol=1e-9)
