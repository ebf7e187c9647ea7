"""The second-order certificate of a point: what a Newton step promises there, and the least curvature around it.

With H the Hessian over the parameters that no bound holds, D its diagonal and C = D^-1/2 H D^-1/2, eigenvalues of C say
in which directions f bends up, down or not at all, whatever the units of the parameters; the Newton decrement
g.H^-1 g / 2 says how much lower f may be, in its own units.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from autoopt.solvers.iterations import MOST_STEPS, conjugate_gradients, lanczos
from autoopt.solvers.second_order import SecondOrder, second_order

_EPSILON = np.finfo(np.float64).eps
ROUNDINGS, _TRIALS = 16 * _EPSILON, 3
_TINY = np.finfo(np.float64).tiny

_GAIN = 1e-14
"""A decrement is small that is below this part of what f gained over the last tenth of the way from x0: the distance
to the minimum is then below 1e-8 of the way."""

_BACK = 0.1
_STEADY = 1e-3
"""A Newton step that moves parameters by more than this part of their sizes is not that of a minimum found."""


_SMALL = 1e-9


@dataclass(frozen=True)
class Certificate:
    """What is known of a point to second order.

    Attributes
    ----------
    status : str
        "minimum"; "descending" (f falls to first order); "saddle" (f is lower at `lower`); "flat" (f does not change
        along `direction`, on both sides); "infinite" (f does not rise along `direction`, however far); "unknown".
    decrement : float
        What a Newton step promises to lower f by.
    noise : float
        What rounding may do to f.
    tolerance : float
        How small the decrement has to be.
    curvature : float
        The least eigenvalue of the scaled Hessian over the free parameters, NaN where there are none.
    direction : ndarray, shape (n,), or None
        That of the least curvature, its largest entry relative to the parameters' sizes being 1.
    step : ndarray, shape (n,), or None
        The Newton step; along directions of negative curvature that of its size.
    lower : ndarray, shape (n,), or None
        A point where f is lower.
    complete : bool
        Whether all directions were looked at.
    definite : bool
        Whether f bends up along all of those.
    """

    status: str
    decrement: float = np.nan
    noise: float = np.nan
    tolerance: float = np.nan
    curvature: float = np.nan
    direction: np.ndarray | None = None
    step: np.ndarray | None = None
    lower: np.ndarray | None = None
    complete: bool = True
    definite: bool = True


class Point:
    """A point with what does not depend on second derivatives.

    Attributes
    ----------
    free : ndarray of int, shape (m,)
        The parameters that no bound holds: not those at a bound that f falls towards.
    size : ndarray, shape (n,)
        The typical sizes of parameters: where they are, or how far they came.
    noise : float
        What rounding may do to f.
    """

    def __init__(self, problem: Any, x: np.ndarray) -> None:
        self.problem, self.x = problem, x
        self.value, self.gradient = problem.fun(x), problem.jac(x)
        self.size = sizes(x, problem.x0)
        self.noise = ROUNDINGS * rounded(problem, self.value)
        self.free = np.flatnonzero(self._is_free())

    @property
    def is_finite(self) -> bool:
        return bool(np.isfinite(self.value) and np.isfinite(self.gradient).all())

    def _is_free(self) -> np.ndarray:
        limits = self.problem.limits
        if limits is None:
            return np.ones(self.x.size, bool)
        slopes = self.gradient * self.size  # of what is at a bound without one, curvature decides
        low = (self.x <= limits.lower) & (slopes > self.noise)
        high = (self.x >= limits.upper) & (slopes < -self.noise)
        return ~(low | high | (limits.lower >= limits.upper))

    @cached_property
    def tolerance(self) -> float:
        """How small a decrement has to be: noise, or nothing beside what f gained on the last part of the way."""
        return max(4 * self.noise, _GAIN * self.gained)

    @cached_property
    def roughness(self) -> float:
        """How far f moves when the parameters move by roundings: what its terms lose by cancelling."""
        rng = np.random.default_rng(7)
        steps = (_EPSILON * self.x * rng.choice([-4.0, 4.0], self.x.size) for _ in range(_TRIALS))
        moved = np.array([self.value_at(step) for step in steps])
        return float(np.max(np.abs(moved - self.value), initial=0.0, where=np.isfinite(moved)))

    @cached_property
    def gained(self) -> float:
        """By how much f is higher a tenth of the way back to x0."""
        back = self.x + _BACK * (self.problem.x0 - self.x)
        if np.array_equal(back, self.x):
            return 0.0
        value = min(self.problem.value(back), self.problem.initial_value)  # there may be a pole on the way
        return max(value - self.value, 0.0) if np.isfinite(value) else 0.0

    def value_at(self, step: np.ndarray) -> float:
        """Return f at the end of a step, NaN where it is not defined or a bound is passed."""
        point, limits = self.x + step, self.problem.limits
        if limits is not None and ((point < limits.lower) | (point > limits.upper)).any():
            return np.nan
        return self.problem.value(point)

    def within(self, x: np.ndarray) -> np.ndarray:
        """Return the nearest point within the bounds."""
        limits = self.problem.limits
        return x if limits is None else np.clip(x, limits.lower, limits.upper)

    def seen_by(self, bends: np.ndarray) -> None:
        """Give free parameters that have been 0 all the time the sizes by which their curvature changes f by itself."""
        never = (self.x[self.free] == 0) & (self.problem.x0[self.free] == 0) & (bends != 0)
        change = max(abs(self.value), self.problem.initial_value - self.value)
        if never.any() and change > 0:
            which = self.free[never]
            self.size[which] = np.maximum(self.size[which], np.sqrt(change / np.abs(bends[never])))

    def in_units(self, direction: np.ndarray) -> np.ndarray:
        """Return a direction whose largest entry, relative to the parameters' sizes, is 1."""
        return direction / max(float(np.max(np.abs(direction) / self.size)), _TINY)


def sizes(x: np.ndarray, x0: np.ndarray) -> np.ndarray:
    """Return the typical sizes of parameters, shape (n,): where they are, or how far they came from `x0`.

    One that began at 0 and came back to it shows none: it is given a small part of the largest, or 1.
    """
    size = np.maximum(np.abs(x), np.abs(x - x0))
    largest = float(np.max(size, initial=0.0))
    unseen = (x0 == 0) & (size <= 1e-6 * largest)
    return np.where(unseen, 1e-3 * largest, size) if largest > 0 else np.ones(x.size)


def rounded(problem: Any, value: float) -> float:
    """Return the size of the number whose rounding shows in f: of squares nearly 0, what is squared has that of x0."""
    return max(abs(value), np.sqrt(abs(value)) * np.sqrt(min(abs(problem.initial_value), 1e300)))


def certificate(
    problem: Any, x: np.ndarray, products: int = 200, metric: Any = None, is_met: bool = False
) -> Certificate:
    """Return the certificate of `x`, for `products` products with the Hessian at most.

    Parameters
    ----------
    metric : callable, optional
        v -> B v, an approximate inverse of the Hessian that the method has built, shape (n,) to (n,). It serves where
        there are more parameters than products.
    is_met : bool
        Whether the user's own tolerance is met, so that it does not matter how small the decrement is.
    """
    point = Point(problem, x)
    if not point.is_finite:
        return Certificate("unknown")
    if not len(point.free):
        return Certificate("minimum", 0.0, point.noise, point.tolerance)
    if getattr(problem.objective, "meets_kinks", lambda x: False)(x):
        return Certificate("unknown", noise=point.noise)
    if not products and metric is not None:
        return _by_metric(point, metric, is_met)
    second = second_order(problem, x)
    if len(point.free) <= products:
        return _by_eigenvalues(point, second)
    return _by_iterations(point, second, products, metric)


def _by_eigenvalues(point: Point, second: SecondOrder) -> Certificate:
    free, n = point.free, point.x.size
    hessian, gradient = second.columns(free, n), point.gradient[free]
    if not np.isfinite(hessian).all():
        return Certificate("unknown", noise=point.noise)
    point.seen_by(np.diagonal(hessian))
    size = point.size[free]
    floor = np.maximum(1e-4 * point.noise / size**2, _TINY)
    scale = 1.0 / np.sqrt(np.maximum(np.abs(np.diagonal(hessian)), floor))
    curvatures, vectors = np.linalg.eigh(scale[:, None] * hessian * scale)
    slopes = vectors.T @ (scale * gradient)
    accuracy = second.accuracy * max(1.0, abs(curvatures[-1]), abs(curvatures[0])) * len(free)
    bends = np.abs(curvatures) > accuracy
    lengths = np.where(bends, slopes / np.where(bends, np.abs(curvatures), 1.0), 0.0)

    def embedded(z: np.ndarray) -> np.ndarray:
        direction = np.zeros(n)
        direction[free] = scale * z
        return direction

    found = Certificate(
        "minimum",
        decrement=float(slopes @ lengths) / 2,
        noise=point.noise,
        tolerance=4 * point.noise,
        curvature=float(curvatures[0]),
        direction=point.in_units(embedded(vectors[:, 0])),
        step=embedded(-vectors @ lengths),
    )
    null = [embedded(vectors[:, k]) for k in np.flatnonzero(~bends)]
    faint = _FAINT * (abs(point.value) + max(point.problem.initial_value - point.value, 0.0))
    weak = free[np.abs(np.diagonal(hessian)) * size**2 <= 2 * faint]  # rounding may be all there is of their slopes
    axes = [point.size[k] * np.eye(1, n, k)[0] for k in weak]
    lengths = np.max(np.abs(scale[:, None] * vectors) / size[:, None], axis=0)
    found = replace(found, definite=bool(curvatures[0] > accuracy and (curvatures > 2 * faint * lengths**2).all()))
    downs = _downwards(point, hessian, found.direction) if curvatures[0] < -accuracy else []
    return _judged(point, found, downs, [point.in_units(direction) for direction in null], axes)


def _downwards(point: Point, hessian: np.ndarray, least: np.ndarray | None) -> list[np.ndarray]:
    """Return directions, shape (n,), in which f bends down: the least curvature in two scalings, and parameters."""
    free, n = point.free, point.x.size
    size = point.size[free]
    plain = np.zeros(n)
    plain[free] = size * np.linalg.eigh(size[:, None] * hessian * size)[1][:, 0]
    bent = free[np.diagonal(hessian) < 0][:_NULL]
    axes = [point.size[k] * np.eye(1, n, k)[0] for k in bent]
    return [*([] if least is None else [least]), point.in_units(plain), *axes]


def _by_metric(point: Point, metric: Any, is_met: bool) -> Certificate:
    """Return the certificate by the method's own estimate of the inverse Hessian: positive along all its steps."""
    free = np.zeros(point.x.size)
    free[point.free] = point.gradient[point.free]
    step = -metric(free)
    step[np.setdiff1d(np.arange(point.x.size), point.free)] = 0.0
    found = Certificate(
        "minimum",
        decrement=-float(point.gradient @ step) / 2,
        noise=point.noise,
        tolerance=4 * point.noise,
        step=step,
        complete=False,
    )
    if is_met and found.decrement > found.tolerance:
        return replace(found, status="descending")
    return _judged(point, found, [], [])


def _by_iterations(point: Point, second: SecondOrder, products: int, metric: Any) -> Certificate:
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

    steps = max(1, products // 2 if metric is None else products - min(products // 2, MOST_STEPS))
    step, down, used = conjugate_gradients(product, inverse, point.gradient[free], 4 * point.noise, steps)
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
        return _judged(point, found, [point.in_units(embedded(down))], [])
    unit = point.size[free]
    curvatures, vectors = lanczos(lambda z: unit * product(unit * z), len(free), min(products - used, MOST_STEPS))
    if not len(curvatures):
        return _judged(point, found, [], [])
    largest = max(abs(curvatures[0]), abs(curvatures[-1]))
    direction = point.in_units(embedded(unit * vectors[0]))
    found = replace(found, curvature=float(curvatures[0] / (largest or 1.0)), direction=direction)
    bends_down = curvatures[0] < -max(_NEGATIVE, second.accuracy) * largest
    return _judged(point, found, [direction] if bends_down else [], [])


def _judged(
    point: Point, found: Certificate, downs: list[np.ndarray], null: list[np.ndarray], axes: Sequence[np.ndarray] = ()
) -> Certificate:
    """Return the certificate with its status, by the least curvature and what f does along directions without any."""
    if not found.decrement <= found.tolerance:
        found = replace(found, tolerance=point.tolerance)
    if not np.isfinite(found.decrement):
        return Certificate("unknown", noise=point.noise)
    may_cancel = found.tolerance < found.decrement <= _CANCELLED * (point.problem.initial_value - point.value)
    if may_cancel and is_steady(point.size, found.step):
        found = replace(found, tolerance=max(found.tolerance, 4 * point.roughness))
    falls = found.decrement > found.tolerance
    if downs and not found.decrement > max(found.tolerance, 1e-6 * point.gained):
        for down in downs:
            lower = lower_along(point, down)
            if lower is not None:
                fallen = point.value - point.problem.value(lower)
                by_slope = -float(point.gradient @ (lower - point.x)) >= fallen / 2
                status, step = ("descending", lower - point.x) if by_slope else ("saddle", found.step)
                return replace(found, status=status, direction=down, lower=lower, step=step)
        null = [*downs[:1], *null]
    if falls:
        return replace(found, status="descending")
    for direction in null[:_NULL]:
        has_slope = abs(float(point.gradient @ direction)) > point.tolerance
        if not has_slope and _is_plateau(point, direction):
            continue
        lower = lower_along(point, direction)
        if lower is not None and has_slope:
            return replace(found, status="descending", direction=direction, lower=lower, step=lower - point.x)
        if lower is not None:  # without slope and curvature: f falls by a third power
            return replace(found, status="saddle", direction=direction, lower=lower)
        if has_slope:  # it falls, and rises close by: a kink is near
            return replace(found, status="unknown")
    for direction in [*null[:_NULL], *axes[:_NULL]]:
        ahead, behind = (level_along(point, sign * direction) is not None for sign in (1.0, -1.0))
        back = -direction if ahead else direction
        idle = not (point.gradient[np.abs(direction) > 1e-8 * point.size].any() or _creeps(point, back))
        idle = idle and (abs(point.value) <= _NOTHING * abs(point.problem.initial_value) or _rests(point, direction))
        if (ahead and behind) or ((ahead or behind) and idle):
            return replace(found, status="flat", direction=direction)
        if ahead or behind:
            return replace(found, status="infinite", direction=direction if ahead else -direction)
    return found


def _rests(point: Point, direction: np.ndarray) -> bool:
    """Whether the parameters of a direction are where they began: the run did not go off along it."""
    moved = np.abs(point.x - point.problem.x0) > 1e-8 * point.size
    return not moved[np.abs(direction) > 1e-8 * point.size].any()


def _creeps(point: Point, back: np.ndarray) -> bool:
    """Whether f, looked at `back` from where it came, falls to what it is by less and less: to a limit, underflown."""
    rises = [point.value_at(length * back) - point.value for length in (1e-2, 3e-2, 0.1, 0.3, 0.5)]
    return any(0 < rise <= _NOTHING * (point.problem.initial_value - point.value) for rise in rises)


def _is_plateau(point: Point, direction: np.ndarray) -> bool:
    """Whether slopes along `direction` are nothing beside f close by: it is saturated, clipped or truncated there."""
    nothing = max(_EPSILON * abs(point.value), _TINY)
    for side in (1e-3, -1e-3):
        beside = point.x + side * direction
        if point.problem.is_defined(beside) and abs(float(point.problem.jac(beside) @ direction)) > nothing:
            return False
    return True


_FAINT = 1e-8
"""A parameter that changes f by less than this part of it, moved by its own size, may have gone to infinity."""

_CANCELLED = 1e-8
"""A decrement below this part of what f fell may be the rounding of terms that cancel: it is then measured."""

_NOTHING = 1e-12
"""A rise is nothing beside what f fell by so much more."""

_NEGATIVE = 1e-10
"""Of iterations, a curvature below this part of the largest one is rounding."""

_NULL = 8
"""So many directions without curvature are looked at by values."""


def lower_along(point: Point, direction: np.ndarray | None) -> np.ndarray | None:
    """Return the lowest of some points on both sides along `direction`, shape (n,); None if none is low enough.

    Where it leads through bounds, it goes on along them.
    """
    if direction is None:
        return None
    best, lowest = None, point.value - max(point.noise, point.tolerance)
    sign = -1.0 if point.gradient @ direction > 0 else 1.0
    for ahead in (sign * direction, -sign * direction):
        for length in _LENGTHS:
            there = point.within(point.x + length * ahead)
            value = point.problem.value(there)
            if value < lowest:
                best, lowest = there, value
        if best is not None:
            return best
    return None


_LENGTHS = (1.0, 0.3, 0.1, 0.03, 1e-2, 1e-3, 1e-4)


def level_along(point: Point, direction: np.ndarray) -> float | None:
    """Return what f comes to along `direction`, shape (n,), if it does not rise however far one goes; None if it does.

    It is followed to a hundred times the sizes of the parameters, and of the largest of them.
    """
    longest = float(np.max(np.abs(direction) / point.size))
    last = point.value
    most = 100 * float(np.max(point.size)) * longest / max(float(np.max(np.abs(direction))), _TINY)
    farther = [far for far in _FAR_OFF if longest < far <= max(100.0, most)]
    for length in (min(1.0, longest), *farther):
        value = point.value_at(length / longest * direction)
        room = max(8 * point.noise * (1.0 + length), _BENT * (point.value - last))  # terms that cancel grow, too
        if not value <= last + room and not value <= last + 10 * point.roughness * (1.0 + length):
            return None
        last = min(value, last)
    return last


_BENT = 0.1
"""A valley that falls bends; along a straight line some of the fall may be lost again."""

_FAR_OFF = (0.01, 0.3, 1.0, 10.0, 100.0, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8)


def is_steady(size: np.ndarray, step: np.ndarray | None) -> bool:
    """Whether a Newton step is small beside the sizes of the parameters: there is a minimum, and it is near."""
    return step is None or bool(np.max(np.abs(step) / size, initial=0.0) <= _STEADY)


def is_small(size: np.ndarray, step: np.ndarray | None) -> bool:
    """Whether a Newton step is nothing beside the sizes of the parameters: the minimum has been found."""
    return step is None or bool(np.max(np.abs(step) / size, initial=0.0) <= _SMALL)
