"""The data with fewer rows: what differs between a trace on them and one on all is what depends on the rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator

import numpy as np

from autoopt.errors import display_path
from autoopt.objectives.original import Original
from autoopt.objectives.resizing import repeated, resized
from autoopt.tape.digest import LITERAL, digest

ENOUGH = 300
"""About how many rows of the shortest data tell as much as more of them."""


def portions(original: Original, lengths: Collection[int]) -> Iterator[list[Original]]:
    """Yield pairs of the objective with fewer rows of all its data, or of those that have the usual number.

    `lengths` has the number of rows of each of its arrays.
    """
    counts = Counter(length for length in lengths if length > 2 * LITERAL)
    known = sorted(counts)
    if not known:
        return
    usual = max(known, key=lambda length: (counts[length], length))
    for chosen in [known] if len(known) == 1 else [known, [usual]]:
        yield [
            resized(original, {length: _fewer(length, k, cut) for k, length in enumerate(chosen)}, repeated)
            for cut in (1, 2)
        ]


def enlarged(original: Original, lengths: Collection[int]) -> Iterator[Original]:
    """Yield the objective with more rows of all its data, of those that have the usual number, of the longest alone.

    Of few rows rules know more than that they are a number.
    """
    counts = Counter(lengths)
    known = sorted(counts)
    usual = max(known, key=lambda length: (counts[length], length), default=0)
    tried = [known, [usual], known[-1:]] if known else []
    for k, chosen in enumerate(tried):
        if chosen not in tried[:k]:
            yield resized(original, {length: _MORE + 7 * rank for rank, length in enumerate(chosen)}, repeated)


_MORE = 4 * LITERAL


def _fewer(length: int, rank: int, cut: int) -> int:
    """Return a smaller number of rows: in the same order as the others, and at no fixed distance from them."""
    return min(length, ENOUGH * (rank + 1)) - cut * (rank + 2) - cut // 2


def of_counts(original: Original, lengths: Collection[int]) -> str:
    """Return why the objective may be another one for other numbers of rows than those of its data; empty if it is not.

    A whole number that it reads beside its data, and that is the number of their rows, as `n` of `n = len(y)` outside
    it, may stand for that or for something else.
    """
    fewer = {length: _fewer(length, k, 1) for k, length in enumerate(sorted(lengths)) if length > LITERAL}
    try:
        one, other = (resized(original, fewer, repeated, counts).steps_at(original.start) for counts in (False, True))
    except Exception:  # it does not run where that number is another one, and so it may be for the others
        return ""
    if digest(one) == digest(other):
        return ""
    changed = {k for k, value in other.values.items() if k in one.values and not np.array_equal(one.values[k], value)}
    places = (step.location for step in other.steps if changed.intersection(step.inputs))
    place = next((place for place in places if place is not None), None)
    return (
        " (a number read beside the data may stand for it)"
        if place is None
        else (f" ({display_path(place.file)}:{place.line} may read their number)")
    )
