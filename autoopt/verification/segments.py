"""The gradient compared with one call of the original function, over a segment that begins at a point.

    f(x + h p) - f(x)  =  h (s(0) + 4 s(h/2) + s(h)) / 6 + O(h^5)        s(t): compiled slope along p at x + t p

The left side is the original's: its value at x is known, so that it takes one call. Simpson's rule leaves out little
where the trapezoid rule is already near it, about the square of their distance. So a segment of a hundredth of the
parameters' sizes shows eleven digits, where a secant of as few calls shows seven; it is code beside x that is compared,
too, and the value at the other end. Where the rule is not near, as across a kink, a shorter segment is taken.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from autoopt import differences
from autoopt.verification.certificate import AGREES, DISAGREES, Finding, Verification
from autoopt.verification.secants import (
    CONCLUSIVE,
    SLOPE_FLOOR,
    SLOPE_TOLERANCE,
    Evaluated,
    of_slope,
    units,
)

STEPS = 2.0**-6, 2.0**-14, 2.0**-10
"""The lengths that are tried, in units of the parameters; the last only where those before show the same misfit."""

CLOSE = tuple(2.0**-k for k in (14, 17, 20, 23, 26, 29))
"""Those that are tried where none of these is short enough: parameters of columns of data that are large."""

SHARP = 1e-7
"""What may be left out, relative to the slope, of a segment that tells anything."""

_EPSILON = float(np.finfo(np.float64).eps)
_ROUNDINGS = 8


@dataclass(frozen=True)
class Segment:
    """One comparison over a segment; slopes are along `direction`.

    Attributes
    ----------
    length : float
        Of its step, in units of the parameters.
    direction, end : ndarray, shape (n,)
    original, compiled : float
        The values at its end.
    slope : float
        Of the compiled gradient at its beginning.
    off : float
        The mean slope of the original without that of the rule.
    size : float
        The largest sum of the absolute values of the slope's terms.
    error : float
        What rounding and the rule may come to.
    """

    length: float
    direction: np.ndarray
    end: np.ndarray
    original: float
    compiled: float
    slope: float
    off: float
    size: float
    error: float

    @property
    def is_sharp(self) -> bool:
        """Whether it tells anything: the errors are small beside the slope."""
        return self.error <= SHARP * self.size

    @property
    def fits(self) -> bool:
        """Whether the two sides are no further apart than by their errors."""
        return self.is_sharp and abs(self.off) <= self.error


def segment(
    objective: Any,
    x: np.ndarray,
    direction: np.ndarray,
    length: float,
    original: float,
    evaluated: Evaluated,
    ahead: float | None = None,
) -> Segment | None:
    """Return the comparison over the segment from `x` to `x + length * direction`; its slopes are per that step.

    `original` is the value of the original function at `x`, `ahead` that at the end, if it is known. None where one of
    the sides is not defined, or where compiled code for another path would be needed.
    """
    step = length * direction
    end = x + step
    with np.errstate(all="ignore"):
        middle, last = evaluated_beside(objective, x + step / 2), evaluated_beside(objective, end)
        if middle is None or last is None:
            return None
        if ahead is None:
            ahead = float(differences.value_at(objective.original, end))
        if not np.isfinite(ahead):
            return None
        gradients = evaluated[1], middle[1], last[1]
        slopes = [float(gradient @ step) for gradient in gradients]
        mean = (slopes[0] + 4 * slopes[1] + slopes[2]) / 6
        measured = ahead - original
        size = max(abs(measured), *(float(np.abs(gradient) @ np.abs(step)) for gradient in gradients))
        spread = (slopes[0] + slopes[2]) / 2 - mean
        rounding = _ROUNDINGS * _EPSILON * (abs(ahead) + abs(original) + size)
        error = rounding + (spread * spread / size if size else 0.0)
    return Segment(length, direction, end, ahead, last[0], slopes[0], measured - mean, size, error)


def segments(
    objective: Any, x: np.ndarray, p: np.ndarray, original: float, evaluated: Evaluated, limits: Any = None
) -> Iterator[Segment]:
    """Yield the comparisons over shorter and shorter segments along `p`, within limits, where there are any."""
    misfits: list[Segment] = []
    for length in STEPS:
        if length == STEPS[2] and not is_steady(misfits):
            return
        step = p if limits is None else inside(limits, x, p, length)
        if (one := segment(objective, x, step, length, original, evaluated)) is not None:
            yield one
            misfits.append(one)


def closer_segments(
    objective: Any, x: np.ndarray, p: np.ndarray, original: float, evaluated: Evaluated, limits: Any = None
) -> Iterator[Segment]:
    """Yield the comparisons over still shorter segments that tell something, as long as shorter ones tell more.

    They do where the rule is not near over long ones, and not where what they leave is rounding.
    """
    least = np.inf
    for length in CLOSE:
        step = p if limits is None else inside(limits, x, p, length)
        one = segment(objective, x, step, length, original, evaluated)
        if one is None or not one.size:
            continue
        if one.error / one.size >= least:
            return
        least = one.error / one.size
        if least <= CONCLUSIVE:
            yield one


def is_steady(misfits: list[Segment]) -> bool:
    """Whether slopes are off by the same over two lengths or more, and by more than errors: not noise, not the rule."""
    if len(misfits) < 2 or not all(one.is_sharp and abs(one.off) > 4 * one.error for one in misfits):
        return False
    off = [one.off / one.length for one in misfits]
    return max(off) - min(off) <= _SAME * max(map(abs, off))


_SAME = 0.1


def inside(limits: Any, x: np.ndarray, p: np.ndarray, length: float) -> np.ndarray:
    """Return `p` with entries turned back, or left out, by which `x + length * p` would pass the limits."""

    def allowed(q: np.ndarray) -> np.ndarray:
        return (limits.lower <= x + length * q) & (x + length * q <= limits.upper)

    return np.where(allowed(p), p, np.where(allowed(-p), -p, 0.0))


def over_segment(
    one: Segment, p: np.ndarray, compiled: float, original: float, floor: float, values: tuple[Finding, Finding]
) -> Verification:
    """Return whether the slope of a segment is that of the original, and `values` at its ends agree."""
    slope, secant, error = one.slope / one.length, (one.slope + one.off) / one.length, one.error / one.length
    size = one.size + SLOPE_FLOOR / SLOPE_TOLERANCE * floor * one.length
    is_slope = abs(one.off) <= max(one.error if one.is_sharp else 0.0, SLOPE_TOLERANCE * size)
    is_value = all(value.verdict != DISAGREES for value in values)
    unlike = next((value.reason for value in values if value.verdict != AGREES), "")
    findings = (*values, of_slope(one.off, one.error, size, values[0].place))
    value_error = abs(compiled - original)
    passed = is_slope and is_value
    return Verification(passed, value_error, slope, secant, error, False, not unlike, p, unlike, findings=findings)


def downhill(objective: Any, x: np.ndarray, gradient: np.ndarray, rng: Any) -> np.ndarray:
    """Return a step of about the parameters' size along which no entry of the gradient hides another."""
    signs = np.where(gradient == 0, rng.choice([-1.0, 1.0], x.size), -np.sign(gradient))
    return signs * rng.uniform(0.5, 1.0, x.size) * units(objective, x)


def slope_beside(objective: Any, y: np.ndarray) -> np.ndarray:
    """Return the gradient as compiled, NaN where it is not finite or would take another path."""
    found = evaluated_beside(objective, y)
    return np.full(y.shape, np.nan) if found is None else found[1]


def evaluated_beside(objective: Any, y: np.ndarray) -> Evaluated | None:
    """Return value and gradient as compiled, None where they are not finite, or would take another path."""
    try:
        evaluated = getattr(objective, "on_known_path", objective.value_and_grad)(y)
    except Exception:  # the objective is not defined there
        return None
    if evaluated is None or not (np.isfinite(evaluated[0]) and np.isfinite(evaluated[1]).all()):
        return None
    return evaluated
