"""Plans of source for any number of rows, and how they run over batches that are not in memory together.

A module that is for any number of rows (`n = len(y)`) is divided as a whole: what it prepares of the data, and what of
a point, are parts of the passes, as nothing that is as long as the data is kept.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from types import FunctionType
from typing import Any

import numpy as np

from autoopt.execution.blocks.compiled import compile_pass
from autoopt.execution.blocks.plan import ROWS, RowPass, RowPlan
from autoopt.execution.blocks.running import Blocks, block_rows, driven
from autoopt.execution.blocks.splitting import SAMPLED, Splitting
from autoopt.execution.blocks.sums import Pairs
from autoopt.execution.blocks.values import FixedRows, NotInBlocks
from autoopt.execution.modules import arguments_of, executed, source_of
from autoopt.execution.tiering import agree

_FIXED = re.compile(r'f"(This code was written for \d+ rows [^{]*)')

Batches = Iterable[Mapping[str, np.ndarray]]


def plan_of_module(
    text: str, names: Sequence[str], known: Mapping[str, Any], data: Mapping[str, np.ndarray]
) -> RowPlan:
    """Return the plan of a printed module.

    Parameters
    ----------
    text : str
    names : sequence of str
        Its functions in the order in which they are called, those that it does not have left out.
    known : mapping of str to value
        Operands that have no rows: parameters, a direction, arrays that the objective reads elsewhere.
    data : mapping of str to ndarray
        Samples of those that have, rows first.

    Raises
    ------
    NotInBlocks
        If it is for some number of rows alone, mixes rows, or does what is not known.
    """
    if fixed := _FIXED.search(text):
        raise FixedRows(f"its source is for one number of rows ({fixed[1].strip()}...)")
    namespace = executed(text, names[-1])
    functions = [namespace[name] for name in names if isinstance(namespace.get(name), FunctionType)]
    read = {name for one in functions for name in arguments_of(one)}
    count = min(len(value) for value in data.values())
    rows = min(count, SAMPLED)
    samples = {name: np.array(value[:rows]) for name, value in data.items() if name in read}
    free = {name: np.array(value) for name, value in known.items() if name in read}
    for name, value in free.items():
        if np.ndim(value) and len(value) == count and count > 1 and name not in ("direction",):
            _refuse_as_long(name, value, known)
    with np.errstate(all="ignore"):
        axes = dict.fromkeys(samples, 0)
        texts = [source_of(function) for function in functions]
        plan = Splitting(namespace, texts, free | samples, axes, -1, rows).plan()
        _require_same(plan, functions, free, samples)
    return plan


_CUTS = (0, 101, 307, SAMPLED)
"""Where the sampled rows are cut to compare: blocks of no common length, of which one begins at an odd row."""


def _require_same(
    plan: RowPlan, functions: Sequence[FunctionType], free: Mapping[str, Any], samples: Mapping[str, np.ndarray]
) -> None:
    """Refuse a plan that gives other results in blocks, or in another order of these, than its text on all rows."""
    known = dict(free) | dict(samples)
    try:
        for function in functions[:-1]:
            known |= function(*(known[name] for name in arguments_of(function)))
        whole = functions[-1](*(known[name] for name in arguments_of(functions[-1])))
    except Exception:  # of so few rows it takes another branch, which is told where all rows are there
        return
    stream, count = Stream(plan), len(next(iter(samples.values())))
    cuts = [min(cut, count) for cut in _CUTS]
    blocks = [
        {name: value[start:stop] for name, value in samples.items()} for start, stop in pairwise(cuts) if stop > start
    ]
    orders = [blocks] if any(ROWS in one.results.values() for one in plan.passes) else [blocks, blocks[::-1]]
    for batches in orders:

        def combined(one: RowPass, now: dict[str, Any], batches: Batches = batches) -> Mapping[str, Any]:
            return passed([Task(stream, one, now)], batches)[0]

        try:
            found = stream.run({**free, "rows": count}, combined)
        except Exception as problem:
            raise NotInBlocks(f"in blocks of rows it raises {type(problem).__name__}: {problem}") from problem
        if not agree(whole, found):
            raise NotInBlocks("in blocks of rows it gives other results than for all of them at once")


def _refuse_as_long(name: str, value: Any, known: Mapping[str, Any]) -> None:
    """Refuse an array beside the data that may hold an entry for each row of the sample."""
    if name != next(iter(known)):
        raise NotInBlocks(f"{name} is as long as the data, and is not read in batches")


class Stream:
    """A plan that runs over batches.

    Parameters
    ----------
    plan : RowPlan
    """

    def __init__(self, plan: RowPlan) -> None:
        self.plan = plan
        self.blocks = Blocks(plan, {})
        self._tried: set[str] = set()

    @property
    def passes(self) -> int:
        """How often the data are read for one evaluation."""
        return len(self.plan.passes)

    @property
    def counts(self) -> bool:
        """Whether the number of rows must be known ahead."""
        taken = [name for stage in self.plan.stages for name in stage.arguments]
        return "rows" in taken or any("rows" in row_pass.free for row_pass in self.plan.passes)

    def run(self, known: Mapping[str, Any], passed: Callable[[RowPass, dict[str, Any]], Mapping[str, Any]]) -> Any:
        """Return what the plan comes to, where `passed` gives the results of a pass."""
        return driven(self.plan, self.blocks.functions, dict(known), passed)

    def on(self, row_pass: RowPass, known: Mapping[str, Any], batch: Mapping[str, np.ndarray]) -> dict[str, Any]:
        """Return the results of a pass on one batch, as machine code from the second one on where that pays."""
        count = len(next(iter(batch.values())))
        size = block_rows(self.plan, known, self.blocks.size)
        if row_pass.name not in self._tried and count > size:
            self._tried.add(row_pass.name)
            compile_pass(self.blocks, row_pass, known, size)
        return self.blocks.passed(row_pass, known, count, size)


@dataclass(frozen=True)
class Task:
    """A pass of a plan, and what it reads besides the rows."""

    stream: Stream
    row_pass: RowPass
    known: Mapping[str, Any]


def passed(tasks: Sequence[Task], batches: Batches) -> list[dict[str, Any]]:
    """Return the results of passes over all batches, which are gone through once, combined in pairs as they come."""
    gathered = [_Gathered(task) for task in tasks]
    for batch in batches:
        for one in gathered:
            one.add(batch)
    return [one.whole() for one in gathered]


Passed = Callable[[Sequence[Task]], Sequence[Mapping[str, Any]]]


def together(several: Sequence[tuple[Stream, Mapping[str, Any]]], passed: Passed) -> list[Any]:
    """Return what plans come to, of which `passed` gives the results of passes; several are of one pass each."""
    if len(several) == 1:
        ((stream, known),) = several
        return [stream.run(known, lambda row_pass, values: passed([Task(stream, row_pass, values)])[0])]
    tasks = []
    for stream, known in several:
        (row_pass,), first = stream.plan.passes, stream.plan.stages[0]
        values = {**known, **stream.blocks.functions[first.name](*(known[name] for name in first.arguments))}
        tasks.append(Task(stream, row_pass, values))
    results = []
    for task, found in zip(tasks, passed(tasks), strict=True):
        known, last = {**task.known, **found}, task.stream.plan.stages[-1]
        results.append(task.stream.blocks.functions[last.name](*(known[name] for name in last.arguments)))
    return results


class _Gathered:
    """The results of a pass, batch by batch."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.summed = {name: how for name, how in task.row_pass.results.items() if how != ROWS}
        self.rows: dict[str, list[np.ndarray]] = {name: [] for name in task.row_pass.axes}
        self.pairs, self.count = Pairs(self.summed), 0

    def add(self, batch: Mapping[str, np.ndarray]) -> None:
        """Take the results of one more batch."""
        found = self.task.stream.on(self.task.row_pass, {**self.task.known, **batch}, batch)
        for name, parts in self.rows.items():
            parts.append(found[name])
        self.pairs.add(self.count, {name: found[name] for name in self.summed})
        self.count += 1

    def whole(self) -> dict[str, Any]:
        """Return the results over all batches."""
        axes = self.task.row_pass.axes
        return self.pairs.whole() | {name: np.concatenate(parts, axes[name]) for name, parts in self.rows.items()}
