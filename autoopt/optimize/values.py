"""Values of f as a global search sees them: neither the units of f nor a constant added to it matter to the search.

SciPy's constants are meant for values of some dozens: the temperatures of annealing, the tolerances of SLSQP. Others
are parts of f itself, as in differential evolution, and mean nothing where a constant is most of it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from autoopt.solvers import Problem

_SAMPLES = 24
_USUAL = 64.0
"""What values differ by in a box, as SciPy's constants have it."""


@dataclass(frozen=True)
class Values:
    """(f - zero) / size, size a power of two."""

    problem: Problem
    zero: float = 0.0
    size: float = 1.0

    @classmethod
    def of(cls, problem: Problem, given: bool = False) -> Values:
        """Return the values by what f is at points of the box; f itself where an option is `given` in its units."""
        if given:
            return cls(problem)
        before, limits = len(problem.undefined), problem.limits
        assert limits is not None  # global searches have a box
        points = np.random.default_rng(1).uniform(limits.lower, limits.upper, (_SAMPLES, problem.x0.size))
        sample = np.array([problem.value_alone(point) for point in points if problem.is_defined(point)])
        del problem.undefined[before:]
        sample = sample[np.isfinite(sample)]
        with np.errstate(all="ignore"):
            spread = float(np.ptp(sample)) if sample.size else 0.0
        if not (np.isfinite(spread) and spread > 0):
            return cls(problem)
        lowest = float(np.min(sample))
        return cls(problem, lowest if abs(lowest) > spread else 0.0, 2.0 ** round(np.log2(spread / _USUAL)))

    def __call__(self, x: np.ndarray) -> float:
        return (self.problem.value_alone(x) - self.zero) / self.size

    def slopes(self, x: np.ndarray) -> np.ndarray:
        """Return the gradient of what the search sees, shape (n,)."""
        return self.problem.jac(x) / self.size

    def back(self, value: Any) -> Any:
        """Return values that the search has seen in the units of f."""
        return value * self.size + self.zero

    def finished(self, raw: Any) -> Any:
        """Return SciPy's result in the units of f."""
        for name in ("fun", "funl", "population_energies"):
            if name in raw and raw[name] is not None:
                raw[name] = self.back(np.asarray(raw[name])) if np.ndim(raw[name]) else float(self.back(raw[name]))
        return raw

    def of_populations(self, callback: Callable | None, note: Callable) -> Callable:
        """Return what differential evolution calls for each generation, a user's `callback` in the units of f.

        `note` is called before all else, with population=.
        """
        of_points = callback is not None and list(inspect.signature(callback).parameters) != ["intermediate_result"]

        def seen(intermediate_result: Any) -> Any:
            note(population=intermediate_result.population)
            self.problem.iterated(intermediate_result.x)
            if callback is None or not of_points:
                return callback and callback(self.finished(intermediate_result))
            return callback(np.copy(intermediate_result.x), convergence=intermediate_result.convergence)

        return seen

    def noting(self, callback: Callable | None) -> Callable:
        """Return a user's callback(x, ...) that counts iterates, too: a run that is interrupted says how many."""

        def seen(x: np.ndarray, *state: Any, **more: Any) -> Any:
            self.problem.iterated(x)
            return callback and callback(x, *state, **more)

        return seen
