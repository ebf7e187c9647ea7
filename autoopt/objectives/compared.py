"""Points where value and gradient of an objective's code have been compared with the function that it stands for.

They are kept with the code, also between calls. Code that gives the same bits at such a point computes what it computed
when it was compared: that its gradient is the slope need not be found out again. Other data give other bits, and so do
other engines and other paths.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

MOST = 2
"""How many points are kept: the start and the solution of the last run."""

_LONGEST = 2**16
"""Of how many parameters: a comparison costs little beside one evaluation of more."""


@dataclass(frozen=True)
class Compared:
    """What was found at a point, shape (n,), with value and gradient as they were there."""

    x: np.ndarray
    value: float
    gradient: np.ndarray
    found: Any

    def is_at(self, x: np.ndarray, value: float, gradient: np.ndarray) -> bool:
        """Whether point, value and gradient are the same."""
        return value == self.value and np.array_equal(x, self.x) and np.array_equal(gradient, self.gradient)


def found_before(objective: Any, x: np.ndarray, value: float, gradient: np.ndarray) -> Any:
    """Return what was found where `objective` had this value and gradient, None if that is not known."""
    points = getattr(objective, "compared", ())
    return next((point.found for point in points if point.is_at(x, value, gradient)), None)


def remember(objective: Any, x: np.ndarray, value: float, gradient: np.ndarray, found: Any) -> None:
    """Keep what was found at a point with an objective that keeps such points."""
    points = getattr(objective, "compared", None)
    if points is None or x.size > _LONGEST or any(point.is_at(x, value, gradient) for point in points):
        return
    objective.compared = (*points, Compared(x.copy(), value, gradient.copy(), found))[-MOST:]
