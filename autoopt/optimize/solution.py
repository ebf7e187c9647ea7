"""The run of a least squares problem from its residuals to SciPy's result, for `least_squares` and `curve_fit`."""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autoopt import solvers
from autoopt.check import is_on, verified_solution, verify_jacobian
from autoopt.constraints.summed import Summed
from autoopt.errors import UsageError
from autoopt.optimize.losses import Loss
from autoopt.optimize.methods import SOLVER, Log, chosen
from autoopt.optimize.residuals import Residuals
from autoopt.optimize.squares import SumOfSquares
from autoopt.parameters import Structure

_TOLERANCES = ("ftol", "xtol", "gtol")


@dataclass
class Task:
    """What a user asks of a least squares problem beside its residuals, as `least_squares` has it.

    Attributes
    ----------
    x0 : value of the parameters' structure
    limits : Limits or None
    loss : Loss
    method : str or None
    options : dict
        ftol, xtol, gtol, x_scale, tr_solver, tr_options, max_nfev.
    callback, verify, progress, verbose
        The user's.
    """

    x0: Any
    limits: solvers.Limits | None = None
    loss: Loss = field(default_factory=lambda: Loss("linear", 1.0))
    method: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    callback: Callable | None = None
    verify: str | bool = "start"
    progress: Callable | bool | None = None
    verbose: int = 0

    def solve(self, residuals_of: Callable[[], Residuals]) -> Any:
        """Return SciPy's result for the residuals, with autoopt's fields."""
        run = _Run(self)
        try:
            problem, settings = run.prepare(residuals_of)
        except KeyboardInterrupt:
            start = Structure.of(self.x0).flatten(self.x0).copy()
            raise solvers.Interrupted(run.finish(solvers.interrupted_at(start, run.log.method))) from None
        given = frozenset(name for name in _TOLERANCES if self.options.get(name) is not None)
        callback = self.callback and _adapted(self.callback, problem)
        progress = self.progress or self.verbose > 1 or None
        try:
            result = solvers.run(SOLVER, problem, settings, chosen=given, callback=callback, progress=progress)
        except BaseException as stop:  # what the run had reached goes with an interruption and with an error
            run.lap("solve")
            if hasattr(stop, "result"):
                run.finish(stop.result)
            raise
        run.lap("solve")
        try:
            run.look_at(result)
        except KeyboardInterrupt:
            raise solvers.Interrupted(run.finish(result)) from None
        if self.verbose:
            print(solvers.report(result))
        return run.finish(result)


class _Run:
    """One run of a task, with its seconds."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.residuals: Residuals | None = None
        self.verification: Any = None
        self.log = Log()
        self.laps: dict[str, float] = {}
        self._begin = time.perf_counter()

    def prepare(self, residuals_of: Callable[[], Residuals]) -> tuple[solvers.Problem, dict[str, Any]]:
        """Return the problem, its residuals traced and compared with the user's function, and the settings."""
        task = self.task
        residuals = self.residuals = residuals_of()
        self._begin = time.perf_counter()
        few = (residuals.count or 0) < residuals.start.size
        demands = {"bounds": task.limits is not None, "loss": not task.loss.is_linear, "sparse": residuals.is_sparse}
        methods = chosen(task.method, demands | {"underdetermined": few})
        self.verification = verify_jacobian(residuals, residuals.start) if is_on(task.verify) else None
        self.lap("verify")
        most = task.options.get("max_nfev") or max(2000, 200 * residuals.start.size)
        scipys = {"x_scale": "jac", "loss": task.loss.given, "f_scale": task.loss.scale}
        scipys |= {name: value for name, value in task.options.items() if value is not None} | {"max_nfev": most}
        problem = solvers.Problem(SumOfSquares(residuals, task.loss), residuals.start, task.limits)
        return problem, {"scipy": scipys, "methods": methods, "most": most, "log": self.log}

    def look_at(self, result: Any) -> None:
        """Compare the solution with the user's function, and leave what is known for the next call."""
        assert self.residuals is not None  # there is a result
        if self.verification is not None:
            summed = Summed(self.residuals, result.x)
            self.verification = verified_solution(summed, result.x, result, self.verification, 1.0, self.task.limits)
            self.lap("verify")
        self.residuals.leave(result.x)

    def lap(self, stage: str) -> None:
        """Count the time since the last lap as that of a stage."""
        now = time.perf_counter()
        self.laps[stage], self._begin = self.laps.get(stage, 0.0) + now - self._begin, now

    def finish(self, result: Any) -> Any:
        """Return the result of `solvers.run` with SciPy's fields in place of those of `minimize`."""
        x, residuals, limits = result.x, self.residuals, self.task.limits
        structure = Structure.of(self.task.x0)
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
        result.update(x=structure.unflatten(x), x_flat=x, verification=self.verification, timings=timings)
        return result


def _adapted(callback: Callable, problem: solvers.Problem) -> Callable:
    """Return SciPy's `callback(x)` or `callback(intermediate_result)` as a function of (flat x, cost)."""
    from scipy.optimize import OptimizeResult

    residuals = problem.objective.residuals
    try:
        named = set(inspect.signature(callback).parameters) == {"intermediate_result"}
    except (TypeError, ValueError):
        named = False

    def call(x: np.ndarray, cost: float, state: Any = None) -> None:
        shown = residuals.structure.unflatten(x)
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
