"""Objectives that go wrong as those of users do, with the words that the first diagnosis must have: undefined values.

Each row is a function that returns the arguments of `minimize`. Nothing here knows of autoopt.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats
from scipy.special import gamma


@dataclass(frozen=True)
class Pathology:
    """What is wrong, and how it must be told.

    Attributes
    ----------
    call : callable
        Returns the arguments of `minimize`.
    words : tuple of str
        All of them are in the first diagnosis, or in the error; alternatives are separated by "|".
    """

    call: Callable[[], dict[str, Any]]
    words: tuple[str, ...]


PATHOLOGIES: dict[str, Pathology] = {}


def pathology(*words: str) -> Callable:
    """Add the decorated function to the table, under its name."""

    def add(call: Callable) -> Callable:
        PATHOLOGIES[call.__name__] = Pathology(call, words)
        return call

    return add


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


# NaN and inf ----------------------------------------------------------------------------------------------------------


@pathology("y", "nan", "row 17", "data")
def nan_in_the_response():
    x = rng().normal(size=50)
    y = 1 + 2 * x
    y[17] = np.nan

    def sse(p, x, y):
        return np.sum((y - p[0] - p[1] * x) ** 2)

    return {"fun": sse, "x0": [0.0, 0.0], "args": (x, y)}


@pathology("X", "inf", "row 3, column 1", "data")
def inf_after_taking_logs_of_a_column():
    X = rng().uniform(0.5, 2, size=(40, 2))
    X[3, 1] = 0.0
    with np.errstate(divide="ignore"):
        X = np.log(X)
    y = rng(1).normal(size=40)
    return {"fun": lambda b: np.mean((y - X @ b) ** 2), "x0": np.zeros(2)}


@pathology("np.log", "negative|below 0", "sigma|x[1]", "np.log(sigma)")
def log_of_a_negative_scale_at_the_start():
    y = rng().normal(size=30)

    def nll(p):
        mu, sigma = p
        return len(y) * np.log(sigma) + 0.5 * np.sum((y - mu) ** 2) / sigma**2

    return {"fun": nll, "x0": [0.0, -1.0]}


@pathology("np.exp", "overflow", "row 2", "np.exp(a + b * t)")
def exp_overflows_in_years():
    t = np.array([1990.0, 2000.0, 2010.0, 2020.0])
    y = np.array([1.0, 2.0, 4.0, 8.0])

    def loss(p):
        a, b = p
        return np.sum((np.exp(a + b * t) - y) ** 2)

    return {"fun": loss, "x0": {"a": 0.0, "b": 0.354}["a"] + np.array([0.0, 0.354])}


@pathology("0", "division|divide", "/ x[1]")
def division_by_a_start_of_zero():
    def f(x):
        return (x[0] - 1) ** 2 + (x[0] / x[1] - 2) ** 2

    return {"fun": f, "x0": np.zeros(2)}


@pathology("np.log", "row", "np.log(1 - p)")
def bernoulli_probabilities_saturate_at_the_start():
    X = rng().normal(size=(60, 2)) * 30
    y = (X[:, 0] > 0).astype(float)

    def nll(w):
        p = 1 / (1 + np.exp(-X @ w))
        return -np.sum(y * np.log(p) + (1 - y) * np.log(1 - p))

    return {"fun": nll, "x0": np.array([5.0, 5.0])}


@pathology("np.linalg.inv|singular", "singular")
def covariance_of_two_equal_inputs_is_singular():
    s = np.array([0.0, 1.0, 1.0, 2.0])
    y = np.array([0.1, 0.4, 0.5, 0.2])

    def nll(theta):
        K = np.exp(theta[0]) * np.exp(-0.5 * (s[:, None] - s[None, :]) ** 2 / np.exp(theta[1]))
        return 0.5 * y @ np.linalg.inv(K) @ y + 0.5 * np.linalg.slogdet(K)[1]

    return {"fun": nll, "x0": np.zeros(2)}


@pathology("gamma", "overflow", "row", "gammaln")
def factorial_of_counts_overflows():
    k = np.array([3.0, 12.0, 180.0, 7.0])

    def nll(p):
        lam = np.exp(p[0])
        return -np.sum(np.log(lam**k * np.exp(-lam) / gamma(k + 1)))

    return {"fun": nll, "x0": np.array([3.0])}


@pathology("np.sqrt", "negative", "np.sqrt(")
def sqrt_of_a_negative_variance():
    def loss(p):
        v = p[0] - p[1] ** 2
        return np.sqrt(v) + (p[0] - 1) ** 2

    return {"fun": loss, "x0": [1.0, 2.0]}


@pathology("power|**", "negative", "row 0")
def fractional_power_of_negative_times():
    t = np.linspace(-1.0, 3.0, 9)
    y = np.abs(t) ** 1.3

    class PowerLaw:
        def __call__(self, p):
            return np.mean((p[0] * t ** p[1] - y) ** 2)

    return {"fun": PowerLaw(), "x0": np.array([1.0, 1.2])}


@pathology("np.sqrt", "trial", "np.sqrt(x[0])")
def the_only_way_down_leads_out_of_the_domain():
    def f(x):
        return np.sqrt(x[0]) + x[0] + (x[1] - 1) ** 2

    return {"fun": f, "x0": np.array([1.0, 0.0]), "method": "bfgs"}


@pathology("gradient|slope", "np.linalg.norm|np.sqrt", "0")
def norm_has_no_slope_at_the_origin():
    def f(x):
        return np.sqrt(x[0]) + (x[1] - 3) ** 2

    return {"fun": f, "x0": np.zeros(2)}


@pathology("underflow|0", "np.log", "row")
def density_underflows_before_its_logarithm():
    y = np.array([0.0, 1.0, 2.0, 90.0])

    def nll(p):
        return -np.sum(np.log(stats.norm.pdf(y, p[0], np.exp(p[1]))))

    return {"fun": nll, "x0": np.zeros(2)}


@pathology("ages", "nan", "row 4", "data")
def missing_value_in_a_dict_of_columns():
    data = {"ages": np.array([20.0, 30, 40, 50, np.nan, 60]), "pay": np.array([1.0, 2, 3, 4, 5, 6])}

    def sse(params, data):
        return ((data["pay"] - params["a"] - params["b"] * data["ages"]) ** 2).sum()

    return {"fun": sse, "x0": {"a": 0.0, "b": 0.0}, "args": (data,)}


@pathology("np.arccos|arccos", "outside|between -1 and 1")
def arccos_of_more_than_one():
    def f(q):
        return (np.arccos(q[0] * q[1]) - 0.3) ** 2 + q[0] ** 2

    return {"fun": f, "x0": np.array([1.5, 1.5])}


# Without a minimum ----------------------------------------------------------------------------------------------------


@pathology("not bounded below|falls without", "sign")
def log_likelihood_with_the_wrong_sign():
    y = rng().normal(3, 2, size=80)

    def loglik(p):
        return -0.5 * np.sum((y - p[0]) ** 2) - len(y) * p[1] ** 2

    return {"fun": loglik, "x0": [0.0, 0.1]}


@pathology("not bounded below|falls without", "x[0]|x[1]")
def linear_objective_without_bounds():
    cost = np.array([1.0, -2.0])
    return {"fun": lambda x: cost @ x + 0.5 * np.maximum(x[0], 0) ** 2, "x0": np.zeros(2)}


@pathology("not bounded below|-inf|falls without", "x[1]")
def mixture_collapses_onto_a_datum():
    y = np.array([0.0, 1.0, 1.3, 2.2, 5.0])

    def nll(p):
        a = np.exp(-0.5 * ((y - 2.2) / np.exp(p[1])) ** 2 - p[1])
        b = np.exp(-0.5 * (y - p[0]) ** 2)
        return -np.sum(np.log(0.5 * a + 0.5 * b))

    return {"fun": nll, "x0": np.array([1.0, -2.0])}


@pathology("labels|response|y", "1 and 2|0 and 1|{1, 2}")
def classes_are_one_and_two():
    random = rng(5)
    X = np.column_stack([np.ones(80), random.normal(size=80)])
    y = 1.0 + (X[:, 1] + random.normal(size=80) > 0)

    def nll(w, X, y):
        z = X @ w
        return np.sum(np.logaddexp(0, z) - y * z)

    return {"fun": nll, "x0": np.zeros(2), "args": (X, y)}


@pathology("counts|y", "negative", "row 4")
def poisson_with_negative_counts():
    X = np.column_stack([np.ones(6), np.arange(6.0)])
    y = np.array([0.0, 1, 2, 1, -99, 2])

    def nll(b, X, y):
        eta = X @ b
        return np.sum(np.exp(eta) - y * eta)

    return {"fun": nll, "x0": np.zeros(2), "args": (X, y)}
