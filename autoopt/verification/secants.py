"""Slopes of the original function by secants, and one comparison of value and slope with them.

From the one that takes the fewest calls on: what a secant leaves out counts as a difference, so that one of few calls
that fits says as much as one of many.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from autoopt import differences
from autoopt.verification.certificate import AGREES, CANNOT_TELL, DISAGREES, GRADIENT, Finding, Verification

SLOPE_TOLERANCE = 1e-6
SLOPE_FLOOR = 1e-7  # ten times what convergence asks of a gradient relative to the value
CONCLUSIVE = 3e-4
_EPSILON = float(np.finfo(np.float64).eps)
Evaluated = tuple[float, np.ndarray]
"""Value and gradient at a point."""

Secant = tuple[float, float]
"""A slope, and how wrong it may be."""


def units(objective: Any, x: np.ndarray) -> np.ndarray:
    """Return the size of each parameter for steps, shape (n,): as the objective has it, by default max(|x_i|, 1)."""
    return getattr(objective, "units", differences.step_scale)(x)


def directions(objective: Any, x: np.ndarray, rng: Any) -> np.ndarray:
    """Return steps of about the parameters' size, each of either sign."""
    return rng.uniform(0.5, 1.0, x.size) * rng.choice([-1.0, 1.0], x.size) * units(objective, x)


def compared(
    secant: Secant, p: np.ndarray, evaluated: Evaluated, original: float, floor: float, value: Finding
) -> Verification:
    """Return whether value and slope along `p` are those of the original; a slope that it does not have is none.

    `value` is what was found of the values.
    """
    (compiled, gradient), (measured, error) = evaluated, secant
    with np.errstate(all="ignore"):
        slope = float(gradient @ p)
        size = max(abs(measured), float(np.abs(gradient) @ np.abs(p)))
    is_measured = bool(p.any() and np.isfinite(measured))
    is_slope = abs(slope - measured) <= error + SLOPE_TOLERANCE * size + SLOPE_FLOOR * floor
    passed = value.verdict != DISAGREES and (is_slope or not is_measured)
    findings = [value]
    if is_measured:
        findings.append(of_slope(slope - measured, error, size + SLOPE_FLOOR * floor, value.place))
    value_error, conclusive = abs(compiled - original), value.verdict == AGREES
    return Verification(
        passed, value_error, slope, measured, error, False, conclusive, p, value.reason, findings=tuple(findings)
    )


def of_slope(off: float, error: float, size: float, place: str) -> Finding:
    """Return how a slope agrees with one that is measured with an `error`, relative to the `size` of its terms."""
    size = size or 1.0
    found = Finding(GRADIENT, place, abs(off) / size, error / size)
    if found.allowed >= 1.0 and not found.digits:
        return replace(found, verdict=CANNOT_TELL, reason="what rounding may come to is more than the slope there")
    return found


# Slopes of the original along a direction, with their errors: from the one that takes the fewest calls on.


def ahead(f: Callable, x: np.ndarray, p: np.ndarray, value: float) -> Secant:
    """Return the slope by one call more than that at `x`: what it leaves out must lie within the tolerance."""
    return float(differences.value_at(f, x + AHEAD_STEP * p) - value) / AHEAD_STEP, _rounding(value, AHEAD_STEP)


def fine(f: Callable, x: np.ndarray, p: np.ndarray, value: float) -> Secant:
    """Return the slope by two calls so close by that a third derivative does not show."""
    return differences.secant(f, x, p, FINE_STEP), _rounding(value, FINE_STEP)


def extrapolated(f: Callable, x: np.ndarray, p: np.ndarray, value: float = 0.0) -> Secant:
    """Return the slope by four calls, and their spread."""
    slope, apart = _by_two_steps(f, x, p, SOLUTION_STEP)
    return slope, apart + _rounding(value, SOLUTION_STEP)


def sized(f: Callable, x: np.ndarray, p: np.ndarray, value: float, noise: float) -> Secant:
    """Return the slope by four calls over steps by which `noise` of the values, and what is left out, are small."""
    h = min(max((noise / (abs(value) or 1.0)) ** 0.2, SOLUTION_STEP), _WIDEST)
    slope, apart = _by_two_steps(f, x, p, h)
    return slope, apart + 8 * noise / h


_WIDEST = 2.0**-4


def _by_two_steps(f: Callable, x: np.ndarray, p: np.ndarray, h: float) -> tuple[float, float]:
    """Return the slope that secants over `h` and a quarter of it lead to, and how far apart they are."""
    wide, narrow = (differences.secant(f, x, p, step) for step in (h, h / 4))
    return float((16 * narrow - wide) / 15), float(abs(narrow - wide))


def _rounding(value: float, h: float) -> float:
    """Return how wrong a slope over `h` may be by the rounding of values about `value`."""
    return 16 * _EPSILON * abs(value) / h


AT_THE_START = ((ahead, SLOPE_TOLERANCE), (fine, SLOPE_TOLERANCE), (extrapolated, CONCLUSIVE))
"""With the relative error that rounding and spread may come to: else the next one is asked."""

AHEAD_STEP, FINE_STEP, SOLUTION_STEP = 2.0**-24, 2.0**-14, 2.0**-9
"""The steps of these, in units of the parameters."""


def nears(f: Callable, x: np.ndarray, found: Verification, here: float, size: float) -> bool:
    """Whether secants of the original come to the gradient's slope as steps shrink, before rounding rules.

    Where f bends within less than the steps that were taken, as in a smoothed kink, those agree with one another at
    another value: that of slopes on either side of the bend. `here` is f(x), `size` that of the terms that the slope is
    the sum of. Steps over which f does not move tell nothing.
    """
    apart, run, p = found.slope_error, 0, found.direction
    assert p is not None  # slopes were compared along it
    for level in range(_FIRST_LEVEL, _LAST_LEVEL):
        h = 4.0**-level
        sides = np.array([differences.value_at(f, x + side * h * p) for side in (1.0, -1.0)])
        rounding = 2 * _EPSILON * float(np.sum(np.abs(sides))) / h
        moved = np.max(np.abs(sides - here)) > 2 * _EPSILON * abs(here)
        if not (moved and rounding <= _CLOSE * apart):  # nor where f is not defined
            break
        off = abs((sides[0] - sides[1]) / (2 * h) - found.slope)
        run = run + 1 if off <= 5 * rounding + _BESIDE * size else 0
    return run >= _IN_TURN


_FIRST_LEVEL, _LAST_LEVEL, _CLOSE, _IN_TURN, _BESIDE = 5, 20, 0.05, 2, 1e-5
