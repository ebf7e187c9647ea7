"""Whether source serves other numbers of rows: it is run on some, and compared with the objective traced there.

Traces on a few numbers of rows show which numbers of the code depend on them. They do not show what an objective may
do beside: go another way where the number is odd, or below 20.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Collection
from typing import Any

import numpy as np

from autoopt.execution import engines
from autoopt.execution.eager.functions import EagerFunctions
from autoopt.execution.modules import executed
from autoopt.execution.printed import unchecked
from autoopt.graph.kinds import KINDS
from autoopt.objectives.compilation import Compiler
from autoopt.objectives.original import Original
from autoopt.objectives.portions import resized
from autoopt.tape.digest import LITERAL

ROWS = (1, 2, 3, 5, 8, 12, 13, 16, 17, 20, 21, 33, 50, 64, 101, 150)
"""The numbers of rows that are tried, besides those about the number that there is, and twice as many."""

SECONDS = 2.0
"""How long is spent on it: the longest data come last."""

_AGREE = 1e-7
_ITERATIONS = 10_000


def least_rows(text: str, kind: str, compiler: Compiler, lengths: Collection[int]) -> int | None:
    """Return from how many rows on source gives what the objective has; None if it does not for longer data either.

    Parameters
    ----------
    text : str
    kind : str
    compiler : Compiler
        That of the objective.
    lengths : collection of int
        The numbers of rows that its data have.
    """
    begin = time.perf_counter()
    known = sorted(lengths)
    longest = max(known, default=0)
    tried = sorted({*ROWS, longest // 2, longest - 1, longest + 1, 2 * longest})
    least = 1
    for count in [rows for rows in tried if 0 < rows <= 2 * longest]:
        if time.perf_counter() - begin > SECONDS:
            break
        lengths_there = {length: count + 3 * rank for rank, length in enumerate(known)}
        if not _fits(text, kind, compiler.original, lengths_there):
            least = count + 1
    return least if least <= LITERAL + 1 else None


def _fits(text: str, kind: str, original: Original, lengths: dict[int, int]) -> bool:
    """Whether it does so for data of these lengths, by the number of rows that they have."""
    x = original.start
    args = tuple(resized(value, lengths) for value in original.args)
    direction = (np.cos(1.0 + np.arange(x.size)),) if KINDS[kind].directed else ()
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            there = Original(original.function, args, original.structure, x, original.scalar)
            tape = there.trace(x).tape
            expected = EagerFunctions(tape, kind, "", checked=False).run(x, *direction)
        except Exception:  # so few, or so many, are nothing for the objective either
            return True
        if not all(np.isfinite(part).all() for part in _parts(expected)):
            return True
        data = {leaf.name: tape.values[index] for index, leaf in tape.leaves().items() if index}
        try:
            namespace = executed(unchecked(text), kind)
            if "MOST" in namespace:  # loops that end on a condition may take any number of iterations here
                namespace["MOST"] = [_ITERATIONS] * text.count("MOST[")
            found = engines.run_of(namespace, kind, engines.with_prepared(namespace, data), tape)(x, *direction)
        except Exception:  # of few rows that is as good as a check
            return min(lengths.values()) <= LITERAL
    return all(_is_close(one, other) for one, other in zip(_parts(found), _parts(expected), strict=True))


def _parts(outcome: Any) -> list[np.ndarray]:
    return [np.asarray(part) for part in (outcome if isinstance(outcome, tuple) else (outcome,))]


def _is_close(found: np.ndarray, expected: np.ndarray) -> bool:
    return bool(np.allclose(found, expected, rtol=_AGREE, atol=_AGREE * (1e-3 + np.max(np.abs(expected), initial=0.0))))
