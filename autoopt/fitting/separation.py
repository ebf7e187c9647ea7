"""Separation: a combination of parameters along which no row's likelihood falls, and some rows' rise for ever.

    logistic     x_i . d >= 0 where y_i = 1, <= 0 where y_i = 0: the plane x . d = 0 has the classes on its sides
    Poisson      x_i . d <= 0 where y_i = 0, = 0 elsewhere
    ordered      the same of each threshold

A linear program on the slopes of all terms, at a few points, finds a direction along which none rises if there is one
for any likelihood of linear predictors; the terms themselves, far along it, say whether it is one.

References
----------
Albert, A. and Anderson, J. A. (1984). On the existence of maximum likelihood estimates in logistic regression models.
Biometrika 71(1), 1-10.
Konis, K. (2007). Linear programming algorithms for detecting separated data in binary logistic regression models. DPhil
thesis, University of Oxford.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

from autoopt.errors import AutooptError, InferenceError
from autoopt.fitting.scores import rows_of
from autoopt.fitting.solving import Case
from autoopt.users_code import NO_VALUE

LARGEST = 2**23
"""Entries of the linear program: beyond, it may take minutes."""

_FAR = (0.0, 1.0, 10.0, 100.0)
_AHEAD = 4.0
"""What the first of these changes the most: of a linear predictor, so much that the rest is far out."""

_CUTS = 12
"""Directions that are tried."""

_RISE = 1e-6
"""A rise of a term by this share of its size is one of the linear program's rounding."""


def separation(fitted: Any, case: Case) -> InferenceError | None:
    """Return the error of a likelihood whose classes are separated; None if they are not, or that is not known."""
    minimised = case.minimised
    if not minimised.kind.is_likelihood or minimised.penalty is not None or case.call["constraints"]:
        return None
    u, start = (case.variables.variables(x) for x in (fitted.params, case.start.flat))
    if 4 * (case.rows or 0) * u.size > LARGEST or case.batches is not None:
        return None
    try:
        values, slopes = rows_of(case)
        with np.errstate(all="ignore"):
            found = _direction(case, values, slopes, start, u)
    except (AutooptError, *NO_VALUE):  # it was to explain a failure
        return None
    return None if found is None else _told(case, *found)


def _direction(
    case: Case, values: Callable, slopes: Callable, start: np.ndarray, u: np.ndarray
) -> tuple[np.ndarray, int, int] | None:
    """Return a direction along which no term rises, shape (k,), how many fall, and how many there are.

    Slopes at a few points allow too many directions; one along which a term rises after all is cut off by the slopes
    far along it.
    """
    from autoopt.solvers.recession import recession

    first = slopes(start)
    units = np.max(np.abs(first), axis=0, initial=0.0)
    units = np.where(units > 0, 1 / np.where(units > 0, units, 1.0), 1.0)
    rng = np.random.default_rng(0)
    points = [start + 0.1 * (u - start), *(start + units * rng.normal(size=u.size) for _ in range(2))]
    rows = np.concatenate([first, *(slopes(point) for point in points)]) * units
    lower, upper = np.full(u.size, -1.0), np.ones(u.size)
    if case.limits is not None and (sides := case.variables.limits(case.limits.lower, case.limits.upper)) is not None:
        lower, upper = np.where(np.isfinite(sides[0]), 0.0, lower), np.where(np.isfinite(sides[1]), 0.0, upper)
    for block in () if case.start.variables is None else case.start.variables.blocks:  # whose range ends no direction
        lower[block.where], upper[block.where] = 0.0, 0.0
    for _ in range(_CUTS):
        found = recession(rows, lower, upper)
        if found is None or rows.size > LARGEST:
            return None
        direction = units * found
        step = _AHEAD / float(np.max(np.abs(first @ direction))) * direction
        counts = _falling(values, start, step)
        if counts is not None:
            return (direction, *counts)
        rows = np.concatenate([rows, *(slopes(start + far * step) * units for far in _FAR[1:])])
    return None


def _falling(values: Callable, start: np.ndarray, step: np.ndarray) -> tuple[int, int] | None:
    """Return how many terms fall along a direction, and how many there are; None if any rises, or none falls."""
    terms = [values(start + far * step) for far in _FAR]
    room = _RISE * (1 + np.abs(terms[0]))
    rises = [after - before for before, after in pairwise(terms)]
    if not all((rise <= room).all() for rise in rises):  # False for NaN
        return None
    falling = int(np.sum(terms[0] - terms[-1] > room))
    return (falling, len(terms[0])) if falling else None


def _told(case: Case, direction: np.ndarray, falling: int, count: int) -> InferenceError:
    from autoopt.inference import combination

    kind = "complete" if falling == count else "quasi-complete"
    return InferenceError(
        f"The likelihood has no maximum: along\n  {combination(direction, case.names)}\n"
        f"the likelihood of no row falls, and that of {falling} of {count} rises for ever: {kind} separation.",
        remedy="leave out a parameter of this combination, join groups, or pass penalty='firth', with which estimates "
        "are finite, and take intervals from profiles.",
    )
