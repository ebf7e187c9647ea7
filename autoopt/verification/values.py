"""A value of compiled code compared with that of the original, by what rounding may come to in it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from autoopt.verification.certificate import CANNOT_TELL, DISAGREES, VALUE, Finding
from autoopt.verification.rounding import is_single, last_place, spread

ROUNDINGS = 16
"""So many roundings of its last place are looked for in no value: another order of a sum has them."""

MARGIN = 32
"""Times the spread of a value by rounding: of 1500 models and points none had its values apart by 1.1 of them."""

CALCULATED = 1e-9, 1e-5
"""By so much, in double and single precision, values may be apart that are calculated in another way: a function by
another series, or equations by another search. Whether they are cannot be told."""

FEWER = "{} digits agree, fewer than rounding leaves: the code calculates it in another way, or is wrong by as much"


def compare_values(
    objective: Any, x: np.ndarray, compiled: float, original: float, floor: float, place: str
) -> Finding:
    """Return whether two values at `x` agree, relative to that of the original or to `floor`, if that is larger.

    They do where they are as near as rounding allows; where nothing is known of that, as near as values are that are
    calculated in another way.
    """
    size = max(abs(original), floor) or 1.0
    off, rounded = abs(compiled - original) / size, ROUNDINGS * last_place(objective)
    found = Finding(VALUE, place, off, rounded)
    if off <= rounded:
        return found
    allowed = max(rounded, float(allowances(objective, x, original, size)) / size)
    found = replace(found, allowed=allowed)
    if off <= allowed:
        return found
    if off <= CALCULATED[is_single(objective)]:
        return replace(found, verdict=CANNOT_TELL, reason=FEWER.format(found.digits))
    return replace(found, verdict=DISAGREES)


def allowances(objective: Any, x: np.ndarray, original: Any, size: Any) -> Any:
    """Return what rounding and tolerances may come to in values of these sizes."""
    noise = MARGIN * spread(objective, x, original).reshape(np.shape(original))
    is_solved = objective.closer(x) is not None if hasattr(objective, "closer") else False
    fixed = CALCULATED[is_single(objective)] * np.asarray(size)
    return np.maximum(noise, fixed) if is_solved else np.where(np.isfinite(noise), noise, fixed)
