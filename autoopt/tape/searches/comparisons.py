"""Comparisons that decide many times: where they stand, and whether anything is asked of them."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from autoopt.tape.operations import astype, component, held, refined
from autoopt.tape.searches.bisection import ASKED
from autoopt.tape.tape import PARAMETER, Tape

EQUALITIES = (np.equal, np.not_equal)
SIGNS: dict[Callable | None, int] = {np.sign: 0, np.signbit: 0, np.heaviside: 0, np.copysign: 1}
"""Functions that compare an operand with 0, and which."""

COMPARISONS = frozenset((np.less, np.less_equal, np.greater, np.greater_equal, *EQUALITIES, *SIGNS))

_STEEP = frozenset((
    None, np.add, np.subtract, np.multiply, np.divide, np.negative, np.positive, np.square, np.matmul, np.dot, np.sum,
    operator.getitem, np.reshape, np.transpose, np.stack, np.concatenate, np.array, astype, component, held, refined,
))  # fmt: skip
"""Operations of which no composition, in practice, has flat pieces."""

_CHOOSING = frozenset((np.where, np.logical_not, np.invert, np.logical_and, np.multiply, operator.getitem, *EQUALITIES))


def repeated(tape: Tape) -> list[list[int]]:
    """Return the comparisons of each place that compares floats that move, of one shape, many times."""
    places: dict[Any, list[int]] = {}
    for index, step in enumerate(tape.steps):
        numbers = {tape.steps[source].dtype.kind for source in step.inputs} <= set("fiu")
        if step.operation in COMPARISONS and step.level == PARAMETER and step.site and numbers:
            places.setdefault((id(step.site[0]), step.site[1], step.shape), []).append(index)
    return [steps for steps in places.values() if len(steps) >= ASKED]


def asked(tape: Tape) -> bool:
    """Whether answers to comparisons of one place decide many times: branches ask for them, or steps choose by them."""
    asked = {guard.step for guard in tape.guards}
    asked |= {source for step in tape.steps if step.operation in _CHOOSING for source in step.inputs}
    return any(sum(step in asked for step in steps) >= ASKED for steps in repeated(tape))


def deciding(tape: Tape) -> Any:
    """Return the place (code, instruction) that may decide many times; None if there is none.

    It is one that compares, or else does anything that has flat pieces, or may come to be flat. Searches of SciPy's, as
    steps of their own, are none: how a root moves is known from its equation.
    """
    counts: dict[Any, int] = {}
    for step in tape.steps:
        parts = hasattr(step.operation, "key")  # a loop, or an equation
        if step.level == PARAMETER and step.site and not parts and step.operation not in _STEEP:
            counts[step.site] = counts.get(step.site, 0) + 1
    often = [site for site, count in counts.items() if count >= ASKED]
    if not often:
        return None
    compared = {step.site for step in tape.steps if step.operation in COMPARISONS}
    return next((site for site in often if site in compared), often[0])
