"""A line search that has come to the rounding of f: values tell it nothing any more, and it is ended.

SciPy's go on for twenty trial points and more there, which may be most of a run. The gradient still tells, and Newton's
steps, which follow (`solvers.ending`), need no values.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np

from autoopt.solvers.points import EPSILON, ROUNDINGS, rounded
from autoopt.solvers.problem import Problem

_TRIALS = 3
"""With so many trial points after one another whose values are that of the last iterate but for rounding, it ends."""

_LARGEST = 4_000_000
"""Entries of the changes that are kept, at most: with more the line search is left to itself."""

_STALLED = 2
"""SciPy's status of a line search that came to nothing."""


class _Settled(Exception):
    """Values have become rounding."""


class _Search:
    """What the line searches of one run see, and the last iterates, one more than `pairs`."""

    def __init__(self, problem: Problem, pairs: int) -> None:
        self._problem = problem
        self._iterates: deque[tuple[np.ndarray, np.ndarray]] = deque(maxlen=pairs + 1)
        self._begin(problem.start)

    def _begin(self, x: np.ndarray) -> None:
        """Begin a line search at the iterate `x`."""
        self._value, gradient = self._problem.evaluated(x)
        self._iterates.append((x, gradient.copy()))
        self._noise = ROUNDINGS * rounded(self._problem, self._value)
        self._row, self._nearest = 0, (np.inf, x)

    def fun(self, x: np.ndarray) -> float:
        """Return f(x); _Settled is raised where it, and those before, are the value of the iterate but for rounding."""
        value = self._problem.evaluated(x)[0]
        if not abs(value - self._value) <= self._noise:
            self._row = 0
            return value
        slope = float(np.max(np.abs(self._problem.projected_gradient(x)), initial=0.0))
        if slope < self._nearest[0]:
            self._nearest = slope, np.array(x)
        self._row += 1
        if self._row > _TRIALS:
            raise _Settled
        return value

    def iterated(self, x: np.ndarray) -> None:
        """Note that `x` is an iterate."""
        self._problem.iterated(x)
        self._begin(self._problem.latest)

    def result(self, nit: int, ftol: float) -> Any:
        """Return SciPy's result at the trial point of the least slope: `ftol` is met, or no progress was possible."""
        from scipy.optimize import OptimizeResult

        met = self._noise <= ftol * max(abs(self._value), 1.0)
        return OptimizeResult(
            x=self._nearest[1],
            success=met,
            status=0 if met else _STALLED,
            message=f"f no longer changes by more than {'ftol' if met else 'its rounding'}",
            nit=nit,
        )

    def inverse(self) -> Any:
        """Return the inverse Hessian that the changes between iterates make up, an operator of shape (n, n)."""
        from scipy.optimize import LbfgsInvHessProduct

        steps, changes = (np.diff([pair[k] for pair in self._iterates], axis=0) for k in range(2))
        bent = np.einsum("ij,ij->i", steps, changes) > EPSILON * np.einsum("ij,ij->i", changes, changes)
        return LbfgsInvHessProduct(steps[bent], changes[bent])


def settling(
    problem: Problem,
    method: str,
    options: dict,
    *,
    pairs: int = 0,
    inverse: Callable[[Any], Any] | None = None,
    ftol: float = 0.0,
    **extras: Any,
) -> Any:
    """Return the result of SciPy's `method`, which searches lines by values, ended where these are rounding.

    Parameters
    ----------
    pairs : int
        How many changes of x and of the gradient make up its inverse Hessian.
    inverse : callable, optional
        What it calls `hess_inv`, of the operator of shape (n, n) that these make up.
    ftol : float
        A change of f by this, relative to f or 1, is none.
    """
    if pairs * problem.start.size > _LARGEST:
        return problem.scipy(method, options, **extras)
    search, before = _Search(problem, pairs), problem.nit
    try:
        return problem.scipy(method, options, fun=search.fun, callback=search.iterated, **extras)
    except _Settled:
        raw = search.result(problem.nit - before, ftol)
    if inverse is not None:
        raw.hess_inv = inverse(search.inverse())
    return raw
