"""The table of solvers: every one on every problem, and what each refuses."""

from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit

from autoopt import solvers
from autoopt.solvers import SOLVERS, Problem, run


class Handmade:
    """A stand-in for Objective with derivatives written by hand, which counts its calls."""

    def __init__(self, value, grad, hess):
        self._value, self._grad, self._hess = value, grad, hess
        self.points = []

    def value_and_grad(self, x):
        self.points.append(x.copy())
        return self._value(x), self._grad(x)

    def hess(self, x, sparse=None):
        return self._hess(x)

    def hessp(self, x, p):
        return self._hess(x) @ p


def quadratic():
    A = np.diag([1.0, 10.0, 100.0]) + 0.5
    b = np.array([1.0, -2.0, 3.0])
    objective = Handmade(lambda x: x @ A @ x / 2 - b @ x, lambda x: A @ x - b, lambda x: A)
    return objective, np.zeros(3), np.linalg.solve(A, b)


def rosenbrock(n):
    from scipy.optimize import rosen, rosen_der, rosen_hess

    return Handmade(rosen, rosen_der, rosen_hess), np.linspace(-1.2, 1.0, n), np.ones(n)


def logistic():
    rng = np.random.default_rng(5)
    X = rng.standard_normal((2000, 6))
    y = rng.random(2000) < expit(X @ np.linspace(-1, 1, 6))

    def hess(w):
        s = expit(X @ w)
        return X.T @ ((s * (1 - s))[:, None] * X)

    objective = Handmade(
        lambda w: np.sum(np.logaddexp(0, X @ w) - y * (X @ w)), lambda w: X.T @ (expit(X @ w) - y), hess
    )
    solution = np.zeros(6)
    for _ in range(20):
        solution = solution - np.linalg.solve(hess(solution), objective._grad(solution))
    return objective, np.zeros(6), solution


def badly_scaled():
    """Powell's badly scaled idea, made convex: curvatures from 1e-2 to 1e6 and minimisers from 1e-3 to 1e2."""
    scale, solution = np.array([1e6, 1.0, 1e-2]), np.array([1e-3, 1.0, 1e2])

    def value(x):
        d = x - solution
        return np.sum(scale * (d**2 / 2 + d**4 / 24 / (1 + solution**2)))

    def grad(x):
        d = x - solution
        return scale * (d + d**3 / 6 / (1 + solution**2))

    def hess(x):
        d = x - solution
        return np.diag(scale * (1 + d**2 / 2 / (1 + solution**2)))

    return Handmade(value, grad, hess), np.zeros(3), solution


PROBLEMS = {
    "quadratic": quadratic,
    "rosenbrock 2": lambda: rosenbrock(2),
    "rosenbrock 10": lambda: rosenbrock(10),
    "logistic": logistic,
    "badly scaled": badly_scaled,
}


def test_every_file_with_solvers_is_imported():
    folder = Path(solvers.__file__).parent
    families = {file.stem for file in folder.glob("*.py") if "\n@solver(" in file.read_text(encoding="utf-8")}
    assert {row.function.__module__.rpartition(".")[2] for row in SOLVERS.values()} == families


# What a method cannot do, and how it says so.
REFUSALS = {
    ("dogleg", "rosenbrock 10"): "The Hessian is not positive definite",
    ("nelder-mead", "rosenbrock 10"): "Maximum number of iterations has been exceeded",
    ("cobyla", "rosenbrock 2"): "evaluated MAXFUN times",  # linear models creep along curved valleys
    ("cobyla", "rosenbrock 10"): "evaluated MAXFUN times",
    ("cobyla", "badly scaled"): "evaluated MAXFUN times",
    ("cobyqa", "badly scaled"): "maximum number of function evaluations",
}


SHORT = {"cobyla": {"maxiter": 400}, "cobyqa": {"maxfev": 300}}
"""Limits at which a refusal comes sooner, and says the same."""


@pytest.mark.parametrize("problem", PROBLEMS)
@pytest.mark.parametrize("name", SOLVERS)
def test_every_solver_on_every_problem(name, problem):
    objective, x0, solution = PROBLEMS[problem]()
    solver = SOLVERS[name]
    short = SHORT.get(name, {}) if (name, problem) in REFUSALS else {}
    result = run(solver, Problem(objective, x0), solver.settings(short))
    error = np.max(np.abs(result.x - solution) / np.maximum(np.abs(solution), 1e-3))
    if (name, problem) in REFUSALS:
        assert not result.success and REFUSALS[name, problem] in result.message
        return
    assert result.success
    assert error < 1e-7


def test_every_row_is_complete():
    for name, row in SOLVERS.items():
        assert row.name == name == name.lower()
        assert row.description.endswith(".") and "\n" not in row.description
        assert row.takes <= {"bounds", "constraints"}
        assert row.uses <= {"gradient", "hess", "hessp"} and ("gradient" in row.uses or not row.uses)
        assert row.tol and set(row.tol) <= set(row.options)


def test_every_option_is_one_of_scipys():
    from inspect import signature

    from scipy.optimize import _cobyla_py, _cobyqa_py, _lbfgsb_py, _optimize, _slsqp_py, _tnc
    from scipy.optimize._trustregion import _minimize_trust_region
    from scipy.optimize._trustregion_constr import _minimize_trustregion_constr

    functions = {
        "l-bfgs-b": _lbfgsb_py._minimize_lbfgsb,
        "bfgs": _optimize._minimize_bfgs,
        "cg": _optimize._minimize_cg,
        "newton-cg": _optimize._minimize_newtoncg,
        "tnc": _tnc._minimize_tnc,
        "cobyla": _cobyla_py._minimize_cobyla,
        "cobyqa": _cobyqa_py._minimize_cobyqa,
        "slsqp": _slsqp_py._minimize_slsqp,
        "nelder-mead": _optimize._minimize_neldermead,
        "powell": _optimize._minimize_powell,
        "trust-constr": _minimize_trustregion_constr,
    }
    for name, row in SOLVERS.items():
        if row.needs is None:
            known = set(signature(functions.get(name, _minimize_trust_region)).parameters)
            assert set(row.options) <= known | {"maxiter"}, name  # which all have, here


def test_every_option_of_ipopt_is_one_of_its_own():
    ipyopt = pytest.importorskip("ipyopt")
    known = {option["name"] for option in ipyopt.get_ipopt_options()}
    assert set(SOLVERS["ipopt"].options) - {"maxiter"} <= known


@pytest.mark.parametrize(
    ("name", "asked"),
    [(name, "hess" if "hess" in row.uses else "hessp") for name, row in SOLVERS.items() if len(row.uses) > 1],
)
def test_only_the_derivatives_in_the_table_are_asked_for(name, asked):
    objective, x0, _ = quadratic()
    asked_for = set()
    hess, hessp = objective.hess, objective.hessp
    objective.hess = lambda x, sparse=None: asked_for.add("hess") or hess(x)
    objective.hessp = lambda x, p: asked_for.add("hessp") or hessp(x, p)
    run(SOLVERS[name], Problem(objective, x0), SOLVERS[name].settings())
    assert asked_for == {"hess"} if name == "trust-constr" else {asked}


@pytest.mark.parametrize("name", [name for name, row in SOLVERS.items() if not row.uses])
def test_methods_without_derivatives_ask_for_values_alone(name):
    objective, x0, solution = quadratic() if name == "cobyla" else rosenbrock(2)
    values = []
    objective.value = lambda x: values.append(x.copy()) or objective._value(x)
    result = run(SOLVERS[name], Problem(objective, x0), SOLVERS[name].settings())
    assert result.success and np.allclose(result.x, solution, rtol=1e-9)
    assert result.njev == len(objective.points) <= 70 < 0.4 * result.nfev  # Newton steps as long as values show them
    assert result.nfev == len(values) + len(objective.points)


def test_user_options_win_over_tol_and_tol_over_defaults():
    settings = SOLVERS["l-bfgs-b"].settings({"gtol": 1e-3}, tol=1e-2)
    assert (settings["gtol"], settings["ftol"], settings["maxcor"]) == (1e-3, 1e-2, 10)


def test_tolerance_of_the_user_ends_the_scaled_trust_region():
    objective, x0, _ = rosenbrock(2)
    solver = SOLVERS["trust-region"]
    loose = run(solver, Problem(objective, x0), solver.settings({"gtol": 10.0}), chosen=frozenset({"gtol"}))
    assert loose.success and loose.nit < run(solver, Problem(objective, x0), solver.settings()).nit


@pytest.mark.skipif(not SOLVERS["ipopt"].is_installed, reason="the extra ipopt is not installed")
def test_ipopt_takes_words_and_whole_numbers():
    objective, x0, solution = rosenbrock(2)
    options = {"mu_strategy": "adaptive", "constr_viol_tol": 1, "nlp_scaling_method": "none"}
    result = run(SOLVERS["ipopt"], Problem(objective, x0), SOLVERS["ipopt"].settings(options))
    assert result.success and np.allclose(result.x, solution, rtol=1e-8)
