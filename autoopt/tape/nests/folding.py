"""The steps of nested loops as a tree, from the order in which they are on the tape.

    g m s p   g m s p  g m s p  r   g m s p  g m s p  g m s p  r       steps by what they do, and where
    1         2                 1   3                          1
    [g m s p] * 1, r   [g m s p] * 2, r   [g m s p] * 3, r             the innermost loop, wherever its body stands
    ([g m s p] * 1 + i, r) * 3                                         the loop around it

A loop may have no iterations: then its body is missing in one of the loop around it.
"""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autoopt.tape.nests.windows import Affine, fitted
from autoopt.tape.operations import put
from autoopt.tape.tape import Step

REPEATS = 4
"""A body is one of a loop if it stands this often in a row somewhere."""

LONGEST = 120
"""Steps, inner loops counted once, of the longest body that is looked for."""

MOST = 40
"""Loops of one objective that are looked for."""


@dataclass
class Place:
    """One step of a body: the tape's step in each iteration, and the counters of that iteration."""

    token: int
    loops: tuple[int, ...] = ()
    steps: list[int] = field(default_factory=list)
    counters: list[tuple[int, ...]] = field(default_factory=list)

    def table(self) -> np.ndarray:
        """Return the counters, a row for each iteration."""
        return np.array(self.counters, dtype=np.int64).reshape(len(self.steps), len(self.loops))


@dataclass
class Loop:
    """A loop of the tree: its body, and how often it has run in each iteration of those around it."""

    token: int
    body: list[Place | Loop]
    counts: list[int] = field(default_factory=list)
    counters: list[tuple[int, ...]] = field(default_factory=list)

    def count(self) -> Affine:
        """Return the number of iterations."""
        table = np.array(self.counters, dtype=np.int64).reshape(len(self.counts), -1)
        return fitted(table, self.counts)

    def places(self) -> list[Place]:
        """Return the steps of the body and of the loops in it, in order."""
        return [p for part in self.body for p in ([part] if isinstance(part, Place) else part.places())]


@dataclass(frozen=True)
class _Occurrence:
    """A loop where it stands in the order: its blocks, each a list of steps and of occurrences or None."""

    blocks: list[list[Any]]


def tokens_of(steps: Sequence[Step], nodes: Sequence[int], forms: bool = True) -> np.ndarray:
    """Return for each step a number for what it does and where; with `forms` also on how many operands."""
    known: dict[Any, int] = {}
    positions: dict[int, list] = {}
    found = np.empty(len(nodes), dtype=np.int64)
    for k, index in enumerate(nodes):
        step = steps[index]
        place: Any = None
        if step.site is not None:  # one place for several instructions, as Python changes them while it runs
            code, instruction = step.site
            if id(code) not in positions:
                positions[id(code)] = list(code.co_positions())
            place = id(code), positions[id(code)][instruction // 2]
        form = (len(step.inputs), len(step.shape)) if forms else ()
        found[k] = known.setdefault((place, step.operation, *form), len(known))
    return found


class Folding:
    """The order of the steps, loops in it as one entry each."""

    def __init__(self, steps: Sequence[Step], nodes: Sequence[int]) -> None:
        self.steps = steps
        self.tokens = tokens_of(steps, nodes)
        self.items: list[Any] = list(nodes)
        self.bodies: dict[int, list[int]] = {}  # by the token of a loop, those of its body

    def loops(self) -> list[Loop]:
        """Return the outermost loops, in order."""
        for _ in range(MOST):
            body = self._body()
            if body is None:
                break
            self._fold(body)
        found = []
        for token, item in zip(self.tokens.tolist(), self.items, strict=True):
            if token < 0:
                loop = self._tree(token)
                self._enter(loop, item, ())
                found.append(loop)
        return found

    def _body(self) -> list[int] | None:
        """Return the tokens of the shortest body that repeats."""
        tokens = self.tokens
        for period in range(1, min(LONGEST, len(tokens) // REPEATS) + 1):
            same = np.concatenate([[0], (tokens[:-period] == tokens[period:]).astype(np.int8), [0]])
            edges = np.flatnonzero(np.diff(same)).reshape(-1, 2)
            long = edges[edges[:, 1] - edges[:, 0] >= (REPEATS - 1) * period]
            if len(long):
                start = int(long[0, 0])
                cut = self._cut(start, period)
                return tokens[start + cut : start + cut + period].tolist()
        return None

    def _cut(self, start: int, period: int) -> int:
        """Return where in a period the user's iteration begins: below which the next stands further up."""
        best, cut = np.inf, 0
        for k in range(period):
            before, after = (self._site(start + k + period - 1, -1), self._site(start + k + period, 0))
            if before and after and before[0] is after[0] and after[1] <= before[1] and after[1] < best:
                best, cut = after[1], k
        return cut

    def _site(self, position: int, end: int) -> Any:
        item = self.items[position]
        while isinstance(item, _Occurrence):
            item = next(part for part in (item.blocks[0] if end == 0 else item.blocks[-1][::-1]) if part is not None)
        return self.steps[item].site

    def _fold(self, body: list[int]) -> None:
        """Replace every run of a body by one entry."""
        name = -1 - len(self.bodies)
        self.bodies[name] = body
        tokens, items = self.tokens.tolist(), self.items
        first = set(body[: next((k for k, t in enumerate(body) if t >= 0), len(body) - 1) + 1])
        new_tokens: list[int] = []
        new_items: list[Any] = []
        position = 0
        while position < len(tokens):
            blocks = []
            while position < len(tokens) and tokens[position] in first:
                block, stop = self._matched(tokens, items, position, body)
                if block is None:
                    break
                blocks.append(block)
                position = stop
            if blocks:
                for stretch in self._stretches(blocks):
                    new_tokens.append(name)
                    new_items.append(_Occurrence(stretch))
            else:
                new_tokens.append(tokens[position])
                new_items.append(items[position])
                position += 1
        self.tokens, self.items = np.array(new_tokens, dtype=np.int64), new_items

    def _stretches(self, blocks: list[list[Any]]) -> list[list[list[Any]]]:
        """Return the iterations divided where another loop begins anew: nothing may stand between two of them.

        Within a loop all numbers in indices go on by the same; that is what they do most often.
        """
        numbers = [self._numbers(block) for block in blocks]
        if len(blocks) < REPEATS or len({len(row) for row in numbers}) > 1:
            return [blocks]
        places = np.array(numbers)
        moves = [tuple(move) for move in np.diff(places, axis=0).tolist()]
        usual = Counter(moves).most_common(1)[0][0]
        cuts = [k + 1 for k, move in enumerate(moves) if move != usual]
        return [blocks[a:b] for a, b in zip([0, *cuts], [*cuts, len(blocks)], strict=True)]

    def _numbers(self, block: list[Any]) -> list[int]:
        """Return the places of single entries that the steps of an iteration read or write, inner loops' at first."""
        found: list[int] = []
        for item in block:
            inner = item
            while isinstance(inner, _Occurrence):
                inner = next(part for part in inner.blocks[0] if part is not None)
            if inner is None:
                continue
            step = self.steps[inner]
            if step.operation is operator.getitem or step.operation is put:
                index = step.template[0][1]
                parts = index if type(index) is tuple else (index,)
                found += [part for part in parts if type(part) is int]
        return found

    @staticmethod
    def _matched(tokens: list[int], items: list, position: int, body: list[int]) -> tuple[list | None, int]:
        """Return the entries of one iteration from a position on, None for loops without any; where it ends."""
        block: list[Any] = []
        for token in body:
            if position < len(tokens) and tokens[position] == token:
                block.append(items[position])
                position += 1
            elif token < 0:
                block.append(None)
            else:
                return None, position
        return block, position

    def _tree(self, token: int, depth: int = 1) -> Loop:
        loops = (0,) * depth
        return Loop(token, [self._tree(t, depth + 1) if t < 0 else Place(t, loops) for t in self.bodies[token]])

    def _enter(self, loop: Loop, occurrence: _Occurrence | None, counters: tuple[int, ...]) -> None:
        blocks = occurrence.blocks if occurrence else []
        loop.counts.append(len(blocks))
        loop.counters.append(counters)
        for t, block in enumerate(blocks):
            inner = (*counters, t)
            for part, item in zip(loop.body, block, strict=True):
                if isinstance(part, Loop):
                    self._enter(part, item, inner)
                else:
                    part.steps.append(item)
                    part.counters.append(inner)
