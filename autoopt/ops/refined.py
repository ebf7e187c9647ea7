"""A value of which a simpler form has the same first derivatives."""

from __future__ import annotations

from collections.abc import Sequence

from pytensor.gradient import disconnected_type
from pytensor.graph.basic import Apply, Variable
from pytensor.graph.op import Op
from pytensor.graph.replace import _vectorize_node, clone_replace
from pytensor.graph.traversal import ancestors

from autoopt.ops.releases import infers_shape


class Refined(Op):
    """The second of two inputs; the first is the same but for its second derivatives."""

    __props__ = ()
    view_map = {0: [1]}  # noqa: RUF012  (PyTensor's)

    def make_node(self, *inputs: Variable) -> Apply:
        return Apply(self, list(inputs), [inputs[1].type()])

    def perform(self, node: Apply, inputs: Sequence, output_storage: list) -> None:
        output_storage[0][0] = inputs[1]

    @infers_shape
    def infer_shape(self, node: Apply, shapes: Sequence) -> list:
        return [shapes[1]]

    def pullback(
        self, inputs: Sequence[Variable], outputs: Sequence[Variable], cotangents: Sequence[Variable]
    ) -> list[Variable]:
        return [disconnected_type(), cotangents[0]]

    def chosen(self, order: int) -> int:
        """Return which input it is for derivatives of an order."""
        return 0 if order < 2 else 1

    def connection_pattern(self, node: Apply) -> list[list[bool]]:
        return [[False], [True]]


def settled(variables: Sequence[Variable], order: int) -> list[Variable]:
    """Return `variables` without this operation and those of `factored`, for derivatives of an order."""
    while True:
        nodes = [v.owner for v in ancestors(variables) if v.owner and hasattr(v.owner.op, "chosen")]
        if not nodes:
            return list(variables)
        chosen = {node.outputs[0]: node.inputs[node.op.chosen(order)] for node in nodes}
        variables = clone_replace(list(variables), chosen)


@_vectorize_node.register(Refined)
def _vectorize_refined(op: Refined, node: Apply, first: Variable, second: Variable) -> list[Variable]:
    return op.make_node(first, second).outputs
