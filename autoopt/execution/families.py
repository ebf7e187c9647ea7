"""Source for other lengths of the data: what was derived for some of them serves all, once it is known how.

A family is what the cache holds for tapes of one skeleton. Each source that is derived for one of them is laid beside
the last ones: where they differ in numbers alone, and each of these has a form in the numbers of the tape (`n - 1`,
`2 / n`), the text of a further tape is written without PyTensor. Three different lengths have to agree; forms that
fit all of them and would now give different numbers are settled by deriving once more, and so is whatever else is
new: another order among the numbers, two that become equal, one that had never changed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from autoopt.execution import source_cache
from autoopt.execution.forms import Form, Number, forms, number, same
from autoopt.tape.skeleton import NUMBER, read_number, skeleton
from autoopt.tape.statements import words
from autoopt.tape.tape import Tape

ENOUGH = 3
"""How many lengths have to agree."""

LONG = 2000
"""The numbers from which on a tape is not laid beside others."""

MOVING = 16
"""The most different numbers that may move from tape to tape."""

LARGE = 2**19
"""The entries of arrays from which on the memory that they take may change the source."""

MOST = 12
"""The most sources of one family that are laid beside each other."""

_MARK = "# family: "
_TOLD = r'\A""".*?"""|^ *#.*?$|PathChanged\(\'.*?$'  # what is told to people: not compared
_PARTS = re.compile(rf"(?P<told>{_TOLD})|{NUMBER.pattern}", re.DOTALL | re.MULTILINE)


@dataclass
class Family:
    """The sources of tapes that differ in numbers, seen from one of them.

    Attributes
    ----------
    key : str
    numbers : list of number
        Those of this tape.
    size : int
        The entries of its largest array.
    lengths : dict of int to (str, int)
        Which of the numbers are lengths of data: the name, and the axis.
    largest : int
        Those of the largest array of a tape whose source is known.
    tapes, rows : list of list of number
        The numbers of the tapes whose sources are known, and those in their sources.
    pieces : list of str
        The text between the numbers.
    """

    key: str
    numbers: list[Number]
    size: int
    lengths: dict[int, tuple[str, int]]
    largest: int = 0
    tapes: list[list[Number]] = field(default_factory=list)
    rows: list[list[Number]] = field(default_factory=list)
    pieces: list[str] = field(default_factory=list)
    columns: list[list[Form]] = field(default_factory=list)
    places: list[int] = field(default_factory=list)

    @classmethod
    def of(cls, tape: Tape, kind: str) -> Family | None:
        """Return the family of a tape, with what the cache knows of it; None if its lengths may change more."""
        bare = skeleton(tape, kind, source_cache.version(), words(tape))
        if bare is None or not 0 < len(bare.numbers) < LONG:
            return None
        kept = source_cache.read(bare.key)
        told: dict[str, Any] = {}
        if kept is not None and kept.startswith(_MARK):
            told = json.loads(kept.splitlines()[0].removeprefix(_MARK))
        return cls(*bare, **told)

    @classmethod
    def alike(cls, tapes: Sequence[Tape], kind: str, texts: Sequence[str]) -> Family | None:
        """Return the family of tapes and their sources alone, seen from the first one; None if these are not alike.

        What the cache knows of it may come of other objectives, in which a number that is a length here is none.
        """
        known = [skeleton(tape, kind, source_cache.version(), words(tape)) for tape in tapes]
        printed = [parts(text) for text in texts]
        bares = [bare for bare in known if bare is not None]
        if len(bares) < len(tapes) or any(bare.key != bares[0].key for bare in bares):
            return None
        if not 0 < len(bares[0].numbers) < LONG or any(told != printed[0][2] for _, _, told in printed):
            return None
        rows = [row for _, row, _ in printed]
        other = cls(*bares[0], tapes=[bare.numbers for bare in bares], rows=rows, pieces=printed[0][0])
        other._align()
        return other if all(other.columns) else None

    def text(self) -> str | None:
        """Return the source for this tape, None if it is to be derived."""
        if len(self.tapes) < ENOUGH or not self._is_known():
            return None
        written = []
        for choices in self.columns:
            values = [number(form, self.numbers) for form in choices]
            if not values or not all(same(value, values[0]) for value in values):
                return None
            written.append(repr(values[0]))
        body = [f"{piece}{written[place]}" for piece, place in zip(self.pieces, self.places, strict=False)]
        return "".join(body) + self.pieces[-1]

    def _is_known(self) -> bool:
        """Whether nothing is new in the numbers but the lengths themselves."""
        if self.size > max(LARGE, 2 * self.largest):
            return False
        for track in zip(*self.tapes, strict=True):
            if 1 < len(set(track)) < ENOUGH:
                return False
        fixed = (k for k, track in enumerate(zip(*self.tapes, strict=True)) if len(set(track)) == 1)
        if any(not same(self.numbers[k], self.tapes[0][k]) for k in fixed):
            return False
        order = _order(self.numbers)
        return any(_order(tape) == order for tape in self.tapes)

    def moving(self) -> set[tuple[str, int]]:
        """Return the lengths, by data and axis, that are not the same in all tapes whose sources are known."""
        tracks = list(zip(*self.tapes, strict=True))
        return {place for k, place in self.lengths.items() if tracks and len(set(tracks[k])) > 1}

    def of_lengths(self) -> list[Form | None] | None:
        """Return what each number in the source is of the lengths of the data, None for those that never change.

        None if too few lengths are known, or some number changes that is not simple in them.
        """
        tracks = list(zip(*self.tapes, strict=True))
        moving = {tracks[k]: k for k in reversed(self.lengths) if tracks and len(set(tracks[k])) > 1}
        if not moving or any(len(set(track)) < ENOUGH for track in moving):
            return None
        found: list[Form | None] = []
        for column in zip(*self.rows, strict=True):
            choices = forms(column, self.tapes, sorted(moving.values()))
            if not choices:
                return None
            found.append(None if choices[0][0] == "fixed" else choices[0])
        return found

    def learn(self, text: str) -> None:
        """Keep what the source that was derived for this tape says of others."""
        pieces, row, rows_told = parts(text)
        if rows_told != self._compared():
            self.tapes, self.rows = [], []
        if self.numbers in self.tapes:
            return
        self.pieces = pieces
        self.tapes, self.rows = [*self.tapes, self.numbers][-MOST:], [*self.rows, row][-MOST:]
        self._align()
        if not all(self.columns):  # what is new in this source begins anew
            self.tapes, self.rows = self.tapes[-1:], self.rows[-1:]
            self._align()
        self.largest = max(self.largest, self.size)
        names = ("largest", "tapes", "rows", "pieces", "columns", "places")
        told = json.dumps({name: getattr(self, name) for name in names})
        source_cache.write(self.key, f"{_MARK}{told}\n")

    def _compared(self) -> list[str]:
        return [_silent(piece) for piece in self.pieces]

    def _align(self) -> None:
        """Find the forms of the numbers in the sources, those that are equal in all of them once."""
        tracks = list(zip(*self.tapes, strict=True))
        first = {track: k for k, track in reversed(list(enumerate(tracks)))}
        moving = [k for track, k in first.items() if len(set(track)) > 1]
        moving = moving if len(moving) <= MOVING else []
        known: dict[tuple, int] = {}
        self.columns, self.places = [], []
        for column in zip(*self.rows, strict=True):
            key = column, *map(type, column)
            if key not in known:
                known[key] = len(self.columns)
                self.columns.append(forms(column, self.tapes, moving))
            self.places.append(known[key])


def _order(numbers: Sequence[Number]) -> list[int]:
    """Return the rank of each number, with those that decide signs among them."""
    whole = [*numbers, 1]
    rank = {entry: k for k, entry in enumerate(sorted(set(whole)))}
    return [rank[entry] for entry in whole]


def parts(text: str) -> tuple[list[str], list[Number], list[str]]:
    """Return a text between its numbers, the numbers, and the former without what is only told."""
    pieces, row, start = [], [], 0
    for found in _PARTS.finditer(text):
        if found["told"] is not None:
            continue
        value = read_number(found[0])
        if repr(value) != found[0]:
            continue
        pieces.append(text[start : found.start()])
        row.append(value)
        start = found.end()
    pieces.append(text[start:])
    return pieces, row, [_silent(piece) for piece in pieces]


def _silent(piece: str) -> str:
    """Return a piece of text without what is only told; pieces begin and end outside of it."""
    return re.sub(_TOLD, "", piece, flags=re.DOTALL | re.MULTILINE)
