"""`minimize_scalar`: SciPy's searches along one parameter, ended by Newton's step and judged by exact derivatives."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from autoopt.errors import UsageError
from autoopt.minimize import minimize
from autoopt.optimize.arguments import understood
from autoopt.optimize.kinks import kink_at
from autoopt.solvers import Problem, Solver
from autoopt.solvers.bounds import within
from autoopt.solvers.derivative_free import on_bounds
from autoopt.users_code import UNDEFINED

if TYPE_CHECKING:
    from scipy.optimize import OptimizeResult

_OPTIONS = {
    "brent": {"xtol": None, "maxiter": None},
    "golden": {"xtol": None, "maxiter": None},
    "bounded": {"xatol": None, "maxiter": None},
}
"""The methods, with SciPy's options, whose defaults are SciPy's: of the first, the tolerance on x, sets `tol=`."""


@understood
def minimize_scalar(
    fun: Callable,
    bracket: Any = None,
    bounds: Any = None,
    args: Any = (),
    method: str | None = None,
    tol: float | None = None,
    options: Mapping[str, Any] | None = None,
    *,
    verify: str | bool = "start",
    engine: str = "auto",
) -> OptimizeResult:
    """Minimise a plain NumPy function of one number.

    Parameters
    ----------
    fun : callable, fun(x, *args) -> scalar
        x is a float.
    bracket : (a, b) or (a, b, c), optional
        For "brent" and "golden": where the search for a bracket begins, by default (0, 1), or three points of which
        the middle one is the lowest.
    bounds : (low, high), optional
        For "bounded", which is the default with them: finite.
    args : tuple, or one object
    method : "brent", "bounded" or "golden", optional
    tol : float, optional
        The search's tolerance on x.
    options : dict, optional
        SciPy's: "maxiter", "disp", and "xtol" or, for "bounded", "xatol".
    verify, engine
        As in `minimize`.

    Returns
    -------
    scipy.optimize.OptimizeResult
        x (a float), fun, nit, nfev, success, message, and the other fields of `minimize`. A search that ended is a
        success only where slope and curvature say that x is a minimum, or at a kink the slopes on both sides; the
        Newton step at its end gives x the digits that values, which are flat there, cannot tell.

    Raises
    ------
    UsageError
        For an argument that is not understood, or that the method would ignore.
    ObjectiveError, VerificationError
        As in `minimize`.

    References
    ----------
    Brent, R. P. (1973). Algorithms for Minimization without Derivatives, chapter 5.
    """
    args = args if isinstance(args, tuple) else (args,)
    name = str(method or ("bounded" if bounds is not None else "brent")).lower()
    if name not in _OPTIONS:
        raise UsageError(f"There is no method {method!r}.", remedy=f"use one of {', '.join(sorted(_OPTIONS))}.")
    if (name == "bounded") != (bounds is not None):
        needs = "needs bounds" if name == "bounded" else "takes no bounds"
        raise UsageError(f"The method {name} {needs}.", remedy='pass bounds=(low, high) to method="bounded".')
    if bounds is not None and bracket is not None:
        raise UsageError("The method bounded takes no bracket.", remedy="leave it out.")
    low_high = None if bounds is None else _bounds(bounds)
    points = _numbers("bracket", bracket, (2, 3)) if bracket is not None else (0.0, 1.0)
    x0 = _defined(fun, args, _inside(*low_high) if low_high else points)
    solver = Solver(
        name, _search(name, bracket if bracket is None else points, low_high), frozenset({"bounds"}), frozenset(),
        _OPTIONS[name], tuple(_OPTIONS[name])[:1], frozenset({0, 1}),
    )  # fmt: skip
    return minimize(
        fun, x0, args, solver, bounds=low_high and [low_high], tol=tol, options=options, verify=verify, engine=engine
    )


def _search(name: str, bracket: Any, bounds: Any) -> Callable:
    def run(problem: Problem, options: dict) -> Any:
        """Search along one parameter."""
        from scipy.optimize import minimize_scalar

        def value(x: Any) -> float:
            at = np.array([float(x)])
            value = problem.value_alone(at)
            problem.iterated(at)
            return value

        raw = minimize_scalar(
            value,
            bracket=bracket,
            bounds=bounds,
            method=name,
            options=options,
        )
        best = problem.best if problem.best_value < raw.fun else np.array([float(raw.x)])
        best = on_bounds(problem, best)
        raw.x = _polished(problem, best) if raw.success else best
        raw.status, raw.message = 0 if raw.success else 1, " ".join(raw.message.split())
        if raw.success and (kink := _kink(problem, raw.x)) is not None:
            raw.x, raw.message = kink
            problem.shown = raw.x
        return raw

    return run


def _polished(problem: Problem, x: np.ndarray) -> np.ndarray:
    """Return the point that secant steps on the slope lead to, as long as it becomes smaller and f does not rise.

    Values are flat at a minimum and tell half of its digits, the slope tells them all.
    """
    if not problem.is_defined(x) or not np.isfinite(slope := float(problem.jac(x)[0])):
        return x
    other = within(problem.limits, x + _ASIDE * (np.abs(x) + (x == 0)))
    other = other if np.any(other != x) else x - _ASIDE * np.abs(x)
    for _ in range(_SECANTS):
        if slope == 0 or not problem.is_defined(other) or (problem.limits and not problem.limits.allow(other)):
            return x
        change, step = float(problem.jac(other)[0]) - slope, other - x
        if not (np.isfinite(change) and change * float(step[0]) > 0):  # it does not bend up
            return x
        with np.errstate(all="ignore"):
            moved = within(problem.limits, x - slope / change * step)
        if not np.isfinite(moved).all() or np.array_equal(moved, x) or not problem.is_defined(moved):
            return x
        there, rounding = float(problem.jac(moved)[0]), _ROUNDING * abs(problem.fun(x))
        if not (abs(there) < abs(slope) and problem.fun(moved) <= problem.fun(x) + rounding):
            return x
        other, x, slope = x, moved, there
    return x


def _kink(problem: Problem, x: np.ndarray) -> tuple[np.ndarray, str] | None:
    """Return the point at a kink by `x` that is a minimum, and in words why; None if there is none."""
    if not problem.is_defined(x) or (found := kink_at(problem, x)) is None:
        return None
    at, before, behind = found
    return at, f"Converged: f has a kink at its minimum, its slope is {before:.4g} before and {behind:.4g} behind it."


_ASIDE, _SECANTS, _ROUNDING = 1e-6, 12, 1e-14


def _bounds(bounds: Any) -> tuple[float, float]:
    low, high = _numbers("bounds", bounds, (2,))
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise UsageError(
            f"bounds: {low:g} < {high:g} does not hold, or is not finite.", remedy="give two finite numbers, low first."
        )
    return low, high


def _numbers(name: str, given: Any, lengths: tuple[int, ...]) -> tuple[float, ...]:
    try:
        numbers = tuple(float(number) for number in given)
    except (TypeError, ValueError):
        numbers = ()
    if len(numbers) not in lengths:
        raise UsageError(
            f"{name}={given!r} is not understood.", remedy=f"give {' or '.join(map(str, lengths))} numbers."
        )
    return numbers


def _inside(low: float, high: float) -> Iterator[float]:
    """Yield points between bounds, the middle first."""
    for part in (0.5, 0.382, 0.618, 0.146, 0.854):
        yield low + part * (high - low)


def _defined(fun: Callable, args: tuple, points: Any) -> float:
    """Return the first of some points where the function has a value, or the first of all: the error is shown there."""
    points = list(points)
    with np.errstate(all="ignore"):
        for point in points:
            try:
                if np.isfinite(fun(point, *args)):
                    return point
            except (*UNDEFINED, TypeError):
                continue
    return points[0]
