"""Functions of a matrix that are written by its Cholesky factor: their derivatives are right, and go past it."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg
from derivative_checks import check_gradient, check_hessp, check_value

from autoopt.objectives.objective import Objective, printed

N = 5
RNG = np.random.default_rng(3)
A, B = (M @ M.T + np.eye(N) for M in RNG.normal(size=(2, N, N)))
Y, C = RNG.normal(size=N), RNG.normal(size=(N, 3))
X0 = np.array([0.7, 0.3, -0.2])


def matrix(x):
    return x[0] * A + np.exp(x[1]) * np.eye(N) + x[2] ** 2 * B


def lower_only(x):
    """A matrix above whose diagonal there is what nobody reads."""
    return np.tril(matrix(x)) + np.triu(x[0] * np.sin(B) + 7.0, 1)


def by_solve(x):
    L = np.linalg.cholesky(matrix(x))
    z = np.linalg.solve(L, Y)
    return 0.5 * z @ z + np.sum(np.log(np.diag(L)))


def by_triangular_solve(x):
    L = np.linalg.cholesky(matrix(x))
    alpha = scipy.linalg.solve_triangular(L.T, scipy.linalg.solve_triangular(L, Y * x[1], lower=True))
    return Y @ alpha + 2 * np.log(L.diagonal()).sum()


def by_scipys_factor(x):
    factor = scipy.linalg.cho_factor(matrix(x), lower=True)
    return Y @ scipy.linalg.cho_solve(factor, Y) + np.log(np.diag(factor[0])).sum()


def by_upper_factor(x):
    factor = scipy.linalg.cho_factor(matrix(x))
    return Y @ scipy.linalg.cho_solve(factor, Y) + np.log(np.diag(factor[0])).sum()


def several_right_sides(x):
    V = scipy.linalg.solve_triangular(np.linalg.cholesky(matrix(x)), C * x[2], lower=True)
    return np.sum(V**2) + np.sum(np.sin(np.sum(V**2, axis=0)))


def two_right_sides(x):
    L = np.linalg.cholesky(matrix(x))
    z, w = (scipy.linalg.solve_triangular(L, b, lower=True) for b in (Y, C[:, 0] * x[0]))
    V = scipy.linalg.solve_triangular(L, C, lower=True)
    return z @ w + np.sum(np.tanh(V.T @ z)) + np.linalg.slogdet(np.eye(3) + V.T @ V)[1]


def reads_one_triangle(x):
    L = np.linalg.cholesky(lower_only(x))
    z = scipy.linalg.solve_triangular(L, Y, lower=True)
    return z @ z + np.sum(np.log(np.diag(L)))


def reads_the_factor_besides(x):
    L = np.linalg.cholesky(matrix(x))
    z = np.linalg.solve(L, Y)
    return z @ z + np.sum(np.log(np.diag(L))) + np.sum(np.tril(B) * L) + np.sum(z**3)


WRITTEN = (
    by_solve, by_triangular_solve, by_scipys_factor, by_upper_factor, several_right_sides, two_right_sides,
    reads_one_triangle, reads_the_factor_besides,
)  # fmt: skip


@pytest.mark.slow_for("reads_one_triangle", "by_solve")
@pytest.mark.sampled(8)
@pytest.mark.parametrize("f", WRITTEN, ids=lambda f: f.__name__)
def test_derivatives(f) -> None:
    objective = Objective(f, X0)
    for x in (X0, np.array([1.5, -2.0, 0.0])):
        check_value(objective, x)
        check_gradient(objective, x, 0.0)
        for p in np.eye(3):
            check_hessp(objective, x, p, 0.0)
        np.testing.assert_allclose(objective.hessp(x, np.eye(3)), objective.hess(x), rtol=1e-9, atol=1e-9)


@pytest.mark.slow_for("2")
@pytest.mark.parametrize("size", [1, 2])
def test_small_matrices(size) -> None:
    def f(x):
        L = np.linalg.cholesky(np.eye(size) * np.exp(x[0]) + x[1] ** 2)
        z = np.linalg.solve(L, np.ones(size))
        return z @ z + np.sum(np.log(np.diag(L)))

    def closed(x):
        total = np.exp(x[0]) + size * x[1] ** 2
        return size / total + 0.5 * (np.log(total) + (size - 1) * x[0])

    x = np.array([0.3, -0.8])
    np.testing.assert_allclose(Objective(f, x).hess(x), Objective(closed, x).hess(x), rtol=1e-10)
    np.testing.assert_allclose(Objective(f, x).grad(x), Objective(closed, x).grad(x), rtol=1e-12)


@pytest.mark.slow
def test_the_factor_is_not_differentiated() -> None:
    for f in (by_solve, by_triangular_solve, by_scipys_factor, several_right_sides):
        text = printed(f, X0, derivatives="hvp")
        product = text[text.index("def hessp(") :]
        assert "solve_triangular" not in product and "tril" not in product, f.__name__


def test_value_is_computed_as_it_is_written() -> None:
    x = np.array([0.31, 0.7, 0.2])
    assert Objective(by_solve, X0).value_and_grad(x)[0] == Objective(by_solve, X0).value(x)


def test_inverse_is_made_once_for_each_point() -> None:
    S = A / N

    def f(x):
        T = x.reshape(N, N) + x.reshape(N, N).T
        return np.sum(S * T) - np.linalg.slogdet(T)[1]

    text = printed(f, np.linalg.inv(A).ravel(), derivatives="hvp")
    ahead, product = text.split("def hessp(")
    assert "np.linalg.inv(" in ahead
    assert "inv(" not in product and "solve" not in product and product.count("inverse") >= 3


def test_products_of_matrices_are_made_once_for_each_point() -> None:
    text = printed(by_solve, X0, derivatives="hvp")
    product = text[text.index("def hessp(") :]
    assert " @ " not in product and "cho_solve" not in product and "vdot" not in product
    assert text.count(" @ ") >= 6  # two for each of three parameters


@pytest.mark.slow
def test_many_numbers_are_not_taken_apart() -> None:
    def f(x, E):
        L = np.linalg.cholesky(np.eye(N) * 9 + np.sum(x[:, None, None] * E, axis=0))
        z = np.linalg.solve(L, Y)
        return z @ z + np.sum(np.log(np.diag(L)))

    E = RNG.normal(size=(7, N, N))
    E = E + E.transpose(0, 2, 1)
    x = 0.1 * RNG.normal(size=7)
    objective = Objective(f, x, (E,))
    check_value(objective, x)
    check_gradient(objective, x, 0.0)
    check_hessp(objective, x, np.ones(7), 0.0)
    np.testing.assert_allclose(objective.hessp(x, np.eye(7)), objective.hess(x), rtol=1e-9, atol=1e-9)
