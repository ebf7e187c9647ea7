"""Rewrites of what differentiating a concatenation leaves: slices, which print and vectorise, in place of a split."""

from __future__ import annotations

import pytensor.tensor as pt
from pytensor.graph.basic import Apply, Constant
from pytensor.graph.fg import FunctionGraph
from pytensor.graph.rewriting.basic import dfs_rewriter, node_rewriter
from pytensor.tensor.basic import Split
from pytensor.tensor.blockwise import Blockwise

from autoopt.ops.releases import axis_of, operands_of


def _is_split(node: Apply) -> bool:
    return isinstance(getattr(node.op, "core_op", node.op), Split)


@node_rewriter([Split, Blockwise])
def split_as_slices(fgraph: FunctionGraph, node):
    """split(x, axis, sizes) -> x[:a], x[a:b], ..., where axis and sizes are known; also with leading axes."""
    if not _is_split(node):
        return None
    (operand, sizes), place = operands_of(node), axis_of(node)
    if place is None:
        return None
    lengths = [out.type.shape[place] for out in node.outputs]
    if isinstance(sizes, Constant):
        lengths = [int(size) for size in sizes.data.reshape(-1, sizes.data.shape[-1])[0]]
    if None in lengths:
        return None
    pieces, start = [], 0
    x = pt.as_tensor(operand)
    for length, out in zip(lengths, node.outputs, strict=True):
        piece = x[(slice(None),) * place + (slice(start, start + length),)]
        pieces.append(out.type.filter_variable(piece))
        start += length
    return pieces


def unsplit(fgraph: FunctionGraph) -> None:
    """Apply the rewrites of this file to `fgraph`."""
    if any(map(_is_split, fgraph.apply_nodes)):
        dfs_rewriter(split_as_slices).rewrite(fgraph)
