"""Second derivatives compared with differences of the gradient, along one direction.

Gradients are compared with the original, second derivatives with gradients: so nothing derived is trusted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np

from autoopt import differences
from autoopt.verification.certificate import CANNOT_TELL, DISAGREES, PRODUCT, Finding
from autoopt.verification.secants import CONCLUSIVE, SLOPE_TOLERANCE, units
from autoopt.verification.segments import slope_beside
from autoopt.wording import name_of

STEP = 2.0**-9
_EPSILON = float(np.finfo(np.float64).eps)


def direction(x: np.ndarray, units: np.ndarray) -> np.ndarray:
    """Return a step of about the parameters' size in which all of them move."""
    rng = np.random.default_rng(9)
    return rng.uniform(0.5, 1.0, x.size) * rng.choice([-1.0, 1.0], x.size) * units


def compare_product(
    gradient: Callable, x: np.ndarray, p: np.ndarray, product: np.ndarray, units: np.ndarray, told: tuple
) -> Finding:
    """Return how `product`, of the Hessian at `x` and `p`, agrees with differences of the gradient.

    Entries count in the units of the parameters. `told` is what messages call the point, the product and the
    parameters, and the value of f, below whose rounding nothing shows.

    It takes five gradients; where these do not fit, the ladder of `differences`.
    """
    place, what, names, value = told
    length = float(np.max(np.abs(p) / units, initial=0.0)) or 1.0
    step, own = p / length, product / length
    if not np.isfinite(own).all():
        return Finding(PRODUCT, place, np.inf, np.inf, CANNOT_TELL, "it is not finite there")
    with np.errstate(all="ignore"):
        wide, narrow = (_central(gradient, x, step, h) for h in (STEP, STEP / 4))
        here = gradient(x)
        largest = float(np.max(np.abs(here) * units, initial=0.0))
        slack = 64 * _EPSILON * abs(value) / units  # curvatures that change f by less than its rounding
        error = np.abs(narrow - wide) + 64 * _EPSILON * largest / STEP / units + slack
        found = _finding(own, (16 * narrow - wide) / 15, error, units, place)
        if _agrees(found):
            return found
        ladders = []
        for scale in SHORTER:
            slope, spread = differences.directional(gradient, x, scale * step)
            numerical, error = np.broadcast_to(slope, x.shape) / scale, 5 * np.broadcast_to(spread, x.shape) / scale
            found = _finding(own, numerical, error + slack, units, place)
            if _agrees(found):
                return found
            if found.allowed <= CONCLUSIVE:
                ladders.append((numerical, found))
        bends = _bends(gradient, x, here, step, units)
    if bends or not _are_one([numerical for numerical, _ in ladders], units):
        reason = "the gradient has a kink there" if bends else "the gradient is rough there"
        return Finding(PRODUCT, place, found.distance, found.allowed, CANNOT_TELL, reason)
    numerical, found = ladders[0]
    i = int(np.argmax(np.abs(own - numerical) * units))
    reason = (
        f"{what} is wrong: for {names[i]} it is {product[i]:.10g}, but differences of the gradient give "
        f"{numerical[i] * length:.10g}."
    )
    return Finding(PRODUCT, place, found.distance, found.allowed, DISAGREES, reason)


def product_finding(objective: Any, x: np.ndarray, p: np.ndarray | None, found: np.ndarray, place: str) -> Finding:
    """Return how a product with the Hessian, or with `p` None the Hessian, agrees with differences of the gradient."""
    sizes = units(objective, x)
    step = direction(x, sizes) if p is None else p
    hess, hessp = getattr(objective, "given_hess", None), getattr(objective, "given_hessp", None)
    name = name_of(hess, "hess") if hess is not None and (p is None or hessp is None) else name_of(hessp, "hessp")
    is_given = hess is not None or hessp is not None
    what = f"The {f'Hessian that {name} gives' if is_given else 'derived Hessian'}, times a direction,"
    product = found @ step if p is None else found
    told = place, what, objective.structure.names, objective.value_and_grad(x)[0]
    one = compare_product(lambda y: slope_beside(objective, y), x, step, product, sizes, told)
    if one.verdict == DISAGREES and objective.meets_kinks(x):
        return replace(one, verdict=CANNOT_TELL, reason="there is a kink")
    return one


SHORTER = 1.0, 2.0**-10, 2.0**-20
"""Parts of the step over which differences are taken, where the gradient may change over less than the whole."""


def _agrees(found: Finding) -> bool:
    return found.distance <= min(found.allowed, CONCLUSIVE) + SLOPE_TOLERANCE


def _are_one(numerical: list[np.ndarray], units: np.ndarray) -> bool:
    """Whether differences over two lengths come to the same: else none of them is the derivative."""
    for one, other in pairwise(numerical):
        size = float(np.max(np.abs(one) * units, initial=0.0))
        if np.max(np.abs(one - other) * units, initial=0.0) <= CONCLUSIVE * size:
            return True
    return False


def _bends(gradient: Callable, x: np.ndarray, here: np.ndarray, p: np.ndarray, units: np.ndarray) -> bool:
    """Whether the gradient, `here` at `x`, changes otherwise ahead of that than behind it, over steps however short.

    Differences over both sides are then the mean of two Hessians, and one of these is right.
    """
    gaps = []
    for h in (2.0**-16, 2.0**-22):
        ahead, behind = (gradient(x + h * p) - here) / h, (here - gradient(x - h * p)) / h
        sizes = np.maximum(np.abs(ahead), np.abs(behind)) * units
        gaps.append(np.abs(ahead - behind) * units / max(float(np.max(sizes, initial=0.0)), 1e-300))
    return bool(np.any((gaps[1] > _BEND) & (gaps[1] > gaps[0] / 2) & (gaps[1] < 2 * gaps[0])))


_BEND = 1e-2
"""Part of a product by which it is to differ on both sides of a point to be a kink: rounding shows less."""


def _central(gradient: Callable, x: np.ndarray, p: np.ndarray, h: float) -> np.ndarray:
    return (gradient(x + h * p) - gradient(x - h * p)) / (2 * h)


def _finding(own: Any, numerical: Any, error: Any, units: np.ndarray, place: str) -> Finding:
    size = float(np.max(np.maximum(np.abs(own), np.abs(numerical)) * units, initial=0.0)) or 1.0
    distance, allowed = (float(np.max(np.abs(off) * units, initial=0.0)) / size for off in (own - numerical, error))
    return Finding(PRODUCT, place, distance if np.isfinite(distance) else np.inf, allowed)
