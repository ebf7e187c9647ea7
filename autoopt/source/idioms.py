"""Small equivalences that turn what PyTensor's rewriting leaves behind into what a person would write.

One sweep from the inputs to the results; each idiom looks at one node whose inputs have been treated already.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy

import numpy as np
from pytensor import scalar as ps
from pytensor.compile.builders import OpFromGraph
from pytensor.graph.basic import Apply, Constant, Variable
from pytensor.graph.op import Op
from pytensor.graph.replace import graph_replace, vectorize_graph
from pytensor.graph.traversal import io_toposort
from pytensor.raise_op import CheckAndRaise
from pytensor.tensor.basic import (
    Alloc,
    AllocDiag,
    Eye,
    Join,
    MakeVector,
    ScalarFromTensor,
    TensorFromScalar,
    alloc,
    constant,
    join,
    stack,
)
from pytensor.tensor.blockwise import Blockwise
from pytensor.tensor.elemwise import DimShuffle, Elemwise
from pytensor.tensor.extra_ops import broadcast_to
from pytensor.tensor.math import Argmax, Dot, Sum, add, exp, mul, sub
from pytensor.tensor.shape import Shape, Shape_i
from pytensor.tensor.subtensor import AdvancedIncSubtensor, AdvancedSubtensor, IncSubtensor, Subtensor
from pytensor.tensor.type import TensorType

from autoopt.ops.releases import GATHERS, SCATTERS, axis_of, operands_of, thawed

IDIOMS: list[Callable[[Apply, dict], Variable | None]] = []


class Product(Op):
    """NumPy's `@` of two arrays of rank 1 or 2."""

    __props__ = ()

    def make_node(self, a: Variable, b: Variable) -> Apply:
        shape = (*a.type.shape[:-1], *(b.type.shape[1:] if b.type.ndim == 2 else ()))
        return Apply(self, [a, b], [TensorType(np.result_type(a.type.dtype, b.type.dtype), shape)()])

    def perform(self, node: Apply, inputs: list, output_storage: list) -> None:
        output_storage[0][0] = np.asarray(inputs[0] @ inputs[1])


product = Product()


def rank(variable: Variable) -> int:
    """Return the number of axes; 0 for PyTensor's scalar types."""
    return getattr(variable.type, "ndim", 0)


def simplify(inputs: Sequence[Variable], roots: Sequence[Variable]) -> dict[Variable, Variable]:
    """Return for every variable on the way to `roots` an equal one that reads better."""
    simple: dict[Variable, Variable] = {v: v for v in inputs}
    table: dict = {}
    known = _sweep(inputs, roots, simple, table)
    table["softplus"] = {v.owner.inputs[0] for v in set(simple.values()) if _scalar(v, ps.Softplus)}
    if not table["softplus"]:
        return known
    fresh = {"softplus": table["softplus"]}
    again = _sweep(inputs, [known[root] for root in roots], {v: v for v in inputs}, fresh)
    return {v: again.get(w, w) for v, w in known.items()}


def _sweep(inputs: Sequence[Variable], roots: Sequence[Variable], simple: dict, table: dict) -> dict:
    """Apply all idioms once to each node; equal nodes become one."""
    clients: dict[Variable, int] = {}
    nodes = io_toposort(inputs, roots)
    for v in [*roots, *(v for node in nodes for v in node.inputs)]:
        clients[v] = clients.get(v, 0) + 1
    table["clients"] = clients
    for node in nodes:
        operands = [simple.setdefault(v, v) for v in node.inputs]
        body = _body(node, operands)
        if body:
            inner = dict(zip(body[0], operands, strict=True))
            _sweep(*body, inner, table)
            table["clients"] = clients
            outputs = [inner.setdefault(v, v) for v in body[1]]
        else:
            outputs = _rebuild(node, operands, table)
        for old, new in zip(node.outputs, outputs, strict=True):
            simple[old] = new
            clients[new] = max(clients.get(new, 0), clients.get(old, 0))
            if old.name and not new.name and new.owner and new not in inputs:
                new.name = old.name
    for root in roots:
        simple.setdefault(root, root)
    return simple


def _body(node: Apply, operands: list[Variable]) -> tuple[list[Variable], list[Variable]] | None:
    """Return inputs and outputs of the graph that `node` stands for, if it has one and no printer."""
    from autoopt.source.printers import PRINTERS  # printers are written in terms of this module

    core = node.op.core_op if isinstance(node.op, Blockwise) else node.op
    if not isinstance(core, OpFromGraph):
        return None
    inside = thawed(core.fgraph)
    if core is node.op:
        stacked = isinstance(core, AllocDiag) and rank(node.inputs[0]) > 1
        return None if type(core) in PRINTERS and not stacked else (inside.inputs, inside.outputs)
    dummies = [v.type() for v in operands]
    stacked = dict(zip(inside.inputs, dummies, strict=True))
    sizes = {}
    for inner in io_toposort(inside.inputs, inside.outputs):
        if isinstance(inner.op, Shape) and inner.inputs[0] in stacked:
            outer = stacked[inner.inputs[0]]
            batch = rank(outer) - rank(inner.inputs[0])
            sizes[inner.outputs[0]] = stack([Shape_i(axis)(outer) for axis in range(batch, rank(outer))])
    outputs = graph_replace(inside.outputs, sizes, strict=False)
    return dummies, vectorize_graph(outputs, stacked)


def _rebuild(node: Apply, operands: list[Variable], table: dict) -> list[Variable]:
    """Return the outputs of `node` on simplified operands."""
    key = (node.op, *(_identity(v) for v in operands))
    if key in table:
        return table[key]
    if any(new is not old for new, old in zip(operands, node.inputs, strict=True)):
        node = node.op.make_node(*operands)
    outputs = list(node.outputs)
    if len(outputs) == 1:
        outputs = [_improve(outputs[0], table)]
    table[key] = outputs
    return outputs


def _identity(variable: Variable) -> object:
    return variable.signature() if isinstance(variable, Constant) and hasattr(variable, "signature") else variable


def _improve(variable: Variable, table: dict) -> Variable:
    """Return `variable` after all idioms that apply, one after another."""
    if variable.owner is None or len(variable.owner.outputs) > 1:
        return variable
    for idiom in IDIOMS:
        better = idiom(variable.owner, table)
        if better is not None:
            return better if better.owner is None else _remember(_improve(better, table), table)
    return _remember(variable, table)


def _remember(variable: Variable, table: dict) -> Variable:
    """Return the first variable met that is computed like this one."""
    if variable.owner is None or len(variable.owner.outputs) > 1:
        return variable
    return table.setdefault((variable.owner.op, *(_identity(v) for v in variable.owner.inputs)), [variable])[0]


def idiom(function: Callable[[Apply, dict], Variable | None]) -> Callable[[Apply, dict], Variable | None]:
    """Register a function from a node to a better variable, or None."""
    IDIOMS.append(function)
    return function


def _scalar(variable: Variable, kind: type | tuple[type, ...]) -> bool:
    """True if `variable` is an elementwise `kind`."""
    return (
        bool(variable.owner)
        and isinstance(variable.owner.op, Elemwise)
        and isinstance(variable.owner.op.scalar_op, kind)
    )


def expanded(variable: Variable) -> tuple[tuple[int, ...], Variable] | None:
    """Return (new axes, x) if `variable` is x with unit axes inserted and nothing else."""
    node = variable.owner
    if node is None or not isinstance(node.op, DimShuffle):
        return None
    kept = [axis for axis in node.op.new_order if axis != "x"]
    if kept != list(range(rank(node.inputs[0]))):
        return None
    return tuple(i for i, axis in enumerate(node.op.new_order) if axis == "x"), node.inputs[0]


def insert_axes(variable: Variable, axes: Sequence[int]) -> Variable:
    """Return `variable` with unit axes at `axes` of the result."""
    if not axes:
        return variable
    numbers = iter(range(rank(variable)))
    order = ["x" if i in axes else next(numbers) for i in range(rank(variable) + len(axes))]
    return variable.dimshuffle(*order)


@idiom
def same_scalar(node: Apply, table: dict) -> Variable | None:
    """TensorFromScalar(ScalarFromTensor(x)) -> x."""
    if isinstance(node.op, TensorFromScalar) and (inner := node.inputs[0].owner):
        return inner.inputs[0] if isinstance(inner.op, ScalarFromTensor) else None
    if isinstance(node.op, ScalarFromTensor) and (inner := node.inputs[0].owner):
        return inner.inputs[0] if isinstance(inner.op, TensorFromScalar) else None
    return None


@idiom
def numpy_checks(node: Apply, table: dict) -> Variable | None:
    """PyTensor's own check that shapes broadcast -> nothing; NumPy checks again."""
    check = isinstance(node.op, CheckAndRaise) and node.op.msg.startswith("Could not broadcast dimensions")
    return node.inputs[0] if check else None


@idiom
def vector_element(node: Apply, table: dict) -> Variable | None:
    """An element of a vector made of scalars, of a constant vector or of a shape -> the scalar itself."""
    if not isinstance(node.op, Subtensor) or node.op.idx_list != (0,) or not isinstance(node.inputs[1], Constant):
        return None
    source, position = node.inputs[0], int(node.inputs[1].data)
    if isinstance(source, Constant) and rank(source) == 1:
        return constant(source.data[position])
    if (pair := expanded(source)) and rank(pair[1]) == 0:
        return pair[1]
    if source.owner and isinstance(source.owner.op, Shape):
        return Shape_i(position % rank(source.owner.inputs[0]))(source.owner.inputs[0])
    return source.owner.inputs[position] if source.owner and isinstance(source.owner.op, MakeVector) else None


@idiom
def indexed_stack(node: Apply, table: dict) -> Variable | None:
    """Advanced indexing of each array of a stack at the same places -> indexing behind leading slices."""
    if not isinstance(node.op, Blockwise) or not isinstance(node.op.core_op, AdvancedSubtensor | AdvancedIncSubtensor):
        return None
    core, result = node.op.core_op, node.outputs[0]
    arrays = 1 if isinstance(core, AdvancedSubtensor) else 2
    batch = node.op.batch_ndim(node)
    places = [_unstacked(v, batch) for v in node.inputs[arrays:]]
    if any(place is None for place in places) or any(isinstance(entry, slice) for entry in core.idx_list):
        return None
    operands = list(node.inputs[:arrays])
    wide = [next((v for v in operands if not v.type.broadcastable[i]), operands[0]) for i in range(batch)]
    if operands[0].type.broadcastable[:batch] != result.type.broadcastable[:batch]:
        sizes = [Shape_i(i)(v) for i, v in enumerate(wide)]
        operands[0] = alloc(operands[0], *sizes, *(Shape_i(i)(operands[0]) for i in range(batch, rank(operands[0]))))
    op = copy(core)
    op.idx_list = (*[slice(None)] * batch, *core.idx_list)
    return op(*operands, *places)


def _unstacked(variable: Variable, batch: int) -> Variable | None:
    """Return x of `variable` = x with `batch` leading unit axes."""
    if isinstance(variable, Constant) and variable.data.shape[:batch] == (1,) * batch:
        return constant(variable.data.reshape(variable.data.shape[batch:]))
    pair = expanded(variable)
    return pair[1] if pair and pair[0] == tuple(range(batch)) else None


@idiom
def add_nothing(node: Apply, table: dict) -> Variable | None:
    """n + 0 -> n for whole numbers, as in computed indices."""
    if not _scalar(node.outputs[0], ps.Add) or not node.outputs[0].type.dtype.startswith("int"):
        return None
    left = [v for v in node.inputs if not (isinstance(_base(v), Constant) and is_zeros(_base(v)))]
    same = len(left) == 1 and left[0].type.dtype == node.outputs[0].type.dtype
    return left[0] if same and left[0].type.broadcastable == node.outputs[0].type.broadcastable else None


def _base(variable: Variable) -> Variable:
    pair = expanded(variable)
    return pair[1] if pair else variable


@idiom
def known_length(node: Apply, table: dict) -> Variable | None:
    """Shape_i of an array of known shape -> the number."""
    if not isinstance(node.op, Shape_i):
        return None
    length = node.inputs[0].type.shape[node.op.i]
    return None if length is None else constant(np.int64(length))


@idiom
def unbatched(node: Apply, table: dict) -> Variable | None:
    """Blockwise without leading axes -> the operation itself."""
    if not isinstance(node.op, Blockwise) or node.op.batch_ndim(node):
        return None
    made = node.op.core_op.make_node(*node.inputs).outputs[0]
    return made if made.type.ndim == node.outputs[0].type.ndim else None


@idiom
def batched_join(node: Apply, table: dict) -> Variable | None:
    """Blockwise{Join} -> Join along the shifted axis, of arrays with equal batch axes."""
    if not isinstance(node.op, Blockwise) or not isinstance(node.op.core_op, Join):
        return None
    axis, parts = axis_of(node), operands_of(node)
    if axis is None:
        return None
    batch = node.op.batch_ndim(node)
    lead = np.broadcast_shapes(*(part.type.shape[:batch] for part in parts))
    wide = [broadcast_to(part, (*lead, *part.type.shape[batch:])) for part in parts]
    return join(axis, *wide)


@idiom
def one_dimshuffle(node: Apply, table: dict) -> Variable | None:
    """DimShuffle of DimShuffle -> one; none if nothing is moved."""
    if not isinstance(node.op, DimShuffle):
        return None
    (x,) = node.inputs
    order = node.op.new_order
    if x.owner and isinstance(x.owner.op, DimShuffle):
        inner = x.owner.op.new_order
        order = tuple("x" if axis == "x" else inner[axis] for axis in order)
        x = x.owner.inputs[0]
    if order == tuple(range(rank(x))):
        return x
    return x.dimshuffle(*order) if x is not node.inputs[0] else None


@idiom
def matrix_vector(node: Apply, table: dict) -> Variable | None:
    """Dot of a matrix and a vector that was made a column (or row) -> `@` of the vector itself."""
    if not isinstance(node.op, Dot):
        return None
    a, b = node.inputs
    column, row = expanded(b), expanded(a)
    if row and column and row[0] == (1,) and column[0] == (0,):
        return mul(a, b)
    if row and row[0] == (0,) and rank(row[1]) == 1:
        if column and column[0] == (1,):
            return insert_axes(product(row[1], column[1]), (0, 1))
        return insert_axes(product(row[1], b), (0,))
    if column and column[0] == (1,) and rank(column[1]) == 1:
        return insert_axes(product(a, column[1]), (1,))
    return None


@idiom
def lift_axes(node: Apply, table: dict) -> Variable | None:
    """An elementwise operation on operands that all have the same inserted axes -> insert them afterwards."""
    if not isinstance(node.op, Elemwise) or rank(node.outputs[0]) == 0 or len(node.outputs) > 1:
        return None
    found = [expanded(v) for v in node.inputs]
    if not any(found):
        return None
    axes = {i for pair in found if pair for i in pair[0]}
    for v, pair in zip(node.inputs, found, strict=True):
        axes &= set(pair[0]) if pair else set(range(rank(v))) if isinstance(v, Constant) and v.data.size == 1 else set()
    if not axes:
        return None
    lifted = []
    for v, pair in zip(node.inputs, found, strict=True):
        if pair:
            left = set(pair[0]) - axes
            lifted.append(insert_axes(pair[1], [i - sum(a < i for a in axes) for i in sorted(left)]))
        else:
            lifted.append(constant(v.data.reshape((1,) * (rank(v) - len(axes)))))
    return insert_axes(_improve(node.op(*lifted), table), sorted(axes))


@idiom
def all_rows(node: Apply, table: dict) -> Variable | None:
    """x[:, eye(n).argmax(axis=0)], along any axis, -> x where n is its length along that axis."""
    if not isinstance(node.op, GATHERS) or len(node.inputs) != 2 or not node.inputs[1].owner:
        return None
    axis = node.op.idx_list.index(0)
    if any(entry != slice(None) for number, entry in enumerate(node.op.idx_list) if number != axis):
        return None
    index = node.inputs[1].owner
    if not isinstance(index.op, Argmax) or len(index.op.axis or ()) != 1 or not index.inputs[0].owner:
        return None
    matrix = index.inputs[0].owner
    if not isinstance(matrix.op, Eye) or matrix.inputs[0] is not matrix.inputs[1] or not is_zeros(matrix.inputs[2]):
        return None
    return node.inputs[0] if _is_length(matrix.inputs[0], node.inputs[0], axis) else None


def _is_length(count: Variable, x: Variable, axis: int) -> bool:
    """True if the scalar `count` is x.shape[axis]."""
    if isinstance(count, Constant):
        return x.type.shape[axis] == int(count.data)
    if x.owner and isinstance(x.owner.op, DimShuffle) and x.owner.op.new_order[axis] != "x":
        axis, x = x.owner.op.new_order[axis], x.owner.inputs[0]
    return isinstance(count.owner.op, Shape_i) and count.owner.op.i == axis and count.owner.inputs[0] is x


@idiom
def composite(node: Apply, table: dict) -> Variable | None:
    """A fused elementwise operation -> its parts."""
    if not isinstance(node.op, Elemwise) or not isinstance(node.op.scalar_op, ps.Composite):
        return None
    inner = thawed(node.op.scalar_op.fgraph)
    value = dict(zip(inner.inputs, node.inputs, strict=True))
    for part in inner.toposort():
        operands = [value.get(v, v) if not isinstance(v, Constant) else v.data for v in part.inputs]
        value[part.outputs[0]] = Elemwise(part.op)(*operands)
    return value[inner.outputs[0]]


@idiom
def inner_product(node: Apply, table: dict) -> Variable | None:
    """(a * b).sum() of vectors -> a @ b; (A * v).sum(axis=1) -> A @ v; (A * u[:, None]).sum(axis=0) -> u @ A."""
    if not isinstance(node.op, Sum) or node.outputs[0].type.dtype != "float64":
        return None
    (x,) = node.inputs
    axes = tuple(range(rank(x))) if node.op.axis is None else tuple(node.op.axis)
    if table["clients"].get(x, 1) > 1 or not (_scalar(x, ps.Mul) or _scalar(x, ps.Sqr)) or len(axes) != 1:
        return None
    factors = [v for v in x.owner.inputs for _ in range(1 if _scalar(x, ps.Mul) else 2)]
    if any(v.type.dtype != "float64" for v in factors):
        return None
    if rank(x) == 1:
        full = [v for v in factors if v.type.broadcastable == x.type.broadcastable]
        if len(full) < 2 or x.type.broadcastable[0]:
            return None
        last = max(i for i, v in enumerate(factors) if v is full[-1])
        rest = [v for i, v in enumerate(factors) if i != last]
        return product(mul(*rest) if len(rest) > 1 else rest[0], full[-1])
    if rank(x) == 2 and len(factors) == 2:
        for matrix, other in (factors, factors[::-1]):
            pair = expanded(other)
            if pair and pair[0] == (1 - axes[0],) and not any(matrix.type.broadcastable):
                return product(matrix, pair[1]) if axes == (1,) else product(pair[1], matrix)
    return None


@idiom
def sum_with_product(node: Apply, table: dict) -> Variable | None:
    """(a - b * c).sum() of vectors -> a.sum() - b @ c: the product needs no array of its own."""
    (x, *_) = node.inputs
    if not isinstance(node.op, Sum) or rank(x) != 1 or node.outputs[0].type.dtype != "float64":
        return None
    if table["clients"].get(x, 1) > 1 or not _scalar(x, (ps.Add, ps.Sub)):
        return None
    terms = x.owner.inputs
    if any(v.type.broadcastable[0] or v.type.dtype != "float64" for v in terms):
        return None
    plain = [v for v in terms if not _is_pair(v, table)]
    if len(plain) != len(terms) - 1 or (len(plain) > 1 and _scalar(x, ps.Sub)):
        return None
    (pair,) = [v for v in terms if v not in plain]
    dot, rest = product(*pair.owner.inputs), Sum(axis=(0,))(add(*plain) if len(plain) > 1 else plain[0])
    if _scalar(x, ps.Add):
        return add(rest, dot)
    return sub(rest, dot) if pair is terms[1] else sub(dot, rest)


def _is_pair(variable: Variable, table: dict) -> bool:
    """True for the product of two whole vectors that nothing else reads."""
    if not _scalar(variable, ps.Mul) or table["clients"].get(variable, 1) > 1 or len(variable.owner.inputs) != 2:
        return False
    return all(not v.type.broadcastable[0] and v.type.dtype == "float64" for v in variable.owner.inputs)


@idiom
def accumulate(node: Apply, table: dict) -> Variable | None:
    """a + (zeros, incremented) -> a, incremented: one array instead of two and a sum."""
    if not (isinstance(node.op, Elemwise) and isinstance(node.op.scalar_op, ps.Add)):
        return None
    increments = [v for v in node.inputs if _is_scatter(v, node.outputs[0], table)]
    others = [v for v in node.inputs if not any(v is i for i in increments)]
    if not increments or len(set(node.inputs)) < len(node.inputs):
        return None
    if not others:
        others, increments = increments[:1], increments[1:]
    total = add(*others) if len(others) > 1 else others[0]
    if total.type.broadcastable != node.outputs[0].type.broadcastable or not increments:
        return None
    for v in increments:
        total = v.owner.op(total, *v.owner.inputs[1:]) if total.type.dtype == v.type.dtype else total + v
    return total


def _is_scatter(variable: Variable, total: Variable, table: dict) -> bool:
    """True if `variable` is zeros of the shape of `total` with increments that nobody else reads."""
    if variable.type.broadcastable != total.type.broadcastable or table["clients"].get(variable, 1) > 1:
        return False
    node = variable.owner
    if node is None or not isinstance(node.op, (IncSubtensor, *SCATTERS)):
        return False
    return not node.op.set_instead_of_inc and is_zeros(node.inputs[0]) and node.inputs[0].type.dtype == total.type.dtype


def is_zeros(variable: Variable) -> bool:
    """True if `variable` is an array of zeros."""
    if isinstance(variable, Constant):
        return not np.any(variable.data)
    node = variable.owner
    return bool(node) and isinstance(node.op, Alloc) and is_zeros(node.inputs[0])


@idiom
def share_softplus(node: Apply, table: dict) -> Variable | None:
    """sigmoid(z) -> exp(z - softplus(z)) where softplus(z) is at hand: a third of the time of expit, stable too."""
    if not (isinstance(node.op, Elemwise) and isinstance(node.op.scalar_op, ps.Sigmoid)):
        return None
    (z,) = node.inputs
    if z not in table.get("softplus", ()):
        return None
    return exp(sub(z, _remember(Elemwise(ps.Softplus(ps.upgrade_to_float, name="scalar_softplus"))(z), table)))
