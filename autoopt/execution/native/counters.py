"""Whole numbers that are affine in the counters of loops: where windows begin and end, how often inner loops run."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from autoopt.execution.native.arrays import NotLowered, Number, emitted, form_of
from autoopt.execution.native.code import Code, Index
from autoopt.tape.nests.windows import summed


def moved(code: Code, op: ast.operator | ast.cmpop, left: Any, right: Any) -> Number | None:
    """Return a sum, difference or multiple of whole numbers that are affine in the counters of loops, as such."""
    one, other = form_of(code, left), form_of(code, right)
    if one is None or other is None:
        return None
    if isinstance(op, ast.Add | ast.Sub):
        form = summed(one, other, 1 if isinstance(op, ast.Add) else -1)
    elif isinstance(op, ast.Mult) and (set(one) <= {""} or set(other) <= {""}):
        number, moving = (one, other) if set(one) <= {""} else (other, one)
        form = summed({}, moving, number.get("", 0))
    else:
        return None
    return Number("i", str(emitted(code, form)), inside=True)


class Range(NamedTuple):
    """What a loop counts, where a loop around it moves the ends."""

    start: Index
    stop: Index
    step: int


def moving_range(code: Code, operands: Sequence[Any]) -> Range:
    """Return a range whose ends are affine in the counters of loops."""
    start, stop, step = (0, *operands, 1) if len(operands) == 1 else (*operands, 1)[:3]
    ends = [form_of(code, start), form_of(code, stop)]
    if None in ends or not isinstance(step, int):
        raise NotLowered("a range whose ends the values decide")
    first, last = (emitted(code, form) for form in ends if form is not None)
    return Range(first, last, step)


def written_into(statement: ast.For) -> Iterator[ast.Name]:
    """Yield the names of arrays into parts of which a loop writes."""
    for node in ast.walk(statement):
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store) and isinstance(node.value, ast.Name):
            yield node.value
