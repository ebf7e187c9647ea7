"""`starts=`: one method from several starts, on one trace; those that lead nowhere new are ended early.

A run is ended where it comes to a minimum that is known, and where it falls so slowly that twenty times as many steps
would not bring it to the lowest one. Random numbers come from a seed: two calls are the same.

What is kept in checkpoints, so that a call that was killed goes on with the start that it was at:

    {"points": digest of all starts, "done": 7, "at": where the eighth has come to, "minima": [[x, fun, count], ...],
     "others": [[status, fun], ...] of runs that led to none, "lowest": [x, fun] of these, "stopped": 2, "undefined": 0}
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
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
from autoopt.solvers.translation import variables_of

_SAME, _SAME_VALUE = 1e-5, 1e-8
_NEAR, _NEAR_VALUE = 1e-4, 1e-6
_LOOK_BACK, _PATIENCE = 5, 20.0
_DRAWS = 20
_KEPT = 100_000
"""So many numbers of minima are kept in a checkpoint: 2 MB."""


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
        self.before: list[Any] = []  # statuses and values of runs without a minimum, in parts that were killed
        self.lowest: tuple[np.ndarray, float] | None = None  # the lowest of these
        self.stopped = self.undefined = self.done = 0
        self.at: np.ndarray | None = None  # where the run that is on has come to

    def over(self, points: Sequence[np.ndarray]) -> Any:
        """Return the best result of all, which says what was found."""
        record = self.problem.record
        ahead = points if record is None else self._left(points)
        if record is not None:
            which = _digest(points)
            record.searching("starts", lambda: {"points": which, **self._state()})
        for result in self._runs(ahead):
            self._noted(result)
            self.done, self.at = self.done + 1, None
            if record is not None:
                record.look(self.problem)
        best = self._best()
        best.minima = sorted(self.minima, key=lambda minimum: minimum.fun)
        best.nit = self.problem.nit
        said, best.is_judged = str(best.message).strip(), True
        best.message = f"{said}{'' if said[-1:] in '.!?)' else '.'} {self._found(len(points))}"
        return best

    def _runs(self, points: Sequence[np.ndarray]) -> Iterator[Any]:
        """Yield the results from the points."""
        if self.plan.processes > 1 and len(points):
            from autoopt.solvers.processes import in_processes

            for result in in_processes(self._one, points, self.plan.processes):
                self._counted(result)
                yield result
        else:
            yield from map(self._one, points)

    def _best(self) -> Any:
        """Return the best result, a minimum if there is one; what is known of earlier parts alone is run from again."""
        succeeded = [result for result in self.results if result.success]
        best = min(succeeded or self.results, key=lambda result: result.fun, default=None)
        earlier = min(((one.flat, one.fun) for one in self.minima), key=lambda known: known[1], default=self.lowest)
        is_kind = bool(succeeded) or not self.minima  # a minimum, where there is one
        if earlier is None or (best is not None and is_kind and best.fun <= earlier[1]):
            return best
        with beside(self.problem, earlier[0]) as other:
            return run(self.solver, other, self.settings)

    def _state(self) -> dict[str, Any]:
        """Return what a later part of the run goes on with; of many minima the lowest."""
        most = max(1, _KEPT // self.problem.x0.size)
        minima = sorted(self.minima, key=lambda minimum: minimum.fun)[:most]
        failed = [result for result in self.results if not result.success]
        known = [(one.x, one.fun) for one in failed] + ([] if self.lowest is None else [self.lowest])
        lowest = min(known, key=lambda one: one[1], default=None)
        return {
            "done": self.done,
            "at": None if self.at is None else self.at.tolist(),
            "minima": [[one.flat.tolist(), one.fun, one.count] for one in minima],
            "others": [[int(one.status), float(one.fun)] for one in (*self.before, *failed)],
            "lowest": None if lowest is None else [lowest[0].tolist(), float(lowest[1])],
            "stopped": self.stopped,
            "undefined": self.undefined,
        }

    def _left(self, points: Sequence[np.ndarray]) -> Sequence[np.ndarray]:
        """Return which starts are left to be done; of other starts than before all, the best point among them."""
        from scipy.optimize import OptimizeResult

        record = self.problem.record
        if (left := record.left("starts")) is None:
            return points
        if left["points"] != _digest(points):
            best = record.point.x
            return points if best is None else [variables_of(self.problem, np.array(best)), *points[1:]]
        for name in ("done", "stopped", "undefined"):
            setattr(self, name, left[name])
        for x, fun, count in left["minima"]:
            self.minima.append(Minimum(self.value(np.array(x)), fun, count, np.array(x)))
        self.before = [OptimizeResult(status=status, fun=fun, success=False) for status, fun in left["others"]]
        self.lowest = left["lowest"] and (np.array(left["lowest"][0]), left["lowest"][1])
        ahead = list(points[self.done :])
        return [np.array(left["at"]), *ahead[1:]] if left["at"] is not None else ahead

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
        others = [*self.before, *(result for result in self.results if not result.success)]
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
            self.at = x
            if other.best_value < problem.best_value:
                problem.best, problem.best_value = other.best, other.best_value
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


def _digest(points: Sequence[np.ndarray]) -> str:
    """Return what tells one sequence of starts from another."""
    return hashlib.sha256(b"".join(np.ascontiguousarray(point).tobytes() for point in points)).hexdigest()


def _are_close(one: Any, other: Any, share: float) -> bool:
    return bool(np.max(np.abs(one - other) / np.maximum(np.abs(other), 1.0), initial=0.0) <= share)
