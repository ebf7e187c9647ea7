"""Newton's method on the conditions of Karush, Kuhn and Tucker, from where a solver has come to.

Solvers end near their active limits, where a line search on a merit function no longer sees a difference, or inside by
what a barrier leaves. Given which rows hold the point, Newton's method sits on them exactly, with all digits; which
rows these are the multipliers say anew at each step.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from autoopt.solvers.bounds import within
from autoopt.solvers.conditions import DENSE
from autoopt.solvers.kkt import NEAR, Certificate, certificate
from autoopt.solvers.lagrangian import Point
from autoopt.solvers.large import large_certificate
from autoopt.solvers.problem import Stuck
from autoopt.users_code import NO_VALUE

_ITERATIONS = 20
_REACH = 10.0
"""A step that is longer, in units of the parameters, is none of a method that was nearly there."""

_SAME = 1e-2
"""After a step that is shorter the curvature is taken to be the same: each step then costs one evaluation."""

_EXACT = 1e-14
_LADDER = (NEAR, 1e-9, 1e-4, 1e-2)


def certificate_at(
    problem: Any, x: np.ndarray, near: float = NEAR, last: Certificate | None = None
) -> Certificate | None:
    """Return what `x` is, held by what is within `near` of a limit; None where the problem has no derivatives."""
    point = Point.at(problem, x, near)
    return None if point is None else _certified(problem, point, last)


def _certified(problem: Any, point: Point, last: Certificate | None = None) -> Certificate:
    is_large = problem.x0.size > DENSE
    return large_certificate(problem, point) if is_large else certificate(problem, point, last)


def polished(problem: Any, x: np.ndarray) -> Certificate | None:
    """Return the certificate of the solution at or by `x`, or of the best point that Newton's method finds beside it.

    None where the problem has no derivatives at `x`. What holds the point is looked for at several distances.
    """
    with np.errstate(all="ignore"):  # of runs that go to infinity
        return _best(problem, x)


def _best(problem: Any, x: np.ndarray) -> Certificate | None:
    best: Certificate | None = None
    tried: list[bytes] = []
    for near in _LADDER:
        point = Point.at(problem, x, near)
        if point is None:
            return None
        key = point.force.working.tobytes()
        if key in tried:
            continue
        tried.append(key)
        found = _iterated(problem, _certified(problem, point), near)
        if best is None or (found.is_minimum and not best.is_minimum):
            best = found
        if best.is_minimum:
            break
    return best


def _iterated(problem: Any, best: Certificate, near: float) -> Certificate:
    """Return the certificate at the end of Newton's steps, each of which must be shorter than the last."""
    limits = problem.limits
    for _ in range(_ITERATIONS):
        if best.step is None or not _EXACT < best.length <= _REACH:
            break
        moved = _snapped(best, within(limits, best.x + best.step))
        if np.array_equal(moved, best.x):
            break
        ahead = certificate_at(problem, moved, near, best if best.length <= _SAME else None)
        if ahead is None or not _is_better(ahead, best):
            break
        best = ahead
    return _on_bounds(problem, best, near)


def _on_bounds(problem: Any, best: Certificate, near: float) -> Certificate:
    """Return the certificate with parameters that a bound holds on it, where they are but roundings away from it."""
    moved = _snapped(best, best.x)
    if np.array_equal(moved, best.x) or not np.allclose(moved, best.x, rtol=_ROUNDED, atol=0.0):
        return best
    ahead = certificate_at(problem, moved, near, best)
    if ahead is None or ahead.value > best.value + best.noise or (best.is_minimum and not ahead.is_minimum):
        return best
    return ahead


_ROUNDED = 64 * np.finfo(np.float64).eps
"""How far that is, as a part of them."""


def _is_better(ahead: Certificate, best: Certificate) -> bool:
    if best.is_minimum and not ahead.is_minimum:
        return False
    left = float(np.abs(best.force.multipliers[best.force.working]) @ np.abs(best.force.missed))
    if best.conditions.is_feasible and not ahead.value <= best.value + 2 * left + best.noise:
        return False
    if ahead.is_minimum and not best.is_minimum:
        return True
    return ahead.length <= 0.9 * best.length


def _snapped(best: Certificate, moved: np.ndarray) -> np.ndarray:
    """Return the point with parameters that a bound holds on it to the last bit."""
    conditions, weights = best.conditions, best.force.multipliers
    first = len(conditions.values) - conditions.bounded.size
    own, moved = weights[first:], moved.copy()
    for sign, limit in ((1.0, conditions.lower), (-1.0, conditions.upper)):
        held = sign * own > 0
        moved[conditions.bounded[held]] = limit[first:][held]
    return moved


class Finish:
    """Newton's method, tried at iterates where f hardly changes: where it ends at a minimum the solver need not go on.

    A line search that looks at values alone creeps on from there, or in circles. Some methods creep from the beginning,
    as in units that differ by far: so it is also tried after so many iterations, and after twice as many.
    """

    def __init__(self, problem: Any) -> None:
        self._problem, self._last, self._least = problem, problem.initial_value, _HARDLY
        self._wait, self._pause = 0, 1
        self._count, self._due = 0, _DUE

    def at(self, x: np.ndarray) -> Certificate | None:
        """Return the certificate of the minimum at or by the iterate `x`; None if it is not tried, or is none."""
        problem, value = self._problem, self._problem.fun(x)
        change, self._last = abs(value - self._last), value
        self._wait -= 1
        if found := self.later(x):
            return found
        if self._wait > 0 or change > self._least * max(abs(value), abs(problem.initial_value - value)):
            return None
        found = self._minimum_by(x)
        self._pause *= 2
        self._wait = self._pause
        return found

    def later(self, x: np.ndarray) -> Certificate | None:
        """Return the certificate of the minimum by the iterate `x`, where many have come before; f is not asked for."""
        self._count += 1
        if self._count < self._due:
            return None
        self._due *= 2
        return self._minimum_by(x)

    def _minimum_by(self, x: np.ndarray) -> Certificate | None:
        with unnoted(self._problem), contextlib.suppress(Stuck, *NO_VALUE):
            found = polished(self._problem, x)
            return found if found is not None and found.is_minimum else None
        return None


_DUE = 64
"""Iterations: more than most runs take."""

_HARDLY = 1e-5


@contextlib.contextmanager
def unnoted(problem: Any) -> Iterator[None]:
    """Look about without noting trial points where the problem is not defined."""
    count = len(problem.undefined)
    try:
        yield
    finally:
        del problem.undefined[count:]


def ended(found: Certificate, nit: int) -> Any:
    """Return the result of a run that was ended by a certificate."""
    from scipy.optimize import OptimizeResult

    message = "Optimization terminated successfully"
    return OptimizeResult(x=found.x, fun=found.value, success=True, status=0, message=message, nit=nit, certified=found)


class Certified(Exception):
    """A run has been ended by a certificate, where a method has no other way to be stopped."""

    def __init__(self, certificate: Certificate) -> None:
        self.certificate = certificate
