"""The problem as a solver sees it: one evaluation per point, counted, the best point kept, every iterate shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autoopt.solvers.bounds import Limits


class Stopped(Exception):
    """The run was ended at an iterate: by the callback."""


class Problem:
    """An objective with its start, limits and constraints; `watch(x)` is called at every iterate.

    Parameters
    ----------
    objective : Objective
        Anything with `value_and_grad(x)`, `hess(x)` and `hessp(x, p)` on flat vectors.
    x0 : ndarray, shape (n,)
    limits : Limits, optional
    constraints : sequence
        SciPy's constraints on the flat vector.
    """

    def __init__(self, objective: Any, x0: np.ndarray, limits: Limits | None = None, constraints: Any = ()) -> None:
        self.objective, self.x0, self.limits, self.constraints = objective, x0, limits, constraints
        self.nfev = self.nhev = self.nit = 0
        self.watch: Callable[[np.ndarray], None] = lambda x: None
        self.latest = self.best = x0
        self.best_value = np.inf
        self._at: np.ndarray | None = None
        self.initial_value = self.fun(x0)

    def fun(self, x: np.ndarray) -> float:
        return self._evaluated(x)[0]

    def jac(self, x: np.ndarray) -> np.ndarray:
        return self._evaluated(x)[1].copy()

    def hess(self, x: np.ndarray) -> np.ndarray:
        self.nhev += 1
        return self.objective.hess(x)

    def hessp(self, x: np.ndarray, p: np.ndarray) -> np.ndarray:
        self.nhev += 1
        return self.objective.hessp(x, p)

    @property
    def scipy_bounds(self) -> Any:
        return self.limits and self.limits.scipy()

    def scipy(self, method: str, options: dict, **extras: Any) -> Any:
        """Return the result of SciPy's `method`; options that are None are left to SciPy."""
        from scipy.optimize import minimize

        return minimize(
            self.fun, self.x0, method=method, jac=self.jac, options=options, callback=self._iterate, **extras
        )

    def _iterate(self, x: np.ndarray, *state: Any) -> None:
        self.nit += 1
        self.latest = np.array(x)
        self.watch(self.latest)

    def _evaluated(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        """Return value and gradient at `x`, from the one-slot cache where `x` has not changed."""
        if self._at is None or not np.array_equal(x, self._at):
            at = np.array(x)
            value, gradient = self.objective.value_and_grad(at)
            self._at, self._found = at, (float(value), np.asarray(gradient))
            self.nfev += 1
            if value < self.best_value:
                self.best, self.best_value = at, float(value)
        return self._found
