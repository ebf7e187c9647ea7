"""A Fit as a Subject of pictures: what is asked of its case, and why something cannot be had."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from autoopt.reports.estimators import deviance_of
from autoopt.reports.responses import fitted_values, probabilities_of_one
from autoopt.reports.subject import Probabilities, Residuals, Subject
from autoopt.users_code import NO_VALUE

LARGEST = 500
"""Parameters whose Hessian is computed, and taken apart, for a picture."""


def subject_of(fitted: Any) -> Subject:
    """Return what pictures look at of a `fitting.fitted.Fit`."""
    case, count = fitted.case, len(fitted.names)
    level, has_intervals = fitted.level, fitted.covariance is not None
    asked: dict[str, Any] = {}
    if case is not None:
        chances = functools.cache(lambda: _quietly(_probabilities, fitted))
        asked = {"probabilities": chances, "curvature": lambda: _quietly(_curvature, fitted)}
        asked["residuals"] = lambda: _quietly(lambda fitted: _residuals(fitted, chances), fitted)
    if case is not None and fitted.is_inferential and fitted.status in ("converged", "not identified"):
        asked |= {"profile": lambda name: fitted.profile(name, level), "estimated": case.names}
        asked["profiled"] = [fitted.names[number] for number in sorted(fitted.profiles)]
    return Subject(
        f"the fit of {fitted.source}",
        fitted.names,
        fitted.params,
        fitted.bse,
        np.asarray(fitted.conf_int(level)) if has_intervals else np.full((count, 2), np.nan),
        level=level,
        history=fitted.history,
        why=_why(fitted),
        **asked,
    )


def _why(fitted: Any) -> str:
    """Return why there are no standard errors, as part of a sentence."""
    if fitted.problem is not None:
        return f"the fit is {fitted.status}"
    if not fitted.is_inferential:
        return "what is minimised is neither a likelihood nor a sum of squares, as no kind was given"
    said = [note for note in fitted.notes if note.startswith("No standard errors: ")]
    return said[0].removeprefix("No standard errors: ").rstrip(".") if said else ""


def _quietly(work: Callable, fitted: Any) -> Any:
    """Return `work(fitted)`; None where the user's code raises or is not finite: a picture less is no error."""
    errors = *NO_VALUE, TypeError, LookupError
    with contextlib.suppress(*errors), np.errstate(all="ignore"):
        return work(fitted)
    return None


def _curvature(fitted: Any) -> tuple[Sequence[str], np.ndarray] | None:
    """Return the observed information on the parameters that are free, with their names."""
    case = fitted.case
    if len(fitted.names) > LARGEST:
        return None
    u = case.variables.variables(fitted.params)
    free = np.flatnonzero(fitted.free)
    scale = fitted.scale if np.isfinite(fitted.scale) and fitted.scale > 0 else 1.0
    matrix = np.asarray(case.information(u, scale), float)[np.ix_(free, free)]
    return ([case.names[i] for i in free], matrix) if free.size else None


def _away(fitted: Any) -> Callable[[float], Any]:
    """Return the parameters as the user's function takes them, each away by a factor of its size."""
    x, unflatten = fitted.params, fitted.case.start.structure.unflatten
    return lambda factor: unflatten(x + factor * np.where(x == 0, 1.0, x))


def _residuals(fitted: Any, probabilities: Callable[[], Probabilities | None]) -> Residuals | None:
    """Return the residuals of least squares in standard deviations, or the deviance residuals of a response of 0, 1."""
    function, args = fitted.case.minimised.residuals, fitted.case.call["args"]
    if function is not None:
        away = _away(fitted)
        values = np.asarray(function(away(0.0), *args), float).reshape(-1)
        if not np.isfinite(values).all():
            return None
        fitting = _quietly(lambda _: fitted_values(function, away, args, values), fitted)
        spread = np.sqrt(fitted.scale)
        known = np.isfinite(spread) and spread > 0
        return Residuals(values / spread if known else values, fitting, *([] if known else ["residual"]))
    chances = probabilities()
    return None if chances is None else deviance_of(chances)


def _probabilities(fitted: Any) -> Probabilities | None:
    """Return the probabilities of a likelihood whose terms are those of a response of 0 and 1."""
    case = fitted.case
    if not case.minimised.kind.is_likelihood:
        return None
    x, args = _away(fitted)(0.0), case.call["args"]
    for terms in _terms(case):
        found = _quietly(lambda _, terms=terms: probabilities_of_one(terms, x, args), fitted)
        if found is not None:
            return Probabilities(*found)
    return None


def _terms(case: Any) -> Iterator[Callable]:
    """Yield functions of the terms of a likelihood: as they are summed, without their weights, or told on the tape."""
    minimised = case.minimised
    if minimised.terms is not None:
        yield minimised.terms
        if hasattr(minimised.terms, "__wrapped__"):
            yield lambda x, *args: minimised.kind.sign * np.asarray(minimised.terms.__wrapped__(x, *args))
        return
    from autoopt.objectives.by_row import terms_by_row
    from autoopt.objectives.weighted_rows import Weighted

    flatten, function = case.start.structure.flatten, case.objective
    function = function.function if isinstance(function, Weighted) else function
    yield lambda x, *args: terms_by_row(function, x, args, case.call["engine"], case.rows).value(flatten(x))
