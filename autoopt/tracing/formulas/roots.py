"""scipy.optimize's roots of the user's equations: SciPy finds them, a few Newton steps carry the derivatives.

SciPy's answer in this run is where the steps start; that they have come to rest is a guard, so where the parameters
have moved too far the objective is traced anew. So it is at every point where SciPy might find another root than the
one that the steps follow: where a bracket seems to hold several, and where the search starts from a point. Counts of
iterations are answers that hold at the point alone, so reading one has the objective traced anew at each.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import optimize

from autoopt.tape.searches.newton import REST, STEPS, WIDTH, newton
from autoopt.tape.tape import PARAMETER
from autoopt.tracing.complex.eigenvalues import start_input
from autoopt.tracing.recording import refusals
from autoopt.tracing.recording.failing import is_handled
from autoopt.tracing.recording.recorder import Recorder
from autoopt.tracing.standins.table import stands_in

_SAMPLES = 17


def _searching(search: Callable) -> Callable:
    """Return a stand-in whose record holds at its own point only if it fails, or if the objective waits for that."""

    @functools.wraps(search)
    def run(tracer, *args, **kwargs):
        mark, failed = len(tracer.steps), True
        try:
            found = search(tracer, *args, **kwargs)
            failed = False
            return found
        finally:
            if (failed or is_handled(tracer)) and any(step.level == PARAMETER for step in tracer.steps[mark:]):
                tracer.tape.caught = True

    return run


def _is_followed(tracer: Recorder, found: Any) -> bool:
    return tracer.level(found) == PARAMETER


def _bracketed(original: Callable) -> Callable:
    """Return the stand-in for a function that finds a root between two points."""

    @_searching
    def find(tracer, f, a, b, args=(), **options):
        low, high = sorted(float(tracer.concrete(end)) for end in (a, b))
        args = args if isinstance(args, tuple) else (args,)
        full = options.pop("full_output", False)
        root, report = _followed(tracer, original, f, (low, high), args, options)
        if not _is_followed(tracer, root):
            return (root, report) if full else root
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


@stands_in(optimize.newton)
@_searching
def _newton(tracer, func, x0, fprime=None, args=(), tol=1.48e-8, maxiter=50, fprime2=None, **options):
    args = args if isinstance(args, tuple) else (args,)
    plain = {"tol": tol, "maxiter": maxiter, **options}
    plain |= {key: _plainly(tracer, f, args) for key, f in (("fprime", fprime), ("fprime2", fprime2)) if f is not None}
    full = plain.pop("full_output", False)
    root, report = _followed(tracer, optimize.newton, func, (tracer.concrete(tracer.whole(x0)),), args, plain)
    if _is_followed(tracer, root):
        tracer.tape.caught = True
        many = not isinstance(report, optimize.RootResults)
        report = report._replace(root=root) if many else _Report(tracer, root, report, set(report))
    if not full:
        return root
    return report if isinstance(report, tuple) else (root, report)


def _followed(tracer: Recorder, original: Callable, f: Callable, places: tuple, args: tuple, options: dict) -> tuple:
    """Return the root that SciPy finds from `places`, with Newton steps after it if it depends on the parameters.

    Beside it is SciPy's report. A search that fails without raising has found NaN.
    """
    found = original(_plainly(tracer, f, args), *places, full_output=True, **options)
    start, report = (found[0], found[1]) if len(found) == 2 else (found[0], found)
    value = f(start, *args)
    if not np.all(report.converged):
        tracer.tape.caught = tracer.tape.caught or _is_followed(tracer, value)
        return (np.nan * start, report) if _is_followed(tracer, value) else (start, report)
    if not _is_followed(tracer, value):
        return start, report
    given = start_input(tracer, start)
    root, step = newton(lambda z: f(z, *args), given)
    if not np.all(step**2 <= (REST * (1.0 + np.abs(given))) ** 2):
        raise refusals.call(tracer, f"scipy.optimize.{original.__name__} where the slope is 0", "use a simple root")
    return root, report


class _Report(optimize.RootResults):
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

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None

    def get(self, name: str, default: Any = None) -> Any:
        try:
            return self[name]
        except KeyError:
            return default

    def values(self) -> Any:
        return [self[name] for name in self]

    def items(self) -> Any:
        return [(name, self[name]) for name in self]


@stands_in(optimize.fsolve)
@_searching
def _fsolve(tracer, func, x0, args=(), fprime=None, full_output=0, **options):
    args = args if isinstance(args, tuple) else (args,)
    x0 = np.asarray(tracer.concrete(tracer.whole(x0)))
    slope = None if fprime is None else _plainly(tracer, fprime, args)
    found = optimize.fsolve(_plainly(tracer, func, args), x0, fprime=slope, full_output=True, **options)
    root = _solved(tracer, lambda x: func(x, *args), found[0], found[2] == 1, "fsolve")
    return (root, *found[1:]) if full_output else root


@stands_in(optimize.root)
@_searching
def _root(tracer, fun, x0, args=(), method="hybr", jac=None, tol=None, callback=None, options=None):
    args = args if isinstance(args, tuple) else (args,)
    x0 = np.asarray(tracer.concrete(tracer.whole(x0)))
    both = bool(jac) and not callable(jac)

    def values(x):
        return fun(x, *args)[0] if both else fun(x, *args)

    slope = _plainly(tracer, (lambda x, *args: fun(x, *args)[1]) if both else jac, args) if jac else None
    found = optimize.root(_plainly(tracer, values, ()), x0, (), method, slope, tol, callback, options)
    if np.size(found.fun) != np.size(found.x):
        raise refusals.call(tracer, "scipy.optimize.root of more equations than unknowns", "use as many of each")
    found.x = _solved(tracer, values, found.x, found.success, "root")
    if _is_followed(tracer, found.x):
        found.fun = np.reshape(tracer.whole(values(found.x)), np.shape(found.fun))
    return found


def _solved(tracer: Recorder, f: Callable, start: np.ndarray, converged: bool, name: str) -> Any:
    """Return the root of a system that SciPy has found, by Newton steps if it depends on the parameters.

    Their matrix is one of central differences, which the steps themselves make good.
    """

    def values(x: np.ndarray) -> Any:
        return np.ravel(tracer.whole(f(np.reshape(x, np.shape(start)))))

    if not _is_followed(tracer, values(start)):
        return start
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


def _plainly(tracer: Recorder, f: Callable, args: tuple) -> Callable:
    """Return the user's function of plain numbers, which leaves no guard behind."""

    def plain(x: Any) -> Any:
        guards = len(tracer.tape.guards)
        found = tracer.concrete(tracer.whole(f(x, *args)))
        del tracer.tape.guards[guards:]
        return found

    return plain
