"""All constraints and bounds at one point as rows lower <= c(x) <= upper: how far each is met, and what may hold it.

Sizes are relative: the room that a row leaves is measured by how much its value changes when every parameter changes by
its own size, so that neither the units of a constraint nor those of a parameter count.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

FEASIBLE = 1e-8
"""What a row may be violated by, relative to its size."""

DENSE = 500
"""Up to so many parameters slopes are plain arrays."""

_ROUNDINGS = 32 * np.finfo(np.float64).eps
_SMALLEST_UNIT = 1e-8


def units(problem: Any, x: np.ndarray) -> np.ndarray:
    """Return the size of each parameter, shape (n,): max(|x_i|, |x0_i|), but at most max(|x_i|, 1); 1 where x0_i is 0.

    So parameters that are all of 1e-6 have units of 1e-6, and those that have become small keep what they began with.
    """
    start = np.abs(problem.x0)
    size = np.maximum(np.abs(x), np.where(start == 0, 1.0, start))
    return np.clip(size, _SMALLEST_UNIT, np.maximum(np.abs(x), 1.0))


@dataclass(frozen=True)
class Conditions:
    """What constraints and bounds ask at `x`.

    Attributes
    ----------
    x, unit : ndarray, shape (n,)
        The point, and the size of each parameter.
    values, lower, upper : ndarray, shape (K,)
        The constraints' in the order given, then those of the parameters that have a bound.
    slopes : ndarray or sparse array, shape (K, n)
    floors : ndarray, shape (K,)
        What of a row's size at x0 still counts: a slope may vanish at the solution.
    begun : ndarray, shape (K,)
        How far each value was from a limit at x0: the size that a row has in its own units.
    counts : tuple of int
        The number of rows of each of the user's constraints.
    bounded : ndarray of int
        The parameters that have a bound.
    """

    x: np.ndarray
    unit: np.ndarray
    values: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    slopes: Any
    floors: np.ndarray
    begun: np.ndarray
    counts: tuple[int, ...]
    bounded: np.ndarray

    @classmethod
    def at(cls, problem: Any, x: np.ndarray) -> Conditions:
        """Return the conditions of a problem at `x`."""
        constraints, limits = problem.constraints, problem.limits
        bounded = np.zeros(0, int)
        if limits is not None:
            bounded = np.flatnonzero(np.isfinite(limits.lower) | np.isfinite(limits.upper))
        lower, upper = ([one.lower for one in constraints], [one.upper for one in constraints])
        if limits is not None:
            lower, upper = [*lower, limits.lower[bounded]], [*upper, limits.upper[bounded]]
        none = np.zeros(0)
        return cls(
            x=x,
            unit=units(problem, x),
            values=np.concatenate([*(one.value(x) for one in constraints), x[bounded]]),
            lower=np.concatenate([none, *lower]),
            upper=np.concatenate([none, *upper]),
            slopes=_slopes(constraints, bounded, x),
            floors=np.concatenate([*(REMAINS * one.function.sizes for one in constraints), np.zeros(bounded.size)]),
            begun=np.concatenate([*(_from_limits(one) for one in constraints), np.zeros(bounded.size)]),
            counts=tuple(count for one in constraints for _, count in one.named),
            bounded=bounded,
        )

    @cached_property
    def sizes(self) -> np.ndarray:
        """By how much each value changes when the parameters change by their sizes, shape (K,)."""
        size = np.asarray(abs(self.slopes) @ self.unit)
        return np.where(size > self.floors, size, np.where(self.floors > 0, self.floors, 1.0))

    @cached_property
    def rounding(self) -> np.ndarray:
        """What rounding leaves undecided of each value, shape (K,)."""
        limits = np.where(np.isfinite(self.lower), np.abs(self.lower), 0.0)
        limits = np.maximum(limits, np.where(np.isfinite(self.upper), np.abs(self.upper), 0.0))
        return _ROUNDINGS * np.maximum(np.abs(self.values), limits)

    @property
    def equal(self) -> np.ndarray:
        """Which rows are equalities, shape (K,)."""
        return self.lower == self.upper

    @cached_property
    def missed(self) -> np.ndarray:
        """By how much each value misses its limits, shape (K,): what is to be added to it."""
        return self.missing(self.values)

    def missing(self, values: np.ndarray) -> np.ndarray:
        """Return what is to be added to values of the rows, shape (K,), so that they are within their limits."""
        return np.clip(values, self.lower, self.upper) - values

    @cached_property
    def violation(self) -> np.ndarray:
        """By how much each row is violated, relative to its size, shape (K,); rounding is none."""
        return np.maximum(np.abs(self.missed) - self.rounding, 0.0) / np.where(self._is_plain, 1.0, self.sizes)

    @cached_property
    def _is_plain(self) -> np.ndarray:
        """Which rows are missed by what is much in itself, and beside what the parameters make of them, shape (K,).

        A parameter that began at 0 has a unit of 1, which may be far more than it is.
        """
        made = np.asarray(abs(self.slopes) @ np.abs(self.x))
        return np.abs(self.missed) > _MUCH * np.maximum(np.maximum(1.0, self.begun), made)

    @property
    def is_feasible(self) -> bool:
        """Whether all rows are met."""
        return bool((self.violation <= FEASIBLE).all())

    def near(self, tolerance: float) -> tuple[np.ndarray, np.ndarray]:
        """Return which rows are at their lower, and at their upper limit, to `tolerance` relative to their size."""
        room = tolerance * self.sizes + self.rounding
        return self.values - self.lower <= room, self.upper - self.values <= room

    def split(self, rows: np.ndarray, size: int) -> list[np.ndarray]:
        """Return one number per row as an array per constraint, and one over all `size` parameters for the bounds."""
        ends = np.cumsum(self.counts)
        parts = np.split(rows[: ends[-1]], ends[:-1]) if len(ends) else []
        if self.bounded.size:
            last = np.zeros(size)
            last[self.bounded] = rows[len(rows) - self.bounded.size :]
            parts = [*parts, last]
        return parts


REMAINS = 1e-6
_MUCH = 1e-6


def _from_limits(one: Any) -> np.ndarray:
    """Return how far the values of a constraint are at x0 from the nearer limit, shape (k,)."""
    initial = one.function.initial
    return np.minimum(np.abs(initial - one.lower), np.abs(initial - one.upper))


def _slopes(constraints: Any, bounded: np.ndarray, x: np.ndarray) -> Any:
    if x.size <= DENSE:
        return np.concatenate([*(one.slopes(x) for one in constraints), np.eye(x.size)[bounded]])
    from scipy.sparse import csr_array, vstack

    ones = csr_array((np.ones(bounded.size), (np.arange(bounded.size), bounded)), shape=(bounded.size, x.size))
    return vstack([*(csr_array(one.jacobian(x)) for one in constraints), ones], format="csr")


def row_values(problem: Any, conditions: Conditions, x: np.ndarray) -> np.ndarray:
    """Return the values of all rows at another point, shape (K,); NaN where a constraint has none."""
    from autoopt.users_code import UNDEFINED

    if not np.isfinite(x).all():
        return np.full(conditions.values.size, np.nan)
    try:
        return np.concatenate([*(one.value(x) for one in problem.constraints), x[conditions.bounded]])
    except UNDEFINED:
        return np.full(conditions.values.size, np.nan)
