"""What is fitted, how it is solved, and what can be asked of it at the solution."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from autoopt import differences
from autoopt.fitting.history import History
from autoopt.fitting.kinds import Minimised
from autoopt.variables.start import Start
from autoopt.variables.variables import Variables


@dataclass(frozen=True)
class Case:
    """What was fitted: the objective, its start, the limits of its parameters, and what `minimize` was called with.

    `bound` is where columns are found by name, and how data became arguments (`data.Bound`); `rows` how many rows those
    of the objective are, if that is known; `predict` is what the model predicts, with bands on the scale
    `predict_scale`. Points are those of the parameters
    that are neither held nor tied, shape (m,), called by `names`.
    """

    minimised: Minimised
    start: Start
    limits: Any
    call: Mapping[str, Any]
    all_names: Sequence[str]
    bound: Any = None
    rows: int | None = None
    predict: Callable | None = None
    predict_scale: Any = None

    @property
    def objective(self) -> Callable:
        """What is minimised."""
        return self.minimised.function

    @cached_property
    def variables(self) -> Variables:
        """The parameters that are neither held nor tied, and how the others follow."""
        variables = self.start.variables or Variables.free(self.start.structure.names)
        return variables.plain()

    @property
    def batches(self) -> Any:
        """The data, if they are read in batches; else None."""
        return None if self.bound is None else self.bound.batches

    @property
    def names(self) -> list[str]:
        return [self.all_names[i] for i in self.variables.home]

    @property
    def derivatives(self) -> str:
        """Where the information's derivatives are from, in words."""
        if self.minimised.residuals is not None or self.minimised.batched is not None:
            return "exact Jacobian"
        given = [self.call.get(name) for name in ("hess", "hessp")]
        if any(isinstance(one, str) for one in (*given, self.call.get("jac"))):
            return "Hessian by differences"
        if any(callable(one) for one in given):
            return "Hessian of the model's own"
        return "exact Hessian"

    def _compiled(self, function: Callable, *supplied: str) -> Any:
        """Return a function with its derivatives, the `supplied` ones as they were given."""
        return self._of_batches if self.batches is not None else self._new(function, *supplied)

    @cached_property
    def _of_batches(self) -> Any:
        """What is minimised, of data that are read in batches: nothing that was found out of them is found twice."""
        return self._new(self.objective)

    def _new(self, function: Callable, *supplied: str) -> Any:
        from autoopt.minimize import compile_objective

        given = (*(self.call.get(name) for name in supplied), None, None, None)[:3]
        return compile_objective(function, self.start.x0, self.call["args"], self.call["engine"], given)

    def gradient(self, u: np.ndarray) -> np.ndarray:
        """Return the gradient of what is minimised at `u`, shape (m,)."""
        compiled = self._compiled(self.objective, "jac")
        return self.variables.pulled(u, compiled.grad(self.variables.parameters(u)))

    def hessian(self, u: np.ndarray) -> np.ndarray:
        """Return the Hessian at `u`, shape (m, m), the information: without that of a penalty, but for a ridge."""
        from autoopt.objectives.retained import retain

        minimised = self.minimised
        function = self.objective if minimised.is_informative else minimised.likelihood or self.objective
        compiled = self._compiled(function, "jac", "hess", "hessp")
        hessian = compiled.hess(self.variables.parameters(u), sparse=False)
        retain(compiled)
        return self.variables.curvature(u, hessian, None)

    def information(self, u: np.ndarray, scale: float) -> np.ndarray:
        """Return the observed information at `u`, shape (m, m); of residuals with the variance `scale` Fisher's.

        That of residuals r is J'J / scale, as NIST and all programs for nonlinear least squares have it; of a sum of
        squares, whose residuals are not known, it is its Hessian / (2 scale).
        """
        if self.minimised.residuals is not None:
            jacobian = self.jacobian(self.minimised.residuals, u)
            return jacobian.T @ jacobian / scale
        if self.minimised.batched is not None:
            return self._squared_jacobian(self.minimised.batched, u) / scale
        hessian = self.hessian(u)
        return hessian / (2 * scale) if self.minimised.kind.is_squares else hessian

    def _squared_jacobian(self, residuals: Callable, u: np.ndarray) -> np.ndarray:
        """Return J'J of residuals of data in batches, (m, m): mixed derivatives of r(x) r(x'), a sum over rows."""
        from autoopt.minimize import compile_objective
        from autoopt.objectives.adapted import crossed

        x = self.variables.parameters(u)
        x0, n = self.start.structure.unflatten(x), x.size
        products = compile_objective(
            crossed(residuals), {"one": x0, "other": x0}, self.call["args"], self.call["engine"], (None, None, None)
        )
        mixed = products.hess(np.concatenate([x, x]))[:n, n:]
        return self.variables.curvature(u, (mixed + mixed.T) / 2, None)

    def values(self, function: Callable, u: np.ndarray) -> np.ndarray:
        """Return the r numbers that a function of the objective's arguments returns at `u`, shape (r,)."""
        found = function(self.start.structure.unflatten(self.variables.parameters(u)), *self.call["args"])
        return np.asarray(found, float).reshape(-1)

    def jacobian(self, function: Callable, u: np.ndarray) -> np.ndarray:
        """Return the derivatives at `u` of a function that returns r numbers, shape (r, m)."""
        return self.values_and_jacobian(function, u)[1]

    def values_and_jacobian(self, function: Callable, u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the r numbers of a function by its derived code, shape (r,), and their derivatives, (r, m)."""
        from autoopt.objectives.retained import objective_of, retain

        x = self.variables.parameters(u)
        x0 = self.start.structure.unflatten(x)
        compiled = objective_of(function, x0, self.call["args"], self.call["engine"], scalar=False)
        values = np.array(compiled.value(x), float).reshape(-1)
        jacobian, _ = compiled.jacobian(x, sparse=False)
        jacobian = np.asarray(jacobian).reshape(-1, x.size)
        retain(compiled)
        return values, self.variables.jacobian(u, jacobian)

    def rough_hessian(self, u: np.ndarray) -> np.ndarray:
        """Return the Hessian at `u` by differences of gradients, a few digits of it."""
        compiled = self._compiled(self.objective, "jac")
        return differences.rough_hessian(
            lambda near: self.variables.pulled(near, compiled.grad(self.variables.parameters(near))), u
        )

    def value(self, u: np.ndarray) -> float:
        """Return the user's own function at `u`, NaN where it is not defined; of data in batches its derived code."""
        if self.batches is not None:
            return float(self._compiled(self.objective).value(self.variables.parameters(u)))
        is_pair = self.call.get("jac") is True

        def result(near: np.ndarray) -> Any:
            x = self.start.structure.unflatten(self.variables.parameters(near))
            outcome = self.objective(x, *self.call["args"])
            return outcome[0] if is_pair else outcome

        return float(differences.value_at(result, u))

    def value_of_each(self, points: Sequence[np.ndarray]) -> list[float]:
        """Return `value` at several points; of data in batches in one pass, where one takes one."""
        if self.batches is None:
            return [self.value(u) for u in points]
        return self._compiled(self.objective).values([self.variables.parameters(u) for u in points])

    def value_and_grad(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        """Return value and gradient at parameters `x`, shape (n,), those that are held among them."""
        from autoopt.objectives.retained import retain

        compiled = self._compiled(self.objective, "jac")
        value, gradient = compiled.value_and_grad(x)
        retain(compiled)
        return float(value), np.array(gradient)

    def holding(self, number: int, x: np.ndarray) -> Case:
        """Return the case that begins at parameters `x`, shape (n,), and holds parameter `number`, too.

        It is solved by a method of autoopt's choice with its tolerances, and is not compared with the user's function.
        """
        given = self.start.given["fixed"]
        return self.anew(x, [number] if given is None else [given, number])

    def constrained(self, constraint: Any, x: np.ndarray) -> Case:
        """Return the case that begins at parameters `x`, shape (n,), with one more constraint; solved as `holding`."""
        case, given = self.anew(x, self.start.given["fixed"]), self.call["constraints"] or ()
        others = given if isinstance(given, list | tuple) else (given,)
        return replace(case, call={**case.call, "constraints": [*others, constraint]})

    def anew(self, x: np.ndarray, fixed: Any) -> Case:
        """Return the case that begins at parameters `x`, shape (n,), and holds `fixed`; solved as `holding`."""
        value = self.start.structure.unflatten(x)
        x0 = value if self.start.table is None else self.start.table.at(value)
        none = dict.fromkeys(("method", "tol", "options", "progress", "checkpoint"))
        start = Start.of(x0, self.start.given["bounds"], fixed)
        return replace(self, start=start, call={**self.call, **none, "verify": "off", "fixed": fixed})

    def spread(self, covariance: np.ndarray) -> np.ndarray:
        """Return the covariance of all parameters, shape (n, n), of that of the free: NaN for what is held."""
        moving, matrix = self.variables.moving, self.variables.matrix
        everywhere = np.full((len(self.all_names),) * 2, np.nan)
        everywhere[np.ix_(moving, moving)] = _through(matrix, covariance)
        return everywhere


def _through(matrix: Any, covariance: np.ndarray) -> np.ndarray:
    """Return M V M', NaN in rows and columns of what follows a variable whose variance is not known."""
    unknown = ~np.isfinite(np.diag(covariance))
    spread = matrix @ (matrix @ np.where(np.outer(~unknown, ~unknown), covariance, 0.0)).T
    lost = np.asarray(abs(matrix) @ unknown.astype(float)) > 0
    spread[lost], spread[:, lost] = np.nan, np.nan
    return spread


def solved(case: Case) -> Any:
    """Return the result of the case, as `minimize` has it: of residuals by `least_squares`, of all else by `minimize`.

    A method that is none for residuals is given their sum of squares. Its `history` is that of `History.table`.
    """
    is_of_residuals = case.minimised.residuals is not None and _is_of_residuals(case.call)
    history = History(case.call["progress"], 2.0 if is_of_residuals else 1.0)  # the solver minimises half the sum
    call = {**case.call, "progress": history}
    try:
        result = (_least_squares if is_of_residuals else _minimize)(case, call)
    except BaseException as stop:
        if hasattr(stop, "result"):
            stop.result.history = history.table(stop.result)
            with suppress(Exception):  # which may be what has ended the run
                _note_penalty(case, stop.result)
        raise
    result.history = history.table(result)
    _note_penalty(case, result)
    return result


def _note_penalty(case: Case, result: Any) -> None:
    """Note what of the value at the end of a run is a penalty, if there is one; NaN where it is not defined."""
    if (likelihood := case.minimised.likelihood) is not None:
        result.penalty = np.nan
        result.penalty = float(result.fun - likelihood(result.x, *case.call["args"]))


def _minimize(case: Case, call: dict[str, Any]) -> Any:
    from autoopt.minimize import minimize

    return minimize(case.objective, case.start.given["x0"], **call)


def _least_squares(case: Case, call: dict[str, Any]) -> Any:
    from autoopt.optimize.least_squares import least_squares

    call = {name: call[name] for name in _OF_RESIDUALS if call.get(name) is not None}
    if "bounds" in call:  # as minimize reads them: a pair of pairs would be lower and upper limits here
        call["bounds"] = case.limits.lower, case.limits.upper
    if (record := call.get("checkpoint")) is not None:
        record.factor = 2.0
    try:
        return _of_squares(least_squares(case.minimised.residuals, case.start.given["x0"], **call))
    except BaseException as stop:
        if hasattr(stop, "result"):
            _of_squares(stop.result)
        raise


def _of_squares(result: Any) -> Any:
    """Return the result of `least_squares` as that of their sum of squares, not the half of it."""
    result.residuals, result.jacobian = result.fun, result.jac
    result.fun, result.jac = 2.0 * float(result.cost), 2.0 * np.asarray(result.grad)
    return result


_OF_RESIDUALS = ("args", "method", "bounds", "fixed", "verify", "engine", "progress", "jac", "checkpoint")


def _is_of_residuals(call: Mapping[str, Any]) -> bool:
    """Whether `least_squares` understands all that is asked for."""
    from autoopt.optimize.methods import METHODS

    others = {name for name, value in call.items() if value is not None and name not in _OF_RESIDUALS}
    return call["method"] in (None, *METHODS) and not (others - {"constraints"}) and not call["constraints"]
