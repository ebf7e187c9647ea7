"""Methods that use no derivatives on their way. The verdict at their end does, and may add a Newton step.

Their tolerances are such that this step is a small one; every other option is SciPy's.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autoopt.solvers.active_set import Certified, Finish, ended
from autoopt.solvers.conditions import Conditions
from autoopt.solvers.convergence import gradient_tolerance, is_stationary, iteration_limit
from autoopt.solvers.problem import Problem
from autoopt.solvers.restarts import carried_on, size_of_objective
from autoopt.solvers.scipys_constraints import as_values, refuse_keep_feasible
from autoopt.solvers.table import solver


def _small_fall(problem: Problem) -> float:
    """Return the default `fatol`: 1e-10, times |f(x0)| where that is below 1."""
    return max(1e-10 * min(1.0, abs(problem.initial_value) or 1.0), 1e-18)


def _evaluation_limit(problem: Problem) -> int:
    """Return the default `maxfev`: two for each iteration, of which simplices take less than that."""
    return 2 * iteration_limit(problem)


@solver(
    "nelder-mead",
    takes={"bounds"},
    uses=(),
    options={"xatol": 1e-6, "fatol": _small_fall, "maxiter": iteration_limit, "maxfev": _evaluation_limit}
    | {"initial_simplex": None, "adaptive": None},
    tol=("xatol", "fatol"),
    stalls={0},
)
def nelder_mead(problem: Problem, options: dict):
    """Simplex of Nelder and Mead with bounds; no derivatives on the way, for a handful of parameters."""
    return _settled(problem, "Nelder-Mead", options, "initial_simplex")


@solver(
    "powell",
    takes={"bounds"},
    uses=(),
    options={"xtol": 1e-6, "ftol": 1e-10, "maxiter": iteration_limit, "maxfev": None, "direc": None},
    tol=("xtol", "ftol"),
    stalls={0},
)
def powell(problem: Problem, options: dict):
    """Powell's line searches along conjugate directions with bounds; no derivatives on the way."""
    return _settled(problem, "Powell", options, "direc")


_RESTARTS, _NEAR = 10, 1e-4


def _settled(problem: Problem, method: str, options: dict, shape: str) -> Any:
    """Return SciPy's result, after fresh starts from where it is not stationary: a simplex or directions degenerate.

    The start of each is the best point so far, as SciPy's Powell with bounds may end above that. What is close to a
    bound is put onto it where f is no higher there: these methods come near and never to it.
    """
    given = {"jac": None, "bounds": problem.scipy_bounds}
    raw, nit, before = problem.scipy(method, options, **given), 0, problem.initial_value
    fresh = {name: value for name, value in options.items() if name != shape}
    for _ in range(_RESTARTS):
        nit += raw.nit
        x = on_bounds(problem, problem.best)
        value = problem.value_alone(x)
        raw.update(x=x, fun=value, nit=nit)
        stuck = not value < before - _NEAR * abs(value)
        if not raw.success or stuck or is_stationary(problem, x, gradient_tolerance(problem)):
            break
        before, raw = value, problem.scipy(method, fresh, start=x, **given)
    return raw


def on_bounds(problem: Problem, x: np.ndarray) -> np.ndarray:
    """Return `x` with each entry on the bound that it is close to, if f is no higher there."""
    if problem.limits is None:
        return x
    for limit in (problem.limits.lower, problem.limits.upper):
        for i in np.flatnonzero((np.abs(x - limit) <= _NEAR * np.maximum(np.abs(limit), 1.0)) & (x != limit)):
            moved = x.copy()
            moved[i] = limit[i]
            if problem.value_alone(moved) <= problem.value_alone(x):
                x = moved
    return x


def _model_limit(problem: Problem) -> int:
    """Return the default `maxiter` of COBYLA: without constraints Newton's steps lead on, so that it need not creep."""
    return _evaluation_limit(problem) if problem.constraints else max(_CREEPING, _PER_PARAMETER * problem.x0.size)


_CREEPING, _PER_PARAMETER = 500, 50


_RADIUS = 1e-8
"""The last radius of a model's region: SciPy's leaves half of the digits that values can tell."""


@solver(
    "cobyla",
    takes={"bounds", "constraints"},
    uses=(),
    options={"tol": _RADIUS, "rhobeg": None, "maxiter": _model_limit, "catol": 1e-8, "f_target": None},
    tol=("tol",),
    stalls={0, 2, 7},
)
def cobyla(problem: Problem, options: dict):
    """Linear models of values with bounds and constraints; no derivatives on the way, for a handful of parameters."""
    return _modelled(problem, "COBYLA", options)


@solver(
    "cobyqa",
    takes={"bounds", "constraints"},
    uses=(),
    options={"final_tr_radius": _RADIUS, "initial_tr_radius": None, "maxfev": None, "maxiter": None}
    | {"feasibility_tol": None, "f_target": None, "scale": None},
    tol=("final_tr_radius",),
    stalls={0, -2},
)
def cobyqa(problem: Problem, options: dict):
    """Quadratic models of values with bounds and constraints; no derivatives on the way, for up to some dozens."""
    return _modelled(problem, "COBYQA", options)


def _modelled(problem: Problem, method: str, options: dict) -> Any:
    """Return SciPy's result within the bounds; under constraints also where Newton's method ends from an iterate."""
    refuse_keep_feasible(problem, method.lower())
    size = size_of_objective(problem)
    given = {"jac": None, "bounds": problem.scipy_bounds, "constraints": as_values(problem), "size": size}
    if "f_target" in options:
        options = options | {"f_target": options["f_target"] / size}

    def solve(start: np.ndarray, options: dict = options) -> Any:
        before, finish = problem.nit, Finish(problem)
        seen = [start]

        def watch(x: np.ndarray) -> None:
            seen.append(np.array(x))
            problem.iterated(x)
            if problem.constraints and (found := finish.later(x)):
                raise Certified(found)

        try:
            raw = problem.scipy(method, options, start=start, callback=watch, **given)
        except Certified as end:
            return ended(end.certificate, problem.nit - before)
        if problem.limits is not None:  # COBYLA takes bounds for constraints, and misses them by its tolerance
            raw.x = np.clip(raw.x, problem.limits.lower, problem.limits.upper)
        raw.setdefault("nit", problem.nit)
        if raw.status == _OF_VALUES and not problem.constraints and options.get("maxiter") == _model_limit(problem):
            raw.update(status=_LED_ON, message=f"{method} came no closer in {raw.nfev} evaluations.")
        if problem.constraints and problem.value_alone(raw.x) > problem.value_alone(start):
            raw.x = _lowest(problem, [raw.x, *seen])
            room = _room(problem, start)
            if options.get(_RADII[method]) is None and 0 < room < 1 and raw.status not in _EXHAUSTED:
                return solve(raw.x, options | {_RADII[method]: room})
        return raw

    return carried_on(problem, solve, _EXHAUSTED)


_RADII = {"COBYLA": "rhobeg", "COBYQA": "initial_tr_radius"}


def _room(problem: Problem, x: np.ndarray) -> float:
    """Return half of how far off the nearest bound is, of those that `x` is not at: COBYQA moves it there if nearer."""
    if problem.limits is None:
        return 0.0
    rooms = np.concatenate([x - problem.limits.lower, problem.limits.upper - x])
    return float(np.min(rooms, initial=np.inf, where=rooms > 0)) / 2


def _lowest(problem: Problem, points: list[np.ndarray]) -> np.ndarray:
    """Return the point with the lowest value of those that meet the constraints; the first if none does.

    Models may lead to a point that is higher than the start, and end there.
    """
    met = [x for x in points if problem.is_defined(x) and Conditions.at(problem, x).is_feasible]
    return min(met, key=problem.value_alone, default=points[0])


_OF_VALUES, _LED_ON = 3, 7
"""SciPy's status of COBYLA for its limit on values, and one for no progress: with our limit, not the user's."""

_EXHAUSTED = frozenset({3, 5, 6, 20})
"""SciPy's statuses of either for a limit on evaluations or iterations."""
