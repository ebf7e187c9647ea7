"""Searches that a user writes by hand: an interval that shrinks by decisions, until what is compared is equal.

What such a loop finds depends on the parameters through decisions alone, which have no slope. But it is the root of an
equation, the decision's own: in

    for _ in range(60):
        m = (lo + hi) / 2
        if m**3 + x[0] * m > x[1]: hi = m
        else: lo = m

the last m solves h(m, x) = m**3 + x[0] m - x[1] = 0, however the ends were moved: by branches, `np.where` or masks,
then for all entries at once. So what is read of m after the loop becomes

    m' = m + (r(x) - r),    r(x) four steps of Newton's method for h(., x) from the m that was found, r what they give

which is m, with the derivatives of the implicit function, as those of scipy.optimize.brentq are. The record then holds
at its own point only: elsewhere the loop may find another root.

In the record, iterations are the steps between two comparisons at one place. What the comparison reads that is another
step in every iteration, or another constant, are the ends, and m is the first step through which alone they enter. With
lo = 0, hi = x[0] + 4 and 30 iterations, of which x[0] * m is returned:

    comparisons          22                 30          ...         246
    windows         15, 16, ..., 21    23, 24, ..., 29         239, 240, ..., 245      the steps that each needs
    read by them    x, 4, 7, ...       x, 4, 16, ...           x, 232, 224, ...        columns 2 and 3 are the ends
    the last one
         239  232 + 224   240  239 / 2        m = 240 is the first step without which no end reaches the comparison
         241  240 ** 3    243  x[0] * 240   244  241 + 243     its cone, up to the side 244
         246  244 > 245                     (245 is x[1])      so the equation is 244 - 245 = 0
         248  x[0] * 240
    becomes, by `roots`
           4  start, the number m           7 to 78  four steps of Newton's method for 244 - 245 from there
          84  found, the number m, + (78 - the number that 78 is here)         86  x[0] * 84

A number of the record is taken for a root only if Newton's method comes to rest there, as near as the last iterations
still moved; otherwise the tape stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np

from autoopt.tape.digest import template_text
from autoopt.tape.searches.bisection import ASKED
from autoopt.tape.searches.newton import REST, rest
from autoopt.tape.searches.windows import cone_of, counterpart, is_bare, is_carried, passages, reached_from, window
from autoopt.tape.tape import CONSTANT, PARAMETER, Tape, call

_OFTEN = 0.2
"""An end of the interval is another one in at least this share of the iterations."""

_FLOAT = np.dtype(float)


@dataclass(frozen=True)
class Search:
    """One search on a tape.

    Attributes
    ----------
    before, last : int
        The comparisons of the last two iterations.
    sides : tuple of int
        The steps that are equal at the root; one if that is 0 there.
    variable : int
        The step of the last iteration that has come close to the root.
    cone : tuple of int
        The steps from there to the sides, in order.
    root : ndarray or float
        What Newton's method makes of the variable.
    reach : ndarray or float
        How far from the root what the loop leaves may be.
    left : frozenset of int
        The steps that are the variable, or an end of the interval, in some iteration; not those computed of it.
    bare : bool
        Whether the variable is a number without a history, so that what the loop leaves is known by its value alone.
    """

    before: int
    last: int
    sides: tuple[int, ...]
    variable: int
    cone: tuple[int, ...]
    root: Any
    reach: Any
    left: frozenset[int]
    bare: bool


class Values:
    """The value of every step at a point, computed when first asked for."""

    def __init__(self, tape: Tape, point: np.ndarray) -> None:
        self.tape, self.point = tape, point
        self._first: dict[tuple, int] = {}

    @cached_property
    def all(self) -> list[Any]:
        values: list[Any] = [np.asarray(self.point, dtype=float)]
        with np.errstate(all="ignore"):
            for index, step in enumerate(self.tape.steps[1:], start=1):
                known = step.operation is None
                values.append(self.tape.values[index] if known else call(step, [values[k] for k in step.inputs]))
        return values

    def __getitem__(self, step: int) -> Any:
        return self.all[step]

    def first_like(self, step: int) -> int:
        """Return the first constant equal to this one: an array written out in a loop is another step each time."""
        if self.tape.steps[step].operation is not None or self.tape.steps[step].level != CONSTANT:
            return step
        value = np.asarray(self.tape.values[step])
        if value.dtype.hasobject:
            return step
        return self._first.setdefault((value.shape, value.dtype.str, value.tobytes()), step)


def searches(tape: Tape, values: Values, steps: Sequence[int], sides: Sequence[tuple]) -> Iterator[Search]:
    """Yield the searches among the comparisons of one place, of which there may be one after the other."""
    before = [steps[0] - 1, *steps]
    windows = [window(tape, last, asked) for last, asked in zip(before, sides, strict=False)]
    begin = 1  # the first iteration has no comparison before it
    while begin < len(steps):
        size = len(windows[begin][1])
        end = begin + 1
        while end < len(steps) and len(windows[end][1]) == size:
            end += 1
        yield from _alike(tape, values, steps[begin:end], windows[begin:end], sides[begin:end])
        begin = end


def _alike(tape: Tape, values: Values, steps: Sequence[int], windows: list, sides: Sequence[tuple]) -> Iterator[Search]:
    """Yield the searches among iterations that read equally many things from outside."""
    if len(steps) < ASKED - 2:
        return
    table = np.array([[values.first_like(step) for step in outer] for _, outer in windows], dtype=np.int64)
    changes = table[1:] != table[:-1]
    ends = changes.mean(axis=0) >= _OFTEN
    if not ends.any():
        return
    texts = [[template_text(tape.steps[index].template) for index in inner] for inner, _ in windows]
    others = np.array([one != two for one, two in pairwise(texts)])
    other = changes[:, ~ends].any(axis=1) | (others & (others.mean() < _OFTEN))
    cuts = [0, *(np.flatnonzero(other) + 1).tolist(), len(steps)]
    for begin, end in pairwise(cuts):
        if end - begin >= ASKED - 2:
            search = _search(tape, values, (steps[end - 2], steps[end - 1]), windows[begin:end], sides[end - 1], ends)
            if search is not None:
                yield search


def _search(
    tape: Tape, values: Values, span: tuple[int, int], windows: list, sides: tuple, ends: np.ndarray
) -> Search | None:
    """Return one search: of the candidates for its variable one for which Newton's method comes to rest close by."""
    inner, outer = windows[-1]
    if is_carried(tape, windows):
        return None
    sources = {source for source, moves in zip(outer, ends, strict=True) if moves}
    shape = np.broadcast_shapes(*(tape.steps[side].shape for side in sides))
    second = None
    for variable in passages(tape, inner, sources, sides):
        earlier = counterpart(tape, windows, variable)
        others = [side for side in sides if side != variable]
        if variable in sides and not any(tape.steps[side].level == PARAMETER for side in others):
            continue
        if earlier is None or tape.steps[variable].dtype != _FLOAT or tape.steps[variable].shape != shape:
            continue
        if any(tape.steps[step].shape != shape for step in earlier):
            continue
        here = np.asarray(values[variable], dtype=float)
        track = np.array([values[step] for step in earlier], dtype=float)
        moves = np.abs(np.diff(track, axis=0))
        if not np.all(moves[-3:].max(axis=0) <= 0.1 * moves.max(axis=0) + REST) or not moves.any():
            continue  # it stands still: a state at rest, as that of a recurrence is where all parameters are 0
        cone = cone_of(tape, inner, variable)
        root = rest(lambda v, c=cone, m=variable: _difference(tape, values, c, m, sides, v), here)
        reach = 8.0 * np.max(moves[-3:], axis=0) + REST * (1.0 + np.abs(here))
        if root is not None and np.any(np.abs(root) <= reach) and earlier[-2] not in outer:
            continue  # at 0 the ends are near lo + hi, too, which is not what they are set to
        if root is not None and np.all(np.abs(root - here) <= reach):
            left = frozenset((*earlier, *_ends(windows, np.flatnonzero(ends), cone)))
            search = Search(*span, sides, variable, tuple(cone), root, reach, left, is_bare(tape, variable))
            found = {step for step in search.left if is_left(tape, values, step, search)}
            read = set(_read_after(tape, search.last))
            if found & read or (search.bare and any(is_left(tape, values, step, search) for step in read)):
                return search
            if second is None and reached_from(tape, list(range(search.before + 1, search.last)), found) & read:
                second = search  # only what the last iteration has computed of it is read
    return second


def _ends(windows: list, moving: np.ndarray, cone: Sequence[int]) -> Iterator[int]:
    """Yield the steps of all iterations that are ends of the interval, or what is computed of them alone."""
    inner, _ = windows[-1]
    places = [place - len(inner) for place, step in enumerate(inner) if step not in set(cone)]
    for steps, reads in windows:
        yield from (reads[place] for place in moving)
        yield from (steps[place] for place in places if -place <= len(steps))


def _read_after(tape: Tape, last: int) -> Iterator[int]:
    """Yield the steps that are read after a step."""
    yield tape.output
    for step in tape.steps[last + 1 :]:
        yield from step.inputs


def is_left(tape: Tape, values: Values, source: int, search: Search) -> bool:
    """Whether a step is what a search has found, or an end of its last interval, or an array of both ends."""
    step, value, root = tape.steps[source], values[source], np.shape(search.root)
    if step.dtype != _FLOAT or np.shape(value)[np.ndim(value) - len(root) :] != root or len(root) > np.ndim(value):
        return False
    known = source in search.left or (search.bare and is_bare(tape, source))
    return known and bool(np.all(np.abs(value - search.root) <= search.reach))


def _difference(tape: Tape, values: Values, cone: list[int], variable: int, sides: tuple, at: Any) -> Any:
    """Return by how much the two sides differ where the variable is `at`."""
    there = {variable: at}
    for index in cone:
        step = tape.steps[index]
        there[index] = call(step, [there.get(source, values[source]) for source in step.inputs])
    one, *other = (there.get(side, values[side]) for side in sides)
    return np.asarray(one, dtype=float) - (other[0] if other else 0.0)
