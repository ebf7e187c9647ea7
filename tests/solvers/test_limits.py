"""Limits of iterations: every method keeps to one that the user sets; at its own, Newton's steps go on."""

import numpy as np
import pytest
from scipy import optimize

from autoopt import minimize
from autoopt.solvers import SOLVERS

INSTALLED = [name for name, solver in SOLVERS.items() if solver.is_installed]


def rosenbrock(x):
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


@pytest.mark.filterwarnings("ignore:COBYLA. Invalid MAXFUN")
@pytest.mark.parametrize("method", INSTALLED)
def test_limit_of_iterations_that_the_user_sets_is_kept(method):
    result = minimize(rosenbrock, np.zeros(4), method=method, options={"maxiter": 3})
    assert not result.success and result.nit <= 3
    modelled = method in ("cobyla", "cobyqa")  # the first points only lay out a model
    assert result.fun <= rosenbrock(np.zeros(4)) if modelled else result.fun < rosenbrock(np.zeros(4))
    assert method == "cobyla" or "The limit of iterations or evaluations was reached" in result.message


@pytest.mark.parametrize("method", ["cg", "tnc", "newton-cg", "l-bfgs-b"])
@pytest.mark.parametrize("seed", range(2))
def test_end_at_a_limit_of_the_methods_own_is_led_on_to_the_minimum(method, seed):
    """Columns of 1e-4 to 1e4 take first-order methods more than their iterations; normal equations are the truth."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(300, 5)) * 10.0 ** np.linspace(-4, 4, 5)
    y = X @ (rng.normal(size=5) / 10.0 ** np.linspace(-4, 4, 5)) + rng.normal(size=300)
    result = minimize(lambda w: np.sum((y - X @ w) ** 2), np.zeros(5), method=method)
    scale = 10.0 ** np.linspace(-4, 4, 5)
    expected = np.linalg.lstsq(X / scale, y, rcond=None)[0] / scale
    assert result.success and result.x == pytest.approx(expected, rel=1e-6), result.message


def test_tnc_stops_at_the_iterate_where_its_limit_is_met():
    seen = []
    result = minimize(rosenbrock, np.zeros(4), method="tnc", options={"maxiter": 2}, callback=seen.append)
    assert result.nit == len(seen) == 2 and np.array_equal(seen[-1], result.x)
    whole = optimize.minimize(rosenbrock, np.zeros(4), method="TNC", jac=optimize.rosen_der)
    assert result.nfev < whole.nfev


@pytest.mark.parametrize("method", [None, "bfgs", "l-bfgs-b", "cg", "tnc", "newton-cg", "trust-exact", "slsqp"])
def test_success_is_not_told_with_why_the_method_had_given_up(method):
    X = np.random.default_rng(0).normal(size=(300, 5)) * 10.0 ** np.linspace(-4, 4, 5)
    y = 1e3 + X @ 10.0 ** -np.linspace(-4, 4, 5)
    result = minimize(lambda w: np.sum((y - X @ w) ** 2), np.zeros(5), method=method)
    assert result.success, result.message
    for word in (
        "precision loss",
        "ABNORMAL",
        "failed",
        "left for another",
        "Max. number",
        "Maximum number",
        "Not conv",
    ):
        assert word not in result.message
