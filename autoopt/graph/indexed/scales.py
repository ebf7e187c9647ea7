"""What factors are multiplied and divided by along fewer axes, taken out of them and shared out among them.

    2 (e / S / S) E[a] E[b]              e, E of the size of S = sum of E, which may be 1e300
    2 (e / S) (E[a] / S) (E[b] / S)      each numerator gets a divisor: nothing overflows, nothing vanishes

In one array a quotient is as stable as its rewriting; over several arrays that are multiplied at last it is not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, cast

import pytensor.tensor as pt
from pytensor import scalar as ps
from pytensor.graph.basic import Variable
from pytensor.tensor.variable import TensorVariable

from autoopt.graph.indexed.pushes import uniform
from autoopt.graph.indexed.terms import Factor, Label, Term, multiplied
from autoopt.ops.patterns import applied, expanded, is_elementwise, rank


class Scale(NamedTuple):
    """An array that another one, over more labels, is multiplied by or divided by."""

    variable: Variable
    divides: bool
    labels: tuple[Label, ...]

    def is_same(self, other: Scale) -> bool:
        """Whether two scales are one array over the same labels."""
        if self[1:] != other[1:]:
            return False
        a, b = self.variable, other.variable
        return a is b or bool(a.owner and b.owner and a.owner.op == b.owner.op and a.owner.inputs == b.owner.inputs)

    @property
    def factor(self) -> Factor:
        """The scale as a factor by itself."""
        return (pt.true_div(1.0, self.variable) if self.divides else self.variable), self.labels

    def applied_to(self, core: Variable, labels: Sequence[Label]) -> Variable:
        """Return an array over `labels` scaled."""
        order = [self.labels.index(label) if label in self.labels else "x" for label in labels]
        x = cast(TensorVariable, self.variable)
        spread = x if order == list(range(x.type.ndim)) else x.dimshuffle(order)
        return pt.true_div(core, spread) if self.divides else pt.mul(core, spread)


class Stripped(NamedTuple):
    """An array without its scales: None where it was nothing else."""

    core: Variable | None
    scales: list[Scale]
    sign: float


def stripped(variable: Variable, labels: tuple[Label, ...]) -> Stripped:
    """Return the array without what it is multiplied and divided by along fewer axes, these scales, and its sign."""
    if is_elementwise(variable, ps.Neg):
        core, scales, sign = stripped(variable.owner.inputs[0], labels)
        return Stripped(core, scales, -sign)
    if not is_elementwise(variable, ps.Mul | ps.TrueDiv):
        return Stripped(variable, [], 1.0)
    whole = cast(TensorVariable, variable).type.broadcastable
    operands = [cast(TensorVariable, v) for v in variable.owner.inputs]
    divides = is_elementwise(variable, ps.TrueDiv)
    if divides and (number := uniform(operands[0])) in (1.0, -1.0):
        scale, inverted, sign = _simple(operands[1])
        return Stripped(None, [Scale(scale, not inverted, labels)], sign * cast(float, number))
    full = [v for v in operands if v.type.broadcastable == whole]
    if divides and full and full[0] is operands[0] and (len(full) == 1 or not labels):
        core, scales, sign = stripped(operands[0], labels)
        return _with(core, scales, sign, operands[1:], True, labels)
    if divides or len(full) != 1 or all(whole):
        return Stripped(variable, [], 1.0)
    core, scales, sign = stripped(full[0], labels)
    return _with(core, scales, sign, [v for v in operands if v is not full[0]], False, labels)


def _with(
    core: Variable | None,
    scales: list[Scale],
    sign: float,
    others: Sequence[TensorVariable],
    divides: bool,
    labels: tuple[Label, ...],
) -> Stripped:
    for v in others:
        kept = [axis for axis, unit in enumerate(v.type.broadcastable) if not unit]
        scale, inverted, number = _simple(_squeezed(v, kept))
        scales = [*scales, Scale(scale, divides != inverted, tuple(labels[axis] for axis in kept))]
        sign *= number
    return Stripped(core, scales, sign)


def _squeezed(variable: TensorVariable, kept: list[int]) -> Variable:
    """Return an array without its unit axes, which may have been inserted."""
    if len(kept) == variable.type.ndim:
        return variable
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


def balanced(term: Term, is_data: Callable[[Variable], bool]) -> Term:
    """Return the term with its divisors shared out among the factors that the parameters decide."""
    parts = [(stripped(variable, labels), labels) for variable, labels in term.factors]
    divisors = [scale for part, _ in parts for scale in part.scales if scale.divides and not is_data(scale.variable)]
    if not divisors or len(term.factors) < 2:
        return term
    coefficient = term.coefficient
    cores: list[tuple[Variable, tuple[Label, ...], list[Scale]]] = []
    others: list[Factor] = []
    for part, labels in parts:
        coefficient *= part.sign
        others += [scale.factor for scale in part.scales if not (scale.divides and not is_data(scale.variable))]
        if part.core is not None and (is_data(part.core) or uniform(part.core) is not None):
            others.append((part.core, labels))
        elif part.core is not None:
            cores.append((part.core, labels, []))
    cores += [(variable, labels, []) for variable, labels in others if not is_data(variable)]
    others = [(variable, labels) for variable, labels in others if is_data(variable)]
    for scale in divisors:
        able = [core for core in cores if set(scale.labels) <= set(core[1])]
        if not able:
            others.append(scale.factor)
            continue
        _, _, mine = min(able, key=lambda core: sum(scale.is_same(other) for other in core[2]))
        mine.append(scale)
    factors = []
    for core, labels, scales in cores:
        for scale in scales:
            core = scale.applied_to(core, labels)
        factors.append((core, labels))
    return Term(coefficient, multiplied([*factors, *others]), term.out, term.par)
