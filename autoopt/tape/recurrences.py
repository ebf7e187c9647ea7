"""Recurrences on the tape: runs of steps that repeat with a period and hand values on become one step each.

A Python loop leaves the same steps once per iteration. Where an iteration needs what the one before made, no array
operation
can replace them; here such a run becomes one `Recurrence`, whose body is a single iteration.
"""

from __future__ import annotations

import hashlib
import operator
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from autoopt.tape.digest import template_text
from autoopt.tape.names import qualified
from autoopt.tape.operations import component, pack
from autoopt.tape.tape import CONSTANT, DATA, PARAMETER, Slot, Step, Tape, call

SHORTEST = 8
"""A run of fewer iterations stays unrolled."""

_FLOAT, _OBJECT = np.dtype(float), np.dtype(object)


class Known(NamedTuple):
    """The template of a body's step that is a number or small array, the same in every iteration."""

    value: Any


@dataclass(frozen=True, eq=False)
class Recurrence:
    """A loop as one operation: from (initial carries, sequences, invariants) to (trajectories, outputs).

    Attributes
    ----------
    count : int
        The number of iterations.
    carries, sequences : int
        How many of the operands are initial values, and arrays with one entry along axis 0 for each iteration; the
        rest are the
        same in every iteration.
    body : tuple of Step
        One iteration: first a leaf for each operand, in order, then the steps.
    updates : tuple of int
        For each carry the body's step that is its next value.
    outputs : tuple of int
        Steps whose values are collected.
    names : tuple of str
        What the user calls the carries; empty where unknown.

    A trajectory has `count + 1` entries, the initial value first; an output has `count`.
    """

    count: int
    carries: int
    sequences: int
    body: tuple[Step, ...]
    updates: tuple[int, ...]
    outputs: tuple[int, ...]

    def __call__(self, *operands: Any) -> tuple:
        """Run the loop in NumPy."""
        carries = [np.asarray(operand, dtype=float) for operand in operands[: self.carries]]
        sequences = operands[self.carries : self.carries + self.sequences]
        fixed = operands[self.carries + self.sequences :]
        kept: list[list] = [[carry] for carry in carries]
        outputs: list[list] = [[] for _ in self.outputs]
        for t in range(self.count):
            values = self.iterate([*(row[-1] for row in kept), *(x[t] for x in sequences), *fixed])
            for row, update in zip(kept, self.updates, strict=True):
                row.append(values[update])
            for row, output in zip(outputs, self.outputs, strict=True):
                row.append(values[output])
        return tuple(np.array(row) for row in (*kept, *outputs))

    def iterate(self, operands: Sequence[Any]) -> list:
        """Return the values of all steps of one iteration."""
        values = list(operands)
        for step in self.body[len(values) :]:
            if step.operation is None:
                values.append(step.template.value)
            else:
                values.append(call(step, [values[source] for source in step.inputs]))
        return values

    @cached_property
    def key(self) -> str:
        """A hash of everything but the names."""
        parts = [f"{self.count} {self.carries} {self.sequences} {self.updates} {self.outputs}"]
        for step in self.body:
            name = qualified(step.operation) if step.operation is not None else ""
            template = _text(step.template)
            parts.append(f"{name}|{step.inputs}|{template}|{step.shape}|{step.dtype}")
        return hashlib.blake2b("\n".join(parts).encode(), digest_size=8).hexdigest()

    @property
    def __name__(self) -> str:
        return f"recurrence_{self.key}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Recurrence) and other.key == self.key

    def __hash__(self) -> int:
        return hash(self.key)


def _text(template: Any) -> str:
    if isinstance(template, Known):
        return f"{type(template.value).__name__}{np.asarray(template.value).tolist()!r}"
    return template_text(template)


def recurrences(tape: Tape) -> Tape:
    """Return `tape` with every run of iterations that hand parameter-dependent values on as one step.

    Steps of a loop that are no part of its recurrence, and whose operands follow no pattern, stay as they are; so do
    first and
    last iterations that differ from the others, and loops of fewer than SHORTEST iterations.
    """
    for _ in range(6):  # loops inside loops: the inner ones first
        found = _find(tape)
        if not found:
            return tape
        tape = _rewritten(tape, found)
    return tape


# Finding runs ---------------------------------------------------------------------------------------------------------


class _Sequence:
    """The tape's steps that compute something, in program order, as arrays."""

    def __init__(self, tape: Tape) -> None:
        self.tape = tape
        self.steps = tape.steps
        self.nodes = np.array([i for i, step in enumerate(tape.steps) if step.operation is not None], dtype=np.int64)
        self.position = np.full(len(tape.steps) + 1, -1, dtype=np.int64)
        self.position[self.nodes] = np.arange(len(self.nodes))
        known: dict[Any, int] = {}
        self.labels = np.array([known.setdefault(_kind(tape.steps[i]), len(known)) for i in self.nodes], dtype=np.int64)


def _kind(step: Step) -> Any:
    """Return what steps must have in common to be the same step of different iterations."""
    operation, inputs, template, shape, dtype, level, _ = step
    head = (operation, len(inputs), shape, dtype.char, level)
    if template is None:
        return head
    if operation is operator.getitem:
        index = template[0][1]
        return (*head, len(index) if type(index) is tuple else -1)
    if operation is pack:
        return head
    return (*head, _text(template))


def _find(tape: Tape) -> list[_Run]:
    """Return disjoint runs that can be replaced, all of one round."""
    sequence = _Sequence(tape)
    if len(sequence.nodes) < 2 * SHORTEST:
        return []
    labels = sequence.labels
    for period in _periods(labels):
        found: list[_Run] = []
        end = -1
        for start, stop in _stretches(labels[:-period] == labels[period:], (SHORTEST - 1) * period):
            start = max(start, end)
            run = _fit(sequence, start, stop + period, period)
            if run is not None:
                found.append(run)
                end = run.start + run.count * period
        if found:
            return found
    return []


def _periods(labels: np.ndarray) -> list[int]:
    """Return the distances at which the sequence may repeat, shortest first."""
    counts: dict[int, int] = {}
    for width in (1, 4, 16):
        grams = labels.copy()
        for k in range(1, width):
            grams = grams[:-1] * 1000003 + labels[k:]
        order = np.argsort(grams, kind="stable")
        same = grams[order][1:] == grams[order][:-1]
        distances, times = np.unique(np.diff(order)[same], return_counts=True)
        for distance, often in zip(distances.tolist(), times.tolist(), strict=True):
            counts[distance] = max(counts.get(distance, 0), often)
    likely = [
        distance for distance, often in counts.items() if often >= SHORTEST - 1 and distance * SHORTEST <= len(labels)
    ]
    likely = sorted(likely, key=lambda distance: -counts[distance])[:60]
    return sorted(likely)


def _stretches(flags: np.ndarray, shortest: int) -> Iterator[tuple[int, int]]:
    """Return (start, stop) of the stretches of True of at least `shortest`."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(np.int8), [0]])))
    for start, stop in edges.reshape(-1, 2).tolist():
        if stop - start >= shortest:
            yield start, stop


# One run --------------------------------------------------------------------------------------------------------------


@dataclass
class _Run:
    """A stretch of `count` blocks of `period` steps, and what each operand of the block's steps is."""

    start: int
    period: int
    count: int
    table: np.ndarray  # (count, period): the tape's step of each block and place
    operands: list[list[_Operand]]
    body: list[int] = field(default_factory=list)  # places that go into the loop


class _Operand(NamedTuple):
    """Where one operand of a place comes from in each block.

    `kind` is "fixed" (the same step always), "inner" (place `place`, `lag` blocks ago; the first `lag` blocks read
    `steps`), or
    "listed" (`steps`, one for each block).
    """

    kind: str
    steps: np.ndarray
    place: int = -1
    lag: int = 0


class _Uneven(Exception):
    """The blocks from `start` to `stop` are alike; the others are not."""

    def __init__(self, start: int, stop: int) -> None:
        self.start, self.stop = start, stop


def _fit(sequence: _Sequence, start: int, stop: int, period: int) -> _Run | None:
    """Return the run in [start, stop), cut so that its blocks are alike; None if there is no recurrence."""
    for _ in range(4):
        count = (stop - start) // period
        if count < SHORTEST:
            return None
        try:
            offset = _phase(sequence, start, stop, period)
            count = (stop - start - offset) // period
            return _block(sequence, start + offset, count, period)
        except _Uneven as uneven:
            first = start + offset
            start, stop = first + uneven.start * period, first + uneven.stop * period
    return None


def _phase(sequence: _Sequence, start: int, stop: int, period: int) -> int:
    """Return where in the period a block is best cut: where the fewest values have to be handed on."""
    middle = start + ((stop - start) // period // 2 - 1) * period
    reach: dict[int, int] = {}
    for position in range(middle, min(middle + 3 * period, stop)):
        for source in sequence.steps[sequence.nodes[position]].inputs:
            made = int(sequence.position[source])
            if middle <= made < middle + period:
                reach[made] = position
    crossing = np.zeros(period + 1, dtype=np.int64)
    for made, last in reach.items():  # a cut before position c separates made < c <= last
        for cut in range(made + 1, min(last, made + period) + 1):
            crossing[(cut - start) % period] += 1
    return int(np.argmin(crossing[:period]))


def _block(sequence: _Sequence, start: int, count: int, period: int) -> _Run | None:
    table = sequence.nodes[start : start + count * period].reshape(count, period)
    run = _Run(start, period, count, table, [])
    steps = sequence.steps
    for place in range(period):
        rows = np.array([steps[i].inputs for i in table[:, place]], dtype=np.int64).reshape(count, -1)
        run.operands.append([_operand(sequence, run, place, rows[:, k]) for k in range(rows.shape[1])])
    regular = [_regular(sequence, run, place) for place in range(period)]
    cyclic = _cyclic(run, [steps[i].level == PARAMETER for i in table[count // 2]])
    if not cyclic.any():
        return None
    run.body = _places(sequence, run, regular, cyclic)
    _check_starts(sequence, run)
    return run if run.body else None


def _operand(sequence: _Sequence, run: _Run, place: int, refs: np.ndarray) -> _Operand:
    middle = run.count // 2
    if refs[middle] == refs[middle - 1]:
        return _Operand("fixed" if (refs == refs[0]).all() else "listed", refs)
    here = run.start + place + run.period * np.arange(run.count)
    made = sequence.position[refs]
    distance = here - made
    far = int(distance[middle])
    if made[middle] >= run.start and far == distance[middle - 1]:
        lag = -((place - far) // run.period)
        source = (place - far) % run.period
        if made[lag:].size and (distance[lag:] == far).all() and (made[:lag] < run.start).all():
            return _Operand("inner", refs[:lag], source, lag)
        if lag <= 4:
            good = (distance == far) | ((np.arange(run.count) < lag) & (made < run.start))
            raise _Uneven(*_longest(good))
    return _Operand("listed", refs)


def _longest(good: np.ndarray) -> tuple[int, int]:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], good.astype(np.int8), [0]]))).reshape(-1, 2)
    return tuple(max(edges.tolist(), key=lambda pair: pair[1] - pair[0])) if len(edges) else (0, 0)


def _regular(sequence: _Sequence, run: _Run, place: int) -> bool:
    """Whether a place's steps are the same call in every block, and worth having in the loop."""
    steps = sequence.steps
    first = steps[run.table[0, place]]
    if first.level != PARAMETER and not (isinstance(first.operation, np.ufunc) and first.level == DATA):
        return False
    if first.template is None:
        return True
    return all(_same(steps[i].template, first.template) for i in run.table[1:, place])


def _same(one: Any, other: Any) -> bool:
    try:
        return bool(one == other)
    except ValueError:
        return False


def _cyclic(run: _Run, parameter: list[bool]) -> np.ndarray:
    """Return which places depend on themselves in an earlier block."""
    readers: list[list[int]] = [[] for _ in range(run.period)]
    cyclic = np.zeros(run.period, dtype=bool)
    for place, operands in enumerate(run.operands):
        for operand in operands:
            if operand.kind == "inner" and parameter[place] and parameter[operand.place]:
                readers[operand.place].append(place)
                cyclic[place] |= place == operand.place
    for group in _strong(readers):
        if len(group) > 1:
            cyclic[group] = True
    return cyclic


def _strong(readers: Sequence[Sequence[int]]) -> list[list[int]]:
    """Return the strongly connected components of a graph (Tarjan 1972, without recursion)."""
    order: dict[int, int] = {}
    low: dict[int, int] = {}
    waiting: list[int] = []
    groups: list[list[int]] = []
    open_: set[int] = set()
    for root in range(len(readers)):
        if root in order:
            continue
        path = [(root, iter(readers[root]))]
        order[root] = low[root] = len(order)
        waiting.append(root)
        open_.add(root)
        while path:
            node, rest = path[-1]
            for reader in rest:
                if reader not in order:
                    order[reader] = low[reader] = len(order)
                    waiting.append(reader)
                    open_.add(reader)
                    path.append((reader, iter(readers[reader])))
                    break
                if reader in open_:
                    low[node] = min(low[node], order[reader])
            else:
                path.pop()
                if path:
                    low[path[-1][0]] = min(low[path[-1][0]], low[node])
                if low[node] == order[node]:
                    cut = waiting.index(node)
                    groups.append(waiting[cut:])
                    open_.difference_update(waiting[cut:])
                    del waiting[cut:]
    return groups


def _places(sequence: _Sequence, run: _Run, regular: list[bool], cyclic: np.ndarray) -> list[int]:
    """Return the places that make up the loop: cycles, what lies between, regular steps before and after."""
    period = run.period
    edges = [(op.place, place) for place, ops in enumerate(run.operands) for op in ops if op.kind == "inner"]
    after, before = cyclic.copy(), cyclic.copy()
    for _ in range(period):
        size = after.sum() + before.sum()
        for source, reader in edges:
            after[reader] |= after[source]
        for source, reader in reversed(edges):
            before[source] |= before[reader]
        if after.sum() + before.sum() == size:
            break
    chosen = (after | before) & np.array(regular)
    changed = True
    while changed:  # nothing in the loop may read, from outside, what depends on the loop
        changed = False
        for place in np.flatnonzero(chosen & ~(cyclic | (after & before))):
            outside = [op.place for op in run.operands[place] if op.kind == "inner" and not chosen[op.place]]
            inside = [op for op in run.operands[place] if op.kind == "inner" and chosen[op.place] and op.lag > 0]
            late = any(op.kind == "listed" and _reads_run(sequence, run, op) for op in run.operands[place])
            if late or (inside and not after[place]) or any(after[source] for source in outside):
                chosen[place] = False
                changed = True
    core = after & before
    if not chosen[core].all():
        return []
    for place in np.flatnonzero(core):
        for op in run.operands[place]:
            if op.kind == "listed" and _reads_run(sequence, run, op):
                return []
            if op.kind == "inner" and op.lag and sequence.steps[run.table[0, op.place]].dtype != _FLOAT:
                return []
    return np.flatnonzero(chosen).tolist()


def _reads_run(sequence: _Sequence, run: _Run, operand: _Operand) -> bool:
    made = sequence.position[operand.steps]
    return bool((made >= run.start).any())


def _check_starts(sequence: _Sequence, run: _Run) -> None:
    """Cut off first blocks whose starting values have another shape or type than what replaces them."""
    steps = sequence.steps
    for place in run.body:
        for op in run.operands[place]:
            if op.kind == "inner" and op.lag and op.place in run.body:
                later = steps[run.table[0, op.place]]
                for step in op.steps:
                    if steps[step].shape != later.shape or later.dtype != _FLOAT:
                        raise _Uneven(op.lag, run.count)


# Rewriting ------------------------------------------------------------------------------------------------------------


def _rewritten(tape: Tape, runs: Sequence[_Run]) -> Tape:
    return _Rewriter(tape, runs).tape()


class _Rewriter:
    """A new tape under construction."""

    def __init__(self, old: Tape, runs: Sequence[_Run]) -> None:
        self.old, self.runs = old, runs
        self.steps: list[Step] = []
        self.values: dict[int, Any] = {}
        self.number: dict[int, int] = {}
        self.starts: dict[int, int] = {}  # trajectory -> its initial value
        self.held: dict[int, tuple[int, int]] = {}  # old step -> (step of the array that holds it, place along axis 0)

        self.read_outside = self._read_outside()

    def _read_outside(self) -> bytearray:
        """Return for every old step whether something reads it that is not in the same loop."""
        loop = [0] * len(self.old.steps)
        for number, run in enumerate(self.runs, 1):
            for index in run.table[:, run.body].ravel().tolist():
                loop[index] = number
        read = bytearray(len(loop))
        for root in (self.old.output, *(guard.step for guard in self.old.guards)):
            read[root] = 1
        for index, step in enumerate(self.old.steps):
            for source in step.inputs:
                if loop[source] and loop[source] != loop[index]:
                    read[source] = 1
        return read

    def tape(self) -> Tape:
        position = 0
        for run in self.runs:
            first, last = int(run.table[0, 0]), int(run.table[-1, -1])
            self.copy(range(position, first))
            self.replace(run, first, last)
            position = last + 1
        self.copy(range(position, len(self.old.steps)))
        guards = [guard._replace(step=self.at(guard.step)) for guard in self.old.guards]
        names = {self.number[i]: name for i, name in self.old.names.items() if i in self.number}
        output = self.at(self.old.output)
        return replace(self.old, steps=self.steps, values=self.values, guards=guards, output=output, names=names)

    def copy(self, indices: Sequence[int]) -> None:
        for index in indices:
            step = self.old.steps[index]
            if step.operation is pack and len(step.inputs) >= SHORTEST and (joined := self.joined(step)) is not None:
                self.number[index] = joined
                continue
            self.number[index] = self.append(step._replace(inputs=tuple(self.at(source) for source in step.inputs)))
            if index in self.old.values:
                self.values[self.number[index]] = self.old.values[index]

    def append(self, step: Step) -> int:
        self.steps.append(step)
        return len(self.steps) - 1

    def at(self, old: int) -> int:
        """Return the new step with the value of an old one."""
        number = self.number.get(old)
        if number is None:
            holder, place = self.held[old]
            step = self.old.steps[old]
            template = ((Slot(0), place), {})
            level = self.steps[holder].level
            number = self.append(Step(operator.getitem, (holder,), template, step.shape, step.dtype, level, step.site))
            self.number[old] = number
        return number

    def replace(self, run: _Run, first: int, last: int) -> None:
        """Enter what the run becomes: the steps that it needs, the loop, the steps that need it."""
        inside = set(run.table[:, run.body].ravel().tolist())
        late: set[int] = set(inside)
        early, rest = [], []
        for index in range(first, last + 1):
            if index in inside:
                continue
            if any(source in late for source in self.old.steps[index].inputs):
                late.add(index)
                rest.append(index)
            else:
                early.append(index)
        self.copy(early)
        self.enter(run)
        self.copy(rest)

    def enter(self, run: _Run) -> None:
        made = _Body(self, run)
        needed = self.needed(run)
        recurrence, operands = made.finish(needed)
        level = max(self.steps[i].level for i in operands)
        site = self.old.steps[run.table[0, run.body[0]]].site
        results = recurrence.carries + len(recurrence.outputs)
        whole = self.append(Step(recurrence, tuple(operands), None, (results,), _OBJECT, level, site))
        for k, place in enumerate(made.kept_places):
            step = self.old.steps[run.table[0, place]]
            trajectory = k < len(made.carried_places)
            length = run.count + 1 if trajectory else run.count
            result = made.result_of[place]
            template = ((Slot(0), result), {})
            holder = self.append(
                Step(component, (whole,), template, (length, *step.shape), step.dtype, level, step.site)
            )
            if trajectory:
                self.starts[holder] = operands[result]
            for t, index in enumerate(run.table[:, place].tolist()):
                self.held[index] = (holder, t + 1 if trajectory else t)

    def needed(self, run: _Run) -> list[int]:
        """Return the places that are read from outside of the loop."""
        return [place for place in run.body if any(self.read_outside[i] for i in run.table[:, place].tolist())]

    def stacked(self, old: np.ndarray) -> int:
        """Return a new step whose entries along axis 0 are the old steps `old`."""
        steps = [self.old.steps[i] for i in old]
        first = steps[0]
        if all(step.operation is None for step in steps) and all(i in self.old.values for i in old):
            value = np.array([self.old.values[i] for i in old])
            return self.constant(value)
        if all(step.operation is operator.getitem and step.inputs == first.inputs for step in steps):
            read = self.read([step.template[0][1] for step in steps], first)
            if read is not None:
                return read
        inputs = tuple(self.at(int(i)) for i in old)
        shape = (len(old), *first.shape)
        template = ((shape, *(Slot(k) for k in range(len(old)))), {})
        level = max(self.steps[i].level for i in inputs)
        return self.append(Step(pack, inputs, template, shape, first.dtype, level, first.site))

    def joined(self, step: Step) -> int | None:
        """Return a step equal to a pack of which stretches are stretches of trajectories; None if there are none."""
        if step.shape[:1] != (len(step.inputs),):
            return None
        places = [self.held.get(old) for old in step.inputs]
        pieces: list[tuple[int, int, int, int]] = []  # (start, stop, holder, place of the first)
        start = 0
        while start < len(places):
            stop = start + 1
            if places[start] is not None:
                holder, place = places[start]
                while stop < len(places) and places[stop] == (holder, place + stop - start):
                    stop += 1
                first = start and place == 1 and self.starts.get(holder) == self.number.get(step.inputs[start - 1])
                if first and pieces and pieces[-1][2] < 0:  # the initial value comes before
                    before = pieces.pop()
                    if before[1] - before[0] > 1:
                        pieces.append((before[0], before[1] - 1, -1, 0))
                    start, place = start - 1, 0
                pieces.append((start, stop, holder, place))
            elif pieces and pieces[-1][2] < 0:
                pieces[-1] = (pieces[-1][0], stop, -1, 0)
            else:
                pieces.append((start, stop, -1, 0))
            start = stop
        if len(pieces) > 5 or all(holder < 0 for _, _, holder, _ in pieces):
            return None
        parts = [self.piece(step, *piece) for piece in pieces]
        if len(parts) == 1:
            return parts[0]
        template = (([Slot(k) for k in range(len(parts))],), {})
        level = max(self.steps[part].level for part in parts)
        return self.append(Step(np.concatenate, tuple(parts), template, step.shape, step.dtype, level, step.site))

    def piece(self, step: Step, start: int, stop: int, holder: int, place: int) -> int:
        """Return a step with the entries from `start` to `stop` of a pack."""
        shape = (stop - start, *step.shape[1:])
        if holder < 0:
            inputs = tuple(self.at(old) for old in step.inputs[start:stop])
            template = ((shape, *(Slot(k) for k in range(len(inputs)))), {})
            level = max(self.steps[part].level for part in inputs)
            return self.append(Step(pack, inputs, template, shape, step.dtype, level, step.site))
        if self.steps[holder].shape[0] == stop - start:
            return holder
        template = ((Slot(0), slice(place, place + stop - start)), {})
        level = self.steps[holder].level
        return self.append(Step(operator.getitem, (holder,), template, shape, step.dtype, level, step.site))

    def constant(self, value: np.ndarray) -> int:
        index = self.append(Step(None, (), None, value.shape, value.dtype, CONSTANT, None))
        self.values[index] = value
        return index

    def read(self, places: list, step: Step) -> int | None:
        """Return a step that reads `places` of what `step` reads, at once; None if they are no simple sequence."""
        base = self.at(step.inputs[0])
        parts = [place if type(place) is tuple else (place,) for place in places]
        if len(step.inputs) > 1 or len({len(part) for part in parts}) > 1:
            return None
        varying = [k for k in range(len(parts[0])) if any(not _same(part[k], parts[0][k]) for part in parts)]
        whole = slice(None)
        if len(varying) != 1 or any(not (isinstance(p, int | np.integer) or _same(p, whole)) for p in parts[0]):
            return None
        axis = varying[0]
        numbers = np.array([part[axis] for part in parts])
        if numbers.min() < 0 or any(isinstance(part, int | np.integer) for part in parts[0][:axis]):
            return None
        differences = np.diff(numbers)
        inputs: tuple[int, ...] = (base,)
        if (differences == differences[0]).all() and differences[0] != 0:
            stop = int(numbers[-1] + differences[0])
            along = int(differences[0])
            entry: Any = slice(int(numbers[0]), stop if stop >= 0 else None, None if along == 1 else along)
        else:
            inputs = (base, self.constant(numbers))
            entry = Slot(1)
        index = (*parts[0][:axis], entry, *parts[0][axis + 1 :])
        count = (len(places),)
        shape = (*step.shape[:axis], *count, *step.shape[axis:])
        template = ((Slot(0), index if len(index) > 1 else entry), {})
        level = self.steps[base].level
        result = self.append(Step(operator.getitem, inputs, template, shape, step.dtype, level, step.site))
        if axis:
            shape = (*count, *step.shape)
            result = self.append(
                Step(np.moveaxis, (result,), ((Slot(0), axis, 0), {}), shape, step.dtype, level, step.site)
            )
        return result


class _Body:
    """The body of one loop under construction."""

    def __init__(self, rewriter: _Rewriter, run: _Run) -> None:
        self.rewriter, self.run = rewriter, run
        self.carried: dict[tuple[int, int], list[int]] = {}  # (place, lag) -> starting steps
        self.listed: dict[tuple, np.ndarray] = {}
        self.fixed: dict[int, None] = {}
        chosen = set(run.body)
        for place in run.body:
            for op in run.operands[place]:
                if op.kind == "inner" and op.place in chosen:
                    if op.lag:
                        self.carry(op)
                elif op.kind != "fixed":
                    steps = self.steps_of(op)
                    self.listed[tuple(steps.tolist())] = steps
                elif not self.is_number(int(op.steps[0])):
                    self.fixed[int(op.steps[0])] = None

    def carry(self, op: _Operand) -> None:
        """Note that a value is handed on over `lag` blocks; `op.steps[j]` is its value `lag - j` blocks before."""
        for lag in range(1, op.lag + 1):
            self.carried.setdefault((op.place, lag), int(op.steps[op.lag - lag]))

    def steps_of(self, op: _Operand) -> np.ndarray:
        """Return the step that an operand from outside is in each block."""
        if op.kind == "listed":
            return op.steps
        count, lag = self.run.count, op.lag
        return np.concatenate([op.steps, self.run.table[: count - lag, op.place]])

    def is_number(self, index: int) -> bool:
        step = self.rewriter.old.steps[index]
        return step.operation is None and step.level == CONSTANT and step.shape == ()

    def finish(self, needed: Sequence[int]) -> tuple[Recurrence, list[int]]:
        """Return the operation and its operands on the new tape."""
        rewriter, run = self.rewriter, self.run
        old = rewriter.old.steps
        carried = sorted(self.carried, key=lambda key: (key[1], key[0]))
        first = [key for key in carried if key[1] == 1]
        sources = [self.carried[key] for key in carried]
        operands = [rewriter.at(source) for source in sources]
        operands += [rewriter.stacked(steps) for steps in self.listed.values()]
        operands += [rewriter.at(index) for index in self.fixed]
        body: list[Step] = []
        for k, operand in enumerate(operands):
            step = rewriter.steps[operand]
            shape = step.shape[1:] if len(carried) <= k < len(carried) + len(self.listed) else step.shape
            site = old[run.table[0, carried[k][0]]].site if k < len(carried) else step.site
            body.append(Step(None, (), None, shape, _FLOAT if k < len(carried) else step.dtype, step.level, site))
        slot = {key: k for k, key in enumerate(carried)}
        listed = {key: len(carried) + k for k, key in enumerate(self.listed)}
        fixed = {index: len(carried) + len(listed) + k for k, index in enumerate(self.fixed)}
        inner: dict[int, int] = {}
        numbers: dict[int, int] = {}
        chosen = set(run.body)
        for place in run.body:
            step = old[run.table[0, place]]
            inputs = []
            for op in run.operands[place]:
                if op.kind == "inner" and op.place in chosen:
                    inputs.append(slot[op.place, op.lag] if op.lag else inner[op.place])
                elif op.kind != "fixed":
                    inputs.append(listed[tuple(self.steps_of(op).tolist())])
                elif (index := int(op.steps[0])) in fixed:
                    inputs.append(fixed[index])
                else:
                    if index not in numbers:
                        numbers[index] = len(body)
                        body.append(old[index]._replace(template=Known(rewriter.old.values[index])))
                    inputs.append(numbers[index])
            inner[place] = len(body)
            body.append(step._replace(inputs=tuple(inputs)))
        updates = tuple(inner[place] if lag == 1 else slot[place, lag - 1] for place, lag in carried)
        self.carried_places = [place for place, _ in first]
        outputs = [place for place in needed if place not in self.carried_places]
        self.kept_places = [*self.carried_places, *outputs]
        self.result_of = {place: k for k, (place, _) in enumerate(first)}
        self.result_of |= {place: len(carried) + k for k, place in enumerate(outputs)}
        recurrence = Recurrence(
            run.count, len(carried), len(self.listed), tuple(body), updates, tuple(inner[place] for place in outputs)
        )
        return recurrence, operands
