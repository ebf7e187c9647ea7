"""Loops whose iterations are of a few kinds, as a branch within them leaves them: which kinds, and what is where.

    for t in range(12):
        h = np.tanh(p[1] * h)
        if seen[t]:
            h = h + p[2] * (y[t] - h)

An iteration begins at its *anchor*, a step that every one has. Those in which the branch is taken are of one kind, the
others of another; the *merged* iteration has the steps of all kinds in an order that each kind's own is a part of:

    kind 0 (taken)       p[1]  *  tanh  p[2]  y[t]  -  *  +
    kind 1 (not taken)   p[1]  *  tanh
    merged, by position    0   1    2     3     4   5  6  7      0 to 2 are of both kinds, 3 to 7 of kind 0

Where an operand comes from in each kind says an `Atom`. What is handed on is a `Variable`: in the last iteration but
one that set it, of kind 0 at position 7, of kind 1 at position 2. That every operand of every iteration is what its
atom says is checked here, so that what is made of it (`uniform.py`) has the same value.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Any, NamedTuple

import numpy as np

from autoopt.tape.loops.runs import Order
from autoopt.tape.tape import PARAMETER

FEWEST = 16
"""A stretch of fewer iterations stays as it is."""

MOST_KINDS, LONGEST = 6, 400
"""More kinds of iteration, or more steps in all of them, are not merged: every iteration would compute them all."""

INNER, FIXED, LISTED, CARRIED = "inner", "fixed", "listed", "carried"


class Differ(Exception):
    """The iterations differ in another way than by their kinds."""


class Atom(NamedTuple):
    """Where an operand comes from in iterations of some kinds.

    `what` is the position (inner), the step (fixed), nothing (listed: a step of each iteration's own, made before the
    loop), or the number of the variable (carried).
    """

    sort: str
    what: int = -1


@dataclass
class Variable:
    """What is handed on: by kind, the position that sets it, None if it is left; the step that it starts from."""

    sets: dict[int, int | None]
    initial: int | None


@dataclass
class Kinds:
    """Iterations of a few kinds.

    Attributes
    ----------
    blocks : list of list of int
        The steps of each iteration.
    of : list of int
        Its kind.
    merged : int
        The number of positions.
    places : list of list of int
        For each kind, the positions of its steps.
    has : list of frozenset of int
        For each position, the kinds that have it.
    operands : list of list of dict
        For each position and operand, by kind, its atom.
    variables : list of Variable
    """

    blocks: list[list[int]]
    of: list[int]
    merged: int
    places: list[list[int]]
    has: list[frozenset[int]] = field(default_factory=list)
    operands: list[list[dict[int, Atom]]] = field(default_factory=list)
    variables: list[Variable] = field(default_factory=list)


def kinds_of_iterations(order: Order) -> Kinds | None:
    """Return the longest loop of iterations of a few kinds; None if there is none, or they are all alike."""
    keys = _keys(order)
    found = [kinds for anchor in _anchors(order, keys) if (kinds := _divided(order, keys, anchor)) is not None]
    covered = [sum(map(len, kinds.blocks)) for kinds in found]
    enough = [kinds for kinds, steps in zip(found, covered, strict=True) if steps > 0.8 * max(covered)]
    best = min(enough, key=lambda kinds: (len(kinds.places), kinds.merged), default=None)
    try:
        if best is not None:
            _explain(order, best)
    except Differ:
        return None
    return best


def _keys(order: Order) -> list[int]:
    """Return for each step what it has in common with the same step of other iterations: what it does, and where."""
    numbers: dict[Any, int] = {}
    positions: dict[int, list] = {}
    keys = []
    for label, index in zip(order.labels.tolist(), order.nodes.tolist(), strict=True):
        site = order.steps[index].site
        place: Any = None
        if site is not None:  # one place for several instructions, as Python changes them while it runs
            code, instruction = site
            if id(code) not in positions:
                positions[id(code)] = list(code.co_positions())
            place = id(code), positions[id(code)][instruction // 2]
        keys.append(numbers.setdefault((label, place), len(numbers)))
    return keys


def _anchors(order: Order, keys: list[int]) -> Iterator[int]:
    """Yield what may begin every iteration: the first steps of those that are met most often."""
    levels = [order.steps[index].level == PARAMETER for index in order.nodes.tolist()]
    counts = Counter(key for key, is_parameter in zip(keys, levels, strict=True) if is_parameter)
    first: dict[int, int] = {}
    for key, count in counts.items():  # in program order
        first.setdefault(count, key)
    weights = Counter(counts.values())
    likely = sorted((count for count in first if count >= FEWEST), key=lambda count: -count * weights[count])
    yield from (first[count] for count in likely[:3])


def _divided(order: Order, keys: list[int], anchor: int) -> Kinds | None:
    """Return the iterations that begin with one anchor each, if they are of a few kinds."""
    starts = [position for position, key in enumerate(keys) if key == anchor]
    texts = [tuple(keys[one:other]) for one, other in zip(starts, [*starts[1:], len(keys)], strict=True)]
    common = Counter(texts[:-1])
    if len(common) < 2:
        return None
    likely = {text for text, count in common.most_common(MOST_KINDS) if count >= 2}
    last = max((text for text in likely if texts[-1][: len(text)] == text), key=len, default=None)
    texts[-1] = texts[-1] if last is None else last
    first, stop = _longest([text in likely for text in texts])
    names = [text for text, _ in Counter(texts[first:stop]).most_common()]
    if stop - first < FEWEST or len(names) < 2 or sum(map(len, names)) > LONGEST:
        return None
    places, merged = _merged(names)
    nodes = order.nodes.tolist()
    blocks = [
        nodes[start : start + len(text)] for start, text in zip(starts[first:stop], texts[first:stop], strict=True)
    ]
    return Kinds(blocks, [names.index(text) for text in texts[first:stop]], merged, places)


def _longest(good: Sequence[bool]) -> tuple[int, int]:
    """Return the beginning and the end of the longest stretch of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], np.array(good, dtype=np.int8), [0]]))).reshape(-1, 2)
    start, stop = max(edges.tolist(), key=lambda pair: pair[1] - pair[0], default=(0, 0))
    return start, stop


def _merged(names: Sequence[tuple]) -> tuple[list[list[int]], int]:
    """Return for each kind where its steps are in an order of the steps of all kinds, and how many these are."""
    whole: list[tuple[int, int]] = [(key, number) for number, key in enumerate(names[0])]
    own = [[number for _, number in whole]]
    for name in names[1:]:
        matcher = SequenceMatcher(None, [key for key, _ in whole], name, autojunk=False)
        after: list[tuple[int, int]] = []
        numbers: list[int] = []
        fresh = len(whole)
        for _, a, b, c, d in matcher.get_opcodes():
            if b - a == d - c and [key for key, _ in whole[a:b]] == list(name[c:d]):
                numbers += [number for _, number in whole[a:b]]
                after += whole[a:b]
                continue
            after += whole[a:b]
            more = [(key, fresh + k) for k, key in enumerate(name[c:d])]
            fresh += len(more)
            after += more
            numbers += [number for _, number in more]
        whole = after
        own.append(numbers)
    position = {number: k for k, (_, number) in enumerate(whole)}
    return [[position[number] for number in numbers] for numbers in own], len(whole)


# Operands ------------------------------------------------------------------------------------------------------------


def _explain(order: Order, kinds: Kinds) -> None:
    """Fill in where every operand comes from, or raise."""
    kinds.has = [
        frozenset(kind for kind, places in enumerate(kinds.places) if position in places)
        for position in range(kinds.merged)
    ]
    at = {
        index: (t, position)
        for t, (block, kind) in enumerate(zip(kinds.blocks, kinds.of, strict=True))
        for index, position in zip(block, kinds.places[kind], strict=True)
    }
    rows: dict[tuple[int, int], list[tuple[int, tuple[int, ...]]]] = defaultdict(list)
    for t, (block, kind) in enumerate(zip(kinds.blocks, kinds.of, strict=True)):
        for index, position in zip(block, kinds.places[kind], strict=True):
            rows[position, kind].append((t, order.steps[index].inputs))
    known: list[Variable] = []
    for position in range(kinds.merged):
        count = len(order.steps[_member(kinds, position)].inputs)
        slots: list[dict[int, Atom]] = [{} for _ in range(count)]
        for k, slot in enumerate(slots):
            carried: list[tuple[int, int]] = []
            for kind in kinds.has[position]:
                sources = [(t, inputs[k]) for t, inputs in rows[position, kind]]
                atom = _atom(kinds, at, sources)
                if atom is None:
                    carried += sources
                else:
                    slot[kind] = atom
            if carried:
                number = _variable(kinds, at, sorted(carried), known)
                slot.update({kind: Atom(CARRIED, number) for kind in kinds.has[position] if kind not in slot})
        kinds.operands.append(slots)
    kinds.variables = known


def _member(kinds: Kinds, position: int) -> int:
    """Return a step that has the position."""
    kind = min(kinds.has[position])
    return kinds.blocks[kinds.of.index(kind)][kinds.places[kind].index(position)]


def _atom(kinds: Kinds, at: Mapping[int, tuple[int, int]], sources: list[tuple[int, int]]) -> Atom | None:
    """Return where an operand comes from in iterations of one kind, None if earlier ones have made it."""
    made = [at.get(source) for _, source in sources]
    if all(place is not None and place[0] == t for place, (t, _) in zip(made, sources, strict=True)):
        positions = {place[1] for place in made if place is not None}
        if len(positions) > 1:
            raise Differ
        return Atom(INNER, positions.pop())
    if all(place is None for place in made):
        steps = {source for _, source in sources}
        return Atom(FIXED, steps.pop()) if len(steps) == 1 else Atom(LISTED)
    if any(place is not None and place[0] >= t for place, (t, _) in zip(made, sources, strict=True)):
        raise Differ
    return None


def _variable(
    kinds: Kinds, at: Mapping[int, tuple[int, int]], sources: list[tuple[int, int]], known: list[Variable]
) -> int:
    """Return the variable that gives these steps in these iterations; raise if there is none."""
    sets: dict[int, int | None] = dict.fromkeys(range(len(kinds.places)))
    starts = set()
    for _, source in sources:
        if source in at:
            t, position = at[source]
            if sets[kinds.of[t]] not in (None, position):
                raise Differ
            sets[kinds.of[t]] = position
        else:
            starts.add(source)
    if len(starts) > 1:
        raise Differ
    initial = starts.pop() if starts else None
    found = dict(sources)
    member = [{position: k for k, position in enumerate(places)} for places in kinds.places]
    last: int | None = initial
    for t, (block, kind) in enumerate(zip(kinds.blocks, kinds.of, strict=True)):
        if t in found and found[t] != last:
            raise Differ
        setter = sets[kind]
        if setter is not None:
            last = block[member[kind][setter]]
    for number, variable in enumerate(known):
        if variable.sets == sets and (initial is None or variable.initial in (None, initial)):
            variable.initial = initial if variable.initial is None else variable.initial
            return number
    known.append(Variable(sets, initial))
    return len(known) - 1
