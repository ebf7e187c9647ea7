"""What each operation makes of the terms of its operands, a function each; see `terms`.

    elementwise             each operand's terms get its partial derivative as one more factor
    sum                     the labels of the axes are no longer places, that is all
    A @ B                   the other operand becomes a factor, its inner axis stands where the terms' does
    transposition, slices   places change

A function takes the node and the terms of each operand (an empty list where there are none), and returns those of the
only result. What it cannot write so raises NotFactored.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from itertools import accumulate
from math import prod
from typing import cast

import numpy as np
import pytensor
import pytensor.tensor as pt
from pytensor import scalar as ps
from pytensor.compile.ops import ViewOp
from pytensor.graph.basic import Apply, Constant, Variable
from pytensor.graph.replace import vectorize_graph
from pytensor.tensor.basic import Alloc, AllocDiag, ExtractDiag, Join, MakeVector, ScalarFromTensor, TensorFromScalar
from pytensor.tensor.blas import BatchedDot
from pytensor.tensor.elemwise import DimShuffle, Elemwise
from pytensor.tensor.extra_ops import CumOp
from pytensor.tensor.linalg.inverse import MatrixInverse
from pytensor.tensor.math import Dot, Sum
from pytensor.tensor.reshape import JoinDims, SplitDims
from pytensor.tensor.shape import Reshape, SpecifyShape
from pytensor.tensor.subtensor import IncSubtensor, Subtensor
from pytensor.tensor.variable import TensorVariable

from autoopt.graph.indexed.contraction import Contractions
from autoopt.graph.indexed.terms import Factor, Label, NotFactored, Place, Term, at, fixed
from autoopt.ops.patterns import is_zero, rank
from autoopt.ops.releases import GATHERS, SCATTERS, axis_of, operands_of

Push = Callable[[Apply, Sequence[list[Term]]], list[Term]]

PUSHES: dict[type, Push] = {}
"""By the class of the operation; that of a stack of matrices by the class of the operation on one."""


def pushes(*kinds: type) -> Callable[[Push], Push]:
    """Register what operations of some classes make of terms."""

    def register(push: Push) -> Push:
        PUSHES.update(dict.fromkeys(kinds, push))
        return push

    return register


def push_of(node: Apply) -> Push:
    """Return the function for `node`."""
    core = getattr(node.op, "core_op", node.op)
    push = next((PUSHES[kind] for kind in type(core).__mro__ if kind in PUSHES), None)
    if push is None or (core is not node.op and type(core) not in (Dot, MatrixInverse)):
        raise NotFactored(str(node.op))
    return push


# Elementwise ----------------------------------------------------------------------------------------------------------


@pushes(Elemwise)
def elementwise(node: Apply, terms: Sequence[list[Term]]) -> list[Term]:
    if len(node.outputs) > 1:
        raise NotFactored(str(node.op))
    out = node.outputs[0]
    found: list[Term] = []
    if out.type.dtype != "float64":
        return found
    for position, own in enumerate(terms):
        if not own:
            continue
        slope = _partial(node, position)
        number = uniform(slope)
        if number == 0.0:
            continue
        for term in own:
            places = _broadcast(term.out, node.inputs[position], out.type.shape)
            if number is not None:
                found.append(term.times((), places, number))
            else:
                found.append(term.times([at(slope, places)], places))
    return found


def _broadcast(places: Sequence[Place], variable: Variable, shape: Sequence[int | None]) -> tuple[Place, ...]:
    """Return the places in the result of an elementwise operation, in which axes of length 1 hold for all positions."""
    lengths = variable.type.shape
    return tuple(
        Place((Label(long),)) if own == 1 and long != 1 else place
        for place, own, long in zip(places, lengths, shape, strict=True)
    )


def _length(length: int | None) -> int:
    if length is None:
        raise NotFactored("a length that is not known")
    return length


def _partial(node: Apply, position: int) -> Variable:
    """Return the slope of an elementwise result in one operand, over the axes of what it depends on."""
    op, operands = node.op, node.inputs
    scalar = op.scalar_op
    if isinstance(scalar, ps.Add | ps.Identity):
        return pt.constant(1.0)
    if isinstance(scalar, ps.Mul):
        others = [v for k, v in enumerate(operands) if k != position]
        return pt.mul(*others) if len(others) > 1 else others[0]
    dummies, slope = _scalar_slope(op, position, tuple(v.type.dtype for v in operands))
    if isinstance(slope, Constant):
        return slope
    if rank(node.outputs[0]) == 0:
        return cast(Variable, pytensor.graph.replace.clone_replace(slope, dict(zip(dummies, operands, strict=True))))
    return cast(Variable, vectorize_graph(slope, dict(zip(dummies, operands, strict=True))))


@cache
def _scalar_slope(op: Elemwise, position: int, dtypes: tuple[str, ...]) -> tuple[list[TensorVariable], TensorVariable]:
    """Return numbers and the slope of the operation on them in one."""
    dummies = [pt.scalar(dtype=dtype) for dtype in dtypes]
    value = cast(TensorVariable, op(*dummies))
    return dummies, cast(TensorVariable, pytensor.grad(value, dummies[position], disconnected_inputs="ignore"))


def uniform(variable: Variable) -> float | None:
    """Return the number that all entries are, None if they are not."""
    while variable.owner is not None and isinstance(variable.owner.op, DimShuffle | Alloc):
        variable = variable.owner.inputs[0]
    if isinstance(variable, Constant):
        values = np.unique(variable.data)
        return float(values[0]) if values.size == 1 and np.isfinite(values[0]) else None
    return None


def is_step(node: Apply) -> bool:
    """Whether the results have no slope in anything: they are whole numbers, or comparisons."""
    return all(getattr(out.type, "dtype", "float64") != "float64" for out in node.outputs)


@pushes(SpecifyShape, ViewOp, ScalarFromTensor, TensorFromScalar)
def unchanged(node: Apply, terms: Sequence[list[Term]]) -> list[Term]:
    return terms[0]


# Sums and products ----------------------------------------------------------------------------------------------------


@pushes(Sum)
def total(node: Apply, terms: Sequence[list[Term]]) -> list[Term]:
    axes = node.op.axis
    gone = set(range(rank(node.inputs[0])) if axes is None else axes)
    found = []
    for term in terms[0]:
        left = [place for k, place in enumerate(term.out) if k not in gone]
        found.append(term.without([label for k in gone for label in term.out[k].labels], left))
    return found


@pushes(Dot, BatchedDot)
def product(node: Apply, terms: Sequence[list[Term]]) -> list[Term]:
    """A @ B, of stacks too: the terms of either with the other as a factor."""
    a, b = node.inputs
    shape = node.outputs[0].type.shape
    stack = max(rank(a), rank(b)) - 2 if rank(a) > 1 and rank(b) > 1 else 0
    found = []
    for term in terms[0]:
        lead = _broadcast_stack(term.out[: rank(a) - 2], a, shape, stack) if stack else ()
        inner, row = term.out[-1], term.out[-2:-1]
        columns = [Place((Label(n),)) for n in b.type.shape[rank(b) - 1 :]] if rank(b) > 1 else []
        factor = at(b, [*lead[len(lead) - max(rank(b) - 2, 0) :], inner, *columns])
        found.append(term.times([factor], ()).without(inner.labels, [*lead, *row, *columns]))
    for term in terms[1]:
        lead = _broadcast_stack(term.out[: rank(b) - 2], b, shape, stack) if stack else ()
        inner, column = (term.out[-2], term.out[-1:]) if rank(b) > 1 else (term.out[0], ())
        rows = [Place((Label(n),)) for n in a.type.shape[-2:-1]]
        factor = at(a, [*lead[len(lead) - max(rank(a) - 2, 0) :], *rows, inner])
        found.append(term.times([factor], ()).without(inner.labels, [*lead, *rows, *column]))
    return found


def _broadcast_stack(
    places: Sequence[Place], variable: Variable, shape: Sequence[int | None], stack: int
) -> tuple[Place, ...]:
    missing = stack - len(places)
    own = (1,) * missing + variable.type.shape[:-2]
    places = (*(fixed(0) for _ in range(missing)), *places)
    return tuple(
        Place((Label(long),)) if length == 1 and long != 1 else place
        for place, length, long in zip(places, own, shape[:stack], strict=True)
    )


@pushes(MatrixInverse)
def inverse(node: Apply, terms: Sequence[list[Term]]) -> list[Term]:
    """d inv(A) = -inv(A) dA inv(A), of stacks too."""
    out = node.outputs[0]
    size = _length(out.type.shape[-1])
    found = []
    for term in terms[0]:
        *lead, row, column = term.out
        first, last = Place((Label(size),)), Place((Label(size),))
        factors = [at(out, [*lead, first, row]), at(out, [*lead, column, last])]
        places = [*lead, first, last]
        found.append(term.times(factors, (), -1.0).without((*row.labels, *column.labels), places))
    return found


@pushes(CumOp)
def running(node: Apply, terms: Sequence[list[Term]]) -> list[Term]:
    """Running sums: of what the factors along the axis are together, which becomes one factor."""
    op, ndim = node.op, rank(node.inputs[0])
    axis = op.axis if op.axis is not None else 0 if ndim == 1 else None
    if op.mode != "add" or axis is None:
        raise NotFactored(str(op))
    found = []
    for term in terms[0]:
        place = term.out[axis]
        others = {label for p in (*term.out[:axis], *term.out[axis + 1 :], *term.par) for label in p.labels}
        if not place.is_plain or others & set(place.labels):
            raise NotFactored("running sums of what has been placed")
        (label,) = place.labels
        along = [factor for factor in term.factors if label in factor[1]]
        rest = [factor for factor in term.factors if label not in factor[1]]
        if not along:
            along = [(pt.ones(label.size), (label,))]
        kept = others.union(x for _, labels in rest for x in labels)
        mine = dict.fromkeys(x for _, labels in along for x in labels)
        wanted = [x for x in mine if x in kept or x is label]
        joint = Contractions().arranged(along, wanted)
        summed = pt.cumsum(joint, axis=wanted.index(label))
        found.append(Term(term.coefficient, ((summed, tuple(wanted)), *rest), term.out, term.par))
    return found


# Places ---------------------------------------------------------------------------------------------------------------


@pushes(DimShuffle)
def transposed(node: Apply, terms: Sequence[list[Term]]) -> list[Term]:
    order = node.op.new_order
    dropped = [axis for axis in range(rank(node.inputs[0])) if axis not in order]
    found = []
    for term in terms[0]:
        out = [fixed(0) if axis == "x" else term.out[axis] for axis in order]
        found.append(term.without([label for axis in dropped for label in term.out[axis].labels], out))
    return found


@pushes(Alloc)
def filled(node: Apply, terms: Sequence[list[Term]]) -> list[Term]:
    (value, *_), shape = node.inputs, node.outputs[0].type.shape
    new = len(shape) - rank(value)
    found = []
    for term in terms[0]:
        places = [Place((Label(length),)) for length in shape[:new]]
        found.append(term.times((), (*places, *_broadcast(term.out, value, shape[new:]))))
    return found


@pushes(Reshape, SplitDims, JoinDims)
def reshaped(node: Apply, terms: Sequence[list[Term]]) -> list[Term]:
    old = [_length(n) for n in node.inputs[0].type.shape]
    new = [_length(n) for n in node.outputs[0].type.shape]
    if 0 in old:
        return []
    return [reshaped_term(term, old, new) for term in terms[0]]


def reshaped_term(term: Term, old: Sequence[int], new: Sequence[int]) -> Term:
    """Return a term of an array of shape `old` as one of the same entries in the shape `new`."""
    places: list[Place] = []
    i = j = 0
    while i < len(old) or j < len(new):
        k, m = i + (i < len(old)), j + (j < len(new))
        while prod(old[i:k]) != prod(new[j:m]):
            if prod(old[i:k]) < prod(new[j:m]):
                k += 1
            else:
                m += 1
        while k < len(old) and old[k] == 1 and not (m < len(new) and new[m] == 1):
            k += 1
        while m < len(new) and new[m] == 1 and not (k < len(old) and old[k] == 1):
            m += 1
        term, piece = _regrouped(term, i, list(old[i:k]), list(new[j:m]))
        places += piece
        i, j = k, m
    return term.times((), places)


def _regrouped(term: Term, start: int, old: list[int], new: list[int]) -> tuple[Term, list[Place]]:
    """Return the term with, in place of some of its axes, axes of other lengths over the same entries."""
    own = [place for place, length in zip(term.out[start : start + len(old)], old, strict=True) if length != 1]
    lengths = [length for length in old if length != 1]
    wanted = [length for length in new if length != 1]
    if wanted == lengths:
        places = own
    elif len(wanted) <= 1:
        places = [_joint(own, lengths)] if wanted else []
    else:
        term, places = _split(term, _joint(own, lengths), wanted)
    rest = iter(places)
    return term, [fixed(0) if length == 1 else next(rest) for length in new]


def _joint(places: list[Place], lengths: list[int]) -> Place:
    """Return the place in an axis that several are joined to."""
    if len(places) == 1:
        return places[0]
    labels = tuple(dict.fromkeys(label for place in places for label in place.labels))
    if all(p.index is None for p in places) and len(labels) == sum(len(p.labels) for p in places):
        return Place(labels)
    steps = list(accumulate([1, *lengths[:0:-1]], lambda a, b: a * b))[::-1]
    sizes = [label.size for label in labels]
    total_index = np.zeros(sizes, dtype=np.int64)
    for place, step in zip(places, steps, strict=True):
        order = [place.labels.index(label) for label in labels if label in place.labels]
        shape = [label.size if label in place.labels else 1 for label in labels]
        total_index = total_index + step * place.known().transpose(order).reshape(shape)
    return Place(labels, total_index)


def _split(term: Term, place: Place, lengths: list[int]) -> tuple[Term, list[Place]]:
    """Return the term with one axis as several."""
    if place.index is None:
        if list(place.sizes) == lengths:
            return term, [Place((label,)) for label in place.labels]
        if len(place.labels) == 1:
            (label,) = place.labels
            parts = tuple(Label(length) for length in lengths)
            term = term.moved({label: Place(parts)}, [_again(p, label, parts) for p in term.out])
            return term, [Place((part,)) for part in parts]
    positions = np.unravel_index(place.known(), lengths)
    return term, [Place(place.labels, np.asarray(axis)) for axis in positions]


def _again(place: Place, label: Label, parts: tuple[Label, ...]) -> Place:
    from autoopt.graph.indexed.terms import composed

    return composed(place, {label: Place(parts)})


# Reads and writes -----------------------------------------------------------------------------------------------------


@pushes(Subtensor)
def read(node: Apply, terms: Sequence[list[Term]]) -> list[Term]:
    x = node.inputs[0]
    entries = indices(node.op.idx_list, node.inputs[1:])
    found = []
    for term in terms[0]:
        current: Term | None = term
        for axis in reversed(range(len(entries))):
            if current is not None:
                current = _read_axis(current, axis, entries[axis], _length(x.type.shape[axis]))
        if current is not None:
            found.append(current)
    return found


def indices(idx_list: Sequence, inputs: Sequence[Variable]) -> list[int | slice]:
    """Return the numbers and slices between the brackets; NotFactored if they are computed."""
    values = []
    for v in inputs:
        base = v.owner.inputs[0] if v.owner and isinstance(v.owner.op, ScalarFromTensor) else v
        if not isinstance(base, Constant):
            raise NotFactored("positions that are computed")
        values.append(int(base.data))

    def entry(part):
        if isinstance(part, slice):
            return slice(*(None if bound is None else values[bound] for bound in (part.start, part.stop, part.step)))
        return values[part]

    return [entry(part) for part in idx_list]


def _read_axis(term: Term, axis: int, entry: int | slice, length: int) -> Term | None:
    """Return the term at one position or a slice of one axis; None if it has nothing there."""
    place, out = term.out[axis], list(term.out)
    wanted = np.arange(length)[entry]
    if isinstance(entry, slice) and wanted.size == length and entry.step in (None, 1):
        return term
    if place.is_plain:
        (label,) = place.labels
        if wanted.ndim == 0:
            del out[axis]
            new = {label: Place((), np.array(wanted))}
        else:
            kept = Label(wanted.size)
            new = {label: Place((kept,), wanted)}
            out[axis] = Place((kept,))
        return _moved_beside(term, new, out, axis if wanted.ndim else None)
    positions = place.known()
    if len(place.labels) > 1 or np.unique(positions).size != positions.size:
        raise NotFactored("a part of what is spread over several labels")
    where = {int(p): k for k, p in enumerate(np.atleast_1d(positions))}
    hits = [(k, where[int(p)]) for k, p in enumerate(np.atleast_1d(wanted)) if int(p) in where]
    if not hits:
        return None
    target, source = (np.array(part) for part in zip(*hits, strict=True))
    if not place.labels:
        out[axis : axis + 1] = [fixed(int(target[0]))] if wanted.ndim else []
        return term.times((), out)
    (label,) = place.labels
    if wanted.ndim == 0:
        del out[axis]
        return _moved_beside(term, {label: Place((), np.array(source[0]))}, out, None)
    kept = Label(len(source))
    whole = len(source) == wanted.size
    out[axis] = Place((kept,), None if whole else target)
    return _moved_beside(term, {label: Place((kept,), source)}, out, axis)


def _moved_beside(term: Term, new: dict[Label, Place], out: list[Place], axis: int | None) -> Term:
    """Return the term at other labels; places of other axes that have the old ones follow."""
    from autoopt.graph.indexed.terms import composed

    return term.moved(new, [place if k == axis else composed(place, new) for k, place in enumerate(out)])


@pushes(*GATHERS)
def gathered(node: Apply, terms: Sequence[list[Term]]) -> list[Term]:
    """x[g] and x[r, c], the positions over a single set of axes, which stand together."""
    x, *inputs = node.inputs
    positions = _gathering(node, inputs)
    axes = list(positions)
    if axes != list(range(axes[0], axes[0] + len(axes))) or len({rank(v) for v in positions.values()}) > 1:
        raise NotFactored("positions along axes that do not stand together")
    shape = node.outputs[0].type.shape[axes[0] : axes[0] + rank(positions[axes[0]])]
    if any(v.type.shape != shape for v in positions.values()):
        raise NotFactored("positions of different shapes")
    found = []
    for term in terms[0]:
        labels = tuple(Label(length) for length in shape)
        own = [term.out[axis] for axis in axes]
        if not all(place.is_plain for place in own) or len({place.labels for place in own}) < len(own):
            raise NotFactored("positions in what has been placed")
        new = {place.labels[0]: Place(labels, _index(positions[axis])) for axis, place in zip(axes, own, strict=True)}
        out = [*term.out[: axes[0]], *(Place((label,)) for label in labels), *term.out[axes[-1] + 1 :]]
        if any(label in new for place in out for label in place.labels):
            raise NotFactored("positions in a diagonal")
        found.append(term.moved(new, out))
    return found


def _index(variable: Variable) -> np.ndarray | Variable:
    return np.asarray(variable.data) if isinstance(variable, Constant) else variable


def _gathering(node: Apply, inputs: Sequence[Variable]) -> dict[int, Variable]:
    """Return the arrays of positions by axis; NotFactored if there is more between the brackets than these."""
    found = {}
    for axis, part in enumerate(getattr(node.op, "idx_list", (0,))):
        if isinstance(part, slice):
            if part != slice(None):
                raise NotFactored("slices beside positions")
            continue
        variable = inputs[part]
        if variable.type.dtype == "bool":
            raise NotFactored("a mask")
        if isinstance(variable, Constant) and (np.asarray(variable.data) < 0).any():
            raise NotFactored("positions from the end")
        if rank(variable) == 0:
            raise NotFactored("a position beside others")
        found[axis] = _from_start(variable, _length(node.inputs[0].type.shape[axis]))
    return found


def _from_start(positions: Variable, length: int) -> Variable:
    """Return positions of which those from the end are counted from the start: the same variable for the same ones."""
    if isinstance(positions, Constant) or positions.type.dtype.startswith("uint"):
        return positions
    known = positions.tag.__dict__.setdefault("from_start", {})
    if length not in known:
        known[length] = pt.switch(pt.lt(positions, 0), pt.add(positions, length), positions)
    return known[length]


@pushes(IncSubtensor, *SCATTERS)
def written(node: Apply, terms: Sequence[list[Term]]) -> list[Term]:
    """x[...] = y or += y, where x is not traced if it is written over."""
    x, y, *inputs = node.inputs
    if node.op.set_instead_of_inc and terms[0]:
        raise NotFactored("values that are written over")
    found = list(terms[0])
    if not terms[1]:
        return found
    if isinstance(node.op, IncSubtensor):
        entries: dict[int, Place | int | slice] = dict(enumerate(indices(node.op.idx_list, inputs)))
        shape = tuple(n for axis, length in enumerate(x.type.shape) for n in _read_shape(entries.get(axis), length))
    else:
        positions = _gathering(node, inputs)
        axes = list(positions)
        inner = positions[axes[0]].type.shape
        if axes != list(range(axes[0], axes[0] + len(axes))) or any(v.type.shape != inner for v in positions.values()):
            raise NotFactored("positions along axes that do not stand together")
        shape = (*x.type.shape[: axes[0]], *inner, *x.type.shape[axes[-1] + 1 :])
        for term in terms[1]:
            own = _written_places(term, y, shape)
            middle = own[axes[0] : axes[0] + len(inner)]
            if len(inner) == len(axes) == 1 and not middle[0].is_plain:
                (positions_there,) = positions.values()
                place = middle[0]
                there = cast(TensorVariable, positions_there)[place.known()]
                found.append(term.times((), [*own[: axes[0]], Place(place.labels, there), *own[axes[0] + 1 :]]))
                continue
            if not all(place.is_plain for place in middle) or len({p.labels for p in middle}) < len(middle):
                raise NotFactored("positions of what has been placed")
            labels = tuple(place.labels[0] for place in middle)
            out = [
                *own[: axes[0]],
                *(Place(labels, _index(v)) for v in positions.values()),
                *own[axes[0] + len(inner) :],
            ]
            found.append(term.times((), out))
        return found
    for term in terms[1]:
        own = iter(_written_places(term, y, shape))
        out = []
        for axis, length in enumerate(x.type.shape):
            entry = entries.get(axis, slice(None))
            if isinstance(entry, int):
                out.append(fixed(entry % _length(length)))
                continue
            place, where = next(own), np.arange(_length(length))[entry]
            if where.size == length and entry.step in (None, 1):
                out.append(place)
            else:
                out.append(Place(place.labels, where[place.known()]))
        found.append(term.times((), out))
    return found


def _read_shape(entry: int | slice | Place | None, length: int | None) -> tuple[int, ...]:
    if isinstance(entry, int):
        return ()
    return (len(np.arange(_length(length))[slice(None) if entry is None else entry]),)


def _written_places(term: Term, y: Variable, shape: Sequence[int | None]) -> tuple[Place, ...]:
    """Return the places of the term in the part that is written, of which `y` may lack axes."""
    missing = len(shape) - rank(y)
    lead = tuple(Place((Label(length),)) for length in shape[:missing])
    return (*lead, *_broadcast(term.out, y, shape[missing:]))


@pushes(Join)
def joined(node: Apply, terms: Sequence[list[Term]]) -> list[Term]:
    axis, parts = axis_of(node), operands_of(node)
    if axis is None:
        raise NotFactored("an axis that is computed")
    found, start = [], 0
    own = terms[len(node.inputs) - len(parts) :]
    for part, group in zip(parts, own, strict=True):
        for term in group:
            place = term.out[axis]
            moved = Place(place.labels, start + place.known()) if start or part is not parts[-1] else place
            moved = moved if len(parts) > 1 else place
            found.append(term.times((), (*term.out[:axis], moved, *term.out[axis + 1 :])))
        start += _length(part.type.shape[axis])
    return found


@pushes(MakeVector)
def vector(node: Apply, terms: Sequence[list[Term]]) -> list[Term]:
    return [term.times((), (fixed(k),)) for k, own in enumerate(terms) for term in own]


@pushes(AllocDiag)
def diagonal_matrix(node: Apply, terms: Sequence[list[Term]]) -> list[Term]:
    if rank(node.inputs[0]) != 1 or node.op.offset:
        raise NotFactored(str(node.op))
    return [term.times((), (term.out[0], term.out[0])) for term in terms[0]]


@pushes(ExtractDiag)
def diagonal(node: Apply, terms: Sequence[list[Term]]) -> list[Term]:
    if rank(node.inputs[0]) != 2 or node.op.offset or node.inputs[0].type.shape[0] != node.inputs[0].type.shape[1]:
        raise NotFactored(str(node.op))
    found = []
    for term in terms[0]:
        row, column = term.out
        if row.is_plain and column.is_plain:
            new = {} if row.labels == column.labels else {column.labels[0]: row}
            found.append(term.moved(new, [row]))
        else:
            raise NotFactored("the diagonal of what has been placed")
    return found


__all__ = ["PUSHES", "Factor", "is_zero", "push_of", "pushes"]
