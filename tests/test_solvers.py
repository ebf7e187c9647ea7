"""The table of solvers: every one on every problem, and what each refuses."""

import numpy as np
import pytest
from scipy.special import expit

from autoopt.solvers import SOLVERS, Problem, run


class Handmade:
    """A stand-in for Objective with derivatives written by hand, which counts its calls."""

    def __init__(self, value, grad, hess):
        self._value, self._grad, self._hess = value, grad, hess
        self.points = []

    def value_and_grad(self, x):
        self.points.append(x.copy())
        return self._value(x), self._grad(x)

    def hess(self, x):
        return self._hess(x)

    def hessp(self, x, p):
        return self._hess(x) @ p


def quadratic():
    A = np.diag([1.0, 10.0, 100.0]) + 0.5
    b = np.array([1.0, -2.0, 3.0])
    objective = Handmade(lambda x: x @ A @ x / 2 - b @ x, lambda x: A @ x - b, lambda x: A)
    return objective, np.zeros(3), np.linalg.solve(A, b)


def rosenbrock(n):
    from scipy.optimize import rosen, rosen_der, rosen_hess

    return Handmade(rosen, rosen_der, rosen_hess), np.linspace(-1.2, 1.0, n), np.ones(n)


def logistic():
    rng = np.random.default_rng(5)
    X = rng.standard_normal((2000, 6))
    y = rng.random(2000) < expit(X @ np.linspace(-1, 1, 6))

    def hess(w):
        s = expit(X @ w)
        return X.T @ ((s * (1 - s))[:, None] * X)

    objective = Handmade(
        lambda w: np.sum(np.logaddexp(0, X @ w) - y * (X @ w)), lambda w: X.T @ (expit(X @ w) - y), hess
    )
    solution = np.zeros(6)
    for _ in range(20):
        solution = solution - np.linalg.solve(hess(solution), objective._grad(solution))
    return objective, np.zeros(6), solution


def badly_scaled():
    """Powell's badly scaled idea, made convex: curvatures from 1e-2 to 1e6 and minimisers from 1e-3 to 1e2."""
    scale, solution = np.array([1e6, 1.0, 1e-2]), np.array([1e-3, 1.0, 1e2])

    def value(x):
        d = x - solution
        return np.sum(scale * (d**2 / 2 + d**4 / 24 / (1 + solution**2)))

    def grad(x):
        d = x - solution
        return scale * (d + d**3 / 6 / (1 + solution**2))

    def hess(x):
        d = x - solution
        return np.diag(scale * (1 + d**2 / 2 / (1 + solution**2)))

    return Handmade(value, grad, hess), np.zeros(3), solution


PROBLEMS = {
    "quadratic": quadratic,
    "rosenbrock 2": lambda: rosenbrock(2),
    "rosenbrock 10": lambda: rosenbrock(10),
    "logistic": logistic,
    "badly scaled": badly_scaled,
}


@pytest.mark.parametrize("problem", PROBLEMS)
@pytest.mark.parametrize("name", SOLVERS)
def test_every_solver_on_every_problem(name, problem):
    objective, x0, solution = PROBLEMS[problem]()
    solver = SOLVERS[name]
    result = run(solver, Problem(objective, x0), solver.settings())
    error = np.max(np.abs(result.x - solution) / np.maximum(np.abs(solution), 1e-3))
    if name == "dogleg" and not result.success:
        assert result.status == 3 and "positive definite" in result.message
        return
    assert result.success
    assert error < 1e-7
