"""What a Cholesky factor L of a symmetric matrix K is used for, with the slopes that it has as a function of K.

The value is computed as it is written, from L; its derivatives go to K, past the factor, whose own are long. Each
operation takes first what it is, the rest being for its pullback alone; `refined.settled` leaves the first.

    sum(log(diag(L)))                                  half the logarithm of the determinant: K^-1 / 2
    solve(L.T, solve(L, b))                            x = K^-1 b: -outer(K^-1 g, x) for a cotangent g
    z @ z with z = solve(L, b)                         b' K^-1 b
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytensor.tensor as pt
from pytensor.gradient import disconnected_type
from pytensor.graph.basic import Apply, Variable
from pytensor.graph.op import Op
from pytensor.graph.replace import _vectorize_node
from pytensor.tensor.linalg.solvers.psd import cho_solve

from autoopt.ops.patterns import applied
from autoopt.ops.releases import infers_shape


class Formed(Op):
    """The first of two inputs; the second is a form of it that is differentiated in its place."""

    __props__: tuple = ()
    view_map = {0: [0]}  # noqa: RUF012  (PyTensor's)
    sloped: tuple[int, ...] = (1,)

    def make_node(self, *inputs: Variable) -> Apply:
        return Apply(self, list(inputs), [inputs[0].type()])

    def perform(self, node: Apply, inputs: Sequence, output_storage: list) -> None:
        output_storage[0][0] = inputs[0]

    @infers_shape
    def infer_shape(self, node: Apply, shapes: Sequence) -> list:
        return [shapes[0]]

    def chosen(self, order: int) -> int:
        """Return which input it is for derivatives of an order."""
        return 0

    def connection_pattern(self, node: Apply) -> list[list[bool]]:
        return [[k in self.sloped] for k in range(len(node.inputs))]

    def pullback(self, inputs: Sequence, outputs: Sequence, cotangents: Sequence) -> list[Variable]:
        slopes = self.slopes(inputs, outputs[0], cotangents[0])
        return [slopes[k] if k in slopes else disconnected_type() for k in range(len(inputs))]

    def slopes(self, inputs: Sequence, output: Any, cotangent: Any) -> dict[int, Any]:
        """Return the slopes by the number of the input."""
        return {1: cotangent}


class Inverse(Formed):
    """K^-1: takes itself, K and L."""

    def slopes(self, inputs: Sequence, output: Any, cotangent: Any) -> dict[int, Any]:
        inverse = factored_inverse(*inputs[1:])
        return {1: -(inverse @ cotangent @ inverse)}


class LogDiagonal(Formed):
    """The sum of the logarithms of the diagonal of L: takes itself, K and L."""

    def slopes(self, inputs: Sequence, output: Any, cotangent: Any) -> dict[int, Any]:
        return {1: 0.5 * cotangent * factored_inverse(*inputs[1:])}


class Solution(Formed):
    """K^-1 b for one right-hand side or several: takes itself, K, L and b."""

    sloped = (1, 3)

    def slopes(self, inputs: Sequence, output: Any, cotangent: Any) -> dict[int, Any]:
        _, K, L, b = inputs
        x, slope = factored_solution(K, L, b), factored_solution(K, L, cotangent)
        return {1: -pt.outer(slope, x) if b.ndim == 1 else -(slope @ x.T), 3: slope}


class Quadratic(Formed):
    """b' K^-1 b, for several columns b the form of each, or their sum: takes itself, K, L and b."""

    sloped = (1, 3)

    def slopes(self, inputs: Sequence, output: Any, cotangent: Any) -> dict[int, Any]:
        _, K, L, b = inputs
        x = factored_solution(K, L, b)
        return {1: -pt.outer(x * cotangent, x) if b.ndim == 1 else -((x * cotangent) @ x.T), 3: 2.0 * x * cotangent}


class Symmetric(Op):
    """The symmetric matrix whose lower triangle is that of a matrix: its slopes go there alone."""

    __props__ = ()

    def make_node(self, a: Any) -> Apply:
        return Apply(self, [a], [a.type()])

    def perform(self, node: Apply, inputs: Sequence, output_storage: list) -> None:
        output_storage[0][0] = np.tril(inputs[0]) + np.tril(inputs[0], -1).T

    @infers_shape
    def infer_shape(self, node: Apply, shapes: Sequence) -> list:
        return [shapes[0]]

    def pullback(self, inputs: Sequence, outputs: Sequence, cotangents: Sequence) -> list[Variable]:
        n = inputs[0].type.shape[0]
        half = pt.constant(np.tri(n, k=-1) + np.eye(n) / 2)
        return [(cotangents[0] + cotangents[0].T) * half]


def factored_inverse(K: Any, L: Any) -> Any:
    """Return K^-1, given its factor."""
    shown = cho_solve((L, True), pt.eye(L.type.shape[0]), b_ndim=2)
    return applied(Inverse(), pt.specify_shape(shown, L.type.shape), K, L)


def factored_solution(K: Any, L: Any, b: Any) -> Any:
    """Return K^-1 b, given the factor of K."""
    shown = cho_solve((L, True), b, b_ndim=b.ndim)
    return applied(Solution(), pt.specify_shape(shown, b.type.shape), K, L, b)


@_vectorize_node.register(Formed)
def _vectorize_formed(op: Formed, node: Apply, first: Variable, *rest: Variable) -> list[Variable]:
    return [first]  # a stack is made last, of what has been differentiated
