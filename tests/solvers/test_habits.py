"""SciPy's calling habits: what every method knows beside its own options, callbacks, methods that are functions."""

import numpy as np
import pytest
from scipy import optimize
from scipy.optimize import OptimizeResult, rosen, rosen_der, rosen_hess

from autoopt.errors import UsageError
from autoopt.minimize import minimize
from autoopt.solvers import SOLVERS

START = np.array([-1.2, 1.0])


@pytest.mark.parametrize("method", SOLVERS)
def test_return_all_gives_the_start_and_every_iterate(method):
    seen = []
    result = minimize(
        rosen, START, method=method, jac=rosen_der, hess=rosen_hess, options={"return_all": True}, callback=seen.append
    )
    assert np.array_equal(result.allvecs[0], START)
    assert np.array_equal(result.allvecs[1:], seen) and len(seen) > 1


def test_allvecs_are_those_of_scipy():
    options = {"return_all": True, "gtol": 1e-5}
    ours = minimize(rosen, START, method="BFGS", options=options)
    scipys = optimize.minimize(rosen, START, method="BFGS", jac=rosen_der, options=options)
    count = len(scipys.allvecs)
    assert np.allclose(ours.allvecs[:count], scipys.allvecs)


def test_allvecs_have_the_structure_of_the_start():
    result = minimize(lambda p: (p["a"] - 1) ** 2 + np.sum(p["b"] ** 2), {"a": 0.0, "b": np.ones(2)},
                      options={"return_all": True})  # fmt: skip
    assert set(result.allvecs[0]) == {"a", "b"} and result.allvecs[-1]["b"].shape == (2,)
    assert "allvecs" not in minimize(lambda x: x @ x, np.ones(2))


@pytest.mark.parametrize(
    "spelling",
    ["Nelder-Mead", "Powell", "CG", "BFGS", "Newton-CG", "L-BFGS-B", "TNC", "SLSQP", "trust-constr", "dogleg",
     "trust-ncg", "trust-exact", "trust-krylov"],
)  # fmt: skip
def test_scipys_spellings_are_taken(spelling):
    result = minimize(lambda x: np.sum((x - 1.0) ** 2), np.zeros(2), method=spelling)
    assert result.success and np.allclose(result.x, 1.0)


@pytest.mark.parametrize("method", ["bfgs", "trust-constr"])
@pytest.mark.parametrize("jac", [None, False, "2-point", "3-point", "cs"])
def test_scipys_values_of_jac_are_taken(method, jac):
    assert minimize(rosen, START, method=method, jac=jac).success


def test_jac_true_takes_value_and_gradient_of_one_call():
    calls = []

    def both(x):
        calls.append(1)
        return rosen(x), rosen_der(x)

    result = minimize(both, START, jac=True)
    assert result.success and len(calls) < 3 * result.nfev


@pytest.mark.parametrize("method", ["bfgs", "slsqp", "tnc"])
@pytest.mark.parametrize("option", ["eps", "finite_diff_rel_step", "workers"])
def test_options_of_differences_are_refused_with_the_reason(method, option):
    with pytest.raises(UsageError, match=rf"'{option}' is for numerical derivatives.\nTo fix this: leave it out"):
        minimize(rosen, START, method=method, options={option: 1e-8})


# Callbacks ------------------------------------------------------------------------------------------------------------


def test_state_of_trust_constr_is_shown_as_by_scipy():
    states = []
    result = minimize(rosen, START, method="trust-constr", callback=lambda x, state: states.append((x, state)))
    assert result.success and len(states) > 3
    x, state = states[-1]
    assert state.nit == len(states) and state.tr_radius > 0
    assert np.array_equal(state.x, x) and state.fun == rosen(x)


def test_true_answer_of_a_callback_with_state_ends_the_run():
    result = minimize(rosen, START, method="trust-constr", callback=lambda x, state: state.nit == 4)
    assert not result.success and result.nit == 4 and result.status == 99


def test_state_comes_by_name_too():
    radii = []

    def callback(intermediate_result):
        radii.append(intermediate_result.tr_radius)

    bounds = [(0.0, 2.0)] * 2
    assert minimize(rosen, START + [2.0, 0.0], method="trust-constr", bounds=bounds, callback=callback).success
    assert radii


def test_callback_that_cannot_be_called_is_refused_at_once():
    with pytest.raises(UsageError, match=r"callback '<lambda>' cannot be called with the parameters alone"):
        minimize(rosen, START, callback=lambda x, f: None)


# Methods that are functions -------------------------------------------------------------------------------------------


def newton(fun, x0, args=(), jac=None, hess=None, hessp=None, bounds=None, constraints=(), callback=None, **options):
    """Newton's method, as SciPy's tutorial would write a method of one's own."""
    x = np.array(x0)
    for nit in range(1, options.get("maxiter", 50) + 1):
        x = x - np.linalg.solve(hess(x, *args), jac(x, *args))
        callback(x)
        if np.max(np.abs(jac(x, *args))) < options.get("tol", 1e-8):
            return OptimizeResult(x=x, fun=fun(x), success=True, status=0, message="done", nit=nit)
    return OptimizeResult(x=x, fun=fun(x), success=False, status=1, message="too many", nit=nit)


def test_method_that_is_a_function_has_the_exact_derivatives():
    ours = minimize(rosen, START, method=newton)
    theirs = optimize.minimize(
        rosen, START, method=newton, jac=rosen_der, hess=rosen_hess, callback=lambda x: None, options={"tol": 1e-8}
    )
    assert ours.success and ours.method == "newton" and ours.nit == theirs.nit
    assert np.allclose(ours.x, theirs.x, rtol=1e-12)
    assert ours.verification.passed


def test_options_and_tol_reach_a_method_that_is_a_function():
    result = minimize(rosen, START, method=newton, options={"maxiter": 2})
    assert not result.success and result.nit == 2
    assert minimize(rosen, START, method=newton, tol=1e3).nit == 1


def stops(fun, x0, args=(), **options):
    return OptimizeResult(x=np.array(x0) + 0.1, success=True, message="I say so")


def test_success_that_a_function_claims_is_looked_into():
    result = minimize(rosen, START, method=stops)
    assert result.success and np.allclose(result.x, 1.0, rtol=1e-8)
    assert "Newton steps led on from where the method stopped" in result.message and "I say so" in result.message


def test_constraints_and_bounds_reach_a_method_that_is_a_function():
    def slsqp(fun, x0, args, *, jac, bounds, constraints, callback, **options):
        return optimize.minimize(fun, x0, jac=jac, bounds=bounds, constraints=constraints, method="SLSQP", tol=1e-12)

    line = {"type": "eq", "fun": lambda x: x[0] + x[1] - 1.0}
    bounds = [(0.7, 1), (0, 1)]
    result = minimize(lambda x: x @ x, np.array([0.9, 0.1]), method=slsqp, bounds=bounds, constraints=line)
    assert result.success and np.allclose(result.x, [0.7, 0.3], atol=1e-8)


def test_function_that_returns_no_result_is_refused():
    with pytest.raises(UsageError, match="The method <lambda> returned no result"):
        minimize(rosen, START, method=lambda fun, x0, args, **options: x0)


# Methods without derivatives ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["nelder-mead", "powell"])
def test_methods_of_values_end_on_a_bound_exactly(method):
    result = minimize(lambda x: np.sum((x - 1.0) ** 2) + x[0] * x[1], [0.2, 0.1], method=method, bounds=[(0, 0.5)] * 2)
    assert result.success and np.array_equal(result.x, [0.5, 0.5])


def test_options_of_nelder_mead_are_scipys():
    simplex = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    options = {"initial_simplex": simplex, "adaptive": True, "maxfev": 60, "return_all": True}
    ours = minimize(rosen, [0.0, 0.0], method="Nelder-Mead", options=options)
    theirs = optimize.minimize(rosen, [0.0, 0.0], method="Nelder-Mead", options=options)
    assert not ours.success and ours.fun == pytest.approx(theirs.fun, rel=1e-12)
    assert np.allclose(ours.allvecs[1:], theirs.allvecs[1:], rtol=1e-12)


def test_loose_tolerance_of_a_method_of_values_is_no_success_by_itself():
    result = minimize(rosen, START, method="nelder-mead", options={"xatol": 10.0, "fatol": 1e3})
    assert not result.success and "the gradient is" in result.message


def test_undefined_points_are_left_behind_by_methods_of_values():
    for method in ("nelder-mead", "powell"):
        result = minimize(lambda x: 50.0 * x[0] - 3.0 * np.log(x[0]), [1.0], method=method)
        assert result.success and np.allclose(result.x, 0.06, rtol=1e-7) and result.nundefined > 0
