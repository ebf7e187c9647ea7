"""The blocks of a Hessian multiplied out and put together, once their factors are in their final form."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any, cast

import numpy as np
import pytensor.tensor as pt
from pytensor import scalar as ps
from pytensor.graph.basic import Variable
from pytensor.graph.replace import clone_replace
from pytensor.graph.traversal import ancestors
from pytensor.tensor.elemwise import DimShuffle
from pytensor.tensor.variable import TensorVariable

from autoopt.graph.indexed.contraction import Contractions, cheapest, shaped
from autoopt.graph.indexed.gathers import with_joint_reads
from autoopt.graph.indexed.hessian import Block, Unassembled, with_operands
from autoopt.graph.indexed.scales import balanced
from autoopt.graph.indexed.symmetry import squared
from autoopt.graph.indexed.terms import Factor, Label, Place, Term, as_slice, composed, merged
from autoopt.graph.rewrites.linear import Dependents
from autoopt.ops.assembled import Assembled, Entry, Positions, gram
from autoopt.ops.patterns import is_elementwise, uniform


def assembled(variables: Sequence[Variable], parameters: Variable) -> list[Variable]:
    """Return `variables` with every Hessian by `parameters` in them put together."""
    nodes = [v.owner for v in ancestors(variables) if v.owner and isinstance(v.owner.op, Unassembled)]
    new: dict[Variable, Variable] = {
        node.outputs[0]: _Assembly(node.op, node.inputs, {parameters}).result() for node in nodes
    }
    return with_joint_reads(clone_replace(list(variables), new)) if new else list(variables)


AT_ONCE = 2**22
"""Entries of rows whose products are made as a whole; of more a block of rows at a time."""


class _Assembly:
    """One Hessian under construction."""

    def __init__(self, op: Unassembled, operands: Sequence[Variable], parameters: set[Variable]) -> None:
        self.op, self.operands, self.depends = op, list(operands), Dependents(parameters)
        self.contractions = Contractions()
        self.values: list[Variable] = []
        self.entries: list[Entry] = []

    def result(self) -> TensorVariable:
        for block in self.op.blocks:
            self.add(block)
        if not self.entries:
            return pt.zeros((self.op.size, self.op.size))
        self.entries = self.summed()
        entry, *rest = self.entries
        if not rest and entry.is_whole(self.op.size):
            value = cast(TensorVariable, self.values[entry.operand])
            return pt.add(value, value.T) if entry.mirrored else value
        return cast(TensorVariable, Assembled(self.op.size, self.entries)(*self.values))

    def summed(self) -> list[Entry]:
        """Return the entries with those of one place as one, which is the sum of their operands."""
        groups: dict[object, list[Entry]] = {}
        for entry in self.entries:
            is_slice = isinstance(entry.rows, slice) and isinstance(entry.columns, slice)
            key = (entry.kind, *map(_bounds, (entry.rows, entry.columns)), entry.mirrored, entry.axes, entry.count)
            groups.setdefault(key if is_slice else entry, []).append(entry)
        found = []
        for first, *others in groups.values():
            if others:
                self.values[first.operand] = pt.add(*(self.values[entry.operand] for entry in (first, *others)))
            found.append(first)
        return sorted(found, key=lambda entry: entry.kind != "block")  # which may be written in place of zeros

    def add(self, block: Block) -> None:
        """Enter the terms of one block."""
        terms = merged(self.term(numbered) for numbered in block.terms)
        own = block.row == block.column
        terms = merged(map(squared, terms)) if own else terms
        positions = [self.op.roots[block.row], self.op.roots[block.column]]
        pending: list[tuple[Term, bool]] = _paired(terms) if own else [(term, True) for term in terms]
        for term, mirrored in pending:
            rows, columns = (_flat(places, p) for places, p in zip((term.out, term.par), positions, strict=True))
            self.enter(term, rows, columns, mirrored, own)

    def term(self, numbered: Term) -> Term:
        """Return a term with its operands, numbers in its coefficient and divisors where they do not overflow."""
        return balanced(without_numbers(with_operands(numbered, self.operands)), self.is_data)

    def is_data(self, variable: Variable) -> bool:
        """Whether no parameter decides what an array is."""
        return variable not in self.depends

    def enter(self, term: Term, rows: Place, columns: Place, mirrored: bool, own: bool) -> None:
        """Enter one term."""
        shared = [label for label in rows.labels if label in columns.labels]
        if not shared:
            wanted = (*rows.labels, *columns.labels)
            value = self.multiplied(term, wanted, rows if own else None, columns)
            value = shaped(value, (prod(rows.sizes), prod(columns.sizes)))
            self.put(Entry(0, "block", self.positions(rows), self.positions(columns), mirrored), value)
            return
        if set(rows.labels) == set(columns.labels):
            labels = rows.labels
            if not term.factors and all(_is_slice(place) for place in (rows, columns)):
                value = pt.constant(np.float64(term.coefficient))
            else:
                value = shaped(self.multiplied(term, labels), (prod(rows.sizes),))
            places = self.positions(rows), self.positions(_turned(columns, labels))
            self.put(Entry(0, "diagonal", *places, mirrored), value)
            return
        letters = {label: chr(ord("i") + k) for k, label in enumerate(shared)}
        free = [label for label in (*rows.labels, *columns.labels) if label not in letters]
        value = self.multiplied(term, (*shared, *free), rows if own else None, columns, shared)
        axes = tuple((letters.get(label, ""), label.size) for label in (*rows.labels, *columns.labels))
        entry = Entry(0, "blocks", self.positions(rows), self.positions(columns), mirrored, axes, len(rows.labels))
        self.put(entry, value)

    def put(self, entry: Entry, value: TensorVariable) -> None:
        """Enter a value, in double precision: other entries are added into one that is as large as the matrix."""
        number = len(self.values)
        self.values.append(value if value.type.dtype == "float64" else value.astype("float64"))
        self.entries.append(
            Entry(number, entry.kind, entry.rows, entry.columns, entry.mirrored, entry.axes, entry.count)
        )

    def positions(self, place: Place) -> Positions:
        """Return the positions in the vector as an entry has them."""
        index = place.index
        if isinstance(index, Variable):
            self.values.append(cast(TensorVariable, index).ravel())
            return len(self.values) - 1
        flat = np.asarray(place.known()).reshape(-1)
        return as_slice(flat) or flat

    def multiplied(
        self,
        term: Term,
        wanted: Sequence[Label],
        rows: Place | None = None,
        columns: Place | None = None,
        shared: Sequence[Label] = (),
    ) -> TensorVariable:
        """Return the entries of a term with an axis for each label, times its coefficient."""
        value: Any = None
        if rows is not None and columns is not None:
            value = self.square(term, _free(rows, shared), _free(columns, shared), shared)
        if value is None:
            value = self.contractions.arranged(term.factors, wanted)
        shape = tuple(label.size for label in wanted)
        if term.coefficient != 1.0:
            value = -value if term.coefficient == -1.0 else pt.mul(term.coefficient, value)
        return cast(TensorVariable, value if value.type.shape == shape or shared else pt.alloc(value, *shape))

    def square(
        self, term: Term, rows: Sequence[Label], columns: Sequence[Label], shared: Sequence[Label]
    ) -> TensorVariable | None:
        """Return the block as a sum of weighted squares of rows, if it is one and that costs least."""
        left, right = set(rows), set(columns)
        mine = [f for f in term.factors if left & set(f[1]) and not right & set(f[1])]
        theirs = [f for f in term.factors if right & set(f[1]) and not left & set(f[1])]
        weights = [f for f in term.factors if not (left | right) & set(f[1])]
        if len(mine) + len(theirs) + len(weights) < len(term.factors) or not mine or len(mine) != len(theirs):
            return None
        if [label.size for label in rows] != [label.size for label in columns]:
            return None
        new = dict(zip(rows, columns, strict=True))
        turned = [(v, tuple(new.get(label, label) for label in labels)) for v, labels in mine]
        if not all(any(_same(one, two) for two in theirs) for one in turned):
            return None
        summed = list(dict.fromkeys(x for _, labels in mine for x in labels if x not in left))
        if not summed or any(set(summed) - set(labels) for _, labels in mine):
            return None
        if any(set(labels) - set(summed) - set(shared) for _, labels in weights):
            return None
        if any(set(labels) & set(shared) for _, labels in mine) or (shared and not weights):
            return None
        mine.sort(key=lambda f: min(rows.index(x) for x in f[1] if x in left))
        order = [x for _, labels in mine for x in rows if x in labels]
        if order != list(rows):
            return None
        count, size = prod(label.size for label in summed), prod(label.size for label in rows)
        if prod(label.size for label in shared) * count * size * (size / 2 + 8) > cheapest(
            term.factors, (*shared, *rows, *columns)
        ):
            return None
        factors = []
        for variable, labels in mine:
            axes = [*summed, *(label for label in rows if label in labels)]
            x = cast(TensorVariable, variable).dimshuffle([labels.index(label) for label in axes])
            factors.append(shaped(x, (count, prod(label.size for label in axes[len(summed) :]))))
        if not weights and (len(factors) == 1 or count * size <= AT_ONCE):
            return self.unweighted(factors, [*rows, *columns])
        lengths = tuple(label.size for label in (*shared, *summed))
        w: Any = self.contractions.arranged(weights, (*shared, *summed)) if weights else pt.ones(lengths)
        w = w if w.type.shape == lengths else pt.alloc(w, *lengths)
        w = shaped(w, (prod(lengths[: len(shared)]), count) if shared else (count,))
        return shaped(gram(w, *factors), [label.size for label in (*shared, *rows, *columns)])

    def unweighted(self, factors: list[TensorVariable], labels: Sequence[Label]) -> TensorVariable:
        rows: Any = factors[0]
        for factor in factors[1:]:
            rows = (rows[:, :, None] * factor[:, None, :]).reshape((rows.type.shape[0], -1))
        size = prod(factor.type.shape[1] for factor in factors)
        rows = shaped(rows, (factors[0].type.shape[0], size)) if len(factors) > 1 else rows
        return shaped(pt.dot(rows.T, rows), [label.size for label in labels])


def without_numbers(term: Term) -> Term:
    """Return the term with signs, and factors that are one number, in its coefficient."""
    coefficient, factors = term.coefficient, []
    for variable, labels in term.factors:
        number, rest = _scaled(variable)
        coefficient *= number
        if rest is not None:
            factors.append((rest, labels))
    left = Term(coefficient, tuple(factors), term.out, term.par)
    gone = [label for _, labels in term.factors for label in labels]
    return left.without([label for label in gone if label not in left.placed], left.out)


def _scaled(variable: Variable) -> tuple[float, Variable | None]:
    """Return a number and what it is multiplied by, None if the array is that number everywhere."""
    number = uniform(variable)
    if number is not None:
        return number, None
    node = variable.owner
    if is_elementwise(variable, ps.Neg):
        number, rest = _scaled(node.inputs[0])
        return -number, rest
    if is_elementwise(variable, ps.Mul):
        numbers = [uniform(v) for v in node.inputs]
        known = [number for number in numbers if number is not None]
        others = [v for v, number in zip(node.inputs, numbers, strict=True) if number is None]
        shape = cast(TensorVariable, variable).type.shape
        if known and others and np.broadcast_shapes(*(v.type.shape for v in others)) == shape:
            return float(np.prod(known)), pt.mul(*others) if len(others) > 1 else others[0]
    if node is not None and isinstance(node.op, DimShuffle):
        number, rest = _scaled(node.inputs[0])
        if number != 1.0 and rest is not None:
            return number, cast(TensorVariable, rest).dimshuffle(node.op.new_order)
    return 1.0, variable


def _is_slice(place: Place) -> bool:
    return not isinstance(place.index, Variable) and as_slice(np.asarray(place.known()).reshape(-1)) is not None


def _bounds(positions: Positions) -> object:
    return (positions.start, positions.stop, positions.step) if isinstance(positions, slice) else None


def _free(place: Place, shared: Sequence[Label]) -> list[Label]:
    return [label for label in place.labels if label not in shared]


def _same(one: Factor, two: Factor) -> bool:
    """Whether two factors are one array over the same labels, in whatever order of the axes."""
    if set(one[1]) != set(two[1]):
        return False
    (a, la), (b, lb) = _plain(one), _plain(two)
    return a is b and la == lb


def _plain(factor: Factor) -> Factor:
    """Return an array that is only transposed as what it is a transpose of."""
    variable, labels = factor
    while variable.owner is not None and isinstance(variable.owner.op, DimShuffle):
        order = variable.owner.op.new_order
        if "x" in order or len(order) != cast(TensorVariable, variable.owner.inputs[0]).type.ndim:
            break
        variable = variable.owner.inputs[0]
        labels = tuple(labels[order.index(axis)] for axis in range(len(order)))
    return variable, labels


def _flat(places: Sequence[Place], positions: np.ndarray) -> Place:
    """Return the place in the vector of what stands at places of a root's axes."""
    places = [place for place, length in zip(places, positions.shape, strict=True) if length != 1]
    positions = positions.reshape([length for length in positions.shape if length != 1])
    if not places:
        return Place((), np.asarray(positions.reshape(())))
    new = [Label(length) for length in positions.shape]
    return composed(Place(tuple(new), positions), dict(zip(new, places, strict=True)))


def _turned(place: Place, labels: tuple[Label, ...]) -> Place:
    """Return the same place with its labels in another order."""
    if place.labels == labels:
        return place
    order = [place.labels.index(label) for label in labels]
    if isinstance(place.index, Variable):
        return Place(labels, cast(TensorVariable, place.index).dimshuffle(order))
    return Place(labels, np.ascontiguousarray(place.known().transpose(order)))


def _paired(terms: Sequence[Term]) -> list[tuple[Term, bool]]:
    """Return the terms of a symmetric block, one for two that are each other's transpose, which is mirrored."""
    left = list(terms)
    found: list[tuple[Term, bool]] = []
    while left:
        term = left.pop(0)
        turned = Term(term.coefficient, term.factors, term.par, term.out)
        twin = next((k for k, other in enumerate(left) if _equal(turned, other)), None)
        if twin is None:
            found.append((term, False))
        else:
            del left[twin]
            found.append((term, True))
    return found


def _equal(one: Term, two: Term) -> bool:
    """Whether two terms are the same but for the names of their labels."""
    if one.coefficient != two.coefficient or len(one.factors) != len(two.factors):
        return False
    both = merged([one, two])
    return len(both) == 1 and both[0].coefficient == 2.0 * one.coefficient
