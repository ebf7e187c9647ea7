"""How a run without constraints ends: it goes on from stalls and saddles until its certificate says what the end is.

the method stops                    certificate        what follows
  by its own test, or a stall       minimum            nothing
                                    descending         Newton steps, then the method once more from there
                                    saddle             the method once more, from the point where f is lower
  at a tolerance that the user set  descending         nothing, unless a Newton step promises much
  at a limit of its own             any                Newton steps
  at a limit that the user set      any                nothing
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np

from autoopt.errors import AutooptError
from autoopt.origin import is_from_solver
from autoopt.solvers.bounds import within
from autoopt.solvers.certificate import Certificate, certificate, in_valley
from autoopt.solvers.convergence import gradient_tolerance, never_rises
from autoopt.solvers.iterations import two_loops
from autoopt.solvers.points import ROUNDINGS, Point, is_cheap, is_small, is_steady, rounded
from autoopt.solvers.problem import Paused, Problem, Stalled, Stuck, Unbounded
from autoopt.solvers.table import Solver
from autoopt.wording import could_not_go_on

_SADDLES, _STALLS = 12, 3
"""So many times a run goes on from a saddle, or after a stall."""

_UNSEEN_FALL = 1 / 64
"""A fall of this part of the noise, which is 16 roundings, is none: less than half a rounding."""

_NEWTON_STEPS = 60
_HALVINGS = 30
_MOST, _ITERATED = 200, 48
"""The most products of a certificate, and those of one by iterations that sees what there is to see."""

_POLISH = 200
"""Evaluations that Newton's steps may take, however few the run took."""

_NEAR = 1e-3
"""A bound that is nearer than this part of a parameter's size may be where it belongs."""

_LOST = 50
"""With so many trial points that are not defined, a start that was not left is given up."""

_LIMITS = ("maxiter", "maxfun", "maxfev")
ENDLESS, _FALLEN = 97, 1e20
"""The status of a run whose objective fell by so many times the size of its value at x0 (or 1): it has no minimum."""

_CLOSER = 3
"""So many Newton steps are taken from a minimum where the gradient is not yet what the method should have come to."""

_LOOKED_AHEAD = 4
"""After so many Newton steps it is seen whether they lead to infinity."""

_LEAPS = 10
"""So many Newton steps are taken on trust where f is rounding."""

_UNSEEN = Certificate("unknown")


@dataclass
class Ending:
    """The end of a run: SciPy's last result, the point, its certificate, and what was done after the method stopped."""

    raw: Any
    x: np.ndarray
    found: Certificate = _UNSEEN
    newton_steps: int = 0
    saddles: list[Certificate] = field(default_factory=list)
    is_continued: bool = False
    is_endless: bool = False
    _asked: Certificate | None = None
    _endless: tuple[np.ndarray, float] | None = None

    def endless(self, problem: Problem) -> tuple[np.ndarray, float] | None:
        """Return what `never_rises` does at this end, looked for once."""
        if self._asked is not self.found:
            self._asked, self._endless = self.found, never_rises(problem, self.x, self.found)
        return self._endless

    def iterations(self, problem: Problem) -> int:
        """Return the number of iterations: the method's own count, unless it ran more than once."""
        own = problem.nit if self.is_continued else self.raw.get("nit", problem.nit - self.newton_steps)
        return int(own) + (0 if self.is_continued else self.newton_steps)


def ended(solver: Solver, problem: Problem, options: dict, chosen: Collection[str]) -> Ending:
    """Return the end of the run of `solver`.

    Parameters
    ----------
    chosen : collection of str
        The options that the user set.
    """
    raw = _run(solver, problem, options)
    if problem.constraints or solver.settles or problem.shown is not None:
        return Ending(raw, np.asarray(raw.x, dtype=np.float64))
    with np.errstate(all="ignore"):
        return _settled(solver, problem, options, chosen, raw)


def _run(solver: Solver, problem: Problem, options: dict) -> Any:
    """Return what the method comes to; where the objective fell without end, the best point."""
    from scipy.optimize import OptimizeResult

    problem.lowest = problem.initial_value - _FALLEN * max(1.0, abs(problem.initial_value))
    try:
        return solver.function(problem, options)
    except Unbounded:
        message = "The run was ended at the lowest point that it had come to."
        return OptimizeResult(x=problem.best, success=False, status=ENDLESS, message=message, nit=problem.nit)
    except Stalled:
        message = "Its steps came to rounding."
    except Exception as error:  # SciPy's own, as of a matrix that rounding has spoiled
        is_ours = isinstance(error, AutooptError) or error is problem.raised or not is_from_solver(error)
        if is_ours or problem.constraints or not solver.stalls:
            raise
        message = could_not_go_on(solver.name, error)
    finally:
        problem.lowest = -np.inf  # what is looked at from now on is on nobody's way
    return OptimizeResult(x=problem.best, success=False, status=max(solver.stalls), message=message, nit=problem.nit)


def _settled(solver: Solver, problem: Problem, options: dict, chosen: Collection[str], raw: Any) -> Ending:
    """Return the end of a run without constraints that came to `raw`."""
    end = _looked_at(problem, raw, is_met(solver, raw, chosen))
    for _ in range(_SADDLES + _STALLS):
        if not _may_go_on(solver, problem, end, chosen, options):
            end.found = in_valley(problem, end.x, end.found)
            return end
        if not end.raw.success and len(problem.undefined) > _LOST and np.array_equal(end.x, problem.x0):
            return end
        value = problem.fun(end.x)
        _polish(problem, end, options.get("gtol", gradient_tolerance(problem)))
        if end.endless(problem):
            return end
        end.found = in_valley(problem, end.x, end.found)
        if end.found.status == "saddle" and len(end.saddles) < _SADDLES:
            end.saddles.append(end.found)
            start = end.x if end.found.lower is None else end.found.lower
        elif end.found.status == "descending":
            start = end.x if end.found.lower is None else end.found.lower
        else:
            return end
        moved = not np.array_equal(end.x, problem.x0)
        if not _is_left(problem, options) or not (moved or end.raw.success or end.found.status == "saddle"):
            return end
        try:
            again = _again(solver, problem, options, start, end)
        except Stuck:  # a first run that gets stuck is the user's to know of; here there is an end already
            return end
        after = _looked_at(problem, again)
        if not problem.fun(after.x) < value - after.found.noise:
            return end
        end = Ending(again, after.x, after.found, end.newton_steps, end.saddles, True)
    return end


def _looked_at(problem: Problem, raw: Any, met: bool = False) -> Ending:
    """Return the end at SciPy's point, or at the best one where that is not defined or higher."""
    x = within(problem.limits, np.asarray(raw.x, dtype=np.float64))
    rounding = ROUNDINGS * rounded(problem, problem.best_value)
    if not -np.inf < problem.value(x) <= problem.best_value + rounding:
        x = problem.best
    x = _onto_bounds(problem, x)
    metric = _metric(raw)
    return Ending(raw, x, certificate(problem, x, _products(problem, x.size, metric is not None), metric, met))


def _onto_bounds(problem: Problem, x: np.ndarray) -> np.ndarray:
    """Return `x` with the parameters on their bounds that f falls towards and that are near, if f falls: an interior
    method ends beside them."""
    if problem.limits is None:
        return x
    point, limits = Point(problem, x), problem.limits
    low = (point.gradient > 0) & (x - limits.lower <= _NEAR * point.size)
    high = (point.gradient < 0) & (limits.upper - x <= _NEAR * point.size)
    moved = np.where(low, limits.lower, np.where(high, limits.upper, x))
    return moved if problem.value(moved) <= point.value else x


def _products(problem: Problem, size: int, has_metric: bool) -> int:
    """Return how many products with the Hessian a certificate may take.

    A twentieth of the evaluations that the run took, a quarter of its products, or all where these are cheap or few:
    counts, and no seconds, so that a run ends at the same point whenever it is repeated. There may be none where the
    method has built a metric of its own.
    """
    if problem.nit <= 1 or problem.second == "hess" or is_cheap(problem, size):
        return _MOST
    if size <= problem.nfev // 8 and is_cheap(problem, size, 20):
        return _MOST
    few = max(0 if has_metric else 1, min(problem.nfev // 40 + problem.nhvp // 4, _MOST))
    return _ITERATED if few < _ITERATED and is_cheap(problem, _ITERATED) else few


def _metric(raw: Any) -> Callable | None:
    """Return the product with the inverse Hessian that a quasi-Newton method has built; None if there is none."""
    inverse = raw.get("hess_inv")
    if inverse is None:
        return None
    if hasattr(inverse, "sk"):  # SciPy's product begins at 1, in whatever units
        return partial(two_loops, inverse.sk, inverse.yk)
    return inverse.matvec if hasattr(inverse, "matvec") else inverse.__matmul__


def _may_go_on(solver: Solver, problem: Problem, end: Ending, chosen: Collection[str], options: dict) -> bool:
    """Whether the run may go on: it stopped by itself or at its own limit, and not where the user had it stop."""
    if not (end.raw.success or end.raw.status in solver.stalls):
        is_lost = not np.isfinite(problem.value(np.asarray(end.raw.x, dtype=float)))
        is_due = end.is_continued or not _is_left(problem, options)
        return is_lost or (is_due and not {*_LIMITS} & {*chosen})
    if not end.raw.success and {*_LIMITS} & {*chosen}:
        return False
    return not (is_met(solver, end.raw, chosen) and end.found.status in ("descending", "minimum"))


def is_met(solver: Solver, raw: Any, chosen: Collection[str]) -> bool:
    """Whether the method ended by a tolerance that the user set."""
    return bool(raw.success and {*solver.tol} & {*chosen})


def is_far(problem: Problem, end: Ending) -> bool:
    """Whether a Newton step promises more than a hundredth of f at a start that was not left.

    A tolerance that the user sets is the user's, but one that the start meets may not fit the units of f.
    """
    return np.array_equal(end.x, problem.x0) and end.found.decrement > 1e-2 * abs(problem.fun(end.x))


def _is_left(problem: Problem, options: dict) -> bool:
    """Whether the limit of iterations leaves any."""
    return problem.nit < options.get("maxiter", np.inf) and problem.nfev < options.get("maxfun", np.inf)


def _again(solver: Solver, problem: Problem, options: dict, start: np.ndarray, end: Ending) -> Any:
    """Run the method once more from `start`, to a tolerance that the point before does not meet."""
    problem.start = problem.latest = start
    left = {"maxiter": problem.nit, "maxfun": problem.nfev}
    limits = {name: options[name] - used for name, used in left.items() if name in options}
    if "gtol" in options and end.found.decrement > 0:
        share = min(1e-2, np.sqrt(end.found.tolerance / end.found.decrement))
        limits["gtol"] = options["gtol"] * max(share, 1e-12)
    return _run(solver, problem, options | limits)


def _polish(problem: Problem, end: Ending, gtol: float) -> None:
    """Take Newton steps from the end of a run as long as they lead down, and put where they lead in its place.

    Comparing values of f finds x to half its digits; the gradient, which a Newton step uses, has them all.
    """
    until = problem.nfev + max(_POLISH, problem.nfev)
    closer, metric = _CLOSER, _metric(end.raw)
    for count in range(2 * _NEWTON_STEPS):
        if count >= _NEWTON_STEPS and end.found.status != "minimum":
            return
        if count % _LOOKED_AHEAD == _LOOKED_AHEAD - 1 and end.endless(problem):
            return
        point, step = Point(problem, end.x), end.found.step
        is_met = np.max(np.abs(problem.projected_gradient(end.x)), initial=0.0) <= gtol
        # Conjugate gradients that end within the noise make no Newton step, and cost products.
        is_newton = end.found.complete or metric is not None
        is_due = (
            (is_newton and closer > 0 and not (is_met and is_small(point.size, step)))
            or (is_newton and end.found.decrement > 4 * end.found.noise and not is_small(point.size, step))
            or end.found.status == "descending"
            or not is_steady(point.size, step)
        )
        if not is_due or end.found.status in ("saddle", "lost") or step is None or problem.nfev > until:
            return
        moved = _down(point, step)
        if moved is None:
            _leap(problem, end)
            return
        closer -= end.found.status != "descending"
        _move(problem, end, moved)


def _move(problem: Problem, end: Ending, moved: np.ndarray) -> None:
    """Put the point that a Newton step led to in the place of the end."""
    end.newton_steps += 1
    with contextlib.suppress(Unbounded, Paused):
        problem.iterated(moved, *_states(problem, moved))
    metric = _metric(end.raw)
    products = _products(problem, moved.size, metric is not None)
    end.x, end.found = moved, certificate(problem, moved, products, metric)


def _states(problem: Problem, x: np.ndarray) -> list[Any]:
    """Return what a method that shows its state to callbacks says of `x`: what it said last, but for the point."""
    if problem.state is None:
        return []
    state = problem.state.copy()
    state.update(x=x, fun=problem.fun(x), grad=problem.jac(x), nit=problem.nit + 1)
    return [type(problem.state)(**state)]


def _leap(problem: Problem, end: Ending) -> None:
    """Take full Newton steps where f does not tell, being rounding, if they lead to a minimum; else stay."""
    start = Point(problem, end.x)
    trial = replace(end)
    for _ in range(_LEAPS):
        found = trial.found
        if found.step is None or found.status == "saddle" or not found.decrement <= 4 * start.noise:
            return
        moved = within(problem.limits, trial.x + found.step)
        if not (problem.is_defined(moved) and problem.fun(moved) <= start.value + start.noise):
            return
        _move(problem, trial, moved)
        if trial.found.status == "minimum" and is_small(Point(problem, moved).size, trial.found.step):
            end.x, end.found, end.newton_steps = trial.x, trial.found, trial.newton_steps
            return


def _down(point: Point, step: np.ndarray) -> np.ndarray | None:
    """Return the first of x + step / 2^k at which f falls as it should, None if there is none.

    Where f does not tell, being rounding, the gradient in units of the parameters' sizes does: it falls to a half, as
    it cannot by less than half a step.
    """
    problem = point.problem
    slope = float(point.gradient @ step)
    steepest = np.max(np.abs(point.gradient * point.size)[point.free], initial=0.0)
    length = 1.0
    for _ in range(_HALVINGS):
        moved = within(problem.limits, point.x + length * step)
        if np.array_equal(moved, point.x):
            return None
        if problem.is_defined(moved):
            fall = point.value - problem.fun(moved)
            if fall > 0 and fall >= -1e-4 * length * slope:
                return moved
            if abs(fall) <= point.noise or abs(fall) <= 4 * point.roughness:
                there = np.abs(problem.jac(moved) * point.size)[point.free]
                if np.max(there, initial=0.0) <= steepest / 2:
                    return moved
        length /= 2
        if length < 0.5 and -length * slope <= _UNSEEN_FALL * point.noise:
            return None
    return None
