"""Cholesky factors that stand for their matrix: derivatives go past them.

    L = cholesky(K)                          as it is written, and computed
    z = solve(L, y)
    z @ z + 2 * sum(log(diag(L)))            differentiated as y' K^-1 y + log det K

Only the lower triangle of K is read. Where K is symmetric by its form (`symmetric.py`) that makes no difference, and
where it is made elementwise of the data's matrices, their lower triangles are mirrored once for each data set; else the
slopes are cut to a triangle.

The derivative of a factor takes two triangular solutions with whole matrices, two triangles and a sum of transposes,
and its second derivative four times that. Where all that is asked of the factor is a determinant, a solution or a
quadratic form, these are functions of the matrix, with the slopes -K^-1 dK K^-1 (`ops/factored.py`). What else reads
the factor goes through it as before.
"""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import pytensor.scalar as ps
import pytensor.tensor as pt
from pytensor.graph.basic import Apply, Constant, Variable
from pytensor.graph.fg import FunctionGraph
from pytensor.tensor.basic import ExtractDiag
from pytensor.tensor.elemwise import DimShuffle, Elemwise
from pytensor.tensor.linalg.decomposition.cholesky import Cholesky
from pytensor.tensor.linalg.solvers.psd import CholeskySolve, cho_solve
from pytensor.tensor.linalg.solvers.triangular import SolveTriangular
from pytensor.tensor.math import Dot, Sum, mul, sqr
from pytensor.tensor.shape import specify_shape
from pytensor.tensor.variable import TensorVariable

from autoopt.graph.rewrites.symmetric import Symmetry
from autoopt.ops.factored import Formed, LogDiagonal, Quadratic, Solution, Symmetric
from autoopt.ops.patterns import (
    applied,
    core_of,
    expanded,
    insert_axes,
    is_elementwise,
    is_elementwise_node,
    is_zero,
    rank,
)


def past_factors(graph: FunctionGraph) -> None:
    """Give what stands for functions of a matrix, written by its factor, their slopes as such."""
    if not any(isinstance(core_of(node), Cholesky) for node in graph.apply_nodes):
        return
    forms: dict[Variable, Any] = {}
    known = Symmetry()
    for node in graph.toposort():
        if isinstance(core_of(node), Cholesky) and core_of(node).lower and not known.is_matrix(node.inputs[0]):
            K = _mirrored(node.inputs[0], known)
            if K is not None:
                graph.replace(node.outputs[0], node.op(K))
    for node in graph.toposort():
        if len(node.outputs) == 1 and (plain := _uncut(node)) is not None:
            graph.replace(node.outputs[0], plain)
    for pattern in (_log_diagonal, _solution, _quadratic):
        for node in graph.toposort():
            if (
                len(node.outputs) == 1
                and not isinstance(node.op, Formed)
                and (form := pattern(node, forms)) is not None
            ):
                graph.replace(node.outputs[0], form)


def _mirrored(x: Variable, known: Symmetry) -> Variable | None:
    """Return a symmetric matrix with the lower triangle of `x`, whose arrays of data are made symmetric beforehand."""
    if all(x.type.broadcastable) or known.is_matrix(x):
        return x
    if getattr(x.tag, "given", False) and rank(x) == 2 and x.type.dtype == "float64":
        return applied(Symmetric(), x) if x.type.shape[0] == x.type.shape[1] else None
    if x.owner is None or not isinstance(x.owner.op, Elemwise):
        return None
    operands = [_mirrored(v, known) for v in x.owner.inputs]
    if None in operands:
        return None
    mirrored = applied(x.owner.op, *cast("list[Variable]", operands))
    mirrored.tag.trace = getattr(x.tag, "trace", [])
    return mirrored


def _uncut(node: Apply) -> Variable | None:
    """where(tri, L, 0), which is L, and the diagonal or a triangle of where(tri, L, K), which are those of L."""
    if isinstance(node.op, ExtractDiag) and not node.op.offset:
        inside = node.inputs[0].owner
        found = None if inside is None else _of_triangle(inside)
        return None if found is None else applied(node.op, found)
    L = _of_triangle(node)
    return L if L is not None and is_zero(node.inputs[2]) else None


def _of_triangle(node: Apply) -> Variable | None:
    """Return a factor, or the transpose of one, of which an array has the whole triangle."""
    if not is_elementwise_node(node, ps.Switch) or rank(node.outputs[0]) != 2:
        return None
    for lower in (True, False):
        L = _factor(node.inputs[1], lower) if _covers(node.inputs[0], lower) else None
        if L is not None:
            return L if lower else cast(TensorVariable, L).T
    return None


def _log_diagonal(node: Apply, forms: dict) -> Variable | None:
    """sum(log(diag(L))) with the slopes of log(det(K)) / 2."""
    if not isinstance(node.op, Sum) or rank(node.outputs[0]) or not is_elementwise(node.inputs[0], ps.Log):
        return None
    (diagonal,) = node.inputs[0].owner.inputs
    if diagonal.owner is None or not isinstance(diagonal.owner.op, ExtractDiag) or diagonal.owner.op.offset:
        return None
    found = (_factor(diagonal.owner.inputs[0], lower) for lower in (True, False))
    L = next((factor for factor in found if factor is not None), None)
    return None if L is None else applied(LogDiagonal(), _again(node), _matrix(L, forms), L)


def _solution(node: Apply, forms: dict) -> Variable | None:
    """solve(L.T, solve(L, b)), or a solution by the factor, with the slopes of K^-1 b."""
    core = core_of(node)
    if isinstance(core, CholeskySolve):
        L, b = _factor(node.inputs[0], core.lower), node.inputs[1]
    elif isinstance(core, SolveTriangular):
        L, (other, b) = _factor_of_solve(node, False), _half(node.inputs[1])
        L = L if L is other else None
    else:
        return None
    if L is None:
        return None
    shown = specify_shape(cho_solve((L, True), b, b_ndim=rank(b)), node.outputs[0].type.shape)
    shown.tag.trace = getattr(node.outputs[0].tag, "trace", [])
    return applied(Solution(), shown, _matrix(L, forms), L, b)


def _quadratic(node: Apply, forms: dict) -> Variable | None:
    """Sums of squares of z = solve(L, b), or products of two such, with the slopes of b' K^-1 b."""
    if isinstance(node.op, Sum):
        factors, axes = _factors(node.inputs[0]), node.op.axis
        if len(factors) != 2 or not (axes is None or 0 in axes):
            return None
        (L, b), (other, c) = map(_half, factors)
        if L is None or L is not other or b is not c or (axes is not None and len(axes) not in (1, rank(b))):
            return None
        return applied(Quadratic(), _again(node), _matrix(L, forms), L, b)
    if not isinstance(node.op, Dot):
        return None
    (scale, left), right = _scaled(node.inputs[0]), node.inputs[1]
    (L, b), (other, c) = _half(_turned(left)), _half(_column(right))
    if L is None or L is not other:
        return None
    K = _matrix(L, forms)
    if b is c and rank(b) == 1:
        value = applied(Sum(axis=None), sqr(_column(right)))
        form = applied(Quadratic(), value, K, L, b).dimshuffle("x", "x")
    else:
        solved = applied(Solution(), cho_solve((L, True), c, b_ndim=rank(c)), K, L, c)
        form = pt.dot(
            cast(TensorVariable, b).T if rank(b) == 2 else insert_axes(b, (0,)),
            solved if rank(c) == 2 else insert_axes(solved, (1,)),
        )
    form = mul(*scale, form) if scale else form
    return applied(Formed(), _again(node), specify_shape(form, node.outputs[0].type.shape))


def _again(node: Apply) -> Variable:
    """Return the result of the same node once more: what is replaced may not stand in its own place."""
    variable = node.clone().outputs[0]
    variable.tag.trace = getattr(node.outputs[0].tag, "trace", [])
    return variable


def _factor(matrix: Variable, lower: bool) -> Variable | None:
    """Return the lower factor L of which a matrix has the lower, or upper, triangle; None if it has not.

    `where(tri, L, 0)` has its lower triangle, and the transpose of that the upper one.
    """
    transposed = False
    while (node := matrix.owner) is not None:
        if isinstance(node.op, DimShuffle) and node.op.new_order == (1, 0):
            lower, transposed, matrix = not lower, not transposed, node.inputs[0]
        elif is_elementwise(matrix, ps.Switch) and _covers(node.inputs[0], lower):
            matrix = node.inputs[1]
        elif isinstance(core_of(node), Cholesky) and matrix.type.ndim == 2:
            return matrix if lower and core_of(node).lower and None not in matrix.type.shape else None
        else:
            return None
    return None


def _covers(mask: Variable, lower: bool) -> bool:
    """Whether a constant mask is true on a whole triangle."""
    if not isinstance(mask, Constant) or mask.type.ndim != 2:
        return False
    rows, columns = np.indices(mask.data.shape)
    return bool(np.all(mask.data[rows >= columns if lower else rows <= columns]))


def _factor_of_solve(node: Apply | None, lower: bool) -> Variable | None:
    """Return L of solve(L, b), or of solve(L.T, b) if not `lower`."""
    if node is None:
        return None
    core = core_of(node)
    if not isinstance(core, SolveTriangular) or core.unit_diagonal or core.lower != lower:
        return None
    return _factor(node.inputs[0], lower)


def _half(variable: Variable) -> tuple[Variable | None, Variable]:
    """Return L and b of z = solve(L, b); L is None if it is none."""
    L = _factor_of_solve(variable.owner, True)
    return L, variable if L is None else variable.owner.inputs[1]


def _matrix(L: Variable, forms: dict) -> Variable:
    """Return the symmetric matrix of which L is the factor: it reads the lower triangle of what it is given."""
    if L not in forms:
        K = L.owner.inputs[0]
        forms[L] = K if Symmetry().is_matrix(K) else applied(Symmetric(), K)
    return forms[L]


def _factors(product: Variable) -> list[Variable]:
    """Return the factors of a product or a square."""
    if is_elementwise(product, ps.Sqr):
        return [*product.owner.inputs] * 2
    return list(product.owner.inputs) if is_elementwise(product, ps.Mul) else []


def _scaled(variable: Variable) -> tuple[list[Variable], Variable]:
    """Return the single numbers that an array is multiplied by, and the array."""
    if not is_elementwise(variable, ps.Mul):
        return [], variable
    whole = [v for v in variable.owner.inputs if not all(v.type.broadcastable)]
    return ([v for v in variable.owner.inputs if v is not whole[0]], whole[0]) if len(whole) == 1 else ([], variable)


def _column(variable: Variable) -> Variable:
    """Return the vector of a column, or a matrix as it is."""
    pair = expanded(variable)
    return pair[1] if pair and pair[0] == (1,) else variable


def _turned(variable: Variable) -> Variable:
    """Return the vector of a row, or the matrix of a transpose."""
    pair = expanded(variable)
    if pair and pair[0] == (0,):
        return pair[1]
    node = variable.owner
    return node.inputs[0] if node and isinstance(node.op, DimShuffle) and node.op.new_order == (1, 0) else variable
