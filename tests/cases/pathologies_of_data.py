"""More of `pathologies.py`: runs that go off, and data as they come out of files."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
from pathologies import pathology, rng

# Separation and minima at infinity ------------------------------------------------------------------------------------


@pathology("infinity|not bounded below|cancel", "shape")
def dispersion_of_counts_without_any():
    y = np.array([3.0, 4, 3, 5, 4, 4, 3, 4, 4, 5])  # less scattered than Poisson

    def nll(p):
        from scipy.special import gammaln

        mu, shape = np.exp(p["log_mu"]), np.exp(p["log_shape"])
        terms = gammaln(y + shape) - gammaln(shape) + y * np.log(mu / (mu + shape)) - shape * np.log1p(mu / shape)
        return -np.sum(terms)

    return {"fun": nll, "x0": {"log_mu": 1.0, "log_shape": 1.0}}


# Data as they come ----------------------------------------------------------------------------------------------------


@pathology("np.exp", "overflow", "np.exp(X @ b)", "row")
def income_in_units_of_one():
    random = rng(4)
    income = random.lognormal(10, 0.5, size=50)
    X = np.column_stack([np.ones(50), income])
    y = random.poisson(3, size=50).astype(float)
    return {"fun": lambda b: np.sum(np.exp(X @ b) - y * (X @ b)), "x0": np.array([0.0, 0.1])}


@pathology("nan", "X", "column 2", "data")
def standardised_column_without_variation():
    X = rng(6).normal(size=(20, 3))
    X[:, 2] = 1.0
    with np.errstate(invalid="ignore"):
        X = (X - X.mean(axis=0)) / X.std(axis=0)
    y = rng(7).normal(size=20)

    def ridge(b, X, y):
        return np.sum((y - X @ b) ** 2) + np.sum(b**2)

    return {"fun": ridge, "x0": np.zeros(3), "args": (X, y)}


@pathology("np.log", "0", "row 1")
def deviance_of_counts_with_a_zero():
    y = np.array([2.0, 0.0, 3.0, 1.0])

    def deviance(p):
        mu = np.exp(p[0]) * np.ones(4)
        return 2 * np.sum(y * np.log(y / mu) - (y - mu))

    return {"fun": deviance, "x0": np.array([0.5])}


@pathology("positive definite|LinAlgError", "np.linalg.cholesky")
def covariance_that_is_not_positive_definite():
    S = np.array([[2.0, 0.3], [0.3, 1.0]])

    def nll(p):
        C = np.array([[p[0], p[1]], [p[1], p[2]]])
        L = np.linalg.cholesky(C)
        return np.sum(np.diag(L)) - 9 * p[1] + (p[0] - 1) ** 2 + (p[2] - 1) ** 2 + 1e-9 * np.trace(C @ S)

    return {"fun": nll, "x0": np.array([1.0, 0.0, 1.0])}


@pathology("row 12", "nan", "price")
def missing_price_in_an_object():
    price = np.linspace(1.0, 2.0, 20)
    price[12] = np.nan
    shop = SimpleNamespace(price=price, sold=np.linspace(9.0, 4.0, 20))

    class Demand:
        def __init__(self, data):
            self.price, self.sold = data.price, data.sold

        def loss(self, theta):
            return np.mean((self.sold - theta[0] * self.price ** theta[1]) ** 2)

    return {"fun": Demand(shop).loss, "x0": np.array([5.0, -1.0])}


@pathology("kink", "np.clip")
def clipped_utilisation():
    def cost(x):
        load = np.clip(x[0] + 0.5 * x[1], -5.0, 1.0)
        return -3 * load + 0.5 * (x[0] + 0.2) ** 2 + 0.5 * (x[1] - 0.1) ** 2

    return {"fun": cost, "x0": np.array([-2.0, -1.0]), "method": "bfgs"}


@pathology("separat", "x[1]|column 1")
def separation_in_a_logistic_regression():
    x = np.linspace(-2, 2, 40)
    X = np.column_stack([np.ones(40), x])
    y = (x > 0.1).astype(float)
    return {"fun": lambda b: np.sum(np.logaddexp(0, X @ b) - y * (X @ b)), "x0": np.zeros(2)}


@pathology("separat", "dose")
def separation_by_a_named_parameter():
    random = rng(3)
    dose = np.repeat([0.0, 1.0], 30)
    age = random.normal(size=60)
    died = np.where(dose == 1, 1.0, (random.random(60) < 0.4).astype(float))

    def nll(p):
        eta = p["const"] + p["dose"] * dose + p["age"] * age
        return np.sum(np.log1p(np.exp(-np.abs(eta))) + np.maximum(eta, 0) - died * eta)

    return {"fun": nll, "x0": {"const": 0.0, "dose": 0.0, "age": 0.0}}


@pathology("infinity", "x[0]")
def decay_that_is_faster_than_all_data():
    return {"fun": lambda x: np.exp(-x[0]) + (x[1] - 2) ** 2, "x0": np.zeros(2)}
