"""Loops over one number that it enters linearly, as most adjoints are, as one operation.

    for t in range(n): h = beta * h + x[t]; path[t + 1] = h                linear_recurrence(np.append(h, x), beta)
    for t in range(n): s = s + a * (y[t] - s); path[t + 1] = s             linear_recurrence(np.append(s, a * y), 1 - a)
    for t in range(n - 1, -1, -1): a = a * e[t] + g[t]; back[t] = a        the same of everything in reverse

What does not depend on the number stands outside of the loop already, so that a body is sums and products of what an
iteration is handed. What is handed to all iterations at once is an array of the loop; where what the loop starts from
is its next entry, both are one stretch of that array.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytensor.scalar as ps
import pytensor.tensor as pt
from pytensor.graph.basic import Apply, Constant, Variable
from pytensor.tensor.elemwise import Elemwise
from pytensor.tensor.subtensor import Subtensor
from pytensor.tensor.variable import TensorVariable

from autoopt.graph.idioms.table import Sweep, applied
from autoopt.graph.loops.loop import Loop
from autoopt.graph.rewrites.written import span_of
from autoopt.ops.patterns import rank
from autoopt.ops.recursions import appended, linear_recurrence

Parts = tuple[TensorVariable | None, TensorVariable | None]
"""The factor of the number, and the term besides it, for all iterations; None for nothing."""


def linear_loop(node: Apply, sweep: Sweep) -> Variable | None:
    """A loop that hands on one number, times a factor plus a term -> a linear recurrence."""
    op = node.op
    if type(op) is not Loop or op.carries != 1 or op.ending or rank(op.inputs[0]) or rank(node.inputs[0]):
        return None
    outer = {}
    for v, operand in zip(op.inputs[1:], node.inputs[1:], strict=True):
        if rank(v) == 0 and v.type.dtype == "float64":
            outer[v] = pt.as_tensor(operand)
    factor, term = _parts(op.updates[0], op.inputs[0], outer) or (None, None)
    if factor is None or term is None or term.type.ndim != 1:
        return None
    x = _stretch(op, node.inputs[0], term)
    if x is None:
        x = applied(appended, node.inputs[0], term[::-1] if op.reverse else term)
    path = applied(linear_recurrence, x, factor[::-1] if op.reverse and factor.type.ndim else factor)
    return pt.as_tensor(path)[::-1] if op.reverse else path


def _parts(update: Variable, carry: Variable, outer: Mapping[Variable, TensorVariable]) -> Parts | None:
    """Return what the carry is multiplied by and what is added; None if the update is not of that form."""
    if update is carry:
        return pt.constant(1.0), None
    if update in outer:
        return None, outer[update]
    if isinstance(update, Constant):
        return (None, pt.as_tensor(update)) if rank(update) == 0 else None
    if update.owner is None or not isinstance(update.owner.op, Elemwise):
        return None
    combine = _COMBINED.get(type(update.owner.op.scalar_op))
    operands = [_parts(v, carry, outer) for v in update.owner.inputs]
    if combine is None or None in operands:
        return None
    found = operands[0]
    for other in operands[1:]:
        found = found and other and combine(found, other)
    return found if operands[1:] else (found and combine(found, (None, None)))


def _sum(one: Parts, other: Parts) -> Parts:
    first, second = (b if a is None else a if b is None else a + b for a, b in zip(one, other, strict=True))
    return first, second


def _difference(one: Parts, other: Parts) -> Parts:
    return _sum(one, _negative(other, (None, None)))


def _negative(one: Parts, _: Parts) -> Parts:
    first, second = (None if part is None else -part for part in one)
    return first, second


def _product(one: Parts, other: Parts) -> Parts | None:
    if one[0] is not None:
        one, other = other, one
    if one[0] is not None or one[1] is None:
        return None
    scale = one[1]
    first, second = (None if part is None else _scaled(part, scale) for part in other)
    return first, second


def _scaled(part: TensorVariable, scale: TensorVariable) -> TensorVariable:
    return scale if isinstance(part, Constant) and part.type.ndim == 0 and float(part.data) == 1.0 else part * scale


_COMBINED: dict[type, Callable[[Parts, Parts], Parts | None]] = {
    ps.Add: _sum,
    ps.Sub: _difference,
    ps.Neg: _negative,
    ps.Mul: _product,
}


def _stretch(op: Loop, start: Variable, terms: TensorVariable) -> Variable | None:
    """Return what the loop starts from and the term of each iteration as one stretch of an array that they stand in."""
    if not all(v.owner and isinstance(v.owner.op, Subtensor) for v in (start, terms)):
        return None
    first, others = span_of(start.owner), span_of(terms.owner)
    array = start.owner.inputs[0]
    if first is None or others is None or rank(array) != 1 or terms.owner.inputs[0] is not array:
        return None
    array, length = pt.as_tensor(array), array.type.shape[0]
    if op.reverse:
        below = others[0] - 1 if others[0] else None
        return array[None if first[1] == length else first[0] : below : -1] if first[0] == others[1] else None
    return array[first[0] or None : others[1] if others[1] < length else None] if first[1] == others[0] else None
