"""The first and the last iteration of a loop, where they are no block of the run.

    a, P = np.array([y[0], 0.0]), 10.0 * np.eye(2)            in the first, what is made of a and P alone depends on the
    for t in range(n):                                        data or on nothing: steps of other levels, or made once,
        v, F = y[t] - Z @ a, Z @ P @ Z + r                    ahead, as `T @ P` is that stands here twice
        K = T @ P @ Z / F
        value += 0.5 * (np.log(F) + v**2 / F)
        a, P = T @ a + K * v, T @ P @ T.T + Q - ...           in the last, nothing needs a and P, nor K: no such steps

    blocks of the run      1 to n - 2
    with a first one       0 to n - 2      it starts from what the first block is made of: a and P before the loop
    with the last          the loop runs from 0 to n - 2; v, F and the sum's terms are computed for 0 to n - 1, of the
                           carries that each iteration starts from, all of which the loop makes

So iterations are looked for by what they compute, not by where they stand: a place is matched with a step that does the
same with the same operands (`_Matching`), from the carries backwards in the first, for what is read in the last.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

import numpy as np

from autoopt.tape.loops.runs import Operand, Run, same
from autoopt.tape.loops.uniform import SMOOTH
from autoopt.tape.tape import PARAMETER, Step, Tape


def extended(tape: Tape, run: Run, read: Collection[int], bounds: tuple[int, int]) -> Run:
    """Return the run with a first block, and the last iteration, where these are among the steps next to it.

    `read` are the places whose values are read outside of the loop; steps of parameters before or after `bounds` belong
    to other loops.
    """
    outputs = sorted(set(read) - _carried(run))
    run = _with_last_but_one(tape, _with_first(tape, run, outputs, bounds[0]), outputs, bounds[1])
    return _with_last(tape, run, outputs, bounds[1])


def _carried(run: Run) -> set[int]:
    """Return the places whose values are handed on."""
    return {op.place for place in run.body for op in run.operands[place] if op.kind == "inner" and op.lag}


class _Matching:
    """Steps that do what the places of a block do, with the operands that these have.

    Attributes
    ----------
    row : dict of int to int
        The step of each place.
    starts : dict of int to int
        What a place handed on to this block; where `free`, as the steps have it, else the last of the run.
    """

    def __init__(self, tape: Tape, run: Run, free: bool) -> None:
        self.steps, self.run, self.free = tape.steps, run, free
        self.chosen = set(run.body)
        self.row: dict[int, int] = {}
        self.starts: dict[int, int] = {}

    def match(self, place: int, index: int) -> bool:
        """Whether a step is that of a place, with all that it is made of; if not, nothing is entered."""
        row, starts = dict(self.row), dict(self.starts)
        waiting = [(place, index)]
        while waiting:
            place, index = waiting.pop()
            if place in row or not _same_shape(self.steps[self.run.sample(place)], self.steps[index]):
                if row.get(place) != index:
                    return False
                continue
            row[place] = index
            if place in self.chosen:
                if not _same_call(self.steps[self.run.sample(place)], self.steps[index]):
                    return False
                for op, source in zip(self.run.operands[place], self.steps[index].inputs, strict=True):
                    if op.kind == "inner" and not op.lag:
                        waiting.append((op.place, source))
                    elif not self.fits(op, source, starts):
                        return False
        self.row, self.starts = row, starts
        return True

    def fits(self, op: Operand, source: int, starts: dict[int, int]) -> bool:
        """Whether a step can be an operand from outside of the block."""
        if op.kind == "fixed":
            return source == op.steps[0]
        if op.kind == "listed":
            return _same_shape(self.steps[op.steps[-1]], self.steps[source])
        if not self.free:
            return source == self.run.table[self.run.count - op.lag, op.place]
        return _same_shape(self.steps[self.run.sample(op.place)], self.steps[source]) and (
            starts.setdefault(op.place, source) == source
        )

    def find(self, places: Collection[int], among: Iterable[int]) -> bool:
        """Whether there are steps of all these places."""
        calls = defaultdict(list)
        for index in among:
            calls[self.steps[index].operation].append(index)
        return all(
            place in self.row
            or any(self.match(place, index) for index in calls[self.steps[self.run.sample(place)].operation])
            for place in places
        )


def _same_shape(one: Step, other: Step) -> bool:
    return one.shape == other.shape and one.dtype == other.dtype


def _same_call(one: Step, other: Step) -> bool:
    alike = one.operation == other.operation and len(one.inputs) == len(other.inputs)
    return alike and same(one.template, other.template)


def _with_first(tape: Tape, run: Run, outputs: Collection[int], begin: int) -> Run:
    """Return the run with one block more before the others; as it is if there is no such block."""
    operands = [op for place in run.body for op in run.operands[place]]
    chosen = set(run.body)
    if any(op.kind == "inner" and op.lag > (op.place in chosen) for op in operands):
        return run
    matching = _Matching(tape, run, free=True)
    carried = {op.place: int(op.steps[0]) for op in operands if op.kind == "inner" and op.lag}
    inside = set(run.table.ravel().tolist())
    first = int(run.table[0, 0])
    near = (i for i in range(max(first - 3 * run.period, 0), first + run.period) if i not in inside)
    if not all(matching.match(*start) for start in carried.items()) or not matching.find(outputs, near):
        return run
    row, starts = matching.row, matching.starts
    own = {row[place] for place in chosen.intersection(row) if tape.steps[row[place]].level == PARAMETER}
    if not chosen.issubset(row) or set(starts) != set(carried) or min(own, default=begin) < begin:
        return run
    if _depend(tape, {*_given(run), *starts.values()}, own, min(own, default=first)):
        return run  # later iterations read what the first has made by the side, too

    def longer(place: int, k: int, op: Operand) -> Operand:
        if place not in chosen or (op.kind == "inner" and not op.lag):
            return op
        if op.kind == "inner":
            return op._replace(steps=np.array([starts[op.place]]))
        return op._replace(steps=np.concatenate([[tape.steps[row[place]].inputs[k]], op.steps]))

    block = [row.get(place, -1) for place in range(run.period)]
    return replace(
        run,
        count=run.count + 1,
        table=np.vstack([block, run.table]),
        model=1,
        operands=[[longer(place, k, op) for k, op in enumerate(ops)] for place, ops in enumerate(run.operands)],
    )


def _with_last_but_one(tape: Tape, run: Run, outputs: Collection[int], end: int) -> Run:
    """Return the run with one block more in which some of what is handed on is read by nobody, -1 in its table.

    The loop computes it from what is there, so that it must have finite slopes wherever it is finite.
    """
    matching = _Matching(tape, run, free=False)
    near = list(_near(run, end))
    carried = sorted(_carried(run).intersection(run.body))
    living = [place for place in carried if matching.find([place], near)]
    if not living or len(living) == len(carried) or not matching.find(outputs, near):
        return run
    dead = {place for place in run.body if place not in matching.row}
    operands = [op for place in dead for op in run.operands[place]]
    if any(tape.steps[run.sample(place)].operation not in SMOOTH for place in dead):
        return run
    if any(op.kind == "listed" or (op.kind == "inner" and op.place not in run.body) for op in operands):
        return run
    if _reads_loop(tape, run, matching.row):
        return run
    row = [matching.row.get(place, -1) for place in range(run.period)]

    def longer(place: int, k: int, op: Operand) -> Operand:
        if op.kind == "inner" or place not in run.body:
            return op
        return op._replace(
            steps=np.append(op.steps, op.steps[-1] if place in dead else tape.steps[row[place]].inputs[k])
        )

    return replace(
        run,
        count=run.count + 1,
        table=np.vstack([run.table, row]),
        operands=[[longer(place, k, op) for k, op in enumerate(ops)] for place, ops in enumerate(run.operands)],
    )


def _with_last(tape: Tape, run: Run, outputs: Collection[int], end: int) -> Run:
    """Return the run with what is read of an iteration after the last block; as it is if nothing is."""
    matching = _Matching(tape, run, free=False)
    if not outputs or not matching.find(outputs, _near(run, end)) or _carried(run).intersection(matching.row):
        return run
    if _reads_loop(tape, run, matching.row):
        return run
    return replace(run, rest={place: index for place, index in matching.row.items() if place in run.body})


def _near(run: Run, end: int) -> range:
    """Return the steps after the last block among which an iteration may be."""
    last = int(run.table[-1].max())
    return range(last + 1, min(last + 3 * run.period, end))


def _reads_loop(tape: Tape, run: Run, row: Mapping[int, int]) -> bool:
    """Whether an iteration reads, as what comes from outside of the loop, what the loop has made."""
    own = {place: index for place, index in row.items() if place in run.body}
    inside = {index for index in run.table[:, run.body].ravel().tolist() if index >= 0}.union(own.values())
    given = {i for index in own.values() for i in tape.steps[index].inputs if i not in inside}
    return _depend(tape, given, inside, min(i for i in inside if tape.steps[i].level == PARAMETER))


def _given(run: Run) -> set[int]:
    """Return what the blocks read that is neither of the loop nor what it starts from."""
    chosen = set(run.body)
    operands = [op for place in run.body for op in run.operands[place]]
    outside = [op for op in operands if not (op.kind == "inner" and op.place in chosen)]
    return {index for op in outside for index in run.steps_of(op).tolist()}


def _depend(tape: Tape, given: Collection[int], inside: Collection[int], first: int) -> bool:
    """Whether one of the steps depends on those of the loop, which begin at `first`."""
    waiting, seen = list(given), set()
    while waiting:
        index = waiting.pop()
        if index in inside:
            return True
        if index >= first and index not in seen:
            seen.add(index)
            waiting += tape.steps[index].inputs
    return False


def divided(tape: Tape, run: Run) -> tuple[Run, Run]:
    """Return what hands on, and what is computed for all iterations, the last included, of what was handed to each."""
    chosen = set(run.body)
    sources = {place: [op.place for op in run.operands[place] if op.kind == "inner"] for place in run.body}
    waiting, core = list(_carried(run)), set()
    while waiting:
        place = waiting.pop()
        if place in chosen and place not in core:
            core.add(place)
            waiting += sources[place]
    block = [run.rest.get(place, -1) for place in range(run.period)]
    return replace(run, body=sorted(core), rest={}), replace(
        run,
        count=run.count + 1,
        table=np.vstack([run.table, block]),
        operands=[[_for_all(tape, run, place, k) for k in range(len(ops))] for place, ops in enumerate(run.operands)],
        body=sorted(run.rest),
        rest={},
    )


def _for_all(tape: Tape, run: Run, place: int, k: int) -> Operand:
    """Return an operand of a place that the last iteration has, as what it is in each iteration."""
    operand = run.operands[place][k]
    within = operand.kind == "inner" and not operand.lag and operand.place in run.body
    if place not in run.rest or operand.kind == "fixed" or within:
        return operand
    last = tape.steps[run.rest[place]].inputs[k]
    return Operand("listed", np.append(run.steps_of(operand), last))
