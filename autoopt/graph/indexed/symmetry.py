"""Terms of a symmetric block as squares: the two factors that are one array but for scales are made the same.

    -(E[n,a] / S[n] / S[n]) E[n,b]          -P[n,a] P[n,b]   with P = E / S

The product of a matrix and its own transpose costs half, and is symmetric to the last digit.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import pytensor.tensor as pt
from pytensor import scalar as ps
from pytensor.graph.basic import Variable
from pytensor.tensor.variable import TensorVariable

from autoopt.graph.indexed.pushes import uniform
from autoopt.graph.indexed.terms import Factor, Label, Term
from autoopt.ops.patterns import applied, expanded, is_elementwise, rank

Scale = tuple[Variable, bool, tuple[Label, ...]]
"""What an array is multiplied by, or with True divided by, and the labels that it goes over."""


def squared(term: Term) -> Term:
    """Return the term with factors of its rows and of its columns the same, where they are but for scales."""
    left = [label for place in term.out for label in place.labels]
    right = [label for place in term.par for label in place.labels]
    new = dict(zip(left, right, strict=False))
    if len(left) != len(right) or any(a.size != b.size for a, b in new.items()):
        return term
    factors = list(term.factors)
    coefficient = term.coefficient
    for i, (one, labels) in enumerate(factors):
        if not any(label in new and new[label] is not label for label in labels):
            continue
        turned = tuple(new.get(label, label) for label in labels)
        for j, (two, others) in enumerate(factors):
            if i == j or others != turned or one is two:
                continue
            core, scales, sign = _stripped(one, labels)
            other, more, minus = _stripped(two, others)
            if core is not other:
                continue
            core, rest = _shared(core, labels, scales, more)
            factors[i], factors[j] = (core, labels), (core, turned)
            factors += [_weight(scale) for scale in rest]
            return squared(Term(coefficient * sign * minus, tuple(factors), term.out, term.par))
    return Term(coefficient, tuple(factors), term.out, term.par)


def _stripped(variable: Variable, labels: tuple[Label, ...]) -> tuple[Variable, list[Scale], float]:
    """Return the array without what it is multiplied and divided by along fewer axes, these scales, and its sign."""
    if is_elementwise(variable, ps.Neg):
        core, scales, sign = _stripped(variable.owner.inputs[0], labels)
        return core, scales, -sign
    if not is_elementwise(variable, ps.Mul | ps.TrueDiv):
        return variable, [], 1.0
    whole = cast(TensorVariable, variable).type.broadcastable
    operands = [cast(TensorVariable, v) for v in variable.owner.inputs]
    full = [v for v in operands if v.type.broadcastable == whole]
    divides = is_elementwise(variable, ps.TrueDiv)
    if len(full) != 1 or (divides and full[0] is not operands[0]) or all(whole):
        return variable, [], 1.0
    core, scales, sign = _stripped(full[0], labels)
    for v in operands:
        if v is not full[0]:
            kept = [axis for axis, unit in enumerate(v.type.broadcastable) if not unit]
            scale, inverted, number = _simple(_squeezed(v, kept))
            scales = [*scales, (scale, divides != inverted, tuple(labels[axis] for axis in kept))]
            sign *= number
    return core, scales, sign


def _squeezed(variable: TensorVariable, kept: list[int]) -> Variable:
    """Return an array without its unit axes, which may have been inserted."""
    if is_elementwise(variable, ps.Neg | ps.TrueDiv | ps.Mul):
        operands = [v if rank(v) == 0 else _squeezed(cast(TensorVariable, v), kept) for v in variable.owner.inputs]
        return applied(variable.owner.op, *operands)
    pair = expanded(variable)
    if pair is not None and cast(TensorVariable, pair[1]).type.ndim == len(kept):
        return pair[1]
    return variable.dimshuffle(kept)


def _simple(variable: Variable) -> tuple[Variable, bool, float]:
    """Return a scale, whether it is that which one divides by, and its sign: -1 / S as S, True and -1."""
    if is_elementwise(variable, ps.Neg):
        scale, inverted, sign = _simple(variable.owner.inputs[0])
        return scale, inverted, -sign
    if is_elementwise(variable, ps.TrueDiv) and uniform(variable.owner.inputs[0]) in (1.0, -1.0):
        scale, inverted, sign = _simple(variable.owner.inputs[1])
        return scale, not inverted, sign * cast(float, uniform(variable.owner.inputs[0]))
    return variable, False, 1.0


def _shared(
    core: Variable, labels: tuple[Label, ...], scales: Sequence[Scale], more: Sequence[Scale]
) -> tuple[Variable, list[Scale]]:
    """Return the array with the scales that stand twice, once, and the others."""
    left = [*scales, *more]
    rest: list[Scale] = []
    while left:
        scale = left.pop()
        twin = next((k for k, other in enumerate(left) if _alike(scale, other)), None)
        if twin is None:
            rest.append(scale)
            continue
        del left[twin]
        variable, divides, own = scale
        spread = cast(TensorVariable, variable).dimshuffle([own.index(x) if x in own else "x" for x in labels])
        core = pt.true_div(core, spread) if divides else pt.mul(core, spread)
    return core, rest


def _alike(one: Scale, two: Scale) -> bool:
    """Whether two scales are one array over the same labels."""
    if one[1:] != two[1:]:
        return False
    (a, b) = (cast(TensorVariable, scale[0]) for scale in (one, two))
    return a is b or (
        a.owner is not None and b.owner is not None and a.owner.op == b.owner.op and a.owner.inputs == b.owner.inputs
    )


def _weight(scale: Scale) -> Factor:
    variable, divides, labels = scale
    return (pt.true_div(1.0, variable) if divides else variable), labels
