"""The pipeline: what minimize accepts, what it refuses, and the one result for every method."""

import inspect
import os
import signal
import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest
from scipy.optimize import Bounds, LinearConstraint, NonlinearConstraint, OptimizeResult, rosen, rosen_der, rosen_hess
from scipy.special import expit

from autoopt.errors import ObjectiveError, UsageError, VerificationError
from autoopt.minimize import minimize
from autoopt.solvers import SOLVERS, Interrupted

DERIVATIVES = {"jac": rosen_der, "hess": rosen_hess}
FIELDS = {"x", "x_flat", "fun", "jac", "nit", "nfev", "njev", "nhev", "status", "success", "message", "method"}
FIELDS |= {"verification", "timings"}
START = np.array([-1.2, 1.0])
ARRIVING = [name for name in SOLVERS if name != "cobyla"]
"""Linear models of values creep along curved valleys, and do not arrive."""


def rosenbrock(method, **options):
    return minimize(rosen, START, method=method, **DERIVATIVES, **options)


@pytest.mark.parametrize("method", ARRIVING)
def test_every_method_gives_the_same_fields(method):
    result = rosenbrock(method)
    assert isinstance(result, OptimizeResult) and result.success
    assert set(result) >= FIELDS
    assert np.allclose(result.x, 1, rtol=1e-7)
    assert result.method == method
    assert result.verification.passed
    assert isinstance(result.fun, float) and result.jac.shape == (2,)
    assert all(isinstance(result[count], int) for count in ("nit", "nfev", "njev", "nhev", "status"))
    assert isinstance(result.message, str) and isinstance(result.success, bool)
    assert result.timings["solve"] > 0


@pytest.mark.parametrize("method", [name for name, row in SOLVERS.items() if row.uses])
def test_value_and_gradient_come_from_one_evaluation_per_point(method):
    points = []

    def fun(x):
        points.append(x.tobytes())
        return rosen(x)

    result = minimize(fun, START, method=method, **DERIVATIVES, verify="off")
    assert len(points) == result.nfev == result.njev
    exact = np.array_equal(result.x, [1.0, 1.0])  # parameters that are equal are looked at by the original
    assert sum(a == b for a, b in pairwise(points)) <= exact


@pytest.mark.parametrize("method", SOLVERS)
def test_iteration_limit_is_not_success(method):
    limit = "maxfun" if method == "tnc" else "maxiter"
    result = rosenbrock(method, options={limit: 3})
    assert not result.success
    assert result.status != 0 or method == "trust-constr"


@pytest.mark.parametrize("method", SOLVERS)
def test_callback_stops_the_run(method):
    seen = []

    def callback(intermediate_result):
        seen.append((intermediate_result.x.copy(), intermediate_result.fun))
        if len(seen) == 2:
            raise StopIteration

    result = rosenbrock(method, callback=callback)
    assert (result.status, result.success, result.nit, len(seen)) == (99, False, 2, 2)
    assert "StopIteration" in result.message
    assert np.array_equal(result.x, seen[-1][0]) and result.fun == seen[-1][1]


@pytest.mark.parametrize("method", SOLVERS)
def test_interruption_keeps_the_best_point(method):
    seen = []

    def callback(x):
        seen.append(rosen(x))
        if len(seen) == 3:
            raise KeyboardInterrupt

    with pytest.raises(Interrupted) as caught:
        rosenbrock(method, callback=callback)
    result = caught.value.result
    assert not result.success and result.status == 130
    assert result.fun <= min(seen) and result.fun == rosen(result.x)
    assert set(result) >= FIELDS


@pytest.mark.parametrize("method", SOLVERS)
def test_interruption_inside_the_objective_keeps_the_best_point(method):
    calls = []

    def fun(x):
        calls.append(x)
        if len(calls) == 4:
            os.kill(os.getpid(), signal.SIGINT)
        return rosen(x)

    with pytest.raises(Interrupted) as caught:
        minimize(fun, START, method=method, **DERIVATIVES, verify="off")
    assert caught.value.result.fun <= rosen(START)


@pytest.mark.parametrize("method", SOLVERS)
def test_error_of_the_objective_is_the_users_own(method):
    calls = []

    def fun(x):
        calls.append(x)
        if len(calls) == 4:
            raise LookupError("mine")
        return rosen(x)

    with pytest.raises(LookupError, match="mine"):
        minimize(fun, START, method=method, **DERIVATIVES, verify="off")


def test_progress_is_shown_at_every_iteration(capsys):
    records = []
    result = rosenbrock("bfgs", progress=records.append)
    assert [record.iteration for record in records] == list(range(result.nit + 1))
    assert records[-1].value == result.fun and records[-1].gradient_norm == np.max(np.abs(result.jac))
    rosenbrock("bfgs", progress=True)
    shown = capsys.readouterr()
    assert shown.out == "" and len(shown.err.splitlines()) == result.nit + 1
    assert "iteration     1   value" in shown.err and "gradient" in shown.err


def test_method_names_are_in_any_case():
    assert rosenbrock("Trust-NCG").method == "trust-ncg"


def test_method_without_its_package_is_one_line_with_the_command(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UsageError) as caught:
        rosenbrock("ipopt")
    assert str(caught.value) == (
        "The method ipopt needs the package ipyopt, which is not installed.\n"
        'To fix this: run pip install "autoopt[ipopt]".'
    )


def test_methods_are_chosen_as_in_scipy_where_gradients_are_all_there_is():
    slope = {"jac": "finite-difference"}
    assert minimize(lambda x: np.sum((x - 1) ** 4 + x**2), np.zeros(3), **slope).method == "bfgs"
    bounded = minimize(lambda x: np.sum((x - 1) ** 4 + x**2), np.zeros(3), bounds=[(-2, 2)] * 3, **slope)
    assert bounded.method == "l-bfgs-b"
    assert rosenbrock(None, constraints=LinearConstraint([[1, 1]], -5, 5)).method == "slsqp"
    assert minimize(lambda x: x @ x, np.ones(300), jac=lambda x: 2 * x).method == "l-bfgs-b"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"method": "newton-gc"}, "There is no method 'newton-gc' (did you mean newton-cg"),
        ({"method": "simplex"}, "There is no method 'simplex'."),
        ({"method": "bfgs", "options": {"gtoll": 1}}, "has no option 'gtoll' (did you mean gtol"),
        ({"method": "bfgs", "options": {"zzz": 1}}, "The method bfgs has no option 'zzz'."),
        ({"method": "bfgs", "bounds": [(0, 1), (0, 1)]}, "The method bfgs takes no bounds."),
        ({"method": "tnc", "constraints": {"type": "eq", "fun": sum}}, "The method tnc takes no constraints."),
        ({"bounds": [(0, 1)]}, "bounds has 1 pairs, but x0 has 2 entries."),
        ({"bounds": [(-2, 2), (3, 1)]}, "bounds: x[1] has its lower limit above its upper one: 3 <= 1 <= 1"),
        ({"bounds": [(-2, 2), (2, 3)]}, "bounds: x[1] starts outside its limits: 2 <= 1 <= 3"),
        ({"bounds": 3}, "bounds is not a sequence of (low, high)."),
        ({"bounds": [("a", 1), (0, 1)]}, "bounds holds a limit that is not a number."),
        ({"constraints": {"type": "equal", "fun": sum}}, "constraints[0] is of the type 'equal'"),
        ({"jac": "4-point"}, "jac='4-point' is not understood."),
        ({"hess": 3}, "hess=3 is not understood."),
        ({"verify": "often"}, "verify='often' is not understood."),
        ({"jac": lambda x: np.ones(3)}, "What jac returned does not fit x0. x: expected shape (2,), got (3,)."),
    ],
)
def test_what_would_be_ignored_is_refused(arguments, message):
    with pytest.raises(UsageError) as caught:
        minimize(rosen, START, **(DERIVATIVES | arguments))
    assert message in str(caught.value)
    assert "To fix this" in str(caught.value)


@pytest.mark.parametrize(
    ("bounds", "message"),
    [
        ({"c": (0, 1)}, "bounds: x0 has no c."),
        ({"a": 3}, "bounds: a is not a pair (low, high)."),
        ({"a": (2, None)}, "bounds: a[0] starts outside its limits: 2 <= 1 <= inf"),
        ({"a": (np.zeros(3), None)}, "expected shape (2,), got (3,)."),
    ],
)
def test_bounds_that_do_not_fit_a_dict_are_refused(bounds, message):
    with pytest.raises(UsageError) as caught:
        minimize(lambda p: 0.0, {"a": np.ones(2), "b": 1.0}, jac=lambda p: p, bounds=bounds)
    assert message in str(caught.value)


def test_methods_that_take_bounds_are_named():
    with pytest.raises(UsageError, match="l-bfgs-b, nelder-mead, powell, slsqp, tnc, trust-constr"):
        rosenbrock("cg", bounds=[(0, 1), (0, 1)])


@pytest.mark.parametrize("method", [name for name, row in SOLVERS.items() if "bounds" in row.takes])
@pytest.mark.parametrize("bounds", [[(-2, 0.5), (None, 2)], Bounds([-2, -np.inf], [0.5, 2])])
def test_bounds_hold_and_the_solution_on_them_is_a_success(method, bounds):
    result = rosenbrock(method, bounds=bounds)
    assert result.x[0] <= 0.5 + 1e-12
    assert result.success, result.message
    assert np.allclose(result.x, [0.5, 0.25], rtol=1e-6)


@pytest.mark.parametrize("method", [name for name, row in SOLVERS.items() if "bounds" in row.takes])
def test_parameter_fixed_by_its_bounds(method):
    result = rosenbrock(method, bounds=[(-1.2, -1.2), (None, None)])
    assert result.success, result.message
    assert np.allclose(result.x, [-1.2, 1.44], rtol=1e-6)
    assert np.isfinite(result.jac).all()


@pytest.mark.parametrize("method", [name for name, row in SOLVERS.items() if "constraints" in row.takes])
@pytest.mark.parametrize(
    "constraint",
    [
        {"type": "ineq", "fun": lambda x: 1.0 - x @ x},
        NonlinearConstraint(lambda x: x @ x, -np.inf, 1.0),
        [{"type": "ineq", "fun": lambda x, r: r - x @ x, "jac": lambda x, r: -2 * x, "args": (1.0,)}],
    ],
)
def test_constraints_hold(method, constraint):
    result = rosenbrock(method, constraints=constraint)
    assert result.success, result.message
    assert np.allclose(result.x, [0.78641515, 0.61769831], rtol=1e-5)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("method", [name for name, row in SOLVERS.items() if "constraints" in row.takes])
def test_logistic_fit_under_constraints_is_a_success(method, seed):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((300, 6))
    y = rng.random(300) < expit(X @ np.linspace(-1, 1, 6))

    def hess(w):
        s = expit(X @ w)
        return (X.T * (s * (1 - s))) @ X

    result = minimize(
        lambda w: np.sum(np.logaddexp(0, X @ w) - y * (X @ w)),
        np.zeros(6),
        method=method,
        jac=lambda w: X.T @ (expit(X @ w) - y),
        hess=hess,
        constraints=[LinearConstraint(np.ones((1, 6)), 1, 1), NonlinearConstraint(lambda w: w @ w, -np.inf, 1.5)],
    )
    assert result.success, result.message
    assert abs(result.x.sum() - 1) < 1e-8 and result.x @ result.x < 1.5 + 1e-8


def test_stop_short_of_the_constrained_optimum_is_no_success():
    plane = {"type": "eq", "fun": lambda x: x[0] - 5}
    with np.errstate(over="ignore"):
        result = minimize(lambda x: x @ x, START, jac=lambda x: -2 * x, constraints=plane, method="slsqp", verify="off")
    assert not result.success


def test_structured_parameters_come_back_in_their_structure():
    def fun(p, shift):
        return np.sum((p["w"] - shift) ** 2) + (p["s"] - 3) ** 2

    def jac(p, shift):
        assert p["w"].shape == (2, 2)
        return {"s": 2 * (p["s"] - 3), "w": 2 * (p["w"] - shift)}

    seen = []
    shift = np.arange(4.0).reshape(2, 2)
    x0 = {"w": np.zeros((2, 2)), "s": 1.0}
    bounds = {"w": (0.5, None)}
    result = minimize(fun, x0 | {"w": np.ones((2, 2))}, shift, jac=jac, bounds=bounds, callback=seen.append)
    assert result.success
    assert np.allclose(result.x["w"], [[0.5, 1], [2, 3]]) and np.isclose(result.x["s"], 3)
    assert result.x_flat.shape == (5,) and list(result.x) == ["w", "s"]
    assert set(seen[0]) == {"w", "s"}


@pytest.mark.parametrize("method", sorted(set(SOLVERS) - {"dogleg"}))
def test_derived_derivatives_of_structured_parameters(method):
    def fun(p, target):
        return np.sum((p["w"] - target) ** 4 + (p["w"] - target) ** 2) + np.exp(p["s"]) - p["s"]

    target = np.arange(4.0).reshape(2, 2)
    result = minimize(fun, {"w": np.ones((2, 2)), "s": 0.5}, target, method=method)
    assert result.success and result.verification.conclusive
    assert np.allclose(result.x["w"], target, atol=1e-7) and np.isclose(result.x["s"], 0, atol=1e-7)
    assert set(result.timings) == {"trace", "compile", "verify", "solve"}
    assert min(result.timings.values()) >= 0


def test_scalar_start_gives_a_scalar():
    result = minimize(lambda x, a: (x - a) ** 2, 1.0, (3.0,), jac=lambda x, a: 2 * (x - a))
    assert result.success and isinstance(result.x, float) and np.isclose(result.x, 3)


def test_start_is_not_written_to():
    x0 = START.copy()
    minimize(rosen, x0, jac=rosen_der)
    assert np.array_equal(x0, START)


def test_function_that_returns_value_and_gradient():
    assert minimize(lambda x: (rosen(x), rosen_der(x)), START, jac=True).success


@pytest.mark.parametrize("method", ["bfgs", "newton-cg", "trust-exact"])
def test_finite_differences_reach_the_optimum(method):
    result = minimize(rosen, START, method=method, jac="finite-difference")
    assert result.success, result.message
    assert np.allclose(result.x, 1, rtol=1e-6)


def test_products_from_hessp_alone():
    def hessp(x, p):
        return rosen_hess(x) @ p

    for method in ("newton-cg", "trust-exact"):
        assert minimize(rosen, START, method=method, jac=rosen_der, hessp=hessp).success


def test_wrong_jac_is_refused():
    with pytest.raises(VerificationError, match="The gradient that jac gives is wrong"):
        minimize(rosen, START, jac=lambda x: 1.001 * rosen_der(x))


@pytest.mark.parametrize("verify", ["start", "off"])
def test_objective_that_is_nan_at_the_start(verify):
    with pytest.raises(ObjectiveError, match="The objective is nan at x0"):
        minimize(lambda x: np.nan, START, jac=np.zeros_like, verify=verify)


def test_objective_that_is_no_scalar():
    with pytest.raises(ObjectiveError, match=r"returned an array of shape \(2,\)"):
        minimize(lambda x: x, START, jac=rosen_der)


def test_wrong_gradient_is_no_success_even_unverified():
    result = minimize(lambda x: x @ x, np.ones(2), jac=lambda x: -2 * x, hess=lambda x: 2 * np.eye(2), verify="off")
    assert not result.success and "gradient is" in result.message


@pytest.mark.parametrize("scale", [1e-12, 1e12])
@pytest.mark.parametrize("method", ["bfgs", "l-bfgs-b", "trust-exact", "newton-cg"])
def test_units_of_the_objective_do_not_decide_success(method, scale):
    result = minimize(
        lambda x: scale * (1 + rosen(x)),
        START,
        method=method,
        jac=lambda x: scale * rosen_der(x),
        hess=lambda x: scale * rosen_hess(x),
    )
    assert result.success == bool(np.allclose(result.x, 1, rtol=1e-4)), result


@pytest.mark.parametrize("method", ARRIVING)
def test_large_sum_is_fitted_to_all_digits_where_its_value_shows_half(method):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((5000, 4)) * [1, 3, 10, 30]
    y = rng.random(5000) < expit(X @ [0.3, -0.1, 0.03, 0.01])

    def grad(w):
        return X.T @ (expit(X @ w) - y)

    def hess(w):
        s = expit(X @ w)
        return (X.T * (s * (1 - s))) @ X

    solution = np.zeros(4)
    for _ in range(20):
        solution = solution - np.linalg.solve(hess(solution), grad(solution))
    result = minimize(
        lambda w: np.sum(np.logaddexp(0, X @ w) - y * (X @ w)), np.zeros(4), method=method, jac=grad, hess=hess
    )
    assert result.success, result.message
    assert np.allclose(result.x, solution, rtol=1e-8, atol=0)


def test_tolerance_of_the_user_is_taken_as_met():
    result = rosenbrock("l-bfgs-b", options={"ftol": 1e-2})
    assert result.success and result.nit < rosenbrock("l-bfgs-b").nit
    assert rosenbrock("bfgs", tol=1e-1).nit < rosenbrock("bfgs").nit


def test_dogleg_says_what_it_needs():
    result = minimize(rosen, [0.0, 1.0], method="dogleg", **DERIVATIVES)
    assert not result.success and "needs it to be" in result.message and "trust-exact" in result.message


def test_signature_is_the_documented_one():
    names = "fun, x0, args, method, jac, hess, hessp, bounds, constraints, tol, callback, options"
    keywords = "fixed, scale, starts, derivatives, verify, engine, progress, checkpoint, threads, cluster"
    assert ", ".join(inspect.signature(minimize).parameters) == f"{names}, {keywords}"


def test_importing_minimize_leaves_the_optimisers_alone():
    code = "import sys, autoopt.minimize; sys.exit('scipy.optimize' in sys.modules or 'pytensor' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_scipys_bounds_of_numbers_hold_for_every_entry():
    from scipy.optimize import Bounds

    found = minimize(lambda x: np.sum((x - 2.0) ** 2), np.full(3, 0.5), method="l-bfgs-b", bounds=Bounds(0, 1))
    np.testing.assert_allclose(found.x, 1.0)


def test_what_the_objective_keeps_is_of_the_solution() -> None:
    class Fit:
        def __call__(self, x):
            self.residuals = x - np.array([1.0, 2.0])
            return np.sum(np.cosh(self.residuals))

    fit = Fit()
    result = minimize(fit, np.zeros(2))
    np.testing.assert_array_equal(fit.residuals, result.x - np.array([1.0, 2.0]))


@pytest.mark.sampled(3)
@pytest.mark.parametrize("method", SOLVERS)
def test_jac_that_is_wrong_away_from_the_start_is_no_success(method):
    def jac(x):  # right around the start; its root is not the minimum
        slope = rosen_der(x)
        return slope if np.max(np.abs(x - START)) < 1.0 else slope - np.array([30.0, -2.0])

    with np.errstate(all="ignore"):
        result = minimize(rosen, START, method=method, jac=jac, hess=rosen_hess)
    assert not result.success
    if not result.verification.passed:
        assert "Not verified at the solution. The gradient that jac gives is wrong" in result.message
        assert "correct jac, or leave it out" in result.message and result.verification.at_solution


def test_hidden_slope_at_the_solution_is_found():
    """A gradient that vanishes where the function does not: success but for the comparison."""
    result = minimize(
        lambda x: np.sum((x - 3.0) ** 2), [0.0], jac=lambda x: 2 * (x - 3.0) if x[0] < 0.5 else 2 * (x - 1.0)
    )
    assert not result.success and not result.verification.passed and abs(result.x[0] - 1.0) < 0.1


@pytest.mark.parametrize("method", ARRIVING)
def test_solution_is_compared_with_few_calls(method):
    calls = []

    def fun(x):
        calls.append(x)
        return rosen(x)

    result = minimize(fun, START, method=method, **DERIVATIVES)
    assert result.success and result.verification.at_solution
    counts = len(calls)
    calls.clear()
    minimize(fun, START, method=method, **DERIVATIVES, verify="off")
    assert counts - len(calls) < 40


AT_THE_EDGE = {
    "bounds": (lambda x: np.sum((x + 1.0) ** 2), [1.0, 2.0], {"bounds": [(0, None), (0.5, 3)]}),
    "kink": (lambda x: np.sum(np.abs(x)) + np.maximum(x[0], 0.0), [1.0, 2.0], {"method": "bfgs"}),
    "domain": (lambda x: np.sum(x - 1e-9 * np.log(x)), [1.0, 2.0], {"bounds": [(1e-12, None)] * 2}),
    "constraint": (
        lambda x: np.sum((x - 2.0) ** 2),
        [0.0, 0.0],
        {"constraints": {"type": "ineq", "fun": lambda x: 1.0 - np.sum(x)}},
    ),
}


@pytest.mark.parametrize("name", AT_THE_EDGE)
def test_comparison_at_the_solution_raises_no_false_alarm(name):
    fun, x0, options = AT_THE_EDGE[name]
    assert minimize(fun, x0, **options).verification.passed


@pytest.mark.parametrize("name", ["2-point", "3-point", "cs"])
def test_scipys_names_of_differences_are_taken(name):
    result = minimize(rosen, START, method="bfgs", jac=name)
    assert result.success and result.x == pytest.approx([1.0, 1.0], abs=1e-5)
    result = minimize(rosen, START, method="trust-exact", hess=name)
    assert result.success and result.x == pytest.approx([1.0, 1.0], abs=1e-6)


@pytest.mark.parametrize("method", SOLVERS)
def test_disp_prints_how_the_run_ended(method, capsys):
    result = rosenbrock(method, options={"disp": True})
    shown = capsys.readouterr().out
    assert result.message in shown and f"Iterations: {result.nit}" in shown
    rosenbrock(method, options={"disp": False})
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("method", ["l-bfgs-b", "tnc", "slsqp", "trust-constr"])
def test_gradient_norm_beside_converged_is_what_bounds_leave(method):
    result = minimize(lambda x: np.sum((x + 10.0) ** 2), [1.0, 2.0], bounds=[(0.1, None)] * 2, method=method)
    assert result.success and np.max(np.abs(result.jac)) > 20 and result.gradient_norm < 1e-4


def test_gradient_norm_under_constraints_is_what_they_leave():
    constraint = {"type": "ineq", "fun": lambda x: 1.0 - np.sum(x)}
    result = minimize(lambda x: np.sum((x - 2.0) ** 2), [0.0, 0.0], constraints=constraint)
    assert result.success and np.max(np.abs(result.jac)) == pytest.approx(3.0) and result.gradient_norm < 1e-6
