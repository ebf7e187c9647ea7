"""Whether source serves other numbers of rows: it is run on some, and compared with the objective traced there.

Traces on a few numbers of rows show which numbers of the code depend on them. They do not show what an objective may
do beside: go another way where the number is odd, or below 20.
"""

from __future__ import annotations

import warnings
from collections.abc import Collection
from typing import Any

import numpy as np

from autoopt.execution import engines
from autoopt.execution.eager.functions import EagerFunctions
from autoopt.execution.modules import executed
from autoopt.execution.printed import unchecked
from autoopt.graph.kinds import KINDS
from autoopt.objectives.original import Original
from autoopt.objectives.resizing import repeated, resized
from autoopt.tape.digest import LITERAL

ROWS = (1, 2, 3, 5, 8, 12, 13, 16, 17, 20, 21, 33, 50, 64, 101, 150)
"""The numbers of rows that are tried, besides those about the number that there is, and twice as many."""

ROWS_OF_FEW = 64
"""Up to how many rows are tried where there are few."""

MOST_STEPS = 20_000
"""The steps, loops unrolled, after which only the number that there is, and one more, are still tried."""

_AGREE = 1e-7
_ITERATIONS = 10_000

_BESIDE = 1e-2
"""How far from the start source is tried: there derivatives, such as those of a norm of zeros, may be none."""


def least_rows(text: str, kind: str, original: Original, lengths: Collection[int]) -> int | None:
    """Return from how many rows on source gives what the objective has; None if it does not for longer data either.

    Parameters
    ----------
    text : str
    kind : str
    original : Original
        The objective.
    lengths : collection of int
        The numbers of rows of those of its data that may have others.
    """
    known = sorted(lengths)
    longest = max(known, default=0)
    tried = sorted({*ROWS, longest // 2, longest - 1, longest + 1, 2 * longest, 3 * longest})
    least, spent = 1, 0
    start = original.start
    beside = start + _BESIDE * (1.0 + np.abs(start)) * np.cos(1.0 + np.arange(start.size))
    x = next((x for x in (beside, start) if _tried(text, kind, original, {}, x, checked=True)[1]), None)
    if x is None:
        return None
    for count in [rows for rows in tried if 0 < rows <= max(3 * longest, ROWS_OF_FEW)]:
        if spent > MOST_STEPS and count != longest + 1:
            continue
        lengths_there = {length: count + 3 * rank for rank, length in enumerate(known)}
        steps, fits = _tried(text, kind, original, lengths_there, x)
        spent += steps
        if not fits:
            least = count + 1
    return least if least <= LITERAL + 1 else None


def _tried(
    text: str, kind: str, original: Original, lengths: dict[int, int], x: np.ndarray, checked: bool = False
) -> tuple[int, bool]:
    """Return the steps of the objective for data of these lengths, and whether source gives at x what it has there.

    If `checked`, it must take the branches of the objective, too.
    """
    direction = (np.cos(1.0 + np.arange(x.size)),) if KINDS[kind].directed else ()
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            tape = resized(original, lengths, repeated).steps_at(x)
            expected = EagerFunctions(tape, kind, "", checked=False).run(x, *direction)
        except Exception:  # so few, or so many, are nothing for the objective either
            return 0, True
        if not all(np.isfinite(part).all() for part in _parts(expected)):
            return len(tape.steps), True
        data = {leaf.name: tape.values[index] for index, leaf in tape.leaves().items() if index}
        try:
            namespace = executed(text if checked else unchecked(text), kind)
            if "MOST" in namespace:  # loops that end on a condition may take any number of iterations here
                namespace["MOST"] = [_ITERATIONS] * text.count("MOST[")
            found = engines.run_of(namespace, kind, engines.with_prepared(namespace, data), tape)(x, *direction)
        except Exception:  # of few rows that is as good as a check
            return len(tape.steps), not checked and min(lengths.values(), default=0) <= LITERAL
    return len(tape.steps), all(
        _is_close(one, other) for one, other in zip(_parts(found), _parts(expected), strict=True)
    )


def _parts(outcome: Any) -> list[np.ndarray]:
    return [np.asarray(part) for part in (outcome if isinstance(outcome, tuple) else (outcome,))]


def _is_close(found: np.ndarray, expected: np.ndarray) -> bool:
    return bool(np.allclose(found, expected, rtol=_AGREE, atol=_AGREE * (1e-3 + np.max(np.abs(expected), initial=0.0))))
