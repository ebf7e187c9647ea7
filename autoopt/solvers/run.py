"""Run a solver from start to finish: progress, callback, interruption, and one kind of result for every method."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from autoopt.errors import AutooptError, UsageError
from autoopt.origin import is_from_solver
from autoopt.solvers.constrained import NOT_A_MINIMUM, UNBOUNDED, multipliers_at
from autoopt.solvers.convergence import gradient_tolerance, remaining_gradient, without_bound
from autoopt.solvers.ending import ended
from autoopt.solvers.problem import Paused, Problem, Stopped, Stuck
from autoopt.solvers.steep import as_they_are
from autoopt.solvers.table import Solver
from autoopt.solvers.verdict import NO_MINIMUM, verdict
from autoopt.stages import Interrupted, progressed, stage
from autoopt.wording import could_not_go_on

_EXTRAS = ("hess_inv", "v", "constr_violation", "optimality")
PAUSED, STOPPED, FAILED, REFUSED, INTERRUPTED = 98, 99, 100, 101, 130


@dataclass(frozen=True)
class Progress:
    """One iteration, for `progress=`: its number, the value, the largest entry of the gradient, seconds since start.

    The start has the number 0.
    The gradient is NaN for methods that do without: none is computed to be shown.
    """

    iteration: int
    value: float
    gradient_norm: float
    seconds: float

    def __str__(self) -> str:
        gradient = "" if np.isnan(self.gradient_norm) else f"gradient {self.gradient_norm:.2e}   "
        return f"iteration {self.iteration:5d}   value {self.value: .10g}   {gradient}{self.seconds:.1f} s"


@dataclass(frozen=True)
class Stage(Progress):
    """What goes on after the last iteration, for `progress=`: `stage` says it in words."""

    stage: str = ""

    def __str__(self) -> str:
        return f"iteration {self.iteration:5d}   value {self.value: .10g}   {self.stage} ...   {self.seconds:.1f} s"


def run(
    solver: Solver,
    problem: Problem,
    settings: dict[str, Any],
    *,
    chosen: frozenset[str] = frozenset(),
    callback: Callable | None = None,
    progress: Callable[[Progress], None] | bool | None = None,
    pause: Callable[[], bool] | None = None,
    record: Callable[[Problem], None] | None = None,
) -> Any:
    """Return the result of `solver` on `problem`, the same fields for every method, on flat vectors.

    Parameters
    ----------
    settings : dict
        From `solver.settings(options, tol)`.
    chosen : frozenset of str
        The tolerances that the user set: a stop by one of them is success, as in SciPy. A stop because f no longer
        falls is success only where `convergence.finish` says so.
    callback, progress : callable, optional
        Called at each iterate with (x, value, the method's state if it has one) and with a `Progress`.
    pause : callable, optional
        Asked at each iterate whether another method is to go on; the status is then PAUSED.
    record : callable, optional
        Called at each iterate with the problem, of which it evaluates nothing.

    Raises
    ------
    Interrupted
        A KeyboardInterrupt that carries the result so far.
    Exception
        What the objective, a callback or a constraint raised; its `result` is what the run had reached.
    """
    options = {name: value(problem) if callable(value) else value for name, value in settings.items()}
    options = {name: value for name, value in options.items() if value is not None}
    gtol = options.get("gtol", gradient_tolerance(problem))
    problem.watch, begin = _watcher(problem, bool(solver.uses), callback, progress, pause)
    if record is not None:
        problem.record, problem.watch = record, _recorded(problem, record, problem.watch)

    def stopped(status: int, message: str) -> Any:
        # The lowest value seen may lie outside the constraints; the last iterate is as near to them as the run came.
        x, which = (problem.latest, "last iterate") if problem.constraints else (problem.best, "best point so far")
        return _result(solver, problem, x, status, f"{message}; x is the {which}.", False, **problem.findings)

    def failed(message: str) -> Any:
        lost = without_bound(problem, problem.best)
        return stopped(FAILED, f"Not converged: {NO_MINIMUM.format(lost) + ' ' if lost else ''}{message}")

    try:
        with stage("minimising", lambda: f"iteration {problem.nit}, {problem.nfev} evaluations"):
            begin()
            end = ended(solver, problem, options, chosen)
        problem.certified = end.found
        with stage("looking at the solution", lambda: f"{problem.nfev} evaluations"):
            met = chosen if solver.uses else frozenset()  # tolerances on values alone show no slope to be 0
            end.raw["tolerances"] = {name: options[name] for name in met & {*solver.tol} if name in options}
            end.raw["set"] = {name: options[name] for name in solver.tol if name in chosen and name in options}
            x, success, message = verdict(solver, problem, end, gtol, met)
    except Stuck as stuck:
        return failed(str(stuck))
    except Paused:
        return stopped(PAUSED, f"{solver.name} was left for another method")
    except Stopped:
        return _result(solver, problem, problem.latest, STOPPED, "`callback` raised `StopIteration`.", False)
    except KeyboardInterrupt:
        raise Interrupted(stopped(INTERRUPTED, "Interrupted")) from None
    except Exception as error:
        if not isinstance(error, AutooptError) and error is not problem.raised and is_from_solver(error):
            return failed(could_not_go_on(solver.name, error))
        with contextlib.suppress(Exception):
            vars(error)["result"] = stopped(REFUSED, "The objective could not be evaluated any further")
        raise
    raw = end.raw
    extras = {name: raw[name] for name in (*_EXTRAS, *solver.keeps) if raw.get(name) is not None}
    status = int(raw.status)
    if success != raw.success:  # SciPy's reason was looked into
        status = 0 if success else status or NOT_A_MINIMUM
    status = UNBOUNDED if end.is_endless else status
    return _result(solver, problem, x, status, message, success, nit=end.iterations(problem), **extras)


def _result(solver: Solver, problem: Problem, x: np.ndarray, status: int, message: str, success: bool, **extras: Any):
    from scipy.optimize import OptimizeResult

    fields = {"nit": problem.nit} | extras
    value, gradient = problem.fun(x), problem.jac(x)
    fields |= {"gradient_norm": float(np.max(np.abs(remaining_gradient(problem, x)), initial=0.0))}
    if (multipliers := multipliers_at(problem, x)) is not None:
        bounds = (as_they_are(problem, x, one) for one in multipliers[-1:])  # there may be none
        fields["multipliers"] = [*multipliers[:-1], *bounds]
    gradient = as_they_are(problem, x, gradient)
    if problem.iterates is not None:
        fields["allvecs"] = problem.iterates
    fields |= {"nundefined": len(problem.undefined), "nhvp": problem.nhvp}
    counts = {"nfev": problem.nfev, "njev": problem.nfev - problem.nalone, "nhev": problem.nhev}
    return OptimizeResult(
        x=x, fun=value, jac=gradient, status=status, success=success, message=message, method=solver.name,
        **counts, **fields,
    )  # fmt: skip


def _watcher(
    problem: Problem,
    has_slopes: bool,
    callback: Callable | None,
    progress: Callable | bool | None,
    pause: Callable | None,
) -> tuple[Callable, Callable]:
    """Return what is called at each iterate, and at the start; `has_slopes` says that the method computes gradients."""
    if callback is None and not progress and pause is None:
        return lambda x: None, lambda: None
    if not (isinstance(progress, bool | None) or callable(progress)):
        raise UsageError(f"progress={progress!r} is not understood.", remedy="pass True, or a function of a Progress.")
    report = print_progress if progress is True else progress
    start = time.perf_counter()

    def seen(x: np.ndarray) -> float:
        value = problem.fun(x) if has_slopes else _value_alone(problem, x)
        if report:
            norm = float(np.abs(problem.projected_gradient(x)).max(initial=0.0)) if has_slopes else np.nan
            report(Progress(problem.nit, value, norm, time.perf_counter() - start))
        return value

    def watch(x: np.ndarray) -> None:
        progressed()
        value = seen(x) if report or callback else np.nan
        if callback is not None:
            try:
                callback(x, value, problem.state)
            except StopIteration:
                raise Stopped from None
        if pause is not None and pause():
            raise Paused

    def begin() -> None:
        if report and problem.nit == 0:
            seen(problem.latest)

    return watch, begin


def _recorded(problem: Problem, record: Callable, watch: Callable) -> Callable:
    """Return what records an iterate, and then shows it to who watches, who may end the run there."""

    def recorded(x: np.ndarray) -> None:
        record(problem)
        watch(x)

    return recorded


def _value_alone(problem: Problem, x: np.ndarray) -> float:
    """Return f(x), without its gradient; where it is the lowest so far, it is known."""
    return problem.best_value if np.array_equal(x, problem.best) else problem.value_alone(x)


@contextlib.contextmanager
def keeping_best(solver: Solver, problem: Problem) -> Iterator[None]:
    """Give an interruption between runs, as while it is seen what derivatives cost, the best point as its result."""
    try:
        yield
    except KeyboardInterrupt as stop:
        if hasattr(stop, "result"):
            raise
        message = "Interrupted; x is the best point so far."
        raise Interrupted(_result(solver, problem, problem.best, INTERRUPTED, message, False)) from None


def interrupted_at(x: np.ndarray, method: str) -> Any:
    """Return the result of a run that was interrupted before its first step: but the start `x`, nothing is known."""
    from scipy.optimize import OptimizeResult

    unknown = dict.fromkeys(("fun", "gradient_norm"), np.nan) | {"jac": np.full(x.shape, np.nan)}
    counts = dict.fromkeys(("nit", "nfev", "njev", "nhev", "nhvp", "nundefined"), 0)
    message = "Interrupted before the first iteration; x is the start."
    return OptimizeResult(x=x, status=INTERRUPTED, success=False, message=message, method=method, **unknown, **counts)


def report(result: Any) -> str:
    """Return how a run ended, as SciPy's `disp` prints it."""
    counts = [("Current function value", f"{result.fun:.6f}"), ("Iterations", result.nit)]
    counts += [("Function evaluations", result.nfev), ("Gradient evaluations", result.njev)]
    return "\n".join([result.message, *(f"         {name}: {count}" for name, count in counts)])


def print_progress(progress: Progress) -> None:
    """Print a line on stderr."""
    print(progress, file=sys.stderr, flush=True)
