"""Standard errors of a fit: the covariance of what is free, or why there is none, and what a failed fit went along."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from autoopt import differences
from autoopt.errors import AutooptError, InferenceError
from autoopt.variables.start import Start
from autoopt.variables.variables import Variables

LARGEST_HESSIAN = 2000  # parameters; beyond, standard errors would need more than 100 MB and minutes


@dataclass(frozen=True)
class Case:
    """What was fitted: the objective, its start, the limits of its parameters, and what `minimize` was called with.

    Points are those of the parameters that are neither held nor tied, shape (m,), called by `names`.
    """

    objective: Callable
    start: Start
    limits: Any
    call: Mapping[str, Any]
    all_names: Sequence[str]

    @cached_property
    def variables(self) -> Variables:
        """The parameters that are neither held nor tied, and how the others follow."""
        variables = self.start.variables or Variables.free(self.start.structure.names)
        return variables.plain()

    @property
    def names(self) -> list[str]:
        return [self.all_names[i] for i in self.variables.home]

    def free(self, u: np.ndarray) -> np.ndarray:
        """Return which of them no limit holds at `u`, shape (m,)."""
        sides = None if self.limits is None else self.variables.limits(self.limits.lower, self.limits.upper)
        if sides is None:
            return np.ones(u.shape, bool)
        close = 1e-8 * np.maximum(1.0, np.abs(u))
        return (u - sides[0] > close) & (sides[1] - u > close)

    def hessian(self, u: np.ndarray) -> np.ndarray:
        """Return the Hessian at `u`, shape (m, m)."""
        from autoopt.minimize import compile_objective
        from autoopt.objectives.retained import retain

        supplied = tuple(self.call.get(name) for name in ("jac", "hess", "hessp"))
        compiled = compile_objective(self.objective, self.start.x0, self.call["args"], self.call["engine"], supplied)
        hessian = compiled.hess(self.variables.parameters(u), sparse=False)
        retain(compiled)
        return self.variables.curvature(u, hessian, None)

    def rough_hessian(self, u: np.ndarray) -> np.ndarray:
        """Return the Hessian at `u` by differences of gradients, a few digits of it."""
        from autoopt.minimize import compile_objective

        supplied = self.call.get("jac"), None, None
        compiled = compile_objective(self.objective, self.start.x0, self.call["args"], self.call["engine"], supplied)
        return differences.rough_hessian(
            lambda near: self.variables.pulled(near, compiled.grad(self.variables.parameters(near))), u
        )

    def value(self, u: np.ndarray) -> float:
        """Return the user's own function at `u`, NaN where it is not defined."""
        is_pair = self.call.get("jac") is True

        def result(near: np.ndarray) -> Any:
            x = self.start.structure.unflatten(self.variables.parameters(near))
            outcome = self.objective(x, *self.call["args"])
            return outcome[0] if is_pair else outcome

        return float(differences.value_at(result, u))

    def spread(self, covariance: np.ndarray) -> np.ndarray:
        """Return the covariance of all parameters, shape (n, n), of that of the free: NaN for what is held."""
        moving = self.variables.moving
        source, factor = self.variables.source[moving], self.variables.factor[moving]
        everywhere = np.full((len(self.all_names),) * 2, np.nan)
        everywhere[np.ix_(moving, moving)] = covariance[np.ix_(source, source)] * np.outer(factor, factor)
        return everywhere


def with_covariance(fitted: Any, case: Case) -> Any:
    """Return the fit with its covariance, or with the reason why there is none."""
    from autoopt.inference import covariance_of_free, endless, flattest, no_maximum

    def without(reason: str) -> Any:
        return replace(fitted, notes=(*fitted.notes, f"No standard errors: {reason}."))

    if fitted.status != "converged":
        return explained(without(f"the fit is {fitted.status}"), case)
    if case.call["constraints"]:
        return without("with constraints they do not follow from the Hessian")
    u, names = case.variables.variables(fitted.params), case.names
    free = case.free(u)
    held = [names[i] for i in np.flatnonzero(~free)]
    shown = ", ".join(held[:5]) + (f" and {len(held) - 5} more" if len(held) > 5 else "")
    verb = "is" if len(held) == 1 else "are"
    if not free.any():
        return without(f"{shown} {verb} at a bound")
    if len(fitted.names) > LARGEST_HESSIAN:
        return without(f"the Hessian of {len(fitted.names)} parameters is too large")
    try:
        hessian = case.hessian(u)
    except Exception as error:  # the estimates stand
        said = error.happened if isinstance(error, AutooptError) else f"{type(error).__name__}: {error}"
        return without(f"the second derivatives could not be computed ({said.rstrip('.')})")
    try:
        inside = np.where(np.outer(free, free), hessian, np.eye(len(free)))
        if np.isfinite(hessian).all():
            ways = (flattest(inside), u - case.variables.variables(case.start.flat))
            directions = [np.where(free, way, 0.0) for way in ways]
            if (direction := endless(case.value, u, directions, hessian)) is not None:
                raise no_maximum(direction, names)
        inferred = replace(fitted, covariance=case.spread(covariance_of_free(hessian, free, names)))
    except InferenceError as error:
        return replace(fitted, problem=error)
    if held:
        note = (
            f"{shown} {verb} at a bound: the standard errors of the others take {'it' if verb == 'is' else 'them'} as"
        )
        return replace(inferred, notes=(*inferred.notes, f"{note} fixed."))
    return inferred


_NO_MINIMUM = re.compile(r"minimum (lies )?at infinity|not bounded below")


def explained(fitted: Any, case: Case) -> Any:
    """Return the fit that did not converge with a note where its likelihood has no maximum on the way it went."""
    from autoopt.inference import endless, flattest, no_maximum

    if fitted.status != "not converged" or case.limits is not None or case.call["constraints"]:
        return fitted
    if any(_NO_MINIMUM.search(text) for text in fitted.result.get("diagnosis", [])):  # which names the way
        return fitted
    u = case.variables.variables(fitted.params)
    directions = [u - case.variables.variables(case.start.flat)]
    if 2 * len(fitted.names) <= fitted.result.nfev:  # what it costs is then less than what the run has cost
        hessian = case.rough_hessian(u)
        directions += [flattest(hessian)] if np.isfinite(hessian).all() else []
    direction = endless(case.value, u, directions)
    if direction is None:
        return fitted
    return replace(fitted, notes=(*fitted.notes, str(no_maximum(direction, case.names))))
