"""Where the time of an evaluation goes: the printed code with a clock between its statements.

What a reading of the clock takes is measured and taken off. The same code without clocks, and the user's function, are
timed in turn with it, as machines are noisy; each figure is the mean of the fastest quarter of its calls, so that the
times of the statements add up to that of a whole call with clocks.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autoopt.errors import Location
from autoopt.execution.engines import run_of, with_prepared
from autoopt.execution.interface import Compiled
from autoopt.graph.kinds import KINDS
from autoopt.inspection.columns import WIDTH, cut
from autoopt.inspection.modules import Module, Quotes, Statement, of_step
from autoopt.tape.tape import Step, Tape, call, values_at

SECONDS = 0.5
"""How long is measured, about."""

FEWEST, MOST = 7, 400
"""Turns."""

SHOWN = 8
"""Statements of the derivatives that are shown, those that take longest."""


class Clock:
    """The time since the last reading is that of the statement which has begun there."""

    def __init__(self, count: int) -> None:
        self.spent, self.readings = [0.0] * (count + 1), [0] * (count + 1)
        self.statement, self.since = count, 0.0

    def at(self, statement: int) -> None:
        """Begin a statement."""
        now = time.perf_counter()
        self.spent[self.statement] += now - self.since
        self.readings[self.statement] += 1
        self.statement, self.since = statement, now

    def here(self) -> int:
        """Return which one has begun."""
        return self.statement

    def returned(self, statement: int, result: Any) -> Any:
        """Go on with a statement after a call, of which this is the result."""
        self.at(statement)
        return result

    def turn(self, work: Callable[[], object]) -> list[float]:
        """Return the seconds of each statement in one run."""
        self.spent, self.readings = [0.0] * len(self.spent), [0] * len(self.spent)
        self.statement, self.since = len(self.spent) - 1, time.perf_counter()
        work()
        self.at(len(self.spent) - 1)
        cost = reading()
        return [max(spent - cost * count, 0.0) for spent, count in zip(self.spent, self.readings, strict=True)]


def reading() -> float:
    """Return what one reading takes."""
    clock, count = Clock(1), 200
    begin = time.perf_counter()
    for _ in range(count):
        clock.at(0)
    return (time.perf_counter() - begin) / count


@dataclass(frozen=True, repr=False)
class Times:
    """The times of one evaluation, in seconds, to be printed.

    Attributes
    ----------
    what : str
        What is evaluated.
    whole : float
        Of the code as it runs.
    original : float
        Of the user's function at the same point, without derivatives.
    statements : list of (Statement, float)
        Of the printed code with clocks between them, what a clock takes taken off.
    turns : int
        How often each was run.
    note : str
        What is to be known of how the code runs as it is.
    """

    what: str
    whole: float
    original: float
    statements: tuple[tuple[Statement, float], ...]
    turns: int
    note: str = ""

    @property
    def total(self) -> float:
        """The sum over all statements."""
        return sum(seconds for _, seconds in self.statements)

    def by_line(self) -> dict[Location, float]:
        """Return the seconds of the user's lines, in their order."""
        found: dict[Location, float] = {}
        for one, seconds in self.statements:
            if one.line is not None:
                found[one.line] = found.get(one.line, 0.0) + seconds
        return dict(sorted(found.items(), key=lambda pair: (pair[0].file, pair[0].line)))

    def to_dict(self) -> dict[str, Any]:
        """Return everything as numbers and texts, for JSON."""
        return {
            "what": self.what,
            "whole": self.whole,
            "original": self.original,
            "total": self.total,
            "turns": self.turns,
            "lines": [{"file": at.file, "line": at.line, "seconds": spent} for at, spent in self.by_line().items()],
            "statements": [
                {"function": one.function, "text": one.text, "of_line": one.line is not None, "seconds": spent}
                for one, spent in self.statements
            ],
        }

    def __str__(self) -> str:
        return "\n".join(self._rows())

    def _rows(self) -> Iterator[str]:
        ratio = f", {self.whole / self.original:.2f} times your function's" if self.original else ""
        yield f"Time of {self.what}: {_shown(self.whole)}{ratio} (the fastest of {self.turns} calls in turn)"
        quoted = {one.line: one.quoted for one, _ in self.statements}
        for place, seconds in self.by_line().items():
            yield self._row(f"{place.line:>4} | {quoted[place]}", seconds)
        rest = sorted((pair for pair in self.statements if pair[0].line is None), key=lambda pair: -pair[1])
        rest = [pair for pair in rest if pair[1] > 0.005 * self.total]
        if rest:
            yield "       other statements of the derived code"
        for one, seconds in rest[:SHOWN]:
            yield self._row(f"       {one.text}", seconds)
        if rest[SHOWN:]:
            yield self._row(f"       … {len(rest) - SHOWN} more", sum(seconds for _, seconds in rest[SHOWN:]))
        if self.statements:
            yield self._row("       sum, with a clock between all statements", self.total)
        if self.note:
            yield f"       {self.note}"

    def _row(self, label: str, seconds: float) -> str:
        left = WIDTH - 20
        return f"{cut(label, left - 1):<{left}}{_shown(seconds):>12}{seconds / (self.total or 1.0):>8.0%}"


def _shown(seconds: float) -> str:
    for unit, factor in (("s", 1.0), ("ms", 1e3)):
        if seconds * factor >= 1.0:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds * 1e6:.3g} µs"


def timed(
    compiled: Compiled, kind: str, tape: Tape, x: np.ndarray, quotes: Quotes, original: Callable[[], object]
) -> Times:
    """Return where the time of one kind of derivative goes at a point; `original` calls the user's function there."""
    module = Module(compiled.text, kind, quotes)
    clock = Clock(len(module.statements))
    namespace: dict[str, Any] = {"__name__": "autoopt_derivatives"}
    namespace |= {"_at": clock.at, "_here": clock.here, "_returned": clock.returned}
    exec(compile(module.marked(), "<timed>", "exec"), namespace)
    prepared = with_prepared(namespace, compiled.inputs.of(tape))
    run = run_of(namespace, kind, prepared, tape)
    with np.errstate(all="ignore"):
        turns = _turns([lambda: clock.turn(lambda: run(x)), *map(_taken, (lambda: compiled.run(x), original))])
    is_native = any(getattr(value, "native", None) for value in getattr(compiled, "namespace", {}).values())
    note = "Loops are machine code by now, which takes less than their statements above." if is_native else ""
    return _times(kind, module.statements, turns, note)


def timed_along(compiled: Compiled, kind: str, tape: Tape, x: np.ndarray, original: Callable[[], object]) -> Times:
    """Return the same for a tape that is evaluated step by step: the value by lines, the derivative as a whole."""
    places = {step.site: of_step(step) for step in tape.steps if step.site is not None}
    statements = [*dict.fromkeys(places.values()), Statement("", "the derivatives, step by step", None, "", False)]
    numbers = {statement: k for k, statement in enumerate(statements)}
    clock = Clock(len(statements))

    def evaluated(step: Step, inputs: list) -> Any:
        clock.at(numbers[places[step.site]] if step.site is not None else len(statements))
        return call(step, inputs)

    def turn() -> list[float]:
        seconds = clock.turn(lambda: values_at(tape, x, evaluated))
        whole = _taken(lambda: compiled.run(x))()
        seconds[len(statements) - 1] = max(whole - sum(seconds), 0.0)
        return seconds

    with np.errstate(all="ignore"):
        turns = _turns([turn, *map(_taken, (lambda: compiled.run(x), original))])
    return _times(kind, statements, turns, "It is evaluated along its tape: see plan().")


def _times(kind: str, statements: Sequence[Statement], turns: list[list[Any]], note: str) -> Times:
    by_statement, whole, own = zip(*turns, strict=True)
    means = [statistics.fmean(column) for column in zip(*_fastest(by_statement, sum), strict=True)]
    pairs = tuple((one, seconds) for one, seconds in zip(statements, means, strict=False) if seconds)
    first, second = (statistics.fmean(_fastest(column, float)) for column in (whole, own))
    return Times(" and ".join(KINDS[kind].returns), first, second, pairs, len(turns), note)


def _fastest(turns: Sequence[Any], seconds: Callable[[Any], float]) -> list[Any]:
    """Return the fastest quarter of the turns."""
    return sorted(turns, key=seconds)[: max(len(turns) // 4, 1)]


def _taken(work: Callable[[], object]) -> Callable[[], float]:
    """Return the function that gives the seconds of one call."""

    def seconds() -> float:
        begin = time.perf_counter()
        work()
        return time.perf_counter() - begin

    return seconds


def _turns(works: list[Callable[[], Any]]) -> list[list[Any]]:
    """Return what each of them gives, in turn."""
    for work in works:
        work()
    found: list[list[Any]] = []
    end = time.perf_counter() + SECONDS
    while len(found) < FEWEST or (len(found) < MOST and time.perf_counter() < end):
        found.append([work() for work in works])
    return found
