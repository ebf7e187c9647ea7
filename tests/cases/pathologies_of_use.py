"""More of `pathologies.py`: derivatives that are wrong, shapes, types, bounds, limits, constraints."""

from __future__ import annotations

import numpy as np
from pathologies import pathology, rng
from scipy.optimize import rosen, rosen_der, rosen_hess

# Wrong derivatives ----------------------------------------------------------------------------------------------------


@pathology("jac", "x[1]", "wrong")
def jac_with_a_sign_error():
    def f(x):
        return (x[0] - 1) ** 2 + (x[1] - x[0]) ** 4 + x[1] ** 2

    def jac(x):
        return np.array([2 * (x[0] - 1) - 4 * (x[1] - x[0]) ** 3, 4 * (x[1] - x[0]) ** 3 - 2 * x[1]])

    return {"fun": f, "x0": np.array([2.0, 1.0]), "jac": jac}


@pathology("jac", "x[0]", "wrong")
def jac_wrong_away_from_the_start():
    def jac(x):
        g = np.array([2 * (x[0] - 1), 8 * (x[1] + 1)])
        return g + np.array([5.0, 0.0]) if x[0] > -0.5 else g

    return {"fun": lambda x: (x[0] - 1) ** 2 + 4 * (x[1] + 1) ** 2, "x0": np.array([-2.0, 2.0]), "jac": jac}


@pathology("hess", "wrong", "x[0]", "x[1]")
def hess_with_the_wrong_sign_off_the_diagonal():
    def hess(x):
        H = rosen_hess(x)
        H[0, 1] = H[1, 0] = -H[0, 1]
        return H

    return {"fun": rosen, "x0": np.array([-1.2, 1.0]), "jac": rosen_der, "hess": hess, "method": "trust-exact",
            "options": {"maxiter": 60}}  # fmt: skip


@pathology("hessp", "wrong")
def hessp_of_the_gauss_newton_form():
    def hessp(x, p):
        return -rosen_hess(x) @ p + 3 * p[::-1]

    return {"fun": rosen, "x0": np.array([-1.2, 1.0]), "jac": rosen_der, "hessp": hessp, "method": "newton-cg"}


@pathology("jac", "wrong", "constraint")
def constraint_with_a_wrong_jacobian():
    c = {"type": "ineq", "fun": lambda x: 1 - x[0] ** 2 - x[1] ** 2, "jac": lambda x: np.array([2 * x[0], 2 * x[1]])}
    return {"fun": lambda x: (x[0] - 2) ** 2 + (x[1] - 1) ** 2, "x0": np.array([0.2, 0.3]), "constraints": c}


@pathology("jac", "wrong", "1/50|mean|factor|times")
def jac_of_the_sum_where_the_mean_is_minimised():
    random = rng()
    X, y = random.normal(size=(50, 2)), random.normal(size=50)
    return {"fun": lambda w: np.mean((X @ w - y) ** 2), "x0": np.ones(2), "jac": lambda w: 2 * X.T @ (X @ w - y)}


# Shapes and types -----------------------------------------------------------------------------------------------------


@pathology("(60, 60)", "(60, 1)", "y")
def column_against_row():
    random = rng()
    X = random.normal(size=(60, 2))
    y = (X @ np.array([1.0, 2.0]) + 0.1 * random.normal(size=60)).reshape(-1, 1)

    def mse(w, X, y):
        return np.mean((X @ w - y) ** 2)

    return {"fun": mse, "x0": np.zeros(2), "args": (X, y)}


@pathology("(30, 30)", "(30, 1)")
def column_of_weights_against_row():
    random = rng()
    X, y = random.normal(size=(30, 3)), random.normal(size=30)

    def loss(w):
        residual = y - X @ w.reshape(-1, 1)
        return np.sum(residual**2)

    return {"fun": loss, "x0": np.zeros(3)}


@pathology("shape|shapes", "(3,)|3", "(20,)|(20, 3)")
def arguments_swapped():
    X, y = rng().normal(size=(20, 3)), rng(1).normal(size=20)

    def sse(w, X, y):
        return np.sum((X @ w - y) ** 2)

    return {"fun": sse, "x0": np.zeros(3), "args": (y, X)}


@pathology("overflow", "int32|whole|integer")
def whole_numbers_overflow():
    n = np.array([40000, 60000, 50000], dtype=np.int32)
    y = np.array([1.0, 2.0, 1.5])

    def sse(p):
        weight = n * n
        return np.sum(np.sqrt(weight) * (y - p[0]) ** 2)

    return {"fun": sse, "x0": np.array([0.0])}


@pathology("uint8|integer|whole", "overflow|wrap")
def bytes_wrap_around():
    image = np.array([[10, 200], [250, 30]], dtype=np.uint8)
    reference = np.array([[20, 180], [240, 60]], dtype=np.uint8)

    def loss(p):
        difference = image - reference
        return np.sum(np.log(difference - 9.0 + 0 * p[0]) * (p[0] - 1) ** 2)

    return {"fun": loss, "x0": np.array([0.0])}


# Bounds, limits, constraints ------------------------------------------------------------------------------------------


@pathology("iteration|maxiter", "progress|still")
def too_few_iterations():
    return {"fun": rosen, "x0": np.full(10, -1.2), "options": {"maxiter": 8}}


@pathology("evaluations|maxfun", "progress|still")
def too_few_evaluations():
    return {"fun": rosen, "x0": np.full(10, -1.2), "method": "l-bfgs-b", "options": {"maxfun": 10}}


@pathology("not met|infeasible|no point", "constraint")
def constraints_that_contradict():
    constraints = [
        {"type": "ineq", "fun": lambda x: x[0] + x[1] - 2},
        {"type": "ineq", "fun": lambda x: -x[0] - x[1] - 1},
    ]
    return {"fun": lambda x: x @ x, "x0": np.array([0.5, 0.5]), "constraints": constraints}


@pathology("np.sqrt", "negative|slope", "x[0]")
def a_bound_where_the_objective_ends():
    def loss(p):
        return np.sqrt(p[0] - 2.0) + (p[1] - 1) ** 2

    return {"fun": loss, "x0": np.array([3.0, 0.0]), "bounds": [(0, None), (None, None)]}


@pathology("not bounded below|falls without", "x[0]")
def a_quadratic_that_opens_downwards_on_one_side():
    return {"fun": lambda x: x[0] ** 3 - 3 * x[0] + x[1] ** 2, "x0": np.array([-2.0, 1.0])}


@pathology("raised", "ValueError|domain", "math.log")
def plain_python_raises_at_a_trial_point():
    import math

    def f(x):
        return math.log(float(x[0])) + x[0] * 0 + (x[1] - 1) ** 2

    return {"fun": f, "x0": np.array([1.0, 0.0]), "jac": "finite-difference"}


@pathology("constant|same", "column 0|x[0]|y")
def response_that_never_varies():
    X = np.column_stack([np.ones(30), rng().normal(size=30)])
    y = np.zeros(30)

    def nll(p, X, y):
        mu = X @ p[:2]
        return np.sum(0.5 * (y - mu) ** 2 * np.exp(-2 * p[2]) + p[2])

    return {"fun": nll, "x0": np.array([1.0, 1.0, 0.0]), "args": (X, y)}
