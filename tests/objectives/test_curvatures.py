"""Hessians compared with how the gradient changes: what is wrong is found, and computed by products."""

import numpy as np
import pytest

import autoopt
from autoopt.graph.derive import DERIVATIONS
from autoopt.graph.indexed.table import PUSHES


def f(x):
    return np.log(np.sum(np.exp(x))) + np.sum(x**4)


def g(x):
    return f(x) + np.sum(x)  # another one, whose source nobody has yet


X = np.array([0.3, -0.2, 1.1])


def expected(x):
    p = np.exp(x) / np.exp(x).sum()
    return np.diag(p + 12 * x**2) - np.outer(p, p)


def test_a_right_hessian_is_taken() -> None:
    objective = autoopt.objective(f, X)
    np.testing.assert_allclose(objective.hess(X), expected(X), rtol=1e-12)
    assert objective.dispatch.paths[0].second is True


def test_a_wrong_one_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOOPT_CACHE", "off")
    for kind, push in list(PUSHES.items()):
        monkeypatch.setitem(
            PUSHES, kind, lambda node, terms, push=push: [term.times((), term.out, 1.01) for term in push(node, terms)]
        )
    objective = autoopt.objective(g, X)
    for point in (X, X + 0.5):
        np.testing.assert_allclose(objective.hess(point), expected(point), rtol=1e-10)
    assert objective.dispatch.paths[0].second is False


def test_rounding_and_kinks_make_no_hessian_wrong() -> None:
    def steep(x):
        return 1e12 * np.sum(x) + np.abs(x[0] - 0.3) + np.sum(x**2)

    objective = autoopt.objective(steep, X)
    np.testing.assert_allclose(objective.hess(X), 2 * np.eye(3), atol=1e-12)
    assert objective.dispatch.paths[0].second is True


def student(p):
    return np.sum(np.log1p(((np.array([1.0, 2.0, 3.0]) - p[0]) / np.exp(p[1])) ** 2 / 5.0)) + 3 * p[1]


@pytest.mark.parametrize(
    ("function", "point", "expected"),
    [
        (lambda x: np.sum(np.log1p(x**2)), np.array([1e100, -2e100]), np.diag([-2e-200, -5e-201])),
        (student, np.array([0.5, -300.0]), np.diag([-2 * np.sum(np.array([0.5, 1.5, 2.5]) ** -2.0), 0.0])),
        (lambda x: np.exp(x)[0] / np.exp(x).sum(), np.array([700.0, 700.0]), np.zeros((2, 2))),
    ],
    ids=["log1p", "student", "share"],
)
def test_far_out_where_squares_of_divisors_overflow(function, point, expected) -> None:
    objective = autoopt.objective(function, point)
    size = max(np.abs(expected).max(), 1e-300) if np.any(expected) else 1.0
    products = np.array([objective.hessp(point, unit) for unit in np.eye(2)])
    np.testing.assert_allclose(objective.hess(point) / size, expected / size, atol=1e-12)
    np.testing.assert_allclose(products / size, expected / size, atol=1e-12)


def test_a_wrong_product_is_made_step_by_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOOPT_CACHE", "off")
    right = DERIVATIONS["hessp"]

    def wrong(graph, value):
        directions, products = right(graph, value)
        return directions, [1.01 * product for product in products]

    monkeypatch.setitem(DERIVATIONS, "hessp", wrong)
    objective = autoopt.objective(lambda x: g(x) + np.sum(np.sin(x)), X)
    objective.grad(X)
    for point in (X, X + 0.5):
        for p in np.eye(3):
            product = (expected(point) - np.diag(np.sin(point))) @ p
            np.testing.assert_allclose(objective.hessp(point, p), product, rtol=1e-10, atol=1e-14)
