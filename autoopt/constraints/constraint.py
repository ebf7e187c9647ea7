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
    parts : tuple of (name, count)
        The user's constraints that it is made of, with the numbers of their values; empty where it is one of them.
    """

    function: ConstraintFunction | LinearFunction
    lower: np.ndarray
    upper: np.ndarray
    keep_feasible: Any = False
    strategy: Any = None
    parts: tuple[tuple[str, int], ...] = ()
    _values: tuple[np.ndarray, np.ndarray] | None = field(default=None, repr=False)
    _slopes: tuple[np.ndarray, Any] | None = field(default=None, repr=False)

    @property
    def name(self) -> str:
        return self.function.name

    @property
    def count(self) -> int:
        """The number of values, k."""
        return self.lower.size

    @property
    def named(self) -> tuple[tuple[str, int], ...]:
        """The user's constraints in it, with the numbers of their values."""
        return self.parts or ((self.name, self.count),)

    def place(self, k: int) -> tuple[str, int, int]:
        """Return the user's constraint that value `k` belongs to, the place there, and how many values that has."""
        for name, count in self.named:
            if k < count:
                return name, k, count
            k -= count
        raise IndexError(k)

    def entry(self, k: int) -> str:
        """Return what a message calls value `k`: the constraint's name, with a place where it has several values."""
        name, at, count = self.place(k)
        return f"value [{at}] of {name}" if count > 1 else name

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
