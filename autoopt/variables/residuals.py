"""Residuals as functions of a solver's variables; whatever else is asked of them is theirs."""

from __future__ import annotations

from typing import Any

import numpy as np

from autoopt.variables.functions import ChangedVector
from autoopt.variables.variables import Variables


class ChangedResiduals(ChangedVector):
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
        super().__init__(inner, variables)
        self.start = variables.variables(inner.start)

    def jacobian_beside(self, z: np.ndarray) -> Any:
        return self.variables.jacobian(z, self.inner.jacobian_beside(self.variables.parameters(z)))

    def dense_jacobian(self, z: np.ndarray) -> np.ndarray:
        return self.variables.jacobian(z, self.inner.dense_jacobian(self.variables.parameters(z)))

    def hessian(self, z: np.ndarray, v: np.ndarray, sparse: bool | None = None) -> Any:
        """Return the Hessian of v . r, shape (k, k)."""
        x = self.variables.parameters(z)
        return self.variables.curvature(z, self.inner.hessian(x, v, sparse), self.weighted(x, v))

    def units(self, z: np.ndarray) -> np.ndarray:
        """Return the size of each variable for steps, shape (k,): the parameter's, 1 where it is transformed."""
        units = np.array(self.inner.units(self.variables.parameters(z))[self.variables.home])
        for transform in (*self.variables.transforms, *self.variables.blocks):
            units[transform.where] = 1.0
        return units / self.variables.scale

    def leave(self, z: np.ndarray) -> None:
        """Have the user's function keep what it keeps at the point."""
        self.inner.leave(self.variables.parameters(z))
