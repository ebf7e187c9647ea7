"""`root`: from a plain NumPy function of equations to their solution, with the exact Jacobian and a verdict."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from autoopt import solvers
from autoopt.check import PERIODIC, compare, is_on, remedy, verified_solution, verify_jacobian
from autoopt.check_given import verify_given_jacobian
from autoopt.constraints.summed import Summed
from autoopt.errors import UsageError, VerificationError
from autoopt.optimize.arguments import understood
from autoopt.optimize.inside import as_scipys
from autoopt.optimize.residuals import Residuals
from autoopt.optimize.root_verdict import Ending, ending
from autoopt.optimize.systems import System, Weighted, is_by_products
from autoopt.parameters import Structure
from autoopt.solvers.run import INTERRUPTED
from autoopt.stages import heard, stage
from autoopt.tracing.standins.table import stands_in
from autoopt.verification.periodic import Periodic, of_slopes
from autoopt.wording import could_not_go_on, near, times

if TYPE_CHECKING:
    from scipy.optimize import OptimizeResult


@dataclass(frozen=True)
class Finder:
    """A method for systems of equations: whether it uses the Jacobian, its options, and those that `tol=` sets."""

    uses_jacobian: bool
    options: frozenset[str]
    tol: tuple[str, ...]
    is_scipys: bool = True


_QUASI = frozenset({"nit", "maxiter", "ftol", "fatol", "xtol", "xatol", "tol_norm", "line_search", "jac_options"})
FINDERS = {
    "hybr": Finder(True, frozenset({"xtol", "maxfev", "factor", "diag"}), ("xtol",)),
    "lm": Finder(True, frozenset({"xtol", "ftol", "gtol", "maxiter", "factor", "diag"}), ("xtol",)),
    "newton": Finder(True, frozenset(), (), is_scipys=False),
    "df-sane": Finder(
        False,
        frozenset({"ftol", "fatol", "fnorm", "maxfev", "eta_strategy", "sigma_eps", "sigma_0", "M", "line_search"}),
        ("ftol",),
    ),
} | dict.fromkeys(
    ("broyden1", "broyden2", "anderson", "linearmixing", "diagbroyden", "excitingmixing", "krylov"),
    Finder(False, _QUASI, ("xtol",)),
)  # fmt: skip
"""The methods, SciPy's but for "newton": Newton's method with halved steps, on a sparse Jacobian where it is one."""


@heard
@understood
def root(
    fun: Callable,
    x0: Any,
    args: Any = (),
    method: str | None = None,
    jac: Callable | bool | str | None = None,
    tol: float | None = None,
    callback: Callable | None = None,
    options: Mapping[str, Any] | None = None,
    *,
    verify: str | bool = "start",
    engine: str = "auto",
) -> OptimizeResult:
    """Find a root of a system of equations, a plain NumPy function, with its exact Jacobian.

    Parameters
    ----------
    fun : callable, fun(params, *args) -> scalar or array of m numbers
        As many values as parameters; "lm" and "newton" take more, too.
    x0 : scalar, array of any shape, or nested dict, list, tuple, namedtuple or dataclass of them
        Where the search starts; `fun`, `callback` and the result see parameters of this structure.
    args : tuple, or one object
    method : str, optional
        SciPy's "hybr", "lm", "df-sane", "broyden1", "broyden2", "anderson", "linearmixing", "diagbroyden",
        "excitingmixing", "krylov", or "newton", whose steps are those of the exact Jacobian, sparse where it is worth
        it. By default "newton" on a sparse Jacobian, else "hybr", then "lm" and "newton", each from x0, until there is
        a root.
    jac : callable, True, or "2-point", optional
        In place of the derived Jacobian, in SciPy's conventions.
    tol : float, optional
        Sets the method's main tolerance, as in SciPy.
    callback : callable, callback(x, f), optional
        Called at each iterate of the methods that have them (not "hybr" and "lm").
    options : dict, optional
        The method's options by SciPy's names, and "disp": True to print how the run ended.
    verify : "start", "periodic" or "off"
        Compare values and Jacobian with the original function at x0 and at the solution; "periodic": also at points
        that are better than those before, within 2 % of the run's time.
    engine : str
        As in `minimize`.

    Returns
    -------
    scipy.optimize.OptimizeResult
        x (structure of x0), x_flat, fun (m,), jac (m, n) at x, success, status, message, method, nfev, njev, nit (where
        the method counts), nundefined, verification, timings, notes, and what SciPy's method gives beside. Whatever the
        method, Newton steps with the exact Jacobian follow as long as they make the values smaller. Success is that a
        further step is below 1e-9 of x's size or that the values are rounding; else the message says whether it is a
        local minimum of the norm, or where the Jacobian is singular.

    Raises
    ------
    UsageError
        For an argument that is not understood, or that the method would ignore.
    Interrupted
        On Ctrl-C, with the best point so far as its `result`.
    ObjectiveError, VerificationError
        If a value is not finite at x0, or has no slope there; if derived and original code disagree.
    """
    begin = time.perf_counter()
    args = args if isinstance(args, tuple) else (args,)
    structure = Structure.of(x0)
    tries = ("hybr", "lm", "newton") if method is None else (_name(method),)
    options = dict(options or {})
    disp = bool(options.pop("disp", False))
    flat = structure.flatten(x0).copy()
    try:
        function = _function(fun, x0, args, jac, engine)
    except KeyboardInterrupt:
        raise solvers.Interrupted(solvers.interrupted_at(flat, tries[0])) from None
    count = function.count or 0
    if count < flat.size:
        raise UsageError(
            f"fun returned {count} values, but there are {flat.size} parameters.",
            remedy="a root is determined by as many values as parameters; minimize the sum of squares for fewer.",
        )
    verification = _verified(function, flat, verify)
    timings, begun = dict(function.timings), time.perf_counter()
    timings["verify"] = begun - begin - sum(timings.values())
    if method is None and (function.is_sparse or count > flat.size):
        tries = ("newton",)
    watch = _watch(function, verification, verify)
    with stage("looking for a root", lambda: ""):
        try:
            result = _first_root(function, flat, tries, tol, callback, options, structure, watch)
        except solvers.Interrupted as stop:
            stop.result.update(x=structure.unflatten(stop.result.x), x_flat=stop.result.x, verification=verification)
            raise
    timings["solve"] = time.perf_counter() - begun
    verification = _verified_root(function, result, verification, watch)
    function.leave(result.x)
    x = structure.unflatten(result.x)
    result.update(x=x, x_flat=result.x, verification=verification, timings=timings, notes=function.notes)
    if disp:
        print(f"{result.message}\n         Function evaluations: {result.nfev}")
    return result


def _first_root(
    function: Residuals, flat: np.ndarray, tries: tuple[str, ...], tol: Any, callback: Any, options: dict,
    structure: Structure, watch: Periodic | None,
) -> Any:  # fmt: skip
    """Return the result of the first method that finds a root, or of the one that came nearest to it."""
    results, nfev, njev = [], 0, 0
    for name in tries:
        system = System(function, flat, watch)
        settings = _settings(name, tol, options, callback, structure, system)
        try:
            raw = _found(system, name, settings)
            end = ending(system, np.asarray(raw.x, dtype=np.float64).reshape(-1))
        except KeyboardInterrupt:
            results.append((system.size(system.best_values), _interrupted(system, name)))
            best = min(results, key=lambda one: one[0])[1]
            best.update(nfev=nfev + system.nfev, njev=njev + system.njev, status=INTERRUPTED, message=_STOPPED)
            raise solvers.Interrupted(best) from None
        nfev, njev = nfev + system.nfev, njev + system.njev
        results.append((system.size(end.values), _result(system, name, raw, end)))
        if end.is_root:
            break
    best = results[-1][1] if results[-1][1].success else min(results, key=lambda one: one[0])[1]
    best.update(nfev=nfev, njev=njev)
    return best


def _result(system: System, name: str, raw: Any, end: Ending) -> Any:
    from scipy.optimize import OptimizeResult

    said = f" ({' '.join(str(raw.message).split())})" if raw.get("message") else ""
    shown = f" after {times(end.steps, 'Newton step')}" if end.steps and name != "newton" else ""
    undefined = f" At {len(system.undefined)} trial points {system.undefined[-1]}." if system.undefined else ""
    head = f"Converged{shown}" if end.is_root else "Not converged"
    status = (1 if end.is_root else int(raw.get("status", 2))) if end.is_root or not raw.success else 0
    kept = {key: raw[key] for key in ("fjac", "r", "qtf", "nit", "cov_x", "ipvt") if key in raw}
    return OptimizeResult(
        x=end.x,
        fun=end.values,
        jac=end.jacobian,
        success=end.is_root,
        status=status,
        message=f"{head}: {end.message}.{said}{undefined}".replace("..", "."),
        method=name,
        nundefined=len(system.undefined),
        **kept,
    )


def _interrupted(system: System, name: str) -> Any:
    from scipy.optimize import OptimizeResult

    counts = {"nfev": system.nfev, "njev": system.njev, "nit": system.nit, "nundefined": len(system.undefined)}
    return OptimizeResult(
        x=system.best,
        fun=system.best_values,
        success=False,
        status=INTERRUPTED,
        message=_STOPPED,
        method=name,
        **counts,
    )


_STOPPED = "Interrupted; x is the best point so far."


def _found(system: System, name: str, settings: dict) -> Any:
    """Return what the method finds: SciPy's result."""
    from scipy import optimize

    if not FINDERS[name].is_scipys:
        return optimize.OptimizeResult(x=system.x0, success=False, status=0, message="")
    if FINDERS[name].uses_jacobian:
        settings = settings | {"jac": system.dense_jacobian}
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore", RuntimeWarning)  # of progress, which the verdict looks into
        try:
            return optimize.root(system.values, system.x0, method=name, **settings)
        except (ValueError, ZeroDivisionError, np.linalg.LinAlgError, OverflowError) as error:
            message = could_not_go_on(name, error)
            return optimize.OptimizeResult(x=system.best, success=False, status=0, message=message)


def _settings(
    name: str, tol: float | None, options: dict, callback: Any, structure: Structure, system: System
) -> dict[str, Any]:
    finder = FINDERS[name]
    if unknown := [option for option in options if option not in finder.options]:
        hints = ", ".join(f"{option!r}{near(option, finder.options)}" for option in unknown)
        known = ", ".join(sorted(finder.options)) or "none"
        raise UsageError(f"The method {name} has no option {hints}.", remedy=f"use only its options: {known}.")
    if callback is not None and (finder.uses_jacobian or not callable(callback)):
        raise UsageError(f"The method {name} takes no callback.", remedy='leave it out, or use method="krylov".')
    if tol is not None and not finder.tol:
        raise UsageError(
            f"The method {name} has no tolerance.", remedy="leave tol out: it ends where steps are rounding."
        )
    settings: dict[str, Any] = {"options": options, "tol": tol}
    if callback is not None:
        settings["callback"] = lambda x, f: callback(structure.unflatten(np.array(x)), f)
    return settings


def _name(method: Any) -> str:
    if isinstance(method, str) and method.lower() in FINDERS:
        return method.lower()
    raise UsageError(
        f"There is no method {method!r}.{near(str(method), FINDERS)}", remedy=f"use one of {', '.join(FINDERS)}."
    )


def _function(fun: Callable, x0: Any, args: tuple, jac: Any, engine: str) -> Residuals:
    """Return the equations with their Jacobian, from whoever supplies it."""
    if jac is True:
        both = fun
        value, slopes = (lambda x, *data: both(x, *data)[0]), (lambda x, *data: both(x, *data)[1])
        return Residuals(value, x0, args, slopes, engine, shown=both)
    return Residuals(fun, x0, args, jac or None, engine)


def _verified(function: Residuals, x: np.ndarray, mode: str | bool) -> Any:
    """Return the comparison with the user's function at x0; None if it is off, or of differences."""
    if not is_on(mode) or not function.is_exact:
        return None
    if not is_by_products(function):
        found = verify_jacobian(function, x)
        verify_given_jacobian(function, x)
        return found
    found = compare(Weighted(function, x), x, floor=1.0)
    if not found.passed:
        raise VerificationError(found.message, remedy='leave the values that are wrong out, or pass jac="2-point".')
    return found


def _compared(function: Residuals, x: np.ndarray) -> tuple[Summed, np.ndarray]:
    """Return what is compared of the equations at a point: one number, and the point."""
    return (Weighted if is_by_products(function) else Summed)(function, x), x


def _watch(function: Residuals, start: Any, mode: str | bool) -> Periodic | None:
    """Return what compares points of the search with the user's function, if that is asked for."""
    if mode != PERIODIC or start is None:
        return None
    return Periodic([of_slopes(lambda x: _compared(function, x), 1.0, None, remedy(function.given_jac))], start)


def _verified_root(function: Residuals, result: Any, start: Any, watch: Periodic | None) -> Any:
    """Return the comparison with that of the points on the way and of the root; one that is wrong is no success."""
    if start is None:
        return None
    found = start if watch is None else start.joined(watch.found)
    if not result.success:
        return found
    return verified_solution(_compared(function, result.x)[0], result.x, result, found, 1.0)


stands_in(root)(as_scipys("root"))
