"""The comparison with the original function at one point: value, then slope, by as few calls of it as tell.

A segment beside the point tells most; where it does not fit, more secants are asked, and what may explain that: noise,
steps that are too long, a kink. Only what none of them explains is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from autoopt import differences
from autoopt.errors import ObjectiveError
from autoopt.objectives.differentiable import Differentiable
from autoopt.verification import complex_step
from autoopt.verification.certificate import AGREES, BESIDE, CANNOT_TELL, DISAGREES, VALUE, Finding, Verification
from autoopt.verification.rounding import spread
from autoopt.verification.secants import (
    CONCLUSIVE,
    SLOPE_FLOOR,
    SLOPE_TOLERANCE,
    Evaluated,
    directions,
    extrapolated,
    nears,
    of_slope,
    sized,
    units,
)
from autoopt.verification.segments import (
    Segment,
    closer_segments,
    downhill,
    evaluated_beside,
    inside,
    is_steady,
    segments,
)
from autoopt.verification.values import compare_values

_EPSILON = np.finfo(np.float64).eps


def require_finite(objective: Differentiable, value: float) -> None:
    """Raise ObjectiveError if `value`, the objective at x0, is NaN or infinite; what is wrong in its data is named."""
    if np.isfinite(value):
        return
    from autoopt.objectives.suspects import not_finite

    if lines := not_finite(objective.function, objective.args):
        raise ObjectiveError(
            "\n".join([f"The objective is {value} at x0, and its data hold values that are not finite:", *lines]),
            remedy="leave these rows out (np.isfinite finds them) or put numbers in their place.",
        )
    raise ObjectiveError(
        f"The objective is {value} at x0.",
        remedy="start from a point where it is finite, or see which term is not by calling it on x0 yourself.",
    )


class Counted:
    """An objective that counts the calls of its original function."""

    def __init__(self, objective: Any) -> None:
        self._objective, self.evaluations = objective, 0
        self._original, self.value_and_grad = objective.original, objective.value_and_grad

    def __getattr__(self, name: str) -> Any:
        return getattr(self._objective, name)

    def original(self, x: np.ndarray) -> float:
        self.evaluations += 1
        return self._original(x)

    @property
    def complex_original(self) -> Callable | None:
        """The original function of complex parameters, calls of which count as well."""
        inner = getattr(self._objective, "complex_original", None)
        return None if inner is None else lambda x: self._counted(inner, x)

    def _counted(self, function: Callable, x: np.ndarray) -> Any:
        self.evaluations += 1
        return function(x)


def compare(
    objective: Any,
    x: np.ndarray,
    seed: int = 0,
    place: str = "x0",
    floor: float = 0.0,
    evaluated: Evaluated | None = None,
    limits: Any = None,
) -> Verification:
    """Return how value and gradient of `objective` at `x`, called `place`, compare with its original function.

    Values are compared relative to `floor`, too, and slopes to 1e-7 of it. `evaluated` is value and gradient at `x`, if
    they are known. Compiled code is evaluated within `limits`, if there are any.
    """
    counted = Counted(objective)
    found = _compare(counted, x, (np.random.default_rng(seed), place, floor), evaluated, limits)
    return replace(found, evaluations=counted.evaluations)


def _compare(
    objective: Any, x: np.ndarray, how: tuple[Any, str, float], evaluated: Evaluated | None, limits: Any
) -> Verification:
    rng, place, floor = how
    original, (compiled, gradient) = objective.original(x), evaluated or objective.value_and_grad(x)
    require_finite(objective, original)
    value_error = abs(compiled - original)
    value, message = _value(objective, x, original, compiled, rng, floor, place)
    if message:
        return Verification(False, value_error, message=message, findings=(value,))
    if not np.isfinite(gradient).all():
        i = int(np.argmin(np.isfinite(gradient)))
        raise ObjectiveError(
            f"The gradient is {gradient[i]} at {place} along {objective.structure.names[i]}.",
            remedy="start from a point where the objective has a slope.",
        )
    found = None
    if closer := objective.closer(x):
        found = _compare_solved(objective, x, closer, rng)
    elif not objective.single:
        p = downhill(objective, x, gradient, np.random.default_rng(7))
        beside = segments(objective, x, p, original, (compiled, gradient), limits)
        found = _over_segments(objective, beside, rng, floor, place)
        if found is None or (found.passed and not found.findings[-1].is_sharp):
            exact = complex_step.compared(objective, x, p, (compiled, gradient), original, floor, place)
            known = () if found is None else found.findings[:-1]
            found = found if exact is None else replace(exact, findings=(*known, *exact.findings))
        if found is None or found.findings[-1].verdict == CANNOT_TELL:
            beside = closer_segments(objective, x, p, original, (compiled, gradient), limits)
            found = _over_segments(objective, beside, rng, floor, place) or found
    found = found or _by_sized_steps(objective, x, (compiled, gradient), original, floor, place)
    if found is None or not (found.passed or found.findings):
        found = _compare_slopes(objective, x, rng, floor=floor)
        found = found if found.passed else _look_again(objective, x, found, rng, place, floor)
        if found.passed and not (closer or objective.single):
            found = _close_by(objective, x, found, (rng, place, floor), limits)
    found = replace(
        found, value_error=value_error, findings=(value, *(found.findings or (_finding(objective, x, found, place),)))
    )
    unlike = next((one for one in found.findings if one.what == VALUE and one.verdict == CANNOT_TELL), None)
    return replace(found, conclusive=False, message=unlike.reason) if found.passed and unlike is not None else found


def _value(
    objective: Any, x: np.ndarray, original: float, compiled: float, rng: Any, floor: float, place: str
) -> tuple[Finding, str]:
    """Return how the values at a point agree, and what is to be said if they do not, else ""."""
    value = compare_values(objective, x, compiled, original, floor, place)
    if value.verdict != DISAGREES:
        return value, ""
    size, off = max(abs(original), floor) or 1.0, abs(compiled - original)
    tolerance = value.allowed * size
    if (again := objective.original(x)) != original and not np.isnan(again):
        message = f"The objective gives different values for the same parameters: {original!r}, then {again!r}."
        return replace(value, reason=message), message
    noise = 100 * _roughness(objective.original, x, original, rng)
    if off > tolerance + noise and place.startswith(BESIDE):
        noise += 100 * differences.noise(objective.original, x, units(objective, x) * rng.uniform(0.5, 1.0, x.size))
    if off <= tolerance + noise:
        return replace(value, allowed=(tolerance + noise) / size, verdict=AGREES), ""
    beside = f" {place}" if place.startswith(BESIDE) else ""
    message = (
        f"The value of the compiled objective is wrong{beside}: {compiled!r}, but the original gives {original!r}."
    )
    return replace(value, reason=message), message


def _finding(objective: Any, x: np.ndarray, found: Verification, place: str) -> Finding:
    """Return the comparison of the slopes as one of the findings; at a minimum, as a part of the rise beside it."""
    size = max(abs(found.slope), abs(found.secant))
    one = of_slope(found.slope_error, found.secant_error, size, place)
    if not found.passed:
        return replace(one, verdict=DISAGREES, reason=found.message)
    if not found.conclusive:
        return replace(one, verdict=CANNOT_TELL, reason="the objective is rough there")
    if one.verdict == CANNOT_TELL and found.direction is not None:
        rise = _rise(objective.original, x, found.direction, objective.value_and_grad(x)[0])
        return of_slope(found.slope_error, found.secant_error, max(size, rise), place)
    return one


def _over_segments(
    objective: Any, beside: Iterator[Segment], rng: Any, floor: float, place: str
) -> Verification | None:
    """Return the comparison over segments that begin at one point; None where they do not settle it."""
    settled, misfits = None, []
    for one in beside:
        value, message = _value(objective, one.end, one.original, one.compiled, rng, floor, BESIDE + place)
        if message:
            return Verification(False, message=message, findings=(value,))
        if one.fits or (one.is_sharp and abs(one.off) <= SLOPE_TOLERANCE * one.size):
            settled = one, value
        if one.fits:
            break
        misfits.append(one)
    if is_steady(misfits):
        return _steady(objective, misfits[-1], value)
    if settled is None:
        return None
    one, value = settled
    slope, secant, error = one.slope / one.length, (one.slope + one.off) / one.length, one.error / one.length
    numbers = f"{slope:.10g} along a direction where the original function has slope {secant:.10g} +- {error:.1e}"
    message = f"The value and the gradient agree with the original function (slope {numbers})."
    findings = value, of_slope(one.off, one.error, one.size, place)
    return Verification(True, np.nan, slope, secant, error, direction=one.direction, message=message, findings=findings)


def _by_sized_steps(
    objective: Any, x: np.ndarray, evaluated: Evaluated, original: float, floor: float, place: str
) -> Verification | None:
    """Return that the slope is that over steps by the noise of the values, where this is large; None if not."""
    noise, (_, gradient) = float(spread(objective, x, original)[0]), evaluated
    if not noise > _NOISY * abs(original):
        return None
    p = downhill(objective, x, gradient, np.random.default_rng(7))
    secant = sized(objective.original, x, p, original, noise)
    slope, size = float(gradient @ p), float(np.abs(gradient) @ np.abs(p))
    is_known = secant[1] <= CONCLUSIVE * size
    if not is_known or abs(slope - secant[0]) > secant[1] + SLOPE_TOLERANCE * size + SLOPE_FLOOR * floor:
        return None
    numbers = (
        f"slope {slope:.10g} along a direction where the original function has {secant[0]:.10g} +- {secant[1]:.1e}"
    )
    message = f"The value and the gradient agree with the original function ({numbers})."
    one = of_slope(slope - secant[0], secant[1], size, place)
    return Verification(True, np.nan, slope, *secant, direction=p, message=message, findings=(one,))


_NOISY = 1e-10
"""Noise of a value, as a part of it, from which on steps are chosen by it."""


def _steady(objective: Any, one: Segment, value: Finding) -> Verification:
    """Return what is to be said of a slope that is off by the same over all lengths, and by more than its errors."""
    slope, secant, error = one.slope / one.length, (one.slope + one.off) / one.length, one.error / one.length
    message = (
        f"The {objective.gradient_source} is wrong: {slope:.12g} along a direction where the original function has "
        f"slope {secant:.12g} +- {error:.1e}."
    )
    wrong = replace(of_slope(one.off, one.error, one.size, value.place), verdict=DISAGREES, reason=message)
    return Verification(
        False, np.nan, slope, secant, error, direction=one.direction, message=message, findings=(value, wrong)
    )


def _compare_slopes(
    objective: Differentiable, x: np.ndarray, rng: Any, scale: Any = 1.0, roughness: float = 0.0, floor: float = 0.0
) -> Verification:
    """Return the comparison of the gradient with a secant along a random direction that no cancellation hides."""
    value, gradient = objective.value_and_grad(x)
    signs = np.where(gradient == 0, rng.choice([-1.0, 1.0], x.size), np.sign(gradient))
    p = scale * signs * rng.uniform(0.5, 1.0, x.size) * units(objective, x)
    slope = float(gradient @ p)
    secant, error = differences.directional(objective.original, x, p, SLOPE_TOLERANCE / 10, roughness)
    size = max(abs(secant), float(np.abs(gradient) @ np.abs(p)))
    allowance = 5 * error + SLOPE_TOLERANCE * size + SLOPE_FLOOR * floor * np.max(scale)
    passed = not abs(slope - secant) > allowance
    conclusive = bool(allowance <= CONCLUSIVE * max(size, 1e-4 * np.max(scale) * abs(value)))
    if (
        passed and not conclusive
    ):  # at a stationary point the slope is 0, and so may be the value: compare with the rise
        conclusive = bool(allowance <= CONCLUSIVE * _rise(objective.original, x, p, value))
    source = objective.gradient_source
    numbers = f"{slope:.10g} along a direction where the original function has slope {secant:.10g} +- {error:.1e}"
    if not passed:
        message = f"The {source} is wrong: {numbers}."
    elif conclusive:
        message = f"The value and the gradient agree with the original function (slope {numbers})."
    else:
        message = f"The value agrees; the gradient could not be checked well, as the objective is rough: {numbers}."
    return Verification(passed, np.nan, slope, secant, error, False, conclusive, p, message)


def _compare_solved(objective: Differentiable, x: np.ndarray, closer: Callable, rng: Any) -> Verification:
    """Return the comparison of the gradient with a secant of values whose equations are solved `closer`.

    What the objective's own secant is off is left for the tolerance that it asks for.
    """
    gradient = objective.value_and_grad(x)[1]
    signs = np.where(gradient == 0, rng.choice([-1.0, 1.0], x.size), np.sign(gradient))
    p = signs * rng.uniform(0.5, 1.0, x.size) * units(objective, x)
    slope, size = float(gradient @ p), float(np.abs(gradient) @ np.abs(p))
    secant, spread = extrapolated(closer, x, p)
    error = spread
    if abs(slope - secant) > error + SLOPE_TOLERANCE * size:
        error += 2 * abs(extrapolated(objective.original, x, p)[0] - secant)
    passed = abs(slope - secant) <= error + SLOPE_TOLERANCE * size
    numbers = f"{slope:.10g} along a direction where the equations, solved closer, give {secant:.10g} +- {error:.1e}"
    message = f"The value agrees with the original function, and the gradient to the tolerance: {numbers}."
    return Verification(bool(passed), np.nan, slope, secant, error, False, True, p, message)


def _rise(f: Callable, x: np.ndarray, p: np.ndarray, value: float) -> float:
    """Return the mean of |f(x + h p) - f(x)| / h at the first step of `differences`, 0 where f is not finite."""
    h = differences.FIRST_STEP
    rises = np.array([np.abs(differences.value_at(f, x + side * h * p) - value) / h for side in (1, -1)])
    return float(np.mean(rises)) if np.isfinite(rises).all() else 0.0


def _look_again(
    objective: Differentiable, x: np.ndarray, found: Verification, rng: Any, place: str, floor: float
) -> Verification:
    """Return the verdict on a slope that does not fit: noise, a shorter ladder of steps or a kink may explain it.

    So may steps of 1 for parameters of 1e-6, which lead beyond poles: these are moved by parts of themselves.
    """
    p = found.direction
    assert p is not None  # slopes were compared along it
    roughness = differences.noise(objective.original, x, p)
    for scale in (1.0, 2.0**-10):
        again = _compare_slopes(objective, x, rng, scale, roughness, floor)
        if again.passed and (scale == 1.0 or (again.conclusive and _would_see(again, found))):
            return replace(again, value_error=found.value_error)
    relative = np.where(x, np.minimum(np.abs(x) / units(objective, x), 1.0), 1e-4)
    for own in (relative, np.minimum(relative, _by_slopes(objective, x))):
        again = _compare_slopes(objective, x, np.random.default_rng(1), own, floor=floor)
        if again.passed and again.conclusive and _would_see(again, found):
            return replace(again, value_error=found.value_error)
    sides = (differences.one_sided(objective.original, x, p, h) for h in _KINKS)
    kink = next(
        (pair for *pair, error in sides if abs(pair[0] - pair[1]) > 10 * error + 1e-4 * max(map(abs, pair))), None
    )
    if kink is None:
        size = float(np.abs(objective.value_and_grad(x)[1]) @ np.abs(p))
        if not nears(objective.original, x, found, objective.original(x), size):
            return found
        message = f"The value agrees, and the gradient as well over steps that are short enough ({found.slope:.6g})."
        return replace(found, passed=True, conclusive=False, message=message)
    nearby = x + 1e-3 * units(objective, x) * rng.uniform(-1.0, 1.0, x.size)
    there = _compare_slopes(objective, nearby, rng, 2.0**-10, floor=floor)
    slopes = f"slopes {kink[1]:.6g} and {kink[0]:.6g}"
    message = f"There is a kink at {place} along the direction ({slopes}). Close by: {there.message}"
    return replace(there, value_error=found.value_error, kink=True, message=message)


def _close_by(
    objective: Any, x: np.ndarray, found: Verification, how: tuple[Any, str, float], limits: Any
) -> Verification:
    """Return `found`, which differences on both sides of `x` gave, unless the slope beside it is wrong beyond doubt.

    At a kink they tell nothing: |x| has slope 0 at 0, and so has what is derived wrongly of it. A segment tells that
    leads away from there.
    """
    rng, place, floor = how
    p = directions(objective, x, rng)
    if limits is not None:
        p = inside(limits, x, p, 2 * CLOSE)
    y = x + CLOSE * p
    if (evaluated := evaluated_beside(objective, y)) is None:
        return found
    original = float(differences.value_at(objective.original, y))
    if not np.isfinite(original):
        return found
    there = _over_segments(objective, segments(objective, y, p, original, evaluated, limits), rng, floor, place)
    return found if there is None or there.passed else replace(there, kink=found.kink)


CLOSE = 1e-3
"""How far from a point it is looked beside it, in units of the parameters."""


_KINKS = 2.0**-14, 2.0**-20, 2.0**-26
"""Steps by which the slopes on both sides of a point are taken: other kinks may be as near as the first."""


def _would_see(again: Verification, found: Verification) -> bool:
    """Whether a comparison that passes is so exact that it would not, were the slope off as it was `found` to be."""
    return 5 * again.secant_error * abs(found.slope) < found.slope_error * abs(again.slope)


def _by_slopes(objective: Differentiable, x: np.ndarray) -> np.ndarray:
    """Return the parts of the parameters' sizes by which each, by its slope, changes f by a hundredth of it."""
    value, gradient = objective.value_and_grad(x)
    changes = np.maximum(np.abs(gradient) * units(objective, x), 1e-2 * (abs(value) or 1.0))
    return 1e-2 * (abs(value) or 1.0) / changes


def _roughness(f: Callable, x: np.ndarray, value: float, rng: Any) -> float:
    """Return how far f moves when x moves by about one rounding: what its terms lose by cancelling."""
    shifts = (x + 2 * _EPSILON * differences.step_scale(x) * rng.choice([-1.0, 1.0], x.size) for _ in range(4))
    moved = np.array([f(shifted) for shifted in shifts])
    return float(np.max(np.abs(moved - value), initial=0.0, where=np.isfinite(moved)))
