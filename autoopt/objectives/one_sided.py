"""Points at which an objective has kinks: whether the two sides agree there, and what the derivative then is.

By convention `abs` has slope 0 at 0, and `maximum` half the slope of each of two equal operands. Kinks that belong
together, as in the stable forms of smooth functions, have a derivative that these conventions miss. So where kinks are
met, or a derivative is not finite, it is taken beside the point, on both sides along a direction, and extrapolated to
it: one-sided limits, exact but for rounding. Where they agree, that is the derivative; where they do not, there is a
kink, and the convention counts.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from autoopt.execution.engines import Compiled
from autoopt.graph.kinds import KINDS
from autoopt.objectives.differentiable import Conventional

_STEPS = tuple(2.0 ** -(8 + 2 * k) for k in range(6))
_WIDER = (tuple(2.0 ** -(3 + 1.5 * k) for k in range(6)), tuple(2.0 ** -(1 + 0.75 * k) for k in range(6)))
"""Where a derivative divides by what is 0 at the point, rounding covers the limit close to it."""

_DIRECTIONS = 6
"""Functions such as the median have one derivative on both sides of a tie, and another along another direction."""

_ROUNDS = 16
"""Directions along which only parameters move that had no part in any kink so far."""

_ACCURACY = 1e-7
_FEW = 16
"""So many numbers are added sooner by Python than NumPy is called."""

_TRUSTED = 3
"""A function whose conventions were right this many times in turn is looked at less closely where kinks are met."""


def settled(
    objective: Conventional, compiled: Compiled, kind: str, x: np.ndarray, ties: int, *direction: np.ndarray
) -> Any:
    """Return a derivative at a point where kinks are met, or where it is not finite.

    Parameters
    ----------
    objective : Conventional
        What gives the derivative beside the point.
    compiled : Compiled
        The functions of the path that is taken at `x`.
    kind : str
    x : ndarray, shape (n,)
    ties : int
        0 if there are none.
    direction : ndarray, shape (n,)
        For products with the Hessian.
    """
    found = compiled.by_convention(x, *direction)
    own = np.asarray(KINDS[kind].derivative(found))
    if compiled.kept >= _TRUSTED and ties and _fits(objective, kind, x, own, direction):
        return found
    limits = _limits(objective, kind, x, ties, compiled, direction)
    first = next(limits)
    if first is None:
        return found
    room = _room(first.error, first.low, first.high)
    if not first.misses(own, room).any():
        compiled.kept += 1
        return found
    compiled.kept = 0
    sides = first
    for more in limits:
        if more is None:
            return found
        sides = sides.joined(more, room)
    if not sides.agree.all():
        sides = _among_ties(own, sides, _Limits(objective, kind, x, direction), room)
    low, high = sides.low, sides.high
    outside = sides.misses(own, room)
    best = np.where(sides.agree, sides.limit, np.where(outside & np.isfinite(low + high), (low + high) / 2, own))
    best = best.reshape(own.shape)
    return KINDS[kind].with_derivative(found, best)


class Sides(NamedTuple):
    """The limits of a derivative on the sides that were looked at, entry by entry.

    Attributes
    ----------
    agree : ndarray of bool
        Whether they are one and the same.
    limit : ndarray
        The mean of the first two.
    low, high : ndarray
        Between which numbers they are.
    error : ndarray
        Of the first two.
    """

    agree: np.ndarray
    limit: np.ndarray
    low: np.ndarray
    high: np.ndarray
    error: np.ndarray

    def misses(self, own: np.ndarray, room: Any) -> np.ndarray:
        """Return which entries of a derivative are not between the limits; NaN is not."""
        return ~((own >= self.low - room) & (own <= self.high + room))

    def joined(self, more: Sides, room: Any, where: Any = True) -> Sides:
        """Return these with the limits of two more sides, of some entries."""
        same = more.agree & (np.abs(more.limit - self.limit) <= room + _room(more.error, more.low, more.high))
        return self._replace(
            agree=self.agree & (same | ~np.asarray(where)),
            low=np.where(where, np.minimum(self.low, more.low), self.low),
            high=np.where(where, np.maximum(self.high, more.high), self.high),
        )


def _among_ties(own: np.ndarray, sides: Sides, limits: _Limits, room: Any) -> Sides:
    """Return the limits where an entry may be one of many that are tied.

    Of a hundred equal numbers the largest is another one along each direction, and most are it along none of a few: to
    these no slope is seen, though they share it. Where nothing but doubtful parameters moves, one of each tie shows
    itself; those among which none does are smooth, others are halved. What is doubtful in the end has its convention.
    """
    random, size = np.random.default_rng(1), limits.x.size
    doubtful = sides.misses(own, room) & sides.agree & np.isfinite(own)
    waiting = deque([np.flatnonzero(_parameters(doubtful, size))])
    for _ in range(_ROUNDS):
        if not (waiting and waiting[0].size):
            break
        some = waiting.popleft()
        is_moving = np.isin(np.arange(size), some)
        more = limits.along(is_moving * _signs(random, limits.x))
        if more is None:
            break
        moved = doubtful & is_moving
        sides = sides.joined(more, room, moved)
        doubtful = doubtful & sides.agree
        if (moved & ~sides.agree).any():
            left = some[_parameters(doubtful, size)[some]]
            waiting.extend(half for half in np.array_split(left, 2) if half.size)
        else:
            doubtful = doubtful & ~is_moving
    return sides._replace(
        agree=sides.agree & ~doubtful,
        low=np.where(doubtful, np.minimum(sides.low, own), sides.low),
        high=np.where(doubtful, np.maximum(sides.high, own), sides.high),
    )


def _parameters(entries: np.ndarray, size: int) -> np.ndarray:
    """Return which parameters some entries of a derivative belong to, shape (n,): its last axis is that of these."""
    if entries.shape[-1:] != (size,):
        return np.zeros(size, dtype=bool)
    return np.asarray(entries.reshape(-1, size).any(axis=0))


def _signs(random: np.random.Generator, x: np.ndarray) -> np.ndarray:
    """Return a direction along which each parameter moves by about its size."""
    scale = np.where(x == 0, 1.0, np.abs(x))
    return scale * random.choice([-1.0, 1.0], x.size) * random.uniform(0.4, 1.0, x.size)


def _fits(objective: Conventional, kind: str, x: np.ndarray, own: np.ndarray, direction: tuple) -> bool:
    """Whether a derivative is, about, that on both sides close by."""
    p = 2.0**-24 * np.where(x == 0, 1.0, np.abs(x))
    sides = [_beside(objective, kind, x + q, direction) for q in (p, -p)]
    return all(
        side is not None and np.allclose(side, own, rtol=1e-5, atol=1e-5 * np.max(np.abs(own))) for side in sides
    )


def is_finite(derivative: np.ndarray) -> bool:
    """Whether all entries of a derivative are finite; sums and squares that overflow are looked at again."""
    flat = derivative if derivative.ndim == 1 else derivative.ravel()
    if flat.size <= _FEW:
        return math.isfinite(sum(flat.tolist())) or bool(np.isfinite(flat).all())
    with np.errstate(all="ignore"):  # a square may overflow
        return bool(flat.dot(flat) < math.inf or np.isfinite(flat).all())


def _limits(
    objective: Conventional, kind: str, x: np.ndarray, ties: int, compiled: Compiled, direction: tuple
) -> Iterator[Sides | None]:
    """Yield, for one direction after the other, the limits on its two sides.

    None if there is nothing to be seen beside the point: what is equal there is equal everywhere, or no side is finite.
    """
    random, limits = np.random.default_rng(0), _Limits(objective, kind, x, direction)
    for number in range(_DIRECTIONS):
        p = _signs(random, x)
        if ties and not number and _is_stationary(compiled, x, p, ties, direction):
            yield None
            return
        found = limits.along(p)
        yield found
        if found is None:
            return


@dataclass(frozen=True)
class _Limits:
    """Limits of a derivative at a point, on the two sides along a direction."""

    objective: Conventional
    kind: str
    x: np.ndarray
    direction: tuple

    def along(self, p: np.ndarray) -> Sides | None:
        """Return the limits along a direction; None if no side is finite."""

        def beside(h: float, q: np.ndarray) -> np.ndarray | None:
            return _beside(self.objective, self.kind, self.x + h * q, self.direction)

        for steps in (_STEPS, *_WIDER):
            both = [extrapolated(lambda h, q=q: beside(h, q), steps) for q in (p, -p)]
            if sides := [side for side in both if side is not None]:
                break
        if not sides:
            return None
        (one, error_one), (other, error_other) = sides[0], sides[-1]
        error = np.maximum(error_one, error_other)
        agree = (np.abs(one - other) <= _room(error, one, other)) & np.isfinite(one + other)
        return Sides(agree, (one + other) / 2, np.minimum(one, other), np.maximum(one, other), error)


def _room(error: Any, one: Any, other: Any) -> Any:
    """Return by how much two limits may differ and be the same."""
    size = np.max(np.abs(np.where(np.isfinite(one + other), one, 0.0)), initial=0.0)
    return 10.0 * error + 1e-9 * size


def _beside(objective: Conventional, kind: str, x: np.ndarray, direction: tuple) -> np.ndarray | None:
    """Return the derivative at a point close by; None where there is none that is finite."""
    try:
        found = np.asarray(KINDS[kind].derivative(objective.by_convention(kind, x, *direction)))
    except Exception:  # beyond the end of where the objective is defined anything may be raised
        return None
    return found if np.all(np.isfinite(found)) else None


def _is_stationary(compiled: Compiled, x: np.ndarray, p: np.ndarray, ties: int, direction: tuple) -> bool:
    """Whether as many kinks are met close by on either side; then they are everywhere, and need not be looked at."""
    fewest = ties
    for h in (_STEPS[2], -_STEPS[3]):
        try:
            compiled.run(x + h * p, *direction)
            return False
        except compiled.tied as met:
            fewest = min(fewest, met.args[0])
        except Exception:
            return False
    compiled.stationary = fewest
    return fewest == ties


def extrapolated(f: Callable, steps: tuple[float, ...]) -> tuple[np.ndarray, np.ndarray] | None:
    """Return the limit of f(h) for h to 0 and the error of each entry, by polynomials through more and more points.

    None if it is not defined, or the polynomials show no limit.
    """
    best: tuple[np.ndarray, np.ndarray] | None = None
    row: list[np.ndarray] = []
    used: list[float] = []
    for h in steps:
        value = f(h)
        if value is None:
            row, used = [], []
            continue
        new = [value]
        for order, above in enumerate(row):  # Neville's scheme at 0
            far = used[len(used) - 1 - order]
            new.append(new[-1] + (new[-1] - above) * h / (far - h))
        if row:
            error = np.abs(new[-1] - row[-1])
            if best is None:
                best = new[-1], error
            else:
                better = error < best[1]
                best = np.where(better, new[-1], best[0]), np.where(better, error, best[1])
        row, used = new, [*used, h]
    if best is None or not np.max(best[1], initial=0.0) <= _ACCURACY * (1.0 + np.max(np.abs(best[0]), initial=0.0)):
        return None
    return best
