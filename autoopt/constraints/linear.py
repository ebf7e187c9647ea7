"""A matrix times the parameters, asked as the function of any constraint is."""

from __future__ import annotations

from typing import Any

import numpy as np


class LinearFunction:
    """A @ x with its derivatives; the methods of `ConstraintFunction`."""

    linear = compiled = True
    is_compared = supplies_second = False
    derived = given_jac = None
    slopes = curvature = None

    def __init__(self, name: str, matrix: Any) -> None:
        self.name, self._matrix = name, matrix
        self.count = matrix.shape[0]
        self.notes: list[str] = []
        self.timings: dict[str, float] = {}
        self.sizes = self.initial = np.zeros(self.count)

    def value(self, x: np.ndarray) -> np.ndarray:
        return self._matrix @ x

    original = value

    def jacobian(self, x: np.ndarray) -> Any:
        return self._matrix

    def has_second(self, dense: bool) -> bool:
        return True

    def hessian(self, x: np.ndarray, v: np.ndarray) -> np.ndarray:
        return np.zeros((x.size, x.size))

    def hessp(self, x: np.ndarray, v: np.ndarray, p: np.ndarray) -> np.ndarray:
        return np.zeros(x.size)

    def retain(self) -> None:
        """There is nothing to keep."""
