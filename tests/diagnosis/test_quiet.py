"""Runs that go wrong raise no warnings of our own code: what is wrong is said in the result."""

import warnings

import numpy as np
import pytest

import autoopt
from autoopt.solvers import Starts

T = np.linspace(0.0, 3.0, 30)

PATHOLOGIES = {
    "infinite slope": lambda x: np.sqrt(x[0]) + x[1] ** 2,
    "infinite slope inside": lambda x: np.sqrt(np.abs(x[0])) + np.cbrt(x[1] ** 2),
    "unbounded exponential": lambda x: -np.exp(x[0]) + x[1] ** 2,
    "logarithm of nothing": lambda x: np.log(x[0] ** 2) + x[1] ** 2,
    "pole": lambda x: -1 / (x[0] - 0.3) ** 2 + x[1] ** 2,
    "cubic": lambda x: x[0] ** 3 - 3 * x[0] + x[1] ** 2,
    "powers that overflow": lambda x: -((x[0] ** 2 + 1) ** 40) + x[1] ** 2,
    "infinity": lambda x: np.exp(-x[0]) + np.exp(-x[1] * 300),
    "kinks": lambda x: np.abs(x[0] - 1) + np.maximum(x[1], -2 * x[1]),
    "plateau": lambda x: np.tanh(50 * x[0]) + 0 * x[1],
    "huge": lambda x: 1e200 * (x[0] ** 4 + x[1] ** 2),
    "tiny": lambda x: 1e-200 * (x[0] ** 4 + (x[1] - 1) ** 2),
    "separated": lambda x: np.sum(np.log1p(np.exp(-np.where(T > 1, 1.0, -1.0) * (x[0] + x[1] * T)))),
    "edge": lambda x: np.sum(np.sqrt(1 - x**2)) - 3 * x[0],
}


@pytest.mark.sampled(3)
@pytest.mark.parametrize("name", PATHOLOGIES)
@pytest.mark.parametrize("method", [None, "bfgs", "l-bfgs-b", "nelder-mead", "trust-exact"])
def test_pathologies_raise_no_warnings_of_ours(name, method):
    f = PATHOLOGIES[name]

    def quiet(x):  # what the user's own lines warn of is the user's to hear
        with np.errstate(all="ignore"):
            return f(x)

    with warnings.catch_warnings(action="error", category=RuntimeWarning):
        result = autoopt.minimize(quiet, [0.7, 0.5], method=method)
        assert isinstance(result.message, str)


@pytest.mark.parametrize("name", ["cubic", "powers that overflow", "infinity"])
def test_forks_are_quiet_too(name, capfd):
    autoopt.minimize(PATHOLOGIES[name], [0.7, 0.5], starts=Starts(4, processes=2))
    assert "one_sided.py" not in (said := capfd.readouterr().err) and "inference.py" not in said


@pytest.mark.slow
def test_bounds_into_which_slopes_are_infinite_are_quiet():
    with warnings.catch_warnings(action="error", category=RuntimeWarning):
        for f in (lambda x: np.sqrt(x[0]) + x[1] ** 2, lambda x: -np.sqrt(x[0]) + x[1] ** 2):
            for method in (None, "l-bfgs-b", "slsqp", "tnc", "trust-constr", "powell"):
                autoopt.minimize(f, [0.5, 0.5], bounds=[(0, 1), (-1, 1)], method=method)
