"""Line searches that come to the rounding of f are ended there, and Newton's steps go on from the gradient."""

from itertools import product

import numpy as np
import pytest
from regressions import logistic_deviance
from scipy import optimize

import autoopt
from autoopt.solvers import ending, settling
from autoopt.solvers.iterations import two_loops

RANDOM = np.random.default_rng(4)
ROWS, COLUMNS = 20_000, 12
DESIGN = RANDOM.normal(size=(ROWS, COLUMNS)) / np.sqrt(COLUMNS)
EXPOSURE = RANDOM.uniform(0.5, 2.0, ROWS)
TRUE = RANDOM.normal(size=COLUMNS)
COUNTS = RANDOM.poisson(EXPOSURE * np.exp(DESIGN @ TRUE)).astype(float)
CLASSES = (RANDOM.logistic(size=ROWS) < DESIGN @ TRUE).astype(float)
RESPONSE = DESIGN @ TRUE + RANDOM.normal(size=ROWS)


def poisson(b):
    eta = DESIGN @ b
    return np.sum(EXPOSURE * np.exp(eta) - COUNTS * eta)


def poisson_slope(b):
    return DESIGN.T @ (EXPOSURE * np.exp(DESIGN @ b) - COUNTS)


def logistic(b):
    eta = DESIGN @ b
    return np.sum(np.logaddexp(0, eta) - CLASSES * eta)


def logistic_slope(b):
    return DESIGN.T @ (1 / (1 + np.exp(-(DESIGN @ b))) - CLASSES)


def offset(b):
    return 1e9 + np.sum((RESPONSE - DESIGN @ b) ** 2)


def offset_slope(b):
    return -2 * DESIGN.T @ (RESPONSE - DESIGN @ b)


MODELS = {"poisson": (poisson, poisson_slope), "logistic": (logistic, logistic_slope), "offset": (offset, offset_slope)}
METHODS = ("l-bfgs-b", "bfgs", "cg", "newton-cg")


def test_a_line_search_in_the_rounding_takes_few_evaluations(monkeypatch):
    counts = {}
    for trials in (settling._TRIALS, 10**6):
        monkeypatch.setattr(settling, "_TRIALS", trials)
        counts[trials] = np.zeros(len(METHODS))
        for name, (f, slope) in MODELS.items():
            for start, (k, method) in product((np.zeros(COLUMNS), 0.1 * TRUE), enumerate(METHODS)):
                run = autoopt.minimize(f, start, method=method, engine="numpy")  # one rounding from start to end
                nearest = run.x - np.linalg.solve(hessian(name, run.x), slope(run.x))
                assert run.success
                assert np.max(np.abs(run.x - nearest)) < 1e-6
                counts[trials][k] += run.nfev
    few, many = counts.values()
    assert (few <= 1.05 * many).all()
    assert few.sum() < 0.9 * many.sum()


def test_a_tolerance_on_values_is_met_where_they_are_rounding():
    rule = {"gtol": 1e-12, "ftol": 1e-13}
    for _, (f, slope) in MODELS.items():
        ours = autoopt.minimize(f, np.zeros(COLUMNS), method="l-bfgs-b", options=rule)
        theirs = optimize.minimize(f, np.zeros(COLUMNS), jac=slope, method="L-BFGS-B", options=rule)
        assert ours.success
        assert ours.nfev <= theirs.nfev
        assert ours.fun <= theirs.fun + 1e-13 * abs(theirs.fun)
        assert isinstance(ours.hess_inv, optimize.LbfgsInvHessProduct)


def hessian(name, b):
    eta = DESIGN @ b
    p = 1 / (1 + np.exp(-eta))
    weights = {"poisson": EXPOSURE * np.exp(eta), "logistic": p * (1 - p), "offset": np.full(ROWS, 2.0)}[name]
    return DESIGN.T @ (weights[:, None] * DESIGN)


def test_the_inverse_hessian_of_such_a_run_is_of_the_form_that_scipy_returns():
    ours = autoopt.minimize(offset, np.zeros(COLUMNS), method="bfgs")
    assert ours.success
    assert ours.hess_inv.shape == (COLUMNS, COLUMNS)
    assert np.allclose(ours.hess_inv, ours.hess_inv.T)
    assert (np.linalg.eigvalsh(ours.hess_inv) > 0).all()
    assert not hasattr(autoopt.minimize(offset, np.zeros(COLUMNS), method="cg"), "hess_inv")


def test_two_loops_are_the_bfgs_update_from_the_scale_of_the_last_pair():
    n = 5
    a = RANDOM.normal(size=(n, n))
    curvature = a @ a.T + np.eye(n)
    steps = RANDOM.normal(size=(3, n))
    changes = steps @ curvature
    inverse = (steps[-1] @ changes[-1]) / (changes[-1] @ changes[-1]) * np.eye(n)
    for s, y in zip(steps, changes, strict=True):
        left = np.eye(n) - np.outer(s, y) / (s @ y)
        inverse = left @ inverse @ left.T + np.outer(s, s) / (s @ y)
    columns = np.array([two_loops(steps, changes, unit) for unit in np.eye(n)]).T
    assert np.allclose(columns, inverse, rtol=1e-10)
    assert np.array_equal(two_loops(steps[:0], changes[:0], steps[0]), steps[0])


@pytest.mark.parametrize("method", ["newton-cg", "trust-ncg", "trust-krylov"])
def test_products_beside_the_method_are_few_where_they_are_dear(method, monkeypatch):
    deviance = logistic_deviance(40_000, 60, seed=5)
    run = autoopt.minimize(deviance, np.zeros(60), method=method)
    assert run.success
    monkeypatch.setattr(ending, "_settled", lambda solver, problem, options, chosen, raw: ending.Ending(raw, raw.x))
    own = autoopt.minimize(deviance, np.zeros(60), method=method)
    assert run.nhev <= own.nhev + max(2, own.nhev // 3)
