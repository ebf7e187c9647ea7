"""Terms of a symmetric block as squares: the two factors that are one array but for scales are made the same.

    -(E[n,a] / S[n] / S[n]) E[n,b]          -P[n,a] P[n,b]   with P = E / S

The product of a matrix and its own transpose costs half, and is symmetric to the last digit.
"""

from __future__ import annotations

from collections.abc import Sequence

from pytensor.graph.basic import Variable

from autoopt.graph.indexed.scales import Scale, stripped
from autoopt.graph.indexed.terms import Label, Term


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
            core, scales, sign = stripped(one, labels)
            other, more, minus = stripped(two, others)
            if core is None or core is not other:
                continue
            core, rest = _shared(core, labels, scales, more)
            factors[i], factors[j] = (core, labels), (core, turned)
            factors += [scale.factor for scale in rest]
            return squared(Term(coefficient * sign * minus, tuple(factors), term.out, term.par))
    return Term(coefficient, tuple(factors), term.out, term.par)


def _shared(
    core: Variable, labels: tuple[Label, ...], scales: Sequence[Scale], more: Sequence[Scale]
) -> tuple[Variable, list[Scale]]:
    """Return the array with the scales that stand twice, once, and the others."""
    left = [*scales, *more]
    rest: list[Scale] = []
    while left:
        scale = left.pop()
        twin = next((k for k, other in enumerate(left) if scale.is_same(other)), None)
        if twin is None:
            rest.append(scale)
            continue
        del left[twin]
        core = scale.applied_to(core, labels)
    return core, rest
