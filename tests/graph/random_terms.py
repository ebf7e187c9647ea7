"""Random Hessians in index notation, and what they are by going through all positions."""

from __future__ import annotations

from itertools import product
from math import prod
from typing import Any

import numpy as np
import pytensor.tensor as pt
from pytensor.tensor.variable import TensorVariable

from autoopt.graph.indexed.hessian import Block, Unassembled, _Computed
from autoopt.graph.indexed.terms import Label, Place, Term, fixed


class Sketch:
    """A random Hessian: views of the parameters, a block for some pairs of them, operands with values."""

    def __init__(self, seed: int) -> None:
        self.random = np.random.default_rng(seed)
        self.variables: list[TensorVariable] = []
        self.values: list[np.ndarray] = []
        self._by_shape: dict[tuple, int] = {}
        shapes = [tuple(self.random.integers(1, 4, size=self.random.integers(1, 3))) for _ in range(self._number(1, 4))]
        self.size = 2 * sum(map(prod, shapes))
        self.roots = self._views(shapes)
        pairs = [(row, column) for column in range(len(shapes)) for row in range(column + 1)]
        self.blocks = [self._block(row, column) for row, column in pairs if self.random.random() < 0.75]

    def _number(self, low: int, high: int) -> int:
        return int(self.random.integers(low, high))

    def _views(self, shapes: list[tuple]) -> list[np.ndarray]:
        """Return views beside each other or overlapping, every second entry or all, in either direction."""
        overlap, start, views = self.random.random() < 0.3, 0, []
        for shape in shapes:
            step = self._number(1, 3)
            first = self._number(0, self.size - step * prod(shape) + 1) if overlap else start
            entries = first + step * np.arange(prod(shape))
            start += step * prod(shape)
            views.append((entries if self.random.random() < 0.8 else entries[::-1]).reshape(shape))
        return views

    def _operand(self, shape: tuple, length: int | None = None) -> int:
        """Return the number of an array, or of positions in an axis of this length."""
        if length is None and shape in self._by_shape and self.random.random() < 0.5:
            return self._by_shape[shape]
        dtype = "float64" if length is None else "int64"
        self.variables.append(pt.tensor(f"operand{len(self.values)}", dtype=dtype, shape=tuple(map(int, shape))))
        known = self.random.normal(size=shape) if length is None else self.random.integers(0, length, size=shape)
        self.values.append(np.asarray(known))
        number = len(self.values) - 1
        return number if length is not None else self._by_shape.setdefault(shape, number)

    def _block(self, row: int, column: int) -> Block:
        terms = []
        for _ in range(self._number(1, 4)):
            term = self._term(self.roots[row].shape, self.roots[column].shape)
            terms.append(term)
            if row == column:
                terms.append(Term(term.coefficient, term.factors, term.par, term.out))
                if self.random.random() < 0.5:
                    terms.append(self._square(self.roots[row].shape))
        return Block(row, column, tuple(terms))

    def _term(self, rows: tuple, columns: tuple) -> Term:
        labels: list[Label] = []
        out, par = ([self._place(n, labels) for n in shape] for shape in (rows, columns))
        labels = list(dict.fromkeys([*labels, *(Label(self._number(2, 4)) for _ in range(2))]))
        factors = []
        for _ in range(self._number(0, 4)):
            own = tuple(labels[k] for k in self.random.permutation(len(labels))[: self._number(0, 4)])
            factors.append((self._operand(tuple(label.size for label in own)), own))
        return _term(float(self.random.choice([1, -1, 2, 0.5])), factors, out, par)

    def _place(self, length: int, labels: list[Label]) -> Place:
        if length == 1 or self.random.random() < 0.1:
            return fixed(self._number(0, length))
        fitting = [label for label in labels if label.size == length]
        if self.random.random() < 0.55:
            label = fitting[0] if fitting and self.random.random() < 0.4 else Label(length)
            labels.append(label)
            return Place((label,))
        own = [labels[0] if labels and self.random.random() < 0.5 else Label(self._number(2, 4))]
        own += [Label(self._number(2, 4))] * (self.random.random() < 0.3)
        labels.extend(own)
        shape = tuple(label.size for label in own)
        if self.random.random() < 0.6:
            return Place(tuple(own), self.random.integers(0, length, size=shape))
        computed: Any = _Computed(self._operand(shape, length))
        return Place(tuple(own), computed)

    def _square(self, shape: tuple) -> Term:
        """Return a sum of squares of rows, weighted or not."""
        rows, columns = ([Label(n) for n in shape if n > 1] for _ in range(2))
        out, par = (_plain(shape, labels) for labels in (rows, columns))
        summed = Label(self._number(2, 20))
        X = self._operand((summed.size, *(label.size for label in rows)))
        factors = [(X, (summed, *rows)), (X, (summed, *columns))]
        if self.random.random() < 0.6:
            factors.append((self._operand((summed.size,)), (summed,)))
        return _term(float(self.random.choice([1, -2])), factors, out, par)

    def unassembled(self) -> Unassembled:
        return Unassembled(self.size, self.roots, self.blocks)

    def entries(self) -> np.ndarray:
        """Return the Hessian, an addition for each choice of labels."""
        H = np.zeros((self.size, self.size))
        for block in self.blocks:
            part = np.zeros_like(H)
            for term in block.terms:
                self._add(part, term, self.roots[block.row], self.roots[block.column])
            H += part if block.row == block.column else part + part.T
        return H

    def _add(self, part: np.ndarray, term: Term, rows: np.ndarray, columns: np.ndarray) -> None:
        places = [*term.out, *term.par]
        own = [labels for _, labels in term.factors] + [place.labels for place in places]
        labels = list(dict.fromkeys(label for some in own for label in some))
        for choice in product(*(range(label.size) for label in labels)):
            at = dict(zip(labels, choice, strict=True))
            value = term.coefficient
            for number, over in term.factors:
                value *= self.values[number][tuple(at[label] for label in over)]  # type: ignore[index]
            where = [self._position(place, at) for place in places]
            count = len(term.out)
            part[rows[tuple(where[:count])], columns[tuple(where[count:])]] += value

    def _position(self, place: Place, at: dict[Label, int]) -> int:
        own = tuple(at[label] for label in place.labels)
        index = self.values[place.index.number] if isinstance(place.index, _Computed) else place.known()
        return int(index[own])


def _term(coefficient: float, factors: Any, out: list[Place], par: list[Place]) -> Term:
    """Return a term of a `Block`, whose factors are numbers of operands."""
    return Term(coefficient, tuple(factors), tuple(out), tuple(par))


def _plain(shape: tuple, labels: list[Label]) -> list[Place]:
    left = iter(labels)
    return [fixed(0) if n == 1 else Place((next(left),)) for n in shape]
