"""Runs under constraints that go on where a method has given up short of a minimum.

A method may stop where its line search no longer sees f fall, at a saddle, or at a point that misses the constraints
though others meet them. From there, or from close by, it is started anew: what it has learnt of curvature misled it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import numpy as np

from autoopt.solvers.active_set import polished, unnoted
from autoopt.solvers.arcs import Arc, falling_along, falls_to_first_order
from autoopt.solvers.infeasibility import nearest
from autoopt.solvers.kkt import Certificate
from autoopt.solvers.problem import Problem, Stuck
from autoopt.users_code import NO_VALUE

_MOST = 3
_SAME = 1e-9
_ASIDE = (1e-1, 1e-2, 1e-3)
_FAR = 1e6


def carried_on(problem: Problem, solve: Callable[[np.ndarray], Any], limits: frozenset[int]) -> Any:
    """Return the result of `solve(start)` from x0 and, as long as there is reason to, from where it has come to.

    A run that ended by one of the statuses `limits` is not gone on with. `result.certified` is what its end is, and
    `result.fall`, where it was looked for, how f falls from there.
    """
    raw = solve(problem.start)
    tried = [problem.start]
    for _ in range(_MOST if problem.constraints else 0):
        if (raw.status in limits and "certified" not in raw) or not np.isfinite(raw.x).all():
            break
        with unnoted(problem), np.errstate(all="ignore"), contextlib.suppress(Stuck, *NO_VALUE):
            found = raw.get("certified") or polished(problem, np.asarray(raw.x, dtype=np.float64))
            raw["certified"] = found
            start = None if found is None else _start(problem, found, raw)
            if start is None or any(_is_same(problem, start, one) for one in tried):
                break
            tried.append(start)
            before, nit, raw = raw, raw.nit, solve(start)
            raw.nit += nit
            if not np.isfinite(raw.x).all():
                return before
            continue
        break
    return raw


def _is_same(problem: Problem, x: np.ndarray, y: np.ndarray) -> bool:
    return bool(np.max(np.abs(x - y) / np.maximum(np.abs(y), 1.0), initial=0.0) <= _SAME)


def _start(problem: Problem, found: Certificate, raw: Any) -> np.ndarray | None:
    """Return where to begin anew; None where the run is at its end. `raw.fall` is then how f falls from there."""
    if found.status == "infeasible":
        least = nearest(problem, found.x)
        return least.x if least is not None and least.met else None
    if found.status in ("minimum", "saddle"):
        fall = raw["fall"] = falling_along(problem, found)
        return None if fall is None else _aside(problem, found, fall.direction)
    far = np.max(np.abs(found.x - problem.x0), initial=0.0) > _FAR * np.max(np.maximum(np.abs(problem.x0), 1.0))
    return found.x if not far and falls_to_first_order(problem, found) else None


def _aside(problem: Problem, found: Certificate, direction: np.ndarray) -> np.ndarray | None:
    """Return the point farthest along `direction`, to one side or the other, at which f is lower."""
    arc = Arc(problem, found)
    for length in _ASIDE:
        sides = [side * length * direction for side in (1.0, -1.0)]
        values = np.array([arc.at(step) for step in sides])
        lower = values < found.value - arc.noise  # none of a side that is not allowed, where it is NaN
        if lower.any():
            return found.x + sides[int(np.nanargmin(values))]
    return None


def size_of_objective(problem: Problem) -> float:
    """Return what f is to be divided by under constraints, beside whose violations methods weigh it: mostly 1.

    Where the parameters' own sizes change it by less than 1e-3 or more than 1e3 at the start, it is that change.
    """
    slopes = np.abs(problem.jac(problem.start)) * np.maximum(np.abs(problem.start), 1.0)
    size = float(np.max(slopes, initial=0.0))
    ordinary = not np.isfinite(size) or size == 0 or _ORDINARY[0] <= size <= _ORDINARY[1]
    return 1.0 if ordinary or not problem.constraints else size


_ORDINARY = 1e-3, 1e3
