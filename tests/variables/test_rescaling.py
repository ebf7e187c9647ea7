"""Runs that fail by bad scaling are begun anew in sizes that their end shows, unless the user has chosen."""

import numpy as np
import pytest
from scipy.special import expit

from autoopt.minimize import minimize
from autoopt.solvers import Interrupted

RNG = np.random.default_rng(5)
X = RNG.normal(size=(200, 6))
Y = (RNG.uniform(size=200) < expit(X @ [0.5, -1.0, 0.8, 0.2, 0.3, -0.4])).astype(float)
SIZES = 10.0 ** np.linspace(-8, 8, 6)
FREE = [(None, None)] * 6


def logistic(beta, X, y):
    eta = X @ beta
    return np.sum(np.logaddexp(0, eta) - y * eta)


@pytest.fixture(scope="module")
def wanted():
    beta = np.zeros(6)
    for _ in range(30):
        p = expit(X @ beta)
        beta += np.linalg.solve(X.T @ (X * (p * (1 - p))[:, None]), X.T @ (Y - p))
    return beta


def test_a_default_method_is_not_led_astray_by_the_units(wanted):
    result = minimize(logistic, np.zeros(6), (X * SIZES, Y), bounds=FREE)
    assert result.success and np.allclose(result.x * SIZES, wanted, rtol=1e-5)


def test_a_default_method_that_fails_by_the_units_is_begun_anew_and_says_so(wanted, monkeypatch):
    from autoopt.solvers import ending

    monkeypatch.setattr(ending, "_polish", lambda *given: None)  # without Newton's steps it does fail
    result = minimize(logistic, np.zeros(6), (X * SIZES, Y), bounds=FREE)
    assert result.success and np.allclose(result.x * SIZES, wanted, rtol=1e-5)
    assert "trust-region" in result.method or "x[5] to" in result.notes[0]
    gradient = (X * SIZES).T @ (expit(X * SIZES @ result.x) - Y)
    assert np.allclose(result.jac, gradient, rtol=1e-6, atol=1e-6 * SIZES)
    if "trust-region" in result.method:  # which no units stop
        return
    inverse = result.hess_inv @ np.eye(6)[0]  # of L-BFGS-B, in the user's parameters
    assert 1e12 < inverse[0] < 1e17


@pytest.mark.parametrize("how", [{"method": "l-bfgs-b"}, {"scale": 1.0}, {"options": {"maxiter": 15000}}], ids=str)
def test_what_the_user_has_chosen_is_run_once(how):
    result = minimize(logistic, np.zeros(6), (X * SIZES, Y), bounds=FREE, **how)
    assert not any("begun anew" in note for note in result.notes)
    gradient = (X * SIZES).T @ (expit(X * SIZES @ result.x) - Y)
    assert not result.success or np.max(np.abs(gradient * np.maximum(np.abs(result.x), 1e-8))) < 1e-4


def test_callbacks_and_iterates_are_in_the_users_parameters_in_both_runs(wanted):
    seen = []
    result = minimize(
        logistic,
        np.zeros(6),
        (X * SIZES, Y),
        bounds=FREE,
        callback=lambda x: seen.append(x),
        options={"return_all": True},
    )
    assert result.success and len(seen) == result.nit and len(result.allvecs) == result.nit + 1
    assert np.allclose(seen[-1] * SIZES, wanted, rtol=1e-3, atol=1e-3) and np.array_equal(result.allvecs[-1], seen[-1])
    values = [logistic(x, X * SIZES, Y) for x in seen]
    assert values[-1] <= min(values) + 1e-9


def test_interruption_of_the_second_run_has_the_users_parameters():
    def callback(x):
        if logistic(x, X * SIZES, Y) < 110.0 and np.abs(x[0]) > 1e6:
            raise KeyboardInterrupt

    with pytest.raises(Interrupted) as caught:
        minimize(logistic, np.zeros(6), (X * SIZES, Y), bounds=FREE, callback=callback)
    assert abs(caught.value.result.x[0]) > 1e6 and caught.value.result.fun < 110.0


def test_other_failures_are_left_as_they_are():
    saddle = minimize(lambda x: x[0] ** 2 - x[1] ** 2, [1.0, 0.0])
    assert not saddle.success and not any("begun anew" in note for note in saddle.notes)


def test_sizes_that_change_on_the_way_are_taken_anew_with_auto():
    def f(x):  # curvature of x[1] grows by 1e12 from the start to the minimum
        return (x[0] - 1) ** 2 + np.cosh(np.minimum(x[1], 30.0) - 28.0) * 1e-3 * (x[1] - 28.5) ** 2 + (x[2] - x[0]) ** 2

    result = minimize(f, [0.0, 0.0, 0.0], scale="auto")
    assert result.success and np.allclose(result.x, [1.0, 28.5, 1.0], rtol=1e-6)
