"""Arguments that a front door does not have, refused with what to do there instead: that differs from door to door."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Collection, Mapping
from typing import Any, ParamSpec, TypeVar

from autoopt.errors import UsageError
from autoopt.wording import listed, near

P, R = ParamSpec("P"), TypeVar("R")

_MINPACKS = "leave it out: it is MINPACK's, of Jacobians by differences, and here they are exact."
_SQUARES = {
    "scale": 'leave it out: x_scale, by default "jac", has the sizes of the parameters.',
    "starts": "call it from each start, and keep the result of the least cost.",
    "tol": "pass ftol, xtol or gtol.",
    "maxiter": "pass max_nfev, a limit of evaluations.",
    "options": "pass what it holds as arguments of their own: ftol, xtol, gtol, max_nfev.",
    "constraints": "pass the sum of squares to autoopt.minimize, which takes constraints.",
    "hess": "leave it out: second derivatives are derived.",
    "hessp": "leave it out: second derivatives are derived.",
}
ADVICE: dict[str, Mapping[str, str]] = {
    "least_squares": _SQUARES,
    "curve_fit": _SQUARES
    | {
        "args": "let f have them, as in lambda x, a, b: f(x, a, b, more).",
        "kwargs": "let f have them, as in lambda x, a, b: f(x, a, b, name=more).",
        "callback": "pass the residuals to autoopt.least_squares, which takes it.",
        "fixed": "pass the residuals to autoopt.least_squares, which takes it, or write the number into f.",
    }
    | dict.fromkeys(("epsfcn", "factor", "diag", "col_deriv", "Dfun", "diff_step"), _MINPACKS),
    "root": {
        "scale": "leave it out: values and parameters are measured by what they are at x0.",
        "starts": "call it from each start.",
        "bounds": "pass fun to autoopt.least_squares, which takes bounds: a root is where its cost is 0.",
        "fixed": "write the numbers into fun.",
        "hess": "leave it out: the Jacobian is all that is used.",
    },
    "minimize_scalar": {
        "x0": "pass bracket=(a, b), where the search for a minimum begins.",
        "starts": "call it for each of some bounds.",
        "jac": "leave it out: slopes are derived.",
    },
}
"""By front door and argument: what to do."""


def refuse_unknown(name: str, given: Collection[str], known: Collection[str]) -> None:
    """Raise UsageError for arguments of the function `name` that are not among those known."""
    unknown = [argument for argument in given if argument not in known]
    if not unknown:
        return
    happened = f"{name} has no option {', '.join(map(repr, unknown))}."
    if advice := ADVICE.get(name, {}).get(unknown[0]):
        raise UsageError(happened, remedy=advice)
    raise UsageError(happened + near(unknown[0], known), remedy=f"use only its options: {listed(sorted(known))}.")


def understood(function: Callable[P, R]) -> Callable[P, R]:
    """Return a front door that refuses arguments it does not have by UsageError."""
    known = frozenset(inspect.signature(function).parameters)

    @functools.wraps(function)
    def called(*args: P.args, **options: P.kwargs) -> R:
        if not known.issuperset(options):
            refuse_unknown(function.__name__, [*options], known)
        return function(*args, **options)

    return called


def require_callback(callback: Any) -> None:
    """Raise UsageError for a callback that cannot be called."""
    if callback is not None and not callable(callback):
        raise UsageError(f"callback={callback!r} is no function.", remedy="pass a function of x, or leave it out.")
