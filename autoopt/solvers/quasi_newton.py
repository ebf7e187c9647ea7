"""Methods that use the exact gradient alone.

Defaults: `gtol` 1e-8 (absolute, as SciPy's; times |f(x0)| where that is below 1), `ftol` one rounding of f, so that a
run ends at the gradient test or where f no longer visibly falls. Every other option is SciPy's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autoopt.solvers.active_set import Certified, Finish, ended
from autoopt.solvers.convergence import gradient_tolerance, iteration_limit
from autoopt.solvers.problem import Problem
from autoopt.solvers.restarts import carried_on, size_of_objective
from autoopt.solvers.scipys_constraints import as_dicts, refuse_keep_feasible
from autoopt.solvers.settling import settling
from autoopt.solvers.table import solver

_EPSILON = float(np.finfo(np.float64).eps)
_LINE_SEARCH = {"c1": None, "c2": None}
_PAIRS = 200
"""So many of the last steps make up the inverse Hessian of a run that ended in a line search."""


@solver(
    "l-bfgs-b",
    takes={"bounds"},
    uses={"gradient"},
    options={
        "gtol": gradient_tolerance,
        "ftol": _EPSILON,
        "maxiter": 15000,
        "maxfun": 30000,
        "maxcor": 10,
        "maxls": 30,
    },
    tol=("ftol", "gtol"),
    stalls={0, 2},
)
def lbfgsb(problem: Problem, options: dict):
    """Limited-memory BFGS with bounds; for any number of parameters."""
    kept = {"pairs": options["maxcor"], "inverse": lambda operator: operator}
    return settling(problem, "L-BFGS-B", options, ftol=options["ftol"], bounds=problem.scipy_bounds, **kept)


@solver(
    "bfgs",
    uses={"gradient"},
    options={"gtol": gradient_tolerance, "maxiter": iteration_limit, "norm": np.inf, "xrtol": 0.0, "hess_inv0": None}
    | _LINE_SEARCH,
    tol=("gtol",),
    stalls={2},
)
def bfgs(problem: Problem, options: dict):
    """BFGS with a dense inverse Hessian; for up to some hundred parameters."""
    if options.get("hess_inv0") is not None:
        return problem.scipy("BFGS", options)
    return settling(problem, "BFGS", options, pairs=_PAIRS, inverse=lambda operator: operator.todense())


@solver(
    "cg",
    uses={"gradient"},
    options={"gtol": gradient_tolerance, "maxiter": iteration_limit, "norm": np.inf} | _LINE_SEARCH,
    tol=("gtol",),
    stalls={2},
)
def cg(problem: Problem, options: dict):
    """Nonlinear conjugate gradients (Polak-Ribiere); least memory, most iterations."""
    return settling(problem, "CG", options)


@solver(
    "tnc",
    takes={"bounds"},
    uses={"gradient"},
    options={
        "gtol": gradient_tolerance,
        "ftol": 0.0,
        "xtol": 0.0,
        "maxfun": iteration_limit,
        "maxiter": None,
        "scale": None,
        "offset": None,
        "rescale": None,
    }
    | {"maxCGit": None, "eta": None, "stepmx": None, "accuracy": None, "minfev": None},
    tol=("ftol", "gtol", "xtol"),
    stalls={0, 1, 2, 4, 6},
)
def tnc(problem: Problem, options: dict):
    """Truncated Newton with bounds, curvature from differences of the gradient."""
    from scipy.optimize import OptimizeResult

    own = {name: value for name, value in options.items() if name != "maxiter"}
    watch, last = problem.watch, problem.nit + options.get("maxiter", np.inf)

    def counted(x: np.ndarray) -> None:
        watch(x)
        if problem.nit >= last:
            raise _Enough

    problem.watch = counted
    try:
        return problem.scipy("TNC", own, bounds=problem.scipy_bounds)
    except _Enough:
        message = "Maximum number of iterations has been exceeded."
        return OptimizeResult(x=problem.latest, success=False, status=_LIMIT, message=message, nit=problem.nit)
    finally:
        problem.watch = watch


class _Enough(Exception):
    """The limit of iterations, which SciPy's TNC does not have, is reached."""


_LIMIT = 3
"""TNC's status for a limit that was reached."""


def _least_fall(problem: Problem) -> float:
    """Return the default `ftol` of SLSQP, which holds it against violations, too: these are rounded as well."""
    return max(1e-14 * min(1.0, abs(problem.initial_value) or 1.0), 1e-16)


@solver(
    "slsqp",
    takes={"bounds", "constraints"},
    uses={"gradient"},
    options={"ftol": _least_fall, "maxiter": 1000},
    tol=("ftol",),
    stalls={0, 5, 6, 7, 8},
)
def slsqp(problem: Problem, options: dict):
    """Sequential quadratic programming with bounds and constraints; for up to some hundred parameters."""
    from scipy.optimize import OptimizeResult

    refuse_keep_feasible(problem, "slsqp")
    size = size_of_objective(problem)
    given = {"bounds": problem.scipy_bounds, "constraints": as_dicts(problem), "size": size}
    options = options | {"ftol": max(options["ftol"] / size, _LEAST)}

    def solve(start: np.ndarray) -> Any:
        before = problem.nit
        try:
            return problem.scipy("SLSQP", options, start=start, callback=_watcher(problem), **given)
        except Certified as end:
            return ended(end.certificate, problem.nit - before)
        except _Resting:
            message = f"x has not moved for {_AT_REST} iterations"
            nit = problem.nit - before
            return OptimizeResult(x=problem.latest, success=False, status=8, message=message, nit=nit, resting=True)

    return carried_on(problem, solve, frozenset({_LIMIT}))


_LIMIT = 9
_LEAST = 1e-16


def _watcher(problem: Problem) -> Callable[[np.ndarray], None]:
    """Return a callback that ends the run at one point, or where Newton's method has found the minimum."""
    resting, finish = 0, Finish(problem)

    def watch(x: np.ndarray) -> None:
        nonlocal resting
        moved = np.max(np.abs(x - problem.latest) / np.maximum(np.abs(x), 1.0), initial=0.0)
        resting = resting + 1 if moved <= _STEP_AT_REST else 0
        problem.iterated(x)
        if problem.constraints and (found := finish.at(x)):
            raise Certified(found)
        if resting == _AT_REST:
            raise _Resting

    return watch


class _Resting(Exception):
    """SLSQP goes on at one point: it may do so at a solution, up to the limit of iterations."""


_AT_REST, _STEP_AT_REST = 5, 1e-13
