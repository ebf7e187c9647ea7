"""Whether standard errors may be taken at the estimates, and the likelihood has the shape that these take it for.

A solver stops where f can be told no better; that the curvature there is that of the likelihood is another thing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autoopt.errors import InferenceError
from autoopt.fitting.solving import Case
from autoopt.wording import listed

_MOST = 10
"""Parameters of which each is looked at, by two calls of the objective."""

_RELATIVE = 1e-10
"""A step that is shorter, beside the parameters, is rounding: that of a fit without residuals."""


def unfinished(inferred: Any, case: Case, u: np.ndarray, free: np.ndarray) -> str | None:
    """Return in words that the gradient at the estimates `u` still promises a step of some standard errors, else None.

    Units of the parameters have no part in it, as they have in what solvers call a small gradient.
    """
    from autoopt.inference import STATIONARY, newton_step

    gradient = inferred.result.get("jac")
    if gradient is None or np.shape(gradient) != np.shape(inferred.params) or not np.isfinite(gradient).all():
        return None
    gradient = case.variables.pulled(u, np.asarray(gradient, float)) / _unit(inferred)
    step, length = newton_step(inferred.inverse[np.ix_(free, free)], gradient[free])
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = np.abs(step) / np.abs(u[free])
    if not (length > STATIONARY and np.nanmax(relative) > _RELATIVE):
        return None
    names = [name for name, is_free in zip(case.names, free, strict=True) if is_free]
    name = names[int(np.argmax(np.abs(step) / np.sqrt(np.diag(inferred.inverse)[free])))]
    return (
        f"the gradient at the solution does not vanish: the Hessian promises a better point {length:.2g} standard "
        f"errors away, most of it in {name}, and no step leads there. Numbers of very different sizes in the data, or "
        "a kink, do that"
    )


def unlike_a_quadratic(inferred: Any, case: Case, u: np.ndarray, free: np.ndarray, hessian: np.ndarray) -> list[str]:
    """Return the sentence on parameters along which the likelihood hardly falls over a standard error.

    Along the straight way that is looked at it falls more than its profile does, so that this is beyond doubt.

    Raises
    ------
    InferenceError
        Where values as close as they can be told apart rise many times as much as the curvature says: it is rounding.
    """
    from autoopt.inference import LEAST, combination, excess, flattest, rises, upwards

    inverse, hessian = inferred.inverse[np.ix_(free, free)], hessian[np.ix_(free, free)]
    names = [name for name, is_free in zip(case.names, free, strict=True) if is_free]
    flat, inside = flattest(hessian), np.flatnonzero(free)

    def values(several: Sequence[np.ndarray]) -> list[float]:
        points = [u.copy() for _ in several]
        for at, some in zip(points, several, strict=True):
            at[inside] = some
        return case.value_of_each(points)

    times = excess(values, u[inside], inverse, hessian @ flat, _unit(inferred))
    if times > 1:
        raise InferenceError(
            f"The curvature at the solution is rounding: points close by rise {times:.1e} times as much as it says, "
            f"along\n  {combination(upwards(flat), names)}",
            remedy="write the parameters so that the likelihood has a second derivative there that is not 0 (a "
            "minimum of fourth order has none), or look at its values along the parameter: Fit.profile.",
        )
    if len(names) > _MOST:
        return []
    found = rises(values, u[inside], inverse, np.eye(len(names)), _unit(inferred))
    is_seen = np.sqrt(np.diag(inverse)) > _RELATIVE * np.abs(u[inside])  # such a step is no rounding
    told = [(names[k], found[k]) for k in np.flatnonzero(is_seen) if np.any(found[k] < LEAST)]
    if not told:
        return []
    rise = told[0][1]
    side = "above" if rise[0] < LEAST else "below"
    return [
        f"Standard errors and Wald intervals of {listed([name for name, _ in told])} say little: one standard error "
        f"{side} the estimate the likelihood has fallen by {max(np.nanmin(rise), 0.0) / 2:.1g}, where they take it to "
        "fall by 0.5. Take conf_int(method='profile')."
    ]


def _unit(inferred: Any) -> float:
    """Return of what the objective is a multiple, if it is a sum of squares: twice the variance of the residuals."""
    return 2 * inferred.scale if inferred.use_t else 1.0
