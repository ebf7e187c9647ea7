"""Standard errors of a fit: the covariance of what is free, or why there is none, and what a failed fit went along."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from autoopt.errors import AutooptError, InferenceError
from autoopt.fitting import dispersed
from autoopt.fitting.free_scale import note
from autoopt.fitting.held import free as free_at
from autoopt.fitting.held import slopes_of
from autoopt.fitting.quadratic import unfinished, unlike_a_quadratic
from autoopt.fitting.separation import separation
from autoopt.fitting.solving import Case

LARGEST_HESSIAN = 2000
"""Parameters; beyond, standard errors would need more than 100 MB and minutes."""


def with_covariance(fitted: Any, case: Case) -> Any:
    """Return the fit with its covariance, or with the reason why there is none."""
    from autoopt.fitting.covariances import covariance_of
    from autoopt.inference import covariance_of_free, endless, flattest, no_maximum

    def without(reason: str) -> Any:
        return replace(fitted, notes=(*fitted.notes, f"No standard errors: {reason}."))

    if fitted.status != "converged":
        return explained(without(f"the fit is {fitted.status}"), case)
    if reason := _beforehand(fitted, case):
        return without(reason)
    u, names = case.variables.variables(fitted.params), case.names
    try:
        hessian = case.information(u, fitted.scale)
    except Exception as error:  # the estimates stand
        said = error.happened if isinstance(error, AutooptError) else f"{type(error).__name__}: {error}"
        return without(f"the second derivatives could not be computed ({said.rstrip('.')})")
    free = free_at(case, u, hessian, slopes_of(replace(fitted, case=case)))
    held = [names[i] for i in np.flatnonzero(~free)]
    shown = ", ".join(held[:5]) + (f" and {len(held) - 5} more" if len(held) > 5 else "")
    verb = "is" if len(held) == 1 else "are"
    if not free.any():
        return without(f"{shown} {verb} at a bound")
    try:
        inside = np.where(np.outer(free, free), hessian, np.eye(len(free)))
        if np.isfinite(hessian).all():
            ways = (flattest(inside), u - case.variables.variables(case.start.flat))
            directions = [np.where(free, way, 0.0) for way in ways]
            if (direction := endless(case.value, u, directions, hessian)) is not None:
                raise no_maximum(direction, names)
        inferred = replace(fitted, inverse=covariance_of_free(hessian, free, names))
        if far := unfinished(inferred, case, u, free):
            return without(far)
        odd = unlike_a_quadratic(inferred, case, u, free, hessian)
    except InferenceError as error:
        return replace(fitted, problem=separation(fitted, case) or error)
    try:
        inferred = replace(inferred, covariance=covariance_of(inferred))
    except AutooptError as error:  # the estimates stand
        return without(f"{error.happened.rstrip('.')}; {(error.remedy or '').rstrip('.')}")
    told = [*note(inferred), *_few_digits(inside, names), *odd, *dispersed.note(inferred, case)]
    if held:
        them = "it" if verb == "is" else "them"
        told += [f"{shown} {verb} at a bound: the standard errors of the others take {them} as fixed."]
    return replace(inferred, notes=(*inferred.notes, *told))


def _beforehand(fitted: Any, case: Case) -> str | None:
    """Return why there are no standard errors whatever the Hessian is; None if that decides."""
    if case.call["constraints"]:
        return "with constraints they do not follow from the Hessian"
    if fitted.use_t and fitted.result.fun < 0:
        return f"the sum of squares is {fitted.result.fun:.6g}, and no sum of squares is negative"
    if fitted.scale == 0:
        return "all residuals are 0, which leaves no variance"
    if not np.isfinite(fitted.scale):
        return _without_scale(fitted)
    if len(fitted.names) > LARGEST_HESSIAN:
        return f"the Hessian of {len(fitted.names)} parameters is too large"
    return None


def _few_digits(hessian: np.ndarray, names: Sequence[str]) -> list[str]:
    """Return the sentence on standard errors of which rounding has left less than six digits."""
    from autoopt.inference import combination, digits_of_errors, flattest, upwards

    digits = digits_of_errors(hessian)
    if digits >= _DIGITS:
        return []
    flat = combination(upwards(flattest(hessian)), names)
    return [
        f"Standard errors have about {max(int(digits), 0)} digits: along {flat} "
        "the objective hardly rises beside its other directions. Subtract the means of columns far from 0, or write "
        "the parameters so that they depend less on each other."
    ]


_DIGITS = 6.0
"""Fewer are said."""


def _without_scale(fitted: Any) -> str:
    """Return why the variance of the residuals is not known."""
    if fitted.nobs is None:
        return "the variance of the residuals needs the number of observations"
    return f"there are {fitted.nobs} observations for {fitted.df_model} parameters, which leave no variance"


_NO_MINIMUM = re.compile(r"minimum (lies )?at infinity|not bounded below")


def explained(fitted: Any, case: Case) -> Any:
    """Return the fit that did not converge with a note where its likelihood has no maximum on the way it went."""
    from autoopt.inference import endless, flattest, no_maximum

    if fitted.status != "not converged":
        return fitted
    if (separated := separation(fitted, case)) is not None:  # of which all that was seen of the run is a sign
        seen = fitted.result.get("diagnosis", [])
        fitted.result.diagnosis = [str(separated)]
        return replace(fitted, notes=(str(separated), *(one for one in fitted.notes if one not in seen)))
    if case.limits is not None or case.call["constraints"]:
        return fitted
    if any(_NO_MINIMUM.search(text) for text in fitted.result.get("diagnosis", [])):  # which names the way
        return fitted
    u = case.variables.variables(fitted.params)
    directions = [u - case.variables.variables(case.start.flat)]
    if 2 * len(fitted.names) <= fitted.result.nfev:  # what it costs is then less than what the run has cost
        hessian = case.rough_hessian(u)
        directions += [flattest(hessian)] if np.isfinite(hessian).all() else []
    direction = endless(case.value, u, directions)
    if direction is None:
        return fitted
    return replace(fitted, notes=(*fitted.notes, str(no_maximum(direction, case.names))))
