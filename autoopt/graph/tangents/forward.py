"""The Jacobian by one sweep from the parameters to the value, and what that costs beside a sweep back."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np
from pytensor.graph.basic import Variable
from pytensor.graph.traversal import toposort
from pytensor.tensor.variable import TensorVariable

from autoopt.graph.parts import Part
from autoopt.graph.tangents.assembly import matrix
from autoopt.graph.tangents.pushes import pushed, unknown
from autoopt.graph.tangents.terms import VIRTUAL, Term, UnknownPositions, Unstructured, one
from autoopt.ops.operands import shape


def forward(value: TensorVariable, parameters: TensorVariable, parts: Sequence[Part]) -> TensorVariable:
    """Return the derivatives of an array, shape (m, n).

    Raises
    ------
    Unstructured
        If some operation has no rule here, or if the sweep would take more work than the same sweep back.
    """
    terms: dict[Variable, list[Term]] = {}
    if parts:
        for part in parts:
            columns = np.array(part.start) if part.scalar else np.arange(part.start, part.stop)
            terms[part.variable] = [Term(one(columns.ndim), columns)]
    else:
        terms[parameters] = [Term(one(1), np.arange(shape(parameters)[0]))]
    count = shape(parameters)[0]
    named: dict[int, TensorVariable] = {}
    work = back = 0
    for node in toposort([value], blockers=list(terms)):
        given = [terms.get(v, []) for v in node.inputs]
        if not any(given) or all(v.type.dtype != "float64" for v in node.outputs):
            continue
        try:
            results = pushed(node, given)
        except UnknownPositions:
            if any(given[1:]):
                raise
            own, columns = unknown(node, given[0], VIRTUAL * (1 + len(named)))
            named |= dict(columns)
            results = [own]
        for variable, found in zip(node.outputs, results, strict=True):
            terms[variable] = found
            entries = prod(shape(variable))
            work += sum(term.size(entries) for term in found)
            back += entries
    found = terms.get(value, [])
    rows = prod(shape(value))
    if rows < count and work > 2 * rows * (back + count):
        raise Unstructured("a sweep back takes less work")
    return matrix(found, shape(value), count, named)
