"""Which Hessians are derived for all columns at once, and which as products with a direction."""

from __future__ import annotations

from autoopt.tape.batching.batching import has_loops
from autoopt.tape.tape import Tape

DENSE = 400
"""With more parameters than this a Hessian is computed a column at a time, so that temporaries stay small."""


def at_once(tape: Tape) -> bool:
    """Whether all columns of a vectorised tape's Hessian are to be had at once: loops over stacks take long to derive."""
    return tape.steps[0].shape[0] <= DENSE and not has_loops(tape)
