"""Loops of some of whose carries nobody reads but the last value: that is the result then, and no trajectory is kept.

    path, path2 = loop(x, x)             state, state2 = loop(x, x)
    path[100] @ path[100]          ->    state @ state
    path2[0] is read by nobody

What a derivative needs of a trajectory is read from it, so this is known when all derivatives have been made: a body
that is linear is asked for none by its pullback.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytensor.tensor as pt
from pytensor.graph.basic import Apply, Constant, Variable
from pytensor.graph.traversal import io_toposort
from pytensor.tensor.subtensor import Subtensor, get_idx_list

from autoopt.graph.loops.loop import Loop
from autoopt.ops.patterns import applied_to, rank


def with_ends(inputs: Sequence[Variable], roots: Sequence[Variable]) -> Mapping[Variable, Variable]:
    """Return what becomes of the variables on the way to `roots` if loops keep no trajectories that nobody reads."""
    nodes = io_toposort(inputs, roots)
    readers: dict[Variable, list[Apply | None]] = {root: [None] for root in roots}
    for node in nodes:
        for v in node.inputs:
            readers.setdefault(v, []).append(node)
    found: dict[Variable, Variable] = {}
    values: dict[Variable, Variable] = {}  # the last values, by the trajectories of which they are read
    for node in nodes:
        news: Sequence[Variable]
        operands = [found.get(v, v) for v in node.inputs]
        ends = _ends(node, readers)
        if ends:
            news = applied_to(_ending(node.op, ends), operands)
            values |= {old: news[k] for k, old in enumerate(node.outputs) if k in ends}
        elif node.inputs and node.inputs[0] in values:
            rest = get_idx_list(node.inputs, node.op.idx_list)[1:]
            value = pt.as_tensor(operands[0])
            news = [value[tuple(rest)] if rest else value]
        elif operands != node.inputs:
            news = node.clone_with_new_inputs(operands).outputs
        else:
            continue
        found.update(zip(node.outputs, news, strict=True))
    return found


def _ends(node: Apply, readers: Mapping[Variable, Sequence[Apply | None]]) -> frozenset[int]:
    """Return the carries of a loop of which the last value is read, and nothing else."""
    op = node.op
    if type(op) is not Loop or not op.count or op.ending or op.ends:
        return frozenset()
    last = 0 if op.reverse else op.count
    outputs = list(enumerate(node.outputs))
    return frozenset(k for k, v in outputs if rank(v) > 1 and all(_reads(one, v, last) for one in readers.get(v, ())))


def _ending(op: Loop, ends: frozenset[int]) -> Loop:
    return Loop(op.count, op.carries, op.sequences, op.inputs, op.updates, op.reverse, None, ends)


def _reads(client: Apply | None, trajectory: Variable, entry: int) -> bool:
    """Whether a node reads one entry of a trajectory, or a part of it."""
    if client is None or not isinstance(client.op, Subtensor) or client.inputs[0] is not trajectory:
        return False
    length = trajectory.type.shape[0]
    if isinstance(client.op.idx_list[0], slice) or length is None or not isinstance(client.inputs[1], Constant):
        return False
    return int(client.inputs[1].data) % length == entry
