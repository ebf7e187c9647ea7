"""Operations of Hessians in index notation: putting one together from its blocks, and sums of squares of rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from pytensor.graph.basic import Apply, Variable
from pytensor.graph.op import Op
from pytensor.tensor.type import TensorType

from autoopt.ops.releases import infers_shape

Positions = slice | np.ndarray | int
"""Of rows or columns: a slice, known positions, or the number of the operand that they are."""


@dataclass(frozen=True, eq=False)
class Entry:
    """Where an operand is added into a square matrix.

    Attributes
    ----------
    operand : int
    kind : "block", "diagonal" or "blocks"
        `matrix[rows[:, None], columns] += operand` for a block, `matrix[rows, columns] += operand` for a diagonal; for
        blocks the rows and columns are slices, and that part of the matrix, reshaped to an axis for each of `axes`, has
        the operand where axes of one letter have equal positions. The operand's axes are those letters first, in
        alphabetical order, then the rest.
    rows, columns : Positions
    mirrored : bool
        Whether the transpose is added at (columns, rows), too.
    axes : tuple of (str, int)
        For blocks: a letter, "" for an axis of its own, and the length; the rows' axes first.
    count : int
        How many of `axes` are the rows'.
    """

    operand: int
    kind: Literal["block", "diagonal", "blocks"]
    rows: Positions
    columns: Positions
    mirrored: bool = False
    axes: tuple[tuple[str, int], ...] = ()
    count: int = 0

    @property
    def letters(self) -> dict[str, int]:
        """The letters that two axes share, in order, with their lengths."""
        return dict(sorted({letter: length for letter, length in self.axes if letter}.items()))

    def is_whole(self, size: int) -> bool:
        """Whether it is a block that is as large as the matrix."""
        whole = slice(0, size, 1)
        places = [place for place in (self.rows, self.columns) if isinstance(place, slice)]
        return self.kind == "block" and places == [whole, whole]


class Assembled(Op):
    """A square matrix of zeros into which operands are added."""

    def __init__(self, size: int, entries: Sequence[Entry]) -> None:
        self.size, self.entries = size, tuple(entries)

    def make_node(self, *operands: Variable) -> Apply:
        return Apply(self, list(operands), [TensorType("float64", (self.size, self.size))()])

    def perform(self, node: Apply, inputs: list, output_storage: list) -> None:
        matrix = np.zeros((self.size, self.size))
        for entry in self.entries:
            value = np.asarray(inputs[entry.operand])
            rows, columns = (self._positions(p, inputs) for p in (entry.rows, entry.columns))
            add_entry(matrix, entry, rows, columns, value)
        output_storage[0][0] = matrix

    def _positions(self, positions: Positions, inputs: list) -> Any:
        return inputs[positions] if isinstance(positions, int) else positions

    @infers_shape
    def infer_shape(self, node: Apply, shapes: Sequence) -> list:
        """Return the shape of the result."""
        return [(self.size, self.size)]

    def do_constant_folding(self, fgraph: Any, node: Apply) -> bool:
        """Constant blocks stay small where the matrix is large."""
        return False


def add_entry(matrix: np.ndarray, entry: Entry, rows: Any, columns: Any, value: np.ndarray) -> None:
    """Add one operand into the matrix."""
    rows, columns = (np.arange(len(matrix))[p] if isinstance(p, slice) else np.asarray(p) for p in (rows, columns))
    if entry.kind == "block":
        rows, columns = rows[:, None], columns[None, :]
    elif entry.kind == "blocks":
        letters = entry.letters
        shape = [length for _, length in entry.axes]
        free = [k for k, (letter, _) in enumerate(entry.axes) if not letter]
        grid = np.indices([*letters.values(), *(shape[k] for k in free)], sparse=True)
        own = dict(zip(letters, grid, strict=False)) | dict(zip(free, grid[len(letters) :], strict=True))
        index = [own[letter if letter else k] for k, (letter, _) in enumerate(entry.axes)]
        rows = rows.reshape(shape[: entry.count])[tuple(index[: entry.count])]
        columns = columns.reshape(shape[entry.count :])[tuple(index[entry.count :])]
    np.add.at(matrix, (rows, columns), value)
    if entry.mirrored:
        np.add.at(matrix, (columns, rows), value)


class Gram(Op):
    """sum over i of w[i] z[i] z[i]', the rows z[i] being Kronecker products of rows of the factors.

    `w` of shape (n,) or (m, n), the factors of shapes (n, k), (n, l), ...; the result has shape (k l ..., k l ...) or
    (m, k l ..., k l ...). Where no weight is negative it is the square of a matrix, of which BLAS computes one half.
    """

    __props__ = ()

    def make_node(self, w: Variable, *factors: Variable) -> Apply:
        size = int(np.prod([v.type.shape[1] for v in factors]))
        return Apply(self, [w, *factors], [TensorType("float64", (*w.type.shape[:-1], size, size))()])

    def perform(self, node: Apply, inputs: list, output_storage: list) -> None:
        w, *factors = inputs
        rows = factors[0]
        for factor in factors[1:]:
            rows = (rows[:, :, None] * factor[:, None, :]).reshape(len(rows), -1)
        output_storage[0][0] = np.asarray((rows.T * w[..., None, :]) @ rows)

    @infers_shape
    def infer_shape(self, node: Apply, shapes: Sequence) -> list:
        """Return the shape of the result."""
        return [node.outputs[0].type.shape]


gram = Gram()
