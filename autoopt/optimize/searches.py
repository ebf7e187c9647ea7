"""What the global searches have in common: the problem as it is given, and local searches with exact derivatives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from autoopt.errors import UsageError
from autoopt.minimize import minimize
from autoopt.optimize.values import Values
from autoopt.solvers import Problem, Solver, solver_of
from autoopt.solvers.descents import descent
from autoopt.users_code import UNDEFINED

_ENDED, _LIMITED = 0, 1


class Given:
    """What the user gives of the problem: minimised from a point inside the bounds by a search that knows it not."""

    def __init__(
        self,
        func: Callable,
        bounds: Any,
        args: Any,
        constraints: Any,
        verify: str | bool,
        engine: str,
        checkpoint: Any = None,
    ) -> None:
        self.func, self.args = func, args if isinstance(args, tuple) else (args,)
        self.constraints = () if constraints is None else constraints
        self.rest = {"verify": verify, "engine": engine, "checkpoint": checkpoint}
        low, high = _box(bounds)
        self.low, self.high = low, high

    def minimised(self, name: str, search: Callable, keeps: tuple[str, ...] = (), start: Any = None) -> Any:
        bounds = list(zip(self.low.tolist(), self.high.tolist(), strict=True))
        x0 = self._defined() if start is None else np.asarray(start, dtype=np.float64)
        more = {"constraints": self.constraints} if self.constraints else {}
        return minimize(self.func, x0, self.args, row(name, search, keeps), bounds=bounds, **more, **self.rest)

    def _defined(self) -> np.ndarray:
        """Return the middle of the box, or else a point in it where the function has a value."""
        rng = np.random.default_rng(0)
        middle = (self.low + self.high) / 2
        with np.errstate(all="ignore"):
            for point in (middle, *rng.uniform(self.low, self.high, (_DRAWN, self.low.size))):
                try:
                    if np.isfinite(self.func(point.copy(), *self.args)):
                        return point
                except (*UNDEFINED, TypeError):
                    continue
        return middle


_DRAWN = 200


def row(name: str, search: Callable, keeps: tuple[str, ...]) -> Solver:
    """Return a search as a method of `minimize`."""

    def run(problem: Problem, options: dict) -> Any:
        raw = search(problem)
        raw.cut_short = not raw.success
        raw.status = _ENDED if raw.success else _LIMITED
        said = raw.message if isinstance(raw.message, str) else "; ".join(raw.message)
        raw.message = " ".join(said.split())
        return raw

    both = frozenset({"bounds", "constraints"})
    return Solver(name, run, both, frozenset(), {}, (), frozenset({_ENDED}), keeps=(*keeps, "cut_short"), settles=True)


def polished(problem: Problem, raw: Any, local: Mapping[str, Any] | None) -> Any:
    """Return SciPy's result with x where a local search from there ends, at a minimum or at least lower."""
    solver, settings = _solver(problem, local or {})
    better = descent(problem, np.asarray(raw.x, dtype=np.float64), solver, settings)
    if better is not None and (better.success or better.fun <= raw.fun or problem.constraints):
        raw.update(x=better.x, fun=better.fun)
    return raw


_LOCAL = "l-bfgs-b"
"""What searches locally: units of f do not matter to its first step."""


def _solver(problem: Problem, local: Mapping[str, Any]) -> tuple[Solver, dict[str, Any]]:
    method = local.get("method") or (None if problem.constraints else _LOCAL)
    solver = solver_of(method, problem.x0.size, problem.limits, list(problem.constraints))
    return solver, solver.settings(local.get("options"), local.get("tol"))


def as_method(problem: Problem, local: Mapping[str, Any], values: Values) -> Callable:
    """Return local searches as SciPy's searches call them."""
    solver, settings = _solver(problem, local)

    def method(fun: Callable, x0: np.ndarray, args: tuple = (), **given: Any) -> Any:
        from scipy.optimize import OptimizeResult

        result = descent(problem, np.array(x0), solver, settings)
        if result is None:
            value = values(np.array(x0))
            return OptimizeResult(x=np.array(x0), fun=value, success=False, message="not defined there", nfev=0)
        problem.iterated(result.x)
        result.fun = (result.fun - values.zero) / values.size
        return result

    return method


def local_search(given: Mapping[str, Any] | None, known: tuple[str, ...]) -> dict[str, Any]:
    if unknown := [name for name in given or {} if name not in known]:
        raise UsageError(
            f"minimizer_kwargs has {', '.join(map(repr, unknown))}, which would be ignored.",
            remedy=f"leave it out: derivatives are exact, and bounds are the search's; {', '.join(known)} are taken.",
        )
    return dict(given or {})


def seeded(rng: Any, seed: Any) -> dict[str, Any]:
    """Return SciPy's argument for random numbers."""
    if rng is not None and seed is not None:
        raise UsageError("There are both rng and seed.", remedy="pass one of them.")
    return {"rng": np.random.default_rng(rng if seed is None else seed)}


def refuse(wanted: bool, name: str, why: str) -> None:
    if wanted:
        raise UsageError(f"{name} would be ignored: {why}.", remedy="leave it out, or use SciPy's own function.")


def _box(bounds: Any) -> tuple[np.ndarray, np.ndarray]:
    try:
        if hasattr(bounds, "lb"):
            low, high = np.broadcast_arrays(*(np.asarray(side, dtype=np.float64) for side in (bounds.lb, bounds.ub)))
        else:
            low, high = np.array([(low, high) for low, high in bounds], dtype=np.float64).T
    except (TypeError, ValueError):
        raise UsageError("bounds is not a sequence of (low, high).", remedy="give two numbers for each x.") from None
    low, high = np.atleast_1d(low), np.atleast_1d(high)
    if not (np.isfinite(low).all() and np.isfinite(high).all() and (low < high).all()):
        raise UsageError("bounds are not finite, or not low < high.", remedy="give finite bounds for a global search.")
    return low, high
