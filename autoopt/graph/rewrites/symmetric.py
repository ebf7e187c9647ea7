"""Which matrices are symmetric whatever the parameters are, as covariances are.

    D = ((X[:, None] - X[None])**2).sum(-1)          a difference of mirror images, squared
    K = s * np.exp(-D / l) + t * np.eye(n)           functions, sums and products of symmetric matrices

Of such a K the two triangles have the same slopes, whichever of them is read, and K' is K. It is shown by the form of
the expression, never by numbers, but for constants: other data of the same code would have others.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytensor.scalar as ps
from pytensor.graph.basic import Apply, Constant, Variable, equal_computations
from pytensor.graph.fg import FunctionGraph
from pytensor.tensor.basic import Alloc, AllocDiag, Eye
from pytensor.tensor.elemwise import CAReduce, DimShuffle, Elemwise
from pytensor.tensor.linalg.inverse import MatrixInverse
from pytensor.tensor.linalg.solvers.psd import CholeskySolve
from pytensor.tensor.math import Dot, Sum
from pytensor.tensor.shape import SpecifyShape
from pytensor.tensor.subtensor import AdvancedIncSubtensor

from autoopt.ops.barriers import Barrier
from autoopt.ops.factored import Formed, Inverse, Symmetric
from autoopt.ops.matmul import MatMul
from autoopt.ops.patterns import core_of, is_elementwise, rank

_EVEN = (ps.Abs, ps.Sqr, ps.Cosh, ps.Cos)
_ODD = (ps.Neg, ps.Identity, ps.Cast, ps.Sinh, ps.Sin, ps.Tanh, ps.ArcTan)
_COMMUTING = (ps.Maximum, ps.Minimum, ps.EQ, ps.NEQ, ps.AND, ps.OR)


class Symmetry:
    """What is known of variables, looked up as it is asked for."""

    def __init__(self) -> None:
        self._signs: dict[Variable, int] = {}

    def sign(self, x: Variable) -> int:
        """Return 1 if `x` is the same with its first two axes exchanged, -1 if it is its negative, 0 if unknown."""
        if x not in self._signs:
            self._signs[x] = 0  # of a variable that is asked for while it is looked up nothing is known
            self._signs[x] = self._sign(x) if _is_square(x) else 0
        return self._signs[x]

    def is_matrix(self, x: Variable) -> bool:
        """Whether `x` is a symmetric matrix."""
        return rank(x) == 2 and self.sign(x) == 1

    def _sign(self, x: Variable) -> int:
        if isinstance(x, Constant):
            turned = np.swapaxes(x.data, 0, 1)
            if np.array_equal(x.data, turned):
                return 1
            return -int(x.data.dtype.kind == "f" and np.array_equal(x.data, -turned))
        if all(x.type.broadcastable[:2]) or getattr(x.tag, "symmetric", False):
            return 1
        return 0 if x.owner is None else self._of(x.owner)

    def _of(self, node: Apply) -> int:
        op, inputs = node.op, node.inputs
        core = core_of(node)
        if isinstance(op, Elemwise):
            return self._elementwise(op.scalar_op, inputs)
        if isinstance(op, DimShuffle):
            return self.sign(inputs[0]) if set(op.new_order[:2]) == {0, 1} else 0
        if isinstance(op, CAReduce):
            kept = op.axis is not None and min(op.axis) > 1
            sign = self.sign(inputs[0]) if kept else 0
            return sign if sign > 0 or isinstance(op, Sum) else 0
        if isinstance(op, Dot | MatMul):
            chain = _chain(node.outputs[0])
            return int(all(self.mirrored(a, b) for a, b in zip(chain, reversed(chain), strict=True)))
        if isinstance(op, Eye):
            return int(equal_computations([inputs[0]], [inputs[1]]) and _is_number(inputs[2], 0))
        if isinstance(op, Alloc):
            return int(rank(inputs[0]) < rank(node.outputs[0]) - 1 or all(inputs[0].type.broadcastable[:2]))
        if isinstance(op, AdvancedIncSubtensor):  # on the diagonal
            diagonal = len(inputs) == 4 and equal_computations([inputs[2]], [inputs[3]])
            return int(diagonal and rank(inputs[0]) == 2 and self.sign(inputs[0]) == 1)
        if isinstance(core, AllocDiag):
            return int(core.offset == 0)
        if isinstance(core, Symmetric):
            return 1
        if isinstance(core, CholeskySolve):
            return int(rank(inputs[1]) == 2 and is_identity(inputs[1]))
        if isinstance(core, MatrixInverse | SpecifyShape | Barrier | Formed):
            return 1 if isinstance(core, Inverse) else self.sign(inputs[0])
        return 0

    def _elementwise(self, operation: object, inputs: Sequence[Variable]) -> int:
        signs = [self.sign(v) for v in inputs]
        if isinstance(operation, ps.Add | ps.Sub):
            if signs[0] and len(set(signs)) == 1:
                return signs[0]
            if isinstance(operation, ps.Sub):
                return -int(self.mirrored(*inputs))
            if len(inputs) == 2 and (negative := _negative(inputs)):
                return -int(self.mirrored(*negative))
            return self._paired(inputs, signs)
        if isinstance(operation, ps.Mul):
            sign = self._paired(inputs, signs)
            return sign * (-1) ** signs.count(-1)
        if isinstance(operation, ps.TrueDiv):
            return signs[0] * signs[1]
        if signs == [-1]:
            return 1 if isinstance(operation, _EVEN) else -int(isinstance(operation, _ODD))
        if isinstance(operation, ps.Pow) and signs == [-1, 1]:
            return int(_is_number(inputs[1], 2) or _is_number(inputs[1], 4))
        if isinstance(operation, _COMMUTING) and len(inputs) == 2 and self.mirrored(*inputs):
            return 1
        return int(all(sign == 1 for sign in signs))

    def _paired(self, operands: Sequence[Variable], signs: Sequence[int]) -> int:
        """Whether the operands of a sum or product that are not symmetric themselves are so by twos."""
        left = [v for v, sign in zip(operands, signs, strict=True) if not sign]
        while left:
            first = left.pop()
            other = next((v for v in left if self.mirrored(first, v)), None)
            if other is None:
                return 0
            left.remove(other)
        return 1

    def mirrored(self, a: Variable, b: Variable) -> bool:
        """Whether `b` is `a` with its first two axes exchanged."""
        if rank(a) != rank(b):
            return False
        if a is b:
            return self.sign(a) == 1
        one, two = a.owner, b.owner
        if (_turns(two) and two.inputs[0] is a) or (_turns(one) and one.inputs[0] is b):
            return True
        if one is None or two is None:
            return isinstance(a, Constant) and isinstance(b, Constant) and _are_transposes(a.data, b.data)
        if isinstance(one.op, DimShuffle) and isinstance(two.op, DimShuffle):
            first, second, *rest = one.op.new_order
            return two.op.new_order == (second, first, *rest) and _same(one.inputs[0], two.inputs[0])
        if isinstance(one.op, Dot | MatMul) and isinstance(two.op, Dot | MatMul):
            (u, v), (w, z) = one.inputs, two.inputs
            return self.mirrored(u, z) and self.mirrored(v, w)
        if isinstance(one.op, Elemwise) and one.op == two.op and len(one.inputs) == len(two.inputs):
            return all(self.mirrored(v, w) for v, w in zip(one.inputs, two.inputs, strict=True))
        return self.sign(a) == 1 and _same(a, b)


def drop_transposes(graph: FunctionGraph) -> None:
    """Replace transposes of symmetric matrices by these."""
    turned = [node for node in graph.apply_nodes if _turns(node)]
    if not turned or not any(isinstance(core_of(node), MatrixInverse | Formed) for node in graph.apply_nodes):
        return
    known = Symmetry()
    for node in turned:
        if known.is_matrix(node.inputs[0]):
            graph.replace(node.outputs[0], node.inputs[0])


def _is_square(x: Variable) -> bool:
    """Whether the first two axes of `x` may be exchanged."""
    shape = tuple(getattr(x.type, "shape", ()))[:2]
    return len(shape) == 2 and None not in shape and len(set(shape)) == 1


def _turns(node: Apply | None) -> bool:
    """Whether a node is the transpose of a matrix."""
    return node is not None and isinstance(node.op, DimShuffle) and node.op.new_order == (1, 0)


def _chain(product: Variable) -> list[Variable]:
    """Return the matrices of a product of several."""
    node = product.owner
    if node is None or not isinstance(node.op, Dot | MatMul) or rank(product) != 2:
        return [product]
    return [*_chain(node.inputs[0]), *_chain(node.inputs[1])]


def _negative(operands: Sequence[Variable]) -> tuple[Variable, Variable] | None:
    """Return a and b of a + (-b)."""
    a, b = operands
    if is_elementwise(b, ps.Neg):
        return a, b.owner.inputs[0]
    return (b, a.owner.inputs[0]) if is_elementwise(a, ps.Neg) else None


def _same(a: Variable, b: Variable) -> bool:
    return a is b or equal_computations([a], [b])


def _are_transposes(a: np.ndarray, b: np.ndarray) -> bool:
    return a.ndim > 1 and np.array_equal(np.swapaxes(a, 0, 1), b)


def _is_number(x: Variable, number: float) -> bool:
    while x.owner is not None and isinstance(x.owner.op, DimShuffle):
        x = x.owner.inputs[0]
    return isinstance(x, Constant) and bool(np.all(x.data == number))


def is_identity(x: Variable) -> bool:
    """Whether a variable is known to be an identity matrix."""
    if isinstance(x, Constant):
        return rank(x) == 2 and np.array_equal(x.data, np.eye(len(x.data)))
    if getattr(x.tag, "identity", False):
        return True
    return x.owner is not None and isinstance(x.owner.op, Eye) and _is_number(x.owner.inputs[2], 0)
