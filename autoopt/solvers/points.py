"""A point with what values and slopes alone tell of it: the sizes of its parameters, what is free, what is rounding."""

from __future__ import annotations

import math
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from autoopt.solvers.bounds import within

EPSILON = np.finfo(np.float64).eps
ROUNDINGS, _TRIALS = 16 * EPSILON, (4.0, 8.0, 64.0, 256.0)

_GAIN = 1e-14
"""A decrement is small that is below this part of what f gained over the last tenth of the way from x0: the distance
to the minimum is then below 1e-8 of the way."""

_BACK, _POWER = 0.1, 1e8
"""How far back that is; what f gains by no more than the eighth power gains this much when the way is 10 times."""

_LOOSE = 1e6
"""Noise of residuals squared, by their size at x0, that is so much more than roundings of f is measured."""

_STEADY = 1e-3
"""A Newton step that moves parameters by more than this part of their sizes is not that of a minimum found."""

_NEAR = 1e-6
"""Where f bends up, a decrement that is nothing leaves a shorter Newton step than this part of the sizes."""

_SMALL = 1e-9


class Point:
    """A point with what does not depend on second derivatives.

    Attributes
    ----------
    free : ndarray of int, shape (m,)
        The parameters that no bound holds: not those at a bound that f falls towards.
    size : ndarray, shape (n,)
        The typical sizes of parameters: where they are, or how far they came.
    unseen : ndarray of bool, shape (n,)
        The parameters that have been 0 all the time: they show no size.
    """

    def __init__(self, problem: Any, x: np.ndarray) -> None:
        self.problem, self.x = problem, x
        self.value, self.gradient = problem.fun(x), problem.jac(x)
        self.size = sizes(x, problem.x0)
        self.unseen = (x == 0) & (problem.x0 == 0)
        self.free = np.flatnonzero(self._is_free())

    @property
    def is_finite(self) -> bool:
        return bool(np.isfinite(self.value) and np.isfinite(self.gradient).all())

    def _is_free(self) -> np.ndarray:
        limits = self.problem.limits
        if limits is None:
            return np.ones(self.x.size, bool)
        slopes = self.gradient * self.size  # of what is at a bound without one, curvature decides
        low = (self.x <= limits.lower) & (slopes > self.noise)
        high = (self.x >= limits.upper) & (slopes < -self.noise)
        return ~(low | high | (limits.lower >= limits.upper))

    @cached_property
    def tolerance(self) -> float:
        """How small a decrement has to be: noise, or nothing beside what f gained on the last part of the way."""
        return max(4 * self.noise, _GAIN * self.gained)

    @cached_property
    def noise(self) -> float:
        """What rounding may do to f: measured where f has fallen so far that x0 tells nothing of its terms here."""
        least, most = (ROUNDINGS * size for size in (abs(self.value), rounded(self.problem, self.value)))
        if most <= _LOOSE * least:
            return most
        return max(least, min(most, 4 * self._moved(np.where(self.unseen, 0.0, self.size))))

    @cached_property
    def roughness(self) -> float:
        """How far f moves when the parameters move by roundings: what its terms lose by cancelling."""
        return self._moved(self.x)

    def _moved(self, size: np.ndarray) -> float:
        """Return how far f moves, but for its slope, when parameters of some size, shape (n,), move by roundings.

        Sums of large terms move by whole roundings of these: some of the steps are long enough for several.
        """
        steps = EPSILON * size * (_few_shifts if size.size <= _FEW else _shifts)(size.size)
        if (sample := getattr(self.problem.objective, "sample", None)) is not None:  # each value is a pass over files
            value, gradient = sample.value_and_grad(self.x)
            moved = np.array([sample.value(self.x + step) - float(gradient @ step) for step in steps])
            return abs(self.value / value if value else 1.0) * _largest(moved - value)
        moved = np.array([self.value_at(step) - float(self.gradient @ step) for step in steps])
        return _largest(moved - self.value)

    @cached_property
    def gained(self) -> float:
        """By how much f is higher a tenth of the way back to x0."""
        far = self._gained(_BACK)
        return min(far, _POWER * self._gained(_BACK**2)) if far > _POWER * abs(self.value) else far

    def _gained(self, part: float) -> float:
        back = self.x + part * (self.problem.x0 - self.x)
        if np.array_equal(back, self.x):
            return 0.0
        value = min(self.problem.value(back), self.problem.initial_value)  # there may be a pole on the way
        return max(value - self.value, 0.0) if np.isfinite(value) else 0.0

    def value_at(self, step: np.ndarray) -> float:
        """Return f at the end of a step, NaN where it is not defined or a bound is passed."""
        point, limits = self.x + step, self.problem.limits
        return self.problem.value(point) if limits is None or limits.allow(point) else np.nan

    def within(self, x: np.ndarray) -> np.ndarray:
        """Return the nearest point within the bounds."""
        return within(self.problem.limits, x)

    def whole(self, z: np.ndarray) -> np.ndarray:
        """Return a vector over the free parameters, shape (m,), as one over all, 0 for the others."""
        vector = np.zeros(self.x.size)
        vector[self.free] = z
        return vector

    def axis(self, k: int) -> np.ndarray:
        """Return the direction of one parameter, as long as its size."""
        return self.size[k] * np.eye(1, self.x.size, k)[0]

    def seen_by(self, bends: np.ndarray) -> None:
        """Give free parameters that have been 0 all the time the sizes by which their curvature changes f by itself."""
        never = self.unseen[self.free] & (bends != 0)
        change = max(abs(self.value), self.problem.initial_value - self.value)
        if never.any() and change > 0:
            which = self.free[never]
            self.size[which] = np.maximum(self.size[which], np.sqrt(change / np.abs(bends[never])))

    def is_unseen(self, direction: np.ndarray) -> bool:
        """Whether parameters that show no size have the most of a direction, in their units."""
        shares = np.abs(direction) / self.size
        return bool(self.unseen[np.argmax(shares)])

    def in_units(self, direction: np.ndarray) -> np.ndarray:
        """Return a direction whose largest entry, relative to the parameters' sizes, is 1."""
        return direction / max(float(np.max(np.abs(direction) / self.size)), np.finfo(np.float64).tiny)


def _shifts(size: int) -> np.ndarray:
    """Return roundings to move `size` parameters by, shape (trials, size), the same in every run."""
    return np.random.default_rng(7).uniform(-1.0, 1.0, (len(_TRIALS), size)) * np.array(_TRIALS)[:, None]


_FEW = 1000
_few_shifts = lru_cache(maxsize=32)(_shifts)
"""Drawing them takes longer than a small objective."""


def sizes(x: np.ndarray, x0: np.ndarray) -> np.ndarray:
    """Return the typical sizes of parameters, shape (n,): where they are, or how far they came from `x0`.

    One that began at 0 and came back to it shows none: it is given a small part of the largest, or 1.
    """
    size = np.maximum(np.abs(x), np.abs(x - x0))
    largest = float(np.max(size, initial=0.0))
    unseen = (x0 == 0) & (size <= 1e-6 * largest)
    return np.where(unseen, 1e-3 * largest, size) if largest > 0 else np.ones(x.size)


def rounded(problem: Any, value: float) -> float:
    """Return the size of the number whose rounding shows in f: of squares nearly 0, what is squared has that of x0."""
    return max(abs(value), math.sqrt(abs(value)) * math.sqrt(min(abs(problem.initial_value), 1e300)))


def is_steady(size: np.ndarray, step: np.ndarray | None) -> bool:
    """Whether a Newton step is small beside the sizes of the parameters: there is a minimum, and it is near."""
    return step is None or bool(np.max(np.abs(step) / size, initial=0.0) <= _STEADY)


def is_near(size: np.ndarray, step: np.ndarray | None) -> bool:
    """Whether a Newton step is as short as it is where f bends up: it is longer where f rises by a higher power."""
    return step is None or bool(np.max(np.abs(step) / size, initial=0.0) <= _NEAR)


def is_small(size: np.ndarray, step: np.ndarray | None) -> bool:
    """Whether a Newton step is nothing beside the sizes of the parameters: the minimum has been found."""
    return step is None or bool(np.max(np.abs(step) / size, initial=0.0) <= _SMALL)


def is_cheap(problem: Any, products: int, milliseconds: int = 1) -> bool:
    """Whether so many products with the Hessian take about this time."""
    return products * getattr(problem.objective, "work", 0) <= milliseconds * _CHEAP


_CHEAP = 500_000
"""Entries that all products together may handle, however few evaluations the run took."""


def _largest(moved: np.ndarray) -> float:
    """Return the largest of those that are finite, in size."""
    return float(np.max(np.abs(moved), initial=0.0, where=np.isfinite(moved)))
