"""Products of matrices that are linear in a few late numbers: the matrices are multiplied early, once.

    D = d[0] * E0 + d[1] * E1                        late, n x n
    A @ D                                            d[0] * (A @ E0) + d[1] * (A @ E1)

The derivatives of a covariance matrix by its parameters are such E: for each further direction n^2 operations are left
of n^3. It goes through sums, transposes, products with arrays and solutions of systems.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, cast

import pytensor.scalar as ps
from pytensor.graph.basic import Apply, Variable
from pytensor.tensor.elemwise import DimShuffle
from pytensor.tensor.linalg.solvers.psd import CholeskySolve
from pytensor.tensor.linalg.solvers.triangular import SolveTriangular
from pytensor.tensor.math import Dot, add, mul, neg, true_div
from pytensor.tensor.variable import TensorVariable

from autoopt.ops.matmul import MatMul
from autoopt.ops.patterns import age, core_of, is_elementwise, rank, size_in_bytes

NUMBERS = 4
"""The most numbers of which this is done: each means a product of matrices for every point."""

LARGE = 2**24
"""Bytes of an array from which on none is kept for each number."""

Parts = dict[tuple[Variable, ...], Variable]
"""What is early, by the late numbers that it is multiplied by."""


class Dependents:
    """The variables that depend on some, looked up as they are asked for.

    Parameters
    ----------
    sources : iterable of Variable
    """

    def __init__(self, sources: Iterable[Variable]) -> None:
        self._known = dict.fromkeys(sources, True)

    def __contains__(self, variable: Variable) -> bool:
        if variable not in self._known:
            node = variable.owner
            self._known[variable] = node is not None and any(v in self for v in node.inputs)
        return self._known[variable]


class Linear:
    """What is a sum of late numbers times early arrays.

    Parameters
    ----------
    depends : Dependents
        What is late.
    kept : callable
        What early arrays go through.
    """

    def __init__(self, depends: Dependents, kept: Callable[[Variable], Variable]) -> None:
        self.depends, self.kept = depends, kept
        self._known: dict[Variable, Parts | None] = {}
        self._spread: dict[tuple[Variable, int], Variable] = {}

    def product(self, node: Apply) -> Variable | None:
        """Return a product of matrices, or a solution, as a sum of numbers times arrays; None if it is none."""
        if not isinstance(core_of(node), _PRODUCTS) or not rank(node.outputs[0]):
            return None
        parts = self._of(node)
        if parts is None:
            return None
        terms = []
        for numbers, array in parts.items():
            terms.append(mul(*self.spread(numbers, rank(array)), array))
        return add(*terms) if len(terms) > 1 else terms[0]

    def spread(self, numbers: Iterable[Variable], axes: int) -> list[Variable]:
        """Return numbers as arrays of one entry, the same for the same number."""
        found = []
        for number in numbers:
            if (number, axes) not in self._spread:
                self._spread[number, axes] = cast(TensorVariable, number).dimshuffle(*["x"] * axes)
            found.append(self._spread[number, axes])
        return found

    def parts(self, variable: Variable) -> Parts | None:
        """Return the parts of a late array; None if it is not linear in a few numbers."""
        if variable not in self._known:
            parts = None if variable.owner is None else self._of(variable.owner)
            self._known[variable] = parts
        return self._known[variable]

    def _of(self, node: Apply) -> Parts | None:
        if len(node.outputs) > 1 or not rank(node.outputs[0]) or all(node.outputs[0].type.broadcastable):
            return None
        parts = self._unlimited(node)
        if parts is None or not 0 < len(parts) <= NUMBERS or any(not key for key in parts):
            return None
        pattern = node.outputs[0].type.broadcastable
        if any(size_in_bytes(v) > LARGE or v.type.broadcastable != pattern for v in parts.values()):
            return None
        return parts

    def _unlimited(self, node: Apply) -> Parts | None:
        out, inputs = node.outputs[0], node.inputs
        if is_elementwise(out, (ps.Add, ps.Sub)):
            return self._sum(inputs, is_elementwise(out, ps.Sub))
        if is_elementwise(out, ps.Mul):
            return self._scaled(inputs)
        if is_elementwise(out, ps.Neg):
            return self._each(inputs[0], neg)
        if is_elementwise(out, ps.TrueDiv) and inputs[1] not in self.depends:
            return self._each(inputs[0], lambda part: true_div(part, inputs[1]))
        if isinstance(node.op, DimShuffle):
            return self._each(inputs[0], node.op)
        if isinstance(core_of(node), _PRODUCTS):
            late = [k for k, v in enumerate(inputs) if v in self.depends]
            if len(late) != 1 or (late[0] == 0 and not isinstance(node.op, Dot | MatMul)):
                return None
            (place,) = late
            return self._each(inputs[place], lambda part: node.op(*inputs[:place], part, *inputs[place + 1 :]))
        return None

    def _each(self, variable: Variable, function: Any) -> Parts | None:
        """Return the parts of an array with a linear function of each."""
        parts = self.parts(variable)
        return None if parts is None else {key: self.kept(function(part)) for key, part in parts.items()}

    def _sum(self, operands: list[Variable], minus: bool) -> Parts | None:
        found: dict[tuple[Variable, ...], list[Variable]] = {}
        for k, operand in enumerate(operands):
            parts = self.parts(operand) if operand in self.depends else None
            if parts is None:
                return None
            for key, part in parts.items():
                found.setdefault(key, []).append(neg(part) if k and minus else part)
        return {key: self.kept(add(*parts)) if len(parts) > 1 else parts[0] for key, parts in found.items()}

    def _scaled(self, factors: list[Variable]) -> Parts | None:
        late = [v for v in factors if v in self.depends]
        early = [v for v in factors if v not in self.depends]
        numbers = [v for v in late if all(v.type.broadcastable)]
        arrays = [v for v in late if not all(v.type.broadcastable)]
        if len(arrays) > 1 or not (arrays or (early and numbers)):
            return None
        parts: Parts | None = self.parts(arrays[0]) if arrays else {(): mul(*early) if len(early) > 1 else early[0]}
        if parts is None:
            return None
        more = [_number(v) for v in numbers]
        scaled: Parts = {}
        for key, part in parts.items():
            own = mul(*early, part) if arrays and early else part
            scaled[tuple(sorted([*key, *more], key=age))] = self.kept(own)
        return scaled


_PRODUCTS = (Dot, MatMul, CholeskySolve, SolveTriangular)


def _number(variable: Variable) -> Variable:
    """Return a number without axes."""
    while variable.owner is not None and isinstance(variable.owner.op, DimShuffle):
        variable = variable.owner.inputs[0]
    return variable if rank(variable) == 0 else cast(TensorVariable, variable).dimshuffle()
