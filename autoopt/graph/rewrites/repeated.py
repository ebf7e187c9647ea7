"""What is added to itself is doubled: the slope of `r @ r` is 2 r, and not r + r."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytensor.scalar as ps
import pytensor.tensor as pt
from pytensor.graph.fg import FunctionGraph
from pytensor.tensor.elemwise import Elemwise


def double_repeated(graph: FunctionGraph) -> bool:
    """Multiply terms of sums that stand there several times; return whether there are any."""
    changed = False
    for node in graph.toposort():
        out = node.outputs[0]
        if not isinstance(node.op, Elemwise) or not isinstance(node.op.scalar_op, ps.Add):
            continue
        counts = Counter(node.inputs)
        if out.type.dtype == "float64" and len(counts) < len(node.inputs):
            terms = [term if n == 1 else pt.mul(np.float64(n), term) for term, n in counts.items()]
            graph.replace(out, pt.add(*terms) if len(terms) > 1 else terms[0])
            changed = True
    return changed
