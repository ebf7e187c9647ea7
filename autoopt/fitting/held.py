"""Which parameters of a fit a bound holds: they have no standard error, and the others take them as they are.

A distance is small or large beside the standard error s that a parameter would have by itself, h_ii^-1/2, and so is
what a slope promises: a dissociation constant of 4e-9, known to 2e-10, is not at its bound 0, and one of 1e-12 is that
is only known to 1e-3. Units do not count.
"""

from __future__ import annotations

from typing import Any

import numpy as np


def free_of(fitted: Any) -> np.ndarray:
    """Return which of the estimated parameters of a fit no limit holds, shape (m,)."""
    if fitted.inverse is not None:
        return np.isfinite(np.diag(fitted.inverse))
    return free(fitted.case, fitted.case.variables.variables(fitted.params))


def slopes_of(fitted: Any) -> np.ndarray | None:
    """Return the gradient of minus the log-likelihood at the estimates, shape (m,); None if it is not known."""
    jac = fitted.result.get("jac")
    if jac is None or np.shape(jac) != fitted.params.shape:
        return None
    return fitted.case.variables.gathered(np.asarray(jac, float)) / (2 * fitted.scale if fitted.use_t else 1.0)


def free(case: Any, u: np.ndarray, information: Any = None, slopes: np.ndarray | None = None) -> np.ndarray:
    """Return which parameters no limit holds at `u`, shape (m,), by the information there, (m, m), and the slopes.

    One is held that is at a limit, or within a millionth of its standard error; or beside it, if the likelihood still
    rises towards it. Without information what is within 1e-8 of a limit is held.
    """
    sides = None if case.limits is None else case.variables.limits(case.limits.lower, case.limits.upper)
    if sides is None:
        return np.ones(u.shape, bool)
    below, above = u - sides[0], sides[1] - u
    room = np.minimum(below, above)
    close = room <= _CLOSE * np.maximum(1.0, np.abs(u))
    if information is None:
        return ~close
    curvature = np.diag(information)
    with np.errstate(all="ignore"):
        error = np.where(curvature > 0, 1 / np.sqrt(curvature), np.nan)
    pushed = np.zeros(u.shape) if slopes is None else np.where(below <= above, slopes, -slopes)
    is_stationary = np.abs(pushed) * error <= _PUSHED  # False where there is no curvature
    inside = is_stationary & (room > _TOUCHING * error)
    beside = (pushed * error > _PUSHED) & (room <= _BESIDE * error)
    return (room > 0) & (inside | ~(close | beside | (room <= _TOUCHING * error)))


_CLOSE = 1e-8
"""Where curvature does not say better."""

_TOUCHING, _BESIDE = 1e-6, 0.1
"""Standard errors."""

_PUSHED = 1e-3
"""Standard errors that a Newton step would go, were there no bound."""
