"""The ridge penalty of coefficients."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Penalty:
    """1/2 coef' P coef, with P the Kronecker product of `metric` and diag(`ridge`).

    Attributes
    ----------
    metric : ndarray, shape (q, q)
        Between the q linear predictors.
    ridge : ndarray, shape (n,)
        Of the coefficients that each of them has: alpha, 0 for an intercept.
    """

    metric: np.ndarray
    ridge: np.ndarray

    @classmethod
    def of(cls, alpha: float, size: int, intercept: bool, predictors: int) -> Penalty:
        """Return alpha / 2 ||coef||^2; of several predictors and a zero one, of their distances from their mean."""
        q = predictors
        ridge = np.full(size, float(alpha))
        ridge[: int(intercept)] = 0.0
        return cls(np.eye(q) - (np.ones((q, q)) / (q + 1) if q > 1 else 0.0), ridge)

    @property
    def size(self) -> int:
        """The number of coefficients, q n."""
        return len(self.metric) * len(self.ridge)

    def gradient(self, coef: np.ndarray) -> np.ndarray:
        """Return P coef, shape (q n,)."""
        return (self.metric @ coef.reshape(len(self.metric), -1) * self.ridge).ravel()

    def value(self, coef: np.ndarray) -> float:
        """Return 1/2 coef' P coef."""
        return 0.5 * float(coef @ self.gradient(coef))

    def matrix(self) -> np.ndarray:
        """Return P, shape (q n, q n)."""
        return np.kron(self.metric, np.diag(self.ridge))
