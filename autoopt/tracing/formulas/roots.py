"""scipy.optimize's roots of the user's equations: what SciPy finds, and how it moves with the parameters.

Where the equation is a straight run of smooth steps the search is one step of the tape (`equations.py`): SciPy searches
at every point, and the derivatives are those of the equation. Else a few Newton steps carry the derivatives: SciPy's
answer in this run is where they start; that they have come to rest is a guard, so where the parameters have moved too
far the objective is traced anew. So it is at every point where SciPy might find another root than the one that the
steps follow: where a bracket seems to hold several, and where the search starts from a point. Counts of iterations are
answers that hold at the point alone, so reading one has the objective traced anew at each.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import optimize

from autoopt.roots import fixed_point
from autoopt.tape.searches.newton import REST, STEPS, WIDTH, newton
from autoopt.tape.tape import PARAMETER
from autoopt.tracing.complex.eigenvalues import start_input
from autoopt.tracing.formulas.equations import is_root, root_step
from autoopt.tracing.formulas.reports import ReadByName
from autoopt.tracing.recording import refusals
from autoopt.tracing.recording.failing import is_handled
from autoopt.tracing.recording.recorder import Recorder
from autoopt.tracing.standins.table import stands_in

_SAMPLES = 17

CLOSE = 1e-6
"""How far from the root a search may end, relative to 1 + |root|, for derivatives to be taken there."""

BADLY = 1e12
"""The condition of a matrix of slopes from which on the root of a system is no simple one."""


def _searching(search: Callable) -> Callable:
    """Return a stand-in whose record holds at its own point only if it fails, or if the objective waits for that."""

    @functools.wraps(search)
    def run(tracer, *args, **kwargs):
        mark, failed, found = len(tracer.steps), True, None
        try:
            found = search(tracer, *args, **kwargs)
            failed = False
            return found
        finally:
            first = found[0] if failed is False and type(found) is tuple else found
            passing = failed or (is_handled(tracer) and not is_root(tracer, first))
            if passing and any(step.level == PARAMETER for step in tracer.steps[mark:]):
                tracer.tape.caught = True

    return run


def _is_followed(tracer: Recorder, found: Any) -> bool:
    return tracer.level(found) == PARAMETER


def _bracketed(original: Callable) -> Callable:
    """Return the stand-in for a function that finds a root between two points."""

    @_searching
    def find(tracer, f, a, b, args=(), **options):
        low, high = (float(tracer.concrete(end)) for end in (a, b))
        args = args if isinstance(args, tuple) else (args,)
        full = options.pop("full_output", False)
        root, report = _followed(tracer, original, f, (a, b), args, options)
        if not _is_followed(tracer, root):
            return (root, report) if full else root
        if is_root(tracer, root):
            return (root, _Report(tracer, root, report, {"converged", "flag"})) if full else root
        low, high = min(low, high), max(low, high)
        if not (f(low, *args) * f(high, *args) <= 0.0 and low <= root <= high):
            raise refusals.call(
                tracer, f"scipy.optimize.{original.__name__} with a root that leaves its bracket", "widen it"
            )
        tracer.tape.caught = tracer.tape.caught or not _changes_sign_once(f, low, high, args)
        certain = {"converged", "flag"} if options.get("maxiter") is None else set()
        return (root, _Report(tracer, root, report, certain)) if full else root

    return find


def _changes_sign_once(f: Callable, low: float, high: float, args: tuple) -> bool:
    """Return whether there seems to be one root between two points, with a guard that it stays so."""
    signs = [np.sign(f(z, *args)) for z in np.linspace(low, high, _SAMPLES).tolist()]
    return bool(sum(abs(after - before) for before, after in itertools.pairwise(signs)) <= 2.0)


for _name in ("brentq", "brenth", "ridder", "bisect", "toms748"):
    stands_in(getattr(optimize, _name))(_bracketed(getattr(optimize, _name)))


def _part(function: Callable, place: int) -> Callable:
    """Return the function of one of the values of another one."""
    return lambda *given: function(*given)[place]


def _is_of(method: Any, owner: Any) -> bool:
    return getattr(method, "__self__", None) is owner


@stands_in(optimize.newton)
@_searching
def _newton(tracer, func, x0, fprime=None, args=(), tol=1.48e-8, maxiter=50, fprime2=None, **options):
    args = args if isinstance(args, tuple) else (args,)
    plain = {"tol": tol, "maxiter": maxiter, **options}
    slopes = {key: f for key, f in (("fprime", fprime), ("fprime2", fprime2)) if f is not None}
    if type(func).__name__ == "MemoizeDer":  # SciPy's, of one function for all: it would compare what is traced
        places = {"fprime": 1, "fprime2": 2}
        slopes = {key: _part(func.fun, places[key]) if _is_of(f, func) else f for key, f in slopes.items()}
        func = _part(func.fun, 0)
    full = plain.pop("full_output", False)
    root, report = _followed(tracer, optimize.newton, func, (x0,), args, plain, slopes)
    if is_root(tracer, root):
        return (root, _Report(tracer, root, report, {"converged", "flag"})) if full else root
    if _is_followed(tracer, root):
        tracer.tape.caught = True
        many = not isinstance(report, optimize.RootResults)
        report = report._replace(root=root) if many else _Report(tracer, root, report, set(report))
    if not full:
        return root
    return report if isinstance(report, tuple) else (root, report)


def _followed(
    tracer: Recorder, original: Callable, f: Callable, starts: tuple, args: tuple, options: dict, slopes: Any = None
) -> tuple:
    """Return the root that SciPy finds from `starts`: one step of the tape if it depends on the parameters.

    If it cannot be one, Newton steps come after it. Beside it is SciPy's report. A search that fails without raising
    has found NaN.
    """
    slopes = slopes or {}
    plain = {key: _plainly(tracer, slope, args) for key, slope in slopes.items()}
    places = tuple(tracer.concrete(tracer.whole(start)) for start in starts)
    found = original(_plainly(tracer, f, args), *places, full_output=True, **options, **plain)
    start, report = (found[0], found[1]) if len(found) == 2 else (found[0], found)
    moves = _moves(tracer, f, start, args)
    if not np.all(report.converged):
        tracer.tape.caught = tracer.tape.caught or moves
        return (np.nan * start, report) if moves else (start, report)
    if not moves:
        return start, report
    if np.ndim(start) == 0 and _is_simple(_plainly(tracer, f, args), float(start)):
        functions = {"": f, **slopes}
        functions = {key: functools.partial(_at, function, args) for key, function in functions.items()}
        options = {key: value for key, value in options.items() if key != "disp"}
        root = root_step(tracer, original.__name__, functions, starts, options, float(start))
        if root is not None:
            return root, report
    given = start_input(tracer, start)
    root, step = newton(lambda z: f(z, *args), given)
    if not np.all(step**2 <= (REST * (1.0 + np.abs(given))) ** 2):
        raise refusals.call(tracer, f"scipy.optimize.{original.__name__} where the slope is 0", "use a simple root")
    return root, report


def _at(function: Callable, args: tuple, z: Any) -> Any:
    return function(z, *args)


def _is_simple(f: Callable, start: float) -> bool:
    """Whether a root that was found is one of which Newton's method says the same: a simple root, and close to it."""
    with np.errstate(all="ignore"):
        root, step = newton(f, start)
        return bool(abs(step) <= REST * (1.0 + abs(start)) and abs(root - start) <= CLOSE * (1.0 + abs(start)))


def _is_simple_system(f: Callable, start: np.ndarray) -> bool:
    """Whether a root of a system that was found is close to where Newton's method leads, and the only one there."""
    widths = WIDTH * (1.0 + np.abs(start))
    units = np.diag(widths)
    with np.errstate(all="ignore"):
        matrix = np.stack([(f(start + unit) - f(start - unit)) for unit in units], axis=1) / (2.0 * widths)
        try:
            step = np.linalg.solve(matrix, f(start))
        except np.linalg.LinAlgError:
            return False
        well = np.linalg.cond(matrix) < BADLY
    return bool(well and np.all(np.abs(step) <= CLOSE * (1.0 + np.abs(start))))


class _Report(ReadByName, optimize.RootResults):
    """SciPy's report of a search whose root moves with the parameters.

    Its counts, and what is not `certain` to be the same elsewhere, make a record of its own point of the trace that
    reads them.
    """

    def __init__(self, tracer: Recorder, root: Any, found: dict, certain: set) -> None:
        self.update(found, root=root)
        object.__setattr__(self, "_tracer", tracer)
        object.__setattr__(self, "_certain", {"root", "method", *certain})

    def __getitem__(self, name: str) -> Any:
        if name not in self._certain:
            self._tracer.tape.caught = True
        return super().__getitem__(name)


@stands_in(optimize.fsolve)
@_searching
def _fsolve(tracer, func, x0, args=(), fprime=None, full_output=0, **options):
    args = args if isinstance(args, tuple) else (args,)
    start = np.atleast_1d(np.asarray(tracer.concrete(tracer.whole(x0)), dtype=float))
    slope = None if fprime is None else _plainly(tracer, fprime, args)
    found = optimize.fsolve(_plainly(tracer, func, args), start, fprime=slope, full_output=True, **options)
    slopes = {} if fprime is None else {"fprime": functools.partial(_at, fprime, args)}
    functions = {"": functools.partial(_at, func, args), **slopes}
    root = _solved(tracer, "fsolve", functions, x0, options, found[0], found[2] == 1)
    return (root, *found[1:]) if full_output else root


@stands_in(optimize.root)
@_searching
def _root(tracer, fun, x0, args=(), method="hybr", jac=None, tol=None, callback=None, options=None):
    args = args if isinstance(args, tuple) else (args,)
    start = np.asarray(tracer.concrete(tracer.whole(x0)), dtype=float)
    both = bool(jac) and not callable(jac)

    def values(x):
        return fun(x, *args)[0] if both else fun(x, *args)

    slopes = {"jac": (lambda x: fun(x, *args)[1]) if both else functools.partial(_at, jac, args)} if jac else {}
    slope = _plainly(tracer, slopes["jac"], ()) if jac else None
    found = optimize.root(_plainly(tracer, values, ()), start, (), method, slope, tol, callback, options)
    if np.size(found.fun) != np.size(found.x):
        raise refusals.call(tracer, "scipy.optimize.root of more equations than unknowns", "use as many of each")
    given = {"method": method, "tol": tol, "options": options, "callback": callback}
    given = {key: value for key, value in given.items() if value is not None}
    found.x = _solved(tracer, "root", {"": values, **slopes}, x0, given, found.x, bool(found.success))
    if _is_followed(tracer, found.x):
        found.fun = np.reshape(tracer.whole(values(found.x)), np.shape(found.fun))
    return found


@stands_in(optimize.fixed_point, fixed_point)
@_searching
def _fixed_point(tracer, func, x0, args=(), xtol=1e-8, maxiter=500, method="del2"):
    args = args if isinstance(args, tuple) else (args,)
    options = {"xtol": xtol, "maxiter": maxiter, "method": method}
    start = tracer.concrete(tracer.whole(x0))
    found = optimize.fixed_point(_plainly(tracer, func, args), start, (), **options)
    return _solved(tracer, "fixed_point", {"": functools.partial(_at, func, args)}, x0, options, found[()], True)


def _solved(
    tracer: Recorder,
    name: str,
    functions: dict[str, Callable],
    x0: Any,
    options: dict[str, Any],
    start: Any,
    converged: bool,
) -> Any:
    """Return the root of a system that SciPy has found: one step of the tape if it depends on the parameters.

    If it cannot be one, it is reached by Newton steps, whose matrix is one of central differences, which the steps
    themselves make good.
    """
    f, fixed = functions[""], name == "fixed_point"

    def values(x: np.ndarray) -> Any:
        value = np.ravel(tracer.whole(f(np.reshape(x, np.shape(start))[()])))
        return value - x if fixed else value

    if not _moves(tracer, values, np.ravel(start), ()):
        return start
    if converged and _is_simple_system(_plainly(tracer, values, ()), np.ravel(start)):
        root = root_step(tracer, name, functions, (x0,), options, start)
        if root is not None:
            return root
    tracer.tape.caught = True
    if not converged:
        return np.nan * start
    root = start_input(tracer, np.ravel(start))
    scale, step = 1.0 + np.abs(root), 0.0
    widths = WIDTH * scale
    for _ in range(STEPS):
        columns = []
        for k, unit in enumerate(np.eye(np.size(start))):
            columns.append((values(root + unit * widths) - values(root - unit * widths)) / (2.0 * widths[k]))
        step = np.linalg.solve(np.stack(columns, axis=1), values(root))
        root = root - step
    if not np.sum((step / scale) ** 2) <= REST**2:
        raise refusals.call(tracer, f"scipy.optimize.{name} where it finds no simple root", "start it nearer to one")
    return np.reshape(root, np.shape(start))


def _moves(tracer: Recorder, f: Callable, start: Any, args: tuple) -> bool:
    """Whether the equation depends on the parameters; that this was asked leaves no guard behind."""
    guards, attempts = len(tracer.tape.guards), len(tracer.attempts)
    moves = _is_followed(tracer, tracer.whole(f(start, *args)))
    if moves:  # else what it did is what the objective did
        del tracer.tape.guards[guards:], tracer.attempts[attempts:]
    return moves


def _plainly(tracer: Recorder, f: Callable, args: tuple) -> Callable:
    """Return the user's function of plain numbers, which leaves no guard behind."""

    def plain(x: Any) -> Any:
        guards, attempts = len(tracer.tape.guards), len(tracer.attempts)
        found = tracer.concrete(tracer.whole(f(x, *args)))
        del tracer.tape.guards[guards:], tracer.attempts[attempts:]
        return found

    return plain
