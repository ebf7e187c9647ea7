"""One run on the tape: a stretch of blocks of steps that are alike, and where the operands of a block come from.

    for t in range(12):
        h = np.tanh(p[1] * h + np.exp(p[0] * y[t]))
        w = h * h
        s += w
        out.append(np.sin(w) + y[3 * t % 12])

leaves, after `flatten` has taken the sum s away, 12 blocks of 12 steps. A *place* is a step's position in its block; a
run is a table of steps, blocks by places. Where an operand comes from in each block says an `Operand`:

    place                operands                                        cyclic  after  before  regular   in the loop
     0  p[1]             fixed: p                                                       x       x         x
     1  p[1] * h         inner: place 0, lag 0; place 7, lag 1           x       x      x       x         x
     2  p[0]             fixed: p                                                       x       x         x
     3  y[t]             fixed: y                                                       x
     4  p[0] * y[t]      inner: places 2 and 3, lag 0                                   x       x         x
     5  exp              inner: place 4, lag 0                                          x       x         x
     6  +                inner: places 1 and 5, lag 0                    x       x      x       x         x
     7  tanh             inner: place 6, lag 0                           x       x      x       x         x
     8  w                inner: place 7, lag 0                                   x              x         x
     9  sin              inner: place 8, lag 0                                   x              x         x
    10  y[3 * t % 12]    fixed: y
    11  +                inner: places 9 and 10, lag 0                           x              x         x

Place 1 reads place 7 of the block before: that cycle is why no array operation can stand for it. What a loop is made of
is decided from there, by three questions, each the closure of a set along the arrows between operand and reader:

    after    does it depend on a cycle?    Then it must be in the loop or come after it.
    before   does a cycle depend on it?    Then it must be in the loop or come before it.
    late     does it read, without a pattern, what some block of the run has made?  Then it can only come after.

In the loop is what is *regular*, one and the same call in every block, and after or before a cycle. Then places are
taken out again for as long as the loop would read something that comes after it (`_consistent`). What is both after and
before, the core, must all stay, or there is no loop. Places 3 and 10, reads at another position in each block, are
never regular: they stay single steps, which the loop is handed as sequences, one entry for each iteration.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from autoopt.tape.loops.components import strong
from autoopt.tape.operations import pack
from autoopt.tape.recurrence import shortest, text_of
from autoopt.tape.tape import PARAMETER, Step, Tape

FLOAT = np.dtype(float)


class Order:
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
    return (*head, text_of(template))


@dataclass
class Run:
    """A stretch of `count` blocks of `period` steps, and what each operand of the block's steps is.

    Where nothing needs all that a last iteration would hand on, `rest` has the steps of it that there are.
    """

    start: int
    period: int
    count: int
    table: np.ndarray  # (count, period): the tape's step of each block and place
    operands: list[list[Operand]]
    body: list[int] = field(default_factory=list)  # places that go into the loop
    rest: dict[int, int] = field(default_factory=dict)  # place -> step
    model: int = 0  # a block that has a step for each place, of the same level as those of later ones

    def sample(self, place: int) -> int:
        """Return the step of a place in the block that stands for all."""
        return int(self.table[self.model, place])

    def steps_of(self, operand: Operand) -> np.ndarray:
        """Return the step that an operand is in each block."""
        if operand.kind != "inner":
            return operand.steps
        return np.concatenate([operand.steps, self.table[: self.count - operand.lag, operand.place]])


class Operand(NamedTuple):
    """Where one operand of a place comes from in each block.

    `kind` is "fixed" (the same step always), "inner" (place `place`, `lag` blocks ago; the first `lag` blocks read
    `steps`), or "listed" (`steps`, one for each block).
    """

    kind: str
    steps: np.ndarray
    place: int = -1
    lag: int = 0


class Uneven(Exception):
    """The blocks from `start` to `stop` are alike; the others are not, as first and last iterations often are."""

    def __init__(self, start: int, stop: int) -> None:
        self.start, self.stop = start, stop


def fit(sequence: Order, start: int, stop: int, period: int) -> Run | None:
    """Return the run in [start, stop), cut so that its blocks are alike; None if there is no recurrence."""
    for _ in range(4):
        count = (stop - start) // period
        if count < shortest(period):
            return None
        try:
            offset = _phase(sequence, start, stop, period)
            count = (stop - start - offset) // period
            return _block(sequence, start + offset, count, period)
        except Uneven as uneven:
            first = start + offset
            start, stop = first + uneven.start * period, first + uneven.stop * period
    return None


def _phase(sequence: Order, start: int, stop: int, period: int) -> int:
    """Return where in the period a block is best cut: where the fewest values, all of them floats, are handed on.

    Of several such places it is the one where the user's iteration begins: then a last iteration of which only a part
    is needed, and a first one that has only data to start from, are blocks like the others, or parts of one.
    """
    middle = start + ((stop - start) // period // 2 - 1) * period
    reach: dict[int, int] = {}
    for position in range(middle, min(middle + 3 * period, stop)):
        for source in sequence.steps[sequence.nodes[position]].inputs:
            made = int(sequence.position[source])
            if middle <= made < middle + period:
                reach[made] = position
    crossing = np.zeros(period + 1, dtype=np.int64)
    for made, last in reach.items():  # a cut before position c separates made < c <= last
        weight = 1 if sequence.steps[sequence.nodes[made]].dtype == FLOAT else period
        for cut in range(made + 1, min(last, made + period) + 1):
            crossing[(cut - start) % period] += weight
    least = np.flatnonzero(crossing[:period] == crossing[:period].min())
    steps = [sequence.steps[i] for i in sequence.nodes[start + period - 1 : start + 2 * period].tolist()]
    begins = [_jumps_back_to(steps[cut], steps[cut + 1]) for cut in least.tolist()]
    return int(least[int(np.argmin(begins))])


def _jumps_back_to(before: Step, after: Step) -> float:
    """Return the instruction of a step that stands above the one before it, in the same function; infinity if none."""
    if before.site is None or after.site is None or before.site[0] is not after.site[0]:
        return np.inf
    return after.site[1] if after.site[1] <= before.site[1] else np.inf


def _block(sequence: Order, start: int, count: int, period: int) -> Run | None:
    """Return the run of `count` blocks from `start` on; None if nothing is handed on in it."""
    table = sequence.nodes[start : start + count * period].reshape(count, period)
    run = Run(start, period, count, table, [])
    steps = sequence.steps
    for place in range(period):
        rows = np.array([steps[i].inputs for i in table[:, place]], dtype=np.int64).reshape(count, -1)
        run.operands.append([_operand(sequence, run, place, rows[:, k]) for k in range(rows.shape[1])])
    regular = [_regular(sequence, run, place) for place in range(period)]
    cyclic = cyclic_places(run, [steps[i].level == PARAMETER for i in table[count // 2]])
    if not cyclic.any():
        return None
    run.body = _places(sequence, run, regular, cyclic)
    _check_starts(sequence, run)
    return run if run.body else None


def _operand(sequence: Order, run: Run, place: int, refs: np.ndarray) -> Operand:
    """Return what one operand of a place is, judged by the middle of the run: `refs` are its steps in each block."""
    middle = run.count // 2
    if refs[middle] == refs[middle - 1]:
        fixed = bool((refs == refs[0]).all())
        if fixed and sequence.position[refs[0]] >= run.start:  # what the first iteration made is read by all
            raise Uneven(1, run.count)
        return Operand("fixed" if fixed else "listed", refs)
    here = run.start + place + run.period * np.arange(run.count)
    made = sequence.position[refs]  # where in the program order each block's operand is computed
    distance = here - made
    far = int(distance[middle])
    if made[middle] >= run.start and far == distance[middle - 1]:
        lag = -((place - far) // run.period)
        source = (place - far) % run.period
        if made[lag:].size and (distance[lag:] == far).all() and (made[:lag] < run.start).all():
            return Operand("inner", refs[:lag], source, lag)
        if lag <= 4:
            good = (distance == far) | ((np.arange(run.count) < lag) & (made < run.start))
            raise Uneven(*_longest(good))
    return Operand("listed", refs)


def _longest(good: np.ndarray) -> tuple[int, int]:
    """Return the beginning and the end of the longest stretch of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], good.astype(np.int8), [0]]))).reshape(-1, 2)
    start, stop = max(edges.tolist(), key=lambda pair: pair[1] - pair[0]) if len(edges) else (0, 0)
    return start, stop


def _regular(sequence: Order, run: Run, place: int) -> bool:
    """Whether a place's steps are the same call in every block, and worth having in the loop."""
    steps = sequence.steps
    first = steps[run.table[0, place]]
    if first.level != PARAMETER:
        return False
    if first.template is None:
        return True
    return all(same(steps[i].template, first.template) for i in run.table[1:, place])


def same(one: Any, other: Any) -> bool:
    """Whether two templates, or parts of them, are equal; arrays in them never are."""
    try:
        return bool(one == other)
    except ValueError:
        return False


def _places(sequence: Order, run: Run, regular: list[bool], cyclic: np.ndarray) -> list[int]:
    """Return the places that make up the loop: cycles, what lies between, regular steps before and after."""
    edges = [(op.place, place) for place, ops in enumerate(run.operands) for op in ops if op.kind == "inner"]
    after = _closure(edges, cyclic)
    before = _closure([(reader, source) for source, reader in reversed(edges)], cyclic)
    late = _closure(edges, np.array([any(_reads_run(sequence, run, op) for op in ops) for ops in run.operands]))
    core = after & before
    chosen = (after | before) & np.array(regular)
    if not chosen[core].all() or late[core].any():
        return []
    for place in np.flatnonzero(core):
        for op in run.operands[place]:
            if op.kind == "inner" and op.lag and sequence.steps[run.table[0, op.place]].dtype != FLOAT:
                return []
    return np.flatnonzero(_consistent(run, edges, chosen, after, before, late)).tolist()


def _closure(edges: list[tuple[int, int]], marked: np.ndarray) -> np.ndarray:
    """Return the places that are marked, or reached from those that are along the edges."""
    marked = marked.copy()
    size = -1
    while size != (size := int(marked.sum())):
        for source, reader in edges:
            marked[reader] |= marked[source]
    return marked


def _consistent(
    run: Run, edges: list[tuple[int, int]], chosen: np.ndarray, after: np.ndarray, before: np.ndarray, late: np.ndarray
) -> np.ndarray:
    """Return the chosen places without those that would have the loop read, from outside, what depends on the loop.

    To leave one out may be reason to leave out its readers, so this goes on until nothing changes; the core stays.
    """
    chosen = chosen.copy()
    changed = True
    while changed:
        changed = False
        back = _returning(edges, chosen)
        for place in np.flatnonzero(chosen & ~(after & before)):
            outside = [op.place for op in run.operands[place] if op.kind == "inner" and not chosen[op.place]]
            inside = [op for op in run.operands[place] if op.kind == "inner" and chosen[op.place] and op.lag > 0]
            if late[place] or (inside and not after[place]) or any(after[source] for source in outside) or back[place]:
                chosen[place] = False
                changed = True
    return chosen


def _returning(edges: list[tuple[int, int]], chosen: np.ndarray) -> np.ndarray:
    """Return which places are read by one that is not chosen and that leads, by others such, to one that is.

    A function of data that has no place in a loop, as `np.sum` between `np.exp(row)` and the recurrence: what it reads
    must come before the loop as well.
    """
    towards = np.zeros(len(chosen), dtype=bool)
    size = -1
    while size != (size := int(towards.sum())):
        for source, reader in reversed(edges):
            towards[source] |= not chosen[source] and (chosen[reader] or towards[reader])
    back = np.zeros(len(chosen), dtype=bool)
    for source, reader in edges:
        back[source] |= towards[reader]
    return back


def _reads_run(sequence: Order, run: Run, operand: Operand) -> bool:
    """Whether an operand without a pattern is made by the run itself."""
    return operand.kind == "listed" and bool((sequence.position[operand.steps] >= run.start).any())


def _check_starts(sequence: Order, run: Run) -> None:
    """Cut off first blocks whose starting values have another shape or type than what replaces them, or are several.

    A first block may be another iteration's end that happens to look alike, `sin(a) * s` for `a * before`: it reads
    another step where the later ones read what the block before has made.
    """
    steps = sequence.steps
    for place in run.body:
        for op in run.operands[place]:
            if op.kind == "inner" and op.lag and op.place in run.body:
                later = steps[run.table[0, op.place]]
                for step in op.steps:
                    if steps[step].shape != later.shape or later.dtype != FLOAT:
                        raise Uneven(op.lag, run.count)
    several = starts_several(run)
    if several:
        raise Uneven(several, run.count)


def starts_several(run: Run) -> int:
    """Return over how many blocks a value is handed on that starts from several steps; 0 if there is none."""
    chosen = set(run.body)
    starts: dict[tuple[int, int], int] = {}
    for place in run.body:
        for op in run.operands[place]:
            if op.kind == "inner" and op.place in chosen:
                for j, step in enumerate(op.steps.tolist()):
                    if starts.setdefault((op.place, op.lag - j), step) != step:
                        return op.lag
    return 0


def cyclic_places(run: Run, parameter: list[bool]) -> np.ndarray:
    """Return which places depend on themselves in an earlier block."""
    readers: list[list[int]] = [[] for _ in range(run.period)]
    cyclic = np.zeros(run.period, dtype=bool)
    for place, operands in enumerate(run.operands):
        for operand in operands:
            if operand.kind == "inner" and parameter[place] and parameter[operand.place]:
                readers[operand.place].append(place)
                cyclic[place] |= place == operand.place
    for group in strong(readers):
        if len(group) > 1:
            cyclic[group] = True
    return cyclic
