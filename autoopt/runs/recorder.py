"""What is kept of a run while it goes on: iterates in history.jsonl, the best point in checkpoint.json.

A checkpoint is written at the first iterate, and again when a fiftieth of the run's time has passed, at least one and
at most ten seconds. Both are kept within a hundredth of the run's time: where iterations are so short that a line for
each would cost more, some have none; where a checkpoint takes long, it is written less often, but once a minute.
"""

from __future__ import annotations

import contextlib
import os
import time
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from autoopt.errors import RunError, RunWarning
from autoopt.runs.checkpoint import Point, Writer
from autoopt.solvers import translation
from autoopt.solvers.problem import known

SHARE = 0.005
"""The part of a run's time that may be spent on lines, and that on checkpoints."""

_IN_ANY_CASE = 200
"""So many iterates have a line, whatever that takes: 20 ms."""

_SOONEST, _LATEST, _AT_MOST, _FIFTIETH = 1.0, 10.0, 60.0, 0.02
"""Seconds between checkpoints: of these, the part of the time so far; and whatever they cost."""


_NOBODYS_LINE = 1000
"""A level above all frames: a full disk is the fault of no line, and none is shown."""


class Recorder:
    """Is told of each iterate of a run, and of what goes on.

    Parameters
    ----------
    writer : Writer
    history : Path or None
        Where a line for each iterate goes.
    point : Point
        Where the run goes on from; that of one which begins has no x.
    """

    def __init__(self, writer: Writer, history: Path | None, point: Point) -> None:
        self.point, self.is_resumed = point, point.x is not None
        self._writer, self._history, self._lines = writer, history, None if history is None else _opened(history)
        self._pid, self._begin = os.getpid(), time.perf_counter()
        self._spent, self._count = 0.0, 0
        self._before = point.seconds
        self._due, self._is_told = 0.0, False
        self._best: Callable[[], np.ndarray] | None = None
        self._search: Callable[[], dict[str, Any]] | None = None
        self._left = point.search
        self.factor = 1.0
        """What the value that a problem minimises is to be multiplied by: residuals have half the sum of squares."""

    @property
    def seconds(self) -> float:
        """How long the run took, in all its parts."""
        return self._before + time.perf_counter() - self._begin

    def __call__(self, problem: Any) -> None:
        """Note the latest iterate of a `solvers.Problem`; nothing is evaluated for that."""
        if os.getpid() != self._pid:  # a fork that minimises from another start
            return
        now, self._count = time.perf_counter() - self._begin, self._count + 1
        self.point.iteration += 1
        is_due = now >= self._due or self._count == 1
        if not is_due and self._count > _IN_ANY_CASE and self._spent > SHARE * now:
            return
        value, norm = _known(problem)
        self.point.phase = "minimising"
        self._line(self.factor * value, norm)
        self._keep(problem, self.factor * value, norm)
        self._spent += time.perf_counter() - self._begin - now
        if is_due:
            self.write()

    def look(self, problem: Any) -> None:
        """Write a checkpoint if one is due though there was no iterate, as between runs from several starts."""
        if os.getpid() == self._pid and time.perf_counter() - self._begin >= self._due:
            if not problem.constraints:
                self._keep(problem, np.nan, np.nan)
            self.enter("minimising")
            self.write()

    def left(self, name: str) -> dict[str, Any] | None:
        """Return what the search `name` goes on with, once; None for one that begins."""
        left, self._left = self._left, None
        return left if left is not None and left["name"] == name else None

    def searching(self, name: str, state: Callable[[], dict[str, Any]]) -> None:
        """Ask `state()`, plain values as JSON holds them, for what the search `name` could go on with, when written."""
        self._search = lambda: {"name": name, **state()}

    def searched(self) -> None:
        """Note that a search has ended, of which nothing is left to be done."""
        self._search = self.point.search = None

    def describe(self, run: Mapping[str, Any]) -> None:
        """Note what the run is."""
        self._writer = Writer(self._writer.path, run)

    def enter(self, phase: str) -> None:
        """Note what goes on now."""
        self.point.phase = phase

    def solved(self, result: Any) -> None:
        """Note the solution: what is left is to be said about it."""
        self.take(result)
        self.enter("looking at the solution")
        self.write()

    def take(self, result: Any) -> None:
        """Note the best point of a result, however the run ended."""
        value = float(result.fun) if np.ndim(result.fun) == 0 else float(result.cost)
        x = np.asarray(result.x_flat, dtype=np.float64)
        if np.isfinite(x).all() and np.isfinite(value):
            norm = float(result.get("gradient_norm", np.nan))
            self.point.value, self.point.gradient_norm, self._best = value, _finite(norm), lambda: x
            self.point.method = result.get("method")

    def write(self, *, lasting: bool | None = None) -> None:
        """Write a checkpoint, which outlives the machine where the run is longer than a second."""
        begin = time.perf_counter()
        now = begin - self._begin
        self.point.seconds = self._before + now
        if self._best is not None:
            self.point.x, self._best = self._best().tolist(), None
        if self._search is not None:
            self.point.search = self._search()
        lasting = now > _SOONEST if lasting is None else lasting
        self.attempt(lambda: self._writer.write(self.point, lasting=lasting))
        spent = time.perf_counter() - begin
        pause = max(min(max(_FIFTIETH * now, _SOONEST), _LATEST), spent / SHARE)
        self._due = now + min(pause, _AT_MOST)

    def attempt(self, writing: Callable[[], Any]) -> bool:
        """Write something; a disk that is full, or gone, does not end the run, and is told once."""
        try:
            writing()
            return True
        except OSError as error:
            if not self._is_told:
                self._is_told = True
                where = self._writer.path if self._history is None else self._history.parent
                said = f"The run goes on, but cannot be kept in {where}: {error.strerror or error}."
                warnings.warn(RunWarning(said), stacklevel=_NOBODYS_LINE)
            return False

    @property
    def is_lost(self) -> bool:
        """Whether something could not be written."""
        return self._is_told

    def close(self) -> None:
        """Close the history, and note nothing any more: what is asked of a fit later is no part of its run."""
        self._pid = -1
        if self._lines is not None:
            with contextlib.suppress(OSError):
                self._lines.close()
            self._lines = None

    def _line(self, value: float, norm: float) -> None:
        if self._lines is None:
            return
        iteration, seconds, phase = self.point.iteration, self.seconds, self.point.phase
        fields = f'"value": {_text(value)}, "gradient_norm": {_text(norm)}, "seconds": {seconds:.4f}'
        line, lines = f'{{"iteration": {iteration}, {fields}, "phase": "{phase}"}}\n', self._lines

        def write() -> None:
            lines.write(line)
            lines.flush()

        self.attempt(write)

    def _keep(self, problem: Any, value: float, norm: float) -> None:
        """Note the best point, under constraints the latest iterate, in the user's parameters."""
        if problem.constraints:
            best, lowest = problem.latest, value
        else:
            best, lowest = problem.best, self.factor * problem.best_value
            if self.point.value is not None and not lowest < self.point.value:
                return
        if np.isfinite(lowest):
            self._best = lambda: np.asarray(translation.parameters(problem, best), dtype=np.float64)
            self.point.value, self.point.gradient_norm = float(lowest), _finite(norm)


def _opened(history: Path) -> TextIO:
    """Return the history to be added to, without a line that a kill has cut off."""
    try:
        if history.exists() and not (text := history.read_bytes()).endswith(b"\n"):
            with history.open("r+b") as file:
                file.truncate(text.rfind(b"\n") + 1)
        return history.open("a", encoding="utf-8")
    except OSError as error:
        raise RunError(f"{history} cannot be written: {error.strerror}.", remedy="check the folder.") from error


def _known(problem: Any) -> tuple[float, float]:
    """Return value and gradient norm at the latest iterate, NaN where they are not known."""
    value, gradient = known(problem, problem.latest)
    if gradient is None:
        return value, np.nan
    if problem.limits is not None:
        gradient = problem.limits.projected(problem.latest, gradient)
    return value, float(np.max(np.abs(gradient), initial=0.0))


def _finite(number: float) -> float | None:
    return number if np.isfinite(number) else None


def _text(number: float) -> str:
    return repr(float(number)) if np.isfinite(number) else "null"
