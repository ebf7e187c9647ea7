"""Conjugate gradients for the Newton step, Lanczos for the least curvature: by products with the Hessian alone.

Where a quasi-Newton method has built an inverse of it, that is the
preconditioner: one product then says whether its step is the Newton step.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

_ENOUGH = 0.1
"""Conjugate gradients end when what is left promises this part of the decrement."""

MOST_STEPS = 24
"""So many Lanczos steps are taken at most."""


def conjugate_gradients(
    product: Callable, inverse: Callable, gradient: np.ndarray, nothing: float, steps: int
) -> tuple[np.ndarray, np.ndarray | None, int]:
    """Return the solution d of H d = g as far as it came, a direction of negative curvature if one was met, and count.

    Decrements below `nothing` are not looked for.

    References
    ----------
    Dembo, R. S. and Steihaug, T. (1983). Mathematical Programming 26(2), 190-212.
    """
    left = gradient.copy()
    step, ahead = np.zeros(left.size), inverse(left)
    weight = float(left @ ahead)
    if not weight > 0:
        ahead, weight = left.copy(), float(left @ left)
        inverse = np.array
    used, promised = 0, 0.0
    while used < steps and weight > 0:
        changed = product(ahead)
        used += 1
        bend = float(ahead @ changed)
        if not np.isfinite(bend):
            return np.full(left.size, np.nan), None, used
        if bend <= 0:
            return (step if step.any() else ahead), ahead, used
        length = weight / bend
        step, left = step + length * ahead, left - length * changed
        promised += length * weight / 2
        shaped = inverse(left)
        weight, before = float(left @ shaped), weight
        if abs(weight) / 2 <= _ENOUGH * max(promised, nothing):
            break
        ahead = shaped + weight / before * ahead
    return step, None, used


def lanczos(product: Callable, size: int, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Return Ritz values, ascending, and their vectors in rows, of a symmetric matrix on a Krylov space of `steps`."""
    rng = np.random.default_rng(0)
    basis, images = np.zeros((0, size)), np.zeros((0, size))
    ahead = rng.normal(size=size)
    for _ in range(min(steps, size)):
        rest = ahead - (basis @ ahead) @ basis
        rest = rest - (basis @ rest) @ basis  # twice, for the sake of rounding
        length = np.linalg.norm(rest)
        if not length > 1e-10 * np.linalg.norm(ahead):
            break
        ahead = product(rest / length)
        if not np.isfinite(ahead).all():
            break
        basis, images = np.vstack([basis, rest / length]), np.vstack([images, ahead])
    if not len(basis):
        return np.zeros(0), np.zeros((0, size))
    projected = basis @ images.T
    values, vectors = np.linalg.eigh((projected + projected.T) / 2)
    return values, vectors.T @ basis


def two_loops(steps: np.ndarray, changes: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Return B v of the inverse Hessian of limited memory, shape (n,); `steps` and `changes` have shape (k, n).

    It begins at the scale that the last pair shows, which the directions of no pair keep.

    References
    ----------
    Nocedal, J. and Wright, S. J. (2006). Numerical Optimization, algorithm 7.4 and equation 7.20.
    """
    pairs = [(s, y, 1.0 / (s @ y)) for s, y in zip(steps, changes, strict=True)]
    weights = []
    for s, y, rho in reversed(pairs):
        weights.append(rho * (s @ v))
        v = v - weights[-1] * y
    if pairs:
        s, y, _ = pairs[-1]
        v = v * ((s @ y) / (y @ y))
    for s, y, rho in pairs:
        v = v + s * (weights.pop() - rho * (y @ v))
    return v
