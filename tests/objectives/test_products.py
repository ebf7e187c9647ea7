"""The Hessian times a matrix of directions: against closed forms, and columns one by one."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

import autoopt
from autoopt.errors import UsageError
from autoopt.objectives import products
from autoopt.objectives.objective import Objective, printed

RNG = np.random.default_rng(0)
X = RNG.normal(size=(30, 4))
Y = (RNG.random(30) < 0.5).astype(float)
B = RNG.normal(size=4)
P = RNG.normal(size=(4, 5))


def logistic(b, X, y):
    z = X @ b
    return np.sum(np.logaddexp(0, z) - y * z)


def hessian(b, X):
    p = expit(X @ b)
    return X.T @ ((p * (1 - p))[:, None] * X)


@pytest.mark.parametrize("engine", ["auto", "numpy", "numba"])
@pytest.mark.slow
def test_several_directions_at_several_points(engine) -> None:
    f = Objective(logistic, B, (X, Y), engine)
    for b in (B, -2 * B, np.zeros(4), np.full(4, 800.0)):
        np.testing.assert_allclose(f.hessp(b, P), hessian(b, X) @ P, rtol=1e-10, atol=1e-12)
    assert "hessp_columns" in f.dispatch.paths[0].compiled


@pytest.mark.parametrize("count", [0, 1, 2, 4, 7])
def test_any_number_of_directions(count) -> None:
    directions = RNG.normal(size=(4, count))
    found = Objective(logistic, B, (X, Y)).hessp(B, directions)
    assert found.shape == (4, count)
    np.testing.assert_allclose(found, hessian(B, X) @ directions, rtol=1e-12, atol=1e-13)


def test_source_is_a_set_of_matrix_products() -> None:
    text = printed(logistic, B, (X, Y), derivatives="hvp_columns")
    assert "return X.T @ ((X @ direction) * product[:, None])" in text
    space: dict = {}
    exec(text, space)
    ahead = space["linearize"](B, X)
    np.testing.assert_allclose(space["hessp_columns"](P, X, **ahead), hessian(B, X) @ P, rtol=1e-12)


def test_directions_are_taken_in_portions_that_fit(monkeypatch) -> None:
    monkeypatch.setattr(products, "WORKSPACE", 8 * 2 * len(X))
    f = Objective(logistic, B, (X, Y))
    shapes = []
    run = f.dispatch.run_plain
    monkeypatch.setattr(
        f.dispatch, "run_plain", lambda kind, x, d, **rest: shapes.append(d.shape) or run(kind, x, d, **rest)
    )
    np.testing.assert_allclose(f.hessp(B, P), hessian(B, X) @ P, rtol=1e-12)
    assert len(shapes) > 1 and max(columns for _, columns in shapes) < 5 and sum(shape[1] for shape in shapes) == 5


def test_kinks_are_looked_at_for_each_direction() -> None:
    def f(x):  # smooth: |x| x is met at 0 with equal limits on both sides, and a branch has another curvature
        return np.sum(np.maximum(x, 0.0) ** 3 + np.maximum(-x, 0.0) ** 3) + (x[0] ** 2 if x[1] > 1 else 3 * x[0] ** 2)

    objective = Objective(f, np.array([0.3, 0.2, -0.4]))
    directions = np.array([[1.0, 0.5], [2.0, -1.0], [0.0, 3.0]])
    for x in ([0.3, 0.2, -0.4], [0.0, 0.0, 0.0], [0.5, 2.0, 0.0], [0.0, 0.4, 1.0]):
        x = np.array(x)
        expected = np.diag(6 * np.abs(x) + np.array([2.0 if x[1] > 1 else 6.0, 0.0, 0.0])) @ directions
        np.testing.assert_allclose(objective.hessp(x, directions), expected, rtol=1e-9, atol=1e-9)


@pytest.mark.slow
def test_operation_without_a_form_for_several_directions(monkeypatch) -> None:
    def f(x):
        w = np.linalg.eigvalsh(np.outer(x, x) + np.diag(x**2) + 2 * np.eye(3))
        return np.sum(np.log(w))

    objective, x = Objective(f, np.array([0.3, 0.2, -0.4])), np.array([0.3, 0.2, -0.4])
    directions = RNG.normal(size=(3, 4))
    expected = np.stack([objective.hessp(x, p) for p in directions.T], axis=1)
    np.testing.assert_allclose(objective.hessp(x, directions), expected, rtol=1e-10, atol=1e-12)


def test_loop_over_steps() -> None:
    def f(x):
        state, total = x[0], 0.0
        for k in range(40):
            state = np.tanh(state * x[1] + 0.1 * k) + x[2]
            total = total + state**2
        return total

    x = np.array([0.1, 0.4, 0.2])
    objective = Objective(f, x)
    directions = RNG.normal(size=(3, 6))
    expected = np.stack([objective.hessp(x, p) for p in directions.T], axis=1)
    np.testing.assert_allclose(objective.hessp(x, directions), expected, rtol=1e-9)
    objective._products._spent = np.inf  # the code for several directions pays
    np.testing.assert_allclose(objective.hessp(x, directions), expected, rtol=1e-9)
    assert "hessp_columns" in objective.dispatch.paths[0].compiled


def test_structures_keep_their_own_directions() -> None:
    column = np.array([[0.5], [0.2]])
    f = autoopt.hvp(lambda x: np.sum(x**3))
    np.testing.assert_allclose(f(column, np.ones((2, 1))), 6 * column)
    nest = {"a": 0.3, "b": np.array([0.1, 0.2])}
    objective = autoopt.objective(lambda p: p["a"] * np.sum(p["b"] ** 2), nest)
    np.testing.assert_allclose(objective.hessp(nest, np.eye(3)), objective.hess(nest), rtol=1e-13)
    with pytest.raises(UsageError):
        objective.hessp(nest, np.ones((2, 3)))


def test_hvp_takes_a_matrix() -> None:
    np.testing.assert_allclose(autoopt.hvp(logistic)(B, P, X, Y), hessian(B, X) @ P, rtol=1e-12)


def test_hvp_of_a_matrix_inside_an_objective() -> None:
    def outer(x):
        inner = autoopt.hvp(lambda z: np.sum(z**3))(x, np.array([[1.0, 0.0], [2.0, 1.0]]))
        return np.sum(inner**2)

    x = np.array([0.4, -0.3])
    np.testing.assert_allclose(autoopt.grad(outer)(x), [72 * x[0], 72 * 5 * x[1]], rtol=1e-12)


def test_products_of_users_derivatives() -> None:
    from autoopt.objectives.user_derivatives import UserDerivatives

    given = UserDerivatives(
        lambda x: np.sum(x**3), np.ones(2), (), lambda: None, lambda x: 3 * x**2, None, lambda x, p: 6 * x * p
    )
    np.testing.assert_allclose(given.hessp(np.array([1.0, 2.0]), np.eye(2)), np.diag([6.0, 12.0]))


@pytest.mark.parametrize(
    "f", [lambda x: 2 * np.sum(x), lambda x: np.sum(np.abs(x)) + np.max(x)], ids=["sum", "absolute"]
)
def test_several_directions_of_what_has_no_curvature(f) -> None:
    x = np.arange(1.0, 7.0)
    assert np.array_equal(autoopt.objective(f, x).hessp(x, np.ones((6, 3))), np.zeros((6, 3)))
    namespace: dict = {}
    exec(printed(f, x, (), "hvp_columns"), namespace)
    assert namespace["hessp_columns"](np.ones((6, 2))).shape == (6, 2)


@pytest.mark.slow
def test_several_directions_through_products_of_stacks() -> None:
    def f(x):
        A = x.reshape(2, 2, 2)
        L = np.linalg.cholesky(A @ np.swapaxes(A, 1, 2) + np.eye(2))
        return np.sum(L**3)

    x, P = np.arange(1.0, 9.0) / 5, np.random.default_rng(0).normal(size=(8, 3))
    objective = autoopt.objective(f, x)
    np.testing.assert_allclose(objective.hessp(x, P), objective.hess(x) @ P, rtol=1e-9)
    assert "def hessp_columns" in objective.source("hvp_columns")


def test_a_sum_that_is_taken_apart_in_part_only_is_counted_once() -> None:
    """Planck's law: of the terms of a sum some may not be formed ahead, so that none is."""
    wavelength, radiance = np.linspace(4e-7, 2e-6, 10), np.linspace(1.0, 2.0, 10)

    def f(p):
        x = 1.9864458571489287e-25 / (wavelength * 1.380649e-23 * 1000 * p[0])
        return np.sum((p[1] / (wavelength * 1e6) ** 5 / np.expm1(x) - radiance) ** 2)

    p, P = np.array([4.0, 900.0]), np.array([[1.0, 0.0], [0.0, 1.0]])
    objective = autoopt.objective(f, p)
    products = np.array([objective.hessp(p, unit) for unit in P])
    np.testing.assert_allclose(products, products.T, rtol=1e-10)
    np.testing.assert_allclose(products, objective.hess(p), rtol=1e-10)
