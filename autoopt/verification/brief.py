"""The comparison at a point of a run, or at its end: two calls of the original where all is well.

What does not matter beside a `floor` is not looked at there; only where value and slope do not fit, all of `compare` is
done.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from autoopt import differences
from autoopt.objectives.compared import found_before
from autoopt.verification import complex_step
from autoopt.verification.certificate import AGREES, BESIDE, Finding, Verification
from autoopt.verification.points import compare
from autoopt.verification.secants import Evaluated, compared, directions, extrapolated, fine
from autoopt.verification.segments import STEPS, Segment, closer_segments, over_segment, segment
from autoopt.verification.values import compare_values


def compare_briefly(
    objective: Any, x: np.ndarray, place: str, floor: float, limits: Any, at_x: Evaluated
) -> Verification:
    """Return the comparison of value and slope with the original at `x`, where the code gives `at_x`.

    It takes two calls of the original, or a few more where these tell no digit; one where the code gives what it gave
    when it was compared at `x`.
    Entries within a step of their `limits` are left where they are. The last call of the original is that at `x`, if
    all fits.
    """
    known, ahead, length = found_before(objective, x, *at_x), np.nan, STEPS[0]
    if known is None:
        if objective.closer(x):
            return compare(objective, x, 2, place, floor, at_x)
        p = directions(objective, x, np.random.default_rng(2))
        if limits is not None:
            room = np.minimum(x - limits.lower, limits.upper - x)
            p = np.where(room > length * np.abs(p), p, 0.0)
        if not objective.single:
            ahead = float(differences.value_at(objective.original, x + length * p))
    original = _value(objective.original, x, at_x[0])
    if isinstance(original, Verification):
        return original
    value = compare_values(objective, x, at_x[0], original, floor, place)
    if known is not None and value.verdict == AGREES:
        return known
    first = segment(objective, x, p, length, original, at_x, ahead) if np.isfinite(ahead) else None
    if first is not None and (found := _over(objective, first, p, at_x, original, floor, value)).passed:
        return found
    if known is None and value.verdict == AGREES and not objective.single:
        exact = complex_step.compared(objective, x, p, at_x, original, floor, place)
        if exact is not None:
            return replace(exact, findings=(value, *exact.findings))
    if known is None and not objective.single:
        for one in closer_segments(objective, x, p, original, at_x):
            if (found := _over(objective, one, p, at_x, original, floor, value)).passed:
                return found
    for secant in (fine, extrapolated) if known is None else ():
        found = compared(secant(objective.original, x, p, original), p, at_x, original, floor, value)
        if found.passed:
            return found
    return compare(objective, x, 2, place, floor, at_x)


def _over(
    objective: Any, one: Segment, p: np.ndarray, at_x: Evaluated, original: float, floor: float, value: Finding
) -> Verification:
    """Return whether the slope over a segment along `p` agrees, and the values at both ends."""
    last = compare_values(objective, one.end, one.compiled, one.original, floor, BESIDE + value.place)
    return over_segment(one, p, at_x[0], original, floor, (value, last))


def _value(original: Callable, x: np.ndarray, compiled: float) -> float | Verification:
    """Return the original's value at `x`; where it has none though the code has one, what is to be said of that."""
    try:
        value = original(x)
    except Exception as error:
        return Verification(False, message=f"There the original function raises {type(error).__name__}: {error}.")
    if np.isnan(value) and np.isfinite(compiled):
        return Verification(
            False, message="There the original function is NaN, and only the code derived from it is not."
        )
    return value
