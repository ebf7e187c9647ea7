"""Chains of additions, products, maxima and minima as one step of many operands.

`s = 0.0; for i in ...: s += term(i)` leaves a chain as deep as the loop is long; as `total(term(0), term(1), ...)` its terms stand
side by side, where `batching` finds them alike. Knows nothing of classes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from autoopt.tape.operations import greatest, least, product, total
from autoopt.tape.simplify import live
from autoopt.tape.tape import Slot, Step, Tape

LONG = 5
"""A chain of so many operands is flattened; a shorter one only if it starts from the operation's neutral element."""

_FLOAT = np.dtype(float)
_FAMILIES: dict[Callable | None, tuple[Callable, float]] = {
    np.add: (total, 0.0),
    np.subtract: (total, 0.0),
    np.multiply: (product, 1.0),
    np.maximum: (greatest, -np.inf),
    np.minimum: (least, np.inf),
}


class _Chain:
    """What the steps up to `end` combine: each term as `2 * step + sign`, signs to be flipped if `flip`."""

    __slots__ = ("end", "family", "flip", "neutral", "terms")

    def __init__(self, family: Callable, terms: list[int], neutral: bool) -> None:
        self.family = family
        self.terms = terms
        self.flip = 0
        self.neutral = neutral
        self.end = -1


def flatten(tape: Tape) -> Tape:
    """Return the tape with chains of `+`, `-`, `*`, maximum and minimum of floats as single steps.

    Notes
    -----
    A chain ends where a result is read twice, is guarded, changes its shape or its level. The operands come in program order,
    so that a sum is added up in another order than the user's: equal to rounding.
    """
    steps = tape.steps
    uses = _uses(tape)
    chains: dict[int, _Chain] = {}
    for index, step in enumerate(steps):
        found = _FAMILIES.get(step.operation)
        if found is not None and step.template is None and step.dtype == _FLOAT:
            chain = chains[index] = _joined(tape, index, found, uses, chains)
            chain.end = index
    flat = None
    for index, chain in chains.items():
        if chain.end == index and (chain.neutral or len(chain.terms) >= LONG):
            flat = list(steps) if flat is None else flat
            flat[index] = _flat(steps[index], chain)
    return tape if flat is None else live(replace(tape, steps=flat))


def _uses(tape: Tape) -> list[int]:
    """Return how often each step is read."""
    uses = [0] * len(tape.steps)
    for step in tape.steps:
        for source in step.inputs:
            uses[source] += 1
    for root in (tape.output, *(guard.step for guard in tape.guards), *tape.names):
        uses[root] += 1
    return uses


def _joined(tape: Tape, index: int, found: tuple[Callable, float], uses: list[int], chains: dict[int, _Chain]) -> _Chain:
    """Return the chain that ends with step `index`: those of its operands, the shorter appended to the longer."""
    family, neutral = found
    step = tape.steps[index]
    chain = None
    dropped = False
    for position, source in enumerate(step.inputs):
        sign = 1 if position and step.operation is np.subtract else 0
        source, sign = _behind_signs(tape, source, sign, step, uses) if family is total else (source, sign)
        inner = chains.get(source)
        if inner is not None and inner.family is family and uses[source] == 1 and _alike(tape.steps[source], step):
            inner.flip ^= sign
        elif _is_neutral(tape, source, neutral) and _alike(tape.steps[step.inputs[1 - position]], step, level=False):
            dropped = True
            continue
        else:
            inner = _Chain(family, [2 * source + sign], False)
        if chain is None:
            chain = inner
            continue
        if len(chain.terms) < len(inner.terms):
            chain, inner = inner, chain
        flip = chain.flip ^ inner.flip
        chain.terms.extend([term ^ 1 for term in inner.terms] if flip else inner.terms)
        chain.neutral |= inner.neutral
        inner.end = -1
    if chain is None:  # both operands were neutral
        return _Chain(family, [2 * step.inputs[1]], True)
    chain.neutral |= dropped
    return chain


def _behind_signs(tape: Tape, source: int, sign: int, step: Step, uses: list[int]) -> tuple[int, int]:
    """Return the operand behind minus signs that nobody else reads, and the sign that it has."""
    below = tape.steps[source]
    while below.operation is np.negative and uses[source] == 1 and _alike(below, step):
        source, sign = below.inputs[0], sign ^ 1
        below = tape.steps[source]
    return source, sign


def _alike(source: Step, step: Step, level: bool = True) -> bool:
    """Whether an operand is a float of the result's shape and, unless told otherwise, level."""
    return source.shape == step.shape and source.dtype == _FLOAT and (source.level == step.level or not level)


def _is_neutral(tape: Tape, source: int, neutral: float) -> bool:
    """Whether a step is a constant that changes nothing."""
    value: Any = tape.values.get(source)
    if value is None or tape.steps[source].level or tape.steps[source].dtype.kind not in "fi":
        return False
    return bool(np.all(value == neutral)) if isinstance(value, np.ndarray) else bool(value == neutral)


def _flat(step: Step, chain: _Chain) -> Step:
    """Return a chain as one step, its operands in program order."""
    plus = sorted([term >> 1 for term in chain.terms if term & 1 == chain.flip])
    minus = sorted([term >> 1 for term in chain.terms if term & 1 != chain.flip])
    if not minus:
        return step._replace(operation=chain.family, inputs=tuple(plus), template=None)
    slots = [Slot(k) for k in range(len(chain.terms))]
    template = (tuple(slots[: len(plus)]), {"minus": tuple(slots[len(plus) :])})
    return step._replace(operation=chain.family, inputs=(*plus, *minus), template=template)
