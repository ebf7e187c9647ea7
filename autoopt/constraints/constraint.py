"""A constraint as solvers see it: a function with limits, one evaluation for each point."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autoopt.constraints.function import ConstraintFunction
from autoopt.constraints.linear import LinearFunction


@dataclass(eq=False)
class Constraint:
    """lower <= c(x) <= upper, shape (k,) each, infinite where there is no limit; equal where c(x) is held.

    Attributes
    ----------
    function : ConstraintFunction or LinearFunction
    keep_feasible : bool or ndarray
        SciPy's, for the methods that know it.
    strategy : object
        The user's update strategy in place of second derivatives, None if these are to be exact.
    """

    function: ConstraintFunction | LinearFunction
    lower: np.ndarray
    upper: np.ndarray
    keep_feasible: Any = False
    strategy: Any = None
    _values: tuple[np.ndarray, np.ndarray] | None = field(default=None, repr=False)
    _slopes: tuple[np.ndarray, Any] | None = field(default=None, repr=False)

    @property
    def name(self) -> str:
        return self.function.name

    @property
    def count(self) -> int:
        """The number of values, k."""
        return self.lower.size

    def value(self, x: np.ndarray) -> np.ndarray:
        """Return c(x), shape (k,), computed once for each point."""
        if self._values is None or not np.array_equal(x, self._values[0]):
            at = np.array(x)
            self._values = at, self.function.value(at)
        return self._values[1].copy()

    def jacobian(self, x: np.ndarray) -> Any:
        """Return the Jacobian (k, n), sparse where it is known to be, computed once for each point."""
        if self._slopes is None or not np.array_equal(x, self._slopes[0]):
            at = np.array(x)
            self._slopes = at, self.function.jacobian(at)
        return self._slopes[1].copy()

    def slopes(self, x: np.ndarray) -> np.ndarray:
        """Return the Jacobian (k, n) as a plain array."""
        jacobian = self.jacobian(x)
        return jacobian.toarray() if hasattr(jacobian, "toarray") else jacobian
