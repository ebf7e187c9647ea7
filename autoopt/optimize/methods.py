"""The methods of least squares: SciPy's, each followed by the steps of `refinement`, and the order they are tried in.

A method that ends where no minimum shows (a plateau, a saddle, a creeping run) is followed by the next one from the
start, where the user left the choice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autoopt import solvers
from autoopt.errors import AutooptError, UsageError
from autoopt.optimize.objections import has_lost, is_refused, objection
from autoopt.optimize.refinement import refined
from autoopt.optimize.whitened import Whitened
from autoopt.solvers.bounds import within
from autoopt.solvers.curvature import falling
from autoopt.solvers.problem import Problem
from autoopt.wording import could_not_go_on

METHODS: dict[str, Method] = {}

_SHARP = (1e-8, 1e-15)
"""Tolerances of a run, and of what follows where Newton's steps do not finish it."""

_ESCAPES = 5
"""Saddles that are left, along their negative curvature."""

STALLED, EVALUATIONS = 2, 0


@dataclass(frozen=True)
class Method:
    """A method of SciPy's least_squares: what it takes of "bounds", "loss", "sparse", "underdetermined", "steps"."""

    name: str
    description: str
    takes: frozenset[str]
    beyond: Callable[[np.ndarray, int], np.ndarray]
    """What the method is told where the residuals are not defined, of the last ones."""


def _nothing(last: np.ndarray, count: int) -> np.ndarray:
    return np.full(count, np.nan)


def _far(last: np.ndarray, count: int) -> np.ndarray:
    return np.full(count, 100 * (1.0 + float(np.max(np.abs(last), initial=0.0))))


_ALL = frozenset({"bounds", "loss", "sparse", "underdetermined", "steps"})
for row in (
    Method("lm", "Levenberg-Marquardt, MINPACK's: no bounds, plain squares.", frozenset(), _far),
    Method("trf", "Trust region, reflective at bounds; sparse Jacobians.", _ALL, _nothing),
    Method("dogbox", "Dogleg steps in rectangular trust regions.", _ALL, _nothing),
):
    METHODS[row.name] = row


def chosen(method: Any, demands: dict[str, bool]) -> tuple[str, ...]:
    """Return the methods that are tried, in this order.

    Raises
    ------
    UsageError
        If there is no such method, or it does not take what is demanded.
    """
    wanted = {thing for thing, is_wanted in demands.items() if is_wanted}
    able = tuple(name for name, row in METHODS.items() if wanted <= row.takes)
    if method is None:
        return able
    if not isinstance(method, str) or method.lower() not in METHODS:
        raise UsageError(f"There is no method {method!r}.", remedy=f"use one of {', '.join(METHODS)}.")
    if missing := sorted(wanted - METHODS[method.lower()].takes):
        words = {
            "bounds": "bounds",
            "loss": "loss but linear",
            "sparse": "sparse Jacobian",
            "steps": "tr_solver and tr_options",
            "underdetermined": "fewer residuals than parameters",
        }
        raise UsageError(
            f"The method {method} takes no {' and no '.join(words[thing] for thing in missing)}.",
            remedy=f"use one of {', '.join(able)}, or leave method out.",
        )
    return (method.lower(),)


def require_understood(options: Mapping[str, Any]) -> None:
    """Raise UsageError for options of SciPy's that are no numbers, or none of its words."""
    for name in ("ftol", "xtol", "gtol"):
        value = options.get(name)
        if value is not None and not (_is_number(value) and value >= 0):
            raise UsageError(f"{name}={value!r} is not understood.", remedy="give a number, or leave it out.")
    most = options.get("max_nfev")
    if most is not None and not (_is_number(most) and most >= 1 and most == int(most)):
        raise UsageError(
            f"max_nfev={most!r} is not understood.", remedy="give a whole number of evaluations from 1 on."
        )
    if options.get("tr_solver") not in (None, "exact", "lsmr"):
        remedy = 'use "exact" or "lsmr", or leave it out.'
        raise UsageError(f"tr_solver={options['tr_solver']!r} is not understood.", remedy=remedy)
    if not isinstance(options.get("tr_options"), Mapping | None):
        raise UsageError(f"tr_options={options['tr_options']!r} is no dict.", remedy="pass a dict, or leave it out.")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.number) and not isinstance(value, bool) and bool(np.isfinite(value))


@dataclass(frozen=True)
class _Run:
    """One call of SciPy's least_squares on a Problem, from `start`."""

    problem: Problem
    options: dict[str, Any]

    def __call__(self, method: str, start: np.ndarray, tolerance: float) -> Any:
        """Return what the method comes to, begun anew from its last iterate where it has lost its way.

        SciPy's dogbox steps to NaN, and from then on, where Gauss-Newton's step is the steepest one and just too long.
        """
        from scipy.optimize import OptimizeResult

        problem, options = self.problem, self._settings(method, tolerance)
        for _ in range(_RESTARTS):
            before = problem.nfev
            try:
                raw = self._from(method, start, options)
            except _Lost:
                options["max_nfev"] = max(options["max_nfev"] - (problem.nfev - before), 1)
                start = within(problem.limits, problem.best * (1 + _ASIDE * np.array_equal(problem.best, start)))
                continue
            if raw.status == EVALUATIONS and problem.best_value < problem.value(raw.x):  # lm ends at its last trial
                raw.x = problem.best
            return raw
        return OptimizeResult(x=problem.best, status=STALLED, success=False, message=f"{method} steps to no number")

    def _from(self, method: str, start: np.ndarray, options: dict[str, Any]) -> Any:
        from scipy.optimize import OptimizeResult, least_squares

        problem, squares = self.problem, self.problem.objective
        residuals, beyond = squares.residuals, METHODS[method].beyond

        def value(x: np.ndarray) -> np.ndarray:
            if not np.isfinite(x).all():
                raise _Lost
            if problem.is_defined(x):
                return residuals.value(x)
            return beyond(residuals.value(problem.latest), residuals.count)

        def slopes(x: np.ndarray) -> Any:
            if not np.array_equal(x, start):
                problem.iterated(x)
            at = problem.defined(x)
            return residuals.dense_jacobian(at) if method == "lm" else residuals.jacobian(at)

        try:
            with np.errstate(all="ignore"):  # of what underflows or is beyond all numbers, which the verdict looks into
                return least_squares(value, start, jac=slopes, method=method, **options)
        except (ValueError, np.linalg.LinAlgError) as error:  # of SciPy's: a Jacobian that is not finite, or nearly so
            if error is problem.raised or isinstance(error, AutooptError):
                raise
            message = could_not_go_on(method, error)
            return OptimizeResult(x=problem.best, status=STALLED, success=False, message=message)

    def _settings(self, method: str, tolerance: float) -> dict[str, Any]:
        """Return SciPy's arguments."""
        limits, options = (
            self.problem.limits,
            {name: value for name, value in self.options.items() if value is not None},
        )
        for name in ("ftol", "xtol", "gtol"):
            default = tolerance if name != "gtol" or method == "lm" else None
            options.setdefault(name, default)
            if options[name] is not None:  # SciPy refuses smaller ones, or warns
                options[name] = max(options[name], np.finfo(np.float64).eps)
        if method != "lm":
            return options if limits is None else options | {"bounds": (limits.lower, limits.upper)}
        return {name: value for name, value in options.items() if not name.startswith("tr_")}


class _Lost(Exception):
    """The method has stepped to no number, and would not come back."""


_RESTARTS, _ASIDE = 20, 1e-3


def solve(problem: Problem, options: dict[str, Any]) -> Any:
    """Return what the methods have come to, as SciPy's result: status 1 for a minimum that is shown to be one.

    Which method that was, and which were tried before, is noted in `options["log"]`.
    """
    run, log = _Run(problem, options["scipy"]), options["log"]
    best: Any = None
    for name in options["methods"]:
        log.trying(name)
        found = _descended(run, name, problem)
        if best is None or (found.success, -problem.value(found.x)) > (best.success, -problem.value(best.x)):
            best, log.method = found, name
            is_shown = found.success and found.full and not has_lost(problem, found.x)
            problem.objective.shown = found.x if is_shown else None
        if best.success or problem.nfev > options["most"] or not Whitened.fits(problem.objective):
            break  # what is too large to be shown a minimum here is judged by `solvers.verdict`
    return best


@dataclass
class Log:
    """The methods of a run: those that were tried, and the one whose end is the result's."""

    method: str = "least_squares"
    tried: tuple[str, ...] = ()
    remarks: list[str] = field(default_factory=list)

    def trying(self, name: str) -> None:
        self.tried += (name,)
        self.method = name

    @property
    def notes(self) -> list[str]:
        """What there is to say of methods that were not enough."""
        *before, last = self.tried or ("",)
        tried = [f"{' and '.join(before)} ended where no minimum shows; {last} was tried from x0."] if before else []
        return [*tried, *self.remarks]


def _descended(run: _Run, name: str, problem: Problem) -> Any:
    """Return the end of a run of one method with its last steps, saddles left."""
    start = problem.x0
    for _ in range(_ESCAPES):
        found = _finished(run, name, start, problem)
        if found.success or found.status == EVALUATIONS or not problem.is_defined(found.x):
            return found
        off = next(_lower(problem, found.x), None)
        if off is None:
            return found
        start = off
    return found


def _finished(run: _Run, name: str, start: np.ndarray, problem: Problem) -> Any:
    for tolerance in _SHARP:
        raw = run(name, start, tolerance)
        last = refined(problem, np.asarray(raw.x))
        start = last.x
        if last.reason is not None and (last.full or not is_refused(problem, last.x)):
            raw.full = last.full
            raw.update(x=last.x, success=True, status=1, message=f"Converged: {last.reason}.")
            return raw
        if raw.status == EVALUATIONS:
            break
    raw.update(x=last.x, success=False, status=STALLED if raw.status > 0 else raw.status)
    return raw


def _lower(problem: Problem, x: np.ndarray) -> Iterator[np.ndarray]:
    """Yield points on the way down from a saddle."""
    descent = falling(problem, x)
    said = objection(problem, x) if descent is None else None
    direction = descent.direction if descent is not None else said.direction if said and said.is_fatal else None
    if direction is None or not direction.any():
        return
    value = problem.fun(x)
    for length in (0.3, 0.1, 1e-2, 1e-3):
        for side in (1.0, -1.0):
            ahead = x + side * length * direction / np.max(np.abs(direction))
            ahead = within(problem.limits, ahead)
            if problem.value(ahead) < value:
                yield ahead


SOLVER = solvers.Solver(
    "least_squares", solve, _ALL, frozenset({"jac"}), {}, ("ftol", "xtol", "gtol"), frozenset({STALLED}), settles=True
)
