"""Which rows of the data each entry of each step reads: the walk of `tape/sparsity`, the rows in place of parameters.

    y (n,), X (n, 3)            1 ... n, along the first axis
    X @ b                       1 ... n
    y == 1                      1 ... n            what has no slope reads rows too
    y.mean()                    n + 1              a statistic: the terms of rows may read it as a constant
    np.sum(y - X @ b)           {1, ..., n}

An array is in the order of the rows if entry i along one of its axes reads row i at most, besides statistics. Arrays
of data that have no axis of n, and more entries than that, are statistics too: nobody knows whose row they are.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import getitem
from typing import Any

import numpy as np

from autoopt.tape import operations
from autoopt.tape.recurrence import Recurrence
from autoopt.tape.sparsity import propagation  # noqa: F401  (fills the table of rules)
from autoopt.tape.sparsity.elementwise import joined, operands
from autoopt.tape.sparsity.moves import read
from autoopt.tape.sparsity.pool import EMPTY, Pool
from autoopt.tape.sparsity.reductions import along
from autoopt.tape.sparsity.rules import Given, Operand, Several, rule_of
from autoopt.tape.sparsity.walk import Walk, fitted
from autoopt.tape.tape import DATA, Leaf, Step, Tape


class _Nowhere:
    """In place of interactions, for which nobody asks."""

    def within(self, *numbers: Any) -> None:
        pass

    between = within


class Reading(Walk):
    """The steps of a tape with the rows that their entries read.

    Parameters
    ----------
    tape : Tape
    rows : int
        The number of rows, n; member n of the sets is what is known of all rows together.
    """

    def __init__(self, tape: Tape, rows: int) -> None:
        super().__init__(tape.steps, tape.values, Pool(rows + 1), _Nowhere())  # type: ignore[arg-type]
        self.rows, self.statistic = rows, rows + 1
        for index, step in enumerate(tape.steps):
            if type(step.template) is Leaf or step.operation is None:
                is_data = type(step.template) is Leaf and index > 0
                self.numbers[index] = self._seed(step) if is_data else _nothing(step)
        self.run()

    def _seed(self, step: Step) -> np.ndarray:
        """Return the numbers of an input."""
        axes = [axis for axis, length in enumerate(step.shape) if length == self.rows]
        if len(axes) == 1:
            return np.arange(1, self.rows + 1).reshape([-1 if k == axes[0] else 1 for k in range(len(step.shape))])
        if axes:
            everything = self.pool.all(np.arange(1, self.rows + 1))
            return np.full((1,) * len(step.shape), everything)
        is_large = step.shape and int(np.prod(step.shape)) >= self.rows
        return np.full((1,) * len(step.shape), self.statistic if is_large else EMPTY)

    def _followed(self, index: int) -> Any:
        step = self.steps[index]
        if not any(self.depends(source) for source in step.inputs):
            return _nothing(step)
        found = self._by_rule(step)
        if isinstance(found, Several):
            return found
        found = fitted(found, step.shape)
        if step.level == DATA and self.rows not in step.shape and self.pool.length[found].max() > 1:
            return np.where(self.pool.length[found] > 1, self.statistic, found)
        return found

    def _by_rule(self, step: Step) -> Any:
        if step.operation is operations.component:
            return self._component(step)
        rule: Callable | None = _RULES.get(step.operation) if is_hashable(step.operation) else None
        rule = rule or _NAMES.get(getattr(step.operation, "__name__", ""))
        rule = rule or (None if isinstance(step.operation, Recurrence) else rule_of(step.operation))
        if rule is not None:
            try:
                return rule(self, Given(step))
            except Exception:  # Unknown, or whatever NumPy raises of arguments that the rule is not made for
                pass
        return self.everything(step)

    # What is asked of it ----------------------------------------------------------------------------------------------

    def is_free(self, index: int) -> bool:
        """Whether a step reads no row, and no statistic."""
        return not self.depends(index)

    def is_constant(self, index: int) -> bool:
        """Whether a step is a number of the data that all rows may read: free, or a statistic."""
        step = self.steps[index]
        return self.is_free(index) or (step.level == DATA and self.rows not in step.shape)

    def axes(self, index: int) -> list[int]:
        """Return the axes along which a step is in the order of the rows."""
        if isinstance(self.numbers[index], Several):
            return []
        shape, numbers = self.steps[index].shape, self.of(index)
        members, counts = self._own(numbers)
        found = []
        for axis, length in enumerate(shape):
            if length == self.rows and (counts <= 1).all():
                place = np.arange(length).reshape([-1 if k == axis else 1 for k in range(len(shape))])
                if (counts == 0).all() or (
                    numbers.shape[axis] == length and ((members == place) | (counts == 0)).all()
                ):
                    found.append(axis)
        return found

    def single(self, index: int) -> np.ndarray | None:
        """Return the row that each entry of a step reads, in its shape; None if one reads several, or none."""
        if isinstance(self.numbers[index], Several):
            return None
        members, counts = self._own(self.of(index))
        return np.broadcast_to(members, self.steps[index].shape) if (counts == 1).all() else None

    def _own(self, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the first row of each set, and how many rows it has, statistics left out, which stand last."""
        length, first = self.pool.length[numbers], self.pool.first[numbers]
        ends = self.pool.members[np.maximum(first + length - 1, 0)]
        counts = length - ((length > 0) & (ends == self.rows))
        return self.pool.members[np.minimum(first, len(self.pool.members) - 1)], counts


def _nothing(step: Step) -> np.ndarray:
    return np.zeros((1,) * len(step.shape), dtype=np.int64)


def is_hashable(operation: Any) -> bool:
    """Whether an operation can be looked up in a table."""
    try:
        hash(operation)
    except TypeError:
        return False
    return True


# Rules of what has no slope, but reads rows all the same --------------------------------------------------------------


def _entrywise(walk: Reading, given: Given) -> np.ndarray:
    return joined(walk, operands(walk, given))


def _read(walk: Reading, given: Given) -> Any:
    """Entries at positions that may read rows themselves."""
    moved = read(walk, given)
    index = given.args[1]
    if isinstance(index, Operand) and walk.steps[index.step].dtype.kind in "iub":
        own = walk.spread(index.step)
        if _is_permutation(walk, index.step):
            return moved
        if walk.steps[index.step].dtype.kind == "b":
            own = own[walk.value(index.step)]
        return walk.pool.union(moved, own.reshape(own.shape + (1,) * (len(given.step.shape) - own.ndim)))
    parts = index if type(index) is tuple else (index,)  # an Operand is a tuple, too
    arrays = [part for part in parts if isinstance(part, Operand)]
    if not any(walk.depends(part.step) for part in arrays):
        return moved
    if any(walk.steps[part.step].dtype.kind == "b" or len(walk.steps[part.step].shape) > 1 for part in arrays):
        return walk.everything(given.step)
    # Arrays of positions side by side share an axis of the result: it is where the first of them stands.
    places = [k for k, part in enumerate(parts) if isinstance(part, Operand)]
    if places != list(range(places[0], places[-1] + 1)):
        return walk.everything(given.step)
    axis = sum(isinstance(other, slice) or other is None for other in parts[: places[0]])
    shape = [-1 if k == axis else 1 for k in range(len(given.step.shape))]
    for part in arrays:
        moved = walk.pool.union(moved, walk.spread(part.step).reshape(shape))
    return moved


def _is_permutation(walk: Reading, index: int) -> bool:
    """Whether positions are data themselves, those of all rows in another order: no entry reads a row besides its own.

    Positions that are computed, as by a sort, read all rows: which of them come first is not for one row to say.
    """
    step = walk.steps[index]
    if step.operation is not None or step.shape != (walk.rows,) or step.level > DATA or step.dtype.kind == "b":
        return False
    return bool((np.sort(walk.value(index)) == np.arange(walk.rows)).all())


def _nonzero(walk: Reading, given: Given) -> Several:
    """The positions of a mask, each of which reads the entry that is there."""
    mask = given.args[0].step
    places = np.nonzero(walk.value(mask))
    own = walk.spread(mask)[places]
    return Several(own, tuple(own for _ in places))


def _sparse(walk: Reading, given: Given) -> np.ndarray:
    """A row of the matrix times a vector that reads no rows."""
    matrix, vector = given.args[0].step, given.args[1].step
    if walk.depends(vector):
        return walk.everything(given.step)
    own = np.asarray(walk.of(matrix)).reshape(-1)
    return own.reshape(own.shape + (1,) * (len(given.step.shape) - 1))


def _solved(walk: Reading, given: Given) -> np.ndarray:
    """The columns of a right-hand side, each by itself, where the matrix reads no rows."""
    matrix, right = given.args[:2]
    is_free = not isinstance(matrix, Operand) or not walk.depends(matrix.step)
    if not is_free or not isinstance(right, Operand) or len(walk.steps[right.step].shape) != 2:
        return walk.everything(given.step)
    return along(walk, right.step, 0)


_STEPPED = (np.floor, np.ceil, np.trunc, np.rint, np.sign, np.floor_divide, np.heaviside, np.spacing)

_RULES: dict[Any, Callable] = {
    **dict.fromkeys((*_STEPPED, np.round, np.around, np.fix, operations.held, np.isin, np.isclose), _entrywise),
    np.where: _entrywise,
    getitem: _read,
    np.nonzero: _nonzero,
    operations.sparse_product: _sparse,
    np.linalg.solve: _solved,
}

_NAMES: dict[str, Callable] = {"solve_triangular": _solved}
"""By the name of a function of SciPy, which need not be loaded for this."""
