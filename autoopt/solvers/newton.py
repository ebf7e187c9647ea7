"""Methods that use exact second derivatives: Hessian-vector products where they suffice, else the Hessian.

Defaults: `gtol` 1e-8 (absolute, as SciPy's; times |f(x0)| where that is below 1), Newton-CG's `xtol` 1e-10.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from autoopt.solvers.active_set import Finish, ended
from autoopt.solvers.convergence import FEASIBILITY, gradient_tolerance, iteration_limit
from autoopt.solvers.problem import Problem
from autoopt.solvers.restarts import carried_on, size_of_objective
from autoopt.solvers.scipys_constraints import as_objects
from autoopt.solvers.settling import settling
from autoopt.solvers.table import solver

_TRUST = {
    "gtol": gradient_tolerance,
    "maxiter": iteration_limit,
    "initial_trust_radius": None,
    "max_trust_radius": None,
    "eta": None,
}
_DENSE = 100


@solver(
    "newton-cg",
    uses={"gradient", "hessp"},
    options={"xtol": 1e-10, "maxiter": iteration_limit, "c1": None, "c2": None},
    tol=("xtol",),
    stalls={0, 2, 3},
)
def newton_cg(problem: Problem, options: dict):
    """Newton with conjugate gradients on Hessian-vector products; for any number of parameters."""
    return settling(problem, "Newton-CG", options, hessp=problem.hessp)


@solver("dogleg", uses={"gradient", "hess"}, options=_TRUST, tol=("gtol",), stalls={2})
def dogleg(problem: Problem, options: dict):
    """Dogleg trust region; needs a Hessian that is positive definite everywhere on the way."""
    raw = problem.scipy("dogleg", options, hess=problem.hess)
    if raw.status == 3:
        raw.message = (
            "The Hessian is not positive definite at the last point, and dogleg needs it to be. "
            "Use trust-exact, trust-krylov or newton-cg, or start nearer to the minimum."
        )
    return raw


@solver("trust-ncg", uses={"gradient", "hessp"}, options=_TRUST, tol=("gtol",), stalls={2})
def trust_ncg(problem: Problem, options: dict):
    """Trust region with conjugate gradients on Hessian-vector products; for any number of parameters."""
    return problem.scipy("trust-ncg", options, hessp=problem.hessp)


@solver("trust-krylov", uses={"gradient", "hessp"}, options=_TRUST | {"inexact": None}, tol=("gtol",), stalls={2})
def trust_krylov(problem: Problem, options: dict):
    """Trust region with Lanczos on Hessian-vector products; good on indefinite Hessians."""
    return problem.scipy("trust-krylov", options, hessp=problem.hessp)


@solver(
    "trust-exact", uses={"gradient", "hess"}, options=_TRUST | {"subproblem_maxiter": None}, tol=("gtol",), stalls={2}
)
def trust_exact(problem: Problem, options: dict):
    """Trust region solved nearly exactly with the Hessian; fewest iterations, up to some hundred parameters."""
    return problem.scipy("trust-exact", options, hess=problem.hess)


@solver(
    "trust-constr",
    takes={"bounds", "constraints"},
    uses={"gradient", "hessp"},
    options={"gtol": gradient_tolerance, "xtol": 1e-12, "barrier_tol": 1e-10, "maxiter": 3000, "sparse_jacobian": None}
    | {"initial_constr_penalty": None, "initial_tr_radius": None, "initial_barrier_parameter": None}
    | {"initial_barrier_tolerance": None, "factorization_method": None, "verbose": None},
    tol=("xtol", "gtol", "barrier_tol"),
    stalls={2},
    has_state=True,
)
def trust_constr(problem: Problem, options: dict):
    """Trust region with bounds and general constraints (interior point)."""
    dense, size = problem.x0.size <= _DENSE, size_of_objective(problem)
    second: dict[str, Any] = {"hess": problem.hess} if dense else {"hessp": problem.hessp}
    if not dense and problem.curvature is not None:
        second = {"hess": problem.sparse_hess}
    if size != 1.0:
        second = {name: lambda *at, own=own: own(*at) / size for name, own in second.items()} | {"size": size}
        most = _GTOL if options["gtol"] == gradient_tolerance(problem) else np.inf  # the user's is in units of f
        options = options | {"gtol": min(options["gtol"] / size, most)}
    with warnings.catch_warnings():
        # SciPy's BFGS, for the curvature of a constraint that has no other, warns of every one that is linear.
        warnings.filterwarnings("ignore", message="delta_grad == 0.0")
        # Where constraints that hold depend on one another, which is no fault, it says how it goes on.
        warnings.filterwarnings("ignore", message="Singular Jacobian matrix")
        second |= {"constraints": as_objects(problem, dense), "bounds": problem.scipy_bounds}

        def solve(start: np.ndarray) -> Any:
            given = second | {"start": start}
            return _closed(problem, options, given) if _is_interior(problem) else _open(problem, options, given)

        return carried_on(problem, solve, frozenset({_LIMIT}))


_LIMIT = 0
_GTOL = 1e-8
"""The tolerance of an objective in its own size, unless the user sets one."""


def _open(problem: Problem, options: dict, second: dict):
    """Return the result of trust-constr on equalities alone."""
    finish, ends = Finish(problem), []

    def watch(x: np.ndarray, state: Any) -> None:
        problem.iterated(x, state)
        if problem.constraints and (found := finish.at(x)):
            ends.append(found)
            raise StopIteration

    raw = problem.scipy("trust-constr", options, callback=watch, **second)
    return ended(ends[0], raw.nit) if ends else raw


def _is_interior(problem: Problem) -> bool:
    """Whether there are inequalities, which SciPy then meets by a sequence of barriers."""
    return problem.limits is not None or any((one.lower < one.upper).any() for one in problem.constraints)


def _closed(problem: Problem, options: dict, second: dict):
    """Return the result of trust-constr, which ends by `gtol` only where the barrier is as low as `barrier_tol`.

    SciPy asks for the gradient alone, which Newton's steps with an exact Hessian bring to 0 at any barrier: the point
    may then be as far inside as the barrier of that moment holds it.
    """
    gtol, barrier = options["gtol"], max(options["barrier_tol"], 1e-2 * options["gtol"])
    finish, ends, met = Finish(problem), [], []

    def watch(x: np.ndarray, state: Any) -> None:
        problem.iterated(x, state)
        if problem.constraints and (found := finish.at(x)):
            ends.append(found)
            raise StopIteration
        if max(state.optimality, state.constr_violation) < gtol and getattr(state, "barrier_parameter", 0.0) <= barrier:
            met.append(True)
            raise StopIteration

    raw = problem.scipy("trust-constr", options | {"gtol": 0.0}, callback=watch, **second)
    if ends:
        return ended(ends[0], raw.nit)
    if met:
        raw.update(status=1, success=True, message="`gtol` termination condition is satisfied.")
    elif raw.status == 4:  # SciPy holds what violates the constraints against the gtol that it was given
        kept = bool(raw.constr_violation <= max(gtol, FEASIBILITY))
        raw.update(status=2, success=kept, message="`xtol` termination condition is satisfied.")
    return raw
