"""Models that the data do not hold, as users write them: separated classes, tails that are normal, dead units.

Each row is a function that returns the arguments of `minimize`. Nothing here knows of autoopt.
"""

from __future__ import annotations

import numpy as np
from pathologies import pathology, rng
from scipy import stats
from scipy.special import gammaln


def separated_classes() -> tuple[np.ndarray, np.ndarray]:
    X = np.column_stack([np.ones(80), rng().normal(size=(80, 2))])
    return X, (X[:, 1] > 0.2).astype(float)


@pathology("y are separated", "column 1 of X", "x[1]")
def separation_by_a_sigmoid_and_logarithms():
    X, y = separated_classes()

    def nll(b):
        p = 1 / (1 + np.exp(-(X @ b)))
        return -np.sum(y * np.log(p) + (1 - y) * np.log(1 - p))

    return {"fun": nll, "x0": np.zeros(3)}


@pathology("y are separated", "column 1 of X", "x[1]")
def separation_by_chosen_logarithms():
    X, y = separated_classes()

    def nll(b):
        p = 1 / (1 + np.exp(-X @ b))
        return -np.sum(np.where(y == 1, np.log(p), np.log(1 - p)))

    return {"fun": nll, "x0": np.zeros(3), "method": "l-bfgs-b"}


@pathology("y are separated", "column 1 of X", "x[1]")
def separation_behind_clipped_probabilities():
    X, y = separated_classes()

    def nll(b):
        p = np.clip(1 / (1 + np.exp(-X @ b)), 1e-12, 1 - 1e-12)
        return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))

    return {"fun": nll, "x0": np.zeros(3)}


@pathology("y are separated", "column 1 of X", "x[1]")
def separation_in_a_probit_that_rounds_to_one():
    X, y = separated_classes()

    def nll(b):
        p = stats.norm.cdf(X @ b)
        return -np.sum(y * np.log(p) + (1 - y) * np.log(1 - p))

    return {"fun": nll, "x0": np.zeros(3)}


@pathology("y are separated", "column 0 of Z", "slope[0]")
def separation_with_an_intercept_of_its_own():
    X, y = separated_classes()
    Z = X[:, 1:]

    def nll(p):
        eta = p["intercept"] + Z @ p["slope"]
        return np.sum(np.logaddexp(0, eta) - y * eta)

    return {"fun": nll, "x0": {"intercept": 0.0, "slope": np.zeros(2)}}


LIGHT = np.linspace(-1, 1, 100)  # lighter tails than any Student t has


@pathology("infinity", "nu")
def degrees_of_freedom_without_end():
    def nll(p):
        return -np.sum(stats.t.logpdf(LIGHT, p["nu"], p["mu"], p["sigma"]))

    return {"fun": nll, "x0": {"nu": 5.0, "mu": 0.0, "sigma": 1.0}}


@pathology("infinity", "log_nu")
def logarithm_of_degrees_of_freedom_without_end():
    def nll(p):
        nu, z = np.exp(p["log_nu"]), (LIGHT - p["mu"]) / np.exp(p["log_sigma"])
        constant = gammaln((nu + 1) / 2) - gammaln(nu / 2) - 0.5 * np.log(nu * np.pi) - p["log_sigma"]
        return -np.sum(constant - (nu + 1) / 2 * np.log1p(z**2 / nu))

    return {"fun": nll, "x0": {"mu": 0.0, "log_sigma": 0.0, "log_nu": 1.0}}


@pathology("infinity|run off", "size")
def counts_without_overdispersion():
    counts = rng().binomial(10, 0.3, 200).astype(float)

    def nll(p):
        mu, k = np.exp(p["log_mu"]), p["size"]
        constant = gammaln(counts + k) - gammaln(k) - gammaln(counts + 1)
        return -np.sum(constant + k * np.log(k / (k + mu)) + counts * np.log(mu / (k + mu)))

    return {"fun": nll, "x0": {"log_mu": 0.0, "size": 3.0}}


@pathology("np.maximum", "column 0", "constant", "b[0]")
def rectifier_that_lets_nothing_through():
    X = rng().normal(size=(60, 3))
    y = np.maximum(X @ np.array([1.0, -1.0, 0.5]), 0) + 0.1 * rng(1).normal(size=60)

    def loss(p):
        h = np.maximum(X @ p["W"].T + p["b"], 0)
        return np.mean((y - h @ p["v"]) ** 2)

    start = {"W": np.array([[0.5, 0.1, 0.2], [0.9, -0.9, 0.4]]), "b": np.array([-30.0, 0.1]), "v": np.ones(2)}
    return {"fun": loss, "x0": start}


@pathology("kink", "slope is -3 before and 2 behind", "each unit of x[0]")
def kink_far_from_0():
    return {"fun": lambda x: np.maximum(2 * (x[0] - 1e4), 3 * (1e4 - x[0])) + x[1] ** 4, "x0": [3e3, 1.0]}
