"""How the gradient changes beside a point, which second derivatives are compared with.

Gradient and second derivatives are code of different makes, put together from other pieces in another order. A central
difference of two gradients shows a term that is missing, or there twice; kinks and rounding may show, too, so that a
third computation decides where the two differ.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

STEP = 6e-6
"""The cube root of the rounding of a number near 1: where errors of a central difference are least."""

NEAR = 1e-4
"""How near a difference of gradients is to be, as a part of what the absolute values of the entries give."""

SAME = 1e-6
"""How near two products are to be that are computed in different orders."""

Gradient = Callable[[np.ndarray], "np.ndarray | None"]
"""The gradient at a point, None where it is not defined."""


def agrees(gradient: Gradient, x: np.ndarray, direction: np.ndarray, product: np.ndarray, size: np.ndarray) -> bool:
    """Whether the gradient changes along `direction`, which moves x by about its size, as `product` says.

    `size` is how large the terms of `product` are, entry by entry. True if the gradient is not defined there.
    """
    try:
        own, after, before = gradient(x), gradient(x + STEP * direction), gradient(x - STEP * direction)
    except Exception:  # the objective is not defined beside the point
        return True
    if own is None or after is None or before is None:
        return True
    change = (after - before) / (2.0 * STEP)
    if not np.isfinite(change).all():
        return True
    return bool(np.all(np.abs(change - product) <= NEAR * size + 1e-14 / STEP * np.abs(own)))


def is_same(one: np.ndarray, other: np.ndarray, size: np.ndarray) -> bool:
    """Whether two products are equal but for rounding, as far as the second one is finite."""
    return bool(np.all((np.abs(one - other) <= SAME * (size + np.abs(other))) | ~np.isfinite(other)))
