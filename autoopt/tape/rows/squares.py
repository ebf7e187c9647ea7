"""How many squared residuals a value is the sum of, as its tape shows it.

    np.sum(w * (Y - m(p, t)[:, None]) ** 2)          Y (6, 4), w (6, 1) with one entry 0

    1  Y - m              residuals                                                   shape (6, 4)
    2  1 ** 2             a square in each entry                   1, 1, 1, 1; ...    shape (6, 4)
    3  w * 2              none where the weight is 0               0, 0, 0, 0; ...    shape (6, 4)
    4  np.sum(3)          what is done to entries is done to their counts   20

From the value back, each step has a count for each of its entries: of a square 1, or 0 where it is 0 whatever the
parameters are, as behind a mask (`alive`). What adds and moves entries does the same to their counts. Any other way
from the residuals to the value is none of a sum of squares that is known, and `NotByRow` says where it leads.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from operator import getitem
from typing import Any

import numpy as np

from autoopt.tape import operations
from autoopt.tape.batching.batching import has_loops, unrolled, vectorise
from autoopt.tape.rows.dependence import is_hashable
from autoopt.tape.rows.labels import contraction
from autoopt.tape.rows.splitting import NotByRow
from autoopt.tape.sparsity.rules import Given, Operand
from autoopt.tape.tape import PARAMETER, Leaf, Tape, call


def squares(tape: Tape, x: np.ndarray) -> int:
    """Return how many squared residuals the value of a tape is the sum of, without those that are 0 everywhere.

    Parameters
    ----------
    tape : Tape
        Of a number.
    x : ndarray, shape (n,)
        The parameters: residuals that are missing (NaN) there are left out by `np.nansum`.

    Raises
    ------
    NotByRow
        If the value is not recognised as a sum of squares.
    """
    vectorised = vectorise(tape)
    try:
        return Counting(vectorised, x).result()
    except NotByRow:
        if not has_loops(vectorised):
            raise
    return Counting(unrolled(tape), x).result()


class Counting:
    """The way back over one tape."""

    def __init__(self, tape: Tape, x: np.ndarray) -> None:
        self.tape, self.steps, self.x = tape, tape.steps, x
        self._values: dict[int, Any] = {}
        self._counts: dict[int, np.ndarray] = {}
        self._alive: dict[int, np.ndarray] = {}
        self.roots: set[int] = set()
        self.same = _alike(tape)

    def result(self) -> int:
        """Return the count of the value."""
        try:
            with np.errstate(all="ignore"):
                for index in self._chain():
                    self._counts[index] = self.of(index)
                total = int(np.sum(self.of(self.tape.output)))
        except RecursionError:
            raise NotByRow("the squares are those of a long loop") from None
        reading = self._reading()
        alone = [root for root in self.roots if not reading[root]]
        if alone and len(alone) < len(self.roots):
            what = "squares of the parameters alone are added, as of a penalty, which are no observations"
            raise NotByRow(what, self.steps[max(alone)].location)
        return total

    def _chain(self) -> list[int]:
        """Return the steps that add to the value one after another, as a loop does, the first of them first."""
        pending, found = [self.tape.output], set()
        while pending:
            index = pending.pop()
            step = self.steps[index]
            if index in found or self.is_data(index) or step.operation not in (np.add, operations.total):
                continue
            found.add(index)
            pending += step.inputs
        return sorted(found)

    def _reading(self) -> list[bool]:
        """Return for each step whether it reads an input besides the parameters, or an array of constants."""
        found: list[bool] = []
        for index, step in enumerate(self.steps):
            is_input = step.operation is None and index > 0
            is_array = is_input and (type(step.template) is Leaf or np.ndim(self.tape.values[index]) > 0)
            found.append(is_array or any(found[source] for source in step.inputs))
        return found

    def value(self, index: int) -> Any:
        """Return the value of a step."""
        if index not in self._values:
            step = self.steps[index]
            if step.operation is not None:
                self._values[index] = call(step, [self.value(source) for source in step.inputs])
            else:
                self._values[index] = self.x if index == 0 else self.tape.values[index]
        return self._values[index]

    def is_data(self, index: int) -> bool:
        """Whether a step is the same for all parameters."""
        return self.steps[index].level < PARAMETER

    def of(self, index: int) -> np.ndarray:
        """Return how many squares each entry of a step is the sum of, in its shape."""
        if index in self._counts:
            return self._counts[index]
        step = self.steps[index]
        if self.is_data(index):
            if np.any(self.value(index)):
                raise NotByRow("what no parameter changes is added to the squares", step.location)
            return np.zeros(step.shape, int)
        counts = self._squared(index) if is_hashable(step.operation) else None
        if counts is None:
            rule = _SUMS.get(step.operation) if is_hashable(step.operation) else None
            counts = None if rule is None else _tried(rule, self, index)
        if counts is None:
            name = getattr(step.operation, "__name__", str(step.operation))
            raise NotByRow(f"between squared residuals and their sum it goes through {name}", step.location)
        return np.broadcast_to(counts, step.shape)

    def moved(self, index: int, of: Callable[[int], Any], entries: Iterable[int] = (0,)) -> Any:
        """Return what a step makes of its inputs: of those at the positions `entries` of `of` them in their place."""
        sources = self.steps[index].inputs
        inside = range(len(sources)) if entries is ALL else entries
        return call(self.steps[index], [of(one) if k in inside else self.value(one) for k, one in enumerate(sources)])

    # Squares ----------------------------------------------------------------------------------------------------------

    def _squared(self, index: int) -> np.ndarray | None:
        """Return the counts of a step that is a product in which each residual stands twice; None if it is none."""
        step = self.steps[index]
        if step.operation in _CONTRACTIONS:
            return self._contracted(index)
        weight, roots = self.factors(index)
        if not roots or any(times % 2 for times in roots.values()):
            return None
        self._refuse_negative(index, weight)
        counts = (np.asarray(weight) != 0).astype(int)
        self.roots.update(roots)
        for root in roots:
            rule = _ROOTS.get(self.steps[root].operation) if is_hashable(self.steps[root].operation) else None
            counts = counts * (self.alive(root) if rule is None else rule(self, root))
        return counts

    def factors(self, index: int) -> tuple[Any, Counter[int]]:
        """Return the product of the data that are factors of a step, and how often each other factor stands in it."""
        step = self.steps[index]
        if self.is_data(index):
            return self.value(index), Counter()
        if step.operation in (np.multiply, operations.product, np.negative) and not (step.template or ((), {}))[1]:
            parts = [self.factors(source) for source in step.inputs]
            weight: Any = -1.0 if step.operation is np.negative else 1.0
            for one, _ in parts:
                weight = weight * one
            return weight, sum((roots for _, roots in parts), Counter())
        if step.operation is np.divide and self.is_data(step.inputs[1]):
            weight, roots = self.factors(step.inputs[0])
            return weight / self.value(step.inputs[1]), roots
        exponent = self._exponent(index)
        if exponent is not None:
            weight, roots = self.factors(step.inputs[0])
            return np.asarray(weight) ** exponent, Counter({root: exponent * times for root, times in roots.items()})
        return 1.0, Counter({self.same[index]: 1})

    def _exponent(self, index: int) -> int | None:
        """Return the whole number to whose power a step is taken; None if it is no power."""
        step = self.steps[index]
        if step.operation is np.square:
            return 2
        if step.operation not in (np.power, np.float_power) or not self.is_data(step.inputs[-1]):
            return None
        power = np.asarray(self.value(step.inputs[-1]))
        is_whole = len(step.inputs) == 2 and power.ndim == 0 and power >= 1 and power == int(power)
        return int(power) if is_whole else None

    def _contracted(self, index: int) -> np.ndarray | None:
        """Return the counts of a product that is summed over shared axes, such as r @ r and r @ (w * r)."""
        product = contraction(self.steps, Given(self.steps[index]))
        if product is None:
            return None
        text = f"{','.join(product.names)}->{product.output}"
        roots: Counter[tuple[int, str]] = Counter()
        alive = []
        for source, names in product.operands:
            weight, own = self.factors(source)
            self._refuse_negative(index, weight)
            alive.append(np.broadcast_to(np.asarray(weight) != 0, self.steps[source].shape).astype(int))
            for root, times in own.items():
                if is_hashable(operation := self.steps[root].operation) and operation in _ROOTS:
                    return None
                alive[-1] = alive[-1] * self.alive(root)
                root, letters = self._turned(root, names[len(names) - len(self.steps[root].shape) :])
                roots[root, letters] += times
        if roots and not any(times % 2 for times in roots.values()):
            self.roots.update(root for root, _ in roots)
            return np.einsum(text, *alive)
        moving = [k for k, (source, _) in enumerate(product.operands) if not self.is_data(source)]
        if len(moving) != 1:
            return None
        alive[moving[0]] = self.of(product.operands[moving[0]][0])
        return np.einsum(text, *alive)

    def _turned(self, root: int, letters: str) -> tuple[int, str]:
        """Return what a transpose is one of, with its letters in that order; no letter where an axis has length 1."""
        step = self.steps[root]
        if step.operation is np.transpose and len(step.shape) == 2 and self.steps[step.inputs[0]].shape != step.shape:
            return self._turned(self.same[step.inputs[0]], letters[::-1])
        return root, "".join(
            "-" if length == 1 else letter for letter, length in zip(letters, step.shape, strict=False)
        )

    def _refuse_negative(self, index: int, weight: Any) -> None:
        if np.any(np.asarray(weight) < 0):
            raise NotByRow("squares are subtracted", self.steps[index].location)

    # Residuals --------------------------------------------------------------------------------------------------------

    def alive(self, index: int) -> np.ndarray:
        """Return which entries of a step may be other than 0, in its shape: not those behind a mask of the data."""
        if index in self._alive:
            return self._alive[index]
        step = self.steps[index]
        if self.is_data(index):
            found = np.asarray(self.value(index)) != 0
        else:
            rule = _ALIVE.get(step.operation) if is_hashable(step.operation) else None
            found = True if rule is None else _tried(rule, self, index)
            if found is None:
                raise NotByRow("it is not known which residuals are 0", step.location)
        self._alive[index] = np.broadcast_to(found, step.shape)
        return self._alive[index]


def _alike(tape: Tape) -> list[int]:
    """Return for each step the first that computes the same of the same, as a residual that is written twice."""
    first: dict[Any, int] = {}
    same: list[int] = []
    for index, step in enumerate(tape.steps):
        value = None if step.operation is not None or index == 0 else tape.values[index]
        text = repr(step.template)
        if step.operation is None:
            is_plain = isinstance(value, int | float) and type(step.template) is not Leaf
            key: Any = (type(value), value) if is_plain else index
        elif not is_hashable(step.operation) or "array" in text or "..." in text:
            key = index
        else:
            key = step.operation, tuple(same[source] for source in step.inputs), text
        same.append(first.setdefault(key, index))
    return same


def _tried(rule: Callable, counting: Counting, index: int) -> Any:
    """Return what a rule gives; None where it is not made for the arguments of the call."""
    try:
        return rule(counting, index)
    except (ValueError, TypeError, IndexError, KeyError, AttributeError):
        return None


ALL = range(2**31)
"""The positions of all inputs."""


def _first(counting: Counting, index: int) -> np.ndarray:
    return counting.moved(index, counting.of)


def _all(counting: Counting, index: int) -> np.ndarray:
    return counting.moved(index, counting.of, ALL)


def _total(counting: Counting, index: int) -> np.ndarray | None:
    return None if Given(counting.steps[index]).options.get("minus") else _all(counting, index)


def _without_missing(counting: Counting, index: int) -> np.ndarray:
    """A sum of what is not NaN."""
    return counting.moved(index, lambda source: counting.of(source) * ~np.isnan(counting.value(source)))


def _weighted(counting: Counting, index: int) -> np.ndarray | None:
    """A product of one sum with data."""
    sources = counting.steps[index].inputs
    moving = [source for source in sources if not counting.is_data(source)]
    if len(moving) != 1 or (counting.steps[index].operation is np.divide and sources[0] != moving[0]):
        return None
    counts: Any = counting.of(moving[0])
    for source in sources:
        if source != moving[0]:
            counting._refuse_negative(index, counting.value(source))
            counts = counts * (np.asarray(counting.value(source)) != 0)
    return counts


def _mean(counting: Counting, index: int) -> np.ndarray | None:
    """A mean, which is a sum of as many."""
    given = Given(counting.steps[index])
    options = {name: one for name, one in given.options.items() if name in ("axis", "keepdims", "where", "weights")}
    if len(options) < len(given.options) or not isinstance(given.args[0], Operand):
        return None
    axis = given.argument(1, "axis")
    counts: Any = counting.of(given.args[0].step)
    if given.step.operation is np.nanmean:
        counts = counts * ~np.isnan(counting.value(given.args[0].step))
    weights = given.argument(2, "weights") if given.step.operation is np.average else None
    if weights is not None:
        weights = np.asarray(counting.value(weights.step) if isinstance(weights, Operand) else weights)
        counting._refuse_negative(index, weights)
        if weights.ndim < counts.ndim:
            weights = weights.reshape([-1 if k == axis else 1 for k in range(counts.ndim)])
        counts = counts * (weights != 0)
    where = options.get("where", True)
    where = counting.value(where.step) if isinstance(where, Operand) else where
    return np.sum(counts, axis, keepdims=bool(options.get("keepdims", False)), where=where)


_MOVES = (getitem, np.reshape, np.ravel, np.transpose, np.squeeze, np.expand_dims, np.broadcast_to, np.flip, np.roll,
          np.swapaxes, np.moveaxis, np.take, np.repeat, np.tile, np.diagonal, np.diag)  # fmt: skip

_JOINTS = (operations.pack, np.concatenate, np.stack)

_SUMS: dict[Any, Callable[[Counting, int], np.ndarray | None]] = {
    **dict.fromkeys((*_MOVES, np.sum, np.add.reduce, np.trace, np.cumsum), _first),
    **dict.fromkeys((np.add, *_JOINTS), _all),
    operations.total: _total,
    np.nansum: _without_missing,
    **dict.fromkeys((np.mean, np.nanmean, np.average), _mean),
    **dict.fromkeys((np.multiply, np.divide, operations.product), _weighted),
    operations.astype: lambda counting, index: counting.of(counting.steps[index].inputs[0]),
    operations.put_add: lambda counting, index: counting.moved(index, counting.of, (0, 2)),
}
"""What is done to counts by what is straight in squares."""


_CONTRACTIONS = (np.matmul, np.dot, np.inner, np.vdot, np.einsum, np.tensordot)


def _norm(counting: Counting, index: int) -> np.ndarray:
    """A Euclidean norm, whose square has a square of each entry."""
    step = counting.steps[index]
    given = Given(step)
    if set(given.options) - {"axis", "keepdims"} or len(given.args) != 1:
        raise NotByRow("a norm that is not the Euclidean is squared", step.location)
    return np.sum(counting.alive(step.inputs[0]), given.options.get("axis"), dtype=int,
                  keepdims=bool(given.options.get("keepdims", False)))  # fmt: skip


def _of_complex(counting: Counting, index: int) -> np.ndarray:
    one, other = (counting.alive(source).astype(int) for source in counting.steps[index].inputs)
    return one + other


_ROOTS: dict[Any, Callable[[Counting, int], np.ndarray]] = {
    np.hypot: _of_complex,
    np.sqrt: lambda counting, index: counting.of(counting.steps[index].inputs[0]),
    np.linalg.norm: _norm,
}
"""The counts of squares of what is a root of several: of an absolute value of complex numbers two."""


def _both(counting: Counting, index: int) -> Any:
    found: Any = True
    for source in counting.steps[index].inputs:
        found = found & counting.alive(source)
    return found


def _either(counting: Counting, index: int) -> Any:
    """A sum or a difference."""
    found: Any = False
    for source in counting.steps[index].inputs:
        if np.all(found):
            break
        found = found | counting.alive(source)
    return found


def _chosen(counting: Counting, index: int) -> Any:
    """np.where by what the data decide."""
    condition, *branches = Given(counting.steps[index]).args
    alive = [counting.alive(one.step) if isinstance(one, Operand) else np.asarray(one) != 0 for one in branches]
    if len(alive) != 2:
        return True
    if not isinstance(condition, Operand) or not counting.is_data(condition.step):
        return alive[0] | alive[1]
    return np.where(counting.value(condition.step), *alive)


def _filled(counting: Counting, index: int) -> Any:
    step = counting.steps[index]
    given, source = Given(step), step.inputs[0]
    is_zero = given.argument(2, "nan", 0.0) == 0
    return counting.alive(source) & ~(is_zero & np.isnan(counting.value(source)))


def _alive_first(counting: Counting, index: int) -> Any:
    return counting.alive(counting.steps[index].inputs[0])


_ALIVE: dict[Any, Callable[[Counting, int], Any]] = {
    **dict.fromkeys((np.multiply, operations.product), _both),
    **dict.fromkeys((np.add, np.subtract, operations.total, np.hypot), _either),
    **dict.fromkeys((np.divide, np.negative, np.absolute, np.sqrt, operations.astype), _alive_first),
    **dict.fromkeys(_MOVES, lambda counting, index: counting.moved(index, counting.alive)),
    **dict.fromkeys(_JOINTS, lambda counting, index: counting.moved(index, counting.alive, ALL)),
    operations.put: lambda counting, index: counting.moved(index, counting.alive, (0, 2)),
    np.where: _chosen,
    np.nan_to_num: _filled,
}
"""Which entries may be other than 0, of what may make some of them 0."""
