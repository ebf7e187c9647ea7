"""Each option of each derivative-free and global method changes the run."""

import inspect

import numpy as np
import pytest

import autoopt
from autoopt.solvers import SOLVERS

BOX = [(-5.12, 4.1)] * 2
OURS = {"func", "bounds", "args", "verify", "engine", "constraints", "seed", "rng", "x0"}
REFUSED = {"workers", "vectorized", "integrality"}
SHOWN = {"disp", "callback", "checkpoint"}


def rosenbrock(x):
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def rastrigin(x):
    return 20.0 + np.sum(x**2 - 10.0 * np.cos(2 * np.pi * x))


def ball(x):
    return 1.0 - x @ x


LOCAL = {
    "nelder-mead": {
        "xatol": 0.5, "fatol": 1e3, "maxiter": 7, "maxfev": 9, "adaptive": True,
        "initial_simplex": np.array([[0, 0, 0], [3.0, 0, 0], [0, 3, 0], [0, 0, 3]]),
    },
    "powell": {"xtol": 0.5, "ftol": 0.5, "maxiter": 1, "maxfev": 9, "direc": np.eye(3)[::-1] + np.eye(3)},
    "cobyla": {"tol": 0.1, "rhobeg": 3.0, "maxiter": 9, "catol": 0.1, "f_target": 10.0},
    "cobyqa": {
        "final_tr_radius": 0.1, "initial_tr_radius": 3.0, "maxfev": 9, "maxiter": 3, "feasibility_tol": 0.1,
        "f_target": 10.0, "scale": True,
    },
}  # fmt: skip
UNDER_CONSTRAINTS = {"catol", "feasibility_tol"}
GLOBAL = {
    "differential_evolution": (
        {"rng": 0},
        {
            "strategy": "rand1bin", "maxiter": 3, "popsize": 5, "tol": 0.5, "mutation": 0.9, "recombination": 0.3,
            "init": "random", "atol": 1.0, "updating": "deferred", "polish": False,
        },
    ),
    "dual_annealing": (
        {"rng": 0, "maxiter": 50},
        {
            "initial_temp": 100.0, "restart_temp_ratio": 0.5, "visit": 1.5, "accept": -1e4, "maxfun": 50,
            "no_local_search": True, "maxiter": 10, "minimizer_kwargs": {"method": "nelder-mead"},
        },
    ),
    "shgo": (
        {"n": 32, "iters": 2, "sampling_method": "sobol"},
        {
            "n": 64, "iters": 1, "sampling_method": "halton", "options": {"minimize_every_iter": False},
            "minimizer_kwargs": {"tol": 0.1},
        },
    ),
    "direct": (
        {},
        {
            "eps": 0.1, "maxfun": 100, "maxiter": 5, "locally_biased": False, "f_min": 0.0, "vol_tol": 1e-3,
            "len_tol": 1e-2, "f_min_rtol": 0.5,
        },
    ),
    "basinhopping": (
        {"niter": 20, "rng": 0, "x0": [3.0, 3.0], "interval": 4},
        {
            "T": 1e-3, "stepsize": 2.0, "niter": 5, "interval": 3, "niter_success": 2, "target_accept_rate": 0.9,
            "stepwise_factor": 0.5, "minimizer_kwargs": {"method": "nelder-mead"},
            "accept_test": lambda f_new, x_new, f_old, x_old: False, "take_step": lambda x: x * 1.1,
        },
    ),
}  # fmt: skip


def of(result):
    return result.nfev, result.x.tolist()


@pytest.mark.parametrize("method", LOCAL)
def test_all_options_are_looked_at(method):
    assert {*LOCAL[method]} == {*SOLVERS[method].options}


@pytest.mark.parametrize("name", GLOBAL)
def test_all_arguments_of_searches_are_looked_at(name):
    known = {*inspect.signature(getattr(autoopt, name)).parameters}
    assert {*GLOBAL[name][1]} == known - OURS - REFUSED - SHOWN


@pytest.mark.slow_for("cobyqa-feasibility_tol")
@pytest.mark.sampled(2)
@pytest.mark.parametrize(("method", "option"), [(method, name) for method, rows in LOCAL.items() for name in rows])
def test_option_of_a_method_changes_the_run(method, option):
    more = {} if option not in UNDER_CONSTRAINTS else {"constraints": {"type": "ineq", "fun": ball}}
    given = {"method": method, "bounds": [(-3, 8.0)] * 3, **more}
    start = [-1.2, 1.0, 2.0]
    plain = autoopt.minimize(rosenbrock, start, **given)
    assert of(autoopt.minimize(rosenbrock, start, options={option: LOCAL[method][option]}, **given)) != of(plain)


@pytest.mark.sampled(2)
@pytest.mark.parametrize(("name", "option"), [(name, option) for name, rows in GLOBAL.items() for option in rows[1]])
def test_option_of_a_search_changes_the_run(name, option):
    usual, options = GLOBAL[name]
    usual = {**usual, "f_min": 0.0} if option == "f_min_rtol" else usual
    search = getattr(autoopt, name)
    given = {} if name == "basinhopping" else {"bounds": BOX}
    assert of(search(rastrigin, **given, **{**usual, option: options[option]})) != of(
        search(rastrigin, **given, **usual)
    )
