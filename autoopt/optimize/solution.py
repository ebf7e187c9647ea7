"""The run of a least squares problem from its residuals to SciPy's result, for `least_squares` and `curve_fit`."""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autoopt import solvers
from autoopt.check import PERIODIC, is_on, remedy, verified_solution, verify_jacobian
from autoopt.check_given import verify_given_jacobian
from autoopt.constraints.summed import Summed
from autoopt.diagnosis import diagnosed
from autoopt.errors import UsageError
from autoopt.inference import combination
from autoopt.optimize.arguments import require_callback
from autoopt.optimize.losses import Loss
from autoopt.optimize.methods import SOLVER, Log, chosen, require_understood
from autoopt.optimize.objections import objection
from autoopt.optimize.residuals import Residuals
from autoopt.optimize.squares import SumOfSquares
from autoopt.variables.escapes import require_inside
from autoopt.variables.residuals import ChangedResiduals
from autoopt.variables.start import Start
from autoopt.verification.periodic import Periodic, of_slopes
from autoopt.wording import aside

_TOLERANCES = ("ftol", "xtol", "gtol")


@dataclass
class Task:
    """What a user asks of a least squares problem beside its residuals, as `least_squares` has it.

    Attributes
    ----------
    start : Start
        With what is held and tied.
    limits : Limits or None
        Of the parameters.
    loss : Loss
    method : str or None
    options : dict
        ftol, xtol, gtol, x_scale, tr_solver, tr_options, max_nfev.
    callback, verify, progress, verbose
        The user's.
    """

    start: Start
    limits: solvers.Limits | None = None
    loss: Loss = field(default_factory=lambda: Loss("linear", 1.0))
    method: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    callback: Callable | None = None
    verify: str | bool = "start"
    progress: Callable | bool | None = None
    verbose: int = 0
    record: Callable | None = None

    def solve(self, residuals_of: Callable[[], Residuals]) -> Any:
        """Return SciPy's result for the residuals, with autoopt's fields."""
        require_understood(self.options)
        require_callback(self.callback)
        if self.verbose not in (0, 1, 2):
            raise UsageError(f"verbose={self.verbose!r} is not understood.", remedy="use 0, 1 or 2.")
        run = _Run(self)
        try:
            problem, settings = run.prepare(residuals_of)
        except KeyboardInterrupt:
            begin = solvers.interrupted_at(run.z_of_start(), run.log.method)
            raise solvers.Interrupted(run.finish(begin)) from None
        given = frozenset(name for name in _TOLERANCES if self.options.get(name) is not None)
        callback = self.callback and _adapted(self.callback, problem, run.parameters)
        watch = run.watch()
        callback = callback if watch is None else watch.around(callback)
        shown = {"progress": self.progress or self.verbose > 1 or None, "record": self.record}
        try:
            result = solvers.run(SOLVER, problem, settings, chosen=given, callback=callback, **shown)
        except BaseException as stop:  # what the run had reached goes with an interruption and with an error
            run.lap("solve")
            if hasattr(stop, "result"):
                run.finish(stop.result)
            raise
        run.lap("solve")
        if watch is not None:
            run.verification = run.verification.joined(watch.found)
        try:
            run.look_at(problem, result)
        except KeyboardInterrupt:
            raise solvers.Interrupted(run.finish(result)) from None
        if self.verbose:
            print(solvers.report(result))
        return run.finish(result)


class _Run:
    """One run of a task, with its seconds."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.residuals: Any = None  # Residuals, as functions of the variables
        self.limits = task.limits
        if task.limits is not None and (own := task.start.variables) is not None:
            sides = own.limits(task.limits.lower, task.limits.upper)
            self.limits = None if sides is None else solvers.Limits(*sides)
        self.verification: Any = None
        self.log = Log()
        self.laps: dict[str, float] = {}
        self._begin = time.perf_counter()

    def prepare(self, residuals_of: Callable[[], Residuals]) -> tuple[solvers.Problem, dict[str, Any]]:
        """Return the problem, its residuals traced and compared with the user's function, and the settings."""
        task = self.task
        residuals = self.residuals = _changed(residuals_of(), task.start.variables)
        self._begin = time.perf_counter()
        few = (residuals.count or 0) < residuals.start.size
        demands = {"bounds": self.limits is not None, "loss": not task.loss.is_linear, "sparse": residuals.is_sparse}
        demands |= {
            "underdetermined": few,
            "steps": bool(task.options.get("tr_solver") or task.options.get("tr_options")),
        }
        methods = chosen(task.method, demands)
        self.verification = verify_jacobian(residuals, residuals.start, self.limits) if is_on(task.verify) else None
        if self.verification is not None:
            verify_given_jacobian(residuals, residuals.start, self.limits)
        self.lap("verify")
        most = task.options.get("max_nfev") or max(2000, 200 * residuals.start.size)
        scipys = {"x_scale": "jac", "loss": task.loss.given, "f_scale": task.loss.scale}
        scipys |= {name: value for name, value in task.options.items() if value is not None} | {"max_nfev": most}
        if task.start.variables is not None and isinstance(scipys["x_scale"], np.ndarray):
            scipys["x_scale"] = scipys["x_scale"][task.start.variables.home]
        problem = solvers.Problem(SumOfSquares(residuals, task.loss), residuals.start, self.limits)
        return problem, {"scipy": scipys, "methods": methods, "most": most, "log": self.log}

    def watch(self) -> Periodic | None:
        """Return what compares iterates with the user's function, if that is asked for."""
        if self.task.verify != PERIODIC:
            return None
        told = remedy(self.residuals.given_jac)
        slopes = of_slopes(lambda x: (Summed(self.residuals, x), x), 1.0, self.limits, told)
        return Periodic([slopes], self.verification)

    def look_at(self, problem: solvers.Problem, result: Any) -> None:
        """Compare the solution with the user's function, say why there is none, and leave what the next call needs."""
        assert self.residuals is not None  # there is a result
        if (own := self.task.start.variables) is not None:
            require_inside(result, SumOfSquares(self.residuals, self.task.loss), own, result.x)
        if result.success and not np.array_equal(problem.objective.shown, result.x):
            self._object(problem, result)
        if self.verification is not None and (result.success or self.residuals.given_jac is not None):
            summed = Summed(self.residuals, result.x)
            self.verification = verified_solution(summed, result.x, result, self.verification, 1.0, self.limits)
            self.lap("verify")
        if diagnosed(problem, result.x, result, self.laps["solve"]):
            self.residuals.value(result.x), self.residuals.jacobian(result.x)  # what `finish` reads
            self.lap("diagnosis")
        self.residuals.leave(result.x)

    def _object(self, problem: solvers.Problem, result: Any) -> None:
        """Take a success back that residuals speak against, and note what they do not determine."""
        said = objection(problem, result.x)
        if said is None:
            return
        names = problem.names or []
        text = said.text if said.direction is None else said.text.format(combination(said.direction, names))
        if said.is_fatal:
            result.update(success=False, message=f"Not converged: {text}{aside(result.message)}")
        else:
            self.log.remarks.append(text)

    def z_of_start(self) -> np.ndarray:
        """Return the variables, shape (k,), at the start."""
        start = self.task.start
        return start.flat.copy() if start.variables is None else start.variables.variables(start.flat)

    def parameters(self, z: np.ndarray) -> np.ndarray:
        """Return the user's parameters, shape (n,), at the variables."""
        own = self.task.start.variables
        return z if own is None else own.parameters(z)

    def lap(self, stage: str) -> None:
        """Count the time since the last lap as that of a stage."""
        now = time.perf_counter()
        self.laps[stage], self._begin = self.laps.get(stage, 0.0) + now - self._begin, now

    def finish(self, result: Any) -> Any:
        """Return the result of `solvers.run` with SciPy's fields in place of those of `minimize`."""
        x, limits, start = self.parameters(result.x), self.task.limits, self.task.start
        residuals = getattr(self.residuals, "inner", self.residuals)
        if residuals is not None and start.variables is not None:
            result.jac = SumOfSquares(residuals, self.task.loss).value_and_grad(x)[1]
        result.update(cost=result.fun, grad=result.jac, optimality=result.gradient_norm)
        active = np.zeros(x.size, dtype=int)
        if limits is not None:
            active = np.where(x >= limits.upper, 1, np.where(x <= limits.lower, -1, 0))
        result.update(fun=np.full(0, np.nan), jac=np.full((0, x.size), np.nan), active_mask=active)
        timings = dict(self.laps)
        if residuals is not None:
            fun = residuals.value(x)
            jacobian = scaled(residuals.jacobian(x), self.task.loss.of_residuals(fun)[2])
            result.update(fun=fun.copy(), jac=jacobian)
            result.update(nfev=residuals.nfev, njev=residuals.njev)
            timings |= residuals.timings
        result.update(method=self.log.method, notes=[*(residuals.notes if residuals else []), *self.log.notes])
        if result.success and result.status < 1:
            result.status = 1
        result.update(start.fields(x), verification=self.verification, timings=timings)
        return result


def _changed(residuals: Residuals, variables: Any) -> Any:
    """Return the residuals as functions of the variables; themselves where these are the parameters."""
    return residuals if variables is None else ChangedResiduals(residuals, variables)


def _adapted(callback: Callable, problem: solvers.Problem, parameters: Callable) -> Callable:
    """Return SciPy's `callback(x)` or `callback(intermediate_result)` as a function of (flat x, cost)."""
    from scipy.optimize import OptimizeResult

    residuals = problem.objective.residuals
    try:
        named = set(inspect.signature(callback).parameters) == {"intermediate_result"}
    except (TypeError, ValueError):
        named = False

    def call(x: np.ndarray, cost: float, state: Any = None) -> None:
        shown = getattr(residuals, "inner", residuals).structure.unflatten(parameters(x))
        if named:
            fields = {"nit": problem.nit, "nfev": residuals.nfev, "cost": cost}
            callback(intermediate_result=OptimizeResult(x=shown, fun=residuals.value(x).copy(), **fields))
        else:
            callback(shown)

    return call


def scaled(jacobian: Any, weights: np.ndarray) -> Any:
    """Return W^0.5 J, as SciPy gives it: of any loss, its square is what the Hessian of the cost is about."""
    roots = np.sqrt(np.maximum(weights, np.finfo(np.float64).eps))
    if hasattr(jacobian, "toarray"):
        from scipy.sparse import diags_array

        return diags_array(roots) @ jacobian
    return roots[:, None] * jacobian


def refuse(**given: Any) -> None:
    """Raise UsageError for arguments of SciPy's differences: derivatives are derived."""
    if unused := [name for name, value in given.items() if value is not None]:
        raise UsageError(
            f"{' and '.join(unused)} would be of no use: the Jacobian is derived, and differences choose their steps.",
            remedy=f"leave {' and '.join(unused)} out.",
        )
