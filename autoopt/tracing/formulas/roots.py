"""scipy.optimize's roots of the user's equations: SciPy finds them, a few Newton steps carry the derivatives.

SciPy's answer in this run is where the steps start; that they have come to rest is a guard, so where the parameters
have moved too far the objective is traced anew. So it is at every point where SciPy might find another root than the
one that the steps follow: where a bracket seems to hold several, and where the search starts from a point.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import optimize

from autoopt.errors import UnsupportedFunctionError
from autoopt.tape.searches import REST, STEPS, WIDTH, newton
from autoopt.tape.tape import PARAMETER, Leaf
from autoopt.tracing.failing import is_handled
from autoopt.tracing.standins import stands_in

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


def _is_followed(tracer: Any, found: Any) -> bool:
    return tracer.level(found) == PARAMETER


def _bracketed(original: Callable) -> Callable:
    """Return the stand-in for a function that finds a root between two points."""

    @_searching
    def find(tracer, f, a, b, args=(), **options):
        low, high = sorted(float(tracer.concrete(end)) for end in (a, b))
        args = args if isinstance(args, tuple) else (args,)
        root = _followed(tracer, original, f, (low, high), args, options)
        if not _is_followed(tracer, root):
            return root
        if not (f(low, *args) * f(high, *args) <= 0.0 and low <= root <= high):
            raise _refusal(
                tracer, f"scipy.optimize.{original.__name__} with a root that leaves its bracket", "widen it"
            )
        tracer.tape.caught = tracer.tape.caught or not _changes_sign_once(f, low, high, args)
        return root

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
    root = _followed(tracer, optimize.newton, func, (tracer.concrete(tracer.whole(x0)),), args, plain)
    tracer.tape.caught = tracer.tape.caught or _is_followed(tracer, root)
    return root


def _followed(tracer: Any, original: Callable, f: Callable, places: tuple, args: tuple, options: dict) -> Any:
    """Return the root that SciPy finds from `places`, with Newton steps after it if it depends on the parameters."""
    if options.get("full_output"):
        raise _refusal(tracer, f"scipy.optimize.{original.__name__} with full_output=", "leave it out")
    start = original(_plainly(tracer, f, args), *places, **options)
    if not _is_followed(tracer, f(start, *args)):
        return start
    given = _given(tracer, start)
    root, step = newton(lambda z: f(z, *args), given)
    if not np.all(step**2 <= (REST * (1.0 + np.abs(given))) ** 2):
        raise _refusal(tracer, f"scipy.optimize.{original.__name__} where the slope is 0", "use a simple root")
    return root


def _given(tracer: Any, start: Any) -> Any:
    """Return where the steps start as an input of the tape: other numbers there are the same code."""
    return tracer.leaf(Leaf(tracer.free_name("start"), "captured"), start)


@stands_in(optimize.fsolve)
@_searching
def _fsolve(tracer, func, x0, args=(), fprime=None, full_output=0, **options):
    """Newton steps with the matrix of central differences, which the steps themselves make good."""
    args = args if isinstance(args, tuple) else (args,)
    if full_output:
        raise _refusal(tracer, "scipy.optimize.fsolve with full_output=", "leave it out")
    start = optimize.fsolve(_plainly(tracer, func, args), np.asarray(tracer.concrete(tracer.whole(x0))), **options)

    def values(x: np.ndarray) -> Any:
        return np.ravel(tracer.whole(func(x, *args)))

    if not _is_followed(tracer, values(start)):
        return start
    root = _given(tracer, start)
    scale, step = 1.0 + np.abs(root), 0.0
    widths = WIDTH * scale
    for _ in range(STEPS):
        columns = []
        for k, unit in enumerate(np.eye(len(start))):
            columns.append((values(root + unit * widths) - values(root - unit * widths)) / (2.0 * widths[k]))
        step = np.linalg.solve(np.stack(columns, axis=1), values(root))
        root = root - step
    if not np.sum((step / scale) ** 2) <= REST**2:
        raise _refusal(tracer, "scipy.optimize.fsolve where it finds no simple root", "start it nearer to one")
    tracer.tape.caught = True
    return root


@stands_in(optimize.root)
@_searching
def _root(tracer, fun, x0, args=(), method="hybr", jac=None, tol=None, **options):
    if method != "hybr" or callable(jac) or options:
        raise _refusal(tracer, "scipy.optimize.root with method= or options", "leave them out")
    found = _fsolve(tracer, fun, x0, args)
    return optimize.OptimizeResult(x=found, success=True, status=1, message="The solution converged.")


def _plainly(tracer: Any, f: Callable, args: tuple) -> Callable:
    """Return the user's function of plain numbers, which leaves no guard behind."""

    def plain(x: Any) -> Any:
        guards = len(tracer.tape.guards)
        found = tracer.concrete(tracer.whole(f(x, *args)))
        del tracer.tape.guards[guards:]
        return found

    return plain


def _refusal(tracer: Any, what: str, remedy: str) -> UnsupportedFunctionError:
    return UnsupportedFunctionError(
        f"The objective calls {what}, which autoopt cannot differentiate.", tracer.location(), remedy + "."
    )
