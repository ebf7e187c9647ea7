"""Runs that go well have no diagnosis: likelihoods on random data, published problems, all pairs of points."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.special import gammaln
from smooth_problems import SMOOTH

import autoopt
from autoopt.objectives.arrays_met import are_suspicious
from autoopt.objectives.objective import Objective

METHODS = ("bfgs", "l-bfgs-b", "trust-exact", "newton-cg", "trust-krylov", "tnc")


def logistic(b, X, y):
    z = X @ b
    return np.sum(np.logaddexp(0, z) - (y > 0) * z) + 0.1 * b @ b


def poisson(b, X, y):
    z = X @ b
    counts = np.floor(np.abs(3 * y))
    return np.sum(np.exp(z) - counts * z)


def gaussian(p, X, y):
    b, log_sigma = p[:-1], p[-1]
    return np.sum(0.5 * ((y - X[:, :-1] @ b) / np.exp(log_sigma)) ** 2 + log_sigma)


def gamma(b, X, y):
    mu, shape, response = np.exp(X @ b), 2.0, np.abs(y) + 0.1
    return np.sum(shape * (response / mu + np.log(mu)) + gammaln(shape))


def ridge(b, X, y):
    return np.mean((y - X @ b) ** 2) + 0.01 * np.sum(b**2)


def huber(b, X, y):
    r = y - X @ b
    return np.sum(np.where(np.abs(r) < 1, 0.5 * r**2, np.abs(r) - 0.5))


def softplus(b, X, y):
    return np.mean(np.log1p(np.exp(-y * (X @ b)))) + 1e-2 * np.sum(b**2)


LIKELIHOODS = (logistic, poisson, gaussian, gamma, ridge, huber, softplus)


def data(seed: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    rows, columns = int(random.integers(30, 120)), int(random.integers(2, 7))
    X = np.column_stack([np.ones(rows), random.normal(size=(rows, columns - 1))])
    return X, X @ random.normal(size=columns) * 0.5 + random.normal(size=rows)


@pytest.mark.sampled(3)
@pytest.mark.parametrize("seed", range(9))
@pytest.mark.parametrize("fun", LIKELIHOODS, ids=lambda fun: fun.__name__)
def test_likelihood_has_no_diagnosis(fun, seed) -> None:
    X, y = data(seed)
    result = autoopt.minimize(fun, np.zeros(X.shape[1]), (X, y), method=METHODS[seed % len(METHODS)])
    assert result.success and result.diagnosis == [], result.message
    assert " Why: " not in result.message


NOT_IDENTIFIED = {
    "cosine",  # n - 1 cosines of n parameters
    "nondia",  # the last parameter is not read
    "fletchcr",  # n - 1 squares of n parameters
    "hatfldc",  # x[24] hangs on x[0] by 2^24, so that the least curvature is 2^-48
}


@pytest.mark.parametrize("name", [name for name, p in SMOOTH.items() if p.kind == "" and name not in NOT_IDENTIFIED])
@pytest.mark.sampled(8)
def test_published_problem_has_none_where_it_is_solved(name) -> None:
    problem = SMOOTH[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = autoopt.minimize(problem.f, problem.x0, bounds=problem.bounds)
    assert bool(result.diagnosis) == (not result.success), result.message


# All pairs are meant --------------------------------------------------------------------------------------------------


def gaussian_process(theta, t, y):
    K = np.exp(-((t[:, None] - t[None, :]) ** 2) / np.exp(theta[0])) + np.exp(theta[1]) * np.eye(len(t))
    return 0.5 * y @ np.linalg.solve(K, y) + 0.5 * np.linalg.slogdet(K)[1]


def kernel_energy(theta, column, points):
    return -np.sum(np.exp(-((column - points * theta[0]) ** 2))) + theta[0] ** 2


def pairwise_ranking(b, X, y):
    z = X @ b
    return np.sum(np.logaddexp(0, z[None, :] - z[:, None]) * (y[:, None] > y[None, :])) + b @ b


def column_throughout(b, X, y):
    return np.sum((y[:, None] - X @ b[:, None]) ** 2)


ALL_PAIRS: dict[Callable, tuple[Any, ...]] = {
    gaussian_process: (np.zeros(2), np.linspace(0, 1, 12), np.sin(np.linspace(0, 6, 12))),
    kernel_energy: (np.ones(1), np.linspace(0, 1, 12)[:, None], np.linspace(0, 1, 12)),
    pairwise_ranking: (np.zeros(3), np.random.default_rng(0).normal(size=(15, 3)), np.arange(15.0)),
    column_throughout: (np.zeros(3), np.random.default_rng(0).normal(size=(15, 3)), np.arange(15.0)),
}


@pytest.mark.parametrize("fun", ALL_PAIRS, ids=lambda fun: fun.__name__)
def test_pairs_that_are_meant_are_not_suspicious(fun) -> None:
    x0, *args = ALL_PAIRS[fun]
    assert not are_suspicious(Objective(fun, x0, tuple(args)).dispatch.paths[0].trace.tape)


def test_column_that_is_passed_is_suspicious_whatever_the_loss() -> None:
    X, y = data(0)
    for fun in (ridge, logistic, huber, softplus):
        objective = Objective(fun, np.zeros(X.shape[1]), (X, y[:, None]))
        assert are_suspicious(objective.dispatch.paths[0].trace.tape), fun.__name__


# Where a run begins at its end ----------------------------------------------------------------------------------------


def test_start_at_the_minimum_has_no_diagnosis() -> None:
    result = autoopt.minimize(lambda x: 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2, np.ones(2))
    assert result.success and result.diagnosis == []


def test_value_that_never_changes_is_named_though_its_slope_vanishes() -> None:
    result = autoopt.minimize(lambda x: np.sum(np.zeros_like(x) * x), [1.0, 2.0])
    assert "does not depend on its parameters: it is 0" in result.diagnosis[0]
