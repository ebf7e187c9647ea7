"""`starts=`: one method from several starts, on one trace; those that lead nowhere new are ended early.

A run is ended where it comes to a minimum that is known, and where it falls so slowly that twenty times as many steps
would not bring it to the lowest one. Random numbers come from a seed: two calls are the same.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autoopt.errors import UsageError
from autoopt.solvers.bounds import within
from autoopt.solvers.constrained import UNBOUNDED
from autoopt.solvers.descents import beside
from autoopt.solvers.ending import ENDLESS
from autoopt.solvers.problem import Problem, Stopped, Unbounded
from autoopt.solvers.run import STOPPED, run
from autoopt.solvers.table import Solver

_SAME, _SAME_VALUE = 1e-5, 1e-8
_NEAR, _NEAR_VALUE = 1e-4, 1e-6
_LOOK_BACK, _PATIENCE = 5, 20.0
_DRAWS = 20


@dataclass(frozen=True)
class Starts:
    """Several starts for `minimize(..., starts=Starts(20))`, which may also be written `starts=20`.

    Parameters
    ----------
    n : int
        How many there are, x0 included, which is the first.
    seed : int or numpy.random.Generator
        Of the others: drawn evenly between finite bounds, else from a normal distribution around x0.
    spread : float
        The standard deviation of that, in units of max(|x0_i|, 1).
    processes : int
        How many run at a time, as forks of this process, each to its end; 1 for this one alone.
    stop_early : bool
        Whether runs end that come to a known minimum, or could only come to a higher one. With False every minimum that
        is reached is found, not only those that beat the lowest one on their way.

    Raises
    ------
    UsageError
        If one of them is not understood.
    """

    n: int
    seed: Any = 0
    spread: float = 1.0
    processes: int = 1
    stop_early: bool = True

    def __post_init__(self) -> None:
        for name in ("n", "processes"):
            value = getattr(self, name)
            if not isinstance(value, int | np.integer) or value < 1:
                raise UsageError(
                    f"{name}={value!r} is not understood.", remedy=f"give {name} a whole number from 1 on."
                )
        if not self.spread > 0:
            raise UsageError(f"spread={self.spread!r} is not positive.", remedy="give it a positive number.")

    def points(self, problem: Problem) -> Iterator[np.ndarray]:
        """Yield n starts, x0 first; of those drawn, points where the objective is defined if there are any near."""
        rng = np.random.default_rng(self.seed)
        yield problem.x0
        for _ in range(self.n - 1):
            for _ in range(_DRAWS):
                point = self._drawn(problem, rng)
                if np.isfinite(problem.original(point)):
                    break
            yield point

    def _drawn(self, problem: Problem, rng: np.random.Generator) -> np.ndarray:
        x0, limits = problem.x0, problem.limits
        around = x0 + self.spread * np.maximum(np.abs(x0), 1.0) * rng.standard_normal(x0.size)
        even = rng.random(x0.size)
        if limits is None:
            return around
        inside = np.isfinite(limits.lower) & np.isfinite(limits.upper)
        low, high = (np.where(inside, side, 0.0) for side in (limits.lower, limits.upper))
        return np.where(inside, low + even * (high - low), np.clip(around, limits.lower, limits.upper))


@dataclass
class Minimum:
    """A minimum that several starts led to: `x` in the structure of x0, `fun`, and `count`, how many did."""

    x: Any
    fun: float
    count: int = 1
    flat: np.ndarray = field(default_factory=lambda: np.zeros(0), repr=False)


def repeated(solver: Solver, starts: Any, view: Any) -> Solver:
    """Return the method that runs `solver` from each of `starts`; `view` has the user's parameters as its variables.

    `starts` is None, a number, `Starts`, or a sequence of values of x0's structure, before which x0 is the first.
    """
    if starts is None:
        return solver
    if isinstance(starts, bool) or (np.ndim(starts) == 0 and not isinstance(starts, Starts | int | np.integer)):
        raise UsageError(f"starts={starts!r} is not understood.", remedy="give a number, Starts(n) or a list.")
    drawn = Starts(int(starts)) if isinstance(starts, int | np.integer) else starts
    given = None if isinstance(drawn, Starts) else [view.variables_of(start) for start in starts]
    plan = drawn if isinstance(drawn, Starts) else Starts(1 + len(starts))

    def search(problem: Problem, options: dict) -> Any:
        points = plan.points(problem) if given is None else iter([problem.x0, *given])
        return _Search(solver, problem, options, plan, view.value).over(list(points))

    return dataclasses.replace(
        solver, function=search, keeps=(*solver.keeps, "minima"), stalls=frozenset(), automatic=False, settles=True
    )


class _Search:
    """The runs from all starts, and what they have found so far."""

    def __init__(self, solver: Solver, problem: Problem, settings: dict, plan: Starts, value: Callable) -> None:
        self.solver, self.problem, self.settings, self.plan, self.value = solver, problem, settings, plan, value
        self.minima: list[Minimum] = []
        problem.findings["minima"] = self.minima
        self.results: list[Any] = []
        self.stopped = self.undefined = 0

    def over(self, points: Sequence[np.ndarray]) -> Any:
        """Return the best result of all, which says what was found."""
        if self.plan.processes > 1:
            from autoopt.solvers.processes import in_processes

            for result in in_processes(self._one, points, self.plan.processes):
                self._counted(result)
                self._noted(result)
        else:
            for point in points:
                self._noted(self._one(point))
        succeeded = [result for result in self.results if result.success]
        best = min(succeeded or self.results, key=lambda result: result.fun)
        best.minima = sorted(self.minima, key=lambda minimum: minimum.fun)
        best.nit = self.problem.nit
        said, best.is_judged = str(best.message).strip(), True
        best.message = f"{said}{'' if said[-1:] in '.!?)' else '.'} {self._found(len(points))}"
        return best

    def _counted(self, result: Any) -> None:
        """Count what a fork has done, and keep its best point."""
        if result is None:
            return
        problem = self.problem
        for count in ("nfev", "nhev", "nhvp", "nit"):
            setattr(problem, count, getattr(problem, count) + result[count])
        problem.nalone += result.nfev - result.njev
        if result.fun < problem.best_value and not problem.constraints:
            problem.best, problem.best_value = result.x, result.fun

    def _found(self, count: int) -> str:
        minima = len(self.minima)
        different = f"{minima} different minim{'um' if minima == 1 else 'a'}"
        parts = [f"{sum(minimum.count for minimum in self.minima)} of {count} starts led to {different}"]
        parts += [f"{self.stopped} were stopped as they would have led to higher ones"] if self.stopped else []
        parts += [f"at {self.undefined} the objective is not defined"] if self.undefined else []
        return "; ".join([*parts, *self._without_minimum()]) + "."

    def _without_minimum(self) -> Iterator[str]:
        """Yield in words what the other runs came to, and how low where that is below the minima."""
        others = [result for result in self.results if not result.success]
        endless = [result for result in others if result.status in (ENDLESS, UNBOUNDED)]
        lowest = min((minimum.fun for minimum in self.minima), default=np.inf)
        for which, words in (
            (endless, "to where the objective falls without end or its minimum lies at infinity"),
            ([result for result in others if result.status not in (ENDLESS, UNBOUNDED)], "to no minimum"),
        ):
            reached = min((result.fun for result in which), default=np.inf)
            lower = f", as low as {reached:.6g}" if self.minima and reached < lowest else ""
            if which:
                yield f"{len(which)} led {words}{lower}"

    def _one(self, point: np.ndarray) -> Any:
        """Return the result from one start; None where the objective is not defined there."""
        problem = self.problem
        point = within(problem.limits, point)
        if not np.isfinite(problem.value(point)):
            return None
        ended: list[Any] = []
        values: list[float] = []

        def watch(x: np.ndarray, value: float, state: Any) -> None:
            with contextlib.suppress(Unbounded):  # another run has found that, and this one may end at a minimum
                problem.iterated(x, state)
            values.append(value)
            if self.plan.stop_early and (why := self._leads_nowhere(x, values)) is not None:
                ended.append(why)
                raise StopIteration

        with beside(problem, point) as other:
            result = run(self.solver, other, self.settings, callback=watch)
        if result.status == STOPPED and not ended:  # by the user's callback
            raise Stopped
        result.known = ended[0] if ended else None
        return result

    def _leads_nowhere(self, x: np.ndarray, values: list[float]) -> Any:
        """Return which known minimum a run has come to, -1 where it could only come to a higher one, else None."""
        if not self.minima or self.problem.constraints:
            return None
        for number, minimum in enumerate(self.minima):
            if _are_close(x, minimum.flat, _NEAR) and _are_close(values[-1], minimum.fun, _NEAR_VALUE):
                return number
        lowest = min(minimum.fun for minimum in self.minima)
        if len(values) > 2 * _LOOK_BACK:
            fall = values[-1 - _LOOK_BACK] - values[-1]
            if values[-1] - _PATIENCE * fall > lowest + _NEAR_VALUE * max(1.0, abs(lowest)):
                return -1
        return None

    def _noted(self, result: Any) -> None:
        """Note what a run has come to."""
        if result is None:
            self.undefined += 1
            return
        known = result.pop("known", None)
        if known is not None and known >= 0:
            self.minima[known].count += 1
            return
        if known is not None:
            self.stopped += 1
            return
        self.results.append(result)
        if not result.success:
            return
        for minimum in self.minima:
            if _are_close(result.x, minimum.flat, _SAME) and _are_close(result.fun, minimum.fun, _SAME_VALUE):
                minimum.count += 1
                return
        self.minima.append(Minimum(self.value(result.x), float(result.fun), flat=np.array(result.x)))


def _are_close(one: Any, other: Any, share: float) -> bool:
    return bool(np.max(np.abs(one - other) / np.maximum(np.abs(other), 1.0), initial=0.0) <= share)
