"""The cost of residuals, 1/2 sum rho(r^2), as an objective that a `solvers.Problem` can hold."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autoopt.optimize.losses import Loss


class SumOfSquares:
    """What solvers and the verdict ask of an objective, on flat vectors; the Hessian is J'WJ + sum v_i d2 r_i.

    Attributes
    ----------
    residuals : Residuals or ChangedResiduals
    loss : Loss
    shown : ndarray, shape (n,), or None
        A point that was shown to be a minimum: nothing more is asked there.
    """

    def __init__(self, residuals: Any, loss: Loss) -> None:
        self.residuals, self.loss = residuals, loss
        self.shown: np.ndarray | None = None
        self.variables = getattr(residuals, "variables", None)  # see `autoopt.variables`
        if self.variables is not None:
            self.inner = SumOfSquares(residuals.inner, loss)
        self.structure, self.size = residuals.structure, residuals.structure.size
        self.function, self.args = residuals.fun, residuals.args

    @property
    def exact(self) -> bool:
        """Whether second derivatives are more than differences of differences."""
        return self.residuals.is_exact

    @property
    def notes(self) -> list[str]:
        """What there is to know of how it is evaluated."""
        return self.residuals.notes

    def value(self, x: np.ndarray) -> float:
        """Return the cost."""
        return self.loss.of_residuals(self.residuals.value(x))[0]

    def original(self, x: np.ndarray) -> float:
        """Return the cost by the user's own function."""
        return self.loss.of_residuals(self.residuals.original(x))[0]

    def value_and_grad(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the cost and its gradient, J'v, shape (n,)."""
        cost, v, _ = self.loss.of_residuals(self.residuals.value(x))
        if not np.isfinite(cost):
            return cost, np.full(x.size, np.nan)
        return cost, np.asarray(self.residuals.jacobian(x).T @ v).reshape(-1)

    def hess(self, x: np.ndarray, sparse: bool | None = None) -> Any:
        """Return the Hessian, shape (n, n)."""
        _, v, w = self.loss.of_residuals(self.residuals.value(x))
        if sparse and self.residuals.is_sparse:
            from scipy.sparse import csr_array, diags_array

            jacobian = self.residuals.jacobian(x)
            return csr_array(jacobian.T @ diags_array(w) @ jacobian + self.residuals.hessian(x, v, sparse=True))
        jacobian = self.residuals.dense_jacobian(x)
        hessian = jacobian.T @ (w[:, None] * jacobian) + self.residuals.hessian(x, v, sparse=False)
        if sparse:
            from scipy.sparse import csr_array

            return csr_array(hessian)
        return hessian

    def hessp(self, x: np.ndarray, p: np.ndarray) -> np.ndarray:
        """Return the Hessian times `p`, shape (n,)."""
        _, v, w = self.loss.of_residuals(self.residuals.value(x))
        jacobian = self.residuals.jacobian(x)
        return np.asarray(jacobian.T @ (w * (jacobian @ p))).reshape(-1) + self.residuals.hessp(x, v, p)

    def closer(self, x: np.ndarray) -> Callable | None:
        """Return values with equations solved closer: these are not asked of residuals."""
        return None
