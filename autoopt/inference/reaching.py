"""Where a curve that rises from 0, known by its value and its slope, reaches a level: the ends of an interval."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

REACHED, LIMIT, OPEN, LOST, JUMP = "reached", "limit", "open", "lost", "jump"
"""How a search ends: at the level; at the limit of distances; with a curve that stays below; without knowing; where
the curve jumps over the level."""


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
    at: Callable[[float], Node | None],
    level: float,
    first: float,
    limit: float,
    known: Callable[[], Sequence[Node]],
) -> Reach:
    """Return where a curve with the value 0 at distance 0 first reaches `level` > 0.

    Parameters
    ----------
    at : callable
        The curve at a distance > 0, which is then one of the known ones; None where it cannot be had.
    level : float
    first : float
        The distance to begin with, > 0.
    limit : float
        The largest distance that there is.
    known : callable
        What is known of the curve, its start among it; `at` may have found it lower than it was known.

    Notes
    -----
    Newton's steps outwards, to twice the distance that is known at most; once the level is bracketed, the
    crossing of the cubic that has values and slopes of both ends. The slope makes the last node's Newton step exact to
    the square of what it was off by. Where two nodes are not joined by a curve of their slopes, as where it has risen
    and fallen between them, it is looked at half-way. A curve is open where it rises by less and less for each doubling
    of the distance, so that more of them were needed than there are numbers; or where what three doublings in a row
    have added falls so fast that all that would follow, were it to fall on as a geometric series, is a ten-thousandth
    of the value.
    """
    lost, gains, outmost, retries = np.inf, [np.inf], 0.0, 1
    missed: set[float] = set()
    for _ in range(_MOST):
        before, below, above = _ends(known(), level)
        if below.distance > outmost:
            gains.append(_gain(before, below))
            outmost = below.distance
            if _is_open(gains, below.value, level, below.distance > _FAR * first) and above is None:
                return Reach(OPEN, below.distance, below.value)
        if below.distance >= lost or (retries and lost - below.distance <= _NEARER * below.distance):
            lost, retries = np.inf, retries - 1  # from here it may be had
        gap = _gap(known(), level, missed)
        if gap is None and _is_close(limit, below.distance, 1e-12):
            return Reach(LIMIT, limit, below.value)
        if above is not None and _is_close(above.distance, below.distance, 1e-9):
            return Reach(JUMP, below.distance, below.value)
        if lost - below.distance <= (_LOST * below.distance or _NOWHERE * first):
            return Reach(LOST, below.distance, below.value)
        if gap is not None:
            distance = gap
        else:
            distance = _crossing(below, above, level) if above else min(_outwards(below, level, first), limit)
            distance = distance if distance < lost else (below.distance + lost) / 2
        node = at(distance)
        if node is None and gap is not None:
            missed.add(gap)
        elif node is None:
            lost = distance
        elif abs(node.value - level) <= _CLOSE * level and node.slope > 0 and _is_first(known(), node, level, missed):
            return Reach(REACHED, min(distance + (level - node.value) / node.slope, limit), level)
    return Reach(LOST, below.distance, below.value)


_MOST = 80
"""Evaluations; a curve that is open is left before, and halving comes to the last digit."""

_CLOSE = 1e-5
"""So near to the level a Newton step is exact to the square of this."""

_BEYOND = 3.0
"""Levels; a curve so high is not joined to what is below by a cubic."""

_LOST = 1e-6
"""Of the distance: so near to what is known nothing more is looked for."""

_NEARER = 0.5
"""Of the distance: from so near what could not be had is tried once more."""

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


_GAP = 0.1
"""Of the level: what two nodes may differ by, of what their slopes have between them."""

_BENT = 0.5
"""Of what the curve rises by from one to the other, likewise."""

_NARROW = 1e-3
"""Of the distance: nodes so near to each other are not looked at for what is between them."""


def _ends(known: Sequence[Node], level: float) -> tuple[Node, Node, Node | None]:
    """Return the last two nodes before the curve is first known to have reached a level, and the one that has it."""
    nodes = sorted(known, key=lambda node: node.distance)
    above = next((i for i, node in enumerate(nodes) if node.value >= level), len(nodes))
    return nodes[max(above - 2, 0)], nodes[above - 1], nodes[above] if above < len(nodes) else None


def _is_first(known: Sequence[Node], node: Node, level: float, missed: Collection[float]) -> bool:
    """Whether a node at a level is where the curve first comes to it, as far as is known."""
    _, below, above = _ends(known, level)
    return node.distance <= (below if above is None else above).distance and _gap(known, level, missed) is None


def excess(one: Node, other: Node) -> float:
    """Return how far the curve at the farther of two nodes is above what their slopes have it rise to."""
    return other.value - one.value - (other.distance - one.distance) * (one.slope + other.slope) / 2


def _gap(known: Sequence[Node], level: float, missed: Collection[float]) -> float | None:
    """Return a distance between two nodes below a level where the curve may be elsewhere than between them."""
    nodes = sorted(known, key=lambda node: node.distance)
    for one, other in pairwise(nodes):
        if other.value >= level:
            return None
        between = (one.distance + other.distance) / 2
        is_known = one.slope > 0 or one.distance > 0
        wide = other.distance - one.distance > _NARROW * other.distance
        if is_known and wide and between not in missed and _is_unsure(one, other, level):
            return between
    return None


def _is_unsure(one: Node, other: Node, level: float) -> bool:
    """Whether two nodes are not joined by a curve of their slopes, or by one that comes near the level between them."""
    if not abs(excess(one, other)) <= max(_GAP * level, _BENT * abs(other.value - one.value)):
        return True
    return one.slope > 0 > other.slope and bool(np.max(_cubic(one, other)(_between(one, other))) > (1 - _GAP) * level)


def _between(one: Node, other: Node) -> np.ndarray:
    return np.linspace(one.distance, other.distance, 17)


def _cubic(one: Node, other: Node) -> Any:
    """Return the cubic that has values and slopes of two nodes."""
    from scipy.interpolate import CubicHermiteSpline

    ends = (one, other)
    return CubicHermiteSpline(*([getattr(node, name) for node in ends] for name in ("distance", "value", "slope")))


def _is_close(one: float, other: float, share: float) -> bool:
    return one <= other * (1 + share)


def _gain(before: Node, here: Node) -> float:
    """Return how much the curve has risen for each doubling of the distance."""
    doublings = np.log2(here.distance / before.distance) if 0 < before.distance < here.distance else 1.0
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
    low, high = below.distance, above.distance
    if above.value > _BEYOND * level or above.slope <= 0:
        step = (level - below.value) / below.slope if below.slope > 0 else np.inf
        return low + step if low + step < high else (low + high) / 2
    if below.distance > 0 or below.slope > 0:
        crossings = [one for one in _cubic(below, above).solve(level, extrapolate=False) if low < one < high]
        room = 1e-3 * (high - low)
        if crossings and low + room < crossings[0] < high - room:
            return float(crossings[0])
    return (low + high) / 2
