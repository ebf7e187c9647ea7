"""What a solver sees of the user's problem, and what becomes of its result in the user's parameters."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from autoopt.constraints.constraint import Constraint
from autoopt.objectives.differentiable import Differentiable
from autoopt.variables.escapes import require_inside
from autoopt.variables.functions import changed_constraints, changed_objective
from autoopt.variables.options import changed_options
from autoopt.variables.scales import scaled
from autoopt.variables.start import Start
from autoopt.variables.variables import Variables


@dataclass(frozen=True)
class View:
    """An objective, its start and its limits in the variables of a solver; the user's own where there are no others.

    Attributes
    ----------
    start : Start
        In the user's parameters.
    inner, objective : Differentiable
        In the user's parameters, and in the variables.
    x0 : ndarray, shape (m,)
    limits : Limits or None
    variables : Variables or None
        None where they are the parameters.
    """

    start: Start
    inner: Differentiable
    objective: Differentiable
    x0: np.ndarray
    limits: Any
    variables: Variables | None

    @classmethod
    def of(cls, objective: Differentiable, start: Start, limits: Any, scale: Any) -> View:
        """Return the view of an objective; limits and scale are in the user's parameters, see `scales.scaled`."""
        variables = scaled(start, scale, objective, limits)
        if variables is None:
            return cls(start, objective, objective, start.flat, limits, None)
        sides = None if limits is None else variables.limits(limits.lower, limits.upper)
        own = None if sides is None else replace(limits, lower=sides[0], upper=sides[1])
        z = variables.variables(start.flat)
        return cls(start, objective, changed_objective(objective, variables), z, own, variables)

    def settings(self, settings: dict[str, Any]) -> dict[str, Any]:
        """Return the settings of a method, what is in the parameters in the variables."""
        return settings if self.variables is None else changed_options(settings, self.variables, self.x0)

    def constraints(self, constraints: list[Constraint]) -> list[Constraint]:
        """Return the user's constraints as functions of the variables."""
        return changed_constraints(constraints, self.variables)

    def compared(
        self, constraints: list[Constraint], x: np.ndarray | None = None
    ) -> tuple[list[Constraint], np.ndarray]:
        """Return the user's constraints as functions of what is moved, in its own units, and `x` or the start in it.

        So they are verified: what is held is not stepped away from.
        """
        at = self.start.flat if x is None else x
        if self.variables is None:
            return constraints, at
        plain = self.variables.plain()
        return changed_constraints(constraints, plain), plain.variables(at)

    @property
    def compared_limits(self) -> Any:
        """The limits of what `compared` has: none where the variables are others than the parameters."""
        return self.limits if self.variables is None else None

    def parameters(self, z: np.ndarray) -> np.ndarray:
        """Return the user's parameters, shape (n,), at the variables, shape (m,)."""
        return z if self.variables is None else self.variables.parameters(z)

    def variables_of(self, value: Any) -> np.ndarray:
        """Return the variables, shape (m,), at the user's parameters, a value of x0's structure."""
        flat = self.start.structure.flatten(value, "start")
        return flat if self.variables is None else self.variables.variables(flat)

    def value(self, z: np.ndarray) -> Any:
        """Return what the objective sees at the variables: a value of x0's structure."""
        return self.start.structure.unflatten(self.parameters(z))

    def finish(self, result: Any) -> np.ndarray:
        """Put a result into the user's parameters, and return the variables, shape (m,), that it has had.

        That is x, jac, hess_inv and the multipliers of bounds. `gradient_norm` stays in the variables, in which the
        tests of the run were made.
        """
        z = result.x
        if self.variables is None:
            return z
        require_inside(result, self.objective, self.variables, z)
        result.x = self.variables.parameters(z)
        if "allvecs" in result:
            result.allvecs = [self.variables.parameters(one) for one in result.allvecs]
        result.jac = _gradient(self.inner, result.x)
        if result.get("hess_inv") is not None:
            result.hess_inv = _inverse(self.variables, z, result.hess_inv)
        for name in ("multipliers", "v"):
            if isinstance(result.get(name), list):
                result[name] = _multipliers(self.variables, z, result[name], self.limits)
        return z


def _gradient(objective: Differentiable, x: np.ndarray) -> np.ndarray:
    """Return the whole gradient, shape (n,), that of what is held, too; NaN where there is none."""
    try:
        return np.array(objective.value_and_grad(x)[1])
    except Exception:  # a run that was stopped may end where the objective is not defined
        return np.full(x.shape, np.nan)


def _inverse(variables: Variables, z: np.ndarray, inverse: Any) -> Any:
    """Return J B J', an estimate of the inverse Hessian in x where B is one in z: 0 for what is held."""
    if isinstance(inverse, np.ndarray):
        return variables.pushed(z, variables.pushed(z, inverse).T)
    from scipy.sparse.linalg import LinearOperator

    def product(p: np.ndarray) -> np.ndarray:
        return variables.pushed(z, inverse @ variables.pulled(z, np.ravel(p)))

    return LinearOperator((len(variables.names),) * 2, matvec=product, rmatvec=product, dtype=np.float64)


def _multipliers(variables: Variables, z: np.ndarray, given: list, limits: Any) -> list:
    """Return multipliers by constraint, those of bounds, which are last, per unit of the parameter: 0 for what is held.

    Of parameters that are tied the one that the others follow has it.
    """
    if limits is None or not given or np.shape(given[-1]) != (variables.size,):
        return given
    slopes, last = variables.slopes(z), np.zeros(len(variables.names))
    last[variables.home] = np.divide(given[-1], slopes, out=np.zeros(variables.size), where=slopes != 0)
    return [*given[:-1], last]
