"""The second-order certificate of a point: what a Newton step promises there, and the least curvature around it.

With H the Hessian over the parameters that no bound holds, D its diagonal and C = D^-1/2 H D^-1/2, eigenvalues of C say
in which directions f bends up, down or not at all, whatever the units of the parameters; the Newton decrement
g.H^-1 g / 2 says how much lower f may be, in its own units.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from autoopt.solvers.iterations import MOST_STEPS, conjugate_gradients, lanczos
from autoopt.solvers.points import Point, is_cheap, is_near, is_steady
from autoopt.solvers.rays import (
    NOTHING,
    creeps,
    is_level,
    is_plateau,
    level_along,
    lost_in_rounding,
    lower_along,
    rests,
    upwards,
)
from autoopt.solvers.second_order import SecondOrder, second_order
from autoopt.solvers.valleys import lower_in_valley

_TINY = np.finfo(np.float64).tiny


@dataclass(frozen=True)
class Certificate:
    """What is known of a point to second order.

    Attributes
    ----------
    status : str
        "minimum"; "descending" (f falls to first order); "saddle" (f is lower at `lower`); "flat" (f does not change
        along `direction`, on both sides); "infinite" (f does not rise along `direction`, however far); "lost" (a
        parameter went off along `direction`, to where f and its slopes are rounding); "unknown".
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
    clear : bool
        Whether it does by so much that no third or higher power of the parameters hides it.
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
    clear: bool = True


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
    is_steep = x.tobytes() in getattr(problem, "steep", ())  # an infinite slope into a bound counts as a kink
    if not is_steep and getattr(problem.objective, "meets_kinks", lambda x: False)(x):
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

    found = Certificate(
        "minimum",
        decrement=float(slopes @ lengths) / 2,
        noise=point.noise,
        tolerance=4 * point.noise,
        curvature=float(curvatures[0]),
        direction=point.in_units(point.whole(scale * vectors[:, 0])),
        step=-point.whole(scale * (vectors @ lengths)),
    )
    null = [point.whole(scale * vectors[:, k]) for k in np.flatnonzero(~bends)]
    faint = _FAINT * (abs(point.value) + max(point.problem.initial_value - point.value, 0.0))
    weak = free[np.abs(np.diagonal(hessian)) * size**2 <= 2 * faint]  # rounding may be all there is of their slopes
    ways = (point.x - point.problem.x0, point.x) if len(weak) else ()  # parameters may go off together
    axes = [*(point.in_units(way) for way in ways if way.any()), *(point.axis(k) for k in weak)]
    lengths = np.max(np.abs(scale[:, None] * vectors) / size[:, None], axis=0)
    definite = bool(curvatures[0] > accuracy and (curvatures > 2 * faint * lengths**2).all())
    found = replace(found, definite=definite, clear=bool((curvatures > 2 * _SLIGHT * faint * lengths**2).all()))
    downs = _downwards(point, hessian, found.direction) if curvatures[0] < -accuracy else []
    bent = vectors[:, curvatures < -accuracy]
    mixed = point.whole(scale * (bent @ np.linspace(1.0, 0.5, bent.shape[1]))) if bent.shape[1] > 1 else None
    if (lost := lost_in_rounding(point, np.diagonal(hessian), found.decrement)) is not None:
        return replace(found, status="lost", direction=lost)
    judged = _judged(point, found, downs, [point.in_units(direction) for direction in null], axes)
    if judged.status == "saddle" and mixed is not None:  # else it is left along one direction, for the next saddle
        lower = lower_along(point, point.in_units(mixed))
        return judged if lower is None else replace(judged, lower=lower)
    return judged


def in_valley(problem: Any, x: np.ndarray, found: Certificate) -> Certificate:
    """Return the certificate of `x`: that of a saddle if f falls along a curved valley or into a corner."""
    if found.status not in ("minimum", "flat") or not found.complete:
        return found
    point = Point(problem, x)
    is_clear = found.clear or not is_cheap(problem, x.size)
    is_told = found.definite and is_clear and is_near(point.size, found.step) and not point.unseen.any()
    if is_told or not len(point.free):
        return found
    hessian = second_order(problem, x).columns(point.free, x.size)
    below = lower_in_valley(point, hessian) if np.isfinite(hessian).all() else None
    if below is None:
        return found
    return replace(found, status="saddle", direction=point.in_units(below[0]), lower=below[1])


def _downwards(point: Point, hessian: np.ndarray, least: np.ndarray | None) -> list[np.ndarray]:
    """Return directions, shape (n,), in which f bends down: the least curvature in two scalings, and parameters."""
    size = point.size[point.free] / np.max(point.size[point.free])  # the product of two sizes may overflow
    plain = point.whole(size * np.linalg.eigh(size[:, None] * hessian * size)[1][:, 0])
    axes = [point.axis(k) for k in point.free[np.diagonal(hessian) < 0][:_NULL]]
    return [*([] if least is None else [least]), point.in_units(plain), *axes]


def _by_metric(point: Point, metric: Any, is_met: bool) -> Certificate:
    """Return the certificate by the method's own estimate of the inverse Hessian: positive along all its steps."""
    step = -point.whole(metric(point.whole(point.gradient[point.free]))[point.free])
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
    free = point.free

    def product(v: np.ndarray) -> np.ndarray:
        return second.product(point.whole(v))[free]

    def inverse(v: np.ndarray) -> np.ndarray:
        return point.size[free] ** 2 * v if metric is None else metric(point.whole(v))[free]

    steps = max(1, products // 2 if metric is None else products - min(products // 2, MOST_STEPS))
    step, down, used = conjugate_gradients(product, inverse, point.gradient[free], 4 * point.noise, steps)
    found = Certificate(
        "minimum",
        decrement=float(point.gradient[free] @ step) / 2,
        noise=point.noise,
        tolerance=4 * point.noise,
        direction=None if down is None else point.in_units(point.whole(down)),
        step=-point.whole(step),
        complete=False,
    )
    if not np.isfinite(found.decrement):
        return Certificate("unknown", noise=point.noise)
    if down is not None:
        return _judged(point, found, [point.in_units(point.whole(down))], [])
    unit = np.where(point.unseen, np.max(point.size), point.size)[free]  # what shows no size may be of any
    curvatures, vectors = lanczos(lambda z: unit * product(unit * z), len(free), min(products - used, MOST_STEPS))
    if not len(curvatures):
        return _judged(point, found, [], [])
    largest = max(abs(curvatures[0]), abs(curvatures[-1]))
    direction = point.in_units(point.whole(unit * vectors[0]))
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
        has_slope = abs(float(point.gradient @ direction)) > max(found.tolerance, point.tolerance)
        if not has_slope and is_plateau(point, direction):
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
        if ahead and behind:
            return replace(found, status="flat", direction=upwards(direction))
        if ahead or behind:
            onwards = direction if ahead else -direction
            if is_level(point, onwards):
                return replace(found, status="flat", direction=upwards(direction))
            return replace(found, status="flat" if _is_idle(point, onwards) else "infinite", direction=onwards)
    return found


def _is_idle(point: Point, onwards: np.ndarray) -> bool:
    """Whether parameters on whose one side f rises are of no effect on the other: at an exact fit, or from x0 on."""
    initial = abs(point.problem.initial_value)
    slopes = np.abs(point.gradient * point.size)[np.abs(onwards) > 1e-8 * point.size]
    is_fit = abs(point.value) <= NOTHING**2 * initial  # of residuals whose squares are rounding, slopes are not quite 0
    if not (slopes <= (NOTHING * initial if is_fit else 0.0)).all() or creeps(point, -onwards):
        return False
    return abs(point.value) <= NOTHING * abs(point.problem.initial_value) or rests(point, onwards)


_FAINT = 1e-8
"""A parameter that changes f by less than this part of it, moved by its own size, may have gone to infinity."""

_SLIGHT = 1e3
"""One that changes it by less than so many times that may be beside a point of inflexion."""

_CANCELLED = 1e-8
"""A decrement below this part of what f fell may be the rounding of terms that cancel: it is then measured."""

_NEGATIVE = 1e-10
"""Of iterations, a curvature below this part of the largest one is rounding."""

_NULL = 8
"""So many directions without curvature are looked at by values."""
