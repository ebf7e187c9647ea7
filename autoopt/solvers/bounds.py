"""Bounds on the parameters, in any of SciPy's forms or in the structure of x0, as two flat vectors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from autoopt.errors import UsageError
from autoopt.parameters import Structure

_REMEDY = (
    "give (low, high) for each parameter with None for no limit, a scipy.optimize.Bounds, "
    "or for a dict x0 a dict of (low, high)."
)


@dataclass(frozen=True)
class Limits:
    """The lower and upper limit of each flat entry, shape (n,) each, infinite where there is none."""

    lower: np.ndarray
    upper: np.ndarray

    @classmethod
    def of(cls, bounds: Any, structure: Structure, x0: Any) -> Limits | None:
        """Return the limits that `bounds` sets, None if it is None; UsageError if they do not fit or exclude x0."""
        if bounds is None:
            return None
        lower, upper = _vectors(bounds, structure, x0)
        flat, names = structure.flatten(x0), structure.names
        for wrong, complaint in [
            (np.isnan(lower) | np.isnan(upper), "has a limit that is nan"),
            (lower > upper, "has its lower limit above its upper one"),
            ((flat < lower) | (flat > upper), "starts outside its limits"),
        ]:
            if wrong.any():
                i = int(np.argmax(wrong))
                raise UsageError(
                    f"bounds: {names[i]} {complaint}: {lower[i]:g} <= {flat[i]:g} <= {upper[i]:g} does not hold.",
                    remedy="correct the bounds, or move x0 inside them.",
                )
        return cls(lower, upper)

    def scipy(self) -> Any:
        from scipy.optimize import Bounds

        return Bounds(self.lower, self.upper)

    def allow(self, x: np.ndarray) -> bool:
        """Whether `x`, shape (n,), is within them; interior-point methods pass them on their way."""
        return bool((x >= self.lower).all() and (x <= self.upper).all())

    def projected(self, x: np.ndarray, gradient: np.ndarray) -> np.ndarray:
        """Return the gradient, shape (n,), cut to the distance that each entry may still go downhill."""
        ahead = x - gradient
        inside = (self.lower <= ahead) & (ahead <= self.upper)
        return np.where(
            inside, gradient, x - np.clip(ahead, self.lower, self.upper)
        )  # x - (x - g) is g but for rounding


def within(limits: Limits | None, x: np.ndarray) -> np.ndarray:
    """Return the point within the limits that is nearest to `x`, shape (n,)."""
    return x if limits is None else np.clip(x, limits.lower, limits.upper)


def _vectors(bounds: Any, structure: Structure, x0: Any) -> tuple[np.ndarray, np.ndarray]:
    if hasattr(bounds, "lb") and hasattr(bounds, "ub"):
        for side in (bounds.lb, bounds.ub):
            if isinstance(side, np.ndarray) and side.ndim == 1 and len(side) not in (1, structure.size):
                raise UsageError(f"bounds has {len(side)} limits, but x0 has {structure.size} entries.", remedy=_REMEDY)
        return _spread(bounds.lb, structure, -np.inf), _spread(bounds.ub, structure, np.inf)
    if isinstance(bounds, dict):
        if not isinstance(x0, dict):
            raise UsageError(f"bounds is a dict, but x0 is {type(x0).__name__}.", remedy=_REMEDY)
        if unknown := [str(key) for key in bounds if key not in x0]:
            raise UsageError(
                f"bounds: x0 has no {', '.join(unknown)}.", remedy=f"use the keys {', '.join(map(str, x0))}."
            )
        parts = [_vectors_of_part(key, bounds.get(key), value) for key, value in x0.items()]
        return np.concatenate([low for low, _ in parts]), np.concatenate([high for _, high in parts])
    try:
        pairs = [(low, high) for low, high in bounds]
    except (TypeError, ValueError) as error:
        is_sides = isinstance(bounds, tuple | list) and len(bounds) == 2 != structure.size and np.ndim(bounds[0]) == 1
        remedy = "pass scipy.optimize.Bounds(low, high), which takes the two arrays." if is_sides else _REMEDY
        raise UsageError("bounds is not a sequence of (low, high).", remedy=remedy) from error
    if len(pairs) != structure.size:
        raise UsageError(f"bounds has {len(pairs)} pairs, but x0 has {structure.size} entries.", remedy=_REMEDY)
    return _numbers([low for low, _ in pairs], -np.inf), _numbers([high for _, high in pairs], np.inf)


def _vectors_of_part(key: Any, bounds: Any, value: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return the limits below one key of a dict x0: nested bounds, or one (low, high) for all of it."""
    structure = Structure.of(value) if np.size(value) or isinstance(value, dict | list | tuple) else None
    if structure is None:
        return np.zeros(0), np.zeros(0)
    if bounds is None:
        bounds = (None, None)
    if isinstance(bounds, dict):
        return _vectors(bounds, structure, value)
    try:
        low, high = bounds
        return _spread(low, structure, -np.inf), _spread(high, structure, np.inf)
    except (TypeError, ValueError) as error:
        if isinstance(error, UsageError):
            raise
        raise UsageError(f"bounds: {key} is not a pair (low, high).", remedy=_REMEDY) from error


def _spread(limit: Any, structure: Structure, missing: float) -> np.ndarray:
    """Return one limit for all entries, or one for each (flat or structured), as a vector."""
    if isinstance(limit, np.ndarray) and limit.shape == (1,):  # what SciPy's Bounds makes of a number
        limit = limit[0]
    if limit is None or np.ndim(limit) == 0:
        return np.full(structure.size, missing if limit is None else float(limit))
    if np.shape(limit) == (structure.size,):
        return _numbers(limit, missing)
    return structure.flatten(limit)


def _numbers(limits: Any, missing: float) -> np.ndarray:
    try:
        return np.array([missing if limit is None else float(limit) for limit in limits], dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise UsageError("bounds holds a limit that is not a number.", remedy=_REMEDY) from error
