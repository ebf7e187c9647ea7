"""The Jacobian by one sweep from the parameters to the value, and what that costs beside a sweep back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod

import numpy as np
from pytensor.graph.basic import Apply, Variable
from pytensor.graph.traversal import toposort
from pytensor.tensor.variable import TensorVariable

from autoopt.graph.tangents import elementwise, products, writing  # noqa: F401  (they fill PUSHES)
from autoopt.graph.tangents.assembly import matrix
from autoopt.graph.tangents.directions import in_all_directions
from autoopt.graph.tangents.merging import merged
from autoopt.graph.tangents.reading import read_anywhere
from autoopt.graph.tangents.table import PUSHES, Terms
from autoopt.graph.tangents.terms import Term, UnknownPositions, Unstructured, densified, gathered, one, shape

MOST = 24
"""The most terms that one array may have: each is a statement of the code, and more of them are no structure."""

LARGEST = 2**24
"""The most numbers that dense derivatives of an array may be, for its terms to be made one if they are more."""


def forward(value: TensorVariable, columns: Mapping[Variable, np.ndarray], count: int) -> TensorVariable:
    """Return the derivatives of an array, shape (m, n).

    Parameters
    ----------
    value : TensorVariable
    columns : dict of Variable to ndarray of int
        What the parameters are in the graph, and their numbers.
    count : int
        The number of parameters.

    Raises
    ------
    Unstructured
        If some operation has no rule here, or if the sweep would take more work than the same sweep back.
    """
    terms: dict[Variable, Terms] = {v: [Term(one(places.ndim), places)] for v, places in columns.items()}
    work = back = 0
    for node in toposort([value], blockers=list(terms)):
        given = [terms.get(v, []) for v in node.inputs]
        if not any(given) or all(v.type.dtype != "float64" for v in node.outputs):
            continue
        for variable, found in zip(node.outputs, _pushed(node, given, count), strict=True):
            entries = prod(shape(variable))
            found = merged(found, shape(variable))
            size = sum(term.size(entries) for term in found)
            if size > 2 * entries * count or len(found) > MOST:
                if entries * count > LARGEST:
                    raise Unstructured("no structure is left")
                found, size = [densified(found, shape(variable))], entries * count
            terms[variable] = found
            work, back = work + size, back + entries
    rows = prod(shape(value))
    if rows < count and work > 2 * rows * (back + count):
        raise Unstructured("a sweep back takes less work")
    return matrix(terms.get(value, []), shape(value), count)


def _pushed(node: Apply, given: Sequence[Terms], count: int) -> list[Terms]:
    """Return the terms of each of a node's results, of those of its inputs; where there is no rule, as dense arrays."""
    kind = next((kind for kind in type(node.op).__mro__ if kind in PUSHES), None)
    if kind is not None and len(node.outputs) == 1:
        try:
            return [gathered(PUSHES[kind](node, given))]
        except UnknownPositions:
            if any(given[1:]):
                raise
            return [gathered(read_anywhere(node, given[0], count))]
        except Unstructured:
            pass
    return in_all_directions(node, given)
