"""The table of solvers: what each is called, takes, uses and may be told. Nothing here runs one."""

from __future__ import annotations

import difflib
import importlib.util
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from autoopt.errors import UsageError

SOLVERS: dict[str, Solver] = {}


@dataclass(frozen=True)
class Solver:
    """A method of optimisation.

    `takes` says which of "bounds" and "constraints" it respects, `uses` which exact derivatives it calls,
    `options` every option it knows with its default (None: SciPy's; a function: of the Problem), `tol` the options
    that `tol=` sets, `stalls` SciPy's statuses for "no progress possible", which are judged by `convergence`, `needs`
    the package that it is run by and the extra that installs it. One that is `open` takes any option;
    one that `has_state` shows it to callbacks. `keeps` has the fields of its own result that the common one has, too.
    One that `settles` its end itself is neither gone on with nor certified; one that is `automatic` was not named, and
    others may take its place.
    """

    name: str
    function: Callable
    takes: frozenset[str]
    uses: frozenset[str]
    options: Mapping[str, Any] = field(hash=False)
    tol: tuple[str, ...]
    stalls: frozenset[int]
    needs: tuple[str, str] | None = None
    open: bool = False
    has_state: bool = False
    keeps: tuple[str, ...] = ()
    settles: bool = False
    automatic: bool = False

    @property
    def is_installed(self) -> bool:
        """Whether the package that it needs is there."""
        return self.needs is None or importlib.util.find_spec(self.needs[0]) is not None

    @property
    def description(self) -> str:
        """One line on the method."""
        return (self.function.__doc__ or "").strip().splitlines()[0]

    def unused(self, hess: Any, hessp: Any) -> list[str]:
        """Return the note that the method does not use the `hess` and `hessp` that are given, if so."""
        given = [name for name, function in [("hess", hess), ("hessp", hessp)] if callable(function)]
        if not given or self.automatic or self.open or self.uses & {"hess", "hessp"}:
            return []
        able = sorted(name for name, row in SOLVERS.items() if row.uses & {"hess", "hessp"})
        return [f"{self.name} does not use {' and '.join(given)}; these methods do: {', '.join(able)}."]

    def settings(self, options: Mapping[str, Any] | None = None, tol: float | None = None) -> dict[str, Any]:
        """Return the options to run with: the user's over `tol` over the defaults.

        Raises
        ------
        UsageError
            For an option that this method does not know.
        """
        if not isinstance(options, Mapping | None):
            raise UsageError(f"options={options!r} is not a dict.", remedy='pass options={"maxiter": 100} or the like.')
        given = dict(options or {})
        if self.open:
            return ({} if tol is None else dict.fromkeys(self.tol, tol)) | given
        for name, value in [("tol", tol), *given.items()]:
            if isinstance(value, str) and name not in _TEXTS:
                raise UsageError(f"{name}={value!r} is not a number.", remedy=f"pass {name} a number.")
            if isinstance(value, int | float) and not value >= (-math.inf if name not in _POSITIVE else 0):
                raise UsageError(f"{name}={value!r} is not understood.", remedy=f"pass {name} a number from 0 on.")
        if differences := [name for name in given if name in _OF_DIFFERENCES]:
            raise UsageError(
                f"The option {', '.join(map(repr, differences))} is for numerical derivatives.",
                remedy="leave it out: the derivatives here are exact.",
            )
        if unknown := [name for name in given if name not in self.options]:
            hints = [f"{name!r}{_near(name, self.options)}" for name in unknown]
            raise UsageError(
                f"The method {self.name} has no option {', '.join(hints)}.",
                remedy=f"use only its options: {', '.join(sorted(self.options))}.",
            )
        return dict(self.options) | ({} if tol is None else dict.fromkeys(self.tol, tol)) | given


_OF_DIFFERENCES = ("eps", "finite_diff_rel_step", "workers")
"""SciPy's options of its differences, which all its methods have."""


_POSITIVE = {"tol", "maxiter", "maxfun", "maxfev"}
"""Options that are 0 or more."""

_TEXTS = {"mu_strategy", "nlp_scaling_method", "hessian_approximation", "factorization_method"}
"""Options that are words."""


def solver(
    name: str,
    *,
    uses: Iterable[str],
    options: Mapping[str, Any],
    tol: Iterable[str],
    takes: Iterable[str] = (),
    stalls: Iterable[int] = (),
    needs: tuple[str, str] | None = None,
    has_state: bool = False,
) -> Callable:
    """Return a decorator that enters a function(problem, options) -> SciPy result in SOLVERS as `name`."""

    def enter(function: Callable) -> Callable:
        able, used, ends = frozenset(takes), frozenset(uses), frozenset(stalls)
        SOLVERS[name] = Solver(name, function, able, used, dict(options), tuple(tol), ends, needs, has_state=has_state)
        return function

    return enter


def find(name: str) -> Solver:
    """Return the solver called `name`, in any case; UsageError with near names if there is none."""
    if isinstance(name, str) and name.lower() in SOLVERS:
        return SOLVERS[name.lower()]
    raise UsageError(
        f"There is no method {name!r}{_near(str(name).lower(), SOLVERS)}.",
        remedy=f"use one of {', '.join(sorted(SOLVERS))}.",
    )


def choose(method: str | None, size: int, bounds: Any = None, constraints: Any = ()) -> Solver:
    """Return the solver for `method`, by default what SciPy would take (but L-BFGS-B for more than 200 parameters).

    Raises
    ------
    UsageError
        If there is no such method, it is not installed, or would ignore the bounds or the constraints.
    """
    demands = {"bounds": bounds is not None, "constraints": are_given(constraints)}
    automatic = method is None
    if method is None:
        method = "slsqp" if demands["constraints"] else "l-bfgs-b" if demands["bounds"] or size > 200 else "bfgs"
    chosen = find(method)
    if refused := [thing for thing, wanted in demands.items() if wanted and thing not in chosen.takes]:
        wanted = {thing for thing, is_wanted in demands.items() if is_wanted}
        able = sorted(name for name, row in SOLVERS.items() if wanted <= row.takes)
        raise UsageError(
            f"The method {chosen.name} takes no {' and no '.join(refused)}.",
            remedy=f"use a method that takes {' and '.join(sorted(wanted))}: {', '.join(able)}.",
        )
    if chosen.needs and not chosen.is_installed:
        package, extra = chosen.needs
        raise UsageError(
            f"The method {chosen.name} needs the package {package}, which is not installed.",
            remedy=f'run pip install "autoopt[{extra}]".',
        )
    return replace(chosen, automatic=True) if automatic else chosen


def are_given(constraints: Any) -> bool:
    """Whether there are constraints in what was passed for them."""
    return constraints is not None and not (isinstance(constraints, list | tuple | dict) and not constraints)


def _near(name: str, names: Iterable[str]) -> str:
    """Return the names near to `name` as a question, or nothing."""
    near = difflib.get_close_matches(name, list(names), n=3, cutoff=0.6)
    return f" (did you mean {' or '.join(near)}?)" if near else ""
