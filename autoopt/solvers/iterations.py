"""The certificate of a point of many parameters: conjugate gradients for the Newton step, Lanczos for the curvature.

Both take products with the Hessian alone. Where a quasi-Newton method has built an inverse of it, that is the
preconditioner: one product then says whether its step is the Newton step.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autoopt.solvers.certificate import Certificate, Point, judged
from autoopt.solvers.second_order import SecondOrder

_ENOUGH = 0.1
"""Conjugate gradients end when what is left promises this part of the decrement."""

_LANCZOS = 24
_NEGATIVE = 1e-10
"""A curvature below this part of the largest one is rounding."""


def by_iterations(point: Point, second: SecondOrder, products: int, metric: Any) -> Certificate:
    """Return the certificate for so many products at most."""
    free, n = point.free, point.x.size

    def embedded(v: np.ndarray) -> np.ndarray:
        whole = np.zeros(n)
        whole[free] = v
        return whole

    def product(v: np.ndarray) -> np.ndarray:
        return second.product(embedded(v))[free]

    def inverse(v: np.ndarray) -> np.ndarray:
        return point.size[free] ** 2 * v if metric is None else metric(embedded(v))[free]

    steps = max(1, products // 2 if metric is None else products - min(products // 2, _LANCZOS))
    step, down, used = _conjugate_gradients(product, inverse, point, steps)
    found = Certificate(
        "minimum",
        decrement=float(point.gradient[free] @ step) / 2,
        noise=point.noise,
        tolerance=4 * point.noise,
        direction=None if down is None else point.in_units(embedded(down)),
        step=-embedded(step),
        complete=False,
    )
    if not np.isfinite(found.decrement):
        return Certificate("unknown", noise=point.noise)
    if down is not None:
        return judged(point, found, True, [])
    unit = point.size[free]
    curvatures, vectors = _lanczos(lambda z: unit * product(unit * z), len(free), min(products - used, _LANCZOS))
    if not len(curvatures):
        return judged(point, found, False, [])
    largest = max(abs(curvatures[0]), abs(curvatures[-1]))
    direction = point.in_units(embedded(unit * vectors[0]))
    found = Certificate(**{**vars(found), "curvature": float(curvatures[0] / (largest or 1.0)), "direction": direction})
    return judged(point, found, curvatures[0] < -max(_NEGATIVE, second.accuracy) * largest, [])


def _conjugate_gradients(
    product: Callable, inverse: Callable, point: Point, steps: int
) -> tuple[np.ndarray, np.ndarray | None, int]:
    """Return the solution d of H d = g as far as it came, a direction of negative curvature if one was met, and count.

    References
    ----------
    Dembo, R. S. and Steihaug, T. (1983). Mathematical Programming 26(2), 190-212.
    """
    left = point.gradient[point.free].copy()
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
        if abs(weight) / 2 <= _ENOUGH * max(promised, 4 * point.noise):
            break
        ahead = shaped + weight / before * ahead
    return step, None, used


def _lanczos(product: Callable, size: int, steps: int) -> tuple[np.ndarray, np.ndarray]:
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
