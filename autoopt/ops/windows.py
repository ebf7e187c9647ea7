"""Windows that move along axes of an array, and the sums of what they have at each of its entries, their adjoint."""

from __future__ import annotations

from typing import Any

import pytensor.tensor as pt
from pytensor.graph.basic import Apply, Variable
from pytensor.graph.op import Op
from pytensor.graph.replace import _vectorize_node

from autoopt.tape.windows import Moves, overlaid, shape_of, windows


class Windows(Op):
    """The windows that move along some axes of an array, as `tape.windows.windows` has them."""

    __props__ = ("moves",)
    view_map = {0: [0]}  # noqa: RUF012

    def __init__(self, moves: Moves) -> None:
        self.moves = moves

    def make_node(self, x: Any) -> Apply:
        x = pt.as_tensor(x)
        return Apply(self, [x], [pt.tensor(dtype=x.type.dtype, shape=shape_of(self.moves, x.type.shape))])

    def perform(self, node: Apply, inputs: list, outputs: list) -> None:
        outputs[0][0] = windows(inputs[0], self.moves)

    def pullback(self, inputs: list, outputs: list, cotangents: list) -> list:
        extents = tuple(inputs[0].type.shape[move.axis] for move in self.moves)
        return [Overlaid(self.moves, extents)(cotangents[0])]

    def pushforward(self, inputs: list, outputs: list, tangents: list) -> list:
        return [self(tangents[0])]


class Overlaid(Op):
    """The sums of what windows have at each entry of an array of `extents` along the axes that they move along."""

    __props__ = ("moves", "extents")

    def __init__(self, moves: Moves, extents: tuple[int, ...]) -> None:
        self.moves, self.extents = moves, extents

    def make_node(self, values: Any) -> Apply:
        values = pt.as_tensor(values)
        return Apply(self, [values], [pt.tensor(dtype=values.type.dtype, shape=self.shape(values.type.shape))])

    def shape(self, shape: tuple) -> tuple:
        """Return the shape of the result, of that of the windows."""
        lengths = list(shape[: len(shape) - len(self.moves)])
        for move, extent in zip(self.moves, self.extents, strict=True):
            lengths[move.axis] = extent
        return tuple(lengths)

    def perform(self, node: Apply, inputs: list, outputs: list) -> None:
        outputs[0][0] = overlaid(inputs[0], self.moves, self.shape(inputs[0].shape))

    def pullback(self, inputs: list, outputs: list, cotangents: list) -> list:
        return [Windows(self.moves)(cotangents[0])]

    def pushforward(self, inputs: list, outputs: list, tangents: list) -> list:
        return [self(tangents[0])]


@_vectorize_node.register(Windows)
@_vectorize_node.register(Overlaid)
def _vectorize(op: Windows | Overlaid, node: Apply, x: Variable) -> list[Variable]:
    """Return those of a stack, whose axes come before."""
    lead = x.type.ndim - node.inputs[0].type.ndim
    moves = tuple(move._replace(axis=move.axis + lead) for move in op.moves)
    return (Windows(moves) if isinstance(op, Windows) else Overlaid(moves, op.extents)).make_node(x).outputs
