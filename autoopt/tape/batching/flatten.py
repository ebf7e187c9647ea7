"""Chains of additions, products, maxima and minima as one step of many operands.

`s = 0.0; for i in ...: s += term(i)` leaves a chain as deep as the loop is long; as `total(term(0), term(1), ...)` its
terms stand side by side, where `batching` finds them alike. Knows nothing of classes.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import replace
from itertools import chain as joined

import numpy as np

from autoopt.tape.operations import greatest, least, product, total
from autoopt.tape.tape import CONSTANT, Slot, Step, Tape

LONG = 5
"""The least number of operands of a chain that is flattened; a shorter one is only if a loop accumulates it."""

_FLOAT = np.dtype(float)
_FAMILIES: dict[Callable | None, Callable] = {
    np.add: total,
    np.subtract: total,
    np.multiply: product,
    np.maximum: greatest,
    np.minimum: least,
}
_NEUTRAL = {total: 0.0, product: 1.0, greatest: -np.inf, least: np.inf}


class _Chain:
    """What one or more steps combine.

    `terms` are `2 * step + sign`, the signs to be flipped if `flip`; `inner` are the steps that the chain takes the
    place of, `neutral` tells that it started from 0 (or 1, or infinity), `again` that one place of the code made
    several of its steps.
    """

    __slots__ = ("again", "flip", "inner", "neutral", "site", "terms")

    def __init__(self, terms: list[int], site: object) -> None:
        self.terms = terms
        self.inner: list[int] = []
        self.flip = 0
        self.neutral = self.again = False
        self.site = site


def flatten(tape: Tape) -> Tape:
    """Return the tape with chains of `+`, `-`, `*`, maximum and minimum of floats as single steps.

    Notes
    -----
    A chain ends where a result is read twice, is guarded, changes its shape, or its level after several terms. The
    operands come in program order, so that a sum is added up in another order than the user's: equal to rounding.
    """
    chains = _Chains(tape).found()
    loops = {id(chain.site) for chain in chains.values() if chain.again}
    flat, dead = None, []
    for index, chain in chains.items():
        accumulated = chain.again or (chain.neutral and id(chain.site) in loops)
        if accumulated or len(chain.terms) >= LONG:
            flat = list(tape.steps) if flat is None else flat
            flat[index] = _flat(tape.steps[index], chain)
            dead += chain.inner
    return tape if flat is None else _without(replace(tape, steps=flat), dead)


class _Chains:
    """The search for chains over one tape."""

    def __init__(self, tape: Tape) -> None:
        self.steps = tape.steps
        sources = np.fromiter(joined.from_iterable([step[1] for step in tape.steps]), np.int64)
        roots = [tape.output, *(guard.step for guard in tape.guards), *tape.names]
        self.uses = np.bincount(np.concatenate([sources, roots]), minlength=len(tape.steps)).tolist()
        self.neutral = {family: _constants(tape, value) for family, value in _NEUTRAL.items()}
        self.chains: dict[int, _Chain] = {}

    def found(self) -> dict[int, _Chain]:
        """Return the chains of more than one step, and those that start from a neutral element, by their last step."""
        families, steps, uses = _FAMILIES, self.steps, self.uses
        for index, step in enumerate(steps):
            family = families.get(step[0])
            if family is None or step[2] is not None or step[4] != _FLOAT:
                continue
            neutral = self.neutral[family]
            for source in step[1]:
                if source in neutral:
                    break
                operation = steps[source][0]
                if uses[source] == 1 and (families.get(operation) is family or operation is np.negative):
                    break
            else:
                continue
            self.join(index, step, family, neutral)
        return self.chains

    def join(self, index: int, step: Step, family: Callable, neutral: set[int]) -> None:
        """Enter the chain that ends with one step: those of its operands, the shorter appended to the longer."""
        chain: _Chain | None = None
        dropped = False
        behind: list[int] = []
        for position, source in enumerate(step[1]):
            sign = int(position == 1 and step[0] is np.subtract)
            if source in neutral and _alike(self.steps[step[1][1 - position]], step, level=False) and not dropped:
                dropped = True
                continue
            if family is total:
                source, sign = self.behind_signs(source, sign, step, behind)
            inner = self.operand(source, step, family)
            if inner is None:
                inner = _Chain([2 * source], step[6])
            inner.flip ^= sign
            chain = inner if chain is None else _merged(chain, inner)
        assert chain is not None  # one of the two operands at least is no neutral element
        chain.inner += behind
        chain.neutral |= dropped
        chain.site = step[6]
        if dropped or behind or chain.inner:
            self.chains[index] = chain

    def operand(self, source: int, step: Step, family: Callable) -> _Chain | None:
        """Return the chain that ends with an operand and goes on in `step`, None if there is none."""
        below, known = self.steps[source], self.chains.get(source)
        several = known is None or len(known.terms) >= LONG  # what data alone add up is added up once
        if (
            _FAMILIES.get(below[0]) is not family
            or self.uses[source] > 1
            or below[2] is not None
            or not _alike(below, step, level=several)
        ):
            return None
        chain = self.chains.pop(source, None)
        if chain is None:
            one, other = below[1]
            chain = _Chain([2 * one, 2 * other + (below[0] is np.subtract)], below[6])
        chain.again |= below[6] is step[6]
        chain.inner.append(source)
        return chain

    def behind_signs(self, source: int, sign: int, step: Step, behind: list[int]) -> tuple[int, int]:
        """Return the operand behind minus signs that nobody else reads, and the sign that it has."""
        below = self.steps[source]
        while below[0] is np.negative and self.uses[source] == 1 and _alike(below, step):
            behind.append(source)
            source, sign = below[1][0], sign ^ 1
            below = self.steps[source]
        return source, sign


def _merged(one: _Chain, other: _Chain) -> _Chain:
    """Return the terms of two chains as one."""
    if len(one.terms) < len(other.terms):
        one, other = other, one
    one.terms += [term ^ 1 for term in other.terms] if one.flip ^ other.flip else other.terms
    one.inner += other.inner
    one.neutral |= other.neutral
    one.again |= other.again
    return one


def _alike(source: Step, step: Step, level: bool = True) -> bool:
    """Whether an operand is a float of the result's shape and, unless told otherwise, level."""
    return source[3] == step[3] and source[4] == _FLOAT and (source[5] == step[5] or not level)


def _constants(tape: Tape, value: float) -> set[int]:
    """Return the steps that are `value` throughout: constants, and for zero what is read from np.zeros."""
    found = set()
    for index, known in tape.values.items():
        number = tape.steps[index].level == CONSTANT and tape.steps[index].dtype.kind in "fi"
        if number and np.size(known) and np.all(known == value):
            found.add(index)
    if value == 0:
        zeros = {index for index, step in enumerate(tape.steps) if step[0] is np.zeros} | found
        found = zeros | {
            index
            for index, step in enumerate(tape.steps)
            if step[0] is operator.getitem and step[5] == CONSTANT and step[1][0] in zeros
        }
    return found


def _flat(step: Step, chain: _Chain) -> Step:
    """Return a chain as one step, its operands in program order."""
    plus = sorted([term >> 1 for term in chain.terms if term & 1 == chain.flip])
    minus = sorted([term >> 1 for term in chain.terms if term & 1 != chain.flip])
    family = _FAMILIES[step.operation]
    if not minus:
        return step._replace(operation=family, inputs=tuple(plus), template=None)
    slots = [Slot(k) for k in range(len(chain.terms))]
    template = (tuple(slots[: len(plus)]), {"minus": tuple(slots[len(plus) :])})
    return step._replace(operation=family, inputs=(*plus, *minus), template=template)


def _without(tape: Tape, dead: list[int]) -> Tape:
    """Return the tape without steps that nothing refers to."""
    kept = np.ones(len(tape.steps), dtype=bool)
    kept[dead] = False
    number = (np.cumsum(kept) - 1).tolist()
    steps = [
        tuple.__new__(Step, (step[0], tuple([number[source] for source in step[1]]), *step[2:]))
        for step, keep in zip(tape.steps, kept.tolist(), strict=True)
        if keep
    ]
    return replace(
        tape,
        steps=steps,
        values={number[index]: value for index, value in tape.values.items()},
        guards=[guard._replace(step=number[guard.step]) for guard in tape.guards],
        output=number[tape.output],
        names={number[index]: name for index, name in tape.names.items()},
    )
