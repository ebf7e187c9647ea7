"""Whether a Hessian that was derived as a whole is that of the gradient: compared once for each path.

Gradient and Hessian are code of different makes: the Hessian is put together from contractions, the gradient is not. A
difference of two gradients beside the point, along a direction in which all parameters move, shows a block that is
missing or misplaced. Where the difference says otherwise, by kinks or by rounding perhaps, a product with the direction
decides.
"""

from __future__ import annotations

import numpy as np

from autoopt.objectives.dispatch import Dispatch

STEP = 6e-6
"""The cube root of the rounding of a number near 1: where errors of a central difference are least."""

NEAR = 1e-4
"""How near a difference of gradients is to be, as a part of what the absolute values of the entries give."""

SAME = 1e-6
"""How near two products are to be that are computed in different orders."""


def is_that_of_gradient(dispatch: Dispatch, x: np.ndarray, hessian: np.ndarray) -> bool:
    """Whether `hessian`, shape (n, n), is finite and how the gradient changes at `x`, to first order."""
    direction = np.random.default_rng(0).choice([-1.0, 1.0], x.size) * np.random.default_rng(1).uniform(
        0.5, 1.0, x.size
    )
    direction *= np.maximum(1.0, np.abs(x))
    with np.errstate(all="ignore"):
        own, size = hessian @ direction, np.abs(hessian) @ np.abs(direction)
        if not np.isfinite(size).all():
            return True  # there is nothing to compare
        change = _change(dispatch, x, STEP * direction)
        if change is not None and np.all(np.abs(change - own) <= NEAR * size + _noise(dispatch, x)):
            return True
        product = dispatch.run("hessp", x, direction)
        close = np.abs(product - own) <= SAME * (size + np.abs(product))
        return bool(np.all(close | ~np.isfinite(product)))


def _change(dispatch: Dispatch, x: np.ndarray, step: np.ndarray) -> np.ndarray | None:
    """Return the derivative of the gradient along a step, divided by its scale; None if it is not defined there."""
    try:
        after, before = (dispatch.by_convention("value_and_grad", x + sign * step)[1] for sign in (1.0, -1.0))
    except Exception:  # the objective is not defined beside the point
        return None
    change = (after - before) / (2.0 * STEP)
    return change if np.isfinite(change).all() else None


def _noise(dispatch: Dispatch, x: np.ndarray) -> np.ndarray:
    """Return how much of a change of the gradient may be its rounding."""
    gradient = dispatch.run("value_and_grad", x)[1]
    return 1e-14 / STEP * np.abs(gradient)
