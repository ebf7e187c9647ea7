"""Operations on matrices with pullbacks of our own, where PyTensor's are wrong, or not there, at singular matrices.

All take one matrix; stacks come from PyTensor's Blockwise.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytensor.tensor as pt
from pytensor.gradient import DisconnectedType
from pytensor.graph.basic import Apply
from pytensor.graph.op import Op
from pytensor.tensor.blockwise import Blockwise
from pytensor.tensor.linalg.decomposition.cholesky import Cholesky
from pytensor.tensor.linalg.decomposition.eigen import Eigh
from pytensor.tensor.linalg.solvers.triangular import SolveTriangular

from autoopt.ops.releases import infers_shape


class _MatrixOp(Op):
    """An operation on float matrices; its results are numbers, or of the shape of the first."""

    __props__: tuple = ()

    def __call__(self, *matrices: Any, **kwargs: Any) -> Any:
        return super().__call__(*map(pt.as_tensor, matrices), **kwargs)

    @infers_shape
    def infer_shape(self, node: Apply, shapes: list) -> list:
        return [shapes[0] if out.type.ndim else () for out in node.outputs]


class Determinant(_MatrixOp):
    """The determinant, whose slope is the matrix of cofactors: it needs no inverse."""

    gufunc_signature = "(n,n)->()"

    def make_node(self, a: Any) -> Apply:
        return Apply(self, [a], [pt.dscalar()])

    def perform(self, node: Apply, inputs: list, outputs: list) -> None:
        outputs[0][0] = np.asarray(np.linalg.det(inputs[0]))

    def pullback(self, inputs: list, outputs: list, cotangents: list) -> list:
        return [cotangents[0] * Blockwise(Cofactors())(inputs[0])]


class LogDeterminant(_MatrixOp):
    """The sign of the determinant and the logarithm of its size; PyTensor's own takes the determinant itself first."""

    gufunc_signature = "(n,n)->(),()"

    def make_node(self, a: Any) -> Apply:
        return Apply(self, [a], [pt.dscalar(), pt.dscalar()])

    def perform(self, node: Apply, inputs: list, outputs: list) -> None:
        for cell, part in zip(outputs, np.linalg.slogdet(inputs[0]), strict=True):
            cell[0] = np.asarray(part)

    def pullback(self, inputs: list, outputs: list, cotangents: list) -> list:
        (a,), (_, slope) = inputs, cotangents
        return [a.zeros_like() if isinstance(slope.type, DisconnectedType) else slope * pt.linalg.inv(a).T]


class Cofactors(_MatrixOp):
    """The cofactors of U diag(s) V': det(U) det(V) U diag(p) V', where p_i is the product of all s but s_i."""

    gufunc_signature = "(n,n)->(n,n)"

    def make_node(self, a: Any) -> Apply:
        return Apply(self, [a], [a.type()])

    def perform(self, node: Apply, inputs: list, outputs: list) -> None:
        U, s, Vt = np.linalg.svd(inputs[0])
        others = np.prod(np.where(np.eye(len(s), dtype=bool), 1.0, s), axis=-1)
        outputs[0][0] = np.linalg.det(U) * np.linalg.det(Vt) * ((U * others) @ Vt)

    def pullback(self, inputs: list, outputs: list, cotangents: list) -> list:
        # the second derivative of the determinant, in two directions, is symmetric in them
        return [Blockwise(CofactorChange())(inputs[0], cotangents[0])]


class CofactorChange(_MatrixOp):
    """The derivative of the cofactors of `a` along `h`.

    With H = U' h V and P_ij the product of all s but s_i and s_j, it is det(U) det(V) U C V', where
    C_ij = -H_ji P_ij off the diagonal, and C_ii is the sum of H_kk P_ik over all k but i.
    """

    gufunc_signature = "(n,n),(n,n)->(n,n)"

    def make_node(self, a: Any, h: Any) -> Apply:
        return Apply(self, [a, h], [a.type()])

    def perform(self, node: Apply, inputs: list, outputs: list) -> None:
        a, h = inputs
        U, s, Vt = np.linalg.svd(a)
        own = np.eye(len(s), dtype=bool)
        pairs = np.where(own, 0.0, np.prod(np.where(own[:, None] | own, 1.0, s), axis=-1))
        turned = U.T @ h @ Vt.T
        change = np.where(own, (pairs @ np.diag(turned))[:, None], -pairs * turned.T)
        outputs[0][0] = np.linalg.det(U) * np.linalg.det(Vt) * (U @ change @ Vt)


_APART = 1e-6
"""Values nearer to each other than this, relative to the largest, are equal: second derivatives of the vectors divide
rounding by its square."""


def _over_gaps(turned: Any, values: Any, gaps: Any) -> Any:
    """Return (T - T') / gaps off the diagonal: NaN where values are equal, whose slopes only those beside show."""
    n = values.type.shape[0]
    own = pt.eye(values.shape[0] if n is None else n, dtype=bool)
    equal = pt.le(pt.abs(values[None, :] - values[:, None]), _APART * pt.max(pt.abs(values)))
    return (turned - turned.T) * pt.switch(own, 0.0, 1.0 / pt.switch(equal, pt.switch(own, 1.0, np.nan), gaps))


class Triangular(SolveTriangular):
    """The solution of a triangular system of known size, its slopes cut out by a constant as those of `Factor`."""

    def pullback(self, inputs: list, outputs: list, cotangents: list) -> list:
        (A, _), (x,), (cotangent,) = inputs, outputs, cotangents
        n = A.type.shape[0]
        if n is None:
            return super().pullback(inputs, outputs, cotangents)
        right = type(self)(**self._props_dict() | {"lower": not self.lower})(A.T, cotangent)
        slope = -pt.outer(right, x) if x.ndim == 1 else -right @ x.T
        own = np.tri(n, k=-int(self.unit_diagonal), dtype=bool)
        return [pt.switch(pt.constant(own if self.lower else own.T), slope, 0.0), right]


class Factor(Cholesky):
    """The lower Cholesky factor of a matrix of known size.

    Its slopes are PyTensor's (Murray 2016), the triangles cut out by constants: PyTensor asks a stack for its shape to
    do it, and the second derivatives of a stack then need a range for each of its matrices, which cannot be printed.
    """

    def pullback(self, inputs: list, outputs: list, cotangents: list) -> list:
        (L,), (cotangent,) = outputs, cotangents
        n = L.type.shape[0]
        if n is None:
            return super().pullback(inputs, outputs, cotangents)
        half = pt.constant(np.tri(n, k=-1) + np.eye(n) / 2)
        solve = Triangular(lower=False, b_ndim=2)
        slope = solve(L.T, solve(L.T, ((L.T @ cotangent) * half).T).T)
        return [(slope + slope.T) * half]


class Eigen(Eigh):
    """Eigenvalues and vectors of a symmetric matrix.

    Where eigenvalues are equal, or nearly so, the vectors have no slopes, and the result is NaN; PyTensor's is what
    rounding makes of it.
    """

    def pullback(self, inputs: list, outputs: list, cotangents: list) -> list:
        w, V = outputs
        dw, dV = (None if isinstance(part.type, DisconnectedType) else part for part in cotangents)
        core = pt.zeros_like(inputs[0]) if dw is None else pt.diag(dw)
        if dV is not None:
            core = core + _over_gaps(V.T @ dV, w, w[None, :] - w[:, None]) / 2
        slope = V @ core @ V.T
        return [pt.tril(slope) + pt.triu(slope, 1).T if self.lower else pt.triu(slope) + pt.tril(slope, -1).T]


def eigen(a: Any, lower: bool, driver: str = "evr") -> list:
    """Return the eigenvalues and vectors of a symmetric matrix, or of a stack of them."""
    return Blockwise(Eigen(lower=lower, driver=driver), signature="(m,m)->(m),(m,m)")(a)


class Svd(_MatrixOp):
    """U, s, V' of the thin decomposition, or s alone.

    The slopes of the vectors divide by s_j^2 - s_i^2: where singular values are equal, or nearly so, there are none,
    and the result is NaN, where PyTensor's is finite and wrong.

    References
    ----------
    Townsend, J. (2016). Differentiating the singular value decomposition.
    """

    __props__ = ("compute_uv",)

    def __init__(self, compute_uv: bool) -> None:
        self.compute_uv = compute_uv
        self.gufunc_signature = "(m,n)->(m,k),(k),(k,n)" if compute_uv else "(m,n)->(k)"

    def make_node(self, a: Any) -> Apply:
        m, n = a.type.shape
        k = None if m is None or n is None else min(m, n)
        s = pt.tensor(dtype="float64", shape=(k,))
        vectors = [pt.tensor(dtype="float64", shape=lengths) for lengths in ((m, k), (k, n))]
        return Apply(self, [a], [vectors[0], s, vectors[1]] if self.compute_uv else [s])

    @infers_shape
    def infer_shape(self, node: Apply, shapes: list) -> list:
        m, n = shapes[0]
        k = pt.minimum(m, n)
        return [(m, k), (k,), (k, n)] if self.compute_uv else [(k,)]

    def perform(self, node: Apply, inputs: list, outputs: list) -> None:
        found = np.linalg.svd(inputs[0], full_matrices=False, compute_uv=self.compute_uv)
        for cell, part in zip(outputs, found if self.compute_uv else [found], strict=True):
            cell[0] = part

    def pullback(self, inputs: list, outputs: list, cotangents: list) -> list:
        if not self.compute_uv:
            U, _, Vt = Blockwise(Svd(True))(inputs[0])
            return [(U * cotangents[0][None, :]) @ Vt]
        U, s, Vt = outputs
        dU, ds, dVt = (None if isinstance(part.type, DisconnectedType) else part for part in cotangents)
        m, n = inputs[0].type.shape
        core = pt.diag(ds) if ds is not None else pt.zeros((min(m, n), min(m, n)))
        gaps = (s[None, :] - s[:, None]) * (s[None, :] + s[:, None])
        outside = 0.0
        if dU is not None:
            turned = U.T @ dU
            core = core + _over_gaps(turned, s, gaps) * s[None, :]
            outside = ((dU - U @ turned) / s[None, :]) @ Vt if m > n else 0.0
        if dVt is not None:
            turned = Vt @ dVt.T
            core = core + s[:, None] * _over_gaps(turned, s, gaps)
            if n > m:
                outside = outside + (U / s[None, :]) @ (dVt - turned.T @ Vt)
        return [U @ core @ Vt + outside]


class MatrixFunction(_MatrixOp):
    """A function of SciPy of a whole matrix, such as scipy.linalg.logm, where its result is real.

    f([[A, E], [0, A]]) has the derivative of f at A along E in its upper right block, so that the pullback is the
    function itself, of a matrix twice as large, and derivatives of any order follow.

    References
    ----------
    Higham, N. J. (2008). Functions of Matrices, theorem 3.6.
    """

    __props__ = ("function", "options")
    gufunc_signature = "(n,n)->(n,n)"

    def __init__(self, function: Callable, options: tuple = ()) -> None:
        self.function, self.options = function, options

    def make_node(self, a: Any) -> Apply:
        return Apply(self, [a], [a.type()])

    def perform(self, node: Apply, inputs: list, outputs: list) -> None:
        found = np.real_if_close(self.function(inputs[0], *self.options), tol=1e6)
        outputs[0][0] = found.astype(float, casting="same_kind")

    def pullback(self, inputs: list, outputs: list, cotangents: list) -> list:
        a, slope = inputs[0].T, cotangents[0]
        n = inputs[0].type.shape[0]
        upper, lower = pt.concatenate([a, slope], axis=1), pt.concatenate([pt.zeros_like(a), a], axis=1)
        return [Blockwise(self)(pt.concatenate([upper, lower], axis=0))[:n, n:]]
