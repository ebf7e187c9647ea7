"""The stable forms of softplus and sigmoid, as what they are: smooth functions, though they are written with kinks.

    maximum(z, 0) + log1p(exp(-abs(z)))                                    ->  softplus(z)
    where(z > 0, z, 0) + log1p(exp(-abs(z)))                               ->  softplus(z)
    where(z >= 0, 1 / (1 + exp(-abs(z))), exp(-abs(z)) / (1 + exp(-abs(z)))) ->  sigmoid(z)
    where(z >= 0, 1, exp(-abs(z))) / (1 + exp(-abs(z)))                    ->  sigmoid(z)

Where the two parts of a softplus stand apart, `log1p(exp(-abs(z)))` becomes an operation of its own, whose slope is
that of `softplus(z) - maximum(z, 0)`: together with the slope of the maximum, or of `abs`, it is smooth to any order.
The pass comes after PyTensor's rewrites, which have made sigmoids and softpluses of what is one for each sign.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytensor.scalar as ps
import pytensor.scalar.math as psm
import pytensor.tensor as pt
from pytensor.graph.basic import Apply, Variable
from pytensor.graph.fg import FunctionGraph
from pytensor.tensor.math import Sum

from autoopt.graph.rewrites.signs import known_number
from autoopt.ops import scalars
from autoopt.ops.patterns import is_elementwise_node as _is

_MAXIMA = (ps.ScalarMaximum, type(scalars.maximum.scalar_op))
_MINIMA = (ps.ScalarMinimum, type(scalars.minimum.scalar_op))
_TAIL = type(scalars.tail.scalar_op)
_ABOVE, _BELOW = (ps.GT, ps.GE), (ps.LT, ps.LE)

Term = tuple[int, Variable]
"""A summand and its sign."""

Multiple = tuple[Variable, float]
"""A variable and what it is multiplied by."""


def join_halves(graph: FunctionGraph) -> bool:
    """Replace the stable forms in `graph` by the functions that they are; whether there were any."""
    found = False
    for node in graph.toposort():
        made = _as_tail(node)
        made = _as_sigmoid(node) if made is None else made
        if made is not None and made.type.is_super(node.outputs[0].type) and made.type.dtype == "float64":
            graph.replace(node.outputs[0], made)
            found = True
    if any(_is(node, _TAIL) for node in graph.apply_nodes):
        for node in reversed(graph.toposort()):
            made = _as_softplus(node) if node in graph.apply_nodes else None
            if made is not None:
                graph.replace(node.outputs[0], made)
    return found


def expand_tails(graph: FunctionGraph) -> None:
    """Write what is left of the operation of this file in PyTensor's own, once nothing is differentiated any more."""
    for node in graph.toposort():
        if _is(node, _TAIL):
            graph.replace(node.outputs[0], pt.softplus(-pt.abs(node.inputs[0])))


def _as_tail(node: Apply) -> Variable | None:
    """Return softplus(-|z|) as one operation of z."""
    if not _is(node, psm.Softplus):
        return None
    size, factor = _multiple(node.inputs[0])
    if factor >= 0 or not _is(size.owner, ps.Abs):
        return None
    return scalars.tail(_times(size.owner.inputs[0], -factor))


def _as_sigmoid(node: Apply) -> Variable | None:
    """Return what is a sigmoid on both sides of 0, or (1 + tanh) / 2, as one; with other factors of a product."""
    if _is(node, ps.Switch):
        return _one_sigmoid(node.inputs, None)
    if not _is(node, ps.Mul):
        return None
    for switch in node.inputs:
        for other in node.inputs:
            made = None
            if switch is not other and _is(switch.owner, ps.Switch) and _is(other.owner, psm.Sigmoid):
                made = _one_sigmoid(switch.owner.inputs, other)
            elif switch is not other and known_number(switch) == 0.5 and _is(other.owner, ps.Add):
                made = _half_of(other.owner.inputs)
            if made is not None:
                rest = [v for v in node.inputs if v is not switch and v is not other]
                return pt.mul(made, *rest) if rest else made
    return None


def _half_of(terms: Sequence[Variable]) -> Variable | None:
    """Return (1 + tanh t) / 2 as a sigmoid."""
    rising = [v for v in terms if _is(v.owner, ps.Tanh)]
    if len(terms) != 2 or len(rising) != 1 or not any(known_number(v) == 1 for v in terms):
        return None
    return pt.sigmoid(_times(rising[0].owner.inputs[0], 2.0))


def _one_sigmoid(choice: Sequence[Variable], factor: Variable | None) -> Variable | None:
    """Return where(z > 0, sigmoid(k |z|), sigmoid(-k |z|)), each perhaps times a factor, as sigmoid(k z)."""
    condition, yes, no = choice
    asked = _sign(condition)
    if asked is None:
        return None
    z, sign = asked
    slopes = [_exponent(branch, factor, z, side) for branch, side in ((yes, sign), (no, -sign))]
    if slopes[0] is None or slopes[0] != slopes[1]:
        return None
    return pt.sigmoid(_times(z, slopes[0]))


def _exponent(branch: Variable, factor: Variable | None, z: Variable, sign: int) -> float | None:
    """Return k if `branch`, times the factor, is sigmoid(k z) where z has this sign; None if it is not."""
    if factor is not None:
        slope = _along(factor.owner.inputs[0], z, sign)
        if slope is None or known_number(branch) == 1:
            return slope
        falls = _is(branch.owner, ps.Exp) and _along(branch.owner.inputs[0], z, sign) == -slope
        return -slope if falls else None
    if _is(branch.owner, psm.Sigmoid):
        return _along(branch.owner.inputs[0], z, sign)
    if _is(branch.owner, ps.Sub) and known_number(branch.owner.inputs[0]) == 1:
        slope = _exponent(branch.owner.inputs[1], None, z, sign)
        return None if slope is None else -slope
    if _is(branch.owner, ps.Mul) and len(branch.owner.inputs) == 2:
        for one, other in (branch.owner.inputs, branch.owner.inputs[::-1]):
            if _is(other.owner, psm.Sigmoid):
                return _exponent(one, other, z, sign)
    return None


def _along(variable: Variable, z: Variable, sign: int) -> float | None:
    """Return k if a variable is k z where z has this sign."""
    base, factor = _multiple(variable)
    if base is z:
        return factor
    if _is(base.owner, ps.Abs):
        inner, more = _multiple(base.owner.inputs[0])
        return factor * abs(more) * sign if inner is z else None
    return None


def _sign(condition: Variable) -> tuple[Variable, int] | None:
    """Return (z, 1) for z > 0, (z, -1) for z < 0; None for another condition."""
    node = condition.owner
    if not _is(node, (*_ABOVE, *_BELOW)):
        return None
    one, other = node.inputs
    sign = 1 if _is(node, _ABOVE) else -1
    if known_number(one) == 0:
        one, other, sign = other, one, -sign
    if known_number(other) != 0:
        return None
    z, factor = _multiple(one)
    return (z, sign if factor > 0 else -sign) if factor else None


def _as_softplus(node: Apply) -> Variable | None:
    """Return a sum with the halves of each softplus in it joined; None if there are none."""
    if not _is(node, (ps.Add, ps.Sub)):
        return None
    given = list(_terms(node.outputs[0]))
    summed = _summed(given)
    terms = _joined(summed)
    if terms is None:
        if summed is given:
            return None
        terms = summed
    first = next((k for k, (sign, _) in enumerate(terms) if sign > 0), 0)
    terms = [terms[first], *terms[:first], *terms[first + 1 :]]
    made = terms[0][1] if terms[0][0] > 0 else pt.neg(terms[0][1])
    for sign, term in terms[1:]:
        made = pt.add(made, term) if sign > 0 else pt.sub(made, term)
    out = node.outputs[0].type
    return made if made.type.is_super(out) and made.type.dtype == out.dtype else None


def _summed(terms: list[Term]) -> list[Term]:
    """Return the terms, with sums over the same axes as one where the halves of a softplus are in two of them."""
    sums = [(sign, v) for sign, v in terms if isinstance(v.owner and v.owner.op, Sum)]
    for k, (sign, one) in enumerate(sums):
        for other_sign, other in sums[:k]:
            parts = [
                (s * t, v) for s, whole in ((other_sign, other), (sign, one)) for t, v in _terms(whole.owner.inputs[0])
            ]
            alike = one.owner.op == other.owner.op and one.owner.inputs[0].type == other.owner.inputs[0].type
            if alike and (joined := _joined(parts)) is not None:
                whole = pt.add(*(v if s > 0 else pt.neg(v) for s, v in joined)) if len(joined) > 1 else joined[0][1]
                if whole.type.is_super(one.owner.inputs[0].type):
                    rest = [pair for pair in terms if pair[1] is not one and pair[1] is not other]
                    return _summed([(1, one.owner.op(whole)), *rest])
    return terms


def _joined(terms: list[Term]) -> list[Term] | None:
    """Return the terms with the halves of each softplus as one; None if there are none."""
    joined = list(terms)
    for tail in terms:
        if tail not in joined or not _is(tail[1].owner, _TAIL):
            continue
        z, factor = _multiple(tail[1].owner.inputs[0])
        for half in [pair for pair in joined if pair is not tail]:
            part = _half(half[1])
            if part is None or part[0] is not z or half[0] * part[2] != tail[0]:
                continue
            if abs(part[1]) == abs(factor) and half[1].type.shape == tail[1].type.shape:
                joined[joined.index(half)] = tail[0], pt.softplus(_times(z, part[1]))
                joined.remove(tail)
                break
    return joined if len(joined) < len(terms) else None


def _half(variable: Variable) -> tuple[Variable, float, int] | None:
    """Return (z, k, s) if a variable is s max(k z, 0)."""
    node = variable.owner
    if _is(node, (*_MAXIMA, *_MINIMA)):
        moving = [v for v in node.inputs if known_number(v) != 0]
        if len(moving) != 1 or len(node.inputs) != 2:
            return None
        z, factor = _multiple(moving[0])
        return (z, factor, 1) if _is(node, _MAXIMA) else (z, -factor, -1)
    if _is(node, ps.Switch):
        condition, yes, no = node.inputs
        kept, side = (yes, 1) if known_number(no) == 0 else (no, -1)
        if known_number(no if side > 0 else yes) != 0:
            return None
    elif _is(node, ps.Mul) and len(node.inputs) == 2 and 0.5 in map(known_number, node.inputs):
        return _half_of_sum(next(v for v in node.inputs if known_number(v) != 0.5))
    elif _is(node, ps.Mul) and len(node.inputs) == 2:
        masks = [v for v in node.inputs if _is(v.owner, ps.Cast) or v.type.dtype == "bool"]
        if len(masks) != 1:
            return None
        kept, side = next(v for v in node.inputs if v is not masks[0]), 1
        condition = masks[0] if masks[0].type.dtype == "bool" else masks[0].owner.inputs[0]
    else:
        return None
    asked, (z, factor) = _sign(condition), _multiple(kept)
    if asked is None or asked[0] is not z:
        return None
    positive = asked[1] * side > 0  # kept where z > 0
    rising = (factor > 0) == positive
    return z, abs(factor) * (1 if positive else -1), 1 if rising else -1


def _half_of_sum(total: Variable) -> tuple[Variable, float, int] | None:
    """Return (z, k, 1) if a variable is k z + |k z|."""
    terms = list(_terms(total))
    sizes = [v for sign, v in terms if sign > 0 and _is(v.owner, ps.Abs)]
    if len(terms) != 2 or len(sizes) != 1:
        return None
    sign, plain = next(pair for pair in terms if pair[1] is not sizes[0])
    (z, factor), (inner, more) = _multiple(plain), _multiple(sizes[0].owner.inputs[0])
    return (z, sign * factor, 1) if z is inner and abs(factor) == abs(more) else None


def _terms(variable: Variable, sign: int = 1) -> list[Term]:
    """Return the summands of a variable."""
    node = variable.owner
    if _is(node, ps.Add):
        return [term for v in node.inputs for term in _terms(v, sign)]
    if _is(node, ps.Sub):
        return [*_terms(node.inputs[0], sign), *_terms(node.inputs[1], -sign)]
    return _terms(node.inputs[0], -sign) if _is(node, ps.Neg) else [(sign, variable)]


def _multiple(variable: Variable) -> Multiple:
    """Return a variable as a number times another one."""
    factor = 1.0
    while True:
        node = variable.owner
        if _is(node, ps.Neg):
            variable, factor = node.inputs[0], -factor
            continue
        if not _is(node, (ps.Mul, ps.TrueDiv)) or len(node.inputs) != 2:
            return variable, factor
        number, moving = known_number(node.inputs[1]), node.inputs[0]
        if number is None and _is(node, ps.Mul):
            number, moving = known_number(node.inputs[0]), node.inputs[1]
        if not number or moving.type.shape != variable.type.shape:
            return variable, factor
        variable, factor = moving, factor / number if _is(node, ps.TrueDiv) else factor * number


def _times(variable: Variable, factor: float) -> Variable:
    if factor == 1.0:
        return variable
    return pt.neg(variable) if factor == -1.0 else pt.mul(np.float64(factor), variable)
