"""A run that failed is begun anew where it ended, in sizes that the curvature there shows, if these differ by far."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from autoopt.differences import step_scale
from autoopt.solvers import translation
from autoopt.solvers.choice import run_chosen
from autoopt.solvers.constrained import UNBOUNDED
from autoopt.solvers.first_sizes import first_sizes
from autoopt.solvers.problem import Problem
from autoopt.solvers.run import STOPPED, keeping_best
from autoopt.solvers.table import Solver
from autoopt.variables.functions import changed_constraints, changed_objective
from autoopt.variables.options import changed_options
from autoopt.variables.scales import automatic
from autoopt.variables.variables import Variables

APART = 1e3
"""Sizes that differ by this much cost a method of first order a thousand steps, and tolerances three digits."""

_LIMITS = frozenset({"maxiter", "maxfun", "maxfev"})


def run_in_sizes(
    solver: Solver, problem: Problem, settings: Mapping[str, Any], own: bool, again: bool, limited: Any, **shown: Any
) -> Any:
    """Return what `run_chosen` does, in the variables of `problem`; begun anew in other sizes where that failed.

    Parameters
    ----------
    own : bool
        Whether the user has set no sizes: parameters near 0 at x0 are then given theirs, under constraints.
    again : bool
        Whether it may be: not where the user has chosen method and sizes.
    limited : collection of str
        The options that the user has set; within limits of iterations or evaluations there is one run.
    **shown
        `chosen`, `callback` and `progress` of `run`.
    """
    with keeping_best(solver, problem):
        first = first_sizes(problem) if own else None
    if first is not None:
        return _run_small(solver, problem, settings, first, **shown)
    result = run_chosen(solver, problem, dict(settings), **shown)
    again = again or (own and bool(problem.constraints))
    if not again or result.success or result.status in (STOPPED, UNBOUNDED) or _LIMITS & set(limited):
        return result
    x = result.x if problem.is_defined(result.x) else problem.x0
    with keeping_best(solver, problem):
        sizes = _sizes(problem, x)
    if sizes is None:
        return result
    second = _run_from(x, sizes, solver, problem, settings, **shown)
    for count in ("nit", "nfev", "njev", "nhev", "nhvp", "nundefined"):
        second[count] += result[count]
    if not second.success and (problem.constraints or not second.fun < result.fun):
        return result
    names = translation.variable_names(problem)
    small, large = int(np.argmin(sizes)), int(np.argmax(sizes))
    second.notes = [
        "The parameters are badly scaled: where the run stopped first, sizes over which the objective changes alike "
        f"go from {sizes[small]:.0e} for {names[small]} to {sizes[large]:.0e} for {names[large]}. It was begun anew in "
        'these sizes, in which gradient_norm is given; scale="auto" takes them at once.'
    ]
    return second


def _run_small(solver: Solver, problem: Problem, settings: Mapping[str, Any], sizes: np.ndarray, **shown: Any) -> Any:
    """Return what `run_chosen` does in sizes below 1 of parameters near 0 at x0."""
    result = _run_from(problem.x0, sizes, solver, problem, settings, **shown)
    i, names = int(np.argmin(sizes)), translation.variable_names(problem)
    result.notes = [
        *result.get("notes", ()),
        f"Parameters near 0 at x0 are small, as slopes and constraints there show: {names[i]} about {sizes[i]:.0e}. "
        "The method worked in such sizes, in which gradient_norm is given; scale= sets others.",
    ]
    return result


def _run_from(
    x: np.ndarray, sizes: np.ndarray, solver: Solver, problem: Problem, settings: Mapping[str, Any], **shown: Any
) -> Any:
    """Return what `run_chosen` does in other sizes from the start `x`, in the variables of `problem`."""
    variables = Variables.free(translation.names(problem)).scaled(sizes)
    callback = shown.get("callback")
    if callback is not None:
        shown["callback"] = lambda z, *state: callback(sizes * z, *state)
    try:
        result = run_chosen(solver, _restated(problem, x, sizes), changed_options(settings, variables, x), **shown)
    except BaseException as stop:
        if hasattr(stop, "result"):
            _put_back(stop.result, sizes, problem)
        raise
    _put_back(result, sizes, problem)
    return result


def _sizes(problem: Problem, x: np.ndarray) -> np.ndarray | None:
    """Return sizes, powers of 2, shape (n,), in which f changes alike at `x`; None if those it has are near to them."""
    limits = problem.limits
    widths = np.full(x.size, np.inf) if limits is None else limits.upper - limits.lower
    sizes = 2.0 ** np.round(np.log2(automatic(problem.objective, x, widths)))
    compared = np.append(sizes, 1.0) if problem.constraints else sizes  # beside violations, a unit is one
    return sizes if np.max(compared) >= APART * np.min(compared) else None


def _restated(problem: Problem, x: np.ndarray, sizes: np.ndarray) -> Problem:
    """Return the same problem in other sizes, with the start `x`."""
    inner: Any = getattr(problem.objective, "inner", problem.objective)
    own = translation.variables(problem)
    variables = Variables.free(translation.names(problem)) if own is None else own
    finer = variables.scaled(variables.scale * sizes)
    constraints = [replace(one, function=getattr(one.function, "inner", one.function)) for one in problem.constraints]
    changed = changed_constraints(constraints, finer)
    for one in changed:
        function: Any = one.function
        function.sizes = np.asarray(abs(one.jacobian(x / sizes)) @ step_scale(x / sizes))
    limits = problem.limits
    other = Problem(
        changed_objective(inner, finer),
        x / sizes,
        limits and replace(limits, lower=limits.lower / sizes, upper=limits.upper / sizes),
        changed,
        keeps=problem.iterates is not None,
    )
    other.initial_value = problem.initial_value
    return other


def _put_back(result: Any, sizes: np.ndarray, problem: Problem) -> None:
    """Put a result in other sizes into the variables of `problem`."""
    result.x, result.jac = sizes * result.x, result.jac / sizes
    inverse: Any = result.get("hess_inv")
    if isinstance(inverse, np.ndarray):
        result.hess_inv = inverse * np.outer(sizes, sizes)
    elif inverse is not None:
        result.hess_inv = _scaled_operator(inverse, sizes)
    if "allvecs" in result:
        result.allvecs = [*(problem.iterates or ()), *(sizes * one for one in result.allvecs[1:])]
    for name in ("multipliers", "v"):
        given = result.get(name)
        if isinstance(given, list) and given and np.shape(given[-1]) == sizes.shape and problem.limits is not None:
            result[name] = [*given[:-1], given[-1] / sizes]


def _scaled_operator(inverse: Any, sizes: np.ndarray) -> Any:
    from scipy.sparse.linalg import LinearOperator

    product: Callable = lambda p: sizes * (inverse @ (sizes * np.ravel(p)))  # noqa: E731
    return LinearOperator(inverse.shape, matvec=product, rmatvec=product, dtype=np.float64)
