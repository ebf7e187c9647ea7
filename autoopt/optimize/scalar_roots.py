"""Roots of a function of one number: `root_scalar`, `brentq` and `newton`, with derived slopes and a verdict.

A bracket's end says that the sign changes there, not that the function is 0: at a pole or a jump it is not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import numpy as np

from autoopt.errors import AutooptError, BracketError, RootError, UsageError
from autoopt.objectives.objective import Objective
from autoopt.objectives.retained import objective_of, retain
from autoopt.optimize.arguments import understood
from autoopt.optimize.inside import as_scipys
from autoopt.origin import definition
from autoopt.stages import Interrupted
from autoopt.tracing.standins.table import stands_in
from autoopt.users_code import UNDEFINED, users_code
from autoopt.wording import times

_BRACKETING = ("bisect", "brentq", "brenth", "ridder", "toms748")
_OPEN = {"newton": 1, "halley": 2, "secant": 0}
"""Methods that start from a point, and how many derivatives they use."""

_WINDOWS, _GROWTH = (1.0, 16.0, 1e4), 2.0
_VANISHED = 1e-13
_EPSILON = float(np.finfo(np.float64).eps)


@understood
def root_scalar(
    f: Callable,
    args: Any = (),
    method: str | None = None,
    bracket: Any = None,
    fprime: Callable | bool | None = None,
    fprime2: Callable | bool | None = None,
    x0: Any = None,
    x1: Any = None,
    xtol: float | None = None,
    rtol: float | None = None,
    maxiter: int | None = None,
    options: Mapping[str, Any] | None = None,
) -> Any:
    """Find a root of a plain NumPy function of one number, with derived slopes where the method uses them.

    Parameters
    ----------
    f : callable, f(x, *args) -> number
        x is a float.
    args : tuple, or one object
    method : str, optional
        "bisect", "brentq", "brenth", "ridder", "toms748" with a bracket, "newton", "halley", "secant" from x0. By
        default "brentq" with a bracket, else "newton", or "halley" if fprime2 is given, "secant" if x1 is.
    bracket : (a, b), optional
        Where f has different signs.
    fprime, fprime2 : callable, or bool, optional
        In place of the derived ones; true, as in SciPy, if f returns them with its value.
    x0, x1 : float, optional
        Where the search starts.
    xtol, rtol, maxiter : number, optional
        SciPy's, with its defaults.
    options : dict, optional
        Further ones of the method.

    Returns
    -------
    scipy.optimize.RootResults
        root, iterations, function_calls, converged, flag, method. Converged is said of no pole and no jump: what f is
        there, and beside, is looked at; the flag says so.

    Raises
    ------
    UsageError
        For an argument that is not understood, or that the method would ignore.
    AutooptError
        If f cannot be followed, and the method needs a slope that is not given.

    Notes
    -----
    Inside of an objective the root is followed as SciPy's is: its derivative is that of the equation.
    """
    from scipy import optimize

    args = args if isinstance(args, tuple) else (args,)
    name = _chosen(method, bracket, fprime, fprime2, x0, x1)
    slopes = _supplied(name, fprime, fprime2)
    derived = None
    if name in _OPEN and slopes["fprime"] is None and _OPEN[name]:
        derived = _Derived(f, x0, args)
        slopes["fprime"] = derived.slope
    if name == "halley" and slopes["fprime2"] is None:
        derived = derived or _Derived(f, x0, args)
        slopes["fprime2"] = derived.bend
    given = {"xtol": xtol, "rtol": rtol, "maxiter": maxiter, "options": dict(options) if options else None}
    given |= slopes | (
        {"bracket": bracket} if name in _BRACKETING else {"x0": x0, "x1": x1 if name == "secant" else None}
    )
    counted = _Counted(f)
    given = {key: one for key, one in given.items() if one is not None}
    with np.errstate(all="ignore"), counted.interruptible(name):
        try:
            result = optimize.root_scalar(f if fprime is True else counted, args, name, **given)
        except ValueError:
            if name in _BRACKETING:
                _require_signs(f, name, bracket, args)
            raise
    if derived is not None:
        derived.leave()
    values = (lambda x, *data: f(x, *data)[0]) if fprime is True else f
    tolerance = (xtol or _XTOL[name], rtol or _RTOL)
    if result.converged and (wrong := _no_root(values, args, float(result.root), counted.largest, tolerance)):
        result.converged, result.flag = False, wrong
    return result


_XTOL = {"bisect": 2e-12, "brentq": 2e-12, "brenth": 2e-12, "ridder": 2e-12, "toms748": 2e-12}
_XTOL |= dict.fromkeys(_OPEN, 1.48e-8)
_RTOL = 4 * _EPSILON


@understood
def brentq(
    f: Callable,
    a: float,
    b: float,
    args: Any = (),
    xtol: float = 2e-12,
    rtol: float = _RTOL,
    maxiter: int = 100,
    full_output: bool = False,
    disp: bool = True,
) -> Any:
    """Find a root of a function of one number in a bracket by Brent's method, as `scipy.optimize.brentq` does.

    Parameters
    ----------
    f : callable, f(x, *args) -> number
        Of different signs at a and b.
    a, b : float
    args : tuple, or one object
    xtol, rtol : float
        The root is within xtol + rtol |x| of what is returned.
    maxiter : int
    full_output : bool
        Whether a scipy.optimize.RootResults is returned, too.
    disp : bool
        Whether a search that finds no root raises; else `converged` says so.

    Returns
    -------
    float, or (float, RootResults)

    Raises
    ------
    RootError
        A RuntimeError: not converged, or the sign changes at a pole or a jump, where f is not 0. It is a ValueError,
        too, where SciPy raises one: if the signs at a and b are not different, or f is NaN on the way.
    Interrupted
        On Ctrl-C; a KeyboardInterrupt whose `result` holds the x at which f has been nearest to 0.
    """
    options = {"xtol": xtol, "rtol": rtol, "maxiter": maxiter}
    result = root_scalar(f, args, "brentq", (a, b), **options)
    if disp and not result.converged:
        raise _unfound(f, "brentq", result)
    return (result.root, result) if full_output else result.root


@understood
def newton(
    func: Callable,
    x0: Any,
    fprime: Callable | None = None,
    args: Any = (),
    tol: float = 1.48e-8,
    maxiter: int = 50,
    fprime2: Callable | bool | None = None,
    x1: Any = None,
    rtol: float = 0.0,
    full_output: bool = False,
    disp: bool = True,
) -> Any:
    """Find a root by Newton's method with the derived slope, for each entry of an array x0 at once.

    Parameters
    ----------
    func : callable, func(x, *args) -> number or array
        Of an array x0 it returns an array of its shape, whose entries depend on the same ones of x (else use `root`).
    x0 : float or ndarray
    fprime : callable, optional
        In place of the derived slope.
    args : tuple, or one object
    tol, rtol : float
        The search ends with a step below tol + rtol |x|.
    maxiter : int
    fprime2 : callable or True, optional
        With it steps are Halley's; True: the derived second derivative.
    x1 : float or ndarray, optional
        With it, and without fprime, steps are the secant method's.
    full_output, disp
        As in `scipy.optimize.newton`.

    Returns
    -------
    float or ndarray, or what `scipy.optimize.newton` returns with full_output

    Raises
    ------
    RootError
        A RuntimeError: the search does not converge, or ends where func is not 0.
    UsageError
        If entries depend on other ones of x.
    """
    from scipy import optimize

    args = args if isinstance(args, tuple) else (args,)
    derived = None
    if (fprime is None and x1 is None) or fprime2 is True:
        derived = _Derived(func, x0, args)
        fprime = fprime or derived.slope
        fprime2 = derived.bend if fprime2 is True else fprime2
    counted = _Counted(func)
    options = {"tol": tol, "maxiter": maxiter, "fprime2": fprime2, "x1": x1, "rtol": rtol}
    try:
        with np.errstate(all="ignore"), counted.interruptible("newton"):
            found = optimize.newton(counted, x0, fprime, args, full_output=True, disp=disp, **options)
    except RuntimeError as error:
        if isinstance(error, AutooptError):
            raise
        raise RootError(f"newton found no root: {error}", definition(func), _ELSEWHERE) from None
    if derived is not None:
        derived.leave()
    if np.ndim(found[0]) == 0 and found[1].converged:
        root, result = float(found[0]), found[1]
        if wrong := _no_root(func, args, root, counted.largest, (tol, rtol)):
            result.converged, result.flag = False, wrong
            if disp:
                raise _unfound(func, "newton", result)
    return found if full_output else found[0]


# Derived slopes -------------------------------------------------------------------------------------------------------


class _Derived:
    """The first and second derivative of a function of a number, or of each entry of an array."""

    def __init__(self, f: Callable, x0: Any, args: tuple) -> None:
        start = np.asarray(x0, dtype=np.float64) if np.ndim(x0) else float(x0)
        self._many = np.ndim(x0) > 0
        self._start = np.asarray(start).reshape(-1)
        with users_code("The function"):
            self._objective: Objective = objective_of(f, start, args, scalar=not self._many)
            if self._many:
                self._require_own_entries(f)

    def _require_own_entries(self, f: Callable) -> None:
        self._objective.value(self._objective.structure.unflatten(self._start))
        pattern = self._objective.sparsity("jacobian")
        if not np.array_equal(pattern.rows, pattern.indices):
            raise UsageError(
                "newton takes functions whose entries depend on the same ones of x alone.",
                definition(f),
                "use autoopt.root for a system of equations.",
            )

    def slope(self, x: Any, *args: Any) -> Any:
        """Return f'(x), of x's shape."""
        flat = np.asarray(x, dtype=np.float64).reshape(-1)
        if not self._many:
            return float(self._objective.value_and_grad(flat)[1][0])
        return np.reshape(self._objective.jvp(flat, np.ones(flat.size)), np.shape(x))

    def bend(self, x: Any, *args: Any) -> Any:
        """Return f''(x)."""
        if self._many:
            raise UsageError("Halley's steps for arrays need fprime2 as a function.", remedy="pass fprime2=function.")
        flat = np.asarray(x, dtype=np.float64).reshape(-1)
        return float(self._objective.hess(flat, sparse=False)[0, 0])

    def leave(self) -> None:
        retain(self._objective)


class _Counted:
    """The user's function, the largest value that it has had, and where it was nearest to 0."""

    def __init__(self, f: Callable) -> None:
        self._f, self.largest, self._count = f, 0.0, 0
        self._best, self._least = np.nan, np.inf

    def __call__(self, x: Any, *args: Any) -> Any:
        value = self._f(x, *args)
        self._count += 1
        if np.ndim(value) == 0 and np.isfinite(value):
            size = abs(float(value))
            self.largest = max(self.largest, size)
            if size < self._least:
                self._best, self._least = x, size
        return value

    @contextmanager
    def interruptible(self, method: str) -> Iterator[None]:
        """Have an interruption tell the best point so far."""
        try:
            yield
        except KeyboardInterrupt:
            from scipy.optimize import OptimizeResult

            counts = dict.fromkeys(("iterations", "function_calls", "nit", "nfev"), self._count)
            said = {"converged": False, "success": False, "flag": "interrupted", "method": method, "message": _STOPPED}
            raise Interrupted(
                OptimizeResult(root=self._best, x=self._best, fun=self._least, **said, **counts)
            ) from None


# Verdict --------------------------------------------------------------------------------------------------------------


def _no_root(f: Callable, args: tuple, root: float, largest: float, tolerance: tuple[float, float]) -> str | None:
    """Return in words what is at a point where a search converged, if that is no root.

    Close to a root |f| grows with the distance, at a jump or a pole it does not: values at the edges of windows around
    it tell, of a few tolerances, 16 times that, and 10 000 times that, as far as which may be rounding.
    """
    value = _value(f, root, args)
    if value == 0 or abs(value) <= _VANISHED * largest:
        return None
    width = 4 * (tolerance[0] + max(tolerance[1], _RTOL) * abs(root))
    beside = [max(abs(_value(f, root + side * part * width, args)) for side in (-1, 1)) for part in _WINDOWS]
    if abs(value) <= beside[0] and any(far >= _GROWTH * near for near, far in pairwise(beside)):
        return None
    what = "a pole" if not abs(value) <= beside[-1] else "a jump, or values that do not come near 0"
    return f"no root at x = {root:.10g}: f is {value:.6g} there, at {what}"


def _value(f: Callable, x: float, args: tuple) -> float:
    with np.errstate(all="ignore"):
        try:
            return float(f(x, *args))
        except UNDEFINED:
            return np.nan


_ELSEWHERE = "start elsewhere, or give a bracket to autoopt.brentq."
_OTHER_BRACKET = "give a bracket in which f is continuous, or, if there is none, change f so that it passes 0."
_LONGER = "raise maxiter, or give a narrower bracket."
_DEFINED = "give a bracket in all of which f has values."
_SIGNS = "give a, b such that f is below 0 at one and above 0 at the other; where there are none, f may have no root."
_STOPPED = "Interrupted; x is where f has been nearest to 0."


def _unfound(f: Callable, name: str, result: Any) -> RootError:
    flag = result.flag.rstrip(". ")
    if "is NaN" in flag:  # SciPy raises a ValueError
        return BracketError(
            f"{name} ended without a root: f is nan at x = {result.root:.10g}.", definition(f), _DEFINED
        )
    flag = f"it has not converged in {times(result.iterations, 'iteration')}" if flag == "convergence error" else flag
    remedy = _ELSEWHERE if name in _OPEN else _OTHER_BRACKET if "no root" in flag else _LONGER
    return RootError(f"{name} ended without a root: {flag}.", definition(f), remedy)


def _require_signs(f: Callable, name: str, bracket: Any, args: tuple) -> None:
    """Raise BracketError if f does not have different signs at the ends of the bracket."""
    ends = [float(end) for end in bracket]
    values = [_value(f, end, args) for end in ends]
    shown = " and ".join(f"{value:.6g} at x = {end:.10g}" for end, value in zip(ends, values, strict=True))
    if np.isnan(values).any():
        raise BracketError(f"{name} needs f to have values in its bracket, but f is {shown}.", definition(f), _DEFINED)
    if len(values) == 2 and values[0] * values[1] > 0:
        raise BracketError(f"{name} needs f of different signs at a and b, but f is {shown}.", definition(f), _SIGNS)


# Arguments ------------------------------------------------------------------------------------------------------------


def _chosen(method: Any, bracket: Any, fprime: Any, fprime2: Any, x0: Any, x1: Any) -> str:
    names = (*_BRACKETING, *_OPEN)
    if bracket is None and x0 is None:
        raise UsageError("There is neither a bracket nor a start.", remedy="pass bracket=(a, b) or x0=.")
    if method is None:
        opening = "halley" if fprime2 else "secant" if x1 is not None and not fprime else "newton"
        return "brentq" if bracket is not None else opening
    name = str(method).lower()
    if name not in names:
        raise UsageError(f"There is no method {method!r}.", remedy=f"use one of {', '.join(names)}.")
    if name in _BRACKETING and bracket is None:
        raise UsageError(f"The method {name} needs a bracket.", remedy="pass bracket=(a, b).")
    if name in _OPEN and x0 is None:
        raise UsageError(f"The method {name} needs a start.", remedy="pass x0=.")
    return name


def _supplied(name: str, fprime: Any, fprime2: Any) -> dict[str, Any]:
    """Return the slopes that the user gives, False as None."""
    uses = _OPEN.get(name, 0)
    for order, key, given in ((1, "fprime", fprime), (2, "fprime2", fprime2)):
        if callable(given) and uses < order:
            raise UsageError(f"The method {name} does not use {key}.", remedy="leave it out.")
    return {"fprime": fprime or None, "fprime2": fprime2 or None}


# Inside of objectives -------------------------------------------------------------------------------------------------


for _ours in (root_scalar, brentq, newton):
    stands_in(_ours)(as_scipys(_ours.__name__))
