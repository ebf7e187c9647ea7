"""method=None: what it takes, that it goes on with another method, and that it says why."""

from __future__ import annotations

import time

import numpy as np
import pytest
from regressions import logistic_deviance
from smooth_problems import SMOOTH

from autoopt import minimize


def rosenbrock(x):
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def test_newton_is_taken_where_hessians_are_cheap():
    result = minimize(rosenbrock, [-1.2, 1.0], hess=lambda x: _hessian(x))
    assert result.success and result.method == "trust-region"
    assert result.choice.startswith("trust-region, since a Hessian takes") and result.notes == []


def _hessian(x):
    return np.array([[1200 * x[0] ** 2 - 400 * x[1] + 2, -400 * x[0]], [-400 * x[0], 200.0]])


def test_gradients_are_taken_where_a_hessian_is_dear():
    def slow(x):
        time.sleep(0.02)
        return _hessian(x)

    result = minimize(rosenbrock, [-1.2, 1.0], hess=slow)
    assert result.success and result.method == "bfgs" and "gradient" in result.choice
    assert result.nhev <= 4


@pytest.mark.slow
def test_bfgs_is_not_taken_where_evaluations_are_dear():
    # it begins at an inverse Hessian of 1: a logistic regression of so many rows takes it 150 evaluations
    deviance = logistic_deviance(20_000, 30, seed=2)
    for _ in range(2):  # when no Hessian is derived, and when one may be
        run = minimize(deviance, np.zeros(30))
        assert run.success
        assert run.nfev < 40
        assert "bfgs" not in run.method.split(", then ")


def test_nothing_is_derived_for_a_first_short_run(monkeypatch):
    monkeypatch.setenv("AUTOOPT_CACHE", "off")
    constant = 3.0 + time.time() % 1  # of no cache
    result = minimize(lambda x: np.sum((x - constant) ** 4 + np.cosh(x) * constant), np.zeros(3))
    assert result.success and result.method in ("bfgs", "trust-region")
    assert result.method == "trust-region" or result.nhev == 0


@pytest.mark.slow
def test_many_parameters_are_for_methods_without_matrices():
    result = minimize(rosenbrock, np.zeros(300))
    assert result.success and result.method == "l-bfgs-b" and "300 parameters" in result.choice


def test_another_method_goes_on_where_one_creeps():
    """Newton's method follows Beale's valley to infinity from there; BFGS, from the start anew, does not."""
    problem = SMOOTH["beale from 10 x0"]

    def hess(x):
        base, step = np.zeros((2, 2)), 1e-6
        for k in range(2):
            ahead = np.eye(2)[k] * step * max(1.0, abs(x[k]))
            base[k] = (_slope(x + ahead) - _slope(x - ahead)) / (2 * ahead[k])
        return (base + base.T) / 2

    result = minimize(problem.f, problem.x0, hess=hess)
    assert result.success and result.fun == pytest.approx(0.0, abs=1e-12)
    if result.method != "trust-region":
        assert result.method.startswith("trust-region, then bfgs") and "changed on the way" in result.notes[0]
        assert "came to no minimum" in result.choice


def _slope(x):
    i = np.arange(1, 4)
    r = np.array([1.5, 2.25, 2.625]) - x[0] * (1 - x[1] ** i)
    return 2 * np.array([-(1 - x[1] ** i) @ r, (x[0] * i * x[1] ** (i - 1)) @ r])


def test_limit_of_iterations_is_that_of_all_methods_together():
    problem = SMOOTH["beale from 10 x0"]
    result = minimize(problem.f, problem.x0, options={"maxiter": 7})
    assert not result.success and result.nit <= 7


def test_what_is_not_bounded_is_not_tried_again():
    result = minimize(lambda x: x[0] ** 2 - 3 * x[1], np.ones(2))
    assert not result.success and ", then" not in result.method


def test_second_derivatives_that_do_not_exist_do_no_harm():
    def fails(x):
        raise ValueError("no Hessian here")

    with pytest.raises(ValueError, match="no Hessian here"):
        minimize(rosenbrock, [-1.2, 1.0], method="trust-region", hess=fails)


def test_a_second_call_has_the_same_minimum():
    results = [minimize(rosenbrock, np.zeros(4)) for _ in range(3)]
    assert all(result.success for result in results)
    for result in results:
        np.testing.assert_allclose(result.x, 1.0, rtol=1e-7)


@pytest.mark.sampled(6)
@pytest.mark.parametrize("name", [name for name in SMOOTH if SMOOTH[name].kind != "infinity"])
def test_published_minimum_is_reached(name):
    problem = SMOOTH[name]
    result = minimize(problem.f, problem.x0, bounds=problem.bounds)
    nothing = 1e-8 * min(1.0, problem.f(problem.x0))
    reached = any(abs(result.fun - one) <= (1e-8 * abs(one) or nothing) for one in problem.values)
    assert reached or name in ELSEWHERE, f"{result.fun}, {result.method}, {result.message}"


ELSEWHERE = {"brown_almost_linear from 10 x0", "mgh17 start 1", "mgh10 start 1"}
"""Another local minimum, a plateau on which exponentials have vanished, and what no method reaches on its own."""
