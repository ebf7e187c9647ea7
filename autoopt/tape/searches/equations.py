"""The equation that a comparison stands for: what is equal, or 0, where its answer changes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from autoopt.tape.searches.comparisons import EQUALITIES, SIGNS
from autoopt.tape.tape import PARAMETER, Tape


def equations(tape: Tape, comparison: int) -> Iterator[tuple[int, ...]]:
    """Yield what may be equal, or 0, where the answer to a comparison changes, the likeliest first.

    `f(m) > c` asks for the root of f(m) - c; `f(a) * f(m) < 0` and `sign(f(a)) != sign(f(m))` for that of a factor.
    """
    step = tape.steps[comparison]
    sign = SIGNS.get(step.operation)
    parts = [_factors(tape, source) for source in (step.inputs if sign is None else (step.inputs[sign],))]
    if sign is None and step.operation not in EQUALITIES:
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
