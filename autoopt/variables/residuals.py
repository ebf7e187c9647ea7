"""Residuals as functions of a solver's variables; whatever else is asked of them is theirs."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from autoopt.parameters import Structure
from autoopt.variables.variables import Variables


class ChangedResiduals:
    """Residuals r(x(z)), shape (m,), with their derivatives in z by the chain rule; the same traced code.

    Attributes
    ----------
    inner : Residuals
        In the user's parameters.
    variables : Variables
    start : ndarray
        The start in z.
    structure : Structure
        The variables by the names of the parameters that they are.
    """

    def __init__(self, inner: Any, variables: Variables) -> None:
        self.inner, self.variables = inner, variables
        self.start = variables.variables(inner.start)

    def __getattr__(self, name: str) -> Any:
        if name in ("inner", "variables"):  # a copy that is being made has neither
            raise AttributeError(name)
        return getattr(self.inner, name)

    @cached_property
    def structure(self) -> Structure:
        return Structure.of(dict.fromkeys(self.variables.variable_names, 0.0))

    def original(self, z: np.ndarray) -> np.ndarray:
        return self.inner.original(self.variables.parameters(z))

    def value(self, z: np.ndarray) -> np.ndarray:
        return self.inner.value(self.variables.parameters(z))

    def jacobian(self, z: np.ndarray) -> Any:
        return self.variables.jacobian(z, self.inner.jacobian(self.variables.parameters(z)))

    def jacobian_beside(self, z: np.ndarray) -> Any:
        return self.variables.jacobian(z, self.inner.jacobian_beside(self.variables.parameters(z)))

    def dense_jacobian(self, z: np.ndarray) -> np.ndarray:
        return self.variables.jacobian(z, self.inner.dense_jacobian(self.variables.parameters(z)))

    def hessian(self, z: np.ndarray, v: np.ndarray, sparse: bool | None = None) -> Any:
        """Return the Hessian of v . r, shape (k, k)."""
        x = self.variables.parameters(z)
        return self.variables.curvature(z, self.inner.hessian(x, v, sparse), self._slopes(x, v))

    def hessp(self, z: np.ndarray, v: np.ndarray, p: np.ndarray) -> np.ndarray:
        x = self.variables.parameters(z)
        return self.variables.product(z, p, self.inner.hessp(x, v, self.variables.pushed(z, p)), self._slopes(x, v))

    def _slopes(self, x: np.ndarray, v: np.ndarray) -> np.ndarray | None:
        """Return the gradient of v . r, shape (n,), where second derivatives in z need it."""
        return None if self.variables.is_linear else np.asarray(self.inner.jacobian(x).T @ v).reshape(-1)

    def units(self, z: np.ndarray) -> np.ndarray:
        """Return the size of each variable for steps, shape (k,): the parameter's, 1 where it is transformed."""
        units = np.array(self.inner.units(self.variables.parameters(z))[self.variables.home])
        for transform in self.variables.transforms:
            units[transform.where] = 1.0
        return units / self.variables.scale

    def leave(self, z: np.ndarray) -> None:
        """Have the user's function keep what it keeps at the point."""
        self.inner.leave(self.variables.parameters(z))
