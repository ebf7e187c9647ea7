"""What may be asked of a run that failed: values, gradients and steps at points, within a budget of evaluations.

A fault of the user's function is NaN here, and never an error of the diagnosis.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np

from autoopt import differences
from autoopt.diagnosis.walk import Walk
from autoopt.objectives.suspects import arrays_of, named_data
from autoopt.solvers.bounds import within
from autoopt.tape.tape import Tape
from autoopt.variables.functions import changed_objective

MOST = 200
"""Evaluations, gradients among them, that one diagnosis may cost; a long run may be asked a tenth of its own."""

_MANY = 200
"""Of more parameters no Hessian is formed."""

_FEASIBLE = 1e-6
SECONDS = 0.3
"""How long it may take, beside twice the time of the run."""


class Spent(BaseException):
    """The budget of evaluations is used up; no Exception, which is what a function of the user's may raise."""


class Evidence:
    """A run that failed after `seconds`, and what can be measured about it, in the parameters that may move.

    Attributes
    ----------
    problem, result : Problem, OptimizeResult
        None where the run could not begin.
    objective : Differentiable
        Of the parameters that are not held, in the user's units.
    x, x0, lost, abyss : ndarray, shape (n,)
        The end of the run, its start, the trial point that was not defined last, and one where f was -inf; None if
        there was none.
    z : ndarray
        The end of the run in the solver's variables, in which the constraints of the problem are.
    limits : Limits or None
    names : list of str
        Of the parameters.
    """

    def __init__(
        self, objective: Any, x0: np.ndarray, x: np.ndarray | None = None, names: list[str] | None = None
    ) -> None:
        self.objective, self.x0, self.x = objective, x0, x0 if x is None else x
        self.z = self.x
        self.names: list[str] = objective.structure.names if names is None else names
        self.single = bool(getattr(objective, "single", False))
        self.problem = self.result = self.limits = self.lost = self.abyss = None
        self.left, self.until = MOST, time.perf_counter() + SECONDS
        self.kept: dict[str, Any] = {}  # what several causes have found out together
        self._walks: dict[bytes, Walk | None] = {}

    @classmethod
    def of(cls, problem: Any, z: np.ndarray, result: Any, seconds: float = 0.0) -> Evidence:
        """Return the evidence of a run that ended at `z`, in the variables of its problem."""
        variables = getattr(problem.objective, "variables", None)
        limits, lost, abyss = problem.limits, problem.lost, problem.abyss
        if variables is None or not hasattr(problem.objective, "inner"):
            names = None if variables is None else variables.variable_names
            found = cls(problem.objective, problem.x0, np.array(z, dtype=float), names)
        else:  # the same without scales and transforms
            own = replace(variables, scale=np.ones(variables.size), transforms=())
            x0, x = (variables.parameters(at)[variables.home] for at in (problem.x0, z))
            objective = changed_objective(problem.objective.inner, own)
            found = cls(objective, x0, x, variables.variable_names)
            lost, abyss = (None if at is None else variables.parameters(at)[variables.home] for at in (lost, abyss))
            if limits is not None:
                sides = [variables.parameters(side)[variables.home] for side in (limits.lower, limits.upper)]
                limits = replace(limits, lower=sides[0], upper=sides[1])
        found.problem, found.result, found.z, found.limits = problem, result, z, limits
        found.lost, found.abyss = lost, abyss
        found.left = max(MOST, problem.nfev // 10)
        found.until = time.perf_counter() + max(SECONDS, 2 * seconds)
        return found

    def whole(self, x: np.ndarray) -> np.ndarray:
        """Return all parameters, what is held among them, shape (k,)."""
        variables = getattr(self.objective, "variables", None)
        return np.array(x) if variables is None else variables.parameters(x)

    # Values -----------------------------------------------------------------------------------------------------------

    def value(self, x: np.ndarray) -> float:
        """Return f(x) of the user's own function, NaN where it has none."""
        self.spend()
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                return float(self.objective.original(np.array(x)))
            except Exception:
                return np.nan

    def gradient(self, x: np.ndarray) -> np.ndarray:
        """Return the gradient that the solver has at `x`, (n,), NaN where there is none."""
        return self.value_and_slope(x)[1]

    def value_and_slope(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        """Return value and gradient that the solver has at `x`, NaN where there are none."""
        self.spend()
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                value, gradient = self.objective.value_and_grad(np.array(x))
                return float(value), np.array(gradient, dtype=float)
            except Exception:
                return np.nan, np.full(self.x.shape, np.nan)

    def spend(self) -> None:
        """Count one evaluation; raise Spent where there is none left, or no time."""
        if self.left <= 0 or time.perf_counter() > self.until:
            raise Spent
        self.left -= 1

    @cached_property
    def here(self) -> float:
        """f at the end of the run."""
        return self.value(self.x)

    @cached_property
    def slope(self) -> np.ndarray:
        """The gradient at the end of the run, shape (n,)."""
        return self.gradient(self.x)

    @cached_property
    def unit(self) -> np.ndarray:
        """The size of each parameter: where it is, or how far it came, 1 if it never left 0; shape (n,)."""
        size = np.maximum(np.abs(self.x), np.abs(self.x - self.x0))
        return np.where(np.isfinite(size) & (size > 0), size, 1.0)

    def inside(self, x: np.ndarray) -> np.ndarray:
        """Return the point within the bounds that is nearest to `x`."""
        return within(self.limits, x)

    def meets_constraints(self, x: np.ndarray) -> bool:
        """Whether a point meets the constraints of the problem, as far as that can be told."""
        if self.problem is None or not self.problem.constraints:
            return True
        if getattr(self.objective, "variables", None) is not None:  # constraints are of the solver's variables
            return False
        for one in self.problem.constraints:
            value = one.value(x)
            room = _FEASIBLE * np.maximum(1.0, np.abs(value))
            if not ((value >= one.lower - room) & (value <= one.upper + room)).all():
                return False
        return True

    @cached_property
    def noise(self) -> float:
        """The standard deviation of the noise of f about the end of the run; 0 if it shows none."""
        self.left += 39
        direction = self.unit * np.random.default_rng(0).uniform(0.5, 1.0, self.x.size)
        return differences.noise(self.value, self.x, direction)

    @cached_property
    def hessian(self) -> np.ndarray | None:
        """The Hessian at the end of the run, (n, n): exact, or by differences of gradients; None if it is too large."""
        if self.x.size > _MANY:
            return None
        self.left += max(0, 4 * self.x.size - self.left)
        along = getattr(self.objective, "product_at", lambda x: None)(self.x)
        rows = [self._curvature(k) if along is None else along(axis) for k, axis in enumerate(np.eye(self.x.size))]
        matrix = np.array(rows)
        return (matrix + matrix.T) / 2 if np.isfinite(matrix).all() else None

    def _curvature(self, k: int) -> np.ndarray:
        """Return row `k` of the Hessian by a difference of gradients."""
        step = np.zeros(self.x.size)
        step[k] = 1e-5 * min(self.unit[k], abs(self.x[k]) or np.inf)
        ahead, behind = self.inside(self.x + step), self.inside(self.x - step)
        with np.errstate(all="ignore"):
            return (self.gradient(ahead) - self.gradient(behind)) / (ahead - behind)[k]

    @cached_property
    def promised(self) -> float | None:
        """By how much a Newton step from the end of the run promises to lower f; None without a minimum ahead."""
        hessian = None if getattr(self.objective, "by_differences", False) else self.hessian
        if hessian is None or not np.isfinite(self.slope).all():
            return None
        curvatures = np.diag(hessian)
        if not (curvatures > 0).all():
            return None
        scale = 1 / np.sqrt(curvatures)
        eigenvalues, vectors = np.linalg.eigh(hessian * np.outer(scale, scale))
        if not eigenvalues[0] > 1e-9 * eigenvalues[-1]:
            return None
        along = vectors.T @ (scale * self.slope)
        return float(np.sum(along**2 / eigenvalues) / 2)

    # Steps and data ---------------------------------------------------------------------------------------------------

    def tape(self, x: np.ndarray) -> Tape:
        """Return the record of the user's function at `x`; raises where it does, or cannot be followed."""
        inner = getattr(self.objective, "inner", self.objective)
        inner = getattr(inner, "residuals", inner)
        source = getattr(inner, "derived", inner)
        return source.dispatch.original.steps_at(self.whole(x))

    def walk(self, x: np.ndarray) -> Walk | None:
        """Return the steps at `x`; None where the user's function raises or cannot be followed."""
        key = np.asarray(x).tobytes()
        if key not in self._walks:
            self.spend()
            with np.errstate(all="ignore"), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                try:
                    self._walks[key] = Walk(self.tape(x), self.whole(x))
                except Exception:
                    self._walks[key] = None
        return self._walks[key]

    def raised(self, x: np.ndarray) -> Exception | None:
        """Return what the user's own function raises at `x`."""
        self.spend()
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                self.objective.original(np.array(x))
            except Exception as error:
                return error
        return None

    @cached_property
    def data(self) -> list[tuple[str, np.ndarray]]:
        """The arrays among the data, by the user's names for them."""
        found = arrays_of(named_data(self.objective.function, self.objective.args))
        return [(name, array) for name, array in found if array.dtype.kind in "fiub"]

    def with_data(self, name: str, array: np.ndarray) -> Callable[[np.ndarray], float] | None:
        """Return f with other numbers in the array of a name: passed in its place, or put into it for each call."""
        args = self.objective.args
        known = dict(self.data)
        position = next((k for k, value in enumerate(args) if value is known.get(name)), None)
        if position is None:
            return self._with_numbers(known.get(name), array)
        changed = (*args[:position], array, *args[position + 1 :])

        def value(x: np.ndarray) -> float:
            self.spend()
            inner = getattr(self.objective, "inner", self.objective)
            outcome = self.objective.function(inner.structure.unflatten(self.whole(x)), *changed)
            return float(np.reshape(outcome[0] if isinstance(outcome, tuple) else outcome, ()))

        return lambda x: float(differences.value_at(value, x))

    def _with_numbers(self, held: Any, array: np.ndarray) -> Callable[[np.ndarray], float] | None:
        """Return f while an array that it reads outside has other numbers; None if it cannot be written into."""
        if not (isinstance(held, np.ndarray) and held.flags.writeable and held.shape == array.shape):
            return None

        def value(x: np.ndarray) -> float:
            kept = held.copy()
            held[...] = array
            try:
                return self.value(x)
            finally:
                held[...] = kept

        return value
