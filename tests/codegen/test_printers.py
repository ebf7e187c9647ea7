"""Every printer against PyTensor's own `perform`: a table of examples; a printer without one fails."""

import warnings
from importlib import import_module

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
import scipy.linalg
from pytensor import gradient as ptg
from pytensor import scalar as ps
from pytensor.compile.mode import Mode
from pytensor.graph.op import Op
from pytensor.graph.traversal import io_toposort
from pytensor.raise_op import Assert
from pytensor.scalar import math as psm
from pytensor.tensor import basic, blas, elemwise, extra_ops, fft, special, subtensor
from pytensor.tensor import linalg as la
from pytensor.tensor import math as ptm
from pytensor.tensor.signal.conv import Convolve1d, convolve1d

from autoopt.codegen.listing import list_function
from autoopt.codegen.printers.elementwise import FUNCTIONS, OPERATORS, SCALARS
from autoopt.codegen.printers.table import PRINTERS
from autoopt.errors import UnsupportedFunctionError
from autoopt.graph.equations import Solve
from autoopt.graph.loops.loop import Loop, loop
from autoopt.graph.loops.roots import RootOp
from autoopt.graph.nests.adjoints import variable_of
from autoopt.graph.nests.operation import NestOp
from autoopt.graph.nests.program import Assignment, Program
from autoopt.ops import matrices, scalars
from autoopt.ops.analytic import Part
from autoopt.ops.assembled import Assembled, Entry, Gram
from autoopt.ops.contractions import Einsum
from autoopt.ops.crossed import Crossed
from autoopt.ops.factored import Symmetric
from autoopt.ops.fourier import Fourier
from autoopt.ops.matmul import MatMul, matmul
from autoopt.ops.recursions import Appended, LinearRecurrence, appended, linear_recurrence
from autoopt.ops.releases import GAMMAS, GATHERS, SCATTERS, IfElse, ifelse
from autoopt.ops.sparse import SparseProduct
from autoopt.ops.windows import Overlaid, Windows
from autoopt.rules import scipy_analytic
from autoopt.tape.nests.nest import Read, Repeat
from autoopt.tape.nests.windows import One, Run, affine
from autoopt.tape.root import Root
from autoopt.tape.windows import Move

# pytensor.tensor has functions of these names
pts, ptr, ptsort = (import_module(f"pytensor.tensor.{name}") for name in ("shape", "reshape", "sort"))
RANDOM = np.random.default_rng(20)
X, Y = RANDOM.normal(size=5), RANDOM.normal(size=5)
M = RANDOM.normal(size=(5, 3))
S = RANDOM.normal(size=(4, 4))
P = S @ S.T + 4 * np.eye(4)
B = RANDOM.normal(size=(4, 2))
STACK = np.stack([P, P + np.eye(4)])
I = np.array([0, 2, 2, -1])
EMPTY, ONE = np.zeros(0), np.array([0.7])
BIG = np.array([-800.0, -700.0, -40.0, -1.0, 0.0, 1e-9, 1.0, 30.0, 700.0, 800.0])
ZERO3 = np.zeros(3)


def moved(op):
    """An operation of windows, on an array of known lengths."""
    lengths = {Windows: {3: STACK.shape, 2: M.shape}, Overlaid: {4: (*STACK.shape, 2), 3: STACK.shape, 2: M.shape}}
    return lambda a: op(pt.specify_shape(a, lengths[type(op)][a.ndim]))


def all_before(y):
    """s[i] = y[i] + 0.5 * s[:i].sum(), written in place."""
    n, i = len(Y), affine(0, [1])
    reads = (Read(0, (One(i),)), Read(1, (Run(affine(0), i),)))
    entry, before = (variable_of(read.window) for read in reads)
    statement = Assignment(1, (One(i),), reads, (entry, before), entry + 0.5 * before.sum())
    program = Program(((n,), (n,)), ("y", "s"), 1, (Repeat(affine(n), (statement,)),), (1,))
    return NestOp(program)(y)


def decayed(start, steps):
    """A loop and, from its derivative, one that runs backwards."""
    state, step = pt.scalar("state"), pt.scalar("step")
    path = loop(5, {state: start}, {step: steps}, {}, [0.5 * pt.tanh(state) + step])[0]
    return pytensor.grad(path.sum(), steps)


def searched(search, stacked=(), **options):
    """The root of z**3 + z = a, and its derivative, by a search of SciPy's."""
    starts = 2 if search == "brentq" else 1
    z = pt.tensor("z", shape=(1,) if search in ("root", "fsolve") else ())
    a = pt.scalar("a")
    function = (a - z) / (1 + z**2) if search == "fixed_point" else z**3 + z - a
    functions = [("", function)] + [("fprime", 3 * z**2 + 1)] * (search == "newton")
    root = Root(
        search, tuple(options.items()), starts, (), tuple((name, 0) for name, _ in functions), search == "fixed_point"
    )
    op = RootOp(root, [z, a], [result for _, result in functions], stacked)

    def results(given):
        one = pt.ones(()) if not stacked or not stacked[0] else pt.ones(given.shape)
        start = [-9.0 * one, 9.0 * one] if starts == 2 else [0.3 * one]
        found = op(*start, given)
        return [found, pytensor.grad((found**2).sum(), given)]

    return results


def inputs_of(arrays):
    return [pt.tensor(name, dtype=a.dtype, shape=(None,) * a.ndim) for name, a in zip("abcd", arrays, strict=False)]


def evaluate(variables, outputs, arrays):
    """The unrewritten graph in PyTensor's own Python."""
    with pytensor.config.change_flags(cxx="", linker="py"), np.errstate(all="ignore"):  # those within operations, too
        function = pytensor.function(variables, outputs, mode=Mode("py", None), on_unused_input="ignore")
        return function(*arrays)


def printed(variables, outputs, arrays):
    """The values of the listing, and its text."""
    listing = list_function("f", [(v, v.name) for v in variables], outputs)
    scope = dict(listing.constants)
    exec("\n".join([*sorted(listing.imports), listing.everything]), scope)
    before = [a.copy() for a in arrays]
    with np.errstate(all="ignore"):
        found = scope["f"](*arrays)
    for old, new in zip(before, arrays, strict=True):
        np.testing.assert_array_equal(old, new)
    return (found if len(outputs) > 1 else (found,)), listing.text


def compare(build, arrays, rtol=1e-12):
    variables = inputs_of(arrays)
    outputs = build(*variables)
    outputs = list(outputs) if isinstance(outputs, list | tuple) else [outputs]
    expected = evaluate(variables, outputs, arrays)
    found, text = printed(variables, outputs, arrays)
    for value, right in zip(found, expected, strict=True):
        assert np.shape(value) == right.shape, text
        if right.dtype != "float32" or np.asarray(value).dtype != "float64":  # narrow integers: more is allowed
            assert np.asarray(value).dtype == right.dtype, text
        np.testing.assert_allclose(value, right, rtol=rtol, atol=1e-14, err_msg=text)
        if np.ndim(value):
            assert value.flags.writeable, text
            assert not any(np.shares_memory(value, a) for a in arrays), text
    return variables, outputs, text


def put(size, *entries, shapes):
    """A matrix put together from entries."""
    op = Assembled(size, entries)
    return lambda *given: op(*(pt.specify_shape(v, shape) for v, shape in zip(given, shapes, strict=True)))


def squares(*shapes):
    return lambda *given: Gram()(*(pt.specify_shape(v, shape) for v, shape in zip(given, shapes, strict=True)))


def part(start, stop, step=1):
    return slice(start, stop, step)


IJ = (("i", 2), ("j", 2), ("i", 2), ("j", 2))
AXES = (("i", 2), ("", 2), ("", 3), ("i", 2))  # 2 x 2 rows by 3 x 2 columns
REPEATED = np.array([0, 2, 2])

EXAMPLES = {
    Assembled: [
        (put(4, Entry(0, "block", part(0, 4), part(0, 4)), shapes=[(4, 4)]), S),
        (put(4, Entry(0, "block", part(0, 4), part(0, 4), True), shapes=[(4, 4)]), S),
        (put(4, Entry(0, "block", part(0, 4), part(0, 4)), Entry(1, "diagonal", part(0, 4), part(0, 4)),
             shapes=[(4, 4), (4,)]), S, S[0]),
        (put(6, Entry(0, "block", part(0, 4), part(4, 6), True), shapes=[(4, 2)]), B),
        (put(6, Entry(0, "block", part(0, 4), part(4, 6), True), Entry(1, "block", part(1, 3), part(4, 6), True),
             shapes=[(4, 2), (2, 2)]), B, B[:2]),
        (put(9, Entry(0, "block", part(0, 7, 2), part(7, 9), True), Entry(1, "block", part(1, 3), part(7, 9), True),
             shapes=[(4, 2), (2, 2)]), B, B[:2]),  # every second row, and rows between
        (put(6, Entry(0, "block", part(0, 4), part(2, 4), True), shapes=[(4, 2)]), B),  # beyond the diagonal, too
        (put(6, Entry(0, "block", part(0, 4), part(2, 4)), shapes=[(4, 2)]), B),
        (put(6, Entry(0, "block", np.array([3, 0, 5, 1]), part(4, 6), True), shapes=[(4, 2)]), B),
        (put(6, Entry(0, "block", np.array([3, 0, 3, 1]), part(4, 6), True), shapes=[(4, 2)]), B),
        (put(6, Entry(0, "block", 1, part(4, 6), True), shapes=[(4, 2), (4,)]), B, np.array([3, 0, 3, 1])),
        (put(6, Entry(0, "diagonal", part(0, 4), part(2, 6), True), shapes=[(4,)]), S[0]),
        (put(6, Entry(0, "diagonal", REPEATED, REPEATED), shapes=[(3,)]), S[0, :3]),
        (put(6, Entry(0, "diagonal", REPEATED, part(0, 3), True), shapes=[(3,)]), S[0, :3]),
        (put(6, Entry(0, "diagonal", 1, 1), shapes=[(3,), (3,)]), S[0, :3], REPEATED),
        (put(4, Entry(0, "diagonal", part(0, 4), part(0, 4)), shapes=[()]), np.array(2.0)),
        (put(4, Entry(0, "blocks", part(0, 4), part(0, 4), False, IJ, 2), shapes=[(2, 2)]), S[:2, :2]),
        (put(10, Entry(0, "blocks", part(0, 4), part(4, 10), True, AXES, 2), shapes=[(2, 2, 3)]),
         np.arange(12.0).reshape(2, 2, 3)),
        (put(10, Entry(0, "blocks", np.array([3, 3, 0, 1]), part(4, 10), True, AXES, 2), shapes=[(2, 2, 3)]),
         np.arange(12.0).reshape(2, 2, 3)),
    ],
    Crossed: [(Crossed(), M, I, I), (Crossed(), S, I[:2], np.array([3, 1, 1])), (Crossed(), M, I[:0], I)],
    Gram: [
        (squares((5,), (5, 3)), X, M), (squares((5,), (5, 3)), np.abs(X), M),
        (squares((5,), (5, 3), (5, 2)), X, M, M[:, :2]), (squares((2, 5), (5, 3)), np.stack([X, Y]), M),
        (squares((0,), (0, 3)), EMPTY, M[:0]), (squares((5,), (5, 3)), -np.abs(X), M),
        (squares((5,), (5, 70)), X, RANDOM.normal(size=(5, 70))), (squares((5,), (5, 3)), X * np.nan, M),
    ],
    elemwise.DimShuffle: [
        (lambda a: a.dimshuffle("x", 0), X), (lambda a: a.T, M), (lambda a: a.dimshuffle(1, "x", 0), M),
        (lambda a: a.dimshuffle(0, "x"), EMPTY), (lambda a: a.dimshuffle("x"), np.array(2.0)),
        (lambda a: pts.specify_broadcastable(a, 1).dimshuffle(0), M[:, :1]),
    ],
    elemwise.Elemwise: [(lambda a, b: a + b, X, Y)],
    ps.ScalarOp: [(lambda a: pt.tensor_from_scalar(pt.scalar_from_tensor(a) * 2.0), np.array(3.0))],
    ptm.Dot: [(pt.dot, S, B), (lambda a, b: a @ b, M, ZERO3), (lambda a, b: a @ b, X, M), (lambda a, b: a @ b, X, Y)],
    MatMul: [(matmul, M, ZERO3), (matmul, X, Y)],
    Einsum: [(Einsum("ij,ij->j"), M, M + 1), (Einsum("ij,ij->i"), M, M), (Einsum("ij,ij->"), M, M + 1),
             (Einsum("ijk,jk->ij"), STACK, S)],
    ptm.Sum: [(lambda a: a.sum(), X), (lambda a: a.sum(axis=1), M), (lambda a: a.sum(), X > 0), (pt.sum, EMPTY)],
    ptm.Prod: [(pt.prod, X), (lambda a: pt.prod(a, axis=0), M)],
    ptm.ProdWithoutZeros: [(ptm.ProdWithoutZeros(axis=(0,)), np.array([2.0, 0.0, 3.0]))],
    ptm.Max: [(lambda a: pt.max(a, axis=0), M), (pt.max, X)],
    ptm.Min: [(ptm.Min(axis=(1,)), M)],
    ptm.All: [(pt.all, X > 0)], ptm.Any: [(lambda a: pt.any(a, axis=1), M > 0)],
    elemwise.CAReduce: [(elemwise.CAReduce(ps.add, axis=(0,)), M)],
    ptm.Argmax: [(pt.argmax, M), (lambda a: pt.argmax(a, axis=1), M), (ptm.Argmax(axis=(0, 2)), STACK)],
    extra_ops.CumOp: [(pt.cumsum, X), (lambda a: pt.cumprod(a, axis=1), M), (pt.cumsum, EMPTY)],
    pts.Shape_i: [(lambda a: pts.Shape_i(1)(a), M)], pts.Shape: [(pts.shape, M)],
    pts.Reshape: [(lambda a: a.reshape((3, 5)), M), (lambda a: a.reshape((a.shape[1], -1)), M),
                  (lambda a, b: a.reshape(b, ndim=2), M, np.array([15, 1]))],
    ptr.JoinDims: [(ptr.JoinDims(0, 2), M), (ptr.JoinDims(1, 2), STACK)],
    ptr.SplitDims: [(lambda a: ptr.SplitDims(0)(a, [5, 1]), X), (lambda a: ptr.SplitDims(1)(a, [3, 1]), M)],
    pts.SpecifyShape: [(lambda a: pt.specify_shape(a, 5) * 2, X)],
    ptg.DisconnectedGrad: [(lambda a: ptg.disconnected_grad(a) + a, X)],
    ptg.ZeroGrad: [(lambda a: ptg.zero_grad(a) + a, X)],
    ptg.GradClip: [(lambda a: ptg.grad_clip(a, -1, 1) + a, X)],
    ptg.GradScale: [(lambda a: ptg.grad_scale(a, 2) + a, X)],
    pytensor.compile.ops.ViewOp: [(lambda a: pytensor.compile.ops.view_op(a), X)],
    pytensor.compile.ops.DeepCopyOp: [(pytensor.compile.ops.deep_copy_op, X)],
    pytensor.assumptions.specify.SpecifyAssumptions: [
        (lambda a: pytensor.assumptions.specify.assume(a, symmetric=True) + 1, P)],
    basic.TensorFromScalar: [(lambda a: pt.tensor_from_scalar(pt.scalar_from_tensor(a)) + 1, np.array(3.0))],
    basic.ScalarFromTensor: [(lambda a, b: a[: pt.scalar_from_tensor(b)] + 1, X, np.array(2))],
    pytensor.raise_op.CheckAndRaise: [(lambda a: Assert("positive")(a, (a < 9).all()) + 1, X)],
    Loop: [
        (decayed, np.array(0.3), Y),
    ],
    NestOp: [(all_before, Y)],
    LinearRecurrence: [(linear_recurrence, X, np.array(0.7)), (linear_recurrence, X, Y[1:])],
    Appended: [(appended, np.array(0.3), X)],
    RootOp: [
        (searched("brentq", xtol=1e-13), np.array(0.7)), (searched("brentq", (False, False, True)), X),
        (searched("newton", (True, True)), X), (searched("fixed_point"), np.array(0.7)),
        (searched("root", (False, True), method="hybr"), X), (searched("root"), np.array(0.7)),
        (searched("fsolve", (False, True)), X), (searched("fsolve"), np.array(0.7)),
    ],
    IfElse: [
        (lambda a, b: ifelse(a.sum() > 0, a, b) * 2, X, Y), (lambda a, b: ifelse(a.sum() > 0, a, b), X, Y)],
    basic.Alloc: [(lambda a: pt.alloc(a, 4, 5), X), (lambda a: pt.alloc(a, 4), np.array(2.0)),
                  (lambda a: pt.zeros((a.shape[0], 2)), X), (lambda a: pt.full(a.shape, -np.inf), X),
                  (lambda a: pt.ones(a.shape, dtype="int64"), X)],
    basic.AllocEmpty: [(lambda a: pt.empty((5,))[:].set(a), X)],
    basic.MakeVector: [(lambda a: pt.stack([a[0], a[1] * 2]), X), (lambda a: pt.stack([a.shape[0], 7]), X)],
    basic.Join: [(lambda a, b: pt.concatenate([a, b]), X, Y), (lambda a: pt.concatenate([a, a], axis=1), M)],
    basic.Split: [(lambda a: [v * 1.0 for v in pt.split(a, [2, 3])], X), (lambda a: pt.split(a, [2, 3]), X),
                  (lambda a, b: [v + 1 for v in pt.split(a, b, n_splits=2)], X, np.array([1, 4]))],
    basic.Eye: [(lambda a: pt.eye(a.shape[0]), X), (lambda a: pt.eye(a.shape[0], 2, 1), X)],
    basic.ARange: [(lambda a: pt.arange(a.shape[0]), X), (lambda a: pt.arange(1, a.shape[0], 2), X)],
    basic.Nonzero: [(lambda a: pt.nonzero(a > 0)[0], X), (lambda a: pt.nonzero(a > 0), M)],
    basic.ExtractDiag: [(pt.diag, P), (lambda a: pt.diagonal(a, 1, 1, 2), STACK)],
    basic.AllocDiag: [(pt.diag, X), (lambda a: basic.AllocDiag(axis1=1, axis2=2, offset=0)(a), M)],
    extra_ops.Repeat: [(lambda a, b: pt.repeat(a, b), X, np.arange(5)), (lambda a: pt.repeat(a, [1, 2, 0], axis=1), M)],
    extra_ops.SearchsortedOp: [(lambda a, b: pt.searchsorted(pt.sort(a), b), X, Y),
                               (lambda a, b: pt.searchsorted(pt.sort(a), b, side="right"), X, X)],
    extra_ops.Unique: [(pt.unique, I), (lambda a: pt.unique(a, return_inverse=True, return_counts=True), I)],
    ptsort.SortOp: [(pt.sort, X), (lambda a: pt.sort(a, axis=0), M)],
    ptsort.ArgSortOp: [(pt.argsort, X), (lambda a: pt.argsort(a, axis=0, kind="stable"), M)],
    special.XLogY: [(special.xlogy, np.array([0.0, 1.0, 2.0]), np.array([0.0, 2.0, 3.0]))],
    special.XLog1PY: [(special.xlog1py, np.array([0.0, 1.0, 2.0]), np.array([-1.0, 2.0, 3.0]))],
    Convolve1d: [(lambda a, b: convolve1d(a, b, mode="full"), X, Y[:3]),
                 (lambda a, b: convolve1d(a, b, mode="valid"), X, Y[:3])],
    Fourier: [(Fourier(False), STACK), (Fourier(True), M[:2])],
    Windows: [(moved(Windows((Move(0, 2), Move(2, 2)))), STACK), (moved(Windows((Move(0, 2, 2, 2),))), M)],
    Overlaid: [(moved(Overlaid((Move(0, 4), Move(1, 2)), (5, 5))), STACK[..., None] * np.ones(2)),
               (moved(Overlaid((Move(0, 3, 2),), (11,))), M), (moved(Overlaid((Move(1, 4),), (7,))), STACK)],
    fft.RFFTOp: [(lambda a: pt.fft.rfft(a), M)],
    fft.IRFFTOp: [(lambda a: pt.fft.irfft(pt.fft.rfft(a), is_odd=True), M)],
    pt.blockwise.Blockwise: [(la.inv, STACK), (la.cholesky, STACK),
                             (lambda a: pt.blockwise.Blockwise(matrices.LogDeterminant())(a)[1], STACK),
                             (pt.blockwise.Blockwise(matrices.Cofactors()), STACK),
                             (pt.blockwise.Blockwise(matrices.CofactorChange()), STACK, 2 * STACK),
                             (lambda a, b: la.solve(a, b), STACK, B), (lambda a: a @ a, STACK),
                             (lambda a, b: la.solve_triangular(la.cholesky(a), b, lower=True), STACK, B),
                             (lambda a, b: la.solve_triangular(a, b, b_ndim=1), STACK, STACK[:, 0])],
    blas.BatchedDot: [(blas.BatchedDot(), STACK, STACK)],
    subtensor.Subtensor: [(lambda a: a[1:], X), (lambda a: a[-1], X), (lambda a: a[::-1, 1], M),
                          (lambda a: a[:, :2], M)],
    subtensor.IncSubtensor: [(lambda a, b: a[1:3].inc(b[:2]), X, Y), (lambda a: a[1:3].set(0.0), X),
                             (lambda a, b: (a * 2)[:1].inc(b[:1]) + pt.exp(a), X, Y),
                             (lambda a, b: pt.zeros(5)[1:].inc(a[1:]) + pt.zeros(5)[:-1].inc(b[:-1]), X, Y)],
    subtensor.AdvancedSubtensor: [(lambda a, b: a[b, b], P, I), (lambda a: a[a > 0], X),
                                  (lambda a, b: a[:, b], P, I), (lambda a, b: a[b], M, I)],
    **{kind: [(kind(), X, I), (kind(), M, I)] for kind in GATHERS[1:]},  # by one vector of positions
    subtensor.AdvancedIncSubtensor: [
        (lambda a, b: a[b, b].inc(1.5), P, I), (lambda a: a[a > 0].inc(1.0), X), (lambda a: a[a > 0].set(1.0), X),
        (lambda a, b: a[:, b].inc(2.0), P, I),
        (lambda a, b, i: a[i].inc(b), X, Y[:4], I), (lambda a: pt.zeros(5)[[0, 2, 2]].inc(a[:3]), X)],
    **{kind: [(kind(), X, Y[:4], I)] for kind in SCATTERS[1:]},
    pt.type_other.MakeSlice: [],
    la.decomposition.cholesky.Cholesky: [(la.cholesky, P), (lambda a: la.cholesky(a, lower=False), P)],
    Symmetric: [(Symmetric(), P + np.triu(P, 1))],
    la.inverse.MatrixInverse: [(la.inv, P)], la.inverse.MatrixPinv: [(la.pinv, B)],
    matrices.Determinant: [(matrices.Determinant(), P)],
    matrices.LogDeterminant: [(lambda a: matrices.LogDeterminant()(a)[1], P)],
    matrices.Cofactors: [(matrices.Cofactors(), P), (matrices.Cofactors(), np.outer(X[:4], Y[:4]))],
    matrices.CofactorChange: [(matrices.CofactorChange(), P, S)],
    matrices.MatrixFunction: [(matrices.MatrixFunction(scipy.linalg.sqrtm), P)],
    matrices.Svd: [(lambda a: matrices.Svd(True)(a)[0], B), (matrices.Svd(False), B)],
    la.decomposition.eigen.Eigh: [(lambda a: la.eigh(a)[0], P), (lambda a: abs(la.eigh(a)[1]), P)],
    la.decomposition.eigen.Eigvalsh: [(la.decomposition.eigen.Eigvalsh(), P)],
    la.decomposition.svd.SVD: [(lambda a: la.svd(a, compute_uv=False), B),
                               (lambda a: la.svd(a, full_matrices=False)[1], B)],
    la.decomposition.qr.QR: [(lambda a: la.decomposition.qr.qr(a, mode="economic"), B),
                             (lambda a: la.decomposition.qr.qr(a, mode="full")[1], B),
                             (lambda a: la.decomposition.qr.qr(a, mode="r"), B)],
    la.decomposition.lu.LU: [(la.lu, S)],
    la.decomposition.lu.LUFactor: [(lambda a: la.lu_factor(a)[0], S)],
    la.decomposition.lu.PivotToPermutations: [
        (lambda a: la.decomposition.lu.PivotToPermutations(inverse=False)(a), np.array([2, 2, 3, 3])),
        (lambda a: la.decomposition.lu.PivotToPermutations(inverse=True)(a), np.array([2, 2, 3, 3]))],
    la.solvers.general.Solve: [(la.solve, S, B), (lambda a, b: la.solve(a, b), S, S[0]),
                               (lambda a, b: la.solve(a, b, assume_a="pos"), P, B)],
    la.solvers.triangular.SolveTriangular: [(lambda a, b: la.solve_triangular(a, b, lower=True), P, B)],
    la.solvers.psd.CholeskySolve: [(lambda a, b: la.cho_solve((la.cholesky(a), True), b), P, B)],
    la.products.Expm: [(la.expm, S)], la.products.KroneckerProduct: [(la.kron, B, P)],
    la.constructors.BlockDiagonal: [(la.block_diag, P, B)],
}  # fmt: skip

CASES = [(kind, case) for kind, cases in EXAMPLES.items() for case in cases]


@pytest.mark.parametrize(("kind", "case"), CASES, ids=lambda v: v.__name__ if isinstance(v, type) else "")
def test_printed_operation_equals_its_own_perform(kind, case):
    build, *arrays = case
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "`axes` should not be `None`", DeprecationWarning)  # PyTensor's own FFT
        variables, outputs, _ = compare(build, arrays)
    if kind is not MatMul:
        ops = [node.op for node in io_toposort(variables, outputs)]
        assert any(isinstance(op, kind) or isinstance(getattr(op, "core_op", None), kind) for op in ops)


def test_every_printer_has_an_example():
    elsewhere = {
        SparseProduct,  # its matrix is no tensor: tests/tracing/arrays/test_sparse.py
        Solve,  # calls SciPy with functions of the user's: tests/tracing/formulas/test_equations.py
    }
    assert set(PRINTERS) <= set(EXAMPLES) | elsewhere


POSITIVE, UNIT = np.array([1e-3, 0.5, 1.0, 3.5, 40.0]), np.array([-0.9, -0.3, 1e-9, 0.2, 0.7])
DOMAINS = {  # every other elementwise function is tried at -800, ..., 800
    ps.ArcCos: UNIT, ps.ArcSin: UNIT, ps.ArcTanh: UNIT, psm.Erfinv: UNIT, psm.Erfcinv: UNIT + 1,
    ps.ArcCosh: POSITIVE + 1,
    psm.Log1mexp: -POSITIVE, psm.Psi: POSITIVE, psm.TriGamma: POSITIVE, psm.Gamma: POSITIVE, psm.GammaLn: POSITIVE,
}  # fmt: skip
COMPLEX = {"Real", "Imag", "Angle", "Conj"}
OWN = [op.scalar_op for op in (scalars.tail, scalars.sech, scalars.csch, scalars.inverse_expm1, scalars.share)]
UNARY = sorted(
    {type(op) for op in [*vars(ps).values(), *vars(psm).values(), *OWN]
     if isinstance(op, ps.UnaryScalarOp) and type(op) not in {ps.Invert, ps.Cast}
     and type(op).__name__ not in COMPLEX}, key=lambda k: k.__name__,
)  # fmt: skip
INSTANCES = {type(op): op for op in [*vars(ps).values(), *vars(psm).values(), *OWN] if isinstance(op, ps.ScalarOp)}


@pytest.mark.parametrize("kind", UNARY, ids=lambda kind: kind.__name__)
def test_function_of_one_variable_at_ordinary_and_extreme_points(kind):
    for values in (DOMAINS.get(kind, BIG), EMPTY, ONE, ONE[0] * np.ones(())):
        values = -values if kind is psm.Log1mexp and values is ONE else values
        if kind in (psm.Log1mexp, ps.ArcCosh) and values.ndim == 0:
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compare(lambda a: elemwise.Elemwise(INSTANCES[kind])(a), [values], rtol=1e-12)


K = np.array([0.5, 1.0, 2.5, 3.0, 4.0])
TWO = {
    **{kind: (X, Y) for kind in (ps.Add, ps.Mul, ps.Sub, ps.TrueDiv, ps.IntDiv, ps.Mod, ps.Maximum, ps.Minimum,
                                 ps.ScalarMaximum, ps.ScalarMinimum, ps.ArcTan2, ps.LT, ps.GT, ps.LE, ps.GE, ps.EQ,
                                 ps.NEQ, ps.Second)},
    ps.Pow: (K, Y), ps.AND: (X > 0, Y > 0), ps.OR: (X > 0, Y > 0), ps.XOR: (X > 0, Y > 0), ps.Invert: (X > 0,),
    ps.Switch: (X > 0, X, Y), ps.Clip: (X, np.array(-0.5), np.array(0.5)), ps.Identity: (X,),
    psm.PolyGamma: (np.array([0, 1, 2, 3, 1]), K), psm.GammaInc: (K, K), psm.GammaIncC: (K, K),
    psm.GammaIncInv: (K, K / 5), psm.GammaIncCInv: (K, K / 5), **dict.fromkeys(GAMMAS, (K, K)),
    psm.Jv: (K, K), psm.Ive: (K, K), psm.Kve: (K, K), psm.Owens_t: (X, Y), psm.BetaInc: (K, K, K / 5),
    psm.BetaIncInv: (K, K, K / 5), psm.Hyp2F1: (K, K, K, K / 5), ps.RoundHalfAwayFromZero: (X,),
}  # fmt: skip


@pytest.mark.parametrize("kind", TWO, ids=lambda kind: kind.__name__)
def test_function_of_several_variables(kind):
    compare(lambda *a: elemwise.Elemwise(INSTANCES[kind])(*a), list(TWO[kind]))


PARTS = [
    scipy_analytic.faddeeva_real,
    scipy_analytic.faddeeva_imaginary,
    scipy_analytic.lambert_real,
    scipy_analytic.lambert_imaginary,
]


@pytest.mark.parametrize("part", PARTS, ids=lambda part: "".join(part.scalar_op.written))
def test_part_of_a_complex_function(part):
    branch = [np.array(0)] * (part.scalar_op.written[0] == "lambertw")
    compare(part, [X, Y, *branch])


def test_every_scalar_printer_is_tried():
    tried = set(UNARY) | set(TWO) | {ps.Cast, Part}
    assert {*SCALARS, *OPERATORS, *FUNCTIONS} <= tried


INTEGERS = [np.array(v, dtype) for dtype in ("int8", "int32", "int64", "bool") for v in ([1, 0, 3, 100],)]


@pytest.mark.parametrize("values", INTEGERS, ids=lambda v: v.dtype.name)
@pytest.mark.parametrize("build", [
    lambda a: a * a, lambda a: a + a, lambda a: a * 2.0, lambda a: a / 2, lambda a: pt.exp(a), lambda a: a.sum(),
    lambda a: a.mean(), lambda a: pt.sqr(a), lambda a: a.astype("float64"), lambda a: pt.sqrt(a),
    lambda a: 1 / (a + 1.0), lambda a: 7 + (-(a + 0.5) % 3), lambda a: 7 + -((a + 0.5) // 2), lambda a: 7 - (a % 3) * 2,
    lambda a: -(a * 1.5), lambda a: 2.0 - (a * 1.5), lambda a: 2.0 + -(a + 0.5),
    lambda a: pt.switch(a > 0, a, 2.5), lambda a: a**2, lambda a: a.astype("bool"), lambda a: pt.sigmoid(a * 1.0),
    lambda a: a.shape[0] / (a.shape[0] - 4.0), lambda a: pt.cumsum(a), lambda a: pt.maximum(a, 2),
])  # fmt: skip
def test_types_follow_pytensor(values, build):
    compare(build, [values], rtol=1e-6 if values.dtype in ("int8", "bool") else 1e-12)


@pytest.mark.parametrize("dtype", ["float64", "float32", "int64", "bool", "int8"])
def test_cast(dtype):
    compare(lambda a: a.astype(dtype), [X])
    compare(lambda a: a[0].astype(dtype) * 2, [X])


def test_single_precision_is_not_silently_kept_or_lost():
    compare(lambda a: a * 2.0 + np.float64(0.1), [X.astype("float32")], rtol=1e-6)
    compare(lambda a: pt.exp(a) * np.float32(0.1), [X.astype("float32")], rtol=1e-6)


class Mystery(Op):
    __props__ = ()
    itypes, otypes = (pt.dvector,), (pt.dvector,)

    def perform(self, node, inputs, output_storage):
        output_storage[0][0] = inputs[0]


def test_operation_without_a_printer_is_named():
    x = pt.vector("x")
    with pytest.raises(UnsupportedFunctionError, match="Mystery"):
        list_function("f", [(x, "x")], [Mystery()(x)])


def test_failed_assertion_raises():
    x = pt.vector("x")
    listing = list_function("f", [(x, "x")], [Assert("x must be positive")(x, (x > 0).all()) * 2])
    scope = {}
    exec("\n".join(listing.imports) + "\n" + listing.text, scope)
    with pytest.raises(AssertionError, match="x must be positive"):
        scope["f"](np.array([-1.0]))
