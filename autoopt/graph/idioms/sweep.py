"""The idioms in their order, and the sweep that applies them.

One sweep from the inputs to the results; each idiom looks at one node whose inputs have been treated already.
"""

from __future__ import annotations

from collections.abc import Sequence

from pytensor import scalar as ps
from pytensor.compile.builders import OpFromGraph
from pytensor.graph.basic import Apply, Variable
from pytensor.graph.replace import graph_replace, vectorize_graph
from pytensor.graph.traversal import io_toposort
from pytensor.tensor.basic import (
    AllocDiag,
    stack,
)
from pytensor.tensor.blockwise import Blockwise
from pytensor.tensor.linalg.products import KroneckerProduct
from pytensor.tensor.shape import Shape, Shape_i
from pytensor.tensor.special import XLog1PY, XLogY

from autoopt.graph.idioms import axes, indexing, layout, products, recursions
from autoopt.graph.idioms.table import Idiom, Sweep
from autoopt.ops.patterns import identity, is_elementwise, rank
from autoopt.ops.releases import thawed

IDIOMS = (
    axes.same_scalar, axes.numpy_checks, axes.vector_element, indexing.indexed_stack, axes.add_nothing,
    axes.known_length, axes.unbatched, axes.batched_join, axes.unit_axis, axes.one_dimshuffle,
    axes.symmetric_transpose, products.matrix_vector, axes.lift_axes, axes.lift_sums, indexing.all_rows,
    products.composite, products.inner_product, products.sum_with_product, indexing.accumulate,
    products.share_softplus,
)  # fmt: skip
"""The idioms, in the order in which they are tried."""

LAST = (
    *(*IDIOMS, layout.long_axis_last, products.aligned_sum, products.scalars_out, recursions.linear_loop),
    indexing.move_before_writing,
)
"""Those for what is printed: sums and products are no longer regrouped then."""

PRIMITIVES = (AllocDiag, KroneckerProduct, XLogY, XLog1PY)
"""Operations that PyTensor defines by a graph of others, and that are written as they are all the same."""


def simplify(
    inputs: Sequence[Variable], roots: Sequence[Variable], idioms: Sequence[Idiom] = IDIOMS
) -> dict[Variable, Variable]:
    """Return for every variable on the way to `roots` an equal one that reads better."""
    simple: dict[Variable, Variable] = {v: v for v in inputs}
    first = _sweep(inputs, roots, simple, Sweep(idioms))
    softplus = {v.owner.inputs[0] for v in set(simple.values()) if is_elementwise(v, ps.Softplus)}
    if not softplus:
        return first
    fresh = Sweep(idioms, softplus=softplus)
    again = _sweep(inputs, [first[root] for root in roots], {v: v for v in inputs}, fresh)
    return {v: again.get(w, w) for v, w in first.items()}


def _sweep(inputs: Sequence[Variable], roots: Sequence[Variable], simple: dict, sweep: Sweep) -> dict:
    """Apply all idioms once to each node; equal nodes become one."""
    clients: dict[Variable, int] = {}
    nodes = io_toposort(inputs, roots)
    for v in [*roots, *(v for node in nodes for v in node.inputs)]:
        clients[v] = clients.get(v, 0) + 1
    sweep.clients = clients
    for node in nodes:
        operands = [simple.setdefault(v, v) for v in node.inputs]
        body = _body(node, operands)
        if body:
            inner = dict(zip(body[0], operands, strict=True))
            _sweep(*body, inner, sweep)
            sweep.clients = clients
            outputs = [inner.setdefault(v, v) for v in body[1]]
        else:
            outputs = _rebuild(node, operands, sweep)
        for old, new in zip(node.outputs, outputs, strict=True):
            simple[old] = new
            clients[new] = max(clients.get(new, 0), clients.get(old, 0))
            if old.name and not new.name and new.owner and new not in inputs:
                new.name = old.name
    for root in roots:
        simple.setdefault(root, root)
    return simple


def _body(node: Apply, operands: list[Variable]) -> tuple[list[Variable], list[Variable]] | None:
    """Return inputs and outputs of the graph that `node` stands for, if it has one and no printer."""
    core = node.op.core_op if isinstance(node.op, Blockwise) else node.op
    if not isinstance(core, OpFromGraph):
        return None
    inside = thawed(core.fgraph)
    if core is node.op:
        several = isinstance(core, AllocDiag) and rank(node.inputs[0]) > 1
        return None if type(core) in PRIMITIVES and not several else (inside.inputs, inside.outputs)
    dummies = [v.type() for v in operands]
    stacked = dict(zip(inside.inputs, dummies, strict=True))
    sizes = {}
    for inner in io_toposort(inside.inputs, inside.outputs):
        if isinstance(inner.op, Shape) and inner.inputs[0] in stacked:
            outer = stacked[inner.inputs[0]]
            batch = rank(outer) - rank(inner.inputs[0])
            sizes[inner.outputs[0]] = stack([Shape_i(axis)(outer) for axis in range(batch, rank(outer))])
    outputs = graph_replace(inside.outputs, sizes, strict=False)
    return dummies, vectorize_graph(outputs, stacked)


def _rebuild(node: Apply, operands: list[Variable], sweep: Sweep) -> list[Variable]:
    """Return the outputs of `node` on simplified operands."""
    key = (node.op, *(identity(v) for v in operands))
    if key in sweep.nodes:
        return sweep.nodes[key]
    if any(new is not old for new, old in zip(operands, node.inputs, strict=True)):
        node = node.op.make_node(*operands)
    outputs = list(node.outputs)
    if len(outputs) == 1:
        outputs = [sweep.improve(outputs[0])]
    sweep.nodes[key] = outputs
    return outputs
