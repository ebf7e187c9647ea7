"""SciPy's calling habits: options that every method knows, the forms of callbacks, methods that are functions."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from autoopt.errors import UsageError
from autoopt.solvers.problem import Problem
from autoopt.solvers.scipys_constraints import as_dicts
from autoopt.solvers.table import Solver, choose


@dataclass(frozen=True)
class Shown:
    """What is shown of a run: `disp` how it ended, printed; `return_all` its iterates, in `result.allvecs`."""

    disp: bool = False
    return_all: bool = False


def shown(options: Mapping[str, Any] | None) -> tuple[Mapping[str, Any] | None, Shown]:
    """Return the options without SciPy's "disp" and "return_all", which all methods know, and what these say."""
    if not isinstance(options, Mapping):
        return options, Shown()
    asked = {name: bool(options[name]) for name in ("disp", "return_all") if name in options}
    return {name: value for name, value in options.items() if name not in asked}, Shown(**asked)


# Callbacks ------------------------------------------------------------------------------------------------------------


def adapted_callback(callback: Callable, unflatten: Callable, takes_state: bool = False) -> Callable:
    """Return SciPy's `callback(xk)` or `callback(intermediate_result)` as a function of (flat x, value, state).

    Where the method has a state, `callback(xk, state)` is called with it, and a true answer ends the run.
    """
    from scipy.optimize import OptimizeResult

    if not callable(callback):
        raise UsageError(f"callback={callback!r} is not a function.", remedy="pass a function of x, or leave it out.")
    named, counts = _form(callback)
    if not named and 1 not in counts and not (takes_state and 2 in counts):
        form = "callback(xk), callback(xk, state)" if takes_state else "callback(xk)"
        raise UsageError(
            f"callback {getattr(callback, '__name__', callback)!r} cannot be called with the parameters alone.",
            remedy=f"write it as {form} or callback(*, intermediate_result).",
        )

    def result(x: np.ndarray, value: float, state: Any) -> Any:
        return OptimizeResult({**(state or {}), "x": unflatten(x), "fun": value})

    def call(x: np.ndarray, value: float, state: Any = None) -> None:
        if named:
            callback(intermediate_result=result(x, value, state))
        elif takes_state and 2 in counts:
            if callback(unflatten(x), result(x, value, state)):
                raise StopIteration
        else:
            callback(unflatten(x))

    return call


def _form(callback: Callable) -> tuple[bool, set[int]]:
    """Return whether a callback asks for SciPy's intermediate_result, and with how many arguments it can be called."""
    try:
        signature = inspect.signature(callback)
    except (TypeError, ValueError):  # of some functions in C nobody knows
        return False, {1}
    counts = set()
    for count in (1, 2):
        try:
            signature.bind(*range(count))
        except TypeError:
            continue
        counts.add(count)
    return set(signature.parameters) == {"intermediate_result"}, counts


# Methods that are functions -------------------------------------------------------------------------------------------

_ANY_STATUS = range(-99, 100)


def solver_of(method: Any, size: int, bounds: Any = None, constraints: Any = ()) -> Solver:
    """Return the solver for `method`: a name, a Solver, or a function of SciPy's contract for methods of one's own.

    Such a function is called as `method(fun, x0, args, jac=, hess=, hessp=, bounds=, constraints=, callback=,
    **options)` on the flat vector, with the exact derivatives, SciPy's `Bounds` and dicts of constraints, and
    returns an OptimizeResult, whose end is judged as that of any method.
    """
    if isinstance(method, Solver):
        return method
    if not callable(method):
        return choose(method, size, bounds, constraints)
    name = getattr(method, "__name__", type(method).__name__)
    both = frozenset({"bounds", "constraints"})
    uses = frozenset({"gradient", "hess", "hessp"})
    return Solver(name, _called(method, name), both, uses, {}, ("tol",), frozenset(_ANY_STATUS), open=True)


def _called(method: Callable, name: str) -> Callable:
    def run(problem: Problem, options: dict) -> Any:
        """Call a method that the user has written."""
        raw = method(
            problem.fun,
            problem.start.copy(),
            (),
            jac=problem.jac,
            hess=problem.hess,
            hessp=problem.hessp,
            bounds=problem.scipy_bounds,
            constraints=as_dicts(problem),
            callback=problem.iterated,
            **options,
        )
        if np.shape(getattr(raw, "x", ())) != problem.x0.shape:
            raise UsageError(
                f"The method {name} returned no result with x of shape {problem.x0.shape}.",
                remedy="return scipy.optimize.OptimizeResult(x=x, fun=fun, success=success, message=message).",
            )
        raw.setdefault("success", False)
        raw.setdefault("status", 0 if raw.success else 1)
        raw.setdefault("message", f"{name} ended.")
        return raw

    return run
