"""What each operation makes of the terms of its operands, a function each; see `terms`.

    elementwise             each operand's terms get its partial derivative as one more factor
    sum                     the labels of the axes are no longer places, that is all
    A @ B                   the other operand becomes a factor, its inner axis stands where the terms' does
    transposition, slices   places change

A function takes the node and the terms of each operand (an empty list where there are none), and returns those of the
only result. What it cannot write so raises NotFactored.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pytensor.graph.basic import Apply, Variable
from pytensor.tensor.linalg.inverse import MatrixInverse
from pytensor.tensor.math import Dot

from autoopt.graph.indexed.terms import Label, NotFactored, Place, Term

Push = Callable[[Apply, Sequence[list[Term]]], list[Term]]

PUSHES: dict[type, Push] = {}
"""By the class of the operation; that of a stack of matrices by the class of the operation on one."""


def pushes(*kinds: type) -> Callable[[Push], Push]:
    """Register what operations of some classes make of terms."""

    def register(push: Push) -> Push:
        PUSHES.update(dict.fromkeys(kinds, push))
        return push

    return register


def push_of(node: Apply) -> Push:
    """Return the function for `node`."""
    core = getattr(node.op, "core_op", node.op)
    push = next((PUSHES[kind] for kind in type(core).__mro__ if kind in PUSHES), None)
    if push is None or (core is not node.op and type(core) not in (Dot, MatrixInverse)):
        raise NotFactored(str(node.op))
    return push


def broadcast(places: Sequence[Place], variable: Variable, shape: Sequence[int | None]) -> tuple[Place, ...]:
    """Return the places in the result of an elementwise operation, in which axes of length 1 hold for all positions."""
    lengths = variable.type.shape
    return tuple(
        Place((Label(long),)) if own == 1 and long != 1 else place
        for place, own, long in zip(places, lengths, shape, strict=True)
    )


def length_of(length: int | None) -> int:
    if length is None:
        raise NotFactored("a length that is not known")
    return length


def is_step(node: Apply) -> bool:
    """Whether the results have no slope in anything: they are whole numbers, or comparisons."""
    return all(getattr(out.type, "dtype", "float64") != "float64" for out in node.outputs)
