"""A root as one PyTensor operation, whose derivative is that of the equation that it solves.

With F(z, p) = 0 the root moves by dz/dp = -(dF/dz)^-1 dF/dp, whatever the search did to find it:

    z = scipy.optimize.brentq(lambda z: z**3 + a * z - y, -10, 10)      the user's, a and y depending on p

    weight = -gradient_of_z / (3 * z**2 + a)                            the pullback: no search, and no loop
    gradient_of_a = weight * z; gradient_of_y = -weight

The formula reads the root itself, so its own derivative, to any order, is the same formula again. Where a search ends
at a rough tolerance the formula is taken where one more step of Newton's method leads, whose error is the square of
that; how that step itself moves need not be known, as the root before it and the one behind it move alike.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from math import prod
from typing import Any, cast

import numpy as np
import pytensor
import pytensor.tensor as pt
from pytensor.compile.mode import Mode
from pytensor.gradient import DisconnectedType, disconnected_grad, disconnected_type
from pytensor.graph.basic import Apply, Variable, equal_computations
from pytensor.graph.op import Op
from pytensor.graph.replace import _vectorize_node, clone_replace, vectorize_graph
from pytensor.tensor.variable import TensorVariable

from autoopt.graph.loops.adjoints import pulled
from autoopt.graph.loops.bodies import rewritten
from autoopt.ops.patterns import applied
from autoopt.rules.table import Rule, find
from autoopt.tape.recurrence import Known
from autoopt.tape.root import Root, search


class RootOp(Op):
    """What a search of SciPy finds, one root or many.

    Inputs are where the search starts, then what the equation reads.

    Parameters
    ----------
    root : Root
        Which search, with which options; its body is not read here.
    inputs : sequence of Variable
        The unknown, and what the equation reads, of one root.
    results : sequence of Variable
        The functions of the search in terms of these.
    stacked : sequence of bool
        For each operand whether it has an entry for each of many roots; empty if there is one root.
    """

    def __init__(
        self, root: Root, inputs: Sequence[Variable], results: Sequence[Variable], stacked: Sequence[bool]
    ) -> None:
        self.root, self.inputs, self.results = root, tuple(inputs), tuple(results)
        self.stacked = tuple(stacked)
        self._run: list[Callable] | None = None

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if type(other) is not RootOp or self._head() != other._head():
            return False
        if [v.type for v in self.inputs] != [v.type for v in other.inputs]:
            return False
        return equal_computations([*self.results], [*other.results], list(self.inputs), list(other.inputs))

    def __hash__(self) -> int:
        return hash(self._head())

    def _head(self) -> tuple:
        root = self.root
        names = tuple(name for name, _ in root.functions)
        return root.search, repr(root.options), root.starts, names, root.fixed, self.stacked, len(self.inputs)

    def __str__(self) -> str:
        return f"Root{{{self.root.search}}}"

    @property
    def unknown(self) -> Variable:
        """The body's variable for the root."""
        return self.inputs[0]

    def make_node(self, *inputs: Variable) -> Apply:
        operands = [pt.as_tensor(v) for v in inputs]
        lead = [v.type.shape[0] for v, many in zip(operands, self.stacked, strict=False) if many][:1]
        return Apply(self, operands, [pt.tensor(dtype="float64", shape=(*lead, *self.unknown.type.shape))])

    def perform(self, node: Apply, inputs: Sequence, output_storage: list) -> None:
        """Search in PyTensor's own way: no code of autoopt's does, it prints searches."""
        if self._run is None:
            mode = Mode(linker="py", optimizer="None")
            self._run = [
                pytensor.function(list(self.inputs), [out], mode=mode, on_unused_input="ignore") for out in self.results
            ]
        count = next((len(x) for x, many in zip(inputs, self.stacked, strict=False) if many), None)
        rows = [inputs] if count is None else [self._row(inputs, i) for i in range(count)]
        found = [self._searched(self._run, row) for row in rows]
        output_storage[0][0] = np.asarray(found[0] if count is None else found)

    def _row(self, inputs: Sequence, i: int) -> list:
        return [x[i] if many else x for x, many in zip(inputs, self.stacked, strict=True)]

    def _searched(self, run: Sequence[Callable], operands: Sequence) -> Any:
        starts, given = operands[: self.root.starts], operands[self.root.starts :]
        functions: dict[str, Any] = {
            name: lambda z, one=one: one(z, *given)[0] for (name, _), one in zip(self.root.functions, run, strict=True)
        }
        return search(self.root.search, functions.pop(""), starts, functions | dict(self.root.options))

    def pullback(
        self, inputs: Sequence[Variable], outputs: Sequence[Variable], cotangents: Sequence[Variable]
    ) -> list[Variable]:
        """Return the derivatives with respect to what the equation reads; where the search starts has none.

        Notes
        -----
        With F(z, p) = 0 and the cotangent g of z: w = -(dF/dz)^-T g, and (dF/dp)^T w.
        """
        starts, given = inputs[: self.root.starts], inputs[self.root.starts :]
        results: list[Variable] = [disconnected_type() for _ in starts]
        if isinstance(cotangents[0].type, DisconnectedType):
            return [*results, *(disconnected_type() for _ in given)]
        own = list(self.inputs[1:])
        cotangent = pt.tensor(dtype="float64", shape=self.unknown.type.shape)
        slopes = iter(self._slopes(cotangent))
        outer: dict[Variable, Variable] = {self.unknown: outputs[0], cotangent: cotangents[0]}
        outer |= dict(zip(own, given, strict=True))
        for k, v in enumerate(own):
            if v.type.dtype != "float64":
                results.append(disconnected_type())
                continue
            slope = next(slopes)
            if not self.stacked:
                results.append(clone_replace([slope], outer)[0])
                continue
            (every,) = vectorize_graph([slope], outer)
            many = self.stacked[self.root.starts + k]
            if every.type.ndim == v.type.ndim:  # the same for all roots
                count = pt.as_tensor(outputs[0]).shape[0]
                every = pt.broadcast_to(every, (count, *pt.as_tensor(every).shape))
            results.append(every if many else pt.sum(every, axis=0))
        return results

    def _slopes(self, cotangent: Variable) -> list[Variable]:
        """Return the derivatives by the operands that are floats, of one root, in terms of the body's variables."""
        z = cast(TensorVariable, self.unknown)
        value = pt.as_tensor(self.results[0])
        equation = value - z if self.root.fixed else value
        size = prod(z.type.shape)
        shape = z.type.shape
        if z.type.ndim == 0:
            matrix = pt.as_tensor(pulled([equation], [pt.ones(())], [z])[0])
        else:
            unit = pt.tensor(dtype="float64", shape=shape)
            (row,) = pulled([equation], [unit], [z])
            units: dict[Variable, Variable] = {unit: pt.constant(np.eye(size).reshape((size, *shape)))}
            matrix = cast(TensorVariable, vectorize_graph(row, units))
            matrix = matrix if z.type.ndim == 1 else matrix.reshape((size, size))

        def solved(a: TensorVariable, b: Variable) -> TensorVariable:
            if z.type.ndim == 0:
                return b / a
            if z.type.ndim == 1:
                return _solve(a, pt.as_tensor(b)[:, None])[:, 0]
            return _solve(a, pt.as_tensor(b).reshape((size, 1))).reshape(shape)

        polished: dict[Variable, Variable] = {}
        if self.root.is_rough:
            polished[z] = z - disconnected_grad(solved(matrix, equation))
        weight = pt.tensor(dtype="float64", shape=shape)
        wrt = [v for v in self.inputs[1:] if v.type.dtype == "float64"]
        slopes = pulled([equation], [weight], wrt)
        square, *slopes = clone_replace([matrix, *slopes], polished)
        transposed = pt.as_tensor(square).T
        turned: dict[Variable, Variable] = {weight: -solved(transposed, cotangent)}
        return list(clone_replace(slopes, turned))

    def connection_pattern(self, node: Apply) -> list[list[bool]]:
        starts = self.root.starts
        return [[k >= starts and v.type.dtype == "float64"] for k, v in enumerate(node.inputs)]


def _solve(a: Variable, b: Variable) -> TensorVariable:
    rule = find(np.linalg.solve)
    assert rule is not None
    return rule.build(a, b)


def build_root(root: Root, apply: Callable, *given: Any) -> TensorVariable:
    """Return the root of a tape's `Root`; numbers among the operands are part of the equation.

    `apply` enters one step of a body.
    """
    stacked = root.stacked or (False,) * len(given)
    operands, inner, flags = [], [], []
    values: list[Any] = [pt.tensor("z", dtype="float64", shape=root.body[0].shape)]
    for k, operand in enumerate(given):
        own = k >= root.starts
        if own and not isinstance(operand, Variable):
            values.append(operand)
            continue
        operands.append(pt.as_tensor(operand))
        flags.append(stacked[k])
        if own:
            step = root.body[1 + k - root.starts]
            inner.append(pt.tensor(operands[-1].name, dtype=operands[-1].type.dtype, shape=step.shape))
            values.append(inner[-1])
        elif operands[-1].type.dtype != "float64":
            operands[-1] = operands[-1].astype("float64")
    inputs = [values[0], *inner]
    for step in root.body[len(values) :]:
        values.append(step.template.value if isinstance(step.template, Known) else apply(step, values))
    results = rewritten(inputs, [pt.as_tensor(values[step]) for _, step in root.functions], "first")
    return applied(RootOp(root, inputs, results, flags if root.stacked else ()), *operands)


def find_root(operation: object, apply: Callable) -> Rule | None:
    """Return the rule of a tape operation that is a root."""
    return Rule(operation, partial(build_root, operation, apply)) if isinstance(operation, Root) else None


@_vectorize_node.register(RootOp)
def _vectorize_root(op: RootOp, node: Apply, *batched: Variable) -> list[Variable]:
    """Return the roots for a stack of inputs, of which all axes before a single root's are made one."""
    extra = [new.type.ndim - old.type.ndim for new, old in zip(batched, node.inputs, strict=True)]
    if not any(extra):
        return op.make_node(*batched).outputs
    own = [1] * len(batched) if not op.stacked else [int(many) for many in op.stacked]
    own = own if op.stacked else [0] * len(batched)
    lead = max(more + one for more, one in zip(extra, own, strict=True))
    if lead == 1:
        flags = tuple(more + one > 0 for more, one in zip(extra, own, strict=True))
        return RootOp(op.root, op.inputs, op.results, flags).make_node(*batched).outputs
    full: list[int | None] = [1] * lead
    pairs = list(zip(batched, extra, own, strict=True))
    for new, more, one in pairs:  # an axis for the roots of the operation itself comes last
        for k, length in enumerate(new.type.shape[: more + one]):
            place = lead - more - one + k if one or not op.stacked else lead - 1 - more + k
            full[place] = length if length != 1 else full[place]
    if None in full:
        raise NotImplementedError("roots of stacks whose lengths are not known")
    flat = [_flat(new, more, one, op, full) if more + one else new for new, more, one in pairs]
    flags = tuple(more + one > 0 for _, more, one in pairs)
    (roots,) = RootOp(op.root, op.inputs, op.results, flags).make_node(*flat).outputs
    return [pt.as_tensor(roots).reshape((*full, *op.unknown.type.shape))]


def _flat(new: Variable, more: int, one: int, op: RootOp, full: Sequence[int | None]) -> TensorVariable:
    """Return an operand with an entry for each root of a stack."""
    x = pt.as_tensor(new)
    rest = x.type.shape[more + one :]
    if op.stacked and not one:
        x = pt.expand_dims(x, more)
    return pt.broadcast_to(x, (*full, *rest)).reshape((-1, *rest))
