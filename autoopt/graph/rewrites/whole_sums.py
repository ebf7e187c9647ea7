"""Sums over all of a matrix, and products with matrices of rank one, in the order that a person multiplies in.

sum(s * A * B / t)                  s * sum(A * B) / t          one product of whole matrices, numbers last
sum(A * eye(n))                     trace(A)
0.5 * A - (0.5 * x)[:, None] * x    0.5 * (A - x[:, None] * x)
A @ (u[:, None] * v)                (A @ u)[:, None] * v        n^2 operations for n^3
v @ S                               S @ v                       of a symmetric S, which the value has already
solve(K, 0.5 * y)                   0.5 * solve(K, y)           which the value has already
r + r                               2.0 * r                     the slope of `r @ r`
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any, cast

import numpy as np
import pytensor.scalar as ps
import pytensor.tensor as pt
from pytensor.graph.basic import Apply, Constant, Variable
from pytensor.graph.fg import FunctionGraph
from pytensor.tensor.blockwise import Blockwise
from pytensor.tensor.elemwise import DimShuffle
from pytensor.tensor.linalg.solvers.general import Solve
from pytensor.tensor.linalg.solvers.psd import CholeskySolve
from pytensor.tensor.linalg.solvers.triangular import SolveTriangular
from pytensor.tensor.math import Dot, Sum, mul, neg, true_div
from pytensor.tensor.variable import TensorVariable

from autoopt.graph.rewrites.symmetric import Symmetry, is_identity
from autoopt.ops.patterns import applied, core_of, expanded, insert_axes, is_elementwise, rank, uniform

_SOLVES = (Solve, CholeskySolve, SolveTriangular)


def order_products(graph: FunctionGraph) -> bool:
    """Rewrite sums, products of matrices and solutions of systems; return whether there were any such."""
    changed = False
    known = Symmetry()
    for rule in (_rank_one, _from_left, _solution, _common_number, _whole_sum, _doubled):
        for node in graph.toposort():
            if len(node.outputs) == 1 and (better := rule(node, known)) is not None:
                graph.replace(node.outputs[0], better, reason=rule.__name__)
                changed = True
    return changed


def _whole_sum(node: Apply, known: Symmetry) -> Variable | None:
    """sum(s * A * B / t) over all axes -> s * sum(A * B) / t."""
    if not isinstance(node.op, Sum) or rank(node.inputs[0]) < 2 or rank(node.outputs[0]):
        return None
    parts = _Parts(node.inputs[0])
    identity = [v for v in parts.arrays if is_identity(v)]
    if (not parts.numbers and not identity) or not parts.arrays or parts.shrunk:
        return None
    arrays = [v for v in parts.arrays if v not in identity[:1]]
    if identity and arrays:
        diagonals = [pt.diagonal(cast(TensorVariable, v)) for v in arrays]
        total: Variable = pt.sum(mul(*diagonals) if len(diagonals) > 1 else diagonals[0])
    else:
        total = applied(node.op, mul(*parts.arrays) if len(parts.arrays) > 1 else parts.arrays[0])
    return parts.times(total, lambda number: cast(TensorVariable, number).dimshuffle())


def _doubled(node: Apply, known: Symmetry) -> Variable | None:
    """r + r -> 2 * r, and the same of terms of longer sums that stand there several times."""
    counts = Counter(node.inputs)
    out = node.outputs[0]
    if not is_elementwise(out, ps.Add) or len(counts) == len(node.inputs) or out.type.dtype != "float64":
        return None
    terms = [term if n == 1 else mul(np.float64(n), term) for term, n in counts.items()]
    return pt.add(*terms) if len(terms) > 1 else terms[0]


class _Parts:
    """The factors of a product, those that are single numbers apart from arrays.

    Attributes
    ----------
    numbers : list of (bool, Variable)
        True for those that are divided by.
    arrays : list of Variable
    negative : bool
    shrunk : bool
        Whether arrays that are left are smaller than the product.
    """

    def __init__(self, product: Variable) -> None:
        self.numbers: list[tuple[bool, Variable]] = []
        self.arrays: list[Variable] = []
        self.negative = False
        self.take(product)
        wide = product.type.broadcastable
        have = zip(*(v.type.broadcastable for v in self.arrays), strict=True)
        self.shrunk = not self.arrays or tuple(all(one) for one in have) != wide

    def take(self, variable: Variable) -> None:
        if variable.type.dtype != "float64" or not rank(variable):
            self.arrays.append(variable)
        elif all(variable.type.broadcastable):
            self.numbers.append((False, variable))
        elif is_elementwise(variable, ps.Mul):
            for factor in variable.owner.inputs:
                self.take(factor)
        elif is_elementwise(variable, ps.Neg):
            self.negative = not self.negative
            self.take(variable.owner.inputs[0])
        elif is_elementwise(variable, ps.TrueDiv) and all(variable.owner.inputs[1].type.broadcastable):
            above, below = variable.owner.inputs
            self.take(above)
            self.numbers.append((True, below))
        else:
            self.arrays.append(variable)

    def times(self, value: Variable, shaped: Callable[[Variable], Variable]) -> Variable:
        """Return a value times the numbers."""
        above = [shaped(v) for divides, v in self.numbers if not divides]
        result: Any = mul(*above, value) if above else value
        for divides, v in self.numbers:
            result = true_div(result, shaped(v)) if divides else result
        return neg(result) if self.negative else result


def _common_number(node: Apply, known: Symmetry) -> Variable | None:
    """c * A - (c * x) * y -> c * (A - x * y), for a constant c and matrices."""
    out = node.outputs[0]
    if rank(out) != 2 or any(out.type.broadcastable) or not is_elementwise(out, (ps.Add, ps.Sub)):
        return None
    found = [_constant_of(v) for v in node.inputs]
    numbers = {abs(number) for number, _ in found}
    if len(numbers) != 1 or 1.0 in numbers or len(found) < 2:
        return None
    (number,) = numbers
    terms = [neg(v) if one < 0 else v for one, v in found]
    return mul(pt.constant(number, dtype="float64").dimshuffle("x", "x"), cast(TensorVariable, node.op(*terms)))


def _constant_of(variable: Variable) -> tuple[float, Variable]:
    """Return a constant that an array is multiplied by, and the rest of it."""
    node = variable.owner
    if is_elementwise(variable, ps.Neg):
        number, rest = _constant_of(node.inputs[0])
        return -number, rest
    if isinstance(node and node.op, DimShuffle):
        number, rest = _constant_of(node.inputs[0])
        return number, variable if number == 1.0 else node.op(rest)
    if is_elementwise(variable, ps.Mul) or isinstance(node and node.op, Dot):
        total, factors = 1.0, []
        for factor in node.inputs:
            alone = uniform(factor) if is_elementwise(variable, ps.Mul) and all(factor.type.broadcastable) else None
            number, rest = (alone, factor) if alone is not None else _constant_of(factor)
            total *= number
            factors += [rest] if alone is None else []
        if total == 1.0 or not factors or total == 0.0:
            return 1.0, variable
        rest = node.op(*factors) if len(factors) > 1 else factors[0]
        return (total, rest) if rest.type.broadcastable == variable.type.broadcastable else (1.0, variable)
    return 1.0, variable


def _solution(node: Apply, known: Symmetry) -> Variable | None:
    """solve(K, c * y) -> c * solve(K, y), for a constant c; solutions by the same matrix have the same form."""
    core = core_of(node)
    if not isinstance(core, _SOLVES):
        return None
    number, rest = _constant_of(node.inputs[1])
    same: Any = node.op
    if isinstance(core, Solve) and core.assume_a == "gen" and core.lower:  # which says nothing then
        same = Solve(**cast(Any, core)._props_dict() | {"lower": False})
        same = same if node.op is core else Blockwise(same)
    if abs(number) == 1.0:  # a sign stays where it is
        return None if same is node.op else cast(TensorVariable, same(*node.inputs))
    solved = cast(TensorVariable, same(node.inputs[0], rest))
    return mul(pt.constant(number, dtype="float64").dimshuffle(*["x"] * solved.ndim), solved)


def _rank_one(node: Apply, known: Symmetry) -> Variable | None:
    """A @ (u[:, None] * v) -> (A @ u)[:, None] * v, and the same from the left."""
    if not isinstance(node.op, Dot):
        return None
    a, b = node.inputs
    pair = _outer(b)
    if pair is not None and not any(a.type.broadcastable):
        u, v = pair
        return mul(insert_axes(pt.dot(a, u), (1,)), insert_axes(v, (0,)))
    pair = _outer(a)
    if pair is not None and not any(b.type.broadcastable):
        u, v = pair
        return mul(insert_axes(u, (1,)), insert_axes(pt.dot(v, b), (0,)))
    return None


def _from_left(node: Apply, known: Symmetry) -> Variable | None:
    """v @ S -> S @ v for a symmetric matrix, which it is read as elsewhere."""
    if not isinstance(node.op, Dot) or (pair := expanded(node.inputs[0])) is None or pair[0] != (0,):
        return None
    S = node.inputs[1]
    if rank(pair[1]) != 1 or any(S.type.broadcastable) or isinstance(S, Constant) or not known.is_matrix(S):
        return None
    return cast(TensorVariable, pt.dot(S, insert_axes(pair[1], (1,)))).dimshuffle(0).dimshuffle("x", 0)


def _outer(matrix: Variable) -> tuple[Variable, Variable] | None:
    """Return the vectors of which a matrix is the outer product."""
    if not is_elementwise(matrix, ps.Mul) and not isinstance(matrix.owner and matrix.owner.op, Dot):
        return None
    if rank(matrix) != 2 or any(matrix.type.broadcastable) or matrix.type.dtype != "float64":
        return None
    columns: list[Variable] = []
    rows: list[Variable] = []
    for factor in matrix.owner.inputs:
        column, row = factor.type.broadcastable[1], factor.type.broadcastable[0]
        if not (column or row):
            return None  # and, as the product has no unit axis, there are some of both kinds
        (columns if column else rows).append(cast(TensorVariable, factor).dimshuffle(0 if column else 1))
    u, v = (mul(*vectors) if len(vectors) > 1 else vectors[0] for vectors in (columns, rows))
    return u, v
