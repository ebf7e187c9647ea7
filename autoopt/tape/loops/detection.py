"""Recurrences on the tape: runs of steps that repeat with a period and hand values on become one step each.

A Python loop leaves the same steps once per iteration. Where an iteration needs what the one before made, no array
operation can replace them; here such a run becomes one `Recurrence`, whose body is a single iteration:

    h = p[0]
    for t in range(12):
        h = np.tanh(p[1] * h + y[t])
        total += h * h

     2  p[0]                                                        2  p[0]    3  y[0] ... 14  y[11]    15  y[0:12]
     3  p[1]   4  3 * 2    5  y[0]   6  4 + 5    7  tanh(6)        16  Recurrence from 2, with a sequence 15, with 0
     8  7 * 7                                                            0  h    1  y[t]    2  p        (one iteration)
    10  p[1]  11  10 * 7  12  y[1]  13  11 + 12  14  tanh(13)            3  2[1]    4  3 * 0    5  4 + 1    6  tanh(5)
    15  14 * 14                                                          7  6 * 6            (h becomes 6; 7 is kept)
    ... ten times more                                             17  component 0: h before and after each, shape (13,)
    76  total(8, 15, 21, ..., 75)                                  18  component 1: h * h of each iteration, shape (12,)
                                                                   19  18[0] ... 30  18[11]    31  total(19, ..., 30)

How: steps get labels, equal for the same call of different iterations; distances at which labels repeat are the likely
*periods*; of a period, stretches that repeat are cut into *blocks* of one period each (`runs.fit`, where a picture of
one is); `rolling` writes the new tape. Reads such as 19 to 30 are what `batching` makes `np.sum(18)` of.

Between two rounds the tape is an ordinary one, equal in value, and each round finds runs of the shortest period that
gives any: so inner loops come before those around them, whose blocks then have the inner one as a single step.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from autoopt.tape.loops.rolling import Reroller
from autoopt.tape.loops.runs import Order, Run, fit
from autoopt.tape.recurrence import SHORTEST, shortest
from autoopt.tape.tape import Tape


def recurrences(tape: Tape) -> Tape:
    """Return `tape` with every run of iterations that hand parameter-dependent values on as one step.

    Steps of a loop that are no part of its recurrence, and whose operands follow no pattern, stay as they are; so do
    first and last iterations that differ from the others, and loops of fewer than SHORTEST iterations.
    """
    for _ in range(6):  # loops inside loops: the inner ones first
        runs = _find(tape)
        if not runs:
            return tape
        tape = Reroller(tape, runs).tape()
    return tape


def _find(tape: Tape) -> list[Run]:
    """Return disjoint runs that can be replaced, all of one round: those of the shortest period that gives any."""
    sequence = Order(tape)
    if len(sequence.nodes) < 2 * SHORTEST:
        return []
    labels = sequence.labels
    for period in _periods(labels):
        runs: list[Run] = []
        end = -1
        for start, stop in _stretches(labels[:-period] == labels[period:], (shortest(period) - 1) * period):
            start = max(start, end)
            run = fit(sequence, start, stop + period, period)
            if run is not None:
                runs.append(run)
                end = run.start + run.count * period
        if runs:
            return runs
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
        distance
        for distance, often in counts.items()
        if often >= shortest(distance) - 1 and distance * shortest(distance) <= len(labels)
    ]
    likely = sorted(likely, key=lambda distance: -counts[distance])[:60]
    return sorted(likely)


def _stretches(flags: np.ndarray, shortest: int) -> Iterator[tuple[int, int]]:
    """Return (start, stop) of the stretches of True of at least `shortest`."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(np.int8), [0]])))
    for start, stop in edges.reshape(-1, 2).tolist():
        if stop - start >= shortest:
            yield start, stop
