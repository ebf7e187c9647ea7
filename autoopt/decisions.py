"""Loops whose decisions may carry what they find: the first derivatives of each order against the objective's values.

A value that depends on parameters through comparisons, signs or saturated functions alone has no slope on the tape, and
what a search leaves where it is flat, such as a minimum, has a slope but no curvature. Where such a loop ends in a root
that was recognised, its derivatives are on the tape; this sees to it that they are, or that the loop is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autoopt import differences
from autoopt.errors import Location, TracingError

_WIDTHS = (2.0**-8, 1.3 * 2.0**-9, 0.7 * 2.0**-8, 1.7 * 2.0**-9)
"""Steps of differences of a function that may be known to a tolerance only, and not be defined at some point."""

_AGREE = {1: 1e-3, 2: 1e-2}
"""Central differences at one step that are as close as this to a derivative, by its order, are no reason to look on."""

_DIFFER = {1: 1e-2, 2: 5e-2}


_DECIDED = (
    "The objective finds a number by decisions, which have no derivative",
    "find the number with scipy.optimize.brentq (a minimum as the root of the slope), end with two Newton steps "
    "(v = v - f(v) / df(v), twice), or pass jac='finite-difference'.",
)
_UNFOLLOWED = (
    "The objective makes a text or a whole number of its parameters, and what it finds by that has no derivative",
    "compute the value anew in each call, or look it up by data alone; or pass jac='finite-difference'.",
)


def compare(objective: Any, path: Any, order: int, along: Callable[[np.ndarray], float]) -> None:
    """Raise if the first, or second, derivative at the path's own point is not what the values show.

    It is compared along one direction, of which `along` gives it. Nothing is said where the values have no such
    derivative, the same ahead and behind.

    Raises
    ------
    TracingError
        With the line that decides.
    """
    tape, x = path.trace.tape, path.point
    (happened, remedy), place = (_DECIDED, tape.decided) if tape.decided else (_UNFOLLOWED, next(iter(tape.unfollowed)))
    direction = differences.step_scale(x) * np.random.default_rng(0).normal(size=x.size)
    own = along(direction)
    if not np.isfinite(own) or _is_close(objective, x, direction, order, own):
        return
    shown = differences.one_sided if order == 1 else differences.curvatures
    for width in _WIDTHS:
        with np.errstate(all="ignore"):
            ahead, behind, error = shown(objective.original, x, direction, width)
        if np.isfinite(error):
            break
    smooth = abs(ahead - behind) <= 4 * error + 1e-2 * abs(ahead)
    if not smooth or abs(own - ahead) <= 10 * error + _DIFFER[order] * abs(ahead):
        return
    what = {1: "slope", 2: "curvature"}[order]
    raise TracingError(
        f"{happened}: along one direction its values have {what} {ahead:.3g}, what is derived {own:.3g}.",
        Location.of_instruction(*place),
        remedy,
    )


def _is_close(objective: Any, x: np.ndarray, direction: np.ndarray, order: int, own: float) -> bool:
    """Whether differences at one step, of two or three values, are what is derived."""
    values = [float(differences.value_at(objective.original, x + h * direction)) for h in (-_WIDTHS[0], 0, _WIDTHS[0])]
    shown = (values[2] - values[0]) / (2 * _WIDTHS[0]) if order == 1 else np.diff(values, 2)[0] / _WIDTHS[0] ** 2
    return abs(shown - own) <= _AGREE[order] * abs(shown)  # not where NaN
