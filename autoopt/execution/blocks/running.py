"""A plan run on data in memory: over blocks that stay in the cache, by several threads."""

from __future__ import annotations

import contextvars
import itertools
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import FunctionType
from typing import Any

import numpy as np

from autoopt.execution.blocks.plan import ROWS, RowPass, RowPlan, is_plain
from autoopt.execution.blocks.splitting import SAMPLED, Splitting
from autoopt.execution.blocks.sums import Pairs
from autoopt.execution.blocks.threads import one_blas_thread, pool, threads_now
from autoopt.execution.blocks.values import NUMBERED, NotInBlocks
from autoopt.execution.modules import arguments_of, source_of
from autoopt.execution.native.machine import Changed, Failed

BLOCK = 2**20
"""Bytes that one block reads and makes, about: what is read twice is in a cache then, and what Python takes for a block
does not count. With second-level caches of 1 MB, blocks of 1 and 2 MB were the fastest."""

FEWEST = 256
"""Rows of a block at the least."""


def rows_of(names: Sequence[str], operands: Sequence[Any]) -> tuple[dict[str, int], int]:
    """Return the axis of the rows of each operand that has one, and how many rows there are.

    Raises
    ------
    NotInBlocks
        If no operand but the first, which holds parameters or a direction, has rows, or one has them twice.
    """
    if not all(map(is_plain, operands)):
        raise NotInBlocks("an operand that is no array of numbers")
    lengths = [len(value) for value in operands[1:] if np.ndim(value)]
    count = max(lengths, default=0)
    if count < 2 * SAMPLED:
        raise NotInBlocks("few rows")
    axes = {}
    for name, value in zip(names, operands, strict=True):
        found = [axis for axis, length in enumerate(np.shape(value)) if length == count]
        if len(found) > 1 or (found and name == names[0]):
            raise NotInBlocks(f"{name} has as many entries along other axes as there are rows")
        if found:
            axes[name] = found[0]
    return axes, count


def planned(function: FunctionType, operands: Sequence[Any]) -> RowPlan:
    """Return a printed function as a plan, for operands like these.

    Raises
    ------
    NotInBlocks
        If it mixes rows, or does what is not known.
    """
    names = arguments_of(function)
    axes, count = rows_of(names, operands)
    samples = {name: _sample(value, axes.get(name)) for name, value in zip(names, operands, strict=True)}
    with np.errstate(all="ignore"):
        positions = {name for name, value in zip(names, operands, strict=True) if _is_positions(value, count)}
        texts = [source_of(function)]
        try:
            return Splitting(function.__globals__, texts, samples, axes, count, SAMPLED, positions).plan()
        except NotInBlocks as problem:
            if problem.reason != NUMBERED or not positions:
                raise
        # positions are data like others then
        return Splitting(function.__globals__, texts, samples, axes, count, SAMPLED).plan()


def _is_positions(value: Any, count: int) -> bool:
    """Whether a value is the numbers of the rows."""
    is_whole = isinstance(value, np.ndarray) and value.shape == (count,) and value.dtype.kind in "iu"
    return is_whole and bool(value[-1] == count - 1) and bool((value == np.arange(count)).all())


def _sample(value: Any, axis: int | None) -> Any:
    if axis is None:
        return np.array(value) if isinstance(value, np.ndarray) else value
    return np.take(value, np.arange(SAMPLED), axis)


def block_rows(plan: RowPlan, operands: Mapping[str, Any], size: int = BLOCK) -> int:
    """Return how many rows are a block."""
    each = sum(operands[name].nbytes // max(operands[name].shape[axis], 1) for name, axis in plan.axes.items())
    each += 2 * plan.width
    return max(FEWEST, size // max(each, 1) // 64 * 64)


def driven(
    plan: RowPlan,
    functions: Mapping[str, Callable],
    known: dict[str, Any],
    passed: Callable[[RowPass, dict[str, Any]], Mapping[str, Any]],
) -> Any:
    """Return what a plan comes to, of values by name: `rows`, their number, among them.

    `passed(row_pass, known)` gives the combined results of a pass.
    """
    for stage, row_pass in zip(plan.stages, plan.passes, strict=False):
        known |= functions[stage.name](*(known[name] for name in stage.arguments))
        known |= passed(row_pass, known)
    last = plan.stages[-1]
    return functions[last.name](*(known[name] for name in last.arguments))


class Blocks:
    """A plan that runs as its function does.

    Parameters
    ----------
    plan : RowPlan
    outside : mapping
        What names stand for that the function shares with others: exceptions, numbers of ties.
    threads : int, optional
        By default as many as `threads_now`.
    """

    def __init__(self, plan: RowPlan, outside: Mapping[str, Any], threads: int | None = None) -> None:
        self.plan, self.threads = plan, threads
        self.functions = plan.functions(outside)
        self.fast: dict[str, Callable] = {}  # machine code of passes, for whole blocks, by their names
        self.reasons: dict[str, str] = {}  # why there is none
        self.size = BLOCK

    def __call__(self, *operands: Any) -> Any:
        """Return what the function returns."""
        plan = self.plan
        given = dict(zip(plan.arguments, operands, strict=True))
        count = plan.count(given)
        known: dict[str, Any] = given | {"rows": count}
        size = block_rows(plan, given, self.size)
        return driven(plan, self.functions, known, lambda row_pass, known: self.passed(row_pass, known, count, size))

    def holds(self, operands: Sequence[Any]) -> bool:
        """Whether operands that must be the numbers of the rows are so still."""
        named = zip(self.plan.arguments, operands, strict=True)
        return all(_is_positions(value, len(value)) for name, value in named if name in self.plan.positions)

    def passed(self, row_pass: RowPass, known: Mapping[str, Any], count: int, size: int) -> dict[str, Any]:
        """Return the combined results of a pass over all rows."""
        function, fast = self.functions[row_pass.name], self.fast.get(row_pass.name)
        blocks = -(-count // size)
        summed = {name: how for name, how in row_pass.results.items() if how != ROWS}
        whole = _Whole(row_pass, count)

        def block(number: int) -> dict[str, Any]:
            start, stop = number * size, min((number + 1) * size, count)
            operands = self.operands(row_pass, known, start, stop)
            if fast is not None and stop - start == size:
                try:
                    found = fast(*operands)
                except (Changed, Failed):  # other kinds of data, or what the text alone can tell about
                    found = function(*operands)
            else:
                found = function(*operands)
            if whole.names:
                whole.put(found, start, stop)
                found = {name: found[name] for name in summed}
            return found

        return self._over(blocks, block, summed) | whole.arrays

    def operands(self, row_pass: RowPass, known: Mapping[str, Any], start: int, stop: int) -> list:
        """Return what a pass takes for the rows from `start` to `stop`."""
        rows = (_part(known[name], self.plan.axes[name], start, stop) for name in row_pass.rows)
        return [*(known[name] for name in row_pass.free), *rows]

    def _over(self, blocks: int, block: Callable[[int], dict], results: Mapping[str, str]) -> dict[str, Any]:
        """Return the combined results of blocks, computed by several threads if there are several."""
        pairs, lock, numbers = Pairs(results), threading.Lock(), itertools.count()

        def work() -> None:
            for number in iter(numbers.__next__, None):
                if number >= blocks:
                    return
                value = block(number)
                with lock:
                    pairs.add(number, value)

        threads = min(self.threads or threads_now(), blocks)
        if threads <= 1:
            work()
        else:
            with one_blas_thread():
                _together(work, threads)
        return pairs.whole()


def _together(work: Callable[[], None], threads: int) -> None:
    """Run `work` in several threads, this one among them, with what the context of this one holds."""
    executor: ThreadPoolExecutor = pool(threads - 1)
    others = [executor.submit(contextvars.copy_context().run, work) for _ in range(threads - 1)]
    try:
        work()
    finally:
        problems = [future.exception() for future in others]
    for problem in problems:
        if problem is not None:
            raise problem


def _part(value: np.ndarray, axis: int, start: int, stop: int) -> np.ndarray:
    return value[start:stop] if axis == 0 else value[(slice(None),) * axis + (slice(start, stop),)]


class _Whole:
    """The results that have an entry for each row, put in place block by block."""

    def __init__(self, row_pass: RowPass, count: int) -> None:
        self.axes = {name: row_pass.axes[name] for name, how in row_pass.results.items() if how == ROWS}
        self.names, self.count = tuple(self.axes), count
        self.arrays: dict[str, np.ndarray] = {}
        self.lock = threading.Lock()

    def put(self, found: Mapping[str, Any], start: int, stop: int) -> None:
        """Take the entries of rows from `start` to `stop`."""
        for name, axis in self.axes.items():
            value = found[name]
            array = self.arrays.get(name)
            if array is None:
                with self.lock:
                    shape = (*value.shape[:axis], self.count, *value.shape[axis + 1 :])
                    array = self.arrays.setdefault(name, np.empty(shape, value.dtype))
            _part(array, axis, start, stop)[...] = value
