"""Newton's method as searches use it: four steps, slopes by central differences, no derivative asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

STEPS = 4
WIDTH = 1e-5
REST = 1e-9
"""Half the width of differences, and the last step, of `newton`, relative to 1 + |root|."""


def newton(h: Callable, start: Any) -> tuple[Any, Any]:
    """Return what four steps of Newton's method, with central differences, make of `start`, and the last step."""
    root, step = start, 0.0
    width = WIDTH * (1.0 + np.abs(start))
    for _ in range(STEPS):
        slope = (h(root + width) - h(root - width)) / (2.0 * width)
        step = h(root) / slope
        root = root - step
    return root, step


def rest(h: Callable, start: np.ndarray) -> Any:
    """Return where Newton's method comes to rest; None if it does not."""
    with np.errstate(all="ignore"):
        root, step = newton(h, start)
    rests = np.abs(step) <= REST * (1.0 + np.abs(start))
    return root if np.shape(root) == np.shape(start) and np.all(rests) else None
