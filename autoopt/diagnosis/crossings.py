"""Which operations have another side of a kink, a step or a branch at two points, and where between them that is.

np.abs(r)        the signs of r          np.maximum(a, b)    which is greater
np.floor(t)      its value               if x[0] > 1:        the answer
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from autoopt.diagnosis.walk import Walk, moving
from autoopt.tape.names import qualified

_NAMES_OF_ABS = ("absolute", "fabs", "copysign")
_EXTREMES = {"maximum", "minimum", "fmax", "fmin"}
_REDUCED = {"max": np.argmax, "amax": np.argmax, "min": np.argmin, "amin": np.argmin, "argmax": None, "argmin": None}
_SORTED = ("sort", "argsort", "median", "quantile", "percentile", "partition")
_STEPS = ("floor", "ceil", "trunc", "rint", "round", "around", "fix", "sign", "heaviside", "floor_divide")


@dataclass(frozen=True)
class Crossing:
    """An operation of the user's that changes sides: its name, and the step or guard that has its line."""

    name: str
    step: Any


def sides(walk: Walk) -> dict[tuple[str, int], tuple[Crossing, np.ndarray]]:
    """Return on which side of their kinks the operations of a walk are, by what they are."""
    found: dict[tuple[str, int], tuple[Crossing, np.ndarray]] = {}
    for index in moving(walk.tape.steps):
        step = walk.tape.steps[index]
        side = _side(walk, index)
        if side is not None:
            called = qualified(step.operation) if callable(step.operation) else ""
            found["step", index] = Crossing(called.replace("np.absolute", "np.abs"), step), side
    for number, guard in enumerate(walk.tape.guards):
        if guard.step < len(walk.values) and guard.site is not None:
            found["guard", number] = Crossing("a branch", guard), np.asarray(walk.values[guard.step])
    return found


def _side(walk: Walk, index: int) -> np.ndarray | None:
    step = walk.tape.steps[index]
    name = getattr(step.operation, "__name__", "")
    given = walk.arguments(step)
    if name in _NAMES_OF_ABS:
        return np.sign(given[-1])
    if name in _EXTREMES or (isinstance(step.operation, np.ufunc) and step.dtype.kind == "b" and len(given) == 2):
        return np.sign(np.subtract(*given[:2], dtype=float))
    if name in _STEPS:
        return np.asarray(walk.values[index])
    if name in ("remainder", "mod", "fmod"):
        return np.floor(np.divide(*given[:2]))
    if name == "clip":
        return np.sign(np.asarray(given[0]) - np.asarray(walk.values[index]))
    if name == "where":
        return np.asarray(given[0])
    if name in _REDUCED:
        find = _REDUCED[name]
        return np.asarray(walk.values[index] if find is None else find(given[0]))
    return np.argsort(given[0], axis=None, kind="stable") if name in _SORTED else None


def changed(one: Walk, other: Walk) -> Iterator[Crossing]:
    """Yield the operations that are on another side in two walks of one tape, in the order of the program."""
    there = sides(other)
    for key, (crossing, side) in sides(one).items():
        if key in there and not np.array_equal(side, there[key][1]):
            yield crossing


@dataclass(frozen=True)
class Edge:
    """Where f ceases to fall on a way downhill, at a kink or a jump.

    Attributes
    ----------
    crossing : Crossing
        The operation that changes sides.
    before, beyond : ndarray, shape (n,)
        Points on both sides, as near to each other as they can be told apart.
    ahead : ndarray, shape (n,)
        The way, its largest entry being 1 in terms of the parameters' sizes.
    """

    crossing: Crossing
    before: np.ndarray
    beyond: np.ndarray
    ahead: np.ndarray


_REACH = (1e-9, 1e-7, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 0.3, 1.0, 3.0, 10.0)
_HALVINGS = 46
_APART = 1e-9


_LOOKED = 12


def edge(
    falls: Callable[[float], bool],
    walk: Callable[[float], Walk | None],
    is_smooth: Callable[[float, float], bool],
) -> tuple[Crossing, float, float] | None:
    """Return what changes sides where f ceases to fall on a way, and how far that is, on both sides; None if nothing.

    Parameters
    ----------
    falls : callable
        Whether f is lower than at the start at a distance, and falls there.
    walk : callable
        The walk of one tape at a distance.
    is_smooth : callable
        Whether slopes at two distances are so small that f turns between them as smooth functions do.
    """
    high = next((distance for distance in _REACH if not falls(distance)), None)
    if high is None:
        return None
    low = max((distance for distance in _REACH if distance < high), default=0.0)
    for count in range(_HALVINGS):
        middle = (low + high) / 2
        if not low < middle < high or high - low < 1e-14 * max(1.0, high):
            break
        low, high = (middle, high) if falls(middle) else (low, middle)
        if count == _LOOKED and is_smooth(low, high):
            return None
    one, other = walk(low - _APART), walk(high + _APART)
    crossing = None if one is None or other is None else next(changed(one, other), None)
    return None if crossing is None else (crossing, low, high)
