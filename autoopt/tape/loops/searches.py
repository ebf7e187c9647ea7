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
step in every iteration, or another constant, are the ends, and m is the first step through which alone they enter.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np

from autoopt.tape.digest import template_text
from autoopt.tape.loops.bisection import ASKED
from autoopt.tape.loops.rewriter import TapeRewriter
from autoopt.tape.names import fresh
from autoopt.tape.operations import astype
from autoopt.tape.simplify import live
from autoopt.tape.tape import CONSTANT, DATA, PARAMETER, Leaf, Step, Tape, call

_OFTEN = 0.2
"""An end of the interval is another one in at least this share of the iterations."""

STEPS = 4
WIDTH = 1e-5
REST = 1e-9
"""Half the width of differences, and the last step, of `newton`, relative to 1 + |root|."""

_EQUALITIES = (np.equal, np.not_equal)
_SIGNS = {np.sign: 0, np.signbit: 0, np.heaviside: 0, np.copysign: 1}
"""Functions that compare an operand with 0, and which."""

COMPARISONS = frozenset((np.less, np.less_equal, np.greater, np.greater_equal, *_EQUALITIES, *_SIGNS))
_STEEP = frozenset((
    None, np.add, np.subtract, np.multiply, np.divide, np.negative, np.positive, np.square, np.matmul, np.dot, np.sum,
    operator.getitem, np.reshape, np.transpose, np.stack, np.concatenate, np.array, astype,
))  # fmt: skip
"""Operations of which no composition, in practice, has flat pieces."""

_CHOOSING = frozenset(
    (np.where, np.logical_not, np.invert, np.logical_and, np.multiply, operator.getitem, *_EQUALITIES)
)
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


def followed(tape: Tape, point: np.ndarray, places: Sequence[Sequence[int]], bare: bool = True) -> Tape:
    """Return the tape with what its searches find as roots; `tape` itself if it has none.

    Parameters
    ----------
    tape : Tape
        As it was recorded.
    point : ndarray, shape (n,)
        Where.
    places : sequence of sequences of int
        From `repeated`.
    bare : bool
        Whether numbers without a history, as literals have that are not traced, are taken for what is searched for.
    """
    values = _Values(tape, point)
    found: list[Search] = []
    for steps in places:
        for sides in zip(*(_equations(tape, step) for step in steps), strict=False):
            more = [search for search in _searches(tape, values, steps, sides) if bare or not search.bare]
            found += more
            if more:
                break
    return _Roots(tape, values, found).run() if found else tape


def _equations(tape: Tape, comparison: int) -> Iterator[tuple[int, ...]]:
    """Yield what may be equal, or 0, where the answer to a comparison changes, the likeliest first.

    `f(m) > c` asks for the root of f(m) - c; `f(a) * f(m) < 0` and `sign(f(a)) != sign(f(m))` for that of a factor.
    """
    step = tape.steps[comparison]
    sign = _SIGNS.get(step.operation)
    parts = [_factors(tape, source) for source in (step.inputs if sign is None else (step.inputs[sign],))]
    if sign is None and step.operation not in _EQUALITIES:
        yield step.inputs
        if all(len(factors) == 1 for factors in parts):
            return
    for factors in parts:
        for factor in factors:
            if tape.steps[factor].level == PARAMETER:
                yield (factor,)


def _factors(tape: Tape, index: int) -> list[int]:
    """Return the factors of which a step is the product, behind functions that keep the sign."""
    step = tape.steps[index]
    if step.operation is np.multiply:
        return [factor for source in step.inputs for factor in _factors(tape, source)]
    if step.operation in (np.sign, np.signbit):
        return _factors(tape, step.inputs[0])
    return [index]


def repeated(tape: Tape) -> list[list[int]]:
    """Return the comparisons of each place that compares floats that move, of one shape, many times."""
    places: dict[Any, list[int]] = {}
    for index, step in enumerate(tape.steps):
        numbers = {tape.steps[source].dtype.kind for source in step.inputs} <= set("fiu")
        if step.operation in COMPARISONS and step.level == PARAMETER and step.site and numbers:
            places.setdefault((id(step.site[0]), step.site[1], step.shape), []).append(index)
    return [steps for steps in places.values() if len(steps) >= ASKED]


def asked(tape: Tape) -> bool:
    """Whether answers to comparisons of one place decide many times: branches ask for them, or steps choose by them."""
    asked = {guard.step for guard in tape.guards}
    asked |= {source for step in tape.steps if step.operation in _CHOOSING for source in step.inputs}
    return any(sum(step in asked for step in steps) >= ASKED for steps in repeated(tape))


def deciding(tape: Tape) -> Any:
    """Return the place (code, instruction) that may decide many times; None if there is none.

    It is one that compares, or else does anything that has flat pieces, or may come to be flat.
    """
    counts: dict[Any, int] = {}
    for step in tape.steps:
        if step.level == PARAMETER and step.site and step.operation not in _STEEP:
            counts[step.site] = counts.get(step.site, 0) + 1
    often = [site for site, count in counts.items() if count >= ASKED]
    if not often:
        return None
    compared = {step.site for step in tape.steps if step.operation in COMPARISONS}
    return next((site for site in often if site in compared), often[0])


class _Values:
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


def _searches(tape: Tape, values: _Values, steps: list[int], sides: Sequence[tuple]) -> Iterator[Search]:
    """Yield the searches among the comparisons of one place, of which there may be one after the other."""
    before = [steps[0] - 1, *steps]
    windows = [_window(tape, last, asked) for last, asked in zip(before, sides, strict=False)]
    begin = 1  # the first iteration has no comparison before it
    while begin < len(steps):
        size = len(windows[begin][1])
        end = begin + 1
        while end < len(steps) and len(windows[end][1]) == size:
            end += 1
        yield from _alike(tape, values, steps[begin:end], windows[begin:end], sides[begin:end])
        begin = end


def _window(tape: Tape, before: int, sides: tuple[int, ...]) -> tuple[list[int], list[int]]:
    """Return the steps that a comparison needs which come after the one before, in order; what they read, as met."""
    inner: set[int] = set()
    outer: list[int] = []
    waiting = [*sides]
    while waiting:
        step = waiting.pop()
        if step <= before or tape.steps[step].operation is None:
            outer.append(step)
        elif step not in inner:
            inner.add(step)
            waiting.extend(reversed(tape.steps[step].inputs))
    return sorted(inner), outer


def _alike(tape: Tape, values: _Values, steps: list[int], windows: list, sides: Sequence[tuple]) -> Iterator[Search]:
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
    tape: Tape, values: _Values, span: tuple[int, int], windows: list, sides: tuple, ends: np.ndarray
) -> Search | None:
    """Return one search: of the candidates for its variable one for which Newton's method comes to rest close by."""
    inner, outer = windows[-1]
    if _is_carried(tape, windows):
        return None
    sources = {source for source, moves in zip(outer, ends, strict=True) if moves}
    shape = np.broadcast_shapes(*(tape.steps[side].shape for side in sides))
    second = None
    for variable in _passages(tape, inner, sources, sides):
        earlier = _counterpart(tape, windows, variable)
        others = [side for side in sides if side != variable]
        if variable in sides and not any(tape.steps[side].level == PARAMETER for side in others):
            continue
        if earlier is None or tape.steps[variable].dtype != _FLOAT or tape.steps[variable].shape != shape:
            continue
        here = np.asarray(values[variable], dtype=float)
        track = np.array([values[step] for step in earlier], dtype=float)
        moves = np.abs(np.diff(track, axis=0))
        if not np.all(moves[-3:].max(axis=0) <= 0.1 * moves.max(axis=0) + REST) or not moves.any():
            continue  # it stands still: a state at rest, as that of a recurrence is where all parameters are 0
        cone = _cone(tape, inner, variable)
        root = _rest(lambda v, c=cone, m=variable: _difference(tape, values, c, m, sides, v), here)
        reach = 8.0 * np.max(moves[-3:], axis=0) + REST * (1.0 + np.abs(here))
        if root is not None and np.any(np.abs(root) <= reach) and earlier[-2] not in outer:
            continue  # at 0 the ends are near lo + hi, too, which is not what they are set to
        if root is not None and np.all(np.abs(root - here) <= reach):
            left = frozenset((*earlier, *_ends(windows, np.flatnonzero(ends), cone)))
            search = Search(*span, sides, variable, tuple(cone), root, reach, left, _is_bare(tape, variable))
            found = {step for step in search.left if is_left(tape, values, step, search)}
            read = set(_read_after(tape, search.last))
            if found & read or (search.bare and any(is_left(tape, values, step, search) for step in read)):
                return search
            if second is None and _reached(tape, list(range(search.before + 1, search.last)), found) & read:
                second = search  # only what the last iteration has computed of it is read
    return second


def _ends(windows: list, moving: np.ndarray, cone: Sequence[int]) -> Iterator[int]:
    """Yield the steps of all iterations that are ends of the interval, or what is computed of them alone."""
    inner, _ = windows[-1]
    places = [place - len(inner) for place, step in enumerate(inner) if step not in set(cone)]
    for steps, reads in windows:
        yield from (reads[place] for place in moving)
        yield from (steps[place] for place in places if -place <= len(steps))


def _is_carried(tape: Tape, windows: list) -> bool:
    """Whether each iteration computes in the same way from what the one before has, and from parameters besides.

    That is a recurrence: no decision moves it, and its slope is on the tape.
    """
    if len({tuple(tape.steps[step].operation for step in inner) for inner, _ in windows}) > 1:
        return False
    inner = np.array([steps for steps, _ in windows], dtype=np.int64)
    outer = np.array([reads for _, reads in windows], dtype=np.int64)
    handed = [np.flatnonzero(np.all(inner[:-1] == column[1:, None], axis=0)) for column in outer.T]
    own = {step for column, places in zip(outer.T, handed, strict=True) if places.size for step in column.tolist()}
    made = {step for places in handed for step in inner[-1, places].tolist()}
    used = _needed(tape, made, set(inner[-1].tolist()))
    others = used.difference(own, inner.ravel().tolist())
    asks = any(_answers(tape, step) for step in used)
    return bool(made) and not asks and any(tape.steps[step].level == PARAMETER for step in others)


def _needed(tape: Tape, steps: set[int], within: set[int]) -> set[int]:
    """Return `steps` with all that they need, as far as it is `within` an iteration or read by it."""
    needed, waiting = set(steps), list(steps)
    while waiting:
        for source in tape.steps[waiting.pop()].inputs:
            if source not in needed:
                needed.add(source)
                waiting += [source] if source in within else []
    return needed


def _answers(tape: Tape, index: int) -> bool:
    return tape.steps[index].dtype == bool or tape.steps[index].operation in _SIGNS


def _read_after(tape: Tape, last: int) -> Iterator[int]:
    """Yield the steps that are read after a step."""
    yield tape.output
    for step in tape.steps[last + 1 :]:
        yield from step.inputs


def is_left(tape: Tape, values: _Values, source: int, search: Search) -> bool:
    """Whether a step is what a search has found, or an end of its last interval, or an array of both ends."""
    step, value, root = tape.steps[source], values[source], np.shape(search.root)
    if step.dtype != _FLOAT or np.shape(value)[np.ndim(value) - len(root) :] != root or len(root) > np.ndim(value):
        return False
    known = source in search.left or (search.bare and _is_bare(tape, source))
    return known and bool(np.all(np.abs(value - search.root) <= search.reach))


def _is_bare(tape: Tape, index: int) -> bool:
    return tape.steps[index].operation is None and tape.steps[index].level == CONSTANT


def _passages(tape: Tape, inner: list[int], sources: set[int], sides: tuple) -> Iterator[int]:
    """Yield the steps through which alone the ends of the interval enter the comparison, the first one first."""
    if len(sources) == 1:
        (only,) = sources
        if _is_bare(tape, only):
            yield only
    for step in inner:
        if not _reached(tape, inner, sources - {step}, step).intersection(sides):
            yield step


def _reached(tape: Tape, inner: list[int], sources: set[int], without: int | None = None) -> set[int]:
    """Return the steps that depend on the sources, with these, by ways that leave out one step."""
    reached = set(sources)
    for step in inner:
        if step != without and reached.intersection(tape.steps[step].inputs):
            reached.add(step)
    return reached


def _cone(tape: Tape, inner: list[int], variable: int) -> list[int]:
    """Return the steps that depend on the variable, in order."""
    depends = _reached(tape, inner, {variable})
    return [step for step in inner if step in depends and step != variable]


def _counterpart(tape: Tape, windows: list, variable: int) -> list[int] | None:
    """Return the steps that the variable is in each iteration; None if iterations are not alike."""
    inner, outer = windows[-1]
    if variable not in inner:
        place = outer.index(variable)
        return [reads[place] for _, reads in windows]
    place = inner.index(variable) - len(inner)
    found = [other[place] for other, _ in windows if len(other) >= -place]
    same = [step for step in found if tape.steps[step].operation is tape.steps[variable].operation]
    return same if len(same) >= ASKED - 2 else None


def _difference(tape: Tape, values: _Values, cone: list[int], variable: int, sides: tuple, at: Any) -> Any:
    """Return by how much the two sides differ where the variable is `at`."""
    known = {variable: at}
    for index in cone:
        step = tape.steps[index]
        known[index] = call(step, [known.get(source, values[source]) for source in step.inputs])
    one, *other = (known.get(side, values[side]) for side in sides)
    return np.asarray(one, dtype=float) - (other[0] if other else 0.0)


def newton(h: Callable, start: Any) -> tuple[Any, Any]:
    """Return what four steps of Newton's method, with central differences, make of `start`, and the last step."""
    root, step = start, 0.0
    width = WIDTH * (1.0 + np.abs(start))
    for _ in range(STEPS):
        slope = (h(root + width) - h(root - width)) / (2.0 * width)
        step = h(root) / slope
        root = root - step
    return root, step


def _rest(h: Callable, start: np.ndarray) -> Any:
    """Return where Newton's method comes to rest; None if it does not."""
    with np.errstate(all="ignore"):
        root, step = newton(h, start)
    rests = np.abs(step) <= REST * (1.0 + np.abs(start))
    return root if np.shape(root) == np.shape(start) and np.all(rests) else None


class _Roots(TapeRewriter):
    """The new tape: after the last comparison of each search its root, read in place of what the loop left."""

    def __init__(self, old: Tape, values: _Values, searches: list[Search]) -> None:
        super().__init__(old)
        self.known = values
        self.searches = {search.last: search for search in searches}
        self.taken = {leaf.name for leaf in old.leaves().values()}
        self.moves: list[tuple[Search, int]] = []
        self.moved: dict[int, int] = {}
        self.site: Any = None

    def run(self) -> Tape:
        """Return the tape."""
        for index in range(len(self.old.steps)):
            self.take(index)
            search = self.searches.get(index)
            if search is not None:
                self.site = self.old.steps[index].site
                self.moves.append((search, self.move(search)))
                self.repeat(search)
        tape = self.finished([], caught=True, data_decided=True)
        return live(replace(tape, output=self.read(self.old.output, len(self.old.steps))))

    def take(self, index: int) -> None:
        """Enter an old step, which reads the root in place of what a search that is over has left."""
        step = self.old.steps[index]
        inputs = tuple(self.read(source, index) for source in step.inputs)
        level = max((self.steps[source].level for source in inputs), default=step.level)
        self.number[index] = self.append(step._replace(inputs=inputs, level=max(level, step.level)))
        if index in self.old.values:
            self.values[self.number[index]] = self.old.values[index]

    def read(self, source: int, reader: int) -> int:
        """Return the new step of an old one as a step that comes later reads it."""
        if source in self.moved:
            return self.moved[source]
        for search, move in self.moves:
            if reader > search.last and is_left(self.old, self.known, source, search):
                value = np.array(self.known[source], dtype=float)[()]
                leaf = self.given("found", value)
                self.moved[source] = self.binary(np.add, leaf, move)
                return self.moved[source]
        return self.number[source]

    def repeat(self, search: Search) -> None:
        """Enter again what the last iteration has computed of what it found, for those who read it later."""
        for source in range(search.before + 1, search.last):
            step = self.old.steps[source]
            if self.read(source, search.last + 1) != self.number[source]:
                continue  # it is what was found
            inputs = tuple(self.read(one, search.last + 1) for one in step.inputs)
            if step.dtype == _FLOAT and not self.moved.keys().isdisjoint(step.inputs):
                level = max(self.steps[one].level for one in inputs)
                self.moved[source] = self.append(step._replace(inputs=inputs, level=level))

    def given(self, name: str, value: Any) -> int:
        """Return a number of this point as an input: another one is the same code."""
        name = fresh(name, self.taken)
        leaf = self.append(Step(None, (), Leaf(name, "captured"), np.shape(value), _FLOAT, DATA, self.site))
        self.values[leaf] = value
        return leaf

    def binary(self, operation: Callable, one: int, other: int) -> int:
        """Add an operation on two steps and return it."""
        shape = np.broadcast_shapes(self.steps[one].shape, self.steps[other].shape)
        level = max(self.steps[one].level, self.steps[other].level)
        return self.append(Step(operation, (one, other), None, shape, _FLOAT, level, self.site))

    def move(self, search: Search) -> int:
        """Add Newton's method and return the step of r(x) - r."""
        start = self.given("start", np.array(self.known[search.variable], dtype=float)[()])
        width = self.given("width", WIDTH * (1.0 + np.abs(self.known[search.variable])))
        twice = self.binary(np.add, width, width)
        root = start
        for _ in range(STEPS):
            ahead = self.equation(search, self.binary(np.add, root, width))
            behind = self.equation(search, self.binary(np.subtract, root, width))
            slope = self.binary(np.divide, self.binary(np.subtract, ahead, behind), twice)
            step = self.binary(np.divide, self.equation(search, root), slope)
            root = self.binary(np.subtract, root, step)
        return self.binary(np.subtract, root, self.given("root", np.array(search.root, dtype=float)[()]))

    def equation(self, search: Search, at: int) -> int:
        """Add the comparison's equation with another variable and return by how much its two sides differ."""
        known = {search.variable: at}
        for index in search.cone:
            step = self.old.steps[index]
            inputs = tuple(known[source] if source in known else self.at(source) for source in step.inputs)
            level = max(self.steps[source].level for source in inputs)
            known[index] = self.append(step._replace(inputs=inputs, level=level))
        one, *other = (known[side] if side in known else self.at(side) for side in search.sides)
        return self.binary(np.subtract, one, other[0]) if other else one
