"""Bounds as SciPy's least_squares and curve_fit take them: a pair (lower, upper), not a pair for each parameter."""

from __future__ import annotations

from typing import Any

import numpy as np

from autoopt.errors import UsageError
from autoopt.parameters import Structure
from autoopt.solvers import Limits


def limits_of(bounds: Any, structure: Structure, x0: Any) -> Limits | None:
    """Return the limits, None where there are none; UsageError if they do not fit, exclude x0 or hold a parameter."""
    if bounds is None:
        return None
    if not isinstance(bounds, dict) and not (hasattr(bounds, "lb") and hasattr(bounds, "ub")):
        bounds = Pair.of(bounds)
    limits = Limits.of(bounds, structure, x0)
    assert limits is not None  # there are bounds
    if not (np.isfinite(limits.lower).any() or np.isfinite(limits.upper).any()):
        return None
    if (equal := limits.lower >= limits.upper).any():
        name = structure.names[int(np.argmax(equal))]
        raise UsageError(f"bounds: the limits of {name} are equal.", remedy="leave it out of x0, as a constant of fun.")
    return limits


class Pair:
    """The two limits, by the names that `scipy.optimize.Bounds` has for them."""

    def __init__(self, lb: Any, ub: Any) -> None:
        self.lb, self.ub = lb, ub

    @property
    def sides(self) -> tuple[Any, Any]:
        """The two limits."""
        return self.lb, self.ub

    @classmethod
    def of(cls, bounds: Any) -> Pair:
        """Return the pair that a user gave; UsageError if it is none."""
        try:
            lower, upper = bounds
        except (TypeError, ValueError):
            raise UsageError(
                "bounds is not a pair (lower, upper).",
                remedy="give the lower limits and then the upper ones, each a number or one for each parameter, or a "
                "scipy.optimize.Bounds.",
            ) from None
        return cls(lower, upper)
