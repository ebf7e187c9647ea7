"""The values of a constraint, or of residuals, as one number, which can be compared as an objective is."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from typing import Any

import numpy as np

from autoopt import differences


class Summed:
    """w . c(x) with weights of either sign, by which every value has a slope of about 1 in the units of x.

    So that none hides behind another; what `check` asks of an objective. `function` is a `ConstraintFunction`, or has
    what is used here of one.
    """

    def __init__(self, function: Any, x: np.ndarray) -> None:
        self._function = function
        self.structure, self.size = function.structure, x.size
        self.function, self.args = function.fun, function.args
        self.gradient_source, self.given_jac = function.jacobian_source, function.given_jac
        self.single = function.derived is not None and function.derived.single
        self.scales = slope_scales(function, x)
        rng = np.random.default_rng(3)
        signs = rng.choice([-1.0, 1.0], self.scales.size) * rng.uniform(0.5, 1.0, self.scales.size)
        self._weights = signs / self.scales

    @property
    def is_verified(self) -> bool:
        """Whether this code has been compared before."""
        return self._function.derived is not None and self._function.derived.is_verified

    @property
    def dispatch(self) -> Any:
        """What the values are computed by, None if that is the user's own code."""
        return None if self._function.derived is None else self._function.derived.dispatch

    @property
    def variables(self) -> Any:
        """What the user's parameters are functions of, if that is not themselves."""
        return getattr(self._function, "variables", None)

    def combined(self, values: Any) -> float:
        """Return the one number that all values of the function are here."""
        return float(self._weights @ np.ravel(values))

    def original(self, x: Any) -> float:
        return self.combined(self._function.original(x))

    def complex_original(self, x: np.ndarray) -> Any:
        """Return the same of complex parameters, flat, shape (n,): what is traced of the function is called."""
        at = x if self.variables is None else self.variables.parameters(x)
        return self._weights @ np.ravel(self._function.derived.complex_original(at))

    def value_and_grad(self, x: Any) -> tuple[float, np.ndarray]:
        gradient = np.asarray(self._weights @ self._function.jacobian(x)).reshape(-1)
        return self.combined(self._function.value(x)), gradient

    def on_known_path(self, x: Any) -> tuple[float, np.ndarray] | None:
        """Return value and gradient beside a point; None where another path may be taken.

        The function keeps its counts, and what it has at the point.
        """
        derived = self._function.derived
        if derived is not None and derived.dispatch.paths[0].trace.tape.guards:
            return None
        apart = copy(self)
        apart._function = copy(self._function)
        if hasattr(apart._function, "inner"):
            apart._function.inner = copy(apart._function.inner)
        return apart.value_and_grad(x)

    def units(self, x: np.ndarray) -> np.ndarray:
        """Return the size of each parameter for steps, shape (n,)."""
        return units_of(self._function, x)

    def closer(self, x: Any) -> Callable | None:
        """Return values with equations solved closer: they are not asked of a constraint."""
        return None


def slope_scales(function: Any, x: np.ndarray) -> np.ndarray:
    """Return by how much each value changes, to first order, when all parameters change by their size, shape (k,)."""
    jacobian = function.jacobian(x)
    slopes = abs(jacobian) @ units_of(function, x)
    return np.where(slopes >= np.finfo(np.float64).tiny, slopes, 1.0)


def units_of(function: Any, x: np.ndarray) -> np.ndarray:
    """Return the size of each parameter for steps, as the function has it, by default max(|x_i|, 1)."""
    return getattr(function, "units", differences.step_scale)(x)
