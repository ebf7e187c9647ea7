"""The lowest branch of a profile: the others may have several minima side by side, and a solve finds one of them.

zeta  level --------------+-----           A profile is continuous. Where what is found does not go on from what is
                 b2 .--'  |  b1            known beside it, in value or slope, one of the two is a higher branch
              .--'   .--' |                (b2): it is solved again from the other, and what lies before it, too.
          .--' .----'     |                Where they cross it has a kink; where the lower one is less than the fit,
         +----'                            the fit was a local minimum.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from autoopt.inference.reaching import REACHED, Reach, excess, reach


def first_end(curve: Any, side: int, quantile: float, room: float) -> Reach:
    """Return where a profile first reaches the quantile on one side, at most `room` away.

    The end of a profile that is far from straight is looked at once more, from where other branches may begin: the
    others of the estimate; where it has risen slowly, those of the last points on both sides, and some at random.
    """
    found = Reach(REACHED, 0.0, 0.0)
    node, nodes = partial(curve.node, side), partial(curve.nodes, side)
    for _ in range(_BRANCHES):
        found = reach(node, quantile, curve.first(quantile), room, nodes)
        if found.how != REACHED or _is_straight(curve, found, quantile):
            break
        along = side * curve.direction * found.distance
        begun = [curve.moved(curve.points[0], along)]
        if _is_slow(curve, found, quantile):
            begun += [*(curve.moved(one, along) for one in _elsewhere(curve)[1:]), *curve.scattered(along)]
        points = [lower for start in begun if (lower := curve.solved(along, start)) is not None]
        best = min(points, key=lambda point: abs(point.root), default=None)
        if best is None or abs(best.root) > quantile * (1 - _LOWER):
            break
        _keep(curve, best)
    return found


def lowest(curve: Any, along: float) -> Any:
    """Return the lowest minimum that is found, which becomes a point of the profile; None if none is found."""
    point = curve.solved(along, curve.predicted(along))
    around = _around(curve, along)
    is_begun = len(curve.nodes(1 if curve.direction * along > 0 else -1)) > 1
    if is_begun or abs(along) < curve.first(curve.far / 2):  # a first step may come to where the model breaks down
        point = _nearer(curve, along, point, around)
    if point is not None:
        _keep(curve, point)
    return point


def _nearer(curve: Any, along: float, point: Any, around: list[Any]) -> Any:
    """Return a point that goes on from those around it, of what is found from them and others where it does not."""
    for one in _once(*around, *_elsewhere(curve)) if point is None else ():
        if (point := curve.solved(along, curve.moved(one, along))) is not None:
            break
    for one in around:
        if point is not None and _rise(curve, one, point) > curve.far * _SHARE:
            other = curve.solved(along, curve.moved(one, along))
            point = point if other is None or abs(other.root) > abs(point.root) else other
    return point


def _keep(curve: Any, point: Any) -> None:
    """Take a point into the profile, and go back along its branch as far as it is lower than what is known."""
    curve.points[1:] = [one for one in curve.points[1:] if curve.place(one) != curve.place(point)]
    curve.points.append(point)
    for inwards in (True, False):
        here = point
        for one in _beyond(curve, curve.place(point), inwards):
            if abs(one.root) > curve.far or not _rise(curve, one, here) < -curve.far * _SHARE:
                break
            again = curve.solved(curve.place(one), curve.moved(here, curve.place(one)))
            if one is curve.points[0] or again is None or not abs(again.root) < (1 - _LOWER) * abs(one.root):
                break
            curve.points[curve.points.index(one)] = here = again


def _around(curve: Any, along: float) -> list[Any]:
    """Return the nearest points before and behind a place, on its side of the estimate, which is one of them."""
    nearest = [one for inwards in (True, False) for one in _beyond(curve, along, inwards)[:1]]
    return [one for one in nearest if abs(one.root) <= curve.far]


def _beyond(curve: Any, along: float, inwards: bool) -> list[Any]:
    """Return the points on a place's side, from it to the estimate or away from it."""
    same = [one for one in curve.points if curve.place(one) * along >= 0]
    if inwards:
        return sorted((p for p in same if abs(curve.place(p)) < abs(along)), key=lambda p: -abs(curve.place(p)))
    return sorted((p for p in same if abs(curve.place(p)) > abs(along)), key=lambda p: abs(curve.place(p)))


def _rise(curve: Any, one: Any, other: Any) -> float:
    """Return how far one of two points is above what the other and both slopes have it come to; 0 if not known.

    It is positive where `other` is too high to belong to the branch of `one`, negative where `one` is.
    """
    near, far = sorted((curve.as_node(one), curve.as_node(other)), key=lambda node: node.distance)
    if near.distance == 0 and not near.slope > 0:
        return 0.0
    high = excess(near, far)
    return high if far.distance == curve.as_node(other).distance else -high


def _elsewhere(curve: Any) -> list[Any]:
    """Return points from whose others a solve may come to another branch: the estimate, and the last on either side."""
    home = curve.points[0]
    known = sorted((one for one in curve.points if abs(one.root) <= curve.far), key=lambda point: point.value)
    return _once(home, known[0], known[-1])


def _once(*points: Any) -> list[Any]:
    return list({id(one): one for one in points}.values())


def _is_straight(curve: Any, found: Reach, quantile: float) -> bool:
    """Whether a profile is so nearly straight as far as an end that the others have no room for other minima."""
    return bool(abs(_promised(curve, found) - quantile) <= _STRAIGHT * quantile)


def _is_slow(curve: Any, found: Reach, quantile: float) -> bool:
    """Whether a profile rises so much less than promised that lower branches may have been met, or missed."""
    return bool(_promised(curve, found) > _SLOW * quantile)


def _promised(curve: Any, found: Reach) -> float:
    """Return what |zeta| would be at an end, were the profile straight."""
    return float(curve.as_node(curve.points[0]).slope * found.distance)


_SHARE = 0.05
"""Of `far`, two quantiles: what is farther off what its neighbours' slopes promise is looked at."""

_LOWER = 1e-3
"""Of zeta: what is found lower by less is the same branch."""

_STRAIGHT = 0.1
"""Of the quantile."""

_SLOW = 2.0
"""Quantiles."""

_BRANCHES = 6
"""Searches for an end."""
