"""Where a curve that rises from 0, known by its value and its slope, reaches a level: the ends of an interval."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

REACHED, LIMIT, OPEN, LOST = "reached", "limit", "open", "lost"
"""How a search ends: at the level; at the limit of distances; with a curve that stays below; without knowing."""


@dataclass(frozen=True)
class Node:
    """The curve at one distance: its value and its slope."""

    distance: float
    value: float
    slope: float


@dataclass(frozen=True)
class Reach:
    """How a search ended, the distance there, and the value of the curve there."""

    how: str
    distance: float
    value: float


def reach(
    at: Callable[[float], Node | None], level: float, first: float, limit: float = np.inf, nodes: Sequence[Node] = ()
) -> Reach:
    """Return where a curve with the value 0 at distance 0 reaches `level` > 0.

    Parameters
    ----------
    at : callable
        The curve at a distance > 0; None where it cannot be had.
    level : float
    first : float
        The distance to begin with, > 0.
    limit : float
        The largest distance that there is.
    nodes : sequence of Node
        What is known of the curve already, its start among them.

    Notes
    -----
    Newton's steps outwards, to twice the distance that is known at most; once the level is bracketed, the
    crossing of the cubic that has values and slopes of both ends. The slope makes the last node's Newton step exact to
    the square of what it was off by. A curve is open where it rises by less and less for each doubling of the distance,
    so that more of them were needed than there are numbers; or where what three doublings in a row have added falls
    so fast that all that would follow, were it to fall on as a geometric series, is a ten-thousandth of the value.
    """
    below = max((node for node in nodes if node.value < level), key=lambda node: node.distance)
    above = min((n for n in nodes if n.distance > below.distance), key=lambda n: n.distance, default=None)
    lost, gains, before = np.inf, [np.inf], below
    for _ in range(_MOST):
        if above is not None and _is_close(above.distance, below.distance, 1e-9):
            return Reach(REACHED, above.distance, above.value)
        if above is None and lost - below.distance <= (_LOST * below.distance or _NOWHERE * first):
            return Reach(LOST, below.distance, below.value)
        distance = _crossing(below, above, level) if above else min(_outwards(below, level, first), limit)
        distance = distance if distance < lost else (below.distance + lost) / 2
        node = at(distance)
        if node is None:
            lost = distance
        elif abs(node.value - level) <= _CLOSE * level and node.slope > 0:
            return Reach(REACHED, min(distance + (level - node.value) / node.slope, limit), level)
        elif node.value >= level:
            above = node
        elif distance >= limit:
            return Reach(LIMIT, limit, node.value)
        else:
            before, below = below, node
            gains.append(_gain(before, below))
            if _is_open(gains, below.value, level, distance > _FAR * first):
                return Reach(OPEN, distance, node.value)
    return Reach(LOST, below.distance, below.value)


_MOST = 80
"""Evaluations; a curve that is open is left before, and halving comes to the last digit."""

_CLOSE = 1e-5
"""So near to the level a Newton step is exact to the square of this."""

_BEYOND = 3.0
"""Levels; a curve so high is not joined to what is below by a cubic."""

_LOST = 1e-6
"""Of the distance: so near to what is known nothing more is looked for."""

_NOWHERE = 1e-4
"""Of the first distance, likewise, where nothing is known but the start."""

_FAR = 30.0
"""First distances; no curve is called open before."""

_DOUBLINGS = 1024
"""After so many a distance is no number."""

_VISIBLE = 1e-4
"""Of a value; less is not seen in what is said of it."""

_FALLING = 0.5
"""What a doubling adds, of what the one before has, that a curve be called levelling off."""


def _is_close(one: float, other: float, share: float) -> bool:
    return one <= other * (1 + share)


def _gain(before: Node, here: Node) -> float:
    """Return how much the curve has risen for each doubling of the distance."""
    doublings = np.log2(here.distance / before.distance) if before.distance > 0 else 1.0
    return float((here.value - before.value) / doublings)


def _is_open(gains: Sequence[float], value: float, level: float, is_far: bool) -> bool:
    """Whether a curve will not rise to a level, by how much it has risen for each doubling of the distance."""
    lacking = level - value
    if is_far and gains[-1] <= gains[-2] and gains[-1] * _DOUBLINGS < lacking:
        return True
    first, second, third = [np.inf] * (3 - len(gains)) + list(gains[-3:])
    if not abs(third) <= _FALLING * second <= _FALLING**2 * first < np.inf:
        return False
    share = max(third, 0.0) / second if second else 0.0
    return bool(third * share / (1 - share) < min(0.1 * lacking, _VISIBLE * value))


def _outwards(below: Node, level: float, first: float) -> float:
    """Return the distance of a Newton step, no more than twice what is known; the first one if nothing is."""
    if below.distance == 0:
        return first
    step = (level - below.value) / below.slope if below.slope > 0 else np.inf
    return below.distance + min(step, below.distance)


def _crossing(below: Node, above: Node, level: float) -> float:
    """Return where the cubic between two nodes has the level; half-way where it says nothing new.

    A node far above, or where the curve falls, may lie behind a jump: of it the place alone is used.
    """
    from scipy.interpolate import CubicHermiteSpline

    low, high = below.distance, above.distance
    if above.value > _BEYOND * level or above.slope <= 0:
        step = (level - below.value) / below.slope if below.slope > 0 else np.inf
        return low + step if low + step < high else (low + high) / 2
    if below.distance > 0 or below.slope > 0:
        cubic = CubicHermiteSpline([low, high], [below.value, above.value], [below.slope, above.slope])
        crossings = [one for one in cubic.solve(level, extrapolate=False) if low < one < high]
        room = 1e-3 * (high - low)
        if crossings and low + room < crossings[0] < high - room:
            return float(crossings[0])
    return (low + high) / 2
