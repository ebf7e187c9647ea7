"""What method=None runs: by size, bounds and what derivatives cost, and another method where one comes to no end.

Newton's method takes few iterations, each with a Hessian; quasi-Newton methods many, with gradients. Which is sooner
done is estimated from seconds that are measured at the start. Deriving a Hessian takes longer than a short run: where
that is not done or kept from before, a function's first run begins with gradients alone, and goes on with Hessians when
it has taken as long as deriving them does.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from autoopt.errors import AutooptError, UsageError
from autoopt.objectives.known import seconds_to_derive, used_before
from autoopt.solvers.constrained import UNBOUNDED
from autoopt.solvers.problem import Problem
from autoopt.solvers.run import PAUSED, STOPPED, keeping_best, run
from autoopt.solvers.table import SOLVERS, Solver
from autoopt.wording import times

DENSE = 150
"""Up to so many parameters Newton's method takes whole Hessians."""

PATIENCE = 0.35
"""Seconds that deriving may take for a function that is minimised for a second time."""

_NEWTONS, _STEP, _ITERATION = 15, 8e-5, 1.5e-4
"""Iterations of Newton's method; seconds of its own for each, and of a quasi-Newton method's."""

_MOST, _SHORT = 100, 0.02
"""Iterations of a quasi-Newton method where there are many parameters; seconds."""

_DEAR = 100_000
"""With so many array entries an evaluation is dear beside what a method itself takes. BFGS then needs too many, as
it begins at an inverse Hessian of 1, in whatever units; L-BFGS-B takes the scale from its first step."""

_CUBE = 1e-9
"""Seconds for each n^3 of a factorisation or some eigenvalues."""

_AT_LEAST = 30
"""So many iterations, and two for each parameter, a quasi-Newton method has in any case."""

_ASTRAY = 2
"""A method that ends after so few iterations went astray by a step that was too long."""

_CREEPING = 200
"""Newton's method that has not ended after so many iterations follows a valley, perhaps to infinity."""


@dataclass(frozen=True)
class Choice:
    """A method, and why: the words follow "since"."""

    solver: Solver
    reason: str
    pause: Callable[[], bool] | None = None
    afresh: bool = False


def run_chosen(solver: Solver, problem: Problem, settings: dict[str, Any], **shown: Any) -> Any:
    """Return the result of `solver`; if that was not named by the user, of those that are chosen, in turn.

    Each goes on from the best point so far, or begins at x0 where that leads nowhere. `method` of the result names them
    in turn, `choice` says why each was taken, and where there was a change a line in `notes` as well.
    """
    if not solver.automatic:
        return run(solver, problem, settings, **shown)
    with keeping_best(solver, problem):
        return _run_in_turn(solver, problem, settings, **shown)


def _run_in_turn(solver: Solver, problem: Problem, settings: dict[str, Any], **shown: Any) -> Any:
    """Return the result of the methods that are chosen in the place of `solver`."""
    chosen = shown.get("chosen", frozenset())
    own = {name: settings[name] for name in chosen if name in settings}
    best: Any = None
    story: list[str] = []
    tried: list[str] = []
    for choice in _choices(solver, problem, frozenset(own)):
        member, given = choice.solver, dict(choice.solver.options) | own
        if "maxiter" in own:
            given["maxiter"] = own["maxiter"] - problem.nit
            if tried and given["maxiter"] <= 0:
                break
        problem.start = problem.x0 if choice.afresh else _start(problem, best)
        try:
            result = run(member, problem, given, pause=choice.pause, **shown)
        except AutooptError as error:  # second derivatives are not to be had: they were not asked for
            if error is problem.raised and not isinstance(error, UsageError) and "hess" in member.uses:
                problem.raised = None
                continue
            raise
        tried.append(member.name)
        story.append(choice.reason)
        if best is None or best.status == PAUSED or result.success or _is_lower(problem, result.fun, best.fun):
            best = result
        if result.success or result.status in (STOPPED, UNBOUNDED):
            break
    return _told(problem, best, tried, story)


def _is_lower(problem: Problem, value: float, before: float) -> bool:
    """Whether another failure went on from the one before, and not just by rounding."""
    return value < before - 1e-3 * abs(problem.initial_value - before)


def _told(problem: Problem, result: Any, tried: list[str], story: list[str]) -> Any:
    """Return the result with the methods that were tried, and why."""
    result.method = ", then ".join(tried)
    result.choice = f"{tried[0]}, since {story[0]}"
    if len(tried) > 1:
        counts = {"nfev": problem.nfev, "njev": problem.nfev - problem.nalone, "nhev": problem.nhev}
        result.update(counts | {"nit": problem.nit, "nhvp": problem.nhvp, "nundefined": len(problem.undefined)})
        changes = (f"{name} since {why}" for name, why in zip(tried[1:], story[1:], strict=True))
        result.choice += "".join(f"; then {change}" for change in changes)
        result.notes = [*result.get("notes", ()), f"The method was changed on the way: {result.choice}."]
    return result


def _start(problem: Problem, before: Any) -> np.ndarray:
    """Return where the next method begins."""
    if before is None or before.nit <= _ASTRAY or problem.best_value >= problem.initial_value:
        return problem.x0
    x = problem.best
    slope = np.max(np.abs(problem.projected_gradient(x)) * np.maximum(np.abs(x), 1.0), initial=0.0)
    resting = before.status != PAUSED and slope <= 1e-9 * (problem.initial_value - problem.best_value)
    return problem.x0 if resting else x


def _choices(first: Solver, problem: Problem, options: frozenset[str]) -> Any:
    """Yield the methods to try in turn, of those that know the options that the user has set."""
    if problem.constraints:
        yield Choice(first, "there are constraints")
        return
    size, scaled = problem.x0.size, SOLVERS["l-bfgs-b"]
    if getattr(problem.objective, "work", 0) > _DEAR and options <= {*scaled.options}:
        first = replace(scaled, automatic=True)
    newton = SOLVERS["trust-region"]
    if size > DENSE or not options <= {*newton.options}:
        why = f"there are {size} parameters" if size > DENSE else "its options are set"
        yield Choice(first, why)
        for name in ("trust-krylov",) if problem.limits is None else ("tnc",):
            if options <= {*SOLVERS[name].options}:
                yield Choice(SOLVERS[name], f"{first.name} came to no minimum")
        return
    if getattr(problem.objective, "is_streamed", False):
        yield Choice(newton, "each evaluation reads all data, and it needs few")
        yield Choice(first, f"trust-region came to no minimum in {times(problem.nit, 'iteration')}")
        return
    wait = seconds_to_derive(problem.objective, "hess")
    if wait == np.inf:
        yield Choice(first, "there is no Hessian")
        return
    again = used_before(problem.objective)
    costs = _costs(problem) if not wait or (again and wait <= PATIENCE) else None
    if costs is not None and costs.newton <= costs.quasi:
        why = f"a Hessian takes {costs.hessian:.2g} s and a gradient {costs.gradient:.2g} s"
        yield Choice(newton, why, lambda: problem.nit >= _CREEPING)
        crept = problem.nit >= _CREEPING
        yield Choice(first, f"trust-region came to no minimum in {times(problem.nit, 'iteration')}", afresh=crept)
        if crept:
            yield Choice(newton, f"{first.name} came to none either")
        return
    if costs is None:
        begin = time.perf_counter()
        least = problem.nit + _AT_LEAST + 2 * size
        yield Choice(
            first,
            "it needs gradients alone, and no Hessian is derived yet",
            lambda: problem.nit >= least and time.perf_counter() - begin >= wait,
        )
    else:
        yield Choice(first, f"a Hessian takes {costs.hessian:.2g} s, and a gradient {costs.gradient:.2g} s only")
    yield Choice(newton, f"{first.name} came to no minimum in {times(problem.nit, 'iteration')}")


@dataclass(frozen=True)
class _Costs:
    """Seconds: of one gradient and Hessian, and that the two kinds of methods are likely to take."""

    gradient: float
    hessian: float
    newton: float
    quasi: float


def _costs(problem: Problem) -> _Costs | None:
    """Return what a gradient and a Hessian take at x0, of two short ones the less; None if there is no Hessian."""
    size = problem.x0.size
    try:
        hessian = _seconds(lambda: problem.hess(problem.x0))
    except AutooptError:
        return None
    gradient = _seconds(lambda: problem.objective.value_and_grad(problem.x0))
    newton = _NEWTONS * (hessian + 1.3 * gradient + _STEP + _CUBE * size**3)
    return _Costs(gradient, hessian, newton, min(20 + 3 * size, _MOST) * (1.2 * gradient + _ITERATION))


def _seconds(call: Callable[[], Any]) -> float:
    """Return the seconds of a call: of a second one where the first is short, and may have had something to load."""
    begin = time.perf_counter()
    call()
    spent = time.perf_counter() - begin
    if spent > _SHORT:
        return spent
    begin = time.perf_counter()
    call()
    return min(spent, time.perf_counter() - begin)
