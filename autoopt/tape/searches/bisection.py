"""Loops that narrow an interval by branches, as bisection does: what they find depends on parameters, unrecorded."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from autoopt.tape.tape import CONSTANT, Tape

ASKED = 12
"""A place that is asked less often than this narrows nothing by much."""


def bisecting(tape: Tape) -> Any:
    """Return the place (code, instruction) whose branches may decide a number bit by bit; None if there is none.

    It is asked many times, answered both ways, and what is compared there has a new number in it each time that does
    not depend on the parameters: the middle of an interval, of which the branches have chosen the ends.
    """
    guards_at: dict[Any, list[int]] = {}
    for number, guard in enumerate(tape.guards):
        if guard.kind == "bool" and guard.site and tape.steps[guard.step].shape == ():
            guards_at.setdefault(guard.site, []).append(number)
    for site, numbers in guards_at.items():
        if len(numbers) >= ASKED and len({tape.guards[number].answer for number in numbers}) == 2:
            met: set[int] = set()
            fresh = 0
            for before, now in pairwise([tape.guards[number].step for number in numbers]):
                read = set(_numbers(tape, before, now))
                fresh += bool(read - met)
                met |= read
            if fresh > len(numbers) / 2:
                return site
    return None


def _numbers(tape: Tape, before: int, now: int) -> Iterator[int]:
    """Yield the steps of the numbers, but for whole ones, that `now` takes in after the step `before`."""
    waiting, seen = [now], {now}
    while waiting:
        for source in tape.steps[waiting.pop()].inputs:
            step = tape.steps[source]
            if source in seen or (step.operation is not None and source <= before):
                continue
            seen.add(source)
            waiting.append(source)
            if step.operation is None and step.level == CONSTANT and step.shape == ():
                value = tape.values[source]
                if step.dtype.kind == "f" and not float(value).is_integer():
                    yield source
