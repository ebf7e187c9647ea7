"""`minimize`: from a plain NumPy function to its minimum, the pipeline on one screen."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from autoopt import solvers
from autoopt.check import PERIODIC, SOLUTION, is_on, remedy, verified_products, verified_solution, verify_given_hessian
from autoopt.check import verify as verified
from autoopt.check_constraints import refuse_wrong_jacobians, verify_constraints
from autoopt.check_given import verify_given_constraints, verify_given_gradient
from autoopt.constraints.constraint import Constraint
from autoopt.constraints.forms import read
from autoopt.constraints.summed import Summed
from autoopt.diagnosis import diagnosed, explained
from autoopt.execution.blocks.threads import threaded
from autoopt.objectives.clustered import clustered
from autoopt.objectives.differentiable import Differentiable
from autoopt.objectives.flatness import require_slope
from autoopt.objectives.objective import Objective
from autoopt.objectives.retained import objective_of, retain
from autoopt.objectives.user_derivatives import UserDerivatives
from autoopt.runs.minima import kept
from autoopt.stages import heard
from autoopt.variables.start import Start
from autoopt.variables.view import View
from autoopt.verification.periodic import Periodic, of_products, of_slopes
from autoopt.verification.points import require_finite

if TYPE_CHECKING:
    from scipy.optimize import OptimizeResult


@heard
@threaded
@clustered
@kept
def minimize(
    fun: Callable,
    x0: Any,
    args: Any = (),
    method: str | Callable | None = None,
    jac: Callable | bool | str | None = None,
    hess: Callable | str | None = None,
    hessp: Callable | str | None = None,
    bounds: Any = None,
    constraints: Any = (),
    tol: float | None = None,
    callback: Callable | None = None,
    options: Mapping[str, Any] | None = None,
    *,
    fixed: Any = None,
    scale: Any = None,
    starts: Any = None,
    derivatives: Any = None,
    verify: str | bool = "start",
    engine: str = "auto",
    progress: Callable | bool | None = None,
    checkpoint: Any = None,
    threads: int | None = None,
    cluster: Any = None,
) -> OptimizeResult:
    """Minimise a plain NumPy function with exact derivatives.

    Parameters
    ----------
    fun : callable, fun(params, *args) -> scalar
        Plain NumPy and SciPy; it need not know of autoopt.
    x0 : scalar, array of any shape, or nested dict, list, tuple, namedtuple or dataclass of them, or Parameters
        The start. `fun`, `callback` and the result see parameters of this structure. As in SciPy, a plain list of
        numbers is a vector. Of `autoopt.Parameters` (or lmfit's) they see a dict, and `result.params` is the table.
    args : tuple, or one array
        Data, passed on to `fun` and to `jac`, `hess`, `hessp`; or `autoopt.batches`, for all arguments that have rows.
    method : str, optional
        A name in `solvers.SOLVERS`, in any case (`autoopt methods` lists them). By default "slsqp" with constraints,
        "l-bfgs-b" above 200 parameters; else by what derivatives cost, measured at x0, "trust-region" or a
        quasi-Newton method ("l-bfgs-b" with bounds and where an evaluation is dear, else "bfgs"), and the other one
        where that comes to no minimum. Name a method for the same digits in every run. Or a function, SciPy's way for
        methods of one's own: method(fun, x0, args, jac=, hess=, hessp=, bounds=, constraints=, callback=, **options),
        which is given the exact derivatives, on the flat vector, and whose result is judged as any.
    jac, hess, hessp : callable or "finite-difference", optional
        Used in place of the derived ones; SciPy's conventions (`jac=True`: fun returns value and gradient). SciPy's
        "2-point", "3-point" and "cs" mean "finite-difference", which is at least as accurate.
    bounds : sequence of (low, high), scipy.optimize.Bounds, or for a dict x0 a dict of (low, high), optional
    constraints : SciPy's constraint or sequence of them
        On params of x0's structure, plain NumPy as `fun` is: Jacobians and second derivatives are derived, those that
        are given are compared with it. What cannot be followed has differences, and a line in the result's notes.
    tol : float, optional
        Sets the method's main tolerances, as in SciPy.
    callback : callable, optional
        SciPy's `callback(x)` or `callback(intermediate_result)`; of trust-constr also `callback(x, state)`.
        StopIteration ends the run.
    options : dict, optional
        The method's options by SciPy's names, "disp": True to print how the run ended, and "return_all": True for
        `result.allvecs`, the start and all iterates. By default gtol is 1e-8 (times |f(x0)| where that is below 1) and
        the tolerances on f are as small as rounding allows.
    fixed : names, dict, or booleans in the structure of x0, optional
        What is held where x0 has it: ``["sigma", "beta[0]"]``, names as in messages or numbers in the flat vector;
        ``{"sigma": 1.0}`` at another value, ``{"b": "2 * a"}`` tied to another parameter. docs/parameters.rst has more.
    scale : "auto", number, array or value of x0's structure, optional
        Typical sizes of the parameters, in which the method works and its tolerances are meant; "auto" takes them from
        the curvature at x0.
    starts : int, list of values of x0's structure, or solvers.Starts, optional
        Further starts beside x0, on one trace: how many there are in all, drawn between the bounds, or around x0, from
        a fixed seed; or which. ``Starts(20, seed=1, processes=4)`` says more. `result.minima` has what they led to,
        lowest first: x, fun and count of each minimum; runs that lead to nothing new are ended early.
    derivatives : path, module or dict, optional
        A module of derivatives, as `autoopt.source` writes it, edited or not: its `value_and_grad` (or `grad`), `hess`
        and `hvp` are used in place of derived ones, and compared with `fun`.
    verify : "start", "periodic" or "off"
        Compare value and gradient with the original function at x0, beside it and at the solution, products with the
        Hessian, where the method takes them, with differences of the gradient; "periodic": also at iterates, within 2 %
        of the run's time. What differs at x0 or at an iterate is an error, a run at whose solution it does no success.
    engine : str
        What evaluates the derived code: "auto", "numpy", "numba".
    progress : True or callable, optional
        A line on stderr at each iteration and for what takes longer than a second (tracing, deriving, compiling), or a
        function of a `solvers.Progress`; its method `during(stage, far, seconds)`, if it has one, is told of the rest.
    checkpoint : path, optional
        A file for the best point, at most a minute old. Where it is there, from the same `fun` and `args`, the run goes
        on from it (docs/runs.rst); of several `starts`, those that were done are not run again.
    threads : int, optional
        In how many threads sums over rows of large data are run; by default as many as BLAS uses. Digits are the same.
    cluster : str, Client of Dask or Executor, optional
        Where rows of the data are held and summed: "local:4" (processes of this machine), "dask:4", the address of a
        scheduler of Dask ("tcp://10.0.0.1:8786"), its client (docs/clusters.rst). Arrays of `args` that have as many
        rows as the longest are spread over it, `autoopt.batches` and collections of Dask, too.

    Returns
    -------
    scipy.optimize.OptimizeResult
        For every method: x (structure of x0), x_flat, fun, jac (flat), gradient_norm (the largest entry of what bounds
        and constraints leave of jac), nit, nfev, njev, nhev (of them nhvp products), nundefined (trial points where
        the objective raised or was not a number), status, success, message, method, verification, timings (seconds),
        choice (why the method was taken, where none was named), notes (a list of str: what of objective and
        constraints could not be compiled, with its lines; changes of method), diagnosis (a
        list of str: why a run is no success, the cause first; empty for one that is). With constraints or bounds,
        multipliers: a list of an array for each constraint, then one for the bounds, which make up the gradient,
        jac = sum_k multipliers[k] @ jacobian_k + multipliers[-1]: positive where a lower limit holds.
        `multiplier_names` says what each belongs to.

    Raises
    ------
    UsageError
        For an argument that is not understood, or that the method would ignore.
    ObjectiveError, VerificationError
        If objective or a constraint is not finite at x0, or has no slope there; if derived and original code disagree.
    Interrupted
        On Ctrl-C; a KeyboardInterrupt whose `result` holds the best point so far, before the first iteration the start.
        An error that ends a run that has begun has such a `result`, too.

    Notes
    -----
    A trial point where `fun` or a constraint raises an ArithmeticError, ValueError (LinAlgError), RuntimeError or
    AssertionError, or is NaN or inf, is one to step back from; at x0 it is an error. Success means that
    a Newton step promises nothing beside the rounding of f and that all curvatures are positive (`solvers.certificate`;
    `solvers.kkt` under constraints), or that a tolerance which you set is met. A run that stops before goes on, by
    Newton's steps and from saddles along the negative curvature; the message says so. A kink where slopes cancel, a
    plateau at whose end f falls, and a minimum at infinity are no success; the message says in which direction.
    What is known of `fun` is kept, without its data, for later calls with data of the same shapes.
    """
    args = args if isinstance(args, tuple) else (args,)
    start, (options, shown) = Start.of(x0, bounds, fixed), solvers.shown(options)
    solver = solvers.solver_of(method, start.size, start.bounds, constraints)
    settings, limits = solver.settings(options, tol), solvers.Limits.of(start.bounds, start.structure, start.x0)
    x0, flat, clock, verification, objective = start.x0, start.flat, _Clock(solver.unused(hess, hessp)), None, None

    def finish(result: Any) -> Any:
        timings, notes = clock.timings | clock.laps, [*result.get("notes", ()), *clock.notes]
        result.update(start.fields(result.x), verification=verification, timings=timings, notes=notes)
        if "allvecs" in result:
            result.allvecs = [*map(start.structure.unflatten, result.allvecs)]
        return result

    try:
        objective = clock.start(compile_objective(fun, x0, args, engine, (jac, hess, hessp), derivatives))
        require_slope(objective, flat, fun, solvers.are_given(constraints))
        view = View.of(objective, start, limits, scale)
        problem = solvers.Problem(view.objective, view.x0, view.limits, keeps=shown.return_all)
        verification = verified(view.objective, view.x0, verify, problem.evaluated(view.x0), view.limits)
        conditions = clock.constrained(read(constraints, x0, engine))
        _verify_what_is_given(problem, view, conditions, verify)
        problem.constraints = view.constraints(conditions)
        clock.lap("verify")
        require_finite(objective, problem.initial_value)
    except KeyboardInterrupt:
        raise solvers.Interrupted(finish(solvers.interrupted_at(flat, solver.name))) from None
    except Exception as error:
        raise explained(error, objective, flat, fun, args)  # noqa: B904 - the error itself, or one with its cause
    users = callback and solvers.adapted_callback(callback, view.value, solver.has_state)
    shown_by, watch = _watched(users, verify, view, verification, problem, conditions)
    try:
        solver, ours = solvers.repeated(solver, starts, view), _are_ours(method, scale, starts)
        shown_by |= {"chosen": _chosen(options, tol, solver), "progress": progress, "record": checkpoint}
        result = solvers.run_in_sizes(solver, problem, view.settings(settings), *ours, options or (), **shown_by)
    except BaseException as stop:  # what the run had reached goes with an interruption and with an error
        clock.lap("solve")
        if hasattr(stop, "result"):
            view.finish(stop.result)
            finish(stop.result)
        raise
    clock.lap("solve")
    try:
        verification = _looked_at(problem, view, result, _with(verification, watch), clock, conditions)
        _leave(objective, conditions, result.x)
    except KeyboardInterrupt:
        raise solvers.Interrupted(finish(result)) from None
    if shown.disp:
        print(solvers.report(result))
    return finish(result)


def _are_ours(method: Any, scale: Any, starts: Any) -> tuple[bool, bool]:
    """Return whether first sizes are for us to choose, where the user has set none, and whether others after a failure.

    Those are with "auto", or where the user has chosen neither sizes nor the method.
    """
    auto, none = scale is True or (isinstance(scale, str) and scale == "auto"), scale is None or scale is False
    return starts is None and none, starts is None and (auto or (scale is None and method is None))


def _verify_what_is_given(
    problem: solvers.Problem, view: View, conditions: list[Constraint], verify: str | bool
) -> None:
    """Compare the constraints at x0, and derivatives that the user gives beside it as well, unless that is off."""
    verify_constraints(*view.compared(conditions), verify, view.compared_limits)
    if is_on(verify):
        verify_given_gradient(view.objective, view.x0, problem.jac(view.x0), view.limits)
        verify_given_hessian(view.objective, view.x0)
        verify_given_constraints(conditions, view)


def _watched(
    callback: Any, mode: str | bool, view: View, start: Any, problem: solvers.Problem, conditions: list[Constraint]
) -> tuple[dict[str, Any], Periodic | None]:
    """Return the callback by name, and what compares iterates with the original before it, if that is asked for."""
    if mode != PERIODIC:
        return {"callback": callback}, None
    told, floor = remedy(getattr(view.objective, "given_jac", None)), min(1.0, abs(problem.initial_value))
    comparisons = [of_slopes(lambda x: (view.objective, x), floor, view.limits, told)]
    if getattr(view.objective, "exact", True):
        comparisons.append(of_products(view.objective, lambda: problem.seconds[-1] if problem.seconds else None))
    limits = view.compared_limits
    for k in (k for k, constraint in enumerate(conditions) if constraint.function.is_compared):
        told = remedy(conditions[k].function.given_jac)
        comparisons.append(of_slopes(lambda x, k=k: _constraint_at(view, conditions, k, x), 1.0, limits, told))
    watch = Periodic(comparisons, start)
    return {"callback": watch.around(callback)}, watch


def _constraint_at(view: View, conditions: list[Constraint], k: int, z: np.ndarray) -> tuple[Summed, np.ndarray]:
    """Return a constraint as one function that is compared, and the iterate `z` in its variables."""
    own, at = view.compared(conditions, view.parameters(z))
    return Summed(own[k].function, at), at


def _chosen(options: Any, tol: float | None, solver: Any) -> frozenset[str]:
    """Return the options that the user sets, the tolerances that `tol` stands for among them."""
    return frozenset(options or ()) | (frozenset() if tol is None else frozenset(solver.tol))


def _with(start: Any, watch: Periodic | None) -> Any:
    return start if watch is None else start.joined(watch.found)


def _looked_at(
    problem: solvers.Problem, view: View, result: Any, start: Any, clock: _Clock, conditions: list[Constraint]
) -> Any:
    """Return the verification, the solution compared too unless that is off, and have a failed run say why."""
    z = view.finish(result)
    if "multipliers" in result:
        result.multiplier_names = solvers.multiplier_names(problem, len(result.multipliers))
    if start is not None:
        compared = view.objective, z, result, start, problem.initial_value, view.limits
        start = verified_solution(*compared, problem.evaluated)
        start = verified_products(view.objective, problem.seconds, {"x0": view.x0, SOLUTION: z}, result, start)
        refuse_wrong_jacobians(*view.compared(conditions, result.x), result, view.compared_limits)
        clock.lap("verify")
    if diagnosed(problem, z, result, clock.laps["solve"]):
        clock.lap("diagnosis")
    return start


def _leave(objective: Differentiable, constraints: list[Constraint], x: np.ndarray) -> None:
    """Have the user's function keep what it keeps at the solution, and keep what is known of it for the next call."""
    with np.errstate(all="ignore"):
        objective.commit_state(x)
    retain(objective)
    for constraint in constraints:
        constraint.function.retain()


def compile_objective(
    fun: Callable,
    x0: Any,
    args: tuple,
    engine: str,
    supplied: tuple = (None, None, None),
    module: Any = None,
) -> Differentiable:
    """Return the Objective of `fun`, with the user's (jac, hess, hessp), or a module's, in place of derived ones."""
    if module is not None:
        from autoopt.exporting.handed import completed

        supplied = completed(supplied, module, fun, x0, args)

    def derive() -> Objective:
        return objective_of(fun, x0, args, engine)

    return (
        derive()
        if all(given is None or given is False for given in supplied)
        else UserDerivatives(fun, x0, args, derive, *supplied)
    )


class _Clock:
    """The seconds of each stage without those that objective and constraints count themselves."""

    def __init__(self, notes: list[str]) -> None:
        self._notes = notes  # what is known before anything is evaluated
        self._parts: list[Any] = []
        self.laps: dict[str, float] = {}

    @property
    def timings(self) -> dict[str, float]:
        """What objective and constraints count, as soon as there are any."""
        total: dict[str, float] = {}
        for part in self._parts:
            for stage, seconds in part.timings.items():
                total[stage] = total.get(stage, 0.0) + seconds
        return total

    @property
    def notes(self) -> list[str]:
        """What there is to know of how objective and constraints are evaluated."""
        return [*self._notes, *(note for part in self._parts for note in part.notes)]

    def start(self, objective: Differentiable) -> Differentiable:
        """Return the objective, whose stages are counted from now on."""
        self._parts = [objective]
        self._begin = self._now()
        return objective

    def constrained(self, constraints: list[Constraint]) -> list[Constraint]:
        """Return the constraints, of which the clock knows from now on."""
        self._parts += [constraint.function for constraint in constraints]
        return constraints

    def lap(self, stage: str) -> None:
        now = self._now()
        self.laps[stage], self._begin = self.laps.get(stage, 0.0) + now - self._begin, now

    def _now(self) -> float:
        return time.perf_counter() - sum(self.timings.values())
