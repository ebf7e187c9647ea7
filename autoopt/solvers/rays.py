"""Values along rays from a point: whether f is lower there, stays what it is, or comes to a limit."""

from __future__ import annotations

import numpy as np

from autoopt.solvers.points import EPSILON, Point, is_cheap

_TINY = np.finfo(np.float64).tiny

NOTHING = 1e-12
"""A rise is nothing beside what f fell by so much more."""


def lower_along(point: Point, direction: np.ndarray | None) -> np.ndarray | None:
    """Return the lowest of some points on both sides along `direction`, shape (n,); None if none is low enough.

    Where it leads through bounds, it goes on along them.
    """
    if direction is None:
        return None
    best, lowest = None, point.value - max(point.noise, point.tolerance)
    sign = -1.0 if point.gradient @ direction > 0 else 1.0
    for ahead in (sign * direction, -sign * direction):
        for length in (*_LENGTHS, *(_UNSEEN if point.is_unseen(direction) else ())):
            there = point.within(point.x + length * ahead)
            value = point.problem.value(there)
            if value < lowest:
                best, lowest = there, value
        if best is not None:
            return best
    return None


_LENGTHS = (1.0, 0.3, 0.1, 0.03, 1e-2, 1e-3, 1e-4)
_UNSEEN = (*(10.0**-k for k in range(6, 20, 2)), *(10.0**-k for k in range(20, 80, 4)), 10.0, 1e3)
"""Lengths along parameters that have shown no size."""


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


def is_level(point: Point, direction: np.ndarray) -> bool:
    """Whether f is the same back along `direction`, to where a parameter is 0 or as at x0: on all its ray a / b is.

    Where f tends to a limit along it, it is higher somewhere on the way back.
    """
    taking = np.abs(direction) > 1e-8 * point.size
    whole = float(np.min(np.abs(point.x[taking] / direction[taking]), initial=np.inf))
    began = (point.x - point.problem.x0)[taking] / direction[taking]
    lengths = [*(part * whole for part in _BACKWARDS), *began[(began > 0) & (began < whole)]]
    return not any(abs(point.value_at(-length * direction) - point.value) > point.noise for length in lengths)


_BACKWARDS = (0.5, 0.9, 0.99)


def upwards(direction: np.ndarray) -> np.ndarray:
    """Return a direction, (n,), or its opposite, where they are the same: its first sizeable entry is positive."""
    first = np.argmax(np.abs(direction) > 0.1 * np.max(np.abs(direction)))
    return direction * np.sign(direction[first])


def rests(point: Point, direction: np.ndarray) -> bool:
    """Whether the parameters of a direction are where they began: the run did not go off along it."""
    moved = np.abs(point.x - point.problem.x0) > 1e-8 * point.size
    return not moved[np.abs(direction) > 1e-8 * point.size].any()


def creeps(point: Point, back: np.ndarray) -> bool:
    """Whether f, looked at `back` from where it came, falls to what it is by less and less: to a limit, underflown."""
    nothing = NOTHING * (point.problem.initial_value - point.value)
    for length in _WAY_BACK:
        rise = point.value_at(length * back) - point.value
        if not rise <= nothing:
            return False
        if rise > max(point.noise, NOTHING * nothing):
            return True
    return False


_WAY_BACK = (1e-2, 3e-2, 0.1, 0.3, *(1 - 0.8**k for k in range(3, 30)))
"""The rest of the way is followed by fifths: a limit that was reached early is seen nearer to the start."""


def is_plateau(point: Point, direction: np.ndarray) -> bool:
    """Whether slopes along `direction` are nothing beside f close by: it is saturated, clipped or truncated there."""
    nothing = max(EPSILON * abs(point.value), _TINY)
    for side in (1e-3, -1e-3):
        beside = point.x + side * direction
        if point.problem.is_defined(beside) and abs(float(point.problem.jac(beside) @ direction)) > nothing:
            return False
    return True


def lost_in_rounding(point: Point, bends: np.ndarray, decrement: float = 0.0) -> np.ndarray | None:
    """Return a direction, shape (n,), in which a parameter went off to where f and its slopes are rounding; or None.

    Terms that grow and cancel, as the log-gammas of many degrees of freedom do, have minima by rounding there: values a
    little farther off show that f changes no more, slopes that its curvatures `bends`, shape (m,), of the free
    parameters are none. A `decrement` that is clearly more than rounding is not that.
    """
    problem, free = point.problem, point.free
    moved, size = (point.x - problem.x0)[free], point.size[free]
    far = np.abs(moved) > _BACKED * size
    if not is_cheap(problem, point.x.size):
        changes = np.abs(bends) * size**2
        far &= changes <= _SUSPECT * (abs(point.value) + max(problem.initial_value - point.value, 0.0))
    if not far.any() or not point.roughness > point.noise:
        return None
    if not decrement <= max(point.tolerance, _CLEAR * point.roughness):
        return None
    for k in np.flatnonzero(far)[:_MOST]:
        along = moved[k] * np.eye(1, point.x.size, free[k])[0]
        changes = (abs(point.value_at(part * along) - point.value) for part in _ONWARDS)
        if not all(
            change <= 10 * point.roughness * (1 + 10 * part) for change, part in zip(changes, _ONWARDS, strict=True)
        ):
            continue
        for part in _ONWARDS:
            turned = float((problem.jac(point.x + part * along) - point.gradient)[free[k]])
            expected = float(bends[k] * part * moved[k])
            if not abs(turned - expected) <= abs(expected) / 2:
                return np.sign(moved[k]) * point.axis(free[k])
    return None


_MOST, _CLEAR = 8, 100
_SUSPECT = 1e-4
"""Where evaluations are dear, parameters that change f by more than this part of it are not looked at."""

_BACKED, _ONWARDS = 0.5, (0.1, 0.03, 0.01)
"""Parts of a parameter's size, and of its way from x0: it has gone off, and is moved on."""
