"""Single iterations of a search: the steps between two comparisons at one place, and how its ends enter them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from autoopt.tape.searches.bisection import ASKED
from autoopt.tape.searches.comparisons import SIGNS
from autoopt.tape.tape import CONSTANT, PARAMETER, Tape


def window(tape: Tape, before: int, sides: tuple[int, ...]) -> tuple[list[int], list[int]]:
    """Return the steps that a comparison needs which come after the one before, in order; what they read, as met."""
    inner: set[int] = set()
    outer: list[int] = []
    waiting = [*sides]
    while waiting:
        step = waiting.pop()
        if step <= before or tape.steps[step].operation is None:
            outer.append(step)
        elif step not in inner:
            inner.add(step)
            waiting.extend(reversed(tape.steps[step].inputs))
    return sorted(inner), outer


def is_carried(tape: Tape, windows: list) -> bool:
    """Whether each iteration computes in the same way from what the one before has, and from parameters besides.

    That is a recurrence: no decision moves it, and its slope is on the tape.
    """
    if len({tuple(tape.steps[step].operation for step in inner) for inner, _ in windows}) > 1:
        return False
    inner = np.array([steps for steps, _ in windows], dtype=np.int64)
    outer = np.array([reads for _, reads in windows], dtype=np.int64)
    handed = [np.flatnonzero(np.all(inner[:-1] == column[1:, None], axis=0)) for column in outer.T]
    own = {step for column, places in zip(outer.T, handed, strict=True) if places.size for step in column.tolist()}
    made = {step for places in handed for step in inner[-1, places].tolist()}
    used = _needed(tape, made, set(inner[-1].tolist()))
    others = used.difference(own, inner.ravel().tolist())
    asks = any(_answers(tape, step) for step in used)
    return bool(made) and not asks and any(tape.steps[step].level == PARAMETER for step in others)


def _needed(tape: Tape, steps: set[int], within: set[int]) -> set[int]:
    """Return `steps` with all that they need, as far as it is `within` an iteration or read by it."""
    needed, waiting = set(steps), list(steps)
    while waiting:
        for source in tape.steps[waiting.pop()].inputs:
            if source not in needed:
                needed.add(source)
                waiting += [source] if source in within else []
    return needed


def _answers(tape: Tape, index: int) -> bool:
    return tape.steps[index].dtype == bool or tape.steps[index].operation in SIGNS


def is_bare(tape: Tape, index: int) -> bool:
    """Whether a step is a number without a history."""
    return tape.steps[index].operation is None and tape.steps[index].level == CONSTANT


def passages(tape: Tape, inner: list[int], sources: set[int], sides: tuple) -> Iterator[int]:
    """Yield the steps through which alone the ends of the interval enter the comparison, the first one first."""
    if len(sources) == 1:
        (only,) = sources
        if is_bare(tape, only):
            yield only
    for step in inner:
        if not reached_from(tape, inner, sources - {step}, step).intersection(sides):
            yield step


def reached_from(tape: Tape, inner: list[int], sources: set[int], without: int | None = None) -> set[int]:
    """Return the steps that depend on the sources, with these, by ways that leave out one step."""
    reached = set(sources)
    for step in inner:
        if step != without and reached.intersection(tape.steps[step].inputs):
            reached.add(step)
    return reached


def cone_of(tape: Tape, inner: list[int], variable: int) -> list[int]:
    """Return the steps that depend on the variable, in order."""
    depends = reached_from(tape, inner, {variable})
    return [step for step in inner if step in depends and step != variable]


def counterpart(tape: Tape, windows: list, variable: int) -> list[int] | None:
    """Return the steps that the variable is in each iteration; None if iterations are not alike."""
    inner, outer = windows[-1]
    if variable not in inner:
        place = outer.index(variable)
        return [reads[place] for _, reads in windows]
    place = inner.index(variable) - len(inner)
    found = [other[place] for other, _ in windows if len(other) >= -place]
    same = [step for step in found if tape.steps[step].operation is tape.steps[variable].operation]
    return same if len(same) >= ASKED - 2 else None
