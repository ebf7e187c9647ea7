"""Recurrences on the tape: runs of steps that repeat with a period and hand values on become one step each.

A Python loop leaves the same steps once per iteration. Where an iteration needs what the one before made, no array
operation can replace them; here such a run becomes one `Recurrence`, whose body is a single iteration.
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
        found = _find(tape)
        if not found:
            return tape
        tape = Reroller(tape, found).tape()
    return tape


def _find(tape: Tape) -> list[Run]:
    """Return disjoint runs that can be replaced, all of one round."""
    sequence = Order(tape)
    if len(sequence.nodes) < 2 * SHORTEST:
        return []
    labels = sequence.labels
    for period in _periods(labels):
        found: list[Run] = []
        end = -1
        for start, stop in _stretches(labels[:-period] == labels[period:], (shortest(period) - 1) * period):
            start = max(start, end)
            run = fit(sequence, start, stop + period, period)
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
