"""The Hessian of a graph's value in index notation.

views of the parameters   b = x[:4], W = x[4:].reshape(2, 3)      each a root of its own, with its places in x
the gradient of each      g[b], g[W]                              by PyTensor, rewritten
pushed forward            dg[b]/db, dg[b]/dW, dg[W]/dW            sums of terms, `pushes`
rewritten as one graph    the factors alone, under `Unassembled`
put together              `assembly`
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from pytensor.gradient import DisconnectedGrad, ZeroGrad
from pytensor.graph.basic import Apply, Variable
from pytensor.graph.op import Op
from pytensor.graph.replace import clone_replace
from pytensor.graph.traversal import io_toposort
from pytensor.tensor.reshape import JoinDims, SplitDims
from pytensor.tensor.shape import Reshape, SpecifyShape
from pytensor.tensor.subtensor import Subtensor
from pytensor.tensor.type import TensorType
from pytensor.tensor.variable import TensorVariable

from autoopt.graph.indexed import elementwise as _elementwise  # noqa: F401  (they fill PUSHES)
from autoopt.graph.indexed import shapes as _shapes  # noqa: F401
from autoopt.graph.indexed import sums as _sums  # noqa: F401
from autoopt.graph.indexed.condensing import condensed
from autoopt.graph.indexed.dense import multiplied_out
from autoopt.graph.indexed.entries import indices
from autoopt.graph.indexed.table import is_step, push_of
from autoopt.graph.indexed.terms import Label, NotFactored, Place, Term, fixed, merged
from autoopt.graph.parts import slopes
from autoopt.ops.patterns import applied
from autoopt.ops.releases import infers_shape

MAX_ROOTS = 8
"""With more views of the parameters than this the parts that they are views of are the roots."""

MAX_FACTORS = 16
"""With more factors than this in a term, as long chains have, a derivative is multiplied out."""

MAX_TERMS = 64
"""More terms for one array than this are sooner multiplied out."""

_VIEWS = (Reshape, SplitDims, JoinDims, SpecifyShape, Subtensor)

Simplify = Callable[[Sequence[Variable], Sequence[Variable]], "list[TensorVariable]"]


@dataclass(frozen=True, eq=False)
class Root:
    """A view of the parameters; `positions` has its shape and says where its entries stand in the vector."""

    variable: TensorVariable
    positions: np.ndarray
    view: Variable


@dataclass(frozen=True, eq=False)
class Block:
    """The derivative of the gradient in one root by another: terms whose factors are numbers of operands."""

    row: int
    column: int
    terms: tuple[Term, ...]


class Unassembled(Op):
    """The Hessian before its factors, the operands, have been rewritten."""

    def __init__(self, size: int, roots: Sequence[np.ndarray], blocks: Sequence[Block]) -> None:
        self.size, self.roots, self.blocks = size, tuple(roots), tuple(blocks)

    def make_node(self, *operands: Variable) -> Apply:
        return Apply(self, list(operands), [TensorType("float64", (self.size, self.size))()])

    def perform(self, node: Apply, inputs: Sequence[Any], output_storage: list) -> None:
        raise NotImplementedError("it is put together before it is run")

    @infers_shape
    def infer_shape(self, node: Apply, shapes: Sequence) -> list:
        """Return the shape of the result."""
        return [(self.size, self.size)]

    def do_constant_folding(self, fgraph: Any, node: Apply) -> bool:
        """There is nothing to be computed yet."""
        return False


def hessian(
    value: TensorVariable,
    wrt: Sequence[tuple[TensorVariable, int]],
    size: int,
    given: Sequence[Variable],
    simplify: Simplify,
) -> TensorVariable:
    """Return the Hessian of `value`, shape (size, size), as `Unassembled`.

    Parameters
    ----------
    value : Variable
    wrt : sequence of (Variable, int)
        The parts of the parameters, and where each begins.
    size : int
    given : sequence of Variable
        The other inputs.
    simplify : callable
        From inputs and variables to these rewritten, which may be differentiated further.

    Raises
    ------
    NotFactored
        If some operation on the way has no terms.
    """
    roots = _roots(value, wrt)
    stand_ins: dict[Variable, Variable] = {root.view: root.variable for root in roots}
    value = cast(TensorVariable, clone_replace([value], stand_ins)[0])
    variables = [root.variable for root in roots]
    gradient = simplify([*variables, *given], slopes(value, variables))
    operands: dict[Variable, int] = {}
    blocks = []
    for column, root in enumerate(roots):
        terms = _pushed(gradient[: column + 1], root.variable, [*variables, *given])
        for row in range(column + 1):
            found = merged(terms[row])
            if found:
                blocks.append(Block(row, column, tuple(_numbered(term, operands) for term in found)))
    op = Unassembled(size, [root.positions for root in roots], blocks)
    joint = applied(op, *operands)
    return cast(TensorVariable, clone_replace([joint], {new: old for old, new in stand_ins.items()})[0])


def _roots(value: Variable, wrt: Sequence[tuple[TensorVariable, int]]) -> list[Root]:
    """Return the views of the parameters that the value is computed of; few, or the parts themselves."""
    parts = []
    for part, start in wrt:
        count = int(np.prod(part.type.shape))
        parts.append(Root(part.type(), start + np.arange(count).reshape(part.type.shape), part))
    positions: dict[Variable, np.ndarray] = {root.view: root.positions for root in parts}
    order = io_toposort([part for part, _ in wrt], [value])
    for node in order:
        out = node.outputs[0]
        if isinstance(node.op, _VIEWS) and node.inputs[0] in positions and None not in out.type.shape:
            try:
                positions[out] = _viewed(node, positions[node.inputs[0]])
            except NotFactored:
                continue
    read = {v for node in order for v in node.inputs if v in positions and node.outputs[0] not in positions}
    read |= {value} & positions.keys()
    if len(read) > MAX_ROOTS or _overlap([positions[v] for v in read]):
        return parts
    views = sorted(read, key=lambda v: (positions[v].flat[0] if positions[v].size else -1, positions[v].size))
    return [Root(cast(TensorVariable, v.type()), positions[v], v) for v in views]


def _overlap(positions: Sequence[np.ndarray]) -> bool:
    """Whether views have more than three times as many entries as there are parameters in them."""
    flat = np.concatenate([np.empty(0, dtype=int), *(p.ravel() for p in positions)])
    return flat.size > 3 * np.unique(flat).size


def _viewed(node: Apply, positions: np.ndarray) -> np.ndarray:
    """Return the positions that a view of an array with such positions has."""
    if isinstance(node.op, Subtensor):
        return np.asarray(positions[tuple(indices(node.op.idx_list, node.inputs[1:]))])
    return positions.reshape(node.outputs[0].type.shape)


def _pushed(targets: Sequence[Variable], root: TensorVariable, inputs: Sequence[Variable]) -> list[list[Term]]:
    """Return the terms of each target's derivative by `root`."""
    labels = [Label(length) for length in cast("tuple[int, ...]", root.type.shape)]
    places = tuple(Place((label,)) if label.size != 1 else fixed(0) for label in labels)
    found: dict[Variable, list[Term] | NotFactored] = {root: [Term(1.0, (), places, places)]}
    for node in io_toposort(list(inputs), list(targets)):
        if isinstance(node.op, _CONSTANT) or not any(v in found for v in node.inputs):
            continue
        try:
            found.update(zip(node.outputs, _pushed_through(node, found, root, targets), strict=True))
        except NotFactored as problem:  # which matters where something is made of it that has slopes
            found.update(dict.fromkeys(node.outputs, problem))
    return [_terms(target, found) for target in targets]


_CONSTANT = (DisconnectedGrad, ZeroGrad)


def _terms(variable: Variable, found: dict[Variable, list[Term] | NotFactored]) -> list[Term]:
    """Return the terms of what has some; NotFactored if it should have, and has not."""
    terms = found.get(variable, [])
    if isinstance(terms, NotFactored):
        raise terms
    return terms


def _pushed_through(
    node: Apply,
    found: dict[Variable, list[Term] | NotFactored],
    root: TensorVariable,
    targets: Sequence[Variable],
) -> list[list[Term]]:
    """Return the terms of a node's results."""
    if is_step(node):
        return [[]]
    own = [_terms(v, found) for v in node.inputs]
    if not any(own):
        return [[] for _ in node.outputs]
    try:
        terms = [merged(push_of(node)(node, own))]
        if node.outputs[0] not in targets:
            terms = [condensed(terms[0])]
        if sum(map(len, terms)) > MAX_TERMS:
            raise NotFactored(f"{len(terms[0])} terms")
        if any(len(term.factors) > MAX_FACTORS for part in terms for term in part):
            raise NotFactored("a term of many factors")
    except NotFactored:
        return multiplied_out(node, own, root)
    return terms


def _numbered(term: Term, operands: dict[Variable, int]) -> Term:
    """Return the term with the numbers of operands in place of arrays, which are entered there."""

    def number(variable: Variable) -> Any:
        return operands.setdefault(variable, len(operands))

    def place(old: Place) -> Place:
        return Place(old.labels, cast(Any, _Computed(number(old.index)))) if isinstance(old.index, Variable) else old

    factors = tuple((number(variable), labels) for variable, labels in term.factors)
    return Term(term.coefficient, factors, tuple(map(place, term.out)), tuple(map(place, term.par)))


@dataclass(frozen=True)
class _Computed:
    """Positions that are an operand."""

    number: int


def with_operands(term: Term, operands: Sequence[Variable]) -> Term:
    """Return a term of a `Block` with its operands in place of their numbers."""

    def place(old: Place) -> Place:
        return Place(old.labels, operands[old.index.number]) if isinstance(old.index, _Computed) else old

    factors = []
    for number, labels in term.factors:
        variable = operands[cast(int, number)]
        factors.append((variable, labels))
    return Term(term.coefficient, tuple(factors), tuple(map(place, term.out)), tuple(map(place, term.par)))
