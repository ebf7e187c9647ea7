"""Rewrites of what differentiating a concatenation leaves: slices, which print and vectorise, in place of a split."""

from __future__ import annotations

from pytensor.graph.basic import Constant
from pytensor.graph.fg import FunctionGraph
from pytensor.graph.rewriting.basic import dfs_rewriter, node_rewriter
from pytensor.tensor.basic import Split


@node_rewriter([Split])
def split_as_slices(fgraph: FunctionGraph, node):
    """split(x, axis, sizes) -> x[:a], x[a:b], ..., where axis and sizes are known."""
    x, axis, sizes = node.inputs
    if not isinstance(axis, Constant):
        return None
    place = int(axis.data) % x.ndim
    lengths = [out.type.shape[place] for out in node.outputs]
    if isinstance(sizes, Constant):
        lengths = [int(size) for size in sizes.data]
    if None in lengths:
        return None
    pieces, start = [], 0
    for length, out in zip(lengths, node.outputs, strict=True):
        piece = x[(slice(None),) * place + (slice(start, start + length),)]
        pieces.append(out.type.filter_variable(piece))
        start += length
    return pieces


def unsplit(fgraph: FunctionGraph) -> None:
    """Apply the rewrites of this file to `fgraph`."""
    if any(isinstance(node.op, Split) for node in fgraph.apply_nodes):
        dfs_rewriter(split_as_slices).rewrite(fgraph)
