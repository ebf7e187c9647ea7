"""Trial points where the objective raises, or is not a number: methods step back, and the best point is kept."""

import math

import numpy as np
import pytest

from autoopt import AutooptError, minimize
from autoopt.solvers import SOLVERS


def cholesky(x):
    L = np.linalg.cholesky(np.array([[1.0, x[0]], [x[0], x[1]]]))
    return -2 * np.sum(np.log(np.diag(L))) + 50 * (x[0] - 0.9) ** 2 + x[1] ** 2


def rates(x):
    if np.any(x < 0):
        raise ValueError("a rate is negative")
    return np.sum(x - np.array([1e-3, 5.0]) * np.log(x + 1e-12))


def logarithm(x):
    return 5 * x[0] - sum(math.log(v) for v in x) + 100 * np.sum((x - 0.5) ** 2)


def stationary(x):
    if abs(x[0]) >= 1:
        raise np.linalg.LinAlgError("not stationary")
    return -0.01 * np.log(1 - x[0] ** 2) + 30 * (x[0] - 2) ** 2 + (x[1] - x[0]) ** 2


def not_a_number(x):
    with np.errstate(invalid="ignore"):
        return np.sum(x**2) - 2 * np.sum(np.sqrt(1 - 0.9 * x[:1])) - 10 * np.log(x[1])


CASES = {
    cholesky: [0.0, 1.0],
    rates: [3.0, 3.0],
    logarithm: [0.9, 3.0],
    stationary: [-0.5, 3.0],
    not_a_number: [0.9, 0.01],
}


def lowest(f, x0):
    """Return the least value that a method without derivatives finds, points that raise being infinitely high."""
    from scipy.optimize import minimize as scipy_minimize

    def barrier(x):
        try:
            with np.errstate(all="ignore"):
                value = f(x)
        except (ValueError, ArithmeticError):
            return np.inf
        return value if np.isfinite(value) else np.inf

    options = {"maxiter": 20000, "maxfev": 20000, "xatol": 1e-10, "fatol": 1e-14}
    return scipy_minimize(barrier, x0, method="Nelder-Mead", options=options).fun


@pytest.mark.parametrize("method", [name for name in SOLVERS if name not in ("cobyla", "cobyqa")])  # models of values
@pytest.mark.parametrize("f", CASES, ids=lambda f: f.__name__)
@pytest.mark.sampled(10)
def test_methods_step_back_from_where_the_objective_raises(f, method):
    result = minimize(f, np.array(CASES[f]), method=method)
    assert np.isfinite(result.fun) and result.fun <= f(np.array(CASES[f]))
    assert (result.nundefined > 0) == ("trial point" in result.message)
    if method == "dogleg" and "not positive definite" in result.message:
        return
    assert result.success, result.message
    assert result.fun == pytest.approx(lowest(f, CASES[f]), abs=1e-7, rel=1e-7)


def test_some_of_these_runs_do_meet_such_points():
    assert sum(minimize(f, np.array(x0), method="slsqp").nundefined > 0 for f, x0 in CASES.items()) >= 3


def test_the_exception_is_told_with_the_number_of_points():
    result = minimize(rates, np.array([3.0, 3.0]), method="bfgs")
    assert result.success and f"At {result.nundefined} trial points" in result.message
    assert "raised ValueError: a rate is negative; the method stepped back" in result.message


@pytest.mark.parametrize("method", SOLVERS)
def test_exception_at_the_start_is_the_users_own(method):
    with pytest.raises(ValueError, match="a rate is negative"):
        minimize(rates, np.array([-3.0, 3.0]), method=method)


@pytest.mark.parametrize("method", [name for name in SOLVERS if name != "cobyla"])  # it does not come so far
def test_mistake_ends_the_run_with_the_best_point_kept(method):
    def f(x):
        if x[0] < 0.9:
            return undefined_name  # noqa: F821
        return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1.2 - x[:-1]) ** 2 + x[:-1] ** 2)

    x0 = np.array([3.0, 2.0])
    with pytest.raises(NameError) as caught:
        minimize(f, x0, method=method)
    assert caught.value.result.fun <= f(x0) and not caught.value.result.success


def test_refusal_on_the_way_keeps_the_best_point():
    def f(x):
        if x[0] < 0.9:
            return np.sum(x**2) + float(np.sort(np.lexsort((x, x)))[0]) + math.gamma(3 + np.trunc(x[0])) * hash(x[0])
        return np.sum(x**2)

    with pytest.raises(AutooptError) as caught:
        minimize(f, np.array([3.0, 2.0]), method="bfgs")
    assert np.isfinite(caught.value.result.fun)


@pytest.mark.parametrize("method", ["trust-exact", "dogleg", "newton-cg", "trust-constr"])
def test_hessian_that_is_not_finite_does_not_lose_the_run(method):
    def hess(x):
        return np.full((2, 2), np.nan if x[0] < 1 else 0.0) + np.diag([2.0 + np.exp(x[0]), 2.0])

    x0 = np.array([3.0, 2.0])
    result = minimize(lambda x: np.sum(x**2) + np.exp(x[0]), x0, method=method, hess=hess)
    assert np.isfinite(result.fun) and np.isfinite(result.x).all()


@pytest.mark.parametrize("method", SOLVERS)
def test_run_that_finds_no_defined_point_ends_soon(method):
    calls = []

    def f(x):
        calls.append(x)
        if np.any(x != x0):
            raise ValueError("nothing but the start is defined")
        return np.sum((x - 3.0) ** 2)

    x0 = np.array([1.0, 2.0])
    derivatives = {"jac": lambda x: 2 * (x - 3.0), "hess": lambda x: 2 * np.eye(2)}
    result = minimize(f, x0, method=method, **derivatives, verify="off")
    assert not result.success and np.array_equal(result.x, x0) and len(calls) < 400
    assert "nothing but the start is defined" in result.message
