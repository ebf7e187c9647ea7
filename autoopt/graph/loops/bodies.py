"""The body of a loop: rewritten, for all iterations at once, and without what does not depend on the carries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pytensor.tensor as pt
from pytensor.graph.basic import Constant, Variable
from pytensor.graph.replace import clone_replace, vectorize_graph
from pytensor.graph.traversal import ancestors, io_toposort
from pytensor.tensor.elemwise import DimShuffle

from autoopt.graph.loops.marks import hand_on, mark_of
from autoopt.graph.rewrites.rewriting import rewrite
from autoopt.ops.patterns import applied, rank


@dataclass(frozen=True)
class Body:
    """One iteration, and what its inputs are outside of it.

    Attributes
    ----------
    initial, sequences, fixed : mapping of Variable to Variable
        From the body's inputs to first values, arrays with an entry for each iteration, values.
    updates, outputs : sequence of Variable
        The carries' next values, and what is collected.
    """

    initial: Mapping[Variable, Variable]
    sequences: Mapping[Variable, Variable]
    fixed: Mapping[Variable, Variable]
    updates: Sequence[Variable]
    outputs: Sequence[Variable] = ()


def rewritten(inner: Sequence[Variable], outputs: Sequence[Variable], stage: str) -> list[Variable]:
    """Return `outputs` rewritten, in terms of the same inputs."""
    simple = rewrite(inner, list(outputs), stage)
    return clone_replace(simple.outputs, dict(zip(simple.inputs, inner, strict=True)))


def hoisted(
    count: int | Variable | None,
    carries: Sequence[Variable],
    sequences: Mapping[Variable, Variable],
    fixed: Mapping[Variable, Variable],
    updates: list[Variable],
) -> tuple[list[Variable], dict[Variable, Variable], dict[Variable, Variable]]:
    """Return the body with what does not depend on the carries computed outside, for all iterations at once.

    Where the number of iterations is not known before there are no sequences, and only constants to compute.
    """
    inner = [*carries, *sequences, *fixed]
    depends: set[Variable] = set(carries)
    order = io_toposort(inner, updates)
    for node in order:
        if depends.intersection(node.inputs):
            depends.update(node.outputs)
    found: dict[Variable, None] = {}

    def frontier(variable: Variable) -> None:
        if variable in depends or variable in fixed or variable in sequences:
            return
        if variable.owner is None:
            if isinstance(variable, Constant) and rank(variable) and np.any(variable.data != variable.data.flat[0]):
                found[variable] = None
            return
        if isinstance(variable.owner.op, DimShuffle):
            frontier(variable.owner.inputs[0])
        else:
            found[variable] = None

    for node in order:
        if depends.intersection(node.inputs):
            for variable in node.inputs:
                frontier(variable)
    for variable in updates:
        frontier(variable)
    if not found:
        return updates, dict(sequences), dict(fixed)
    varying = [v for v in found if set(sequences).intersection(ancestors([v], blockers=inner))]
    constant = [v for v in found if v not in varying]
    places: dict[Variable, Variable] = {v: v.type() for v in found}
    outer_varying = mapped(count, sequences, fixed, varying) if varying and count is not None else []
    outer_constant = clone_replace(constant, dict(fixed)) if constant else []
    arrays = dict(sequences) | {places[v]: outer for v, outer in zip(varying, outer_varying, strict=True)}
    constants = dict(fixed) | {places[v]: outer for v, outer in zip(constant, outer_constant, strict=True)}
    return clone_replace(updates, places), arrays, constants


def mapped(
    count: int | Variable,
    sequences: Mapping[Variable, Variable],
    fixed: Mapping[Variable, Variable],
    outputs: Sequence[Variable],
) -> list[Variable]:
    """Return `outputs`, in terms of entries of sequences, for all entries at once; rewritten before, for one."""
    inner = [*sequences, *fixed]
    outputs = rewritten(inner, outputs, "between")
    varying = [out for out in outputs if set(sequences).intersection(ancestors([out], blockers=inner))]
    stacked = {}
    if varying:
        order = io_toposort(inner, varying)
        named = [v for node in order for v in node.outputs if (found := mark_of(v)) and found.name and v not in varying]
        news = vectorize_graph([*varying, *named], {**sequences, **fixed})
        hand_on([*varying, *named], news)
        stacked = dict(zip(varying, news, strict=False))
    rest = [out for out in outputs if out not in stacked]
    for out, once in zip(rest, clone_replace(rest, dict(fixed)), strict=True):
        stacked[out] = applied(pt.alloc, once, count, *out.type.shape)
    return [stacked[out] for out in outputs]
