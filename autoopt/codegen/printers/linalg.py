"""Linear algebra: NumPy's functions, SciPy's where a matrix has structure. All take stacks of matrices."""

from __future__ import annotations

from typing import Any

from pytensor.graph.basic import Apply
from pytensor.tensor.basic import AllocDiag
from pytensor.tensor.blas import BatchedDot
from pytensor.tensor.blockwise import Blockwise
from pytensor.tensor.linalg.constructors import BlockDiagonal
from pytensor.tensor.linalg.decomposition.cholesky import Cholesky
from pytensor.tensor.linalg.decomposition.eigen import Eigh, Eigvalsh
from pytensor.tensor.linalg.decomposition.lu import LU, LUFactor, PivotToPermutations
from pytensor.tensor.linalg.decomposition.qr import QR
from pytensor.tensor.linalg.decomposition.svd import SVD
from pytensor.tensor.linalg.inverse import MatrixInverse, MatrixPinv
from pytensor.tensor.linalg.products import Expm, KroneckerProduct
from pytensor.tensor.linalg.solvers.general import Solve
from pytensor.tensor.linalg.solvers.psd import CholeskySolve
from pytensor.tensor.linalg.solvers.triangular import SolveTriangular

from autoopt.codegen.code import MATMUL, PRODUCT, SUM, Code, call, infix
from autoopt.codegen.printers.table import NoSource, printer_of, prints
from autoopt.codegen.printers.writer import Writer
from autoopt.ops.factored import Symmetric
from autoopt.ops.matrices import CofactorChange, Cofactors, Determinant, LogDeterminant, MatrixFunction, Svd
from autoopt.ops.patterns import rank
from autoopt.tape.names import qualified


@prints(Blockwise)
def blockwise(writer: Writer, node: Apply, *operands: Code) -> Code:
    """A matrix operation over leading axes: the same call, if NumPy or SciPy take stacks."""
    printer = printer_of(node.op.core_op, stacked=node.op.batch_ndim(node) > 0)
    if printer is None:
        raise NoSource(node.op)
    return printer.write(writer, node, *operands)


def _op(node: Apply) -> Any:
    return getattr(node.op, "core_op", node.op)


@prints(BatchedDot, stem="product", stacked=True)
def batched_dot(writer: Writer, node: Apply, a: Code, b: Code) -> Code:
    return infix("@", MATMUL, a, b)


@prints(Cholesky, stem="L", stacked=True)
def cholesky(writer: Writer, node: Apply, a: Code) -> Code:
    return call("np.linalg.cholesky", a) if _op(node).lower else call("np.linalg.cholesky", a, "upper=True")


@prints(MatrixInverse, stem="inverse", stacked=True)
def inverse(writer: Writer, node: Apply, a: Code) -> Code:
    return call("np.linalg.inv", a)


@prints(Symmetric, stem="symmetric")
def mirrored(writer: Writer, node: Apply, a: Code) -> Code:
    a = writer.named(node.inputs[0])
    return infix("+", SUM, call("np.tril", a), Code(f"{call('np.tril', a, '-1')}.T"))


@prints(MatrixPinv, stem="inverse", stacked=True)
def pseudo_inverse(writer: Writer, node: Apply, a: Code) -> Code:
    return call("np.linalg.pinv", a, *["hermitian=True"] * _op(node).hermitian)


@prints(Determinant, stem="determinant", stacked=True)
def determinant(writer: Writer, node: Apply, a: Code) -> Code:
    return call("np.linalg.det", a)


@prints(LogDeterminant, stem="sign logdet", stacked=True)
def log_determinant(writer: Writer, node: Apply, a: Code) -> Code:
    return call("np.linalg.slogdet", a)


@prints(Eigh, stem="eigenvalues eigenvectors", stacked=True)
def eigen(writer: Writer, node: Apply, *matrices: Code) -> Code:
    if len(matrices) == 1:
        return call("np.linalg.eigh", *matrices, *[] if _op(node).lower else ["UPLO='U'"])
    return call("scipy.linalg.eigh", *matrices, *[] if _op(node).lower else ["lower=False"])


@prints(Eigvalsh, stem="eigenvalues", stacked=True)
def eigenvalues(writer: Writer, node: Apply, *matrices: Code) -> Code:
    if len(matrices) == 1:
        return call("np.linalg.eigvalsh", *matrices, *[] if _op(node).lower else ["UPLO='U'"])
    return call("scipy.linalg.eigvalsh", *matrices, *[] if _op(node).lower else ["lower=False"])


@prints(SVD, stem="U s Vt", stacked=True)
def singular_values(writer: Writer, node: Apply, a: Code) -> Code:
    op = _op(node)
    if not op.compute_uv:
        return call("np.linalg.svd", a, "compute_uv=False")
    return call("np.linalg.svd", a, *[] if op.full_matrices else ["full_matrices=False"])


@prints(Svd, stem="U s Vt", stacked=True)
def thin_decomposition(writer: Writer, node: Apply, a: Code) -> Code:
    return call("np.linalg.svd", a, "full_matrices=False" if _op(node).compute_uv else "compute_uv=False")


@prints(MatrixFunction, stem="function")
def matrix_function(writer: Writer, node: Apply, a: Code) -> Code:
    op = _op(node)
    found = call("np.real_if_close", call(qualified(op.function), a, *map(repr, op.options)), "tol=1e6")
    return Code(f"{found}.astype(float, casting='same_kind')")  # no imaginary part but rounding is dropped unseen


def _decomposed(writer: Writer, node: Apply) -> tuple[str, str, str, str]:
    """Write the singular vectors and values of a matrix, and the sign of its determinant; return their names."""
    U, s, Vt, sign = (writer.fresh(name) for name in ("U", "s", "Vt", "sign"))
    writer.write(f"{U}, {s}, {Vt} = np.linalg.svd({writer.code(node.inputs[0])})")
    writer.write(f"{sign} = (np.linalg.det({U}) * np.linalg.det({Vt}))[..., None, None]")
    return U, s, Vt, sign


@prints(Cofactors, stem="cofactors", stacked=True)
def cofactors(writer: Writer, node: Apply, a: Code) -> Code:
    U, s, Vt, sign = _decomposed(writer, node)
    others = writer.fresh("others")
    writer.write(f"{others} = np.prod(np.where(np.eye({s}.shape[-1], dtype=bool), 1.0, {s}[..., None, :]), axis=-1)")
    return Code(f"{sign} * (({U} * {others}[..., None, :]) @ {Vt})", PRODUCT)


@prints(CofactorChange, stem="change", stacked=True)
def cofactor_change(writer: Writer, node: Apply, a: Code, h: Code) -> Code:
    U, s, Vt, sign = _decomposed(writer, node)
    own, pairs, turned, change = (writer.fresh(name) for name in ("own", "pairs", "turned", "change"))
    writer.write(f"{own} = np.eye({s}.shape[-1], dtype=bool)")
    writer.write(
        f"{pairs} = np.where({own}, 0.0, "
        f"np.prod(np.where({own}[:, None] | {own}, 1.0, {s}[..., None, None, :]), axis=-1))"
    )
    writer.write(f"{turned} = {U}.mT @ {writer.code(node.inputs[1]):.} @ {Vt}.mT")
    writer.write(
        f"{change} = np.where({own}, {pairs} @ np.diagonal({turned}, axis1=-2, axis2=-1)[..., None], "
        f"-{pairs} * {turned}.mT)"
    )
    return Code(f"{sign} * ({U} @ {change} @ {Vt})", PRODUCT)


@prints(QR, stem="Q R", stacked=True)
def qr(writer: Writer, node: Apply, a: Code) -> Code:
    op = _op(node)
    if op.pivoting or op.mode == "raw":
        raise NoSource(node.op)
    mode = {"economic": "", "full": "mode='complete'", "r": "mode='r'"}[op.mode]
    if op.mode == "r":  # SciPy's r has the rows of `a`
        return Code(f"np.linalg.qr({a}, mode='complete')[1]")
    return call("np.linalg.qr", a, *[mode] if mode else [])


@prints(LU, stem="P L U")
def lu(writer: Writer, node: Apply, a: Code) -> Code:
    options = [f"{name}=True" for name in ("permute_l", "p_indices") if getattr(_op(node), name)]
    return call("scipy.linalg.lu", a, *options, "check_finite=False")


@prints(LUFactor, stem="factor")
def lu_factor(writer: Writer, node: Apply, a: Code) -> Code:
    return call("scipy.linalg.lu_factor", a, "check_finite=False")


@prints(PivotToPermutations, stem="order")
def permutation(writer: Writer, node: Apply, pivots: Code) -> Code:
    """The order of rows after LAPACK's exchanges, made one by one."""
    pivots = writer.named(node.inputs[0])
    order = writer.fresh("order")
    writer.write(f"{order} = np.arange(len({pivots}))")
    writer.write(f"for i, pivot in enumerate({pivots}):\n    {order}[[i, pivot]] = {order}[[pivot, i]]")
    return Code(order) if _op(node).inverse else Code(f"{order}.argsort()")


@prints(Solve, stem="solution", stacked=True)
def solve(writer: Writer, node: Apply, a: Code, b: Code) -> Code:
    op = _op(node)
    if op.assume_a == "gen" and (op.b_ndim == 2 or rank(node.inputs[1]) == 1):
        return call("np.linalg.solve", a, b)
    if op.assume_a == "gen":
        return Code(f"{call('np.linalg.solve', a, f'{b:.}[..., None]')}[..., 0]")
    if op.assume_a in ("tridiagonal", "banded"):
        raise NoSource(node.op)
    options = [f"assume_a={op.assume_a!r}", *["lower=True"] * op.lower, "check_finite=False"]
    return _columns(node, b, lambda rhs: call("scipy.linalg.solve", a, rhs, *options))


@prints(SolveTriangular, stem="solution", stacked=True)
def solve_triangular(writer: Writer, node: Apply, a: Code, b: Code) -> Code:
    op = _op(node)
    options = [f"{name}=True" for name in ("lower", "unit_diagonal") if getattr(op, name)]
    return _columns(node, b, lambda rhs: call("scipy.linalg.solve_triangular", a, rhs, *options, "check_finite=False"))


@prints(CholeskySolve, stem="solution", stacked=True)
def cholesky_solve(writer: Writer, node: Apply, factor: Code, b: Code) -> Code:
    pair = f"({factor}, {_op(node).lower})"
    return _columns(node, b, lambda rhs: call("scipy.linalg.cho_solve", pair, rhs, "check_finite=False"))


def _columns(node: Apply, b: Code, write) -> Code:
    """SciPy takes a stack of matrices on the right, not a stack of vectors."""
    if rank(node.inputs[1]) > 1 and _op(node).b_ndim == 1:
        return Code(f"{write(Code(f'{b:.}[..., None]'))}[..., 0]")
    return write(b)


@prints(Expm, stem="exponential", stacked=True)
def matrix_exponential(writer: Writer, node: Apply, a: Code) -> Code:
    return call("scipy.linalg.expm", a)


@prints(KroneckerProduct, stem="product")
def kron(writer: Writer, node: Apply, a: Code, b: Code) -> Code:
    return call("np.kron", a, b)


@prints(BlockDiagonal, stem="blocks")
def block_diagonal(writer: Writer, node: Apply, *blocks: Code) -> Code:
    return call("scipy.linalg.block_diag", *blocks)


@prints(AllocDiag, stem="matrix")
def diagonal_matrix(writer: Writer, node: Apply, x: Code) -> Code:
    if rank(node.inputs[0]) != 1:
        raise NoSource(node.op)
    return call("np.diag", x, *[f"k={node.op.offset}"] * bool(node.op.offset))
