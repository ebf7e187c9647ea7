"""More of `pathologies.py`: kinks, jumps, noise, flat directions, units, plateaus."""

from __future__ import annotations

import itertools

import numpy as np
from pathologies import pathology, rng

# Kinks and jumps ------------------------------------------------------------------------------------------------------


@pathology("kink", "np.abs")
def median_regression_by_absolute_residuals():
    random = rng()
    x = random.normal(size=31)
    y = 1 + 2 * x + random.standard_t(2, size=31)

    def lad(p):
        return np.sum(np.abs(y - p[0] - p[1] * x))

    return {"fun": lad, "x0": np.zeros(2), "method": "bfgs"}


@pathology("kink", "np.maximum")
def minimax_of_three_planes():
    def worst(x):
        return np.maximum(np.maximum(x[0] + x[1], -2 * x[0] + 1), 0.5 * x[0] - 3 * x[1]) + 0.0

    return {"fun": worst, "x0": np.array([2.0, 3.0]), "method": "bfgs"}


@pathology("jump", "np.floor")
def price_is_rounded_down():
    def cost(p):
        return (np.floor(4 * p[0]) / 4 - 1.3) ** 2 + 0.01 * (p[0] - 0.2) ** 2 + p[0] * 0.3

    return {"fun": cost, "x0": np.array([3.1])}


@pathology("jump|kink", "if x[0] > 1|x[0] > 1")
def a_penalty_that_begins_with_a_jump():
    def f(x):
        base = (x[0] - 0.2) ** 2 - 3 * x[0] + x[1] ** 2
        if x[0] > 1:
            base = base + 2.0
        return base

    return {"fun": f, "x0": np.array([0.0, 1.0]), "method": "bfgs"}


@pathology("jump", "np.where")
def threshold_by_where():
    t = np.linspace(0, 1, 50)
    y = np.where(t > 0.43, 2.0, 1.0)

    def sse(p):
        return np.sum((y - np.where(t > p[0], 1.7, p[1])) ** 2) + 0.3 * p[0]

    return {"fun": sse, "x0": np.array([0.8, 0.0])}


@pathology("kink", "abs")
def lasso_by_bfgs():
    random = rng(2)
    X = random.normal(size=(60, 6))
    y = X @ np.array([2.0, 0, 0, -1, 0, 0]) + 0.3 * random.normal(size=60)

    class Lasso:
        def __init__(self, X, y, alpha):
            self.X, self.y, self.alpha = X, y, alpha

        def loss(self, w):
            return 0.5 * ((self.X @ w - self.y) ** 2).sum() + self.alpha * abs(w).sum()

    return {"fun": Lasso(X, y, 12.0).loss, "x0": np.ones(6), "method": "bfgs"}


# Noise ----------------------------------------------------------------------------------------------------------------


@pathology("noise", "float32|single")
def single_precision_data_and_sums():
    random = rng()
    X = random.normal(size=(500, 3)).astype(np.float32)
    y = (X @ np.array([1, -2, 0.5], dtype=np.float32) + 1000).astype(np.float32)

    def sse(w):
        w = np.array([w[0], w[1], w[2]], dtype=np.float32)
        return np.sum((y - 1000 - X @ w) ** 2, dtype=np.float32)

    return {"fun": sse, "x0": np.zeros(3), "jac": "finite-difference"}


@pathology("noise|different value|another value|random", "random|differ|another value")
def monte_carlo_with_fresh_draws():
    generator = np.random.default_rng(0)

    def f(x):
        z = generator.normal(size=200)
        return np.mean((x[0] + z) ** 2) + (x[1] - 1) ** 2

    return {"fun": f, "x0": np.array([1.0, 0.0]), "jac": "finite-difference", "verify": "off"}


@pathology("random|another value|different values")
def fresh_draws_of_the_global_generator():
    def f(x):
        return np.mean((x[0] + np.random.normal(size=50)) ** 2)  # noqa: NPY002 - as users do

    return {"fun": f, "x0": np.array([1.0])}


@pathology("different values|another value|changes")
def a_counter_in_the_objective():
    calls = itertools.count()

    def f(x):
        return (x[0] - 2) ** 2 + 0.01 * next(calls)

    return {"fun": f, "x0": np.array([0.0]), "jac": "finite-difference", "verify": "off"}


@pathology("different values|another value|changes", "y|data|args")
def data_are_changed_in_place():
    y = np.arange(5.0)

    def f(x, y):
        y -= 0.1 * x[0]
        return np.sum((y - x[1]) ** 2)

    return {"fun": f, "x0": np.ones(2), "args": (y,), "jac": "finite-difference", "verify": "off"}


@pathology("rounded|multiples", "0.001")
def output_rounded_to_three_digits():
    def simulator(x):
        value = (x[0] - 1) ** 2 + 3 * (x[1] + 0.5) ** 2 + 2
        return float(f"{value:.3f}")

    return {"fun": simulator, "x0": np.array([3.0, 2.0]), "jac": "finite-difference"}


@pathology("noise", "e-")
def cancellation_of_large_numbers():
    def f(x):
        large = 1e9 + (x[0] - 1) ** 2 + np.sin(x[1]) ** 2 * 0.5
        return sum(large * share for share in (1.0, 0.25, 0.25, -1.5 + 1e-9))

    return {"fun": f, "x0": np.array([2.0, 1.0]), "options": {"gtol": 1e-12}, "method": "bfgs"}


# Flat and unit --------------------------------------------------------------------------------------------------------


@pathology("units|scal", "k|x[1]", "D|x[0]")
def units_that_differ_by_twelve_powers_of_ten():
    t = np.linspace(0, 5, 30)
    y = 3e-9 / 1e-9 * np.exp(-4e5 / 1e6 * t)

    def sse(p):
        D, k = p["D"], p["k"]
        return np.sum((D * 1e9 * np.exp(-k * 1e-6 * t) - y) ** 2)

    return {"fun": sse, "x0": {"D": 1e-9, "k": 1e5}, "method": "cg", "options": {"maxiter": 50}}


@pathology("flat|plateau|saturated", "0")
def sigmoid_saturated_at_the_start():
    t = np.linspace(0, 1, 20)
    y = (t > 0.5) * 1.0

    def loss(p):
        return np.sum((y - 0.5 * (1 + np.tanh(p[0] * (t - p[1])))) ** 2)

    return {"fun": loss, "x0": np.array([3000.0, 30.0]), "method": "bfgs"}


@pathology("does not depend|depend")
def objective_ignores_its_parameters():
    y = np.arange(5.0)

    def f(p):
        a, b = float(y.mean()), float(y.std())
        return np.sum((y - a) ** 2) / b

    return {"fun": f, "x0": np.zeros(2)}


@pathology("steps|rounding|whole|counting")
def counts_correct_answers():
    random = rng()
    X = random.normal(size=(40, 2))
    y = X[:, 0] > 0

    def errors(w):
        return np.mean((X @ w > 0) != y)

    return {"fun": errors, "x0": np.array([0.1, 1.0])}
