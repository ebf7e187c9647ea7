"""`curve_fit`: parameters of a model f(x, a, b, ...) and their covariance, from an exact Jacobian."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from autoopt.errors import FitError, UsageError
from autoopt.objectives.adapted import decorrelated, residuals, standardised
from autoopt.optimize.arguments import refuse_unknown
from autoopt.optimize.limits import Pair, limits_of
from autoopt.optimize.losses import Loss
from autoopt.optimize.observations import Observations
from autoopt.optimize.residuals import Residuals
from autoopt.optimize.solution import Task
from autoopt.parameters import Structure
from autoopt.stages import heard
from autoopt.variables.start import Start
from autoopt.variables.table import Parameters, read_table
from autoopt.wording import listed

_OPTIONS = ("ftol", "xtol", "gtol", "x_scale", "tr_solver", "tr_options", "max_nfev", "maxfev")
_OTHERS = ("loss", "f_scale", "verbose")


@heard
def curve_fit(
    f: Callable,
    xdata: Any,
    ydata: Any,
    p0: Any = None,
    sigma: Any = None,
    absolute_sigma: bool = False,
    check_finite: bool | None = None,
    bounds: Any = (-np.inf, np.inf),
    method: str | None = None,
    jac: Callable | str | None = None,
    *,
    full_output: bool = False,
    nan_policy: str | None = None,
    verify: str | bool = "start",
    engine: str = "auto",
    progress: Callable | bool | None = None,
    **kwargs: Any,
) -> Any:
    """Fit a model in plain NumPy to data by least squares, as SciPy's curve_fit does, with exact Jacobians.

    Parameters
    ----------
    f : callable, f(xdata, a, b, ...) -> array of M values
        Plain NumPy and SciPy, with one argument for each parameter.
    xdata : array, or anything that f takes
    ydata : array of M values
    p0 : sequence of N numbers, dict of them by name, or Parameters, optional
        The start; by default 1 for each argument of `f`, or the middle of its bounds, as in SciPy. Parameters have
        bounds of their own; none may be fixed, tied or transformed.
    sigma : scalar, shape (M,) or (M, M), optional
        Standard deviations of ydata, or their covariance.
    absolute_sigma : bool
        Whether `sigma` is in the units of ydata; by default only its proportions count.
    check_finite, nan_policy : bool; None, "raise" or "omit"
        As SciPy's: data that are not finite are refused by default, rows with NaN left out by "omit".
    bounds : (lower, upper) or scipy.optimize.Bounds, optional
    method : "lm", "trf" or "dogbox", optional
    jac : callable, jac(xdata, a, b, ...) -> (M, N), or "finite-difference", optional
    full_output : bool
        Whether to return infodict, mesg and ier as well.
    verify, engine, progress
        As in `minimize`.
    **kwargs
        ftol, xtol, gtol, x_scale, max_nfev (or maxfev), tr_solver, tr_options, loss, f_scale, verbose of
        `least_squares`.

    Returns
    -------
    popt : ndarray, shape (N,)
    pcov : ndarray, shape (N, N)
        Their covariance, s^2 (J'J)^-1 with the exact Jacobian J of the residuals at popt (not the full Hessian, as in
        SciPy and in NIST's certified values), and s^2 = sum r^2 / (M - N), or 1 if `absolute_sigma`. Infinite, with
        SciPy's OptimizeWarning, where J has not full rank or M <= N.
    infodict, mesg, ier : dict, str, int
        If `full_output`: nfev, njev, fvec (the residuals), fjac (J), result (of `least_squares`); how the run ended; 1.

    Raises
    ------
    FitError
        A RuntimeError: no minimum was found; its `result` is what the run had reached.
    UsageError
        For an argument that is not understood, and for data that are not finite; a ValueError.
    ObjectiveError, VerificationError, Interrupted
        As in `least_squares`.
    """
    refuse_unknown("curve_fit", [*kwargs], {*_OPTIONS, *_OTHERS, *inspect.signature(curve_fit).parameters} - {"kwargs"})
    data = Observations.of(xdata, ydata, sigma, check_finite, nan_policy)
    if (table := read_table(p0)) is not None:
        p0, bounds = _of_table(table, bounds)
    start = _start(f, p0, bounds)
    limits = limits_of(bounds, Structure.of(start), start)
    options = {name: kwargs[name] for name in _OPTIONS if name in kwargs}
    if "maxfev" in options:
        options["max_nfev"] = options.pop("maxfev")
    loss = Loss.of(kwargs.get("loss", "linear"), kwargs.get("f_scale", 1.0))
    task = Task(Start.of(start), limits, loss, method, options, None, verify, progress, kwargs.get("verbose", 0))
    function = {0: residuals, 1: standardised, 2: decorrelated}[data.kind](f)
    slopes = _Slopes(jac, data) if callable(jac) else jac
    with data.matching():
        result = task.solve(lambda: Residuals(function, start, data.args, slopes, engine, None, "f", f))
    if not result.success:
        error = FitError(f"Optimal parameters not found: {result.message}", remedy=_REMEDY)
        error.result = result
        raise error
    covariance = _covariance(result, absolute_sigma)
    if not full_output:
        return result.x_flat, covariance
    told = {"nfev": result.nfev, "njev": result.njev, "fvec": result.fun, "fjac": result.jac, "result": result}
    return result.x_flat, covariance, told, result.message, 1


_REMEDY = "give a start p0 nearer to the fit, or bounds; see whether the data tell all parameters of the model."


def _start(f: Callable, p0: Any, bounds: Any) -> dict[str, float]:
    """Return the start by the names of the parameters; UsageError if it does not fit the signature of `f`."""
    names, least, several = _parameters(f)
    if isinstance(p0, Mapping):
        p0 = _in_order(p0, names, several)
    if p0 is not None:
        try:
            given = np.atleast_1d(np.asarray(p0, dtype=np.float64)).reshape(-1)
        except (TypeError, ValueError):
            raise UsageError(
                f"p0={p0!r} holds what is no number.", remedy="give one number for each parameter."
            ) from None
        if len(given) < least or (len(given) > len(names) and not several):
            listed = ", ".join(names)
            raise UsageError(
                f"p0 has {len(given)} entries, but f takes {len(names)} parameters after xdata: {listed}.",
                remedy="give one number for each of them.",
            )
        names = [*names, *(f"p[{k}]" for k in range(len(names), len(given)))][: len(given)]
        return dict(zip(names, given.tolist(), strict=True))
    if several or not names:
        raise UsageError(
            "How many parameters f has cannot be seen from its signature.", remedy="give a start p0 with one for each."
        )
    return dict(zip(names, map(_middle, *_sides(bounds, len(names))), strict=True))


def _in_order(p0: Mapping[str, Any], names: list[str], several: bool) -> list[Any]:
    """Return a start that is given by name in the order of the arguments of f; UsageError if the names are others."""
    if several and not names:
        return [*p0.values()]
    if {*p0} != {*names}:
        raise UsageError(
            f"p0 has the names {listed([*p0])}, but the parameters of f are {listed(names)}.",
            remedy="give one number for each of these, by the same names.",
        )
    return [p0[name] for name in names]


def _of_table(table: Parameters, bounds: Any) -> tuple[dict[str, Any], Any]:
    """Return the start and the bounds that a table of parameters has."""
    own = Start.of(table, None if _is_free(bounds) else bounds)
    if own.variables is not None:
        raise UsageError(
            "curve_fit takes no parameters that are fixed, tied or transformed: their covariance is that of them all.",
            remedy="pass the residuals to autoopt.least_squares, which takes such a table, or leave these out of f.",
        )
    return own.x0, (-np.inf, np.inf) if own.bounds is None else own.bounds


def _is_free(bounds: Any) -> bool:
    """Whether these are the bounds that are none, as they are by default."""
    return isinstance(bounds, tuple) and len(bounds) == 2 and bounds == (-np.inf, np.inf)


def _sides(bounds: Any, count: int) -> tuple[list[float], list[float]]:
    """Return the lower and upper limits, before they are checked: `limits_of` wants a start within them."""
    lower, upper = (bounds.lb, bounds.ub) if hasattr(bounds, "lb") else Pair.of(bounds).sides
    try:
        return tuple(np.broadcast_to(np.asarray(side, float).reshape(-1), count).tolist() for side in (lower, upper))  # type: ignore[return-value]
    except (TypeError, ValueError):
        raise UsageError(
            f"bounds do not fit the {count} parameters of f.", remedy="give one limit for each of them, or one for all."
        ) from None


def _middle(low: float, high: float) -> float:
    """Return SciPy's start between two limits: the middle, 1 off the only one, or 1."""
    if np.isfinite(low) and np.isfinite(high):
        return (low + high) / 2
    return low + 1 if np.isfinite(low) else high - 1 if np.isfinite(high) else 1.0


def _parameters(f: Callable) -> tuple[list[str], int, bool]:
    """Return the names of the parameters after xdata, how many must be given, and whether there may be more."""
    try:
        parameters = list(inspect.signature(f).parameters.values())[1:]
    except (TypeError, ValueError):
        return [], 0, True
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    several = any(p.kind is p.VAR_POSITIONAL for p in parameters)
    return [p.name for p in positional], sum(p.default is p.empty for p in positional), several


class _Slopes:
    """The user's jac(xdata, a, b, ...) as that of the residuals."""

    def __init__(self, jac: Callable, data: Observations) -> None:
        self._jac, self._data = jac, data
        self.__wrapped__ = jac  # whose line messages show

    def __call__(self, p: dict[str, float], *args: Any) -> np.ndarray:
        return self._data.in_units(np.asarray(self._jac(args[0], *p.values()), dtype=np.float64))


def _covariance(result: Any, absolute_sigma: bool) -> np.ndarray:
    """Return s^2 (J'J)^-1, infinite with a warning where it does not exist.

    Columns are scaled first, so that the rank does not depend on the units of the parameters.
    """
    jacobian = result.jac.toarray() if hasattr(result.jac, "toarray") else result.jac
    count, size = jacobian.shape
    lengths = np.linalg.norm(jacobian, axis=0)
    _, singular, rows = np.linalg.svd(jacobian / np.where(lengths > 0, lengths, 1.0), full_matrices=False)
    full = count >= size and singular[-1] > np.finfo(np.float64).eps * max(count, size) * singular[0]
    if not full or (count <= size and not absolute_sigma):
        from scipy.optimize import OptimizeWarning

        message = "Covariance of the parameters could not be estimated"
        warnings.warn(message, OptimizeWarning, stacklevel=4)
        return np.full((size, size), np.inf)
    root = rows.T / singular / lengths[:, None]
    return root @ root.T * (1.0 if absolute_sigma else 2 * result.cost / (count - size))
