"""A value that rewrites take as it is: what it is computed by stays apart from what it is used for."""

from __future__ import annotations

from collections.abc import Sequence

from pytensor.graph.basic import Apply, Variable
from pytensor.graph.op import Op
from pytensor.graph.replace import _vectorize_node, clone_replace

from autoopt.ops.patterns import without
from autoopt.ops.releases import infers_shape


class Barrier(Op):
    """Its input."""

    __props__ = ()
    view_map = {0: [0]}  # noqa: RUF012  (PyTensor's)

    def make_node(self, x: Variable) -> Apply:
        return Apply(self, [x], [x.type()])

    def perform(self, node: Apply, inputs: Sequence, output_storage: list) -> None:
        output_storage[0][0] = inputs[0]

    @infers_shape
    def infer_shape(self, node: Apply, shapes: Sequence) -> list:
        return list(shapes)


def closed(variables: Sequence[Variable], within: Sequence[Variable]) -> list[Variable]:
    """Return `within` with a barrier on each of `variables`."""
    return clone_replace(list(within), {v: Barrier().make_node(v).outputs[0] for v in variables})


def opened(variables: Sequence[Variable]) -> list[Variable]:
    """Return `variables` without barriers."""
    return without(Barrier, lambda v: v, variables)


@_vectorize_node.register(Barrier)
def _vectorize_barrier(op: Barrier, node: Apply, x: Variable) -> list[Variable]:
    return op.make_node(x).outputs
