"""Points where the gradient vanishes: minima, and saddles and maxima, which no method may call converged."""

import numpy as np
import pytest
from scipy import optimize
from scipy.optimize import LinearConstraint, NonlinearConstraint

from autoopt import check, minimize
from autoopt.solvers import SOLVERS

NOT_A_MINIMUM = {
    "saddle": (lambda w: w[0] ** 2 - w[1] ** 2 + w[1] ** 4, np.zeros(2)),
    "saddle with a value": (lambda w: 3.0 + w[0] ** 2 - w[1] ** 2 + w[1] ** 4, np.zeros(2)),
    "maximum": (lambda x: np.cos(x[0]), np.zeros(1)),
    "maximum of six": (lambda x: np.sum(np.cos(x)), np.zeros(6)),
    "product": (lambda x: x[0] * x[1] + np.sum(x**4), np.zeros(2)),
    "degenerate": (lambda x: x[0] ** 2 - x[1] ** 4 + x[1] ** 6, np.zeros(2)),
    "factors": (lambda x: np.sum((np.outer(x[:3], x[3:]) - np.ones((3, 3))) ** 2), np.zeros(6)),
    "tiny units": (lambda w: 1e-6 * (w[0] ** 2 - w[1] ** 2 + w[1] ** 4), np.zeros(2)),
    "mixture of equal parts": (
        lambda m: -np.sum(np.log(np.exp(-((DATA - m[0]) ** 2) / 2) + np.exp(-((DATA - m[1]) ** 2) / 2))),
        np.full(2, 0.25),
    ),
}
DATA = np.array([-3.0, -2.5, -2.0, 2.0, 3.0, 4.0])


@pytest.mark.slow_for("mixture of equal parts-trust-exact", "saddle-newton-sparse")
@pytest.mark.parametrize("method", SOLVERS)
@pytest.mark.parametrize("name", NOT_A_MINIMUM)
def test_no_method_takes_a_saddle_or_a_maximum_for_a_minimum(name, method):
    f, x0 = NOT_A_MINIMUM[name]
    result = minimize(f, x0, method=method)
    refused = "is a saddle point or a maximum" in result.message or "not positive definite" in result.message
    # A method that sees the curvature, or goes through values in all directions, may have left the point.
    if result.success or not (refused or SOLVERS[method].uses):
        assert result.fun < f(x0) - 1e-8 or (method, name) == ("cobyla", "factors")
    else:
        assert refused


@pytest.mark.parametrize("method", ["bfgs", "l-bfgs-b", "cg", "newton-cg", "slsqp", "trust-constr"])
def test_saddle_that_the_run_comes_to_is_left(method):
    f = NOT_A_MINIMUM["saddle"][0]
    result = minimize(f, np.array([1.0, 0.0]), method=method)
    assert "along x[1]" in result.message
    assert result.fun < f(np.array([0.0, 0.0])) - 0.1


def test_direction_is_told_by_the_users_names():
    result = minimize(lambda p: p["a"] ** 2 - p["b"] ** 2 + p["b"] ** 4, {"a": 0.0, "b": 0.0}, method="bfgs")
    assert result.success and abs(abs(result.x["b"]) - np.sqrt(0.5)) < 1e-8
    assert "left a saddle point or maximum along b" in result.message


MINIMA = {
    "flat": (lambda x: np.sum(x**4), np.zeros(3)),
    "exact": (lambda x: np.sum((x - 1.0) ** 2), np.ones(3)),
    "singular": (lambda x: (x[0] + x[1] - 2.0) ** 2, np.ones(2)),
    "constant": (lambda x: 0.0 * x[0] + 5.0, np.ones(1)),
    "kink": (lambda x: np.sum(np.abs(x)), np.zeros(2)),
    "rapid": (lambda x: -np.cos(300.0 * x[0]) + x[0] ** 2, np.zeros(1)),
    "large value": (lambda x: 1e9 + np.sum(x**2), np.zeros(2)),
}


@pytest.mark.parametrize("method", SOLVERS)
@pytest.mark.parametrize("name", MINIMA)
def test_minimum_at_the_start_stays_a_minimum(name, method):
    f, x0 = MINIMA[name]
    result = minimize(f, x0, method=method)
    assert "saddle" not in result.message
    assert result.success or method == "dogleg"


@pytest.mark.parametrize("method", ["l-bfgs-b", "tnc", "slsqp", "trust-constr"])
def test_bounds_count(method):
    falls_inside = minimize(lambda x: -(x[0] ** 2), [0.0], bounds=[(0.0, 1.0)], method=method)
    assert not falls_inside.success or falls_inside.x[0] == pytest.approx(1.0, abs=1e-4)
    held = minimize(lambda x: x[0] ** 2 - x[1] ** 2, [0.0, 1.0], bounds=[(-1.0, 1.0), (0.5, 1.0)], method=method)
    assert held.success and held.x == pytest.approx([0.0, 1.0], abs=1e-4)


def test_ordinary_fit_pays_little():
    """At most a quarter of the evaluations go into what follows the method."""

    def f(x):
        return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)

    options = {"gtol": 1e-8, "ftol": np.finfo(float).eps, "maxcor": 10, "maxls": 30}
    theirs = optimize.minimize(f, np.full(30, -1.0), method="L-BFGS-B", jac=optimize.rosen_der, options=options)
    ours = minimize(f, np.full(30, -1.0), method="l-bfgs-b")
    assert ours.success and ours.nfev < 1.3 * theirs.nfev


@pytest.mark.parametrize("method", ["l-bfgs-b", "bfgs", "cg", "tnc", "slsqp"])
def test_methods_without_second_derivatives_derive_none(method, monkeypatch):
    from autoopt.objectives.objective import Objective

    def refuse(*_):
        raise AssertionError("second derivatives were asked for")

    monkeypatch.setattr(Objective, "hess", refuse)
    monkeypatch.setattr(Objective, "hessp", refuse)
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 6)) * [1, 10, 100, 1, 0.1, 1]
    y = X @ np.arange(6.0) + rng.normal(size=200)
    result = minimize(lambda w: 1e6 + np.sum((y - X @ w) ** 2), np.zeros(6), method=method)
    expected = np.linalg.lstsq(X, y, rcond=None)[0]
    assert result.success and result.x == pytest.approx(expected, rel=1e-5)


def test_check_of_a_smooth_function_at_a_saddle_is_conclusive(capsys):
    report = check(NOT_A_MINIMUM["saddle"][0], np.zeros(2))
    assert report and report.verification.conclusive and "rough" not in str(report)


@pytest.mark.parametrize("method", SOLVERS)
def test_function_without_a_bound_is_said_to_have_none(method):
    with np.errstate(all="ignore"):  # SciPy's own overflows
        result = minimize(lambda x: x[0] ** 3 - np.sum(np.exp(x)), np.array([-1.0, 0.5]), method=method)
    assert not result.success
    assert "not bounded below" in result.message or method == "dogleg"


@pytest.mark.parametrize("method", ["bfgs", "l-bfgs-b", "cg", "newton-cg", "trust-exact"])
def test_exact_fit_of_more_parameters_than_data_is_a_success(method):
    rng = np.random.default_rng(1)
    X = rng.normal(size=(4, 8)) * 1e4
    y = X @ rng.normal(size=8)
    result = minimize(lambda w: np.sum((X @ w - y) ** 2), np.zeros(8), method=method)
    assert result.success and result.fun < 1e-14


@pytest.mark.slow_for("cobyla")
@pytest.mark.parametrize("method", SOLVERS)
def test_of_random_quartics_successes_are_minima_and_saddles_are_saddles(method):
    """By the closed form of the Hessian; odd ones start on an axis, along which they go down into a saddle."""
    for seed in range(16 if SOLVERS[method].uses else 3):  # methods by values alone take their time
        rng = np.random.default_rng(seed)
        n = int(rng.integers(1, 10))
        curvature = rng.normal(size=n) * 10 ** rng.uniform(-2, 2)
        Q = np.eye(n) if seed % 4 == 1 else np.linalg.qr(rng.normal(size=(n, n)))[0]
        A, c = Q * curvature @ Q.T, 10 ** rng.uniform(-2, 1)
        x0 = np.zeros(n)
        x0[0] = (seed % 2) * rng.normal()
        result = minimize(
            lambda x, A=A, c=c, k=seed % 3: x @ A @ x / 2 + c * np.sum(x**4) + k,
            x0,
            method=method,
            jac=lambda x, A=A, c=c: A @ x + 4 * c * x**3,
            hess=lambda x, A=A, c=c: A + np.diag(12 * c * x**2),
        )
        eigenvalues = np.linalg.eigvalsh(A + np.diag(12 * c * result.x**2))
        falls = eigenvalues[0] < -1e-6 * np.max(np.abs(eigenvalues))
        assert not (result.success and falls), (seed, result.message)
        assert falls or "is a saddle" not in result.message, (seed, result.message)


ONE_SIDED = {
    "cube": (lambda w: w[0] ** 3, np.zeros(1)),
    "cube beside a square": (lambda w: w[0] ** 3 + w[0] ** 4 + w[1] ** 2, np.array([0.0, 1.0])),
    "monkey saddle": (lambda w: w[0] ** 3 - 3 * w[0] * w[1] ** 2 + (w @ w) ** 2, np.zeros(2)),
    "without a bound": (lambda w: w[0] ** 3 + np.exp(w[1]) - w[1], np.zeros(2)),
    "off the origin, with a value": (lambda w: 3 + (w[0] - 5) ** 3 + (w[0] - 5) ** 4 + w[1] ** 2, np.array([5.0, 1.0])),
    "three factors": (lambda w: (w[0] * w[1] * w[2] - 1) ** 2, np.zeros(3)),
    "along a curved valley": (lambda w: (w[1] - w[0] ** 2) * (w[1] - 2 * w[0] ** 2), np.zeros(2)),
    "of two fourth powers one falls": (lambda w: w[0] ** 4 - w[1] ** 4 + w[1] ** 6, np.zeros(2)),
    "fifth power": (lambda w: w[0] ** 5 + w[0] ** 6 + w[1] ** 2, np.array([0.0, 1.0])),
    "one of twenty": (lambda w: w[0] ** 3 + w[0] ** 4 + np.sum(w[1:] ** 2), np.r_[0.0, np.ones(19)]),
}


@pytest.mark.parametrize("method", [None, "newton-cg", "trust-exact"])
@pytest.mark.parametrize("name", ONE_SIDED)
def test_no_method_takes_a_point_for_a_minimum_from_which_f_falls_on_one_side(name, method):
    f, x0 = ONE_SIDED[name]
    result = minimize(f, x0, method=method, options={"maxiter": 50})
    lowest = {"without a bound": -1.0}.get(name, -1e-3)
    told = any(words in result.message for words in ("point of inflexion", "saddle point or a maximum", "not bounded"))
    was_left = result.fun < f(x0 * (x0 != 1)) + lowest  # and the limit of iterations may be met before there is an end
    assert was_left if result.success or "iterations" in result.message else told


def test_inflexion_at_the_start_is_left_in_the_direction_in_which_f_falls():
    f, x0 = ONE_SIDED["cube beside a square"]
    result = minimize(f, x0, method="bfgs")
    assert result.success and np.allclose(result.x, [-0.75, 0.0], atol=1e-8)
    assert "left a saddle point or maximum along x[0]" in result.message


def test_inflexion_that_the_run_comes_to_from_above_is_no_success():
    result = minimize(ONE_SIDED["cube beside a square"][0], np.ones(2))
    assert np.allclose(result.x, [-0.75, 0.0], atol=1e-7) if result.success else "inflexion" in result.message


MORE_MINIMA = {
    "quartic from outside": (lambda x: 1.0 + np.sum((x - 2) ** 4), np.ones(3)),
    "sixth power": (lambda x: 5.0 + np.sum(x**6) + x[0] ** 2, np.ones(3)),
    "curved valley": (lambda x: (x[0] * x[1] - 1) ** 2, np.array([2.0, 0.3])),
    "on a curved valley": (lambda x: (x[0] * x[1] - 1) ** 2, np.array([2.0, 0.5])),
    "more parameters than data": (lambda w: np.sum((WIDE @ w - 1) ** 2), np.zeros(8)),
    "factors of a matrix": (
        lambda w: np.sum((np.outer(w[:4], w[4:]) - np.outer([1.0, -2, 3, 1], [1.0, 2, 3])) ** 2),
        np.linspace(0.5, 2.0, 7),
    ),
    "narrow hollow before a fall": (lambda w: w[0] ** 3 + 0.01 * w[0] ** 2 + w[0] ** 4 + w[1] ** 2, np.zeros(2)),
    "Powell's singular function": (
        lambda x: (x[0] + 10 * x[1]) ** 2 + 5 * (x[2] - x[3]) ** 2 + (x[1] - 2 * x[2]) ** 4 + 10 * (x[0] - x[3]) ** 4,
        np.array([3.0, -1.0, 0.0, 1.0]),
    ),
}
WIDE = np.random.default_rng(2).normal(size=(4, 8))


@pytest.mark.parametrize("method", [None, "newton-cg", "trust-exact"])
@pytest.mark.parametrize("name", MORE_MINIMA)
def test_minimum_without_curvature_in_some_direction_stays_a_minimum(name, method):
    f, x0 = MORE_MINIMA[name]
    result = minimize(f, x0, method=method)
    assert result.success or method == "newton-cg", result.message
    assert not any(word in result.message for word in ("saddle", "inflexion", "kink", "flat")), result.message


CIRCLE = {"type": "eq", "fun": lambda w: w @ w - 1}
HELD = {
    "product on a line": (lambda w: -w[0] * w[1], [0.0, 0.0], {"type": "eq", "fun": lambda w: w[0] - w[1]}),
    "highest of a circle": (lambda w: -w[1], [0.0, -1.0], CIRCLE),
    "second axis of an ellipsoid": (lambda w: w @ (np.array([1.0, 2.0, 3.0]) * w), [0.0, 1.0, 0.0], CIRCLE),
    "saddle in a plane": (
        lambda w: w[0] ** 2 - w[1] ** 2 + w[2] ** 2,
        [0.5, 0.0, 0.5],
        {"type": "eq", "fun": lambda w: w[0] + w[2] - 1},
    ),
    "inequality far off": (
        lambda w: w[0] ** 2 - w[1] ** 2 + w[1] ** 4,
        [0.0, 0.0],
        {"type": "ineq", "fun": lambda w: 5 - w @ w},
    ),
    "third power in a plane": (
        lambda w: w[0] ** 3 + w[0] ** 4 + w[1] + w[2] ** 2,
        [0.0, 0.0, 0.0],
        {"type": "eq", "fun": lambda w: w[1]},
    ),
    "linear": (lambda w: -w[0] * w[1], [0.0, 0.0], LinearConstraint([[1.0, -1.0]], 0, 0)),
    "disc's far edge": (lambda w: w[1] ** 2 / 4 - w[0], [-1.0, 0.0], NonlinearConstraint(lambda w: w @ w, 1, 1)),
}


@pytest.mark.parametrize("method", ["slsqp", "trust-constr"])
@pytest.mark.parametrize("name", HELD)
def test_maximum_or_saddle_along_constraints_is_no_success(name, method):
    f, x0, constraint = HELD[name]
    result = minimize(f, x0, method=method, constraints=constraint)
    if result.success:
        assert result.fun < f(np.array(x0)) - 1e-3
    else:  # what is left by its negative curvature may have no end
        assert "saddle point" in result.message or "not bounded below" in result.message


def test_equal_shares_of_a_concave_function_on_the_simplex_are_left():
    whole = {"type": "eq", "fun": lambda p: p.sum() - 1}
    result = minimize(lambda p: -p @ p, np.full(3, 1 / 3), bounds=[(0, 1)] * 3, constraints=whole)
    assert result.success and sorted(result.x) == pytest.approx([0, 0, 1], abs=1e-12)


def test_constraint_that_nothing_presses_on_may_be_left_inwards():
    inside = {"type": "ineq", "fun": lambda w: w[0]}
    falls = minimize(lambda w: -(w[0] ** 2) + w[0] ** 4 + w[1] ** 2, [0.0, 1.0], constraints=inside)
    assert not falls.success or falls.x[0] == pytest.approx(np.sqrt(0.5), abs=1e-4)
    outside = minimize(lambda w: w[0] ** 3 + w[1] ** 2, [0.0, 1.0], constraints=inside)
    assert outside.success and outside.x == pytest.approx([0.0, 0.0], abs=1e-4)


AT_CONSTRAINTS = {
    "lowest of a circle": (lambda w: 3 * w[0] + 4 * w[1], [0.5, -0.5], CIRCLE, -5.0),
    "first axis": (lambda w: w @ (np.array([1.0, 2.0, 3.0]) * w), [0.5, 0.6, 0.7], CIRCLE, 1.0),
    "curvature that the constraint makes up for": (
        lambda w: -(w[0] ** 2) / 4 - w[1],
        [0.3, 0.8],
        {"type": "ineq", "fun": lambda w: 1 - w @ w},
        -1.0,
    ),
    "corner of a concave function": (
        lambda w: -w @ w,
        [0.6, 0.1],
        [{"type": "ineq", "fun": lambda w: np.r_[1 - w[0] - w[1], w]}],
        -1.0,
    ),
    "flat along the constraint": (
        lambda x: (x[0] + x[1]) ** 2 + (x[1] + x[2]) ** 2,
        [-4.0, 1.0, 1.0],
        {"type": "eq", "fun": lambda x: x[0] + 2 * x[1] + 3 * x[2] - 1},
        0.0,
    ),
}


@pytest.mark.parametrize("method", ["slsqp", "trust-constr"])
@pytest.mark.parametrize("name", AT_CONSTRAINTS)
def test_minimum_along_constraints_stays_a_success(name, method):
    f, x0, constraint, lowest = AT_CONSTRAINTS[name]
    result = minimize(f, x0, method=method, constraints=constraint)
    assert result.success and result.fun == pytest.approx(lowest, abs=1e-6), result.message


def test_what_raises_beside_the_solution_does_not_cost_it():
    def f(w):
        if w[0] != 0 and np.abs(w[0]) < 0.1:
            raise ValueError("too near")
        return w[0] ** 2 + (w[1] - 1) ** 2

    def above(w):
        if np.abs(w[0]) > 0:
            raise ValueError("not on the axis")
        return w[1]

    for constraint in ((), {"type": "ineq", "fun": above, "jac": lambda w: np.array([[0.0, 1.0]])}):
        result = minimize(f, [0.0, 0.0], constraints=constraint, method="slsqp", verify="off")
        assert result.success and result.x == pytest.approx([0.0, 1.0], abs=1e-6)
        assert result.nundefined == 0 and "trial point" not in result.message


@pytest.mark.parametrize("method", [None, "l-bfgs-b", "slsqp", "tnc", "trust-region"])
def test_saddle_in_the_corner_of_bounds_is_left(method):
    """At 0 the Hessian is [[-3, 2], [2, 0]]: f falls along the first parameter, which may only grow."""

    def f(x):
        return x @ x / 2 + np.cos(2 * x[0] - x[1])

    result = minimize(f, np.zeros(2), bounds=[(0, 4)] * 2, method=method)
    assert result.fun < 0.0 if result.success else "saddle" in result.message


@pytest.mark.parametrize("method", [None, "l-bfgs-b", "trust-ncg", "trust-constr"])
def test_saddle_of_a_parameter_in_large_units_that_began_at_0_is_left(method):
    def f(x):
        return (x[0] * 1e8 - 1.4) ** 2 + 0.5 * np.cos(x[1] / 1e8) + 0.1 * (x[1] / 1e8) ** 2

    result = minimize(f, np.zeros(2), method=method)
    assert result.fun < 0.2 if result.success else "saddle" in result.message


@pytest.mark.parametrize("method", [None, "bfgs", "trust-exact"])
@pytest.mark.parametrize(
    "f", [lambda x: 1e12 * x[0] ** 3, lambda x: x[0] ** 5, lambda x: -np.log(np.cosh(x[0]))], ids=["3", "5", "cosh"]
)
def test_what_has_no_minimum_is_no_success(f, method):
    assert not minimize(f, [1.0], method=method).success
